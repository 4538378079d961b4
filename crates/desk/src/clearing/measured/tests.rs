use shield::measure::said::Said;
use shield::measure::wire::Answer;
use shield::order::turn::Outcome;
use shield::order::words::Organisation;
use shield::order::{Capture, ItemId, Moment, Role, Seen};

use super::super::tests::{actor, item, place, reported};
use super::*;

const NAMES: [&str; 2] = ["tv.stream.example", "live.stream.example"];
const MARKER: &str = "marker-4711.subscriber.example";

fn released(house: &House, item: ItemId) -> Vec<Ask> {
    let value = (*house.state().item(item).unwrap().value).clone();
    let exhibit = model::ExhibitId([item.place() as u8 + 1; 32]);
    let capture = Capture { value, exhibit, taken: house.now(), seen: Seen::Works };
    let outcome =
        Outcome { verdict: shield::harm::Verdict::Allow, code: None, grave: false, system: None };
    vec![
        Ask {
            actor: actor("probe", "authority", Role::Probe),
            command: Command::Capture { item, capture },
        },
        Ask { actor: house.itself().clone(), command: Command::Check { item, outcome } },
    ]
}

fn settings() -> (Vec<Setting>, Vec<Name>) {
    let of = |probe: &str, isp: Option<&str>| Setting {
        probe: Probe::new(probe).unwrap(),
        isp: isp.map(|isp| Organisation::new(isp).unwrap()),
        rate: 100,
    };
    let probes =
        vec![of("p-fibre", Some("fibre")), of("p-tower", Some("tower")), of("p-free", None)];
    let controls = ["news.example", "www.tv.stream.example", "mail.example"];
    (probes, controls.map(|name| Name::parse(name).unwrap()).into())
}

/// Everything that is asked, answered, but for what is withheld; and a marker that nobody asked for.
fn answers(withheld: &[&str]) -> Report {
    let asked =
        ["news.example", "mail.example", "www.tv.stream.example", NAMES[0], NAMES[1], MARKER];
    let answer = |name: &str| {
        let said = if withheld.contains(&name) { Said::NoSuchName } else { Said::Open };
        Answer { name: name.into(), said, age_ms: 0, address: None }
    };
    Report { answers: asked.map(answer).into(), ..Report::default() }
}

fn says(keeper: &Keeper, probe: &str, withheld: &[&str]) {
    let actor = actor(probe, "lab", Role::Probe);
    for _ in 0..3 {
        // A moment of its own.
        std::thread::sleep(std::time::Duration::from_millis(2));
        report(keeper, &actor, answers(withheld)).unwrap().unwrap();
    }
}

#[test]
fn what_probes_report_is_on_record_and_two_of_them_lift_what_explains_a_control() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let (keeper, thread) =
        Keeper::start(House::open(&place).unwrap(), Box::new(|_: &House| {})).unwrap();
    let (probes, controls) = settings();
    keeper.look(move |house| house.settle(&probes, &controls)).unwrap();
    let nobody = report(&keeper, &actor("p-other", "lab", Role::Probe), Report::default());
    assert_eq!(nobody.unwrap(), None, "no such probe is set");
    for probe in ["p-free", "p-fibre", "p-tower"] {
        says(&keeper, probe, &[]);
    }
    for ask in reported(&NAMES) {
        keeper.act(ask).unwrap().unwrap();
    }
    for n in 0..2 {
        for ask in keeper.look(move |house| released(house, item(n))).unwrap() {
            keeper.act(ask).unwrap().unwrap();
        }
    }
    says(&keeper, "p-free", &[]);
    says(&keeper, "p-fibre", &NAMES);
    says(&keeper, "p-tower", &[]);
    let figures = |house: &House| {
        let isps = house.measure().isps().into_iter();
        let of = isps.map(|view| (view.figures.blocked.clone(), view.figures.unblocked.clone()));
        of.collect::<Vec<_>>()
    };
    let bar = keeper.look(|house| {
        let value = house.state().item(item(0)).unwrap().value.clone();
        house.measure().bar(&value).unwrap()
    });
    let bar = bar.unwrap();
    assert_eq!((bar.done, bar.not_yet, bar.unknown), (1, 1, 0));
    let before = keeper.look(House::fold).unwrap();
    before.unwrap();
    let (records, begun) = keeper.look(move |house| (house.case().len(), figures(house))).unwrap();
    assert_eq!(begun[0].0.all, 2);
    keeper.look(House::fold).unwrap().unwrap();
    assert_eq!(keeper.look(|house| house.case().len()).unwrap(), records, "nothing is told twice");

    // The ISPs block more than the name.
    let wide = ["www.tv.stream.example", NAMES[0], NAMES[1]];
    says(&keeper, "p-fibre", &wide);
    let out = |n: u16| keeper.look(move |house| house.state().item(item(n)).is_some()).unwrap();
    assert!(out(0) && out(1), "one probe alone lifts nothing");
    says(&keeper, "p-tower", &wide);
    assert!(!out(0), "two lift what explains it");
    assert!(out(1), "and only that");

    keeper.close();
    thread.join().unwrap().unwrap();
    let house = House::open(&place).unwrap();
    let again = figures(&house);
    assert_eq!(again[0], begun[0], "what was measured is in the log");
    assert!(house.measure().is_idle() && house.now() > Moment(0));
    house.close().unwrap();
    nowhere(dir.path());
}

/// What nobody asked for is in no file.
fn nowhere(dir: &std::path::Path) {
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            nowhere(&path);
        } else if path.is_file() {
            let bytes = std::fs::read(&path).unwrap();
            let found = bytes.windows(MARKER.len()).any(|window| window == MARKER.as_bytes());
            assert!(!found, "{}", path.display());
        }
    }
}

//! What ISPs are measured to do, against resolvers whose truth is known.

use proptest::prelude::*;
use shield::Item;
use shield::harm::Verdict;
use shield::item::Name;
use shield::measure::figures::{self, What};
use shield::measure::said::Said;
use shield::measure::wire::{Answer, Report, Run};
use shield::measure::{Failing, MAX_TARGETS, Measure, Setting};
use shield::order::command::Command;
use shield::order::words::{Probe, Scope};
use shield::order::{Halt, Moment};

use crate::world::{MINUTE, SECOND, World, authority, grounds, item, league, org, probe};

fn named(n: u8) -> Probe {
    Probe::new(&format!("probe-{n}")).unwrap()
}

fn setting(n: u8, isp: Option<&str>, rate: usize) -> Setting {
    Setting { probe: named(n), isp: isp.map(org), rate }
}

/// Probe 1 at `fibre`, 2 at `tower`, 9 unblocked; two controls.
fn begun() -> World {
    let mut world = World::new();
    let probes =
        [setting(1, Some("fibre"), 100), setting(2, Some("tower"), 100), setting(9, None, 100)];
    let controls = ["news.example", "mail.example"].map(|name| Name::parse(name).unwrap());
    world.measure.settle(&probes, &controls);
    world
}

/// One round of a probe whose resolver says what `said` says.
fn round(world: &mut World, n: u8, said: impl Fn(&str) -> Said) -> (Vec<String>, Vec<Failing>) {
    let asks = world.measure.take(&world.state, &named(n), &Report::default(), world.now);
    let asked = asks.unwrap().questions.names;
    let answer = |name: &String| {
        let said = said(name);
        let address = (said == Said::Open).then(|| "192.0.2.80".parse().unwrap());
        Answer { name: name.clone(), said, age_ms: 0, address }
    };
    let report = Report { answers: asked.iter().map(answer).collect(), ..Report::default() };
    let taken = world.measure.take(&world.state, &named(n), &report, world.now).unwrap();
    (asked, taken.failing)
}

fn open(_: &str) -> Said {
    Said::Open
}

fn without(blocked: &'static str) -> impl Fn(&str) -> Said {
    move |name| if name == blocked { Said::NoSuchName } else { Said::Open }
}

/// A second of everybody, and what the probes see failing.
fn second(world: &mut World, said: [&dyn Fn(&str) -> Said; 2]) -> Vec<(u8, Failing)> {
    world.now = world.now.plus(SECOND);
    round(world, 9, open);
    let mut all = Vec::new();
    for (n, said) in [1, 2].into_iter().zip(said) {
        all.extend(round(world, n, said).1.into_iter().map(|failing| (n, failing)));
    }
    all
}

#[test]
fn a_report_that_comes_again_counts_once() {
    let mut world = begun();
    (0..3).for_each(|_| drop(second(&mut world, [&open, &open])));
    let answer =
        |name: &str, said, age_ms| Answer { name: name.into(), said, age_ms, address: None };
    let mut failing = 0;
    let mut sends = |world: &mut World, run, first, answers: Vec<Answer>| {
        let report = Report { dropped: 0, answers, run: Some(Run { run, first }) };
        let taken = world.measure.take(&world.state, &named(1), &report, world.now).unwrap();
        failing += taken.failing.len();
        failing
    };
    // One lost answer of a control. Nobody hears that it was taken: it comes again and again, each time a little
    // later on its way.
    for late in [0, 300, 900, 2_000] {
        world.now = world.now.plus(SECOND + late);
        let both = vec![
            answer("mail.example", Said::Open, SECOND),
            answer("news.example", Said::NoSuchName, SECOND),
        ];
        assert_eq!(sends(&mut world, 7, 40, both), 0, "one answer is no three");
    }
    // What is new behind it counts; so does all of a probe that started again.
    for n in 1..3 {
        world.now = world.now.plus(SECOND);
        let both = vec![
            answer("mail.example", Said::Open, 0),
            answer("news.example", Said::NoSuchName, 0),
        ];
        let first = if n == 1 { 42 } else { 0 };
        let run = if n == 1 { 7 } else { 8 };
        assert_eq!(sends(&mut world, run, first, both), usize::from(n == 2));
    }
}

fn found(measure: &Measure, isp: &str, value: &str) -> Option<What> {
    let (_, stands) = measure.stands(&item(value)).unwrap();
    stands.into_iter().find(|stand| stand.isp == org(isp)).unwrap().what
}

#[test]
fn blocked_and_unblocked_are_the_first_of_three() {
    let mut world = begun();
    (0..3).for_each(|_| drop(second(&mut world, [&open, &open])));
    let id = world.blocked(&league(), "tv.stream.example");
    let out = world.now;
    // Fibre blocks after 4 s, tower never.
    (0..4).for_each(|_| drop(second(&mut world, [&open, &open])));
    assert_eq!(found(&world.measure, "fibre", "tv.stream.example"), Some(What::StillOpen));
    let blocks = without("tv.stream.example");
    (0..2).for_each(|_| drop(second(&mut world, [&blocks, &open])));
    assert_eq!(found(&world.measure, "fibre", "tv.stream.example"), Some(What::StillOpen));
    assert!(!world.measure.is_due(), "two in a row conclude nothing");
    second(&mut world, [&blocks, &open]);
    let due = world.measure.take_due();
    let [one] = due.as_slice() else { panic!("{due:?}") };
    assert_eq!((one.what, one.after_ms, one.gap_ms), (What::Blocked, 5_000, Some(1_000)));
    assert!(one.compared && one.timed && one.controls > 0);
    let bar = world.measure.bar(&item("tv.stream.example")).unwrap();
    assert_eq!((bar.blocks, bar.done, bar.not_yet, bar.of()), (true, 1, 1, 2));
    // Tower is told of once it is late.
    while world.now.since(out) < MINUTE + 2 * SECOND {
        second(&mut world, [&blocks, &open]);
    }
    let due = world.measure.take_due();
    let [late] = due.as_slice() else { panic!("{due:?}") };
    assert_eq!((late.what, late.isp.as_str(), late.timed), (What::StillOpen, "tower", false));
    assert_eq!(world.measure.behind(&org("tower"), 9), [(item("tv.stream.example"), late.what)]);

    let lift = Command::Lift { item: id, collateral: None, grounds: grounds() };
    world.does(&authority(), lift);
    second(&mut world, [&blocks, &open]);
    (0..3).for_each(|_| drop(second(&mut world, [&open, &open])));
    let due = world.measure.take_due();
    let of: Vec<_> = due.iter().map(|m| (m.isp.as_str(), m.what, m.after_ms)).collect();
    assert_eq!(of, [("tower", What::Unblocked, 1_000), ("fibre", What::Unblocked, 2_000)]);
    // What records say makes the same figures.
    let isps = world.measure.isps();
    let fibre = &isps[0].figures;
    assert_eq!(
        (fibre.blocked.percentile(50), fibre.unblocked.percentile(99)),
        (Some(5_000), Some(2_000))
    );
    assert_eq!((fibre.opened, fibre.blocks, fibre.not_yet, fibre.still), (1, 0, 0, 0));
    assert_eq!(isps[1].figures.blocked.percentile(50), None, "not measured, and never zero");
}

#[test]
fn who_blocks_on_is_named_once_they_had_a_minute() {
    let mut world = begun();
    (0..3).for_each(|_| drop(second(&mut world, [&open, &open])));
    let id = world.blocked(&league(), "tv.stream.example");
    let blocks = without("tv.stream.example");
    (0..4).for_each(|_| drop(second(&mut world, [&blocks, &blocks])));
    assert_eq!(world.measure.still_blocked(world.now, 9), (0, vec![]));
    world.does(&authority(), Command::Lift { item: id, collateral: None, grounds: grounds() });
    let lifted = world.now;
    while world.now.since(lifted) < MINUTE - SECOND {
        second(&mut world, [&blocks, &open]);
        assert_eq!(world.measure.still_blocked(world.now, 9), (0, vec![]), "not late yet");
    }
    (0..3).for_each(|_| drop(second(&mut world, [&blocks, &open])));
    let named = vec![(item("tv.stream.example"), org("fibre"))];
    assert_eq!(world.measure.still_blocked(world.now, 9), (1, named));
    assert_eq!(world.measure.still_blocked(world.now, 0), (1, vec![]));
    (0..4).for_each(|_| drop(second(&mut world, [&open, &open])));
    assert_eq!(world.measure.still_blocked(world.now, 9), (0, vec![]));
}

#[test]
fn without_a_control_or_with_a_dead_name_nothing_is_concluded() {
    let mut world = begun();
    (0..3).for_each(|_| drop(second(&mut world, [&open, &open])));
    world.blocked(&league(), "tv.stream.example");
    // The line is down: everything is withheld or silent.
    let down = |_: &str| Said::NoSuchName;
    let silent = |_: &str| Said::Nothing;
    (0..9).for_each(|_| drop(second(&mut world, [&down, &silent])));
    assert_eq!(found(&world.measure, "fibre", "tv.stream.example"), None);
    assert_eq!(found(&world.measure, "tower", "tv.stream.example"), None);
    let counts = world.measure.isps()[1].probes[0].2;
    assert!(counts.unanswered >= 9 && counts.reports >= 9);
    // The name is gone everywhere: nobody blocks it.
    let gone = without("tv.stream.example");
    for _ in 0..9 {
        world.now = world.now.plus(SECOND);
        round(&mut world, 9, &gone);
        round(&mut world, 1, &gone);
    }
    assert_eq!(found(&world.measure, "fibre", "tv.stream.example"), None);
    assert!(!world.measure.is_due());
}

#[test]
fn a_control_that_two_probes_see_failing_lifts_what_explains_it_and_nothing_else() {
    let mut world = begun();
    (0..4).for_each(|_| drop(second(&mut world, [&open, &open])));
    let guilty = world.blocked(&league(), "live.news.example");
    let other = world.blocked(&league(), "tv.stream.example");
    // The ISPs block the whole domain.
    let wide = without("news.example");
    let mut told = Vec::new();
    for _ in 0..8 {
        told.extend(second(&mut world, [&wide, &open]));
    }
    assert!(told.iter().all(|(n, _)| *n == 1) && told.len() == 1, "{told:?}");
    let (_, failing) = &told[0];
    assert_eq!(failing.control, item("news.example"));
    assert_eq!(failing.explained_by, Some(item("live.news.example")));
    let says = |world: &World, n: u8, failing: &Failing| Command::ControlFailed {
        control: failing.control.clone(),
        explained_by: failing.explained_by.clone(),
        network: world.measure.network(&Probe::new(probe(n).person.as_str()).unwrap()).cloned(),
    };
    let first = says(&world, 1, failing);
    assert!(
        matches!(&first, Command::ControlFailed { network: Some(isp), .. } if isp.as_str() == "fibre")
    );
    world.does(&probe(1), first.clone());
    world.does(&probe(1), first);
    assert!(world.out("live.news.example").is_some(), "one probe alone lifts nothing");
    for _ in 0..8 {
        told.extend(second(&mut world, [&wide, &wide]));
    }
    let (_, second_one) = told.iter().find(|(n, _)| *n == 2).expect("the other probe");
    let second_one = says(&world, 2, second_one);
    world.does(&probe(2), second_one);
    assert!(world.out("live.news.example").is_none(), "{guilty} is lifted");
    assert!(world.out("tv.stream.example").is_some(), "{other} stands");
    // Until it is seen up again nobody says so again.
    world.measure.lost(&item("news.example"));
    let mut again = Vec::new();
    (0..200).for_each(|_| again.extend(second(&mut world, [&wide, &wide])));
    assert_eq!(again, []);
}

#[test]
fn a_control_that_was_never_up_or_is_down_for_all_does_not_fail() {
    let mut world = begun();
    let never = without("news.example");
    world.blocked(&league(), "live.news.example");
    let mut told = Vec::new();
    (0..30).for_each(|_| told.extend(second(&mut world, [&never, &never])));
    assert_eq!(told, [], "it was blocked before anything of ours");
    let mut world = begun();
    (0..4).for_each(|_| drop(second(&mut world, [&open, &open])));
    for _ in 0..30 {
        world.now = world.now.plus(SECOND);
        round(&mut world, 9, without("news.example"));
        for n in [1, 2] {
            let failing = round(&mut world, n, without("news.example")).1;
            told.extend(failing.into_iter().map(|one| (n, one)));
        }
    }
    assert_eq!(told.len(), 0, "{told:?}");
}

#[test]
fn of_two_probes_of_an_isp_the_last_one_counts_and_one_that_is_gone_does_not() {
    let mut world = begun();
    let probes = [setting(1, Some("fibre"), 9), setting(3, Some("fibre"), 9), setting(9, None, 9)];
    world.measure.settle(&probes, &[Name::parse("news.example").unwrap()]);
    let both =
        |world: &mut World, first: &dyn Fn(&str) -> Said, other: Option<&dyn Fn(&str) -> Said>| {
            world.now = world.now.plus(SECOND);
            round(world, 9, open);
            round(world, 1, first);
            if let Some(other) = other {
                round(world, 3, other);
            }
        };
    (0..4).for_each(|_| both(&mut world, &open, Some(&open)));
    world.blocked(&league(), "tv.stream.example");
    let blocks = without("tv.stream.example");
    (0..4).for_each(|_| both(&mut world, &blocks, Some(&open)));
    assert_eq!(found(&world.measure, "fibre", "tv.stream.example"), Some(What::StillOpen));
    (0..3).for_each(|_| both(&mut world, &blocks, Some(&blocks)));
    let due = world.measure.take_due();
    assert_eq!(
        due.iter().map(|one| (one.what, one.after_ms)).collect::<Vec<_>>(),
        [(What::Blocked, 5_000)]
    );
    // The second one falls silent while it found nothing yet.
    world.blocked(&league(), "two.stream.example");
    both(&mut world, &open, Some(&open));
    let blocks = |name: &str| {
        let ours = ["tv.stream.example", "two.stream.example"].contains(&name);
        if ours { Said::NoSuchName } else { Said::Open }
    };
    (0..58).for_each(|_| both(&mut world, &blocks, None));
    assert_eq!(found(&world.measure, "fibre", "two.stream.example"), None, "it may yet speak");
    (0..4).for_each(|_| both(&mut world, &blocks, None));
    assert_eq!(found(&world.measure, "fibre", "two.stream.example"), Some(What::Blocked));
    assert_eq!(world.measure.take_due().len(), 1);
}

#[test]
fn what_was_not_asked_is_counted_and_kept_nowhere() {
    let mut world = begun();
    let marker = "marker-4711.subscriber.example";
    let answer =
        |name: &str| Answer { name: name.into(), said: Said::Open, age_ms: 0, address: None };
    let answers = vec![answer(marker), answer("news.example")];
    let report = Report { dropped: 3, answers, run: None };
    let taken = world.measure.take(&world.state, &named(1), &report, world.now).unwrap();
    assert!(!format!("{taken:?}{:?}", world.measure).contains("marker-4711"));
    let counts = world.measure.isps()[0].probes[0].2;
    assert_eq!((counts.unasked, counts.dropped, counts.answers), (1, 3, 1));
    assert!(world.measure.take(&world.state, &named(7), &report, world.now).is_none());
}

#[test]
fn no_round_is_longer_than_the_rate_and_all_have_their_turn() {
    let mut world = begun();
    world.measure.settle(&[setting(1, Some("fibre"), 20), setting(9, None, 20)], &[]);
    let names: Vec<String> = (0..100).map(|n| format!("tv{n}.stream.example")).collect();
    for name in &names {
        world.blocked(&league(), name);
    }
    let mut asked = std::collections::BTreeMap::new();
    for _ in 0..40 {
        world.now = world.now.plus(SECOND);
        let taken = world.measure.take(&world.state, &named(1), &Report::default(), world.now);
        let round = taken.unwrap().questions.names;
        assert!(round.len() <= 20, "{}", round.len());
        round.into_iter().for_each(|name| *asked.entry(name).or_insert(0) += 1);
    }
    assert_eq!(asked.len(), names.len(), "each has its turn");
    assert!(asked.values().all(|times| *times >= 3), "{asked:?}");
}

#[test]
fn a_stop_opens_and_an_isp_that_is_stopped_is_not_expected() {
    let mut world = begun();
    world.blocked(&league(), "tv.stream.example");
    let stop = |scope| Command::Stop { scope, halt: Halt::Lifts, grounds: grounds() };
    world.does(&authority(), stop(Scope::Isp(org("fibre"))));
    let bar = world.measure.bar(&item("tv.stream.example")).unwrap();
    assert_eq!((bar.blocks, bar.of()), (true, 1), "tower alone");
    world.does(&authority(), stop(Scope::All));
    let bar = world.measure.bar(&item("tv.stream.example")).unwrap();
    assert_eq!((bar.blocks, bar.of()), (false, 2), "all are to open");
}

#[test]
fn no_more_names_are_measured_than_the_bound() {
    let mut world = begun();
    world.keeps_steps = false;
    let id = world.blocked(&league(), "first.stream.example");
    let row = world.out("first.stream.example");
    assert!(row.is_some() && world.measure.stands(&item("first.stream.example")).is_some());
    // Lifted and blocked again and again is one name.
    for n in 0..MAX_TARGETS / 500 {
        let names: Vec<String> = (0..500).map(|m| format!("t{n}-{m}.stream.example")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let ticket = world.ticket(&league(), &names);
        for place in 0..500 {
            let id = shield::order::ItemId::new(ticket, place);
            world.captured(id, shield::order::Seen::Works);
            world.checked(id, Verdict::Allow);
        }
    }
    assert!(world.out("first.stream.example").is_some(), "{id} is in force");
    assert!(world.measure.stands(&item("first.stream.example")).is_none(), "and gave way");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    /// Whenever an ISP begins to block and to open, within how many lost answers: what is measured is the
    /// truth to a round, and what is replayed from records makes the same figures.
    #[test]
    fn times_are_the_truth_to_a_round(
        late in 0u64..40, lost in prop::collection::vec(any::<bool>(), 120), open_late in 0u64..30,
    ) {
        let mut world = begun();
        (0..3).for_each(|_| drop(second(&mut world, [&open, &open])));
        let id = world.blocked(&league(), "tv.stream.example");
        let begun_at = world.now;
        let mut records = Vec::new();
        let mut pass = |world: &mut World, since: Moment, late: u64, blocks: bool, lost: &[bool]| {
            for lost in lost {
                let turned = world.now.plus(SECOND).since(since) >= late * SECOND;
                let said = |name: &str| match (name == "tv.stream.example", turned == blocks) {
                    (true, _) if *lost => Said::Nothing,
                    (true, true) => Said::NoSuchName,
                    _ => Said::Open,
                };
                second(world, [&said, &open]);
                records.extend(world.measure.take_due().into_iter().filter(|m| m.isp == org("fibre")));
            }
        };
        let (first, then) = lost.split_at(55);
        pass(&mut world, begun_at, late, true, first);
        let lift = Command::Lift { item: id, collateral: None, grounds: grounds() };
        world.does(&authority(), lift);
        let lifted = world.now;
        pass(&mut world, lifted, open_late, false, then);
        // The first answer after the turn that is not lost, if two more follow.
        let truth = |late: u64, lost: &[bool]| {
            let from = late.max(1) as usize;
            let heard: Vec<usize> = (from..=lost.len()).filter(|n| !lost[n - 1]).collect();
            (heard.len() >= 3).then(|| heard[0] as u64 * SECOND)
        };
        let of = |what| records.iter().find(|m| m.what == what && m.timed).map(|m| m.after_ms);
        prop_assert_eq!(of(What::Blocked), truth(late, first));
        if of(What::Blocked).is_some() {
            prop_assert_eq!(of(What::Unblocked), truth(open_late, then));
        }
        let mut again = Measure::default();
        for text in figures::texts(&records).unwrap() {
            figures::read(&text).unwrap().iter().for_each(|one| again.replay(one));
        }
        let fibre = |measure: &Measure| {
            let isp = measure.isps().into_iter().find(|view| view.figures.isp == org("fibre"));
            isp.map(|view| (view.figures.blocked, view.figures.unblocked))
        };
        if !records.is_empty() {
            prop_assert_eq!(fibre(&again), fibre(&world.measure));
        }
        let _ = Item::parse("tv.stream.example");
    }
}

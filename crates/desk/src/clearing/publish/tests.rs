use shield::feed::ALL;
use shield::order::command::Submission;
use shield::order::words::{Grounds, OrderId, Right};
use shield::order::{Audience, Command, Halt, ItemId, Role, Scope, TicketId};
use shield::wire::{Alarm, Bounds, Follower, Manifest, Staged, Want};

use super::super::house::Ask;
use super::super::tests::{actor, ask, does, league, place, released, reported};
use super::*;

fn isp(name: &str) -> Organisation {
    Organisation::new(name).unwrap()
}

mod chain;
mod keys;

/// A house, its publisher, and what that said.
struct Bed {
    _dir: tempfile::TempDir,
    place: crate::desk::Place,
    folder: PathBuf,
    house: House,
    publisher: Publisher,
    policy: ledger::Policy,
    key: SigningKey,
}

impl Bed {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        House::create(&place).unwrap();
        let (house, folder) = (begun(&place), dir.path().join("feed"));
        let key = feed_key(&place.home, house.case().authority()).unwrap();
        let log = house.case().signer().unwrap().verifier();
        let policy = ledger::Policy { log, witnesses: Vec::new(), quorum: 0 };
        let publisher = Publisher::new(&folder, key.clone()).unwrap();
        Self { _dir: dir, place, folder, house, publisher, policy, key }
    }

    /// Publishes what was decided; what was put, in its order.
    fn out(&mut self) -> Vec<String> {
        self.house.publish();
        self.house.show().unwrap();
        self.beat()
    }

    fn beat(&mut self) -> Vec<String> {
        let mut puts = Vec::new();
        let mut told = |put: Put<'_>| match put {
            Put::Stands(view) => puts.push(view.to_owned()),
            Put::Ended(view) => puts.push(format!("-{view}")),
            other => puts.push(format!("{other:?}")),
        };
        self.publisher.beat(&self.house, self.house.now(), &mut told).unwrap();
        puts
    }

    fn manifest(&self, view: &str) -> Option<Manifest> {
        let text = std::fs::read_to_string(self.folder.join(view).join("manifest")).ok()?;
        Some(Manifest::open(&text, &self.key.verifier()).unwrap())
    }

    /// Follows as an ISP would: its own view, or everybody's while there is none. What it holds, and what it let go
    /// of meanwhile.
    fn follow(&self, follower: &mut Follower, own: &str) -> (Vec<String>, Vec<String>) {
        let manifest = self.manifest(own).or_else(|| self.manifest(ALL)).unwrap();
        followed((&self.folder, &self.policy), &manifest, follower, self.house.now())
    }

    fn reports(&mut self, name: &str, isps: &[&str]) {
        does(&mut self.house, &[addressed(name, isps)]);
    }

    fn release(&mut self, ticket: u64) {
        self.release_item(first(ticket));
    }

    fn release_item(&mut self, item: ItemId) {
        let asks: Vec<Ask> = released(&self.house, item);
        does(&mut self.house, &asks);
    }

    fn lift(&mut self, ticket: u64) {
        self.lift_item(first(ticket));
    }

    fn lift_item(&mut self, item: ItemId) {
        let lift = Command::Lift { item, collateral: None, grounds: grounds() };
        does(&mut self.house, &[ask(&league(), lift)]);
    }
}

/// A ticket for some ISPs alone.
pub(in crate::clearing) fn addressed(name: &str, isps: &[&str]) -> Ask {
    let asked = Submission {
        order: OrderId::new("1/26").unwrap(),
        event: None,
        works: vec![Right::new("football").unwrap()],
        items: vec![name.to_owned()],
        audience: Audience::Only(isps.iter().map(|name| isp(name)).collect()),
        until: None,
        case: None,
    };
    ask(&league(), Command::Submit(asked))
}

/// Takes what a manifest leads to; what is held then, and what was let go of meanwhile.
pub(in crate::clearing) fn followed(
    (folder, policy): (&Path, &ledger::Policy),
    manifest: &Manifest,
    follower: &mut Follower,
    now: Moment,
) -> (Vec<String>, Vec<String>) {
    let (want, alarm) = follower.hear(manifest, now, 0).unwrap();
    assert_eq!(alarm, None);
    let before: Vec<_> = follower.held().keys().map(ToString::to_string).collect();
    if let Want::Files(files) = want {
        for name in files {
            let path = folder.join(&manifest.view).join("files").join(name.hash.to_string());
            let bytes = std::fs::read(path).unwrap();
            let mut staged = Staged::new(name, policy);
            let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
            lines.for_each(|line| staged.line(line).unwrap());
            assert_eq!(follower.take(staged, now, 0).unwrap().alarms, []);
        }
    }
    assert_eq!(follower.held().len() as u64, manifest.count);
    let held: Vec<_> = follower.held().keys().map(ToString::to_string).collect();
    let gone = before.into_iter().filter(|value| !held.contains(value)).collect();
    (held, gone)
}

fn begun(place: &crate::desk::Place) -> House {
    let mut house = House::open(place).unwrap();
    house.begin().unwrap();
    house.show().unwrap();
    house
}

fn first(ticket: u64) -> ItemId {
    ItemId::new(TicketId(ticket), 0)
}

fn grounds() -> Grounds {
    Grounds::new("the stream is gone").unwrap()
}

/// Every byte below a folder.
pub(in crate::clearing) fn bytes_below(folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            bytes.extend(bytes_below(&path));
        } else {
            bytes.extend(std::fs::read(path).unwrap());
        }
    }
    bytes
}

#[test]
fn an_isp_that_a_ticket_names_has_a_view_of_its_own_for_as_long() {
    let mut bed = Bed::new();
    does(&mut bed.house, &reported(&["a.stream.example"]));
    bed.reports("b.stream.example", &["fibre"]);
    bed.reports("c.stream.example", &["cable"]);
    let [mut fibre, mut cable] =
        ["fibre", "cable"].map(|view| Follower::new(view, Bounds::default(), Vec::new()));
    let (a, b, c) = ("a.stream.example", "b.stream.example", "c.stream.example");
    bed.release(0);
    assert_eq!(bed.out(), [ALL], "who is named by none costs nothing");
    assert_eq!(bed.follow(&mut fibre, "fibre").0, [a]);
    assert_eq!(bed.follow(&mut cable, "cable").0, [a]);

    // The own view stands before everybody's says that there is one.
    bed.release(1);
    assert_eq!(bed.out(), ["fibre", ALL]);
    let all = bed.manifest(ALL).unwrap();
    assert!(all.sets_apart("fibre") && !all.sets_apart("cable") && all.count == 1);
    assert_eq!(bed.follow(&mut fibre, "fibre"), (vec![a.to_owned(), b.to_owned()], vec![]));
    assert_eq!(bed.follow(&mut cable, "cable").0, [a]);
    // Whoever hands on everybody's to it is not believed.
    let apart = fibre.hear(&all, bed.house.now(), 0);
    assert_eq!(apart, Err(Alarm::Apart("fibre".to_owned())));

    bed.release(2);
    assert_eq!(bed.out(), ["cable", ALL, "fibre"]);
    assert_eq!(bed.follow(&mut cable, "cable").0, [a, c]);
    assert_eq!(bed.follow(&mut fibre, "fibre").0, [a, b]);
    // A heartbeat is one number in all of them, and names the same files.
    bed.beat();
    let beats: BTreeSet<_> =
        [ALL, "fibre", "cable"].map(|view| bed.manifest(view).unwrap().beat).into();
    assert_eq!(beats.len(), 1);
    assert_eq!(
        fibre.hear(&bed.manifest("fibre").unwrap(), bed.house.now(), 0),
        Ok((Want::Nothing, None))
    );
    for (view, others) in [(ALL, vec![b, c]), ("fibre", vec![c]), ("cable", vec![b])] {
        let bytes = bytes_below(&bed.folder.join(view));
        for other in others {
            let found = bytes.windows(other.len()).any(|piece| piece == other.as_bytes());
            assert!(!found, "{other} in {view}");
        }
    }

    // With its last ticket the view ends, after everybody's says so.
    bed.lift(1);
    assert_eq!(bed.out(), [ALL, "cable", "-fibre"]);
    assert!(bed.manifest("fibre").is_none());
    assert_eq!(bed.follow(&mut fibre, "fibre"), (vec![a.to_owned()], vec![b.to_owned()]));
    assert_eq!(fibre.reads(), ALL);

    // A stop on one ISP is its view, and an empty one; who has no items of its own gets one for it.
    for name in ["cable", "metro"] {
        let (scope, halt) = (Scope::Isp(isp(name)), Halt::Lifts);
        let vera = actor("vera", "authority", Role::Authority);
        does(&mut bed.house, &[ask(&vera, Command::Stop { scope, halt, grounds: grounds() })]);
    }
    // In the same step as what is for all: no delta leads across a stop.
    bed.reports("d.stream.example", &["cable"]);
    bed.release(3);
    bed.out();
    let mut metro = Follower::new("metro", Bounds::default(), Vec::new());
    assert_eq!(bed.follow(&mut cable, "cable").0, Vec::<String>::new());
    assert_eq!(bed.follow(&mut metro, "metro").0, Vec::<String>::new());
    assert_eq!(bed.follow(&mut fibre, "fibre").0, [a]);
    for (name, who) in
        [("cable", "court"), ("metro", "court"), ("cable", "authority"), ("metro", "authority")]
    {
        let scope = Scope::Isp(isp(name));
        let role = if who == "court" { Role::Reviewer } else { Role::Authority };
        let resume = Command::Resume { scope, grounds: grounds() };
        let _ = bed
            .house
            .act(&[ask(&actor(if who == "court" { "carl" } else { "vera" }, who, role), resume)]);
    }
    assert!(bed.out().contains(&"-metro".to_owned()));
    assert_eq!(bed.follow(&mut metro, "metro").0, [a]);
    assert_eq!(bed.follow(&mut cable, "cable").0, [a, c, "d.stream.example"]);

    // A start brings all of them back whole, and ends what the run before left behind.
    let Bed { _dir: dir, place, folder, house, key, policy, .. } = bed;
    house.close().unwrap();
    disk::create_dir(&folder.join("fibre/files")).unwrap();
    disk::write(&folder.join("fibre/manifest"), b"of yesterday\n").unwrap();
    let publisher = Publisher::new(&folder, key.clone()).unwrap();
    let mut bed = Bed { _dir: dir, house: begun(&place), place, folder, publisher, policy, key };
    assert_eq!(bed.out(), ["cable", ALL, "-fibre"]);
    assert_eq!(
        bed.follow(&mut cable, "cable"),
        (vec![a.into(), c.into(), "d.stream.example".into()], vec![])
    );
    assert_eq!(bed.follow(&mut fibre, "fibre"), (vec![a.to_owned()], vec![]));
    let mut late = Follower::new("cable", Bounds::default(), Vec::new());
    assert_eq!(bed.follow(&mut late, "cable").0.len(), 3);
    let (case, home) = (bed.place.case.clone(), bed.place.home.clone());
    bed.house.close().unwrap();
    assert_eq!(crate::verify(&case, &home, None, &|_| {}).unwrap().findings, []);
}

#[test]
fn an_own_view_that_cannot_be_written_is_not_said_to_be_there() {
    let mut bed = Bed::new();
    does(&mut bed.house, &reported(&["a.stream.example"]));
    bed.reports("b.stream.example", &["fibre"]);
    bed.release(0);
    bed.out();
    bed.release(1);
    bed.house.publish();
    bed.house.show().unwrap();
    // A file stands where its folder is to be.
    disk::write(&bed.folder.join("fibre"), b"").unwrap();
    let now = bed.house.now();
    assert!(bed.publisher.publish(&bed.house, now, &mut |_| ()).is_err());
    let all = bed.manifest(ALL).unwrap();
    assert!(!all.sets_apart("fibre") && all.count == 1);
    let mut fibre = Follower::new("fibre", Bounds::default(), Vec::new());
    assert_eq!(bed.follow(&mut fibre, "fibre").0.len(), 1);
    disk::remove(&bed.folder.join("fibre")).unwrap();
    assert_eq!(bed.beat(), ["fibre", ALL]);
    assert_eq!(bed.follow(&mut fibre, "fibre").0.len(), 2);
}

type Said = Vec<(String, Option<LeftOut>)>;

/// Who is wanted, with a stop on some of them, and what was said.
fn look(
    (apart, stopped): (&[Organisation], &[Organisation]),
    own: &BTreeMap<Organisation, View>,
    left_out: &mut BTreeMap<Organisation, LeftOut>,
) -> (Vec<Organisation>, Said) {
    let mut said = Vec::new();
    let mut told = |put: Put<'_>| match put {
        Put::LeftOut(isp, why) => said.push((isp.to_string(), Some(why))),
        Put::LetIn(isp) => said.push((isp.to_string(), None)),
        _ => {}
    };
    let stops = |isp: &Organisation| stopped.contains(isp);
    let wanted = wanted(apart.iter().collect(), stops, own, left_out, &mut told);
    (wanted.into_iter().cloned().collect(), said)
}

fn views(of: &[Organisation]) -> BTreeMap<Organisation, View> {
    let view = |isp: &Organisation| View::new(Path::new("nowhere"), &Whose::Isp(isp.clone()));
    of.iter().map(|isp| (isp.clone(), view(isp))).collect()
}

#[test]
fn who_is_left_out_is_said_once_and_who_has_a_view_keeps_it() {
    const MOST: usize = MAX_BY_TICKETS;
    let names: Vec<Organisation> = (0..MOST + 2)
        .map(|n| isp(&format!("isp-{n:03}")))
        .chain([isp("all"), isp("B/b")])
        .collect();
    let mut left_out = BTreeMap::new();
    let (got, said) = look((&names, &[]), &BTreeMap::new(), &mut left_out);
    assert_eq!(got, names[..MOST]);
    let (name, many) = (Some(LeftOut::Name), Some(LeftOut::Many));
    let of = |n: usize| format!("isp-{n:03}");
    let told = [
        ("B/b".to_owned(), name),
        ("all".to_owned(), name),
        (of(MOST), many),
        (of(MOST + 1), many),
    ];
    assert_eq!(said, told);
    let own = views(&names[2..MOST]);
    assert_eq!(look((&names, &[]), &own, &mut left_out), (names[..MOST].to_vec(), vec![]));
    // Two end: those who were left out are let in, and nobody who has one is put out for them.
    let (got, said) = look((&names[2..], &[]), &own, &mut left_out);
    assert_eq!(got, names[2..MOST + 2]);
    assert_eq!(said, [(of(MOST), None), (of(MOST + 1), None)]);
}

#[test]
fn a_stop_has_a_place_before_any_ticket() {
    let few = MAX_APART - MAX_BY_TICKETS;
    let tickets: Vec<_> = (0..MAX_BY_TICKETS).map(|n| isp(&format!("a-{n:03}"))).collect();
    // By their names they would come last.
    let stops: Vec<_> = (0..=MAX_APART).map(|n| isp(&format!("z-{n:03}"))).collect();
    let (mut own, mut left_out) = (views(&tickets), BTreeMap::new());
    let mut with = |n: usize, own: &BTreeMap<Organisation, View>| {
        let all = [&tickets[..], &stops[..n]].concat();
        let (got, said) = look((&all, &stops[..n]), own, &mut left_out);
        let stopped = got.iter().filter(|isp| stops.contains(isp)).count();
        (stopped, got.len() - stopped, said)
    };
    // There is room for them beside all that tickets may have, and then in the place of one.
    assert_eq!(with(few, &own), (few, MAX_BY_TICKETS, vec![]));
    let last = (tickets[MAX_BY_TICKETS - 1].to_string(), Some(LeftOut::Many));
    assert_eq!(with(few + 1, &own), (few + 1, MAX_BY_TICKETS - 1, vec![last.clone()]));
    own.remove(&tickets[MAX_BY_TICKETS - 1]);
    own.extend(views(&stops[..=few]));
    // Who was put out for it is let in again once there is room.
    assert_eq!(with(few, &own), (few, MAX_BY_TICKETS, vec![(last.0.clone(), None)]));
    let (stopped, named, said) = with(MAX_APART, &own);
    assert_eq!((stopped, named, said.len()), (MAX_APART, 0, MAX_BY_TICKETS));
    // Beyond all of them nothing is left but to say so.
    let none = (stops[MAX_APART].to_string(), Some(LeftOut::Stops));
    assert_eq!(with(MAX_APART + 1, &own), (MAX_APART, 0, vec![none]));

    // One whose stop ends, and whom a ticket names, keeps what it has.
    let (all, mut left_out) = ([&tickets[..], &stops[..1]].concat(), BTreeMap::new());
    let own = views(&all);
    assert_eq!(look((&all, &[]), &own, &mut left_out), (all.clone(), vec![]));
    assert_eq!(look((&all, &[]), &views(&tickets), &mut left_out).0, tickets);
}

#[test]
fn who_is_left_out_stands_on_live_for_as_long_and_no_reporter_hears_of_it() {
    use crate::clearing::read::live;
    let mut bed = Bed::new();
    does(&mut bed.house, &reported(&["a.stream.example"]));
    // Its name is everybody's view's.
    bed.reports("b.stream.example", &["all"]);
    bed.release(1);
    let puts = bed.out();
    assert!(puts.len() == 2 && puts[0].starts_with("LeftOut"), "{puts:?}");
    assert_eq!(bed.beat(), [ALL], "it is said once");
    let shown = |house: &House, whose| live(house, &whose, None, 1).left_out;
    assert_eq!(shown(&bed.house, None), (1, vec![(isp("all"), LeftOut::Name)]));
    assert_eq!(shown(&bed.house, Some(isp("league"))), (0, vec![]));
    bed.lift(1);
    bed.out();
    assert_eq!(shown(&bed.house, None), (0, vec![]));
    // Those on which a stop is come first.
    let many = BTreeMap::from([(isp("a"), LeftOut::Many), (isp("b"), LeftOut::Stops)]);
    bed.house.left_out.note(&many);
    assert_eq!(bed.house.left_out.some(1), (2, vec![(isp("b"), LeftOut::Stops)]));
}

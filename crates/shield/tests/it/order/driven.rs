//! A clearing house driven by bytes, held after each command against what it promises. The laws' test
//! draws the bytes at random; a fuzzer finds its own.

use std::collections::{BTreeMap, BTreeSet};

use model::{ExhibitId, Sha256Hex};
use shield::Item;
use shield::feed::{Answer, Bounds, Entry, Feed, Place};
use shield::harm::Verdict;
use shield::order::command::{Command, Event, Order, Submission, Upheld};
use shield::order::exceptions::{Cover, Network};
use shield::order::kept::{Reading, Unkept};
use shield::order::state::Live;
use shield::order::turn::{Evidence, Holds, Outcome};
use shield::order::values::table::Table;
use shield::order::words::{EventId, Grounds, OrderId, Organisation, Person, Right};
use shield::order::{
    Actor, Audience, Capture, Decision, Deed, Halt, ItemId, Machine, Moment, Policy, Role, Scope,
    Seen, Stage, State, Step, TicketId, Turn, Value, decide,
};

#[path = "covered.rs"]
mod covered;

use covered::Covered;

/// What happened, so that a run in which nothing did shows.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) commands: u64,
    pub(crate) refused: u64,
    pub(crate) released: u64,
    pub(crate) addresses: u64,
    pub(crate) approved: u64,
    pub(crate) lifted: u64,
    pub(crate) expired: u64,
    pub(crate) suspended: u64,
    pub(crate) renewed: u64,
    pub(crate) resumed: u64,
    pub(crate) deltas: u64,
    pub(crate) resets: u64,
}

const VALUES: [&str; 10] = [
    "a.com",
    "b.com",
    "tv.b.com",
    "c.org",
    "xn--80ak6aa92e.com",
    "198.18.4.7",
    "198.18.4.8",
    "198.18.4.7:80",
    "2001:2::1",
    "[2001:2::1]:443",
];
const PEOPLE: [(&str, &str, Role); 11] = [
    ("rita", "league", Role::Reporter),
    ("carl", "cinema", Role::Reporter),
    ("vera", "authority", Role::Reviewer),
    ("otto", "court", Role::Reviewer),
    ("ada", "authority", Role::Authority),
    ("lena", "league", Role::Reviewer),
    ("probe-1", "house", Role::Probe),
    ("probe-2", "house", Role::Probe),
    ("house", "house", Role::House),
    ("olga", "shop", Role::Party),
    ("ines", "isp-1", Role::Isp),
];
const ISPS: [&str; 3] = ["isp-1", "isp-2", "isp-3"];
const MINUTE: u64 = 60_000;

/// What was seen of an item by who reads the steps alone.
#[derive(Debug, Default, Clone)]
struct Witness {
    evidence: Option<Evidence>,
    checked: Option<Outcome>,
    uploaded: bool,
    approved_by: Option<Actor>,
    /// All that any check held it for; and what of that somebody agreed to.
    holds: Holds,
    agreed: Holds,
}

/// An ISP that follows the feed.
#[derive(Debug, Default)]
struct Follower {
    place: Option<Place>,
    has: BTreeMap<Value, Entry>,
}

struct Driven<'a> {
    bytes: &'a [u8],
    state: State,
    policy: Policy,
    now: Moment,
    steps: Vec<Step>,
    /// The same, read from its writing now and then.
    kept: State,
    feed: Feed,
    covered: Covered,
    followers: [Follower; ISPS.len()],
    witnesses: BTreeMap<ItemId, Witness>,
    captures: u64,
    counts: Counts,
}

fn org(name: &str) -> Organisation {
    Organisation::new(name).expect("a name")
}

fn grounds() -> Grounds {
    Grounds::new("so").expect("grounds")
}

fn who(n: usize) -> Actor {
    let (person, organisation, role) = PEOPLE[n % PEOPLE.len()];
    Actor { person: Person::new(person).expect("a name"), organisation: org(organisation), role }
}

fn value(n: u8) -> Item {
    Item::parse(VALUES[usize::from(n) % VALUES.len()]).expect("an item")
}

/// A state's writing: its lines, and its table.
pub(crate) fn kept(state: &State) -> (Vec<Vec<u8>>, Vec<u8>) {
    let (mut lines, mut table) = (Vec::new(), Vec::new());
    let written = state.lines::<Unkept>(&mut |line| {
        lines.push(line.to_vec());
        Ok(())
    });
    written.expect("lines");
    let written = state.table::<()>(&mut |piece| {
        table.extend_from_slice(piece);
        Ok(())
    });
    written.expect("a table");
    (lines, table)
}

fn read_again(state: &State) -> State {
    let (lines, table) = kept(state);
    let table = Table::open(table).expect("a table");
    assert!(table.is_sound());
    let mut reading = Reading::new(table);
    for line in &lines {
        let text = String::from_utf8_lossy(line);
        reading.line(line).unwrap_or_else(|e| panic!("{e}: {text}"));
    }
    reading.end().expect("a state")
}

/// Runs one history to the end of the bytes, and gives what it comes to.
#[allow(dead_code)] // The fuzzer wants no more than that it holds.
pub(crate) fn drive_to_the_end(bytes: &[u8]) -> State {
    driven(bytes).state
}

/// Runs one history to the end of the bytes.
pub(crate) fn drive(bytes: &[u8]) -> Counts {
    driven(bytes).counts
}

fn driven(bytes: &[u8]) -> Driven<'_> {
    let state = State::default();
    let bounds = Bounds { deltas: 8, bytes: 4_096 };
    let feed = Feed::new(&state, 7, 1, bounds);
    let covered = Covered::new(&state);
    let mut driven = Driven {
        bytes,
        state,
        policy: Policy::default(),
        now: Moment(1_790_000_000_000),
        steps: Vec::new(),
        kept: State::default(),
        feed,
        covered,
        followers: Default::default(),
        witnesses: BTreeMap::new(),
        captures: 0,
        counts: Counts::default(),
    };
    driven.begin();
    while !driven.bytes.is_empty() {
        let (actor, command) = driven.draw();
        driven.run(&actor, &command);
    }
    driven.end();
    driven
}

impl Driven<'_> {
    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    fn begin(&mut self) {
        for (id, reporter) in [("o1", "league"), ("o2", "cinema")] {
            let order = Order {
                id: OrderId::new(id).expect("an id"),
                reporter: org(reporter),
                rights: [Right::new("work").expect("a right")].into(),
                from: self.now,
                until: self.now.plus(200 * 24 * 60 * MINUTE),
            };
            self.run(&who(4), &Command::GiveOrder(order));
        }
        for (id, from) in [("e1", 0), ("e2", 45)] {
            let event = Event::new(
                EventId::new(id).expect("an id"),
                OrderId::new("o1").expect("an id"),
                self.now.plus(from * MINUTE),
                self.now.plus((from + 90) * MINUTE),
            );
            self.run(&who(4), &Command::Announce(event));
        }
    }

    fn event(&mut self) -> EventId {
        EventId::new(if self.byte() & 1 == 0 { "e1" } else { "e2" }).expect("an id")
    }

    /// An item that lives, or one that never was.
    fn item(&mut self) -> ItemId {
        let n = usize::from(self.byte());
        let count = self.state.items().count();
        let lives = self.state.items().nth(n % count.max(1)).map(|(id, _)| id);
        match lives {
            Some(id) if n != 255 => id,
            _ => ItemId(u64::from(self.byte()) * 1_021),
        }
    }

    fn outcome(&mut self) -> Outcome {
        let n = self.byte();
        let verdict = match n % 8 {
            0..=4 => Verdict::Allow,
            5 | 6 => Verdict::TwoPersons,
            _ => Verdict::Refuse,
        };
        let system = (n & 8 != 0).then_some(64_500 + u32::from(n & 1));
        Outcome { verdict, code: None, grave: n & 64 != 0, system }
    }

    fn capture(&mut self, item: ItemId) -> Capture {
        let n = self.byte();
        self.captures += 1;
        let of = self.state.item(item).map(|live| (*live.value).clone());
        let other = value(n);
        Capture {
            value: of.filter(|_| n % 16 != 15).unwrap_or(other),
            exhibit: ExhibitId(Sha256Hex::of(&self.captures.to_be_bytes()).0),
            taken: self.now.minus(u64::from(n / 16) * MINUTE),
            seen: match n % 8 {
                0..=4 => Seen::Works,
                5 => Seen::Page,
                6 => Seen::Nothing,
                _ => Seen::Unrelated,
            },
        }
    }

    /// What an item needs to go on: random commands alone would hardly ever release anything.
    fn push_on(&mut self) -> (Actor, Command) {
        let item = self.item();
        let machine = self.state.item(item).map(|live| live.machine.clone());
        match machine {
            Some(Machine::Captured(_)) => {
                (who(8), Command::Check { item, outcome: self.outcome() })
            }
            Some(Machine::Held(held)) if held.outcome.is_some() => {
                let exhibit = held.evidence.map_or(ExhibitId([0; 32]), |evidence| evidence.exhibit);
                let n = self.byte();
                let grounds = (n & 16 != 0).then(grounds);
                // Two who may, one of the reporter's own house, and the reporter.
                let second = who([2, 3, 5, 0][usize::from(n) % 4]);
                (second, Command::Approve { item, exhibit, grounds })
            }
            Some(Machine::Held(held)) if held.evidence.is_some() => {
                (who(8), Command::Check { item, outcome: self.outcome() })
            }
            Some(Machine::Checked(_)) => (who(8), Command::NoticeSent { item }),
            Some(Machine::InForce(_)) => match self.byte() % 8 {
                0 => (who(8), Command::Check { item, outcome: self.outcome() }),
                1 => {
                    let value = value(self.byte());
                    (who(9), Command::Object { value, proof: Sha256Hex([self.byte() % 3; 32]) })
                }
                2 if self.byte() & 1 == 0 => {
                    let (until, event) = (self.now.plus(80 * MINUTE), self.event());
                    (who(4), Command::Extend { event, until })
                }
                2 => {
                    let until = self.now.plus(90 * 24 * 60 * MINUTE);
                    (who(0), Command::Renew { ticket: item.ticket(), until })
                }
                _ => {
                    let probe = 6 + usize::from(self.byte() & 1);
                    (who(probe), Command::Capture { item, capture: self.capture(item) })
                }
            },
            _ => {
                let probe = 6 + usize::from(self.byte() & 1);
                (who(probe), Command::Capture { item, capture: self.capture(item) })
            }
        }
    }

    fn scope(&mut self) -> Scope {
        let n = self.byte();
        match n % 5 {
            0 => Scope::All,
            1 => Scope::Reporter(org(if n & 16 == 0 { "league" } else { "cinema" })),
            2 => Scope::Event(self.event()),
            3 => Scope::Ticket(TicketId(u64::from(n / 5) % self.state.tickets().max(1))),
            _ => Scope::Isp(org(ISPS[usize::from(n / 5) % ISPS.len()])),
        }
    }

    fn cover(&mut self) -> Cover {
        match value(self.byte()) {
            Item::Name(name) if self.byte() & 1 == 0 => Cover::Name(name),
            Item::Name(name) => Cover::Below(name),
            _ if self.byte().is_multiple_of(3) => {
                Cover::System(64_500 + u32::from(self.byte() & 1))
            }
            other => {
                let ip = other.address().expect("an address");
                let length = if ip.is_ipv4() { 31 } else { 64 };
                Cover::Network(Network::of(ip, length).expect("a network"))
            }
        }
    }

    fn submission(&mut self) -> Submission {
        let n = self.byte();
        let event = (n & 1 == 0).then(|| self.event());
        let items = (0..1 + n % 4).map(|_| value(self.byte()).to_string()).collect();
        let audience = match n / 16 {
            0..=9 => Audience::All,
            n => Audience::Only([org(ISPS[usize::from(n) % ISPS.len()])].into()),
        };
        Submission {
            order: OrderId::new(if event.is_some() || n & 2 == 0 { "o1" } else { "o2" })
                .expect("an id"),
            event,
            works: vec![Right::new("work").expect("a right")],
            items,
            audience,
            until: None,
            case: None,
        }
    }

    fn draw(&mut self) -> (Actor, Command) {
        let anybody = who(usize::from(self.byte()));
        let command = match self.byte() % 41 {
            0..=17 | 39 => return self.push_on(),
            18..=21 => {
                let asked = self.submission();
                let own = usize::from(asked.order.as_str() == "o2");
                return (who(own), Command::Submit(asked));
            }
            22..=24 => {
                let n = self.byte();
                let ms = [1_000, MINUTE, 5 * MINUTE, 11 * MINUTE, 24 * 60 * MINUTE];
                self.now = self.now.plus(ms[usize::from(n) % ms.len()] / (1 + u64::from(n / 64)));
                return (who(8), Command::Tick);
            }
            25 => Command::Upload { item: self.item(), exhibit: ExhibitId([1; 32]) },
            26 => Command::Refuse { item: self.item(), grounds: grounds() },
            27 => Command::HostAnswered { item: self.item(), acts: self.byte() & 1 == 0 },
            28 => {
                let n = self.byte();
                let collateral = (n & 1 == 0).then_some(n & 2 == 0);
                Command::Lift { item: self.item(), collateral, grounds: grounds() }
            }
            29 => Command::Object {
                value: value(self.byte()),
                proof: Sha256Hex([self.byte() % 3; 32]),
            },
            30 => {
                let upheld = [Upheld::No, Upheld::Item, Upheld::Collateral];
                Command::Decide {
                    item: self.item(),
                    proof: Sha256Hex([self.byte() % 3; 32]),
                    upheld: upheld[usize::from(self.byte()) % 3],
                    grounds: grounds(),
                }
            }
            31 => Command::Reinstate { item: self.item(), grounds: grounds() },
            32 => Command::ReportHarm {
                value: value(self.byte()),
                network: u32::from(self.byte() % 5),
            },
            33 => Command::ControlFailed {
                control: value(self.byte()),
                explained_by: Some(value(self.byte())),
                network: Organisation::new(ISPS[usize::from(self.byte()) % ISPS.len()]),
            },
            34 => {
                let n = self.byte();
                let until = (n & 1 == 0).then(|| self.now.plus(u64::from(n) * MINUTE));
                Command::ProposeException { cover: self.cover(), until, grounds: grounds() }
            }
            35 => Command::ApproveException { cover: self.cover() },
            36 => {
                let halt = if self.byte() & 1 == 0 { Halt::Releases } else { Halt::Lifts };
                Command::Stop { scope: self.scope(), halt, grounds: grounds() }
            }
            37 | 38 => {
                let n = self.byte();
                let stops: Vec<_> = self.state.stops().map(|(scope, _)| scope.clone()).collect();
                let scope = stops.get(usize::from(n) % stops.len().max(1)).cloned();
                let scope = scope.unwrap_or(Scope::All);
                return (
                    who(2 + usize::from(n & 1)),
                    Command::Resume { scope, grounds: grounds() },
                );
            }
            _ => {
                let ticket = TicketId(u64::from(self.byte()));
                let until = self.now.plus(u64::from(self.byte()) * 24 * 60 * MINUTE);
                Command::Renew { ticket, until }
            }
        };
        (anybody, command)
    }

    fn run(&mut self, actor: &Actor, command: &Command) {
        self.counts.commands += 1;
        let steps = match decide(&self.state, &self.policy, command, actor, self.now) {
            Ok(steps) => steps,
            Err(refusal) => {
                self.counts.refused += 1;
                assert!(!refusal.word().is_empty() && refusal.to_string().len() > 10);
                return;
            }
        };
        let same = decide(&self.kept, &self.policy, command, actor, self.now);
        assert_eq!(same.as_ref(), Ok(&steps), "what was kept decides otherwise");
        for step in &steps {
            self.witness(step);
            let before = self.of(step);
            let touched = self.state.apply(step);
            assert_eq!(self.kept.apply(step), touched);
            // Another file for a held item is kept in the log; it is held already.
            if !matches!(step.deed, Deed::Turned { turn: Turn::Uploaded { .. }, .. }) {
                let after = self.of(step);
                assert!(before.is_none() || before != after, "it changes nothing: {step:?}");
            }
            self.feed.touch(&self.state, touched.clone());
            self.covered.step(&self.state, step, touched);
        }
        if let Some(decision) = Decision::of(&steps) {
            let text = decision.write().expect("whatever is decided can be written");
            assert_eq!(Decision::read(&text).as_ref(), Ok(&decision), "{text}");
        }
        self.steps.extend(steps.iter().cloned());
        if self.counts.commands.is_multiple_of(7) {
            self.kept = read_again(&self.kept);
            assert_eq!(self.kept, self.state);
        }
        let _ = self.feed.publish(&self.state);
        self.covered.publish(&self.state, self.now);
        if *command == Command::Tick {
            if !steps.is_empty() {
                return self.run(actor, command);
            }
            assert!(self.state.next_due().is_none_or(|due| due > self.now), "something stays due");
        }
        self.hold();
    }

    /// The item that a step is about, if it is about one.
    fn of(&self, step: &Step) -> Option<Live> {
        let Deed::Turned { item, .. } = &step.deed else { return None };
        self.state.item(*item).cloned()
    }

    /// Who reads the steps alone sees that each release was one that could be.
    fn witness(&mut self, step: &Step) {
        let Deed::Turned { item, turn } = &step.deed else {
            self.counts.resumed += u64::from(matches!(step.deed, Deed::Resumed { .. }));
            return;
        };
        let witness = self.witnesses.entry(*item).or_default();
        match turn {
            Turn::Captured(evidence) => {
                (witness.evidence, witness.checked) = (Some(evidence.clone()), None);
            }
            Turn::Lapsed => (witness.evidence, witness.checked) = (None, None),
            Turn::Uploaded { .. } => (witness.uploaded, witness.approved_by) = (true, None),
            Turn::Checked { outcome, holds } => {
                witness.checked = Some(outcome.clone());
                let verdict =
                    if outcome.verdict == Verdict::Allow { Holds::NONE } else { Holds::CHECK };
                witness.holds = witness.holds.with(*holds).with(verdict);
            }
            Turn::Approved { .. } => {
                witness.agreed = witness.agreed.with(witness.holds);
                witness.approved_by = Some(step.by.clone());
                self.counts.approved += 1;
            }
            Turn::Released { expires } => self.released(*item, *expires),
            Turn::Lifted { .. } => self.counts.lifted += 1,
            Turn::Expired => self.counts.expired += 1,
            Turn::Suspended { .. } => self.counts.suspended += 1,
            Turn::Renewed { .. } => self.counts.renewed += 1,
            _ => {}
        }
    }

    fn released(&mut self, item: ItemId, expires: Moment) {
        self.counts.released += 1;
        let witness = &self.witnesses[&item];
        let live = self.state.item(item).expect("it lives");
        let ticket = self.state.ticket(item.ticket()).expect("a ticket");
        let evidence = witness.evidence.as_ref().expect("a capture");
        assert!(self.now.since(evidence.taken) < self.policy.capture_age_ms && expires > self.now);
        let checked = witness.checked.as_ref().expect("a check of that capture");
        assert_ne!(checked.verdict, Verdict::Refuse);
        let name = live.value.name().is_some();
        if !name || witness.uploaded || checked.verdict != Verdict::Allow {
            let second = witness.approved_by.as_ref().expect("a second person");
            assert!(second.person != ticket.person && second.organisation != ticket.reporter);
        }
        // Nothing held it at last that nobody had in view who agreed: a page, a reporter above its budget.
        assert!(witness.agreed.has(witness.holds), "{:?}, of {:?}", witness.agreed, witness.holds);
        self.counts.addresses += u64::from(!name);
        assert!(self.state.exceptions().of(&live.value, live.machine.system(), self.now).is_none());
        let event = ticket.event.clone().map(Scope::Event);
        let scopes =
            [Scope::All, Scope::Ticket(item.ticket()), Scope::Reporter(ticket.reporter.clone())];
        for scope in scopes.into_iter().chain(event) {
            assert!(self.state.stop(&scope).is_none(), "released under a stop");
        }
        if let Some(event) = ticket.event.as_ref().and_then(|event| self.state.event(event)) {
            assert!(event.from <= self.now && self.now < event.until);
        }
    }

    /// What holds between any two commands.
    fn hold(&mut self) {
        let mut wanted: BTreeMap<&Value, Vec<ItemId>> = BTreeMap::new();
        let mut stages: BTreeMap<Stage, u64> = BTreeMap::new();
        for (id, live) in self.state.items() {
            wanted.entry(&live.value).or_default().push(id);
            *stages.entry(live.machine.stage()).or_default() += 1;
            if live.machine.stage() == Stage::InForce {
                let covered =
                    self.state.exceptions().of(&live.value, live.machine.system(), self.now);
                assert!(covered.is_none(), "an exception is in force: {}", live.value);
            }
        }
        for (value, items) in &wanted {
            assert!(self.state.history(value).is_some(), "a value");
            assert_eq!(self.state.wanting(value), items);
        }
        for stage in Stage::ALL {
            let count = stages.get(stage).copied().unwrap_or(0);
            assert_eq!(self.state.count(*stage), count, "{}", stage.word());
        }
        let held: BTreeSet<_> = self.state.held().map(|(_, id)| id).collect();
        assert_eq!(held.len() as u64, self.state.count(Stage::Held));
        let whole = Feed::new(&self.state, 7, 1, Bounds::default());
        assert_eq!(self.feed.history().current(), whole.history().current(), "the feed lags");
        self.follow();
    }

    /// Who follows by deltas holds what who starts anew does.
    fn follow(&mut self) {
        let history = self.feed.history();
        let place = history.place();
        for (n, follower) in self.followers.iter_mut().enumerate() {
            // One looks each time, one now and then, one seldom.
            if !place.serial.is_multiple_of([1, 3, 11][n]) {
                continue;
            }
            let isp = org(ISPS[n]);
            match history.answer(&isp, follower.place) {
                Answer::Current => {}
                Answer::Delta(own) => {
                    self.counts.deltas += 1;
                    for value in &own.removed {
                        assert!(follower.has.remove(value).is_some(), "removed and was not there");
                    }
                    follower.has.extend(own.added);
                }
                Answer::Reset(view) => {
                    self.counts.resets += 1;
                    follower.has =
                        view.entries().map(|(value, entry)| (value.clone(), entry)).collect();
                }
            }
            follower.place = Some(place);
            let view = history.current().view(&isp);
            let whole: BTreeMap<_, _> =
                view.entries().map(|(value, entry)| (value.clone(), entry)).collect();
            assert_eq!(follower.has, whole);
        }
    }

    /// The same steps make the same state, byte for byte.
    fn end(&self) {
        let mut again = State::default();
        for step in &self.steps {
            let _ = again.apply(step);
        }
        assert_eq!(again, self.state);
        assert_eq!(format!("{again:?}"), format!("{:?}", self.state));
        assert_eq!(kept(&self.kept), kept(&self.state), "one writing, whatever way it came about");
        // Nothing is ever gone: each ticket and each of its items is there, alive or with its end.
        for n in 0..self.state.tickets() {
            let ticket = self.state.ticket(TicketId(n)).expect("a ticket");
            for place in 0..ticket.len() as u16 {
                let lives = self.state.item(ItemId::new(TicketId(n), place)).is_some();
                assert_ne!(lives, ticket.end(place).is_some());
            }
        }
    }
}

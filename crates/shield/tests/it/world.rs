//! A clearing house in a test: its state, its clock, its feed, and everybody who acts.

use model::{ExhibitId, Sha256Hex};
use shield::Item;
use shield::feed::{Bounds, Feed, Row};
use shield::harm::Verdict;
use shield::measure::Measure;
use shield::order::command::{Command, Event, Order, Submission};
use shield::order::words::{EventId, Grounds, OrderId, Organisation, Person, Right};
use shield::order::{
    Actor, Audience, Capture, Deed, ItemId, Machine, Moment, Outcome, Policy, Refusal, Role, Seen,
    Stage, State, Step, TicketId, Turn, decide,
};

pub(crate) const SECOND: u64 = 1_000;
pub(crate) const MINUTE: u64 = 60 * SECOND;
pub(crate) const HOUR: u64 = 60 * MINUTE;
pub(crate) const DAY: u64 = 24 * HOUR;

pub(crate) fn org(name: &str) -> Organisation {
    Organisation::new(name).expect("a name")
}

pub(crate) fn grounds() -> Grounds {
    Grounds::new("seen by two of us").expect("grounds")
}

pub(crate) fn actor(person: &str, organisation: &str, role: Role) -> Actor {
    let person = Person::new(person).expect("a name");
    Actor { person, organisation: org(organisation), role }
}

pub(crate) fn league() -> Actor {
    actor("rita", "league", Role::Reporter)
}
pub(crate) fn cinema() -> Actor {
    actor("carl", "cinema", Role::Reporter)
}
pub(crate) fn reviewer() -> Actor {
    actor("vera", "authority", Role::Reviewer)
}
pub(crate) fn another_reviewer() -> Actor {
    actor("otto", "court", Role::Reviewer)
}
pub(crate) fn authority() -> Actor {
    actor("ada", "authority", Role::Authority)
}
pub(crate) fn probe(n: u8) -> Actor {
    actor(&format!("probe-{n}"), "clearing house", Role::Probe)
}
pub(crate) fn house() -> Actor {
    actor("house", "clearing house", Role::House)
}
pub(crate) fn owner() -> Actor {
    actor("olga", "shop", Role::Party)
}
pub(crate) fn isp(name: &str) -> Actor {
    actor("ines", name, Role::Isp)
}

pub(crate) fn item(text: &str) -> Item {
    Item::parse(text).expect("an item")
}

pub(crate) fn outcome(verdict: Verdict) -> Outcome {
    let code = (verdict != Verdict::Allow).then_some("popular");
    Outcome { verdict, code, grave: false, system: None }
}

pub(crate) fn proof(n: u8) -> Sha256Hex {
    Sha256Hex([n; 32])
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) state: State,
    pub(crate) policy: Policy,
    pub(crate) now: Moment,
    pub(crate) steps: Vec<Step>,
    pub(crate) feed: Feed,
    pub(crate) measure: Measure,
    /// False where there are too many to keep.
    pub(crate) keeps_steps: bool,
    captures: u64,
}

impl World {
    /// Two reporters, each with an order; an event `final` of the league's, on for two hours.
    pub(crate) fn new() -> Self {
        let state = State::default();
        let feed = Feed::new(&state, 7, 1, Bounds::default());
        let now = Moment(1_790_000_000_000);
        let (policy, steps) = (Policy::default(), Vec::new());
        let measure = Measure::default();
        let keeps_steps = true;
        let mut world = Self { state, policy, now, steps, feed, measure, keeps_steps, captures: 0 };
        for (id, reporter, right) in [("1/26", "league", "football"), ("2/26", "cinema", "films")] {
            let order = Order {
                id: OrderId::new(id).expect("an id"),
                reporter: org(reporter),
                rights: [Right::new(right).expect("a right")].into(),
                from: now,
                until: now.plus(300 * DAY),
            };
            world.does(&authority(), Command::GiveOrder(order));
        }
        world.event("final", 0, 2 * HOUR);
        world
    }

    pub(crate) fn event(&mut self, id: &str, from: u64, long: u64) {
        let event = Event::new(
            EventId::new(id).expect("an id"),
            OrderId::new("1/26").expect("an id"),
            self.now.plus(from),
            self.now.plus(from + long),
        );
        self.does(&authority(), Command::Announce(event));
    }

    pub(crate) fn tries(&mut self, who: &Actor, command: &Command) -> Result<Vec<Step>, Refusal> {
        let steps = decide(&self.state, &self.policy, command, who, self.now)?;
        for step in &steps {
            let touched = self.state.apply(step);
            self.measure.follow(&self.state, &touched, self.steps.len() as u64, self.now);
            self.feed.touch(&self.state, touched);
        }
        let _ = self.feed.publish(&self.state);
        if self.keeps_steps {
            self.steps.extend(steps.iter().cloned());
        }
        Ok(steps)
    }

    pub(crate) fn does(&mut self, who: &Actor, command: Command) -> Vec<Step> {
        self.tries(who, &command).unwrap_or_else(|refusal| panic!("{command:?}: {refusal}"))
    }

    /// The refusal's word.
    pub(crate) fn refuses(&mut self, who: &Actor, command: Command) -> &'static str {
        match self.tries(who, &command) {
            Ok(steps) => panic!("{command:?} was taken: {steps:?}"),
            Err(refusal) => refusal.word(),
        }
    }

    /// Lets time pass, and the clock tick until nothing is due.
    pub(crate) fn wait(&mut self, ms: u64) {
        self.now = self.now.plus(ms);
        while !self.does(&house(), Command::Tick).is_empty() {}
    }

    pub(crate) fn asked(&self, who: &Actor, event: Option<&str>, items: &[&str]) -> Submission {
        let league = who.organisation == org("league");
        let (order, work) = if league { ("1/26", "football") } else { ("2/26", "films") };
        Submission {
            order: OrderId::new(order).expect("an id"),
            event: event.map(|event| EventId::new(event).expect("an id")),
            works: vec![Right::new(work).expect("a right")],
            items: items.iter().map(|text| (*text).to_owned()).collect(),
            audience: Audience::All,
            until: None,
            case: None,
        }
    }

    /// A ticket, of the event for the league, of none for others.
    pub(crate) fn ticket(&mut self, who: &Actor, items: &[&str]) -> TicketId {
        let event = (who.organisation == org("league")).then_some("final");
        let asked = self.asked(who, event, items);
        self.does(who, Command::Submit(asked));
        TicketId(self.state.tickets() - 1)
    }

    /// A ticket of one item.
    pub(crate) fn reported(&mut self, who: &Actor, value: &str) -> ItemId {
        ItemId::new(self.ticket(who, &[value]), 0)
    }

    pub(crate) fn shot(&mut self, id: ItemId, seen: Seen) -> Capture {
        self.captures += 1;
        let exhibit = ExhibitId(Sha256Hex::of(&self.captures.to_be_bytes()).0);
        let value = self.state.item(id).map(|live| (*live.value).clone());
        Capture { value: value.unwrap_or_else(|| item("gone.com")), exhibit, taken: self.now, seen }
    }

    pub(crate) fn captured_by(&mut self, n: u8, id: ItemId, seen: Seen) -> Vec<Step> {
        let capture = self.shot(id, seen);
        self.does(&probe(n), Command::Capture { item: id, capture })
    }

    pub(crate) fn captured(&mut self, id: ItemId, seen: Seen) -> Vec<Step> {
        self.captured_by(1, id, seen)
    }

    pub(crate) fn checked(&mut self, id: ItemId, verdict: Verdict) -> Vec<Step> {
        self.does(&house(), Command::Check { item: id, outcome: outcome(verdict) })
    }

    /// From a report into force.
    pub(crate) fn blocked(&mut self, who: &Actor, value: &str) -> ItemId {
        let id = self.reported(who, value);
        self.captured(id, Seen::Works);
        self.checked(id, Verdict::Allow);
        assert_eq!(self.stage(id), Stage::InForce);
        id
    }

    pub(crate) fn approve(&mut self, id: ItemId, waive: bool) -> Command {
        let exhibit = match self.state.item(id).map(|live| &live.machine) {
            Some(Machine::Held(held)) => held.evidence.as_ref().map(|evidence| evidence.exhibit),
            _ => None,
        };
        let exhibit = exhibit.unwrap_or(ExhibitId([0; 32]));
        Command::Approve { item: id, exhibit, grounds: waive.then(grounds) }
    }

    pub(crate) fn stage(&self, id: ItemId) -> Stage {
        self.state.item(id).map_or(Stage::Ended, |live| live.machine.stage())
    }

    /// A value's row in the feed.
    pub(crate) fn out(&self, value: &str) -> Option<Row> {
        self.feed.history().current().get(&item(value)).cloned()
    }
}

/// The words of steps.
pub(crate) fn words(steps: &[Step]) -> Vec<&'static str> {
    steps.iter().map(|step| step.deed.word()).collect()
}

/// The turns among steps.
pub(crate) fn turns(steps: &[Step]) -> Vec<&Turn> {
    let turn = |step: &'_ Step| matches!(step.deed, Deed::Turned { .. });
    let turns = steps.iter().filter(|step| turn(step));
    turns
        .filter_map(|step| match &step.deed {
            Deed::Turned { turn, .. } => Some(turn),
            _ => None,
        })
        .collect()
}

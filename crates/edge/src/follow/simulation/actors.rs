//! Who acts at the clearing house: reporters, probes, the check, reviewers, owners, the regulator. They ask for
//! anything that their roles may ask for, at times that the dice give.

use std::collections::{BTreeMap, BTreeSet};

use desk::clearing::{Ask, House};
use model::{ExhibitId, Sha256Hex};
use rand::RngExt;
use rand::rngs::SmallRng;
use shield::Verdict;
use shield::order::command::{Event, Order, Submission, Upheld};
use shield::order::schedule::Need;
use shield::order::turn::Outcome;
use shield::order::words::{EventId, OrderId, Organisation, Person, Right};
use shield::order::{
    Actor, Audience, Capture, Command, Halt, ItemId, Machine, Moment, Role, Scope, Seen,
};

use super::house::grounds;
use super::thieves::BYSTANDER;

/// ISPs that tickets name: the first edges. Some of them follow their own view.
pub(super) const ADDRESSED: usize = 4;
/// Names that are reported.
const NAMES: usize = 24;
/// One that nobody may have blocked: the check refuses it.
pub(super) const POPULAR: &str = "www.popular.example";
/// One that an exception covers, once it is approved.
pub(super) const EXCEPTED: &str = "*.broadcaster.example";

pub(super) fn name(n: usize) -> String {
    format!("tv{n}.stream{}.example", n % 5)
}

/// An ISP's short name, which is its view's.
pub(super) fn isp_name(n: usize) -> String {
    format!("isp-{n}")
}

/// A name that is reported to single ISPs alone.
fn only(n: usize) -> String {
    format!("only{n}.stream{}.example", n % 5)
}

fn actor(person: &str, organisation: &str, role: Role) -> Actor {
    let person = Person::new(person).unwrap();
    Actor { person, organisation: Organisation::new(organisation).unwrap(), role }
}

pub(super) fn probe() -> Actor {
    actor("probe-1", "authority", Role::Probe)
}

pub(super) fn reviewer() -> Actor {
    actor("carl", "court", Role::Reviewer)
}

pub(super) fn isp() -> Actor {
    actor("fred", "fibre", Role::Isp)
}

pub(super) fn league() -> Actor {
    actor("lea", "league", Role::Reporter)
}

pub(super) fn ask(actor: &Actor, command: Command) -> Ask {
    Ask { actor: actor.clone(), command }
}

/// What they know beside what the house does.
#[derive(Debug, Default)]
pub(super) struct Actors {
    orders: u64,
    events: Vec<(EventId, i64)>,
    exhibits: u64,
    seen: BTreeMap<ItemId, ExhibitId>,
    objections: Vec<(ItemId, Sha256Hex)>,
    stopped: Option<i64>,
    /// How often each kind was asked.
    pub(super) asked: BTreeMap<&'static str, u64>,
}

impl Actors {
    fn count(&mut self, what: &'static str) {
        *self.asked.entry(what).or_default() += 1;
    }

    pub(super) fn order(&mut self, now: Moment) -> Ask {
        self.orders += 1;
        let given = Order {
            id: OrderId::new(&format!("{}/26", self.orders)).unwrap(),
            reporter: Organisation::new("league").unwrap(),
            rights: [Right::new("football").unwrap()].into(),
            from: now.minus(3_600_000),
            until: now.plus(24 * 3_600_000),
        };
        self.events.clear();
        ask(&actor("vera", "authority", Role::Authority), Command::GiveOrder(given))
    }

    fn current(&self) -> OrderId {
        OrderId::new(&format!("{}/26", self.orders)).unwrap()
    }

    pub(super) fn event(&mut self, now: Moment, lasts: u64) -> Ask {
        let id = EventId::new(&format!("e{}", now.0)).unwrap();
        let until = now.plus(lasts);
        self.events.push((id.clone(), until.0));
        let event = Event::new(id, self.current(), now, until);
        ask(&actor("vera", "authority", Role::Authority), Command::Announce(event))
    }

    pub(super) fn report(&mut self, now: Moment, items: Vec<String>, dice: &mut SmallRng) -> Ask {
        self.report_to(now, items, Audience::All, dice)
    }

    fn report_to(
        &mut self,
        now: Moment,
        items: Vec<String>,
        audience: Audience,
        dice: &mut SmallRng,
    ) -> Ask {
        self.events.retain(|(_, until)| *until > now.0 + 1_000);
        let n = dice.random_range(0..=self.events.len());
        let event = self.events.get(n).map(|(id, _)| id.clone());
        let until = event.is_none().then(|| now.plus(dice.random_range(30_000..300_000)));
        let asked = Submission {
            order: self.current(),
            event,
            works: vec![Right::new("football").unwrap()],
            items,
            audience,
            until,
            case: None,
        };
        self.count("reports");
        ask(&league(), Command::Submit(asked))
    }

    /// What somebody wants by now.
    pub(super) fn wants(&mut self, house: &House, now: Moment, dice: &mut SmallRng) -> Vec<Ask> {
        let mut asks = Vec::new();
        if self.orders == 0 {
            asks.push(self.order(now));
        }
        if dice.random_bool(0.06) || asks.len() == 1 {
            asks.push(self.event(now, dice.random_range(30_000..240_000)));
        }
        if dice.random_bool(0.35) {
            let mut items: Vec<String> =
                (0..dice.random_range(1..4)).map(|_| name(dice.random_range(0..NAMES))).collect();
            if dice.random_bool(0.1) {
                items.push(POPULAR.to_owned());
            }
            if dice.random_bool(0.2) {
                items.push("video.broadcaster.example".to_owned());
            }
            asks.push(self.report(now, items, dice));
        }
        if dice.random_bool(0.1) {
            // Some of what is addressed to some is reported to all as well.
            let names = [only(dice.random_range(0..6)), name(dice.random_range(0..NAMES))];
            let to: BTreeSet<String> = (0..dice.random_range(1..3))
                .map(|_| isp_name(dice.random_range(0..ADDRESSED)))
                .collect();
            let to = to.iter().map(|name| Organisation::new(name).unwrap()).collect();
            asks.push(self.report_to(now, names.into(), Audience::Only(to), dice));
            self.count("addressed");
        }
        asks.extend(self.reviews(house, dice));
        asks.extend(self.rare(now, dice));
        asks
    }

    /// What reviewers, reporters and owners do to single items.
    fn reviews(&mut self, house: &House, dice: &mut SmallRng) -> Vec<Ask> {
        let (vera, carl) =
            (actor("vera", "authority", Role::Reviewer), actor("carl", "court", Role::Reviewer));
        let mut asks = Vec::new();
        for (item, live) in house.state().items() {
            match &live.machine {
                Machine::InForce(_) if dice.random_bool(0.02) => {
                    self.count("lifts");
                    let collateral = dice.random_bool(0.03).then_some(true);
                    asks.push(ask(
                        &league(),
                        Command::Lift { item, collateral, grounds: grounds() },
                    ));
                }
                Machine::InForce(_) if dice.random_bool(0.01) => {
                    self.exhibits += 1;
                    let proof = Sha256Hex::of(&self.exhibits.to_le_bytes());
                    self.count("objections");
                    self.objections.push((item, proof));
                    let owner = actor("olga", "shop", Role::Party);
                    let value = (*live.value).clone();
                    asks.push(ask(&owner, Command::Object { value, proof }));
                }
                Machine::Held(_) if dice.random_bool(0.3) => {
                    let Some(exhibit) = self.seen.get(&item).copied() else { continue };
                    self.count("approvals");
                    let grounds = Some(grounds());
                    asks.push(ask(&carl, Command::Approve { item, exhibit, grounds }));
                }
                Machine::Suspended(_) if dice.random_bool(0.2) => {
                    asks.push(ask(&vera, Command::Reinstate { item, grounds: grounds() }));
                }
                _ => {}
            }
        }
        if dice.random_bool(0.3)
            && let Some((item, proof)) = self.objections.pop()
        {
            let upheld = if dice.random_bool(0.5) { Upheld::Item } else { Upheld::No };
            asks.push(ask(&vera, Command::Decide { item, proof, upheld, grounds: grounds() }));
        }
        // Who erred over its budget was stopped by the house itself; two persons look at it, and let it go on.
        let league = Scope::Reporter(league().organisation);
        if house.state().stop(&league).is_some() && dice.random_bool(0.1) {
            self.count("reporters resumed");
            asks.extend(resumes(league));
        }
        asks
    }

    /// Orders that end, exceptions, stops.
    fn rare(&mut self, now: Moment, dice: &mut SmallRng) -> Vec<Ask> {
        let authority = actor("vera", "authority", Role::Authority);
        let (vera, carl) =
            (actor("vera", "authority", Role::Reviewer), actor("carl", "court", Role::Reviewer));
        let mut asks = Vec::new();
        if dice.random_bool(0.004) {
            self.count("orders ended");
            let order = self.current();
            asks.push(ask(&authority, Command::EndOrder { order, grounds: grounds() }));
            asks.push(self.order(now));
        }
        if dice.random_bool(0.01) {
            self.count("exceptions");
            let cover = EXCEPTED.parse().unwrap();
            let until = Some(now.plus(dice.random_range(60_000..900_000)));
            asks.push(ask(&vera, Command::ProposeException { cover, until, grounds: grounds() }));
            let cover = EXCEPTED.parse().unwrap();
            asks.push(ask(&carl, Command::ApproveException { cover }));
        }
        match self.stopped {
            None if dice.random_bool(0.008) => {
                self.count("stops");
                self.stopped = Some(now.0 + dice.random_range(5_000..40_000));
                let halt = if dice.random_bool(0.5) { Halt::Lifts } else { Halt::Releases };
                asks.push(ask(
                    &vera,
                    Command::Stop { scope: Scope::All, halt, grounds: grounds() },
                ));
            }
            Some(until) if until <= now.0 => {
                self.stopped = None;
                asks.extend(resumes(Scope::All));
            }
            _ => {}
        }
        asks
    }

    /// What the rounds do: captures of what is due, and checks of what was captured.
    pub(super) fn rounds(
        &mut self,
        house: &mut House,
        dice: &mut SmallRng,
        calm: bool,
    ) -> Vec<Ask> {
        let mut asks = Vec::new();
        let due = Need::ALL.into_iter().flat_map(|need| house.captures_due(need, 16));
        for item in due.collect::<Vec<_>>() {
            // A probe's capture may never come; another is due later.
            if !calm && dice.random_bool(0.1) {
                continue;
            }
            let Some(live) = house.state().item(item) else { continue };
            let value = (*live.value).clone();
            self.exhibits += 1;
            let mut id = [0; 32];
            id[..8].copy_from_slice(&self.exhibits.to_le_bytes());
            let seen = match dice.random_range(0..20) {
                _ if value.to_string().ends_with(BYSTANDER) || *value.to_string() == *POPULAR => {
                    Seen::Nothing
                }
                _ if calm => Seen::Works,
                0 => Seen::Nothing,
                1 => Seen::Page,
                _ => Seen::Works,
            };
            let exhibit = ExhibitId(id);
            self.seen.insert(item, exhibit);
            let capture = Capture { value, exhibit, taken: house.now(), seen };
            house.captured(item);
            asks.push(ask(&probe(), Command::Capture { item, capture }));
        }
        for due in house.checks_due(16) {
            let verdict = match due.value.to_string() {
                value if value == POPULAR => Verdict::Refuse,
                _ if !calm && dice.random_bool(0.1) => Verdict::TwoPersons,
                _ => Verdict::Allow,
            };
            let outcome = Outcome { verdict, code: None, grave: false, system: None };
            asks.push(ask(house.itself(), Command::Check { item: due.item, outcome }));
        }
        for item in house.notices_asked() {
            asks.push(ask(house.itself(), Command::NoticeSent { item }));
        }
        asks.truncate(200);
        asks
    }
}

/// Two persons of two organisations go on.
pub(super) fn resumes(scope: Scope) -> [Ask; 2] {
    let resume = || Command::Resume { scope: scope.clone(), grounds: grounds() };
    let vera = actor("vera", "authority", Role::Reviewer);
    [ask(&vera, resume()), ask(&actor("carl", "court", Role::Reviewer), resume())]
}

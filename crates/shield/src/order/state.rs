//! What the clearing house knows: made of steps alone, so that the same steps make the same state.
//!
//! Bounds. A live item takes about 400 bytes here and what was written of it, its value included; one that ended takes a byte in
//! its ticket, and its value a count: about 50 bytes where the state was read from what was kept ([`super::kept`]). What looks things up by item, value, ticket, order or due time
//! is ordered and takes logarithmic time; a tick takes time by what is due, not by what there is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::Sha256Hex;
use serde::{Deserialize, Serialize};

use super::budget::{Budget, Count, Standing};
use super::command::{Event, Order};
use super::ending::{Basis, Ending};
use super::exceptions::Exceptions;
use super::machine::{Machine, Stage};
use super::measured::Measured;
use super::policy::{HOUR_MS, Policy};
use super::step::StopCause;
use super::ticket::Ticket;
use super::turn::{End, Notice};
use super::values::Values;
use super::words::{
    EventId, Halt, ItemId, Moment, OrderId, Organisation, Person, Probe, Scope, TicketId,
};
use crate::item::{Item, Kind};

/// A value, shared by whatever speaks of it.
pub type Value = Arc<Item>;

/// The most live items that want one value.
pub const MAX_WANTING: usize = 1_000;
/// The most objections to one item that are open, of those who showed that they control what is blocked.
pub const MAX_OBJECTIONS: usize = 64;
/// The most that are open beside them, by the word of a reviewer or the authority: they take nobody's place.
pub const MAX_BY_WORD: usize = 16;
/// The newest decided ones that are remembered of one item, so that none of them is taken again.
pub const MAX_DECIDED: usize = 64;
/// The most stops at a time.
pub const MAX_STOPS: usize = 10_000;
/// The most networks whose harm reports are counted in one hour: more than there are.
pub const MAX_NETWORKS: usize = 200_000;
/// The most values of which harm was grouped that are remembered.
pub const MAX_GROUPED: usize = 10_000;
/// And for so long, in milliseconds, as the log's time goes: what no check looked at meanwhile is captured on
/// its grid.
pub const GROUPED_MS: u64 = HOUR_MS;
/// The most controls that one probe alone saw failing.
pub const MAX_CONTROLS: usize = 10_000;

/// The state.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    pub(super) orders: BTreeMap<OrderId, Order>,
    pub(super) events: BTreeMap<EventId, Announced>,
    pub(super) reporters: BTreeMap<Organisation, Reporter>,
    pub(super) tickets: Vec<Ticket>,
    pub(super) live: BTreeMap<ItemId, Live>,
    pub(super) values: Values,
    /// When something is due of an item: one moment for each item of which something ever is.
    pub(super) due: BTreeSet<(Moment, ItemId)>,
    /// Held items, the longest first.
    pub(super) held: BTreeSet<(Moment, ItemId)>,
    pub(super) objections: BTreeMap<(ItemId, Sha256Hex), Objection>,
    /// Clocks of objections that run.
    pub(super) clocks: BTreeSet<(Moment, ItemId, Sha256Hex)>,
    pub(super) harm: BTreeMap<Value, Harm>,
    /// Values of which networks reported harm together, and when: the newest.
    pub(super) grouped: BTreeSet<(Moment, Value)>,
    pub(super) networks: Networks,
    pub(super) controls: BTreeMap<Item, Watch>,
    pub(super) exceptions: Exceptions,
    pub(super) stops: BTreeMap<Scope, Stop>,
    pub(super) ending: BTreeMap<Basis, Ending>,
    pub(super) measured: Measured,
    /// Live items by [`Stage`].
    pub(super) stages: [u64; Stage::ALL.len()],
}

/// An event with its tickets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// The event.
    pub event: Event,
    /// Its tickets.
    pub tickets: Vec<TicketId>,
    /// True where the authority ended it: then its reporter carries it on no more.
    pub closed: bool,
}

/// A reporter with its tickets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reporter {
    /// Its tickets.
    pub tickets: Vec<TicketId>,
    /// Its releases and errors.
    pub budget: Budget,
}

/// An item that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Live {
    /// What is to be blocked.
    pub value: Value,
    /// What was written, where it is not the value itself: a probe captures the URL that was reported.
    pub written: Option<Arc<str>>,
    /// Where it stands.
    pub machine: Machine,
}

/// A value: who wants it blocked, and what became of those who did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Its live items, sorted.
    pub live: Vec<ItemId>,
    /// Its history.
    pub history: History,
}

/// What became of a value's items, in counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct History {
    /// Items that were released.
    pub released: u32,
    /// Items lifted for harm, an objection that was upheld, or a check that failed when run again.
    pub faults: u32,
    /// Items by how they ended: refused, lifted, expired.
    pub ended: [u32; End::ALL.len()],
    /// The last block that ended. What is refused was none, and leaves it as it is.
    pub last: Option<Past>,
}

/// A block that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Past {
    /// Since when the value was blocked: by this item, or by one whose block went over into this one's.
    pub since: Moment,
    /// Until when: its end, or when it was suspended if it ended from there.
    pub until: Moment,
    /// How it ended.
    pub how: End,
}

impl Past {
    /// Since when and until when an item was blocked that ends at a moment, of its machine before; `None`: it never
    /// was.
    pub(super) fn spell(machine: &Machine, at: Moment) -> Option<(Moment, Moment)> {
        let until = match machine {
            Machine::Suspended(suspended) => suspended.since,
            _ => at,
        };
        Some((machine.in_force()?.since, until))
    }

    /// With what is known of the value's blocks so far: one that was not over before this one began is part of it.
    pub(super) fn after(mut self, before: Option<Self>) -> Self {
        if let Some(before) = before.filter(|before| before.until >= self.since) {
            self.since = self.since.min(before.since);
            self.until = self.until.max(before.until);
        }
        self
    }
}

/// An objection. It goes with its item; one that is open when the item ends without fault, by its
/// expiry say, stays until a reviewer decided whether there was an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Objection {
    /// What is blocked, or was.
    pub value: Value,
    /// True where an error would be grave.
    pub grave: bool,
    /// When it was taken.
    pub at: Moment,
    /// Until when a reviewer decides.
    pub due: Moment,
    /// True until one did.
    pub open: bool,
    /// True where who objects showed that they control what is blocked; else it is a reviewer's word.
    pub proven: bool,
}

/// A control as one probe saw it failing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Watch {
    /// When.
    pub(super) at: Moment,
    /// Which probe.
    pub(super) probe: Probe,
    /// Whose it is.
    pub(super) organisation: Organisation,
    /// In whose network it stands; `None`: it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) network: Option<Organisation>,
}

impl Watch {
    /// True where another probe's word is a second one: it is of another organisation, or stands in another network.
    /// Two of one hand in one network have the same fault, or the same thief.
    pub(super) fn is_another(&self, other: &Self) -> bool {
        let apart = |(one, two): (&Organisation, &Organisation)| one != two;
        let networks = self.network.as_ref().zip(other.network.as_ref());
        self.probe != other.probe
            && (self.organisation != other.organisation || networks.is_some_and(apart))
    }
}

/// Harm that networks report of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Harm {
    /// Since when they count together.
    pub since: Moment,
    /// Which, each once.
    pub networks: Vec<u32>,
}

/// How much each network reported in the hour that runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Networks {
    pub(super) hour: i64,
    pub(super) counts: BTreeMap<u32, u64>,
}

/// A stop that stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// What it does.
    pub halt: Halt,
    /// Why.
    pub why: StopCause,
    /// Since when.
    pub since: Moment,
    /// The first of two persons who would resume.
    pub resume: Option<(Person, Organisation)>,
}

/// The time in which an item may go into force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    /// Not before.
    pub opens: Moment,
    /// Not from then on.
    pub closes: Moment,
    /// True where it is an event's.
    pub event: bool,
}

impl State {
    /// A legal basis.
    pub fn order(&self, id: &OrderId) -> Option<&Order> {
        self.orders.get(id)
    }

    /// Every legal basis, in the order of their numbers.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// An event.
    pub fn event(&self, id: &EventId) -> Option<&Event> {
        self.events.get(id).map(|announced| &announced.event)
    }

    /// Every event with its tickets, in the order of their names.
    pub fn events(&self) -> impl Iterator<Item = &Announced> {
        self.events.values()
    }

    /// Every reporter that reported or was charged, with its tickets and its budget.
    pub fn reporters(&self) -> impl Iterator<Item = (&Organisation, &Reporter)> {
        self.reporters.iter()
    }

    /// True where an event's window is open, or ended less than `after` milliseconds ago. It looks at the
    /// events there are.
    pub fn is_event_on(&self, now: Moment, after: u64) -> bool {
        let on = |event: &Event| event.from <= now && now < event.until.plus(after);
        self.events.values().any(|announced| on(&announced.event))
    }

    /// A ticket.
    pub fn ticket(&self, id: TicketId) -> Option<&Ticket> {
        self.tickets.get(usize::try_from(id.0).ok()?)
    }

    /// How many tickets there are.
    pub fn tickets(&self) -> u64 {
        self.tickets.len() as u64
    }

    /// A reporter's tickets, in the order in which they were taken.
    pub fn tickets_of(&self, reporter: &Organisation) -> &[TicketId] {
        self.reporters.get(reporter).map_or(&[], |reporter| &reporter.tickets)
    }

    /// An item that lives.
    pub fn item(&self, id: ItemId) -> Option<&Live> {
        self.live.get(&id)
    }

    /// A ticket's items that live.
    pub fn items_of(&self, ticket: TicketId) -> impl Iterator<Item = (ItemId, &Live)> {
        // A number that no ticket has could stand for another's items.
        let known = self.ticket(ticket).is_some();
        let range = ItemId::new(ticket, 0)..=ItemId::new(ticket, u16::MAX);
        known.then(|| self.live.range(range)).into_iter().flatten().map(|(id, live)| (*id, live))
    }

    /// Every item that lives, in the order of their reports.
    pub fn items(&self) -> impl DoubleEndedIterator<Item = (ItemId, &Live)> {
        self.live.iter().map(|(id, live)| (*id, live))
    }

    /// The items that live before one, the newest first; of all of them where none is named.
    pub fn items_before(&self, before: Option<ItemId>) -> impl Iterator<Item = (ItemId, &Live)> {
        let range = match before {
            Some(before) => self.live.range(..before),
            None => self.live.range(..),
        };
        range.rev().map(|(id, live)| (*id, live))
    }

    /// How many live items are at a stage.
    pub fn count(&self, stage: Stage) -> u64 {
        self.stages[stage as usize]
    }

    /// The live items that want a value, sorted.
    pub fn wanting(&self, value: &Item) -> &[ItemId] {
        self.values.live(value)
    }

    /// A value that was reported, shared with whatever else speaks of it.
    pub fn known(&self, value: &Item) -> Option<Value> {
        self.values.known(value)
    }

    /// What became of a value's items: `faults` is what the check asks for. `None`: nobody ever reported it.
    pub fn history(&self, value: &Item) -> Option<History> {
        self.values.history(value)
    }

    /// Held items and since when they wait, the longest first. Their age is what Live shows.
    pub fn held(&self) -> impl Iterator<Item = (Moment, ItemId)> {
        self.held.iter().copied()
    }

    /// The next moment at which something is due; `None`: never.
    pub fn next_due(&self) -> Option<Moment> {
        let item = self.due.first().map(|(at, _)| *at);
        let clock = self.clocks.first().map(|(at, _, _)| *at);
        item.into_iter().chain(clock).min()
    }

    /// Objections to an item.
    pub fn objections(&self, id: ItemId) -> impl Iterator<Item = (&Sha256Hex, &Objection)> {
        let range = (id, Sha256Hex([0; 32]))..=(id, Sha256Hex([255; 32]));
        self.objections.range(range).map(|((_, proof), objection)| (proof, objection))
    }

    /// Objections that wait for a reviewer, by item.
    pub fn open_objections(&self) -> impl Iterator<Item = (ItemId, &Sha256Hex, &Objection)> {
        let open = self.objections.iter().filter(|(_, objection)| objection.open);
        open.map(|((id, proof), objection)| (*id, proof, objection))
    }

    /// True where an objection to an item waits for a reviewer.
    pub fn is_objected(&self, id: ItemId) -> bool {
        self.objections(id).any(|(_, objection)| objection.open)
    }

    /// Items whose check and capture were to run again, and may not have: that they ran and changed nothing is
    /// no step. Those that somebody objects to, and those on a value of which networks reported harm together
    /// not long ago. For who starts: a check that runs once more does no harm, one that never runs does.
    pub fn owed(&self) -> BTreeSet<ItemId> {
        let objected = self.open_objections().map(|(item, _, _)| item);
        let grouped = self.grouped.iter().flat_map(|(_, value)| self.wanting(value)).copied();
        objected.chain(grouped).filter(|item| self.live.contains_key(item)).collect()
    }

    /// Remembers that harm of a value was grouped.
    pub(super) fn keep_grouped(&mut self, value: Value, at: Moment) {
        self.grouped.insert((at, value));
        let old = |(first, _): &(Moment, Value)| at.since(*first) > GROUPED_MS;
        while self.grouped.len() > MAX_GROUPED || self.grouped.first().is_some_and(old) {
            self.grouped.pop_first();
        }
    }

    /// Exceptions.
    pub fn exceptions(&self) -> &Exceptions {
        &self.exceptions
    }

    /// Stops that stand.
    pub fn stops(&self) -> impl Iterator<Item = (&Scope, &Stop)> {
        self.stops.iter()
    }

    /// A stop that stands.
    pub fn stop(&self, scope: &Scope) -> Option<&Stop> {
        self.stops.get(scope)
    }

    /// A reporter's figures and standing at a moment.
    pub fn standing(
        &self,
        reporter: &Organisation,
        now: Moment,
        policy: &Policy,
    ) -> (Count, Standing) {
        let budget = self.reporters.get(reporter).map(|reporter| &reporter.budget);
        let count = budget.map(|budget| budget.count(now, policy)).unwrap_or_default();
        (count, count.standing(policy))
    }

    /// The stops on a ticket, its event and its reporter.
    pub(super) fn stops_of(&self, id: TicketId) -> impl Iterator<Item = &Stop> {
        let ticket = self.ticket(id);
        let reporter = ticket.map(|ticket| Scope::Reporter(ticket.reporter.clone()));
        let event = ticket.and_then(|ticket| ticket.event.clone()).map(Scope::Event);
        let scopes = [Some(Scope::Ticket(id)), reporter, event];
        scopes.into_iter().flatten().filter_map(|scope| self.stops.get(&scope))
    }

    /// True where nothing of a ticket may be released.
    pub fn is_halted(&self, id: TicketId) -> bool {
        self.stops.contains_key(&Scope::All) || self.stops_of(id).next().is_some()
    }

    /// True where a ticket's items are out of the feed by a stop on the ticket, its event or its
    /// reporter. (A stop of everything shuts the feed as a whole.)
    pub fn is_lifted(&self, id: TicketId) -> bool {
        self.stops_of(id).any(|stop| stop.halt == Halt::Lifts)
    }

    /// When an item of a ticket may go into force.
    pub fn term(&self, id: TicketId) -> Option<Term> {
        let ticket = self.ticket(id)?;
        if let Some(event) = &ticket.event {
            let event = self.event(event)?;
            return Some(Term { opens: event.from, closes: event.until, event: true });
        }
        let closes = ticket.until?;
        Some(Term { opens: ticket.at, closes, event: false })
    }

    /// When an item that is checked may be released at the earliest; `None` while nobody can tell,
    /// since its host was not told yet.
    pub fn earliest(&self, id: ItemId, live: &Live) -> Option<Moment> {
        let opens = self.term(id.ticket())?.opens;
        let pending = live.machine.pending()?;
        let waived = pending.approval.is_some_and(|approval| approval.waives);
        if live.value.kind() == Kind::Fqdn || waived {
            return Some(opens);
        }
        match pending.notice {
            Notice::Sent(silent_at) => Some(opens.max(silent_at)),
            Notice::None | Notice::Asked | Notice::Answered => None,
        }
    }

    /// When something is due of an item: what [`super::Command::Tick`] then does always changes it,
    /// so that nothing stays due.
    pub(super) fn due_of(&self, id: ItemId, live: &Live) -> Option<Moment> {
        let closes = self.term(id.ticket()).map(|term| term.closes);
        match &live.machine {
            Machine::Submitted(_) | Machine::Held(_) => closes,
            Machine::Captured(captured) => {
                closes.into_iter().chain([captured.evidence.lapses]).min()
            }
            Machine::Checked(checked) => {
                let both = closes.into_iter().chain([checked.evidence.lapses]);
                both.chain(self.earliest(id, live)).min()
            }
            Machine::InForce(in_force) => Some(in_force.expires),
            Machine::Suspended(suspended) => Some(suspended.was.expires),
            Machine::Ended(_) => None,
        }
    }
}

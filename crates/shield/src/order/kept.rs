//! The state as bytes: what a start reads in place of all that was ever decided.
//!
//! Two parts. Lines of JSON, one for each thing that still is of some weight: an order, an event, a reporter, a
//! ticket, an item that lives, an objection, a stop. And a [`Table`] of every value, which is read as it lies.
//! What follows from these (what is due, which items want a value, the counts of each state) is not written,
//! but made, so that no writing can contradict itself. The same state has one writing, whatever way it came
//! about: who has another may compare digests.
//!
//! This is no record. Its words may change with the program: [`VERSION`] says which they are.

use std::sync::Arc;

use model::Sha256Hex;
use serde::{Deserialize, Serialize};

use super::budget::Budget;
use super::command::{Event, Order};
use super::ending::{Basis, Ending};
use super::exceptions::{Cover, Exception};
use super::machine::{Machine, Stage};
use super::measured::Measured;
use super::state::{
    Announced, Harm, Live, Networks, Objection, Reporter, State, Stop, Value, Watch,
};
use super::ticket::Ticket;
use super::turn::End;
use super::values::Values;
use super::values::table::Table;
use super::words::{
    Audience, EventId, Grounds, ItemId, MAX_ITEMS, Moment, OrderId, Organisation, Person, Scope,
    TicketId,
};
use crate::item::Item;

/// What these lines are, and what applying the same steps comes to: a change of either is another version.
pub const VERSION: u32 = 5;

/// Why lines make no state.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unkept {
    /// No line of these.
    #[error("no line of a state: {0}")]
    Line(String),
    /// A line that fits no state.
    #[error("{0}")]
    Odd(&'static str),
}

impl From<serde_json::Error> for Unkept {
    fn from(error: serde_json::Error) -> Self {
        Self::Line(error.to_string())
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Line {
    Order(Order),
    Event { event: Event, tickets: u64, closed: bool },
    Reporter { name: Organisation, budget: Budget },
    Ticket(Box<TicketLine>),
    Item { id: ItemId, value: Item, written: Option<Box<str>>, machine: Box<Machine> },
    Objection(Box<ObjectionLine>),
    Harm { value: Item, since: Moment, networks: Vec<u32> },
    Grouped { value: Item, at: Moment },
    Networks(Networks),
    Control { control: Item, watch: Watch },
    Exception { cover: Cover, exception: Exception },
    Stop { scope: Scope, stop: Stop },
    Ending { of: Basis, grounds: Grounds },
    Measured(Measured),
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TicketLine {
    order: OrderId,
    event: Option<EventId>,
    reporter: Organisation,
    person: Person,
    at: Moment,
    audience: Audience,
    until: Option<Moment>,
    /// A letter for each item: how it ended, or `.`.
    ends: String,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ObjectionLine {
    item: ItemId,
    proof: Sha256Hex,
    value: Item,
    grave: bool,
    at: Moment,
    due: Moment,
    open: bool,
    proven: bool,
    /// True while its clock runs.
    clock: bool,
}

fn letter(end: Option<End>) -> char {
    match end {
        None => '.',
        Some(End::Refused) => 'r',
        Some(End::Lifted) => 'l',
        Some(End::Expired) => 'e',
    }
}

fn end_of(letter: u8) -> Option<Option<End>> {
    let mut ends = std::iter::once(None).chain(End::ALL.iter().copied().map(Some));
    ends.find(|end| self::letter(*end) == char::from(letter))
}

impl State {
    /// Gives its lines, one after the other, without line feeds.
    ///
    /// # Errors
    /// What `out` says; what has no JSON, which nothing here is.
    pub fn lines<E: From<serde_json::Error>>(
        &self,
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut put = |line: &Line| out(&serde_json::to_vec(line)?);
        for order in self.orders.values() {
            put(&Line::Order(order.clone()))?;
        }
        for Announced { event, tickets, closed } in self.events.values() {
            let (event, tickets) = (event.clone(), tickets.len() as u64);
            put(&Line::Event { event, tickets, closed: *closed })?;
        }
        for (name, reporter) in &self.reporters {
            put(&Line::Reporter { name: name.clone(), budget: reporter.budget.clone() })?;
        }
        for ticket in &self.tickets {
            put(&Line::Ticket(Box::new(TicketLine {
                order: ticket.order.clone(),
                event: ticket.event.clone(),
                reporter: ticket.reporter.clone(),
                person: ticket.person.clone(),
                at: ticket.at,
                audience: ticket.audience.clone(),
                until: ticket.until,
                ends: ticket.ends.iter().map(|end| letter(*end)).collect(),
            })))?;
        }
        for (id, Live { value, written, machine }) in &self.live {
            put(&Line::Item {
                id: *id,
                value: (**value).clone(),
                written: written.as_deref().map(Into::into),
                machine: Box::new(machine.clone()),
            })?;
        }
        for ((item, proof), objection) in &self.objections {
            put(&Line::Objection(Box::new(ObjectionLine {
                item: *item,
                proof: *proof,
                value: (*objection.value).clone(),
                grave: objection.grave,
                at: objection.at,
                due: objection.due,
                open: objection.open,
                proven: objection.proven,
                clock: self.clocks.contains(&(objection.due, *item, *proof)),
            })))?;
        }
        for (value, Harm { since, networks }) in &self.harm {
            let value = (**value).clone();
            put(&Line::Harm { value, since: *since, networks: networks.clone() })?;
        }
        for (at, value) in &self.grouped {
            put(&Line::Grouped { value: (**value).clone(), at: *at })?;
        }
        put(&Line::Networks(self.networks.clone()))?;
        for (control, watch) in &self.controls {
            put(&Line::Control { control: control.clone(), watch: watch.clone() })?;
        }
        for (cover, exception) in &self.exceptions.0 {
            put(&Line::Exception { cover: cover.clone(), exception: exception.clone() })?;
        }
        for (scope, stop) in &self.stops {
            put(&Line::Stop { scope: scope.clone(), stop: stop.clone() })?;
        }
        for (of, Ending { grounds, .. }) in &self.ending {
            put(&Line::Ending { of: of.clone(), grounds: grounds.clone() })?;
        }
        put(&Line::Measured(self.measured.clone()))
    }

    /// Gives its table of values, piece by piece.
    ///
    /// # Errors
    /// What `out` says.
    pub fn table<E>(&self, out: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        self.values.keep(out)
    }
}

/// A state that is being read.
#[derive(Debug)]
pub struct Reading {
    state: State,
    /// How many tickets each event has to have.
    announced: Vec<(EventId, u64)>,
    /// True once it refused a line: a part of that line may stand.
    broken: bool,
}

const NO_VALUE: Unkept = Unkept::Odd("a value that was never reported");
const NO_ITEM: Unkept = Unkept::Odd("an item that no ticket has, or that ended");
const TWICE: Unkept = Unkept::Odd("a line that stands there twice, or out of its order");

impl Reading {
    /// Begins, with its values.
    pub fn new(table: Table) -> Self {
        let state = State { values: Values::of(table), ..State::default() };
        Self { state, announced: Vec::new(), broken: false }
    }

    /// Takes the next line.
    ///
    /// # Errors
    /// No line of these, or one that does not fit what came before. After it there is no state any more: see
    /// [`Self::end`].
    pub fn line(&mut self, line: &[u8]) -> Result<(), Unkept> {
        let taken = self.take(line);
        self.broken |= taken.is_err();
        taken
    }

    fn take(&mut self, line: &[u8]) -> Result<(), Unkept> {
        let line = serde_json::from_slice(line)?;
        let state = &mut self.state;
        let before = match line {
            Line::Order(order) => state.orders.insert(order.id.clone(), order).is_some(),
            Line::Event { event, tickets, closed } => {
                self.announced.push((event.id.clone(), tickets));
                let (id, tickets) = (event.id.clone(), Vec::new());
                state.events.insert(id, Announced { event, tickets, closed }).is_some()
            }
            Line::Reporter { name, budget } => {
                state.reporters.insert(name, Reporter { tickets: Vec::new(), budget }).is_some()
            }
            Line::Ticket(ticket) => return state.kept_ticket(*ticket),
            Line::Item { id, value, written, machine } => {
                return state.kept_item(id, &value, written, *machine);
            }
            Line::Objection(objection) => {
                let value = state.values.known(&objection.value).ok_or(NO_VALUE)?;
                let ObjectionLine { item, proof, grave, at, due, open, proven, clock, .. } =
                    *objection;
                if clock {
                    state.clocks.insert((due, item, proof));
                }
                let objection = Objection { value, grave, at, due, open, proven };
                state.objections.insert((item, proof), objection).is_some()
            }
            Line::Harm { value, since, networks } => {
                let value = state.values.known(&value).ok_or(NO_VALUE)?;
                state.harm.insert(value, Harm { since, networks }).is_some()
            }
            Line::Grouped { value, at } => {
                let value = state.values.known(&value).ok_or(NO_VALUE)?;
                !state.grouped.insert((at, value))
            }
            Line::Networks(networks) => {
                std::mem::replace(&mut state.networks, networks) != Networks::default()
            }
            Line::Control { control, watch } => state.controls.insert(control, watch).is_some(),
            Line::Exception { cover, exception } => {
                state.exceptions.0.insert(cover, exception).is_some()
            }
            Line::Stop { scope, stop } => state.stops.insert(scope, stop).is_some(),
            // The items, of which some are left, stand before it.
            Line::Ending { of, grounds } => {
                let left = state.live_under(&of);
                if left == 0 {
                    return Err(Unkept::Odd("an end that left nothing"));
                }
                state.ending.insert(of, Ending { grounds, left }).is_some()
            }
            Line::Measured(measured) => {
                std::mem::replace(&mut state.measured, measured) != Measured::default()
            }
        };
        if before { Err(TWICE) } else { Ok(()) }
    }

    /// What was read so far: for what speaks of its items.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The state of all of its lines.
    ///
    /// # Errors
    /// Some are missing, or one was refused.
    pub fn end(self) -> Result<State, Unkept> {
        if self.broken {
            return Err(Unkept::Odd("a line of it was refused"));
        }
        for (event, tickets) in &self.announced {
            let known = self.state.events.get(event).map(|known| known.tickets.len() as u64);
            if known != Some(*tickets) {
                return Err(Unkept::Odd("an event has other tickets than those that are there"));
            }
        }
        for ticket in &self.state.tickets {
            let live: usize = ticket.stages.iter().copied().map(usize::from).sum();
            if ticket.ends.iter().filter(|end| end.is_none()).count() != live {
                return Err(Unkept::Odd("an item that lives is not there"));
            }
        }
        Ok(self.state)
    }
}

impl State {
    fn kept_ticket(&mut self, line: TicketLine) -> Result<(), Unkept> {
        let TicketLine { order, event, reporter, person, at, audience, until, ends } = line;
        let ends: Option<Box<[Option<End>]>> = ends.bytes().map(end_of).collect();
        let ends = ends.filter(|ends| ends.len() <= MAX_ITEMS);
        let ends = ends.ok_or(Unkept::Odd("a ticket's items are not as they are written"))?;
        if !self.live.is_empty() {
            return Err(TWICE);
        }
        let id = TicketId(self.tickets());
        if let Some(announced) = event.as_ref().and_then(|event| self.events.get_mut(event)) {
            announced.tickets.push(id);
        }
        let known = self.reporters.get_mut(&reporter);
        known.ok_or(Unkept::Odd("a ticket of nobody"))?.tickets.push(id);
        let stages = Default::default();
        self.tickets.push(Ticket {
            order,
            event,
            reporter,
            person,
            at,
            audience,
            until,
            ends,
            stages,
        });
        Ok(())
    }

    fn kept_item(
        &mut self,
        id: ItemId,
        value: &Item,
        written: Option<Box<str>>,
        machine: Machine,
    ) -> Result<(), Unkept> {
        if self.live.last_key_value().is_some_and(|(last, _)| *last >= id) {
            return Err(TWICE);
        }
        let stage = machine.stage();
        let ticket = usize::try_from(id.ticket().0).ok();
        let ticket = ticket.and_then(|ticket| self.tickets.get_mut(ticket)).ok_or(NO_ITEM)?;
        let lives = ticket.ends.get(usize::from(id.place())).is_some_and(Option::is_none);
        if !lives || stage == Stage::Ended {
            return Err(NO_ITEM);
        }
        ticket.stages[stage as usize] += 1;
        self.stages[stage as usize] += 1;
        let value: Value = self.values.known(value).ok_or(NO_VALUE)?;
        self.values.entry(value.clone()).live.push(id);
        let live = Live { value, written: written.map(Arc::from), machine };
        self.due.extend(self.due_of(id, &live).map(|due| (due, id)));
        if let Machine::Held(held) = &live.machine {
            self.held.insert((held.since, id));
        }
        self.live.insert(id, live);
        Ok(())
    }
}

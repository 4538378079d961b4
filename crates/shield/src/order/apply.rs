//! Steps make the state. This cannot fail: a step that does not fit, which no decision makes, changes
//! nothing.

use std::mem::take;

use super::ending::Basis;
use super::exceptions::Exception;
use super::machine::{Machine, Stage};
use super::policy::{HOUR_MS, MAX_MEASURED_MS};
use super::state::{
    Announced, Harm, Live, MAX_DECIDED, Objection, Past, State, Stop, Value, Watch,
};
use super::step::{self, Deed, Step};
use super::ticket::Ticket;
use super::turn::{Cause, End, Turn};
use super::words::{ItemId, MAX_ITEMS, Moment, Role, Scope, TicketId};

/// What a step may have changed of what is out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "what is out has to follow"]
pub enum Touched {
    /// Nothing.
    Nothing,
    /// One value.
    Value(Value),
    /// The values of these tickets' items.
    Tickets(Vec<TicketId>),
    /// What everybody, or one ISP, gets as a whole.
    Gate,
}

impl State {
    /// The state after a step.
    pub fn apply(&mut self, step: &Step) -> Touched {
        let at = step.at;
        match &step.deed {
            Deed::Turned { item, turn } => return self.turned(*item, turn, at),
            Deed::OrderGiven(order) => {
                self.orders.insert(order.id.clone(), order.clone());
            }
            Deed::OrderEnded { order, grounds } => {
                if let Some(order) = self.orders.get_mut(order) {
                    order.until = order.until.min(at);
                }
                self.begin_ending(Basis::Order(order.clone()), grounds.clone());
            }
            Deed::Announced(event) => {
                let announced =
                    Announced { event: event.clone(), tickets: Vec::new(), closed: false };
                self.events.entry(event.id.clone()).or_insert(announced);
            }
            Deed::Extended { event, until } => {
                let tickets = self.events.get(event).map(|known| known.tickets.clone());
                let event = event.clone();
                self.ending.remove(&Basis::Event(event.clone()));
                self.with_new_dues(&tickets.unwrap_or_default(), |state| {
                    if let Some(known) = state.events.get_mut(&event) {
                        known.event.until = *until;
                        // Its reporter extends none that the authority ended: this is the authority's word.
                        known.closed = false;
                    }
                });
            }
            Deed::EventEnded { event, grounds } => {
                let tickets = self.events.get(event).map(|known| known.tickets.clone());
                let event = event.clone();
                self.begin_ending(Basis::Event(event.clone()), grounds.clone());
                self.with_new_dues(&tickets.unwrap_or_default(), |state| {
                    if let Some(known) = state.events.get_mut(&event) {
                        known.event.until = known.event.until.min(at);
                        known.closed |= step.by.role == Role::Authority;
                    }
                });
            }
            Deed::RenewalAsked { ticket, until } => self.with_new_dues(&[*ticket], |state| {
                if let Some(ticket) = state.ticket_mut(*ticket) {
                    ticket.until = Some(*until);
                }
            }),
            Deed::Submitted(ticket) => self.submitted(ticket, step),
            Deed::Objected { item, proof, due } => {
                if let Some(live) = self.live.get(item) {
                    let value = live.value.clone();
                    let grave = live.machine.in_force().is_some_and(|was| was.outcome.grave);
                    let proven = !step.by.role.objects_by_word();
                    let objection = Objection { value, grave, at, due: *due, open: true, proven };
                    let before = self.objections.insert((*item, *proof), objection);
                    // The same words by somebody's word before: what was shown counts.
                    if let Some(before) = before {
                        self.clocks.remove(&(before.due, *item, *proof));
                    }
                    self.clocks.insert((*due, *item, *proof));
                }
            }
            Deed::ObjectionOverdue { item, proof } => {
                if let Some(objection) = self.objections.get(&(*item, *proof)) {
                    self.clocks.remove(&(objection.due, *item, *proof));
                }
            }
            Deed::ObjectionDismissed { item, proof, .. } => {
                if let Some(objection) = self.objections.get_mut(&(*item, *proof)) {
                    objection.open = false;
                    self.clocks.remove(&(objection.due, *item, *proof));
                }
                if !self.live.contains_key(item) {
                    self.objections.remove(&(*item, *proof));
                }
                self.forget_decided(*item);
            }
            Deed::ObjectionUpheld { item, proof, charge, .. } => {
                if let Some(objection) = self.objections.get(&(*item, *proof)) {
                    let wanted = self.values.entry(objection.value.clone());
                    wanted.history.faults = wanted.history.faults.saturating_add(1);
                }
                self.forget_objections(*item, |_| true);
                if let Some(ticket) = self.ticket_mut(item.ticket()) {
                    let reporter = ticket.reporter.clone();
                    self.reporters.entry(reporter).or_default().budget.charge(at, *charge);
                }
            }
            Deed::HarmReported { value, network, first } => {
                self.networks.add(*network, at);
                if let Some(value) = self.values.known(value) {
                    let harm = self.harm.entry(value);
                    let harm = harm.or_insert(Harm { since: at, networks: Vec::new() });
                    if *first {
                        *harm = Harm { since: at, networks: Vec::new() };
                    }
                    harm.networks.push(*network);
                }
            }
            Deed::HarmGrouped { value } => {
                self.harm.remove(value);
                if let Some(value) = self.values.known(value) {
                    self.keep_grouped(value, at);
                }
            }
            Deed::ControlSeen { control, probe, network } => {
                self.controls.retain(|_, seen| at.since(seen.at) <= MAX_MEASURED_MS);
                let (probe, network) = (probe.clone(), network.clone());
                let organisation = step.by.organisation.clone();
                self.controls.insert(control.clone(), Watch { at, probe, organisation, network });
            }
            Deed::ControlLost { control, .. } => {
                self.controls.remove(control);
            }
            Deed::ExceptionProposed { cover, until, .. } => {
                let exception = Exception {
                    person: step.by.person.clone(),
                    organisation: step.by.organisation.clone(),
                    until: *until,
                    approved: false,
                };
                self.exceptions.0.insert(cover.clone(), exception);
            }
            Deed::ExceptionApproved { cover } => {
                if let Some(exception) = self.exceptions.0.get_mut(cover) {
                    exception.approved = true;
                }
            }
            Deed::ExceptionRevoked { cover, .. } => {
                self.exceptions.0.remove(cover);
            }
            Deed::Stopped { scope, halt, why } => {
                let stop = Stop { halt: *halt, why: why.clone(), since: at, resume: None };
                self.stops.insert(scope.clone(), stop);
                return self.touched_by(scope);
            }
            Deed::ResumeAsked { scope, .. } => {
                if let Some(stop) = self.stops.get_mut(scope) {
                    stop.resume = Some((step.by.person.clone(), step.by.organisation.clone()));
                }
            }
            Deed::Resumed { scope, .. } => {
                self.stops.remove(scope);
                return self.touched_by(scope);
            }
        }
        Touched::Nothing
    }

    fn touched_by(&self, scope: &Scope) -> Touched {
        let tickets = match scope {
            Scope::All | Scope::Isp(_) => return Touched::Gate,
            Scope::Ticket(ticket) => vec![*ticket],
            Scope::Reporter(reporter) => {
                self.reporters.get(reporter).map(|known| known.tickets.clone()).unwrap_or_default()
            }
            Scope::Event(event) => {
                self.events.get(event).map(|known| known.tickets.clone()).unwrap_or_default()
            }
        };
        Touched::Tickets(tickets)
    }

    fn ticket_mut(&mut self, id: TicketId) -> Option<&mut Ticket> {
        self.tickets.get_mut(usize::try_from(id.0).ok()?)
    }

    /// Changes when tickets close, and with it what is due of their items.
    fn with_new_dues(&mut self, tickets: &[TicketId], change: impl FnOnce(&mut Self)) {
        let dues = |state: &Self| -> Vec<(Moment, ItemId)> {
            let items = tickets.iter().flat_map(|ticket| state.items_of(*ticket));
            items.filter_map(|(id, live)| Some((state.due_of(id, live)?, id))).collect()
        };
        for due in dues(self) {
            self.due.remove(&due);
        }
        change(self);
        let dues = dues(self);
        self.due.extend(dues);
    }

    fn submitted(&mut self, ticket: &step::Ticket, step: &Step) {
        // Tickets are numbered without a gap, and nobody takes another's place.
        if ticket.id.0 != self.tickets() || ticket.items.len() > MAX_ITEMS {
            return;
        }
        if let Some(announced) = ticket.event.as_ref().and_then(|event| self.events.get_mut(event))
        {
            announced.tickets.push(ticket.id);
        }
        self.reporters.entry(ticket.reporter.clone()).or_default().tickets.push(ticket.id);
        let mut kept = Ticket {
            order: ticket.order.clone(),
            event: ticket.event.clone(),
            reporter: ticket.reporter.clone(),
            person: step.by.person.clone(),
            at: step.at,
            audience: ticket.audience.clone(),
            until: ticket.until,
            ends: vec![None; ticket.items.len()].into(),
            stages: Default::default(),
        };
        kept.stages[Stage::Submitted as usize] = ticket.items.len() as u16;
        self.stages[Stage::Submitted as usize] += ticket.items.len() as u64;
        self.tickets.push(kept);
        for (place, asked) in (0_u16..).zip(&ticket.items) {
            let id = ItemId::new(ticket.id, place);
            let known = self.values.known(&asked.value);
            let value = known.unwrap_or_else(|| Value::new(asked.value.clone()));
            let written = asked.as_written.as_deref().map(Into::into);
            let live = Live { value: value.clone(), written, machine: Machine::default() };
            // Ids only grow, so that the list stays sorted.
            self.values.entry(value).live.push(id);
            self.due.extend(self.due_of(id, &live).map(|due| (due, id)));
            self.live.insert(id, live);
        }
    }

    fn turned(&mut self, id: ItemId, turn: &Turn, at: Moment) -> Touched {
        let Some(mut live) = self.live.remove(&id) else { return Touched::Nothing };
        let (due, held) = (self.due_of(id, &live), held_since(&live));
        let (before, in_force) = (live.machine.stage(), live.machine.in_force().is_some());
        let spell = Past::spell(&live.machine, at);
        live.machine = match take(&mut live.machine).turn(turn, at) {
            Ok(machine) => machine,
            Err(same) => {
                live.machine = *same;
                self.live.insert(id, live);
                return Touched::Nothing;
            }
        };
        if let Some(due) = due {
            self.due.remove(&(due, id));
        }
        if let Some(since) = held {
            self.held.remove(&(since, id));
        }
        self.due.extend(self.due_of(id, &live).map(|due| (due, id)));
        self.held.extend(held_since(&live).map(|since| (since, id)));
        self.counted(id, &live, before, turn, at);
        let touches = in_force || live.machine.in_force().is_some();
        let value = live.value.clone();
        match live.machine {
            Machine::Ended(ended) => {
                let past = spell.map(|(since, until)| Past { since, until, how: ended.how });
                self.ended(id, &value, (ended.how, past), turn);
                self.count_down(id);
            }
            _ => {
                self.live.insert(id, live);
            }
        }
        if touches { Touched::Value(value) } else { Touched::Nothing }
    }

    /// Keeps the counts: of stages, and of the reporter's releases and errors.
    fn counted(&mut self, id: ItemId, live: &Live, before: Stage, turn: &Turn, at: Moment) {
        let after = live.machine.stage();
        self.stages[before as usize] -= 1;
        self.stages[after as usize] += u64::from(after != Stage::Ended);
        let Some(ticket) = self.ticket_mut(id.ticket()) else { return };
        ticket.stages[before as usize] -= 1;
        ticket.stages[after as usize] += u16::from(after != Stage::Ended);
        let reporter = ticket.reporter.clone();
        let reporter = self.reporters.entry(reporter).or_default();
        match turn {
            Turn::Released { .. } => {
                reporter.budget.release(at);
                if let Some(wanted) = self.values.get_mut(&live.value) {
                    wanted.history.released = wanted.history.released.saturating_add(1);
                }
            }
            Turn::Lifted { cause, charge, .. } => {
                reporter.budget.charge(at, *charge);
                if cause.is_measured() {
                    self.measured.add(at);
                }
            }
            _ => {}
        }
    }

    /// Forgets what only a live item needs. How it ended stays with its ticket and its value.
    fn ended(&mut self, id: ItemId, value: &Value, (how, past): (End, Option<Past>), turn: &Turn) {
        if let Some(ticket) = self.ticket_mut(id.ticket())
            && let Some(end) = ticket.ends.get_mut(usize::from(id.place()))
        {
            *end = Some(how);
        }
        let fault = matches!(turn, Turn::Lifted { cause, .. } if Cause::is_error(*cause));
        self.forget_objections(id, |objection| fault || !objection.open);
        let Some(wanted) = self.values.get_mut(value) else { return };
        wanted.live.retain(|live| *live != id);
        if wanted.live.is_empty() {
            wanted.live = Vec::new();
            self.harm.remove(value);
        }
        let history = &mut wanted.history;
        history.faults = history.faults.saturating_add(u32::from(fault));
        history.ended[how as usize] = history.ended[how as usize].saturating_add(1);
        history.last = past.map(|past| past.after(history.last)).or(history.last);
    }
}

impl State {
    /// Of an item's decided objections the newest are remembered.
    fn forget_decided(&mut self, id: ItemId) {
        let decided = || self.objections(id).filter(|(_, objection)| !objection.open);
        if decided().count() > MAX_DECIDED {
            let oldest = decided().min_by_key(|(proof, objection)| (objection.at, **proof));
            if let Some(proof) = oldest.map(|(proof, _)| *proof) {
                self.objections.remove(&(id, proof));
            }
        }
    }

    fn forget_objections(&mut self, id: ItemId, which: impl Fn(&Objection) -> bool) {
        let known = self.objections(id).filter(|(_, objection)| which(objection));
        for (proof, due) in known.map(|(proof, one)| (*proof, one.due)).collect::<Vec<_>>() {
            self.objections.remove(&(id, proof));
            self.clocks.remove(&(due, id, proof));
        }
    }
}

fn held_since(live: &Live) -> Option<Moment> {
    match &live.machine {
        Machine::Held(held) => Some(held.since),
        _ => None,
    }
}

impl super::state::Networks {
    /// How much a network reported in the hour of a moment.
    pub(super) fn of(&self, network: u32, at: Moment) -> u64 {
        let counts = self.hour == hour(at);
        self.counts.get(&network).filter(|_| counts).copied().unwrap_or(0)
    }

    /// How many networks reported in the hour of a moment.
    pub(super) fn count(&self, at: Moment) -> usize {
        if self.hour == hour(at) { self.counts.len() } else { 0 }
    }

    fn add(&mut self, network: u32, at: Moment) {
        if self.hour != hour(at) {
            self.counts.clear();
            self.hour = hour(at);
        }
        *self.counts.entry(network).or_default() += 1;
    }
}

fn hour(at: Moment) -> i64 {
    at.0.div_euclid(HOUR_MS as i64)
}

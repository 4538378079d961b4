//! Orders, events, tickets.

use std::collections::BTreeMap;

use super::Ask;
use crate::item::Item;
use crate::order::command::{Event, Order, Submission};
use crate::order::ending::Basis;
use crate::order::refusal::Refusal;
use crate::order::state::{Announced, MAX_WANTING};
use crate::order::step::{Asked, Deed, LeftOut, NoItem, Ticket};
use crate::order::turn::{Cause, Charge, Denial, Turn};
use crate::order::words::{
    Audience, EventId, Grounds, MAX_ITEMS, Moment, OrderId, Organisation, Role, Scope, TicketId,
};

/// The most items that the end of an order lifts at a time.
pub const MAX_LIFTED: usize = 1_000;
/// The most rights of an order, works of a ticket, and ISPs of an audience.
const MAX_NAMED: usize = 1_000;
/// The most channels of an event.
pub const MAX_CHANNELS: usize = 100;

impl Ask<'_> {
    pub(super) fn give_order(&mut self, order: &Order) -> Result<(), Refusal> {
        self.needs(&[Role::Authority])?;
        if order.from >= order.until || order.until <= self.now {
            return Err(Refusal::BadSpan);
        }
        if order.rights.is_empty() || order.rights.len() > MAX_NAMED {
            return Err(Refusal::NoWork);
        }
        let order = Order { rights: sorted(&order.rights), ..order.clone() };
        match self.state.order(&order.id) {
            Some(known) if *known == order => {}
            Some(_) => return Err(Refusal::KnownOtherwise),
            None => self.push(Deed::OrderGiven(order)),
        }
        Ok(())
    }

    /// What rests on it is lifted; what waits is refused. Its reporter did no wrong by it.
    pub(super) fn end_order(&mut self, id: &OrderId, grounds: &Grounds) -> Result<(), Refusal> {
        self.needs(&[Role::Authority])?;
        let order = self.state.order(id).ok_or(Refusal::NoOrder)?;
        let basis = Basis::Order(id.clone());
        if order.until > self.now || self.leaves(&basis) {
            self.push(Deed::OrderEnded { order: id.clone(), grounds: grounds.clone() });
        }
        self.end_under(&basis, grounds)
    }

    /// The same of what rests on an event alone. Its reporter may: it may take back each of these items.
    pub(super) fn end_event(&mut self, id: &EventId, grounds: &Grounds) -> Result<(), Refusal> {
        let known = self.state.events.get(id).ok_or(Refusal::NoEvent)?;
        self.needs_holder(&known.event.order)?;
        // The authority's word closes it, though its reporter ended it before, for as long as it could be extended.
        let closes =
            self.actor.role == Role::Authority && !known.closed && self.is_extendable(&known.event);
        let basis = Basis::Event(id.clone());
        if known.event.until > self.now || closes || self.leaves(&basis) {
            self.push(Deed::EventEnded { event: id.clone(), grounds: grounds.clone() });
        }
        self.end_under(&basis, grounds)
    }

    /// True where more lives under it than is lifted at once, and nobody carries that on yet: it was over by its time.
    fn leaves(&self, basis: &Basis) -> bool {
        self.state.left_under(basis) == 0 && self.state.live_under(basis) > MAX_LIFTED as u64
    }

    /// The first that has something left; who asked for its end is asked nothing more.
    pub(super) fn carry_on(&mut self) -> Result<(), Refusal> {
        self.needs(&[Role::House])?;
        let Some((basis, ending)) = self.state.ending().next() else { return Ok(()) };
        self.end_under(basis, &ending.grounds)
    }

    /// Lifts what is in force under it and refuses what waits, [`MAX_LIFTED`] items a time.
    fn end_under(&mut self, basis: &Basis, grounds: &Grounds) -> Result<(), Refusal> {
        // A suspended item hits nobody, and is in force to whoever decides on it.
        let state = self.state;
        let tickets = state.tickets_under(basis);
        let items = tickets.flat_map(|ticket| state.items_of(ticket)).take(MAX_LIFTED);
        for (item, live) in items.collect::<Vec<_>>() {
            let grounds = Some(grounds.clone());
            let turn = if live.machine.in_force().is_some() {
                let (cause, charge, proof) = (Cause::Withdrawn, Charge::None, None);
                Turn::Lifted { cause, charge, grounds, proof }
            } else {
                Turn::Refused { denial: Denial::WindowOver, grounds }
            };
            self.turn(item, &live.machine, turn)?;
        }
        Ok(())
    }

    /// The authority, or the order's own reporter.
    fn needs_holder(&self, order: &OrderId) -> Result<&Order, Refusal> {
        self.needs(&[Role::Authority, Role::Reporter])?;
        let order = self.state.order(order).ok_or(Refusal::NoOrder)?;
        if self.actor.role == Role::Reporter && self.actor.organisation != order.reporter {
            return Err(Refusal::OrderNotYours);
        }
        Ok(order)
    }

    pub(super) fn announce(&mut self, event: &Event) -> Result<(), Refusal> {
        let order = self.needs_holder(&event.order)?;
        if event.from < order.from || event.until > order.until {
            return Err(Refusal::OrderNotNow);
        }
        let long = event.until.since(event.from);
        if long == 0 || long > self.policy.event_longest_ms || event.until <= self.now {
            return Err(Refusal::BadSpan);
        }
        if event.works.len() > MAX_NAMED || event.channels.len() > MAX_CHANNELS {
            return Err(Refusal::TooManyNames);
        }
        if let Some(work) =
            event.works.iter().find(|work| order.rights.binary_search(work).is_err())
        {
            return Err(Refusal::NotInOrder { work: work.to_string() });
        }
        let event = Event {
            works: sorted(&event.works),
            channels: sorted(&event.channels),
            ..event.clone()
        };
        match self.state.event(&event.id) {
            Some(known) if *known == event => {}
            Some(_) => return Err(Refusal::KnownOtherwise),
            None => self.push(Deed::Announced(event)),
        }
        Ok(())
    }

    pub(super) fn extend(&mut self, event: &EventId, until: Moment) -> Result<(), Refusal> {
        let Announced { event, closed, .. } =
            self.state.events.get(event).ok_or(Refusal::NoEvent)?;
        let order = self.needs_holder(&event.order)?;
        if *closed && self.actor.role != Role::Authority {
            return Err(Refusal::EventClosed);
        }
        if !self.is_extendable(event) {
            return Err(Refusal::EventOver);
        }
        if until <= event.until || until.since(event.from) > self.policy.event_longest_ms {
            return Err(Refusal::BadSpan);
        }
        if until > order.until {
            return Err(Refusal::OrderNotNow);
        }
        self.push(Deed::Extended { event: event.id.clone(), until });
        Ok(())
    }

    /// What was blocked is let go after its expiry: later there is nothing to extend.
    fn is_extendable(&self, event: &Event) -> bool {
        self.now < event.until.plus(self.policy.after_event_ms)
    }

    pub(super) fn submit(&mut self, asked: &Submission) -> Result<(), Refusal> {
        self.needs(&[Role::Reporter])?;
        let order = self.needs_holder(&asked.order)?;
        if self.now < order.from || self.now >= order.until {
            return Err(Refusal::OrderNotNow);
        }
        // A halt of everything stops releases; who is suspended does not even report.
        if self.state.stop(&Scope::Reporter(order.reporter.clone())).is_some() {
            return Err(Refusal::ReporterStopped);
        }
        let mut works = asked.works.clone();
        works.sort();
        works.dedup();
        if works.is_empty() || works.len() > MAX_NAMED {
            return Err(Refusal::NoWork);
        }
        if let Some(work) = works.iter().find(|work| order.rights.binary_search(work).is_err()) {
            return Err(Refusal::NotInOrder { work: work.to_string() });
        }
        let until = self.term_of(asked, order)?;
        let event = asked.event.as_ref().and_then(|event| self.state.event(event));
        if let Some(work) = event.and_then(|event| works.iter().find(|work| !event.is_of(work))) {
            return Err(Refusal::NotInEvent { work: work.to_string() });
        }
        if asked.items.len() > MAX_ITEMS {
            return Err(Refusal::TooManyItems { given: asked.items.len() });
        }
        let (items, left_out) = self.items(&asked.items);
        if items.is_empty() {
            return Err(Refusal::NoItems);
        }
        let ticket = Ticket {
            id: TicketId(self.state.tickets()),
            order: asked.order.clone(),
            event: asked.event.clone(),
            reporter: order.reporter.clone(),
            works: works.into(),
            items,
            left_out,
            audience: audience(&asked.audience)?,
            until,
            case: asked.case.as_deref().cloned(),
        };
        self.push(Deed::Submitted(Box::new(ticket)));
        Ok(())
    }

    /// Until when a ticket without an event lasts.
    fn term_of(&self, asked: &Submission, order: &Order) -> Result<Option<Moment>, Refusal> {
        let Some(event) = &asked.event else {
            let longest = self.now.plus(self.policy.site_longest_ms);
            let until = asked.until.unwrap_or(longest);
            if until <= self.now || until > longest {
                return Err(Refusal::BadSpan);
            }
            return Ok(Some(until.min(order.until)));
        };
        let event = self.state.event(event).filter(|event| event.order == order.id);
        let event = event.ok_or(Refusal::NoEvent)?;
        if event.until <= self.now {
            return Err(Refusal::EventOver);
        }
        // An event has one end for all that it blocks.
        if asked.until.is_some() { Err(Refusal::OfAnEvent) } else { Ok(None) }
    }

    /// Reads the lines. A bad one among many costs the others nothing: it is named and left out.
    fn items(&self, lines: &[String]) -> (Vec<Asked>, Vec<LeftOut>) {
        let (mut items, mut left_out) = (Vec::new(), Vec::new());
        let mut seen: BTreeMap<Item, u16> = BTreeMap::new();
        for (line, text) in (0_u16..).zip(lines) {
            match self.asked(text) {
                Ok(asked) => match seen.get(&asked.value) {
                    Some(of) => left_out.push(LeftOut { line, why: NoItem::Duplicate { of: *of } }),
                    None => {
                        seen.insert(asked.value.clone(), line);
                        items.push(asked);
                    }
                },
                Err(why) => left_out.push(LeftOut { line, why }),
            }
        }
        (items, left_out)
    }

    fn asked(&self, text: &str) -> Result<Asked, NoItem> {
        let value = Item::parse(text).map_err(NoItem::Bad)?;
        if self.state.exceptions().of(&value, None, self.now).is_some() {
            return Err(NoItem::Excepted);
        }
        let wanting = self.state.wanting(&value).len();
        if wanting >= MAX_WANTING {
            return Err(NoItem::WantedEnough);
        }
        let written = text.trim();
        let as_written = (written != value.to_string()).then(|| written.into());
        Ok(Asked { value, as_written })
    }

    pub(super) fn renew(&mut self, id: TicketId, until: Moment) -> Result<(), Refusal> {
        let ticket = self.state.ticket(id).ok_or(Refusal::NoTicket { ticket: id })?;
        if !self.is_reporter_of(ticket) {
            return Err(Refusal::NotYours);
        }
        let Some(before) = ticket.until else { return Err(Refusal::OfAnEvent) };
        let order = self.state.order(&ticket.order).ok_or(Refusal::NoOrder)?;
        if until > self.now.plus(self.policy.site_longest_ms) || until <= before {
            return Err(Refusal::BadSpan);
        }
        if until > order.until || before <= self.now {
            return Err(Refusal::OrderNotNow);
        }
        self.push(Deed::RenewalAsked { ticket: id, until });
        Ok(())
    }
}

/// Each name once, in their order, whatever its place in the list.
fn sorted<T: Ord + Clone>(names: &[T]) -> Box<[T]> {
    let mut names = names.to_vec();
    names.sort();
    names.dedup();
    names.into()
}

/// Each ISP once, whatever its place in the list.
fn audience(asked: &Audience) -> Result<Audience, Refusal> {
    let Audience::Only(isps) = asked else { return Ok(Audience::All) };
    let isps: Box<[Organisation]> = sorted(isps);
    if isps.is_empty() || isps.len() > MAX_NAMED {
        return Err(Refusal::BadAudience);
    }
    Ok(Audience::Only(isps))
}

//! Tickets: lists of them, and one with its items and records.

use shield::order::budget::{Count, Standing};
use shield::order::state::Stop;
use shield::order::turn::End;
use shield::order::words::{EventId, OrderId, Organisation, Person};
use shield::order::{Audience, ItemId, Moment, Scope, Stage, Ticket, TicketId, TicketStage};

use super::{House, ItemView, MAX_RECORDS, MAX_ROWS, MAX_SCAN, Page, Whose, sees};

/// A ticket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketView {
    /// Which.
    pub id: TicketId,
    /// The legal basis.
    pub order: OrderId,
    /// The event.
    pub event: Option<EventId>,
    /// For whom it was reported.
    pub reporter: Organisation,
    /// By whom.
    pub person: Person,
    /// When.
    pub at: Moment,
    /// By whom it is to be blocked.
    pub audience: Audience,
    /// How it stands.
    pub stage: TicketStage,
    /// How many items it has.
    pub items: usize,
    /// How many are at each stage, in the order of [`Stage::ALL`].
    pub stages: [u16; Stage::ALL.len()],
    /// True where a stop is on it, its event, its reporter or everything.
    pub halted: bool,
}

impl TicketView {
    fn of(house: &House, id: TicketId, ticket: &Ticket) -> Self {
        let mut stages = [0; Stage::ALL.len()];
        for (place, stage) in stages.iter_mut().zip(Stage::ALL) {
            *place = ticket.count(*stage);
        }
        Self {
            id,
            order: ticket.order.clone(),
            event: ticket.event.clone(),
            reporter: ticket.reporter.clone(),
            person: ticket.person.clone(),
            at: ticket.at,
            audience: ticket.audience.clone(),
            stage: ticket.stage(),
            items: ticket.len(),
            stages,
            halted: house.state().is_halted(id),
        }
    }
}

/// Which tickets.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// That stand so.
    pub stage: Option<TicketStage>,
    /// Of this reporter.
    pub reporter: Option<Organisation>,
    /// Of this event.
    pub event: Option<EventId>,
    /// Older than this one.
    pub after: Option<TicketId>,
}

/// Tickets, the newest first, at most so many.
pub fn tickets(house: &House, filter: &Filter, most: usize) -> Page<TicketView, TicketId> {
    let (state, most) = (house.state(), most.clamp(1, MAX_ROWS));
    let mut rows = Vec::new();
    let mut id = filter.after.map_or(state.tickets(), |after| after.0.min(state.tickets()));
    let mut passed = 0;
    while let Some(before) = id.checked_sub(1) {
        if rows.len() >= most || passed >= MAX_SCAN {
            return Page { rows, next: Some(TicketId(id)) };
        }
        (id, passed) = (before, passed + 1);
        let Some(ticket) = state.ticket(TicketId(id)) else { continue };
        let fits = filter.stage.is_none_or(|stage| ticket.stage() == stage)
            && sees(&filter.reporter, &ticket.reporter)
            && (filter.event.is_none() || filter.event == ticket.event);
        if fits {
            rows.push(TicketView::of(house, TicketId(id), ticket));
        }
    }
    Page { rows, next: None }
}

/// Tickets of which an item that lives wants a value, the newest first.
pub fn wanting(house: &House, value: &shield::Item, whose: &Whose) -> Vec<TicketView> {
    let state = house.state();
    let live = state.wanting(value).to_vec();
    let mut ids: Vec<TicketId> = live.iter().map(|item| item.ticket()).collect();
    ids.dedup();
    let views = ids.into_iter().rev().filter_map(|id| {
        let ticket = state.ticket(id).filter(|ticket| sees(whose, &ticket.reporter))?;
        Some(TicketView::of(house, id, ticket))
    });
    views.take(MAX_ROWS).collect()
}

/// An item of a ticket: as it lives, or how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TicketItem {
    /// It lives.
    Live(Box<ItemView>),
    /// It ended; its value stands in the ticket's first record.
    Ended(ItemId, Option<End>),
}

/// A ticket's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TicketPage {
    /// Now.
    pub now: Moment,
    /// The ticket.
    pub ticket: TicketView,
    /// Its items from a place on, at most [`MAX_ROWS`].
    pub items: Vec<TicketItem>,
    /// Its reporter's releases and errors over the days that count.
    pub count: Count,
    /// How the reporter stands by them.
    pub standing: Standing,
    /// The newest records about it, the oldest first, at most [`MAX_RECORDS`].
    pub records: Vec<u64>,
    /// True where there are older ones.
    pub older: bool,
    /// A stop on this very ticket.
    pub stop: Option<Stop>,
}

/// A ticket with its items from `first` on; `None`: there is none, or it is another reporter's.
pub fn ticket(
    house: &House,
    id: TicketId,
    whose: &Whose,
    first: u16,
    most: usize,
) -> Option<TicketPage> {
    let (state, now) = (house.state(), house.now());
    let found = state.ticket(id).filter(|ticket| sees(whose, &ticket.reporter))?;
    let last = u16::try_from(found.len()).unwrap_or(u16::MAX);
    let places = (first..last).take(most.clamp(1, MAX_ROWS));
    let item = |place| {
        let item = ItemId::new(id, place);
        let view = state.item(item).and_then(|live| ItemView::of(house, item, live));
        view.map_or_else(
            || TicketItem::Ended(item, found.end(place)),
            |view| TicketItem::Live(Box::new(view)),
        )
    };
    let (records, older) = house.trail().of(id, MAX_RECORDS);
    let (count, standing) = state.standing(&found.reporter, now, house.policy());
    Some(TicketPage {
        now,
        items: places.map(item).collect(),
        ticket: TicketView::of(house, id, found),
        count,
        standing,
        records,
        older,
        stop: state.stop(&Scope::Ticket(id)).cloned(),
    })
}

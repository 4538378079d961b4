//! Orders and events that were ended with more under them than is lifted at a time: the clearing house lifts the rest
//! by turns of its own.
//!
//! All of it follows from the steps: an end that leaves something makes an entry, which goes with its last item. So it
//! is the same after a start, whoever asked for the end.

use serde::{Deserialize, Serialize};

use super::state::State;
use super::words::{EventId, Grounds, ItemId, OrderId, TicketId};

/// What an item rests on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// An order.
    Order(OrderId),
    /// An event.
    Event(EventId),
}

/// An end that is carried on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    /// Why it ended.
    pub grounds: Grounds,
    /// How many items live under it yet.
    pub left: u64,
}

impl State {
    /// What ended and has items left under it.
    pub fn ending(&self) -> impl Iterator<Item = (&Basis, &Ending)> {
        self.ending.iter()
    }

    /// How many items live under what ended; 0 where it did not end, or left nothing.
    pub fn left_under(&self, basis: &Basis) -> u64 {
        self.ending.get(basis).map_or(0, |ending| ending.left)
    }

    /// The tickets that rest on it, in the order in which they were taken.
    pub(super) fn tickets_under<'s>(
        &'s self,
        basis: &'s Basis,
    ) -> impl Iterator<Item = TicketId> + 's {
        let (tickets, order) = match basis {
            Basis::Order(id) => {
                let reporter = self.orders.get(id).map(|order| &order.reporter);
                (reporter.map_or(&[][..], |reporter| self.tickets_of(reporter)), Some(id))
            }
            Basis::Event(id) => {
                (self.events.get(id).map_or(&[][..], |known| &known.tickets[..]), None)
            }
        };
        // What is closed is passed by: of a reporter's past most is.
        let of = move |ticket: &TicketId| {
            self.ticket(*ticket).is_some_and(|of| {
                of.stages.iter().any(|count| *count > 0)
                    && order.is_none_or(|order| of.order == *order)
            })
        };
        tickets.iter().copied().filter(of)
    }

    /// How many items live under it.
    pub(super) fn live_under(&self, basis: &Basis) -> u64 {
        let tickets = self.tickets_under(basis).filter_map(|ticket| self.ticket(ticket));
        tickets.map(|ticket| u64::from(ticket.stages.iter().sum::<u16>())).sum()
    }

    /// It ended: what lives under it is lifted by and by.
    pub(super) fn begin_ending(&mut self, basis: Basis, grounds: Grounds) {
        let left = self.live_under(&basis);
        if left > 0 {
            self.ending.insert(basis, Ending { grounds, left });
        }
    }

    /// An item is over: it is left of nothing any more.
    pub(super) fn count_down(&mut self, item: ItemId) {
        if self.ending.is_empty() {
            return;
        }
        let Some(ticket) = self.ticket(item.ticket()) else { return };
        let order = Basis::Order(ticket.order.clone());
        for basis in ticket.event.clone().map(Basis::Event).into_iter().chain([order]) {
            let Some(ending) = self.ending.get_mut(&basis) else { continue };
            ending.left -= 1;
            if ending.left == 0 {
                self.ending.remove(&basis);
            }
        }
    }
}

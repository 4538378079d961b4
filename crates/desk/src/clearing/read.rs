//! What pages show of the clearing house: plain structs, each made in one look of a bounded length, so that
//! the thread that has the house is never held up by who reads.
//!
//! Lists are the newest first and paged by key. A look passes over at most [`MAX_SCAN`] items or tickets;
//! where it ends before a page is full, the page says from where to go on.

mod blocked;
mod exceptions;
mod item;
mod live;
mod objections;
mod orders;
mod records;
mod stops;
mod ticket;

use shield::order::words::Organisation;

pub use blocked::{Blocked, blocked};
pub use exceptions::{ExceptionRow, ExceptionView, MAX_LIFTED, Said, exceptions, revoked, said};
pub use item::ItemView;
pub use live::{EventView, LiveView, Stages, live, under};
pub use objections::{ObjectionView, ReporterView, objections, reporters};
pub use orders::{OrderView, open_orders, orders};
pub(super) use records::decision;
pub use records::{Log, MAX_RECORDS, Recorded, Taken, evidence};
pub use stops::{StopView, stops};
pub use ticket::{Filter, TicketItem, TicketPage, TicketView, ticket, tickets, wanting};

use super::house::House;

/// The most items or tickets that one look passes over.
pub const MAX_SCAN: usize = 50_000;
/// The most rows of one page.
pub const MAX_ROWS: usize = 200;
/// The most events, stops, objections or reporters of one page.
pub const MAX_NAMED: usize = 200;

/// Whose tickets somebody sees: all, or one reporter's.
pub type Whose = Option<Organisation>;

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T, K> {
    /// The rows, the newest first.
    pub rows: Vec<T>,
    /// After which to go on; `None`: nothing older was left.
    pub next: Option<K>,
}

fn sees(whose: &Whose, reporter: &Organisation) -> bool {
    whose.as_ref().is_none_or(|of| of == reporter)
}

#[cfg(test)]
mod tests;

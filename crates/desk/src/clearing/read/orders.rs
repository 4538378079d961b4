//! Orders, each with what rests on it.

use std::collections::{BTreeMap, BTreeSet};

use shield::order::ending::Basis;
use shield::order::words::{OrderId, Organisation};
use shield::order::{Order, Stage};

use super::{House, MAX_NAMED, MAX_ROWS, MAX_SCAN, Page, Whose, sees};

/// An order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderView {
    /// The order: its number, its reporter, its rights, from when until when.
    pub order: Order,
    /// Events announced under it.
    pub events: u64,
    /// Tickets under it.
    pub tickets: u64,
    /// Items of these that have not ended.
    pub live: u64,
    /// Where it was ended: how many of them are left, which the house lifts by itself.
    pub left: u64,
    /// True where its reporter has more tickets than one look passes over: of the newest of them alone.
    pub cut: bool,
}

#[derive(Default)]
struct Under {
    tickets: u64,
    live: u64,
}

/// Orders by their number, from after one; at most `most`. A reporter sees its own.
pub fn orders(
    house: &House,
    whose: &Whose,
    after: Option<&OrderId>,
    most: usize,
) -> Page<OrderView, OrderId> {
    let state = house.state();
    let later = state.orders().filter(|order| after.is_none_or(|after| order.id > *after));
    let mut later = later.filter(|order| sees(whose, &order.reporter));
    let orders: Vec<&Order> = later.by_ref().take(most.clamp(1, MAX_ROWS)).collect();
    let next = later.next().and_then(|_| orders.last()).map(|order| order.id.clone());
    let mut events: BTreeMap<&OrderId, u64> = BTreeMap::new();
    for announced in state.events().take(MAX_SCAN) {
        *events.entry(&announced.event.order).or_default() += 1;
    }
    // Tickets are passed over once, a reporter's newest first, however many orders it has.
    let reporters: BTreeSet<&Organisation> = orders.iter().map(|order| &order.reporter).collect();
    let mut under: BTreeMap<&OrderId, Under> = BTreeMap::new();
    let mut cut: BTreeSet<&Organisation> = BTreeSet::new();
    let mut left = MAX_SCAN;
    for reporter in reporters {
        let ids = state.tickets_of(reporter);
        if ids.len() > left {
            cut.insert(reporter);
        }
        for ticket in ids.iter().rev().take(left).filter_map(|id| state.ticket(*id)) {
            let of = under.entry(&ticket.order).or_default();
            of.tickets += 1;
            let live = Stage::ALL.iter().filter(|stage| **stage != Stage::Ended);
            of.live += live.map(|stage| u64::from(ticket.count(*stage))).sum::<u64>();
        }
        left -= ids.len().min(left);
    }
    let view = |order: &Order| {
        let of = under.get(&order.id);
        OrderView {
            order: order.clone(),
            events: events.get(&order.id).copied().unwrap_or_default(),
            tickets: of.map_or(0, |of| of.tickets),
            live: of.map_or(0, |of| of.live),
            left: state.left_under(&Basis::Order(order.id.clone())),
            cut: cut.contains(&order.reporter),
        }
    };
    Page { rows: orders.into_iter().map(view).collect(), next }
}

/// Orders that hold or are to come, by their number; at most [`MAX_NAMED`]. A reporter sees its own.
pub fn open_orders(house: &House, whose: &Whose) -> Vec<Order> {
    let now = house.now();
    let open = house.state().orders().filter(|order| now < order.until);
    open.filter(|order| sees(whose, &order.reporter)).take(MAX_NAMED).cloned().collect()
}

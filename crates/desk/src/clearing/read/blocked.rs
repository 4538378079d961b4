//! What anybody may ask: is this blocked?

use shield::order::machine::Machine;
use shield::order::state::Past;
use shield::order::words::OrderId;
use shield::order::{Audience, Halt, Moment, Scope};

use super::House;

/// What anybody may know of a value: never who reported it, nor that it is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Blocked {
    /// It is in force.
    Yes {
        /// Since when.
        since: Moment,
        /// Until when, unless it is renewed.
        until: Moment,
        /// Under which orders, sorted, each once.
        orders: Vec<OrderId>,
        /// True where all of them are addressed to some ISPs alone.
        some: bool,
        /// True where a stop has taken it out meanwhile.
        stopped: bool,
    },
    /// It is out until a reviewer decided.
    Suspended,
    /// It is not. The last block of it that ended, if there ever was one.
    No(Option<Past>),
}

/// Whether a value is blocked.
pub fn blocked(house: &House, value: &shield::Item) -> Blocked {
    let state = house.state();
    let (mut since, mut until, mut orders) = (None, None, Vec::new());
    let (mut some, mut stopped, mut suspended) = (true, true, false);
    let everything = state.stop(&Scope::All).is_some_and(|stop| stop.halt == Halt::Lifts);
    for id in state.wanting(value) {
        let Some(live) = state.item(*id) else { continue };
        let Some(ticket) = state.ticket(id.ticket()) else { continue };
        match &live.machine {
            Machine::InForce(block) => {
                since = Some(since.map_or(block.since, |before: Moment| before.min(block.since)));
                until = until.max(Some(block.expires));
                orders.push(ticket.order.clone());
                some &= ticket.audience != Audience::All;
                stopped &= everything || state.is_lifted(id.ticket());
            }
            Machine::Suspended(_) => suspended = true,
            _ => {}
        }
    }
    orders.sort();
    orders.dedup();
    match since.zip(until) {
        Some((since, until)) => Blocked::Yes { since, until, orders, some, stopped },
        None if suspended => Blocked::Suspended,
        // What was refused was never blocked: that it was asked for is nobody's business, and changes nothing here.
        None => Blocked::No(state.history(value).and_then(|history| history.last)),
    }
}

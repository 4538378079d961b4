//! Stops that stand.

use shield::order::Scope;
use shield::order::state::Stop;

use super::{House, MAX_NAMED, MAX_SCAN, Page, Whose, sees};

/// A stop that stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopView {
    /// Of what.
    pub scope: Scope,
    /// How, why, since when, and who would resume.
    pub stop: Stop,
}

/// Stops that stand, by what they are on, from after one; at most [`MAX_NAMED`]. A reporter or an ISP is told of
/// what stops everything, and of those on what is its own: that another was stopped, and why, is none of its business.
pub fn stops(house: &House, whose: &Whose, after: Option<&Scope>) -> Page<StopView, Scope> {
    let state = house.state();
    let shown = |scope: &Scope| match scope {
        Scope::All => true,
        Scope::Isp(of) | Scope::Reporter(of) => sees(whose, of),
        Scope::Event(event) => {
            let order = state.event(event).and_then(|event| state.order(&event.order));
            order.map_or(whose.is_none(), |order| sees(whose, &order.reporter))
        }
        Scope::Ticket(id) => {
            state.ticket(*id).map_or(whose.is_none(), |ticket| sees(whose, &ticket.reporter))
        }
    };
    let later =
        state.stops().take(MAX_SCAN).filter(|(scope, _)| after.is_none_or(|of| *scope > of));
    let mut later = later.filter(|(scope, _)| shown(scope));
    let one =
        |(scope, stop): (&Scope, &Stop)| StopView { scope: scope.clone(), stop: stop.clone() };
    let rows: Vec<_> = later.by_ref().take(MAX_NAMED).map(one).collect();
    let next = later.next().and_then(|_| rows.last()).map(|row| row.scope.clone());
    Page { rows, next }
}

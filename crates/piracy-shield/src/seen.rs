//! A ticket as it stood when it was looked at: what routes answer from, without the house waiting.

use std::sync::Arc;

use desk::clearing::House;
use shield::feed::Gates;
use shield::item::Kind;
use shield::order::words::Organisation;
use shield::order::{Audience, ItemId, Moment, Stage, Ticket, TicketId, Value};

use crate::call::Times;

/// A live item of a ticket.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    /// Which.
    pub(crate) item: ItemId,
    /// What is to be blocked.
    pub(crate) value: Value,
    /// Where it stands.
    pub(crate) stage: Stage,
    /// Since when it is in force.
    pub(crate) since: Option<Moment>,
}

/// A ticket.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// Which.
    pub(crate) id: TicketId,
    /// The ticket.
    pub(crate) ticket: Ticket,
    /// Its live items.
    pub(crate) pieces: Vec<Piece>,
    /// When it was looked at.
    pub(crate) now: Moment,
    lifted: bool,
    gates: Arc<Gates>,
    times: Times,
}

/// Looks at a ticket.
pub(crate) fn seen(house: &House, id: TicketId, times: Times) -> Option<Seen> {
    seen_by(house, id, times, &Arc::new(Gates::of(house.state())))
}

/// The same, by gates that were made before: of a list they are made once.
pub(crate) fn seen_by(
    house: &House,
    id: TicketId,
    times: Times,
    gates: &Arc<Gates>,
) -> Option<Seen> {
    let state = house.state();
    let ticket = state.ticket(id)?.clone();
    let piece = |(item, live): (ItemId, &shield::order::state::Live)| Piece {
        item,
        value: live.value.clone(),
        stage: live.machine.stage(),
        since: live.machine.in_force().map(|in_force| in_force.since),
    };
    let pieces = state.items_of(id).map(piece).collect();
    let (lifted, gates) = (state.is_lifted(id), Arc::clone(gates));
    Some(Seen { id, ticket, pieces, now: house.now(), lifted, gates, times })
}

/// True where a ticket is addressed to an ISP.
pub(crate) fn addressed(audience: &Audience, isp: &Organisation) -> bool {
    match audience {
        Audience::All => true,
        Audience::Only(isps) => isps.contains(isp),
    }
}

/// Since when an item is what an ISP blocks, as [`Seen::out_for`] says of a ticket's; `None` where it is not.
pub(crate) fn out_since(
    house: &House,
    item: ItemId,
    isp: &Organisation,
    times: Times,
) -> Option<Moment> {
    let state = house.state();
    let live = state.item(item)?;
    let ticket = state.ticket(item.ticket())?;
    let out = live.machine.stage() == Stage::InForce
        && addressed(&ticket.audience, isp)
        && house.now() >= ticket.at.plus(times.revoke_ms)
        && !state.is_lifted(item.ticket());
    live.machine.in_force().filter(|_| out).map(|in_force| in_force.since)
}

impl Seen {
    /// True while its reporter may take it back, and ISPs do not see it here.
    pub(crate) fn is_revocable(&self) -> bool {
        self.now < self.ticket.at.plus(self.times.revoke_ms)
    }

    /// What of it an ISP blocks: in force, addressed to it, under no stop, and no longer to be taken back.
    pub(crate) fn out_for(&self, isp: &Organisation) -> impl Iterator<Item = &Piece> {
        let open = !self.lifted
            && !self.gates.shuts(isp)
            && !self.is_revocable()
            && addressed(&self.ticket.audience, isp);
        self.pieces.iter().filter(move |piece| open && piece.stage == Stage::InForce)
    }

    /// Its status, as the wire calls it: by its age, as there; a ticket all of whose items ended is closed.
    pub(crate) fn status(&self) -> &'static str {
        let ended = self.pieces.is_empty() || self.now >= self.ticket.at.plus(self.times.close_ms);
        match () {
            () if ended => "closed",
            () if self.is_revocable() => "created",
            () => "open",
        }
    }

    /// The values of its live items of a kind.
    pub(crate) fn values(&self, kind: Kind) -> impl Iterator<Item = String> {
        self.pieces
            .iter()
            .filter(move |piece| piece.value.kind() == kind)
            .map(|piece| piece.value.to_string())
    }
}

//! A ticket: what its items have in common. How it stands is how they do.

use super::machine::Stage;
use super::turn::End;
use super::words::{Audience, EventId, Moment, OrderId, Organisation, Person};

/// A ticket. Its items that live stand in the state; of those that ended, how they did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ticket {
    /// The legal basis.
    pub order: OrderId,
    /// The event.
    pub event: Option<EventId>,
    /// For whom it was reported.
    pub reporter: Organisation,
    /// Who reported it.
    pub person: Person,
    /// When.
    pub at: Moment,
    /// By whom it is to be blocked.
    pub audience: Audience,
    /// Without an event: until when.
    pub until: Option<Moment>,
    /// Of each item how it ended; `None` while it lives.
    pub(super) ends: Box<[Option<End>]>,
    /// Its live items by [`Stage`].
    pub(super) stages: [u16; Stage::ALL.len()],
}

/// How a ticket stands, which is how its items do: the first of these that some item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TicketStage {
    /// Something of it is blocked.
    InForce,
    /// Something of it is suspended.
    Suspended,
    /// Something of it waits for a second person.
    Held,
    /// Something of it waits for evidence, a check, its window, its notice.
    Pending,
    /// All of it ended.
    Closed,
}

impl TicketStage {
    /// As it stands in JSON and catalogues.
    pub fn word(self) -> &'static str {
        match self {
            Self::InForce => "in_force",
            Self::Suspended => "suspended",
            Self::Held => "held",
            Self::Pending => "pending",
            Self::Closed => "closed",
        }
    }
}

impl Ticket {
    /// How many items it has.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// True where it has none: never, of a ticket that was taken.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// How many of its items are at a stage.
    pub fn count(&self, stage: Stage) -> u16 {
        self.stages[stage as usize]
    }

    /// How an item of it ended.
    pub fn end(&self, place: u16) -> Option<End> {
        self.ends.get(usize::from(place)).copied().flatten()
    }

    /// How it stands.
    pub fn stage(&self) -> TicketStage {
        let pending = [Stage::Submitted, Stage::Captured, Stage::Checked];
        match () {
            () if self.count(Stage::InForce) > 0 => TicketStage::InForce,
            () if self.count(Stage::Suspended) > 0 => TicketStage::Suspended,
            () if self.count(Stage::Held) > 0 => TicketStage::Held,
            () if pending.iter().any(|stage| self.count(*stage) > 0) => TicketStage::Pending,
            () => TicketStage::Closed,
        }
    }
}

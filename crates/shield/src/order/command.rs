//! What somebody, or the clearing house's own clock, check and post, want done.

use model::{ExhibitId, Reference, Sha256Hex};
use serde::{Deserialize, Serialize};

use super::ending::Basis;
use super::exceptions::Cover;
use super::turn::{Capture, Outcome};
use super::words::{
    Audience, Channel, EventId, Grounds, Halt, ItemId, Moment, OrderId, Organisation, Right, Scope,
    TicketId,
};
use crate::item::Item;

/// A legal basis: bound to one reporter and to the rights it names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// Its number.
    pub id: OrderId,
    /// Who may report under it.
    pub reporter: Organisation,
    /// For which works or rights: sorted, each once.
    pub rights: Box<[Right]>,
    /// From when on.
    pub from: Moment,
    /// Until when.
    pub until: Moment,
}

/// An event of an order, with its window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its name.
    pub id: EventId,
    /// Under which order.
    pub order: OrderId,
    /// The window's begin: nothing is in force before.
    pub from: Moment,
    /// The window's end: nothing is released from then on.
    pub until: Moment,
    /// Which of the order's rights it is of, sorted, each once; none: all of them.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub works: Box<[Right]>,
    /// On which channels it is shown, sorted, each once: what a monitor looks for.
    #[serde(default, skip_serializing_if = "<[_]>::is_empty")]
    pub channels: Box<[Channel]>,
}

impl Event {
    /// An event of all of its order's rights, of which no channel is named.
    pub fn new(id: EventId, order: OrderId, from: Moment, until: Moment) -> Self {
        Self { id, order, from, until, works: Box::default(), channels: Box::default() }
    }

    /// True where the event is of a work: of each of its order's where it names none.
    pub fn is_of(&self, work: &Right) -> bool {
        self.works.is_empty() || self.works.binary_search(work).is_ok()
    }
}

/// A ticket as it is reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Submission {
    /// The legal basis.
    pub order: OrderId,
    /// The event; `None` where the order blocks sites whatever is on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// Which works, all of them the order's.
    pub works: Vec<Right>,
    /// What is to be blocked, as it was written: a name, an address, an address with a port, or a
    /// URL, of which the name alone is blocked.
    pub items: Vec<String>,
    /// By whom; all of them where it is not said.
    #[serde(default)]
    pub audience: Audience,
    /// Without an event: until when, if not for the longest time there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// The record of a case that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Box<Reference>>,
}

/// A command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "command", rename_all = "snake_case", deny_unknown_fields)]
pub enum Command {
    /// A legal basis is registered.
    GiveOrder(Order),
    /// A legal basis is at its end before its time: nothing more rests on it, and what does is lifted, up to
    /// [`super::MAX_LIFTED`] items at once and the rest by [`Self::CarryOn`]; or ask again until no step comes back.
    EndOrder {
        /// The order.
        order: OrderId,
        /// Why.
        grounds: Grounds,
    },
    /// An event is announced.
    Announce(Event),
    /// An event's window is extended: overtime.
    Extend {
        /// The event.
        event: EventId,
        /// The window's new end.
        until: Moment,
    },
    /// An event is over before its time, or does not take place: nothing more rests on it, and what does is
    /// lifted, as with an order's end.
    EndEvent {
        /// The event.
        event: EventId,
        /// Why.
        grounds: Grounds,
    },
    /// A ticket is reported.
    Submit(Submission),
    /// A ticket without an event is to stay longer: each of its items upon its next good capture.
    Renew {
        /// The ticket.
        ticket: TicketId,
        /// Until when.
        until: Moment,
    },
    /// A probe captured an item.
    Capture {
        /// The item.
        item: ItemId,
        /// The capture.
        capture: Capture,
    },
    /// The reporter uploads a file for an item.
    Upload {
        /// The item.
        item: ItemId,
        /// The file's bytes.
        exhibit: ExhibitId,
    },
    /// The check ran on an item.
    Check {
        /// The item.
        item: ItemId,
        /// What it found.
        outcome: Outcome,
    },
    /// A second person agrees to a held item.
    Approve {
        /// The item.
        item: ItemId,
        /// The capture they looked at.
        exhibit: ExhibitId,
        /// Why; for an address, with grounds given, it does not wait for its host.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        grounds: Option<Grounds>,
    },
    /// A reviewer refuses an item that is not in force, or its reporter takes it back.
    Refuse {
        /// The item.
        item: ItemId,
        /// Why.
        grounds: Grounds,
    },
    /// The notice that was asked for went out.
    NoticeSent {
        /// The item.
        item: ItemId,
    },
    /// The host answered.
    HostAnswered {
        /// The item.
        item: ItemId,
        /// True where it says that it acts by itself: the item is captured again to see.
        acts: bool,
    },
    /// An item in force is lifted.
    Lift {
        /// The item.
        item: ItemId,
        /// `None`: an error, or done with, this item alone. `Some`: it hit others, and all on the
        /// value end; true where who was hit is popular, protected or a CDN.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        collateral: Option<bool>,
        /// Why.
        grounds: Grounds,
    },
    /// Somebody who is hit objects.
    Object {
        /// The value: each item in force on it is objected to.
        value: Item,
        /// What they show.
        proof: Sha256Hex,
    },
    /// A reviewer decides an objection.
    Decide {
        /// The item.
        item: ItemId,
        /// The objection's proof.
        proof: Sha256Hex,
        /// What is decided.
        upheld: Upheld,
        /// Why.
        grounds: Grounds,
    },
    /// A reviewer puts a suspended item back into force.
    Reinstate {
        /// The item.
        item: ItemId,
        /// Why.
        grounds: Grounds,
    },
    /// Somebody reports that a block hits others.
    ReportHarm {
        /// The value.
        value: Item,
        /// The reporter's network, as its autonomous system's number.
        network: u32,
    },
    /// A probe sees a control fail: an innocent value that has to stay reachable.
    ControlFailed {
        /// The control.
        control: Item,
        /// What in force explains it, if anything does.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        explained_by: Option<Item>,
        /// Whose resolver the probe asks, by what its operator set; `None`: it is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<Organisation>,
    },
    /// Somebody proposes an exception.
    ProposeException {
        /// What it covers.
        cover: Cover,
        /// Until when; `None`: for good.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Moment>,
        /// Why.
        grounds: Grounds,
    },
    /// A second person approves it: what it covers is lifted, and not blocked again.
    ApproveException {
        /// What it covers.
        cover: Cover,
    },
    /// An exception holds no longer, or its proposer takes it back before it does.
    RevokeException {
        /// What it covers.
        cover: Cover,
        /// Why.
        grounds: Grounds,
    },
    /// All halts, or is lifted.
    Stop {
        /// What.
        scope: Scope,
        /// How.
        halt: Halt,
        /// Why.
        grounds: Grounds,
    },
    /// A person says that it may go on; the second one's word resumes.
    Resume {
        /// What.
        scope: Scope,
        /// Why.
        grounds: Grounds,
    },
    /// Time went on: what is due happens. Up to [`super::MAX_DUE`] items a time; where so many steps
    /// came back that more may be due, ask again.
    Tick,
    /// What an end left is lifted on, up to [`super::MAX_LIFTED`] items a time, for its reason. No step comes back
    /// where no end left anything.
    CarryOn,
}

impl Command {
    /// What it ends, with all that rests on it.
    pub fn ends(&self) -> Option<Basis> {
        match self {
            Self::EndOrder { order, .. } => Some(Basis::Order(order.clone())),
            Self::EndEvent { event, .. } => Some(Basis::Event(event.clone())),
            _ => None,
        }
    }
}

/// How an objection is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Upheld {
    /// It is not.
    No,
    /// It is: this item ends.
    Item,
    /// It is, since the block hits others: all on the value end.
    Collateral,
}

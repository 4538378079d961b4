//! What was decided: the facts that are recorded, and of which alone the state is made.

use model::{Reference, Sha256Hex};
use serde::{Deserialize, Serialize};

use super::command::{Event, Order};
use super::exceptions::Cover;
use super::turn::{Charge, Turn};
use super::words::{
    Actor, Audience, EventId, Grounds, Halt, ItemId, Moment, OrderId, Organisation, Probe, Right,
    Scope, TicketId,
};
use crate::item::{Bad, Item};

/// A step: what happened, when, by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When it was decided.
    pub at: Moment,
    /// Upon whose command.
    pub by: Actor,
    /// What.
    pub deed: Deed,
}

/// A ticket as it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticket {
    /// Which.
    pub id: TicketId,
    /// The legal basis.
    pub order: OrderId,
    /// The event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<EventId>,
    /// For whom it was reported: the order's reporter.
    pub reporter: Organisation,
    /// Which works.
    pub works: Box<[Right]>,
    /// What is to be blocked, in the order of the report, each value once.
    pub items: Vec<Asked>,
    /// What was left out.
    pub left_out: Vec<LeftOut>,
    /// By whom it is to be blocked.
    pub audience: Audience,
    /// Without an event: until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Moment>,
    /// The record of a case that led to it, as whoever reported it says. It stays in the record: nothing is decided by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Reference>,
}

/// An item as it was taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// The value.
    pub value: Item,
    /// What was written, where it is not the value itself: a URL, capitals, Unicode.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_written: Option<Box<str>>,
}

/// A line of a report that is no item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LeftOut {
    /// Which line, from 0.
    pub line: u16,
    /// Why.
    pub why: NoItem,
}

/// Why a line is no item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum NoItem {
    /// It cannot be read.
    Bad(Bad),
    /// The same value stands in an earlier line.
    Duplicate {
        /// Which, from 0.
        of: u16,
    },
    /// An approved exception covers it.
    Excepted,
    /// [`super::MAX_WANTING`] live items want the value already.
    WantedEnough,
}

impl NoItem {
    /// As it stands in records and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Bad(bad) => bad.word(),
            Self::Duplicate { .. } => "duplicate",
            Self::Excepted => "excepted",
            Self::WantedEnough => "wanted_enough",
        }
    }
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "deed", rename_all = "snake_case", deny_unknown_fields)]
pub enum Deed {
    /// A legal basis was given.
    OrderGiven(Order),
    /// A legal basis ended before its time.
    OrderEnded {
        /// Its number.
        order: OrderId,
        /// Why.
        grounds: Grounds,
    },
    /// An event was announced.
    Announced(Event),
    /// Its window was extended.
    Extended {
        /// The event.
        event: EventId,
        /// Its new end.
        until: Moment,
    },
    /// It ended before its time.
    EventEnded {
        /// The event.
        event: EventId,
        /// Why.
        grounds: Grounds,
    },
    /// A ticket was taken.
    Submitted(Box<Ticket>),
    /// A ticket may stay longer.
    RenewalAsked {
        /// The ticket.
        ticket: TicketId,
        /// Until when.
        until: Moment,
    },
    /// Something happened to an item.
    Turned {
        /// The item.
        item: ItemId,
        /// What.
        turn: Turn,
    },
    /// An objection was taken: check and probe run again at once, and a reviewer's clock runs.
    Objected {
        /// The item.
        item: ItemId,
        /// What was shown.
        proof: Sha256Hex,
        /// Until when a reviewer decides.
        due: Moment,
    },
    /// Nobody decided it in time: an alarm.
    ObjectionOverdue {
        /// The item.
        item: ItemId,
        /// What was shown.
        proof: Sha256Hex,
    },
    /// An objection was upheld after its item had ended: the reporter's error all the same. (While the
    /// item lives, one that is upheld is a lift, with its proof.)
    ObjectionUpheld {
        /// The item.
        item: ItemId,
        /// What was shown.
        proof: Sha256Hex,
        /// What it costs the reporter.
        charge: Charge,
        /// Why.
        grounds: Grounds,
    },
    /// An objection was turned down.
    ObjectionDismissed {
        /// The item.
        item: ItemId,
        /// What was shown.
        proof: Sha256Hex,
        /// Why.
        grounds: Grounds,
    },
    /// Harm was reported from a network that had not reported it yet.
    HarmReported {
        /// The value.
        value: Item,
        /// The network.
        network: u32,
        /// True where it is the first of a new group: what came before is too old to count.
        first: bool,
    },
    /// Enough networks did: check and probe run again at once.
    HarmGrouped {
        /// The value.
        value: Item,
    },
    /// A probe saw a control fail.
    ControlSeen {
        /// The control.
        control: Item,
        /// The probe.
        probe: Probe,
        /// Whose resolver it asks; absent where that is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        network: Option<Organisation>,
    },
    /// A second one did too, of another organisation or in another network. What explains it is lifted in the steps that follow.
    ControlLost {
        /// The control.
        control: Item,
        /// What explains it; `None`: nothing that is in force, and a person has to look.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        explained_by: Option<Item>,
    },
    /// An exception was proposed.
    ExceptionProposed {
        /// What it covers.
        cover: Cover,
        /// Until when.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Moment>,
        /// Why.
        grounds: Grounds,
    },
    /// It was approved.
    ExceptionApproved {
        /// What it covers.
        cover: Cover,
    },
    /// It holds no longer, or was taken back.
    ExceptionRevoked {
        /// What it covered.
        cover: Cover,
        /// Why.
        grounds: Grounds,
    },
    /// A stop.
    Stopped {
        /// Of what.
        scope: Scope,
        /// How.
        halt: Halt,
        /// Why.
        why: StopCause,
    },
    /// The first of two persons says that it may go on.
    ResumeAsked {
        /// Of what.
        scope: Scope,
        /// Why.
        grounds: Grounds,
    },
    /// The second one does.
    Resumed {
        /// Of what.
        scope: Scope,
        /// Why.
        grounds: Grounds,
    },
}

/// Why a stop.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum StopCause {
    /// A person says so.
    Person(Grounds),
    /// Measurement would lift too much at once: an alarm.
    Measured,
    /// The reporter's errors are far above the budget: suspended.
    Budget,
}

impl StopCause {
    /// As it stands in records and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Measured => "measured",
            Self::Budget => "budget",
        }
    }
}

impl Deed {
    /// Every word but those of turns.
    pub const WORDS: &[&str] = &[
        "order_given",
        "order_ended",
        "announced",
        "extended",
        "event_ended",
        "submitted",
        "renewal_asked",
        "objected",
        "objection_overdue",
        "objection_upheld",
        "objection_dismissed",
        "harm_reported",
        "harm_grouped",
        "control_seen",
        "control_lost",
        "exception_proposed",
        "exception_approved",
        "exception_revoked",
        "stopped",
        "resume_asked",
        "resumed",
    ];

    /// The ticket that it is about, where it is about one.
    pub fn ticket(&self) -> Option<TicketId> {
        match self {
            Self::Submitted(ticket) => Some(ticket.id),
            Self::RenewalAsked { ticket, .. } => Some(*ticket),
            Self::Turned { item, .. }
            | Self::Objected { item, .. }
            | Self::ObjectionOverdue { item, .. }
            | Self::ObjectionUpheld { item, .. }
            | Self::ObjectionDismissed { item, .. } => Some(item.ticket()),
            Self::Stopped { scope: Scope::Ticket(ticket), .. }
            | Self::ResumeAsked { scope: Scope::Ticket(ticket), .. }
            | Self::Resumed { scope: Scope::Ticket(ticket), .. } => Some(*ticket),
            _ => None,
        }
    }

    /// As it stands in records and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::OrderGiven(_) => "order_given",
            Self::OrderEnded { .. } => "order_ended",
            Self::Announced(_) => "announced",
            Self::Extended { .. } => "extended",
            Self::EventEnded { .. } => "event_ended",
            Self::Submitted(_) => "submitted",
            Self::RenewalAsked { .. } => "renewal_asked",
            Self::Turned { turn, .. } => turn.word(),
            Self::Objected { .. } => "objected",
            Self::ObjectionOverdue { .. } => "objection_overdue",
            Self::ObjectionUpheld { .. } => "objection_upheld",
            Self::ObjectionDismissed { .. } => "objection_dismissed",
            Self::HarmReported { .. } => "harm_reported",
            Self::HarmGrouped { .. } => "harm_grouped",
            Self::ControlSeen { .. } => "control_seen",
            Self::ControlLost { .. } => "control_lost",
            Self::ExceptionProposed { .. } => "exception_proposed",
            Self::ExceptionApproved { .. } => "exception_approved",
            Self::ExceptionRevoked { .. } => "exception_revoked",
            Self::Stopped { .. } => "stopped",
            Self::ResumeAsked { .. } => "resume_asked",
            Self::Resumed { .. } => "resumed",
        }
    }

    /// True where a person has to be told at once.
    pub fn alarms(&self) -> bool {
        matches!(
            self,
            Self::ObjectionOverdue { .. }
                | Self::ControlLost { .. }
                | Self::Stopped { why: StopCause::Measured | StopCause::Budget, .. }
        )
    }
}

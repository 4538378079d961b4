//! Why a command is refused: by name, with what to do instead.

use super::machine::Stage;
use super::words::{ItemId, MAX_ITEMS, TicketId};

macro_rules! refusals {
    ($( $(#[doc = $about:literal])+ $name:ident $({ $($field:ident : $type:ty),* })? $word:literal $text:literal, )*) => {
        /// Why a command is refused. Nothing was changed.
        #[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
        pub enum Refusal { $(
            $(#[doc = $about])+
            #[error($text)]
            #[allow(missing_docs)] // The fields say what the text does.
            $name $({ $($field: $type),* })?,
        )* }

        impl Refusal {
            /// The refusal's name, for JSON and catalogues.
            pub fn word(&self) -> &'static str {
                match self { $( Self::$name $({ $($field: _),* })? => $word, )* }
            }

            /// Every name.
            pub const WORDS: &[&'static str] = &[$( $word, )*];
        }
    };
}

refusals! {
    /// The office may not.
    NotYourOffice "not_your_office" "this office may not do that; ask a reviewer of the authority",
    /// It is another reporter's.
    NotYours "not_yours" "that is another reporter's; a reviewer can decide on it",
    /// The second person is no second person.
    NotASecondPerson "not_a_second_person"
        "a second person has to agree: another one than the first, of another organisation",
    /// No such order.
    NoOrder "no_order" "no such order; the authority registers it first",
    /// The order is another's.
    OrderNotYours "order_not_yours" "the order is bound to another reporter; report under your own",
    /// The order does not hold now.
    OrderNotNow "order_not_now" "the order does not hold at this time",
    /// A work the order does not name.
    NotInOrder { work: String } "not_in_order"
        "the order does not name {work:?}; report under the one that does",
    /// No work was named.
    NoWork "no_work" "name the works that are shown",
    /// The order or event is known already, with other contents.
    KnownOtherwise "known_otherwise" "that name is taken by another; give it a name of its own",
    /// More works or channels than an event names.
    TooManyNames "too_many_names" "an event names 1,000 works and 100 channels at most",
    /// No such event.
    NoEvent "no_event" "no such event under this order; announce it first",
    /// The event is over.
    EventOver "event_over" "the event's window has ended",
    /// The authority ended the event.
    EventClosed "event_closed" "the authority ended the event; it alone can carry it on",
    /// A work the event does not name.
    NotInEvent { work: String } "not_in_event"
        "the event does not name {work:?}; report it under the event that does, or under the order alone",
    /// A span of time that makes no sense, or is longer than the policy lets it be.
    BadSpan "bad_span" "the time ends before it begins, is over already, or is too long",
    /// No items.
    NoItems "no_items" "the ticket has no item that can be blocked; see each line's reason",
    /// More than may stand in a ticket.
    TooManyItems { given: usize } "too_many_items"
        "{given} items, where a ticket has {MAX_ITEMS} at most; report the rest in another ticket",
    /// A list of ISPs that is empty or too long.
    BadAudience "bad_audience" "name the ISPs, or leave the list out to address all of them",
    /// No such ticket.
    NoTicket { ticket: TicketId } "no_ticket" "there is no ticket {ticket}",
    /// No such item.
    NoItem { item: ItemId } "no_item" "there is no item {item}",
    /// The item is over.
    Ended { item: ItemId } "ended" "item {item} has ended; report the value again to block it again",
    /// The item's state does not lead there.
    NotNow { stage: &'static str, turn: &'static str } "not_now"
        "an item that is {stage} cannot be {turn}",
    /// The ticket belongs to an event.
    OfAnEvent "of_an_event" "the ticket is an event's; extend the event instead",
    /// The capture is of something else.
    OtherValue "other_value"
        "the capture is of another value; nothing is guilty by what leads to it: capture the item itself",
    /// The capture is too old.
    StaleCapture "stale_capture" "the capture is too old to be evidence; capture the item again",
    /// The capture is from the future.
    FutureCapture "future_capture" "the capture is from the future; set the probe's clock",
    /// There is no verified capture.
    NoEvidence "no_evidence"
        "no probe of ours has captured the item, or its check is not done; an upload is no evidence",
    /// The second person looked at another capture.
    OtherEvidence "other_evidence" "the item rests on another capture by now; look at that one",
    /// An address whose host answered needs grounds.
    GroundsNeeded "grounds_needed"
        "the host answered, so that no silence can come: give grounds to block the address all the same",
    /// An open objection stands in the way.
    DecideFirst "decide_first" "objections to this item are open; decide them",
    /// Nothing in force on the value.
    NotInForce "not_in_force" "nothing that is in force blocks this value",
    /// The same objection runs, or was decided.
    SameObjection "same_objection"
        "this objection with this proof was taken already; one with another proof is a new one",
    /// Too many objections on one item.
    TooManyObjections "too_many_objections"
        "as many objections to this item are open as may be; tell the reviewers, who decide on the open ones",
    /// No such open objection.
    NoObjection "no_objection" "there is no such open objection",
    /// A network reports too much.
    TooManyReports "too_many_reports"
        "this network has reported as much as is taken in an hour; an owner can object instead",
    /// The exception stands.
    KnownException "known_exception" "the exception is proposed or approved already",
    /// No such proposed exception.
    NoException "no_exception" "nobody has proposed this exception",
    /// More exceptions than are kept.
    TooManyExceptions "too_many_exceptions" "more exceptions than are kept; give a set to the check",
    /// The exception covers too much.
    TooWide "too_wide" "the exception covers too much; name the name or the network",
    /// The same stop stands.
    KnownStop "known_stop" "that is stopped already",
    /// No such stop.
    NoStop "no_stop" "that is not stopped",
    /// More stops than are kept.
    TooManyStops "too_many_stops" "more stops stand than are kept; stop everything, or resume some",
    /// An ISP's stop that does not lift.
    IspOnlyLifts "isp_only_lifts"
        "what one ISP gets can be lifted, not halted: releases are not made for one ISP; lift it",
    /// The clearing house's standby is gone.
    StandbyGone "standby_gone"
        "the clearing house's standby is gone: nothing is added before it is back, or an operator lets the \
         house go on alone",
    /// The reporter is stopped.
    ReporterStopped "reporter_stopped" "the reporter is suspended; two persons can resume",
}

impl Refusal {
    /// A turn that a state does not have.
    pub(super) fn not_now(stage: Stage, turn: &'static str) -> Self {
        Self::NotNow { stage: stage.word(), turn }
    }
}

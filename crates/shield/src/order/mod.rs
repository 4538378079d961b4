//! Orders, events, tickets, items: from a report to a block, and to its end.
//!
//! [`decide`] is pure: a [`State`], a [`Policy`], a [`Command`], who acts and when make [`Step`]s, or a
//! [`Refusal`]. [`State::apply`] cannot fail. Steps are what is recorded; replayed, they make the same
//! state again. `docs/shield-machine.md` says who may do what, and when what happens.
//!
//! - [`machine`]: the life of one item, with its diagram.
//! - [`turn`]: what can happen to an item.
//! - [`command`], [`step`], [`refusal`]: what is asked, what was decided, why not.
//! - [`state`]: what is known, with its indices and bounds.
//! - [`ending`]: what an end leaves, which is lifted by and by.
//! - [`ticket`]: a ticket, whose state is that of its items.
//! - [`budget`], [`exceptions`], [`policy`]: errors of reporters, what is never blocked, the figures.
//! - [`written`]: steps as the log keeps them.
//! - [`values`]: every value that was reported, most of them in one run of bytes.
//! - [`kept`]: the state as bytes, so that not all that was ever decided is applied again at each start.
//! - [`schedule`]: what a probe has to capture next: a view, made again from the state at any time.
//!
//! Invariants. Nothing is deleted: there is no command for it. Nothing goes into force but in one
//! place (`decide::evidence`, `release`), from a state that has a probe's capture of this very value
//! and a check. Nobody's word alone blocks an address. Every end is a step.

mod apply;
pub mod budget;
pub mod command;
mod decide;
pub mod ending;
pub mod exceptions;
pub mod kept;
pub mod machine;
mod measured;
pub mod policy;
pub mod refusal;
pub mod schedule;
pub mod state;
pub mod step;
pub mod ticket;
pub mod turn;
pub mod values;
pub mod words;
pub mod written;

pub use apply::Touched;
pub use command::{Command, Event, Order, Submission};
pub use decide::{MAX_CHANNELS, MAX_DUE, MAX_LIFTED, decide};
pub use machine::{Machine, Stage};
pub use policy::Policy;
pub use refusal::Refusal;
pub use state::{MAX_BY_WORD, MAX_DECIDED, MAX_OBJECTIONS, MAX_WANTING, State, Value};
pub use step::{Deed, Step};
pub use ticket::{Ticket, TicketStage};
pub use turn::{Capture, Outcome, Seen, Turn};
pub use words::{Actor, Audience, Halt, ItemId, Moment, Role, Scope, TicketId};
pub use written::{Decision, Unread};

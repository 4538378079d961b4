//! The feed: what is out, for whom, and how who follows it catches up.
//!
//! - [`Entry`], [`Row`]: a value stands in the feed once, however many items want it. [`row`] makes it
//!   of the items: while any of them is in force the value is out, until the last of them expires.
//! - [`Snapshot`]: all that is out at a serial. It never changes; the next one shares with it all but
//!   what differs.
//! - [`Delta`]: what differs between two serials. Deltas merged in steps are the delta made directly.
//! - [`History`]: the snapshot, the last deltas, the session, the epoch. Who shows where it stands gets
//!   nothing, a delta, or all: [`Answer`].
//! - [`Whose`], [`View`], [`Delta::part`]: everybody's part of them, or one ISP's.
//!
//! - [`Feed`]: follows the state. What begins waits until it is covered ([`Cover`]): as many witnesses as the
//!   policy asks for have cosigned a checkpoint over its record.
//!
//! Invariants: an ISP that follows deltas and one that starts anew hold the same. What ends never waits, for
//! anybody.

mod delta;
mod follow;
mod history;
mod place;
mod row;
mod snapshot;
mod whose;

pub use delta::{Change, Delta, Own};
pub use follow::{Cover, Covers, Feed};
pub use history::{Answer, Bounds, History, Place, Shown};
pub use row::{Entry, Row, row};
pub use snapshot::{Gates, Snapshot, View};
pub use whose::{ALL, MAX_VIEW, Whose};

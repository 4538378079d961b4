//! The feed: what is out, for whom, and how who follows it catches up.
//!
//! - [`Entry`], [`Row`]: a value stands in the feed once, however many items want it. [`row`] makes it
//!   of the items: while any of them is in force the value is out, until the last of them expires.
//! - [`Snapshot`]: all that is out at a serial. It never changes; the next one shares with it all but
//!   what differs.
//! - [`Delta`]: what differs between two serials. Deltas merged in steps are the delta made directly.
//! - [`History`]: the snapshot, the last deltas, the session, the epoch. Who shows where it stands gets
//!   nothing, a delta, or all: [`Answer`].
//! - [`View`], [`Delta::of`]: an ISP's part of them.
//!
//! Invariant: an ISP that follows deltas and one that starts anew hold the same.

mod delta;
mod follow;
mod history;
mod place;
mod row;
mod snapshot;

pub use delta::{Change, Delta, Own};
pub use follow::Feed;
pub use history::{Answer, Bounds, History, Place, Shown};
pub use row::{Entry, Row, row};
pub use snapshot::{Gates, Snapshot, View};

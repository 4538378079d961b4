//! The feed as it goes over the wire: a manifest, signed and renewed with each heartbeat, and the files that
//! it names. Files never change and hold their own proofs, so any cache may carry them; who follows believes
//! signatures and hashes, and nobody who hands them on.
//!
//! - [`Manifest`]: where the feed is, when the next one is to come, which files there are.
//! - [`file`]: a file is a snapshot or a delta: lines of canonical JSON. Each block stands under the root of
//!   a record, each record in the log, under a checkpoint that the file holds, cosigned by as many witnesses
//!   as its reader asks for.
//! - [`Reader`]: reads a file line by line, and gives nothing that is not proven.
//! - [`opened`]: what is told of a ticket once its event is over, and how its reader checks it.
//! - [`stop`]: a stop that was signed beforehand, for when the clearing house cannot be reached.
//! - [`keys`]: that the feed's key was replaced, proven out of the log.
//! - [`Follower`]: what an ISP holds. It goes on, never back, and lets go by its own clock.
//!
//! Lifts carry no proof: whoever could forge one opens a name, and the files' hashes stand under the feed's
//! signature anyway.

pub mod file;
mod follower;
pub mod keys;
mod manifest;
pub mod opened;
mod pruned;
mod reader;
mod skew;
pub mod stop;
#[cfg(test)]
mod tests;

pub use follower::{Alarm, Bounds, Follower, Held, Staged, Taken, Want};
pub use manifest::{
    Apart, Beat, FileName, MAX_APART, MAX_DELTAS, MAX_MANIFEST, Manifest, ManifestError,
};
pub use pruned::{Pruned, PrunedError, prune};
pub use reader::{Event, FileError, MAX_LINE, Reader, Why};

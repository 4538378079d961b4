//! The only door to a case's state: commands become records, records become views, and views are
//! read as consistent snapshots.
//!
//! A case is one folder: `ledger/` and `vault/` (what is decided and what came in), `views.sqlite`
//! and `tables/` (what is derived: thrown away and built again at will).
//!
//! Invariants: no view shows what the log does not hold; the same log, exhibits and parser versions
//! give the same views whatever the order or number of threads; no value of a secret enters a view.

pub mod access;
pub mod account;
pub mod addresses;
pub mod authority;
pub mod backup;
pub mod capture;
pub mod clearing;
#[cfg(feature = "simulation")]
pub mod clock;
mod count;
pub mod custody;
pub mod decide;
pub mod desk;
pub mod erase;
pub mod error;
pub mod export;
mod index;
mod judge;
pub mod lines;
pub mod open;
mod outside;
pub mod package;
pub mod parties;
mod permit;
mod pipeline;
pub mod progress;
mod prove;
pub mod read;
pub mod shell;
pub mod shield;
pub mod sql;
mod tables;
pub mod tickets;
pub mod time;
mod verify;
mod views;
pub mod witness;

pub use count::Summary;
pub use decide::{Command, command, recorded};
pub use desk::{Desk, Place};
pub use error::{Error, Result, full_disk};
pub use judge::{Timed, Witnessing};
pub use prove::{Which, prove, prove_since};
pub use vault::Erasure;
pub use vault::Wait;
pub use verify::{Report, verify};

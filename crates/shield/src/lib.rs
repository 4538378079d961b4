//! The shield: what may be blocked, what a block would hit besides, and why.
//!
//! - [`item`]: what can be blocked at all: an exact name, an address, an address with a port.
//! - [`sets`]: what is known of names and addresses: who is popular, who is protected, what many share.
//! - [`suffixes`]: which part of a name anybody may register under.
//! - [`harm`]: the check, pure and explained: allow, two persons, or refuse, with each reason and its
//!   source.
//! - [`order`]: orders, events, tickets, items: from a report to a block, and to its end.
//! - [`feed`]: what is out, for whom, and how who follows it catches up.
//! - [`measure`]: what ISPs are measured to do: rule of three, controls, times.
//! - [`proof`]: what an ISP is shown of a block: that it was decided, and nothing of who asked.
//! - [`told`]: what of a decision may be told once the event is over, statement by statement.
//! - [`wire`]: the feed on its way: signed manifests, files that hold their proofs, and who follows.
//!
//! Invariant: nothing here does I/O or reads a clock. Sets and times are handed in, so that the same
//! item under the same sets has the same verdict anywhere, and a verdict can be shown again later.

pub mod feed;
pub mod harm;
pub mod item;
pub mod measure;
pub mod order;
pub mod proof;
pub mod sets;
pub mod suffixes;
pub mod told;
pub mod wire;

pub use harm::{Check, Finding, Verdict};
pub use item::Item;
pub use sets::{Set, Sets};
pub use suffixes::Suffixes;

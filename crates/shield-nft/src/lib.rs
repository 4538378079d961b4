//! The nftables side of the shield: addresses as sets of a Linux router's own firewall.
//!
//! - [`Table`] is pure: it writes the scripts that `nft -f -` takes, one transaction each.
//! - [`Driver`] runs them, and reads what is held.
//!
//! Each element has a timeout of its own, which the kernel counts: a block ends although nothing of ours runs
//! any more. A renewal is a delete and an add in one transaction, so that no packet goes between them.
//!
//! *Invariants: nothing wider than one address, or one port of one address, can be written. No element is
//! without a timeout. No table is touched but the one that carries our mark.*

mod driver;
mod held;
mod table;

pub use driver::{Driver, DriverError, Nft};
pub use table::{Element, MAX_ELEMENTS, MAX_LIFE, Refusal, Table, TableError};

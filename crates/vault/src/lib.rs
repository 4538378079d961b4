//! A case's memory: exhibits by their hash, records in the log, and the openings between them.
//!
//! In order: [`Case::create`] or [`Case::open`]; [`Case::stager`] copies and hashes on any thread;
//! [`Case::batch`] takes what was staged, and other records; [`Batch::commit`] makes it durable;
//! [`Case::finish`]. Views are made from [`Case::records`]. [`Case::read`] takes a snapshot without
//! a lock, [`Records`] one of single records.
//!
//! Invariants: an exhibit is never overwritten; exhibits and openings are durable before the record
//! that names them; nothing that the log names is ever removed but by an order of erasure in it; a
//! member's name is never a path.

pub mod backup;
mod batch;
mod bytes;
mod case;
pub mod digests;
pub mod disclose;
pub mod erase;
mod error;
pub mod ggm;
pub mod image;
pub mod index;
mod keys;
mod openings;
mod origin;
pub mod package;
mod records;
mod rehash;
mod rotate;
pub mod salted;
mod stage;
pub mod stamp;
pub mod standby;
pub mod sums;
pub mod times;
pub mod unpack;
mod verify;
pub mod warc;

pub use batch::{Added, Batch};
pub use bytes::Bytes;
pub use case::{
    Case, Exhibit, Known, KnownOf, authority_of, exhibit_of, exhibit_path, is_shield_decision,
    shield_origin, speaks_of_exhibits,
};
pub use error::{Error, Result};
pub use keys::{Born, Rotation, birth_in, finish_log, keys_of, named_keys, open_log, rotations};
pub use ledger::Finding;
pub use ledger::{Home, Wait};
pub use origin::{MemberOf, Origin, Stamp};
pub use records::Records;
pub use rotate::{Rotated, rotate};
pub use stage::{Staged, Stager};
pub use standby::{Incoming, Parcel, Standby};
pub use verify::{Erasure, Report, verify, verify_authority, verify_copy};

/// 32 fresh random bytes.
///
/// # Errors
/// The operating system gives none.
pub fn random() -> Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| Error::Random)?;
    Ok(bytes)
}

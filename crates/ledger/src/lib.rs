//! The log of a case, and the one writer to disk.
//!
//! A log is entries (bytes; what they mean is not known here) under a Merkle tree in C2SP tlog-tiles
//! layout, with signed checkpoints. Entries are committed in groups by one flush of a journal, and
//! nothing that is committed is ever changed.

mod authority;
mod base64;
pub mod batch;
mod consistency;
mod contradicting;
pub mod disk;
mod error;
mod journal;
mod keyfile;
mod keys;
mod lock;
mod log;
pub mod note;
mod own_key;
mod passphrase;
pub mod plain;
mod proof;
mod publish;
mod reader;
mod sequencer;
mod sound;
mod store;
mod subtrees;
pub mod tree;
mod trust;
mod verify;
pub mod witness;
mod witnessed;

pub use authority::{Authority, Home, PRACTICE, seen_name};
pub use consistency::{Consistency, MAX_CONSISTENCY, MAX_HASHES};
pub use contradicting::{
    Contradicting, MAX_CONTRADICTING, Unfit, carry_contradicting, contradicting, keep_contradicting,
};
pub use error::{Error, Result, full};
pub use keyfile::{Cost, Fresh, KeyFileError, Sealed};
pub use keys::{Former, Keys};
pub use lock::{Lock, Quiet, Wait, holder_of, is_held};
pub use log::Log;
pub use note::{Checkpoint, CosignerKey, Note, SigningKey, VerifierKey, WitnessKey};
pub use own_key::{OwnKey, Under};
pub use passphrase::{MAX_PASSPHRASE, Passphrase, Source, passphrases_from};
pub use proof::{MAX_PROOF, Policy, Proof, ProofError, Witnessed};
pub use reader::Reader;
pub use sequencer::{Bounds, Sequencer, Sequencing, Submitted};
pub use store::MAX_ENTRY;
pub use trust::{MAX_TRUST, TimeAuthority, Trust, TrustError};
pub use verify::{Finding, Known, Report, Still, Visit, verify};
pub use witnessed::{keep_witnessed, witnessed};

//! The one error of this crate.

use ledger::note::NoteError;

use crate::objects::Fault;

/// What went wrong, in words a user can act on. The cause is behind `source()`, never in the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused, failed, or was too slow.
    #[error("cannot {action} {name}: {source}. What was answered is safe; open the log again")]
    Store {
        /// What was tried: `get`, `put`, …
        action: &'static str,
        /// Which object.
        name: String,
        /// Why not.
        source: Fault,
    },
    /// Somebody else has committed since this writer looked.
    #[error(
        "another writer of {origin} has gone on: it stood at {held} entries here and stands at \
         {found} there. This one stops; the batch that it was handing in is not in the log. See that \
         only one writes, then open the log again"
    )]
    AnotherWriter {
        /// The log.
        origin: String,
        /// Entries that this writer knew of.
        held: u64,
        /// Entries now.
        found: u64,
    },
    /// The store did not say whether it committed.
    #[error(
        "{origin}: the store did not say whether it took the batch after entry {held}. Open the log \
         again: the batch is then in it, or not"
    )]
    Unanswered {
        /// The log.
        origin: String,
        /// Entries before the batch.
        held: u64,
        /// What the store said.
        source: Fault,
    },
    /// An object is not what the signed checkpoint needs.
    #[error(
        "{name} is damaged, stale or another log's: {what}. Nothing was written. `verify` tells \
         every place; restore the object from a copy"
    )]
    Damaged {
        /// Which object.
        name: String,
        /// How.
        what: String,
    },
    /// A checkpoint that is not one, or not signed by the log's key.
    #[error("{name}: {source}")]
    Note {
        /// Which object.
        name: String,
        /// Why.
        source: NoteError,
    },
    /// There is no log.
    #[error("there is no log here: {0} is missing")]
    NoLog(&'static str),
    /// The log is shorter than it is known to have been.
    #[error(
        "{origin} has {found} entries here, but is known with {known}: the store shows an older \
         state. Nothing was written"
    )]
    RolledBack {
        /// The log.
        origin: String,
        /// Entries here.
        found: u64,
        /// Entries once.
        known: u64,
    },
    /// The log does not go through a state that is known.
    #[error("{origin} is another log than the one that is known up to {known} entries")]
    Forked {
        /// The log.
        origin: String,
        /// The known state's size.
        known: u64,
    },
    /// An entry or a batch beyond its bound.
    #[error("{0} does not fit: an entry holds 65,535 bytes, a batch 64 MiB and 65,536 entries")]
    TooLarge(usize),
    /// An index beyond the end.
    #[error("there is no entry {0}")]
    NoEntry(u64),
    /// An earlier request failed; what is in the store must be looked at anew.
    #[error("an earlier write to this log failed: open it again")]
    Broken,
    /// The operating system gives no randomness.
    #[error("the operating system gives no random bytes")]
    Random(#[source] getrandom::Error),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn damaged(name: impl Into<String>, what: impl Into<String>) -> Self {
        Self::Damaged { name: name.into(), what: what.into() }
    }
}

//! Why a backup or a restore did not do what it should.

use std::error::Error as StdError;

/// What went wrong, in words a user can act on. The cause is behind `source()`, never in the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The case, or the disk.
    #[error(transparent)]
    Vault(#[from] crate::Error),
    /// The destination refused or failed.
    #[error(
        "{destination}: cannot {action} {name}. What stands there is whole as far as its checkpoint \
         says; run the same command again to complete it"
    )]
    Store {
        /// Where.
        destination: String,
        /// What was tried: `read`, `write`, …
        action: &'static str,
        /// On what.
        name: String,
        /// Why not.
        source: Box<dyn StdError + Send + Sync>,
    },
    /// Something is there, and it is no backup.
    #[error(
        "{0} is not empty and holds no backup of a case: name a new folder (or prefix), or an older \
         backup of this case. Nothing was written"
    )]
    NotABackup(String),
    /// Nothing is there.
    #[error("{0} holds no backup of a case")]
    None(String),
    /// The backup of another case.
    #[error(
        "{destination} holds the backup of {found}; this is {origin}. Each case needs a destination \
         of its own. Nothing was written"
    )]
    Other {
        /// Where.
        destination: String,
        /// Whose backup it is.
        found: String,
        /// Which case was to be backed up.
        origin: String,
    },
    /// The backup of an authority, where one of a case is wanted.
    #[error(
        "{0} holds the backup of the authority {1}, not of a case: `vigie restore --authority`"
    )]
    OfAuthority(String, String),
    /// The backup of a case, where one of an authority is wanted.
    #[error("{0} holds the backup of the case {1}, not of an authority: leave out --authority")]
    OfCase(String, String),
    /// The authority's own log is empty.
    #[error(
        "the authority {0} has recorded nothing yet: its log begins with its first case. Keep a copy of \
         its key (docs/keys.md)"
    )]
    Nothing(String),
    /// The backup of another case, where one of this was to be tried.
    #[error(
        "{destination} holds the backup of {found}; this case is {origin}. Nothing was tried: name this \
         case's backup with --from, or the other case with --case"
    )]
    OfAnother {
        /// Where.
        destination: String,
        /// Whose backup it is.
        found: String,
        /// Which case it was to be held against.
        origin: String,
    },
    /// The case does not go on from its backup.
    #[error(
        "{destination} holds {held} records of {origin} (root {held_root}), and the case here does not \
         go on from them: it has {size} (root {root}). It was cut, laid back to an older copy, or \
         rewritten. Nothing was changed at the backup: prove it (`vigie restore --drill`), and find \
         out what happened to the case"
    )]
    NotBefore {
        /// Where.
        destination: String,
        /// The case.
        origin: String,
        /// Records in the backup.
        held: u64,
        /// Their root.
        held_root: String,
        /// Records in the case.
        size: u64,
        /// Their root.
        root: String,
    },
    /// What stands at the destination is not what was put there.
    #[error("{destination}: {name} {what}")]
    Damaged {
        /// Where.
        destination: String,
        /// What.
        name: String,
        /// How, and what to do.
        what: String,
    },
    /// The destination is a part of the case, or the case a part of it.
    #[error("{0} lies in the case's own folder, or around it: name another. Nothing was written")]
    Inside(String),
    /// Somebody else is at work there.
    #[error("{destination} is being written by {holder}. Wait until it has finished, or stop it")]
    Held {
        /// Where.
        destination: String,
        /// Who, as the lock says.
        holder: String,
    },
}

/// Results of this module.
pub type Result<T> = std::result::Result<T, Error>;

impl From<ledger::Error> for Error {
    fn from(error: ledger::Error) -> Self {
        Self::Vault(error.into())
    }
}

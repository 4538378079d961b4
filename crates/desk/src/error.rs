//! The desk's one error type.

use std::path::PathBuf;

/// Why the desk could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no case in the folder.
    #[error("{0} holds no case: `vigie open` makes one")]
    NoCase(PathBuf),
    /// The views were made by another version.
    #[error(
        "the views were made by another version of vigie: `vigie views rebuild` makes them anew"
    )]
    OtherLayout,
    /// The views' database said no.
    #[error(
        "the views could not be read or written; what is sealed is safe: make room where the disk is \
         full, else `vigie views rebuild` makes them anew"
    )]
    Views(#[from] rusqlite::Error),
    /// A file could not be read.
    #[error("{path} could not be read")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file under `tables/` is not what was written there. `vigie views rebuild` makes it anew.
    #[error("a table's file is damaged ({0}): `vigie views rebuild` makes it anew")]
    Table(String),
    /// A table's index was made anew while it was read.
    #[error("the tables were made anew while they were read: ask again")]
    Remade,
    /// The disk said no.
    #[error(transparent)]
    Disk(#[from] ledger::Error),
    /// The log or the vault said no.
    #[error(transparent)]
    Vault(#[from] vault::Error),
    /// Something asked for is not in the case (or is withheld as privileged).
    #[error("{what} is not in this case")]
    NotFound {
        /// What was asked for, in words.
        what: String,
    },
    /// The exhibit is withheld as privileged until it is released.
    #[error("the exhibit {0} is privileged: it is withheld until it is released")]
    Privileged(model::ExhibitId),
    /// What was asked for is not understood.
    #[error("{0}")]
    Asked(String),
    /// What stands beside the case (npm, a table in the authority's folder) is not as it must be.
    #[error("{0}")]
    Beside(String),
    /// A stated bound was reached.
    #[error("{0}")]
    Bound(String),
    /// What an export was written to said no.
    #[error("the export could not be written")]
    Output(#[source] std::io::Error),
    /// The work was called off.
    #[error("called off")]
    Cancelled,
}

/// The desk's result.
pub type Result<T> = std::result::Result<T, Error>;

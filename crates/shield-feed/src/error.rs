//! Why something is not published.

use std::io;

use model::Sha256Hex;

use crate::store::{MAX_FILE, MAX_FILES, MAX_MANIFEST, MAX_VIEWS, ViewName};

/// Why something could not be published. What stood before stands.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// No name for a view.
    #[error("{0:?} is no name for a view: write 1 to 64 of a-z, 0-9 and inner hyphens")]
    Name(String),
    /// More views than are kept.
    #[error("{MAX_VIEWS} views are the most: publish the rest from another folder")]
    Views,
    /// More files than are kept.
    #[error("the view {0} holds {MAX_FILES} files: fewer deltas, or a shorter grace, make room")]
    Files(ViewName),
    /// A file longer than any may be.
    #[error("a file of more than {MAX_FILE} bytes: begin a new snapshot, or split the view")]
    TooLong,
    /// A manifest longer than any may be.
    #[error("a manifest of {0} bytes, and {MAX_MANIFEST} are the most: name fewer deltas")]
    Manifest(usize),
    /// A manifest in the folder that cannot be taken up.
    #[error("the manifest of the view {0} in the folder cannot be taken up: {1}")]
    Unread(ViewName, String),
    /// A manifest that names a file which is not there.
    #[error("the manifest of {0} names the file {1}, which was not written")]
    Missing(ViewName, Sha256Hex),
    /// A manifest of an earlier place than the one that is out.
    #[error("the view {view} is at {at:?} (epoch, serial): {to:?} would lead back")]
    Backwards {
        /// Which view.
        view: ViewName,
        /// Where it is.
        at: (u64, u64),
        /// Where it was to go.
        to: (u64, u64),
    },
    /// What makes the content failed.
    #[error("the content could not be made: {0}")]
    Content(io::Error),
    /// The disk.
    #[error(transparent)]
    Disk(#[from] ledger::Error),
}

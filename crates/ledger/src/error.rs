//! The one error of this crate.

use std::io;
use std::path::{Path, PathBuf};

/// What went wrong, in words a user can act on. The cause is behind `source()`, never in the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file system refused.
    #[error("cannot {action} {}{}", path.display(), advice(source))]
    Disk {
        /// What was tried: `write`, `rename`, …
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file that is never overwritten is there already.
    #[error("{} is there already and is never overwritten", .0.display())]
    Exists(PathBuf),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn disk(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Disk { action, path: path.to_owned(), source }
    }

    /// True where the disk or the quota is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if full(source))
    }

    /// True where the file was not found.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if source.kind() == io::ErrorKind::NotFound)
    }
}

fn full(source: &io::Error) -> bool {
    matches!(source.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
}

fn advice(source: &io::Error) -> &'static str {
    match source.kind() {
        _ if full(source) => {
            ": the disk is full. What is already recorded is safe; free some space and run the \
             same command again to complete it"
        }
        io::ErrorKind::PermissionDenied => ": you may not. Check whose the folder is",
        io::ErrorKind::ReadOnlyFilesystem => ": the disk is mounted read-only",
        io::ErrorKind::NotFound => ": it is not there",
        io::ErrorKind::AlreadyExists => ": it is there already",
        _ => ". What is already recorded is safe; run the same command again to complete it",
    }
}

//! The one error of this crate.

use std::io;
use std::path::{Path, PathBuf};

use crate::journal::LAST;
use crate::keyfile::KeyFileError;
use crate::note::NoteError;

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
    /// Another process writes.
    #[error("{} is being written by {holder}. Wait until it has finished, or stop it", path.display())]
    Held {
        /// The lock file.
        path: PathBuf,
        /// Who, as its lock says.
        holder: String,
    },
    /// A checkpoint or a key is not what it should be.
    #[error("{}: {source}{}", path.display(), whose(source))]
    Note {
        /// The file.
        path: PathBuf,
        /// Why.
        source: NoteError,
    },
    /// The log's files contradict one another.
    #[error(
        "{} is damaged: {what}. Nothing was written. `vigie verify` tells every place; restore the \
         folder from a copy", path.display()
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// How.
        what: String,
    },
    /// The last batch of a journal is damaged.
    #[error(
        "{shown}: {LAST}. Nothing was written. Bring the folder back from a copy. Where no copy has it, what that \
         batch recorded is lost: keep a copy of the file, cut it (`truncate -s {used} {shown}`), and open the \
         same material again", shown = path.display()
    )]
    LastBatch {
        /// The journal.
        path: PathBuf,
        /// Bytes of whole batches before it.
        used: u64,
    },
    /// What stands where a plain file should.
    #[error("{} is no plain file", .0.display())]
    NotAFile(PathBuf),
    /// What would be written in place, and is not the log's alone.
    #[error(
        "{path} is a link, has another name elsewhere (as `cp -al` makes them), or is no plain file: nothing is \
         written through it. Put a plain file in its place: `cp -p {path} {path}.own && mv {path}.own {path}`, if what it \
         leads to is the log's own", path = .0.display()
    )]
    Elsewhere(PathBuf),
    /// A witness keeps no more logs.
    #[error("this witness keeps {0} logs already, and takes no other")]
    TooManyLogs(usize),
    /// The log is shorter than the authority has seen it.
    #[error(
        "{origin} has {found} entries here, but the authority has seen {seen}: this is an older or \
         cut copy. Nothing was written to it; bring the newer one back (`vigie restore`, an authority's own \
         with --authority)"
    )]
    RolledBack {
        /// The log.
        origin: String,
        /// Entries here.
        found: u64,
        /// Entries once.
        seen: u64,
    },
    /// The log is shorter than a checkpoint beside it.
    #[error(
        "{origin} has {found} entries here, and a checkpoint that it signed and that is kept beside it \
         has {seen}: this is an older or cut copy. Nothing was written; restore the log from a copy"
    )]
    Older {
        /// The log.
        origin: String,
        /// Entries here.
        found: u64,
        /// Entries once.
        seen: u64,
    },
    /// The log is not the one that the authority has seen.
    #[error(
        "{origin} is not the log that the authority has seen, or that others cosigned: its first {size} \
         entries are others here. Nothing was added; `vigie verify` tells more"
    )]
    OtherHistory {
        /// The log.
        origin: String,
        /// Entries that the authority has seen.
        size: u64,
    },
    /// The key that signs a log is in another home.
    #[error(
        "the key of {authority}, which signs here, is not in {}: name the folder of that authority \
         with --home (or VIGIE_HOME). Nothing was written", home.display()
    )]
    NoKey {
        /// Whose key.
        authority: String,
        /// Where it was looked for.
        home: PathBuf,
    },
    /// What should be a key's file is none, or does not open.
    #[error("{}: {source}", path.display())]
    KeyFile {
        /// The file.
        path: PathBuf,
        /// Why.
        source: KeyFileError,
    },
    /// A key is under a passphrase, and there is none.
    #[error("the key of {authority} is under a passphrase: {why}. Nothing was written")]
    Locked {
        /// Whose key.
        authority: String,
        /// Why nobody gave it.
        why: String,
    },
    /// A key that others could have read signs nothing.
    #[error(
        "{0} can be read by others than its owner (mode {1:04o}), so it signs nothing. Where nobody can \
         have read it: `chmod 600 {0}`; else replace the key (docs/keys.md): an authority's by `vigie \
         authority rotate`, a person's by `vigie actor key`", path.display(), mode
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// An entry or a batch beyond its bound.
    #[error("{0} bytes do not fit: an entry holds 65,535 bytes, a batch 256 MiB")]
    TooLarge(usize),
    /// An index beyond the end.
    #[error("there is no entry {0}")]
    NoEntry(u64),
    /// A write failed earlier; what is on disk must be looked at anew.
    #[error("an earlier write to this log failed: open it again")]
    Broken,
    /// A copy signs nothing, and what is signed here takes nothing from another.
    #[error("a copy of a log takes what another signed, and only a copy does")]
    NotACopy,
    /// The log could not be written, and takes nothing more.
    #[error("the log stopped taking entries. Open it again: what was answered is in it")]
    Stopped(#[source] std::sync::Arc<Error>),
    /// A name that no authority can have.
    #[error(
        "{0:?} cannot name an authority: use 1 to 64 of a-z, 0-9, '-' and '.', as in a domain name"
    )]
    AuthorityName(String),
    /// The name that stands for no authority.
    #[error("{0} is what a practice case is signed as: choose the authority's own name")]
    AuthorityReserved(String),
    /// The home folder has an authority already.
    #[error("this home already has the authority {0}; another needs another --home")]
    AuthorityNamed(String),
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    pub(crate) fn disk(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Disk { action, path: path.to_owned(), source }
    }

    pub(crate) fn thread(source: io::Error) -> Self {
        Self::Disk { action: "begin a thread to write", path: PathBuf::new(), source }
    }

    pub(crate) fn note(path: &Path, source: NoteError) -> Self {
        Self::Note { path: path.to_owned(), source }
    }

    pub(crate) fn key_file(path: &Path, source: KeyFileError) -> Self {
        Self::KeyFile { path: path.to_owned(), source }
    }

    pub(crate) fn damaged(path: &Path, what: impl Into<String>) -> Self {
        Self::Damaged { path: path.to_owned(), what: what.into() }
    }

    /// What was found, for whoever only looks: without the advice that is for who writes.
    pub fn found(&self) -> String {
        match self {
            Self::Disk { action, path, source } => {
                format!("cannot {action} {}: {source}", path.display())
            }
            Self::Damaged { path, what } => format!("{} is damaged: {what}", path.display()),
            Self::LastBatch { path, .. } => format!("{}: {LAST}", path.display()),
            Self::RolledBack { origin, found, seen } => {
                format!("{origin} has {found} entries here, but the authority has seen {seen}")
            }
            other => other.to_string(),
        }
    }

    /// True where nothing can be written there: the medium is mounted read-only, or another's.
    pub fn is_closed(&self) -> bool {
        let closed = [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied];
        matches!(self, Self::Disk { source, .. } if closed.contains(&source.kind()))
    }

    /// True where the disk or the quota is full.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Disk { source, .. } if full(source))
    }

    /// True where the file was not found.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Disk { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::NoKey { .. } => true,
            _ => false,
        }
    }
}

fn whose(source: &NoteError) -> &'static str {
    match source {
        NoteError::OtherKey => {
            " than this home's: where the case is of another home, name that with --home"
        }
        _ => "",
    }
}

/// True where the disk or the quota is full, as the system says.
pub fn full(source: &io::Error) -> bool {
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
        io::ErrorKind::IsADirectory => {
            ": a folder stands there, which nothing of vigie's makes. Look what is in it, remove it, and \
             run the same command again"
        }
        _ => ". What is already recorded is safe; run the same command again to complete it",
    }
}

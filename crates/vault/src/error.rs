//! The one error of this crate.

use std::io;
use std::path::{Path, PathBuf};

use model::ExhibitId;
use model::record::RecordError;

/// What came of the making of a case that has no record yet.
fn unmade(holder: Option<&str>) -> String {
    match holder {
        Some(holder) => format!("it is being made now, by {holder}"),
        None => {
            "whoever was making it was stopped before the first record, so that nothing was sealed \
                 in it"
                .to_owned()
        }
    }
}

/// What went wrong, in words a user can act on. The cause is behind `source()`, never in the text.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// In the log or on the disk.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// The folder holds no case.
    #[error("{} holds no case", .0.display())]
    NoCase(PathBuf),
    /// The folder holds the beginning of a case, without a record.
    #[error("{} holds no case yet: {}", dir.display(), unmade(holder.as_deref()))]
    Unmade {
        /// The folder.
        dir: PathBuf,
        /// Who is making it now; `None` where whoever did has ended.
        holder: Option<String>,
    },
    /// The folder holds a case already.
    #[error("{} holds a case already", .0.display())]
    CaseExists(PathBuf),
    /// The authority has a clearing house.
    #[error(
        "the authority has a clearing house already, whose log is {0}: name its folder. Where that is lost \
         bring it back from a backup (`vigie restore`): two would contradict one another"
    )]
    ShieldExists(String),
    /// Parts of a case without the log that tells of them.
    #[error(
        "{} holds parts of a case (exhibits, openings, views or tables), and a log that does not tell of \
         them: it was removed, cut or damaged. Nothing was written. Bring the log back from a backup \
         (`vigie restore`); to begin another case name another folder", .0.display()
    )]
    LogGone(PathBuf),
    /// A folder of the vault that is a link.
    #[error(
        "{} is a link: what a run writes and removes there would be another's. Nothing was written. Put a \
         folder in its place, with this case's own files", .0.display()
    )]
    LinkedFolder(PathBuf),
    /// Openings beyond the log.
    #[error(
        "{} opens records from {first} on, and the log has {records}: it was cut or laid back, or this is a \
         copy that was made while a run was under way. Nothing was written. Copy it again while nobody \
         writes to it, or bring the log back from a backup (`vigie restore`); `vigie verify` tells more",
        path.display()
    )]
    Ahead {
        /// The file of openings.
        path: PathBuf,
        /// The first record that it opens.
        first: u64,
        /// Records.
        records: u64,
    },
    /// An authority's folder without the log that it had.
    #[error(
        "{} is empty or gone, and the folder beside it shows that the authority's own log, in which the \
         births of its cases stand, had records. Nothing was written: bring it back from a backup \
         (`vigie restore --authority`)", .0.display()
    )]
    OwnLogGone(PathBuf),
    /// Material that cannot be read.
    #[error("cannot {action} {}", path.display())]
    Material {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Material that is no plain file.
    #[error("{} is no plain file", .0.display())]
    NotAFile(PathBuf),
    /// A record that cannot be written or read.
    #[error("entry {index}: {source}")]
    Record {
        /// Its index.
        index: u64,
        /// Why.
        source: RecordError,
    },
    /// A record that replaces a key, and cannot.
    #[error("entry {record}, which replaces a key: {why}. Nothing was written")]
    Rotation {
        /// The record.
        record: u64,
        /// Why not.
        why: String,
    },
    /// The openings do not fit the log.
    #[error(
        "{}: {what}. Nothing was written. `vigie verify` tells every place; restore the folder \
         from a copy", path.display()
    )]
    Openings {
        /// The file.
        path: PathBuf,
        /// How.
        what: String,
    },
    /// An exhibit that the case does not have.
    #[error("the case has no exhibit {0}")]
    NoExhibit(ExhibitId),
    /// An exhibit's bytes are gone.
    #[error("cannot read exhibit {id} at {}", path.display())]
    Unreadable {
        /// Which.
        id: ExhibitId,
        /// Where it should be.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// What was to be erased cannot be, or not so.
    #[error("it cannot be erased: {0}")]
    NotErasable(String),
    /// It was erased before.
    #[error("{0}: nothing is left to erase")]
    Erased(String),
    /// The operating system gives no random numbers.
    #[error("the operating system gives no random numbers")]
    Random,
    /// The case is not one that the authority began, or not by what the authority's folder says.
    #[error(
        "{origin} has {records} records, and the authority's own log does not hold its birth: whoever \
         has a copy of the key began it elsewhere, or the authority's folder is an older copy. Nothing \
         was written: `vigie verify` tells more, and what is in it can be read"
    )]
    Unborn {
        /// The case.
        origin: String,
        /// Its records.
        records: u64,
    },
    /// The case is open for reading only.
    #[error("the case is open for reading only")]
    ReadOnly,
    /// A write failed earlier.
    #[error("an earlier write to this case failed: open it again")]
    Broken,
    /// What came for a copy of the case is not what goes on from it.
    #[error("what came for the copy does not go on from it: {0}")]
    Parcel(String),
    /// A thread of the hashing failed.
    #[error("a hashing thread stopped")]
    Thread,
}

/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// What was found, for whoever only looks: without the advice that is for who writes.
    pub fn found(&self) -> String {
        match self {
            Self::Ledger(e) => e.found(),
            Self::Openings { path, what } => format!("{}: {what}", path.display()),
            Self::Rotation { record, why } => {
                format!("entry {record}, which replaces a key: {why}")
            }
            Self::Material { action, path, source } => {
                format!("cannot {action} {}: {source}", path.display())
            }
            Self::Unreadable { path, source, .. } => {
                format!("cannot read {}: {source}", path.display())
            }
            other => other.to_string(),
        }
    }

    pub(crate) fn material(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Material { action, path: path.to_owned(), source }
    }

    /// As [`Error::material`], of a file that was to be a plain one.
    pub(crate) fn unopened(action: &'static str, path: &Path, source: io::Error) -> Self {
        if ledger::plain::is_other(&source) {
            return Self::NotAFile(path.to_owned());
        }
        Self::material(action, path, source)
    }

    pub(crate) fn openings(path: &Path, what: impl Into<String>) -> Self {
        Self::Openings { path: path.to_owned(), what: what.into() }
    }
}

//! The desk's one error type.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

use crate::shell::quoted_path;

/// Why the desk could not do what was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no case in the folder.
    #[error("{0} holds no case: name a case's folder, or make one: `vigie open --case {quoted} PATH`", quoted = quoted_path(.0))]
    NoCase(PathBuf),
    /// There is no clearing house in the folder, nor anything else of ours.
    #[error("{0} holds no clearing house: name its folder (--shield), or make one: `vigie shield init {quoted}`", quoted = quoted_path(.0))]
    NoHouse(PathBuf),
    /// The making of a case was cut off, or goes on.
    #[error("{}", unmade(dir, holder.as_deref()))]
    Unmade {
        /// The folder.
        dir: PathBuf,
        /// Who is making it now.
        holder: Option<String>,
    },
    /// The case is there, and its views are not.
    #[error(
        "{0} holds a case, but its views are missing, or not built to the end; what is sealed is safe: \
         `vigie views rebuild --case {quoted}` makes them anew",
        quoted = quoted_path(.0)
    )]
    NoViews(PathBuf),
    /// The log is not the one that the views were made of.
    #[error(
        "{dir}: {what}. Nothing was changed. Bring the log back from a copy or a backup (`vigie \
         restore`); if this is a copy that was made while a run was under way, make it again while nobody \
         writes. Where the log was laid there on purpose, and vault/ holds nothing beyond it, move \
         views.sqlite* and tables/ out of the folder, and give the command again"
    )]
    LogLess {
        /// The case's folder.
        dir: PathBuf,
        /// What happened to the log, in words.
        what: String,
    },
    /// The authority's own log does not hold.
    #[error(
        "{place}: {message}. Nothing that this log says is taken: `vigie verify` tells all that is wrong \
         with it, `vigie restore --authority` lays back a backup"
    )]
    Authority {
        /// Where.
        place: String,
        /// What is wrong there.
        message: String,
    },
    /// A witness keeps another history of the log, so nothing goes out of it.
    #[error(
        "a witness keeps a checkpoint of {size} records which this log does not go through, and nobody \
         who has a package would learn of it: `vigie witness compare --evidence FILE --case {}` shows \
         it. Resolve that first: nothing was made",
        quoted_path(case)
    )]
    Contradicted {
        /// The entries of the greatest such checkpoint.
        size: u64,
        /// The case's folder.
        case: PathBuf,
    },
    /// A file of the views is not as it was written, or not there.
    #[error(
        "{path} {how}; what is sealed is safe: `vigie views rebuild --case {}` makes it anew",
        quoted_path(case_of(path))
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In words, such as `is missing`.
        how: String,
    },
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
    Vault(vault::Error),
    /// Something asked for is not in the case (or is withheld as privileged).
    #[error("{what} is not in this case")]
    NotFound {
        /// What was asked for, in words.
        what: String,
    },
    /// The authority asks no witness of that name.
    #[error("no witness is named {0:?}: `vigie witness list` shows who is")]
    NoWitness(String),
    /// What was asked for was erased by law.
    #[error("{0}")]
    Erased(String),
    /// The exhibit is withheld as privileged until it is released.
    #[error("the exhibit {0} is privileged: it is withheld until it is released")]
    Privileged(model::ExhibitId),
    /// What was asked for is not understood.
    #[error("{0}")]
    Asked(String),
    /// A package could not be made.
    #[error(transparent)]
    Package(#[from] vault::package::DraftError),
    /// A backup could not be made or read.
    #[error(transparent)]
    Backup(#[from] vault::backup::Error),
    /// What stands beside the case (npm, a table in the authority's folder) is not as it must be.
    #[error("{0}")]
    Beside(String),
    /// Somebody outside gave no answer, or none that can be used.
    #[error("{url}: {why}")]
    Outside {
        /// Who was called.
        url: String,
        /// What came instead.
        why: String,
    },
    /// A stated bound was reached.
    #[error("{0}")]
    Bound(String),
    /// What an export was written to said no.
    #[error("the export could not be written")]
    Output(#[source] std::io::Error),
    /// The clearing house is closed, or has too much to do for a moment.
    #[error(transparent)]
    Closed(#[from] crate::clearing::Closed),
    /// The work was called off.
    #[error("called off")]
    Cancelled,
}

fn unmade(dir: &Path, holder: Option<&str>) -> String {
    let shown = dir.display();
    let Some(holder) = holder else {
        let quoted = quoted_path(dir);
        return format!(
            "{shown} holds no case yet: there is no record in it. If the command that was making it was \
             stopped before the first record, nothing was sealed: give it again (`vigie open --case \
             {quoted} PATH`). If a case stood here, its log was taken away: nothing in the folder says \
             what was in it; bring it back from a backup (`vigie restore`)"
        );
    };
    format!("{shown} holds no case yet: {holder} is making it. Verify it when that has ended")
}

/// The desk's result.
pub type Result<T> = std::result::Result<T, Error>;

/// A folder without a case is told in the same words whoever looked.
impl From<vault::Error> for Error {
    fn from(error: vault::Error) -> Self {
        match error {
            vault::Error::NoCase(dir) => Self::NoCase(dir),
            vault::Error::Unmade { dir, holder } => Self::Unmade { dir, holder },
            other => Self::Vault(other),
        }
    }
}

/// The case that a file of the views belongs to: `CASE/views.sqlite`, `CASE/tables/…`.
fn case_of(path: &Path) -> &Path {
    let folder = path.parent().unwrap_or(path);
    let case = if folder.ends_with("tables") { folder.parent() } else { Some(folder) };
    case.filter(|case| !case.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What a user reads where an error comes from a full disk, however deep it lies below: libraries
/// wrap what the system said, and what they say instead (a table or the views are damaged) would
/// send the user to the wrong remedy. `None` for every other error.
pub fn full_disk(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let mut next = Some(error);
    let mut found = false;
    while let Some(cause) = next {
        found |= says_full(cause);
        // An io::Error's source is that of what it wraps: look at what it wraps itself.
        let wrapped = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = match wrapped {
            Some(inner) => Some(inner as &(dyn std::error::Error + 'static)),
            None => cause.source(),
        };
    }
    found.then(|| {
        let place = place_of(error).map(|place| format!(" ({place})")).unwrap_or_default();
        format!(
            "the disk is full{place}: what is recorded is safe; free some space and run the same \
             command again to complete it"
        )
    })
}

fn says_full(error: &(dyn std::error::Error + 'static)) -> bool {
    /// The index of SQLite's write-ahead log could not be made longer: nothing but room lacks then.
    const IOERR_SHMSIZE: i32 = 10 | (19 << 8);
    if let Some(error) = error.downcast_ref::<std::io::Error>() {
        return ledger::full(error);
    }
    match error.downcast_ref::<rusqlite::Error>() {
        Some(rusqlite::Error::SqliteFailure(error, _)) => {
            error.code == ErrorCode::DiskFull || error.extended_code == IOERR_SHMSIZE
        }
        _ => false,
    }
}

/// What was being done where, if the error says so.
fn place_of(error: &(dyn std::error::Error + 'static)) -> Option<String> {
    let ledger = |error: &ledger::Error| match error {
        ledger::Error::Disk { action, path, .. } => {
            Some(format!("cannot {action} {}", path.display()))
        }
        _ => None,
    };
    match error.downcast_ref::<Error>() {
        Some(Error::Disk(error) | Error::Vault(vault::Error::Ledger(error))) => ledger(error),
        Some(Error::Read { path, .. }) => Some(path.display().to_string()),
        Some(Error::Views(_)) => Some("the views".to_owned()),
        _ => None,
    }
}

impl Error {
    /// Names the table's or index's file that was read when this came up.
    pub(crate) fn of_file(self, path: &Path) -> Self {
        let how = match self {
            Self::Table(what) => format!("is damaged ({what})"),
            Self::Read { source, .. } if source.kind() == ErrorKind::NotFound => {
                "is missing".to_owned()
            }
            Self::Read { source, .. } if source.kind() == ErrorKind::UnexpectedEof => {
                "is damaged (it is cut short)".to_owned()
            }
            other => return other,
        };
        Self::Damaged { path: path.to_owned(), how }
    }

    /// Names the views' file where SQLite says that its bytes are damaged. SQLite may find that at
    /// any row, so whoever tells the error to a user asks for this.
    pub fn at(self, case: &Path) -> Self {
        let Self::Views(rusqlite::Error::SqliteFailure(error, _)) = &self else { return self };
        if !matches!(error.code, ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) {
            return self;
        }
        let path = crate::views::file(case);
        Self::Damaged { path, how: "is damaged (it is no sound SQLite file)".to_owned() }
    }

    /// The same of a folder in which a clearing house was looked for.
    pub(crate) fn of_house(self) -> Self {
        match self {
            Self::NoCase(dir) => Self::NoHouse(dir),
            other => other,
        }
    }

    /// True where the views are at fault, and a rebuild mends it.
    pub fn is_of_views(&self) -> bool {
        matches!(self, Self::NoViews(_) | Self::Damaged { .. } | Self::OtherLayout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_found_however_deep_it_lies() {
        let full = || std::io::Error::from(ErrorKind::StorageFull);
        let sqlite = |code| rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None);
        let wrapped = std::io::Error::other(std::io::Error::other(full()));
        for error in [
            Error::Views(sqlite(rusqlite::ffi::SQLITE_FULL)),
            Error::Views(sqlite(4874)),
            Error::Read { path: "tables/".into(), source: wrapped },
            Error::Output(std::io::Error::from(ErrorKind::QuotaExceeded)),
            Error::Disk(ledger::Error::Disk { action: "write", path: "a".into(), source: full() }),
        ] {
            let said = full_disk(&error).unwrap();
            assert!(said.starts_with("the disk is full"), "{said}");
        }
        assert_eq!(full_disk(&Error::Views(sqlite(rusqlite::ffi::SQLITE_CORRUPT))), None);
        assert_eq!(full_disk(&Error::Table("No space left on device".to_owned())), None);
    }
}

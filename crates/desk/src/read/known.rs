//! Of which log views are, and how much of it they know. Views follow the log: what they know of it was
//! durable there before. Where they know more, or of another log, it is the log that is not what it was.

use std::path::Path;

use rusqlite::Connection;

use super::case::connect;
use crate::{Error, Result};

/// What views know of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Known {
    origin: String,
    records: u64,
}

impl Known {
    /// Of the views of the case in `dir`. None where there are none, where they are of another layout, or
    /// where they cannot be read: that is told, or mended, by whoever uses them.
    fn of(dir: &Path, still: bool) -> Option<Self> {
        let path = crate::views::file(dir);
        if !path.is_file() {
            return None;
        }
        let still = still && !ledger::is_held(&dir.join("lock"));
        let (db, _) = connect(&path, still).ok()?;
        db.execute_batch("BEGIN").ok()?;
        let layout: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0)).ok()?;
        (layout == crate::views::LAYOUT).then(|| Self::in_views(&db)).flatten()
    }

    /// Of views that are open.
    pub(crate) fn in_views(db: &Connection) -> Option<Self> {
        let records = crate::views::meta::<i64>(db, "applied").ok()??;
        let origin = crate::views::meta::<String>(db, "origin").ok()??;
        Some(Self { origin, records: u64::try_from(records).ok()? })
    }

    /// What happened to the log of that origin with so many records, where it is not the one that the
    /// views were made of.
    pub(crate) fn against(&self, origin: &str, records: u64) -> Option<String> {
        if self.origin != origin {
            return Some(format!(
                "the views are of the log {}, and {origin} stands here: it was laid in the place of \
                 the other",
                self.origin
            ));
        }
        (self.records > records).then(|| {
            format!(
                "the views know {} records of this log, and {records} stand in it: records were lost, \
                 or an older copy was laid in its place",
                self.records
            )
        })
    }
}

/// What happened to the log of the case in `dir`, as far as its views tell; `still` where nothing is to be
/// written for it, by a process that reads the views in no other way ([`super::case`]). Needs no lock: the
/// views are looked at first, and a writer brings a log further before them.
pub(crate) fn against(dir: &Path, still: bool) -> Option<String> {
    let known = Known::of(dir, still)?;
    let log = ledger::Reader::open(&dir.join("ledger")).ok()?;
    known.against(&vault::Case::origin_in(dir).ok()?, log.size())
}

/// Keeps whoever writes from a log that is not the one that the views were made of: opening it drops
/// what it does not tell of, and views that know more would be made anew of less.
///
/// # Errors
/// [`Error::LogLess`].
pub(crate) fn hold(dir: &Path) -> Result<()> {
    against(dir, false).map_or(Ok(()), |what| Err(Error::LogLess { dir: dir.to_owned(), what }))
}

#[cfg(test)]
#[path = "known_tests.rs"]
mod tests;

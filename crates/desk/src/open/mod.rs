//! Opening: a pile of files becomes exhibits, facts and views.
//!
//! Three sorts of threads work at once. One walks and copies files into the vault. Workers read
//! what is sealed, each with the help of the pool. One writes the views. Between them the conductor
//! (the caller's thread) alone commits to the log, in the order: exhibit durable, record durable,
//! views. What is interrupted is found again: an exhibit that the log holds and the views do not is
//! read the next time.

mod conduct;
mod lay;
mod place;
mod repair;
mod sets;
mod sums;
pub(crate) mod walk;
pub(crate) mod worker;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use intake::{MappingFit, Parser};
use model::Precision;

use crate::desk::{Desk, Place};
use crate::progress::Progress;
use crate::{Error, Result};

pub use conduct::{Difference, RunCounts, Unread};
pub use worker::archive;

/// What is to be opened, and how it was acquired.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Files and folders.
    pub paths: Vec<PathBuf>,
    /// The item of the seizure's list.
    pub item: Option<String>,
    /// The authorisation it was taken under.
    pub authorisation: Option<String>,
    /// Who seized it.
    pub seized_by: Option<String>,
    /// When it was seized, ISO 8601.
    pub at: Option<String>,
    /// A table of addresses to lay over the built-in one: CSV `first,last,asn,name,country`.
    pub address_table: Option<PathBuf>,
    /// A mapping for tables of unknown columns (TOML).
    pub mapping: Option<PathBuf>,
    /// Seal by reference: read-only media.
    pub in_place: bool,
}

/// How the work is done.
#[derive(Debug, Clone)]
pub struct Work {
    /// Counters, to be read by whoever shows them.
    pub progress: Arc<Progress>,
    /// Set to call the work off: what is committed stays, and the next opening goes on.
    pub cancel: Arc<AtomicBool>,
    /// Threads of the pool; 0 for one a core.
    pub threads: usize,
    /// The parsers. Tests bring their own; everybody else takes [`intake::PARSERS`].
    pub parsers: &'static [Parser],
}

impl Default for Work {
    fn default() -> Self {
        Self {
            progress: Arc::default(),
            cancel: Arc::default(),
            threads: 0,
            parsers: intake::PARSERS,
        }
    }
}

impl Work {
    pub(crate) fn threads(&self) -> usize {
        match self.threads {
            0 => std::thread::available_parallelism().map_or(2, usize::from),
            n => n,
        }
    }
}

/// What came of an opening.
#[derive(Debug, Clone, PartialEq)]
pub struct Opened {
    /// The case in numbers.
    pub summary: crate::Summary,
    /// Files that could not be read at all.
    pub unread: Vec<Unread>,
    /// Exhibits whose facts differ from what the log says of an earlier run.
    pub differences: Vec<Difference>,
    /// Exhibits new to the case.
    pub sealed: u64,
    /// Exhibits that came in again from another source.
    pub received: u64,
    /// Of the tables read that a mapping was held against, the one that it fits best.
    pub mapped: Option<MappingFit>,
}

/// Opens material into a case, which is made where it is absent.
///
/// # Errors
/// The disk, the lock, a cancelled work. What was committed stays; the same call goes on from there.
pub fn open(place: &Place, request: &Request, work: &Work) -> Result<Opened> {
    check(request)?;
    let mut desk = Desk::open_or_create(place)?;
    let opened = conduct::conduct(&mut desk, request, work);
    // The log is closed in good order whatever became of the work.
    let closed = desk.close();
    let opened = opened?;
    closed?;
    Ok(opened)
}

/// What can be told to be wrong before a case is made or anything sealed into it.
fn check(request: &Request) -> Result<()> {
    if let Some(at) = &request.at
        && model::Stamp::parse_iso(at).is_none_or(|at| {
            at.offset_min.is_none()
                && !matches!(at.precision, Precision::Year | Precision::Month | Precision::Day)
        })
    {
        return Err(Error::Asked(format!(
            "{at:?} is no time: write ISO 8601 with its zone, such as 2024-11-26T06:00:00+01:00, or \
             a day such as 2024-11-26"
        )));
    }
    crate::package::within::check(&request.paths)?;
    if let Some(path) = &request.address_table {
        crate::count::overlay_of(&lay::text_of(path, lay::MAX_TABLE)?)?;
    }
    if let Some(path) = &request.mapping {
        intake::tables::mapping::Mapping::parse(&lay::text_of(path, lay::MAX_MAPPING)?)
            .map_err(|e| Error::Asked(format!("{}: {e}", path.display())))?;
    }
    Ok(())
}

/// Reads what the views hold nothing of, and brings everything derived up to date.
pub(crate) fn refresh(desk: &mut Desk, work: &Work) -> Result<Opened> {
    conduct::conduct(desk, &Request::default(), work)
}

/// Throws every view away and builds it again from log and exhibits. A difference between what the
/// log says of a parser's run and what it gave now is recorded.
///
/// # Errors
/// As for [`open`].
pub fn rebuild(place: &Place, work: &Work) -> Result<Opened> {
    let mut desk = Desk::open_bare(place)?;
    crate::views::Views::remove(&place.case)?;
    let rebuilt = conduct::rebuild(&mut desk, work);
    let closed = desk.close();
    let rebuilt = rebuilt?;
    closed?;
    Ok(rebuilt)
}

#[cfg(test)]
pub(crate) mod tests;

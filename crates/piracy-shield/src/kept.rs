//! What the wire asks for of a ticket and the house does not keep: the request as it came, the digests that were
//! announced, the archive, errors. A file a ticket, in `piracy-shield/` of the clearing house's folder.
//!
//! The request is sealed in the vault too, when the ticket is taken: the file can be lost, and then the wire shows
//! what lives of a ticket and no more. Nothing is decided by what stands here but whether an archive is the one
//! that was announced.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use desk::Result;
use ledger::disk::{self, Overwrite};
use serde::{Deserialize, Serialize};
use shield::item::Kind;
use shield::order::TicketId;

use crate::asked::{Asked, Line, REQUIRED};
use crate::body::Body;

/// The most bytes of a file: a request of 1 MiB, each byte of it escaped, and what is beside it.
const MAX_FILE: u64 = 16 << 20;
/// The most error tickets of a ticket.
pub(crate) const MAX_ERRORS: usize = 1_000;
/// Tickets that share a folder.
const A_FOLDER: u64 = 1_000;

/// What is kept of a ticket.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// The request, as it came; empty where the ticket came another way.
    pub(crate) request: String,
    /// Which of its values are no items, by their place in it, and why in a word.
    pub(crate) left_out: BTreeMap<u16, String>,
    /// The archive, once one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) archive: Option<Archive>,
    /// Errors that its reporter told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) errors: Vec<ErrorTicket>,
}

/// An archive that was handed in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Archive {
    /// What its reporter calls it.
    pub(crate) name: String,
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// Its bytes in the vault; `None` where it is not the one that was announced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) exhibit: Option<String>,
}

/// An error ticket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErrorTicket {
    /// When, in milliseconds since 1970.
    pub(crate) at_ms: i64,
    /// Who.
    pub(crate) by: String,
    /// What was wrong.
    pub(crate) values: Vec<String>,
}

impl Kept {
    /// The ticket as it was asked for.
    pub(crate) fn asked(&self) -> Option<Asked> {
        Asked::read(&Body::parse(self.request.as_bytes(), REQUIRED, true).ok()?).ok()
    }
}

/// Each line of a request with the place that its item has in the ticket; `None` where it has none.
pub(crate) fn places<'a>(
    asked: &'a Asked,
    left_out: &BTreeMap<u16, String>,
) -> impl Iterator<Item = (&'a Line, Option<u16>)> {
    let mut next = 0;
    (0_u16..).zip(&asked.lines).map(move |(n, line)| {
        let place = (!left_out.contains_key(&n)).then(|| {
            next += 1;
            next - 1
        });
        (line, place)
    })
}

/// The values of a kind in a request.
pub(crate) fn values(asked: &Asked, kind: Kind) -> Vec<String> {
    let of = asked.lines.iter().filter(|line| line.item.kind() == kind);
    of.map(|line| line.item.to_string()).collect()
}

/// The folder with these files.
#[derive(Debug)]
pub(crate) struct Shelf {
    dir: PathBuf,
    writing: Mutex<()>,
}

impl Shelf {
    /// The one of a clearing house.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn new(house: &Path) -> Result<Self> {
        let dir = house.join("piracy-shield");
        disk::create_dir(&dir)?;
        disk::set_mode(&dir, 0o700)?;
        Ok(Self { dir, writing: Mutex::default() })
    }

    fn path(&self, ticket: TicketId) -> PathBuf {
        let folder = (ticket.0 / A_FOLDER).to_string();
        self.dir.join(folder).join(format!("{}.json", ticket.0))
    }

    /// What is kept of a ticket; `None` where it came another way, or its file is gone.
    pub(crate) fn get(&self, ticket: TicketId) -> Option<Kept> {
        self.read(ticket).ok().flatten()
    }

    /// The same, where a file that cannot be read is told from one that is not there.
    fn read(&self, ticket: TicketId) -> Result<Option<Kept>> {
        let path = self.path(ticket);
        let failed = |source| desk::Error::Read { path: path.clone(), source };
        let file = match std::fs::File::open(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(failed)?,
        };
        let mut text = Vec::new();
        file.take(MAX_FILE).read_to_end(&mut text).map_err(failed)?;
        let damaged =
            |e: serde_json::Error| desk::Error::Beside(format!("{}: {e}", path.display()));
        serde_json::from_slice(&text).map(Some).map_err(damaged)
    }

    /// Keeps what is new of a ticket.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn put(&self, ticket: TicketId, kept: &Kept) -> Result<()> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        self.write(ticket, kept)
    }

    /// Changes what is kept of a ticket. What cannot be read now, since no file is free for a moment or since it
    /// is damaged, is not written over.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn change(&self, ticket: TicketId, change: impl FnOnce(&mut Kept)) -> Result<()> {
        let _one = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut kept = self.read(ticket)?.unwrap_or_default();
        change(&mut kept);
        self.write(ticket, &kept)
    }

    fn write(&self, ticket: TicketId, kept: &Kept) -> Result<()> {
        let path = self.path(ticket);
        if let Some(folder) = path.parent() {
            disk::create_dir(folder)?;
        }
        let text = serde_json::to_vec(kept).map_err(|e| desk::Error::Beside(e.to_string()))?;
        Ok(disk::write_with(&path, &text, Overwrite::Replace, 0o600)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_not_written_over() {
        let dir = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(dir.path()).unwrap();
        let ticket = TicketId(7);
        let kept = Kept { request: "{}".to_owned(), ..Kept::default() };
        shelf.put(ticket, &kept).unwrap();
        let error = || ErrorTicket {
            at_ms: 1,
            by: "league".to_owned(),
            values: vec!["a.example".to_owned()],
        };
        shelf.change(ticket, |kept| kept.errors.push(error())).unwrap();
        assert_eq!(
            shelf.get(ticket).map(|kept| (kept.request, kept.errors.len())),
            Some(("{}".to_owned(), 1))
        );
        // What came another way has no file, and gets one.
        shelf.change(TicketId(8), |kept| kept.errors.push(error())).unwrap();
        assert_eq!(shelf.get(TicketId(8)).map(|kept| kept.errors.len()), Some(1));
        disk::write(&shelf.path(ticket), b"{\"request\": \"ha").unwrap();
        assert!(shelf.change(ticket, |kept| kept.errors.push(error())).is_err());
        assert_eq!(std::fs::read(shelf.path(ticket)).unwrap(), b"{\"request\": \"ha");
    }
}

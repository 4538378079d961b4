//! The log's records, with the openings that this case still holds.

use super::{Page, Paging, Snapshot};
use crate::Result;

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogField {
    /// Its name.
    pub name: String,
    /// Its value, canonical JSON; `None` where it is committed and its opening was erased or is
    /// withheld.
    pub value: Option<String>,
    /// True where the log holds only its commitment.
    pub committed: bool,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place in the log, from 0 on.
    pub index: u64,
    /// Its kind (`exhibit.sealed`, `parse.run`, …).
    pub kind: String,
    /// When (RFC 3339).
    pub time: String,
    /// Who; `None` where withheld.
    pub actor: Option<String>,
    /// Under which authority.
    pub authority: String,
    /// The fields of its body, in the record's order.
    pub fields: Vec<LogField>,
}

impl Snapshot {
    /// Records, newest first.
    pub fn log(&self, paging: &Paging) -> Result<Page<LogEntry>> {
        let _ = paging;
        self.not_yet("the log")
    }

    /// One record.
    pub fn log_entry(&self, index: u64) -> Result<Option<LogEntry>> {
        let _ = index;
        self.not_yet("the log")
    }
}

//! When the case was last backed up, and whether a backup was ever tried.

use std::path::Path;

use model::record::Body;
use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value, json};
use vault::Records;

use super::Snapshot;
use crate::Result;

/// The last run of a backup that the log tells of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backup {
    /// Its record.
    pub record: u64,
    /// When (RFC 3339).
    pub time: String,
    /// Where it is; a user wrote it.
    pub destination: String,
    /// The records that it holds: its own is copied last.
    pub held: u64,
    /// Exhibits that could not be copied.
    pub findings: u64,
}

/// The last time that a backup was restored on trial.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drill {
    /// Its record.
    pub record: u64,
    /// When (RFC 3339).
    pub time: String,
    /// Which backup; a user wrote it.
    pub destination: String,
    /// The records that it held.
    pub held: u64,
    /// Records of the case that it did not hold then.
    pub behind: u64,
    /// What was wrong with it.
    pub findings: u64,
}

impl Drill {
    /// True where it held.
    pub fn holds(&self) -> bool {
        self.findings == 0
    }
}

/// The last of both.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Backups {
    /// Records of the case.
    pub records: u64,
    /// The last run.
    pub made: Option<Backup>,
    /// The last trial.
    pub drilled: Option<Drill>,
}

impl Backups {
    /// As `backup` and `drill` of a document: null where none is recorded. `behind` is what a restore
    /// would lose by now.
    pub fn to_json(&self) -> (Value, Value) {
        let made = self.made.as_ref().map(|made| {
            json!({
                "place": made.destination, "when": made.time, "record": made.record,
                "held": made.held, "behind": self.records.saturating_sub(made.held),
                "findings": made.findings,
            })
        });
        let drilled = self.drilled.as_ref().map(|drill| {
            json!({
                "place": drill.destination, "when": drill.time, "record": drill.record,
                "verdict": if drill.holds() { "holds" } else { "does not hold" },
                "held": drill.held, "behind": drill.behind, "findings": drill.findings,
            })
        });
        (made.into(), drilled.into())
    }

    /// Those of the case in `dir`, by the views' word on which records tell of them.
    pub(crate) fn of(dir: &Path, db: &Connection) -> Result<Self> {
        let records = Records::open(dir)?;
        let mut found = Self { records: records.len(), ..Self::default() };
        let mut query = db.prepare_cached("SELECT MAX(record) FROM backup WHERE drill = ?")?;
        for drill in [false, true] {
            let last: Option<i64> =
                query.query_row([drill], |row| row.get(0)).optional()?.flatten();
            let Some(index) = last.map(|at| at as u64) else { continue };
            let (record, opening) = records.get(index)?;
            // Of what was withheld or erased nothing can be said.
            match Body::read_left(&record, &opening) {
                Ok(Body::BackupMade(body)) => {
                    found.made = Some(Backup {
                        record: index,
                        time: record.time,
                        destination: body.destination,
                        // The run that wrote the record brought the backup up to it.
                        held: body.held + u64::from(body.held == index),
                        findings: body.findings,
                    });
                }
                Ok(Body::BackupDrilled(body)) => {
                    found.drilled = Some(Drill {
                        record: index,
                        time: record.time,
                        destination: body.destination,
                        held: body.held,
                        behind: body.behind,
                        findings: body.findings,
                    });
                }
                _ => {}
            }
        }
        Ok(found)
    }
}

impl Snapshot {
    /// The last backup and the last trial of one, as the log tells. What happened to the backup
    /// since is not known here.
    ///
    /// # Errors
    /// Log or views cannot be read.
    pub fn backups(&self) -> Result<Backups> {
        Backups::of(self.dir(), self.db()?)
    }
}

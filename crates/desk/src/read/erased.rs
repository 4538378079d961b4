//! What was erased, as far as the views tell: tombstones, and containers that are gone.

use model::ExhibitId;
use rusqlite::{OptionalExtension, Row};

use super::Snapshot;
use crate::Result;

/// An order of erasure, in short.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureHead {
    /// Its record.
    pub record: u64,
    /// When (RFC 3339).
    pub time: String,
    /// Who, where that is not withheld.
    pub actor: Option<String>,
    /// The legal basis.
    pub basis: String,
}

impl ErasureHead {
    /// `erased under record 17 on 2026-11-25 (basis)`.
    pub fn said(&self) -> String {
        let day = self.time.get(..10).unwrap_or(&self.time);
        format!("erased under record {} on {day} ({})", self.record, self.basis)
    }
}

/// What stands for an exhibit that was erased, whole or in part: it is called by the record that
/// sealed it, since its hash would let what is guessable be guessed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tombstone {
    /// The record that sealed it.
    pub sealed: u64,
    /// The order.
    pub order: ErasureHead,
    /// What is left of it, where a part was erased.
    pub rest: Option<ExhibitId>,
}

fn order(row: &Row<'_>) -> rusqlite::Result<ErasureHead> {
    Ok(ErasureHead {
        record: row.get::<_, i64>(0)? as u64,
        time: row.get(1)?,
        actor: row.get(2)?,
        basis: row.get(3)?,
    })
}

impl Snapshot {
    /// How many orders of erasure the log holds.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn erasures(&self) -> Result<u64> {
        let count: i64 =
            self.db()?.query_row("SELECT COUNT(*) FROM erasure", [], |row| row.get(0))?;
        Ok(count as u64)
    }

    /// What was erased of the exhibit that a record sealed, oldest first; empty where nothing was.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn tombstones(&self, sealed: u64) -> Result<Vec<Tombstone>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT e.record, e.time, e.actor, e.basis, x.id
             FROM tombstone t JOIN erasure e ON e.record = t.record
             LEFT JOIN exhibit x ON x.ord = t.rest WHERE t.sealed = ? ORDER BY t.record",
        )?;
        let rows = query.query_map([i64::try_from(sealed).unwrap_or(-1)], |row| {
            let rest: Option<[u8; 32]> = row.get(4)?;
            Ok(Tombstone { sealed, order: order(row)?, rest: rest.map(ExhibitId) })
        })?;
        Ok(rows.collect::<std::result::Result<_, _>>()?)
    }

    /// The order under which the container that an exhibit was in was erased.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn container_erased(&self, exhibit: &ExhibitId) -> Result<Option<ErasureHead>> {
        let mut query = self.db()?.prepare_cached(
            "SELECT e.record, e.time, e.actor, e.basis
             FROM exhibit x JOIN erasure e ON e.record = x.container_erased WHERE x.id = ?",
        )?;
        Ok(query.query_row([exhibit.0.as_slice()], order).optional()?)
    }
}

//! Orders of erasure in the views: they are built again after each, so that what is read here are
//! records whose openings are gone already.

use model::record::{ErasureOrdered, Opening, Record};
use rusqlite::Connection;

use crate::Result;

/// Takes in an order.
pub(super) fn order(
    db: &Connection,
    at: i64,
    record: &Record,
    opening: &Opening,
    body: &ErasureOrdered,
) -> Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO erasure (record, time, actor, basis) VALUES (?, ?, ?, ?)",
    )?
    .execute((at, &record.time, record.actor(opening), &body.basis))?;
    let mut add = db.prepare_cached(
        "INSERT OR IGNORE INTO tombstone (sealed, record, rest) VALUES (?, ?, ?)",
    )?;
    let rest = body.rest.map(|rest| rest as i64);
    for (places, rest) in [(&body.exhibits, None), (&body.parts, rest)] {
        for sealed in places.0.iter().cloned().flatten() {
            add.execute((sealed as i64, at, rest))?;
        }
    }
    let mut lose = db.prepare_cached(
        "UPDATE exhibit SET container_erased = ? WHERE ord >= ? AND ord < ? AND container IS NULL",
    )?;
    for (range, field) in &body.fields.0 {
        if field == "container" {
            lose.execute((at, range.start as i64, range.end as i64))?;
        }
    }
    Ok(())
}

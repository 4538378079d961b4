//! What messages say, by their words. The rows stay in their tables; here stands which of them
//! hold a word.

use std::path::Path;

use model::{Cell, Meaning, TableRole};
use rusqlite::Connection;

use super::Placed;
use crate::tables::{TableFile, file_name};
use crate::{Error, Result};

/// Rows decoded at a time.
const WINDOW: usize = 4096;

/// Takes in the messages of a run's tables.
pub(super) fn load(db: &Connection, folder: &Path, placed: &Placed) -> Result<()> {
    let mut add = db.prepare_cached("INSERT INTO said (rowid, text) VALUES (?, ?)")?;
    let mut first = 0u64;
    for (n, table) in placed.run.tables.iter().enumerate() {
        if table.schema.role != TableRole::Messages {
            continue;
        }
        let (from, column) = (first, table.schema.with(Meaning::Note));
        first += table.rows;
        if first > u64::from(u32::MAX) {
            return Err(Error::Bound("an exhibit of more than 4,294,967,295 messages".to_owned()));
        }
        let (Some(column), true) = (column, table.rows > 0) else { continue };
        let number = u32::try_from(n).unwrap_or(u32::MAX);
        let file = TableFile::open(&folder.join(file_name(&placed.run.exhibit, number)))?;
        for group in 0..file.groups() {
            let mut skip = 0;
            while skip < file.group_rows(group) {
                let batch = file.read(group, &[column], skip, WINDOW)?;
                for i in 0..batch.starts.len() {
                    if let Cell::Text(text) = batch.columns[0].get(i) {
                        let place = from + file.first(group) + (skip + i) as u64;
                        add.execute((placed.ord << 32 | place as i64, text))?;
                    }
                }
                skip += WINDOW;
            }
        }
    }
    Ok(())
}

/// Removes the messages of an exhibit.
pub(super) fn unload(db: &Connection, ord: i64) -> Result<()> {
    db.prepare_cached("DELETE FROM said WHERE rowid >= ? AND rowid < ?")?
        .execute((ord << 32, (ord + 1) << 32))?;
    Ok(())
}

/// The table and the row of a message: the table's number in the exhibit at place `ord`.
pub(crate) fn place_of(db: &Connection, rowid: i64) -> Result<Option<(i64, u64)>> {
    let (ord, mut row) = (rowid >> 32, (rowid & 0xffff_ffff) as u64);
    let mut tables = db.prepare_cached(
        "SELECT number, rows FROM bulk WHERE exhibit = ? AND role = 'messages' ORDER BY number",
    )?;
    let mut found = tables.query([ord])?;
    while let Some(table) = found.next()? {
        let (number, rows): (i64, i64) = (table.get(0)?, table.get(1)?);
        if row < rows as u64 {
            return Ok(Some((number, row)));
        }
        row -= rows as u64;
    }
    Ok(None)
}

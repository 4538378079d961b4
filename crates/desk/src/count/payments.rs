//! Payments, each once, whatever the number of exports it stands in.

use std::path::Path;

use model::{Cell, TableRole};
use rusqlite::{Connection, params};

use crate::Result;
use crate::tables::TableFile;

/// The columns of [`model::bulk::payments`] that a payment's row here is made of.
const WANTED: [&str; 9] =
    ["processor", "account", "txid", "class", "currency", "gross_minor", "time_utc", "from", "to"];

/// Fills `payment`. Where exports differ in a payment, the one sealed first holds.
pub(super) fn fill(db: &Connection, folder: &Path) -> Result<()> {
    let mut tables =
        db.prepare("SELECT id, file FROM bulk WHERE role = ? AND file IS NOT NULL ORDER BY id")?;
    let tables: Vec<(i64, String)> = tables
        .query_map([TableRole::Payments.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<std::result::Result<_, _>>()?;
    let shape = model::bulk::payments();
    let wanted: Vec<usize> = WANTED
        .iter()
        .filter_map(|name| shape.columns.iter().position(|c| c.name == *name))
        .collect();
    let mut add = db.prepare(
        "INSERT OR IGNORE INTO payment
         (processor, account, txid, sign, class, currency, gross_minor, time_utc, \"from\", \"to\",
          bulk, row)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for (bulk, file) in tables {
        let table = TableFile::open(&folder.join(file))?;
        for group in 0..table.groups() {
            let batch = table.read(group, &wanted, 0, usize::MAX)?;
            for row in 0..batch.starts.len() {
                let text = |c: usize| match batch.columns[c].get(row) {
                    Cell::Text(t) => Some(t),
                    _ => None,
                };
                let number = |c: usize| match batch.columns[c].get(row) {
                    Cell::Int(n) => Some(n),
                    _ => None,
                };
                let gross = number(5);
                // A row without a transaction's number is one of its own: its place tells it apart.
                let place;
                let txid = match text(2) {
                    Some(txid) if !txid.is_empty() => txid,
                    _ => {
                        place = format!("{bulk}:{}", batch.starts[row]);
                        &place
                    }
                };
                add.execute(params![
                    text(0).unwrap_or(""),
                    text(1).unwrap_or(""),
                    txid,
                    gross.map_or(0, i64::signum),
                    text(3).unwrap_or(""),
                    text(4),
                    gross,
                    number(6),
                    text(7),
                    text(8),
                    bulk,
                    (table.first(group) + row as u64) as i64,
                ])?;
            }
        }
    }
    Ok(())
}

/// Sums completed payments by currency.
pub(super) fn sum(db: &Connection) -> Result<()> {
    // Halves are summed apart: a sum of 64-bit amounts may need more than 64 bits.
    let mut query = db.prepare(
        "SELECT coalesce(currency, ''), COUNT(*), SUM(gross_minor >> 32),
                SUM(gross_minor & 4294967295)
         FROM payment WHERE class = 'completed' GROUP BY 1",
    )?;
    let mut add = db.prepare("INSERT INTO payment_sum (currency, count, sum) VALUES (?, ?, ?)")?;
    let mut found = query.query([])?;
    while let Some(row) = found.next()? {
        let (currency, count): (String, i64) = (row.get(0)?, row.get(1)?);
        let high: i64 = row.get::<_, Option<i64>>(2)?.unwrap_or(0);
        let low: i64 = row.get::<_, Option<i64>>(3)?.unwrap_or(0);
        let sum = (i128::from(high) << 32) + i128::from(low);
        add.execute((currency, count, sum.to_string()))?;
    }
    Ok(())
}

//! Figures: each with its rule, and what it was computed from.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;

use model::{Key, Meaning, TableRole};
use rusqlite::{Connection, params};
use serde_json::json;

use super::bulk::{Case, Table};
use super::{go_on, word_id};
use crate::Result;
use crate::tables::{TableFile, allowed, unexpired};

/// The names of the figures there are: faces have words for each, and for its rule.
pub const FIGURES: [&str; 3] = ["lines_owned", "lines", "active_lines"];

/// Writes figures.
struct Writer<'a> {
    db: &'a Connection,
    places: BTreeMap<i64, i64>,
}

impl Writer<'_> {
    fn put(
        &mut self,
        scope: i64,
        name: &str,
        value: u64,
        rule: &str,
        inputs: serde_json::Value,
    ) -> Result<()> {
        debug_assert!(FIGURES.contains(&name), "{name} is not among the figures");
        let place = self.places.entry(scope).or_default();
        self.db
            .prepare_cached(
                "INSERT INTO figure (scope, place, name, value, rule, inputs)
                 VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![scope, *place, name, value as i64, rule, inputs.to_string()])?;
        *place += 1;
        Ok(())
    }
}

/// Figures of operators and panels.
pub(super) fn fill(db: &Connection, case: &Case<'_>, cancel: &AtomicBool) -> Result<()> {
    let mut out = Writer { db, places: BTreeMap::new() };
    operators(case, &mut out)?;
    go_on(cancel)?;
    panels(case, &mut out)
}

/// The entity of a key, where there is one.
fn entity(db: &Connection, key: &str) -> Result<Option<i64>> {
    let Some(id) = crate::views::find(db, key)? else { return Ok(None) };
    let mut query = db.prepare_cached("SELECT entity FROM key WHERE id = ?")?;
    Ok(query.query_row([id], |row| row.get(0))?)
}

fn operators(case: &Case<'_>, out: &mut Writer<'_>) -> Result<()> {
    for ((panel, operator), count) in &case.owned {
        let Some(id) = entity(case.db, &format!("operator:{panel}/{operator}"))? else { continue };
        let tables = case.tables.iter().filter(|t| t.role == TableRole::Lines && &t.panel == panel);
        let inputs: Vec<_> = tables
            .filter_map(|t| {
                let n = t.with(Meaning::OperatorId)?;
                Some(json!({ "bulk": t.id, "terms": [["eq", n, operator]] }))
            })
            .collect();
        let rule = "distinct user names in rows of lines tables whose owner is this operator";
        out.put(id, "lines_owned", *count, rule, json!(inputs))?;
    }
    Ok(())
}

fn panels(case: &Case<'_>, out: &mut Writer<'_>) -> Result<()> {
    let mut by_panel: BTreeMap<&str, Vec<&Table>> = BTreeMap::new();
    for table in case.tables.iter().filter(|t| t.role == TableRole::Lines) {
        by_panel.entry(&table.panel).or_default().push(table);
    }
    for (panel, tables) in by_panel {
        let Some(scope) = entity(case.db, &format!("panel:{panel}"))? else { continue };
        let all: Vec<_> = tables.iter().map(|t| json!({ "bulk": t.id })).collect();
        let lines = case.lines.get(panel).copied().unwrap_or(0);
        let rule = "distinct user names in rows of the panel's lines tables";
        out.put(scope, "lines", lines, rule, json!(all))?;
        // Of two dumps the later one says what is active.
        let mut dated = Vec::new();
        for table in &tables {
            dated.push((dump_time(case.db, table)?, table.id, *table));
        }
        dated.sort_by_key(|(time, id, _)| (*time, *id));
        if let Some((Some(time), _, table)) = dated.pop() {
            let active = active_lines(table, time)?;
            let terms: Vec<_> = in_force(table)
                .map(|(meaning, n)| match meaning {
                    Meaning::Expiry => json!(["unexpired", n, time.to_string()]),
                    _ => json!(["ne", n, "0"]),
                })
                .collect();
            let rule = "rows of the latest dump's lines table that the operator and the \
                        administrator allow and that do not expire before the dump's own date";
            let input = json!([{ "bulk": table.id, "terms": terms }]);
            out.put(scope, "active_lines", active, rule, input)?;
        }
    }
    Ok(())
}

/// When the dump was made that a table stands in: seconds since the epoch.
fn dump_time(db: &Connection, table: &Table) -> Result<Option<i64>> {
    let Some(locator) = &table.locator else { return Ok(None) };
    let Some(id) = crate::views::find(db, Key::new("panel", locator).as_str())? else {
        return Ok(None);
    };
    let mut query = db.prepare_cached(
        "SELECT MAX(f.num) FROM fact f
         WHERE f.subject = ? AND f.property = ? AND f.tag = 3",
    )?;
    let ms: Option<i64> = query.query_row((id, word_id("dumped_at")), |row| row.get(0))?;
    Ok(ms.map(|ms| ms.div_euclid(1000)))
}

/// The columns that say whether a line is in force.
fn in_force(table: &Table) -> impl Iterator<Item = (Meaning, usize)> {
    [Meaning::Enabled, Meaning::AdminEnabled, Meaning::Expiry]
        .into_iter()
        .filter_map(|m| table.with(m).map(|n| (m, n)))
}

/// Rows that are enabled and unexpired at `time`.
fn active_lines(table: &Table, time: i64) -> Result<u64> {
    let Some(file) = &table.file else { return Ok(0) };
    let columns: Vec<(Meaning, usize)> = in_force(table).collect();
    let wanted: Vec<usize> = columns.iter().map(|(_, n)| *n).collect();
    let rows = TableFile::open(file)?;
    let mut active = 0;
    for group in 0..rows.groups() {
        let batch = rows.read(group, &wanted, 0, usize::MAX)?;
        for row in 0..batch.starts.len() {
            let holds = columns.iter().enumerate().all(|(c, (meaning, _))| {
                let cell = batch.columns[c].get(row);
                match meaning {
                    Meaning::Expiry => unexpired(&cell, time),
                    _ => allowed(&cell),
                }
            });
            active += u64::from(holds);
        }
    }
    Ok(active)
}

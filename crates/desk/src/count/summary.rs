//! The document that `open --json` ends with.

use std::collections::BTreeMap;
use std::path::Path;

use model::kinds::{ENTITY_KINDS, LINK_KINDS};
use model::{EntityKind, LinkKind};
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use crate::Result;
use crate::read::{Backups, CurrencySum};

/// A case in numbers.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// `<authority>/case/<id>`.
    pub case: String,
    /// True where no authority is named: everything is practice.
    pub practice: bool,
    /// Exhibits that may be seen: privileged ones, and what is inside them, count nowhere.
    pub exhibits: u64,
    /// Their bytes; a member and its container both count.
    pub bytes: u64,
    /// Facts.
    pub facts: u64,
    /// Present values in rows of bulk tables.
    pub bulk_values: u64,
    /// Distinct entities, in the registry's order; kinds without any left out.
    pub entities: Vec<(EntityKind, u64)>,
    /// Distinct links likewise.
    pub links: Vec<(LinkKind, u64)>,
    /// Completed payments by currency, in the order of the codes.
    pub payments: Vec<CurrencySum>,
    /// Servers by country, in the order of the codes; `ZZ` unknown.
    pub countries: BTreeMap<String, u64>,
    /// Problems, files that could not be read included.
    pub problems: u64,
    /// Of these what is only to be known: nothing is wrong.
    pub notes: u64,
    /// The last backup, and the last trial of one.
    pub backups: Backups,
    /// How long the opening took, in milliseconds.
    pub elapsed_ms: u64,
}

impl Summary {
    /// As one JSON document, in the order the command promises.
    pub fn to_json(&self) -> Value {
        let entities: Map<String, Value> =
            self.entities.iter().map(|(k, n)| (k.name().to_owned(), json!(n))).collect();
        let links: Map<String, Value> =
            self.links.iter().map(|(k, n)| (k.name().to_owned(), json!(n))).collect();
        let payments: Map<String, Value> = self
            .payments
            .iter()
            .map(|p| {
                // Beyond 64 bits no JSON reader agrees with another.
                let sum = i64::try_from(p.sum_minor);
                let sum = sum.map_or_else(|_| json!(p.sum_minor.to_string()), |n| json!(n));
                (p.currency.clone(), json!({ "count": p.count, "sum_minor": sum }))
            })
            .collect();
        let (backup, drill) = self.backups.to_json();
        json!({
            "case": self.case,
            "exhibits": self.exhibits,
            "bytes": self.bytes,
            "facts": self.facts,
            "bulk_values": self.bulk_values,
            "entities": entities,
            "links": links,
            "payments": payments,
            "countries": self.countries,
            "problems": self.problems,
            "notes": self.notes,
            "backup": backup,
            "drill": drill,
            "elapsed_ms": self.elapsed_ms,
        })
    }
}

/// Completed payments by currency.
pub(crate) fn payments(db: &Connection) -> Result<Vec<CurrencySum>> {
    let mut query =
        db.prepare_cached("SELECT currency, count, sum FROM payment_sum ORDER BY currency")?;
    let rows = query.query_map([], |row| {
        let sum: String = row.get(2)?;
        Ok(CurrencySum {
            currency: row.get(0)?,
            count: row.get::<_, i64>(1)? as u64,
            sum_minor: sum.parse().unwrap_or_default(),
        })
    })?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

/// Distinct entities by kind.
pub(crate) fn entities(db: &Connection) -> Result<Vec<(EntityKind, u64)>> {
    let mut query =
        db.prepare_cached("SELECT kind, count FROM tally WHERE sort = 'entity' ORDER BY kind")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    let rows = rows.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(rows
        .into_iter()
        .filter_map(|(kind, n)| ENTITY_KINDS.get(kind as usize).map(|def| (def.kind, n as u64)))
        .collect())
}

/// Distinct links by kind.
pub(crate) fn links(db: &Connection) -> Result<Vec<(LinkKind, u64)>> {
    let mut query =
        db.prepare_cached("SELECT kind, count FROM tally WHERE sort = 'link' ORDER BY kind")?;
    let rows = query.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))?;
    let rows = rows.collect::<std::result::Result<Vec<_>, _>>()?;
    Ok(rows
        .into_iter()
        .filter_map(|(kind, n)| LINK_KINDS.get(kind as usize).map(|def| (def.kind, n as u64)))
        .collect())
}

/// Servers by country of their address.
pub(crate) fn countries(db: &Connection) -> Result<BTreeMap<String, u64>> {
    let mut query = db.prepare_cached(
        "SELECT coalesce(country, 'ZZ'), COUNT(*) FROM entity WHERE kind = ? GROUP BY 1",
    )?;
    let rows = query.query_map([EntityKind::Server as i64], |row| {
        Ok((row.get(0)?, row.get::<_, i64>(1)? as u64))
    })?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

/// The whole summary, from what is settled.
pub(crate) fn summary(dir: &Path, db: &Connection, elapsed_ms: u64) -> Result<Summary> {
    let (exhibits, bytes): (i64, i64) = db.query_row(
        "SELECT COUNT(*), coalesce(SUM(size), 0) FROM exhibit
             WHERE ord NOT IN (SELECT ord FROM hidden)",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let (facts, values): (i64, i64) = db.query_row(
        "SELECT coalesce(SUM(facts), 0), coalesce(SUM(present), 0) FROM loaded",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let case: String = crate::views::meta(db, "origin")?.unwrap_or_default();
    Ok(Summary {
        practice: vault::authority_of(&case) == crate::desk::PRACTICE,
        case,
        exhibits: exhibits as u64,
        bytes: bytes as u64,
        facts: facts as u64,
        bulk_values: values as u64,
        entities: entities(db)?,
        links: links(db)?,
        payments: payments(db)?,
        countries: countries(db)?,
        problems: problems(db)?,
        notes: notes(db)?,
        backups: Backups::of(dir, db)?,
        elapsed_ms,
    })
}

/// Of the problems those of the kind `note`.
fn notes(db: &Connection) -> Result<u64> {
    let note = model::ProblemKind::Note.as_str();
    let sql = "SELECT COUNT(*) FROM problem WHERE kind = ?";
    let n: i64 = db.query_row(sql, [note], |row| row.get(0))?;
    Ok(n as u64)
}

/// Problems that may be seen.
pub(crate) fn problems(db: &Connection) -> Result<u64> {
    let n: i64 = db.query_row(
        "SELECT (SELECT coalesce(SUM(problems), 0) FROM loaded)
              + (SELECT COUNT(*) FROM unread)",
        [],
        |row| row.get(0),
    )?;
    Ok(n as u64)
}

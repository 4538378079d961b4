//! Payments, each once, whatever the number of exports it stands in.

use model::{EntityId, ExhibitId};
use rusqlite::ToSql;

use super::{MAX_PAGE, Page, Paging, Snapshot, Source, rows};
use crate::Result;
use crate::tables::{file_name, table_id};

/// Which payments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PaymentFilter {
    /// `completed`, `pending`, `hold`, `conversion`, … as the parser tells them.
    pub class: Option<String>,
    /// The currency's code; empty for payments without one.
    pub currency: Option<String>,
    /// Who paid.
    pub from: Option<EntityId>,
    /// Who was paid.
    pub to: Option<EntityId>,
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentRow {
    /// Who processed it (`paypal`, …).
    pub processor: String,
    /// The account whose export it was read from first.
    pub account: String,
    /// The processor's number of it; where the export gives none, where its row stands.
    pub txid: String,
    /// See [`PaymentFilter::class`].
    pub class: String,
    /// The currency's code, if stated.
    pub currency: Option<String>,
    /// Signed, in minor units, fees included, if stated.
    pub gross_minor: Option<i64>,
    /// Seconds since the epoch, UTC, if stated.
    pub time_utc: Option<i64>,
    /// Who paid: a key's text.
    pub from: Option<String>,
    /// Who was paid: a key's text.
    pub to: Option<String>,
    /// Where it was read; `None` where the table holds no such row.
    pub source: Option<Source>,
    /// The table it was read from, and its row there, from 0 on.
    pub row: (String, u64),
}

/// Payments of one page, and what all that the filter selects come to.
#[derive(Debug, Clone, PartialEq)]
pub struct Payments {
    /// By class, currency and time; those without a time first.
    pub page: Page<PaymentRow>,
    /// The signed sum of all that the filter selects, in minor units, where they are of one
    /// currency and each states an amount.
    pub sum_minor: Option<i128>,
}

impl Snapshot {
    /// Payments.
    ///
    /// # Errors
    /// The views cannot be read; no such page.
    pub fn payments(&self, filter: &PaymentFilter, paging: &Paging) -> Result<Payments> {
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let mut terms = vec!["1".to_owned()];
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        for (column, value) in [("class", &filter.class), ("unit", &filter.currency)] {
            if let Some(value) = value {
                terms.push(format!("p.{column} = ?"));
                values.push(Box::new(value.clone()));
            }
        }
        for (column, entity) in [("from", &filter.from), ("to", &filter.to)] {
            if let Some(entity) = entity {
                // What rows call it, by any of its keys.
                let number = self.entity_number(entity)?.unwrap_or(-1);
                terms.push(format!(
                    "p.\"{column}\" IN (SELECT text FROM key WHERE id = {number}
                       OR (entity = {number} AND entity <> id))"
                ));
            }
        }
        let (total, sum_minor) = self.payments_in_all(&terms, &values)?;
        if let Some(after) = &paging.after {
            let parts = rows::parts(after, 7)?;
            terms.push(
                "(p.class, p.unit, p.at, p.processor, p.account, p.txid, p.sign)
                 > (?, ?, ?, ?, ?, ?, ?)"
                    .to_owned(),
            );
            for (n, part) in parts.into_iter().enumerate() {
                if matches!(n, 2 | 6) {
                    values.push(Box::new(rows::number(&part)?));
                } else {
                    values.push(Box::new(part));
                }
            }
        }
        let sql = format!(
            "SELECT p.class, p.unit, p.at, p.processor, p.account, p.txid, p.sign, p.currency,
                    p.gross_minor, p.time_utc, p.\"from\", p.\"to\", p.bulk, p.row
             FROM payment p WHERE {}
             ORDER BY p.class, p.unit, p.at, p.processor, p.account, p.txid, p.sign LIMIT {}",
            terms.join(" AND "),
            limit + 1
        );
        let mut query = self.db()?.prepare_cached(&sql)?;
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        let mut found = query.query(values.as_slice())?;
        let mut items = Vec::new();
        let (mut last, mut next) = (String::new(), None);
        while let Some(row) = found.next()? {
            if items.len() == limit {
                next = Some(last);
                break;
            }
            let text = |at: usize| row.get::<_, String>(at);
            let (class, processor, account, txid) = (text(0)?, text(3)?, text(4)?, text(5)?);
            let (at, sign) = (row.get::<_, i64>(2)?, row.get::<_, i64>(6)?);
            last = rows::cursor(&[
                &class,
                &text(1)?,
                &at.to_string(),
                &processor,
                &account,
                &txid,
                &sign.to_string(),
            ]);
            let (table, source) = self.row_at(row.get(12)?, row.get::<_, i64>(13)? as u64)?;
            items.push(PaymentRow {
                processor,
                account,
                txid,
                class,
                currency: row.get(7)?,
                gross_minor: row.get(8)?,
                time_utc: row.get(9)?,
                from: row.get::<_, Option<String>>(10)?.filter(|key| !key.is_empty()),
                to: row.get::<_, Option<String>>(11)?.filter(|key| !key.is_empty()),
                source,
                row: (table, row.get::<_, i64>(13)? as u64),
            });
        }
        Ok(Payments { page: Page { items, next, total: Some(total) }, sum_minor })
    }

    /// How many a filter selects, and their sum.
    fn payments_in_all(
        &self,
        terms: &[String],
        values: &[Box<dyn ToSql>],
    ) -> Result<(u64, Option<i128>)> {
        // In two parts, so that a sum beyond 64 bits is one.
        let sql = format!(
            "SELECT COUNT(*), COUNT(DISTINCT p.unit), COUNT(p.gross_minor),
                    coalesce(SUM(p.gross_minor >> 32), 0),
                    coalesce(SUM(p.gross_minor & 4294967295), 0)
             FROM payment p WHERE {}",
            terms.join(" AND ")
        );
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        Ok(self.db()?.prepare_cached(&sql)?.query_row(values.as_slice(), |row| {
            let number = |at: usize| row.get::<_, i64>(at);
            let sum = (i128::from(number(3)?) << 32) + i128::from(number(4)?);
            let one = number(1)? == 1 && number(2)? == number(0)?;
            Ok((number(0)? as u64, one.then_some(sum)))
        })?)
    }

    /// A table's id, and where a row of it stands in its exhibit.
    fn row_at(&self, bulk: i64, row: u64) -> Result<(String, Option<Source>)> {
        let mut query = self.db()?.prepare_cached(
            "SELECT e.id, b.number, e.name, l.parser || '/' || l.version FROM bulk b
             JOIN exhibit e ON e.ord = b.exhibit JOIN loaded l ON l.exhibit = b.exhibit
             WHERE b.id = ?",
        )?;
        let (exhibit, number, name, parser) = query.query_row([bulk], |found| {
            let (number, name, parser) = (found.get(1)?, found.get(2)?, found.get(3)?);
            Ok((ExhibitId(found.get(0)?), number, name, parser))
        })?;
        let file = self.table_file(&file_name(&exhibit, number))?;
        let span = match file.group_of(row) {
            Some(group) => {
                let skip = usize::try_from(row - file.first(group)).unwrap_or(usize::MAX);
                let batch = file.read(group, &[], skip, 1)?;
                batch.starts.first().copied().zip(batch.ends.first().copied())
            }
            None => None,
        };
        let source = span.map(|(start, end)| Source { exhibit, name, start, end, parser });
        Ok((table_id(&exhibit, number), source))
    }

    /// Classes and currencies that payments have, each in order.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn payment_words(&self) -> Result<(Vec<String>, Vec<String>)> {
        let all = |column: &str| -> Result<Vec<String>> {
            let mut query = self.db()?.prepare_cached(&format!(
                "SELECT DISTINCT {column} FROM payment WHERE {column} <> '' ORDER BY 1 LIMIT 500"
            ))?;
            let found = query.query_map([], |row| row.get(0))?;
            Ok(found.collect::<std::result::Result<_, _>>()?)
        };
        Ok((all("class")?, all("unit")?))
    }
}

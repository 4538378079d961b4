//! Facts as pages show them.

use model::{EntityId, Key, Money};
use rusqlite::{OptionalExtension, Row, ToSql};

use super::entity::{EntityHead, FactFilter, FactRow, ShownValue, Source};
use super::rows::{self, HEAD, odd};
use super::{MAX_PAGE, Page, Paging, Snapshot};
use crate::pipeline::record::{TAG_BOOL, TAG_INT, TAG_KEY, TAG_MONEY, TAG_SECRET, TAG_TIME};
use crate::{Error, Result};

/// A fact with its exhibit and run, in the order [`fact`] reads it.
const FACT: &str = "f.id, s.text, w.text, f.tag, f.num, f.text, f.start, f.end, x.id, x.name,
  l.parser || '/' || l.version, o.text";

const JOINS: &str = "JOIN key s ON s.id = f.subject JOIN word w ON w.id = f.property
  JOIN exhibit x ON x.ord = f.id >> 32 JOIN loaded l ON l.exhibit = x.ord
  LEFT JOIN key o ON f.tag = 5 AND o.id = f.num";

impl Snapshot {
    /// Facts in the order of exhibits and of their places in them.
    ///
    /// # Errors
    /// The views cannot be read; no such page.
    pub fn facts(&self, filter: &FactFilter, paging: &Paging) -> Result<Page<FactRow>> {
        let db = self.db()?;
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let mut terms = vec!["1".to_owned()];
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        let mut total = None;
        if let Some(id) = &filter.entity {
            let Some(entity) = self.entity_number(id)? else { return Ok(empty()) };
            // One key is the common case; then the index gives the facts by itself.
            terms.push(format!("f.subject IN (SELECT id FROM key WHERE id = {entity} OR (entity = {entity} AND entity <> id))"));
            if filter.property.is_none() && filter.exhibit.is_none() {
                total = db
                    .query_row("SELECT facts FROM entity WHERE id = ?", [entity], |r| {
                        r.get::<_, i64>(0)
                    })
                    .optional()?
                    .map(|n| n as u64);
            }
        }
        if let Some(exhibit) = &filter.exhibit {
            let Some(ord) = crate::views::ord_of(db, exhibit)? else { return Ok(empty()) };
            terms.push(format!("f.id >= {} AND f.id < {}", ord << 32, (ord + 1) << 32));
            if filter.entity.is_none() && filter.property.is_none() && filter.span.is_none() {
                total = db
                    .query_row("SELECT facts FROM loaded WHERE exhibit = ?", [ord], |r| {
                        r.get::<_, i64>(0)
                    })
                    .optional()?
                    .map(|n| n as u64);
            }
        }
        if let Some(property) = &filter.property {
            terms.push("f.property = (SELECT id FROM word WHERE text = ?)".to_owned());
            values.push(Box::new(property.clone()));
        }
        if let Some((start, end)) = filter.span {
            terms.push("f.start < ? AND f.end > ?".to_owned());
            values.push(Box::new(i64::try_from(end).unwrap_or(i64::MAX)));
            values.push(Box::new(i64::try_from(start).unwrap_or(i64::MAX)));
        }
        if let Some(after) = &paging.after {
            terms.push(format!("f.id > {}", rows::number(&rows::parts(after, 1)?[0])?));
        }
        let sql = format!(
            "SELECT {FACT} FROM fact f {JOINS} WHERE {} ORDER BY f.id LIMIT {}",
            terms.join(" AND "),
            limit + 1
        );
        let mut query = db.prepare(&sql)?;
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        let mut found = query.query(values.as_slice())?;
        let mut items = Vec::new();
        while let Some(row) = found.next()? {
            items.push(self.fact(row)?);
        }
        let next = (items.len() > limit).then(|| {
            items.truncate(limit);
            items.last().map(|f: &FactRow| rows::cursor(&[&f.number.to_string()]))
        });
        Ok(Page { items, next: next.flatten(), total })
    }

    /// A fact by its number.
    pub(crate) fn fact_by_number(&self, number: i64) -> Result<Option<FactRow>> {
        let mut query = self
            .db()?
            .prepare_cached(&format!("SELECT {FACT} FROM fact f {JOINS} WHERE f.id = ?"))?;
        let mut found = query.query([number])?;
        match found.next()? {
            Some(row) => Ok(Some(self.fact(row)?)),
            None => Ok(None),
        }
    }

    fn fact(&self, row: &Row<'_>) -> Result<FactRow> {
        let subject: String = row.get(1)?;
        let source = Source {
            exhibit: rows::exhibit(row, 8)?,
            name: row.get(9)?,
            start: row.get::<_, i64>(6)? as u64,
            end: row.get::<_, i64>(7)? as u64,
            parser: row.get(10)?,
        };
        Ok(FactRow {
            number: row.get(0)?,
            subject: rows::key(&subject)?,
            property: row.get(2)?,
            value: self.value(row, 3, 11)?,
            source,
        })
    }

    /// The value in columns `at` (tag, num, text) and `key` (the object's key).
    pub(super) fn value(&self, row: &Row<'_>, at: usize, key: usize) -> Result<ShownValue> {
        let tag: u8 = row.get(at)?;
        let number = || row.get::<_, Option<i64>>(at + 1).map(Option::unwrap_or_default);
        let text = || row.get::<_, Option<String>>(at + 2).map(Option::unwrap_or_default);
        Ok(match tag {
            TAG_INT => ShownValue::Int(number()?),
            TAG_BOOL => ShownValue::Bool(number()? != 0),
            TAG_TIME => ShownValue::Time { text: text()?, utc_ms: number()? },
            TAG_MONEY => {
                let currency = text()?.parse().map_err(|_| odd("a currency that is none"))?;
                ShownValue::Money(Money { minor: number()?, currency })
            }
            TAG_SECRET => ShownValue::Masked,
            TAG_KEY => {
                let written = rows::key(&row.get::<_, Option<String>>(key)?.unwrap_or_default())?;
                match self.head_of_key(number()?)? {
                    Some(entity) => ShownValue::Entity { entity: Box::new(entity), written },
                    None => ShownValue::Text(written.as_str().to_owned()),
                }
            }
            _ => ShownValue::Text(text()?),
        })
    }

    /// The entity that a key's number belongs to.
    pub(super) fn head_of_key(&self, key: i64) -> Result<Option<EntityHead>> {
        let mut query = self.db()?.prepare_cached(&format!(
            "SELECT {HEAD} FROM key k JOIN entity e ON e.id = k.entity WHERE k.id = ?"
        ))?;
        let mut found = query.query([key])?;
        found.next()?.map(|row| rows::head(row, 0).map(|(_, head)| head)).transpose()
    }

    /// The number of the entity that an id belongs to now.
    pub(crate) fn entity_number(&self, id: &EntityId) -> Result<Option<i64>> {
        let db = self.db()?;
        let Some(key) = crate::views::find_id(db, id)? else { return Ok(None) };
        let mut query = db.prepare_cached("SELECT entity FROM key WHERE id = ?")?;
        Ok(query.query_row([key], |row| row.get(0))?)
    }

    /// The number of the entity that an id, or a key's text, names.
    pub(crate) fn entity_called(&self, id_or_key: &str) -> Result<Option<i64>> {
        if let Ok(id) = id_or_key.parse::<EntityId>() {
            return self.entity_number(&id);
        }
        let db = self.db()?;
        let Some(key) = Key::parse(id_or_key) else { return Ok(None) };
        let Some(key) = crate::views::find(db, key.as_str())? else { return Ok(None) };
        let mut query = db.prepare_cached("SELECT entity FROM key WHERE id = ?")?;
        Ok(query.query_row([key], |row| row.get(0))?)
    }
}

fn empty() -> Page<FactRow> {
    Page { items: Vec::new(), next: None, total: Some(0) }
}

impl From<std::num::TryFromIntError> for Error {
    fn from(_: std::num::TryFromIntError) -> Self {
        Self::Asked("a number beyond what the views can hold".to_owned())
    }
}

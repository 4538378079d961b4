//! Entities and links: pages and lists.

use std::collections::BTreeMap;

use model::kinds::{LINK_KINDS, entity};
use model::{EntityId, Key, LinkKind};
use rusqlite::{Row, ToSql};

use super::entity::{
    Direction, EntityFilter, EntityHead, EntityPage, LinkFilter, LinkGroup, LinkRow, PropertyGroup,
    ShownValue, Source,
};
use super::rows::{self, HEAD, HEAD_COLUMNS};
use super::table::TableQuery;
use super::tables::number_of;
use super::{MAX_PAGE, Page, Paging, Snapshot};
use crate::index::pair_key;
use crate::pipeline::record::TAG_KEY;
use crate::tables::index_name;
use crate::{Error, Result};

/// Facts of one entity that its page looks through for values; the rest is in the list of facts.
const LOOKED_THROUGH: usize = 20_000;

/// A link's columns, in the order [`Snapshot::link`] reads them, before and after the two heads.
const LINK: &str = "l.kind, l.count, l.first_ms, l.last_ms, l.fact, l.bulk";

fn heads() -> String {
    let of = |table: &str| HEAD.replace("e.", &format!("{table}."));
    format!("{}, {}", of("a"), of("b"))
}

/// Where a link stands in the list: its kind and the numbers of its ends, for paging.
pub(super) type LinkPlace = (i64, i64, i64);

impl Snapshot {
    /// An entity's head alone, by id (older ids too) or key.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn entity_head(&self, id_or_key: &str) -> Result<Option<EntityHead>> {
        let Some(number) = self.entity_called(id_or_key)? else { return Ok(None) };
        Ok(self.head_of(number)?.map(|(_, head)| head))
    }

    pub(super) fn head_of(&self, number: i64) -> Result<Option<(i64, EntityHead)>> {
        let mut query =
            self.db()?.prepare_cached(&format!("SELECT {HEAD} FROM entity e WHERE e.id = ?"))?;
        let mut found = query.query([number])?;
        found.next()?.map(|row| rows::head(row, 0)).transpose()
    }

    /// The entity an id belongs to now: itself, or the one it was merged into.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn resolve_id(&self, id: EntityId) -> Result<Option<EntityId>> {
        let Some(number) = self.entity_number(&id)? else { return Ok(None) };
        Ok(self.head_of(number)?.map(|(_, head)| head.id))
    }

    /// An entity by its id, an older id of it, or one of its keys' text. `None` where the case has
    /// none such.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn entity(&self, id_or_key: &str) -> Result<Option<EntityPage>> {
        let Some(number) = self.entity_called(id_or_key)? else { return Ok(None) };
        let Some((_, head)) = self.head_of(number)? else { return Ok(None) };
        let as_name = match head.asn {
            Some(asn) => self.as_name(asn)?,
            None => None,
        };
        let asked = id_or_key.parse::<EntityId>();
        Ok(Some(EntityPage {
            keys: self.keys_of(number)?,
            as_name,
            properties: self.properties(number, &head)?,
            links: self.link_groups(number)?,
            figures: self.figures_of(number)?,
            rows: self.rows_naming(number)?,
            merged: asked.is_ok_and(|id| id != head.id),
            head,
        }))
    }

    pub(super) fn as_name(&self, asn: u32) -> Result<Option<String>> {
        let mut query =
            self.db()?.prepare_cached("SELECT name FROM autonomous_system WHERE asn = ?")?;
        let mut found = query.query([asn])?;
        Ok(found.next()?.map(|row| row.get(0)).transpose()?)
    }

    /// An entity's keys, each with the fact that says it is the same thing.
    fn keys_of(&self, number: i64) -> Result<Vec<(Key, Option<Source>)>> {
        let db = self.db()?;
        let mut query = db.prepare_cached(
            "SELECT id, text FROM key WHERE id = ?1 OR (entity = ?1 AND entity <> id)
             ORDER BY text LIMIT 1000",
        )?;
        let mut reason = db.prepare_cached(
            "SELECT MIN(f.id) FROM fact f
             WHERE f.subject = ? AND f.property = (SELECT id FROM word WHERE text = 'same_as')",
        )?;
        let mut found = query.query([number])?;
        let mut keys = Vec::new();
        while let Some(row) = found.next()? {
            let text: String = row.get(1)?;
            let fact: Option<i64> = reason.query_row([row.get::<_, i64>(0)?], |r| r.get(0))?;
            let source = match fact {
                Some(fact) => self.fact_by_number(fact)?.map(|f| f.source),
                None => None,
            };
            keys.push((rows::key(&text)?, source));
        }
        Ok(keys)
    }

    fn properties(&self, number: i64, head: &EntityHead) -> Result<Vec<PropertyGroup>> {
        let mut query = self.db()?.prepare_cached(&format!(
            "SELECT w.text, f.tag, f.num, f.text, NULL, COUNT(*), MIN(f.id) FROM (
               SELECT f.* FROM fact f WHERE f.tag <> {TAG_KEY} AND f.subject IN
                 (SELECT id FROM key WHERE id = ?1 OR (entity = ?1 AND entity <> id))
               LIMIT {LOOKED_THROUGH}
             ) f JOIN word w ON w.id = f.property
             GROUP BY f.property, f.tag, f.num, f.text ORDER BY MIN(f.id)"
        ))?;
        let mut found = query.query([number])?;
        let mut groups: BTreeMap<String, PropertyGroup> = BTreeMap::new();
        while let Some(row) = found.next()? {
            let property: String = row.get(0)?;
            let group = groups.entry(property.clone()).or_insert_with(|| PropertyGroup {
                property,
                values: Vec::new(),
                distinct: 0,
            });
            group.distinct += 1;
            if group.values.len() < EntityPage::SHOWN {
                let value: ShownValue = self.value(row, 1, 4)?;
                if let Some(fact) = self.fact_by_number(row.get(6)?)? {
                    group.values.push((value, row.get::<_, i64>(5)? as u64, fact.source));
                }
            }
        }
        let def = match head.kind {
            model::EntityKind::Administrator => entity(model::EntityKind::Reseller),
            kind => entity(kind),
        };
        let place = |name: &str| def.properties.iter().position(|p| p.name == name);
        let mut groups: Vec<PropertyGroup> = groups.into_values().collect();
        groups.sort_by_key(|g| place(&g.property).unwrap_or(usize::MAX));
        Ok(groups)
    }

    fn link_groups(&self, number: i64) -> Result<Vec<LinkGroup>> {
        let mut groups = Vec::new();
        for (direction, column) in [(Direction::Out, "src"), (Direction::In, "dst")] {
            let mut query = self.db()?.prepare_cached(&format!(
                "SELECT kind, COUNT(*) FROM link WHERE {column} = ? GROUP BY kind ORDER BY kind"
            ))?;
            let mut found = query.query([number])?;
            while let Some(row) = found.next()? {
                let place: i64 = row.get(0)?;
                let links = self.links_where(
                    &format!("l.{column} = {number} AND l.kind = {place}"),
                    EntityPage::SHOWN,
                )?;
                groups.push(LinkGroup {
                    kind: rows::link_kind(place)?,
                    direction,
                    count: row.get::<_, i64>(1)? as u64,
                    links: links.into_iter().map(|(_, link)| link).collect(),
                });
            }
        }
        groups.sort_by_key(|g| (g.kind, g.direction));
        Ok(groups)
    }

    /// Links that a condition of ours selects, with their places for paging.
    pub(super) fn links_where(
        &self,
        condition: &str,
        limit: usize,
    ) -> Result<Vec<(LinkPlace, LinkRow)>> {
        let mut query = self.db()?.prepare_cached(&format!(
            "SELECT {LINK}, {}, l.src, l.dst FROM link l
             JOIN entity a ON a.id = l.src JOIN entity b ON b.id = l.dst
             WHERE {condition} ORDER BY l.kind, l.src, l.dst LIMIT {limit}",
            heads()
        ))?;
        let mut found = query.query([])?;
        let mut links = Vec::new();
        while let Some(row) = found.next()? {
            let places = 6 + 2 * HEAD_COLUMNS;
            let place = (row.get(0)?, row.get(places)?, row.get(places + 1)?);
            links.push((place, self.link(row)?));
        }
        Ok(links)
    }

    fn link(&self, row: &Row<'_>) -> Result<LinkRow> {
        let source = match row.get::<_, Option<i64>>(4)? {
            Some(fact) => self.fact_by_number(fact)?.map(|f| f.source),
            None => None,
        };
        let kind = rows::link_kind(row.get(0)?)?;
        let (_, from) = rows::head(row, 6)?;
        let (_, to) = rows::head(row, 6 + HEAD_COLUMNS)?;
        let count = row.get::<_, i64>(1)? as u64;
        let query = match row.get::<_, Option<i64>>(5)? {
            Some(bulk) => self.rows_of_link(bulk, kind, &from, &to)?,
            None => None,
        };
        let whole = match &query {
            Some(query) => source.is_none() && self.stating(query, kind, &from, &to)? == count,
            None => false,
        };
        Ok(LinkRow {
            kind,
            from,
            to,
            count,
            whole,
            first_ms: row.get(2)?,
            last_ms: row.get(3)?,
            source,
            rows: query,
        })
    }

    /// How many rows of a table state a link, by the index of its pairs; 0 where rows of that kind
    /// are not counted as they stand (payments, of which each counts once).
    pub(super) fn stating(
        &self,
        query: &TableQuery,
        kind: LinkKind,
        from: &EntityHead,
        to: &EntityHead,
    ) -> Result<u64> {
        let local = |key: &Key| key.rest().rsplit('/').next().unwrap_or("").to_owned();
        let pair = match kind {
            LinkKind::OwnedBy => pair_key(local(&to.key).as_bytes(), local(&from.key).as_bytes()),
            LinkKind::MemberOf => {
                pair_key(from.key.as_str().as_bytes(), to.key.as_str().as_bytes())
            }
            _ => return Ok(0),
        };
        let Some(table) = self.table(&query.table)? else { return Ok(0) };
        let name = index_name(&table.exhibit, number_of(&table), "pair");
        self.index_file(&name)?.count_of(&pair)
    }

    /// The rows of a table that state a link between two entities.
    pub(super) fn rows_of_link(
        &self,
        bulk: i64,
        kind: LinkKind,
        from: &EntityHead,
        to: &EntityHead,
    ) -> Result<Option<TableQuery>> {
        use super::table::{Filter, Op, Term};
        use model::Meaning;
        let Some(table) = self.table_by_number(bulk)? else { return Ok(None) };
        let local = |key: &Key| key.rest().rsplit('/').next().unwrap_or("").to_owned();
        let wanted = match kind {
            LinkKind::OwnedBy => {
                vec![(Meaning::UserName, local(&from.key)), (Meaning::OperatorId, local(&to.key))]
            }
            LinkKind::Paid | LinkKind::MemberOf => vec![
                (Meaning::From, from.key.as_str().to_owned()),
                (Meaning::To, to.key.as_str().to_owned()),
            ],
            LinkKind::AccountOf => vec![(Meaning::From, from.key.as_str().to_owned())],
            _ => return Ok(None),
        };
        let terms = wanted
            .into_iter()
            .filter_map(|(meaning, value)| {
                let column = table.columns.iter().find(|c| c.meaning == Some(meaning))?;
                Some(Term { column: column.name.clone(), op: Op::Eq, value })
            })
            .collect();
        Ok(Some(TableQuery { table: table.id, filter: Filter { terms }, ..TableQuery::default() }))
    }

    /// Entities, by kind in the registry's order, then caption.
    ///
    /// # Errors
    /// The views cannot be read; no such page.
    pub fn entities(&self, filter: &EntityFilter, paging: &Paging) -> Result<Page<EntityHead>> {
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let mut terms = vec!["1".to_owned()];
        let mut values: Vec<Box<dyn ToSql>> = Vec::new();
        if let Some(kind) = filter.kind {
            terms.push(format!("e.kind = {}", kind as i64));
        }
        if let Some(country) = &filter.country {
            terms.push("e.country = ?".to_owned());
            values.push(Box::new(country.clone()));
        }
        if let Some(asn) = filter.asn {
            terms.push(format!("e.asn = {asn}"));
        }
        if let Some(text) = &filter.text {
            match super::search::words_query(text) {
                Some(words) => {
                    terms.push("e.id IN (SELECT rowid FROM names WHERE names MATCH ?)".to_owned());
                    values.push(Box::new(words));
                }
                None => terms.push("0".to_owned()),
            }
        }
        let total = self.count_entities(filter, &terms, &values)?;
        if let Some(after) = &paging.after {
            let parts = rows::parts(after, 3)?;
            terms.push("(e.kind, e.caption, e.id) > (?, ?, ?)".to_owned());
            values.push(Box::new(rows::number(&parts[0])?));
            values.push(Box::new(parts[1].clone()));
            values.push(Box::new(rows::number(&parts[2])?));
        }
        let sql = format!(
            "SELECT {HEAD} FROM entity e WHERE {} ORDER BY e.kind, e.caption, e.id LIMIT {}",
            terms.join(" AND "),
            limit + 1
        );
        let mut query = self.db()?.prepare_cached(&sql)?;
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        let mut found = query.query(values.as_slice())?;
        let mut items = Vec::new();
        while let Some(row) = found.next()? {
            items.push(rows::head(row, 0)?);
        }
        let mut next = None;
        if items.len() > limit {
            items.truncate(limit);
            next = items.last().map(|(number, head)| {
                let kind = (head.kind as i64).to_string();
                rows::cursor(&[&kind, &head.caption, &number.to_string()])
            });
        }
        Ok(Page { items: items.into_iter().map(|(_, head)| head).collect(), next, total })
    }

    /// How many entities a filter selects, where an index counts them or they are few.
    fn count_entities(
        &self,
        filter: &EntityFilter,
        terms: &[String],
        values: &[Box<dyn ToSql>],
    ) -> Result<Option<u64>> {
        if filter.text.is_some() && filter.kind.is_none() {
            return Ok(None);
        }
        let sql = format!(
            "SELECT COUNT(*) FROM (SELECT 1 FROM entity e WHERE {} LIMIT 200001)",
            terms.join(" AND ")
        );
        let values: Vec<&dyn ToSql> = values.iter().map(AsRef::as_ref).collect();
        let n: i64 = self.db()?.query_row(&sql, values.as_slice(), |row| row.get(0))?;
        Ok((n <= 200_000).then_some(n as u64))
    }

    /// Links, by kind, from, to.
    ///
    /// # Errors
    /// The views cannot be read; no such page.
    pub fn links(&self, filter: &LinkFilter, paging: &Paging) -> Result<Page<LinkRow>> {
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let mut terms = vec!["1".to_owned()];
        if let Some(kind) = filter.kind {
            terms.push(format!("l.kind = {}", kind as i64));
        }
        for (id, column) in [(&filter.from, "src"), (&filter.to, "dst")] {
            if let Some(id) = id {
                let number = self
                    .entity_number(id)?
                    .ok_or_else(|| Error::NotFound { what: format!("the entity {id}") })?;
                terms.push(format!("l.{column} = {number}"));
            }
        }
        if let Some(after) = &paging.after {
            let parts = rows::parts(after, 3)?;
            let numbers: Vec<i64> = parts.iter().map(|p| rows::number(p)).collect::<Result<_>>()?;
            terms.push(format!(
                "(l.kind, l.src, l.dst) > ({}, {}, {})",
                numbers[0], numbers[1], numbers[2]
            ));
        }
        let mut items = self.links_where(&terms.join(" AND "), limit + 1)?;
        let mut next = None;
        if items.len() > limit {
            items.truncate(limit);
            next = items.last().map(|((kind, from, to), _)| {
                rows::cursor(&[&kind.to_string(), &from.to_string(), &to.to_string()])
            });
        }
        let total = match (filter.kind, &filter.from, &filter.to) {
            (Some(kind), None, None) if LINK_KINDS.get(kind as usize).is_some() => {
                Some(self.db()?.query_row(
                    "SELECT COUNT(*) FROM link WHERE kind = ?",
                    [kind as i64],
                    |row| row.get::<_, i64>(0),
                )? as u64)
            }
            _ => None,
        };
        Ok(Page { items: items.into_iter().map(|(_, link)| link).collect(), next, total })
    }
}

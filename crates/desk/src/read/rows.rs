//! Small helps for reading rows of the views.

use model::kinds::{ENTITY_KINDS, LINK_KINDS};
use model::{EntityId, EntityKind, ExhibitId, Key, LinkKind};
use rusqlite::Row;

use super::entity::EntityHead;
use crate::{Error, Result};

/// Columns of an entity's head, in the order [`head`] reads them from `at` on. `{0}` is the table.
pub(super) const HEAD: &str = "e.id, e.kind, e.caption, e.key, e.country, e.asn, e.facts, e.links";

/// How many columns [`HEAD`] has.
pub(super) const HEAD_COLUMNS: usize = 8;

/// Views that hold what they cannot.
pub(super) fn odd(what: &str) -> Error {
    Error::Table(format!("the views hold {what}"))
}

/// The kind of a place in the registry.
pub(super) fn entity_kind(place: i64) -> Result<EntityKind> {
    usize::try_from(place)
        .ok()
        .and_then(|i| ENTITY_KINDS.get(i))
        .map(|def| def.kind)
        .ok_or_else(|| odd("an unknown kind of entity"))
}

/// The kind of a place in the registry.
pub(super) fn link_kind(place: i64) -> Result<LinkKind> {
    usize::try_from(place)
        .ok()
        .and_then(|i| LINK_KINDS.get(i))
        .map(|def| def.kind)
        .ok_or_else(|| odd("an unknown kind of link"))
}

/// A key.
pub(super) fn key(text: &str) -> Result<Key> {
    Key::parse(text).ok_or_else(|| odd("a key that is none"))
}

/// An exhibit's id.
pub(super) fn exhibit(row: &Row<'_>, at: usize) -> Result<ExhibitId> {
    Ok(ExhibitId(row.get(at)?))
}

/// An entity's head, from column `at` on, with its number.
pub(super) fn head(row: &Row<'_>, at: usize) -> Result<(i64, EntityHead)> {
    let text: String = row.get(at + 3)?;
    let key = key(&text)?;
    let head = EntityHead {
        id: EntityId::of(&key),
        kind: entity_kind(row.get(at + 1)?)?,
        caption: row.get(at + 2)?,
        key,
        country: row.get(at + 4)?,
        asn: row.get(at + 5)?,
        facts: row.get::<_, i64>(at + 6)? as u64,
        links: row.get::<_, i64>(at + 7)? as u64,
    };
    Ok((row.get(at)?, head))
}

/// A cursor: values joined so that it fits a URL.
pub(super) fn cursor(parts: &[&str]) -> String {
    parts.iter().map(|p| model::id::hex(p.as_bytes())).collect::<Vec<_>>().join("-")
}

/// What [`cursor`] joined.
pub(super) fn parts(cursor: &str, count: usize) -> Result<Vec<String>> {
    let bad = || Error::Asked("no such page".to_owned());
    let parts: Option<Vec<String>> = cursor
        .split('-')
        .map(|part| model::id::unhex(part).and_then(|b| String::from_utf8(b).ok()))
        .collect();
    parts.filter(|p| p.len() == count).ok_or_else(bad)
}

/// A number of a cursor.
pub(super) fn number(text: &str) -> Result<i64> {
    text.parse().map_err(|_| Error::Asked("no such page".to_owned()))
}

//! Keys become entities.

use model::kinds::kind_of_scheme;
use model::{Key, Value};
use network::{Resolved, Resolver};
use rusqlite::{Connection, params};

use super::word_id;
use crate::Result;
use crate::views::KeyBook;

/// Works out which keys are one thing, from the facts that may be seen.
pub(super) fn resolve(db: &Connection) -> Result<Resolved> {
    let wanted = ["same_as", "has_address", "has_name", "role"];
    let ids: Vec<String> = wanted.iter().map(|w| word_id(w).to_string()).collect();
    let mut query = db.prepare(&format!(
        "SELECT s.text, f.property, o.text, f.text FROM fact f
         JOIN key s ON s.id = f.subject LEFT JOIN key o ON f.tag = 5 AND o.id = f.num
         WHERE f.property IN ({}) AND f.tag IN (0, 5)",
        ids.join(", ")
    ))?;
    let mut rows = query.query([])?;
    let mut resolver = Resolver::default();
    while let Some(row) = rows.next()? {
        let Some(subject) = Key::parse(row.get_ref(0)?.as_str().unwrap_or_default()) else {
            continue;
        };
        let property: i64 = row.get(1)?;
        let Some(word) = wanted.iter().find(|w| word_id(w) == property) else { continue };
        let value = match row.get_ref(2)?.as_str_or_null() {
            Ok(Some(object)) => Key::parse(object).map(Value::Key),
            _ => row.get::<_, Option<String>>(3)?.map(Value::Text),
        };
        if let Some(value) = value {
            resolver.add(&subject, word, &value);
        }
    }
    Ok(resolver.finish())
}

/// Keys looked at in one go.
const CHUNK: i64 = 20_000;

/// Fills `entity` and `key.entity`.
pub(super) fn fill(db: &Connection, keys: &mut KeyBook, resolved: &Resolved) -> Result<()> {
    db.execute_batch(
        "CREATE TEMP TABLE IF NOT EXISTS seen (id INTEGER PRIMARY KEY);
         DELETE FROM seen;
         INSERT OR IGNORE INTO seen SELECT f.subject FROM fact f;
         INSERT OR IGNORE INTO seen SELECT f.num FROM fact f WHERE f.tag = 5;
         UPDATE key SET entity = NULL
           WHERE entity IS NOT NULL AND id NOT IN (SELECT id FROM seen);",
    )?;
    let mut chunk = db.prepare(
        "SELECT k.id, k.text, k.entity FROM seen s JOIN key k ON k.id = s.id
         WHERE s.id > ? ORDER BY s.id LIMIT ?",
    )?;
    let mut set = db.prepare("UPDATE key SET entity = ?2 WHERE id = ?1")?;
    let mut after = i64::MIN;
    loop {
        let rows: Vec<(i64, String, Option<i64>)> = chunk
            .query_map((after, CHUNK), |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<std::result::Result<_, _>>()?;
        let Some(last) = rows.last() else { return Ok(()) };
        after = last.0;
        for (id, text, before) in rows {
            let Some(key) = Key::parse(&text) else { continue };
            let canonical = resolved.canonical(&key);
            let entity = if canonical == key {
                id
            } else {
                let entity = keys.id(db, canonical.as_str())?;
                set.execute((entity, entity))?;
                entity
            };
            if before != Some(entity) {
                set.execute((id, entity))?;
            }
            add(db, entity, &canonical, resolved)?;
        }
    }
}

/// Adds an entity, if it is not there.
pub(super) fn add(db: &Connection, id: i64, key: &Key, resolved: &Resolved) -> Result<()> {
    let Some(kind) = resolved.kind(key).or_else(|| kind_of_scheme(key.scheme())) else {
        return Ok(());
    };
    db.prepare_cached(
        "INSERT OR IGNORE INTO entity (id, kind, caption, key, facts, links)
         VALUES (?, ?, ?, ?, 0, 0)",
    )?
    .execute(params![id, kind as i64, caption(key), key.as_str()])?;
    Ok(())
}

/// What to call a thing that has no name: what its key says of it alone.
fn caption(key: &Key) -> &str {
    let rest = key.rest();
    match key.scheme() {
        "server" | "operator" | "line" | "stream" if !rest.starts_with("url:") => {
            match rest.rsplit_once('/') {
                Some((_, local)) if !local.is_empty() => local,
                _ => rest,
            }
        }
        _ => rest,
    }
}

/// Counts facts and links of each entity, and finds its name.
pub(super) fn finish(db: &Connection) -> Result<()> {
    let (name, user_name) = (word_id("name"), word_id("user_name"));
    db.execute_batch(&format!(
        "UPDATE entity SET facts = n FROM (
           SELECT k.entity AS e, SUM(c) AS n FROM (
             SELECT f.subject AS s, COUNT(*) AS c FROM fact f GROUP BY f.subject
           ) JOIN key k ON k.id = s GROUP BY k.entity
         ) WHERE id = e;
         UPDATE entity SET links = n FROM (
           SELECT e, SUM(c) AS n FROM (
             SELECT src AS e, COUNT(*) AS c FROM link GROUP BY src
             UNION ALL SELECT dst, COUNT(*) FROM link GROUP BY dst
           ) GROUP BY e
         ) WHERE id = e;
         CREATE TEMP TABLE IF NOT EXISTS called (e INTEGER PRIMARY KEY, rank INTEGER, f INTEGER);
         DELETE FROM called;
         INSERT INTO called
           SELECT k.entity, f.property <> {name}, MIN(f.id)
           FROM fact f JOIN key k ON k.id = f.subject
           WHERE f.property IN ({name}, {user_name}) AND f.tag = 0 AND f.text <> ''
             AND k.entity IS NOT NULL
           GROUP BY k.entity, f.property
           ON CONFLICT (e) DO UPDATE SET rank = excluded.rank, f = excluded.f
             WHERE excluded.rank < rank;
         UPDATE entity SET caption = substr(fact.text, 1, 200) FROM called JOIN fact
           ON fact.id = called.f WHERE entity.id = called.e;
         DROP TABLE called; DROP TABLE IF EXISTS seen;"
    ))?;
    fill_names(db)
}

/// Search by key and caption: one document an entity, in the order of their numbers.
fn fill_names(db: &Connection) -> Result<()> {
    db.execute_batch(
        "INSERT INTO names (names) VALUES ('delete-all');
         INSERT INTO names (rowid, text)
           SELECT id, caption || ' ' || substr(key, instr(key, ':') + 1) FROM entity ORDER BY id;",
    )?;
    Ok(())
}

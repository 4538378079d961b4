//! A record enters the views.

use model::custody::Book;
use model::record::{Body, Name, Opening, Record};
use model::{ExhibitId, Sha256Hex};
use rusqlite::{Connection, OptionalExtension};
use vault::{MemberOf, Origin};

use super::Views;
use crate::Result;

/// The exhibit's place, where the views know it.
pub(crate) fn ord_of(db: &Connection, id: &ExhibitId) -> Result<Option<i64>> {
    let mut query = db.prepare_cached("SELECT ord FROM exhibit WHERE id = ?")?;
    Ok(query.query_row([id.0.as_slice()], |row| row.get(0)).optional()?)
}

fn shown(name: &Option<Name>) -> Option<String> {
    name.as_ref().map(Name::shown)
}

impl Views {
    /// How many records of the log these views hold.
    pub(crate) fn applied(&self) -> Result<u64> {
        Ok(self.meta::<i64>("applied")?.unwrap_or(0) as u64)
    }

    /// Takes in records, which follow on those held, in one transaction.
    pub(crate) fn apply(
        &mut self,
        records: impl Iterator<Item = vault::Result<(u64, Record, Opening)>>,
    ) -> Result<()> {
        let tx = self.db.transaction()?;
        let mut last = None;
        for entry in records {
            let (index, record, opening) = entry?;
            apply(&tx, index, &record, &opening)?;
            last = Some(index);
        }
        if let Some(last) = last {
            hide(&tx)?;
            super::set_meta(&tx, "applied", last as i64 + 1)?;
        }
        tx.commit()?;
        if last.is_some() { self.withhold() } else { Ok(()) }
    }

    /// Takes what was read of privileged exhibits out of the views, files included: what is not
    /// there can be shown by no page, query or export.
    fn withhold(&mut self) -> Result<()> {
        let tx = self.db.transaction()?;
        let loaded: Vec<i64> = {
            let mut query =
                tx.prepare("SELECT exhibit FROM loaded WHERE exhibit IN (SELECT ord FROM hidden)")?;
            let rows = query.query_map([], |row| row.get(0))?;
            rows.collect::<std::result::Result<_, _>>()?
        };
        let mut files: Vec<String> = Vec::new();
        for ord in loaded {
            let mut query = tx.prepare_cached(
                "SELECT file FROM bulk WHERE exhibit = ?1 AND file IS NOT NULL
                 UNION SELECT i.file FROM bulk_index i JOIN bulk b ON b.id = i.bulk
                 WHERE b.exhibit = ?1",
            )?;
            let rows = query.query_map([ord], |row| row.get::<_, String>(0))?;
            files.extend(rows.collect::<std::result::Result<Vec<_>, _>>()?);
            super::load::unload(&tx, ord)?;
            super::set_meta(&tx, "stale", 1)?;
        }
        tx.commit()?;
        for file in files {
            ledger::disk::remove(&self.tables.join(file))?;
        }
        Ok(())
    }
}

/// Brings `hidden` up to date: privileged exhibits and their members, at any depth.
fn hide(db: &Connection) -> Result<()> {
    db.execute_batch(
        "DELETE FROM hidden;
         INSERT INTO hidden
           WITH RECURSIVE inside (ord) AS (
             SELECT ord FROM exhibit WHERE privileged
             UNION SELECT e.ord FROM exhibit e JOIN inside i ON e.container = i.ord
           )
           SELECT ord FROM inside;",
    )?;
    Ok(())
}

/// A record of which so much was withheld or erased that it says nothing leaves no trace but its place.
fn apply(db: &Connection, index: u64, record: &Record, opening: &Opening) -> Result<()> {
    let at = index as i64;
    if Book::takes(&record.kind) {
        return crate::custody::keep(db, at, record, opening);
    }
    let Ok(body) = Body::read_left(record, opening) else { return Ok(()) };
    match &body {
        Body::ExhibitSealed(b) => {
            let container = match &b.container {
                Some(id) => ord_of(db, id)?,
                None => None,
            };
            let name = shown(&b.member).or_else(|| shown(&b.source)).unwrap_or_default();
            db.prepare_cached(
                "INSERT OR IGNORE INTO exhibit
                 (ord, id, size, name, container, member, codec, in_place)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                at,
                b.exhibit.0.as_slice(),
                b.size as i64,
                name,
                container,
                shown(&b.member),
                &b.codec,
                b.in_place.as_ref().map(|p| p.0.clone()),
            ))?;
            receipt(db, at, at, record, opening, &Origin::of_sealed(b), &b.note)
        }
        Body::ExhibitReceived(b) => match ord_of(db, &b.exhibit)? {
            Some(ord) => receipt(db, at, ord, record, opening, &Origin::of_received(b), &b.note),
            None => Ok(()),
        },
        Body::SumsCompared(b) => {
            db.prepare_cached(
                "INSERT OR IGNORE INTO sum
                 (record, exhibit, algorithm, claimed, found, agrees, name, sums_exhibit, start, end)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                at,
                b.exhibit.map(|e| e.0.to_vec()),
                &b.algorithm,
                &b.claimed,
                &b.found,
                b.agrees,
                b.name.shown(),
                b.sums_exhibit.0.as_slice(),
                b.start as i64,
                b.end as i64,
            ))?;
            Ok(())
        }
        Body::ParseRun(b) => {
            let Some(ord) = ord_of(db, &b.exhibit)? else { return Ok(()) };
            let Sha256Hex(digest) = &b.digest;
            db.prepare_cached(
                "INSERT OR IGNORE INTO run
                 (record, exhibit, parser, version, facts, rows, present, problems, digest, time)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute((
                at,
                ord,
                &b.parser,
                b.version as i64,
                b.facts as i64,
                b.rows as i64,
                b.values as i64,
                b.problems as i64,
                digest.as_slice(),
                &record.time,
            ))?;
            Ok(())
        }
        Body::PrivilegeMarked(b) => mark(db, &b.exhibit, true),
        Body::PrivilegeReleased(b) => mark(db, &b.exhibit, false),
        Body::TableLaid(b) => {
            laid(db, at, &b.exhibit, "address_table", &b.name)?;
            super::set_meta(db, "stale", 1)
        }
        Body::AddressesTaken(b) => {
            laid(db, at, &b.exhibit, "addresses", &b.name)?;
            super::set_meta(db, "stale", 1)
        }
        Body::MappingLaid(b) => laid(db, at, &b.exhibit, "mapping", &b.name),
        Body::MaterialUnread(b) => {
            db.prepare_cached(
                "INSERT OR IGNORE INTO unread (record, path, message) VALUES (?, ?, ?)",
            )?
            .execute((at, b.path.shown(), &b.message))?;
            Ok(())
        }
        Body::CheckpointStamped(_) | Body::ExhibitStamped(_) => {
            db.prepare_cached("INSERT OR IGNORE INTO stamp (record) VALUES (?)")?.execute([at])?;
            Ok(())
        }
        Body::BackupMade(_) | Body::BackupDrilled(_) => {
            let drill = record.kind == "backup.drilled";
            db.prepare_cached("INSERT OR IGNORE INTO backup (record, drill) VALUES (?, ?)")?
                .execute((at, drill))?;
            Ok(())
        }
        Body::TicketReported(b) => crate::tickets::keep(db, at, b),
        Body::ErasureOrdered(b) => super::erased::order(db, at, record, opening, b),
        Body::CaseOpened(b) => super::set_meta(db, "origin", &b.origin),
        _ => Ok(()),
    }
}

/// A table laid down is an exhibit that no parser reads.
fn laid(db: &Connection, at: i64, exhibit: &ExhibitId, sort: &str, name: &Name) -> Result<()> {
    db.prepare_cached(
        "INSERT OR IGNORE INTO laid (record, exhibit, sort, name) VALUES (?, ?, ?, ?)",
    )?
    .execute((at, exhibit.0.as_slice(), sort, name.shown()))?;
    super::set_meta(db, sort, exhibit.0.as_slice())
}

fn mark(db: &Connection, exhibit: &ExhibitId, privileged: bool) -> Result<()> {
    db.prepare_cached("UPDATE exhibit SET privileged = ? WHERE id = ?")?
        .execute((privileged, exhibit.0.as_slice()))?;
    super::set_meta(db, "stale", 1)
}

fn receipt(
    db: &Connection,
    record_at: i64,
    exhibit: i64,
    record: &Record,
    opening: &Opening,
    origin: &Origin,
    note: &Option<String>,
) -> Result<()> {
    let member: Option<&MemberOf> = origin.member.as_ref();
    db.prepare_cached(
        "INSERT OR IGNORE INTO receipt
         (record, exhibit, path, item, authorisation, seized_by, seized_at, container, member,
          codec, place, note, time, actor)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(rusqlite::params![
        record_at,
        exhibit,
        shown(&origin.source),
        origin.item,
        origin.authorisation,
        origin.seized_by,
        origin.at,
        member.map(|m| m.container.0.to_vec()),
        member.map(|m| m.name.shown()),
        member.map(|m| m.codec.as_str()),
        member.and_then(|m| m.offset).map(|o| o as i64),
        note,
        record.time,
        record.actor(opening),
    ])?;
    Ok(())
}

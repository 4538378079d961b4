//! What a parser read of an exhibit enters the views, whole or not at all.

use std::collections::HashMap;

use model::ExhibitId;
use rusqlite::{Connection, params};

use super::keys::KeyBook;
use super::{Views, type_word, words};
use crate::pipeline::record::{
    FactRecord, ProblemRecord, TAG_BOOL, TAG_INT, TAG_KEY, TAG_SECRET, TAG_TEXT, take_fact,
    take_problem,
};
use crate::pipeline::run::Finished;
use crate::pipeline::spill::Taker;
use crate::pipeline::table::{IndexOf, TableDone};
use crate::tables::{file_name, index_name};
use crate::{Error, Result};

/// A finished run whose files have their names.
pub(crate) struct Placed {
    pub(crate) ord: i64,
    /// Its `parse.run` record.
    pub(crate) record: i64,
    pub(crate) run: Finished,
    /// Digest of each table's file, by table.
    pub(crate) files: Vec<Option<[u8; 32]>>,
    /// Keys, rows and digest of each table's indexes.
    pub(crate) indexes: Vec<Vec<IndexPlaced>>,
}

/// An index that has its name.
pub(crate) struct IndexPlaced {
    pub(crate) of: IndexOf,
    pub(crate) keys: u64,
    pub(crate) rows: u64,
    pub(crate) digest: [u8; 32],
}

/// Most facts of one exhibit: their place has 32 bits.
const MAX_FACTS: i64 = u32::MAX as i64;

impl Views {
    /// Takes in runs, in one transaction: what the views held of these exhibits goes.
    pub(crate) fn load(&mut self, runs: &[Placed]) -> Result<()> {
        let words: HashMap<&str, i64> =
            words().into_iter().enumerate().map(|(i, w)| (w, i as i64)).collect();
        let tx = self.db.transaction()?;
        let result = (|| {
            for placed in runs {
                unload(&tx, placed.ord)?;
                let run = &placed.run;
                load_facts(&tx, &mut self.keys, &words, placed)?;
                load_problems(&tx, placed)?;
                for (n, table) in run.tables.iter().enumerate() {
                    let n = u32::try_from(n).unwrap_or(u32::MAX);
                    load_table(&tx, placed, n, table)?;
                }
                super::said::load(&tx, &self.tables, placed)?;
                tx.prepare_cached(
                    "INSERT INTO loaded (exhibit, record, parser, version, facts, rows, present,
                       problems, digest, bytes_read, bytes_filler, bytes_lost)
                     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![
                    placed.ord,
                    placed.record,
                    run.parser,
                    run.version,
                    run.facts.count() as i64,
                    run.rows() as i64,
                    run.values() as i64,
                    run.problems.count() as i64,
                    run.digest.as_slice(),
                    run.coverage.read as i64,
                    run.coverage.filler as i64,
                    run.coverage.lost as i64,
                ])?;
            }
            super::set_meta(&tx, "stale", 1)
        })();
        match result {
            Ok(()) => Ok(tx.commit()?),
            Err(error) => {
                self.keys.forget();
                Err(error)
            }
        }
    }
}

impl Views {
    /// Removes what the views hold of exhibits' content, so that they are read again.
    pub(crate) fn unload(&mut self, exhibits: &[i64]) -> Result<()> {
        if exhibits.is_empty() {
            return Ok(());
        }
        let tx = self.db.transaction()?;
        for ord in exhibits {
            unload(&tx, *ord)?;
        }
        super::set_meta(&tx, "stale", 1)?;
        Ok(tx.commit()?)
    }
}

/// Removes what the views hold of an exhibit's content.
pub(crate) fn unload(db: &Connection, ord: i64) -> Result<()> {
    let mut there = db.prepare_cached("SELECT EXISTS (SELECT 1 FROM loaded WHERE exhibit = ?)")?;
    if !there.query_row([ord], |row| row.get::<_, bool>(0))? {
        return Ok(());
    }
    let (low, high) = (ord << 32, (ord + 1) << 32);
    db.execute(
        "DELETE FROM words WHERE rowid IN (SELECT id FROM fact WHERE id >= ? AND id < ? AND tag = 0)",
        (low, high),
    )?;
    super::said::unload(db, ord)?;
    db.execute("DELETE FROM fact WHERE id >= ? AND id < ?", (low, high))?;
    db.execute("DELETE FROM problem WHERE id >= ? AND id < ?", (low, high))?;
    db.execute("DELETE FROM secret WHERE exhibit = ?", [ord])?;
    let (low, high) = (ord << 16, (ord + 1) << 16);
    for table in ["bulk_column", "bulk_index"] {
        db.execute(&format!("DELETE FROM {table} WHERE bulk >= ? AND bulk < ?"), (low, high))?;
    }
    db.execute("DELETE FROM bulk WHERE id >= ? AND id < ?", (low, high))?;
    db.execute("DELETE FROM loaded WHERE exhibit = ?", [ord])?;
    Ok(())
}

fn load_facts(
    db: &Connection,
    keys: &mut KeyBook,
    words: &HashMap<&str, i64>,
    placed: &Placed,
) -> Result<()> {
    if placed.run.facts.count() > MAX_FACTS as u64 {
        return Err(Error::Bound("an exhibit of more than 4,294,967,295 facts".to_owned()));
    }
    let mut add = db.prepare_cached(
        "INSERT INTO fact (id, subject, property, tag, num, text, start, end)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    let mut hide = db.prepare_cached("INSERT OR IGNORE INTO secret VALUES (?, ?, ?)")?;
    let mut word = db.prepare_cached("INSERT INTO words (rowid, text) VALUES (?, ?)")?;
    let mut taker = Taker::new(placed.run.facts.reader()?);
    let mut fact = FactRecord::default();
    let mut id = placed.ord << 32;
    // A parser states most of a subject's facts one after the other.
    let mut last_subject = String::new();
    let mut last_id = 0;
    while take_fact(&mut taker, &mut fact)? {
        if fact.subject != last_subject {
            last_id = keys.id(db, &fact.subject)?;
            last_subject.clone_from(&fact.subject);
        }
        let Some(property) = words.get(fact.property.as_str()) else {
            return Err(Error::Asked(format!("no such word in the registry: {}", fact.property)));
        };
        let num = match fact.tag {
            TAG_KEY => Some(keys.id(db, &fact.text)?),
            TAG_TEXT | TAG_SECRET => None,
            _ => Some(fact.number),
        };
        let text = match fact.tag {
            TAG_KEY | TAG_SECRET | TAG_INT | TAG_BOOL => None,
            _ => Some(fact.text.as_str()),
        };
        let (start, end) = (fact.start as i64, fact.end as i64);
        add.execute(params![id, last_id, property, fact.tag, num, text, start, end])?;
        if fact.tag == TAG_SECRET {
            hide.execute((placed.ord, start, end))?;
        }
        if fact.tag == TAG_TEXT {
            word.execute((id, fact.text.as_str()))?;
        }
        id += 1;
    }
    Ok(())
}

fn load_problems(db: &Connection, placed: &Placed) -> Result<()> {
    let mut add = db.prepare_cached(
        "INSERT INTO problem (id, kind, start, end, message, lost) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    let mut taker = Taker::new(placed.run.problems.reader()?);
    let mut problem = ProblemRecord::default();
    let mut id = placed.ord << 32;
    while take_problem(&mut taker, &mut problem)? {
        let (start, end) = (problem.start as i64, problem.end as i64);
        add.execute(params![id, problem.kind, start, end, problem.message, problem.lost])?;
        id += 1;
    }
    Ok(())
}

fn load_table(db: &Connection, placed: &Placed, n: u32, table: &TableDone) -> Result<()> {
    let exhibit: &ExhibitId = &placed.run.exhibit;
    let id = placed.ord << 16 | i64::from(n);
    let schema = &table.schema;
    let sha256 = placed.files.get(n as usize).copied().flatten();
    db.prepare_cached(
        "INSERT INTO bulk (id, exhibit, number, name, db, role, locator, rows, present, file,
           sha256, digest)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?
    .execute(params![
        id,
        placed.ord,
        n,
        schema.name,
        schema.db,
        schema.role.as_str(),
        schema.panel,
        table.rows as i64,
        table.values as i64,
        sha256.map(|_| file_name(exhibit, n)),
        sha256.map(|d| d.to_vec()),
        table.digest.as_slice(),
    ])?;
    let mut add = db.prepare_cached(
        "INSERT INTO bulk_column (bulk, n, name, ty, meaning, secret) VALUES (?, ?, ?, ?, ?, ?)",
    )?;
    for (i, column) in schema.columns.iter().enumerate() {
        let meaning = column.meaning.map(model::Meaning::as_str);
        add.execute((id, i as i64, &column.name, type_word(column.ty), meaning, column.secret))?;
    }
    let mut add = db.prepare_cached(
        "INSERT INTO bulk_index (bulk, what, n, second, meaning, file, sha256, keys, rows)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    for index in placed.indexes.get(n as usize).into_iter().flatten() {
        let word = index.of.word();
        let (first, second, meaning) = match index.of {
            IndexOf::Column(c, meaning) => (c, None, Some(meaning.as_str())),
            IndexOf::Pair(a, b) => (a, Some(b as i64), None),
        };
        add.execute(params![
            id,
            word,
            first as i64,
            second,
            meaning,
            index_name(exhibit, n, &word),
            index.digest.as_slice(),
            index.keys as i64,
            index.rows as i64,
        ])?;
    }
    Ok(())
}

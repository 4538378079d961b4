//! The views: what the log and the exhibits say, laid out for reading, in one SQLite file.
//!
//! One writer ([`Views`]); readers take snapshots through `crate::read`. `apply` of a record cannot
//! fail but for the disk; a parser's run enters in one transaction.

mod apply;
mod erased;
mod keys;
mod load;
mod said;

use std::path::{Path, PathBuf};

use ledger::disk::shred;
use model::{ColumnType, Meaning, TableRole};
use rusqlite::{Connection, OpenFlags};

pub(crate) use apply::ord_of;
pub(crate) use keys::{KeyBook, find, find_id};
pub(crate) use load::{IndexPlaced, Placed};
pub(crate) use said::place_of;

use crate::Result;

/// Raised whenever the layout changes: older views are thrown away and built again.
pub(crate) const LAYOUT: i64 = 8;

/// In `meta` while views that began anew wait for the exhibits to be read again.
pub(crate) const UNREAD: &str = "unread";

/// The views' file in a case.
pub(crate) fn file(case: &Path) -> PathBuf {
    case.join("views.sqlite")
}

/// The views, open for writing.
pub(crate) struct Views {
    pub(crate) db: Connection,
    pub(crate) keys: KeyBook,
    tables: PathBuf,
}

impl std::fmt::Debug for Views {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Views")
    }
}

impl Views {
    /// Opens, or makes, the views of a case. The caller holds the case's writer lock. Views of
    /// another layout, or that SQLite cannot read, are thrown away.
    pub(crate) fn open(case: &Path) -> Result<Self> {
        match Self::try_open(case) {
            Ok(Some(views)) => Ok(views),
            Ok(None) => {
                Self::remove(case)?;
                Self::create(case)
            }
            Err(crate::Error::Views(rusqlite::Error::SqliteFailure(e, _)))
                if matches!(
                    e.code,
                    rusqlite::ErrorCode::NotADatabase | rusqlite::ErrorCode::DatabaseCorrupt
                ) =>
            {
                Self::remove(case)?;
                Self::create(case)
            }
            Err(other) => Err(other),
        }
    }

    fn try_open(case: &Path) -> Result<Option<Self>> {
        if !file(case).is_file() {
            return Ok(None);
        }
        let db = connect(case)?;
        let layout: i64 = db.query_row("PRAGMA user_version", [], |row| row.get(0))?;
        if layout != LAYOUT {
            return Ok(None);
        }
        Ok(Some(Self { db, keys: KeyBook::default(), tables: case.join("tables") }))
    }

    fn create(case: &Path) -> Result<Self> {
        ledger::disk::create_dir(&case.join("tables"))?;
        let mut db = connect(case)?;
        let tx = db.transaction()?;
        tx.execute_batch(include_str!("schema.sql"))?;
        {
            let mut add = tx.prepare("INSERT INTO word (id, text) VALUES (?, ?)")?;
            for (id, word) in words().iter().enumerate() {
                add.execute((id as i64, word))?;
            }
        }
        tx.pragma_update(None, "user_version", LAYOUT)?;
        tx.commit()?;
        Ok(Self { db, keys: KeyBook::default(), tables: case.join("tables") })
    }

    /// Throws the views away: the database, the tables, their indexes.
    pub(crate) fn remove(case: &Path) -> Result<()> {
        for name in ["views.sqlite", "views.sqlite-wal", "views.sqlite-shm"] {
            ledger::disk::remove(&case.join(name))?;
        }
        ledger::disk::remove_dir_all(&case.join("tables"))?;
        Ok(())
    }

    /// Throws the views away as [`Views::remove`] does, overwriting what stood there. In this order,
    /// since an opening that comes after a crash must find the views older than the order of erasure,
    /// or damaged, or not at all: never a half that passes for whole.
    pub(crate) fn shred(case: &Path) -> Result<()> {
        for name in ["views.sqlite-wal", "views.sqlite-shm"] {
            shred::shred(&case.join(name))?;
        }
        shred::folder(&case.join("tables"))?;
        Ok(shred::shred(&file(case))?)
    }

    /// A value of `meta`.
    pub(crate) fn meta<T: rusqlite::types::FromSql>(&self, name: &str) -> Result<Option<T>> {
        meta(&self.db, name)
    }

    /// Sets a value of `meta`.
    pub(crate) fn set_meta(&self, name: &str, value: impl rusqlite::ToSql) -> Result<()> {
        set_meta(&self.db, name, value)
    }
}

/// A value of `meta`.
pub(crate) fn meta<T: rusqlite::types::FromSql>(db: &Connection, name: &str) -> Result<Option<T>> {
    use rusqlite::OptionalExtension;
    let mut query = db.prepare_cached("SELECT value FROM meta WHERE name = ?")?;
    Ok(query.query_row([name], |row| row.get(0)).optional()?)
}

/// Sets a value of `meta`.
pub(crate) fn set_meta(db: &Connection, name: &str, value: impl rusqlite::ToSql) -> Result<()> {
    let mut set = db.prepare_cached(
        "INSERT INTO meta (name, value) VALUES (?1, ?2)
         ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )?;
    set.execute((name, value))?;
    Ok(())
}

fn connect(case: &Path) -> Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(file(case), flags)?;
    db.busy_timeout(std::time::Duration::from_secs(30))?;
    // Views are rebuilt, not rescued: a crash of the machine may cost the last transactions, never
    // their wholeness (WAL with NORMAL), and the log says what is missing.
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536;
         PRAGMA temp_store = MEMORY; PRAGMA wal_autocheckpoint = 4096; PRAGMA foreign_keys = OFF;",
    )?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(db)
}

/// Every word that a fact's property may be, in a fixed order: a word's number is its place.
pub(crate) fn words() -> Vec<&'static str> {
    let mut words = vec![model::fact::SAME_AS];
    for def in model::kinds::LINK_KINDS {
        words.push(def.name);
    }
    for def in model::kinds::ENTITY_KINDS {
        for property in def.properties {
            if !words.contains(&property.name) {
                words.push(property.name);
            }
        }
    }
    words
}

/// The word of a column's type.
pub(crate) fn type_word(ty: ColumnType) -> &'static str {
    match ty {
        ColumnType::Int => "int",
        ColumnType::Real => "real",
        ColumnType::Text => "text",
        ColumnType::Bytes => "bytes",
    }
}

/// The type of a word.
pub(crate) fn type_of_word(word: &str) -> ColumnType {
    match word {
        "int" => ColumnType::Int,
        "real" => ColumnType::Real,
        "bytes" => ColumnType::Bytes,
        _ => ColumnType::Text,
    }
}

/// Every meaning.
pub const MEANINGS: [Meaning; 24] = [
    Meaning::Id,
    Meaning::UserName,
    Meaning::LineId,
    Meaning::OperatorId,
    Meaning::StreamId,
    Meaning::ServerId,
    Meaning::Mac,
    Meaning::Email,
    Meaning::Address,
    Meaning::Country,
    Meaning::Isp,
    Meaning::UserAgent,
    Meaning::Time,
    Meaning::TimeEnd,
    Meaning::Expiry,
    Meaning::Enabled,
    Meaning::AdminEnabled,
    Meaning::Trial,
    Meaning::Created,
    Meaning::MaxConnections,
    Meaning::Note,
    Meaning::Token,
    Meaning::From,
    Meaning::To,
];

/// The meaning of a word.
pub(crate) fn meaning_of_word(word: &str) -> Option<Meaning> {
    MEANINGS.into_iter().find(|m| m.as_str() == word)
}

/// The role of a word.
pub(crate) fn role_of_word(word: &str) -> TableRole {
    TableRole::ALL.into_iter().find(|role| role.as_str() == word).unwrap_or(TableRole::Plain)
}

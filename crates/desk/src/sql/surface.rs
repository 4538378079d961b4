//! The case in words, as views that last as long as the connection.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use model::kinds::{ENTITY_KINDS, LINK_KINDS};
use model::{EntityId, Key};
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::Result;

/// What a query may read besides the bulk tables. Their columns stand in `docs/sql.md`.
pub const SURFACE: [&str; 10] = [
    "entity",
    "link",
    "fact",
    "exhibit",
    "receipt",
    "problem",
    "payment",
    "bulk_table",
    "bulk_column",
    "tally",
];

/// What the authorizer tells a view's reading from a query's by.
#[derive(Debug, Clone)]
pub(super) struct Laid {
    /// The name of the database below, and with what the names of the views begin that may read it.
    /// Nobody who writes a query knows it.
    pub(super) prefix: String,
    /// The names of what lies below, in lower case.
    pub(super) below: HashSet<String>,
}

impl Laid {
    pub(super) fn new(connection: &Connection, prefix: String) -> Result<Self> {
        let sql = format!("SELECT lower(name) FROM {prefix}.sqlite_schema");
        let mut query = connection.prepare(&sql)?;
        let names = query.query_map([], |row| row.get(0))?;
        Ok(Self { prefix, below: names.collect::<std::result::Result<_, _>>()? })
    }
}

/// Lays the views out over the case's, in `file`.
pub(super) fn lay(connection: &Connection, file: &Path) -> Result<Laid> {
    // The names need not be secret for ever, only unknown to whoever wrote the query.
    let prefix = format!("inner_{:016x}_", RandomState::new().hash_one("vigie"));
    let flags = FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("vigie_word", 2, flags, |arguments| {
        let sort: String = arguments.get(0)?;
        let n = usize::try_from(arguments.get::<i64>(1)?).unwrap_or(usize::MAX);
        Ok(match sort.as_str() {
            "entity" => ENTITY_KINDS.get(n).map(|def| def.name),
            _ => LINK_KINDS.get(n).map(|def| def.name),
        })
    })?;
    connection.create_scalar_function("vigie_entity", 1, flags, |arguments| {
        let key: String = arguments.get(0)?;
        Ok(Key::parse(&key).map(|key| EntityId::of(&key).to_string()))
    })?;
    crate::read::attach(connection, file, &prefix)?;
    connection.execute_batch(&include_str!("surface.sql").replace("inner_", &prefix))?;
    for name in SURFACE {
        connection.execute_batch(&format!(
            "CREATE TEMP VIEW {name} AS SELECT * FROM temp.{prefix}{name}"
        ))?;
    }
    Laid::new(connection, prefix)
}

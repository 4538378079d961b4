//! The case in words, as views that last as long as the connection.

use std::hash::{BuildHasher, RandomState};

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

/// Lays the views out; gives the prefix of those that may read below.
pub(super) fn lay(connection: &Connection) -> Result<String> {
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
    connection.execute_batch(&include_str!("surface.sql").replace("inner_", &prefix))?;
    for name in SURFACE {
        connection.execute_batch(&format!(
            "CREATE TEMP VIEW {name} AS SELECT * FROM temp.{prefix}{name}"
        ))?;
    }
    Ok(prefix)
}

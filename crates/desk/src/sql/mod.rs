//! Read-only SQL over the views and the bulk tables.
//!
//! The case in words (entities, links, facts, exhibits, …) is a handful of SQLite views, see
//! [`SURFACE`]. Each bulk table stands beside them as a virtual table over its Parquet file, under
//! [`TableHead::sql_name`]: only the columns that a query names are read, and row groups whose least
//! and greatest values cannot match are skipped. Two columns of ours, `_start` and `_end`, give each
//! row's span in its exhibit. Secret columns are there and always NULL.
//!
//! What a query may do is decided by SQLite's authorizer: read, and nothing else. It is bounded in
//! time, in rows and, where asked for, in memory. SQLite looks at the clock between its steps, and a
//! single function may be a step of hours (`instr`, `replace`, `trim`, `json_patch` of long values):
//! [`Clock`] lets whoever runs a query end it all the same.

mod surface;
mod vtab;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OpenFlags};

use crate::read::{CellValue, Reader, TableHead};
use crate::tables::{TableFile, file_name};
use crate::{Error, Result};

use vtab::BulkTable;

use surface::Laid;
pub use surface::SURFACE;

/// Bounds of one query.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// Most rows given out; the query ends there.
    pub rows: u64,
    /// Most time; beyond it the query is called off with an error.
    pub time: Duration,
    /// Most bytes of memory that SQLite may hold. It is a bound of the whole process, since SQLite
    /// knows no other: only for a process that runs this query and nothing else.
    pub memory: Option<u64>,
    /// Runs while SQLite works.
    pub clock: Arc<Clock>,
}

/// How long SQLite has worked on a query: the time in which rows are given out does not count, as a
/// reader may be slow.
#[derive(Debug, Default)]
pub struct Clock(Mutex<(Duration, Option<Instant>)>);

impl Clock {
    /// The time worked so far, a step under way included.
    pub fn worked(&self) -> Duration {
        let (before, since) = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        before + since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    fn run(&self) {
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clock.1.get_or_insert_with(Instant::now);
    }

    fn stop(&self) {
        let mut clock = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(since) = clock.1.take() {
            clock.0 += since.elapsed();
        }
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self { rows: 10_000, time: Duration::from_secs(60), memory: None, clock: Arc::default() }
    }
}

/// How a query ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// Rows given out.
    pub rows: u64,
    /// True where the bound on rows cut it short.
    pub cut: bool,
}

/// Longest text or blob a query may make, in bytes.
const MAX_VALUE: i32 = 16 << 20;

/// Longest pattern of LIKE and GLOB, in bytes: the work is the pattern's length times the text's, in
/// one step.
const MAX_PATTERN: i32 = 1000;

/// How many of SQLite's steps lie between two looks at the clock.
const STEPS: i32 = 10_000;

/// What a query gives out.
#[derive(Debug)]
pub enum Line<'a> {
    /// The columns' names: once, first.
    Columns(&'a [String]),
    /// A row, as long as the columns.
    Row(&'a [CellValue]),
}

/// Runs one read-only statement. `each` is handed what it gives, and says whether to go on.
///
/// # Errors
/// [`Error::Asked`] where the statement is wrong or would write; [`Error::Bound`] where its time
/// was up; what the views say otherwise.
pub fn query(
    reader: &Reader,
    sql: &str,
    bounds: &Bounds,
    each: &mut dyn FnMut(Line<'_>) -> bool,
) -> Result<Answer> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY
        | OpenFlags::SQLITE_OPEN_NO_MUTEX
        | OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(":memory:", flags)?;
    connection.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE)?;
    connection.set_limit(rusqlite::limits::Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, MAX_PATTERN)?;
    if let Some(most) = bounds.memory {
        // From half of it on, sorts go on in files, which are of no name and go with the process.
        connection.query_row(&format!("PRAGMA soft_heap_limit = {}", most / 2), [], |_| Ok(()))?;
        connection.query_row(&format!("PRAGMA hard_heap_limit = {most}"), [], |_| Ok(()))?;
    }
    bounds.clock.run();
    let answer = laid_and_run(connection, reader, sql, bounds, each);
    bounds.clock.stop();
    answer
}

fn laid_and_run(
    mut connection: Connection,
    reader: &Reader,
    sql: &str,
    bounds: &Bounds,
    each: &mut dyn FnMut(Line<'_>) -> bool,
) -> Result<Answer> {
    let laid = surface::lay(&connection, &reader.dir().join("views.sqlite"))?;
    lay_tables(&connection, reader, sql)?;
    run(&mut connection, sql, laid, bounds, each)
}

/// Makes the virtual tables that the statement names. Only those: a case may have thousands.
fn lay_tables(connection: &Connection, reader: &Reader, sql: &str) -> Result<()> {
    let lower = sql.to_lowercase();
    let mut named: BTreeMap<String, TableHead> = BTreeMap::new();
    for table in reader.snapshot()?.tables(None)? {
        if lower.contains(&table.sql_name.to_lowercase()) {
            named.insert(table.id.clone(), table);
        }
    }
    let mut open = HashMap::new();
    for (id, head) in &named {
        let number = id.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).unwrap_or(0);
        let path = reader.dir().join("tables").join(file_name(&head.exhibit, number));
        let file = if head.rows == 0 { None } else { Some(TableFile::open(&path)?) };
        open.insert(id.clone(), Arc::new(BulkTable::new(file, &head.columns)));
    }
    vtab::register(connection, open)?;
    for (id, head) in &named {
        // Quoted: an id may begin like a number that is none.
        connection.execute_batch(&format!(
            "CREATE VIRTUAL TABLE temp.\"{}\" USING vigie_bulk('{id}')",
            head.sql_name.replace('"', "\"\"")
        ))?;
    }
    Ok(())
}

fn run(
    connection: &mut Connection,
    sql: &str,
    laid: Laid,
    bounds: &Bounds,
    each: &mut dyn FnMut(Line<'_>) -> bool,
) -> Result<Answer> {
    connection.authorizer(Some(move |context: AuthContext<'_>| reading_only(&context, &laid)))?;
    let (clock, time) = (bounds.clock.clone(), bounds.time);
    connection.progress_handler(STEPS, Some(move || clock.worked() > time))?;
    let mut each = |line: Line<'_>| {
        bounds.clock.stop();
        let more = each(line);
        bounds.clock.run();
        more
    };
    let asked = |error| asked(error, bounds);
    let mut statement = connection.prepare(sql).map_err(asked)?;
    if statement.column_count() == 0 {
        return Err(Error::Asked("the statement reads nothing: ask with SELECT".to_owned()));
    }
    let names: Vec<String> = statement.column_names().map(str::to_owned).collect();
    if !each(Line::Columns(&names)) {
        return Ok(Answer { rows: 0, cut: false });
    }
    let mut rows = statement.query([]).map_err(asked)?;
    let mut answer = Answer { rows: 0, cut: false };
    let mut cells = Vec::with_capacity(names.len());
    loop {
        let found = match rows.next() {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(answer),
            Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
                return Err(bounds.late());
            }
            Err(e) => return Err(asked(e)),
        };
        if answer.rows == bounds.rows {
            answer.cut = true;
            return Ok(answer);
        }
        cells.clear();
        for i in 0..names.len() {
            cells.push(match found.get_ref(i)? {
                ValueRef::Null => CellValue::Null,
                ValueRef::Integer(n) => CellValue::Int(n),
                ValueRef::Real(n) => CellValue::Real(n),
                ValueRef::Text(t) => CellValue::Text(String::from_utf8_lossy(t).into_owned()),
                ValueRef::Blob(b) => CellValue::Bytes(b.to_vec()),
            });
        }
        answer.rows += 1;
        if !each(Line::Row(&cells)) {
            return Ok(answer);
        }
    }
}

impl Bounds {
    /// What is told where the time is up.
    pub fn late(&self) -> Error {
        Error::Bound(format!(
            "the query took more than {} s and was called off: narrow it, or name an indexed column",
            self.time.as_secs()
        ))
    }
}

/// A statement's own fault is told in SQLite's words; the rest is the views'.
fn asked(error: rusqlite::Error, bounds: &Bounds) -> Error {
    match &error {
        rusqlite::Error::SqliteFailure(code, _)
            if code.code == rusqlite::ErrorCode::OutOfMemory =>
        {
            let most = bounds.memory.map_or_else(String::new, |m| format!(" than {} MiB", m >> 20));
            Error::Bound(format!(
                "the query needs more memory{most}: narrow it, or make fewer long values at once"
            ))
        }
        rusqlite::Error::SqlInputError { msg, .. } => Error::Asked(format!("the query: {msg}")),
        rusqlite::Error::SqliteFailure(code, _) if code.code == rusqlite::ErrorCode::TooBig => {
            Error::Bound(format!("the query makes a value of more than {} MiB", MAX_VALUE >> 20))
        }
        rusqlite::Error::MultipleStatement => {
            Error::Asked("one statement at a time, please".to_owned())
        }
        rusqlite::Error::SqliteFailure(code, message)
            if matches!(
                code.code,
                rusqlite::ErrorCode::AuthorizationForStatementDenied
                    | rusqlite::ErrorCode::ReadOnly
            ) =>
        {
            let why = message.as_deref().unwrap_or("not allowed");
            Error::Asked(format!(
                "a query may only read {} and the tables that bulk_table lists: {why}",
                SURFACE.join(", ")
            ))
        }
        rusqlite::Error::SqliteFailure(code, message)
            if code.code == rusqlite::ErrorCode::Unknown =>
        {
            Error::Asked(format!("the query: {}", message.as_deref().unwrap_or("not understood")))
        }
        _ => Error::Views(error),
    }
}

/// Reading what is laid out for queries, functions and recursive queries; nothing that reads below
/// it, writes, attaches or changes settings.
fn reading_only(context: &AuthContext<'_>, laid: &Laid) -> Authorization {
    let allowed = match context.action {
        AuthAction::Select | AuthAction::Recursive => true,
        AuthAction::Read { table_name, column_name } => {
            let name = table_name.to_ascii_lowercase();
            let laid_out = match (column_name, context.database_name) {
                // No column: the table's rows are only counted, or joined by a view whose columns
                // of it the query does not name. SQLite then no longer says which view, and gives
                // the database only as it was written: none but our views can write this one.
                ("", Some(_)) => true,
                ("", None) => SURFACE.contains(&&*name) || !laid.below.contains(&name),
                (_, database) => database != Some(&*laid.prefix),
            };
            (laid_out && !name.starts_with("sqlite_"))
                || context.accessor.is_some_and(|view| view.starts_with(&*laid.prefix))
        }
        AuthAction::Function { function_name } => function_name != "load_extension",
        _ => false,
    };
    if allowed { Authorization::Allow } else { Authorization::Deny }
}

#[cfg(test)]
mod tests;

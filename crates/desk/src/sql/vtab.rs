//! A bulk table's Parquet file as a virtual table of SQLite.

// SQLite's virtual tables are C structs: rusqlite asks for `unsafe impl` and `repr(C)`, and for
// nothing else unsafe.
#![allow(unsafe_code)]

use std::borrow::Cow;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_int};
use std::sync::Arc;

use model::{Cell, ColumnType};
use parquet::file::statistics::Statistics;
use rusqlite::types::{Null, ValueRef};
use rusqlite::vtab::{
    Context, CreateVTab, Filters, IndexConstraintOp, IndexInfo, Module, VTab, VTabConnection,
    VTabCursor, VTabKind, sqlite3_vtab, sqlite3_vtab_cursor,
};
use rusqlite::{Connection, Error, Result};

use crate::read::TableColumn;
use crate::tables::{SharedBatch, TableFile};

/// Rows decoded at a time.
const WINDOW: usize = 8192;

/// An open table with its declaration.
#[derive(Debug)]
pub(super) struct BulkTable {
    /// Absent where the table has no rows.
    file: Option<TableFile>,
    declaration: CString,
    /// Type of each source column; `None` for a secret one.
    types: Vec<Option<ColumnType>>,
}

impl BulkTable {
    pub(super) fn new(file: Option<TableFile>, columns: &[TableColumn]) -> Self {
        let mut names: Vec<String> = Vec::new();
        let mut sql = String::from("CREATE TABLE x(\"_start\" INTEGER, \"_end\" INTEGER");
        let mut types = Vec::new();
        for column in columns {
            // SQLite's names know no case: a second `ID` becomes `ID_2`.
            let base = column.name.replace(['\0', '"'], "_");
            let mut name = base.clone();
            let mut n = 2;
            while names.contains(&name.to_lowercase())
                || matches!(&*name.to_lowercase(), "_start" | "_end")
            {
                name = format!("{base}_{n}");
                n += 1;
            }
            names.push(name.to_lowercase());
            let ty = match column.ty {
                ColumnType::Int => "INTEGER",
                ColumnType::Real => "REAL",
                ColumnType::Text => "TEXT",
                ColumnType::Bytes => "BLOB",
            };
            sql.push_str(&format!(", \"{name}\" {ty}"));
            types.push((!column.secret).then_some(column.ty));
        }
        sql.push(')');
        let declaration = CString::new(sql).unwrap_or_default();
        Self { file, declaration, types }
    }
}

type Tables = HashMap<String, Arc<BulkTable>>;

/// Makes the module `vigie_bulk(ID)` known to the connection.
pub(super) fn register(connection: &Connection, tables: Tables) -> Result<()> {
    const MODULE: &Module<'_, BulkTab> = &Module::read_only_module();
    connection.create_module("vigie_bulk", MODULE, Some(tables))
}

#[repr(C)]
struct BulkTab {
    /// SQLite's own part; must be first.
    base: sqlite3_vtab,
    table: Arc<BulkTable>,
}

// SAFETY: `repr(C)` with `sqlite3_vtab` first, as rusqlite asks.
unsafe impl<'vtab> VTab<'vtab> for BulkTab {
    type Aux = Tables;
    type Cursor = BulkCursor;

    fn connect(
        _: &mut VTabConnection,
        tables: Option<&Tables>,
        _: &[u8],
        _: &[u8],
        _: &[u8],
        args: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, Self)> {
        let id = args.first().map(|a| String::from_utf8_lossy(a).into_owned()).unwrap_or_default();
        let table = tables
            .and_then(|tables| tables.get(id.trim().trim_matches('\'')))
            .ok_or_else(|| Error::ModuleError(format!("no bulk table has the id {id}")))?;
        let tab = Self { base: sqlite3_vtab::default(), table: Arc::clone(table) };
        Ok((Cow::Owned(table.declaration.clone()), tab))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        // What the cursor will be told: the columns to decode, then a `column:operator` for each
        // argument. Rows are still checked by SQLite: pruning only leaves out what cannot match.
        let mut plan = format!("{:x}", info.col_used());
        let mut argument = 0;
        // Row groups know the least and the greatest of their values byte by byte: of what another
        // collation takes for equal or less they know nothing.
        let bytewise: Vec<bool> = (0..info.constraints().count())
            .map(|i| info.collation(i).is_ok_and(|name| name.eq_ignore_ascii_case("BINARY")))
            .collect();
        for ((constraint, mut usage), bytewise) in info.constraints_and_usages().zip(bytewise) {
            let column = constraint.column();
            let operator = match constraint.operator() {
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_EQ => '=',
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_GT => '>',
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_GE => '}',
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LT => '<',
                IndexConstraintOp::SQLITE_INDEX_CONSTRAINT_LE => '{',
                _ => continue,
            };
            if !constraint.is_usable() || column < 0 || !bytewise {
                continue;
            }
            argument += 1;
            usage.set_argv_index(argument);
            plan.push_str(&format!(" {column}{operator}"));
        }
        let rows = self.table.file.as_ref().map_or(0, TableFile::rows);
        let cost = rows as f64 / f64::from(1 + argument.min(3) * 4);
        info.set_estimated_cost(cost);
        info.set_estimated_rows(cost as i64);
        info.set_idx_str(&plan);
        Ok(true)
    }

    fn open(&'vtab mut self) -> Result<BulkCursor> {
        Ok(BulkCursor {
            base: sqlite3_vtab_cursor::default(),
            table: Arc::clone(&self.table),
            wanted: Vec::new(),
            place: Vec::new(),
            tests: Vec::new(),
            group: 0,
            skip: 0,
            batch: None,
            at: 0,
        })
    }
}

impl CreateVTab<'_> for BulkTab {
    const KIND: VTabKind = VTabKind::Default;
}

/// One condition whose value is known.
#[derive(Debug)]
struct Test {
    /// The Parquet column: 0 and 1 are the span.
    column: usize,
    operator: char,
    value: Value,
}

#[derive(Debug)]
enum Value {
    Int(i64),
    Text(Vec<u8>),
}

#[repr(C)]
struct BulkCursor {
    /// SQLite's own part; must be first.
    base: sqlite3_vtab_cursor,
    table: Arc<BulkTable>,
    /// Source columns that are decoded.
    wanted: Vec<usize>,
    /// Where each source column stands in the batch.
    place: Vec<Option<usize>>,
    tests: Vec<Test>,
    group: usize,
    /// Rows of the group before the batch.
    skip: usize,
    batch: Option<SharedBatch>,
    at: usize,
}

fn failed(error: crate::Error) -> Error {
    Error::ModuleError(error.to_string())
}

impl BulkCursor {
    /// Moves to the first row at or behind (`group`, `skip`) that may match.
    fn load(&mut self) -> Result<()> {
        self.at = 0;
        self.batch = None;
        let Some(file) = &self.table.file else { return Ok(()) };
        while self.group < file.groups() {
            let rows = file.group_rows(self.group);
            if self.skip < rows && (self.skip > 0 || self.may_match(file)) {
                let batch =
                    file.read(self.group, &self.wanted, self.skip, WINDOW).map_err(failed)?;
                if !batch.starts.is_empty() {
                    self.batch = Some(batch);
                    return Ok(());
                }
            }
            self.group += 1;
            self.skip = 0;
        }
        Ok(())
    }

    /// False if the group's statistics rule every row out.
    fn may_match(&self, file: &TableFile) -> bool {
        let group = file.group(self.group);
        self.tests.iter().all(|test| {
            let Some(statistics) = group.column(test.column).statistics() else { return true };
            match (statistics, &test.value) {
                (Statistics::Int64(s), Value::Int(n)) => match (s.min_opt(), s.max_opt()) {
                    (Some(min), Some(max)) => within(test.operator, n, min, max),
                    _ => true,
                },
                (Statistics::ByteArray(s), Value::Text(t)) => match (s.min_opt(), s.max_opt()) {
                    (Some(min), Some(max)) => {
                        within(test.operator, t.as_slice(), min.data(), max.data())
                    }
                    _ => true,
                },
                _ => true,
            }
        })
    }
}

/// Whether a value in `min..=max` can stand in the relation to `value`.
fn within<T: PartialOrd + ?Sized>(operator: char, value: &T, min: &T, max: &T) -> bool {
    match operator {
        '=' => min <= value && value <= max,
        '>' => max > value,
        '}' => max >= value,
        '<' => min < value,
        '{' => min <= value,
        _ => true,
    }
}

// SAFETY: `repr(C)` with `sqlite3_vtab_cursor` first, as rusqlite asks.
unsafe impl VTabCursor for BulkCursor {
    fn filter(&mut self, _: c_int, plan: Option<&str>, args: &Filters<'_>) -> Result<()> {
        let mut words = plan.unwrap_or_default().split(' ');
        let used = u64::from_str_radix(words.next().unwrap_or_default(), 16).unwrap_or(u64::MAX);
        let columns = self.table.types.len();
        // Bit 63 stands for all columns from the 63rd on.
        let uses = |c: usize| used >> (c + 2).min(63) & 1 == 1;
        self.wanted = (0..columns).filter(|c| uses(*c) && self.table.types[*c].is_some()).collect();
        self.place = vec![None; columns];
        for (i, c) in self.wanted.iter().enumerate() {
            self.place[*c] = Some(i);
        }
        self.tests.clear();
        for (word, value) in words.zip(args.iter()) {
            let Some(operator) = word.chars().last() else { continue };
            let Ok(column) = word[..word.len() - 1].parse::<usize>() else { continue };
            let ty = if column < 2 {
                Some(ColumnType::Int)
            } else {
                self.table.types.get(column - 2).copied().flatten()
            };
            let value = match (ty, value) {
                (Some(ColumnType::Int), ValueRef::Integer(n)) => Value::Int(n),
                (Some(ColumnType::Text), ValueRef::Text(t)) => Value::Text(t.to_vec()),
                _ => continue,
            };
            self.tests.push(Test { column, operator, value });
        }
        self.group = 0;
        self.skip = 0;
        self.load()
    }

    fn next(&mut self) -> Result<()> {
        self.at += 1;
        let length = self.batch.as_ref().map_or(0, |b| b.starts.len());
        if self.at >= length {
            self.skip += length;
            self.load()?;
        }
        Ok(())
    }

    fn eof(&self) -> bool {
        self.batch.is_none()
    }

    fn column(&self, context: &mut Context, i: c_int) -> Result<()> {
        let Some(batch) = &self.batch else { return context.set_result(Null) };
        let number = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        match usize::try_from(i).unwrap_or(usize::MAX) {
            0 => context.set_result(number(batch.starts[self.at])),
            1 => context.set_result(number(batch.ends[self.at])),
            c => {
                let place = self.place.get(c - 2).copied().flatten();
                let cell = place.map_or(Cell::Null, |p| batch.columns[p].get(self.at));
                match cell {
                    Cell::Null => context.set_result(Null),
                    Cell::Int(n) => context.set_result(n),
                    Cell::Real(n) => context.set_result(n),
                    Cell::Text(t) => context.set_result(t),
                    Cell::Bytes(b) => context.set_result(b),
                }
            }
        }
    }

    fn rowid(&self) -> Result<i64> {
        let first = self.table.file.as_ref().map_or(0, |file| file.first(self.group));
        let row = first + (self.skip + self.at) as u64;
        Ok(i64::try_from(row).unwrap_or(i64::MAX))
    }
}

//! Rows of bulk tables: found by an index where a condition names one, else by a scan that skips
//! row groups whose least and greatest values cannot match.

use std::sync::Arc;

use model::{ExhibitId, Meaning};
use rusqlite::OptionalExtension;

use super::table::{CellValue, Op, Row, Rows, TableColumn, TableHead, TableQuery, Term};
use super::{MAX_PAGE, Page, Paging, Snapshot, rows};
use crate::index::{IndexFile, normal_form};
use crate::tables::{SharedBatch, SharedColumn, TableFile, file_name, index_name, table_id};
use crate::views::{meaning_of_word, role_of_word, type_of_word};
use crate::{Error, Result};

/// Rows that one call looks at before it gives back what it has.
const MAX_LOOKED: u64 = 2_000_000;

/// Rows decoded at a time while scanning.
const WINDOW: usize = 4096;

/// A condition, ready to be held against cells.
enum Check {
    Equal(Vec<u8>, Option<i64>, Option<f64>, Option<Meaning>),
    Prefix(Vec<u8>),
    Contains(String),
    AtLeast(Vec<u8>, Option<f64>),
    AtMost(Vec<u8>, Option<f64>),
    Null,
    Not(Box<Check>),
}

impl Check {
    fn new(term: &Term, column: &TableColumn) -> Self {
        let bytes = || term.value.clone().into_bytes();
        let number = || term.value.trim().parse::<f64>().ok();
        let equal = || {
            let meaning = column.meaning.filter(|m| {
                column.indexed && matches!(m, Meaning::Mac | Meaning::Email | Meaning::Address)
            });
            let value = match meaning {
                Some(m) => normal_form(m, term.value.as_bytes())
                    .map_or_else(bytes, std::borrow::Cow::into_owned),
                None => bytes(),
            };
            Self::Equal(value, term.value.trim().parse().ok(), number(), meaning)
        };
        match term.op {
            Op::Eq => equal(),
            Op::Ne => Self::Not(Box::new(equal())),
            Op::Prefix => Self::Prefix(bytes()),
            Op::Contains => Self::Contains(term.value.to_lowercase()),
            Op::Ge => Self::AtLeast(bytes(), number()),
            Op::Le => Self::AtMost(bytes(), number()),
            Op::Null => Self::Null,
            Op::Present => Self::Not(Box::new(Self::Null)),
        }
    }

    fn holds(&self, column: &SharedColumn, i: usize) -> bool {
        use model::Cell;
        if let SharedColumn::Withheld(present) = column {
            // Of a secret only its being there can be asked.
            return match self {
                Self::Null => !present[i],
                Self::Not(check) if matches!(**check, Self::Null) => present[i],
                _ => false,
            };
        }
        let cell = column.get(i);
        match self {
            Self::Not(check) => !check.holds(column, i),
            Self::Null => cell == Cell::Null,
            Self::Equal(bytes, int, real, meaning) => match cell {
                Cell::Int(n) => Some(n) == *int,
                Cell::Real(n) => Some(n) == *real,
                Cell::Text(t) => match meaning {
                    Some(m) => normal_form(*m, t.as_bytes())
                        .map_or(t.as_bytes() == bytes, |form| *form == **bytes),
                    None => t.as_bytes() == bytes,
                },
                Cell::Bytes(b) => b == bytes,
                Cell::Null => false,
            },
            Self::Prefix(prefix) => match cell {
                Cell::Text(t) => t.as_bytes().starts_with(prefix),
                Cell::Bytes(b) => b.starts_with(prefix),
                Cell::Int(n) => n.to_string().as_bytes().starts_with(prefix),
                _ => false,
            },
            Self::Contains(part) => match cell {
                Cell::Text(t) => t.to_lowercase().contains(part.as_str()),
                Cell::Int(n) => n.to_string().contains(part.as_str()),
                _ => false,
            },
            Self::AtLeast(bytes, number) => match cell {
                Cell::Int(n) => number.is_some_and(|x| n as f64 >= x),
                Cell::Real(n) => number.is_some_and(|x| n >= x),
                Cell::Text(t) => t.as_bytes() >= bytes.as_slice(),
                Cell::Bytes(b) => b >= bytes.as_slice(),
                Cell::Null => false,
            },
            Self::AtMost(bytes, number) => match cell {
                Cell::Int(n) => number.is_some_and(|x| n as f64 <= x),
                Cell::Real(n) => number.is_some_and(|x| n <= x),
                Cell::Text(t) => t.as_bytes() <= bytes.as_slice(),
                Cell::Bytes(b) => b <= bytes.as_slice(),
                Cell::Null => false,
            },
        }
    }

    /// Whether a row group may hold a match, by its column's least and greatest value.
    fn may_hold(&self, file: &TableFile, group: usize, column: usize) -> bool {
        let Some(statistics) = file.group(group).column(column + 2).statistics() else {
            return true;
        };
        use parquet::file::statistics::Statistics;
        match (self, statistics) {
            (Self::Equal(_, Some(n), _, _), Statistics::Int64(s)) => {
                match (s.min_opt(), s.max_opt()) {
                    (Some(min), Some(max)) => min <= n && n <= max,
                    _ => true,
                }
            }
            (Self::AtLeast(_, Some(n)), Statistics::Int64(s)) => {
                s.max_opt().is_none_or(|max| *max as f64 >= *n)
            }
            (Self::AtMost(_, Some(n)), Statistics::Int64(s)) => {
                s.min_opt().is_none_or(|min| *min as f64 <= *n)
            }
            // Text's bounds may be cut: a cut least is lower, a cut greatest is made greater.
            (Self::Equal(value, _, _, None), Statistics::ByteArray(s)) => {
                s.min_opt().is_none_or(|min| min.data() <= value.as_slice())
                    && s.max_opt().is_none_or(|max| max.data() >= value.as_slice())
            }
            _ => true,
        }
    }
}

impl Snapshot {
    /// Bulk tables, by exhibit and number.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn tables(&self, exhibit: Option<ExhibitId>) -> Result<Vec<TableHead>> {
        match exhibit {
            None => self.table_heads(None, None),
            Some(id) => match crate::views::ord_of(self.db()?, &id)? {
                Some(ord) => self.table_heads(None, Some(ord)),
                None => Ok(Vec::new()),
            },
        }
    }

    pub(super) fn table_heads(
        &self,
        number: Option<i64>,
        exhibit: Option<i64>,
    ) -> Result<Vec<TableHead>> {
        let db = self.db()?;
        let (low, high) = match (number, exhibit) {
            (Some(n), _) => (n, n + 1),
            (None, Some(ord)) => (ord << 16, (ord + 1) << 16),
            (None, None) => (i64::MIN, i64::MAX),
        };
        let mut query = db.prepare_cached(
            "SELECT b.id, e.id, b.number, b.name, b.db, b.role, b.panel, b.rows, e.name,
                    coalesce(b.sql_name, '')
             FROM bulk b JOIN exhibit e ON e.ord = b.exhibit
             WHERE b.id >= ? AND b.id < ? ORDER BY b.id",
        )?;
        let mut columns = db.prepare_cached(
            "SELECT c.name, c.ty, c.meaning, c.secret,
                    EXISTS (SELECT 1 FROM bulk_index i
                            WHERE i.bulk = c.bulk AND i.n = c.n AND i.what <> 'pair')
             FROM bulk_column c WHERE c.bulk = ? ORDER BY c.n",
        )?;
        let mut found = query.query((low, high))?;
        let mut heads = Vec::new();
        while let Some(row) = found.next()? {
            let exhibit = rows::exhibit(row, 1)?;
            let number: u32 = row.get(2)?;
            let id = table_id(&exhibit, number);
            let role: String = row.get(5)?;
            let mut sql_name: String = row.get(9)?;
            if sql_name.is_empty() {
                sql_name.clone_from(&id);
            }
            let columns = columns
                .query_map([row.get::<_, i64>(0)?], |row| {
                    let (ty, meaning): (String, Option<String>) = (row.get(1)?, row.get(2)?);
                    Ok(TableColumn {
                        name: row.get(0)?,
                        ty: type_of_word(&ty),
                        meaning: meaning.as_deref().and_then(meaning_of_word),
                        secret: row.get(3)?,
                        indexed: row.get(4)?,
                    })
                })?
                .collect::<std::result::Result<_, _>>()?;
            heads.push(TableHead {
                id,
                sql_name,
                name: row.get(3)?,
                db: row.get(4)?,
                role: role_of_word(&role),
                exhibit,
                exhibit_name: row.get(8)?,
                panel: row.get(6)?,
                rows: row.get::<_, i64>(7)? as u64,
                columns,
            });
        }
        Ok(heads)
    }

    /// The number in the views of a table's id.
    fn table_number(&self, id: &str) -> Result<Option<i64>> {
        let Some((hex, number)) = id.split_once('-') else { return Ok(None) };
        let (Some(prefix), Ok(number)) = (model::id::unhex(hex), number.parse::<i64>()) else {
            return Ok(None);
        };
        if prefix.len() != 8 || !(0..1 << 16).contains(&number) {
            return Ok(None);
        }
        let mut low = [0u8; 32];
        low[..8].copy_from_slice(&prefix);
        let mut high = [0xffu8; 32];
        high[..8].copy_from_slice(&prefix);
        let ord: Option<i64> = self
            .db()?
            .query_row(
                "SELECT ord FROM exhibit WHERE id BETWEEN ? AND ? ORDER BY id LIMIT 1",
                (low.as_slice(), high.as_slice()),
                |row| row.get(0),
            )
            .optional()?;
        Ok(ord.map(|ord| ord << 16 | number))
    }

    /// A table by its id.
    ///
    /// # Errors
    /// The views cannot be read.
    pub fn table(&self, id: &str) -> Result<Option<TableHead>> {
        match self.table_number(id)? {
            Some(number) => Ok(self.table_heads(Some(number), None)?.into_iter().next()),
            None => Ok(None),
        }
    }

    fn plan<'q>(&self, query: &'q TableQuery) -> Result<Plan<'q>> {
        let table = self
            .table(&query.table)?
            .ok_or_else(|| Error::NotFound { what: format!("the table {:?}", query.table) })?;
        let place = |name: &str| {
            table.columns.iter().position(|c| c.name == name).ok_or_else(|| {
                Error::Asked(format!("the table {} has no column {name:?}", table.name))
            })
        };
        let shown: Vec<usize> = if query.columns.is_empty() {
            (0..table.columns.len()).collect()
        } else {
            query.columns.iter().map(|c| place(c)).collect::<Result<_>>()?
        };
        let mut checks = Vec::new();
        for term in &query.filter.terms {
            let n = place(&term.column)?;
            checks.push((n, Check::new(term, &table.columns[n]), term));
        }
        let order = query.order.as_deref().map(place).transpose()?;
        if let Some(n) = order
            && !table.columns[n].indexed
        {
            return Err(Error::Asked(format!(
                "rows cannot be had in the order of {:?}: it has no index",
                table.columns[n].name
            )));
        }
        let number = table.id.rsplit_once('-').and_then(|(_, n)| n.parse().ok()).unwrap_or(0);
        let file = match table.rows {
            0 => None,
            _ => Some(self.table_file(&file_name(&table.exhibit, number))?),
        };
        let index =
            |n: usize| self.index_file(&index_name(&table.exhibit, number, &format!("c{n}")));
        // An equality on an indexed column, else a prefix on one, else the order asked for.
        let mut by = None;
        for op in [Op::Eq, Op::Prefix] {
            for (n, _, term) in &checks {
                let column = &table.columns[*n];
                let fits = by.is_none()
                    && term.op == op
                    && column.indexed
                    && order.is_none_or(|o| o == *n);
                if fits && let Some(meaning) = column.meaning {
                    let key = match op {
                        Op::Eq => normal_form(meaning, term.value.as_bytes())
                            .map(std::borrow::Cow::into_owned),
                        // A prefix of a normal form: MAC and e-mail addresses are lower case.
                        _ => Some(match meaning {
                            Meaning::Mac | Meaning::Email | Meaning::Address => {
                                term.value.to_lowercase().into_bytes()
                            }
                            _ => term.value.clone().into_bytes(),
                        }),
                    };
                    if let Some(key) = key {
                        by = Some(By { index: index(*n)?, key, prefix: op == Op::Prefix });
                    }
                }
            }
        }
        if let (None, Some(n)) = (&by, order) {
            by = Some(By { index: index(n)?, key: Vec::new(), prefix: true });
        }
        Ok(Plan { table, shown, checks, file, by })
    }

    /// A page of rows.
    ///
    /// # Errors
    /// No such table, column or page; a damaged file.
    pub fn rows(&self, query: &TableQuery, paging: &Paging) -> Result<Rows> {
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let plan = self.plan(query)?;
        let mut items = Vec::new();
        let mut last = None;
        let after = paging.after.as_deref().map(Place::parse).transpose()?;
        let more = plan.walk(after, MAX_LOOKED, &mut |place, row| {
            if items.len() == limit {
                return false;
            }
            items.push(row);
            last = Some(place);
            true
        })?;
        let (next, partial) = match more {
            Walked::All => (None, false),
            Walked::Stopped => (last.map(|p| p.text()), false),
            Walked::Bound(place) => (Some(place.text()), true),
        };
        let total = match (&plan.by, plan.checks.len()) {
            (_, 0) => Some(plan.table.rows),
            (Some(by), 1) if !by.prefix => Some(by.index.count_of(&by.key)?),
            _ => None,
        };
        let columns = plan.shown.iter().map(|n| plan.table.columns[*n].clone()).collect();
        Ok(Rows { columns, page: Page { items, next, total }, partial, table: plan.table })
    }

    /// Every row of a query in order, for exports: `each` is handed one row after the other and
    /// says whether to go on.
    ///
    /// # Errors
    /// No such table or column; a damaged file.
    pub fn each_row(&self, query: &TableQuery, each: &mut dyn FnMut(&Row) -> bool) -> Result<()> {
        let plan = self.plan(query)?;
        plan.walk(None, u64::MAX, &mut |_, row| each(&row))?;
        Ok(())
    }

    /// How many rows a query selects; `None` where counting would take a scan of more than
    /// `most` rows.
    ///
    /// # Errors
    /// No such table or column; a damaged file.
    pub fn count_rows(&self, query: &TableQuery, most: u64) -> Result<Option<u64>> {
        let columns: Vec<String> =
            query.filter.terms.first().map(|t| t.column.clone()).into_iter().collect();
        let counted = TableQuery { columns, ..query.clone() };
        let plan = self.plan(&counted)?;
        match (&plan.by, plan.checks.len()) {
            (_, 0) => return Ok(Some(plan.table.rows)),
            (Some(by), 1) if !by.prefix => return Ok(Some(by.index.count_of(&by.key)?)),
            _ => {}
        }
        let mut count = 0;
        let walked = plan.walk(None, most, &mut |_, _| {
            count += 1;
            true
        })?;
        Ok(matches!(walked, Walked::All).then_some(count))
    }
}

/// How a query is answered.
struct Plan<'q> {
    table: TableHead,
    shown: Vec<usize>,
    checks: Vec<(usize, Check, &'q Term)>,
    file: Option<Arc<TableFile>>,
    by: Option<By>,
}

/// Rows by an index: those of one key, or of all keys with a prefix.
struct By {
    index: Arc<IndexFile>,
    key: Vec<u8>,
    prefix: bool,
}

/// A place in the answer: the row, and in an index's order its key.
#[derive(Debug, Clone)]
struct Place {
    row: u64,
    key: Vec<u8>,
}

impl Place {
    fn text(&self) -> String {
        format!("{}-{}", self.row, model::id::hex(&self.key))
    }

    fn parse(text: &str) -> Result<Self> {
        let bad = || Error::Asked("no such page".to_owned());
        let (row, key) = text.split_once('-').ok_or_else(bad)?;
        Ok(Self {
            row: row.parse().map_err(|_| bad())?,
            key: model::id::unhex(key).ok_or_else(bad)?,
        })
    }
}

/// How a walk ended.
enum Walked {
    All,
    /// It was told to.
    Stopped,
    /// So many rows were looked at; it goes on after this place.
    Bound(Place),
}

impl Plan<'_> {
    /// Hands matching rows out in order, from behind `after` on.
    fn walk(
        &self,
        after: Option<Place>,
        most: u64,
        each: &mut dyn FnMut(Place, Row) -> bool,
    ) -> Result<Walked> {
        let Some(file) = &self.file else { return Ok(Walked::All) };
        match &self.by {
            Some(by) => self.walk_index(file, by, after, most, each),
            None => self.walk_rows(file, after, most, each),
        }
    }

    /// The columns to be read: those shown, then those only checked.
    fn wanted(&self) -> Vec<usize> {
        let mut wanted = self.shown.clone();
        for (n, _, _) in &self.checks {
            if !wanted.contains(n) {
                wanted.push(*n);
            }
        }
        wanted
    }

    fn matches(&self, batch: &SharedBatch, wanted: &[usize], i: usize) -> bool {
        self.checks.iter().all(|(n, check, _)| {
            let at = wanted.iter().position(|w| w == n);
            at.is_some_and(|at| check.holds(&batch.columns[at], i))
        })
    }

    fn row(&self, batch: &SharedBatch, i: usize, number: u64) -> Row {
        let cells = (0..self.shown.len()).map(|c| cell(&batch.columns[c], i)).collect();
        Row { number, start: batch.starts[i], end: batch.ends[i], cells }
    }

    fn walk_rows(
        &self,
        file: &TableFile,
        after: Option<Place>,
        most: u64,
        each: &mut dyn FnMut(Place, Row) -> bool,
    ) -> Result<Walked> {
        let wanted = self.wanted();
        let checked: Vec<usize> = self.checks.iter().map(|(n, _, _)| *n).collect();
        let mut next = after.map_or(0, |p| p.row + 1);
        let mut looked = 0;
        while let Some(group) = file.group_of(next) {
            let end = file.first(group) + file.group_rows(group) as u64;
            if !self.checks.iter().all(|(n, check, _)| check.may_hold(file, group, *n)) {
                next = end;
                continue;
            }
            let skip = usize::try_from(next - file.first(group))?;
            let count = WINDOW.min(usize::try_from(end - next)?);
            // With conditions, their columns first: most windows hold no match.
            if !checked.is_empty() {
                let batch = file.read(group, &checked, skip, count)?;
                let any = (0..batch.starts.len()).any(|i| self.matches(&batch, &checked, i));
                if !any {
                    looked += count as u64;
                    next += count as u64;
                    if looked >= most {
                        return Ok(Walked::Bound(Place { row: next - 1, key: Vec::new() }));
                    }
                    continue;
                }
            }
            let batch = file.read(group, &wanted, skip, count)?;
            for i in 0..batch.starts.len() {
                let number = next + i as u64;
                if self.matches(&batch, &wanted, i) {
                    let place = Place { row: number, key: Vec::new() };
                    if !each(place, self.row(&batch, i, number)) {
                        return Ok(Walked::Stopped);
                    }
                }
            }
            looked += count as u64;
            next += count as u64;
            if looked >= most && next < file.rows() {
                return Ok(Walked::Bound(Place { row: next - 1, key: Vec::new() }));
            }
        }
        Ok(Walked::All)
    }

    fn walk_index(
        &self,
        file: &TableFile,
        by: &By,
        after: Option<Place>,
        most: u64,
        each: &mut dyn FnMut(Place, Row) -> bool,
    ) -> Result<Walked> {
        let wanted = self.wanted();
        let from = after.as_ref().map_or(by.key.as_slice(), |p| p.key.as_slice());
        let mut cursor = by.index.seek(from.max(by.key.as_slice()));
        let mut looked = 0;
        while cursor.next()? {
            let inside =
                if by.prefix { cursor.key.starts_with(&by.key) } else { cursor.key == by.key };
            if !inside {
                break;
            }
            // Neighbouring rows of one entry are read together.
            let mut rows = cursor.rows.iter().copied().peekable();
            while let Some(first) = rows.next() {
                let passed = after
                    .as_ref()
                    .is_some_and(|p| cursor.key < p.key || (cursor.key == p.key && first <= p.row));
                if passed {
                    continue;
                }
                let Some(group) = file.group_of(first) else { continue };
                let mut run = vec![first];
                let end = (first + 256).min(file.first(group) + file.group_rows(group) as u64);
                while let Some(row) = rows.peek().copied().filter(|r| *r < end) {
                    run.push(row);
                    rows.next();
                }
                let last = run.last().copied().unwrap_or(first);
                let skip = usize::try_from(first - file.first(group))?;
                let batch = file.read(group, &wanted, skip, usize::try_from(last - first)? + 1)?;
                for row in run {
                    let i = usize::try_from(row - first)?;
                    looked += 1;
                    let place = Place { row, key: cursor.key.clone() };
                    if self.matches(&batch, &wanted, i) {
                        if !each(place, self.row(&batch, i, row)) {
                            return Ok(Walked::Stopped);
                        }
                    } else if looked >= most {
                        return Ok(Walked::Bound(place));
                    }
                }
            }
        }
        Ok(Walked::All)
    }
}

fn cell(column: &SharedColumn, i: usize) -> CellValue {
    use model::Cell;
    if let SharedColumn::Withheld(present) = column {
        return if present[i] { CellValue::Masked } else { CellValue::Null };
    }
    match column.get(i) {
        Cell::Null => CellValue::Null,
        Cell::Int(n) => CellValue::Int(n),
        Cell::Real(n) => CellValue::Real(n),
        Cell::Text(t) => CellValue::Text(t.to_owned()),
        Cell::Bytes(b) => CellValue::Bytes(b.to_vec()),
    }
}

//! Walking the rows that a query selects, in its order, from any place on.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::check::Check;
use super::table::{CellValue, Row, TableHead};
use crate::index::IndexFile;
use crate::tables::{SharedBatch, SharedColumn, TableFile};
use crate::{Error, Result};

/// Rows decoded at a time while scanning.
const WINDOW: usize = 4096;

/// Rows of an index that are looked up together, and how far apart two may stand to be read at once.
const CHUNK: usize = 64;
const NEAR: u64 = 256;

/// How a query is answered.
pub(super) struct Plan {
    pub(super) table: TableHead,
    pub(super) shown: Vec<usize>,
    pub(super) checks: Vec<(usize, Check)>,
    pub(super) file: Option<Arc<TableFile>>,
    /// One after the other.
    pub(super) stretches: Vec<Stretch>,
    /// The rows come from a sort, which holds just those that the checks let through.
    pub(super) sorted: Option<u64>,
    /// Where somebody follows how far it is: rows looked at.
    pub(super) looked: Option<Arc<AtomicU64>>,
}

/// Where rows come from.
pub(super) enum Stretch {
    /// The source's order; with a check more.
    Rows(Option<(usize, Check)>),
    /// An index's order.
    Index(By),
}

/// Rows by an index: those of one key, or of all keys with a prefix.
pub(super) struct By {
    pub(super) index: Arc<IndexFile>,
    pub(super) key: Vec<u8>,
    pub(super) prefix: bool,
    pub(super) descending: bool,
}

impl By {
    /// A sort's two stretches: rows with a value, then, whichever way, those without.
    pub(super) fn sorted(index: &Arc<IndexFile>, descending: bool) -> [Self; 2] {
        let of = |tag, descending| Self {
            index: index.clone(),
            key: vec![tag],
            prefix: true,
            descending,
        };
        [of(super::sort::VALUE, descending), of(super::sort::NONE, false)]
    }

    fn holds(&self, key: &[u8]) -> bool {
        if self.prefix { key.starts_with(&self.key) } else { key == self.key }
    }
}

/// A place in the answer: the stretch, the row, and in an index's order its key.
#[derive(Debug, Clone)]
pub(super) struct Place {
    stretch: usize,
    row: u64,
    key: Vec<u8>,
}

impl Place {
    /// A row, in the source's order.
    pub(super) fn row(row: u64) -> Self {
        Self { stretch: 0, row, key: Vec::new() }
    }

    /// As it stands in URLs.
    pub(super) fn text(&self) -> String {
        format!("{}.{}-{}", self.stretch, self.row, model::id::hex(&self.key))
    }

    /// From a URL.
    pub(super) fn parse(text: &str) -> Result<Self> {
        let bad = || Error::Asked("no such page".to_owned());
        let (place, key) = text.split_once('-').ok_or_else(bad)?;
        let (stretch, row) = place.split_once('.').ok_or_else(bad)?;
        Ok(Self {
            stretch: stretch.parse().map_err(|_| bad())?,
            row: row.parse().map_err(|_| bad())?,
            key: model::id::unhex(key).ok_or_else(bad)?,
        })
    }
}

/// How a walk ended.
pub(super) enum Walked {
    All,
    /// It was told to.
    Stopped,
    /// So many rows were looked at; it goes on after this place.
    Bound(Place),
}

/// One walk: what it looked at, what it may, whom it tells.
struct Walk<'w> {
    stretch: usize,
    looked: u64,
    most: u64,
    each: &'w mut dyn FnMut(Place, Row) -> bool,
}

impl Plan {
    /// Hands matching rows out in order, from behind `after` on.
    pub(super) fn walk(
        &self,
        after: Option<Place>,
        most: u64,
        each: &mut dyn FnMut(Place, Row) -> bool,
    ) -> Result<Walked> {
        let Some(file) = &self.file else { return Ok(Walked::All) };
        let mut after = after;
        let begin = after.as_ref().map_or(0, |p| p.stretch);
        let mut walk = Walk { stretch: begin, looked: 0, most, each };
        for (i, stretch) in self.stretches.iter().enumerate().skip(begin) {
            walk.stretch = i;
            let from = after.take();
            let walked = match stretch {
                Stretch::Rows(check) => self.walk_rows(file, check.as_ref(), from, &mut walk)?,
                Stretch::Index(by) => self.walk_index(file, by, from, &mut walk)?,
            };
            if !matches!(walked, Walked::All) {
                return Ok(walked);
            }
        }
        Ok(Walked::All)
    }

    /// How many rows it selects, where that is known without looking at them.
    pub(super) fn total(&self) -> Result<Option<u64>> {
        if self.sorted.is_some() {
            return Ok(self.sorted);
        }
        Ok(match (self.stretches.first(), self.checks.len()) {
            (_, 0) => Some(self.table.rows),
            (Some(Stretch::Index(by)), 1) if !by.prefix => Some(by.index.count_of(&by.key)?),
            _ => None,
        })
    }

    fn tell(&self, looked: u64) {
        if let Some(told) = &self.looked {
            told.store(looked, Ordering::Relaxed);
        }
    }

    /// The columns to be read: those shown, then those only checked.
    fn wanted(&self, also: Option<usize>) -> Vec<usize> {
        let mut wanted = self.shown.clone();
        for n in self.checks.iter().map(|(n, _)| *n).chain(also) {
            if !wanted.contains(&n) {
                wanted.push(n);
            }
        }
        wanted
    }

    fn matches(
        &self,
        also: Option<&(usize, Check)>,
        batch: &SharedBatch,
        wanted: &[usize],
        i: usize,
    ) -> bool {
        self.checks.iter().chain(also).all(|(n, check)| {
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
        also: Option<&(usize, Check)>,
        after: Option<Place>,
        walk: &mut Walk<'_>,
    ) -> Result<Walked> {
        let wanted = self.wanted(also.map(|(n, _)| *n));
        let checked: Vec<usize> = self.checks.iter().chain(also).map(|(n, _)| *n).collect();
        let place = |row: u64| Place { stretch: walk.stretch, row, key: Vec::new() };
        let mut next = after.map_or(0, |p| p.row + 1);
        while let Some(group) = file.group_of(next) {
            let end = file.first(group) + file.group_rows(group) as u64;
            if !self.checks.iter().all(|(n, check)| check.may_hold(file, group, *n)) {
                next = end;
                continue;
            }
            self.tell(next);
            let skip = usize::try_from(next - file.first(group))?;
            let count = WINDOW.min(usize::try_from(end - next)?);
            // With conditions, their columns first: most windows hold no match.
            if !checked.is_empty() {
                let batch = file.read(group, &checked, skip, count)?;
                let any = (0..batch.starts.len()).any(|i| self.matches(also, &batch, &checked, i));
                if !any {
                    walk.looked += count as u64;
                    next += count as u64;
                    if walk.looked >= walk.most {
                        return Ok(Walked::Bound(place(next - 1)));
                    }
                    continue;
                }
            }
            let batch = file.read(group, &wanted, skip, count)?;
            for i in 0..batch.starts.len() {
                let number = next + i as u64;
                if self.matches(also, &batch, &wanted, i)
                    && !(walk.each)(place(number), self.row(&batch, i, number))
                {
                    return Ok(Walked::Stopped);
                }
            }
            walk.looked += count as u64;
            next += count as u64;
            if walk.looked >= walk.most && next < file.rows() {
                return Ok(Walked::Bound(place(next - 1)));
            }
        }
        Ok(Walked::All)
    }

    fn walk_index(
        &self,
        file: &TableFile,
        by: &By,
        after: Option<Place>,
        walk: &mut Walk<'_>,
    ) -> Result<Walked> {
        let mut chunk: Vec<(Vec<u8>, u64)> = Vec::with_capacity(CHUNK);
        let mut take = |key: &[u8], row: u64, chunk: &mut Vec<(Vec<u8>, u64)>| {
            chunk.push((key.to_vec(), row));
            if chunk.len() < CHUNK {
                return Ok(None);
            }
            let walked = self.look_up(file, chunk, walk)?;
            chunk.clear();
            Ok::<_, Error>(walked)
        };
        if by.descending {
            let from = after.as_ref().map(|p| p.key.as_slice());
            let mut cursor = by.index.back(&by.key, from);
            while cursor.next()? && by.holds(&cursor.key) {
                for row in cursor.rows.iter().rev() {
                    let passed = after.as_ref().is_some_and(|p| {
                        cursor.key > p.key || (cursor.key == p.key && *row >= p.row)
                    });
                    if !passed && let Some(walked) = take(&cursor.key, *row, &mut chunk)? {
                        return Ok(walked);
                    }
                }
            }
        } else {
            let from = after.as_ref().map_or(by.key.as_slice(), |p| p.key.as_slice());
            let mut cursor = by.index.seek(from.max(by.key.as_slice()));
            while cursor.next()? && by.holds(&cursor.key) {
                for row in &cursor.rows {
                    let passed = after.as_ref().is_some_and(|p| {
                        cursor.key < p.key || (cursor.key == p.key && *row <= p.row)
                    });
                    if !passed && let Some(walked) = take(&cursor.key, *row, &mut chunk)? {
                        return Ok(walked);
                    }
                }
            }
        }
        Ok(self.look_up(file, &chunk, walk)?.unwrap_or(Walked::All))
    }

    /// Reads rows that an index named and hands out those that match, in the order given. Rows that
    /// stand near one another are read together.
    fn look_up(
        &self,
        file: &TableFile,
        chunk: &[(Vec<u8>, u64)],
        walk: &mut Walk<'_>,
    ) -> Result<Option<Walked>> {
        let wanted = self.wanted(None);
        let mut by_row: Vec<usize> = (0..chunk.len()).collect();
        by_row.sort_unstable_by_key(|i| chunk[*i].1);
        let mut found: Vec<Option<Row>> = vec![None; chunk.len()];
        let mut rest = by_row.as_slice();
        while let Some(first) = rest.first().map(|i| chunk[*i].1) {
            let Some(group) = file.group_of(first) else { break };
            let end = (first + NEAR).min(file.first(group) + file.group_rows(group) as u64);
            let run = rest.partition_point(|i| chunk[*i].1 < end);
            let (these, others) = rest.split_at(run);
            rest = others;
            let last = these.last().map_or(first, |i| chunk[*i].1);
            let skip = usize::try_from(first - file.first(group))?;
            let batch = file.read(group, &wanted, skip, usize::try_from(last - first)? + 1)?;
            for i in these {
                let at = usize::try_from(chunk[*i].1 - first)?;
                if self.sorted.is_some() || self.matches(None, &batch, &wanted, at) {
                    found[*i] = Some(self.row(&batch, at, chunk[*i].1));
                }
            }
        }
        for ((key, row), found) in chunk.iter().zip(found) {
            walk.looked += 1;
            self.tell(walk.looked);
            let place = Place { stretch: walk.stretch, row: *row, key: key.clone() };
            if let Some(row) = found {
                if !(walk.each)(place, row) {
                    return Ok(Some(Walked::Stopped));
                }
            } else if walk.looked >= walk.most {
                return Ok(Some(Walked::Bound(place)));
            }
        }
        Ok(None)
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

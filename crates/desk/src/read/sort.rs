//! Rows in the order of a column that no index serves: sorted beside the reading, with bounded
//! memory, into an index of its own that is kept for a while.
//!
//! The file has no name: it is unlinked as soon as it is open, and gone with the process.

use std::sync::atomic::{AtomicU64, Ordering as Atomic};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::table::{CellValue, TableHead, TableQuery};
use super::{Reader, Snapshot};
use crate::index::{IndexBuilder, IndexFile, RunMaker};
use crate::tables::Identity;
use crate::{Error, Result};

/// Sorts that run at a time; others wait for their turn.
const MAX_RUNNING: usize = 2;
/// Finished sorts that are kept, the longest unused given up first.
const MAX_KEPT: usize = 8;
/// Rows and bytes of keys that are sorted in memory at a time.
const RUN_ROWS: usize = 1 << 18;
const RUN_BYTES: usize = 16 << 20;
/// Bytes of a text or of bytes that are compared; what is the same so far stays in the source's order.
const COMPARED: usize = 128;

/// First byte of the key of a row with a value, and of one without.
pub(super) const VALUE: u8 = 1;
pub(super) const NONE: u8 = 2;

/// Whether rows can be had in the order asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ordering {
    /// They can.
    AtHand,
    /// They are being sorted.
    Sorting {
        /// Steps done: a row is read, and later it is put in its place.
        done: u64,
        /// Steps in all.
        total: u64,
        /// Time since it began.
        elapsed: Duration,
    },
    /// As many sorts as may run are running; ask again.
    Waiting,
    /// The sort failed; the next call tries again.
    Failed(String),
}

/// What a sort is of: the table's file, its conditions, the column. A table that is made again is
/// sorted again.
type Of = (Option<Identity>, String, Vec<String>, String);

/// A sort.
#[derive(Debug)]
struct Job {
    begun: Instant,
    read: Arc<AtomicU64>,
    merged: AtomicU64,
    rows: AtomicU64,
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug)]
enum State {
    Running,
    Done(Arc<IndexFile>),
    Failed(String),
}

impl Job {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_running(&self) -> bool {
        matches!(*self.state(), State::Running)
    }
}

/// The sorts of a case, the latest used last.
#[derive(Debug, Default)]
pub(super) struct Sorts(Vec<(Of, Arc<Job>)>);

impl Sorts {
    fn find(&mut self, of: &Of) -> Option<Arc<Job>> {
        let place = self.0.iter().position(|(o, _)| o == of)?;
        let entry = self.0.remove(place);
        let job = entry.1.clone();
        self.0.push(entry);
        Some(job)
    }

    /// Lets go of all that is done: the views that it was made from are gone.
    pub(super) fn forget(&mut self) {
        self.drop_beyond(0);
    }

    fn drop_beyond(&mut self, kept: usize) {
        while self.0.iter().filter(|(_, job)| !job.is_running()).count() > kept {
            let Some(place) = self.0.iter().position(|(_, job)| !job.is_running()) else { return };
            self.0.remove(place);
        }
    }
}

impl TableQuery {
    /// Whether an index serves the order: its column has one, and no other column is asked about.
    pub(super) fn by_index(&self, table: &TableHead) -> bool {
        self.order.as_ref().is_none_or(|order| {
            table.columns.iter().any(|c| c.name == order.column && c.in_order())
                && self.filter.terms.iter().all(|t| t.column == order.column)
        })
    }
}

impl Snapshot {
    /// Sees to it that rows can be had in the query's order: begins a sort where one is needed, and
    /// waits for it as long as `wait`.
    ///
    /// # Errors
    /// No such table or column; one whose values are secret.
    pub fn ordering(&self, query: &TableQuery, wait: Duration) -> Result<Ordering> {
        let Some((of, rows)) = self.sort_of(query)? else { return Ok(Ordering::AtHand) };
        let job = {
            let mut sorts = self.sorts();
            match sorts.find(&of) {
                Some(job) => job,
                None => {
                    if sorts.0.iter().filter(|(_, job)| job.is_running()).count() >= MAX_RUNNING {
                        return Ok(Ordering::Waiting);
                    }
                    let job = Arc::new(Job {
                        begun: Instant::now(),
                        read: Arc::default(),
                        merged: AtomicU64::new(0),
                        rows: AtomicU64::new(rows),
                        state: Mutex::new(State::Running),
                        ended: Condvar::new(),
                    });
                    sorts.drop_beyond(MAX_KEPT - 1);
                    sorts.0.push((of.clone(), job.clone()));
                    begin(self.reader().clone(), query.clone(), job.clone());
                    job
                }
            }
        };
        let state = job.state();
        let (state, _) = job
            .ended
            .wait_timeout_while(state, wait, |s| matches!(s, State::Running))
            .unwrap_or_else(PoisonError::into_inner);
        Ok(match &*state {
            State::Done(_) => Ordering::AtHand,
            State::Failed(why) => {
                let why = why.clone();
                drop(state);
                self.sorts().0.retain(|(o, _)| *o != of);
                Ordering::Failed(why)
            }
            State::Running => {
                let rows = job.rows.load(Atomic::Relaxed);
                let done = job.read.load(Atomic::Relaxed).min(rows)
                    + job.merged.load(Atomic::Relaxed).min(rows);
                Ordering::Sorting { done, total: rows * 2, elapsed: job.begun.elapsed() }
            }
        })
    }

    /// Waits until rows can be had in the query's order.
    pub(super) fn wait_for_order(&self, query: &TableQuery) -> Result<()> {
        loop {
            match self.ordering(query, Duration::from_millis(500))? {
                Ordering::AtHand => return Ok(()),
                Ordering::Sorting { .. } => {}
                Ordering::Waiting => std::thread::sleep(Duration::from_millis(200)),
                Ordering::Failed(why) => return Err(Error::Table(why)),
            }
        }
    }

    /// The sort of a query, if it is done.
    pub(super) fn sorted(&self, query: &TableQuery) -> Option<Arc<IndexFile>> {
        let (of, _) = self.sort_of(query).ok()??;
        let job = self.sorts().find(&of)?;
        match &*job.state() {
            State::Done(index) => Some(index.clone()),
            _ => None,
        }
    }

    /// What has to be sorted for a query, and rows of its table; `None` where nothing has.
    fn sort_of(&self, query: &TableQuery) -> Result<Option<(Of, u64)>> {
        let Some(order) = &query.order else { return Ok(None) };
        let table = self
            .table(&query.table)?
            .ok_or_else(|| Error::NotFound { what: format!("the table {:?}", query.table) })?;
        let column = table.columns.iter().find(|c| c.name == order.column).ok_or_else(|| {
            Error::Asked(format!("the table {} has no column {:?}", table.name, order.column))
        })?;
        if column.secret {
            return Err(Error::Asked(format!(
                "rows cannot be had in the order of {:?}: its values are kept secret",
                column.name
            )));
        }
        if query.by_index(&table) {
            return Ok(None);
        }
        let terms = query.filter.terms.iter().map(ToString::to_string).collect();
        let file = self.file_of(&table)?.map(|file| file.identity());
        Ok(Some(((file, table.id, terms, order.column.clone()), table.rows)))
    }
}

/// Begins a sort on a thread of its own.
fn begin(reader: Reader, query: TableQuery, job: Arc<Job>) {
    std::thread::spawn(move || {
        // A panic ends the sort, not the waiting for it.
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            sort(&reader, &query, &job).map_err(|e| match std::error::Error::source(&e) {
                Some(source) => format!("{e}: {source}"),
                None => e.to_string(),
            })
        }));
        *job.state() = match outcome {
            Ok(Ok(index)) => State::Done(index),
            Ok(Err(why)) => State::Failed(why),
            Err(_) => State::Failed("the sort was broken off".to_owned()),
        };
        job.ended.notify_all();
    });
}

fn sort(reader: &Reader, query: &TableQuery, job: &Job) -> Result<Arc<IndexFile>> {
    let column = query.order.as_ref().map(|o| o.column.clone());
    let unordered =
        TableQuery { columns: column.into_iter().collect(), order: None, ..query.clone() };
    // The snapshot is let go at once: while it lives, a writer's journal grows.
    let mut plan = reader.snapshot()?.plan_by(&unordered, false)?;
    if let Some(total) = plan.total()? {
        job.rows.store(total, Atomic::Relaxed);
    }
    plan.looked = Some(job.read.clone());
    let mut builder = IndexBuilder::new(&reader.dir().join("tables"));
    let mut run = RunMaker::default();
    let (mut rows, mut bytes, mut all) = (0, 0, 0u64);
    let mut failed = None;
    let mut key = Vec::new();
    plan.walk(None, u64::MAX, &mut |_, row| {
        key_of(row.cells.first().unwrap_or(&CellValue::Null), &mut key);
        run.push(&key, row.number);
        (rows, bytes, all) = (rows + 1, bytes + key.len(), all + 1);
        if rows >= RUN_ROWS || bytes >= RUN_BYTES {
            (rows, bytes) = (0, 0);
            failed = builder.add(std::mem::take(&mut run).finish()).err();
        }
        failed.is_none()
    })?;
    if let Some(error) = failed {
        return Err(error);
    }
    builder.add(run.finish())?;
    job.rows.store(all, Atomic::Relaxed);
    job.read.store(all, Atomic::Relaxed);
    let built = builder.finish_telling(&mut |rows| job.merged.store(rows, Atomic::Relaxed))?;
    // Open, then dropped: the name goes, the file stays as long as somebody reads it.
    Ok(Arc::new(IndexFile::open_held(built.file.temp_path())?))
}

/// Where a value stands: bytes that compare as the values do.
fn key_of(value: &CellValue, key: &mut Vec<u8>) {
    key.clear();
    key.push(VALUE);
    match value {
        CellValue::Null | CellValue::Masked => key[0] = NONE,
        CellValue::Int(n) => key.extend((n.cast_unsigned() ^ (1 << 63)).to_be_bytes()),
        CellValue::Real(x) => {
            // The order of IEEE 754: negative numbers have all their bits turned.
            let bits = x.to_bits();
            let turned = if bits >> 63 == 1 { !bits } else { bits | 1 << 63 };
            key.extend(turned.to_be_bytes());
        }
        CellValue::Text(text) => key.extend(text.bytes().take(COMPARED)),
        CellValue::Bytes(bytes) => key.extend(bytes.iter().take(COMPARED)),
    }
}

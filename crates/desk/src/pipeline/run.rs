//! One parser's run over one exhibit: deferred work goes to the pool, results are merged in the
//! parser's order, memory stays bounded.

use std::collections::VecDeque;
use std::io::Read;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use intake::{Chunks, Coverage, Input, Job, MappingFit, Parser, Sink};
use model::{Batch, ExhibitId, Fact, Problem, ProblemKind, TableSchema};
use sha2::{Digest, Sha256};

use super::pool::{Pool, Slot};
use super::record::{put_fact, put_problem};
use super::spill::Spill;
use super::table::{GroupDone, TableDone, TableMaker};
use crate::progress::Progress;
use crate::tables::{MAX_TABLES, SharedBatch};
use crate::{Error, Result};

/// What one run shares with the others.
pub(crate) struct Shop {
    pub(crate) pool: Arc<Pool>,
    pub(crate) tables: PathBuf,
    pub(crate) progress: Arc<Progress>,
    pub(crate) cancel: Arc<AtomicBool>,
}

/// The result of a run.
pub(crate) struct Finished {
    pub(crate) exhibit: ExhibitId,
    pub(crate) parser: &'static str,
    pub(crate) version: u32,
    pub(crate) facts: Spill,
    pub(crate) problems: Spill,
    pub(crate) tables: Vec<TableDone>,
    pub(crate) coverage: Coverage,
    pub(crate) digest: [u8; 32],
    /// Of the tables that a mapping was held against, the one that it fits best.
    pub(crate) mapped: Option<MappingFit>,
}

/// Keeps the better fit.
pub(crate) fn better(best: &mut Option<MappingFit>, fit: MappingFit) {
    if best.as_ref().is_none_or(|best| fit.missing.len() < best.missing.len()) {
        *best = Some(fit);
    }
}

impl Finished {
    /// Rows of all tables.
    pub(crate) fn rows(&self) -> u64 {
        self.tables.iter().map(|t| t.rows).sum()
    }

    /// Present values in them.
    pub(crate) fn values(&self) -> u64 {
        self.tables.iter().map(|t| t.values).sum()
    }
}

/// The digest of a run: facts, problems, then each table.
pub(crate) fn run_digest(
    facts: [u8; 32],
    problems: [u8; 32],
    tables: impl Iterator<Item = [u8; 32]>,
) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(b"vigie/run/v1\0");
    hash.update(facts);
    hash.update(problems);
    for table in tables {
        hash.update(table);
    }
    hash.finalize().into()
}

/// Runs `parser` over the exhibit's bytes.
pub(crate) fn run(
    shop: &Shop,
    parser: &'static Parser,
    input: &Input<'_>,
    source: &mut dyn Read,
) -> Result<Finished> {
    let failed = AtomicBool::new(false);
    let mut reader =
        Watched { inner: source, failed: &failed, cancel: &shop.cancel, progress: &shop.progress };
    let mut chunks = Chunks::new(&mut reader);
    let mut sink = RunSink::new(shop, &failed);
    let parsed = catch_unwind(AssertUnwindSafe(|| (parser.parse)(input, &mut chunks, &mut sink)));
    let medium = chunks.take_error();
    let (offset, skipped) = (chunks.offset(), chunks.drain());
    sink.drain(0);
    if let Some(error) = sink.error.take() {
        return Err(error);
    }
    if shop.cancel.load(Ordering::Relaxed) {
        return Err(Error::Cancelled);
    }
    let mut coverage = match parsed {
        Ok(mut coverage) if !sink.panicked => {
            coverage.lose(sink.lost);
            coverage
        }
        _ => {
            // A fault of ours, not of the material: nothing of the run is kept, and it is said.
            sink = RunSink::new(shop, &failed);
            let message =
                format!("the parser {} failed on this exhibit: a fault in Vigie", parser.name);
            let kind = ProblemKind::Unsupported;
            let end = offset + skipped;
            sink.problem(Problem { start: 0, end, kind, message, lost: true });
            Coverage { read: 0, filler: 0, lost: end }
        }
    };
    if let Some(error) = medium {
        let message = format!("the sealed bytes could not be read on: {error}");
        let kind = ProblemKind::Medium;
        sink.problem(Problem { start: offset, end: offset, kind, message, lost: true });
    } else if skipped > 0 && coverage.total() + skipped == offset + skipped {
        coverage.lost += skipped;
    }
    sink.finish(input.exhibit, (parser.name, parser.version), coverage)
}

/// What stands for a run where no parser reads the exhibit: an archive, or what nothing reads.
pub(crate) fn without_parser(
    shop: &Shop,
    exhibit: ExhibitId,
    (parser, version): (&'static str, u32),
    coverage: Coverage,
    problems: Vec<Problem>,
) -> Result<Finished> {
    let failed = AtomicBool::new(false);
    let mut sink = RunSink::new(shop, &failed);
    for problem in problems {
        sink.problem(problem);
    }
    sink.finish(exhibit, (parser, version), coverage)
}

/// Counts what is read, and ends the stream where the work was called off or has failed.
struct Watched<'a> {
    inner: &'a mut dyn Read,
    failed: &'a AtomicBool,
    cancel: &'a AtomicBool,
    progress: &'a Progress,
}

impl Read for Watched<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.failed.load(Ordering::Relaxed) || self.cancel.load(Ordering::Relaxed) {
            return Ok(0);
        }
        let n = self.inner.read(buffer)?;
        Progress::add(&self.progress.parsed, n as u64);
        Ok(n)
    }
}

/// What a parser gave out.
enum Item {
    /// Encoded facts, and how many.
    Facts(Vec<u8>, u64),
    Table(TableSchema),
    Rows(u32, SharedBatch),
    Problem(Problem),
}

/// Items in order; some are still being made.
enum Queued {
    Items(Vec<Item>),
    Job(Slot<JobSink>),
}

/// Facts are gathered into pieces of this size.
const PIECE: usize = 64 << 10;

/// Items that may wait behind a job before the parser does.
const MAX_WAITING: usize = 4096;

/// Exhibit bytes whose rows may wait, over all tables, for their groups to fill.
const MAX_PENDING: u64 = 128 << 20;

/// Gathers a job's items, and counts the bytes it finds lost.
#[derive(Default)]
struct JobSink {
    items: Vec<Item>,
    lost: u64,
}

fn push_fact(items: &mut Vec<Item>, fact: &Fact) {
    debug_assert!(model::kinds::allowed(fact), "no such word in the registry: {fact:?}");
    match items.last_mut() {
        Some(Item::Facts(bytes, count)) if bytes.len() < PIECE => {
            put_fact(bytes, fact);
            *count += 1;
        }
        _ => {
            let mut bytes = Vec::new();
            put_fact(&mut bytes, fact);
            items.push(Item::Facts(bytes, 1));
        }
    }
}

impl Sink for JobSink {
    fn fact(&mut self, fact: Fact) {
        push_fact(&mut self.items, &fact);
    }

    fn table(&mut self, _: TableSchema) -> u32 {
        // The trait forbids it; rows for this number will be reported as lost.
        u32::MAX
    }

    fn rows(&mut self, batch: Batch) {
        if !batch.is_empty() {
            self.items.push(Item::Rows(batch.table, batch.into()));
        }
    }

    fn problem(&mut self, problem: Problem) {
        if problem.lost {
            self.lost += problem.end.saturating_sub(problem.start);
        }
        self.items.push(Item::Problem(problem));
    }

    fn defer(&mut self, job: Job) {
        job(self);
    }
}

/// The sink of a run. It lives on the parser's thread and merges there.
struct RunSink<'a> {
    shop: &'a Shop,
    failed: &'a AtomicBool,
    queue: VecDeque<Queued>,
    jobs: usize,
    waiting: usize,
    next_table: u32,
    facts: Spill,
    scratch: Vec<u8>,
    problems: Spill,
    tables: Vec<TableMaker>,
    groups: VecDeque<(usize, Slot<Result<GroupDone>>)>,
    tables_lost: bool,
    /// Bytes that jobs found lost.
    lost: u64,
    panicked: bool,
    error: Option<Error>,
    mapped: Option<MappingFit>,
}

impl<'a> RunSink<'a> {
    fn new(shop: &'a Shop, failed: &'a AtomicBool) -> Self {
        Self {
            shop,
            failed,
            queue: VecDeque::new(),
            jobs: 0,
            waiting: 0,
            next_table: 0,
            facts: Spill::new(&shop.tables),
            scratch: Vec::new(),
            problems: Spill::new(&shop.tables),
            tables: Vec::new(),
            groups: VecDeque::new(),
            tables_lost: false,
            lost: 0,
            panicked: false,
            error: None,
            mapped: None,
        }
    }

    /// Jobs, and groups, that may be on their way at once.
    fn most(&self) -> usize {
        self.shop.pool.len() * 2 + 1
    }

    fn item(&mut self, item: Item) {
        match self.queue.back_mut() {
            None => self.apply(item),
            Some(Queued::Items(items)) => {
                items.push(item);
                self.waiting += 1;
            }
            Some(Queued::Job(_)) => {
                self.queue.push_back(Queued::Items(vec![item]));
                self.waiting += 1;
            }
        }
        if self.waiting > MAX_WAITING {
            self.drain(0);
        }
    }

    /// Merges what is ready; waits until at most `most` jobs are on their way.
    fn drain(&mut self, most: usize) {
        loop {
            match self.queue.front() {
                None => return,
                Some(Queued::Items(_)) => {}
                Some(Queued::Job(slot)) => {
                    if self.jobs <= most && self.waiting <= MAX_WAITING && !slot.ready() {
                        return;
                    }
                }
            }
            match self.queue.pop_front() {
                Some(Queued::Items(items)) => {
                    self.waiting = self.waiting.saturating_sub(items.len());
                    items.into_iter().for_each(|item| self.apply(item));
                }
                Some(Queued::Job(slot)) => {
                    self.jobs -= 1;
                    match slot.wait() {
                        Ok(done) => {
                            self.lost += done.lost;
                            done.items.into_iter().for_each(|item| self.apply(item));
                        }
                        Err(_) => self.panicked = true,
                    }
                }
                None => return,
            }
        }
    }

    fn apply(&mut self, item: Item) {
        if self.error.is_some() {
            return;
        }
        if let Err(error) = self.try_apply(item) {
            self.failed.store(true, Ordering::Relaxed);
            self.error = Some(error);
        }
    }

    fn try_apply(&mut self, item: Item) -> Result<()> {
        let progress = &self.shop.progress;
        match item {
            Item::Facts(bytes, count) => {
                Progress::add(&progress.facts, count);
                self.facts.add(&bytes, count)
            }
            Item::Problem(problem) => {
                Progress::add(&progress.problems, 1);
                self.scratch.clear();
                put_problem(&mut self.scratch, &problem);
                self.problems.add(&self.scratch, 1)
            }
            Item::Table(schema) => {
                if self.tables.len() < MAX_TABLES {
                    self.tables.push(TableMaker::new(&self.shop.tables, schema)?);
                }
                Ok(())
            }
            Item::Rows(table, batch) => self.rows_of(table, batch),
        }
    }

    fn rows_of(&mut self, number: u32, batch: SharedBatch) -> Result<()> {
        let n = number as usize;
        let (Some(start), Some(end)) = (batch.starts.first().copied(), batch.ends.last().copied())
        else {
            return Ok(());
        };
        let Some(table) = self.tables.get_mut(n) else {
            if self.tables_lost {
                return Ok(());
            }
            self.tables_lost = true;
            return self.try_apply(Item::Problem(Problem {
                start,
                end,
                kind: ProblemKind::Bound,
                message: format!(
                    "more than {MAX_TABLES} tables: rows of further ones are not kept"
                ),
                lost: true,
            }));
        };
        Progress::add(&self.shop.progress.rows, batch.starts.len() as u64);
        let (pool, groups) = (&self.shop.pool, &mut self.groups);
        table.add(batch, &mut |_, task| {
            groups.push_back((n, pool.submit(move || task.run())));
            Ok(())
        })?;
        self.write_groups(self.most())?;
        // Many half-full groups at once: the fullest goes out as it is.
        if self.tables.iter().map(TableMaker::waiting).sum::<u64>() > MAX_PENDING {
            let fullest = (0..self.tables.len()).max_by_key(|i| self.tables[*i].waiting());
            if let Some(i) = fullest {
                self.submit_rest(i);
            }
        }
        Ok(())
    }

    fn submit_rest(&mut self, table: usize) {
        if let Some(task) = self.tables[table].take_group() {
            self.groups.push_back((table, self.shop.pool.submit(move || task.run())));
        }
    }

    /// Writes groups that are ready; waits until at most `most` are on their way.
    fn write_groups(&mut self, most: usize) -> Result<()> {
        while let Some((_, slot)) = self.groups.front() {
            if self.groups.len() <= most && !slot.ready() {
                return Ok(());
            }
            if let Some((table, slot)) = self.groups.pop_front() {
                match slot.wait() {
                    Ok(done) => self.tables[table].write(done?)?,
                    Err(_) => {
                        return Err(Error::Table("a row group could not be encoded".to_owned()));
                    }
                }
            }
        }
        Ok(())
    }

    fn finish(
        mut self,
        exhibit: ExhibitId,
        (parser, version): (&'static str, u32),
        coverage: Coverage,
    ) -> Result<Finished> {
        self.drain(0);
        for table in 0..self.tables.len() {
            self.submit_rest(table);
            self.write_groups(self.most())?;
        }
        self.write_groups(0)?;
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let mut tables = Vec::with_capacity(self.tables.len());
        let mut merges = VecDeque::new();
        for (n, table) in self.tables.into_iter().enumerate() {
            let (done, builders) = table.close()?;
            tables.push(done);
            for (index, builder) in builders {
                merges.push_back((n, index, self.shop.pool.submit(move || builder.finish())));
            }
        }
        for (n, index, slot) in merges {
            let built = slot
                .wait()
                .map_err(|_| Error::Table("an index could not be merged".to_owned()))??;
            tables[n].indexes.push((index, built));
        }
        let digest = run_digest(
            self.facts.digest(),
            self.problems.digest(),
            tables.iter().map(|t| t.digest),
        );
        Ok(Finished {
            exhibit,
            parser,
            version,
            facts: self.facts,
            problems: self.problems,
            tables,
            coverage,
            digest,
            mapped: self.mapped,
        })
    }
}

impl Sink for RunSink<'_> {
    fn fact(&mut self, fact: Fact) {
        match self.queue.back_mut() {
            Some(Queued::Items(items)) => {
                let before = items.len();
                push_fact(items, &fact);
                self.waiting += items.len() - before;
            }
            None if self.error.is_none() => {
                debug_assert!(model::kinds::allowed(&fact), "no such word: {fact:?}");
                self.scratch.clear();
                put_fact(&mut self.scratch, &fact);
                Progress::add(&self.shop.progress.facts, 1);
                if let Err(error) = self.facts.add(&self.scratch, 1) {
                    self.failed.store(true, Ordering::Relaxed);
                    self.error = Some(error);
                }
            }
            _ => {
                let mut items = Vec::new();
                push_fact(&mut items, &fact);
                if let Some(item) = items.pop() {
                    self.item(item);
                }
            }
        }
        if self.waiting > MAX_WAITING {
            self.drain(0);
        }
    }

    fn table(&mut self, schema: TableSchema) -> u32 {
        let number = self.next_table;
        self.next_table = self.next_table.saturating_add(1);
        self.item(Item::Table(schema));
        number
    }

    fn rows(&mut self, batch: Batch) {
        if !batch.is_empty() {
            let table = batch.table;
            self.item(Item::Rows(table, batch.into()));
        }
    }

    fn problem(&mut self, problem: Problem) {
        self.item(Item::Problem(problem));
    }

    fn mapped(&mut self, fit: MappingFit) {
        better(&mut self.mapped, fit);
    }

    fn defer(&mut self, job: Job) {
        let slot = self.shop.pool.submit(move || {
            let mut sink = JobSink::default();
            job(&mut sink);
            sink
        });
        self.queue.push_back(Queued::Job(slot));
        self.jobs += 1;
        self.drain(self.most());
    }
}

/// Where an exhibit's tables stand.
pub(crate) fn tables_folder(case: &Path) -> PathBuf {
    case.join("tables")
}

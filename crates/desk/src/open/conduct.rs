//! The conductor: takes what was copied and what was read, commits it to the log, and hands it on.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use model::record::{
    Body, ExhibitSealed, MaterialUnread, Name, Opening, ParseRun, Record, ViewsRebuilt,
};
use model::{ExhibitId, Sha256Hex};
use std::os::unix::ffi::OsStrExt;
use vault::unpack::{Bounds, Budget};
use vault::{Added, Origin, Stager};

use super::place::{Recorded, place};
use super::sets::{Sets, may_be_of_set};
use super::walk::{Found, walk};
use super::worker::{Event, Part, SharedBudget, Task, work as worker};
use super::{Opened, Request, Work};
use crate::desk::Desk;
use crate::pipeline::pool::Pool;
use crate::pipeline::run::{Finished, Shop, better, tables_folder};
use crate::progress::Progress;
use crate::views::Views;
use crate::{Error, Result};

/// A file that could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub message: String,
}

/// An exhibit whose run gave something else than the log says of an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The exhibit.
    pub exhibit: ExhibitId,
    /// Its name.
    pub name: String,
    /// Parser, version and counts before.
    pub before: RunCounts,
    /// The same now.
    pub now: RunCounts,
}

/// A run in numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunCounts {
    /// Parser and version.
    pub parser: String,
    /// Facts.
    pub facts: u64,
    /// Rows.
    pub rows: u64,
    /// Problems.
    pub problems: u64,
    /// Digest, hexadecimal.
    pub digest: String,
}

/// Commit when so much was copied in: files, and bytes.
const BATCH_FILES: usize = 64;
/// See [`BATCH_FILES`].
const BATCH_BYTES: u64 = 256 << 20;

/// How long a batch waits for more.
const PATIENCE: Duration = Duration::from_millis(10);

/// Runs committed at once.
const BATCH_RUNS: usize = 32;

/// A run that the log holds.
#[derive(Clone)]
struct Known {
    record: i64,
    parser: String,
    version: u64,
    counts: RunCounts,
}

struct Conductor<'a> {
    desk: &'a mut Desk,
    work: &'a Work,
    /// The latest run of each exhibit, by place.
    runs: BTreeMap<i64, Known>,
    /// Exhibits to be read.
    waiting: VecDeque<(ExhibitId, i64)>,
    /// Of these, the files of images in several: they wait for all others.
    held: Vec<(ExhibitId, i64)>,
    /// Those that need wait no longer, and the sets they may be of.
    ripe: BTreeSet<i64>,
    sets: Sets,
    in_flight: usize,
    staged: Vec<(vault::Staged, Origin)>,
    staged_bytes: u64,
    done: Vec<(i64, Finished)>,
    mapping: Option<Arc<str>>,
    budgets: HashMap<ExhibitId, SharedBudget>,
    /// Paths that could not be read, to be recorded; and those that are.
    unread: Vec<Unread>,
    said: BTreeSet<(String, String)>,
    opened: Opened,
}

enum ViewsJob {
    Apply(Vec<(u64, Record, Opening)>),
    Load(Vec<Recorded>),
}

/// Opens `request` into the desk's case.
pub(crate) fn conduct(desk: &mut Desk, request: &Request, work: &Work) -> Result<Opened> {
    let begun = Instant::now();
    if let Some(path) = &request.mapping {
        super::lay::mapping(desk, path, request)?;
    }
    if let Some(path) = &request.address_table {
        super::lay::address_table(desk, path, request)?;
    }
    // What only brings views up to date keeps the table that the case has.
    if !request.paths.is_empty() {
        super::lay::addresses(desk, request)?;
    }
    super::repair::repair(desk)?;
    let mut opened = run(desk, request, work)?;
    super::sums::compare(desk)?;
    finish(desk, work, &mut opened, begun)?;
    Ok(opened)
}

/// Builds all views of the desk's case again; they were thrown away.
pub(crate) fn rebuild(desk: &mut Desk, work: &Work) -> Result<Opened> {
    let begun = Instant::now();
    desk.open_views()?;
    let mut opened = run(desk, &Request::default(), work)?;
    let differing = opened.differences.len() as u64;
    let mut words: String = opened
        .differences
        .iter()
        .take(100)
        .map(|d| format!("{}: {} → {}; ", d.exhibit, d.before.parser, d.now.parser))
        .collect();
    words.truncate(words.floor_char_boundary(20_000));
    let exhibits = desk.case.exhibits().len() as u64;
    desk.commit(vec![ViewsRebuilt { exhibits, differing, difference: words }.into()])?;
    finish(desk, work, &mut opened, begun)?;
    Ok(opened)
}

fn finish(desk: &mut Desk, work: &Work, opened: &mut Opened, begun: Instant) -> Result<()> {
    crate::count::settle(desk, &work.progress, &work.cancel)?;
    let db = &desk.views()?.db;
    db.execute("DELETE FROM meta WHERE name = ?", [crate::views::UNREAD])?;
    work.progress.stage("done", "");
    let elapsed = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let dir = desk.dir().to_owned();
    opened.summary = crate::count::summary(&dir, &desk.views()?.db, elapsed)?;
    Ok(())
}

fn run(desk: &mut Desk, request: &Request, work: &Work) -> Result<Opened> {
    let mapping = super::lay::mapping_text(desk)?.map(Arc::<str>::from);
    let threads = work.threads();
    let readers = threads.clamp(1, 8);
    let shop = Arc::new(Shop {
        pool: Arc::new(Pool::new(threads)),
        tables: tables_folder(desk.dir()),
        progress: work.progress.clone(),
        cancel: work.cancel.clone(),
    });
    let (events_in, events) = sync_channel::<Event>(16);
    let (tasks, tasks_out) = channel::<Task>();
    let tasks_out = Arc::new(Mutex::new(tasks_out));
    let (jobs, jobs_out) = sync_channel::<ViewsJob>(4);
    let mut views = desk.views.take().ok_or(Error::Cancelled)?;
    let runs = known_runs(&views)?;
    let waiting = unread_exhibits(&views)?;
    let said = said_unread(&views)?;
    let mut total = 0;
    for (id, _) in &waiting {
        total += desk.case.exhibit(id)?.map_or(0, |e| e.size);
    }
    Progress::add(&work.progress.parsed_total, total);
    let stager = desk.case.stager();
    let mut threads = Vec::new();
    {
        let (events, work, request) = (events_in.clone(), work.clone(), request.clone());
        let own = desk.dir().to_owned();
        threads.push(std::thread::spawn(move || stage(&stager, &request, &own, &work, &events)));
    }
    for _ in 0..readers {
        let (shop, tasks, events) = (shop.clone(), tasks_out.clone(), events_in.clone());
        let parsers = work.parsers;
        threads.push(std::thread::spawn(move || worker(&shop, parsers, &tasks, &events)));
    }
    drop(events_in);
    let writer = {
        let (folder, progress) = (shop.tables.clone(), work.progress.clone());
        std::thread::spawn(move || {
            let result = write_views(&mut views, &folder, &jobs_out, &progress);
            if result.is_err() {
                // Whoever sends finds the channel closed, and comes for the error.
                drop(jobs_out);
            }
            (views, result)
        })
    };
    let mut conductor = Conductor {
        desk,
        work,
        runs,
        waiting,
        held: Vec::new(),
        ripe: BTreeSet::new(),
        sets: Sets::default(),
        in_flight: 0,
        staged: Vec::new(),
        staged_bytes: 0,
        done: Vec::new(),
        mapping,
        budgets: HashMap::new(),
        unread: Vec::new(),
        said,
        opened: Opened {
            summary: crate::Summary::default(),
            unread: Vec::new(),
            differences: Vec::new(),
            sealed: 0,
            received: 0,
            mapped: None,
        },
    };
    let result = conductor.run(&events, &tasks, &jobs, readers);
    let opened = conductor.opened;
    if result.is_err() {
        work.cancel.store(true, Ordering::Relaxed);
    }
    drop(tasks);
    drop(jobs);
    drop(events); // senders find it closed
    for thread in threads {
        let _ = thread.join(); // what it had to say came as an event
    }
    let written = match writer.join() {
        Ok((views, result)) => {
            desk.views = Some(views);
            result
        }
        Err(_) => Err(Error::Bound("the thread that writes the views stopped".to_owned())),
    };
    written?;
    result?;
    if work.cancel.load(Ordering::Relaxed) {
        return Err(Error::Cancelled);
    }
    Ok(opened)
}

/// Walks and copies.
fn stage(stager: &Stager, request: &Request, own: &Path, work: &Work, events: &SyncSender<Event>) {
    let progress = &work.progress;
    let mut files = Vec::new();
    walk(&request.paths, own, &mut |found| {
        match found {
            Found::File(path, size) => {
                Progress::add(&progress.files_total, 1);
                Progress::add(&progress.sealed_total, size);
                files.push(path);
            }
            Found::Unread(path, message) => {
                let _ = events.send(Event::Unread(path, message));
            }
        }
        !work.cancel.load(Ordering::Relaxed)
    });
    for path in files {
        if work.cancel.load(Ordering::Relaxed) {
            break;
        }
        progress.stage("seal", &path.to_string_lossy());
        let staged =
            if request.in_place { stager.file_in_place(&path) } else { stager.file(&path) };
        let event = match staged {
            Ok(staged) => {
                Progress::add(&progress.files, 1);
                Progress::add(&progress.sealed, staged.size());
                let origin = Origin {
                    source: Some(Name(path.as_os_str().as_bytes().to_vec())),
                    item: request.item.clone(),
                    authorisation: request.authorisation.clone(),
                    seized_by: request.seized_by.clone(),
                    at: request.at.clone(),
                    member: None,
                };
                Event::Staged(Box::new(staged), Box::new(origin))
            }
            Err(e @ (vault::Error::Material { .. } | vault::Error::NotAFile(_))) => {
                Event::Unread(path, message_of(&e))
            }
            Err(other) => Event::Failed(other.into()),
        };
        if events.send(event).is_err() {
            return;
        }
    }
    let _ = events.send(Event::Walked);
}

fn message_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

/// The latest run of each exhibit that the log holds.
fn known_runs(views: &Views) -> Result<BTreeMap<i64, Known>> {
    let mut query = views.db.prepare(
        "SELECT record, exhibit, parser, version, facts, rows, problems, digest
         FROM run ORDER BY record",
    )?;
    let mut rows = query.query([])?;
    let mut runs = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (parser, version): (String, i64) = (row.get(2)?, row.get(3)?);
        let digest: Vec<u8> = row.get(7)?;
        let counts = RunCounts {
            parser: format!("{parser}/{version}"),
            facts: row.get::<_, i64>(4)? as u64,
            rows: row.get::<_, i64>(5)? as u64,
            problems: row.get::<_, i64>(6)? as u64,
            digest: model::id::hex(&digest),
        };
        let known = Known { record: row.get(0)?, parser, version: version as u64, counts };
        runs.insert(row.get(1)?, known);
    }
    Ok(runs)
}

/// Exhibits that the views hold nothing of, in the log's order.
fn unread_exhibits(views: &Views) -> Result<VecDeque<(ExhibitId, i64)>> {
    let mut query = views.db.prepare(
        "SELECT id, ord FROM exhibit
         WHERE ord NOT IN (SELECT exhibit FROM loaded)
           AND ord NOT IN (SELECT ord FROM hidden)
           AND id NOT IN (SELECT exhibit FROM laid) ORDER BY ord",
    )?;
    let rows = query.query_map([], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get(1)?)))?;
    rows.map(|row| row.map(|(id, ord)| (ExhibitId(id), ord)).map_err(Error::from)).collect()
}

/// Paths that the log says could not be read, and why.
fn said_unread(views: &Views) -> Result<BTreeSet<(String, String)>> {
    let mut query = views.db.prepare("SELECT path, message FROM unread")?;
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<std::result::Result<_, _>>()?)
}

impl Conductor<'_> {
    fn run(
        &mut self,
        events: &Receiver<Event>,
        tasks: &std::sync::mpsc::Sender<Task>,
        jobs: &SyncSender<ViewsJob>,
        readers: usize,
    ) -> Result<()> {
        let mut walked = false;
        loop {
            self.feed(tasks, readers)?;
            let nothing_left = walked
                && self.in_flight == 0
                && self.waiting.is_empty()
                && self.staged.is_empty()
                && self.unread.is_empty()
                && self.done.is_empty();
            if nothing_left {
                if self.held.is_empty() {
                    return Ok(());
                }
                self.release()?;
                continue;
            }
            let quiet = self.staged.is_empty() && self.done.is_empty() && self.unread.is_empty();
            let event = if quiet {
                events.recv().map_err(|_| RecvTimeoutError::Disconnected)
            } else {
                events.recv_timeout(PATIENCE)
            };
            match event {
                Ok(Event::Staged(staged, origin)) => {
                    self.staged_bytes += staged.size();
                    self.staged.push((*staged, *origin));
                }
                Ok(Event::Unread(path, message)) => {
                    Progress::add(&self.work.progress.problems, 1);
                    self.opened
                        .unread
                        .push(Unread { path: path.clone(), message: message.clone() });
                    self.unread.push(Unread { path, message });
                }
                Ok(Event::Walked) => walked = true,
                Ok(Event::Ran(ord, run)) => {
                    self.in_flight -= 1;
                    if let Some(fit) = run.mapped.clone() {
                        better(&mut self.opened.mapped, fit);
                    }
                    self.done.push((ord, *run));
                }
                Ok(Event::Failed(error)) => return Err(error),
                Err(RecvTimeoutError::Timeout) => self.commit(jobs)?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::Bound("the threads that read stopped".to_owned()));
                }
            }
            if self.staged.len() >= BATCH_FILES
                || self.staged_bytes >= BATCH_BYTES
                || self.done.len() >= BATCH_RUNS
                || self.work.cancel.load(Ordering::Relaxed)
            {
                self.commit(jobs)?;
            }
            if self.work.cancel.load(Ordering::Relaxed) {
                return Err(Error::Cancelled);
            }
        }
    }

    /// Hands waiting exhibits to the workers, so many that none is idle.
    fn feed(&mut self, tasks: &std::sync::mpsc::Sender<Task>, readers: usize) -> Result<()> {
        while self.in_flight < readers + 1 {
            let Some((exhibit, ord)) = self.waiting.pop_front() else { return Ok(()) };
            let mut task = match self.task(exhibit, ord) {
                Err(Error::Vault(lost @ vault::Error::Unreadable { .. })) => {
                    self.lost(&lost);
                    continue;
                }
                other => other?,
            };
            if self.ripe.remove(&ord) {
                task.part = match self.sets.part(self.desk, exhibit, &task.origin) {
                    Err(Error::Vault(lost @ vault::Error::Unreadable { .. })) => {
                        self.lost(&lost);
                        continue;
                    }
                    other => other?,
                };
            } else if may_be_of_set(&task.name, &task.bytes) {
                self.held.push((exhibit, ord));
                continue;
            }
            if tasks.send(task).is_err() {
                return Err(Error::Cancelled);
            }
            self.in_flight += 1;
        }
        Ok(())
    }

    /// An exhibit whose file is gone waits unread: the others are read all the same.
    fn lost(&mut self, error: &vault::Error) {
        let vault::Error::Unreadable { path, source, .. } = error else { return };
        Progress::add(&self.work.progress.problems, 1);
        self.opened.unread.push(Unread { path: path.clone(), message: source.to_string() });
    }

    /// Lets what was held be read: whatever a set consists of is sealed now.
    fn release(&mut self) -> Result<()> {
        self.sets = Sets::of(self.desk)?;
        let held = std::mem::take(&mut self.held);
        self.ripe.extend(held.iter().map(|(_, ord)| *ord));
        for (exhibit, ord) in held {
            if let Some(first) = self.sets.first(&self.origin_of(ord)?)
                && self.ripe.insert(first.1)
            {
                self.waiting.push_back(first);
            }
            self.waiting.push_back((exhibit, ord));
        }
        Ok(())
    }

    fn task(&mut self, exhibit: ExhibitId, ord: i64) -> Result<Task> {
        let bytes = self.desk.case.bytes(&exhibit)?;
        let origin = self.origin_of(ord)?;
        // Containers around it, and the file of the material that they all stand in.
        let (mut depth, mut root, mut around) = (0, exhibit, origin.member.clone());
        while let Some(member) = around {
            depth += 1;
            root = member.container;
            let record = self.desk.case.exhibit(&root)?.map(|e| e.record as i64);
            around = match record {
                Some(record) => self.origin_of(record)?.member,
                None => None,
            };
        }
        let size = self.desk.case.exhibit(&root)?.map_or(0, |e| e.size);
        let budget = self
            .budgets
            .entry(root)
            .or_insert_with(|| Arc::new(Mutex::new(Budget::new(Bounds::default(), size))));
        let budget = Arc::clone(budget);
        Ok(Task {
            exhibit,
            ord,
            name: self.sealed_as(ord)?.unwrap_or_else(|| Name(Vec::new())),
            bytes,
            part: Part::Whole,
            mapping: self.mapping.clone(),
            origin,
            depth,
            budget,
            stager: self.desk.case.stager(),
        })
    }

    /// How an exhibit came in first.
    fn origin_of(&self, ord: i64) -> Result<Origin> {
        Ok(self.sealing(ord)?.map(|body| Origin::of_sealed(&body)).unwrap_or_default())
    }

    /// What is left of a sealing record.
    fn sealing(&self, ord: i64) -> Result<Option<ExhibitSealed>> {
        let index = u64::try_from(ord)?;
        let (record, opening) = self.desk.case.record(index)?;
        match Body::read_left(&record, &opening) {
            Ok(Body::ExhibitSealed(body)) => Ok(Some(body)),
            Ok(_) => Ok(None),
            Err(source) => Err(vault::Error::Record { index, source }.into()),
        }
    }

    /// The name that an exhibit came in under first: it has it still where its container was erased.
    fn sealed_as(&self, ord: i64) -> Result<Option<Name>> {
        Ok(self.sealing(ord)?.and_then(|body| body.member.or(body.source)))
    }

    /// The name an exhibit was found under.
    fn name_of(&self, ord: i64) -> Result<String> {
        Ok(self.sealed_as(ord)?.map(|name| name.shown()).unwrap_or_default())
    }

    /// Commits what was copied and what was read; hands both to the views.
    fn commit(&mut self, jobs: &SyncSender<ViewsJob>) -> Result<()> {
        let stamp = self.desk.stamp();
        let first = self.desk.case.len();
        let mut fresh: Vec<(i64, Finished, Option<Known>)> = Vec::new();
        let mut records = Vec::new();
        for (ord, run) in self.done.drain(..) {
            let before = self.runs.get(&ord).cloned();
            let same = before.as_ref().is_some_and(|k| {
                k.parser == run.parser
                    && k.version == u64::from(run.version)
                    && k.counts.digest == model::id::hex(&run.digest)
            });
            if !same {
                records.push(record_of(&run));
            }
            fresh.push((ord, run, before.filter(|_| same)));
        }
        let mut batch = self.desk.case.batch();
        let mut seals = 0;
        for (staged, origin) in self.staged.drain(..) {
            match batch.seal(staged, &origin)? {
                Added::Sealed => {
                    self.opened.sealed += 1;
                    seals += 1;
                }
                Added::Received => {
                    self.opened.received += 1;
                    seals += 1;
                }
                Added::Known => {}
            }
        }
        self.staged_bytes = 0;
        // A path is said to be unreadable once, however often it is tried.
        let unread = std::mem::take(&mut self.unread);
        let mut said = 0;
        for Unread { path, message } in unread {
            let path = Name(path.as_os_str().as_bytes().to_vec());
            if self.said.insert((path.shown(), message.clone())) {
                batch.record(MaterialUnread { path, message });
                said += 1;
            }
        }
        for record in records {
            batch.record(record);
        }
        let range = batch.commit(&stamp)?;
        let mut next_run = first + seals + said;
        let mut recorded = Vec::with_capacity(fresh.len());
        for (ord, run, same) in fresh {
            let record = match same {
                Some(known) => known.record,
                None => {
                    let record = next_run as i64;
                    next_run += 1;
                    self.differs(ord, &run, record)?;
                    record
                }
            };
            recorded.push(Recorded { ord, record, run });
        }
        if !range.is_empty() {
            let mut entries = Vec::new();
            for index in range {
                let (record, opening) = self.desk.case.record(index)?;
                if record.kind == "exhibit.sealed"
                    && let Ok(Body::ExhibitSealed(b)) = Body::read(&record, &opening)
                {
                    self.waiting.push_back((b.exhibit, index as i64));
                    Progress::add(&self.work.progress.parsed_total, b.size);
                }
                entries.push((index, record, opening));
            }
            send(jobs, ViewsJob::Apply(entries))?;
        }
        if !recorded.is_empty() {
            send(jobs, ViewsJob::Load(recorded))?;
        }
        Ok(())
    }

    /// Keeps a run in mind, and notes where it differs from the one before.
    fn differs(&mut self, ord: i64, run: &Finished, record: i64) -> Result<()> {
        let counts = RunCounts {
            parser: format!("{}/{}", run.parser, run.version),
            facts: run.facts.count(),
            rows: run.rows(),
            problems: run.problems.count(),
            digest: model::id::hex(&run.digest),
        };
        let (parser, version) = (run.parser.to_owned(), u64::from(run.version));
        let known = Known { record, parser, version, counts: counts.clone() };
        if let Some(before) = self.runs.insert(ord, known) {
            let name = self.name_of(ord)?;
            let exhibit = run.exhibit;
            let before = before.counts;
            self.opened.differences.push(Difference { exhibit, name, before, now: counts });
        }
        Ok(())
    }
}

fn send(jobs: &SyncSender<ViewsJob>, job: ViewsJob) -> Result<()> {
    // Closed: the writer failed, and its error is the one that is told.
    jobs.send(job).map_err(|_| Error::Cancelled)
}

fn record_of(run: &Finished) -> Body {
    ParseRun {
        exhibit: run.exhibit,
        parser: run.parser.to_owned(),
        version: u64::from(run.version),
        facts: run.facts.count(),
        rows: run.rows(),
        values: run.values(),
        problems: run.problems.count(),
        digest: Sha256Hex(run.digest),
    }
    .into()
}

/// The thread that writes the views.
fn write_views(
    views: &mut Views,
    folder: &Path,
    jobs: &Receiver<ViewsJob>,
    progress: &Progress,
) -> Result<()> {
    let begun = Instant::now();
    loop {
        match jobs.recv_timeout(Duration::from_millis(400)) {
            Ok(ViewsJob::Apply(entries)) => {
                views.apply(entries.into_iter().map(Ok))?;
            }
            Ok(ViewsJob::Load(runs)) => {
                let placed = place(folder, runs)?;
                views.load(&placed)?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Ok(()),
        }
        let elapsed = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        progress.elapsed_ms.store(elapsed, Ordering::Relaxed);
        views.set_meta("progress", progress.snapshot().to_json())?;
    }
}

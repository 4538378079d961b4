//! A case that is made, opened or read: what is held against what before anybody uses it, and what a crash left.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use ledger::{Authority, Checkpoint, Home, Keys, Lock, Log, Reader, Wait, disk};
use model::ExhibitId;
use model::record::{
    Body, CaseBorn, CaseOpened, Envelope, Opening, Record, RecordError, uuid_v7, write,
};

use super::{
    Access, Case, Exhibit, Known, Sort, Writer, authority_of, exhibit_path, is_shield_decision,
    origin_of, shield_origin, speaks_of_exhibits, stands_alone,
};
use crate::erase::{Ordered, id_in};
use crate::error::{Error, Result};
use crate::keys::{OfLog, Rotation, birth_in, bodies, finish_log, first_key, open_log};
use crate::openings::{Openings, file_name, first_of, names};
use crate::origin::{Origin, Stamp};
use crate::stage::Stager;
use crate::verify::Begun;

impl Case {
    /// True where `dir` holds a case.
    ///
    /// # Errors
    /// What may not be looked at: nobody knows then.
    pub fn exists(dir: &Path) -> Result<bool> {
        match Reader::open(&dir.join("ledger")) {
            Ok(log) if log.size() > 0 => Ok(true),
            Err(e) if e.is_closed() => Err(e.into()),
            _ => crate::verify::is_folder(&dir.join("ledger/tile")),
        }
    }

    /// Makes a case in `dir` under the home's authority, and records its birth in the authority's
    /// own log. `holder` says for whom the writer's lock is held, such as `vigie open, since …`.
    ///
    /// # Errors
    /// A case is there already; the disk; a lock ([`Wait`]).
    pub fn create(
        dir: &Path,
        home: &Home,
        name: &str,
        stamp: &Stamp,
        holder: &str,
        wait: Wait,
    ) -> Result<Self> {
        Self::create_of(Sort::Case, dir, home, name, stamp, holder, wait)
    }

    /// Makes the folder of the authority's clearing house: shaped as a case's, with the log
    /// `<authority>/shield`. An authority has one.
    ///
    /// # Errors
    /// As [`Case::create`]; [`Error::ShieldExists`].
    pub fn create_shield(
        dir: &Path,
        home: &Home,
        stamp: &Stamp,
        holder: &str,
        wait: Wait,
    ) -> Result<Self> {
        Self::create_of(Sort::Shield, dir, home, "shield", stamp, holder, wait)
    }

    fn create_of(
        sort: Sort,
        dir: &Path,
        home: &Home,
        name: &str,
        stamp: &Stamp,
        holder: &str,
        wait: Wait,
    ) -> Result<Self> {
        // Asked before a key or a lock is made, and again under the lock.
        if dir.is_dir() && !crate::verify::is_bare(dir)? && !Self::exists(dir)? {
            return Err(Error::LogGone(dir.to_owned()));
        }
        let authority = home.current(&crate::random()?)?;
        authority.unlock()?; // before others wait for the lock
        disk::create_dir(dir)?;
        let lock = Lock::acquire(&dir.join("lock"), holder, wait)?;
        if Self::exists(dir)? {
            return Err(Error::CaseExists(dir.to_owned()));
        }
        let ledger_dir = dir.join("ledger");
        // What a case holds is dropped below where no record names it: there must be nothing of one.
        let begun = crate::verify::begun(dir, home, &authority)?;
        let shield = shield_origin(authority.name());
        let origin = match begun {
            // A crash came between the log's beginning and its first entry.
            Begun::Log(origin) if (origin == shield) == (sort == Sort::Shield) => origin,
            begun => {
                if !matches!(begun, Begun::Nothing) {
                    drop_beginning(dir)?;
                }
                if sort == Sort::Shield {
                    shield
                } else {
                    let random = crate::random()?;
                    let random: [u8; 10] = std::array::from_fn(|i| random[i]);
                    format!("{}/case/{}", authority.name(), uuid_v7(stamp.now_ms, random))
                }
            }
        };
        if sort == Sort::Shield && crate::verify::knows(&authority, &origin) {
            return Err(Error::ShieldExists(origin));
        }
        let log = Log::open(&ledger_dir, authority.signer(&origin)?)?;
        let key = log.verifier().text();
        let keys = log.verifier().into();
        let seen = log.reader().published().map(str::to_owned);
        let writer = Writer { log, keys, authority, seen, born: false, _lock: lock };
        let mut case = Self::with_writer(dir, origin.clone(), writer, None)?;
        let mut batch = case.batch();
        batch.record(CaseOpened { origin, key, name: name.to_owned() });
        batch.commit(stamp)?;
        case.complete_birth(stamp.now_ms, holder)?;
        Ok(case)
    }

    /// Opens a case for writing: takes the lock, completes what a crash interrupted, drops what was
    /// never committed, and hands the log on where the authority's key was replaced meanwhile.
    /// `now_ms` is used only for that, and where the case's birth was not recorded yet.
    ///
    /// # Errors
    /// No case; its authority's key is not in the home; files that contradict one another; a lock.
    pub fn open(dir: &Path, home: &Home, holder: &str, wait: Wait, now_ms: i64) -> Result<Self> {
        Self::open_knowing(dir, home, holder, wait, now_ms, |_, _| None)
    }

    /// As [`Case::open`], for who knows which records say something of exhibits: `knows` is given the log and
    /// whose signatures count in it, and may say so of the log's beginning ([`Known`]). The other records
    /// there are not read, nor is the folder of openings listed. It has to be right; where anything was ever
    /// erased, all are read.
    ///
    /// # Errors
    /// As [`Case::open`].
    pub fn open_knowing(
        dir: &Path,
        home: &Home,
        holder: &str,
        wait: Wait,
        now_ms: i64,
        knows: impl FnOnce(&Reader, &Keys) -> Option<Known>,
    ) -> Result<Self> {
        if !Self::exists(dir)? {
            return Err(Error::NoCase(dir.to_owned()));
        }
        let origin = origin_of(&Reader::open(&dir.join("ledger"))?, dir)?;
        let authority = home.find(authority_of(&origin))?;
        authority.unlock()?; // before others wait for the lock
        let lock = Lock::acquire(&dir.join("lock"), holder, wait)?;
        let authority = authority.reread()?;
        let signer = authority.signer(&origin)?;
        let reader = Reader::open(&dir.join("ledger"))?;
        let of = OfLog::of(&reader, &origin, first_key(&reader).as_ref(), &authority)?;
        let keys = of.handed_on(reader.size(), signer.verifier());
        // All of this before anything is written: what a run completes and drops, it drops for good.
        let known = KnownOf::of(&authority, &origin, &keys)?;
        known.hold(&reader)?;
        let born = known.is_born;
        stands_alone(dir)?;
        let known = knows(&reader, &keys);
        none_ahead(dir, reader.size(), known.is_some())?;
        let log = Log::open_with(&dir.join("ledger"), signer, &keys)?;
        let seen = log.reader().published().map(str::to_owned);
        let writer = Writer { log, keys, authority, seen, born, _lock: lock };
        let mut case = Self::with_writer(dir, origin, writer, known)?;
        case.complete_birth(now_ms, holder)?;
        case.hand_on(&of.waiting, now_ms)?;
        Ok(case)
    }

    /// Opens a case for reading: a snapshot of what is committed; no lock, no waiting.
    ///
    /// # Errors
    /// No case; files that contradict one another.
    pub fn read(dir: &Path) -> Result<Self> {
        Self::read_up_to(dir, u64::MAX)
    }

    /// As [`Case::read`], of the first `size` records alone: what was committed after them is left out.
    ///
    /// # Errors
    /// As [`Case::read`].
    pub fn read_up_to(dir: &Path, size: u64) -> Result<Self> {
        Self::read_as(dir, size, |_| None)
    }

    /// As [`Case::read`], for who knows which records say something of exhibits, as with [`Case::open_knowing`].
    ///
    /// # Errors
    /// As [`Case::read`].
    pub fn read_knowing(dir: &Path, knows: impl FnOnce(&Reader) -> Option<Known>) -> Result<Self> {
        Self::read_as(dir, u64::MAX, knows)
    }

    fn read_as(
        dir: &Path,
        size: u64,
        knows: impl FnOnce(&Reader) -> Option<Known>,
    ) -> Result<Self> {
        if !Self::exists(dir)? {
            return Err(Error::NoCase(dir.to_owned()));
        }
        let reader = Reader::open(&dir.join("ledger"))?;
        let origin = origin_of(&reader, dir)?;
        let reader = reader.up_to(size);
        let known = knows(&reader);
        Self::load(dir, origin, Access::Read(reader), known)
    }

    fn with_writer(
        dir: &Path,
        origin: String,
        writer: Writer,
        known: Option<Known>,
    ) -> Result<Self> {
        for folder in ["vault/exhibits", "vault/openings"] {
            disk::create_dir(&dir.join(folder))?;
        }
        let knowing = known.is_some();
        let mut case = Self::load(dir, origin, Access::Write(Box::new(writer)), known)?;
        case.carry_out()?;
        case.drop_orphans(knowing)?;
        Ok(case)
    }

    fn load(dir: &Path, origin: String, access: Access, known: Option<Known>) -> Result<Self> {
        let size = match &access {
            Access::Write(writer) => writer.log.size(),
            Access::Read(reader) => reader.size(),
        };
        let mut case = Self {
            dir: dir.to_owned(),
            origin,
            access,
            openings: match &known {
                Some(_) => Openings::seek(&dir.join("vault/openings"), size),
                None => Openings::open(&dir.join("vault/openings"), size)?,
            },
            before: None,
            exhibits: Vec::new(),
            by_id: HashMap::new(),
            sources: HashSet::new(),
            nameless: HashSet::new(),
            stager: Arc::new(Stager::new(dir.join("vault/exhibits"))),
            orders: Vec::new(),
            broken: false,
        };
        match known {
            Some(known) => case.load_knowing(known)?,
            None => case.reload()?,
        }
        Ok(case)
    }

    /// Reads from the records what the case keeps in mind of them.
    pub(crate) fn reload(&mut self) -> Result<()> {
        self.before = None;
        self.exhibits.clear();
        self.by_id.clear();
        self.sources.clear();
        self.nameless.clear();
        self.orders.clear();
        self.stager = Arc::new(Stager::new(self.dir.join("vault/exhibits")));
        self.take_in_from(0)
    }

    /// Takes in what came after the records that are known.
    fn load_knowing(&mut self, known: Known) -> Result<()> {
        // What no record names is destroyed where something was erased: then each is looked at.
        if known.erased {
            return self.reload();
        }
        self.before = Some(known.exhibits);
        self.take_in_from(known.records)?;
        if self.orders.is_empty() { Ok(()) } else { self.reload() }
    }

    fn take_in_from(&mut self, first: u64) -> Result<()> {
        for index in first..self.len() {
            // A clearing house's decisions say nothing of exhibits, and are most of its log: who replays
            // them reads them.
            if is_shield_decision(&self.log().entry(index)?) {
                continue;
            }
            let (record, opening) = self.record(index)?;
            self.take_in(index, &record, &opening)?;
        }
        Ok(())
    }

    /// Keeps in mind what a record says of exhibits and their erasure. Withheld ones cannot be known.
    pub(crate) fn take_in(&mut self, index: u64, record: &Record, opening: &Opening) -> Result<()> {
        if !speaks_of_exhibits(&record.kind) {
            return Ok(());
        }
        if record.committed.contains_key("member")
            && !opening.fields.contains_key("member")
            && let (Some(id), Some(container)) =
                (id_in(opening, "exhibit"), id_in(opening, "container"))
        {
            self.nameless.insert((id, container));
        }
        match Body::read_left(record, opening) {
            Ok(Body::ErasureOrdered(body)) => {
                let order = Ordered {
                    record: index,
                    time: record.time.clone(),
                    actor: record.actor(opening),
                    body,
                };
                if !order.is_of_earlier() {
                    let source = RecordError::Shape("it erases what does not come before it");
                    return Err(Error::Record { index, source });
                }
                self.orders.push(order);
            }
            Ok(Body::ExhibitSealed(body)) => {
                self.sources.insert(Origin::of_sealed(&body).key(&body.exhibit));
                self.stager.know(body.exhibit, body.size);
                self.by_id.insert(body.exhibit, self.exhibits.len());
                self.exhibits.push(Exhibit::of(index, body));
            }
            Ok(Body::ExhibitReceived(body)) => {
                self.sources.insert(Origin::of_received(&body).key(&body.exhibit));
            }
            Ok(_) | Err(RecordError::Withheld(_)) => {}
            Err(source) => return Err(Error::Record { index, source }),
        }
        Ok(())
    }

    /// Removes what a crash left of the one commit that can have been under way: its exhibits, which its
    /// openings name, and these. Other bytes that no record names stay: they may be all that is left of
    /// records that were taken away, and who opens the same material again takes them in. Where something
    /// was erased by law they go, since they may be that, come back from a copy.
    fn drop_orphans(&self, knowing: bool) -> Result<()> {
        let openings = self.dir.join("vault/openings");
        // What an erasure left half done is lines that were to go. Where nothing was ever erased nothing was left.
        if !knowing || !self.orders.is_empty() {
            disk::shred::sweep(&openings)?;
        }
        disk::Pending::remove_only(&openings)?;
        let exhibits = self.dir.join("vault/exhibits");
        disk::sweep(&exhibits)?;
        let last = openings.join(file_name(self.len()));
        for id in crate::openings::exhibits_in(&last) {
            if self.exhibit(&id)?.is_none() {
                disk::remove(&exhibit_path(&self.dir, &id))?;
            }
        }
        disk::remove(&last)?;
        if self.orders.is_empty() {
            return Ok(());
        }
        for folder in names(&exhibits)?.iter().filter(|f| f.len() == 2) {
            for name in names(&exhibits.join(folder))? {
                if name.parse::<ExhibitId>().is_ok_and(|id| !self.by_id.contains_key(&id)) {
                    disk::shred::shred(&exhibits.join(folder).join(&name))?;
                }
            }
        }
        Ok(())
    }

    /// Records the rotations of the authority's key that this log does not tell of yet. They are the
    /// first that the new key signs here: nothing else may come between.
    fn hand_on(&mut self, waiting: &[Rotation], now_ms: i64) -> Result<()> {
        if waiting.is_empty() {
            return Ok(());
        }
        let origin = self.origin.clone();
        let records = bodies(waiting, &origin, &self.writer()?.authority)?;
        let mut batch = self.batch();
        for record in records {
            batch.record(record);
        }
        batch.commit(&Stamp { actor: String::new(), now_ms })?;
        let writer = self.writer()?;
        let Some(note) = writer.log.reader().checkpoint() else { return Ok(()) };
        Ok(writer.authority.see(note, &origin, &writer.keys)?)
    }

    /// Records the birth with the authority, unless it is recorded, and lets it see the checkpoint.
    fn complete_birth(&mut self, now_ms: i64, holder: &str) -> Result<()> {
        let (origin, records) = (self.origin.clone(), self.len());
        let Access::Write(writer) = &mut self.access else { return Err(Error::ReadOnly) };
        let seen = writer.authority.seen(&origin, &writer.keys)?.is_some();
        if writer.born && seen {
            return Ok(());
        }
        let Some(checkpoint) = writer.log.reader().checkpoint() else { return Ok(()) };
        let (_lock, mut log) = open_log(&writer.authority, holder, Wait::Wait)?;
        let born = birth_in(log.reader(), &origin)?.is_some();
        // Its making may have been cut off before its birth was recorded, never after more records; but
        // where the authority has seen it, the log goes through what was seen, and is its own.
        if !born && !seen && records > 1 {
            return Err(Error::Unborn { origin, records });
        }
        if !born {
            let body = CaseBorn {
                origin: origin.clone(),
                key: writer.keys.first().text(),
                checkpoint: checkpoint.to_owned(),
            };
            let authority = writer.authority.name().to_owned();
            let envelope = Envelope { time_ms: now_ms, authority, actor: String::new() };
            let (bytes, _) = write(&body.into(), &envelope, &mut || [0; 32])
                .map_err(|source| Error::Record { index: log.size(), source })?;
            log.append(&[bytes])?;
        }
        finish_log(&writer.authority, log)?;
        writer.born = true;
        Ok(writer.authority.see(checkpoint, &origin, &writer.keys)?)
    }
}

/// What an authority knows of a log: what it has seen, and the birth in its own log.
#[derive(Debug)]
pub struct KnownOf {
    origin: String,
    through: Vec<Checkpoint>,
    is_born: bool,
}

impl KnownOf {
    /// What it knows by now. Whoever writes to the log publishes before the authority sees it: a log that is opened
    /// after this was asked goes through it.
    ///
    /// # Errors
    /// A checkpoint that does not verify by the log's keys; the authority's own log cannot be read.
    pub fn of(authority: &Authority, origin: &str, keys: &Keys) -> Result<Self> {
        let seen = authority.seen(origin, keys)?;
        let birth = birth_in(&authority.reader()?, origin)?;
        let is_born = birth.is_some();
        // Where another key signed it, that is told where keys are compared.
        let born = birth.and_then(|born| born.checkpoint).and_then(|note| keys.open(&note).ok());
        let through = seen.into_iter().chain(born).collect();
        Ok(Self { origin: origin.to_owned(), through, is_born })
    }

    /// Holds a log against it.
    ///
    /// # Errors
    /// The log was cut, or is another history; records of a log that the authority knows nothing of; tiles that
    /// cannot be read.
    pub fn hold(&self, log: &Reader) -> Result<()> {
        // Its making may have been cut off before its birth was recorded, never after more records.
        if !self.is_born && self.through.is_empty() && log.size() > 1 {
            return Err(Error::Unborn { origin: self.origin.clone(), records: log.size() });
        }
        Ok(log.goes_through(&self.through)?)
    }
}

/// How far beyond the log's end openings are looked for, where their folder is not listed.
const AHEAD: u64 = 1_024;

/// Openings are durable before their records, one commit at a time: there are none of more than that. Where the
/// log's beginning is `known` to go on to its end, they are looked for where the next commits would have them.
fn none_ahead(dir: &Path, records: u64, known: bool) -> Result<()> {
    let openings = dir.join("vault/openings");
    let first = if known {
        let under_way = openings.join(file_name(records));
        let lines = match under_way.symlink_metadata() {
            Ok(_) => crate::openings::Lines::read(&under_way).map_or(1, |lines| lines.len()),
            Err(_) => 1,
        };
        let after = records.saturating_add(1)..records.saturating_add(AHEAD);
        let mut all = std::iter::once(records.saturating_add(lines.max(1))).chain(after);
        all.find(|first| openings.join(file_name(*first)).symlink_metadata().is_ok())
    } else {
        let firsts = names(&openings)?.into_iter().filter_map(|name| first_of(&name));
        firsts.max().filter(|first| *first > records)
    };
    match first {
        Some(first) => Err(Error::Ahead { path: openings.join(file_name(first)), first, records }),
        None => Ok(()),
    }
}

/// Removes an empty log that this home's authority can go on with no more. Its openings go first: without
/// the checkpoint they would pass for those of a log that was taken away.
fn drop_beginning(dir: &Path) -> Result<()> {
    disk::remove(&dir.join("vault/openings").join(file_name(0)))?;
    Ok(disk::remove(&dir.join("ledger/checkpoint"))?)
}

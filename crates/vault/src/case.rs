//! A case open for reading or writing.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::disk::{self, Overwrite};
use ledger::{Authority, Home, Keys, Lock, Log, Reader, Wait};
use model::record::{
    Body, CaseBorn, CaseOpened, Envelope, ExhibitSealed, Name, Opening, Record, RecordError,
    uuid_v7, write,
};
use model::{ExhibitId, Sha256Hex};

use crate::bytes::{Bytes, plain_or_disk};
use crate::erase::{Ordered, id_in};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::keys::{OfLog, Rotation, birth_in, bodies, finish_log, first_key, open_log};
use crate::openings::{Openings, file_name, first_of, names};
use crate::origin::{Origin, Stamp};
use crate::records::opened;
use crate::stage::Stager;
use crate::verify::Begun;

/// A sealed exhibit as the case knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// SHA-256 of its bytes.
    pub id: ExhibitId,
    /// Bytes.
    pub size: u64,
    /// Root of its salted tree.
    pub root: Sha256Hex,
    /// Index of its `exhibit.sealed` record.
    pub record: u64,
    /// Where the bytes stay, where it was sealed by reference.
    pub in_place: Option<PathBuf>,
}

impl Exhibit {
    fn of(record: u64, body: ExhibitSealed) -> Self {
        let path = |name: Name| PathBuf::from(std::ffi::OsStr::from_bytes(&name.0));
        let in_place = body.in_place.map(path);
        Self { id: body.exhibit, size: body.size, root: body.root, record, in_place }
    }
}

/// What is held while writing.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) log: Log,
    /// Whose signatures count in it, and up to where.
    keys: Keys,
    authority: Authority,
    /// The last published checkpoint that the authority has seen, or need not.
    seen: Option<String>,
    /// True once its birth stands in the authority's own log. Until then the authority sees nothing of
    /// it: what was seen stands for a birth.
    born: bool,
    _lock: Lock,
}

#[derive(Debug)]
enum Access {
    Write(Box<Writer>),
    Read(Reader),
}

/// A case: exhibits, records and openings. Any number may read; one writes.
#[derive(Debug)]
pub struct Case {
    dir: PathBuf,
    origin: String,
    access: Access,
    pub(crate) openings: Openings,
    /// Where what stands in the log's beginning is looked up; what is below is of the records after that.
    before: Option<Arc<Index>>,
    exhibits: Vec<Exhibit>,
    by_id: HashMap<ExhibitId, usize>,
    sources: HashSet<[u8; 32]>,
    /// Exhibits and the containers that they came out of under a name that was erased since.
    nameless: HashSet<(ExhibitId, ExhibitId)>,
    stager: Arc<Stager>,
    pub(crate) orders: Vec<Ordered>,
    pub(crate) broken: bool,
}

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
        let born = is_known(&reader, &authority, &origin, &keys)?;
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
        let exhibits = self.dir.join("vault/exhibits");
        disk::sweep(&exhibits)?;
        let last = openings.join(file_name(self.len()));
        for id in crate::openings::exhibits_in(&last) {
            if self.find(&id)?.is_none() {
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

    /// The origin of the case in `dir`, as its log says; nothing is verified.
    ///
    /// # Errors
    /// No case; files that contradict one another.
    pub fn origin_in(dir: &Path) -> Result<String> {
        origin_of(&Reader::open(&dir.join("ledger"))?, dir)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// `<authority>/case/<id>`.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The authority's name.
    pub fn authority(&self) -> &str {
        authority_of(&self.origin)
    }

    /// The log, for proofs out of it: of what is published ([`Case::publish`]).
    pub fn log(&self) -> &Reader {
        match &self.access {
            Access::Write(writer) => writer.log.reader(),
            Access::Read(reader) => reader,
        }
    }

    pub(crate) fn writer(&mut self) -> Result<&mut Writer> {
        match &mut self.access {
            _ if self.broken => Err(Error::Broken),
            Access::Write(writer) => Ok(writer),
            Access::Read(_) => Err(Error::ReadOnly),
        }
    }

    /// Records.
    pub fn len(&self) -> u64 {
        self.log().size()
    }

    /// True before the first record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The last signed checkpoint, whole.
    pub fn checkpoint(&self) -> Option<&str> {
        self.log().checkpoint()
    }

    /// The published checkpoint's size, and the proof that it includes the record at `index`.
    ///
    /// # Errors
    /// Not published yet ([`Case::publish`]); the disk.
    pub fn inclusion_proof(&self, index: u64) -> Result<(u64, Vec<[u8; 32]>)> {
        Ok(self.log().inclusion_proof(index)?)
    }

    /// The record at `index` and its opening, bound to one another and checked.
    ///
    /// # Errors
    /// None there; damage.
    pub fn record(&self, index: u64) -> Result<(Record, Opening)> {
        opened(self.log(), &self.openings, index)
    }

    /// The record at `index`, typed.
    ///
    /// # Errors
    /// As [`Case::record`]; a field that was withheld or erased.
    pub fn body(&self, index: u64) -> Result<Body> {
        let (record, opening) = self.record(index)?;
        Body::read(&record, &opening).map_err(|source| Error::Record { index, source })
    }

    /// The records from `first` on, in order: what views are made from.
    pub fn records(&self, first: u64) -> impl Iterator<Item = Result<(u64, Record, Opening)>> + '_ {
        (first..self.len())
            .map(|index| self.record(index).map(|(record, opening)| (index, record, opening)))
    }

    /// True where a commit failed in its midst: nothing more is written until it is opened again.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// A sealed exhibit; none as well where what is known of the log's beginning cannot be read.
    pub fn exhibit(&self, id: &ExhibitId) -> Option<Cow<'_, Exhibit>> {
        self.find(id).ok().flatten()
    }

    /// A sealed exhibit.
    ///
    /// # Errors
    /// What is known of the log's beginning was changed, or is not what the log says; the disk.
    pub(crate) fn find(&self, id: &ExhibitId) -> Result<Option<Cow<'_, Exhibit>>> {
        if let Some(known) = self.by_id.get(id).and_then(|at| self.exhibits.get(*at)) {
            return Ok(Some(Cow::Borrowed(known)));
        }
        let mut found = None;
        for (index, body) in self.before(id)? {
            if let Body::ExhibitSealed(body) = body {
                found = Some(Cow::Owned(Exhibit::of(index, body)));
            }
        }
        Ok(found)
    }

    /// What the log's beginning says of an exhibit, where it is looked up: each record is read, so that nothing but
    /// the log is believed of it.
    fn before(&self, id: &ExhibitId) -> Result<Vec<(u64, Body)>> {
        let Some(index) = &self.before else { return Ok(Vec::new()) };
        let mut out = Vec::new();
        for index in index.records_of(id)? {
            let body = self.body(index)?;
            let of = match &body {
                Body::ExhibitSealed(body) => Some(body.exhibit),
                Body::ExhibitReceived(body) => Some(body.exhibit),
                _ => None,
            };
            if of != Some(*id) {
                let source = RecordError::Shape("it speaks of another exhibit than is kept of it");
                return Err(Error::Record { index, source });
            }
            out.push((index, body));
        }
        Ok(out)
    }

    /// All exhibits, in the order of their records. Of a case that was opened by who knew its beginning
    /// ([`Case::open_knowing`]), those after that alone.
    pub fn exhibits(&self) -> &[Exhibit] {
        &self.exhibits
    }

    /// True where the records tell of this way in already. What came out of a container under a name
    /// that was erased came in that way: told anew, the name would be back.
    pub(crate) fn knows_source(
        &self,
        key: &[u8; 32],
        id: &ExhibitId,
        origin: &Origin,
    ) -> Result<bool> {
        let nameless = || {
            let container = origin.member.as_ref().map(|member| member.container);
            container.is_some_and(|container| self.nameless.contains(&(*id, container)))
        };
        if self.sources.contains(key) || nameless() {
            return Ok(true);
        }
        let is = |(_, body): (u64, Body)| match body {
            Body::ExhibitSealed(body) => Origin::of_sealed(&body).key(id) == *key,
            Body::ExhibitReceived(body) => Origin::of_received(&body).key(id) == *key,
            _ => false,
        };
        Ok(self.before(id)?.into_iter().any(is))
    }

    /// Where an exhibit's bytes are.
    pub fn path(&self, id: &ExhibitId) -> Result<PathBuf> {
        let exhibit = self.find(id)?.ok_or(Error::NoExhibit(*id))?;
        Ok(exhibit.in_place.clone().unwrap_or_else(|| exhibit_path(&self.dir, id)))
    }

    /// An exhibit's bytes.
    ///
    /// # Errors
    /// No such exhibit; its file is gone.
    pub fn bytes(&self, id: &ExhibitId) -> Result<Bytes> {
        let exhibit = self.find(id)?.ok_or(Error::NoExhibit(*id))?;
        let path = exhibit.in_place.clone().unwrap_or_else(|| exhibit_path(&self.dir, id));
        let gone = |source| Error::Unreadable { id: *id, path: path.clone(), source };
        let file = plain_or_disk(&path, exhibit.in_place.is_some()).map_err(gone)?;
        Ok(Bytes::new(file, exhibit.size))
    }

    /// Hands out what copies and hashes, for any number of threads.
    pub fn stager(&self) -> Arc<Stager> {
        Arc::clone(&self.stager)
    }

    /// Publishes tiles and checkpoint of all that is committed, and lets the authority see it.
    ///
    /// # Errors
    /// The disk: open the case again.
    pub fn publish(&mut self) -> Result<()> {
        let origin = self.origin.clone();
        let writer = self.writer()?;
        writer.log.publish()?;
        match writer.log.reader().checkpoint().filter(|_| writer.born) {
            Some(note) => Ok(writer.authority.see(note, &origin, &writer.keys)?),
            None => Ok(()),
        }
    }

    /// Lets the authority see what was published since it last did: a long run publishes on its way, and
    /// a copy from before it must show as one.
    pub(crate) fn be_seen(&mut self) -> Result<()> {
        let origin = self.origin.clone();
        let writer = self.writer()?;
        let published = writer.log.reader().published().filter(|_| writer.born);
        let Some(note) = published.filter(|note| writer.seen.as_deref() != Some(*note)) else {
            return Ok(());
        };
        writer.authority.see(note, &origin, &writer.keys)?;
        writer.seen = Some(note.to_owned());
        Ok(())
    }

    /// Whose signatures count in this case's log, and up to where.
    ///
    /// # Errors
    /// The case is open for reading only.
    pub fn keys(&self) -> Result<&Keys> {
        match &self.access {
            Access::Write(writer) => Ok(&writer.keys),
            Access::Read(_) => Err(Error::ReadOnly),
        }
    }

    /// The key that signs for this case's log.
    ///
    /// # Errors
    /// The case is open for reading only.
    pub fn signer(&self) -> Result<ledger::SigningKey> {
        match &self.access {
            Access::Write(writer) => Ok(writer.authority.signer(&self.origin)?),
            Access::Read(_) => Err(Error::ReadOnly),
        }
    }

    /// Publishes, and lets go of the lock. A case that is dropped tries the same.
    ///
    /// # Errors
    /// The disk. What was committed is safe all the same; the next opening publishes it.
    pub fn finish(mut self) -> Result<()> {
        let result = self.publish();
        self.broken = true; // dropping has nothing left to do
        result
    }

    /// Writes the openings of a commit, as the pending file to be named with the exhibits.
    pub(crate) fn openings_file(&self, lines: &[u8]) -> Result<(disk::Pending, PathBuf)> {
        // Made where exhibits are, whose folder is soon swept: that of openings may hold millions.
        let mut file = disk::Pending::new(&self.dir.join("vault/exhibits"))?;
        file.append(lines)?;
        Ok((file, self.dir.join("vault/openings").join(file_name(self.len()))))
    }

    pub(crate) fn openings_added(&mut self, first: u64) {
        let size = self.len();
        self.openings.added(first, size);
    }

    pub(crate) fn add_exhibit_file(
        &self,
        batch: &mut disk::Batch,
        file: disk::Pending,
        id: &ExhibitId,
    ) -> Result<()> {
        // What stands there and is in no record is not known to be these bytes.
        Ok(batch.add(file, exhibit_path(&self.dir, id), Overwrite::Replace)?)
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        if matches!(self.access, Access::Write(_)) && !self.broken {
            let _ = self.publish(); // the next opening does it
        }
    }
}

/// `vault/exhibits/ab/<hex>` below a case's folder.
/// The file that holds the bytes of an exhibit of the case in `dir`, where it was not sealed in place.
pub fn exhibit_path(dir: &Path, id: &ExhibitId) -> PathBuf {
    let hex = id.to_string();
    dir.join("vault/exhibits").join(&hex[..2]).join(hex)
}

/// What a log's first records say of exhibits and their erasure.
#[derive(Debug, Clone)]
pub struct Known {
    /// How many records were looked at.
    pub records: u64,
    /// True where one of them orders an erasure.
    pub erased: bool,
    /// Which of them speak of which exhibit ([`exhibit_of`]).
    pub exhibits: Arc<Index>,
}

/// True of the kinds of records that a case keeps in mind.
pub fn speaks_of_exhibits(kind: &str) -> bool {
    ["exhibit.sealed", "exhibit.received", "erasure.ordered"].contains(&kind)
}

/// The exhibit that a record of a kind that [`speaks_of_exhibits`] seals or receives; `None` where it is erased.
pub fn exhibit_of(opening: &Opening) -> Option<ExhibitId> {
    id_in(opening, "exhibit")
}

/// True of the bytes of a clearing house's decision.
pub fn is_shield_decision(entry: &[u8]) -> bool {
    entry.windows(SHIELD_KIND.len()).any(|at| at == SHIELD_KIND)
}

/// How a decision of a clearing house begins to say what it is. In a record's canonical writing no text can hold
/// these bytes: a quotation mark within one is escaped.
const SHIELD_KIND: &[u8] = b"\"kind\":\"shield.decided\"";

/// What a folder with a log of its own is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Case,
    Shield,
}

/// The origin of an authority's clearing house.
pub fn shield_origin(authority: &str) -> String {
    format!("{authority}/shield")
}

/// The authority in an origin.
pub fn authority_of(origin: &str) -> &str {
    origin.split('/').next().unwrap_or(origin)
}

/// Holds a log against what its authority knows of it: what it has seen, and the birth in its own log;
/// true where that is there.
fn is_known(log: &Reader, authority: &Authority, origin: &str, keys: &Keys) -> Result<bool> {
    let seen = authority.seen(origin, keys)?;
    let birth = birth_in(&authority.reader()?, origin)?;
    // Its making may have been cut off before its birth was recorded, never after more records.
    if birth.is_none() && seen.is_none() && log.size() > 1 {
        return Err(Error::Unborn { origin: origin.to_owned(), records: log.size() });
    }
    let is_born = birth.is_some();
    // Where another key signed it, that is told where keys are compared.
    let born = birth.and_then(|born| born.checkpoint).and_then(|note| keys.open(&note).ok());
    log.goes_through(&seen.into_iter().chain(born).collect::<Vec<_>>())?;
    Ok(is_born)
}

/// Refuses folders of the vault that are links: what a run writes and removes there would be another's.
pub(crate) fn stands_alone(dir: &Path) -> Result<()> {
    let exhibits = dir.join("vault/exhibits");
    let below = names(&exhibits)?.into_iter().filter(|name| name.len() == 2);
    let folders = below.map(|name| exhibits.join(name));
    for path in [exhibits.clone(), dir.join("vault/openings")].into_iter().chain(folders) {
        if path.is_symlink() {
            return Err(Error::LinkedFolder(path));
        }
    }
    Ok(())
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

fn origin_of(reader: &Reader, dir: &Path) -> Result<String> {
    // There is a case: its log is what is not.
    let note = reader.checkpoint().ok_or_else(|| Error::LogGone(dir.to_owned()))?;
    let checkpoint = ledger::Checkpoint::parse_unverified(note);
    Ok(checkpoint.map_err(|_| Error::LogGone(dir.to_owned()))?.origin)
}

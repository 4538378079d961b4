//! A case open for reading or writing: what it holds, and what is added. How it is opened stands in `opening`.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::disk::{self, Overwrite};
use ledger::{Authority, Keys, Lock, Log, Reader};
use model::record::{Body, ExhibitSealed, Name, Opening, Record, RecordError};
use model::{ExhibitId, Sha256Hex};

use crate::bytes::{Bytes, plain_or_disk};
use crate::erase::{Ordered, id_in};
use crate::error::{Error, Result};
use crate::index::Index;
use crate::openings::{Openings, file_name, names};
use crate::origin::Origin;
use crate::records::opened;
use crate::stage::Stager;

mod opening;

pub use self::opening::KnownOf;

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

    /// A sealed exhibit; `None`: there is none of that hash.
    ///
    /// # Errors
    /// What is known of the log's beginning was changed, or is not what the log says; the disk. Whether there is one
    /// nobody knows then.
    pub fn exhibit(&self, id: &ExhibitId) -> Result<Option<Cow<'_, Exhibit>>> {
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
        let exhibit = self.exhibit(id)?.ok_or(Error::NoExhibit(*id))?;
        Ok(exhibit.in_place.clone().unwrap_or_else(|| exhibit_path(&self.dir, id)))
    }

    /// An exhibit's bytes.
    ///
    /// # Errors
    /// No such exhibit; its file is gone.
    pub fn bytes(&self, id: &ExhibitId) -> Result<Bytes> {
        let exhibit = self.exhibit(id)?.ok_or(Error::NoExhibit(*id))?;
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
        // On the volume where it ends, which need not be that of the exhibits; under one name, since the folder may
        // hold millions and is not listed to find what a crash left.
        let folder = self.dir.join("vault/openings");
        let mut file = disk::Pending::only(&folder)?;
        file.append(lines)?;
        Ok((file, folder.join(file_name(self.len()))))
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

/// The file that holds the bytes of an exhibit of the case in `dir`, where it was not sealed in place:
/// `vault/exhibits/ab/<hex>` below it.
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

fn origin_of(reader: &Reader, dir: &Path) -> Result<String> {
    // There is a case: its log is what is not.
    let note = reader.checkpoint().ok_or_else(|| Error::LogGone(dir.to_owned()))?;
    let checkpoint = ledger::Checkpoint::parse_unverified(note);
    Ok(checkpoint.map_err(|_| Error::LogGone(dir.to_owned()))?.origin)
}

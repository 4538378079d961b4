//! A case's memory: exhibits by their hash, records in the log, and the openings between them.
//!
//! The API as it will stand; bodies follow.

use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::record::{Body, Name, Opening, Record};
use model::{ExhibitId, Sha256Hex};

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// In the log or on the disk.
    #[error(transparent)]
    Ledger(#[from] ledger::Error),
    /// Not there yet.
    #[error("not built yet")]
    Unbuilt,
}
/// Results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

/// Where authorities live: keys and their own logs, outside every case. `Home::open(dir)` makes the
/// folder; `default_authority` makes `practice.invalid` where none was named.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);
impl Home {
    /// Opens, or makes, the folder.
    pub fn open(dir: &Path) -> Result<Self> { Ok(Self(dir.to_owned())) }
    /// `vigie authority init NAME`. Fails if it is named already.
    pub fn init_authority(&self, _name: &str, _now_ms: i64) -> Result<()> { Err(Error::Unbuilt) }
    /// The named authority, else `practice.invalid`.
    pub fn authority_name(&self) -> Result<String> { Err(Error::Unbuilt) }
}

/// Who acts and when: goes into each record of a commit.
#[derive(Debug, Clone)]
pub struct Stamp { /// Who.
    pub actor: String, /// Milliseconds since 1970, UTC.
    pub now_ms: i64 }

/// How and where from bytes came in. All but `source` as the user stated it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// The path read; of a member, the outermost file's.
    pub source: Option<Name>,
    /// Item of the seizure's list.
    pub item: Option<String>,
    /// Authorisation.
    pub authorisation: Option<String>,
    /// Who seized.
    pub seized_by: Option<String>,
    /// When, ISO 8601.
    pub at: Option<String>,
    /// Of a member.
    pub member: Option<MemberOf>,
}
/// Where a member stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberOf {
    /// The exhibit it was in.
    pub container: ExhibitId,
    /// Its name there; never a path.
    pub name: Name,
    /// How it came out.
    pub codec: String,
    /// Where it begins in the container.
    pub offset: Option<u64>,
}

/// A sealed exhibit as the case knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exhibit {
    /// SHA-256.
    pub id: ExhibitId,
    /// Bytes.
    pub size: u64,
    /// Root of the salted tree.
    pub root: Sha256Hex,
    /// The index of its `exhibit.sealed` record in the log.
    pub record: u64,
    /// Set where sealed by reference.
    pub in_place: Option<PathBuf>,
}

/// A case open for reading (any number) or writing (one). Reading never waits.
#[derive(Debug)]
pub struct Case(());
/// How to wait for the writer's lock.
#[derive(Debug, Clone, Copy)]
pub enum Wait { /// Wait.
    Wait, /// Fail at once, saying who holds it.
    Fail }

impl Case {
    /// Makes a case in `dir` (absent or empty), records its birth with the authority, holds the writer's lock.
    pub fn create(_dir: &Path, _home: &Home, _name: &str, _stamp: &Stamp) -> Result<Self> { Err(Error::Unbuilt) }
    /// Opens for writing: takes the lock, completes what a crash interrupted.
    pub fn open(_dir: &Path, _home: &Home, _wait: Wait) -> Result<Self> { Err(Error::Unbuilt) }
    /// Opens for reading: a snapshot; takes no lock.
    pub fn read(_dir: &Path) -> Result<Self> { Err(Error::Unbuilt) }
    /// `<authority>/case/<id>`.
    pub fn origin(&self) -> &str { "" }
    /// Records so far.
    pub fn len(&self) -> u64 { 0 }
    /// True before the first record.
    pub fn is_empty(&self) -> bool { true }
    /// The entry, parsed, and its opening (empty where erased). Any index below `len()`.
    pub fn record(&self, _index: u64) -> Result<(Record, Opening)> { Err(Error::Unbuilt) }
    /// All from `first` on, in order: what views are rebuilt from.
    pub fn records(&self, _first: u64) -> Box<dyn Iterator<Item = Result<(u64, Record, Opening)>> + '_> { Box::new(std::iter::empty()) }
    /// A sealed exhibit.
    pub fn exhibit(&self, _id: &ExhibitId) -> Option<&Exhibit> { None }
    /// All, in the order of their records.
    pub fn exhibits(&self) -> Box<dyn Iterator<Item = &Exhibit> + '_> { Box::new(std::iter::empty()) }
    /// The exhibit's bytes.
    pub fn bytes(&self, _id: &ExhibitId) -> Result<Bytes> { Err(Error::Unbuilt) }
    /// Hands out what copies and hashes, for any number of threads.
    pub fn stager(&self) -> Arc<Stager> { Arc::new(Stager(())) }
    /// A batch: add staged exhibits and other records, then commit. Nothing is seen before.
    pub fn batch(&mut self) -> Batch<'_> { Batch(self) }
    /// Publishes all tiles, empties the journal, releases the lock. Dropping does the same, errors lost.
    pub fn finish(self) -> Result<()> { Ok(()) }
}

/// A sealed exhibit's bytes.
#[derive(Debug)]
pub struct Bytes(std::fs::File);
impl Bytes {
    /// Bytes `start..start+buf.len()`, fewer at the end.
    pub fn read_at(&self, _buf: &mut [u8], _start: u64) -> Result<usize> { Err(Error::Unbuilt) }
    /// Size.
    pub fn size(&self) -> u64 { 0 }
}
impl Read for Bytes { fn read(&mut self, b: &mut [u8]) -> std::io::Result<usize> { self.0.read(b) } }
impl Seek for Bytes { fn seek(&mut self, p: std::io::SeekFrom) -> std::io::Result<u64> { self.0.seek(p) } }

/// Copies and hashes; `Send + Sync`, lives as long as somebody holds it.
#[derive(Debug)]
pub struct Stager(());
/// Copied and hashed, not yet named nor durable. Dropped, it is gone.
#[derive(Debug)]
pub struct Staged(());
impl Staged {
    /// Its id.
    pub fn id(&self) -> ExhibitId { ExhibitId([0; 32]) }
    /// Its size.
    pub fn size(&self) -> u64 { 0 }
}
impl Stager {
    /// Copies a file into the vault, hashing. A change while reading becomes the record's note. A file the case holds already is hashed but not copied.
    pub fn file(&self, _path: &Path) -> Result<Staged> { Err(Error::Unbuilt) }
    /// Hashes a file that stays where it is.
    pub fn file_in_place(&self, _path: &Path) -> Result<Staged> { Err(Error::Unbuilt) }
    /// Copies a reader (a member of an archive). The reader's error becomes the record's note and what was read is sealed.
    pub fn reader(&self, _reader: &mut dyn Read) -> Result<Staged> { Err(Error::Unbuilt) }
}

/// What became of an added exhibit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Added { /// New: an `exhibit.sealed`.
    Sealed, /// Known, from another source: an `exhibit.received`.
    Received, /// Known, from this very source: nothing.
    Known }

/// Records in the making.
#[derive(Debug)]
pub struct Batch<'a>(&'a mut Case);
impl Batch<'_> {
    /// Adds an exhibit.
    pub fn seal(&mut self, _staged: Staged, _origin: &Origin) -> Result<Added> { let _ = &self.0; Err(Error::Unbuilt) }
    /// Adds a record.
    pub fn record(&mut self, _body: impl Into<Body>) -> Result<()> { Err(Error::Unbuilt) }
    /// Exhibits durable, then openings, then one flush of the log. Returns the new records' indices.
    pub fn commit(self, _stamp: &Stamp) -> Result<std::ops::Range<u64>> { Err(Error::Unbuilt) }
}

//! A second copy of a case's folder that grows with it: a commit at a time, as it is made. What the copy has
//! is durable there, proven by the writer's own signature, and is a whole case at any instant; so another
//! machine can go on from it, once it holds the authority's key.
//!
//! The writer hands out [`Parcel`]s ([`Case::parcel`]); the copy takes them ([`Standby::take`]), after the
//! exhibits that they name. Views are not copied, nor what was sealed by reference.

pub mod wire;

use std::path::{Path, PathBuf};

use ledger::disk::{self, Overwrite, Pending};
use ledger::{Keys, Lock, Log, Wait};
use model::record::{Body, Opening, Record, RecordError};
use model::{ExhibitId, Sha256Hex};
use sha2::{Digest, Sha256};

use crate::case::{Case, exhibit_path};
use crate::error::{Error, Result};
use crate::openings::{Lines, MAX_LINES, file_name, first_of, names};

/// Commits on their way to a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The first record's index.
    pub first: u64,
    /// The log's entries, in order: at least one.
    pub entries: Vec<Vec<u8>>,
    /// The files of openings, a commit each, by the first record that they open.
    pub openings: Vec<(u64, Vec<u8>)>,
    /// The checkpoint signed after the last entry.
    pub checkpoint: String,
}

impl Parcel {
    /// Records that the log has with it.
    pub fn end(&self) -> u64 {
        self.first.saturating_add(self.entries.len() as u64)
    }

    /// The exhibits that its records name as sealed, bytes and all, with their sizes.
    ///
    /// # Errors
    /// What is no record, or is not opened by its opening.
    pub fn exhibits(&self) -> Result<Vec<(ExhibitId, u64)>> {
        let mut out = Vec::new();
        for (index, record, opening) in &self.opened()? {
            if record.kind != "exhibit.sealed" {
                continue;
            }
            match Body::read_left(record, opening) {
                Ok(Body::ExhibitSealed(body)) if body.in_place.is_none() => {
                    out.push((body.exhibit, body.size));
                }
                // What was erased is named no more.
                Ok(_) | Err(RecordError::Withheld(_)) => {}
                Err(source) => return Err(Error::Record { index: *index, source }),
            }
        }
        Ok(out)
    }

    /// Each record with its opening, bound to one another.
    fn opened(&self) -> Result<Vec<(u64, Record, Opening)>> {
        let mut out = Vec::with_capacity(self.entries.len());
        let mut entries = (self.first..).zip(&self.entries);
        for (first, bytes) in &self.openings {
            let odd = |why: &str| Error::Parcel(format!("openings of record {first}: {why}"));
            let lines = Lines::of(bytes.clone()).map_err(odd)?;
            for at in 0..lines.len() {
                let (index, entry) = entries.next().ok_or_else(|| odd("more than records"))?;
                if at == 0 && index != *first {
                    return Err(odd("they do not come here"));
                }
                let of = |source| Error::Record { index, source };
                let record = Record::parse(entry).map_err(of)?;
                let line = lines.get(at).unwrap_or_default();
                let opening = Opening::parse_line(line).map_err(of)?;
                record.check_opening(&opening).map_err(of)?;
                out.push((index, record, opening));
            }
        }
        match entries.next() {
            None => Ok(out),
            Some((index, _)) => Err(Error::Parcel(format!("nothing opens record {index}"))),
        }
    }
}

impl Case {
    /// The commits from record `from` on: whole ones, `most` bytes together or a single one; `None` where
    /// there is none. Earlier ones than the last have to be published ([`Case::publish`]).
    ///
    /// # Errors
    /// No commit begins at that record; the disk; the case is open for reading only.
    pub fn parcel(&self, from: u64, most: usize) -> Result<Option<Parcel>> {
        if from >= self.len() {
            return Ok(None);
        }
        let (mut entries, mut openings, mut bytes, mut end) = (Vec::new(), Vec::new(), 0, from);
        while end < self.len() && (entries.is_empty() || bytes < most) {
            if !self.openings.begins(end) {
                return Err(Error::Parcel(format!("no commit begins at record {end}")));
            }
            let next = self.openings.next_after(end)?.unwrap_or(self.len());
            let lines = crate::openings::read_bounded(&self.openings.path(end), MAX_LINES)?;
            bytes += lines.len();
            openings.push((end, lines));
            for index in end..next {
                let entry = self.log().entry(index)?;
                bytes += entry.len();
                entries.push(entry);
            }
            end = next;
        }
        let checkpoint = match self.checkpoint().filter(|_| end == self.len()) {
            Some(note) => note.to_owned(),
            // It is what was signed then, once more: of one size there is one root, and one signature.
            None => self.signer()?.sign(end, &self.log().root_at(end)?),
        };
        Ok(Some(Parcel { first: from, entries, openings, checkpoint }))
    }

    /// The signed checkpoint of no records, with which a copy of the log begins.
    ///
    /// # Errors
    /// The case is open for reading only.
    pub fn beginning(&self) -> Result<String> {
        Ok(self.signer()?.sign(0, &ledger::tree::root(&[])))
    }
}

/// The copy of a case's folder, open to be added to.
#[derive(Debug)]
pub struct Standby {
    dir: PathBuf,
    log: Log,
    _lock: Lock,
}

impl Standby {
    /// Opens the copy in `dir`, or begins it with the signed checkpoint of no records. `keys` are the log's.
    /// What a crash left of a parcel is dropped.
    ///
    /// # Errors
    /// Another log stands there, or files that contradict one another; a lock; the disk.
    pub fn open(
        dir: &Path,
        keys: &Keys,
        beginning: &str,
        holder: &str,
        wait: Wait,
    ) -> Result<Self> {
        disk::create_dir(dir)?;
        let lock = Lock::acquire(&dir.join("lock"), holder, wait)?;
        for folder in ["vault/exhibits", "vault/openings"] {
            disk::create_dir(&dir.join(folder))?;
        }
        crate::case::stands_alone(dir)?;
        let log = Log::copy(&dir.join("ledger"), keys, beginning)?;
        let (openings, exhibits) = (dir.join("vault/openings"), dir.join("vault/exhibits"));
        disk::sweep(&openings)?;
        disk::sweep(&exhibits)?;
        // Openings of records that never came.
        for name in names(&openings)? {
            if first_of(&name).is_some_and(|first| first >= log.size()) {
                disk::remove(&openings.join(name))?;
            }
        }
        Ok(Self { dir: dir.to_owned(), log, _lock: lock })
    }

    /// Records that it has.
    pub fn len(&self) -> u64 {
        self.log.size()
    }

    /// True before the first record.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The root over them.
    pub fn root(&self) -> Sha256Hex {
        Sha256Hex(self.log.root())
    }

    /// Where an exhibit's bytes go; `None` where they stand already.
    ///
    /// # Errors
    /// The disk.
    pub fn exhibit(&self, id: ExhibitId, size: u64) -> Result<Option<Incoming>> {
        let path = exhibit_path(&self.dir, &id);
        if path.metadata().is_ok_and(|there| there.is_file() && there.len() == size) {
            return Ok(None);
        }
        let file = Pending::new(&self.dir.join("vault/exhibits"))?;
        Ok(Some(Incoming { id, size, path, file, hash: Sha256::new() }))
    }

    /// Takes a parcel: after it returns all of it is durable. The records that the copy has then.
    ///
    /// # Errors
    /// A parcel that does not go on from here, is not signed, has records without their openings or names
    /// exhibits that did not come: nothing was taken. The disk: open it again.
    pub fn take(&mut self, parcel: Parcel) -> Result<u64> {
        if parcel.first != self.len() || parcel.entries.is_empty() {
            let (have, first) = (self.len(), parcel.first);
            return Err(Error::Parcel(format!("it begins at record {first}, and {have} are here")));
        }
        for (id, size) in parcel.exhibits()? {
            let there = exhibit_path(&self.dir, &id).metadata();
            if !there.is_ok_and(|there| there.len() == size) {
                return Err(Error::Parcel(format!("exhibit {id} did not come before its record")));
            }
        }
        let openings = self.dir.join("vault/openings");
        let mut files = disk::Batch::new();
        for (first, lines) in &parcel.openings {
            let mut file = Pending::new(&openings)?;
            file.append(lines)?;
            files.add(file, openings.join(file_name(*first)), Overwrite::Replace)?;
        }
        files.commit()?;
        self.log.take(parcel.entries, &parcel.checkpoint)?;
        Ok(self.len())
    }

    /// Writes the log's tiles, and lets go of the lock.
    ///
    /// # Errors
    /// The disk; what was taken is safe all the same.
    pub fn finish(self) -> Result<()> {
        Ok(self.log.finish()?)
    }
}

/// An exhibit on its way in.
#[derive(Debug)]
pub struct Incoming {
    id: ExhibitId,
    size: u64,
    path: PathBuf,
    file: Pending,
    hash: Sha256,
}

impl Incoming {
    /// Adds bytes.
    ///
    /// # Errors
    /// More than were announced; the disk.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        if self.file.len() + bytes.len() as u64 > self.size {
            return Err(Error::Parcel(format!("exhibit {} is longer than announced", self.id)));
        }
        self.hash.update(bytes);
        Ok(self.file.append(bytes)?)
    }

    /// Bytes that are still to come.
    pub fn rest(&self) -> u64 {
        self.size.saturating_sub(self.file.len())
    }

    /// Puts it in its place, durable.
    ///
    /// # Errors
    /// Other bytes than its name says; the disk.
    pub fn finish(self) -> Result<()> {
        if ExhibitId(self.hash.finalize().into()) != self.id {
            return Err(Error::Parcel(format!("exhibit {} came with other bytes", self.id)));
        }
        let mut files = disk::Batch::new();
        files.add(self.file, self.path, Overwrite::Replace)?;
        Ok(files.commit()?)
    }
}

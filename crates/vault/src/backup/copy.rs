//! What a run copies, and what it takes away.

use std::collections::{BTreeSet, HashMap};
use std::io::Read;
use std::path::Path;

use ledger::batch::{Tile, tiles_at};
use ledger::{Finding, MAX_ENTRY};
use model::ExhibitId;
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::held::Head;
use super::run::Made;
use super::store::{Item, Store, get};
use super::{CHECKPOINT, EXHIBITS, MAX_OPENINGS, OPENINGS, TILES, WITNESSED, staged};
use crate::case::{Case, exhibit_path};
use crate::openings::{file_name, first_of, names};

/// Files, and bytes, that are made durable together and then read back.
const FLUSH_FILES: usize = 256;
const FLUSH_BYTES: u64 = 256 << 20;

/// What was put, and what its bytes must be.
struct Put {
    name: String,
    hash: [u8; 32],
}

/// A run under way.
pub(super) struct Run<'a> {
    case: &'a Case,
    store: &'a dyn Store,
    pub(super) made: Made,
    read_back: Vec<Put>,
    /// Bytes not flushed.
    pending: u64,
    progress: &'a (dyn Fn(u64) + Sync),
}

impl<'a> Run<'a> {
    pub(super) fn new(
        case: &'a Case,
        store: &'a dyn Store,
        made: Made,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        Self { case, store, made, read_back: Vec::new(), pending: 0, progress }
    }

    fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.made.findings.push(Finding { place: place.into(), message: message.into() });
    }

    /// Puts an object with the next flush.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut upload = self.store.begin(name)?;
        upload.append(bytes)?;
        upload.finish()?;
        self.put_down(name, Sha256::digest(bytes).into(), bytes.len() as u64)
    }

    fn put_down(&mut self, name: &str, hash: [u8; 32], bytes: u64) -> Result<()> {
        self.made.copied += 1;
        self.made.copied_bytes += bytes;
        self.pending += bytes;
        self.read_back.push(Put { name: name.to_owned(), hash });
        if self.read_back.len() >= FLUSH_FILES || self.pending >= FLUSH_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Makes durable what was put, and reads it back.
    pub(super) fn flush(&mut self) -> Result<()> {
        self.store.flush()?;
        self.pending = 0;
        for Put { name, hash } in std::mem::take(&mut self.read_back) {
            if self.hash_of(&name)? != Some(hash) {
                let what = "does not read back as it was written: the disk (or the way to it) is at \
                            fault. The backup's checkpoint was not moved";
                let destination = self.store.shown();
                return Err(Error::Damaged { destination, name, what: what.to_owned() });
            }
        }
        Ok(())
    }

    fn hash_of(&self, name: &str) -> Result<Option<[u8; 32]>> {
        let mut hash = Sha256::new();
        let found = self.store.read(name, &mut |piece| {
            hash.update(piece);
            Ok(())
        })?;
        Ok(found.then(|| hash.finalize().into()))
    }

    /// Openings: those that are new at once, and the names of those that an order wrote anew.
    pub(super) fn openings(&mut self) -> Result<Vec<String>> {
        let there = sizes(self.store.list(OPENINGS)?);
        let dir = self.case.dir().join(OPENINGS);
        let touched = self.touched()?;
        let mut firsts: Vec<u64> = names(&dir)?.iter().filter_map(|name| first_of(name)).collect();
        firsts.retain(|first| *first < self.made.size);
        firsts.sort_unstable();
        let mut rewritten = Vec::new();
        for first in &firsts {
            let file = file_name(*first);
            let name = format!("{OPENINGS}/{file}");
            let path = dir.join(&file);
            let found = there.get(&name).copied();
            let ours = path.metadata().map_err(|e| crate::Error::material("look at", &path, e))?;
            let old = *first < self.made.before;
            let look = self.made.checked || !old || touched.contains(first);
            if found == Some(ours.len()) && !look {
                continue;
            }
            let bytes = read(&path, MAX_OPENINGS)?;
            // A longer one is not what it should be.
            let most = MAX_OPENINGS.max(found.unwrap_or(0));
            if found.is_some() && get(self.store, &name, most)?.as_deref() == Some(&bytes[..]) {
                continue;
            }
            match found {
                Some(_) if old && touched.contains(first) => rewritten.push(file),
                None if !old => self.put(&name, &bytes)?,
                _ => {
                    // What a run that was cut off left is no damage.
                    if old {
                        self.made.repaired.push(name.clone());
                    }
                    self.store.put(&name, &bytes)?;
                    self.put_down(&name, Sha256::digest(&bytes).into(), bytes.len() as u64)?;
                }
            }
        }
        let ours: BTreeSet<String> =
            firsts.iter().map(|first| format!("{OPENINGS}/{}", file_name(*first))).collect();
        for name in there.keys().filter(|name| !ours.contains(*name)) {
            if name.rsplit('/').next().and_then(first_of).is_none() {
                self.alien(name);
                continue;
            }
            self.store.destroy(name)?;
            self.made.repaired.push(name.clone());
        }
        Ok(rewritten)
    }

    /// Files of openings that orders which the backup does not hold yet had written anew.
    fn touched(&self) -> Result<BTreeSet<u64>> {
        let mut out = BTreeSet::new();
        for order in self.case.orders().iter().filter(|order| order.record >= self.made.before) {
            let body = &order.body;
            let fields = body.fields.0.iter().map(|(range, _)| range);
            for range in body.exhibits.0.iter().chain(&body.parts.0).chain(fields) {
                for record in range.clone() {
                    out.insert(self.case.openings.first_of_record(record)?);
                }
            }
        }
        Ok(out)
    }

    /// Exhibits' bytes; gives what is there.
    pub(super) fn exhibits(&mut self) -> Result<HashMap<String, u64>> {
        let there = sizes(self.store.list(EXHIBITS)?);
        let case = self.case;
        for exhibit in case.exhibits() {
            if let Some(path) = &exhibit.in_place {
                self.made.outside.push((exhibit.record, path.clone()));
                continue;
            }
            let name = name_of(&exhibit.id);
            let found = there.get(&name).copied();
            let mut good = found == Some(exhibit.size);
            if good && self.made.checked {
                good = self.hash_of(&name)? == Some(exhibit.id.0);
                (self.progress)(exhibit.size);
            }
            if !good {
                good = self.copy(&exhibit.id, &name, exhibit.size)?;
                match (found, good) {
                    // New, or gone from there.
                    (None, true) if exhibit.record < self.made.before => {
                        self.made.repaired.push(name);
                    }
                    (None, _) => {}
                    (Some(_), true) => self.made.repaired.push(name),
                    (Some(_), false) => {
                        let place = format!("{} of {}", name, self.store.shown());
                        self.find(place, "it is damaged, and so is the case's own");
                    }
                }
            }
            if good {
                self.made.exhibits += 1;
                self.made.bytes += exhibit.size;
            }
        }
        Ok(there)
    }

    /// Copies an exhibit, whose hash is its name; false where its bytes are other ones by now.
    fn copy(&mut self, id: &ExhibitId, name: &str, size: u64) -> Result<bool> {
        let mut bytes = match self.case.bytes(id) {
            Ok(bytes) => bytes,
            Err(e) => {
                self.find(name, with_cause(&e));
                return Ok(false);
            }
        };
        let mut upload = self.store.begin(name)?;
        let (mut hash, mut buffer, mut read) = (Sha256::new(), vec![0; 256 << 10], 0u64);
        loop {
            match bytes.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) if read + n as u64 <= size => {
                    hash.update(&buffer[..n]);
                    upload.append(&buffer[..n])?;
                    (self.progress)(n as u64);
                    read += n as u64;
                }
                Ok(_) => {
                    self.find(name, format!("it is longer than the {size} bytes that were sealed"));
                    return Ok(false);
                }
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.find(name, format!("byte {read}: it cannot be read: {e}"));
                    return Ok(false);
                }
            }
        }
        let hash: [u8; 32] = hash.finalize().into();
        if hash != id.0 {
            self.find(name, "its bytes are not those that were sealed: they were not copied");
            return Ok(false);
        }
        upload.finish()?;
        self.put_down(name, hash, size)?;
        Ok(true)
    }

    /// The log's tiles; gives those that are there and of no use any more.
    pub(super) fn tiles(&mut self) -> Result<Vec<String>> {
        let mut there = sizes(self.store.list(TILES)?);
        let levels = (0..8).map(Some).chain([None]);
        let size = self.made.size;
        for tile in levels.flat_map(|level| tiles_at(level, size)) {
            let path = Path::new("ledger").join(tile.path());
            let name = path.to_string_lossy().into_owned();
            let path = self.case.dir().join(&path);
            let found = there.remove(&name);
            if found.is_some() && !self.made.checked {
                let ours = path.metadata().map_err(|e| crate::Error::material("look at", &path, e));
                if found == Some(ours?.len()) {
                    continue;
                }
            }
            let bytes = read(&path, most_of(tile))?;
            if found.is_some() {
                let most = most_of(tile).max(found.unwrap_or(0));
                if get(self.store, &name, most)?.as_deref() == Some(&bytes[..]) {
                    continue;
                }
                self.made.repaired.push(name.clone());
            }
            self.put(&name, &bytes)?;
        }
        Ok(there.into_keys().collect())
    }

    pub(super) fn stage(&mut self, rewritten: &[String]) -> Result<()> {
        for file in rewritten {
            let bytes = read(&self.case.dir().join(OPENINGS).join(file), MAX_OPENINGS)?;
            self.put(&staged(self.made.size, file), &bytes)?;
            self.made.rewritten += 1;
        }
        Ok(())
    }

    /// With this the backup is a whole case of this size.
    pub(super) fn checkpoint(&mut self, head: &Head) -> Result<()> {
        let note = self.case.log().published().unwrap_or_default();
        if head.checkpoint.as_ref().map(|(text, _)| text.as_str()) != Some(note) {
            self.store.put(CHECKPOINT, note.as_bytes())?;
            self.made.copied += 1;
            self.made.copied_bytes += note.len() as u64;
        }
        Ok(())
    }

    /// What the log that stands there now says is gone goes, and what it has no use for.
    pub(super) fn take_away(
        &mut self,
        rewritten: &[String],
        there: &HashMap<String, u64>,
        tiles: &[String],
    ) -> Result<()> {
        for file in rewritten {
            let from = staged(self.made.size, file);
            let bytes = get(self.store, &from, MAX_OPENINGS)?.unwrap_or_default();
            self.store.put(&format!("{OPENINGS}/{file}"), &bytes)?;
            self.store.destroy(&from)?;
        }
        let kept: BTreeSet<String> = (self.case.exhibits().iter())
            .filter(|exhibit| exhibit.in_place.is_none())
            .map(|exhibit| name_of(&exhibit.id))
            .collect();
        for name in there.keys().filter(|name| !kept.contains(*name)) {
            // Only an order takes anything away, and only what a backup put there.
            let id = name.rsplit('/').next().and_then(|id| id.parse::<ExhibitId>().ok());
            if self.case.orders().is_empty() || id.is_none_or(|id| name_of(&id) != *name) {
                self.alien(name);
                continue;
            }
            self.store.destroy(name)?;
            self.made.erased += 1;
        }
        for name in tiles {
            let parts = name.strip_prefix(TILES).unwrap_or(name).replace("entries", "");
            if parts.bytes().all(|b| b.is_ascii_digit() || b"x/.p".contains(&b)) {
                self.store.destroy(name)?;
            } else {
                self.alien(name);
            }
        }
        Ok(())
    }

    /// Something stands there that no backup of this case put there.
    fn alien(&mut self, name: &str) {
        let place = format!("{name} of {}", self.store.shown());
        self.find(place, "it is nothing of this case's backup: left as it is");
    }

    /// Cosigned checkpoints, all of which the checkpoint that stands covers.
    pub(super) fn witnessed(&mut self) -> Result<()> {
        let mut there = sizes(self.store.list(WITNESSED)?);
        let dir = self.case.dir().join(WITNESSED);
        for file in names(&dir)?.iter().filter(|name| name.bytes().all(|b| b.is_ascii_digit())) {
            let bytes = read(&dir.join(file), ledger::note::MAX_NOTE as u64)?;
            let name = format!("{WITNESSED}/{file}");
            let found = there.remove(&name).is_some();
            let most = ledger::note::MAX_NOTE as u64;
            if !found || get(self.store, &name, most)?.as_deref() != Some(&bytes[..]) {
                self.store.put(&name, &bytes)?;
                self.made.copied += 1;
                self.made.copied_bytes += bytes.len() as u64;
            }
        }
        for name in there.keys() {
            let file = name.strip_prefix(WITNESSED).unwrap_or(name).trim_start_matches('/');
            if file.bytes().all(|b| b.is_ascii_digit()) {
                self.store.destroy(name)?;
            } else {
                self.alien(name);
            }
        }
        Ok(())
    }
}

fn sizes(items: Vec<Item>) -> HashMap<String, u64> {
    items.into_iter().map(|item| (item.name, item.size)).collect()
}

pub(super) fn name_of(id: &ExhibitId) -> String {
    exhibit_path(Path::new(""), id).to_string_lossy().into_owned()
}

/// The most bytes that a tile can have.
pub(super) fn most_of(tile: Tile) -> u64 {
    tile.width * if tile.level.is_some() { 32 } else { MAX_ENTRY as u64 + 2 }
}

/// A file of the case.
fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|e| crate::Error::material("read", path, e))?;
    if bytes.len() as u64 > most {
        let long = std::io::Error::other(format!("it is longer than {most} bytes"));
        return Err(crate::Error::material("read", path, long).into());
    }
    Ok(bytes)
}

fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

//! What a run copies of a log, a case's or an authority's own, and how it puts objects.

use std::collections::HashMap;
use std::path::Path;

use ledger::batch::{Tile, tiles_at};
use ledger::{Finding, Keys, MAX_ENTRY, Reader};
use model::ExhibitId;
use sha2::{Digest, Sha256};

use super::error::{Error, Result};
use super::held::Head;
use super::run::Made;
use super::store::{Item, Store, get};
use super::{CHECKPOINT, TILES, WITNESSED};
use crate::case::exhibit_path;
use crate::openings::names;

/// Files, and bytes, that are made durable together and then read back.
const FLUSH_FILES: usize = 256;
const FLUSH_BYTES: u64 = 256 << 20;

/// What is backed up: a folder with a log in it, and whose signatures count there.
pub(super) struct Own<'a> {
    pub(super) dir: &'a Path,
    pub(super) origin: &'a str,
    /// As it is published.
    pub(super) log: &'a Reader,
    pub(super) keys: &'a Keys,
}

/// What was put, and what its bytes must be.
struct Put {
    name: String,
    hash: [u8; 32],
}

/// A run under way.
pub(super) struct Run<'a> {
    pub(super) own: &'a Own<'a>,
    pub(super) store: &'a dyn Store,
    pub(super) made: Made,
    read_back: Vec<Put>,
    /// Bytes not flushed.
    pending: u64,
    pub(super) progress: &'a (dyn Fn(u64) + Sync),
}

impl<'a> Run<'a> {
    pub(super) fn new(
        own: &'a Own<'a>,
        store: &'a dyn Store,
        made: Made,
        progress: &'a (dyn Fn(u64) + Sync),
    ) -> Self {
        Self { own, store, made, read_back: Vec::new(), pending: 0, progress }
    }

    pub(super) fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.made.findings.push(Finding { place: place.into(), message: message.into() });
    }

    /// Puts an object with the next flush.
    pub(super) fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let mut upload = self.store.begin(name)?;
        upload.append(bytes)?;
        upload.finish()?;
        self.put_down(name, Sha256::digest(bytes).into(), bytes.len() as u64)
    }

    pub(super) fn put_down(&mut self, name: &str, hash: [u8; 32], bytes: u64) -> Result<()> {
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

    pub(super) fn hash_of(&self, name: &str) -> Result<Option<[u8; 32]>> {
        let mut hash = Sha256::new();
        let found = self.store.read(name, &mut |piece| {
            hash.update(piece);
            Ok(())
        })?;
        Ok(found.then(|| hash.finalize().into()))
    }

    /// The log's tiles; gives those that are there and of no use any more.
    pub(super) fn tiles(&mut self) -> Result<Vec<String>> {
        let mut there = sizes(self.store.list(TILES)?);
        let levels = (0..8).map(Some).chain([None]);
        let size = self.made.size;
        for tile in levels.flat_map(|level| tiles_at(level, size)) {
            let path = Path::new("ledger").join(tile.path());
            let name = path.to_string_lossy().into_owned();
            let path = self.own.dir.join(&path);
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

    /// With this the backup is a whole case of this size.
    pub(super) fn checkpoint(&mut self, head: &Head) -> Result<()> {
        let note = self.own.log.published().unwrap_or_default();
        if head.checkpoint.as_ref().map(|(text, _)| text.as_str()) != Some(note) {
            self.store.put(CHECKPOINT, note.as_bytes())?;
            self.made.copied += 1;
            self.made.copied_bytes += note.len() as u64;
        }
        Ok(())
    }

    /// Tiles of which the log that stands there has no use any more go.
    pub(super) fn outgrown(&mut self, tiles: &[String]) -> Result<()> {
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
    pub(super) fn alien(&mut self, name: &str) {
        let place = format!("{name} of {}", self.store.shown());
        self.find(place, "it is nothing of this case's backup: left as it is");
    }

    /// Cosigned checkpoints, all of which the checkpoint that stands covers.
    pub(super) fn witnessed(&mut self) -> Result<()> {
        let mut there = sizes(self.store.list(WITNESSED)?);
        let dir = self.own.dir.join(WITNESSED);
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

pub(super) fn sizes(items: Vec<Item>) -> HashMap<String, u64> {
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
pub(super) fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    Ok(crate::openings::read_bounded(path, most)?)
}

pub(super) fn with_cause(error: &dyn std::error::Error) -> String {
    error.source().map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"))
}

//! A log open for reading: a snapshot, taken without a lock.

use std::path::Path;
use std::sync::Mutex;

use crate::consistency::Consistency;
use crate::error::{Error, Result};
use crate::journal::Frame;
use crate::log::{continue_from, edge_of};
use crate::note::{Checkpoint, Note, VerifierKey};
use crate::proof::Proof;
use crate::store::Store;
use crate::tree::{Hash, WIDTH, consistency, inclusion, root_of};

/// A bundle of entries and its number.
type Bundle = (u64, Vec<Vec<u8>>);

/// A snapshot of a log: what was published and what the journal had committed.
#[derive(Debug)]
pub struct Reader {
    store: Store,
    /// Entries in tiles.
    in_tiles: u64,
    /// Entries committed in the journal only.
    tail: Vec<Vec<u8>>,
    /// The checkpoint of the tiles.
    published: Option<String>,
    /// The last checkpoint, of tiles and tail together.
    checkpoint: Option<String>,
    /// The bundle read last: entries are mostly read in order.
    last: Mutex<Option<Bundle>>,
}

impl Reader {
    /// A snapshot of the log in `dir`. Signatures are not verified: `verify` does.
    ///
    /// # Errors
    /// Files that contradict one another; the disk.
    pub fn open(dir: &Path) -> Result<Self> {
        Self::open_verified(dir, None)
    }

    pub(crate) fn open_verified(dir: &Path, key: Option<&VerifierKey>) -> Result<Self> {
        let store = Store { dir: dir.to_owned() };
        // The journal first: a writer that publishes in between leaves a checkpoint that covers it.
        let journal = store.journal()?;
        let mut checkpoint = store.checkpoint()?;
        let in_tiles = match &checkpoint {
            None => 0,
            Some(note) => {
                Checkpoint::parse_unverified(note)
                    .map_err(|e| Error::note(&store.checkpoint_path(), e))?
                    .size
            }
        };
        let published = checkpoint.clone();
        let mut tail = Vec::new();
        if !journal.is_empty() {
            let mut edge = edge_of(&store, in_tiles)?;
            for frame in continue_from(&mut edge, &journal, key, &store.journal_path())? {
                tail.extend(frame.entries);
                checkpoint = Some(frame.checkpoint);
            }
        }
        Ok(Self { store, in_tiles, tail, published, checkpoint, last: Mutex::new(None) })
    }

    /// Entries.
    pub fn size(&self) -> u64 {
        self.in_tiles + self.tail.len() as u64
    }

    /// The last signed checkpoint, whole; `None` before the first.
    pub fn checkpoint(&self) -> Option<&str> {
        self.checkpoint.as_deref()
    }

    /// The entry at `index`.
    ///
    /// # Errors
    /// None there, or its bundle cannot be read.
    pub fn entry(&self, index: u64) -> Result<Vec<u8>> {
        if let Some(at) = index.checked_sub(self.in_tiles) {
            return self.tail.get(at as usize).cloned().ok_or(Error::NoEntry(index));
        }
        let number = index / WIDTH;
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if last
            .as_ref()
            .is_none_or(|(n, entries)| *n != number || entries.len() as u64 <= index % WIDTH)
        {
            let width = (self.in_tiles - number * WIDTH).min(WIDTH);
            *last = Some((number, self.store.bundle(number, width)?));
        }
        last.as_ref()
            .and_then(|(_, entries)| entries.get((index % WIDTH) as usize).cloned())
            .ok_or(Error::NoEntry(index))
    }

    /// Entries from `first` on, in order.
    pub fn entries(&self, first: u64) -> impl Iterator<Item = Result<Vec<u8>>> + '_ {
        (first..self.size()).map(|index| self.entry(index))
    }

    /// The proof that the published checkpoint includes the entry at `index`: the checkpoint's size
    /// and the hashes ([`crate::tree::is_included`] checks them).
    ///
    /// # Errors
    /// The entry is not published yet, or tiles cannot be read.
    pub fn inclusion_proof(&self, index: u64) -> Result<(u64, Vec<Hash>)> {
        if index >= self.in_tiles {
            return Err(Error::NoEntry(index));
        }
        let size = self.in_tiles;
        let proof = inclusion(index, size, &mut |height, at| self.store.subtree(size, height, at))?;
        Ok((size, proof))
    }

    /// The proof that the tree of the published checkpoint goes on from the tree of `old` entries
    /// ([`crate::tree::is_consistent`] checks it), and the checkpoint's size.
    ///
    /// # Errors
    /// More entries than are published, or tiles cannot be read.
    pub fn consistency_proof(&self, old: u64) -> Result<(u64, Vec<Hash>)> {
        if old > self.in_tiles {
            return Err(Error::NoEntry(old));
        }
        let size = self.in_tiles;
        let proof = consistency(old, size, &mut |height, at| self.store.subtree(size, height, at))?;
        Ok((size, proof))
    }

    /// The published checkpoint as a note; what proofs end at.
    fn published_note(&self) -> Result<Note> {
        let path = self.store.checkpoint_path();
        let text = self.published.as_deref().ok_or(Error::NoEntry(0))?;
        Note::parse(text).map_err(|e| Error::note(&path, e))
    }

    /// The proof that goes out of the entry at `index`, which it carries.
    ///
    /// # Errors
    /// The entry is not published yet, or tiles cannot be read.
    pub fn prove(&self, index: u64) -> Result<Proof> {
        let (_, hashes) = self.inclusion_proof(index)?;
        let extra = Some(self.entry(index)?);
        Ok(Proof { extra, index, hashes, checkpoint: self.published_note()? })
    }

    /// The proof that goes out of the published checkpoint going on from the tree of `old` entries.
    ///
    /// # Errors
    /// More entries than are published, or tiles cannot be read.
    pub fn prove_since(&self, old: u64) -> Result<Consistency> {
        let (_, hashes) = self.consistency_proof(old)?;
        Ok(Consistency { old, hashes, checkpoint: self.published_note()? })
    }

    /// The root over the first `size` entries of those published.
    ///
    /// # Errors
    /// More entries than are published, or tiles cannot be read.
    pub fn root_at(&self, size: u64) -> Result<Hash> {
        if size > self.in_tiles {
            return Err(Error::NoEntry(size));
        }
        let whole = self.in_tiles;
        root_of(size, &mut |height, at| self.store.subtree(whole, height, at))
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn tail(&self) -> &[Vec<u8>] {
        &self.tail
    }

    pub(crate) fn extend(&mut self, frame: Frame) {
        self.tail.extend(frame.entries);
        self.checkpoint = Some(frame.checkpoint);
    }

    pub(crate) fn published(&mut self, checkpoint: String) {
        self.in_tiles += self.tail.len() as u64;
        self.tail.clear();
        self.published = Some(checkpoint.clone());
        self.checkpoint = Some(checkpoint);
    }
}

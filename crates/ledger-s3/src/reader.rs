//! A log open for reading: the tree of one signed checkpoint.
//!
//! Nothing that the store says is believed: a tile is compared with the hash that the tile above it
//! gives for it, up to the right end, which is compared with the checkpoint; a bundle with the hashes
//! of its entries. So a stale or foreign object is found where it is read, and named.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};

use ledger::batch::{Tile, Tip, decode_bundle, tile_at};
use ledger::note::MAX_CHECKPOINT;
use ledger::tree::{Hash, WIDTH, consistency, inclusion, leaf, root, root_of};
use ledger::{Checkpoint, Consistency, Note, Proof, VerifierKey};

use crate::door::{CHECKPOINT, Door, name_of};
use crate::error::{Error, Result};
use crate::log::Options;
use crate::objects::Objects;
use crate::settle::{published, tip_of};

/// Full hash tiles kept for the next read, of 8 KiB each.
const KEPT: usize = 64;

/// A tile's level and number.
type Place = (u32, u64);
/// A bundle's number and its entries.
type Bundle = (u64, Arc<Vec<Vec<u8>>>);
/// What computes from hashes of full subtrees, which it asks for by height and index.
type Complete<'a> = dyn FnMut(u32, u64) -> std::result::Result<Hash, Infallible> + 'a;

/// A log as it stood when it was opened.
#[derive(Debug)]
pub struct Reader<O> {
    door: Door<O>,
    checkpoint: Checkpoint,
    note: Note,
    tip: Tip,
    kept: Mutex<VecDeque<(Place, Arc<Vec<Hash>>)>>,
    /// The bundle read last: entries are mostly read in order.
    last: Mutex<Option<Bundle>>,
}

impl<O: Objects> Reader<O> {
    /// The log as its published checkpoint has it, whose signature and right end are verified.
    ///
    /// # Errors
    /// No log; another log's; objects that do not fit the checkpoint; a log shorter than known, or
    /// another; the store.
    pub async fn open(objects: O, key: &VerifierKey, options: &Options) -> Result<Self> {
        let door = Door::new(objects, options.request);
        let object = door.get(CHECKPOINT, MAX_CHECKPOINT as u64).await?;
        let object = object.ok_or(Error::NoLog(CHECKPOINT))?;
        let checkpoint = published(&object, &options.keys(key))?;
        let tip = tip_of(&door, &checkpoint).await?;
        let note = String::from_utf8_lossy(&object.bytes).into_owned();
        let reader = Self::of(door, note, checkpoint, tip)?;
        for known in &options.known {
            reader.goes_through(known).await?;
        }
        Ok(reader)
    }

    pub(crate) fn of(
        door: Door<O>,
        note: String,
        checkpoint: Checkpoint,
        tip: Tip,
    ) -> Result<Self> {
        let note = Note::parse(&note)
            .map_err(|source| Error::Note { name: CHECKPOINT.to_owned(), source })?;
        Ok(Self { door, checkpoint, note, tip, kept: Mutex::default(), last: Mutex::default() })
    }

    pub(crate) fn into_door(self) -> Door<O> {
        self.door
    }

    /// Entries.
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// The signed checkpoint.
    pub fn checkpoint(&self) -> &Note {
        &self.note
    }

    /// The entry at `index`.
    ///
    /// # Errors
    /// None there; an object that does not fit; the store.
    pub async fn entry(&self, index: u64) -> Result<Vec<u8>> {
        let bundle = self.bundle(index / WIDTH).await?;
        bundle.get((index % WIDTH) as usize).cloned().ok_or(Error::NoEntry(index))
    }

    /// The proof that goes out of the entry at `index`, which it carries.
    ///
    /// # Errors
    /// As for [`Reader::entry`].
    pub async fn prove(&self, index: u64) -> Result<Proof> {
        let extra = Some(self.entry(index).await?);
        let size = self.size();
        let hashes = self.compute(&|complete| inclusion(index, size, complete)).await?;
        Ok(Proof { extra, index, hashes, checkpoint: self.note.clone() })
    }

    /// The proof that goes out of the checkpoint going on from the tree of `old` entries.
    ///
    /// # Errors
    /// More entries than there are; an object that does not fit; the store.
    pub async fn prove_since(&self, old: u64) -> Result<Consistency> {
        let size = self.size();
        if old > size {
            return Err(Error::NoEntry(old));
        }
        let hashes = self.compute(&|complete| consistency(old, size, complete)).await?;
        Ok(Consistency { old, hashes, checkpoint: self.note.clone() })
    }

    /// The root over the first `size` entries.
    ///
    /// # Errors
    /// More entries than there are; an object that does not fit; the store.
    pub async fn root_at(&self, size: u64) -> Result<Hash> {
        if size > self.size() {
            return Err(Error::NoEntry(size));
        }
        self.compute(&|complete| root_of(size, complete)).await
    }

    /// Sees that the log goes through a state that is known from elsewhere.
    ///
    /// # Errors
    /// [`Error::RolledBack`], [`Error::Forked`]; an object that does not fit; the store.
    pub async fn goes_through(&self, known: &Checkpoint) -> Result<()> {
        let (origin, found) = (self.checkpoint.origin.clone(), self.size());
        if known.origin != origin {
            return Err(Error::Forked { origin, known: known.size });
        }
        if known.size > found {
            return Err(Error::RolledBack { origin, found, known: known.size });
        }
        if self.root_at(known.size).await? != known.root {
            return Err(Error::Forked { origin, known: known.size });
        }
        Ok(())
    }

    /// Runs a computation over hashes of subtrees: once to learn which it needs, and once with them.
    async fn compute<T>(
        &self,
        run: &(impl Fn(&mut Complete<'_>) -> std::result::Result<T, Infallible> + Sync),
    ) -> Result<T> {
        let whole = self.size();
        let mut needed = Vec::new();
        let Ok(_) = run(&mut |height, index| {
            needed.push((height, index));
            Ok([0; 32])
        });
        let mut found = BTreeMap::new();
        for (height, index) in needed {
            let (tile, range) = Tile::of_subtree(whole, height, index);
            let hashes = self.hashes(tile.level.unwrap_or(0), tile.number).await?;
            found.insert((height, index), root(&hashes[range]));
        }
        let Ok(out) = run(&mut |height, index| Ok(found[&(height, index)]));
        Ok(out)
    }

    /// The hashes of a tile, each full one compared with the tile above it.
    async fn hashes(&self, level: u32, number: u64) -> Result<Arc<Vec<Hash>>> {
        let mut below = Vec::new();
        let (mut level, mut number) = (level, number);
        let mut hashes = loop {
            if let Some(hashes) = self.tip.hashes(level, number) {
                break Arc::new(hashes.to_vec());
            }
            if let Some(hashes) = self.kept((level, number)) {
                break hashes;
            }
            below.push((level, number));
            (level, number) = (level + 1, number / WIDTH);
            if level > 8 {
                return Err(Error::NoEntry(self.size()));
            }
        };
        while let Some((level, number)) = below.pop() {
            let tile = Tile { level: Some(level), number, width: WIDTH };
            let bytes = self.door.tile(tile).await?;
            let (chunks, rest) = bytes.as_chunks::<32>();
            let found = chunks.to_vec();
            let above = hashes.get((number % WIDTH) as usize);
            if !rest.is_empty() || found.len() as u64 != WIDTH || above != Some(&root(&found)) {
                let what = "its hashes are not those that the tile above it counts";
                return Err(Error::damaged(name_of(tile), what));
            }
            hashes = Arc::new(found);
            self.keep((level, number), &hashes);
        }
        Ok(hashes)
    }

    fn kept(&self, place: Place) -> Option<Arc<Vec<Hash>>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().find(|(at, _)| *at == place).map(|(_, hashes)| Arc::clone(hashes))
    }

    fn keep(&self, place: Place, hashes: &Arc<Vec<Hash>>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back((place, Arc::clone(hashes)));
    }

    /// The entries of a bundle, each compared with its hash.
    async fn bundle(&self, number: u64) -> Result<Arc<Vec<Vec<u8>>>> {
        {
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, entries)) = last.as_ref().filter(|(at, _)| *at == number) {
                return Ok(Arc::clone(entries));
            }
        }
        let first = number.saturating_mul(WIDTH);
        let tile = tile_at(None, self.size(), number).ok_or(Error::NoEntry(first))?;
        let bytes = self.door.tile(tile).await?;
        let entries = decode_bundle(&bytes).unwrap_or_default();
        let hashes = self.hashes(0, number).await?;
        if !entries.iter().map(|entry| leaf(entry)).eq(hashes.iter().copied()) {
            return Err(Error::damaged(name_of(tile), "its entries are not those of the hashes"));
        }
        let entries = Arc::new(entries);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = Some((number, Arc::clone(&entries)));
        Ok(entries)
    }
}

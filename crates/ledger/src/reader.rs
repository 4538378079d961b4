//! A log open for reading: a snapshot, taken without a lock.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use crate::consistency::Consistency;
use crate::error::{Error, Result};
use crate::journal::{Frame, together};
use crate::keys::Keys;
use crate::log::edge_of;
use crate::note::{Checkpoint, Note, NoteError};
use crate::proof::Proof;
use crate::store::{Store, levels};
use crate::subtrees::Subtrees;
use crate::tree::{Edge, Hash, WIDTH, consistency, inclusion, is_included, leaf, root_of};
use crate::witness::{Split, compare};

/// How often a snapshot is taken again that a writer's change of journals spoilt.
const RETRIES: u64 = 8;

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
    /// Of the published tree.
    subtrees: Subtrees,
}

impl Reader {
    /// A snapshot of the log in `dir`. Signatures are not verified: `verify` does.
    ///
    /// # Errors
    /// Files that contradict one another; the disk.
    pub fn open(dir: &Path) -> Result<Self> {
        let store = Store { dir: dir.to_owned() };
        // A writer that changes from one journal to the other while both are read leaves a gap
        // between what was read of them: looking again closes it.
        let mut tries = 0;
        loop {
            match Self::snapshot(&store) {
                Err(Error::Damaged { .. }) if tries < RETRIES => tries += 1,
                other => return other,
            }
            std::thread::sleep(Duration::from_millis(tries));
        }
    }

    fn snapshot(store: &Store) -> Result<Self> {
        // The journals first: a writer that publishes in between leaves a checkpoint that covers
        // them.
        let journals = store.journals()?;
        let checkpoint = store.checkpoint()?;
        Self::of(store, &journals, checkpoint, None)
    }

    /// The log of which that stood in journals and checkpoint at one moment.
    pub(crate) fn of(
        store: &Store,
        journals: &[(PathBuf, Vec<u8>); 2],
        mut checkpoint: Option<String>,
        key: Option<&Keys>,
    ) -> Result<Self> {
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
        let frames = together(journals);
        if !frames.is_empty() {
            let mut edge = edge_of(store, in_tiles)?;
            for frame in follow(&mut edge, frames, key)? {
                tail.extend(frame.entries);
                checkpoint = Some(frame.checkpoint);
            }
        }
        Ok(Self {
            store: store.clone(),
            in_tiles,
            tail,
            published,
            checkpoint,
            last: Mutex::new(None),
            subtrees: Subtrees::default(),
        })
    }

    /// The same log without what follows on its first `size` entries. Its checkpoints stay those of
    /// all of them: this is for reading entries.
    #[must_use]
    pub fn up_to(mut self, size: u64) -> Self {
        self.tail
            .truncate(usize::try_from(size.saturating_sub(self.in_tiles)).unwrap_or(usize::MAX));
        self.in_tiles = self.in_tiles.min(size);
        self
    }

    /// Entries.
    pub fn size(&self) -> u64 {
        self.in_tiles + self.tail.len() as u64
    }

    /// The last signed checkpoint, whole; `None` before the first.
    pub fn checkpoint(&self) -> Option<&str> {
        self.checkpoint.as_deref()
    }

    /// The checkpoint that proofs end at: that of the tiles.
    pub fn published(&self) -> Option<&str> {
        self.published.as_deref()
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
        let proof = inclusion(index, size, &mut |height, at| {
            self.subtrees.hash(&self.store, size, height, at)
        })?;
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
        let proof = consistency(old, size, &mut |height, at| {
            self.subtrees.hash(&self.store, size, height, at)
        })?;
        Ok((size, proof))
    }

    /// The published checkpoint as a note; what proofs end at.
    fn published_note(&self) -> Result<Note> {
        let path = self.store.checkpoint_path();
        let text = self.published.as_deref().ok_or(Error::NoEntry(0))?;
        Note::parse(text).map_err(|e| Error::note(&path, e))
    }

    /// The proof that goes out of the entry at `index`, which it carries. It ends at the checkpoint
    /// that most witnesses cosigned of those that hold the entry; else at the published one.
    ///
    /// # Errors
    /// The entry is not published yet, or tiles cannot be read.
    pub fn prove(&self, index: u64) -> Result<Proof> {
        if index >= self.in_tiles {
            return Err(Error::NoEntry(index));
        }
        let size_of = |note: &Note| Checkpoint::of_text(&note.text).map_or(0, |c| c.size);
        let (cosigned, _) = crate::witnessed(&self.store.dir)?;
        let checkpoint = cosigned
            .into_iter()
            .filter(|note| (index + 1..=self.in_tiles).contains(&size_of(note)))
            .max_by_key(|note| (note.signatures.len(), size_of(note)));
        let checkpoint = match checkpoint {
            Some(note) => note,
            None => self.published_note()?,
        };
        let (size, whole) = (size_of(&checkpoint), self.in_tiles);
        let hashes = inclusion(index, size, &mut |height, at| {
            self.subtrees.hash(&self.store, whole, height, at)
        })?;
        let entry = self.entry(index)?;
        let path = self.store.checkpoint_path();
        let root = Checkpoint::of_text(&checkpoint.text).map_err(|e| Error::note(&path, e))?.root;
        if !is_included(&leaf(&entry), index, size, &hashes, &root) {
            return Err(Error::damaged(
                &path,
                format!("it does not cover entry {index} as it stands in the log: one was changed"),
            ));
        }
        Ok(Proof { extra: Some(entry), index, hashes, checkpoint })
    }

    /// The hashes that lead from the entry at `index` to the root over the first `size` entries, of
    /// those published.
    ///
    /// # Errors
    /// No such entry among them; more entries than are published; tiles that cannot be read.
    pub fn inclusion_in(&self, index: u64, size: u64) -> Result<Vec<Hash>> {
        if size > self.in_tiles || index >= size {
            return Err(Error::NoEntry(index));
        }
        let whole = self.in_tiles;
        inclusion(index, size, &mut |height, at| self.subtrees.hash(&self.store, whole, height, at))
    }

    /// The hashes that show the root over the first `new` entries going on from that over the first
    /// `old`, of those published.
    ///
    /// # Errors
    /// `old` is 0 or beyond `new`; more entries than are published; tiles that cannot be read.
    pub fn consistency_in(&self, old: u64, new: u64) -> Result<Vec<Hash>> {
        if new > self.in_tiles || old > new || old == 0 {
            return Err(Error::NoEntry(old.max(new)));
        }
        let whole = self.in_tiles;
        consistency(old, new, &mut |height, at| self.subtrees.hash(&self.store, whole, height, at))
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
        root_of(size, &mut |height, at| self.subtrees.hash(&self.store, whole, height, at))
    }

    /// The right edge of the tree over the first `size` entries of those published, as the tiles have it: who reads
    /// on from there pushes the leaf of each entry, and then holds the root against a signed one.
    ///
    /// # Errors
    /// More entries than are published, or tiles cannot be read.
    pub fn edge_at(&self, size: u64) -> Result<Edge> {
        if size > self.in_tiles {
            return Err(Error::NoEntry(size));
        }
        let whole = self.in_tiles;
        let mut edge = Vec::new();
        for level in 0..levels(size) {
            let count = size >> (8 * level);
            let hash = |at| self.subtrees.hash(&self.store, whole, 8 * level, at);
            edge.push((count - count % WIDTH..count).map(hash).collect::<Result<_>>()?);
        }
        Ok(Edge::from_levels(size, edge))
    }

    /// Compares the published tree with a checkpoint that somebody else has of this log: `None`
    /// where the one goes on from the other. Signatures are not looked at.
    ///
    /// # Errors
    /// What is no checkpoint, or of another log; tiles that cannot be read.
    pub fn compare(&self, other: &Note) -> Result<Option<Split>> {
        let path = self.store.checkpoint_path();
        let own = self.published_note()?;
        let of = |note: &Note| Checkpoint::of_text(&note.text).map_err(|e| Error::note(&path, e));
        let (ours, theirs) = (of(&own)?, of(other)?);
        if ours.origin != theirs.origin {
            let (expected, found) = (ours.origin, theirs.origin);
            return Err(Error::note(&path, NoteError::Origin { expected, found }));
        }
        compare(&own, (ours.size, ours.root), other, &theirs, |size| {
            Ok((self.root_at(size)?, self.consistency_proof(size)?.1))
        })
    }

    /// The leaf hash of a committed entry.
    pub(crate) fn leaf(&self, index: u64) -> Result<Hash> {
        match index.checked_sub(self.in_tiles) {
            None => self.subtrees.hash(&self.store, self.in_tiles, 0, index),
            Some(at) => self.tail.get(at as usize).map(|e| leaf(e)).ok_or(Error::NoEntry(index)),
        }
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    pub(crate) fn tail(&self) -> &[Vec<u8>] {
        &self.tail
    }

    pub(crate) fn extend(&mut self, entries: Vec<Vec<u8>>, checkpoint: String) {
        self.tail.extend(entries);
        self.checkpoint = Some(checkpoint);
    }

    /// The first `size` entries stand in tiles now, with their checkpoint; more may have been
    /// committed meanwhile.
    pub(crate) fn publish_to(&mut self, size: u64, checkpoint: String) {
        let moved = size.saturating_sub(self.in_tiles) as usize;
        self.tail.drain(..moved.min(self.tail.len()));
        self.in_tiles = size;
        self.subtrees = Subtrees::default(); // partial tiles have grown
        if self.tail.is_empty() {
            self.checkpoint = Some(checkpoint.clone());
        }
        self.published = Some(checkpoint);
    }
}

/// The frames that follow the tree of `edge`, each verified and continuing the last.
fn follow(
    edge: &mut Edge,
    frames: Vec<(&Path, Frame)>,
    verifier: Option<&Keys>,
) -> Result<Vec<Frame>> {
    let mut out = Vec::new();
    for (path, frame) in frames {
        let end = frame.first.saturating_add(frame.entries.len() as u64);
        if end <= edge.size() {
            continue; // published, and its journal not cut yet
        }
        if frame.first != edge.size() {
            return Err(Error::damaged(path, "a batch does not follow the entries before it"));
        }
        for entry in &frame.entries {
            edge.push(leaf(entry), &mut |_, _, _| {});
        }
        let checkpoint = match verifier {
            Some(key) => key.open(&frame.checkpoint),
            None => Checkpoint::parse_unverified(&frame.checkpoint),
        }
        .map_err(|e| Error::note(path, e))?;
        if (checkpoint.size, checkpoint.root) != (edge.size(), edge.root()) {
            return Err(Error::damaged(path, "a batch does not have its checkpoint's root"));
        }
        out.push(frame);
    }
    Ok(out)
}

//! A log open for writing.
//!
//! Order of a commit: the journal takes the batch's entries and the new signed checkpoint, one
//! flush; then tiles; then the checkpoint file; then the journal is cut. Publishing may wait for
//! further batches. Opening after a crash is the same publishing, of what the journal holds.

use std::path::{Path, PathBuf};

use crate::disk::{self, Append, Batch, Overwrite, Pending};
use crate::error::{Error, Result};
use crate::journal::{self, Frame, MAX_BATCH};
use crate::note::{SigningKey, VerifierKey};
use crate::reader::Reader;
use crate::store::{MAX_ENTRY, Store, Tile, encode_bundle, encode_hashes, levels};
use crate::tree::{Edge, Hash, WIDTH, leaf};

/// From this size on the journal is published without waiting for more.
const PUBLISH_FROM: u64 = 1 << 20;

/// A log open for writing. The caller holds the [`crate::Lock`] of what the log belongs to.
#[derive(Debug)]
pub struct Log {
    key: SigningKey,
    journal: Append,
    /// The tree with all committed entries.
    edge: Edge,
    /// The tree as the tiles on disk have it.
    published: Edge,
    /// The entries of the last, partial bundle on disk.
    bundle: Vec<Vec<u8>>,
    reader: Reader,
    broken: bool,
}

impl Log {
    /// Opens, or begins, the log in `dir`, whose origin is the key's name, and completes what a
    /// crash interrupted.
    ///
    /// # Errors
    /// Files that contradict one another or are another log's; the disk.
    pub fn open(dir: &Path, key: SigningKey) -> Result<Self> {
        disk::create_dir(dir)?;
        let store = Store { dir: dir.to_owned() };
        let verifier = key.verifier();
        if store.journal()?.is_empty() {
            disk::sweep(dir)?;
        } else {
            sweep_below(dir)?;
        }
        let path = store.checkpoint_path();
        let (published, bundle) = match store.checkpoint()? {
            None => (Edge::default(), Vec::new()),
            Some(note) => {
                let checkpoint = verifier.open(&note).map_err(|e| Error::note(&path, e))?;
                let edge = load_edge(&store, checkpoint.size)?;
                if edge.root() != checkpoint.root {
                    return Err(Error::damaged(&path, "its root is not that of the tiles"));
                }
                let width = checkpoint.size % WIDTH;
                let number = checkpoint.size / WIDTH;
                let bundle = if width == 0 { Vec::new() } else { store.bundle(number, width)? };
                (edge, bundle)
            }
        };
        let journal = Append::open(&store.journal_path())?;
        let reader = Reader::open_verified(dir, Some(&verifier))?;
        let mut edge = published.clone();
        for entry in reader.tail() {
            edge.push(leaf(entry), &mut |_, _, _| {});
        }
        let mut log = Self { key, journal, edge, published, bundle, reader, broken: false };
        if !log.journal.is_empty() || log.reader.checkpoint().is_none() {
            log.publish()?;
        }
        Ok(log)
    }

    /// Commits entries together: after it returns they are in the log for ever. Returns the index
    /// of the first.
    ///
    /// # Errors
    /// An entry or a batch too large (nothing is written); the disk (open the log again: the batch
    /// is then in it, or not).
    pub fn append(&mut self, entries: &[Vec<u8>]) -> Result<u64> {
        let first = self.commit(entries.to_vec())?;
        if self.waiting() >= PUBLISH_FROM {
            self.publish()?;
        }
        Ok(first)
    }

    /// Bytes of the journal: what is committed, and waits to be published.
    pub(crate) fn waiting(&self) -> u64 {
        self.journal.len()
    }

    /// Commits entries together without publishing them.
    pub(crate) fn commit(&mut self, entries: Vec<Vec<u8>>) -> Result<u64> {
        if self.broken {
            return Err(Error::Broken);
        }
        let first = self.edge.size();
        if entries.is_empty() {
            return Ok(first);
        }
        let bytes: usize = entries.iter().map(|e| e.len() + 2).sum();
        if let Some(long) = entries.iter().map(Vec::len).find(|len| *len > MAX_ENTRY) {
            return Err(Error::TooLarge(long));
        }
        if bytes > MAX_BATCH {
            return Err(Error::TooLarge(bytes));
        }
        let mut edge = self.edge.clone();
        for entry in &entries {
            edge.push(leaf(entry), &mut |_, _, _| {});
        }
        let checkpoint = self.key.sign(edge.size(), &edge.root());
        let frame = Frame { first, entries, checkpoint };
        self.broken = true; // until the disk has answered
        self.journal.append(&frame.encode())?;
        self.journal.sync()?;
        self.broken = false;
        self.edge = edge;
        self.reader.extend(frame);
        Ok(first)
    }

    /// Writes the tiles of what the journal holds, then the checkpoint, then cuts the journal.
    ///
    /// # Errors
    /// The disk: open the log again.
    pub fn publish(&mut self) -> Result<()> {
        if self.broken {
            return Err(Error::Broken);
        }
        self.broken = true; // until the disk has answered
        let dir = self.reader.store().dir.clone();
        let before = self.published.size();
        let mut edge = self.published.clone();
        let mut bundle = std::mem::take(&mut self.bundle);
        let mut files: Vec<(Tile, Vec<u8>)> = Vec::new();
        for entry in self.reader.tail() {
            bundle.push(entry.clone());
            edge.push(leaf(entry), &mut |level, number, hashes| {
                let tile = Tile { level: Some(level), number, width: WIDTH };
                files.push((tile, encode_hashes(hashes)));
            });
            if bundle.len() as u64 == WIDTH {
                let number = edge.size() / WIDTH - 1;
                files.push((Tile { level: None, number, width: WIDTH }, encode_bundle(&bundle)));
                bundle.clear();
            }
        }
        if edge.size() > before {
            for (level, number, hashes) in edge.partials() {
                let width = hashes.len() as u64;
                files.push((Tile { level: Some(level), number, width }, encode_hashes(hashes)));
            }
            if !bundle.is_empty() {
                let (number, width) = (edge.size() / WIDTH, bundle.len() as u64);
                files.push((Tile { level: None, number, width }, encode_bundle(&bundle)));
            }
        }
        let mut batch = Batch::new();
        for (tile, bytes) in files {
            let path = dir.join(tile.path());
            let folder = path.parent().unwrap_or(&dir).to_owned();
            disk::create_dir(&folder)?;
            let mut file = Pending::new(&folder)?;
            file.append(&bytes)?;
            batch.add(file, path, Overwrite::Replace)?;
        }
        batch.commit()?;
        let note = match self.reader.checkpoint() {
            Some(note) => note.to_owned(),
            None => self.key.sign(0, &edge.root()),
        };
        disk::write(&dir.join("checkpoint"), note.as_bytes())?;
        if !self.journal.is_empty() {
            self.journal.cut(0)?;
        }
        disk::discard(&outgrown(&dir, before, edge.size()));
        self.published = edge;
        self.bundle = bundle;
        self.reader.published(note);
        self.broken = false;
        Ok(())
    }

    /// Publishes and ends. Without it the journal keeps what is committed until the next opening.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(mut self) -> Result<()> {
        if self.journal.is_empty() { Ok(()) } else { self.publish() }
    }

    /// What is committed, for reading.
    pub fn reader(&self) -> &Reader {
        &self.reader
    }

    /// Entries committed.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root over all entries committed.
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// What others verify this log with.
    pub fn verifier(&self) -> VerifierKey {
        self.key.verifier()
    }
}

/// The partial tiles of the tree of `before` entries that the tree of `after` does not have.
fn outgrown(dir: &Path, before: u64, after: u64) -> Vec<PathBuf> {
    let partials = |size: u64| {
        let levels = (0..levels(size)).map(Some).chain([None]);
        levels.filter_map(move |level| {
            let count = size >> (8 * level.unwrap_or(0));
            let tile = Tile { level, number: count / WIDTH, width: count % WIDTH };
            (tile.width > 0).then(|| tile.path())
        })
    };
    let kept: Vec<PathBuf> = partials(after).collect();
    partials(before).filter(|path| !kept.contains(path)).map(|path| dir.join(path)).collect()
}

fn load_edge(store: &Store, size: u64) -> Result<Edge> {
    let mut out = Vec::new();
    for level in 0..levels(size) {
        let count = size >> (8 * level);
        let width = count % WIDTH;
        out.push(if width == 0 {
            Vec::new()
        } else {
            store.hashes(level, count / WIDTH, width)?
        });
    }
    Ok(Edge::from_levels(size, out))
}

fn sweep_below(dir: &Path) -> Result<()> {
    disk::sweep(dir)?;
    for entry in dir.read_dir().map_err(|e| Error::disk("list", dir, e))? {
        let entry = entry.map_err(|e| Error::disk("list", dir, e))?;
        if entry.file_type().is_ok_and(|t| t.is_dir()) {
            sweep_below(&entry.path())?;
        }
    }
    Ok(())
}

/// The frames of a journal that follow `size` entries, each verified and continuing the last.
pub(crate) fn continue_from(
    edge: &mut Edge,
    bytes: &[u8],
    verifier: Option<&VerifierKey>,
    path: &Path,
) -> Result<Vec<Frame>> {
    let (frames, _) = journal::frames(bytes);
    let mut out = Vec::new();
    for frame in frames {
        let end = frame.first.saturating_add(frame.entries.len() as u64);
        if end <= edge.size() {
            continue; // published before a crash kept the journal from being cut
        }
        if frame.first != edge.size() {
            return Err(Error::damaged(path, "a batch does not follow the entries before it"));
        }
        for entry in &frame.entries {
            edge.push(leaf(entry), &mut |_, _, _| {});
        }
        let checkpoint = match verifier {
            Some(key) => key.open(&frame.checkpoint),
            None => crate::note::Checkpoint::parse_unverified(&frame.checkpoint),
        }
        .map_err(|e| Error::note(path, e))?;
        if (checkpoint.size, checkpoint.root) != (edge.size(), edge.root()) {
            return Err(Error::damaged(path, "a batch does not have its checkpoint's root"));
        }
        out.push(frame);
    }
    Ok(out)
}

pub(crate) fn edge_of(store: &Store, size: u64) -> Result<Edge> {
    load_edge(store, size)
}

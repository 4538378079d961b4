//! A log open for writing.
//!
//! Order of a commit: the journal takes the batch's entries and the new signed checkpoint, one
//! flush; then tiles; then the checkpoint file; then the journal is cut. Publishing may wait for
//! further batches, and may run beside them: they go to the other of two journals meanwhile.
//! Opening after a crash is the same publishing, of what the journals hold.
//!
//! A log is signed here, or it is a copy ([`Log::copy`]) that takes what another signed.

use std::path::Path;

use crate::disk::{self, Append};
use crate::error::{Error, Result};
use crate::journal::{self, MAX_BATCH};
use crate::keys::Keys;
use crate::note::{Checkpoint, SigningKey, VerifierKey};
use crate::publish::{Publication, Published, Staged, filled};
use crate::reader::Reader;
use crate::sound::sound;
use crate::store::{MAX_ENTRY, Store, levels};
use crate::tree::{Edge, Hash, WIDTH, leaf};

/// From this size on the journal is published without waiting for more.
const PUBLISH_FROM: u64 = 1 << 20;

/// A log open for writing. The caller holds the [`crate::Lock`] of what the log belongs to.
#[derive(Debug)]
pub struct Log {
    signer: Signer,
    /// The journal that takes the next batch; none only while it is being published at once.
    journal: Option<Append>,
    /// The other one, empty, if it was ever needed and is not being published.
    idle: Option<Append>,
    /// The tree with all committed entries.
    edge: Edge,
    staged: Staged,
    reader: Reader,
    /// A publication was handed out, and has not come back.
    beside: bool,
    broken: bool,
}

/// Who signs what is committed.
#[derive(Debug)]
enum Signer {
    /// This process.
    Own(SigningKey),
    /// Another: these are the keys that count.
    Another(Keys),
}

impl Log {
    /// Opens, or begins, the log in `dir`, whose origin is the key's name, and completes what a
    /// crash interrupted.
    ///
    /// # Errors
    /// Files that contradict one another or are another log's; the disk.
    pub fn open(dir: &Path, key: SigningKey) -> Result<Self> {
        let keys = key.verifier().into();
        Self::open_with(dir, key, &keys)
    }

    /// Opens the log in `dir`, whose earlier checkpoints were signed by other keys than `key`, which
    /// signs from here on.
    ///
    /// # Errors
    /// As [`Log::open`]; a checkpoint by a key that does not count at its size.
    pub fn open_with(dir: &Path, key: SigningKey, keys: &Keys) -> Result<Self> {
        Self::open_as(dir, Signer::Own(key), keys)
    }

    /// Opens the copy of a log in `dir` that another writes, or begins it with the signed checkpoint of
    /// no entries.
    ///
    /// # Errors
    /// As [`Log::open_with`]; a beginning that is none, or is not signed by these keys.
    pub fn copy(dir: &Path, keys: &Keys, beginning: &str) -> Result<Self> {
        disk::create_dir(dir)?;
        let path = Store { dir: dir.to_owned() }.checkpoint_path();
        if !path.exists() {
            let opened = keys.open(beginning).map_err(|e| Error::note(&path, e))?;
            if (opened.size, opened.root) != (0, Edge::default().root()) {
                return Err(Error::damaged(&path, "what it would begin with is no beginning"));
            }
            disk::write(&path, beginning.as_bytes())?;
        }
        Self::open_as(dir, Signer::Another(keys.clone()), keys)
    }

    fn open_as(dir: &Path, signer: Signer, keys: &Keys) -> Result<Self> {
        disk::create_dir(dir)?;
        let store = Store { dir: dir.to_owned() };
        let reader = sound(&store, keys)?;
        if store.journals()?.iter().all(|(_, bytes)| bytes.is_empty()) {
            disk::sweep(dir)?;
        } else {
            sweep_below(dir)?;
        }
        let path = store.checkpoint_path();
        let (mut edge, bundle) = match store.checkpoint()? {
            None => (Edge::default(), Vec::new()),
            Some(note) => {
                let checkpoint = keys.open(&note).map_err(|e| Error::note(&path, e))?;
                let edge = edge_of(&store, checkpoint.size)?;
                if edge.root() != checkpoint.root {
                    return Err(Error::damaged(&path, "its root is not that of the tiles"));
                }
                let width = checkpoint.size % WIDTH;
                let number = checkpoint.size / WIDTH;
                let bundle = if width == 0 { Vec::new() } else { store.bundle(number, width)? };
                (edge, bundle)
            }
        };
        let [first, second] = store.journal_paths();
        let journal = Some(Append::open(&first)?);
        let idle = if second.exists() { Some(Append::open(&second)?) } else { None };
        let mut staged = Staged::after(edge.size(), &bundle);
        let mut full = Vec::new();
        for entry in reader.tail() {
            edge.push(leaf(entry), &mut |level, number, h| full.push(filled(level, number, h)));
        }
        staged.extend(reader.tail(), full);
        let mut log =
            Self { signer, journal, idle, edge, staged, reader, beside: false, broken: false };
        let empty = log.journal.iter().chain(&log.idle).all(Append::is_empty);
        if !empty || log.reader.checkpoint().is_none() {
            let journals = [log.journal.take(), log.idle.take()].into_iter().flatten().collect();
            log.broken = true; // until the disk has answered
            let published = log.publication(journals)?.run()?;
            log.published(published);
        }
        Ok(log)
    }

    /// Takes entries into a copy, with the checkpoint that another signed after them. After it returns
    /// they are in the copy for ever. Returns the index of the first.
    ///
    /// # Errors
    /// [`Error::NotACopy`]; a checkpoint that is not signed, or is not of this log with these entries
    /// (nothing is written); as [`Log::append`].
    pub fn take(&mut self, entries: Vec<Vec<u8>>, checkpoint: &str) -> Result<u64> {
        let Signer::Another(keys) = &self.signer else { return Err(Error::NotACopy) };
        let path = self.reader.store().checkpoint_path();
        let signed = keys.open(checkpoint).map_err(|e| Error::note(&path, e))?;
        let first = self.commit_as(entries, Some((signed, checkpoint)))?;
        if self.waiting() >= PUBLISH_FROM {
            self.publish()?;
        }
        Ok(first)
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
        self.journal.as_ref().map_or(0, Append::len)
    }

    /// Commits entries together without publishing them.
    pub(crate) fn commit(&mut self, entries: Vec<Vec<u8>>) -> Result<u64> {
        self.commit_as(entries, None)
    }

    fn commit_as(
        &mut self,
        entries: Vec<Vec<u8>>,
        signed: Option<(Checkpoint, &str)>,
    ) -> Result<u64> {
        let Some(journal) = self.journal.as_mut().filter(|_| !self.broken) else {
            return Err(Error::Broken);
        };
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
        let mut full = Vec::new();
        for entry in &entries {
            edge.push(leaf(entry), &mut |level, number, h| full.push(filled(level, number, h)));
        }
        let checkpoint = match (&self.signer, signed) {
            (Signer::Own(key), None) => key.sign(edge.size(), &edge.root()),
            (Signer::Another(_), Some((signed, note))) => {
                if (signed.size, signed.root) != (edge.size(), edge.root()) {
                    let what = "what was signed is not this log with these entries";
                    return Err(Error::damaged(&self.reader.store().checkpoint_path(), what));
                }
                note.to_owned()
            }
            _ => return Err(Error::NotACopy),
        };
        self.broken = true; // until the disk has answered
        journal.append(&journal::encode(first, &entries, &checkpoint))?;
        journal.sync()?;
        self.broken = false;
        self.edge = edge;
        self.staged.extend(&entries, full);
        self.reader.extend(entries, checkpoint);
        Ok(first)
    }

    /// Writes the tiles of what the journal holds, then the checkpoint, then cuts the journal.
    ///
    /// # Errors
    /// The disk: open the log again.
    pub fn publish(&mut self) -> Result<()> {
        let Some(journal) = self.journal.take().filter(|_| !self.broken && !self.beside) else {
            return Err(Error::Broken);
        };
        self.broken = true; // until the disk has answered
        let published = self.publication(vec![journal])?.run()?;
        self.published(published);
        Ok(())
    }

    /// Hands out the publishing of what the journal holds, to be run beside further commits, which
    /// go to the other journal: whoever runs it tells [`Log::published`], or the log ends there.
    /// One at a time.
    ///
    /// # Errors
    /// Another is under way; the disk: open the log again.
    pub(crate) fn publish_beside(&mut self) -> Result<Publication> {
        let [first, second] = self.reader.store().journal_paths();
        let Some(full) = self.journal.take().filter(|_| !self.broken && !self.beside) else {
            return Err(Error::Broken);
        };
        self.broken = true; // until the disk has answered
        let next = match self.idle.take() {
            Some(idle) => idle,
            None => Append::open(if full.path() == first { &second } else { &first })?,
        };
        self.broken = false;
        self.beside = true;
        self.journal = Some(next);
        self.publication(vec![full])
    }

    fn publication(&mut self, journals: Vec<Append>) -> Result<Publication> {
        let note = match (self.reader.checkpoint(), &self.signer) {
            (Some(note), _) => note.to_owned(),
            (None, Signer::Own(key)) => key.sign(0, &self.edge.root()),
            // It begins with one.
            (None, Signer::Another(_)) => return Err(Error::NotACopy),
        };
        Ok(self.staged.publication(&self.reader.store().dir, &self.edge, note, journals))
    }

    /// What was handed out stands.
    pub(crate) fn published(&mut self, done: Published) {
        for journal in done.journals {
            let place = if self.journal.is_none() { &mut self.journal } else { &mut self.idle };
            *place = Some(journal);
        }
        self.reader.publish_to(done.size, done.checkpoint);
        (self.beside, self.broken) = (false, false);
    }

    /// Publishes and ends. Without it the journal keeps what is committed until the next opening.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(mut self) -> Result<()> {
        if self.waiting() == 0 { Ok(()) } else { self.publish() }
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
        match &self.signer {
            Signer::Own(key) => key.verifier(),
            Signer::Another(keys) => keys.now().clone(),
        }
    }
}

/// The right edge of the published tree of `size` entries.
pub(crate) fn edge_of(store: &Store, size: u64) -> Result<Edge> {
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

//! A log open for writing.
//!
//! Order of a commit: the batch's tiles are staged in one object; the lock, which holds the signed
//! checkpoint, is swapped where it is still the one that this writer holds; then tiles and the
//! checkpoint that readers follow are put; then the staging is dropped. With the swap the batch is in
//! the log. All before it can be done by any number of writers without harm; all after it can be done
//! again by anybody, to the same end.

use std::time::Duration;

use ledger::batch::Tip;
use ledger::note::MAX_CHECKPOINT;
use ledger::tree::Hash;
use ledger::{Checkpoint, Former, Keys, MAX_ENTRY, SigningKey, VerifierKey};

use crate::door::{CHECKPOINT, Door, LOCK, MAX_BATCH, MAX_ENTRIES, REQUEST};
use crate::error::{Error, Result};
use crate::lock::{Locked, Writer, staging};
use crate::objects::{Fault, Objects, Version};
use crate::reader::Reader;
use crate::settle::{Held, after_swap, lock, publish, settle, sweep, tip_of};
use crate::staging::Staging;

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// How long each request may take, its repetitions included.
    pub request: Duration,
    /// Checkpoints kept elsewhere (their signatures verified): the log must go through each of them.
    pub known: Vec<Checkpoint>,
    /// Keys of this log that were replaced, the first one first: each counts up to its size.
    pub former: Vec<Former>,
}

impl Options {
    pub(crate) fn keys(&self, now: &VerifierKey) -> Keys {
        Keys::new(self.former.clone(), now.clone())
    }
}

impl Default for Options {
    fn default() -> Self {
        Self { request: REQUEST, known: Vec::new(), former: Vec::new() }
    }
}

/// A log open for writing. Any number may be; the first to commit goes on, and the others stop.
#[derive(Debug)]
pub struct Log<O> {
    door: Door<O>,
    key: SigningKey,
    keys: Keys,
    writer: Writer,
    tip: Tip,
    checkpoint: Checkpoint,
    /// What the next swap of the lock compares with, and the next put of the checkpoint.
    held: Version,
    seen: Version,
    broken: bool,
}

impl<O: Objects> Log<O> {
    /// Opens, or begins, the log in `objects`, whose origin is the key's name, and completes what a
    /// crash interrupted. `writer` belongs to this opening alone.
    ///
    /// # Errors
    /// Objects that contradict one another or are another log's; a log shorter than known; the store.
    pub async fn open(
        objects: O,
        key: SigningKey,
        writer: Writer,
        options: Options,
    ) -> Result<Self> {
        let door = Door::new(objects, options.request);
        let keys = options.keys(&key.verifier());
        let held = match lock(&door, &keys).await? {
            Some(held) => held,
            None => begin(&door, &key, &keys, writer).await?,
        };
        let ((locked, held), seen) = settle(&door, &keys, held).await?;
        let checkpoint = locked.checkpoint;
        let tip = tip_of(&door, &checkpoint).await?;
        let reader = Reader::of(door, locked.note, checkpoint.clone(), tip.clone())?;
        for known in &options.known {
            reader.goes_through(known).await?;
        }
        let door = reader.into_door();
        let _ = sweep(&door, checkpoint.size).await; // the next opening sweeps again
        Ok(Self { door, key, keys, writer, tip, checkpoint, held, seen, broken: false })
    }

    /// Commits entries together and publishes them: after it returns they are in the log for ever.
    /// Returns the index of the first.
    ///
    /// # Errors
    /// An entry or a batch too large, or the store before the swap: nothing is in the log, and it
    /// goes on. [`Error::AnotherWriter`]: nothing of this batch is in the log, and this writer stops.
    /// Anything else: open the log again; the batch is then in it, or not.
    pub async fn append(&mut self, entries: &[Vec<u8>]) -> Result<u64> {
        if self.broken {
            return Err(Error::Broken);
        }
        let first = self.tip.size();
        if entries.is_empty() {
            return Ok(first);
        }
        bounded(entries)?;
        let mut tip = self.tip.clone();
        let tiles = tip.grow(entries).map_err(|_| Error::TooLarge(entries.len()))?;
        let note = self.key.sign(tip.size(), &tip.root());
        let origin = self.key.name().to_owned();
        let checkpoint = Checkpoint { origin, size: tip.size(), root: tip.root() };
        let staged = staging(&checkpoint, self.writer);
        let batch = Staging { before: first, after: tip.size(), tiles };
        self.door.put(&staged, batch.encode()).await?;

        self.broken = true; // until the store has answered
        let ours = Locked::encode(self.writer, &note);
        self.held = match self.door.swap(LOCK, ours.clone(), Some(&self.held)).await {
            Ok(version) => version,
            Err(fault) => {
                let now = (ours.as_slice(), &self.held);
                let after =
                    after_swap(&self.door, &self.keys, now, (&self.checkpoint, fault)).await;
                if let Err(Error::AnotherWriter { .. }) = after {
                    // The lock has changed: no late request can commit this batch any more.
                    let _ = self.door.delete(&staged).await;
                }
                after?
            }
        };
        self.tip = tip;
        self.checkpoint = checkpoint;
        let to = (note.as_str(), &self.checkpoint);
        self.seen = publish(&self.door, &self.keys, batch.tiles, to, Some(&self.seen)).await?;
        let _ = self.door.delete(&staged).await; // the next opening sweeps
        self.broken = false;
        Ok(first)
    }

    /// Entries committed.
    pub fn size(&self) -> u64 {
        self.tip.size()
    }

    /// The root over all entries committed.
    pub fn root(&self) -> Hash {
        self.tip.root()
    }

    /// What others verify this log with.
    pub fn verifier(&self) -> VerifierKey {
        self.key.verifier()
    }
}

fn bounded(entries: &[Vec<u8>]) -> Result<()> {
    if let Some(long) = entries.iter().map(Vec::len).find(|len| *len > MAX_ENTRY) {
        return Err(Error::TooLarge(long));
    }
    let bytes: usize = entries.iter().map(|entry| entry.len() + 2).sum();
    if bytes > MAX_BATCH || entries.len() > MAX_ENTRIES {
        return Err(Error::TooLarge(bytes.max(entries.len())));
    }
    Ok(())
}

/// Begins a log where there is none. Where two begin it, the second goes on from the first's.
async fn begin<O: Objects>(
    door: &Door<O>,
    key: &SigningKey,
    keys: &Keys,
    writer: Writer,
) -> Result<Held> {
    if door.get(CHECKPOINT, MAX_CHECKPOINT as u64).await?.is_some() {
        // Another may have begun it since the lock was looked for.
        let missing = || Error::damaged(LOCK, "it is missing, though readers see a checkpoint");
        return lock(door, keys).await?.ok_or_else(missing);
    }
    let note = key.sign(0, &Tip::default().root());
    let put = door.swap(LOCK, Locked::encode(writer, &note), None).await;
    match (lock(door, keys).await?, put) {
        (Some(held), _) => Ok(held),
        (None, Err(source)) => Err(Error::Store { action: "put", name: LOCK.to_owned(), source }),
        (None, Ok(_)) => {
            let source = Fault::Failed("it was put, and is not there".into());
            Err(Error::Store { action: "get", name: LOCK.to_owned(), source })
        }
    }
}

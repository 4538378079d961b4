//! Verifying a log in a store: everything is computed again from the entries and compared with every
//! byte of every object. Memory does not grow with the log.

use std::collections::VecDeque;

use ledger::batch::{Tile, decode_bundle, encode_bundle, encode_hashes, tile_at, tiles_at};
use ledger::note::MAX_CHECKPOINT;
use ledger::tree::{Edge, Hash, WIDTH, leaf};
use ledger::{Checkpoint, Finding, Keys, Report, VerifierKey, Visit};

use crate::door::{CHECKPOINT, Door, LOCK, STAGING, name_of};
use crate::error::{Error, Result};
use crate::log::Options;
use crate::objects::Objects;
use crate::settle::{lock, published};

/// Names listed at a time.
const PAGE: usize = 1000;

/// Verifies the log in `objects` by its key, those that it replaced ([`Options::former`]) and the checkpoints that are known. `entry` is told each
/// entry in order; the text it returns, if any, becomes a finding there.
///
/// # Errors
/// Only what keeps it from looking: no checkpoint that is signed by the key; the store.
pub async fn verify<O: Objects>(
    objects: O,
    key: &VerifierKey,
    options: &Options,
    entry: &mut Visit<'_>,
) -> Result<Report> {
    let door = Door::new(objects, options.request);
    let mut look = Look { report: Report::default(), edge: Edge::default(), full: VecDeque::new() };
    let object = door.get(CHECKPOINT, MAX_CHECKPOINT as u64).await?;
    let object = object.ok_or(Error::NoLog(CHECKPOINT))?;
    let keys = options.keys(key);
    let checkpoint = published(&object, &keys)?;
    look.report.checkpoint = Some(String::from_utf8_lossy(&object.bytes).into_owned());
    let end = look.lock(&door, &keys, &checkpoint).await?;
    look.entries(&door, checkpoint.size, &options.known, entry).await?;
    look.report.entries = look.edge.size();
    if look.edge.size() != checkpoint.size {
        let (counts, read) = (checkpoint.size, look.edge.size());
        look.find(CHECKPOINT, format!("it counts {counts} entries, {read} could be read"));
    } else {
        look.partials(&door).await?;
        if look.edge.root() != checkpoint.root {
            look.find(CHECKPOINT, "its root is not that of the entries");
        }
    }
    let read = look.report.entries;
    for known in options.known.iter().filter(|known| known.size > read) {
        look.find(CHECKPOINT, format!("the log is known with {} entries", known.size));
    }
    look.account(&door, checkpoint.size, end).await?;
    Ok(look.report)
}

struct Look {
    report: Report,
    edge: Edge,
    /// Tiles that became full, and were not compared yet.
    full: VecDeque<(Tile, Vec<Hash>)>,
}

impl Look {
    fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        let (place, message) = (place.into(), message.into());
        self.report.findings.push(Finding { place, message });
    }

    /// Compares the lock with what readers see; where the log ends with what waits to be published.
    async fn lock<O: Objects>(
        &mut self,
        door: &Door<O>,
        keys: &Keys,
        checkpoint: &Checkpoint,
    ) -> Result<u64> {
        let locked = match lock(door, keys).await {
            Ok(Some((locked, _))) => locked.checkpoint,
            Ok(None) => {
                self.find(LOCK, "it is missing: nobody can write here any more");
                return Ok(checkpoint.size);
            }
            Err(error @ Error::Store { .. }) => return Err(error),
            Err(error) => {
                self.find(LOCK, error.to_string());
                return Ok(checkpoint.size);
            }
        };
        if locked.size < checkpoint.size {
            self.find(LOCK, "it is behind what readers see");
        } else if locked.size == checkpoint.size && locked.root != checkpoint.root {
            self.find(LOCK, "it has another root than readers see: the log was forked");
        } else if locked.size > checkpoint.size {
            let waits = locked.size - checkpoint.size;
            self.report.notes.push(format!("{waits} entries wait to be published"));
        }
        Ok(locked.size.max(checkpoint.size))
    }

    async fn entries<O: Objects>(
        &mut self,
        door: &Door<O>,
        size: u64,
        known: &[Checkpoint],
        entry: &mut Visit<'_>,
    ) -> Result<()> {
        for tile in tiles_at(None, size) {
            let name = name_of(tile);
            let Some(bytes) = self.read(door, tile).await? else { return Ok(()) };
            let entries = decode_bundle(&bytes).unwrap_or_default();
            if entries.len() as u64 != tile.width {
                self.find(name, format!("it does not hold {} entries", tile.width));
                return Ok(());
            }
            for bytes in entries {
                let (index, hash) = (self.edge.size(), leaf(&bytes));
                if let Some(message) = entry(index, &bytes, &hash) {
                    self.find(format!("{name} entry {index}"), message);
                }
                let full = &mut self.full;
                self.edge.push(hash, &mut |level, number, hashes| {
                    let tile = Tile { level: Some(level), number, width: WIDTH };
                    full.push_back((tile, hashes.to_vec()));
                });
                let size = self.edge.size();
                let other = |k: &&Checkpoint| k.size == size && k.root != self.edge.root();
                if known.iter().any(|k| other(&k)) {
                    self.find(format!("entry {index}"), "another log is known up to here");
                }
            }
            while let Some((tile, hashes)) = self.full.pop_front() {
                self.compare(door, tile, &encode_hashes(&hashes)).await?;
            }
        }
        Ok(())
    }

    async fn partials<O: Objects>(&mut self, door: &Door<O>) -> Result<()> {
        let expected: Vec<(Tile, Vec<u8>)> = self
            .edge
            .partials()
            .map(|(level, number, hashes)| {
                let width = hashes.len() as u64;
                (Tile { level: Some(level), number, width }, encode_hashes(hashes))
            })
            .collect();
        for (tile, hashes) in expected {
            self.compare(door, tile, &hashes).await?;
        }
        Ok(())
    }

    /// A tile's bytes; a finding where it is not there.
    async fn read<O: Objects>(&mut self, door: &Door<O>, tile: Tile) -> Result<Option<Vec<u8>>> {
        match door.tile(tile).await {
            Ok(bytes) => Ok(Some(bytes)),
            Err(Error::Damaged { name, what }) => {
                self.find(name, what);
                Ok(None)
            }
            Err(Error::Store { name, source: source @ crate::Fault::TooLong(_), .. }) => {
                self.find(name, source.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    async fn compare<O: Objects>(
        &mut self,
        door: &Door<O>,
        tile: Tile,
        expected: &[u8],
    ) -> Result<()> {
        let Some(found) = self.read(door, tile).await? else { return Ok(()) };
        if found != expected {
            let at = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
            let what = "it is not what the entries give: this object or the entries were changed";
            self.find(format!("{} byte {at}", name_of(tile)), what);
        }
        Ok(())
    }

    /// Goes through every name. Partial tiles of an earlier size may stand, if they are the beginning
    /// of what stands now; tiles of a batch that waits to be published; what is staged.
    async fn account<O: Objects>(&mut self, door: &Door<O>, size: u64, end: u64) -> Result<()> {
        let mut after: Option<String> = None;
        loop {
            let names = door.list("", after.as_deref(), PAGE).await?;
            let Some(last) = names.last().cloned() else { return Ok(()) };
            for name in names {
                self.name(door, &name, size, end).await?;
            }
            after = Some(last);
        }
    }

    async fn name<O: Objects>(
        &mut self,
        door: &Door<O>,
        name: &str,
        size: u64,
        end: u64,
    ) -> Result<()> {
        if name == CHECKPOINT || name == LOCK {
            return Ok(());
        }
        if name.strip_prefix(STAGING).is_some_and(|rest| rest.starts_with('/')) {
            self.report.notes.push(format!("{name} is staged, or was left by an interrupted run"));
            return Ok(());
        }
        let Some(tile) = Tile::of_path(std::path::Path::new(name)) else {
            self.find(name, "no object of that name belongs to a log");
            return Ok(());
        };
        let now = tile_at(tile.level, size, tile.number);
        if now == Some(tile) {
            return Ok(()); // compared with the entries
        }
        let Some(now) = now.filter(|now| now.width > tile.width) else {
            if tile_at(tile.level, end, tile.number) == Some(tile) {
                self.report.notes.push(format!("{name} is of a batch that waits"));
            } else {
                self.find(name, "it is beyond the log's end");
            }
            return Ok(());
        };
        let Some(whole) = self.read(door, now).await? else { return Ok(()) };
        let expected = if tile.level.is_some() {
            whole.get(..tile.width as usize * 32).unwrap_or(&whole).to_vec()
        } else {
            let entries = decode_bundle(&whole).unwrap_or_default();
            encode_bundle(entries.iter().take(tile.width as usize))
        };
        self.compare(door, tile, &expected).await
    }
}

//! Copying a backup out, into a folder where it is then proven.

use std::path::Path;

use ledger::batch::tiles_at;
use ledger::disk::{self, Batch, Overwrite, Pending};
use model::Sha256Hex;
use sha2::{Digest, Sha256};

use super::copy::{most_of, name_of};
use super::error::{Error, Result};
use super::held::head;
use super::store::{Store, get};
use super::{CHECKPOINT, MAX_OPENINGS, OPENINGS, STAGED, WITNESSED, staged};
use crate::case::Case;
use crate::openings::first_of;

/// Files made durable together.
const TOGETHER: usize = 256;

/// What was copied out; nothing of it is proven yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// `<authority>/case/<id>`.
    pub origin: String,
    /// Records.
    pub size: u64,
    /// Their root.
    pub root: Sha256Hex,
    /// Exhibits copied.
    pub exhibits: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Exhibits whose bytes were on media outside the case: the record, and where they were.
    pub outside: Vec<(u64, std::path::PathBuf)>,
}

/// Copies the case that the backup's checkpoint covers into `dir`, which holds no case. What does not
/// hash to what it should is left out, and missing when the copy is proven. `progress` is told bytes of
/// exhibits.
///
/// # Errors
/// No backup; a log or openings that cannot be read; the store; the disk.
pub fn copy_out(
    store: &dyn Store,
    dir: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Restored> {
    let found = head(store)?.ok_or_else(|| Error::None(store.shown()))?;
    let Some((note, checkpoint)) = found.checkpoint else {
        let what = "is not there: the first run was cut off, and nothing can be restored from it";
        let (destination, name) = (store.shown(), CHECKPOINT.to_owned());
        return Err(Error::Damaged { destination, name, what: what.to_owned() });
    };
    let mut copy = Copy { store, dir, batch: Batch::new() };
    for folder in ["ledger", OPENINGS, "vault/exhibits"] {
        disk::create_dir(&dir.join(folder))?;
    }
    for tile in (0..8).map(Some).chain([None]).flat_map(|level| tiles_at(level, checkpoint.size)) {
        let name = Path::new("ledger").join(tile.path()).to_string_lossy().into_owned();
        copy.small(&name, &name, most_of(tile))?;
    }
    let waiting: Vec<String> = store.list(STAGED)?.into_iter().map(|item| item.name).collect();
    for item in store.list(OPENINGS)? {
        let file = item.name.rsplit('/').next().unwrap_or_default();
        if first_of(file).is_none_or(|first| first >= checkpoint.size) {
            continue; // of a run that was cut off
        }
        // What an erasure wrote anew counts from the checkpoint on.
        let anew = staged(checkpoint.size, file);
        let from = if waiting.contains(&anew) { &anew } else { &item.name };
        copy.small(from, &item.name, MAX_OPENINGS)?;
    }
    for item in store.list(WITNESSED)? {
        let size = item.name.rsplit('/').next().and_then(|n| n.parse::<u64>().ok());
        if size.is_some_and(|size| size <= checkpoint.size) {
            copy.small(&item.name, &item.name, ledger::note::MAX_NOTE as u64)?;
        }
    }
    copy.flush()?;
    disk::write(&dir.join(CHECKPOINT), note.as_bytes())?;
    let mut restored = Restored {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: Sha256Hex(checkpoint.root),
        exhibits: 0,
        bytes: 0,
        outside: Vec::new(),
    };
    let case = Case::read(dir)?;
    for exhibit in case.exhibits() {
        if let Some(path) = &exhibit.in_place {
            restored.outside.push((exhibit.record, path.clone()));
        } else if copy.exhibit(&name_of(&exhibit.id), &exhibit.id.0, exhibit.size, progress)? {
            restored.exhibits += 1;
            restored.bytes += exhibit.size;
        }
    }
    copy.flush()?;
    Ok(restored)
}

struct Copy<'a> {
    store: &'a dyn Store,
    dir: &'a Path,
    batch: Batch,
}

impl Copy<'_> {
    fn small(&mut self, from: &str, to: &str, most: u64) -> Result<()> {
        let Some(bytes) = get(self.store, from, most)? else {
            let what = "is missing: `vigie backup --check` of the case puts it there again";
            let (destination, name) = (self.store.shown(), from.to_owned());
            return Err(Error::Damaged { destination, name, what: what.to_owned() });
        };
        let path = self.dir.join(to);
        let folder = path.parent().unwrap_or(self.dir);
        disk::create_dir(folder)?;
        let mut file = Pending::new(folder)?;
        file.append(&bytes)?;
        self.add(file, &path)
    }

    /// False where it is not there, or not what it should be.
    fn exhibit(
        &mut self,
        name: &str,
        id: &[u8; 32],
        size: u64,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<bool> {
        let mut file = Pending::with_mode(&self.dir.join("vault/exhibits"), 0o444)?;
        let (mut hash, mut read) = (Sha256::new(), 0u64);
        let found = self.store.read(name, &mut |piece| {
            read += piece.len() as u64;
            // Of one that is too long nothing more is kept.
            if read <= size {
                hash.update(piece);
                file.append(piece)?;
                progress(piece.len() as u64);
            }
            Ok(())
        })?;
        let hash: [u8; 32] = hash.finalize().into();
        let good = found && read == size && hash == *id;
        if good {
            self.add(file, &self.dir.join(name))?;
        }
        Ok(good)
    }

    fn add(&mut self, file: Pending, path: &Path) -> Result<()> {
        self.batch.add(file, path.to_owned(), Overwrite::Never)?;
        if self.batch.len() >= TOGETHER { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        Ok(std::mem::take(&mut self.batch).commit()?)
    }
}

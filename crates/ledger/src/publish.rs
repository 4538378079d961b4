//! Publishing: tiles of what the journal committed, then the checkpoint, then the journal is cut.
//!
//! A [`Publication`] owns all that it writes, so that it can run beside further commits (which go to
//! the other journal meanwhile), at once, or after a crash: it is the same function.

use std::path::{Path, PathBuf};

use crate::disk::{self, Append, Batch, Overwrite, Pending};
use crate::error::Result;
use crate::store::{Tile, encode_entry, encode_hashes, partials};
use crate::tree::{Edge, Hash, WIDTH};

/// What is committed and not published, in the form that tiles take.
#[derive(Debug, Clone, Default)]
pub(crate) struct Staged {
    /// Entries in tiles.
    published: u64,
    /// Entries committed.
    size: u64,
    /// Full tiles and bundles.
    full: Vec<(Tile, Vec<u8>)>,
    /// The last bundle, which is not full, as its file has it.
    bundle: Vec<u8>,
}

impl Staged {
    /// After a published tree of `size` entries whose last bundle holds `bundle`.
    pub(crate) fn after(size: u64, bundle: &[Vec<u8>]) -> Self {
        let mut encoded = Vec::new();
        bundle.iter().for_each(|entry| encode_entry(&mut encoded, entry));
        Self { published: size, size, full: Vec::new(), bundle: encoded }
    }

    /// Takes in committed entries, and the hash tiles that they filled.
    pub(crate) fn extend(&mut self, entries: &[Vec<u8>], filled: Vec<(Tile, Vec<u8>)>) {
        self.full.extend(filled);
        for entry in entries {
            encode_entry(&mut self.bundle, entry);
            self.size += 1;
            if self.size.is_multiple_of(WIDTH) {
                let tile = Tile { level: None, number: self.size / WIDTH - 1, width: WIDTH };
                let room = Vec::with_capacity(self.bundle.len());
                self.full.push((tile, std::mem::replace(&mut self.bundle, room)));
            }
        }
    }

    /// The tiles of what was taken in since the last time, full and partial, for the tree whose edge
    /// is given.
    pub(crate) fn take(&mut self, edge: &Edge) -> Vec<(Tile, Vec<u8>)> {
        let before = std::mem::replace(&mut self.published, self.size);
        let mut files = std::mem::take(&mut self.full);
        if self.size > before {
            for (level, number, hashes) in edge.partials() {
                let width = hashes.len() as u64;
                files.push((Tile { level: Some(level), number, width }, encode_hashes(hashes)));
            }
            let (number, width) = (self.size / WIDTH, self.size % WIDTH);
            if width > 0 {
                files.push((Tile { level: None, number, width }, self.bundle.clone()));
            }
        }
        files
    }

    /// What is to be written for the tree whose edge is given, whose checkpoint is `checkpoint`, and
    /// whose entries stand in `journals`.
    pub(crate) fn publication(
        &mut self,
        dir: &Path,
        edge: &Edge,
        checkpoint: String,
        journals: Vec<Append>,
    ) -> Publication {
        let before = self.published;
        let files = self.take(edge);
        Publication { dir: dir.to_owned(), before, size: self.size, files, checkpoint, journals }
    }
}

/// The tile of a level that became full.
pub(crate) fn filled(level: u32, number: u64, hashes: &[Hash]) -> (Tile, Vec<u8>) {
    (Tile { level: Some(level), number, width: WIDTH }, encode_hashes(hashes))
}

/// All that one publishing writes.
#[derive(Debug)]
pub(crate) struct Publication {
    dir: PathBuf,
    /// Entries in tiles before, and after.
    before: u64,
    size: u64,
    files: Vec<(Tile, Vec<u8>)>,
    checkpoint: String,
    /// What is cut when all stands.
    journals: Vec<Append>,
}

/// What stands now.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) size: u64,
    pub(crate) checkpoint: String,
    /// The journals, empty.
    pub(crate) journals: Vec<Append>,
}

impl Publication {
    /// Writes it.
    ///
    /// # Errors
    /// The disk: the journals still hold all; open the log again.
    pub(crate) fn run(mut self) -> Result<Published> {
        let mut batch = Batch::new();
        for (tile, bytes) in self.files {
            let path = self.dir.join(tile.path());
            let folder = path.parent().unwrap_or(&self.dir).to_owned();
            disk::create_dir(&folder)?;
            let mut file = Pending::new(&folder)?;
            file.append(&bytes)?;
            batch.add(file, path, Overwrite::Replace)?;
        }
        batch.commit()?;
        disk::write(&self.dir.join("checkpoint"), self.checkpoint.as_bytes())?;
        for journal in self.journals.iter_mut().filter(|journal| !journal.is_empty()) {
            journal.cut(0)?;
        }
        disk::discard(&outgrown(&self.dir, self.before, self.size));
        Ok(Published { size: self.size, checkpoint: self.checkpoint, journals: self.journals })
    }
}

/// The partial tiles of the tree of `before` entries that the tree of `after` does not have.
fn outgrown(dir: &Path, before: u64, after: u64) -> Vec<PathBuf> {
    let kept: Vec<Tile> = partials(after).collect();
    let old = partials(before).filter(|tile| !kept.contains(tile));
    old.map(|tile| dir.join(tile.path())).collect()
}

//! Many pending files made durable together.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::{Overwrite, Pending, folder_of, step, sync_disk, sync_folder};
use crate::error::{Error, Result};

/// From this many files (or folders) on, one flush of their file system is cheaper than one each.
const MANY: usize = 8;

/// Many files made durable together: one flush of all contents, then all names, then the folders.
/// Order is kept: a file added first has its name first.
#[derive(Debug, Default)]
pub struct Batch {
    files: Vec<(Pending, PathBuf, Overwrite)>,
    made: BTreeSet<PathBuf>,
}

impl Batch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a finished file and the path it shall have, on the file system it was made in. The
    /// folder is made where absent (its parent must exist), durable with the batch.
    ///
    /// # Errors
    /// The folder cannot be made.
    pub fn add(&mut self, mut file: Pending, path: PathBuf, overwrite: Overwrite) -> Result<()> {
        let folder = folder_of(&path);
        if !folder.is_dir() {
            step("make the folder", folder, || match fs::create_dir(folder) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(()),
                other => other,
            })?;
            self.made.insert(folder_of(folder).to_owned());
        }
        if self.files.len() >= MANY {
            file.close();
        }
        self.files.push((file, path, overwrite));
        Ok(())
    }

    /// Files added.
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// True where none was added.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Makes all durable. With [`Overwrite::Never`] a file that is there already is left as it is
    /// and the new one dropped: callers name files by content.
    pub fn commit(self) -> Result<()> {
        match self.files.first() {
            None => return Ok(()),
            Some(_) if self.files.len() > MANY => {
                sync_disks(self.files.iter().map(|(file, _, _)| folder_of(&file.temp)))?;
            }
            Some(_) => self.files.iter().try_for_each(|(file, _, _)| file.sync())?,
        }
        let mut folders = self.made;
        for (file, path, overwrite) in self.files {
            folders.insert(folder_of(&path).to_owned());
            match file.give_name(&path, overwrite) {
                Err(Error::Exists(_)) => {}
                other => other?,
            }
        }
        if folders.len() > MANY {
            sync_disks(folders.iter().map(PathBuf::as_path))
        } else {
            folders.iter().try_for_each(|folder| sync_folder(folder))
        }
    }
}

/// Makes durable all that was written to the file systems of these folders: each once, since a folder may be on a
/// volume of its own.
fn sync_disks<'a>(folders: impl Iterator<Item = &'a Path>) -> Result<()> {
    let (mut looked, mut synced) = (BTreeSet::new(), BTreeSet::new());
    for folder in folders.filter(|folder| looked.insert(*folder)) {
        let found = folder.metadata().map_err(|e| Error::disk("look at", folder, e))?;
        if synced.insert(found.dev()) {
            sync_disk(folder)?;
        }
    }
    Ok(())
}

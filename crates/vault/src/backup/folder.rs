//! A backup in a folder: another disk, a mounted share.

use std::cell::RefCell;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use ledger::disk::{self, Batch, Overwrite, Pending, shred};
use ledger::{Lock, Wait};

use super::error::{Error, Result};
use super::store::{Held, Item, MAX_ITEMS, Store, Upload};
use super::{EXHIBITS, OPENINGS};

/// Read at once.
const STEP: usize = 256 << 10;
/// What an exhibit is called while it is destroyed.
const GONE: &str = "gone-";
/// The lock's file.
const LOCK: &str = "lock";

/// A folder.
#[derive(Debug)]
pub struct Folder {
    dir: PathBuf,
    finished: RefCell<Batch>,
}

impl Folder {
    /// The folder, which is made by the first writing.
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned(), finished: RefCell::default() }
    }

    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    fn failed(&self, action: &'static str, name: &str, source: std::io::Error) -> Error {
        let (destination, name) = (self.shown(), name.to_owned());
        Error::Store { destination, action, name, source: source.into() }
    }

    /// Refuses a folder that is a link, or is behind one: what is elsewhere is not the backup's.
    fn no_links(&self, below: &Path) -> Result<()> {
        let mut path = self.dir.clone();
        for part in below.components() {
            path.push(part);
            if path.is_symlink() {
                let name = path.strip_prefix(&self.dir).unwrap_or(&path).display().to_string();
                let what = "is a link: a backup holds none".to_owned();
                return Err(Error::Damaged { destination: self.shown(), name, what });
            }
        }
        Ok(())
    }

    fn list_below(&self, below: &Path, out: &mut Vec<Item>) -> Result<()> {
        let told = |e| self.failed("list", &below.display().to_string(), e);
        let items = match self.dir.join(below).read_dir() {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            other => other.map_err(told)?,
        };
        for item in items {
            let item = item.map_err(told)?;
            let path = below.join(item.file_name());
            let name = path.to_string_lossy().into_owned();
            let kind = item.file_type().map_err(|e| self.failed("look at", &name, e))?;
            let file = item.file_name();
            let unfinished = file.as_encoded_bytes().starts_with(disk::TEMP_PREFIX.as_bytes());
            if unfinished || name == LOCK {
                continue;
            }
            if kind.is_dir() {
                self.list_below(&path, out)?;
            } else if kind.is_file() && out.len() < MAX_ITEMS {
                let size = item.metadata().map_err(|e| self.failed("look at", &name, e))?.len();
                out.push(Item { name, size });
            } else {
                let what = if kind.is_file() {
                    format!(
                        "and others: there are more than the {MAX_ITEMS} that a backup can have"
                    )
                } else {
                    "is no plain file: a backup holds none such".to_owned()
                };
                return Err(Error::Damaged { destination: self.shown(), name, what });
            }
        }
        Ok(())
    }
}

/// The lock, and what was swept when it was taken.
struct Locked {
    _lock: Lock,
    destroyed: (u64, u64),
}

impl Held for Locked {
    fn destroyed(&self) -> (u64, u64) {
        self.destroyed
    }
}

/// How many files below a folder (not deeper) a name begins so, that are the last name of their bytes.
fn left(folder: &Path, beginning: &str) -> u64 {
    let beginning = format!("{}{beginning}", disk::TEMP_PREFIX);
    let items = folder.read_dir().into_iter().flatten().flatten();
    let last = |item: &std::fs::DirEntry| item.metadata().is_ok_and(|found| found.nlink() == 1);
    items
        .filter(|item| item.file_name().as_encoded_bytes().starts_with(beginning.as_bytes()))
        .filter(last)
        .count() as u64
}

impl Store for Folder {
    fn shown(&self) -> String {
        self.dir.display().to_string()
    }

    fn lock(&self, holder: &str) -> Result<Box<dyn Held + '_>> {
        disk::create_dir(&self.dir)?;
        let lock = match Lock::acquire(&self.dir.join(LOCK), holder, Wait::Fail) {
            Err(ledger::Error::Held { holder, .. }) => {
                return Err(Error::Held { destination: self.shown(), holder });
            }
            other => other?,
        };
        let destroyed = (left(&self.dir, GONE), left(&self.dir.join(OPENINGS), "old-"));
        // It may be what was to be erased since.
        for folder in ["", "vault/openings", "ledger", "ledger/witnessed"] {
            self.no_links(Path::new(folder))?;
            shred::sweep(&self.dir.join(folder))?;
        }
        Ok(Box::new(Locked { _lock: lock, destroyed }))
    }

    fn list(&self, below: &str) -> Result<Vec<Item>> {
        let mut out = Vec::new();
        self.no_links(Path::new(below))?;
        self.list_below(Path::new(below), &mut out)?;
        Ok(out)
    }

    fn read(&self, name: &str, take: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let told = |e| self.failed("read", name, e);
        let mut file = match File::open(self.dir.join(name)) {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(false),
            other => other.map_err(told)?,
        };
        if file.metadata().map_err(told)?.is_dir() {
            return Ok(false);
        }
        let mut buffer = vec![0; STEP];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(n) => take(&buffer[..n])?,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(told(e)),
            }
        }
    }

    fn begin(&self, name: &str) -> Result<Box<dyn Upload + '_>> {
        let path = self.dir.join(name);
        // The last folder is made with the batch.
        if let Some(above) = path.parent().and_then(Path::parent) {
            disk::create_dir(above)?;
        }
        let mode = mode_of(name);
        // Beside the lock, where an interrupted one is found.
        let file = Pending::with_mode(&self.dir, mode)?;
        Ok(Box::new(Writing { folder: self, file, path }))
    }

    fn flush(&self) -> Result<()> {
        Ok(self.finished.take().commit()?)
    }

    fn put(&self, name: &str, bytes: &[u8]) -> Result<()> {
        let path = self.dir.join(name);
        if let Some(folder) = path.parent() {
            disk::create_dir(folder)?;
        }
        let mode = mode_of(name);
        if path.is_file() {
            shred::replace(&path, bytes)?;
            if mode == 0o600 {
                disk::set_mode(&path, mode)?;
            }
        } else {
            let mode = if mode == 0o600 { mode } else { 0o644 };
            disk::write_with(&path, bytes, Overwrite::Replace, mode)?;
        }
        Ok(())
    }

    fn destroy(&self, name: &str) -> Result<()> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let path = self.dir.join(name);
        match path.symlink_metadata() {
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
            other => other.map_err(|e| self.failed("look at", name, e))?,
        };
        // The name goes first: a crash must not leave zeros under it.
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let what = if name.starts_with(EXHIBITS) { GONE } else { "outgrown-" };
        let gone = format!("{}{what}{}-{n}", disk::TEMP_PREFIX, std::process::id());
        let gone = self.dir.join(gone);
        disk::rename(&path, &gone)?;
        Ok(shred::shred(&gone)?)
    }
}

/// Exhibits are read-only; what an authority keeps to itself its owner alone reads.
fn mode_of(name: &str) -> u32 {
    match name {
        "key" | "key-next" => 0o600,
        name if name.starts_with("openings/") => 0o600,
        name if name.starts_with("vault/exhibits/") => 0o444,
        _ => 0o644,
    }
}

struct Writing<'a> {
    folder: &'a Folder,
    file: Pending,
    path: PathBuf,
}

impl Upload for Writing<'_> {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.file.append(bytes)?)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { folder, file, path } = *self;
        Ok(folder.finished.borrow_mut().add(file, path, Overwrite::Replace)?)
    }
}

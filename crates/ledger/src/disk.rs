//! The one writer to disk: what it writes is whole and durable, or absent.
//!
//! - [`write()`]: a small file at once (temp, fsync, rename, fsync of the folder).
//! - [`Pending`]: a file written piece by piece, which appears under its name by [`Pending::persist`]
//!   and is removed if dropped before.
//! - [`Hashed`]: the same hashed as it is written, flushed steadily, and bounded.
//! - [`Batch`]: many pending files made durable by one flush of each file system.
//! - [`Append`]: a file that grows, with explicit syncs.
//! - [`nameless`]: a file for a while that a crash cannot leave behind.
//! - [`shred`]: removing what the law wants gone.
//!
//! Invariant: a name never shows a part of a file. A crash leaves at most files whose names start
//! with [`TEMP_PREFIX`]; [`sweep`] removes them, and is called by who holds the writer's lock.
//! Nothing here may be called through a path that came out of material.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)] // this is the place

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

pub use self::batch::Batch;
pub use self::hashed::Hashed;
use crate::error::{Error, Result};

/// What the names of unfinished files start with.
pub const TEMP_PREFIX: &str = ".unfinished-";

/// Whether a file may take the place of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// Yes: readers see the old file or the new one.
    Replace,
    /// No: [`Error::Exists`].
    Never,
}

/// Writes a whole file durably, in the place of an older one.
pub fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    write_with(path, bytes, Overwrite::Replace, 0o644)
}

/// Writes a whole file durably, with a mode (such as `0o600` for a key).
pub fn write_with(path: &Path, bytes: &[u8], overwrite: Overwrite, mode: u32) -> Result<()> {
    let mut file = Pending::with_mode(folder_of(path), mode)?;
    file.append(bytes)?;
    file.persist(path, overwrite)
}

/// Makes a folder and those above it, each durable in its parent.
pub fn create_dir(path: &Path) -> Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    create_dir(folder_of(path))?;
    step("make the folder", path, || match fs::create_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        other => other,
    })?;
    sync_folder(folder_of(path))
}

/// Removes a file durably; one that is gone already is no error.
pub fn remove(path: &Path) -> Result<()> {
    let gone = step("remove", path, || match fs::remove_file(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        other => other.map(|()| false),
    })?;
    if gone { Ok(()) } else { sync_folder(folder_of(path)) }
}

/// Removes a folder and what is in it; one that is gone already is no error. For views, which can
/// be built again; never for a case's `ledger/` or `vault/`.
pub fn remove_dir_all(path: &Path) -> Result<()> {
    let gone = step("remove the folder", path, || match fs::remove_dir_all(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(true),
        other => other.map(|()| false),
    })?;
    if gone { Ok(()) } else { sync_folder(folder_of(path)) }
}

/// Moves a file or a folder to another name on the same file system, durably, over what is there.
pub fn rename(from: &Path, to: &Path) -> Result<()> {
    step("rename", from, || fs::rename(from, to))?;
    sync_folder(folder_of(to))?;
    if folder_of(from) != folder_of(to) {
        sync_folder(folder_of(from))?;
    }
    Ok(())
}

/// Cuts a file to `len` bytes, durably.
pub fn truncate(path: &Path, len: u64) -> Result<()> {
    let file = step("open", path, || OpenOptions::new().write(true).open(path))?;
    step("cut", path, || file.set_len(len))?;
    step("sync", path, || file.sync_all())
}

/// Removes what unfinished writes left in a folder (not below it). Returns how many.
pub fn sweep(folder: &Path) -> Result<usize> {
    let mut swept = 0;
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
        other => other.map_err(|e| Error::disk("list", folder, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::disk("list", folder, e))?;
        if entry.file_name().as_encoded_bytes().starts_with(TEMP_PREFIX.as_bytes()) {
            let path = entry.path();
            step("remove", &path, || fs::remove_file(&path))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// Removes files that would do no harm if they came back, and the folders that this empties. Not
/// durable, and what cannot be removed stays.
pub(crate) fn discard(paths: &[PathBuf]) {
    for path in paths {
        let _ = step("remove", path, || {
            fs::remove_file(path)?;
            let _ = fs::remove_dir(folder_of(path)); // fails where it is not empty
            Ok(())
        });
    }
}

/// Opens, or makes, a file that serves as a lock; true where its content may be rewritten in place. One
/// with another name elsewhere, as a folder of hard links has, locks all the same.
pub(crate) fn open_lock(path: &Path) -> Result<(File, bool)> {
    open_in_place(path, u64::MAX).map(|(file, names)| (file, names <= 1))
}

/// Opens, or makes, a file that is written in place. Nothing is written through a link, nor to what has
/// another name elsewhere: whoever laid that down would choose what is cut.
fn open_own(path: &Path) -> Result<File> {
    open_in_place(path, 1).map(|(file, _)| file)
}

/// The same of a file with at most so many names, and how many it has.
fn open_in_place(path: &Path, names: u64) -> Result<(File, u64)> {
    let own = |found: &fs::Metadata| found.is_file() && found.nlink() <= names;
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.custom_flags(flags.bits().cast_signed());
    // Looked at before as well: a pipe without a reader opens for nobody.
    if path.symlink_metadata().is_ok_and(|found| !own(&found)) {
        return Err(Error::Elsewhere(path.to_owned()));
    }
    let (file, found) = step("open", path, || {
        let file = options.open(path)?;
        let found = file.metadata()?;
        Ok((file, found))
    })?;
    if own(&found) { Ok((file, found.nlink())) } else { Err(Error::Elsewhere(path.to_owned())) }
}

/// Rewrites a lock file's text in place. Not durable: it matters only while its writer lives.
pub(crate) fn rewrite_lock(mut file: &File, path: &Path, text: &str) -> Result<()> {
    step("write", path, || {
        file.set_len(0)?;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text.as_bytes())
    })
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn sync_folder(folder: &Path) -> Result<()> {
    step("sync the folder", folder, || File::open(folder)?.sync_all())
}

/// Makes durable all that was written to the file system of `path`. Write errors that nobody has seen
/// yet are reported here (Linux 5.8 and later).
fn sync_disk(path: &Path) -> Result<()> {
    step("sync the disk of", path, || Ok(rustix::fs::syncfs(File::open(path)?)?))
}

/// The temporary name of [`Pending::only`].
const ONLY: &str = ".unfinished-only";

/// A file that is new under its name; `None`: one is there.
fn new_file(path: &Path, mode: u32) -> Result<Option<File>> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true).mode(mode);
    step("write", path, || match options.open(path) {
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(None),
        other => other.map(Some),
    })
}

/// A file being written under a temporary name in the folder where it will stand. Dropped without
/// [`Pending::persist`], it is removed.
#[derive(Debug)]
pub struct Pending {
    file: Option<File>,
    temp: PathBuf,
    len: u64,
    done: bool,
}

impl Pending {
    /// A new file (mode 0644) in `folder`, which must exist.
    pub fn new(folder: &Path) -> Result<Self> {
        Self::with_mode(folder, 0o644)
    }

    /// A new file of the given mode, such as `0o444` for what is read-only from the start.
    pub fn with_mode(folder: &Path, mode: u32) -> Result<Self> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        loop {
            let n = NEXT.fetch_add(1, Ordering::Relaxed);
            let temp = folder.join(format!("{TEMP_PREFIX}{}-{n}", std::process::id()));
            // An older process of the same number left one: another is taken.
            if let Some(file) = new_file(&temp, mode)? {
                return Ok(Self { file: Some(file), temp, len: 0, done: false });
            }
        }
    }

    /// A new file (mode 0644) under one temporary name always, in a folder in which one hand alone writes: what a
    /// crash left of it is taken away by [`Pending::remove_only`], without listing the folder.
    pub fn only(folder: &Path) -> Result<Self> {
        loop {
            let temp = folder.join(ONLY);
            if let Some(file) = new_file(&temp, 0o644)? {
                return Ok(Self { file: Some(file), temp, len: 0, done: false });
            }
            remove(&temp)?;
        }
    }

    /// Takes away what a crash left of [`Pending::only`].
    pub fn remove_only(folder: &Path) -> Result<()> {
        remove(&folder.join(ONLY))
    }

    /// Writes at the end.
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        let Some(file) = &mut self.file else {
            let closed = io::Error::other("the file was closed");
            return Err(Error::disk("write", &self.temp, closed));
        };
        write_step(&self.temp, bytes, |part| file.write_all(part))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Lets go of the open file, of which a process may hold only so many. Nothing more can be
    /// appended; it can still be persisted.
    pub fn close(&mut self) {
        self.file = None;
    }

    /// Has the disk take what was written so far. A file of hundreds of megabytes that is flushed at once holds up
    /// whoever flushes a few bytes meanwhile; it is durable with [`Pending::persist`] alone.
    pub fn settle(&self) -> Result<()> {
        step("sync", &self.temp, || self.file.as_ref().map_or(Ok(()), File::sync_data))
    }

    fn sync(&self) -> Result<()> {
        step("sync", &self.temp, || match &self.file {
            Some(file) => file.sync_all(),
            None => File::open(&self.temp)?.sync_all(),
        })
    }

    /// Writes at the end, for [`io::copy`] and the like: errors name no path; prefer
    /// [`Pending::append`].
    pub fn writer(&mut self) -> impl Write + '_ {
        PendingWriter(self)
    }

    /// Bytes written so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True where nothing was written.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Its temporary path: for a library that insists on writing by itself. The caller calls
    /// nothing but `persist` afterwards.
    pub fn temp_path(&self) -> &Path {
        &self.temp
    }

    /// Makes the content durable, gives it its name (in the same folder), makes the name durable.
    pub fn persist(self, path: &Path, overwrite: Overwrite) -> Result<()> {
        self.sync()?;
        self.give_name(path, overwrite)?;
        sync_folder(folder_of(path))
    }

    fn give_name(mut self, path: &Path, overwrite: Overwrite) -> Result<()> {
        step("rename", path, || match overwrite {
            Overwrite::Replace => fs::rename(&self.temp, path),
            Overwrite::Never => rename_new(&self.temp, path),
        })
        .map_err(|e| match e {
            Error::Disk { source, .. }
                if overwrite == Overwrite::Never
                    && source.kind() == io::ErrorKind::AlreadyExists =>
            {
                Error::Exists(path.to_owned())
            }
            other => other,
        })?;
        self.done = true;
        Ok(())
    }
}

fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        Ok(()) => Ok(()),
        // A file system without that call: the writer's lock keeps others out in between.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            if to.symlink_metadata().is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        Err(e) => Err(e.into()),
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.done && !faults::stopped() {
            let _ = fs::remove_file(&self.temp); // a later sweep takes what this leaves
        }
    }
}

struct PendingWriter<'a>(&'a mut Pending);

impl Write for PendingWriter<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.append(bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(Error::Disk { source, .. }) => Err(source),
            Err(other) => Err(io::Error::other(other)),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A file that grows at its end. Its length is what was there at opening plus what was appended.
#[derive(Debug)]
pub struct Append {
    file: File,
    path: PathBuf,
    len: u64,
}

impl Append {
    /// Opens, or makes (durably), the file.
    pub fn open(path: &Path) -> Result<Self> {
        let there = path.exists();
        let file = open_own(path)?;
        if !there {
            sync_folder(folder_of(path))?;
        }
        let len = file.metadata().map_err(|e| Error::disk("look at", path, e))?.len();
        Ok(Self { file, path: path.to_owned(), len })
    }

    /// Writes at the end. Durable after [`Append::sync`].
    pub fn append(&mut self, bytes: &[u8]) -> Result<()> {
        step("seek in", &self.path, || self.file.seek(SeekFrom::Start(self.len)).map(|_| ()))?;
        write_step(&self.path, bytes, |part| self.file.write_all(part))?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    /// Makes what was appended durable.
    pub fn sync(&self) -> Result<()> {
        step("sync", &self.path, || self.file.sync_data())
    }

    /// Cuts the file to `len` bytes, durably.
    pub fn cut(&mut self, len: u64) -> Result<()> {
        step("cut", &self.path, || self.file.set_len(len))?;
        self.len = len;
        self.sync()
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// True where it is empty.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}

/// Sets a file's mode; for what an outside writer (SQLite, Parquet) made.
pub fn set_mode(path: &Path, mode: u32) -> Result<()> {
    step("set the mode of", path, || fs::set_permissions(path, fs::Permissions::from_mode(mode)))
}

fn step<T>(action: &'static str, path: &Path, run: impl FnOnce() -> io::Result<T>) -> Result<T> {
    faults::run(run).map_err(|source| Error::disk(action, path, source))
}

fn write_step(path: &Path, bytes: &[u8], run: impl FnMut(&[u8]) -> io::Result<()>) -> Result<()> {
    faults::run_write(bytes, run).map_err(|source| Error::disk("write", path, source))
}

#[path = "disk/batch.rs"]
mod batch;
mod hashed;
#[path = "disk/nameless.rs"]
pub mod nameless;
#[path = "disk/shred.rs"]
pub mod shred;

#[cfg(any(test, feature = "faults"))]
#[path = "disk/faults.rs"]
pub mod faults;
#[cfg(not(any(test, feature = "faults")))]
#[path = "disk/no_faults.rs"]
pub(crate) mod faults;

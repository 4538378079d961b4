//! A file for a while, without a name: whatever ends the process, no file is left. Closed, what was
//! written to it is overwritten first; after a crash the file system frees its blocks as they are.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::{Mode, OFlags, SeekFrom};

use super::{TEMP_PREFIX, step, write_step};
use crate::error::Result;

/// Zeros written at once.
const STEP: usize = 1 << 20;

/// How many bytes may still be written to the file system of a folder.
///
/// # Errors
/// The folder cannot be looked at.
pub fn free(folder: &Path) -> Result<u64> {
    step("look at", folder, || {
        let stat = rustix::fs::statvfs(folder)?;
        Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
    })
}

/// A file that has no name, holes where nothing was written.
#[derive(Debug)]
pub struct Nameless {
    file: File,
    folder: PathBuf,
}

impl Nameless {
    /// A file of `len` bytes on the file system of `folder`, all holes.
    ///
    /// # Errors
    /// The folder; the length.
    pub fn new(folder: &Path, len: u64) -> Result<Self> {
        let file = step("write to", folder, || {
            let flags = OFlags::RDWR | OFlags::TMPFILE | OFlags::CLOEXEC;
            match rustix::fs::open(folder, flags, Mode::RUSR | Mode::WUSR) {
                Ok(file) => Ok(File::from(file)),
                // A file system without that call: the name goes while the file is empty.
                Err(_) => named(folder),
            }
        })?;
        let made = Self { file, folder: folder.to_owned() };
        step("write to", folder, || made.file.set_len(len))?;
        Ok(made)
    }

    /// Writes at a place.
    ///
    /// # Errors
    /// The disk.
    pub fn write_at(&self, bytes: &[u8], at: u64) -> Result<()> {
        write_step(&self.folder, bytes, |part| self.file.write_all_at(part, at))
    }

    /// Where another process of the same user finds it, for as long as this is held.
    pub fn link(&self) -> PathBuf {
        PathBuf::from(format!("/proc/{}/fd/{}", std::process::id(), self.file.as_raw_fd()))
    }

    fn overwrite(&self) -> io::Result<()> {
        let (zeros, mut at) = (vec![0; STEP], 0);
        while let Ok(from) = rustix::fs::seek(&self.file, SeekFrom::Data(at)) {
            let to = rustix::fs::seek(&self.file, SeekFrom::Hole(from))?;
            at = from;
            while at < to {
                let now = usize::try_from(to - at).unwrap_or(STEP).min(STEP);
                self.file.write_all_at(&zeros[..now], at)?;
                at += now as u64;
            }
        }
        if at > 0 { self.file.sync_data() } else { Ok(()) }
    }
}

impl Drop for Nameless {
    fn drop(&mut self) {
        // Where the disk fails nothing more can be done, and the file is gone all the same.
        let _ = self.overwrite();
    }
}

fn named(folder: &Path) -> io::Result<File> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    loop {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let temp = folder.join(format!("{TEMP_PREFIX}nameless-{}-{n}", std::process::id()));
        let made =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&temp);
        match made {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
            Err(e) => return Err(e),
            Ok(file) => {
                fs::remove_file(&temp)?;
                return Ok(file);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> usize {
        fs::read_dir(folder).unwrap().count()
    }

    #[test]
    fn it_is_read_by_its_link_and_never_has_a_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = Nameless::new(folder.path(), 10 << 20).unwrap();
        file.write_at(b"seized", 5 << 20).unwrap();
        assert_eq!(names(folder.path()), 0);
        let read = fs::read(file.link()).unwrap();
        assert_eq!((read.len(), &read[5 << 20..][..6]), (10 << 20, &b"seized"[..]));
        let link = file.link();
        drop(file);
        assert!(!link.exists() || fs::read(link).map_or(0, |b| b.len()) != 10 << 20);
        let file = named(folder.path()).unwrap();
        assert_eq!((names(folder.path()), file.metadata().unwrap().len()), (0, 0));
    }

    #[test]
    fn what_was_written_is_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let file = Nameless::new(folder.path(), 3 << 20).unwrap();
        for at in [0, 70_000, 3 << 20] {
            file.write_at(&[7; 5000], at).unwrap();
        }
        // A second handle on the same bytes outlives it.
        let kept = File::open(file.link()).unwrap();
        drop(file);
        let mut left = vec![1; (3 << 20) + 5000];
        kept.read_exact_at(&mut left, 0).unwrap();
        assert!(left.iter().all(|b| *b == 0));
    }

    #[test]
    fn room_is_told() {
        assert!(free(Path::new("/")).unwrap() > 0);
        assert!(free(Path::new("/no/such/folder")).is_err());
    }
}

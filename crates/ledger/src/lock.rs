//! One writer at a time: an advisory lock on a file that names its holder.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};

use crate::disk;
use crate::error::{Error, Result};

/// What to do where another holds the lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Wait for it.
    Wait,
    /// Fail at once with [`Error::Held`], which says who.
    Fail,
}

/// The lock, held until dropped. A killed process holds nothing.
#[derive(Debug)]
pub struct Lock {
    file: File,
    path: PathBuf,
    /// True where its text, which is for people only, may be rewritten.
    alone: bool,
}

impl Lock {
    /// Takes the lock at `path`; `holder` says who takes it, what for and since when.
    ///
    /// # Errors
    /// Held by another ([`Wait::Fail`]), or the file cannot be opened.
    pub fn acquire(path: &Path, holder: &str, wait: Wait) -> Result<Self> {
        let (file, alone) = disk::open_lock(path)?;
        let operation = match wait {
            Wait::Wait => FlockOperation::LockExclusive,
            Wait::Fail => FlockOperation::NonBlockingLockExclusive,
        };
        loop {
            match flock(&file, operation) {
                Ok(()) => break,
                Err(rustix::io::Errno::INTR) => {}
                Err(rustix::io::Errno::WOULDBLOCK) => {
                    let holder = holder_of(path).unwrap_or_else(|| "another process".to_owned());
                    return Err(Error::Held { path: path.to_owned(), holder });
                }
                Err(e) => return Err(Error::disk("lock", path, e.into())),
            }
        }
        if alone {
            let text = format!("process {}, {holder}\n", std::process::id());
            disk::rewrite_lock(&file, path, &text)?;
        }
        Ok(Self { file, path: path.to_owned(), alone })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if self.alone {
            let _ = disk::rewrite_lock(&self.file, &self.path, "");
        }
    }
}

/// No writer is at work while this is held. Nothing is written to hold it.
#[derive(Debug)]
pub struct Quiet {
    _file: File,
}

impl Quiet {
    /// Holds writers of the lock at `path` off, as soon as none is at work and at most `most` later;
    /// else, and where there is no lock to hold, `None`.
    pub fn hold(path: &Path, most: Duration) -> Option<Self> {
        let file = crate::plain::open(path).ok()?;
        let begun = Instant::now();
        loop {
            match flock(&file, FlockOperation::NonBlockingLockShared) {
                Ok(()) => return Some(Self { _file: file }),
                Err(rustix::io::Errno::WOULDBLOCK) if begun.elapsed() < most => {
                    std::thread::sleep(PAUSE);
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(_) => return None,
            }
        }
    }
}

/// True while a writer holds the lock at `path`.
pub fn is_held(path: &Path) -> bool {
    crate::plain::open(path).is_ok_and(|file| {
        flock(&file, FlockOperation::NonBlockingLockShared) == Err(rustix::io::Errno::WOULDBLOCK)
    })
}

/// How long to wait before a lock is tried again.
const PAUSE: Duration = Duration::from_millis(5);

/// What the lock file says of its holder: a text for people, true only while the lock is held.
pub fn holder_of(path: &Path) -> Option<String> {
    let mut text = String::new();
    crate::plain::open(path).ok()?.take(1000).read_to_string(&mut text).ok()?;
    let line: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    (!line.is_empty()).then_some(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_learns_who_is_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::acquire(&path, "vigie open, since noon", Wait::Fail).unwrap();
        let second = Lock::acquire(&path, "vigie serve", Wait::Fail).unwrap_err();
        assert!(second.to_string().contains("vigie open, since noon"), "{second}");
        drop(first);
        assert_eq!(holder_of(&path), None);
        assert!(!is_held(&path) && !is_held(&dir.path().join("none")));
        let soon = Duration::from_millis(20);
        let quiet = Quiet::hold(&path, soon).unwrap();
        assert!(Lock::acquire(&path, "vigie serve", Wait::Fail).is_err());
        assert!(Quiet::hold(&path, soon).is_some(), "readers do not wait for one another");
        assert!(!is_held(&path), "none of them writes");
        drop(quiet);
        let writer = Lock::acquire(&path, "vigie serve", Wait::Fail).unwrap();
        assert!(Quiet::hold(&path, soon).is_none());
        assert!(is_held(&path));
        drop(writer);
        assert!(Quiet::hold(&dir.path().join("none"), soon).is_none());
        Lock::acquire(&path, "vigie serve", Wait::Fail).unwrap();
    }
}

//! The bytes of a sealed exhibit.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use model::ExhibitId;

use crate::case::exhibit_path;
use crate::error::{Error, Result};

/// A sealed exhibit's bytes, to be read from any place. `Send + Sync`.
#[derive(Debug)]
pub struct Bytes {
    file: File,
    size: u64,
}

/// Opens an exhibit's bytes; what was sealed where it lies may be a disk.
pub(crate) fn plain_or_disk(path: &Path, in_place: bool) -> std::io::Result<File> {
    if in_place { ledger::plain::open_in_place(path) } else { ledger::plain::open(path) }
}

impl Bytes {
    pub(crate) fn new(file: File, size: u64) -> Self {
        Self { file, size }
    }

    /// The bytes of an exhibit of the case in `dir`, without reading the log: for whoever knows the
    /// id, and where a sealing by reference left the bytes, from views of it.
    ///
    /// # Errors
    /// Its file is gone.
    pub fn open(dir: &Path, id: &ExhibitId, in_place: Option<&Path>) -> Result<Self> {
        let path = in_place.map_or_else(|| exhibit_path(dir, id), Path::to_owned);
        let open = || {
            let file = plain_or_disk(&path, in_place.is_some())?;
            Ok((file.metadata()?.len(), file))
        };
        match open() {
            Ok((size, file)) => Ok(Self { file, size }),
            Err(source) => Err(Error::Unreadable { id: *id, path, source }),
        }
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Where another process of the same user finds the bytes, for as long as this is held: a link of the
    /// kernel's to the open file, so that nothing is copied and nothing opened twice.
    pub fn link(&self) -> PathBuf {
        let (process, file) = (std::process::id(), self.file.as_raw_fd());
        PathBuf::from(format!("/proc/{process}/fd/{file}"))
    }

    /// Fills `buffer` from `start` on; fewer bytes only at the end. Moves no position.
    ///
    /// # Errors
    /// The disk.
    pub fn read_at(&self, buffer: &mut [u8], start: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.file.read_at(&mut buffer[filled..], start.saturating_add(filled as u64)) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(filled)
    }

    /// Bytes `start..end`, cut at the end of the exhibit.
    ///
    /// # Errors
    /// The disk.
    pub fn range(&self, start: u64, end: u64) -> io::Result<Vec<u8>> {
        let end = end.min(self.size);
        let mut out = vec![0; usize::try_from(end.saturating_sub(start)).unwrap_or(0)];
        let got = self.read_at(&mut out, start)?;
        out.truncate(got);
        Ok(out)
    }
}

impl Read for Bytes {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Bytes {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

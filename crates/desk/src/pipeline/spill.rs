//! Small records written one after the other, in memory while they are few, on disk beyond.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ledger::disk::Pending;
use sha2::{Digest, Sha256};

use crate::{Error, Result};

/// What stays in memory.
const IN_MEMORY: usize = 4 << 20;

/// Bytes in order, with their digest.
pub(crate) struct Spill {
    folder: PathBuf,
    memory: Vec<u8>,
    file: Option<Pending>,
    hash: Sha256,
    count: u64,
}

impl Spill {
    /// An empty one, whose file would be made in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            memory: Vec::new(),
            file: None,
            hash: Sha256::new(),
            count: 0,
        }
    }

    /// Adds `count` records.
    pub(crate) fn add(&mut self, bytes: &[u8], count: u64) -> Result<()> {
        self.count += count;
        self.memory.extend_from_slice(bytes);
        if self.memory.len() >= IN_MEMORY {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(Pending::new(&self.folder)?),
            };
            self.hash.update(&self.memory);
            file.append(&self.memory)?;
            self.memory.clear();
        }
        Ok(())
    }

    /// Records so far.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// The digest of all bytes so far.
    pub(crate) fn digest(&self) -> [u8; 32] {
        self.hash.clone().chain_update(&self.memory).finalize().into()
    }

    /// Reads all from the start.
    ///
    /// # Errors
    /// The disk.
    pub(crate) fn reader(&self) -> Result<impl Read + '_> {
        let file = match &self.file {
            Some(file) => {
                let path = file.temp_path();
                let read = |source| Error::Read { path: path.to_owned(), source };
                Some((File::open(path).map_err(read)?, file.len()))
            }
            None => None,
        };
        Ok(BufReader::with_capacity(1 << 18, SpillReader { memory: &self.memory, file, at: 0 }))
    }
}

struct SpillReader<'a> {
    memory: &'a [u8],
    file: Option<(File, u64)>,
    at: u64,
}

impl Read for SpillReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let on_disk = self.file.as_ref().map_or(0, |(_, len)| *len);
        let n = if self.at < on_disk {
            let want = buffer.len().min(usize::try_from(on_disk - self.at).unwrap_or(usize::MAX));
            match &self.file {
                Some((file, _)) => file.read_at(&mut buffer[..want], self.at)?,
                None => 0,
            }
        } else {
            let at = usize::try_from(self.at - on_disk).unwrap_or(usize::MAX);
            let rest = self.memory.get(at..).unwrap_or_default();
            let n = rest.len().min(buffer.len());
            buffer[..n].copy_from_slice(&rest[..n]);
            n
        };
        self.at += n as u64;
        Ok(n)
    }
}

/// Writes a number in LEB128.
pub(crate) fn put(out: &mut Vec<u8>, mut n: u64) {
    while n >= 0x80 {
        out.push(n as u8 | 0x80);
        n >>= 7;
    }
    out.push(n as u8);
}

/// Writes a text with its length.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

/// Reads what [`put`] and [`put_text`] wrote.
pub(crate) struct Taker<R> {
    reader: R,
}

impl<R: Read> Taker<R> {
    /// Over a reader.
    pub(crate) fn new(reader: R) -> Self {
        Self { reader }
    }

    /// A byte; `None` at the end.
    pub(crate) fn byte(&mut self) -> Result<Option<u8>> {
        let mut byte = [0];
        loop {
            return match self.reader.read(&mut byte) {
                Ok(0) => Ok(None),
                Ok(_) => Ok(Some(byte[0])),
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(source) => Err(Error::Read { path: "the work file".into(), source }),
            };
        }
    }

    /// A number; `None` at the end.
    pub(crate) fn number(&mut self) -> Result<Option<u64>> {
        let mut n = 0;
        for shift in (0..64).step_by(7) {
            let Some(byte) = self.byte()? else { return Ok(None) };
            n |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(Some(n));
            }
        }
        Ok(None)
    }

    /// A text into `out`; false at the end.
    pub(crate) fn text(&mut self, out: &mut String) -> Result<bool> {
        let Some(len) = self.number()? else { return Ok(false) };
        let mut bytes = std::mem::take(out).into_bytes();
        bytes.clear();
        bytes.resize(usize::try_from(len).unwrap_or(0), 0);
        self.reader
            .read_exact(&mut bytes)
            .map_err(|source| Error::Read { path: "the work file".into(), source })?;
        *out = String::from_utf8(bytes).unwrap_or_default();
        Ok(true)
    }
}

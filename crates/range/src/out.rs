//! The material's files: streamed into place through the one writer to disk, their sizes told to
//! who watches.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use ledger::disk::{self, Overwrite, Pending};

use crate::Error;

/// How much is gathered before a write.
const BUFFER: usize = 1 << 20;

/// Told after each piece with the bytes written so far, in all.
pub type Progress<'a> = &'a mut dyn FnMut(u64);

/// The folder being filled.
pub(crate) struct Out<'a> {
    root: PathBuf,
    written: u64,
    progress: Progress<'a>,
    batch: disk::Batch,
}

/// A file being written. Where it holds less than asked ([`File::cut_at`]), the rest is dropped.
pub(crate) struct File<'o, 'a> {
    out: &'o mut Out<'a>,
    pending: Option<Pending>,
    path: PathBuf,
    buffer: Vec<u8>,
    len: u64,
}

impl<'a> Out<'a> {
    pub(crate) fn new(root: &Path, progress: Progress<'a>) -> Result<Self, Error> {
        disk::create_dir(root)?;
        Ok(Self { root: root.to_owned(), written: 0, progress, batch: disk::Batch::new() })
    }

    /// A new file, in place of an older one of that name; folders are made.
    pub(crate) fn file(&mut self, name: &str) -> Result<File<'_, 'a>, Error> {
        let path = self.root.join(name);
        let folder = path.parent().unwrap_or(&self.root);
        disk::create_dir(folder)?;
        let pending = Some(Pending::new(folder)?);
        Ok(File { out: self, pending, path, buffer: Vec::with_capacity(BUFFER), len: 0 })
    }

    /// A small file at once.
    pub(crate) fn write(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let mut file = self.file(name)?;
        file.put(bytes)?;
        file.finish()
    }

    /// Makes all files durable and gives them their names.
    pub(crate) fn commit(&mut self) -> Result<(), Error> {
        Ok(std::mem::take(&mut self.batch).commit()?)
    }

    /// Bytes written so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }
}

impl File<'_, '_> {
    /// Writes at the end.
    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER {
            self.flush_buffer()?;
        }
        Ok(())
    }

    fn flush_buffer(&mut self) -> Result<(), Error> {
        if let Some(pending) = &mut self.pending {
            pending.append(&self.buffer)?;
        }
        self.len += self.buffer.len() as u64;
        self.out.written += self.buffer.len() as u64;
        self.buffer.clear();
        (self.out.progress)(self.out.written);
        Ok(())
    }

    /// Hands the whole file to the folder's batch.
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        self.flush_buffer()?;
        if let Some(pending) = self.pending.take() {
            self.out.batch.add(pending, std::mem::take(&mut self.path), Overwrite::Replace)?;
        }
        // Bounds the number of files kept open.
        if self.out.batch.len() >= 200 {
            self.out.commit()?;
        }
        Ok(())
    }
}

impl Write for File<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.put(bytes).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

//! A file while it is written: hashed as it goes, and stopped at its bound.

use std::io::{self, Write};
use std::path::Path;

use ledger::disk::Pending;
use model::Sha256Hex;
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::store::{MAX_FILE, Written};

/// Writes what `make` makes into an unfinished file.
pub(crate) fn fill(
    folder: &Path,
    make: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(Pending, Written), StoreError> {
    let mut pending = Pending::new(folder)?;
    let (made, written, over) = {
        let hashing = Hashing { hash: Sha256::new(), bytes: 0, over: false, out: pending.writer() };
        let mut out = io::BufWriter::with_capacity(64 << 10, hashing);
        let made = make(&mut out).and_then(|()| out.flush());
        let (hashing, _) = out.into_parts();
        let hash = Sha256Hex(hashing.hash.finalize().into());
        (made, Written { hash, bytes: hashing.bytes }, hashing.over)
    };
    if over {
        return Err(StoreError::TooLong);
    }
    made.map_err(StoreError::Content)?;
    Ok((pending, written))
}

/// Hashes what goes through, and stops at the bound.
struct Hashing<W> {
    hash: Sha256,
    bytes: u64,
    over: bool,
    out: W,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.saturating_add(part.len() as u64) > MAX_FILE {
            self.over = true;
            return Err(io::Error::other("the file would be too long"));
        }
        let taken = self.out.write(part)?;
        self.hash.update(part.get(..taken).unwrap_or(part));
        self.bytes += taken as u64;
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

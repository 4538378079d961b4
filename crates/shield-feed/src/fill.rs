//! A file while it is written: hashed as it goes, and stopped at its bound.

use std::io::{self, Write};
use std::path::Path;

use ledger::disk::Pending;
use model::Sha256Hex;
use sha2::{Digest, Sha256};

use crate::error::StoreError;
use crate::store::{MAX_FILE, Written};

/// What is written is made durable after each so many bytes: who else makes anything durable on the same disk,
/// the log of acts first of all, waits for no more than that.
const STEADY: u64 = 8 << 20;

/// Writes what `make` makes into an unfinished file, durably.
pub(crate) fn fill(
    folder: &Path,
    make: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(Pending, Written), StoreError> {
    let mut pending = Pending::new(folder)?;
    let (made, written, over) = {
        let out = &mut pending;
        let hashing = Hashing { hash: Sha256::new(), bytes: 0, over: false, synced: 0, out };
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
    pending.settle()?;
    Ok((pending, written))
}

/// Hashes what goes through, and stops at the bound.
struct Hashing<'a> {
    hash: Sha256,
    bytes: u64,
    over: bool,
    /// How many of the bytes are durable.
    synced: u64,
    out: &'a mut Pending,
}

impl Write for Hashing<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.saturating_add(part.len() as u64) > MAX_FILE {
            self.over = true;
            return Err(io::Error::other("the file would be too long"));
        }
        self.out.append(part).map_err(io::Error::other)?;
        self.hash.update(part);
        self.bytes += part.len() as u64;
        if self.bytes - self.synced >= STEADY {
            self.out.settle().map_err(io::Error::other)?;
            self.synced = self.bytes;
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

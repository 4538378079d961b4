//! A pending file that is hashed as it is written.

use std::io::{self, Write};

use model::Sha256Hex;
use sha2::{Digest, Sha256};

use super::Pending;

/// What is written is made durable after each so many bytes: who else makes anything durable on the same disk, the
/// log of acts first of all, waits for no more than that.
const STEADY: u64 = 8 << 20;

/// Writes into a pending file: hashes what goes through, has the disk take it steadily, and stops at a bound.
#[derive(Debug)]
pub struct Hashed<'a> {
    out: &'a mut Pending,
    hash: Sha256,
    bytes: u64,
    settled: u64,
    most: u64,
    over: bool,
}

impl<'a> Hashed<'a> {
    /// Into a file that nothing was written to yet; of more than `most` bytes nothing is written.
    pub fn new(out: &'a mut Pending, most: u64) -> Self {
        Self { out, hash: Sha256::new(), bytes: 0, settled: 0, most, over: false }
    }

    /// True where more was to be written than may be: writing failed for that.
    pub fn is_over(&self) -> bool {
        self.over
    }

    /// The SHA-256 of what was written, and how many bytes that is.
    pub fn end(self) -> (Sha256Hex, u64) {
        (Sha256Hex(self.hash.finalize().into()), self.bytes)
    }
}

impl Write for Hashed<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if self.bytes.saturating_add(part.len() as u64) > self.most {
            self.over = true;
            return Err(io::Error::other("the file would be too long"));
        }
        self.out.append(part).map_err(io::Error::other)?;
        self.hash.update(part);
        self.bytes += part.len() as u64;
        if self.bytes - self.settled >= STEADY {
            self.out.settle().map_err(io::Error::other)?;
            self.settled = self.bytes;
        }
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Overwrite;

    #[test]
    fn what_goes_through_is_hashed_and_stops_at_its_bound() {
        let dir = tempfile::tempdir().unwrap();
        let mut pending = Pending::new(dir.path()).unwrap();
        let mut hashed = Hashed::new(&mut pending, 7);
        hashed.write_all(b"abc").unwrap();
        hashed.write_all(b"defg").unwrap();
        assert!(!hashed.is_over());
        assert!(hashed.write_all(b"h").is_err() && hashed.is_over());
        assert_eq!(hashed.end(), (Sha256Hex::of(b"abcdefg"), 7));
        let path = dir.path().join("file");
        pending.persist(&path, Overwrite::Never).unwrap();
        assert_eq!(std::fs::read(path).unwrap(), b"abcdefg");
    }
}

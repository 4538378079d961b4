//! The file's own bytes: buffered, with some of what was read kept, so that after damage the search
//! for the next gzip member can begin where the damaged one did.

use std::io::{self, BufRead, ErrorKind, Read};

/// How gzip (RFC 1952) with deflate begins.
pub(super) const GZIP: [u8; 3] = [0x1f, 0x8b, 8];

const CAPACITY: usize = 192 << 10;
/// How much of what was read is kept.
const HISTORY: usize = 64 << 10;

pub(super) struct Raw<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Where in the file the buffer begins.
    base: u64,
    /// Why the medium gave no more.
    pub(super) medium: Option<String>,
}

impl<R: Read> Raw<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, buffer: vec![0; CAPACITY], at: 0, end: 0, base: 0, medium: None }
    }

    /// Which byte of the file comes next.
    pub(super) fn position(&self) -> u64 {
        self.base + self.at as u64
    }

    /// Goes back, as far as what was read is kept.
    pub(super) fn back_to(&mut self, position: u64) {
        let at = position.saturating_sub(self.base).min(self.at as u64);
        self.at = usize::try_from(at).unwrap_or(self.at);
    }

    /// At least `want` bytes where the file has them; at most [`HISTORY`] may be wanted.
    pub(super) fn peek(&mut self, want: usize) -> &[u8] {
        while self.end - self.at < want && self.more() > 0 {}
        &self.buffer[self.at..self.end]
    }

    /// Reads on behind what is buffered. 0 at the end, and where the medium gave up.
    fn more(&mut self) -> usize {
        if self.medium.is_some() {
            return 0;
        }
        if self.end == self.buffer.len() {
            let from = self.at.saturating_sub(HISTORY);
            self.buffer.copy_within(from..self.end, 0);
            (self.at, self.end, self.base) =
                (self.at - from, self.end - from, self.base + from as u64);
        }
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(n) => {
                    let n = n.min(self.buffer.len() - self.end);
                    self.end += n;
                    return n;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => {
                    self.medium = Some(e.to_string());
                    return 0;
                }
            }
        }
    }

    /// Goes to the next place where gzip can begin. False where there is none.
    pub(super) fn seek_gzip(&mut self) -> bool {
        loop {
            let bytes = self.peek(4096);
            // Three bits of the flags must be zero: that spares most vain attempts.
            let begins = |w: &[u8]| w.starts_with(&GZIP) && w[3] & 0xe0 == 0;
            if let Some(found) = bytes.windows(4).position(begins) {
                self.at += found;
                return true;
            }
            let n = bytes.len();
            if n < 4096 {
                self.at = self.end;
                return false;
            }
            self.at += n - 3;
        }
    }
}

impl<R: Read> Read for Raw<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.fill_buf()?;
        let n = bytes.len().min(buffer.len());
        buffer[..n].copy_from_slice(&bytes[..n]);
        self.consume(n);
        Ok(n)
    }
}

impl<R: Read> BufRead for Raw<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        Ok(self.peek(1))
    }

    fn consume(&mut self, n: usize) {
        self.at = (self.at + n).min(self.end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_goes_back_as_far_as_it_keeps() {
        let bytes: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
        let mut raw = Raw::new(bytes.as_slice());
        let mut seen = 0usize;
        while let n @ 1.. = raw.peek(1).len() {
            assert_eq!(raw.peek(1)[0], bytes[seen]);
            raw.consume(n);
            seen += n;
            assert_eq!(raw.position(), seen as u64);
            let back = seen.saturating_sub(HISTORY);
            raw.back_to(back as u64);
            assert_eq!((raw.position(), raw.peek(1)[0]), (back as u64, bytes[back]));
            raw.consume(seen - back);
        }
        assert_eq!(seen, bytes.len());
        raw.back_to(0);
        assert!(raw.position() > 0, "what is gone is gone");
    }

    #[test]
    fn gzip_is_found_across_buffers() {
        for at in [0usize, 1, 4093, 4094, 4095, 4096, 200_000] {
            let mut bytes = vec![0x1f; at];
            bytes.extend_from_slice(&[0x1f, 0x8b, 8, 0, 9]);
            let mut raw = Raw::new(bytes.as_slice());
            assert!(raw.seek_gzip(), "{at}");
            assert_eq!(raw.position(), at as u64);
        }
        assert!(!Raw::new([0x1f, 0x8b, 8, 0xff].as_slice()).seek_gzip());
    }
}

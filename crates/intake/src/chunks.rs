//! A window that slides over an exhibit's bytes.

use std::io::{self, Read};

/// How much one refill reads.
const STEP: usize = 256 * 1024;

/// How much the first reads: many exhibits are no longer, and a window is cleared before it is read.
const FIRST: usize = 8 * 1024;

/// A window over a stream of bytes, with the offset of its first byte. Memory is bounded by the
/// caller's own [`Chunks::more`] calls and the bound given to [`Chunks::with_bound`].
pub struct Chunks<'a> {
    source: &'a mut dyn Read,
    buffer: Vec<u8>,
    start: usize,
    offset: u64,
    ended: bool,
    bound: usize,
    step: usize,
    error: Option<io::Error>,
}

impl<'a> Chunks<'a> {
    /// A window that may grow to 64 MiB.
    pub fn new(source: &'a mut dyn Read) -> Self {
        Self::with_bound(source, 64 << 20)
    }

    /// A window that may grow to `bound` bytes.
    pub fn with_bound(source: &'a mut dyn Read, bound: usize) -> Self {
        Self {
            source,
            buffer: Vec::new(),
            start: 0,
            offset: 0,
            ended: false,
            bound,
            step: STEP,
            error: None,
        }
    }

    /// As [`Chunks::new`], reading about `step` bytes at a time: for tests of parsers, whose results
    /// must not depend on where the window ends.
    pub fn in_steps(source: &'a mut dyn Read, step: usize) -> Self {
        Self { step: step.max(1), ..Self::new(source) }
    }

    /// The bytes at hand. Empty only at the end of the exhibit: an empty window is refilled first.
    pub fn window(&mut self) -> &[u8] {
        if self.start == self.buffer.len() && !self.ended {
            self.more();
        }
        &self.buffer[self.start..]
    }

    /// Widens the window by reading on. False at the end of the exhibit, or where the window is at
    /// its bound ([`Chunks::at_bound`] tells which).
    pub fn more(&mut self) -> bool {
        if self.ended || self.at_bound() {
            return false;
        }
        if self.start > 0 && (self.start >= self.step || self.start == self.buffer.len()) {
            self.buffer.drain(..self.start);
            self.start = 0;
        }
        let old = self.buffer.len();
        // Doubling keeps the cost of widening for one long record linear.
        let first = if old == 0 && self.offset == 0 { FIRST } else { self.step };
        let step = self.step.min(first).max(old - self.start);
        let step = step.min(self.bound.saturating_sub(old - self.start));
        self.buffer.resize(old + step, 0);
        let mut filled = old;
        while filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(n) => filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => {
                    self.error = Some(e);
                    self.ended = true;
                    break;
                }
            }
        }
        self.buffer.truncate(filled);
        filled > old
    }

    /// Reads on until the window holds `n` bytes, the exhibit ends, or the bound is reached.
    /// Returns the window, which may be shorter or longer than `n`.
    pub fn fill(&mut self, n: usize) -> &[u8] {
        while self.buffer.len() - self.start < n && self.more() {}
        &self.buffer[self.start..]
    }

    /// The whole rest of the exhibit, or `None` if it does not fit the bound.
    pub fn rest(&mut self) -> Option<&[u8]> {
        while self.more() {}
        if self.ended { Some(&self.buffer[self.start..]) } else { None }
    }

    /// True if the window cannot grow although the exhibit may go on.
    pub fn at_bound(&self) -> bool {
        !self.ended && self.buffer.len() - self.start >= self.bound
    }

    /// True once the source has ended (the window may still hold bytes).
    pub fn ended(&self) -> bool {
        self.ended
    }

    /// Moves the window's start on by `n` bytes of what it holds.
    pub fn consume(&mut self, n: usize) {
        assert!(n <= self.buffer.len() - self.start, "consumed past the window");
        self.start += n;
        self.offset += n as u64;
    }

    /// The offset in the exhibit of the window's first byte.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Skips to the end and returns how many bytes were skipped.
    pub fn drain(&mut self) -> u64 {
        let from = self.offset;
        loop {
            let n = self.window().len();
            if n == 0 {
                return self.offset - from;
            }
            self.consume(n);
        }
    }

    /// The error that ended the source early, if one did. The shell reports it; a parser sees an
    /// exhibit that ends.
    pub fn take_error(&mut self) -> Option<io::Error> {
        self.error.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_slides_and_keeps_its_bound() {
        let bytes: Vec<u8> = (0..1_000_000u32).map(|i| (i % 251) as u8).collect();
        let mut source = bytes.as_slice();
        let mut chunks = Chunks::with_bound(&mut source, 300_000);
        let mut seen = Vec::new();
        loop {
            let window = chunks.fill(300_000);
            assert!(window.len() <= 300_000);
            let take = window.len().min(70_001);
            if take == 0 {
                break;
            }
            seen.extend_from_slice(&window[..take]);
            chunks.consume(take);
            assert_eq!(chunks.offset(), seen.len() as u64);
        }
        assert_eq!(seen, bytes);
    }

    #[test]
    fn a_rest_beyond_the_bound_is_refused() {
        let bytes = [7u8; 1000];
        let mut source = bytes.as_slice();
        let mut chunks = Chunks::with_bound(&mut source, 999);
        assert!(chunks.rest().is_none());
        let mut source = bytes.as_slice();
        assert_eq!(Chunks::with_bound(&mut source, 1001).rest().map(<[u8]>::len), Some(1000));
    }
}

//! A member's content, with the way back: which bytes of the file a piece of it was unpacked from.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};

use flate2::{Crc, Decompress, FlushDecompress, Status};

use super::zip::Member;

/// An unpacker holds back at most the eight bytes of its bit buffer.
const HELD_BACK: u64 = 8;
/// Beyond this much content, a member that packs better than 500 to 1 is a bomb.
const BOMB_FROM: u64 = 32 << 20;
const BOMB_RATIO: u64 = 500;

/// How the reading of a member ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Not yet, or as it should.
    Good,
    /// The file ends inside the member.
    Cut,
    /// The packed bytes are broken.
    Broken,
    /// The content is not what the checksum says.
    Checksum,
    /// More content than is read.
    Bound,
}

/// Where content stands in the file.
#[derive(Debug)]
pub(super) struct Places {
    /// Content offset → offset in the file, ascending, a step for every few packed bytes.
    steps: RefCell<Vec<(u64, u64)>>,
    start: u64,
    end: u64,
    stored: bool,
    pub(super) ended: Cell<End>,
}

impl Places {
    pub(super) fn new(member: &Member) -> Self {
        Self {
            steps: RefCell::new(Vec::new()),
            start: member.start as u64,
            end: member.end as u64,
            stored: !member.deflated,
            ended: Cell::new(End::Good),
        }
    }

    /// The bytes of the file that content `from..to` was unpacked from. Exact for stored members;
    /// of deflated ones the least run of whole steps that holds it.
    pub(super) fn span(&self, from: u64, to: u64) -> (u64, u64) {
        if self.stored {
            return ((self.start + from).min(self.end), (self.start + to).min(self.end));
        }
        let steps = self.steps.borrow();
        let before = steps.partition_point(|(out, _)| *out <= from);
        let behind = steps.partition_point(|(out, _)| *out < to);
        let start = match before.checked_sub(1).and_then(|i| steps.get(i)) {
            Some((_, at)) => at.saturating_sub(HELD_BACK).max(self.start),
            None => self.start,
        };
        let end = steps.get(behind).map_or(self.end, |(_, at)| *at);
        (start, end.max(start + 1).min(self.end))
    }
}

/// Unpacks a member.
pub(super) struct Content<'a> {
    bytes: &'a [u8],
    at: usize,
    base: u64,
    state: Option<Decompress>,
    total: u64,
    piece: usize,
    crc: Crc,
    expected: u32,
    /// The file ends where the member does: it may be cut.
    cut: bool,
    places: &'a Places,
}

impl<'a> Content<'a> {
    pub(super) fn new(file: &'a [u8], member: &Member, places: &'a Places) -> Self {
        let bytes = &file[member.start..member.end];
        Self {
            bytes,
            at: 0,
            base: member.start as u64,
            state: member.deflated.then(|| Decompress::new(false)),
            total: 0,
            // At most a million steps a member.
            piece: 16.max(bytes.len() >> 20),
            crc: Crc::new(),
            expected: member.crc,
            cut: member.end == file.len(),
            places,
        }
    }

    fn stop(&self, end: End) -> usize {
        self.places.ended.set(end);
        0
    }

    fn done(&self) -> usize {
        match self.expected {
            0 => 0,
            expected if expected != self.crc.sum() => {
                self.stop(if self.cut { End::Cut } else { End::Checksum })
            }
            _ => 0,
        }
    }

    fn next(&mut self, to: &mut [u8]) -> usize {
        if self.places.ended.get() != End::Good {
            return 0;
        }
        let bomb = self.total > BOMB_FROM && self.total / BOMB_RATIO > self.at as u64;
        if self.total >= super::MAX_MEMBER || bomb {
            return self.stop(End::Bound);
        }
        let Some(state) = &mut self.state else {
            let n = to.len().min(self.bytes.len() - self.at);
            to[..n].copy_from_slice(&self.bytes[self.at..self.at + n]);
            self.at += n;
            self.total += n as u64;
            self.crc.update(&to[..n]);
            return if n == 0 && !to.is_empty() { self.done() } else { n };
        };
        loop {
            let input = &self.bytes[self.at..(self.at + self.piece).min(self.bytes.len())];
            let (before_in, before_out) = (state.total_in(), state.total_out());
            let status = state.decompress(input, to, FlushDecompress::None);
            let taken = usize::try_from(state.total_in() - before_in).unwrap_or(0);
            let given = usize::try_from(state.total_out() - before_out).unwrap_or(0);
            self.places.steps.borrow_mut().push((self.total, self.base + self.at as u64));
            self.at += taken;
            self.total += given as u64;
            self.crc.update(&to[..given]);
            match status {
                Err(_) if given == 0 => return self.stop(End::Broken),
                Ok(Status::StreamEnd) if given == 0 => return self.done(),
                _ if given > 0 => return given,
                _ if taken == 0 && self.at >= self.bytes.len() => {
                    return self.stop(if self.cut { End::Cut } else { End::Broken });
                }
                _ if taken == 0 => return self.stop(End::Broken),
                _ => {}
            }
        }
    }
}

impl Read for Content<'_> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if to.is_empty() {
            return Ok(0);
        }
        Ok(self.next(to))
    }
}

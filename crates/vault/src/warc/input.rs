//! The stream of records' bytes: the file's own, or what its gzip members hold, one after another,
//! with the places where members begin and where the stream is broken.

use std::collections::VecDeque;
use std::io::{BufRead, ErrorKind, Read};

use flate2::bufread::GzDecoder;
use model::ProblemKind;

use super::raw::{GZIP, Raw};
use crate::unpack::guard;

/// How much is read at once.
const STEP: usize = 32 << 10;

/// After this many damaged members the search no longer begins at the damaged member's own beginning,
/// but where its damage showed: bytes are not read again and again.
const MAX_BACKS: u32 = 1000;

/// Where a gzip member begins: in the stream, and in the file.
#[derive(Debug, Clone, Copy)]
struct Edge {
    pos: u64,
    raw: u64,
}

/// Why the stream does not go on.
#[derive(Debug)]
pub(super) struct Break {
    pub(super) kind: ProblemKind,
    pub(super) message: String,
    /// True where something follows that may be read.
    passable: bool,
}

enum Stage<R> {
    Plain(Raw<R>),
    Member(Box<GzDecoder<Raw<R>>>),
    /// Before a gzip member, or the end.
    Between(Raw<R>),
    Done(u64),
}

pub(super) struct Input<R> {
    stage: Stage<R>,
    pub(super) gzip: bool,
    window: Vec<u8>,
    /// How much of the window is consumed.
    at: usize,
    /// Which byte of the stream comes next.
    pub(super) pos: u64,
    /// The member that `pos` stands in, and those begun after it.
    edges: VecDeque<Edge>,
    /// Members that were begun by [`Input::consume`].
    pub(super) crossed: u64,
    broken: Option<Break>,
    /// The last byte consumed.
    pub(super) previous: Option<u8>,
    backs: u32,
    /// Bytes that came out of gzip, and how many may.
    pub(super) unpacked: u64,
    most: u64,
}

impl<R: Read> Input<R> {
    pub(super) fn new(source: R, most: u64) -> Self {
        let mut raw = Raw::new(source);
        let gzip = raw.peek(3).starts_with(&GZIP);
        Self {
            stage: if gzip { Stage::Between(raw) } else { Stage::Plain(raw) },
            gzip,
            window: Vec::new(),
            at: 0,
            pos: 0,
            edges: VecDeque::new(),
            crossed: 0,
            broken: None,
            previous: None,
            backs: 0,
            unpacked: 0,
            most,
        }
    }

    /// What comes next: at least `want` bytes, unless the stream ends or breaks before.
    pub(super) fn fill(&mut self, want: usize) -> &[u8] {
        if self.at > STEP.max(self.window.len() / 2) {
            self.window.drain(..self.at);
            self.at = 0;
        }
        while self.window.len() - self.at < want && self.broken.is_none() && self.refill() {}
        self.window()
    }

    pub(super) fn window(&self) -> &[u8] {
        &self.window[self.at..]
    }

    pub(super) fn consume(&mut self, n: usize) {
        let n = n.min(self.window.len() - self.at);
        if n > 0 {
            self.previous = Some(self.window[self.at + n - 1]);
        }
        self.at += n;
        self.pos += n as u64;
        while self.edges.get(1).is_some_and(|e| e.pos < self.pos) {
            self.edges.pop_front();
            self.crossed += 1;
        }
        if self.at == self.window.len() {
            self.window.clear();
            self.at = 0;
        }
    }

    /// Stands at a record's beginning: a member that begins here is the one it stands in.
    pub(super) fn settle(&mut self) {
        while self.edges.get(1).is_some_and(|e| e.pos <= self.pos) {
            self.edges.pop_front();
        }
    }

    /// Whether a gzip member begins at the next byte.
    pub(super) fn at_edge(&self) -> bool {
        self.edges.iter().any(|e| e.pos == self.pos)
    }

    /// Where in the window gzip members begin, behind its first byte.
    pub(super) fn edges_ahead(&self) -> impl Iterator<Item = usize> {
        let ahead = self.edges.iter().map(|e| e.pos.saturating_sub(self.pos));
        ahead.filter(|n| *n > 0).filter_map(|n| usize::try_from(n).ok())
    }

    /// Which byte of the file one of the stream, not yet passed, came from: its own, or where its
    /// gzip member begins.
    pub(super) fn place(&self, pos: u64) -> u64 {
        if !self.gzip {
            return pos;
        }
        self.edges.iter().rev().find(|e| e.pos <= pos).map_or(0, |e| e.raw)
    }

    /// One past the file's bytes that were needed for what was consumed.
    pub(super) fn end_place(&self) -> u64 {
        if !self.gzip {
            return self.pos;
        }
        let next = self.edges.iter().skip(1).find(|e| e.pos >= self.pos);
        next.map_or_else(|| self.raw_position(), |e| e.raw)
    }

    fn raw_position(&self) -> u64 {
        match &self.stage {
            Stage::Plain(raw) | Stage::Between(raw) => raw.position(),
            Stage::Member(decoder) => decoder.get_ref().position(),
            Stage::Done(at) => *at,
        }
    }

    fn end(&mut self, kind: ProblemKind, message: String) {
        let at = self.raw_position();
        self.broken = Some(Break { kind, message, passable: false });
        self.stage = Stage::Done(at);
    }

    /// Takes more into the window. False where there is no more for now.
    fn refill(&mut self) -> bool {
        match std::mem::replace(&mut self.stage, Stage::Done(0)) {
            Stage::Plain(mut raw) => {
                let bytes = raw.peek(1);
                let n = bytes.len().min(STEP);
                self.window.extend_from_slice(&bytes[..n]);
                raw.consume(n);
                let medium = raw.medium.clone().filter(|_| n == 0);
                self.stage = Stage::Plain(raw);
                if let Some(message) = medium {
                    self.end(ProblemKind::Medium, message);
                }
                n > 0
            }
            Stage::Between(mut raw) => {
                let head = raw.peek(3);
                if head.is_empty() {
                    let (at, medium) = (raw.position(), raw.medium.clone());
                    self.stage = Stage::Done(at);
                    if let Some(message) = medium {
                        self.end(ProblemKind::Medium, message);
                    }
                    return false;
                }
                if !head.starts_with(&GZIP) {
                    let message = "no gzip member begins here".to_owned();
                    let kind = ProblemKind::Syntax;
                    self.broken = Some(Break { kind, message, passable: true });
                    self.stage = Stage::Between(raw);
                    return false;
                }
                let edge = Edge { pos: self.pos + self.window().len() as u64, raw: raw.position() };
                // A member that held nothing leaves no trace: edges stay fewer than bytes.
                self.edges.pop_back_if(|e| e.pos == edge.pos);
                self.edges.push_back(edge);
                self.stage = Stage::Member(Box::new(GzDecoder::new(raw)));
                true
            }
            Stage::Member(decoder) => self.unpack(decoder),
            done @ Stage::Done(_) => {
                self.stage = done;
                false
            }
        }
    }

    fn unpack(&mut self, mut decoder: Box<GzDecoder<Raw<R>>>) -> bool {
        let old = self.window.len();
        self.window.resize(old + STEP, 0);
        let read = guard(|| decoder.read(&mut self.window[old..]));
        self.window.truncate(old + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => {
                self.stage = Stage::Between(decoder.into_inner());
                true
            }
            Ok(n) => {
                self.stage = Stage::Member(decoder);
                self.unpacked += n as u64;
                if self.unpacked > self.most {
                    let message =
                        format!("more than {} bytes unpacked: the rest is not", self.most);
                    self.end(ProblemKind::Bound, message);
                }
                true
            }
            Err(e) if e.kind() == ErrorKind::Interrupted => {
                self.stage = Stage::Member(decoder);
                true
            }
            Err(e) => {
                let raw = decoder.into_inner();
                let medium = raw.medium.clone();
                self.stage = Stage::Between(raw);
                if let Some(message) = medium {
                    self.end(ProblemKind::Medium, message);
                    return false;
                }
                let (kind, message) = if e.kind() == ErrorKind::UnexpectedEof {
                    (ProblemKind::Truncated, "the gzip member is cut".to_owned())
                } else {
                    (ProblemKind::Integrity, format!("the gzip member is damaged: {e}"))
                };
                self.broken = Some(Break { kind, message, passable: true });
                false
            }
        }
    }

    /// Takes a break away and goes to where gzip can begin again. Gives the break, and the file's
    /// bytes that it cost.
    pub(super) fn pass(&mut self) -> Option<(Break, u64, u64)> {
        if self.at < self.window.len() {
            return None;
        }
        let broken = self.broken.take()?;
        let mut from = self.raw_position();
        if let Stage::Between(raw) = &mut self.stage {
            if broken.kind != ProblemKind::Syntax {
                let member = self.edges.back().map_or(from, |e| e.raw);
                from = member;
                if self.backs < MAX_BACKS {
                    self.backs += 1;
                    raw.back_to(member + 1);
                }
            }
            if broken.passable {
                raw.seek_gzip();
            }
        }
        let to = self.raw_position();
        Some((broken, from, to))
    }
}

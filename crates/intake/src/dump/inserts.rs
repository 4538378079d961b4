//! INSERTs within the pass over a dump: heads, pieces of whole tuples, damage.

use std::sync::Arc;

use model::{ColumnType, ProblemKind};

use super::create;
use super::driver::{Driver, Target};
use super::insert::{self, Insert};
use super::piece::{Piece, ends_tuples, next_tuple};
use super::rows;
use super::scan::Stop;
use super::value::field;
use crate::panel;

/// About how many bytes of tuples go to one job.
const PIECE: usize = 1 << 20;
/// The longest tuple.
const MAX_TUPLE: usize = 64 << 20;
/// How many bytes behind a bracket decide whether tuples go on there.
const TAIL: usize = 32;

impl Driver<'_, '_, '_> {
    /// An INSERT or REPLACE.
    pub(super) fn insert(&mut self) {
        let mut target = None;
        loop {
            let limit = PIECE.saturating_sub(self.buf.len());
            let stop = self.step(limit, true);
            match stop {
                None | Some(Stop::End) => {
                    let whole = stop.is_some();
                    if whole {
                        let n = self.buf.len().saturating_sub(self.scanner.delimiter_len());
                        self.buf.truncate(n);
                        self.closed = n;
                    }
                    let end = self.chunks.offset();
                    if self.give(&mut target) == Given::Not {
                        let at = self.start;
                        let (kind, message) = if whole {
                            (
                                ProblemKind::Unsupported,
                                "an INSERT of another form than VALUES is not read",
                            )
                        } else {
                            (ProblemKind::Truncated, "the dump ends inside a statement")
                        };
                        self.problem(at, end, kind, message, true);
                    } else if !whole {
                        self.cut(end);
                    }
                    return;
                }
                Some(Stop::Close) => {
                    if self.give(&mut target) == Given::Not {
                        self.skip(
                            "an INSERT of another form than VALUES is not read",
                            ProblemKind::Unsupported,
                        );
                        return;
                    }
                    self.scanner.body = target.is_some();
                }
                Some(Stop::Tail) => {
                    self.give(&mut target);
                    self.rest();
                    return;
                }
                Some(Stop::Damage) => {
                    if ends_tuples(self.buf[self.closed..].trim_ascii_start()) {
                        self.give(&mut target);
                        self.rest();
                        return;
                    }
                    if self.give(&mut target) == Given::Not || target.is_none() {
                        self.skip(
                            "an INSERT that is damaged, or of another form than VALUES",
                            ProblemKind::Syntax,
                        );
                        return;
                    }
                    if !self.recover() {
                        return;
                    }
                }
                Some(Stop::More) => {
                    if self.buf.len() - self.closed > MAX_TUPLE && !self.too_long(&mut target) {
                        return;
                    }
                }
            }
        }
    }

    /// What is left of an INSERT that the dump ends in.
    fn cut(&mut self, end: u64) {
        let rest = &self.buf[self.closed.min(self.buf.len())..];
        let blank = rest.iter().all(|b| b.is_ascii_whitespace() || *b == b',');
        let from = self.start + self.closed.min(self.buf.len()) as u64;
        let message = "the dump ends inside an INSERT: its whole tuples are read";
        self.problem(from, end, ProblemKind::Truncated, message, !blank);
    }

    /// Skips what follows the tuples, to the statement's end.
    fn rest(&mut self) {
        self.scanner.begin(false, self.mode.backslash);
        loop {
            match self.step(usize::MAX, false) {
                None => {
                    let end = self.chunks.offset();
                    let message = "the dump ends behind the tuples of an INSERT";
                    self.problem(end, end, ProblemKind::Truncated, message, false);
                    return;
                }
                Some(Stop::End) => return,
                Some(_) => {}
            }
        }
    }

    /// Loses the statement under way up to its end.
    fn skip(&mut self, message: &str, kind: ProblemKind) {
        let from = self.start;
        self.scanner.begin(false, self.mode.backslash);
        loop {
            match self.step(usize::MAX, false) {
                None | Some(Stop::End) => break,
                Some(_) => {}
            }
        }
        let end = self.chunks.offset();
        self.problem(from, end, kind, message, true);
    }

    /// A tuple beyond the bound: it is skipped to its end. False if the statement ends with it.
    fn too_long(&mut self, target: &mut Option<Target>) -> bool {
        if self.give(target) == Given::Not {
            self.skip(
                "an INSERT of another form than VALUES is not read",
                ProblemKind::Unsupported,
            );
            return false;
        }
        let from = self.start;
        self.buf = Vec::new();
        let stop = loop {
            match self.step(0, false) {
                Some(Stop::More) => {}
                other => break other,
            }
        };
        let end = self.chunks.offset();
        let upto = if stop == Some(Stop::End) { end - 1 } else { end };
        self.problem(from, upto, ProblemKind::Bound, "a tuple beyond 64 MiB is not read", true);
        self.start = end;
        self.closed = 0;
        match stop {
            Some(Stop::Close) => true,
            Some(Stop::Damage) => self.recover(),
            Some(Stop::Tail) => {
                self.rest();
                false
            }
            _ => false,
        }
    }

    /// Behind damage: loses the tuple it stands in and goes on at the next. False if the dump ends.
    fn recover(&mut self) -> bool {
        let from = self.start;
        let mut first = true;
        loop {
            let w = self.chunks.fill(64);
            let whole = w.len() < 64;
            let found = if w.is_empty() { None } else { resync(w, first, whole) };
            first = false;
            match found {
                Some(n) => {
                    self.chunks.consume(n);
                    self.cov.read += n as u64;
                    break;
                }
                None => {
                    // A pattern may straddle the window's end: 16 bytes stay, unless it is the last.
                    let last = whole;
                    let n = self.chunks.window().len();
                    let n = if last { n } else { n.saturating_sub(TAIL) };
                    self.chunks.consume(n);
                    self.cov.read += n as u64;
                    if last {
                        let end = self.chunks.offset();
                        let message = "a damaged tuple, and no whole one behind it";
                        self.problem(from, end, ProblemKind::Syntax, message, true);
                        return false;
                    }
                }
            }
        }
        let end = self.chunks.offset();
        self.problem(from, end, ProblemKind::Syntax, "a damaged tuple", true);
        self.buf.clear();
        self.start = end;
        self.closed = 0;
        self.scanner.resume();
        true
    }

    /// Hands on the whole tuples of `buf`; what is left begins behind them.
    fn give(&mut self, target: &mut Option<Target>) -> Given {
        let mut from = 0;
        if target.is_none() {
            let Some((found, body)) = self.head() else { return Given::Not };
            *target = Some(found);
            from = body;
        }
        let Some(goal) = target.clone() else { return Given::Not };
        let closed = self.closed.max(from);
        let rest = self.buf[closed..].to_vec();
        if self.closed > from {
            self.buf.truncate(closed);
            let offset = self.start + from as u64;
            self.append(&goal, from, offset);
        }
        self.buf.clear();
        self.buf.extend_from_slice(&rest);
        self.start += closed as u64;
        self.closed = 0;
        Given::Done
    }

    /// Reads the head of the INSERT that begins `buf`.
    fn head(&mut self) -> Option<(Target, usize)> {
        if let Some((text, mode, target)) = &self.last_head
            && *mode == self.mode
            && self.buf.starts_with(text)
        {
            return Some((target.clone(), text.len()));
        }
        let Insert::Values(head) = insert::read(&self.buf, self.mode) else { return None };
        let db: Arc<str> = match &head.db {
            Some(name) => Arc::from(name.text.as_str()),
            None => self.db.clone(),
        };
        let known = self.tables.get(&(db.clone(), head.table.text.clone())).cloned();
        let table = match known {
            Some(table) => table,
            None => {
                let names = match &head.columns {
                    Some(list) => list.clone(),
                    None => {
                        let n = self.arity(head.body);
                        (1..=n).map(|k| format!("c{k}")).collect()
                    }
                };
                if names.is_empty() || names.len() > create::MAX_COLUMNS {
                    return None;
                }
                let span = (self.start, self.start + head.body as u64);
                let columns = names.into_iter().map(|n| (n, ColumnType::Text)).collect();
                self.define(db, &head.table.text, columns, &[span])?
            }
        };
        let columns: Arc<[Option<usize>]> = match &head.columns {
            None => (0..table.schema.columns.len()).map(Some).collect(),
            Some(list) => {
                let mut seen = vec![false; table.schema.columns.len()];
                let mut unknown = 0;
                let mapped: Arc<[Option<usize>]> = list
                    .iter()
                    .map(|name| {
                        let at = table
                            .schema
                            .columns
                            .iter()
                            .position(|c| c.name.eq_ignore_ascii_case(name));
                        match at {
                            Some(c) if !std::mem::replace(&mut seen[c], true) => Some(c),
                            _ => {
                                unknown += 1;
                                None
                            }
                        }
                    })
                    .collect();
                if unknown > 0 {
                    let message = format!(
                        "{unknown} of the columns listed are not in the table's definition: their values are left out"
                    );
                    let at = self.start;
                    self.problem(at, at + head.body as u64, ProblemKind::Conflict, &message, false);
                }
                mapped
            }
        };
        let target = Target { table, columns };
        self.last_head = Some((self.buf[..head.body].to_vec(), self.mode, target.clone()));
        Some((target, head.body))
    }

    /// How many values the first tuple has.
    fn arity(&self, body: usize) -> usize {
        let b = &self.buf;
        let Ok(Some(mut i)) = next_tuple(b, body) else { return 0 };
        let mut n = 0;
        while let Some(f) = field(b, i, self.mode) {
            n += 1;
            if b[f.next] == b')' || n > create::MAX_COLUMNS {
                return n;
            }
            i = f.next + 1;
        }
        0
    }

    /// Adds the tuples in `buf`, from `from` on, to the piece under way, or makes them one.
    fn append(&mut self, target: &Target, from: usize, offset: u64) {
        let fits = self.pending.as_ref().is_some_and(|p| {
            p.table.number == target.table.number
                && p.columns == target.columns
                && p.mode == self.mode
        });
        if !fits {
            self.flush();
        }
        match &mut self.pending {
            Some(piece) => {
                piece.parts.push((piece.bytes.len(), offset));
                piece.bytes.extend_from_slice(&self.buf[from..]);
            }
            None => {
                // A large piece is handed on as it is, without a copy.
                let fresh = if self.buf.len() >= PIECE / 2 { PIECE + PIECE / 2 } else { 0 };
                self.pending = Some(Piece {
                    table: target.table.clone(),
                    columns: target.columns.clone(),
                    mode: self.mode,
                    bytes: std::mem::replace(&mut self.buf, Vec::with_capacity(fresh)),
                    parts: vec![(from, offset)],
                });
            }
        }
        if self.pending.as_ref().is_some_and(|p| p.bytes.len() >= PIECE) {
            self.flush();
        }
    }

    /// Hands on the piece under way.
    pub(super) fn flush(&mut self) {
        let Some(piece) = self.pending.take() else { return };
        self.panels.rows(&piece, self.out);
        self.out.defer(Box::new(move |sink| {
            panel::rows_alone(&piece, sink);
            rows::read(&piece, sink);
        }));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Given {
    Done,
    Not,
}

/// Where whole tuples go on: behind `)` where `,(` or `;` and a line's end follow, or, at damage
/// itself, before a bracket that can only begin a tuple.
fn resync(w: &[u8], at_damage: bool, whole: bool) -> Option<usize> {
    if at_damage && w[0] == b'(' {
        return Some(0);
    }
    let looked = if whole { w } else { &w[..w.len() - TAIL] };
    memchr::memchr_iter(b')', looked).find_map(|k| {
        let rest = &w[k + 1..];
        let after =
            |i: usize| rest[i..].iter().position(|b| !b.is_ascii_whitespace()).map(|n| i + n);
        let i = after(0)?;
        if i > 8 {
            return None;
        }
        let hit = match rest[i] {
            b',' => after(i + 1).is_some_and(|j| j < 12 && rest[j] == b'('),
            b';' => rest.get(i + 1).is_none_or(|c| matches!(c, b'\n' | b'\r')),
            _ => false,
        };
        hit.then_some(k + 1)
    })
}

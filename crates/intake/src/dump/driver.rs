//! The pass over a dump: from statements to tables, pieces and facts.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Column, ColumnType, Problem, ProblemKind, TableRole, TableSchema};

use super::header::{self, Remark, Tool};
use super::insert::{self, Insert};
use super::rows::{self, Piece, Table, next_tuple};
use super::scan::{Scanner, Stop};
use super::token::Cursor;
use super::value::{Mode, field};
use super::create;
use crate::panel::{self, Panels};
use crate::{Chunks, Coverage, Input, Sink};

/// About how many bytes of tuples go to one job.
const PIECE: usize = 1 << 20;
/// The longest tuple.
const MAX_TUPLE: usize = 64 << 20;
/// The longest statement that is no INSERT.
const MAX_STATEMENT: usize = 4 << 20;
/// The most tables of one exhibit.
const MAX_TABLES: usize = 65_536;
/// The longest comment line that is looked at.
const MAX_LINE: usize = 4096;
/// How many bytes behind a bracket decide whether tuples go on there.
const TAIL: usize = 32;
/// How many statements that are none are told one by one.
const MAX_SYNTAX: u64 = 1000;

/// Reads a dump to its end.
pub(super) fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let mut driver = Driver {
        chunks,
        out,
        cov: Coverage::default(),
        scanner: Scanner::new(),
        mode: Mode::default(),
        before: Mode::default(),
        tool: None,
        db: Arc::from(""),
        tables: HashMap::new(),
        count: 0,
        panels: Panels::new(input.exhibit),
        pending: None,
        last_head: None,
        completed: false,
        odd: 0,
        truncated: false,
        buf: Vec::new(),
        start: 0,
        closed: 0,
    };
    driver.run();
    driver.cov
}

/// Where the tuples of an INSERT go.
#[derive(Clone)]
struct Target {
    table: Arc<Table>,
    columns: Arc<[Option<usize>]>,
}

struct Driver<'d, 'c, 's> {
    chunks: &'d mut Chunks<'c>,
    out: &'s mut dyn Sink,
    cov: Coverage,
    scanner: Scanner,
    mode: Mode,
    /// The mode that `SET sql_mode = @variable` goes back to.
    before: Mode,
    tool: Option<Tool>,
    db: Arc<str>,
    tables: HashMap<(Arc<str>, String), Arc<Table>>,
    count: usize,
    panels: Panels,
    pending: Option<Piece>,
    /// The head of the INSERT before, and where it led.
    last_head: Option<(Vec<u8>, Mode, Target)>,
    /// The tool's closing line was seen.
    completed: bool,
    odd: u64,
    /// Something shows that the dump was cut.
    truncated: bool,
    /// The statement under way, as far as it is still needed.
    buf: Vec<u8>,
    /// The exhibit's offset of `buf`'s first byte.
    start: u64,
    /// One past the last tuple that closed, in `buf`.
    closed: usize,
}

impl Driver<'_, '_, '_> {
    fn run(&mut self) {
        if self.chunks.fill(3).starts_with(b"\xef\xbb\xbf") {
            self.filler(3);
        }
        while self.between() {
            self.statement();
        }
        self.flush();
        let end = self.chunks.offset();
        if self.tool == Some(Tool::MysqlDump) && !self.completed {
            let message = "the dump ends without its line \"Dump completed\": its end may be missing";
            self.problem(end, end, ProblemKind::Truncated, message, false);
        }
        let whole = !self.truncated;
        self.panels.finish(whole, self.out);
    }

    fn problem(&mut self, start: u64, end: u64, kind: ProblemKind, message: &str, lost: bool) {
        self.truncated |= kind == ProblemKind::Truncated;
        if lost {
            self.cov.read -= end - start;
            self.cov.lost += end - start;
        }
        self.out.problem(Problem { start, end, kind, message: message.to_owned(), lost });
    }

    fn filler(&mut self, n: usize) {
        self.chunks.consume(n);
        self.cov.filler += n as u64;
    }

    /// Skips white space and comments between statements. False at the end.
    fn between(&mut self) -> bool {
        loop {
            let w = self.chunks.window();
            if w.is_empty() {
                return false;
            }
            let n = w.iter().take_while(|b| b.is_ascii_whitespace()).count();
            if n > 0 {
                self.filler(n);
                continue;
            }
            let head = self.chunks.fill(12);
            if head[0] == b'#' || (head.starts_with(b"--") && head.get(2).is_none_or(|c| *c <= b' ')) {
                self.line();
            } else if head.starts_with(b"/*")
                && (head.starts_with(b"/*M!999999")
                    || !(head[2..].starts_with(b"!") || head[2..].starts_with(b"M!")))
            {
                self.block();
            } else {
                return true;
            }
        }
    }

    /// A comment up to the end of its line.
    fn line(&mut self) {
        let offset = self.chunks.offset();
        let mut line = Vec::new();
        loop {
            let w = self.chunks.window();
            if w.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', w);
            let n = end.map_or(w.len(), |k| k + 1);
            let room = MAX_LINE.saturating_sub(line.len()).min(n);
            line.extend_from_slice(&w[..room]);
            self.filler(n);
            if end.is_some() {
                break;
            }
        }
        match header::remark(&line, self.tool) {
            Some(Remark::Tool(tool)) => {
                self.tool = Some(tool);
                self.completed = false;
            }
            Some(Remark::Database(range)) => {
                let name = String::from_utf8_lossy(&line[range.clone()]).into_owned();
                self.enter(&name, offset + range.start as u64, offset + range.end as u64);
            }
            Some(Remark::Date(stamp, r)) => {
                self.panels.dated(stamp, offset + r.start as u64, offset + r.end as u64);
            }
            Some(Remark::Completed(date)) => {
                self.completed = true;
                if let Some((stamp, r)) = date {
                    self.panels.closed(stamp, offset + r.start as u64, offset + r.end as u64);
                }
            }
            None => {}
        }
    }

    /// A comment between `/*` and `*/`.
    fn block(&mut self) {
        let from = self.chunks.offset();
        self.filler(2);
        let mut star = false;
        loop {
            let w = self.chunks.window();
            if w.is_empty() {
                let end = self.chunks.offset();
                self.problem(from, end, ProblemKind::Truncated, "the dump ends inside a comment", false);
                return;
            }
            if star && w[0] == b'/' {
                self.filler(1);
                return;
            }
            let found = memchr::memmem::find(w, b"*/");
            let n = found.map_or(w.len(), |k| k + 2);
            star = found.is_none() && w.last() == Some(&b'*');
            self.filler(n);
            if found.is_some() {
                return;
            }
        }
    }

    /// The database that statements are about from now on.
    fn enter(&mut self, name: &str, start: u64, end: u64) {
        if *self.db != *name {
            self.db = Arc::from(name);
        }
        self.last_head = None;
        self.panels.named(name, start, end);
    }

    /// One statement.
    fn statement(&mut self) {
        let head = self.chunks.fill(16);
        let word = |w: &str| {
            head.get(..w.len()).is_some_and(|h| h.eq_ignore_ascii_case(w.as_bytes()))
                && head.get(w.len()).is_some_and(|c| c.is_ascii_whitespace() || *c == b'`')
        };
        let delimiter = word("delimiter");
        let inserts = word("insert") || word("replace");
        if delimiter {
            self.delimiter();
            return;
        }
        self.scanner.begin(inserts, self.mode.backslash);
        self.buf.clear();
        self.start = self.chunks.offset();
        self.closed = 0;
        if inserts { self.insert() } else { self.other() }
    }

    /// `DELIMITER x` to the end of its line.
    fn delimiter(&mut self) {
        let mut line = Vec::new();
        loop {
            let w = self.chunks.window();
            if w.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', w);
            let n = end.map_or(w.len(), |k| k + 1);
            let room = MAX_LINE.saturating_sub(line.len()).min(n);
            line.extend_from_slice(&w[..room]);
            self.chunks.consume(n);
            self.cov.read += n as u64;
            if end.is_some() {
                break;
            }
        }
        let words = line.get(9..).unwrap_or_default().split(u8::is_ascii_whitespace);
        if let Some(delimiter) = words.filter(|w| !w.is_empty() && w.len() <= 16).next() {
            self.scanner.set_delimiter(delimiter);
        }
    }

    /// Runs the scanner over the window once. What it passed is appended to `buf` if `keep`.
    fn step(&mut self, limit: usize, keep: bool) -> Option<Stop> {
        let w = self.chunks.window();
        if w.is_empty() {
            return None;
        }
        let (n, stop) = self.scanner.run(w, limit);
        if keep {
            if let Some(c) = self.scanner.closed {
                self.closed = self.buf.len() + c;
            }
            self.buf.extend_from_slice(&w[..n]);
        }
        self.chunks.consume(n);
        self.cov.read += n as u64;
        Some(stop)
    }

    /// A statement that is no INSERT.
    fn other(&mut self) {
        let mut keep = true;
        loop {
            match self.step(usize::MAX, keep) {
                None => {
                    let end = self.chunks.offset();
                    let message = "the dump ends inside a statement";
                    self.problem(self.start, end, ProblemKind::Truncated, message, true);
                    return;
                }
                Some(Stop::End) => break,
                Some(_) => {}
            }
            if self.buf.len() > MAX_STATEMENT {
                keep = false;
            }
        }
        let end = self.chunks.offset();
        let mut statement = std::mem::take(&mut self.buf);
        if keep {
            statement.truncate(statement.len().saturating_sub(self.scanner.delimiter_len()));
            self.meaning(&statement, end);
        } else if Cursor::new(&statement, self.mode).keyword("create") {
            let message = "a CREATE statement beyond 4 MiB is not read";
            self.problem(self.start, end, ProblemKind::Bound, message, true);
        }
        self.buf = statement;
    }

    /// What a whole statement changes.
    fn meaning(&mut self, statement: &[u8], end: u64) {
        let mut c = Cursor::new(statement, self.mode);
        let first = c.word().to_ascii_lowercase();
        match first.as_slice() {
            b"set" => {
                let (mut mode, mut before) = (self.mode, self.before);
                if let Some(charset) = header::set(statement, &mut mode, &mut before) {
                    let message = format!("text in the encoding {charset} is read as UTF-8");
                    self.problem(self.start, end, ProblemKind::Unsupported, &message, false);
                }
                (self.mode, self.before) = (mode, before);
            }
            b"use" => {
                if let Some(name) = c.name() {
                    let at = self.start;
                    self.enter(&name.text, at + name.start as u64, at + name.end as u64);
                }
            }
            b"create" => {
                if let Some(definition) = create::read(statement, self.mode) {
                    let db = match &definition.db {
                        Some(db) => Arc::from(db.text.as_str()),
                        None => self.db.clone(),
                    };
                    let columns = definition.columns.iter().map(|(n, t)| (n.text.clone(), *t)).collect();
                    let spans: Vec<(u64, u64)> = definition
                        .columns
                        .iter()
                        .map(|(n, _)| (self.start + n.start as u64, self.start + n.end as u64))
                        .collect();
                    if self.define(db, &definition.name.text, columns, &spans).is_none() {
                        let message = "more than 65,536 tables: this one is not read";
                        self.problem(self.start, end, ProblemKind::Bound, message, true);
                    }
                }
            }
            // In a conditional comment, or behind one.
            b"insert" | b"replace" => {
                let message = "an INSERT inside a conditional comment is not read";
                self.problem(self.start, end, ProblemKind::Unsupported, message, true);
            }
            b"" if c.peek().is_none() => {}
            known if KNOWN.contains(&known) => {}
            _ => {
                self.odd += 1;
                if self.odd <= MAX_SYNTAX {
                    let message = if self.odd < MAX_SYNTAX {
                        "not a statement that dumps hold"
                    } else {
                        "not a statement that dumps hold; more of this sort are not told one by one"
                    };
                    self.problem(self.start, end, ProblemKind::Syntax, message, true);
                } else {
                    self.cov.read -= end - self.start;
                    self.cov.lost += end - self.start;
                }
            }
        }
    }

    /// Makes a table known. A second definition of the same columns changes nothing; one of other
    /// columns is a table of its own.
    fn define(
        &mut self,
        db: Arc<str>,
        name: &str,
        columns: Vec<(String, ColumnType)>,
        spans: &[(u64, u64)],
    ) -> Option<Arc<Table>> {
        let same = |table: &Table| {
            let known = &table.schema.columns;
            known.len() == columns.len()
                && known.iter().zip(&columns).all(|(a, (n, t))| a.name == *n && a.ty == *t)
        };
        if let Some(table) = self.tables.get(&(db.clone(), name.to_owned()))
            && same(table)
        {
            return Some(table.clone());
        }
        if self.count >= MAX_TABLES {
            return None;
        }
        let again = self.tables.contains_key(&(db.clone(), name.to_owned()));
        let shown = if again { format!("{name} #{}", self.count) } else { name.to_owned() };
        let mut schema = TableSchema {
            name: shown,
            db: db.to_string(),
            role: TableRole::Plain,
            panel: None,
            columns: columns
                .into_iter()
                .map(|(name, ty)| Column { name, ty, meaning: None, secret: false })
                .collect(),
        };
        let shape = self.panels.table(&mut schema, spans);
        let macs = panel::macs(&schema);
        let number = self.out.table(schema.clone());
        let table = Arc::new(Table { number, schema, macs, shape });
        self.count += 1;
        self.tables.insert((db, name.to_owned()), table.clone());
        self.last_head = None;
        Some(table)
    }

    /// An INSERT or REPLACE.
    fn insert(&mut self) {
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
                            (ProblemKind::Unsupported, "an INSERT of another form than VALUES is not read")
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
                        self.skip("an INSERT of another form than VALUES is not read", ProblemKind::Unsupported);
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
                    if self.give(&mut target) == Given::Not || target.is_none() {
                        self.skip("a damaged INSERT", ProblemKind::Syntax);
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
            self.skip("an INSERT of another form than VALUES is not read", ProblemKind::Unsupported);
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
                        let at = table.schema.columns.iter().position(|c| c.name.eq_ignore_ascii_case(name));
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
            p.table.number == target.table.number && p.columns == target.columns && p.mode == self.mode
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
    fn flush(&mut self) {
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
        let after = |i: usize| rest[i..].iter().position(|b| !b.is_ascii_whitespace()).map(|n| i + n);
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

/// First words of statements that dumps hold and that say nothing of rows.
const KNOWN: [&[u8]; 36] = [
    b"alter", b"analyze", b"begin", b"call", b"change", b"check", b"commit", b"delete", b"do", b"drop",
    b"end", b"explain", b"flush", b"grant", b"if", b"kill", b"load", b"lock", b"optimize", b"prepare",
    b"purge", b"rename", b"reset", b"revoke", b"rollback", b"savepoint", b"select", b"show", b"source",
    b"start", b"stop", b"truncate", b"unlock", b"update", b"with", b"execute",
];

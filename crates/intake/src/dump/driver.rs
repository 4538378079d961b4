//! The pass over a dump: from statements to tables, pieces and facts.

use std::collections::HashMap;
use std::sync::Arc;

use model::{Column, ColumnType, Problem, ProblemKind, TableRole, TableSchema};

use super::create;
use super::header::{self, Remark, Tool};
use super::piece::{Piece, Table};
use super::scan::{Scanner, Stop};
use super::token::Cursor;
use super::value::Mode;
use crate::panel::{self, Panels};
use crate::{Chunks, Coverage, Input, Sink};

/// The longest statement that is no INSERT.
const MAX_STATEMENT: usize = 4 << 20;
/// The most tables of one exhibit.
const MAX_TABLES: usize = 65_536;
/// The most columns of all tables together.
const MAX_COLUMNS: usize = 1 << 20;
/// The longest comment line that is looked at.
const MAX_LINE: usize = 4096;
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
        columns: 0,
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
pub(super) struct Target {
    pub(super) table: Arc<Table>,
    pub(super) columns: Arc<[Option<usize>]>,
}

pub(super) struct Driver<'d, 'c, 's> {
    pub(super) chunks: &'d mut Chunks<'c>,
    pub(super) out: &'s mut dyn Sink,
    pub(super) cov: Coverage,
    pub(super) scanner: Scanner,
    pub(super) mode: Mode,
    /// The mode that `SET sql_mode = @variable` goes back to.
    before: Mode,
    tool: Option<Tool>,
    pub(super) db: Arc<str>,
    pub(super) tables: HashMap<(Arc<str>, String), Arc<Table>>,
    count: usize,
    /// Columns of all tables so far.
    columns: usize,
    pub(super) panels: Panels,
    pub(super) pending: Option<Piece>,
    /// The head of the INSERT before, and where it led.
    pub(super) last_head: Option<(Vec<u8>, Mode, Target)>,
    /// The tool's closing line was seen.
    completed: bool,
    odd: u64,
    /// Something shows that the dump was cut.
    truncated: bool,
    /// The statement under way, as far as it is still needed.
    pub(super) buf: Vec<u8>,
    /// The exhibit's offset of `buf`'s first byte.
    pub(super) start: u64,
    /// One past the last tuple that closed, in `buf`.
    pub(super) closed: usize,
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
            let message =
                "the dump ends without its line \"Dump completed\": its end may be missing";
            self.problem(end, end, ProblemKind::Truncated, message, false);
        }
        let whole = !self.truncated;
        self.panels.finish(whole, self.out);
    }

    pub(super) fn problem(
        &mut self,
        start: u64,
        end: u64,
        kind: ProblemKind,
        message: &str,
        lost: bool,
    ) {
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
            if head[0] == b'#'
                || (head.starts_with(b"--") && head.get(2).is_none_or(|c| *c <= b' '))
            {
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
                self.problem(
                    from,
                    end,
                    ProblemKind::Truncated,
                    "the dump ends inside a comment",
                    false,
                );
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
        let mut words = line.get(9..).unwrap_or_default().split(u8::is_ascii_whitespace);
        if let Some(delimiter) = words.find(|w| !w.is_empty() && w.len() <= 16) {
            self.scanner.set_delimiter(delimiter);
        }
    }

    /// Runs the scanner over the window once. What it passed is appended to `buf` if `keep`.
    pub(super) fn step(&mut self, limit: usize, keep: bool) -> Option<Stop> {
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
                    let columns =
                        definition.columns.iter().map(|(n, t)| (n.text.clone(), *t)).collect();
                    let spans: Vec<(u64, u64)> = definition
                        .columns
                        .iter()
                        .map(|(n, _)| (self.start + n.start as u64, self.start + n.end as u64))
                        .collect();
                    if self.define(db, &definition.name.text, columns, &spans).is_none() {
                        let message =
                            "more than 65,536 tables, or 1,048,576 columns: this one is not read";
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
    pub(super) fn define(
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
        if self.count >= MAX_TABLES || self.columns + columns.len() > MAX_COLUMNS {
            return None;
        }
        self.columns += columns.len();
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
}

/// First words of statements that dumps hold and that say nothing of rows.
const KNOWN: [&[u8]; 36] = [
    b"alter",
    b"analyze",
    b"begin",
    b"call",
    b"change",
    b"check",
    b"commit",
    b"delete",
    b"do",
    b"drop",
    b"end",
    b"explain",
    b"flush",
    b"grant",
    b"if",
    b"kill",
    b"load",
    b"lock",
    b"optimize",
    b"prepare",
    b"purge",
    b"rename",
    b"reset",
    b"revoke",
    b"rollback",
    b"savepoint",
    b"select",
    b"show",
    b"source",
    b"start",
    b"stop",
    b"truncate",
    b"unlock",
    b"update",
    b"with",
    b"execute",
];

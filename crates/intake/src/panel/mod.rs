//! Panels of the Xtream Codes family in dumps: recognised by their columns, whatever the tables are
//! called, and read into facts: servers, operators, providers, streams, who relays from whom.
//!
//! Facts of single rows are stated as the rows come. What needs the whole database (an operator's
//! role, a stream's category, who a ticket belongs to, the panel itself) is stated when the exhibit
//! ends; until then at most [`MAX_KEPT`] bytes are kept in memory, over all databases.

mod cell;
mod dress;
mod family;
mod operators;
mod servers;
mod shape;
mod sources;
mod streams;
#[cfg(test)]
mod tests;

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use model::key::Locator;
use model::{ExhibitId, Fact, Key, Meaning, Problem, ProblemKind, Stamp, TableSchema, Value};

use crate::Sink;
use crate::dump::Piece;
use cell::{Span, Text};
use family::Evidence;
pub(crate) use shape::Shape;

/// How many bytes are kept for the end of the exhibit.
const MAX_KEPT: usize = 192 << 20;
/// What keeping an entry costs beside its text, about.
const ENTRY: usize = 64;
/// The longest text of a fact, and the longest free text that is scanned.
const MAX_TEXT: usize = 64 << 10;

/// The panels of one exhibit, a database each.
pub(crate) struct Panels {
    exhibit: ExhibitId,
    states: Vec<State>,
    by_db: HashMap<String, usize>,
    /// Where the names of databases stand.
    names: HashMap<String, Span>,
    /// The date that a dump's head gives.
    head: Option<(Stamp, Span)>,
    /// Bytes kept, by all databases.
    kept: Rc<Cell<usize>>,
}

/// What is kept of one database.
struct State {
    exhibit: ExhibitId,
    db: String,
    locator: Locator,
    panel: Key,
    evidence: Evidence,
    /// A table that only panels have was seen.
    telling: bool,
    dated: Option<(Stamp, Span)>,
    /// The dump's closing line stood behind it.
    closed: bool,
    servers: servers::Kept,
    operators: operators::Kept,
    streams: streams::Kept,
    sources: sources::Kept,
    /// Facts that hold only if the database is a panel's.
    facts: Vec<Fact>,
    /// Bytes kept, by all databases.
    kept: Rc<Cell<usize>>,
    /// The bound was reached, and told.
    full: bool,
}

impl Panels {
    pub(crate) fn new(exhibit: ExhibitId) -> Self {
        Self {
            exhibit,
            states: Vec::new(),
            by_db: HashMap::new(),
            names: HashMap::new(),
            head: None,
            kept: Rc::default(),
        }
    }

    /// A database's name stands here.
    pub(crate) fn named(&mut self, name: &str, start: u64, end: u64) {
        if self.names.len() < 65_536 {
            self.names.entry(name.to_owned()).or_insert((start, end));
        }
    }

    /// The dump says when it was made.
    pub(crate) fn dated(&mut self, stamp: Stamp, start: u64, end: u64) {
        self.head = Some((stamp, (start, end)));
        for state in &mut self.states {
            state.dated = state.dated.or(self.head);
        }
    }

    /// The dump says when it was completed.
    pub(crate) fn closed(&mut self, stamp: Stamp, start: u64, end: u64) {
        for state in self.states.iter_mut().filter(|s| !s.closed) {
            state.closed = true;
            state.dated = Some((stamp, (start, end)));
        }
    }

    fn state(&mut self, db: &str) -> &mut State {
        let at = match self.by_db.get(db) {
            Some(at) => *at,
            None => {
                let locator = Locator::Database { exhibit: self.exhibit, db: db.to_owned() };
                self.states.push(State {
                    exhibit: self.exhibit,
                    db: db.to_owned(),
                    panel: Key::panel_source(&locator),
                    locator,
                    evidence: Evidence::default(),
                    telling: false,
                    dated: self.head,
                    closed: false,
                    servers: servers::Kept::default(),
                    operators: operators::Kept::default(),
                    streams: streams::Kept::default(),
                    sources: sources::Kept::default(),
                    facts: Vec::new(),
                    kept: self.kept.clone(),
                    full: false,
                });
                self.by_db.insert(db.to_owned(), self.states.len() - 1);
                self.states.len() - 1
            }
        };
        &mut self.states[at]
    }

    /// Dresses a new table: its role, its columns' meanings and secrets. `spans` say where its
    /// columns' names stand, or hold one span for all.
    pub(crate) fn table(&mut self, schema: &mut TableSchema, spans: &[Span]) -> Option<Shape> {
        let columns: Vec<String> = schema.columns.iter().map(|c| c.name.clone()).collect();
        let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
        let shape = shape::recognise(&columns);
        dress::dress(schema, shape);
        if let Some(shape) = shape {
            let state = self.state(&schema.db);
            state.telling |= shape.telling();
            state.evidence.table(shape, &columns, spans);
            schema.panel = Some(state.locator.to_string());
        }
        shape
    }

    /// States what the rows of a piece say.
    pub(crate) fn rows(&mut self, piece: &Piece, out: &mut dyn Sink) {
        let Some(shape) = piece.table.shape else { return };
        let state = self.state(&piece.table.schema.db);
        match shape {
            Shape::Servers => servers::rows(state, piece, out),
            Shape::Operators => operators::operators(state, piece, out),
            Shape::Groups => operators::groups(state, piece, out),
            Shape::Logins => operators::logins(state, piece, out),
            Shape::Tickets => operators::tickets(state, piece, out),
            Shape::Replies => operators::replies(state, piece, out),
            Shape::Providers => sources::providers(state, piece, out),
            Shape::Streams => streams::streams(state, piece, out),
            Shape::Categories => streams::categories(state, piece, out),
            Shape::Series => streams::series(state, piece, out),
            Shape::Episodes => streams::episodes(state, piece, out),
            Shape::Settings => servers::settings(state, piece, out),
            _ => {}
        }
    }

    /// States what only the end decides. `whole`: nothing shows that the dump was cut.
    pub(crate) fn finish(&mut self, whole: bool, out: &mut dyn Sink) {
        for state in &mut self.states {
            if !state.telling {
                continue;
            }
            let (family, decided) = state.evidence.family();
            let panel = state.panel.clone();
            if let Some(span) = decided {
                say(out, &panel, "family", Value::Text(family.word().to_owned()), span);
            }
            if let Some(span) = self.names.get(&state.db) {
                say(out, &panel, "database", Value::Text(state.db.clone()), *span);
            }
            if let Some((stamp, span)) = state.dated {
                say(out, &panel, "dumped_at", Value::Time(stamp), span);
            }
            servers::finish(state, family, out);
            for fact in std::mem::take(&mut state.facts) {
                out.fact(fact);
            }
            operators::finish(state, whole, out);
            streams::finish(state, out);
        }
    }
}

/// States what the rows of a piece say by themselves: for any core.
pub(crate) fn rows_alone(piece: &Piece, out: &mut dyn Sink) {
    if piece.table.shape == Some(Shape::StreamServers) {
        streams::carriers(piece, out);
    }
}

/// Which columns may hold MAC addresses in base64.
pub(crate) fn macs(schema: &TableSchema) -> Vec<bool> {
    schema.columns.iter().map(|c| c.meaning == Some(Meaning::Mac)).collect()
}

/// The text of a MAC address that stands there in base64 (Xtream UI writes them so); `None` for
/// anything else.
pub(crate) fn mac_text(raw: &[u8]) -> Option<String> {
    if raw.len() != 24
        || !raw.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='))
    {
        return None;
    }
    let mut out = Vec::with_capacity(18);
    for quad in raw.chunks_exact(4) {
        let mut n = 0u32;
        for b in quad {
            let v = match b {
                b'A'..=b'Z' => b - b'A',
                b'a'..=b'z' => b - b'a' + 26,
                b'0'..=b'9' => b - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => 0,
            };
            n = n << 6 | u32::from(v);
        }
        let pad = quad.iter().filter(|b| **b == b'=').count();
        out.extend_from_slice(&n.to_be_bytes()[1..4 - pad.min(2)]);
    }
    let text = String::from_utf8(out).ok()?;
    Key::mac(&text).map(|_| text)
}

/// States a fact, if the registry has the word.
fn say(out: &mut dyn Sink, subject: &Key, property: &'static str, value: Value, span: Span) {
    let fact = Fact { subject: subject.clone(), property, value, start: span.0, end: span.1 };
    if model::kinds::allowed(&fact) {
        out.fact(fact);
    }
}

/// States a text, cut at [`MAX_TEXT`].
fn say_text(out: &mut dyn Sink, subject: &Key, property: &'static str, text: &Text) {
    let shown = cut(&text.text);
    if shown.len() < text.text.len() {
        out.problem(Problem {
            start: text.part(shown.len()..text.text.len()).0,
            end: text.span.1,
            kind: ProblemKind::Bound,
            message: "a text beyond 64 KiB: its fact holds the beginning".to_owned(),
            lost: false,
        });
    }
    say(out, subject, property, Value::Text(shown.to_owned()), text.span);
}

fn cut(text: &str) -> &str {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Calls `f` with what a free text names.
fn mentions(text: &Text, f: &mut dyn FnMut(Key, Span)) {
    crate::scan::mentions(cut(&text.text).as_bytes(), 0, &mut |key, range, _| {
        let part = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        f(key, text.part(part(range.start)..part(range.end)));
    });
}

/// Seconds since the epoch as a moment, where they can be one.
fn moment(seconds: i64) -> Option<Value> {
    (seconds > 0).then(|| Value::Time(Stamp::unix_seconds(seconds)))
}

impl State {
    fn key(&self, scheme: &str, id: i64) -> Key {
        Key::scoped(scheme, &self.locator, &id.to_string())
    }

    /// Keeps a fact for the end.
    fn keep(
        &mut self,
        subject: &Key,
        property: &'static str,
        value: Value,
        span: Span,
        out: &mut dyn Sink,
    ) {
        let text = if let Value::Text(text) = &value { text.len() } else { 0 };
        if !self.room(text + subject.as_str().len(), span, out) {
            return;
        }
        let fact = Fact { subject: subject.clone(), property, value, start: span.0, end: span.1 };
        if model::kinds::allowed(&fact) {
            self.facts.push(fact);
        }
    }

    /// True if an entry with `text` bytes of text may be kept. Tells once where not.
    fn room(&mut self, text: usize, span: Span, out: &mut dyn Sink) -> bool {
        let sum = self.kept.get() + ENTRY + text;
        if sum <= MAX_KEPT {
            self.kept.set(sum);
            return true;
        }
        if !std::mem::replace(&mut self.full, true) {
            out.problem(Problem {
                start: span.0,
                end: span.1,
                kind: ProblemKind::Bound,
                message: format!(
                    "more than {} MiB that facts at the end depend on: from here on they are in the tables only",
                    MAX_KEPT >> 20
                ),
                lost: false,
            });
        }
        false
    }
}

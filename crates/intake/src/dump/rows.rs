//! Tuples into batches: the part that runs on every core.

use model::bulk::Strings;
use model::{Batch, ColumnData, ColumnType, Problem, ProblemKind};

use super::piece::{Piece, Table, ends_tuples, next_tuple, tuple_end};
use super::scan::find2;
use super::value::{
    Charset, Field, Form, as_integer, as_real, bytes, decode, field, push_latin1, unescape,
};
use crate::sink::Sink;

/// The most rows of a batch.
const MAX_ROWS: usize = 65_536;
/// The most bytes of tuples read into one batch. Decoding may treble what is not clean UTF-8, which
/// keeps a batch under 32 MiB.
const MAX_BYTES: usize = 10 << 20;
/// The same for one tuple alone that is clean UTF-8.
const MAX_CLEAN: usize = 28 << 20;
/// Tuples of parts beyond this are measured before they are read.
const LARGE: usize = 4 << 20;
/// How many problems of a sort are told one by one for a column within a piece; the rest are
/// counted in one more.
pub(crate) const MAX_PROBLEMS: usize = 100;

/// Why a tuple is lost.
struct Fault {
    kind: ProblemKind,
    message: String,
}

/// Reads a piece into batches.
pub(crate) fn read(piece: &Piece, out: &mut dyn Sink) {
    let mut reader = Reader::new(piece);
    for (b, offset) in piece.parts() {
        reader.part(b, offset, out);
    }
    reader.flush(out);
    reader.finish(out);
}

/// Problems of one column, told one by one up to a bound.
#[derive(Debug, Clone, Default)]
struct Tally {
    seen: usize,
    first: u64,
    last: u64,
}

struct Reader<'p> {
    piece: &'p Piece,
    table: &'p Table,
    batch: Batch,
    /// The columns no value is given for.
    absent: Vec<usize>,
    scratch: Vec<u8>,
    /// Bytes of the tuples in the batch.
    size: usize,
    /// The longest value of the tuple under way.
    limit: usize,
    tallies: [Vec<Tally>; 2],
    problems: Vec<Problem>,
}

const TYPE: usize = 0;
const ENCODING: usize = 1;

impl<'p> Reader<'p> {
    fn new(piece: &'p Piece) -> Self {
        let table = &*piece.table;
        let count = table.schema.columns.len();
        let absent = (0..count).filter(|c| !piece.columns.contains(&Some(*c))).collect();
        Self {
            piece,
            table,
            batch: Batch::new(table.number, &table.schema),
            absent,
            scratch: Vec::new(),
            size: 0,
            limit: usize::MAX,
            tallies: [vec![Tally::default(); count], vec![Tally::default(); count]],
            problems: Vec::new(),
        }
    }

    fn part(&mut self, b: &[u8], offset: u64, out: &mut dyn Sink) {
        let mut i = 0;
        loop {
            i = match next_tuple(b, i) {
                Ok(Some(at)) => at,
                Ok(None) => return,
                Err(at) if ends_tuples(&b[at..]) => return,
                Err(at) => {
                    // What no list of tuples has there: on to the next bracket, or the end.
                    let next = memchr::memchr(b'(', &b[at..]).map_or(b.len(), |k| at + k);
                    self.problems.push(Problem {
                        start: offset + at as u64,
                        end: offset + next as u64,
                        kind: ProblemKind::Syntax,
                        message: "expected a tuple here".to_owned(),
                        lost: true,
                    });
                    next
                }
            };
            if i == b.len() {
                return;
            }
            if b[i - 1] != b'(' {
                continue;
            }
            let start = i - 1;
            if self.batch.len() >= MAX_ROWS || self.size > MAX_BYTES - LARGE {
                self.flush(out);
            }
            match self.tuple(b, i, offset, start, out) {
                Ok(end) => {
                    self.batch.starts.push(offset + start as u64);
                    self.batch.ends.push(offset + end as u64);
                    self.size += end - start;
                    i = end;
                }
                Err(fault) => {
                    self.roll_back();
                    let end = tuple_end(b, i, self.piece.mode).unwrap_or(b.len());
                    self.problems.push(Problem {
                        start: offset + start as u64,
                        end: offset + end as u64,
                        kind: fault.kind,
                        message: fault.message,
                        lost: true,
                    });
                    i = end;
                }
            }
        }
    }

    /// Reads the tuple whose first value is at `i`; gives one past its `)`.
    fn tuple(
        &mut self,
        b: &[u8],
        mut i: usize,
        offset: u64,
        start: usize,
        out: &mut dyn Sink,
    ) -> Result<usize, Fault> {
        let mode = self.piece.mode;
        let columns = &self.piece.columns;
        let mut k = 0;
        self.limit = usize::MAX;
        if b.len() - start > LARGE {
            let tuple = &b[start..tuple_end(b, i, mode).unwrap_or(b.len())];
            if self.size + tuple.len() > MAX_BYTES {
                self.flush(out);
            }
            let clean = mode.charset == Charset::Utf8 && std::str::from_utf8(tuple).is_ok();
            let most = if clean { MAX_CLEAN } else { MAX_BYTES };
            if tuple.len() > most {
                self.limit = most / columns.len().max(1);
            }
        }
        loop {
            while matches!(b.get(i), Some(b' ' | b'\t' | b'\n' | b'\r')) {
                i += 1;
            }
            let Some(&first) = b.get(i) else { return Err(cut()) };
            if k >= columns.len() {
                if first == b')' && columns.is_empty() {
                    return Ok(i + 1);
                }
                return Err(arity(k + 1, columns.len(), true));
            }
            let column = columns[k];
            let next = match first {
                b'\'' => self.quoted(b, i, column),
                b'0'..=b'9' | b'-' => self.digits(b, i, column),
                b'N' if b[i..].starts_with(b"NULL")
                    && matches!(b.get(i + 4), Some(b',' | b')')) =>
                {
                    self.null(column);
                    Some(i + 4)
                }
                _ => None,
            };
            let next = match next {
                Some(next) => next,
                None => {
                    let f = field(b, i, mode).ok_or_else(cut)?;
                    if f.start == f.end && f.form == Form::Expression {
                        return Err(if k == 0 && b[f.next] == b')' {
                            arity(0, columns.len(), false)
                        } else {
                            Fault {
                                kind: ProblemKind::Syntax,
                                message: format!("value {} is missing", k + 1),
                            }
                        });
                    }
                    if let Some(c) = column {
                        self.any(b, &f, c, offset);
                    }
                    f.next
                }
            };
            k += 1;
            match b.get(next) {
                Some(b',') => i = next + 1,
                Some(b')') => {
                    if k != columns.len() {
                        return Err(arity(k, columns.len(), false));
                    }
                    for c in &self.absent {
                        push_null(&mut self.batch.columns[*c]);
                    }
                    return Ok(next + 1);
                }
                _ => return Err(cut()),
            }
        }
    }

    fn null(&mut self, column: Option<usize>) {
        if let Some(c) = column {
            push_null(&mut self.batch.columns[c]);
        }
    }

    /// The fast way for `'…'`. `None` where the careful way must be taken.
    #[inline]
    fn quoted(&mut self, b: &[u8], i: usize, column: Option<usize>) -> Option<usize> {
        let mode = self.piece.mode;
        let start = i + 1;
        let escape = if mode.backslash { b'\\' } else { b'\'' };
        let mut end = find2(b, start, b'\'', escape)?;
        let plain = b[end] == b'\'' && b.get(end + 1) != Some(&b'\'');
        if !plain {
            end = super::value::closing(b, end, b'\'', mode.backslash)?;
        }
        if !matches!(b.get(end + 1), Some(b',' | b')')) {
            return None;
        }
        let Some(c) = column else { return Some(end + 1) };
        if self.table.macs[c] || end - start > self.limit {
            return None;
        }
        let raw = &b[start..end];
        match &mut self.batch.columns[c] {
            ColumnData::Withheld(present) => present.push(true),
            ColumnData::Text(s) if mode.charset == Charset::Latin1 && !raw.is_ascii() => {
                let text = if plain {
                    raw
                } else {
                    self.scratch.clear();
                    unescape(raw, b'\'', mode.backslash, &mut self.scratch, None);
                    &self.scratch
                };
                for byte in text {
                    push_latin1(*byte, &mut s.bytes);
                }
                finish_cell(s);
            }
            ColumnData::Text(s) | ColumnData::Bytes(s) => {
                if plain {
                    s.bytes.extend_from_slice(raw);
                } else {
                    unescape(raw, b'\'', mode.backslash, &mut s.bytes, None);
                }
                finish_cell(s);
            }
            _ => return None,
        }
        Some(end + 1)
    }

    /// The fast way for decimal digits.
    #[inline]
    fn digits(&mut self, b: &[u8], i: usize, column: Option<usize>) -> Option<usize> {
        let negative = b[i] == b'-';
        let mut k = i + usize::from(negative);
        let from = k;
        let mut n = 0i64;
        while let Some(d) = b.get(k).map(|c| c.wrapping_sub(b'0')) {
            if d > 9 {
                break;
            }
            n = n.wrapping_mul(10).wrapping_add(i64::from(d));
            k += 1;
        }
        // 18 digits always fit.
        if k == from || k - from > 18 || !matches!(b.get(k), Some(b',' | b')')) {
            return None;
        }
        let Some(c) = column else { return Some(k) };
        match &mut self.batch.columns[c] {
            ColumnData::Int(v) => v.push(Some(if negative { -n } else { n })),
            ColumnData::Text(s) => {
                s.bytes.extend_from_slice(&b[i..k]);
                finish_cell(s);
            }
            ColumnData::Withheld(present) => present.push(true),
            _ => return None,
        }
        Some(k)
    }

    /// Any value into any column.
    fn any(&mut self, b: &[u8], f: &Field, c: usize, offset: u64) {
        let mode = self.piece.mode;
        let span = (offset + f.start as u64, offset + f.end as u64);
        if f.end - f.start > self.limit && f.form != Form::Null {
            push_null(&mut self.batch.columns[c]);
            self.problems.push(Problem {
                start: span.0,
                end: span.1,
                kind: ProblemKind::Bound,
                message: format!(
                    "column {}: a value of {} bytes in a row beyond {} MiB is left out of its table",
                    self.table.schema.columns[c].name,
                    f.end - f.start,
                    MAX_BYTES >> 20
                ),
                lost: false,
            });
            return;
        }
        let name = || self.table.schema.columns[c].name.clone();
        if f.form == Form::Expression && !matches!(self.batch.columns[c], ColumnData::Withheld(_)) {
            let message = format!("column {}: an expression, not worked out", name());
            self.tell(TYPE, c, span, ProblemKind::Unsupported, message);
        }
        let column = &mut self.batch.columns[c];
        if f.form == Form::Null {
            push_null(column);
            return;
        }
        let fits = match column {
            ColumnData::Withheld(present) => {
                present.push(true);
                true
            }
            ColumnData::Int(v) => {
                let n = as_integer(b, f, mode);
                v.push(n);
                n.is_some()
            }
            ColumnData::Real(v) => {
                let n = as_real(b, f, mode);
                v.push(n);
                n.is_some()
            }
            ColumnData::Bytes(s) => {
                s.bytes.extend_from_slice(&bytes(b, f, mode));
                finish_cell(s);
                true
            }
            ColumnData::Text(s) => {
                let raw = bytes(b, f, mode);
                let charset = match f.form {
                    Form::Quoted(_) => f.charset.unwrap_or(mode.charset),
                    _ => f.charset.unwrap_or(Charset::Utf8),
                };
                let mac = if self.table.macs[c] { crate::panel::mac_text(&raw) } else { None };
                match (mac, charset) {
                    (Some(mac), _) => s.bytes.extend_from_slice(mac.as_bytes()),
                    (None, Charset::Latin1) => {
                        decode(&raw, charset, &mut s.bytes);
                    }
                    // What is no UTF-8 is mended and told when the batch is given out.
                    (None, _) => s.bytes.extend_from_slice(&raw),
                }
                finish_cell(s);
                true
            }
        };
        if !fits && f.form != Form::Expression {
            let ty = if self.table.schema.columns[c].ty == ColumnType::Int {
                "a 64-bit integer"
            } else {
                "a number"
            };
            let message = format!("column {} holds what is not {ty}", name());
            self.tell(TYPE, c, span, ProblemKind::Type, message);
        }
    }

    fn tell(
        &mut self,
        sort: usize,
        c: usize,
        span: (u64, u64),
        kind: ProblemKind,
        message: String,
    ) {
        let tally = &mut self.tallies[sort][c];
        tally.seen += 1;
        if tally.seen <= MAX_PROBLEMS {
            self.problems.push(Problem { start: span.0, end: span.1, kind, message, lost: false });
            return;
        }
        if tally.seen == MAX_PROBLEMS + 1 {
            tally.first = span.0;
        }
        tally.last = span.1;
    }

    fn roll_back(&mut self) {
        let rows = self.batch.len();
        for column in &mut self.batch.columns {
            match column {
                ColumnData::Int(v) => v.truncate(rows),
                ColumnData::Real(v) => v.truncate(rows),
                ColumnData::Withheld(v) => v.truncate(rows),
                ColumnData::Text(s) | ColumnData::Bytes(s) => {
                    s.ends.truncate(rows);
                    s.valid.truncate(rows);
                    s.bytes.truncate(s.ends.last().map_or(0, |e| *e as usize));
                }
            }
        }
    }

    /// Gives the batch out, its text made whole.
    fn flush(&mut self, out: &mut dyn Sink) {
        self.size = 0;
        let rows = self.batch.len();
        if rows == 0 {
            return;
        }
        // Cells of a row under way stay behind.
        let mut next = Batch::new(self.table.number, &self.table.schema);
        std::mem::swap(&mut next, &mut self.batch);
        let mut batch = next;
        for (c, column) in batch.columns.iter_mut().enumerate() {
            if let ColumnData::Text(s) = column
                && !s.bytes.is_ascii()
            {
                self.mend(c, s, &batch.starts);
            }
        }
        out.rows(batch);
    }

    /// Replaces what is not UTF-8 in a column's values, and tells where.
    fn mend(&mut self, c: usize, s: &mut Strings, starts: &[u64]) {
        let good = |i: usize| s.get(i).is_none_or(|b| std::str::from_utf8(b).is_ok());
        let Some(first) = (0..starts.len()).find(|i| !good(*i)) else { return };
        let mut fixed = Strings::default();
        for (i, start) in starts.iter().enumerate() {
            match s.get(i) {
                Some(raw) if i >= first && std::str::from_utf8(raw).is_err() => {
                    fixed.push(Some(String::from_utf8_lossy(raw).as_bytes()));
                    let span = self.find(*start, c).unwrap_or((*start, *start + 1));
                    let name = &self.table.schema.columns[c].name;
                    let message = format!("column {name}: text that is not UTF-8");
                    self.tell(ENCODING, c, span, ProblemKind::Encoding, message);
                }
                other => fixed.push(other),
            }
        }
        *s = fixed;
    }

    /// Where column `c` of the row that starts at `row` stands.
    fn find(&self, row: u64, c: usize) -> Option<(u64, u64)> {
        let k = self.piece.columns.iter().position(|x| *x == Some(c))?;
        let (b, offset) = self.piece.parts().filter(|(_, offset)| *offset <= row).last()?;
        let mut i = usize::try_from(row - offset).ok()? + 1;
        for n in 0..=k {
            let f = field(b, i, self.piece.mode)?;
            if n == k {
                return Some((offset + f.start as u64, offset + f.end as u64));
            }
            i = f.next + 1;
        }
        None
    }

    /// Gives out the problems.
    fn finish(mut self, out: &mut dyn Sink) {
        for sort in [TYPE, ENCODING] {
            for (c, tally) in self.tallies[sort].iter().enumerate() {
                if tally.seen > MAX_PROBLEMS {
                    let name = &self.table.schema.columns[c].name;
                    self.problems.push(Problem {
                        start: tally.first,
                        end: tally.last,
                        kind: if sort == TYPE { ProblemKind::Type } else { ProblemKind::Encoding },
                        message: format!(
                            "column {name}: {} more such values between here and the end of this span",
                            tally.seen - MAX_PROBLEMS
                        ),
                        lost: false,
                    });
                }
            }
        }
        for problem in self.problems {
            out.problem(problem);
        }
    }
}

#[inline]
fn finish_cell(s: &mut Strings) {
    s.ends.push(u32::try_from(s.bytes.len()).unwrap_or(u32::MAX));
    s.valid.push(true);
}

#[inline]
fn push_null(column: &mut ColumnData) {
    match column {
        ColumnData::Int(v) => v.push(None),
        ColumnData::Real(v) => v.push(None),
        ColumnData::Withheld(v) => v.push(false),
        ColumnData::Text(s) | ColumnData::Bytes(s) => {
            s.ends.push(u32::try_from(s.bytes.len()).unwrap_or(u32::MAX));
            s.valid.push(false);
        }
    }
}

fn cut() -> Fault {
    Fault {
        kind: ProblemKind::Syntax,
        message: "a tuple that does not end as tuples do".to_owned(),
    }
}

fn arity(found: usize, expected: usize, more: bool) -> Fault {
    let more = if more { " or more" } else { "" };
    Fault {
        kind: ProblemKind::Syntax,
        message: format!("a tuple of {found}{more} values where {expected} are expected"),
    }
}

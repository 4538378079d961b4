//! A streaming reader of separated values that keeps the place of every value.
//!
//! Delimiters `,` `;` tab `|`; quotes, doubled quotes, line ends inside quotes; UTF-8, windows-1252,
//! UTF-16 with or without mark. A field's span is its bytes without the quotes. Unbalanced quotes
//! cost their line; a record beyond [`ROW_BOUND`] is a located problem.

pub mod decode;
mod detect;
mod fold;
mod split;

#[cfg(test)]
mod tests;

use model::{Problem, ProblemKind};

use crate::chunks::Chunks;
use crate::parser::Coverage;
use decode::{Doubt, Encoding};
pub use detect::detect;
pub use fold::fold;
pub use split::Dialect;
use split::{Raw, Split, split};

/// The longest record, in bytes.
pub const ROW_BOUND: usize = 16 << 20;

/// How many bytes may be read over again behind quotes that were never closed. Beyond it a quoted
/// field may no longer run over a line's end, so that reading stays linear.
const RESCAN_BUDGET: usize = 64 << 20;

/// A field: its span in the exhibit, and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field<'a> {
    /// First byte of the value, behind an opening quote.
    pub start: u64,
    /// One past the value's last byte.
    pub end: u64,
    /// The value, doubled quotes undone.
    pub text: &'a str,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    end: u64,
    text_end: usize,
}

/// A record: its span without the line's end, and its fields.
#[derive(Debug, Clone, Default)]
pub struct Record {
    /// First byte.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// The line was closed, by a line end or by a closing quote: its last value is whole.
    pub whole: bool,
    places: Vec<Place>,
    text: String,
}

impl Record {
    /// Number of fields.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// True without fields.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Field `i`; beyond the last an empty one at the record's end.
    pub fn get(&self, i: usize) -> Field<'_> {
        let Some(place) = self.places.get(i) else {
            return Field { start: self.end, end: self.end, text: "" };
        };
        let from = if i == 0 { 0 } else { self.places[i - 1].text_end };
        Field { start: place.start, end: place.end, text: &self.text[from..place.text_end] }
    }

    /// The fields in order.
    pub fn fields(&self) -> impl Iterator<Item = Field<'_>> {
        (0..self.len()).map(|i| self.get(i))
    }
}

/// The places of the fields of one record, without quotes, in the record's own bytes; `None` where
/// the bytes are no record.
pub fn fields(record: &[u8], dialect: Dialect) -> Option<Vec<(u64, u64)>> {
    let mut raw = Vec::new();
    match split(record, true, dialect, true, &mut raw) {
        Split::Record { .. } => Some(raw.iter().map(|f| (f.start as u64, f.end as u64)).collect()),
        _ => None,
    }
}

/// What [`Reader::next`] found.
#[derive(Debug)]
pub enum Event {
    /// A record, now in the caller's [`Record`].
    Record,
    /// Something that could not be read; reading goes on behind it.
    Problem(Problem),
    /// The end of the exhibit.
    End,
}

/// Reads records. Every byte it passes is in `coverage` as read, filler or lost.
#[derive(Debug)]
pub struct Reader {
    dialect: Dialect,
    /// How the bytes so far were accounted for.
    pub coverage: Coverage,
    columns: usize,
    raw: Vec<Raw>,
    rescanned: usize,
    doubted: bool,
    pending: Option<Problem>,
}

impl Reader {
    /// A reader from the window's first byte on. A byte order mark and a `sep=` line are passed
    /// over as filler.
    pub fn new(chunks: &mut Chunks<'_>, dialect: Dialect) -> Self {
        let mut reader = Self {
            dialect,
            coverage: Coverage::default(),
            columns: 0,
            raw: Vec::new(),
            rescanned: 0,
            doubted: false,
            pending: None,
        };
        let skip = detect::preamble(chunks.fill(64));
        chunks.consume(skip);
        reader.coverage.filler += skip as u64;
        reader
    }

    /// Tells how many fields a record of this file has, which helps to tell a file cut inside a
    /// quoted field from a quote that was never closed.
    pub fn expect_columns(&mut self, columns: usize) {
        self.columns = columns;
    }

    /// Reads on to the next record.
    pub fn next(&mut self, chunks: &mut Chunks<'_>, record: &mut Record) -> Event {
        if let Some(problem) = self.pending.take() {
            return Event::Problem(problem);
        }
        loop {
            if chunks.window().is_empty() {
                return Event::End;
            }
            let multiline = self.rescanned < RESCAN_BUDGET;
            let ended = chunks.ended();
            let window = chunks.window();
            let ended = ended && window.len() <= ROW_BOUND;
            let cut = &window[..window.len().min(ROW_BOUND)];
            match split(cut, ended, self.dialect, multiline, &mut self.raw) {
                Split::Record { content, total } => {
                    if self.raw.len() == 1 && content == 0 {
                        chunks.consume(total);
                        self.coverage.filler += total as u64;
                        continue;
                    }
                    self.take(chunks, content, total, record);
                    return Event::Record;
                }
                Split::More => {
                    if window.len() < ROW_BOUND && (chunks.more() || chunks.ended()) {
                        continue;
                    }
                    return Event::Problem(self.too_long(chunks));
                }
                Split::Unbalanced => {
                    let message = "a quotation mark is not closed: the line is passed over";
                    return Event::Problem(self.drop_line(chunks, message));
                }
                Split::Open => {
                    self.rescanned += window.len();
                    if self.next_line_fits(chunks) {
                        let message = "a quotation mark is never closed: the line is passed over";
                        return Event::Problem(self.drop_line(chunks, message));
                    }
                    let start = chunks.offset();
                    let lost = chunks.drain();
                    self.coverage.lost += lost;
                    return Event::Problem(Problem {
                        start,
                        end: start + lost,
                        kind: ProblemKind::Truncated,
                        message: "the file ends inside a quoted value".to_owned(),
                        lost: true,
                    });
                }
            }
        }
    }

    /// Takes back a record that the caller could not use: its bytes count as lost. Returns the
    /// problem to report.
    pub fn lose(&mut self, record: &Record, kind: ProblemKind, message: String) -> Problem {
        let bytes = record.end - record.start;
        self.coverage.read -= bytes;
        self.coverage.lost += bytes;
        Problem { start: record.start, end: record.end, kind, message, lost: true }
    }

    fn take(&mut self, chunks: &mut Chunks<'_>, content: usize, total: usize, record: &mut Record) {
        let offset = chunks.offset();
        let at_end = content == total;
        let window = chunks.window();
        record.places.clear();
        record.text.clear();
        record.start = offset;
        record.end = offset + content as u64;
        record.whole = !at_end || self.raw.last().is_none_or(|raw| raw.quoted);
        // A record is mostly UTF-8 as a whole: then its fields need not be looked at one by one.
        let plain = match self.dialect.encoding {
            Encoding::Utf8 => std::str::from_utf8(&window[..content]).ok(),
            _ => None,
        };
        for raw in &self.raw {
            let from = record.text.len();
            let doubt = match plain.and_then(|text| text.get(raw.start..raw.end)) {
                Some(text) => {
                    record.text.push_str(text);
                    Doubt::None
                }
                None => {
                    let bytes = &window[raw.start..raw.end];
                    self.dialect.encoding.decode(bytes, &mut record.text)
                }
            };
            if raw.escaped {
                let undone = record.text[from..].replace("\"\"", "\"");
                record.text.truncate(from);
                record.text.push_str(&undone);
            }
            let place = Place {
                start: offset + raw.start as u64,
                end: offset + raw.end as u64,
                text_end: record.text.len(),
            };
            record.places.push(place);
            if doubt != Doubt::None && !self.doubted {
                self.doubted = true;
                self.pending = Some(Problem {
                    start: place.start,
                    end: place.end,
                    kind: ProblemKind::Encoding,
                    message: match doubt {
                        Doubt::Windows1252 => {
                            "not valid UTF-8: such values are read as windows-1252".to_owned()
                        }
                        _ => {
                            "not valid UTF-16: what cannot be read is shown as \u{fffd}".to_owned()
                        }
                    },
                    lost: false,
                });
            }
        }
        chunks.consume(total);
        self.coverage.read += total as u64;
    }

    /// Passes over the window's first line and reports it.
    fn drop_line(&mut self, chunks: &mut Chunks<'_>, message: &str) -> Problem {
        let start = chunks.offset();
        let window = chunks.window();
        let (content, total) =
            line_end(window, self.dialect.encoding).unwrap_or((window.len(), window.len()));
        chunks.consume(total);
        self.coverage.lost += content as u64;
        self.coverage.filler += (total - content) as u64;
        Problem {
            start,
            end: start + content as u64,
            kind: ProblemKind::Syntax,
            message: message.to_owned(),
            lost: true,
        }
    }

    /// A record that reaches the bound: its first line is passed over, however long.
    fn too_long(&mut self, chunks: &mut Chunks<'_>) -> Problem {
        self.rescanned += chunks.window().len();
        let (start, encoding) = (chunks.offset(), self.dialect.encoding);
        let window = chunks.window();
        if line_end(&window[..window.len().min(ROW_BOUND)], encoding).is_some() {
            return self.drop_line(
                chunks,
                "a quotation mark is not closed within 16 MiB: the line is passed over",
            );
        }
        loop {
            let window = chunks.window();
            if window.is_empty() {
                break;
            }
            if let Some((content, total)) = line_end(window, encoding) {
                chunks.consume(content);
                let lost = chunks.offset() - start;
                self.coverage.lost += lost;
                chunks.consume(total - content);
                self.coverage.filler += (total - content) as u64;
                return bound_problem(start, lost);
            }
            // An odd byte stays, so that UTF-16 keeps its step.
            let whole = window.len() & !(encoding.width() - 1);
            let step = if whole == 0 { window.len() } else { whole };
            chunks.consume(step);
        }
        let lost = chunks.offset() - start;
        self.coverage.lost += lost;
        bound_problem(start, lost)
    }

    /// Whether the line behind the window's first one has as many fields as a record of this file.
    fn next_line_fits(&self, chunks: &mut Chunks<'_>) -> bool {
        let window = chunks.window();
        let Some((_, total)) = line_end(window, self.dialect.encoding) else { return false };
        let mut fields = Vec::new();
        let next = &window[total..];
        self.columns > 1
            && matches!(split(next, true, self.dialect, false, &mut fields), Split::Record { .. })
            && fields.len() == self.columns
    }
}

fn bound_problem(start: u64, lost: u64) -> Problem {
    Problem {
        start,
        end: start + lost,
        kind: ProblemKind::Bound,
        message: "a line is longer than 16 MiB: it is passed over".to_owned(),
        lost: true,
    }
}

/// Where the first line's content ends, and where the next line begins.
fn line_end(bytes: &[u8], encoding: Encoding) -> Option<(usize, usize)> {
    let w = encoding.width();
    let mut i = 0;
    if encoding == Encoding::Utf8 {
        i = memchr::memchr2(b'\n', b'\r', bytes)?;
    } else {
        loop {
            match encoding.unit(bytes, i)? {
                10 | 13 => break,
                _ => i += w,
            }
        }
    }
    let crlf = encoding.unit(bytes, i) == Some(13) && encoding.unit(bytes, i + w) == Some(10);
    Some((i, i + if crlf { 2 * w } else { w }))
}

//! IPTV playlists (M3U, M3U8): entries with their attributes, as players take them and as the wild
//! breaks them.
//!
//! An **entry** is a URL (or, behind `#EXTINF`, a path) with the lines in front of it: `#EXTINF`,
//! `#EXTGRP`, `#EXTVLCOPT`, `#KODIPROP` and the like, in any order. Each belongs to the next URL
//! only. Every entry gives facts or a problem: an `#EXTINF` that no URL follows is lost and said so.
//! Lines that are neither are problems, one a run of lines; comments and blank lines are filler.
//!
//! A page or an answer that stands where a playlist should be is one problem, and is scanned for
//! indicators like a file that no parser reads.
//!
//! Text is UTF-8, with a byte-order mark or without; lines that are not are read as Windows-1252,
//! which one problem says. UTF-16 is recoded, spans stay those of the exhibit.
//!
//! Bounds: a line of 1 MiB, an entry of 4 MiB.

pub(crate) mod attributes;
pub(crate) mod entry;
pub(crate) mod lines;
pub(crate) mod sniff;
pub(crate) mod utf16;

use model::{Problem, ProblemKind};

use crate::chunks::Chunks;
use crate::parser::{Coverage, Input, Parser};
use crate::scan;
use crate::sink::Sink;
use entry::{Maker, Part};
use lines::{Line, Lines};

use sniff::sniff;

/// The parser.
pub const PARSER: Parser =
    Parser { name: "m3u", version: 2, about: "IPTV playlists (M3U, M3U8)", sniff, parse };

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let head = chunks.fill(1024);
    if let Some(what) = sniff::page(&utf16::sniffable(&head[..head.len().min(1024)])) {
        return other(what, input, chunks, out);
    }
    match utf16::detect(chunks.fill(64)) {
        Some(order) => utf16::run(order, input, chunks, out, read),
        None => read(input, chunks, out),
    }
}

/// What stands where a playlist should be, such as a provider's page that says why there is none:
/// it names hosts and accounts all the same, so it is scanned as any other text would be.
fn other(what: &str, input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let start = chunks.offset();
    let coverage = (scan::PARSER.parse)(input, chunks, out);
    out.problem(Problem {
        start,
        end: chunks.offset(),
        kind: ProblemKind::Syntax,
        message: format!("{what} stands where a playlist should be: it was scanned for indicators"),
        lost: false,
    });
    coverage
}

/// A line still in the window: places relative to its first byte.
struct Held {
    part: Part,
    start: usize,
    end: usize,
}

struct Reader<'o> {
    maker: Maker,
    out: &'o mut dyn Sink,
    coverage: Coverage,
    /// The lines of the entry at hand, and their bytes, line ends included.
    held: Vec<Held>,
    held_bytes: u64,
    /// A run of lines that are nothing.
    junk: Option<(u64, u64)>,
    foreign: Option<(u64, u64, u64)>,
    unclosed: Option<(u64, u64, u64)>,
}

fn read(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let mut reader = Reader {
        maker: Maker::new(input.exhibit),
        out,
        coverage: Coverage::default(),
        held: Vec::new(),
        held_bytes: 0,
        junk: None,
        foreign: None,
        unclosed: None,
    };
    lines::each(chunks, &mut reader);
    reader.finish()
}

impl Lines for Reader<'_> {
    fn kept(&self) -> Option<usize> {
        self.held.first().map(|first| first.start)
    }

    fn shift(&mut self, by: usize) {
        for held in &mut self.held {
            held.start -= by;
            held.end -= by;
        }
    }

    fn let_go(&mut self, base: u64, at_end: bool) {
        self.drop_held(base, at_end);
    }

    fn too_long(&mut self, start: u64, end: u64, bytes: u64) {
        self.end_junk();
        self.coverage.lost += bytes;
        self.out.problem(Problem {
            start,
            end,
            kind: ProblemKind::Bound,
            message: "a line longer than 1 MiB".to_owned(),
            lost: true,
        });
    }

    fn line(&mut self, window: &[u8], start: usize, end: usize, next: usize, base: u64) {
        let bytes = (next - start) as u64;
        let (front, text) = lines::trim(&window[start..end]);
        let Some(first) = text.first() else {
            self.coverage.filler += bytes;
            return;
        };
        let part = if *first == b'#' {
            if is(text, b"#EXTINF") {
                Some(Part::ExtInf)
            } else if is(text, b"#EXTM3U") {
                return self.header(window, start, end, bytes, base);
            } else if is_directive(text) {
                Some(Part::Directive)
            } else {
                self.coverage.filler += bytes;
                return;
            }
        } else {
            let expected = self.held.iter().any(|h| h.part == Part::ExtInf);
            is_location(text, expected).then_some(Part::Url)
        };
        let Some(part) = part else {
            let at = base + (start + front) as u64;
            self.coverage.lost += bytes;
            let end = base + end as u64;
            match &mut self.junk {
                Some(run) => run.1 = end,
                None => self.junk = Some((at, end)),
            }
            return;
        };
        self.end_junk();
        if part == Part::ExtInf && self.held.iter().any(|h| h.part == Part::ExtInf) {
            self.drop_held(base, false);
        }
        self.held.push(Held { part, start, end });
        self.held_bytes += bytes;
        if part == Part::Url {
            self.entry(window, base);
        }
    }
}

impl Reader<'_> {
    fn entry(&mut self, window: &[u8], base: u64) {
        let lines: Vec<(Part, Line<'_>)> = self
            .held
            .iter()
            .map(|h| (h.part, Line::new(&window[h.start..h.end], base + h.start as u64)))
            .collect();
        let flaws = self.maker.entry(&lines, self.out);
        for (_, line) in &lines {
            self.note_foreign(line);
        }
        if flaws.unclosed_quote
            && let Some((_, line)) = lines.iter().find(|(p, _)| *p == Part::ExtInf)
        {
            note(&mut self.unclosed, line);
        }
        self.coverage.read += std::mem::take(&mut self.held_bytes);
        self.held.clear();
    }

    fn header(&mut self, window: &[u8], start: usize, end: usize, bytes: u64, base: u64) {
        self.end_junk();
        if !self.held.is_empty() {
            self.drop_held(base, false);
        }
        let line = Line::new(&window[start..end], base + start as u64);
        let flaws = self.maker.header(&line, self.out);
        self.note_foreign(&line);
        if flaws.unclosed_quote {
            note(&mut self.unclosed, &line);
        }
        self.coverage.read += bytes;
    }

    fn note_foreign(&mut self, line: &Line<'_>) {
        if line.foreign() {
            note(&mut self.foreign, line);
        }
    }

    /// Lines that no URL follows.
    fn drop_held(&mut self, base: u64, at_end: bool) {
        let (Some(first), Some(last)) = (self.held.first(), self.held.last()) else { return };
        let entry = self.held.iter().any(|h| h.part == Part::ExtInf);
        let (kind, message) = match (at_end, entry) {
            (true, true) => (ProblemKind::Truncated, "the playlist ends inside an entry"),
            (false, true) => (ProblemKind::Syntax, "an entry without a URL"),
            _ => (ProblemKind::Syntax, "lines that belong to no entry"),
        };
        self.out.problem(Problem {
            start: base + first.start as u64,
            end: base + last.end as u64,
            kind,
            message: message.to_owned(),
            lost: true,
        });
        self.coverage.lost += std::mem::take(&mut self.held_bytes);
        self.held.clear();
    }

    fn end_junk(&mut self) {
        if let Some((start, end)) = self.junk.take() {
            self.out.problem(Problem {
                start,
                end,
                kind: ProblemKind::Syntax,
                message: "neither a URL nor a line of M3U".to_owned(),
                lost: true,
            });
        }
    }

    fn finish(mut self) -> Coverage {
        self.end_junk();
        let whole = [
            (
                self.foreign,
                ProblemKind::Encoding,
                "lines are not UTF-8 and were read as Windows-1252",
            ),
            (self.unclosed, ProblemKind::Syntax, "lines have a quote that does not close"),
        ];
        for (found, kind, message) in whole {
            if let Some((start, end, count)) = found {
                let message = format!("{count} {message}; this is the first");
                self.out.problem(Problem { start, end, kind, message, lost: false });
            }
        }
        self.coverage
    }
}

/// Counts a flawed line; the first one's place is kept.
fn note(into: &mut Option<(u64, u64, u64)>, line: &Line<'_>) {
    let (start, end) = line.span(&(0..line.text.len()));
    into.get_or_insert((start, end, 0)).2 += 1;
}

/// True where the line begins with the tag, case aside, and the tag ends there.
fn is(text: &[u8], tag: &[u8]) -> bool {
    text.len() >= tag.len()
        && text[..tag.len()].eq_ignore_ascii_case(tag)
        && !text.get(tag.len()).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'-')
}

/// `#EXT…:` or `#…PROP:`: capitals, digits, `-` and `_`, then a colon.
fn is_directive(text: &[u8]) -> bool {
    let name =
        text[1..].iter().take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    let n = 1 + name.count();
    let tag = &text[..n];
    text.get(n) == Some(&b':')
        && (tag[1..].get(..3).is_some_and(|t| t.eq_ignore_ascii_case(b"EXT"))
            || tag.to_ascii_uppercase().ends_with(b"PROP")
            || tag.eq_ignore_ascii_case(b"#PLAYLIST"))
}

/// A URL; or, where an entry waits for one, what could be a path.
fn is_location(text: &[u8], expected: bool) -> bool {
    if text.starts_with(b"http://") || text.starts_with(b"https://") {
        return true;
    }
    let scheme = text.iter().take(24).position(|b| *b == b':').filter(|n| {
        *n > 0 && text[..*n].iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b))
    });
    if scheme.is_some_and(|n| text[n..].starts_with(b"://")) {
        return true;
    }
    let path = text.split(|b| *b == b'|').next().unwrap_or_default();
    let clean = !path.iter().any(|b| b"<>\"{}^`".contains(b) || *b < 0x20);
    let blanks = path.contains(&b' ');
    let extension = path.rsplit(|b| *b == b'.').next().is_some_and(|e| {
        e.len() < path.len()
            && (2..=5).contains(&e.len())
            && e.iter().all(u8::is_ascii_alphanumeric)
    });
    let begins = path.first().is_some_and(|b| {
        b.is_ascii_alphanumeric() || matches!(b, b'/' | b'.' | b'_' | b'\\' | b'%' | 0x80..)
    });
    let media = extension && sniff::media_file(path);
    begins && clean && if expected { !blanks || extension } else { media }
}

#[cfg(test)]
mod tests;

//! Host lists: names, URLs, addresses and networks, one a line, in columns, or in JSON.
//!
//! - **Lines**: an entry a line; `#`, `;`, `!` and `//` begin comments; hosts files (`address name
//!   name …`); `*.name`, `||name^`.
//! - **Columns**: a header that names one column or more of hosts ([`columns::COLUMNS`]); the others
//!   are read over.
//! - **JSON**: strings in arrays, and values of keys named as such columns are.
//!
//! What stands where an entry belongs and is none is a located problem; nothing is passed over.

mod columns;
mod entry;
mod json;

use model::{Problem, ProblemKind};

use crate::chunks::Chunks;
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::sink::Sink;

/// Reads host lists.
pub const PARSER: Parser = Parser {
    name: "host-list",
    version: 1,
    about: "lists of domains, URLs, addresses and networks: text, CSV, JSON",
    sniff,
    parse,
};

/// The longest line, in bytes.
const MAX_LINE: usize = 64 << 10;

/// What a list is written in.
enum Form {
    Lines,
    Columns(columns::Header),
    Json,
}

fn form(head: &[u8]) -> Option<(Form, Confidence)> {
    let body = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    match body.trim_ascii_start().first()? {
        b'{' | b'[' => json::sniff(body).then_some((Form::Json, Confidence(70))),
        _ if body.contains(&0) => None,
        _ => match columns::sniff(body) {
            Some((header, sure)) => Some((Form::Columns(header), sure)),
            None => lines_fit(body).then_some((Form::Lines, Confidence(70))),
        },
    }
}

fn sniff(head: &[u8], _: &str) -> Confidence {
    form(head).map_or(Confidence::NO, |(_, sure)| sure)
}

/// Eight lines of ten are entries, one at least.
fn lines_fit(body: &[u8]) -> bool {
    let whole = body.len() < 64 << 10;
    let mut lines: Vec<&[u8]> = body.split(|b| *b == b'\n').collect();
    if !whole {
        // The head's last line is cut.
        lines.pop();
    }
    let (mut all, mut good) = (0u32, 0u32);
    for line in lines.into_iter().map(content).filter(|line| !line.is_empty()).take(2000) {
        all += 1;
        let mut words = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty());
        let first = words.next().is_some_and(entry::surely);
        good += u32::from(first && words.all(entry::surely));
    }
    good >= 1 && good * 10 >= all * 8
}

/// A line without its comment and the blanks around.
fn content(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    if matches!(line.first(), Some(b'#' | b';' | b'!')) || line.starts_with(b"//") {
        return b"";
    }
    let comment =
        line.windows(2).position(|w| w[0].is_ascii_whitespace() && matches!(w[1], b'#' | b';'));
    line[..comment.unwrap_or(line.len())].trim_ascii()
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let head = chunks.fill(64 << 10);
    let head = &head[..head.len().min(64 << 10)];
    match form(head).map(|(form, _)| form) {
        Some(Form::Json) => json::parse(input, chunks, out),
        Some(Form::Columns(header)) => {
            let mut reader = columns::Reader::new(header);
            by_line(chunks, out, &mut |line, base, out| reader.line(input, line, base, out))
        }
        _ => by_line(chunks, out, &mut |line, base, out| read_line(input, line, base, out)),
    }
}

/// What became of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Read,
    Filler,
    /// With why.
    Lost(&'static str),
}

type ReadLine<'r> = dyn FnMut(&[u8], u64, &mut dyn Sink) -> Fate + 'r;

/// Goes line by line; each byte's fate is its line's.
fn by_line(chunks: &mut Chunks<'_>, out: &mut dyn Sink, read: &mut ReadLine<'_>) -> Coverage {
    let mut coverage = Coverage::default();
    let mut bom = chunks.fill(3).starts_with(b"\xef\xbb\xbf");
    // Inside a line that is too long.
    let mut tail = false;
    loop {
        let base = chunks.offset();
        let mut searched = 0;
        let (len, ended) = loop {
            let window = chunks.window();
            let seen = window.len().min(MAX_LINE);
            if let Some(end) = memchr::memchr(b'\n', &window[searched..seen]) {
                break (searched + end + 1, true);
            }
            if seen == MAX_LINE {
                break (MAX_LINE, false);
            }
            searched = seen;
            if !chunks.more() {
                break (seen, true);
            }
        };
        if len == 0 {
            return coverage;
        }
        let skip = if std::mem::take(&mut bom) { 3 } else { 0 };
        let fate = if tail || !ended {
            Fate::Lost("a line longer than 64 KiB")
        } else {
            let line = &chunks.window()[skip..len];
            read(line, base + skip as u64, out)
        };
        tail = !ended;
        let bytes = len as u64;
        match fate {
            Fate::Read => coverage.read += bytes,
            Fate::Filler => coverage.filler += bytes,
            Fate::Lost(why) => {
                coverage.lost += bytes;
                out.problem(Problem {
                    start: base,
                    end: base + bytes,
                    kind: if ended { ProblemKind::Syntax } else { ProblemKind::Bound },
                    message: why.to_owned(),
                    lost: true,
                });
            }
        }
        chunks.consume(len);
    }
}

const NO_ENTRY: &str = "neither a host's name, a URL, an address nor a network";

fn read_line(input: &Input<'_>, line: &[u8], base: u64, out: &mut dyn Sink) -> Fate {
    let content = content(line);
    if content.is_empty() {
        return Fate::Filler;
    }
    // The content is a part of the line: where it begins is what the trimmed front leaves.
    let lead = line.len() - line.trim_ascii_start().len();
    let mut words = Vec::new();
    let mut at = lead;
    for word in content.split(u8::is_ascii_whitespace) {
        if !word.is_empty() {
            words.push((base + at as u64, word));
        }
        at += word.len() + 1;
    }
    let Some((&(first_at, first), names)) = words.split_first() else { return Fate::Filler };
    let read =
        |(at, word): (u64, &[u8]), out: &mut dyn Sink| entry::give(word, at, input.exhibit, out);
    if names.is_empty() {
        return if read((first_at, first), out).is_some() {
            Fate::Read
        } else {
            Fate::Lost(NO_ENTRY)
        };
    }
    let Some(ip) = entry::address(first) else {
        return Fate::Lost("words that are no line of a hosts file");
    };
    let key =
        if ip.is_unspecified() || ip.is_loopback() { None } else { read((first_at, first), out) };
    for (at, word) in names {
        match (read((*at, word), out), &key) {
            (Some(name), Some(key)) if name.scheme() == "domain" => {
                out.fact(model::Fact {
                    subject: name,
                    property: "has_address",
                    value: model::Value::Key(key.clone()),
                    start: first_at,
                    end: first_at + first.len() as u64,
                });
            }
            (None, _) if *word != b"localhost" && *word != b"broadcasthost" => {
                out.problem(Problem {
                    start: *at,
                    end: *at + word.len() as u64,
                    kind: ProblemKind::Syntax,
                    message: NO_ENTRY.to_owned(),
                    lost: false,
                });
            }
            _ => {}
        }
    }
    Fate::Read
}

#[cfg(test)]
mod tests;

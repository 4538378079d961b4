//! Lists of release names and the scene's `.nfo` texts: each name's facts, and the indicators that
//! stand in the same lines.

use model::{Fact, Problem, ProblemKind, Value};

use super::{facts, is_release_name};
use crate::chunks::Chunks;
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::scan;
use crate::sink::Sink;

/// Reads lists of release names.
pub const PARSER: Parser = Parser {
    name: "release-list",
    version: 1,
    about: "lists of release names, and .nfo texts",
    sniff,
    parse,
};

/// The longest line that is looked at whole, in bytes.
const MAX_LINE: usize = 64 << 10;

/// Names a line may hold besides its own size, date and path: words divided by blanks or slashes.
fn words(line: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut at = 0;
    line.split(|b| {
        b.is_ascii_whitespace() || matches!(b, b'/' | b'\\' | b'"' | b'\'' | b'|' | b',' | b';')
    })
    .map(move |word| {
        let here = at;
        at += word.len() + 1;
        (here, word)
    })
    .filter(|(_, word)| word.len() >= 8)
}

fn name_in(word: &[u8]) -> Option<&str> {
    std::str::from_utf8(word).ok().filter(|text| is_release_name(text))
}

fn sniff(head: &[u8], name: &str) -> Confidence {
    if head.contains(&0) {
        return Confidence::NO;
    }
    let lines = head.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).filter(|l| !l.is_empty());
    let (mut all, mut named) = (0u32, 0u32);
    for line in lines.take(200) {
        all += 1;
        named += u32::from(words(line).any(|(_, word)| name_in(word).is_some()));
    }
    let nfo = name.to_ascii_lowercase().ends_with(".nfo");
    if named >= 2 && named * 10 >= all * 6 {
        Confidence(60)
    } else if nfo && !head.starts_with(b"<") {
        Confidence(40)
    } else {
        Confidence::NO
    }
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let mut coverage = Coverage::default();
    loop {
        let base = chunks.offset();
        let mut searched = 0;
        let len = loop {
            let window = chunks.window();
            let seen = window.len().min(MAX_LINE);
            if let Some(end) = memchr::memchr(b'\n', &window[searched..seen]) {
                break searched + end + 1;
            }
            if seen == MAX_LINE {
                break MAX_LINE;
            }
            searched = seen;
            if !chunks.more() {
                break seen;
            }
        };
        if len == 0 {
            return coverage;
        }
        if len == MAX_LINE && chunks.window()[len - 1] != b'\n' {
            out.problem(Problem {
                start: base,
                end: base + len as u64,
                kind: ProblemKind::Bound,
                message: "a line longer than 64 KiB was read in pieces".to_owned(),
                lost: false,
            });
        }
        let line = &chunks.window()[..len];
        let blank = line.trim_ascii().is_empty();
        read_line(input, line, base, out);
        if blank {
            coverage.filler += len as u64;
        } else {
            coverage.read += len as u64;
        }
        chunks.consume(len);
    }
}

fn read_line(input: &Input<'_>, line: &[u8], base: u64, out: &mut dyn Sink) {
    let mut taken = Vec::new();
    for (at, word) in words(line) {
        if let Some(name) = name_in(word) {
            let start = base + at as u64;
            facts(name, start, start + word.len() as u64, out);
            taken.push(start..start + word.len() as u64);
        }
    }
    scan::mentions_in(line, base, input.exhibit, &mut |key, span, written| {
        let inside = taken.iter().any(|t| t.start <= span.start && span.end <= t.end);
        if !inside {
            let value = Value::Text(written.to_owned());
            out.fact(Fact {
                subject: key,
                property: "as_written",
                value,
                start: span.start,
                end: span.end,
            });
        }
    });
}

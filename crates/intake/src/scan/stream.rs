//! The scan over a whole exhibit, window by window.
//!
//! Each decision looks at most [`anchor::BACK`] bytes back and [`anchor::AHEAD`] ahead, and windows
//! overlap by as much: what is found does not depend on where a window ends.

use std::ops::Range;

use model::{Fact, Key, Value};

use super::anchor::Walker;
use super::text::{Coding, decode};
use super::wide::Wide;
use super::{Ground, Hit, Rules};
use crate::chunks::Chunks;
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::sink::Sink;
use crate::{filetype, magnet, xtream_url};

/// Scans what no other parser reads.
pub const PARSER: Parser = Parser {
    name: "scan",
    version: 1,
    about: "indicators in any bytes: hosts, addresses, accounts, wallets",
    sniff: |_, _| Confidence(10),
    parse,
};

/// Bytes looked at in one go. Small in tests, so that ends of windows stand everywhere.
const WINDOW: usize = if cfg!(test) { 8 << 10 } else { 1 << 20 };

/// Endings of files in which people write to people: there a bare `@name` is a handle.
const FREE_TEXT: &[&str] = &[".txt", ".text", ".eml", ".rtf", ".nfo", ".note"];

/// Endings of programs' sources, as full of dotted words as their binaries.
const CODE: &[&str] = &[
    ".py", ".rs", ".js", ".ts", ".jsx", ".tsx", ".c", ".h", ".cc", ".cpp", ".hpp", ".go", ".java",
    ".kt", ".swift", ".cs", ".rb", ".pl", ".pm", ".php", ".sh", ".lua", ".css", ".scss", ".m",
];

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let from = chunks.offset();
    let name = input.name.to_ascii_lowercase();
    let head = chunks.fill(64 << 10);
    let word = filetype::of(&head[..head.len().min(64 << 10)]);
    let is_code = CODE.iter().any(|ending| name.ends_with(ending));
    let ground = match word {
        _ if is_code => Ground::Binary,
        "text" | "text-latin1" | "text-utf16" => {
            let people = FREE_TEXT.iter().any(|ending| name.ends_with(ending));
            if people { Ground::People } else { Ground::Text }
        }
        "html" | "xml" | "svg" | "json" | "pem" | "rtf" | "script" | "php" | "warc" => Ground::Text,
        _ => Ground::Binary,
    };
    let rules = Rules { exhibit: Some(input.exhibit), ground, coding: Coding::Narrow };
    let mut walker = Walker::default();
    let mut wide = Wide::new(rules);
    loop {
        let base = chunks.offset();
        let window = chunks.fill(WINDOW + 1);
        let ended = window.len() <= WINDOW;
        let bytes = &window[..window.len().min(WINDOW)];
        let keep = walker.walk(&rules, bytes, ended, &mut |hit| {
            give(&hit, bytes, Coding::Narrow, &|at| base + at as u64, out);
        });
        let keep = keep.min(wide.walk(bytes, base, ended, &mut |hit, text, place| {
            give(&hit, text, Coding::Latin1, place, out);
        }));
        if ended {
            let len = bytes.len();
            chunks.consume(len);
            return Coverage { read: chunks.offset() - from, ..Coverage::default() };
        }
        chunks.consume(keep);
        walker.shift(keep);
        wide.shift(keep);
    }
}

/// Gives the facts of one hit. `place` leads from the buffer to the exhibit.
fn give(
    hit: &Hit,
    buffer: &[u8],
    coding: Coding,
    place: &dyn Fn(usize) -> u64,
    out: &mut dyn Sink,
) {
    let mut fact = |subject: &Key, property, value, range: &Range<usize>| {
        let (start, end) = (place(range.start), place(range.end));
        out.fact(Fact { subject: subject.clone(), property, value, start, end });
    };
    let written = decode(&buffer[hit.range.clone()], coding).into_owned();
    fact(&hit.key, "as_written", Value::Text(written), &hit.range);
    let Some(whole) = &hit.url else { return };
    if hit.key.scheme() == "swarm" {
        let text = decode(&buffer[whole.clone()], coding);
        // Only ASCII keeps its places; a magnet link has nothing else.
        if text.is_ascii() && magnet::first_hash(&text) == Some(hit.range.start - whole.start) {
            magnet::facts(&text, &|at| place(whole.start + at), out);
        }
        return;
    }
    let (text, map) = unescaped(&buffer[whole.clone()], coding);
    let secrets = xtream_url::secrets(&text);
    let shown = xtream_url::hide(&text, &secrets).into_owned();
    fact(&hit.key, "url", Value::Text(shown), whole);
    for secret in secrets {
        let (Some(first), Some(last)) = (map.get(secret.start), map.get(secret.end - 1)) else {
            continue;
        };
        let range = whole.start + first.start..whole.start + last.end;
        fact(&hit.key, "password", Value::Secret, &range);
    }
}

/// A URL without JSON's escapes of slashes, and for each of its bytes the place of its character in
/// the raw bytes.
fn unescaped(raw: &[u8], coding: Coding) -> (String, Vec<Range<usize>>) {
    let mut text = String::with_capacity(raw.len());
    let mut map = Vec::with_capacity(raw.len());
    let utf8 = coding == Coding::Narrow && std::str::from_utf8(raw).is_ok();
    let mut at = 0;
    while at < raw.len() {
        if raw[at..].starts_with(b"\\/") {
            at += 1;
        }
        let len = if utf8 { char_len(raw[at]) } else { 1 };
        let part = &raw[at..raw.len().min(at + len)];
        let piece = decode(part, coding);
        map.extend(std::iter::repeat_n(at..at + part.len(), piece.len()));
        text.push_str(&piece);
        at += part.len();
    }
    (text, map)
}

/// The length of the UTF-8 sequence that a byte begins.
fn char_len(byte: u8) -> usize {
    match byte {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    }
}

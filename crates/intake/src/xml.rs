//! XML as a stream of tags and texts with the span of each, for documents of any size.
//!
//! No entity is ever expanded but the five predefined ones and character references; a document
//! type declaration is passed over. What is not well formed is a located problem, and reading goes
//! on at the next tag: whether tags match is for the reader of the format to judge.

use model::{Problem, ProblemKind};

use crate::chunks::Chunks;
use crate::csv::decode::windows_1252;
use crate::parser::Coverage;

/// The longest tag, comment or declaration, in bytes.
pub const MAX_TAG: usize = 1 << 20;
/// The longest text between two tags, in bytes.
pub const MAX_TEXT: usize = 16 << 20;

/// What stands in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `<a …>`
    Start,
    /// `<a …/>`
    Empty,
    /// `</a>`
    End,
    /// Text between tags, not only white space. Entities stand as written.
    Text,
    /// The content of a CDATA section.
    CData,
}

/// A token. `raw` lives until the next call.
#[derive(Debug, Clone, Copy)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// First byte: of a tag its `<`, of a text its first character that is no white space.
    pub start: u64,
    /// One past the last byte.
    pub end: u64,
    /// A tag's inside, without brackets and slashes; a text's bytes.
    pub raw: &'a [u8],
}

impl<'a> Token<'a> {
    /// A tag's name without its name space prefix.
    pub fn name(&self) -> &'a [u8] {
        let end = self.raw.iter().position(|b| b.is_ascii_whitespace()).unwrap_or(self.raw.len());
        let name = &self.raw[..end];
        memchr::memrchr(b':', name).map_or(name, |colon| &name[colon + 1..])
    }

    /// A text, references undone outside CDATA sections.
    pub fn text(&self) -> String {
        if self.kind != Kind::CData {
            return decode(self.raw);
        }
        match std::str::from_utf8(self.raw) {
            Ok(text) => text.to_owned(),
            Err(_) => self.raw.iter().map(|b| windows_1252(*b)).collect(),
        }
    }

    /// The value of a tag's attribute (name without prefix), entities undone.
    pub fn attribute(&self, name: &str) -> Option<String> {
        attributes(self.raw).find(|(known, _)| *known == name.as_bytes()).map(|(_, v)| decode(v))
    }
}

/// The attributes of a tag's inside: local name and raw value.
pub fn attributes(raw: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = match raw.iter().position(|b| b.is_ascii_whitespace()) {
        Some(at) => &raw[at..],
        None => &[],
    };
    std::iter::from_fn(move || {
        rest = rest.trim_ascii_start();
        let equals = memchr::memchr(b'=', rest)?;
        let name = rest[..equals].trim_ascii();
        let name = memchr::memrchr(b':', name).map_or(name, |colon| &name[colon + 1..]);
        let value = rest[equals + 1..].trim_ascii_start();
        let quote = *value.first().filter(|q| matches!(q, b'"' | b'\''))?;
        let end = memchr::memchr(quote, &value[1..])? + 1;
        rest = &value[end + 1..];
        Some((name, &value[1..end]))
    })
}

/// A text with its references undone: the five predefined entities and character references; any
/// other entity stays as written. Bytes that are not UTF-8 are read as windows-1252.
pub fn decode(raw: &[u8]) -> String {
    let text = match std::str::from_utf8(raw) {
        Ok(text) => text.to_owned(),
        Err(_) => raw.iter().map(|b| windows_1252(*b)).collect(),
    };
    if !text.contains('&') {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('&') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = rest.bytes().take(12).position(|b| b == b';');
        match end.and_then(|end| Some((reference(&rest[1..end])?, end))) {
            Some((c, end)) => {
                out.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn reference(name: &str) -> Option<char> {
    match name {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code).filter(|c| *c != '\0')
        }
    }
}

/// The tokenizer.
pub struct Xml<'c, 's> {
    chunks: &'c mut Chunks<'s>,
    pending: usize,
    /// How the bytes given out were accounted for.
    pub coverage: Coverage,
}

/// How a search for a construct's end came out.
enum Found {
    At(usize),
    TooLong,
    Ended,
}

impl<'c, 's> Xml<'c, 's> {
    /// Over an exhibit, from the window's first byte on.
    pub fn new(chunks: &'c mut Chunks<'s>) -> Self {
        let mut xml = Self { chunks, pending: 0, coverage: Coverage::default() };
        if xml.chunks.fill(3).starts_with(b"\xef\xbb\xbf") {
            xml.chunks.consume(3);
            xml.coverage.filler += 3;
        }
        xml
    }

    /// Where the next token is looked for.
    pub fn offset(&self) -> u64 {
        self.chunks.offset() + self.pending as u64
    }

    fn find(
        &mut self,
        from: usize,
        bound: usize,
        mut what: impl FnMut(&[u8]) -> Option<usize>,
    ) -> Found {
        let mut from = from;
        loop {
            let window = self.chunks.window();
            let window = &window[..window.len().min(bound)];
            if let Some(at) = window.get(from..).and_then(&mut what) {
                return Found::At(from + at);
            }
            let len = window.len();
            if len >= bound {
                return Found::TooLong;
            }
            // A mark of up to three bytes may straddle the window's end.
            from = from.max(len.saturating_sub(2));
            if !self.chunks.more() {
                return if self.chunks.ended() { Found::Ended } else { Found::TooLong };
            }
        }
    }

    fn filler(&mut self, n: usize) {
        self.chunks.consume(n);
        self.coverage.filler += n as u64;
    }

    fn lose(&mut self, n: usize, kind: ProblemKind, message: &str) -> Problem {
        let start = self.chunks.offset();
        self.chunks.consume(n);
        self.coverage.lost += n as u64;
        let end = start + n as u64;
        Problem { start, end, kind, message: message.to_owned(), lost: true }
    }

    /// The next token, or a problem; `None` at the end.
    #[allow(clippy::should_implement_trait)] // Lends its bytes: no Iterator can.
    pub fn next(&mut self) -> Option<Result<Token<'_>, Problem>> {
        self.chunks.consume(std::mem::take(&mut self.pending));
        loop {
            let window = self.chunks.window();
            if window.is_empty() {
                return None;
            }
            if window[0] != b'<' {
                let end = match self.find(0, MAX_TEXT, |w| memchr::memchr(b'<', w)) {
                    Found::At(end) => end,
                    Found::Ended => self.chunks.window().len(),
                    Found::TooLong => {
                        return Some(Err(self.skip_long("a text longer than 16 MiB")));
                    }
                };
                let window = self.chunks.window();
                let text = &window[..end];
                let blank = text.len() - text.trim_ascii_start().len();
                if blank > 0 {
                    self.filler(blank);
                    continue;
                }
                let keep = text.trim_ascii_end().len();
                return Some(Ok(self.give(Kind::Text, 0, keep, keep)));
            }
            let head = self.chunks.fill(9);
            let (mark, skipped): (&[u8], usize) = if head.starts_with(b"<!--") {
                (b"-->", 4)
            } else if head.starts_with(b"<![CDATA[") {
                (b"]]>", 9)
            } else if head.starts_with(b"<?") {
                (b"?>", 2)
            } else if head.starts_with(b"<!") {
                return match self.declaration() {
                    Ok(()) => continue,
                    Err(problem) => Some(Err(problem)),
                };
            } else {
                return Some(self.tag());
            };
            let bound = if skipped == 9 { MAX_TEXT } else { MAX_TAG };
            match self.find(skipped, bound, |w| memchr::memmem::find(w, mark)) {
                Found::At(end) if skipped == 9 => {
                    let total = end + mark.len();
                    return Some(Ok(self.give(Kind::CData, 9, end, total)));
                }
                Found::At(end) => self.filler(end + mark.len()),
                Found::Ended => return Some(Err(self.cut())),
                Found::TooLong => {
                    return Some(Err(self.skip_long("a comment or section that is too long")));
                }
            }
        }
    }

    /// The window's first `total` bytes become a token whose raw bytes are `from..to`.
    fn give(&mut self, kind: Kind, from: usize, to: usize, total: usize) -> Token<'_> {
        self.pending = total;
        self.coverage.read += total as u64;
        let offset = self.chunks.offset();
        let (start, end) = match kind {
            Kind::CData => (offset + from as u64, offset + to as u64),
            _ => (offset, offset + total as u64),
        };
        Token { kind, start, end, raw: &self.chunks.window()[from..to] }
    }

    fn tag(&mut self) -> Result<Token<'_>, Problem> {
        let mut quote = 0u8;
        // The state of the quotes goes on where the window was widened.
        let mut close = |w: &[u8]| {
            w.iter().position(|b| match (quote, *b) {
                (0, b'>' | b'<') => true,
                (0, b'"' | b'\'') => {
                    quote = *b;
                    false
                }
                (q, b) => {
                    if q == b {
                        quote = 0;
                    }
                    false
                }
            })
        };
        let mut from = 1;
        let end = loop {
            let window = self.chunks.window();
            let len = window.len().min(MAX_TAG);
            if let Some(at) = close(&window[from.min(len)..len]) {
                break from + at;
            }
            if len >= MAX_TAG {
                return Err(self.skip_long("a tag longer than 1 MiB"));
            }
            from = len;
            if !self.chunks.more() {
                return Err(if self.chunks.ended() {
                    self.cut()
                } else {
                    self.skip_long("a tag that is too long")
                });
            }
        };
        let window = self.chunks.window();
        if window[end] == b'<' {
            return Err(self.lose(end, ProblemKind::Syntax, "a tag that is not closed"));
        }
        let inside = &window[1..end];
        if inside.first() == Some(&b'/') {
            let to = 1 + inside.trim_ascii_end().len();
            return Ok(self.give(Kind::End, 2, to.max(2), end + 1));
        }
        if !inside.first().is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_' || *b >= 0x80) {
            return Err(self.lose(end + 1, ProblemKind::Syntax, "no tag"));
        }
        if inside.last() == Some(&b'/') {
            return Ok(self.give(Kind::Empty, 1, end - 1, end + 1));
        }
        Ok(self.give(Kind::Start, 1, end, end + 1))
    }

    /// `<!DOCTYPE …>` with its inner subset, passed over.
    fn declaration(&mut self) -> Result<(), Problem> {
        let (mut depth, mut from) = (0i32, 0);
        loop {
            let window = self.chunks.window();
            let len = window.len().min(MAX_TAG);
            for (i, b) in window[from..len].iter().enumerate() {
                match b {
                    b'<' | b'[' => depth += 1,
                    b'>' | b']' => depth -= 1,
                    _ => {}
                }
                if depth <= 0 {
                    self.filler(from + i + 1);
                    return Ok(());
                }
            }
            from = len;
            if len >= MAX_TAG || !self.chunks.more() {
                return Err(if self.chunks.ended() && len < MAX_TAG {
                    self.cut()
                } else {
                    self.skip_long("a declaration longer than 1 MiB")
                });
            }
        }
    }

    fn cut(&mut self) -> Problem {
        let n = self.chunks.window().len();
        self.lose(n, ProblemKind::Truncated, "the document ends inside a tag or section")
    }

    /// Passes over what stands up to the next `<` behind the first byte.
    fn skip_long(&mut self, message: &str) -> Problem {
        let start = self.chunks.offset();
        self.chunks.consume(1);
        loop {
            let window = self.chunks.window();
            let (n, found) = match memchr::memchr(b'<', window) {
                Some(at) => (at, true),
                None => (window.len(), false),
            };
            self.chunks.consume(n);
            if found || n == 0 {
                break;
            }
        }
        let end = self.chunks.offset();
        self.coverage.lost += end - start;
        Problem { start, end, kind: ProblemKind::Bound, message: message.to_owned(), lost: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn tokens(bytes: &[u8]) -> (Vec<String>, Vec<Problem>, Coverage) {
        let mut source = bytes;
        let mut chunks = Chunks::new(&mut source);
        let mut xml = Xml::new(&mut chunks);
        let (mut seen, mut problems) = (Vec::new(), Vec::new());
        while let Some(token) = xml.next() {
            match token {
                Ok(t) => {
                    assert_eq!(
                        t.kind == Kind::Text,
                        bytes[t.start as usize] != b'<' && t.kind != Kind::CData
                    );
                    let (open, close) = (t.start as usize, t.end as usize);
                    if matches!(t.kind, Kind::Text | Kind::CData) {
                        assert_eq!(&bytes[open..close], t.raw);
                    }
                    seen.push(format!("{:?} {}", t.kind, t.text()));
                }
                Err(problem) => problems.push(problem),
            }
        }
        let coverage = xml.coverage;
        assert_eq!(coverage.total(), bytes.len() as u64);
        (seen, problems, coverage)
    }

    #[test]
    fn tags_texts_and_entities() {
        let (seen, problems, _) = tokens(
            b"\xef\xbb\xbf<?xml version='1.0'?><!DOCTYPE a [<!ENTITY x 'y'>]>\n<n:a b=\"1>0\"> A &amp; B&#x20AC;&x; <!-- <c> --><d/><![CDATA[<e>&amp;]]></n:a>",
        );
        assert_eq!(problems, []);
        assert_eq!(
            seen,
            ["Start n:a b=\"1>0\"", "Text A & B€&x;", "Empty d", "CData <e>&amp;", "End n:a"]
        );
        let token =
            Token { kind: Kind::Start, start: 0, end: 0, raw: b"n:a x:b=\"1\" Ccy = 'E&lt;R'" };
        assert_eq!(token.name(), b"a");
        assert_eq!(token.attribute("Ccy").as_deref(), Some("E<R"));
        assert_eq!(token.attribute("b").as_deref(), Some("1"));
    }

    #[test]
    fn broken_markup_costs_itself() {
        let (seen, problems, _) = tokens(b"<a><b <c>x</c>< 1></a><d");
        assert_eq!(seen, ["Start a", "Start c", "Text x", "End c", "End a"]);
        assert_eq!(problems.len(), 3);
        assert_eq!(problems[2].kind, ProblemKind::Truncated);
    }

    proptest! {
        #[test]
        fn nothing_panics(bytes in proptest::collection::vec(prop_oneof![Just(b'<'), Just(b'>'), Just(b'/'), Just(b'!'), Just(b'-'), Just(b'['), Just(b'"'), Just(b'&'), Just(b';'), Just(b' '), any::<u8>()], 0..200)) {
            tokens(&bytes);
        }
    }
}

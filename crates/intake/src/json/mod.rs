//! JSON as a stream of tokens with the span of each: documents of any size in bounded memory.
//!
//! ```
//! use intake::json::{Json, Kind};
//! let mut json = Json::slice(br#"{"name": "a\u0062"}"#, 0);
//! while let Some(token) = json.next() {
//!     if token.kind == Kind::String {
//!         assert_eq!((token.start, token.end), (10, 17)); // without the quotes
//!         assert_eq!(token.text().0, "ab");
//!     }
//! }
//! ```
//!
//! **Tolerant.** What the grammar does not allow comes as a [`Kind::Broken`] token with its span,
//! and reading goes on at the next place that fits. A broken token never stands for a value: a reader
//! that waits for a key's value sees a value, or the next key, or the object's end, and reports
//! broken tokens as they pass ([`Token::problem`]). Several documents one behind the other (JSON lines) are read as
//! one stream; commas between them are broken.
//!
//! **Truncated.** A document that ends too early gives one broken token of kind `Truncated` and then
//! no end tokens for what was open: a reader that acts on [`Kind::ObjectEnd`] never acts on half an
//! object. A number or word that the end may have cut is never given out.
//!
//! **Bounds.** Nesting of [`MAX_DEPTH`]; a string of [`MAX_STRING`] bytes or of the window's bound,
//! whichever is less. What lies beyond is passed over, in bounded memory, as one broken token of
//! kind `Bound`.

mod node;
mod source;
mod text;

use std::borrow::Cow;

use model::{Problem, ProblemKind};

use crate::chunks::Chunks;
use crate::parser::Coverage;

use source::Source;

pub use node::{Held, Node, NodeKind};
pub use text::decode;
use text::is_number;
pub(crate) use text::places;

/// The deepest nesting that is read.
pub const MAX_DEPTH: usize = 256;
/// The longest string that is read, in bytes between its quotes.
pub const MAX_STRING: usize = 64 << 20;

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{`
    ObjectStart,
    /// `}`; empty span where it was missing and a closing bracket of an outer value stood instead.
    ObjectEnd,
    /// `[`
    ArrayStart,
    /// `]`; see [`Kind::ObjectEnd`].
    ArrayEnd,
    /// A key of an object.
    Key,
    /// A string that is a value.
    String,
    /// A number, in JSON's grammar.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
    /// Bytes that could not be read; never stands for a value.
    Broken(Fault),
}

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Bytes that the grammar does not allow here. They are lost.
    Junk,
    /// A word or number that is none of JSON's. Lost.
    Word,
    /// A comma is missing; nothing is lost.
    NoComma,
    /// A colon is missing; nothing is lost.
    NoColon,
    /// A key has no value; nothing else is lost.
    NoValue,
    /// A closing bracket is missing; nothing is lost.
    NoClose,
    /// The document ends inside a value.
    Truncated,
    /// Nesting beyond [`MAX_DEPTH`]: the inner value is lost.
    TooDeep,
    /// A string beyond its bound: lost.
    TooLong,
}

impl Fault {
    fn about(self) -> (ProblemKind, &'static str, bool) {
        use ProblemKind::{Bound, Syntax, Truncated};
        match self {
            Self::Junk => (Syntax, "bytes that JSON does not allow here", true),
            Self::Word => (Syntax, "a word or number that JSON does not have", true),
            Self::NoComma => (Syntax, "a comma is missing", false),
            Self::NoColon => (Syntax, "a colon is missing behind a key", false),
            Self::NoValue => (Syntax, "a key without a value", false),
            Self::NoClose => (Syntax, "a closing bracket is missing", false),
            Self::Truncated => (Truncated, "the document ends inside a value", true),
            Self::TooDeep => {
                (Bound, "nested more than 256 deep; the inner value was not read", true)
            }
            Self::TooLong => (Bound, "a string longer than is read", true),
        }
    }
}

/// A token. `raw` lives until the next call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its first byte; of a string or key, the first behind the quote.
    pub start: u64,
    /// One past its last byte; of a string or key, the closing quote's place.
    pub end: u64,
    /// Its bytes, `start..end`; empty for broken tokens.
    pub raw: &'a [u8],
    /// How many containers are open around it; a start or end token counts its own.
    pub depth: usize,
}

impl<'a> Token<'a> {
    /// A key's or string's text, escapes undone, with true where bytes or escapes were broken;
    /// another token's bytes.
    pub fn text(&self) -> (Cow<'a, str>, bool) {
        decode(self.raw)
    }

    /// True for a token that is a whole value or begins one.
    pub fn begins_value(&self) -> bool {
        !matches!(self.kind, Kind::ObjectEnd | Kind::ArrayEnd | Kind::Key | Kind::Broken(_))
    }

    /// The problem that a broken token is.
    pub fn problem(&self) -> Option<Problem> {
        let Kind::Broken(fault) = self.kind else { return None };
        let (kind, message, lost) = fault.about();
        Some(Problem { start: self.start, end: self.end, kind, message: message.to_owned(), lost })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expect {
    /// A value. In an array just opened, or behind a comma, its end fits too.
    Value,
    /// A key or the object's end.
    Key,
    Colon,
    /// A comma or the container's end.
    Comma,
}

/// The tokenizer.
pub struct Json<'c, 's> {
    source: Source<'c, 's>,
    /// Bytes of the window that the last token used, to be given back at the next call.
    pending: usize,
    /// The open containers: where each began, true for objects.
    stack: Vec<(u64, bool)>,
    expect: Expect,
    /// End tokens still to be given for containers closed by an outer bracket.
    to_close: usize,
    ended: bool,
    filler: u64,
    lost: u64,
}

impl<'c, 's> Json<'c, 's> {
    /// Over an exhibit, from the window's first byte on; a byte-order mark is passed over.
    pub fn new(chunks: &'c mut Chunks<'s>) -> Self {
        Self::over(Source::Chunks(chunks))
    }

    /// Over bytes at hand, the first of which stands at offset `base`.
    pub fn slice(bytes: &'c [u8], base: u64) -> Self {
        Self::over(Source::Slice { bytes, at: 0, base })
    }

    fn over(mut source: Source<'c, 's>) -> Self {
        while source.window().len() < 3 && source.more() {}
        let mut filler = 0;
        if source.window().starts_with(b"\xef\xbb\xbf") {
            source.consume(3);
            filler = 3;
        }
        Self {
            source,
            pending: 0,
            stack: Vec::new(),
            expect: Expect::Value,
            to_close: 0,
            ended: false,
            filler,
            lost: 0,
        }
    }

    /// Where the next token is looked for.
    pub fn offset(&self) -> u64 {
        self.source.offset() + self.pending as u64
    }

    /// How many containers are open.
    pub fn depth(&self) -> usize {
        self.stack.len()
    }

    /// How the bytes up to [`Json::offset`] were accounted for: white space is filler, broken
    /// tokens' bytes are lost, the rest was read. `from` is the offset the tokenizer began at.
    pub fn coverage(&self, from: u64) -> Coverage {
        let total = self.offset() - from;
        Coverage { read: total - self.filler - self.lost, filler: self.filler, lost: self.lost }
    }

    /// The next token; `None` at the end.
    #[allow(clippy::should_implement_trait)] // Lends its bytes: no Iterator can.
    pub fn next(&mut self) -> Option<Token<'_>> {
        self.source.consume(std::mem::take(&mut self.pending));
        if self.to_close > 0 {
            self.to_close -= 1;
            return Some(self.close(0));
        }
        if self.ended {
            return None;
        }
        loop {
            let Some(byte) = self.skip_blanks() else { return self.end() };
            let object = self.stack.last().is_some_and(|(_, object)| *object);
            match (self.expect, byte) {
                (Expect::Value, b'{' | b'[') => return Some(self.open(byte == b'{')),
                (Expect::Value, b'"') => return Some(self.string(Kind::String)),
                (Expect::Key, b'"') => return Some(self.string(Kind::Key)),
                (Expect::Value, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z') => {
                    return Some(self.word());
                }
                (Expect::Colon, b':') => {
                    self.source.consume(1);
                    self.expect = Expect::Value;
                }
                (Expect::Colon, b'}' | b']' | b',') => {
                    self.expect = Expect::Comma;
                    return Some(self.note(Fault::NoValue));
                }
                (Expect::Colon, _) => {
                    self.expect = Expect::Value;
                    return Some(self.note(Fault::NoColon));
                }
                (Expect::Value, b'}') if object => {
                    self.expect = Expect::Comma;
                    return Some(self.note(Fault::NoValue));
                }
                (Expect::Comma, b',') => {
                    self.source.consume(1);
                    self.expect = if object { Expect::Key } else { Expect::Value };
                }
                (Expect::Comma, b'"' | b'{' | b'[' | b'-' | b'0'..=b'9' | b'a'..=b'z')
                    if !self.stack.is_empty() =>
                {
                    self.expect = if object { Expect::Key } else { Expect::Value };
                    return Some(self.note(Fault::NoComma));
                }
                (_, b'}' | b']') => {
                    return Some(self.closing(byte == b'}'));
                }
                _ => return Some(self.junk()),
            }
        }
    }

    /// Passes over the rest of the value that `kind` begins (that of the token just given): for a
    /// start token to its end, in bounded memory and without decoding; nothing for the others.
    /// Problems inside go to `report`. False where the document ended first.
    pub fn skip(&mut self, kind: Kind, mut report: impl FnMut(Problem)) -> bool {
        if !matches!(kind, Kind::ObjectStart | Kind::ArrayStart) {
            return true;
        }
        let depth = self.stack.len();
        while let Some(token) = self.next() {
            if matches!(token.kind, Kind::ObjectEnd | Kind::ArrayEnd) && token.depth == depth {
                return true;
            }
            if let Some(problem) = token.problem() {
                report(problem);
            }
        }
        false
    }

    fn skip_blanks(&mut self) -> Option<u8> {
        loop {
            let window = self.source.window();
            if window.is_empty() {
                return None;
            }
            let blanks = window.iter().take_while(|b| b.is_ascii_whitespace()).count();
            let byte = window.get(blanks).copied();
            self.source.consume(blanks);
            self.filler += blanks as u64;
            if byte.is_some() {
                return byte;
            }
        }
    }

    fn end(&mut self) -> Option<Token<'static>> {
        self.ended = true;
        (!self.stack.is_empty()).then(|| {
            let at = self.source.offset();
            Token {
                kind: Kind::Broken(Fault::Truncated),
                start: at,
                end: at,
                raw: b"",
                depth: self.stack.len(),
            }
        })
    }

    fn open(&mut self, object: bool) -> Token<'_> {
        if self.stack.len() == MAX_DEPTH {
            return self.too_deep();
        }
        self.stack.push((self.source.offset(), object));
        self.expect = if object { Expect::Key } else { Expect::Value };
        let kind = if object { Kind::ObjectStart } else { Kind::ArrayStart };
        self.token(kind, 0, 1, 1)
    }

    /// A closing bracket: of the innermost container, of an outer one, or of none.
    fn closing(&mut self, object: bool) -> Token<'_> {
        match self.stack.iter().rev().position(|(_, o)| *o == object) {
            Some(0) => self.close(1),
            Some(inner) => {
                self.to_close = inner;
                self.note(Fault::NoClose)
            }
            None => self.junk(),
        }
    }

    fn close(&mut self, len: usize) -> Token<'_> {
        let depth = self.stack.len();
        let object = self.stack.pop().is_some_and(|(_, object)| object);
        self.after_value();
        let kind = if object { Kind::ObjectEnd } else { Kind::ArrayEnd };
        Token { depth, ..self.token(kind, 0, len, len) }
    }

    fn after_value(&mut self) {
        self.expect = if self.stack.is_empty() { Expect::Value } else { Expect::Comma };
    }

    /// A token of the window's bytes `from..to`, using `used` of them.
    fn token(&mut self, kind: Kind, from: usize, to: usize, used: usize) -> Token<'_> {
        let offset = self.source.offset();
        self.pending = used;
        Token {
            kind,
            start: offset + from as u64,
            end: offset + to as u64,
            depth: self.stack.len(),
            raw: &self.source.window()[from..to],
        }
    }

    fn note(&self, fault: Fault) -> Token<'static> {
        let at = self.source.offset();
        Token { kind: Kind::Broken(fault), start: at, end: at, raw: b"", depth: self.stack.len() }
    }

    fn lose(&mut self, fault: Fault, start: u64) -> Token<'static> {
        let end = self.source.offset();
        self.lost += end - start;
        Token { kind: Kind::Broken(fault), start, end, raw: b"", depth: self.stack.len() }
    }

    fn string(&mut self, kind: Kind) -> Token<'_> {
        let mut at = 1;
        loop {
            let window = self.source.window();
            let found = window.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest));
            match found.map(|n| (at + n, window[at + n])) {
                Some((quote, b'"')) => {
                    if quote - 1 > MAX_STRING {
                        return self.long_string(kind, quote);
                    }
                    self.after_string(kind);
                    return self.token(kind, 1, quote, quote + 1);
                }
                Some((slash, _)) => at = slash + 2,
                None => {
                    at = at.max(window.len());
                    let over = window.len() > MAX_STRING || self.source.at_bound();
                    if over {
                        return self.long_string(kind, at);
                    }
                    if !self.source.more() {
                        return if self.source.at_bound() {
                            self.long_string(kind, at)
                        } else {
                            self.cut_off()
                        };
                    }
                }
            }
        }
    }

    fn after_string(&mut self, kind: Kind) {
        match kind {
            Kind::Key => self.expect = Expect::Colon,
            _ => self.after_value(),
        }
    }

    /// Passes over a string beyond its bound. `at` is where the scan stands in the window, which
    /// may be one behind it, where an escape's second byte is still to come.
    fn long_string(&mut self, kind: Kind, at: usize) -> Token<'_> {
        let start = self.source.offset();
        let held = self.source.window().len();
        let mut skip = at.saturating_sub(held);
        self.source.consume(at.min(held));
        loop {
            let window = self.source.window();
            if window.is_empty() {
                self.ended = true;
                return self.lose(Fault::Truncated, start);
            }
            let from = skip.min(window.len());
            skip -= from;
            match memchr::memchr2(b'"', b'\\', &window[from..]) {
                Some(n) if window[from + n] == b'"' => {
                    self.source.consume(from + n + 1);
                    self.after_string(kind);
                    // A key that was not read leaves its value without a name: both are lost to
                    // the reader, who sees a value only behind a key.
                    return self.lose(Fault::TooLong, start);
                }
                Some(n) => {
                    self.source.consume(from + n + 1);
                    skip = 1;
                }
                None => {
                    let n = window.len();
                    self.source.consume(n);
                }
            }
        }
    }

    /// The document ended inside the token that begins at the window's first byte.
    fn cut_off(&mut self) -> Token<'static> {
        let start = self.source.offset();
        let n = self.source.window().len();
        self.source.consume(n);
        self.ended = true;
        self.lose(Fault::Truncated, start)
    }

    /// A number, `true`, `false`, `null`, or a word that is none of them.
    fn word(&mut self) -> Token<'_> {
        const LONGEST: usize = 4096;
        let mut at = 0;
        let len = loop {
            let window = self.source.window();
            at += window[at..]
                .iter()
                .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.' | b'_'))
                .count();
            if at < window.len() || at > LONGEST {
                break at;
            }
            if !self.source.more() {
                // The end may have cut it, unless it stands by itself.
                if !self.stack.is_empty() {
                    return self.cut_off();
                }
                break at;
            }
        };
        let kind = match &self.source.window()[..len] {
            b"true" => Kind::True,
            b"false" => Kind::False,
            b"null" => Kind::Null,
            word if len <= LONGEST && is_number(word) => Kind::Number,
            _ => {
                let start = self.source.offset();
                self.source.consume(len);
                self.after_value();
                return self.lose(Fault::Word, start);
            }
        };
        self.after_value();
        self.token(kind, 0, len, len)
    }

    /// Passes over bytes that do not fit, to the next that may.
    fn junk(&mut self) -> Token<'static> {
        let start = self.source.offset();
        let mut first = true;
        let mut pass_comma = false;
        loop {
            let window = self.source.window();
            if window.is_empty() {
                break;
            }
            let mut n = 0;
            if first {
                pass_comma = matches!(window[0], b',' | b':');
                n = 1;
                first = false;
            }
            let fits = |b: &u8| match b {
                b'"' | b'{' | b'[' | b'}' | b']' => true,
                b',' => !pass_comma,
                _ => false,
            };
            let stop = window[n..].iter().position(fits).map(|p| n + p);
            let found = stop.is_some();
            let stop = stop.unwrap_or(window.len());
            self.source.consume(stop);
            if found {
                break;
            }
        }
        self.lose(Fault::Junk, start)
    }

    /// Passes over a value nested too deep.
    fn too_deep(&mut self) -> Token<'static> {
        let start = self.source.offset();
        let (mut depth, mut in_string, mut escaped) = (0u64, false, false);
        loop {
            let window = self.source.window();
            if window.is_empty() {
                self.ended = true;
                return self.lose(Fault::Truncated, start);
            }
            let mut done = None;
            for (i, b) in window.iter().enumerate() {
                if escaped {
                    escaped = false;
                } else if in_string {
                    match b {
                        b'\\' => escaped = true,
                        b'"' => in_string = false,
                        _ => {}
                    }
                } else {
                    match b {
                        b'"' => in_string = true,
                        b'{' | b'[' => depth += 1,
                        b'}' | b']' => {
                            depth -= 1;
                            if depth == 0 {
                                done = Some(i + 1);
                                break;
                            }
                        }
                        _ => {}
                    }
                }
            }
            let used = done.unwrap_or(window.len());
            self.source.consume(used);
            if done.is_some() {
                self.after_value();
                return self.lose(Fault::TooDeep, start);
            }
        }
    }
}

#[cfg(test)]
mod tests;

//! A cursor over one statement's bytes: words, names, symbols.

use super::value::{Mode, closing, skip_space};

/// A name in a statement and where it stands, quotes excluded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// The cursor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub(crate) b: &'a [u8],
    pub(crate) i: usize,
    pub(crate) mode: Mode,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(b: &'a [u8], mode: Mode) -> Self {
        Self { b, i: 0, mode }
    }

    /// Moves to the next byte of code.
    pub(crate) fn skip(&mut self) {
        self.i = skip_space(self.b, self.i);
    }

    /// The next byte of code, not taken.
    pub(crate) fn peek(&mut self) -> Option<u8> {
        self.skip();
        self.b.get(self.i).copied()
    }

    /// Takes a byte if it is the next.
    pub(crate) fn symbol(&mut self, byte: u8) -> bool {
        let hit = self.peek() == Some(byte);
        self.i += usize::from(hit);
        hit
    }

    /// The next word without quotes, not taken.
    fn word_ahead(&mut self) -> &'a [u8] {
        self.skip();
        let rest = &self.b[self.i..];
        let n = rest
            .iter()
            .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'$') || **c >= 0x80)
            .count();
        &rest[..n]
    }

    /// Takes a word without quotes; empty where there is none.
    pub(crate) fn word(&mut self) -> &'a [u8] {
        let word = self.word_ahead();
        self.i += word.len();
        word
    }

    /// Takes this word if it is the next, in any case of letters.
    pub(crate) fn keyword(&mut self, word: &str) -> bool {
        let hit = self.word_ahead().eq_ignore_ascii_case(word.as_bytes());
        if hit {
            self.i += word.len();
        }
        hit
    }

    /// Takes a name: back-ticked, in double quotes, or bare.
    pub(crate) fn name(&mut self) -> Option<Name> {
        let quote = self.peek()?;
        if quote == b'`' || quote == b'"' {
            let start = self.i + 1;
            let end = closing(self.b, start, quote, false)?;
            self.i = end + 1;
            let text = String::from_utf8_lossy(&self.b[start..end]).into_owned();
            let q = char::from(quote);
            let text = text.replace(&format!("{q}{q}"), &q.to_string());
            return Some(Name { text, start, end });
        }
        let start = self.i;
        let word = self.word();
        (!word.is_empty()).then(|| Name {
            text: String::from_utf8_lossy(word).into_owned(),
            start,
            end: start + word.len(),
        })
    }

    /// Takes `name` or `db.name`: the database, if one is given, and the name.
    pub(crate) fn qualified(&mut self) -> Option<(Option<Name>, Name)> {
        let first = self.name()?;
        if self.symbol(b'.') { Some((Some(first), self.name()?)) } else { Some((None, first)) }
    }

    /// Takes a text in quotes: its range without them.
    pub(crate) fn text(&mut self) -> Option<std::ops::Range<usize>> {
        let quote = self.peek()?;
        if quote != b'\'' && quote != b'"' {
            return None;
        }
        let start = self.i + 1;
        let end = closing(self.b, start, quote, self.mode.backslash)?;
        self.i = end + 1;
        Some(start..end)
    }

    /// Takes everything up to, not including, a `,` or `)` at this depth.
    pub(crate) fn item(&mut self) {
        let mut depth = 1usize;
        while let Some(b) = self.peek() {
            if depth == 1 && (b == b',' || b == b')') {
                return;
            }
            if !self.advance(&mut depth) {
                return;
            }
        }
    }

    /// One token on. False at the end.
    fn advance(&mut self, depth: &mut usize) -> bool {
        let Some(b) = self.peek() else { return false };
        match b {
            b'\'' | b'"' | b'`' => {
                let backslash = self.mode.backslash && b != b'`';
                match closing(self.b, self.i + 1, b, backslash) {
                    Some(end) => self.i = end + 1,
                    None => {
                        self.i = self.b.len();
                        return false;
                    }
                }
                return true;
            }
            b'(' => *depth += 1,
            b')' => *depth -= 1,
            _ => {}
        }
        self.i += 1;
        true
    }
}

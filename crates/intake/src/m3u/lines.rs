//! Lines of text exhibits: their ends, their encodings, and where each character stood.

use std::borrow::Cow;
use std::ops::Range;

use crate::chunks::Chunks;

/// The longest line that is read, in bytes.
pub(crate) const MAX_LINE: usize = 1 << 20;

/// A line's text, with where it stood.
#[derive(Debug)]
pub(crate) struct Line<'a> {
    /// The text, trimmed.
    pub(crate) text: Cow<'a, str>,
    /// The offset of the text's first byte in the exhibit.
    pub(crate) at: u64,
    /// For text that is not the bytes themselves: for each byte of `text`, and its end, where in
    /// the line's bytes it stood.
    map: Option<Vec<u32>>,
}

impl<'a> Line<'a> {
    /// The line that stood at `at`: UTF-8, else Windows-1252. Blanks around it are left out.
    pub(crate) fn new(bytes: &'a [u8], at: u64) -> Self {
        let (from, bytes) = trim(bytes);
        let at = at + from as u64;
        match std::str::from_utf8(bytes) {
            Ok(text) => Self { text: Cow::Borrowed(text), at, map: None },
            Err(_) => {
                let mut text = String::with_capacity(bytes.len() * 2);
                let mut map = Vec::with_capacity(bytes.len() * 2 + 1);
                for (i, byte) in bytes.iter().enumerate() {
                    let c = windows_1252(*byte);
                    text.push(c);
                    map.extend(std::iter::repeat_n(i as u32, c.len_utf8()));
                }
                map.push(bytes.len() as u32);
                Self { text: Cow::Owned(text), at, map: Some(map) }
            }
        }
    }

    /// Text decoded elsewhere, whose first byte stood at `at`; `map` as in the line's own.
    pub(crate) fn mapped(text: &'a str, at: u64, map: Option<Vec<u32>>) -> Self {
        Self { text: Cow::Borrowed(text), at, map }
    }

    /// True where the bytes were not UTF-8.
    pub(crate) fn foreign(&self) -> bool {
        self.map.is_some()
    }

    /// Where a range of the text stood in the exhibit.
    pub(crate) fn span(&self, range: &Range<usize>) -> (u64, u64) {
        let place = |i: usize| match &self.map {
            None => i as u64,
            Some(map) => u64::from(map.get(i).or(map.last()).copied().unwrap_or(0)),
        };
        (self.at + place(range.start), self.at + place(range.end))
    }
}

/// Takes the lines of an exhibit, one after the other, and may keep some in the window until it has
/// seen those behind them.
pub(crate) trait Lines {
    /// A line, `start..end` of the window; the next begins at `next`, behind its `\n`, `\r` or
    /// `\r\n`. `base` is the offset of the window's first byte. Not longer than [`MAX_LINE`].
    fn line(&mut self, window: &[u8], start: usize, end: usize, next: usize, base: u64);
    /// Where the first kept line begins in the window.
    fn kept(&self) -> Option<usize>;
    /// The window's first byte moved on by `by`.
    fn shift(&mut self, by: usize);
    /// What is kept can be kept no longer: the exhibit ended, or a bound is reached.
    fn let_go(&mut self, base: u64, at_end: bool);
    /// A line beyond the bound stood at `start..end`; with its end it had `bytes`, now lost.
    fn too_long(&mut self, start: u64, end: u64, bytes: u64);
}

/// How much a reader may keep, in bytes.
pub(crate) const MAX_KEPT: usize = 4 << 20;

/// Reads all lines.
pub(crate) fn each(chunks: &mut Chunks<'_>, reader: &mut dyn Lines) {
    // Both relative to the window: where the next line begins, and from where its end is sought.
    let (mut at, mut sought) = (0, 0);
    loop {
        chunks.window();
        let base = chunks.offset();
        let ended = chunks.ended();
        let window = chunks.window();
        let mut give = |at: usize, end: usize, next: usize| {
            let long = end - at > MAX_LINE;
            if long || reader.kept().is_some_and(|kept| end - kept > MAX_KEPT) {
                reader.let_go(base, false);
            }
            if long {
                reader.too_long(base + at as u64, base + end as u64, (next - at) as u64);
            } else {
                reader.line(window, at, end, next, base);
            }
        };
        while let Some(n) = memchr::memchr2(b'\n', b'\r', &window[sought..]) {
            let end = sought + n;
            let mut next = end + 1;
            if window[end] == b'\r' {
                match window.get(next) {
                    Some(b'\n') => next += 1,
                    None if !ended => break,
                    _ => {}
                }
            }
            give(at, end, next);
            (at, sought) = (next, next);
        }
        let len = window.len();
        if ended {
            if at < len {
                give(at, len, len);
            }
            reader.let_go(base, true);
            chunks.consume(len);
            return;
        }
        // A last `\r` is looked at again: a `\n` may follow it.
        let half = usize::from(window.last() == Some(&b'\r') && at < len);
        let keep = reader.kept().unwrap_or(at);
        reader.shift(keep);
        chunks.consume(keep);
        at -= keep;
        sought = len - keep - half;
        if len - keep - at > MAX_LINE || !chunks.more() && !chunks.ended() {
            // A line beyond its bound, or a window that cannot hold what is kept.
            reader.let_go(chunks.offset(), false);
            chunks.consume(at);
            pass_over(chunks, reader);
            (at, sought) = (0, 0);
        }
    }
}

/// Passes over a line that began at the window's first byte, its end included.
fn pass_over(chunks: &mut Chunks<'_>, reader: &mut dyn Lines) {
    let start = chunks.offset();
    let mut end = start;
    loop {
        let window = chunks.window();
        if window.is_empty() {
            break;
        }
        match memchr::memchr2(b'\n', b'\r', window) {
            Some(n) => {
                let cr = window[n] == b'\r';
                end = chunks.offset() + n as u64;
                chunks.consume(n + 1);
                if cr && chunks.window().first() == Some(&b'\n') {
                    chunks.consume(1);
                }
                break;
            }
            None => {
                let n = window.len();
                chunks.consume(n);
                end = chunks.offset();
            }
        }
    }
    reader.too_long(start, end, chunks.offset() - start);
}

/// The bytes without blanks around them (byte-order marks in front included), and how many stood in
/// front.
pub(crate) fn trim(bytes: &[u8]) -> (usize, &[u8]) {
    let mut from = 0;
    loop {
        match bytes.get(from) {
            Some(b' ' | b'\t' | 0x0b | 0x0c | 0) => from += 1,
            Some(0xef) if bytes[from..].starts_with(b"\xef\xbb\xbf") => from += 3,
            _ => break,
        }
    }
    let mut to = bytes.len();
    while to > from && matches!(bytes[to - 1], b' ' | b'\t' | 0x0b | 0x0c | 0 | b'\r' | b'\n') {
        to -= 1;
    }
    (from, &bytes[from..to])
}

/// The character of a byte in Windows-1252 (the five bytes without one: the C1 control of the same
/// number, as the WHATWG Encoding Standard has it).
pub(crate) fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_hold_in_any_encoding() {
        let line = Line::new("  café x ".as_bytes(), 10);
        assert_eq!((&*line.text, line.at), ("café x", 12));
        assert_eq!(line.span(&(6..7)), (18, 19));
        let line = Line::new(b"\tcaf\xe9 \x80x\r", 10);
        assert_eq!(line.text, "café €x");
        let at = line.text.find('x').unwrap();
        assert_eq!(line.span(&(at..at + 1)), (17, 18));
        assert_eq!(line.span(&(0..line.text.len())), (11, 18));
        assert_eq!(Line::new(b"\xef\xbb\xbf#EXTM3U", 0).text, "#EXTM3U");
    }
}

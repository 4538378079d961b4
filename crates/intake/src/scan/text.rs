//! Characters: classes, decoding, and the words that stand before an indicator.

use std::borrow::Cow;
use std::ops::Range;

/// How bytes beyond ASCII are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// UTF-8 where valid, else latin1.
    Narrow,
    /// Latin1 always: code units of UTF-16 below 256, one byte each.
    Latin1,
}

/// The text of a few bytes.
pub(crate) fn decode(bytes: &[u8], coding: Coding) -> Cow<'_, str> {
    if (coding == Coding::Narrow || bytes.is_ascii())
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        return Cow::Borrowed(text);
    }
    Cow::Owned(bytes.iter().map(|&b| char::from(b)).collect())
}

/// A letter, digit, or a byte of a letter beyond ASCII.
pub(crate) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80
}

/// A byte of text in ASCII: bytes beyond say nothing in binary junk.
fn is_plain(byte: u8) -> bool {
    matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r')
}

/// How long a run of printable characters must be for an indicator to count.
const RUN: usize = 12;

/// True where `range` stands in a run of at least 12 printable characters, or in text that reaches
/// both ends of the buffer. Beyond ASCII only whole UTF-8 sequences are printable (junk seldom holds
/// them), or any byte from 0xa0 on in latin1. `first`, `ended`: the buffer's ends are the text's.
pub(crate) fn in_text(
    buffer: &[u8],
    range: &Range<usize>,
    coding: Coding,
    first: bool,
    ended: bool,
) -> bool {
    let (mut left, mut right) = (range.start, range.end);
    while left > 0 && right - left < RUN {
        match step_back(buffer, left, coding) {
            Some(n) => left -= n,
            None => break,
        }
    }
    while right < buffer.len() && right - left < RUN {
        match step_on(buffer, right, coding) {
            Some(n) => right += n,
            None => break,
        }
    }
    right - left >= RUN || (left == 0 && first && right == buffer.len() && ended)
}

fn step_on(buffer: &[u8], at: usize, coding: Coding) -> Option<usize> {
    let byte = buffer[at];
    if is_plain(byte) || (coding == Coding::Latin1 && byte >= 0xa0) {
        return Some(1);
    }
    let len = match byte {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return None,
    };
    let tail = buffer.get(at + 1..at + len)?;
    tail.iter().all(|b| b & 0xc0 == 0x80).then_some(len)
}

fn step_back(buffer: &[u8], at: usize, coding: Coding) -> Option<usize> {
    let byte = *buffer.get(at.checked_sub(1)?)?;
    if is_plain(byte) || (coding == Coding::Latin1 && byte >= 0xa0) {
        return Some(1);
    }
    (2..=4).find(|n| {
        at.checked_sub(*n).is_some_and(|from| {
            buffer[from] >= 0xc0 && step_on(&buffer[..at], from, coding) == Some(*n)
        })
    })
}

/// The last words before `at`, lower case: at most 40 bytes back, on the same line.
pub(crate) fn before(buffer: &[u8], at: usize) -> String {
    let start = at.saturating_sub(40);
    let slice = &buffer[start..at];
    let from = slice.iter().rposition(|b| matches!(b, b'\n' | b'\r' | 0)).map_or(0, |i| i + 1);
    slice[from..].iter().map(|&b| char::from(b.to_ascii_lowercase())).collect()
}

/// True where the text ends in one of the words, followed by nothing but spaces and `: = " ' ( [ >`
/// and `-`, and preceded by no letter.
pub(crate) fn ends_in_word(before: &str, words: &[&str]) -> bool {
    let trimmed =
        before.trim_end_matches([' ', '\t', ':', '=', '"', '\'', '(', '[', '>', '-', '\u{a0}']);
    words.iter().any(|word| {
        trimmed
            .strip_suffix(word)
            .is_some_and(|rest| !rest.chars().next_back().is_some_and(char::is_alphanumeric))
    })
}

//! One record of a CSV file, cut into fields. Nothing is copied; positions are in the bytes given.

use memchr::{memchr2, memchr3};

use super::decode::Encoding;

/// What separates the values of a file, and how its characters are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// How characters are written.
    pub encoding: Encoding,
    /// `,` `;` tab or `|`.
    pub delimiter: u8,
}

/// A field's place, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raw {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quoted: bool,
    /// Holds doubled quotes.
    pub(crate) escaped: bool,
}

/// How an attempt to cut a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Split {
    /// A record: `content` ends before the line's end, `total` behind it.
    Record { content: usize, total: usize },
    /// The bytes end before the record does, and more may follow.
    More,
    /// A quoted field runs over the end of its line and is not closed as one should be.
    Unbalanced,
    /// A quoted field is still open at the end of the exhibit.
    Open,
}

const QUOTE: u16 = b'"' as u16;
const LF: u16 = b'\n' as u16;
const CR: u16 = b'\r' as u16;

/// Cuts the record that begins at `bytes[0]`. `ended`: nothing follows `bytes`. `multiline`: quoted
/// fields may run over line ends.
pub(crate) fn split(
    bytes: &[u8],
    ended: bool,
    dialect: Dialect,
    multiline: bool,
    out: &mut Vec<Raw>,
) -> Split {
    out.clear();
    let (encoding, w) = (dialect.encoding, dialect.encoding.width());
    let delimiter = u16::from(dialect.delimiter);
    let mut i = 0;
    loop {
        let start = i;
        let mut closed = None;
        if encoding.unit(bytes, i) == Some(QUOTE) {
            match quoted(bytes, i + w, ended, encoding, delimiter, multiline) {
                Ok((raw, behind)) => {
                    closed = Some(raw);
                    i = behind;
                }
                Err(other) => return other,
            }
        }
        if closed.is_none() {
            match plain_end(bytes, i, encoding, dialect.delimiter) {
                Some(at) => i = at,
                None if ended => i = bytes.len(),
                None => return Split::More,
            }
        }
        out.push(closed.unwrap_or(Raw { start, end: i, quoted: false, escaped: false }));
        match encoding.unit(bytes, i) {
            Some(u) if u == delimiter => i += w,
            Some(LF) => return Split::Record { content: i, total: i + w },
            Some(CR) => {
                return match encoding.unit(bytes, i + w) {
                    Some(LF) => Split::Record { content: i, total: i + 2 * w },
                    None if !ended => Split::More,
                    _ => Split::Record { content: i, total: i + w },
                };
            }
            // Only the end of the bytes is left (an odd byte of UTF-16 belongs to the last field).
            _ if ended => {
                let end = bytes.len();
                if let Some(last) = out.last_mut().filter(|last| !last.quoted) {
                    last.end = end;
                }
                return Split::Record { content: end, total: end };
            }
            _ => return Split::More,
        }
    }
}

/// The place of the next delimiter or line end.
fn plain_end(bytes: &[u8], from: usize, encoding: Encoding, delimiter: u8) -> Option<usize> {
    if encoding == Encoding::Utf8 {
        return memchr3(delimiter, b'\n', b'\r', &bytes[from..]).map(|n| from + n);
    }
    let mut i = from;
    while let Some(unit) = encoding.unit(bytes, i) {
        if unit == u16::from(delimiter) || unit == LF || unit == CR {
            return Some(i);
        }
        i += 2;
    }
    None
}

/// A quoted field whose content begins at `start`; and where the bytes behind its closing quote
/// (and spaces) begin.
fn quoted(
    bytes: &[u8],
    start: usize,
    ended: bool,
    encoding: Encoding,
    delimiter: u16,
    multiline: bool,
) -> Result<(Raw, usize), Split> {
    let w = encoding.width();
    let open = if ended { Split::Open } else { Split::More };
    let (mut i, mut escaped, mut lines) = (start, false, false);
    loop {
        let unit = if encoding == Encoding::Utf8 {
            i += memchr2(b'"', b'\n', bytes.get(i..).unwrap_or_default()).ok_or(open)?;
            u16::from(bytes[i])
        } else {
            encoding.unit(bytes, i).ok_or(open)?
        };
        if unit == LF || (unit == CR && encoding != Encoding::Utf8) {
            if !multiline {
                return Err(Split::Unbalanced);
            }
            lines = true;
            i += w;
            continue;
        }
        if unit != QUOTE {
            i += w;
            continue;
        }
        let mut behind = i + w;
        if encoding.unit(bytes, behind) == Some(QUOTE) {
            escaped = true;
            i += 2 * w;
            continue;
        }
        while encoding.unit(bytes, behind) == Some(u16::from(b' ')) {
            behind += w;
        }
        match encoding.unit(bytes, behind) {
            None if !ended => return Err(Split::More),
            None => return Ok((Raw { start, end: i, quoted: true, escaped }, behind)),
            Some(u) if u == delimiter || u == LF || u == CR => {
                return Ok((Raw { start, end: i, quoted: true, escaped }, behind));
            }
            // `"5" pipe"`: a quote somebody forgot to double. Over a line's end it is likelier
            // that the quote before was never closed.
            Some(_) if lines => return Err(Split::Unbalanced),
            Some(_) => i += w,
        }
    }
}

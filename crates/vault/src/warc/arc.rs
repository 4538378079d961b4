//! ARC's lines (Internet Archive, 1996): a record's header is one line of words between spaces,
//! `URL IP date type length` in version 1, with five more words before the length in version 2. The
//! first record describes the file: its block says which version.

use model::ProblemKind;

use super::Flaw;
use super::fields::{Field, text};
use super::record::is_stamp;

/// How an ARC file begins.
pub(super) const FILE: &[u8] = b"filedesc://";

/// The longest line that is taken for a header. URLs were far shorter when ARC was written.
pub(super) const MAX_LINE: usize = 16 << 10;

const V1: [&str; 5] = ["uri", "ip-address", "archive-date", "content-type", "length"];
const V2: [&str; 10] = [
    "uri",
    "ip-address",
    "archive-date",
    "content-type",
    "result-code",
    "checksum",
    "location",
    "offset",
    "filename",
    "length",
];

/// The version of ARC, which says how many words a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    One,
    Two,
}

impl Version {
    /// The version that a file's first block states: `1 0 name`, or `2 0 name`.
    pub(super) fn of_block(block: &[u8]) -> Option<Self> {
        match block {
            [b'1', b' ', ..] => Some(Self::One),
            [b'2', b' ', ..] => Some(Self::Two),
            _ => None,
        }
    }

    pub(super) fn text(self) -> &'static str {
        match self {
            Self::One => "1",
            Self::Two => "2",
        }
    }

    fn names(self) -> &'static [&'static str] {
        match self {
            Self::One => &V1,
            Self::Two => &V2,
        }
    }
}

/// The words of a line and where each begins; what is too many belongs to the URL.
fn words(line: &[u8], version: Version) -> Option<Vec<(usize, &[u8])>> {
    let count = version.names().len();
    let (mut out, mut end) = (Vec::with_capacity(count), line.len());
    for _ in 1..count {
        let space = line[..end].iter().rposition(|b| *b == b' ')?;
        out.push((space + 1, &line[space + 1..end]));
        end = space;
    }
    out.push((0, &line[..end]));
    out.reverse();
    let (scheme, date) = (out[0].1, out[2].1);
    let colon = scheme.iter().position(|b| *b == b':')?;
    let is_scheme = scheme[0].is_ascii_alphabetic()
        && scheme[..colon].iter().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(b));
    let is_ip = !out[1].1.is_empty()
        && out[1].1.iter().all(|b| b.is_ascii_hexdigit() || matches!(b, b'.' | b':'));
    let is_date = (8..=20).contains(&date.len()) && date.iter().all(u8::is_ascii_digit);
    (colon > 0 && is_scheme && is_ip && is_date).then_some(out)
}

/// True if a record's header may begin here: a whole line, with an address and a date in their places.
pub(super) fn begins(bytes: &[u8]) -> bool {
    let bytes = &bytes[..bytes.len().min(MAX_LINE)];
    // Most lines are none, and most of those show it at once.
    if !bytes.first().is_some_and(u8::is_ascii_alphabetic) {
        return false;
    }
    let Some(len) = bytes.iter().position(|b| *b == b'\n') else { return false };
    let line = bytes[..len].trim_ascii_end();
    words(line, Version::One).is_some() || words(line, Version::Two).is_some()
}

/// A record's header, from a line without its end.
pub(super) fn parse(
    line: &[u8],
    base: u64,
    version: Version,
    flaws: &mut Vec<Flaw>,
) -> Option<(Version, Vec<Field>)> {
    let line = line.trim_ascii_end();
    let other = if version == Version::One { Version::Two } else { Version::One };
    let (found, words) = match words(line, version) {
        Some(words) => (version, words),
        None => (other, words(line, other)?),
    };
    let mut fields = Vec::with_capacity(words.len());
    for ((at, word), name) in words.into_iter().zip(found.names()) {
        let (value, latin) = text(word);
        let start = base + at as u64;
        let field =
            Field { name: (*name).to_owned(), value, start, end: start + word.len() as u64 };
        if latin {
            flaws.push(Flaw::of(&field, ProblemKind::Encoding, "not UTF-8: read as Latin-1"));
        }
        fields.push(field);
    }
    // The first record's own line is of version 1 in files of version 2 that some crawlers wrote.
    if found != version && !line.starts_with(FILE) {
        let message = "a line of another version of ARC than the file's";
        flaws.push(Flaw::new(base, base + line.len() as u64, ProblemKind::Conflict, message));
    }
    if fields[0].value.contains(' ') {
        flaws.push(Flaw::of(&fields[0], ProblemKind::Syntax, "a space in a URI"));
    }
    if !is_stamp(&fields[2].value) {
        let message = "not a date of 14 digits";
        flaws.push(Flaw::of(&fields[2], ProblemKind::Type, message));
    }
    Some((found, fields))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_both_versions() {
        let mut flaws = Vec::new();
        let line = b"http://a.example/x 192.0.2.7 20140216050221 text/html 1591";
        let (version, fields) = parse(line, 100, Version::One, &mut flaws).unwrap();
        assert_eq!((version, fields.len(), fields[4].value.as_str()), (Version::One, 5, "1591"));
        assert_eq!((fields[1].start, fields[1].end), (119, 128));
        let line = b"http://a.example/x 192.0.2.7 20140216050221 text/html 200 abc - 77 f.arc 1591";
        let (version, fields) = parse(line, 0, Version::Two, &mut flaws).unwrap();
        assert_eq!((version, fields.len(), fields[9].name.as_str()), (Version::Two, 10, "length"));
        assert_eq!(flaws, []);
        let (version, _) = parse(line, 0, Version::One, &mut flaws).unwrap();
        assert_eq!((version, flaws.len()), (Version::Two, 1));
    }

    #[test]
    fn what_is_no_line() {
        for line in [
            "",
            "1 0 LiveWeb Capture",
            "URL IP-address Archive-date Content-type Archive-length",
            "see http://a.example/ on 20140216050221 text/html 1",
            "http://a.example/ 192.0.2.7 yesterday text/html 1",
            ": 192.0.2.7 20140216050221 text/html 1",
        ] {
            assert!(!begins(format!("{line}\n").as_bytes()), "{line}");
        }
        let line = b"http://a.example/ 192.0.2.7 20140216050221 text/html 1";
        assert!(begins(&[line, b"\n".as_slice()].concat()) && !begins(line), "a cut line is none");
    }

    #[test]
    fn a_line_has_its_bound() {
        for (more, taken) in [(0, true), (1, false)] {
            let tail = b" 192.0.2.7 20140216050221 text/html 1\n";
            let mut line = b"http://a.example/".to_vec();
            line.resize(MAX_LINE - tail.len() + more, b'x');
            line.extend_from_slice(tail);
            assert_eq!(begins(&line), taken);
        }
    }
}

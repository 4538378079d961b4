//! The attributes of `#EXTM3U` and `#EXTINF` lines, however they are quoted.

use std::ops::Range;

/// An attribute: ranges of its line's text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Attribute {
    /// Its name, as written.
    pub(crate) name: Range<usize>,
    /// Its value, without quotes.
    pub(crate) value: Range<usize>,
    /// Name to value, quotes included.
    pub(crate) whole: Range<usize>,
}

/// What an `#EXTINF` line says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtInf {
    /// The duration, as written.
    pub(crate) duration: Option<Range<usize>>,
    /// The attributes go to the caller's list; this is the name behind the comma, trimmed.
    pub(crate) name: Option<Range<usize>>,
    /// True where a quote does not close.
    pub(crate) unclosed: bool,
}

/// Reads what stands behind `#EXTINF` from `at` on: duration, attributes, comma, name.
///
/// The name begins at the first comma outside an attribute's value; it may hold commas itself.
/// Where there is no comma, what follows the last attribute is the name.
pub(crate) fn extinf(text: &str, at: usize, attributes: &mut Vec<Attribute>) -> ExtInf {
    let b = text.as_bytes();
    let mut out = ExtInf::default();
    let mut i = at;
    while matches!(b.get(i), Some(b':' | b' ' | b'\t')) {
        i += 1;
    }
    let digits = b[i..].iter().take_while(|c| c.is_ascii_digit() || b"+-.".contains(c)).count();
    if digits > 0 {
        out.duration = Some(i..i + digits);
    }
    let after = i + digits;
    i = list(text, after, attributes, &mut out.unclosed);
    let (name, is_comma) = if b.get(i) == Some(&b',') {
        // `#EXTINF:0, tvg-id="…" …,Name`: the comma came too early.
        let next = skip_blanks(b, i + 1);
        if attributes.is_empty() && quoted_attribute_at(b, next) {
            let end = list(text, next, attributes, &mut out.unclosed);
            (end + usize::from(b.get(end) == Some(&b',')), true)
        } else {
            (i + 1, true)
        }
    } else {
        let behind = attributes.last().map_or(after, |a| a.whole.end);
        (behind.min(text.len()), false)
    };
    let name = trimmed(text, name.min(text.len())..text.len());
    if !name.is_empty() && (is_comma || !attributes.is_empty() || out.duration.is_some()) {
        out.name = Some(name);
    }
    out
}

/// Reads attributes from `at` on, to a comma outside them or the line's end; returns where.
pub(crate) fn list(
    text: &str,
    at: usize,
    attributes: &mut Vec<Attribute>,
    unclosed: &mut bool,
) -> usize {
    let b = text.as_bytes();
    let mut i = at;
    loop {
        i = skip_blanks(b, i);
        match b.get(i) {
            None | Some(b',') => return i,
            _ => {}
        }
        let name_end = i + name_len(&b[i..]);
        let equals = skip_blanks(b, name_end);
        if name_end == i || b.get(equals) != Some(&b'=') {
            // Not an attribute: passed over to the next blank or comma.
            i = name_end.max(i + 1);
            i += b[i..].iter().take_while(|c| !matches!(c, b' ' | b'\t' | b',')).count();
            continue;
        }
        let name = i..name_end;
        let start = skip_blanks(b, equals + 1);
        let (value, end) = match b.get(start) {
            Some(quote @ (b'"' | b'\'')) => match closing(b, start + 1, *quote) {
                Some(close) => (start + 1..close, close + 1),
                None => {
                    *unclosed = true;
                    let end = unquoted_end(b, start + 1);
                    (start + 1..end, end)
                }
            },
            _ => {
                let end = unquoted_end(b, start);
                (start..end, end)
            }
        };
        let value = trimmed(text, value);
        attributes.push(Attribute { whole: name.start..end, name, value });
        i = end;
    }
}

/// The quote that closes a value: one with a comma, the end or an attribute behind it, so that
/// `tvg-name="The "Best" Show"` stays whole; else the first one with a blank behind it.
fn closing(b: &[u8], from: usize, quote: u8) -> Option<usize> {
    let mut at = from;
    let mut weak = None;
    while let Some(n) = b.get(at..).and_then(|rest| memchr::memchr(quote, rest)) {
        let found = at + n;
        // A quote behind `=` opens the next attribute's value.
        if weak.is_some() && b[found - 1] == b'=' {
            break;
        }
        let next = skip_blanks(b, found + 1);
        let name = name_len(&b[next..]);
        if matches!(b.get(next), None | Some(b',')) || name > 0 && b.get(next + name) == Some(&b'=')
        {
            return Some(found);
        }
        if weak.is_none() && next > found + 1 {
            weak = Some(found);
        }
        at = found + 1;
    }
    weak
}

/// The end of a value without quotes: a comma, or the blank before the next attribute.
fn unquoted_end(b: &[u8], from: usize) -> usize {
    let mut i = from;
    while i < b.len() {
        match b[i] {
            b',' => return i,
            b' ' | b'\t' => {
                let next = skip_blanks(b, i);
                let n = name_len(b.get(next..).unwrap_or_default());
                if next >= b.len() || (n > 0 && b.get(next + n) == Some(&b'=')) {
                    return i;
                }
                i = next;
            }
            _ => i += 1,
        }
    }
    i
}

fn quoted_attribute_at(b: &[u8], at: usize) -> bool {
    let n = name_len(b.get(at..).unwrap_or_default());
    n > 0 && b.get(at + n) == Some(&b'=') && matches!(b.get(at + n + 1), Some(b'"' | b'\''))
}

/// The bytes of an attribute's name, as a table: names are what is read most.
const NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 256 {
        let b = i as u8;
        table[i] = b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        i += 1;
    }
    table
};

fn name_len(b: &[u8]) -> usize {
    b.iter().position(|c| !NAME[usize::from(*c)]).unwrap_or(b.len())
}

fn skip_blanks(b: &[u8], at: usize) -> usize {
    let at = at.min(b.len());
    at + b[at..].iter().take_while(|c| matches!(c, b' ' | b'\t')).count()
}

/// A range without the blanks at its ends.
pub(crate) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let plain = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_graphic());
    let bytes = text.as_bytes();
    if range.start < range.end && plain(bytes.get(range.start)) && plain(bytes.get(range.end - 1)) {
        return range;
    }
    let part = text.get(range.clone()).unwrap_or("");
    let front = part.len() - part.trim_start().len();
    if front == part.len() {
        return range.start..range.start;
    }
    range.start + front..range.start + part.trim_end().len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(line: &str) -> (Vec<(String, String)>, Option<String>, Option<String>) {
        let mut attributes = Vec::new();
        let found = extinf(line, 7, &mut attributes);
        let text = |r: &Range<usize>| line[r.clone()].to_owned();
        (
            attributes.iter().map(|a| (text(&a.name), text(&a.value))).collect(),
            found.duration.as_ref().map(text),
            found.name.as_ref().map(text),
        )
    }

    #[test]
    fn reads_what_the_wild_writes() {
        for (line, attributes, duration, name) in [
            (
                "#EXTINF:-1 tvg-ID=\"CH1\" group-title=\"A,B\",One (x)",
                "tvg-ID=CH1;group-title=A,B",
                "-1",
                "One (x)",
            ),
            ("#EXTINF: -1, name,with comma", "", "-1", "name,with comma"),
            ("#EXTINF:1,=>(★ TURKİYE ★)<=", "", "1", "=>(★ TURKİYE ★)<="),
            (
                "#EXTINF:-1 tvg-name=\"The Good, the Bad\",The Good, the Bad",
                "tvg-name=The Good, the Bad",
                "-1",
                "The Good, the Bad",
            ),
            (
                "#EXTINF:-1 tvg-name=\"The \"Best\" Show\" radio='true' x=1,N",
                "tvg-name=The \"Best\" Show;radio=true;x=1",
                "-1",
                "N",
            ),
            (
                "#EXTINF:-1 group-title=Sky Sports tvg-id=a.b,N",
                "group-title=Sky Sports;tvg-id=a.b",
                "-1",
                "N",
            ),
            ("#EXTINF:0, tvg-id=\"x\" group-title=\"y\",N", "tvg-id=x;group-title=y", "0", "N"),
            ("#EXTINF:-1 tvg-id=\"x\"tvg-name=\"y\",N", "tvg-id=x;tvg-name=y", "-1", "N"),
            ("#EXTINF:-1 tvg-id=\"x\" Name here", "tvg-id=x", "-1", "Name here"),
            ("#EXTINF:-1 tvg-id=\"x\" junk tvg-name=\"y\",N", "tvg-id=x;tvg-name=y", "-1", "N"),
            ("#EXTINF:-1 tvg-id=\"x,N", "tvg-id=x", "-1", "N"),
            ("#EXTINF -1,N", "", "-1", "N"),
            ("#EXTINF:-1 Name", "", "-1", "Name"),
            ("#EXTINF:12.5,", "", "12.5", ""),
            ("#EXTINF:,N", "", "", "N"),
            ("#EXTINF", "", "", ""),
            ("#EXTINF:-1 tvg-id=\"\",N", "tvg-id=", "-1", "N"),
        ] {
            let (found, time, title) = read(line);
            let shown: Vec<String> = found.iter().map(|(n, v)| format!("{n}={v}")).collect();
            assert_eq!(shown.join(";"), attributes, "{line}");
            assert_eq!(time.unwrap_or_default(), duration, "{line}");
            assert_eq!(title.unwrap_or_default(), name, "{line}");
        }
    }

    proptest! {
        #[test]
        fn any_line_is_taken(rest in "[-a-z0-9 =\"',.é:\\t]{0,60}") {
            let line = format!("#EXTINF{rest}");
            let _ = read(&line);
        }
    }
}

//! Attribute lists of HLS tags (RFC 8216bis, 4.2): `NAME=value,NAME="quoted, value"`.

use std::ops::Range;

use crate::m3u::attributes::trimmed;

/// The attributes of a tag's text from `at` on, as ranges of name and value (without quotes), in
/// their order. Blanks around names and values are passed over; a quote that does not close ends
/// with the line.
pub(crate) fn list(text: &str, at: usize, mut each: impl FnMut(Range<usize>, Range<usize>)) {
    let b = text.as_bytes();
    let mut i = at.min(b.len());
    while i < b.len() {
        let stop = b[i..].iter().position(|c| matches!(c, b'=' | b',')).map_or(b.len(), |n| i + n);
        let name = trimmed(text, i..stop);
        if b.get(stop) != Some(&b'=') {
            if !name.is_empty() {
                each(name.clone(), name.end..name.end);
            }
            i = stop + 1;
            continue;
        }
        let mut start = stop + 1;
        while matches!(b.get(start), Some(b' ' | b'\t')) {
            start += 1;
        }
        let (value, end) = if b.get(start) == Some(&b'"') {
            let close = memchr::memchr(b'"', &b[start + 1..]).map_or(b.len(), |n| start + 1 + n);
            let comma = memchr::memchr(b',', b.get(close..).unwrap_or_default());
            (start + 1..close, comma.map_or(b.len(), |n| close + n))
        } else {
            let comma = memchr::memchr(b',', &b[start.min(b.len())..]);
            let end = comma.map_or(b.len(), |n| start + n);
            (trimmed(text, start.min(b.len())..end), end)
        };
        each(name, value);
        i = end + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> String {
        let mut out = Vec::new();
        list(text, 0, |n, v| out.push(format!("{}={}", &text[n], &text[v])));
        out.join(";")
    }

    #[test]
    fn reads_lists() {
        for (text, expected) in [
            ("A=1,B=\"x,y\",C=0x1F", "A=1;B=x,y;C=0x1F"),
            ("A=1, B=\"x\" ,C", "A=1;B=x;C="),
            ("A=\"open,B=2", "A=open,B=2"),
            ("R=foo\tbar,", "R=foo\tbar"),
            ("", ""),
            ("A=,=1", "A=;=1"),
        ] {
            assert_eq!(read(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken(text in "[A-C=\", é\\t]{0,40}") {
            read(&text);
        }
    }
}

//! A row's own bytes, read again: for the one value that a person may see under a reason.

use super::insert::Insert;
use super::piece::{next_tuple, tuple_end};
use super::value::{Charset, Form, Mode, bytes, decode, field};

/// A value of a tuple.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revealed {
    /// First byte of the value, without quotes, within the tuple's bytes.
    pub start: usize,
    /// One past its last byte.
    pub end: usize,
    /// The value, escapes undone, decoded as UTF-8 (what is none is U+FFFD); `None` for NULL.
    pub text: Option<String>,
}

/// Reads a tuple, from `(` to `)`: its values in their order, which is the order of the INSERT's
/// column list, else of the table's columns. Backslashes escape, as in all but a few dumps. `None`
/// where the bytes are no tuple.
pub fn reveal(tuple: &[u8]) -> Option<Vec<Revealed>> {
    let mode = Mode::default();
    let mut i = next_tuple(tuple, 0).ok()??;
    let mut values = Vec::new();
    loop {
        let f = field(tuple, i, mode)?;
        let text = (f.form != Form::Null).then(|| {
            let mut text = Vec::new();
            decode(&bytes(tuple, &f, mode), f.charset.unwrap_or(Charset::Utf8), &mut text);
            String::from_utf8(text).unwrap_or_default()
        });
        values.push(Revealed { start: f.start, end: f.end, text });
        if tuple[f.next] == b')' {
            return Some(values);
        }
        i = f.next + 1;
    }
}

/// The column list of the INSERT that a row belongs to, from the bytes before the row's tuple (they
/// may begin anywhere; a window of some MiB holds the INSERT's head). `None` where the INSERT names
/// no columns, so that the values are in the table's order, or its head is not among the bytes.
pub fn listed_columns(before: &[u8]) -> Option<Vec<String>> {
    let mode = Mode::default();
    let mut end = before.len();
    loop {
        let at = memchr::memrchr2(b'I', b'i', &before[..end]).max(memchr::memrchr2(
            b'R',
            b'r',
            &before[..end],
        ))?;
        end = at;
        let Insert::Values(head) = super::insert::read(&before[at..], mode) else { continue };
        // What looks like a head inside a text is none: whole tuples lead from a head to the row.
        let rest = &before[at + head.body..];
        let mut i = 0;
        while let Ok(Some(start)) = next_tuple(rest, i) {
            match tuple_end(rest, start, mode) {
                Some(end) => i = end,
                None => break,
            }
        }
        if matches!(next_tuple(rest, i), Ok(None)) {
            return head.columns;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tuple_opens_into_its_values() {
        let tuple = br"(1, 'it\'s',NULL,0x41)";
        let values = reveal(tuple).unwrap();
        let texts: Vec<Option<&str>> = values.iter().map(|v| v.text.as_deref()).collect();
        assert_eq!(texts, [Some("1"), Some("it's"), None, Some("A")]);
        assert_eq!(&tuple[values[1].start..values[1].end], br"it\'s");
        assert_eq!(reveal(b"(1, 'x"), None);
    }

    #[test]
    fn the_head_before_a_row_names_its_columns() {
        let list = |text: &str| listed_columns(text.as_bytes());
        let want = Some(vec!["b".to_owned(), "a".to_owned()]);
        assert_eq!(list("x; INSERT INTO `t` (`b`, `a`) VALUES\n"), want);
        assert_eq!(
            list("insert ignore into t (b,a) values (1,'INSERT INTO t (z) VALUES'),\n"),
            want
        );
        assert_eq!(list("INSERT INTO t VALUES (1,'it\\'s'),"), None);
        assert_eq!(list("no head here (1,2),"), None);
    }
}

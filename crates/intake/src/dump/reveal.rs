//! A row's own bytes, read again: for the one value that a person may see under a reason.

use super::rows::next_tuple;
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
}

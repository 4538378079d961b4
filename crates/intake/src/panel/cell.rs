//! Rows read field by field, for facts: each value with its span, and a way back from a place in a
//! decoded text to the bytes it came from.

use std::collections::HashMap;
use std::ops::Range;

use crate::dump::{
    Charset, Field, Form, Mode, Piece, as_integer, bytes, field, next_tuple, tuple_end, unescape,
};

/// Bytes of the exhibit, from the first to one past the last.
pub(crate) type Span = (u64, u64);

/// A text value.
#[derive(Debug, Clone)]
pub(crate) struct Text {
    pub(crate) text: String,
    pub(crate) span: Span,
    way: Way,
}

/// How a place in the decoded text leads back.
#[derive(Debug, Clone)]
enum Way {
    /// Byte for byte.
    Same,
    /// The offset of each decoded byte's first raw byte, and of the end.
    Table(Vec<u32>),
    /// Only the whole value is known.
    Whole,
}

impl Text {
    /// Where a part of the text stands in the exhibit.
    pub(crate) fn part(&self, range: Range<usize>) -> Span {
        match &self.way {
            Way::Same => (self.span.0 + range.start as u64, self.span.0 + range.end as u64),
            Way::Whole => self.span,
            Way::Table(table) => {
                let at = |i: usize| {
                    table
                        .get(i)
                        .map_or(self.span.1, |n| (self.span.0 + u64::from(*n)).min(self.span.1))
                };
                (at(range.start), at(range.end))
            }
        }
    }
}

/// One row of a piece.
pub(crate) struct Row<'a> {
    b: &'a [u8],
    offset: u64,
    fields: &'a [Field],
    index: &'a HashMap<String, usize>,
    mode: Mode,
}

/// Calls `f` with each row of a piece whose values are as many as its columns. What is no row is
/// left to the reader of rows, who tells it as a problem.
pub(crate) fn each(piece: &Piece, mut f: impl FnMut(&Row<'_>)) {
    let mut index = HashMap::new();
    for (value, column) in piece.columns.iter().enumerate() {
        if let Some(c) = column {
            index.insert(piece.table.schema.columns[*c].name.to_ascii_lowercase(), value);
        }
    }
    let mode = piece.mode;
    let mut fields = Vec::new();
    for (b, offset) in piece.parts() {
        let mut i = 0;
        while let Ok(Some(start)) = next_tuple(b, i) {
            fields.clear();
            let mut at = start;
            let end = loop {
                match field(b, at, mode) {
                    Some(f) => {
                        fields.push(f);
                        if b[f.next] == b')' {
                            break Some(f.next + 1);
                        }
                        at = f.next + 1;
                    }
                    None => break None,
                }
                if fields.len() > piece.columns.len() {
                    break None;
                }
            };
            match end {
                Some(end) => {
                    let empty = |f: &Field| f.form == Form::Expression && f.start == f.end;
                    if fields.len() == piece.columns.len() && !fields.iter().any(empty) {
                        f(&Row { b, offset, fields: &fields, index: &index, mode });
                    }
                    i = end;
                }
                None => i = tuple_end(b, start, mode).unwrap_or(b.len()),
            }
        }
    }
}

impl Row<'_> {
    fn field(&self, name: &str) -> Option<&Field> {
        self.fields.get(*self.index.get(name)?).filter(|f| f.form != Form::Null)
    }

    fn span(&self, f: &Field) -> Span {
        (self.offset + f.start as u64, self.offset + f.end as u64)
    }

    /// An integer.
    pub(crate) fn int(&self, name: &str) -> Option<(i64, Span)> {
        let f = self.field(name)?;
        Some((as_integer(self.b, f, self.mode)?, self.span(f)))
    }

    /// Where a value that is not NULL and not empty stands: for secrets.
    pub(crate) fn there(&self, name: &str) -> Option<Span> {
        let f = self.field(name)?;
        (f.end > f.start).then(|| self.span(f))
    }

    /// A text that is not empty.
    pub(crate) fn text(&self, name: &str) -> Option<Text> {
        let f = self.field(name)?;
        let span = self.span(f);
        let raw = &self.b[f.start..f.end];
        let charset = match f.form {
            Form::Quoted(_) => f.charset.unwrap_or(self.mode.charset),
            _ => Charset::Utf8,
        };
        let plain = match f.form {
            Form::Quoted(q) => {
                memchr::memchr(q, raw).is_none()
                    && !(self.mode.backslash && memchr::memchr(b'\\', raw).is_some())
            }
            Form::Bare | Form::Expression => true,
            _ => false,
        };
        let (text, way) = match (f.form, plain) {
            (_, true) => decode(raw, None, charset, raw.len()),
            (Form::Quoted(q), false) => {
                let (mut out, mut map) = (Vec::new(), Vec::new());
                unescape(raw, q, self.mode.backslash, &mut out, Some(&mut map));
                decode(&out, Some(map), charset, raw.len())
            }
            _ => {
                let decoded = bytes(self.b, f, self.mode);
                (String::from_utf8_lossy(&decoded).into_owned(), Way::Whole)
            }
        };
        (!text.is_empty()).then_some(Text { text, span, way })
    }
}

/// Decodes bytes that came from `raw_len` raw ones, `map` leading back where escapes were undone.
fn decode(b: &[u8], map: Option<Vec<u32>>, charset: Charset, raw_len: usize) -> (String, Way) {
    if let Ok(text) = std::str::from_utf8(b)
        && (charset != Charset::Latin1 || b.is_ascii())
    {
        let way = match map {
            None => Way::Same,
            Some(mut map) => {
                map.push(u32::try_from(raw_len).unwrap_or(u32::MAX));
                Way::Table(map)
            }
        };
        return (text.to_owned(), way);
    }
    let at = |i: usize| match &map {
        Some(map) => map.get(i).copied().unwrap_or(u32::MAX),
        None => u32::try_from(i).unwrap_or(u32::MAX),
    };
    let (mut text, mut table) = (Vec::with_capacity(b.len()), Vec::with_capacity(b.len()));
    if charset == Charset::Latin1 {
        for (i, byte) in b.iter().enumerate() {
            crate::dump::decode(&[*byte], charset, &mut text);
            table.resize(text.len(), at(i));
        }
    } else {
        let mut i = 0;
        for chunk in b.utf8_chunks() {
            for byte in chunk.valid().bytes() {
                text.push(byte);
                table.push(at(i));
                i += 1;
            }
            if !chunk.invalid().is_empty() {
                text.extend_from_slice("\u{fffd}".as_bytes());
                table.resize(text.len(), at(i));
                i += chunk.invalid().len();
            }
        }
    }
    table.push(u32::try_from(raw_len).unwrap_or(u32::MAX));
    (String::from_utf8(text).unwrap_or_default(), Way::Table(table))
}

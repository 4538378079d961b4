//! Rows of dump tables, value by value.

use std::io::Write;

use crate::schema::Table;

/// Appends a quoted, escaped string literal.
pub(crate) fn quote(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'\'');
    for &byte in text {
        match byte {
            0 => out.extend_from_slice(b"\\0"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            0x1a => out.extend_from_slice(b"\\Z"),
            b'\\' | b'\'' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
}

/// A value of a row.
#[derive(Debug, Clone)]
pub(crate) enum V<'a> {
    Null,
    Int(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
    /// A literal as it stands.
    Raw(&'a str),
}

impl V<'_> {
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"NULL"),
            Self::Int(n) => {
                let _ = write!(out, "{n}");
            }
            Self::Text(text) => quote(out, text.as_bytes()),
            Self::Bytes(bytes) => quote(out, bytes),
            Self::Raw(text) => out.extend_from_slice(text.as_bytes()),
        }
    }
}

impl<'a> From<&'a str> for V<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a String> for V<'a> {
    fn from(text: &'a String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for V<'_> {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<u64> for V<'_> {
    fn from(n: u64) -> Self {
        Self::Int(n as i64)
    }
}

impl From<u32> for V<'_> {
    fn from(n: u32) -> Self {
        Self::Int(i64::from(n))
    }
}

impl From<i32> for V<'_> {
    fn from(n: i32) -> Self {
        Self::Int(i64::from(n))
    }
}

impl From<bool> for V<'_> {
    fn from(yes: bool) -> Self {
        Self::Int(i64::from(yes))
    }
}

impl<'a, T: Into<V<'a>>> From<Option<T>> for V<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row of a table of which some columns vary: the others' literals are prepared once.
pub(crate) struct Template {
    /// Before each varying value, and after the last.
    between: Vec<Vec<u8>>,
}

impl Template {
    /// `varying` in the table's order; a name that the table lacks is an error of this crate's own.
    /// `fixed` literals stand in place of defaults; names that a family lacks are passed over.
    pub(crate) fn new(
        table: &Table,
        separator: &str,
        varying: &[&str],
        fixed: &[(&str, &str)],
    ) -> Self {
        let mut between = vec![Vec::new()];
        let mut left = varying.iter().peekable();
        for (i, column) in table.columns.iter().enumerate() {
            let text = between.last_mut().expect("never empty");
            if i > 0 {
                text.extend_from_slice(separator.as_bytes());
            }
            if left.next_if(|name| **name == column.name).is_some() {
                between.push(Vec::new());
            } else if let Some((_, literal)) = fixed.iter().find(|(n, _)| *n == column.name) {
                text.extend_from_slice(literal.as_bytes());
            } else {
                text.extend_from_slice(column.untouched().as_bytes());
            }
        }
        assert!(left.next().is_none(), "{}: columns out of order or unknown", table.name);
        Self { between }
    }

    /// Starts a row.
    pub(crate) fn row<'t>(&'t self, out: &'t mut Vec<u8>) -> Row<'t> {
        out.clear();
        Row { template: self, out, next: 0 }
    }
}

/// A row being filled.
pub(crate) struct Row<'t> {
    template: &'t Template,
    out: &'t mut Vec<u8>,
    next: usize,
}

impl Row<'_> {
    fn before(&mut self) {
        self.out.extend_from_slice(&self.template.between[self.next]);
        self.next += 1;
    }

    /// The next varying value.
    pub(crate) fn put<'v>(&mut self, value: impl Into<V<'v>>) -> &mut Self {
        self.before();
        value.into().write(self.out);
        self
    }

    /// The next varying value, a text that needs no escape.
    pub(crate) fn plain(&mut self, text: &[u8]) -> &mut Self {
        self.before();
        self.out.push(b'\'');
        self.out.extend_from_slice(text);
        self.out.push(b'\'');
        self
    }

    /// The end of the row.
    pub(crate) fn end(&mut self) {
        self.out.extend_from_slice(&self.template.between[self.next]);
        debug_assert_eq!(self.next + 1, self.template.between.len(), "a value is missing");
    }
}

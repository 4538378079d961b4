//! Pieces of a dump: whole tuples of one table, with bytes of their own.

use std::sync::Arc;

use model::TableSchema;

use super::value::{Mode, closing, skip_space};

/// A table as its rows need it.
#[derive(Debug)]
pub(crate) struct Table {
    /// Its number in this run.
    pub(crate) number: u32,
    pub(crate) schema: TableSchema,
    /// Columns that hold MACs, perhaps in base64.
    pub(crate) macs: Vec<bool>,
    /// Which logical table of a panel it is.
    pub(crate) shape: Option<crate::panel::Shape>,
}

/// Some whole tuples of one table: bytes of their own.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) table: Arc<Table>,
    /// The column of each value of a tuple; `None` for values no column is known for.
    pub(crate) columns: Arc<[Option<usize>]>,
    pub(crate) mode: Mode,
    pub(crate) bytes: Vec<u8>,
    /// Where parts of `bytes` stood: each part's first byte here, and in the exhibit.
    pub(crate) parts: Vec<(usize, u64)>,
}

impl Piece {
    /// The parts: their bytes, and the exhibit's offset of the first.
    pub(crate) fn parts(&self) -> impl Iterator<Item = (&[u8], u64)> {
        self.parts.iter().enumerate().map(|(k, (at, offset))| {
            let end = self.parts.get(k + 1).map_or(self.bytes.len(), |next| next.0);
            (&self.bytes[*at..end], *offset)
        })
    }
}

/// The start of the next tuple: behind its `(`. Between tuples stand commas and white space.
pub(crate) fn next_tuple(b: &[u8], mut i: usize) -> Result<Option<usize>, usize> {
    loop {
        match b.get(i) {
            None => return Ok(None),
            Some(b'(') => return Ok(Some(i + 1)),
            Some(b',') => i += 1,
            Some(_) => {
                let k = skip_space(b, i);
                if k == i {
                    return Err(i);
                }
                i = k;
            }
        }
    }
}

/// One past the `)` of the tuple whose first value is at `i`, by brackets and quotes alone.
pub(crate) fn tuple_end(b: &[u8], mut i: usize, mode: Mode) -> Option<usize> {
    let mut depth = 1usize;
    while i < b.len() {
        match b[i] {
            q @ (b'\'' | b'"' | b'`') => i = closing(b, i + 1, q, mode.backslash && q != b'`')?,
            b'(' => depth += 1,
            b')' => {
                depth -= 1;
                if depth == 0 {
                    return Some(i + 1);
                }
            }
            _ => {}
        }
        i += 1;
    }
    None
}

/// True for what may follow the last tuple: `ON DUPLICATE KEY …`, `AS new …`, `RETURNING …`, the end.
pub(crate) fn ends_tuples(b: &[u8]) -> bool {
    [&b"on "[..], b"as ", b"returning ", b";"]
        .iter()
        .any(|w| b.get(..w.len()).is_some_and(|x| x.eq_ignore_ascii_case(w)))
}

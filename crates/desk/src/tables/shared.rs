//! Batches that several row groups can share without copying their values.

use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use model::{Batch, Cell, ColumnData};

/// A batch whose values are shared.
#[derive(Debug)]
pub(crate) struct SharedBatch {
    pub(crate) starts: Vec<u64>,
    pub(crate) ends: Vec<u64>,
    pub(crate) columns: Vec<SharedColumn>,
}

/// The values of a column.
#[derive(Debug)]
pub(crate) enum SharedColumn {
    Int(Vec<Option<i64>>),
    Real(Vec<Option<f64>>),
    /// Text (`true`) or bytes of no encoding.
    Bytes {
        text: bool,
        bytes: Bytes,
        ends: Vec<u32>,
        valid: Vec<bool>,
    },
    Withheld(Vec<bool>),
}

/// Some rows of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) batch: Arc<SharedBatch>,
    pub(crate) rows: Range<usize>,
}

impl From<Batch> for SharedBatch {
    fn from(batch: Batch) -> Self {
        let columns = batch
            .columns
            .into_iter()
            .map(|column| match column {
                ColumnData::Int(v) => SharedColumn::Int(v),
                ColumnData::Real(v) => SharedColumn::Real(v),
                ColumnData::Withheld(v) => SharedColumn::Withheld(v),
                ColumnData::Text(s) => SharedColumn::Bytes {
                    text: true,
                    bytes: Bytes::from(s.bytes),
                    ends: s.ends,
                    valid: s.valid,
                },
                ColumnData::Bytes(s) => SharedColumn::Bytes {
                    text: false,
                    bytes: Bytes::from(s.bytes),
                    ends: s.ends,
                    valid: s.valid,
                },
            })
            .collect();
        Self { starts: batch.starts, ends: batch.ends, columns }
    }
}

impl SharedColumn {
    /// The bytes of value `i` of a text or bytes column.
    pub(crate) fn slice(bytes: &Bytes, ends: &[u32], i: usize) -> Range<usize> {
        let start = if i == 0 { 0 } else { ends[i - 1] as usize };
        debug_assert!(ends[i] as usize <= bytes.len());
        start..ends[i] as usize
    }

    /// Value `i`; a secret is absent.
    pub(crate) fn get(&self, i: usize) -> Cell<'_> {
        match self {
            Self::Int(v) => v[i].map_or(Cell::Null, Cell::Int),
            Self::Real(v) => v[i].map_or(Cell::Null, Cell::Real),
            Self::Withheld(_) => Cell::Null,
            Self::Bytes { text, bytes, ends, valid } => {
                if !valid[i] {
                    return Cell::Null;
                }
                let value = &bytes[Self::slice(bytes, ends, i)];
                match std::str::from_utf8(value) {
                    Ok(t) if *text => Cell::Text(t),
                    _ => Cell::Bytes(value),
                }
            }
        }
    }

    /// How many of `rows` are present.
    pub(crate) fn present(&self, rows: Range<usize>) -> u64 {
        let count = match self {
            Self::Int(v) => v[rows].iter().filter(|x| x.is_some()).count(),
            Self::Real(v) => v[rows].iter().filter(|x| x.is_some()).count(),
            Self::Withheld(v) | Self::Bytes { valid: v, .. } => {
                v[rows].iter().filter(|x| **x).count()
            }
        };
        count as u64
    }
}

impl Part {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }
}

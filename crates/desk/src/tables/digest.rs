//! The digest of a row group: the same whether taken from a parser's batches or read back from the
//! file.
//!
//! SHA-256 over, in order: the number of rows; the spans; then each column as a tag byte, its
//! validity as bytes, and its values: integers and floating point as 8 bytes little-endian, text
//! and bytes as length (4 bytes) and content. A secret column has its validity alone.

use sha2::{Digest, Sha256};

use super::shared::{Part, SharedColumn};

/// Feeds a hash through a buffer: SHA-256 likes long pieces.
struct Feed {
    hash: Sha256,
    buffer: Vec<u8>,
}

impl Feed {
    fn put(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= 1 << 16 {
            self.hash.update(&self.buffer);
            self.buffer.clear();
        }
    }
}

/// The digest of the rows in `parts`, which all have the same columns.
pub(crate) fn digest_columns(parts: &[Part]) -> [u8; 32] {
    let mut feed = Feed { hash: Sha256::new(), buffer: Vec::with_capacity(1 << 17) };
    let rows: usize = parts.iter().map(Part::len).sum();
    feed.put(&(rows as u64).to_le_bytes());
    for part in parts {
        for i in part.rows.clone() {
            feed.put(&part.batch.starts[i].to_le_bytes());
            feed.put(&part.batch.ends[i].to_le_bytes());
        }
    }
    let columns = parts.first().map_or(0, |p| p.batch.columns.len());
    for c in 0..columns {
        // Validity first, then values, over all parts: where a batch ended does not show.
        for part in parts {
            put_validity(&mut feed, &part.batch.columns[c], part);
        }
        for part in parts {
            put_values(&mut feed, &part.batch.columns[c], part);
        }
    }
    feed.hash.update(&feed.buffer);
    feed.hash.finalize().into()
}

fn put_validity(feed: &mut Feed, column: &SharedColumn, part: &Part) {
    let rows = part.rows.clone();
    let mut flags = Vec::with_capacity(rows.len());
    match column {
        SharedColumn::Int(v) => flags.extend(v[rows].iter().map(|x| u8::from(x.is_some()))),
        SharedColumn::Real(v) => flags.extend(v[rows].iter().map(|x| u8::from(x.is_some()) + 2)),
        SharedColumn::Withheld(v) => flags.extend(v[rows].iter().map(|x| u8::from(*x) + 4)),
        SharedColumn::Bytes { text, valid, .. } => {
            let tag = if *text { 6 } else { 8 };
            flags.extend(valid[rows].iter().map(|x| u8::from(*x) + tag));
        }
    }
    feed.put(&flags);
}

fn put_values(feed: &mut Feed, column: &SharedColumn, part: &Part) {
    match column {
        SharedColumn::Int(v) => {
            for value in v[part.rows.clone()].iter().flatten() {
                feed.put(&value.to_le_bytes());
            }
        }
        SharedColumn::Real(v) => {
            for value in v[part.rows.clone()].iter().flatten() {
                feed.put(&value.to_bits().to_le_bytes());
            }
        }
        SharedColumn::Withheld(_) => {}
        SharedColumn::Bytes { bytes, ends, valid, .. } => {
            for i in part.rows.clone().filter(|i| valid[*i]) {
                let value = &bytes[SharedColumn::slice(bytes, ends, i)];
                feed.put(&(value.len() as u32).to_le_bytes());
                feed.put(value);
            }
        }
    }
}

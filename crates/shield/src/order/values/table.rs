//! Values and their histories as one run of sorted bytes, searched where it lies.
//!
//! Blocks of [`BLOCK`] rows. A row is how many bytes its key shares with the key before it, how many more it
//! has, these, and its history (`row`); a block's first key shares none. Then where each block begins, u64,
//! then how many rows and blocks there are, u64 each, little-endian. Keys only grow, so the same rows have one
//! writing, whatever tables they were brought together from.
//!
//! A look-up takes a step for each doubling of blocks, and [`BLOCK`] rows at the most. Nothing that is read is
//! trusted: bytes that are no table hold nothing, and none make a search run on.

use std::sync::Arc;

use super::key::MAX_KEY;
use super::row::{chunk, put, put_history, take, take_history};
use crate::order::state::History;

/// How many rows stand in a block.
pub const BLOCK: u64 = 16;
const NUMBER: usize = 8;

/// A table. Its bytes may be shared with whoever makes their digest meanwhile.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table {
    bytes: Arc<Vec<u8>>,
    /// Where blocks end and their places begin.
    places: usize,
    rows: u64,
    blocks: usize,
}

impl Table {
    /// The table in some bytes; `None`: there is none in them. Its rows are looked at when they are asked for.
    pub fn open(bytes: impl Into<Arc<Vec<u8>>>) -> Option<Self> {
        let bytes = bytes.into();
        let (_, counts) = bytes.split_last_chunk::<{ 2 * NUMBER }>()?;
        let rows = number(counts, 0)?;
        let blocks = number(counts, NUMBER)?;
        if blocks != rows.div_ceil(BLOCK) {
            return None;
        }
        let blocks = usize::try_from(blocks).ok()?;
        let index = blocks.checked_add(2)?.checked_mul(NUMBER)?;
        let places = bytes.len().checked_sub(index)?;
        Some(Self { bytes, places, rows, blocks })
    }

    /// How many rows it has.
    pub fn len(&self) -> u64 {
        self.rows
    }

    /// True where it has none.
    pub fn is_empty(&self) -> bool {
        self.rows == 0
    }

    /// Bytes in memory.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// What became of the value of a key.
    pub fn get(&self, key: &[u8]) -> Option<History> {
        // The last block whose first key is not beyond it.
        let (mut from, mut to) = (0, self.blocks);
        while from < to {
            let middle = from.midpoint(to);
            let (first, _) = self.block(middle).next()?;
            if first.as_slice() <= key { from = middle + 1 } else { to = middle }
        }
        let mut block = self.block(from.checked_sub(1)?);
        let mut row = Vec::new();
        while let Some(history) = block.advance(&mut row) {
            if row.as_slice() >= key {
                return (row == key).then_some(history);
            }
        }
        None
    }

    /// Every row, in order.
    pub fn rows(&self) -> impl Iterator<Item = (Vec<u8>, History)> + '_ {
        (0..self.blocks).flat_map(|number| self.block(number))
    }

    /// True where every row can be read, and each key is greater than the one before. For who has no digest of
    /// it: it takes time by its length.
    pub fn is_sound(&self) -> bool {
        let mut last: Option<Vec<u8>> = None;
        let mut count = 0;
        for (key, _) in self.rows() {
            if last.as_ref().is_some_and(|last| *last >= key) {
                return false;
            }
            last = Some(key);
            count += 1;
        }
        count == self.rows
    }

    fn block(&self, at: usize) -> Block<'_> {
        let bytes = || {
            let (blocks, places) = self.bytes.split_at_checked(self.places)?;
            let start = usize::try_from(number(places, at.checked_mul(NUMBER)?)?).ok()?;
            blocks.get(start..)
        };
        let before = (at as u64).saturating_mul(BLOCK);
        let rows = self.rows.saturating_sub(before).min(BLOCK);
        Block { bytes: bytes().unwrap_or_default(), key: Vec::new(), rows }
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(NUMBER)?)?;
    Some(u64::from_le_bytes(bytes.try_into().ok()?))
}

struct Block<'a> {
    bytes: &'a [u8],
    key: Vec<u8>,
    rows: u64,
}

impl Block<'_> {
    /// Makes the key before into the next row's, and gives its history.
    fn advance(&mut self, key: &mut Vec<u8>) -> Option<History> {
        self.rows = self.rows.checked_sub(1)?;
        let shared = usize::try_from(take(&mut self.bytes)?).ok()?;
        let more = take(&mut self.bytes)?;
        let more = chunk(&mut self.bytes, more)?;
        if shared > key.len() || shared.checked_add(more.len())? > MAX_KEY {
            return None;
        }
        key.truncate(shared);
        key.extend_from_slice(more);
        take_history(&mut self.bytes)
    }
}

impl Iterator for Block<'_> {
    type Item = (Vec<u8>, History);

    fn next(&mut self) -> Option<Self::Item> {
        let mut key = std::mem::take(&mut self.key);
        let history = self.advance(&mut key)?;
        self.key.clone_from(&key);
        Some((key, history))
    }
}

/// Writes a table row by row. It keeps eight bytes of each block until the end.
#[derive(Debug, Default)]
pub struct Writer {
    last: Vec<u8>,
    row: Vec<u8>,
    rows: u64,
    length: u64,
    places: Vec<u8>,
}

impl Writer {
    /// Writes a row. Keys have to grow: one that does not is left out.
    ///
    /// # Errors
    /// What `out` says.
    pub fn row<E>(
        &mut self,
        key: &[u8],
        history: &History,
        out: &mut dyn FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        if key.len() > MAX_KEY || (self.rows > 0 && self.last.as_slice() >= key) {
            return Ok(());
        }
        let mut shared = 0;
        if self.rows.is_multiple_of(BLOCK) {
            self.places.extend_from_slice(&self.length.to_le_bytes());
        } else {
            shared = self.last.iter().zip(key).take_while(|(one, other)| one == other).count();
        }
        self.row.clear();
        put(&mut self.row, shared as u64);
        let more = key.get(shared..).unwrap_or_default();
        put(&mut self.row, more.len() as u64);
        self.row.extend_from_slice(more);
        put_history(&mut self.row, history);
        self.rows += 1;
        self.length += self.row.len() as u64;
        self.last.clear();
        self.last.extend_from_slice(key);
        out(&self.row)
    }

    /// Writes what stands behind the rows.
    ///
    /// # Errors
    /// What `out` says.
    pub fn end<E>(self, out: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        out(&self.places)?;
        let blocks = (self.places.len() / NUMBER) as u64;
        out(&[self.rows.to_le_bytes(), blocks.to_le_bytes()].concat())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::order::state::Past;
    use crate::order::turn::End;
    use crate::order::words::Moment;

    fn history() -> impl Strategy<Value = History> {
        let last = (any::<i64>(), any::<i64>(), 0..End::ALL.len());
        let last = last.prop_map(|(since, until, how)| Past {
            since: Moment(since),
            until: Moment(until),
            how: End::ALL[how],
        });
        let last = proptest::option::of(last);
        (any::<u32>(), any::<u32>(), any::<[u32; 3]>(), last)
            .prop_map(|(released, faults, ended, last)| History { released, faults, ended, last })
    }

    fn written(rows: &BTreeMap<Vec<u8>, History>) -> Vec<u8> {
        let (mut writer, mut bytes) = (Writer::default(), Vec::new());
        let mut out = |piece: &[u8]| -> Result<(), Infallible> {
            bytes.extend_from_slice(piece);
            Ok(())
        };
        for (key, history) in rows {
            writer.row(key, history, &mut out).unwrap();
        }
        writer.end(&mut out).unwrap();
        bytes
    }

    fn rows() -> impl Strategy<Value = BTreeMap<Vec<u8>, History>> {
        prop::collection::btree_map(prop::collection::vec(0..4_u8, 0..6), history(), 0..80)
    }

    proptest! {
        #[test]
        fn a_table_gives_what_was_put_in_and_nothing_else(rows in rows(), other in prop::collection::vec(0..4_u8, 0..6)) {
            let table = Table::open(written(&rows)).unwrap();
            prop_assert!(table.is_sound());
            prop_assert_eq!(table.len(), rows.len() as u64);
            prop_assert!(table.rows().eq(rows.clone()));
            for (key, history) in &rows {
                prop_assert_eq!(table.get(key), Some(*history));
            }
            prop_assert_eq!(table.get(&other), rows.get(&other).copied());
        }

        #[test]
        fn any_bytes_are_survived(mut bytes in prop::collection::vec(any::<u8>(), 0..300), rows in 0..40_u64) {
            // So that some open, and are searched.
            bytes.extend_from_slice(&rows.to_le_bytes());
            bytes.extend_from_slice(&rows.div_ceil(BLOCK).to_le_bytes());
            if let Some(table) = Table::open(bytes) {
                let _ = (table.get(b"\x01x"), table.is_sound(), table.rows().count());
            }
        }

        #[test]
        fn a_changed_byte_is_survived(rows in rows(), at in any::<prop::sample::Index>(), by in 1..255_u8) {
            let mut bytes = written(&rows);
            let at = at.index(bytes.len());
            bytes[at] ^= by;
            if let Some(table) = Table::open(bytes) {
                prop_assert!(table.rows().count() as u64 <= table.len());
                prop_assert!(rows.keys().filter_map(|key| table.get(key)).count() <= rows.len());
            }
        }
    }

    #[test]
    fn bytes_that_are_none_are_no_table() {
        assert!(Table::open(Vec::new()).is_none());
        let many = [u64::MAX.to_le_bytes(), (u64::MAX / BLOCK + 1).to_le_bytes()].concat();
        assert!(Table::open(many).is_none());
        let empty = Table::open(vec![0; 16]).unwrap();
        assert!(empty.is_empty() && empty.is_sound() && empty.get(b"x").is_none());
    }
}

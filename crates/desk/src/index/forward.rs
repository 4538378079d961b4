//! An index asked for many keys in order: it is read once, forwards, leaving out what lies between.

use super::read::{Cursor, IndexFile};
use crate::Result;

/// Takes ascending keys.
pub(crate) struct Forward<'a> {
    cursor: Cursor<'a>,
    more: bool,
    /// The key asked for last, and its rows.
    last: Option<(Vec<u8>, u64)>,
}

impl<'a> Forward<'a> {
    /// At the beginning of an index.
    pub(crate) fn new(index: &'a IndexFile) -> Self {
        Self { cursor: index.all(), more: true, last: None }
    }

    /// How many rows hold `key`, which is none before those that were asked for.
    pub(crate) fn count_of(&mut self, key: &[u8]) -> Result<u64> {
        if let Some((last, count)) = &self.last {
            debug_assert!(last.as_slice() <= key, "keys must ascend");
            if last == key {
                return Ok(*count);
            }
        }
        while self.more && self.cursor.key.as_slice() < key {
            self.cursor.skip_to(key);
            self.more = self.cursor.next()?;
        }
        let mut count = 0;
        while self.more && self.cursor.key == key {
            count += self.cursor.rows.len() as u64;
            self.more = self.cursor.next()?;
        }
        self.last = Some((key.to_vec(), count));
        Ok(count)
    }
}

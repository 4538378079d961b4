//! Several indexes read as one.

use super::read::Cursor;
use crate::Result;

/// The distinct keys of several cursors in order, each with the cursors that hold it.
pub(crate) struct Merge<'a> {
    cursors: Vec<(Cursor<'a>, bool)>,
    /// The key at hand.
    pub(crate) key: Vec<u8>,
    /// Which cursors hold it, ascending.
    pub(crate) holders: Vec<usize>,
}

impl<'a> Merge<'a> {
    /// Takes the cursors at their places.
    pub(crate) fn new(cursors: Vec<Cursor<'a>>) -> Result<Self> {
        let cursors = cursors
            .into_iter()
            .map(|mut c| c.next().map(|more| (c, more)))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { cursors, key: Vec::new(), holders: Vec::new() })
    }

    /// Moves to the next distinct key; false at the end.
    pub(crate) fn next(&mut self) -> Result<bool> {
        let least = self.cursors.iter().filter(|(_, more)| *more).map(|(c, _)| &c.key).min();
        let Some(least) = least else { return Ok(false) };
        self.key.clear();
        self.key.extend_from_slice(least);
        self.holders.clear();
        for (i, (cursor, more)) in self.cursors.iter_mut().enumerate() {
            if *more && cursor.key == self.key {
                self.holders.push(i);
                while *more && cursor.key == self.key {
                    *more = cursor.next()?;
                }
            }
        }
        Ok(true)
    }
}

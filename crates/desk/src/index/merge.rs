//! Several indexes read as one.

use super::read::Cursor;
use crate::Result;

/// Keys in order, once or more each.
pub(crate) trait Keys {
    /// Moves to the next; false at the end.
    fn next(&mut self) -> Result<bool>;
    /// The key at hand.
    fn key(&self) -> &[u8];
}

impl Keys for Cursor<'_> {
    fn next(&mut self) -> Result<bool> {
        Cursor::next(self)
    }

    fn key(&self) -> &[u8] {
        &self.key
    }
}

/// The keys of a cursor that begin with a prefix, without it.
pub(crate) struct Stripped<'a> {
    cursor: Cursor<'a>,
    prefix: Vec<u8>,
}

impl<'a> Stripped<'a> {
    /// Over a cursor that stands before the first key with the prefix.
    pub(crate) fn new(cursor: Cursor<'a>, prefix: &[u8]) -> Self {
        Self { cursor, prefix: prefix.to_vec() }
    }
}

impl Keys for Stripped<'_> {
    fn next(&mut self) -> Result<bool> {
        Ok(self.cursor.next()? && self.cursor.key.starts_with(&self.prefix))
    }

    fn key(&self) -> &[u8] {
        self.cursor.key.get(self.prefix.len()..).unwrap_or_default()
    }
}

/// The distinct keys of several sources in order, each with the sources that hold it.
pub(crate) struct Merge<'a> {
    sources: Vec<(Box<dyn Keys + 'a>, bool)>,
    /// The key at hand.
    pub(crate) key: Vec<u8>,
    /// Which sources hold it, ascending.
    pub(crate) holders: Vec<usize>,
}

impl<'a> Merge<'a> {
    /// Takes the sources at their places.
    pub(crate) fn new(sources: Vec<Box<dyn Keys + 'a>>) -> Result<Self> {
        let sources = sources
            .into_iter()
            .map(|mut s| s.next().map(|more| (s, more)))
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { sources, key: Vec::new(), holders: Vec::new() })
    }

    /// Moves to the next distinct key; false at the end.
    pub(crate) fn next(&mut self) -> Result<bool> {
        let least = self.sources.iter().filter(|(_, more)| *more).map(|(s, _)| s.key()).min();
        let Some(least) = least else { return Ok(false) };
        self.key.clear();
        self.key.extend_from_slice(least);
        self.holders.clear();
        for (i, (source, more)) in self.sources.iter_mut().enumerate() {
            if *more && source.key() == self.key {
                self.holders.push(i);
                while *more && source.key() == self.key {
                    *more = source.next()?;
                }
            }
        }
        Ok(true)
    }
}

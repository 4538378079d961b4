//! Several indexes read as one.

use super::heap::{order, sink};
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
    sources: Vec<Box<dyn Keys + 'a>>,
    /// Numbers of the sources that have a key at hand: a heap, the least key first, of equal keys
    /// the earlier source.
    heap: Vec<usize>,
    /// The key at hand.
    pub(crate) key: Vec<u8>,
    /// Which sources hold it, ascending.
    pub(crate) holders: Vec<usize>,
}

impl<'a> Merge<'a> {
    /// Takes the sources at their places.
    pub(crate) fn new(mut sources: Vec<Box<dyn Keys + 'a>>) -> Result<Self> {
        let mut heap = Vec::with_capacity(sources.len());
        for (i, source) in sources.iter_mut().enumerate() {
            if source.next()? {
                heap.push(i);
            }
        }
        order(&mut heap, |a, b| less(&sources, a, b));
        Ok(Self { sources, heap, key: Vec::new(), holders: Vec::new() })
    }

    /// Moves to the next distinct key; false at the end.
    pub(crate) fn next(&mut self) -> Result<bool> {
        let Some(first) = self.heap.first() else { return Ok(false) };
        self.key.clear();
        self.key.extend_from_slice(self.sources[*first].key());
        self.holders.clear();
        while let Some(first) = self.heap.first().copied() {
            let source = &mut self.sources[first];
            if source.key() != self.key {
                break;
            }
            self.holders.push(first);
            let mut more = true;
            while more && source.key() == self.key {
                more = source.next()?;
            }
            if !more {
                self.heap.swap_remove(0);
            }
            sink(&mut self.heap, 0, |a, b| less(&self.sources, a, b));
        }
        Ok(true)
    }
}

fn less(sources: &[Box<dyn Keys + '_>], a: usize, b: usize) -> bool {
    sources[a].key().cmp(sources[b].key()).then(a.cmp(&b)).is_lt()
}

//! Distinct keys over several indexes.

use crate::Result;
use crate::index::{IndexFile, Keys, Merge, Stripped};

/// An index, of which keys with a prefix count, without it.
pub(super) struct Held<'a> {
    pub(super) table: usize,
    pub(super) column: usize,
    pub(super) index: &'a IndexFile,
    pub(super) prefix: &'static [u8],
}

/// Says whether a key counts.
pub(super) type KeyFilter<'f> = dyn Fn(&[u8]) -> bool + 'f;

/// Indexes whose keys name the same sort of thing.
pub(super) struct Group<'a> {
    held: Vec<Held<'a>>,
}

impl<'a> Group<'a> {
    pub(super) fn new(held: impl Iterator<Item = Held<'a>>) -> Self {
        Self { held: held.collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// The table of index `i`.
    pub(super) fn table(&self, i: usize) -> usize {
        self.held[i].table
    }

    /// Every distinct key in order.
    pub(super) fn merge(&self) -> Result<Merge<'a>> {
        Merge::new(
            self.held
                .iter()
                .map(|held| -> Box<dyn Keys + 'a> {
                    if held.prefix.is_empty() {
                        Box::new(held.index.all())
                    } else {
                        Box::new(Stripped::new(held.index.seek(held.prefix), held.prefix))
                    }
                })
                .collect(),
        )
    }

    /// How many distinct keys there are, of those that the filter lets through.
    pub(super) fn distinct(&self, filter: Option<&KeyFilter<'_>>) -> Result<u64> {
        if let ([only], None) = (self.held.as_slice(), filter)
            && only.prefix.is_empty()
        {
            return Ok(only.index.keys());
        }
        let mut merge = self.merge()?;
        let mut count = 0;
        while merge.next()? {
            count += u64::from(filter.is_none_or(|f| f(&merge.key)));
        }
        Ok(count)
    }

    /// Each index with the form that `key` has in it.
    pub(super) fn holding(&self, key: &[u8]) -> impl Iterator<Item = (&Held<'a>, Vec<u8>)> {
        self.held.iter().map(move |held| (held, [held.prefix, key].concat()))
    }

    /// Whether any index holds `key`.
    pub(super) fn holds(&self, key: &[u8]) -> Result<bool> {
        for (held, key) in self.holding(key) {
            if held.index.holds(&key)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

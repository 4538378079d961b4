//! Distinct keys over several indexes.

use crate::Result;
use crate::index::{Forward, IndexFile, Keys, Merge, Stripped};

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

    /// Looks for many values at once: `values` in order, each told with the index that holds it and
    /// how many rows do. A value may stand in `values` several times.
    pub(super) fn find(
        &self,
        values: &[&[u8]],
        each: &mut dyn FnMut(usize, &Held<'a>, u64) -> Result<()>,
    ) -> Result<()> {
        debug_assert!(values.is_sorted(), "values must ascend");
        for held in &self.held {
            // The shorter list is walked, the longer one searched.
            if held.index.keys() < values.len() as u64 / 8 {
                let mut cursor = held.index.seek(held.prefix);
                let mut more = cursor.next()?;
                while more && cursor.key.starts_with(held.prefix) {
                    let (key, mut count) = (cursor.key.clone(), 0);
                    while more && cursor.key == key {
                        count += cursor.rows.len() as u64;
                        more = cursor.next()?;
                    }
                    let value = &key[held.prefix.len()..];
                    let from = values.partition_point(|v| *v < value);
                    for at in (from..values.len()).take_while(|at| values[*at] == value) {
                        each(at, held, count)?;
                    }
                }
            } else {
                let mut forward = Forward::new(held.index);
                let mut key = held.prefix.to_vec();
                for (at, value) in values.iter().enumerate() {
                    key.truncate(held.prefix.len());
                    key.extend_from_slice(value);
                    let count = forward.count_of(&key)?;
                    if count > 0 {
                        each(at, held, count)?;
                    }
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::index::tests::build;

    /// Both ways of walking give each value the rows of each index, prefixes left off.
    #[test]
    fn many_values_are_found_as_one_by_one() {
        let dir = tempfile::tempdir().expect("a folder");
        let key = |n: u64| format!("mail:{:05}", n * 7 % 5000).into_bytes();
        let whole: Vec<(Vec<u8>, u64)> = (0..5000).map(|n| (key(n), n)).collect();
        let little = vec![(key(3), 0), (key(3), 1), (b"other:00003".to_vec(), 2), (key(9), 3)];
        let folder = |name: &str| {
            let folder = dir.path().join(name);
            ledger::disk::create_dir(&folder).expect("made");
            folder
        };
        let (whole, little) = (build(&folder("w"), &[whole]), build(&folder("l"), &[little]));
        let held = |table, index| Held { table, column: 0, index, prefix: b"mail:" };
        let group = Group::new([held(0, &whole), held(1, &little)].into_iter());
        let mut values: Vec<Vec<u8>> =
            (0..200u64).map(|n| format!("{:05}", n * 7).into_bytes()).collect();
        values.push(values[3].clone());
        values.sort_unstable();
        let values: Vec<&[u8]> = values.iter().map(Vec::as_slice).collect();
        let mut found = Vec::new();
        group
            .find(&values, &mut |at, held, count| {
                found.push((at, held.table, count));
                Ok(())
            })
            .expect("found");
        let mut expected = Vec::new();
        for (table, index) in [(0, &whole), (1, &little)] {
            for (at, value) in values.iter().enumerate() {
                let count = index.count_of(&[b"mail:", *value].concat()).expect("read");
                if count > 0 {
                    expected.push((at, table, count));
                }
            }
        }
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected);
        assert!(expected.iter().any(|(_, table, count)| (*table, *count) == (1, 2)));
    }
}

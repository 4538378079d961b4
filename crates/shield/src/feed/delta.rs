//! What differs between two serials.

use std::collections::BTreeMap;

use super::row::{Entry, Row};
use super::snapshot::Snapshot;
use super::whose::Whose;
use crate::order::Value;
use crate::order::words::Organisation;

/// A value whose row changed. Both rows stand in it, so that deltas can be merged, cut down to one
/// ISP's part, and held against what they are applied to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which.
    pub value: Value,
    /// Its row before; `None`: it was not out.
    pub before: Option<Row>,
    /// Its row after; `None`: it is not out any more.
    pub after: Option<Row>,
}

/// What differs between two serials: each value once, in their order, none whose row is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    from: u64,
    to: u64,
    changes: Vec<Change>,
}

/// Everybody's part of a delta, or one ISP's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// The serial it leads from.
    pub from: u64,
    /// The serial it leads to.
    pub to: u64,
    /// Values that are out now and were not, or are with another entry, in their order.
    pub added: Vec<(Value, Entry)>,
    /// How many of those were not out.
    pub new: usize,
    /// Values that are not out any more, in their order.
    pub removed: Vec<Value>,
}

impl Delta {
    /// A delta of changes in any order.
    pub(super) fn new(from: u64, to: u64, changes: impl IntoIterator<Item = Change>) -> Self {
        let mut sums: BTreeMap<Value, Change> = BTreeMap::new();
        sum(&mut sums, changes);
        Self { from, to, changes: sums.into_values().collect() }
    }

    /// The delta between two snapshots, whatever lies between them. It looks at every row.
    pub fn between(from: u64, before: &Snapshot, to: u64, after: &Snapshot) -> Self {
        let gone = before.rows().filter(|row| after.get(row.value()).is_none());
        let gone = gone.map(|row| (row.value(), Some(row), None));
        let there = after.rows().map(|row| (row.value(), before.get(row.value()), Some(row)));
        let changes = gone.chain(there).map(|(value, before, after)| Change {
            value: value.clone(),
            before: before.cloned(),
            after: after.cloned(),
        });
        Self::new(from, to, changes)
    }

    /// The delta over several in a row, each beginning where the one before ends; `None` where they
    /// do not, or there are none.
    pub fn merge<'a>(steps: impl IntoIterator<Item = &'a Self>) -> Option<Self> {
        let mut steps = steps.into_iter();
        let first = steps.next()?;
        let (from, mut to) = (first.from, first.to);
        let mut sums = first.changes.iter().map(|c| (c.value.clone(), c.clone())).collect();
        for step in steps {
            if step.from != to {
                return None;
            }
            to = step.to;
            sum(&mut sums, step.changes.iter().cloned());
        }
        Some(Self { from, to, changes: sums.into_values().collect() })
    }

    /// The serial it leads from.
    pub fn from(&self) -> u64 {
        self.from
    }

    /// The serial it leads to.
    pub fn to(&self) -> u64 {
        self.to
    }

    /// What changed, in the order of values.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// One ISP's part. It may be empty: the serial moves on all the same.
    pub fn of(&self, isp: &Organisation) -> Own {
        self.part(&Whose::Isp(isp.clone()))
    }

    /// Everybody's part, or one ISP's.
    pub fn part(&self, whose: &Whose) -> Own {
        let (mut added, mut removed, mut new) = (Vec::new(), Vec::new(), 0);
        for change in &self.changes {
            let of = |row: &Option<Row>| row.as_ref().and_then(|row| whose.of(row));
            match (of(&change.before), of(&change.after)) {
                (before, after) if before == after => {}
                (before, Some(after)) => {
                    new += usize::from(before.is_none());
                    added.push((change.value.clone(), after));
                }
                (_, None) => removed.push(change.value.clone()),
            }
        }
        Own { from: self.from, to: self.to, added, new, removed }
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let row = |row: &Option<Row>| row.as_ref().map_or(0, Row::weight);
        let change =
            |change: &Change| size_of::<Change>() + row(&change.before) + row(&change.after);
        self.changes.iter().map(change).sum::<usize>() + size_of::<Self>()
    }
}

/// Adds later changes to earlier ones. What is as it was in the beginning is no change.
fn sum(sums: &mut BTreeMap<Value, Change>, later: impl IntoIterator<Item = Change>) {
    for change in later {
        let before = match sums.remove(&change.value) {
            Some(earlier) => earlier.before,
            None => change.before,
        };
        if before != change.after {
            sums.insert(change.value.clone(), Change { before, ..change });
        }
    }
}

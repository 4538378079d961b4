//! What is measured: names that went out, or were lifted, the newest of them.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::figures::What;
use super::said::Side;
use crate::feed::Row;
use crate::item::Name;
use crate::order::{ItemId, Moment, Value};

/// The most names that are measured; a newer one takes the place of the oldest.
pub const MAX_TARGETS: usize = 10_000;

/// What is known of an ISP and a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seen {
    /// Which ISP, by its number.
    pub(super) isp: u16,
    /// What is found now.
    pub(super) now: Option<Side>,
    /// What the last record says.
    pub(super) told: Option<Side>,
    /// True once its time was taken.
    pub(super) timed: bool,
}

/// A name whose block or opening is measured.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// The value.
    pub(super) value: Value,
    /// What is to be found.
    pub(super) wanted: Side,
    /// Since when.
    pub(super) since: Moment,
    /// By which record.
    pub(super) record: u64,
    /// Under which item.
    pub(super) item: ItemId,
    /// For whom it is out, or was last.
    pub(super) row: Row,
    /// When the unblocked vantage answered last, and whether with addresses.
    pub(super) up: Option<(Moment, bool)>,
    /// By ISP, sorted.
    pub(super) seen: Vec<Seen>,
    /// True once another target of the same value took its place.
    pub(super) over: bool,
}

impl Target {
    pub(super) fn name(&self) -> Option<&Name> {
        self.value.name()
    }

    pub(super) fn seen(&self, isp: u16) -> Option<&Seen> {
        let at = self.seen.binary_search_by_key(&isp, |seen| seen.isp).ok()?;
        self.seen.get(at)
    }

    pub(super) fn seen_mut(&mut self, isp: u16) -> Option<&mut Seen> {
        let at = match self.seen.binary_search_by_key(&isp, |seen| seen.isp) {
            Ok(at) => at,
            Err(at) => {
                self.seen.insert(at, Seen { isp, now: None, told: None, timed: false });
                at
            }
        };
        self.seen.get_mut(at)
    }

    /// What an ISP does with it, as it was found last.
    pub(super) fn what(&self, seen: &Seen) -> Option<What> {
        seen.now.map(|side| What::of(self.wanted, side))
    }
}

/// The targets, by the moment since when; each has a number for ever.
#[derive(Debug, Clone, Default)]
pub(super) struct Targets {
    all: VecDeque<Target>,
    first: u64,
    by_name: HashMap<Name, u64>,
}

impl Targets {
    /// How many were let go before the first that is kept.
    pub(super) fn first(&self) -> u64 {
        self.first
    }

    /// All that are kept, the oldest first, with those that are over.
    pub(super) fn all(&self) -> impl Iterator<Item = &Target> {
        self.all.iter()
    }

    /// Begins behind so many that were let go; false where any is there.
    pub(super) fn begin(&mut self, first: u64) -> bool {
        self.first = first;
        self.all.is_empty() && first.checked_add(2 * MAX_TARGETS as u64).is_some()
    }

    /// Puts one back behind those that are there; false where it cannot stand there.
    pub(super) fn put_back(&mut self, target: Target) -> bool {
        let Some(name) = target.name().cloned() else { return false };
        let late = self.all.back().is_some_and(|last| last.since > target.since);
        if late || self.all.len() >= MAX_TARGETS {
            return false;
        }
        let number = self.first + self.all.len() as u64;
        let again = !target.over && self.by_name.insert(name, number).is_some();
        self.all.push_back(target);
        !again
    }

    pub(super) fn number_of(&self, name: &Name) -> Option<u64> {
        self.by_name.get(name).copied()
    }

    pub(super) fn get(&self, number: u64) -> Option<&Target> {
        self.all.get(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut Target> {
        self.all.get_mut(usize::try_from(number.checked_sub(self.first)?).ok()?)
    }

    /// Adds one. What gives way, another of its name or the oldest, comes back: its figures no longer count.
    pub(super) fn add(&mut self, mut target: Target) -> Vec<Target> {
        let Some(name) = target.name().cloned() else { return Vec::new() };
        let mut gone = Vec::new();
        if let Some(before) = self.number_of(&name).and_then(|n| self.get_mut(n)) {
            before.over = true;
            gone.push(before.clone());
            before.seen = Vec::new();
        }
        // A clock that went back: the order is that of the log.
        let last = self.all.back().map_or(target.since, |last| last.since);
        target.since = target.since.max(last);
        self.all.push_back(target);
        self.by_name.insert(name, self.first + self.all.len() as u64 - 1);
        while self.all.len() > MAX_TARGETS {
            let Some(oldest) = self.all.pop_front() else { break };
            if let Some(name) = oldest.name().filter(|_| !oldest.over) {
                self.by_name.remove(name);
                gone.push(oldest);
            }
            self.first += 1;
        }
        gone
    }

    /// Those that count, the newest first.
    pub(super) fn newest(&self) -> impl Iterator<Item = &Target> {
        self.all.iter().rev().filter(|target| !target.over)
    }

    /// The numbers of those whose time began in a span, `from` not meant.
    pub(super) fn between(&self, from: Moment, to: Moment) -> std::ops::Range<u64> {
        let at = |moment: Moment| self.all.partition_point(|target| target.since <= moment) as u64;
        let (from, to) = (at(from), at(to));
        self.first + from..self.first + to.max(from)
    }
}

//! The session, its serial, and how far back deltas reach.

use std::collections::{BTreeMap, VecDeque};

use super::delta::{Change, Delta, Own};
use super::row::Row;
use super::snapshot::{Gates, Snapshot, View};
use super::whose::Whose;
use crate::order::Value;
use crate::order::words::Organisation;

/// Where a feed is, and where who follows it stands.
///
/// A *session* is one unbroken run of serials, named by a random number. An *epoch* orders sessions:
/// whoever begins a new session, after a fault, on another machine, from a copy, begins it with a
/// greater epoch. So `(epoch, serial)` only grows, and who follows refuses what is older than what it
/// has: a feed of yesterday played back by a cache or an enemy blocks and lifts nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The session.
    pub session: u64,
    /// The session's epoch.
    pub epoch: u64,
    /// The serial, from 0.
    pub serial: u64,
}

impl Place {
    /// True where who stands at `self` may go to `next`: on in its session, or to one of a later
    /// epoch.
    pub fn may_go_to(self, next: Self) -> bool {
        if next.epoch == self.epoch {
            next.session == self.session && next.serial >= self.serial
        } else {
            next.epoch > self.epoch
        }
    }
}

/// What a client shows.
pub type Shown = Place;

/// What a client gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// Nothing: it has all.
    Current,
    /// What changed.
    Delta(Own),
    /// All, in place of whatever it has.
    Reset(View),
}

/// How far back deltas are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// At most so many.
    pub deltas: usize,
    /// At most about so many bytes, all together. One delta that is larger is not kept.
    pub bytes: usize,
}

impl Default for Bounds {
    /// 4,096 deltas, an hour of one a second; 64 MiB.
    fn default() -> Self {
        Self { deltas: 4_096, bytes: 64 << 20 }
    }
}

/// A session: the snapshot, and the deltas that led to it.
#[derive(Debug, Clone)]
pub struct History {
    place: Place,
    bounds: Bounds,
    current: Snapshot,
    deltas: VecDeque<(Delta, usize)>,
    bytes: usize,
    /// The serial at which everybody's gate, or one ISP's, last opened or shut: no delta leads across.
    turned: BTreeMap<Option<Organisation>, u64>,
}

impl History {
    /// A session that begins with what is out.
    pub fn new(session: u64, epoch: u64, bounds: Bounds, current: Snapshot) -> Self {
        Self {
            place: Place { session, epoch, serial: 0 },
            bounds,
            current,
            deltas: VecDeque::new(),
            bytes: 0,
            turned: BTreeMap::new(),
        }
    }

    /// Where the feed is.
    pub fn place(&self) -> Place {
        self.place
    }

    /// What is out.
    pub fn current(&self) -> &Snapshot {
        &self.current
    }

    /// The last delta, if it is kept.
    pub fn last(&self) -> Option<&Delta> {
        self.deltas.back().map(|(delta, _)| delta)
    }

    /// How many deltas are kept, and about how many bytes they take.
    pub fn kept(&self) -> (usize, usize) {
        (self.deltas.len(), self.bytes)
    }

    /// Publishes rows, and who gets nothing, under one new serial. `None`: nothing differs, and the
    /// serial stays.
    pub fn publish(
        &mut self,
        rows: impl IntoIterator<Item = (Value, Option<Row>)>,
        gates: Gates,
    ) -> Option<Place> {
        let from = self.place.serial;
        let mut changes = Vec::new();
        for (value, after) in rows {
            let before = self.current.set(&value, after.clone());
            if before != after {
                changes.push(Change { value, before, after });
            }
        }
        let to = from.saturating_add(1);
        let delta = Delta::new(from, to, changes);
        if delta.changes().is_empty() && gates == *self.current.gates() {
            return None;
        }
        self.place.serial = to;
        let weight = delta.weight();
        self.bytes = self.bytes.saturating_add(weight);
        self.deltas.push_back((delta, weight));
        while self.deltas.len() > self.bounds.deltas || self.bytes > self.bounds.bytes {
            let Some((_, weight)) = self.deltas.pop_front() else { break };
            self.bytes -= weight;
        }
        self.turn_gates(gates);
        Some(self.place)
    }

    fn turn_gates(&mut self, gates: Gates) {
        let before = self.current.gates();
        if before.is_shut() != gates.is_shut() {
            self.turned.insert(None, self.place.serial);
        }
        for isp in gates.differs(before) {
            self.turned.insert(Some(isp), self.place.serial);
        }
        self.current.set_gates(gates);
        // Where no delta reaches any more, no gate has to be remembered.
        let oldest = self.oldest();
        self.turned.retain(|_, serial| *serial > oldest);
    }

    /// The oldest serial from which a delta leads here.
    pub fn oldest(&self) -> u64 {
        self.deltas.front().map_or(self.place.serial, |(delta, _)| delta.from())
    }

    /// What an ISP gets that shows where it stands; `None`: it has nothing yet.
    ///
    /// Whatever does not fit, another session, a serial that is not kept or was never reached, a gate
    /// in between, is answered with all that the ISP is to have, which is never wrong.
    pub fn answer(&self, isp: &Organisation, shown: Option<Shown>) -> Answer {
        self.answer_to(&Whose::Isp(isp.clone()), shown)
    }

    /// The same, of everybody's view or of one ISP's.
    pub fn answer_to(&self, whose: &Whose, shown: Option<Shown>) -> Answer {
        let delta = shown.and_then(|shown| self.since(whose, shown));
        delta.unwrap_or_else(|| Answer::Reset(self.current.view_of(whose)))
    }

    fn since(&self, whose: &Whose, shown: Shown) -> Option<Answer> {
        let same = (shown.session, shown.epoch) == (self.place.session, self.place.epoch);
        if !same || shown.serial > self.place.serial {
            return None;
        }
        if shown.serial == self.place.serial {
            return Some(Answer::Current);
        }
        let own = whose.isp().and_then(|isp| self.turned.get(&Some(isp.clone())));
        let turned = [self.turned.get(&None), own];
        if turned.into_iter().flatten().any(|serial| *serial > shown.serial) {
            return None;
        }
        // Who gets nothing has nothing to catch up with.
        if whose.is_shut(self.current.gates()) {
            let (from, to) = (shown.serial, self.place.serial);
            let (added, removed) = (Vec::new(), Vec::new());
            return Some(Answer::Delta(Own { from, to, added, new: 0, removed }));
        }
        let behind = usize::try_from(self.place.serial - shown.serial).ok()?;
        let first = self.deltas.len().checked_sub(behind)?;
        let mut steps = self.deltas.range(first..).map(|(delta, _)| delta);
        if behind == 1 {
            return steps.next().map(|delta| Answer::Delta(delta.part(whose)));
        }
        Delta::merge(steps).map(|delta| Answer::Delta(delta.part(whose)))
    }
}

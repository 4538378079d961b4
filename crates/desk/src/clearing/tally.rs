//! What became of what was reported, in counts and times: made of the steps, as the state is, so that the
//! same log always gives the same figures.
//!
//! Bounds: [`MAX_NAMED`] reporters and as many events are counted by name, the rest together; of each time
//! the newest [`MAX_SAMPLES`] are kept, and percentiles are of those.

use std::collections::{BTreeMap, HashMap, VecDeque};

use model::Sha256Hex;
use serde::{Deserialize, Serialize};
use shield::order::turn::{Cause, Charge, Denial, Turn};
use shield::order::words::{EventId, Organisation};
use shield::order::{Deed, ItemId, Moment, Stage, State, Step};

use super::months::Months;

/// The most reporters, and the most events, that are counted by name.
pub const MAX_NAMED: usize = 10_000;
/// The most times that are kept of each kind.
pub const MAX_SAMPLES: usize = 10_000;
/// The most items, and the most objections, of which a time runs.
const MAX_RUNNING: usize = 1_000_000;

/// What became of items.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Counts {
    /// Reported.
    pub reported: u64,
    /// Put into force.
    pub released: u64,
    /// Never in force.
    pub refused: u64,
    /// Ended before their time, whatever for.
    pub lifted: u64,
    /// Of these: for harm to others.
    pub collateral: u64,
    /// Ended by their time.
    pub expired: u64,
    /// Charged to their reporter as errors.
    pub errors: u64,
}

/// How long something took, in milliseconds: the newest [`MAX_SAMPLES`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    newest: VecDeque<u64>,
    /// How many there were in all.
    pub all: u64,
}

impl Times {
    pub(super) fn add(&mut self, ms: u64) {
        if self.newest.len() >= MAX_SAMPLES {
            self.newest.pop_front();
        }
        self.newest.push_back(ms);
        self.all += 1;
    }

    /// So many of a hundred took at most this, by nearest rank; `None` where nothing was measured.
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let mut sorted: Vec<u64> = self.newest.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

/// A part of an item's way, or an objection's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// From the report to the first capture.
    Captured,
    /// From the first capture to its check.
    Checked,
    /// From that check into force: a second person's word, a window, a host's silence included.
    InForce,
    /// From the report into force.
    Whole,
    /// From an objection to a reviewer's decision.
    Objection,
}

impl Part {
    /// Every one.
    pub const ALL: [Self; 5] =
        [Self::Captured, Self::Checked, Self::InForce, Self::Whole, Self::Objection];

    /// As it stands in tables and catalogues.
    pub fn word(self) -> &'static str {
        match self {
            Self::Captured => "captured",
            Self::Checked => "checked",
            Self::InForce => "in_force",
            Self::Whole => "whole",
            Self::Objection => "objection",
        }
    }
}

/// Objections, in counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Objections {
    /// Taken, one an item and proof.
    pub taken: u64,
    /// Upheld.
    pub upheld: u64,
    /// Turned down.
    pub dismissed: u64,
    /// Not decided in time.
    pub overdue: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) captured: Option<Moment>,
    pub(super) checked: Option<Moment>,
}

/// The figures.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All items together.
    pub all: Counts,
    /// Items that were lifted, by cause.
    pub lifted: BTreeMap<Cause, u64>,
    /// Items that were refused, by why.
    pub refused: BTreeMap<Denial, u64>,
    /// Objections.
    pub objections: Objections,
    /// Harm that networks reported.
    pub harm_reports: u64,
    /// The same by month, without names.
    pub months: Months,
    pub(super) reporters: BTreeMap<Organisation, Counts>,
    pub(super) events: BTreeMap<EventId, Counts>,
    pub(super) times: [Times; Part::ALL.len()],
    pub(super) running: HashMap<ItemId, Running>,
    pub(super) objected: HashMap<(ItemId, Sha256Hex), Moment>,
}

impl Tally {
    /// Of a reporter.
    pub fn reporter(&self, name: &Organisation) -> Counts {
        self.reporters.get(name).copied().unwrap_or_default()
    }

    /// By reporter.
    pub fn reporters(&self) -> impl Iterator<Item = (&Organisation, &Counts)> {
        self.reporters.iter()
    }

    /// By event.
    pub fn events(&self) -> impl Iterator<Item = (&EventId, &Counts)> {
        self.events.iter()
    }

    /// How long a part took.
    pub fn times(&self, part: Part) -> &Times {
        &self.times[part as usize]
    }

    /// Follows a step that was just applied.
    pub(super) fn follow(&mut self, state: &State, step: &Step) {
        match &step.deed {
            Deed::Submitted(ticket) => {
                let items = ticket.items.len() as u64;
                if let Some(item) = (items > 0).then(|| ItemId::new(ticket.id, 0)) {
                    self.count(state, item, |counts| counts.reported += items);
                }
                self.months.count(step.at, |month| {
                    month.tickets += 1;
                    month.reported += items;
                });
            }
            Deed::Turned { item, turn } => self.turned(state, *item, turn, step.at),
            Deed::Objected { item, proof, .. } => {
                self.objections.taken += 1;
                self.months.count(step.at, |month| month.objections += 1);
                if self.objected.len() < MAX_RUNNING {
                    self.objected.insert((*item, *proof), step.at);
                }
            }
            Deed::ObjectionOverdue { .. } => self.objections.overdue += 1,
            Deed::ObjectionDismissed { item, proof, .. } => {
                self.objections.dismissed += 1;
                self.decided(*item, proof, step.at);
            }
            Deed::ObjectionUpheld { item, proof, charge, .. } => {
                self.objections.upheld += 1;
                self.months.count(step.at, |month| month.upheld += 1);
                self.decided(*item, proof, step.at);
                self.charged(state, *item, *charge);
            }
            Deed::HarmReported { .. } => self.harm_reports += 1,
            Deed::Stopped { .. } => self.months.count(step.at, |month| month.stops += 1),
            _ => {}
        }
    }

    fn turned(&mut self, state: &State, item: ItemId, turn: &Turn, at: Moment) {
        let reported = state.ticket(item.ticket()).map(|ticket| ticket.at);
        match turn {
            Turn::Captured(_) => {
                let first = !self.running.contains_key(&item);
                if first && self.running.len() < MAX_RUNNING {
                    self.running.insert(item, Running { captured: Some(at), checked: None });
                    self.took(Part::Captured, reported, at);
                }
            }
            Turn::Checked { .. } => {
                let Some(running) = self.running.get_mut(&item) else { return };
                if running.checked.is_none() {
                    let captured = running.captured;
                    running.checked = Some(at);
                    let held = state.item(item).map(|live| live.machine.stage());
                    if held == Some(Stage::Held) {
                        self.months.count(at, |month| month.held += 1);
                    }
                    self.took(Part::Checked, captured, at);
                }
            }
            Turn::Released { .. } => {
                self.count(state, item, |counts| counts.released += 1);
                self.months.count(at, |month| month.released += 1);
                if let Some(running) = self.running.remove(&item) {
                    self.took(Part::InForce, running.checked, at);
                }
                self.took(Part::Whole, reported, at);
            }
            Turn::Refused { denial, .. } => {
                self.running.remove(&item);
                *self.refused.entry(*denial).or_default() += 1;
                self.count(state, item, |counts| counts.refused += 1);
                self.months.count(at, |month| month.refused += 1);
            }
            Turn::Lifted { cause, charge, proof, .. } => {
                *self.lifted.entry(*cause).or_default() += 1;
                let harm = *cause == Cause::Collateral;
                self.count(state, item, |counts| {
                    counts.lifted += 1;
                    counts.collateral += u64::from(harm);
                });
                self.charged(state, item, *charge);
                let objected =
                    proof.as_ref().and_then(|proof| self.objected.get(&(item, *proof)).copied());
                self.months.count(at, |month| {
                    month.lifted += 1;
                    month.collateral += u64::from(harm);
                    month.upheld += u64::from(proof.is_some());
                    if let Some(objected) = objected {
                        month.to_lift.add(at.since(objected));
                    }
                });
                if let Some(proof) = proof {
                    self.objections.upheld += 1;
                    self.decided(item, proof, at);
                }
            }
            Turn::Expired => {
                self.count(state, item, |counts| counts.expired += 1);
                self.months.count(at, |month| month.expired += 1);
            }
            _ => {}
        }
    }

    fn charged(&mut self, state: &State, item: ItemId, charge: Charge) {
        if charge != Charge::None {
            self.count(state, item, |counts| counts.errors += 1);
        }
    }

    fn decided(&mut self, item: ItemId, proof: &Sha256Hex, at: Moment) {
        let taken = self.objected.remove(&(item, *proof));
        if taken.is_some() {
            self.took(Part::Objection, taken, at);
        }
    }

    fn took(&mut self, part: Part, from: Option<Moment>, at: Moment) {
        if let Some(from) = from {
            self.times[part as usize].add(at.since(from));
        }
    }

    /// Counts for all, the item's reporter and its event.
    fn count(&mut self, state: &State, item: ItemId, add: impl Fn(&mut Counts)) {
        add(&mut self.all);
        let Some(ticket) = state.ticket(item.ticket()) else { return };
        named(&mut self.reporters, &ticket.reporter, &add);
        if let Some(event) = &ticket.event {
            named(&mut self.events, event, &add);
        }
    }
}

/// Counts under a name; beyond [`MAX_NAMED`] under none.
fn named<K: Ord + Clone>(table: &mut BTreeMap<K, Counts>, name: &K, add: &impl Fn(&mut Counts)) {
    if let Some(counts) = table.get_mut(name) {
        add(counts);
    } else if table.len() < MAX_NAMED {
        add(table.entry(name.clone()).or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_by_nearest_rank_and_of_the_newest() {
        let mut times = Times::default();
        assert_eq!(times.percentile(50), None);
        (1..=100).for_each(|ms| times.add(ms));
        assert_eq!((times.percentile(50), times.percentile(99)), (Some(50), Some(99)));
        (0..MAX_SAMPLES).for_each(|_| times.add(7));
        assert_eq!((times.percentile(99), times.newest.len()), (Some(7), MAX_SAMPLES));
        assert_eq!(times.all, MAX_SAMPLES as u64 + 100);
    }

    #[test]
    fn no_more_names_are_kept_than_the_bound() {
        let mut table = BTreeMap::new();
        for n in 0..MAX_NAMED + 5 {
            named(&mut table, &n, &|counts: &mut Counts| counts.reported += 1);
        }
        assert_eq!(table.len(), MAX_NAMED);
    }
}

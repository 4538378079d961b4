//! What happened in a world, in figures.

use std::collections::BTreeMap;

/// What happened.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) steps: u64,
    pub(super) acks: u64,
    pub(super) house_crashes: u64,
    pub(super) edge_crashes: u64,
    pub(super) promotions: u64,
    /// Acts that were done on a machine alone.
    pub(super) alone: u64,
    /// Acts that were acknowledged, and that the machine does not have that was promoted: by a thief alone.
    pub(super) lost: u64,
    /// A witness was shown two histories.
    pub(super) forks: u64,
    /// Steps of an edge at which somebody who has nothing to do with anything was blocked.
    pub(super) bystanders: u64,
    pub(super) blocked: u64,
    /// Steps of an edge in the storm while the thief was at work, and of these, at which it obeyed a stop file.
    pub(super) raided: u64,
    pub(super) let_go: u64,
    /// Of what was blocked, what was addressed to single ISPs alone.
    pub(super) addressed: u64,
    /// How often an edge went over from one view to another.
    pub(super) over: u64,
    /// How often an edge went over to a site with a later epoch.
    pub(super) later: u64,
    pub(super) alarms: BTreeMap<String, u64>,
    pub(super) asked: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.steps, other.steps),
            (&mut self.acks, other.acks),
            (&mut self.house_crashes, other.house_crashes),
            (&mut self.edge_crashes, other.edge_crashes),
            (&mut self.promotions, other.promotions),
            (&mut self.alone, other.alone),
            (&mut self.lost, other.lost),
            (&mut self.forks, other.forks),
            (&mut self.bystanders, other.bystanders),
            (&mut self.blocked, other.blocked),
            (&mut self.raided, other.raided),
            (&mut self.let_go, other.let_go),
            (&mut self.addressed, other.addressed),
            (&mut self.over, other.over),
            (&mut self.later, other.later),
        ] {
            *sum += more;
        }
        for (word, times) in &other.alarms {
            *self.alarms.entry(word.clone()).or_default() += times;
        }
        for (what, times) in &other.asked {
            *self.asked.entry(what).or_default() += times;
        }
    }
}

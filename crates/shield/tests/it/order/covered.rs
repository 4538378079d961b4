//! A feed that waits for witnesses, beside the one that waits for nobody.

use std::collections::BTreeMap;

use shield::feed::{Bounds, Cover, Entry, Feed, Row};
use shield::order::{Deed, ItemId, Machine, Moment, State, Step, Touched, Turn};

/// Which decision put which entry into force, how many decisions are covered, and the feed by it.
#[derive(Debug)]
pub(super) struct Covered {
    pub(super) feed: Feed,
    decided: BTreeMap<ItemId, Vec<(u64, Entry)>>,
    decisions: u64,
    covered: u64,
}

impl Covered {
    pub(super) fn new(state: &State) -> Self {
        let feed = Feed::new(state, 7, 1, Bounds { deltas: 8, bytes: 4_096 });
        Self { feed, decided: BTreeMap::new(), decisions: 0, covered: 0 }
    }

    /// A step of the decision that is being made.
    pub(super) fn step(&mut self, state: &State, step: &Step, touched: Touched) {
        self.feed.touch(state, touched);
        let Deed::Turned { item, turn: Turn::Released { expires } | Turn::Renewed { expires, .. } } =
            &step.deed
        else {
            return;
        };
        let Some(live) = state.item(*item) else { return };
        let Machine::InForce(in_force) = &live.machine else { return };
        let entry = Entry { expires: *expires, item: *item, code: in_force.outcome.code };
        self.decided.entry(*item).or_default().push((self.decisions, entry));
    }

    /// The decision is made; now and then witnesses come up with the log, seldom to its end.
    pub(super) fn publish(&mut self, state: &State, now: Moment) {
        self.decisions += 1;
        if self.decisions.is_multiple_of(5) {
            self.covered = self.covered.max(self.decisions - (self.decisions / 5) % 5);
            self.feed.look_again();
        }
        let (decided, covered) = (&self.decided, self.covered);
        let _ = self.feed.publish_covered(state, now, &|entry| cover(decided, covered, entry));
        self.hold(state, now);
    }

    fn hold(&self, state: &State, now: Moment) {
        let covers = |entry: &Entry| cover(&self.decided, self.covered, entry);
        let current = self.feed.history().current();
        for row in current.rows() {
            let entries = row.for_all().into_iter().chain(row.for_some().map(|(_, entry)| entry));
            for entry in entries {
                // An addition never leaves before its record is covered.
                let same = |(_, of): &&(u64, Entry)| of.expires == entry.expires;
                let of = self.decided[&entry.item].iter().find(same);
                let (record, _) = of.expect("what is out was decided");
                assert!(*record < self.covered, "{entry:?} left before");
                // And what ended is gone at once, whatever is covered.
                let wanting = state.wanting(row.value());
                assert!(wanting.contains(&entry.item), "{entry:?} outlives its item");
                assert!(!state.is_lifted(entry.ticket()), "{entry:?} outlives a stop");
                let live = state.item(entry.item).expect("it lives");
                let in_force = live.machine.in_force().expect("it is in force");
                assert!(entry.expires <= in_force.expires, "{entry:?} outlives a decision");
            }
        }
        // Who begins anew gets the same: nothing that is covered is forgotten.
        let anew = Feed::begin(state, (7, 1), Bounds::default(), now, &covers);
        assert_eq!(current, anew.history().current(), "the feed lags");
        assert_eq!(self.feed.waiting(), anew.waiting());
        // Once all is covered it is the feed that waits for nobody.
        let mut whole = self.feed.clone();
        whole.look_again();
        let _ = whole.publish_covered(state, now, &|_| Cover::Whole);
        let nobody = Feed::new(state, 7, 1, Bounds::default());
        assert_eq!(whole.history().current(), nobody.history().current());
        assert_eq!(whole.waiting(), 0);
        // What is hidden is hidden for a reason.
        let missing = |row: &&Row| current.get(row.value()) != Some(row);
        let differ = nobody.history().current().rows().filter(missing).count();
        assert!(differ <= self.feed.waiting());
    }
}

fn cover(decided: &BTreeMap<ItemId, Vec<(u64, Entry)>>, covered: u64, entry: &Entry) -> Cover {
    let all = decided.get(&entry.item).map(Vec::as_slice).unwrap_or_default();
    let is_covered = |(record, _): &&(u64, Entry)| *record < covered;
    match all.iter().rev().find(is_covered) {
        // A reviewer who reinstates a block may give it a graver reason: that is no other block.
        Some((_, of)) if of.expires == entry.expires => Cover::Whole,
        Some((_, earlier)) => Cover::Before(*earlier),
        None => Cover::None,
    }
}

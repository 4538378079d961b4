//! The rule of three: a name is blocked at a resolver since the first of three consecutive answers that
//! withhold it, and open since the first of three that give it. What is no answer neither counts nor breaks.

use super::said::Side;
use crate::order::Moment;

/// How many answers in a row conclude.
pub const IN_A_ROW: u8 = 3;

/// The answers of one resolver for one name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Trail {
    /// The run that goes on: its side, its first answer, how many, up to [`IN_A_ROW`].
    run: Option<(Side, Moment, u8)>,
    /// The last answer of the side before.
    before: Option<Moment>,
    /// The last answer.
    last: Option<Moment>,
    /// What was concluded last.
    concluded: Option<Concluded>,
}

/// What three answers in a row say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concluded {
    /// Which side.
    pub side: Side,
    /// The first of the three.
    pub first: Moment,
    /// How long before it the other side was seen last, in milliseconds: the turn itself came within that.
    /// `None`: it never was.
    pub gap_ms: Option<u64>,
}

impl Trail {
    /// One of which a side was concluded before: after a restart.
    pub fn of(side: Side, first: Moment) -> Self {
        let concluded = Some(Concluded { side, first, gap_ms: None });
        Self { concluded, ..Self::default() }
    }

    /// Takes an answer; gives what it concludes, if that is another side than before. An answer from before
    /// the last one comes too late to count.
    pub fn take(&mut self, side: Side, at: Moment) -> Option<Concluded> {
        if self.last.is_some_and(|last| at < last) {
            return None;
        }
        let (first, count) = match self.run {
            Some((of, first, count)) if of == side => (first, count.saturating_add(1)),
            Some(_) => {
                self.before = self.last;
                (at, 1)
            }
            None => (at, 1),
        };
        self.last = Some(at);
        self.run = Some((side, first, count.min(IN_A_ROW)));
        if count < IN_A_ROW || self.concluded.is_some_and(|was| was.side == side) {
            return None;
        }
        let gap_ms = self.before.map(|before| first.since(before));
        self.concluded = Some(Concluded { side, first, gap_ms });
        self.concluded
    }

    /// What was concluded last.
    pub fn concluded(&self) -> Option<Concluded> {
        self.concluded
    }

    /// The side of the last answer.
    pub fn leaning(&self) -> Option<Side> {
        self.run.map(|(side, _, _)| side)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_of_three_counts() {
        let mut trail = Trail::default();
        let turns: Vec<_> = [
            (Side::Open, 0),
            (Side::Blocked, 1_000),
            (Side::Open, 2_000),
            (Side::Blocked, 3_000),
            (Side::Blocked, 4_000),
            (Side::Blocked, 5_000),
            (Side::Blocked, 6_000),
        ]
        .into_iter()
        .filter_map(|(side, at)| trail.take(side, Moment(at)))
        .collect();
        let first = Moment(3_000);
        assert_eq!(turns, [Concluded { side: Side::Blocked, first, gap_ms: Some(1_000) }]);
        assert_eq!(trail.take(Side::Open, Moment(5_500)), None, "too late to count");
        assert_eq!(trail.leaning(), Some(Side::Blocked));
    }

    proptest! {
        /// Against a model that keeps every answer.
        #[test]
        fn it_is_the_rule(answers in prop::collection::vec((any::<bool>(), 1i64..2_000), 0..60)) {
            let (mut trail, mut all, mut at) = (Trail::default(), Vec::new(), 0);
            let mut was = None;
            for (blocked, later) in answers {
                at += later;
                let side = if blocked { Side::Blocked } else { Side::Open };
                all.push((side, at));
                let run = all.iter().rev().take_while(|(of, _)| *of == side).count();
                let due = run >= 3 && was != Some(side);
                let found = trail.take(side, Moment(at));
                prop_assert_eq!(found.is_some(), due);
                if let Some(found) = found {
                    let first = all.len() - run;
                    prop_assert_eq!(found.first, Moment(all[first].1));
                    let gap = first.checked_sub(1).map(|n| (all[first].1 - all[n].1) as u64);
                    prop_assert_eq!(found.gap_ms, gap);
                    was = Some(side);
                }
            }
        }
    }
}

//! How far a follower's clock is ahead of the clearing house's, as far as heartbeats tell.

use std::collections::VecDeque;

/// So many heartbeats in a row are looked at.
const BEATS: usize = 4;

/// The ages at which the last heartbeats were heard first, in milliseconds by the follower's own wall clock.
#[derive(Debug, Default)]
pub(super) struct Skew {
    ages: VecDeque<u64>,
}

impl Skew {
    /// Hears a beat that is `age` old by this clock; `again` where it was heard before. By how much this clock is
    /// ahead at the least, in milliseconds, where all that came is said: a beat may be as old as the next one is
    /// `every` away though all clocks agree. Of several in a row one came soon after it was made.
    pub(super) fn ahead(&mut self, age: u64, again: bool, every: u64) -> u64 {
        match self.ages.back_mut().filter(|_| again) {
            Some(last) => *last = age.min(*last),
            None => self.ages.push_back(age),
        }
        if self.ages.len() > BEATS {
            self.ages.pop_front();
        }
        let least = self.ages.iter().min().filter(|_| self.ages.len() == BEATS);
        age.saturating_sub(every).max(least.copied().unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_ahead_is_found_between_events_too() {
        let mut skew = Skew::default();
        // A heartbeat each 30 s, heard 7 s later each time, and again while the next one is to come.
        let heard: Vec<u64> = (0..5)
            .map(|_| {
                assert_eq!(skew.ahead(37_000, true, 30_000), 7_000);
                skew.ahead(7_000, false, 30_000)
            })
            .collect();
        assert_eq!(heard, [0, 0, 7_000, 7_000, 7_000]);
        // Set right, or one that came at once: no more.
        assert_eq!(skew.ahead(40, false, 30_000), 40);
        // Who asks now and then hears each somewhere on its way, and one of them early.
        for age in [14_000, 9_000, 13_000, 200, 11_000, 14_900, 8_000] {
            assert!(skew.ahead(age, false, 30_000) <= 8_000);
        }
    }
}

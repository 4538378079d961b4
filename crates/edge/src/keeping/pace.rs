//! How many values were let in within the last minute.

use std::collections::VecDeque;

/// The minute, in milliseconds.
pub const MINUTE: u64 = 60_000;
/// What is counted together. A second counts for as long as any of it lies in the last minute, so
/// that no minute ever has more than the bound.
const STEP: u64 = 1_000;

/// The count: at most 61 steps.
#[derive(Debug, Clone, Default)]
pub(super) struct Pace {
    steps: VecDeque<(u64, u64)>,
    sum: u64,
}

impl Pace {
    /// Counts one more at `now`, if `most` allows it.
    pub(super) fn one(&mut self, now: u64, most: u64) -> bool {
        while let Some(&(step, count)) = self.steps.front() {
            if (step + 1) * STEP + MINUTE > now {
                break;
            }
            self.steps.pop_front();
            self.sum -= count;
        }
        if self.sum >= most {
            return false;
        }
        self.sum += 1;
        match self.steps.back_mut() {
            Some((step, count)) if *step == now / STEP => *count += 1,
            _ => self.steps.push_back((now / STEP, 1)),
        }
        true
    }
}

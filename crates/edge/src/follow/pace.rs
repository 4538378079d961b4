//! How long is waited after something failed: longer each time, and never in step with all others who
//! failed at the same moment.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// The first wait, and the longest.
const FIRST: Duration = Duration::from_millis(250);
/// See [`FIRST`].
pub(super) const LONGEST: Duration = Duration::from_secs(20);

/// Waits that double, with jitter.
#[derive(Debug)]
pub(super) struct Pace {
    next: Duration,
}

impl Pace {
    pub(super) fn new() -> Self {
        Self { next: FIRST }
    }

    /// It went well.
    pub(super) fn reset(&mut self) {
        self.next = FIRST;
    }

    /// The next wait: between half of what is due and all of it.
    pub(super) fn wait(&mut self) -> Duration {
        let due = self.next;
        self.next = (due * 2).min(LONGEST);
        let half = due / 2;
        let spread = u64::try_from(half.as_millis()).unwrap_or(0).max(1);
        half + Duration::from_millis(RandomState::new().hash_one(spread) % spread)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_are_not_all_the_same() {
        let waits = || {
            let mut pace = Pace::new();
            (0..12).map(|_| pace.wait()).collect::<Vec<_>>()
        };
        let (one, other) = (waits(), waits());
        assert_ne!(one, other);
        assert!(one[0] >= FIRST / 2 && one.iter().all(|wait| *wait <= LONGEST));
        assert!(one[11] >= LONGEST / 2);
        let mut pace = Pace::new();
        assert!((0..9).map(|_| pace.wait()).max() > Some(FIRST));
        pace.reset();
        assert!(pace.wait() <= FIRST);
    }
}

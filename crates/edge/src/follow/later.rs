//! A mirror with a later epoch than the one that is followed. After a promotion ([`shield::feed::Place`]) the machine
//! that was replaced may live on, cut off, and a mirror may go on handing its feed on: signed, alive, and of an epoch
//! that is over. Who asks that mirror alone never hears of it. So the others are looked at now and then, and who has a
//! later epoch is gone over to.
//!
//! What lasts shorter than [`LASTS`], or than a mirror may stand still ([`still`]), is no such thing: after a restart of
//! the clearing house, a cache is behind for some seconds, and a copied folder longer. It is pure: manifests that a key of the feed signed come in, whether to go over comes out.

use shield::order::Moment;
use shield::wire::Manifest;

use super::behind::still;

/// How often a mirror is looked at, in milliseconds.
pub(super) const EVERY: u64 = 10_000;
/// How long a later epoch is there before it is gone over to, in milliseconds, at the least.
pub(super) const LASTS: u64 = 10_000;
/// Where going over brought nothing, it is tried again after so long, in milliseconds.
pub(super) const AGAIN: u64 = 60_000;

/// What one mirror showed.
#[derive(Debug, Default)]
pub(super) struct Later {
    looked: Option<u64>,
    /// The first epoch that was later, and since when.
    since: Option<(u64, u64)>,
}

impl Later {
    /// True where it is time to look.
    pub(super) fn is_due(&mut self, now: u64) -> bool {
        let is_due = self.looked.is_none_or(|looked| now.saturating_sub(looked) >= EVERY);
        if is_due {
            self.looked = Some(now);
        }
        is_due
    }

    /// True where this mirror has to be followed in the place of the one that is: it has a later epoch than was `heard`
    /// anywhere, and has it for long enough. What was made longer ago than `silence_ms` shows nothing.
    pub(super) fn hear(
        &mut self,
        manifest: &Manifest,
        heard: Option<u64>,
        silence_ms: u64,
        wall: Moment,
        now: u64,
    ) -> bool {
        let age = wall.since(manifest.beat.made);
        let epoch = manifest.place.epoch;
        if heard.is_none_or(|heard| epoch <= heard) || age > manifest.silence_ms.min(silence_ms) {
            self.since = None;
            return false;
        }
        let since = match self.since {
            // The one that was later then is later now.
            Some((first, since)) if heard < Some(first) && first <= epoch => since,
            _ => {
                self.since = Some((epoch, now));
                return false;
            }
        };
        let lasts = LASTS.max(still(manifest.every_ms));
        let goes = now.saturating_sub(since) >= lasts;
        if goes {
            self.since = Some((epoch, now.saturating_add(AGAIN).saturating_sub(lasts)));
        }
        goes
    }
}

#[cfg(test)]
mod tests {
    use shield::feed::Place;
    use shield::wire::Beat;

    use super::*;

    const SILENCE: u64 = 900_000;
    const WALL: Moment = Moment(1_780_000_000_000);

    fn at(epoch: u64, age: u64) -> Manifest {
        Manifest {
            origin: "authority.example/shield/feed".to_owned(),
            view: "all".to_owned(),
            place: Place { session: epoch, epoch, serial: 1 },
            beat: Beat { number: 1, made: Moment(WALL.0 - i64::try_from(age).unwrap()) },
            every_ms: 1_000,
            silence_ms: SILENCE,
            count: 0,
            apart: Vec::new(),
            snapshot: None,
            deltas: Vec::new(),
        }
    }

    fn hear(later: &mut Later, manifest: &Manifest, heard: Option<u64>, now: u64) -> bool {
        later.hear(manifest, heard, SILENCE, WALL, now)
    }

    #[test]
    fn a_later_epoch_that_lasts_is_gone_over_to_and_nothing_else_is() {
        let mut later = Later::default();
        assert!(!hear(&mut later, &at(2, 0), Some(1), 0));
        assert!(!hear(&mut later, &at(2, 0), Some(1), LASTS - 1));
        assert!(hear(&mut later, &at(2, 0), Some(1), LASTS));
        // Nothing came of it: after a while again.
        assert!(!hear(&mut later, &at(2, 0), Some(1), LASTS + AGAIN - 1));
        assert!(hear(&mut later, &at(2, 0), Some(1), LASTS + AGAIN));
        // The one that is followed came up.
        assert!(!hear(&mut later, &at(2, 0), Some(2), 2 * (LASTS + AGAIN)));
        for (epoch, age, heard) in
            [(1, 0, Some(1)), (1, 0, Some(2)), (2, SILENCE + 1, Some(1)), (2, 0, None)]
        {
            let mut later = Later::default();
            for now in 0..10 {
                assert!(!hear(&mut later, &at(epoch, age), heard, now * LASTS), "{epoch} {age}");
            }
        }
    }

    #[test]
    fn a_cache_that_is_behind_for_a_moment_is_stayed_with() {
        let mut later = Later::default();
        assert!(!hear(&mut later, &at(2, 0), Some(1), 0));
        assert!(!hear(&mut later, &at(2, 0), Some(2), 5_000));
        // The next restart is counted from when it comes, also where it was not looked at in between.
        assert!(!hear(&mut later, &at(3, 0), Some(2), 3 * LASTS));
        assert!(!hear(&mut later, &at(4, 0), Some(3), 300 * LASTS));
        assert!(hear(&mut later, &at(5, 0), Some(3), 301 * LASTS));
        // Where the feed says seldom that it lives, a copy of it may be behind for longer.
        let mut later = Later::default();
        let idle = Manifest { every_ms: 30_000, ..at(2, 0) };
        assert!(!hear(&mut later, &idle, Some(1), 0));
        assert!(!hear(&mut later, &idle, Some(1), still(30_000) - 1));
        assert!(hear(&mut later, &idle, Some(1), still(30_000)));
    }

    #[test]
    fn it_is_looked_at_now_and_then() {
        let mut later = Later::default();
        assert!(later.is_due(7));
        assert!(!later.is_due(7 + EVERY - 1));
        assert!(later.is_due(7 + EVERY));
    }
}

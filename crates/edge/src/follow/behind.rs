//! A view that is behind the other one. An own view and everybody's may come through two caches of different age:
//! who goes over from one to the other is then handed what is older than what it had, and nobody played that back.
//! It is an alarm where it lasts.

use shield::wire::{Beat, Manifest};

use super::seen::Seen;

/// A feed that says the same for so long does not go on, in milliseconds: its heartbeat twice, and a long poll's way.
pub(super) fn still(every_ms: u64) -> u64 {
    2 * every_ms.min(60_000) + 5_000
}

/// What was believed last, and since when only what is behind it is to be had.
#[derive(Debug, Default)]
pub(super) struct Behind {
    /// The view, the epoch and the beat of the last manifest that was believed.
    heard: Option<(String, u64, Beat)>,
    lasts: Option<Lasts>,
}

#[derive(Debug)]
struct Lasts {
    /// Since when.
    since: u64,
    /// The furthest epoch and beat that came since, and when.
    furthest: (u64, u64),
    moved: u64,
}

impl Behind {
    /// Goes on from what was taken before a restart.
    pub(super) fn resumed(seen: Option<&Seen>) -> Self {
        let heard = seen.map(|seen| (seen.view.clone(), seen.place.epoch, seen.beat));
        Self { heard, lasts: None }
    }

    /// A manifest was believed.
    pub(super) fn hear(&mut self, manifest: &Manifest) {
        let Manifest { view, place, beat, .. } = manifest;
        (self.heard, self.lasts) = (Some((view.clone(), place.epoch, *beat)), None);
    }

    /// By how many milliseconds a manifest that goes back is behind; `None` where it was played back: it is of the
    /// view that is followed, further behind than the silence that is allowed, or stands still.
    pub(super) fn by(&mut self, manifest: &Manifest, silence_ms: u64, now: u64) -> Option<u64> {
        let (view, epoch, beat) = self.heard.as_ref()?;
        let at = (manifest.place.epoch, manifest.beat.number);
        let (by, silence) =
            (beat.made.since(manifest.beat.made), manifest.silence_ms.min(silence_ms));
        if *view == manifest.view || at >= (*epoch, beat.number) || by > silence {
            return None;
        }
        let begun = Lasts { since: now, furthest: at, moved: now };
        let lasts = self.lasts.get_or_insert(begun);
        if at > lasts.furthest {
            (lasts.furthest, lasts.moved) = (at, now);
        }
        let (lasted, stood) = (now.saturating_sub(lasts.since), now.saturating_sub(lasts.moved));
        (stood <= still(manifest.every_ms) && lasted <= silence).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use shield::feed::Place;
    use shield::order::Moment;

    use super::*;

    const SILENCE: u64 = 900_000;

    /// A manifest of a view at a beat, each made a second after the one before.
    fn at(view: &str, epoch: u64, number: u64) -> Manifest {
        let made = Moment(1_780_000_000_000).plus(epoch * 10_000_000 + number * 1_000);
        Manifest {
            origin: "authority.example/shield/feed".to_owned(),
            view: view.to_owned(),
            place: Place { session: epoch, epoch, serial: number },
            beat: Beat { number, made },
            every_ms: 1_000,
            silence_ms: SILENCE,
            count: 0,
            apart: Vec::new(),
            snapshot: None,
            deltas: Vec::new(),
        }
    }

    fn heard() -> Behind {
        let mut behind = Behind::default();
        behind.hear(&at("isp-1", 1, 1_000));
        behind
    }

    #[test]
    fn only_the_other_view_is_behind_and_only_within_the_silence() {
        assert_eq!(Behind::default().by(&at("all", 1, 1), SILENCE, 0), None);
        assert_eq!(heard().by(&at("isp-1", 1, 999), SILENCE, 0), None, "the same view");
        assert_eq!(heard().by(&at("all", 1, 999), SILENCE, 0), Some(1_000));
        assert_eq!(heard().by(&at("all", 1, 100), SILENCE, 0), Some(900_000));
        assert_eq!(heard().by(&at("all", 1, 99), SILENCE, 0), None, "older than the silence");
        assert_eq!(heard().by(&at("all", 1, 999), 500, 0), None, "than that of the settings");
        // What goes back by its serial alone was not made before: no cache does that.
        assert_eq!(heard().by(&at("all", 1, 1_000), SILENCE, 0), None);
        // A restart goes on from what was taken.
        let Manifest { origin: feed, view, place, beat, .. } = at("isp-1", 1, 1_000);
        let mut resumed = Behind::resumed(Some(&Seen { feed, view, place, beat }));
        assert_eq!(resumed.by(&at("all", 1, 998), SILENCE, 0), Some(2_000));
    }

    #[test]
    fn one_that_stands_still_or_never_comes_up_was_played_back() {
        let mut behind = heard();
        let still = still(1_000);
        assert!(behind.by(&at("all", 1, 900), SILENCE, 50).is_some());
        assert!(behind.by(&at("all", 1, 900), SILENCE, 50 + still).is_some());
        assert_eq!(behind.by(&at("all", 1, 900), SILENCE, 51 + still), None);
        // Another mirror's, which is further back, does not make it go on.
        assert_eq!(behind.by(&at("all", 1, 850), SILENCE, 52 + still), None);
        assert!(behind.by(&at("all", 1, 901), SILENCE, 53 + still).is_some());
        // One that goes on, and more slowly than time: within the silence it would have come up.
        let mut now = 0;
        let mut slow = heard();
        let until = (500..1_000).find(|number| {
            now += 5_000;
            slow.by(&at("all", 1, *number), SILENCE, now).is_none()
        });
        assert_eq!(until, Some(500 + 181));
        // What is believed ends it.
        behind.hear(&at("all", 1, 1_001));
        assert!(behind.by(&at("isp-1", 1, 999), SILENCE, 9_000_000).is_some());
    }
}

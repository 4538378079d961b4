//! How the feed's copy in another place is (`vigie serve --feed-s3`), as whoever makes that copy notes it here.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A copy that is not brought to where the feed is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// Where it is.
    pub place: String,
    /// Since when: the first failure after the last success.
    pub since: Instant,
    /// How often that failed since this process began.
    pub failed: u64,
    /// What went wrong the last time.
    pub why: String,
}

/// A round that has not come to its end for so long is behind, though nothing failed: a file takes long, or whoever
/// makes the copy hangs.
const SLOW: Duration = Duration::from_secs(65);

#[derive(Debug)]
struct Noted {
    failed: u64,
    /// What tells one failure from another.
    kind: String,
    behind: Option<Behind>,
    /// A stop that is not there, though it lies beside the manifest here.
    stop: Option<(String, Behind)>,
    /// Where one is made: its place, and when it last was where the feed is, or began.
    made: Option<(String, Instant)>,
    /// True once it was said that it is slow.
    slow: bool,
}

/// How the copy is: one who makes it, any number who look. Nobody of the house waits for it.
#[derive(Debug, Clone)]
pub struct Elsewhere(Arc<Mutex<Noted>>);

impl Default for Elsewhere {
    fn default() -> Self {
        let (kind, slow) = (String::new(), false);
        let noted = Noted { failed: 0, kind, behind: None, stop: None, made: None, slow };
        Self(Arc::new(Mutex::new(noted)))
    }
}

impl Elsewhere {
    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One is made from now on.
    pub fn begins(&self, place: &str, now: Instant) {
        self.noted().made = Some((place.to_owned(), now));
    }

    /// It is where the feed is. Tells how it was, where it was behind.
    pub fn is_there(&self, now: Instant) -> Option<Behind> {
        let mut noted = self.noted();
        let stop = noted.stop.take();
        let was = noted.behind(now);
        noted.stop = stop;
        if let Some((_, at)) = &mut noted.made {
            *at = now;
        }
        (noted.behind, noted.slow) = (None, false);
        was
    }

    /// It could not be brought there. True the first time in a row, and where something of another kind is wrong than
    /// before.
    pub fn failed(&self, place: &str, kind: &str, why: String, now: Instant) -> bool {
        let mut noted = self.noted();
        noted.failed = noted.failed.saturating_add(1);
        let before = noted.behind.take();
        let is_new = before.is_none() || noted.kind != kind;
        let since = before.map_or(now, |before| before.since);
        let (place, failed) = (place.to_owned(), noted.failed);
        kind.clone_into(&mut noted.kind);
        noted.behind = Some(Behind { place, since, failed, why });
        is_new
    }

    /// The stop that lies beside the manifest is there, or there is none.
    pub fn stop_is_there(&self) {
        self.noted().stop = None;
    }

    /// It could not be brought there. True as with [`Elsewhere::failed`].
    pub fn stop_failed(&self, place: &str, kind: &str, why: String, now: Instant) -> bool {
        let mut noted = self.noted();
        let before = noted.stop.take();
        let is_new = before.as_ref().is_none_or(|(before, _)| before != kind);
        let since = before.as_ref().map_or(now, |(_, behind)| behind.since);
        let failed = before.map_or(1, |(_, behind)| behind.failed.saturating_add(1));
        let behind = Behind { place: place.to_owned(), since, failed, why };
        noted.stop = Some((kind.to_owned(), behind));
        is_new
    }

    /// How it is, while it is behind.
    pub fn behind(&self, now: Instant) -> Option<Behind> {
        self.noted().behind(now)
    }

    /// That it is slow, the first time: nothing failed, and it is behind all the same.
    pub fn slow(&self, now: Instant) -> Option<Behind> {
        let mut noted = self.noted();
        if noted.slow || noted.behind.is_some() || noted.stop.is_some() {
            return None;
        }
        let behind = noted.behind(now);
        noted.slow = behind.is_some();
        behind
    }
}

impl Noted {
    fn behind(&self, now: Instant) -> Option<Behind> {
        if let Some((_, behind)) = &self.stop {
            return Some(behind.clone());
        }
        if self.behind.is_some() {
            return self.behind.clone();
        }
        let (place, at) = self.made.as_ref()?;
        let for_ = now.saturating_duration_since(*at);
        (for_ > SLOW).then(|| Behind {
            place: place.clone(),
            since: *at,
            failed: self.failed,
            why: "a round has not come to its end: a file takes long, or the copy hangs".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_failure_is_said_once_and_each_is_counted() {
        let (copy, now) = (Elsewhere::default(), Instant::now());
        assert_eq!((copy.behind(now), copy.is_there(now)), (None, None));
        let later = |secs| now + Duration::from_secs(secs);
        let failed =
            |kind: &str, why: &str, secs| copy.failed("s3://feed", kind, why.into(), later(secs));
        assert!(failed("no answer", "no answer in 3 ms", 0));
        assert!(!failed("no answer", "no answer in 4 ms", 1));
        assert!(failed("no bucket", "no bucket", 3));
        let behind = copy.clone().behind(later(3)).unwrap();
        assert_eq!((behind.since, behind.failed, behind.why.as_str()), (now, 3, "no bucket"));
        assert_eq!(copy.is_there(later(4)), Some(behind));
        assert_eq!(copy.behind(later(4)), None);
        assert!(failed("no bucket", "no bucket", 9));
        let behind = copy.behind(later(9)).unwrap();
        assert_eq!((behind.since, behind.failed), (later(9), 4));
    }

    #[test]
    fn a_stop_that_is_not_there_is_behind_whatever_files_are() {
        let (copy, now) = (Elsewhere::default(), Instant::now());
        assert!(copy.stop_failed("s3://feed", "later", "a later word stands there".into(), now));
        assert!(!copy.stop_failed("s3://feed", "later", "a later word stands there".into(), now));
        assert_eq!(
            (copy.is_there(now), copy.behind(now).map(|behind| behind.failed)),
            (None, Some(2))
        );
        copy.stop_is_there();
        assert_eq!(copy.behind(now), None);
    }

    #[test]
    fn a_round_without_an_end_is_behind_though_nothing_failed() {
        let (copy, now) = (Elsewhere::default(), Instant::now());
        let later = |secs| now + Duration::from_secs(secs);
        // Where none is made none is slow.
        assert_eq!(copy.slow(later(1_000)), None);
        copy.begins("s3://feed", now);
        assert_eq!((copy.behind(later(60)), copy.slow(later(60))), (None, None));
        let behind = copy.slow(later(70)).unwrap();
        assert_eq!((behind.since, behind.failed), (now, 0));
        assert_eq!(copy.slow(later(80)), None, "it is said once");
        assert!(copy.behind(later(80)).is_some());
        assert!(copy.is_there(later(90)).is_some());
        assert_eq!(copy.behind(later(100)), None);
        assert!(copy.slow(later(160)).is_some());
    }
}

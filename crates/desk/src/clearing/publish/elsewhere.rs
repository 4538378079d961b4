//! How the feed's copy in another place is (`vigie serve --feed-s3`), as whoever makes that copy notes it here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

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

#[derive(Debug, Default)]
struct Noted {
    failed: u64,
    behind: Option<Behind>,
}

/// How the copy is: one who makes it, any number who look. Nobody of the house waits for it.
#[derive(Debug, Clone, Default)]
pub struct Elsewhere(Arc<Mutex<Noted>>);

impl Elsewhere {
    /// It is where the feed is. Tells how it was, where it was behind.
    pub fn is_there(&self) -> Option<Behind> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).behind.take()
    }

    /// It could not be brought there. True the first time in a row, and where something else is wrong than before.
    pub fn failed(&self, place: &str, why: String, now: Instant) -> bool {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        noted.failed = noted.failed.saturating_add(1);
        let before = noted.behind.take();
        let is_new = before.as_ref().is_none_or(|before| before.why != why);
        let since = before.map_or(now, |before| before.since);
        let (place, failed) = (place.to_owned(), noted.failed);
        noted.behind = Some(Behind { place, since, failed, why });
        is_new
    }

    /// How it is, while it is behind.
    pub fn behind(&self) -> Option<Behind> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).behind.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_failure_is_said_once_and_each_is_counted() {
        let (copy, now) = (Elsewhere::default(), Instant::now());
        assert_eq!((copy.behind(), copy.is_there()), (None, None));
        let later = |secs| now + Duration::from_secs(secs);
        assert!(copy.failed("s3://feed", "no answer".into(), now));
        assert!(!copy.failed("s3://feed", "no answer".into(), later(1)));
        assert!(copy.failed("s3://feed", "no bucket".into(), later(3)));
        let behind = copy.clone().behind().unwrap();
        assert_eq!((behind.since, behind.failed, behind.why.as_str()), (now, 3, "no bucket"));
        assert_eq!(copy.is_there(), Some(behind));
        assert_eq!(copy.behind(), None);
        assert!(copy.failed("s3://feed", "no bucket".into(), later(9)));
        let behind = copy.behind().unwrap();
        assert_eq!((behind.since, behind.failed), (later(9), 4));
    }
}

//! The pace that captures under way at once share: none asks faster because another runs beside it.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};

use ledger::disk;

use crate::pace::Pace;
use crate::plan::{Next, Plan};

/// Who asked which host when, in this process, and where that is kept: a request is on disk before it
/// leaves, so that a probe that was killed does not ask faster either. Requests that leave together are
/// kept by one write.
#[derive(Debug)]
pub struct Pacing {
    /// `None`: it is kept in memory alone.
    path: Option<PathBuf>,
    now: Mutex<Now>,
    writing: Mutex<()>,
}

#[derive(Debug)]
struct Now {
    pace: Pace,
    /// How often anything was taken, and how much of that is on disk.
    taken: u64,
    kept: u64,
}

/// A lock that is taken all the same where another thread died with it: what it holds is counted, never torn.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pacing {
    /// Goes on from a pace, and keeps it in a file.
    pub(crate) fn new(path: PathBuf, pace: Pace) -> Self {
        let now = Mutex::new(Now { pace, taken: 0, kept: 0 });
        Self { path: Some(path), now, writing: Mutex::new(()) }
    }

    /// Keeps it in memory alone: for what somebody asked to be looked for at their own host.
    pub fn in_memory() -> Self {
        let now = Mutex::new(Now { pace: Pace::default(), taken: 0, kept: 0 });
        Self { path: None, now, writing: Mutex::new(()) }
    }

    /// What a plan does next. A request that it gives counts for every plan from here on, and is on disk.
    ///
    /// # Errors
    /// The disk: nothing leaves that is not counted.
    pub fn next(&self, plan: &mut Plan, now_ms: i64) -> ledger::Result<Next> {
        let (next, mine) = {
            let mut now = locked(&self.now);
            let next = plan.next(now_ms, &mut now.pace);
            now.taken += u64::from(matches!(next, Next::Fetch(_)));
            (next, now.taken)
        };
        if matches!(next, Next::Fetch(_)) {
            self.keep(mine)?;
        }
        Ok(next)
    }

    /// Sees to it that what was taken by then is on disk.
    fn keep(&self, mine: u64) -> ledger::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let _writing = locked(&self.writing);
        let (text, taken) = {
            let now = locked(&self.now);
            // Whoever wrote while this one waited wrote this one's too.
            if now.kept >= mine {
                return Ok(());
            }
            (now.pace.to_string(), now.taken)
        };
        disk::write(path, text.as_bytes())?;
        locked(&self.now).kept = taken;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;
    use crate::authorisation::{Authorisation, Method};
    use crate::bounds::Bounds;
    use crate::pace::WINDOW_MS;

    #[test]
    fn a_capture_that_the_rate_cut_short_tells_nothing_of_the_host() {
        let now = 1_780_000_000_000;
        let authorisation = Authorisation {
            hosts: vec!["198.18.0.7:80".parse().unwrap()],
            methods: Method::ALL.into_iter().collect(),
            rate: 1,
            from_ms: now - 1,
            until_ms: now + 10 * WINDOW_MS,
            most_bytes: 1 << 20,
        };
        let plan = |seconds| {
            let bounds =
                Bounds { total: std::time::Duration::from_secs(seconds), ..Bounds::default() };
            Plan::new("198.18.0.7".parse().unwrap(), authorisation.clone(), bounds, [1; 32], now)
        };
        let mut pace = Pace::default();
        assert!(matches!(plan(60).next(now, &mut pace), Next::Fetch(_)));
        // The minute is longer than the capture: what it would ask is refused.
        let mut refused = plan(30);
        assert!(matches!(refused.next(now, &mut pace), Next::Done));
        assert!(refused.finish(now).is_cut());
        // Most of its time went by in waiting; or a little, and the rest was the host's.
        for (seconds, cut) in [(90, true), (600, false)] {
            let mut waits = plan(seconds);
            assert!(matches!(waits.next(now, &mut pace), Next::Wait(_)));
            let end = now + 1_000 * i64::try_from(seconds).unwrap();
            assert!(matches!(waits.next(end, &mut pace), Next::Done));
            assert_eq!(waits.finish(end).is_cut(), cut, "{seconds}");
        }
        // The authorisation ended on its way.
        let mut ended = plan(60);
        ended.end(now);
        assert!(ended.finish(now).is_cut());
        assert!(!plan(60).finish(now).is_cut());
    }

    #[test]
    fn plans_beside_one_another_share_one_rate() {
        let temp = tempfile::tempdir().unwrap();
        let pacing = Pacing::new(temp.path().join("pace"), Pace::default());
        let now = 1_780_000_000_000;
        let authorisation = Authorisation {
            hosts: vec!["198.18.0.7:80".parse().unwrap()],
            methods: Method::ALL.into_iter().collect(),
            rate: 5,
            from_ms: now - 1,
            until_ms: now + 10 * WINDOW_MS,
            most_bytes: 1 << 20,
        };
        let left = AtomicU64::new(0);
        let plan = || {
            let item = "198.18.0.7".parse().unwrap();
            Plan::new(item, authorisation.clone(), Bounds::default(), [1; 32], now)
        };
        std::thread::scope(|scope| {
            for _ in 0..12 {
                scope.spawn(|| match pacing.next(&mut plan(), now).unwrap() {
                    Next::Fetch(_) => drop(left.fetch_add(1, Ordering::Relaxed)),
                    Next::Wait(until) => assert_eq!(until, now + WINDOW_MS),
                    // Where the minute is longer than a capture it is refused instead.
                    other => assert!(matches!(other, Next::Done), "{other:?}"),
                });
            }
        });
        assert_eq!(left.load(Ordering::Relaxed), 5);
        // What left is on disk, and holds up the next process too.
        let kept = Pace::parse(&std::fs::read_to_string(temp.path().join("pace")).unwrap());
        assert!(kept.due(&["198.18.0.7".to_owned()], 5, now) > now);
        assert_eq!(kept.due(&["198.18.0.7".to_owned()], 6, now), now);
    }
}

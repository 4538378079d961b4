//! Threads that mirror, and nothing else: who publishes only wakes the one that has files and manifests.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};

use crate::course::{Course, Done, Fault, Shelf};
use crate::word::Words;

/// It looks at least this often, for what is to go.
pub const LOOK: Duration = Duration::from_secs(5);
/// It looks for a stop that somebody put into the folder as often as this.
pub const WORDS: Duration = Duration::from_secs(1);
/// After a failure it waits a second, then twice as long each time, and at most this.
pub const LONGEST: Duration = Duration::from_secs(30);
const FIRST: Duration = Duration::from_secs(1);

/// What a round came to; `Err` until one succeeds again.
pub type Outcome<'a> = Result<Done, &'a Fault>;

/// The thread, from outside. It ends once this is dropped.
#[derive(Debug, Clone)]
pub struct Copying(SyncSender<()>);

impl Copying {
    /// There is something new in the folder. This waits for nobody: many in a row are one.
    pub fn wake(&self) {
        match self.0.try_send(()) {
            Ok(()) | Err(TrySendError::Full(()) | TrySendError::Disconnected(())) => {}
        }
    }
}

/// Begins to mirror everybody's view of a folder, and tells what each round came to; and its stop, by another shelf of
/// the same place, of which it tells what was put, and what went wrong.
///
/// # Errors
/// No thread can be had.
pub fn begin<S: Shelf + Send + 'static>(
    [shelf, words]: [S; 2],
    folder: &Path,
    mut told: impl FnMut(&Course<S>, Outcome<'_>) + Send + 'static,
    mut of_stop: impl FnMut(Result<bool, &Fault>) + Send + 'static,
) -> io::Result<Copying> {
    let (wakes, woken) = sync_channel(1);
    let (ends, ended) = sync_channel::<()>(0);
    let (mut course, mut words) = (Course::new(shelf, folder), Words::new(words, folder));
    let run_words = move || {
        let mut failed = 0;
        loop {
            match words.round() {
                Ok(put) => {
                    failed = 0;
                    of_stop(Ok(put));
                }
                Err(fault) => {
                    failed += 1;
                    of_stop(Err(&fault));
                }
            }
            let pause = if failed == 0 { WORDS } else { pause(failed) };
            if matches!(ended.recv_timeout(pause), Err(RecvTimeoutError::Disconnected)) {
                return;
            }
        }
    };
    std::thread::Builder::new().name("stop on S3".to_owned()).spawn(run_words)?;
    let run = move || {
        // The stop's thread ends with this one.
        let _ends = ends;
        let mut failed = 0;
        loop {
            match course.round(Instant::now()) {
                Ok(done) => {
                    failed = 0;
                    told(&course, Ok(done));
                }
                Err(fault) => {
                    failed += 1;
                    told(&course, Err(&fault));
                }
            }
            if !wait(&woken, failed) {
                return;
            }
        }
    };
    std::thread::Builder::new().name("feed on S3".to_owned()).spawn(run)?;
    Ok(Copying(wakes))
}

/// Waits for the next round; false once nobody asks for one. Who is refused is not asked more often for being woken.
fn wait(woken: &Receiver<()>, failed: u32) -> bool {
    if failed == 0 {
        return !matches!(woken.recv_timeout(LOOK), Err(RecvTimeoutError::Disconnected));
    }
    let until = Instant::now() + pause(failed);
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match woken.recv_timeout(left) {
            Err(RecvTimeoutError::Disconnected) => return false,
            Err(RecvTimeoutError::Timeout) => return true,
            Ok(()) => {}
        }
    }
}

/// After so many failures in a row.
fn pause(failed: u32) -> Duration {
    FIRST.saturating_mul(1 << failed.saturating_sub(1).min(16)).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound() {
        let secs: Vec<u64> = [1, 2, 3, 4, 5, 6, 7, u32::MAX].map(|n| pause(n).as_secs()).into();
        assert_eq!(secs, [1, 2, 4, 8, 16, 30, 30, 30]);
    }
}

//! The thread that keeps what the log comes to. It reads the log as anybody would, so that acts go on meanwhile.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use ledger::{Keys, SigningKey};
use vault::index::Index;

use super::{Covered, keep};
use crate::clearing::house::House;
use crate::{Error, Result};

/// So many records make it worth keeping at once: about what a start applies in a second or two.
const MOST: u64 = 50_000;
/// Fewer than these are applied in no time: they are not worth keeping, not even at closing.
const LEAST: u64 = 500;
/// How long fewer than [`MOST`] wait.
const WAIT: Duration = Duration::from_secs(600);
/// How often it looks.
const LOOK: Duration = Duration::from_secs(5);

/// The thread, as the one that has the house sees it.
#[derive(Debug)]
pub(in crate::clearing) struct Keeping {
    closed: SyncSender<()>,
    thread: JoinHandle<()>,
}

/// Whom it tells what went wrong.
pub(in crate::clearing) type Told = Box<dyn Fn(&str) + Send>;

struct Work {
    dir: PathBuf,
    keys: Keys,
    signer: SigningKey,
    /// How much of it may be kept.
    covered: Covered,
    /// Where the house looks up exhibits of the records that were kept when it was opened.
    used: Option<Arc<Index>>,
    /// That it is damaged was told.
    is_told: bool,
    told: Told,
    /// Records whose outcome is kept.
    kept: u64,
    last: Instant,
}

impl Keeping {
    /// Begins, for a house that was just opened.
    ///
    /// # Errors
    /// The system has no thread.
    pub(in crate::clearing) fn start(house: &House, told: Told) -> Result<Self> {
        let case = house.case();
        let (dir, keys, signer) = (case.dir().to_owned(), case.keys()?.clone(), case.signer()?);
        let (closed, close) = sync_channel::<()>(1);
        let kept = house.started().kept;
        let covered = house.covered.clone();
        let (used, is_told) = (house.standing.spoken.before.clone(), false);
        let last = Instant::now();
        let mut work = Work { dir, keys, signer, covered, used, is_told, told, kept, last };
        let run = move || loop {
            match close.recv_timeout(LOOK) {
                Err(RecvTimeoutError::Timeout) => work.look(false),
                // The house is closed: all of it is published.
                Ok(()) | Err(RecvTimeoutError::Disconnected) => return work.look(true),
            }
        };
        let thread = std::thread::Builder::new().name("what is kept".to_owned()).spawn(run);
        let thread = thread.map_err(|e| Error::Beside(format!("no thread could be had: {e}")))?;
        Ok(Self { closed, thread })
    }

    /// The house is closed: keeps what came since, where that is worth it.
    pub(in crate::clearing) fn close(self) {
        let _ = self.closed.send(());
        let _ = self.thread.join();
    }
}

impl Work {
    fn look(&mut self, closing: bool) {
        let Ok(log) = ledger::Reader::open(&self.dir.join("ledger")) else { return };
        let since = log.size().min(self.covered.get().0).saturating_sub(self.kept);
        let waited = closing || self.last.elapsed() >= WAIT;
        let anew = self.is_damaged(waited);
        if !anew && (since < LEAST || (since < MOST && !waited)) {
            return;
        }
        drop(log);
        match keep(&self.dir, &self.keys, &self.signer, &self.covered, self.used.as_deref()) {
            // Not the time for it: not again at once, however much it is.
            Ok(records) => self.kept = records.unwrap_or(self.kept.saturating_add(since)),
            Err(error) => {
                (self.told)(&format!(
                    "{error}. What was kept before stays; the next start takes longer"
                ));
                // Not again at once.
                self.kept = self.kept.saturating_add(since);
            }
        }
        self.last = Instant::now();
    }

    /// True where what the house looks exhibits up in was found damaged, and is to be made anew by now: at once, and
    /// where that does not succeed after a while again.
    fn is_damaged(&mut self, waited: bool) -> bool {
        let damaged = self.used.as_ref().is_some_and(|used| used.is_damaged());
        if damaged && !self.is_told {
            self.is_told = true;
            (self.told)(
                "the table of exhibits under kept/ is damaged: what was sealed earlier may not be found until it is \
                 made anew of the log, which begins now",
            );
            return true;
        }
        self.is_told &= damaged;
        damaged && waited
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::super::tests::replaced::damage;
    use super::super::tests::{house, keep};
    use super::*;
    use crate::clearing::tests::place;

    #[test]
    fn a_table_that_was_found_damaged_is_told_once_and_made_anew_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        let (keys, signer) = house(&place);
        let covered = Covered::default();
        keep(&place.case, &keys, &signer, &covered).unwrap().unwrap();
        let known = damage(&place);
        let house = House::open(&place).unwrap();
        let used = house.standing.spoken.before.clone();
        let lines = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&lines);
        let told: Told = Box::new(move |line: &str| heard.lock().unwrap().push(line.to_owned()));
        let (kept, last, is_told) = (house.started().kept, Instant::now(), false);
        let dir = place.case.clone();
        let mut work = Work { dir, keys, signer, covered, used, is_told, told, kept, last };
        work.look(false);
        assert!(lines.lock().unwrap().is_empty(), "nobody looked anything up");
        assert!(house.case().exhibit(&known).is_err());
        work.look(false);
        assert!(house.case().exhibit(&known).unwrap().is_some());
        work.look(false);
        let lines = lines.lock().unwrap();
        assert!(lines.len() == 1 && lines[0].contains("damaged"), "{lines:?}");
    }
}

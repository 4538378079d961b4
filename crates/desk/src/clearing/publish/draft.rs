//! A snapshot of very many values, made beside the house's work: gathered in slices on its own thread, which nothing
//! waits for longer than one of them, and written by another.
//!
//! It is of the feed as it was when it began. What is not shown to be decided any more when its turn comes was
//! changed since then, and the delta that leads on from the snapshot says how; so it is left out.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SendError, TryRecvError, sync_channel};
use std::time::{Duration, Instant};

use ledger::Reader;
use shield::feed::{Place, View, Whose};
use shield::order::Value;
use shield::wire::FileName;

use super::paper::{Gathered, Paper};
use crate::clearing::house::House;
use crate::{Error, Result};

/// So long a draft holds up the house's thread at once.
const SLICE: Duration = Duration::from_millis(20);
/// After so many values it looks at the clock.
const LOOK: usize = 256;

/// A snapshot that is being made.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) whose: Whose,
    place: Place,
    view: View,
    /// The last value that was looked at.
    after: Option<Value>,
    count: u64,
    gathered: Gathered,
    writing: Option<Writing>,
}

/// A snapshot that was made.
#[derive(Debug)]
pub(super) struct Drafted {
    pub(super) place: Place,
    pub(super) file: FileName,
    /// How many values there were.
    pub(super) count: u64,
    /// See [`Paper::bare`].
    pub(super) bare: Option<u64>,
}

#[derive(Debug)]
struct Writing {
    done: Receiver<Result<FileName>>,
    bare: Option<u64>,
    given_up: Arc<AtomicBool>,
    files: PathBuf,
}

impl Draft {
    /// Of what is out for them now.
    pub(super) fn new(whose: Whose, place: Place, view: View) -> Self {
        let (gathered, writing) = (Gathered::default(), None);
        Self { whose, place, view, after: None, count: 0, gathered, writing }
    }

    /// Goes on with it, for a moment, into the folder of that view's files; what it came to, once it did.
    ///
    /// # Errors
    /// The disk, or the log: it is worth nothing any more.
    pub(super) fn go_on(&mut self, house: &House, files: &Path) -> Result<Option<Drafted>> {
        if let Some(writing) = &self.writing {
            return match writing.done.try_recv() {
                Ok(file) => {
                    let (place, count, bare) = (self.place, self.count, writing.bare);
                    Ok(Some(Drafted { place, file: file?, count, bare }))
                }
                Err(TryRecvError::Empty) => Ok(None),
                Err(TryRecvError::Disconnected) => {
                    Err(Error::Beside("the feed: a snapshot's writer broke off".to_owned()))
                }
            };
        }
        if self.gather(house) {
            self.writing = Some(self.write(house, files)?);
        }
        Ok(None)
    }

    /// Gathers for a moment; true where that is all.
    fn gather(&mut self, house: &House) -> bool {
        let (begun, mut looked) = (Instant::now(), 0);
        let mut last = None;
        for (value, entry) in self.view.entries_after(self.after.as_deref()) {
            self.count += 1;
            let _ = self.gathered.take(house.all_blocks(), &entry);
            looked += 1;
            if looked % LOOK == 0 && begun.elapsed() > SLICE {
                last = Some(value.clone());
                break;
            }
        }
        let whole = last.is_none();
        self.after = last;
        whole
    }

    fn write(&mut self, house: &House, files: &Path) -> Result<Writing> {
        let name = self.whose.name().unwrap_or_default();
        let gathered = std::mem::take(&mut self.gathered);
        let paper = Paper::new(house, name, self.place, None, gathered);
        let (bare, given_up) = (paper.bare, Arc::new(AtomicBool::new(false)));
        let (end, done) = sync_channel(1);
        let (ledger, files, stop) =
            (house.case().dir().join("ledger"), files.to_owned(), Arc::clone(&given_up));
        let folder = files.clone();
        let run = move || {
            let goes_on = || !stop.load(Ordering::Relaxed);
            let written = Reader::open(&ledger).map_err(Error::from);
            let written = written.and_then(|log| paper.write(&log, &files, &[], &goes_on));
            // Who asked for it is gone: nobody will ever name it.
            if let Err(SendError(Ok(file))) = end.send(written) {
                forget(&files, &file);
            }
        };
        let thread = std::thread::Builder::new().name("snapshot".to_owned()).spawn(run);
        thread.map_err(|e| Error::Beside(format!("no thread could be had: {e}")))?;
        Ok(Writing { done, bare, given_up, files: folder })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if let Some(writing) = &self.writing {
            writing.given_up.store(true, Ordering::Relaxed);
            if let Ok(Ok(file)) = writing.done.try_recv() {
                forget(&writing.files, &file);
            }
        }
    }
}

/// Takes a file away that no manifest names or will name. Where that fails the next start does it.
fn forget(files: &Path, file: &FileName) {
    let _ = ledger::disk::remove(&files.join(file.hash.to_string()));
}

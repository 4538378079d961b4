//! What the harm check knows, read once for all who ask: the rounds, and pages that show what would be hit.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use shield::harm::{Finding, Known};
use shield::{Check, Item};

use super::due::Captured;
use super::sight::Sight;
use crate::shield::{Loaded, Places, load};
use crate::{Error, Result};

pub use super::sight::Behind;

/// What the check knows is read anew this often, where its folder changed.
const REREAD: Duration = Duration::from_secs(60);

/// What the check knows, of an authority's folder. Cheap to clone.
#[derive(Clone)]
pub struct Knowledge(Arc<Inner>);

struct Inner {
    home: PathBuf,
    practice: bool,
    now: Mutex<Now>,
    sight: Mutex<Sight>,
}

struct Now {
    loaded: Arc<Loaded>,
    read: Instant,
    changed: Option<SystemTime>,
}

impl std::fmt::Debug for Knowledge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Knowledge").field("home", &self.0.home).finish_non_exhaustive()
    }
}

impl Knowledge {
    /// Reads it. On the `practice` range names under `.example` and `.test` stand for the internet's.
    ///
    /// # Errors
    /// A set that cannot be read.
    pub fn read(home: &Path, practice: bool) -> Result<Self> {
        // Asked before it is read: what changes meanwhile is read again.
        let changed = changed(home);
        let loaded = Arc::new(load(home)?);
        let now = Mutex::new(Now { loaded, read: Instant::now(), changed });
        Ok(Self(Arc::new(Inner { home: home.to_owned(), practice, now, sight: Mutex::default() })))
    }

    /// Reads it anew where it changed, at most once a minute; gives why that could not be, and goes on with
    /// what was read.
    pub fn reread(&self) -> Option<Error> {
        {
            let mut now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
            if now.read.elapsed() <= REREAD {
                return None;
            }
            now.read = Instant::now();
            if changed(&self.0.home) == now.changed {
                return None;
            }
        }
        // Beside the lock: whoever asks meanwhile is answered by what was read before.
        match Self::read(&self.0.home, self.0.practice) {
            Ok(again) => {
                let again = again.0.now.lock().unwrap_or_else(PoisonError::into_inner);
                let mut now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
                (now.loaded, now.changed) = (Arc::clone(&again.loaded), again.changed);
                None
            }
            Err(error) => Some(error),
        }
    }

    /// As if a minute had passed.
    #[cfg(test)]
    pub(super) fn is_read_long_ago(&self) {
        let mut now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        now.read = Instant::now().checked_sub(REREAD * 2).unwrap();
    }

    /// True on the practice range.
    pub fn is_practice(&self) -> bool {
        self.0.practice
    }

    /// What is known now.
    pub fn loaded(&self) -> Arc<Loaded> {
        let now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&now.loaded)
    }

    /// What the check says of items, each with how often it was lifted for harm: by the sets, and by what captures
    /// showed behind it.
    ///
    /// # Errors
    /// The table of addresses is damaged.
    pub fn find<'a>(
        &self,
        items: impl IntoIterator<Item = (&'a Item, u32)>,
    ) -> Result<Vec<Finding>> {
        self.check(|check| {
            items.into_iter().map(|(item, faults)| self.of(check, item, faults)).collect()
        })
    }

    /// The same of one item, by a check that is at hand.
    pub(super) fn of(&self, check: &Check<'_>, item: &Item, faults: u32) -> Finding {
        let Behind { names, aliases, date } = self.behind(item);
        let names = names.as_deref();
        check.item(item, Known { names, aliases: &aliases, captured: date, faults })
    }

    /// What captures showed behind a value.
    pub fn behind(&self, item: &Item) -> Behind {
        self.0.sight.lock().unwrap_or_else(PoisonError::into_inner).behind(item)
    }

    /// Takes what a capture showed.
    pub(super) fn saw(&self, capture: &collect::Capture) {
        self.0.sight.lock().unwrap_or_else(PoisonError::into_inner).take(capture);
    }

    /// Takes what the log says of captures.
    pub(super) fn saw_records(&self, records: &[Captured]) {
        let mut sight = self.0.sight.lock().unwrap_or_else(PoisonError::into_inner);
        for Captured { name, addresses, date } in records {
            sight.take_record(name, addresses, *date);
        }
    }

    /// Gives the check to `ask`.
    ///
    /// # Errors
    /// The table of addresses is damaged.
    pub fn check<T>(&self, ask: impl FnOnce(&Check<'_>) -> T) -> Result<T> {
        self.loaded().check(self.0.practice, ask)
    }
}

/// When something that the check knows was last put into the authority's folder, or taken away.
fn changed(home: &Path) -> Option<SystemTime> {
    let of = |path: PathBuf| path.metadata().ok()?.modified().ok();
    let places = Places::of(home);
    let addresses = home.join(crate::addresses::REFRESHED);
    [places.fetched(), places.own(), places.suffixes(), addresses].into_iter().filter_map(of).max()
}

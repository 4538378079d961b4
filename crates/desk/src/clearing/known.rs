//! What the harm check knows, read once for all who ask: the rounds, and pages that show what would be hit.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use shield::Check;

use crate::shield::{Loaded, load};
use crate::{Error, Result};

/// What the check knows is read anew this often, where its folder changed.
const REREAD: Duration = Duration::from_secs(60);

/// What the check knows, of an authority's folder. Cheap to clone.
#[derive(Clone)]
pub struct Knowledge(Arc<Inner>);

struct Inner {
    home: PathBuf,
    practice: bool,
    now: Mutex<Now>,
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
        Ok(Self(Arc::new(Inner { home: home.to_owned(), practice, now })))
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

    /// True on the practice range.
    pub fn is_practice(&self) -> bool {
        self.0.practice
    }

    /// What is known now.
    pub fn loaded(&self) -> Arc<Loaded> {
        let now = self.0.now.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&now.loaded)
    }

    /// Gives the check to `ask`.
    ///
    /// # Errors
    /// The table of addresses is damaged.
    pub fn check<T>(&self, ask: impl FnOnce(&Check<'_>) -> T) -> Result<T> {
        self.loaded().check(self.0.practice, ask)
    }
}

/// When a set was last put into the authority's folder, or taken away.
fn changed(home: &Path) -> Option<SystemTime> {
    let of = |name: &str| home.join("shield").join(name).metadata().ok()?.modified().ok();
    [of("fetched"), of("own")].into_iter().flatten().max()
}

//! The harm check of the rounds, with what it knows.

use std::path::{Path, PathBuf};
use std::time::Instant;

use shield::harm::{Finding, Known};

use super::{DueCheck, REREAD, Work};
use crate::shield::{Loaded, load};
use crate::{Error, Result};

/// The harm check, with what it knows.
pub(super) struct Checking {
    home: PathBuf,
    practice: bool,
    loaded: Loaded,
    read: Instant,
    changed: Option<std::time::SystemTime>,
}

impl Checking {
    pub(super) fn new(work: &Work) -> Result<Self> {
        let (home, practice) = (work.home.clone(), work.practice);
        let changed = changed(&home);
        Ok(Self { loaded: load(&home)?, home, practice, read: Instant::now(), changed })
    }

    /// Reads it anew where it changed; gives why that could not be, and goes on with what was read.
    pub(super) fn reread(&mut self) -> Option<Error> {
        if self.read.elapsed() <= REREAD {
            return None;
        }
        self.read = Instant::now();
        let changed = changed(&self.home);
        if changed == self.changed {
            return None;
        }
        match load(&self.home) {
            Ok(loaded) => (self.loaded, self.changed) = (loaded, changed),
            Err(error) => return Some(error),
        }
        None
    }

    pub(super) fn all(&self, due: &[DueCheck]) -> Result<Vec<(DueCheck, Finding)>> {
        self.loaded.check(self.practice, |check| {
            let one = |due: &DueCheck| {
                let known = Known { faults: due.faults, ..Known::default() };
                (due.clone(), check.item(&due.value, known))
            };
            due.iter().map(one).collect()
        })
    }
}

/// When a set was last put into the authority's folder, or taken away.
fn changed(home: &Path) -> Option<std::time::SystemTime> {
    let of = |name: &str| home.join("shield").join(name).metadata().ok()?.modified().ok();
    [of("fetched"), of("own")].into_iter().flatten().max()
}

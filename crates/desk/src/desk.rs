//! A case open for writing: the log, the vault and the views in one hand.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use model::record::Body;
use vault::{Case, Home, Stamp, Wait};

use crate::read::known::{self, Known};
use crate::views::{UNREAD, Views};
use crate::{Error, Result};

/// The authority of a case that no named authority opened.
pub(crate) const PRACTICE: &str = ledger::PRACTICE;

/// Where a case and its authority live, and who is at work.
#[derive(Debug, Clone)]
pub struct Place {
    /// The case's folder.
    pub case: PathBuf,
    /// The authority's folder: keys and their own log.
    pub home: PathBuf,
    /// Who acts: goes, committed, into each record.
    pub actor: String,
    /// For whom the writer's lock is held, such as `vigie open`.
    pub holder: String,
    /// Wait for another writer, or fail at once and say who it is.
    pub wait: Wait,
}

/// A case open for writing. Holds the writer's lock until [`Desk::close`].
#[derive(Debug)]
pub struct Desk {
    pub(crate) case: Case,
    pub(crate) views: Option<Views>,
    pub(crate) place: Place,
}

/// Milliseconds since 1970 in UTC. The desk is a shell: here the clock is read.
pub(crate) fn now_ms() -> i64 {
    #[cfg(feature = "simulation")]
    if let Some(set) = crate::clock::set() {
        return set;
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

impl Desk {
    /// Opens the case, which is made where the folder has none.
    ///
    /// # Errors
    /// The disk, the lock, the authority's key.
    pub fn open_or_create(place: &Place) -> Result<Self> {
        let mut desk = if Case::exists(&place.case)? {
            Self::open_bare(place)?
        } else {
            let home = Home::new(&place.home);
            let name = place.case.file_name().map(|n| n.to_string_lossy().into_owned());
            let stamp = Stamp { actor: place.actor.clone(), now_ms: now_ms() };
            let name = name.unwrap_or_default();
            match Case::create(&place.case, &home, &name, &stamp, &place.holder, place.wait) {
                Ok(case) => Self { case, views: None, place: place.clone() },
                // Another writer made it while this one waited.
                Err(vault::Error::CaseExists(_)) => Self::open_bare(place)?,
                Err(other) => return Err(other.into()),
            }
        };
        desk.open_views()?;
        Ok(desk)
    }

    /// Opens a case that is there.
    ///
    /// # Errors
    /// As [`Desk::open_or_create`], and where there is no case.
    pub fn open(place: &Place) -> Result<Self> {
        let mut desk = Self::open_bare(place)?;
        desk.open_views()?;
        Ok(desk)
    }

    /// Opens log and vault alone, where the views do not say that the log is not what it was: what it
    /// does not tell of is dropped then.
    pub(crate) fn open_bare(place: &Place) -> Result<Self> {
        known::hold(&place.case)?;
        let home = Home::new(&place.home);
        let case = Case::open(&place.case, &home, &place.holder, place.wait, now_ms())?;
        // An erasure that was cut short is completed by now: what a clearing house kept is of what it erased.
        crate::clearing::forget_erased(&case)?;
        Ok(Self { case, views: None, place: place.clone() })
    }

    /// Opens the views and brings them up to the log.
    pub(crate) fn open_views(&mut self) -> Result<()> {
        let dir = self.place.case.clone();
        let mut views = Views::open(&dir)?;
        // Views from before an order of erasure hold what it erased.
        let held = views.applied()?;
        if held > 0 && self.case.orders().iter().any(|order| order.record >= held) {
            drop(views);
            Views::shred(&dir)?;
            views = Views::open(&dir)?;
        }
        let known = Known::in_views(&views.db);
        if let Some(what) = known.and_then(|k| k.against(self.case.origin(), self.case.len())) {
            return Err(Error::LogLess { dir, what });
        }
        ledger::disk::create_dir(&dir.join("tables"))?;
        ledger::disk::sweep(&dir.join("tables"))?;
        let from = views.applied()?;
        // Views that begin anew hold nothing of exhibits that were read once: until these are read
        // again nobody may take them for all there is.
        if from == 0 && !self.case.exhibits().is_empty() {
            views.set_meta(UNREAD, 1)?;
        }
        views.apply(self.case.records(from))?;
        self.views = Some(views);
        Ok(())
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.place.case
    }

    pub(crate) fn views(&mut self) -> Result<&mut Views> {
        self.views.as_mut().ok_or(Error::Cancelled)
    }

    pub(crate) fn stamp(&self) -> Stamp {
        Stamp { actor: self.place.actor.clone(), now_ms: now_ms() }
    }

    /// Commits records and brings the views up to them.
    pub(crate) fn commit(&mut self, bodies: Vec<Body>) -> Result<std::ops::Range<u64>> {
        let stamp = self.stamp();
        let mut batch = self.case.batch();
        for body in bodies {
            batch.record(body);
        }
        let range = batch.commit(&stamp)?;
        self.catch_up()?;
        Ok(range)
    }

    /// Brings the views up to the log.
    pub(crate) fn catch_up(&mut self) -> Result<()> {
        if let Some(views) = &mut self.views {
            let from = views.applied()?;
            views.apply(self.case.records(from))?;
        }
        Ok(())
    }

    /// Closes the log in good order and lets go of the lock.
    ///
    /// # Errors
    /// The disk; what was committed is safe all the same.
    pub fn close(mut self) -> Result<()> {
        if let Some(views) = self.views.take() {
            // Readers then start from one file; a failure here costs nothing, and waiting for a
            // reader that is at work (a console's, one's own) would cost half a minute.
            let _ = views.db.busy_timeout(std::time::Duration::ZERO);
            let _ = views.db.execute_batch("PRAGMA wal_checkpoint(TRUNCATE);");
        }
        Ok(self.case.finish()?)
    }
}

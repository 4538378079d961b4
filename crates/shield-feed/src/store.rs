//! The folder that is published: of each view its manifest, its files, its lists.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ledger::disk::{self, Overwrite};
use model::Sha256Hex;
use tokio::sync::watch;

use crate::error::StoreError;
use crate::fill::fill;

mod open;
mod views;

pub use open::Aside;

/// The longest file, in bytes.
pub const MAX_FILE: u64 = 256 << 20;
/// The longest manifest, in bytes.
pub const MAX_MANIFEST: usize = 64 << 10;
/// The most files that a view keeps, those included that no manifest names any more.
pub const MAX_FILES: usize = 4_096;
/// The most views.
pub const MAX_VIEWS: usize = 1_024;
/// The most files, of all views together, that are taken up of a folder that stood: what 512 views leave in ten
/// minutes in which something changes every second, twice and more.
pub const MAX_LEFT: usize = 1 << 20;

/// A view's name, as it stands in addresses: `all`, or an ISP's. 1 to 64 of `a-z`, `0-9` and inner `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ViewName(Box<str>);

impl FromStr for ViewName {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let edges = text.starts_with('-') || text.ends_with('-');
        if text.is_empty() || text.len() > 64 || edges || !text.bytes().all(fine) {
            return Err(StoreError::Name(text.chars().take(80).collect()));
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for ViewName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How long a file stays that no manifest names any more: for who read an older manifest and is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grace(pub Duration);

impl Default for Grace {
    /// Ten minutes: the largest file over 4 Mbit/s.
    fn default() -> Self {
        Self(Duration::from_secs(600))
    }
}

/// A file that stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// SHA-256 of it.
    pub hash: Sha256Hex,
    /// Its bytes.
    pub bytes: u64,
}

/// A manifest that is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Epoch and serial.
    pub place: (u64, u64),
    /// The signed note.
    pub manifest: Arc<str>,
    /// SHA-256 of it.
    pub hash: Sha256Hex,
}

struct ViewState {
    /// Each file, and since when no manifest names it.
    files: BTreeMap<Sha256Hex, Option<Instant>>,
    announced: watch::Sender<Option<Announced>>,
    /// What the lists hold, while they stand.
    lists: BTreeMap<String, Sha256Hex>,
    /// The lists that were written since it began.
    listed: BTreeSet<String>,
    /// It was out, and ended: another view may take its place.
    ended: bool,
}

impl ViewState {
    fn new(files: BTreeMap<Sha256Hex, Option<Instant>>) -> Self {
        let (announced, lists, listed) =
            (watch::Sender::new(None), BTreeMap::new(), BTreeSet::new());
        Self { files, announced, lists, listed, ended: false }
    }
}

/// The folder. One process writes to it.
pub struct Store {
    dir: PathBuf,
    grace: Grace,
    views: Mutex<BTreeMap<ViewName, ViewState>>,
    /// Held while the disk is waited for; who reads waits for `views` alone, which is never held so long.
    writing: Mutex<()>,
    aside: Aside,
}

impl Store {
    /// Where it is.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a file of a view under the SHA-256 of what `make` writes. One that stands already stays.
    ///
    /// # Errors
    /// The disk, `make`, or a bound: no file is left.
    pub fn file(
        &self,
        view: &ViewName,
        now: Instant,
        make: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Written, StoreError> {
        self.view(view)?;
        let folder = self.folder(view);
        let (pending, written) = fill(&folder, make)?;
        let _writing = self.writing();
        let stood = {
            let mut views = self.views();
            let Some(state) = views.get_mut(view) else { return Ok(written) };
            let stood = state.files.contains_key(&written.hash);
            if state.files.len() >= MAX_FILES && !stood {
                return Err(StoreError::Files(view.clone()));
            }
            // Until a manifest names it, its grace runs; of one that stood, anew. One that is named stays so.
            let since = state.files.entry(written.hash).or_insert(Some(now));
            *since = since.map(|_| now);
            stood
        };
        match pending.persist(&folder.join(written.hash.to_string()), Overwrite::Never) {
            Ok(()) | Err(ledger::Error::Exists(_)) => {}
            Err(error) => {
                if let Some(state) = self.views().get_mut(view).filter(|_| !stood) {
                    state.files.remove(&written.hash);
                }
                return Err(error.into());
            }
        }
        Ok(written)
    }

    /// Puts a list in place, and its checksum.
    pub(crate) fn list(
        &self,
        view: &ViewName,
        file: &str,
        make: &dyn Fn(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Written, StoreError> {
        self.view(view)?;
        let folder = self.dir.join(&*view.0);
        let (pending, written) = fill(&folder, make)?;
        let sum = format!("{}  {file}\n", written.hash);
        let _writing = self.writing();
        let name = format!("{file}.sha256");
        // While one is put in the place of the other there is no tag that could be wrong.
        self.set_list(view, file, None);
        self.set_list(view, &name, None);
        pending.persist(&folder.join(file), Overwrite::Replace)?;
        disk::write(&folder.join(&name), sum.as_bytes())?;
        self.set_list(view, file, Some(written.hash));
        self.set_list(view, &name, Some(Sha256Hex::of(sum.as_bytes())));
        Ok(written)
    }

    /// Puts a manifest in place, when all that it names stands, and tells it to who waits. A heartbeat is a
    /// manifest of the same place.
    ///
    /// # Errors
    /// A file is missing; the place is an earlier one; the disk.
    pub fn announce(
        &self,
        view: &ViewName,
        place: (u64, u64),
        manifest: &str,
        names: &[Sha256Hex],
        now: Instant,
    ) -> Result<(), StoreError> {
        if manifest.len() > MAX_MANIFEST {
            return Err(StoreError::Manifest(manifest.len()));
        }
        self.view(view)?;
        let _writing = self.writing();
        if let Some(state) = self.views().get(view) {
            if let Some(at) = state.announced.borrow().as_ref().map(|out| out.place)
                && place < at
            {
                return Err(StoreError::Backwards { view: view.clone(), at, to: place });
            }
            if let Some(missing) = names.iter().find(|hash| !state.files.contains_key(hash)) {
                return Err(StoreError::Missing(view.clone(), *missing));
            }
        }
        disk::write(&self.dir.join(&*view.0).join("manifest"), manifest.as_bytes())?;
        if let Some(state) = self.views().get_mut(view) {
            for (hash, since) in &mut state.files {
                *since = if names.contains(hash) { None } else { Some(since.unwrap_or(now)) };
            }
            let hash = Sha256Hex::of(manifest.as_bytes());
            let out = Announced { place, manifest: manifest.into(), hash };
            state.announced.send_replace(Some(out));
            state.ended = false;
        }
        Ok(())
    }

    /// Removes files that no manifest has named for the grace, and tells how many.
    ///
    /// # Errors
    /// The disk; what was not removed is taken up again by the next [`Store::open`].
    pub fn tidy(&self, now: Instant) -> Result<usize, StoreError> {
        let _writing = self.writing();
        let mut gone = Vec::new();
        for (view, state) in self.views().iter_mut() {
            let grace = self.grace.0;
            state.files.retain(|hash, since| {
                let stays = since.is_none_or(|since| now.saturating_duration_since(since) < grace);
                if !stays {
                    gone.push(self.folder(view).join(hash.to_string()));
                }
                stays
            });
        }
        gone.iter().try_for_each(|path| disk::remove(path))?;
        Ok(gone.len())
    }

    /// How a view's manifests are heard of; `None` where there is no such view.
    pub(crate) fn listen(&self, view: &ViewName) -> Option<watch::Receiver<Option<Announced>>> {
        self.views().get(view).map(|state| state.announced.subscribe())
    }

    /// Where a view's file is, if it is kept.
    pub(crate) fn path_of(&self, view: &ViewName, hash: &Sha256Hex) -> Option<PathBuf> {
        let kept = self.views().get(view)?.files.contains_key(hash);
        kept.then(|| self.folder(view).join(hash.to_string()))
    }

    /// What a list holds; `None` while it is put in place, and where it is of an earlier start.
    pub(crate) fn list_of(&self, view: &ViewName, file: &str) -> Option<Sha256Hex> {
        self.views().get(view)?.lists.get(file).copied()
    }

    /// True where a list was written since the view began: one that lies there may be of an earlier life.
    pub(crate) fn is_listed(&self, view: &ViewName, file: &str) -> bool {
        self.views().get(view).is_some_and(|state| state.listed.contains(file))
    }

    fn set_list(&self, view: &ViewName, file: &str, hash: Option<Sha256Hex>) {
        if let Some(state) = self.views().get_mut(view) {
            match hash {
                Some(hash) => {
                    state.lists.insert(file.to_owned(), hash);
                    state.listed.insert(file.to_owned());
                }
                None => drop(state.lists.remove(file)),
            }
        }
    }

    fn folder(&self, view: &ViewName) -> PathBuf {
        self.dir.join(&*view.0).join("files")
    }

    fn writing(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn views(&self) -> MutexGuard<'_, BTreeMap<ViewName, ViewState>> {
        self.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes a view's folder where there is none.
    fn view(&self, view: &ViewName) -> Result<(), StoreError> {
        let mut views = self.views();
        if views.contains_key(view) {
            return Ok(());
        }
        if views.len() == MAX_VIEWS {
            let ended = views.iter().find(|(_, state)| state.ended).map(|(name, _)| name.clone());
            views.remove(&ended.ok_or(StoreError::Views)?);
        }
        disk::create_dir(&self.folder(view))?;
        views.insert(view.clone(), ViewState::new(BTreeMap::new()));
        Ok(())
    }
}

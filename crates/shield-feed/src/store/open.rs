//! A folder that stood: what of it is taken up.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use ledger::disk;
use model::Sha256Hex;

use super::{Grace, MAX_LEFT, MAX_VIEWS, Store, ViewName, ViewState};
use crate::error::StoreError;

/// What stood in a folder that was opened, and was not taken up. It is served once a manifest names it; whoever
/// wrote it takes it away.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Aside {
    /// Views: more stood than are kept.
    pub views: u64,
    /// Files: more stood than are taken up, those of such views not counted.
    pub files: u64,
}

impl fmt::Display for Aside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { views, files } = self;
        write!(
            f,
            "{views} views and {files} files that stood there are left aside until a manifest names them: more than \
             {MAX_VIEWS} views, or {MAX_LEFT} files"
        )
    }
}

/// How much is taken up.
#[derive(Debug, Clone, Copy)]
struct Most {
    views: usize,
    files: usize,
}

impl Store {
    /// Opens, or makes, the folder. Files that are there stay, as if no manifest named them since now; a
    /// manifest from before is served again when it is announced again. Of more than are kept the rest is left
    /// [aside](Store::aside).
    ///
    /// # Errors
    /// The disk.
    pub fn open(dir: &Path, grace: Grace, now: Instant) -> Result<Self, StoreError> {
        opened(dir, grace, now, Most { views: MAX_VIEWS, files: MAX_LEFT })
    }

    /// What stood there and was not taken up when it was opened.
    pub fn aside(&self) -> Option<Aside> {
        Some(self.aside).filter(|aside| *aside != Aside::default())
    }
}

fn opened(dir: &Path, grace: Grace, now: Instant, most: Most) -> Result<Store, StoreError> {
    disk::create_dir(dir)?;
    let mut aside = Aside::default();
    // Views that have a manifest come before those of which only files are left.
    let (mut out, mut over) = (Vec::new(), Vec::new());
    each(dir, |name| {
        let Ok(view) = name.parse::<ViewName>() else { return };
        if !dir.join(name).is_dir() {
            return;
        }
        let stands = dir.join(name).join("manifest").is_file();
        let to = if stands { &mut out } else { &mut over };
        if to.len() < most.views { to.push(view) } else { aside.views += 1 }
    })?;
    let room = most.views.saturating_sub(out.len()).min(over.len());
    aside.views += (over.len() - room) as u64;
    let over = over.into_iter().take(room).map(|view| (view, true));
    let mut views = BTreeMap::new();
    let mut left = most.files;
    for (name, ended) in out.into_iter().map(|view| (view, false)).chain(over) {
        let folder = dir.join(&*name.0).join("files");
        disk::sweep(&dir.join(&*name.0))?;
        disk::create_dir(&folder)?;
        disk::sweep(&folder)?;
        let mut files = BTreeMap::new();
        each(&folder, |file| {
            let Ok(hash) = file.parse::<Sha256Hex>() else { return };
            if left == 0 {
                aside.files += 1;
                return;
            }
            left -= 1;
            files.insert(hash, Some(now));
        })?;
        // One that ended leaves its place to another.
        views.insert(name, ViewState { ended, ..ViewState::new(files) });
    }
    let (dir, views, writing) = (dir.to_owned(), Mutex::new(views), Mutex::default());
    Ok(Store { dir, grace, views, writing, aside })
}

/// Tells of each name in a folder that is text, however many there are: none of them is kept here.
fn each(folder: &Path, mut tell: impl FnMut(&str)) -> Result<(), StoreError> {
    let bad = |e| StoreError::Content(io::Error::other(format!("{}: {e}", folder.display())));
    for entry in std::fs::read_dir(folder).map_err(bad)? {
        if let Some(name) = entry.map_err(bad)?.file_name().to_str() {
            tell(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(dir: &Path, view: &str, manifest: bool, files: u32) {
        let folder = dir.join(view).join("files");
        disk::create_dir(&folder).unwrap();
        for n in 0..files {
            let name = Sha256Hex::of(&n.to_be_bytes()).to_string();
            disk::write(&folder.join(name), b"").unwrap();
        }
        if manifest {
            disk::write(&dir.join(view).join("manifest"), b"").unwrap();
        }
    }

    #[test]
    fn what_is_too_much_is_left_aside_and_told_and_nothing_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        for n in 0..3 {
            put(dir.path(), &format!("a-{n}"), false, 2);
        }
        put(dir.path(), "isp", true, 3);
        put(dir.path(), "all", true, 4);
        let open = |views, files| {
            let most = Most { views, files };
            opened(dir.path(), Grace::default(), Instant::now(), most).unwrap()
        };
        let taken = |store: &Store| -> (usize, usize) {
            let views = store.views();
            (views.len(), views.values().map(|state| state.files.len()).sum())
        };
        let whole = open(5, 13);
        assert_eq!((taken(&whole), whole.aside()), ((5, 13), None));
        let few = open(5, 8);
        assert_eq!((taken(&few), few.aside()), ((5, 8), Some(Aside { views: 0, files: 5 })));
        // Those that stand come first.
        let few = open(3, 20);
        assert_eq!((taken(&few), few.aside()), ((3, 9), Some(Aside { views: 2, files: 0 })));
        let two = open(2, 20);
        assert_eq!((taken(&two), two.aside()), ((2, 7), Some(Aside { views: 3, files: 0 })));
        assert!(two.views().keys().map(ToString::to_string).eq(["all", "isp"]));
        let one = open(1, 20);
        assert_eq!(one.aside(), Some(Aside { views: 4, files: 0 }));
        // One of which only files are left gives its place to a view that begins.
        assert_eq!(open(3, 20).views().values().filter(|state| state.ended).count(), 1);
    }
}

//! Copies of a case beside it: those of restores and trials, what they left, what they replaced.

use std::path::{Path, PathBuf};

use ledger::disk;
use ledger::{Lock, Wait};

use crate::{Error, Result};

/// What follows the case's name.
pub(super) const DRILL: &str = "drill";
/// See [`DRILL`].
pub(super) const RESTORING: &str = "restoring";
/// See [`DRILL`]; then `-N`.
pub(super) const BEFORE: &str = "before-restore";

/// Why a copy stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// A trial was cut off; the next one removes it.
    Drill,
    /// A restore was cut off, or did not hold; the next one removes it.
    Restoring,
    /// A restore replaced it; nothing removes it.
    Before,
}

/// A copy of the case that stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// Where.
    pub path: PathBuf,
    /// Why.
    pub sort: Sort,
    /// Who is at work on it.
    pub holder: Option<String>,
}

/// The copies of the case in `dir` that stand beside it: what was erased from the case may be in them.
///
/// # Errors
/// The folder around it cannot be listed.
pub fn leavings(dir: &Path) -> Result<Vec<Leaving>> {
    let told = |source| Error::Read { path: dir.to_owned(), source };
    let whole = std::path::absolute(dir).map_err(told)?;
    let (Some(name), Some(around)) = (whole.file_name(), whole.parent()) else {
        return Ok(Vec::new());
    };
    let told = |source| Error::Read { path: around.to_owned(), source };
    let mut found = Vec::new();
    for item in around.read_dir().map_err(told)? {
        let item = item.map_err(told)?;
        let other = item.file_name();
        let rest = other.as_encoded_bytes().strip_prefix(name.as_encoded_bytes());
        let Some(sort) = rest.and_then(|rest| rest.strip_prefix(b".")).and_then(sort_of) else {
            continue;
        };
        if item.file_type().is_ok_and(|kind| kind.is_dir()) {
            let path = dir.with_file_name(&other);
            let holder = if sort == Sort::Before { None } else { holder(&path) };
            found.push(Leaving { path, sort, holder });
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn sort_of(what: &[u8]) -> Option<Sort> {
    let text = std::str::from_utf8(what).ok()?;
    match text {
        DRILL => Some(Sort::Drill),
        RESTORING => Some(Sort::Restoring),
        _ => {
            let number = text.strip_prefix(BEFORE)?.strip_prefix('-')?;
            let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
            digits.then_some(Sort::Before)
        }
    }
}

/// Who holds the lock of a copy, if anybody does.
fn holder(copy: &Path) -> Option<String> {
    let path = copy.join("lock");
    if !path.is_file() {
        return None;
    }
    match Lock::acquire(&path, "vigie", Wait::Fail) {
        Err(ledger::Error::Held { holder, .. }) => Some(holder),
        _ => None,
    }
}

/// A folder beside the case's, for a copy that is not proven yet.
pub(super) struct Beside {
    pub(super) dir: PathBuf,
    _lock: Lock,
}

impl Beside {
    /// Makes it, empty; what an earlier run that was cut off left there is removed.
    pub(super) fn make(case: &Path, what: &str, holder: &str) -> Result<Self> {
        let dir = beside(case, what)?;
        let there = dir.exists();
        disk::create_dir(&dir)?;
        let lock = Lock::acquire(&dir.join("lock"), holder, Wait::Fail)?;
        if there {
            let names = ["authorities", "authority", "ledger", "lock", "vault"];
            let told = |source| Error::Read { path: dir.clone(), source };
            for item in dir.read_dir().map_err(told)? {
                let name = item.map_err(told)?.file_name();
                if !names.iter().any(|known| name == *known) {
                    return Err(Error::Asked(format!(
                        "{} is in the way, and holds what no restore left there: move it away",
                        dir.display()
                    )));
                }
            }
            for name in names {
                let path = dir.join(name);
                if path.is_dir() {
                    disk::remove_dir_all(&path)?;
                } else if name == "authority" && path.exists() {
                    disk::remove(&path)?;
                }
            }
        }
        Ok(Self { dir, _lock: lock })
    }

    /// Where a copy is that is restored to that place.
    pub(super) fn path(dir: &Path) -> Result<PathBuf> {
        beside(dir, RESTORING)
    }

    /// Removes what an earlier run that was cut off left under that name, where nobody is at work on it.
    pub(super) fn clear(case: &Path, what: &str, holder: &str) {
        if beside(case, what).is_ok_and(|dir| dir.exists())
            && let Ok(left) = Self::make(case, what, holder)
        {
            left.remove();
        }
    }

    /// Removes it; what cannot be removed, the next run removes.
    pub(super) fn remove(&self) {
        let _ = disk::remove_dir_all(&self.dir);
    }
}

/// `DIR.what`.
pub(super) fn beside(dir: &Path, what: &str) -> Result<PathBuf> {
    let name = dir.file_name().filter(|name| !name.is_empty());
    let Some(name) = name else {
        return Err(Error::Asked(format!("{} has no name: name a folder", dir.display())));
    };
    let mut name = name.to_owned();
    name.push(format!(".{what}"));
    Ok(dir.with_file_name(name))
}

/// `DIR.what-N`, which is not there.
pub(super) fn free_name(dir: &Path, what: &str) -> Result<PathBuf> {
    for n in 1..10_000 {
        let path = beside(dir, &format!("{what}-{n}"))?;
        if path.symlink_metadata().is_err() {
            return Ok(path);
        }
    }
    Err(Error::Bound(format!("{}: ten thousand older cases stand beside it", dir.display())))
}

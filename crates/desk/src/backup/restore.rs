//! Restoring a backup: proven beside the case before it takes its place.

use std::path::{Path, PathBuf};

use ledger::disk;
use ledger::{Lock, Trust, Wait};
use vault::Case;
use vault::backup::copy_out;

use super::beside::{BEFORE, Beside, DRILL, RESTORING, free_name};
use super::{Restored, Store, Told};
use crate::verify::Report;
use crate::{Error, Result};

/// A backup that was restored.
#[derive(Debug)]
pub struct Proven {
    /// What was copied.
    pub restored: Restored,
    /// What proving it found.
    pub report: Report,
    /// Records that the authority has seen of the log: more than were restored are lost.
    pub seen: Option<u64>,
    /// Where the case that stood there before is now.
    pub kept: Option<PathBuf>,
    /// Where the copy is, if it did not hold.
    pub left: Option<PathBuf>,
    /// True where it took its place though exhibits are damaged in it, as was asked.
    pub accepted: bool,
}

/// How to restore.
#[derive(Debug, Clone, Copy, Default)]
pub struct How<'a> {
    /// A case that stands there is kept under another name; else it is in the way.
    pub replace: bool,
    /// Restore what holds where exhibits are damaged.
    pub accept_damaged: bool,
    /// The reader's own word on whose keys count.
    pub trust: Option<&'a Trust>,
}

impl Proven {
    /// True where nothing is wrong but bytes of exhibits, or what says whose backup it is: log and
    /// openings hold, and the case can be worked with.
    pub fn only_exhibits(&self) -> bool {
        let bytes = |place: &str| self.restored.damaged.iter().any(|name| name == place);
        let there =
            |place: &str| place.starts_with("vault/exhibits/") || place.starts_with("backup of ");
        let of_backup = |place: &str| {
            there(place) && self.restored.findings.iter().any(|found| found.place == place)
        };
        self.report.findings.iter().all(|found| bytes(&found.place) || of_backup(&found.place))
    }

    /// Records that are lost, first and the one after the last, where the authority has seen them.
    pub fn lost(&self) -> Option<std::ops::Range<u64>> {
        let size = self.restored.size;
        self.seen.filter(|seen| *seen > size).map(|seen| size..seen)
    }
}

/// Restores a backup to `dir`: it is copied beside it and proven there, and only then has the name. A
/// case that stands there is kept under another name, and only where [`How::replace`] is true.
///
/// # Errors
/// Something stands there; no backup; the store; the disk. Nothing that was there is changed then.
pub fn restore(
    dir: &Path,
    home: &Path,
    store: &dyn Store,
    how: How<'_>,
    holder: &str,
    progress: Told<'_>,
) -> Result<Proven> {
    let there = dir.read_dir().is_ok_and(|mut items| items.next().is_some());
    if there && !how.replace {
        return Err(Error::Asked(format!(
            "{} is not empty: name a new folder, or say --replace, which keeps what stands there \
             under another name",
            dir.display()
        )));
    }
    within_no_case(dir)?;
    // A case that is being written is nobody's to move away.
    let held =
        if there { Some(Lock::acquire(&dir.join("lock"), holder, Wait::Fail)?) } else { None };
    Beside::clear(dir, DRILL, holder);
    let beside = Beside::make(dir, RESTORING, holder)?;
    let before = there.then_some(dir);
    let mut proven = match prove(&beside.dir, before, home, store, how.trust, progress) {
        Ok(proven) => proven,
        Err(error) => {
            beside.remove();
            return Err(error);
        }
    };
    if !proven.report.findings.is_empty() {
        if !how.accept_damaged || !proven.only_exhibits() {
            proven.left = Some(beside.dir);
            return Ok(proven);
        }
        proven.accepted = true;
    }
    // One that is too damaged to say what it is may be replaced.
    if there && let Ok(old) = Case::read(dir) {
        let origin = old.origin().to_owned();
        if origin != proven.restored.origin {
            let restored = proven.restored.origin;
            beside.remove();
            return Err(Error::Asked(format!(
                "{} holds another case ({origin}), and the backup is of {restored}: name another \
                 folder",
                dir.display()
            )));
        }
    }
    if there {
        let kept = free_name(dir, BEFORE)?;
        disk::rename(dir, &kept)?;
        proven.kept = Some(kept);
    }
    if let Err(error) = disk::rename(&beside.dir, dir) {
        // As it was.
        if let Some(kept) = proven.kept.as_ref().filter(|_| !dir.exists()) {
            disk::rename(kept, dir)?;
        }
        return Err(error.into());
    }
    drop(held);
    Ok(proven)
}

/// Refuses a place within another case, or one that a case stands below.
fn within_no_case(dir: &Path) -> Result<()> {
    let whole =
        std::path::absolute(dir).map_err(|source| Error::Read { path: dir.to_owned(), source })?;
    let Some(above) = whole.ancestors().skip(1).find(|above| Case::exists(above).unwrap_or(false))
    else {
        return Ok(());
    };
    Err(Error::Asked(format!(
        "{} lies within the case {}: name a folder outside of it",
        dir.display(),
        above.display()
    )))
}

/// Copies and proves. What contradicts the log of the case that stands at `before` contradicts the copy
/// too, unless that goes through it.
pub(super) fn prove(
    dir: &Path,
    before: Option<&Path>,
    home: &Path,
    store: &dyn Store,
    trust: Option<&Trust>,
    progress: Told<'_>,
) -> Result<Proven> {
    let restored = copy_out(store, dir, progress)?;
    if let Some(before) = before {
        let (from, to) = (before.join("ledger"), dir.join("ledger"));
        ledger::carry_contradicting(&from, &to, &restored.origin)?;
    }
    let (mut report, seen) = crate::verify::verify_copy(dir, home, trust, progress)?;
    report.findings.splice(0..0, restored.findings.iter().cloned());
    // What was never in the case's folder is in no backup of it.
    let media: Vec<String> =
        restored.outside.iter().map(|(_, path)| path.display().to_string()).collect();
    let (missing, findings): (Vec<_>, Vec<_>) =
        report.findings.into_iter().partition(|found| media.contains(&found.place));
    report.findings = findings;
    report.of_evidence = report.findings.len();
    for found in missing {
        report.notes.push(format!("{}: {} (sealed in place)", found.place, found.message));
    }
    Ok(Proven { restored, report, seen, kept: None, left: None, accepted: false })
}

//! Backups: made, tried, restored (docs/backup.md).
//!
//! The vault copies and proves; here it is decided who may, what is recorded, and what takes the
//! place of what.

use std::path::{Path, PathBuf};
use std::time::Instant;

use ledger::disk;
use ledger::{Lock, Trust, Wait};
use model::record::{BackupDrilled, BackupMade};
use vault::Case;
use vault::backup::copy_out;

pub use vault::backup::{Error as BackupError, Folder, Made, Restored, Store};

use crate::desk::{Desk, Place};
use crate::verify::Report;
use crate::{Error, Result};

/// Told bytes as they are copied or hashed, from any thread.
pub type Told<'a> = &'a (dyn Fn(u64) + Sync);

/// What a run came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// What it did.
    pub made: Made,
    /// The record of it, where it did something; the backup holds it as well.
    pub record: Option<u64>,
    /// What the place does not destroy, where something was erased there.
    pub remains: Option<String>,
}

/// Brings the backup at `store` up to the case, and records it. Other writers of the case wait
/// meanwhile; readers do not.
///
/// # Errors
/// Who may not; the case cannot be opened for writing; the store; a destination of another case, or of
/// which this case is no continuation.
pub fn back_up(place: &Place, store: &dyn Store, check: bool, progress: Told<'_>) -> Result<Done> {
    crate::permit::may_back_up(&place.actor)?;
    let mut desk = Desk::open(place)?;
    let done = run(&mut desk, store, check, progress);
    let closed = desk.close();
    let done = done?;
    closed?;
    Ok(done)
}

fn run(desk: &mut Desk, store: &dyn Store, check: bool, progress: Told<'_>) -> Result<Done> {
    let home = vault::Home::new(&desk.place.home);
    let holder = desk.place.holder.clone();
    let again = |desk: &mut Desk, check| {
        vault::backup::run(&mut desk.case, &home, store, check, &holder, progress)
    };
    let made = again(desk, check)?;
    let remains = if made.erased + made.rewritten > 0 { store.remains() } else { None };
    let mut done = Done { made, record: None, remains };
    if done.made.refused || !(check || done.made.changed()) {
        return Ok(done);
    }
    let made = &done.made;
    let body = BackupMade {
        destination: store.shown(),
        held: made.size,
        root: made.root,
        held_exhibits: made.exhibits,
        held_bytes: made.bytes,
        erased: made.erased + made.rewritten,
        repaired: made.repaired.len() as u64,
        findings: made.findings.len() as u64,
        checked: made.checked,
    };
    // Where only the record of the last run was missing there, another would be missing now.
    if !check && desk.only_backups_since(made.before)? && made.erased + made.rewritten == 0 {
        return Ok(done);
    }
    done.record = desk.commit(vec![body.into()])?.next();
    // Its own record goes there too: a case that is restored from it can then be continued.
    let last = again(desk, false)?;
    (done.made.size, done.made.root) = (last.size, last.root);
    Ok(done)
}

impl Desk {
    /// True where nothing but backups was recorded from that record on.
    fn only_backups_since(&self, first: u64) -> Result<bool> {
        for record in self.case.records(first) {
            if !record?.1.kind.starts_with("backup.") {
                return Ok(false);
            }
        }
        Ok(first > 0)
    }
}

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
}

impl Proven {
    /// Records that are lost, first and the one after the last, where the authority has seen them.
    pub fn lost(&self) -> Option<std::ops::Range<u64>> {
        let size = self.restored.size;
        self.seen.filter(|seen| *seen > size).map(|seen| size..seen)
    }
}

/// Restores a backup to `dir`: it is copied beside it and proven there, and only then has the name. A
/// case that stands there is kept under another name, and only where `replace` is true.
///
/// # Errors
/// Something stands there; no backup; the store; the disk. Nothing that was there is changed then.
pub fn restore(
    dir: &Path,
    home: &Path,
    store: &dyn Store,
    (replace, trust): (bool, Option<&Trust>),
    holder: &str,
    progress: Told<'_>,
) -> Result<Proven> {
    let there = dir.read_dir().is_ok_and(|mut items| items.next().is_some());
    if there && !replace {
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
    let beside = Beside::make(dir, "restoring", holder)?;
    let mut proven = match prove(&beside.dir, home, store, trust, progress) {
        Ok(proven) => proven,
        Err(error) => {
            beside.remove();
            return Err(error);
        }
    };
    if !proven.report.findings.is_empty() {
        proven.left = Some(beside.dir);
        return Ok(proven);
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
        let kept = free_name(dir, "before-restore")?;
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
    let Some(above) = whole.ancestors().skip(1).find(|above| Case::exists(above)) else {
        return Ok(());
    };
    Err(Error::Asked(format!(
        "{} lies within the case {}: name a folder outside of it",
        dir.display(),
        above.display()
    )))
}

/// What a trial came to.
#[derive(Debug)]
pub struct Drilled {
    /// The backup, restored.
    pub proven: Proven,
    /// Records of the case that it does not hold.
    pub behind: u64,
    /// How long it took.
    pub elapsed_ms: u64,
    /// The record of it.
    pub record: Option<u64>,
}

/// Restores a backup on trial, beside the case, proves it, holds it against the case, removes it and
/// records what came of it.
///
/// # Errors
/// Who may not; no backup; the store; the disk.
pub fn drill(
    place: &Place,
    store: &dyn Store,
    trust: Option<&Trust>,
    progress: Told<'_>,
) -> Result<Drilled> {
    crate::permit::may_back_up(&place.actor)?;
    let begun = Instant::now();
    let beside = Beside::make(&place.case, "drill", &place.holder)?;
    let proven = prove(&beside.dir, &place.home, store, trust, progress);
    beside.remove();
    let mut desk = Desk::open(place)?;
    let drilled = match proven {
        Ok(proven) => held_against(&mut desk, proven, store.shown(), begun),
        Err(error) => failed(&mut desk, store.shown(), begun).and(Err(error)),
    };
    // A backup without the record of its trial could not be continued from.
    let drilled = match drilled {
        Ok(drilled) if drilled.proven.report.findings.is_empty() && drilled.behind == 0 => {
            follow(&mut desk, store, progress).map(|()| drilled)
        }
        other => other,
    };
    let closed = desk.close();
    let drilled = drilled?;
    closed?;
    Ok(drilled)
}

/// Brings a backup that was up to the case up to the record of its trial. Where that cannot be, such as
/// on a medium that is read-only, the next run does it.
fn follow(desk: &mut Desk, store: &dyn Store, progress: Told<'_>) -> Result<()> {
    let home = vault::Home::new(&desk.place.home);
    let holder = desk.place.holder.clone();
    match vault::backup::run(&mut desk.case, &home, store, false, &holder, progress) {
        Ok(_) | Err(BackupError::Store { .. } | BackupError::Held { .. }) => Ok(()),
        Err(e) => Err(e.into()),
    }
}

/// Records a trial that came to no end, where the log knows of the backup: a wrong name is none.
fn failed(desk: &mut Desk, destination: String, begun: Instant) -> Result<()> {
    if known_of(&desk.case)?.iter().all(|known| known.destination != destination) {
        return Ok(());
    }
    let (held, root, behind) = (0, model::Sha256Hex::of(b""), desk.case.len());
    let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let body = BackupDrilled { destination, held, root, behind, findings: 1, elapsed_ms };
    desk.commit(vec![body.into()])?;
    Ok(())
}

/// Holds what was restored against the case, and records what came of it.
fn held_against(
    desk: &mut Desk,
    mut proven: Proven,
    destination: String,
    begun: Instant,
) -> Result<Drilled> {
    desk.case.publish()?;
    let (held, root) = (proven.restored.size, proven.restored.root);
    let (size, report) = (desk.case.len(), &mut proven.report);
    if proven.restored.origin != desk.case.origin() {
        report.find_evidence("backup", format!("it is of {}", proven.restored.origin));
    } else if held > size || desk.case.log().root_at(held)? != root.0 {
        let what = "its records are not the first ones of this case";
        report.find_evidence("ledger/checkpoint", what);
    }
    let behind = size.saturating_sub(held);
    let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let findings = report.findings.len() as u64;
    let body = BackupDrilled { destination, held, root, behind, findings, elapsed_ms };
    let record = desk.commit(vec![body.into()])?.next();
    Ok(Drilled { proven, behind, elapsed_ms, record })
}

/// Where the last backup of a case was made, as its log tells.
///
/// # Errors
/// The case cannot be read; none is recorded.
pub fn last_destination(dir: &Path) -> Result<String> {
    let found = known(dir)?.into_iter().max_by_key(|known| known.record);
    found.map(|known| known.destination).ok_or_else(|| {
        Error::Asked("no backup of this case is recorded: name one with --from".to_owned())
    })
}

/// A destination that the log names, and its last run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Where; a user wrote it.
    pub destination: String,
    /// The last run's record.
    pub record: u64,
    /// When it was written (RFC 3339).
    pub time: String,
    /// Records that the backup held after it.
    pub held: u64,
}

/// Every destination that the log names, each with its last run.
///
/// # Errors
/// The case cannot be read.
pub fn known(dir: &Path) -> Result<Vec<Known>> {
    let case = Case::read(dir)?;
    known_of(&case)
}

pub(crate) fn known_of(case: &Case) -> Result<Vec<Known>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in case.records(0) {
        let (index, record, opening) = entry?;
        if record.kind == "backup.made"
            && let Ok(model::record::Body::BackupMade(body)) =
                model::record::Body::read_left(&record, &opening)
        {
            let destination = body.destination.clone();
            let last = Known { destination, record: index, time: record.time, held: body.held };
            found.insert(body.destination, last);
        }
    }
    Ok(found.into_values().collect())
}

/// Copies and proves.
fn prove(
    dir: &Path,
    home: &Path,
    store: &dyn Store,
    trust: Option<&Trust>,
    progress: Told<'_>,
) -> Result<Proven> {
    let restored = copy_out(store, dir, progress)?;
    let (mut report, seen) = crate::verify::verify_copy(dir, home, trust, progress)?;
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
    Ok(Proven { restored, report, seen, kept: None, left: None })
}

/// A folder beside the case's, for a copy that is not proven yet.
struct Beside {
    dir: PathBuf,
    _lock: Lock,
}

impl Beside {
    /// Makes it, empty; what an earlier run that was cut off left there is removed.
    fn make(case: &Path, what: &str, holder: &str) -> Result<Self> {
        let dir = beside(case, what)?;
        let there = dir.exists();
        disk::create_dir(&dir)?;
        let lock = Lock::acquire(&dir.join("lock"), holder, Wait::Fail)?;
        if there {
            let names = ["ledger", "lock", "vault"];
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
            for name in ["ledger", "vault"] {
                disk::remove_dir_all(&dir.join(name))?;
            }
        }
        Ok(Self { dir, _lock: lock })
    }

    /// Removes it; what cannot be removed, the next run removes.
    fn remove(&self) {
        let _ = disk::remove_dir_all(&self.dir);
    }
}

/// `DIR.what`.
fn beside(dir: &Path, what: &str) -> Result<PathBuf> {
    let name = dir.file_name().filter(|name| !name.is_empty());
    let Some(name) = name else {
        return Err(Error::Asked(format!("{} has no name: name a folder", dir.display())));
    };
    let mut name = name.to_owned();
    name.push(format!(".{what}"));
    Ok(dir.with_file_name(name))
}

/// `DIR.what-N`, which is not there.
fn free_name(dir: &Path, what: &str) -> Result<PathBuf> {
    for n in 1..10_000 {
        let path = beside(dir, &format!("{what}-{n}"))?;
        if path.symlink_metadata().is_err() {
            return Ok(path);
        }
    }
    Err(Error::Bound(format!("{}: ten thousand older cases stand beside it", dir.display())))
}

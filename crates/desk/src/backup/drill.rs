//! Restoring a backup on trial.

use std::time::Instant;

use ledger::Trust;
use model::record::BackupDrilled;
use vault::Case;

use super::beside::{Beside, DRILL};
use super::restore::{Proven, prove};
use super::{BackupError, Store, Told, known_of};
use crate::Result;
use crate::desk::{Desk, Place};

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
/// Who may not; no backup, or that of another case; the store; the disk.
pub fn drill(
    place: &Place,
    store: &dyn Store,
    trust: Option<&Trust>,
    progress: Told<'_>,
) -> Result<Drilled> {
    crate::permit::may_back_up(&place.actor)?;
    let begun = Instant::now();
    let proven = of_this_case(&place.case, store).and_then(|()| {
        let beside = Beside::make(&place.case, DRILL, &place.holder)?;
        let proven = prove(&beside.dir, None, &place.home, store, trust, progress);
        beside.remove();
        proven
    });
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

/// A backup of another case says nothing of this one's.
fn of_this_case(case: &std::path::Path, store: &dyn Store) -> Result<()> {
    let origin = Case::origin_in(case)?;
    match vault::backup::origin_at(store)? {
        Some(found) if found != origin => {
            let destination = store.shown();
            Err(BackupError::OfAnother { destination, found, origin }.into())
        }
        _ => Ok(()),
    }
}

/// Brings a backup that was up to the case up to the record of its trial. Where that cannot be, such as
/// on a medium that is read-only, the next run does it.
fn follow(desk: &mut Desk, store: &dyn Store, progress: Told<'_>) -> Result<()> {
    use crate::Error::Backup;
    match super::run(desk, store, false, progress) {
        Ok(_) | Err(Backup(BackupError::Store { .. } | BackupError::Held { .. })) => Ok(()),
        Err(e) => Err(e),
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
    let mut behind = size.saturating_sub(held);
    if proven.restored.origin != desk.case.origin() {
        report.find_evidence("backup", format!("it is of {}", proven.restored.origin));
        behind = size;
    } else if held > size || desk.case.log().root_at(held)? != root.0 {
        let what = "its records are not the first ones of this case";
        report.find_evidence("ledger/checkpoint", what);
        behind = size;
    }
    let elapsed_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let findings = report.findings.len() as u64;
    let body = BackupDrilled { destination, held, root, behind, findings, elapsed_ms };
    let record = desk.commit(vec![body.into()])?.next();
    Ok(Drilled { proven, behind, elapsed_ms, record })
}

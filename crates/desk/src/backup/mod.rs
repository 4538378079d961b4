//! Backups: made, tried, restored (docs/backup.md).
//!
//! The vault copies and proves; here it is decided who may, what is recorded, and what takes the
//! place of what.

mod authority;
mod beside;
mod destination;
mod drill;
mod known;
mod restore;

use model::record::BackupMade;

pub use authority::{HomeDone, HomeProven, back_up_home, restore_home};
pub use beside::{Leaving, Sort, leavings};
pub use destination::{Destination, destination};
pub use drill::{Drilled, drill};
pub(crate) use known::known_of;
pub use known::{Known, known, last_destination};
pub use restore::{How, Proven, restore};
pub use vault::Finding;
pub use vault::backup::{Error as BackupError, Folder, Made, Restored, Store};

use crate::Result;
use crate::desk::{Desk, Place};

/// True where a folder holds a case.
///
/// # Errors
/// What may not be looked at.
pub fn is_case(dir: &std::path::Path) -> Result<bool> {
    Ok(vault::Case::exists(dir)?)
}

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
    let unrecorded = !done.made.refused && unrecorded(desk, &store.shown(), done.made.before)?;
    done.made.completed |= unrecorded;
    if done.made.refused || !(check || unrecorded || done.made.changed()) {
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
        completed: made.completed.then_some(true),
    };
    // Where only the record of the last run was missing there, another would be missing now.
    let nothing = made.before > 0 && only_backups(desk, made.before, made.size)?;
    if !(check || unrecorded) && nothing && made.erased + made.rewritten == 0 {
        return Ok(done);
    }
    done.record = desk.commit(vec![body.into()])?.next();
    // Its own record goes there too: a case that is restored from it can then be continued.
    let last = again(desk, false)?;
    (done.made.size, done.made.root) = (last.size, last.root);
    Ok(done)
}

/// True where the log knows the backup, and it held more than any run of it that is recorded: the last
/// one was cut off before its record.
fn unrecorded(desk: &Desk, destination: &str, before: u64) -> Result<bool> {
    let known = known_of(&desk.case)?.into_iter().find(|known| known.destination == destination);
    Ok(match known {
        Some(known) => !only_backups(desk, known.held.min(before), before)?,
        None => false,
    })
}

/// True where nothing but backups was recorded from that record on.
fn only_backups(desk: &Desk, first: u64, end: u64) -> Result<bool> {
    for index in first..end {
        if !desk.case.record(index)?.0.kind.starts_with("backup.") {
            return Ok(false);
        }
    }
    Ok(true)
}

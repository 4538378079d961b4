//! One run of a backup.

use std::path::PathBuf;

use ledger::{Finding, Home};
use model::Sha256Hex;

use super::copy::{Own, Run};
use super::error::{Error, Result};
use super::held::{Head, Mark, NO_MARK, checkpoint_of, damaged, mark, mark_of};
use super::store::{Store, get};
use super::{CHECKPOINT, MARK, MAX_OPENINGS, OPENINGS, STAGED, staged};
use crate::case::Case;
use crate::openings::first_of;

/// What a run did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Records that the backup held before.
    pub before: u64,
    /// Records that it holds now, and their root.
    pub size: u64,
    /// See `size`.
    pub root: Sha256Hex,
    /// Exhibits in the backup, and their bytes.
    pub exhibits: u64,
    /// See `exhibits`.
    pub bytes: u64,
    /// Objects written, and their bytes.
    pub copied: u64,
    /// See `copied`.
    pub copied_bytes: u64,
    /// Exhibits that were erased at the destination.
    pub erased: u64,
    /// Files of openings from which something was erased at the destination.
    pub rewritten: u64,
    /// Objects there that were damaged, and are as they should be again.
    pub repaired: Vec<String>,
    /// What is wrong in the case: what is named here was not copied.
    pub findings: Vec<Finding>,
    /// Exhibits whose bytes stay on media outside the case: the record, and where they are.
    pub outside: Vec<(u64, PathBuf)>,
    /// True where everything in the backup was read again.
    pub checked: bool,
    /// True where the case's own log or openings do not hold: nothing was copied.
    pub refused: bool,
    /// True where it completed a run that was cut off.
    pub completed: bool,
}

impl Made {
    pub(super) fn new(root: Sha256Hex, checked: bool) -> Self {
        Self {
            before: 0,
            size: 0,
            root,
            exhibits: 0,
            bytes: 0,
            copied: 0,
            copied_bytes: 0,
            erased: 0,
            rewritten: 0,
            repaired: Vec::new(),
            findings: Vec::new(),
            outside: Vec::new(),
            checked,
            refused: false,
            completed: false,
        }
    }

    /// True where the run left the backup other than it was.
    pub fn changed(&self) -> bool {
        self.copied > 0 || self.erased > 0 || self.rewritten > 0 || !self.repaired.is_empty()
    }
}

/// Brings the backup at `store` up to the case. With `check` all that is there is read and hashed
/// again. `holder` says who is at work; `progress` is told bytes of exhibits.
///
/// # Errors
/// A destination of another case, or of a case that this one does not go on from; a lock; the store;
/// the disk. What is wrong with the case itself is told in [`Made::findings`].
pub fn run(
    case: &mut Case,
    home: &Home,
    store: &dyn Store,
    check: bool,
    holder: &str,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Made> {
    case.publish()?;
    // Nothing that is in doubt takes the place of what is good.
    let report = crate::verify::records(case.dir(), home)?;
    let size = case.len();
    let mut made = Made::new(Sha256Hex(case.log().root_at(size)?), check);
    if !report.findings.is_empty() {
        (made.findings, made.refused) = (report.findings, true);
        return Ok(made);
    }
    let case = &*case;
    let own = Own { dir: case.dir(), origin: case.origin(), log: case.log(), keys: case.keys()? };
    let lock = store.lock(holder)?;
    let head = begin(&own, store, &mut made)?;
    (made.erased, made.rewritten) = lock.destroyed();
    made.completed = made.erased + made.rewritten > 0;
    settle(store, &mut made)?;
    let mut run = Run::new(&own, store, made, progress);
    let rewritten = run.openings(case)?;
    let there = run.exhibits(case)?;
    let tiles = run.tiles()?;
    run.stage(case, &rewritten)?;
    run.flush()?;
    run.checkpoint(&head)?;
    run.take_away(case, &rewritten, &there)?;
    run.outgrown(&tiles)?;
    run.witnessed()?;
    drop(lock);
    Ok(run.made)
}

/// What is there, which must be the beginning of this log; where nothing is, the mark is put. A mark
/// that was damaged is put right where the log that stands there is the beginning of this one.
pub(super) fn begin(own: &Own<'_>, store: &dyn Store, made: &mut Made) -> Result<Head> {
    let head = found(own, store, made)?;
    goes_on(own, store, &head, &made.root)?;
    (made.before, made.size) = (head.size(), own.log.size());
    Ok(head)
}

fn found(own: &Own<'_>, store: &dyn Store, made: &mut Made) -> Result<Head> {
    let origin = own.origin.to_owned();
    let found = mark_of(store)?;
    if found == Mark::Of(origin.clone()) {
        return Ok(Head { origin, checkpoint: checkpoint_of(store)? });
    }
    if found == Mark::None && store.list("")?.is_empty() {
        store.put(MARK, mark(&origin).as_bytes())?;
        return Ok(Head { origin, checkpoint: None });
    }
    let head = Head { origin: origin.clone(), checkpoint: checkpoint_of(store).unwrap_or(None) };
    let ours = head.checkpoint.as_ref().is_some_and(|(_, held)| held.origin == origin);
    if ours && goes_on(own, store, &head, &made.root).is_ok() {
        store.put(MARK, mark(&origin).as_bytes())?;
        made.repaired.push(MARK.to_owned());
        return Ok(head);
    }
    let destination = store.shown();
    Err(match found {
        Mark::None => Error::NotABackup(destination),
        Mark::Of(found) => Error::Other { destination, found, origin },
        Mark::Damaged => damaged(store, MARK, NO_MARK),
    })
}

/// The backup's log must be the beginning of the case's.
fn goes_on(own: &Own<'_>, store: &dyn Store, head: &Head, root: &Sha256Hex) -> Result<()> {
    let Some((note, held)) = &head.checkpoint else { return Ok(()) };
    let same = held.size <= own.log.size() && own.log.root_at(held.size)? == held.root;
    if !same || held.origin != own.origin {
        return Err(Error::NotBefore {
            destination: store.shown(),
            origin: own.origin.to_owned(),
            held: held.size,
            held_root: Sha256Hex(held.root).to_string(),
            size: own.log.size(),
            root: root.to_string(),
        });
    }
    if let Err(e) = own.keys.open(note) {
        let what = format!(
            "does not verify ({e}). Nothing was changed. Its root is that of this case: move that one \
             file away, and the next run writes it anew"
        );
        let (destination, name) = (store.shown(), CHECKPOINT.to_owned());
        return Err(Error::Damaged { destination, name, what });
    }
    Ok(())
}

/// Completes what a run that was cut off had staged for the checkpoint that stands, and drops what
/// was staged for one that never stood.
fn settle(store: &dyn Store, made: &mut Made) -> Result<()> {
    let items = store.list(STAGED)?;
    made.completed |= !items.is_empty();
    for item in &items {
        let name = item.name.rsplit('/').next().unwrap_or_default();
        if first_of(name).is_some()
            && item.name == staged(made.before, name)
            && let Some(bytes) = get(store, &item.name, MAX_OPENINGS)?
        {
            let place = format!("{OPENINGS}/{name}");
            // One that took its place before the run was cut was destroyed by that.
            if get(store, &place, MAX_OPENINGS)?.as_ref() != Some(&bytes) {
                store.put(&place, &bytes)?;
                made.rewritten += 1;
            }
        }
    }
    items.iter().try_for_each(|item| store.destroy(&item.name))
}

//! What the log came to, kept in a file beside it, so that a start applies only what came after.
//!
//! `<house>/kept/state` is a cache and no source of truth: it is made of the log alone, of its first N records,
//! and says which N and what root they have. It is signed by the log's key. Where it is missing, torn, of
//! another program or another log, or by anybody else, a start says so in a line and applies the whole log.
//! `verify` applies the whole log in any case, and holds what is kept against it.
//!
//! - `file`: the file's form, written whole or not at all.
//! - `lines`: what stands in it beside the values.
//! - `reading`: the same for who only reads, and writes nothing.
//! - [`Keeping`]: the thread that writes it, which reads the log as anybody would: acts never wait for it.
//!
//! Invariants: nothing is signed that was not held against the log's tree, entry by entry. Nothing of the file
//! counts before its signature, its digests and its root hold. No word of the file can change what the log says:
//! only how long a start takes.

mod file;
mod keeping;
mod lines;
mod reading;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::{Checkpoint, Keys, Reader, SigningKey, tree};
use vault::index::Index;
use vault::{Case, Home, Records};

use super::held::Held;
use super::replay::Standing;
use super::witnessed::Cosigned;
use crate::desk::{Place, now_ms};
use crate::{Error, Result};

pub(super) use file::{Head, digests};
pub(super) use keeping::Keeping;
pub(super) use reading::read;

/// How this house came to know what it knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Started {
    /// Records whose outcome was read from what was kept; 0: all of the log was applied.
    pub kept: u64,
    /// Records that were applied.
    pub applied: u64,
    /// Why what is kept was of no use, in words; `None`: it was, or there is none.
    pub refused: Option<String>,
    /// How long it took to open the folder; the reading of what is kept is no part of it.
    pub folder: Duration,
}

/// Why what is kept is of no use, in words.
pub(super) type Why = String;
/// What is kept, or why it is of no use.
pub(super) type Use<T> = std::result::Result<T, Why>;

/// Where it stands.
pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("kept/state")
}

/// What is kept of a log, and of how many of its records; `None`: nothing is kept.
pub(super) fn load(dir: &Path, log: &Reader, keys: &Keys) -> Use<Option<(Standing, u64)>> {
    from(dir, looked(&path(dir))?, log, keys)
}

/// The same of a file that was opened.
fn from(dir: &Path, file: Option<File>, log: &Reader, keys: &Keys) -> Use<Option<(Standing, u64)>> {
    let Some(mut file) = file else { return Ok(None) };
    let head = file::head(&mut file, keys)?;
    goes_on(log, keys, &head)?;
    let exhibits = file::exhibits(dir, &head)?;
    let mut standing = file::standing(&mut file, &head)?;
    standing.spoken.before = Some(Arc::new(exhibits));
    Ok(Some((standing, head.records)))
}

/// Opens the file; `None`: there is none.
fn looked(path: &Path) -> Use<Option<File>> {
    match ledger::plain::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some).map_err(|e| e.to_string()),
    }
}

/// The head of what is kept, where a log's keys signed it and the log goes on from it.
pub(super) fn head(dir: &Path, log: &Reader, keys: &Keys) -> Use<Option<Head>> {
    let Some(mut file) = looked(&path(dir))? else { return Ok(None) };
    let head = file::head(&mut file, keys)?;
    goes_on(log, keys, &head)?;
    file::exhibits(dir, &head)?;
    Ok(Some(head))
}

/// The same, where the table of exhibits that it names can be read to its end as well.
pub(super) fn sound_head(dir: &Path, log: &Reader, keys: &Keys) -> Use<Option<Head>> {
    let head = head(dir, log, keys)?;
    if let Some(head) = &head {
        let exhibits = file::exhibits(dir, head)?;
        exhibits.rows().try_for_each(|row| row.map(drop)).map_err(|e| e.found())?;
    }
    Ok(head)
}

/// Holds the head against the log's own signed checkpoint: the hashes between the two are looked at, and no
/// record.
fn goes_on(log: &Reader, keys: &Keys, head: &Head) -> Use<()> {
    let other = || "it is of other records than this log has".to_owned();
    let note = log.published().ok_or("the log has no checkpoint")?;
    let now = keys.open(note).map_err(|e| format!("the log's own checkpoint: {e}"))?;
    let root = head.root.0;
    if head.origin != now.origin || head.records > now.size || head.records == 0 {
        return Err(other());
    }
    let is = if head.records == now.size {
        root == now.root
    } else {
        let hashes = log.consistency_in(head.records, now.size).map_err(|e| e.to_string())?;
        tree::is_consistent(head.records, now.size, &hashes, &root, &now.root)
    };
    if is { Ok(()) } else { Err(other()) }
}

/// Makes what is kept anew, of all that is published and, where the policy asks for witnesses, covered by them: what
/// was kept before, and what came since. Gives how many records that is; `None`: it is not the time for it. In `used` a
/// house that runs looks exhibits up: it goes on in what is kept, and where it was found damaged that is made anew of
/// the log.
///
/// # Errors
/// A log that does not hold together, or whose entries are not those that its key signed; the disk. What was kept
/// before stays.
pub(super) fn keep(
    dir: &Path,
    keys: &Keys,
    signer: &SigningKey,
    covered: &Covered,
    used: Option<&Index>,
) -> Result<Option<u64>> {
    let records = Records::open(dir)?;
    let beside =
        |why: Why| Error::Beside(format!("what the log comes to could not be kept: {why}"));
    let note = records.log().published().unwrap_or_default();
    let now = keys.open(note).map_err(|e| beside(e.to_string()))?;
    let (covered, asked) = covered.get();
    let end = now.size.min(covered);
    // What a key signs that came later counts for nothing, and of no record there is nothing to keep.
    if end == 0 || *keys.at(end) != signer.verifier() {
        return Ok(None);
    }
    let damaged = used.filter(|used| used.is_damaged());
    let there = match damaged {
        Some(_) => sound_head(dir, records.log(), keys),
        None => head(dir, records.log(), keys),
    };
    if let Ok(Some(head)) = there
        && head.records >= end
    {
        // It could not be read for a while, and can be again.
        if let Some(used) = damaged {
            used.renew(file::exhibits(dir, &head).map_err(beside)?);
        }
        return Ok(None);
    }
    let (mut standing, first) = match load(dir, records.log(), keys) {
        Ok(Some(kept)) if kept.0.spoken.is_sound() => kept,
        Ok(_) | Err(_) => (Standing::default(), 0),
    };
    let mut held = Held::after(records.log(), first)?;
    for index in first..end {
        let (record, opening) = records.get(index)?;
        held.take(&opening);
        let taken = standing.take(index, &record, &opening);
        taken.map_err(|why| beside(format!("record {index}: {why}")))?;
    }
    // More were asked for there than now: a start would not find all of it covered.
    if standing.policy.witnesses > asked {
        return Ok(None);
    }
    standing.end().map_err(beside)?;
    // A start believes what is signed here: nothing of it may come from an entry that the log's key did not sign.
    if !held.is_of(records.log(), &now)? {
        return Err(beside(format!(
            "the log's entries are not those of its signed checkpoint, one of them was changed; `vigie verify {}` \
             tells more",
            crate::shell::quoted_path(dir)
        )));
    }
    let at = Checkpoint { size: end, root: held.root(), ..now };
    file::write(dir, &standing, &at, signer, used)?;
    Ok(Some(end))
}

/// How many records may be kept, and how many witnesses the policy asks for, as the house has it now. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Covered(Arc<Mutex<(u64, u64)>>);

impl Default for Covered {
    fn default() -> Self {
        Self(Arc::new(Mutex::new((u64::MAX, 0))))
    }
}

impl Covered {
    pub(super) fn tell(&self, standing: &Standing) {
        let covered = standing.blocks.covered().unwrap_or(u64::MAX);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) =
            (covered, standing.policy.witnesses);
    }

    fn get(&self) -> (u64, u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Destroys what is kept: something of the log was erased, and what follows from it is not to stay. What a crash left
/// half written beside it says as much, and goes with it.
///
/// # Errors
/// The disk.
pub(crate) fn destroy(dir: &Path) -> Result<()> {
    let path = path(dir);
    let folder = path.parent().unwrap_or(dir);
    let unlisted = |e: std::io::Error| {
        Error::Beside(format!(
            "{} may hold what was erased, and cannot be listed: {e}",
            folder.display()
        ))
    };
    let entries = match std::fs::read_dir(folder) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(unlisted)?,
    };
    for entry in entries {
        ledger::disk::shred::shred(&entry.map_err(unlisted)?.path()).map_err(vault::Error::from)?;
    }
    Ok(())
}

/// Opens the folder for writing, and finds what it comes to: of what is kept and what came since, or of all of
/// its log. The records that what is kept speaks for are not read.
///
/// # Errors
/// As [`Case::open`] and [`standing`].
pub(super) fn open(place: &Place) -> Result<(Case, Standing, Started, Cosigned)> {
    let home = Home::new(&place.home);
    let (mut kept, mut loading) = (Ok(None), Duration::ZERO);
    let knows = |log: &Reader, keys: &Keys| {
        let begun = Instant::now();
        kept = load(&place.case, log, keys);
        loading = begun.elapsed();
        let (standing, records) = kept.as_ref().ok()?.as_ref()?;
        standing.spoken.known(*records)
    };
    let begun = Instant::now();
    let case = Case::open_knowing(&place.case, &home, &place.holder, place.wait, now_ms(), knows)
        .map_err(|e| Error::from(e).of_house())?;
    let folder = begun.elapsed().saturating_sub(loading);
    let cosigned = Cosigned::read(&place.home, &case)?;
    forget_erased(&case)?;
    let (standing, mut started) = standing(&case, kept, cosigned.sizes())?;
    started.folder = folder;
    Ok((case, standing, started, cosigned))
}

/// Destroys what is kept where it is of records before the last order of erasure: an order that was cut short is
/// completed by whatever opens the folder next, which need be no start. Of how many records it is may not be told, and
/// a table may lie there without what names it: they may be made of what was erased, and go too.
///
/// # Errors
/// The disk; the folder is open for reading alone.
pub(crate) fn forget_erased(case: &Case) -> Result<()> {
    let erased = erased(case);
    if erased == 0 || !path(case.dir()).parent().is_some_and(Path::exists) {
        return Ok(());
    }
    match head(case.dir(), case.log(), case.keys()?) {
        Ok(Some(head)) if head.records >= erased => file::tidy(case.dir(), &head.digests.exhibits),
        _ => destroy(case.dir()),
    }
}

/// How many records there are up to the last order of erasure.
fn erased(case: &Case) -> u64 {
    case.orders().last().map_or(0, |order| order.record + 1)
}

/// What a log comes to, where witnesses have cosigned so much of it: of what is kept and what came since, or of all
/// of it.
///
/// # Errors
/// A log that does not hold together, or that is no clearing house's.
pub(super) fn standing(
    case: &Case,
    kept: Use<Option<(Standing, u64)>>,
    cosigned: Vec<u64>,
) -> Result<(Standing, Started)> {
    let mut started = Started::default();
    let known = match kept {
        Ok(Some((_, records))) if records < erased(case) => {
            started.refused = Some("something was erased since".to_owned());
            None
        }
        // By which earlier record a block is proven until its last one is covered, is not kept.
        Ok(Some((standing, records))) if !standing.is_covered(&cosigned, records) => {
            started.refused = Some("witnesses have not cosigned all of it".to_owned());
            None
        }
        Ok(known) => known,
        Err(why) => {
            started.refused = Some(why);
            None
        }
    };
    let (mut standing, first) = known.unwrap_or_default();
    standing.cosigned = cosigned;
    standing.cover();
    (started.kept, started.applied) = (first, case.len().saturating_sub(first));
    super::replay::replay(case, &mut standing, first)?;
    Ok((standing, started))
}

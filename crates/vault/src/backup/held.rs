//! What a backup says of itself.

use ledger::Checkpoint;
use ledger::note::MAX_CHECKPOINT;

use super::error::{Error, Result};
use super::store::{Store, get};
use super::{CHECKPOINT, MARK, MARK_LINE};

/// Whose backup stands at a place, and how much of the log it holds. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// `<authority>/case/<id>`.
    pub origin: String,
    /// The checkpoint, whole, and what it says; none where the first run was cut off.
    pub checkpoint: Option<(String, Checkpoint)>,
}

impl Head {
    /// Records held.
    pub fn size(&self) -> u64 {
        self.checkpoint.as_ref().map_or(0, |(_, checkpoint)| checkpoint.size)
    }
}

/// What the file says that tells whose backup this is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Mark {
    /// It is not there.
    None,
    /// Of this origin.
    Of(String),
    /// It is no mark.
    Damaged,
}

pub(super) fn mark_of(store: &dyn Store) -> Result<Mark> {
    let Some(bytes) = get(store, MARK, 4096)? else { return Ok(Mark::None) };
    let text = String::from_utf8_lossy(&bytes);
    Ok(match text.lines().collect::<Vec<_>>().as_slice() {
        [MARK_LINE, origin] if !origin.is_empty() => Mark::Of((*origin).to_owned()),
        _ => Mark::Damaged,
    })
}

/// The checkpoint that stands, whole, and what it says; nothing of it is verified.
pub(super) fn checkpoint_of(store: &dyn Store) -> Result<Option<(String, Checkpoint)>> {
    let Some(bytes) = get(store, CHECKPOINT, MAX_CHECKPOINT as u64)? else { return Ok(None) };
    let text = String::from_utf8(bytes).ok();
    let read = text.and_then(|t| Checkpoint::parse_unverified(&t).ok().map(|c| (t, c)));
    read.map(Some).ok_or_else(|| {
        damaged(
            store,
            CHECKPOINT,
            "is damaged. Nothing was changed. Where the rest is to be kept, move that one file away: \
             the next `vigie backup --check` writes it anew",
        )
    })
}

pub(super) fn damaged(store: &dyn Store, name: &str, what: &str) -> Error {
    let (destination, name) = (store.shown(), name.to_owned());
    Error::Damaged { destination, name, what: what.to_owned() }
}

/// Reads it; `None` where no backup was begun.
///
/// # Errors
/// What is no mark or no checkpoint; the store.
pub fn head(store: &dyn Store) -> Result<Option<Head>> {
    let origin = match mark_of(store)? {
        Mark::None => return Ok(None),
        Mark::Of(origin) => origin,
        Mark::Damaged => return Err(damaged(store, MARK, NO_MARK)),
    };
    Ok(Some(Head { origin, checkpoint: checkpoint_of(store)? }))
}

/// Whose backup it is, where its mark and the log that stands there say the same of it.
///
/// # Errors
/// No backup; the store.
pub fn origin_at(store: &dyn Store) -> Result<Option<String>> {
    let mark = mark_of(store)?;
    let of_log = match checkpoint_of(store) {
        Ok(found) => found.map(|(_, checkpoint)| checkpoint.origin),
        Err(Error::Damaged { .. }) => return Ok(None),
        Err(e) => return Err(e),
    };
    match (mark, of_log) {
        (Mark::None, None) => Err(Error::None(store.shown())),
        (Mark::Of(origin), None) => Ok(Some(origin)),
        (Mark::Of(origin), Some(of_log)) if origin == of_log => Ok(Some(origin)),
        _ => Ok(None),
    }
}

/// What is wrong with a mark that cannot be read.
pub(super) const NO_MARK: &str = "does not say whose backup this is";

pub(super) fn mark(origin: &str) -> String {
    format!("{MARK_LINE}\n{origin}\n")
}

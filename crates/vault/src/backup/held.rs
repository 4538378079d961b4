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

/// Reads it; `None` where no backup was begun.
///
/// # Errors
/// What is no mark or no checkpoint; the store.
pub fn head(store: &dyn Store) -> Result<Option<Head>> {
    let damaged = |name: &str, what: &str| Error::Damaged {
        destination: store.shown(),
        name: name.to_owned(),
        what: what.to_owned(),
    };
    let Some(mark) = get(store, MARK, 4096)? else { return Ok(None) };
    let mark = String::from_utf8_lossy(&mark);
    let origin = match mark.lines().collect::<Vec<_>>().as_slice() {
        [MARK_LINE, origin] if !origin.is_empty() => (*origin).to_owned(),
        _ => return Err(damaged(MARK, "does not say whose backup this is")),
    };
    let checkpoint = match get(store, CHECKPOINT, MAX_CHECKPOINT as u64)? {
        None => None,
        Some(bytes) => {
            let text = String::from_utf8(bytes).ok();
            let read = text.and_then(|t| Checkpoint::parse_unverified(&t).ok().map(|c| (t, c)));
            Some(read.ok_or_else(|| {
                damaged(
                    CHECKPOINT,
                    "is damaged. Nothing was changed. Where the rest is to be kept, \
                         move that one file away: the next `vigie backup --check` writes it anew",
                )
            })?)
        }
    };
    Ok(Some(Head { origin, checkpoint }))
}

pub(super) fn mark(origin: &str) -> String {
    format!("{MARK_LINE}\n{origin}\n")
}

//! From the lock to what readers see. A commit and an opening after a crash publish by the same
//! function; an opening computes first, from the entries, every tile that it finds staged.

use futures_util::{StreamExt, TryStreamExt, stream};
use ledger::batch::{Tile, Tip, partials};
use ledger::note::{MAX_CHECKPOINT, NoteError};
use ledger::{Checkpoint, Keys};

use crate::door::{ABREAST, CHECKPOINT, Door, LOCK, MAX_LOCK, MAX_STAGING, STAGING, name_of};
use crate::error::{Error, Result};
use crate::lock::{Locked, staged_size};
use crate::objects::{Fault, Object, Objects, Version};
use crate::staging::Staging;

/// How often an opening looks again when a writer goes on beside it.
const LOOKS: usize = 4;
/// Staging objects that an opening drops at most; the next one goes on.
const SWEPT: usize = 1000;

/// The lock, and what a swap of it compares with.
pub(crate) type Held = (Locked, Version);

pub(crate) async fn lock<O: Objects>(door: &Door<O>, keys: &Keys) -> Result<Option<Held>> {
    let Some(object) = door.get(LOCK, MAX_LOCK).await? else { return Ok(None) };
    Ok(Some((Locked::decode(&object.bytes, keys)?, object.version)))
}

/// Puts tiles, then the checkpoint that readers follow, where it is still as it was when it was
/// `seen`: so no late request of a writer that is gone can put an older one over it.
pub(crate) async fn publish<O: Objects>(
    door: &Door<O>,
    keys: &Keys,
    tiles: Vec<(Tile, Vec<u8>)>,
    (note, checkpoint): (&str, &Checkpoint),
    seen: Option<&Version>,
) -> Result<Version> {
    stream::iter(tiles)
        .map(|(tile, bytes)| async move { door.put(&name_of(tile), bytes).await })
        .buffer_unordered(ABREAST)
        .try_collect::<()>()
        .await?;
    let fault = match door.swap(CHECKPOINT, note.as_bytes().to_vec(), seen).await {
        Ok(version) => return Ok(version),
        Err(fault) => fault,
    };
    // It may stand all the same, by this request or by an opening that did the same beside.
    match door.get(CHECKPOINT, MAX_CHECKPOINT as u64).await? {
        Some(object) if object.bytes == note.as_bytes() => Ok(object.version),
        // Or one that goes on from it: whoever swapped the lock after us published us first.
        Some(object) if published(&object, keys).is_ok_and(|c| c.size > checkpoint.size) => {
            Ok(object.version)
        }
        _ => Err(Error::Store { action: "put", name: CHECKPOINT.to_owned(), source: fault }),
    }
}

/// The checkpoint of an object, verified.
pub(crate) fn published(object: &Object, keys: &Keys) -> Result<Checkpoint> {
    let note = |source| Error::Note { name: CHECKPOINT.to_owned(), source };
    let text =
        std::str::from_utf8(&object.bytes).map_err(|_| note(NoteError::Shape("it is not text")))?;
    keys.open(text).map_err(note)
}

/// Brings what readers see to where the lock stands.
pub(crate) async fn settle<O: Objects>(
    door: &Door<O>,
    keys: &Keys,
    mut held: Held,
) -> Result<(Held, Version)> {
    for _ in 0..LOOKS {
        let locked = &held.0;
        let object = door.get(CHECKPOINT, MAX_CHECKPOINT as u64).await?;
        let ahead = match object.as_ref().map(|object| published(object, keys)) {
            // None, or what a torn put left: the lock says what belongs there.
            None | Some(Err(Error::Note { source: NoteError::Shape(_), .. })) => None,
            Some(Err(other)) => return Err(other),
            Some(Ok(c)) if c == locked.checkpoint => {
                let version = object.map(|object| object.version);
                return version.map(|version| (held, version)).ok_or(Error::NoLog(CHECKPOINT));
            }
            Some(Ok(c)) if c.size == locked.checkpoint.size => {
                let what =
                    "it has another root than the lock, of as many entries: the log was forked";
                return Err(Error::damaged(CHECKPOINT, what));
            }
            Some(Ok(c)) => (c.size > locked.checkpoint.size).then_some(c.size),
        };
        let missing = match ahead {
            Some(size) => {
                let lock = locked.checkpoint.size;
                Error::damaged(LOCK, format!("it stands at {lock} entries, readers see {size}"))
            }
            None => match staged(door, locked).await? {
                Some(tiles) => {
                    let to = (locked.note.as_str(), &locked.checkpoint);
                    let seen = object.map(|object| object.version);
                    let version = publish(door, keys, tiles, to, seen.as_ref()).await?;
                    return Ok((held, version));
                }
                None => Error::damaged(locked.staging(), "it is missing, and was not published"),
            },
        };
        // A writer may have gone on since the lock was read.
        match lock(door, keys).await? {
            Some(now) if now.1 != held.1 => held = now,
            // It may have published and dropped the staging in between.
            Some(now) if ahead.is_none() && is_published(door, keys, &now).await? => held = now,
            _ => return Err(missing),
        }
    }
    let (origin, size) = (held.0.checkpoint.origin, held.0.checkpoint.size);
    Err(Error::AnotherWriter { origin, held: size, found: size })
}

async fn is_published<O: Objects>(door: &Door<O>, keys: &Keys, held: &Held) -> Result<bool> {
    let object = door.get(CHECKPOINT, MAX_CHECKPOINT as u64).await?;
    let at = object.and_then(|object| published(&object, keys).ok());
    Ok(at.is_some_and(|checkpoint| checkpoint.size >= held.0.checkpoint.size))
}

/// The tiles that the lock's batch staged, computed again from its entries; `None` where nothing is
/// staged.
async fn staged<O: Objects>(
    door: &Door<O>,
    locked: &Locked,
) -> Result<Option<Vec<(Tile, Vec<u8>)>>> {
    if locked.checkpoint.size == 0 {
        return Ok(Some(Vec::new()));
    }
    let name = locked.staging();
    let Some(object) = door.get(&name, MAX_STAGING).await? else { return Ok(None) };
    let bad = |what: &str| Error::damaged(&name, what);
    let staging = Staging::decode(&object.bytes).ok_or_else(|| bad("it is not a staged batch"))?;
    let entries = staging.entries().ok_or_else(|| bad("its entries are not those it counts"))?;
    let mut tip = tip(door, staging.before).await?;
    let tiles = tip.grow(&entries).map_err(|_| bad("an entry is too long"))?;
    if (tip.size(), tip.root()) != (locked.checkpoint.size, locked.checkpoint.root) {
        return Err(bad("with the tiles before it, it does not give the lock's root"));
    }
    if tiles != staging.tiles {
        return Err(bad("its tiles are not those of its entries"));
    }
    Ok(Some(tiles))
}

/// The right end of the tree of `size` entries, as the store has it.
async fn tip<O: Objects>(door: &Door<O>, size: u64) -> Result<Tip> {
    let bytes = stream::iter(partials(size))
        .map(|tile| door.tile(tile))
        .buffered(ABREAST)
        .try_collect::<Vec<_>>()
        .await?;
    Tip::of_tiles(size, &bytes).map_err(|unfit| Error::damaged(name_of(unfit.tile), unfit.what))
}

/// The right end of the tree of a checkpoint, compared with it.
pub(crate) async fn tip_of<O: Objects>(door: &Door<O>, checkpoint: &Checkpoint) -> Result<Tip> {
    let tip = tip(door, checkpoint.size).await?;
    if tip.root() != checkpoint.root {
        let names: Vec<String> =
            partials(checkpoint.size).filter(|t| t.level.is_some()).map(name_of).collect();
        let what = "the signed checkpoint has another root";
        return Err(Error::damaged(names.join(", "), what));
    }
    Ok(tip)
}

/// Drops what stayed staged of batches that can be committed no more: their size is reached.
pub(crate) async fn sweep<O: Objects>(door: &Door<O>, size: u64) -> Result<()> {
    for name in door.list(STAGING, None, SWEPT).await? {
        if staged_size(&name).is_some_and(|staged| staged <= size) {
            door.delete(&name).await?;
        }
    }
    Ok(())
}

/// What became of a swap of the lock that was not answered with yes.
pub(crate) async fn after_swap<O: Objects>(
    door: &Door<O>,
    keys: &Keys,
    (ours, held): (&[u8], &Version),
    (before, fault): (&Checkpoint, Fault),
) -> Result<Version> {
    let (origin, size) = (before.origin.clone(), before.size);
    match door.get(LOCK, MAX_LOCK).await {
        Ok(Some(now)) if now.bytes == ours => Ok(now.version),
        Ok(Some(now)) if now.version != *held => {
            let found = Locked::decode(&now.bytes, keys)?.checkpoint.size;
            Err(Error::AnotherWriter { origin, held: size, found })
        }
        _ => Err(Error::Unanswered { origin, held: size, source: fault }),
    }
}

//! What must hold before a log is written on. A writer publishes what waits and cuts the journals: if
//! the log was cut or laid back before, or another history was put there, that would take the traces
//! away. So all of this is looked at first, and nothing is written where it does not hold.

use std::collections::{BTreeSet, HashMap};
use std::path::PathBuf;

use crate::error::{Error, Result};
use crate::journal::{DAMAGED, Rest, frames, rest, together};
use crate::keys::Keys;
use crate::log::edge_of;
use crate::note::{Checkpoint, Note};
use crate::reader::Reader;
use crate::store::{Store, Tile};
use crate::tree::{Hash, WIDTH, leaf};

/// The journals, with their paths.
type Journals = [(PathBuf, Vec<u8>); 2];

/// Opens the log to be written on by whoever holds these keys.
///
/// # Errors
/// Whatever does not hold; the disk.
pub(crate) fn sound(store: &Store, keys: &Keys) -> Result<Reader> {
    let journals = store.journals()?;
    let checkpoint = store.checkpoint()?;
    if checkpoint.is_none() {
        begins(store, &journals)?;
    }
    for (path, bytes) in &journals {
        let used = frames(bytes).1;
        match rest(bytes, used) {
            Rest::None | Rest::Torn => {}
            Rest::Damaged => return Err(Error::damaged(path, DAMAGED)),
            Rest::Last => {
                let (path, used) = (path.to_owned(), used as u64);
                return Err(Error::LastBatch { path, used });
            }
        }
    }
    let reader = Reader::of(store, &journals, checkpoint, Some(keys))?;
    batches(&reader, &journals, keys)?;
    if let Some(path) = beyond(store, reader.size()) {
        let what =
            "it is beyond the log's end: the checkpoint, or the journal, was cut or laid back";
        return Err(Error::damaged(&path, what));
    }
    noted(store, &reader, keys)?;
    Ok(reader)
}

/// A log begins with its checkpoint: where there is none, nothing else may stand.
fn begins(store: &Store, journals: &Journals) -> Result<()> {
    let tiled = store.dir.join("tile").symlink_metadata().is_ok();
    if tiled || journals.iter().any(|(_, bytes)| !bytes.is_empty()) {
        let what = "it is missing, and entries are there";
        return Err(Error::damaged(&store.checkpoint_path(), what));
    }
    Ok(())
}

/// Every batch of the journals must be what the log holds there, those too that are covered by tiles or
/// by other batches, and are going to be cut.
fn batches(reader: &Reader, journals: &Journals, keys: &Keys) -> Result<()> {
    let all = together(journals);
    let ends = all.iter().map(|(_, frame)| frame.first.saturating_add(frame.entries.len() as u64));
    let roots = reader.roots(&ends.collect())?;
    for (path, frame) in all {
        let checkpoint = keys.open(&frame.checkpoint).map_err(|e| Error::note(path, e))?;
        let end = frame.first.saturating_add(frame.entries.len() as u64);
        let other = |what: &str| Err(Error::damaged(path, what));
        if checkpoint.size != end {
            return other("a batch does not have its checkpoint's size");
        }
        if roots.get(&end) != Some(&checkpoint.root) {
            return other("it holds a signed batch of another history than the tiles");
        }
        for (index, entry) in (frame.first..).zip(&frame.entries) {
            if reader.leaf(index)? != leaf(entry) {
                return other("it holds another entry than the log does");
            }
        }
    }
    Ok(())
}

/// A tile beyond the end: tiles are written of what the journals hold, and the journals are cut only
/// when the checkpoint covers them.
fn beyond(store: &Store, end: u64) -> Option<PathBuf> {
    for level in [None, Some(0)] {
        let full = Tile { level, number: end / WIDTH, width: WIDTH }.path();
        if store.dir.join(&full).symlink_metadata().is_ok() {
            return Some(store.dir.join(full));
        }
        let one = store.dir.join(Tile { level, number: end / WIDTH, width: 1 }.path());
        let items = one.parent().and_then(|folder| folder.read_dir().ok());
        let wider = items.into_iter().flatten().flatten().find(|item| {
            let width = item.file_name().to_str().and_then(|name| name.parse::<u64>().ok());
            width.is_some_and(|width| width > end % WIDTH)
        });
        if let Some(item) = wider {
            return Some(item.path());
        }
    }
    None
}

/// Checkpoints that are kept beside the log, signed by one of its keys. One of more entries says that
/// this is an older or a cut copy: whoever went on from it would sign a second history. What contradicts
/// the log at a size that it has is no news, and the harm is done; but nobody cosigned another than it.
fn noted(store: &Store, reader: &Reader, keys: &Keys) -> Result<()> {
    let (witnessed, _) = crate::witnessed(&store.dir)?;
    let (contradicting, _) = crate::contradicting(&store.dir)?;
    let signed = |note: &Note| keys.open_among(note).ok();
    let witnessed: Vec<Checkpoint> = witnessed.iter().filter_map(signed).collect();
    let known = contradicting.iter().filter_map(|(_, note)| signed(note));
    for checkpoint in witnessed.iter().cloned().chain(known) {
        if checkpoint.size > reader.size() {
            let (found, seen) = (reader.size(), checkpoint.size);
            return Err(Error::Older { origin: checkpoint.origin, found, seen });
        }
    }
    reader.goes_through(&witnessed)
}

impl Reader {
    /// Holds all that is committed against checkpoints of this log that are known from elsewhere; their
    /// signatures are not looked at.
    ///
    /// # Errors
    /// [`Error::RolledBack`] where it has fewer entries, [`Error::OtherHistory`] where it has others; tiles
    /// that cannot be read.
    pub fn goes_through(&self, known: &[Checkpoint]) -> Result<()> {
        let roots = self.roots(&known.iter().map(|checkpoint| checkpoint.size).collect())?;
        for Checkpoint { origin, size, root } in known {
            let (origin, size, found) = (origin.clone(), *size, self.size());
            match roots.get(&size) {
                None => return Err(Error::RolledBack { origin, found, seen: size }),
                Some(here) if here != root => return Err(Error::OtherHistory { origin, size }),
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// The roots over the first entries of all that are committed, for each of these sizes that it has.
    ///
    /// # Errors
    /// Tiles cannot be read.
    fn roots(&self, sizes: &BTreeSet<u64>) -> Result<HashMap<u64, Hash>> {
        let mut out = HashMap::new();
        let published = self.size() - self.tail().len() as u64;
        for size in sizes.range(..=published) {
            out.insert(*size, self.root_at(*size)?);
        }
        let last = sizes.range(..=self.size()).next_back().copied().unwrap_or(0);
        if last > published {
            let mut edge = edge_of(self.store(), published)?;
            for entry in self.tail() {
                edge.push(leaf(entry), &mut |_, _, _| {});
                if sizes.contains(&edge.size()) {
                    out.insert(edge.size(), edge.root());
                }
            }
        }
        Ok(out)
    }
}

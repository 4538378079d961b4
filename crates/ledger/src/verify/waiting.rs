//! What the journals commit beyond the tiles.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use super::still::Journals;
use super::{Report, Still, Tree, Visit, name_of, open};
use crate::journal::{DAMAGED, Frame, LAST, Rest, frames, rest, together};
use crate::store::{Tile, decode_bundle, encode_bundle, encode_hashes, tile_at};
use crate::tree::{Hash, WIDTH, leaf};

/// Batches whose tiles are still to be written, or are being written.
#[derive(Default)]
pub(super) struct Waiting {
    /// Entries in tiles.
    from: u64,
    frames: Vec<Frame>,
    leaves: Vec<Hash>,
    /// Hash tiles that they fill, and those that they leave at the right end.
    tiles: Vec<(Tile, Vec<Hash>)>,
}

impl Waiting {
    /// Takes in what the journals commit after the entries of the tiles.
    pub(super) fn of(
        still: &Still,
        tree: &mut Tree<'_>,
        entry: &mut Visit<'_>,
        report: &mut Report,
    ) -> Self {
        let mut waiting = Self { from: tree.edge.size(), ..Self::default() };
        match &still.journals {
            Ok(journals) => {
                told(journals, waiting.from, report);
                waiting.take_in(journals, tree, entry, report);
            }
            // What it commits cannot be known.
            Err(e) => {
                report.signed = false;
                report.find("journal", e);
            }
        }
        waiting
    }

    fn take_in(
        &mut self,
        journals: &Journals,
        tree: &mut Tree<'_>,
        entry: &mut Visit<'_>,
        report: &mut Report,
    ) {
        let all = together(journals);
        let ends = covered(&all, self.from);
        let mut roots = HashMap::new();
        for (path, frame) in all {
            let (name, end) = (name_of(path), end_of(&frame));
            if end <= self.from {
                continue; // held against the tiles
            }
            if end <= tree.edge.size() {
                self.hold(&name, &frame, roots.get(&end), tree, report);
                continue;
            }
            if frame.first != tree.edge.size() {
                // Records were committed that are not here.
                report.signed = false;
                return report.find(name, "a batch does not follow the entries before it");
            }
            for bytes in &frame.entries {
                let (index, hash) = (tree.edge.size(), leaf(bytes));
                if let Some(message) = entry(index, bytes, &hash) {
                    report.find(format!("{name} entry {index}"), message);
                }
                tree.standing.reached(index, &hash, report);
                tree.push(hash);
                self.leaves.push(hash);
                if ends.contains(&tree.edge.size()) {
                    roots.insert(tree.edge.size(), tree.edge.root());
                }
            }
            self.tiles.append(&mut tree.full); // their files may not stand yet
            match open(tree.key, &frame.checkpoint) {
                Err(e) => {
                    report.signed = false;
                    report.find(name, e.to_string());
                }
                Ok(c) if (c.size, c.root) != (tree.edge.size(), tree.edge.root()) => {
                    report.signed = false;
                    report.find(name, "a batch does not have its checkpoint's root");
                }
                Ok(_) => report.checkpoint = Some(frame.checkpoint.clone()),
            }
            self.frames.push(frame);
        }
        for (level, number, hashes) in tree.edge.partials() {
            let tile = Tile { level: Some(level), number, width: hashes.len() as u64 };
            self.tiles.push((tile, hashes.to_vec()));
        }
    }

    /// Holds a batch that others cover against them: no run writes the same entries twice, so somebody
    /// put it there, and the next run would cut it away.
    fn hold(
        &self,
        name: &str,
        frame: &Frame,
        root: Option<&Hash>,
        tree: &Tree<'_>,
        report: &mut Report,
    ) {
        let mut find = |message: String| {
            report.signed = false;
            report.find(name, message);
        };
        match open(tree.key, &frame.checkpoint) {
            Err(e) => find(e.to_string()),
            Ok(c) if c.size != end_of(frame) || Some(&c.root) != root => {
                find(format!(
                    "the log signed another history: its first {} entries are not these (by a batch \
                     beside others that wait)",
                    c.size
                ));
            }
            Ok(_) => {}
        }
        for (index, bytes) in (frame.first..).zip(&frame.entries) {
            let known = index.checked_sub(self.from).and_then(|at| self.leaves.get(at as usize));
            if known.is_some_and(|known| *known != leaf(bytes)) {
                find(format!("entry {index}: another batch that waits holds another entry here"));
            }
        }
    }

    /// The bytes of a tile of that width, as these batches give them; `None` where it is beyond them.
    pub(super) fn tile(&self, still: &Still, tile: Tile) -> Option<Vec<u8>> {
        let width = tile.width as usize;
        if tile.level.is_some() {
            let same = |of: &Tile| (of.level, of.number) == (tile.level, tile.number);
            let (_, hashes) = self.tiles.iter().find(|(of, _)| same(of))?;
            return Some(encode_hashes(hashes.get(..width)?));
        }
        let first = tile.number * WIDTH;
        let end = first + tile.width;
        let mut entries = Vec::with_capacity(width);
        if first < self.from {
            let stands = tile_at(None, self.from, tile.number)?;
            entries = decode_bundle(&still.read(&stands.path()).ok()?)?;
            entries.truncate(width);
        }
        for frame in &self.frames {
            let wanted = |index: &u64| (first.max(self.from)..end).contains(index);
            let of = (frame.first..).zip(&frame.entries).filter(|(index, _)| wanted(index));
            entries.extend(of.map(|(_, entry)| entry.clone()));
        }
        (entries.len() == width).then(|| encode_bundle(&entries))
    }
}

/// What each journal holds, in words.
fn told(journals: &Journals, size: u64, report: &mut Report) {
    for (path, bytes) in journals.iter().filter(|(_, bytes)| !bytes.is_empty()) {
        let (name, (frames, used)) = (name_of(path), frames(bytes));
        let waiting = frames.iter().filter(|frame| end_of(frame) > size).count();
        let standing = frames.len() - waiting;
        if waiting > 0 {
            report.notes.push(format!(
                "the {name} holds {waiting} batches that wait for their tiles: a run is under way or was \
                 interrupted; the next run completes it"
            ));
        }
        if standing > 0 {
            report.notes.push(format!(
                "the {name} holds {standing} batches whose tiles stand: a run is under way or was \
                 interrupted; the next run drops them there"
            ));
        }
        match rest(bytes, used) {
            Rest::None => {}
            Rest::Torn => report.notes.push(format!(
                "bytes {used} to {} of the {name} were never committed; the next run drops them",
                bytes.len()
            )),
            Rest::Damaged => lost(DAMAGED, &name, used, report),
            Rest::Last => lost(LAST, &name, used, report),
        }
    }
}

fn lost(what: &str, name: &str, used: usize, report: &mut Report) {
    report.signed = false;
    report.find(format!("{name} byte {used}"), format!("{what}: records were lost here"));
}

/// Where batches end that others cover.
fn covered(all: &[(&Path, Frame)], from: u64) -> BTreeSet<u64> {
    let (mut ends, mut size) = (BTreeSet::new(), from);
    for (_, frame) in all {
        match end_of(frame) {
            end if end <= size => drop(ends.insert(end)),
            end if frame.first == size => size = end,
            _ => break,
        }
    }
    ends
}

fn end_of(frame: &Frame) -> u64 {
    frame.first.saturating_add(frame.entries.len() as u64)
}

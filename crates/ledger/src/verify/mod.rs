//! Verifying a log: everything is computed again from the entries and compared with every byte of
//! every file. A root alone would not do: a flipped byte in a tile need not reach it.

mod bundles;
mod earlier;
mod files;
mod standing;
mod still;
mod tiles;
mod waiting;

use std::path::Path;

use bundles::Bundle;
use earlier::Earlier;
use standing::Standing;
pub use still::Still;
use tiles::Differing;
use waiting::Waiting;

use crate::error::Result;
use crate::keys::{Former, Keys};
use crate::note::{Checkpoint, NoteError, VerifierKey};
use crate::store::{MAX_ENTRY, Tile};
use crate::tree::{Edge, Hash, WIDTH};

/// Something that is not as it should be, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// File, with the byte or the entry where one is known.
    pub place: String,
    /// What is wrong there.
    pub message: String,
}

/// What verifying a log found.
#[derive(Debug, Default)]
pub struct Report {
    /// Entries that could be read.
    pub entries: u64,
    /// The last checkpoint, where its signature held.
    pub checkpoint: Option<String>,
    /// What is wrong; empty where all is well.
    pub findings: Vec<Finding>,
    /// What is worth knowing, and harmless.
    pub notes: Vec<String>,
    /// True where its entries are those that were signed: the last checkpoint's signature and root hold,
    /// and so does each checkpoint that is known from elsewhere. A tile that was changed, or a file too
    /// much, is a finding and changes nothing of that.
    pub signed: bool,
}

impl Report {
    fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { place: place.into(), message: message.into() });
    }
}

/// The most that a file of a log may hold.
const MAX_FILE: u64 = WIDTH * (MAX_ENTRY as u64 + 2);

/// What is known from outside of a log that is verified.
#[derive(Debug, Clone, Copy, Default)]
pub struct Known<'a> {
    /// The log's key. Without it, which is a finding, the rest is compared all the same.
    pub key: Option<&'a VerifierKey>,
    /// The keys that it replaced, the first one first.
    pub former: &'a [Former],
    /// Checkpoints kept elsewhere (their signatures verified): the log must go through each of them.
    pub earlier: &'a [Checkpoint],
}

/// What is done with each entry in order: its index, its bytes and its leaf hash. The text it
/// returns, if any, becomes a finding at that entry.
pub type Visit<'a> = dyn FnMut(u64, &[u8], &Hash) -> Option<String> + 'a;

/// Verifies the log in `dir`, as it stands now, with what is known from outside it.
///
/// # Errors
/// Only what keeps it from looking: a folder that cannot be listed.
pub fn verify(dir: &Path, known: Known<'_>, entry: &mut Visit<'_>) -> Result<Report> {
    Ok(Still::take(dir)?.verify(known, entry))
}

impl Still {
    /// Verifies the log as it stood. What a writer did since is no part of the verdict. Memory does
    /// not grow with the number of entries; two threads share the work.
    pub fn verify(&self, known: Known<'_>, entry: &mut Visit<'_>) -> Report {
        verify_still(self, known, entry)
    }
}

fn verify_still(still: &Still, known: Known<'_>, entry: &mut Visit<'_>) -> Report {
    let mut report = Report::default();
    let keys = known.key.map(|now| Keys::new(known.former.to_vec(), now.clone()));
    let key = keys.as_ref();
    if key.is_none() {
        report.find("checkpoint", "there is no key to verify it with");
    }
    let published = published(still, key, &mut report);
    let size = published.as_ref().map_or(0, |c| c.size);
    let mut earlier = Earlier::of(still, known.earlier, key, &mut report);
    let standing = Standing::of(still, key, size, &mut earlier, &mut report);
    let differing = Differing::default();
    let mut tree =
        Tree { edge: Edge::default(), full: Vec::new(), key, earlier, standing, differing };
    std::thread::scope(|scope| {
        for read in bundles::ahead(scope, still, size) {
            match read {
                Ok(bundle) => tree.bundle(still, &bundle, entry, &mut report),
                Err((path, message)) => report.find(path.display().to_string(), message),
            }
        }
    });
    let edge = &tree.edge;
    if let Some(checkpoint) = &published {
        let whole = edge.size() == size;
        for (level, number, hashes) in edge.partials().filter(|_| whole) {
            let tile = Tile { level: Some(level), number, width: hashes.len() as u64 };
            tree.differing.compare(still, tile, hashes, &mut report);
        }
        // What was changed is told before what follows from it.
        let rooted = whole && edge.root() == checkpoint.root;
        std::mem::take(&mut tree.differing)
            .tell(rooted && report.checkpoint.is_some(), &mut report);
        report.signed = rooted && report.checkpoint.is_some();
        if !whole {
            report.find("checkpoint", format!("it counts {size} entries, {} read", edge.size()));
        } else if !rooted {
            report.find("checkpoint", "its root is not that of the entries");
        }
    }
    // Of a log that has no tiles yet the journal alone says what was signed.
    report.signed |= published.is_none();
    let waiting = Waiting::of(still, &mut tree, entry, &mut report);
    report.signed &= report.checkpoint.is_some();
    report.entries = tree.edge.size();
    report.signed &= tree.earlier.tell(report.entries, &mut report);
    files::account(still, size, &waiting, &mut report);
    report
}

/// The checkpoint of the tiles; its signature was looked at.
fn published(still: &Still, key: Option<&Keys>, report: &mut Report) -> Option<Checkpoint> {
    match &still.checkpoint {
        Ok(Some(note)) => match open(key, note) {
            Ok(checkpoint) => {
                report.checkpoint = Some(note.clone());
                Some(checkpoint)
            }
            Err(e) => {
                report.find("checkpoint", e.to_string());
                // The tree can still be compared with itself.
                Checkpoint::parse_unverified(note).ok()
            }
        },
        Ok(None) => {
            let waits = |journals: &still::Journals| journals.iter().any(|j| !j.1.is_empty());
            let tiled = still.files.iter().any(|(path, _)| path.starts_with("tile"));
            if tiled || still.journals.as_ref().is_ok_and(waits) {
                report.find("checkpoint", "it is missing");
            }
            None
        }
        Err(e) => {
            report.find("checkpoint", e);
            None
        }
    }
}

/// The tree as the entries give it.
struct Tree<'a> {
    edge: Edge,
    /// Tiles that became full, and were not compared yet.
    full: Vec<(Tile, Vec<Hash>)>,
    key: Option<&'a Keys>,
    /// Checkpoints that the log must go through.
    earlier: Earlier,
    standing: Standing,
    differing: Differing,
}

impl Tree<'_> {
    fn push(&mut self, hash: Hash) {
        self.edge.push(hash, &mut |level, number, hashes| {
            let tile = Tile { level: Some(level), number, width: WIDTH };
            self.full.push((tile, hashes.to_vec()));
        });
        self.earlier.reached(&self.edge);
    }

    fn bundle(
        &mut self,
        still: &Still,
        bundle: &Bundle,
        entry: &mut Visit<'_>,
        report: &mut Report,
    ) {
        for (bytes, hash) in bundle.entries() {
            let index = self.edge.size();
            if let Some(message) = entry(index, bytes, hash) {
                report.find(format!("{} entry {index}", bundle.tile.path().display()), message);
            }
            self.standing.reached(index, hash, report);
            self.push(*hash);
        }
        for (tile, hashes) in std::mem::take(&mut self.full) {
            self.differing.compare(still, tile, &hashes, report);
        }
    }
}

fn open(key: Option<&Keys>, note: &str) -> std::result::Result<Checkpoint, NoteError> {
    key.map_or_else(|| Checkpoint::parse_unverified(note), |key| key.open(note))
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

//! Verifying a log: everything is computed again from the entries and compared with every byte of
//! every file. A root alone would not do: a flipped byte in a tile need not reach it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::journal::{Frame, frames};
use crate::note::{Checkpoint, NoteError, VerifierKey};
use crate::store::{MAX_ENTRY, Store, Tile, decode_bundle, encode_hashes, read, tiles_at};
use crate::tree::{Edge, Hash, WIDTH, leaf};

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
}

impl Report {
    fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { place: place.into(), message: message.into() });
    }
}

/// The most that a file of a log may hold.
const MAX_FILE: u64 = WIDTH * (MAX_ENTRY as u64 + 2);

/// The first entry, as far as it can be read without trusting anything: where a caller looks for the
/// key, having none from outside.
pub fn first_entry(dir: &Path) -> Option<Vec<u8>> {
    let store = Store { dir: dir.to_owned() };
    let from_tile = || store.bundle(0, 1).ok()?.into_iter().next();
    let from_journal =
        || frames(&store.journal().ok()?).0.into_iter().next()?.entries.into_iter().next();
    from_tile().or_else(from_journal)
}

/// Verifies the log in `dir` with a key from outside it; without a key, which is a finding, the
/// rest is compared all the same. `entry` is given each entry in order; the
/// text it returns, if any, becomes a finding at that entry.
///
/// # Errors
/// Only what keeps it from looking: a folder that cannot be listed.
pub fn verify(
    dir: &Path,
    key: Option<&VerifierKey>,
    entry: &mut dyn FnMut(u64, &[u8]) -> Option<String>,
) -> Result<Report> {
    let store = Store { dir: dir.to_owned() };
    let mut report = Report::default();
    let mut seen = BTreeMap::new();
    list(dir, Path::new(""), &mut seen)?;
    if key.is_none() {
        report.find("checkpoint", "there is no key to verify it with");
    }

    let published = match store.checkpoint() {
        Ok(Some(note)) => match open(key, &note) {
            Ok(checkpoint) => {
                report.checkpoint = Some(note);
                Some(checkpoint)
            }
            Err(e) => {
                report.find("checkpoint", e.to_string());
                // The tree can still be compared with itself.
                Checkpoint::parse_unverified(&note).ok()
            }
        },
        Ok(None) => None,
        Err(e) => {
            report.find("checkpoint", e.to_string());
            None
        }
    };
    if seen.remove(Path::new("checkpoint")).is_none() && !seen.is_empty() {
        let journal = seen.get(Path::new("journal")).copied().unwrap_or(0);
        if seen.len() > 1 || journal == 0 {
            report.find("checkpoint", "it is missing");
        }
    }
    let size = published.as_ref().map_or(0, |c| c.size);

    let mut edge = Edge::default();
    let mut full: Vec<(Tile, Vec<Hash>)> = Vec::new();
    for tile in tiles_at(None, size) {
        let path = tile.path();
        match bundle(dir, tile) {
            Ok(entries) => {
                for bytes in entries {
                    let index = edge.size();
                    if let Some(message) = entry(index, &bytes) {
                        report.find(format!("{} entry {index}", path.display()), message);
                    }
                    push(&mut edge, &bytes, &mut full);
                }
            }
            Err(message) => {
                report.find(path.display().to_string(), message);
                break;
            }
        }
        seen.remove(&path);
        for (tile, hashes) in full.drain(..) {
            compare(dir, tile, &hashes, &mut seen, &mut report);
        }
    }
    report.entries = edge.size();
    if let Some(checkpoint) = &published {
        let whole = edge.size() == size;
        for (level, number, hashes) in edge.partials().filter(|_| whole) {
            let tile = Tile { level: Some(level), number, width: hashes.len() as u64 };
            compare(dir, tile, hashes, &mut seen, &mut report);
        }
        if !whole {
            report.find("checkpoint", format!("it counts {size} entries, {} read", edge.size()));
        } else if edge.root() != checkpoint.root {
            report.find("checkpoint", "its root is not that of the entries");
        }
    }
    journal(&store, key, &mut edge, entry, &mut report);
    seen.remove(Path::new("journal"));
    report.entries = edge.size();
    let end = edge.size();
    leftovers(dir, size, end, seen, &mut report);
    Ok(report)
}

fn open(key: Option<&VerifierKey>, note: &str) -> std::result::Result<Checkpoint, NoteError> {
    key.map_or_else(|| Checkpoint::parse_unverified(note), |key| key.open(note))
}

fn push(edge: &mut Edge, bytes: &[u8], full: &mut Vec<(Tile, Vec<Hash>)>) {
    edge.push(leaf(bytes), &mut |level, number, hashes| {
        full.push((Tile { level: Some(level), number, width: WIDTH }, hashes.to_vec()));
    });
}

fn bundle(dir: &Path, tile: Tile) -> std::result::Result<Vec<Vec<u8>>, String> {
    let bytes = read(&dir.join(tile.path()), MAX_FILE + 1).map_err(|e| e.to_string())?;
    let entries = decode_bundle(&bytes).ok_or("its entries do not fit the file")?;
    if entries.len() as u64 == tile.width {
        Ok(entries)
    } else {
        Err(format!("it holds {} entries instead of {}", entries.len(), tile.width))
    }
}

fn compare(
    dir: &Path,
    tile: Tile,
    hashes: &[Hash],
    seen: &mut BTreeMap<PathBuf, u64>,
    report: &mut Report,
) {
    let path = tile.path();
    seen.remove(&path);
    match read(&dir.join(&path), MAX_FILE + 1) {
        Err(e) => report.find(path.display().to_string(), e.to_string()),
        Ok(found) => differ(&path, &found, &encode_hashes(hashes), report),
    }
}

fn differ(path: &Path, found: &[u8], expected: &[u8], report: &mut Report) {
    if found != expected {
        let at = found.iter().zip(expected).take_while(|(a, b)| a == b).count();
        report.find(
            format!("{} byte {at}", path.display()),
            "it is not what the entries give: this file or the entries were changed",
        );
    }
}

/// Takes in what the journal commits beyond the tiles.
fn journal(
    store: &Store,
    key: Option<&VerifierKey>,
    edge: &mut Edge,
    entry: &mut dyn FnMut(u64, &[u8]) -> Option<String>,
    report: &mut Report,
) {
    let bytes = match store.journal() {
        Ok(bytes) => bytes,
        Err(e) => return report.find("journal", e.to_string()),
    };
    let (frames, used) = frames(&bytes);
    if !bytes.is_empty() {
        report.notes.push(format!(
            "the journal holds {} batches that wait for their tiles: a run is under way or was \
             interrupted; the next run completes it",
            frames.len()
        ));
    }
    if used < bytes.len() {
        report.notes.push(format!(
            "bytes {used} to {} of the journal were never committed; the next run drops them",
            bytes.len()
        ));
    }
    for Frame { first, entries, checkpoint } in frames {
        if first.saturating_add(entries.len() as u64) <= edge.size() {
            continue;
        }
        if first != edge.size() {
            return report.find("journal", "a batch does not follow the entries before it");
        }
        for bytes in &entries {
            if let Some(message) = entry(edge.size(), bytes) {
                report.find(format!("journal entry {}", edge.size()), message);
            }
            push(edge, bytes, &mut Vec::new());
        }
        match open(key, &checkpoint) {
            Err(e) => report.find("journal", e.to_string()),
            Ok(c) if (c.size, c.root) != (edge.size(), edge.root()) => {
                report.find("journal", "a batch does not have its checkpoint's root");
            }
            Ok(_) => report.checkpoint = Some(checkpoint),
        }
    }
}

/// Partial tiles of an earlier size may stand, if they are the beginning of what stands now, and
/// tiles of batches that wait in the journal (up to `end` entries); nothing else may.
fn leftovers(dir: &Path, size: u64, end: u64, seen: BTreeMap<PathBuf, u64>, report: &mut Report) {
    for (path, len) in seen {
        let name = path.display().to_string();
        let unfinished = path
            .file_name()
            .is_some_and(|n| n.as_encoded_bytes().starts_with(crate::disk::TEMP_PREFIX.as_bytes()));
        if unfinished {
            report.notes.push(format!("{name} was left by an interrupted run"));
            continue;
        }
        if len == u64::MAX {
            report.find(name, "it is not a plain file");
            continue;
        }
        let Some(tile) = Tile::of_path(&path) else {
            report.find(name, "no file of that name belongs to a log");
            continue;
        };
        let now = tiles_at(tile.level, size).nth(tile.number as usize);
        let Some(now) = now.filter(|now| now.width > tile.width) else {
            if tiles_at(tile.level, end).any(|later| later == tile) {
                report.notes.push(format!("{name} is of a batch that waits in the journal"));
            } else {
                report.find(name, "it is beyond the log's end");
            }
            continue;
        };
        let (Ok(found), Ok(whole)) =
            (read(&dir.join(&path), MAX_FILE + 1), read(&dir.join(now.path()), MAX_FILE + 1))
        else {
            report.find(name, "it cannot be read");
            continue;
        };
        let expected = if tile.level.is_some() {
            whole.get(..tile.width as usize * 32).unwrap_or(&whole).to_vec()
        } else {
            let entries = decode_bundle(&whole).unwrap_or_default();
            crate::store::encode_bundle(entries.iter().take(tile.width as usize))
        };
        differ(&path, &found, &expected, report);
    }
}

/// Every file below `dir` with its length; `u64::MAX` for what is no plain file.
fn list(dir: &Path, below: &Path, out: &mut BTreeMap<PathBuf, u64>) -> Result<()> {
    let folder = dir.join(below);
    for item in folder.read_dir().map_err(|e| Error::disk("list", &folder, e))? {
        let item = item.map_err(|e| Error::disk("list", &folder, e))?;
        let path = below.join(item.file_name());
        let meta = item.path().symlink_metadata().map_err(|e| Error::disk("look at", &path, e))?;
        if meta.is_dir() {
            list(dir, &path, out)?;
        } else {
            out.insert(path, if meta.is_file() { meta.len() } else { u64::MAX });
        }
    }
    Ok(())
}

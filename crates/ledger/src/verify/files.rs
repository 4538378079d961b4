//! Files that were not compared with the entries: which of them may stand.

use std::path::Path;

use super::tiles::first_difference;
use super::{MAX_FILE, Report};
use crate::error::{Error, Result};
use crate::store::{JOURNALS, Tile, decode_bundle, encode_bundle, read, tile_at};
use crate::witnessed::size_of;

/// Goes through every file below `dir`, one folder at a time. Partial tiles of an earlier size may
/// stand, if they are the beginning of what stands now (`size` entries), and tiles of batches that
/// wait in the journal (up to `end` entries); nothing else may.
pub(super) fn account(dir: &Path, size: u64, end: u64, report: &mut Report) -> Result<()> {
    folder(dir, Path::new(""), size, end, report)
}

fn folder(dir: &Path, below: &Path, size: u64, end: u64, report: &mut Report) -> Result<()> {
    let here = dir.join(below);
    let mut names = Vec::new();
    for item in here.read_dir().map_err(|e| Error::disk("list", &here, e))? {
        let item = item.map_err(|e| Error::disk("list", &here, e))?;
        let kind = item.file_type().map_err(|e| Error::disk("look at", &item.path(), e))?;
        names.push((item.file_name(), kind));
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, kind) in names {
        let path = below.join(&name);
        if kind.is_dir() {
            folder(dir, &path, size, end, report)?;
        } else {
            file(dir, &path, kind.is_file(), (size, end), report);
        }
    }
    Ok(())
}

fn file(dir: &Path, path: &Path, plain: bool, (size, end): (u64, u64), report: &mut Report) {
    let name = path.display().to_string();
    let unfinished = path
        .file_name()
        .is_some_and(|n| n.as_encoded_bytes().starts_with(crate::disk::TEMP_PREFIX.as_bytes()));
    if !plain {
        return report.find(name, "it is not a plain file");
    }
    if unfinished {
        return report.notes.push(format!("{name} was left by an interrupted run"));
    }
    if name == "checkpoint" || JOURNALS.contains(&name.as_str()) {
        return; // read by name
    }
    if let Some(size) = name.strip_prefix("witnessed/")
        && size_of(size).is_some()
    {
        return; // read with the others there
    }
    if below_of(path) == Some(crate::contradicting::FOLDER) {
        return; // the same: what does not belong there was found there
    }
    let Some(tile) = Tile::of_path(path) else {
        return report.find(name, "no file of that name belongs to a log");
    };
    let now = tile_at(tile.level, size, tile.number);
    if now == Some(tile) {
        return; // compared with the entries
    }
    let Some(now) = now.filter(|now| now.width > tile.width) else {
        return if tile_at(tile.level, end, tile.number) == Some(tile) {
            report.notes.push(format!("{name} is of a batch that waits in the journal"));
        } else {
            report.find(name, "it is beyond the log's end");
        };
    };
    let (Ok(found), Ok(whole)) =
        (read(&dir.join(path), MAX_FILE + 1), read(&dir.join(now.path()), MAX_FILE + 1))
    else {
        return report.find(name, "it cannot be read");
    };
    let expected = if tile.level.is_some() {
        whole.get(..tile.width as usize * 32).unwrap_or(&whole).to_vec()
    } else {
        let entries = decode_bundle(&whole).unwrap_or_default();
        encode_bundle(entries.iter().take(tile.width as usize))
    };
    if let Some(at) = first_difference(&found, &expected) {
        report.find(
            format!("{} byte {at}", path.display()),
            "it is not what the entries give: this file or the entries were changed",
        );
    }
}

/// The folder of the log that a file stands in.
fn below_of(path: &Path) -> Option<&str> {
    path.parent()?.to_str()
}

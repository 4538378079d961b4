//! Files that were not compared with the entries: which of them may stand.

use std::path::Path;

use super::tiles::first_difference;
use super::waiting::Waiting;
use super::{Report, Still};
use crate::store::{JOURNALS, Tile, decode_bundle, encode_bundle, tile_at};
use crate::witnessed::size_of;

/// Goes through every file. Partial tiles of an earlier size may stand, if they are the beginning of
/// what stands now (`size` entries), and tiles of batches that wait in the journal; nothing else may.
pub(super) fn account(still: &Still, size: u64, waiting: &Waiting, report: &mut Report) {
    for (path, plain) in &still.files {
        file(still, path, *plain, (size, waiting), report);
    }
}

fn file(
    still: &Still,
    path: &Path,
    plain: bool,
    (size, waiting): (u64, &Waiting),
    report: &mut Report,
) {
    let name = path.display().to_string();
    let unfinished = path
        .file_name()
        .is_some_and(|n| n.as_encoded_bytes().starts_with(crate::disk::TEMP_PREFIX.as_bytes()));
    if !plain {
        return report.find(name, "it is not a plain file");
    }
    if unfinished {
        return report.notes.push(format!(
            "{name} is unfinished: a run is under way or was interrupted; the next run drops it"
        ));
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
    let found = match still.read(path) {
        Err(e) if e.is_missing() => return, // a writer has outgrown it since
        found => found,
    };
    let expected = match now.filter(|now| now.width > tile.width) {
        Some(now) => still.read(&now.path()).map(|whole| beginning(&whole, tile)),
        None => match waiting.tile(still, tile) {
            Some(bytes) => {
                report.notes.push(format!("{name} is of a batch that waits in the journal"));
                Ok(bytes)
            }
            None => return report.find(name, "it is beyond the log's end"),
        },
    };
    let (Ok(found), Ok(expected)) = (found, expected) else {
        return report.find(name, "it cannot be read");
    };
    if let Some(at) = first_difference(&found, &expected) {
        report.find(
            format!("{} byte {at}", path.display()),
            "it is not what the entries give: this file or the entries were changed",
        );
    }
}

/// The first of what a wider tile holds.
fn beginning(whole: &[u8], tile: Tile) -> Vec<u8> {
    if tile.level.is_some() {
        return whole.get(..tile.width as usize * 32).unwrap_or(whole).to_vec();
    }
    let entries = decode_bundle(whole).unwrap_or_default();
    encode_bundle(entries.iter().take(tile.width as usize))
}

/// The folder of the log that a file stands in.
fn below_of(path: &Path) -> Option<&str> {
    path.parent()?.to_str()
}

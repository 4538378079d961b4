//! Tiles held against the hashes that the entries give.

use super::{Report, Still};
use crate::store::{Tile, encode_hashes};
use crate::tree::{Hash, WIDTH};

/// Entries of one tile that are named one by one.
const NAMED: usize = 8;

/// Tiles that are not what the entries give. Which of the two was changed only the signed root tells,
/// which is known when all are read.
#[derive(Debug, Default)]
pub(super) struct Differing {
    found: Vec<Tiled>,
}

/// One of them.
#[derive(Debug)]
struct Tiled {
    tile: Tile,
    /// The first byte that differs.
    at: usize,
    /// Of the lowest level: the first entries whose hashes differ, and how many there are.
    entries: Vec<u64>,
    of: usize,
}

impl Differing {
    /// Holds a tile against the hashes that the entries give.
    pub(super) fn compare(
        &mut self,
        still: &Still,
        tile: Tile,
        hashes: &[Hash],
        report: &mut Report,
    ) {
        let path = tile.path();
        let found = match still.read(&path) {
            Err(e) => return report.find(path.display().to_string(), e.found()),
            Ok(found) => found,
        };
        let expected = encode_hashes(hashes);
        let Some(at) = first_difference(&found, &expected) else { return };
        let (mut entries, mut of) = (Vec::new(), 0);
        if tile.level == Some(0) && found.len() == expected.len() {
            let pairs = found.chunks(32).zip(expected.chunks(32));
            for (index, _) in (tile.number * WIDTH..).zip(pairs).filter(|(_, (a, b))| a != b) {
                of += 1;
                if entries.len() < NAMED {
                    entries.push(index);
                }
            }
        }
        self.found.push(Tiled { tile, at, entries, of });
    }

    /// Tells of them; `signed` where the root that the entries give is the one that was signed.
    pub(super) fn tell(self, signed: bool, report: &mut Report) {
        for Tiled { tile, at, entries, of } in self.found {
            let place = format!("{} byte {at}", tile.path().display());
            let message = if signed {
                "this file was changed: the entries are those that were signed".to_owned()
            } else if entries.is_empty() {
                "it is not what the entries give: this file or the entries were changed".to_owned()
            } else {
                changed(&entries, of)
            };
            report.find(place, message);
        }
    }
}

/// Which entries are not those that a tile has the hashes of.
fn changed(entries: &[u64], of: usize) -> String {
    let list = entries.iter().map(u64::to_string).collect::<Vec<_>>().join(", ");
    match (of - entries.len(), of) {
        (0, 1) => format!("entry {list} was changed, or this file: it holds another hash of it"),
        (0, _) => {
            format!("entries {list} were changed, or this file: it holds other hashes of them")
        }
        (more, _) => format!(
            "entries {list} and {more} more were changed, or this file: it holds other hashes of them"
        ),
    }
}

/// The first byte in which they differ.
pub(super) fn first_difference(found: &[u8], expected: &[u8]) -> Option<usize> {
    let same = || found.iter().zip(expected).take_while(|(a, b)| a == b).count();
    (found != expected).then(same)
}

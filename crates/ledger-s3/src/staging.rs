//! A batch's tiles in one object: a line `staging <size before> <size after>`, then each tile as a line
//! `<path> <length>` and its bytes.

use std::path::Path;

use ledger::batch::{Tile, decode_bundle};
use ledger::tree::WIDTH;

use crate::door::{most_of, name_of};

/// What is staged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Staging {
    pub(crate) before: u64,
    pub(crate) after: u64,
    pub(crate) tiles: Vec<(Tile, Vec<u8>)>,
}

impl Staging {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = format!("staging {} {}\n", self.before, self.after).into_bytes();
        for (tile, bytes) in &self.tiles {
            out.extend_from_slice(format!("{} {}\n", name_of(*tile), bytes.len()).as_bytes());
            out.extend_from_slice(bytes);
        }
        out
    }

    /// Reads it in its one writing.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, mut rest) = line(bytes)?;
        let (before, after) = head.strip_prefix("staging ")?.split_once(' ')?;
        let (before, after) = (before.parse().ok()?, after.parse().ok()?);
        let mut tiles = Vec::new();
        while !rest.is_empty() {
            let (head, after) = line(rest)?;
            let (path, length) = head.split_once(' ')?;
            let tile = Tile::of_path(Path::new(path))?;
            let length: u64 = length.parse().ok().filter(|length| *length <= most_of(tile))?;
            let (bytes, after) = after.split_at_checked(length as usize)?;
            tiles.push((tile, bytes.to_vec()));
            rest = after;
        }
        let out = Self { before, after, tiles };
        (out.encode() == bytes).then_some(out)
    }

    /// The entries that the batch added, from its bundles; `None` where they are not its number.
    pub(crate) fn entries(&self) -> Option<Vec<Vec<u8>>> {
        let mut bundles: Vec<_> = self.tiles.iter().filter(|(t, _)| t.level.is_none()).collect();
        bundles.sort_by_key(|(tile, _)| tile.number);
        let mut out = Vec::new();
        for (_, bytes) in bundles {
            out.extend(decode_bundle(bytes)?);
        }
        let known = usize::try_from(self.before % WIDTH).ok()?;
        let added = self.after.checked_sub(self.before)?;
        (out.len() as u64 == known as u64 + added).then(|| out.split_off(known))
    }
}

fn line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().take(256).position(|byte| *byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::batch::Tip;

    fn staged(before: u64, after: u64) -> (Staging, Vec<Vec<u8>>) {
        let entries = |range: std::ops::Range<u64>| -> Vec<Vec<u8>> {
            range.map(|n| vec![n as u8; (n % 40) as usize]).collect()
        };
        let mut tip = Tip::default();
        tip.grow(&entries(0..before)).unwrap();
        let added = entries(before..after);
        (Staging { before, after, tiles: tip.grow(&added).unwrap() }, added)
    }

    #[test]
    fn what_is_staged_reads_back_and_nothing_else_does() {
        for (before, after) in [(0, 1), (0, 256), (255, 257), (300, 900), (256, 512)] {
            let (staging, added) = staged(before, after);
            let bytes = staging.encode();
            assert_eq!(Staging::decode(&bytes).as_ref(), Some(&staging));
            assert_eq!(staging.entries().unwrap(), added);
            // Cut anywhere it is another batch at most, whose entries are not those it counts.
            for cut in (0..bytes.len()).step_by(97) {
                let left = Staging::decode(&bytes[..cut]);
                assert!(left.is_none_or(|left| left.tiles.len() < staging.tiles.len()), "{cut}");
            }
        }
    }
}

//! Piece layers of v2 torrents (BEP 52): do they hash to the roots that the info dict names?

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::bencode::Tree;
use super::layout::{BLOCK, Layout};
use super::verdict::{Refusal, refuse};

/// Checks the dict of piece layers. A missing layer is fine, as with a magnet link; one that is
/// wrong is not.
pub(super) fn check(tree: &Tree<'_>, layers: usize, layout: &Layout) -> Result<(), Refusal> {
    let large = |(_, size): &&([u8; 32], u64)| *size > layout.piece_length;
    let mut open: BTreeMap<[u8; 32], u64> = layout.roots.iter().filter(large).copied().collect();
    for (key, value) in tree.items(layers) {
        let Some(layer) = tree.string_at(*value) else {
            return refuse("a piece layer that is no string", &tree.node(*value).whole);
        };
        let root: Option<[u8; 32]> = tree.slice(key).try_into().ok();
        let Some((root, size)) = root.and_then(|r| open.remove(&r).map(|size| (r, size))) else {
            return refuse("a piece layer of no file", key);
        };
        if layer.len() as u64 != size.div_ceil(layout.piece_length) * 32 {
            return refuse("a piece layer of another length than its file's", &layer);
        }
        if merkle_root(tree.slice(&layer), layout.piece_length) != root {
            return refuse("a piece layer that does not hash to its file's root", &layer);
        }
    }
    Ok(())
}

fn pair(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(a);
    hash.update(b);
    hash.finalize().into()
}

/// The root over hashes of pieces, filled up to a power of two with the hash of a piece whose
/// leaves are all zero.
fn merkle_root(layer: &[u8], piece_length: u64) -> [u8; 32] {
    let mut filler = [0u8; 32];
    for _ in 0..(piece_length / BLOCK).trailing_zeros() {
        filler = pair(&filler, &filler);
    }
    let mut level: Vec<[u8; 32]> =
        layer.chunks_exact(32).map(|hash| hash.try_into().unwrap_or_default()).collect();
    while level.len() > 1 {
        if level.len() % 2 == 1 {
            level.push(filler);
        }
        level = level.chunks_exact(2).map(|two| pair(&two[0], &two[1])).collect();
        filler = pair(&filler, &filler);
    }
    level.first().copied().unwrap_or(filler)
}

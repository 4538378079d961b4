//! Hashes of whole subtrees, from tiles: what proofs are made of.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::store::{Store, Tile};
use crate::tree::{Hash, root};

/// Hash tiles kept for the next proof. A proof needs two of each level at most, and its upper ones
/// are those of the proof before: of a tree of 2^40 entries that is ten.
const KEPT: usize = 32;

/// A tile's level and number, and its hashes.
type Kept = ((u32, u64), Vec<Hash>);

/// Subtrees of one tree, whose tiles are kept for a while.
#[derive(Debug, Default)]
pub(crate) struct Subtrees {
    kept: Mutex<VecDeque<Kept>>,
}

impl Subtrees {
    /// The hash of the full subtree of 2^height leaves that starts at `index`·2^height, in a tree of
    /// `size` leaves, always the same.
    pub(crate) fn hash(&self, store: &Store, size: u64, height: u32, index: u64) -> Result<Hash> {
        let (tile, range) = Tile::of_subtree(size, height, index);
        let (level, number) = (height / 8, tile.number);
        let of = |hashes: &[Hash]| root(&hashes[range]);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, hashes)) = kept.iter().find(|(tile, _)| *tile == (level, number)) {
            return Ok(of(hashes));
        }
        let hashes = store.hashes(level, number, tile.width)?;
        let hash = of(&hashes);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(((level, number), hashes));
        Ok(hash)
    }
}

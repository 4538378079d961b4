//! Hashes of whole subtrees, from tiles: what proofs are made of.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::error::Result;
use crate::store::Store;
use crate::tree::{Hash, WIDTH, root};

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
        let level = height / 8;
        let span = 1u64 << (height % 8);
        let first = index * span;
        let number = first / WIDTH;
        let at = (first % WIDTH) as usize;
        let of = |hashes: &[Hash]| root(&hashes[at..at + span as usize]);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, hashes)) = kept.iter().find(|(tile, _)| *tile == (level, number)) {
            return Ok(of(hashes));
        }
        let width = ((size >> (8 * level)) - number * WIDTH).min(WIDTH);
        let hashes = store.hashes(level, number, width)?;
        let hash = of(&hashes);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(((level, number), hashes));
        Ok(hash)
    }
}

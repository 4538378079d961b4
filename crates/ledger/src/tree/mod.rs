//! The Merkle tree of RFC 6962 over entries, held by its right edge in tiles of 256 hashes.

mod proof;

pub use proof::{consistency, inclusion, is_consistent, is_included, root_of};
use sha2::{Digest, Sha256};

/// A hash of the tree.
pub type Hash = [u8; 32];

/// Hashes in a full tile, entries in a full bundle.
pub const WIDTH: u64 = 256;

/// SHA-256(0x00 ‖ entry).
pub fn leaf(entry: &[u8]) -> Hash {
    model::record::leaf_hash(entry).0
}

/// SHA-256(0x01 ‖ left ‖ right).
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut hash = Sha256::new();
    hash.update([1]);
    hash.update(left);
    hash.update(right);
    hash.finalize().into()
}

/// The root over leaf hashes (or roots of equal full subtrees, the last of which may be smaller).
/// Of nothing: SHA-256 of nothing, as RFC 6962 says.
pub fn root(hashes: &[Hash]) -> Hash {
    match hashes {
        [] => Sha256::digest([]).into(),
        [one] => *one,
        _ => {
            let (left, right) = hashes.split_at(split(hashes.len() as u64) as usize);
            node(&root(left), &root(right))
        }
    }
}

/// The greatest power of two below `n` (`n` ≥ 2).
pub(crate) fn split(n: u64) -> u64 {
    1 << (63 - (n - 1).leading_zeros())
}

/// The right edge of a tree: of each level of tiles, the hashes of the tile that is not full.
#[derive(Debug, Clone, Default)]
pub struct Edge {
    levels: Vec<Vec<Hash>>,
    size: u64,
}

impl Edge {
    /// An edge read back: of each level, the hashes of its last, partial tile.
    pub(crate) fn from_levels(size: u64, levels: Vec<Vec<Hash>>) -> Self {
        Self { levels, size }
    }

    /// Leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf hash. `full` is told each tile that becomes full: level, number, hashes.
    pub fn push(&mut self, leaf: Hash, full: &mut dyn FnMut(u32, u64, &[Hash])) {
        self.size += 1;
        let mut carry = leaf;
        for level in 0u32.. {
            let at = level as usize;
            if at == self.levels.len() {
                self.levels.push(Vec::new());
            }
            self.levels[at].push(carry);
            if self.levels[at].len() < WIDTH as usize {
                return;
            }
            let hashes = std::mem::take(&mut self.levels[at]);
            full(level, (self.size >> (8 * (level + 1))) - 1, &hashes);
            carry = root(&hashes);
        }
    }

    /// The root of the tree.
    pub fn root(&self) -> Hash {
        let mut rest: Option<Hash> = None;
        for level in &self.levels {
            let mut hashes = level.clone();
            hashes.extend(rest);
            if !hashes.is_empty() {
                rest = Some(root(&hashes));
            }
        }
        rest.unwrap_or_else(|| root(&[]))
    }

    /// The partial tiles: level, number, hashes; without the empty ones.
    pub fn partials(&self) -> impl Iterator<Item = (u32, u64, &[Hash])> {
        (0u32..)
            .zip(&self.levels)
            .filter(|(_, hashes)| !hashes.is_empty())
            .map(|(level, hashes)| (level, (self.size >> (8 * level)) / WIDTH, hashes.as_slice()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_has_the_root_of_the_plain_tree() {
        let leaves: Vec<Hash> = (0..70_000u32).map(|i| leaf(&i.to_be_bytes())).collect();
        let mut edge = Edge::default();
        let mut full = Vec::new();
        for (i, hash) in leaves.iter().enumerate() {
            edge.push(*hash, &mut |level, number, hashes| full.push((level, number, hashes.len())));
            let n = i + 1;
            if n < 600 || n % 9_973 == 0 || n == 65_536 || n == 70_000 {
                assert_eq!(edge.root(), root(&leaves[..n]), "{n}");
            }
        }
        assert_eq!(full.len(), 273 + 1);
        assert_eq!(full.last(), Some(&(0, 272, 256)));
        assert!(full.contains(&(1, 0, 256)));
        let partials: Vec<_> = edge.partials().map(|(l, n, h)| (l, n, h.len())).collect();
        assert_eq!(partials, [(0, 273, 112), (1, 1, 17), (2, 0, 1)]);
    }
}

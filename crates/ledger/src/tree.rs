//! The Merkle tree of RFC 6962 over entries, held by its right edge in tiles of 256 hashes.

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

/// The hash of leaves `start..end` computed with `complete(height, index)`, which gives the hash of
/// the full subtree of 2^height leaves that starts at index·2^height.
fn range<E>(
    start: u64,
    end: u64,
    complete: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    let n = end - start;
    if n.is_power_of_two() && start.is_multiple_of(n) {
        return complete(n.trailing_zeros(), start / n);
    }
    let middle = start + split(n);
    let left = range(start, middle, complete)?;
    Ok(node(&left, &range(middle, end, complete)?))
}

/// The inclusion proof (RFC 6962, 2.1.1) of leaf `index` in a tree of `size` leaves.
pub fn inclusion<E>(
    index: u64,
    size: u64,
    complete: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    let (mut start, mut end) = (0, size);
    let mut proof = Vec::new();
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            proof.push(range(middle, end, complete)?);
            end = middle;
        } else {
            proof.push(range(start, middle, complete)?);
            start = middle;
        }
    }
    proof.reverse();
    Ok(proof)
}

/// True if `proof` shows that the leaf hash stands at `index` of the tree of `size` leaves with the
/// given root (RFC 9162, 2.1.3.2).
pub fn is_included(leaf: &Hash, index: u64, size: u64, proof: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, *leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(sibling, &hash);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            hash = node(&hash, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
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

    #[test]
    fn every_leaf_is_proved() {
        for size in [1u64, 2, 3, 7, 8, 13, 31] {
            let leaves: Vec<Hash> = (0..size).map(|i| leaf(&i.to_be_bytes())).collect();
            let top = root(&leaves);
            for index in 0..size {
                let proof = inclusion::<()>(index, size, &mut |height, i| {
                    Ok(root(&leaves[(i << height) as usize..((i + 1) << height) as usize]))
                })
                .unwrap();
                assert!(is_included(&leaves[index as usize], index, size, &proof, &top));
                assert!(!is_included(&leaves[index as usize], index + 1, size, &proof, &top));
            }
        }
    }
}

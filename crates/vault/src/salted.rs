//! The salted tree of an exhibit: parts can later be disclosed or erased, and the rest still proves.
//!
//! Leaves are 4 KiB (the last may be shorter; an empty exhibit has one empty leaf):
//! SHA-256(0x00 ‖ salt_i ‖ bytes). Above them the tree of RFC 6962.

use model::Sha256Hex;
use sha2::{Digest, Sha256};

use crate::ggm::Salts;

/// Bytes of a leaf.
pub const LEAF: usize = 4096;

/// Leaves of an exhibit of that size.
pub fn leaves(size: u64) -> u64 {
    size.div_ceil(LEAF as u64).max(1)
}

/// The hash of one leaf.
pub fn leaf_hash(salt: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update([0]);
    hash.update(salt);
    hash.update(bytes);
    hash.finalize().into()
}

/// Computes the root while the bytes pass by. Memory: one leaf, and one hash a level.
#[derive(Debug)]
pub struct SaltedTree {
    salts: Salts,
    /// Bytes of the leaf that is not full.
    partial: Vec<u8>,
    count: u64,
    /// Roots of full subtrees, greatest first: one for each bit set in `count`.
    stack: Vec<[u8; 32]>,
}

impl SaltedTree {
    /// Of an exhibit with that secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { salts: Salts::new(secret), partial: Vec::new(), count: 0, stack: Vec::new() }
    }

    /// Takes the next bytes.
    pub fn update(&mut self, mut bytes: &[u8]) {
        if !self.partial.is_empty() {
            let take = bytes.len().min(LEAF - self.partial.len());
            self.partial.extend_from_slice(&bytes[..take]);
            bytes = &bytes[take..];
            if self.partial.len() < LEAF {
                return;
            }
            let full = std::mem::take(&mut self.partial);
            self.push(&full);
            self.partial = full;
            self.partial.clear();
        }
        let (whole, rest) = bytes.as_chunks::<LEAF>();
        for leaf in whole {
            self.push(leaf);
        }
        self.partial.extend_from_slice(rest);
    }

    fn push(&mut self, leaf: &[u8]) {
        // 2^40 leaves are 4 PiB: no file reaches the end of the salts.
        let salt = self.salts.next().unwrap_or([0; 32]);
        let mut hash = leaf_hash(&salt, leaf);
        self.count += 1;
        for _ in 0..self.count.trailing_zeros() {
            let left = self.stack.pop().unwrap_or_default();
            hash = ledger::tree::node(&left, &hash);
        }
        self.stack.push(hash);
    }

    /// The root.
    pub fn finish(mut self) -> Sha256Hex {
        if !self.partial.is_empty() || self.count == 0 {
            let last = std::mem::take(&mut self.partial);
            self.push(&last);
        }
        let mut hashes = self.stack.into_iter().rev();
        let smallest = hashes.next().unwrap_or_default();
        Sha256Hex(hashes.fold(smallest, |right, left| ledger::tree::node(&left, &right)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ggm::{Node, salt};
    use proptest::prelude::*;

    fn plainly(secret: [u8; 32], bytes: &[u8]) -> Sha256Hex {
        let nodes = [Node::root(secret)];
        let hashes: Vec<_> = if bytes.is_empty() {
            vec![leaf_hash(&salt(&nodes, 0).unwrap(), b"")]
        } else {
            (0..)
                .zip(bytes.chunks(LEAF))
                .map(|(i, b)| leaf_hash(&salt(&nodes, i).unwrap(), b))
                .collect()
        };
        assert_eq!(hashes.len() as u64, leaves(bytes.len() as u64));
        Sha256Hex(ledger::tree::root(&hashes))
    }

    proptest! {
        #[test]
        fn however_the_bytes_come_the_root_is_that_of_the_plain_tree(
            len in prop_oneof![0usize..3, 4095usize..4098, 8191usize..8194, 0usize..60_000],
            step in 1usize..9000,
        ) {
            let bytes: Vec<u8> = (0..len).map(|i| (i % 251) as u8).collect();
            let mut tree = SaltedTree::new([5; 32]);
            bytes.chunks(step).for_each(|part| tree.update(part));
            prop_assert_eq!(tree.finish(), plainly([5; 32], &bytes));
        }
    }
}

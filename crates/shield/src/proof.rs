//! What an ISP is shown of a block: that it was decided, and nothing of who asked or upon what.
//!
//! A record of the clearing house commits to all it decided in one field that stays closed. Beside that it
//! shows, in the clear, the root of a tree (RFC 6962, 2.1) over the blocks that it put into force. A leaf
//! is salted, so the root tells nobody what is blocked; who is given a [`Block`] with its path can hold it
//! against the record, and the record against the log.
//!
//! Leaf: SHA-256(0x00 ‖ "vigie/block/v1" ‖ 0x00 ‖ salt, 32 bytes ‖ item, u64 ‖ expires, i64, ms since 1970 ‖
//! length of the code, u8 ‖ code ‖ value as text). Integers are big-endian. Node: SHA-256(0x01 ‖ left ‖ right).
//!
//! The salts of a record follow from its seed, which is one of the record's closed fields: salt *n* =
//! SHA-256("vigie/block-salt/v1" ‖ 0x00 ‖ seed ‖ n, u32). A salt that is given away tells nothing of another.

use ledger::tree;
use model::Sha256Hex;

use crate::item::Item;
use crate::order::words::{ItemId, Moment};

/// The most blocks under one root. What one decision puts into force is far fewer; whoever begins a feed
/// states all that is in force.
pub const MAX_BLOCKS: u32 = 1 << 24;
/// The longest word of a reason, in bytes.
pub const MAX_CODE: usize = 64;
/// Hashes of the longest path there is.
pub const MAX_PATH: usize = 24;
const _: () = assert!(MAX_BLOCKS as usize == 1 << MAX_PATH);

/// A hash of the tree.
pub type Hash = tree::Hash;

/// A value as it was put into force, or carried on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// What is blocked.
    pub value: Item,
    /// The item: its ticket, and its place there.
    pub item: ItemId,
    /// Until when, if nothing else happens.
    pub expires: Moment,
    /// The gravest reason that the check found, by its word; at most [`MAX_CODE`] bytes.
    pub code: Option<String>,
    /// What keeps the leaf from being guessed.
    pub salt: [u8; 32],
}

impl Block {
    /// Its leaf.
    pub fn leaf(&self) -> Hash {
        let code = self.code.as_deref().unwrap_or("");
        let value = self.value.to_string();
        let mut bytes = Vec::with_capacity(96 + code.len() + value.len());
        bytes.extend_from_slice(b"vigie/block/v1\0");
        bytes.extend_from_slice(&self.salt);
        bytes.extend_from_slice(&self.item.0.to_be_bytes());
        bytes.extend_from_slice(&self.expires.0.to_be_bytes());
        bytes.push(u8::try_from(code.len()).unwrap_or(u8::MAX));
        bytes.extend_from_slice(code.as_bytes());
        bytes.extend_from_slice(value.as_bytes());
        tree::leaf(&bytes)
    }
}

/// The salt of the n-th block under a seed.
pub fn salt(seed: &[u8; 32], n: u32) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(64);
    bytes.extend_from_slice(b"vigie/block-salt/v1\0");
    bytes.extend_from_slice(seed);
    bytes.extend_from_slice(&n.to_be_bytes());
    Sha256Hex::of(&bytes).0
}

/// The root over leaves.
pub fn root(leaves: &[Hash]) -> Hash {
    tree::root(leaves)
}

/// The path of the n-th leaf: the hashes beside the way to the root, the nearest first. `None` where there
/// is no such leaf.
pub fn path(leaves: &[Hash], n: u32) -> Option<Vec<Hash>> {
    let size = u64::try_from(leaves.len()).ok()?;
    if u64::from(n) >= size {
        return None;
    }
    let mut complete = |height: u32, index: u64| -> Result<Hash, ()> {
        let start = usize::try_from(index << height).map_err(drop)?;
        leaves.get(start..start + (1 << height)).map(tree::root).ok_or(())
    };
    tree::inclusion(n.into(), size, &mut complete).ok()
}

/// The paths of many leaves of one tree: its nodes are hashed once.
#[derive(Debug, Clone)]
pub struct Paths {
    /// Complete nodes by their height, the leaves first.
    levels: Vec<Vec<Hash>>,
}

impl Paths {
    /// Of these leaves.
    pub fn new(leaves: Vec<Hash>) -> Self {
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let pairs = below.as_chunks::<2>().0;
            let above = pairs.iter().map(|[left, right]| tree::node(left, right)).collect();
            levels.push(above);
        }
        Self { levels }
    }

    /// As [`path`].
    pub fn path(&self, n: u32) -> Option<Vec<Hash>> {
        let size = u64::try_from(self.levels.first()?.len()).ok()?;
        if u64::from(n) >= size {
            return None;
        }
        let mut complete = |height: u32, index: u64| -> Result<Hash, ()> {
            let level = self.levels.get(usize::try_from(height).map_err(drop)?).ok_or(())?;
            level.get(usize::try_from(index).map_err(drop)?).copied().ok_or(())
        };
        tree::inclusion(n.into(), size, &mut complete).ok()
    }
}

/// True where a leaf stands at place `n` of `of` under a root.
pub fn is_under(leaf: &Hash, n: u32, of: u32, path: &[Hash], root: &Hash) -> bool {
    of <= MAX_BLOCKS && tree::is_included(leaf, n.into(), of.into(), path, root)
}

/// A block with what shows that it was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proven {
    /// The block.
    pub block: Block,
    /// The record whose public field `blocks` is the root: its index in the clearing house's log.
    pub record: u64,
    /// Its place under the root, from 0.
    pub place: u32,
    /// How many blocks are under it.
    pub of: u32,
    /// The hashes beside its way to the root, the nearest first.
    pub path: Vec<Hash>,
}

impl Proven {
    /// True where the block stands under this root.
    pub fn is_under(&self, root: &Hash) -> bool {
        is_under(&self.block.leaf(), self.place, self.of, &self.path, root)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(n: u32) -> Block {
        Block {
            value: Item::parse(&format!("s{n}.example")).unwrap(),
            item: ItemId(n.into()),
            expires: Moment(1_780_000_000_000),
            code: n.is_multiple_of(2).then(|| "popular".to_owned()),
            salt: salt(&[7; 32], n),
        }
    }

    fn proven(of: u32, place: u32) -> (Proven, Hash) {
        let leaves: Vec<Hash> = (0..of).map(|n| block(n).leaf()).collect();
        let path = path(&leaves, place).unwrap();
        (Proven { block: block(place), record: 3, place, of, path }, root(&leaves))
    }

    #[test]
    fn the_leaf_is_what_the_text_says() {
        let leaf = Sha256Hex(block(2).leaf()).to_string();
        assert_eq!(leaf, "e274e409d28b298934b4124f4587ba355598a599e925f31f70d83152cf324f2d");
        assert_eq!(
            Sha256Hex(salt(&[7; 32], 2)).to_string(),
            "6d605b4dba64dffa3b4e4f9f0f909dd249300288350428d7dcfb9b41644fdb6d"
        );
    }

    #[test]
    fn what_was_changed_in_a_block_is_under_no_root() {
        let (good, root) = proven(5, 3);
        assert!(good.is_under(&root));
        let bad = |change: &dyn Fn(&mut Proven)| {
            let mut bad = good.clone();
            change(&mut bad);
            assert!(!bad.is_under(&root), "{bad:?}");
        };
        bad(&|p| p.block.value = Item::parse("t3.example").unwrap());
        bad(&|p| p.block.item = ItemId(4));
        bad(&|p| p.block.expires = p.block.expires.plus(1));
        bad(&|p| p.block.code = Some("x".to_owned()));
        bad(&|p| p.block.salt[0] ^= 1);
        bad(&|p| p.place = 2);
        bad(&|p| p.of = 4);
        bad(&|p| p.path.truncate(p.path.len() - 1));
        bad(&|p| p.of = u32::MAX);
        assert_eq!(path(&[[0; 32]; 2], 2), None);
    }

    proptest! {
        #[test]
        fn every_place_of_every_size_is_proven(of in 1..70_u32, at in any::<u32>()) {
            let (proven, root) = proven(of, at % of);
            prop_assert!(proven.is_under(&root));
            prop_assert!(proven.path.len() <= MAX_PATH);
            let leaves: Vec<Hash> = (0..of).map(|n| block(n).leaf()).collect();
            let paths = Paths::new(leaves);
            prop_assert_eq!(paths.path(proven.place), Some(proven.path));
            prop_assert_eq!(paths.path(of), None);
        }
    }
}

//! Salts of an exhibit's leaves, from one secret, that can be erased for any range of leaves while
//! the rest remains: a puncturable derivation (Goldreich, Goldwasser, Micali) of fixed depth.
//!
//! The secret is the root of a binary tree of depth [`DEPTH`]; the children of a node are
//! SHA-256("vigie/ggm/v1" ‖ 0x00 ‖ node) on the left and SHA-256("vigie/ggm/v1" ‖ 0x01 ‖ node) on the
//! right; the salt of leaf i is the i-th node at the bottom. To erase a range, keep the nodes beside
//! the paths to it and forget what is above.

use sha2::{Digest, Sha256};

/// Depth: 2^40 leaves of 4 KiB are 4 PiB.
pub const DEPTH: u8 = 40;

/// A node: all salts below it follow from it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Node {
    /// 0 at the root, [`DEPTH`] at the salts.
    pub depth: u8,
    /// From the left, below 2^depth.
    pub index: u64,
    /// The secret.
    pub secret: [u8; 32],
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/•••", self.depth, self.index)
    }
}

impl Node {
    /// The root of an exhibit's tree.
    pub fn root(secret: [u8; 32]) -> Self {
        Self { depth: 0, index: 0, secret }
    }

    fn child(&self, right: bool) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"vigie/ggm/v1");
        hash.update([u8::from(right)]);
        hash.update(self.secret);
        Self {
            depth: self.depth + 1,
            index: self.index * 2 + u64::from(right),
            secret: hash.finalize().into(),
        }
    }

    /// The leaves below it: first, and one past the last.
    pub fn leaves(&self) -> (u64, u64) {
        let height = DEPTH - self.depth;
        (self.index << height, (self.index + 1) << height)
    }

    /// `depth/index/hex`, as openings keep it.
    pub fn to_text(&self) -> String {
        format!("{}/{}/{}", self.depth, self.index, model::id::hex(&self.secret))
    }

    /// Reads `depth/index/hex` in its one writing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let depth: u8 = parts.next()?.parse().ok()?;
        let index: u64 = parts.next()?.parse().ok()?;
        let secret: [u8; 32] = model::id::unhex(parts.next()?)?.try_into().ok()?;
        let node = Self { depth, index, secret };
        (depth <= DEPTH && index < 1 << depth && node.to_text() == text).then_some(node)
    }
}

/// The salt of one leaf, where the nodes still give it.
pub fn salt(nodes: &[Node], leaf: u64) -> Option<[u8; 32]> {
    let covers = |node: &&Node| (node.leaves().0..node.leaves().1).contains(&leaf);
    let mut node = *nodes.iter().find(covers)?;
    while node.depth < DEPTH {
        node = node.child(leaf >> (DEPTH - node.depth - 1) & 1 == 1);
    }
    Some(node.secret)
}

/// What remains of the nodes when the salts of leaves `start..end` are forgotten: at most 2·[`DEPTH`]
/// nodes more.
pub fn puncture(nodes: &[Node], start: u64, end: u64) -> Vec<Node> {
    let mut out = Vec::new();
    for node in nodes {
        keep_outside(*node, start, end, &mut out);
    }
    out
}

fn keep_outside(node: Node, start: u64, end: u64, out: &mut Vec<Node>) {
    let (first, last) = node.leaves();
    if end <= first || last <= start || start >= end {
        out.push(node);
    } else if first < start || end < last {
        keep_outside(node.child(false), start, end, out);
        keep_outside(node.child(true), start, end, out);
    }
}

/// What of the nodes gives the salts of leaves `start..end`, and of no other: at most 2·[`DEPTH`]
/// nodes for each.
pub fn inside(nodes: &[Node], start: u64, end: u64) -> Vec<Node> {
    let mut out = Vec::new();
    for node in nodes {
        keep_inside(*node, start, end, &mut out);
    }
    out
}

fn keep_inside(node: Node, start: u64, end: u64, out: &mut Vec<Node>) {
    let (first, last) = node.leaves();
    if end <= first || last <= start || start >= end {
        return;
    }
    if start <= first && last <= end {
        out.push(node);
    } else {
        keep_inside(node.child(false), start, end, out);
        keep_inside(node.child(true), start, end, out);
    }
}

/// The salts of leaves 0, 1, 2, … in turn, at two compressions each.
#[derive(Debug)]
pub struct Salts {
    /// The node whose bottom-left salt is next, then the parents whose right halves are to come.
    next: Option<Node>,
    parents: Vec<Node>,
}

impl Salts {
    /// From an exhibit's secret.
    pub fn new(secret: [u8; 32]) -> Self {
        Self { next: Some(Node::root(secret)), parents: Vec::new() }
    }
}

impl Iterator for Salts {
    type Item = [u8; 32];

    fn next(&mut self) -> Option<[u8; 32]> {
        let mut node = match self.next.take() {
            Some(node) => node,
            None => self.parents.pop()?.child(true),
        };
        while node.depth < DEPTH {
            self.parents.push(node);
            node = node.child(false);
        }
        Some(node.secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn in_turn_or_one_by_one_the_salts_are_the_same() {
        let nodes = [Node::root([3; 32])];
        for (leaf, found) in (0..1000).zip(Salts::new([3; 32])) {
            assert_eq!(salt(&nodes, leaf), Some(found));
        }
        assert_eq!(salt(&nodes, (1 << DEPTH) - 1).map(|s| s.len()), Some(32));
        assert_eq!(salt(&nodes, 1 << DEPTH), None);
    }

    #[test]
    fn nodes_read_back_in_one_writing() {
        let node = Node { depth: 3, index: 5, secret: [0xab; 32] };
        assert_eq!(Node::parse(&node.to_text()), Some(node));
        let hex = "ab".repeat(32);
        for bad in [
            "",
            "3/5",
            &format!("3/8/{hex}"),
            &format!("03/5/{hex}"),
            &format!("41/0/{hex}"),
            &format!("3/5/{}", hex.to_uppercase()),
        ] {
            assert_eq!(Node::parse(bad), None, "{bad}");
        }
    }

    proptest! {
        /// After punctures the salts inside are gone, those outside are unchanged, few nodes remain,
        /// and no node that remains is above a punctured leaf.
        #[test]
        fn a_puncture_takes_its_range_and_nothing_else(ranges in prop::collection::vec((0u64..3000, 1u64..400), 0..5)) {
            let whole = [Node::root([9; 32])];
            let mut nodes = whole.to_vec();
            for (start, len) in &ranges {
                nodes = puncture(&nodes, *start, start + len);
            }
            prop_assert!(nodes.len() <= 1 + ranges.len() * 2 * usize::from(DEPTH));
            for leaf in (0..3500).step_by(7).chain(ranges.iter().flat_map(|(s, l)| [s.saturating_sub(1), *s, s + l - 1, s + l])) {
                let gone = ranges.iter().any(|(start, len)| (*start..start + len).contains(&leaf));
                let expected = if gone { None } else { salt(&whole, leaf) };
                prop_assert_eq!(salt(&nodes, leaf), expected, "{}", leaf);
            }
        }
    }
}

//! A tree cut down to the leaves that are shown: in place of each greatest subtree without any, its hash.
//! Of a record whose blocks are all shown nothing is left but these; of one of which a single block is left,
//! its path.

use ledger::tree::{self, Hash};

/// A part of a tree, from the left: a leaf that is shown, or a subtree that is not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pruned<T> {
    /// A leaf.
    Leaf(T),
    /// So many leaves, of which the hash alone is there.
    Cut {
        /// How many.
        leaves: u32,
        /// The hash over them.
        hash: Hash,
    },
}

/// Why parts are no tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PrunedError {
    /// Parts are missing.
    #[error("the tree is not whole")]
    Missing,
    /// There are more than the tree has room for.
    #[error("a part has no place in the tree")]
    TooMany,
    /// Two subtrees beside one another that are one.
    #[error("two parts beside one another are one subtree")]
    NotGreatest,
}

/// Cuts a tree down to the leaves at `shown`, which are sorted, each once.
pub fn prune(leaves: &[Hash], shown: &[u32]) -> Vec<Pruned<u32>> {
    let mut parts = Vec::new();
    cut(leaves, 0, shown, &mut parts);
    parts
}

fn cut(leaves: &[Hash], first: u32, shown: &[u32], parts: &mut Vec<Pruned<u32>>) {
    let Ok(count) = u32::try_from(leaves.len()) else { return };
    if count == 0 {
        return;
    }
    if shown.is_empty() {
        return parts.push(Pruned::Cut { leaves: count, hash: tree::root(leaves) });
    }
    if count == 1 {
        return parts.push(Pruned::Leaf(first));
    }
    let half = half(count);
    let (left, right) = leaves.split_at(half as usize);
    let middle = shown.partition_point(|at| *at < first + half);
    let (of_left, of_right) = shown.split_at(middle);
    cut(left, first, of_left, parts);
    cut(right, first + half, of_right, parts);
}

/// The greatest power of two below `n`, which is 2 or more.
fn half(n: u32) -> u32 {
    1 << (31 - (n - 1).leading_zeros())
}

/// Puts parts together again, one at a time: the shape of the tree follows from how many leaves it has.
#[derive(Debug)]
pub(super) struct Joining {
    /// What is still to come, the next last: so many leaves each, with the place of the first.
    open: Vec<Open>,
    /// Subtrees that are whole and wait for the one beside them.
    done: Vec<Done>,
}

#[derive(Debug, Clone, Copy)]
enum Open {
    Subtree {
        first: u32,
        leaves: u32,
    },
    /// The two last that are whole are one.
    Join,
}

#[derive(Debug, Clone, Copy)]
struct Done {
    hash: Hash,
    /// True where nothing of it is shown.
    cut: bool,
}

impl Joining {
    pub(super) fn new(leaves: u32) -> Self {
        let open = if leaves == 0 { Vec::new() } else { vec![Open::Subtree { first: 0, leaves }] };
        Self { open, done: Vec::new() }
    }

    /// Takes the next part; of a leaf its place is given.
    pub(super) fn take(&mut self, part: &Pruned<Hash>) -> Result<Option<u32>, PrunedError> {
        let size = match part {
            Pruned::Leaf(_) => 1,
            Pruned::Cut { leaves, .. } => *leaves,
        };
        loop {
            let Some(Open::Subtree { first, leaves }) = self.open.pop() else {
                return Err(PrunedError::TooMany);
            };
            if size > leaves || size == 0 {
                return Err(PrunedError::TooMany);
            }
            if size < leaves {
                let half = half(leaves);
                self.open.push(Open::Join);
                self.open.push(Open::Subtree { first: first + half, leaves: leaves - half });
                self.open.push(Open::Subtree { first, leaves: half });
                continue;
            }
            let (hash, cut, place) = match part {
                Pruned::Leaf(hash) => (*hash, false, Some(first)),
                Pruned::Cut { hash, .. } => (*hash, true, None),
            };
            self.done.push(Done { hash, cut });
            while matches!(self.open.last(), Some(Open::Join)) {
                self.open.pop();
                let (Some(right), Some(left)) = (self.done.pop(), self.done.pop()) else {
                    return Err(PrunedError::Missing);
                };
                if left.cut && right.cut {
                    return Err(PrunedError::NotGreatest);
                }
                self.done.push(Done { hash: tree::node(&left.hash, &right.hash), cut: false });
            }
            return Ok(place);
        }
    }

    /// True where nothing more is to come.
    pub(super) fn is_whole(&self) -> bool {
        self.open.is_empty()
    }

    /// The root, once it is whole.
    pub(super) fn root(&self) -> Result<Hash, PrunedError> {
        match (self.open.is_empty(), self.done.as_slice()) {
            (true, [one]) => Ok(one.hash),
            _ => Err(PrunedError::Missing),
        }
    }
}

//! A part of an exhibit, shown to somebody who learns of the rest only that it is there.
//!
//! Bytes are shown in whole leaves of the salted tree (4 KiB). With them go the nodes that give the
//! salts of these leaves and of no other, and the hashes of the subtrees that stay hidden, so that
//! the root of the sealing record comes out. A hidden leaf cannot be guessed: its salt is unknown.
//!
//! The same hashes are what remains of a part that was erased ([`Erased`]).

use std::ops::Range;

use model::Sha256Hex;

use crate::ggm::{Node, inside, salt};
use crate::salted::{LEAF, leaf_hash, leaves};

/// The most runs of leaves that one disclosure has.
pub const MAX_RUNS: usize = 10_000;

/// Why a part proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// Runs that are empty, overlap, touch, or go beyond the end.
    #[error("the runs of leaves are not in order, apart, and within the exhibit")]
    Runs,
    /// A salt is missing.
    #[error("the salt of leaf {0} does not follow from the nodes")]
    Salt(u64),
    /// A node that gives salts of leaves that are not shown.
    #[error("the node {0} gives salts of leaves that are not shown")]
    Node(String),
    /// Too few hashes or too many.
    #[error("{found} hashes of hidden parts where {wanted} are wanted")]
    Hidden {
        /// How many there are.
        found: usize,
        /// How many the tree has.
        wanted: usize,
    },
    /// Bytes of another length than the leaves have.
    #[error("leaf {0} has another length than it must have")]
    Length(u64),
    /// Another root.
    #[error("the bytes and hashes do not lead to the root of the sealing record")]
    Root,
}

/// Leaves that contain some ranges of bytes: in order, joined where they touch. What lies beyond the
/// exhibit's end is left out; an empty range holds no leaf.
pub fn widen(ranges: &[Range<u64>], size: u64) -> Vec<Range<u64>> {
    let end = leaves(size);
    let mut out: Vec<Range<u64>> = ranges
        .iter()
        .filter(|r| r.start < r.end)
        .map(|r| r.start / LEAF as u64..r.end.div_ceil(LEAF as u64).min(end))
        .filter(|r| r.start < r.end)
        .collect();
    out.sort_by_key(|r| (r.start, r.end));
    let mut joined: Vec<Range<u64>> = Vec::new();
    for run in out {
        match joined.last_mut() {
            Some(last) if run.start <= last.end => last.end = last.end.max(run.end),
            _ => joined.push(run),
        }
    }
    joined
}

/// The hash of a subtree that is hidden or erased: its leaves, and the hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The leaves below it.
    pub leaves: Range<u64>,
    /// Its hash in the salted tree.
    pub hash: [u8; 32],
}

impl Erased {
    /// `first/end/hex`, as openings keep it.
    pub fn to_text(&self) -> String {
        format!("{}/{}/{}", self.leaves.start, self.leaves.end, model::id::hex(&self.hash))
    }

    /// Reads `first/end/hex` in its one writing.
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, '/');
        let (start, end) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let hash: [u8; 32] = model::id::unhex(parts.next()?)?.try_into().ok()?;
        let erased = Self { leaves: start..end, hash };
        (start < end && erased.to_text() == text).then_some(erased)
    }
}

/// A part of an exhibit, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// Bytes of the whole exhibit.
    pub size: u64,
    /// The leaves that are shown.
    pub runs: Vec<Range<u64>>,
    /// What gives their salts.
    pub nodes: Vec<Node>,
    /// The hashes of the greatest hidden subtrees, from the left.
    pub hidden: Vec<[u8; 32]>,
}

/// Gives the bytes of one leaf.
pub type ReadLeaf<'a, E> = dyn FnMut(u64) -> Result<Vec<u8>, E> + 'a;

/// Bytes that a leaf must have.
pub fn leaf_len(size: u64, leaf: u64) -> usize {
    usize::try_from(size.saturating_sub(leaf * LEAF as u64)).map_or(LEAF, |rest| rest.min(LEAF))
}

fn are_in_order(runs: &[Range<u64>], size: u64) -> bool {
    runs.len() <= MAX_RUNS
        && runs.iter().all(|r| r.start < r.end && r.end <= leaves(size))
        && runs.windows(2).all(|pair| pair[0].end < pair[1].start)
}

/// Where a range of leaves is split, as RFC 6962 does it.
fn middle(range: &Range<u64>) -> u64 {
    range.start + (1 << (63 - (range.end - range.start - 1).leading_zeros()))
}

fn touches(runs: &[Range<u64>], range: &Range<u64>) -> bool {
    let at = runs.partition_point(|run| run.end <= range.start);
    runs.get(at).is_some_and(|run| run.start < range.end)
}

impl Part {
    /// Takes the leaves `runs` (as [`widen`] gives them) of an exhibit whose opening holds `nodes`
    /// and whose parts `erased` are gone. Reads every leaf whose hash is wanted.
    ///
    /// # Errors
    /// Outside: reading. Inside: runs out of order, or of leaves that were erased.
    pub fn take<E>(
        size: u64,
        runs: &[Range<u64>],
        nodes: &[Node],
        erased: &[Erased],
        read: &mut ReadLeaf<'_, E>,
    ) -> Result<Result<Self, PartError>, E> {
        if !are_in_order(runs, size) {
            return Ok(Err(PartError::Runs));
        }
        let mut own = Vec::new();
        for run in runs {
            own.extend(inside(nodes, run.start, run.end));
            if let Some(gone) = run.clone().find(|leaf| salt(nodes, *leaf).is_none()) {
                return Ok(Err(PartError::Salt(gone)));
            }
        }
        let mut taking = Taking { size, runs, nodes, erased, read, hidden: Vec::new() };
        match taking.walk(0..leaves(size))? {
            Ok(()) => {}
            Err(e) => return Ok(Err(e)),
        }
        let hidden = taking.hidden;
        Ok(Ok(Self { size, runs: runs.to_vec(), nodes: own, hidden }))
    }

    /// Shows that the bytes of the runs, which `read` gives leaf by leaf, stand in the exhibit whose
    /// sealing record has that root and size.
    ///
    /// # Errors
    /// Outside: reading. Inside: what does not hold.
    pub fn check<E>(
        &self,
        root: &Sha256Hex,
        read: &mut ReadLeaf<'_, E>,
    ) -> Result<Result<(), PartError>, E> {
        if !are_in_order(&self.runs, self.size) {
            return Ok(Err(PartError::Runs));
        }
        // What gives more salts than it must would let hidden leaves be guessed.
        let shown = |node: &&Node| {
            let (first, end) = node.leaves();
            !self.runs.iter().any(|run| run.start <= first && end <= run.end)
        };
        if let Some(node) = self.nodes.iter().find(shown) {
            return Ok(Err(PartError::Node(format!("{}/{}", node.depth, node.index))));
        }
        let mut checking = Checking { part: self, read, used: 0 };
        let found = match checking.walk(0..leaves(self.size))? {
            Ok(found) => found,
            Err(e) => return Ok(Err(e)),
        };
        let used = checking.used;
        if used != self.hidden.len() {
            let found = self.hidden.len();
            return Ok(Err(PartError::Hidden { found, wanted: used }));
        }
        Ok(if found == root.0 { Ok(()) } else { Err(PartError::Root) })
    }
}

/// What of `0..end` is in none of the ranges, which are in order.
pub(crate) fn complement(ranges: impl Iterator<Item = Range<u64>>, end: u64) -> Vec<Range<u64>> {
    let (mut out, mut at) = (Vec::new(), 0);
    for range in ranges {
        out.push(at..range.start);
        at = range.end;
    }
    out.push(at..end);
    out.retain(|run| run.start < run.end);
    out
}

/// The leaves of the hidden subtrees of a tree of which `runs` are shown.
pub(crate) fn hidden_of(runs: &[Range<u64>], size: u64) -> Vec<Range<u64>> {
    let mut out = Vec::new();
    hidden_ranges(runs, 0..leaves(size), &mut out);
    out
}

/// The hashes of the greatest subtrees among leaves that are to be erased, before their salts are.
/// What was erased before is joined with it.
///
/// # Errors
/// Outside: reading. Inside: runs out of order; leaves whose salts are gone and whose hashes are not
/// kept.
pub fn erase<E>(
    size: u64,
    runs: &[Range<u64>],
    nodes: &[Node],
    erased: &[Erased],
    read: &mut ReadLeaf<'_, E>,
) -> Result<Result<Vec<Erased>, PartError>, E> {
    if !are_in_order(runs, size) {
        return Ok(Err(PartError::Runs));
    }
    let gone = erased.iter().map(|e| e.leaves.start * LEAF as u64..e.leaves.end * LEAF as u64);
    let all = runs.iter().map(|r| r.start * LEAF as u64..r.end * LEAF as u64).chain(gone);
    let all = widen(&all.collect::<Vec<_>>(), leaves(size) * LEAF as u64);
    // Erased is what is hidden when all else is shown.
    let shown = complement(all.into_iter(), leaves(size));
    let mut taking = Taking { size, runs: &shown, nodes, erased, read, hidden: Vec::new() };
    if let Err(e) = taking.walk(0..leaves(size))? {
        return Ok(Err(e));
    }
    let hashes = taking.hidden;
    Ok(Ok(hidden_of(&shown, size)
        .into_iter()
        .zip(hashes)
        .map(|(leaves, hash)| Erased { leaves, hash })
        .collect()))
}

/// The greatest subtrees without a leaf that is shown, from the left.
fn hidden_ranges(runs: &[Range<u64>], range: Range<u64>, out: &mut Vec<Range<u64>>) {
    if !touches(runs, &range) {
        out.push(range);
    } else if range.end - range.start > 1 {
        let middle = middle(&range);
        hidden_ranges(runs, range.start..middle, out);
        hidden_ranges(runs, middle..range.end, out);
    }
}

struct Taking<'a, 'r, E> {
    size: u64,
    runs: &'a [Range<u64>],
    nodes: &'a [Node],
    erased: &'a [Erased],
    read: &'a mut ReadLeaf<'r, E>,
    hidden: Vec<[u8; 32]>,
}

impl<E> Taking<'_, '_, E> {
    /// Collects the hashes of the greatest hidden subtrees.
    fn walk(&mut self, range: Range<u64>) -> Result<Result<(), PartError>, E> {
        if !touches(self.runs, &range) {
            return Ok(self.hash(range)?.map(|hash| self.hidden.push(hash)));
        }
        if range.end - range.start == 1 {
            return Ok(Ok(()));
        }
        let middle = middle(&range);
        match self.walk(range.start..middle)? {
            Ok(()) => self.walk(middle..range.end),
            other => Ok(other),
        }
    }

    fn hash(&mut self, range: Range<u64>) -> Result<Result<[u8; 32], PartError>, E> {
        if let Some(erased) = self.erased.iter().find(|e| e.leaves == range) {
            return Ok(Ok(erased.hash));
        }
        if range.end - range.start == 1 {
            let Some(salt) = salt(self.nodes, range.start) else {
                return Ok(Err(PartError::Salt(range.start)));
            };
            let bytes = (self.read)(range.start)?;
            if bytes.len() != leaf_len(self.size, range.start) {
                return Ok(Err(PartError::Length(range.start)));
            }
            return Ok(Ok(leaf_hash(&salt, &bytes)));
        }
        let middle = middle(&range);
        let left = match self.hash(range.start..middle)? {
            Ok(left) => left,
            other => return Ok(other),
        };
        Ok(self.hash(middle..range.end)?.map(|right| ledger::tree::node(&left, &right)))
    }
}

struct Checking<'a, 'r, E> {
    part: &'a Part,
    read: &'a mut ReadLeaf<'r, E>,
    used: usize,
}

impl<E> Checking<'_, '_, E> {
    fn walk(&mut self, range: Range<u64>) -> Result<Result<[u8; 32], PartError>, E> {
        if !touches(&self.part.runs, &range) {
            self.used += 1;
            let found = self.part.hidden.len();
            let hash = self.part.hidden.get(self.used - 1).copied();
            return Ok(hash.ok_or(PartError::Hidden { found, wanted: self.used }));
        }
        if range.end - range.start == 1 {
            let Some(salt) = salt(&self.part.nodes, range.start) else {
                return Ok(Err(PartError::Salt(range.start)));
            };
            let bytes = (self.read)(range.start)?;
            if bytes.len() != leaf_len(self.part.size, range.start) {
                return Ok(Err(PartError::Length(range.start)));
            }
            return Ok(Ok(leaf_hash(&salt, &bytes)));
        }
        let middle = middle(&range);
        let left = match self.walk(range.start..middle)? {
            Ok(left) => left,
            other => return Ok(other),
        };
        Ok(self.walk(middle..range.end)?.map(|right| ledger::tree::node(&left, &right)))
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::ggm::{DEPTH, puncture};
    use crate::salted::SaltedTree;

    const SECRET: [u8; 32] = [7; 32];

    fn exhibit(len: usize) -> (Vec<u8>, Sha256Hex) {
        let bytes: Vec<u8> = (0..len).map(|i| (i / 7 % 251) as u8).collect();
        let mut tree = SaltedTree::new(SECRET);
        tree.update(&bytes);
        (bytes, tree.finish())
    }

    fn leaf_of(bytes: &[u8]) -> impl FnMut(u64) -> Result<Vec<u8>, Infallible> + '_ {
        |leaf| {
            let from = leaf as usize * LEAF;
            Ok(bytes[from..(from + LEAF).min(bytes.len())].to_vec())
        }
    }

    fn size_of() -> impl Strategy<Value = usize> {
        prop_oneof![0usize..3, 4095usize..4098, 0usize..90_000]
    }

    fn ranges_of() -> impl Strategy<Value = Vec<(u64, u64)>> {
        prop::collection::vec((0u64..100_000, 0u64..20_000), 0..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

        /// What is shown proves; no salt of a hidden leaf goes with it; a changed byte, hash or node
        /// proves nothing.
        #[test]
        fn a_part_proves_and_betrays_nothing(
            len in size_of(), ranges in ranges_of(), at in any::<prop::sample::Index>(), bit in 0u8..8,
        ) {
            let (bytes, root) = exhibit(len);
            let size = len as u64;
            let ranges: Vec<_> = ranges.iter().map(|(start, len)| *start..start + len).collect();
            let runs = widen(&ranges, size);
            for range in &ranges {
                for byte in [range.start, range.end.saturating_sub(1)] {
                    if range.contains(&byte) && byte < size {
                        prop_assert!(runs.iter().any(|r| r.contains(&(byte / LEAF as u64))));
                    }
                }
            }
            let nodes = [Node::root(SECRET)];
            let part = Part::take(size, &runs, &nodes, &[], &mut leaf_of(&bytes)).unwrap().unwrap();
            prop_assert_eq!(part.check(&root, &mut leaf_of(&bytes)).unwrap(), Ok(()));
            for leaf in 0..leaves(size) {
                let shown = runs.iter().any(|r| r.contains(&leaf));
                prop_assert_eq!(salt(&part.nodes, leaf).is_some(), shown, "{}", leaf);
            }
            prop_assert!(part.nodes.len() <= 2 * usize::from(DEPTH) * runs.len().max(1));
            // A byte of a leaf that is shown.
            if let Some(run) = runs.first() && size > 0 {
                let mut changed = bytes.clone();
                let from = run.start as usize * LEAF;
                let to = (run.end as usize * LEAF).min(len);
                changed[from + at.index(to - from)] ^= 1 << bit;
                prop_assert_eq!(part.check(&root, &mut leaf_of(&changed)).unwrap(), Err(PartError::Root));
            }
            if !part.hidden.is_empty() {
                let mut other = part.clone();
                let n = at.index(other.hidden.len());
                other.hidden[n][0] ^= 1 << bit;
                prop_assert_eq!(other.check(&root, &mut leaf_of(&bytes)).unwrap(), Err(PartError::Root));
                other.hidden.pop();
                prop_assert!(other.check(&root, &mut leaf_of(&bytes)).unwrap().is_err());
            }
            let mut longer = part.clone();
            longer.hidden.push([0; 32]);
            prop_assert!(longer.check(&root, &mut leaf_of(&bytes)).unwrap().is_err());
            // More salts than are needed are refused: they would give hidden leaves away.
            let mut generous = part.clone();
            generous.nodes.push(Node::root(SECRET));
            let verdict = generous.check(&root, &mut leaf_of(&bytes)).unwrap();
            prop_assert!(matches!(verdict, Err(PartError::Node(_))));
        }

        /// What was erased stays erased, and the rest proves as before, also after a second time.
        #[test]
        fn what_is_erased_leaves_hashes_and_nothing_else(
            len in size_of(), first in ranges_of(), second in ranges_of(), shown in ranges_of(),
        ) {
            let (bytes, root) = exhibit(len);
            let size = len as u64;
            let of = |ranges: &[(u64, u64)]| {
                widen(&ranges.iter().map(|(s, l)| *s..s + l).collect::<Vec<_>>(), size)
            };
            let mut nodes = vec![Node::root(SECRET)];
            let mut erased = Vec::new();
            let mut left = bytes.clone();
            for runs in [of(&first), of(&second)] {
                let fresh: Vec<_> = runs.clone();
                erased = erase(size, &fresh, &nodes, &erased, &mut leaf_of(&left)).unwrap().unwrap();
                for run in &runs {
                    nodes = puncture(&nodes, run.start, run.end);
                    let to = (run.end as usize * LEAF).min(len);
                    left[run.start as usize * LEAF..to].fill(0);
                }
            }
            let gone = |leaf: u64| erased.iter().any(|e| e.leaves.contains(&leaf));
            for leaf in 0..leaves(size) {
                prop_assert_eq!(salt(&nodes, leaf).is_none(), gone(leaf));
            }
            let want = of(&shown);
            let part = Part::take(size, &want, &nodes, &erased, &mut leaf_of(&left)).unwrap();
            if want.iter().any(|run| run.clone().any(gone)) {
                prop_assert!(matches!(part, Err(PartError::Salt(_))));
            } else {
                prop_assert_eq!(part.unwrap().check(&root, &mut leaf_of(&left)).unwrap(), Ok(()));
            }
        }
    }

    /// Who holds a part and guesses what is hidden learns nothing: the salt is missing, and without
    /// it every guess hashes to something else.
    #[test]
    fn a_hidden_birth_year_cannot_be_guessed() {
        let bytes = [vec![b'.'; LEAF], b"born 1984".to_vec()].concat();
        let mut tree = SaltedTree::new(SECRET);
        tree.update(&bytes);
        let root = tree.finish();
        let size = bytes.len() as u64;
        let nodes = [Node::root(SECRET)];
        let runs = widen(std::slice::from_ref(&(0..10)), size);
        let part = Part::take(size, &runs, &nodes, &[], &mut leaf_of(&bytes)).unwrap().unwrap();
        assert_eq!(part.check(&root, &mut leaf_of(&bytes)).unwrap(), Ok(()));
        assert_eq!(part.hidden.len(), 1);
        for year in 1900..2030 {
            let guess = format!("born {year}");
            // All that the holder has: salts that he was given, and none at all.
            for known in (0..2).filter_map(|leaf| salt(&part.nodes, leaf)).chain([[0; 32]]) {
                assert_ne!(leaf_hash(&known, guess.as_bytes()), part.hidden[0]);
            }
        }
        assert_eq!(salt(&part.nodes, 1), None);
    }
}

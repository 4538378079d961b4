//! Proofs over the tree: that a leaf stands in it, and that one tree begins another.

use super::{Hash, node, root, split};

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

/// The root over the first `size` leaves, computed with `complete(height, index)`, which gives the
/// hash of the full subtree of 2^height leaves that starts at index·2^height.
///
/// # Errors
/// Those of `complete`.
pub fn root_of<E>(
    size: u64,
    complete: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Hash, E> {
    if size == 0 { Ok(root(&[])) } else { range(0, size, complete) }
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

/// The consistency proof (RFC 9162, 2.1.4.1) between the trees of the first `old` and the first
/// `new` leaves of one log. Empty where `old` is 0 or `new`.
pub fn consistency<E>(
    old: u64,
    new: u64,
    complete: &mut dyn FnMut(u32, u64) -> Result<Hash, E>,
) -> Result<Vec<Hash>, E> {
    if old == 0 || old >= new {
        return Ok(Vec::new());
    }
    // Goes down to where the old tree ends; `start` is 0 as long as all to the left is old.
    let (mut start, mut end) = (0, new);
    let mut proof = Vec::new();
    while end > old {
        let middle = start + split(end - start);
        if old <= middle {
            proof.push(range(middle, end, complete)?);
            end = middle;
        } else {
            proof.push(range(start, middle, complete)?);
            start = middle;
        }
    }
    if start > 0 {
        proof.push(range(start, end, complete)?);
    }
    proof.reverse();
    Ok(proof)
}

/// True if `proof` shows that the tree of `old` leaves with the root `before` is the beginning of
/// the tree of `new` leaves with the root `after` (RFC 9162, 2.1.4.2). An empty tree begins every
/// tree, so that nothing can show it, and nothing does.
pub fn is_consistent(old: u64, new: u64, proof: &[Hash], before: &Hash, after: &Hash) -> bool {
    if old > new || old == 0 {
        return false;
    }
    if old == new {
        return proof.is_empty() && before == after;
    }
    let (mut at, mut last) = (old - 1, new - 1);
    while at & 1 == 1 {
        at >>= 1;
        last >>= 1;
    }
    // Where the old tree is complete, its root is the proof's first hash.
    let (first, rest) = if old.is_power_of_two() {
        (before, proof)
    } else {
        match proof.split_first() {
            Some(parts) => parts,
            None => return false,
        }
    };
    if rest.is_empty() {
        return false;
    }
    let (mut one, mut two) = (*first, *first);
    for sibling in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            one = node(sibling, &one);
            two = node(sibling, &two);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            two = node(&two, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && one == *before && two == *after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::leaf;

    fn leaves(size: u64) -> Vec<Hash> {
        (0..size).map(|i| leaf(&i.to_be_bytes())).collect()
    }

    fn subtree(leaves: &[Hash], height: u32, i: u64) -> Hash {
        root(&leaves[(i << height) as usize..((i + 1) << height) as usize])
    }

    #[test]
    fn every_leaf_is_proved() {
        for size in [1u64, 2, 3, 7, 8, 13, 31] {
            let leaves = leaves(size);
            let top = root(&leaves);
            for index in 0..size {
                let proof =
                    inclusion::<()>(index, size, &mut |height, i| Ok(subtree(&leaves, height, i)))
                        .unwrap();
                assert!(is_included(&leaves[index as usize], index, size, &proof, &top));
                assert!(!is_included(&leaves[index as usize], index + 1, size, &proof, &top));
            }
        }
    }

    #[test]
    fn every_tree_is_shown_to_begin_every_later_one_and_no_other() {
        let all = leaves(40);
        let strange = root(&[[9; 32]]);
        for new in 0..=40u64 {
            let after = root(&all[..new as usize]);
            for old in 0..=new {
                let before = root(&all[..old as usize]);
                let proof =
                    consistency::<()>(old, new, &mut |h, i| Ok(subtree(&all, h, i))).unwrap();
                let shown = is_consistent(old, new, &proof, &before, &after);
                assert_eq!(shown, old > 0, "{old} {new}");
                assert!(!is_consistent(old, new, &proof, &before, &strange), "{old} {new}");
                assert!(!is_consistent(old, new, &proof, &strange, &after), "{old} {new}");
                for at in 0..proof.len() {
                    let mut other = proof.clone();
                    other[at][3] ^= 1;
                    assert!(!is_consistent(old, new, &other, &before, &after), "{old} {new}");
                    other.remove(at);
                    assert!(!is_consistent(old, new, &other, &before, &after), "{old} {new}");
                }
                let longer = [proof.as_slice(), &[strange]].concat();
                assert!(!is_consistent(old, new, &longer, &before, &after), "{old} {new}");
                // Roots prove nothing about sizes that lie below: only the other way of counting
                // the same tree could pass, and it must not.
                if old != new {
                    assert!(!is_consistent(new, old, &proof, &after, &before), "{old} {new}");
                }
            }
        }
    }
}

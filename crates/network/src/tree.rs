//! Hierarchies: resellers above resellers, servers above servers.

/// A forest over nodes `0..n`. Material may state two parents or a circle: the least parent is
/// taken, and a node whose chain leads back to itself is told apart ([`Forest::circular`]).
#[derive(Debug, Clone)]
pub struct Forest {
    parent: Vec<Option<u32>>,
    depth: Vec<u32>,
    size: Vec<u32>,
    circular: Vec<bool>,
}

impl Forest {
    /// A forest of `nodes` nodes from `(child, parent)` pairs in any order. Pairs beyond `nodes`
    /// and self-parents are left out.
    pub fn new(nodes: u32, pairs: &[(u32, u32)]) -> Self {
        let n = nodes as usize;
        let mut parent: Vec<Option<u32>> = vec![None; n];
        for (child, above) in pairs {
            if *child < nodes && *above < nodes && child != above {
                let slot = &mut parent[*child as usize];
                *slot = Some(slot.map_or(*above, |old| old.min(*above)));
            }
        }
        // 0 unseen, 1 on the current chain, 2 done.
        let mut state = vec![0u8; n];
        let mut depth = vec![0u32; n];
        let mut circular = vec![false; n];
        for start in 0..n {
            let mut chain = Vec::new();
            let mut at = start;
            let top = loop {
                if state[at] == 1 {
                    let from = chain.iter().position(|x| *x == at).unwrap_or(0);
                    for node in &chain[from..] {
                        circular[*node] = true;
                    }
                    break None;
                }
                if state[at] == 2 {
                    break Some(at);
                }
                state[at] = 1;
                chain.push(at);
                match parent[at] {
                    Some(above) => at = above as usize,
                    None => break None,
                }
            };
            let mut above = top.map(|t| depth[t]);
            for node in chain.into_iter().rev() {
                depth[node] = if circular[node] { 0 } else { above.map_or(0, |d| d + 1) };
                above = Some(depth[node]);
                state[node] = 2;
            }
        }
        let mut order: Vec<usize> = (0..n).collect();
        order.sort_by_key(|node| std::cmp::Reverse(depth[*node]));
        let mut size = vec![1u32; n];
        for node in order {
            if circular[node] {
                continue;
            }
            if let Some(above) = parent[node] {
                size[above as usize] = size[above as usize].saturating_add(size[node]);
            }
        }
        Self { parent, depth, size, circular }
    }

    /// The node above.
    pub fn parent(&self, node: u32) -> Option<u32> {
        self.parent.get(node as usize).copied().flatten()
    }

    /// Steps to the top; 0 for a top and for nodes of a circle.
    pub fn depth(&self, node: u32) -> u32 {
        self.depth.get(node as usize).copied().unwrap_or(0)
    }

    /// The node and all below it.
    pub fn size(&self, node: u32) -> u32 {
        self.size.get(node as usize).copied().unwrap_or(0)
    }

    /// True if the chain above the node comes back to it.
    pub fn circular(&self, node: u32) -> bool {
        self.circular.get(node as usize).copied().unwrap_or(false)
    }

    /// Nodes without a parent, ascending.
    pub fn tops(&self) -> impl Iterator<Item = u32> + '_ {
        (0u32..).zip(&self.parent).filter(|(_, parent)| parent.is_none()).map(|(node, _)| node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_depths_and_circles() {
        // 0 over 1, 2; 2 over 3; 4 and 5 over each other, 6 below 4.
        let forest =
            Forest::new(7, &[(1, 0), (2, 0), (3, 2), (4, 5), (5, 4), (6, 4), (6, 6), (9, 0)]);
        assert_eq!(forest.size(0), 4);
        assert_eq!(forest.depth(3), 2);
        assert!(forest.circular(4) && forest.circular(5) && !forest.circular(6));
        assert_eq!(forest.size(4), 2);
        assert_eq!(forest.tops().collect::<Vec<_>>(), [0]);
    }
}

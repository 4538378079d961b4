//! A graph in compressed rows: links both ways, bounded searches.

use std::collections::VecDeque;

/// Nodes `0..n` and their neighbours, in compressed sparse rows. Undirected: each edge stands at
/// both of its ends. Memory: 4 bytes a node and 8 an edge.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    starts: Vec<u32>,
    neighbours: Vec<u32>,
}

impl Graph {
    /// A graph of `nodes` nodes. Edges to nodes beyond are left out; loops are kept once.
    pub fn new(nodes: u32, edges: &[(u32, u32)]) -> Self {
        let inside = |(a, b): &&(u32, u32)| *a < nodes && *b < nodes;
        let mut starts = vec![0u32; nodes as usize + 1];
        for (a, b) in edges.iter().filter(inside) {
            starts[*a as usize + 1] += 1;
            if a != b {
                starts[*b as usize + 1] += 1;
            }
        }
        for i in 1..starts.len() {
            starts[i] += starts[i - 1];
        }
        let mut next = starts.clone();
        let mut neighbours = vec![0u32; starts[nodes as usize] as usize];
        let mut put = |from: u32, to: u32| {
            let at = &mut next[from as usize];
            neighbours[*at as usize] = to;
            *at += 1;
        };
        for (a, b) in edges.iter().filter(inside) {
            put(*a, *b);
            if a != b {
                put(*b, *a);
            }
        }
        for node in 0..nodes as usize {
            neighbours[starts[node] as usize..starts[node + 1] as usize].sort_unstable();
        }
        Self { starts, neighbours }
    }

    /// Number of nodes.
    pub fn len(&self) -> u32 {
        u32::try_from(self.starts.len().saturating_sub(1)).unwrap_or(u32::MAX)
    }

    /// True without nodes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The neighbours of a node, ascending. Empty for a node that is not there.
    pub fn neighbours(&self, node: u32) -> &[u32] {
        let node = node as usize;
        match (self.starts.get(node), self.starts.get(node + 1)) {
            (Some(from), Some(to)) => &self.neighbours[*from as usize..*to as usize],
            _ => &[],
        }
    }

    /// The component of each node, numbered by its least node in order.
    pub fn components(&self) -> Vec<u32> {
        let mut of = vec![u32::MAX; self.len() as usize];
        let mut count = 0;
        let mut stack = Vec::new();
        for seed in 0..self.len() {
            if of[seed as usize] != u32::MAX {
                continue;
            }
            of[seed as usize] = count;
            stack.push(seed);
            while let Some(node) = stack.pop() {
                for next in self.neighbours(node) {
                    if of[*next as usize] == u32::MAX {
                        of[*next as usize] = count;
                        stack.push(*next);
                    }
                }
            }
            count += 1;
        }
        of
    }

    /// A shortest path, both ends included, through at most `visits` nodes; `None` where there is
    /// none or the bound was reached. Among equals the one through the least nodes.
    pub fn path(&self, from: u32, to: u32, visits: usize) -> Option<Vec<u32>> {
        if from >= self.len() || to >= self.len() {
            return None;
        }
        let mut before = vec![u32::MAX; self.len() as usize];
        before[from as usize] = from;
        let mut queue = VecDeque::from([from]);
        let mut seen = 0;
        while let Some(node) = queue.pop_front() {
            if node == to {
                let mut path = vec![to];
                let mut at = to;
                while at != from {
                    at = before[at as usize];
                    path.push(at);
                }
                path.reverse();
                return Some(path);
            }
            seen += 1;
            if seen > visits {
                return None;
            }
            for next in self.neighbours(node) {
                if before[*next as usize] == u32::MAX {
                    before[*next as usize] = node;
                    queue.push_back(*next);
                }
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_components() {
        let graph = Graph::new(7, &[(0, 1), (1, 2), (2, 3), (0, 4), (4, 3), (5, 5), (6, 99)]);
        assert_eq!(graph.path(0, 3, 100), Some(vec![0, 4, 3]));
        assert_eq!(graph.path(0, 3, 1), None);
        assert_eq!(graph.path(0, 5, 100), None);
        assert_eq!(graph.path(0, 99, 100), None);
        assert_eq!(graph.components(), [0, 0, 0, 0, 0, 1, 2]);
        assert_eq!(graph.neighbours(5), [5]);
        assert!(Graph::new(0, &[]).is_empty());
    }
}

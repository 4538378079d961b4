//! Where nodes stand in a picture: a multilevel spring-electrical layout.
//!
//! Each connected part is coarsened by joining every node to a neighbour of high degree until few
//! are left; the coarsest is laid out from a spiral, and each finer level is placed around it and
//! refined (Y. Hu, "Efficient and high quality force-directed graph drawing", 2005). Repulsion is
//! summed over a quadtree (Barnes and Hut, 1986). The parts are then packed, largest first.
//!
//! Invariants: the same input gives the same places, whatever the number of threads; the work is
//! bounded by the number of nodes and edges, not by convergence; every place is finite.

mod pack;
mod quadtree;

use quadtree::Tree;

/// A place. Units are those of an edge's wished length, [`EDGE`].
pub type Place = (f32, f32);

/// The wished length of an edge.
pub const EDGE: f32 = 10.0;
/// Nodes below which a level is coarse enough.
const COARSE: usize = 40;
/// Node visits each level may spend, which bounds its rounds.
const BUDGET: usize = 400_000;
/// Fewest and most rounds of a level.
const ROUNDS: (usize, usize) = (18, 150);
/// Nodes from which on threads are worth their start.
const PARALLEL: usize = 3000;

/// Places for `nodes` nodes joined by `edges` (positions of nodes). Loops and edges beyond the
/// nodes are left out; an edge that stands twice pulls twice.
pub fn layout(nodes: usize, edges: &[(u32, u32)]) -> Vec<Place> {
    let edges: Vec<(u32, u32)> = edges
        .iter()
        .copied()
        .filter(|(a, b)| a != b && (*a as usize) < nodes && (*b as usize) < nodes)
        .collect();
    let parts = parts(nodes, &edges);
    let laid: Vec<(Vec<u32>, Vec<Place>)> = parts
        .into_iter()
        .map(|part| {
            let places = lay_part(&part);
            (part.members, places)
        })
        .collect();
    pack::pack(nodes, laid)
}

/// A connected part: its nodes, and its edges by position in them.
struct Part {
    members: Vec<u32>,
    edges: Vec<(u32, u32)>,
}

/// Connected parts, largest first, then by least member.
fn parts(nodes: usize, edges: &[(u32, u32)]) -> Vec<Part> {
    let mut root: Vec<u32> = (0..nodes as u32).collect();
    fn find(root: &mut [u32], mut i: u32) -> u32 {
        while root[i as usize] != i {
            root[i as usize] = root[root[i as usize] as usize];
            i = root[i as usize];
        }
        i
    }
    for (a, b) in edges {
        let (a, b) = (find(&mut root, *a), find(&mut root, *b));
        root[a.max(b) as usize] = a.min(b);
    }
    let mut of: Vec<u32> = vec![u32::MAX; nodes];
    let mut local: Vec<u32> = vec![0; nodes];
    let mut parts: Vec<Part> = Vec::new();
    for i in 0..nodes as u32 {
        let r = find(&mut root, i) as usize;
        if of[r] == u32::MAX {
            of[r] = parts.len() as u32;
            parts.push(Part { members: Vec::new(), edges: Vec::new() });
        }
        of[i as usize] = of[r];
        let part = &mut parts[of[r] as usize];
        local[i as usize] = part.members.len() as u32;
        part.members.push(i);
    }
    for (a, b) in edges {
        parts[of[*a as usize] as usize].edges.push((local[*a as usize], local[*b as usize]));
    }
    parts.sort_by_key(|p| (std::cmp::Reverse(p.members.len()), p.members[0]));
    parts
}

/// A level of coarseness.
struct Level {
    /// How many nodes of the finest level each node stands for.
    mass: Vec<f32>,
    /// Neighbours of node `i`: `near[first[i]..first[i + 1]]`, with how many edges.
    first: Vec<u32>,
    near: Vec<(u32, f32)>,
}

impl Level {
    fn new(mass: Vec<f32>, edges: impl Iterator<Item = (u32, u32, f32)> + Clone) -> Self {
        let n = mass.len();
        let mut first = vec![0u32; n + 1];
        for (a, b, _) in edges.clone() {
            first[a as usize + 1] += 1;
            first[b as usize + 1] += 1;
        }
        for i in 0..n {
            first[i + 1] += first[i];
        }
        let mut at = first.clone();
        let mut near = vec![(0, 0.0); first[n] as usize];
        for (a, b, w) in edges {
            near[at[a as usize] as usize] = (b, w);
            at[a as usize] += 1;
            near[at[b as usize] as usize] = (a, w);
            at[b as usize] += 1;
        }
        Self { mass, first, near }
    }

    fn len(&self) -> usize {
        self.mass.len()
    }

    fn of(&self, i: usize) -> &[(u32, f32)] {
        &self.near[self.first[i] as usize..self.first[i + 1] as usize]
    }

    /// A coarser level, and which of its nodes each of ours became. Nodes of high degree take
    /// their neighbours in.
    fn coarser(&self) -> (Self, Vec<u32>) {
        let n = self.len();
        let mut order: Vec<u32> = (0..n as u32).collect();
        order.sort_by_key(|&i| (std::cmp::Reverse(self.of(i as usize).len()), i));
        let mut into = vec![u32::MAX; n];
        let mut count = 0u32;
        for &i in &order {
            if into[i as usize] != u32::MAX {
                continue;
            }
            into[i as usize] = count;
            for &(j, _) in self.of(i as usize) {
                if into[j as usize] == u32::MAX {
                    into[j as usize] = count;
                }
            }
            count += 1;
        }
        let mut mass = vec![0.0; count as usize];
        for i in 0..n {
            mass[into[i] as usize] += self.mass[i];
        }
        let mut joined: Vec<(u32, u32, f32)> = Vec::new();
        for i in 0..n {
            for &(j, w) in self.of(i) {
                let (a, b) = (into[i], into[j as usize]);
                if a < b {
                    joined.push((a, b, w));
                }
            }
        }
        joined.sort_unstable_by_key(|e| (e.0, e.1));
        joined.dedup_by(|next, kept| {
            let same = (next.0, next.1) == (kept.0, kept.1);
            if same {
                kept.2 += next.2;
            }
            same
        });
        (Self::new(mass, joined.iter().copied()), into)
    }
}

/// Points of a spiral, each a golden angle on from the last, evenly spread.
struct Spiral {
    turn: (f32, f32),
    i: f32,
}

impl Spiral {
    fn new() -> Self {
        Self { turn: (1.0, 0.0), i: 0.0 }
    }

    fn next(&mut self) -> Place {
        // cos and sin of the golden angle: turned by multiplication, the same on every machine.
        const COS: f32 = -0.737_368_9;
        const SIN: f32 = 0.675_490_3;
        let (x, y) = self.turn;
        self.turn = (x * COS - y * SIN, x * SIN + y * COS);
        let size = (self.turn.0 * self.turn.0 + self.turn.1 * self.turn.1).sqrt();
        self.turn = (self.turn.0 / size, self.turn.1 / size);
        let far = (self.i + 0.5).sqrt();
        self.i += 1.0;
        (self.turn.0 * far, self.turn.1 * far)
    }
}

fn lay_part(part: &Part) -> Vec<Place> {
    let n = part.members.len();
    match n {
        0 => return Vec::new(),
        1 => return vec![(0.0, 0.0)],
        2 => return vec![(-EDGE / 2.0, 0.0), (EDGE / 2.0, 0.0)],
        _ => {}
    }
    let edges = part.edges.iter().map(|(a, b)| (*a, *b, 1.0));
    let mut levels = vec![Level::new(vec![1.0; n], edges)];
    let mut maps: Vec<Vec<u32>> = Vec::new();
    while let Some(last) = levels.last()
        && last.len() > COARSE
    {
        let (next, map) = last.coarser();
        // A connected part of two or more nodes always shrinks; this only bounds what is useless.
        if next.len() * 20 > last.len() * 19 {
            break;
        }
        levels.push(next);
        maps.push(map);
    }
    let coarsest = levels.len() - 1;
    let mut spiral = Spiral::new();
    let spread = EDGE * (n as f32 / levels[coarsest].len() as f32).sqrt();
    let mut places: Vec<Place> = (0..levels[coarsest].len())
        .map(|_| {
            let (x, y) = spiral.next();
            (x * spread, y * spread)
        })
        .collect();
    for l in (0..=coarsest).rev() {
        let level = &levels[l];
        if l < coarsest {
            places = placed_around(level, &maps[l], &places);
        }
        // A coarse node stands for several: its edges are as much longer as they need room.
        let length = EDGE * (n as f32 / level.len() as f32).sqrt();
        relax(level, &mut places, length, l == coarsest);
    }
    places
}

/// Finer places: each node near what it was joined into.
fn placed_around(level: &Level, map: &[u32], coarse: &[Place]) -> Vec<Place> {
    let mut spirals: Vec<Spiral> = coarse.iter().map(|_| Spiral::new()).collect();
    (0..level.len())
        .map(|i| {
            let into = map[i] as usize;
            let (dx, dy) = spirals[into].next();
            (coarse[into].0 + dx * EDGE * 0.35, coarse[into].1 + dy * EDGE * 0.35)
        })
        .collect()
}

fn relax(level: &Level, places: &mut Vec<Place>, length: f32, coarsest: bool) {
    let n = level.len();
    let rounds = (BUDGET / n.max(1)).clamp(ROUNDS.0, ROUNDS.1);
    let mut step = if coarsest { length * 2.0 } else { length * 0.6 };
    let cool = (0.02f32).powf(1.0 / rounds as f32);
    let threads = if n < PARALLEL {
        1
    } else {
        std::thread::available_parallelism().map_or(1, |p| p.get().min(8))
    };
    let mut next = places.clone();
    for _ in 0..rounds {
        let tree = Tree::new(places, &level.mass);
        let chunk = n.div_ceil(threads);
        let now = &*places;
        if threads == 1 {
            moved(level, &tree, now, length, step, 0, &mut next);
        } else {
            std::thread::scope(|scope| {
                for (k, out) in next.chunks_mut(chunk).enumerate() {
                    let tree = &tree;
                    scope.spawn(move || moved(level, tree, now, length, step, k * chunk, out));
                }
            });
        }
        std::mem::swap(places, &mut next);
        step *= cool;
    }
}

/// The places of nodes `begin..` after one step along their forces.
fn moved(
    level: &Level,
    tree: &Tree,
    places: &[Place],
    length: f32,
    step: f32,
    begin: usize,
    out: &mut [Place],
) {
    let strength = length * length * 0.25;
    for (k, out) in out.iter_mut().enumerate() {
        let i = begin + k;
        let at = places[i];
        let (rx, ry) = tree.push(at, i as u32);
        let (mut fx, mut fy) = (rx * strength, ry * strength);
        let heft = level.mass[i];
        for &(j, w) in level.of(i) {
            let (dx, dy) = (places[j as usize].0 - at.0, places[j as usize].1 - at.1);
            let far = (dx * dx + dy * dy).sqrt();
            let pull = far / length * w.min(4.0) / heft.sqrt();
            fx += dx * pull;
            fy += dy * pull;
        }
        let size = (fx * fx + fy * fy).sqrt();
        *out = if size > 1e-9 && size.is_finite() {
            let go = step.min(size) / size;
            (at.0 + fx * go, at.1 + fy * go)
        } else {
            at
        };
    }
}

#[cfg(test)]
mod tests;

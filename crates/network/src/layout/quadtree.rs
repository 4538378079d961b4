//! A quadtree in one array, walked without a stack: points sorted by their Morton code, cells in
//! depth-first order, each with the index behind its last descendant.

use super::Place;

/// How small a cell must look to be taken as one: its width over its distance.
const OPEN: f32 = 1.1;
/// Points in a cell that is not divided further.
const BUCKET: usize = 6;
/// Bits of a Morton code for each axis: the deepest division.
const DEPTH: u32 = 16;

struct Cell {
    x: f32,
    y: f32,
    mass: f32,
    width2: f32,
    /// The cell to go on with when this one is taken whole.
    skip: u32,
    /// Its points, in the sorted order, where it is not divided; else empty.
    begin: u32,
    end: u32,
}

/// Points with masses, to be summed over from any place.
pub(super) struct Tree {
    cells: Vec<Cell>,
    points: Vec<(f32, f32, f32, u32)>,
}

impl Tree {
    pub(super) fn new(places: &[Place], mass: &[f32]) -> Self {
        let mut low = (f32::MAX, f32::MAX);
        let mut high = (f32::MIN, f32::MIN);
        for (x, y) in places {
            low = (low.0.min(*x), low.1.min(*y));
            high = (high.0.max(*x), high.1.max(*y));
        }
        let width = (high.0 - low.0).max(high.1 - low.1).max(1e-3);
        let scale = ((1u32 << DEPTH) - 1) as f32 / width;
        let mut order: Vec<(u32, u32)> = places
            .iter()
            .enumerate()
            .map(|(i, (x, y))| {
                let code = spread(((x - low.0) * scale) as u32)
                    | spread(((y - low.1) * scale) as u32) << 1;
                (code, i as u32)
            })
            .collect();
        order.sort_unstable();
        let points = order
            .iter()
            .map(|&(_, i)| (places[i as usize].0, places[i as usize].1, mass[i as usize], i))
            .collect();
        let mut tree = Self { cells: Vec::with_capacity(places.len() / 2 + 8), points };
        let codes: Vec<u32> = order.iter().map(|o| o.0).collect();
        if !codes.is_empty() {
            tree.grow(&codes, 0, codes.len(), DEPTH, width);
        }
        tree
    }

    fn grow(&mut self, codes: &[u32], begin: usize, end: usize, depth: u32, width: f32) {
        let (mut x, mut y, mut mass) = (0.0f32, 0.0f32, 0.0f32);
        for p in &self.points[begin..end] {
            x += p.0 * p.2;
            y += p.1 * p.2;
            mass += p.2;
        }
        let leaf = end - begin <= BUCKET || depth == 0;
        let at = self.cells.len();
        self.cells.push(Cell {
            x: x / mass,
            y: y / mass,
            mass,
            width2: width * width,
            skip: 0,
            begin: if leaf { begin as u32 } else { 0 },
            end: if leaf { end as u32 } else { 0 },
        });
        if !leaf {
            let shift = (depth - 1) * 2;
            let mut from = begin;
            while from < end {
                let quarter = codes[from] >> shift;
                let to = from + codes[from..end].partition_point(|c| c >> shift == quarter);
                self.grow(codes, from, to, depth - 1, width / 2.0);
                from = to;
            }
        }
        self.cells[at].skip = self.cells.len() as u32;
    }

    /// The sum of `mass × direction / distance²` away from every point but `own`.
    pub(super) fn push(&self, (px, py): Place, own: u32) -> (f32, f32) {
        let (mut fx, mut fy) = (0.0f32, 0.0f32);
        let mut at = 0;
        while let Some(cell) = self.cells.get(at) {
            let (dx, dy) = (px - cell.x, py - cell.y);
            let far2 = dx * dx + dy * dy;
            if cell.width2 < OPEN * OPEN * far2 {
                let force = cell.mass / far2;
                fx += dx * force;
                fy += dy * force;
                at = cell.skip as usize;
                continue;
            }
            for &(x, y, mass, i) in &self.points[cell.begin as usize..cell.end as usize] {
                if i == own {
                    continue;
                }
                let (mut dx, mut dy) = (px - x, py - y);
                let mut far2 = dx * dx + dy * dy;
                if far2 < 1e-4 {
                    // Two points in one place part along a direction of their numbers' own.
                    let side = if own < i { 1.0 } else { -1.0 };
                    dx = side * 0.01;
                    dy = side * 0.01 * (1.0 + (own ^ i) as f32 % 7.0);
                    far2 = dx * dx + dy * dy;
                }
                let force = mass / far2;
                fx += dx * force;
                fy += dy * force;
            }
            at += 1;
        }
        (fx, fy)
    }
}

/// The bits of a 16-bit number, one place apart.
fn spread(n: u32) -> u32 {
    let mut n = n & 0xffff;
    n = (n | n << 8) & 0x00ff_00ff;
    n = (n | n << 4) & 0x0f0f_0f0f;
    n = (n | n << 2) & 0x3333_3333;
    (n | n << 1) & 0x5555_5555
}

//! Parts beside one another: the larger ones by a skyline, the many small ones in rows beneath, and
//! what has no link at all in a block at the right that takes no more than a quarter of the width.

use super::{EDGE, Place};

/// Most parts placed by the skyline; the rest, all smaller, stand in a grid.
const SKYLINE: usize = 300;
/// Room between parts.
const GAP: f32 = EDGE * 2.0;

struct Block {
    members: Vec<u32>,
    places: Vec<Place>,
    width: f32,
    height: f32,
}

impl Block {
    fn new((members, mut places): (Vec<u32>, Vec<Place>)) -> Self {
        let fold = |f: fn(f32, f32) -> f32, start: f32, pick: fn(&Place) -> f32| {
            places.iter().map(pick).fold(start, f)
        };
        let low = (fold(f32::min, f32::MAX, |p| p.0), fold(f32::min, f32::MAX, |p| p.1));
        let high = (fold(f32::max, f32::MIN, |p| p.0), fold(f32::max, f32::MIN, |p| p.1));
        for place in &mut places {
            *place = (place.0 - low.0, place.1 - low.1);
        }
        Self { members, places, width: high.0 - low.0 + GAP, height: high.1 - low.1 + GAP }
    }
}

/// The lone nodes' share of the width of what is joined: a quarter of the whole.
const BESIDE: f32 = 1.0 / 3.0;
/// The gap before them, of that share.
const BEFORE: f32 = 0.15;

/// One picture of all parts (largest first); places by node.
pub(super) fn pack(nodes: usize, parts: Vec<(Vec<u32>, Vec<Place>)>) -> Vec<Place> {
    let (lone, joined): (Vec<_>, Vec<_>) =
        parts.into_iter().filter(|p| !p.0.is_empty()).partition(|p| p.0.len() == 1);
    let lone: Vec<u32> = lone.into_iter().flat_map(|p| p.0).collect();
    let mut out = vec![(0.0, 0.0); nodes];
    let (wide, high) = pack_joined(joined, &mut out);
    beside(&lone, wide, high, &mut out);
    out
}

/// Lone nodes in columns beside a picture of this size, as far apart as there is room for, but no
/// farther than parts are. However many they are, they take no more than their share.
fn beside(lone: &[u32], wide: f32, high: f32, out: &mut [Place]) {
    let n = lone.len() as f32;
    if lone.is_empty() {
        return;
    }
    if wide <= 0.0 {
        let across = ((n * 1.6).sqrt().ceil() as usize).max(1);
        for (i, node) in lone.iter().enumerate() {
            out[*node as usize] = ((i % across) as f32 * GAP, (i / across) as f32 * GAP);
        }
        return;
    }
    // A row of a few nodes is as flat as a line: it is given the height of a screen.
    let tall = high.max(wide / 1.6);
    let room = wide * BESIDE * (1.0 - BEFORE);
    let apart = (room * tall / n).sqrt().min(GAP).min(room);
    let down = ((tall / apart) as usize).max(1);
    let across = lone.len().div_ceil(down);
    // Rounded up to whole columns, they may be a little too wide: then they stand closer.
    let apart = if across > 1 { apart.min(room / (across - 1) as f32) } else { apart };
    let rows = lone.len().div_ceil(across);
    let left = wide + (wide * BESIDE * BEFORE).min(GAP * 2.0);
    let top = (high - (rows - 1) as f32 * apart) / 2.0;
    for (i, node) in lone.iter().enumerate() {
        let (column, row) = ((i / rows) as f32, (i % rows) as f32);
        out[*node as usize] = (left + column * apart, top + row * apart);
    }
    // Parts never stand nearer than an edge is long: beside a small picture all grows alike.
    let grow = EDGE / (left - wide);
    if grow > 1.0 {
        for place in out {
            *place = (place.0 * grow, place.1 * grow);
        }
    }
}

/// The parts that hold links, packed; the size of what they take.
fn pack_joined(parts: Vec<(Vec<u32>, Vec<Place>)>, out: &mut [Place]) -> (f32, f32) {
    let mut blocks: Vec<Block> = parts.into_iter().map(Block::new).collect();
    let rest = blocks.split_off(blocks.len().min(SKYLINE));
    let area: f32 = blocks.iter().chain(&rest).map(|b| b.width * b.height).sum();
    let widest = blocks.iter().map(|b| b.width).fold(0.0, f32::max);
    // A screen is wider than high.
    let width = (area * 1.6).sqrt().max(widest);
    // The skyline: (left, top) of each stretch; it ends at `width`.
    let mut line: Vec<(f32, f32)> = vec![(0.0, 0.0)];
    let mut bottom = 0.0f32;
    for block in &blocks {
        let (x, y) = lowest(&line, width, block.width);
        raise(&mut line, x, block.width, y + block.height, width);
        bottom = bottom.max(y + block.height);
        set(out, block, x, y);
    }
    let cell = rest.iter().map(|b| b.width.max(b.height)).fold(0.0, f32::max);
    if cell > 0.0 {
        let across = ((width / cell) as usize).max(1);
        for (i, block) in rest.iter().enumerate() {
            set(out, block, (i % across) as f32 * cell, bottom + (i / across) as f32 * cell);
        }
    }
    let all = || blocks.iter().chain(&rest).flat_map(|b| &b.members).map(|i| out[*i as usize]);
    (all().map(|p| p.0).fold(0.0, f32::max), all().map(|p| p.1).fold(0.0, f32::max))
}

fn set(out: &mut [Place], block: &Block, x: f32, y: f32) {
    for (i, (px, py)) in block.members.iter().zip(&block.places) {
        out[*i as usize] = (px + x, py + y);
    }
}

/// Where a block of this width stands lowest, then leftmost.
fn lowest(line: &[(f32, f32)], width: f32, wide: f32) -> Place {
    let mut best = (0.0, f32::MAX);
    for (k, (x, _)) in line.iter().enumerate() {
        if k > 0 && x + wide > width {
            break;
        }
        let top = line[k..]
            .iter()
            .take_while(|(left, _)| *left < x + wide)
            .map(|s| s.1)
            .fold(0.0, f32::max);
        if top < best.1 {
            best = (*x, top);
        }
    }
    best
}

fn raise(line: &mut Vec<(f32, f32)>, x: f32, wide: f32, top: f32, width: f32) {
    let end = (x + wide).min(width);
    let after = line.iter().rev().find(|(left, _)| *left <= end).map_or(0.0, |s| s.1);
    line.retain(|(left, _)| *left < x || *left > end);
    let at = line.partition_point(|(left, _)| *left < x);
    line.insert(at, (x, top));
    if end < width && line.get(at + 1).is_none_or(|(left, _)| *left > end) {
        line.insert(at + 1, (end, after));
    }
}

//! Parts beside one another: the larger ones by a skyline, the many small ones in rows beneath.

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

/// One picture of all parts (largest first); places by node.
pub(super) fn pack(nodes: usize, parts: Vec<(Vec<u32>, Vec<Place>)>) -> Vec<Place> {
    let mut blocks: Vec<Block> =
        parts.into_iter().filter(|p| !p.0.is_empty()).map(Block::new).collect();
    let rest = blocks.split_off(blocks.len().min(SKYLINE));
    let area: f32 = blocks.iter().chain(&rest).map(|b| b.width * b.height).sum();
    let widest = blocks.iter().map(|b| b.width).fold(0.0, f32::max);
    // A screen is wider than high.
    let width = (area * 1.6).sqrt().max(widest);
    let mut out = vec![(0.0, 0.0); nodes];
    // The skyline: (left, top) of each stretch; it ends at `width`.
    let mut line: Vec<(f32, f32)> = vec![(0.0, 0.0)];
    let mut bottom = 0.0f32;
    for block in &blocks {
        let (x, y) = lowest(&line, width, block.width);
        raise(&mut line, x, block.width, y + block.height, width);
        bottom = bottom.max(y + block.height);
        set(&mut out, block, x, y);
    }
    let cell = rest.iter().map(|b| b.width.max(b.height)).fold(0.0, f32::max);
    if cell > 0.0 {
        let across = ((width / cell) as usize).max(1);
        for (i, block) in rest.iter().enumerate() {
            set(&mut out, block, (i % across) as f32 * cell, bottom + (i / across) as f32 * cell);
        }
    }
    out
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

//! What a batch of entries adds to a log, without any disk: for logs that are kept elsewhere than in
//! a folder. Tiles come out and tiles go in, as bytes.

pub use crate::store::{
    Tile, decode_bundle, encode_bundle, encode_hashes, partials, tile_at, tiles_at,
};

use crate::error::{Error, Result};
use crate::publish::{Staged, filled};
use crate::store::{MAX_ENTRY, levels};
use crate::tree::{Edge, Hash, leaf};

/// The right end of a log: all that is needed to go on from it.
#[derive(Debug, Clone, Default)]
pub struct Tip {
    edge: Edge,
    staged: Staged,
}

/// A tile at the right end that is not what the tree needs, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// Which.
    pub tile: Tile,
    /// How it does not fit.
    pub what: &'static str,
}

impl Tip {
    /// The right end of a tree of `size` entries from the bytes of [`partials`], in their order.
    /// The last bundle is compared with the hashes; the caller compares [`Tip::root`] with a signed
    /// checkpoint.
    ///
    /// # Errors
    /// The first tile that does not fit.
    pub fn of_tiles(size: u64, bytes: &[Vec<u8>]) -> std::result::Result<Self, Unfit> {
        let mut hashes = vec![Vec::new(); levels(size) as usize];
        let mut bundle = Vec::new();
        let mut bytes = bytes.iter();
        for tile in partials(size) {
            let unfit = |what| Unfit { tile, what };
            let bytes = bytes.next().ok_or(unfit("it is not there"))?;
            let Some(level) = tile.level else {
                bundle = decode_bundle(bytes).ok_or(unfit("its entries do not fit it"))?;
                if bundle.len() as u64 != tile.width {
                    return Err(unfit("it holds another number of entries than its name says"));
                }
                let leaves = hashes.first().into_iter().flatten();
                if !bundle.iter().map(|entry| leaf(entry)).eq(leaves.copied()) {
                    return Err(unfit("its entries are not those of the hashes"));
                }
                continue;
            };
            let (chunks, rest) = bytes.as_chunks::<32>();
            if !rest.is_empty() || chunks.len() as u64 != tile.width {
                return Err(unfit("it holds another number of hashes than its name says"));
            }
            hashes[level as usize] = chunks.to_vec();
        }
        let staged = Staged::after(size, &bundle);
        Ok(Self { edge: Edge::from_levels(size, hashes), staged })
    }

    /// Adds entries; the tiles that this makes, full and partial, with their bytes. One that stood
    /// before (of a high level, which did not grow) is not among them: what readers may be reading is
    /// never written again.
    ///
    /// # Errors
    /// An entry too large: nothing is added.
    pub fn grow(&mut self, entries: &[Vec<u8>]) -> Result<Vec<(Tile, Vec<u8>)>> {
        if let Some(long) = entries.iter().map(Vec::len).find(|len| *len > MAX_ENTRY) {
            return Err(Error::TooLarge(long));
        }
        let stood: Vec<Tile> = partials(self.size()).collect();
        let mut full = Vec::new();
        for entry in entries {
            let mut keep = |level, number, h: &[Hash]| full.push(filled(level, number, h));
            self.edge.push(leaf(entry), &mut keep);
        }
        self.staged.extend(entries, full);
        let mut tiles = self.staged.take(&self.edge);
        tiles.retain(|(tile, _)| !stood.contains(tile));
        Ok(tiles)
    }

    /// Entries.
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// The root over them.
    pub fn root(&self) -> Hash {
        self.edge.root()
    }

    /// The hashes of a tile at the right end; `None` where it is another, or full.
    pub fn hashes(&self, level: u32, number: u64) -> Option<&[Hash]> {
        let mut partials = self.edge.partials();
        partials.find(|(l, n, _)| (*l, *n) == (level, number)).map(|(_, _, hashes)| hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(range: std::ops::Range<u64>) -> Vec<Vec<u8>> {
        range.map(|n| n.to_be_bytes().to_vec()).collect()
    }

    #[test]
    fn a_tip_read_back_from_its_tiles_goes_on_the_same() {
        for size in [0, 1, 255, 256, 257, 700, 65_536, 65_537 + 256] {
            let mut tip = Tip::default();
            let made = tip.grow(&entries(0..size)).unwrap();
            let bytes: Vec<Vec<u8>> = partials(size)
                .map(|tile| made.iter().find(|(t, _)| *t == tile).unwrap().1.clone())
                .collect();
            let mut again = Tip::of_tiles(size, &bytes).unwrap();
            assert_eq!((again.size(), again.root()), (size, tip.root()));
            let more = entries(size..size + 300);
            assert_eq!(again.grow(&more).unwrap(), tip.grow(&more).unwrap());
            assert_eq!(again.root(), tip.root());
        }
    }

    #[test]
    fn tiles_that_do_not_fit_are_named() {
        let mut tip = Tip::default();
        let made = tip.grow(&entries(0..300)).unwrap();
        let tiles: Vec<Tile> = partials(300).collect();
        let of = |tile: &Tile| made.iter().find(|(t, _)| t == tile).unwrap().1.clone();
        let bytes: Vec<Vec<u8>> = tiles.iter().map(of).collect();
        for (n, tile) in tiles.iter().enumerate() {
            let mut cut = bytes.clone();
            cut[n].pop();
            assert_eq!(Tip::of_tiles(300, &cut).unwrap_err().tile, *tile);
            assert!(Tip::of_tiles(300, &bytes[..n]).is_err());
        }
        let mut other = bytes;
        *other[2].last_mut().unwrap() ^= 1;
        assert_eq!(Tip::of_tiles(300, &other).unwrap_err().tile.level, None);
        assert!(matches!(tip.grow(&[vec![0; MAX_ENTRY + 1]]), Err(Error::TooLarge(_))));
        assert_eq!(tip.size(), 300);
    }
}

//! The files of a log: C2SP tlog-tiles, under the log's folder.
//!
//! `checkpoint`, `tile/<L>/<N>[.p/<W>]` (hashes), `tile/entries/<N>[.p/<W>]` (bundles: each entry
//! with its length in two bytes before it), and our own `journal` and `journal-2`.

use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::journal::MAX_BATCH;
use crate::note::MAX_CHECKPOINT;
use crate::tree::{Hash, WIDTH};

/// The two journals' names.
pub(crate) const JOURNALS: [&str; 2] = ["journal", "journal-2"];

/// The most that one journal holds: twice the greatest batch, with room for checkpoints. One that
/// waits for its tiles is published before it could grow beyond.
pub(crate) const MAX_JOURNAL: u64 = 2 * MAX_BATCH as u64 + (1 << 20);

/// The longest entry, in bytes.
pub const MAX_ENTRY: usize = 65_535;

/// Which tile of which level; `None` is the level of the entries themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tile {
    /// Hashes of this level, or entries.
    pub level: Option<u32>,
    /// Counted from the left.
    pub number: u64,
    /// 1 to 256; 256 is full.
    pub width: u64,
}

impl Tile {
    /// Its path below the log's folder.
    pub fn path(&self) -> PathBuf {
        let level = self.level.map_or_else(|| "entries".to_owned(), |l| l.to_string());
        let mut groups = format!("{:03}", self.number % 1000);
        let mut rest = self.number / 1000;
        while rest > 0 {
            groups = format!("x{:03}/{groups}", rest % 1000);
            rest /= 1000;
        }
        let partial = if self.width < WIDTH { format!(".p/{}", self.width) } else { String::new() };
        PathBuf::from(format!("tile/{level}/{groups}{partial}"))
    }

    /// The tile of a path below the log's folder, where it is one in its one writing.
    pub fn of_path(path: &Path) -> Option<Self> {
        let text = path.to_str()?;
        let rest = text.strip_prefix("tile/")?;
        let (level, rest) = rest.split_once('/')?;
        let level = if level == "entries" { None } else { Some(level.parse().ok()?) };
        let (groups, width) = match rest.split_once(".p/") {
            Some((groups, width)) => (groups, width.parse().ok()?),
            None => (rest, WIDTH),
        };
        let mut number = 0u64;
        for group in groups.split('/') {
            let digits: u64 = group.strip_prefix('x').unwrap_or(group).parse().ok()?;
            number = number.checked_mul(1000)?.checked_add(digits)?;
        }
        let tile = Self { level, number, width };
        ((1..=WIDTH).contains(&width) && tile.path() == path).then_some(tile)
    }

    /// The tile that holds the full subtree of 2^height leaves which starts at `index`·2^height, in
    /// a tree of `size` leaves that has it; and which of its hashes are the subtree's.
    pub fn of_subtree(size: u64, height: u32, index: u64) -> (Self, Range<usize>) {
        let level = height / 8;
        let span = 1u64 << (height % 8);
        let first = index * span;
        let (number, at) = (first / WIDTH, (first % WIDTH) as usize);
        let width = ((size >> (8 * level)) - number * WIDTH).min(WIDTH);
        (Self { level: Some(level), number, width }, at..at + span as usize)
    }
}

/// The tiles of a tree of `size` entries at one level: full ones, then perhaps a partial one.
pub fn tiles_at(level: Option<u32>, size: u64) -> impl Iterator<Item = Tile> {
    let count = size.checked_shr(level.unwrap_or(0).saturating_mul(8)).unwrap_or(0);
    (0..count.div_ceil(WIDTH)).map(move |number| Tile {
        level,
        number,
        width: (count - number * WIDTH).min(WIDTH),
    })
}

/// The tile of that number at one level of a tree of `size` entries, where there is one.
pub fn tile_at(level: Option<u32>, size: u64, number: u64) -> Option<Tile> {
    let count = size.checked_shr(level.unwrap_or(0).saturating_mul(8)).unwrap_or(0);
    let width = count.checked_sub(number.checked_mul(WIDTH)?)?.min(WIDTH);
    (width > 0).then_some(Tile { level, number, width })
}

/// The tiles at the right end of a tree of `size` entries, where they are not full: of hashes from
/// the lowest level up, then of entries.
pub fn partials(size: u64) -> impl Iterator<Item = Tile> {
    (0..levels(size)).map(Some).chain([None]).filter_map(move |level| {
        let count = size >> (8 * level.unwrap_or(0));
        let tile = Tile { level, number: count / WIDTH, width: count % WIDTH };
        (tile.width > 0).then_some(tile)
    })
}

/// How many levels of hash tiles a tree has.
pub(crate) fn levels(size: u64) -> u32 {
    (0..8).take_while(|level| size >> (8 * level) > 0).count() as u32
}

/// Entries as their bundle has them.
pub fn encode_bundle<'a>(entries: impl IntoIterator<Item = &'a Vec<u8>>) -> Vec<u8> {
    let mut out = Vec::new();
    for entry in entries {
        encode_entry(&mut out, entry);
    }
    out
}

/// One entry as bundles and journals have it: its length before it.
pub(crate) fn encode_entry(out: &mut Vec<u8>, entry: &[u8]) {
    // Appending has refused longer ones.
    out.extend_from_slice(&u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
    out.extend_from_slice(entry);
}

/// The entries of a bundle; `None` where the lengths do not end with the bytes.
pub fn decode_bundle(bytes: &[u8]) -> Option<Vec<Vec<u8>>> {
    spans(bytes).map(|span| span.map(|(from, to)| bytes[from..to].to_vec())).collect()
}

/// Where the entries of a bundle stand; `None`, last, where a length goes beyond its end.
pub(crate) fn spans(bytes: &[u8]) -> impl Iterator<Item = Option<(usize, usize)>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..).filter(|rest| !rest.is_empty())?;
        let end = rest.split_first_chunk::<2>().map(|(len, entry)| {
            let len = usize::from(u16::from_be_bytes(*len));
            (len <= entry.len()).then_some(at + 2 + len)
        });
        let span = end.flatten().map(|end| (at + 2, end));
        at = span.map_or(bytes.len(), |(_, end)| end);
        Some(span)
    })
}

/// Hashes as their tile has them.
pub fn encode_hashes(hashes: &[Hash]) -> Vec<u8> {
    hashes.concat()
}

/// The files of one log, for reading. A writer may go on meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) dir: PathBuf,
}

impl Store {
    pub(crate) fn checkpoint_path(&self) -> PathBuf {
        self.dir.join("checkpoint")
    }

    pub(crate) fn journal_paths(&self) -> [PathBuf; 2] {
        JOURNALS.map(|name| self.dir.join(name))
    }

    /// The published checkpoint's text; `None` where there is none yet.
    pub(crate) fn checkpoint(&self) -> Result<Option<String>> {
        let path = self.checkpoint_path();
        match read(&path, MAX_CHECKPOINT as u64 + 1) {
            Ok(bytes) => String::from_utf8(bytes)
                .map(Some)
                .map_err(|_| Error::damaged(&path, "it is not text")),
            Err(e) if e.is_missing() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// The journals and their bytes; none where there is no such file.
    pub(crate) fn journals(&self) -> Result<[(PathBuf, Vec<u8>); 2]> {
        let [first, second] = self.journal_paths().map(|path| {
            let bytes = match read(&path, MAX_JOURNAL + 1) {
                Err(e) if e.is_missing() => Ok(Vec::new()),
                Ok(bytes) if bytes.len() as u64 > MAX_JOURNAL => {
                    Err(Error::damaged(&path, "it is longer than a journal can be"))
                }
                other => other,
            };
            bytes.map(|bytes| (path, bytes))
        });
        Ok([first?, second?])
    }

    /// The tile's bytes: at least its width's worth, from a wider one where a writer has gone on.
    pub(crate) fn tile(&self, tile: Tile) -> Result<Vec<u8>> {
        let exact = self.dir.join(tile.path());
        // A bundle is at most 256 entries with their lengths, which is more than any hash tile.
        let most = WIDTH * (MAX_ENTRY as u64 + 2);
        let mut last = None;
        for _ in 0..5 {
            let mut widths = vec![tile.width, WIDTH];
            if let Ok(entries) = exact.parent().unwrap_or(&self.dir).read_dir()
                && tile.width < WIDTH
            {
                let names =
                    entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<u64>().ok());
                widths.extend(names.filter(|w| *w > tile.width && *w < WIDTH));
            }
            for width in widths {
                let path = self.dir.join(Tile { width, ..tile }.path());
                match read(&path, most) {
                    Ok(bytes) => return Ok(bytes),
                    Err(e) if e.is_missing() => last = Some(e),
                    Err(e) => return Err(e),
                }
            }
        }
        Err(last.unwrap_or_else(|| Error::damaged(&exact, "it cannot be read")))
    }

    /// The entries of a bundle, `tile.width` of them.
    pub(crate) fn bundle(&self, number: u64, width: u64) -> Result<Vec<Vec<u8>>> {
        let tile = Tile { level: None, number, width };
        let damaged = || Error::damaged(&self.dir.join(tile.path()), "its entries do not fit it");
        let mut entries = decode_bundle(&self.tile(tile)?).ok_or_else(damaged)?;
        if (entries.len() as u64) < width {
            return Err(damaged());
        }
        entries.truncate(width as usize);
        Ok(entries)
    }

    /// The hashes of a tile, `width` of them.
    pub(crate) fn hashes(&self, level: u32, number: u64, width: u64) -> Result<Vec<Hash>> {
        let tile = Tile { level: Some(level), number, width };
        let bytes = self.tile(tile)?;
        let (chunks, rest) = bytes.as_chunks::<32>();
        if !rest.is_empty() || (chunks.len() as u64) < width {
            return Err(Error::damaged(&self.dir.join(tile.path()), "its hashes do not fit it"));
        }
        Ok(chunks[..width as usize].to_vec())
    }
}

/// The first bytes of a plain file, at most `most`.
pub(crate) fn read(path: &Path, most: u64) -> Result<Vec<u8>> {
    use std::io::Read;
    let mut out = Vec::new();
    match crate::plain::open(path).and_then(|file| file.take(most).read_to_end(&mut out)) {
        Ok(_) => Ok(out),
        Err(e) if crate::plain::is_other(&e) => Err(Error::NotAFile(path.to_owned())),
        Err(e) => Err(Error::disk("read", path, e)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_of_the_specification() {
        let tile = |level, number, width| Tile { level, number, width };
        for (tile, path) in [
            (tile(Some(0), 0, 256), "tile/0/000"),
            (tile(Some(0), 1_234_067, 256), "tile/0/x001/x234/067"),
            (tile(Some(2), 5, 17), "tile/2/005.p/17"),
            (tile(None, 1000, 256), "tile/entries/x001/000"),
            (tile(None, 1001, 1), "tile/entries/x001/001.p/1"),
        ] {
            assert_eq!(tile.path(), Path::new(path));
            assert_eq!(Tile::of_path(Path::new(path)), Some(tile));
        }
        for path in
            ["tile/0/0", "tile/0/000.p/256", "tile/0/000.p/0", "tile/00/000", "tile/0/x000/001"]
        {
            assert_eq!(Tile::of_path(Path::new(path)), None, "{path}");
        }
        assert_eq!(levels(0), 0);
        assert_eq!(levels(255), 1);
        assert_eq!(levels(256), 2);
    }
}

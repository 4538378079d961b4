//! Looking things up in an index.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::entry::{damaged, take, take_entry};
use super::{FOOTER, MAGIC};
use crate::tables::Identity;
use crate::{Error, Result};

/// Most bytes of one block: [`super::BLOCK`], and one entry more of a bounded key and rows.
const MAX_BLOCK: u64 = 1 << 20;

/// An index; shared between threads. Its list of blocks is in memory: about 40 bytes for each 8 KiB
/// of the file. The file itself is opened by each cursor that reads: a case has hundreds of indexes,
/// a process only so many open files.
#[derive(Debug)]
pub(crate) struct IndexFile {
    /// Held open where the file has no name any more.
    held: Option<File>,
    path: PathBuf,
    /// The file that the list of blocks is of.
    identity: Identity,
    blocks: Vec<Block>,
    firsts: Vec<u8>,
    keys: u64,
    rows: u64,
}

#[derive(Debug, Clone, Copy)]
struct Block {
    first: u32,
    first_len: u32,
    offset: u64,
    len: u32,
}

impl IndexFile {
    /// Opens an index that is to lose its name.
    pub(crate) fn open_held(path: &Path) -> Result<Self> {
        let held =
            File::open(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Ok(Self { held: Some(held), ..Self::open(path)? })
    }

    /// Reads an index's list of blocks.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Self::list(path).map_err(|error| error.of_file(path))
    }

    fn list(path: &Path) -> Result<Self> {
        let read = |source| Error::Read { path: path.to_owned(), source };
        let file = File::open(path).map_err(read)?;
        let metadata = file.metadata().map_err(read)?;
        let size = metadata.len();
        let mut footer = [0u8; FOOTER];
        let at = size.checked_sub(FOOTER as u64).ok_or_else(damaged)?;
        file.read_exact_at(&mut footer, at).map_err(read)?;
        if &footer[40..] != MAGIC {
            return Err(damaged());
        }
        let number = |i: usize| {
            let mut bytes = [0; 8];
            bytes.copy_from_slice(&footer[i * 8..i * 8 + 8]);
            u64::from_le_bytes(bytes)
        };
        let [list_at, list_len, keys, rows, count] = [0, 1, 2, 3, 4].map(number);
        if list_at.checked_add(list_len) != Some(at) || count > list_len {
            return Err(damaged());
        }
        let mut list = vec![0; usize::try_from(list_len).map_err(|_| damaged())?];
        file.read_exact_at(&mut list, list_at).map_err(read)?;
        let mut rest = list.as_slice();
        let mut blocks = Vec::new();
        let mut firsts = Vec::new();
        for _ in 0..count {
            let len = usize::try_from(take(&mut rest)?).map_err(|_| damaged())?;
            if len > rest.len() {
                return Err(damaged());
            }
            let (first, tail) = rest.split_at(len);
            rest = tail;
            let (offset, len) = (take(&mut rest)?, take(&mut rest)?);
            if len > MAX_BLOCK || offset.checked_add(len).is_none_or(|end| end > list_at) {
                return Err(damaged());
            }
            blocks.push(Block {
                first: u32::try_from(firsts.len()).map_err(|_| damaged())?,
                first_len: first.len() as u32,
                offset,
                len: len as u32,
            });
            firsts.extend_from_slice(first);
        }
        Ok(Self {
            held: None,
            path: path.to_owned(),
            identity: Identity::of(&metadata),
            blocks,
            firsts,
            keys,
            rows,
        })
    }

    /// The file it was read from.
    pub(crate) fn identity(&self) -> Identity {
        self.identity
    }

    /// Bytes it takes in memory.
    pub(crate) fn memory(&self) -> usize {
        self.firsts.len() + self.blocks.len() * size_of::<Block>()
    }

    /// Distinct keys.
    pub(crate) fn keys(&self) -> u64 {
        self.keys
    }

    /// Rows, over all keys.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    fn first(&self, block: usize) -> &[u8] {
        let b = &self.blocks[block];
        &self.firsts[b.first as usize..(b.first + b.first_len) as usize]
    }

    /// Every entry, in order.
    pub(crate) fn all(&self) -> Cursor<'_> {
        Cursor {
            index: self,
            file: None,
            block: 0,
            buffer: Vec::new(),
            at: 0,
            key: Vec::new(),
            rows: Vec::new(),
            from: Vec::new(),
        }
    }

    /// Entries whose key is at least `from`, in order.
    pub(crate) fn seek(&self, from: &[u8]) -> Cursor<'_> {
        // A key may go on from the block before the first that starts with it.
        let (mut low, mut high) = (0, self.blocks.len());
        while low < high {
            let middle = low.midpoint(high);
            if self.first(middle) < from { low = middle + 1 } else { high = middle }
        }
        Cursor { block: low.saturating_sub(1), from: from.to_vec(), ..self.all() }
    }

    /// Entries with the prefix and below, the greatest first; or, going on, those from the key
    /// `from` downwards.
    pub(crate) fn back(&self, prefix: &[u8], from: Option<&[u8]>) -> BackCursor<'_> {
        // A key is within where it is not beyond the end; every key with the prefix is.
        let end = from.unwrap_or(prefix);
        let within = |key: &[u8]| key <= end || (from.is_none() && key.starts_with(prefix));
        let (mut low, mut high) = (0, self.blocks.len());
        while low < high {
            let middle = low.midpoint(high);
            if within(self.first(middle)) { low = middle + 1 } else { high = middle }
        }
        BackCursor {
            index: self,
            file: None,
            block: low,
            entries: Vec::new(),
            end: end.to_vec(),
            whole: from.is_none(),
            key: Vec::new(),
            rows: Vec::new(),
        }
    }

    /// A block's bytes. A cursor's `file` is opened when it first reads.
    fn read(&self, block: usize, buffer: &mut Vec<u8>, file: &mut Option<File>) -> Result<()> {
        let block = self.blocks[block];
        let failed = |source| Error::Read { path: self.path.clone(), source }.of_file(&self.path);
        let file = match (&self.held, file) {
            (Some(held), _) => held,
            (None, Some(file)) => file,
            (None, none) => {
                let file = File::open(&self.path).map_err(failed)?;
                // Places in another file of that name would be read as if they were of this one.
                if Identity::of(&file.metadata().map_err(failed)?) != self.identity {
                    return Err(Error::Remade);
                }
                none.insert(file)
            }
        };
        buffer.resize(block.len as usize, 0);
        file.read_exact_at(buffer, block.offset).map_err(failed)
    }

    /// Rows that hold `key`: at most `limit` of them, ascending.
    pub(crate) fn rows_of(&self, key: &[u8], limit: usize) -> Result<Vec<u64>> {
        let mut found = Vec::new();
        let mut cursor = self.seek(key);
        while found.len() < limit && cursor.next()? && cursor.key == key {
            found.extend_from_slice(&cursor.rows);
        }
        found.truncate(limit);
        Ok(found)
    }

    /// How many rows hold `key`.
    pub(crate) fn count_of(&self, key: &[u8]) -> Result<u64> {
        let mut count = 0;
        let mut cursor = self.seek(key);
        while cursor.next()? && cursor.key == key {
            count += cursor.rows.len() as u64;
        }
        Ok(count)
    }
}

/// A place in an index.
pub(crate) struct Cursor<'a> {
    index: &'a IndexFile,
    /// Opened when the first block is read.
    file: Option<File>,
    block: usize,
    buffer: Vec<u8>,
    at: usize,
    /// The entry's key.
    pub(crate) key: Vec<u8>,
    /// The entry's rows, ascending. A key with many rows comes several times.
    pub(crate) rows: Vec<u64>,
    from: Vec<u8>,
}

impl Cursor<'_> {
    /// Leaves out the blocks that end before `key`; never goes back.
    pub(super) fn skip_to(&mut self, key: &[u8]) {
        let index = self.index;
        if self.block >= index.blocks.len() || index.first(self.block) >= key {
            return;
        }
        let (mut low, mut high) = (self.block + 1, index.blocks.len());
        while low < high {
            let middle = low.midpoint(high);
            if index.first(middle) < key { low = middle + 1 } else { high = middle }
        }
        self.block = low - 1;
        self.buffer.clear();
        self.at = 0;
    }

    /// Moves to the next entry; false at the end.
    pub(crate) fn next(&mut self) -> Result<bool> {
        loop {
            if self.at == self.buffer.len() {
                if self.block >= self.index.blocks.len() {
                    return Ok(false);
                }
                self.index.read(self.block, &mut self.buffer, &mut self.file)?;
                self.at = 0;
                self.key.clear();
                self.block += 1;
                if self.buffer.is_empty() {
                    continue;
                }
            }
            let mut rest = &self.buffer[self.at..];
            self.rows.clear();
            take_entry(&mut rest, &mut self.key, &mut self.rows)
                .map_err(|error| error.of_file(&self.index.path))?;
            self.at = self.buffer.len() - rest.len();
            if self.key >= self.from {
                self.from.clear();
                return Ok(true);
            }
        }
    }
}

/// A place in an index, moving backwards: a block is decoded whole, then given out from its end.
pub(crate) struct BackCursor<'a> {
    index: &'a IndexFile,
    /// Opened when the first block is read.
    file: Option<File>,
    /// Blocks below this one are still to come.
    block: usize,
    entries: Vec<(Vec<u8>, Vec<u64>)>,
    end: Vec<u8>,
    whole: bool,
    /// The entry's key.
    pub(crate) key: Vec<u8>,
    /// The entry's rows, ascending.
    pub(crate) rows: Vec<u64>,
}

impl BackCursor<'_> {
    /// Moves to the entry before; false at the beginning.
    pub(crate) fn next(&mut self) -> Result<bool> {
        loop {
            while let Some((key, rows)) = self.entries.pop() {
                if key <= self.end || (self.whole && key.starts_with(&self.end)) {
                    (self.key, self.rows) = (key, rows);
                    return Ok(true);
                }
            }
            let Some(block) = self.block.checked_sub(1) else { return Ok(false) };
            self.block = block;
            let mut buffer = Vec::new();
            self.index.read(block, &mut buffer, &mut self.file)?;
            let (mut rest, mut key) = (buffer.as_slice(), Vec::new());
            while !rest.is_empty() {
                let mut rows = Vec::new();
                take_entry(&mut rest, &mut key, &mut rows)
                    .map_err(|error| error.of_file(&self.index.path))?;
                self.entries.push((key.clone(), rows));
            }
        }
    }
}

//! Building an index: sorted runs, spilled to disk, merged.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ledger::disk::Pending;
use sha2::{Digest, Sha256};

use super::entry::{put, put_entry, take_entry};
use super::heap;
use super::{BLOCK, ENTRY_ROWS, FOOTER, MAGIC};
use crate::{Error, Result};

/// Runs are kept in memory up to this many bytes, then spilled.
const IN_MEMORY: usize = 4 << 20;

/// What all runs together may hold for reading ahead while they are merged.
const READ_AHEAD: usize = 24 << 20;

/// Collects keys and rows, and gives them out sorted.
#[derive(Default)]
pub(crate) struct RunMaker {
    arena: Vec<u8>,
    /// First eight bytes, place in the arena, row.
    items: Vec<(u64, u32, u32, u64)>,
}

fn prefix(key: &[u8]) -> u64 {
    let mut first = [0; 8];
    let n = key.len().min(8);
    first[..n].copy_from_slice(&key[..n]);
    u64::from_be_bytes(first)
}

impl RunMaker {
    /// Adds a row that holds `key`. One run's keys stay below 4 GiB: a row group does.
    pub(crate) fn push(&mut self, key: &[u8], row: u64) {
        let (Ok(at), Ok(len)) = (u32::try_from(self.arena.len()), u32::try_from(key.len())) else {
            return;
        };
        self.arena.extend_from_slice(key);
        self.items.push((prefix(key), at, len, row));
    }

    /// The run's bytes: entries sorted by key, each with its rows ascending.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let arena = &self.arena;
        let key = |item: &(u64, u32, u32, u64)| {
            &arena[item.1 as usize..item.1 as usize + item.2 as usize]
        };
        self.items.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| key(a).cmp(key(b))).then_with(|| a.3.cmp(&b.3))
        });
        let mut out = Vec::with_capacity(self.arena.len() + self.items.len() * 4);
        let mut before: &[u8] = &[];
        let mut rows = Vec::new();
        let mut i = 0;
        while i < self.items.len() {
            let now = key(&self.items[i]);
            rows.clear();
            while i < self.items.len() && key(&self.items[i]) == now {
                rows.push(self.items[i].3);
                i += 1;
            }
            put_entry(&mut out, before, now, &rows);
            before = now;
        }
        out
    }
}

/// Takes the sorted runs of a table, in the order of their rows, and writes the index.
pub(crate) struct IndexBuilder {
    folder: PathBuf,
    memory: Vec<Vec<u8>>,
    memory_bytes: usize,
    spill: Option<Pending>,
    spilled: Vec<(u64, u64)>,
}

/// A finished index without its name yet.
#[derive(Debug)]
pub(crate) struct BuiltIndex {
    pub(crate) file: Pending,
    pub(crate) keys: u64,
    pub(crate) rows: u64,
    pub(crate) digest: [u8; 32],
}

impl IndexBuilder {
    /// An index whose files are made in `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            memory: Vec::new(),
            memory_bytes: 0,
            spill: None,
            spilled: Vec::new(),
        }
    }

    /// Adds a run. Its rows are beyond those of the runs before.
    pub(crate) fn add(&mut self, run: Vec<u8>) -> Result<()> {
        if run.is_empty() {
            return Ok(());
        }
        self.memory_bytes += run.len();
        self.memory.push(run);
        if self.memory_bytes > IN_MEMORY {
            let spill = match &mut self.spill {
                Some(spill) => spill,
                None => self.spill.insert(Pending::new(&self.folder)?),
            };
            for run in self.memory.drain(..) {
                self.spilled.push((spill.len(), run.len() as u64));
                spill.append(&run)?;
            }
            self.memory_bytes = 0;
        }
        Ok(())
    }

    /// Merges the runs into the index.
    pub(crate) fn finish(self) -> Result<BuiltIndex> {
        self.finish_telling(&mut |_| {})
    }

    /// Merges the runs into the index, and tells now and then how many rows are in it.
    pub(crate) fn finish_telling(self, tell: &mut dyn FnMut(u64)) -> Result<BuiltIndex> {
        let spill = match &self.spill {
            Some(spill) => {
                let path = spill.temp_path();
                let read = |source| Error::Read { path: path.to_owned(), source };
                Some(File::open(path).map_err(read)?)
            }
            None => None,
        };
        let ahead = (READ_AHEAD / self.spilled.len().max(1)).clamp(4 << 10, 256 << 10);
        let mut runs: Vec<Run<'_>> = Vec::new();
        if let Some(spill) = &spill {
            for (offset, len) in &self.spilled {
                runs.push(Run::spilled(spill, *offset, *len, ahead));
            }
        }
        runs.extend(self.memory.iter().map(|run| Run::whole(run)));
        let mut heap = Heap::new(runs)?;
        let mut out = BlockWriter::new(&self.folder)?;
        let mut key = Vec::new();
        let mut rows = Vec::new();
        while let Some(top) = heap.top() {
            key.clear();
            key.extend_from_slice(&top.key);
            rows.clear();
            while let Some(top) = heap.top() {
                if top.key != key {
                    break;
                }
                rows.extend_from_slice(&top.rows);
                // A key of very many rows goes out in pieces.
                if rows.len() >= 1 << 20 {
                    out.put(&key, &rows)?;
                    rows.clear();
                }
                heap.advance()?;
            }
            if !rows.is_empty() {
                out.put(&key, &rows)?;
            }
            tell(out.rows);
        }
        out.finish()
    }
}

/// A run being read.
struct Run<'a> {
    key: Vec<u8>,
    prefix: u64,
    rows: Vec<u64>,
    buffer: Vec<u8>,
    at: usize,
    source: Option<(&'a File, u64, u64)>,
    whole: &'a [u8],
    ahead: usize,
}

impl<'a> Run<'a> {
    fn whole(bytes: &'a [u8]) -> Self {
        Self {
            key: Vec::new(),
            prefix: 0,
            rows: Vec::new(),
            buffer: Vec::new(),
            at: 0,
            source: None,
            whole: bytes,
            ahead: 0,
        }
    }

    fn spilled(file: &'a File, offset: u64, len: u64, ahead: usize) -> Self {
        Self { source: Some((file, offset, len)), ahead, ..Self::whole(&[]) }
    }

    /// Reads the next entry; false at the end.
    fn next(&mut self) -> Result<bool> {
        self.rows.clear();
        if self.source.is_none() {
            if self.whole.is_empty() {
                return Ok(false);
            }
            take_entry(&mut self.whole, &mut self.key, &mut self.rows)?;
            self.prefix = prefix(&self.key);
            return Ok(true);
        }
        loop {
            let mut rest = &self.buffer[self.at..];
            let whole = self.source.is_some_and(|(_, _, left)| left == 0);
            if rest.is_empty() && whole {
                return Ok(false);
            }
            // An entry may be cut at the buffer's end: keep a copy of the key, and read on.
            let kept = self.key.clone();
            if !rest.is_empty() {
                match take_entry(&mut rest, &mut self.key, &mut self.rows) {
                    Ok(()) => {
                        self.at = self.buffer.len() - rest.len();
                        self.prefix = prefix(&self.key);
                        return Ok(true);
                    }
                    Err(e) if whole => return Err(e),
                    Err(_) => {
                        self.key = kept;
                        self.rows.clear();
                    }
                }
            }
            self.refill()?;
        }
    }

    fn refill(&mut self) -> Result<()> {
        let Some((file, offset, left)) = &mut self.source else { return Ok(()) };
        self.buffer.drain(..self.at);
        self.at = 0;
        let old = self.buffer.len();
        let want = (self.ahead.max(old) as u64).min(*left) as usize;
        self.buffer.resize(old + want, 0);
        file.read_exact_at(&mut self.buffer[old..], *offset)
            .map_err(|source| Error::Read { path: "the work file".into(), source })?;
        *offset += want as u64;
        *left -= want as u64;
        Ok(())
    }
}

/// The run with the least key on top; between equal keys, the earlier run.
struct Heap<'a> {
    runs: Vec<Run<'a>>,
    order: Vec<u32>,
}

impl<'a> Heap<'a> {
    fn new(mut runs: Vec<Run<'a>>) -> Result<Self> {
        let mut order = Vec::with_capacity(runs.len());
        for (i, run) in runs.iter_mut().enumerate() {
            if run.next()? {
                order.push(i as u32);
            }
        }
        heap::order(&mut order, |a, b| less(&runs, a, b));
        Ok(Self { runs, order })
    }

    fn top(&self) -> Option<&Run<'a>> {
        self.order.first().map(|i| &self.runs[*i as usize])
    }

    /// Moves the top run on.
    fn advance(&mut self) -> Result<()> {
        let Some(top) = self.order.first() else { return Ok(()) };
        if !self.runs[*top as usize].next()? {
            self.order.swap_remove(0);
        }
        heap::sink(&mut self.order, 0, |a, b| less(&self.runs, a, b));
        Ok(())
    }
}

fn less(runs: &[Run<'_>], a: u32, b: u32) -> bool {
    let (x, y) = (&runs[a as usize], &runs[b as usize]);
    x.prefix.cmp(&y.prefix).then_with(|| x.key.cmp(&y.key)).then(a.cmp(&b)).is_lt()
}

/// Writes blocks.
struct BlockWriter {
    file: Pending,
    hash: Sha256,
    block: Vec<u8>,
    last: Vec<u8>,
    first: Vec<u8>,
    out: Vec<u8>,
    list: Vec<u8>,
    offset: u64,
    blocks: u64,
    keys: u64,
    rows: u64,
}

impl BlockWriter {
    fn new(folder: &Path) -> Result<Self> {
        Ok(Self {
            file: Pending::new(folder)?,
            hash: Sha256::new(),
            block: Vec::with_capacity(BLOCK * 2),
            last: Vec::new(),
            first: Vec::new(),
            out: MAGIC.to_vec(),
            list: Vec::new(),
            offset: MAGIC.len() as u64,
            blocks: 0,
            keys: 0,
            rows: 0,
        })
    }

    fn put(&mut self, key: &[u8], rows: &[u64]) -> Result<()> {
        if self.keys == 0 || self.last != key {
            self.keys += 1;
        }
        self.rows += rows.len() as u64;
        for piece in rows.chunks(ENTRY_ROWS) {
            if self.block.is_empty() {
                self.first = key.to_vec();
                put_entry(&mut self.block, &[], key, piece);
            } else {
                put_entry(&mut self.block, &self.last, key, piece);
            }
            self.last.clear();
            self.last.extend_from_slice(key);
            if self.block.len() >= BLOCK {
                self.close_block()?;
            }
        }
        Ok(())
    }

    fn close_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        put(&mut self.list, self.first.len() as u64);
        self.list.extend_from_slice(&self.first);
        put(&mut self.list, self.offset);
        put(&mut self.list, self.block.len() as u64);
        self.offset += self.block.len() as u64;
        self.blocks += 1;
        self.out.append(&mut self.block);
        if self.out.len() >= 1 << 20 {
            self.write()?;
        }
        Ok(())
    }

    fn write(&mut self) -> Result<()> {
        self.hash.update(&self.out);
        self.file.append(&self.out)?;
        self.out.clear();
        Ok(())
    }

    fn finish(mut self) -> Result<BuiltIndex> {
        self.close_block()?;
        let (at, len) = (self.offset, self.list.len() as u64);
        let list = std::mem::take(&mut self.list);
        self.out.extend_from_slice(&list);
        let start = self.out.len();
        for n in [at, len, self.keys, self.rows, self.blocks] {
            self.out.extend_from_slice(&n.to_le_bytes());
        }
        self.out.extend_from_slice(MAGIC);
        debug_assert_eq!(self.out.len() - start, FOOTER);
        self.write()?;
        Ok(BuiltIndex {
            file: self.file,
            keys: self.keys,
            rows: self.rows,
            digest: self.hash.finalize().into(),
        })
    }
}

//! Openings and leaf secrets: `vault/openings/<index of the first record>.jsonl`, one file a commit,
//! one canonical line a record, in the log's order. They are state, not a view: durable before
//! their records are in the log, and touched by no rebuild; an order of erasure alone has lines written
//! anew.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use model::ExhibitId;
use model::record::{Opening, leaf_hash};

use crate::error::{Error, Result};

/// The most bytes of openings that one commit makes, and that are read of one file.
pub(crate) const MAX_LINES: u64 = 1 << 30;

/// The fewest bytes of an opening, which names its record's hash. So where a file's lines start takes an
/// eighth of its bytes at most.
const LEAST_LINE: usize = 64;

fn too_long() -> String {
    format!("it is longer than {MAX_LINES} bytes, the most that one commit makes")
}

/// The opening files of a case, by the first record they open.
#[derive(Debug)]
pub(crate) struct Openings {
    dir: PathBuf,
    firsts: Vec<u64>,
    last: Mutex<Option<(u64, Arc<Lines>)>>,
}

/// The lines of one file.
#[derive(Debug)]
pub(crate) struct Lines {
    bytes: Vec<u8>,
    starts: Vec<usize>,
}

impl Lines {
    /// Reads a file of lines, each ended by a line feed; at most [`MAX_LINES`] bytes.
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let failed = |e| Error::unopened("read", path, e);
        let file = ledger::plain::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        // What is longer by far is not read first.
        if file.metadata().map_err(failed)?.len() <= MAX_LINES {
            file.take(MAX_LINES + 1).read_to_end(&mut bytes).map_err(failed)?;
        } else {
            return Err(Error::openings(path, too_long()));
        }
        if bytes.len() as u64 > MAX_LINES {
            return Err(Error::openings(path, too_long()));
        }
        Self::of(bytes).map_err(|why| Error::openings(path, why))
    }

    /// The lines in the bytes of a file; what is wrong with them, in words.
    pub(crate) fn of(bytes: Vec<u8>) -> std::result::Result<Self, &'static str> {
        let ends = bytes.iter().filter(|b| **b == b'\n').count();
        if ends > bytes.len() / LEAST_LINE {
            return Err("it has more lines than openings fit in its bytes");
        }
        let mut starts = Vec::with_capacity(ends + 1);
        starts.push(0);
        starts.extend((1..=bytes.len()).filter(|i| bytes[i - 1] == b'\n'));
        if starts.last() != Some(&bytes.len()) {
            return Err("the last line has no end");
        }
        Ok(Self { bytes, starts })
    }

    pub(crate) fn len(&self) -> u64 {
        self.starts.len() as u64 - 1
    }

    pub(crate) fn get(&self, at: u64) -> Option<&[u8]> {
        let at = usize::try_from(at).ok()?;
        let (start, end) = (*self.starts.get(at)?, *self.starts.get(at + 1)?);
        self.bytes.get(start..end - 1)
    }
}

/// The name of the file whose first record has that index.
pub(crate) fn file_name(first: u64) -> String {
    format!("{first:012}.jsonl")
}

/// The index in a name that [`file_name`] made.
pub(crate) fn first_of(name: &str) -> Option<u64> {
    let first = name.strip_suffix(".jsonl")?.parse().ok()?;
    (file_name(first) == name).then_some(first)
}

/// The exhibits that the openings in a file name, as far as it can be read.
pub(crate) fn exhibits_in(path: &Path) -> Vec<ExhibitId> {
    let Ok(lines) = Lines::read(path) else { return Vec::new() };
    let line = |at| Opening::parse_line(lines.get(at)?).ok();
    let openings = (0..lines.len()).filter_map(line);
    openings.filter_map(|opening| crate::erase::id_in(&opening, "exhibit")).collect()
}

/// The name of the file that would open the entry at `index`, and what is wrong with it. The nearest
/// file before begins at `first` and has `lines` lines: each file goes on where the one before ends.
pub(crate) fn lacking(index: u64, first: u64, lines: u64) -> (String, String) {
    let name = file_name(first + lines);
    let why = match lines {
        0 => format!("it is missing or empty: nothing opens entry {index}"),
        // A file that was cut behind a line looks like one after which another is missing.
        _ => format!(
            "it is missing, or {} was cut short: nothing opens entry {index}",
            file_name(first)
        ),
    };
    (name, why)
}

impl Openings {
    /// The files in `dir` of records below `size`; what lies beyond was never committed.
    pub(crate) fn open(dir: &Path, size: u64) -> Result<Self> {
        let mut firsts: Vec<u64> = names(dir)?.iter().filter_map(|name| first_of(name)).collect();
        firsts.retain(|first| *first < size);
        firsts.sort_unstable();
        Ok(Self { dir: dir.to_owned(), firsts, last: Mutex::new(None) })
    }

    pub(crate) fn path(&self, first: u64) -> PathBuf {
        self.dir.join(file_name(first))
    }

    /// The first record of the file that opens this one.
    pub(crate) fn first_of_record(&self, index: u64) -> Result<u64> {
        let at = self.firsts.partition_point(|first| *first <= index);
        at.checked_sub(1).and_then(|at| self.firsts.get(at)).copied().ok_or_else(|| {
            let (missing, why) = lacking(index, 0, 0);
            Error::openings(&self.dir.join(missing), why)
        })
    }

    /// False where the file of that record's opening cannot be read as lines.
    pub(crate) fn can_read(&self, index: u64) -> bool {
        self.first_of_record(index).is_ok_and(|first| Lines::read(&self.path(first)).is_ok())
    }

    /// Lets go of the lines in memory: their file was written anew.
    pub(crate) fn forget(&self) {
        *self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = None;
    }

    /// True where a file, and so a commit, begins at that record.
    pub(crate) fn begins(&self, first: u64) -> bool {
        self.firsts.binary_search(&first).is_ok()
    }

    /// The first record of the commit after the one that begins there.
    pub(crate) fn next_after(&self, first: u64) -> Option<u64> {
        self.firsts.get(self.firsts.partition_point(|at| *at <= first)).copied()
    }

    pub(crate) fn added(&mut self, first: u64) {
        self.firsts.push(first);
    }

    /// The opening of the record at `index`, whose bytes in the log are `entry`.
    pub(crate) fn get(&self, index: u64, entry: &[u8]) -> Result<Opening> {
        let first = self.first_of_record(index)?;
        let path = self.path(first);
        let lines = {
            let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            match &*last {
                Some((number, lines)) if *number == first => Arc::clone(lines),
                _ => {
                    let lines = Arc::new(Lines::read(&path)?);
                    *last = Some((first, Arc::clone(&lines)));
                    lines
                }
            }
        };
        let line = lines.get(index - first).ok_or_else(|| {
            let (missing, why) = lacking(index, first, lines.len());
            Error::openings(&self.dir.join(missing), why)
        })?;
        let opening =
            Opening::parse_line(line).map_err(|source| Error::Record { index, source })?;
        if opening.record != leaf_hash(entry) {
            return Err(Error::openings(
                &path,
                format!("line {} opens another record than entry {index}", index - first + 1),
            ));
        }
        Ok(opening)
    }
}

/// Names in a folder; none where it is not there.
pub(crate) fn names(dir: &Path) -> Result<Vec<String>> {
    let items = match dir.read_dir() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|e| Error::material("list", dir, e))?,
    };
    let mut out = Vec::new();
    for item in items {
        let item = item.map_err(|e| Error::material("list", dir, e))?;
        out.push(item.file_name().to_string_lossy().into_owned());
    }
    Ok(out)
}

/// A whole file of at most so many bytes.
///
/// # Errors
/// The disk; a longer file.
pub(crate) fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let failed = |e| Error::unopened("read", path, e);
    let file = ledger::plain::open(path).map_err(failed)?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() as u64 > most {
        return Err(failed(std::io::Error::other(format!("it is longer than {most} bytes"))));
    }
    Ok(bytes)
}

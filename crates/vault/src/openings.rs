//! Openings and leaf secrets: `vault/openings/<index of the first record>.jsonl`, one file a commit,
//! one canonical line a record, in the log's order. They are state, not a view: durable before
//! their records are in the log, and touched by no rebuild; an order of erasure alone has lines written
//! anew.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

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

/// How many names are tried before a folder is listed. Commits have a record or a few: the greatest that a
/// clearing house makes of 256 acts has some hundreds.
const MAX_TRIED: usize = 4_096;

/// The opening files of a case, by the first record they open.
#[derive(Debug)]
pub(crate) struct Openings {
    dir: PathBuf,
    /// Records that are committed.
    size: u64,
    /// The files, once the folder was listed.
    firsts: OnceLock<Vec<u64>>,
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
        let openings = Self::seek(dir, size);
        openings.listed()?;
        Ok(openings)
    }

    /// The same, of which none is looked for before it is wanted: a folder of millions is not listed.
    pub(crate) fn seek(dir: &Path, size: u64) -> Self {
        let (dir, firsts, last) = (dir.to_owned(), OnceLock::new(), Mutex::new(None));
        Self { dir, size, firsts, last }
    }

    fn listed(&self) -> Result<&[u64]> {
        if let Some(firsts) = self.firsts.get() {
            return Ok(firsts);
        }
        let names = names(&self.dir)?;
        let mut firsts: Vec<u64> = names.iter().filter_map(|name| first_of(name)).collect();
        firsts.retain(|first| *first < self.size);
        firsts.sort_unstable();
        Ok(self.firsts.get_or_init(|| firsts))
    }

    pub(crate) fn path(&self, first: u64) -> PathBuf {
        self.dir.join(file_name(first))
    }

    fn is_there(&self, first: u64) -> bool {
        first < self.size && self.path(first).symlink_metadata().is_ok()
    }

    /// The first record of the file that opens this one: the nearest before it.
    pub(crate) fn first_of_record(&self, index: u64) -> Result<u64> {
        if self.firsts.get().is_none() {
            let before = (0..=index).rev().take(MAX_TRIED);
            if let Some(first) = before.into_iter().find(|first| self.is_there(*first)) {
                return Ok(first);
            }
        }
        let firsts = self.listed()?;
        let at = firsts.partition_point(|first| *first <= index);
        at.checked_sub(1).and_then(|at| firsts.get(at)).copied().ok_or_else(|| {
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
        match self.firsts.get() {
            Some(firsts) => firsts.binary_search(&first).is_ok(),
            None => self.is_there(first),
        }
    }

    /// The first record of the commit after the one that begins there.
    pub(crate) fn next_after(&self, first: u64) -> Result<Option<u64>> {
        if self.firsts.get().is_none() {
            let next = first.saturating_add(self.lines(first)?.len());
            if next == self.size {
                return Ok(None);
            }
            if self.is_there(next) {
                return Ok(Some(next));
            }
        }
        let firsts = self.listed()?;
        Ok(firsts.get(firsts.partition_point(|at| *at <= first)).copied())
    }

    /// A commit was added; so many records are committed with it.
    pub(crate) fn added(&mut self, first: u64, size: u64) {
        self.size = size;
        if let Some(firsts) = self.firsts.get_mut() {
            firsts.push(first);
        }
    }

    fn lines(&self, first: u64) -> Result<Arc<Lines>> {
        let mut last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some((number, lines)) = &*last
            && *number == first
        {
            return Ok(Arc::clone(lines));
        }
        let lines = Arc::new(Lines::read(&self.path(first))?);
        *last = Some((first, Arc::clone(&lines)));
        Ok(lines)
    }

    /// The file that was read last, where it is that record's.
    fn in_last(&self, index: u64) -> Option<u64> {
        let last = self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (first, lines) = last.as_ref()?;
        (*first..first.saturating_add(lines.len())).contains(&index).then_some(*first)
    }

    /// The opening of the record at `index`, whose bytes in the log are `entry`.
    pub(crate) fn get(&self, index: u64, entry: &[u8]) -> Result<Opening> {
        let first = match self.in_last(index) {
            Some(first) => first,
            None => self.first_of_record(index)?,
        };
        let path = self.path(first);
        let lines = self.lines(first)?;
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

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // files that tests lay down
mod tests {
    use super::*;

    /// Files of commits of so many records.
    fn folder(dir: &Path, commits: &[u64]) -> u64 {
        let mut first = 0;
        for records in commits {
            let lines = format!("{}\n", "x".repeat(LEAST_LINE)).repeat(*records as usize);
            std::fs::write(dir.join(file_name(first)), lines).unwrap();
            first += records;
        }
        first
    }

    fn same(dir: &Path, size: u64, indexes: impl Iterator<Item = u64>) {
        let (listed, sought) = (Openings::open(dir, size).unwrap(), Openings::seek(dir, size));
        for index in indexes {
            let first = listed.first_of_record(index).ok();
            assert_eq!(sought.first_of_record(index).ok(), first, "{index}");
            assert_eq!(sought.begins(index), listed.begins(index), "{index}");
            if listed.begins(index) {
                let next = listed.next_after(index).unwrap();
                assert_eq!(sought.next_after(index).unwrap(), next, "{index}");
            }
        }
    }

    #[test]
    fn what_is_sought_is_what_a_list_has() {
        let dir = tempfile::tempdir().unwrap();
        let size = folder(dir.path(), &[1, 3, 1, 40, 2, 90, 1]);
        for upto in [size, size - 1, 47, 46, 5, 1] {
            same(dir.path(), upto, 0..upto);
        }
        // One that is missing is missing either way.
        for gone in [1, 5, 45, 0] {
            std::fs::remove_file(dir.path().join(file_name(gone))).unwrap();
            same(dir.path(), size, 0..size);
        }
    }

    #[test]
    fn the_folder_is_listed_for_what_is_far_alone() {
        let dir = tempfile::tempdir().unwrap();
        let size = folder(dir.path(), &[2, 256, 5_000, 1]);
        let mut sought = Openings::seek(dir.path(), size);
        for index in [0, 1, 2, 200, 257, 258, 258 + MAX_TRIED as u64 - 1, size - 1] {
            sought.first_of_record(index).unwrap();
        }
        assert_eq!(sought.next_after(size - 1).unwrap(), None);
        assert_eq!(sought.next_after(2).unwrap(), Some(258));
        assert!(sought.firsts.get().is_none());
        assert_eq!(sought.first_of_record(258 + 4_999).unwrap(), 258);
        assert_eq!(sought.firsts.get().unwrap().len(), 4);
        sought.added(size, size + 2);
        assert_eq!(sought.first_of_record(size + 1).unwrap(), size);
    }
}

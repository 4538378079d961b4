//! Which records speak of which exhibit, as a table that is searched where it lies: who starts from it reads its
//! last part alone, however many exhibits there are.
//!
//! A row is an exhibit's hash and the index of a record that seals or receives it, u64, big-endian: 40 bytes. Rows
//! are sorted, and none stands twice. 102 of them are a page, the last page may be shorter. After the pages stand,
//! for each, its first row's hash and the SHA-256 of the page: 64 bytes. SHA-256 over these is the table's digest.
//! So whoever was told of the digest by somebody they trust believes each page by its own, and that a hash is in
//! none of them too.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use model::{ExhibitId, Sha256Hex};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};

/// Bytes of a row.
const ROW: usize = 40;
/// Rows of a page.
const ROWS: usize = 102;
/// Bytes of a full page.
const PAGE: usize = ROW * ROWS;
/// Bytes that stand for a page after the last one.
const FENCE: usize = 64;

/// A row: an exhibit, and a record that speaks of it.
pub type Row = (ExhibitId, u64);

/// How many rows a table has, and its digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summed {
    /// Rows.
    pub rows: u64,
    /// The digest.
    pub digest: Sha256Hex,
}

/// A table that is open. Of each page 64 bytes are in memory, six million for ten million rows.
///
/// Whoever looks up in it goes on in another once that takes its place ([`Index::renew`]).
#[derive(Debug)]
pub struct Index {
    now: Mutex<Arc<Opened>>,
    /// A page was found that cannot be read, or was changed.
    damaged: AtomicBool,
}

#[derive(Debug)]
struct Opened {
    path: PathBuf,
    file: File,
    summed: Summed,
    fences: Vec<u8>,
}

impl Index {
    /// Opens a table. Of its pages none is read.
    ///
    /// # Errors
    /// The disk; it is none, or has another digest.
    pub fn open(path: &Path, summed: Summed) -> Result<Self> {
        let failed = |source| Error::unopened("read", path, source);
        let file = ledger::plain::open(path).map_err(failed)?;
        let size = file.metadata().map_err(failed)?.len();
        let pages = summed.rows.div_ceil(ROWS as u64);
        let (start, fences) =
            (summed.rows.checked_mul(ROW as u64), pages.checked_mul(FENCE as u64));
        let (start, fences) = start.zip(fences).ok_or_else(|| failed(changed()))?;
        if start.checked_add(fences) != Some(size) {
            return Err(failed(changed()));
        }
        let mut bytes = Vec::new();
        let fences = usize::try_from(fences).map_err(|_| failed(changed()))?;
        bytes.try_reserve_exact(fences).map_err(|e| failed(io::Error::other(e)))?;
        bytes.resize(fences, 0);
        file.read_exact_at(&mut bytes, start).map_err(failed)?;
        if Sha256Hex::of(&bytes) != summed.digest {
            return Err(failed(changed()));
        }
        let opened = Opened { path: path.to_owned(), file, summed, fences: bytes };
        Ok(Self { now: Mutex::new(Arc::new(opened)), damaged: AtomicBool::new(false) })
    }

    fn now(&self) -> Arc<Opened> {
        Arc::clone(&self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Its rows and its digest.
    pub fn summed(&self) -> Summed {
        self.now().summed
    }

    /// Goes on in another table, which says all that this one does: of the same log, and of no fewer of its records.
    pub fn renew(&self, by: Self) {
        let by = by.now.into_inner().unwrap_or_else(PoisonError::into_inner);
        *self.now.lock().unwrap_or_else(PoisonError::into_inner) = by;
        self.damaged.store(false, Ordering::Release);
    }

    /// True once a page was found that cannot be read or was changed.
    pub fn is_damaged(&self) -> bool {
        self.damaged.load(Ordering::Acquire)
    }

    /// The records that speak of an exhibit, in order.
    ///
    /// # Errors
    /// The disk; a page that was changed.
    pub fn records_of(&self, id: &ExhibitId) -> Result<Vec<u64>> {
        loop {
            let now = self.now();
            match now.records_of(id) {
                // It was overwritten since, another having taken its place.
                Err(_) if !Arc::ptr_eq(&now, &self.now()) => {}
                Err(error) => {
                    self.damaged.store(true, Ordering::Release);
                    return Err(error);
                }
                found => return found,
            }
        }
    }

    /// Every row, in order. What cannot be read is said of the page, and the next one follows.
    pub fn rows(&self) -> impl Iterator<Item = Result<Row>> + '_ {
        let now = self.now();
        (0..now.fences.len() / FENCE).flat_map(move |number| {
            let (rows, failed) = match now.page(number) {
                Ok(page) => (rows_of(&page).collect(), None),
                Err(error) => (Vec::new(), Some(Err(error))),
            };
            rows.into_iter().map(Ok).chain(failed)
        })
    }

    /// Writes a table of rows that are sorted, each once.
    ///
    /// # Errors
    /// What `rows` and `out` say.
    pub fn write<E>(
        rows: impl IntoIterator<Item = std::result::Result<Row, E>>,
        out: &mut dyn FnMut(&[u8]) -> std::result::Result<(), E>,
    ) -> std::result::Result<Summed, E> {
        let (mut page, mut fences, mut count) = (Vec::with_capacity(PAGE), Vec::new(), 0);
        let mut end = |page: &mut Vec<u8>| {
            if let Some(first) = page.first_chunk::<32>() {
                fences.extend_from_slice(first);
                fences.extend_from_slice(&Sha256::digest(&*page));
            }
            out(page)?;
            page.clear();
            Ok(())
        };
        for row in rows {
            let (id, record) = row?;
            page.extend_from_slice(&id.0);
            page.extend_from_slice(&record.to_be_bytes());
            count += 1;
            if page.len() == PAGE {
                end(&mut page)?;
            }
        }
        end(&mut page)?;
        out(&fences)?;
        Ok(Summed { rows: count, digest: Sha256Hex::of(&fences) })
    }
}

impl Opened {
    fn records_of(&self, id: &ExhibitId) -> Result<Vec<u64>> {
        let (fences, _) = self.fences.as_chunks::<FENCE>();
        // Rows of one exhibit may begin at the end of the page before the first that begins with it.
        let first = fences.partition_point(|fence| fence[..32] < id.0[..]).saturating_sub(1);
        let mut out = Vec::new();
        for (number, _) in (first..)
            .zip(fences.iter().skip(first))
            .take_while(|(_, fence)| fence[..32] <= id.0[..])
        {
            let page = self.page(number)?;
            out.extend(rows_of(&page).filter(|(of, _)| of == id).map(|(_, record)| record));
        }
        Ok(out)
    }

    /// A page, held against what stands for it.
    fn page(&self, number: usize) -> Result<Vec<u8>> {
        let failed = |source| Error::material("read", &self.path, source);
        let (fences, _) = self.fences.as_chunks::<FENCE>();
        let fence = fences.get(number).ok_or_else(|| failed(changed()))?;
        let rows = usize::try_from(self.summed.rows).unwrap_or(usize::MAX);
        let mut page = vec![0; rows.saturating_sub(number * ROWS).min(ROWS) * ROW];
        self.file.read_exact_at(&mut page, (number * PAGE) as u64).map_err(failed)?;
        if Sha256::digest(&page)[..] != fence[32..] {
            return Err(failed(changed()));
        }
        Ok(page)
    }
}

fn rows_of(page: &[u8]) -> impl Iterator<Item = Row> + '_ {
    let (rows, _) = page.as_chunks::<ROW>();
    rows.iter().filter_map(|row| {
        let (id, record) = row.split_first_chunk::<32>()?;
        Some((ExhibitId(*id), u64::from_be_bytes(record.try_into().ok()?)))
    })
}

fn changed() -> io::Error {
    io::Error::other(
        "it was changed since it was written: a house that runs makes it anew within minutes; where none does, take \
         its folder away, and the next start does",
    )
}

#[cfg(test)]
#[allow(clippy::disallowed_methods)] // files that tests lay down
mod tests {
    use super::*;

    fn id(n: u64) -> ExhibitId {
        ExhibitId(Sha256Hex::of(&n.to_be_bytes()).0)
    }

    fn written(rows: &[Row]) -> (Vec<u8>, Summed) {
        let mut bytes = Vec::new();
        let summed = Index::write::<()>(rows.iter().copied().map(Ok), &mut |some| {
            bytes.extend_from_slice(some);
            Ok(())
        });
        (bytes, summed.unwrap())
    }

    #[test]
    fn every_row_is_found_and_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        for count in [0, 1, 101, 102, 103, 204, 1_000] {
            let mut rows: Vec<Row> = (0..count).map(|n| (id(n), n)).collect();
            // One of which more records speak than a page has.
            rows.extend((0..if count > 102 { 250 } else { 0 }).map(|n| (id(7), 5_000 + n)));
            rows.sort_unstable();
            let (bytes, summed) = written(&rows);
            std::fs::write(&path, bytes).unwrap();
            let index = Index::open(&path, summed).unwrap();
            assert_eq!(index.rows().collect::<Result<Vec<_>>>().unwrap(), rows);
            for n in 0..count + 50 {
                let of: Vec<u64> =
                    rows.iter().filter(|(of, _)| *of == id(n)).map(|(_, record)| *record).collect();
                assert_eq!(index.records_of(&id(n)).unwrap(), of, "{n} of {count}");
            }
        }
    }

    #[test]
    fn who_looks_up_goes_on_in_the_table_that_takes_its_place() {
        let dir = tempfile::tempdir().unwrap();
        let mut rows: Vec<Row> = (0..300).map(|n| (id(n), n)).collect();
        rows.sort_unstable();
        let put = |name: &str, rows: &[Row]| {
            let (bytes, summed) = written(rows);
            std::fs::write(dir.path().join(name), bytes).unwrap();
            (dir.path().join(name), summed)
        };
        let (old, summed) = put("old", &rows);
        let index = Index::open(&old, summed).unwrap();
        assert!(!index.is_damaged());
        // Overwritten where it lies: nothing of it is believed, and that is known from then on.
        std::fs::write(&old, vec![0; 300 * ROW]).unwrap();
        assert!(index.records_of(&id(7)).is_err() && index.is_damaged());
        rows.push((id(300), 300));
        rows.sort_unstable();
        let (new, summed) = put("new", &rows);
        index.renew(Index::open(&new, summed).unwrap());
        assert!(!index.is_damaged());
        assert_eq!((index.summed(), index.records_of(&id(300)).unwrap()), (summed, vec![300]));
    }

    #[test]
    fn what_was_changed_is_not_believed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("index");
        let mut rows: Vec<Row> = (0..300).map(|n| (id(n), n)).collect();
        rows.sort_unstable();
        let (bytes, summed) = written(&rows);
        for at in (0..bytes.len()).step_by(29).chain(rows.len() * ROW..bytes.len()) {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            std::fs::write(&path, &bytes).unwrap();
            let Ok(index) = Index::open(&path, summed) else {
                assert!(at >= rows.len() * ROW);
                continue;
            };
            let row = at / ROW;
            assert!(index.rows().any(|row| row.is_err()));
            assert!(index.records_of(&rows[row].0).is_err(), "{at}");
            // Nor that something is not there.
            let mut absent = rows[row].0;
            absent.0[31] ^= 1;
            assert!(index.records_of(&absent).is_err() || row.is_multiple_of(ROWS), "{at}");
        }
        for len in [0, 1, 40, 4_080, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..len]).unwrap();
            assert!(Index::open(&path, summed).is_err());
        }
        std::fs::write(&path, [&bytes[..], &[0]].concat()).unwrap();
        assert!(Index::open(&path, summed).is_err());
    }
}

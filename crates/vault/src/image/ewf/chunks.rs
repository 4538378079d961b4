//! Where the chunks of an image stand, and one chunk read and checked.

use std::io::SeekFrom;

use flate2::{FlushDecompress, Status};
use model::ProblemKind;

use super::{Ewf, adler32};
use crate::image::disk::read_full;
use crate::image::{Disk, Finding, u32_at};

/// The entries of one `table` section.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) segment: usize,
    /// The number of its first chunk.
    pub(super) first: u64,
    /// What entries count from, in bytes of the segment file.
    pub(super) base: u64,
    /// Place from `base`; the highest bit says that the chunk is packed.
    pub(super) entries: Vec<u32>,
    /// Where the data of its last chunk ends at most.
    pub(super) end: u64,
}

impl Table {
    /// First byte of a chunk in its segment, and one past the last.
    pub(super) fn span(&self, n: usize) -> Option<(u64, u64)> {
        let at = |n: usize| {
            let entry = self.entries.get(n)?;
            self.base.checked_add(u64::from(entry & 0x7fff_ffff))
        };
        let start = at(n)?;
        Some((start, at(n + 1).unwrap_or(self.end).max(start)))
    }

    fn is_packed(&self, n: usize) -> bool {
        self.entries.get(n).is_some_and(|entry| entry >> 31 == 1)
    }
}

impl Ewf<'_> {
    /// The table that lists a chunk, and its place there.
    pub(super) fn find(&self, number: u64) -> Option<(&Table, usize)> {
        let after = self.tables.partition_point(|table| table.first <= number);
        let table = self.tables.get(after.checked_sub(1)?)?;
        let n = usize::try_from(number - table.first).ok()?;
        (n < table.entries.len()).then_some((table, n))
    }

    /// How many chunks the tables list.
    pub(super) fn listed(&self) -> u64 {
        self.tables.last().map_or(0, |table| table.first + table.entries.len() as u64)
    }

    /// The most bytes that a chunk may take: one that grew by packing is stored plain.
    fn most(&self) -> u64 {
        self.volume.chunk_size + 4 + 1024
    }

    /// Bytes that are read of its file for a chunk.
    pub(super) fn taken(&self, number: u64) -> u64 {
        let span = self.find(number).and_then(|(table, n)| table.span(n));
        let taken = span.map_or(0, |(start, end)| end - start);
        if taken > self.most() { 0 } else { taken }
    }

    /// Reads a chunk into `chunk`, and makes a finding of what is wrong with it. False if its bytes are
    /// not to be had.
    pub(super) fn check(&mut self, number: u64) -> bool {
        self.cached = None;
        let want = self.want(number);
        let wrong = self.fill(number, want);
        if self.chunk.iter().any(|b| *b != 0) {
            self.filled += self.chunk.len() as u64;
        }
        let Some((segment, span, kind, lost, message)) = wrong else { return true };
        self.damaged += 1;
        self.faulty = true;
        let at = number.saturating_mul(self.volume.chunk_size);
        let message = format!("chunk {number} (byte {at} of the disk): {message}");
        self.push(Finding::new(segment, span, kind, lost, message));
        !lost && self.chunk.len() == want
    }

    /// How many bytes of the disk a chunk holds.
    fn want(&self, number: u64) -> usize {
        let size = self.volume.chunk_size;
        let left = self.size().saturating_sub(number.saturating_mul(size)).min(size);
        usize::try_from(left).unwrap_or(0)
    }

    /// Makes `chunk` hold what a chunk holds, its length being that of the disk there.
    pub(super) fn load(&mut self, number: u64) {
        if let Some((cached, whole)) = self.cached
            && cached == number
        {
            self.damaged += u64::from(!whole);
            return;
        }
        let want = self.want(number);
        let whole = self.fill(number, want).is_none();
        self.chunk.resize(want, 0);
        self.cached = Some((number, whole));
        self.damaged += u64::from(!whole);
    }

    fn fill(&mut self, number: u64, want: usize) -> Option<Wrong> {
        self.chunk.clear();
        let Some((table, n)) = self.find(number) else {
            let what = "no table says where it is: zeros stand for it";
            return Some((0, (0, 0), ProblemKind::Truncated, true, what.to_owned()));
        };
        let (segment, packed) = (table.segment, table.is_packed(n));
        let Some((start, end)) = table.span(n) else {
            let what = "its table places it nowhere: zeros stand for it";
            return Some((segment, (0, 0), ProblemKind::Syntax, true, what.to_owned()));
        };
        let wrong = |kind, lost, what: String| Some((segment, (start, end), kind, lost, what));
        let most = self.most();
        let size = self.sizes.get(segment).copied().unwrap_or(0);
        if end <= start || end - start > most || end > size {
            let what = format!("its table places it in bytes {start} to {end}: zeros stand for it");
            return wrong(ProblemKind::Syntax, true, what);
        }
        self.packed.resize(usize::try_from(end - start).unwrap_or(0), 0);
        let source = &mut self.segments[segment];
        let got =
            source.seek(SeekFrom::Start(start)).and_then(|_| read_full(*source, &mut self.packed));
        match got {
            Ok(got) if got == self.packed.len() => {}
            Ok(_) => return wrong(ProblemKind::Truncated, true, "the file ends in it".to_owned()),
            Err(e) => return wrong(ProblemKind::Medium, true, format!("it cannot be read: {e}")),
        }
        if packed { self.unpack(want, wrong) } else { self.plain(want, wrong) }
    }

    fn unpack(
        &mut self,
        want: usize,
        wrong: impl Fn(ProblemKind, bool, String) -> Option<Wrong>,
    ) -> Option<Wrong> {
        self.inflate.reset(true);
        // The last chunk may be packed whole, though the disk ends in it; a byte more tells of too much.
        let room = usize::try_from(self.volume.chunk_size).unwrap_or(want) + 1;
        self.chunk.resize(room, 0);
        let run = super::super::super::unpack::guard(|| {
            self.inflate
                .decompress(&self.packed, &mut self.chunk, FlushDecompress::Finish)
                .map_err(|e| std::io::Error::other(e.to_string()))
        });
        let out = usize::try_from(self.inflate.total_out()).unwrap_or(0).min(room);
        let taken = usize::try_from(self.inflate.total_in()).unwrap_or(0);
        self.chunk.truncate(out);
        match run {
            Ok(Status::StreamEnd) => {}
            Ok(_) => {
                self.chunk.clear();
                let what = "its zlib data does not end in it: zeros stand for it".to_owned();
                return wrong(ProblemKind::Integrity, true, what);
            }
            Err(e) => {
                self.chunk.clear();
                let what =
                    format!("its zlib data or their Adler-32 are wrong ({e}): zeros stand for it");
                return wrong(ProblemKind::Integrity, true, what);
            }
        }
        if out < want {
            let what = format!(
                "it unpacks to {out} bytes where the disk has {want}: zeros stand for the rest"
            );
            return wrong(ProblemKind::Truncated, true, what);
        }
        let over = self.chunk[want..].iter().any(|b| *b != 0);
        self.chunk.truncate(want);
        if over {
            let what =
                format!("it unpacks to {out} bytes where the disk has {want}: the rest is left");
            return wrong(ProblemKind::Conflict, false, what);
        }
        if self.packed.get(taken..).is_some_and(|rest| !rest.is_empty()) {
            let what = format!("{} bytes follow its zlib data", self.packed.len() - taken);
            return wrong(ProblemKind::Integrity, false, what);
        }
        None
    }

    fn plain(
        &mut self,
        want: usize,
        wrong: impl Fn(ProblemKind, bool, String) -> Option<Wrong>,
    ) -> Option<Wrong> {
        let Some(len) = self.packed.len().checked_sub(4) else {
            let what = "it has no room for its Adler-32: zeros stand for it".to_owned();
            return wrong(ProblemKind::Truncated, true, what);
        };
        let (stored, computed) = (u32_at(&self.packed, len), adler32(&self.packed[..len]));
        self.chunk.extend_from_slice(&self.packed[..len.min(want)]);
        if stored != computed {
            let what = format!(
                "its Adler-32 is {computed:08x} where {stored:08x} is stored: read as it is"
            );
            return wrong(ProblemKind::Integrity, false, what);
        }
        if len < want {
            let what =
                format!("it has {len} bytes where the disk has {want}: zeros stand for the rest");
            return wrong(ProblemKind::Truncated, true, what);
        }
        None
    }
}

/// Segment, span, kind, lost, and what is wrong.
type Wrong = (usize, (u64, u64), ProblemKind, bool, String);

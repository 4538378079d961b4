//! Expert Witness images (E01), as EnCase, FTK Imager and libewf write them.
//!
//! A set is one or more segment files. Each is a chain of sections: a descriptor of 76 bytes, then
//! what it describes. `volume` says how large disk and chunks are; `sectors` holds the chunks, each
//! packed by zlib or as it is with an Adler-32 behind it; `table` says where each begins, and
//! `table2` the same again; `hash` and `digest` hold what the acquirer computed over the disk.
//!
//! The crate `ewf` (0.4) reads such sets too, but compares no stored checksum of descriptors, volume,
//! tables or plain chunks, nor `table` with `table2`. Here every checksum is compared, since an image
//! is evidence; what is wrong is a [`Finding`] that names section and field.

mod chunks;
mod header;
mod noted;
mod sections;
mod tables;

use std::io;

use flate2::Decompress;
use md5::Md5;
use model::ProblemKind;
use sha1::Sha1;
use sha2::Digest;

use super::{Disk, Finding};
use crate::unpack::Source;

/// What an Expert Witness file begins with.
const MAGIC: [u8; 8] = *b"EVF\x09\x0d\x0a\xff\x00";

/// The most chunks of one disk: 8 TiB in chunks of the usual 32 KiB. Each costs 4 bytes of memory.
const MAX_CHUNKS: u64 = 1 << 28;

/// The largest chunk, in bytes.
const MAX_CHUNK: u64 = 16 << 20;

/// Findings of one set beyond this many are counted, not listed.
const MAX_FINDINGS: usize = 5_000;

/// An image, opened. Reading gives what the chunks hold; a plain chunk whose checksum is wrong is
/// given all the same, one that cannot be unpacked as zeros, and both are counted as damaged.
pub struct Ewf<'a> {
    segments: Vec<&'a mut dyn Source>,
    sizes: Vec<u64>,
    tables: Vec<chunks::Table>,
    volume: sections::Volume,
    stored: Stored,
    findings: Vec<Finding>,
    more: u64,
    inflate: Decompress,
    /// The chunk that was read last, and whether it is whole.
    cached: Option<(u64, bool)>,
    chunk: Vec<u8>,
    packed: Vec<u8>,
    damaged: u64,
    faulty: bool,
    overlaid: bool,
    filled: u64,
}

impl std::fmt::Debug for Ewf<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes in {} segments", self.size(), self.segments.len())
    }
}

/// What the acquirer stored of the disk's bytes, each with segment and place.
#[derive(Debug, Default)]
struct Stored {
    md5: Vec<([u8; 16], usize, u64)>,
    sha1: Option<([u8; 20], usize, u64)>,
}

/// What a disk's bytes sum to.
#[derive(Debug)]
pub struct Sums {
    /// MD5 of the disk's bytes.
    pub md5: [u8; 16],
    /// SHA-1 of them.
    pub sha1: [u8; 20],
}

/// The segment number that a file states, from its first 13 bytes.
pub(crate) fn segment_number(head: &[u8]) -> Option<u16> {
    (head.starts_with(&MAGIC) && head.len() >= 13).then(|| super::u16_at(head, 9))
}

impl<'a> Ewf<'a> {
    /// Reads the sections of a set's files, in their order. Where no disk can be made of them, the
    /// findings say why.
    ///
    /// # Errors
    /// Only findings.
    pub fn open(
        segments: impl IntoIterator<Item = &'a mut dyn Source>,
    ) -> Result<Self, Vec<Finding>> {
        let mut segments: Vec<_> = segments.into_iter().collect();
        let mut read = sections::Read::default();
        for (n, segment) in segments.iter_mut().enumerate() {
            read.segment(n, *segment);
        }
        read.ends(segments.len());
        let Some(volume) = read.volume.clone() else {
            read.jumps(false);
            read.say(
                0,
                (0, u64::MAX),
                ProblemKind::Syntax,
                true,
                "volume: no section says how large the disk is",
            );
            return Err(read.findings);
        };
        let tables = read.tables(&volume);
        let is_fault = |f: &Finding| !matches!(f.kind, ProblemKind::Note | ProblemKind::Medium);
        let faulty = read.more > 0 || read.findings.iter().any(is_fault);
        Ok(Self {
            segments,
            sizes: read.sizes,
            tables,
            volume,
            stored: read.stored,
            findings: read.findings,
            more: read.more,
            inflate: Decompress::new(true),
            cached: None,
            chunk: Vec::new(),
            packed: Vec::new(),
            damaged: 0,
            faulty,
            overlaid: false,
            filled: 0,
        })
    }

    /// True where anything of its structure or its chunks is not as it must be: readers that are less
    /// strict, or more, may not give the same bytes, or none.
    pub(crate) fn is_faulty(&self) -> bool {
        self.faulty
    }

    /// After [`Ewf::verify`]: bytes of chunks that are not all zeros; `None` where chunks lie over one
    /// another, so that what they unpack to has no bound.
    pub(crate) fn filled(&self) -> Option<u64> {
        (!self.overlaid).then_some(self.filled)
    }

    /// What is known so far; empties the list.
    pub fn take_findings(&mut self) -> Vec<Finding> {
        let mut findings = std::mem::take(&mut self.findings);
        if self.more > 0 {
            let message = format!("{} more findings that are not listed", self.more);
            findings.push(Finding::new(0, (0, 0), ProblemKind::Integrity, false, message));
            self.more = 0;
        }
        findings
    }

    /// Reads every chunk, compares its checksum, and compares the sums of the whole with those that
    /// were stored at acquisition. `go_on` is asked before each chunk; if it says no, nothing is
    /// compared. `None` comes back where not all bytes of the disk are there.
    pub fn verify(&mut self, go_on: &mut dyn FnMut() -> bool) -> Option<Sums> {
        let (mut md5, mut sha1) = (Md5::new(), Sha1::new());
        let (damaged, want) = (self.damaged, self.size().div_ceil(self.volume.chunk_size));
        let listed = self.listed();
        let mut whole = listed >= want;
        // Chunks do not lie over one another: all together are not longer than their files. Otherwise a
        // small file could have the same bytes unpacked without end.
        let mut left: u64 = self.sizes.iter().sum();
        for number in 0..listed.min(want) {
            if !go_on() {
                return None;
            }
            if self.find(number).is_none() {
                whole = false;
                continue;
            }
            let taken = self.taken(number);
            if taken > left {
                let message = format!(
                    "table: its chunks lie over one another: from chunk {number} on they are not checked"
                );
                self.push(Finding::new(0, (0, 0), ProblemKind::Bound, false, message));
                (self.faulty, self.overlaid) = (true, true);
                whole = false;
                break;
            }
            left -= taken;
            whole &= self.check(number);
            if whole {
                md5.update(&self.chunk);
                sha1.update(&self.chunk);
            }
        }
        let sums = whole.then(|| Sums { md5: md5.finalize().into(), sha1: sha1.finalize().into() });
        if self.stored.md5.is_empty() && self.stored.sha1.is_none() {
            let message = "hash: no MD5 or SHA-1 was stored at acquisition: only the chunks' checksums speak for the disk";
            self.push(Finding::new(0, (0, 0), ProblemKind::Note, false, message));
        }
        self.compare(sums.as_ref(), self.damaged == damaged);
        sums
    }

    fn compare(&mut self, sums: Option<&Sums>, whole: bool) {
        for (stored, segment, at) in std::mem::take(&mut self.stored.md5) {
            self.sum("hash", "MD5", (&stored, segment, at), sums.map(|s| &s.md5[..]), whole);
        }
        if let Some((stored, segment, at)) = self.stored.sha1.take() {
            self.sum("digest", "SHA-1", (&stored, segment, at), sums.map(|s| &s.sha1[..]), whole);
        }
    }

    /// Says whether a sum that was stored is that of the disk's bytes.
    fn sum(
        &mut self,
        field: &str,
        name: &str,
        (stored, segment, at): (&[u8], usize, u64),
        computed: Option<&[u8]>,
        whole: bool,
    ) {
        let size = self.size();
        let said = format!("{field}: the {name} stored at acquisition, {},", hex(stored));
        let (kind, message) = match computed {
            None => (
                ProblemKind::Integrity,
                format!("{said} cannot be compared: bytes of the disk are missing"),
            ),
            Some(computed) if computed == stored => {
                (ProblemKind::Note, format!("{said} is that of the {size} bytes of the disk"))
            }
            Some(computed) => {
                let why = if whole { "" } else { "; chunks of it are damaged" };
                let computed = hex(computed);
                let what = format!("is not that of the {size} bytes of the disk, {computed}{why}");
                (ProblemKind::Integrity, format!("{said} {what}"))
            }
        };
        let span = (at, at + stored.len() as u64);
        self.push(Finding::new(segment, span, kind, false, message));
    }

    fn push(&mut self, finding: Finding) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(finding);
        } else {
            self.more += 1;
        }
    }
}

impl Disk for Ewf<'_> {
    fn size(&self) -> u64 {
        self.volume.size
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let from = at.saturating_add(filled as u64);
            if from >= self.size() {
                break;
            }
            self.load(from / self.volume.chunk_size);
            let within = usize::try_from(from % self.volume.chunk_size).unwrap_or(usize::MAX);
            let Some(rest) = self.chunk.get(within..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            let n = rest.len().min(buffer.len() - filled);
            buffer[filled..filled + n].copy_from_slice(&rest[..n]);
            filled += n;
        }
        Ok(filled)
    }

    fn damaged(&self) -> u64 {
        self.damaged
    }

    fn filled_from(&self, at: u64) -> u64 {
        let chunk = self.volume.chunk_size;
        if self.find(at / chunk).is_some() {
            return at;
        }
        let next = self.tables.partition_point(|table| table.first <= at / chunk);
        let next = self.tables[next..].iter().find(|table| !table.entries.is_empty());
        next.map_or(self.size(), |table| table.first.saturating_mul(chunk).min(self.size()))
    }

    fn place(&self, start: u64, end: u64) -> (usize, u64, u64) {
        let chunk = self.volume.chunk_size;
        let Some((table, first)) = self.find(start / chunk) else { return (0, 0, 0) };
        let from = table.span(first).map_or(0, |(from, _)| from);
        let last = end.saturating_sub(1).max(start) / chunk;
        let to = match self.find(last) {
            Some((other, n)) if other.segment == table.segment => {
                other.span(n).map_or(from, |(_, to)| to)
            }
            _ => self.sizes.get(table.segment).copied().unwrap_or(from),
        };
        (table.segment, from, to.max(from))
    }
}

/// Adler-32, as zlib computes it, from 1.
pub(crate) fn adler32(bytes: &[u8]) -> u32 {
    adler2::adler32_slice(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    model::id::hex(bytes)
}

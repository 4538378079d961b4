//! The sections of segment files, one after another, each checked.

use std::io::SeekFrom;

use model::ProblemKind::{self, Conflict, Integrity, Note, Syntax, Truncated, Unsupported};

use super::tables::Listed;
use super::{MAGIC, MAX_CHUNK, MAX_CHUNKS, MAX_FINDINGS, Stored, adler32, header};
use crate::image::disk::read_full;
use crate::image::{Finding, clean, u16_at, u32_at, u64_at};
use crate::unpack::Source;

/// A descriptor's length, in bytes.
const DESCRIPTOR: u64 = 76;

/// The most sections of one file; 2 GiB in tables of 16,375 chunks have about 12.
const MAX_SECTIONS: usize = 1 << 16;

/// The most of a small section (all but `sectors` and tables) that is read, in bytes.
const MAX_SMALL: u64 = 16 << 20;

/// What `volume` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Volume {
    chunks: u64,
    pub(super) chunk_size: u64,
    pub(super) size: u64,
    /// The set's identifier; absent in the short form.
    set: Option<[u8; 16]>,
}

/// What the files of a set say.
#[derive(Default)]
pub(super) struct Read {
    pub(super) sizes: Vec<u64>,
    pub(super) volume: Option<Volume>,
    /// The checksum of what says so is right.
    whole: bool,
    pub(super) stored: Stored,
    pub(super) findings: Vec<Finding>,
    pub(super) more: u64,
    pub(super) listed: Vec<Listed>,
    /// Segment and span of each `sectors` section's data.
    pub(super) sectors: Vec<(usize, u64, u64)>,
    /// The type of the section that ended each file.
    last: Vec<&'static str>,
    /// Of each file, the number that it states.
    numbers: Vec<u16>,
    /// Files whose number is not the one after that of the file before.
    jumps: Vec<usize>,
    /// Before which of the tables in `listed` others are missing, or may be.
    pub(super) gaps: Vec<usize>,
    /// Chunks of which no table was met so far.
    pub(super) untold: bool,
    described: bool,
    pub(super) entries: u64,
}

/// A section: its type, and where its data stands.
pub(super) struct Section {
    pub(super) kind: String,
    pub(super) at: u64,
    pub(super) data: u64,
    pub(super) end: u64,
}

impl Read {
    pub(super) fn say(
        &mut self,
        segment: usize,
        (start, end): (u64, u64),
        kind: ProblemKind,
        lost: bool,
        message: impl Into<String>,
    ) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding::new(segment, (start, end), kind, lost, message));
        } else {
            self.more += 1;
        }
    }

    fn gap(&mut self) {
        self.untold = false;
        if self.gaps.last() != Some(&self.listed.len()) {
            self.gaps.push(self.listed.len());
        }
    }

    /// Says which files are missing, where the tables do not make the disk without them.
    pub(super) fn jumps(&mut self, whole: bool) {
        for n in std::mem::take(&mut self.jumps) {
            let number = self.numbers[n];
            let before = n.checked_sub(1).map_or(0, |before| self.numbers[before]);
            let expected = before.saturating_add(1);
            if whole || number <= expected || n == 0 {
                let message = format!("segment number: {number}, where {expected} is expected");
                self.say(n, (9, 11), Conflict, false, message);
                continue;
            }
            let size = self.sizes[n - 1];
            let which = if number - expected == 1 {
                format!("segment {expected} of the set is")
            } else {
                format!("segments {expected} to {} of the set are", number - 1)
            };
            let message = format!("{which} not among the material: what is held there is not read");
            self.say(n - 1, (size.saturating_sub(DESCRIPTOR), size), Truncated, true, message);
        }
    }

    /// Reads one file's sections.
    pub(super) fn segment(&mut self, n: usize, source: &mut dyn Source) {
        let size = source.seek(SeekFrom::End(0)).unwrap_or(0);
        self.sizes.push(size);
        self.last.push("");
        let head = part(source, 0, 13);
        if head.len() < 13 || !head.starts_with(&MAGIC) {
            self.numbers.push(self.numbers.last().map_or(1, |before| before.saturating_add(1)));
            self.gap();
            self.say(n, (0, size), Syntax, true, "signature: not that of an Expert Witness file");
            return;
        }
        let number = u16_at(&head, 9);
        if number != self.numbers.last().map_or(1, |before| before.saturating_add(1)) {
            self.jumps.push(n);
            self.gap();
        }
        self.numbers.push(number);
        if head[8] != 1 || head[11..13] != [0, 0] {
            self.say(
                n,
                (8, 13),
                Syntax,
                false,
                "file header: its fields do not begin and end as they must",
            );
        }
        let mut at = 13;
        for _ in 0..MAX_SECTIONS {
            let Some(section) = self.descriptor(n, source, at, size) else { return self.gap() };
            let next = section.end;
            let ends = match section.kind.as_str() {
                "next" => Some("next"),
                "done" => Some("done"),
                _ => None,
            };
            if let Some(kind) = ends {
                self.last[n] = kind;
                if self.untold {
                    self.gap();
                }
                let end = section.data;
                if end < size {
                    self.say(
                        n,
                        (end, size),
                        Syntax,
                        true,
                        format!("{} bytes follow its last section", size - end),
                    );
                }
                return;
            }
            self.section(n, source, &section);
            at = next;
        }
        self.say(
            n,
            (at, size),
            ProblemKind::Bound,
            true,
            format!("more than {MAX_SECTIONS} sections: the rest is not read"),
        );
        self.gap();
    }

    fn descriptor(
        &mut self,
        n: usize,
        source: &mut dyn Source,
        at: u64,
        size: u64,
    ) -> Option<Section> {
        let bytes = part(source, at, DESCRIPTOR);
        if (bytes.len() as u64) < DESCRIPTOR {
            self.say(
                n,
                (at, size),
                Truncated,
                true,
                "the file ends before a section \"next\" or \"done\"",
            );
            return None;
        }
        let name = bytes[..16].split(|b| *b == 0).next().unwrap_or_default();
        let kind = clean(&String::from_utf8_lossy(name));
        let (next, stated) = (u64_at(&bytes, 16), u64_at(&bytes, 24));
        let (stored, computed) = (u32_at(&bytes, 72), adler32(&bytes[..72]));
        if stored != computed {
            let message = format!(
                "section \"{kind}\", descriptor: its Adler-32 is {computed:08x} where {stored:08x} is stored"
            );
            self.say(n, (at, at + DESCRIPTOR), Integrity, false, message);
        }
        let is_last = matches!(kind.as_str(), "next" | "done");
        let data = at + DESCRIPTOR;
        // The last section points to itself.
        if is_last && next == at {
            return Some(Section { kind, at, data, end: data });
        }
        if next < data || next > size {
            let message = format!(
                "section \"{kind}\", next: {next} is not between its end and that of the file"
            );
            self.say(n, (at + 16, at + 24), Syntax, false, message);
            // Where the length still makes sense it leads on.
            let by_length =
                at.checked_add(stated).filter(|end| stated >= DESCRIPTOR && *end <= size);
            let Some(end) = by_length else {
                self.say(
                    n,
                    (data, size),
                    Syntax,
                    true,
                    format!("what follows section \"{kind}\" is not found"),
                );
                return is_last.then_some(Section { kind, at, data, end: data });
            };
            return Some(Section { kind, at, data, end });
        }
        if stated != next - at && !is_last {
            let message = format!(
                "section \"{kind}\", size: {stated}, where the next begins {} bytes on",
                next - at
            );
            self.say(n, (at + 24, at + 32), Conflict, false, message);
        }
        Some(Section { kind, at, data, end: next })
    }

    fn section(&mut self, n: usize, source: &mut dyn Source, section: &Section) {
        let (span, kind) = ((section.data, section.end), section.kind.as_str());
        let len = section.end - section.data;
        match kind {
            "sectors" => {
                if self.untold {
                    self.gap();
                }
                self.untold = true;
                return self.sectors.push((n, section.data, section.end));
            }
            "table" | "table2" => return self.table(n, source, section),
            _ => {}
        }
        if len > MAX_SMALL {
            let message =
                format!("section \"{kind}\": {len} bytes are more than any of its sort has");
            return self.say(n, span, ProblemKind::Bound, true, message);
        }
        let bytes = part(source, section.data, len);
        match kind {
            "header" | "header2" | "xheader" => self.header(n, span, kind, &bytes),
            "volume" | "disk" | "data" => self.volume(n, span, kind, &bytes),
            "hash" => {
                if self.summed(n, span, kind, &bytes, 32) {
                    self.md5(n, span, array(&bytes, 0));
                }
            }
            "digest" => {
                if self.summed(n, span, kind, &bytes, 76) {
                    self.md5(n, span, array(&bytes, 0).filter(|md5| *md5 != [0; 16]));
                    let sha1 = array(&bytes, 16).filter(|sha1| *sha1 != [0; 20]);
                    self.stored.sha1 = sha1.map(|sha1| (sha1, n, section.data + 16));
                }
            }
            "error2" => self.errors(n, span, &bytes),
            "session" => self.sessions(n, span, &bytes),
            "xhash" => self.packed_text(n, span, kind, &bytes),
            _ => {
                let message = format!("section \"{kind}\": of a sort that is not read here");
                self.say(n, (section.at, section.end), Unsupported, true, message);
            }
        }
    }

    /// Keeps an acquisition MD5; "hash" and "digest" should hold the same.
    fn md5(&mut self, n: usize, span: (u64, u64), md5: Option<[u8; 16]>) {
        let (Some(md5), first) = (md5, self.stored.md5.first().map(|m| m.0)) else { return };
        if first.is_some_and(|first| first != md5) {
            self.say(
                n,
                span,
                Conflict,
                false,
                "hash, digest: the two MD5 stored at acquisition are not the same",
            );
        }
        if first != Some(md5) {
            self.stored.md5.push((md5, n, span.0));
        }
    }

    /// Compares the Adler-32 behind the first `len` bytes.
    pub(super) fn summed(
        &mut self,
        n: usize,
        span: (u64, u64),
        field: &str,
        bytes: &[u8],
        len: usize,
    ) -> bool {
        let Some(summed) = bytes.get(..len).filter(|_| bytes.len() >= len + 4) else {
            let message =
                format!("section \"{field}\": {} bytes where it has {}", bytes.len(), len + 4);
            self.say(n, span, Truncated, true, message);
            return false;
        };
        let (stored, computed) = (u32_at(bytes, len), adler32(summed));
        if stored != computed {
            let message = format!(
                "section \"{field}\": its Adler-32 is {computed:08x} where {stored:08x} is stored"
            );
            self.say(n, (span.0, span.0 + len as u64 + 4), Integrity, false, message);
        }
        true
    }

    fn header(&mut self, n: usize, span: (u64, u64), kind: &str, bytes: &[u8]) {
        match header::text(bytes) {
            Err(why) => self.say(n, span, Integrity, true, format!("section \"{kind}\": {why}")),
            Ok(text) => {
                if !self.described
                    && let Some(words) = header::words(&text)
                {
                    self.described = true;
                    self.say(n, span, Note, false, format!("{kind}: acquired as {words}"));
                }
            }
        }
    }

    fn packed_text(&mut self, n: usize, span: (u64, u64), kind: &str, bytes: &[u8]) {
        if let Err(why) = header::text(bytes) {
            self.say(n, span, Integrity, true, format!("section \"{kind}\": {why}"));
        }
    }

    fn volume(&mut self, n: usize, span: (u64, u64), kind: &str, bytes: &[u8]) {
        let is_short = bytes.len() < 1052;
        let before = self.findings.len() as u64 + self.more;
        if !self.summed(n, span, kind, bytes, if is_short { 90 } else { 1048 }) {
            return;
        }
        let whole = self.findings.len() as u64 + self.more == before;
        let (chunks, per_chunk, per_sector) =
            (u32_at(bytes, 4), u32_at(bytes, 8), u32_at(bytes, 12));
        let sectors = if is_short { u64::from(u32_at(bytes, 16)) } else { u64_at(bytes, 16) };
        let chunk_size = u64::from(per_chunk) * u64::from(per_sector);
        let size = sectors.checked_mul(u64::from(per_sector));
        let volume = Volume {
            chunks: u64::from(chunks),
            chunk_size,
            size: size.unwrap_or(u64::MAX),
            set: if is_short { None } else { array(bytes, 64) },
        };
        if chunk_size == 0 || chunk_size > MAX_CHUNK {
            let message = format!(
                "section \"{kind}\", sectors per chunk and bytes per sector: {per_chunk} of {per_sector}: no chunk has that size"
            );
            return self.say(n, (span.0 + 8, span.0 + 16), Syntax, false, message);
        }
        let full = volume.size.div_ceil(chunk_size);
        if size.is_none() || full > MAX_CHUNKS {
            let message = format!(
                "section \"{kind}\", number of sectors: {sectors}: more than {MAX_CHUNKS} chunks"
            );
            return self.say(n, (span.0 + 16, span.0 + 24), ProblemKind::Bound, false, message);
        }
        if let Some(first) = &self.volume {
            if *first == volume {
                return;
            }
            let used = whole && !self.whole && full == volume.chunks;
            let which = if used { ", and used for it: its checksum is right" } else { "" };
            let message = format!(
                "section \"{kind}\": not what the first such section says of disk or set{which}"
            );
            self.say(n, span, Conflict, false, message);
            if used {
                (self.volume, self.whole) = (Some(volume), true);
            }
            return;
        }
        if full != volume.chunks {
            let message = format!(
                "section \"{kind}\", number of chunks: {chunks}, where {sectors} sectors make {full}"
            );
            self.say(n, (span.0 + 4, span.0 + 8), Conflict, false, message);
        }
        (self.volume, self.whole) = (Some(volume), whole);
    }

    /// What the ends of the files say of the set.
    pub(super) fn ends(&mut self, count: usize) {
        for n in 0..count {
            let is_last = n + 1 == count;
            match self.last[n] {
                "next" if is_last => {
                    let size = self.sizes[n];
                    let message = format!(
                        "segment {} of the set is not among the material: what it and those behind it hold is not read",
                        self.numbers[n].saturating_add(1)
                    );
                    self.say(n, (size.saturating_sub(DESCRIPTOR), size), Truncated, true, message);
                    self.gap();
                }
                "done" if !is_last => self.say(
                    n,
                    (0, 0),
                    Conflict,
                    false,
                    "section \"done\": it ends the set, though there are further segments",
                ),
                _ => {}
            }
        }
    }
}

/// Up to `len` bytes from `at` on.
pub(super) fn part(source: &mut dyn Source, at: u64, len: u64) -> Vec<u8> {
    let mut bytes = vec![0; usize::try_from(len).unwrap_or(0)];
    let read = source.seek(SeekFrom::Start(at)).and_then(|_| read_full(source, &mut bytes));
    bytes.truncate(read.unwrap_or(0));
    bytes
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

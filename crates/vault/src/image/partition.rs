//! Partition tables: MBR with its chain of logical partitions, and GPT with its backup.

use flate2::Crc;
use model::ProblemKind::{self, Bound, Conflict, Integrity, Note, Syntax, Truncated};

use super::disk::bytes_at;
use super::{Disk, Finding, u16_at, u32_at, u64_at};

/// The most partitions that are listed.
const MAX_PARTITIONS: usize = 256;

/// The most entries of a GPT, and the longest entry in bytes, that are read.
const MAX_ENTRIES: u64 = 1024;
const MAX_ENTRY: u64 = 4096;

/// What to do where a disk ends before its partitions do.
const CUT_OFF: &str = "what is there is read: if the image was cut off, or a file of its set is missing, \
    open all of it; else acquire the disk again";

/// How a disk is divided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Four entries in the first sector.
    Mbr,
    /// GUID partition table.
    Gpt,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// As Linux counts: its entry, from 1; logical ones from 5.
    pub number: u32,
    /// First byte on the disk.
    pub start: u64,
    /// Bytes, as stated.
    pub size: u64,
    /// Its type: `0x83`, or a GUID.
    pub kind: String,
    /// Its name in a GPT; empty elsewhere.
    pub name: String,
}

/// What a disk's first sectors say of partitions; `None` where there is no table. Findings are in bytes
/// of the disk, all in segment 0; [`Disk::place`] leads on.
pub fn partitions(disk: &mut dyn Disk) -> (Option<(Scheme, Vec<Partition>)>, Vec<Finding>) {
    let mut found = Found { partitions: Vec::new(), findings: Vec::new(), size: disk.size() };
    let head = bytes_at(disk, 0, 512);
    let protective = is_mbr(&head) && entries(&head).any(|e| e.kind == 0xee);
    for sector in [512, 4096] {
        let is_here = bytes_at(disk, sector, 8) == *b"EFI PART";
        if (is_here || (protective && sector == 512)) && found.gpt(disk, sector) {
            if !protective {
                found.say((0, 512), Note, false, "MBR: no protective entry before the GPT".into());
            }
            found.check();
            return (Some((Scheme::Gpt, found.partitions)), found.findings);
        }
    }
    if protective {
        let what = "GPT: the MBR says that there is one, but neither it nor its backup can be read";
        found.say((0, found.size), Integrity, true, what.into());
        return (Some((Scheme::Gpt, Vec::new())), found.findings);
    }
    if !is_mbr(&head) {
        return (None, found.findings);
    }
    found.mbr(disk, &head);
    found.check();
    (Some((Scheme::Mbr, found.partitions)), found.findings)
}

/// An entry of an MBR or of a link in the chain.
struct Entry {
    status: u8,
    kind: u8,
    first: u64,
    sectors: u64,
}

impl Entry {
    fn is_extended(&self) -> bool {
        matches!(self.kind, 0x05 | 0x0f | 0x85)
    }
}

fn entries(sector: &[u8]) -> impl Iterator<Item = Entry> + '_ {
    sector.get(446..510).unwrap_or_default().chunks_exact(16).map(|e| Entry {
        status: e[0],
        kind: e[4],
        first: u64::from(u32_at(e, 8)),
        sectors: u64::from(u32_at(e, 12)),
    })
}

/// True if a first sector may be a partition table, and is not a file system's that ends likewise.
pub(crate) fn is_mbr(sector: &[u8]) -> bool {
    sector.get(510..512) == Some(&[0x55, 0xaa])
        && entries(sector).all(|e| matches!(e.status, 0 | 0x80))
        && entries(sector).any(|e| e.kind != 0 && e.sectors != 0)
        && entries(sector).all(|e| e.kind == 0 || e.sectors == 0 || e.first != 0)
}

struct Found {
    partitions: Vec<Partition>,
    findings: Vec<Finding>,
    size: u64,
}

impl Found {
    fn say(&mut self, span: (u64, u64), kind: ProblemKind, lost: bool, message: String) {
        self.findings.push(Finding::new(0, span, kind, lost, message));
    }

    fn mbr(&mut self, disk: &mut dyn Disk, head: &[u8]) {
        let mut extended = None;
        for (n, entry) in entries(head).enumerate() {
            if entry.kind == 0 || entry.sectors == 0 {
                continue;
            }
            if entry.is_extended() {
                if extended.replace(entry.first).is_some() {
                    self.say(
                        (446, 510),
                        Conflict,
                        false,
                        "MBR: more than one extended partition: the last is followed".into(),
                    );
                }
            } else {
                self.push(n as u32 + 1, 0, &entry);
            }
        }
        let Some(base) = extended else { return };
        // Each link holds one partition and the way to the next, counted from the first link.
        let (mut link, mut number, mut seen) = (base, 5u32, Vec::new());
        loop {
            let at = link.saturating_mul(512);
            let span = (at, at.saturating_add(512));
            if seen.contains(&link) {
                self.say(
                    span,
                    Syntax,
                    false,
                    format!("extended partition: the chain comes back to sector {link}"),
                );
                return;
            }
            if seen.len() >= MAX_PARTITIONS {
                self.say(
                    span,
                    Bound,
                    true,
                    format!(
                        "extended partition: more than {MAX_PARTITIONS} links: the rest is not read"
                    ),
                );
                return;
            }
            seen.push(link);
            let sector = bytes_at(disk, at, 512);
            if sector.get(510..512) != Some(&[0x55, 0xaa]) {
                self.say(span, Truncated, true, format!("extended partition: no table stands in sector {link}, where the chain leads"));
                return;
            }
            let mut next = None;
            for entry in entries(&sector).take(2) {
                if entry.kind == 0 || entry.sectors == 0 {
                    continue;
                }
                if entry.is_extended() {
                    next = Some(base.saturating_add(entry.first));
                } else {
                    self.push(number, link, &entry);
                    number += 1;
                }
            }
            match next {
                Some(next) => link = next,
                None => return,
            }
        }
    }

    fn push(&mut self, number: u32, base: u64, entry: &Entry) {
        self.partitions.push(Partition {
            number,
            start: base.saturating_add(entry.first).saturating_mul(512),
            size: entry.sectors.saturating_mul(512),
            kind: format!("0x{:02x}", entry.kind),
            name: String::new(),
        });
    }

    /// Reads the GPT of a disk of such sectors: the first header, or the backup at the disk's end.
    fn gpt(&mut self, disk: &mut dyn Disk, sector: u64) -> bool {
        let last = (self.size / sector).saturating_sub(1);
        let before = self.findings.len();
        let first = self.header(disk, sector, 1, "GPT");
        let stated = first.as_ref().map_or(last, |h| u64_at(&h.bytes, 32));
        let backup = self.header(disk, sector, stated, "backup GPT");
        match (&first, &backup) {
            (None, None) => {
                self.findings.truncate(before);
                return false;
            }
            (None, Some(_)) => {
                self.say(
                    (sector, 2 * sector),
                    Integrity,
                    false,
                    "GPT: its first header cannot be read: the partitions are those of the backup"
                        .into(),
                );
            }
            (Some(_), None) => {}
            (Some(first), Some(backup)) => {
                let same = |h: &Header| {
                    // Place of itself, of the other, and of the entries differ by design, and so does the CRC.
                    (h.bytes[8..16].to_vec(), h.bytes[40..72].to_vec(), h.bytes[80..92].to_vec())
                };
                if same(first) != same(backup) || first.entries != backup.entries {
                    let at = stated.saturating_mul(sector);
                    self.say((at, at.saturating_add(sector)), Conflict, false, "backup GPT: it does not say the same as the first: the partitions are those of the first whose checksums are right".into());
                }
            }
        }
        let best = match (first, backup) {
            (Some(first), Some(backup)) if !first.whole && backup.whole => backup,
            (Some(header), _) | (None, Some(header)) => header,
            (None, None) => return false,
        };
        for (n, entry) in best.entries.chunks_exact(best.entry).enumerate() {
            if entry[..16] == [0; 16] {
                continue;
            }
            let (first, last) = (u64_at(entry, 32), u64_at(entry, 40));
            let units: Vec<u16> = entry[56..128].chunks_exact(2).map(|b| u16_at(b, 0)).collect();
            let name =
                String::from_utf16_lossy(units.split(|u| *u == 0).next().unwrap_or_default());
            self.partitions.push(Partition {
                number: n as u32 + 1,
                start: first.saturating_mul(sector),
                size: last.saturating_add(1).saturating_sub(first).saturating_mul(sector),
                kind: guid(&entry[..16]),
                name: super::clean(&name),
            });
        }
        true
    }

    fn header(&mut self, disk: &mut dyn Disk, sector: u64, at: u64, what: &str) -> Option<Header> {
        let place = at.saturating_mul(sector);
        let span = (place, place.saturating_add(sector));
        let bytes = bytes_at(disk, place, 512);
        if bytes.len() < 512 || !bytes.starts_with(b"EFI PART") {
            self.say(span, Truncated, false, format!("{what}: no header stands in sector {at}"));
            return None;
        }
        let before = self.findings.len();
        let len = u32_at(&bytes, 12) as usize;
        if !(92..=512).contains(&len) {
            self.say(span, Syntax, false, format!("{what}, header size: {len}"));
            return None;
        }
        let mut summed = bytes[..len].to_vec();
        summed[16..20].fill(0);
        self.sum(&summed, u32_at(&bytes, 16), span, &format!("{what}, header"));
        if u64_at(&bytes, 24) != at {
            self.say(
                span,
                Conflict,
                false,
                format!(
                    "{what}, its own place: {}, where it stands in sector {at}",
                    u64_at(&bytes, 24)
                ),
            );
        }
        let (list, count, entry) =
            (u64_at(&bytes, 72), u64::from(u32_at(&bytes, 80)), u64::from(u32_at(&bytes, 84)));
        if count > MAX_ENTRIES || !(128..=MAX_ENTRY).contains(&entry) {
            self.say(
                span,
                Bound,
                false,
                format!("{what}, entries: {count} of {entry} bytes: not read"),
            );
            return None;
        }
        let list = list.saturating_mul(sector);
        let len = usize::try_from(count * entry).unwrap_or(0);
        let entries = bytes_at(disk, list, len);
        let span = (list, list.saturating_add(len as u64));
        if entries.len() < len {
            self.say(span, Truncated, true, format!("{what}, entries: the disk ends before them"));
        }
        self.sum(&entries, u32_at(&bytes, 88), span, &format!("{what}, entries"));
        let whole = self.findings.len() == before;
        Some(Header { bytes, entries, entry: usize::try_from(entry).unwrap_or(128), whole })
    }

    fn sum(&mut self, bytes: &[u8], stored: u32, span: (u64, u64), what: &str) {
        let mut crc = Crc::new();
        crc.update(bytes);
        if crc.sum() != stored {
            let message =
                format!("{what}: its CRC-32 is {:08x} where {stored:08x} is stored", crc.sum());
            self.say(span, Integrity, false, message);
        }
    }

    /// What partitions say of one another and of the disk.
    fn check(&mut self) {
        if self.partitions.len() > MAX_PARTITIONS {
            self.say(
                (0, 0),
                Bound,
                true,
                format!("more than {MAX_PARTITIONS} partitions: the rest is not read"),
            );
            self.partitions.truncate(MAX_PARTITIONS);
        }
        let mut by_start: Vec<(u64, u64, u32)> = self
            .partitions
            .iter()
            .map(|p| (p.start, p.start.saturating_add(p.size), p.number))
            .collect();
        by_start.sort_unstable();
        for (start, end, number) in &by_start {
            let beyond = end.saturating_sub(self.size.max(*start));
            if beyond == 0 {
                continue;
            }
            let (which, what) = if *start >= self.size {
                let behind = format!(", from {} bytes behind it on", start - self.size);
                (format!("all of its {beyond} bytes lie"), behind)
            } else {
                (format!("{beyond} of its {} bytes lie", end - start), String::new())
            };
            let message = format!(
                "partition {number}: {which} behind the end of the disk at byte {}{what}: {CUT_OFF}",
                self.size
            );
            self.say((self.size, self.size), Truncated, true, message);
        }
        for pair in by_start.windows(2) {
            if pair[1].0 < pair[0].1 {
                let message =
                    format!("partitions {} and {} lie over one another", pair[0].2, pair[1].2);
                self.say((pair[1].0, pair[1].0), Conflict, false, message);
            }
        }
    }
}

struct Header {
    bytes: Vec<u8>,
    entries: Vec<u8>,
    entry: usize,
    whole: bool,
}

/// A GUID as it is written: the first three groups are little-endian.
fn guid(b: &[u8]) -> String {
    let hex = super::ewf::hex;
    format!(
        "{:08x}-{:04x}-{:04x}-{}-{}",
        u32_at(b, 0),
        u16_at(b, 4),
        u16_at(b, 6),
        hex(&b[8..10]),
        hex(&b[10..16])
    )
}

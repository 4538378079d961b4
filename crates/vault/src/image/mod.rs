//! Images of disks: what is on them, without trust in any of it.
//!
//! [`Ewf`] reads an Expert Witness (E01) set and checks all that it stores to be checked;
//! [`partitions`] reads MBR and GPT; [`recognise`] tells what stands at the beginning of a disk, a
//! partition or a file. All are pure over bytes that are handed in: a fault is a [`Finding`], and no
//! bytes make them panic. File systems are read by The Sleuth Kit, in processes of its own
//! ([`sleuthkit`]): C code that parses hostile images shares no memory with ours.

pub(crate) mod copy;
pub(crate) mod disk;
pub(crate) mod ewf;
pub(crate) mod ext;
pub(crate) mod partition;
pub(crate) mod recognise;
pub(crate) mod sleuthkit;

use model::ProblemKind;

pub use disk::{Disk, Raw};
pub use ewf::Ewf;
pub use partition::{Partition, Scheme, partitions};
pub use recognise::{Content, recognise};

/// Something that whoever reads an image should know, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The segment file that it stands in, 0 for the first.
    pub segment: usize,
    /// First byte concerned, in that file.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// What sort; [`ProblemKind::Note`] where nothing is wrong.
    pub kind: ProblemKind,
    /// True if the bytes of the span yielded nothing.
    pub lost: bool,
    /// One plain sentence, the field's name first where there is one.
    pub message: String,
}

impl Finding {
    pub(crate) fn new(
        segment: usize,
        (start, end): (u64, u64),
        kind: ProblemKind,
        lost: bool,
        message: impl Into<String>,
    ) -> Self {
        Self { segment, start, end, kind, lost, message: message.into() }
    }
}

/// Little-endian numbers out of bytes; 0 where they end before.
pub(crate) fn u16_at(bytes: &[u8], at: usize) -> u16 {
    bytes.get(at..at + 2).map_or(0, |b| u16::from_le_bytes([b[0], b[1]]))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from(u16_at(bytes, at)) | u32::from(u16_at(bytes, at + 2)) << 16
}

pub(crate) fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

/// A text of others for messages: short, without control characters.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .take(200)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect::<String>()
        .trim()
        .to_owned()
}

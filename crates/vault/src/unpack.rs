//! Archives and compressed files: what is in them, one member after another, as readers.
//!
//! A format is told by its first bytes. A member becomes an exhibit of its own; a member that is an
//! archive again is opened by calling [`unpack`] on the sealed member, one deeper, with the same
//! [`Budget`]. Bounds stop bombs: each is a problem, and what came before it stays. A name that climbs
//! out or is absolute is kept as it is: a text, never a path. Links and devices are problems, not
//! members. No bytes make it panic: what a decoder of others does is caught.

mod bounded;
mod image;
mod sevenz;
mod stream;
mod tar;
mod warc;
mod zip;

use std::io::{Read, Seek};

use model::record::Name;
use model::{Problem, ProblemKind};

pub use crate::image::sleuthkit::INSTALL;
pub use bounded::{Bounds, Budget};
pub use image::{HowImage, ImageFile, ROOM, Tools, room_wanted, unpack_image};

use crate::warc::Format;

use bounded::Bounded;
pub(crate) use bounded::guard;

/// A format that can be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Codec {
    /// PKZIP, and what is built on it (`.xlsx`, `.jar`).
    Zip,
    /// tar: v7, ustar, GNU, pax.
    Tar,
    /// gzip.
    Gz,
    /// bzip2.
    Bz2,
    /// xz.
    Xz,
    /// Zstandard.
    Zst,
    /// 7z.
    SevenZ,
    /// WARC, with gzip around each record, around all, or none.
    Warc,
    /// ARC, likewise.
    Arc,
    /// An Expert Witness image (E01).
    Ewf,
    /// A raw image: of a disk, a partition or a file system.
    Image,
}

/// How much of a file's beginning [`Codec::sniff`] wants: 64 KiB, or the whole file. File systems have
/// their marks that far in.
pub const HEAD: usize = 64 << 10;

impl Codec {
    /// The format that a file begins as.
    pub fn sniff(head: &[u8]) -> Option<Self> {
        // Before gzip: records that are packed one by one are read where they stand.
        if let Some(format) = Format::sniff(head) {
            return Some(match format {
                Format::Warc => Self::Warc,
                Format::Arc => Self::Arc,
            });
        }
        Some(match head {
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] | [b'P', b'K', 7, 8, ..] => Self::Zip,
            [0x1f, 0x8b, 8, ..] => Self::Gz,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, ..]
            | [b'B', b'Z', b'h', b'1'..=b'9', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, ..] => Self::Bz2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zst,
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Self::SevenZ,
            [b'E', b'V', b'F', 9, 13, 10, 0xff, 0, ..] => Self::Ewf,
            // Kin of it, of which is said what to do.
            [b'E', b'V', b'F', b'2', 13, 10, 0x81, 0, ..]
            | [b'L', b'E', b'F', b'2', 13, 10, 0x81, 0, ..]
            | [b'L', b'V', b'F', 9, 13, 10, 0xff, 0, ..] => Self::Ewf,
            _ if tar::is_header(head) => Self::Tar,
            // Last: some of its marks are short, and stand far from the beginning.
            _ if crate::image::recognise::is_image(head) => Self::Image,
            _ => return None,
        })
    }

    /// True where members stand in it as they are: whoever looks at its beginning may take it for the
    /// first of them. Others are packed, and what reads a packed file as a whole (a workbook is a zip)
    /// knows what it does.
    pub fn holds_plain_members(self) -> bool {
        matches!(self, Self::Tar | Self::Warc | Self::Arc)
    }

    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Zip => "zip",
            Self::Tar => "tar",
            Self::Gz => "gz",
            Self::Bz2 => "bz2",
            Self::Xz => "xz",
            Self::Zst => "zst",
            Self::SevenZ => "7z",
            Self::Warc => "warc",
            Self::Arc => "arc",
            Self::Ewf => "ewf",
            Self::Image => "image",
        }
    }
}

/// The name of an archive format that is known by its first bytes, but not opened here.
pub fn unopened(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        [b'R', b'a', b'r', b'!', 0x1a, 7, ..] => "RAR",
        [b'M', b'S', b'C', b'F', 0, 0, 0, 0, ..] => "CAB",
        [0x60, 0xea, ..] if head.len() > 34 && head[2] < 0x80 && head[4] < 0x40 => "ARJ",
        [0x5d, 0, 0, _, _, 0xff, 0xff, 0xff, ..] => "LZMA",
        [4, 0x22, 0x4d, 0x18, ..] => "LZ4",
        [0x1f, 0x9d, ..] => "compress (.Z)",
        _ => return None,
    })
}

/// A member of an archive.
pub struct Member<'a> {
    /// Its name in the archive, as bytes; for a compressed file its stored name, else the container's
    /// without the suffix. Never a path.
    pub name: Name,
    /// How it came out.
    pub codec: Codec,
    /// Where its header (zip, tar, WARC) begins in the container; absent where members share a stream.
    pub offset: Option<u64>,
    /// The size that the archive states, if it does.
    pub stated_size: Option<u64>,
    /// Its bytes. An error ends it early; the problem is kept by [`unpack`] too.
    pub reader: &'a mut dyn Read,
}

impl std::fmt::Debug for Member<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} in {}", self.name.shown(), self.codec.name())
    }
}

/// Something that can be read from any place.
pub trait Source: Read + Seek {}
impl<T: Read + Seek> Source for T {}

/// Opens a container and hands each member to `visit`, in the container's order. `name` is the
/// container's own; `depth` counts containers around it, 0 for a file of the material. Problems are
/// in the container's bytes. An error of `visit` ends all.
///
/// # Errors
/// Those of `visit`, and no others.
pub fn unpack<E>(
    codec: Codec,
    source: &mut dyn Source,
    name: &Name,
    depth: u32,
    budget: &mut Budget,
    visit: &mut dyn FnMut(Member<'_>) -> Result<(), E>,
) -> Result<Vec<Problem>, E> {
    let size = source.seek(std::io::SeekFrom::End(0)).unwrap_or(0);
    let mut cx = Context { codec, size, budget, problems: Vec::new(), visit };
    if cx.too_deep(depth) {
        return Ok(cx.problems);
    }
    match codec {
        Codec::Zip => zip::unpack(source, &mut cx)?,
        Codec::Tar => tar::unpack(source, &mut cx)?,
        Codec::SevenZ => sevenz::unpack(source, &mut cx)?,
        Codec::Warc | Codec::Arc => warc::unpack(source, &mut cx)?,
        // Its files are read by programs, for which [`unpack_image`] has the places; without them it is
        // said what is on the image.
        Codec::Ewf | Codec::Image => {
            let file = ImageFile { name: name.clone(), source, path: None };
            image::open(
                &mut cx,
                vec![file],
                HowImage { tools: None, scratch: None, go_on: &|| true },
            )?;
        }
        Codec::Gz | Codec::Bz2 | Codec::Xz | Codec::Zst => stream::unpack(source, name, &mut cx)?,
    }
    Ok(cx.problems)
}

/// Problems of one container beyond this many are counted, not listed.
const MAX_PROBLEMS: usize = 10_000;

struct Context<'a, E> {
    codec: Codec,
    size: u64,
    budget: &'a mut Budget,
    problems: Vec<Problem>,
    visit: &'a mut dyn FnMut(Member<'_>) -> Result<(), E>,
}

/// What is known of a member before it is read.
struct Given {
    name: Vec<u8>,
    offset: Option<u64>,
    stated_size: Option<u64>,
    /// The container's bytes it comes from, for its problems.
    span: (u64, u64),
}

/// Whether to go on with the container.
#[derive(PartialEq, Eq)]
enum Next {
    Member,
    Stop,
}

impl<E> Context<'_, E> {
    /// Says so, if there are too many containers around this one.
    fn too_deep(&mut self, depth: u32) -> bool {
        let most = self.budget.bounds.depth;
        if depth >= most {
            let message = format!("nested deeper than {most}: not opened");
            self.problem(0, self.size, ProblemKind::Bound, true, message);
        }
        depth >= most
    }

    fn problem(&mut self, start: u64, end: u64, kind: ProblemKind, lost: bool, message: String) {
        if self.problems.len() == MAX_PROBLEMS {
            let message = "more problems follow that are not listed".to_owned();
            self.problems.push(Problem { start: 0, end: 0, kind, message, lost: false });
        }
        if self.problems.len() <= MAX_PROBLEMS {
            let end = end.min(self.size).max(start.min(self.size));
            self.problems.push(Problem { start: start.min(self.size), end, kind, message, lost });
        }
    }

    /// Hands a member to the caller, within bounds.
    fn give(&mut self, given: Given, reader: &mut dyn Read) -> Result<(Next, u64), E> {
        let shown = shown(&given.name);
        let (start, end) = given.span;
        if let Err(message) = self.budget.member() {
            self.problem(start, self.size, ProblemKind::Bound, true, message);
            return Ok((Next::Stop, 0));
        }
        let mut bounded = Bounded::new(reader, self.budget);
        (self.visit)(Member {
            name: Name(given.name),
            codec: self.codec,
            offset: given.offset,
            stated_size: given.stated_size,
            reader: &mut bounded,
        })?;
        let (read, ended, failure) = (bounded.read, bounded.ended, bounded.failure.take());
        if let Some((kind, message)) = failure {
            self.problem(start, end, kind, true, format!("{shown}, byte {read}: {message}"));
            if self.budget.is_spent() {
                return Ok((Next::Stop, read));
            }
        } else if let Some(stated) = given.stated_size.filter(|s| ended && *s != read) {
            let kind = if read < stated { ProblemKind::Truncated } else { ProblemKind::Integrity };
            let message = format!("{shown} has {read} bytes, where {stated} are stated");
            self.problem(start, end, kind, read < stated, message);
        }
        Ok((Next::Member, read))
    }
}

/// A name for messages: short, without control characters.
fn shown(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let clean: String =
        text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    format!("\"{clean}\"")
}

/// Reads exactly at a place; `None` where the file is too short or cannot be read.
fn read_at(source: &mut dyn Source, at: u64, len: usize) -> Option<Vec<u8>> {
    source.seek(std::io::SeekFrom::Start(at)).ok()?;
    let mut bytes = vec![0; len];
    source.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

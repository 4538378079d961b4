//! Web archives: WARC 1.0 and 1.1 (ISO 28500), ARC 1 and 2; plain, gzip a record, or one gzip around
//! all.
//!
//! [`Reader`] goes over any `Read`, keeps a window and no more, and hands out one [`Record`] after
//! another; [`Reader::payload`] streams what the record brought, without HTTP's header and its
//! transfer coding. In [`Mode::Strict`] the first fault is an error that names field and byte. In
//! [`Mode::Lenient`] it goes on: each fault is listed with its place, and the next record is looked
//! for where one can begin.
//!
//! Invariants: no bytes make it panic; every size has its bound in [`Limits`] or beside its code; a
//! record whose header is cut is a fault and never a record, so a prefix of a file invents no URI.

mod arc;
mod block;
mod chunked;
mod digest;
mod fields;
mod http;
mod input;
mod raw;
mod reader;
mod record;

use std::io::Read;

use model::ProblemKind;

pub use block::{End, Payload};
pub use digest::Check;
pub use fields::Field;
pub use http::Http;
pub use reader::Reader;
pub use record::{Kind, Record};

/// What to do about a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The first fault is an error.
    Strict,
    /// Faults are listed, and reading goes on.
    Lenient,
}

/// Of which family a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// WARC: a header of named fields.
    Warc,
    /// ARC, its predecessor: a header of one line.
    Arc,
}

impl Format {
    /// Its name in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::Warc => "warc",
            Self::Arc => "arc",
        }
    }

    /// The format that plain bytes begin as.
    fn of_plain(head: &[u8]) -> Option<Self> {
        if head.starts_with(b"WARC/") && head.get(5).is_some_and(u8::is_ascii_digit) {
            Some(Self::Warc)
        } else if head.starts_with(arc::FILE) {
            Some(Self::Arc)
        } else {
            None
        }
    }

    /// The format that a file begins as, gzip looked into: 512 bytes are enough unless gzip's own
    /// header is longer.
    pub fn sniff(head: &[u8]) -> Option<Self> {
        if !head.starts_with(&raw::GZIP) {
            return Self::of_plain(head);
        }
        let (mut decoder, mut out, mut got) = (flate2::bufread::GzDecoder::new(head), [0; 16], 0);
        // The head ends within the stream: what came before that is enough.
        while got < out.len() {
            match crate::unpack::guard(|| decoder.read(&mut out[got..])) {
                Ok(n @ 1..) => got += n,
                _ => break,
            }
        }
        Self::of_plain(&out[..got])
    }
}

/// The bounds of one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a record's header, and of an HTTP header.
    pub header: usize,
    /// Lines of either.
    pub fields: usize,
    /// Bytes of a record's block.
    pub record: u64,
    /// Bytes that may come out of gzip in all.
    pub unpacked: u64,
}

impl Default for Limits {
    /// Crawlers write whole pages' metadata into one field: a header may be long.
    fn default() -> Self {
        Self { header: 1 << 20, fields: 4096, record: 1 << 40, unpacked: 4 << 40 }
    }
}

/// Faults of a reader that nobody took away yet; that there are more is said once.
const MAX_FAULTS: usize = 10_000;

/// Something that is not as the formats want it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file's first byte concerned; in gzip, where its member begins.
    pub start: u64,
    /// One past the last.
    pub end: u64,
    /// In gzip: which byte of what comes out of it.
    pub unpacked: Option<u64>,
    /// The header field concerned.
    pub field: Option<String>,
    /// What sort.
    pub kind: ProblemKind,
    /// One plain sentence, without any value: values may be secrets.
    pub message: String,
    /// True where the bytes yielded nothing.
    pub lost: bool,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(field) = &self.field {
            write!(f, "{field}: ")?;
        }
        write!(f, "{} (byte {}", self.message, self.start)?;
        match self.unpacked {
            Some(at) => write!(f, ", byte {at} of what is packed)"),
            None => write!(f, ")"),
        }
    }
}

impl std::error::Error for Fault {}

/// A fault before it is known where in the file it stands: by bytes out of gzip.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Flaw {
    start: u64,
    end: u64,
    field: Option<String>,
    kind: ProblemKind,
    message: String,
}

impl Flaw {
    fn new(start: u64, end: u64, kind: ProblemKind, message: impl Into<String>) -> Self {
        Self { start, end, field: None, kind, message: message.into() }
    }

    fn of(field: &Field, kind: ProblemKind, message: impl Into<String>) -> Self {
        let name = shown(&field.name);
        Self { field: Some(name), ..Self::new(field.start, field.end, kind, message) }
    }
}

/// A word of the file for messages: short, without control characters.
fn shown(text: &str) -> String {
    text.chars().take(60).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

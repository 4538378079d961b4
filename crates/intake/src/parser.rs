//! The shape of a parser.

use model::ExhibitId;

use crate::chunks::Chunks;
use crate::sink::Sink;

/// How sure a sniffer is, 0 to 100.
///
/// 90: a magic number or a header no other format has. 70: structure that fits throughout the head.
/// 40: the name and a fitting first line. 10: could be read, for want of better (the indicator scan).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Confidence(pub u8);

impl Confidence {
    /// Not this format.
    pub const NO: Self = Self(0);
}

/// How every byte of an exhibit was accounted for. The three sum to its size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Bytes that yielded facts or rows, or that the format's grammar explains.
    pub read: u64,
    /// Bytes known to carry nothing: padding, white space, comments.
    pub filler: u64,
    /// Bytes inside problems that yielded nothing.
    pub lost: u64,
}

impl Coverage {
    /// The sum, which is the exhibit's size.
    pub fn total(&self) -> u64 {
        self.read + self.filler + self.lost
    }

    /// Moves bytes that deferred jobs found lost from those that the parser, which had passed over
    /// them by then, counted as read.
    pub fn lose(&mut self, bytes: u64) {
        let bytes = bytes.min(self.read);
        self.read -= bytes;
        self.lost += bytes;
    }
}

/// What a parser is told of its exhibit.
#[derive(Debug, Clone, Copy)]
pub struct Input<'a> {
    /// The exhibit's id: keys of a source carry it.
    pub exhibit: ExhibitId,
    /// Its name where it was found, `/`-separated; a hint, never used as a path.
    pub name: &'a str,
    /// A mapping file the user gave for tables of unknown columns (TOML text).
    pub mapping: Option<&'a str>,
}

/// A parser: one constant a file.
pub struct Parser {
    /// Its name in records, facts and pages; never reused for another format.
    pub name: &'static str,
    /// Raised whenever the same bytes would give other facts, rows or problems.
    pub version: u32,
    /// What it reads, in a few words, for `--help` and pages.
    pub about: &'static str,
    /// How sure it is, by the first 64 KiB (or the whole, if shorter) and the name.
    pub sniff: fn(head: &[u8], name: &str) -> Confidence,
    /// Reads the exhibit to its end.
    pub parse: fn(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage,
}

impl std::fmt::Debug for Parser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.name, self.version)
    }
}

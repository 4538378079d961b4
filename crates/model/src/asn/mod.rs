//! Which network an address belongs to: its autonomous system and its country.
//!
//! A table is bytes that are handed in and never copied: a header, then for IPv4 and IPv6 the
//! beginnings of ranges in blocks of 16, then one packed record number a range, the records, and a
//! pool of names. A look-up is a search among the blocks' first addresses and at most 15 additions.
//!
//! Layout (numbers little-endian):
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `VIGIEAS1` |
//! | 32 | SHA-256 of all that follows |
//! | 4 × 8 | `records, names, blocks4, deltas4, ranges4, blocks6, deltas6, ranges6` |
//! | records × 8 | AS number (4), offset into names (3), country (1: 0 none, else 1 + its place among the countries) |
//! | countries | a byte, how many, then 2 bytes each: the countries that occur |
//! | blocks4 × 8 | first address (4), offset into deltas4 (4) |
//! | deltas4 | for ranges 2 to 16 of each block a varint: distance ÷ 256 × 2, else distance × 2 + 1 |
//! | ranges4 × width bits | record of each range, packed, width = bits of `records − 1`, padded to 8 bytes |
//! | blocks6 × 20, deltas6, ranges6 | the same; addresses of 16 bytes; a distance's unit in its last two bits: 2^80, 2^96, 2^64, 1 |
//! | names | each a length byte and that many bytes of UTF-8 |
//!
//! Record 0 is "nobody's": no AS, no country, the empty name.

mod build;
mod read;

pub use build::{Builder, Rows};
pub use read::Table;

/// Where an address belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Place<'a> {
    /// The autonomous system that announces it.
    pub asn: Option<u32>,
    /// ISO 3166-1 alpha-2, upper case.
    pub country: Option<Country>,
    name: &'a [u8],
}

impl<'a> Place<'a> {
    /// The AS's name; empty where unknown.
    pub fn name(&self) -> &'a str {
        std::str::from_utf8(self.name).unwrap_or("")
    }
}

impl std::fmt::Debug for Place<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Place")
            .field("asn", &self.asn)
            .field("name", &self.name())
            .field("country", &self.country)
            .finish()
    }
}

/// Two upper-case letters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Country([u8; 2]);

impl Country {
    /// From two ASCII letters of either case.
    pub fn new(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self([letters[0].to_ascii_uppercase(), letters[1].to_ascii_uppercase()]))
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("ZZ")
    }
}

impl std::fmt::Display for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Debug for Country {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a table cannot be read or built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AsnError {
    /// Another file, or another version of the format.
    #[error("this is no address table: it does not begin with VIGIEAS1")]
    NotATable,
    /// Cut, or grown.
    #[error("the address table holds {found} bytes, its header tells of {expected}")]
    Length {
        /// What the header tells.
        expected: u64,
        /// What is there.
        found: u64,
    },
    /// Changed since it was built.
    #[error("the address table is corrupted: its digest does not match")]
    Digest,
    /// The digest holds, but a part contradicts another.
    #[error("the address table is malformed: {0}")]
    Malformed(&'static str),
    /// A row of the source that is none.
    #[error("line {line}: {why}")]
    Row {
        /// From 1 on.
        line: u64,
        /// What is wrong with it.
        why: &'static str,
    },
    /// More than the format holds.
    #[error("too much for one table: {0}")]
    TooLarge(&'static str),
}

/// A table, and another laid over it: the overlay answers first.
#[derive(Debug, Clone, Default)]
pub struct Tables<'a> {
    /// The one that the user or the practice range laid over.
    pub overlay: Option<Table<'a>>,
    /// The internet's.
    pub base: Option<Table<'a>>,
}

impl<'a> Tables<'a> {
    /// Where an address belongs: as the overlay says if it knows the address, else as the base says.
    pub fn look_up(&self, ip: std::net::IpAddr) -> Option<Place<'a>> {
        let over = self.overlay.as_ref().and_then(|table| table.look_up(ip));
        over.or_else(|| self.base.as_ref().and_then(|table| table.look_up(ip)))
    }
}

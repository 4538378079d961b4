//! Sorted indexes beside the bulk tables: which rows hold a value.
//!
//! An index maps keys (bytes, in order) to the numbers of the rows that hold them. It serves three
//! ends: finding one value of 22 million at once, listing rows in a column's order, and counting
//! distinct values by merging the indexes of many tables. It is built by an external merge sort, so
//! memory is bounded whatever the table's size.
//!
//! File: `VGIX1\n`, blocks, the list of blocks, a footer of fixed size. A block holds entries, each
//! `shared prefix length, suffix length, suffix, number of rows, rows as differences` in LEB128;
//! the first entry of a block shares nothing. A key with many rows may stand in several entries,
//! one after the other.

mod build;
mod entry;
mod forward;
mod heap;
mod merge;
mod normal;
mod read;

pub(crate) use build::{BuiltIndex, IndexBuilder, RunMaker};
pub(crate) use forward::Forward;
pub(crate) use merge::{Keys, Merge, Stripped};
pub(crate) use normal::{normal_form, pair_key, split_pair};
pub(crate) use read::IndexFile;

/// First bytes of an index file.
const MAGIC: &[u8; 6] = b"VGIX1\n";

/// Bytes of the footer: offset and length of the list of blocks, keys, rows, blocks, magic.
const FOOTER: usize = 5 * 8 + MAGIC.len();

/// A block is closed when it has this many bytes.
const BLOCK: usize = 8 << 10;

/// An entry is split when it has this many rows.
const ENTRY_ROWS: usize = 1024;

#[cfg(test)]
pub(crate) mod tests;

//! Bulk tables on disk: one Parquet file a table of an exhibit.
//!
//! Each file has two columns of ours, `_start` and `_end` (the row's span in its exhibit), then the
//! source's, in its order. A secret column is kept as a truth value: whether there was one.
//!
//! A row group ends after [`GROUP_ROWS`] rows or [`GROUP_SPAN`] bytes of the exhibit, whichever
//! comes first: that depends on the rows alone, never on how a parser cut its batches, so files are
//! the same bytes whatever the threads did. Groups are encoded on the pool and written in order.

mod digest;
mod encode;
mod force;
mod identity;
mod positional;
mod read;
mod shared;

pub(crate) use digest::digest_columns;
pub(crate) use encode::{EncodedGroup, encode, parquet_schema, writer_properties};
pub(crate) use force::{allowed, unexpired};
pub(crate) use identity::Identity;
pub(crate) use read::TableFile;
pub(crate) use shared::{Part, SharedBatch, SharedColumn};

use model::ExhibitId;

/// Most rows of a row group. Small, so that reading a single row decodes little.
pub(crate) const GROUP_ROWS: usize = 32_768;

/// A row group ends with the row that brings its rows' spans to this many bytes.
pub(crate) const GROUP_SPAN: u64 = 16 << 20;

/// Most rows of a data page: what a single row's look-up decodes of each column.
pub(crate) const PAGE_ROWS: usize = 4096;

/// Most bulk tables of one exhibit; rows of further ones are a problem of kind `bound`.
pub(crate) const MAX_TABLES: usize = 4096;

/// A bulk table's id: the same after any rebuild.
pub(crate) fn table_id(exhibit: &ExhibitId, number: u32) -> String {
    format!("{}-{number}", &exhibit.to_string()[..16])
}

/// The name of a table's Parquet file in `tables/`.
pub(crate) fn file_name(exhibit: &ExhibitId, number: u32) -> String {
    format!("{}-{number:04}.parquet", &exhibit.to_string()[..32])
}

/// The name of an index file in `tables/`: `what` is `c<column>` or `pair`.
pub(crate) fn index_name(exhibit: &ExhibitId, number: u32, what: &str) -> String {
    format!("{}-{number:04}.{what}.index", &exhibit.to_string()[..32])
}

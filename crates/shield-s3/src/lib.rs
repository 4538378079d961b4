//! The feed's files on S3, or on what speaks like it with conditional puts: everybody's view, `PREFIX/all/manifest`
//! and `PREFIX/all/files/<SHA-256>`, as the publisher writes them into a folder. Any number of ISPs, and any CDN,
//! read them there; nobody has to be believed for it, since signatures and proofs stand in the files.
//!
//! [`Course`] decides what is put and what goes, over a [`Shelf`], and [`Words`] the same of a stop; [`Bucket`] is the
//! shelf on S3; [`begin`] makes a thread for each that does nothing else, so that a bucket that is gone, or slow, holds
//! up nothing of the house, and a file no stop.
//!
//! Invariants: a manifest is put once all that it names is there, and by a condition: never where another house's
//! later one stands. A file that no manifest of ours names goes after the grace, as in the folder.

mod bucket;
mod course;
mod thread;
mod word;

pub use bucket::Bucket;
pub use course::{Course, Done, Fault, GRACE, Kind, MAX_GONE, MAX_LISTED, Shelf, Stored, Tag};
pub use thread::{Copying, LONGEST, LOOK, Outcome, WORDS, begin};
pub use word::Words;

//! A log on S3, or on any store of objects with conditional put.
//!
//! Below a prefix stand the objects of C2SP tlog-tiles (`checkpoint`, `tile/…`), so that every reader
//! of such logs reads this one; and beside them `lock`, which writers swap, and `staging/…`, which is
//! there only while a batch is committed. See [`Log`] for the order, [`Reader`] for what is checked.
//!
//! Any number of writers cannot fork a log: a batch is in it by one conditional put of the lock, whose
//! condition is the state that the batch follows. Whoever loses stops with
//! [`Error::AnotherWriter`].

mod door;
mod error;
mod lock;
mod log;
mod objects;
mod reader;
mod s3;
mod settle;
mod staging;
mod verify;

pub use door::{MAX_BATCH, MAX_ENTRIES, REQUEST};
pub use error::{Error, Result};
pub use lock::Writer;
pub use log::{Log, Options};
pub use objects::{Fault, Object, Objects, Version};
pub use reader::Reader;
pub use s3::{Place, S3, builder, client};
pub use verify::verify;

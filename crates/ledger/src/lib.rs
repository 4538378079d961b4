//! The log of a case, and the one writer to disk.

pub mod disk;
mod error;

pub use error::{Error, Result};

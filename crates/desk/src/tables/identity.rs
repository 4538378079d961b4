//! Which file stands under a name.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

/// What tells a file from another that took its name: device and inode, and since an inode's number
/// is given out again, size and the moment of the last change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    place: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

impl Identity {
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            place: (metadata.dev(), metadata.ino()),
            size: metadata.len(),
            changed: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

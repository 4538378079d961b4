//! Opening a case for reading.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::{Error, Result};

/// A case to read from. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Reader {
    dir: Arc<PathBuf>,
}

/// One consistent moment of the views. Use it for one page and drop it: while it lives, the
/// writer's journal grows.
#[derive(Debug)]
pub struct Snapshot {
    reader: Reader,
}

impl Reader {
    /// Opens the case in `dir` for reading. Needs no lock, and never waits for a writer.
    pub fn open(dir: &Path) -> Result<Self> {
        if !dir.join("views.sqlite").is_file() {
            return Err(Error::NoCase(dir.to_owned()));
        }
        Ok(Self { dir: Arc::new(dir.to_owned()) })
    }

    /// The case's folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The views as they are now.
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot { reader: self.clone() })
    }
}

impl Snapshot {
    pub(crate) fn not_yet<T>(&self, what: &str) -> Result<T> {
        Err(Error::NotFound { what: format!("{what} ({})", self.reader.dir.display()) })
    }
}

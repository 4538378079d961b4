//! A folder as the publisher writes it.

use std::path::{Path, PathBuf};

use ledger::disk;
use shield::feed::Place;
use shield::wire::FileName;

use crate::feed;

pub(crate) struct Folder {
    dir: tempfile::TempDir,
}

pub(crate) fn place(epoch: u64, serial: u64) -> Place {
    Place { session: 40 + epoch, epoch, serial }
}

impl Folder {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        disk::create_dir(&dir.path().join("all/files")).unwrap();
        Self { dir }
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    pub(crate) fn file(&self, name: &FileName) -> PathBuf {
        self.path().join(format!("all/files/{}", name.hash))
    }

    /// Puts files there, and a manifest that names them.
    pub(crate) fn publish(&self, at: Place, beat: u64, files: &[&(FileName, Vec<u8>)]) -> Vec<u8> {
        for (name, bytes) in files {
            disk::write(&self.file(name), bytes).unwrap();
        }
        let names: Vec<FileName> = files.iter().map(|(name, _)| name.clone()).collect();
        let text = feed::manifest(at, beat, &names, &feed::feed_key());
        disk::write(&self.path().join("all/manifest"), &text).unwrap();
        text
    }

    pub(crate) fn stop(&self, text: &str) {
        disk::write(&self.path().join("all/stop"), text.as_bytes()).unwrap();
    }
}

//! The Sleuth Kit, run as processes of its own: `fiwalk` lists every file of every file system of a disk
//! with the places of its bytes, `fls` the further streams of NTFS, `icat` gives what has no places.
//!
//! Each runs without a shell, with an empty environment, nothing to read, and bounds (by `prlimit`) on
//! memory, processor time and the files it may write: none. What it writes out is bounded, and so is the
//! time that it may be silent; one that is too slow is killed, and no other.

mod listing;
mod process;

use std::fmt::Write;
use std::path::{Path, PathBuf};

pub(crate) use listing::{Entry, Item, Listing, Run, Streams};
pub(crate) use process::Process;

use crate::error::{Error, Result};

/// What to do where the programs are missing. An exhibit with this in a problem is read anew by the next
/// opening that finds them.
pub const INSTALL: &str =
    "not read: install The Sleuth Kit (`apt install sleuthkit`), then open the material again";

/// What is read of a file system's statistics: their beginning holds what is asked for.
const MAX_STATISTICS: u64 = 64 << 10;

/// Where the programs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    prlimit: PathBuf,
    fiwalk: PathBuf,
    fls: PathBuf,
    icat: PathBuf,
    fsstat: PathBuf,
}

impl Tools {
    /// Looks for the programs in the folders of `PATH`.
    pub fn find() -> Option<Self> {
        let path = std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
        let folders: Vec<PathBuf> =
            std::env::split_paths(&path).filter(|p| p.is_absolute()).collect();
        let of = |name: &str| folders.iter().map(|f| f.join(name)).find(|p| p.is_file());
        Some(Self {
            prlimit: of("prlimit")?,
            fiwalk: of("fiwalk")?,
            fls: of("fls")?,
            icat: of("icat")?,
            fsstat: of("fsstat")?,
        })
    }

    /// Begins to list what is on a disk.
    ///
    /// # Errors
    /// The program does not start.
    pub(crate) fn list(&self, links: &Links) -> std::io::Result<Listing> {
        Ok(Listing::new(Process::start(
            &self.prlimit,
            &self.fiwalk,
            ["-x".as_ref(), "-g".as_ref(), "-z".as_ref(), links.first.as_os_str()],
        )?))
    }

    /// Begins to list the further streams of the NTFS that begins at `start`, in bytes.
    ///
    /// # Errors
    /// The program does not start.
    pub(crate) fn streams(&self, links: &Links, start: u64) -> std::io::Result<Streams> {
        let sector = (start / 512).to_string();
        Ok(Streams::new(Process::start(
            &self.prlimit,
            &self.fls,
            [
                "-r".as_ref(),
                "-p".as_ref(),
                "-u".as_ref(),
                "-F".as_ref(),
                "-o".as_ref(),
                sector.as_ref(),
                links.first.as_os_str(),
            ],
        )?))
    }

    /// How many inodes of the ext file system that begins at `start`, in bytes, are in use; `None`
    /// where it does not say.
    ///
    /// # Errors
    /// The program does not start, or is silent for too long.
    pub(crate) fn inodes(&self, links: &Links, start: u64) -> std::io::Result<Option<u64>> {
        let sector = (start / 512).to_string();
        let mut process = Process::start(
            &self.prlimit,
            &self.fsstat,
            ["-o".as_ref(), sector.as_ref(), links.first.as_os_str()],
        )?;
        let mut head = Vec::new();
        std::io::Read::read_to_end(
            &mut std::io::Read::take(&mut process, MAX_STATISTICS),
            &mut head,
        )?;
        Ok(listing::in_use(&String::from_utf8_lossy(&head)))
    }

    /// Begins to read the file of that address (`64`, `64-128-4`) in the file system at `start`.
    ///
    /// # Errors
    /// The program does not start.
    pub(crate) fn file(
        &self,
        links: &Links,
        start: u64,
        address: &str,
    ) -> std::io::Result<Process> {
        let sector = (start / 512).to_string();
        Process::start(
            &self.prlimit,
            &self.icat,
            ["-o".as_ref(), sector.as_ref(), links.first.as_os_str(), address.as_ref()],
        )
    }
}

/// How the files of an image are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// E01, E02, …
    Ewf,
    /// One raw file, or several one after another.
    Raw,
}

/// A folder with links to an image's files under the names that the programs know formats and sets by:
/// exhibits are called by their hash. It is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct Links {
    folder: PathBuf,
    first: PathBuf,
}

impl Links {
    /// Links to files, in the order of the set.
    ///
    /// # Errors
    /// The folder for temporary files.
    pub(crate) fn new(naming: Naming, files: &[&Path]) -> Result<Self> {
        let mut name = String::from("vigie-image-");
        for byte in &crate::random()?[..16] {
            let _ = write!(name, "{byte:02x}");
        }
        let folder = std::env::temp_dir().join(name);
        let suffix = |n: usize| match (naming, files.len()) {
            (Naming::Ewf, _) => ewf_suffix(n),
            (Naming::Raw, 1) => "raw".to_owned(),
            (Naming::Raw, _) => format!("{:03}", n + 1),
        };
        let first = folder.join(format!("image.{}", suffix(0)));
        ledger::disk::create_dir(&folder)?;
        let links = Self { folder, first };
        for (n, file) in files.iter().enumerate() {
            let link = links.folder.join(format!("image.{}", suffix(n)));
            std::os::unix::fs::symlink(file, &link)
                .map_err(|e| Error::material("link to", file, e))?;
        }
        Ok(links)
    }
}

impl Drop for Links {
    fn drop(&mut self) {
        // Links alone: what is left of them costs nobody anything.
        let _ = ledger::disk::remove_dir_all(&self.folder);
    }
}

/// `E01` to `E99`, `EAA` to `EZZ`, `FAA` and so on.
fn ewf_suffix(n: usize) -> String {
    if n < 99 {
        return format!("E{:02}", n + 1);
    }
    let n = n - 99;
    let letter = |n: usize| char::from(b'A' + u8::try_from(n % 26).unwrap_or(0));
    [letter(4 + n / 676), letter(n / 26), letter(n)].iter().collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn suffixes_are_the_fields_own() {
        for (n, suffix) in [(0, "E01"), (98, "E99"), (99, "EAA"), (100, "EAB"), (775, "FAA")] {
            assert_eq!(super::ewf_suffix(n), suffix);
        }
    }
}

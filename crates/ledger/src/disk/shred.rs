//! Removing so that nothing can be read back: what stood in a file is overwritten before its name
//! goes. How far this reaches is the file system's: one that copies on write, keeps snapshots, or
//! lies on flash may hold older blocks.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Overwrite, Pending, TEMP_PREFIX, folder_of, remove, step, write};
use crate::error::{Error, Result};

/// Zeros written at once.
const STEP: usize = 1 << 20;
/// So many zeros wait to be flushed at the most.
const SETTLE: u64 = 8 << 20;

/// Overwrites a file with zeros, then removes it, durably; one that is gone already is no error. A
/// file that has another name as well only loses this one; what is no plain file is only removed.
pub fn shred(path: &Path) -> Result<()> {
    let metadata = match path.symlink_metadata() {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|e| Error::disk("look at", path, e))?,
    };
    if metadata.is_file() && metadata.nlink() == 1 && metadata.len() > 0 {
        step("overwrite", path, || {
            // Exhibits are read-only.
            fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            let mut file = OpenOptions::new().write(true).open(path)?;
            let zeros = vec![0; STEP];
            let mut left = metadata.len();
            while left > 0 {
                let now = left.min(STEP as u64);
                file.write_all(&zeros[..usize::try_from(now).unwrap_or(STEP)])?;
                left -= now;
                // What is flushed at once holds up whoever flushes a few bytes meanwhile.
                if left % SETTLE < STEP as u64 {
                    file.sync_data()?;
                }
            }
            file.sync_all()
        })?;
    }
    remove(path)
}

/// Writes a whole file durably in the place of an older one, as [`write()`] does, and overwrites the
/// older. A crash leaves the old file or the new one under the name, and at most the older one's
/// bytes under a name that [`sweep`] knows.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let old = second_name(path);
    give_second(path, &old)?;
    write(path, bytes)?;
    shred(&old)
}

/// Gives a pending file its name durably, in the place of an older one, which is overwritten; there may be none. As
/// with [`replace`], but that where files cannot have a second name a crash may leave neither: this is for what can be
/// made again.
pub fn persist(file: Pending, path: &Path) -> Result<()> {
    let old = second_name(path);
    match give_second(path, &old) {
        Ok(()) => {
            file.persist(path, Overwrite::Replace)?;
            shred(&old)
        }
        Err(Error::Disk { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            file.persist(path, Overwrite::Replace)
        }
        Err(Error::Disk { source, .. })
            if matches!(
                source.kind(),
                io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
            ) =>
        {
            shred(path)?;
            file.persist(path, Overwrite::Replace)
        }
        Err(other) => Err(other),
    }
}

/// A second name for a file, which [`sweep`] knows.
fn second_name(path: &Path) -> PathBuf {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    folder_of(path).join(format!("{TEMP_PREFIX}old-{}-{n}", std::process::id()))
}

fn give_second(path: &Path, old: &Path) -> Result<()> {
    step("link", path, || match fs::hard_link(path, old) {
        // An older process of the same number left it, which has this file's name still or none.
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(old)?;
            fs::hard_link(path, old)
        }
        other => other,
    })
}

/// Shreds what unfinished writes left in a folder (not below it).
pub fn sweep(folder: &Path) -> Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|e| Error::disk("list", folder, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::disk("list", folder, e))?;
        if entry.file_name().as_encoded_bytes().starts_with(TEMP_PREFIX.as_bytes()) {
            shred(&entry.path())?;
        }
    }
    Ok(())
}

/// Shreds every file of a folder and removes the folder; one that is gone already is no error. For
/// views, which can be built again.
pub fn folder(path: &Path) -> Result<()> {
    let entries = match fs::read_dir(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|e| Error::disk("list", path, e))?,
    };
    for entry in entries {
        let entry = entry.map_err(|e| Error::disk("list", path, e))?;
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            shred(&entry.path())?;
        }
    }
    super::remove_dir_all(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_there_is_zeros_for_whoever_still_holds_it() {
        use std::io::{Read, Seek, SeekFrom};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        let bytes = vec![7; STEP + 10];
        super::super::write_with(&path, &bytes, super::super::Overwrite::Never, 0o444).unwrap();
        let mut held = fs::File::open(&path).unwrap();
        let read = |held: &mut fs::File| {
            let mut found = Vec::new();
            held.seek(SeekFrom::Start(0)).unwrap();
            held.read_to_end(&mut found).unwrap();
            found
        };
        replace(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(read(&mut held), vec![0; STEP + 10]);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        let made = |bytes: &[u8]| {
            let mut file = Pending::new(dir.path()).unwrap();
            file.append(bytes).unwrap();
            file
        };
        // In pieces, and where nothing was.
        let mut held = fs::File::open(&path).unwrap();
        persist(made(b"newer"), &path).unwrap();
        assert_eq!((fs::read(&path).unwrap(), read(&mut held)), (b"newer".to_vec(), vec![0; 3]));
        remove(&path).unwrap();
        persist(made(b"new"), &path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        // A second name keeps the bytes: a crash came before the new file had the name.
        let other = dir.path().join(format!("{TEMP_PREFIX}old-1-1"));
        fs::hard_link(&path, &other).unwrap();
        sweep(dir.path()).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert!(!other.exists());
        shred(&path).unwrap();
        shred(&path).unwrap();
        assert!(!path.exists());
        folder(&dir.path().join("none")).unwrap();
    }
}

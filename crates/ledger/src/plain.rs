//! Opening files that others may have laid down, for reading.

use std::fs::File;
use std::io;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

/// Opens a plain file for reading. What is none (a pipe, a device, a socket, a folder) is refused at
/// once: it could be read for ever, or nothing of it. A symbolic link counts as what it leads to.
///
/// # Errors
/// The disk; what is no plain file, which [`is_other`] tells.
pub fn open(path: &Path) -> io::Result<File> {
    look(path)?;
    let file = open_now(path)?;
    // Another may have taken its place.
    if file.metadata()?.is_file() { Ok(file) } else { Err(other()) }
}

/// Opens what was sealed where it lies: a plain file, or a disk.
///
/// # Errors
/// As [`open`].
pub fn open_in_place(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::FileTypeExt;
    let file = open_now(path)?;
    let sort = file.metadata()?.file_type();
    if sort.is_file() || sort.is_block_device() { Ok(file) } else { Err(other()) }
}

/// True where something was refused because it is no plain file.
pub fn is_other(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Other>())
}

/// To look before is to touch no device.
fn look(path: &Path) -> io::Result<()> {
    if path.metadata()?.is_file() { Ok(()) } else { Err(other()) }
}

/// Opens without waiting for whoever is at the other end.
fn open_now(path: &Path) -> io::Result<File> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(file) => Ok(file.into()),
        // As a socket answers.
        Err(rustix::io::Errno::NXIO) => Err(other()),
        Err(e) => Err(e.into()),
    }
}

fn other() -> io::Error {
    io::Error::other(Other)
}

#[derive(Debug, thiserror::Error)]
#[error("it is not a plain file")]
struct Other;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::disallowed_methods)] // Material for the test.
    fn plain_files_alone_are_opened() {
        let dir = tempfile::tempdir().unwrap();
        let (pipe, file, link) =
            (dir.path().join("pipe"), dir.path().join("file"), dir.path().join("link"));
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        std::fs::write(&file, b"x").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let socket = dir.path().join("socket");
        let _listener = std::os::unix::net::UnixListener::bind(&socket).unwrap();
        for path in [&pipe, &socket, Path::new("/dev/zero"), dir.path()] {
            assert!(is_other(&open(path).unwrap_err()), "{}", path.display());
            assert!(is_other(&open_in_place(path).unwrap_err()), "{}", path.display());
        }
        for path in [&file, &link] {
            open(path).unwrap();
            open_in_place(path).unwrap();
        }
        let gone = open(&dir.path().join("gone")).unwrap_err();
        assert!(gone.kind() == io::ErrorKind::NotFound && !is_other(&gone));
    }
}

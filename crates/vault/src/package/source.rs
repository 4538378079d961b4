//! A package open for reading: a folder, or the zip file that it came in.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::zip::{self, MAX_FILES, ZipError};

/// Deepest folder.
const MAX_DEPTH: usize = 8;

/// Why it cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Neither a folder nor a file that can be read.
    #[error("{} cannot be read", path.display())]
    Read {
        /// What.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file that is encrypted.
    #[error(
        "{} is encrypted: decrypt it first (`age --decrypt -i KEY-FILE -o package.zip FILE`)",
        .0.display()
    )]
    Encrypted(PathBuf),
    /// Not a zip file as packages are written.
    #[error("{}", .0.display())]
    Zip(PathBuf, #[source] ZipError),
    /// Files that no package has.
    #[error("{}: {what}", path.display())]
    Shape {
        /// Where.
        path: PathBuf,
        /// What.
        what: String,
    },
}

/// A file of a package.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    /// Bytes.
    pub(crate) size: u64,
    /// SHA-256 of them.
    pub(crate) sha256: [u8; 32],
    /// In a zip file: where they begin.
    offset: u64,
}

#[derive(Debug)]
enum Place {
    Folder(PathBuf),
    Zip(File),
}

/// A package whose every byte was read once.
#[derive(Debug)]
pub struct Opened {
    place: Place,
    /// By name below the package's folder.
    pub(crate) files: BTreeMap<String, Item>,
}

impl Opened {
    /// Reads the package at `path` from its first byte to its last. `progress` is told the bytes.
    ///
    /// # Errors
    /// It cannot be read; a zip file that is not exactly as packages are written; links and names
    /// that no package has; more than [`MAX_FILES`] files.
    pub fn open(path: &Path, progress: &dyn Fn(u64)) -> Result<Self, SourceError> {
        let at = |source| SourceError::Read { path: path.to_owned(), source };
        if path.metadata().map_err(at)?.is_dir() {
            let mut files = BTreeMap::new();
            list(path, "", 0, &mut files, progress)?;
            return Ok(Self { place: Place::Folder(path.to_owned()), files });
        }
        let file = File::open(path).map_err(at)?;
        let mut first = [0; 21];
        let n = file.read_at(&mut first, 0).map_err(at)?;
        if first[..n].starts_with(b"age-encryption.org/") {
            return Err(SourceError::Encrypted(path.to_owned()));
        }
        let mut from = BufReader::with_capacity(1 << 18, &file);
        let found =
            zip::read(&mut from, progress).map_err(|e| SourceError::Zip(path.to_owned(), e))?;
        let mut files = BTreeMap::new();
        for (name, found) in found {
            let Some(below) = name.strip_prefix(super::TOP) else {
                let what = format!("{name} is not below {}", super::TOP);
                return Err(SourceError::Shape { path: path.to_owned(), what });
            };
            let item = Item { size: found.size, sha256: found.sha256, offset: found.offset };
            files.insert(below.to_owned(), item);
        }
        Ok(Self { place: Place::Zip(file), files })
    }

    /// Reads a small file whole; `None` where there is none, or it is longer than `most`.
    ///
    /// # Errors
    /// Reading.
    pub(crate) fn text(&self, name: &str, most: u64) -> io::Result<Option<String>> {
        match self.files.get(name) {
            Some(item) if item.size <= most => {
                let mut bytes = Vec::new();
                self.reader(name)?.take(most + 1).read_to_end(&mut bytes)?;
                Ok(String::from_utf8(bytes).ok())
            }
            _ => Ok(None),
        }
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// No such file; opening it.
    pub(crate) fn reader(&self, name: &str) -> io::Result<Box<dyn Read + '_>> {
        let item = self.files.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(match &self.place {
            Place::Folder(dir) => Box::new(File::open(dir.join(name))?),
            Place::Zip(file) => Box::new(Slice { file, at: item.offset, left: item.size }),
        })
    }
}

/// A part of a file.
struct Slice<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Slice<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).unwrap_or(usize::MAX).min(out.len());
        let n = self.file.read_at(&mut out[..most], self.at)?;
        self.at += n as u64;
        self.left -= n as u64;
        Ok(n)
    }
}

fn list(
    dir: &Path,
    below: &str,
    depth: usize,
    files: &mut BTreeMap<String, Item>,
    progress: &dyn Fn(u64),
) -> Result<(), SourceError> {
    let folder = dir.join(below);
    let at = |path: &Path| {
        let path = path.to_owned();
        move |source| SourceError::Read { path, source }
    };
    for item in folder.read_dir().map_err(at(&folder))? {
        let item = item.map_err(at(&folder))?;
        let path = item.path();
        let shape = |what: &str| SourceError::Shape { path: path.clone(), what: what.to_owned() };
        let name = item.file_name();
        let name = name.to_str().ok_or_else(|| shape("no name that a package has"))?;
        let name = format!("{below}{name}");
        if !zip::is_name(&name) {
            return Err(shape("no name that a package has"));
        }
        let sort = item.file_type().map_err(at(&path))?;
        if sort.is_dir() {
            if depth == MAX_DEPTH {
                return Err(shape("a folder deeper than any of a package"));
            }
            list(dir, &format!("{name}/"), depth + 1, files, progress)?;
        } else if sort.is_file() {
            if files.len() == MAX_FILES {
                return Err(shape("more files than a package may have"));
            }
            let (mut file, mut sha) = (File::open(&path).map_err(at(&path))?, Sha256::new());
            let (mut buffer, mut size) = (vec![0; 1 << 18], 0u64);
            loop {
                let n = file.read(&mut buffer).map_err(at(&path))?;
                if n == 0 {
                    break;
                }
                sha.update(&buffer[..n]);
                size += n as u64;
                progress(n as u64);
            }
            let item = Item { size, sha256: sha.finalize().into(), offset: 0 };
            files.insert(name, item);
        } else {
            return Err(shape("neither a plain file nor a folder"));
        }
    }
    Ok(())
}

//! The bytes of a disk, whatever file they stand in.

use std::io::{self, ErrorKind, Read, SeekFrom};

use crate::unpack::Source;

/// A disk that can be read from any place.
pub trait Disk {
    /// Bytes.
    fn size(&self) -> u64;

    /// Fills `buffer` from `at` on; fewer bytes only at the disk's end.
    ///
    /// # Errors
    /// The medium.
    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// How many pieces were handed out so far whose checksum is wrong.
    fn damaged(&self) -> u64 {
        0
    }

    /// The first place from `at` on of which there are bytes; what is between is zeros.
    fn filled_from(&self, at: u64) -> u64 {
        at
    }

    /// Where bytes of the disk stand: the segment file, and first byte and one past the last there.
    /// What spreads over several files is cut at the end of the first.
    fn place(&self, start: u64, end: u64) -> (usize, u64, u64);
}

/// Reads up to `len` bytes; fewer at the end or where the medium fails.
pub(crate) fn bytes_at(disk: &mut dyn Disk, at: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    let got = disk.read_at(at, &mut bytes).unwrap_or(0);
    bytes.truncate(got);
    bytes
}

/// A raw image: its files one after another.
pub struct Raw<'a> {
    files: Vec<(&'a mut dyn Source, u64)>,
    size: u64,
}

impl std::fmt::Debug for Raw<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes in {} files", self.size, self.files.len())
    }
}

impl<'a> Raw<'a> {
    /// The disk that these files make.
    pub fn new(files: impl IntoIterator<Item = &'a mut dyn Source>) -> Self {
        let files: Vec<_> = files
            .into_iter()
            .map(|file| {
                let size = file.seek(SeekFrom::End(0)).unwrap_or(0);
                (file, size)
            })
            .collect();
        let size = files.iter().fold(0u64, |sum, (_, size)| sum.saturating_add(*size));
        Self { files, size }
    }
}

impl Disk for Raw<'_> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&mut self, at: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let (mut begin, mut filled) = (0u64, 0);
        for (file, size) in &mut self.files {
            let from = at.saturating_add(filled as u64);
            let end = begin.saturating_add(*size);
            if from < end && filled < buffer.len() {
                let room = usize::try_from(end - from).unwrap_or(usize::MAX);
                let most = room.min(buffer.len() - filled);
                file.seek(SeekFrom::Start(from - begin))?;
                let got = read_full(*file, &mut buffer[filled..filled + most])?;
                filled += got;
                if got < most {
                    break;
                }
            }
            begin = end;
        }
        Ok(filled)
    }

    fn place(&self, start: u64, end: u64) -> (usize, u64, u64) {
        let mut begin = 0u64;
        for (n, (_, size)) in self.files.iter().enumerate() {
            let next = begin.saturating_add(*size);
            if start < next || n + 1 == self.files.len() {
                let within = |at: u64| at.clamp(begin, next) - begin;
                return (n, within(start), within(end));
            }
            begin = next;
        }
        (0, 0, 0)
    }
}

/// Reads until the buffer is full or the source ends.
pub(crate) fn read_full(source: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match source.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(n) => filled += n.min(buffer.len() - filled),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(filled)
}

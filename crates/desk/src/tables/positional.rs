//! A file read at places, by any number of threads at once: Parquet's own reader of a file moves the
//! one place that all its copies share.

use std::fs::File;
use std::io::{BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// Page headers are read through a buffer of this size.
const BUFFER: usize = 4 << 10;

/// An open file and its size.
pub(super) struct Positional {
    file: Arc<File>,
    len: u64,
}

impl Positional {
    pub(super) fn new(file: File) -> std::io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), len })
    }
}

impl Length for Positional {
    fn len(&self) -> u64 {
        self.len
    }
}

impl ChunkReader for Positional {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::with_capacity(BUFFER, From { file: self.file.clone(), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // What a damaged footer asks for is not there to be allocated.
        if start.checked_add(length as u64).is_none_or(|end| end > self.len) {
            return Err(ParquetError::EOF(format!("{length} bytes at {start} of {}", self.len)));
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(bytes.into())
    }
}

/// A reader from one place on.
pub(super) struct From {
    file: Arc<File>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.file.read_at(buffer, self.at)?;
        self.at += n as u64;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_readers_do_not_move_one_another() {
        let mut file = tempfile::tempfile().expect("a file");
        let bytes: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        std::io::Write::write_all(&mut file, &bytes).expect("written");
        let file = Positional::new(file).expect("its size");
        std::thread::scope(|threads| {
            for seed in 0..4usize {
                let (file, bytes) = (&file, &bytes);
                threads.spawn(move || {
                    for n in 0..200 {
                        let start = (seed * 7919 + n * 104_729) % (bytes.len() - 5000);
                        let got = file.get_bytes(start as u64, 1000).expect("read");
                        assert_eq!(got, &bytes[start..start + 1000]);
                        let mut reader = file.get_read(start as u64).expect("opened");
                        let mut got = vec![0; 5000];
                        reader.read_exact(&mut got).expect("read");
                        assert_eq!(got, &bytes[start..start + 5000]);
                    }
                });
            }
        });
        assert!(file.get_bytes(bytes.len() as u64 - 1, 2).is_err());
        assert!(file.get_bytes(u64::MAX, 2).is_err());
    }
}

//! Zip files with one writing: what is in them follows from names and bytes alone.
//!
//! Stored, never packed; names ascending; every header field fixed but for the name, the CRC-32 and
//! the sizes; the sizes beyond 4 GiB as APPNOTE 6.3 writes them (zip64). Nothing lies between the
//! parts. A reader writes each header again and compares, so that no byte of a file can change unseen.

use std::io::{self, BufRead, Read, Write};

use flate2::Crc;
use sha2::{Digest, Sha256};

/// Most files in one.
pub const MAX_FILES: usize = 1_000_000;
/// Longest name, in bytes.
pub const MAX_NAME: usize = 512;
const BUFFER: usize = 1 << 16;
/// What does not fit 32 bits stands in a zip64 field.
const LARGE: u64 = 0xffff_ffff;

/// A file in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name: relative, `/` between folders.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// CRC-32 of its bytes, as zip wants it.
    pub crc: u32,
}

/// Why bytes are no such file.
#[derive(Debug, thiserror::Error)]
pub enum ZipError {
    /// Reading failed.
    #[error("it cannot be read")]
    Read(#[from] io::Error),
    /// Another writing than ours.
    #[error("byte {at}: {what}")]
    Shape {
        /// Where, from the beginning.
        at: u64,
        /// What is wrong.
        what: String,
    },
}

/// True for names that name a file below the folder it is unpacked in, on any system.
pub fn is_name(name: &str) -> bool {
    let part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let byte = |b: u8| b.is_ascii_alphanumeric() || b"._-/".contains(&b);
    name.len() <= MAX_NAME && name.bytes().all(byte) && name.split('/').all(part)
}

/// Version needed: 2.0, or 4.5 with zip64.
fn version(large: bool) -> [u8; 2] {
    if large { [45, 0] } else { [20, 0] }
}

/// Midnight of 1 January 1980, the first moment that zip knows.
const MOMENT: [u8; 4] = [0, 0, 0x21, 0];

fn low(n: u64) -> [u8; 4] {
    u32::try_from(n).unwrap_or(u32::MAX).to_le_bytes()
}

fn short(n: usize) -> [u8; 2] {
    u16::try_from(n).unwrap_or(u16::MAX).to_le_bytes()
}

impl Entry {
    fn local(&self) -> Vec<u8> {
        let large = self.size >= LARGE;
        let mut out = b"PK\x03\x04".to_vec();
        out.extend(version(large));
        out.extend([0; 4]); // flags, stored
        out.extend(MOMENT);
        out.extend(self.crc.to_le_bytes());
        out.extend(low(self.size));
        out.extend(low(self.size));
        out.extend(short(self.name.len()));
        out.extend(short(if large { 20 } else { 0 }));
        out.extend(self.name.as_bytes());
        if large {
            out.extend([1, 0, 16, 0]);
            out.extend(self.size.to_le_bytes());
            out.extend(self.size.to_le_bytes());
        }
        out
    }

    fn central(&self, offset: u64) -> Vec<u8> {
        let mut extra = Vec::new();
        if self.size >= LARGE {
            extra.extend(self.size.to_le_bytes());
            extra.extend(self.size.to_le_bytes());
        }
        if offset >= LARGE {
            extra.extend(offset.to_le_bytes());
        }
        let large = !extra.is_empty();
        let mut out = b"PK\x01\x02".to_vec();
        out.extend(version(large));
        out.extend(version(large));
        out.extend([0; 4]);
        out.extend(MOMENT);
        out.extend(self.crc.to_le_bytes());
        out.extend(low(self.size));
        out.extend(low(self.size));
        out.extend(short(self.name.len()));
        out.extend(short(if large { extra.len() + 4 } else { 0 }));
        out.extend([0; 10]); // comment, disk, attributes
        out.extend(low(offset));
        out.extend(self.name.as_bytes());
        if large {
            out.extend([1, 0]);
            out.extend(short(extra.len()));
            out.extend(extra);
        }
        out
    }
}

/// The end: the directory's number of entries, length and offset.
fn end(count: u64, length: u64, offset: u64) -> Vec<u8> {
    let mut out = Vec::new();
    let large = count >= 0xffff || length >= LARGE || offset >= LARGE;
    if large {
        out.extend(b"PK\x06\x06");
        out.extend(44u64.to_le_bytes());
        out.extend([45, 0, 45, 0]);
        out.extend([0; 8]);
        out.extend(count.to_le_bytes());
        out.extend(count.to_le_bytes());
        out.extend(length.to_le_bytes());
        out.extend(offset.to_le_bytes());
        out.extend(b"PK\x06\x07");
        out.extend([0; 4]);
        out.extend((offset + length).to_le_bytes());
        out.extend([1, 0, 0, 0]);
    }
    let few = u16::try_from(count).unwrap_or(u16::MAX).to_le_bytes();
    out.extend(b"PK\x05\x06");
    out.extend([0; 4]);
    out.extend(few);
    out.extend(few);
    out.extend(low(length));
    out.extend(low(offset));
    out.extend([0; 2]);
    out
}

/// Writes one, in the order of the names.
#[derive(Debug)]
pub struct Writer<W> {
    out: W,
    at: u64,
    entries: Vec<(Entry, u64)>,
}

impl<W: Write> Writer<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, at: 0, entries: Vec::new() }
    }

    fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.at += bytes.len() as u64;
        self.out.write_all(bytes)
    }

    /// Adds a file, whose bytes must be those that `entry` was made from.
    ///
    /// # Errors
    /// A name that is none or not the next one; too many files; other bytes; the disk.
    pub fn add(&mut self, entry: Entry, bytes: &mut dyn Read) -> io::Result<()> {
        let ascending = self.entries.last().is_none_or(|(last, _)| last.name < entry.name);
        if !is_name(&entry.name) || !ascending || self.entries.len() == MAX_FILES {
            return Err(io::Error::other(format!("{} cannot be the next file", entry.name)));
        }
        let offset = self.at;
        self.put(&entry.local())?;
        let mut crc = Crc::new();
        let (mut buffer, mut size) = (vec![0; BUFFER], 0u64);
        loop {
            let n = bytes.read(&mut buffer)?;
            if n == 0 {
                break;
            }
            crc.update(&buffer[..n]);
            size += n as u64;
            self.put(&buffer[..n])?;
        }
        if (size, crc.sum()) != (entry.size, entry.crc) {
            return Err(io::Error::other(format!("{} changed while it was read", entry.name)));
        }
        self.entries.push((entry, offset));
        Ok(())
    }

    /// Writes the directory. Gives back what was written to.
    ///
    /// # Errors
    /// The disk.
    pub fn finish(mut self) -> io::Result<W> {
        let offset = self.at;
        for (entry, offset) in std::mem::take(&mut self.entries) {
            let central = entry.central(offset);
            self.put(&central)?;
            self.entries.push((entry, offset));
        }
        let tail = end(self.entries.len() as u64, self.at - offset, offset);
        self.put(&tail)?;
        Ok(self.out)
    }
}

/// A file that was read.
#[derive(Debug, Clone)]
pub struct Found {
    /// Where its bytes begin.
    pub offset: u64,
    /// Bytes.
    pub size: u64,
    /// SHA-256 of them.
    pub sha256: [u8; 32],
}

struct Scanner<'a> {
    from: &'a mut dyn BufRead,
    at: u64,
}

impl Scanner<'_> {
    fn shape(&self, what: impl Into<String>) -> ZipError {
        ZipError::Shape { at: self.at, what: what.into() }
    }

    /// The next bytes, which must be there.
    fn take(&mut self, len: usize) -> Result<Vec<u8>, ZipError> {
        let mut out = vec![0; len];
        match self.from.read_exact(&mut out) {
            Ok(()) => {
                self.at += len as u64;
                Ok(out)
            }
            Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => {
                Err(self.shape("the file ends too early"))
            }
            Err(e) => Err(e.into()),
        }
    }

    fn expect(&mut self, wanted: &[u8], what: &str) -> Result<(), ZipError> {
        let begin = self.at;
        let found = self.take(wanted.len())?;
        match found.iter().zip(wanted).position(|(a, b)| a != b) {
            None => Ok(()),
            Some(n) => Err(ZipError::Shape { at: begin + n as u64, what: what.to_owned() }),
        }
    }
}

fn u16_at(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]))
}

/// Reads one from its first byte to its last, hashing each file. `progress` is told the bytes.
///
/// # Errors
/// The first byte that we would have written otherwise.
pub fn read(
    from: &mut dyn BufRead,
    progress: &dyn Fn(u64),
) -> Result<Vec<(String, Found)>, ZipError> {
    const LOCAL: usize = 30;
    let mut scanner = Scanner { from, at: 0 };
    let mut entries: Vec<(Entry, u64)> = Vec::new();
    let mut out = Vec::new();
    loop {
        let offset = scanner.at;
        let sign = scanner.take(4)?;
        if sign != b"PK\x03\x04" {
            return directory(&mut scanner, &sign, offset, &entries).map(|()| out);
        }
        let mut header = sign;
        header.extend(scanner.take(LOCAL - 4)?);
        let name = scanner.take(u16_at(&header, 26).min(MAX_NAME + 1))?;
        let extra = scanner.take(u16_at(&header, 28).min(20))?;
        let size = match extra.get(4..12) {
            Some(large) => u64::from_le_bytes(std::array::from_fn(|i| large[i])),
            None => u64::from(u32_at(&header, 18)),
        };
        let name = String::from_utf8(name)
            .ok()
            .filter(|name| is_name(name))
            .ok_or(ZipError::Shape { at: offset + 30, what: "no name of a file".to_owned() })?;
        let entry = Entry { name, size, crc: u32_at(&header, 14) };
        header.extend(entry.name.as_bytes());
        header.extend(extra);
        let wanted = entry.local();
        if let Some(n) = header.iter().zip(&wanted).position(|(a, b)| a != b) {
            let what = format!("the header of {} is not as it is written", entry.name);
            return Err(ZipError::Shape { at: offset + n as u64, what });
        }
        if header.len() != wanted.len() {
            return Err(scanner.shape(format!("the header of {} has another length", entry.name)));
        }
        if entries.last().is_some_and(|(last, _)| last.name >= entry.name) {
            let what = format!("{} is not in the order of names", entry.name);
            return Err(ZipError::Shape { at: offset, what });
        }
        if entries.len() == MAX_FILES {
            return Err(scanner.shape(format!("more than {MAX_FILES} files")));
        }
        let begin = scanner.at;
        let (mut crc, mut sha) = (Crc::new(), Sha256::new());
        let mut left = entry.size;
        let mut buffer = vec![0; BUFFER];
        while left > 0 {
            let want = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
            let n = scanner.from.read(&mut buffer[..want])?;
            if n == 0 {
                return Err(scanner.shape(format!("the file ends within {}", entry.name)));
            }
            crc.update(&buffer[..n]);
            sha.update(&buffer[..n]);
            scanner.at += n as u64;
            left -= n as u64;
            progress(n as u64);
        }
        if crc.sum() != entry.crc {
            return Err(ZipError::Shape {
                at: offset + 14,
                what: format!("the bytes of {} do not fit their CRC-32", entry.name),
            });
        }
        let found = Found { offset: begin, size: entry.size, sha256: sha.finalize().into() };
        out.push((entry.name.clone(), found));
        entries.push((entry, offset));
    }
}

/// Reads the rest, of which the first four bytes, at `offset`, are read.
fn directory(
    scanner: &mut Scanner<'_>,
    sign: &[u8],
    offset: u64,
    entries: &[(Entry, u64)],
) -> Result<(), ZipError> {
    let mut read = Some(sign);
    let mut check = |scanner: &mut Scanner<'_>, wanted: &[u8], what: &str| match read.take() {
        Some(sign) if wanted.starts_with(sign) => scanner.expect(&wanted[4..], what),
        Some(_) => Err(ZipError::Shape { at: offset, what: what.to_owned() }),
        None => scanner.expect(wanted, what),
    };
    let mut length = 0;
    for (entry, at) in entries {
        let what = format!("the directory is not as it is written for {}", entry.name);
        let central = entry.central(*at);
        length += central.len() as u64;
        check(scanner, &central, &what)?;
    }
    let tail = end(entries.len() as u64, length, offset);
    check(scanner, &tail, "the end of the directory is not as it is written")?;
    match scanner.from.fill_buf()? {
        [] => Ok(()),
        _ => Err(scanner.shape("bytes after the end")),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn entry(name: &str, bytes: &[u8]) -> Entry {
        let mut crc = Crc::new();
        crc.update(bytes);
        Entry { name: name.to_owned(), size: bytes.len() as u64, crc: crc.sum() }
    }

    fn made(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut writer = Writer::new(Vec::new());
        for (name, bytes) in files {
            writer.add(entry(name, bytes), &mut Cursor::new(bytes)).unwrap();
        }
        writer.finish().unwrap()
    }

    fn reads(bytes: &[u8]) -> Result<Vec<(String, Found)>, ZipError> {
        read(&mut Cursor::new(bytes), &|_| {})
    }

    #[test]
    fn every_changed_byte_is_found() {
        let long = vec![7u8; 300];
        let zip = made(&[("a/b.txt", b"hello"), ("a/empty", b""), ("z", &long)]);
        let found = reads(&zip).unwrap();
        assert_eq!(found.len(), 3);
        assert_eq!(found[0].1.sha256, <[u8; 32]>::from(Sha256::digest(b"hello")));
        let at = usize::try_from(found[2].1.offset).unwrap();
        assert_eq!(&zip[at..at + 300], &long);
        for at in 0..zip.len() {
            for bit in 0..8 {
                let mut changed = zip.clone();
                changed[at] ^= 1 << bit;
                assert!(reads(&changed).is_err(), "byte {at} bit {bit}");
            }
        }
        for cut in 0..zip.len() {
            assert!(reads(&zip[..cut]).is_err(), "cut at {cut}");
        }
        assert!(reads(&[&zip[..], b"x"].concat()).is_err());
        assert_eq!(reads(&made(&[])).unwrap().len(), 0);
    }

    #[test]
    fn what_is_large_is_written_as_zip64() {
        let large = Entry { name: "a".to_owned(), size: 5 << 30, crc: 1 };
        assert_eq!(large.local().len(), 30 + 1 + 20);
        assert_eq!(large.central(6 << 30).len(), 46 + 1 + 4 + 24);
        assert_eq!(end(70_000, 1, 1).len(), 56 + 20 + 22);
        assert_eq!(end(7, 1, 1).len(), 22);
    }

    #[test]
    fn names_stay_below_their_folder() {
        for bad in ["", "/a", "a//b", "../a", "a/..", "a b", "a\\b", "é", "a/"] {
            assert!(!is_name(bad), "{bad}");
            let mut writer = Writer::new(Vec::new());
            assert!(writer.add(entry(bad, b""), &mut Cursor::new(b"")).is_err());
        }
        let mut writer = Writer::new(Vec::new());
        writer.add(entry("b", b""), &mut Cursor::new(b"")).unwrap();
        assert!(writer.add(entry("a", b""), &mut Cursor::new(b"")).is_err(), "order");
        assert!(writer.add(entry("c", b"xy"), &mut Cursor::new(b"xz")).is_err(), "bytes");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), n in 0usize..60) {
            let _ = reads(&bytes);
            let zip = made(&[("a", b"hello"), ("b", b"x")]);
            let _ = reads(&[&zip[..n], &bytes].concat());
        }
    }
}

//! Digests of exhibits that stand in other exhibits, wherever and in whatever file: lists of sums, logs,
//! catalogues. Whoever has the digest of something guessable can guess it, so what is erased or held
//! back is betrayed by them.
//!
//! Hexadecimal digits are found, in either case, in UTF-8 and UTF-16 (what PowerShell writes). Base64,
//! raw digests and digests of other algorithms are not.

use std::collections::HashMap;
use std::io::{self, Read};

use md5::Md5;
use model::ExhibitId;
use sha1::Sha1;
use sha2::Digest;

use crate::case::Case;

/// Places that are told of one exhibit.
pub const MOST_PLACES: usize = 10_000;

/// Digests that are looked for: MD5, SHA-1 and SHA-256.
#[derive(Debug, Clone)]
pub struct Digests {
    /// By their lengths in bytes, and their bytes, filled up with zeros.
    of: HashMap<(usize, [u8; 32]), ExhibitId>,
    /// Their last two bytes: what does not end so is none of them.
    ends: Vec<bool>,
}

impl Default for Digests {
    fn default() -> Self {
        Self { of: HashMap::new(), ends: vec![false; 1 << 16] }
    }
}

/// A digest that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// Of which exhibit.
    pub of: ExhibitId,
    /// First byte.
    pub start: u64,
    /// One past the last.
    pub end: u64,
}

impl Digests {
    /// Adds those of exhibits of a case. Of bytes that cannot be read, such as those on a medium that is
    /// not at hand, only the SHA-256 is known. `progress` is told the bytes that are read.
    pub fn learn(
        &mut self,
        case: &Case,
        exhibits: impl IntoIterator<Item = ExhibitId>,
        progress: &dyn Fn(u64),
    ) {
        for id in exhibits {
            if self.of.contains_key(&(32, id.0)) {
                continue;
            }
            self.add(&id.0, id);
            let Ok(mut bytes) = case.bytes(&id) else { continue };
            let (mut md5, mut sha1) = (Md5::new(), Sha1::new());
            let mut each = |bytes: &[u8]| {
                md5.update(bytes);
                sha1.update(bytes);
                progress(bytes.len() as u64);
            };
            if read(&mut bytes, &mut each).is_ok() {
                self.add(&md5.finalize(), id);
                self.add(&sha1.finalize(), id);
            }
        }
    }

    fn add(&mut self, digest: &[u8], id: ExhibitId) {
        let mut key = [0; 32];
        key[..digest.len()].copy_from_slice(digest);
        self.of.insert((digest.len(), key), id);
        if let [.., a, b] = digest {
            self.ends[usize::from(*a) << 8 | usize::from(*b)] = true;
        }
    }

    /// True where there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// True where one of them stands in a text.
    pub fn stand_in(&self, text: &str) -> bool {
        let mut scan = self.scan();
        scan.take(text.as_bytes());
        !scan.found.is_empty()
    }

    fn scan(&self) -> Scan<'_> {
        Scan { of: self, at: 0, run: Run::default(), found: Vec::new() }
    }

    /// Where they stand in what a reader gives: the first [`MOST_PLACES`]. `progress` is told the bytes
    /// that are read.
    ///
    /// # Errors
    /// Those of the reader.
    pub fn find(&self, from: &mut dyn Read, progress: &dyn Fn(u64)) -> io::Result<Vec<Found>> {
        let mut scan = self.scan();
        if self.is_empty() {
            return Ok(scan.found);
        }
        read(from, &mut |bytes| {
            scan.take(bytes);
            progress(bytes.len() as u64);
        })?;
        Ok(scan.found)
    }

    /// Where they stand in exhibits of a case; and the exhibits that could not be searched, since their
    /// bytes are not at hand.
    pub fn search(
        &self,
        case: &Case,
        among: impl IntoIterator<Item = ExhibitId>,
        progress: &dyn Fn(u64),
    ) -> (Vec<(ExhibitId, Found)>, Vec<ExhibitId>) {
        let (mut found, mut unsearched) = (Vec::new(), Vec::new());
        for id in among {
            match case.bytes(&id).map(|mut bytes| self.find(&mut bytes, progress)) {
                Ok(Ok(places)) => found.extend(places.into_iter().map(|place| (id, place))),
                Ok(Err(_)) | Err(_) => unsearched.push(id),
            }
        }
        (found, unsearched)
    }
}

fn read(from: &mut dyn Read, each: &mut dyn FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(n) => each(&buffer[..n]),
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// The value of a hexadecimal digit; more than 15 for what is none.
const VALUE: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut digit = 0;
    while digit < 16 {
        table[b"0123456789abcdef"[digit] as usize] = digit as u8;
        table[b"0123456789ABCDEF"[digit] as usize] = digit as u8;
        digit += 1;
    }
    table
};

/// Digits that are kept: those of the longest digest.
const KEPT: usize = 64;

/// Digits that follow one another: the last ones, each with its place.
struct Run {
    /// How many there are.
    digits: usize,
    /// One past the last digit.
    end: u64,
    /// The value and the place of the digit `n` at `n % KEPT`.
    last: [(u8, u64); KEPT],
}

impl Default for Run {
    fn default() -> Self {
        Self { digits: 0, end: 0, last: [(0, 0); KEPT] }
    }
}

impl Run {
    /// The digit so many before the last.
    fn before(&self, n: usize) -> (u8, u64) {
        self.last[(self.digits - 1 - n) % KEPT]
    }
}

struct Scan<'a> {
    of: &'a Digests,
    at: u64,
    run: Run,
    found: Vec<Found>,
}

impl Scan<'_> {
    fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            let value = VALUE[usize::from(*byte)];
            if value < 16 {
                let run = &mut self.run;
                run.last[run.digits % KEPT] = (value, self.at);
                run.digits += 1;
                run.end = self.at + 1;
                if run.digits >= 32 {
                    self.look();
                }
            } else if self.run.digits > 0 && (*byte != 0 || self.at > self.run.end) {
                // One zero between two digits is UTF-16.
                self.run.digits = 0;
            }
            self.at += 1;
        }
    }

    /// Whether a digest ends here: letters of a name before it, or behind, may be digits as well.
    fn look(&mut self) {
        let run = &self.run;
        let end = (0..4).rev().fold(0, |end, n| end << 4 | usize::from(run.before(n).0));
        if !self.of.ends[end] || self.found.len() >= MOST_PLACES {
            return;
        }
        for len in [16, 20, 32].into_iter().filter(|len| run.digits >= 2 * len) {
            let mut key = [0; 32];
            for (n, byte) in key[..len].iter_mut().rev().enumerate() {
                *byte = run.before(2 * n + 1).0 << 4 | run.before(2 * n).0;
            }
            if let Some(of) = self.of.of.get(&(len, key)) {
                let start = run.before(2 * len - 1).1;
                self.found.push(Found { of: *of, start, end: run.end });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn digests() -> (Digests, ExhibitId, [String; 3]) {
        let bytes = b"1984";
        let id = ExhibitId(model::Sha256Hex::of(bytes).0);
        let mut digests = Digests::default();
        digests.add(&id.0, id);
        digests.add(&Md5::digest(bytes), id);
        digests.add(&Sha1::digest(bytes), id);
        let texts = [
            model::id::hex(&Md5::digest(bytes)),
            model::id::hex(&Sha1::digest(bytes)),
            id.to_string(),
        ];
        (digests, id, texts)
    }

    #[test]
    fn every_writing_is_found_where_it_stands() {
        let (digests, id, texts) = digests();
        for text in texts {
            for digest in [text.clone(), text.to_uppercase()] {
                let utf16: Vec<u8> = digest.encode_utf16().flat_map(u16::to_le_bytes).collect();
                for (before, raw, after) in [
                    (&b""[..], digest.as_bytes(), &b""[..]),
                    (b"\\", digest.as_bytes(), b"  notes.txt\n"),
                    (b"SHA256 (x) = ", digest.as_bytes(), b"\r\n"),
                    (b"\xff\xfe", &utf16, b"\r\0\n\0"),
                ] {
                    let all = [before, raw, after].concat();
                    let found = digests.find(&mut all.as_slice(), &|_| {}).unwrap();
                    let start = before.len() as u64;
                    // The last zero of UTF-16 is behind the digit.
                    let end = start + raw.len() as u64 - u64::from(raw.len() > digest.len());
                    assert_eq!(found, [Found { of: id, start, end }], "{all:?}");
                }
            }
            // Letters beside it may be digits as well: `cache<digest>`, two digests run together.
            for (before, after) in [("cache", ".jpg"), ("", "f00"), ("0123456789abcdef0", "e")] {
                let all = format!("{before}{text}{after}");
                let found = digests.find(&mut all.as_bytes(), &|_| {}).unwrap();
                let start = before.len() as u64;
                let end = start + text.len() as u64;
                assert_eq!(found, [Found { of: id, start, end }], "{all}");
                assert!(digests.stand_in(&all));
            }
            let cut = &text[1..];
            assert_eq!(digests.find(&mut cut.as_bytes(), &|_| {}).unwrap(), [], "{cut}");
        }
    }

    proptest! {
        /// Pieces of whatever length are one text, and bytes of any kind are survived.
        #[test]
        fn cuts_do_not_matter(
            before in prop::collection::vec(any::<u8>(), 0..300),
            cut in any::<prop::sample::Index>(),
        ) {
            let (digests, id, [_, _, text]) = digests();
            let all = [&before[..], b"\n", text.as_bytes(), b"\n"].concat();
            let (left, right) = all.split_at(cut.index(all.len()));
            let found = digests.find(&mut left.chain(right), &|_| {}).unwrap();
            let start = before.len() as u64 + 1;
            prop_assert_eq!(found, [Found { of: id, start, end: start + 64 }]);
        }
    }
}

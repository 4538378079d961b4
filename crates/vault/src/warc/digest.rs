//! Digests as WARC fields state them: `algorithm:value`, the value in hexadecimal, base 32 or base 64.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha512};

use super::Record;

/// What became of a stated digest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// None is stated.
    Absent,
    /// It is the digest of these bytes.
    Agrees,
    /// It is another's.
    Differs,
    /// It is of an algorithm not known here, or of bytes that stand elsewhere: those of a revisit,
    /// the whole of a segment.
    Unchecked,
}

/// Boxed where it is held: the largest state is as long as three lines of text.
#[derive(Clone)]
pub(super) enum Hash {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
}

impl Hash {
    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(h) => h.update(bytes),
            Self::Sha1(h) => h.update(bytes),
            Self::Sha256(h) => h.update(bytes),
            Self::Sha512(h) => h.update(bytes),
        }
    }

    fn finish(self) -> Vec<u8> {
        match self {
            Self::Md5(h) => h.finalize().to_vec(),
            Self::Sha1(h) => h.finalize().to_vec(),
            Self::Sha256(h) => h.finalize().to_vec(),
            Self::Sha512(h) => h.finalize().to_vec(),
        }
    }
}

/// A digest as stated.
pub(super) enum Stated {
    /// The hash to feed, and the digest; `None` where the value is no digest of that algorithm.
    Known(Box<Hash>, Option<Vec<u8>>),
    /// Of an algorithm that is not known here.
    Unknown,
    /// No `algorithm:value`.
    Malformed,
}

impl Stated {
    pub(super) fn parse(text: &str) -> Self {
        let Some((algorithm, value)) = text.split_once(':') else { return Self::Malformed };
        if algorithm.is_empty() || value.is_empty() {
            return Self::Malformed;
        }
        let name: String =
            algorithm.chars().filter(|c| *c != '-').map(|c| c.to_ascii_lowercase()).collect();
        let (hash, len) = match name.as_str() {
            "md5" => (Hash::Md5(Md5::new()), 16),
            "sha1" => (Hash::Sha1(Sha1::new()), 20),
            "sha256" => (Hash::Sha256(Sha256::new()), 32),
            "sha512" => (Hash::Sha512(Sha512::new()), 64),
            _ => return Self::Unknown,
        };
        Self::Known(Box::new(hash), decode(value.trim(), len))
    }
}

/// A digest being made beside a stated one.
pub(super) struct Verify {
    hash: Box<Hash>,
    stated: Option<Vec<u8>>,
}

impl Verify {
    pub(super) fn new(stated: &Stated) -> Option<Self> {
        match stated {
            Stated::Known(hash, stated) => {
                Some(Self { hash: hash.clone(), stated: stated.clone() })
            }
            _ => None,
        }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
    }

    pub(super) fn agrees(self) -> bool {
        self.stated.is_some_and(|stated| stated == self.hash.finish())
    }
}

/// A digest that a field states.
pub(super) struct Digest {
    pub(super) field: &'static str,
    /// Where the field's value stands in the stream.
    pub(super) at: u64,
    pub(super) check: Check,
    pub(super) verify: Option<Verify>,
}

impl Digest {
    /// `elsewhere`: of bytes that are not this record's.
    pub(super) fn new(record: &Record, field: &'static str, elsewhere: bool) -> Self {
        let mut out = Self { field, at: record.start, check: Check::Absent, verify: None };
        if let Some(value) = record.field(field) {
            out.at = value.start;
            out.check = Check::Unchecked;
            if !elsewhere {
                out.verify = Verify::new(&Stated::parse(&value.value));
            }
        }
        out
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        if let Some(verify) = &mut self.verify {
            verify.update(bytes);
        }
    }

    /// What became of it; `or` is a second chance.
    pub(super) fn settle(&mut self, or: Option<Verify>) {
        if let Some(verify) = self.verify.take() {
            let agrees = verify.agrees() || or.is_some_and(Verify::agrees);
            self.check = if agrees { Check::Agrees } else { Check::Differs };
        }
    }
}

/// The `len` bytes that a value writes: the alphabet is told by how long it is, padding aside.
fn decode(value: &str, len: usize) -> Option<Vec<u8>> {
    let digits = value.trim_end_matches('=').as_bytes();
    let (bits, digit): (u32, fn(u8) -> Option<u8>) = match digits.len() {
        n if n == len * 2 => (4, |b| (b as char).to_digit(16).map(|d| d as u8)),
        n if n == (len * 8).div_ceil(5) => (5, base32),
        n if n == (len * 8).div_ceil(6) => (6, base64),
        _ => return None,
    };
    let (mut out, mut held, mut count) = (Vec::with_capacity(len), 0u32, 0);
    for byte in digits {
        held = held << bits | u32::from(digit(*byte)?);
        count += bits;
        if count >= 8 {
            count -= 8;
            out.push((held >> count) as u8);
            held &= (1 << count) - 1;
        }
    }
    // Bits behind the last byte must be zero: one value, one writing.
    (held == 0 && out.len() == len).then_some(out)
}

/// RFC 4648, 6; in lower case too, as some crawlers write it.
fn base32(byte: u8) -> Option<u8> {
    match byte.to_ascii_uppercase() {
        b @ b'A'..=b'Z' => Some(b - b'A'),
        b @ b'2'..=b'7' => Some(b - b'2' + 26),
        _ => None,
    }
}

/// RFC 4648, 4 and 5.
fn base64(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' | b'-' => Some(62),
        b'/' | b'_' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agrees(text: &str, bytes: &[u8]) -> Option<bool> {
        let mut verify = Verify::new(&Stated::parse(text))?;
        verify.update(bytes);
        Some(verify.agrees())
    }

    #[test]
    fn each_writing_of_a_digest_is_read() {
        for text in [
            "sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ",
            "SHA-1:3i42h3s6nnfq2msvx7xzkyayscx5qbyj",
            "sha1:da39a3ee5e6b4b0d3255bfef95601890afd80709",
            "sha1:2jmj7l5rSw0yVb/vlWAYkK/YBwk=",
            "sha1:2jmj7l5rSw0yVb_vlWAYkK_YBwk",
            "md5:d41d8cd98f00b204e9800998ecf8427e",
            "md5:2QOYZWMPACZAJ2MABGMOZ6CCPY======",
            "md5:1B2M2Y8AsgTpgAmY7PhCfg==",
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "sha256:4OYMIQUY7QOBJGX36TEJS35ZEQT24QPEMSNZGTFESWMRW6CSXBKQ====",
            "sha-256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        ] {
            assert_eq!(
                (agrees(text, b""), agrees(text, b"x")),
                (Some(true), Some(false)),
                "{text}"
            );
        }
        // A digit that is none, bits too many, a length of nothing.
        for text in
            ["sha1:1112H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ", "sha1:abc", "md5:2QOYZWMPACZAJ2MABGMOZ6CCPZ"]
        {
            assert_eq!(agrees(text, b""), Some(false), "{text}");
        }
        assert!(matches!(Stated::parse("whirlpool:abc"), Stated::Unknown));
        for text in ["", "sha1", "sha1:", ":abc"] {
            assert!(matches!(Stated::parse(text), Stated::Malformed), "{text}");
        }
    }
}

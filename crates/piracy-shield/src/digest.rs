//! The digests that reporters announce of an archive.

use blake2::Blake2b512;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::codes::{Code, HASH_TYPE_NOT_SUPPORTED};

/// How an archive is digested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-256 (FIPS 180-4).
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// BLAKE2b of 64 bytes (RFC 7693).
    Blake2b,
}

impl Algorithm {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Sha256, Self::Sha384, Self::Sha512, Self::Blake2b];

    /// As it stands in requests.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
            Self::Blake2b => "blake2b",
        }
    }

    /// The algorithm of a name, in whatever letters.
    ///
    /// # Errors
    /// None is called so.
    pub fn of_name(name: &str) -> Result<Self, Code> {
        let found = Self::ALL.into_iter().find(|one| one.name().eq_ignore_ascii_case(name.trim()));
        found.ok_or(HASH_TYPE_NOT_SUPPORTED)
    }

    /// Hexadecimal digits of a digest.
    pub fn digits(self) -> usize {
        match self {
            Self::Sha256 => 64,
            Self::Sha384 => 96,
            Self::Sha512 | Self::Blake2b => 128,
        }
    }

    /// A digest in the making.
    pub fn start(self) -> Running {
        match self {
            Self::Sha256 => Running::Sha256(Sha256::new()),
            Self::Sha384 => Running::Sha384(Sha384::new()),
            Self::Sha512 => Running::Sha512(Sha512::new()),
            Self::Blake2b => Running::Blake2b(Box::new(Blake2b512::new())),
        }
    }
}

/// A digest in the making.
#[derive(Debug, Clone)]
pub enum Running {
    #[doc(hidden)]
    Sha256(Sha256),
    #[doc(hidden)]
    Sha384(Sha384),
    #[doc(hidden)]
    Sha512(Sha512),
    #[doc(hidden)]
    Blake2b(Box<Blake2b512>),
}

impl Running {
    /// Takes what comes next.
    pub fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
            Self::Blake2b(hash) => hash.update(bytes),
        }
    }

    /// The digest, in small hexadecimal letters.
    pub fn finish(self) -> String {
        match self {
            Self::Sha256(hash) => hex(&hash.finalize()),
            Self::Sha384(hash) => hex(&hash.finalize()),
            Self::Sha512(hash) => hex(&hash.finalize()),
            Self::Blake2b(hash) => hex(&hash.finalize()),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        use std::fmt::Write;
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digests of "abc", from FIPS 180-4's examples and RFC 7693, appendix A.
    #[test]
    fn digests_are_those_of_the_standards() {
        for (name, begins) in [
            ("SHA256", "ba7816bf8f01cfea"),
            ("sha384", "cb00753f45a35e8b"),
            ("sha512", "ddaf35a193617aba"),
            (" Blake2B ", "ba80a53f981c4d0d"),
        ] {
            let algorithm = Algorithm::of_name(name).unwrap();
            let mut running = algorithm.start();
            running.update(b"a");
            running.update(b"bc");
            let text = running.finish();
            assert_eq!((&text[..16], text.len()), (begins, algorithm.digits()));
        }
        assert!(Algorithm::of_name("blake2s").is_err());
    }
}

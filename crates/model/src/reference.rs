//! How a record of one log is named in another: the log, the record's place there, and its leaf hash.
//!
//! Whoever has both logs finds the record and sees that it is the very one; whoever has this one alone knows what
//! to ask for, and could not be shown another in its place.

use std::fmt;
use std::str::FromStr;

use crate::canonical::Canon;
use crate::id::Sha256Hex;
use crate::record::FieldType;

/// The most bytes of a log's origin.
pub const MAX_ORIGIN: usize = 255;

/// A record of a log, as `ORIGIN#INDEX:HASH`: `police.example/case/7#41:5f2a…`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reference {
    log: Box<str>,
    record: u64,
    hash: Sha256Hex,
}

/// A text that names no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoReference;

impl fmt::Display for NoReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "it names no record: write LOG#RECORD:HASH, as `vigie log reference` and a ticket's page print it",
        )
    }
}

impl std::error::Error for NoReference {}

impl Reference {
    /// The record at a place of a log, by its leaf hash; `None` where that can be no log's origin.
    pub fn new(log: &str, record: u64, hash: Sha256Hex) -> Option<Self> {
        // A line of a signed note, without what parts a reference: `#`, blanks, what nobody sees.
        let fits = |b: u8| b.is_ascii_graphic() && b != b'#' && b != b'+';
        let whole = (1..=MAX_ORIGIN).contains(&log.len()) && log.bytes().all(fits);
        whole.then(|| Self { log: log.into(), record, hash })
    }

    /// The log's origin.
    pub fn log(&self) -> &str {
        &self.log
    }

    /// The record's place in it, from 0.
    pub fn record(&self) -> u64 {
        self.record
    }

    /// The record's leaf hash: SHA-256(0x00 ‖ its bytes), RFC 6962, 2.1.
    pub fn hash(&self) -> Sha256Hex {
        self.hash
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}:{}", self.log, self.record, self.hash)
    }
}

impl FromStr for Reference {
    type Err = NoReference;

    fn from_str(text: &str) -> Result<Self, NoReference> {
        let (log, rest) = text.split_once('#').ok_or(NoReference)?;
        let (record, hash) = rest.split_once(':').ok_or(NoReference)?;
        let index = record.parse::<u64>().map_err(|_| NoReference)?;
        // One record has one name: no sign, no zero before it.
        if index.to_string() != record {
            return Err(NoReference);
        }
        let hash = hash.parse().map_err(|_| NoReference)?;
        let read = Self::new(log, index, hash).ok_or(NoReference)?;
        if read.to_string() == text { Ok(read) } else { Err(NoReference) }
    }
}

impl serde::Serialize for Reference {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Reference {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl FieldType for Reference {
    fn to_canon(&self) -> Option<Canon> {
        Some(Canon::text(self.to_string()))
    }
    fn from_canon(value: &Canon) -> Option<Self> {
        value.as_text()?.parse().ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TEXT: &str =
        "police.example/case/7#41:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae";

    #[test]
    fn a_reference_is_read_as_it_is_written() {
        let read: Reference = TEXT.parse().unwrap();
        assert_eq!((read.log(), read.record()), ("police.example/case/7", 41));
        assert_eq!(read.hash(), Sha256Hex::of(b"foo"));
        assert_eq!(read.to_string(), TEXT);
    }

    #[test]
    fn what_names_no_record_is_refused() {
        let hash = &TEXT[TEXT.len() - 64..];
        for text in [
            String::new(),
            "police.example/case/7".to_owned(),
            format!("#41:{hash}"),
            format!("police.example#041:{hash}"),
            format!("police.example#+41:{hash}"),
            format!("police.example#-1:{hash}"),
            format!("police.example#18446744073709551616:{hash}"),
            format!("police example#41:{hash}"),
            format!("police.exämple#41:{hash}"),
            format!("police.example#4#41:{hash}"),
            format!("police.example#41:{}", hash.to_uppercase()),
            format!("police.example#41:{}", &hash[1..]),
            format!(" police.example#41:{hash}"),
            format!("police.example#41:{hash}\n"),
            format!("{}#41:{hash}", "a".repeat(MAX_ORIGIN + 1)),
        ] {
            assert_eq!(text.parse::<Reference>(), Err(NoReference), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_written_the_same(text in "[a-z/.#]{0,20}#[0-9]{1,21}:[0-9a-f]{63,65}") {
            if let Ok(read) = text.parse::<Reference>() {
                prop_assert_eq!(read.to_string(), text);
            }
        }

        #[test]
        fn whatever_is_written_is_read_the_same(log in "[!-~]{1,300}", record: u64, bytes: [u8; 32]) {
            if let Some(made) = Reference::new(&log, record, Sha256Hex(bytes)) {
                prop_assert_eq!(made.to_string().parse(), Ok(made));
            }
        }
    }
}

//! What a probe sends, and what it is asked: JSON, one document each, of bounded sizes. A moment is told as
//! an age: so many milliseconds before the document was sent, by the sender's steady clock. Nobody's wall
//! clock has to be right.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::said::Said;
use crate::item::Name;

/// The most bytes of a report.
pub const MAX_REPORT: usize = 512 << 10;
/// The most answers of a report.
pub const MAX_ANSWERS: usize = 2_000;
/// The oldest answer that is taken, in milliseconds.
pub const MAX_AGE_MS: u64 = 120_000;
/// The most names asked in a round, controls included.
pub const MAX_ROUND: usize = 1_200;

/// What came of one question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The name that was asked for.
    pub name: String,
    /// What the resolver said.
    pub said: Said,
    /// How long ago, in milliseconds.
    pub age_ms: u64,
    /// The first address, where it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
}

/// Which of a probe's answers a report holds. A report of which nobody heard that it was taken comes again, with what
/// is new behind it: an answer counts once, however often it comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// Any number, another one each time that the probe starts.
    pub run: u64,
    /// The number of the first answer of the report, counted from that start.
    pub first: u64,
}

/// What a probe saw since its last report. An empty one asks for questions alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// Answers that the probe had no room to keep while its line was down.
    #[serde(default)]
    pub dropped: u64,
    /// The answers, the oldest first.
    pub answers: Vec<Answer>,
    /// Which they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<Run>,
}

/// What a probe asks next, once each, all within one second.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Questions {
    /// Names.
    pub names: Vec<String>,
    /// Until the next round, in milliseconds.
    pub every_ms: u64,
}

/// Why a document is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Too long.
    #[error("more than {0} bytes")]
    Long(usize),
    /// Not of that shape.
    #[error("{0}")]
    Shape(String),
    /// More than one document may hold.
    #[error("more than {0} answers or names")]
    Many(usize),
    /// A name that cannot be asked for.
    #[error("a name that is no full host name in lower-case ASCII")]
    Name,
    /// An answer that is too old to be taken.
    #[error("an answer older than {} s", MAX_AGE_MS / 1_000)]
    Old,
}

fn plain(name: &str) -> bool {
    Name::parse(name).is_ok_and(|parsed| parsed.as_str() == name)
}

fn document<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, WireError> {
    if bytes.len() > MAX_REPORT {
        return Err(WireError::Long(MAX_REPORT));
    }
    serde_json::from_slice(bytes).map_err(|e| WireError::Shape(e.to_string()))
}

impl Report {
    /// Reads one. It is taken whole or not at all.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let report: Self = document(bytes)?;
        if report.answers.len() > MAX_ANSWERS {
            return Err(WireError::Many(MAX_ANSWERS));
        }
        for answer in &report.answers {
            if answer.age_ms > MAX_AGE_MS {
                return Err(WireError::Old);
            }
            if !plain(&answer.name) {
                return Err(WireError::Name);
            }
        }
        Ok(report)
    }
}

impl Questions {
    /// Reads one.
    ///
    /// # Errors
    /// See [`WireError`].
    pub fn read(bytes: &[u8]) -> Result<Self, WireError> {
        let questions: Self = document(bytes)?;
        if questions.names.len() > MAX_ROUND {
            return Err(WireError::Many(MAX_ROUND));
        }
        if !questions.names.iter().all(|name| plain(name)) {
            return Err(WireError::Name);
        }
        Ok(questions)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_beyond_a_bound_is_refused() {
        let one = |name: &str, age| Answer {
            name: name.into(),
            said: Said::Open,
            age_ms: age,
            address: None,
        };
        let of = |answers| serde_json::to_vec(&Report { answers, ..Report::default() }).unwrap();
        assert!(Report::read(&of(vec![one("tv.example", 1)])).is_ok());
        assert_eq!(Report::read(&of(vec![one("TV.example", 1)])), Err(WireError::Name));
        assert_eq!(Report::read(&of(vec![one("192.0.2.1", 1)])), Err(WireError::Name));
        assert_eq!(Report::read(&of(vec![one("a.b", MAX_AGE_MS + 1)])), Err(WireError::Old));
        let many = vec![one("tv.example", 1); MAX_ANSWERS + 1];
        assert_eq!(Report::read(&of(many)), Err(WireError::Many(MAX_ANSWERS)));
        assert_eq!(Report::read(&vec![b' '; MAX_REPORT + 1]), Err(WireError::Long(MAX_REPORT)));
        assert!(matches!(Report::read(b"{\"answers\":[],\"client\":1}"), Err(WireError::Shape(_))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = (Report::read(&bytes), Questions::read(&bytes));
        }
    }
}

//! Why a torrent is refused.

use std::ops::Range;

/// Why a torrent is refused, and where it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// In a few words.
    pub why: &'static str,
    /// The bytes concerned.
    pub at: Range<usize>,
}

/// `Err` of a refusal.
pub(super) fn refuse<T>(why: &'static str, at: &Range<usize>) -> Result<T, Refusal> {
    Err(Refusal { why, at: at.clone() })
}

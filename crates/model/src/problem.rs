//! Problems: what could not be read, located and counted, never a failure of the whole.

use std::fmt;

/// What sort of problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ProblemKind {
    /// The exhibit ends inside a record.
    Truncated,
    /// Bytes that the format's grammar does not allow.
    Syntax,
    /// Text that is not valid in its declared encoding.
    Encoding,
    /// A value that does not fit its column's or property's type.
    Type,
    /// A checksum or a length that disagrees with the bytes.
    Integrity,
    /// A stated bound was reached; what lies beyond was not read.
    Bound,
    /// Encrypted, or in a form this version does not read.
    Unsupported,
    /// Two sources, or two parts of one, contradict each other.
    Conflict,
    /// The file could not be read from its medium, or changed while it was read.
    Medium,
    /// Nothing is wrong: something that whoever reads the exhibit should know.
    Note,
}

impl ProblemKind {
    /// Every kind.
    pub const ALL: [Self; 10] = [
        Self::Truncated,
        Self::Syntax,
        Self::Encoding,
        Self::Type,
        Self::Integrity,
        Self::Bound,
        Self::Unsupported,
        Self::Conflict,
        Self::Medium,
        Self::Note,
    ];

    /// The word used in `--problems` lines and in views.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Truncated => "truncated",
            Self::Syntax => "syntax",
            Self::Encoding => "encoding",
            Self::Type => "type",
            Self::Integrity => "integrity",
            Self::Bound => "bound",
            Self::Unsupported => "unsupported",
            Self::Conflict => "conflict",
            Self::Medium => "medium",
            Self::Note => "note",
        }
    }
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something in an exhibit that could not be read as it should. It costs only its own record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// First byte concerned, in the innermost exhibit.
    pub start: u64,
    /// One past the last byte concerned.
    pub end: u64,
    /// What sort.
    pub kind: ProblemKind,
    /// What happened, in one plain sentence without the value of any secret.
    pub message: String,
    /// True if the bytes of the span yielded nothing; false if they were read all the same.
    pub lost: bool,
}

#[cfg(test)]
mod tests {
    use super::ProblemKind as K;

    #[test]
    fn all_kinds_are_listed() {
        // A new kind does not compile here until it has its place.
        let place = |kind: K| match kind {
            K::Truncated => 0,
            K::Syntax => 1,
            K::Encoding => 2,
            K::Type => 3,
            K::Integrity => 4,
            K::Bound => 5,
            K::Unsupported => 6,
            K::Conflict => 7,
            K::Medium => 8,
            K::Note => 9,
        };
        assert!(K::ALL.iter().enumerate().all(|(i, kind)| place(*kind) == i));
        assert_eq!(K::ALL.len(), place(K::Note) + 1);
    }
}

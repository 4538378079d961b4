//! What a resolver said of a name, in one word.

use serde::{Deserialize, Serialize};

use crate::order::words::words;

words! {
    /// What a resolver said of a name.
    Said {
        /// Addresses, none of which is a sinkhole's or a block page's.
        Open "open",
        /// The name is there, and no address of it.
        Empty "empty",
        /// There is no such name (NXDOMAIN).
        NoSuchName "no_such_name",
        /// It refuses (REFUSED).
        Refused "refused",
        /// `0.0.0.0` or `::`.
        Sinkhole "sinkhole",
        /// The address of a block page that the probe was told of.
        Page "page",
        /// It could not say (SERVFAIL and what else is no answer). Tells nothing of a block.
        Failed "failed",
        /// Nothing came in time. Tells nothing of a block.
        Nothing "nothing",
    }
}

/// On which side of a block a name is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// It is withheld.
    Blocked,
    /// It is answered.
    Open,
}

impl Said {
    /// The side that an answer speaks for. `compared`: an unblocked vantage gets addresses for the name. A
    /// name without addresses is nothing that blocks, unless others get some.
    pub fn side(self, compared: bool) -> Option<Side> {
        match self {
            Self::Open => Some(Side::Open),
            Self::NoSuchName | Self::Refused | Self::Sinkhole | Self::Page => Some(Side::Blocked),
            Self::Empty => compared.then_some(Side::Blocked),
            Self::Failed | Self::Nothing => None,
        }
    }

    /// True where it is an answer that withholds addresses, whatever for.
    pub fn withholds(self) -> bool {
        matches!(self, Self::Empty | Self::NoSuchName | Self::Refused | Self::Sinkhole | Self::Page)
    }
}

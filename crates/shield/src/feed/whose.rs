//! Whose a view is.

use super::row::{Entry, Row};
use super::snapshot::Gates;
use crate::order::words::Organisation;

/// The name of the view that is everybody's.
pub const ALL: &str = "all";
/// The longest name of a view, in bytes.
pub const MAX_VIEW: usize = 64;

/// Whose a view is: everybody's who is named by no ticket, or one ISP's.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Whose {
    /// What every ISP gets.
    All,
    /// That, and what is addressed to this one besides.
    Isp(Organisation),
}

impl Whose {
    /// Its part of a row.
    pub fn of(&self, row: &Row) -> Option<Entry> {
        match self {
            Self::All => row.for_all(),
            Self::Isp(isp) => row.of(isp),
        }
    }

    /// True where it gets nothing.
    pub fn is_shut(&self, gates: &Gates) -> bool {
        match self {
            Self::All => gates.is_shut(),
            Self::Isp(isp) => gates.shuts(isp),
        }
    }

    /// The view's name, as it stands in addresses and in what is signed: the ISP's short name. `None` where that
    /// is no name of a view (1 to [`MAX_VIEW`] of `a-z`, `0-9` and inner `-`), or is everybody's.
    pub fn name(&self) -> Option<&str> {
        let Self::Isp(isp) = self else { return Some(ALL) };
        let name = isp.as_str();
        let fine = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        let edges = name.starts_with('-') || name.ends_with('-');
        let is_name = name.len() <= MAX_VIEW && !edges && name.bytes().all(fine);
        (is_name && name != ALL).then_some(name)
    }

    pub(super) fn isp(&self) -> Option<&Organisation> {
        match self {
            Self::All => None,
            Self::Isp(isp) => Some(isp),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_named_after_its_isp_and_nobody_takes_everybody_s() {
        let name = |text: &str| {
            let whose = Whose::Isp(Organisation::new(text).unwrap());
            whose.name().map(ToOwned::to_owned)
        };
        assert_eq!(Whose::All.name(), Some("all"));
        for good in ["fibre", "isp-1", "7", &"a".repeat(MAX_VIEW)] {
            assert_eq!(name(good).as_deref(), Some(good));
        }
        let long = "a".repeat(MAX_VIEW + 1);
        for bad in ["all", "..", "a/b", "Fibre", "-a", "a-", "accredited today", &long] {
            assert_eq!(name(bad), None, "{bad}");
        }
    }
}

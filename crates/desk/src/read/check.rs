//! Conditions on cells.

use model::Meaning;

use super::table::{Op, TableColumn, Term};
use crate::index::normal_form;
use crate::tables::{SharedColumn, TableFile, unexpired};

/// A condition, ready to be held against cells.
pub(super) enum Check {
    Equal(Vec<u8>, Option<i64>, Option<f64>, Option<Meaning>),
    Prefix(Vec<u8>),
    Contains(String),
    AtLeast(Vec<u8>, Option<f64>),
    AtMost(Vec<u8>, Option<f64>),
    Unexpired(i64),
    Null,
    Not(Box<Check>),
    /// The value stands in no index of this meaning.
    Unindexed(Meaning),
}

impl Check {
    pub(super) fn new(term: &Term, column: &TableColumn) -> Self {
        let bytes = || term.value.clone().into_bytes();
        let number = || term.value.trim().parse::<f64>().ok();
        let equal = || {
            let meaning = column.meaning.filter(|m| {
                column.indexed && matches!(m, Meaning::Mac | Meaning::Email | Meaning::Address)
            });
            let value = match meaning {
                Some(m) => normal_form(m, term.value.as_bytes())
                    .map_or_else(bytes, std::borrow::Cow::into_owned),
                None => bytes(),
            };
            Self::Equal(value, term.value.trim().parse().ok(), number(), meaning)
        };
        match term.op {
            Op::Eq => equal(),
            Op::Ne => Self::Not(Box::new(equal())),
            Op::Prefix => Self::Prefix(bytes()),
            Op::Contains => Self::Contains(term.value.to_lowercase()),
            Op::Ge => Self::AtLeast(bytes(), number()),
            Op::Le => Self::AtMost(bytes(), number()),
            // What is no moment lets nothing through but what never ends.
            Op::Unexpired => Self::Unexpired(term.value.trim().parse().unwrap_or(i64::MAX)),
            Op::Null => Self::Null,
            Op::Present => Self::Not(Box::new(Self::Null)),
        }
    }

    pub(super) fn holds(&self, column: &SharedColumn, i: usize) -> bool {
        use model::Cell;
        if let SharedColumn::Withheld(present) = column {
            // Of a secret only its being there can be asked.
            return match self {
                Self::Null => !present[i],
                Self::Not(check) if matches!(**check, Self::Null) => present[i],
                _ => false,
            };
        }
        let cell = column.get(i);
        match self {
            Self::Not(check) => !check.holds(column, i),
            Self::Null => cell == Cell::Null,
            Self::Unexpired(time) => unexpired(&cell, *time),
            Self::Unindexed(meaning) => match cell {
                Cell::Text(t) => normal_form(*meaning, t.as_bytes()).is_none(),
                Cell::Bytes(b) => normal_form(*meaning, b).is_none(),
                Cell::Null => true,
                _ => false,
            },
            Self::Equal(bytes, int, real, meaning) => match cell {
                Cell::Int(n) => Some(n) == *int,
                Cell::Real(n) => Some(n) == *real,
                Cell::Text(t) => match meaning {
                    Some(m) => normal_form(*m, t.as_bytes())
                        .map_or(t.as_bytes() == bytes, |form| *form == **bytes),
                    None => t.as_bytes() == bytes,
                },
                Cell::Bytes(b) => b == bytes,
                Cell::Null => false,
            },
            Self::Prefix(prefix) => match cell {
                Cell::Text(t) => t.as_bytes().starts_with(prefix),
                Cell::Bytes(b) => b.starts_with(prefix),
                Cell::Int(n) => n.to_string().as_bytes().starts_with(prefix),
                _ => false,
            },
            Self::Contains(part) => match cell {
                Cell::Text(t) => t.to_lowercase().contains(part.as_str()),
                Cell::Int(n) => n.to_string().contains(part.as_str()),
                _ => false,
            },
            Self::AtLeast(bytes, number) => match cell {
                Cell::Int(n) => number.is_some_and(|x| n as f64 >= x),
                Cell::Real(n) => number.is_some_and(|x| n >= x),
                Cell::Text(t) => t.as_bytes() >= bytes.as_slice(),
                Cell::Bytes(b) => b >= bytes.as_slice(),
                Cell::Null => false,
            },
            Self::AtMost(bytes, number) => match cell {
                Cell::Int(n) => number.is_some_and(|x| n as f64 <= x),
                Cell::Real(n) => number.is_some_and(|x| n <= x),
                Cell::Text(t) => t.as_bytes() <= bytes.as_slice(),
                Cell::Bytes(b) => b <= bytes.as_slice(),
                Cell::Null => false,
            },
        }
    }

    /// Whether a row group may hold a match, by its column's least and greatest value.
    pub(super) fn may_hold(&self, file: &TableFile, group: usize, column: usize) -> bool {
        let Some(statistics) = file.group(group).column(column + 2).statistics() else {
            return true;
        };
        use parquet::file::statistics::Statistics;
        match (self, statistics) {
            (Self::Equal(_, Some(n), _, _), Statistics::Int64(s)) => {
                match (s.min_opt(), s.max_opt()) {
                    (Some(min), Some(max)) => min <= n && n <= max,
                    _ => true,
                }
            }
            (Self::AtLeast(_, Some(n)), Statistics::Int64(s)) => {
                s.max_opt().is_none_or(|max| *max as f64 >= *n)
            }
            (Self::AtMost(_, Some(n)), Statistics::Int64(s)) => {
                s.min_opt().is_none_or(|min| *min as f64 <= *n)
            }
            // Text's bounds may be cut: a cut least is lower, a cut greatest is made greater.
            (Self::Equal(value, _, _, None), Statistics::ByteArray(s)) => {
                s.min_opt().is_none_or(|min| min.data() <= value.as_slice())
                    && s.max_opt().is_none_or(|max| max.data() >= value.as_slice())
            }
            _ => true,
        }
    }
}

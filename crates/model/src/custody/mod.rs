//! Custody: who takes part in a case, who held what, where, under which seal, from hand to hand.
//!
//! Pure: records go in ([`Book`]), chains and their faults come out ([`chain()`]). Whether a signature
//! holds is looked at above, where the keys are.

mod book;
mod chain;
mod offer;

pub use book::{Book, HandOver, Item, Person, Taken, read};
pub use chain::{Asked, Chain, Fault, Proof, Step, Stint, chain};
pub use offer::{MAX_OFFER, MAX_VALUE, Offer, OfferError};

use crate::time::{Precision, Stamp};

/// A side of a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Who gives.
    From,
    /// Who takes.
    To,
}

impl Side {
    /// Both, in the order of their signatures.
    pub const BOTH: [Self; 2] = [Self::From, Self::To];

    /// As records and offers write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::From => "from",
            Self::To => "to",
        }
    }

    /// The side of a word.
    pub fn of(word: &str) -> Option<Self> {
        Self::BOTH.into_iter().find(|side| side.as_str() == word)
    }

    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::From => Self::To,
            Self::To => Self::From,
        }
    }
}

/// The longest short name of a person, in bytes.
pub const MAX_PERSON: usize = 64;

/// True for what records may call a person: small letters, digits and `. - _ @`, so that no two
/// look alike, and so that a key may have it as its name.
pub fn is_person(text: &str) -> bool {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_@".contains(&b);
    (1..=MAX_PERSON).contains(&text.len()) && text.bytes().all(fits)
}

/// True for one line that shows all it says: something, within [`MAX_VALUE`], no blanks at its ends,
/// no control characters and none that turns the direction of others or shows nothing.
pub fn is_line(text: &str) -> bool {
    let acts = |c: char| {
        c.is_control()
            || matches!(c, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e0fff}')
    };
    (1..=MAX_VALUE).contains(&text.len()) && text.trim() == text && !text.chars().any(acts)
}

/// A moment that custody can be told by: to the minute or finer, with its zone.
pub fn moment(text: &str) -> Option<Stamp> {
    let fine = |stamp: &Stamp| stamp.offset_min.is_some() && stamp.precision >= Precision::Minute;
    Stamp::parse_iso(text).filter(fine)
}

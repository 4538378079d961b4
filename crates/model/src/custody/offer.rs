//! The text of a hand-over: what both sides read and sign. One hand-over has one writing.
//!
//! ```text
//! vigie custody hand-over v1
//! case practice.invalid/case/019ab697-e87b-7fff-bfff-ffffffffffff
//! item disk-3
//! description 2 TB disk, serial X12
//! from ana.example
//! to bob.example
//! place Evidence room 2
//! happened 2026-11-12T10:00+01:00
//! seal-before S-1
//! seal-after S-2
//! reason opened for imaging
//! nonce 00112233445566778899aabbccddeeff
//! ```

use std::fmt;

use super::{is_line, is_person, moment};
use crate::record::CustodyHandedOver;

/// The longest value of a line, in bytes.
pub const MAX_VALUE: usize = 500;
/// The longest offer, in bytes, its signatures not counted.
pub const MAX_OFFER: usize = 8 << 10;

/// The first line: no log's origin, so a signature below it is never one of a checkpoint.
const HEAD: &str = "vigie custody hand-over v1";

/// A hand-over as both sides read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The origin of the case's log.
    pub case: String,
    /// The item.
    pub item: String,
    /// What it is.
    pub description: Option<String>,
    /// Who gives it.
    pub from: String,
    /// Who takes it.
    pub to: String,
    /// Where it is from then on.
    pub place: String,
    /// When, with its zone.
    pub happened: String,
    /// The seal on it when it is given.
    pub seal_before: Option<String>,
    /// The seal on it from then on.
    pub seal_after: Option<String>,
    /// Why the seal changes.
    pub reason: Option<String>,
    /// 16 random bytes in hexadecimal.
    pub nonce: String,
}

/// Why a text is not an offer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OfferError {
    /// Not of this form.
    #[error("not the text of a hand-over: {0}")]
    Shape(&'static str),
    /// A line that is not there, or not in its place.
    #[error("the text of a hand-over has no line {0:?} where it belongs")]
    Line(&'static str),
    /// A value that none may be.
    #[error("the line {0:?} of a hand-over holds what it may not")]
    Value(&'static str),
}

impl Offer {
    /// Reads a text. What is read is written again the same.
    ///
    /// # Errors
    /// Anything that an offer would not write.
    pub fn parse(text: &str) -> Result<Self, OfferError> {
        let bad = OfferError::Shape;
        if text.len() > MAX_OFFER {
            return Err(bad("too long"));
        }
        let body = text.strip_suffix('\n').ok_or(bad("the last line has no end"))?;
        let mut lines = body.split('\n').peekable();
        if lines.next() != Some(HEAD) {
            return Err(bad("another first line"));
        }
        let mut maybe = |name: &'static str| {
            let found = lines.peek()?.strip_prefix(name)?.strip_prefix(' ')?.to_owned();
            lines.next();
            Some(found)
        };
        let mut line = |name| maybe(name).ok_or(OfferError::Line(name));
        let (case, item) = (line("case")?, line("item")?);
        let description = line("description").ok();
        let (from, to) = (line("from")?, line("to")?);
        let (place, happened) = (line("place")?, line("happened")?);
        let (seal_before, seal_after) = (line("seal-before").ok(), line("seal-after").ok());
        let (reason, nonce) = (line("reason").ok(), line("nonce")?);
        if lines.next().is_some() {
            return Err(bad("a line too many"));
        }
        let offer = Self {
            case,
            item,
            description,
            from,
            to,
            place,
            happened,
            seal_before,
            seal_after,
            reason,
            nonce,
        };
        offer.check()?;
        Ok(offer)
    }

    /// Checks each value, so that it can be written.
    ///
    /// # Errors
    /// The first value that none may be.
    pub fn check(&self) -> Result<(), OfferError> {
        for (name, value) in self.lines() {
            let good = match name {
                "from" | "to" => is_person(value),
                "happened" => moment(value).is_some(),
                "nonce" => {
                    let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
                    value.len() == 32 && value.bytes().all(digit)
                }
                _ => true,
            };
            if !good || !is_line(value) {
                return Err(OfferError::Value(name));
            }
        }
        Ok(())
    }

    fn lines(&self) -> impl Iterator<Item = (&'static str, &str)> {
        [
            ("case", Some(&self.case)),
            ("item", Some(&self.item)),
            ("description", self.description.as_ref()),
            ("from", Some(&self.from)),
            ("to", Some(&self.to)),
            ("place", Some(&self.place)),
            ("happened", Some(&self.happened)),
            ("seal-before", self.seal_before.as_ref()),
            ("seal-after", self.seal_after.as_ref()),
            ("reason", self.reason.as_ref()),
            ("nonce", Some(&self.nonce)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?.as_str())))
    }

    /// The offer that a record speaks of: its text is what the record's signatures are over.
    pub fn of(body: &CustodyHandedOver, case: &str) -> Self {
        Self {
            case: case.to_owned(),
            item: body.item.clone(),
            description: body.description.clone(),
            from: body.from.clone(),
            to: body.to.clone(),
            place: body.place.clone(),
            happened: body.happened.clone(),
            seal_before: body.seal_before.clone(),
            seal_after: body.seal_after.clone(),
            reason: body.reason.clone(),
            nonce: body.nonce.clone(),
        }
    }
}

/// The text.
impl fmt::Display for Offer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEAD}")?;
        self.lines().try_for_each(|(name, value)| writeln!(f, "{name} {value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn offer() -> Offer {
        Offer {
            case: "practice.invalid/case/1".into(),
            item: "disk 3/A".into(),
            description: Some("2 TB disk".into()),
            from: "ana".into(),
            to: "bob@lab.example".into(),
            place: "Évidence room 2".into(),
            happened: "2026-11-12T10:00+01:00".into(),
            seal_before: Some("S-1".into()),
            seal_after: None,
            reason: Some("opened".into()),
            nonce: "0".repeat(32),
        }
    }

    #[test]
    fn an_offer_reads_back_and_nothing_else_does() {
        let text = offer().to_string();
        assert_eq!(Offer::parse(&text), Ok(offer()));
        for (old, new) in [
            ("v1", "v2"),
            ("from ana", "from Ana"),
            ("from ana", "from a na"),
            ("item disk", "item  disk"),
            ("item disk 3/A\n", ""),
            ("+01:00", ""),
            ("T10:00+01:00", ""),
            ("room 2", "room\u{202e} 2"),
            ("room 2", "room 2 "),
            ("reason opened", "reason "),
            ("nonce 0", "nonce A"),
            ("nonce 0", "nonce "),
            ("seal-before S-1\n", "seal-before S-1\nseal-before S-1\n"),
            ("place", "happened"),
        ] {
            let other = text.replacen(old, new, 1);
            assert_ne!(other, text, "{old}");
            assert!(Offer::parse(&other).is_err(), "{other}");
        }
        assert!(Offer::parse(text.trim_end()).is_err());
        assert!(Offer::parse(&format!("{text}\n")).is_err());
        let long = Offer { place: "x".repeat(MAX_VALUE + 1), ..offer() };
        assert_eq!(long.check(), Err(OfferError::Value("place")));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), at in any::<prop::sample::Index>()) {
            let _ = Offer::parse(&text);
            let mut mixed = offer().to_string();
            let mut at = at.index(mixed.len());
            while !mixed.is_char_boundary(at) { at -= 1 }
            mixed.insert_str(at, &text);
            if let Ok(read) = Offer::parse(&mixed) {
                prop_assert_eq!(read.to_string(), mixed);
            }
        }
    }
}

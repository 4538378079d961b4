//! Full host names in their ASCII form.

use std::borrow::Cow;
use std::fmt;

use super::Bad;

/// The most octets of a zone's origin on the wire, the root's included: a name in a response policy
/// zone stands before the zone's own name, and both together are at most 255 octets (RFC 1035,
/// 2.3.4). 64 leave room for `c15.rpz.` before an authority's name.
pub const LONGEST_ORIGIN: usize = 64;

/// The most octets of a domain name on the wire (RFC 1035, 2.3.4).
const MAX_WIRE: usize = 255;

/// A host's full name: ASCII, lower case, two labels at least, no final dot, each label of letters,
/// digits and inner hyphens.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Box<str>);

impl Name {
    /// Reads a name; Unicode becomes its ASCII form (UTS 46), one final dot goes.
    ///
    /// A label that begins with `xn--` is taken wherever it stands, the last included, and also where
    /// its Unicode form cannot be told: the DNS holds such names, and what exists can be blocked.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, Bad> {
        if matches!(text, "" | ".") {
            return Err(Bad::Empty);
        }
        if text.contains('*') {
            return Err(Bad::Wildcard);
        }
        let ascii = if text.is_ascii() {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            idna::domain_to_ascii_cow(text.as_bytes(), idna::AsciiDenyList::EMPTY)
                .map_err(|_| Bad::NoAscii)?
        };
        // One: an ideographic full stop has become a dot by now.
        let ascii = ascii.strip_suffix('.').unwrap_or(&ascii);
        check(ascii)?;
        Ok(Self(ascii.into()))
    }

    /// The ASCII form.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The Unicode form, where it differs from the ASCII form and each label has one.
    pub fn unicode(&self) -> Option<String> {
        if !self.is_international() {
            return None;
        }
        let (unicode, valid) = idna::domain_to_unicode(&self.0);
        (valid.is_ok() && *unicode != *self.0).then_some(unicode)
    }

    /// True where a label is the ASCII form of another.
    pub fn is_international(&self) -> bool {
        self.0.split('.').any(|label| label.starts_with("xn--"))
    }
}

/// Each name above `name`, itself first: `a.b.c`, `b.c`, `c`.
pub(crate) fn ancestors(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above))
}

fn check(name: &str) -> Result<(), Bad> {
    let mut labels = 0;
    for label in name.split('.') {
        labels += 1;
        if label.is_empty() {
            return Err(Bad::EmptyLabel);
        }
        if label.len() > 63 {
            return Err(Bad::LabelTooLong);
        }
        for c in label.chars() {
            match c {
                'a'..='z' | '0'..='9' | '-' => {}
                '_' => return Err(Bad::Underscore),
                other => return Err(Bad::Character(other)),
            }
        }
        if label.starts_with('-') || label.ends_with('-') {
            return Err(Bad::Hyphen);
        }
    }
    let last = name.rsplit('.').next().unwrap_or(name);
    // No top-level name is a number (RFC 3696, 2); where one is read, it is an address (WHATWG URL,
    // "ends in a number").
    let hexadecimal = |digits: &str| digits.bytes().all(|b| b.is_ascii_hexdigit());
    if last.bytes().all(|b| b.is_ascii_digit()) || last.strip_prefix("0x").is_some_and(hexadecimal)
    {
        return Err(Bad::AddressAsName);
    }
    if labels == 1 {
        return Err(Bad::SingleLabel);
    }
    // A length octet before each label: one more than the text has, without the root.
    if name.len() + 1 + LONGEST_ORIGIN > MAX_WIRE {
        return Err(Bad::TooLong);
    }
    Ok(())
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

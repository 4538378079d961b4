//! Facts: what one place in one exhibit says of one thing.

use crate::key::Key;
use crate::money::Money;
use crate::time::Stamp;

/// A value as a source gives it, typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, decoded to UTF-8; what could not be decoded is U+FFFD and a problem says so.
    Text(String),
    /// An integer.
    Int(i64),
    /// Yes or no.
    Bool(bool),
    /// A moment.
    Time(Stamp),
    /// An amount.
    Money(Money),
    /// Another thing: the fact is then a link, and its property a [`crate::LinkKind`] or `same_as`.
    Key(Key),
    /// A password, key or token: read, but kept out of every view. Its span leads to it, under a
    /// recorded reason.
    Secret,
}

/// What bytes `start..end` of an exhibit say of `subject`. The exhibit is the one being parsed; the
/// span is the value's field without its delimiters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// The thing.
    pub subject: Key,
    /// A property of the subject's kind, a link kind's name, or `same_as` (see [`crate::kinds`]).
    pub property: &'static str,
    /// The value.
    pub value: Value,
    /// First byte of the value's field.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
}

/// The property that says two keys name one thing. The reason is the fact's span.
pub const SAME_AS: &str = "same_as";

impl Value {
    /// The tag used in views and digests.
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Int(_) => "int",
            Self::Bool(_) => "bool",
            Self::Time(_) => "time",
            Self::Money(_) => "money",
            Self::Key(_) => "key",
            Self::Secret => "secret",
        }
    }

    /// The value as text: what views store and pages show. A secret is empty.
    pub fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Int(n) => n.to_string(),
            Self::Bool(b) => b.to_string(),
            Self::Time(t) => t.to_string(),
            Self::Money(m) => m.to_string(),
            Self::Key(k) => k.as_str().to_owned(),
            Self::Secret => String::new(),
        }
    }
}

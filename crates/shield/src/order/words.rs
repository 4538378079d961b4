//! The small words of the machine: moments, who acts, what things are called.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A fixed set of words: an enum whose variants have one stable name each, for records and JSON.
macro_rules! words {
    ($(#[$meta:meta])* $name:ident { $( $(#[doc = $about:literal])+ $variant:ident $word:literal, )* }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $( $(#[doc = $about])+ $variant, )* }

        impl $name {
            /// Every one.
            pub const ALL: &[Self] = &[$( Self::$variant, )*];

            /// As it stands in records, JSON and catalogues.
            pub fn word(self) -> &'static str {
                match self { $( Self::$variant => $word, )* }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let word = <String as serde::Deserialize>::deserialize(from)?;
                let found = Self::ALL.iter().find(|one| one.word() == word).copied();
                found.ok_or_else(|| serde::de::Error::custom(format!(
                    "{word:?} is none of its words"
                )))
            }
        }
    };
}
pub(crate) use words;

/// The longest name of a person, an organisation, an order, an event, a probe, in bytes.
pub const MAX_NAME: usize = 200;
/// The longest statement of grounds, in bytes.
pub const MAX_GROUNDS: usize = 4_000;

/// A text that is there, has no control characters, and is no longer than its bound.
fn bounded(text: &str, bound: usize) -> Option<Arc<str>> {
    let text = text.trim();
    let fits = !text.is_empty() && text.len() <= bound && !text.chars().any(char::is_control);
    fits.then(|| text.into())
}

macro_rules! names {
    ($( $(#[doc = $about:literal])+ $name:ident at most $bound:ident, )*) => { $(
        $(#[doc = $about])+
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// The text trimmed; `None` where it is empty, longer than its bound, or holds control
            /// characters.
            pub fn new(text: &str) -> Option<Self> {
                bounded(text, $bound).map(Self)
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = String::deserialize(from)?;
                // What was written was trimmed: nothing else is the writing of a name.
                let name = Self::new(&text).filter(|name| name.as_str() == text);
                name.ok_or_else(|| serde::de::Error::custom(format!("{text:?} is no name")))
            }
        }
    )* };
}

names! {
    /// A person, as the authority's register calls them.
    Person at most MAX_NAME,
    /// An organisation: a rights holder, an ISP, the authority.
    Organisation at most MAX_NAME,
    /// A legal basis: the number of a court's or an authority's order.
    OrderId at most MAX_NAME,
    /// An event: a match, a race, a show.
    EventId at most MAX_NAME,
    /// A work or a right to it: `serie-a-2026`.
    Right at most MAX_NAME,
    /// A channel on which an event is shown: as people call it.
    Channel at most MAX_NAME,
    /// A probe of ours, by the name its key is registered under.
    Probe at most MAX_NAME,
    /// Why somebody does something, in their own words.
    Grounds at most MAX_GROUNDS,
}

/// A moment: milliseconds since 1970-01-01T00:00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct Moment(pub i64);

/// The last moment that is read, the end of the year 9999, and before 1970 as far: what is reckoned from one
/// can be written still.
pub const LAST_MOMENT: i64 = 253_402_300_800_000;

impl<'de> Deserialize<'de> for Moment {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let ms = i64::deserialize(from)?;
        if (-LAST_MOMENT..=LAST_MOMENT).contains(&ms) {
            return Ok(Self(ms));
        }
        Err(serde::de::Error::custom(format!("{ms} ms since 1970 is no moment of these centuries")))
    }
}

impl Moment {
    /// So many milliseconds later; never beyond the last moment there is.
    pub fn plus(self, ms: u64) -> Self {
        Self(self.0.saturating_add_unsigned(ms))
    }

    /// So many milliseconds earlier; never before the first moment there is.
    pub fn minus(self, ms: u64) -> Self {
        Self(self.0.saturating_sub_unsigned(ms))
    }

    /// Milliseconds since `earlier`; 0 where that is later.
    pub fn since(self, earlier: Self) -> u64 {
        u64::try_from(i128::from(self.0) - i128::from(earlier.0)).unwrap_or(0)
    }
}

words! {
    /// In what office somebody acts. Who may do what stands in `docs/shield-machine.md`.
    Role {
        /// Reports what is to be blocked, for a rights holder.
        Reporter "reporter",
        /// Looks at what reporters ask for, and decides objections.
        Reviewer "reviewer",
        /// Gives orders, and may do what a reviewer may.
        Authority "authority",
        /// Blocks.
        Isp "isp",
        /// Somebody who is hit or speaks for who is: an owner, a host, a user.
        Party "party",
        /// A probe of ours. Its captures were verified before they came here.
        Probe "probe",
        /// The clearing house itself: its clock, its check, its post.
        House "house",
    }
}

impl Role {
    /// True of who objects by their word alone: a reviewer or the authority, for somebody who showed it to them.
    /// Anybody else shows that they control what is blocked before the desk asks for an objection of theirs.
    pub fn objects_by_word(self) -> bool {
        matches!(self, Self::Reviewer | Self::Authority)
    }
}

/// Who acts. That they are who they say was found elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// The person.
    pub person: Person,
    /// For whom.
    pub organisation: Organisation,
    /// As what.
    pub role: Role,
}

impl Actor {
    /// True for who may decide on what others ask for.
    pub(crate) fn reviews(&self) -> bool {
        matches!(self.role, Role::Reviewer | Role::Authority)
    }

    /// True where `self` makes a second person beside somebody: another person, of another
    /// organisation. Two offices of one person, or two colleagues, are one pair of eyes.
    pub(crate) fn is_second_to(&self, person: &Person, organisation: &Organisation) -> bool {
        self.person != *person && self.organisation != *organisation
    }
}

/// A ticket: the n-th of this clearing house, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TicketId(pub u64);

/// An item: its ticket and its place there, from 0, as `ticket × 1,024 + place`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemId(pub u64);

/// The most items of a ticket.
pub const MAX_ITEMS: usize = 1_000;
/// Bits of an [`ItemId`] that hold the place: 2^10 places are enough for [`MAX_ITEMS`].
const PLACE_BITS: u32 = 10;
const _: () = assert!(MAX_ITEMS <= 1 << PLACE_BITS);
/// What stands in JSON is exact below it (RFC 8259, 6).
const EXACT: u64 = 1 << 53;

impl ItemId {
    /// The item at a place of a ticket.
    pub fn new(ticket: TicketId, place: u16) -> Self {
        let most = (1 << PLACE_BITS) - 1;
        Self(ticket.0 << PLACE_BITS | u64::from(place).min(most))
    }

    /// Its ticket.
    pub fn ticket(self) -> TicketId {
        TicketId(self.0 >> PLACE_BITS)
    }

    /// Its place in the ticket, from 0.
    pub fn place(self) -> u16 {
        (self.0 & ((1 << PLACE_BITS) - 1)) as u16
    }
}

impl fmt::Display for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.ticket().0, self.place())
    }
}

/// Why a text is no item's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an item is written as its ticket and its place there, such as 12/0")]
pub struct NoItemId;

/// What [`fmt::Display`] writes, and nothing else: a number beyond what an id holds would be another item's.
impl FromStr for ItemId {
    type Err = NoItemId;

    fn from_str(text: &str) -> Result<Self, NoItemId> {
        let (ticket, place) = text.split_once('/').ok_or(NoItemId)?;
        let (ticket, place) = (ticket.parse::<u64>(), place.parse::<u16>());
        let id =
            ticket.ok().zip(place.ok()).map(|(ticket, place)| Self::new(TicketId(ticket), place));
        let real = |id: &Self| {
            let within = id.0 < EXACT && usize::from(id.place()) < MAX_ITEMS;
            within && id.to_string() == text
        };
        id.filter(real).ok_or(NoItemId)
    }
}

/// Whom an item is addressed to.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Every ISP, those that join later included.
    #[default]
    All,
    /// These and no others, sorted, each once.
    Only(Box<[Organisation]>),
}

/// What a stop is laid upon.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Everything.
    All,
    /// All tickets of a reporter.
    Reporter(Organisation),
    /// All tickets of an event.
    Event(EventId),
    /// One ticket.
    Ticket(TicketId),
    /// What one ISP gets.
    Isp(Organisation),
}

impl Scope {
    /// As it stands in records and JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Reporter(_) => "reporter",
            Self::Event(_) => "event",
            Self::Ticket(_) => "ticket",
            Self::Isp(_) => "isp",
        }
    }
}

/// As people write it: `all`, `reporter:NAME`, `event:NAME`, `ticket:N`, `isp:NAME`.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word();
        match self {
            Self::All => f.write_str(word),
            Self::Reporter(name) | Self::Isp(name) => write!(f, "{word}:{name}"),
            Self::Event(name) => write!(f, "{word}:{name}"),
            Self::Ticket(id) => write!(f, "{word}:{id}"),
        }
    }
}

/// Why a text is nothing that can be stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what can be stopped is all, reporter:NAME, event:NAME, ticket:N or isp:NAME")]
pub struct NoScope;

impl FromStr for Scope {
    type Err = NoScope;

    fn from_str(text: &str) -> Result<Self, NoScope> {
        if text == "all" {
            return Ok(Self::All);
        }
        let (word, name) = text.split_once(':').ok_or(NoScope)?;
        let scope = match word {
            "reporter" => Organisation::new(name).map(Self::Reporter),
            "isp" => Organisation::new(name).map(Self::Isp),
            "event" => EventId::new(name).map(Self::Event),
            "ticket" => name.parse().ok().map(|number| Self::Ticket(TicketId(number))),
            _ => None,
        };
        scope.ok_or(NoScope)
    }
}

words! {
    /// What a stop does.
    Halt {
        /// Nothing more is released; what is in force stays.
        Releases "releases",
        /// Nothing more is released, and what is in force leaves the feed until two persons resume.
        Lifts "lifts",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_what_its_text_says_and_no_other() {
        assert_eq!("3/7".parse(), Ok(ItemId::new(TicketId(3), 7)));
        for bad in [
            "",
            "3",
            "3/",
            "/7",
            "3/1000",
            "3/1024",
            "3/-1",
            "+3/7",
            "03/7",
            "3/7/1",
            "99999999999999/0",
        ] {
            assert_eq!(bad.parse::<ItemId>(), Err(NoItemId), "{bad}");
        }
        assert_eq!("18446744073709551615/0".parse::<ItemId>(), Err(NoItemId));
    }

    #[test]
    fn a_scope_is_read_as_it_is_written() {
        let organisation = Organisation::new("league: one").unwrap();
        for scope in [
            Scope::All,
            Scope::Reporter(organisation.clone()),
            Scope::Isp(organisation),
            Scope::Event(EventId::new("final").unwrap()),
            Scope::Ticket(TicketId(12)),
        ] {
            assert_eq!(scope.to_string().parse(), Ok(scope));
        }
        for bad in ["", "everything", "ticket:x", "ticket:", "reporter:", "all:x"] {
            assert_eq!(bad.parse::<Scope>(), Err(NoScope), "{bad}");
        }
    }
}

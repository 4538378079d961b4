//! Reasons and the verdict that follows from them.

use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::item::{Bad, Special};
use crate::sets::{Class, Effect, Set};

/// What may be done with an item, as far as harm goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// One reporter's word and a capture are enough.
    Allow,
    /// A second person, of another organisation, has to agree.
    TwoPersons,
    /// Nobody can have it blocked.
    Refuse,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 3] = [Self::Allow, Self::TwoPersons, Self::Refuse];

    /// As it stands in JSON, records and catalogues.
    pub fn word(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::TwoPersons => "two_persons",
            Self::Refuse => "refuse",
        }
    }
}

impl From<Effect> for Verdict {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Show => Self::Allow,
            Effect::TwoPersons => Self::TwoPersons,
            Effect::Refuse => Self::Refuse,
        }
    }
}

/// Why: one of a fixed set, so that JSON, records and catalogues speak of the same thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Code {
    /// The text is no item.
    Text(Bad),
    /// The address is no host's own.
    Special(Special),
    /// The name is under a top-level name that no registry gives out.
    ReservedName,
    /// The name is a registry's public suffix.
    PublicSuffix,
    /// The name is one under which its owner lets strangers register.
    PrivateSuffix,
    /// The top-level name is on no list.
    UnknownSuffix,
    /// A government's, by the pattern of its suffix.
    GovernmentSuffix,
    /// It is in a set of this class.
    Member(Class),
    /// It is in a list of popular names that is too long to mean it.
    LongList,
    /// Another's name is an alias of it.
    AliasTarget,
    /// So many more are, beside those that were told one by one.
    MoreAliases,
    /// It looks like a name that is known.
    LookAlike,
    /// A label mixes scripts.
    MixedScripts,
    /// It claims a Unicode form and has none.
    Undecodable,
    /// An address is never blocked on one person's word.
    Address,
    /// Other names were seen on the address.
    NamesSeen,
    /// Nobody knows who else is on the address.
    InnocentsUnknown,
    /// It was blocked before and lifted for harm.
    Lifted,
    /// No list of popular names is loaded: that nothing speaks against a name is then no news.
    NotLoaded,
}

impl Code {
    /// The code's name, for JSON, records and catalogues.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Text(bad) => bad.word(),
            Self::Special(special) => special.word(),
            Self::Member(class) => class.word(),
            Self::ReservedName => "reserved_name",
            Self::PublicSuffix => "public_suffix",
            Self::PrivateSuffix => "private_suffix",
            Self::UnknownSuffix => "unknown_suffix",
            Self::GovernmentSuffix => "government_suffix",
            Self::LongList => "long_list",
            Self::AliasTarget => "alias_target",
            Self::MoreAliases => "more_aliases",
            Self::LookAlike => "look_alike",
            Self::MixedScripts => "mixed_scripts",
            Self::Undecodable => "undecodable",
            Self::Address => "address",
            Self::NamesSeen => "names_seen",
            Self::InnocentsUnknown => "innocents_unknown",
            Self::Lifted => "lifted",
            Self::NotLoaded => "not_loaded",
        }
    }

    /// The word as this program has it, where it is a reason's.
    pub fn known(word: &str) -> Option<&'static str> {
        static WORDS: LazyLock<Vec<&'static str>> = LazyLock::new(Code::words);
        WORDS.iter().find(|known| **known == word).copied()
    }

    /// Every code's name: what a catalogue has to hold.
    pub fn words() -> Vec<&'static str> {
        let texts = [
            Bad::Empty,
            Bad::TextTooLong,
            Bad::Character(' '),
            Bad::EmptyLabel,
            Bad::LabelTooLong,
            Bad::TooLong,
            Bad::Hyphen,
            Bad::SingleLabel,
            Bad::Underscore,
            Bad::Wildcard,
            Bad::AddressAsName,
            Bad::Cidr,
            Bad::AddressInUrl,
            Bad::Port,
            Bad::NoAscii,
        ];
        let plain = [
            Self::ReservedName,
            Self::PublicSuffix,
            Self::PrivateSuffix,
            Self::UnknownSuffix,
            Self::GovernmentSuffix,
            Self::LongList,
            Self::AliasTarget,
            Self::MoreAliases,
            Self::LookAlike,
            Self::MixedScripts,
            Self::Undecodable,
            Self::Address,
            Self::NamesSeen,
            Self::InnocentsUnknown,
            Self::Lifted,
            Self::NotLoaded,
        ];
        let pairs = [Class::Seen, Class::Alias, Class::AsType];
        let members = Class::ALL.iter().filter(|class| !pairs.contains(class));
        let mut words: Vec<_> = texts.into_iter().map(|bad| Self::Text(bad).word()).collect();
        words.extend(Special::ALL.map(Special::word));
        words.extend(members.map(|class| class.word()));
        words.extend(plain.map(|code| code.word()));
        words
    }

    /// What the reason alone does.
    pub fn effect(&self) -> Effect {
        match self {
            Self::Text(_)
            | Self::Special(_)
            | Self::ReservedName
            | Self::PublicSuffix
            | Self::PrivateSuffix
            | Self::GovernmentSuffix => Effect::Refuse,
            Self::Member(class) => class.effect(),
            Self::LongList => Effect::Show,
            Self::UnknownSuffix
            | Self::AliasTarget
            | Self::MoreAliases
            | Self::LookAlike
            | Self::MixedScripts
            | Self::Undecodable
            | Self::Address
            | Self::NamesSeen
            | Self::InnocentsUnknown
            | Self::Lifted
            | Self::NotLoaded => Effect::TwoPersons,
        }
    }
}

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// Which.
    pub code: Code,
    /// What it does to the verdict.
    pub effect: Effect,
    /// What it is about: the member of the set, the suffix, the alias, the count.
    pub about: String,
    /// What it rests on: a set with its date, a registry, a capture.
    pub source: String,
}

impl Reason {
    pub(super) fn new(code: Code, about: impl Into<String>, source: impl Into<String>) -> Self {
        let effect = code.effect();
        Self { code, effect, about: about.into(), source: source.into() }
    }

    pub(super) fn member(set: &Set, about: impl Into<String>) -> Self {
        let effect = set.effect();
        let code = match effect {
            Effect::Show => Code::LongList,
            _ => Code::Member(set.head.class),
        };
        Self { code, effect, about: about.into(), source: set.cited() }
    }
}

//! What is known of names and addresses, in sets: each of one class, with its source and its date.
//!
//! A set is a text file ([`text`]) that a person can read and an operator can write. What a class
//! means for an item stands in [`Class::effect`], and nowhere else.

mod names;
mod ranges;
pub mod text;

use std::net::IpAddr;

use jiff::civil::Date;

pub(crate) use names::Hashed;
use names::Names;
use ranges::Ranges;
pub use text::{MAX_LINES, SetError};

use crate::suffixes::{Section, Suffixes};

/// Popularity is a list of at most this many names: in longer ones pirates' own sites stand beside
/// everybody's, so they are shown and change no verdict.
pub const POPULAR_MAX: usize = 100_000;

macro_rules! classes {
    ($( $(#[doc = $about:literal])+ $name:ident $word:literal $effect:ident, )*) => {
        /// What the members of a set are.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Class { $( $(#[doc = $about])+ $name, )* }

        impl Class {
            /// Every class.
            pub const ALL: &[Self] = &[$( Self::$name, )*];

            /// The class as it stands in a set's head, in JSON and in catalogues.
            pub fn word(self) -> &'static str {
                match self { $( Self::$name => $word, )* }
            }

            /// What membership does to an item.
            pub fn effect(self) -> Effect {
                match self { $( Self::$name => Effect::$effect, )* }
            }
        }
    };
}

classes! {
    /// Many people use it.
    Popular "popular" TwoPersons,
    /// A content delivery network: thousands of sites on one address.
    Cdn "cdn" Refuse,
    /// A cloud: its addresses change hands by the hour.
    Cloud "cloud" Refuse,
    /// A web application firewall before many sites.
    Waf "waf" Refuse,
    /// A public resolver.
    Resolver "resolver" Refuse,
    /// Shared web hosting.
    Hosting "hosting" Refuse,
    /// Shared by strangers in another way: parking, exits of virtual private networks.
    Shared "shared" TwoPersons,
    /// A site on which anybody has a page: blocking the name blocks them all.
    Platform "platform" Refuse,
    /// A name under which anybody registers, though no public suffix list knows it.
    DynamicDns "dynamic_dns" TwoPersons,
    /// A government.
    Government "government" Refuse,
    /// A hospital, a health service, a pharmacy on duty.
    Health "health" Refuse,
    /// A bank.
    Bank "bank" Refuse,
    /// Emergency services.
    Emergency "emergency" Refuse,
    /// A university.
    University "university" Refuse,
    /// Infrastructure of the domain name system.
    Dns "dns" Refuse,
    /// Time servers.
    Time "time" Refuse,
    /// A certification authority: its revocation lists and responders.
    Ca "ca" Refuse,
    /// Where devices fetch updates and prove that they are online.
    Updates "updates" Refuse,
    /// Mail servers of the large providers.
    Mail "mail" Refuse,
    /// The blockers' own: block pages, resolvers, the clearing house.
    Blockers "blockers" Refuse,
    /// What the authority excepted from blocking: names with all below them, networks, autonomous
    /// systems.
    Exception "exception" Refuse,
    /// Lifted before for harm, or upon an objection that was upheld.
    History "history" TwoPersons,
    /// `address name`: names that were seen on an address.
    Seen "seen" TwoPersons,
    /// `name name`: a name that is an alias (CNAME) of another.
    Alias "alias" TwoPersons,
    /// `AS13335 cdn`: what kind of network an autonomous system is.
    AsType "as_type" TwoPersons,
}

/// What membership in a class does to an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// It is shown.
    Show,
    /// A second person has to agree.
    TwoPersons,
    /// It is never blocked.
    Refuse,
}

impl Class {
    /// The class of a word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|class| class.word() == word)
    }

    /// The kinds of network that `as_type` knows.
    pub fn is_network(self) -> bool {
        matches!(self, Self::Cdn | Self::Cloud | Self::Waf | Self::Resolver | Self::Hosting)
            || matches!(self, Self::Shared | Self::Government | Self::University | Self::Health)
    }
}

/// How far a set's names reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Match {
    /// The name itself.
    Exact,
    /// The name and all below it.
    Subtree,
    /// All names under the same registrable domain; a name that is a public suffix, itself alone.
    Registrable,
}

impl Match {
    /// Every way.
    pub const ALL: [Self; 3] = [Self::Exact, Self::Subtree, Self::Registrable];

    /// As it stands in a set's head.
    pub fn word(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Subtree => "subtree",
            Self::Registrable => "registrable",
        }
    }
}

/// What a set says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// Its name, unique among the sets: `tranco10k`.
    pub name: String,
    /// What its members are.
    pub class: Class,
    /// Where it comes from.
    pub source: String,
    /// Of when it is.
    pub date: Date,
    /// How far its names reach.
    pub matches: Match,
}

/// A set, ready to be asked.
#[derive(Debug)]
pub struct Set {
    /// What it says of itself.
    pub head: Head,
    /// Its members, as counted when it was read.
    pub entries: usize,
    names: Names,
    ranges: Ranges,
    /// Autonomous systems: number and, for `as_type`, what it is.
    systems: Vec<(u32, Class)>,
    /// Pairs, by their first member: what [`Class::Seen`] and [`Class::Alias`] hold.
    seen: Vec<(IpAddr, Box<str>)>,
    alias: Vec<(Box<str>, Box<str>)>,
}

impl Set {
    /// What membership in this set does: its class's effect, but for popularity lists that are too
    /// long to mean it.
    pub fn effect(&self) -> Effect {
        match self.head.class {
            Class::Popular if self.entries > POPULAR_MAX => Effect::Show,
            class => class.effect(),
        }
    }

    /// The set and its date, as a reason names its source.
    pub fn cited(&self) -> String {
        format!("{} ({}, {})", self.head.name, self.head.source, self.head.date)
    }

    /// Its names, in the list's order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter()
    }

    /// The member that a name falls under.
    pub(crate) fn holds_name<'a>(&self, name: &Candidates<'a>) -> Option<&'a str> {
        if self.names.is_empty() {
            return None;
        }
        let among = match self.head.matches {
            Match::Exact => &name.above[..1],
            // An exception is meant as it is written; a list knows nothing of the strangers who have
            // names of their own under a private suffix.
            Match::Subtree if self.head.class == Class::Exception => &name.above[..],
            Match::Subtree => &name.above[..name.own],
            // What is itself a public suffix stands in such a set by its own name.
            Match::Registrable if name.registrable.is_empty() => &name.above[..1],
            Match::Registrable => &name.registrable[..],
        };
        among.iter().find(|candidate| self.names.contains(candidate)).map(|c| c.text)
    }

    /// The range of the set that an address lies in.
    pub(crate) fn holds_address(&self, ip: IpAddr) -> Option<(IpAddr, IpAddr)> {
        self.ranges.find(ip)
    }

    /// What the set says an autonomous system is.
    pub(crate) fn system(&self, number: u32) -> Option<Class> {
        let at = self.systems.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.systems.get(at).map(|(_, class)| *class)
    }

    /// The names that were seen on an address.
    pub(crate) fn seen_on(&self, ip: IpAddr) -> &[(IpAddr, Box<str>)] {
        let from = self.seen.partition_point(|(key, _)| *key < ip);
        let to = self.seen.partition_point(|(key, _)| *key <= ip);
        self.seen.get(from..to).unwrap_or(&[])
    }

    /// The names that are aliases of a name.
    pub(crate) fn aliases_of(&self, name: &str) -> &[(Box<str>, Box<str>)] {
        let from = self.alias.partition_point(|(key, _)| &**key < name);
        let to = self.alias.partition_point(|(key, _)| &**key <= name);
        self.alias.get(from..to).unwrap_or(&[])
    }

    /// The bytes that the set keeps.
    pub fn bytes(&self) -> usize {
        self.names.bytes()
            + self.ranges.bytes()
            + self.systems.len() * size_of::<(u32, Class)>()
            + self.seen.iter().map(|(_, name)| name.len() + 40).sum::<usize>()
            + self.alias.iter().map(|(a, b)| a.len() + b.len() + 32).sum::<usize>()
    }
}

/// A name and what it may be looked up as, each hashed once for all sets.
pub(crate) struct Candidates<'a> {
    /// The name, then each name above it.
    pub(crate) above: Vec<Hashed<'a>>,
    /// So many of these are its owner's, or a registry's: none beyond a private suffix below which the
    /// name stands.
    pub(crate) own: usize,
    /// Its registrable domain; two, where the lists of public suffixes disagree.
    pub(crate) registrable: Vec<Hashed<'a>>,
}

impl<'a> Candidates<'a> {
    pub(crate) fn new(name: &'a str, suffixes: &Suffixes) -> Self {
        let above: Vec<_> = crate::item::ancestors(name).map(Hashed::new).collect();
        let private = [suffixes.suffix(name), suffixes.differs(name)]
            .into_iter()
            .flatten()
            .filter(|suffix| suffix.section == Section::Private && suffix.text != name);
        let own = private
            .filter_map(|suffix| above.iter().position(|name| name.text == suffix.text))
            .min()
            .unwrap_or(above.len());
        Self { above, own, registrable: domains(name, suffixes).map(Hashed::new).collect() }
    }
}

/// The registrable domain of a name; two, where the lists disagree, and none where it is a suffix.
pub(crate) fn domains<'a>(name: &'a str, suffixes: &Suffixes) -> impl Iterator<Item = &'a str> {
    let both = [suffixes.suffix(name), suffixes.differs(name)];
    both.into_iter().flatten().filter_map(move |suffix| crate::suffixes::below(name, suffix.text))
}

/// All sets that are loaded, in the order of their names.
#[derive(Debug, Default)]
pub struct Sets {
    sets: Vec<Set>,
}

impl Sets {
    /// From sets in any order. Sets only add: one never takes the place of another, whatever its name,
    /// so that nobody unprotects anybody by giving a list.
    pub fn new(sets: impl IntoIterator<Item = Set>) -> Self {
        let mut sets: Vec<_> = sets.into_iter().collect();
        sets.sort_by(|a, b| a.head.name.cmp(&b.head.name));
        Self { sets }
    }

    /// True where a list of popular names is loaded that changes verdicts.
    pub fn has_popular(&self) -> bool {
        let popular = |set: &Set| set.head.class == Class::Popular && set.effect() > Effect::Show;
        self.sets.iter().any(popular)
    }

    /// Each set.
    pub fn iter(&self) -> impl Iterator<Item = &Set> {
        self.sets.iter()
    }

    /// True where a set of the class is loaded.
    pub fn has(&self, class: Class) -> bool {
        self.sets.iter().any(|set| set.head.class == class)
    }

    /// Classes of which no set is loaded, though the check would ask them: told, since silence would
    /// read as innocence. Exceptions and history may well be empty; what captures see beside the sets is no
    /// set.
    pub fn missing(&self) -> Vec<Class> {
        let may_be_empty = [Class::History, Class::Exception];
        let asked = Class::ALL.iter().copied().filter(|class| !may_be_empty.contains(class));
        asked.filter(|class| !self.has(*class)).collect()
    }

    /// The bytes that all sets keep.
    pub fn bytes(&self) -> usize {
        self.sets.iter().map(Set::bytes).sum()
    }
}

#[cfg(test)]
mod tests;

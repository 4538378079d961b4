//! The harm check: what a block would hit besides its aim.
//!
//! Nobody can tell a small innocent site from a pirate's by its name alone, and this does not try:
//! how a name is worded changes nothing. What it knows is who else stands behind a value. Each reason
//! names what it rests on, and the verdict is the gravest of them.
//!
//! - An exact name under no reason may be blocked once it was captured: *allow*.
//! - An address is never *allow*: who else uses it is never wholly known.
//! - What is protected, or shared by thousands, is *refuse*, whoever agrees.

mod alike;
mod government;
mod reason;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::IpAddr;

use jiff::civil::Date;
use model::asn::Tables;

use crate::item::{Bad, Item, Name, special};
use crate::sets::{Candidates, Class, Effect, Set, Sets, domains};
use crate::suffixes::{Section, Suffix, Suffixes};

pub use reason::{Code, Reason, Verdict};

/// The check, with what it knows. Pure: the same item under the same knowledge has the same finding.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// What is known of names and addresses.
    pub sets: &'a Sets,
    /// Which part of a name is registrable.
    pub suffixes: &'a Suffixes,
    /// Whose network an address lies in.
    pub places: Option<&'a Tables<'a>>,
    /// True on the practice range: names under `.example` and `.test`, and the ranges for
    /// documentation and benchmarks, stand for the internet's.
    pub practice: bool,
}

/// What is known of one item beyond the sets: from its captures and its history.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Known<'a> {
    /// Other names that were seen on the item's address, if anybody looked.
    pub names: Option<&'a [Name]>,
    /// Names that are aliases (CNAME) of the item's name.
    pub aliases: &'a [Name],
    /// When a capture showed any of these last; `None` where that is not known.
    pub captured: Option<Date>,
    /// Blocks of this value that were lifted for harm, or upon an objection that was upheld.
    pub faults: u32,
}

impl Known<'_> {
    /// A capture as a reason names its source, with its date.
    fn capture(&self) -> String {
        self.captured.map_or_else(|| "capture".to_owned(), |date| format!("capture ({date})"))
    }
}

/// How many others a block would hit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Innocents {
    /// At least so many: those that were seen.
    pub at_least: u64,
    /// At most so many. `None`: nobody knows, and nobody may say zero.
    pub at_most: Option<u64>,
    /// How that was found.
    pub method: Method,
}

/// How innocents were counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// A block of an exact name hits that name's own users, and those of names that lead to it:
    /// aliases that are known.
    ExactName,
    /// Names that were seen on the address.
    NamesSeen,
    /// Nobody looked.
    NotCounted,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::ExactName, Self::NamesSeen, Self::NotCounted];

    /// As it stands in JSON and catalogues.
    pub fn word(self) -> &'static str {
        match self {
            Self::ExactName => "exact_name",
            Self::NamesSeen => "names_seen",
            Self::NotCounted => "not_counted",
        }
    }
}

/// What the check found of an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The gravest of the reasons.
    pub verdict: Verdict,
    /// Each reason, the gravest first; empty where nothing speaks against a block.
    pub reasons: Vec<Reason>,
    /// Who else would be hit.
    pub innocents: Innocents,
    /// The autonomous system that an address lies in, where that is known.
    pub system: Option<u32>,
}

impl Check<'_> {
    /// Checks what somebody typed. A text that is no item is refused, by name.
    pub fn text(&self, text: &str) -> (Option<Item>, Finding) {
        match Item::parse(text) {
            Ok(item) => {
                let finding = self.item(&item, Known::default());
                (Some(item), finding)
            }
            Err(bad) => (None, Finding::of_bad(bad)),
        }
    }

    /// Checks an item.
    pub fn item(&self, item: &Item, known: Known<'_>) -> Finding {
        let mut reasons = Vec::new();
        let innocents = match item {
            Item::Name(name) => self.name(name, known, &mut reasons),
            Item::Address(ip) => self.address(*ip, known, &mut reasons),
            Item::Endpoint(endpoint) => self.address(endpoint.ip(), known, &mut reasons),
        };
        if known.faults > 0 {
            let about = known.faults.to_string();
            reasons.push(Reason::new(Code::Lifted, about, "log"));
        }
        let place = item.address().and_then(|ip| self.places?.look_up(ip));
        Finding::new(reasons, innocents, place.and_then(|place| place.asn))
    }

    fn name(&self, name: &Name, known: Known<'_>, reasons: &mut Vec<Reason>) -> Innocents {
        let text = name.as_str();
        self.by_suffix(text, reasons);
        if let Some(suffix) = government::suffix(text, self.suffixes) {
            reasons.push(Reason::new(Code::GovernmentSuffix, suffix, government::SOURCE));
        }
        let candidates = Candidates::new(text, self.suffixes);
        for set in self.sets.iter() {
            if let Some(member) = set.holds_name(&candidates) {
                reasons.push(Reason::member(set, member));
            }
        }
        let innocents = self.aliases(text, known, reasons);
        if !self.sets.has_popular() {
            reasons.push(Reason::new(Code::NotLoaded, Class::Popular.word(), "policy"));
        }
        if name.is_international() {
            self.international(name, reasons);
        }
        innocents
    }

    /// Names of others that lead to a name: some resolvers block them with it.
    fn aliases(&self, name: &str, known: Known<'_>, reasons: &mut Vec<Reason>) -> Innocents {
        let mut others: BTreeMap<&str, String> = BTreeMap::new();
        let captured = known.aliases.iter().map(|alias| (alias.as_str(), None));
        let listed = self.sets.iter().flat_map(|set| {
            set.aliases_of(name).iter().map(move |(_, alias)| (&**alias, Some(set)))
        });
        for (alias, set) in captured.chain(listed) {
            // An owner's own other names are nobody else's.
            let same = |own: &str| domains(alias, self.suffixes).any(|domain| domain == own);
            if alias != name && !domains(name, self.suffixes).any(same) {
                let source = || set.map_or_else(|| known.capture(), Set::cited);
                others.entry(alias).or_insert_with(source);
            }
        }
        let at_least = others.len() as u64;
        let rest = others.len().saturating_sub(MAX_NAMED);
        for (alias, source) in others.into_iter().take(MAX_NAMED) {
            reasons.push(Reason::new(Code::AliasTarget, alias, source));
        }
        if rest > 0 {
            reasons.push(Reason::new(Code::MoreAliases, rest.to_string(), "as above"));
        }
        Innocents { at_least, at_most: None, method: Method::ExactName }
    }

    /// What the name's public suffix says: by each list, where two disagree.
    fn by_suffix(&self, name: &str, reasons: &mut Vec<Reason>) {
        let last = name.rsplit('.').next().unwrap_or(name);
        // Some of them stand on the list, though nobody can register there.
        if RESERVED.contains(&last) {
            let practised = self.practice && model::suffix::RESERVED.contains(&last);
            if !practised {
                reasons.push(Reason::new(
                    Code::ReservedName,
                    last,
                    "RFC 2606, 6761, 6762, 7686, 9476",
                ));
            }
            return;
        }
        let code = |suffix: Suffix<'_>| match suffix.section {
            Section::Unknown => Some(Code::UnknownSuffix),
            Section::Icann if suffix.text == name => Some(Code::PublicSuffix),
            Section::Private if suffix.text == name => Some(Code::PrivateSuffix),
            _ => None,
        };
        let (read, built_in) = (self.suffixes.suffix(name), self.suffixes.differs(name));
        if let Some((code, suffix)) = read.and_then(|suffix| Some((code(suffix)?, suffix))) {
            // A top-level name that is newer than the list that was read is no stranger.
            if code != Code::UnknownSuffix || built_in.is_none() {
                reasons.push(Reason::new(code, suffix.text, self.suffixes.cited()));
                return;
            }
        }
        if let Some((code, suffix)) = built_in.and_then(|suffix| Some((code(suffix)?, suffix)))
            && code != Code::UnknownSuffix
        {
            reasons.push(Reason::new(code, suffix.text, Suffixes::default().cited()));
        }
    }

    fn international(&self, name: &Name, reasons: &mut Vec<Reason>) {
        let Some(unicode) = name.unicode() else {
            reasons.push(Reason::new(Code::Undecodable, name.as_str(), alike::SOURCE));
            return;
        };
        if let Some(label) = alike::mixed(&unicode) {
            reasons.push(Reason::new(Code::MixedScripts, label, alike::SOURCE));
        }
        let Some(twin) = alike::ascii_twin(&unicode) else { return };
        let candidates = Candidates::new(&twin, self.suffixes);
        let known = self
            .sets
            .iter()
            .find(|set| set.effect() > Effect::Show && set.holds_name(&candidates).is_some());
        if let Some(set) = known {
            let about = format!("{unicode} / {twin}");
            reasons.push(Reason::new(Code::LookAlike, about, set.cited()));
        }
    }

    fn address(&self, ip: IpAddr, known: Known<'_>, reasons: &mut Vec<Reason>) -> Innocents {
        if let Some(special) = special(ip)
            && !(self.practice && special.is_practice())
        {
            reasons.push(Reason::new(Code::Special(special), ip.to_string(), "IANA, RFC 6890"));
        }
        reasons.push(Reason::new(Code::Address, ip.to_string(), "policy"));
        let place = self.places.and_then(|places| places.look_up(ip));
        let system = place.and_then(|place| place.asn.map(|number| (number, place.name())));
        for set in self.sets.iter() {
            if let Some((first, last)) = set.holds_address(ip) {
                let about =
                    if first == last { first.to_string() } else { format!("{first} – {last}") };
                reasons.push(Reason::member(set, about));
            }
            let Some((number, owner)) = system else { continue };
            if let Some(class) = set.system(number) {
                let about = format!("AS{number} {owner}");
                reasons.push(Reason {
                    code: Code::Member(class),
                    effect: class.effect(),
                    about,
                    source: set.cited(),
                });
            }
        }
        self.neighbours(ip, known, reasons)
    }

    /// The names that share an address. Sources may name the same ones: what the longest of them holds
    /// is the least that can be said of all together.
    fn neighbours(&self, ip: IpAddr, known: Known<'_>, reasons: &mut Vec<Reason>) -> Innocents {
        let captured = known.names.map(|names| (names.len(), known.capture()));
        let listed = self.sets.iter().map(|set| (set.seen_on(ip).len(), set));
        let listed = listed.filter(|(names, _)| *names > 0).map(|(n, set)| (n, set.cited()));
        let longest = captured.into_iter().chain(listed).max_by_key(|(names, _)| *names);
        let method = if longest.is_some() { Method::NamesSeen } else { Method::NotCounted };
        let at_least = match longest {
            Some((names, source)) if names > 0 => {
                reasons.push(Reason::new(Code::NamesSeen, names.to_string(), source));
                names as u64
            }
            // That nobody was seen is not that nobody is there.
            _ => {
                reasons.push(Reason::new(Code::InnocentsUnknown, ip.to_string(), "policy"));
                0
            }
        };
        Innocents { at_least, at_most: None, method }
    }
}

/// The most names of others that an item's reasons tell one by one.
const MAX_NAMED: usize = 10;

/// Top-level names that no registry gives out: those that practice uses, and RFC 6762, 7686, 9476 and
/// ICANN's `internal`.
const RESERVED: &[&str] =
    &["example", "test", "invalid", "localhost", "local", "onion", "alt", "internal"];

impl Finding {
    fn new(mut reasons: Vec<Reason>, innocents: Innocents, system: Option<u32>) -> Self {
        reasons.sort_by(|a, b| {
            let first = b.effect.cmp(&a.effect);
            first.then_with(|| a.code.word().cmp(b.code.word())).then_with(|| a.about.cmp(&b.about))
        });
        let verdict = reasons.first().map_or(Verdict::Allow, |reason| reason.effect.into());
        Self { verdict, reasons, innocents, system }
    }

    fn of_bad(bad: Bad) -> Self {
        let about = bad.about();
        let reason = Reason::new(Code::Text(bad), about, "RFC 1035, RFC 5890");
        let innocents = Innocents { at_least: 0, at_most: None, method: Method::NotCounted };
        Self { verdict: Verdict::Refuse, reasons: vec![reason], innocents, system: None }
    }
}

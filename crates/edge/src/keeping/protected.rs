//! What this ISP never blocks, whoever asks.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;
use shield::Item;
use shield::item::Name;

use super::Value;

/// The most rules.
pub const MAX_PROTECTED: usize = 1_000_000;

/// The longest reason, in characters.
pub const MAX_WHY: usize = 120;

/// A list: `name` protects that name alone, `*.name` that name and all below it; an address protects
/// itself and its ports, a network (`198.51.100.0/24`) all in it. After `#` stands why: whoever asks for
/// what is protected is told so, and whoever comes after knows who may take the rule away.
#[derive(Debug, Clone, Default)]
pub struct Protected {
    names: HashMap<Box<str>, Why>,
    below: HashMap<Box<str>, Why>,
    nets: HashMap<IpNet, Why>,
    /// The prefixes that stand among them, so that each is looked for once: 162 at the most.
    lengths: BTreeSet<(bool, u8)>,
}

/// The reason that stands with a rule, if one does.
type Why = Option<Box<str>>;

/// Why a rule is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProtectedError {
    /// What stands there is neither a name nor a network.
    #[error("{rule:?} protects nothing ({why}): write `name`, `*.name`, an address or a network")]
    Rule {
        /// The rule as given.
        rule: String,
        /// What is wrong.
        why: String,
    },
    /// More than are taken.
    #[error("{0} rules, and {MAX_PROTECTED} are the most")]
    Many(usize),
}

impl Protected {
    /// Reads rules. After `*.` a single label may stand, too: `*.example` protects a whole top level.
    ///
    /// # Errors
    /// One is no rule: a rule that protects nothing would be believed in.
    pub fn new<S: AsRef<str>>(rules: &[S]) -> Result<Self, ProtectedError> {
        if rules.len() > MAX_PROTECTED {
            return Err(ProtectedError::Many(rules.len()));
        }
        let mut list = Self::default();
        for rule in rules {
            let rule = rule.as_ref();
            let (rule, why) = rule.split_once('#').unwrap_or((rule, ""));
            let (rule, why) = (rule.trim(), why.trim());
            let odd = |why: &dyn std::fmt::Display| ProtectedError::Rule {
                rule: rule.chars().take(300).collect(),
                why: why.to_string(),
            };
            if why.chars().count() > MAX_WHY || why.chars().any(char::is_control) {
                return Err(odd(&format!("its reason is no line of at most {MAX_WHY} characters")));
            }
            let why = (!why.is_empty()).then(|| why.into());
            if let Some(net) = network(rule) {
                let net = net.map_err(|why| odd(&why))?;
                list.lengths.insert((net.addr().is_ipv4(), net.prefix_len()));
                list.nets.insert(net, why);
            } else if let Some(below) = rule.strip_prefix("*.") {
                // With a label before it: what is asked is whether it is the end of a name.
                let name = Name::parse(&format!("x.{below}")).map_err(|e| odd(&e))?;
                let below = name.as_str().strip_prefix("x.").unwrap_or_default();
                list.below.insert(below.into(), why);
            } else {
                let name = Name::parse(rule).map_err(|e| odd(&e))?;
                list.names.insert(name.as_str().into(), why);
            }
        }
        Ok(list)
    }

    /// The rule under which an item is protected, if it is, with the reason that stands with it.
    pub fn rule(&self, item: &Item) -> Option<String> {
        match item {
            Item::Name(name) => self.rule_of_name(name.as_str()),
            Item::Address(ip) => self.rule_of_address(*ip),
            Item::Endpoint(at) => self.rule_of_address(at.ip()),
        }
    }

    /// Whether a value that is kept is protected.
    pub(super) fn protects(&self, value: &Value) -> bool {
        match value {
            Value::Name(name) => self.rule_of_name(&name.to_string()),
            Value::Address(ip) => self.rule_of_address(*ip),
            Value::Endpoint(at) => self.rule_of_address(at.ip()),
        }
        .is_some()
    }

    /// Whether all that `other` protects is protected here, too.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let below = |name: &str| above(name).any(|name| self.below.contains_key(name));
        let net = |net: &IpNet| self.nets.keys().any(|mine| mine.contains(net));
        other.names.keys().all(|name| self.names.contains_key(name) || below(name))
            && other.below.keys().all(|name| below(name))
            && other.nets.keys().all(|one| self.nets.contains_key(one) || net(one))
    }

    fn rule_of_name(&self, name: &str) -> Option<String> {
        if let Some(why) = self.names.get(name) {
            return Some(with(name.to_owned(), why));
        }
        above(name).find_map(|name| Some(with(format!("*.{name}"), self.below.get(name)?)))
    }

    fn rule_of_address(&self, ip: IpAddr) -> Option<String> {
        let mut lengths = self.lengths.iter().filter(|(is_v4, _)| *is_v4 == ip.is_ipv4());
        lengths.find_map(|(_, length)| {
            let net = IpNet::new(ip, *length).ok()?.trunc();
            Some(with(net.to_string(), self.nets.get(&net)?))
        })
    }

    /// How many rules say why they are there.
    pub fn explained(&self) -> usize {
        let all = self.names.values().chain(self.below.values()).chain(self.nets.values());
        all.filter(|why| why.is_some()).count()
    }

    /// How many rules there are.
    pub fn len(&self) -> usize {
        self.names.len() + self.below.len() + self.nets.len()
    }

    /// Whether nothing is protected.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A name and those above it.
fn above(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, above)| above))
}

fn with(rule: String, why: &Why) -> String {
    match why {
        Some(why) => format!("{rule} ({why})"),
        None => rule,
    }
}

/// A rule as a network, where it is meant as one. Bits behind the prefix are a slip of the pen: a rule that
/// protects other addresses than it names would be believed in.
fn network(rule: &str) -> Option<Result<IpNet, String>> {
    if let Ok(ip) = rule.parse::<IpAddr>() {
        return Some(Ok(IpNet::from(ip)));
    }
    let (head, _) = rule.split_once('/')?;
    head.parse::<IpAddr>().ok()?;
    Some(match rule.parse::<IpNet>() {
        Ok(net) if net.trunc() == net => Ok(net),
        Ok(net) => Err(format!("its network is {}", net.trunc())),
        Err(_) => Err("no network".to_owned()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_protects_what_it_says_and_nothing_beside() {
        let rules = ["isp.example", "*.bank.example", "*.gov", "*.MÜNCHEN.example"];
        let list = Protected::new(&rules).unwrap();
        let rule = |name: &str| list.rule(&Item::parse(name).unwrap());
        assert_eq!(rule("isp.example").as_deref(), Some("isp.example"));
        assert_eq!(rule("bank.example").as_deref(), Some("*.bank.example"));
        assert_eq!(rule("a.b.bank.example").as_deref(), Some("*.bank.example"));
        assert_eq!(rule("tax.gov").as_deref(), Some("*.gov"));
        assert_eq!(rule("a.xn--mnchen-3ya.example").as_deref(), Some("*.xn--mnchen-3ya.example"));
        for open in ["www.isp.example", "mybank.example", "bank.example.net", "gov.example"] {
            assert_eq!(rule(open), None, "{open}");
        }
        for none in
            ["", "*", "*.", "a b.example", "*.*.example", "198.51.100.7:80", "*.198.51.100.7"]
        {
            assert!(Protected::new(&[none]).is_err(), "{none:?}");
        }
    }

    #[test]
    fn a_rule_says_why_it_is_there() {
        let long = format!("tv.example # {}", "w".repeat(MAX_WHY));
        let rules = [
            "*.isp.example # our portal, #1 for customers",
            "198.51.100.0/24#office",
            &long,
            "open.example #",
        ];
        let list = Protected::new(&rules).unwrap();
        let rule = |text: &str| list.rule(&Item::parse(text).unwrap()).unwrap();
        assert_eq!(rule("www.isp.example"), "*.isp.example (our portal, #1 for customers)");
        assert_eq!(rule("198.51.100.9:443"), "198.51.100.0/24 (office)");
        assert_eq!(rule("open.example"), "open.example");
        assert_eq!((list.len(), list.explained()), (4, 3));
        for bad in [&format!("{long}w"), "tv.example # a\u{7}b", "# nothing"] {
            assert!(Protected::new(&[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_list_covers_another_where_nothing_of_that_one_is_open() {
        let list = |rules: &[&str]| Protected::new(rules).unwrap();
        let wide = list(&["*.isp.example", "bank.example", "198.51.100.0/24"]);
        for other in [
            &["*.isp.example"][..],
            &["www.isp.example", "*.a.isp.example", "bank.example # ours"],
            &["198.51.100.7", "198.51.100.128/25"],
            &[],
        ] {
            assert!(wide.covers(&list(other)), "{other:?}");
        }
        for other in ["*.bank.example", "tv.example", "*.example", "198.51.0.0/16", "2001:db8::/32"]
        {
            assert!(!wide.covers(&list(&[other])), "{other}");
        }
        let kept = |text: &str| wide.protects(&Value::Name(text.parse().unwrap()));
        assert!(kept("a.isp.example") && kept("bank.example") && !kept("www.bank.example"));
        assert!(wide.protects(&Value::Endpoint(([198, 51, 100, 7], 443).into())));
    }

    #[test]
    fn a_network_protects_all_in_it_and_their_ports() {
        let rules = ["198.51.100.0/24", "203.0.113.9", "2001:db8:7::/48", "198.18.0.0/15"];
        let list = Protected::new(&rules).unwrap();
        assert_eq!(list.len(), 4);
        let rule = |text: &str| list.rule(&Item::parse(text).unwrap());
        for (text, by) in [
            ("198.51.100.0", "198.51.100.0/24"),
            ("198.51.100.255:443", "198.51.100.0/24"),
            ("203.0.113.9", "203.0.113.9/32"),
            ("203.0.113.9:1", "203.0.113.9/32"),
            ("2001:db8:7:ffff::1", "2001:db8:7::/48"),
            ("[2001:db8:7::]:80", "2001:db8:7::/48"),
            ("198.19.255.255", "198.18.0.0/15"),
        ] {
            assert_eq!(rule(text).as_deref(), Some(by), "{text}");
        }
        for open in ["198.51.101.0", "203.0.113.8", "2001:db8:8::", "198.20.0.0", "tv.example"] {
            assert_eq!(rule(open), None, "{open}");
        }
        for (none, why) in [
            ("198.51.100.7/24", "198.51.100.0/24"),
            ("198.51.100.0/33", "no network"),
            ("2001:db8::/129", "no network"),
            ("198.51.100.0/", "no network"),
        ] {
            let error = Protected::new(&[none]).unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}

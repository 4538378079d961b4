//! Hosts as an authorisation names them, and hosts as requests ask for them.

use std::fmt;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;

use ipnet::IpNet;
use model::suffix::RESERVED;

use crate::special::{canonical, is_within_special};

/// Longest text of a rule.
pub const MAX_RULE: usize = 300;
/// The widest ranges of addresses that an authorisation may name: a larger one names nobody.
const WIDEST: (u8, u8) = (8, 16);
/// The ports where a rule states none.
const USUAL: [u16; 2] = [80, 443];

/// Whom a request is for: a name, or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name in ASCII and small letters, without a dot behind it.
    Name(String),
    /// An address.
    Address(IpAddr),
}

impl Host {
    /// Reads a name or an address (IPv6 with or without brackets).
    ///
    /// # Errors
    /// What is neither.
    pub fn parse(text: &str) -> Result<Self, HostError> {
        let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(Self::Address(canonical(address)));
        }
        match url::Host::parse(text) {
            Ok(url::Host::Domain(name)) => {
                let name = name.strip_suffix('.').unwrap_or(&name);
                if is_name(name) { Ok(Self::Name(name.to_owned())) } else { Err(HostError::Name) }
            }
            // `0x7f.1` and the like are addresses to a browser, and so to whoever follows a link.
            Ok(url::Host::Ipv4(address)) => Ok(Self::Address(address.into())),
            Ok(url::Host::Ipv6(address)) => Ok(Self::Address(canonical(address.into()))),
            Err(_) => Err(HostError::Name),
        }
    }

    /// The host of a URL.
    pub fn of_url(url: &url::Url) -> Option<Self> {
        Self::parse(url.host_str()?).ok()
    }

    /// As it stands in a URL.
    pub fn in_url(&self) -> String {
        match self {
            Self::Address(IpAddr::V6(address)) => format!("[{address}]"),
            other => other.to_string(),
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::Address(address) => write!(f, "{address}"),
        }
    }
}

/// A name that DNS can be asked for: labels of 1 to 63 bytes, at most 253 in all.
fn is_name(name: &str) -> bool {
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_".contains(&b))
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// Why a text names no host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostError {
    /// Neither a name nor an address.
    #[error("neither a host's name nor an address")]
    Name,
    /// `*` elsewhere than before a dot at the beginning.
    #[error("`*` stands for names below another and nothing else: `*.example.com`")]
    Star,
    /// Everything below a public suffix.
    #[error("everything below a public suffix: name a registrable name")]
    Suffix,
    /// A range that begins elsewhere than its length says.
    #[error("a range that has bits beyond its length: write its first address")]
    Bits,
    /// A range so wide that it names nobody.
    #[error("a range wider than /{} of IPv4 or /{} of IPv6 names nobody", WIDEST.0, WIDEST.1)]
    Wide,
    /// No ports.
    #[error("no port, range of ports or `*` behind the colon (`:8080`, `:8000-8099`, `:*`)")]
    Port,
    /// Too long.
    #[error("more than {MAX_RULE} bytes")]
    Long,
}

/// What an authorisation says of hosts: one line of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostRule {
    /// Which hosts.
    pub hosts: Hosts,
    /// Which of their ports.
    pub ports: Ports,
}

/// Which hosts a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hosts {
    /// This name and no other.
    Name(String),
    /// Every name below this one, at any depth; not the name itself.
    Below(String),
    /// Addresses.
    Range(IpNet),
}

/// Which ports a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ports {
    /// 80 and 443.
    Usual,
    /// From one to another.
    Range(RangeInclusive<u16>),
}

impl Ports {
    /// True where the port is one of them.
    pub fn contain(&self, port: u16) -> bool {
        match self {
            Self::Usual => USUAL.contains(&port),
            Self::Range(range) => range.contains(&port),
        }
    }
}

impl HostRule {
    /// True where the rule is about that host, whatever the port.
    pub fn names(&self, host: &Host) -> bool {
        match (&self.hosts, host) {
            (Hosts::Name(own), Host::Name(name)) => own == name,
            (Hosts::Below(own), Host::Name(name)) => {
                name.strip_suffix(own.as_str()).is_some_and(|rest| rest.ends_with('.'))
            }
            (Hosts::Range(range), Host::Address(address)) => range.contains(&canonical(*address)),
            _ => false,
        }
    }

    /// True where the rule names a special range itself.
    pub fn is_special(&self) -> bool {
        matches!(&self.hosts, Hosts::Range(range) if is_within_special(range))
    }

    /// True where the rule names a special range itself, and the address is in it.
    pub fn names_special(&self, address: IpAddr, port: u16) -> bool {
        let Hosts::Range(range) = &self.hosts else { return false };
        is_within_special(range) && range.contains(&canonical(address)) && self.ports.contain(port)
    }
}

/// Reads `name`, `*.name`, an address or a range, each with `:port`, `:first-last` or `:*` behind it;
/// an IPv6 address or range that has ports stands in brackets.
impl FromStr for HostRule {
    type Err = HostError;

    fn from_str(text: &str) -> Result<Self, HostError> {
        if text.len() > MAX_RULE {
            return Err(HostError::Long);
        }
        let (hosts, ports) = if let Some(rest) = text.strip_prefix('[') {
            let (inside, behind) = rest.split_once(']').ok_or(HostError::Name)?;
            // `[2001:db8::]/32:80` and `[2001:db8::/32]:80` are both read.
            let (length, ports) = match behind.split_once(':') {
                Some((length, ports)) => (length, Some(ports)),
                None => (behind, None),
            };
            (format!("{inside}{length}"), ports)
        } else {
            match text.split_once(':') {
                // More than one colon and no brackets: an address of IPv6 without ports.
                Some((_, rest)) if rest.contains(':') => (text.to_owned(), None),
                Some((hosts, ports)) => (hosts.to_owned(), Some(ports)),
                None => (text.to_owned(), None),
            }
        };
        let ports = match ports {
            None => Ports::Usual,
            Some("*") => Ports::Range(1..=u16::MAX),
            Some(text) => {
                let (first, last) = text.split_once('-').unwrap_or((text, text));
                let port = |t: &str| {
                    let digits = t.bytes().all(|b| b.is_ascii_digit());
                    t.parse().ok().filter(|p| digits && *p > 0).ok_or(HostError::Port)
                };
                let (first, last): (u16, u16) = (port(first)?, port(last)?);
                if first > last {
                    return Err(HostError::Port);
                }
                Ports::Range(first..=last)
            }
        };
        Ok(Self { hosts: Hosts::parse(&hosts)?, ports })
    }
}

impl Hosts {
    fn parse(text: &str) -> Result<Self, HostError> {
        if text.contains('/') {
            let range: IpNet = text.parse().map_err(|_| HostError::Name)?;
            return Self::of_range(range);
        }
        if let Some(name) = text.strip_prefix("*.") {
            return match Host::parse(name)? {
                Host::Name(name) if name.contains('*') => Err(HostError::Star),
                // Below `.example` and the others of RFC 6761 is nobody.
                Host::Name(name)
                    if model::suffix::public_suffix(&name) == Some(name.as_str())
                        && !RESERVED.contains(&name.as_str()) =>
                {
                    Err(HostError::Suffix)
                }
                Host::Name(name) => Ok(Self::Below(name)),
                Host::Address(_) => Err(HostError::Star),
            };
        }
        if text.contains('*') {
            return Err(HostError::Star);
        }
        match Host::parse(text)? {
            Host::Name(name) => Ok(Self::Name(name)),
            Host::Address(address) => Self::of_range(address.into()),
        }
    }

    fn of_range(range: IpNet) -> Result<Self, HostError> {
        let least = if range.addr().is_ipv4() { WIDEST.0 } else { WIDEST.1 };
        if range.addr() != range.network() {
            return Err(HostError::Bits);
        }
        // IPv4 written as IPv6 would be held against addresses that are never written so.
        if range.prefix_len() < least || canonical(range.addr()) != range.addr() {
            return Err(HostError::Wide);
        }
        Ok(Self::Range(range))
    }
}

/// As it is read again.
impl fmt::Display for HostRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hosts {
            Hosts::Name(name) => f.write_str(name)?,
            Hosts::Below(name) => write!(f, "*.{name}")?,
            Hosts::Range(range) => {
                let whole = range.prefix_len() == range.max_prefix_len();
                let text = if whole { range.addr().to_string() } else { range.to_string() };
                match (range, &self.ports) {
                    (IpNet::V6(_), Ports::Range(_)) => write!(f, "[{text}]")?,
                    _ => f.write_str(&text)?,
                }
            }
        }
        match &self.ports {
            Ports::Usual => Ok(()),
            Ports::Range(range) if *range == (1..=u16::MAX) => f.write_str(":*"),
            Ports::Range(range) if range.start() == range.end() => write!(f, ":{}", range.start()),
            Ports::Range(range) => write!(f, ":{}-{}", range.start(), range.end()),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn host(text: &str) -> Host {
        Host::parse(text).unwrap()
    }

    #[test]
    fn rules_are_read_and_written_alike() {
        for text in [
            "tv.example",
            "*.tv.example:*",
            "*.example",
            "198.18.0.0/15:8000-8099",
            "198.18.0.7:8080",
            "198.18.0.7",
            "2001:db8::7",
            "[2001:db8::7]:443",
            "[2001:db8::/32]:*",
            "2001:db8::/32",
        ] {
            assert_eq!(text.parse::<HostRule>().unwrap().to_string(), text);
        }
        let same: HostRule = "[2001:db8::]/32:80".parse().unwrap();
        assert_eq!(same.to_string(), "[2001:db8::/32]:80");
        assert_eq!(
            "Bücher.Example.".parse::<HostRule>().unwrap().to_string(),
            "xn--bcher-kva.example"
        );
        for (text, error) in [
            ("", HostError::Name),
            ("a b", HostError::Name),
            ("*.com", HostError::Suffix),
            ("*.co.uk", HostError::Suffix),
            ("*", HostError::Star),
            ("*.*.example", HostError::Name),
            ("a.*.example", HostError::Star),
            ("0.0.0.0/0", HostError::Wide),
            ("::/0", HostError::Wide),
            ("10.0.0.1/8", HostError::Bits),
            ("tv.example:", HostError::Port),
            ("tv.example:0", HostError::Port),
            ("tv.example:9-8", HostError::Port),
            ("tv.example:+80", HostError::Port),
            ("tv.example:65536", HostError::Port),
        ] {
            let found = text.parse::<HostRule>();
            assert!(found == Err(error) || (found.is_err() && error == HostError::Name), "{text}");
        }
    }

    #[test]
    fn a_rule_is_about_its_hosts_and_no_others() {
        let names = |rule: &str, of: &str| rule.parse::<HostRule>().unwrap().names(&host(of));
        assert!(names("tv.example", "TV.example."));
        assert!(!names("tv.example", "a.tv.example"));
        assert!(names("*.tv.example", "a.b.tv.example"));
        assert!(!names("*.tv.example", "tv.example"));
        assert!(!names("*.tv.example", "nottv.example"));
        assert!(names("198.18.0.0/15", "198.19.1.1") && names("198.18.0.7", "::ffff:198.18.0.7"));
        assert!(!names("198.18.0.0/15", "tv.example"));
        // As browsers read them.
        assert_eq!(host("0x7f.1"), Host::Address([127, 0, 0, 1].into()));
        assert_eq!(host("2130706433"), Host::Address([127, 0, 0, 1].into()));
    }

    proptest! {
        #[test]
        fn any_text_is_survived_and_what_is_read_is_written_alike(text in "\\PC{0,40}") {
            let _ = Host::parse(&text);
            if let Ok(rule) = text.parse::<HostRule>() {
                let written = rule.to_string();
                prop_assert_eq!(written.parse::<HostRule>(), Ok(rule));
            }
        }

        #[test]
        fn what_looks_like_a_rule(text in "[*a-c1-9.:/\\[\\]-]{0,16}") {
            if let Ok(rule) = text.parse::<HostRule>() {
                let written = rule.to_string();
                prop_assert_eq!(written.parse::<HostRule>(), Ok(rule));
            }
        }
    }
}

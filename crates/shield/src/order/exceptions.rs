//! What must not be blocked, beyond what the check knows: proposed by one, approved by another.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::ops::Bound;
use std::str::FromStr;

use super::words::{Moment, Organisation, Person};
use crate::item::{Item, Name, ancestors};

/// What an exception covers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cover {
    /// One name.
    Name(Name),
    /// A name and all below it: what Piracy Shield's exact list could not say of Google Drive.
    Below(Name),
    /// A network, by its first address and the length of its prefix: each address in it, each port.
    Network(Network),
    /// An autonomous system, by its number: each address in it, as the check placed the address.
    System(u32),
}

/// A network whose address has no bit beyond the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Network {
    first: IpAddr,
    length: u8,
}

/// The shortest prefix an exception may have: wider would except half the internet by a slip.
pub const SHORTEST_V4: u8 = 8;
/// The same of IPv6.
pub const SHORTEST_V6: u8 = 20;

impl Network {
    /// The network of `length` bits that `ip` lies in. `None` where there is no such length.
    pub fn of(ip: IpAddr, length: u8) -> Option<Self> {
        let first = match ip {
            IpAddr::V4(v4) => {
                let mask = u32::MAX.checked_shl(32_u32.checked_sub(length.into())?).unwrap_or(0);
                IpAddr::V4((u32::from(v4) & mask).into())
            }
            IpAddr::V6(v6) => {
                let mask = u128::MAX.checked_shl(128_u32.checked_sub(length.into())?).unwrap_or(0);
                IpAddr::V6((u128::from(v6) & mask).into())
            }
        };
        Some(Self { first, length })
    }

    /// True where an exception may be so wide.
    pub(super) fn narrow_enough(self) -> bool {
        self.length >= if self.first.is_ipv4() { SHORTEST_V4 } else { SHORTEST_V6 }
    }
}

impl fmt::Display for Cover {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Below(name) => write!(f, "*.{name}"),
            Self::Network(network) => write!(f, "{}/{}", network.first, network.length),
            Self::System(number) => write!(f, "AS{number}"),
        }
    }
}

/// Why a text is no [`Cover`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "write a name, *. and a name for it with all below it, a network such as 203.0.113.0/24, or an autonomous \
     system such as AS64500"
)]
pub struct NoCover;

impl FromStr for Cover {
    type Err = NoCover;

    fn from_str(text: &str) -> Result<Self, NoCover> {
        let text = text.trim();
        if let Some(below) = text.strip_prefix("*.") {
            return Name::parse(below).map(Self::Below).map_err(|_| NoCover);
        }
        if let Some(number) = system(text) {
            return number.map(Self::System).ok_or(NoCover);
        }
        if let Some((ip, length)) = text.split_once('/') {
            let (ip, length) = (ip.parse::<IpAddr>(), length.parse::<u8>());
            let network = ip.ok().zip(length.ok()).and_then(|(ip, length)| Network::of(ip, length));
            return network.map(Self::Network).ok_or(NoCover);
        }
        match Item::parse(text) {
            Ok(Item::Name(name)) => Ok(Self::Name(name)),
            Ok(Item::Address(ip)) => {
                let length = if ip.is_ipv4() { 32 } else { 128 };
                Network::of(ip, length).map(Self::Network).ok_or(NoCover)
            }
            _ => Err(NoCover),
        }
    }
}

/// The number after `AS`; `None` where the text is of no such form, `Some(None)` where no system has the number:
/// 0 and the last one are nobody's (RFC 7607, 7300).
fn system(text: &str) -> Option<Option<u32>> {
    let (head, digits) = text.split_at_checked(2)?;
    let is = head.eq_ignore_ascii_case("as")
        && !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit());
    is.then(|| digits.parse().ok().filter(|number| (1..u32::MAX).contains(number)))
}

impl serde::Serialize for Cover {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Cover {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = <String as serde::Deserialize>::deserialize(from)?;
        let cover = text.parse::<Self>().map_err(serde::de::Error::custom)?;
        // Only the writing that `Display` makes.
        let same = cover.to_string() == text;
        if same { Ok(cover) } else { Err(serde::de::Error::custom(NoCover)) }
    }
}

/// An exception, proposed or approved.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exception {
    /// Who proposed it.
    pub person: Person,
    /// For whom.
    pub organisation: Organisation,
    /// Until when it holds.
    pub until: Option<Moment>,
    /// True once a second person approved it: only then it does anything.
    pub approved: bool,
}

/// The most exceptions. More belong into a set that the check reads.
pub const MAX_EXCEPTIONS: usize = 100_000;

/// The most of one organisation that wait for a second person.
pub const MAX_PROPOSED: usize = 1_000;

/// Exceptions by what they cover.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Exceptions(pub(super) BTreeMap<Cover, Exception>);

impl Exceptions {
    /// The exception of exactly this cover.
    pub fn get(&self, cover: &Cover) -> Option<&Exception> {
        self.0.get(cover)
    }

    /// How many of an organisation wait for a second person.
    pub(super) fn waiting(&self, of: &Organisation) -> usize {
        self.0.values().filter(|one| !one.approved && one.organisation == *of).count()
    }

    /// Every one.
    pub fn iter(&self) -> impl Iterator<Item = (&Cover, &Exception)> {
        self.0.iter()
    }

    /// Those after one, by what they cover; all of them where none is named.
    pub fn after(&self, after: Option<&Cover>) -> impl Iterator<Item = (&Cover, &Exception)> {
        let from = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.0.range::<Cover, _>((from, Bound::Unbounded))
    }

    /// The approved exception that covers a value now, the narrowest where there are several. In which autonomous
    /// system an address lies, who asks says: the check knows it. A value has at most 254 covers, each looked up
    /// by itself.
    pub fn of(
        &self,
        value: &Item,
        system: Option<u32>,
        now: Moment,
    ) -> Option<(&Cover, &Exception)> {
        let of_system = system.filter(|_| value.address().is_some()).map(Cover::System);
        covers_of(value).chain(of_system).find_map(|cover| {
            let (cover, exception) = self.0.get_key_value(&cover)?;
            let holds = exception.until.is_none_or(|until| now < until);
            (exception.approved && holds).then_some((cover, exception))
        })
    }
}

/// Whatever could cover a value, the narrowest first.
fn covers_of(value: &Item) -> Box<dyn Iterator<Item = Cover> + '_> {
    match value {
        Item::Name(name) => {
            let above = ancestors(name.as_str()).filter_map(|name| Name::parse(name).ok());
            Box::new(std::iter::once(Cover::Name(name.clone())).chain(above.map(Cover::Below)))
        }
        Item::Address(_) | Item::Endpoint(_) => {
            let ip = value.address();
            let lengths = ip.map(|ip| if ip.is_ipv4() { 32 } else { 128 });
            let networks = (0..=lengths.unwrap_or(0)).rev();
            let network = move |length| Network::of(ip?, length).map(Cover::Network);
            Box::new(networks.filter_map(network))
        }
    }
}

impl Cover {
    /// True where it covers the value, of which an address lies in this autonomous system, as far as is known.
    pub fn covers(&self, value: &Item, system: Option<u32>) -> bool {
        match (self, value) {
            (Self::Name(name), Item::Name(value)) => name == value,
            (Self::Below(name), Item::Name(value)) => {
                let rest = value.as_str().strip_suffix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            (Self::Network(network), _) => {
                value.address().and_then(|ip| Network::of(ip, network.length)) == Some(*network)
            }
            (Self::System(number), _) => value.address().is_some() && system == Some(*number),
            _ => false,
        }
    }
}

//! What can be kept.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use shield::Item;
use shield::item::{Special, special};
use shield_dns::Fqdn;

/// One value, as those who block it take it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// An exact name, as zones hold it.
    Name(Fqdn),
    /// One address, all its ports.
    Address(IpAddr),
    /// One port of one address.
    Endpoint(SocketAddr),
}

impl Value {
    /// The address, where it is not a name.
    pub fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Name(_) => None,
            Self::Address(ip) => Some(*ip),
            Self::Endpoint(at) => Some(at.ip()),
        }
    }

    /// The same as an item, where it is not a name.
    pub(crate) fn item(&self) -> Option<Item> {
        match self {
            Self::Name(_) => None,
            Self::Address(ip) => Some(Item::Address(*ip)),
            Self::Endpoint(at) => Some(Item::Endpoint(*at)),
        }
    }
}

impl fmt::Display for Value {
    /// As frames have it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.fmt(f),
            Self::Address(ip) => ip.fmt(f),
            Self::Endpoint(at) => at.fmt(f),
        }
    }
}

/// Whether addresses are kept beside names, and which.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Addresses {
    /// None: nothing here could block one.
    #[default]
    No,
    /// Hosts' own addresses on the internet.
    Public,
    /// Those for documentation (RFC 5737, RFC 3849) and benchmarks (RFC 2544) too: on a practice range.
    Practice,
}

impl Addresses {
    /// Why an address is none of these; none where it is.
    pub(super) fn refuse(self, address: IpAddr) -> Option<Special> {
        special(address).filter(|found| !(self == Self::Practice && found.is_practice()))
    }
}

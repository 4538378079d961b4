//! Addresses that belong to no host of the internet, or stand for another's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Why an address is nobody's on the internet (IANA's registries of special-purpose addresses, RFC
/// 6890), or hides another address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Special {
    /// `0.0.0.0/8` and `::`: this host, this network.
    Unspecified,
    /// `127.0.0.0/8` and `::1`.
    Loopback,
    /// RFC 1918, and unique local addresses (RFC 4193).
    Private,
    /// `100.64.0.0/10`: behind a carrier's translation (RFC 6598).
    CarrierNat,
    /// `169.254.0.0/16` and `fe80::/10`.
    LinkLocal,
    /// For documentation (RFC 5737, 3849, 9637).
    Documentation,
    /// For measuring devices (RFC 2544, 5180). The practice range lives there too.
    Benchmark,
    /// Multicast.
    Multicast,
    /// Protocol assignments, `240.0.0.0/4`, broadcast, and whatever lies outside `2000::/3`.
    Reserved,
    /// `::ffff:0:0/96`: an IPv4 address in IPv6 clothes (RFC 4291, 2.5.5.2).
    Mapped,
    /// `64:ff9b::/96` and `64:ff9b:1::/48`: an IPv4 address behind a translator (RFC 6052, 8215).
    Nat64,
    /// `2002::/16` and the relay's `192.88.99.0/24` (RFC 3056, 7526).
    SixToFour,
    /// `2001::/32` (RFC 4380).
    Teredo,
}

impl Special {
    /// The reason's name, for JSON and catalogues.
    pub fn word(self) -> &'static str {
        match self {
            Self::Unspecified => "unspecified",
            Self::Loopback => "loopback",
            Self::Private => "private",
            Self::CarrierNat => "carrier_nat",
            Self::LinkLocal => "link_local",
            Self::Documentation => "documentation",
            Self::Benchmark => "benchmark",
            Self::Multicast => "multicast",
            Self::Reserved => "reserved_address",
            Self::Mapped => "mapped",
            Self::Nat64 => "nat64",
            Self::SixToFour => "six_to_four",
            Self::Teredo => "teredo",
        }
    }

    /// Every word.
    pub const ALL: [Self; 13] = [
        Self::Unspecified,
        Self::Loopback,
        Self::Private,
        Self::CarrierNat,
        Self::LinkLocal,
        Self::Documentation,
        Self::Benchmark,
        Self::Multicast,
        Self::Reserved,
        Self::Mapped,
        Self::Nat64,
        Self::SixToFour,
        Self::Teredo,
    ];

    /// True for the ranges that the practice range uses, and nobody else.
    pub fn is_practice(self) -> bool {
        matches!(self, Self::Documentation | Self::Benchmark)
    }
}

/// What an address is, where it is no host's own on the internet.
pub fn special(ip: IpAddr) -> Option<Special> {
    match ip {
        IpAddr::V4(ip) => special_v4(ip),
        IpAddr::V6(ip) => special_v6(ip),
    }
}

fn special_v4(ip: Ipv4Addr) -> Option<Special> {
    Some(match ip.octets() {
        [0, ..] => Special::Unspecified,
        [127, ..] => Special::Loopback,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => Special::Private,
        [100, 64..=127, ..] => Special::CarrierNat,
        [169, 254, ..] => Special::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => Special::Documentation,
        [198, 18 | 19, ..] => Special::Benchmark,
        [192, 88, 99, _] => Special::SixToFour,
        [192, 0, 0, _] => Special::Reserved,
        [224..=239, ..] => Special::Multicast,
        [240..=255, ..] => Special::Reserved,
        _ => return None,
    })
}

fn special_v6(ip: Ipv6Addr) -> Option<Special> {
    Some(match ip.segments() {
        [0, 0, 0, 0, 0, 0, 0, 0] => Special::Unspecified,
        [0, 0, 0, 0, 0, 0, 0, 1] => Special::Loopback,
        [0, 0, 0, 0, 0, 0xffff, ..] => Special::Mapped,
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] => Special::Nat64,
        [0x2002, ..] => Special::SixToFour,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0x0fff, ..] => Special::Documentation,
        [0x2001, 2, 0, ..] => Special::Benchmark,
        [0x2001, 0, ..] => Special::Teredo,
        // Protocol assignments: `2001::/23`.
        [0x2001, 0x01..=0x1ff, ..] => Special::Reserved,
        [0xfc00..=0xfdff, ..] => Special::Private,
        [0xfe80..=0xfebf, ..] => Special::LinkLocal,
        [0xff00..=0xffff, ..] => Special::Multicast,
        // Only `2000::/3` is given out.
        [0x2000..=0x3fff, ..] => return None,
        _ => Special::Reserved,
    })
}

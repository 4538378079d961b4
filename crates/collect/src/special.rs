//! Addresses that are not of the public Internet (IANA's special-purpose registries).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, len: u8) -> IpNet {
    IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, 0), len))
}

const fn v6(a: u16, b: u16, len: u8) -> IpNet {
    IpNet::V6(Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), len))
}

/// The ranges, each with what it is for. Beside the private ones stand those that carry an IPv4 address
/// inside an IPv6 one: what is behind them is another address than the one that would be checked.
const SPECIAL: &[(IpNet, &str)] = &[
    (v4(0, 0, 0, 8), "of this network"),
    (v4(10, 0, 0, 8), "private"),
    (v4(100, 64, 0, 10), "shared behind a carrier's NAT"),
    (v4(127, 0, 0, 8), "loopback"),
    (v4(169, 254, 0, 16), "link-local"),
    (v4(172, 16, 0, 12), "private"),
    (v4(192, 0, 0, 24), "for protocols"),
    (v4(192, 0, 2, 24), "for documentation"),
    (v4(192, 88, 99, 24), "a 6to4 relay"),
    (v4(192, 168, 0, 16), "private"),
    (v4(198, 18, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 24), "for documentation"),
    (v4(203, 0, 113, 24), "for documentation"),
    (v4(224, 0, 0, 4), "multicast"),
    (v4(240, 0, 0, 4), "reserved"),
    // Unspecified, loopback, IPv4-compatible.
    (v6(0, 0, 96), "loopback or unspecified"),
    (v6(0x64, 0xff9b, 32), "a translated IPv4 address"),
    (v6(0x100, 0, 64), "discarded"),
    (v6(0x2001, 0, 23), "for protocols"),
    (v6(0x2001, 0xdb8, 32), "for documentation"),
    (v6(0x2002, 0, 16), "6to4"),
    (v6(0x3fff, 0, 20), "for documentation"),
    (v6(0x5f00, 0, 16), "for segment routing"),
    (v6(0xfc00, 0, 7), "private"),
    (v6(0xfe80, 0, 10), "link-local"),
    (v6(0xfec0, 0, 10), "site-local"),
    (v6(0xff00, 0, 8), "multicast"),
];

/// The address that is really meant: IPv4 written as IPv6 is IPv4.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What a special address is for; `None` for one of the public Internet.
pub fn special(address: IpAddr) -> Option<&'static str> {
    let address = canonical(address);
    SPECIAL.iter().find(|(range, _)| range.contains(&address)).map(|(_, what)| *what)
}

/// True where all of a range lies within one special range: then it names that range, and does not
/// merely happen to reach over it.
pub fn is_within_special(range: &IpNet) -> bool {
    SPECIAL.iter().any(|(special, _)| special.contains(range))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn special_addresses_are_told_in_every_writing() {
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.31.255.255",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2001::1",
            "fc00::1",
            "fdff::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(special(text.parse().unwrap()).is_some(), "{text}");
        }
        for text in ["1.1.1.1", "100.63.255.255", "172.32.0.1", "198.20.0.1", "223.255.255.255"] {
            assert_eq!(special(text.parse().unwrap()), None, "{text}");
        }
        for text in ["2a00:1450::1", "2606:4700::1111", "2001:4860::1", "::ffff:1.1.1.1"] {
            assert_eq!(special(text.parse().unwrap()), None, "{text}");
        }
    }

    #[test]
    fn a_wide_range_names_no_special_one() {
        for (text, within) in
            [("127.0.0.0/8", true), ("127.0.0.1/32", true), ("96.0.0.0/3", false), ("::/0", false)]
        {
            assert_eq!(is_within_special(&text.parse().unwrap()), within, "{text}");
        }
    }
}

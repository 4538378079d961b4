//! The practice range's addresses: who announces what, where.
//!
//! Addresses come from 198.18.0.0/15 and 3fff::/20 alone, AS numbers from those reserved for
//! documentation (64496–64511, 65536–65551). 198.18.0.0/16 and 3fff:0::/32 on hold servers, 198.19.0.0/16 and
//! 3fff:8xx::/32 subscribers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::rng::mix;

/// A network: an AS in a country with its ranges.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Network {
    pub(crate) asn: u32,
    pub(crate) country: &'static str,
    pub(crate) name: &'static str,
    /// First /24 below 198.18.0.0/15 (0..512), and how many.
    block: (u16, u16),
}

macro_rules! networks {
    ($($asn:literal $country:literal $name:literal $first:literal + $count:literal;)*) => {
        &[$(Network { asn: $asn, country: $country, name: $name, block: ($first, $count) }),*]
    };
}

/// Networks that rent servers. RO, NL and HK first: most servers stand there.
pub(crate) const HOSTING: &[Network] = networks! {
    64496 "RO" "Practice Hosting Carpathia" 0 + 40;
    64497 "NL" "Practice Hosting Polder" 40 + 48;
    64498 "HK" "Practice Hosting Harbour" 88 + 24;
    64499 "BG" "Practice Hosting Rila" 112 + 16;
    64500 "DE" "Practice Hosting Spree" 128 + 16;
    64501 "FR" "Practice Hosting Loire" 144 + 16;
    64502 "GB" "Practice Hosting Severn" 160 + 12;
    64503 "SE" "Practice Hosting Vattern" 172 + 8;
    64504 "CH" "Practice Hosting Aare" 180 + 8;
    64505 "MD" "Practice Hosting Nistru" 188 + 8;
    64506 "UA" "Practice Hosting Dnipro" 196 + 8;
    64507 "LT" "Practice Hosting Neris" 204 + 8;
    64508 "CZ" "Practice Hosting Vltava" 212 + 8;
    64509 "SG" "Practice Hosting Straits" 220 + 8;
    64510 "CA" "Practice Hosting Ottawa" 228 + 8;
    64511 "SC" "Practice Hosting Mahe" 236 + 8;
    65536 "LU" "Practice Hosting Alzette" 244 + 6;
    65537 "PL" "Practice Hosting Warta" 250 + 6;
};

/// Networks that people watch from.
pub(crate) const HOMES: &[Network] = networks! {
    65538 "IT" "Practice Telecom Tevere" 256 + 48;
    65539 "FR" "Practice Telecom Seine" 304 + 40;
    65540 "DE" "Practice Telecom Elbe" 344 + 32;
    65541 "ES" "Practice Telecom Ebro" 376 + 32;
    65542 "GB" "Practice Telecom Trent" 408 + 28;
    65543 "NL" "Practice Telecom Maas" 436 + 12;
    65544 "BE" "Practice Telecom Schelde" 448 + 12;
    65545 "CH" "Practice Telecom Rhone" 460 + 8;
    65546 "AT" "Practice Telecom Inn" 468 + 8;
    65547 "PT" "Practice Telecom Douro" 476 + 8;
    65548 "GR" "Practice Telecom Pinios" 484 + 8;
    65549 "RO" "Practice Telecom Olt" 492 + 8;
    65550 "MT" "Practice Telecom Gozo" 500 + 6;
    65551 "TN" "Practice Telecom Medjerda" 506 + 6;
};

/// Subscribers of one home network that have an IPv6 address.
const V6_A_NETWORK: u32 = 1 << 16;
/// Addresses below 198.18.0.0/15.
pub(crate) const V4: usize = 1 << 17;
/// IPv6 addresses that subscribers may have.
pub(crate) const V6: usize = 14 << 16;

fn v4(index: u32) -> Ipv4Addr {
    Ipv4Addr::from(0xc612_0000 + index)
}

/// The number of an address below 198.18.0.0/15.
pub(crate) fn v4_index(ip: Ipv4Addr) -> Option<usize> {
    let n = u32::from(ip).checked_sub(0xc612_0000)? as usize;
    (n < V4).then_some(n)
}

/// The address of a number below [`V4`].
pub(crate) fn v4_at(n: usize) -> IpAddr {
    v4(n as u32).into()
}

/// The address of a number below [`V6`].
pub(crate) fn v6_at(n: usize) -> IpAddr {
    let (network, n) = (n / V6_A_NETWORK as usize, n % V6_A_NETWORK as usize);
    Ipv6Addr::new(0x3fff, 0x800 + network as u16, n as u16, 0, 0, 0, 0, 1).into()
}

impl Network {
    /// IPv4 address `n` of the network, .1 to .254 of each /24; wraps around.
    pub(crate) fn v4(&self, n: u32) -> Ipv4Addr {
        let n = n % (u32::from(self.block.1) * 254);
        v4((u32::from(self.block.0) + n / 254) * 256 + 1 + n % 254)
    }

    /// How many IPv4 addresses it has.
    pub(crate) fn v4_count(&self) -> u32 {
        u32::from(self.block.1) * 254
    }

    /// IPv6 address `n` of a hosting network.
    pub(crate) fn v6(&self, n: u32) -> Ipv6Addr {
        let place = HOSTING.iter().position(|h| h.asn == self.asn).unwrap_or(0) as u16;
        Ipv6Addr::new(0x3fff, place, (n >> 16) as u16, n as u16, 0, 0, 0, 0x10)
    }
}

/// A subscriber's address: network and number.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home {
    pub(crate) network: usize,
    pub(crate) ip: IpAddr,
    /// The number among IPv6 subscribers' addresses; `None` for IPv4.
    pub(crate) v6: Option<usize>,
}

/// The home of a subscriber by a random number: about 4 of 100 have IPv6. Countries weigh as the
/// sizes of their networks.
pub(crate) fn home(random: u64) -> Home {
    let random = mix(random);
    let place = (random % 65_536) as u32 + 65_536;
    let block = (place / 256) as u16;
    let network =
        HOMES.iter().position(|n| block >= n.block.0 && block < n.block.0 + n.block.1).unwrap_or(0);
    if (random >> 20) % 100 < 4 {
        let n = (random >> 32) as u32 % V6_A_NETWORK;
        let ip = Ipv6Addr::new(0x3fff, 0x800 + network as u16, n as u16, 0, 0, 0, 0, 1);
        let index = network * V6_A_NETWORK as usize + n as usize;
        return Home { network, ip: ip.into(), v6: Some(index) };
    }
    let ip = HOMES[network].v4((random >> 32) as u32);
    Home { network, ip: ip.into(), v6: None }
}

/// The country of an address of the range.
pub(crate) fn country(ip: IpAddr) -> &'static str {
    match ip {
        IpAddr::V4(ip) => {
            let block = v4_index(ip).map_or(u16::MAX, |n| (n / 256) as u16);
            HOSTING
                .iter()
                .chain(HOMES)
                .find(|n| block >= n.block.0 && block < n.block.0 + n.block.1)
                .map_or("ZZ", |n| n.country)
        }
        IpAddr::V6(ip) => {
            let [_, second, ..] = ip.segments();
            if second >= 0x800 {
                HOMES.get(usize::from(second - 0x800)).map_or("ZZ", |n| n.country)
            } else {
                HOSTING.get(usize::from(second)).map_or("ZZ", |n| n.country)
            }
        }
    }
}

/// `practice-net.csv`: every range with its AS and country.
pub(crate) fn table() -> String {
    let mut text = String::from("first,last,asn,name,country\n");
    for (i, n) in HOSTING.iter().chain(HOMES).enumerate() {
        let first = u32::from(n.block.0) * 256;
        let last = first + u32::from(n.block.1) * 256 - 1;
        text.push_str(&format!("{},{},{},{},{}\n", v4(first), v4(last), n.asn, n.name, n.country));
        let second = if i < HOSTING.len() { i } else { 0x800 + i - HOSTING.len() };
        text.push_str(&format!(
            "3fff:{second:x}::,3fff:{second:x}:ffff:ffff:ffff:ffff:ffff:ffff,{},{},{}\n",
            n.asn, n.name, n.country
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_lie_side_by_side() {
        let mut next = 0;
        for n in HOSTING.iter().chain(HOMES) {
            assert_eq!(n.block.0, next, "{}", n.name);
            next += n.block.1;
            assert!((64_496..=64_511).contains(&n.asn) || (65_536..=65_551).contains(&n.asn));
        }
        assert_eq!(next, 512);
        assert_eq!(table().lines().count(), 65);
    }

    #[test]
    fn homes_know_their_country() {
        for n in 0..20_000 {
            let home = home(n);
            assert_eq!(country(home.ip), HOMES[home.network].country);
            assert_eq!(home.v6.is_some(), home.ip.is_ipv6());
        }
        assert_eq!(country(HOSTING[1].v4(70_000).into()), "NL");
        assert_eq!(country(HOSTING[2].v6(9).into()), "HK");
    }

    #[test]
    fn the_table_says_the_same() {
        let rows: Vec<(IpAddr, IpAddr, String)> = table()
            .lines()
            .skip(1)
            .map(|line| {
                let fields: Vec<&str> = line.split(',').collect();
                let ip = |i: usize| fields[i].parse().expect("an address");
                (ip(0), ip(1), fields[4].to_owned())
            })
            .collect();
        for n in 0..3000u32 {
            let hosting = &HOSTING[n as usize % HOSTING.len()];
            for ip in [hosting.v4(n * 77).into(), hosting.v6(n).into(), home(u64::from(n)).ip] {
                let found: Vec<_> = rows
                    .iter()
                    .filter(|(a, b, _)| a.is_ipv4() == IpAddr::is_ipv4(&ip) && *a <= ip && ip <= *b)
                    .collect();
                assert_eq!(found.len(), 1, "{ip}");
                assert_eq!(found[0].2, country(ip), "{ip}");
            }
        }
    }
}

//! A match night: who streams test pictures, which innocents stand beside them, and which ISPs there are.
//!
//! [`Night::new`] is pure: the same seed and number of ISPs give the same names and addresses. `range-net`
//! gives them life in network namespaces. Names end in `.example`, addresses are of 198.18.0.0/15 and 2001:db8::/32, and
//! what is streamed is a test picture ([`playlist`], [`segment`]).

mod channel;
mod picture;
mod transport;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::rng::Rng;

pub use channel::{WINDOW, playlist, segment};

/// The most ISPs of a night.
pub const MAX_ISPS: u8 = 8;
/// The length of the prefix that everybody but subscribers stands in.
pub const PREFIX: u8 = 16;
/// Where the night's names are answered for.
pub const NAMES: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 53);
/// The place of the clearing house.
pub const HOUSE: Ipv4Addr = Ipv4Addr::new(198, 18, 0, 2);
/// The same by IPv6.
pub const HOUSE6: Ipv6Addr = six(0x18, 0, 2);
/// The length of the IPv6 prefix that everybody but subscribers stands in.
pub const PREFIX6: u8 = 48;
/// The name of that place.
pub const HOUSE_NAME: &str = "clearing.authority.example";

/// What stands behind a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// A stream of test pictures at `/live.m3u8`, of that channel; a page at its root.
    Stream(u64),
    /// Pages, and nothing else.
    Page,
}

/// A name, and what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The name.
    pub name: String,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its IPv6 address, for documentation (RFC 3849); none on a machine without.
    pub address6: Option<Ipv6Addr>,
    /// What stands there.
    pub content: Content,
    /// What it is, in a few words.
    pub about: &'static str,
    /// True where it stands on the night's list of popular names.
    pub popular: bool,
}

impl Site {
    /// True where that is its address.
    pub fn is_at(&self, address: IpAddr) -> bool {
        address == IpAddr::from(self.address)
            || self.address6.is_some_and(|own| address == IpAddr::from(own))
    }

    /// What is asked for to see it.
    pub fn url(&self) -> String {
        let path = if matches!(self.content, Content::Stream(_)) { "live.m3u8" } else { "" };
        format!("http://{}/{path}", self.name)
    }
}

/// Which resolver an ISP runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolver {
    /// NLnet Labs' Unbound.
    Unbound,
    /// ISC's BIND.
    Bind,
}

impl Resolver {
    /// As its makers write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unbound => "Unbound",
            Self::Bind => "BIND",
        }
    }
}

/// An ISP with one subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Isp {
    /// `isp-1`, …
    pub name: String,
    /// Its subscriber's place: `home-1`, …
    pub home: String,
    /// What it runs.
    pub resolver: Resolver,
    /// Its address on the night's internet.
    pub address: Ipv4Addr,
    /// The same by IPv6; a subscriber's IPv6 address is in 2001:db8:19:N::/64.
    pub address6: Ipv6Addr,
    /// Its address towards subscribers, where its resolver answers too.
    pub inside: Ipv4Addr,
    /// The same by IPv6.
    pub inside6: Ipv6Addr,
    /// Its subscriber's address; both are in one /24.
    pub subscriber: Ipv4Addr,
    /// The same by IPv6; both are in one /64.
    pub subscriber6: Ipv6Addr,
}

/// A night.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Night {
    /// What it was made of.
    pub seed: u64,
    /// The match.
    pub event: String,
    /// All sites; the first is a stream on an address of its own.
    pub sites: Vec<Site>,
    /// The ISPs, Unbound and BIND in turn.
    pub isps: Vec<Isp>,
}

/// The words that names are made of: nobody's.
const CLUBS: &[&str] =
    &["Alvora", "Brenno", "Castelmare", "Dornach", "Estrela", "Fiumara", "Galder", "Harwick"];
const STREAMS: &[&str] = &[
    "golvia",
    "retelunga",
    "tribunix",
    "kurvatv",
    "sportavo",
    "liberoplay",
    "calcioro",
    "matchora",
];
const SHOPS: &[&str] =
    &["bakery", "florist", "choir", "dentist", "bicycles", "bookshop", "allotments", "school"];
const TOWNS: &[&str] =
    &["altena", "bellmar", "corvino", "dunmore", "elvas", "fontane", "grimsey", "holmby"];

impl Night {
    /// A night with so many ISPs, from 1 to [`MAX_ISPS`]; numbers beyond are brought within.
    pub fn new(seed: u64, isps: u8) -> Self {
        let mut rng = Rng::named(seed, "match night");
        let home = rng.index(CLUBS.len());
        let guest = home + 1 + rng.index(CLUBS.len() - 1);
        let event = format!("{} – {}", pick(CLUBS, home), pick(CLUBS, guest));
        let first = rng.index(STREAMS.len());
        let channel = rng.below(90) + 1;
        let mut sites = Vec::new();
        let mut site = |name: String, last: u8, content, about, popular| {
            // Written with the same digits.
            let address6 = Some(six(0x18, 1, u16::from(last / 10 * 16 + last % 10)));
            sites.push(Site {
                name,
                address: Ipv4Addr::new(198, 18, 1, last),
                address6,
                content,
                about,
                popular,
            });
        };
        let stream = |n: usize| pick(STREAMS, first + n);
        // One on an address of its own; its parent is somebody's honest page elsewhere.
        site(
            format!("live.{}.example", stream(0)),
            10,
            Content::Stream(channel),
            "on its own address",
            false,
        );
        // One on an address that it shares with innocents, and one that two names lead to.
        site(
            format!("tv.{}.example", stream(1)),
            20,
            Content::Stream(channel + 1),
            "on a shared address",
            false,
        );
        site(
            format!("{}.example", stream(2)),
            30,
            Content::Stream(channel + 2),
            "on its own address",
            false,
        );
        site(
            format!("m.{}.example", stream(2)),
            30,
            Content::Stream(channel + 2),
            "the same by another name",
            false,
        );
        site(
            format!("{}.example", stream(0)),
            11,
            Content::Page,
            "the parent of a stream's name",
            false,
        );
        let (shop, town) = (rng.index(SHOPS.len()), rng.index(TOWNS.len()));
        let innocent =
            |n: usize| format!("{}.{}.example", pick(SHOPS, shop + n), pick(TOWNS, town + n));
        for n in 0..3 {
            site(innocent(n), 20, Content::Page, "on the shared address", false);
        }
        site(innocent(3), 9, Content::Page, "at the next address to a stream", false);
        site(innocent(4), 31, Content::Page, "at the next address to a stream", false);
        site("news.example".to_owned(), 40, Content::Page, "popular", true);
        site("mail.example".to_owned(), 41, Content::Page, "popular", true);
        Self { seed, event, sites, isps: (1..=isps.clamp(1, MAX_ISPS)).map(isp).collect() }
    }

    /// The same night on a machine without IPv6.
    #[must_use]
    pub fn without_ipv6(mut self) -> Self {
        self.sites.iter_mut().for_each(|site| site.address6 = None);
        self
    }

    /// True where sites have IPv6 addresses.
    pub fn has_ipv6(&self) -> bool {
        self.sites.iter().any(|site| site.address6.is_some())
    }

    /// The streams.
    pub fn streams(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| matches!(site.content, Content::Stream(_)))
    }

    /// Everybody else.
    pub fn innocents(&self) -> impl Iterator<Item = &Site> {
        self.sites.iter().filter(|site| site.content == Content::Page)
    }

    /// The addresses of a name of the night, the clearing house's included.
    pub fn address(&self, name: &str) -> Option<(Ipv4Addr, Option<Ipv6Addr>)> {
        let name = name.to_ascii_lowercase();
        if name == HOUSE_NAME {
            return Some((HOUSE, self.has_ipv6().then_some(HOUSE6)));
        }
        self.sites.iter().find(|site| site.name == name).map(|site| (site.address, site.address6))
    }

    /// True where a name of the night is this one, or below it: then it is there, though it has no address.
    pub fn is_above(&self, name: &str) -> bool {
        let name = name.to_ascii_lowercase();
        let below = |other: &str| {
            other == name
                || name.is_empty()
                || other.strip_suffix(&name).is_some_and(|rest| rest.ends_with('.'))
        };
        below(HOUSE_NAME) || self.sites.iter().any(|site| below(&site.name))
    }

    /// What a server at an address shows to who asks for a name there: to who names nobody, or a stranger,
    /// what stands there alone, where something does.
    pub fn served(&self, address: IpAddr, host: &str) -> Option<&Site> {
        let host = host.to_ascii_lowercase();
        let here = || self.sites.iter().filter(move |site| site.is_at(address));
        let mut named = here().filter(|site| site.name == host);
        let alone =
            || here().next().filter(|first| here().all(|site| site.content == first.content));
        named.next().or_else(alone)
    }

    /// The addresses of the sites, each once.
    pub fn addresses(&self) -> Vec<IpAddr> {
        let both = |site: &Site| [Some(site.address.into()), site.address6.map(IpAddr::from)];
        let mut all: Vec<IpAddr> = self.sites.iter().flat_map(both).flatten().collect();
        all.sort_unstable();
        all.dedup();
        all
    }
}

/// `2001:db8:GROUP:NET::LAST`, for documentation.
const fn six(group: u16, net: u16, last: u16) -> Ipv6Addr {
    Ipv6Addr::new(0x2001, 0xdb8, group, net, 0, 0, 0, last)
}

fn pick(words: &'static [&'static str], n: usize) -> &'static str {
    words.get(n % words.len().max(1)).copied().unwrap_or("name")
}

fn isp(n: u8) -> Isp {
    Isp {
        name: format!("isp-{n}"),
        home: format!("home-{n}"),
        resolver: if n % 2 == 1 { Resolver::Unbound } else { Resolver::Bind },
        address: Ipv4Addr::new(198, 18, 16, n),
        address6: six(0x18, 0x16, n.into()),
        inside: Ipv4Addr::new(198, 19, n, 1),
        inside6: six(0x19, n.into(), 1),
        subscriber: Ipv4Addr::new(198, 19, n, 2),
        subscriber6: six(0x19, n.into(), 2),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_same_seed_is_the_same_night_and_nobody_real_is_in_it() {
        assert_eq!(Night::new(1, 2), Night::new(1, 2));
        assert_ne!(Night::new(1, 2).sites, Night::new(2, 2).sites);
        for seed in 0..500 {
            let night = Night::new(seed, 9);
            assert_eq!(night.isps.len(), usize::from(MAX_ISPS));
            let names: BTreeSet<_> = night.sites.iter().map(|site| &site.name).collect();
            assert_eq!(names.len(), night.sites.len(), "{names:?}");
            assert!(names.iter().all(|name| name.ends_with(".example")), "{names:?}");
            assert!(night.sites.iter().all(|site| site.address.octets()[..2] == [198, 18]));
            let (home, guest) = night.event.split_once(" – ").unwrap();
            assert_ne!(home, guest);
        }
    }

    #[test]
    fn a_stream_shares_its_address_with_innocents_and_another_has_its_own() {
        let night = Night::new(1, 1);
        let beside = |site: &Site| night.innocents().filter(|i| i.address == site.address).count();
        let counts: Vec<_> = night.streams().map(beside).collect();
        assert_eq!(counts, [0, 3, 0, 0]);
    }

    #[test]
    fn an_address_shows_what_stands_there_alone_to_who_names_nobody() {
        let night = Night::new(1, 1);
        let six = night.sites[0].address6.unwrap();
        assert_eq!(night.served(six.into(), ""), Some(&night.sites[0]));
        let (own, shared) = (&night.sites[0], &night.sites[1]);
        assert_eq!(night.served(own.address.into(), "stranger.example"), Some(own));
        assert_eq!(night.served(own.address.into(), ""), Some(own));
        assert_eq!(night.served(shared.address.into(), ""), None);
        assert_eq!(night.served(shared.address.into(), &shared.name.to_uppercase()), Some(shared));
        assert_eq!(night.served(Ipv4Addr::LOCALHOST.into(), &own.name), None);
    }

    #[test]
    fn names_above_are_there_without_an_address() {
        let night = Night::new(1, 1);
        let own = &night.sites[0];
        assert_eq!(night.address(&own.name), Some((own.address, own.address6)));
        assert_eq!(own.address6.map(|six| six.to_string()).as_deref(), Some("2001:db8:18:1::10"));
        assert_eq!(night.clone().without_ipv6().address(&own.name), Some((own.address, None)));
        assert_eq!(night.address("example"), None);
        assert!(
            night.is_above("example") && night.is_above("") && night.is_above("Authority.Example")
        );
        assert!(!night.is_above("xample") && !night.is_above("com"));
    }
}

//! Whom the check lets through and whom it protects, over lists of the field in one run.
//!
//! - D: names of the list that leaked from Piracy Shield whose suffix is a registry's and whose
//!   registrable domain is no popular one's. At least 85 of 100 names and of domains are allowed.
//! - H: names of that list under a popular registrable domain: none is allowed.
//! - I: popular names, alone, with `www.` and with a random label; the first, the last and a random
//!   address of each network of a CDN, a cloud or a firewall, also in IPv6 clothes: none is allowed.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use serde_json::Value;
use shield::harm::{Check, Verdict};
use shield::item::Name;
use shield::sets::{Class, Head, Match, Set, Sets, text};
use shield::suffixes::{Section, Suffixes};

/// The folder of real data; `None`, said aloud, where there is none.
fn shared() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("VIGIE_SHARED")?).join("data/blocking");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: {} is absent", folder.display());
    None
}

fn read(folder: &std::path::Path, file: &str) -> String {
    std::fs::read_to_string(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"))
}

/// The names of a list of popular domains. Single labels, like a heading that slipped in, are none.
fn popular(folder: &std::path::Path, file: &str) -> Vec<String> {
    let list: Value = serde_json::from_str(&read(folder, file)).expect("JSON");
    let names = list["list"].as_array().expect("a list").iter();
    names
        .map(|name| name.as_str().expect("a name").to_ascii_lowercase())
        .filter(|name| name.contains('.'))
        .collect()
}

fn set(name: &str, class: Class, members: impl Iterator<Item = String>) -> Set {
    let head = Head {
        name: name.to_owned(),
        class,
        source: "the field".to_owned(),
        date: jiff::civil::date(2026, 9, 1),
        matches: Match::Registrable,
    };
    let mut text = text::head(&head);
    members.for_each(|member| text.push_str(&(member + "\n")));
    text::read(&text, &Suffixes::default()).expect("a set")
}

/// A generator whose draws are the same in each run (splitmix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn label(&mut self) -> String {
        (0..10).map(|_| char::from(b'a' + (self.next() % 26) as u8)).collect()
    }
}

/// The first, the last and a random address of a network; of IPv4 also as IPv6 writes them.
fn addresses(network: &str, draw: &mut Draw) -> Vec<String> {
    let (ip, prefix) = network.split_once('/').unwrap_or((network, "128"));
    let prefix: u32 = prefix.parse().expect("a prefix");
    match ip.parse().expect("an address") {
        IpAddr::V4(ip) => {
            let host = u32::MAX.checked_shr(prefix).unwrap_or(0);
            let first = u32::from(ip) & !host;
            let three = [first, first | host, first | (draw.next() as u32 & host)];
            let each = three.map(Ipv4Addr::from);
            each.iter()
                .map(|v4| v4.to_string())
                .chain(each.iter().map(|v4| v4.to_ipv6_mapped().to_string()))
                .collect()
        }
        IpAddr::V6(ip) => {
            let host = u128::MAX.checked_shr(prefix).unwrap_or(0);
            let first = u128::from(ip) & !host;
            let random = u128::from(draw.next()) << 64 | u128::from(draw.next());
            [first, first | host, first | (random & host)]
                .map(|v6| Ipv6Addr::from(v6).to_string())
                .into()
        }
    }
}

#[test]
fn pirates_are_let_through_and_innocents_are_protected() {
    let Some(folder) = shared() else { return };
    let (top10k, top100k) =
        (popular(&folder, "popular/tranco10k.json"), popular(&folder, "popular/top100k.json"));
    let ranges: BTreeMap<String, BTreeMap<String, Vec<String>>> = {
        let mut all: Value =
            serde_json::from_str(&read(&folder, "ranges/cdncheck.json")).expect("JSON");
        let all = all.as_object_mut().expect("an object");
        all.retain(|kind, _| ["cdn", "cloud", "waf"].contains(&kind.as_str()));
        serde_json::from_value(Value::Object(all.clone())).expect("networks")
    };
    let networks =
        |kind: &str| ranges[kind].values().flatten().cloned().collect::<Vec<_>>().into_iter();
    let sets = Sets::new([
        set("tranco10k", Class::Popular, top10k.iter().cloned()),
        set("top100k", Class::Popular, top100k.iter().cloned()),
        set("cdn", Class::Cdn, networks("cdn")),
        set("cloud", Class::Cloud, networks("cloud")),
        set("waf", Class::Waf, networks("waf")),
    ]);
    let suffixes = Suffixes::default();
    let check = Check { sets: &sets, suffixes: &suffixes, places: None, practice: false };
    let allowed = |text: &str| check.text(text).1.verdict == Verdict::Allow;
    let domain = |name: &str| suffixes.registrable(name).unwrap_or(name).to_owned();

    let leaked = read(&folder, "piracy-shield/fqdns.txt");
    let leaked: BTreeSet<&str> = leaked.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let of = |list: &[String]| list.iter().map(|name| domain(name)).collect::<BTreeSet<_>>();
    let (in_10k, in_100k) = (of(&top10k), of(&top100k));

    let mut d: BTreeMap<String, (u32, u32)> = BTreeMap::new();
    let (mut h, mut h_allowed) = (0, Vec::new());
    for name in &leaked {
        let r = domain(name);
        if in_10k.contains(&r) {
            h += 1;
            h_allowed.extend(allowed(name).then_some(*name));
        }
        let icann = suffixes.suffix(name).is_some_and(|s| s.section == Section::Icann);
        if icann && !in_10k.contains(&r) && !in_100k.contains(&r) {
            let (names, passed) = d.entry(r).or_default();
            *names += 1;
            *passed += u32::from(allowed(name));
        }
    }
    let names: u32 = d.values().map(|(names, _)| names).sum();
    let passed: u32 = d.values().map(|(_, passed)| passed).sum();
    let domains = d.values().filter(|(names, passed)| names == passed).count();

    // A popular name that is itself on the leaked list, or above one that is, is nobody's proof.
    let spoken_for: BTreeSet<&str> = leaked
        .iter()
        .flat_map(|name| {
            std::iter::successors(Some(*name), |name| name.split_once('.').map(|(_, above)| above))
        })
        .collect();
    let mut draw = Draw(7);
    let (mut i, mut i_allowed) = (0, Vec::new());
    let mut innocent = |text: String| {
        i += 1;
        if allowed(&text) {
            i_allowed.push(text);
        }
    };
    for name in top10k.iter().chain(&top100k).collect::<BTreeSet<_>>() {
        if spoken_for.contains(name.as_str()) {
            continue;
        }
        innocent(name.clone());
        if suffixes.registrable(name).is_some() {
            innocent(format!("www.{name}"));
            innocent(format!("{}.{name}", draw.label()));
        }
    }
    for network in ["cdn", "cloud", "waf"].into_iter().flat_map(networks) {
        addresses(&network, &mut draw).into_iter().for_each(&mut innocent);
    }
    innocent("drive.usercontent.google.com".to_owned());
    innocent("188.114.97.7".to_owned());

    println!(
        "D: {passed} of {names} names and {domains} of {} domains allowed; H: {} of {h}; I: {} of {i}",
        d.len(),
        h_allowed.len(),
        i_allowed.len()
    );
    assert!(names > 30_000 && d.len() > 10_000 && h > 100 && i > 300_000, "the lists are whole");
    assert!(f64::from(passed) >= 0.85 * f64::from(names));
    assert!(domains * 100 >= 85 * d.len());
    assert_eq!(h_allowed, Vec::<&str>::new());
    assert_eq!(i_allowed, Vec::<String>::new());
}

/// Names of the leaked list are names: what is refused as text would be a fault of the reader.
#[test]
fn the_leaked_list_reads() {
    let Some(folder) = shared() else { return };
    let leaked = read(&folder, "piracy-shield/fqdns.txt");
    let bad: Vec<_> = leaked
        .lines()
        .filter(|line| !line.trim().is_empty())
        .filter_map(|line| Name::parse(line.trim()).err().map(|bad| (line, bad)))
        .collect();
    assert!(bad.len() < 20, "{bad:?}");
}

use std::collections::BTreeMap;

use super::*;

const DAY_MS: i64 = 86_400_000;
/// 2026-11-27.
const NOW: i64 = 1_795_737_600_000;

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn item(text: &str) -> Item {
    Item::parse(text).unwrap()
}

fn looked(name: &str, aliases: &[&str], addresses: &[&str]) -> Capture {
    let step = Step::Looked {
        at_ms: NOW,
        name: name.to_owned(),
        ask: collect::dns::Ask::A,
        resolver: "127.0.0.1:53".parse().unwrap(),
        code: None,
        aliases: aliases.iter().map(|name| (*name).to_owned()).collect(),
        addresses: addresses.iter().map(|ip| ip.parse().unwrap()).collect(),
        texts: Vec::new(),
        too_much: false,
        problem: None,
    };
    Capture {
        item: name.to_owned(),
        started_ms: NOW,
        ended_ms: NOW,
        steps: vec![step],
        refused: BTreeMap::new(),
        waited: false,
        warc: Vec::new(),
    }
}

#[test]
fn names_are_seen_on_their_addresses_and_behind_their_aliases() {
    let mut sight = Sight::default();
    sight.take(&looked("tv.shop.net", &["edge.cdn.org", "a.cdn.org"], &["198.18.0.7"]));
    sight.take(&Capture { ended_ms: NOW + DAY_MS, ..looked("b.pirate.org", &[], &["198.18.0.7"]) });
    let behind = sight.behind(&item("198.18.0.7:8080"));
    assert_eq!(behind.names, Some(vec![name("b.pirate.org"), name("tv.shop.net")]));
    assert_eq!(behind.date, Some(date_of(NOW + DAY_MS)));
    let behind = sight.behind(&item("edge.cdn.org"));
    assert_eq!((behind.aliases, behind.names), (vec![name("tv.shop.net")], None));
    assert_eq!(behind.date, Some(date_of(NOW)));
    // An alias is none of itself, and of what nobody captured nothing is known.
    assert_eq!(sight.behind(&item("tv.shop.net")), Behind::default());
    assert_eq!(sight.behind(&item("198.18.0.8")), Behind::default());
}

/// A certificate for `shop.example`, `*.club.example` and an address.
const SHOWN: &str = "\
    MIIBoTCCAUagAwIBAgIUbLaglLotKjVF+XbUv+Z1481inOUwCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBeDAgFw0yNjExMjcyMTIy\
    MjJaGA8yMTA5MDExNjIxMjIyMlowDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABI1LKKjqGc4e1F0U39+w\
    k+KCVhaEY7YWDMrvUXu5vGDynQGIEwGHr/aG56dFVJsQSLYc++pgsIYoQSX8xi+0nk6jgYMwgYAwHQYDVR0OBBYEFHaDED2AL3kp\
    wktZDuWPIuXvi/r6MB8GA1UdIwQYMBaAFHaDED2AL3kpwktZDuWPIuXvi/r6MA8GA1UdEwEB/wQFMAMBAf8wLQYDVR0RBCYwJIIM\
    c2hvcC5leGFtcGxlgg4qLmNsdWIuZXhhbXBsZYcExhIABzAKBggqhkjOPQQDAgNJADBGAiEA8+p/uwNHunGTvRwKsDi9t8eAalhm\
    ILbDH11HF9gntkYCIQDA+M5RkC4rJWBoR0kM52rt0UyJmxRA+E3I6ZFRhq0aYw==";

#[test]
fn the_certificate_that_an_address_shows_names_who_is_there() {
    let der = data_encoding::BASE64.decode(SHOWN.as_bytes()).unwrap();
    assert_eq!(names_in(&der), [name("shop.example"), name("club.example")]);
    assert_eq!(names_in(&der[..der.len() - 1]), []);
    let shown = collect::tls::Shown {
        version: "TLSv1.3".to_owned(),
        suite: String::new(),
        alpn: None,
        sni: None,
        chain: vec![der],
        validity: collect::tls::Validity::Unchecked,
        proven: true,
    };
    let asked = |address: &str, tls| Step::Asked {
        at_ms: NOW,
        took_ms: 1,
        role: collect::capture::Role::Address,
        uri: format!("https://{address}/"),
        address: format!("{address}:443").parse().unwrap(),
        host: None,
        tls,
        status: None,
        location: None,
        bytes: 0,
        body: None,
        form: collect::capture::Form::Other,
        end: collect::capture::End::Whole,
    };
    let mut sight = Sight::default();
    let steps = vec![asked("198.18.0.7", Some(Box::new(shown))), asked("198.18.0.8", None)];
    sight.take(&Capture { steps, ..looked("198.18.0.7", &[], &[]) });
    let names = sight.behind(&item("198.18.0.7")).names;
    assert_eq!(names, Some(vec![name("club.example"), name("shop.example")]));
    // Who looked and saw nobody has looked.
    assert_eq!(sight.behind(&item("198.18.0.8")).names, Some(Vec::new()));
}

/// However much is captured, so much is kept; and what was seen just now is not what is forgotten.
#[test]
fn what_is_kept_is_bounded() {
    let mut sight = Sight::default();
    let many: Vec<String> = (0..2 * MAX_NAMES).map(|n| format!("n{n}.shop.net")).collect();
    for name in &many {
        sight.take(&looked(name, &[], &["198.18.0.7"]));
    }
    assert_eq!(sight.behind(&item("198.18.0.7")).names.unwrap().len(), MAX_NAMES);
    for n in 0..u32::try_from(MAX_PAIRS).unwrap() * 3 {
        let ip = std::net::Ipv4Addr::from(0x0a00_0000 + n);
        sight.take_record(&name("tv.shop.net"), &[ip.into()], date_of(NOW));
    }
    assert!(sight.young.pairs <= MAX_PAIRS + 1 && sight.old.pairs <= MAX_PAIRS + 1);
    assert!(sight.behind(&item("198.18.0.7")).names.is_none(), "the oldest goes");
}

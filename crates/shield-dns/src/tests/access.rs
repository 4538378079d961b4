//! Who may.

use std::net::IpAddr;

use domain::base::Name;

use crate::access::{Access, AccessError, Asker, Client, Want};
use crate::tsig::{Algorithm, Key, KeyError};
use crate::zone::WireName;

fn key(name: &str, secret: u8) -> Key {
    Key::new(name, Algorithm::Sha256, &[secret; 32]).unwrap()
}

fn origin(text: &str) -> WireName {
    text.parse::<Name<Vec<u8>>>().unwrap()
}

#[test]
fn all_that_is_set_must_hold() {
    let base = || Client { name: "isp".to_owned(), ..Client::default() };
    let nets = || vec!["192.0.2.0/24".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
    let by_address = Client { addresses: nets(), ..base() };
    let by_key = Client { keys: vec![key("k", 1), key("next", 2)], ..base() };
    let by_both = Client { addresses: nets(), ..by_key.clone() };
    let by_tls = Client { tls_only: true, ..by_key.clone() };
    let one_zone = Client { zones: Some(vec![origin("HOT.rpz.test")]), ..by_key.clone() };
    let (hot, cold) = ("hot.rpz.test", "cold-0.rpz.test");
    let cases = [
        (&by_address, "192.0.2.7", None, false, hot, true),
        (&by_address, "::ffff:192.0.2.7", None, false, hot, true),
        (&by_address, "2001:db8::7", None, false, hot, true),
        (&by_address, "198.51.100.7", None, false, hot, false),
        (&by_address, "198.51.100.7", Some(key("k", 1)), true, hot, false),
        (&by_key, "198.51.100.7", Some(key("k", 1)), false, hot, true),
        (&by_key, "198.51.100.7", Some(key("next", 2)), false, hot, true),
        (&by_key, "198.51.100.7", Some(key("k", 3)), false, hot, false),
        (&by_key, "198.51.100.7", None, true, hot, false),
        (&by_both, "192.0.2.7", Some(key("k", 1)), false, hot, true),
        (&by_both, "192.0.2.7", None, false, hot, false),
        (&by_both, "198.51.100.7", Some(key("k", 1)), false, hot, false),
        (&by_tls, "192.0.2.7", Some(key("k", 1)), false, hot, false),
        (&by_tls, "192.0.2.7", Some(key("k", 1)), true, hot, true),
        (&one_zone, "192.0.2.7", Some(key("k", 1)), false, hot, true),
        (&one_zone, "192.0.2.7", Some(key("k", 1)), false, cold, false),
    ];
    for (n, (client, peer, key, tls, zone, may)) in cases.into_iter().enumerate() {
        let access = Access::new(vec![client.clone()]).unwrap();
        let asker = Asker { peer: peer.parse::<IpAddr>().unwrap(), tls, key };
        assert_eq!(access.client(&asker, &origin(zone), Want::Zone).is_some(), may, "case {n}");
    }
    let access = Access::new(vec![by_tls]).unwrap();
    let asker = Asker { peer: [192, 0, 2, 7].into(), tls: false, key: Some(key("k", 1)) };
    assert!(access.client(&asker, &origin(hot), Want::Serial).is_some(), "the serial is no secret");
}

#[test]
fn lists_that_let_everybody_in_are_refused() {
    let named = |name: &str| Client { name: name.to_owned(), ..Client::default() };
    assert_eq!(Access::new(vec![named("a")]).unwrap_err(), AccessError::Open("a".to_owned()));
    let with = |secret| Client { keys: vec![key("k", secret)], ..named("a") };
    assert!(Access::new(vec![with(1), with(1)]).is_ok());
    assert!(matches!(Access::new(vec![with(1), with(2)]), Err(AccessError::Twice(_))));
    let many = vec![with(1); crate::MAX_CLIENTS + 1];
    assert!(matches!(Access::new(many), Err(AccessError::Many(_))));
    assert_eq!(Key::new("k", Algorithm::Sha256, &[1; 15]).unwrap_err(), KeyError::Short(15));
    assert!(matches!(Key::new("a..b", Algorithm::Sha256, &[1; 16]), Err(KeyError::Name(_))));
    assert!(!format!("{:?}", key("k", 0x41)).contains("AAAA"), "secrets are not printed");
}

//! Buckets of tokens.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::super::quota::{Buckets, MAX_SOURCES, Payer, network};

fn payer(name: &str) -> Payer {
    Payer::Organisation(name.to_owned())
}

#[test]
fn a_minutes_worth_at_once_and_then_evenly() {
    let (mut buckets, now) = (Buckets::default(), Instant::now());
    let mut take = |ms: u64| buckets.take(payer("a"), 60, now + Duration::from_millis(ms));
    for _ in 0..60 {
        take(0).unwrap();
    }
    assert_eq!(take(0), Err(1));
    assert_eq!(take(999), Err(1));
    assert_eq!(take(1_000), Ok(()));
    assert_eq!(take(1_000), Err(1));
    // An hour of silence is a minute's worth, no more.
    for _ in 0..60 {
        take(3_600_000).unwrap();
    }
    assert!(take(3_600_000).is_err());
    // A clock that stands still or goes back gives nothing.
    assert!(take(0).is_err());
}

#[test]
fn who_has_little_is_told_how_long_to_wait() {
    let (mut buckets, now) = (Buckets::default(), Instant::now());
    let mut take = |s: u64| buckets.take(payer("a"), 1, now + Duration::from_secs(s));
    take(0).unwrap();
    assert_eq!(take(0), Err(60));
    assert_eq!(take(45), Err(15));
    take(60).unwrap();
}

#[test]
fn a_table_of_sources_has_a_bound_and_others_share_one_bucket() {
    let (mut buckets, now) = (Buckets::default(), Instant::now());
    let source = |n: u32| Payer::of_source(IpAddr::V4((0x0a00_0000 + n).into()));
    for n in 0..MAX_SOURCES as u32 {
        buckets.take(source(n), 2, now).unwrap();
    }
    let late = MAX_SOURCES as u32 + 1;
    buckets.take(source(late), 2, now).unwrap();
    buckets.take(source(late + 1), 2, now).unwrap();
    assert!(buckets.take(source(late + 2), 2, now).is_err(), "the shared one is spent");
    // Who was there keeps what is his, and so does an organisation.
    buckets.take(source(7), 2, now).unwrap();
    buckets.take(payer("fibre"), 2, now).unwrap();
    assert_eq!(buckets.len(), MAX_SOURCES + 2);
    // A minute later all are full again: nothing worth keeping is thrown away.
    let later = now + Duration::from_secs(61);
    buckets.take(source(late), 2, later).unwrap();
    assert!(buckets.len() <= 4, "{}", buckets.len());
}

#[test]
fn a_network_is_an_address_or_a_64() {
    let of = |text: &str| network(text.parse().unwrap()).to_string();
    assert_eq!(of("198.18.0.7"), "198.18.0.7");
    assert_eq!(of("::ffff:198.18.0.7"), "198.18.0.7");
    assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    assert_eq!(of("2001:db8:1:2:ffff::"), "2001:db8:1:2::");
}

//! Delays grow, end, and take no more room than they may.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use super::super::delays::Delays;
use super::super::{FREE_OF_NAME, FREE_OF_SOURCE, LONGEST_OF_NAME_S, LONGEST_OF_SOURCE_S};

fn source(n: u32) -> IpAddr {
    IpAddr::V4(Ipv4Addr::from(0xc612_0000 + n))
}

#[test]
fn a_names_delay_doubles_to_a_bound_and_ends() {
    let (mut delays, mut now) = (Delays::default(), Instant::now());
    let mut told = Vec::new();
    for n in 0..FREE_OF_NAME + 9 {
        // From elsewhere each time.
        assert_eq!(delays.wait(Some("ana"), source(n), now), None);
        delays.failed(Some("ana"), source(n), now);
        let wait = delays.wait(Some("ana"), source(9_999), now).unwrap_or(0);
        told.push(wait);
        now += Duration::from_secs(wait);
    }
    assert_eq!(told, [0, 0, 0, 1, 2, 4, 8, 16, 32, LONGEST_OF_NAME_S, 60, 60]);
    assert_eq!(delays.wait(Some("ben"), source(9_999), now), None);
    delays.succeeded("ana");
    delays.failed(Some("ana"), source(1), now);
    assert_eq!(delays.wait(Some("ana"), source(9_999), now), None);
}

#[test]
fn a_networks_delay_is_of_all_names_together() {
    let (mut delays, now) = (Delays::default(), Instant::now());
    for n in 0..FREE_OF_SOURCE {
        delays.failed(Some(&format!("n{n}")), source(1), now);
        assert_eq!(delays.wait(Some("another"), source(1), now), None);
    }
    delays.failed(Some("n"), source(1), now);
    assert_eq!(delays.wait(Some("another"), source(1), now), Some(1));
    assert_eq!(delays.wait(None, source(1), now), Some(1));
    assert_eq!(delays.wait(Some("another"), source(2), now), None);
    // A success says nothing of the other names that were tried from there.
    delays.succeeded("n");
    assert_eq!(delays.wait(Some("another"), source(1), now), Some(1));
    for _ in 0..40 {
        delays.failed(None, source(1), now);
    }
    assert_eq!(delays.wait(None, source(1), now), Some(LONGEST_OF_SOURCE_S));
    // An hour of quiet, and one failure is one again.
    let later = now + Duration::from_secs(3_601);
    assert_eq!(delays.wait(None, source(1), later), None);
    delays.failed(None, source(1), later);
    assert_eq!(delays.wait(None, source(1), later), None);
}

#[test]
fn the_tables_have_a_bound() {
    let (mut delays, now) = (Delays::default(), Instant::now());
    for n in 0..20_000 {
        delays.failed(Some(&format!("name{n}")), source(n), now);
    }
    let (names, sources) = delays.len();
    assert!(names <= 10_001 && sources <= 10_001, "{names} and {sources}");
    // Those beyond are held up together, and who was counted before is counted on.
    assert_eq!(delays.wait(Some("name19999"), source(5), now), Some(LONGEST_OF_NAME_S));
    assert_eq!(delays.wait(Some("name5"), source(5), now), None);
    let long = "x".repeat(1 << 20);
    delays.failed(Some(&long), source(5), now);
    let later = now + Duration::from_secs(3_600);
    delays.failed(Some("late"), source(5), later);
    assert!(delays.len().0 <= 3, "{:?}", delays.len());
}

//! How often strangers may write: objections cost a look outside and a reviewer's time, harm reports a probe's.
//!
//! Counted by network (an IPv4 address, an IPv6 /64), for the hour that runs, in memory alone: no address
//! is written anywhere, and the hour's end forgets all of them.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// The most looks for proofs of control that one network may ask for in an hour; no more objections are taken.
pub(crate) const OBJECTIONS: u32 = 10;
/// The most harm reports of one network in an hour.
pub(crate) const HARM: u32 = 20;
/// The most networks that are counted one by one; others share one count.
const MAX_NETWORKS: usize = 10_000;
/// An hour, in milliseconds.
const HOUR_MS: i64 = 3_600_000;

/// What somebody writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum What {
    /// An objection, with the text that shows it.
    Objection,
    /// A harm report.
    Harm,
}

impl What {
    fn most(self) -> u32 {
        match self {
            Self::Objection => OBJECTIONS,
            Self::Harm => HARM,
        }
    }
}

/// The counts of the hour that runs.
#[derive(Debug, Default)]
pub(crate) struct Limits(Mutex<Hour>);

#[derive(Debug, Default)]
struct Hour {
    number: i64,
    counts: HashMap<(What, Option<IpAddr>), u32>,
}

impl Limits {
    /// Counts one of a source; false where it had as many as it may already.
    pub(crate) fn take(&self, what: What, source: IpAddr, now_ms: i64) -> bool {
        let mut hour = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = now_ms.div_euclid(HOUR_MS);
        if hour.number != number {
            *hour = Hour { number, ..Hour::default() };
        }
        let network = Some(desk::access::network(source));
        let known = hour.counts.contains_key(&(what, network));
        let key = if known || hour.counts.len() < MAX_NETWORKS { network } else { None };
        let count = hour.counts.entry((what, key)).or_default();
        if *count >= what.most() {
            return false;
        }
        *count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, Ipv6Addr};

    use super::*;

    #[test]
    fn a_network_writes_so_often_an_hour_and_the_next_hour_again() {
        let limits = Limits::default();
        let of = |n: u16| IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, n));
        for n in 0..OBJECTIONS {
            assert!(limits.take(What::Objection, of(n as u16), 5));
        }
        // Another address of the same network is the same network.
        assert!(!limits.take(What::Objection, of(99), HOUR_MS - 1));
        assert!(limits.take(What::Harm, of(99), 5));
        assert!(limits.take(What::Objection, of(99), HOUR_MS));
    }

    #[test]
    fn more_networks_than_are_counted_share_one_count() {
        let limits = Limits::default();
        let of = |n: u32| IpAddr::V4(Ipv4Addr::from(n));
        let taken =
            (0..MAX_NETWORKS as u32 + 50).filter(|n| limits.take(What::Objection, of(*n), 0));
        assert_eq!(taken.count(), MAX_NETWORKS + OBJECTIONS as usize);
        assert!(limits.0.lock().unwrap().counts.len() <= MAX_NETWORKS + 2);
    }
}

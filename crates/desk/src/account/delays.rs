//! Who guesses waits: by name, so that nobody is guessed at for long, and by network, so that nobody
//! guesses at everybody. Unknown names are counted like others.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::access::network;

/// Failures by one name without a delay.
pub const FREE_OF_NAME: u32 = 3;
/// Failures from one network without a delay: many people can share one.
pub const FREE_OF_SOURCE: u32 = 10;
/// The longest delay of a name: short, since others can cause it.
pub const LONGEST_OF_NAME_S: u64 = 60;
/// The longest delay of a network.
pub const LONGEST_OF_SOURCE_S: u64 = 900;
/// Names, and networks, that are counted; those beyond share one count.
const MAX_COUNTED: usize = 10_000;
/// The longest name that is counted as itself.
const MAX_NAME: usize = 64;
/// Failures are forgotten after so long without one.
const FORGOTTEN: Duration = Duration::from_secs(3_600);

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Instant,
}

#[derive(Debug)]
struct Table<K> {
    of: HashMap<Option<K>, Failures>,
    free: u32,
    longest_s: u64,
}

impl<K: Hash + Eq> Table<K> {
    fn key(&self, key: K) -> Option<K> {
        let key = Some(key);
        // `None` is all those for whom there was no room.
        if self.of.contains_key(&key) || self.of.len() < MAX_COUNTED { key } else { None }
    }

    /// Whole seconds until the next try counts; 0 where it does at once.
    fn wait(&self, key: K, now: Instant) -> u64 {
        let Some(found) = self.of.get(&self.key(key)) else { return 0 };
        let over = found.count.saturating_sub(self.free);
        if over == 0 {
            return 0;
        }
        let delay = 1u64.checked_shl(over - 1).unwrap_or(u64::MAX).clamp(1, self.longest_s);
        let passed = now.saturating_duration_since(found.last);
        let left = Duration::from_secs(delay).saturating_sub(passed);
        left.as_secs() + u64::from(left.subsec_nanos() > 0)
    }

    fn failed(&mut self, key: K, now: Instant) {
        if self.of.len() >= MAX_COUNTED {
            let old = |at: Instant| now.saturating_duration_since(at) >= FORGOTTEN;
            self.of.retain(|_, found| !old(found.last));
        }
        let key = self.key(key);
        let found = self.of.entry(key).or_insert(Failures { count: 0, last: now });
        if now.saturating_duration_since(found.last) >= FORGOTTEN {
            found.count = 0;
        }
        found.count = found.count.saturating_add(1);
        found.last = now;
    }
}

/// The counts.
#[derive(Debug)]
pub(super) struct Delays {
    names: Table<String>,
    sources: Table<IpAddr>,
}

impl Default for Delays {
    fn default() -> Self {
        let (names, sources) = (HashMap::new(), HashMap::new());
        Self {
            names: Table { of: names, free: FREE_OF_NAME, longest_s: LONGEST_OF_NAME_S },
            sources: Table { of: sources, free: FREE_OF_SOURCE, longest_s: LONGEST_OF_SOURCE_S },
        }
    }
}

fn of_name(name: &str) -> String {
    name.chars().take(MAX_NAME).collect()
}

impl Delays {
    /// Whole seconds until a try counts, where it does not at once. Of a passkey no name is guessed at.
    pub(super) fn wait(&self, name: Option<&str>, source: IpAddr, now: Instant) -> Option<u64> {
        let of = name.map_or(0, |name| self.names.wait(of_name(name), now));
        let wait = of.max(self.sources.wait(network(source), now));
        (wait > 0).then_some(wait)
    }

    /// Counts a failure.
    pub(super) fn failed(&mut self, name: Option<&str>, source: IpAddr, now: Instant) {
        if let Some(name) = name {
            self.names.failed(of_name(name), now);
        }
        self.sources.failed(network(source), now);
    }

    /// Forgets the failures by a name. Those from a network stay: it may be guessing at others.
    pub(super) fn succeeded(&mut self, name: &str) {
        self.names.of.remove(&Some(of_name(name)));
    }

    /// Names and networks that are counted.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.names.of.len(), self.sources.of.len())
    }
}

//! Ceremonies that run: what was asked of whom, until it is answered once, or five minutes have passed.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::Hash;

use webauthn_rp::request::{FixedCapHashSet, InsertResult, TimedCeremony};
use webauthn_rp::response::SentChallenge;

/// The most that run for one network, or one session.
pub(super) const MAX_OF_ONE: usize = 64;
/// The most networks, or sessions, for which any run: 4 MB in all.
pub(super) const MAX_ASKING: usize = 1_024;

/// The ceremonies, by who asks.
#[derive(Debug)]
pub(super) struct Ceremonies<K, S> {
    of: HashMap<K, FixedCapHashSet<S>>,
}

impl<K, S> Default for Ceremonies<K, S> {
    fn default() -> Self {
        Self { of: HashMap::new() }
    }
}

impl<K: Eq + Hash, S: Borrow<SentChallenge> + Eq + Hash + TimedCeremony> Ceremonies<K, S> {
    /// Keeps one; `false` where as many run as can.
    pub(super) fn keep(&mut self, who: K, one: S) -> bool {
        if self.of.len() >= MAX_ASKING && !self.of.contains_key(&who) {
            self.of.retain(|_, running| {
                running.remove_expired_ceremonies();
                !running.is_empty()
            });
            if self.of.len() >= MAX_ASKING {
                return false;
            }
        }
        let running = self.of.entry(who).or_insert_with(|| FixedCapHashSet::new(MAX_OF_ONE));
        // Its capacity is what it has at least.
        if running.len() >= MAX_OF_ONE {
            running.remove_expired_ceremonies();
        }
        running.len() < MAX_OF_ONE && matches!(running.insert(one), InsertResult::Success)
    }

    /// Takes the one that a challenge belongs to: it is answered.
    pub(super) fn take(&mut self, who: &K, challenge: &SentChallenge) -> Option<S> {
        let running = self.of.get_mut(who)?;
        let found = running.take(challenge);
        if running.is_empty() {
            self.of.remove(who);
        }
        found
    }
}

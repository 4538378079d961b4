//! Ceremonies that run: what was asked of whom, until it is answered once, or five minutes have passed.

use std::collections::{HashMap, VecDeque};
use std::fmt::Debug;
use std::hash::Hash;
use std::time::Instant;

use webauthn_rp::request::TimedCeremony;
use webauthn_rp::response::SentChallenge;

/// The most that run for one network, or one session.
pub(super) const MAX_OF_ONE: usize = 64;
/// The most that run; the oldest gives way, so that many who ask and never answer shut nobody out for long. About
/// 2 MB.
pub(super) const MAX_RUNNING: usize = 8_192;

/// The ceremonies, by their challenges, and who asked for each.
#[derive(Debug)]
pub(super) struct Ceremonies<K, S> {
    of: HashMap<SentChallenge, (K, S)>,
    /// The oldest first; some may have been answered.
    order: VecDeque<SentChallenge>,
    asked: HashMap<K, usize>,
}

impl<K, S> Default for Ceremonies<K, S> {
    fn default() -> Self {
        Self { of: HashMap::new(), order: VecDeque::new(), asked: HashMap::new() }
    }
}

impl<K: Eq + Hash + Clone, S: TimedCeremony> Ceremonies<K, S> {
    /// Keeps one; `false` where as many run for who asks as can.
    pub(super) fn keep(&mut self, who: K, one: S) -> bool {
        let now = Instant::now();
        let gone = |(_, one): &(K, S)| one.expiration() <= now;
        // All last equally long, so that those that are over stand first.
        while let Some(first) = self.order.front().copied() {
            if self.of.get(&first).is_some_and(|running| !gone(running)) {
                break;
            }
            self.order.pop_front();
            self.forget(&first);
        }
        if self.asked.get(&who).is_some_and(|asked| *asked >= MAX_OF_ONE) {
            return false;
        }
        // Answered ones behind a first that is not: what stands in order is bounded too.
        if self.order.len() >= 2 * MAX_RUNNING {
            let of = &self.of;
            self.order.retain(|challenge| of.contains_key(challenge));
        }
        while self.of.len() >= MAX_RUNNING {
            let Some(oldest) = self.order.pop_front() else { break };
            self.forget(&oldest);
        }
        let challenge = one.sent_challenge();
        self.of.insert(challenge, (who.clone(), one));
        self.order.push_back(challenge);
        *self.asked.entry(who).or_insert(0) += 1;
        true
    }

    /// Takes the one that a challenge belongs to, where `may` says so of who asked: it is answered.
    pub(super) fn take(
        &mut self,
        challenge: &SentChallenge,
        may: impl Fn(&K) -> bool,
    ) -> Option<S> {
        self.of.get(challenge).filter(|(who, _)| may(who))?;
        self.forget(challenge)
    }

    fn forget(&mut self, challenge: &SentChallenge) -> Option<S> {
        let (who, one) = self.of.remove(challenge)?;
        if let Some(asked) = self.asked.get_mut(&who) {
            *asked = asked.saturating_sub(1);
            if *asked == 0 {
                self.asked.remove(&who);
            }
        }
        Some(one)
    }

    /// How many run, and for how many.
    #[cfg(test)]
    pub(super) fn len(&self) -> (usize, usize) {
        (self.of.len(), self.asked.len())
    }
}

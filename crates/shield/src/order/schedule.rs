//! What a probe has to capture next: a view over the state, with deadlines in place of timers.
//!
//! That a capture was taken and changed nothing is no step, so when the next one is due is not part of
//! the state. It is kept here, and made anew from the state after a start: then what is in force falls
//! due on its own grid, counted from its release, so that a start makes no rush. What an objection or harm
//! made due at once ([`State::owed`]) is due at once again.

use std::collections::{BTreeMap, BTreeSet};

use super::machine::Machine;
use super::policy::Policy;
use super::state::{Live, State};
use super::step::{Deed, Step};
use super::words::{ItemId, Moment};

/// Why an item is to be captured. Each has its own queue, so that neither waits for all of the other: what
/// was reported just now, and a thousand blocks whose hosts are slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// It has no evidence yet, or none that is fresh.
    Evidence,
    /// It is in force, or suspended: is it still there?
    Renewal,
}

impl Need {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Evidence, Self::Renewal];

    fn of(live: &Live) -> Self {
        if live.machine.in_force().is_some() { Self::Renewal } else { Self::Evidence }
    }
}

/// When each live item is to be captured next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Schedule {
    due: BTreeSet<(Need, Moment, ItemId)>,
    at: BTreeMap<ItemId, (Need, Moment)>,
    /// What is out and was asked for when it was due, and did not come: since when.
    late: BTreeSet<(Moment, ItemId)>,
    late_since: BTreeMap<ItemId, Moment>,
}

/// The most that [`Schedule::overdue`] counts.
pub const MAX_OVERDUE: usize = 100_000;

impl Schedule {
    /// The schedule after a start.
    pub fn new(state: &State, policy: &Policy, now: Moment) -> Self {
        let mut schedule = Self::default();
        for (id, live) in state.items() {
            schedule.set(id, Need::of(live), next(state, policy, id, live, now));
        }
        for id in state.owed() {
            schedule.at_once(state, id, now);
        }
        schedule
    }

    /// Follows a step, after the state did.
    pub fn follow(&mut self, state: &State, policy: &Policy, step: &Step) {
        match &step.deed {
            Deed::Submitted(ticket) => {
                for (id, live) in state.items_of(ticket.id) {
                    self.set(id, Need::of(live), next(state, policy, id, live, step.at));
                }
            }
            Deed::Turned { item, .. } => match state.item(*item) {
                Some(live) => {
                    self.set(*item, Need::of(live), next(state, policy, *item, live, step.at));
                }
                None => {
                    self.set(*item, Need::Renewal, None);
                    self.came(*item);
                }
            },
            Deed::RenewalAsked { ticket, .. } => {
                for (id, _) in state.items_of(*ticket) {
                    self.at_once(state, id, step.at);
                }
            }
            // What a stop halted is captured anew at once.
            Deed::Resumed { .. } => {
                let new = Self::new(state, policy, step.at);
                (self.due, self.at) = (new.due, new.at);
            }
            Deed::Objected { item, .. } => self.at_once(state, *item, step.at),
            Deed::HarmGrouped { value } => {
                for id in state.wanting(value) {
                    self.at_once(state, *id, step.at);
                }
            }
            _ => {}
        }
    }

    /// The items that are due for this need, the longest first, at most `most` of them. Each is then due
    /// again after a while: a capture that never comes is asked for again. What a stop halts waits for its
    /// end.
    pub fn take_due(
        &mut self,
        state: &State,
        policy: &Policy,
        now: Moment,
        need: Need,
        most: usize,
    ) -> Vec<(Moment, ItemId)> {
        let range = (need, Moment(i64::MIN), ItemId(0))..=(need, now, ItemId(u64::MAX));
        let due = self.due.range(range).take(most).map(|(_, at, id)| (*at, *id));
        let mut due: Vec<_> = due.collect();
        for (at, id) in &due {
            if need == Need::Renewal && !self.late_since.contains_key(id) {
                self.late_since.insert(*id, *at);
                self.late.insert((*at, *id));
            }
            self.set(*id, need, Some(now.plus(policy.capture_retry_ms.max(1))));
        }
        due.retain(|(_, id)| {
            let halted = state.is_halted(id.ticket());
            state.item(*id).is_some_and(|live| live.machine.in_force().is_some() || !halted)
        });
        due
    }

    /// An item was captured, whether or not that was a step: it is due again on its grid, and where it
    /// still waits for a capture that shows something, after a while.
    pub fn captured(&mut self, state: &State, policy: &Policy, id: ItemId, now: Moment) {
        self.came(id);
        let Some(live) = state.item(id) else { return self.set(id, Need::Renewal, None) };
        let next = next(state, policy, id, live, now);
        let again = now.plus(policy.capture_retry_ms.max(1));
        self.set(id, Need::of(live), next.map(|next| if next <= now { again } else { next }));
    }

    fn came(&mut self, id: ItemId) {
        if let Some(since) = self.late_since.remove(&id) {
            self.late.remove(&(since, id));
        }
    }

    /// What is out, was to be captured again before a moment, and was not: how many, [`MAX_OVERDUE`] at the most, and
    /// since when the first. Nobody knows of these that what was seen there is there still.
    pub fn overdue(&self, before: Moment) -> Option<(u64, Moment)> {
        let asked = self.late.range(..(before, ItemId(0)));
        // Where nobody captures, nothing is asked for either.
        let first = (Need::Renewal, Moment(i64::MIN), ItemId(0));
        let due = self.due.range(first..(Need::Renewal, before, ItemId(0)));
        let due = due.filter(|(_, _, id)| !self.late_since.contains_key(id));
        let since = asked.clone().next().map(|(at, _)| *at);
        let since = since.into_iter().chain(due.clone().next().map(|(_, at, _)| *at)).min()?;
        let many = asked.count().saturating_add(due.take(MAX_OVERDUE).count());
        Some((many.min(MAX_OVERDUE) as u64, since))
    }

    /// When something is due next.
    pub fn next_due(&self) -> Option<Moment> {
        let first = |need: Need| {
            let range = (need, Moment(i64::MIN), ItemId(0))..;
            self.due.range(range).next().map(|(_, at, _)| *at)
        };
        Need::ALL.into_iter().filter_map(first).min()
    }

    fn at_once(&mut self, state: &State, id: ItemId, now: Moment) {
        if state.item(id).is_some_and(|live| live.machine.in_force().is_some()) {
            self.set(id, Need::Renewal, Some(now));
        }
    }

    fn set(&mut self, id: ItemId, need: Need, next: Option<Moment>) {
        let before = match next {
            Some(next) => self.at.insert(id, (need, next)),
            None => self.at.remove(&id),
        };
        if let Some((need, before)) = before {
            self.due.remove(&(need, before, id));
        }
        self.due.extend(next.map(|next| (need, next, id)));
    }
}

/// When an item is to be captured next, as far as the state tells.
fn next(state: &State, policy: &Policy, id: ItemId, live: &Live, now: Moment) -> Option<Moment> {
    let term = state.term(id.ticket())?;
    match &live.machine {
        Machine::Submitted(_) => {
            // Long before it can be released a capture would only lapse. Half its age is left for
            // the check and for a second attempt.
            let early = policy.capture_age_ms / 2;
            let earliest = state.earliest(id, live).unwrap_or(term.opens).minus(early);
            Some(earliest.max(now))
        }
        Machine::Held(held) if held.evidence.is_none() => Some(now),
        Machine::Captured(_) | Machine::Checked(_) | Machine::Held(_) => None,
        Machine::InForce(in_force) => {
            let every =
                if term.event { policy.recapture_event_ms } else { policy.recapture_site_ms };
            // After a miss the second look comes as soon as in an event.
            if in_force.miss.is_some() {
                return Some(now.plus(policy.recapture_event_ms.min(every)));
            }
            let rounds = now.since(in_force.since) / every.max(1);
            Some(in_force.since.plus(rounds.saturating_add(1).saturating_mul(every.max(1))))
        }
        Machine::Suspended(_) => Some(now.plus(policy.recapture_event_ms)),
        Machine::Ended(_) => None,
    }
}

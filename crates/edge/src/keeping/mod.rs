//! What is kept, and until when. Pure: milliseconds of a clock that never goes back are handed in.

mod again;
mod pace;
mod protected;
#[cfg(test)]
mod tests;
mod value;
mod words;

use std::collections::{BTreeSet, HashMap};

use shield::Item;
use shield_dns::Fqdn;

use crate::frame::Frame;
use again::Again;
pub use pace::MINUTE;
use pace::Pace;
pub use protected::{MAX_PROTECTED, MAX_WHY, Protected, ProtectedError};
pub use value::{Addresses, Value};
pub use words::{
    Change, DriverStatus, Limits, MAX_LIFE, MAX_SILENCE, MAX_VALUES, Outcome, Refused, Status,
    Taken,
};

#[derive(Debug, Clone, Copy)]
struct Held {
    deadline: u64,
    /// The hello after which it was last sent.
    session: u64,
    out: bool,
}

/// What is kept.
#[derive(Debug, Clone)]
pub struct Kept {
    limits: Limits,
    protected: Protected,
    values: HashMap<Value, Held>,
    /// The same, by when they end.
    ends: BTreeSet<(u64, Value)>,
    out: usize,
    /// Of those, what is no name.
    addresses: usize,
    /// Until when the feed may be silent; none: it is.
    silent_at: Option<u64>,
    feed: Option<(u64, u64)>,
    session: u64,
    pace: Pace,
    again: Again,
    filling: bool,
    filled: u64,
    now: u64,
    silences: u64,
    refused: u64,
}

impl Kept {
    /// Nothing yet.
    pub fn new(limits: Limits, protected: Protected) -> Self {
        let limits = Limits {
            silence_ms: limits.silence_ms.min(MAX_SILENCE),
            values: limits.values.min(MAX_VALUES),
            ..limits
        };
        Self {
            limits,
            protected,
            values: HashMap::new(),
            ends: BTreeSet::new(),
            out: 0,
            addresses: 0,
            silent_at: None,
            feed: None,
            session: 0,
            pace: Pace::default(),
            again: Again::default(),
            filling: true,
            filled: 0,
            now: 0,
            silences: 0,
            refused: 0,
        }
    }

    /// Ends what is due at `now`: each value at its deadline, all when the feed is silent. A `now`
    /// before an earlier one counts as that one.
    pub fn due(&mut self, now: u64) -> Vec<Change> {
        // Far beyond any clock, so that no sum of times is too large.
        self.now = self.now.max(now.min(u64::MAX / 2));
        let mut changes = Vec::new();
        if self.silent_at.is_some_and(|at| at <= self.now) {
            self.silent_at = None;
            self.silences += u64::from(self.out > 0);
            self.clear(&mut changes);
        }
        while let Some((deadline, _)) = self.ends.first()
            && *deadline <= self.now
            && let Some((_, value)) = self.ends.pop_first()
        {
            self.gone(value, &mut changes);
        }
        changes
    }

    /// When [`due`](Self::due) has something to do next.
    pub fn next_due(&self) -> Option<u64> {
        let first = self.ends.first().map(|(deadline, _)| *deadline);
        [first, self.silent_at].into_iter().flatten().min()
    }

    /// Takes a frame at `now`. A refused frame changes nothing but the count of those.
    pub fn take(&mut self, frame: Frame, now: u64) -> Taken {
        let mut changes = self.due(now);
        let outcome = self.act(frame, &mut changes).unwrap_or_else(|refused| {
            self.refused += 1;
            Outcome::Refused(refused)
        });
        Taken { changes, outcome }
    }

    fn act(&mut self, frame: Frame, changes: &mut Vec<Change>) -> Result<Outcome, Refused> {
        match frame {
            Frame::Hello { epoch, serial } => {
                if let Some((known, at)) = self.feed
                    && (epoch, serial) < (known, at)
                {
                    return Err(Refused::Older { given: epoch, serial, epoch: known, at });
                }
                self.feed = Some((epoch, serial));
                self.session += 1;
            }
            Frame::Alive { silence_ms } => {
                self.feed.ok_or(Refused::NoHello)?;
                self.silent_at = Some(self.now + silence_ms.min(self.limits.silence_ms));
                changes.extend(self.due(self.now));
            }
            Frame::Block { value, for_ms } => return self.block(&value, for_ms, changes),
            Frame::Lift { value } => {
                // Who lifts is heard: without a hello, in silence, in any writing.
                let (value, _) = read(&value)?;
                self.lift(value, changes);
            }
            Frame::Whole {} => {
                self.feed.ok_or(Refused::NoHello)?;
                self.silent_at.ok_or(Refused::Silent)?;
                self.filling = false;
                let old = self.values.iter().filter(|(_, held)| held.session != self.session);
                let old: Vec<Value> = old.map(|(value, _)| value.clone()).collect();
                old.into_iter().for_each(|value| self.lift(value, changes));
            }
            Frame::Clear {} => self.clear(changes),
            Frame::Release {} => {
                for (value, held) in self.values.iter_mut().filter(|(_, held)| !held.out) {
                    held.out = true;
                    self.out += 1;
                    self.addresses += usize::from(value.address().is_some());
                    changes.push(Change::Block(value.clone()));
                }
            }
            Frame::Status {} => {}
        }
        Ok(Outcome::Done)
    }

    fn block(
        &mut self,
        text: &str,
        for_ms: u64,
        changes: &mut Vec<Change>,
    ) -> Result<Outcome, Refused> {
        self.feed.ok_or(Refused::NoHello)?;
        self.silent_at.ok_or(Refused::Silent)?;
        let (value, given) = read(text)?;
        if let Some(address) = value.address() {
            if self.limits.addresses == Addresses::No {
                return Err(Refused::Address);
            }
            if let Some(special) = self.limits.addresses.refuse(address) {
                return Err(Refused::Special(address, special));
            }
        }
        if given.to_string() != text {
            return Err(Refused::Writing(given.to_string()));
        }
        if for_ms > MAX_LIFE {
            return Err(Refused::Long(for_ms));
        }
        if for_ms == 0 {
            self.lift(value, changes);
            return Ok(Outcome::Done);
        }
        if let Some(rule) = self.protected.rule(&given) {
            return Err(Refused::Protected(rule));
        }
        let deadline = self.now + for_ms;
        if let Some(held) = self.values.get_mut(&value) {
            self.ends.remove(&(held.deadline, value.clone()));
            *held = Held { deadline, session: self.session, ..*held };
            let outcome = if held.out { Outcome::Done } else { Outcome::Held };
            self.ends.insert((deadline, value));
            return Ok(outcome);
        }
        if self.values.len() >= self.limits.values {
            return Err(Refused::Full(self.values.len()));
        }
        // Let in once, and by now neither over nor let in by anybody else's word.
        let again = self.again.take(&value, self.now);
        let fill = !again && self.filling && self.filled < self.limits.fill;
        self.filled += u64::from(fill);
        let out = again || fill || self.pace.one(self.now, self.limits.additions_a_minute);
        self.values.insert(value.clone(), Held { deadline, session: self.session, out });
        self.ends.insert((deadline, value.clone()));
        if !out {
            return Ok(Outcome::Held);
        }
        self.out += 1;
        self.addresses += usize::from(value.address().is_some());
        changes.push(Change::Block(value));
        Ok(Outcome::Done)
    }

    fn lift(&mut self, value: Value, changes: &mut Vec<Change>) {
        if let Some(held) = self.values.get(&value) {
            self.ends.remove(&(held.deadline, value.clone()));
            self.gone(value, changes);
        }
    }

    /// A value that stands in `ends` no more.
    fn gone(&mut self, value: Value, changes: &mut Vec<Change>) {
        if let Some(held) = self.values.remove(&value).filter(|held| held.out) {
            self.out -= 1;
            self.addresses -= usize::from(value.address().is_some());
            self.again.remember(value.clone(), held.deadline, self.now, self.limits.values);
            changes.push(Change::Open(value));
        }
    }

    fn clear(&mut self, changes: &mut Vec<Change>) {
        for (value, held) in std::mem::take(&mut self.values) {
            if held.out {
                self.again.remember(value.clone(), held.deadline, self.now, self.limits.values);
                changes.push(Change::Open(value));
            }
        }
        self.ends.clear();
        (self.out, self.addresses) = (0, 0);
    }

    /// Goes by another protected list from now on: what it protects is opened, and forgotten. Whether what the old one
    /// protected may be blocked now, so that whoever follows has to say all anew.
    pub fn protect(&mut self, protected: Protected, now: u64) -> (Vec<Change>, bool) {
        let mut changes = self.due(now);
        let narrower = !protected.covers(&self.protected);
        self.protected = protected;
        let covered = self.values.keys().filter(|value| self.protected.protects(value));
        let covered: Vec<Value> = covered.cloned().collect();
        for value in covered {
            self.lift(value.clone(), &mut changes);
            self.again.take(&value, self.now);
        }
        (changes, narrower)
    }

    /// Whether a value is out.
    pub fn is_out(&self, value: &Value) -> bool {
        self.values.get(value).is_some_and(|held| held.out)
    }

    /// How long a value stays out yet, in milliseconds, if nothing more is heard: till its deadline, or the
    /// feed's silence. None where it is not out.
    pub fn left(&self, value: &Value) -> Option<u64> {
        let held = self.values.get(value).filter(|held| held.out)?;
        let until = held.deadline.min(self.silent_at?);
        Some(until.saturating_sub(self.now))
    }

    /// When a value's own life ends, by the clock of `now`, however fresh the feed is. None where it is not out.
    pub fn ends(&self, value: &Value) -> Option<u64> {
        self.values.get(value).filter(|held| held.out).map(|held| held.deadline)
    }

    /// All that is out, in no order.
    pub fn all_out(&self) -> impl Iterator<Item = &Value> {
        self.values.iter().filter(|(_, held)| held.out).map(|(value, _)| value)
    }

    /// How it stands at `now`.
    pub fn status(&self, now: u64) -> Status {
        let now = self.now.max(now);
        Status {
            epoch: self.feed.map(|(epoch, _)| epoch),
            serial: self.feed.map_or(0, |(_, serial)| serial),
            out: self.out as u64,
            addresses: self.addresses as u64,
            takes_addresses: self.limits.addresses != Addresses::No,
            held: (self.values.len() - self.out) as u64,
            silence_in_ms: self.silent_at.map(|at| at.saturating_sub(now)),
            next_in_ms: self.ends.first().map(|(at, _)| at.saturating_sub(now)),
            filling: self.filling,
            silences: self.silences,
            refused: self.refused,
            protected: self.protected.len() as u64,
            observe: false,
            drivers: Vec::new(),
        }
    }
}

/// Reads a value, in any writing.
fn read(text: &str) -> Result<(Value, Item), Refused> {
    let item = Item::parse(text).map_err(Refused::Value)?;
    let value = match &item {
        Item::Name(name) => Value::Name(Fqdn::parse(name.as_str()).map_err(Refused::Zone)?),
        Item::Address(ip) => Value::Address(*ip),
        Item::Endpoint(at) => Value::Endpoint(*at),
    };
    Ok((value, item))
}

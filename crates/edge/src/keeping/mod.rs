//! What is kept, and until when. Pure: milliseconds of a clock that never goes back are handed in.

mod pace;
mod protected;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeSet, HashMap};

use shield::Item;
use shield::item::Name;
use shield_dns::Fqdn;

use crate::frame::Frame;
pub use pace::MINUTE;
use pace::Pace;
pub use protected::{MAX_PROTECTED, Protected, ProtectedError};
pub use words::{
    Change, Limits, MAX_LIFE, MAX_SILENCE, MAX_VALUES, Outcome, Refused, Status, Taken,
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
    values: HashMap<Fqdn, Held>,
    /// The same, by when they end.
    ends: BTreeSet<(u64, Fqdn)>,
    out: usize,
    /// Until when the feed may be silent; none: it is.
    silent_at: Option<u64>,
    feed: Option<(u64, u64)>,
    session: u64,
    pace: Pace,
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
            silent_at: None,
            feed: None,
            session: 0,
            pace: Pace::default(),
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
            && let Some((_, name)) = self.ends.pop_first()
        {
            self.gone(name, &mut changes);
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
                let (name, _) = read(&value)?;
                self.lift(name, changes);
            }
            Frame::Whole {} => {
                self.feed.ok_or(Refused::NoHello)?;
                self.silent_at.ok_or(Refused::Silent)?;
                self.filling = false;
                let old = self.values.iter().filter(|(_, held)| held.session != self.session);
                let old: Vec<Fqdn> = old.map(|(name, _)| name.clone()).collect();
                old.into_iter().for_each(|name| self.lift(name, changes));
            }
            Frame::Clear {} => self.clear(changes),
            Frame::Release {} => {
                for (name, held) in self.values.iter_mut().filter(|(_, held)| !held.out) {
                    held.out = true;
                    self.out += 1;
                    changes.push(Change::Block(name.clone()));
                }
            }
            Frame::Status {} => {}
        }
        Ok(Outcome::Done)
    }

    fn block(
        &mut self,
        value: &str,
        for_ms: u64,
        changes: &mut Vec<Change>,
    ) -> Result<Outcome, Refused> {
        self.feed.ok_or(Refused::NoHello)?;
        self.silent_at.ok_or(Refused::Silent)?;
        let (name, given) = read(value)?;
        if given.as_str() != value {
            return Err(Refused::Writing(given.to_string()));
        }
        if for_ms > MAX_LIFE {
            return Err(Refused::Long(for_ms));
        }
        if for_ms == 0 {
            self.lift(name, changes);
            return Ok(Outcome::Done);
        }
        if let Some(rule) = self.protected.rule(&given) {
            return Err(Refused::Protected(rule));
        }
        let deadline = self.now + for_ms;
        if let Some(held) = self.values.get_mut(&name) {
            self.ends.remove(&(held.deadline, name.clone()));
            *held = Held { deadline, session: self.session, ..*held };
            let outcome = if held.out { Outcome::Done } else { Outcome::Held };
            self.ends.insert((deadline, name));
            return Ok(outcome);
        }
        if self.values.len() >= self.limits.values {
            return Err(Refused::Full(self.values.len()));
        }
        let fill = self.filling && self.filled < self.limits.fill;
        self.filled += u64::from(fill);
        let out = fill || self.pace.one(self.now, self.limits.additions_a_minute);
        self.values.insert(name.clone(), Held { deadline, session: self.session, out });
        self.ends.insert((deadline, name.clone()));
        if !out {
            return Ok(Outcome::Held);
        }
        self.out += 1;
        changes.push(Change::Block(name));
        Ok(Outcome::Done)
    }

    fn lift(&mut self, name: Fqdn, changes: &mut Vec<Change>) {
        if let Some(held) = self.values.get(&name) {
            self.ends.remove(&(held.deadline, name.clone()));
            self.gone(name, changes);
        }
    }

    /// A value that stands in `ends` no more.
    fn gone(&mut self, name: Fqdn, changes: &mut Vec<Change>) {
        if self.values.remove(&name).is_some_and(|held| held.out) {
            self.out -= 1;
            changes.push(Change::Open(name));
        }
    }

    fn clear(&mut self, changes: &mut Vec<Change>) {
        let out = std::mem::take(&mut self.values).into_iter().filter(|(_, held)| held.out);
        changes.extend(out.map(|(name, _)| Change::Open(name)));
        self.ends.clear();
        self.out = 0;
    }

    /// Whether a name is out.
    pub fn is_out(&self, name: &Fqdn) -> bool {
        self.values.get(name).is_some_and(|held| held.out)
    }

    /// How it stands at `now`.
    pub fn status(&self, now: u64) -> Status {
        let now = self.now.max(now);
        Status {
            epoch: self.feed.map(|(epoch, _)| epoch),
            serial: self.feed.map_or(0, |(_, serial)| serial),
            out: self.out as u64,
            held: (self.values.len() - self.out) as u64,
            silence_in_ms: self.silent_at.map(|at| at.saturating_sub(now)),
            next_in_ms: self.ends.first().map(|(at, _)| at.saturating_sub(now)),
            filling: self.filling,
            silences: self.silences,
            refused: self.refused,
            protected: self.protected.len() as u64,
            observe: false,
        }
    }
}

/// Reads an exact name, in any writing.
fn read(value: &str) -> Result<(Fqdn, Name), Refused> {
    match Item::parse(value).map_err(Refused::Value)? {
        Item::Name(name) => {
            Fqdn::parse(name.as_str()).map(|fqdn| (fqdn, name)).map_err(Refused::Zone)
        }
        _ => Err(Refused::Address),
    }
}

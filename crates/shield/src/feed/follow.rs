//! The feed follows the state, step by step.

use std::collections::BTreeSet;

use super::history::{Bounds, History, Place};
use super::row::{Entry, Row, entries};
use super::snapshot::{Gates, Snapshot};
use crate::order::{Moment, State, Touched, Value};

/// How much of an entry that is decided is shown to be in the log, to as many witnesses as are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// All of it.
    Whole,
    /// A decision before it, which put the item into force until an earlier moment.
    Before(Entry),
    /// Nothing yet.
    None,
}

/// How much of each entry is covered. What is covered once stays so for as long as the entry lives.
pub type Covers<'a> = dyn Fn(&Entry) -> Cover + 'a;

/// A feed over a state. What steps touch is gathered, and goes out together: a ticket of a thousand
/// items is one serial.
///
/// What begins or goes on waits for its [`Cover`]; what ends never does. What is out already stays, whatever
/// is asked for from here on.
#[derive(Debug, Clone)]
pub struct Feed {
    history: History,
    values: BTreeSet<Value>,
    /// Values of which something waits.
    waiting: BTreeSet<Value>,
    /// When the first entry ends that is out in the place of one that waits.
    until: Option<Moment>,
    /// More may be covered than when it was looked at last.
    again: bool,
}

impl Feed {
    /// A feed that begins with what is in force, and waits for nobody.
    pub fn new(state: &State, session: u64, epoch: u64, bounds: Bounds) -> Self {
        Self::begin(state, (session, epoch), bounds, Moment(0), &|_| Cover::Whole)
    }

    /// A feed, of a session and its epoch, that begins with what is in force and covered.
    pub fn begin(
        state: &State,
        (session, epoch): (u64, u64),
        bounds: Bounds,
        now: Moment,
        covers: &Covers<'_>,
    ) -> Self {
        let mut feed = Self {
            history: History::new(session, epoch, bounds, Snapshot::default()),
            values: BTreeSet::new(),
            waiting: BTreeSet::new(),
            until: None,
            again: false,
        };
        let mut snapshot = Snapshot::default();
        for (_, live) in state.items() {
            if live.machine.in_force().is_some() && snapshot.get(&live.value).is_none() {
                let _ = snapshot.set(&live.value, feed.row(state, &live.value, now, covers));
            }
        }
        snapshot.set_gates(Gates::of(state));
        feed.history = History::new(session, epoch, bounds, snapshot);
        feed
    }

    /// Notes what a step touched, as [`State::apply`] gives it.
    pub fn touch(&mut self, state: &State, touched: Touched) {
        match touched {
            Touched::Nothing | Touched::Gate => {}
            Touched::Value(value) => drop(self.values.insert(value)),
            Touched::Tickets(tickets) => {
                let items = tickets.into_iter().flat_map(|ticket| state.items_of(ticket));
                self.values.extend(items.map(|(_, live)| live.value.clone()));
            }
        }
    }

    /// More may be covered by now: what waits is looked at again.
    pub fn look_again(&mut self) {
        self.again = true;
    }

    /// How many values there are of which something waits for its cover.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Publishes what was touched since, if it differs from what is out; nothing waits.
    pub fn publish(&mut self, state: &State) -> Option<Place> {
        self.publish_covered(state, Moment(0), &|_| Cover::Whole)
    }

    /// Publishes what was touched since and is covered, and what of that which waited is by now.
    pub fn publish_covered(
        &mut self,
        state: &State,
        now: Moment,
        covers: &Covers<'_>,
    ) -> Option<Place> {
        let mut values = std::mem::take(&mut self.values);
        if std::mem::take(&mut self.again) || self.until.is_some_and(|until| until <= now) {
            // Each that still waits says so anew.
            self.until = None;
            values.append(&mut self.waiting);
        }
        let mut rows = Vec::with_capacity(values.len());
        for value in values {
            let row = self.row(state, &value, now, covers);
            rows.push((value, row));
        }
        self.history.publish(rows, Gates::of(state))
    }

    /// What of a value may be out, and whether something of it waits.
    fn row(
        &mut self,
        state: &State,
        value: &Value,
        now: Moment,
        covers: &Covers<'_>,
    ) -> Option<Row> {
        let (mut waits, mut until) = (false, self.until);
        let out = self.history.current().get(value);
        let may = entries(state, value).filter_map(|(entry, audience)| {
            if out.is_some_and(|row| row.shows(&entry)) {
                return Some((entry, audience));
            }
            match covers(&entry) {
                Cover::Whole => Some((entry, audience)),
                // Decided anew, and the same.
                Cover::Before(earlier) if earlier == entry => Some((entry, audience)),
                Cover::None => {
                    waits = true;
                    None
                }
                Cover::Before(earlier) => {
                    waits = true;
                    // It was decided to end then, and nothing later is shown: who follows has let go.
                    let lives = earlier.item == entry.item
                        && now < earlier.expires
                        && earlier.expires <= entry.expires;
                    if !lives {
                        return None;
                    }
                    until = Some(until.map_or(earlier.expires, |at| at.min(earlier.expires)));
                    Some((earlier, audience))
                }
            }
        });
        let row = Row::new(value, may);
        self.until = until;
        if waits {
            self.waiting.insert(value.clone());
        } else {
            self.waiting.remove(value);
        }
        row
    }

    /// The session.
    pub fn history(&self) -> &History {
        &self.history
    }
}

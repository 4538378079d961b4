//! The feed follows the state, step by step.

use std::collections::BTreeSet;

use super::history::{Bounds, History, Place};
use super::row::{Row, row};
use super::snapshot::{Gates, Snapshot};
use crate::order::{State, Touched, Value};

/// A feed over a state. What steps touch is gathered, and goes out together: a ticket of a thousand
/// items is one serial.
#[derive(Debug, Clone)]
pub struct Feed {
    history: History,
    values: BTreeSet<Value>,
}

impl Feed {
    /// A feed that begins with what is in force.
    pub fn new(state: &State, session: u64, epoch: u64, bounds: Bounds) -> Self {
        let mut snapshot = Snapshot::default();
        for (_, live) in state.items() {
            if live.machine.in_force().is_some() {
                let _ = snapshot.set(&live.value, row(state, &live.value));
            }
        }
        snapshot.set_gates(Gates::of(state));
        Self { history: History::new(session, epoch, bounds, snapshot), values: BTreeSet::new() }
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

    /// Publishes what was touched since, if it differs from what is out.
    pub fn publish(&mut self, state: &State) -> Option<Place> {
        let values = std::mem::take(&mut self.values);
        let rows = values.into_iter().map(|value| {
            let row: Option<Row> = row(state, &value);
            (value, row)
        });
        self.history.publish(rows, Gates::of(state))
    }

    /// The session.
    pub fn history(&self) -> &History {
        &self.history
    }
}

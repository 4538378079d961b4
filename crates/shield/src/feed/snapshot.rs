//! All that is out at one serial.

use std::collections::BTreeSet;
use std::ops::Bound;

use imbl::{OrdMap, OrdSet};

use super::delta::Delta;
use super::place::{At, ByValue};
use super::row::{Entry, Row};
use super::whose::Whose;
use crate::item::Item;
use crate::order::words::Organisation;
use crate::order::{Halt, Scope, State, Value};

/// All that is out, by value. Copying it, and changing a copy, costs by what changes.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    rows: OrdSet<ByValue>,
    /// The ISPs that rows name, and how many rows each: never nought.
    named: OrdMap<Organisation, usize>,
    gates: Gates,
}

impl PartialEq for Snapshot {
    fn eq(&self, other: &Self) -> bool {
        self.gates == other.gates && self.len() == other.len() && self.rows().eq(other.rows())
    }
}

impl Eq for Snapshot {}

/// Who gets nothing at all, since what everybody or one ISP gets is stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Gates {
    all: bool,
    isps: BTreeSet<Organisation>,
}

impl Gates {
    /// What the stops that stand shut.
    pub fn of(state: &State) -> Self {
        let mut gates = Self::default();
        for (scope, _) in state.stops().filter(|(_, stop)| stop.halt == Halt::Lifts) {
            match scope {
                Scope::All => gates.all = true,
                Scope::Isp(isp) => drop(gates.isps.insert(isp.clone())),
                _ => {}
            }
        }
        gates
    }

    /// True where nobody gets anything.
    pub fn is_shut(&self) -> bool {
        self.all
    }

    /// The ISPs whose own gates differ.
    pub(super) fn differs(&self, other: &Self) -> Vec<Organisation> {
        self.isps.symmetric_difference(&other.isps).cloned().collect()
    }

    /// The ISPs that get nothing by a stop on each alone.
    pub fn isps(&self) -> impl Iterator<Item = &Organisation> {
        self.isps.iter()
    }

    /// True where an ISP gets nothing by a stop on it alone, whatever else is stopped.
    pub fn shuts_alone(&self, isp: &Organisation) -> bool {
        self.isps.contains(isp)
    }

    /// True where an ISP gets nothing.
    pub fn shuts(&self, isp: &Organisation) -> bool {
        self.all || self.isps.contains(isp)
    }
}

impl Snapshot {
    /// How many values are out, for whomever.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True where none is.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// A value's row.
    pub fn get(&self, value: &Item) -> Option<&Row> {
        self.rows.get(&At::of(value)).map(|placed| &placed.row)
    }

    /// Every row, in the order of values.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.iter().map(|placed| &placed.row)
    }

    /// Who gets nothing.
    pub fn gates(&self) -> &Gates {
        &self.gates
    }

    pub(super) fn set_gates(&mut self, gates: Gates) {
        self.gates = gates;
    }

    /// Puts a row in a value's place, or none, and gives the one that stood there.
    pub(super) fn set(&mut self, value: &Item, row: Option<Row>) -> Option<Row> {
        for (isp, _) in row.iter().flat_map(Row::for_some) {
            let rows = self.named.get(isp).map_or(1, |rows| rows.saturating_add(1));
            self.named.insert(isp.clone(), rows);
        }
        let before = match row {
            Some(row) => self.rows.insert(ByValue::new(row)),
            None => self.rows.remove(&At::of(value)),
        };
        let before = before.map(|placed| placed.row);
        for (isp, _) in before.iter().flat_map(Row::for_some) {
            match self.named.get(isp) {
                Some(rows) if *rows > 1 => drop(self.named.insert(isp.clone(), rows - 1)),
                _ => drop(self.named.remove(isp)),
            }
        }
        before
    }

    /// The ISPs whose view is another than everybody's, or may be: a row names them, or they get nothing. It looks
    /// at no row.
    pub fn apart(&self) -> BTreeSet<&Organisation> {
        self.named.keys().chain(&self.gates.isps).collect()
    }

    /// The snapshot after a delta; `None` where the delta does not begin at this one.
    #[must_use]
    pub fn apply(&self, delta: &Delta) -> Option<Self> {
        let mut after = self.clone();
        for change in delta.changes() {
            let before = after.set(&change.value, change.after.clone());
            if before != change.before {
                return None;
            }
        }
        Some(after)
    }

    /// What one ISP gets.
    pub fn view(&self, isp: &Organisation) -> View {
        self.view_of(&Whose::Isp(isp.clone()))
    }

    /// What everybody gets, or one ISP.
    pub fn view_of(&self, whose: &Whose) -> View {
        View { snapshot: self.clone(), whose: whose.clone() }
    }
}

/// What everybody, or one ISP, gets of a snapshot. It holds on to it, and what comes after changes nothing in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    snapshot: Snapshot,
    whose: Whose,
}

impl View {
    /// Each value with its entry, in the order of values.
    pub fn entries(&self) -> impl Iterator<Item = (&Value, Entry)> {
        self.entries_after(None)
    }

    /// Those of values after this one, or all.
    pub fn entries_after(&self, value: Option<&Item>) -> impl Iterator<Item = (&Value, Entry)> {
        let from = value.map_or(Bound::Unbounded, |value| Bound::Excluded(At::of(value)));
        let open = !self.whose.is_shut(&self.snapshot.gates);
        let rows = self.snapshot.rows.range((from, Bound::Unbounded)).filter(move |_| open);
        rows.filter_map(|placed| Some((placed.row.value(), self.whose.of(&placed.row)?)))
    }

    /// A value's entry.
    pub fn get(&self, value: &Item) -> Option<Entry> {
        if self.whose.is_shut(&self.snapshot.gates) {
            return None;
        }
        self.whose.of(self.snapshot.get(value)?)
    }
}

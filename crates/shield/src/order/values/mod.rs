//! Every value that was ever reported: who wants it now, and what became of those who did.
//!
//! What a log of ten million items leaves behind is mostly values that nobody wants any more. They stand in
//! a [`Table`], one run of bytes that is read whole and searched where it lies; a value that is spoken of
//! again is lifted out of it into a map, and counts there from then on.

pub mod key;
mod row;
pub mod table;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::state::{History, Value, Wanted};
use super::words::ItemId;
use crate::item::Item;
use table::{Table, Writer};

/// The values. Two are equal where they say the same, wherever it stands.
#[derive(Debug, Clone, Default)]
pub(super) struct Values {
    /// What was known when the table was written.
    table: Arc<Table>,
    /// What was spoken of since: it counts in place of what the table says.
    over: BTreeMap<Value, Wanted>,
}

impl Values {
    pub(super) fn of(table: Table) -> Self {
        Self { table: Arc::new(table), over: BTreeMap::new() }
    }

    /// The live items that want a value, sorted. One that any wants stands in the map.
    pub(super) fn live(&self, value: &Item) -> &[ItemId] {
        self.over.get(value).map_or(&[], |wanted| &wanted.live)
    }

    /// What became of a value's items; `None`: nobody ever reported it.
    pub(super) fn history(&self, value: &Item) -> Option<History> {
        match self.over.get(value) {
            Some(wanted) => Some(wanted.history),
            None => self.table.get(&key::of(value)),
        }
    }

    /// A value that is known, shared with whatever else speaks of it.
    pub(super) fn known(&self, value: &Item) -> Option<Value> {
        if let Some((known, _)) = self.over.get_key_value(value) {
            return Some(known.clone());
        }
        self.table.get(&key::of(value)).map(|_| Value::new(value.clone()))
    }

    /// A value to be changed, where it is known.
    pub(super) fn get_mut(&mut self, value: &Value) -> Option<&mut Wanted> {
        if !self.over.contains_key(&**value) {
            let history = self.table.get(&key::of(value))?;
            self.over.insert(value.clone(), Wanted { live: Vec::new(), history });
        }
        self.over.get_mut(&**value)
    }

    /// A value to be changed, known or not.
    pub(super) fn entry(&mut self, value: Value) -> &mut Wanted {
        let Self { table, over } = self;
        over.entry(value).or_insert_with_key(|value| {
            let history = table.get(&key::of(value)).unwrap_or_default();
            Wanted { live: Vec::new(), history }
        })
    }

    /// Each value's key and history, in the order of keys, which is that of values.
    pub(super) fn rows(&self) -> impl Iterator<Item = (Vec<u8>, History)> + '_ {
        let over = self.over.iter().map(|(value, wanted)| (key::of(value), wanted.history));
        let (mut over, mut rows) = (over.peekable(), self.table.rows().peekable());
        std::iter::from_fn(move || {
            let Some((ours, _)) = over.peek() else { return rows.next() };
            match rows.peek() {
                Some((theirs, _)) if theirs < ours => rows.next(),
                Some((theirs, _)) if theirs == ours => {
                    rows.next();
                    over.next()
                }
                _ => over.next(),
            }
        })
    }

    /// Writes all of them as one table, piece by piece.
    pub(super) fn keep<E>(&self, out: &mut dyn FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut writer = Writer::default();
        for (key, history) in self.rows() {
            writer.row(&key, &history, out)?;
        }
        writer.end(out)
    }
}

impl PartialEq for Values {
    fn eq(&self, other: &Self) -> bool {
        let live = |values: &Self| -> Vec<(Value, Vec<ItemId>)> {
            let wanted = values.over.iter().filter(|(_, wanted)| !wanted.live.is_empty());
            wanted.map(|(value, wanted)| (value.clone(), wanted.live.clone())).collect()
        };
        live(self) == live(other) && self.rows().eq(other.rows())
    }
}

impl Eq for Values {}

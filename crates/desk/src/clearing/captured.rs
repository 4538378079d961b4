//! Which record tells of the last capture of what lives: one that saw what the last one saw is no new record.
//!
//! A capture that changed nothing is in no decision, so that the state does not tell of it. Kept by what the probe was
//! asked for, as the capture's record calls it, until nothing that lives is asked for by it; of [`MOST`] at the most.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::record::{Opening, Record};
use shield::order::{State, Value};

/// The most of which the last capture is known: some 200 bytes each. Those that were captured least lately go first;
/// what such a one is captured as next is a record more.
const MOST: usize = 1_000_000;

/// What was captured last. A record tells of one capture.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Captured {
    of: HashMap<Arc<str>, u64>,
    by_record: BTreeMap<u64, Arc<str>>,
}

impl Captured {
    /// Takes the next record.
    pub(super) fn take(&mut self, index: u64, record: &Record, opening: &Opening) {
        if record.kind != "capture.made" {
            return;
        }
        // Of one that was erased nobody can tell what it is of.
        if let Some(asked) = opening.fields.get("item").and_then(|field| field.value.as_text()) {
            self.note(asked, index);
        }
    }

    /// A record tells of a capture.
    pub(super) fn note(&mut self, asked: &str, record: u64) {
        self.forget(asked);
        let asked: Arc<str> = asked.into();
        self.of.insert(Arc::clone(&asked), record);
        self.by_record.insert(record, asked);
        if self.of.len() > MOST
            && let Some((_, oldest)) = self.by_record.pop_first()
        {
            self.of.remove(&oldest);
        }
    }

    /// An item ended: what it was asked for is let go of, where no other that lives is asked for by the same.
    pub(super) fn ended(&mut self, state: &State, value: &Value, written: Option<&str>) {
        let Some(asked) = recorded(value, written).filter(|asked| self.of.contains_key(&**asked))
        else {
            return;
        };
        let lives = state.wanting(value).iter().filter_map(|item| state.item(*item));
        let mut same = lives.map(|live| recorded(&live.value, live.written.as_deref()));
        if !same.any(|other| other.as_ref() == Some(&asked)) {
            self.forget(&asked);
        }
    }

    fn forget(&mut self, asked: &str) {
        if let Some(record) = self.of.remove(asked) {
            self.by_record.remove(&record);
        }
    }

    /// The record of the last capture.
    pub(super) fn last(&self, asked: &str) -> Option<u64> {
        self.of.get(asked).copied()
    }

    /// True where nothing is known.
    pub(super) fn is_empty(&self) -> bool {
        self.of.is_empty()
    }

    /// All of it, in the order of the records.
    pub(super) fn list(&self) -> impl Iterator<Item = (String, u64)> + '_ {
        self.by_record.iter().map(|(record, asked)| (asked.to_string(), *record))
    }
}

/// What the probe is to ask for: the URL that was reported, or the value.
pub(super) fn asked(value: &Value, written: Option<&str>) -> String {
    let text = written.map_or_else(|| value.to_string(), str::to_owned);
    text.replace("[.]", ".").replace("[:]", ":").replacen("hxxp", "http", 1)
}

/// The same as a capture's record calls it; `None`: no probe asks for it.
fn recorded(value: &Value, written: Option<&str>) -> Option<String> {
    let item: collect::Item = asked(value, written).parse().ok()?;
    Some(item.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_is_known_and_the_oldest_is_forgotten() {
        let mut captured = Captured::default();
        for record in 0..MOST as u64 {
            captured.note(&record.to_string(), record);
        }
        // Seen again: it is the last one now, by whatever name.
        captured.note("0", MOST as u64);
        captured.note("another", MOST as u64 + 1);
        assert_eq!((captured.last("0"), captured.last("1")), (Some(MOST as u64), None));
        assert_eq!(
            (captured.last("2"), captured.last("another")),
            (Some(2), Some(MOST as u64 + 1))
        );
        assert_eq!((captured.of.len(), captured.by_record.len()), (MOST, MOST));
    }
}

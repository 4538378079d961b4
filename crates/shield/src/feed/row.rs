//! A value as it is out.

use std::sync::Arc;

use crate::item::Kind;
use crate::order::words::{Audience, ItemId, Moment, Organisation, TicketId};
use crate::order::{Machine, State, Value};

/// A value as one ISP gets it.
///
/// Of the items in force that want it, the entry is of the one that expires last (among equals, of the
/// one that was reported first): it says until when the value stays blocked if nothing else happens,
/// and under which item. When that item ends the next one's entry takes its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Until when: who hears nothing more lets go then.
    pub expires: Moment,
    /// The item.
    pub item: ItemId,
    /// The gravest reason that the check found against it, if any: two persons agreed to it.
    pub code: Option<&'static str>,
}

impl Entry {
    /// The item's ticket.
    pub fn ticket(&self) -> TicketId {
        self.item.ticket()
    }

    /// The one of two that a value has.
    fn or_longer(self, other: Self) -> Self {
        let rank = |entry: &Self| (entry.expires, std::cmp::Reverse(entry.item));
        if rank(&other) > rank(&self) { other } else { self }
    }
}

/// A value with each ISP's entry: one for all that are addressed in general, and those of ISPs that
/// are addressed by name. It never changes, and copies share it: a snapshot that moves on copies many
/// rows that stay what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row(Arc<Parts>);

#[derive(Debug, PartialEq, Eq)]
struct Parts {
    value: Value,
    /// For every ISP.
    all: Option<Entry>,
    /// For these besides: sorted by ISP, each once.
    only: Box<[(Organisation, Entry)]>,
}

impl Row {
    /// A row of entries with whom each is for; `None` where there are none.
    pub fn new<'a>(
        value: &Value,
        entries: impl IntoIterator<Item = (Entry, &'a Audience)>,
    ) -> Option<Self> {
        let mut all: Option<Entry> = None;
        let mut only = std::collections::BTreeMap::new();
        for (entry, audience) in entries {
            match audience {
                Audience::All => all = Some(all.map_or(entry, |other| other.or_longer(entry))),
                Audience::Only(isps) => {
                    for isp in isps {
                        let longest = only.entry(isp.clone()).or_insert(entry);
                        *longest = longest.or_longer(entry);
                    }
                }
            }
        }
        if all.is_none() && only.is_empty() {
            return None;
        }
        let only = only.into_iter().collect();
        Some(Self(Arc::new(Parts { value: value.clone(), all, only })))
    }

    /// What one ISP gets of it.
    pub fn of(&self, isp: &Organisation) -> Option<Entry> {
        let Parts { all, only, .. } = &*self.0;
        let own = only.binary_search_by(|(other, _)| other.cmp(isp));
        let own = own.ok().and_then(|n| only.get(n)).map(|(_, entry)| *entry);
        match (*all, own) {
            (Some(all), Some(own)) => Some(all.or_longer(own)),
            (all, own) => all.or(own),
        }
    }

    /// What every ISP gets of it, those that no ticket names included.
    pub fn for_all(&self) -> Option<Entry> {
        self.0.all
    }

    /// The ISPs that tickets name, each with its entry, sorted.
    pub fn for_some(&self) -> impl Iterator<Item = (&Organisation, Entry)> {
        self.0.only.iter().map(|(isp, entry)| (isp, *entry))
    }

    /// True where it shows this very entry, to whomever.
    pub(super) fn shows(&self, entry: &Entry) -> bool {
        self.0.all.as_ref() == Some(entry) || self.0.only.iter().any(|(_, own)| own == entry)
    }

    /// What is blocked.
    pub fn value(&self) -> &Value {
        &self.0.value
    }

    /// What kind of value that is.
    pub fn kind(&self) -> Kind {
        self.0.value.kind()
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        let name = self.0.value.name().map_or(0, |name| name.as_str().len());
        size_of::<Parts>() + name + self.0.only.len() * size_of::<(Organisation, Entry)>()
    }
}

/// What of a value is out: an item of it that is in force, and under no stop that lifts.
pub fn row(state: &State, value: &Value) -> Option<Row> {
    Row::new(value, entries(state, value))
}

/// What of a value is decided to be out, with whom each entry is for.
pub(super) fn entries<'a>(
    state: &'a State,
    value: &Value,
) -> impl Iterator<Item = (Entry, &'a Audience)> {
    state.wanting(value).iter().filter_map(|id| {
        let Machine::InForce(in_force) = &state.item(*id)?.machine else { return None };
        let ticket = state.ticket(id.ticket())?;
        if state.is_lifted(id.ticket()) {
            return None;
        }
        let code = in_force.outcome.code;
        Some((Entry { expires: in_force.expires, item: *id, code }, &ticket.audience))
    })
}

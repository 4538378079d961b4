//! The log's records, with the openings that this case still holds.

use model::ExhibitId;
use model::record::{Opening, Record};

use super::{MAX_PAGE, Page, Paging, Snapshot, rows};
use crate::{Error, Result};

/// Fields whose value is an exhibit's id.
const EXHIBITS: [&str; 3] = ["exhibit", "container", "sums_exhibit"];
/// Fields that tell what an exhibit is called, or what is inside it.
const NAMES: [&str; 6] = ["source", "member", "in_place", "name", "note", "description"];

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogField {
    /// Its name.
    pub name: String,
    /// Its value, canonical JSON; `None` where it is committed and its opening was erased or is
    /// withheld.
    pub value: Option<String>,
    /// True where the log holds only its commitment.
    pub committed: bool,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// Its place in the log, from 0 on.
    pub index: u64,
    /// Its kind (`exhibit.sealed`, `parse.run`, …).
    pub kind: String,
    /// When (RFC 3339).
    pub time: String,
    /// Who; `None` where withheld.
    pub actor: Option<String>,
    /// Under which authority.
    pub authority: String,
    /// The fields of its body, in the record's order.
    pub fields: Vec<LogField>,
    /// The record that set this one aside: it is in the log, and no longer counts.
    pub set_aside: Option<u64>,
}

/// Which records are wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// With this text in what they say, or in who wrote them; letters' case does not count.
    pub text: Option<String>,
}

impl LogFilter {
    fn takes(&self, entry: &LogEntry) -> bool {
        let of_kind = self.kind.as_ref().is_none_or(|kind| *kind == entry.kind);
        let holds = |text: &String| {
            let text = text.to_lowercase();
            let values = entry.fields.iter().filter_map(|field| field.value.as_ref());
            values.chain(&entry.actor).any(|value| value.to_lowercase().contains(&text))
        };
        of_kind && self.text.as_ref().is_none_or(holds)
    }
}

/// The most records that one look goes through for those that a filter takes.
pub const MAX_SEARCHED: u64 = 10_000;

impl Snapshot {
    /// Records, newest first. With a filter a page may hold fewer than are asked for, or none, and
    /// still have a next one: [`MAX_SEARCHED`] are gone through at a time, and none are counted.
    ///
    /// # Errors
    /// The log cannot be read; no such page.
    pub fn log(&self, filter: &LogFilter, paging: &Paging) -> Result<Page<LogEntry>> {
        let records = self.record_reader()?;
        let limit = paging.limit.clamp(1, MAX_PAGE);
        let all = *filter == LogFilter::default();
        let end = match &paging.after {
            None => records.len(),
            Some(after) => {
                let at = rows::number(&rows::parts(after, 1)?[0])?;
                u64::try_from(at)?.min(records.len())
            }
        };
        let last = end.saturating_sub(MAX_SEARCHED);
        let (mut items, mut first) = (Vec::new(), end);
        while first > last && items.len() < limit {
            first -= 1;
            let (record, opening) = records.get(first)?;
            if filter.kind.as_ref().is_some_and(|kind| *kind != record.kind) {
                continue;
            }
            // What is withheld is not found either.
            let entry = self.withheld(entry(first, &record, &opening))?;
            if filter.takes(&entry) {
                items.push(entry);
            }
        }
        if !items.is_empty() {
            let corrected = self.custody()?.book.corrected;
            for item in &mut items {
                item.set_aside = corrected.get(&item.index).map(|(by, _)| *by);
            }
        }
        let next = (first > 0).then(|| rows::cursor(&[&first.to_string()]));
        Ok(Page { items, next, total: all.then(|| records.len()) })
    }

    /// One record.
    ///
    /// # Errors
    /// The log cannot be read.
    pub fn log_entry(&self, index: u64) -> Result<Option<LogEntry>> {
        let records = self.record_reader()?;
        if index >= records.len() {
            return Ok(None);
        }
        let (record, opening) = records.get(index)?;
        let mut entry = self.withheld(entry(index, &record, &opening))?;
        entry.set_aside = self.custody()?.book.corrected.get(&index).map(|(by, _)| *by);
        Ok(Some(entry))
    }

    /// The record without what names a privileged exhibit: its hash stays.
    fn withheld(&self, mut entry: LogEntry) -> Result<LogEntry> {
        let mut hidden = self.db()?.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM exhibit WHERE id = ? AND ord IN (SELECT ord FROM hidden))",
        )?;
        let mut names_hidden = false;
        for field in entry.fields.iter().filter(|f| EXHIBITS.contains(&f.name.as_str())) {
            let id = field.value.as_deref().and_then(|v| v.trim_matches('"').parse().ok());
            let Some(ExhibitId(id)) = id else { continue };
            names_hidden |= hidden.query_row([id.as_slice()], |row| row.get::<_, bool>(0))?;
        }
        if names_hidden && entry.kind == "ticket.reported" {
            // What led to a ticket, and what it led to, tells what is in it; so does which record sealed it.
            for field in &mut entry.fields {
                let shown = ["house", "ticket"].contains(&field.name.as_str());
                field.value.take_if(|_| !shown);
            }
        }
        if names_hidden {
            for field in entry.fields.iter_mut().filter(|f| NAMES.contains(&f.name.as_str())) {
                field.value = None;
            }
        }
        Ok(entry)
    }

    /// The log as it is now: it only grows.
    fn record_reader(&self) -> Result<vault::Records> {
        vault::Records::open(self.dir()).map_err(Error::from)
    }
}

fn entry(index: u64, record: &Record, opening: &Opening) -> LogEntry {
    let public = record.public.iter().map(|(name, value)| LogField {
        name: name.clone(),
        value: Some(value.to_string()),
        committed: false,
    });
    let committed = record.committed.keys().filter(|name| *name != "actor").map(|name| LogField {
        name: name.clone(),
        value: opening.fields.get(name).map(|field| field.value.to_string()),
        committed: true,
    });
    LogEntry {
        index,
        kind: record.kind.clone(),
        time: record.time.clone(),
        actor: record.actor(opening),
        authority: record.authority.clone(),
        fields: public.chain(committed).collect(),
        set_aside: None,
    }
}

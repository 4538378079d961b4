//! Facts as lines: each with the bytes it was read from.

use model::{ExhibitId, Span};
use serde_json::{Map, Value, json};
use vault::Bytes;

use crate::decide::Command;
use crate::desk::{Desk, Place};
use crate::read::{
    FactFilter, FactRow, MAX_PAGE, MaskedSpan, Paging, Reader, ShownValue, Snapshot,
};
use crate::{Error, Result};

/// The bytes a fact was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Raw {
    /// As UTF-8.
    Text(String),
    /// Bytes that are not UTF-8.
    Bytes(Vec<u8>),
    /// Not shown: they hold a secret.
    Masked,
}

/// A fact with its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FactLine {
    /// The fact.
    pub fact: FactRow,
    /// Its bytes.
    pub raw: Raw,
}

impl FactLine {
    /// What the value was before it was masked, where it is revealed: the views hold no secret, so it
    /// comes from the bytes.
    pub fn revealed(&self) -> Option<&str> {
        match (&self.fact.value, &self.raw) {
            (ShownValue::Masked, Raw::Text(raw)) => Some(raw),
            (ShownValue::Text(text), Raw::Text(raw)) if text.contains(MASK) => Some(raw),
            _ => None,
        }
    }

    /// `{subject, property, value, exhibit, start, end, parser, raw}`; `raw_hex` where the bytes are
    /// not UTF-8; `masked: true`, and neither, where they hold a secret. The value of a secret is
    /// null until it is revealed.
    pub fn to_json(&self) -> Value {
        let fact = &self.fact;
        let value = match &fact.value {
            _ if self.revealed().is_some() => json!(self.revealed()),
            ShownValue::Text(text) | ShownValue::Time { text, .. } => json!(text),
            ShownValue::Int(n) => json!(n),
            ShownValue::Bool(b) => json!(b),
            ShownValue::Money(money) => json!(money.to_string()),
            ShownValue::Entity { written, .. } => json!(written.as_str()),
            ShownValue::Masked => Value::Null,
        };
        let mut line = Map::new();
        line.insert("subject".to_owned(), json!(fact.subject.as_str()));
        line.insert("property".to_owned(), json!(fact.property));
        line.insert("value".to_owned(), value);
        line.insert("exhibit".to_owned(), json!(fact.source.exhibit.to_string()));
        line.insert("start".to_owned(), json!(fact.source.start));
        line.insert("end".to_owned(), json!(fact.source.end));
        line.insert("parser".to_owned(), json!(fact.source.parser));
        match &self.raw {
            Raw::Text(text) => line.insert("raw".to_owned(), json!(text)),
            Raw::Bytes(bytes) => line.insert("raw_hex".to_owned(), json!(model::id::hex(bytes))),
            Raw::Masked => line.insert("masked".to_owned(), json!(true)),
        };
        Value::Object(line)
    }
}

/// What stands for a secret within a text.
const MASK: &str = "•••";

/// How far beyond a fact masks are looked up at once: the next facts stand near.
const WINDOW: u64 = 1 << 20;

/// The bytes and masks around the facts at hand.
struct Around {
    exhibit: ExhibitId,
    ord: i64,
    bytes: Bytes,
    start: u64,
    end: u64,
    masks: Vec<MaskedSpan>,
}

/// Hands every fact that a filter selects to `each`, in order, secrets masked.
///
/// # Errors
/// The views cannot be read; an exhibit's bytes are gone; what `each` says.
pub fn fact_lines(
    snapshot: &Snapshot,
    filter: &FactFilter,
    each: &mut dyn FnMut(&FactLine) -> Result<()>,
) -> Result<()> {
    walk(snapshot, filter, false, each)
}

/// The same with secrets shown. The reason is recorded first, with `query`: what was asked for in
/// the words of the command.
///
/// # Errors
/// No reason; another writer; as [`fact_lines`].
pub fn revealed_lines(
    place: &Place,
    filter: &FactFilter,
    reason: &str,
    query: &str,
    each: &mut dyn FnMut(&FactLine) -> Result<()>,
) -> Result<()> {
    let mut desk = Desk::open(place)?;
    let span = match (filter.exhibit, filter.span) {
        (Some(exhibit), Some((start, end))) => Some(Span { exhibit, start, end }),
        _ => None,
    };
    let command = Command::Reveal { reason: reason.to_owned(), query: query.to_owned(), span };
    let recorded = desk.command(&command);
    let closed = desk.close();
    recorded?;
    closed?;
    let snapshot = Reader::open(&place.case)?.snapshot()?;
    walk(&snapshot, filter, true, each)
}

fn walk(
    snapshot: &Snapshot,
    filter: &FactFilter,
    reveal: bool,
    each: &mut dyn FnMut(&FactLine) -> Result<()>,
) -> Result<()> {
    let mut paging = Paging { after: None, limit: MAX_PAGE };
    let mut around = None;
    loop {
        let page = snapshot.facts(filter, &paging)?;
        for fact in page.items {
            let raw = raw(snapshot, &fact, reveal, &mut around)?;
            each(&FactLine { fact, raw })?;
        }
        match page.next {
            Some(after) => paging.after = Some(after),
            None => return Ok(()),
        }
    }
}

fn raw(
    snapshot: &Snapshot,
    fact: &FactRow,
    reveal: bool,
    around: &mut Option<Around>,
) -> Result<Raw> {
    let source = &fact.source;
    if fact.value == ShownValue::Masked && !reveal {
        return Ok(Raw::Masked);
    }
    let here = match around {
        Some(here) if here.exhibit == source.exhibit => here,
        _ => {
            let (bytes, ord) = snapshot.open_bytes(&source.exhibit)?;
            let exhibit = source.exhibit;
            around.insert(Around { exhibit, ord, bytes, start: 0, end: 0, masks: Vec::new() })
        }
    };
    if !reveal {
        if source.start < here.start || source.end > here.end {
            here.start = source.start.saturating_sub(4096);
            here.end = source.end.saturating_add(WINDOW);
            here.masks = snapshot.masks(here.ord, &here.bytes, here.start, here.end)?;
        }
        let hit = here.masks.iter().any(|m| m.start < source.end && m.end > source.start);
        if hit {
            return Ok(Raw::Masked);
        }
    }
    let bytes = here
        .bytes
        .range(source.start, source.end)
        .map_err(|e| Error::Read { path: source.exhibit.to_string().into(), source: e })?;
    Ok(match String::from_utf8(bytes) {
        Ok(text) => Raw::Text(text),
        Err(e) => Raw::Bytes(e.into_bytes()),
    })
}

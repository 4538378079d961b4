//! What a case holds leads to tickets at a clearing house: the case says so by a record that names the house's own,
//! and a ticket may name the record of the case (docs/clearing-house.md). Whoever has both logs holds one against the
//! other.

use std::path::Path;

use model::custody::{MAX_VALUE, is_line};
use model::record::{Body, TicketReported};
use model::{ExhibitId, Reference};
use rusqlite::Connection;
use serde_json::{Value, json};
use shield::order::TicketId;
use shield::order::step::Asked;
use vault::{Case, Records};

use crate::clearing::read::Log;
use crate::read::Snapshot;
use crate::{Error, Result};

/// The most tickets of one look.
pub const MAX_TICKETS: usize = 1000;

/// A ticket that the case led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// The record that says so.
    pub record: u64,
    /// When it was written, as it says.
    pub time: String,
    /// Who wrote it, where that is not withheld.
    pub actor: Option<String>,
    /// What it says. Of an exhibit that is withheld as privileged it tells the ticket and its record alone.
    pub body: TicketReported,
    /// True where that is so.
    pub hidden: bool,
}

impl Reported {
    /// As data.
    pub fn to_json(&self) -> Value {
        let body = &self.body;
        json!({
            "record": self.record, "time": self.time, "actor": self.actor,
            "house": body.house.to_string(), "ticket": body.ticket, "item": body.item,
            "exhibit": body.exhibit.map(|id| id.to_string()), "named": body.named, "note": body.note,
            "withheld": self.hidden,
        })
    }
}

/// What a decision looks at.
pub(crate) struct Known<'a> {
    /// The origin of the case's log.
    pub(crate) origin: &'a str,
    /// Its records.
    pub(crate) records: u64,
    /// Whether the case holds an exhibit.
    pub(crate) exhibit: &'a dyn Fn(&ExhibitId) -> Result<bool>,
    /// What is recorded of the very ticket.
    pub(crate) reported: Vec<TicketReported>,
}

/// The record that it leads to; `None` where the log says it already.
pub(crate) fn decide(known: &Known<'_>, asked: &TicketReported) -> Result<Option<Body>> {
    let no = |why: String| Err(Error::Asked(why));
    if asked.house.log() == known.origin {
        return no(format!(
            "{} is of this very case: name the record of the clearing house",
            asked.house
        ));
    }
    if let Some(text) = [&asked.item, &asked.note].into_iter().flatten().find(|text| !is_line(text))
    {
        let text: String = text.chars().take(80).collect();
        return no(format!("{text:?} is not one line of text of at most {MAX_VALUE} bytes"));
    }
    if let Some(id) = &asked.exhibit
        && !(known.exhibit)(id)?
    {
        return Err(Error::NotFound { what: format!("the exhibit {id}") });
    }
    if let Some(named) = asked.named.filter(|named| *named >= known.records) {
        return no(format!("the case has no record {named}: it has {}", known.records));
    }
    Ok((!known.reported.contains(asked)).then(|| asked.clone().into()))
}

/// A record enters the views.
pub(crate) fn keep(db: &Connection, at: i64, body: &TicketReported) -> Result<()> {
    db.prepare_cached("INSERT OR IGNORE INTO ticket (record, house, exhibit) VALUES (?, ?, ?)")?
        .execute((at, body.house.to_string(), body.exhibit.map(|id| id.0.to_vec())))?;
    Ok(())
}

/// What is recorded of the ticket that a house's record took.
pub(crate) fn of_house(
    db: &Connection,
    case: &Case,
    house: &Reference,
) -> Result<Vec<TicketReported>> {
    let mut query = db.prepare_cached("SELECT record FROM ticket WHERE house = ?")?;
    let found = query.query_map([house.to_string()], |row| row.get::<_, i64>(0))?;
    let mut all = Vec::new();
    for record in found {
        let (record, opening) = case.record(record? as u64)?;
        // Of what was withheld or erased nothing can be said: it is said anew.
        if let Ok(Body::TicketReported(body)) = Body::read_left(&record, &opening) {
            all.push(body);
        }
    }
    Ok(all)
}

impl Snapshot {
    /// Tickets that the case led to, or one exhibit did, the newest first: those before a record, at most so many, and
    /// at most [`MAX_TICKETS`].
    ///
    /// # Errors
    /// Log or views cannot be read.
    pub fn tickets(
        &self,
        of: Option<&ExhibitId>,
        before: Option<u64>,
        most: usize,
    ) -> Result<Vec<Reported>> {
        let before = before.map_or(i64::MAX, |before| i64::try_from(before).unwrap_or(i64::MAX));
        let mut query = self.db()?.prepare_cached(
            "SELECT record, exhibit IN (SELECT id FROM exhibit WHERE ord IN (SELECT ord FROM hidden))
             FROM ticket WHERE record < ?1 AND (?2 IS NULL OR exhibit = ?2)
             ORDER BY record DESC LIMIT ?3",
        )?;
        let of = of.map(|id| id.0.to_vec());
        let found = query.query_map((before, of, most.min(MAX_TICKETS) as i64), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<bool>>(1)?))
        })?;
        let found = found.collect::<std::result::Result<Vec<_>, _>>()?;
        let records = Records::open(self.dir())?;
        let mut all = Vec::with_capacity(found.len());
        for (index, hidden) in found {
            let (record, opening) = records.get(index as u64)?;
            let Ok(Body::TicketReported(mut body)) = Body::read_left(&record, &opening) else {
                continue;
            };
            let hidden = hidden == Some(true);
            if hidden {
                (body.exhibit, body.item, body.named, body.note) = (None, None, None, None);
            }
            let actor = record.actor(&opening);
            all.push(Reported { record: index as u64, time: record.time, actor, body, hidden });
        }
        Ok(all)
    }
}

/// How what a case says of a ticket stands against the house's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stands {
    /// The very record took that ticket, and names no case.
    Holds,
    /// It did, and the ticket names a record of this case, which is there.
    Both,
    /// It did, and the ticket names another case: two may lead to one.
    Elsewhere,
    /// It is of another log than that house's.
    AnotherLog,
    /// The house's log has no such record: it is shorter, or another record is in its place.
    NotThere,
    /// The record is there, and took no such ticket; or what it said was erased.
    AnotherTicket,
    /// The ticket has no such item.
    AnotherItem,
    /// The ticket names no such record of this case: none, another than is said here, or one that the case does not
    /// have so.
    AnotherRecord,
}

impl Stands {
    /// As it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Self::Holds => "holds",
            Self::Both => "both",
            Self::Elsewhere => "elsewhere",
            Self::AnotherLog => "another_log",
            Self::NotThere => "not_there",
            Self::AnotherTicket => "another_ticket",
            Self::AnotherItem => "another_item",
            Self::AnotherRecord => "another_record",
        }
    }

    /// False where something is wrong.
    pub fn is_well(self) -> bool {
        matches!(self, Self::Holds | Self::Both | Self::Elsewhere)
    }
}

/// Holds what a case says of a ticket against the house's log, and what the ticket says of the case against the
/// case's. Both logs are taken for what they say: whether they hold together `verify` says.
///
/// # Errors
/// A log that cannot be read.
pub fn check(case: &Path, house: &Log, reported: &TicketReported) -> Result<Stands> {
    let at = &reported.house;
    if at.log() != house.origin() {
        return Ok(Stands::AnotherLog);
    }
    let Some(found) = house.recorded(at.record())?.filter(|found| found.leaf == at.hash()) else {
        return Ok(Stands::NotThere);
    };
    let Some(taken) = found.taken(TicketId(reported.ticket), house.origin()) else {
        return Ok(Stands::AnotherTicket);
    };
    let is_item = |text: &String| {
        let asked = |asked: &Asked| {
            asked.value.to_string() == *text || asked.as_written.as_deref() == Some(text.as_str())
        };
        taken.ticket.items.iter().any(asked)
    };
    if !reported.item.as_ref().is_none_or(is_item) {
        return Ok(Stands::AnotherItem);
    }
    let origin = Case::origin_in(case)?;
    let named = taken.ticket.case.as_ref();
    match (named.filter(|named| named.log() == origin), reported.named) {
        (None, Some(_)) => Ok(Stands::AnotherRecord),
        (None, None) => Ok(if named.is_some() { Stands::Elsewhere } else { Stands::Holds }),
        (Some(named), said) => {
            let is_said = said.is_none_or(|said| said == named.record());
            let is_there = refer(case, named.record())?.is_some_and(|own| own == *named);
            Ok(if is_said && is_there { Stands::Both } else { Stands::AnotherRecord })
        }
    }
}

/// What names a record of the log in a folder, a case's or a clearing house's; `None`: there is no such record.
///
/// # Errors
/// The log cannot be read.
pub fn refer(dir: &Path, record: u64) -> Result<Option<Reference>> {
    let (records, origin) = (Records::open(dir)?, Case::origin_in(dir)?);
    if record >= records.len() {
        return Ok(None);
    }
    let (_, opening) = records.get(record)?;
    Ok(Reference::new(&origin, record, opening.record))
}

#[cfg(test)]
mod tests;

//! What is told of a ticket once its event is over (docs/clearing-house.md): to the ISPs that it was addressed to,
//! its reporter, and whoever reads all tickets; as a document that its reader checks against the log.
//!
//! One look at the house finds out whether it may be told, and which records they are; the records are read
//! beside the house's thread, since there may be thousands; what captures they rest on is looked up in looks of
//! a bounded length.
//!
//! Invariant: only what [`shield::told`] lists is opened, and of captures what [`OF_CAPTURES`] names. The seed of
//! salts leaves this place nowhere.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use model::record::{Body, Opening, Record, ShieldDecided};
use model::{ExhibitId, Sha256Hex};
use shield::order::words::Organisation;
use shield::order::{Audience, Decision, Deed, ItemId, Moment, TicketId, TicketStage, Turn};
use shield::told::{self, Statement};
use shield::wire::opened::{Field, MAX_RECORDS, OF_CAPTURES, OPENED, Opened, Shown, Told};
use shield::{order, proof};
use vault::Records;

use super::house::House;
use super::keeper::Keeper;
use super::publish::paper;
use super::read;
use crate::{Error, Result};

/// The most captures that one look finds.
const A_LOOK: usize = 64;

/// Why nothing is told yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotYet {
    /// From then on it is.
    Until(Moment),
    /// Something of it lives: from so many milliseconds after its end on.
    Lives(u64),
    /// When it ended cannot be found out: its records are older than those that the house follows.
    Untraced,
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Whom {
    /// For whom; `None` of who reads all tickets.
    pub organisation: Option<Organisation>,
    /// True of who acts for an ISP.
    pub isp: bool,
}

impl Whom {
    /// How much of a ticket they are told; `None`: it is nothing of theirs.
    fn sees(&self, ticket: &order::Ticket) -> Option<Sees> {
        let Some(organisation) = &self.organisation else { return Some(Sees::All) };
        if ticket.reporter == *organisation {
            return Some(Sees::All);
        }
        let addressed = match &ticket.audience {
            Audience::All => true,
            Audience::Only(isps) => isps.contains(organisation),
        };
        (self.isp && addressed).then_some(Sees::Released)
    }
}

/// How much of a ticket somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sees {
    /// Of each item.
    All,
    /// Of those that went into force: what never did was never the ISP's to block.
    Released,
}

/// From when on a ticket is told of, where that is past; else why it is not yet.
///
/// # Errors
/// The disk.
pub fn opens(house: &House, id: TicketId) -> Result<std::result::Result<Moment, NotYet>> {
    let (state, now, after) = (house.state(), house.now(), house.policy().opened_after_ms);
    let Some(ticket) = state.ticket(id) else { return Ok(Err(NotYet::Untraced)) };
    let event = ticket.event.as_ref().and_then(|event| state.event(event));
    let ended = match event {
        Some(event) => event.until,
        None if ticket.stage() != TicketStage::Closed => return Ok(Err(NotYet::Lives(after))),
        None => match ended(house, id)? {
            Some(ended) => ended,
            None => return Ok(Err(NotYet::Untraced)),
        },
    };
    let from = ended.plus(after);
    Ok(match () {
        () if now < from => Err(NotYet::Until(from)),
        () if ticket.stage() != TicketStage::Closed => Err(NotYet::Lives(after)),
        () => Ok(from),
    })
}

/// When the last item of a ticket ended, by the newest record that says so.
fn ended(house: &House, id: TicketId) -> Result<Option<Moment>> {
    let ends = |deed: &Deed| match deed {
        Deed::Turned { item, turn: Turn::Expired | Turn::Lifted { .. } | Turn::Refused { .. } } => {
            item.ticket() == id
        }
        _ => false,
    };
    for index in house.trail().of(id, read::MAX_RECORDS).0.into_iter().rev() {
        let decision = read::decision(house, index)?;
        if let Some(decision) = decision.filter(|decision| decision.deeds.iter().any(ends)) {
            return Ok(Some(decision.at));
        }
    }
    Ok(None)
}

/// What is told of a ticket, of its records after one; `None`: there is no such ticket, or it is nothing of
/// theirs.
///
/// # Errors
/// The house is closed; the disk.
pub fn opened(
    keeper: &Keeper,
    id: TicketId,
    whom: Whom,
    after: Option<u64>,
) -> Result<Option<std::result::Result<Opened, NotYet>>> {
    let begun = keeper.look(move |house| Sheet::begin(house, id, &whom, after))??;
    let mut sheet = match begun {
        Some(Ok(sheet)) => sheet,
        Some(Err(why)) => return Ok(Some(Err(why))),
        None => return Ok(None),
    };
    let records = Records::open(&sheet.dir)?;
    sheet.read(&records)?;
    let exhibits: Vec<ExhibitId> = sheet.exhibits.iter().copied().collect();
    for some in exhibits.chunks(A_LOOK) {
        let some = some.to_vec();
        sheet.captures.extend(keeper.look(move |house| captures(house, &some))??);
    }
    sheet.end(&records).map(|opened| Some(Ok(opened)))
}

/// The records that tell of captures.
fn captures(house: &House, exhibits: &[ExhibitId]) -> Result<Vec<u64>> {
    let mut found = Vec::new();
    for id in exhibits {
        // One commit seals what a probe saw and says what it was. What a reporter uploaded has no such record.
        let Some(record) = house.case().exhibit(id)?.map(|exhibit| exhibit.record + 1) else {
            continue;
        };
        if let Ok(Body::CaptureMade(body)) = house.case().body(record)
            && body.exhibit == *id
        {
            found.push(record);
        }
    }
    Ok(found)
}

/// A document that is being made.
#[derive(Debug)]
struct Sheet {
    dir: PathBuf,
    id: TicketId,
    sees: Sees,
    /// Its records, all of them, and after which it begins.
    all: Vec<u64>,
    after: Option<u64>,
    size: u64,
    checkpoint: String,
    records: BTreeMap<u64, Shown>,
    exhibits: BTreeSet<ExhibitId>,
    captures: Vec<u64>,
    next: Option<u64>,
}

impl Sheet {
    fn begin(
        house: &mut House,
        id: TicketId,
        whom: &Whom,
        after: Option<u64>,
    ) -> Result<Option<std::result::Result<Self, NotYet>>> {
        let Some(ticket) = house.state().ticket(id) else { return Ok(None) };
        let Some(sees) = whom.sees(ticket) else { return Ok(None) };
        if let Err(why) = opens(house, id)? {
            return Ok(Some(Err(why)));
        }
        let all = house.trail().all(id);
        let Some(last) = all.last().copied() else { return Ok(Some(Err(NotYet::Untraced))) };
        let (size, checkpoint) = match paper::cosigned(house, last) {
            Some(under) => under,
            None => {
                // Whose feed did not change since has shown nothing since.
                if last >= paper::published(house).0 {
                    house.show()?;
                }
                paper::published(house)
            }
        };
        Ok(Some(Ok(Self {
            dir: house.case().dir().to_owned(),
            id,
            sees,
            all,
            after,
            size,
            checkpoint,
            records: BTreeMap::new(),
            exhibits: BTreeSet::new(),
            captures: Vec::new(),
            next: None,
        })))
    }

    /// Reads the records, and takes what may be told of them.
    fn read(&mut self, records: &Records) -> Result<()> {
        let mut released = BTreeSet::new();
        if self.sees == Sees::Released {
            for index in &self.all {
                let Some((_, _, decision)) = decided(records, *index)? else { continue };
                for deed in &decision.deeds {
                    if let Deed::Turned { item, turn: Turn::Released { .. } } = deed {
                        released.insert(*item);
                    }
                }
            }
        }
        let (all, after) = (std::mem::take(&mut self.all), self.after);
        for index in all.into_iter().filter(|index| after.is_none_or(|after| *index > after)) {
            if self.records.len() >= MAX_RECORDS {
                self.next = self.records.last_key_value().map(|(last, _)| *last);
                break;
            }
            let Some((body, record, decision)) = decided(records, index)? else { continue };
            let tells = |statement: &Statement| {
                let seen = statement.item.is_none_or(|item: ItemId| released.contains(&item));
                statement.ticket == self.id && (self.sees == Sees::All || seen)
            };
            let (statements, told) = told_of(&body, &decision, tells);
            // What was decided before there was such a root, or lost its seed by law, is shown closed.
            if told.is_empty() && body.told.is_some() && body.seed.is_some() {
                continue;
            }
            self.exhibits.extend(statements.iter().filter_map(exhibit_of));
            self.show(records, index, record, BTreeMap::new(), told)?;
        }
        Ok(())
    }

    fn show(
        &mut self,
        records: &Records,
        index: u64,
        record: String,
        fields: BTreeMap<String, Field>,
        told: Vec<Told>,
    ) -> Result<()> {
        let path = records.log().inclusion_in(index, self.size)?.into_iter().map(Sha256Hex);
        let shown = Shown { index, record, path: path.collect(), fields, told };
        self.records.insert(index, shown);
        Ok(())
    }

    /// Takes the captures, and is whole.
    fn end(mut self, records: &Records) -> Result<Opened> {
        for index in std::mem::take(&mut self.captures) {
            let (_, opening) = records.get(index)?;
            let open = |name: &&str| {
                let field = opening.fields.get(*name)?;
                Some(((*name).to_owned(), Field::of(field)))
            };
            let fields: BTreeMap<String, Field> = OF_CAPTURES.iter().filter_map(open).collect();
            // What was erased by law stays so.
            if fields.contains_key("exhibit") {
                let text = entry(records, index)?;
                self.show(records, index, text, fields, Vec::new())?;
            }
        }
        Ok(Opened {
            opened: OPENED.to_owned(),
            ticket: self.id,
            checkpoint: self.checkpoint,
            records: self.records.into_values().collect(),
            next: self.next,
        })
    }
}

/// The exhibit that a statement names.
fn exhibit_of(statement: &Statement) -> Option<ExhibitId> {
    let read: serde_json::Value = serde_json::from_str(&statement.text).ok()?;
    read.get("exhibit")?.as_str()?.parse().ok()
}

/// The statements of a decision that somebody is told, and the same with what proves each.
fn told_of(
    body: &ShieldDecided,
    decision: &Decision,
    tells: impl Fn(&Statement) -> bool,
) -> (Vec<Statement>, Vec<Told>) {
    // Of a record that shows no root nothing can be proven; nor of one whose seed was erased.
    let (Some(_), Some(Sha256Hex(seed))) = (body.told, body.seed) else {
        return (Vec::new(), Vec::new());
    };
    let statements = told::statements(decision);
    let paths = proof::Paths::new(told::leaves(&statements, &seed));
    let told = |(place, statement): (u32, Statement)| {
        let path = paths.path(place)?.into_iter().map(Sha256Hex).collect();
        let salt = Sha256Hex(told::salt(&seed, place));
        Some((statement.clone(), Told { place, salt, text: statement.text, path }))
    };
    (0..).zip(statements).filter(|(_, statement)| tells(statement)).filter_map(told).unzip()
}

/// A record's bytes.
fn entry(records: &Records, index: u64) -> Result<String> {
    let odd = |_| Error::Beside(format!("record {index} is no text"));
    String::from_utf8(records.log().entry(index)?).map_err(odd)
}

/// A decision by its last record, with that; `None` of another record, or where it was erased.
fn decided(records: &Records, index: u64) -> Result<Option<(ShieldDecided, String, Decision)>> {
    let body = |index: u64| -> Result<Option<ShieldDecided>> {
        let (record, opening): (Record, Opening) = records.get(index)?;
        Ok(match Body::read_left(&record, &opening) {
            Ok(Body::ShieldDecided(body)) => Some(body),
            _ => None,
        })
    };
    let Some(last) = body(index)? else { return Ok(None) };
    let mut text = String::new();
    for part in 0..last.part {
        let before = index.checked_sub(last.part - part).map(&body).transpose()?.flatten();
        text.push_str(&before.map(|before| before.decision).unwrap_or_default());
    }
    text.push_str(&last.decision);
    let Ok(decision) = Decision::read(&text) else { return Ok(None) };
    Ok(Some((last, entry(records, index)?, decision)))
}

#[cfg(test)]
mod tests;

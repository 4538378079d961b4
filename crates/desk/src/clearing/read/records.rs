//! Decisions out of the log, for who follows a ticket or a link to a record.

use std::path::Path;

use model::record::{Body, Opening, Record, ShieldDecided, ShieldNotice};
use model::{ExhibitId, Reference, Sha256Hex};
use shield::order::state::Live;
use shield::order::step::Ticket;
use shield::order::{Decision, Deed, TicketId, Turn};
use vault::{Case, Records};

use super::super::house::House;
use super::{Whose, sees};
use crate::{Error, Result};

/// The most records of one look.
pub const MAX_RECORDS: usize = 200;
/// The most bytes of an exhibit that are shown.
const MAX_SHOWN: u64 = 16 << 10;

/// A record that was looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Which: of a decision in several records, its last.
    pub index: u64,
    /// The decision it holds or ends; `None`: it is no decision.
    pub decision: Option<Decision>,
    /// A notice of which it says that it did not go out.
    pub notice: Option<ShieldNotice>,
    /// The record's kind.
    pub kind: String,
    /// When it was written, as it says.
    pub time: String,
    /// Who acts, where that is not withheld.
    pub actor: Option<String>,
    /// The record's leaf hash.
    pub leaf: Sha256Hex,
}

/// How a ticket was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What a case's records name it by.
    pub at: Reference,
    /// The ticket, with the record of a case that it names.
    pub ticket: Ticket,
}

impl Recorded {
    /// How a ticket was taken, where this record of the log of that origin says so.
    pub fn taken(&self, id: TicketId, origin: &str) -> Option<Taken> {
        let at = Reference::new(origin, self.index, self.leaf)?;
        self.decision.iter().flat_map(|decision| &decision.deeds).find_map(|deed| match deed {
            Deed::Submitted(ticket) if ticket.id == id => {
                Some(Taken { at: at.clone(), ticket: (**ticket).clone() })
            }
            _ => None,
        })
    }
}

/// The records of a house's log, for who looks some up: beside the house, whose thread has other things to do.
#[derive(Debug)]
pub struct Log {
    records: Records,
    origin: String,
}

impl Log {
    /// As the log in the house's folder is by now.
    ///
    /// # Errors
    /// The disk; files that contradict one another.
    pub fn open(dir: &Path) -> Result<Self> {
        Ok(Self { records: Records::open(dir)?, origin: Case::origin_in(dir)? })
    }

    /// The log's origin.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// A record; `None`: there is none.
    ///
    /// # Errors
    /// The disk; what does not hold together.
    pub fn recorded(&self, index: u64) -> Result<Option<Recorded>> {
        recorded(&self.records, index)
    }

    /// How a ticket was taken, by one of the records about it, the first of them above all; `None`: that is none that
    /// took it, as where older records than are followed say so, or what it said was erased.
    ///
    /// # Errors
    /// As [`Log::recorded`].
    pub fn taken(&self, index: u64, id: TicketId) -> Result<Option<Taken>> {
        let Some(found) = self.recorded(index)? else { return Ok(None) };
        Ok(found.taken(id, &self.origin))
    }
}

/// A decision, for who asks of one in the house's own thread.
pub(in super::super) fn decision(house: &House, index: u64) -> Result<Option<Decision>> {
    Ok(recorded(house.case(), index)?.and_then(|found| found.decision))
}

/// What records are read of.
pub(super) trait Entries {
    fn len(&self) -> u64;
    fn record(&self, index: u64) -> vault::Result<(Record, Opening)>;
}

impl Entries for Records {
    fn len(&self) -> u64 {
        Self::len(self)
    }

    fn record(&self, index: u64) -> vault::Result<(Record, Opening)> {
        self.get(index)
    }
}

impl Entries for Case {
    fn len(&self) -> u64 {
        Self::len(self)
    }

    fn record(&self, index: u64) -> vault::Result<(Record, Opening)> {
        Self::record(self, index)
    }
}

/// A record; `None`: there is none.
pub(super) fn recorded(log: &impl Entries, index: u64) -> Result<Option<Recorded>> {
    if index >= log.len() {
        return Ok(None);
    }
    let (record, opening) = log.record(index)?;
    let (decision, notice) = match Body::read(&record, &opening) {
        Ok(Body::ShieldDecided(body)) => (whole(log, index, body)?, None),
        Ok(Body::ShieldNotice(body)) => (None, Some(body)),
        _ => (None, None),
    };
    let (kind, time) = (record.kind.clone(), record.time.clone());
    let (actor, leaf) = (record.actor(&opening), opening.record);
    Ok(Some(Recorded { index, decision, notice, kind, time, actor, leaf }))
}

/// A decision of which `last` is a part; `None` of a part that is not its last.
fn whole(log: &impl Entries, index: u64, last: ShieldDecided) -> Result<Option<Decision>> {
    if last.part + 1 != last.parts {
        return Ok(None);
    }
    let mut text = String::new();
    for part in 0..last.part {
        let at = index.checked_sub(last.part - part);
        let part = at.map(|at| log.record(at)).transpose()?;
        if let Some((record, opening)) = part
            && let Ok(Body::ShieldDecided(body)) = Body::read(&record, &opening)
        {
            text.push_str(&body.decision);
        }
    }
    text.push_str(&last.decision);
    let decision = Decision::read(&text);
    decision.map(Some).map_err(|why| Error::Beside(format!("record {index}: {why}")))
}

/// True where an exhibit stands in a ticket that somebody sees: in an item that lives, or in one of the records
/// that the ticket's page shows.
fn stands_in(house: &House, id: &ExhibitId, whose: &Whose, ticket: TicketId) -> Result<bool> {
    let state = house.state();
    if !state.ticket(ticket).is_some_and(|found| sees(whose, &found.reporter)) {
        return Ok(false);
    }
    let rests = |live: &Live| {
        let block = live.machine.in_force().map(|block| &block.evidence);
        block.or_else(|| live.machine.evidence()).is_some_and(|evidence| evidence.exhibit == *id)
    };
    if state.items_of(ticket).any(|(_, live)| rests(live)) {
        return Ok(true);
    }
    let shows = |deed: &Deed| match deed {
        Deed::Turned { item, turn } if item.ticket() == ticket => match turn {
            Turn::Captured(evidence) | Turn::Renewed { evidence, .. } => evidence.exhibit == *id,
            Turn::Uploaded { exhibit } | Turn::Approved { exhibit, .. } => exhibit == id,
            _ => false,
        },
        _ => false,
    };
    for index in house.trail().of(ticket, MAX_RECORDS).0.into_iter().rev() {
        let decision = decision(house, index)?;
        if decision.is_some_and(|decision| decision.deeds.iter().any(shows)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The beginning of an exhibit's bytes, at most 16 KiB, and its size; `None`: there is none that whoever asks may
/// see. Who sees one reporter's tickets alone sees what stands in the named one of them: knowing a hash opens
/// nothing.
///
/// # Errors
/// It cannot be read, or nobody can tell whether it is there; the disk.
pub fn evidence(
    house: &House,
    id: &ExhibitId,
    whose: &Whose,
    ticket: Option<TicketId>,
) -> Result<Option<(Vec<u8>, u64)>> {
    let case = house.case();
    if case.exhibit(id)?.is_none() {
        return Ok(None);
    }
    if whose.is_some() && !ticket.map_or(Ok(false), |ticket| stands_in(house, id, whose, ticket))? {
        return Ok(None);
    }
    let bytes = case.bytes(id)?;
    let size = bytes.size();
    let failed = |source| Error::Read { path: bytes.link(), source };
    let shown = bytes.range(0, size.min(MAX_SHOWN)).map_err(failed)?;
    Ok(Some((shown, size)))
}

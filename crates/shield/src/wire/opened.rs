//! What is told of a ticket once its event is over: the records that decided it, each with the statements that
//! may be told of it, and of the captures that it rests on the fields that may. One JSON document, which holds
//! its own proofs: whoever has it need not believe the clearing house, but the log.
//!
//! Two things it cannot show: that no record was left out, and that what a record keeps closed does not say more.
//!
//! Invariant: [`Opened::check`] refuses what opens more than it may. So a file that somebody made with too much in
//! it is found by its first reader.

use std::collections::{BTreeMap, BTreeSet};

use ledger::note::Note;
use ledger::{Checkpoint, Policy, ProofError, Witnessed, tree};
use model::canonical::Canon;
use model::commitment::{FieldOpening, Salt};
use model::record::{Record, RecordError};
use model::{ExhibitId, Sha256Hex};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use crate::order::written::{canon, json};
use crate::order::{ItemId, TicketId};
use crate::proof::{self, MAX_BLOCKS, MAX_PATH};
use crate::told::{self, MAX_STATEMENT};

/// What the document begins with.
pub const OPENED: &str = "vigie opened v1";
/// The most records of a document; it says from where to go on.
pub const MAX_RECORDS: usize = 2_048;
/// The longest document, in bytes.
pub const MAX_OPENED: usize = 64 << 20;
/// The fields of a capture's record that are opened. Where it was looked, at what address and by whom stays closed:
/// in a URL there may be a subscriber's name and password.
pub const OF_CAPTURES: [&str; 2] = ["exhibit", "outcome"];

/// The document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opened {
    /// [`OPENED`].
    pub opened: String,
    /// Of which ticket.
    pub ticket: TicketId,
    /// The checkpoint under which its records stand in the log, as it was signed.
    pub checkpoint: String,
    /// Its records, in the order of the log.
    pub records: Vec<Shown>,
    /// Where there are more: after which record to ask on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<u64>,
}

/// A record, with what may be told of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// Its place in the log.
    pub index: u64,
    /// Its bytes.
    pub record: String,
    /// The hashes that lead from it to the checkpoint's root.
    pub path: Vec<Sha256Hex>,
    /// Of a capture: the fields that are opened.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, Field>,
    /// Of a decision: the statements that are told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
}

/// A field, with what opens it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Its salt.
    pub salt: Sha256Hex,
    /// What it says.
    pub value: Json,
}

/// A statement, with what leads from it to the root that its record shows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// Its place under that root.
    pub place: u32,
    /// Its salt.
    pub salt: Sha256Hex,
    /// What it says, as the canonical JSON that was hashed.
    pub text: String,
    /// The hashes beside its way, the nearest first.
    pub path: Vec<Sha256Hex>,
}

/// A document that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The checkpoint under which all of it stands.
    pub checkpoint: Checkpoint,
    /// Who cosigned it, of the reader's witnesses; `None`: the reader named no key, and anybody may have signed.
    pub signer: Option<Witnessed>,
    /// What it says, in the order of the log.
    pub said: Vec<Said>,
    /// Records of which nothing is told: what was decided before there were such roots, or was erased.
    pub closed: u64,
}

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// Which record.
    pub record: u64,
    /// What: a statement's fields, or a capture's, with `started` and `ended` of what the record shows.
    pub fields: BTreeMap<String, Json>,
}

/// Why a document is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenedError {
    /// Too long.
    #[error("longer than {MAX_OPENED} bytes")]
    TooLong,
    /// Not of this shape.
    #[error("not what is told of a ticket: {0}")]
    Shape(String),
    /// Signed by nobody whom the reader trusts, or not at all.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] ProofError),
    /// Something of a record.
    #[error("record {index}: {why}")]
    Record {
        /// Which.
        index: u64,
        /// What.
        why: Bad,
    },
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Bad {
    /// Records out of order.
    #[error("it comes before one that stood above it")]
    Order,
    /// The record is not in the log.
    #[error("it is not at that place of the log")]
    NotInLog,
    /// Not a record, or another authority's.
    #[error(transparent)]
    Read(#[from] RecordError),
    /// Of another log than the checkpoint.
    #[error("it is another authority's than its log")]
    Authority,
    /// Of a kind that tells nothing of a ticket.
    #[error("a record of kind {0:?} tells nothing of a ticket")]
    Kind(String),
    /// It opens what stays closed.
    #[error("it opens {0:?}, which stays closed")]
    TooMuch(String),
    /// A field is not what the record commits to.
    #[error("its field {0:?} is not what the record commits to")]
    Field(String),
    /// A statement that is none.
    #[error("the statement at {0} is none of this ticket's")]
    Statement(u32),
    /// A statement that the record does not show the root of.
    #[error("the statement at {0} is not under the root that the record shows")]
    NotTold(u32),
    /// A capture that nothing before it rests on.
    #[error("it is a capture that no statement of this ticket names")]
    Stray,
}

impl Field {
    /// What opens a field of a record.
    pub fn of(opening: &FieldOpening) -> Self {
        Self { salt: Sha256Hex(opening.salt.0), value: json(opening.value.clone()) }
    }
}

impl Opened {
    /// Reads a document. Nothing of it is checked yet.
    ///
    /// # Errors
    /// Too long; another shape.
    pub fn read(bytes: &[u8]) -> Result<Self, OpenedError> {
        if bytes.len() > MAX_OPENED {
            return Err(OpenedError::TooLong);
        }
        let read: Self =
            serde_json::from_slice(bytes).map_err(|e| OpenedError::Shape(e.to_string()))?;
        let shape = |what: &str| Err(OpenedError::Shape(what.to_owned()));
        if read.opened != OPENED {
            return shape("it does not begin so");
        }
        if read.records.is_empty() || read.records.len() > 2 * MAX_RECORDS {
            return shape("it has no records, or more than one may");
        }
        Ok(read)
    }

    /// Its writing: one line.
    ///
    /// # Errors
    /// None in what the house makes.
    pub fn write(&self) -> Result<String, OpenedError> {
        let text = serde_json::to_string(self).map_err(|e| OpenedError::Shape(e.to_string()))?;
        if text.len() < MAX_OPENED { Ok(text + "\n") } else { Err(OpenedError::TooLong) }
    }

    /// Checks all of it by the reader's keys: what they sign, the log; the log, its records; its records, what is told.
    /// Without a policy the checkpoint's signature is not looked at.
    ///
    /// # Errors
    /// The first thing that does not hold.
    pub fn check(&self, policy: Option<&Policy>) -> Result<Checked, OpenedError> {
        let note = Note::parse(&self.checkpoint).map_err(ProofError::Note)?;
        let signer = policy.map(|policy| policy.open(&note)).transpose()?;
        let checkpoint = match &signer {
            Some(signer) => signer.checkpoint.clone(),
            None => Checkpoint::of_text(&note.text).map_err(ProofError::Note)?,
        };
        let authority = checkpoint.origin.strip_suffix("/shield");
        let other =
            || OpenedError::Shape(format!("{:?} is no clearing house's log", checkpoint.origin));
        let authority = authority.ok_or_else(other)?;
        let mut checking = Checking { of: self, authority, exhibits: BTreeSet::new() };
        let (mut said, mut closed, mut last) = (Vec::new(), 0, None);
        for shown in &self.records {
            let index = shown.index;
            let told = checking.record(shown, &checkpoint, last.replace(index));
            let told = told.map_err(|why| OpenedError::Record { index, why })?;
            closed += u64::from(told.is_empty());
            said.extend(told.into_iter().map(|fields| Said { record: index, fields }));
        }
        // A capture's record stands before the decision that rests on it.
        for shown in &self.records {
            let named = |field: &Field| {
                let id = field.value.as_str().and_then(|id| id.parse().ok());
                id.is_some_and(|id: ExhibitId| checking.exhibits.contains(&id))
            };
            if shown.fields.get("exhibit").is_some_and(|field| !named(field)) {
                return Err(OpenedError::Record { index: shown.index, why: Bad::Stray });
            }
        }
        Ok(Checked { checkpoint, signer, said, closed })
    }
}

struct Checking<'a> {
    of: &'a Opened,
    authority: &'a str,
    /// What its statements name.
    exhibits: BTreeSet<ExhibitId>,
}

impl Checking<'_> {
    fn record(
        &mut self,
        shown: &Shown,
        checkpoint: &Checkpoint,
        last: Option<u64>,
    ) -> Result<Vec<BTreeMap<String, Json>>, Bad> {
        if last.is_some_and(|last| last >= shown.index) {
            return Err(Bad::Order);
        }
        let path: Vec<_> = shown.path.iter().map(|hash| hash.0).collect();
        let leaf = tree::leaf(shown.record.as_bytes());
        let Checkpoint { size, root, .. } = checkpoint;
        if path.len() > 64 || !tree::is_included(&leaf, shown.index, *size, &path, root) {
            return Err(Bad::NotInLog);
        }
        let record = Record::parse(shown.record.as_bytes())?;
        record.check_fields()?;
        if record.authority != self.authority {
            return Err(Bad::Authority);
        }
        match record.kind.as_str() {
            "shield.decided" => {
                if let Some(field) = shown.fields.keys().next() {
                    return Err(Bad::TooMuch(field.clone()));
                }
                shown.told.iter().map(|told| self.told(&record, told)).collect()
            }
            "capture.made" => {
                if let Some(told) = shown.told.first() {
                    return Err(Bad::NotTold(told.place));
                }
                let mut said = self.fields(shown, &record)?;
                for name in ["started", "ended"] {
                    if let Some(time) = record.public.get(name) {
                        said.insert(name.to_owned(), json(time.clone()));
                    }
                }
                said.insert("deed".to_owned(), "capture".into());
                Ok(vec![said])
            }
            other => Err(Bad::Kind(other.to_owned())),
        }
    }

    /// The fields of a capture that are opened.
    fn fields(&self, shown: &Shown, record: &Record) -> Result<BTreeMap<String, Json>, Bad> {
        let mut said = BTreeMap::new();
        for (name, field) in &shown.fields {
            if !OF_CAPTURES.contains(&name.as_str()) {
                return Err(Bad::TooMuch(name.clone()));
            }
            let value = canon(field.value.clone()).map_err(|_| Bad::Field(name.clone()))?;
            let opening = FieldOpening { salt: Salt(field.salt.0), value };
            let commitment = opening.commitment(record.v, &record.kind, name);
            let commitment = commitment.map_err(RecordError::Canon)?;
            if record.committed.get(name) != Some(&commitment) {
                return Err(Bad::Field(name.clone()));
            }
            said.insert(name.clone(), field.value.clone());
        }
        // Which capture it is has to be said, or it is nothing of this ticket.
        if shown.fields.contains_key("exhibit") { Ok(said) } else { Err(Bad::Stray) }
    }

    /// What a statement says.
    fn told(&mut self, record: &Record, told: &Told) -> Result<BTreeMap<String, Json>, Bad> {
        let Told { place, salt, text, path } = told;
        let (place, path): (u32, Vec<_>) = (*place, path.iter().map(|hash| hash.0).collect());
        let shown = |name: &str| record.public.get(name);
        let root = shown("told").and_then(Canon::as_text).and_then(|root| root.parse().ok());
        let of = shown("told_under").and_then(Canon::as_int);
        let of = of.and_then(|of| u32::try_from(of).ok()).filter(|of| *of <= MAX_BLOCKS);
        let (Some(Sha256Hex(root)), Some(of)) = (root, of) else { return Err(Bad::NotTold(place)) };
        let leaf = told::leaf(text, &salt.0);
        if text.len() > MAX_STATEMENT
            || path.len() > MAX_PATH
            || !proof::is_under(&leaf, place, of, &path, &root)
        {
            return Err(Bad::NotTold(place));
        }
        let none = Bad::Statement(place);
        let Ok(Canon::Map(fields)) = Canon::parse(text.as_bytes()) else { return Err(none) };
        let item = fields.get("item").and_then(Canon::as_text);
        let item = item.and_then(|item| item.parse::<ItemId>().ok()).map(ItemId::ticket);
        let ticket = fields.get("ticket").and_then(Canon::as_int);
        let ticket = ticket.and_then(|ticket| u64::try_from(ticket).ok()).map(TicketId);
        if item.or(ticket) != Some(self.of.ticket) {
            return Err(none);
        }
        let exhibit = fields.get("exhibit").and_then(Canon::as_text);
        self.exhibits.extend(exhibit.and_then(|exhibit| exhibit.parse::<ExhibitId>().ok()));
        Ok(fields.into_iter().map(|(name, value)| (name, json(value))).collect())
    }
}

#[cfg(test)]
mod tests;

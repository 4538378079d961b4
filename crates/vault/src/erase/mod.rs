//! Erasure by law: openings, leaf salts and bytes are destroyed; the log goes on proving that they
//! were there, and says when, by whom and by what right they went (docs/erasure.md).
//!
//! The order is durable in the log first, with all in it that is to be destroyed; then it is carried
//! out ([`carry`]); whoever next opens the case for writing carries out what a crash cut short.
//!
//! An exhibit's id is the hash of its bytes: with it, what is guessable could be guessed, a birth
//! year by a hundred tries, though its salts be gone. So the id goes too, wherever a record names it,
//! and an erased exhibit is called by the record that sealed it. Of an exhibit of which a part is
//! erased, what is left is sealed as an exhibit of its own, the erased leaves being zeros; that it is
//! what the older root spoke of follows from the hashes of the erased subtrees.

mod carry;
mod names;
mod plan;
mod rest;

use std::ops::Range;

use model::ExhibitId;
use model::record::{Body, ErasureOrdered, FieldPlaces, Name, Places};

use crate::case::Case;
use crate::error::{Error, Result};
use crate::origin::Stamp;

pub(crate) use plan::id_in;
pub use plan::{Doomed, PartPlan, Plan};

/// What is to be erased.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// An exhibit, and what is inside it.
    Exhibit(ExhibitId),
    /// The leaves of an exhibit that hold these bytes.
    Bytes(ExhibitId, Vec<Range<u64>>),
    /// A text in a record.
    Field(u64, String),
    /// The names of containers that this order erased, where they stand in records of what stayed.
    Names(u64),
}

/// An order of erasure as the log holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ordered {
    /// Its record.
    pub record: u64,
    /// When it was written.
    pub time: String,
    /// Who ordered it, where that is not withheld.
    pub actor: Option<String>,
    /// What it says.
    pub body: ErasureOrdered,
}

impl Ordered {
    /// True where it names this opening.
    pub fn names(&self, record: u64, field: &str) -> bool {
        let mut fields = self.body.fields.0.iter();
        fields.any(|(range, name)| name == field && range.contains(&record))
    }

    /// True where all that it names stands before it in the log.
    pub(crate) fn is_of_earlier(&self) -> bool {
        let body = &self.body;
        let numbers = body.exhibits.0.iter().chain(&body.parts.0);
        let all = numbers.chain(body.fields.0.iter().map(|(range, _)| range));
        all.map(|range| range.end).chain(body.rest.map(|rest| rest + 1)).all(|n| n <= self.record)
    }

    /// `erased under record 17 on 2026-11-25 (basis)`.
    pub fn said(&self) -> String {
        let day = self.time.get(..10).unwrap_or(&self.time);
        format!("erased under record {} on {day} ({})", self.record, self.body.basis)
    }
}

/// Openings that one record names at most, in bytes of its text: an entry holds 65,535.
const MOST_NAMED: usize = 30_000;

/// Exhibits that one record names at most.
const MOST_EXHIBITS: usize = 600;

impl Case {
    /// The orders of erasure, in the order of their records.
    pub fn orders(&self) -> &[Ordered] {
        &self.orders
    }

    /// The order under which an opening was destroyed.
    pub fn erased_under(&self, record: u64, field: &str) -> Option<&Ordered> {
        self.orders.iter().find(|order| order.names(record, field))
    }

    /// Orders what was planned and carries it out. `with` gives records that go into the same commit;
    /// it is told the id of what is left of an exhibit of which a part is erased. Returns the indices
    /// of the records.
    ///
    /// # Errors
    /// Nothing that could be erased: the leaves are zeros already; the disk. Where the order is in the
    /// log, the next opening for writing carries it out.
    pub fn erase(
        &mut self,
        plan: &Plan,
        (basis, reason): (&str, &str),
        with: &dyn Fn(Option<ExhibitId>) -> Vec<Body>,
        stamp: &Stamp,
    ) -> Result<Range<u64>> {
        let rest = match &plan.part {
            Some(part) => Some(self.stage_rest(part)?),
            None => None,
        };
        let next = self.len();
        let rest_id = rest.as_ref().map(|(staged, _)| staged.id());
        let rest_record = match rest_id {
            Some(id) => Some(self.exhibit(&id)?.map_or(next, |known| known.record)),
            None => None,
        };
        let mut batch = self.batch();
        if let Some((staged, body)) = rest {
            batch.seal_rest(staged, body)?;
        }
        for body in with(rest_id) {
            batch.record(body);
        }
        for body in orders(plan, basis, reason, rest_record) {
            batch.record(body);
        }
        let range = batch.commit(stamp)?;
        self.carry_out()?;
        Ok(range)
    }
}

/// The records of an order: one, unless it names too much for one.
fn orders(plan: &Plan, basis: &str, reason: &str, rest: Option<u64>) -> Vec<ErasureOrdered> {
    let empty = || ErasureOrdered {
        basis: basis.to_owned(),
        exhibits: Places::default(),
        parts: Places::default(),
        leaves: Places::default(),
        rest: None,
        fields: FieldPlaces::default(),
        count: 0,
        reason: reason.to_owned(),
        media: Vec::new(),
        digests: Places::default(),
    };
    let mut first = empty();
    first.count = plan.leaves();
    first.media = plan.media().map(|path| Name(path_bytes(path))).collect();
    first.digests = Places::of(plan.telling.iter().copied());
    if let Some(part) = &plan.part {
        first.parts = Places::of(part.seals.iter().copied());
        first.leaves = Places(part.leaves.clone());
        first.rest = rest;
    }
    let mut out = vec![first];
    let places = Places::of(plan.exhibits.iter().map(|e| e.record).chain(plan.earlier.clone()));
    for (n, some) in places.0.chunks(MOST_EXHIBITS).enumerate() {
        if n > 0 {
            out.push(empty());
        }
        if let Some(last) = out.last_mut() {
            last.exhibits = Places(some.to_vec());
        }
    }
    let mut bytes = 0;
    for item in FieldPlaces::of(plan.fields.iter().cloned()).0 {
        // Two numbers, their marks, the quotes and the comma.
        bytes += item.1.len() + 46;
        if bytes > MOST_NAMED {
            out.push(empty());
            bytes = 0;
        }
        if let Some(last) = out.last_mut() {
            last.fields.0.push(item);
        }
    }
    out
}

fn path_bytes(path: &std::path::Path) -> Vec<u8> {
    use std::os::unix::ffi::OsStrExt;
    path.as_os_str().as_bytes().to_vec()
}

/// The hashes of erased subtrees, as an opening keeps them.
pub(crate) fn hashes_of(texts: &[String]) -> Option<Vec<crate::disclose::Erased>> {
    texts.iter().map(|text| crate::disclose::Erased::parse(text)).collect()
}

/// The nodes that an opening keeps.
pub(crate) fn nodes_of(texts: &[String]) -> Option<Vec<crate::ggm::Node>> {
    texts.iter().map(|text| crate::ggm::Node::parse(text)).collect()
}

/// A sealing record whose opening cannot be read as what an order left.
pub(crate) fn odd(index: u64) -> Error {
    let source = model::record::RecordError::Shape("leaf secrets or hashes that are none");
    Error::Record { index, source }
}

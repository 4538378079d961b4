//! What the records on people and custody say, put together.

use std::collections::{BTreeMap, BTreeSet};

use super::{Proof, Side, Step, moment};
use crate::canonical::Canon;
use crate::commitment::{FieldOpening, Salt};
use crate::id::{ExhibitId, Sha256Hex};
use crate::record::{
    ActorEnrolled, Body, CustodyCorrected, CustodyHandedOver, CustodyRegistered, Opening, Record,
    RecordError,
};
use crate::time::{Precision, Stamp};

/// Fields that may be erased without loss to the chain: then they read as empty.
const ERASABLE: [&str; 6] = ["name", "role", "organisation", "place", "description", "reason"];

/// Fields that go with the exhibits they name: an item is the same item without them.
const EXHIBITS: [&str; 2] = ["exhibit", "exhibits"];

/// A record on people or custody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// Its place in the log.
    pub record: u64,
    /// When it was written.
    pub time: String,
    /// Its leaf hash.
    pub hash: Sha256Hex,
    /// True where none of its fields was withheld or erased.
    pub whole: bool,
}

/// A person as a record enrols them. A later enrolment of the same person takes its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The record.
    pub taken: Taken,
    /// What it says.
    pub body: ActorEnrolled,
}

/// An item in custody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The record that registers it.
    pub taken: Taken,
    /// What it says.
    pub body: CustodyRegistered,
    /// Every digital exhibit imaged from it, with the record that says so.
    pub imaged: Vec<(ExhibitId, u64)>,
}

/// A hand-over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandOver {
    /// The record.
    pub taken: Taken,
    /// What it says.
    pub body: CustodyHandedOver,
    /// Acknowledgements: record, side, words.
    pub acknowledged: Vec<(u64, String, String)>,
}

/// People, items and hand-overs of a case, in the order of their records.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Book {
    /// Enrolments.
    pub people: Vec<Person>,
    /// Items.
    pub items: Vec<Item>,
    /// Hand-overs.
    pub hand_overs: Vec<HandOver>,
    /// Records set aside → the record that does, and why.
    pub corrected: BTreeMap<u64, (u64, String)>,
    /// Records of which so much was withheld or erased that they say nothing here.
    pub withheld: Vec<u64>,
}

/// Reads a record on people or custody; what may be erased reads as empty where it was.
///
/// # Errors
/// As [`Body::read`].
pub fn read(record: &Record, opening: &Opening) -> Result<(Body, bool), RecordError> {
    let gone =
        |name: &str| record.committed.contains_key(name) && !opening.fields.contains_key(name);
    let whole = !record.committed.keys().any(|name| gone(name));
    let (mut filled, mut left) = (opening.clone(), record.clone());
    left.committed.retain(|name, _| !(EXHIBITS.contains(&name.as_str()) && gone(name)));
    for name in ERASABLE.iter().filter(|name| gone(name)) {
        let empty = FieldOpening { salt: Salt([0; 32]), value: Canon::text("") };
        filled.fields.insert((*name).to_owned(), empty);
    }
    Ok((Body::read(&left, &filled)?, whole))
}

impl Book {
    /// True for the kinds of record that a book takes in.
    pub fn takes(kind: &str) -> bool {
        kind.starts_with("custody.") || kind.starts_with("actor.")
    }

    /// Takes in the next record.
    pub fn take(&mut self, index: u64, record: &Record, opening: &Opening) {
        let Ok((body, whole)) = read(record, opening) else {
            self.withheld.push(index);
            return;
        };
        let taken = Taken { record: index, time: record.time.clone(), hash: opening.record, whole };
        match body {
            Body::ActorEnrolled(body) => self.people.push(Person { taken, body }),
            Body::CustodyRegistered(body) => {
                let imaged = body.exhibits.iter().map(|id| (*id, index)).collect();
                self.items.push(Item { taken, body, imaged });
            }
            Body::CustodyImaged(body) => {
                let item = self.items.iter_mut().rev().find(|item| item.body.item == body.item);
                if let Some(item) = item {
                    item.imaged.extend(body.exhibits.iter().map(|id| (*id, index)));
                }
            }
            Body::CustodyHandedOver(body) => {
                self.hand_overs.push(HandOver { taken, body, acknowledged: Vec::new() });
            }
            Body::CustodyAcknowledged(body) => {
                if let Some(hand_over) = self.hand_over_mut(body.record) {
                    hand_over.acknowledged.push((index, body.side, body.words));
                }
            }
            Body::CustodyCorrected(CustodyCorrected { record, reason }) => {
                self.corrected.entry(record).or_insert((index, reason));
            }
            _ => {}
        }
    }

    fn hand_over_mut(&mut self, record: u64) -> Option<&mut HandOver> {
        self.hand_overs.iter_mut().find(|h| h.taken.record == record)
    }

    /// True where no record sets this one aside.
    pub fn counts(&self, record: u64) -> bool {
        !self.corrected.contains_key(&record)
    }

    /// The persons as they are enrolled now, by short name.
    pub fn enrolled(&self) -> BTreeMap<&str, &Person> {
        let standing = self.people.iter().filter(|p| self.counts(p.taken.record));
        standing.map(|p| (p.body.person.as_str(), p)).collect()
    }

    /// The key by which the signature of a person under a record is verified: the last one enrolled
    /// before it.
    pub fn key(&self, person: &str, record: u64) -> Option<&str> {
        let standing = |p: &&Person| {
            p.body.person == person
                && p.taken.record < record
                && p.body.key.is_some()
                && self.counts(p.taken.record)
        };
        self.people.iter().rev().find(standing).and_then(|p| p.body.key.as_deref())
    }

    /// An item that is registered.
    pub fn item(&self, name: &str) -> Option<&Item> {
        let standing = |i: &&Item| i.body.item == name && self.counts(i.taken.record);
        self.items.iter().find(standing)
    }

    /// A hand-over by its record.
    pub fn hand_over(&self, record: u64) -> Option<&HandOver> {
        self.hand_overs.iter().find(|h| h.taken.record == record)
    }

    /// The names of all items that ever were registered or handed over.
    pub fn item_names(&self) -> BTreeSet<&str> {
        let registered = self.items.iter().map(|i| i.body.item.as_str());
        registered.chain(self.hand_overs.iter().map(|h| h.body.item.as_str())).collect()
    }

    /// The steps of an item that count; `proofs` tells what of a hand-over's sides holds.
    pub fn steps(&self, item: &str, proofs: &dyn Fn(&HandOver) -> [Proof; 2]) -> Vec<Step> {
        let registered = self.items.iter().filter(|i| i.body.item == item).map(|i| Step {
            record: i.taken.record,
            at: moment(&i.body.happened),
            recorded: recorded(&i.taken),
            from: None,
            to: i.body.holder.clone(),
            place: i.body.place.clone(),
            seal_before: i.body.seal.clone(),
            seal_after: i.body.seal.clone(),
            reason: None,
            proofs: None,
        });
        let handed = self.hand_overs.iter().filter(|h| h.body.item == item).map(|h| Step {
            record: h.taken.record,
            at: moment(&h.body.happened),
            recorded: recorded(&h.taken),
            from: Some(h.body.from.clone()),
            to: h.body.to.clone(),
            place: h.body.place.clone(),
            seal_before: h.body.seal_before.clone(),
            seal_after: h.body.seal_after.clone(),
            reason: h.body.reason.clone(),
            proofs: Some(proofs(h)),
        });
        registered.chain(handed).filter(|step| self.counts(step.record)).collect()
    }
}

/// When a record was written.
fn recorded(taken: &Taken) -> Stamp {
    let zero = Stamp { local_ms: 0, offset_min: Some(0), precision: Precision::Millisecond };
    Stamp::parse_iso(&taken.time).unwrap_or(zero)
}

impl HandOver {
    /// A side's signature line.
    pub fn signature(&self, side: Side) -> Option<&str> {
        match side {
            Side::From => self.body.from_signature.as_deref(),
            Side::To => self.body.to_signature.as_deref(),
        }
    }

    /// Who is on a side.
    pub fn person(&self, side: Side) -> &str {
        match side {
            Side::From => &self.body.from,
            Side::To => &self.body.to,
        }
    }

    /// What a side without a signature read back, against the words of the record.
    pub fn read_back(&self, side: Side) -> Proof {
        let without = self.body.without_device.as_deref() == Some(side.as_str());
        let words = crate::spoken::words(&self.taken.hash);
        let mut said = self.acknowledged.iter().filter(|(_, of, _)| of == side.as_str());
        match said.next_back() {
            _ if !without => Proof::Missing,
            None => Proof::Waiting,
            Some((_, _, said)) if *said == words => Proof::Acknowledged,
            Some(_) => Proof::Broken,
        }
    }
}

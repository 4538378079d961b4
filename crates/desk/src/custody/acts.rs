//! What people do: enrol, register, hand over, acknowledge, correct. Checks against the state, then
//! the one record that says it.

use std::collections::BTreeMap;

use ledger::VerifierKey;
use ledger::note::Signature;
use model::ExhibitId;
use model::custody::{Offer, Side, is_line, is_person, moment};
use model::record::{
    ActorEnrolled, Body, CustodyAcknowledged, CustodyCorrected, CustodyHandedOver, CustodyImaged,
    CustodyRegistered,
};

use super::Custody;
use super::offer::bad_person;
use crate::{Error, Result};

/// A clock of another machine may be so much ahead.
const AHEAD_MS: i64 = 5 * 60_000;

/// Most exhibits that one record names: it must fit the log.
const MAX_IMAGED: usize = 500;

/// What somebody wants recorded of people or custody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A person takes part.
    Enrol {
        /// The short name, which is the key's.
        person: String,
        /// The name.
        name: String,
        /// What the person does.
        role: Option<String>,
        /// For whom.
        organisation: Option<String>,
        /// What verifies the person's signatures.
        key: Option<String>,
    },
    /// An item comes into custody.
    Register(CustodyRegistered),
    /// Exhibits were imaged from an item.
    Image {
        /// The item.
        item: String,
        /// The exhibits.
        exhibits: Vec<ExhibitId>,
    },
    /// An item went from hand to hand.
    HandOver {
        /// What was signed.
        offer: Offer,
        /// The signatures, by person.
        signatures: BTreeMap<String, Signature>,
        /// The side that has no device.
        without_device: Option<Side>,
    },
    /// A side without a device read the record's words back.
    Acknowledge {
        /// The hand-over's record.
        record: u64,
        /// The words.
        words: String,
    },
    /// A record was wrong.
    Correct {
        /// The record.
        record: u64,
        /// Why.
        reason: String,
    },
}

/// What such decisions look at.
pub(crate) struct Known<'a> {
    /// People and custody so far.
    pub(crate) custody: Custody,
    /// Now, in UTC.
    pub(crate) now_ms: i64,
    /// Whether the case holds an exhibit.
    pub(crate) exhibit: &'a dyn Fn(&ExhibitId) -> Result<bool>,
}

fn asked(why: impl Into<String>) -> Error {
    Error::Asked(why.into())
}

/// The record that an act leads to; `None` where the log says it already.
pub(crate) fn decide(known: &Known<'_>, act: &Act) -> Result<Option<Body>> {
    match act {
        Act::Enrol { person, name, role, organisation, key } => {
            let body = ActorEnrolled {
                person: person.clone(),
                name: name.clone(),
                role: role.clone(),
                organisation: organisation.clone(),
                key: key.clone(),
            };
            enrol(known, body)
        }
        Act::Register(body) => register(known, body),
        Act::Image { item, exhibits } => {
            item_of(known, item)?;
            sealed(known, exhibits)?;
            if exhibits.is_empty() {
                return Err(asked("no exhibit is named"));
            }
            Ok(Some(CustodyImaged { item: item.clone(), exhibits: exhibits.clone() }.into()))
        }
        Act::HandOver { offer, signatures, without_device } => {
            hand_over(known, offer, signatures, *without_device)
        }
        Act::Acknowledge { record, words } => acknowledge(known, *record, words),
        Act::Correct { record, reason } => correct(known, *record, reason),
    }
}

fn line<'a>(what: &str, texts: impl IntoIterator<Item = Option<&'a String>>) -> Result<()> {
    let bad = |text: &&String| !is_line(text);
    match texts.into_iter().flatten().find(bad) {
        None => Ok(()),
        Some(text) => Err(asked(format!(
            "{what}: {text:?} is not one line of text of at most {} bytes",
            model::custody::MAX_VALUE
        ))),
    }
}

fn enrol(known: &Known<'_>, body: ActorEnrolled) -> Result<Option<Body>> {
    let book = &known.custody.book;
    if !is_person(&body.person) {
        return Err(bad_person(&body.person));
    }
    line("a person", [Some(&body.name), body.role.as_ref(), body.organisation.as_ref()])?;
    if let Some(text) = &body.key {
        let key = VerifierKey::parse(text).map_err(|e| asked(format!("{text:?}: {e}")))?;
        if key.name() != body.person {
            let (name, person) = (key.name(), &body.person);
            return Err(asked(format!("the key is of {name}, not of {person}")));
        }
        // Two people with one key could each have signed what the other did. The same bytes under
        // another name are the same key.
        let same = |other: &&str| {
            let other = VerifierKey::parse(other).and_then(|key| key.renamed(&body.person));
            other.is_ok_and(|other| other == key)
        };
        let others = book.people.iter().filter(|p| p.body.person != body.person);
        let standing = others.filter(|p| book.counts(p.taken.record));
        if let Some(other) =
            standing.into_iter().find(|p| p.body.key.as_deref().as_ref().is_some_and(same))
        {
            return Err(asked(format!("the key is enrolled for {}", other.body.person)));
        }
    }
    let before = book.enrolled().get(body.person.as_str()).map(|p| p.body.clone());
    Ok((before.as_ref() != Some(&body)).then(|| body.into()))
}

fn register(known: &Known<'_>, body: &CustodyRegistered) -> Result<Option<Body>> {
    let texts = [Some(&body.item), Some(&body.description), Some(&body.place), body.seal.as_ref()];
    line("an item", texts)?;
    if let Some(item) = known.custody.book.item(&body.item) {
        let (name, record) = (&body.item, item.taken.record);
        return Err(asked(format!(
            "{name:?} is registered by record {record}: hand it over, or set that record aside first"
        )));
    }
    enrolled(known, &body.holder)?;
    happened(known, &body.happened)?;
    sealed(known, body.exhibits.iter().chain(&body.exhibit))?;
    Ok(Some(body.clone().into()))
}

fn hand_over(
    known: &Known<'_>,
    offer: &Offer,
    signatures: &BTreeMap<String, Signature>,
    without_device: Option<Side>,
) -> Result<Option<Body>> {
    let book = &known.custody.book;
    offer.check().map_err(|e| asked(e.to_string()))?;
    if offer.case != known.custody.origin {
        return Err(asked(format!("the hand-over is of another case, {}", offer.case)));
    }
    item_of(known, &offer.item)?;
    happened(known, &offer.happened)?;
    if let Some(same) = book.hand_overs.iter().find(|h| h.body.nonce == offer.nonce) {
        let (record, body) = (same.taken.record, &same.body);
        let said = [
            ("item", body.item == offer.item),
            ("description", body.description == offer.description),
            ("from", body.from == offer.from),
            ("to", body.to == offer.to),
            ("place", body.place == offer.place),
            ("happened", body.happened == offer.happened),
            ("seal-before", body.seal_before == offer.seal_before),
            ("seal-after", body.seal_after == offer.seal_after),
            ("reason", body.reason == offer.reason),
        ];
        let other: Vec<&str> =
            said.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect();
        return Err(asked(if other.is_empty() {
            format!("it is recorded already, as record {record}")
        } else {
            format!(
                "it is NOT recorded: record {record} has its nonce and says otherwise ({}). One of the \
                 two was altered, or made from the other: compare them, and make a new offer",
                other.join(", ")
            )
        }));
    }
    let text = offer.to_string();
    let mut lines = [None, None];
    for (side, line) in Side::BOTH.into_iter().zip(&mut lines) {
        let person = if side == Side::From { &offer.from } else { &offer.to };
        enrolled(known, person)?;
        let Some(signature) = signatures.get(person) else {
            if without_device == Some(side) && offer.from != offer.to {
                continue;
            }
            return Err(asked(format!(
                "{person} has not signed it: `vigie custody sign`, or --without-device {}",
                side.as_str()
            )));
        };
        if without_device == Some(side) {
            return Err(asked(format!("{person} has signed it: no acknowledgement is wanted")));
        }
        let key = book.key(person, u64::MAX).ok_or_else(|| {
            asked(format!("{person} is enrolled without a key: `vigie actor add` with one first"))
        })?;
        let note = ledger::Note { text: text.clone(), signatures: vec![signature.clone()] };
        VerifierKey::parse(key).and_then(|key| key.open_note(&note)).map_err(|_| {
            asked(format!("the signature of {person} is not by the enrolled key over this text"))
        })?;
        *line = Some(signature.to_string());
    }
    let strange = signatures.keys().find(|name| ![&offer.from, &offer.to].contains(name));
    if let Some(name) = strange {
        return Err(asked(format!("{name} signed it, and is on neither side")));
    }
    let [from_signature, to_signature] = lines;
    let body = CustodyHandedOver {
        item: offer.item.clone(),
        description: offer.description.clone(),
        from: offer.from.clone(),
        to: offer.to.clone(),
        place: offer.place.clone(),
        happened: offer.happened.clone(),
        seal_before: offer.seal_before.clone(),
        seal_after: offer.seal_after.clone(),
        reason: offer.reason.clone(),
        nonce: offer.nonce.clone(),
        from_signature,
        to_signature,
        without_device: without_device.map(|side| side.as_str().to_owned()),
    };
    Ok(Some(body.into()))
}

fn acknowledge(known: &Known<'_>, record: u64, words: &str) -> Result<Option<Body>> {
    let book = &known.custody.book;
    let hand_over = book
        .hand_over(record)
        .filter(|_| book.counts(record))
        .ok_or_else(|| asked(format!("record {record} is no hand-over that counts")))?;
    let side = hand_over.body.without_device.as_deref().and_then(Side::of);
    let side = side
        .ok_or_else(|| asked(format!("both sides of record {record} signed: nothing is open")))?;
    let said = model::spoken::read_back(words)
        .ok_or_else(|| asked("what was read back is not four words of the list"))?;
    if said != model::spoken::words(&hand_over.taken.hash) {
        return Err(asked(
            "these are not the words of the record: what was read is another hand-over, or was \
             misheard",
        ));
    }
    let again =
        hand_over.acknowledged.iter().any(|(_, of, words)| of == side.as_str() && *words == said);
    let side = side.as_str().to_owned();
    Ok((!again).then(|| CustodyAcknowledged { record, side, words: said }.into()))
}

fn correct(known: &Known<'_>, record: u64, reason: &str) -> Result<Option<Body>> {
    let book = &known.custody.book;
    let people = book.people.iter().map(|p| p.taken.record);
    let items = book.items.iter().map(|i| i.taken.record);
    let hand_overs = book.hand_overs.iter().map(|h| h.taken.record);
    if !people.chain(items).chain(hand_overs).any(|known| known == record) {
        return Err(asked(format!(
            "record {record} enrols nobody, registers nothing and hands nothing over"
        )));
    }
    if let Some((by, _)) = book.corrected.get(&record) {
        return Err(asked(format!("record {record} is set aside already, by record {by}")));
    }
    Ok(Some(CustodyCorrected { record, reason: reason.to_owned() }.into()))
}

fn item_of(known: &Known<'_>, item: &str) -> Result<()> {
    match known.custody.book.item(item) {
        Some(_) => Ok(()),
        None => Err(asked(format!("no item {item:?} is in custody: `vigie custody register`"))),
    }
}

fn enrolled(known: &Known<'_>, person: &str) -> Result<()> {
    if known.custody.book.enrolled().contains_key(person) {
        return Ok(());
    }
    Err(asked(format!("nobody is enrolled as {person:?}: `vigie actor add` first")))
}

fn happened(known: &Known<'_>, text: &str) -> Result<()> {
    let stamp = moment(text).ok_or_else(|| {
        asked(format!("{text:?} is no time with its zone, such as 2026-11-12T10:00+01:00"))
    })?;
    if stamp.utc_ms() > known.now_ms + AHEAD_MS {
        return Err(asked(format!("{text} is yet to come")));
    }
    Ok(())
}

fn sealed<'a>(known: &Known<'_>, exhibits: impl IntoIterator<Item = &'a ExhibitId>) -> Result<()> {
    for (n, exhibit) in exhibits.into_iter().enumerate() {
        if n >= MAX_IMAGED {
            return Err(asked(format!("a record names at most {MAX_IMAGED} exhibits: use more")));
        }
        if !(known.exhibit)(exhibit)? {
            return Err(Error::NotFound { what: format!("the exhibit {exhibit}") });
        }
    }
    Ok(())
}

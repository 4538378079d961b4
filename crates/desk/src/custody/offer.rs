//! Offers and keys: what a side does on its own machine, without a case.

use std::collections::BTreeMap;
use std::path::Path;

use ledger::note::Signature;
use ledger::{Note, OwnKey, SigningKey};
use model::custody::{Offer, is_person};

use super::Custody;
use crate::{Error, Result};

/// A hand-over that is to be offered. What is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewOffer {
    /// The item.
    pub item: String,
    /// Who gives it; by default who has it.
    pub from: Option<String>,
    /// Who takes it; by default who gives it: then only place or seal change.
    pub to: Option<String>,
    /// Where it is from then on.
    pub place: Option<String>,
    /// When; by default now.
    pub happened: Option<String>,
    /// The seal on it when it is given, where it is not the one that is known.
    pub seal_before: Option<String>,
    /// The new seal; an empty one for none.
    pub seal_after: Option<String>,
    /// Why the seal changes.
    pub reason: Option<String>,
}

fn asked(why: impl std::fmt::Display) -> Error {
    Error::Asked(why.to_string())
}

impl Custody {
    /// The text for both sides to sign, made now.
    ///
    /// # Errors
    /// As [`Custody::offer`].
    pub fn new_offer(&self, new: &NewOffer) -> Result<Offer> {
        self.offer(new, crate::desk::now_ms(), &vault::random()?)
    }

    /// The text for both sides to sign. `random` makes it unlike any other.
    ///
    /// # Errors
    /// An item or a person that is not known; a value that none may be.
    pub fn offer(&self, new: &NewOffer, now_ms: i64, random: &[u8; 32]) -> Result<Offer> {
        let held = self.held(&new.item).filter(|held| held.item.is_some()).ok_or_else(|| {
            let item = &new.item;
            asked(format!("no item {item:?} is in custody: `vigie custody register` first"))
        })?;
        let now = held.chain.now();
        let last = now.last();
        let from = match (&new.from, now.as_slice()) {
            (Some(from), _) => from.clone(),
            (None, [only]) => only.holder.clone(),
            (None, _) => return Err(asked("more than one holds it by the records: say --from")),
        };
        let enrolled = self.book.enrolled();
        let to = new.to.clone().unwrap_or_else(|| from.clone());
        for person in [&from, &to] {
            if !enrolled.contains_key(person.as_str()) {
                return Err(asked(format!("nobody is enrolled as {person:?}: `vigie actor add`")));
            }
        }
        let known = last.and_then(|stint| stint.seal.clone());
        let seal_before = new.seal_before.clone().or(known);
        let seal_after = new.seal_after.clone().or_else(|| seal_before.clone());
        let some = |text: Option<String>| text.filter(|text| !text.is_empty());
        let place = new.place.clone().or_else(|| last.map(|stint| stint.place.clone()));
        let now = now_ms.div_euclid(1000);
        let offer = Offer {
            case: self.origin.clone(),
            item: new.item.clone(),
            description: held.description().map(str::to_owned),
            from,
            to,
            place: place.unwrap_or_default(),
            happened: new
                .happened
                .clone()
                .unwrap_or_else(|| model::Stamp::unix_seconds(now).to_string()),
            seal_before: some(seal_before),
            seal_after: some(seal_after),
            reason: some(new.reason.clone()),
            nonce: model::id::hex(&random[..16]),
        };
        offer.check().map_err(asked)?;
        Ok(offer)
    }
}

/// The offer in a file's text, and the signatures below it, unverified.
fn read(text: &str) -> Result<(Offer, Vec<Signature>)> {
    if let Ok(offer) = Offer::parse(text) {
        return Ok((offer, Vec::new()));
    }
    // A file without signatures is told what is wrong with it as an offer.
    let Ok(note) = Note::parse(text) else {
        return Offer::parse(text).map(|offer| (offer, Vec::new())).map_err(asked);
    };
    Ok((Offer::parse(&note.text).map_err(asked)?, note.signatures))
}

/// Puts one more signature below an offer.
///
/// # Errors
/// A text that is no offer; a key of somebody who is on neither side.
pub fn sign(text: &str, key: &SigningKey) -> Result<(Offer, String)> {
    let (offer, mut signatures) = read(text)?;
    if ![&offer.from, &offer.to].iter().any(|person| *person == key.name()) {
        let (from, to) = (&offer.from, &offer.to);
        let name = key.name();
        return Err(asked(format!("the key is of {name}, the hand-over from {from} to {to}")));
    }
    let mut note = key.note(offer.to_string());
    signatures.retain(|s| s.name != key.name());
    signatures.append(&mut note.signatures);
    note.signatures = signatures;
    Ok((offer, note.to_string()))
}

/// The one offer of several files, as each side signed its own copy, and the signatures by person.
///
/// # Errors
/// Texts that are no offers, or of different hand-overs.
pub fn merge(texts: &[String]) -> Result<(Offer, BTreeMap<String, Signature>)> {
    let mut offers = texts.iter().map(|text| read(text));
    let Some(first) = offers.next() else { return Err(asked("no offer is given")) };
    let (offer, mut signatures) = first?;
    for other in offers {
        let (other, mut more) = other?;
        if other != offer {
            return Err(asked("the files are not of the same hand-over"));
        }
        signatures.append(&mut more);
    }
    Ok((offer, signatures.into_iter().map(|s| (s.name.clone(), s)).collect()))
}

/// Makes a person's key in a new file that nobody else may read, and gives what verifies it.
///
/// # Errors
/// A name that none may be called by; a file that is there; the disk.
pub fn new_key(person: &str, path: &Path) -> Result<String> {
    if !is_person(person) {
        return Err(bad_person(person));
    }
    let key = SigningKey::new(person, &vault::random()?).map_err(asked)?;
    Ok(OwnKey::create(path, key)?.verifier().text())
}

/// Opens a person's key.
///
/// # Errors
/// The disk; a file that holds none, or that others can read; no passphrase, or a wrong one.
pub fn read_key(path: &Path) -> Result<SigningKey> {
    Ok(OwnKey::read(path)?.unlock()?)
}

pub(super) fn bad_person(person: &str) -> Error {
    asked(format!(
        "{person:?} cannot be a person's short name: small letters, digits and . - _ @, at most 64"
    ))
}

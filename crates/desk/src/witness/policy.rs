//! Whom an authority asks to cosign, and how many of them it requires: records of its own log.

use std::collections::BTreeMap;
use std::path::Path;

use ledger::{Home, WitnessKey};
use model::Sha256Hex;
use model::record::{
    Body, Envelope, Opening, Record, WitnessDropped, WitnessNamed, WitnessRequired, write,
};

use crate::desk::now_ms;
use crate::{Error, Result, outside};

/// The most witnesses that an authority names.
pub const MAX_WITNESSES: usize = 64;

/// Somebody who is asked to cosign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The key.
    pub key: WitnessKey,
    /// Where: the prefix before `/add-checkpoint`.
    pub url: String,
}

/// Whom an authority asks, and how many have to cosign one checkpoint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The witnesses, in the order they were named.
    pub witnesses: Vec<Named>,
    /// How many of them it requires; 0 where it never said.
    pub quorum: u64,
}

/// The witnesses that an authority asks, in the order they were named, by a log that was proven.
///
/// # Errors
/// No such authority; its log does not hold.
pub fn list(home: &Path, name: Option<&str>) -> Result<Vec<Named>> {
    proven(home, name)?;
    Ok(policy(home, name)?.witnesses)
}

/// Proves the authority's own log: whom it names and requires is only worth what that is.
fn proven(home: &Path, name: Option<&str>) -> Result<()> {
    match vault::verify_authority(&authority(&Home::new(home), name)?).into_iter().next() {
        None => Ok(()),
        Some(vault::Finding { place, message }) => Err(Error::Authority { place, message }),
    }
}

/// The witnesses that an authority asks, and how many of them it requires.
///
/// # Errors
/// As [`list`].
pub fn policy(home: &Path, name: Option<&str>) -> Result<Policy> {
    let home = Home::new(home);
    let log = match authority(&home, name)?.reader() {
        Ok(log) => log,
        // It has a key, and no log yet.
        Err(e) if e.is_missing() => return Ok(Policy::default()),
        Err(e) => return Err(e.into()),
    };
    let mut out = Policy::default();
    for entry in log.entries(0) {
        let Ok(record) = Record::parse(&entry?) else { continue };
        let nothing = Opening {
            record: Sha256Hex([0; 32]), // all of these kinds stands in the clear
            fields: BTreeMap::new(),
            leaf_secrets: Vec::new(),
            erased: Vec::new(),
        };
        match Body::read(&record, &nothing) {
            Ok(Body::WitnessNamed(body)) => {
                if let Ok(key) = WitnessKey::parse(&body.witness) {
                    out.witnesses.retain(|named| named.key != key);
                    out.witnesses.push(Named { key, url: body.url });
                }
            }
            Ok(Body::WitnessDropped(body)) => {
                out.witnesses.retain(|named| named.key.text() != body.witness);
            }
            Ok(Body::WitnessRequired(body)) => out.quorum = body.quorum,
            _ => {}
        }
    }
    Ok(out)
}

/// Says how many of the named witnesses have to cosign; 0 takes that back. `false` where that is so
/// already.
///
/// # Errors
/// More than are named; the disk.
pub fn require(home: &Path, quorum: u64) -> Result<bool> {
    proven(home, None)?;
    let policy = policy(home, None)?;
    let named = policy.witnesses.len();
    if quorum > named as u64 {
        return Err(Error::Asked(format!(
            "{quorum} are more than the {named} that are named: name others first (`vigie witness \
             add`)"
        )));
    }
    if quorum != policy.quorum {
        record(home, WitnessRequired { quorum }.into())?;
    }
    Ok(quorum != policy.quorum)
}

pub(super) fn authority(home: &Home, name: Option<&str>) -> Result<ledger::Authority> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => home.named()?.unwrap_or_else(|| ledger::PRACTICE.to_owned()),
    };
    Ok(home.find(&name)?)
}

/// Names a witness in the authority's own log; one that is named is asked at the new address.
///
/// # Errors
/// What is no key or no address; a second name or a second key of one that is named, which would
/// count twice; more than [`MAX_WITNESSES`]; the disk.
pub fn name(home: &Path, key: &str, url: &str) -> Result<Named> {
    let key = WitnessKey::parse(key).map_err(|e| Error::Asked(format!("the witness: {e}")))?;
    let url = url.trim_end_matches('/').to_owned();
    outside::check(&url)?;
    let before = list(home, None)?;
    if before.len() >= MAX_WITNESSES && before.iter().all(|named| named.key != key) {
        return Err(Error::Asked(format!("an authority names at most {MAX_WITNESSES} witnesses")));
    }
    let other = before
        .iter()
        .map(|named| &named.key)
        .find(|there| **there != key && (there.name() == key.name() || there.is_by_key_of(&key)));
    if let Some(there) = other {
        let there = there.name();
        let what = if there == key.name() { "another key of the witness" } else { "the key of" };
        return Err(Error::Asked(format!(
            "it is {what} {there}, and one witness counts once: drop that first (`vigie witness \
             drop {there}`)"
        )));
    }
    let own = ledger::witness::WitnessHome::new(home).key();
    if own.is_ok_and(|own| own.witness() == key) {
        return Err(Error::Asked(
            "this is the witness of this very home: who witnesses himself proves nothing".into(),
        ));
    }
    record(home, WitnessNamed { witness: key.text(), url: url.clone() }.into())?;
    Ok(Named { key, url })
}

/// Asks a witness no more.
///
/// # Errors
/// None of that name; more are required than would be left; the disk.
pub fn drop(home: &Path, name: &str) -> Result<Named> {
    proven(home, None)?;
    let Policy { witnesses, quorum } = policy(home, None)?;
    let left = witnesses.len().saturating_sub(1) as u64;
    let found = witnesses.into_iter().find(|named| named.key.name() == name);
    let found = found.ok_or_else(|| Error::NoWitness(name.to_owned()))?;
    if quorum > left {
        return Err(Error::Asked(format!(
            "{quorum} witnesses are required, and {left} would be left: name another first (`vigie \
             witness add`), or require fewer (`vigie witness require {left}`)"
        )));
    }
    record(home, WitnessDropped { witness: found.key.text() }.into())?;
    Ok(found)
}

/// Appends a record to the authority's own log.
fn record(home: &Path, body: Body) -> Result<()> {
    let authority = Home::new(home).current(&vault::random()?)?;
    let (_lock, mut log) = vault::open_log(&authority, "vigie witness", vault::Wait::Wait)?;
    let envelope = Envelope {
        time_ms: now_ms(),
        authority: authority.name().to_owned(),
        actor: String::new(),
    };
    let (bytes, _) =
        write(&body, &envelope, &mut || [0; 32]).map_err(|e| Error::Asked(e.to_string()))?;
    log.append(&[bytes])?;
    Ok(vault::finish_log(&authority, log)?)
}

//! The feed's own key: kept in the authority's folder, and replaced by a record (docs/keys.md).
//!
//! A new key stands beside the old one before the record does, and takes its place after it. So a crash leaves the old
//! state or the new one: [`settled`] completes what was begun.

use std::path::Path;

use ledger::{OwnKey, SigningKey, VerifierKey, disk};
use shield::order::words::Grounds;
use shield::wire::keys::{self, MAX_TURNS};

use super::super::house::House;
use super::super::house_act::HouseAct;
use super::super::replay::Standing;
use super::{FEED_KEY, Publisher, feed_key, paper};
use crate::{Error, Result};

/// The next one, until it is in the place of the one before.
const NEXT: &str = "shield/feed-key-next";
/// Where it is told, beside everybody's manifest.
pub const KEYS: &str = "keys";

/// What has the feed's key replaced by a new one, once it is on record ([`settled`] then puts that in its place).
///
/// # Errors
/// The disk; a key that others can read; no passphrase, or a wrong one.
pub fn next_feed_key(home: &Path, authority: &str, grounds: Grounds) -> Result<HouseAct> {
    let old = feed_key(home, authority)?;
    let path = home.join(NEXT);
    // One that a crash left before its record was nobody's yet.
    disk::remove(&path)?;
    let new = SigningKey::new(old.name(), &vault::random()?)
        .map_err(|source| ledger::Error::Note { path: path.clone(), source })?;
    let statement = keys::statement(&old, &new);
    let new = OwnKey::create(&path, new)?.verifier();
    let (old, new) = (old.verifier().text(), new.text());
    Ok(HouseAct::TurnFeedKey { old, new, statement, grounds })
}

/// The feed's key, where the log says that one was replaced the new one in its place.
///
/// # Errors
/// As [`feed_key`]; a key that was replaced, and the new one is not there.
pub fn settled(home: &Path, authority: &str, standing: &Standing) -> Result<SigningKey> {
    let own = |path: &Path| match OwnKey::read(path) {
        Ok(key) => Ok(Some(key.verifier())),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(Error::from(error)),
    };
    let (path, next) = (home.join(FEED_KEY), home.join(NEXT));
    let is_void = |key: Option<VerifierKey>| key.is_some_and(|key| standing.is_void(&key));
    if is_void(own(&path)?) {
        let last = standing.turns.last().map(|turn| &turn.new);
        if own(&next)?.as_ref() != last {
            return Err(Error::Asked(format!(
                "{} holds a key of the feed that was replaced, which nobody believes any more: an old copy lies there. \
                 Bring the newest one; where that is lost, take the file away, and give ISPs the key that is made then \
                 (docs/keys.md)",
                path.display()
            )));
        }
        disk::rename(&next, &path)?;
    }
    feed_key(home, authority)
}

impl Publisher {
    /// True where the log says that the key which signs here was replaced, as those who follow will be shown.
    pub fn is_void(&self, house: &House) -> bool {
        house.standing.is_void(&self.key.verifier()) && is_covered(house)
    }

    /// Signs by another key from here on.
    pub fn sign_by(&mut self, key: SigningKey) {
        self.key = key;
    }

    /// Tells, beside everybody's manifest, which keys were replaced: once what signs here is the last one, and each
    /// record stands under a checkpoint that those who follow ask for.
    pub(super) fn tell_keys(&mut self, house: &House) -> Result<()> {
        let turns = &house.standing.turns;
        let Some(last) = turns.last() else { return Ok(()) };
        if turns.len() == self.turns || last.new != self.key.verifier() {
            return Ok(());
        }
        if !is_covered(house) {
            return Ok(());
        }
        let log = house.case().log();
        let newest = turns.iter().skip(turns.len().saturating_sub(MAX_TURNS));
        let proofs = newest
            .map(|turn| log.prove(turn.record))
            .collect::<std::result::Result<Vec<_>, _>>()?;
        let text = keys::write(&proofs);
        let text = text.map_err(|e| Error::Beside(format!("the feed's keys: {e}")))?;
        disk::write(&self.folder.join(self.all.name()).join(KEYS), text.as_bytes())?;
        self.turns = turns.len();
        Ok(())
    }
}

/// True where the last replacement stands under a checkpoint that as many witnesses cosigned as are asked for.
fn is_covered(house: &House) -> bool {
    let last = house.standing.turns.last();
    house.policy().witnesses == 0
        || last.is_none_or(|last| paper::cosigned(house, last.record).is_some())
}

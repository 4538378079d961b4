//! The feed's own key: kept in the authority's folder, and replaced by a record (docs/keys.md).
//!
//! A new key stands beside the old one before the record does, and takes its place after it. So a crash leaves the old
//! state or the new one: [`settled`] completes what was begun.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use ledger::{Lock, Note, OwnKey, Proof, SigningKey, VerifierKey, Wait, disk};
use model::Sha256Hex;
use shield::order::words::Grounds;
use shield::wire::keys::{self, MAX_TURNS, Turn};

use super::super::house::House;
use super::super::house_act::HouseAct;
use super::super::replay::Standing;
use super::{FEED_KEY, Publisher, feed_key, paper};
use crate::{Error, Result};

/// The next one, until it is in the place of the one before: behind this what names it, so that of two that were made
/// at once none takes the other's place.
const NEXT: &str = "shield/feed-key-next-";
/// Held by whoever replaces the key.
const LOCK: &str = "shield/feed-key-lock";
/// Where it is told, beside everybody's manifest.
pub const KEYS: &str = "keys";
/// What is told is written anew this often, since who cosigns may be others by then.
const RENEWED: Duration = Duration::from_secs(600);

/// Lets one at a time replace the key.
///
/// # Errors
/// Somebody else does; the disk.
pub fn replacing(home: &Path) -> Result<Lock> {
    Ok(Lock::acquire(&home.join(LOCK), "vigie shield rotate-key", Wait::Fail)?)
}

fn next(home: &Path, key: &VerifierKey) -> PathBuf {
    let name = Sha256Hex::of(key.text().as_bytes()).to_string();
    home.join(format!("{NEXT}{}", name.get(..16).unwrap_or(&name)))
}

/// What has the feed's key replaced by a new one, once it is on record ([`settled`] then puts that in its place).
///
/// # Errors
/// The disk; a key that others can read; no passphrase, or a wrong one.
pub fn next_feed_key(home: &Path, authority: &str, grounds: Grounds) -> Result<HouseAct> {
    let old = feed_key(home, authority)?;
    let new = SigningKey::new(old.name(), &vault::random()?)
        .map_err(|source| ledger::Error::Note { path: home.join(FEED_KEY), source })?;
    let statement = keys::statement(&old, &new);
    let path = next(home, &new.verifier());
    let new = OwnKey::create(&path, new)?.verifier();
    let (old, new) = (old.verifier().text(), new.text());
    Ok(HouseAct::TurnFeedKey { old, new, statement, grounds })
}

/// Takes away the next key of an act that the house refused: it is nobody's.
///
/// # Errors
/// The disk.
pub fn forget_next(home: &Path, act: &HouseAct) -> Result<()> {
    let HouseAct::TurnFeedKey { new, .. } = act else { return Ok(()) };
    match VerifierKey::parse(new) {
        Ok(new) => Ok(disk::remove(&next(home, &new))?),
        Err(_) => Ok(()),
    }
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
    let path = home.join(FEED_KEY);
    let is_void = |key: Option<VerifierKey>| key.is_some_and(|key| standing.is_void(&key));
    let Some(last) = standing.turns.last().map(|turn| &turn.new) else {
        return feed_key(home, authority);
    };
    if is_void(own(&path)?) {
        let next = next(home, last);
        if own(&next)?.is_some() {
            disk::rename(&next, &path)?;
        } else if is_void(own(&path)?) {
            // Nobody else put it in its place meanwhile.
            return Err(Error::Asked(format!(
                "{} holds a key of the feed that was replaced, which nobody believes any more: an old copy lies there. \
                 Bring the newest one; where that is lost, take the file away, and give ISPs the key that is made then \
                 (docs/keys.md)",
                path.display()
            )));
        }
    }
    feed_key(home, authority)
}

/// Takes away next keys that were never recorded. Who calls it replaces the key, and nobody else does ([`replacing`]).
///
/// # Errors
/// The disk.
pub fn forget_unrecorded(home: &Path) -> Result<()> {
    let (folder, begins) = NEXT.rsplit_once('/').unwrap_or(("", NEXT));
    let folder = home.join(folder);
    for name in super::names(&folder)?.into_iter().filter(|name| name.starts_with(begins)) {
        disk::remove(&folder.join(name))?;
    }
    Ok(())
}

/// What of the keys is told beside everybody's manifest.
#[derive(Debug)]
pub(super) struct KeysTold {
    /// So many replacements.
    turns: usize,
    /// Where so many witnesses were asked for.
    witnesses: u64,
    /// True where they had cosigned the last one.
    covered: bool,
    at: Instant,
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

    /// Tells, beside everybody's manifest, which keys were replaced: once what signs here is the last one. Each record
    /// stands under the checkpoint that blocks are shown under; where too few have cosigned one over it, under the
    /// log's own, and anew once enough have: who asks for none goes on at once, since what signs here is the new key.
    pub(super) fn tell_keys(&mut self, house: &House) -> Result<()> {
        let turns = &house.standing.turns;
        let Some(last) = turns.last() else { return Ok(()) };
        if last.new != self.key.verifier() {
            return Ok(());
        }
        let (witnesses, covered) = (house.policy().witnesses, is_covered(house));
        let stands = self.keys.as_ref().is_some_and(|told| {
            told.turns == turns.len()
                && told.witnesses == witnesses
                && told.covered == covered
                && told.at.elapsed() < RENEWED
        });
        if stands {
            return Ok(());
        }
        let cosigned = paper::cosigned(house, last.record);
        let (size, note) = cosigned.unwrap_or_else(|| paper::published(house));
        let odd = |e: &dyn std::fmt::Display| Error::Beside(format!("the feed's keys: {e}"));
        let checkpoint = Note::parse(&note).map_err(|e| odd(&e))?;
        let log = house.case().log();
        let proof = |turn: &Turn| -> Result<Proof> {
            Ok(Proof {
                extra: Some(log.entry(turn.record)?),
                index: turn.record,
                hashes: log.inclusion_in(turn.record, size)?,
                checkpoint: checkpoint.clone(),
            })
        };
        let newest = turns.iter().skip(turns.len().saturating_sub(MAX_TURNS));
        let proofs = newest.map(proof).collect::<Result<Vec<_>>>()?;
        let text = keys::write(&proofs).map_err(|e| odd(&e))?;
        disk::write(&self.folder.join(self.all.name()).join(KEYS), text.as_bytes())?;
        let (turns, at) = (turns.len(), Instant::now());
        self.keys = Some(KeysTold { turns, witnesses, covered, at });
        Ok(())
    }
}

/// True where the last replacement stands under a checkpoint that as many witnesses cosigned as are asked for.
fn is_covered(house: &House) -> bool {
    let last = house.standing.turns.last();
    house.policy().witnesses == 0
        || last.is_none_or(|last| paper::cosigned(house, last.record).is_some())
}

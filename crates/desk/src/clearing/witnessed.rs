//! How far witnesses have cosigned the clearing house's log, and what of the feed waits for them.
//!
//! Who is asked stands in the authority's own log ([`crate::witness`]); how many have to have cosigned what is
//! added is the figure `witnesses` of the policy. What is added goes out once that many have cosigned one
//! checkpoint over its record; what is lifted, expires or is stopped, and heartbeats, wait for nobody.

use std::path::Path;

use ledger::{Checkpoint, Keys, Note, Reader};
use shield::order::Moment;
use vault::Case;

use super::house::House;
use super::replay::Standing;
use crate::prove::Which;
use crate::witness::{self, Named};
use crate::{Error, Result};

/// The checkpoints that witnesses have cosigned, as they are kept beside the log.
#[derive(Debug, Clone, Default)]
pub struct Cosigned {
    named: Vec<Named>,
    /// By one, by two and so on: the greatest checkpoint that so many have cosigned, and its entries.
    by: Vec<(u64, Note)>,
    /// Of each named: the entries of the greatest that it cosigned.
    each: Vec<u64>,
}

impl Cosigned {
    /// Reads what is kept beside a clearing house's log. Whatever the log did not sign, a named witness did not
    /// cosign, or the log does not go through, counts for nothing.
    ///
    /// # Errors
    /// The disk; damage of the log or of the authority's own.
    pub fn read(home: &Path, case: &Case) -> Result<Self> {
        let named = witness::policy(home, Some(case.authority()))?.witnesses;
        Self::kept(named, &case.dir().join("ledger"), case.log(), case.keys()?)
    }

    /// The same of a log that is read, with the keys that sign it.
    pub(super) fn kept(named: Vec<Named>, dir: &Path, log: &Reader, keys: &Keys) -> Result<Self> {
        let mut cosigned = Self { each: vec![0; named.len()], named, by: Vec::new() };
        if cosigned.named.is_empty() || log.published().is_none() {
            return Ok(cosigned);
        }
        let (kept, _) = ledger::witnessed(dir)?;
        for note in kept {
            let Ok(of) = Checkpoint::of_text(&note.text) else { continue };
            // Of another log, or another history of this one: it says nothing of what is to go out.
            let signed = keys.open_among(&note).is_ok();
            if signed && log.compare(&note).is_ok_and(|split| split.is_none()) {
                cosigned.take(of.size, &note);
            }
        }
        Ok(cosigned)
    }

    fn take(&mut self, size: u64, note: &Note) {
        let mut by = 0;
        for (named, each) in self.named.iter().zip(&mut self.each) {
            if matches!(named.key.cosigned(note), Ok(Some(_))) {
                by += 1;
                *each = (*each).max(size);
            }
        }
        for n in 0..by {
            match self.by.get_mut(n) {
                Some(kept) if kept.0 < size => *kept = (size, note.clone()),
                Some(_) => {}
                None => self.by.push((size, note.clone())),
            }
        }
    }

    /// By one, by two and so on: how many entries so many have cosigned, all of them the same checkpoint.
    pub fn sizes(&self) -> Vec<u64> {
        self.by.iter().map(|(size, _)| *size).collect()
    }

    /// The greatest checkpoint that so many have cosigned, with their cosignatures, and its entries.
    pub(super) fn note(&self, by: u64) -> Option<&(u64, Note)> {
        self.by.get(usize::try_from(by).ok()?.checked_sub(1)?)
    }

    fn witnessing(&self, standing: &Standing, records: u64, waiting: usize) -> Witnessing {
        let asked = standing.policy.witnesses;
        let each = self.named.iter().zip(&self.each);
        let covered = self.note(asked).map_or(0, |(size, _)| *size);
        // Where none is asked for no block stands under fewer.
        let fewer = standing.blocks.covered().map_or(0, |to| standing.blocks.between(covered, to));
        Witnessing {
            asked,
            named: self.named.len(),
            records,
            covered,
            blocks: standing.blocks.len(),
            fewer,
            waiting,
            since: standing.blocks.waiting_since().filter(|_| waiting > 0),
            unasked: standing
                .standbys
                .named
                .as_ref()
                .filter(|named| !named.here)
                .map(|named| named.name.clone()),
            each: each.map(|(named, size)| (named.key.name().to_owned(), *size)).collect(),
        }
    }

    /// Whether so many can be asked for.
    ///
    /// # Errors
    /// More than are named.
    pub(super) fn allows(&self, by: u64) -> Result<()> {
        let named = self.named.len();
        if by <= named as u64 {
            return Ok(());
        }
        Err(Error::Asked(format!(
            "{by} witnesses are more than the {named} that are named: name others first (`vigie witness add`); a \
             house that runs knows of one within a minute"
        )))
    }
}

/// What waits for witnesses, and for how long.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Witnessing {
    /// How many have to have cosigned what is added; 0: none is waited for.
    pub asked: u64,
    /// How many are named.
    pub named: usize,
    /// Records of the log.
    pub records: u64,
    /// Records that so many have cosigned.
    pub covered: u64,
    /// Blocks that live.
    pub blocks: usize,
    /// Of these: out under fewer witnesses than are asked for, since they were decided when fewer were.
    pub fewer: usize,
    /// Values of which something is decided and waits.
    pub waiting: usize,
    /// Since when the first does.
    pub since: Option<Moment>,
    /// The standby that is gone: until it is back, or is dismissed, nobody is asked to cosign.
    pub unasked: Option<String>,
    /// Each that is named, with how many records it has cosigned.
    pub each: Vec<(String, u64)>,
}

impl House {
    /// How many records are shown, to be cosigned, and whether anything waits for that; `None` where none is, and
    /// while the standby is gone: were what it does not have cosigned, its log would be refused once it is promoted.
    pub fn to_cosign(&self) -> Option<(u64, bool)> {
        if self.is_alone() {
            return None;
        }
        let published = self.case().log().published()?;
        let shown = Checkpoint::parse_unverified(published).ok()?.size;
        Some((shown, self.standing.blocks.last_waiting().is_some()))
    }

    /// What waits for witnesses.
    pub fn witnessing(&self) -> Witnessing {
        let waiting = self.feed().map_or(0, shield::feed::Feed::waiting);
        let all = self.cosigned.witnessing(&self.standing, self.case.len(), waiting);
        // A house that runs knows it before its log says so.
        let named = self.standing.standbys.named.as_ref().filter(|_| self.is_alone());
        Witnessing { unasked: named.map(|named| named.name.clone()), ..all }
    }
}

/// What waits for witnesses at a clearing house, for who only reads: no lock, no waiting.
///
/// # Errors
/// No clearing house there; a log that does not hold together; the disk.
pub fn witnessing(home: &Path, dir: &Path) -> Result<Witnessing> {
    let log = witness::Log::open(home, Which::Case(dir))?;
    let cosigned = Cosigned::kept(log.witnesses, &log.dir, &log.reader, &log.keys)?;
    let (standing, _) = House::read(dir, Some(home))?;
    let waiting = standing.blocks.waiting().len();
    Ok(cosigned.witnessing(&standing, log.reader.size(), waiting))
}

#[cfg(test)]
mod tests;

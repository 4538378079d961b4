//! Exceptions, each with who proposed and who approved it, and what that lifted, out of the log.

use shield::order::exceptions::{Cover, Exception};
use shield::order::turn::Cause;
use shield::order::words::Grounds;
use shield::order::{Actor, Deed, ItemId, Moment, Turn};

use super::records::{Log, Recorded};
use super::{House, MAX_ROWS, MAX_SCAN, Page, Whose, sees};
use crate::Result;

/// The most items that one exception is shown to have lifted; the record has all of them.
pub const MAX_LIFTED: usize = 50;

/// Who decided something of an exception, when and why, and in which record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The record.
    pub record: u64,
    /// When.
    pub at: Moment,
    /// Who.
    pub by: Actor,
    /// What it covers.
    pub cover: Cover,
    /// Why, where a reason is given.
    pub grounds: Option<Grounds>,
    /// How many items it lifted.
    pub lifted: u64,
    /// The first of these, at most [`MAX_LIFTED`].
    pub items: Vec<ItemId>,
}

/// An exception as the state has it, and which records speak of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRow {
    /// What it covers.
    pub cover: Cover,
    /// For whom it was proposed, until when it holds, whether it was approved.
    pub exception: Exception,
    /// True where its time is over.
    pub over: bool,
    /// In which record it was proposed.
    proposed: Option<u64>,
    /// In which it was approved.
    approved: Option<u64>,
}

impl ExceptionRow {
    /// With what its records say.
    ///
    /// # Errors
    /// The disk; what does not hold together.
    pub fn told(self, log: &Log) -> Result<ExceptionView> {
        let read = |record: Option<u64>| record.map(|record| said(log, record)).transpose();
        let (proposed, approved) = (read(self.proposed)?, read(self.approved)?);
        let Self { cover, exception, over, .. } = self;
        let (proposed, approved) = (proposed.flatten(), approved.flatten());
        Ok(ExceptionView { cover, exception, over, proposed, approved })
    }
}

/// An exception that is proposed or approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionView {
    /// What it covers.
    pub cover: Cover,
    /// For whom it was proposed, until when it holds, whether it was approved.
    pub exception: Exception,
    /// True where its time is over.
    pub over: bool,
    /// Its proposal; `None` where the record was erased.
    pub proposed: Option<Said>,
    /// Its approval.
    pub approved: Option<Said>,
}

/// Exceptions by what they cover, from after one, at most `most`; and how many of all wait for a second person. Who
/// sees one organisation's sees those that it proposed. What its records say of each is read beside the house:
/// [`ExceptionRow::told`].
pub fn exceptions(
    house: &House,
    whose: &Whose,
    after: Option<&Cover>,
    most: usize,
) -> (Page<ExceptionRow, Cover>, u64) {
    let (all, now) = (house.state().exceptions(), house.now());
    let theirs = || all.iter().filter(|(_, one)| sees(whose, &one.organisation));
    let waiting = theirs().take(MAX_SCAN).filter(|(_, one)| !one.approved).count() as u64;
    let later = all.after(after).take(MAX_SCAN);
    let mut later = later.filter(|(_, one)| sees(whose, &one.organisation));
    let mut rows = Vec::new();
    for (cover, exception) in later.by_ref().take(most.clamp(1, MAX_ROWS)) {
        let of = house.excepted().standing.get(cover);
        rows.push(ExceptionRow {
            cover: cover.clone(),
            exception: exception.clone(),
            over: exception.until.is_some_and(|until| until <= now),
            proposed: of.map(|of| of.proposed),
            approved: of.and_then(|of| of.approved),
        });
    }
    let next = later.next().and_then(|_| rows.last()).map(|row| row.cover.clone());
    (Page { rows, next }, waiting)
}

/// The records of the newest revocations, the newest first, at most so many.
pub fn revoked(house: &House, most: usize) -> Vec<u64> {
    house.excepted().revoked.iter().rev().take(most.min(MAX_ROWS)).copied().collect()
}

/// What a record says of an exception; `None`: nothing, or it was erased.
///
/// # Errors
/// The disk; what does not hold together.
pub fn said(log: &Log, record: u64) -> Result<Option<Said>> {
    Ok(log.recorded(record)?.and_then(of))
}

fn of(record: Recorded) -> Option<Said> {
    let decision = record.decision?;
    let (cover, grounds) = decision.deeds.iter().find_map(|deed| match deed {
        Deed::ExceptionProposed { cover, grounds, .. }
        | Deed::ExceptionRevoked { cover, grounds } => Some((cover.clone(), Some(grounds.clone()))),
        Deed::ExceptionApproved { cover } => Some((cover.clone(), None)),
        _ => None,
    })?;
    let mut said = Said {
        record: record.index,
        at: decision.at,
        by: decision.by,
        cover,
        grounds,
        lifted: 0,
        items: Vec::new(),
    };
    for deed in &decision.deeds {
        let Deed::Turned { item, turn: Turn::Lifted { cause: Cause::Excepted, .. } } = deed else {
            continue;
        };
        said.lifted += 1;
        if said.items.len() < MAX_LIFTED {
            said.items.push(*item);
        }
    }
    Some(said)
}

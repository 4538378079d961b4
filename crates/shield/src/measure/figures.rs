//! What was measured, as records hold it, and the figures of each ISP.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::said::Side;
use crate::item::Item;
use crate::order::ItemId;
use crate::order::words::{Organisation, Probe, words};

/// The newest times of each kind that an ISP's percentiles are of; of these they are exact.
pub const MAX_TIMES: usize = 1_000;
/// The longest text of one record, in bytes.
pub const MAX_TEXT: usize = 30_000;

words! {
    /// What was measured of an ISP and a value.
    What {
        /// It blocks what is to be blocked.
        Blocked "blocked",
        /// It blocks no longer what was lifted.
        Unblocked "unblocked",
        /// It does not block what is to be blocked, a minute or more after the release.
        StillOpen "still_open",
        /// It blocks what was lifted a minute or more ago.
        StillBlocked "still_blocked",
    }
}

impl What {
    /// What a side is of which another was wanted, or the same.
    pub fn of(wanted: Side, found: Side) -> Self {
        match (wanted, found) {
            (Side::Blocked, Side::Blocked) => Self::Blocked,
            (Side::Blocked, Side::Open) => Self::StillOpen,
            (Side::Open, Side::Open) => Self::Unblocked,
            (Side::Open, Side::Blocked) => Self::StillBlocked,
        }
    }

    /// The side that was found.
    pub fn found(self) -> Side {
        match self {
            Self::Blocked | Self::StillBlocked => Side::Blocked,
            Self::Unblocked | Self::StillOpen => Side::Open,
        }
    }

    /// True where the ISP does what it is to do.
    pub fn is_done(self) -> bool {
        matches!(self, Self::Blocked | Self::Unblocked)
    }
}

/// What was measured of one ISP and one value. No question of anybody else's is in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// The ISP.
    pub isp: Organisation,
    /// The item that wants the value, or wanted it last.
    pub item: ItemId,
    /// The value.
    pub value: Item,
    /// What was found.
    pub what: What,
    /// The record that released or lifted it.
    pub since: u64,
    /// From that record to the first of three answers, in milliseconds.
    pub after_ms: u64,
    /// How long before that answer the other side was seen last: the turn came within that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap_ms: Option<u64>,
    /// Whose answers concluded it; of several probes of an ISP the last one.
    pub probe: Probe,
    /// Controls that answered beside the answer that concluded it.
    pub controls: u64,
    /// True where an unblocked vantage got addresses for the name.
    pub compared: bool,
    /// True where it is the first of its kind, and counts among the ISP's times.
    pub timed: bool,
}

/// Texts of what was measured, each for one record: JSON arrays of at most [`MAX_TEXT`] bytes.
///
/// # Errors
/// A value that has no writing.
pub fn texts(all: &[Measured]) -> Result<Vec<String>, serde_json::Error> {
    let (mut out, mut text) = (Vec::new(), String::new());
    for one in all {
        let one = serde_json::to_string(one)?;
        if !text.is_empty() && text.len() + one.len() + 2 > MAX_TEXT {
            out.push(std::mem::take(&mut text) + "]");
        }
        text.push(if text.is_empty() { '[' } else { ',' });
        text.push_str(&one);
    }
    if !text.is_empty() {
        out.push(text + "]");
    }
    Ok(out)
}

/// Reads such a text.
///
/// # Errors
/// What is none.
pub fn read(text: &str) -> Result<Vec<Measured>, String> {
    serde_json::from_str(text).map_err(|e| e.to_string())
}

/// The newest times of a kind, in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    newest: VecDeque<u64>,
    /// How many there were in all.
    pub all: u64,
}

impl Times {
    /// One more.
    pub fn add(&mut self, ms: u64) {
        if self.newest.len() >= MAX_TIMES {
            self.newest.pop_front();
        }
        self.newest.push_back(ms);
        self.all = self.all.saturating_add(1);
    }

    /// So many of a hundred took at most this, by nearest rank; `None` where nothing was measured.
    pub fn percentile(&self, percent: usize) -> Option<u64> {
        let mut sorted: Vec<u64> = self.newest.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (sorted.len() * percent.min(100)).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

/// An ISP's figures.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Isp {
    /// Which.
    pub isp: Organisation,
    /// From the release to the block.
    pub blocked: Times,
    /// From the lift to the opening.
    pub unblocked: Times,
    /// Values that are to be blocked and are.
    pub blocks: u64,
    /// Values that are to be blocked and are open.
    pub not_yet: u64,
    /// Values that were lifted and are open.
    pub opened: u64,
    /// Values that were lifted and are still blocked.
    pub still: u64,
}

impl Isp {
    pub(super) fn new(isp: Organisation) -> Self {
        let (blocked, unblocked) = Default::default();
        Self { isp, blocked, unblocked, blocks: 0, not_yet: 0, opened: 0, still: 0 }
    }

    pub(super) fn count(&mut self, what: What) -> &mut u64 {
        match what {
            What::Blocked => &mut self.blocks,
            What::StillOpen => &mut self.not_yet,
            What::Unblocked => &mut self.opened,
            What::StillBlocked => &mut self.still,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_exact_over_the_newest() {
        let mut times = Times::default();
        assert_eq!(times.percentile(99), None);
        (1..=100).for_each(|ms| times.add(ms));
        assert_eq!((times.percentile(50), times.percentile(99)), (Some(50), Some(99)));
        (0..MAX_TIMES).for_each(|_| times.add(7));
        assert_eq!((times.percentile(99), times.newest.len()), (Some(7), MAX_TIMES));
    }

    #[test]
    fn texts_are_cut_below_their_bound_and_read_again() {
        let one = Measured {
            isp: Organisation::new("fibre").unwrap(),
            item: "0/0".parse().unwrap(),
            value: Item::parse("tv.stream.example").unwrap(),
            what: What::Blocked,
            since: 7,
            after_ms: 800,
            gap_ms: Some(1_000),
            probe: Probe::new("fibre-probe").unwrap(),
            controls: 2,
            compared: true,
            timed: true,
        };
        let all = vec![one; 1_000];
        let texts = texts(&all).unwrap();
        assert!(texts.len() > 1 && texts.iter().all(|text| text.len() <= MAX_TEXT));
        let again: Vec<_> = texts.iter().flat_map(|text| read(text).unwrap()).collect();
        assert_eq!(again, all);
        assert!(super::texts(&[]).unwrap().is_empty());
    }
}

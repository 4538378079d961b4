//! What is shown of it.

use super::figures::{Isp, What};
use super::said::Side;
use super::seat::Counts;
use super::take::LATE_MS;
use super::{Measure, Moment};
use crate::item::Item;
use crate::order::words::{Organisation, Probe};

/// How an ISP stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IspView {
    /// Its figures.
    pub figures: Isp,
    /// Its probes, each with when it was heard of last and what it did.
    pub probes: Vec<(Probe, Option<Moment>, Counts)>,
}

/// How many ISPs are measured to do what they are to do with a value.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Bar {
    /// True where it is to be blocked; false where it was lifted.
    pub blocks: bool,
    /// ISPs that do it.
    pub done: u64,
    /// ISPs that are measured to do the opposite.
    pub not_yet: u64,
    /// ISPs that are addressed and of which nothing was found so far.
    pub unknown: u64,
}

impl Bar {
    /// ISPs that are addressed and have a probe, or were measured.
    pub fn of(&self) -> u64 {
        self.done + self.not_yet + self.unknown
    }
}

/// What is known of a value at an ISP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The ISP.
    pub isp: Organisation,
    /// What was found; `None`: not measured.
    pub what: Option<What>,
}

impl Measure {
    /// Every ISP that has a probe or was ever measured, by its name.
    pub fn isps(&self) -> Vec<IspView> {
        let view = |number: &u16| {
            let figures = self.isps.get(usize::from(*number))?.clone();
            let mine = self.seats.iter().filter(|(_, seat)| seat.isp == Some(*number));
            let probes = mine.map(|(probe, seat)| (probe.clone(), seat.heard, seat.counts));
            Some(IspView { figures, probes: probes.collect() })
        };
        self.by_isp.values().filter_map(view).collect()
    }

    /// The probes at an unblocked vantage.
    pub fn vantages(&self) -> Vec<(Probe, Option<Moment>, Counts)> {
        let free = self.seats.iter().filter(|(_, seat)| seat.isp.is_none());
        free.map(|(probe, seat)| (probe.clone(), seat.heard, seat.counts)).collect()
    }

    /// True where nobody measures.
    pub fn is_idle(&self) -> bool {
        self.seats.is_empty()
    }

    /// How a value stands at each ISP that is addressed; `None` where it is no target: an address, or one
    /// whose turn is long past.
    pub fn stands(&self, value: &Item) -> Option<(bool, Vec<Stand>)> {
        let target = self.targets.get(self.targets.number_of(value.name()?)?)?;
        let blocks = target.wanted == Side::Blocked;
        let theirs = |name: &Organisation| {
            target.row.of(name).is_some() && !(blocks && self.gates.shuts(name))
        };
        let all = self.by_isp.iter().filter(|(name, _)| theirs(name));
        let stand = |(name, isp): (&Organisation, &u16)| {
            let what = target.seen(*isp).and_then(|seen| target.what(seen));
            Stand { isp: name.clone(), what }
        };
        Some((blocks, all.map(stand).collect()))
    }

    /// The same in counts.
    pub fn bar(&self, value: &Item) -> Option<Bar> {
        let (blocks, stands) = self.stands(value)?;
        let mut bar = Bar { blocks, ..Bar::default() };
        for stand in stands {
            match stand.what {
                None => bar.unknown += 1,
                Some(what) if what.is_done() => bar.done += 1,
                Some(_) => bar.not_yet += 1,
            }
        }
        Some(bar)
    }

    /// What was lifted longer than [`LATE_MS`] ago and is measured to be blocked still: how often, and the first of
    /// these, the newest first, with the ISP.
    pub fn still_blocked(&self, now: Moment, most: usize) -> (u64, Vec<(Item, Organisation)>) {
        // Most of the time there is none, and nothing is looked through.
        let of = |(name, number): (&'_ Organisation, &u16)| {
            let still = self.isps.get(usize::from(*number))?.still;
            (still > 0).then(|| (name.clone(), *number))
        };
        let isps: Vec<(Organisation, u16)> = self.by_isp.iter().filter_map(of).collect();
        if isps.is_empty() {
            return (0, Vec::new());
        }
        let (mut all, mut first) = (0, Vec::new());
        let late = self.targets.newest().filter(|of| now.since(of.since) >= LATE_MS);
        for target in late.filter(|of| of.wanted == Side::Open) {
            for (isp, number) in &isps {
                if target.seen(*number).and_then(|seen| target.what(seen))
                    == Some(What::StillBlocked)
                {
                    all += 1;
                    if first.len() < most {
                        first.push(((*target.value).clone(), isp.clone()));
                    }
                }
            }
        }
        (all, first)
    }

    /// The values that an ISP does not do what it is to do with, the newest first: to be blocked and open,
    /// or lifted and still blocked.
    pub fn behind(&self, isp: &Organisation, most: usize) -> Vec<(Item, What)> {
        let Some(isp) = self.by_isp.get(isp) else { return Vec::new() };
        let of = self.targets.newest().filter_map(|target| {
            let what = target.seen(*isp).and_then(|seen| target.what(seen))?;
            (!what.is_done()).then(|| ((*target.value).clone(), what))
        });
        of.take(most).collect()
    }
}

//! What ISPs' resolvers are measured to do: pure, without I/O and without a clock (docs/measurement.md).
//!
//! Probes ask as a subscriber would, for names that are chosen here; what they report is taken here.
//!
//! - [`said`]: what a resolver said, in a word; [`wire`]: what goes between a probe and the house.
//! - [`trail`]: blocked since the first of three consecutive answers that withhold the name, each while a
//!   control answers within the same second; open likewise.
//! - [`Measure`]: what is to be measured (it follows the steps, as the feed does), what was found, and what
//!   is due for the log.
//! - [`figures`]: what a record holds of it, and each ISP's times.
//! - [`kept`]: what records come to of it, as bytes.
//! - `plan`: which names are asked for next; `control`: which controls fail, and which block explains it.
//!
//! Invariants: only names that the clearing house chose are kept; an answer to anything else is counted and
//! dropped. An ISP of which nothing was found is *not measured*, and never zero. Everything has a bound.

mod control;
pub mod figures;
pub mod kept;
mod plan;
pub mod said;
mod seat;
mod take;
mod target;
pub mod trail;
mod view;
pub mod wire;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::control::Control;
use self::figures::{Isp, Measured};
use self::said::Side;
use self::seat::Seat;
use self::target::{Target, Targets};
use crate::feed::{Gates, row};
use crate::item::{Item, Name};
use crate::order::words::{Organisation, Probe};
use crate::order::{Moment, State, Touched, Value};

pub use self::control::MAX_CONTROLS;
pub use self::seat::{Counts, MAX_PROBES, MAX_RATE, Setting, USUAL_RATE};
pub use self::take::{Failing, LATE_MS, Taken};
pub use self::target::MAX_TARGETS;
pub use self::view::{Bar, IspView, Stand};

/// The most ISPs that are measured.
pub const MAX_ISPS: usize = 1_000;
/// The most trails that run at once; beyond, what would begin one is not counted.
pub const MAX_TRAILS: usize = 1_000_000;
/// The most findings that wait for a record; beyond, they are found again later.
pub const MAX_DUE: usize = 10_000;

/// What is to be measured, and what was found.
#[derive(Debug, Clone, Default)]
pub struct Measure {
    targets: Targets,
    isps: Vec<Isp>,
    by_isp: BTreeMap<Organisation, u16>,
    seats: BTreeMap<Probe, Seat>,
    controls: Vec<Control>,
    by_control: HashMap<Name, usize>,
    /// Controls that some probe does not get: all ask for them at once.
    suspects: BTreeSet<usize>,
    /// Trails that run.
    trails: usize,
    gates: Gates,
    due: Vec<Measured>,
}

impl Measure {
    /// Sets which probes there are, and which controls. What was found so far stays; trails begin anew.
    pub fn settle(&mut self, probes: &[Setting], controls: &[Name]) {
        self.seats.clear();
        self.trails = 0;
        for setting in probes.iter().take(MAX_PROBES) {
            let isp = match &setting.isp {
                Some(isp) => match self.isp(isp) {
                    Some(isp) => Some(isp),
                    None => continue,
                },
                None => None,
            };
            self.seats.insert(setting.probe.clone(), Seat::new(isp, setting.rate));
        }
        self.controls.clear();
        self.by_control.clear();
        self.suspects.clear();
        for name in controls.iter().take(MAX_CONTROLS) {
            if !self.by_control.contains_key(name) {
                self.by_control.insert(name.clone(), self.controls.len());
                self.controls.push(Control::new(name.clone()));
            }
        }
    }

    /// True where a probe is set.
    pub fn knows(&self, probe: &Probe) -> bool {
        self.seats.contains_key(probe)
    }

    /// Whose resolver a probe asks; `None` of an unblocked vantage, and of none that is set.
    pub fn network(&self, probe: &Probe) -> Option<&Organisation> {
        let isp = self.seats.get(probe)?.isp?;
        self.by_isp.iter().find(|(_, number)| **number == isp).map(|(name, _)| name)
    }

    /// Follows what a step touched, which was made durable by a record at a moment.
    pub fn follow(&mut self, state: &State, touched: &Touched, record: u64, at: Moment) {
        match touched {
            Touched::Nothing => {}
            Touched::Value(value) => self.changed(state, value, record, at),
            Touched::Tickets(tickets) => {
                for ticket in tickets {
                    let live = state.items_of(*ticket).map(|(_, live)| live.value.clone());
                    live.for_each(|value| self.changed(state, &value, record, at));
                }
            }
            Touched::Gate => {
                let gates = Gates::of(state);
                let turned = gates.is_shut() != self.gates.is_shut();
                self.gates = gates;
                if turned {
                    let known: Vec<Value> =
                        self.targets.newest().map(|target| target.value.clone()).collect();
                    // The oldest first: the newest stay the newest.
                    known.iter().rev().for_each(|value| self.changed(state, value, record, at));
                }
            }
        }
    }

    /// A value may be out now, or no more.
    fn changed(&mut self, state: &State, value: &Value, record: u64, at: Moment) {
        let Item::Name(name) = &**value else { return };
        let row = row(state, value).filter(|_| !self.gates.is_shut());
        let known = self.targets.number_of(name).and_then(|n| self.targets.get(n));
        let target = |wanted, item, row| Target {
            value: value.clone(),
            wanted,
            since: at,
            record,
            item,
            row,
            up: known.and_then(|known| known.up),
            seen: Vec::new(),
            over: false,
        };
        let next = match (row, known) {
            // What is out stays out: for whom may have changed.
            (Some(row), Some(known)) if known.wanted == Side::Blocked => {
                if let Some(known) =
                    self.targets.number_of(name).and_then(|n| self.targets.get_mut(n))
                {
                    known.row = row;
                }
                return;
            }
            (Some(row), _) => {
                let entry = row.for_all().or_else(|| row.for_some().next().map(|(_, e)| e));
                let Some(entry) = entry else { return };
                target(Side::Blocked, entry.item, row)
            }
            (None, Some(known)) if known.wanted == Side::Blocked => {
                target(Side::Open, known.item, known.row.clone())
            }
            (None, _) => return,
        };
        for gone in self.targets.add(next) {
            self.uncount(&gone);
        }
    }

    /// What gives way counts no more among what ISPs do now.
    fn uncount(&mut self, gone: &Target) {
        for seen in &gone.seen {
            let what = gone.what(seen);
            if let Some((what, isp)) = what.zip(self.isps.get_mut(usize::from(seen.isp))) {
                let count = isp.count(what);
                *count = count.saturating_sub(1);
            }
        }
    }

    /// Takes what a record says was measured: at the start, in the log's order.
    pub fn replay(&mut self, measured: &Measured) {
        let Some(isp) = self.isp(&measured.isp) else { return };
        self.timed(isp, measured);
        let number = measured.value.name().and_then(|name| self.targets.number_of(name));
        let same = number.filter(|number| {
            self.targets.get(*number).is_some_and(|target| target.record == measured.since)
        });
        let Some(number) = same else { return };
        self.set(number, isp, measured.what.found());
        if let Some(seen) = self.targets.get_mut(number).and_then(|target| target.seen_mut(isp)) {
            seen.told = Some(measured.what.found());
            seen.timed |= measured.timed;
        }
    }

    /// What waits for a record; it waits no more.
    pub fn take_due(&mut self) -> Vec<Measured> {
        std::mem::take(&mut self.due)
    }

    /// True where something waits for a record.
    pub fn is_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Adds a time to an ISP's.
    fn timed(&mut self, isp: u16, measured: &Measured) {
        let Some(of) = self.isps.get_mut(usize::from(isp)).filter(|_| measured.timed) else {
            return;
        };
        match measured.what.found() {
            Side::Blocked => of.blocked.add(measured.after_ms),
            Side::Open => of.unblocked.add(measured.after_ms),
        }
    }

    /// Notes what an ISP does with a target now.
    fn set(&mut self, number: u64, isp: u16, side: Side) {
        let Some(target) = self.targets.get_mut(number) else { return };
        let wanted = target.wanted;
        let Some(seen) = target.seen_mut(isp) else { return };
        let before = seen.now.replace(side);
        let Some(of) = self.isps.get_mut(usize::from(isp)) else { return };
        if let Some(before) = before {
            let count = of.count(figures::What::of(wanted, before));
            *count = count.saturating_sub(1);
        }
        *of.count(figures::What::of(wanted, side)) += 1;
    }

    /// An ISP's number; `None` beyond [`MAX_ISPS`].
    fn isp(&mut self, name: &Organisation) -> Option<u16> {
        if let Some(isp) = self.by_isp.get(name) {
            return Some(*isp);
        }
        if self.isps.len() >= MAX_ISPS {
            return None;
        }
        let isp = u16::try_from(self.isps.len()).ok()?;
        self.isps.push(Isp::new(name.clone()));
        self.by_isp.insert(name.clone(), isp);
        Some(isp)
    }
}

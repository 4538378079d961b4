//! What probes report of ISPs' resolvers: taken by the running measure, answered with what is to be asked
//! next, and put on record once it is found (docs/measurement.md).
//!
//! A report says what a resolver answered for names that this house chose. Nobody else's question, and no
//! subscriber's address, is in it; what was not asked is counted and dropped.

use std::time::{Duration, Instant};

use model::record::ShieldMeasured;
use shield::Item;
use shield::item::Name;
use shield::measure::wire::{Questions, Report};
use shield::measure::{Measure, Setting, Taken, figures};
use shield::order::words::Probe;
use shield::order::{Actor, Command, Deed};

use super::house::{Ask, House};
use super::keeper::Keeper;
use crate::{Error, Result};

impl House {
    /// What ISPs are measured to do.
    pub fn measure(&self) -> &Measure {
        &self.standing.measure
    }

    /// Sets which probes there are, and which controls.
    pub fn settle(&mut self, probes: &[Setting], controls: &[Name]) {
        self.standing.measure.settle(probes, controls);
    }

    /// Takes a probe's report that came so long ago; `None`: no such probe is set.
    pub fn measured(&mut self, probe: &Probe, report: &Report, waited: Duration) -> Option<Taken> {
        let waited = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        let now = self.now().minus(waited);
        self.standing.measure.take(&self.standing.state, probe, report, now)
    }

    /// Puts on record what was found since.
    ///
    /// # Errors
    /// The disk.
    pub fn fold(&mut self) -> Result<()> {
        if !self.standing.measure.is_due() {
            return Ok(());
        }
        self.sound()?;
        let due = self.standing.measure.take_due();
        let texts = figures::texts(&due)
            .map_err(|e| Error::Beside(format!("what was measured has no writing: {e}")))?;
        let body = |measured| (String::new(), ShieldMeasured { measured }.into());
        self.commit(texts.into_iter().map(body).collect()).map(drop)
    }
}

/// What a probe is answered, and what came of its report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// What it asks next.
    pub questions: Questions,
    /// Controls that two probes by now saw failing, of two organisations or at two ISPs, each with what was taken for the reason: where none was
    /// found a person has to look.
    pub lost: Vec<(Item, Option<Item>)>,
}

/// Takes a probe's report, and gives what it asks next; `None`: no such probe is set. Controls that it sees
/// failing are told to the machine, which lifts what explains one once two probes say so.
///
/// # Errors
/// The house is closed, or its queue full; the disk.
pub fn report(keeper: &Keeper, actor: &Actor, report: Report) -> Result<Option<Answered>> {
    let Some(probe) = Probe::new(actor.person.as_str()) else { return Ok(None) };
    // Ages are from when it came: what waits for the house's thread, or for the standby, is no later seen.
    let came = Instant::now();
    let look = move |house: &mut House| {
        let network = house.measure().network(&probe).cloned();
        house.measured(&probe, &report, came.elapsed()).map(|taken| (taken, network))
    };
    let Some((taken, network)) = keeper.look(look)? else { return Ok(None) };
    let Taken { questions, failing } = taken;
    let mut answered = Answered { questions, lost: Vec::new() };
    for failing in failing {
        let control = failing.control.clone();
        let command = Command::ControlFailed {
            control: failing.control,
            explained_by: failing.explained_by,
            network: network.clone(),
        };
        let done = keeper.act(Ask { actor: actor.clone(), command })?;
        for step in done.map(|done| done.steps).unwrap_or_default() {
            let Deed::ControlLost { explained_by, .. } = step.deed else { continue };
            answered.lost.push((control.clone(), explained_by));
            let control = control.clone();
            keeper.look(move |house| house.standing.measure.lost(&control))?;
        }
    }
    Ok(Some(answered))
}

#[cfg(test)]
mod tests;

//! From hand to hand: who held an item when, and where its chain is broken.
//!
//! Steps are taken in the order of their times, so that a paper receipt may be recorded late; where
//! the order of the records explains more than the order of the times, a time is wrong, and that is
//! the fault. Faults are found, never mended: a record that was wrong is set aside by another record.

use std::collections::BTreeSet;

use super::Side;
use crate::time::{Precision, Stamp};

/// What is known of one side of a hand-over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It signed, and the signature holds.
    Signed,
    /// It had no device, and read back the words of the record.
    Acknowledged,
    /// It had no device, and has read nothing back yet.
    Waiting,
    /// It neither signed nor acknowledges.
    Missing,
    /// Its signature does not fit, or its words are not those of the record.
    Broken,
    /// What it signed was withheld or erased in part.
    Withheld,
}

/// An item is registered, or goes from hand to hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The record.
    pub record: u64,
    /// When; `None` where the record's time is none that custody can be told by.
    pub at: Option<Stamp>,
    /// When it was recorded: stands in where `at` is none.
    pub recorded: Stamp,
    /// Who gave it; `None` where it was registered.
    pub from: Option<String>,
    /// Who has it from then on.
    pub to: String,
    /// Where.
    pub place: String,
    /// The seal before; of a registration, the same as after.
    pub seal_before: Option<String>,
    /// The seal after.
    pub seal_after: Option<String>,
    /// Why the seal changed.
    pub reason: Option<String>,
    /// The sides' proofs; `None` where it was registered.
    pub proofs: Option<[Proof; 2]>,
}

impl Step {
    fn ms(&self) -> i64 {
        self.at.unwrap_or(self.recorded).utc_ms()
    }
}

/// What is wrong with a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It came from somebody who never had it: between these two a hand-over is missing.
    Gap {
        /// Who had it by the records; nobody where it was not registered.
        held_by: Vec<String>,
        /// From whom it came.
        from: String,
    },
    /// It came from somebody who had given it away: two hold it at once.
    Overlap {
        /// Who had it by the records.
        held_by: Vec<String>,
        /// From whom it came; who registered it a second time.
        from: String,
    },
    /// It was handed on before it was received.
    Early {
        /// When it was received.
        received: Stamp,
    },
    /// Its record has no time that custody can be told by.
    Undated,
    /// The seal is another one, and no reason is given.
    Seal {
        /// The seal that was on it.
        was: Option<String>,
        /// The seal that is.
        is: Option<String>,
    },
    /// A side's proof does not hold, or is not there.
    Unproved {
        /// The side.
        side: Side,
        /// Of its proof.
        proof: Proof,
    },
}

/// Somebody holds the item for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stint {
    /// The record that says so.
    pub record: u64,
    /// Who.
    pub holder: String,
    /// Where.
    pub place: String,
    /// Under which seal.
    pub seal: Option<String>,
    /// From when on.
    pub since: Stamp,
    /// Until when; `None` where it lasts.
    pub until: Option<Stamp>,
    /// It ends in a gap: when the holder really let go is not known.
    pub lost: bool,
}

/// An item's chain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chain {
    /// The steps, in their order.
    pub steps: Vec<Step>,
    /// Who held it, in the order of the steps.
    pub stints: Vec<Stint>,
    /// What is wrong, by record, in the order of the steps.
    pub faults: Vec<(u64, Fault)>,
}

/// A moment asked for. Without a zone it is taken by the clock that each hand-over was written by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked(pub Stamp);

impl Asked {
    /// Reads a moment to the minute or finer; a day alone says too little.
    pub fn read(text: &str) -> Option<Self> {
        Stamp::parse_iso(text).filter(|s| s.precision >= Precision::Minute).map(Self)
    }

    fn reached(&self, stamp: &Stamp) -> bool {
        match self.0.offset_min {
            Some(_) => stamp.utc_ms() <= self.0.utc_ms(),
            None => stamp.local_ms <= self.0.local_ms,
        }
    }
}

impl Chain {
    /// Who held it then: one where the chain is sound, more where hand-overs contradict one another,
    /// nobody before it was registered.
    pub fn at(&self, asked: &Asked) -> Vec<&Stint> {
        let ended = |stint: &Stint| stint.until.is_some_and(|until| asked.reached(&until));
        self.stints.iter().filter(|s| asked.reached(&s.since) && !ended(s)).collect()
    }

    /// Who holds it now.
    pub fn now(&self) -> Vec<&Stint> {
        self.stints.iter().filter(|stint| stint.until.is_none()).collect()
    }

    /// What is wrong with the step of a record.
    pub fn of(&self, record: u64) -> impl Iterator<Item = &Fault> {
        self.faults.iter().filter(move |(at, _)| *at == record).map(|(_, fault)| fault)
    }
}

/// The chain of an item's steps, which come in any order.
pub fn chain(mut steps: Vec<Step>) -> Chain {
    steps.sort_by_key(|step| step.record);
    let recorded = follow(steps.clone());
    steps.sort_by_key(|step| (step.ms(), step.record));
    let dated = follow(steps);
    // Faults that the order decides.
    let weight = |chain: &Chain| {
        let of_order = |f: &Fault| {
            matches!(f, Fault::Gap { .. } | Fault::Overlap { .. } | Fault::Early { .. })
        };
        chain.faults.iter().filter(|(_, fault)| of_order(fault)).count()
    };
    if weight(&dated) < weight(&recorded) { dated } else { recorded }
}

fn follow(steps: Vec<Step>) -> Chain {
    let mut chain = Chain::default();
    let mut past: BTreeSet<String> = BTreeSet::new();
    let mut last_seal: Option<Option<String>> = None;
    for step in &steps {
        let at = step.at.unwrap_or(step.recorded);
        let mut fault = |fault| chain.faults.push((step.record, fault));
        if step.at.is_none() {
            fault(Fault::Undated);
        }
        let open: Vec<usize> =
            (0..chain.stints.len()).filter(|i| chain.stints[*i].until.is_none()).collect();
        let held_by =
            || open.iter().map(|i| chain.stints[*i].holder.clone()).collect::<Vec<String>>();
        let giver = step.from.as_ref();
        let held = giver
            .and_then(|from| open.iter().rev().find(|i| chain.stints[**i].holder == *from))
            .copied();
        let mut seal_was = last_seal.take();
        match (giver, held) {
            (_, Some(i)) => {
                let stint = &mut chain.stints[i];
                if at.utc_ms() < stint.since.utc_ms() {
                    chain.faults.push((step.record, Fault::Early { received: stint.since }));
                }
                seal_was = Some(stint.seal.clone());
                stint.until = Some(at);
            }
            (Some(from), None) if past.contains(from) => {
                fault(Fault::Overlap { held_by: held_by(), from: from.clone() });
            }
            (Some(from), None) => {
                fault(Fault::Gap { held_by: held_by(), from: from.clone() });
                for i in open {
                    chain.stints[i].until = Some(at);
                    chain.stints[i].lost = true;
                }
            }
            (None, None) if !open.is_empty() => {
                fault(Fault::Overlap { held_by: held_by(), from: step.to.clone() });
                seal_was = None;
            }
            (None, None) => seal_was = None,
        }
        seals(&mut chain, step, seal_was);
        for (side, proof) in Side::BOTH.into_iter().zip(step.proofs.into_iter().flatten()) {
            if !matches!(proof, Proof::Signed | Proof::Acknowledged) {
                chain.faults.push((step.record, Fault::Unproved { side, proof }));
            }
        }
        past.extend(step.from.clone());
        past.insert(step.to.clone());
        last_seal = Some(step.seal_after.clone());
        chain.stints.push(Stint {
            record: step.record,
            holder: step.to.clone(),
            place: step.place.clone(),
            seal: step.seal_after.clone(),
            since: at,
            until: None,
            lost: false,
        });
    }
    chain.steps = steps;
    chain
}

/// The first change of a seal that no reason is given for.
fn seals(chain: &mut Chain, step: &Step, was: Option<Option<String>>) {
    if step.reason.is_some() {
        return;
    }
    let before = was.filter(|was| *was != step.seal_before).map(|was| (was, &step.seal_before));
    let here =
        (step.seal_before != step.seal_after).then(|| (step.seal_before.clone(), &step.seal_after));
    if let Some((was, is)) = before.or(here) {
        chain.faults.push((step.record, Fault::Seal { was, is: is.clone() }));
    }
}

#[cfg(test)]
#[path = "chain_tests.rs"]
mod tests;

//! From the records of a clearing house's log to what it knows.

use ledger::{Checkpoint, VerifierKey};
use model::record::{Body, Opening, Record, ShieldDecided};
use shield::measure::{Measure, figures};
use shield::order::written::MAX_PARTS;
use shield::order::{Decision, Deed, ItemId, Moment, Policy, State, Step, TicketId, Touched};
use shield::told;
use shield::wire::keys::Turn;
use vault::Case;

use super::blocks::{Batch, Blocks};
use super::excepted::Excepted;
use super::held::Held;
use super::said::{self, Words};
use super::spoken::Spoken;
use super::standby::{GENERATION, Standbys};
use super::tally::Tally;
use super::trail::Trail;
use crate::{Error, Result};

/// What a log comes to.
#[derive(Debug, Default)]
pub struct Standing {
    /// Orders, events, tickets, items.
    pub state: State,
    /// The figures.
    pub policy: Policy,
    /// The epoch; 0 before the first feed began.
    pub epoch: u64,
    /// When it was decided last.
    pub last: Option<Moment>,
    /// Decisions.
    pub decisions: u64,
    /// The figures of what became of what was reported.
    pub tally: Tally,
    /// What it says of standbys.
    pub standbys: Standbys,
    /// What ISPs are measured to do.
    pub measure: Measure,
    /// The keys of the feed that were replaced, in order.
    pub(super) turns: Vec<Turn>,
    /// What ISPs say of what they block.
    pub said: Words,
    /// How far so many witnesses have cosigned the log, by one, by two and so on.
    pub(super) cosigned: Vec<u64>,
    /// Where more witnesses were asked for from a record on: that record, and for how many before. What was decided
    /// before waits for no more than these. Of each number one, the greatest last: as many as there are witnesses.
    pub(super) fewer: Vec<(u64, u64)>,
    pub(super) blocks: Blocks,
    pub(super) trail: Trail,
    pub(super) excepted: Excepted,
    /// Which records speak of exhibits and authorisations.
    pub(super) spoken: Spoken,
    /// Parts of a decision of which more are to come.
    pub(super) open: Vec<String>,
}

/// What a record says that cannot be, in words.
pub(super) type Odd = String;

impl Standing {
    /// The first record that speaks of a ticket, of those that are followed: the one that took it, where it is not
    /// older.
    pub fn first_record(&self, ticket: TicketId) -> Option<u64> {
        self.trail.all(ticket).first().copied()
    }

    /// Takes the next record.
    ///
    /// # Errors
    /// What does not hold together.
    pub(super) fn take(
        &mut self,
        index: u64,
        record: &Record,
        opening: &Opening,
    ) -> std::result::Result<(), Odd> {
        self.spoken.take(index, record, opening);
        if !record.kind.starts_with("shield.") {
            return self.whole();
        }
        // What was erased by law is not known any more; of decisions nothing can be.
        let body = Body::read_left(record, opening).map_err(|e| e.to_string())?;
        match body {
            Body::ShieldDecided(body) => {
                return self.decided(index, &body, record.actor(opening).as_deref());
            }
            Body::ShieldBegan(body) if body.epoch > self.epoch => {
                // Whose epochs these are, their numbers say: no machine begins one of another's.
                let other = body.epoch / GENERATION != self.epoch / GENERATION;
                if other != self.standbys.promoted {
                    return Err(format!("epoch {} is not this machine's to begin", body.epoch));
                }
                self.epoch = body.epoch;
                self.standbys.promoted = false;
                let batch = Batch::all(&self.state, body.seed.map_or([0; 32], |seed| seed.0));
                let shown = body.blocks.zip(body.blocks_under);
                if batch.root() != shown || body.seed.is_some() != shown.is_some() {
                    return Err("the root it shows is not that of the blocks in force".into());
                }
                self.blocks.keep(batch, index, &self.state, self.last.unwrap_or(Moment(0)));
            }
            Body::ShieldBegan(body) => {
                let before = self.epoch;
                return Err(format!("it begins epoch {}, and {before} had begun", body.epoch));
            }
            Body::ShieldStandby(body) => self.standbys.take(&body)?,
            Body::ShieldFigured(body) => drop(self.figured(index, &body.figure, body.value)?),
            Body::ShieldNotice(body) if body.item.is_empty() => {}
            Body::ShieldNotice(body) => {
                let item: ItemId = body
                    .item
                    .parse()
                    .map_err(|_| format!("it speaks of the item {:?}, which is none", body.item))?;
                self.trail.mark(item.ticket(), index);
            }
            Body::ShieldMeasured(body) if body.measured.is_empty() => {}
            Body::ShieldMeasured(body) => {
                figures::read(&body.measured)?.iter().for_each(|one| self.measure.replay(one));
            }
            Body::ShieldFeedKey(body) => {
                let turn = Turn::read(index, &body.old, &body.new, &body.statement);
                self.turned(turn.map_err(|e| e.to_string())?)?;
            }
            Body::ShieldIspsSaid(body) if body.said.is_empty() => {}
            Body::ShieldIspsSaid(body) => {
                for said in said::read(&body.said)? {
                    self.said.take(&said);
                }
            }
            _ => {}
        }
        self.whole()
    }

    /// A key of the feed that was replaced is replaced no second time, and does not come back.
    ///
    /// # Errors
    /// It is, or does.
    pub(super) fn may_turn(&self, turn: &Turn) -> std::result::Result<(), Odd> {
        if self.is_void(&turn.old) || self.is_void(&turn.new) {
            return Err("a key of the feed that was replaced counts no more".into());
        }
        Ok(())
    }

    /// True of a key of the feed that was replaced.
    pub(super) fn is_void(&self, key: &VerifierKey) -> bool {
        self.turns.iter().any(|of| of.old == *key)
    }

    /// The feed's key is another from here on.
    pub(super) fn turned(&mut self, turn: Turn) -> std::result::Result<(), Odd> {
        self.may_turn(&turn)?;
        self.turns.push(turn);
        Ok(())
    }

    /// Nothing may come between the parts of a decision.
    fn whole(&self) -> std::result::Result<(), Odd> {
        if self.open.is_empty() { Ok(()) } else { Err("a decision before it is not whole".into()) }
    }

    fn decided(
        &mut self,
        index: u64,
        body: &ShieldDecided,
        actor: Option<&str>,
    ) -> std::result::Result<(), Odd> {
        if body.epoch != self.epoch {
            let epoch = self.epoch;
            return Err(format!("it is of epoch {}, and {epoch} is the one that runs", body.epoch));
        }
        let parts = usize::try_from(body.parts).unwrap_or(usize::MAX);
        if body.part != self.open.len() as u64 || body.part >= body.parts || parts > MAX_PARTS {
            return Err(format!("part {} of {} does not come here", body.part + 1, body.parts));
        }
        self.open.push(body.decision.clone());
        if self.open.len() < parts {
            return Ok(());
        }
        let text = std::mem::take(&mut self.open).concat();
        let decision = Decision::read(&text).map_err(|e| e.to_string())?;
        if actor != Some(decision.by.person.as_str()) {
            return Err("who acts is another than who decided".into());
        }
        // Where nothing is shown there is no seed, and nothing under it.
        let seed = body.seed.map_or([0; 32], |seed| seed.0);
        let mut batch = Batch::new(seed);
        self.apply(&decision, index, &mut batch);
        let (shown, told) = (body.blocks.zip(body.blocks_under), body.told.zip(body.told_under));
        if batch.root() != shown || body.seed.is_some() != shown.or(told).is_some() {
            return Err("the root it shows is not that of the blocks it puts into force".into());
        }
        // What was decided before there was such a root shows none.
        if (body.told.is_some() || body.told_under.is_some())
            && told::root(&decision, &seed) != told
        {
            return Err("the root it shows is not that of what may be told of it".into());
        }
        self.blocks.keep(batch, index, &self.state, decision.at);
        self.trail.keep(&decision, index);
        self.excepted.keep(&decision, index);
        Ok(())
    }

    fn apply(&mut self, decision: &Decision, record: u64, batch: &mut Batch) {
        for step in decision.steps() {
            let touched = self.step(&step);
            self.measure.follow(&self.state, &touched, record, decision.at);
            self.tally.follow(&self.state, &step);
            self.blocks.follow(&self.state, &step);
            batch.take(&self.state, &step);
        }
        self.last = self.last.max(Some(decision.at));
        self.decisions += 1;
    }

    /// The state after a step. What a probe saw last of an item that ends nobody asks for any more.
    pub(super) fn step(&mut self, step: &Step) -> Touched {
        let of = match &step.deed {
            Deed::Turned { item, .. } => Some(*item),
            _ => None,
        };
        let live = |state: &State| {
            let live = state.item(of?)?;
            Some((live.value.clone(), live.written.clone()))
        };
        let before = if self.spoken.captured.is_empty() { None } else { live(&self.state) };
        let touched = self.state.apply(step);
        if let Some((value, written)) = before
            && live(&self.state).is_none()
        {
            self.spoken.captured.ended(&self.state, &value, written.as_deref());
        }
        touched
    }

    /// A figure of the policy is another from a record on; true where other records are covered by that.
    ///
    /// # Errors
    /// No such figure, or a value out of its bounds.
    pub(super) fn figured(
        &mut self,
        record: u64,
        figure: &str,
        value: u64,
    ) -> std::result::Result<bool, Odd> {
        let before = self.policy.witnesses;
        self.policy.set(figure, value)?;
        let now = self.policy.witnesses;
        if now > before {
            self.fewer.push((record, before));
        } else {
            // Who waited for more waits for these alone.
            self.fewer.retain(|(_, by)| *by < now);
        }
        Ok(self.cover())
    }

    /// What is covered follows from what is cosigned, and from how many are asked for; true where it changed.
    pub(super) fn cover(&mut self) -> bool {
        let covered = self.covered(&self.cosigned);
        self.blocks.cover(covered)
    }

    /// How many records so many have cosigned as the policy asks for, or asked for when they were decided, where
    /// that was fewer; `None`: it asks for none.
    fn covered(&self, cosigned: &[u64]) -> Option<u64> {
        let covered = |by: u64| {
            let by = usize::try_from(by).unwrap_or(usize::MAX);
            by.checked_sub(1).map(|n| cosigned.get(n).copied().unwrap_or(0))
        };
        let now = covered(self.policy.witnesses)?;
        let before =
            self.fewer.iter().map(|(until, by)| covered(*by).map_or(*until, |to| to.min(*until)));
        Some(before.fold(now, u64::max))
    }

    /// True where the first `records` are covered, had witnesses cosigned so much.
    pub(super) fn is_covered(&self, cosigned: &[u64], records: u64) -> bool {
        self.covered(cosigned).is_none_or(|covered| records <= covered)
    }

    /// The record that shows an item's block, with the root over it: for who verifies.
    pub fn proven(&self, item: shield::order::ItemId) -> Option<shield::proof::Proven> {
        self.blocks.proven(item)
    }

    /// The end of the log: no decision may be cut off there.
    pub(super) fn end(&self) -> std::result::Result<(), Odd> {
        self.whole()
    }
}

/// Applies a log's records from `first` on.
pub(super) fn replay(case: &Case, standing: &mut Standing, first: u64) -> Result<()> {
    if case.origin() != vault::shield_origin(case.authority()) {
        let dir = crate::shell::quoted_path(case.dir());
        return Err(Error::Asked(format!(
            "{dir} is a case, and no clearing house: make one with `vigie shield init FOLDER`"
        )));
    }
    let odd = |index: u64, why: &str| {
        Error::Beside(format!(
            "record {index} of the clearing house's log does not hold: {why}. Nothing is decided on such a \
             log; `vigie verify {}` tells more, `vigie restore` lays back a backup",
            crate::shell::quoted_path(case.dir())
        ))
    };
    let mut held = Held::after(case.log(), first)?;
    for entry in case.records(first) {
        let (index, record, opening) = entry?;
        held.take(&opening);
        standing.take(index, &record, &opening).map_err(|why| odd(index, &why))?;
    }
    let signed = case.checkpoint().and_then(|note| Checkpoint::parse_unverified(note).ok());
    // Who may sign was held where the log was opened.
    if signed.is_none_or(|signed| (signed.size, signed.root) != (case.len(), held.root())) {
        return Err(Error::Beside(format!(
            "the entries of the clearing house's log are not those of its signed checkpoint: one of them was \
             changed. Nothing is decided on such a log; `vigie verify {}` tells more, `vigie restore` lays back \
             a backup",
            crate::shell::quoted_path(case.dir())
        )));
    }
    standing.end().map_err(|why| odd(case.len().saturating_sub(1), &why))
}

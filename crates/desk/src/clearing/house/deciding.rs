//! How the house decides: one command after another, each upon what the one before left; then all of it durable
//! by one flush; and nobody is told before.

use model::Sha256Hex;
use model::record::{Body, ShieldDecided};
use shield::order::written::{MAX_PARTS, parts};
use shield::order::{Actor, Command, Decision, Moment, Refusal, Step, Touched, decide};
use shield::told;
use vault::Stamp;

use super::{House, after};
use crate::clearing::blocks::Batch;
use crate::clearing::replay::Standing;
use crate::clearing::standby;
use crate::desk::now_ms;
use crate::{Error, Result};

/// The most commands that are made durable together.
pub const MAX_TOGETHER: usize = 256;
/// Beyond so many bytes of decisions one flush more is made: a commit with its openings, at most this and one
/// decision more, each byte escaped, has to fit into a frame to the standby, or none could ever follow again.
pub(in crate::clearing) const MAX_FLUSH: usize = 16 << 20;

/// Something that somebody wants done. That they are who they say was found before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ask {
    /// Who.
    pub actor: Actor,
    /// What.
    pub command: Command,
}

/// What was done of it: durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// When.
    pub at: Moment,
    /// The steps; none where nothing had to be done.
    pub steps: Vec<Step>,
    /// The last record of the decision; `None` where there are no steps.
    pub record: Option<u64>,
    /// True where a standby is named and does not have it: it is durable on this machine alone.
    pub alone: bool,
    /// Of the end of an order or an event: how many items live under it yet. The house lifts them by itself.
    pub left: u64,
}

impl House {
    /// Does what was asked, in order, and makes all of it durable by one flush, or by one each [`MAX_FLUSH`]. What
    /// is refused changes nothing, and holds up nothing else. At most [`MAX_TOGETHER`] a call; more are refused as a whole.
    ///
    /// # Errors
    /// The disk: nobody knows then whether it was done, and this house does nothing more.
    pub fn act(&mut self, asks: &[Ask]) -> Result<Vec<std::result::Result<Done, Refusal>>> {
        self.sound()?;
        if asks.len() > MAX_TOGETHER {
            return Err(Error::Bound(format!("more than {MAX_TOGETHER} commands at once")));
        }
        self.broken = true; // until all of it is durable
        let now = self.now();
        let (mut answers, mut drafts) = (Vec::with_capacity(asks.len()), Vec::new());
        let mut records = Vec::new();
        for ask in asks {
            if drafts.iter().map(|draft: &Draft| draft.text.len()).sum::<usize>() > MAX_FLUSH {
                records.extend(self.write(std::mem::take(&mut drafts))?);
            }
            if self.is_alone() && standby::adds(&self.standing.state, &ask.command) {
                answers.push((Err(Refusal::StandbyGone), 0));
                continue;
            }
            let seed = vault::random()?;
            match self.decide(ask, now, seed, &mut drafts) {
                Ok(Some(steps)) => answers.push((Ok(steps), records.len() + drafts.len())),
                Ok(None) => answers.push((Ok(Vec::new()), 0)),
                Err(refusal) => answers.push((Err(refusal), 0)),
            }
        }
        records.extend(self.write(drafts)?);
        self.broken = false;
        let alone = self.is_alone();
        let state = &self.standing.state;
        let answer = |((steps, draft), ask): ((std::result::Result<_, Refusal>, usize), &Ask)| {
            let record = draft.checked_sub(1).and_then(|n| records.get(n).copied());
            let left = ask.command.ends().map_or(0, |basis| state.left_under(&basis));
            let alone = alone && record.is_some();
            steps.map(|steps| Done { at: now, steps, record, alone, left })
        };
        Ok(answers.into_iter().zip(asks).map(answer).collect())
    }

    /// Whether something would be done, were it asked now. Nothing is.
    ///
    /// # Errors
    /// Why it would be refused.
    pub fn would(&self, ask: &Ask) -> std::result::Result<(), Refusal> {
        let Standing { state, policy, .. } = &self.standing;
        decide(state, policy, &ask.command, &ask.actor, self.now()).map(drop)
    }

    /// Does what is due by now; true where more may be.
    ///
    /// # Errors
    /// As [`House::act`].
    pub fn tick(&mut self) -> Result<bool> {
        if self.standing.state.next_due().is_none_or(|due| due > self.now()) {
            return Ok(false);
        }
        let tick = Ask { actor: self.house.clone(), command: Command::Tick };
        let done = self.act(std::slice::from_ref(&tick))?;
        Ok(matches!(done.first(), Some(Ok(done)) if !done.steps.is_empty()))
    }

    /// Lifts on what an end of an order or an event left, at most [`shield::order::MAX_LIFTED`] items; true where there
    /// may be more. Whoever else waits has their turn in between.
    ///
    /// # Errors
    /// As [`House::act`].
    pub fn carry_on(&mut self) -> Result<bool> {
        if self.standing.state.ending().next().is_none() {
            return Ok(false);
        }
        let on = Ask { actor: self.house.clone(), command: Command::CarryOn };
        let done = self.act(std::slice::from_ref(&on))?;
        let did = matches!(done.first(), Some(Ok(done)) if !done.steps.is_empty());
        Ok(did && self.standing.state.ending().next().is_some())
    }

    /// Decides one command and applies it. What is decided next builds on it; nobody hears of it before all
    /// is durable.
    fn decide(
        &mut self,
        ask: &Ask,
        now: Moment,
        seed: [u8; 32],
        drafts: &mut Vec<Draft>,
    ) -> std::result::Result<Option<Vec<Step>>, Refusal> {
        if let Command::Check { item, .. } = &ask.command {
            self.due.asked(*item);
        }
        let Standing { state, policy, .. } = &self.standing;
        let steps = decide(state, policy, &ask.command, &ask.actor, now)?;
        let Some(decision) = Decision::of(&steps) else { return Ok(None) };
        // What could not be written down is not decided: a moment beyond all calendars.
        let text = decision.write().map_err(|_| Refusal::BadSpan)?;
        if parts(&text).count() > MAX_PARTS {
            return Err(Refusal::TooManyItems { given: steps.len() });
        }
        let told = told::root(&decision, &seed);
        let batch = Batch::new(seed);
        let mut draft = Draft { decision, text, batch, told, touched: Vec::new() };
        for step in &steps {
            let touched = self.standing.step(step);
            self.standing.tally.follow(&self.standing.state, step);
            self.standing.blocks.follow(&self.standing.state, step);
            draft.batch.take(&self.standing.state, step);
            self.schedule.follow(&self.standing.state, &self.standing.policy, step);
            self.follow_due(step);
            draft.touched.push(touched);
        }
        self.standing.last = self.standing.last.max(Some(now));
        self.standing.decisions += 1;
        drafts.push(draft);
        Ok(Some(steps))
    }

    /// Makes drafts durable, and gives the last record of each. The feed is told after that.
    fn write(&mut self, drafts: Vec<Draft>) -> Result<Vec<u64>> {
        let (mut bodies, mut ends) = (Vec::new(), Vec::with_capacity(drafts.len()));
        for draft in &drafts {
            let person = draft.decision.by.person.as_str();
            let records = draft.records(self.standing.epoch);
            bodies.extend(records.into_iter().map(|body| (person.to_owned(), body)));
            ends.push(bodies.len() as u64);
        }
        if bodies.is_empty() {
            return Ok(Vec::new());
        }
        let first = self.commit(bodies)?;
        let records: Vec<u64> = ends.into_iter().map(|end| first + end - 1).collect();
        for (draft, record) in drafts.into_iter().zip(&records) {
            self.standing.trail.keep(&draft.decision, *record);
            self.standing.excepted.keep(&draft.decision, *record);
            // Released, and lifted, is what is durable.
            let durable = after(self.standing.last);
            self.standing.blocks.keep(draft.batch, *record, &self.standing.state, durable);
            for touched in &draft.touched {
                let Standing { measure, state, .. } = &mut self.standing;
                measure.follow(state, touched, *record, durable);
            }
            if let Some(feed) = &mut self.feed {
                for touched in draft.touched {
                    feed.touch(&self.standing.state, touched);
                }
            }
        }
        Ok(records)
    }

    /// Commits records, each of its actor, and gives the first one's index.
    pub(in crate::clearing) fn commit(&mut self, bodies: Vec<(String, Body)>) -> Result<u64> {
        let was = std::mem::replace(&mut self.broken, true);
        let stamp = Stamp { actor: self.house.person.as_str().to_owned(), now_ms: now_ms() };
        let mut batch = self.case.batch();
        for (actor, body) in bodies {
            if actor.is_empty() { batch.record(body) } else { batch.record_by(&actor, body) }
        }
        let range = batch.commit(&stamp)?;
        self.broken = was;
        self.ship(range.start);
        Ok(range.start)
    }
}

/// A decision on its way to the log.
struct Draft {
    decision: Decision,
    text: String,
    batch: Batch,
    told: Option<(Sha256Hex, u64)>,
    touched: Vec<Touched>,
}

impl Draft {
    fn records(&self, epoch: u64) -> Vec<Body> {
        let all: Vec<&str> = parts(&self.text).collect();
        let root = self.batch.root();
        let count = all.len() as u64;
        let body = |(part, text): (u64, &str)| {
            let last = part + 1 == count;
            let (shown, told) = (root.filter(|_| last), self.told.filter(|_| last));
            let seed = shown.or(told).map(|_| self.batch.seed());
            ShieldDecided {
                epoch,
                part,
                parts: count,
                blocks: shown.map(|(root, _)| root),
                blocks_under: shown.map(|(_, under)| under),
                told: told.map(|(root, _)| root),
                told_under: told.map(|(_, under)| under),
                decision: text.to_owned(),
                seed,
            }
            .into()
        };
        (0..).zip(all).map(body).collect()
    }
}

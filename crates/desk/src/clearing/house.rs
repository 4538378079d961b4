//! The log, what follows from it, and the feed: in one hand.

use std::collections::BTreeSet;
use std::path::Path;

use ledger::Checkpoint;
use model::Sha256Hex;
use model::record::{Body, CaptureMade, ShieldBegan, ShieldDecided, ShieldFigured};
use shield::feed::{Bounds, Entry, Feed};
use shield::order::schedule::Schedule;
use shield::order::turn::{Evidence, Notice};
use shield::order::words::{Grounds, Organisation, Person};
use shield::order::written::{MAX_PARTS, parts};
use shield::order::{
    Actor, Command, Decision, ItemId, Machine, Moment, Policy, Refusal, Role, State, Step, Touched,
    decide,
};
use shield::proof::Proven;
use shield::told;
use vault::{Case, Home, Stamp};

use super::blocks::{Batch, Blocks};
use super::due::Due;
use super::held::Held;
use super::kept::{self, Covered, Keeping, Started};
use super::publish::{Elsewhere, Noted};
use super::replay::Standing;
use super::standby::{self, Copies, Told};
use super::witnessed::Cosigned;
use crate::capture::{Book, Last};
use crate::desk::{Place, now_ms};
use crate::{Error, Result};

/// The most commands that are made durable together.
pub const MAX_TOGETHER: usize = 256;
/// Beyond so many bytes of decisions one flush more is made: a commit with its openings, at most this and one
/// decision more, each byte escaped, has to fit into a frame to the standby, or none could ever follow again.
pub(super) const MAX_FLUSH: usize = 16 << 20;

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

/// The clearing house, open for writing.
#[derive(Debug)]
pub struct House {
    pub(super) case: Case,
    house: Actor,
    pub(super) standing: Standing,
    pub(super) copies: Copies,
    pub(super) schedule: Schedule,
    pub(super) due: Due,
    /// Items of which a notice is asked, and was not sent yet.
    pub(super) notices: BTreeSet<ItemId>,
    feed: Option<Feed>,
    started: Started,
    of_kept: Option<Told>,
    pub(super) cosigned: Cosigned,
    /// How much of the log may be kept.
    pub(super) covered: Covered,
    /// Records that were let be seen.
    shown: u64,
    broken: bool,
    /// Who is left out of the feed's files.
    pub(super) left_out: Noted,
    /// How the feed's copy in another place is.
    pub(super) elsewhere: Elsewhere,
}

impl House {
    /// Makes the folder of the authority's clearing house. An authority has one.
    ///
    /// # Errors
    /// There is one; the disk; the authority's key.
    pub fn create(place: &Place) -> Result<()> {
        let stamp = Stamp { actor: place.actor.clone(), now_ms: now_ms() };
        let home = Home::new(&place.home);
        let case = Case::create_shield(&place.case, &home, &stamp, &place.holder, place.wait)?;
        Ok(case.finish()?)
    }

    /// Opens it, and makes what it knows of its log.
    ///
    /// # Errors
    /// No clearing house there; another process has it; a log that does not hold together.
    pub fn open(place: &Place) -> Result<Self> {
        let (case, standing, started, cosigned) = kept::open(place)?;
        let name = Organisation::new(case.authority());
        let odd = || Error::Asked(format!("{:?} is no name of an authority", case.authority()));
        let person = Person::new("the clearing house").ok_or_else(odd)?;
        let house = Actor { person, organisation: name.ok_or_else(odd)?, role: Role::House };
        let now = after(standing.last);
        let schedule = Schedule::new(&standing.state, &standing.policy, now);
        let due = Due::new(&standing.state);
        let asked = |machine: &Machine| match machine {
            Machine::InForce(in_force) => in_force.notice == Notice::Asked,
            other => other.pending().is_some_and(|pending| pending.notice == Notice::Asked),
        };
        let items = standing.state.items().filter(|(_, live)| asked(&live.machine));
        let notices = items.map(|(item, _)| item).collect();
        let copies = Copies::default();
        let covered = Covered::default();
        covered.tell(&standing);
        Ok(Self {
            case,
            house,
            standing,
            copies,
            schedule,
            due,
            notices,
            feed: None,
            started,
            of_kept: None,
            cosigned,
            covered,
            shown: 0,
            broken: false,
            left_out: Noted::default(),
            elsewhere: Elsewhere::default(),
        })
    }

    /// What its log comes to.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Where whoever makes the feed's copy in another place notes how it is.
    pub fn elsewhere(&self) -> Elsewhere {
        self.elsewhere.clone()
    }

    /// What the log in a folder comes to, for who only reads: no lock, no waiting, and nothing is written. It begins
    /// from what is kept, by the checks of a start, and says how it came to know it. `home` is the folder with the
    /// authorities' keys: without it, the key that the log names counts, and a policy that asks for witnesses has
    /// the whole log applied.
    ///
    /// # Errors
    /// As [`House::open`], locks aside.
    pub fn read(dir: &Path, home: Option<&Path>) -> Result<(Standing, Started)> {
        kept::read(dir, home)
    }

    /// The same of the whole log, whatever is kept.
    #[cfg(test)]
    pub(super) fn read_whole(dir: &Path) -> Result<Standing> {
        Ok(kept::standing(&Case::read(dir)?, Ok(None), Vec::new())?.0)
    }

    /// Begins the feed: a new session under a greater epoch, so that whoever followed takes nothing of an
    /// earlier one any more.
    ///
    /// # Errors
    /// The disk.
    pub fn begin(&mut self) -> Result<()> {
        self.sound()?;
        let random = vault::random()?;
        let session = u64::from_be_bytes(std::array::from_fn(|n| random[n]));
        let epoch = self.standing.standbys.next_epoch(self.standing.epoch);
        let epoch = epoch.map_err(Error::Beside)?;
        let batch = Batch::all(&self.standing.state, vault::random()?);
        let root = batch.root();
        let body = ShieldBegan {
            epoch,
            session: format!("{session:016x}"),
            blocks: root.map(|(root, _)| root),
            blocks_under: root.map(|(_, under)| under),
            seed: root.map(|_| batch.seed()),
        };
        let record = self.commit(vec![(String::new(), body.into())])?;
        let now = self.now();
        self.standing.blocks.keep(batch, record, &self.standing.state, now);
        self.standing.epoch = epoch;
        self.standing.standbys.promoted = false;
        let Standing { state, blocks, .. } = &self.standing;
        let covers = |entry: &Entry| blocks.cover_of(entry);
        self.feed = Some(Feed::begin(state, (session, epoch), Bounds::default(), now, &covers));
        Ok(())
    }

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

    /// Changes a figure of the policy.
    ///
    /// # Errors
    /// No such figure, or a value out of its bounds; the disk.
    pub fn figure(
        &mut self,
        person: &Person,
        figure: &str,
        value: u64,
        why: &Grounds,
    ) -> Result<()> {
        self.sound()?;
        let mut policy = self.standing.policy.clone();
        policy.set(figure, value).map_err(Error::Asked)?;
        if policy == self.standing.policy {
            return Ok(());
        }
        if policy.witnesses > self.standing.policy.witnesses {
            self.cosigned.allows(policy.witnesses)?;
        }
        let reason = why.as_str().to_owned();
        let body = ShieldFigured { figure: figure.to_owned(), value, reason };
        let record = self.commit(vec![(person.as_str().to_owned(), body.into())])?;
        let changed = self.standing.figured(record, figure, value).map_err(Error::Beside)?;
        self.recovered(changed);
        Ok(())
    }

    /// Witnesses cosigned more of the log, or others are asked: what waits for them may go out by now.
    pub fn witnessed(&mut self, cosigned: Cosigned) {
        self.standing.cosigned = cosigned.sizes();
        self.cosigned = cosigned;
        let changed = self.standing.cover();
        self.recovered(changed);
    }

    /// Other records are covered, where that `changed`: the feed is looked over, and who keeps is told how far.
    fn recovered(&mut self, changed: bool) {
        self.covered.tell(&self.standing);
        if changed && let Some(feed) = &mut self.feed {
            feed.look_again();
        }
    }

    /// Publishes what changed since, under one new serial; `None`: nothing did, or no feed began. What begins
    /// is published once it is covered by as many witnesses as the policy asks for.
    pub fn publish(&mut self) -> Option<shield::feed::Place> {
        let now = self.now();
        let Standing { state, blocks, .. } = &self.standing;
        self.feed.as_mut()?.publish_covered(state, now, &|entry| blocks.cover_of(entry))
    }

    /// Lets the log be seen up to what waits for witnesses: they cosign what they can see.
    ///
    /// # Errors
    /// The disk.
    pub(super) fn show_waiting(&mut self) -> Result<()> {
        let last = self.standing.blocks.last_waiting();
        if last.is_some_and(|last| last >= self.shown) { self.show() } else { Ok(()) }
    }

    /// The feed, once it began.
    pub fn feed(&self) -> Option<&Feed> {
        self.feed.as_ref()
    }

    /// What is known.
    pub fn state(&self) -> &State {
        &self.standing.state
    }

    /// The figures.
    pub fn policy(&self) -> &Policy {
        &self.standing.policy
    }

    /// The figures of what became of what was reported.
    pub fn tally(&self) -> &super::tally::Tally {
        &self.standing.tally
    }

    pub(super) fn trail(&self) -> &super::trail::Trail {
        &self.standing.trail
    }

    pub(super) fn excepted(&self) -> &super::excepted::Excepted {
        &self.standing.excepted
    }

    /// The epoch.
    pub fn epoch(&self) -> u64 {
        self.standing.epoch
    }

    /// As whom the clearing house acts: its clock, its check, its post.
    pub fn itself(&self) -> &Actor {
        &self.house
    }

    /// An item's block with what shows that it was decided.
    pub fn proven(&self, item: ItemId) -> Option<Proven> {
        self.standing.blocks.proven(item)
    }

    pub(super) fn all_blocks(&self) -> &Blocks {
        &self.standing.blocks
    }

    /// How many blocks live, suspended ones included.
    pub fn blocks(&self) -> usize {
        self.standing.blocks.len()
    }

    /// For who follows what its log says of authorisations and captures ([`Book::follow_some`]). Of the records that
    /// were there when it was opened it says no more than which to read: there may be years of them.
    pub(super) fn book(&self) -> Book {
        let Started { kept, applied, .. } = self.started;
        Book::knowing(&self.case, &self.standing.spoken.grants, kept + applied)
    }

    /// The last capture of what a probe was asked for, as its record calls it; `None`: it is not known, or cannot be
    /// read any more.
    pub(super) fn last_capture(&self, asked: &str) -> Option<Last> {
        let record = self.standing.spoken.captured.last(asked)?;
        match self.case.body(record) {
            Ok(Body::CaptureMade(body)) => Some(Last::of(record, &body)),
            _ => None,
        }
    }

    /// What the log says of the capture that some evidence is, and in which record.
    pub(super) fn capture_on(&self, evidence: &Evidence) -> Option<(CaptureMade, u64)> {
        // One commit seals what a probe saw and says what it was.
        let record = self.case.exhibit(&evidence.exhibit).ok()??.record + 1;
        let Ok(Body::CaptureMade(body)) = self.case.body(record) else { return None };
        (body.exhibit == evidence.exhibit).then_some((body, record))
    }

    /// Lets go of what only a case that is opened has to know: there may be a row for each exhibit.
    pub(super) fn forget_rows(&mut self) {
        self.standing.spoken.since = Vec::new();
    }

    /// The folder with its log and its vault.
    pub fn case(&self) -> &Case {
        &self.case
    }

    /// Items of which a notice is asked by now, in the order of their reports. One that ended is told of by nobody.
    pub fn notices_asked(&mut self) -> Vec<ItemId> {
        self.notices.retain(|item| self.standing.state.item(*item).is_some());
        self.notices.iter().copied().take(MAX_TOGETHER).collect()
    }

    /// Writes records that are no decisions: of captures. As with an act, nothing more is done after a
    /// fault of the disk in a commit.
    pub(super) fn record<T>(
        &mut self,
        write: impl FnOnce(&mut Case, &Stamp) -> Result<T>,
    ) -> Result<T> {
        self.sound()?;
        self.broken = true;
        let first = self.case.len();
        let stamp = Stamp { actor: self.house.person.as_str().to_owned(), now_ms: now_ms() };
        let done = write(&mut self.case, &stamp);
        // What could not be read or made, before anything was committed, is nothing of which acts have to stop.
        self.broken = self.case.is_broken();
        if !self.broken {
            self.ship(first);
            for index in first..self.case.len() {
                // It is on record, whatever reading it back says: nobody is to write it once more.
                if let Ok((record, opening)) = self.case.record(index) {
                    self.standing.spoken.captured.take(index, &record, &opening);
                }
            }
        }
        done
    }

    /// Sends what was committed from record `first` on to the standby, where one is named.
    fn ship(&mut self, first: u64) {
        if self.standing.standbys.named.is_some() {
            self.copies.ship(&self.case, first);
        }
    }

    /// When something is due next: of the clock or to be captured.
    pub fn next_due(&self) -> Option<Moment> {
        let dues = [self.standing.state.next_due(), self.schedule.next_due()];
        dues.into_iter().flatten().min()
    }

    /// Now. A clock that was set back stands still until it is where it was: what was decided last is never
    /// later than what is decided next.
    pub fn now(&self) -> Moment {
        after(self.standing.last)
    }

    /// Writes tiles, and lets the authority see the log, so that others can prove out of it.
    ///
    /// # Errors
    /// The disk.
    pub fn show(&mut self) -> Result<()> {
        self.sound()?;
        self.case.publish()?;
        self.shown = self.case.len();
        Ok(())
    }

    /// How it came to know what it knows: of what was kept, or of all of its log.
    pub fn started(&self) -> &Started {
        &self.started
    }

    /// Whom to tell where what the log comes to cannot be kept.
    pub fn tell_of_kept(&mut self, told: impl Fn(&str) + Send + 'static) {
        self.of_kept = Some(Told(Box::new(told)));
    }

    /// Begins to keep what the log comes to, beside it.
    pub(super) fn keeping(&mut self) -> Result<Keeping> {
        let told = self.of_kept.take();
        Keeping::start(
            self,
            Box::new(move |line| {
                if let Some(Told(told)) = &told {
                    told(line);
                }
            }),
        )
    }

    /// Closes the log in good order.
    ///
    /// # Errors
    /// The disk; what was acknowledged is safe all the same.
    pub fn close(self) -> Result<()> {
        if self.broken {
            return Ok(());
        }
        Ok(self.case.finish()?)
    }

    /// Records what nobody decided: for tests of what is made of it.
    #[cfg(test)]
    pub(super) fn forge(&mut self, body: Body) {
        self.commit(vec![("mallory".to_owned(), body)]).unwrap();
    }

    pub(super) fn sound(&self) -> Result<()> {
        if !self.broken {
            return Ok(());
        }
        Err(Error::Beside(
            "the clearing house's disk failed in the midst of an act: whether it was done, its log says. \
             Nothing more is done before it is opened again"
                .to_owned(),
        ))
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
    pub(super) fn commit(&mut self, bodies: Vec<(String, Body)>) -> Result<u64> {
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

/// Now, and not before a moment.
fn after(last: Option<Moment>) -> Moment {
    let now = Moment(now_ms());
    last.map_or(now, |last| last.max(now))
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

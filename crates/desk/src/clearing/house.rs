//! The log, what follows from it, and the feed: in one hand.
//!
//! - `deciding`: what is asked becomes steps, records, and an answer.

mod deciding;

use std::collections::BTreeSet;
use std::path::Path;

use model::record::{Body, CaptureMade, ShieldBegan, ShieldFigured};
use shield::feed::{Bounds, Entry, Feed};
use shield::order::schedule::Schedule;
use shield::order::turn::{Evidence, Notice};
use shield::order::words::{Grounds, Organisation, Person};
use shield::order::{Actor, ItemId, Machine, Moment, Policy, Role, State};
use shield::proof::Proven;
use vault::{Case, Home, Stamp};

use super::blocks::{Batch, Blocks};
use super::due::Due;
use super::kept::{self, Covered, Keeping, Started};
use super::publish::{Elsewhere, Noted};
use super::replay::Standing;
use super::standby::{Copies, Told};
use super::witnessed::Cosigned;
use crate::capture::{Book, Last};
use crate::desk::{Place, now_ms};
use crate::{Error, Result};

#[cfg(test)]
pub(in crate::clearing) use deciding::MAX_FLUSH;
pub use deciding::{Ask, Done, MAX_TOGETHER};

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
}

/// Now, and not before a moment.
fn after(last: Option<Moment>) -> Moment {
    let now = Moment(now_ms());
    last.map_or(now, |last| last.max(now))
}

//! What follow's threads share: what is held of the feed, and what keep has not been told yet.
//!
//! Keep is told of values, not of steps: one that changed stands once among those to be blocked or
//! those to be lifted, and what is said of it is what is held at that moment. So no queue grows while
//! keep is slow, and lifts go first.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shield::feed::Place;
use shield::item::Item;
use shield::order::Halt;
use shield::wire::{Alarm, FileName, Follower, Held, Manifest, Staged, Taken, Want};

use super::alarms::Alarms;
use super::fetch::Fault;
use super::status::{KeepStatus, Status};
use crate::clock;
use crate::frame::Frame;
use crate::keep::Told;
use crate::keeping::{MAX_LIFE, MAX_VALUES};

/// The most frames that are on their way to keep without their replies.
pub const CHUNK: usize = 128;
/// Names that changed since they were told, at most; where there are more, keep is told all anew.
pub const MAX_CHANGED: usize = 2 * MAX_VALUES;
/// How often keep is asked how it stands: more often than it closes who says nothing.
const ASK: u64 = 5_000;

/// What a speaker told keep so far.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// Which list it is of; none before the first.
    generation: Option<u64>,
    at: At,
    /// When keep was asked how it stands.
    asked: u64,
}

#[derive(Debug, Default)]
enum At {
    /// Nothing of the list yet.
    #[default]
    Begin,
    /// All up to this one.
    After(Item),
    /// The whole list.
    End,
}

pub(super) struct Shared {
    inner: Mutex<Inner>,
    news: Condvar,
    told: Told,
}

struct Inner {
    follower: Follower,
    alarms: Alarms,
    status: Status,
    /// Grows where keep has to be told all anew.
    generation: u64,
    /// A heartbeat came since keep was told of one.
    fresh: bool,
    /// All was let go of, and keep does not know.
    clear: bool,
    /// A stop that is obeyed.
    halt: Option<Halt>,
    /// A speaker is there: only then changes are kept for it.
    spoken: bool,
    blocks: BTreeSet<Item>,
    lifts: BTreeSet<Item>,
    ended: bool,
}

impl Shared {
    pub(super) fn new(follower: Follower, status: Status, told: Told) -> Self {
        let inner = Inner {
            follower,
            alarms: Alarms::default(),
            status,
            generation: 0,
            fresh: false,
            clear: false,
            halt: None,
            spoken: false,
            blocks: BTreeSet::new(),
            lifts: BTreeSet::new(),
            ended: false,
        };
        Self { inner: Mutex::new(inner), news: Condvar::new(), told }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says a line.
    pub(super) fn say(&self, line: &str) {
        (self.told)(line);
    }

    /// Raises what is wrong at a place; told where it is news.
    pub(super) fn raise(
        &self,
        place: &str,
        word: &'static str,
        message: &dyn std::fmt::Display,
        grave: bool,
    ) {
        let line = self.lock().alarms.raise(place, word, message, clock::wall().0);
        if let Some(line) = line {
            self.say(&format!("{}{line}", if grave { "ALARM: " } else { "" }));
        }
    }

    /// A place is well again.
    pub(super) fn settle(&self, place: &str) {
        let line = self.lock().alarms.settle(place);
        line.iter().for_each(|line| self.say(line));
    }

    /// Obeys a stop that was signed beforehand, or goes on where there is none.
    pub(super) fn obey(&self, halt: Option<Halt>) {
        let (wall, now) = (clock::wall(), clock::now());
        let mut inner = self.lock();
        let was = inner.halt;
        if was == halt {
            return;
        }
        inner.halt = halt;
        inner.status.stopped = halt.map(|halt| halt.word().to_owned());
        if halt == Some(Halt::Lifts) {
            let taken = inner.follower.let_go();
            drop(taken);
            (inner.blocks, inner.lifts) = Default::default();
            inner.clear = true;
            inner.generation += 1;
        }
        let taken = inner.follower.halt(halt.is_some(), wall, now);
        let alarms = inner.changed(taken);
        inner.count();
        drop(inner);
        alarms.iter().for_each(|alarm| self.raise("feed", "feed", alarm, true));
        self.news.notify_all();
    }

    /// Hears a manifest that the feed's key signed; gives the files that lead on.
    pub(super) fn hear(&self, manifest: &Manifest) -> Result<Vec<FileName>, Fault> {
        let (wall, now) = (clock::wall(), clock::now());
        let mut inner = self.lock();
        let (want, clock_off) = inner.follower.hear(manifest, wall, now)?;
        inner.status.beat = manifest.beat.number;
        let files = match want {
            Want::Nothing => {
                inner.fresh = true;
                Vec::new()
            }
            // What would have to be let go of again is not fetched.
            Want::Files(_) if inner.halt == Some(Halt::Lifts) => Vec::new(),
            Want::Files(files) => files,
        };
        drop(inner);
        match clock_off {
            Some(alarm) => self.raise("clock", "clock", &alarm, true),
            None => self.settle("clock"),
        }
        if files.is_empty() {
            self.settle("feed");
        }
        self.news.notify_all();
        Ok(files)
    }

    /// Takes the files of one manifest, all at once: nobody is told of the state in between.
    pub(super) fn take(&self, files: Vec<Staged<'_>>) -> Result<(), Fault> {
        files.iter().try_for_each(Staged::holds)?;
        let (wall, now) = (clock::wall(), clock::now());
        let mut inner = self.lock();
        if inner.halt == Some(Halt::Lifts) {
            // The stop came while they were fetched.
            return Ok(());
        }
        let before = inner.follower.place().map(|(place, _)| place);
        let was_whole = inner.follower.is_whole();
        let mut alarms = Vec::new();
        let mut outcome = Ok(());
        for file in files {
            match inner.follower.take(file, wall, now) {
                Ok(taken) => alarms.extend(inner.changed(taken)),
                Err(alarm) => {
                    outcome = Err(alarm.into());
                    break;
                }
            }
        }
        let place = inner.follower.place().map(|(place, _)| place);
        let kin = |place: Option<Place>| place.map(|place| (place.epoch, place.session));
        if !was_whole || kin(before) != kin(place) {
            inner.generation += 1;
        }
        inner.fresh |= outcome.is_ok();
        inner.count();
        let line = inner.line();
        drop(inner);
        if outcome.is_ok() {
            self.settle("feed");
            self.say(&line);
        }
        alarms.iter().for_each(|alarm| self.raise("feed", "feed", alarm, true));
        self.news.notify_all();
        outcome
    }

    /// Lets go of what is due.
    pub(super) fn tick(&self) {
        let alarms = self.lock().due();
        alarms.iter().for_each(|alarm| self.raise("feed", "silent", alarm, true));
        if !alarms.is_empty() {
            self.news.notify_all();
        }
    }

    /// Where it stands, if it holds a whole list.
    pub(super) fn place(&self) -> Option<Place> {
        let inner = self.lock();
        inner.follower.place().map(|(place, _)| place).filter(|_| inner.follower.is_whole())
    }

    /// The latest epoch that was heard of, from whichever mirror.
    pub(super) fn epoch(&self) -> Option<u64> {
        self.lock().follower.epoch()
    }

    /// True where this mirror is the one that is asked.
    pub(super) fn is_asked(&self, url: &str) -> bool {
        self.lock().status.mirror == url
    }

    /// True where a stop has all let go of.
    pub(super) fn is_let_go(&self) -> bool {
        self.lock().halt == Some(Halt::Lifts)
    }

    /// Which mirror is asked.
    pub(super) fn asks(&self, url: &str) {
        url.clone_into(&mut self.lock().status.mirror);
    }

    /// How it stands.
    pub(super) fn status(&self) -> Status {
        let mut inner = self.lock();
        let now = clock::now();
        let silent = inner.follower.silent_at().filter(|_| inner.follower.is_whole());
        inner.status.silence_in_ms = silent.map(|at| at.saturating_sub(now));
        inner.status.whole = inner.follower.is_whole();
        let (at, alarms, alarms_ever) =
            (clock::wall().0, inner.alarms.standing(), inner.alarms.ever());
        Status { at, alarms, alarms_ever, ..inner.status.clone() }
    }

    /// How keep stands, as the speaker hears it.
    pub(super) fn keep(&self, change: impl FnOnce(&mut KeepStatus)) {
        change(&mut self.lock().status.keep);
    }

    /// The speaker is gone: what changes is kept for nobody.
    pub(super) fn unspoken(&self) {
        let mut inner = self.lock();
        inner.spoken = false;
        (inner.blocks, inner.lifts) = Default::default();
        inner.status.keep.answers = false;
        inner.status.keep.all_told = false;
    }

    /// What is to be said to keep next, at most [`CHUNK`] frames; waits until there is something. None
    /// where follow ends.
    pub(super) fn next(&self, session: &mut Session) -> Option<Vec<Frame>> {
        let mut inner = self.lock();
        loop {
            if inner.ended {
                return None;
            }
            let frames = inner.frames(session, clock::now());
            if !frames.is_empty() {
                return Some(frames);
            }
            let second = Duration::from_secs(1);
            let woken = self.news.wait_timeout(inner, second);
            inner = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// The same, without waiting.
    #[cfg(test)]
    pub(super) fn ready(&self, session: &mut Session) -> Vec<Frame> {
        self.lock().frames(session, clock::now())
    }

    /// Waits, unless follow ends; true where it does not.
    pub(super) fn pause(&self, time: Duration) -> bool {
        let inner = self.lock();
        let ends = self.news.wait_timeout_while(inner, time, |inner| !inner.ended);
        !ends.unwrap_or_else(PoisonError::into_inner).0.ended
    }

    /// Ends it.
    pub(super) fn end(&self) {
        self.lock().ended = true;
        self.news.notify_all();
    }
}

impl Inner {
    /// Lets go of what is due; what has to be told.
    fn due(&mut self) -> Vec<Alarm> {
        let taken = self.follower.due(clock::now());
        if taken.removed.is_empty() && taken.alarms.is_empty() {
            return Vec::new();
        }
        if taken.alarms.iter().any(|alarm| matches!(alarm, Alarm::Silent(..))) {
            (self.clear, self.blocks, self.lifts) = (self.spoken, BTreeSet::new(), BTreeSet::new());
            self.count();
            return taken.alarms;
        }
        let alarms = self.changed(taken);
        self.count();
        alarms
    }

    /// Notes what changed for keep; gives what has to be told.
    fn changed(&mut self, taken: Taken) -> Vec<Alarm> {
        if self.spoken {
            for value in taken.removed {
                self.blocks.remove(&value);
                self.lifts.insert(value);
            }
            for (value, _) in taken.added {
                self.lifts.remove(&value);
                self.blocks.insert(value);
            }
            if self.blocks.len() + self.lifts.len() > MAX_CHANGED {
                (self.blocks, self.lifts) = Default::default();
                self.generation += 1;
            }
        }
        taken.alarms
    }

    fn count(&mut self) {
        let held = self.follower.held();
        // Names come first, so that a look from the end tells how many are none.
        let others = held.keys().rev().take_while(|item| !is_name(item)).count();
        self.status.names = (held.len() - others) as u64;
        self.status.addresses = others as u64;
        self.follower.reads().clone_into(&mut self.status.reads);
        if let Some((place, _)) = self.follower.place() {
            (self.status.epoch, self.status.serial) = (Some(place.epoch), place.serial);
        }
    }

    fn line(&self) -> String {
        let Status { epoch, serial, names, addresses, view, reads, .. } = &self.status;
        let of = if view == reads { String::new() } else { format!("view {reads}, ") };
        format!(
            "{of}epoch {}, serial {serial}: {names} names and {addresses} addresses are in force",
            epoch.unwrap_or(0)
        )
    }

    fn frames(&mut self, session: &mut Session, now: u64) -> Vec<Frame> {
        let mut frames = Vec::new();
        if std::mem::take(&mut self.clear) {
            frames.push(Frame::Clear {});
        }
        let left = self.follower.silent_at().map_or(0, |at| at.saturating_sub(now));
        if self.follower.is_whole() && left > 0 {
            self.say(session, left, now, &mut frames);
        }
        if session.generation.is_some() && now.saturating_sub(session.asked) >= ASK {
            session.asked = now;
            frames.push(Frame::Status {});
        }
        frames
    }

    fn say(&mut self, session: &mut Session, left: u64, now: u64, frames: &mut Vec<Frame>) {
        if session.generation != Some(self.generation) {
            let place = self.follower.place().map(|(place, _)| (place.epoch, place.serial));
            let (epoch, serial) = place.unwrap_or_default();
            *session = Session { generation: Some(self.generation), at: At::Begin, asked: 0 };
            (self.spoken, self.fresh) = (true, false);
            (self.blocks, self.lifts) = Default::default();
            self.status.keep.all_told = false;
            // How it stands, too: whether it takes addresses is known before they are said.
            let alive = Frame::Alive { silence_ms: left };
            frames.extend([Frame::Hello { epoch, serial }, alive, Frame::Status {}]);
            return;
        }
        if std::mem::take(&mut self.fresh) {
            frames.push(Frame::Alive { silence_ms: left });
        }
        let addresses = self.status.keep.takes_addresses;
        let takes = |value: &Item| addresses || is_name(value);
        while frames.len() < CHUNK
            && let Some(value) = self.lifts.pop_first()
        {
            frames.extend(takes(&value).then(|| Frame::Lift { value: value.to_string() }));
        }
        let held = self.follower.held();
        while frames.len() < CHUNK
            && let Some(value) = self.blocks.pop_first()
        {
            let held = held.get(&value).filter(|_| takes(&value));
            frames.extend(held.and_then(|held| block(&value, held, now)));
        }
        fill(held, session, takes, now, frames);
        if matches!(session.at, At::End) && self.blocks.is_empty() && self.lifts.is_empty() {
            self.status.keep.all_told = true;
        }
    }
}

/// Goes on with the whole list.
fn fill(
    held: &BTreeMap<Item, Held>,
    session: &mut Session,
    takes: impl Fn(&Item) -> bool,
    now: u64,
    frames: &mut Vec<Frame>,
) {
    let from = match &session.at {
        At::End => return,
        At::Begin => Bound::Unbounded,
        At::After(item) => Bound::Excluded(item.clone()),
    };
    // Names come first, so that nothing is left out between two that are taken.
    let mut rest = held.range((from, Bound::Unbounded)).take_while(|(value, _)| takes(value));
    while frames.len() < CHUNK {
        let Some((value, held)) = rest.next() else {
            session.at = At::End;
            frames.push(Frame::Whole {});
            return;
        };
        frames.extend(block(value, held, now));
        session.at = At::After(value.clone());
    }
}

fn block(value: &Item, held: &Held, now: u64) -> Option<Frame> {
    let for_ms = held.ends.saturating_sub(now).min(MAX_LIFE);
    (for_ms > 0).then(|| Frame::Block { value: value.to_string(), for_ms })
}

fn is_name(value: &Item) -> bool {
    matches!(value, Item::Name(_))
}

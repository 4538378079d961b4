//! An ISP: follow and keep as they are, without their sockets, with clocks of their own; both may be killed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use rand::rngs::SmallRng;
use shield::feed::ALL;
use shield::order::{Halt, Moment};
use shield::wire::stop::{Obeyed, StopFile};
use shield::wire::{Bounds, Follower};

use super::super::config::Trusted;
use super::super::course::Progress;
use super::super::later::Later;
use super::super::pace::Pace;
use super::super::seen::Seen;
use super::super::shared::{Session, Shared};
use super::super::speaker;
use super::super::status::Status;
use super::super::which::Which;
use super::Sabotage;
use super::following::Running;
use super::net::{Origin, Site};
use crate::clock;
use crate::frame::{Frame, Reply};
use crate::keeping::{Change, Kept, Limits, Outcome, Protected};

/// A resolver whose keep is gone opens all after so long (docs/edge.md, "When something dies").
pub(super) const RESOLVER: u64 = 30_000;

/// An edge that went over from one view of a place to another.
pub(super) struct Went {
    /// When what it held before was said last, by the clearing house's clock.
    pub(super) made: u64,
    /// The epoch.
    pub(super) epoch: u64,
    /// What was blocked before, and is not any more.
    pub(super) opened: Vec<String>,
}

/// How an ISP is set up.
pub(super) struct Settings {
    pub(super) quorum: usize,
    /// How far its wall's clock is off, in milliseconds.
    pub(super) skew: i64,
    pub(super) protected: Vec<String>,
    pub(super) a_minute: u64,
    pub(super) silence_ms: u64,
    /// Its own view; `all` where it has none.
    pub(super) view: String,
    /// Which sites it asks, in order.
    pub(super) sites: Vec<usize>,
}

pub(super) struct Isp {
    pub(super) set: Settings,
    trusted: Arc<Trusted>,
    sabotage: Sabotage,
    /// When its machine began.
    boot: u64,
    // On its disk.
    seen: Option<String>,
    stop: Option<Vec<u8>>,
    // Of follow, while it runs.
    follow: Option<Running>,
    // Of keep, while it runs.
    pub(super) kept: Option<Kept>,
    /// What the resolver blocks, and until when if keep does not come back.
    resolver: BTreeSet<String>,
    gone: Option<u64>,
    /// When values began to be out, and were let go of by an operator: for the law of the flood.
    pub(super) added: Vec<u64>,
    /// What was ever out since keep began: it was let in once.
    known: BTreeSet<String>,
    pub(super) filled: bool,
    /// How far it ever was, and where it was found further back.
    pub(super) top: (u64, u64),
    pub(super) back: Option<String>,
    /// It went over to another view with the last step.
    pub(super) went: Option<Went>,
    /// The epoch that keep was told last.
    pub(super) told: u64,
    /// How often it went over to a site with a later epoch.
    pub(super) later_went: u64,
    /// Alarms that ever stood, by their words.
    pub(super) alarms: BTreeMap<String, u64>,
}

impl Isp {
    pub(super) fn new(set: Settings, trusted: Arc<Trusted>, sabotage: Sabotage) -> Self {
        Self {
            set,
            trusted,
            sabotage,
            boot: 0,
            seen: None,
            stop: None,
            follow: None,
            kept: None,
            resolver: BTreeSet::new(),
            gone: Some(0),
            added: Vec::new(),
            known: BTreeSet::new(),
            filled: false,
            top: (0, 0),
            back: None,
            went: None,
            told: 0,
            later_went: 0,
            alarms: BTreeMap::new(),
        }
    }

    /// The clocks of its machine, from here on.
    fn clocks(&self, now: u64) -> u64 {
        let wall = i64::try_from(now).unwrap_or(i64::MAX).saturating_add(self.set.skew);
        let mine = now.saturating_sub(self.boot).saturating_add(1_000);
        clock::set_both(Some((Moment(wall), mine)));
        mine
    }

    pub(super) fn runs(&self) -> bool {
        self.follow.is_some() && self.kept.is_some()
    }

    /// What users get blocked.
    pub(super) fn blocks(&self) -> &BTreeSet<String> {
        &self.resolver
    }

    /// A stop has it let go of all, and keep was told so.
    pub(super) fn is_let_go(&self) -> bool {
        let lifts = |follow: &Running| follow.obeyed.halt() == Some(Halt::Lifts);
        self.kept.is_some() && self.follow.as_ref().is_some_and(lifts)
    }

    pub(super) fn start_follow(&mut self, now: u64) {
        if self.follow.is_some() {
            return;
        }
        self.clocks(now);
        let bounds =
            Bounds { per_minute: u64::MAX, silence_ms: self.set.silence_ms, ..Bounds::default() };
        let view = if self.sabotage == Sabotage::SharedAlone { ALL } else { &self.set.view };
        let mut follower = Follower::new(view, bounds, Vec::new());
        let seen = self.seen.as_deref().map(|text| Seen::parse(text).expect("what was written"));
        let seen = seen.filter(|_| self.sabotage != Sabotage::NoFloor);
        if let Some(seen) = seen {
            follower.resume(seen.place, seen.beat);
        }
        let lines: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = Arc::new(move |line: &str| lines.lock().unwrap().push(line.to_owned()));
        let shared = Arc::new(Shared::new(follower, Status::default(), told));
        let mut obeyed = Obeyed::default();
        if let Some(bytes) = &self.stop {
            let note = ledger::Note::parse(std::str::from_utf8(bytes).unwrap()).unwrap();
            obeyed = Obeyed::resumed(StopFile::read(&note.text).unwrap());
        }
        shared.obey(obeyed.halt());
        self.follow = Some(Running {
            shared,
            session: Session::default(),
            pace: Pace::new(),
            progress: Progress::default(),
            obeyed,
            at: 0,
            which: Which::new(view),
            made: 0,
            failed: 0,
            wait: now,
            looks_since: None,
            flight: None,
            looked: now,
            later: self.set.sites.iter().map(|_| Later::default()).collect(),
            later_went: 0,
        });
    }

    /// Its people trust other keys from here on, and begin anew: no state, both halves (docs/keys.md).
    pub(super) fn trust_anew(&mut self, trusted: Arc<Trusted>, now: u64) {
        self.kill_follow();
        self.kill_keep(now);
        (self.seen, self.trusted, self.top, self.told) = (None, trusted, (0, 0), 0);
    }

    pub(super) fn kill_follow(&mut self) {
        self.follow = None;
    }

    pub(super) fn start_keep(&mut self, now: u64) {
        if self.kept.is_some() {
            return;
        }
        self.clocks(now);
        let none = Vec::new();
        let no_list = self.sabotage == Sabotage::NoList;
        let rules = if no_list { &none } else { &self.set.protected };
        let protected = Protected::new(rules).unwrap();
        let no_pace = self.sabotage == Sabotage::NoPace;
        let limits = Limits {
            silence_ms: self.set.silence_ms,
            additions_a_minute: if no_pace { u64::MAX } else { self.set.a_minute },
            ..Limits::default()
        };
        self.kept = Some(Kept::new(limits, protected));
        // Its empty zones are taken.
        self.resolver.clear();
        (self.gone, self.filled) = (None, false);
        self.added.clear();
        self.known.clear();
    }

    pub(super) fn kill_keep(&mut self, now: u64) {
        if self.kept.take().is_some() {
            self.gone = Some(now + RESOLVER);
        }
        if let Some(follow) = &mut self.follow {
            follow.shared.unspoken();
            follow.session = Session::default();
        }
    }

    /// The machine goes down and comes up: both halves, and its clock, begin anew.
    pub(super) fn reboot(&mut self, now: u64) {
        self.kill_follow();
        self.kill_keep(now);
        self.boot = now;
        // The resolver is on it.
        self.resolver.clear();
        self.gone = None;
    }

    /// An operator lets in what keep holds.
    pub(super) fn release(&mut self, now: u64) {
        let mine = self.clocks(now);
        if let Some(kept) = &mut self.kept {
            let changes = kept.take(Frame::Release {}, mine).changes;
            let before = self.added.len();
            self.apply(changes, now);
            self.added.truncate(before);
        }
    }

    fn apply(&mut self, changes: Vec<Change>, now: u64) {
        for change in changes {
            match change {
                Change::Block(value) => {
                    self.resolver.insert(value.to_string());
                    if self.known.insert(value.to_string()) {
                        self.added.push(now);
                    }
                }
                Change::Open(value) => drop(self.resolver.remove(&value.to_string())),
            }
        }
    }

    /// What is due by now, what came, what is said to keep.
    pub(super) fn step(
        &mut self,
        now: u64,
        sites: &[Site],
        origins: &[Origin],
        dice: &mut SmallRng,
        calm: bool,
    ) {
        let mine = self.clocks(now);
        if self.gone.is_some_and(|gone| gone <= now) {
            self.resolver.clear();
            self.gone = None;
        }
        if let Some(kept) = &mut self.kept
            && self.sabotage != Sabotage::NoClock
        {
            let changes = kept.due(mine);
            self.apply(changes, now);
        }
        let mut went = None;
        if let Some(follow) = &mut self.follow {
            follow.shared.tick();
            let stays = self.sabotage == Sabotage::Stays;
            follow.look(
                now,
                sites,
                origins,
                &self.set,
                &self.trusted,
                &mut self.stop,
                dice,
                calm,
                stays,
            );
            self.later_went += std::mem::take(&mut follow.later_went);
            let held = follow.held();
            follow.course(
                now,
                sites,
                origins,
                &self.set,
                &self.trusted,
                &mut self.seen,
                dice,
                calm,
            );
            let status = follow.shared.status();
            let at = (status.epoch.unwrap_or(0), status.serial);
            if status.epoch.is_some() && at < self.top {
                self.back = Some(format!("it went back from {:?} to {at:?}", self.top));
            }
            self.top = self.top.max(at);
            // Who stood on one view of a place, and stands on another of it.
            if let (Some(before), Some(after)) = (held, follow.held())
                && (before.kin, follow.obeyed.halt()) == (after.kin, None)
                && before.reads != after.reads
            {
                went = Some((before.made, after.kin.0, self.resolver.clone()));
            }
            for alarm in status.alarms {
                *self.alarms.entry(alarm.word).or_default() += 1;
            }
        }
        self.speak(mine, now);
        if went.is_some() && self.sabotage == Sabotage::Empties {
            self.resolver.clear();
        }
        self.went = went.map(|(made, epoch, before)| {
            let opened = before.difference(&self.resolver).cloned().collect();
            Went { made, epoch, opened }
        });
    }

    /// As the speaker does it, and keep's side of the socket.
    fn speak(&mut self, mine: u64, now: u64) {
        loop {
            let Some(follow) = &mut self.follow else { return };
            let frames = follow.shared.ready(&mut follow.session);
            if frames.is_empty() {
                return;
            }
            let Some(kept) = &mut self.kept else {
                follow.shared.unspoken();
                follow.session = Session::default();
                return;
            };
            let mut changes = Vec::new();
            let mut broke = false;
            let fills = !self.filled;
            for frame in frames {
                self.filled |= matches!(frame, Frame::Whole {});
                let reply = if frame == (Frame::Status {}) {
                    Reply::Status(Box::new(kept.status(mine)))
                } else {
                    let taken = kept.take(frame.clone(), mine);
                    changes.extend(taken.changes);
                    if let (Frame::Hello { epoch, .. }, Outcome::Done) = (&frame, &taken.outcome) {
                        self.told = *epoch;
                    }
                    match taken.outcome {
                        Outcome::Done => Reply::Taken,
                        Outcome::Held => Reply::Held,
                        Outcome::Refused(why) => Reply::refused(why.word(), &why),
                    }
                };
                if speaker::heard(&follow.shared, &frame, reply, &mut follow.pace).is_err() {
                    broke = true;
                    break;
                }
            }
            if broke {
                follow.shared.unspoken();
                follow.session = Session::default();
            }
            let before = self.added.len();
            self.apply(changes, now);
            if fills {
                self.added.truncate(before);
            }
            if broke {
                return;
            }
        }
    }
}

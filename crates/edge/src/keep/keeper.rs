//! What all threads of keep share: what is kept, the zones, and whoever blocks beside them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::drivers::{Hand, Out};
use super::watch::Watcher;
use super::zones::{HOT_LIFE, Served};
use super::{LAST_WAIT, TICK, Told};
use crate::clock::now;
use crate::frame::{Frame, FrameError, Reply};
use crate::keeping::{Change, Kept, Outcome, Protected, Status, Value};

/// What all threads share.
pub(super) struct Keeper {
    inner: Mutex<Inner>,
    observe: bool,
    hands: Vec<Arc<Hand>>,
    told: Told,
}

struct Inner {
    kept: Kept,
    served: Served,
    /// The caller who said hello last.
    speaker: Option<u64>,
    /// Ends: nothing is taken any more.
    ended: bool,
}

impl Keeper {
    pub(super) fn new(
        kept: Kept,
        served: Served,
        observe: bool,
        hands: Vec<Arc<Hand>>,
        told: Told,
    ) -> Self {
        let inner = Mutex::new(Inner { kept, served, speaker: None, ended: false });
        Self { inner, observe, hands, told }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Whoever broke off in the middle: the clock goes on ending what is due.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes frames of one caller, in one step of the zones; a reply each.
    pub(super) fn take(
        &self,
        frames: impl Iterator<Item = Result<Frame, FrameError>>,
        caller: u64,
    ) -> Vec<Reply> {
        let mut inner = self.lock();
        let mut changes = Vec::new();
        let mut replies = Vec::new();
        for frame in frames {
            replies.push(match frame {
                Ok(frame) => inner.one(frame, caller, self.observe, &mut changes),
                Err(why) => Reply::refused("frame", &why),
            });
        }
        self.apply(&mut inner, changes);
        for reply in &mut replies {
            if let Reply::Status(status) = reply {
                status.drivers = self.hands.iter().map(|hand| hand.status()).collect();
            }
        }
        replies
    }

    /// All that is out of those that `takes` takes.
    pub(super) fn all_out(&self, takes: fn(&Value) -> bool) -> Vec<Out> {
        let inner = self.lock();
        let all = inner.kept.all_out().filter(|value| takes(value));
        all.filter_map(|value| inner.out(value)).collect()
    }

    /// Which of these are out, and which are not.
    pub(super) fn left(&self, values: impl IntoIterator<Item = Value>) -> (Vec<Out>, Vec<Value>) {
        let inner = self.lock();
        let (mut out, mut open) = (Vec::new(), Vec::new());
        for value in values {
            match inner.out(&value) {
                Some(one) => out.push(one),
                None => open.push(value),
            }
        }
        (out, open)
    }

    fn apply(&self, inner: &mut Inner, changes: Vec<Change>) {
        if !changes.is_empty() {
            self.hands.iter().for_each(|hand| hand.push(&changes));
        }
        if self.observe {
            return;
        }
        let Inner { kept, served, .. } = inner;
        let until = now().saturating_add(HOT_LIFE.as_millis() as u64);
        let soon = |value: &Value| kept.ends(value).is_some_and(|ends| ends <= until);
        if let Err(error) = served.apply(changes, soon) {
            (self.told)(&format!("a name stands in no zone and stays open: {error}"));
        }
    }

    /// Goes by another protected list; how many values that opened.
    pub(super) fn protect(&self, protected: Protected) -> usize {
        let mut inner = self.lock();
        let (changes, narrower) = inner.kept.protect(protected, now());
        // What may be blocked now is said by whoever follows when it begins anew.
        if narrower {
            inner.speaker = None;
        }
        let opened = changes.len();
        self.apply(&mut inner, changes);
        opened
    }

    /// Ends what is due, for ever.
    pub(super) fn clock(&self, watcher: &Watcher) {
        let mut before = Status::default();
        let mut looked = Instant::now();
        loop {
            std::thread::sleep(TICK);
            let status = {
                let mut inner = self.lock();
                let changes = inner.kept.due(now());
                self.apply(&mut inner, changes);
                if looked.elapsed() < Duration::from_secs(1) {
                    continue;
                }
                inner.kept.status(now())
            };
            looked = Instant::now();
            watcher.alive();
            news(&before, &status).iter().for_each(|line| (self.told)(line));
            before = status;
        }
    }

    /// Opens all, and takes nothing more.
    pub(super) fn end(&self) {
        let mut inner = self.lock();
        inner.ended = true;
        let changes = inner.kept.take(Frame::Clear {}, now()).changes;
        self.apply(&mut inner, changes);
        drop(inner);
        self.hands.iter().for_each(|hand| hand.end());
    }

    /// Waits until all who block beside the zones have opened everything: says who has not, and why.
    pub(super) async fn ended(&self) -> Vec<String> {
        let begun = Instant::now();
        while begun.elapsed() < LAST_WAIT && !self.hands.iter().all(|hand| hand.has_ended()) {
            tokio::time::sleep(TICK).await;
        }
        self.hands.iter().filter_map(|hand| hand.left()).collect()
    }
}

impl Inner {
    /// A value whose life is not over.
    fn out(&self, value: &Value) -> Option<Out> {
        let left = self.kept.left(value).filter(|left| *left > 0).map(Duration::from_millis)?;
        Some(Out { value: value.clone(), left, ends: self.kept.ends(value)? })
    }

    fn one(
        &mut self,
        frame: Frame,
        caller: u64,
        observe: bool,
        changes: &mut Vec<Change>,
    ) -> Reply {
        let now = now();
        match frame {
            Frame::Status {} => {
                let status = Status { observe, ..self.kept.status(now) };
                return Reply::Status(Box::new(status));
            }
            _ if self.ended => return Reply::refused("ended", &"this keep is ending"),
            // Whoever opens is heard; who blocks, or keeps blocks alive, is the last who began.
            Frame::Block { .. } | Frame::Alive { .. } | Frame::Whole {}
                if self.speaker != Some(caller) =>
            {
                let why = match self.speaker {
                    Some(_) => "another follower has begun since: send hello first",
                    None => "none has begun since keep or its protected list did: send hello first",
                };
                return Reply::refused("no_hello", &why);
            }
            _ => {}
        }
        let hello = matches!(frame, Frame::Hello { .. });
        let taken = self.kept.take(frame, now);
        changes.extend(taken.changes);
        match taken.outcome {
            Outcome::Done => {
                if hello {
                    self.speaker = Some(caller);
                }
                Reply::Taken
            }
            Outcome::Held => Reply::Held,
            Outcome::Refused(refused) => Reply::refused(refused.word(), &refused),
        }
    }
}

/// What an operator is told of a second, a line each: so a flood of frames is no flood of lines.
fn news(before: &Status, now: &Status) -> Vec<String> {
    let mut lines = Vec::new();
    if now.silences > before.silences {
        lines.push(format!("ALARM: the feed fell silent, and {} values were opened", before.out));
    }
    if now.held > before.held {
        lines.push(format!(
            "ALARM: {} values wait, since too many came within a minute: look why, then \
             `vigie edge release --config FILE`",
            now.held
        ));
    }
    if now.refused > before.refused {
        lines.push(format!("{} frames were refused", now.refused - before.refused));
    }
    if (now.epoch, now.serial) != (before.epoch, before.serial)
        && let Some(epoch) = now.epoch
    {
        lines.push(format!("the feed is followed at epoch {epoch}, serial {}", now.serial));
    }
    if (now.out, now.addresses) != (before.out, before.addresses) {
        let names = now.out.saturating_sub(now.addresses);
        let addresses = match now.addresses {
            _ if !now.takes_addresses => String::new(),
            n => format!(", and {n} addresses"),
        };
        lines.push(format!("{names} names are out{addresses}"));
    }
    lines
}

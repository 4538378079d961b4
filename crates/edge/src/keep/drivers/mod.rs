//! Whoever blocks beside the zones: a firewall, a router. Each has a thread of its own, so that one that
//! hangs holds up neither the clock nor the zones nor another.
//!
//! A driver is told of values, not of steps: what is said of one is what is kept at that moment. So nothing
//! queues up while it is slow. All is said anew at each beginning, after each fault, and every so often.

pub(super) mod bird;
mod control;
pub(super) mod knot;
pub(super) mod nft;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use bird::MAX_ROUTES;
pub use knot::MAX_KNOT_NAMES;
pub use settings::{BirdSettings, KnotSettings, MAX_LEASE, MIN_LEASE, NftSettings};

use super::keeper::Keeper;
use super::{Mode, Told};
use crate::keeping::{Change, DriverStatus, Value};

/// How often a driver looks whether what it made still stands, and how long it waits after a fault.
pub const LOOK: Duration = Duration::from_secs(1);
/// The values that changed since they were told, at most; where there are more, all is said anew.
const MAX_CHANGED: usize = 100_000;
/// The longest alarm, in characters.
const MAX_ALARM: usize = 400;

/// A value that is out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Out {
    pub(super) value: Value,
    /// How long it stays out yet if nothing more is heard: not past the feed's silence.
    pub(super) left: Duration,
    /// When its own life ends, in milliseconds of keep's clock.
    pub(super) ends: u64,
}

/// What is out, and when its own life ends.
pub(super) type Held = BTreeMap<Value, u64>;

/// Of these at most so many: those whose own life ends first. An event's ends with it, and the rest stands for weeks.
fn soonest<'a>(out: impl Iterator<Item = (&'a Value, u64)>, most: usize) -> BTreeSet<&'a Value> {
    let mut out: Vec<_> = out.map(|(value, ends)| (ends, value)).collect();
    if out.len() > most {
        out.select_nth_unstable(most);
        out.truncate(most);
    }
    out.into_iter().map(|(_, value)| value).collect()
}

/// What a driver can do. What it says of a fault is told to operators.
pub(super) trait Driver: Send {
    /// Holds these, and nothing else. Where it fails, what it held and should not is open all the same, if that
    /// can be had.
    fn all(&mut self, out: &[Out]) -> Result<(), String>;
    /// Holds and lifts; `all` is what is held then.
    fn change(&mut self, hold: &[Out], lift: &[Value], all: &Held) -> Result<(), String>;
    /// True where what changed can wait: it is asked again each look, with what came since, and then told of what is
    /// held alone.
    fn waits(&self, _hold: &[Out], _lift: &[Value]) -> bool {
        false
    }
    /// Whether what it made still stands: a fault has all said anew.
    fn look(&mut self) -> Result<(), String>;
    /// Opens all, and leaves nothing behind.
    fn clear(&mut self) -> Result<(), String>;
    /// The most values that it can hold: those beyond stay open, which is an alarm for as long as there are
    /// more, and no reason to say all anew.
    fn most(&self) -> usize;
    /// Where it only observes: opens what an earlier keep left and no clock ends.
    fn leftover(&mut self) -> Result<(), String> {
        Ok(())
    }
}

/// What the threads share about one driver.
pub(super) struct Hand {
    name: &'static str,
    takes: fn(&Value) -> bool,
    /// How often all is said anew, whatever changed.
    every: Duration,
    pending: Mutex<Pending>,
    news: Condvar,
    status: Mutex<DriverStatus>,
    told: Told,
}

#[derive(Default)]
struct Pending {
    changed: HashSet<Value>,
    all: bool,
    ending: bool,
    ended: bool,
    /// Why not all is open at its end.
    left: Option<String>,
}

/// A driver by its settings.
pub(super) struct Made {
    pub(super) hand: Arc<Hand>,
    driver: Box<dyn Driver>,
    observe: bool,
}

/// A driver at work.
pub(super) struct Worker {
    hand: Arc<Hand>,
    thread: JoinHandle<()>,
}

impl Worker {
    /// The driver's name, where its thread broke off: nobody would lift what it holds.
    pub(super) fn broke(&self) -> Option<&'static str> {
        (self.thread.is_finished() && !self.hand.has_ended()).then_some(self.hand.name)
    }
}

impl Made {
    pub(super) fn new(
        name: &'static str,
        mode: Mode,
        takes: fn(&Value) -> bool,
        every: Duration,
        driver: impl Driver + 'static,
        told: Told,
    ) -> Self {
        let observe = mode == Mode::Observe;
        let status = DriverStatus { driver: name.to_owned(), observe, ..DriverStatus::default() };
        let pending = Pending { ended: observe, ..Pending::default() };
        let (pending, status) = (Mutex::new(pending), Mutex::new(status));
        let hand = Hand { name, takes, every, pending, news: Condvar::new(), status, told };
        Self { hand: Arc::new(hand), driver: Box::new(driver), observe }
    }

    /// Begins its thread, which ends at once where it only counts.
    pub(super) fn begin(self, keeper: &Arc<Keeper>) -> std::io::Result<Worker> {
        let Self { hand, mut driver, observe } = self;
        let (keeper, worker) = (Arc::clone(keeper), Arc::clone(&hand));
        let work = move || {
            if observe {
                worker.heard(&driver.leftover());
            } else {
                worker.work(driver, &keeper);
            }
        };
        let thread = std::thread::Builder::new().name("driver".to_owned()).spawn(work)?;
        Ok(Worker { hand, thread })
    }
}

impl Hand {
    fn pending(&self) -> MutexGuard<'_, Pending> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn standing(&self) -> MutexGuard<'_, DriverStatus> {
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what changed.
    pub(super) fn push(&self, changes: &[Change]) {
        let mut pending = self.pending();
        if pending.ended {
            return;
        }
        for Change::Block(value) | Change::Open(value) in changes {
            if (self.takes)(value) && !pending.all {
                pending.changed.insert(value.clone());
            }
        }
        if pending.changed.len() > MAX_CHANGED {
            pending.changed = HashSet::new();
            pending.all = true;
        }
        if pending.all || !pending.changed.is_empty() {
            self.news.notify_all();
        }
    }

    /// How it stands.
    pub(super) fn status(&self) -> DriverStatus {
        self.standing().clone()
    }

    /// It is to open all and end.
    pub(super) fn end(&self) {
        self.pending().ending = true;
        self.news.notify_all();
    }

    /// Whether it has, or never did anything.
    pub(super) fn has_ended(&self) -> bool {
        self.pending().ended
    }

    /// Why not all is open that it held, once it was to end; none where all is.
    pub(super) fn left(&self) -> Option<String> {
        let pending = self.pending();
        let slow = || Some("it has not ended yet".to_owned());
        let why = if pending.ended { pending.left.clone() } else { slow() };
        why.map(|why| format!("{}: {why}", self.name))
    }

    /// What came within a look's time.
    fn wait(&self) -> Pending {
        let idle =
            |pending: &mut Pending| pending.changed.is_empty() && !pending.all && !pending.ending;
        let woken = self.news.wait_timeout_while(self.pending(), LOOK, idle);
        let mut pending = woken.unwrap_or_else(PoisonError::into_inner).0;
        let ending = pending.ending;
        std::mem::replace(&mut *pending, Pending { ending, ..Pending::default() })
    }

    fn work(&self, mut driver: Box<dyn Driver>, keeper: &Keeper) {
        let (mut anew, mut said, mut looked) = (true, Instant::now(), Instant::now());
        let (mut held, mut owes) = (Held::new(), false);
        loop {
            let pending = if anew { Pending::default() } else { self.wait() };
            if self.pending().ending {
                return self.last(&mut *driver);
            }
            let all = anew || pending.all || said.elapsed() >= self.every;
            // Between changes, too: on a match night no second is without one.
            let looks = !all && (pending.changed.is_empty() || looked.elapsed() >= LOOK);
            let stands = if looks { driver.look() } else { Ok(()) };
            if looks {
                looked = Instant::now();
            }
            let done = if stands.is_err() {
                stands
            } else if all {
                let out = keeper.all_out(self.takes);
                said = Instant::now();
                held = out.iter().map(|one| (one.value.clone(), one.ends)).collect();
                owes = false;
                driver.all(&out)
            } else if pending.changed.is_empty() && !owes {
                Ok(())
            } else {
                let (hold, lift) = keeper.left(pending.changed);
                for value in &lift {
                    held.remove(value);
                }
                held.extend(hold.iter().map(|one| (one.value.clone(), one.ends)));
                owes = driver.waits(&hold, &lift);
                if owes { Ok(()) } else { driver.change(&hold, &lift, &held) }
            };
            let failed = done.is_err();
            if !failed {
                self.standing().holds = held.len().min(driver.most()) as u64;
            }
            self.heard(&done.and_then(|()| room(held.len(), driver.most())));
            // What was found wrong is made anew at once; what fails so, too, is tried again a look later.
            if anew && failed {
                let ends = |pending: &mut Pending| !pending.ending;
                drop(self.news.wait_timeout_while(self.pending(), LOOK, ends));
            }
            anew = failed;
        }
    }

    fn last(&self, driver: &mut dyn Driver) {
        let cleared = driver.clear();
        self.standing().holds = 0;
        let mut pending = self.pending();
        pending.left = cleared.err();
        pending.ended = true;
    }

    /// Tells what is wrong once when it begins, and once when it is over.
    fn heard(&self, done: &Result<(), String>) {
        let mut status = self.standing();
        let line = match done {
            Ok(()) => status.alarm.take().map(|_| format!("{}: well again", self.name)),
            Err(why) => {
                let why: String = why.chars().take(MAX_ALARM).collect();
                let line = format!("ALARM: {}: {why}", self.name);
                let was = status.alarm.replace(why);
                status.alarms += u64::from(was.is_none());
                was.is_none().then_some(line)
            }
        };
        drop(status);
        line.iter().for_each(|line| (self.told)(line));
    }
}

/// What is more than a driver can hold is told: those beyond are open.
fn room(values: usize, most: usize) -> Result<(), String> {
    if values <= most {
        return Ok(());
    }
    Err(format!("{values} values, and {most} are the most: those beyond stay open"))
}

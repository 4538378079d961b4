//! The clearing house's own work: it has captured what is due, and checked what was captured.
//!
//! One round after another, in a thread of its own: the thread that has the house never waits for the
//! outside world, and no capture waits for a slow one: each runs in a thread of its own, so many at once
//! ([`AT_ONCE`]). What a probe saw is sealed and recorded before anything is decided on it.

mod probing;
#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use collect::Bounds;
use shield::harm::{Finding, Known, Verdict};
use shield::order::turn::Outcome;
use shield::order::{Command, ItemId, Value};

use self::probing::Probing;
use super::house::Ask;
use super::keeper::Keeper;
use super::known::Knowledge;
use super::notice::Notices;
use crate::shield::Loaded;
use crate::{Error, Result};

pub use self::probing::{AT_ONCE, FOR_ONE_NEED};

/// The most checks of one round.
const A_ROUND: usize = 64;
/// What is in force is checked again by newer sets so many at a time, and no sooner than this after the last of
/// them: 240 a second, a million in 70 min. What is due by itself goes first.
const AGAIN: usize = 60;
const AGAIN_EVERY: Duration = Duration::from_millis(250);
/// Between rounds in which nothing was due.
const NAP: Duration = Duration::from_millis(100);
/// Before what failed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Letters to hosts and CDNs are looked for this often.
const POST: Duration = Duration::from_secs(1);
/// What was measured is put on record this often, where there is any.
const MEASURED: Duration = Duration::from_secs(1);
/// Refusals of hours that are over are looked for this often.
const SETTLED: Duration = Duration::from_secs(60);

/// How the clearing house works by itself.
#[derive(Debug)]
pub struct Work {
    /// The authority's folder.
    pub home: PathBuf,
    /// What the harm check knows.
    pub known: Knowledge,
    /// The resolver that the probe asks; `None`: nothing is captured by this process.
    pub resolver: Option<SocketAddr>,
    /// How far a capture goes.
    pub bounds: Bounds,
    /// Who writes to hosts and CDNs; `None`: nobody does.
    pub notices: Option<Notices>,
}

/// An item whose check is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueCheck {
    /// The item.
    pub item: ItemId,
    /// What is to be checked.
    pub value: Value,
    /// Blocks of the value that were lifted for harm.
    pub faults: u32,
    /// It is checked for newer sets alone.
    pub again: bool,
    /// What the check said last of one that a person is to decide.
    pub held: Option<Verdict>,
}

/// What is told of each thing that was done, in words, for the operator's terminal.
pub type Told = Arc<dyn Fn(&str) + Send + Sync>;

/// Begins the rounds; they end when `stop` is set, or the house is closed.
///
/// # Errors
/// The probe is held by another, or its key is shut.
pub fn begin(
    keeper: Keeper,
    work: Work,
    told: Told,
    stop: Arc<AtomicBool>,
) -> Result<JoinHandle<Result<()>>> {
    let check = Checking(work.known.clone());
    let probe = work.resolver.map(|resolver| Probing::new(&work, resolver)).transpose()?;
    // A relay that hangs holds up no capture: letters go in a thread of their own.
    if let Some(mut notices) = work.notices {
        let (keeper, told, stop) = (keeper.clone(), Arc::clone(&told), Arc::clone(&stop));
        let run = move || {
            while !stop.load(Ordering::Relaxed) {
                if let Err(error) = notices.round(&keeper, &told) {
                    // Only a house that is gone ends it: one whose queue is full has too much to do for a moment.
                    if keeper.look_in_turn(|_| ()).is_err() {
                        return;
                    }
                    told(&format!("notices: {error}; tried again in a while"));
                    std::thread::sleep(TRY_AGAIN);
                }
                std::thread::sleep(POST);
            }
        };
        let thread = std::thread::Builder::new().name("notices".to_owned()).spawn(run);
        thread.map_err(|e| Error::Beside(format!("no thread could be had: {e}")))?;
    }
    let mut rounds = Rounds::new(keeper, check, probe, told);
    let run = move || {
        while !stop.load(Ordering::Relaxed) {
            match rounds.round() {
                Ok(true) => {}
                Ok(false) => rounds.nap(),
                Err(_) if stop.load(Ordering::Relaxed) => break,
                // A disk that fails, a set that cannot be read: what is blocked goes on, and it is tried again.
                Err(error) => {
                    (rounds.told)(&format!("the rounds: {error}; tried again in a while"));
                    rounds.keeper.look_in_turn(|_| ())?;
                    std::thread::sleep(TRY_AGAIN);
                }
            }
        }
        Ok(())
    };
    let thread = std::thread::Builder::new().name("rounds".to_owned()).spawn(run);
    thread.map_err(|e| Error::Beside(format!("no thread could be had: {e}")))
}

struct Rounds {
    keeper: Keeper,
    check: Checking,
    /// What the check knew when it was last seen to all that is in force. At a start nobody knows by which sets
    /// that was.
    judged_by: Option<Arc<Loaded>>,
    /// When something was drawn last to be judged again.
    drawn: Instant,
    probe: Option<Probing>,
    told: Told,
    /// When what was measured was last put on record.
    measured: Instant,
}

impl Rounds {
    fn new(keeper: Keeper, check: Checking, probe: Option<Probing>, told: Told) -> Self {
        let (measured, drawn) = (Instant::now(), Instant::now());
        Self { keeper, check, judged_by: None, drawn, probe, told, measured }
    }

    /// True where anything was done.
    fn round(&mut self) -> Result<bool> {
        self.newer()?;
        let mut any = self.checks()?;
        if self.measured.elapsed() >= MEASURED {
            self.measured = Instant::now();
            self.keeper.look(super::House::fold)??;
        }
        if let Some(probe) = &mut self.probe {
            any |= probe.round(&self.keeper, &self.told)?;
        }
        Ok(any)
    }

    /// Waits until something may be due: a capture that ends is taken up at once.
    fn nap(&mut self) {
        match &mut self.probe {
            Some(probe) => probe.wait(NAP),
            None => std::thread::sleep(NAP),
        }
    }

    /// Where more is known than when all was judged, all of it is to be judged again.
    fn newer(&mut self) -> Result<()> {
        if let Some(why) = self.check.0.reread() {
            (self.told)(&format!("what the check knows was not read anew: {why}"));
        }
        let loaded = self.check.0.loaded();
        if self.judged_by.as_ref().is_some_and(|by| Arc::ptr_eq(by, &loaded)) {
            return Ok(());
        }
        self.keeper.look(super::House::check_all_again)?;
        if !loaded.sets.has_popular() {
            (self.told)(
                "no list of popular names is loaded: names in force are not checked again before one is (`vigie \
                 data update shield`)",
            );
        }
        self.judged_by = Some(loaded);
        Ok(())
    }

    /// Some of what is to be judged again, where it is time: whatever else is due, so that it ends.
    fn draw(&mut self) -> Result<()> {
        if self.drawn.elapsed() < AGAIN_EVERY {
            return Ok(());
        }
        // That a list is gone is no news of a name: else a lost file would suspend all of them.
        let names = self.check.0.loaded().sets.has_popular();
        let drawn = self.keeper.look(move |house| house.draw_again(AGAIN, names))?;
        self.check.0.saw_records(&self.keeper.look(move |house| house.captures_of(&drawn))?);
        self.drawn = Instant::now();
        Ok(())
    }

    fn checks(&mut self) -> Result<bool> {
        self.draw()?;
        let due = self.keeper.look(|house| house.checks_due(A_ROUND))?;
        if due.is_empty() {
            return Ok(false);
        }
        let house = self.keeper.look(|house| house.itself().clone())?;
        for (DueCheck { item, value, again, held, .. }, finding) in self.check.all(&due)? {
            let outcome = Outcome::of(&finding);
            // What a capture showed against one that waits for a person stands against it, whatever sets say.
            if again && held.is_some_and(|held| outcome.verdict <= held) {
                self.keeper.look(move |house| house.stays(item))?;
                continue;
            }
            let word = outcome.verdict.word();
            let ask = Ask { actor: house.clone(), command: Command::Check { item, outcome } };
            match self.keeper.act(ask)? {
                // Of a million that are judged again and stand, nobody wants to read.
                Ok(done) if done.steps.is_empty() && again => {}
                Ok(_) => (self.told)(&format!("checked {value} ({item}): {word}")),
                // It went on meanwhile: what it is now is checked when that is due.
                Err(refusal) => (self.told)(&format!("check of {value} ({item}): {refusal}")),
            }
        }
        Ok(true)
    }
}

/// The harm check, with what it knows.
struct Checking(Knowledge);

impl Checking {
    /// What is judged again by newer sets is judged by these: whoever gives a name of theirs an alias, and has it
    /// reported, suspends by it nothing that is in force.
    fn all(&self, due: &[DueCheck]) -> Result<Vec<(DueCheck, Finding)>> {
        self.0.check(|check| {
            let one = |due: &DueCheck| {
                let DueCheck { value, faults, again, .. } = due;
                let known = Known { faults: *faults, ..Known::default() };
                let found = if *again {
                    check.item(value, known)
                } else {
                    self.0.of(check, value, *faults)
                };
                (due.clone(), found)
            };
            due.iter().map(one).collect()
        })
    }
}

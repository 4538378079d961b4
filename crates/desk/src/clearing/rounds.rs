//! The clearing house's own work: it has captured what is due, and checked what was captured.
//!
//! One round after another, in a thread of its own: the thread that has the house never waits for the
//! outside world. What a probe saw is sealed and recorded before anything is decided on it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use collect::capture::Outcome as Reached;
use collect::home::ProbeHome;
use collect::probe::{Probe, Roots, now_ms};
use collect::{Bounds, Plan};
use ledger::SigningKey;
use shield::harm::{Finding, Known};
use shield::order::turn::Outcome;
use shield::order::words::Person;
use shield::order::{Actor, Capture, Command, ItemId, Moment, Role, Seen, Value};

use super::house::{Ask, House};
use super::keeper::Keeper;
use super::known::Knowledge;
use crate::capture::{Book, Came, counted, sealed};
use crate::{Error, Result};

/// The most items that one round looks at, of captures and of checks each.
const A_ROUND: usize = 64;
/// Between rounds in which nothing was due.
const NAP: Duration = Duration::from_millis(100);
/// Before what failed is tried again.
const TRY_AGAIN: Duration = Duration::from_secs(5);
/// Refusals of hours that are over are looked for this often.
const SETTLED: Duration = Duration::from_secs(60);

/// How the clearing house works by itself.
#[derive(Debug, Clone)]
pub struct Work {
    /// The authority's folder.
    pub home: PathBuf,
    /// What the harm check knows.
    pub known: Knowledge,
    /// The resolver that the probe asks; `None`: nothing is captured by this process.
    pub resolver: Option<SocketAddr>,
    /// How far a capture goes.
    pub bounds: Bounds,
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
    let mut rounds = Rounds { keeper, check, probe, told };
    let run = move || {
        while !stop.load(Ordering::Relaxed) {
            match rounds.round() {
                Ok(true) => {}
                Ok(false) => std::thread::sleep(NAP),
                Err(_) if stop.load(Ordering::Relaxed) => break,
                // A disk that fails, a set that cannot be read: what is blocked goes on, and it is tried again.
                Err(error) => {
                    (rounds.told)(&format!("the rounds: {error}; tried again in a while"));
                    rounds.keeper.look(|_| ())?;
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
    probe: Option<Probing>,
    told: Told,
}

impl Rounds {
    /// True where anything was due.
    fn round(&mut self) -> Result<bool> {
        let mut any = self.checks()?;
        if self.probe.is_some() {
            for item in self.keeper.captures_due(A_ROUND)? {
                any = true;
                self.capture(item)?;
                self.checks()?;
            }
        }
        if let Some(probe) = &mut self.probe {
            probe.settle(&self.keeper)?;
        }
        Ok(any)
    }

    fn checks(&mut self) -> Result<bool> {
        let due = self.keeper.look(|house| house.checks_due(A_ROUND))?;
        if due.is_empty() {
            return Ok(false);
        }
        let house = self.keeper.look(|house| house.itself().clone())?;
        if let Some(why) = self.check.0.reread() {
            (self.told)(&format!("what the check knows was not read anew: {why}"));
        }
        for (DueCheck { item, value, .. }, finding) in self.check.all(&due)? {
            let outcome = Outcome::of(&finding);
            let word = outcome.verdict.word();
            let ask = Ask { actor: house.clone(), command: Command::Check { item, outcome } };
            match self.keeper.act(ask)? {
                Ok(_) => (self.told)(&format!("checked {value} ({item}): {word}")),
                // It went on meanwhile: what it is now is checked when that is due.
                Err(refusal) => (self.told)(&format!("check of {value} ({item}): {refusal}")),
            }
        }
        Ok(true)
    }

    fn capture(&mut self, item: ItemId) -> Result<()> {
        let Some(probe) = &mut self.probe else { return Ok(()) };
        let look = move |house: &mut House| {
            let live = house.state().item(item)?;
            Some((live.value.clone(), live.written.clone()))
        };
        let Some((value, written)) = self.keeper.look(look)? else { return Ok(()) };
        let text = written.as_deref().map_or_else(|| value.to_string(), str::to_owned);
        let text = text.replace("[.]", ".").replace("[:]", ":").replacen("hxxp", "http", 1);
        let Ok(target) = text.parse::<collect::Item>() else {
            (self.told)(&format!("{text} ({item}) is nothing that a probe can ask for"));
            return Ok(());
        };
        let Some((capture, exhibit)) = probe.capture(&self.keeper, &target, &self.told)? else {
            return Ok(());
        };
        let seen = match capture.outcome() {
            Reached::Media => Seen::Works,
            Reached::Answered(status) if (200..400).contains(&status) => Seen::Page,
            _ => Seen::Nothing,
        };
        (self.told)(&format!("captured {text} ({item}): {}", capture.outcome().words()));
        let actor = probe.actor(&self.keeper)?;
        let taken = Moment(capture.ended_ms);
        let capture = Capture { value: (*value).clone(), exhibit, taken, seen };
        let answer = self.keeper.act(Ask { actor, command: Command::Capture { item, capture } })?;
        if let Err(refusal) = answer {
            (self.told)(&format!("capture of {text} ({item}): {refusal}"));
        }
        self.keeper.look(move |house| house.captured(item))
    }
}

/// The harm check, with what it knows.
struct Checking(Knowledge);

impl Checking {
    fn all(&self, due: &[DueCheck]) -> Result<Vec<(DueCheck, Finding)>> {
        self.0.check(|check| {
            let one = |due: &DueCheck| {
                let known = Known { faults: due.faults, ..Known::default() };
                (due.clone(), check.item(&due.value, known))
            };
            due.iter().map(one).collect()
        })
    }
}

/// The probe of this home.
struct Probing {
    home: ProbeHome,
    key: SigningKey,
    probe: Probe,
    book: Book,
    settled: Instant,
}

impl Probing {
    fn new(work: &Work, resolver: SocketAddr) -> Result<Self> {
        let home = ProbeHome::open(&work.home, "the clearing house", vault::Wait::Fail)?;
        let key = home.key()?;
        let probe = Probe::new(resolver, work.bounds.clone(), Roots::of_machine());
        Ok(Self { home, key, probe, book: Book::default(), settled: Instant::now() })
    }

    /// As whom its captures are taken: by the name of the key that signs them.
    fn actor(&self, keeper: &Keeper) -> Result<Actor> {
        let organisation = keeper.look(|house| house.itself().organisation.clone())?;
        let name = Person::new(self.key.name());
        let person = name.ok_or_else(|| Error::Asked("the probe's key has no name".to_owned()))?;
        Ok(Actor { person, organisation, role: Role::Probe })
    }

    /// The book, with what the log says by now.
    fn follow(&mut self, keeper: &Keeper) -> Result<()> {
        let mut book = std::mem::take(&mut self.book);
        self.book = keeper.look(move |house| book.follow(house.case()).map(|()| book))??;
        Ok(())
    }

    /// Captures, under the newest authorisation for this probe that lets anything leave; gives the capture
    /// and its bytes' id, once these are sealed and recorded.
    fn capture(
        &mut self,
        keeper: &Keeper,
        target: &collect::Item,
        told: &Told,
    ) -> Result<Option<(collect::Capture, model::ExhibitId)>> {
        self.follow(keeper)?;
        let mine = self.key.verifier().text();
        let now = now_ms();
        let in_force = self
            .book
            .granted
            .values()
            .rev()
            .filter(|granted| granted.body.probe == mine && granted.state(now) == "in force");
        let grants: Vec<_> =
            in_force.map(|granted| (granted.record, granted.authorisation())).collect();
        for (record, authorisation) in grants {
            let Ok(authorisation) = authorisation else { continue };
            let (pace, bounds) = (self.home.pace()?, self.probe.bounds().clone());
            let random = vault::random()?;
            let plan = Plan::new(target.clone(), authorisation, bounds, pace, random, now_ms());
            let home = &self.home;
            let capture = self.probe.run(plan, &mut |pace| home.keep_pace(pace), &mut |_| {})?;
            self.count(record, &capture)?;
            if capture.is_empty() {
                continue;
            }
            let exhibit = self.seal(keeper, record, capture.clone())?;
            return Ok(Some((capture, exhibit)));
        }
        told(&format!(
            "{target} was not captured: no authorisation in force lets this probe ask for it (`vigie \
             authorise` grants one)"
        ));
        Ok(None)
    }

    fn count(&self, record: u64, capture: &collect::Capture) -> Result<()> {
        if capture.refused.is_empty() {
            return Ok(());
        }
        let mut tally = self.home.refused()?;
        for (refusal, times) in &capture.refused {
            tally.add(&self.book.origin, record, *refusal, capture.started_ms, *times);
        }
        Ok(self.home.keep_refused(&tally)?)
    }

    /// One that saw what the last one saw is no new record: its bytes are those of the last one.
    fn seal(
        &self,
        keeper: &Keeper,
        record: u64,
        capture: collect::Capture,
    ) -> Result<model::ExhibitId> {
        let last = self.book.last(&capture.item);
        if let Some(last) = last.filter(|last| last.content == capture.content()) {
            return Ok(last.exhibit);
        }
        let key = self.key.clone();
        let seal = move |house: &mut House| {
            house.record(|case, stamp| sealed(case, stamp, record, &key, &capture))
        };
        match keeper.look(seal)?? {
            Came::Recorded { exhibit, .. } | Came::Unchanged { exhibit, .. } => Ok(exhibit),
            Came::Refused => Err(Error::Asked("nothing was captured".to_owned())),
        }
    }

    /// Records the refusals of hours that are over.
    fn settle(&mut self, keeper: &Keeper) -> Result<()> {
        if self.settled.elapsed() < SETTLED {
            return Ok(());
        }
        self.settled = Instant::now();
        self.follow(keeper)?;
        let mut tally = self.home.refused()?;
        let due = tally.due(&self.book.origin, now_ms(), None);
        if due.is_empty() {
            return Ok(());
        }
        let bodies = counted(&self.book, &due);
        keeper.look(move |house| {
            house.record(|case, stamp| {
                let mut batch = case.batch();
                bodies.into_iter().for_each(|body| batch.record(body));
                Ok(batch.commit(stamp).map(drop)?)
            })
        })??;
        tally.drop(&due);
        Ok(self.home.keep_refused(&tally)?)
    }
}

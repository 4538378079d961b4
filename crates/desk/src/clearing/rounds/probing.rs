//! The probe of the rounds: captures what is due, many items beside one another.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use collect::capture::Outcome as Reached;
use collect::home::ProbeHome;
use collect::pacing::Pacing;
use collect::probe::{Probe, Roots, now_ms};
use collect::{Authorisation, Bounds, Plan};
use ledger::SigningKey;
use model::ExhibitId;
use shield::order::schedule::Need;
use shield::order::words::Person;
use shield::order::{Actor, Capture, Command, ItemId, Moment, Role, Seen, Value};

use super::super::captured::asked;
use super::super::follow;
use super::{SETTLED, TRY_AGAIN, Told, Work};
use crate::capture::{Book, Came, counted, sealed};
use crate::clearing::house::{Ask, House};
use crate::clearing::keeper::Keeper;
use crate::clearing::known::Knowledge;
use crate::{Error, Result};

/// The most captures at once. Each holds what it has fetched until it is sealed, 28 MiB at the most with
/// the bounds of `collect`.
pub const AT_ONCE: usize = 64;
/// The most at once for one need: as many hosts as there are that never answer, a place is left for what
/// was reported just now, and for what is in force.
pub const FOR_ONE_NEED: usize = 40;

/// What every capture under way shares. The probe is in this hand until the last of them has ended.
#[derive(Debug)]
struct Shared {
    home: ProbeHome,
    probe: Probe,
    pacing: Pacing,
}

/// What is asked for.
#[derive(Debug, Clone)]
struct Target {
    item: ItemId,
    value: Value,
    /// As the probe understands it.
    target: collect::Item,
}

/// What a capture came to: under each authorisation that was tried, by its record.
type Tried = std::result::Result<Vec<(u64, collect::Capture)>, String>;

/// The probe of this home.
#[derive(Debug)]
pub(super) struct Probing {
    shared: Arc<Shared>,
    key: SigningKey,
    /// Read on in the house's thread. It stays here: a look that fails takes nothing of it away.
    book: Arc<Mutex<Book>>,
    /// What the check knows, to which each capture adds.
    known: Knowledge,
    settled: Instant,
    under_way: HashMap<ItemId, Need>,
    ended: Receiver<(Target, Tried)>,
    end: SyncSender<(Target, Tried)>,
    /// One that came while it was waited for.
    next: Option<(Target, Tried)>,
    /// After a fault nothing is begun until then.
    pause: Option<Instant>,
}

/// Tells that a capture ended, whatever came of it.
struct Ending {
    end: SyncSender<(Target, Tried)>,
    of: Option<Target>,
}

impl Ending {
    fn with(&mut self, tried: Tried) {
        if let Some(target) = self.of.take() {
            // As many places as captures: it never waits. Nobody listens once the house is closed.
            let _ = self.end.send((target, tried));
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.with(Err("it ended by itself: this is a fault of the program".to_owned()));
    }
}

impl Probing {
    pub(super) fn new(work: &Work, resolver: SocketAddr) -> Result<Self> {
        let home = ProbeHome::open(&work.home, "the clearing house", vault::Wait::Fail)?;
        let (key, pacing) = (home.key()?, home.pacing()?);
        let probe = Probe::new(resolver, work.bounds.clone(), Roots::of_machine());
        let (end, ended) = sync_channel(AT_ONCE);
        Ok(Self {
            shared: Arc::new(Shared { home, probe, pacing }),
            key,
            book: Arc::default(),
            known: work.known.clone(),
            settled: Instant::now(),
            under_way: HashMap::new(),
            ended,
            end,
            next: None,
            pause: None,
        })
    }

    /// Takes up what ended, and begins what is due; true where anything was.
    pub(super) fn round(&mut self, keeper: &Keeper, told: &Told) -> Result<bool> {
        let mut any = false;
        while let Some((target, tried)) = self.next.take().or_else(|| self.ended.try_recv().ok()) {
            self.under_way.remove(&target.item);
            any = true;
            match tried {
                Ok(tried) => self.take(keeper, told, &target, tried)?,
                Err(why) => {
                    let Target { item, target, .. } = target;
                    told(&format!("capture of {target} ({item}): {why}; tried again in a while"));
                    self.pause = Some(Instant::now() + TRY_AGAIN);
                }
            }
        }
        if self.pause.is_none_or(|until| until <= Instant::now()) {
            self.pause = None;
            any |= self.begin_due(keeper, told)?;
        }
        self.settle(keeper)?;
        Ok(any)
    }

    /// Waits for a capture to end, so long at the most.
    pub(super) fn wait(&mut self, most: Duration) {
        if self.next.is_some() {
            return;
        }
        match self.ended.recv_timeout(most) {
            Ok(ended) => self.next = Some(ended),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
        }
    }

    /// Begins what is due and has a place.
    fn begin_due(&mut self, keeper: &Keeper, told: &Told) -> Result<bool> {
        let mut any = false;
        for need in Need::ALL {
            let same = self.under_way.values().filter(|other| **other == need).count();
            let free = FOR_ONE_NEED.saturating_sub(same);
            let free = free.min(AT_ONCE.saturating_sub(self.under_way.len()));
            if free == 0 {
                continue;
            }
            let due = keeper.look(move |house| targets(house, need, free))?;
            if due.is_empty() {
                continue;
            }
            any = true;
            let grants = self.grants(keeper)?;
            for (item, value, text) in due {
                if self.under_way.contains_key(&item) {
                    continue;
                }
                let Ok(target) = text.parse::<collect::Item>() else {
                    told(&format!("{text} ({item}) is nothing that a probe can ask for"));
                    continue;
                };
                self.begin(Target { item, value, target }, &grants)?;
                self.under_way.insert(item, need);
            }
        }
        Ok(any)
    }

    /// The authorisations under which this probe may ask by now, the newest first.
    fn grants(&self, keeper: &Keeper) -> Result<Arc<[(u64, Authorisation)]>> {
        self.follow(keeper)?;
        let (mine, now) = (self.key.verifier().text(), now_ms());
        let book = self.book();
        let of = book.granted.values().rev();
        let in_force =
            of.filter(|granted| granted.body.probe == mine && granted.state(now) == "in force");
        let grants = in_force.filter_map(|granted| {
            granted.authorisation().ok().map(|authorisation| (granted.record, authorisation))
        });
        Ok(grants.collect())
    }

    /// Begins a capture in a thread of its own.
    fn begin(&self, target: Target, grants: &Arc<[(u64, Authorisation)]>) -> Result<()> {
        let (shared, grants) = (Arc::clone(&self.shared), Arc::clone(grants));
        let mut ending = Ending { end: self.end.clone(), of: Some(target.clone()) };
        let run = move || {
            let bounds = shared.probe.bounds();
            let tried = tried(&shared, &target.target, bounds, &grants);
            ending.with(tried.map_err(|error| error.to_string()));
        };
        let thread = std::thread::Builder::new().name("capture".to_owned()).spawn(run);
        thread.map(drop).map_err(|e| Error::Beside(format!("no thread could be had: {e}")))
    }

    /// Seals and records what a probe saw, and has it decided on.
    fn take(
        &self,
        keeper: &Keeper,
        told: &Told,
        target: &Target,
        tried: Vec<(u64, collect::Capture)>,
    ) -> Result<()> {
        let Target { item, value, target } = target;
        for (record, capture) in &tried {
            self.count(*record, capture)?;
        }
        let Some((record, capture)) = tried.into_iter().find(|(_, of)| !of.is_empty()) else {
            told(&format!(
                "{target} was not captured: no authorisation in force lets this probe ask for it (`vigie \
                 authorise` grants one)"
            ));
            return Ok(());
        };
        // Neither a sight of it nor a miss: what is in force stays, and what waits goes on waiting.
        if capture.is_cut() {
            told(&format!(
                "the capture of {target} ({item}) was cut short: the rate of its authorisation is used up, or it \
                 ended; tried again (`vigie authorise --rate` grants more)"
            ));
            return Ok(());
        }
        let seen = match capture.outcome() {
            Reached::Media => Seen::Works,
            Reached::Answered(status) if (200..400).contains(&status) => Seen::Page,
            _ => Seen::Nothing,
        };
        told(&format!("captured {target} ({item}): {}", capture.outcome().words()));
        // Before anything is decided on it: the check that follows knows what this capture showed.
        self.known.saw(&capture);
        let (taken, actor) = (Moment(capture.ended_ms), self.actor(keeper)?);
        let exhibit = self.seal(keeper, record, capture)?;
        let capture = Capture { value: (**value).clone(), exhibit, taken, seen };
        let item = *item;
        if let Err(refusal) =
            keeper.act(Ask { actor, command: Command::Capture { item, capture } })?
        {
            told(&format!("capture of {target} ({item}): {refusal}"));
        }
        keeper.look(move |house| house.captured(item))
    }

    /// As whom its captures are taken: by the name of the key that signs them.
    fn actor(&self, keeper: &Keeper) -> Result<Actor> {
        let organisation = keeper.look(|house| house.itself().organisation.clone())?;
        let name = Person::new(self.key.name());
        let person = name.ok_or_else(|| Error::Asked("the probe's key has no name".to_owned()))?;
        Ok(Actor { person, organisation, role: Role::Probe })
    }

    /// The book, with what the log says by now.
    fn follow(&self, keeper: &Keeper) -> Result<()> {
        loop {
            let book = Arc::clone(&self.book);
            let read = move |house: &mut House| {
                follow(&mut book.lock().unwrap_or_else(PoisonError::into_inner), house)
            };
            if !keeper.look(read)?? {
                return Ok(());
            }
        }
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, record: u64, capture: &collect::Capture) -> Result<()> {
        if capture.refused.is_empty() {
            return Ok(());
        }
        let mut tally = self.shared.home.refused()?;
        for (refusal, times) in &capture.refused {
            tally.add(&self.book().origin, record, *refusal, capture.started_ms, *times);
        }
        Ok(self.shared.home.keep_refused(&tally)?)
    }

    /// One that saw what the last one saw is no new record: its bytes are those of the last one.
    fn seal(&self, keeper: &Keeper, record: u64, capture: collect::Capture) -> Result<ExhibitId> {
        let asked = capture.item.clone();
        let last = keeper.look(move |house| house.last_capture(&asked))?;
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
        let mut tally = self.shared.home.refused()?;
        let due = tally.due(&self.book().origin, now_ms(), None);
        if due.is_empty() {
            return Ok(());
        }
        let bodies = counted(&self.book(), &due);
        keeper.look(move |house| {
            house.record(|case, stamp| {
                let mut batch = case.batch();
                bodies.into_iter().for_each(|body| batch.record(body));
                Ok(batch.commit(stamp).map(drop)?)
            })
        })??;
        tally.drop(&due);
        Ok(self.shared.home.keep_refused(&tally)?)
    }
}

/// What is due, with what the probe is to ask for: the URL that was reported, or the value.
fn targets(house: &mut House, need: Need, most: usize) -> Vec<(ItemId, Value, String)> {
    let due = house.captures_due(need, most);
    let target = |item: ItemId| {
        let live = house.state().item(item)?;
        Some((item, live.value.clone(), asked(&live.value, live.written.as_deref())))
    };
    due.into_iter().filter_map(target).collect()
}

/// Asks under one authorisation after another, until one lets anything leave.
fn tried(
    shared: &Shared,
    target: &collect::Item,
    bounds: &Bounds,
    grants: &[(u64, Authorisation)],
) -> Result<Vec<(u64, collect::Capture)>> {
    let mut tried = Vec::new();
    for (record, authorisation) in grants {
        let (target, authorisation) = (target.clone(), authorisation.clone());
        let plan = Plan::new(target, authorisation, bounds.clone(), vault::random()?, now_ms());
        let capture = shared.probe.run(plan, &shared.pacing, &mut |_| {})?;
        let left = !capture.is_empty();
        tried.push((*record, capture));
        if left {
            break;
        }
    }
    Ok(tried)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use collect::probe::now_ms;

    use super::super::tests::{house, probing};
    use super::Told;

    /// A look that failed left a book of no log: what was refused then was counted under no origin, and recorded
    /// nowhere.
    #[test]
    fn what_is_refused_is_counted_under_its_log_though_a_look_fails() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keeper = house(dir.path(), &["http://a.elsewhere.example:9/live.ts".to_owned()], &[9]);
        let gone = house(other.path(), &["http://b.stream.example:9/".to_owned()], &[9]);
        gone.close();
        while gone.look(|_| ()).is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
        let mut probing = probing(dir.path());
        let told: Told = Arc::new(|_: &str| {});
        assert!(probing.round(&keeper, &told).unwrap(), "nothing was begun");
        probing.wait(Duration::from_secs(20));
        assert!(probing.next.is_some(), "it never ended");
        assert!(probing.follow(&gone).is_err());
        probing.round(&keeper, &told).unwrap();
        let tally = probing.shared.home.refused().unwrap();
        let origin = keeper.look(|house| house.case().origin().to_owned()).unwrap();
        let later = now_ms() + 7_200_000;
        assert!(tally.due("", later, None).is_empty(), "{tally}");
        assert_eq!(tally.due(&origin, later, None).len(), 1, "{tally}");
        keeper.close();
    }
}

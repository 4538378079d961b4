//! The world: a clearing house, its witnesses, sites that hand its feed on, and edges, in virtual time.
//!
//! It runs through a storm, in which everything may be lost, late, killed or lied about, and then through a calm,
//! in which nothing is: there all have to come to the same. The laws are held against every edge after every step.

use std::path::PathBuf;
use std::sync::Arc;

use desk::clearing::House;
use desk::clearing::standby::Cut;
use ledger::{Policy, VerifierKey, WitnessKey};
use model::Sha256Hex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use shield::order::{Moment, Scope};

use super::super::config::Trusted;
use super::Sabotage;
use super::actors::{Actors, resumes};
use super::cosigners::{Cosigner, WITNESSES, cosigner};
use super::counts::Counts;
use super::house::{Machine, copy_dir, grounds, place, vera};
use super::isp::Isp;
use super::laws::{STEP, Truth};
use super::net::{Origin, Site};
use super::thieves::{Loot, Thief};
use super::weather::settings;

/// When it begins, in milliseconds since 1970.
pub(super) const BEGIN: u64 = 1_780_000_000_000;
/// How long the calm lasts, and after how much of it all have to have come to the same, in milliseconds.
const CALM: u64 = 100_000;

/// How large a world is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) edges: usize,
    /// How long the storm lasts, in milliseconds.
    pub(super) storm: u64,
}

pub(super) struct World {
    pub(super) dice: SmallRng,
    pub(super) now: u64,
    pub(super) storm_ends: u64,
    pub(super) root: tempfile::TempDir,
    sabotage: Sabotage,
    pub(super) thief: Thief,
    pub(super) loot: Loot,
    /// When the thief begins.
    theft_from: u64,
    pub(super) keys: Vec<WitnessKey>,
    /// The clearing house; behind it the one that was promoted.
    pub(super) sides: Vec<Side>,
    /// From when on the two machines do not hear each other, and when the second one is promoted, if ever.
    promoted: Option<(u64, u64)>,
    pub(super) origins: Vec<Origin>,
    pub(super) sites: Vec<Site>,
    pub(super) isps: Vec<Isp>,
    pub(super) cosigners: Vec<Cosigner>,
    pub(super) trace: Sha256Hex,
    pub(super) counts: Counts,
}

/// A machine, and what is true and done there.
pub(super) struct Side {
    pub(super) machine: Machine,
    pub(super) truth: Truth,
    pub(super) actors: Actors,
    /// When it comes up again.
    pub(super) reopen: u64,
    /// It burnt.
    gone: bool,
}

impl Side {
    pub(super) fn new(machine: Machine) -> Self {
        let (truth, actors) = (Truth::default(), Actors::default());
        Self { machine, truth, actors, reopen: 0, gone: false }
    }

    /// Notes what is true there now.
    pub(super) fn look(&mut self, now: u64) {
        if let Some(house) = &self.machine.house {
            self.truth.look(house, &self.machine.sizes(), now);
        }
    }
}

impl World {
    pub(super) fn new(seed: u64, size: Size, sabotage: Sabotage, thief: Thief) -> Self {
        let mut dice = SmallRng::seed_from_u64(seed);
        let root = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        set_clock(BEGIN);
        let quorum = dice.random_range(0..=2_usize);
        let keys: Vec<WitnessKey> = (0..WITNESSES).map(|n| cosigner(n).witness()).collect();
        let asked = if sabotage == Sabotage::Unwitnessed { 0 } else { quorum };
        let mut first = Machine::create(root.path(), &keys, asked, sabotage);
        let draws = dice.random_bool(0.6);
        // With many edges there is a second machine in any case.
        let many = size.edges >= 50;
        let named = draws || many || thief == Thief::Standby || sabotage == Sabotage::AsksAlone;
        let mut promoted = None;
        if named {
            first.name_second(root.path().join("copy"));
            let at = BEGIN + dice.random_range(size.storm / 3..size.storm);
            let apart = at.saturating_sub(dice.random_range(0..60_000));
            let draws = dice.random_bool(0.7);
            let moves = (draws || many) && matches!(thief, Thief::No | Thief::Standby);
            // Beside any other thief the second machine follows, comes and goes.
            promoted = moves.then_some((apart, at));
        }
        let (feed, log) = first.keys();
        copy_dir(&root.path().join("home"), &root.path().join("home-2"));
        let lines = format!("log {}\n", log.text());
        let cosigners = (0..WITNESSES).map(|n| Cosigner::new(n, &lines)).collect();
        let trusted = |quorum| trusted(&feed, &log, &keys, quorum);
        let isps = (0..size.edges)
            .map(|n| {
                let set = settings(n, quorum, &mut dice);
                let asks = if sabotage == Sabotage::Unwitnessed { 0 } else { set.quorum };
                Isp::new(set, trusted(asks), sabotage)
            })
            .collect();
        let sites = (0..4).map(|_| Site::of(0)).collect();
        Self {
            dice,
            now: BEGIN,
            storm_ends: BEGIN + size.storm,
            root,
            sabotage,
            thief,
            loot: Loot::default(),
            theft_from: BEGIN + size.storm / 4,
            keys,
            sides: vec![Side::new(first)],
            promoted,
            origins: vec![Origin::default()],
            sites,
            isps,
            cosigners,
            trace: Sha256Hex::of(&[]),
            counts: Counts::default(),
        }
    }

    /// Runs to its end.
    ///
    /// # Errors
    /// The law that was broken, by whom and when.
    pub(super) fn run(&mut self) -> Result<(), String> {
        while self.now < self.storm_ends {
            self.weather();
            self.step(false)?;
        }
        self.clear_up();
        while self.now < self.storm_ends + CALM {
            self.step(true)?;
        }
        self.converged()
    }

    fn step(&mut self, calm: bool) -> Result<(), String> {
        self.counts.steps += 1;
        self.now += self.dice.random_range(200..STEP - 100);
        set_clock(self.now);
        if !calm && self.promoted.is_some_and(|(_, at)| at <= self.now) {
            self.promote();
        }
        if !calm && self.is_stolen() {
            self.theft();
        }
        if calm && self.loot.stopped && !self.loot.resumed {
            self.sign_stop(false);
        }
        for n in 0..self.sides.len() {
            self.house(n, calm);
            if let Some(broke) = self.sides[n].machine.broke.take() {
                return Err(broke);
            }
        }
        for isp in &mut self.isps {
            if calm {
                isp.start_follow(self.now);
                isp.start_keep(self.now);
                isp.release(self.now);
            }
            isp.step(self.now, &self.sites, &self.origins, &mut self.dice, calm);
        }
        self.laws()
    }

    /// The second machine becomes the clearing house; the first one burns, or lives on cut off.
    fn promote(&mut self) {
        self.promoted = None;
        let Some(side) = self.sides.first_mut() else { return };
        if side.machine.copied().is_none() {
            return;
        }
        side.machine.cut(None);
        side.gone = self.dice.random_bool(0.5);
        if side.gone {
            side.machine.kill();
        }
        let of = |name: &str| -> PathBuf { self.root.path().join(name) };
        let at = place(of("copy"), of("home-2"));
        let house = House::promote(&at, &vera(), &grounds()).expect("it is promoted");
        let mut second = Side::new(Machine::of(at, of("feed-2"), self.sabotage));
        // What somebody else said was durable is lost with the first machine (docs/keys.md).
        let (acked, lost): (Vec<_>, Vec<_>) =
            side.machine.acked.iter().cloned().partition(|(record, _)| {
                self.thief != Thief::Standby || *record < side.machine.safe
            });
        second.machine.acked = acked;
        let there = |record: u64| {
            (record < house.case().len())
                .then(|| format!("{:?}", house.case().record(record).unwrap().0))
        };
        let gone = lost.iter().filter(|(record, text)| there(*record).as_ref() != Some(text));
        self.counts.lost += gone.count() as u64;
        side.machine.replaced = true;
        second.machine.take(house);
        self.sides.push(second);
        self.origins.push(Origin::default());
        self.counts.promotions += 1;
    }

    fn house(&mut self, n: usize, calm: bool) {
        let fault = (self.fault(calm, 8), self.fault(calm, 60), self.fault(calm, 90));
        let side = &mut self.sides[n];
        if side.gone {
            return;
        }
        if side.machine.house.is_none() {
            if self.now < side.reopen {
                return;
            }
            let begun = match fault.0 {
                Some((step, last)) => side.machine.open_or_crash(step, last),
                None => side.machine.open(),
            };
            if !begun {
                return;
            }
        }
        side.machine.look_at_second();
        let apart = self.promoted.is_some_and(|(apart, _)| apart <= self.now);
        if apart && side.machine.usurper.is_none() {
            side.machine.cut(None);
        } else if (!side.machine.replaced || side.machine.usurper.is_some())
            && (calm || self.dice.random_bool(0.3))
        {
            side.machine.connect();
        }
        if !calm && self.dice.random_bool(0.03) {
            let cuts = [None, Some(Cut::Before), Some(Cut::After)];
            side.machine.cut(cuts[self.dice.random_range(0..3)]);
        }
        let Some(house) = &mut side.machine.house else { return };
        let now = Moment(i64::try_from(self.now).unwrap());
        let mut asks =
            if calm { Vec::new() } else { side.actors.wants(house, now, &mut self.dice) };
        if calm && house.state().stops().next().is_some() {
            asks.extend(resumes(Scope::All));
        }
        asks.extend(side.actors.rounds(house, &mut self.dice, calm));
        if !asks.is_empty() || fault.1.is_some() {
            for done in side.machine.act(&asks, fault.1).iter().flatten().flatten() {
                self.counts.acks += 1;
                self.counts.alone += u64::from(done.alone);
            }
        }
        self.witnesses(n, calm);
        let side = &mut self.sides[n];
        side.look(self.now);
        side.machine.round(self.now, &mut self.origins[n], fault.2);
        side.look(self.now);
        if side.machine.house.is_none() {
            side.reopen = self.now + self.dice.random_range(0..20_000);
        }
    }

    /// Whether the thief is at work.
    pub(super) fn is_stolen(&self) -> bool {
        self.thief != Thief::No && self.now >= self.theft_from
    }

    /// What happened to whom, in one hash.
    pub(super) fn trace(&self) -> Sha256Hex {
        self.trace
    }
}

impl Drop for World {
    fn drop(&mut self) {
        desk::clock::set_ms(None);
        crate::clock::set_both(None);
    }
}

/// Whom an edge trusts that asks for so many witnesses.
pub(super) fn trusted(
    feed: &VerifierKey,
    log: &VerifierKey,
    keys: &[WitnessKey],
    quorum: usize,
) -> Arc<Trusted> {
    let log = Policy { log: log.clone(), witnesses: keys.to_vec(), quorum };
    Arc::new(Trusted::new(vec![feed.clone()], vec![log]))
}

fn set_clock(now: u64) {
    desk::clock::set_ms(i64::try_from(now).ok());
}

//! The world: a clearing house, its witnesses, sites that hand its feed on, and edges, in virtual time.
//!
//! It runs through a storm, in which everything may be lost, late, killed or lied about, and then through a calm,
//! in which nothing is: there all have to come to the same. The laws are held against every edge after every step.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use desk::clearing::House;
use desk::clearing::standby::{Cut, GENERATION};
use ledger::disk::faults::Last;
use ledger::witness::{Refusal, Witness};
use ledger::{Checkpoint, CosignerKey, Note, Policy, Trust, VerifierKey, WitnessKey};
use model::Sha256Hex;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use shield::order::{Moment, Scope};

use super::super::config::Trusted;
use super::Sabotage;
use super::actors::{Actors, resumes};
use super::house::{Machine, copy_dir, grounds, place, vera};
use super::isp::{Isp, Settings};
use super::laws::{STEP, Truth, covers, holds};
use super::net::{Origin, Site};
use super::thieves::{BYSTANDER, Loot, Thief};

/// When it begins, in milliseconds since 1970.
const BEGIN: u64 = 1_780_000_000_000;
/// How long the calm lasts, and after how much of it all have to have come to the same, in milliseconds.
const CALM: u64 = 100_000;
const WITNESSES: u8 = 3;

/// Who cosigns: the real core, and what it keeps.
struct Cosigner {
    witness: Witness,
    latest: BTreeMap<String, Note>,
    down: bool,
}

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
    storm_ends: u64,
    root: tempfile::TempDir,
    sabotage: Sabotage,
    pub(super) thief: Thief,
    pub(super) loot: Loot,
    /// When the thief begins.
    theft_from: u64,
    keys: Vec<WitnessKey>,
    /// The clearing house; behind it the one that was promoted.
    pub(super) sides: Vec<Side>,
    /// From when on the two machines do not hear each other, and when the second one is promoted, if ever.
    promoted: Option<(u64, u64)>,
    pub(super) origins: Vec<Origin>,
    pub(super) sites: Vec<Site>,
    pub(super) isps: Vec<Isp>,
    cosigners: Vec<Cosigner>,
    trace: Sha256Hex,
    pub(super) counts: Counts,
}

/// A machine, and what is true and done there.
pub(super) struct Side {
    pub(super) machine: Machine,
    pub(super) truth: Truth,
    pub(super) actors: Actors,
    /// When it comes up again.
    reopen: u64,
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
            self.truth.look(house, &self.machine.sizes, now);
        }
    }
}

/// What happened.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) steps: u64,
    pub(super) acks: u64,
    pub(super) house_crashes: u64,
    pub(super) edge_crashes: u64,
    pub(super) promotions: u64,
    /// Acts that were done on a machine alone.
    pub(super) alone: u64,
    /// A witness was shown two histories.
    pub(super) forks: u64,
    /// Steps of an edge at which somebody who has nothing to do with anything was blocked.
    pub(super) bystanders: u64,
    pub(super) blocked: u64,
    pub(super) alarms: BTreeMap<String, u64>,
    pub(super) asked: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(super) fn add(&mut self, other: &Self) {
        for (sum, more) in [
            (&mut self.steps, other.steps),
            (&mut self.acks, other.acks),
            (&mut self.house_crashes, other.house_crashes),
            (&mut self.edge_crashes, other.edge_crashes),
            (&mut self.promotions, other.promotions),
            (&mut self.alone, other.alone),
            (&mut self.forks, other.forks),
            (&mut self.bystanders, other.bystanders),
            (&mut self.blocked, other.blocked),
        ] {
            *sum += more;
        }
        for (word, times) in &other.alarms {
            *self.alarms.entry(word.clone()).or_default() += times;
        }
        for (what, times) in &other.asked {
            *self.asked.entry(what).or_default() += times;
        }
    }
}

pub(super) fn cosigner(n: u8) -> CosignerKey {
    CosignerKey::new(&format!("w{n}.example"), &[n + 1; 32]).unwrap()
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
        let named =
            (thief == Thief::No && dice.random_bool(0.6)) || sabotage == Sabotage::AsksAlone;
        let mut promoted = None;
        if named {
            first.name_second(root.path().join("copy"));
            let at = BEGIN + dice.random_range(size.storm / 3..size.storm);
            let apart = at.saturating_sub(dice.random_range(0..60_000));
            promoted = dice.random_bool(0.7).then_some((apart, at));
        }
        let (feed, log) = first.keys();
        copy_dir(&root.path().join("home"), &root.path().join("home-2"));
        let lines = format!("log {}\n", log.text());
        let cosigners = (0..WITNESSES)
            .map(|n| Cosigner {
                witness: Witness::new(cosigner(n), Trust::parse(&lines).unwrap()),
                latest: BTreeMap::new(),
                down: false,
            })
            .collect();
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

    /// Nothing is lost, nobody lies, nobody is dead from here on.
    fn clear_up(&mut self) {
        let last = self.sides.len() - 1;
        self.sites.iter_mut().for_each(|site| *site = Site::of(last));
        // One goes on to hand on what the machine before says.
        if let Some(site) = self.sites.last_mut() {
            site.origin = 0;
        }
        self.cosigners.iter_mut().for_each(|of| of.down = false);
        for side in &mut self.sides {
            side.reopen = self.now;
        }
        if self.thief.signs_manifests() {
            self.other_feed_key();
        }
    }

    /// What is to be done where the feed's key was stolen (docs/keys.md).
    fn other_feed_key(&mut self) {
        let Some(side) = self.sides.first_mut() else { return };
        side.machine.kill();
        ledger::disk::remove(&side.machine.place.home.join("shield/feed-key")).unwrap();
        assert!(side.machine.open());
        let (feed, log) = side.machine.keys();
        for isp in &mut self.isps {
            isp.trust_anew(trusted(&feed, &log, &self.keys, isp.set.quorum), self.now);
        }
    }

    fn step(&mut self, calm: bool) -> Result<(), String> {
        self.counts.steps += 1;
        self.now += self.dice.random_range(200..STEP - 100);
        set_clock(self.now);
        if !calm && self.promoted.is_some_and(|(_, at)| at <= self.now) {
            self.promote();
        }
        if !calm && self.thief != Thief::No && self.now >= self.theft_from {
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

    /// What goes wrong.
    fn weather(&mut self) {
        let dice = &mut self.dice;
        let last = self.sides.len() - 1;
        for site in &mut self.sites {
            if site.origin < last && dice.random_bool(0.05) {
                site.origin = last;
            }
            if dice.random_bool(0.02) {
                site.down = !site.down;
            }
            if dice.random_bool(0.02) {
                site.lag = if dice.random_bool(0.5) { 0 } else { dice.random_range(0..60_000) };
            }
            if dice.random_bool(0.02) {
                let at = self.now.saturating_sub(dice.random_range(0..120_000));
                site.frozen = site.frozen.is_none().then_some(at);
            }
            if dice.random_bool(0.02) {
                site.lies = !site.lies;
            }
        }
        // One of them at least is what it says.
        if let Some(site) = self.sites.first_mut() {
            *site = Site { down: site.down, ..Site::of(site.origin) };
        }
        for of in &mut self.cosigners {
            if dice.random_bool(0.03) {
                of.down = !of.down;
            }
        }
        for isp in &mut self.isps {
            match dice.random_range(0..300_u32) {
                0 => isp.kill_follow(),
                1 => isp.kill_keep(self.now),
                2 => isp.reboot(self.now),
                _ => {
                    if !isp.runs() && dice.random_bool(0.15) {
                        isp.start_follow(self.now);
                        isp.start_keep(self.now);
                    }
                    continue;
                }
            }
            self.counts.edge_crashes += 1;
        }
    }

    /// A disk that fails in some step of what is done next, now and then.
    fn fault(&mut self, calm: bool, one_in: u32) -> Option<(u64, Last)> {
        const ALL: [Last; 5] =
            [Last::Undone, Last::Done, Last::Torn, Last::Failed, Last::FailedDone];
        if calm || self.dice.random_range(0..one_in) > 0 {
            return None;
        }
        let last = ALL[self.dice.random_range(0..ALL.len())];
        Some((self.dice.random_range(0..14), last))
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
        second.machine.acked = side.machine.acked.clone();
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
        if apart {
            side.machine.cut(None);
        } else if !side.machine.replaced && (calm || self.dice.random_bool(0.3)) {
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

    fn witnesses(&mut self, n: usize, calm: bool) {
        let mut side = self.sides.remove(n);
        self.ask_witnesses(&mut side.machine, calm);
        self.sides.insert(n, side);
    }

    /// Witnesses are asked for what is shown.
    pub(super) fn ask_witnesses(&mut self, machine: &mut Machine, calm: bool) {
        if !machine.may_ask_witnesses() {
            return;
        }
        for of in &mut self.cosigners {
            if of.down || (!calm && self.dice.random_bool(0.4)) {
                continue;
            }
            let mut old = of.latest.values().next().map_or(0, size_of);
            for _ in 0..2 {
                let Some((mut note, body)) = machine.asks_witness(old) else { break };
                if of.latest.values().any(|latest| latest.text == note.text) {
                    break;
                }
                let latest = |origin: &str| {
                    Ok::<_, std::convert::Infallible>(of.latest.get(origin).cloned())
                };
                match of.witness.add_checkpoint(&body, self.now / 1_000, latest).unwrap() {
                    Ok(cosigned) => {
                        let origin = Checkpoint::of_text(&note.text).unwrap().origin;
                        of.latest.insert(origin, cosigned.latest);
                        note.signatures.push(cosigned.signature);
                        machine.cosigned(&note);
                        break;
                    }
                    Err(Refusal::Conflict(size)) => old = size,
                    Err(Refusal::Inconsistent { .. }) => {
                        self.counts.forks += 1;
                        break;
                    }
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }

    fn laws(&mut self) -> Result<(), String> {
        let since = self.now - BEGIN;
        for (n, isp) in self.isps.iter().enumerate() {
            let broke = |why: String| format!("{since} ms after the beginning, edge {n}: {why}");
            // docs/standby.md: edges take the greater epoch, and refuse the first machine's from then on.
            let side = usize::from(isp.told >= GENERATION);
            let mut truths: Vec<&Truth> =
                self.sides.get(side).map(|side| &side.truth).into_iter().collect();
            let mut once = None;
            // docs/keys.md, "What a stolen key can do".
            if self.thief.signs_manifests() {
                truths.extend(self.loot.side.as_ref().map(|side| &side.truth));
                once = self.sides.first().map(|side| &side.truth);
            }
            holds(self.now, isp, &truths, once).map_err(broke)?;
            let bystander = isp.blocks().iter().find(|value| value.ends_with(BYSTANDER));
            let may = self.loot.side.is_some() || self.thief == Thief::ReporterAndProbe;
            if let Some(value) = bystander.filter(|_| !may) {
                return Err(broke(format!("{value} is blocked")));
            }
            self.counts.bystanders += u64::from(bystander.is_some());
            self.counts.blocked += isp.blocks().len() as u64;
            let line = format!("{} {since} {n} {:?}", self.trace, isp.blocks());
            self.trace = Sha256Hex::of(line.as_bytes());
        }
        Ok(())
    }

    /// After the calm every edge blocks what is in force, and nothing else.
    fn converged(&mut self) -> Result<(), String> {
        // A witness that was shown the thief's history first goes on with none of the house's (docs/keys.md).
        let refused = self.thief.forks() && self.counts.forks > 0;
        let Some(side) = self.sides.last() else { return Ok(()) };
        for (n, isp) in self.isps.iter().enumerate() {
            let skew = isp.set.skew.unsigned_abs();
            // Whose clock is off is told so, and may let go early (docs/edge.md).
            let off = skew > 5_000;
            let protected =
                |value: &String| isp.set.protected.iter().any(|rule| covers(rule, value));
            for value in side.truth.visible(self.now, 10_000 + skew) {
                if !isp.blocks().contains(&value) && !protected(&value) && !refused && !off {
                    return Err(format!(
                        "edge {n} does not block {value} after the calm: {:?}",
                        isp.alarms
                    ));
                }
            }
            for value in isp.blocks() {
                let late = side.truth.over_for(value, self.now).saturating_sub(skew);
                if late > 30_000 {
                    return Err(format!(
                        "edge {n} blocks {value}, which was over {late} ms ago, after the calm"
                    ));
                }
            }
            for (word, times) in &isp.alarms {
                *self.counts.alarms.entry(word.clone()).or_default() += times;
            }
        }
        self.counts.house_crashes = self.sides.iter().map(|side| side.machine.crashes).sum();
        for (what, times) in self.sides.iter().flat_map(|side| &side.actors.asked) {
            *self.counts.asked.entry(what).or_default() += times;
        }
        Ok(())
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
fn trusted(
    feed: &VerifierKey,
    log: &VerifierKey,
    keys: &[WitnessKey],
    quorum: usize,
) -> Arc<Trusted> {
    let log = Policy { log: log.clone(), witnesses: keys.to_vec(), quorum };
    Arc::new(Trusted { feed: vec![feed.clone()], log: vec![log] })
}

fn set_clock(now: u64) {
    desk::clock::set_ms(i64::try_from(now).ok());
}

fn size_of(note: &Note) -> u64 {
    Checkpoint::of_text(&note.text).map_or(0, |of| of.size)
}

fn settings(n: usize, quorum: usize, dice: &mut SmallRng) -> Settings {
    let far = if dice.random_range(0..6) == 0 { 40_000 } else { 4_000 };
    let mut protected = vec![format!("portal{n}.isp.example")];
    if dice.random_bool(0.5) {
        protected.push(super::actors::name(dice.random_range(0..24)));
    }
    if dice.random_bool(0.3) {
        protected.push(format!("*.stream{}.example", dice.random_range(0..5)));
    }
    let mut sites = vec![0, dice.random_range(1..4), dice.random_range(1..4)];
    sites.rotate_left(dice.random_range(0..3));
    Settings {
        quorum: dice.random_range(0..=quorum),
        skew: dice.random_range(-far..=far),
        protected,
        a_minute: if dice.random_bool(0.3) { 3 } else { 1_000 },
        silence_ms: if dice.random_bool(0.3) { 60_000 } else { 600_000 },
        sites,
    }
}

//! Thieves: one of each key, each doing the worst that its key can, with the network's help. What each can and
//! cannot do is the table of docs/keys.md; the laws that stand for it are in `World::truths_of`.

use desk::clearing::publish::feed_key;
use desk::clearing::{Ask, House};
use ledger::SigningKey;
use model::{ExhibitId, Sha256Hex};
use rand::RngExt;
use shield::Verdict;
use shield::feed::{ALL, Place};
use shield::order::turn::Outcome;
use shield::order::{Capture, Command, Halt, Machine as Stage, Moment, Scope, Seen};
use shield::wire::file::{Head, Writer};
use shield::wire::stop::{Act, StopFile};
use shield::wire::{Beat, FileName, Manifest};

use super::actors::{ADDRESSED, POPULAR, ask, isp, isp_name, probe, reviewer};
use super::house::{Machine, copy_dir, grounds, place, vera};
use super::net::Origin;
use super::world::{Side, World};

/// A name that no honest person reports, and of which an honest probe sees nothing.
pub(super) const BYSTANDER: &str = "bystander.example";

/// What was stolen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thief {
    /// Nothing.
    No,
    /// The feed's key.
    Feed,
    /// The authority's key, with which its logs are signed, and a copy of the clearing house's folder.
    Log,
    /// Both.
    Authority,
    /// Both, and a witness's key.
    AuthorityAndWitness,
    /// A reporter's service key.
    Reporter,
    /// The probe's key.
    Probe,
    /// Both of these.
    ReporterAndProbe,
    /// An ISP's service key.
    Isp,
    /// A stop file out of its safe.
    StopFile,
    /// A witness's key.
    Witness,
    /// What one reviewer acts with.
    Reviewer,
    /// The secret by which the standby is known.
    Standby,
}

impl Thief {
    pub(super) const ALL: [Self; 12] = [
        Self::Feed,
        Self::Log,
        Self::Authority,
        Self::AuthorityAndWitness,
        Self::Reporter,
        Self::Probe,
        Self::ReporterAndProbe,
        Self::Isp,
        Self::StopFile,
        Self::Witness,
        Self::Reviewer,
        Self::Standby,
    ];

    /// Who writes a log of their own.
    pub(super) fn forks(self) -> bool {
        matches!(self, Self::Log | Self::Authority | Self::AuthorityAndWitness)
    }

    /// Whose forgeries have to be ended by another feed's key.
    pub(super) fn signs_manifests(self) -> bool {
        matches!(self, Self::Feed | Self::Authority | Self::AuthorityAndWitness)
    }

    pub(super) fn reports(self) -> bool {
        matches!(self, Self::Reporter | Self::ReporterAndProbe)
    }

    pub(super) fn probes(self) -> bool {
        matches!(self, Self::Probe | Self::ReporterAndProbe)
    }
}

/// What a thief has.
#[derive(Default)]
pub(super) struct Loot {
    /// Where what they hand on stands among the origins.
    pub(super) lair: Option<usize>,
    /// The clearing house that they run on a stolen copy.
    pub(super) side: Option<Side>,
    key: Option<SigningKey>,
    forged: u64,
    epoch: u64,
    /// A stop was brought out.
    pub(super) stopped: bool,
    /// A resumption was signed after it.
    pub(super) resumed: bool,
}

impl World {
    /// What a thief does in a step.
    pub(super) fn theft(&mut self) {
        if self.thief.forks() || self.thief == Thief::Feed {
            let lair = *self.loot.lair.get_or_insert_with(|| {
                self.origins.push(Origin::default());
                self.origins.len() - 1
            });
            for site in self.sites.iter_mut().skip(1) {
                if self.dice.random_bool(0.1) {
                    site.origin = if site.origin == lair { 0 } else { lair };
                }
            }
        }
        match self.thief {
            Thief::Feed => self.forge_manifests(),
            Thief::StopFile if !self.loot.stopped => self.sign_stop(true),
            // It answers where the house asks.
            Thief::Witness => {}
            Thief::Standby => self.follow_in_its_place(),
            thief if thief.forks() => self.run_a_house(),
            thief => self.ask_for_the_worst(thief),
        }
    }

    fn feed_key(&self) -> Option<SigningKey> {
        let machine = &self.sides.first()?.machine;
        feed_key(&machine.place.home, machine.house.as_ref()?.case().authority()).ok()
    }

    /// Signs lists of nothing, and lists that were true once, each as if it were the newest.
    fn forge_manifests(&mut self) {
        if self.loot.key.is_none() {
            self.loot.key = self.feed_key();
        }
        let (Some(key), Some(lair)) = (self.loot.key.clone(), self.loot.lair) else { return };
        // Of any view for any ISP: what was addressed to one may be handed to another.
        let Some(of) = self.origins[0].any_view(&mut self.dice) else { return };
        let view = if self.dice.random_bool(0.5) {
            ALL.to_owned()
        } else {
            isp_name(self.dice.random_range(0..ADDRESSED))
        };
        let Some(now) = self.origins[0].manifest(ALL, self.now) else { return };
        let Some(once) = self.origins[0].any(&of, &mut self.dice) else { return };
        let (now, once) = (read(&now), read(&once));
        self.loot.forged += 1;
        if self.dice.random_bool(0.02) {
            self.loot.epoch += 1_000;
        }
        let place = Place {
            session: now.place.session ^ 1,
            epoch: now.place.epoch + self.loot.epoch,
            serial: now.place.serial + 1_000 + self.loot.forged,
        };
        let old = once.snapshot.filter(|_| self.dice.random_bool(0.7));
        let old = old.and_then(|file| self.origins[0].file(&of, &file.hash.to_string()));
        let bytes = match old {
            Some(bytes) => moved(&bytes, place, &view),
            None => {
                let head =
                    Head { view: view.clone(), place, from: None, checkpoint: String::new() };
                Writer::new(Vec::new(), &head).unwrap().end().unwrap()
            }
        };
        let snapshot = FileName {
            from: None,
            to: place.serial,
            bytes: bytes.len() as u64,
            hash: Sha256Hex::of(&bytes),
        };
        let manifest = Manifest {
            place,
            beat: Beat {
                number: now.beat.number + 1_000 + self.loot.forged,
                made: moment(self.now),
            },
            silence_ms: 1 << 40,
            view: view.clone(),
            snapshot: Some(snapshot),
            deltas: Vec::new(),
            ..now
        };
        self.origins[lair].put_file(&view, bytes);
        self.origins[lair].put(&view, self.now, manifest.sign(&key).to_string());
    }

    /// A clearing house of the thief's own, on a copy of the folder that goes its own way.
    fn run_a_house(&mut self) {
        let Some(lair) = self.loot.lair else { return };
        if self.loot.side.is_none() {
            let Some(side) = self.sides.first().filter(|side| side.machine.house.is_some()) else {
                return;
            };
            let root = side.machine.place.case.parent().unwrap().to_owned();
            let at = place(root.join("stolen"), root.join("stolen-home"));
            copy_dir(&side.machine.place.case, &at.case);
            copy_dir(&side.machine.place.home, &at.home);
            if self.thief == Thief::Log {
                // Of the feed's key they have none: their own has its name, and no more.
                ledger::disk::remove(&at.home.join("shield/feed-key")).unwrap();
            }
            let mut machine = Machine::of(at, root.join("stolen-feed"), super::Sabotage::No);
            machine.open();
            // Theirs waits for nobody.
            machine.house.as_mut().unwrap().figure(&vera(), "witnesses", 0, &grounds()).unwrap();
            self.loot.side = Some(Side::new(machine));
        }
        let Some(mut side) = self.loot.side.take() else { return };
        let now = moment(self.now);
        let mut asks = Vec::new();
        if self.loot.forged.is_multiple_of(20) {
            asks.push(side.actors.order(now));
            asks.push(side.actors.event(now, 120_000));
            let names = (0..8).map(|n| format!("n{n}.{BYSTANDER}")).chain([POPULAR.to_owned()]);
            asks.push(side.actors.report(now, names.collect(), &mut self.dice));
        }
        self.loot.forged += 1;
        if let Some(house) = &side.machine.house {
            asks.extend(
                house
                    .state()
                    .items()
                    .filter(|(_, live)| live.machine.in_force().is_none())
                    .flat_map(|(item, live)| {
                        let exhibit = exhibit(item.0 ^ self.now);
                        let capture = Capture {
                            value: (*live.value).clone(),
                            exhibit,
                            taken: now,
                            seen: Seen::Works,
                        };
                        let outcome = Outcome {
                            verdict: Verdict::Allow,
                            code: None,
                            grave: false,
                            system: None,
                        };
                        [
                            ask(&probe(), Command::Capture { item, capture }),
                            ask(house.itself(), Command::Check { item, outcome }),
                        ]
                    }),
            );
            asks.truncate(200);
        }
        side.machine.act(&asks, None);
        if self.thief == Thief::AuthorityAndWitness {
            // It cosigns whatever it is shown.
            side.machine.cosigned_by_thief(&super::cosigners::cosigner(0), self.now / 1_000);
        }
        self.ask_witnesses(&mut side.machine, false);
        side.machine.round(self.now, &mut self.origins[lair], None);
        side.look(self.now);
        self.loot.side = Some(side);
    }

    /// Takes the standby's place, and gives it back, again and again; and would be the clearing house.
    fn follow_in_its_place(&mut self) {
        let copy = self.root.path().join("stolen-copy");
        let Some(side) = self.sides.first_mut() else { return };
        let machine = &mut side.machine;
        if machine.house.is_none() || !self.dice.random_bool(0.15) {
            return;
        }
        machine.cut(None);
        if machine.usurper.take().is_none() {
            // What it had before may be of a log that was gone on with since.
            machine.usurper = Some(copy);
            machine.connect();
        } else if copy.join("ledger/checkpoint").exists() {
            // Of the authority's keys it has none.
            let home = self.root.path().join("nobody");
            if House::promote(&place(copy, home), &vera(), &grounds()).is_ok() {
                machine.broke = Some("a copy went on without the authority's key".to_owned());
            }
        }
    }

    /// Asks the honest house for what a key may ask for.
    fn ask_for_the_worst(&mut self, thief: Thief) {
        let Some(side) = self.sides.first_mut() else { return };
        let Some(house) = &side.machine.house else { return };
        let now = moment(self.now);
        let mut asks: Vec<Ask> = Vec::new();
        if thief.reports() && self.dice.random_bool(0.3) {
            let names = ["a", "b", "c"].map(|n| format!("{n}.{BYSTANDER}"));
            let names = names
                .into_iter()
                .chain([POPULAR.to_owned(), "video.broadcaster.example".to_owned()]);
            asks.push(side.actors.report(now, names.collect(), &mut self.dice));
        }
        for (item, live) in house.state().items() {
            let value = (*live.value).clone();
            let waits = matches!(live.machine, Stage::Submitted(_));
            let exhibit = exhibit(item.0 ^ self.now);
            if thief.probes() && (waits || (thief == Thief::Probe && self.dice.random_bool(0.05))) {
                // The works on what they want blocked, nothing on what is.
                let wanted = live.value.to_string().ends_with(BYSTANDER)
                    || *live.value.to_string() == *POPULAR;
                let seen = if waits && wanted { Seen::Works } else { Seen::Nothing };
                let capture = Capture { value: value.clone(), exhibit, taken: now, seen };
                asks.push(ask(&probe(), Command::Capture { item, capture }));
            }
            if thief == Thief::Reviewer && self.dice.random_bool(0.2) {
                let carl = reviewer();
                if let Some(of) = live.machine.evidence().filter(|_| !waits) {
                    let grounds = Some(grounds());
                    asks.push(ask(&carl, Command::Approve { item, exhibit: of.exhibit, grounds }));
                }
                asks.push(ask(&carl, Command::Reinstate { item, grounds: grounds() }));
                if self.dice.random_bool(0.02) {
                    asks.push(ask(
                        &carl,
                        Command::Lift { item, collateral: None, grounds: grounds() },
                    ));
                }
            }
            if thief == Thief::Isp && self.dice.random_bool(0.05) {
                self.loot.forged += 1;
                let proof = Sha256Hex::of(&self.loot.forged.to_le_bytes());
                asks.push(ask(&isp(), Command::Object { value: value.clone(), proof }));
                let network = self.dice.random_range(1..9_000);
                asks.push(ask(&isp(), Command::ReportHarm { value, network }));
            }
        }
        if thief == Thief::Reviewer {
            let resume = |(scope, _): (&Scope, _)| {
                ask(&reviewer(), Command::Resume { scope: scope.clone(), grounds: grounds() })
            };
            asks.extend(house.state().stops().map(resume));
        }
        if thief == Thief::Isp && self.dice.random_bool(0.1) {
            let cover = "*.stream0.example".parse().unwrap();
            let until = Some(now.plus(600_000));
            asks.push(ask(&isp(), Command::ProposeException { cover, until, grounds: grounds() }));
            let cover = "*.stream0.example".parse().unwrap();
            asks.push(ask(&isp(), Command::ApproveException { cover }));
            let lift = |(item, _)| {
                ask(&isp(), Command::Lift { item, collateral: None, grounds: grounds() })
            };
            asks.extend(house.state().items().map(lift));
        }
        asks.truncate(200);
        side.machine.act(&asks, None);
    }

    /// Brings a stop out of its safe, or signs the word that ends it.
    pub(super) fn sign_stop(&mut self, stops: bool) {
        let Some(key) = self.feed_key() else { return };
        let until = moment(self.now + 86_400_000);
        let act = if stops { Act::Stop { halt: Halt::Lifts, until } } else { Act::Resume };
        let epoch = self.sides.first().and_then(|side| Some(side.machine.house.as_ref()?.epoch()));
        let (origin, view, why) = (key.name().to_owned(), "all".to_owned(), "stolen".to_owned());
        let file =
            StopFile { origin, view, act, epoch: epoch.unwrap_or(1), made: moment(self.now), why };
        self.origins[0].stop = Some(file.sign(&key).to_string().into_bytes().into());
        if stops {
            self.loot.stopped = true;
        } else {
            self.loot.resumed = true;
        }
    }
}

fn moment(now: u64) -> Moment {
    Moment(i64::try_from(now).unwrap())
}

/// A capture that nobody made.
fn exhibit(n: u64) -> ExhibitId {
    ExhibitId(Sha256Hex::of(&n.to_le_bytes()).0)
}

fn read(text: &str) -> Manifest {
    let body = text.split("\n\n").next().unwrap_or_default();
    Manifest::read(&format!("{body}\n")).unwrap()
}

/// A snapshot as if it led to another place, of another view: what it shows is proven as it was.
fn moved(bytes: &[u8], place: Place, view: &str) -> Vec<u8> {
    let end = bytes.iter().position(|b| *b == b'\n').unwrap();
    let mut head: serde_json::Value = serde_json::from_slice(&bytes[..end]).unwrap();
    head["epoch"] = place.epoch.into();
    head["serial"] = place.serial.into();
    head["view"] = view.into();
    head["session"] = format!("{:016x}", place.session).into();
    let mut moved = head.to_string().into_bytes();
    moved.extend_from_slice(&bytes[end..]);
    moved
}

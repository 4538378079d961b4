//! A machine with the clearing house on it: its real folder and log, its publisher, its witnesses' answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use desk::Place;
use desk::clearing::publish::{Publisher, every_ms, feed_key, public_keys};
use desk::clearing::standby::{Cut, Second};
use desk::clearing::{Ask, Cosigned, Done, House};
use ledger::disk::faults::{Last, crash_after, heal};
use ledger::{Checkpoint, CosignerKey, Note, VerifierKey, WitnessKey};
use model::Sha256Hex;
use shield::order::Refusal;
use shield::order::words::{Grounds, Person};

use super::Sabotage;
use super::net::Origin;

/// The silence that its feed allows, in milliseconds.
pub(super) const SILENCE: u64 = 90_000;
/// How often what is idle is said to be alive, in milliseconds.
pub(super) const IDLE: u64 = 15_000;

pub(super) struct Machine {
    pub(super) place: Place,
    folder: PathBuf,
    pub(super) house: Option<House>,
    publisher: Option<Publisher>,
    beat: u64,
    /// What was acknowledged: its record's index and what stood in it.
    pub(super) acked: Vec<(u64, String)>,
    pub(super) crashes: u64,
    /// Who cosigned the checkpoint of so many entries, as they were seen to, whatever the house makes of it.
    signed: BTreeMap<u64, BTreeSet<String>>,
    sabotage: Sabotage,
    /// Where a second machine's copy lies, where one is named, and who follows into it.
    copy: Option<PathBuf>,
    second: Option<Second>,
    /// Who stole the standby's secret follows into there, in its place.
    pub(super) usurper: Option<PathBuf>,
    /// How many records the standby that is named had at least, when something was acknowledged last.
    pub(super) safe: u64,
    /// Another machine was promoted: what is acknowledged here from now on as if it were not alone is a fork.
    pub(super) replaced: bool,
    /// A law that was broken here.
    pub(super) broke: Option<String>,
}

/// By which a second machine is known.
const SECRET: [u8; 32] = [7; 32];

pub(super) fn place(case: PathBuf, home: PathBuf) -> Place {
    Place { case, home, actor: "Ana".into(), holder: "simulation".into(), wait: desk::Wait::Fail }
}

pub(super) fn grounds() -> Grounds {
    Grounds::new("as agreed").unwrap()
}

pub(super) fn vera() -> Person {
    Person::new("vera").unwrap()
}

impl Machine {
    /// A new clearing house that waits for so many of these witnesses.
    pub(super) fn create(
        root: &Path,
        witnesses: &[WitnessKey],
        quorum: usize,
        sabotage: Sabotage,
    ) -> Self {
        let at = place(root.join("shield"), root.join("home"));
        House::create(&at).unwrap();
        for key in witnesses {
            desk::witness::name(&at.home, &key.text(), "http://127.0.0.1:1").unwrap();
        }
        let mut house = House::open(&at).unwrap();
        for (figure, value) in [
            ("silence_limit_ms", SILENCE),
            ("heartbeat_idle_ms", IDLE),
            ("recapture_event_ms", 60_000),
            ("witnesses", quorum as u64),
        ] {
            house.figure(&vera(), figure, value, &grounds()).unwrap();
        }
        house.close().unwrap();
        let mut machine = Self::of(at, root.join("feed"), sabotage);
        assert!(machine.open());
        machine
    }

    pub(super) fn of(place: Place, folder: PathBuf, sabotage: Sabotage) -> Self {
        let (house, publisher, acked) = (None, None, Vec::new());
        let (copy, second, replaced, broke) = (None, None, false, None);
        Self {
            place,
            folder,
            house,
            publisher,
            beat: 0,
            acked,
            crashes: 0,
            signed: BTreeMap::new(),
            sabotage,
            copy,
            second,
            usurper: None,
            safe: 0,
            replaced,
            broke,
        }
    }

    /// Names a second machine, whose copy is to lie there.
    pub(super) fn name_second(&mut self, copy: PathBuf) {
        let Some(house) = &mut self.house else { return };
        house.name_standby(&vera(), "second", Sha256Hex::of(&SECRET), &grounds()).unwrap();
        self.copy = Some(copy);
        self.connect();
    }

    /// The second machine comes back, where it is away.
    pub(super) fn connect(&mut self) {
        let copy = self.usurper.as_ref().or(self.copy.as_ref());
        let (Some(house), Some(copy), None) = (&mut self.house, copy, &self.second) else {
            return;
        };
        let keys = house.case().keys().unwrap().clone();
        match Second::follow(house, SECRET, copy, &keys).unwrap() {
            Ok(second) => self.second = Some(second),
            // What is there has been promoted.
            Err(why) => assert!(self.replaced, "{why}"),
        }
    }

    /// The connection to the second machine breaks, with the next commit or now.
    pub(super) fn cut(&mut self, at: Option<Cut>) {
        match at {
            Some(at) => self.second.iter().for_each(|second| second.cut(at)),
            None => drop(self.second.take().map(Second::end)),
        }
    }

    /// Who was cut off comes to its end, so that it can come back.
    pub(super) fn look_at_second(&mut self) {
        if self.house.as_ref().is_none_or(House::is_alone) {
            self.cut(None);
        }
    }

    /// Where the copy lies, if anything was ever copied.
    pub(super) fn copied(&self) -> Option<&Path> {
        self.copy.as_deref().filter(|copy| copy.join("ledger/checkpoint").exists())
    }

    /// Begins, as `vigie serve` does. False where its disk failed meanwhile.
    pub(super) fn open(&mut self) -> bool {
        self.begin(None)
    }

    fn begin(&mut self, crash: Option<(u64, Last)>) -> bool {
        let mut house = match House::open(&self.place) {
            Ok(house) => house,
            Err(why) => {
                self.broke = Some(format!("the clearing house does not open again: {why}"));
                return false;
            }
        };
        if let Some((step, last)) = crash {
            crash_after(step, last);
        }
        let began = house.begin().and_then(|()| house.show()).is_ok();
        if heal() || !began {
            self.crashes += 1;
            return false;
        }
        self.take(house);
        true
    }

    /// Begins with a house that was opened, and has begun its feed.
    pub(super) fn take(&mut self, house: House) {
        let key = feed_key(&self.place.home, house.case().authority()).unwrap();
        let mut publisher = Publisher::new(&self.folder, key).unwrap();
        publisher.publish(&house, house.now(), &mut |_| ()).unwrap();
        (self.house, self.publisher, self.beat) = (Some(house), Some(publisher), 0);
        self.nothing_lost();
    }

    /// The same, and the disk may fail in any step of it.
    pub(super) fn open_or_crash(&mut self, step: u64, last: Last) -> bool {
        self.begin(Some((step, last)))
    }

    /// What edges trust: the feed's key, and the log's.
    pub(super) fn keys(&self) -> (VerifierKey, VerifierKey) {
        public_keys(&self.place.home).unwrap()
    }

    pub(super) fn kill(&mut self) {
        self.crashes += u64::from(self.house.is_some());
        (self.house, self.publisher) = (None, None);
        self.cut(None);
    }

    /// Has things done; where a crash is given, the disk stops in that step, and the house is gone. `None`:
    /// nobody was answered.
    pub(super) fn act(
        &mut self,
        asks: &[Ask],
        crash: Option<(u64, Last)>,
    ) -> Option<Vec<Result<Done, Refusal>>> {
        let before = (self.sabotage == Sabotage::Forgets && crash.is_some()).then(|| {
            let before = self.place.case.with_extension("before");
            copy_dir(&self.place.case, &before);
            before
        });
        let crash = crash.filter(|_| before.is_none());
        let house = self.house.as_mut()?;
        if let Some((step, last)) = crash {
            crash_after(step, last);
        }
        let answers = house.act(asks);
        let came = crash.is_some() && heal();
        if let Ok(answers) = &answers {
            for done in answers.iter().flatten().filter(|done| !done.alone) {
                if let Some(record) = done.record {
                    if self.usurper.is_none() {
                        self.safe = self.safe.max(record + 1);
                    } else if self.replaced {
                        // Whoever stole the standby's secret lets it go on.
                        continue;
                    }
                    if self.replaced {
                        self.broke = Some(format!("two writers acknowledged: {done:?}"));
                    }
                    let text = format!("{:?}", house.case().record(record).unwrap().0);
                    self.acked.push((record, text));
                }
            }
        }
        if came || answers.is_err() {
            self.kill();
        }
        if let Some(before) = before {
            // The power fails, and the disk had it in its cache alone, whatever it said.
            self.kill();
            copy_dir(&before, &self.place.case);
        }
        answers.ok()
    }

    /// No acknowledged act is lost (docs/clearing-house.md, "What runs").
    fn nothing_lost(&mut self) {
        let Some(house) = &self.house else { return };
        let len = house.case().len();
        for (record, text) in &self.acked {
            let there =
                (*record < len).then(|| format!("{:?}", house.case().record(*record).unwrap().0));
            if there.as_ref() != Some(text) {
                self.broke =
                    Some(format!("record {record} was acknowledged, and is not there: {there:?}"));
            }
        }
    }

    /// What the keeper does after each round: what is due, what is new, a heartbeat. False where it was killed
    /// meanwhile.
    pub(super) fn round(
        &mut self,
        now: u64,
        origin: &mut Origin,
        crash: Option<(u64, Last)>,
    ) -> bool {
        let (Some(house), Some(publisher)) = (&mut self.house, &mut self.publisher) else {
            return false;
        };
        if let Some((step, last)) = crash {
            crash_after(step, last);
        }
        let mut done = || -> desk::Result<()> {
            while house.tick()? {}
            house.look_at_standby()?;
            if house.publish().is_some() {
                house.show()?;
                publisher.publish(house, house.now(), &mut |_| ())?;
            }
            if now >= self.beat + every_ms(house, house.now()) {
                publisher.beat(house, house.now(), &mut |_| ())?;
                self.beat = now;
            }
            if house.witnessing().waiting > 0 {
                house.show()?;
            }
            Ok(())
        };
        let done = done();
        let came = crash.is_some() && heal();
        assert!(came || done.is_ok(), "{done:?}");
        // A manifest that is there was put there whole, killed or not.
        origin.look(&self.folder, now);
        if came {
            self.kill();
        }
        !came
    }

    /// Whether witnesses are asked by now.
    pub(super) fn may_ask_witnesses(&self) -> bool {
        let asks =
            |house: &House| house.to_cosign().is_some() || self.sabotage == Sabotage::AsksAlone;
        self.house.as_ref().is_some_and(asks)
    }

    /// A checkpoint that is shown, and what shows that it goes on from so many entries.
    pub(super) fn asks_witness(&self, old: u64) -> Option<(Note, String)> {
        let house = self.house.as_ref()?;
        let log = house.case().log();
        let note = Note::parse(log.published()?).ok()?;
        Some((note, log.prove_since(old).ok()?.to_string()))
    }

    /// A witness answered.
    pub(super) fn cosigned(&mut self, note: &Note) {
        let Some(house) = &mut self.house else { return };
        ledger::keep_witnessed(&self.place.case.join("ledger"), note).unwrap();
        let cosigned = Cosigned::read(&self.place.home, house.case()).unwrap();
        house.witnessed(cosigned);
        let size = Checkpoint::of_text(&note.text).unwrap().size;
        let by = note.signatures.last().unwrap().name.clone();
        self.signed.entry(size).or_default().insert(by);
    }

    /// How many entries one witness, two, and so on have cosigned, all of them the same checkpoint.
    pub(super) fn sizes(&self) -> Vec<u64> {
        let most = self.signed.values().map(BTreeSet::len).max().unwrap_or(0);
        let size = |by: usize| {
            self.signed.iter().filter(|(_, all)| all.len() >= by).map(|(size, _)| *size).max()
        };
        (1..=most).filter_map(size).collect()
    }
}

impl Machine {
    /// A stolen witness's key cosigns what is shown, whatever it goes on from.
    pub(super) fn cosigned_by_thief(&mut self, key: &CosignerKey, seconds: u64) {
        let Some((mut note, _)) = self.asks_witness(0) else { return };
        note.signatures.push(key.cosign(&note.text, seconds));
        self.cosigned(&note);
    }
}

/// Copies a folder, in the place of what is there.
pub(super) fn copy_dir(from: &Path, to: &Path) {
    let _ = ledger::disk::remove_dir_all(to);
    let done = std::process::Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(done.unwrap().success());
}

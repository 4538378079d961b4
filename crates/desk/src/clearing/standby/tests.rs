use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread::JoinHandle;
use std::time::Instant;

use ledger::{Keys, VerifierKey};
use shield::order::words::{Grounds, Person};
use shield::order::{ItemId, Refusal, Role, TicketId};
use vault::{Case, Home, Standby, verify};

use super::*;
use crate::clearing::tests::{actor, place, released, reported};
use crate::clearing::witnessed::Cosigned;
use crate::clearing::{Ask, Keeper};
use vault::standby::wire::{Frame, Hello, MAX_FRAME};

mod views;

const SECRET: [u8; 32] = [7; 32];

fn grounds() -> Grounds {
    Grounds::new("two are safer than one").unwrap()
}

fn vera() -> Person {
    Person::new("vera").unwrap()
}

struct Bench {
    temp: tempfile::TempDir,
    keeper: Keeper,
    thread: JoinHandle<Result<()>>,
    keys: Keys,
}

impl Bench {
    fn new() -> Self {
        let temp = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let at = place(temp.path());
        House::create(&at).unwrap();
        Self::open(temp)
    }

    fn open(temp: tempfile::TempDir) -> Self {
        let house = House::open(&place(temp.path())).unwrap();
        let keys = house.case().keys().unwrap().clone();
        let (keeper, thread) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
        Self { temp, keeper, thread, keys }
    }

    fn named(&self) {
        let name = |house: &mut House| {
            house.name_standby(&vera(), "second", Sha256Hex::of(&SECRET), &grounds())
        };
        self.keeper.look(name).unwrap().unwrap();
    }

    fn act(&self, asks: Vec<Ask>) -> Vec<std::result::Result<crate::clearing::Done, Refusal>> {
        asks.into_iter().map(|ask| self.keeper.act(ask).unwrap()).collect()
    }

    fn copy(&self) -> std::path::PathBuf {
        self.temp.path().join("copy")
    }

    /// The authority's folder as a backup of it has it by now.
    fn second_home(&self) -> std::path::PathBuf {
        let [home, second] = ["home", "home-2"].map(|name| self.temp.path().join(name));
        let copied = std::process::Command::new("cp").arg("-a").args([&home, &second]).status();
        assert!(copied.unwrap().success());
        second
    }

    /// A standby that follows, in threads of its own, until what is given back is shut.
    fn follow(&self, secret: [u8; 32]) -> Following {
        let (ours, theirs) = UnixStream::pair().unwrap();
        for end in [&ours, &theirs] {
            end.set_read_timeout(Some(STILL * 2)).unwrap();
            end.set_write_timeout(Some(STILL)).unwrap();
        }
        let shut = ours.try_clone().unwrap();
        let (keeper, dir, keys) = (self.keeper.clone(), self.copy(), self.keys.clone());
        let sending = std::thread::spawn(move || send(&mut &ours, &keeper));
        let following = std::thread::spawn(move || {
            follow(&mut &theirs, secret, &dir, &keys, "test", &mut |_| {})
        });
        Following { shut, sending, following }
    }

    /// Waits until the house knows that a standby follows, or that none does.
    fn waits(&self, here: bool) {
        let since = Instant::now();
        while self.keeper.look(|house| house.standby()).unwrap().here != here {
            assert!(since.elapsed().as_secs() < 20, "it never was {here}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn size(&self) -> u64 {
        self.keeper.look(|house| house.case().len()).unwrap()
    }

    fn close(self) -> tempfile::TempDir {
        self.keeper.close();
        self.thread.join().unwrap().unwrap();
        self.temp
    }
}

struct Following {
    shut: UnixStream,
    sending: JoinHandle<Result<()>>,
    following: JoinHandle<Result<()>>,
}

impl Following {
    fn end(self) -> (Result<()>, Result<()>) {
        let _ = self.shut.shutdown(Shutdown::Both);
        (self.sending.join().unwrap(), self.following.join().unwrap())
    }
}

/// Records in the copy, which has to be sound.
fn records(bench: &Path) -> u64 {
    let home = Home::new(&bench.join("home-2"));
    let report = verify(&bench.join("copy"), Some(&home), &|_| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    report.records
}

fn until(what: impl Fn() -> bool) {
    let since = Instant::now();
    while !what() {
        assert!(since.elapsed().as_secs() < 20, "it never was so");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn item() -> ItemId {
    ItemId::new(TicketId(0), 0)
}

#[test]
fn what_is_acknowledged_is_durable_on_both() {
    let bench = Bench::new();
    bench.named();
    let asks = reported(&["tv.stream-cup.example"]);
    // Until it follows nothing is added.
    let refused = bench.act(asks.clone());
    assert!(refused.iter().all(|answer| *answer == Err(Refusal::StandbyGone)), "{refused:?}");
    let following = bench.follow(SECRET);
    bench.waits(true);
    let _ = bench.second_home();
    for ask in asks {
        let done = bench.keeper.act(ask).unwrap().unwrap();
        assert!(!done.alone);
        // It is read by another, at the moment it is answered.
        let copy = Case::read(&bench.copy()).unwrap();
        assert!(copy.len() > done.record.unwrap(), "acknowledged, and not there");
    }
    let asks = bench.keeper.look(|house| released(house, item())).unwrap();
    assert!(bench.act(asks).iter().all(|done| done.is_ok()));
    assert_eq!(bench.keeper.look(|house| house.blocks()).unwrap(), 1);
    // It goes: that is noticed, recorded, and what opens goes on.
    let _ = following.end();
    let lift = shield::order::Command::Lift { item: item(), collateral: None, grounds: grounds() };
    let ask = Ask { actor: actor("lea", "league", Role::Reporter), command: lift };
    let done = bench.keeper.act(ask).unwrap().unwrap();
    assert!(done.alone, "it is told that the standby does not have it");
    assert_eq!(bench.keeper.look(|house| house.blocks()).unwrap(), 0);
    bench.waits(false);
    // The lift, and that it is gone.
    let health = || bench.keeper.look(|house| house.standby()).unwrap();
    let since = Instant::now();
    while health().alone < 2 {
        assert!(since.elapsed().as_secs() < 20);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(health().alone, 2);
    // Back, it has all of it.
    let following = bench.follow(SECRET);
    bench.waits(true);
    let since = Instant::now();
    while !bench.keeper.look(|house| house.standby().named.unwrap().here).unwrap() {
        assert!(since.elapsed().as_secs() < 20);
        std::thread::sleep(Duration::from_millis(5));
    }
    assert_eq!(health().alone, 0, "it has all of it");
    // Whoever says who they are again takes nothing from the one that follows.
    let root = Sha256Hex(ledger::tree::root(&[]));
    let hello = Hello { secret: SECRET, size: 0, root };
    bench.keeper.look(move |house| house.greet(&hello)).unwrap().unwrap().unwrap();
    let ask = reported(&["a.stream-cup.example"]).pop().unwrap();
    assert!(!bench.keeper.act(ask).unwrap().unwrap().alone);
    let size = bench.size();
    let _ = following.end();
    let temp = bench.close();
    assert!(records(temp.path()) >= size, "{} of {size}", records(temp.path()));
    let case = Case::read(&temp.path().join("shield")).unwrap();
    let turn = |index| match case.body(index) {
        Ok(model::record::Body::ShieldStandby(body)) => Some(body.turn),
        _ => None,
    };
    let turns: Vec<_> = (0..case.len()).filter_map(turn).collect();
    assert_eq!(turns[..4], ["named", "back", "gone", "back"]);
}

#[test]
fn who_does_not_have_the_secret_is_told_nothing() {
    let bench = Bench::new();
    let unnamed = bench.follow(SECRET).following.join().unwrap();
    assert!(unnamed.unwrap_err().to_string().contains("no standby is named"));
    bench.named();
    let stranger = bench.follow([8; 32]).following.join().unwrap();
    assert!(stranger.unwrap_err().to_string().contains("not the secret"));
    assert!(!bench.copy().join("ledger/checkpoint").exists());
    assert!(bench.keeper.look(|house| house.is_alone()).unwrap());
    // Whoever has the secret and another log is none either.
    let other = ledger::SigningKey::new("authority.example/shield", &[3; 32]).unwrap();
    let root = Sha256Hex([9; 32]);
    let hello = Hello { secret: SECRET, size: 1, root };
    let said = bench.keeper.look(move |house| house.greet(&hello)).unwrap().unwrap();
    assert!(said.unwrap_err().contains("no beginning"));
    let keys: Keys = VerifierKey::parse(&other.verifier().text()).unwrap().into();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let (keeper, dir) = (bench.keeper.clone(), bench.copy());
    let sending = std::thread::spawn(move || send(&mut &ours, &keeper));
    let refused = follow(&mut &theirs, SECRET, &dir, &keys, "test", &mut |_| {});
    assert!(refused.is_err(), "it was signed by another key than the one that is trusted");
    drop(theirs);
    assert!(sending.join().unwrap().is_err());
}

#[test]
fn a_standby_that_stands_still_holds_up_nobody_for_long() {
    let bench = Bench::new();
    bench.named();
    let (ours, theirs) = UnixStream::pair().unwrap();
    ours.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
    let keeper = bench.keeper.clone();
    let sending = std::thread::spawn(move || send(&mut &ours, &keeper));
    let empty = Sha256Hex(ledger::tree::root(&[]));
    Frame::Hello(Hello { secret: SECRET, size: 0, root: empty }).send(&mut &theirs).unwrap();
    assert!(matches!(Frame::take(&mut &theirs, MAX_FRAME).unwrap(), Frame::Begin(_)));
    loop {
        match Frame::take(&mut &theirs, MAX_FRAME).unwrap() {
            Frame::Parcel(parcel) => Frame::Ack(parcel.end()).send(&mut &theirs).unwrap(),
            Frame::Beat => break Frame::Ack(bench.size()).send(&mut &theirs).unwrap(),
            other => panic!("{other:?}"),
        }
        if bench.keeper.look(|house| house.standby().here).unwrap() {
            // The house notes that it is back, and waits for this very connection.
            break;
        }
    }
    let began = Instant::now();
    let done = bench.act(reported(&["a.stream-cup.example"]));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(done.contains(&Err(Refusal::StandbyGone)), "{done:?}");
    assert!(sending.join().unwrap().is_err());
    bench.close();
}

#[test]
fn who_is_promoted_has_all_that_was_acknowledged_and_epochs_of_its_own() {
    let bench = Bench::new();
    bench.named();
    let following = bench.follow(SECRET);
    bench.waits(true);
    // The second machine has a backup of the authority's folder.
    let second_home = bench.second_home();
    assert!(bench.act(reported(&["tv.stream-cup.example"])).iter().all(|done| done.is_ok()));
    let asks = bench.keeper.look(|house| released(house, item())).unwrap();
    let last = bench.act(asks).pop().unwrap().unwrap();
    // A partition: both live.
    let _ = following.end();
    bench.waits(false);
    let of_second = {
        let mut at = place(bench.temp.path());
        at.case = bench.copy();
        at.home = second_home;
        at
    };
    let second = House::promote(&of_second, &vera(), &grounds()).unwrap();
    assert!(second.case().len() > last.record.unwrap());
    assert_eq!(second.blocks(), 1);
    assert_eq!(second.epoch(), GENERATION);
    assert!(!second.is_alone(), "it goes on");
    second.close().unwrap();
    // The machine before adds nothing any more, whatever it is asked and however often it starts.
    let mut temp = None;
    let mut bench = Some(bench);
    for _ in 0..3 {
        let old = bench.take().unwrap_or_else(|| Bench::open(temp.take().unwrap()));
        let refused = old.act(reported(&["b.stream-cup.example"]));
        assert!(refused.iter().all(|answer| *answer == Err(Refusal::StandbyGone)), "{refused:?}");
        assert!(old.keeper.look(|house| house.epoch()).unwrap() < GENERATION);
        // Nor does it take the one that was promoted for its standby.
        let said = old.follow(SECRET).following.join().unwrap().unwrap_err().to_string();
        assert!(said.contains("promoted"), "{said}");
        temp = Some(old.close());
    }
    // The new one's own restart goes on within its own epochs, and verifies.
    let again = House::open(&of_second).unwrap();
    assert_eq!(again.epoch(), GENERATION);
    again.close().unwrap();
    let home = Home::new(&of_second.home);
    let report = verify(&of_second.case, Some(&home), &|_| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
    let nobody = House::promote(&of_second, &vera(), &grounds()).unwrap_err();
    assert!(nobody.to_string().contains("nothing to promote"));
}

/// Else witnesses would have cosigned a history that the promoted standby does not go on from, and would refuse
/// it for ever.
#[test]
fn while_it_is_gone_nobody_is_asked_to_cosign() {
    let bench = Bench::new();
    let lines = Arc::new(std::sync::Mutex::new(Vec::new()));
    let said = Arc::clone(&lines);
    let home = bench.temp.path().join("home");
    let witness = ledger::CosignerKey::new("w.example", &[1; 32]).unwrap().witness();
    crate::witness::name(&home, &witness.text(), "http://127.0.0.1:1").unwrap();
    let told = move |house: &mut House| {
        house.witnessed(Cosigned::read(&home, house.case()).unwrap());
        house.tell_of_standby(move |line| said.lock().unwrap().push(line.to_owned()));
    };
    bench.keeper.look(told).unwrap();
    let last = || lines.lock().unwrap().last().cloned().unwrap_or_default();
    let asked = |bench: &Bench| {
        let look = |house: &mut House| {
            house.show().map(|()| (house.to_cosign().is_some(), house.witnessing().unasked))
        };
        let (asked, unasked) = bench.keeper.look(look).unwrap().unwrap();
        // Whoever looks is told as much.
        assert_eq!(unasked, (!asked).then(|| "second".to_owned()));
        asked
    };
    assert!(asked(&bench));
    bench.named();
    assert!(!asked(&bench), "it never followed");
    let following = bench.follow(SECRET);
    bench.waits(true);
    assert!(asked(&bench));
    until(|| last().contains("witnesses are asked again"));
    let _ = following.end();
    bench.waits(false);
    assert!(!asked(&bench));
    until(|| last().contains("ALARM") && last().contains("No witness is asked meanwhile"));
    bench.keeper.look(|house| house.dismiss_standby(&vera(), &grounds())).unwrap().unwrap();
    assert!(asked(&bench), "a person let it go");
    bench.close();
}

#[test]
fn no_machine_begins_an_epoch_of_anothers() {
    let own = Standbys::default();
    assert_eq!(own.next_epoch(0), Ok(1));
    assert_eq!(own.next_epoch(GENERATION + 4), Ok(GENERATION + 5));
    assert!(own.next_epoch(GENERATION - 1).is_err());
    let promoted = Standbys { promoted: true, named: None };
    assert_eq!(promoted.next_epoch(0), Ok(GENERATION));
    assert_eq!(promoted.next_epoch(GENERATION - 1), Ok(GENERATION));
    assert_eq!(promoted.next_epoch(GENERATION), Ok(2 * GENERATION));
    assert_eq!(promoted.next_epoch(u64::MAX), Ok(u64::MAX));
}

#[test]
fn a_standby_that_is_let_go_is_none_any_more() {
    let bench = Bench::new();
    bench.named();
    let again = bench
        .keeper
        .look(|house| house.name_standby(&vera(), "third", Sha256Hex([1; 32]), &grounds()));
    assert!(again.unwrap().unwrap_err().to_string().contains("second is the standby"));
    bench.keeper.look(|house| house.dismiss_standby(&vera(), &grounds())).unwrap().unwrap();
    let done = bench.act(reported(&["a.stream-cup.example"]));
    assert!(done.iter().all(|done| done.as_ref().is_ok_and(|done| !done.alone)), "{done:?}");
    let temp = bench.close();
    let mut house = House::open(&place(temp.path())).unwrap();
    assert!(house.dismiss_standby(&vera(), &grounds()).is_err());
    assert!(house.name_standby(&vera(), "A b", Sha256Hex([1; 32]), &grounds()).is_err());
    house.close().unwrap();
}

#[test]
fn who_was_dismissed_while_it_caught_up_does_not_follow_in_anothers_name() {
    let bench = Bench::new();
    bench.named();
    let empty = Sha256Hex(ledger::tree::root(&[]));
    let (ours, theirs) = UnixStream::pair().unwrap();
    for end in [&ours, &theirs] {
        end.set_read_timeout(Some(STILL * 2)).unwrap();
    }
    let keeper = bench.keeper.clone();
    let sending = std::thread::spawn(move || send(&mut &ours, &keeper));
    Frame::Hello(Hello { secret: SECRET, size: 0, root: empty }).send(&mut &theirs).unwrap();
    assert!(matches!(Frame::take(&mut &theirs, MAX_FRAME).unwrap(), Frame::Begin(_)));
    let Frame::Parcel(parcel) = Frame::take(&mut &theirs, MAX_FRAME).unwrap() else { panic!() };
    // It takes its time; meanwhile its secret is known to be in wrong hands, and another is named.
    bench.keeper.look(|house| house.dismiss_standby(&vera(), &grounds())).unwrap().unwrap();
    let name = |house: &mut House| {
        house.name_standby(&vera(), "third", Sha256Hex::of(&[9; 32]), &grounds())
    };
    bench.keeper.look(name).unwrap().unwrap();
    Frame::Ack(parcel.end()).send(&mut &theirs).unwrap();
    assert!(Frame::take(&mut &theirs, MAX_FRAME).is_err(), "it is sent nothing more");
    assert!(sending.join().unwrap().unwrap_err().to_string().contains("dismissed"));
    assert!(bench.keeper.look(|house| house.is_alone()).unwrap());
    let refused = bench.act(reported(&["a.stream-cup.example"]));
    assert!(refused.iter().all(|answer| *answer == Err(Refusal::StandbyGone)), "{refused:?}");
    bench.close();
}

#[test]
fn while_it_is_gone_a_check_ends_what_is_out_and_releases_nothing() {
    let bench = Bench::new();
    bench.named();
    let following = bench.follow(SECRET);
    bench.waits(true);
    let asks = reported(&["tv.stream-cup.example", "b.stream-cup.example"]);
    assert!(bench.act(asks).iter().all(|done| done.is_ok()));
    let asks = bench.keeper.look(|house| released(house, item())).unwrap();
    let check = asks.last().unwrap().clone();
    assert!(bench.act(asks).iter().all(|done| done.is_ok()));
    let second = ItemId::new(TicketId(0), 1);
    let captured = bench.keeper.look(move |house| released(house, second)).unwrap().remove(0);
    bench.keeper.act(captured).unwrap().unwrap();
    let _ = following.end();
    let proof = Sha256Hex([4; 32]);
    let value = shield::Item::parse("tv.stream-cup.example").unwrap();
    let command = Command::Object { value, proof };
    let done = bench.keeper.act(Ask { actor: actor("vera", "authority", Role::Reviewer), command });
    assert!(done.unwrap().unwrap().alone);
    bench.waits(false);
    // Of what is out the check is due though nobody follows: it can only end it.
    let due = bench.keeper.look(|house| house.checks_due(9)).unwrap();
    assert_eq!(due.iter().map(|due| due.item).collect::<Vec<_>>(), [item()]);
    let Command::Check { outcome, .. } = check.command else { panic!() };
    let again = |item, verdict| {
        let outcome = shield::order::Outcome { verdict, ..outcome.clone() };
        let command = Command::Check { item, outcome };
        bench.keeper.act(Ask { actor: check.actor.clone(), command }).unwrap()
    };
    // Somebody may have agreed before: whatever does not refuse may release.
    for verdict in [shield::Verdict::Allow, shield::Verdict::TwoPersons] {
        assert_eq!(again(second, verdict), Err(Refusal::StandbyGone), "{verdict:?}");
    }
    let suspended = again(item(), shield::Verdict::TwoPersons).unwrap();
    assert!(suspended.alone && !suspended.steps.is_empty());
    let out = move |house: &mut House| is_out(house.state(), second);
    assert!(!bench.keeper.look(out).unwrap());
    bench.close();
}

#[test]
fn acts_on_the_house_wait_for_it_too_but_for_a_stop() {
    use crate::clearing::HouseAct;
    let bench = Bench::new();
    bench.named();
    let figure =
        HouseAct::Figure { figure: "silence_event_ms".into(), value: 120_000, grounds: grounds() };
    let said = bench.keeper.look(move |house| house.do_act(&vera(), &figure)).unwrap();
    assert!(said.unwrap_err().to_string().contains("standby"));
    let file = shield::wire::stop::StopFile {
        origin: "authority.example/shield/feed".into(),
        view: "all".into(),
        act: shield::wire::stop::Act::Resume,
        epoch: 1,
        made: shield::order::Moment(1),
        why: "mended".into(),
    };
    let stop = HouseAct::signed_stop(&file, "note", Some("ivo"));
    bench.keeper.look(move |house| house.do_act(&vera(), &stop)).unwrap().unwrap();
    bench.close();
}

#[test]
fn what_comes_together_is_flushed_in_commits_that_a_standby_can_take() {
    let bench = Bench::new();
    let before = bench.size();
    let long = "x".repeat(1_900);
    let lines: Vec<String> =
        (0..1_000).map(|n| format!("https://t{n}.stream-cup.example/{long}")).collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let mut asks = reported(&lines);
    let report = asks.pop().unwrap();
    asks.extend(std::iter::repeat_n(report, 11));
    let answers = bench.keeper.look(move |house| house.act(&asks)).unwrap().unwrap();
    let refused: Vec<_> = answers.iter().filter_map(|done| done.as_ref().err()).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let parcels = bench.keeper.look(move |house| {
        house.show().unwrap();
        let (mut at, mut out) = (before, Vec::new());
        while let Some(parcel) = house.case().parcel(at, 1).unwrap() {
            at = parcel.end();
            out.push(Frame::Parcel(parcel).write().unwrap().len());
        }
        out
    });
    let parcels = parcels.unwrap();
    let most = 2 * (crate::clearing::house::MAX_FLUSH + (8 << 20));
    assert!(parcels.len() > 1 && parcels.iter().all(|bytes| *bytes < most), "{parcels:?}");
    // Each answer names its own record.
    let records: Vec<_> = answers.iter().map(|done| done.as_ref().unwrap().record).collect();
    let last = bench.size() - 1;
    assert_eq!(records.last().unwrap(), &Some(last));
    let mut sorted = records.clone();
    sorted.sort_unstable();
    sorted.dedup();
    assert_eq!(sorted, records, "{records:?}");
    bench.close();
}

#[test]
fn lines_say_what_cannot_be() {
    let body = |turn: &str, name: &str| ShieldStandby {
        turn: turn.to_owned(),
        name: name.to_owned(),
        key: Some(Sha256Hex([1; 32])),
        reason: None,
    };
    let mut standbys = Standbys::default();
    for turn in ["gone", "back", "dismissed", "promoted", "else"] {
        assert!(standbys.take(&body(turn, "a")).is_err(), "{turn}");
    }
    standbys.take(&body("named", "a")).unwrap();
    assert!(standbys.take(&body("named", "b")).is_err());
    assert!(standbys.take(&body("gone", "a")).is_err(), "it never was there");
    standbys.take(&body("back", "a")).unwrap();
    assert!(standbys.take(&body("back", "a")).is_err());
    assert!(standbys.take(&body("gone", "b")).is_err());
}

#[test]
fn a_copy_begun_elsewhere_is_not_gone_on_from() {
    let bench = Bench::new();
    bench.named();
    let following = bench.follow(SECRET);
    bench.waits(true);
    let _ = following.end();
    // Somebody wrote into the copy with the authority's own key: it is another history.
    let at = bench.copy();
    let home = Home::new(&bench.second_home());
    let beginning = bench.keeper.look(|house| house.case().beginning()).unwrap().unwrap();
    let keys = bench.keys.clone();
    let copy = Standby::open(&at, &keys, &beginning, "test", vault::Wait::Fail).unwrap();
    let size = copy.len();
    copy.finish().unwrap();
    let stamp = vault::Stamp { actor: "mallory".into(), now_ms: 5 };
    let mut case = Case::open(&at, &home, "test", vault::Wait::Fail, 5).unwrap();
    let mut batch = case.batch();
    batch.record(model::record::ShieldFigured {
        figure: "objection_event_ms".into(),
        value: 5,
        reason: "none".into(),
    });
    batch.commit(&stamp).unwrap();
    drop(case);
    bench.act(Vec::new());
    assert!(bench.size() >= size);
    let said = bench.follow(SECRET).following.join().unwrap().unwrap_err().to_string();
    assert!(said.contains("no beginning"), "{said}");
}

use std::path::Path;
use std::sync::{Arc, Mutex};

use ledger::disk::faults::{Last, crash_after, heal};
use model::ExhibitId;
use model::record::Body;
use shield::harm::Verdict;
use shield::order::command::{Event, Order, Submission};
use shield::order::turn::Outcome;
use shield::order::words::{EventId, Grounds, OrderId, Organisation, Person, Right};
use shield::order::{
    Actor, Audience, Capture, Command, ItemId, Moment, Role, Seen, Stage, State, TicketId,
};

use super::*;
use crate::desk::{Place, now_ms};

const HOUR: u64 = 3_600_000;

pub(super) fn place(dir: &Path) -> Place {
    Place {
        case: dir.join("shield"),
        home: dir.join("home"),
        actor: "Ana".into(),
        holder: "test".into(),
        wait: vault::Wait::Fail,
    }
}

pub(super) fn actor(person: &str, organisation: &str, role: Role) -> Actor {
    let person = Person::new(person).unwrap();
    Actor { person, organisation: Organisation::new(organisation).unwrap(), role }
}

pub(super) fn league() -> Actor {
    actor("lea", "league", Role::Reporter)
}

fn probe() -> Actor {
    actor("probe-1", "authority", Role::Probe)
}

pub(super) fn ask(actor: &Actor, command: Command) -> Ask {
    Ask { actor: actor.clone(), command }
}

/// An order and an event under which the league reports, and a ticket with these items.
pub(super) fn reported(items: &[&str]) -> Vec<Ask> {
    let authority = actor("vera", "authority", Role::Authority);
    let (order, event) = (OrderId::new("1/26").unwrap(), EventId::new("final").unwrap());
    let (from, right) = (Moment(now_ms()), Right::new("football").unwrap());
    let until = from.plus(2 * HOUR);
    let given = Order {
        id: order.clone(),
        reporter: Organisation::new("league").unwrap(),
        rights: [right.clone()].into(),
        from: from.minus(HOUR),
        until: from.plus(24 * HOUR),
    };
    let asked = Submission {
        order: order.clone(),
        event: Some(event.clone()),
        works: vec![right],
        items: items.iter().map(|item| (*item).to_owned()).collect(),
        audience: Audience::All,
        until: None,
        case: None,
    };
    vec![
        ask(&authority, Command::GiveOrder(given)),
        ask(&authority, Command::Announce(Event::new(event, order, from, until))),
        ask(&league(), Command::Submit(asked)),
    ]
}

/// A capture that shows the works, and the check that finds nothing.
pub(super) fn released(house: &House, item: ItemId) -> Vec<Ask> {
    let value = (*house.state().item(item).unwrap().value).clone();
    let exhibit = ExhibitId([item.place() as u8 + 1; 32]);
    let capture = Capture { value, exhibit, taken: house.now(), seen: Seen::Works };
    let outcome = Outcome { verdict: Verdict::Allow, code: None, grave: false, system: None };
    vec![
        ask(&probe(), Command::Capture { item, capture }),
        ask(house.itself(), Command::Check { item, outcome }),
    ]
}

pub(super) fn item(n: u16) -> ItemId {
    ItemId::new(TicketId(0), n)
}

pub(super) fn does(house: &mut House, asks: &[Ask]) -> Vec<Done> {
    house.act(asks).unwrap().into_iter().map(Result::unwrap).collect()
}

fn stage(state: &State, item: ItemId) -> Stage {
    state.item(item).map_or(Stage::Ended, |live| live.machine.stage())
}

#[test]
fn what_was_decided_is_there_again_and_is_proven() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    let names = ["a.stream.example", "b.stream.example", "c.stream.example"];
    does(&mut house, &reported(&names));
    let asks: Vec<Ask> = (0..3).flat_map(|n| released(&house, item(n))).collect();
    let done = does(&mut house, &asks);
    assert_eq!(done.iter().map(|done| done.record.is_some()).collect::<Vec<_>>(), [true; 6]);
    let lift = Command::Lift {
        item: item(1),
        collateral: None,
        grounds: Grounds::new("the stream is gone").unwrap(),
    };
    does(&mut house, &[ask(&league(), lift)]);
    let serial = house.publish().unwrap();
    assert_eq!(
        (serial.epoch, serial.serial, house.feed().unwrap().history().current().len()),
        (1, 1, 2)
    );

    // Each block stands under the root that its record shows, and what was lifted has none.
    let proofs: Vec<_> = (0..3).map(|n| house.proven(item(n))).collect();
    assert!(proofs[1].is_none() && house.blocks() == 2);
    for proven in proofs.iter().flatten() {
        let Ok(Body::ShieldDecided(body)) = house.case().body(proven.record) else {
            panic!("{proven:?}")
        };
        assert!(proven.is_under(&body.blocks.unwrap().0), "{proven:?}");
        assert_eq!(body.blocks_under, Some(u64::from(proven.of)));
    }
    // Nothing of who or what stands in the log itself.
    let record = house.case().record(proofs[0].as_ref().unwrap().record).unwrap().0;
    let shown: Vec<&str> = record.public.keys().map(String::as_str).collect();
    assert_eq!(shown, ["blocks", "blocks_under", "epoch", "part", "parts", "told", "told_under"]);
    let (state, policy) = (house.state().clone(), house.policy().clone());
    house.close().unwrap();

    let read = House::read_whole(&place.case).unwrap();
    assert_eq!((&read.state, &read.policy, read.epoch), (&state, &policy, 1));
    let mut house = House::open(&place).unwrap();
    assert_eq!(house.state(), &state);
    assert_eq!((0..3).map(|n| house.proven(item(n))).collect::<Vec<_>>(), proofs);
    house.begin().unwrap();
    assert_eq!((house.epoch(), house.feed().unwrap().history().current().len()), (2, 2));
    house.close().unwrap();

    let report = crate::verify(&place.case, &place.home, None, &|_| {}).unwrap();
    assert_eq!(report.findings, []);
}

#[test]
fn an_authority_has_one_clearing_house_and_a_case_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    assert!(House::create(&place).is_err());
    let other = Place { case: dir.path().join("other"), ..place.clone() };
    let error = House::create(&other).unwrap_err().to_string();
    assert!(
        error.contains("practice.invalid/shield") && error.contains("vigie restore"),
        "{error}"
    );
    assert!(!other.case.join("ledger/tile").exists());
    let case = Place { case: dir.path().join("case"), ..place.clone() };
    crate::Desk::open_or_create(&case).unwrap().close().unwrap();
    let error = House::open(&case).unwrap_err().to_string();
    assert!(error.contains("no clearing house") && error.contains("vigie shield init"), "{error}");
    // Nor is who names a wrong folder told to make a case of it.
    let nowhere = Place { case: dir.path().join("nowhere"), ..place.clone() };
    for error in [House::open(&nowhere).unwrap_err(), House::read(&nowhere.case, None).unwrap_err()]
    {
        let error = error.to_string();
        assert!(error.contains("vigie shield init") && !error.contains("vigie open"), "{error}");
    }
    // One has it at a time.
    let house = House::open(&place).unwrap();
    assert!(House::open(&place).unwrap_err().to_string().contains("test"));
    house.close().unwrap();
}

#[test]
fn what_is_refused_holds_up_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    let mut asks = reported(&["a.stream.example"]);
    asks.insert(2, ask(&actor("mallory", "cinema", Role::Reporter), asks[2].command.clone()));
    let answers = house.act(&asks).unwrap();
    assert_eq!(answers[2].as_ref().unwrap_err().word(), "order_not_yours");
    assert!(answers[3].is_ok() && house.state().tickets() == 1);
    let many = vec![asks[0].clone(); MAX_TOGETHER + 1];
    assert!(house.act(&many).is_err());
    // The same again is no new decision.
    let again = does(&mut house, &asks[..2]);
    assert!(again.iter().all(|done| done.steps.is_empty() && done.record.is_none()));
    let person = Person::new("vera").unwrap();
    let why = Grounds::new("a short match").unwrap();
    house.figure(&person, "silence_event_ms", 60_000, &why).unwrap();
    assert!(house.figure(&person, "silence", 60_000, &why).is_err());
    house.close().unwrap();
    let standing = House::read_whole(&place.case).unwrap();
    assert_eq!((standing.policy.silence_event_ms, standing.decisions), (60_000, 3));
}

/// What is put into force and lifted by one flush has no block left, as a replay has none.
#[test]
fn a_block_that_was_lifted_by_the_same_flush_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    does(&mut house, &reported(&["a.stream.example", "b.stream.example"]));
    let grounds = Grounds::new("gone").unwrap();
    let lift = Command::Lift { item: item(0), collateral: None, grounds };
    let asks = [released(&house, item(0)), released(&house, item(1)), vec![ask(&league(), lift)]];
    does(&mut house, &asks.concat());
    let left: Vec<bool> = (0..2).map(|n| house.proven(item(n)).is_some()).collect();
    assert_eq!((left, house.blocks()), (vec![false, true], 1));
    house.close().unwrap();
    assert_eq!(House::open(&place).unwrap().blocks(), 1);
}

/// A moment beyond all calendars, which no log could hold, ends nothing but its own request.
#[test]
fn what_could_not_be_written_down_is_refused_alone() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    let vera = actor("vera", "authority", Role::Authority);
    let propose = Command::ProposeException {
        cover: "kept.example".parse().unwrap(),
        until: Some(Moment(i64::MAX)),
        grounds: Grounds::new("for ever").unwrap(),
    };
    let written = serde_json::to_string(&propose).unwrap();
    assert!(serde_json::from_str::<Command>(&written).is_err(), "{written}");
    let mut asks = reported(&["a.stream.example"]);
    asks.insert(0, ask(&vera, propose));
    let answers = house.act(&asks).unwrap();
    assert_eq!(answers[0].as_ref().unwrap_err().word(), "bad_span");
    assert!(answers[1..].iter().all(Result::is_ok) && house.state().tickets() == 1);
    house.close().unwrap();
}

/// One ticket with the greatest lines there are takes many records, of one commit.
#[test]
fn a_great_ticket_is_several_records_and_reads_back() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    let urls: Vec<String> =
        (0..1_000).map(|n| format!("https://s{n}.stream.example/{}", "é\"".repeat(300))).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let done = does(&mut house, &reported(&urls));
    let before = done[1].record.unwrap();
    assert!(done[2].record.unwrap() > before + 20, "{done:?}");
    let state = house.state().clone();
    house.close().unwrap();
    assert_eq!(House::read_whole(&place.case).unwrap().state, state);
}

/// Killed, or with a disk that fails, in any step of an act: what was acknowledged is there, what is there was
/// asked for, and no block is without its record.
#[test]
fn no_acknowledged_act_is_lost_whatever_step_the_disk_fails_in() {
    let dir = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let base = place(dir.path());
    House::create(&base).unwrap();
    let mut house = House::open(&base).unwrap();
    house.begin().unwrap();
    does(&mut house, &reported(&["a.stream.example"]));
    house.close().unwrap();
    let copy = dir.path().join("copy");
    for last in [Last::Undone, Last::Done, Last::Torn, Last::Failed, Last::FailedDone] {
        let mut acked = 0;
        for step in 0.. {
            let _ = std::fs::remove_dir_all(&copy);
            for part in ["shield", "home"] {
                let done = std::process::Command::new("cp")
                    .arg("-a")
                    .arg(dir.path().join(part))
                    .arg({
                        std::fs::create_dir_all(&copy).unwrap();
                        copy.join(part)
                    })
                    .status();
                assert!(done.unwrap().success());
            }
            let place = place(&copy);
            let mut house = House::open(&place).unwrap();
            house.begin().unwrap();
            let asks = released(&house, item(0));
            crash_after(step, last);
            let answers = house.act(&asks);
            let shown = answers.is_ok() && house.show().is_ok();
            if answers.is_err() {
                // It says so, and decides nothing more.
                assert!(house.act(&asks).is_err() && house.begin().is_err());
            }
            drop(house);
            let came = heal();
            let read = House::read_whole(&place.case).unwrap();
            let house = House::open(&place).unwrap();
            let there = stage(house.state(), item(0));
            assert!([Stage::Submitted, Stage::InForce].contains(&there), "half an act: {there:?}");
            assert_eq!(stage(&read.state, item(0)), there);
            if answers.is_ok() {
                assert_eq!(there, Stage::InForce, "step {step} of {last:?}: acknowledged and lost");
                acked += 1;
            }
            assert_eq!(house.proven(item(0)).is_some(), there == Stage::InForce);
            house.close().unwrap();
            let report = crate::verify(&place.case, &place.home, None, &|_| {}).unwrap();
            assert_eq!(report.findings, [], "step {step} of {last:?}");
            if !came {
                assert!(shown && step > 5, "only {step} steps");
                break;
            }
        }
        assert!(acked > 0);
    }
}

#[test]
fn the_keeper_answers_many_and_publishes_what_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let out = {
        let seen = Arc::clone(&seen);
        move |house: &House| {
            let history = house.feed().unwrap().history();
            let names: Vec<String> =
                history.current().rows().map(|row| row.value().to_string()).collect();
            // What is published was durable before: another reader finds it.
            seen.lock().unwrap().push((history.place().serial, names));
        }
    };
    let house = House::open(&place).unwrap();
    let (keeper, thread) = Keeper::start(house, Box::new(out)).unwrap();
    let names: Vec<String> = (0..40).map(|n| format!("s{n}.stream.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    for ask in reported(&names) {
        keeper.act(ask).unwrap().unwrap();
    }
    std::thread::scope(|scope| {
        for n in 0..40 {
            let keeper = keeper.clone();
            scope.spawn(move || {
                let asks = keeper.look(move |house| released(house, item(n))).unwrap();
                for ask in asks {
                    keeper.act(ask).unwrap().unwrap();
                }
            });
        }
    });
    assert_eq!(keeper.look(|house| house.blocks()).unwrap(), 40);
    keeper.close();
    thread.join().unwrap().unwrap();
    assert!(keeper.act(ask(&league(), Command::Tick)).is_err());
    let seen = seen.lock().unwrap();
    assert_eq!(seen[0], (0, Vec::new()));
    assert_eq!(seen.last().unwrap().1.len(), 40);
    assert!(
        seen.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1.len() <= pair[1].1.len())
    );
}

#[test]
fn however_many_look_who_acts_is_answered() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let house = House::open(&place).unwrap();
    let (keeper, thread) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    // Probes' reports, pages: more come than are done.
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let looks: Vec<_> = (0..8)
        .map(|_| {
            let (keeper, stop) = (keeper.clone(), Arc::clone(&stop));
            std::thread::spawn(move || {
                let slow = |_: &mut House| std::thread::sleep(std::time::Duration::from_millis(1));
                while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    keeper.look(slow).unwrap();
                }
            })
        })
        .collect();
    std::thread::sleep(std::time::Duration::from_millis(50));
    let (answered, answer) = std::sync::mpsc::channel();
    let acting = keeper.clone();
    let order = reported(&["tv.stream.example"]).remove(0);
    std::thread::spawn(move || answered.send(acting.act(order).unwrap().is_ok()).unwrap());
    let answer = answer.recv_timeout(std::time::Duration::from_secs(20));
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    looks.into_iter().for_each(|look| look.join().unwrap());
    assert_eq!(answer, Ok(true), "who acts waited for all who looked");
    keeper.close();
    thread.join().unwrap().unwrap();
}

#[test]
fn a_log_that_does_not_hold_together_is_told_with_its_record() {
    let decision = |house: &House, text: &str, part, parts, epoch| model::record::ShieldDecided {
        epoch: house.epoch() + epoch,
        part,
        parts,
        blocks: None,
        blocks_under: None,
        told: None,
        told_under: None,
        decision: text.to_owned(),
        seed: None,
    };
    let good = r#"{"at":5,"by":{"organisation":"o","person":"p","role":"house"},"deeds":[{"deed":"harm_grouped","value":"a.example"}]}"#;
    for (what, text, part, parts, epoch) in [
        ("canonical", "{ }", 0, 1, 0),
        ("no decision", r#"{"at":5}"#, 0, 1, 0),
        ("part 2 of 2 does not come here", good, 1, 2, 0),
        ("not whole", good, 0, 2, 0),
        ("epoch", good, 0, 1, 1),
        ("who acts", good, 0, 1, 0),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        House::create(&place).unwrap();
        let mut house = House::open(&place).unwrap();
        house.begin().unwrap();
        let body = decision(&house, text, part, parts, epoch);
        house.forge(body.into());
        house.close().unwrap();
        let error = House::open(&place).unwrap_err().to_string();
        assert!(error.contains(what) && error.contains("record 2"), "{what}: {error}");
        let report = crate::verify(&place.case, &place.home, None, &|_| {}).unwrap();
        assert_eq!(report.findings.len(), 1, "{:?}", report.findings);
    }
}

/// Lines of a file.
fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty())
}

/// Who follows the folder that is published holds what is in force, each block proven under the log's key: by
/// deltas, by a snapshot, across a new epoch; and nothing while all is stopped.
#[test]
fn whoever_follows_the_files_holds_what_is_in_force() {
    use shield::wire::{Bounds, Follower, Manifest, Staged, Want};
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let folder = dir.path().join("feed");
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    house.show().unwrap();
    let authority = house.case().authority().to_owned();
    let key = publish::feed_key(&place.home, &authority).unwrap();
    assert_eq!(key.name(), "practice.invalid/shield/feed");
    let log = house.case().signer().unwrap().verifier();
    assert!(log.renamed(key.name()).unwrap() != key.verifier());
    let policy = ledger::Policy { log, witnesses: Vec::new(), quorum: 0 };
    let mut publisher = publish::Publisher::new(&folder, key.clone()).unwrap();
    let mut follower = Follower::new("all", Bounds::default(), Vec::new());
    let mut files = 0;
    let mut follow = |follower: &mut Follower, now: Moment| -> Vec<String> {
        let text = std::fs::read_to_string(folder.join("all/manifest")).unwrap();
        let manifest = Manifest::open(&text, &key.verifier()).unwrap();
        let (want, alarm) = follower.hear(&manifest, now, 0).unwrap();
        assert_eq!(alarm, None);
        if let Want::Files(wanted) = want {
            for name in wanted {
                let bytes =
                    std::fs::read(folder.join("all/files").join(name.hash.to_string())).unwrap();
                let mut staged = Staged::new(name, &policy);
                lines(&bytes).for_each(|line| staged.line(line).unwrap());
                assert_eq!(follower.take(staged, now, 0).unwrap().alarms, []);
                files += 1;
            }
        }
        follower.held().keys().map(ToString::to_string).collect()
    };
    let out = |house: &mut House, publisher: &mut publish::Publisher| {
        house.publish();
        house.show().unwrap();
        publisher.publish(house, house.now(), &mut |_| ()).unwrap();
    };
    let names: Vec<String> = (0..9).map(|n| format!("s{n}.stream.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    out(&mut house, &mut publisher);
    assert!(follow(&mut follower, house.now()).is_empty());
    does(&mut house, &reported(&names));
    for n in 0..9 {
        let asks = released(&house, item(n));
        does(&mut house, &asks);
        out(&mut house, &mut publisher);
        if n % 2 == 0 {
            assert_eq!(follow(&mut follower, house.now()).len(), usize::from(n) + 1);
        }
    }
    let lift = |house: &mut House, n| {
        let grounds = Grounds::new("gone").unwrap();
        let lift = Command::Lift { item: item(n), collateral: None, grounds };
        does(house, &[ask(&league(), lift)]);
    };
    lift(&mut house, 3);
    out(&mut house, &mut publisher);
    assert_eq!(follow(&mut follower, house.now()).len(), 8);
    // A heartbeat names the same files.
    publisher.beat(&house, house.now(), &mut |_| ()).unwrap();
    let before = follow(&mut follower, house.now());
    // Who begins now holds the same.
    let mut late = Follower::new("all", Bounds::default(), Vec::new());
    assert_eq!(follow(&mut late, house.now()), before);
    // All is stopped, and goes on.
    let all = shield::order::Scope::All;
    let why = Grounds::new("a clinic").unwrap();
    let halt = shield::order::Halt::Lifts;
    let vera = actor("vera", "authority", Role::Authority);
    let stop = Command::Stop { scope: all.clone(), halt, grounds: why.clone() };
    does(&mut house, &[ask(&vera, stop)]);
    out(&mut house, &mut publisher);
    assert!(follow(&mut follower, house.now()).is_empty());
    let resume =
        |who: &Actor| ask(who, Command::Resume { scope: all.clone(), grounds: why.clone() });
    does(&mut house, &[resume(&vera), resume(&actor("carl", "court", Role::Reviewer))]);
    out(&mut house, &mut publisher);
    assert_eq!(follow(&mut follower, house.now()), before);
    house.close().unwrap();

    // A new epoch states all that is in force under one record.
    let mut house = House::open(&place).unwrap();
    house.begin().unwrap();
    house.show().unwrap();
    let mut publisher =
        publish::Publisher::new(&folder, publish::feed_key(&place.home, &authority).unwrap())
            .unwrap();
    publisher.publish(&house, house.now(), &mut |_| ()).unwrap();
    assert_eq!(follow(&mut follower, house.now()), before);
    let records: std::collections::BTreeSet<u64> =
        (0..9).filter_map(|n| house.proven(item(n))).map(|proven| proven.record).collect();
    assert_eq!(records.len(), 1);
    lift(&mut house, 5);
    out(&mut house, &mut publisher);
    assert_eq!(follow(&mut follower, house.now()).len(), 7);
    house.close().unwrap();
    assert!(files > 12, "{files}");
    assert_eq!(crate::verify(&place.case, &place.home, None, &|_| {}).unwrap().findings, []);
}

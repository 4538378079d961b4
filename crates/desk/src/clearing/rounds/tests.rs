use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use collect::Bounds;
use collect::home::ProbeHome;
use shield::harm::Code;
use shield::order::schedule::Need;
use shield::order::{ItemId, Machine, Stage, State, TicketId};

use super::probing::{AT_ONCE, FOR_ONE_NEED, Probing};
use super::{Checking, Rounds, Told, Work, begin};
use crate::capture::{Act, Book, Grant, Known, decide};
use crate::clearing::known::Knowledge;
use crate::clearing::tests::{does, item, place, released, reported};
use crate::clearing::{House, Keeper};

/// What `alias.…` is an alias of, as DNS writes it.
const TARGET: &[u8] = b"\x02tv\x05other\x07example\x00";

/// A resolver: every name is at 127.0.0.1, and nothing has an IPv6 address. `alias.…` leads to [`TARGET`].
fn resolver() -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let at = socket.local_addr().unwrap();
    thread::spawn(move || {
        let mut query = [0; 512];
        while let Ok((n, from)) = socket.recv_from(&mut query) {
            let end = 12 + query[12..n].iter().position(|b| *b == 0).unwrap() + 5;
            let a = query[end - 3] == 1;
            let mut reply = query[..end].to_vec();
            reply[2..4].copy_from_slice(&[0x81, 0x80]);
            reply[4..12].copy_from_slice(&[0, 1, 0, u8::from(a), 0, 0, 0, 0]);
            if a && query[12..].starts_with(b"\x05alias") {
                reply[7] = 2;
                reply.extend([0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, TARGET.len() as u8]);
                reply.extend_from_slice(TARGET);
                reply.extend_from_slice(TARGET);
                reply.extend([0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            } else if a {
                reply.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
            }
            let _ = socket.send_to(&reply, from);
        }
    });
    at
}

/// A host that answers each request with a segment of a stream.
fn stream() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 2048]);
            let body: Vec<u8> = [0x47].into_iter().chain([0; 187]).cycle().take(188 * 8).collect();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body));
        }
    });
    port
}

/// A host that takes connections and says nothing; and how many it holds.
fn silent() -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let held = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&held);
    thread::spawn(move || {
        let mut all = Vec::new();
        for stream in listener.incoming().map_while(Result::ok) {
            all.push(stream);
            counted.store(all.len(), Ordering::SeqCst);
        }
    });
    (port, held)
}

/// A house with these items reported, which its probe may ask.
pub(super) fn house(dir: &Path, items: &[String], ports: &[u16]) -> Keeper {
    let place = place(dir);
    House::create(&place).unwrap();
    let probe = ProbeHome::open(&place.home, "test", vault::Wait::Fail).unwrap();
    let probe = probe.verifier().unwrap().text();
    let mut house = House::open(&place).unwrap();
    let log_key = house.case().signer().unwrap().verifier();
    let now_ms = crate::desk::now_ms();
    let hosts = |port: &u16| {
        ["*.stream.example", "tv.other.example", "127.0.0.1"].map(|host| format!("{host}:{port}"))
    };
    let grant = Grant {
        basis: "order 1/26".into(),
        hosts: ports.iter().flat_map(hosts).collect(),
        methods: vec!["capture-page".into(), "capture-playlist".into()],
        rate: 600,
        from: None,
        until: model::record::time_text(now_ms + 3_600_000),
        most_bytes: 1 << 20,
        signer: "Judge Roe".into(),
        probe,
    };
    let known = Known { book: Book::of(house.case()).unwrap(), now_ms, log_key };
    let granted = decide(&known, &Act::Grant(Box::new(grant))).unwrap().unwrap();
    house
        .record(|case, stamp| {
            let mut batch = case.batch();
            batch.record(granted);
            Ok(batch.commit(stamp)?)
        })
        .unwrap();
    let items: Vec<&str> = items.iter().map(String::as_str).collect();
    for done in house.act(&reported(&items)).unwrap() {
        done.unwrap();
    }
    let (keeper, _) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    keeper
}

pub(super) fn probing(dir: &Path) -> Probing {
    let bounds = Bounds { answer: Duration::from_secs(30), ..Bounds::default() };
    let at = resolver();
    let home = dir.join("home");
    let known = Knowledge::read(&home, true).unwrap();
    let work = Work { home, known, resolver: Some(at), bounds, notices: None };
    Probing::new(&work, at).unwrap()
}

/// The rounds, which ask nobody but themselves when they go on.
fn rounds(dir: &Path, keeper: &Keeper, known: Knowledge, with_probe: bool) -> Rounds {
    let told: Told = Arc::new(|_: &str| {});
    let probe = with_probe.then(|| {
        let (home, bounds, resolver) = (dir.join("home"), Bounds::default(), resolver());
        let known = known.clone();
        let work = Work { home, known, resolver: Some(resolver), bounds, notices: None };
        Probing::new(&work, resolver).unwrap()
    });
    Rounds::new(keeper.clone(), Checking(known), probe, told)
}

/// Lets the rounds go on until something is so.
fn until(rounds: &mut Rounds, mut so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !so() {
        assert!(began.elapsed() < Duration::from_secs(60), "it never came");
        if !rounds.round().unwrap() {
            rounds.nap();
        }
    }
}

/// A set of names, in the folder of what the authority gave.
fn give(dir: &Path, name: &str, class: &str, members: &str) {
    let own = dir.join("home/shield/own");
    ledger::disk::create_dir(&own).unwrap();
    let text = format!(
        "vigie-set 1\nname: {name}\nclass: {class}\nsource: test\ndate: 2026-11-01\nmatch: exact\n\n{members}\n"
    );
    ledger::disk::write(&own.join(format!("{name}.set")), text.as_bytes()).unwrap();
}

/// What a capture showed is known to the check that follows, by itself and for others.
#[test]
fn the_check_knows_what_captures_showed() {
    let dir = tempfile::tempdir().unwrap();
    let live = stream();
    give(dir.path(), "popular", "popular", "popular.example");
    let items = [format!("http://alias.stream.example:{live}/live.ts")];
    let keeper = house(dir.path(), &items, &[live]);
    let known = Knowledge::read(&dir.path().join("home"), true).unwrap();
    let mut rounds = rounds(dir.path(), &keeper, known.clone(), true);
    until(&mut rounds, || stages(&keeper, 0..1) == [Stage::InForce]);
    // What it is an alias of is reported, too: others stand behind it, and a second person has to look.
    let mut again = reported(&[&format!("http://tv.other.example:{live}/live.ts")]);
    keeper.act(again.remove(2)).unwrap().unwrap();
    let second = ItemId::new(TicketId(1), 0);
    let held = || keeper.look(move |house| house.state().item(second).cloned()).unwrap().unwrap();
    until(&mut rounds, || matches!(held().machine, Machine::Held(_)));
    let Machine::Held(now) = held().machine else { panic!("not held") };
    assert_eq!(now.outcome.unwrap().code, Some("alias_target"));
    // And the address, on which both were seen.
    let today = crate::shield::today();
    let found = known.find([(&shield::Item::parse("127.0.0.1:81").unwrap(), 0)]).unwrap();
    let seen = found[0].reasons.iter().find(|reason| reason.code == Code::NamesSeen).unwrap();
    assert_eq!((seen.about.as_str(), &seen.source), ("2", &format!("capture ({today})")));
    keeper.close();
}

/// By what the log says, after a start, before anything is captured anew.
#[test]
fn the_check_knows_what_captures_showed_before_a_start() {
    let dir = tempfile::tempdir().unwrap();
    let live = stream();
    give(dir.path(), "popular", "popular", "popular.example");
    let items = [format!("http://a.stream.example:{live}/live.ts")];
    let keeper = house(dir.path(), &items, &[live]);
    let read = || Knowledge::read(&dir.path().join("home"), true).unwrap();
    let mut first = rounds(dir.path(), &keeper, read(), true);
    until(&mut first, || stages(&keeper, 0..1) == [Stage::InForce]);
    drop(first);
    let known = read();
    let address = shield::Item::parse("127.0.0.1").unwrap();
    assert_eq!(known.behind(&address).names, None);
    let mut again = rounds(dir.path(), &keeper, known.clone(), false);
    until(&mut again, || known.behind(&address).names.is_some_and(|names| names.len() == 1));
    keeper.close();
}

/// What newer sets know counts for what is in force: at a start, and while the house runs.
#[test]
fn newer_sets_are_held_against_all_that_is_in_force() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let mut house = House::open(&place).unwrap();
    does(&mut house, &reported(&["a.stream.example", "b.stream.example", "c.stream.example"]));
    let asks: Vec<_> = (0..3).flat_map(|n| released(&house, item(n))).collect();
    does(&mut house, &asks);
    let (keeper, _) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    let read = || Knowledge::read(&dir.path().join("home"), true).unwrap();
    // A list that is gone is no news: nothing is suspended for it.
    let mut bare = rounds(dir.path(), &keeper, read(), false);
    let mut rounds_gone = 0;
    until(&mut bare, || {
        rounds_gone += 1;
        rounds_gone > 3 && !keeper.look(|house| house.is_checking_again()).unwrap()
    });
    assert_eq!(stages(&keeper, 0..3), [Stage::InForce; 3]);
    // At a start.
    give(dir.path(), "popular", "popular", "a.stream.example");
    let known = read();
    let mut rounds = rounds(dir.path(), &keeper, known.clone(), false);
    until(&mut rounds, || stages(&keeper, 0..1) == [Stage::Suspended]);
    // While it runs: looked for once a minute.
    give(dir.path(), "hospitals", "health", "b.stream.example");
    known.is_read_long_ago();
    until(&mut rounds, || stages(&keeper, 1..2) == [Stage::Ended]);
    until(&mut rounds, || !keeper.look(|house| house.is_checking_again()).unwrap());
    assert_eq!(stages(&keeper, 0..3), [Stage::Suspended, Stage::Ended, Stage::InForce]);
    keeper.close();
}

fn stages(keeper: &Keeper, of: std::ops::Range<u16>) -> Vec<Stage> {
    let stage = |state: &State, n| state.item(item(n)).map_or(Stage::Ended, |l| l.machine.stage());
    keeper.look(move |house| of.map(|n| stage(house.state(), n)).collect()).unwrap()
}

#[test]
fn hosts_that_never_answer_hold_up_nobody_else() {
    let dir = tempfile::tempdir().unwrap();
    let ((silent, held), live) = (silent(), stream());
    let hung = (FOR_ONE_NEED - 1) as u16;
    let slow = (0..hung).map(|n| format!("http://s{n}.stream.example:{silent}/live.ts"));
    let fast = (0..8).map(|n| format!("http://f{n}.stream.example:{live}/live.ts"));
    let items: Vec<String> = slow.chain(fast).collect();
    let keeper = house(dir.path(), &items, &[silent, live]);
    let mut probing = probing(dir.path());
    let told: Told = Arc::new(|_: &str| {});
    let began = Instant::now();
    // One place is left beside them: one after another they are captured all the same.
    while stages(&keeper, hung..hung + 8) != [Stage::Captured; 8] {
        assert!(began.elapsed() < Duration::from_secs(20), "{:?}", stages(&keeper, 0..hung + 8));
        if !probing.round(&keeper, &told).unwrap() {
            probing.wait(Duration::from_millis(20));
        }
    }
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(stages(&keeper, 0..hung), vec![Stage::Submitted; usize::from(hung)]);
    assert_eq!(held.load(Ordering::SeqCst), usize::from(hung));
    keeper.close();
}

#[test]
fn there_are_never_more_captures_at_once_than_said() {
    let dir = tempfile::tempdir().unwrap();
    let (silent, held) = silent();
    let items: Vec<String> =
        (0..100).map(|n| format!("http://s{n}.stream.example:{silent}/live.ts")).collect();
    let keeper = house(dir.path(), &items, &[silent]);
    let mut probing = probing(dir.path());
    let told: Told = Arc::new(|_: &str| {});
    let began = Instant::now();
    while held.load(Ordering::SeqCst) < FOR_ONE_NEED {
        assert!(began.elapsed() < Duration::from_secs(20), "{held:?}");
        probing.round(&keeper, &told).unwrap();
        probing.wait(Duration::from_millis(10));
    }
    for _ in 0..20 {
        probing.round(&keeper, &told).unwrap();
        probing.wait(Duration::from_millis(10));
    }
    assert_eq!(held.load(Ordering::SeqCst), FOR_ONE_NEED);
    const { assert!(FOR_ONE_NEED < AT_ONCE) };
    // What is in force has its own places: nothing of it waits here.
    assert!(keeper.look(|house| house.captures_due(Need::Renewal, 10)).unwrap().is_empty());
    keeper.close();
}

#[test]
fn rounds_outlast_a_queue_that_is_full_and_end_with_the_house() {
    let dir = tempfile::tempdir().unwrap();
    let keeper = house(dir.path(), &["a.stream.example".to_owned()], &[1]);
    let free = super::super::keeper::tests::full(&keeper);
    let home = dir.path().join("home");
    let known = Knowledge::read(&home, true).unwrap();
    let work = Work { home, known, resolver: None, bounds: Bounds::default(), notices: None };
    let (lines, stop) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicBool::new(false)));
    let said = Arc::clone(&lines);
    let told: Told = Arc::new(move |line: &str| said.lock().unwrap().push(line.to_owned()));
    let rounds = begin(keeper.clone(), work, told, stop).unwrap();
    while lines.lock().unwrap().is_empty() {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(lines.lock().unwrap()[0].contains("wait already"), "{lines:?}");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!rounds.is_finished());
    drop(free);
    keeper.look_in_turn(|_| ()).unwrap();
    std::thread::sleep(Duration::from_millis(300));
    assert!(!rounds.is_finished());
    keeper.close();
    assert!(rounds.join().unwrap().is_err());
}

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use collect::Bounds;
use collect::home::ProbeHome;
use shield::order::schedule::Need;
use shield::order::{Stage, State};

use super::probing::{AT_ONCE, FOR_ONE_NEED, Probing};
use super::{Told, Work};
use crate::capture::{Act, Book, Grant, Known, decide};
use crate::clearing::known::Knowledge;
use crate::clearing::tests::{item, place, reported};
use crate::clearing::{House, Keeper};

/// A resolver: every name is at 127.0.0.1, and nothing has an IPv6 address.
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
            if a {
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
    let hosts = |port: &u16| [format!("*.stream.example:{port}"), format!("127.0.0.1:{port}")];
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

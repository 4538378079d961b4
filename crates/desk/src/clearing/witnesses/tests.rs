use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Mutex, PoisonError};
use std::thread;

use ledger::witness::WitnessHome;
use ledger::{CosignerKey, Trust, VerifierKey, WitnessKey};
use shield::order::Command;
use shield::order::words::{Grounds, Person};

use super::*;
use crate::clearing::House;
use crate::clearing::tests::{ask, item, league, place, released, reported};

/// A witness that serves on loopback, and its address.
fn serving(dir: &Path, name: &str, log: &str) -> (WitnessKey, String) {
    let home = WitnessHome::new(&dir.join(name));
    let key = home.init(name, &[name.len() as u8; 32]).unwrap().witness();
    let store = home.open(Trust::parse(log).unwrap(), "test").unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let _ = answer(&stream, &store);
        }
    });
    (key, url)
}

fn answer(stream: &TcpStream, store: &ledger::witness::WitnessStore) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    let (mut line, mut length) = (String::new(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line)? <= 2 {
            break;
        }
        if let Some(n) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = n.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let body = String::from_utf8(body).unwrap();
    let (status, said) = match store.add_checkpoint(&body, now.as_secs()).unwrap() {
        Ok(cosigned) => (200, format!("{}\n", cosigned.signature)),
        Err(refusal) => (refusal.status(), refusal.to_string()),
    };
    let head = format!(
        "HTTP/1.1 {status} x\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        said.len()
    );
    (&*stream).write_all(format!("{head}{said}").as_bytes())
}

/// A witness that takes connections and says nothing.
fn silent(held: &Arc<Mutex<Vec<TcpStream>>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let held = Arc::clone(held);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            held.lock().unwrap_or_else(PoisonError::into_inner).push(stream);
        }
    });
    url
}

fn until(what: &str, within: Duration, check: impl Fn() -> bool) {
    let begun = Instant::now();
    while !check() {
        assert!(begun.elapsed() < within, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn two_of_four_cosign_and_who_hangs_or_is_gone_holds_up_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let place = place(dir.path());
    House::create(&place).unwrap();
    let authority = VerifierKey::parse(&crate::authority::public(&place.home).unwrap()).unwrap();
    let log = authority.renamed(&vault::shield_origin(authority.name())).unwrap();
    let log = format!("log {}\n", log.text());
    let held = Arc::default();
    let (one, two) =
        (serving(dir.path(), "w1.example", &log), serving(dir.path(), "w22.example", &log));
    let key = |n: u8| CosignerKey::new(&format!("gone{n}.example"), &[n; 32]).unwrap();
    for (key, url) in [
        (key(1).witness(), silent(&held)),
        one,
        (key(2).witness(), "http://127.0.0.1:1".to_owned()),
        two,
    ] {
        crate::witness::name(&place.home, &key.text(), &url).unwrap();
    }
    let mut house = House::open(&place).unwrap();
    let grounds = Grounds::new("as agreed").unwrap();
    house.figure(&Person::new("vera").unwrap(), "witnesses", 2, &grounds).unwrap();
    let (keeper, thread) = Keeper::start(house, Box::new(|_: &House| {})).unwrap();
    let lines = Arc::new(Mutex::new(Vec::new()));
    let said = Arc::clone(&lines);
    let told: Told = Arc::new(move |line: &str| said.lock().unwrap().push(line.to_owned()));
    let stop = Arc::new(AtomicBool::new(false));
    begin(keeper.clone(), &place.home, told, Arc::clone(&stop)).unwrap();
    for ask in reported(&["a.stream.example", "b.stream.example"]) {
        keeper.act(ask).unwrap().unwrap();
    }
    let out = |keeper: &Keeper| -> BTreeSet<String> {
        let rows = keeper.look(|house| {
            let current = house.feed().unwrap().history().current();
            current.rows().map(|row| row.value().to_string()).collect()
        });
        rows.unwrap()
    };
    for n in 0..2 {
        let asks = keeper.look(move |house| released(house, item(n))).unwrap();
        for ask in asks {
            keeper.act(ask).unwrap().unwrap();
        }
        // One hangs for 20 s, each time that it is asked.
        until("it goes out", Duration::from_secs(10), || out(&keeper).len() > n.into());
    }
    let witnessing = keeper.look(|house| house.witnessing()).unwrap();
    assert_eq!((witnessing.asked, witnessing.named, witnessing.waiting), (2, 4, 0));
    let lift = Command::Lift { item: item(0), collateral: None, grounds };
    keeper.act(ask(&league(), lift)).unwrap().unwrap();
    until("a lift waits for nobody", Duration::from_secs(1), || out(&keeper).len() == 1);
    let lines = lines.lock().unwrap().join("\n");
    assert!(lines.contains("witness gone2.example does not answer"), "{lines}");
    assert!(lines.contains("witness w1.example cosigns"), "{lines}");
    stop.store(true, Ordering::Relaxed);
    keeper.close();
    thread.join().unwrap().unwrap();
}

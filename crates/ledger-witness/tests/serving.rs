//! The witness as strangers meet it: over a socket on loopback.
#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use ledger::witness::{Asking, Next, WitnessHome};
use ledger::{CosignerKey, Log, MAX_CONSISTENCY, Note, Reader, SigningKey, Trust};
use ledger_witness::{Bounds, router, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ORIGIN: &str = "police.example/case/1";

struct Witness {
    address: SocketAddr,
    key: CosignerKey,
    heard: Arc<Mutex<Vec<String>>>,
    _dir: tempfile::TempDir,
}

async fn witness(bounds: Bounds) -> Witness {
    let dir = tempfile::tempdir().unwrap();
    let home = WitnessHome::new(dir.path());
    let key = home.init("w.example", &[2; 32]).unwrap();
    let authority = SigningKey::new("police.example", &[1; 32]).unwrap().verifier();
    let trust = Trust::parse(&format!("authority {}\n", authority.text())).unwrap();
    let store = Arc::new(home.open(trust, "test").unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&heard);
    let router = router(store, Arc::new(move |line| told.lock().unwrap().push(line.to_owned())));
    tokio::spawn(serve(listener, router, bounds, std::future::pending()));
    Witness { address, key, heard, _dir: dir }
}

/// One request: status, headers, body.
async fn ask(address: SocketAddr, head: &str, body: &str) -> (u16, String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: w\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    // A body that is refused unread may meet a closed door.
    let _ = stream.write_all(body.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, head.to_lowercase(), body.to_owned())
}

fn log(dir: &std::path::Path, size: u8) -> Reader {
    let key = SigningKey::new(ORIGIN, &[1; 32]).unwrap();
    let mut log = Log::open(dir, key).unwrap();
    let more: Vec<Vec<u8>> = (log.size() as u8..size).map(|i| vec![i; 9]).collect();
    log.append(&more).unwrap();
    log.finish().unwrap();
    Reader::open(dir).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_cosigned_as_it_grows() {
    let witness = witness(Bounds::default()).await;
    let dir = tempfile::tempdir().unwrap();
    let hash = "/".to_owned() + &model_hash() + "/checkpoint";
    assert_eq!(ask(witness.address, &format!("GET {hash}"), "").await.0, 404);
    // The second time it is believed that the witness knows nothing.
    for (size, believed) in [(3, 0), (44, 0), (60, 44)] {
        let reader = log(dir.path(), size);
        let note = Note::parse(reader.checkpoint().unwrap()).unwrap();
        let mut asking = Asking::new(witness.key.witness(), note.clone(), reader.size(), believed);
        let mut next = asking.first();
        while let Next::Send(old) = next {
            let body = reader.prove_since(old).unwrap().to_string();
            let (status, head, body) = ask(witness.address, "POST /add-checkpoint", &body).await;
            assert_eq!(head.contains("content-type: text/x.tlog.size"), status == 409, "{head}");
            next = asking.answer(status, &body);
        }
        let Next::Cosigned(signature, time) = next else { panic!("{next:?}") };
        assert!(time > 1_700_000_000);
        let (status, _, latest) = ask(witness.address, &format!("GET {hash}"), "").await;
        assert_eq!(status, 200);
        let latest = Note::parse(&latest).unwrap();
        assert_eq!(latest.text, note.text);
        assert!(latest.signatures.contains(&signature));
        assert_eq!(reader.compare(&latest).unwrap(), None);
    }
    assert!(witness.heard.lock().unwrap().iter().any(|l| l.contains("cosigned police.example")));
}

fn model_hash() -> String {
    // The SHA-256 of the origin, as the protocol's route has it.
    use std::fmt::Write;
    let mut text = String::new();
    for byte in <sha2::Sha256 as sha2::Digest>::digest(ORIGIN) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_get_short_answers_and_take_up_little() {
    let bounds = Bounds {
        connections: 4,
        headers: Duration::from_millis(300),
        life: Duration::from_millis(900),
    };
    let witness = witness(bounds).await;
    let address = witness.address;
    for (head, status) in [
        ("GET /", 404),
        ("GET /add-checkpoint", 405),
        ("POST /add-checkpoint", 400),
        ("GET /..%2F..%2Fkey/checkpoint", 404),
        ("GET /../key", 404),
        ("PUT /x/checkpoint", 405),
    ] {
        assert_eq!(ask(address, head, "").await.0, status, "{head}");
    }
    let (status, ..) = ask(address, "POST /add-checkpoint", &"a".repeat(MAX_CONSISTENCY + 1)).await;
    assert_eq!(status, 413);
    // Slow ones are cut, and who comes after them is served.
    let begun = Instant::now();
    let mut slow = Vec::new();
    for n in 0..12 {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let begin: &[u8] = if n % 2 == 0 {
            b"POST /add-ch"
        } else {
            b"POST /add-checkpoint HTTP/1.1\r\nHost: w\r\nContent-Length: 100\r\n\r\nold"
        };
        stream.write_all(begin).await.unwrap();
        slow.push(stream);
    }
    assert_eq!(ask(address, "GET /", "").await.0, 404);
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let mut rest = Vec::new();
    slow[0].read_to_end(&mut rest).await.unwrap();
}

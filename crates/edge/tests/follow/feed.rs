//! A feed of one log, as a clearing house would publish it, and a mirror that hands on what it is told.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ledger::SigningKey;
use ledger::tree::{self, Hash};
use model::Sha256Hex;
use model::record::{Envelope, ShieldDecided, write};
use shield::feed::Place;
use shield::item::Item;
use shield::order::{ItemId, Moment};
use shield::proof::{self, Block};
use shield::wire::file::{Group, Head, Writer};
use shield::wire::{Apart, Beat, FileName, Manifest};

pub(crate) fn log_key() -> SigningKey {
    SigningKey::new("authority.example/shield", &[1; 32]).unwrap()
}

pub(crate) fn feed_key() -> SigningKey {
    SigningKey::new("authority.example/shield/feed", &[2; 32]).unwrap()
}

pub(crate) fn wall() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Moment(since.as_millis() as i64)
}

/// A snapshot at a place, with these names in force for an hour.
pub(crate) fn snapshot(place: Place, names: &[&str]) -> (FileName, Vec<u8>) {
    snapshot_of("all", place, names)
}

/// The same, of a view.
pub(crate) fn snapshot_of(view: &str, place: Place, names: &[&str]) -> (FileName, Vec<u8>) {
    snapshot_by(&log_key(), view, place, names)
}

/// The same, under a checkpoint that this key of the log signs.
pub(crate) fn snapshot_by(
    log: &SigningKey,
    view: &str,
    place: Place,
    names: &[&str],
) -> (FileName, Vec<u8>) {
    let block = |(n, name): (u32, &&str)| Block {
        value: Item::parse(name).unwrap(),
        item: ItemId(u64::from(n)),
        expires: wall().plus(3_600_000),
        code: None,
        salt: proof::salt(&[9; 32], n),
    };
    let blocks: Vec<Block> = (0..).zip(names).map(block).collect();
    let leaves: Vec<Hash> = blocks.iter().map(Block::leaf).collect();
    let body = ShieldDecided {
        epoch: place.epoch,
        part: 0,
        parts: 1,
        blocks: Some(Sha256Hex(proof::root(&leaves))),
        blocks_under: Some(leaves.len() as u64),
        told: None,
        told_under: None,
        decision: "{}".into(),
        seed: None,
    };
    let authority = "authority.example".to_owned();
    let envelope = Envelope { time_ms: wall().0, authority, actor: "lea".into() };
    let (record, _) = write(&body.into(), &envelope, &mut || [5; 32]).unwrap();
    let record = String::from_utf8(record).unwrap();
    let leaf = tree::leaf(record.as_bytes());
    let checkpoint = log.sign(1, &tree::root(&[leaf]));
    let head = Head { view: view.into(), place, from: None, checkpoint };
    let mut writer = Writer::new(Vec::new(), &head).unwrap();
    let blocks = (0..).zip(blocks).collect();
    let group = Group { index: 0, record: &record, path: Vec::new(), leaves: &leaves, blocks };
    writer.group(&group).unwrap();
    named(None, place.serial, writer.end().unwrap())
}

/// A delta that lifts names.
pub(crate) fn lift(place: Place, from: u64, names: &[&str]) -> (FileName, Vec<u8>) {
    let checkpoint = log_key().sign(0, &tree::root(&[]));
    let head = Head { view: "all".into(), place, from: Some(from), checkpoint };
    let mut writer = Writer::new(Vec::new(), &head).unwrap();
    for name in names {
        writer.gone(&Item::parse(name).unwrap()).unwrap();
    }
    named(Some(from), place.serial, writer.end().unwrap())
}

fn named(from: Option<u64>, to: u64, bytes: Vec<u8>) -> (FileName, Vec<u8>) {
    let name = FileName { from, to, bytes: bytes.len() as u64, hash: Sha256Hex::of(&bytes) };
    (name, bytes)
}

/// A manifest of now, signed.
pub(crate) fn manifest(place: Place, beat: u64, files: &[FileName], key: &SigningKey) -> Vec<u8> {
    manifest_of("all", &[], place, beat, files, key)
}

/// The same of a view, where these have one of their own.
pub(crate) fn manifest_of(
    view: &str,
    apart: &[&str],
    place: Place,
    beat: u64,
    files: &[FileName],
    key: &SigningKey,
) -> Vec<u8> {
    let mut apart: Vec<Apart> = apart.iter().map(|name| Apart::of(place, name)).collect();
    apart.sort_unstable();
    let (snapshot, deltas) = files.split_first().unwrap();
    let manifest = Manifest {
        origin: key.name().to_owned(),
        view: view.into(),
        place,
        beat: Beat { number: beat, made: wall() },
        every_ms: 1_000,
        silence_ms: 900_000,
        count: 0,
        apart,
        snapshot: Some(snapshot.clone()),
        deltas: deltas.to_vec(),
    };
    manifest.sign(key).to_string().into_bytes()
}

/// What a mirror answers to a path: the bytes that it says, whole and with their head.
pub(crate) type Answers = Arc<Mutex<HashMap<String, Vec<u8>>>>;

/// Has a path answered with nothing, for longer than anybody waits.
pub(crate) const HANGS: &[u8] = b"hangs";

/// A mirror on loopback, its address, and what was asked of it.
pub(crate) struct Mirror {
    pub(crate) url: String,
    pub(crate) answers: Answers,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

impl Mirror {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/feed", listener.local_addr().unwrap());
        let (answers, asked) = (Answers::default(), Arc::new(Mutex::new(Vec::new())));
        let (given, heard) = (Arc::clone(&answers), Arc::clone(&asked));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (given, heard) = (Arc::clone(&given), Arc::clone(&heard));
                std::thread::spawn(move || answer(&stream, &given, &heard));
            }
        });
        Self { url, answers, asked }
    }

    /// One that begins every answer well, and lets the rest trickle.
    pub(crate) fn trickling() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/feed", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || {
                    let mut lines = BufReader::new(&stream).lines();
                    while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {
                    }
                    let mut stream = &stream;
                    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n";
                    let mut sent = stream.write_all(head);
                    while sent.is_ok() {
                        std::thread::sleep(Duration::from_millis(200));
                        sent = stream.write_all(b"a");
                    }
                });
            }
        });
        Self { url, answers: Answers::default(), asked: Arc::default() }
    }

    /// Has a path answered with a body.
    pub(crate) fn set(&self, path: &str, body: &[u8]) {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        self.raw(path, [head.as_bytes(), body].concat());
    }

    /// Has a path answered with these bytes, and the connection closed after them.
    pub(crate) fn raw(&self, path: &str, bytes: Vec<u8>) {
        self.raw_at(&format!("all/{path}"), bytes);
    }

    fn raw_at(&self, path: &str, bytes: Vec<u8>) {
        self.answers.lock().unwrap().insert(format!("/feed/{path}"), bytes);
    }

    /// Publishes a view by its one snapshot, where these have one of their own.
    pub(crate) fn publish_of(
        &self,
        view: &str,
        apart: &[&str],
        (place, beat): (Place, u64),
        (name, bytes): &(FileName, Vec<u8>),
    ) {
        let signed = manifest_of(view, apart, place, beat, std::slice::from_ref(name), &feed_key());
        for (path, body) in
            [(format!("files/{}", name.hash), bytes), ("manifest".to_owned(), &signed)]
        {
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
            self.raw_at(&format!("{view}/{path}"), [head.as_bytes(), body].concat());
        }
    }

    /// Ends a view: nothing of it is there any more.
    pub(crate) fn end_of(&self, view: &str) {
        let below = format!("/feed/{view}/");
        self.answers.lock().unwrap().retain(|path, _| !path.starts_with(&below));
    }

    pub(crate) fn publish(&self, place: Place, beat: u64, files: &[(FileName, Vec<u8>)]) {
        let names: Vec<FileName> = files.iter().map(|(name, _)| name.clone()).collect();
        for (name, bytes) in files {
            self.set(&format!("files/{}", name.hash), bytes);
        }
        self.set("manifest", &manifest(place, beat, &names, &feed_key()));
    }
}

fn answer(stream: &TcpStream, answers: &Answers, asked: &Mutex<Vec<String>>) -> Option<()> {
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let mut reader = BufReader::new(stream);
    let (mut head, mut line) = (String::new(), String::new());
    while reader.read_line(&mut line).ok()? > 2 {
        head.push_str(&std::mem::take(&mut line));
    }
    let path = head.split(' ').nth(1)?.split('?').next()?.to_owned();
    asked.lock().unwrap().push(head);
    let missing = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec();
    let answer = answers.lock().unwrap().get(&path).cloned().unwrap_or(missing);
    if answer == HANGS {
        std::thread::sleep(Duration::from_secs(60));
        return None;
    }
    (&*stream).write_all(&answer).ok()
}

//! Group commit beside SQLite's, entry by entry alike: `vigie-ledger-bench WHAT DIR ENTRIES`, where
//! WHAT is `ours`, `sqlite` or `storm`. Prints seconds, and for `ours` and `storm` the 99th
//! percentile from submission to durable in milliseconds, and batches.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ledger::{Bounds, Log, Sequencer, SigningKey};

const BATCH: usize = 1000;

fn entry(n: u64) -> Vec<u8> {
    // 200 bytes that do not repeat, as records with their commitments do not.
    let mut bytes = Vec::with_capacity(200);
    let mut x = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    while bytes.len() < 200 {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        bytes.extend_from_slice(&x.to_be_bytes());
    }
    bytes.truncate(200);
    bytes
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [what, dir, count] = arguments.as_slice() else {
        return Err("use: vigie-ledger-bench ours|sqlite|storm DIR ENTRIES".into());
    };
    let count: u64 = count.parse()?;
    let dir = Path::new(dir);
    match what.as_str() {
        "ours" => ours(dir, count),
        "storm" => storm(dir, count),
        "sqlite" => sqlite(dir, count),
        _ => Err("what?".into()),
    }
}

fn start(dir: &Path) -> Result<(Sequencer, ledger::Sequencing), Box<dyn std::error::Error>> {
    let key = SigningKey::new("bench.invalid/log", &[7; 32])?;
    Ok(Sequencer::start(Log::open(dir, key)?, Bounds::default())?)
}

fn told(begun: Instant, mut waits: Vec<Duration>) {
    waits.sort_unstable();
    let p99 = waits.get(waits.len() * 99 / 100).copied().unwrap_or_default();
    println!("{:.3} {:.1}", begun.elapsed().as_secs_f64(), p99.as_secs_f64() * 1e3);
}

/// One submitter keeps batches of a thousand coming, two under way.
fn ours(dir: &Path, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let (sequencer, running) = start(dir)?;
    let begun = Instant::now();
    let mut waits = Vec::new();
    let mut under_way = std::collections::VecDeque::new();
    let mut n = 0;
    while n < count || !under_way.is_empty() {
        if n < count && under_way.len() < 2 {
            let entries: Vec<Vec<u8>> = (n..(n + BATCH as u64).min(count)).map(entry).collect();
            n += entries.len() as u64;
            under_way.push_back((Instant::now(), sequencer.submit(entries)?));
        } else if let Some((since, submitted)) = under_way.pop_front() {
            submitted.wait()?;
            waits.push(since.elapsed());
        }
    }
    drop(sequencer);
    running.finish()?;
    told(begun, waits);
    Ok(())
}

/// Two hundred submitters at once, each with one entry at a time and the next when it is answered.
fn storm(dir: &Path, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    const WHO: u64 = 200;
    let (sequencer, running) = start(dir)?;
    let begun = Instant::now();
    let waits = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for who in 0..WHO {
            let (sequencer, waits) = (sequencer.clone(), &waits);
            scope.spawn(move || {
                let mut own = Vec::new();
                for n in 0..count / WHO {
                    let since = Instant::now();
                    let submitted = sequencer.submit(vec![entry(who << 32 | n)]);
                    submitted.and_then(ledger::Submitted::wait).expect("durable");
                    own.push(since.elapsed());
                }
                waits.lock().expect("no panic").extend(own);
            });
        }
    });
    drop(sequencer);
    running.finish()?;
    told(begun, waits.into_inner()?);
    Ok(())
}

fn sqlite(dir: &Path, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let mut db = rusqlite::Connection::open(dir.join("log.sqlite"))?;
    db.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE log (n INTEGER PRIMARY KEY, entry BLOB NOT NULL)",
    )?;
    let begun = Instant::now();
    let mut waits = Vec::new();
    let mut n = 0;
    while n < count {
        let since = Instant::now();
        let tx = db.transaction()?;
        {
            let mut insert = tx.prepare_cached("INSERT INTO log (entry) VALUES (?)")?;
            for _ in 0..BATCH.min((count - n) as usize) {
                insert.execute([entry(n)])?;
                n += 1;
            }
        }
        tx.commit()?;
        waits.push(since.elapsed());
    }
    told(begun, waits);
    Ok(())
}

//! What the benchmarks of the log run: `vigie-ledger-bench WHAT DIR ENTRIES`.
//!
//! Group commit beside SQLite's, entry by entry alike, where WHAT is `ours`, `sqlite` or `storm`:
//! prints seconds and the 99th percentile from submission to durable in milliseconds. A log that
//! stands already, where WHAT is `verify` or `prove`: prints seconds and the greatest memory in MB;
//! or the median and the 99th percentile of a proof in milliseconds.

use std::path::Path;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ledger::{Bounds, Known, Log, Sequencer, SigningKey};

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
        return Err("use: vigie-ledger-bench ours|sqlite|storm|verify|prove DIR ENTRIES".into());
    };
    let count: u64 = count.parse()?;
    let dir = Path::new(dir);
    match what.as_str() {
        "ours" => ours(dir, count),
        "storm" => storm(dir, count),
        "sqlite" => sqlite(dir, count),
        "verify" => verify(dir, count),
        "prove" => prove(dir, count),
        _ => Err("what?".into()),
    }
}

fn key() -> Result<SigningKey, Box<dyn std::error::Error>> {
    Ok(SigningKey::new("bench.invalid/log", &[7; 32])?)
}

fn verify(dir: &Path, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let key = key()?.verifier();
    let begun = Instant::now();
    let known = Known { key: Some(&key), ..Known::default() };
    let report = ledger::verify(dir, known, &mut |_, _, _| None)?;
    let seconds = begun.elapsed().as_secs_f64();
    if report.entries != count || !report.findings.is_empty() {
        return Err(format!("{} entries, {:?}", report.entries, report.findings).into());
    }
    let status = std::fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or("0");
    let kb: u64 = peak.trim().trim_end_matches(" kB").parse()?;
    println!("{seconds:.2} {}", kb / 1024);
    Ok(())
}

/// A thousand proofs from all over the log, each checked.
fn prove(dir: &Path, count: u64) -> Result<(), Box<dyn std::error::Error>> {
    let reader = ledger::Reader::open(dir)?;
    let root = reader.root_at(count)?;
    let mut took = Vec::new();
    for n in 0..1000u64 {
        let index = n.wrapping_mul(0x9e37_79b9_7f4a_7c15) % count;
        let since = Instant::now();
        let proof = reader.prove(index)?;
        took.push(since.elapsed());
        let leaf = ledger::tree::leaf(proof.extra.as_deref().unwrap_or_default());
        if !ledger::tree::is_included(&leaf, index, count, &proof.hashes, &root) {
            return Err(format!("the proof of {index} does not hold").into());
        }
    }
    took.sort_unstable();
    let ms = |at: usize| took[at].as_secs_f64() * 1e3;
    println!("{:.3} {:.3}", ms(500), ms(990));
    Ok(())
}

fn start(dir: &Path) -> Result<(Sequencer, ledger::Sequencing), Box<dyn std::error::Error>> {
    Ok(Sequencer::start(Log::open(dir, key()?)?, Bounds::default())?)
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

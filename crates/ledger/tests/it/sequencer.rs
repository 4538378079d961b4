//! Many submitters at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ledger::{Bounds, Error, Known, Log, Reader, Sequencer, SigningKey, verify};

fn key() -> SigningKey {
    SigningKey::new("practice.invalid/case/1", &[7; 32]).unwrap()
}

fn quick_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

/// 200 submitters: nothing is lost, nothing twice, each submitter's order is kept, and each is told
/// the place where its entry stands.
#[test]
fn two_hundred_submit_at_once() {
    let dir = quick_dir();
    let log = Log::open(dir.path(), key()).unwrap();
    let (sequencer, running) = Sequencer::start(log, Bounds::default()).unwrap();
    let told: Vec<(u64, Vec<u8>)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..200u16)
            .map(|who| {
                let sequencer = sequencer.clone();
                scope.spawn(move || {
                    let mut told = Vec::new();
                    for n in 0..20u16 {
                        // Some hand in several that must stand together.
                        let count = 1 + (who + n) % 3;
                        let entries: Vec<Vec<u8>> =
                            (0..count).map(|k| format!("{who}:{n}:{k}").into_bytes()).collect();
                        let first = sequencer.submit(entries.clone()).unwrap().wait().unwrap();
                        told.extend((first..).zip(entries));
                    }
                    told
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().unwrap()).collect()
    });
    drop(sequencer);
    let log = running.finish().unwrap();
    assert_eq!(log.size(), told.len() as u64);
    drop(log);
    let report = verify(
        dir.path(),
        Known { key: Some(&key().verifier()), ..Known::default() },
        &mut |_, _, _| None,
    )
    .unwrap();
    assert_eq!((report.findings.as_slice(), report.entries), (&[][..], told.len() as u64));
    let reader = Reader::open(dir.path()).unwrap();
    let mut last: BTreeMap<String, (u16, u64)> = BTreeMap::new();
    for (index, entry) in told {
        assert_eq!(reader.entry(index).unwrap(), entry);
        let text = String::from_utf8(entry).unwrap();
        let (who, rest) = text.split_once(':').unwrap();
        let n = rest.split(':').next().unwrap().parse().unwrap();
        // `told` holds each submitter's own in the order in which it handed them in.
        if let Some((before, place)) = last.insert(who.to_owned(), (n, index)) {
            assert!(before <= n && place < index, "{text}");
        }
    }
    assert_eq!(last.len(), 200);
}

/// A lone entry waits for company as long as the bound says, and no longer; a full batch does not.
#[test]
fn batches_close_by_number_or_by_time() {
    let dir = quick_dir();
    let log = Log::open(dir.path(), key()).unwrap();
    let bounds =
        Bounds { entries: 10, wait: Duration::from_millis(1500), queue: 4, ..Bounds::default() };
    let (sequencer, running) = Sequencer::start(log, bounds).unwrap();
    let begun = Instant::now();
    let waiting: Vec<_> = (0..20u8).map(|i| sequencer.submit(vec![vec![i]]).unwrap()).collect();
    let places: Vec<u64> = waiting.into_iter().map(|w| w.wait().unwrap()).collect();
    assert_eq!(places, (0..20).collect::<Vec<_>>());
    assert!(begun.elapsed() < Duration::from_millis(1400), "{:?}", begun.elapsed());
    let begun = Instant::now();
    assert_eq!(sequencer.submit(vec![vec![9]]).unwrap().wait().unwrap(), 20);
    assert!(begun.elapsed() >= Duration::from_millis(1400), "{:?}", begun.elapsed());
    // Nothing handed in takes no place, and is answered.
    assert_eq!(sequencer.submit(Vec::new()).unwrap().wait().unwrap(), 21);
    assert!(matches!(sequencer.submit(vec![vec![0; 70_000]]), Err(Error::TooLarge(70_000))));
    drop(sequencer);
    assert_eq!(running.finish().unwrap().size(), 21);
}

/// Tiles are written beside further commits, batch by batch: readers that come meanwhile see whole
/// prefixes that hold all that was answered before, and never fail.
#[test]
fn readers_come_while_tiles_are_written_beside() {
    let dir = quick_dir();
    let entry = |i: u64| vec![i as u8; 200];
    let log = Log::open(dir.path(), key()).unwrap();
    let bounds = Bounds { entries: 50, wait: Duration::ZERO, publish: 20_000, ..Bounds::default() };
    let (sequencer, running) = Sequencer::start(log, bounds).unwrap();
    let answered = AtomicU64::new(0);
    const ALL: u64 = 20_000;
    let rounds = std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let mut rounds = 0u64;
            loop {
                let before = answered.load(Ordering::SeqCst);
                let reader = Reader::open(dir.path()).unwrap();
                let size = reader.size();
                assert!(size >= before, "{size} of {before}");
                for index in (size.saturating_sub(20)..size).chain(0..size.min(3)) {
                    assert_eq!(reader.entry(index).unwrap(), entry(index));
                }
                rounds += 1;
                if before == ALL {
                    return rounds;
                }
            }
        });
        for first in (0..ALL).step_by(50) {
            let batch = (first..first + 50).map(entry).collect();
            sequencer.submit(batch).unwrap().wait().unwrap();
            answered.store(first + 50, Ordering::SeqCst);
        }
        reading.join().unwrap()
    });
    assert!(rounds > 3, "{rounds}");
    drop(sequencer);
    running.finish().unwrap().finish().unwrap();
    assert!(dir.path().join("journal-2").is_file(), "both journals were needed");
    let key = key().verifier();
    let known = Known { key: Some(&key), ..Known::default() };
    let report = verify(dir.path(), known, &mut |index, bytes, _| {
        (bytes != entry(index)).then(|| "another entry".to_owned())
    });
    let report = report.unwrap();
    assert_eq!((report.findings.as_slice(), report.entries), (&[][..], ALL));
}

//! Appending, reopening, reading and verifying, at sizes around the edges of tiles.

use std::path::Path;

use ledger::tree::{is_included, leaf, root};
use ledger::{Known, Log, Reader, SigningKey, verify};
use proptest::prelude::*;

fn quick_dir() -> tempfile::TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap()
}

fn key() -> SigningKey {
    SigningKey::new("practice.invalid/case/1", &[7; 32]).unwrap()
}

fn entry(i: u64) -> Vec<u8> {
    vec![i as u8; (i % 300) as usize]
}

fn check(dir: &Path, size: u64) {
    let report = verify(
        dir,
        Known { key: Some(&key().verifier()), ..Known::default() },
        &mut |index, bytes, _| (bytes != entry(index)).then(|| "another entry".to_owned()),
    )
    .unwrap();
    assert_eq!(report.findings, [], "size {size}");
    assert_eq!(report.entries, size);
    let reader = Reader::open(dir).unwrap();
    assert_eq!(reader.size(), size);
    if size > 0 {
        let hashes: Vec<_> = (0..size).map(|i| leaf(&entry(i))).collect();
        let top = root(&hashes);
        let checkpoint = key().verifier().open(reader.checkpoint().unwrap()).unwrap();
        assert_eq!((checkpoint.size, checkpoint.root), (size, top));
        for index in [0, 1, 255, 256, 300, size / 2, size - 1].into_iter().filter(|i| *i < size) {
            assert_eq!(reader.entry(index).unwrap(), entry(index));
            let (of, proof) = reader.inclusion_proof(index).unwrap();
            assert!(
                is_included(&hashes[index as usize], index, of, &proof, &top),
                "{index} of {of}"
            );
        }
        assert_eq!(
            reader.entries(size.saturating_sub(300)).flatten().count() as u64,
            size.min(300)
        );
    }
    assert!(reader.entry(size).is_err());
}

#[test]
fn a_log_grows_over_the_edges_of_its_tiles() {
    let dir = quick_dir();
    let mut size = 0;
    for target in [0u64, 1, 2, 255, 256, 257, 511, 512, 700, 65_535, 65_536, 65_537, 66_100] {
        let mut log = Log::open(dir.path(), key()).unwrap();
        let batch: Vec<Vec<u8>> = (size..target).map(entry).collect();
        assert_eq!(log.append(&batch).unwrap(), size);
        size = target;
        log.finish().unwrap();
        check(dir.path(), size);
    }
    let other = SigningKey::new("practice.invalid/case/1", &[8; 32]).unwrap();
    assert!(Log::open(dir.path(), other).is_err());
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let dir = quick_dir();
    let mut log = Log::open(dir.path(), key()).unwrap();
    assert!(log.append(&[vec![0; 65_536]]).is_err());
    log.append(&[entry(0)]).unwrap();
    log.append(&[vec![1; 0], vec![]]).unwrap();
    assert_eq!(log.size(), 3);
}

/// Which entry was changed is told first, then what follows from it, each once.
#[test]
#[allow(clippy::disallowed_methods)] // Changes files, as an intruder does.
fn what_was_changed_is_named_before_what_follows() {
    let dir = quick_dir();
    let mut log = Log::open(dir.path(), key()).unwrap();
    log.append(&(0..300).map(|_| b"an entry".to_vec()).collect::<Vec<_>>()).unwrap();
    log.finish().unwrap();
    let path = |below: &str| dir.path().join(below);
    let seen =
        key().verifier().open(&std::fs::read_to_string(path("checkpoint")).unwrap()).unwrap();
    let found = |earlier: &[ledger::Checkpoint]| {
        let key = key().verifier();
        let known = Known { key: Some(&key), earlier, ..Known::default() };
        let report = verify(dir.path(), known, &mut |_, _, _| None).unwrap();
        report.findings.iter().map(|f| format!("{}: {}", f.place, f.message)).collect::<Vec<_>>()
    };
    let seen = [seen.clone(), seen];
    assert!(found(&seen).is_empty());
    let change = |below: &str, at: usize| {
        let whole = std::fs::read(path(below)).unwrap();
        let mut bytes = whole.clone();
        bytes[at] ^= 1;
        std::fs::write(path(below), bytes).unwrap();
        whole
    };
    let whole = change("tile/entries/000", 4 * 10 + 5);
    let told = found(&seen);
    assert!(told[0].starts_with("tile/0/000 byte 128: entry 4 was changed"), "{told:?}");
    let known = told.iter().filter(|f| f.contains("the log signed another history")).count();
    assert!(known == 1 && told.last().unwrap().starts_with("entries up to 299"), "{told:?}");
    std::fs::write(path("tile/entries/000"), whole).unwrap();
    // Of a tile that alone was changed that is told: the entries are those that were signed.
    let whole = change("tile/0/000", 130);
    let told = found(&seen);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("this file was changed: the entries are those"), "{told:?}");
    std::fs::write(path("tile/0/000"), whole).unwrap();
    // A checkpoint that somebody keeps of another history is not forgotten, and one of this is none.
    let other = |size| key().sign(size, &[7; 32]);
    for note in [other(200), other(900), std::fs::read_to_string(path("checkpoint")).unwrap()] {
        ledger::keep_contradicting(dir.path(), &ledger::Note::parse(&note).unwrap()).unwrap();
    }
    let told = found(&seen);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].contains("known with 900 entries, here are 300"), "{told:?}");
    assert!(told[1].contains("entries up to 199: the log signed another history"), "{told:?}");
    std::fs::write(path("contradicting/nothing"), "none").unwrap();
    // What is none is told beside those, and hides none of them.
    let told = found(&seen);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().any(|f| f.starts_with("contradicting/nothing: ")), "{told:?}");
}

/// A batch of another history that lies in the journal, below what the tiles hold, is found: the next run
/// would cut it away, and the proof with it.
#[test]
#[allow(clippy::disallowed_methods)] // Puts a file there, as an intruder does.
fn a_batch_that_stands_must_be_what_stands() {
    let (one, other) = (quick_dir(), quick_dir());
    for dir in [&one, &other] {
        let mut log = Log::open(dir.path(), key()).unwrap();
        log.append(&(0..300).map(entry).collect::<Vec<_>>()).unwrap();
        log.finish().unwrap();
    }
    let mut log = Log::open(one.path(), key()).unwrap();
    log.append(&[b"what was recorded".to_vec()]).unwrap();
    log.finish().unwrap();
    let mut log = Log::open(other.path(), key()).unwrap();
    log.append(&[b"what was recorded elsewhere".to_vec()]).unwrap();
    drop(log);
    let verifier = key().verifier();
    let found = || {
        let known = Known { key: Some(&verifier), ..Known::default() };
        verify(one.path(), known, &mut |_, _, _| None).unwrap()
    };
    assert!(found().findings.is_empty());
    // The journal that holds something of a log, laid into the first one.
    let plant = |from: &Path| {
        let journals = ["journal", "journal-2"].map(|name| from.join(name));
        let used = journals.iter().find(|path| path.metadata().is_ok_and(|m| m.len() > 0));
        std::fs::copy(used.unwrap(), one.path().join("journal")).unwrap();
    };
    plant(other.path());
    let report = found();
    let told: Vec<_> =
        report.findings.iter().map(|f| format!("{}: {}", f.place, f.message)).collect();
    assert!(!report.signed, "{told:?}");
    assert!(told[0].starts_with("journal entry 300: the journal holds another entry"), "{told:?}");
    assert!(told[1].starts_with("entries up to 300: the log signed another history"), "{told:?}");
    // One that stands beyond the end, without those before it: records were committed that are not here.
    Log::open(other.path(), key()).unwrap().finish().unwrap();
    let mut log = Log::open(other.path(), key()).unwrap();
    log.append(&[b"more".to_vec(), b"and more".to_vec()]).unwrap();
    log.finish().unwrap();
    let mut log = Log::open(other.path(), key()).unwrap();
    log.append(&[b"the last".to_vec()]).unwrap();
    drop(log);
    plant(other.path());
    let report = found();
    assert!(report.findings.iter().any(|f| f.message.contains("does not follow the entries")));
    assert!(!report.signed);
    // The log's own, which a run that was stopped left there, is none.
    let third = quick_dir();
    let mut log = Log::open(third.path(), key()).unwrap();
    log.append(&(0..300).map(entry).collect::<Vec<_>>()).unwrap();
    log.finish().unwrap();
    let mut log = Log::open(third.path(), key()).unwrap();
    log.append(&[b"what was recorded".to_vec()]).unwrap();
    drop(log);
    plant(third.path());
    let report = found();
    assert!(report.findings.is_empty() && report.signed, "{:?}", report.findings);
    assert!(report.notes.iter().any(|note| note.contains("batches whose tiles stand")));
}

/// Readers beside a writer see whole, verified prefixes and never wait or fail.
#[test]
fn readers_never_wait() {
    let dir = quick_dir();
    let mut log = Log::open(dir.path(), key()).unwrap();
    let path = dir.path().to_owned();
    let done = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut last, mut rounds) = (0, 0);
            while !done.load(std::sync::atomic::Ordering::Relaxed) {
                let reader = Reader::open(&path).unwrap();
                let size = reader.size();
                assert!(size >= last);
                last = size;
                rounds += 1;
                for index in (size.saturating_sub(20)..size).chain(0..size.min(3)) {
                    assert_eq!(reader.entry(index).unwrap(), entry(index));
                }
            }
            rounds
        });
        let mut size = 0;
        for step in 0..400u64 {
            let next = size + 1 + step % 7;
            log.append(&(size..next).map(entry).collect::<Vec<_>>()).unwrap();
            size = next;
            if step % 3 == 0 {
                log.publish().unwrap();
            }
        }
        done.store(true, std::sync::atomic::Ordering::Relaxed);
        assert!(reading.join().unwrap() > 3);
        log.finish().unwrap();
        check(dir.path(), size);
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Any course of appending, publishing and reopening gives the same log.
    #[test]
    fn any_course_gives_the_same_log(steps in prop::collection::vec((0u64..400, any::<bool>(), any::<bool>()), 1..12)) {
        let dir = quick_dir();
        let mut log = Log::open(dir.path(), key()).unwrap();
        let mut size = 0;
        for (count, publish, reopen) in steps {
            log.append(&(size..size + count).map(entry).collect::<Vec<_>>()).unwrap();
            size += count;
            if publish {
                log.publish().unwrap();
            }
            if reopen {
                drop(log); // without finishing: the journal keeps it
                log = Log::open(dir.path(), key()).unwrap();
            }
            prop_assert_eq!(log.size(), size);
        }
        drop(log);
        prop_assert_eq!(Reader::open(dir.path()).unwrap().size(), size);
        Log::open(dir.path(), key()).unwrap().finish().unwrap();
        check(dir.path(), size);
    }
}

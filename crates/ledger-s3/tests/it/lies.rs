//! A store that lies: stale and foreign objects, missing ones, ones too long, an older state of all.
//! Whoever reads them stops, and names the object.

use ledger::{Checkpoint, Known, SigningKey};
use ledger_s3::{Error, Log, Options, Reader, Writer, verify};

use crate::memory::{Client, Kind, Store};
use crate::steps::{batch, block_on, key, open};

/// 700 entries: tiles 0 and 1 are full, 2 is not; grown in two batches.
async fn grown(name: &str) -> Store {
    let store = Store::default();
    let mut log = open(store.client(), 1).await.unwrap();
    log.append(&batch(name, 600)).await.unwrap();
    log.append(&batch(&format!("{name} more"), 100)).await.unwrap();
    store
}

async fn read(store: &Store) -> Result<Reader<Client>, Error> {
    Reader::open(store.client(), &key().verifier(), &Options::default()).await
}

/// The places that verifying finds something at.
async fn found(store: &Store) -> Vec<String> {
    let options = Options::default();
    let report =
        verify(store.client(), &key().verifier(), &options, &mut |_, _, _| None).await.unwrap();
    report.findings.into_iter().map(|finding| finding.place).collect()
}

fn damaged<T>(result: Result<T, Error>, name: &str) {
    match result {
        Err(Error::Damaged { name: found, .. }) => assert!(found.contains(name), "{found}, {name}"),
        Err(other) => panic!("{name}: {other}"),
        Ok(_) => panic!("{name} was believed"),
    }
}

#[test]
fn foreign_and_stale_tiles_at_the_right_end_stop_whoever_opens() {
    block_on(async {
        let foreign = grown("foreign").await;
        for name in ["tile/0/002.p/188", "tile/1/000.p/2", "tile/entries/002.p/188"] {
            for bytes in [foreign.get(name), Some(Vec::new()), Some(vec![0; 5]), None] {
                let store = grown("ours").await;
                match bytes {
                    Some(bytes) => store.set(name, bytes),
                    None => store.remove(name),
                }
                // Hashes and bundle of the last tile contradict one another: the bundle is named.
                let named = if name.starts_with("tile/0") { "/002.p/188" } else { name };
                damaged(read(&store).await, named);
                damaged(open(store.client(), 2).await, named);
                assert!(!found(&store).await.is_empty());
            }
        }
        // Both foreign: they fit each other, and not the signed checkpoint.
        let store = grown("ours").await;
        for name in ["tile/0/002.p/188", "tile/entries/002.p/188"] {
            store.set(name, foreign.get(name).unwrap());
        }
        damaged(read(&store).await, "tile/0/002.p/188");
        damaged(open(store.client(), 2).await, "tile/0/002.p/188");
    });
}

#[test]
fn foreign_and_stale_tiles_within_are_found_where_they_are_read() {
    block_on(async {
        let foreign = grown("foreign").await;
        for name in ["tile/0/001", "tile/entries/001"] {
            let short = foreign.get(name).unwrap()[..64].to_vec();
            for bytes in [foreign.get(name), Some(short), None] {
                let store = grown("ours").await;
                match bytes {
                    Some(bytes) => store.set(name, bytes),
                    None => store.remove(name),
                }
                let reader = read(&store).await.unwrap();
                assert!(reader.entry(3).await.is_ok() && reader.entry(650).await.is_ok());
                damaged(reader.entry(300).await, name);
                damaged(reader.prove(300).await, name);
                // Entries and hashes contradict one another: it is said of the hashes.
                assert!(found(&store).await.iter().any(|place| place.contains("/001")), "{name}");
            }
        }
        // A bit in a bundle, in a hash, in a partial tile of an earlier size; an object of no log.
        for name in ["tile/entries/000", "tile/0/000", "tile/0/002.p/88", "tile/entries/002.p/88"] {
            let store = grown("ours").await;
            let mut bytes = store.get(name).unwrap();
            bytes[40] ^= 1;
            store.set(name, bytes);
            let (_, tile) = name.rsplit_once("/00").unwrap();
            assert!(found(&store).await.iter().any(|place| place.contains(tile)), "{name}");
        }
        let store = grown("ours").await;
        store.set("tile/0/009", vec![0; 8192]);
        store.set("notes.txt", b"hello".to_vec());
        assert_eq!(found(&store).await, ["notes.txt", "tile/0/009"]);
    });
}

#[test]
fn a_put_that_was_answered_and_not_kept_is_found() {
    block_on(async {
        let store = Store::default();
        store.forget("tile/0/001");
        let mut log = open(store.client(), 1).await.unwrap();
        log.append(&batch("ours", 600)).await.unwrap();
        assert_eq!(found(&store).await, ["tile/0/001"]);
        store.forget("tile/0/002.p/188");
        log.append(&batch("ours more", 100)).await.unwrap();
        damaged(open(store.client(), 2).await, "tile/0/002.p/188");
    });
}

#[test]
fn an_older_state_is_seen_by_whoever_knows_a_later_one() {
    block_on(async {
        let store = Store::default();
        let mut log = open(store.client(), 1).await.unwrap();
        log.append(&batch("ours", 600)).await.unwrap();
        let older = store.copy();
        log.append(&batch("ours more", 100)).await.unwrap();
        let origin = key().name().to_owned();
        let known = Checkpoint { origin, size: log.size(), root: log.root() };
        let options = Options { known: vec![known.clone()], ..Options::default() };
        let again = |store: &Store, options: Options| {
            Log::open(store.client(), key(), Writer([9; 16]), options)
        };
        assert!(again(&store, options.clone()).await.is_ok());
        let writer = again(&older, options.clone()).await;
        let reader = Reader::open(older.client(), &key().verifier(), &options).await;
        let report =
            verify(older.client(), &key().verifier(), &options, &mut |_, _, _| None).await.unwrap();
        assert!(matches!(writer, Err(Error::RolledBack { found: 600, known: 700, .. })));
        assert!(matches!(reader, Err(Error::RolledBack { found: 600, known: 700, .. })));
        assert_eq!(report.findings.len(), 1);
        // One that went another way from there: a fork, by the log's own key.
        let mut other = open(older.client(), 4).await.unwrap();
        other.append(&batch("theirs", 200)).await.unwrap();
        let writer = again(&older, options.clone()).await;
        assert!(matches!(writer, Err(Error::Forked { known: 700, .. })));
        let report =
            verify(older.client(), &key().verifier(), &options, &mut |_, _, _| None).await.unwrap();
        assert_eq!(report.findings[0].place, "entry 699");
        // Whoever holds the log open, and is shown an older lock, cannot swap it.
        let now = log.size();
        store.set("lock", older.get("lock").unwrap());
        let end = log.append(&batch("more", 1)).await;
        assert!(matches!(end, Err(Error::AnotherWriter { held, .. }) if held == now), "{end:?}");
    });
}

#[test]
fn checkpoint_and_lock_that_contradict_one_another_stop_a_writer() {
    block_on(async {
        let store = Store::default();
        let mut log = open(store.client(), 1).await.unwrap();
        log.append(&batch("ours", 600)).await.unwrap();
        let older = store.copy();
        log.append(&batch("ours more", 100)).await.unwrap();

        let stale = store.copy();
        stale.set("lock", older.get("lock").unwrap());
        damaged(open(stale.client(), 2).await, "lock");
        assert_eq!(found(&stale).await, ["lock"]);
        let stale = store.copy();
        stale.set("checkpoint", older.get("checkpoint").unwrap());
        damaged(open(stale.client(), 2).await, "staging/700-");
        let gone = store.copy();
        gone.remove("lock");
        damaged(open(gone.client(), 2).await, "lock");
        let torn = store.copy();
        torn.set("lock", store.get("lock").unwrap()[..20].to_vec());
        damaged(open(torn.client(), 2).await, "lock");
        torn.set("lock", store.get("lock").unwrap()[..90].to_vec());
        let error = open(torn.client(), 2).await.unwrap_err().to_string();
        assert!(error.starts_with("lock: not a checkpoint"), "{error}");
        assert_eq!(found(&torn).await, ["lock"]);

        let other = SigningKey::new(key().name(), &[8; 32]).unwrap();
        let foreign = store.copy();
        foreign.set("checkpoint", other.sign(700, &log.root()).into_bytes());
        for error in [read(&foreign).await.err(), open(foreign.client(), 2).await.err()] {
            let error = error.unwrap().to_string();
            assert!(error.starts_with("checkpoint: ") && error.contains("another key"), "{error}");
        }
        let forked = store.copy();
        forked.set("checkpoint", key().sign(700, &[1; 32]).into_bytes());
        damaged(open(forked.client(), 2).await, "checkpoint");
    });
}

/// What is staged is computed again before it is published.
#[test]
fn a_staged_batch_that_was_changed_is_not_published() {
    block_on(async {
        let store = grown("ours").await;
        // An opening tells how many requests come before the staging; the swap is the second after.
        for steps in 0.. {
            let store = store.copy();
            let client = store.faulty(steps, Kind::KilledDone);
            if let Ok(mut log) = open(client.clone(), 2).await {
                let _ = log.append(&batch("last", 30)).await;
            }
            assert!(client.came(), "the swap comes");
            let staged = store.names().into_iter().find(|name| name.starts_with("staging/730-"));
            let waits = store.get("lock").unwrap().windows(5).any(|w| w == b"\n730\n");
            let Some(name) = staged.filter(|_| waits) else { continue };
            let whole = store.get(&name).unwrap();
            for at in [3, 20, 60, whole.len() / 2, whole.len() - 1] {
                let mut bytes = whole.clone();
                bytes[at] ^= 1;
                store.set(&name, bytes);
                damaged(open(store.client(), 3).await, "staging/730-");
            }
            store.set(&name, whole[..whole.len() / 2].to_vec());
            damaged(open(store.client(), 3).await, "staging/730-");
            store.set(&name, whole);
            assert_eq!(open(store.client(), 3).await.unwrap().size(), 730);
            return;
        }
    });
}

#[test]
fn objects_too_long_and_answers_too_late_are_refused() {
    block_on(async {
        for (name, most) in [("checkpoint", 2048), ("lock", 4096), ("tile/1/000.p/2", 64)] {
            let store = grown("ours").await;
            store.set(name, vec![b'a'; most + 1]);
            let error = open(store.client(), 2).await.unwrap_err().to_string();
            assert!(error.contains(name) && error.contains("longer than"), "{error}");
        }
        let store = grown("ours").await;
        store.set("tile/entries/001", vec![0; 256 * 65_537 + 1]);
        let error = read(&store).await.unwrap().entry(300).await.unwrap_err().to_string();
        assert!(error.contains("tile/entries/001") && error.contains("longer"), "{error}");
        assert_eq!(found(&store).await[0], "tile/entries/001");

        let store = grown("ours").await;
        let slow = store.faulty(0, Kind::Slow);
        let error = Reader::open(slow, &key().verifier(), &Options::default()).await.unwrap_err();
        assert!(
            error.to_string().contains("cannot get checkpoint: no answer within 60 s"),
            "{error}"
        );

        let mut log = open(store.client(), 2).await.unwrap();
        for bad in [vec![vec![0; 65_536]], vec![Vec::new(); 65_537], vec![vec![0; 65_535]; 1100]] {
            assert!(matches!(log.append(&bad).await, Err(Error::TooLarge(_))));
        }
        assert_eq!(log.append(&batch("good", 1)).await.unwrap(), 700);
    });
}

/// Proofs are those of a log in a folder with the same entries, and hold.
#[test]
fn proofs_are_those_of_the_log_in_a_folder() {
    block_on(async {
        let store = Store::default();
        let mut log = open(store.client(), 1).await.unwrap();
        let entries = batch("ours", 66_000);
        for part in entries.chunks(30_000) {
            log.append(part).await.unwrap();
        }
        let dir = tempfile::tempdir().unwrap();
        let mut folder = ledger::Log::open(dir.path(), key()).unwrap();
        folder.append(&entries).unwrap();
        folder.publish().unwrap();
        let (reader, local) = (read(&store).await.unwrap(), folder.reader());
        for index in [0, 255, 256, 40_000, 65_535, 65_536, 65_999] {
            assert_eq!(reader.prove(index).await.unwrap(), local.prove(index).unwrap());
            assert_eq!(reader.prove_since(index).await.unwrap(), local.prove_since(index).unwrap());
            assert_eq!(reader.root_at(index).await.unwrap(), local.root_at(index).unwrap());
        }
        assert!(matches!(reader.entry(66_000).await, Err(Error::NoEntry(66_000))));
        assert!(matches!(reader.prove_since(66_001).await, Err(Error::NoEntry(66_001))));
        // Partial tiles may be dropped once the full one stands: an older reader goes on.
        let mut older = grown("ours").await;
        let reader = read(&older).await.unwrap();
        let mut log = open(older.client(), 2).await.unwrap();
        log.append(&batch("ours most", 400)).await.unwrap();
        for name in ["tile/0/002.p/188", "tile/entries/002.p/188"] {
            older.remove(name);
        }
        assert_eq!(reader.entry(699).await.unwrap(), b"ours more 99");
        older = older.copy();
        assert_eq!(found(&older).await, Vec::<String>::new());
        // Every object is one that the log in a folder has with the same bytes, but for the lock.
        let known = Known { key: Some(&key().verifier()), ..Known::default() };
        let report = ledger::verify(dir.path(), known, &mut |_, _, _| None).unwrap();
        assert_eq!((report.entries, report.findings), (66_000, Vec::new()));
        for name in ["checkpoint", "tile/0/257.p/208", "tile/1/001.p/1", "tile/entries/257.p/208"] {
            assert_eq!(store.get(name).unwrap(), std::fs::read(dir.path().join(name)).unwrap());
        }
    });
}

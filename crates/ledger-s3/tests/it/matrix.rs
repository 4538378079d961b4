//! Each step × each fault: of a commit, and of the opening after a crash.

use ledger_s3::Error;

use crate::memory::{Client, KINDS, Kind, Store};
use crate::steps::{all, batch, block_on, count, open, sound};

/// What a process hands in; with 250 entries before them they fill a tile.
const BATCHES: [(&str, usize); 3] = [("first", 7), ("second", 3), ("third", 300)];

fn handed_in() -> Vec<Vec<Vec<u8>>> {
    BATCHES.iter().map(|(name, entries)| batch(name, *entries)).collect()
}

async fn begun(before: usize) -> Store {
    let store = Store::default();
    if before > 0 {
        let mut log = open(store.client(), 1).await.unwrap();
        log.append(&batch("before", before - 100)).await.unwrap();
        log.append(&batch("before too", 100)).await.unwrap();
    }
    store
}

/// One process: opens, hands in each batch, and goes on after an error as far as the log lets it.
/// Which were answered.
async fn process(client: Client, writer: u8) -> Vec<usize> {
    let mut answered = Vec::new();
    if let Ok(mut log) = open(client, writer).await {
        for (n, entries) in handed_in().iter().enumerate() {
            if log.append(entries).await.is_ok() {
                answered.push(n);
            }
        }
    }
    answered
}

/// A healthy process opens, sees what is there, and hands in the rest; what came late from the one
/// before arrives in between, or after all.
async fn recover(store: &Store, answered: &[usize], early: bool, what: &str) {
    let mut log = open(store.client(), 3).await.unwrap_or_else(|e| panic!("{what}: {e}"));
    if early {
        store.land();
    }
    for (n, entries) in handed_in().iter().enumerate() {
        let there = count(&all(store).await, entries);
        assert!(there <= 1, "{what}: batch {n} stands {there} times");
        assert!(
            there == 1 || !answered.contains(&n),
            "{what}: batch {n} was answered, and is lost"
        );
        if there == 1 {
            continue;
        }
        match log.append(entries).await {
            Ok(_) => {}
            // The late request was the swap itself: this writer stops, and the next one looks.
            Err(Error::AnotherWriter { .. }) => {
                log = open(store.client(), 4).await.unwrap_or_else(|e| panic!("{what}: {e}"));
                let there = count(&all(store).await, entries);
                if there == 0 {
                    log.append(entries).await.unwrap();
                }
            }
            Err(error) => panic!("{what}: {error}"),
        }
    }
    let entries = all(store).await;
    for (n, batch) in handed_in().iter().enumerate() {
        assert_eq!(count(&entries, batch), 1, "{what}: batch {n}");
    }
    store.land();
    sound(store, what).await;
    drop(open(store.client(), 5).await.unwrap());
    assert!(
        !store.names().iter().any(|n| n.starts_with("staging/")),
        "{what}: {:?}",
        store.names()
    );
}

/// Each fault; the late one twice, as it arrives early or not.
fn kinds() -> impl Iterator<Item = (Kind, bool)> {
    KINDS.into_iter().map(|kind| (kind, true)).chain([(Kind::Late, false)])
}

#[test]
fn no_fault_at_any_step_of_a_process_loses_or_doubles_what_was_answered() {
    block_on(async {
        for before in [0, 250] {
            for (kind, early) in kinds() {
                for step in 0.. {
                    let what = format!("{kind:?} at step {step} after {before}, early {early}");
                    let store = begun(before).await;
                    let client = store.faulty(step, kind);
                    let answered = process(client.clone(), 2).await;
                    if kind == Kind::Sluggish || !client.came() {
                        assert_eq!(answered, [0, 1, 2], "{what}");
                    }
                    recover(&store, &answered, early, &what).await;
                    if !client.came() {
                        assert!(step > 20, "{step} steps");
                        break;
                    }
                }
            }
        }
    });
}

#[test]
fn no_fault_at_any_step_of_an_opening_after_a_crash_does_either() {
    block_on(async {
        let mut crashes = 0;
        for first in 0.. {
            let store = begun(250).await;
            let client = store.faulty(first, Kind::KilledDone);
            let answered = process(client.clone(), 2).await;
            if !client.came() {
                assert!(crashes > 10, "{crashes} crashes left something to publish");
                return;
            }
            if store.get("checkpoint") == store.get("lock").map(note_of) {
                continue; // nothing waits: openings like it are tested above
            }
            crashes += 1;
            for (kind, early) in kinds() {
                for step in 0.. {
                    let what = format!("killed after {first}, then {kind:?} at step {step}");
                    let store = store.copy();
                    let client = store.faulty(step, kind);
                    let _ = open(client.clone(), 6).await;
                    recover(&store, &answered, early, &what).await;
                    if !client.came() {
                        break;
                    }
                }
            }
        }
    });
}

fn note_of(lock: Vec<u8>) -> Vec<u8> {
    let end = lock.iter().position(|b| *b == b'\n').unwrap();
    lock[end + 1..].to_vec()
}

/// The store errs at its step, and the same writer goes on where nothing can have been committed.
#[test]
fn a_writer_goes_on_after_a_fault_before_the_swap_and_stops_after_one_of_the_swap() {
    block_on(async {
        for (step, goes_on) in [(0, true), (1, false), (2, false)] {
            let store = begun(250).await;
            // After what opens the log come staging, swap, and the first tile.

            let counted = requests(&store).await;
            let client = store.faulty(counted + step, Kind::Failed);
            let mut log = open(client, 2).await.unwrap();
            assert!(log.append(&batch("first", 7)).await.is_err());
            let next = log.append(&batch("second", 3)).await;
            assert_eq!(next.is_ok(), goes_on, "{step}");
            assert!(goes_on || matches!(next, Err(Error::Broken)), "{step}");
        }
    });
}

/// How many requests an opening makes.
async fn requests(store: &Store) -> u64 {
    for steps in 0.. {
        let client = store.copy().faulty(steps, Kind::Sluggish);
        open(client.clone(), 2).await.unwrap();
        if !client.came() {
            return steps;
        }
    }
    unreachable!()
}

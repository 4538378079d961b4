//! Writers that race on one log.

use std::sync::{Arc, Mutex};

use ledger_s3::Error;

use crate::memory::Store;
use crate::steps::{all, batch, block_on, count, open, sound};

/// While one commits, another commits whole before each of its steps, with other entries and with the
/// very same: one of them is answered, the other stops and says why.
#[test]
fn of_two_writers_one_goes_on_and_the_other_stops() {
    block_on(async {
        for same in [false, true] {
            for step in 0.. {
                let what = format!("step {step}, same {same}");
                let store = Store::default();
                let mut log = open(store.client(), 1).await.unwrap();
                log.append(&batch("before", 250)).await.unwrap();
                let (ours, theirs) =
                    (batch("ours", 9), batch(if same { "ours" } else { "theirs" }, 9));
                let client = store.client();
                let mut one = open(client.clone(), 2).await.unwrap();
                let mut other = open(store.client(), 3).await.unwrap();
                let answer = Arc::new(Mutex::new(None));
                let told = Arc::clone(&answer);
                let handed_in = theirs.clone();
                client.meanwhile(step, async move {
                    let end = other.append(&handed_in).await;
                    let next = other.append(&batch("next", 1)).await;
                    *told.lock().unwrap() = Some((end, next));
                });
                let end = one.append(&ours).await;
                if client.hook_is_left() {
                    assert!(step > 5, "{step} steps");
                    break;
                }
                let (their_end, their_next) = answer.lock().unwrap().take().unwrap();
                assert!(end.is_ok() != their_end.is_ok(), "{what}: {end:?} {their_end:?}");
                let (lost, next) = if end.is_ok() {
                    (their_end, their_next)
                } else {
                    assert!(their_next.is_ok(), "{what}: {their_next:?}");
                    (end, one.append(&batch("more", 1)).await)
                };
                let lost = lost.unwrap_err();
                assert!(matches!(lost, Error::AnotherWriter { held: 250, .. }), "{what}: {lost:?}");
                assert!(lost.to_string().contains("another writer"), "{lost}");
                assert!(matches!(next, Err(Error::Broken)), "{what}: {next:?}");
                let entries = all(&store).await;
                assert_eq!(
                    count(&entries, &ours) + usize::from(!same) * count(&entries, &theirs),
                    1
                );
                sound(&store, &what).await;
            }
        }
    });
}

/// While one commits, another opens the log and commits, before each of the first one's steps: what the
/// first had swapped in by then is published, stays, and is answered; the first stops at its next batch.
#[test]
fn a_writer_that_is_overtaken_while_it_publishes_has_committed() {
    block_on(async {
        let mut overtaken = 0;
        for step in 0.. {
            let what = format!("step {step}");
            let store = Store::default();
            let mut log = open(store.client(), 1).await.unwrap();
            log.append(&batch("before", 250)).await.unwrap();
            let client = store.client();
            let mut one = open(client.clone(), 2).await.unwrap();
            let (theirs, there) = (batch("theirs", 9), store.clone());
            let handed_in = theirs.clone();
            client.meanwhile(step, async move {
                let mut other = open(there.client(), 3).await.unwrap();
                other.append(&handed_in).await.unwrap();
            });
            let ours = batch("ours", 9);
            let end = one.append(&ours).await;
            if client.hook_is_left() {
                assert!(overtaken > 4, "{overtaken}");
                break;
            }
            let entries = all(&store).await;
            assert_eq!(count(&entries, &theirs), 1, "{what}");
            assert_eq!(count(&entries, &ours), usize::from(end.is_ok()), "{what}: {end:?}");
            let next = one.append(&batch("next", 1)).await;
            if end.is_ok() {
                overtaken += 1;
                assert!(matches!(next, Err(Error::AnotherWriter { .. })), "{what}: {next:?}");
            }
            assert!(next.is_err());
            sound(&store, &what).await;
        }
    });
}

/// Four writers hand in what they have, opening again whenever they lose, in orders that dice give.
#[test]
fn many_writers_in_any_order_make_one_log() {
    for seed in 0..40u64 {
        block_on(async {
            let store = Store::default();
            let mut writers = Vec::new();
            for writer in 0..4u8 {
                let store = store.clone();
                writers.push(tokio::spawn(async move {
                    let (mut lost, mut log) = (0, None);
                    for n in 0..5 {
                        let entries = batch(&format!("{writer}/{n}"), 40);
                        loop {
                            let opened = match log.take() {
                                Some(log) => Ok(log),
                                None => {
                                    let seed = seed * 1000 + u64::from(writer) * 100 + lost;
                                    let id = (writer * 60).wrapping_add(lost as u8);
                                    open(store.client().shuffled(seed.wrapping_mul(77_777)), id)
                                        .await
                                }
                            };
                            let ended = match opened {
                                Ok(mut opened) => match opened.append(&entries).await {
                                    Ok(_) => {
                                        log = Some(opened);
                                        break;
                                    }
                                    Err(error) => error,
                                },
                                Err(error) => error,
                            };
                            assert!(matches!(ended, Error::AnotherWriter { .. }), "{ended:?}");
                            lost += 1;
                            // Committed, and published by whoever came in between?
                            if count(&all(&store).await, &entries) == 1 {
                                break;
                            }
                        }
                    }
                    lost
                }));
            }
            let mut lost = 0;
            for writer in writers {
                lost += writer.await.unwrap();
            }
            assert!(lost > 0, "they raced");
            let entries = all(&store).await;
            assert_eq!(entries.len(), 4 * 5 * 40, "seed {seed}");
            for (writer, n) in (0..4).flat_map(|w| (0..5).map(move |n| (w, n))) {
                assert_eq!(count(&entries, &batch(&format!("{writer}/{n}"), 40)), 1, "seed {seed}");
            }
            sound(&store, &format!("seed {seed}")).await;
        });
    }
}

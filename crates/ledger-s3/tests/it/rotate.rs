//! A log whose key is replaced.

use ledger::note::NoteError;
use ledger::{Former, SigningKey};
use ledger_s3::{Error, Log, Options, Reader, Writer, verify};

use crate::memory::{Client, Kind, Store};
use crate::steps::{all_by, batch, block_on, key, open};

fn second() -> SigningKey {
    SigningKey::new("practice.invalid/case/1", &[8; 32]).unwrap()
}

/// The first key counts up to so many entries.
fn replaced_at(until: u64) -> Options {
    let former = vec![Former { key: key().verifier(), until }];
    Options { former, ..Options::default() }
}

async fn open_second(store: &Store, options: Options) -> Result<Log<Client>, Error> {
    Log::open(store.client(), second(), Writer([5; 16]), options).await
}

fn note_error<T>(result: Result<T, Error>) -> NoteError {
    match result {
        Err(Error::Note { source, .. }) => source,
        Err(other) => panic!("{other:?}"),
        Ok(_) => panic!("it was taken"),
    }
}

#[test]
fn a_new_key_goes_on_where_the_former_one_ends_and_that_signs_nothing_more() {
    block_on(async {
        let store = Store::default();
        let mut old = open(store.client(), 1).await.unwrap();
        old.append(&batch("old", 300)).await.unwrap();
        // Nobody goes on under a key that nothing says is this log's.
        let end = open_second(&store, Options::default()).await;
        assert_eq!(note_error(end), NoteError::OtherKey);

        let options = replaced_at(300);
        let mut new = open_second(&store, options.clone()).await.unwrap();
        new.append(&batch("new", 300)).await.unwrap();
        let (now, before) = (second().verifier(), key().verifier());
        let report = verify(store.client(), &now, &options, &mut |_, _, _| None).await.unwrap();
        assert_eq!((report.entries, report.findings), (600, vec![]));
        let reader = Reader::open(store.client(), &now, &options).await.unwrap();
        let entries = all_by(&reader).await;
        assert_eq!(entries, [batch("old", 300), batch("new", 300)].concat());

        // Whoever holds the former key and the log open stops, and opens it no more.
        let end = old.append(&batch("late", 1)).await;
        assert_eq!(note_error(end), NoteError::OtherKey);
        assert!(matches!(old.append(&batch("later", 1)).await, Err(Error::Broken)));
        assert_eq!(note_error(open(store.client(), 2).await), NoteError::OtherKey);
        let reader = Reader::open(store.client(), &before, &Options::default()).await;
        assert_eq!(note_error(reader), NoteError::OtherKey);
        assert_eq!(
            all_by(&Reader::open(store.client(), &now, &options).await.unwrap()).await,
            entries
        );
    });
}

/// Between the opening under the new key and its first batch the former one can still be at work: of the
/// two, one goes on; and what a former key signed beyond its end nobody takes.
#[test]
fn a_former_key_that_signs_on_is_refused_and_named() {
    block_on(async {
        let store = Store::default();
        let mut old = open(store.client(), 1).await.unwrap();
        old.append(&batch("old", 300)).await.unwrap();
        let options = replaced_at(300);
        let mut new = open_second(&store, options.clone()).await.unwrap();
        old.append(&batch("late", 1)).await.unwrap();
        let replaced = NoteError::Replaced { until: 300 };
        assert_eq!(note_error(new.append(&batch("new", 1)).await), replaced);
        assert_eq!(note_error(open_second(&store, options.clone()).await), replaced);
        let now = second().verifier();
        assert_eq!(note_error(Reader::open(store.client(), &now, &options).await), replaced);
        let report = verify(store.client(), &now, &options, &mut |_, _, _| None).await;
        assert_eq!(note_error(report), replaced);
        // Whoever decides that the late batch counts says so with its size.
        let mut new = open_second(&store, replaced_at(301)).await.unwrap();
        new.append(&batch("new", 1)).await.unwrap();
        let reader = Reader::open(store.client(), &now, &replaced_at(301)).await.unwrap();
        assert_eq!(reader.size(), 302);
    });
}

/// Whatever a crash of the former key's writer leaves, the new key's completes and goes on from.
#[test]
fn what_the_former_key_had_swapped_in_is_published_under_the_new_one() {
    block_on(async {
        let before = Store::default();
        let mut log = open(before.client(), 1).await.unwrap();
        log.append(&batch("old", 300)).await.unwrap();
        drop(log);
        let mut ends = [0, 0];
        for step in 0.. {
            let store = before.copy();
            let client = store.faulty(step, Kind::KilledDone);
            let mut answered = false;
            if let Ok(mut log) = open(client.clone(), 2).await {
                answered = log.append(&batch("more", 5)).await.is_ok();
            }
            if !client.came() {
                break;
            }
            let lock = String::from_utf8(store.get("lock").unwrap()).unwrap();
            let until = key().verifier().open(lock.split_once('\n').unwrap().1).unwrap().size;
            assert!(until == 305 || !answered, "step {step}");
            let options = replaced_at(until);
            let mut new = open_second(&store, options.clone()).await.unwrap();
            assert_eq!(new.size(), until, "step {step}");
            new.append(&batch("new", 2)).await.unwrap();
            let (now, mut visit) = (second().verifier(), |_, _: &[u8], _: &_| None);
            let report = verify(store.client(), &now, &options, &mut visit).await.unwrap();
            assert_eq!((report.entries, report.findings), (until + 2, vec![]), "step {step}");
            ends[usize::from(until == 305)] += 1;
        }
        assert!(ends.iter().all(|n| *n > 0), "{ends:?}");
    });
}

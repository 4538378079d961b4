//! What the tests do with a log, and what must hold after each.

use ledger::{Checkpoint, SigningKey};
use ledger_s3::{Error, Log, Options, Reader, Writer, verify};

use crate::memory::{Client, Store};

pub(crate) fn key() -> SigningKey {
    SigningKey::new("practice.invalid/case/1", &[7; 32]).unwrap()
}

/// Runs on one thread, on a clock that jumps to what is waited for.
pub(crate) fn block_on<T>(run: impl Future<Output = T>) -> T {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    builder.enable_time().start_paused(true).build().unwrap().block_on(run)
}

pub(crate) async fn open(client: Client, writer: u8) -> Result<Log<Client>, Error> {
    Log::open(client, key(), Writer([writer; 16]), Options::default()).await
}

/// The entries of a batch, like no others.
pub(crate) fn batch(name: &str, entries: usize) -> Vec<Vec<u8>> {
    (0..entries).map(|n| format!("{name} {n}").into_bytes()).collect()
}

pub(crate) async fn all(store: &Store) -> Vec<Vec<u8>> {
    let reader =
        Reader::open(store.client(), &key().verifier(), &Options::default()).await.unwrap();
    all_by(&reader).await
}

pub(crate) async fn all_by(reader: &Reader<Client>) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    for index in 0..reader.size() {
        out.push(reader.entry(index).await.unwrap());
    }
    out
}

/// Verifies the log as it stands, and that every checkpoint that was ever signed into the lock or shown
/// to readers is one of its states: no fork, and nothing that readers saw go back.
pub(crate) async fn sound(store: &Store, what: &str) {
    let verifier = key().verifier();
    let report =
        verify(store.client(), &verifier, &Options::default(), &mut |_, _, _| None).await.unwrap();
    assert_eq!(report.findings, [], "{what}");
    let reader = Reader::open(store.client(), &verifier, &Options::default()).await.unwrap();
    let mut last = 0;
    for bytes in store.history("checkpoint") {
        let Ok(checkpoint) = verifier.open(&String::from_utf8_lossy(&bytes)) else { continue };
        assert!(checkpoint.size >= last, "{what}: readers saw the log go back");
        last = checkpoint.size;
        goes_through(&reader, &checkpoint, what).await;
    }
    for bytes in store.history("lock") {
        let text = String::from_utf8(bytes).unwrap();
        let checkpoint = verifier.open(text.split_once('\n').unwrap().1).unwrap();
        goes_through(&reader, &checkpoint, what).await;
    }
}

async fn goes_through(reader: &Reader<Client>, checkpoint: &Checkpoint, what: &str) {
    if let Err(error) = reader.goes_through(checkpoint).await {
        panic!("{what}: {error}");
    }
}

/// How often a batch stands in the log, whole and in order; panics where it stands in part.
pub(crate) fn count(entries: &[Vec<u8>], batch: &[Vec<u8>]) -> usize {
    let whole = entries.windows(batch.len()).filter(|window| *window == batch).count();
    let single = entries.iter().filter(|entry| batch.contains(entry)).count();
    assert_eq!(single, whole * batch.len(), "a batch stands in part");
    whole
}

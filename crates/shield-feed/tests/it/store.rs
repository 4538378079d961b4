//! What stands in the folder, and for how long.

use std::time::{Duration, Instant};

use model::Sha256Hex;
use shield_feed::{Grace, MAX_FILE, MAX_MANIFEST, Store, StoreError, ViewName};

use crate::bed::view;

const GRACE: Duration = Duration::from_secs(60);

fn names(dir: &std::path::Path) -> usize {
    std::fs::read_dir(dir.join("all/files")).unwrap().count()
}

#[test]
fn a_manifest_names_what_is_there_and_never_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let now = Instant::now();
    let store = Store::open(dir.path(), Grace(GRACE), now).unwrap();
    let all = view("all");
    let written = store.file(&all, now, |out| out.write_all(b"first")).unwrap();
    assert_eq!((written.hash, written.bytes), (Sha256Hex::of(b"first"), 5));
    let path = dir.path().join("all/files").join(written.hash.to_string());
    assert_eq!(std::fs::read(&path).unwrap(), b"first");

    let other = Sha256Hex::of(b"second");
    let missing = store.announce(&all, (1, 1), "m", &[written.hash, other], now);
    assert!(matches!(missing, Err(StoreError::Missing(_, hash)) if hash == other), "{missing:?}");
    assert!(!dir.path().join("all/manifest").exists());

    store.announce(&all, (1, 7), "seven", &[written.hash], now).unwrap();
    for (to, fine) in
        [((1, 7), true), ((1, 6), false), ((0, 9), false), ((2, 0), true), ((1, 8), false)]
    {
        let told = store.announce(&all, to, "then", &[written.hash], now);
        assert_eq!(told.is_ok(), fine, "{to:?}");
        assert!(fine || matches!(told, Err(StoreError::Backwards { .. })));
    }
    assert_eq!(std::fs::read(dir.path().join("all/manifest")).unwrap(), b"then");
    let long = "x".repeat(MAX_MANIFEST + 1);
    assert!(matches!(store.announce(&all, (3, 0), &long, &[], now), Err(StoreError::Manifest(_))));
}

#[test]
fn what_is_named_no_more_stays_for_its_grace_and_then_goes() {
    let dir = tempfile::tempdir().unwrap();
    let begun = Instant::now();
    let at = |s| begun + Duration::from_secs(s);
    let all = view("all");
    let store = Store::open(dir.path(), Grace(GRACE), begun).unwrap();
    let [a, b] =
        [b"a", b"b"].map(|text| store.file(&all, begun, |out| out.write_all(text)).unwrap().hash);
    store.announce(&all, (1, 1), "a", &[a], at(0)).unwrap();
    // `b` was never named: it goes 60 s after it was written. `a` stays as long as it is named.
    assert_eq!(store.tidy(at(59)).unwrap(), 0);
    assert_eq!(store.tidy(at(60)).unwrap(), 1);
    assert_eq!(names(dir.path()), 1);
    assert!(matches!(
        store.announce(&all, (1, 2), "b", &[b], at(61)),
        Err(StoreError::Missing(..))
    ));
    store.announce(&all, (1, 2), "none", &[], at(100)).unwrap();
    // A heartbeat does not let its grace begin anew; to be written again does.
    store.announce(&all, (1, 2), "none", &[], at(150)).unwrap();
    assert_eq!(store.tidy(at(159)).unwrap(), 0);
    store.file(&all, at(159), |out| out.write_all(b"a")).unwrap();
    assert_eq!(store.tidy(at(160)).unwrap(), 0);
    assert_eq!(store.tidy(at(219)).unwrap(), 1);
    assert_eq!(names(dir.path()), 0);
}

#[test]
fn after_a_new_start_files_have_their_grace_again_and_unfinished_ones_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let now = Instant::now();
    let all = view("all");
    let store = Store::open(dir.path(), Grace(GRACE), now).unwrap();
    let hash = store.file(&all, now, |out| out.write_all(b"a")).unwrap().hash;
    store.announce(&all, (1, 1), "a", &[hash], now).unwrap();
    drop(store);
    #[allow(clippy::disallowed_methods)] // what a crash leaves
    std::fs::write(dir.path().join("all/files/.unfinished-1-1"), "half").unwrap();
    let store = Store::open(dir.path(), Grace(GRACE), now).unwrap();
    assert_eq!(names(dir.path()), 1);
    store.announce(&all, (1, 1), "a", &[hash], now).unwrap();
    assert_eq!(store.tidy(now + 2 * GRACE).unwrap(), 0);
}

#[test]
fn a_content_that_fails_or_is_too_long_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let now = Instant::now();
    let store = Store::open(dir.path(), Grace(GRACE), now).unwrap();
    let failed = store.file(&view("all"), now, |out| {
        out.write_all(b"half")?;
        Err(std::io::Error::other("no more"))
    });
    assert!(matches!(failed, Err(StoreError::Content(_))), "{failed:?}");
    let mebibyte = vec![7; 1 << 20];
    let long = store.file(&view("all"), now, |out| {
        (0..=MAX_FILE >> 20).try_for_each(|_| out.write_all(&mebibyte))
    });
    assert!(matches!(long, Err(StoreError::TooLong)), "{long:?}");
    assert_eq!(names(dir.path()), 0);
}

#[test]
fn a_views_name_is_one_step_of_a_path() {
    for name in ["", ".", "..", "a/b", "A", "a b", "-a", "a-", "é", &"a".repeat(65)] {
        assert!(name.parse::<ViewName>().is_err(), "{name:?}");
    }
    for name in ["all", "isp-1", "7"] {
        assert_eq!(name.parse::<ViewName>().unwrap().to_string(), name);
    }
}

/// A manifest as `vigie serve --feed` leaves it in the folder.
fn left(dir: &std::path::Path, view: &str, serial: u64, beat: u64, files: &[&[u8]]) -> String {
    use shield::wire::{Beat, FileName, Manifest};
    let key = ledger::SigningKey::new("authority.example/shield/feed", &[1; 32]).unwrap();
    let named = files.iter().enumerate().map(|(n, bytes)| FileName {
        from: (n > 0).then(|| n as u64 - 1),
        to: n as u64,
        bytes: bytes.len() as u64,
        hash: Sha256Hex::of(bytes),
    });
    let mut named = named.collect::<Vec<_>>().into_iter();
    let manifest = Manifest {
        origin: key.name().to_owned(),
        view: view.to_owned(),
        place: shield::feed::Place { session: 7, epoch: 3, serial },
        beat: Beat { number: beat, made: shield::order::Moment(1_780_000_000_000) },
        every_ms: 1_000,
        silence_ms: 900_000,
        count: 1,
        apart: Vec::new(),
        snapshot: named.next(),
        deltas: named.collect(),
    };
    let text = manifest.sign(&key).to_string();
    ledger::disk::create_dir(&dir.join("all/files")).unwrap();
    ledger::disk::write(&dir.join("all/manifest"), text.as_bytes()).unwrap();
    text
}

#[test]
fn what_another_put_into_the_folder_is_taken_up_and_never_goes_back() {
    let dir = tempfile::tempdir().unwrap();
    let now = Instant::now();
    let store = Store::open(dir.path(), Grace(GRACE), now).unwrap();
    let all = view("all");
    let none = store.take_up(&all, now);
    assert!(matches!(none, Err(StoreError::Unread(..))), "{none:?}");
    left(dir.path(), "all", 1, 5, &[b"all", b"step"]);
    let put = |bytes: &[u8]| {
        let path = dir.path().join("all/files").join(Sha256Hex::of(bytes).to_string());
        ledger::disk::write(&path, bytes).unwrap();
    };
    put(b"all");
    let missing = store.take_up(&all, now);
    assert!(matches!(missing, Err(StoreError::Missing(..))), "{missing:?}");
    put(b"step");
    assert!(store.take_up(&all, now).unwrap());
    assert!(!store.take_up(&all, now).unwrap(), "the same again");
    left(dir.path(), "all", 1, 6, &[b"all", b"step"]);
    assert!(store.take_up(&all, now).unwrap(), "a heartbeat");
    left(dir.path(), "all", 0, 7, &[b"all"]);
    let back = store.take_up(&all, now);
    assert!(matches!(back, Err(StoreError::Backwards { .. })), "{back:?}");
    left(dir.path(), "isp-1", 1, 8, &[b"all", b"step"]);
    let other = store.take_up(&all, now);
    assert!(matches!(other, Err(StoreError::Unread(..))), "{other:?}");
    assert!(left(dir.path(), "all", 1, 9, &[b"all", b"step"]).contains("beat 9"));
    assert!(store.take_up(&all, now).unwrap());
}

#[test]
fn a_folder_with_as_many_files_as_its_publisher_leaves_is_opened_and_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let now = Instant::now();
    let put = |bytes: &[u8]| {
        let path = dir.path().join("all/files").join(Sha256Hex::of(bytes).to_string());
        #[allow(clippy::disallowed_methods)]
        // as another process leaves them; nobody needs these durable
        std::fs::write(path, bytes).unwrap();
    };
    left(dir.path(), "all", 0, 5, &[b"all"]);
    put(b"all");
    // A second's change for ten minutes, and what a busy evening has beyond it.
    (0..9_000_u32).for_each(|n| put(&n.to_be_bytes()));
    let store = Store::open(dir.path(), Grace(GRACE), now).unwrap();
    assert_eq!(store.aside(), None);
    assert!(store.take_up(&view("all"), now).unwrap());
    assert_eq!(names(dir.path()), 9_001);
}

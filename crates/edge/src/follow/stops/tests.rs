use std::collections::BTreeMap;

use ledger::SigningKey;
use shield::feed::Place;
use shield::wire::{Beat, Follower, Manifest};

use super::super::status::Status;
use super::*;

const FEED: &str = "authority.example/shield/feed";

fn key(name: &str) -> SigningKey {
    SigningKey::new(name, &[7; 32]).unwrap()
}

fn trusted() -> Arc<Trusted> {
    Arc::new(Trusted { feed: vec![key(FEED).verifier()], log: Vec::new() })
}

fn file(made: i64, act: &str) -> StopFile {
    // One moment for all: what was made before is before, however long a test takes.
    static NOW: std::sync::OnceLock<Moment> = std::sync::OnceLock::new();
    let now = *NOW.get_or_init(clock::wall);
    let act = match act {
        "resume" => Act::Resume,
        "releases" => Act::Stop { halt: Halt::Releases, until: now.plus(60_000) },
        "expired" => Act::Stop { halt: Halt::Lifts, until: Moment(now.0 - 1) },
        _ => Act::Stop { halt: Halt::Lifts, until: now.plus(60_000) },
    };
    let (origin, view, why) = (FEED.to_owned(), "all".to_owned(), "the desk is down".to_owned());
    StopFile { origin, view, act, epoch: 3, made: Moment(now.0 - 10_000 + made), why }
}

fn bytes(of: &StopFile) -> Vec<u8> {
    of.sign(&key(FEED)).to_string().into_bytes()
}

fn shared() -> Arc<Shared> {
    let follower = Follower::new("all", Default::default(), Vec::new());
    Arc::new(Shared::new(follower, Status::default(), Arc::new(|_: &str| {})))
}

fn words(shared: &Shared) -> BTreeMap<String, String> {
    let alarms = shared.status().alarms;
    alarms.into_iter().map(|raised| (raised.place, raised.word)).collect()
}

#[test]
fn what_was_obeyed_is_obeyed_over_restarts_until_a_later_word() {
    let state = tempfile::tempdir().unwrap();
    let open = |shared: &Arc<Shared>| {
        Stops::open(state.path(), trusted(), "all", Arc::clone(shared)).unwrap()
    };
    let shared_one = shared();
    let stops = open(&shared_one);
    assert_eq!(shared_one.status().stopped, None);
    stops.take(&bytes(&file(1, "lifts")), "stop at a");
    assert_eq!(shared_one.status().stopped.as_deref(), Some("lifts"));
    assert_eq!(words(&shared_one).get("stop").map(String::as_str), Some("stopped"));
    // Another process, the same word: without anybody who brings it.
    let shared_two = shared();
    let again = open(&shared_two);
    assert_eq!(shared_two.status().stopped.as_deref(), Some("lifts"));
    // What was made before, or is another's, changes nothing, and is told.
    let theirs = file(5, "resume").sign(&key("another.example/shield/feed")).to_string();
    let mut tampered = bytes(&file(5, "resume"));
    let at = tampered.iter().position(|b| *b == b'3').unwrap();
    tampered[at] = b'9';
    let cut = bytes(&file(5, "resume"))[..60].to_vec();
    let long = vec![b'a'; MAX_STOP + 1];
    for (n, (file, word)) in [
        (bytes(&file(0, "resume")), "stop_back"),
        (bytes(&file(9, "expired")), "stop_expired"),
        (theirs.into_bytes(), "stop_file"),
        (tampered, "stop_file"),
        (cut, "stop_file"),
        (long, "stop_file"),
        (vec![0xff, 0xfe], "stop_file"),
    ]
    .into_iter()
    .enumerate()
    {
        let place = format!("stop at {n}");
        again.take(&file, &place);
        assert_eq!(words(&shared_two).get(&place).map(String::as_str), Some(word), "{n}");
        assert_eq!(shared_two.status().stopped.as_deref(), Some("lifts"), "{n}");
    }
    again.take(&bytes(&file(5, "resume")), "stop at a");
    assert_eq!(shared_two.status().stopped, None);
    assert_eq!(words(&shared_two).get("stop"), None);
    // The stop of before, still lying beside some manifest.
    again.take(&bytes(&file(1, "lifts")), "stop at b");
    let last = shared();
    let _ = open(&last);
    assert_eq!((shared_two.status().stopped, last.status().stopped), (None, None));
    assert_eq!(words(&shared_two).get("stop at b").map(String::as_str), Some("stop_back"));
    // What stands there damaged stops follow from beginning: nobody knows what was stopped.
    ledger::disk::write(&state.path().join(OBEYED), b"x").unwrap();
    let opened = Stops::open(state.path(), trusted(), "all", shared());
    assert!(matches!(opened.map(drop), Err(StopError::Damaged(_))));
}

#[test]
fn what_somebody_brought_is_looked_at_once() {
    let state = tempfile::tempdir().unwrap();
    let shared = shared();
    let stops = Stops::open(state.path(), trusted(), "all", Arc::clone(&shared)).unwrap();
    stops.brought();
    let path = state.path().join(BROUGHT);
    ledger::disk::write(&path, b"nothing").unwrap();
    stops.brought();
    assert!(!path.exists());
    assert_eq!(shared.status().alarms_ever, 1);
    ledger::disk::write(&path, &bytes(&file(1, "releases"))).unwrap();
    stops.brought();
    assert_eq!(shared.status().stopped.as_deref(), Some("releases"));
    assert!(!path.exists());
}

#[test]
fn while_all_is_let_go_of_nothing_is_fetched_and_nothing_counts_as_heard() {
    let shared = shared();
    let place = Place { session: 7, epoch: 3, serial: 0 };
    let manifest = |number| Manifest {
        origin: FEED.to_owned(),
        view: "all".to_owned(),
        place,
        beat: Beat { number, made: clock::wall() },
        every_ms: 1_000,
        silence_ms: 60_000,
        count: 0,
        snapshot: Some("snapshot 0 10 ".to_owned() + &"0".repeat(64))
            .map(|text| text.parse().unwrap()),
        deltas: Vec::new(),
    };
    assert_eq!(shared.hear(&manifest(1)).unwrap().len(), 1);
    shared.obey(Some(Halt::Lifts));
    assert_eq!(shared.hear(&manifest(2)).unwrap().len(), 0);
    assert!(!shared.status().whole && shared.status().silence_in_ms.is_none());
    // An older manifest is an old one all the same.
    assert!(shared.hear(&manifest(1)).is_err());
    shared.obey(None);
    assert_eq!(shared.hear(&manifest(3)).unwrap().len(), 1);
}

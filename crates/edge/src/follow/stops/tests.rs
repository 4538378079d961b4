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
    Arc::new(Trusted::new(vec![key(FEED).verifier()], Vec::new()))
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
fn a_key_that_was_replaced_takes_back_nothing_that_was_obeyed() {
    let state = tempfile::tempdir().unwrap();
    let keys = |seeds: &[u8]| {
        let key = |seed: &u8| SigningKey::new(FEED, &[*seed; 32]).unwrap().verifier();
        Arc::new(Trusted::new(seeds.iter().map(key).collect(), Vec::new()))
    };
    let open = |seeds: &[u8]| {
        let shared = shared();
        Stops::open(state.path(), keys(seeds), "all", Arc::clone(&shared))
            .map(|stops| (stops, shared))
    };
    let (stops, _) = open(&[7]).unwrap();
    stops.take(&bytes(&file(1, "lifts")), "stop at a");
    // The old key is taken out of the settings.
    let (stops, shared) = open(&[8]).unwrap();
    assert_eq!(shared.status().stopped.as_deref(), Some("lifts"));
    // Its words count no more; the new one's do.
    stops.take(&bytes(&file(5, "resume")), "stop at a");
    assert_eq!(shared.status().stopped.as_deref(), Some("lifts"));
    let word = file(5, "resume").sign(&SigningKey::new(FEED, &[8; 32]).unwrap()).to_string();
    stops.take(word.as_bytes(), "stop at a");
    assert_eq!(shared.status().stopped, None);
    assert!(open(&[9]).is_ok(), "a word that ended a stop keeps nobody from beginning");
    // What was changed since under a key that counts is damaged, as is another feed's.
    let obeyed = state.path().join(OBEYED);
    ledger::disk::write(&obeyed, word.replace("desk is down", "desk is up").as_bytes()).unwrap();
    assert!(matches!(open(&[8]).map(drop), Err(StopError::Damaged(_))));
    let other = StopFile { origin: "another.example/shield/feed".to_owned(), ..file(6, "lifts") };
    let other = other.sign(&key("another.example/shield/feed")).to_string();
    ledger::disk::write(&obeyed, other.as_bytes()).unwrap();
    assert!(matches!(open(&[8]).map(drop), Err(StopError::Damaged(_))));
}

#[test]
fn the_last_word_of_a_stolen_key_gives_way_to_any_of_the_key_that_replaced_it() {
    let state = tempfile::tempdir().unwrap();
    let own = |seed: u8| SigningKey::new(FEED, &[seed; 32]).unwrap();
    let open = |seed: u8| {
        let (shared, trusted) = (shared(), Trusted::new(vec![own(seed).verifier()], Vec::new()));
        (Stops::open(state.path(), Arc::new(trusted), "all", Arc::clone(&shared)).unwrap(), shared)
    };
    let by = |seed: u8, file: &StopFile| file.sign(&own(seed)).to_string().into_bytes();
    // Later than whatever will be made.
    let (stops, shared) = open(7);
    stops.take(&by(7, &StopFile { epoch: u64::MAX, ..file(1, "lifts") }), "stop at a");
    stops.take(&by(7, &file(5, "resume")), "stop at a");
    assert_eq!(words(&shared).get("stop at a").map(String::as_str), Some("stop_back"));
    let (stops, shared) = open(8);
    assert_eq!(shared.status().stopped.as_deref(), Some("lifts"));
    stops.take(&by(8, &file(5, "resume")), "stop at a");
    assert_eq!(shared.status().stopped, None);
    // From there on words have their order again, over a restart.
    for (stops, shared) in [(stops, shared), open(8)] {
        stops.take(&by(8, &file(4, "lifts")), "stop at b");
        assert_eq!(words(&shared).get("stop at b").map(String::as_str), Some("stop_back"));
        assert_eq!(shared.status().stopped, None);
    }
}

#[tokio::test]
async fn a_mirror_that_lets_a_stop_trickle_is_not_heard_out() {
    use std::io::{Read, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/feed", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // Who answers before he was asked is refused for that.
        let _ = stream.read(&mut [0; 4_096]);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 8000\r\n\r\n");
        while stream.write_all(b"a").is_ok() {
            std::thread::sleep(Duration::from_millis(100));
        }
    });
    let mut mirror = Mirror::new(&url, "all", None, None).unwrap();
    let begun = Instant::now();
    let trickled = fetch::beside(&mut mirror, "stop", MAX_STOP).await;
    assert!(matches!(trickled, Err(fetch::Fault::Call(line::CallError::Slow(_)))));
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
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
fn a_word_that_is_not_obeyed_hides_no_earlier_one() {
    let state = tempfile::tempdir().unwrap();
    let shared = shared();
    let stops = Stops::open(state.path(), trusted(), "all", Arc::clone(&shared)).unwrap();
    let (expired, valid) = (bytes(&file(9, "expired")), bytes(&file(1, "releases")));
    for _ in 0..2 {
        stops.take_first(&[&expired, &valid], "stop at a mirror");
        assert_eq!(shared.status().stopped.as_deref(), Some("releases"));
        assert_eq!(shared.status().alarms.len(), 1, "that it is stopped, and nothing else");
    }
    // By itself it is told.
    stops.take_first(&[&expired], "stop at a mirror");
    assert!(shared.status().alarms.iter().any(|raised| raised.word == "stop_expired"));
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
        apart: Vec::new(),
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

//! The process as others meet it: mirrors that fail or lie, a keep that hangs, restarts.

#![allow(missing_docs)]

mod feed;
mod keys;

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use edge::follow::{Config, FollowError, Seen, Status, run};
use feed::{Mirror, feed_key, lift, log_key, manifest, snapshot, snapshot_of};
use ledger::SigningKey;
use shield::feed::Place;

struct Bed {
    lines: Arc<Mutex<Vec<String>>>,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<Result<(), FollowError>>>,
}

fn place(epoch: u64, serial: u64) -> Place {
    Place { session: 40 + epoch, epoch, serial }
}

fn config(dir: &Path, mirrors: &[&Mirror], more: &str) -> Config {
    config_trusting(&[log_key()], dir, mirrors, more)
}

fn config_trusting(logs: &[SigningKey], dir: &Path, mirrors: &[&Mirror], more: &str) -> Config {
    let mirrors: String =
        mirrors.iter().map(|mirror| format!("[[mirror]]\nurl = '{}'\n", mirror.url)).collect();
    let logs: Vec<String> = logs.iter().map(|key| key.verifier().text()).collect();
    let keys = format!(
        "[trust]\nfeed = ['{}']\nlog = ['{}']\n",
        feed_key().verifier().text(),
        logs.join("', '")
    );
    let text = format!("state = 'state'\nkeep = 'run'\n{more}\n{mirrors}{keys}");
    let path = dir.join("follow.toml");
    ledger::disk::write(&path, text.as_bytes()).unwrap();
    Config::read(&path).unwrap()
}

impl Bed {
    fn new(config: &Config) -> Self {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (said, config) = (Arc::clone(&lines), config.clone());
        let (stop, stopped) = tokio::sync::oneshot::channel();
        let thread = std::thread::spawn(move || {
            let told = Arc::new(move |line: &str| said.lock().unwrap().push(line.to_owned()));
            run(&config, told, async { drop(stopped.await) })
        });
        Self { lines, stop: Some(stop), thread: Some(thread) }
    }

    fn said(&self, what: &str) -> bool {
        self.lines.lock().unwrap().iter().any(|line| line.contains(what))
    }

    fn until(&self, what: &str, check: impl Fn() -> bool) {
        let begun = Instant::now();
        while !check() {
            assert!(begun.elapsed() < Duration::from_secs(20), "{what}: {:?}", self.lines.lock());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn end(mut self) -> Result<(), FollowError> {
        drop(self.stop.take());
        self.thread.take().unwrap().join().unwrap()
    }
}

fn status(dir: &Path) -> Status {
    Status::read(&dir.join("state")).unwrap_or_default()
}

const NAMES: [&str; 3] = ["a.stream.example", "b.stream.example", "c.stream.example"];

#[test]
fn what_is_not_the_feed_is_refused_and_what_stood_stands() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let first = snapshot(place(1, 5), &NAMES);
    mirror.publish(place(1, 5), 9, std::slice::from_ref(&first));
    let bed = Bed::new(&config(dir.path(), &[&mirror], "observe = true"));
    bed.until("it follows", || status(dir.path()).names == 3);
    assert!(!bed.said("ALARM"), "{:?}", bed.lines.lock());

    // What a mirror may hand on, and the alarm's name.
    let gone = lift(place(1, 6), 5, &["a.stream.example"]);
    let names = [first.0.clone(), gone.0.clone()];
    let file = format!("files/{}", gone.0.hash);
    let thief = SigningKey::new("authority.example/shield/feed", &[7; 32]).unwrap();
    // Whole and valid, and of an authority that is not followed here: by its own key, and by one of ours.
    let neighbour = SigningKey::new("other.example/shield/feed", &[8; 32]).unwrap();
    let renamed = SigningKey::new("other.example/shield/feed", &[2; 32]).unwrap();
    let signed = |at: Place, beat: u64, key: &SigningKey| {
        manifest(at, beat, if at.serial == 6 { &names } else { &names[..1] }, key)
    };
    let (six, short) = (place(1, 6), gone.1[..gone.1.len() / 2].to_vec());
    let long = [&gone.1[..], b"{}\n"].concat();
    let other = first.1[..gone.1.len()].to_vec();
    type Case<'a> = (&'a str, &'a dyn Fn(u64) -> Vec<u8>, &'a [u8], &'a str);
    let cases: [Case<'_>; 11] = [
        ("signed by another", &|beat| signed(six, beat, &thief), &gone.1, "manifest"),
        ("by the log's key", &|beat| signed(six, beat, &log_key()), &gone.1, "manifest"),
        ("another authority's", &|beat| signed(six, beat, &neighbour), &gone.1, "manifest"),
        ("another authority's, later", &|_| signed(place(9, 5), 1, &renamed), &gone.1, "manifest"),
        ("longer than any", &|_| vec![b'a'; 1 << 20], &gone.1, "manifest"),
        ("no text", &|_| vec![0xff; 99], &gone.1, "manifest"),
        ("played back", &|_| signed(place(1, 5), 3, &feed_key()), &gone.1, "back"),
        ("an epoch that is over", &|_| signed(place(0, 5), 99, &feed_key()), &gone.1, "back"),
        ("a file cut off", &|beat| signed(six, beat, &feed_key()), &short, "file"),
        ("a file too long", &|beat| signed(six, beat, &feed_key()), &long, "file"),
        ("another file", &|beat| signed(six, beat, &feed_key()), &other, "file"),
    ];
    for (n, (what, manifest, body, word)) in (1..).zip(cases) {
        mirror.set(&file, body);
        mirror.set("manifest", &manifest(10 * n + 1));
        let raised = || status(dir.path()).alarms.iter().any(|raised| raised.word == word);
        bed.until(what, raised);
        let standing = status(dir.path());
        assert_eq!((standing.serial, standing.names, standing.whole), (5, 3, true), "{what}");
        assert!(bed.said("ALARM"), "{what}");
        mirror.publish(place(1, 5), 10 * n + 2, std::slice::from_ref(&first));
        bed.until("it is over", || status(dir.path()).alarms.is_empty());
    }
    let files = [first.clone(), gone.clone()];
    mirror.publish(six, 300, &files);
    bed.until("it goes on", || {
        status(dir.path()).names == 2 && status(dir.path()).alarms.is_empty()
    });
    bed.end().unwrap();
}

#[test]
fn of_a_chain_nothing_is_taken_whose_last_file_is_another() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let first = snapshot(place(1, 5), &NAMES);
    let gone = lift(place(1, 6), 5, &["a.stream.example"]);
    let files = [first, gone.clone()];
    mirror.publish(place(1, 6), 9, &files);
    // As long, and shaped as it should be: it would lift another name.
    let text = String::from_utf8(gone.1.clone()).unwrap();
    let other = text.replace("a.stream", "x.stream");
    assert!(other != text && other.len() == text.len());
    mirror.set(&format!("files/{}", gone.0.hash), other.as_bytes());
    let bed = Bed::new(&config(dir.path(), &[&mirror], "observe = true"));
    bed.until("it is refused", || {
        status(dir.path()).alarms.iter().any(|raised| raised.word == "file")
    });
    // What was lifted by that file is not blocked again for want of it.
    let standing = status(dir.path());
    assert_eq!((standing.names, standing.whole), (0, false));
    mirror.publish(place(1, 6), 10, &files);
    bed.until("the right one is taken", || status(dir.path()).names == 2);
    bed.end().unwrap();
}

#[test]
fn a_view_that_is_anothers_by_the_settings_is_said_to_be_wrong() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    mirror.publish(place(1, 5), 9, &[snapshot(place(1, 5), &NAMES)]);
    let refused = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_vec();
    mirror.answers.lock().unwrap().insert("/feed/fibr/manifest".to_owned(), refused);
    let bed = Bed::new(&config(dir.path(), &[&mirror], "observe = true\nview = 'fibr'"));
    bed.until("it says so", || bed.said("status 403: its key opens another"));
    std::thread::sleep(Duration::from_millis(500));
    assert_eq!((status(dir.path()).names, status(dir.path()).whole), (0, false));
    bed.end().unwrap();
}

#[test]
fn a_restart_takes_nothing_older() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    mirror.publish(place(1, 5), 9, &[snapshot(place(1, 5), &NAMES)]);
    let config = config(dir.path(), &[&mirror], "observe = true");
    let bed = Bed::new(&config);
    bed.until("it follows", || status(dir.path()).names == 3);
    // One at a time has the state.
    let second = Bed::new(&config).end();
    assert!(matches!(second, Err(FollowError::Disk(_))), "{second:?}");
    bed.end().unwrap();
    let seen = Seen::read(&dir.path().join("state"), feed_key().name(), "all").unwrap().unwrap();
    assert_eq!((seen.place, seen.beat.number), (place(1, 5), 9));

    for (serial, beat) in [(4, 99), (5, 8)] {
        mirror.publish(place(1, serial), beat, &[snapshot(place(1, serial), &NAMES[..1])]);
        let bed = Bed::new(&config);
        bed.until("an alarm", || bed.said("ALARM") && bed.said("goes back"));
        assert!(!status(dir.path()).whole && status(dir.path()).names == 0);
        bed.end().unwrap();
    }
    mirror.publish(place(2, 0), 1, &[snapshot(place(2, 0), &NAMES[..2])]);
    let bed = Bed::new(&config);
    bed.until("the later epoch is taken", || status(dir.path()).names == 2);
    bed.end().unwrap();
    ledger::disk::write(&dir.path().join("state/seen"), b"vigie/edge/seen/v1\n").unwrap();
    assert!(matches!(Bed::new(&config).end(), Err(FollowError::Seen(_))));
}

#[test]
fn another_mirror_is_asked_where_one_fails() {
    let (dir, good) = (tempfile::tempdir().unwrap(), Mirror::new());
    let (closed, moved) = (Mirror::new(), Mirror::new());
    closed.raw("manifest", b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nhalf".to_vec());
    // Whoever moved elsewhere is not gone after.
    let elsewhere = format!("HTTP/1.1 302 Found\r\nLocation: {}/all/manifest\r\n\r\n", good.url);
    moved.raw("manifest", elsewhere.into_bytes());
    let first = snapshot(place(1, 5), &NAMES);
    good.publish(place(1, 5), 9, std::slice::from_ref(&first));
    let bed = Bed::new(&config(dir.path(), &[&closed, &moved, &good], "observe = true"));
    bed.until("it follows", || status(dir.path()).names == 3);
    assert_eq!(status(dir.path()).mirror, good.url);
    assert!(bed.said("status 302") && !bed.said("ALARM"), "{:?}", bed.lines.lock());
    bed.end().unwrap();
}

/// A machine that was replaced, and lives on cut off: what the second one lifted ends at who asks the first mirror, too.
#[test]
fn a_later_epoch_at_another_mirror_is_gone_over_to() {
    let (dir, old, new) = (tempfile::tempdir().unwrap(), Mirror::new(), Mirror::new());
    let first = snapshot(place(1, 5), &NAMES);
    old.publish(place(1, 5), 9, std::slice::from_ref(&first));
    let bed = Bed::new(&config(dir.path(), &[&old, &new], "observe = true"));
    bed.until("it follows", || status(dir.path()).names == 3);
    let second = snapshot(place(2, 1), &NAMES[..1]);
    let (begun, mut beat) = (Instant::now(), 9);
    while status(dir.path()).names != 1 {
        assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", bed.lines.lock());
        beat += 1;
        old.publish(place(1, 5), beat, std::slice::from_ref(&first));
        new.publish(place(2, 1), beat, std::slice::from_ref(&second));
        std::thread::sleep(Duration::from_secs(1));
    }
    // A cache that comes up within seconds is stayed with.
    assert!(begun.elapsed() > Duration::from_secs(8), "{:?}", begun.elapsed());
    bed.until("it says so", || bed.said("has a later epoch"));
    bed.until("the mirror is told", || status(dir.path()).mirror == new.url);
    assert!(!bed.said("ALARM"), "{:?}", bed.lines.lock());
    bed.end().unwrap();
}

#[test]
fn a_stop_is_looked_for_as_often_beside_a_manifest_that_hangs() {
    let (dir, good, hangs) = (tempfile::tempdir().unwrap(), Mirror::new(), Mirror::new());
    good.publish(place(1, 5), 9, &[snapshot(place(1, 5), &NAMES)]);
    hangs.raw("manifest", feed::HANGS.to_vec());
    let begun = Instant::now();
    let bed = Bed::new(&config(dir.path(), &[&good, &hangs], "observe = true"));
    let asked =
        |path: &str| hangs.asked.lock().unwrap().iter().filter(|head| head.contains(path)).count();
    bed.until("it looks three times", || asked("/all/stop") == 3);
    assert!(begun.elapsed() < Duration::from_secs(14), "{:?}", begun.elapsed());
    assert!(asked("/all/manifest") > 0, "it looked for no later epoch");
    bed.end().unwrap();
}

#[test]
fn a_mirror_that_trickles_is_left_for_another() {
    let (dir, slow, good) = (tempfile::tempdir().unwrap(), Mirror::trickling(), Mirror::new());
    good.publish(place(1, 5), 9, &[snapshot(place(1, 5), &NAMES)]);
    let bed = Bed::new(&config(dir.path(), &[&slow, &good], "observe = true"));
    bed.until("it follows", || status(dir.path()).names == 3);
    assert!(bed.said("no answer within 10 s"), "{:?}", bed.lines.lock());
    bed.end().unwrap();
}

#[test]
fn a_long_poll_that_failed_once_is_asked_for_again() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let first = snapshot(place(1, 5), &NAMES);
    mirror.publish(place(1, 5), 9, std::slice::from_ref(&first));
    let bed = Bed::new(&config(dir.path(), &[&mirror], "observe = true"));
    let waits =
        || mirror.asked.lock().unwrap().iter().filter(|head| head.contains("/wait?")).count();
    bed.until("it asks for a long poll", || waits() == 1);
    let begun = Instant::now();
    let mut beat = 9;
    while waits() < 2 {
        assert!(begun.elapsed() < Duration::from_secs(40), "it is polled for ever");
        beat += 1;
        mirror.publish(place(1, 5), beat, std::slice::from_ref(&first));
        std::thread::sleep(Duration::from_secs(1));
    }
    assert!(begun.elapsed() > Duration::from_secs(10), "{:?}", begun.elapsed());
    bed.end().unwrap();
}

#[test]
fn a_file_that_breaks_off_is_gone_on_with() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let names: Vec<String> = (0..900).map(|n| format!("s{n}.stream.example")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let (name, bytes) = snapshot(place(1, 5), &names);
    mirror.publish(place(1, 5), 9, &[(name.clone(), bytes.clone())]);
    let file = format!("files/{}", name.hash);
    let half = bytes.len() / 2;
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", bytes.len());
    mirror.raw(&file, [head.as_bytes(), &bytes[..half]].concat());
    let bed = Bed::new(&config(dir.path(), &[&mirror], "observe = true"));
    let range = format!("bytes={half}-");
    let asked = || mirror.asked.lock().unwrap().iter().any(|head| head.contains(&range));
    bed.until("it asks for the rest", asked);
    let rest = &bytes[half..];
    let head = format!("HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\n\r\n", rest.len());
    mirror.raw(&file, [head.as_bytes(), rest].concat());
    // Either the rest is taken, or, where it had given up before, a whole file.
    std::thread::sleep(Duration::from_secs(1));
    mirror.set(&file, &bytes);
    bed.until("it follows", || status(dir.path()).names == 900);
    bed.end().unwrap();
}

#[test]
fn a_keep_that_hangs_holds_nobody_up_and_one_that_is_back_is_told_all() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let first = snapshot(place(1, 5), &NAMES);
    mirror.publish(place(1, 5), 9, std::slice::from_ref(&first));
    let run = dir.path().join("run");
    ledger::disk::create_dir(&run).unwrap();
    // It takes connections, and never reads.
    let hanging = UnixListener::bind(run.join("keep")).unwrap();
    let bed = Bed::new(&config(dir.path(), &[&mirror], ""));
    bed.until("it follows", || status(dir.path()).names == 3);
    let gone = lift(place(1, 6), 5, &["a.stream.example"]);
    mirror.publish(place(1, 6), 10, &[first, gone]);
    bed.until("it goes on", || status(dir.path()).names == 2);
    bed.until("it tells of keep", || bed.said("does not answer within 10 s"));
    drop(hanging);
    ledger::disk::remove(&run.join("keep")).unwrap();

    let keep = UnixListener::bind(run.join("keep")).unwrap();
    let (mut said, deadline) = (Vec::new(), Instant::now() + Duration::from_secs(40));
    let mut callers = Vec::new();
    while !said.iter().any(|line: &String| line.contains("whole")) {
        assert!(Instant::now() < deadline, "{said:?}");
        callers.push(keep.accept().unwrap().0);
        let stream = callers.last().unwrap();
        let mut lines = BufReader::new(stream).lines();
        while let Some(Ok(line)) = lines.next() {
            let whole = line.contains("whole");
            said.push(line);
            if { stream }.write_all(b"{\"answer\":\"taken\"}\n").is_err() || whole {
                break;
            }
        }
    }
    let at = |word: &str| said.iter().position(|line| line.contains(word)).unwrap();
    assert!(
        at(r#""hello","epoch":1,"serial":6"#) < at("alive") && at("alive") < at("b.stream.example")
    );
    assert!(
        at("c.stream.example") < at("whole") && !said.iter().any(|line| line.contains("a.stream"))
    );
    bed.until("status says so", || status(dir.path()).keep.all_told);
    bed.end().unwrap();
}

/// What keep is told, line by line: every frame is taken.
fn taking_all(run: &Path) -> Arc<Mutex<Vec<String>>> {
    ledger::disk::create_dir(run).unwrap();
    let keep = UnixListener::bind(run.join("keep")).unwrap();
    let said = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&said);
    std::thread::spawn(move || {
        for stream in keep.incoming().flatten() {
            let heard = Arc::clone(&heard);
            std::thread::spawn(move || {
                for line in BufReader::new(&stream).lines().map_while(Result::ok) {
                    heard.lock().unwrap().push(line);
                    if (&stream).write_all(b"{\"answer\":\"taken\"}\n").is_err() {
                        return;
                    }
                }
            });
        }
    });
    said
}

#[test]
fn an_own_view_is_gone_over_to_and_back_and_keep_opens_nothing_of_both() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let said = taking_all(&dir.path().join("run"));
    let told = |what: &str| said.lock().unwrap().iter().any(|line| line.contains(what));
    let all = |serial| (place(1, serial), snapshot(place(1, serial), &NAMES[..2]));
    let (at, files) = all(5);
    mirror.publish_of("all", &["isp-2"], (at, 9), &files);
    let config = config(dir.path(), &[&mirror], "view = 'isp-1'");
    let bed = Bed::new(&config);
    bed.until("everybody's is followed", || status(dir.path()).keep.all_told);
    assert_eq!((status(dir.path()).reads.as_str(), status(dir.path()).names), ("all", 2));

    // Its own begins. Another's is not believed in its place, however well it is signed.
    let own = snapshot_of("isp-1", place(1, 6), &NAMES);
    let (at, files) = all(6);
    let other = snapshot_of("isp-2", place(1, 7), &NAMES[..1]);
    mirror.publish_of("all", &["isp-1", "isp-2"], (at, 10), &files);
    bed.until("a view that is kept from it: an alarm", || {
        status(dir.path()).alarms.iter().any(|raised| raised.word == "apart")
    });
    assert_eq!((status(dir.path()).serial, status(dir.path()).names), (5, 2));
    mirror.publish_of("isp-1", &[], (place(1, 6), 11), &own);
    bed.until("its own is followed", || status(dir.path()).names == 3);
    assert_eq!(status(dir.path()).reads, "isp-1");
    bed.until("it is well again", || status(dir.path()).alarms.is_empty());
    bed.until("keep is told", || told("c.stream.example"));
    mirror.publish_of("isp-2", &[], (place(1, 7), 12), &other);
    let others = mirror.answers.lock().unwrap()["/feed/isp-2/manifest"].clone();
    mirror.answers.lock().unwrap().insert("/feed/isp-1/manifest".to_owned(), others);
    bed.until("another's is refused", || {
        status(dir.path()).alarms.iter().any(|raised| raised.message.contains("isp-2"))
    });
    assert_eq!((status(dir.path()).serial, status(dir.path()).names), (6, 3));

    // A restart goes on from either, and takes nothing older of either.
    bed.end().unwrap();
    let (at, files) = all(5);
    mirror.publish_of("all", &[], (at, 13), &files);
    mirror.end_of("isp-1");
    let bed = Bed::new(&config);
    bed.until("everybody's of before is refused", || bed.said("goes back"));
    assert!(!status(dir.path()).whole);
    mirror.publish_of("isp-1", &[], (place(1, 7), 14), &snapshot_of("isp-1", place(1, 7), &NAMES));
    let (at, files) = all(7);
    mirror.publish_of("all", &["isp-1"], (at, 14), &files);
    bed.until("its own is followed again", || status(dir.path()).keep.all_told);
    assert_eq!((status(dir.path()).reads.as_str(), status(dir.path()).names), ("isp-1", 3));
    said.lock().unwrap().clear();

    // It ends: what it had of its own is open, and what stands in both never was.
    let (at, files) = all(8);
    mirror.publish_of("all", &["isp-2"], (at, 15), &files);
    mirror.end_of("isp-1");
    bed.until("everybody's is followed again", || status(dir.path()).names == 2);
    assert_eq!(status(dir.path()).reads, "all");
    bed.until("keep opens it", || told(r#""lift","value":"c.stream.example""#));
    let lifts: Vec<String> =
        said.lock().unwrap().iter().filter(|line| !line.contains("alive")).cloned().collect();
    assert!(
        !lifts.iter().any(|line| line.contains("clear") || line.contains("hello")),
        "{lifts:?}"
    );
    assert_eq!(lifts.iter().filter(|line| line.contains("lift")).count(), 1, "{lifts:?}");
    assert!(!bed.said("goes back") || status(dir.path()).alarms.is_empty());
    bed.end().unwrap();
    let seen = Seen::read(&dir.path().join("state"), feed_key().name(), "isp-1").unwrap().unwrap();
    assert_eq!((seen.view.as_str(), seen.place), ("all", place(1, 8)));
}

#[test]
fn a_view_that_comes_through_an_older_cache_is_no_replay_unless_it_lasts() {
    let (dir, mirror) = (tempfile::tempdir().unwrap(), Mirror::new());
    let all = snapshot(place(1, 6), &NAMES[..2]);
    let own = snapshot_of("isp-1", place(1, 6), &NAMES);
    mirror.publish_of("all", &[], (place(1, 6), 10), &all);
    let old = mirror.answers.lock().unwrap()["/feed/all/manifest"].clone();
    mirror.publish_of("all", &["isp-1"], (place(1, 6), 20), &all);
    mirror.publish_of("isp-1", &[], (place(1, 6), 20), &own);
    let config = config(dir.path(), &[&mirror], "view = 'isp-1'\nobserve = true");
    let bed = Bed::new(&config);
    bed.until("its own is followed", || status(dir.path()).names == 3);

    // It ends, and everybody's comes out of a cache that is ten beats behind.
    let older = || {
        mirror.answers.lock().unwrap().insert("/feed/all/manifest".to_owned(), old.clone());
        mirror.end_of("isp-1");
    };
    older();
    let before = mirror.asked.lock().unwrap().len();
    bed.until("it is asked for again and again", || {
        let asked = mirror.asked.lock().unwrap()[before..].to_vec();
        asked.iter().filter(|head| head.contains("/all/manifest")).count() > 9
    });
    let standing = status(dir.path());
    assert_eq!((standing.names, standing.whole), (3, true), "what is held is held");
    assert!(!bed.said("ALARM") && standing.alarms.is_empty(), "{:?}", bed.lines.lock());
    mirror.publish_of("all", &[], (place(1, 6), 21), &all);
    bed.until("the cache came up", || status(dir.path()).names == 2);
    assert!(!bed.said("ALARM"), "{:?}", bed.lines.lock());

    // Where it stays so it was played back, and what is held is held.
    mirror.publish_of("all", &["isp-1"], (place(1, 6), 22), &all);
    mirror.publish_of("isp-1", &[], (place(1, 6), 22), &own);
    bed.until("its own is followed again", || status(dir.path()).names == 3);
    older();
    bed.until("an alarm", || status(dir.path()).alarms.iter().any(|raised| raised.word == "back"));
    assert_eq!((status(dir.path()).names, status(dir.path()).whole), (3, true));
    bed.end().unwrap();
}

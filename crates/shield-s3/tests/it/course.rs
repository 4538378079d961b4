//! What is put, what goes, and what another's or a failing store does.

use std::time::{Duration, Instant};

use model::Sha256Hex;
use shield::order::{Halt, Moment};
use shield::wire::stop::{Act, StopFile};
use shield_s3::{Course, Done, Fault, GRACE, MAX_GONE, Words};

use crate::feed::{feed_key, lift, snapshot, wall};
use crate::folder::{Folder, place};
use crate::memory::{Memory, Wrong};

const NAMES: [&str; 2] = ["a.stream.example", "b.stream.example"];

fn stop_file(made: Moment, act: Act) -> String {
    let origin = feed_key().name().to_owned();
    let (view, why) = ("all".to_owned(), "the desk cannot be reached".to_owned());
    StopFile { origin, view, act, epoch: 1, made, why }.sign(&feed_key()).to_string()
}

fn stop(made: Moment) -> String {
    stop_file(made, Act::Stop { halt: Halt::Lifts, until: made.plus(3_600_000) })
}

#[test]
fn files_go_before_the_manifest_and_old_ones_after_the_grace() {
    let (folder, shelf, now) = (Folder::new(), Memory::default(), Instant::now());
    let mut course = Course::new(shelf.clone(), folder.path());
    // Nothing is published yet, and nothing is asked of the store.
    assert_eq!(course.round(now).unwrap(), Done::default());
    assert_eq!(shelf.0.borrow().steps, 0);
    let first = snapshot(place(1, 5), &NAMES);
    let stray = format!("all/files/{}", Sha256Hex::of(b"of an earlier run"));
    shelf.set(&stray, b"of an earlier run");
    let text = folder.publish(place(1, 5), 1, &[&first]);
    let done = course.round(now).unwrap();
    assert_eq!(done, Done { files: 1, manifest: true, ..Done::default() });
    assert_eq!(shelf.of("all/manifest").unwrap(), text);
    assert_eq!(shelf.of(&format!("all/files/{}", first.0.hash)).unwrap(), first.1);
    // The same again asks for nothing.
    let steps = shelf.0.borrow().steps;
    assert_eq!(course.round(now).unwrap(), Done::default());
    assert_eq!(shelf.0.borrow().steps, steps);
    // A heartbeat is one put; a step is its file and the manifest.
    folder.publish(place(1, 5), 2, &[&first]);
    course.round(now).unwrap();
    assert_eq!(shelf.0.borrow().steps, steps + 1);
    let (gone, second) =
        (lift(place(1, 6), 5, &["a.stream.example"]), snapshot(place(1, 6), &NAMES[1..]));
    folder.publish(place(1, 6), 3, &[&first, &gone]);
    assert_eq!(course.round(now).unwrap().files, 1);
    // What no manifest names any more stays for the grace.
    folder.publish(place(1, 6), 4, &[&second]);
    let done = course.round(now).unwrap();
    assert_eq!((done.files, done.gone), (1, 0));
    let later = now + GRACE - Duration::from_secs(1);
    assert_eq!(course.round(later).unwrap().gone, 0);
    let later = later + Duration::from_secs(2);
    assert_eq!(course.round(later).unwrap().gone, 3);
    let kept = format!("all/files/{}", second.0.hash);
    assert_eq!(shelf.names(), [kept, "all/manifest".to_owned()]);
    // Whoever stands still for long keeps what the manifest that stands there names, over a start, too.
    let mut course = Course::new(shelf.clone(), folder.path());
    for at in [now, now + 3 * GRACE, now + 9 * GRACE] {
        assert_eq!(course.round(at).unwrap(), Done::default());
    }
    folder.publish(place(2, 0), 1, &[&snapshot(place(2, 0), &NAMES)]);
    assert!(course.round(now + 9 * GRACE).unwrap().manifest);
}

#[test]
fn whatever_goes_wrong_at_whatever_step_is_made_good() {
    let first = snapshot(place(1, 5), &NAMES);
    let gone = lift(place(1, 6), 5, &["a.stream.example"]);
    let second = snapshot(place(1, 6), &NAMES[1..]);
    let mut tried = 0;
    for wrong in [Wrong::Lost, Wrong::Unanswered] {
        for at in 1..=14 {
            for more in [0, 2] {
                let (folder, shelf) = (Folder::new(), Memory::default());
                let mut now = Instant::now();
                shelf.0.borrow_mut().wrong = Some((at, more, wrong));
                let mut course = Course::new(shelf.clone(), folder.path());
                let mut text = Vec::new();
                let mut failed = 0;
                let steps: [(_, &[_]); 4] = [
                    (place(1, 5), &[&first]),
                    (place(1, 6), &[&first, &gone]),
                    (place(1, 6), &[&second]),
                    (place(1, 6), &[&second]),
                ];
                for (beat, (at, files)) in (1..).zip(steps) {
                    text = folder.publish(at, beat, files);
                    // After each step what the manifest names is there: the shelf looks.
                    for _ in 0..5 {
                        failed += u64::from(course.round(now).is_err());
                        failed += u64::from(course.untidy().is_some());
                        // What does not go is tried again a minute later.
                        now += Duration::from_secs(61);
                    }
                    now += GRACE;
                }
                tried += failed;
                assert_eq!(course.round(now).unwrap(), Done::default(), "{wrong:?} {at} {more}");
                assert_eq!(shelf.of("all/manifest").unwrap(), text, "{wrong:?} {at} {more}");
                assert_eq!(shelf.names().len(), 2, "{wrong:?} {at} {more}: {:?}", shelf.names());
            }
        }
    }
    assert!(tried > 50, "{tried}");
}

#[test]
fn where_another_house_goes_on_nothing_is_put_over_it() {
    let (folder, shelf, now) = (Folder::new(), Memory::default(), Instant::now());
    let first = snapshot(place(1, 5), &NAMES);
    folder.publish(place(1, 5), 1, &[&first]);
    let mut course = Course::new(shelf.clone(), folder.path());
    course.round(now).unwrap();
    // Its standby was promoted, and publishes into the same prefix.
    let (other, theirs) = (Folder::new(), snapshot(place(2, 0), &NAMES));
    let text = other.publish(place(2, 0), 1, &[&theirs]);
    let mut promoted = Course::new(shelf.clone(), other.path());
    promoted.round(now).unwrap();
    for beat in 2..5 {
        folder.publish(place(1, 5), beat, &[&first]);
        let error = course.round(now + 2 * GRACE).unwrap_err();
        assert!(matches!(error, Fault::Later { there: 2, here: 1 }), "{error}");
        assert!(error.to_string().contains("another one publishes into it"), "{error}");
    }
    assert_eq!(shelf.of("all/manifest").unwrap(), text);
    // The one that goes on is not held up by it.
    other.publish(place(2, 0), 2, &[&theirs]);
    assert!(promoted.round(now).unwrap().manifest);
    // What is no manifest is put over.
    shelf.set("all/manifest", b"no manifest");
    other.publish(place(2, 0), 3, &[&theirs]);
    assert!(promoted.round(now).unwrap().manifest);
}

#[test]
fn a_folder_that_is_not_whole_puts_no_manifest() {
    let (folder, shelf, now) = (Folder::new(), Memory::default(), Instant::now());
    let first = snapshot(place(1, 5), &NAMES);
    folder.publish(place(1, 5), 1, &[&first]);
    let path = folder.file(&first.0);
    let mut other = first.1.clone();
    other[9] ^= 1;
    let mut course = Course::new(shelf.clone(), folder.path());
    for bytes in [other.as_slice(), &first.1[1..], &[&first.1[..], b"\n"].concat(), b""] {
        ledger::disk::write(&path, bytes).unwrap();
        let error = course.round(now).unwrap_err().to_string();
        assert!(error.contains("does not hold what its name"), "{error}");
    }
    ledger::disk::remove(&path).unwrap();
    assert!(matches!(course.round(now), Err(Fault::Folder { .. })));
    assert_eq!(shelf.names(), Vec::<String>::new());
    ledger::disk::write(&path, &first.1).unwrap();
    assert!(course.round(now).unwrap().manifest);
    // One that stands there cut off, as a listing says, is put anew.
    shelf.set("all/manifest", b"no manifest");
    shelf.set(&format!("all/files/{}", first.0.hash), &first.1[1..]);
    folder.publish(place(1, 5), 2, &[&first]);
    let mut course = Course::new(shelf.clone(), folder.path());
    assert_eq!(course.round(now).unwrap().files, 1);
    // Neither is what the publisher would never write.
    for bad in ["no manifest".to_owned(), "x".repeat(70_000)] {
        ledger::disk::write(&folder.path().join("all/manifest"), bad.as_bytes()).unwrap();
        assert!(matches!(course.round(now), Err(Fault::Folder { .. })));
    }
}

#[test]
fn what_does_not_go_holds_up_no_manifest_and_goes_by_and_by() {
    let (folder, shelf, now) = (Folder::new(), Memory::default(), Instant::now());
    let first = snapshot(place(1, 5), &NAMES);
    folder.publish(place(1, 5), 1, &[&first]);
    // So many lay there when it begins, of another run.
    for n in 0..40 {
        shelf.set(&format!("all/files/{n:064x}"), b"old");
    }
    let mut course = Course::new(shelf.clone(), folder.path());
    course.round(now).unwrap();
    // The key may not remove.
    let steps = shelf.0.borrow().steps;
    shelf.0.borrow_mut().wrong = Some((steps + 1, 0, Wrong::Lost));
    let mut at = now + GRACE;
    assert_eq!(course.round(at).unwrap(), Done::default());
    assert!(course.untidy().unwrap().to_string().contains("no answer"));
    // Meanwhile manifests go, and nothing is asked for again at once.
    folder.publish(place(1, 5), 2, &[&first]);
    let steps = shelf.0.borrow().steps;
    assert!(course.round(at + Duration::from_secs(1)).unwrap().manifest);
    assert_eq!(shelf.0.borrow().steps, steps + 1);
    at += Duration::from_secs(60);
    let gone: Vec<u64> = (0..4).map(|_| course.round(at).unwrap().gone).collect();
    assert_eq!(gone, [MAX_GONE as u64, MAX_GONE as u64, 40 - 2 * MAX_GONE as u64, 0]);
    assert!(course.untidy().is_none());
}

#[test]
fn a_store_that_answers_otherwise_each_time_says_one_thing_and_no_document() {
    let fault = |said: &str| Fault::Store {
        action: "write",
        name: "all/manifest".to_owned(),
        source: said.to_owned().into(),
    };
    let one = "Error performing PUT https://b.example/all/manifest in 1.2ms - Server returned non-2xx status code: \
               403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><CanonicalRequest>PUT\n\
               x-amz-security-token:SECRET</CanonicalRequest><RequestId>7F3A</RequestId></Error>";
    let other = one.replace("1.2ms", "3s").replace("7F3A", "99ZZ");
    let text = fault(one).to_string();
    assert!(
        text.contains("403 Forbidden: SignatureDoesNotMatch") && !text.contains("SECRET"),
        "{text}"
    );
    assert_eq!(fault(one).kind(), fault(&other).kind());
    assert_ne!(fault(one).kind(), fault(&one.replace("Forbidden", "Conflict")).kind());
    assert!(fault(&"ä".repeat(4_000)).to_string().len() < 400);
}

#[test]
fn a_stop_goes_though_no_file_does_and_no_earlier_word_goes_over_a_later_one() {
    let (folder, shelf) = (Folder::new(), Memory::default());
    let mut words = Words::new(shelf.clone(), folder.path());
    assert!(!words.round().unwrap(), "there is none");
    let made = wall();
    folder.stop(&stop(made));
    assert!(words.round().unwrap());
    assert_eq!(shelf.of("all/stop").unwrap(), stop(made).into_bytes());
    // The same again asks for nothing.
    let steps = shelf.0.borrow().steps;
    assert!(!words.round().unwrap());
    assert_eq!(shelf.0.borrow().steps, steps);
    // The word that ends it goes over it, and stays when it is taken away here.
    let resumed = stop_file(made.plus(1), Act::Resume);
    folder.stop(&resumed);
    assert!(words.round().unwrap());
    ledger::disk::remove(&folder.path().join("all/stop")).unwrap();
    assert!(!words.round().unwrap());
    assert_eq!(shelf.of("all/stop").unwrap(), resumed.clone().into_bytes());
    // Brought there by hand, out of the safe, while the house was away: an earlier word does not undo it.
    folder.stop(&resumed);
    let by_hand = stop(made.plus(2));
    shelf.set("all/stop", by_hand.as_bytes());
    let mut words = Words::new(shelf.clone(), folder.path());
    assert!(matches!(words.round(), Err(Fault::LaterStop(_))));
    assert_eq!(shelf.of("all/stop").unwrap(), by_hand.clone().into_bytes());
    folder.stop(&stop_file(made.plus(3), Act::Resume));
    assert!(words.round().unwrap());
    // What is no stop file goes nowhere.
    folder.stop("no stop");
    assert!(matches!(words.round(), Err(Fault::Folder { .. })));
    // What failed is tried again.
    folder.stop(&stop(made.plus(4)));
    let steps = shelf.0.borrow().steps;
    shelf.0.borrow_mut().wrong = Some((steps + 1, 1, Wrong::Lost));
    assert!(words.round().is_err() && words.round().is_err());
    assert!(words.round().unwrap());
}

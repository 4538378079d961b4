//! Replacing the authority's key: in its own log, then in a case's; with a crash at every step.

use std::path::Path;

use ledger::disk::faults::{Last, crash_after, heal};
use ledger::{Former, Keys, Log, Reader, SigningKey};
use model::ExhibitId;
use model::record::{Body, PrivilegeMarked};
use vault::{Case, Home, Report, Result, Rotated, Wait, rotate, rotations, verify};

use crate::life::{copy, quick_dir, stamp};

const NAME: &str = "police.example";
const LATER: i64 = 1_764_000_100_000;

/// A home with an authority, and a case of three records.
fn begin(dir: &Path) -> Home {
    let home = Home::new(&dir.join("home"));
    home.init(NAME, &[1; 32]).unwrap();
    let case = Case::create(&dir.join("case"), &home, "Test", &stamp(), "test", Wait::Fail);
    let mut case = case.unwrap();
    mark(&mut case, "one").unwrap();
    mark(&mut case, "two").unwrap();
    case.finish().unwrap();
    home
}

fn mark(case: &mut Case, reason: &str) -> Result<()> {
    let mut batch = case.batch();
    batch.record(PrivilegeMarked { exhibit: ExhibitId([7; 32]), reason: reason.into() });
    batch.commit(&stamp()).map(drop)
}

fn turn(home: &Home) -> Result<Rotated> {
    rotate(home, Some("yearly".into()), LATER, "test", Wait::Fail)
}

fn open(dir: &Path, home: &Home) -> Result<Case> {
    Case::open(&dir.join("case"), home, "test", Wait::Fail, LATER)
}

fn report(dir: &Path, home: Option<&Home>) -> Report {
    verify(&dir.join("case"), home, &|_| {}).unwrap()
}

fn key_of(home: &Home) -> SigningKey {
    home.find(NAME).unwrap().unlock().unwrap()
}

/// How often the authority's log says that its key was replaced.
fn turns(home: &Home) -> usize {
    rotations(&home.find(NAME).unwrap().reader().unwrap()).unwrap().len()
}

#[track_caller]
fn found(report: &Report, words: &str) {
    let there = report.findings.iter().any(|f| f.message.contains(words));
    assert!(there, "{words:?} is not in {:?}", report.findings);
}

#[test]
fn a_case_is_handed_on_at_its_next_opening_and_each_key_counts_in_its_turn() {
    let temp = quick_dir();
    let dir = temp.path();
    let home = begin(dir);
    let first = key_of(&home);
    let done = turn(&home).unwrap();
    assert_eq!((done.record, done.completed), (1, false));
    assert_eq!(done.old, first.verifier().text());
    assert_eq!(done.new, key_of(&home).verifier().text());
    assert!(!dir.join("home/authorities/police.example/key-next").exists());

    // Not opened since: the old key still counts there, and it is said.
    let before = report(dir, Some(&home));
    assert!(before.is_sound() && before.rotations.is_empty(), "{before:?}");
    assert!(before.notes[0].contains("hands the log on to the new one"), "{:?}", before.notes);

    let mut case = open(dir, &home).unwrap();
    assert_eq!(case.len(), 4);
    let Body::KeyRotated(body) = case.body(3).unwrap() else { panic!("no rotation") };
    assert_eq!(body.reason.as_deref(), Some("yearly"), "as the authority's log keeps it");
    mark(&mut case, "three").unwrap();
    case.finish().unwrap();
    for home in [Some(&home), None] {
        let report = report(dir, home);
        assert!(report.is_sound(), "{:?}", report.findings);
        let told = "key rotated at record 3 on 2025-11-24T16:01:40.000Z";
        assert!(report.notes.iter().any(|note| note == told), "{:?}", report.notes);
        assert_eq!(report.rotations.len(), 1);
    }
    assert!(report(dir, Some(&home)).notes.len() == 1, "the birth is still this case's");
    // Opened once more nothing is recorded again.
    open(dir, &home).unwrap().finish().unwrap();
    assert_eq!(report(dir, Some(&home)).records, 5);

    // Twice between two openings: both are recorded, in their order.
    turn(&home).unwrap();
    turn(&home).unwrap();
    let case = open(dir, &home).unwrap();
    assert_eq!(case.len(), 7);
    case.finish().unwrap();
    let report = report(dir, Some(&home));
    assert!(report.is_sound(), "{:?}", report.findings);
    assert_eq!(report.rotations.iter().map(|r| r.record).collect::<Vec<_>>(), [3, 5, 6]);
    // A case that is born now knows only the present key.
    let later = dir.join("later");
    Case::create(&later, &home, "Later", &stamp(), "test", Wait::Fail).unwrap().finish().unwrap();
    let later = verify(&later, Some(&home), &|_| {}).unwrap();
    assert!(later.is_sound() && later.notes.is_empty(), "{later:?}");
}

#[test]
fn a_key_is_replaced_before_there_is_a_log() {
    let temp = quick_dir();
    let dir = temp.path();
    let home = Home::new(&dir.join("home"));
    assert!(turn(&home).unwrap_err().to_string().contains("the key of practice.invalid"));
    home.init(NAME, &[1; 32]).unwrap();
    assert_eq!(turn(&home).unwrap().record, 0);
    assert_eq!(turn(&home).unwrap().record, 1);
    let case = Case::create(&dir.join("case"), &home, "Test", &stamp(), "test", Wait::Fail);
    case.unwrap().finish().unwrap();
    let report = report(dir, Some(&home));
    assert!(report.is_sound() && report.notes.is_empty(), "{report:?}");
    assert_eq!(turns(&home), 2);
}

/// Whoever stole the old key writes on in the log, or replaces its last checkpoint.
#[test]
fn a_former_key_signs_nothing_newer() {
    let temp = quick_dir();
    let dir = temp.path();
    let home = begin(dir);
    let stolen = key_of(&home);
    turn(&home).unwrap();
    open(dir, &home).unwrap().finish().unwrap();
    let ledger = dir.join("case/ledger");
    let log = Reader::open(&ledger).unwrap();
    let (origin, size) = (log.checkpoint().unwrap().lines().next().unwrap().to_owned(), log.size());
    let stolen = stolen.renamed(&origin).unwrap();
    assert!(Log::open(&ledger, stolen.clone()).is_err(), "it opens the log no more");
    let note = std::fs::read_to_string(ledger.join("checkpoint")).unwrap();
    let forged = stolen.sign(size, &log.root_at(size).unwrap());
    std::fs::write(ledger.join("checkpoint"), forged).unwrap();
    let words = "signed by a key that counts for the first 3 entries only";
    for home in [Some(&home), None] {
        found(&report(dir, home), words);
    }
    assert!(open(dir, &home).unwrap_err().to_string().contains(words));
    std::fs::write(ledger.join("checkpoint"), note).unwrap();
    assert!(report(dir, Some(&home)).is_sound());

    // He forces the log open, and appends.
    let present = key_of(&home).verifier().renamed(&origin).unwrap();
    let keys = Keys::new(vec![Former { key: present, until: size }], stolen.verifier());
    let entry = log.entry(1).unwrap();
    let mut log = Log::open_with(&ledger, stolen, &keys).unwrap();
    log.append(&[entry]).unwrap();
    log.finish().unwrap();
    for home in [Some(&home), None] {
        found(&report(dir, home), words);
    }
    assert!(open(dir, &home).unwrap_err().to_string().contains(words));
}

/// He begins from a copy of before the rotation: what the home has seen tells.
#[test]
fn a_copy_from_before_the_rotation_is_an_older_copy() {
    let temp = quick_dir();
    let dir = temp.path();
    let home = begin(dir);
    let kept = dir.join("kept");
    copy(&dir.join("case"), &kept);
    turn(&home).unwrap();
    open(dir, &home).unwrap().finish().unwrap();
    copy(&kept, &dir.join("case"));
    found(&report(dir, Some(&home)), "it is known with 4 entries, here are 3");
    let refused = open(dir, &home).unwrap_err();
    assert!(refused.to_string().contains("the authority has seen 4"), "{refused}");
}

/// The copy lacks two rotations: by the middle key, which signed nothing that the copy has, the authority
/// saw the log grow. What it saw tells, and what cannot be read of it is told.
#[test]
#[allow(clippy::disallowed_methods)] // Damage for the test.
fn a_copy_from_before_two_rotations_is_an_older_copy() {
    let temp = quick_dir();
    let dir = temp.path();
    let home = begin(dir);
    let kept = dir.join("kept");
    copy(&dir.join("case"), &kept);
    turn(&home).unwrap();
    let mut case = open(dir, &home).unwrap();
    mark(&mut case, "three").unwrap();
    mark(&mut case, "four").unwrap();
    case.finish().unwrap();
    turn(&home).unwrap();
    assert!(report(dir, Some(&home)).is_sound());
    copy(&kept, &dir.join("case"));
    let seen = "it is known with 6 entries, here are 3";
    found(&report(dir, Some(&home)), seen);
    let older = vault::verify_copy(&dir.join("case"), Some(&home), &|_| {}).unwrap();
    assert_eq!((older.is_sound(), older.seen), (true, Some(6)), "{older:?}");
    let refused = open(dir, &home).unwrap_err();
    assert!(refused.to_string().contains("the authority has seen 6"), "{refused}");

    // Whoever cuts the log spoils what was seen of it.
    let folder = dir.join("home/authorities/police.example/seen");
    // Beside it stands what was seen of the authority's own log.
    let own = model::Sha256Hex::of(NAME.as_bytes()).to_string();
    let mut paths = std::fs::read_dir(&folder).unwrap().map(|item| item.unwrap().path());
    let path = paths.find(|path| !path.ends_with(&own)).unwrap();
    let note = std::fs::read(&path).unwrap();
    let gone = "what cannot be read was there";
    let spoilt = |what: &str| {
        let report = report(dir, Some(&home));
        let told = report.findings.iter().any(|f| f.message.contains("it cannot be read ("));
        assert!(told, "{what}, {gone}: {:?}", report.findings);
        assert!(open(dir, &home).is_err(), "{what}");
    };
    for bytes in [&b""[..], b"\xff\xfe", &note[..note.len() / 2]] {
        std::fs::write(&path, bytes).unwrap();
        spoilt("cut");
    }
    let mut flipped = note.clone();
    let end = flipped.len() - 20;
    flipped[end] ^= 1;
    std::fs::write(&path, &flipped).unwrap();
    spoilt("flipped");
    std::fs::remove_file(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    spoilt("a pipe");
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    spoilt("a folder");
    std::fs::remove_dir(&path).unwrap();
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    spoilt("a link to nothing");
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, &note).unwrap();
    found(&report(dir, Some(&home)), seen);
}

/// A rotation that the authority's own log does not tell of, and one whose statement is forged.
#[test]
fn a_rotation_needs_the_authority_and_both_keys() {
    let temp = quick_dir();
    let dir = temp.path();
    let home = begin(dir);
    // One that knows nothing of the case hands nothing on.
    let strange = Home::new(&dir.join("strange"));
    strange.init(NAME, &[1; 32]).unwrap();
    turn(&strange).unwrap();
    let refused = open(dir, &strange).unwrap_err();
    assert!(refused.to_string().contains("Nothing was written"), "{refused}");
    // A copy of the home rotates, and hands the case on.
    copy(&dir.join("home"), &dir.join("other"));
    let other = Home::new(&dir.join("other"));
    turn(&other).unwrap();
    let refused = open(dir, &home).map(|case| case.finish());
    refused.unwrap().unwrap();
    let mut case = open(dir, &other).unwrap();
    mark(&mut case, "three").unwrap();
    case.finish().unwrap();
    found(&report(dir, Some(&home)), "the authority's own log does not tell of this rotation");
    assert!(open(dir, &home).is_err());
    // Fits itself all the same: whose it is only the home, or the reader's own file, tells.
    assert!(report(dir, None).is_sound());

    let log = Reader::open(&dir.join("case/ledger")).unwrap();
    let entry = String::from_utf8(log.entry(3).unwrap()).unwrap();
    let forged = entry.replacen("key-rotation v1", "key-rotation v2", 1);
    assert_ne!(entry, forged);
    let scratch = dir.join("scratch");
    let mut log = Log::open(&scratch, SigningKey::new("o", &[1; 32]).unwrap()).unwrap();
    log.append(&[forged.into_bytes()]).unwrap();
    let refused = rotations(log.reader()).unwrap_err();
    assert!(refused.to_string().contains("it is of other keys"), "{refused}");
}

/// After a crash at any step the same command leaves one rotation and one key.
#[test]
fn a_rotation_cut_off_at_any_step_is_redone_or_completed() {
    let mut completed = 0;
    for last in [Last::Undone, Last::Done, Last::Torn] {
        for n in 0.. {
            let temp = quick_dir();
            let dir = temp.path();
            let home = begin(dir);
            let old = key_of(&home);
            crash_after(n, last);
            let result = turn(&home);
            let crashed = heal();
            let what = format!("step {n}, {last:?}");
            // In between everything holds, and what is written is by whichever key counts.
            let between = report(dir, Some(&home));
            assert!(between.is_sound(), "{what}: {:?}", between.findings);
            if result.is_err() {
                let again = turn(&home).unwrap_or_else(|e| panic!("{what}: {e}"));
                completed += usize::from(again.completed);
            }
            assert_eq!(turns(&home), 1, "{what}");
            assert_ne!(key_of(&home).verifier(), old.verifier(), "{what}");
            let folder = dir.join("home/authorities/police.example");
            assert!(!folder.join("key-next").exists(), "{what}");
            open(dir, &home).unwrap_or_else(|e| panic!("{what}: {e}")).finish().unwrap();
            let after = report(dir, Some(&home));
            assert!(after.is_sound() && after.rotations.len() == 1, "{what}: {after:?}");
            if !crashed {
                result.unwrap();
                break;
            }
        }
    }
    assert!(completed > 3, "only {completed} were cut off after their record stood");
}

/// Where the next command is another one it settles the rotation as well.
#[test]
fn a_rotation_cut_off_is_settled_by_the_next_opening() {
    for n in 0.. {
        let temp = quick_dir();
        let dir = temp.path();
        let home = begin(dir);
        crash_after(n, Last::Done);
        let result = turn(&home);
        let crashed = heal();
        let what = format!("step {n}");
        let mut case = open(dir, &home).unwrap_or_else(|e| panic!("{what}: {e}"));
        mark(&mut case, "three").unwrap_or_else(|e| panic!("{what}: {e}"));
        case.finish().unwrap();
        let after = report(dir, Some(&home));
        assert!(after.is_sound(), "{what}: {:?}", after.findings);
        assert_eq!(after.rotations.len(), turns(&home), "{what}");
        // The authority's own log is written next, as by a birth.
        let later = Case::create(&dir.join("later"), &home, "L", &stamp(), "test", Wait::Fail);
        later.unwrap_or_else(|e| panic!("{what}: {e}")).finish().unwrap();
        let folder = dir.join("home/authorities/police.example");
        assert!(!folder.join("key-next").exists(), "{what}");
        if !crashed {
            result.unwrap();
            break;
        }
    }
}

/// Handing a case on is one commit: cut off, the next opening does it, once.
#[test]
fn handing_a_case_on_is_redone_after_a_crash_at_any_step() {
    for last in [Last::Undone, Last::Done, Last::Torn] {
        for n in 0.. {
            let temp = quick_dir();
            let dir = temp.path();
            let home = begin(dir);
            turn(&home).unwrap();
            crash_after(n, last);
            let result = open(dir, &home).and_then(|mut case| {
                mark(&mut case, "three")?;
                case.finish()
            });
            let crashed = heal();
            let what = format!("step {n}, {last:?}");
            let between = report(dir, Some(&home));
            assert!(between.is_sound(), "{what}: {:?}", between.findings);
            let case = open(dir, &home).unwrap_or_else(|e| panic!("{what}: {e}"));
            assert!([4, 5].contains(&case.len()), "{what}: {}", case.len());
            case.finish().unwrap();
            let after = report(dir, Some(&home));
            assert!(after.is_sound() && after.rotations.len() == 1, "{what}: {after:?}");
            if !crashed {
                result.unwrap();
                assert_eq!(after.records, 5);
                break;
            }
        }
    }
}

//! Parts of a case, or of an authority's folder, that were taken away, laid back or put in the place of
//! others: found, and nothing is written over what is left.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use ledger::disk::faults::{Last, crash_after, heal};
use vault::{Case, Home, Report, Wait, rotate, verify, verify_authority};

use crate::life::{copy, create, from, quick_dir, stamp};

/// A case of which three commits wait in the journal, with an exhibit each: as a crash leaves it.
fn waiting(dir: &Path) -> Home {
    let (case, home) = create(dir);
    case.finish().unwrap();
    let mut case = open(dir, &home).unwrap();
    for text in ["one", "two", "three"] {
        seal(&mut case, text);
    }
    // What stands now is what a killed one leaves.
    for name in ["case", "home"] {
        copy(&dir.join(name), &dir.join("killed").join(name));
    }
    drop(case);
    for name in ["case", "home"] {
        copy(&dir.join("killed").join(name), &dir.join(name));
    }
    home
}

fn seal(case: &mut Case, text: &str) {
    let staged = case.stager().reader(&mut text.as_bytes()).unwrap();
    let mut batch = case.batch();
    batch.seal(staged, &from(&format!("/x/{text}"))).unwrap();
    batch.commit(&stamp()).unwrap();
}

fn open(dir: &Path, home: &Home) -> vault::Result<Case> {
    Case::open(&dir.join("case"), home, "test", Wait::Fail, 0)
}

/// Every file and its bytes, but the lock, which says who is at work.
fn all(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = Vec::new();
    if dir.exists() {
        crate::flip::files(dir, &mut files);
    }
    files.retain(|path| !path.ends_with("lock"));
    files.into_iter().map(|path| (path.clone(), fs::read(&path).unwrap_or_default())).collect()
}

fn exhibits(dir: &Path) -> usize {
    all(&dir.join("case/vault/exhibits")).len()
}

#[track_caller]
fn told(report: &Report, words: &str) {
    let there = report.findings.iter().any(|f| f.message.contains(words));
    assert!(there, "{words:?} is not in {:?}", report.findings);
}

/// Nobody opens it for writing, and nothing is changed.
#[track_caller]
fn is_refused(dir: &Path, home: &Home, why: &str) {
    let before = all(&dir.join("case"));
    let error = open(dir, home).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
    assert!(all(&dir.join("case")) == before, "{why}: it was written to");
}

fn journal(dir: &Path) -> PathBuf {
    let names = ["journal", "journal-2"].map(|name| dir.join("case/ledger").join(name));
    names.into_iter().find(|path| path.metadata().is_ok_and(|m| m.len() > 0)).unwrap()
}

#[test]
fn a_journal_that_was_changed_cut_or_taken_away_costs_no_exhibit() {
    let temp = quick_dir();
    let dir = temp.path();
    let home = waiting(dir);
    let path = journal(dir);
    let whole = fs::read(&path).unwrap();
    let report = || verify(&dir.join("case"), Some(&home), &|_| {}).unwrap();
    assert!(report().is_sound(), "{:?}", report().findings);
    let mut bytes = whole.clone();
    bytes[200] ^= 1;
    fs::write(&path, bytes).unwrap();
    told(&report(), "records were lost here");
    is_refused(dir, &home, "Nothing was written");
    fs::write(&path, b"").unwrap();
    told(&report(), "1 more files beside it go on; the log has 1: it was cut or laid back");
    is_refused(dir, &home, "and the log has 1");
    assert_eq!(exhibits(dir), 3);
    fs::write(&path, whole).unwrap();
    assert_eq!(open(dir, &home).unwrap().len(), 4);
    assert!(report().is_sound() && exhibits(dir) == 3);
}

#[test]
fn only_what_the_last_commit_left_is_dropped() {
    let temp = quick_dir();
    let dir = temp.path();
    let (mut case, home) = create(dir);
    seal(&mut case, "one");
    case.finish().unwrap();
    // Of another case, or of this one before its log was put in the place of another.
    let stray = model::Sha256Hex::of(b"stray").to_string();
    let place = dir.join("case/vault/exhibits").join(&stray[..2]).join(&stray);
    fs::create_dir_all(place.parent().unwrap()).unwrap();
    fs::write(&place, "stray").unwrap();
    let mut case = open(dir, &home).unwrap();
    assert_eq!(exhibits(dir), 2);
    let report = verify(&dir.join("case"), Some(&home), &|_| {}).unwrap();
    assert!(report.notes.iter().any(|note| note.contains("is in no record")), "{:?}", report.notes);
    // Whoever opens the same bytes takes it in, whatever stands there.
    fs::write(&place, "not these").unwrap();
    seal(&mut case, "stray");
    case.finish().unwrap();
    assert_eq!(fs::read(&place).unwrap(), b"stray");
    let report = verify(&dir.join("case"), Some(&home), &|_| {}).unwrap();
    assert!(report.is_sound() && report.notes.is_empty(), "{report:?}");
}

#[test]
fn what_is_reached_through_a_link_is_anothers() {
    let temp = quick_dir();
    let dir = temp.path();
    let home = waiting(dir);
    open(dir, &home).unwrap().finish().unwrap();
    let folder =
        fs::read_dir(dir.join("case/vault/exhibits")).unwrap().next().unwrap().unwrap().path();
    for path in [folder, dir.join("case/vault/exhibits"), dir.join("case/vault/openings")] {
        let elsewhere = dir.join("elsewhere");
        fs::rename(&path, &elsewhere).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &path).unwrap();
        let held = all(&elsewhere);
        is_refused(dir, &home, "is a link");
        assert!(all(&elsewhere) == held);
        fs::remove_file(&path).unwrap();
        fs::rename(&elsewhere, &path).unwrap();
    }
    open(dir, &home).unwrap();
}

/// A run that writes much publishes on its way: a copy from before that shows as one.
#[test]
fn the_authority_sees_what_a_long_run_publishes() {
    let temp = quick_dir();
    let dir = temp.path();
    let (case, home) = create(dir);
    case.finish().unwrap();
    copy(&dir.join("case"), &dir.join("before"));
    let mut case = open(dir, &home).unwrap();
    for _ in 0..3 {
        let mut batch = case.batch();
        for n in 0..1500 {
            let (exhibit, reason) = (model::ExhibitId([7; 32]), format!("{n:0300}"));
            batch.record(model::record::PrivilegeMarked { exhibit, reason });
        }
        batch.commit(&stamp()).unwrap();
    }
    // It is still at work.
    copy(&dir.join("before"), &dir.join("case"));
    let report = verify(&dir.join("case"), Some(&home), &|_| {}).unwrap();
    told(&report, "here are 1");
    drop(case);
}

#[test]
fn an_authoritys_own_log_is_never_begun_anew_or_laid_back() {
    let temp = quick_dir();
    let dir = temp.path();
    let (case, home) = create(dir);
    case.finish().unwrap();
    let own = dir.join("home/authorities/practice.invalid/ledger");
    copy(&own, &dir.join("older"));
    let make = |name: &str| {
        let made = Case::create(&dir.join(name), &home, "Test", &stamp(), "test", Wait::Fail);
        made.and_then(Case::finish)
    };
    make("second").unwrap();
    copy(&own, &dir.join("newer"));
    let authority = home.find("practice.invalid").unwrap();
    let refused = |why: &str, finding: &str| {
        let before = all(&own);
        let error = make("third").unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
        assert!(all(&own) == before, "{why}: it was written to");
        let found = verify_authority(&authority);
        assert!(found.iter().any(|f| f.message.contains(finding)), "{found:?}");
        fs::remove_dir_all(dir.join("third")).unwrap();
    };
    copy(&dir.join("older"), &own);
    refused("the authority has seen 2", "known with 2 entries");
    fs::remove_dir_all(&own).unwrap();
    refused("births of its cases", "births of cases stood in it");
    copy(&dir.join("newer"), &own);
    fs::remove_file(own.join("checkpoint")).unwrap();
    refused("births of its cases", "births of cases stood in it");
    copy(&dir.join("newer"), &own);
    make("third").unwrap();
    assert!(verify_authority(&authority).is_empty());
}

/// What only its newer log speaks of is not dropped from beside an older one.
#[test]
fn a_log_that_was_laid_back_costs_no_opening() {
    let temp = quick_dir();
    let dir = temp.path();
    let (case, home) = create(dir);
    case.finish().unwrap();
    let folder = dir.join("home/authorities/practice.invalid");
    copy(&folder.join("ledger"), &dir.join("older"));
    rotate(&home, Some("yearly".into()), 1_764_000_100_000, "test", Wait::Fail).unwrap();
    copy(&folder.join("ledger"), &dir.join("newer"));
    copy(&dir.join("older"), &folder.join("ledger"));
    let openings = all(&folder.join("openings"));
    let make = || Case::create(&dir.join("more"), &home, "Test", &stamp(), "test", Wait::Fail);
    assert!(make().is_err());
    assert!(openings.len() == 1 && all(&folder.join("openings")) == openings);
    copy(&dir.join("newer"), &folder.join("ledger"));
    open(dir, &home).unwrap().finish().unwrap();
    assert!(verify(&dir.join("case"), Some(&home), &|_| {}).unwrap().is_sound());
}

/// Whatever fails while a case is made, the same command completes it, it is born, and its home goes on.
#[test]
fn a_birth_that_failed_is_recorded_by_the_next_opening() {
    for (last, turn) in [(Last::Failed, false), (Last::Undone, false), (Last::Undone, true)] {
        for n in 0.. {
            let temp = quick_dir();
            let dir = temp.path();
            let home = Home::new(&dir.join("home"));
            home.init("police.example", &[1; 32]).unwrap();
            let make = |name: &str| {
                Case::create(&dir.join(name), &home, "Test", &stamp(), "test", Wait::Fail)
            };
            crash_after(n, last);
            let made = make("case").and_then(Case::finish);
            let came = heal();
            let what = format!("step {n}, {last:?}, {turn}");
            if turn {
                rotate(&home, None, 1_764_000_100_000, "test", Wait::Fail).unwrap();
            }
            if made.is_err() {
                let again = if Case::exists(&dir.join("case")).unwrap() {
                    open(dir, &home)
                } else {
                    make("case")
                };
                again.and_then(Case::finish).unwrap_or_else(|e| panic!("{what}: {e}"));
            }
            let report = verify(&dir.join("case"), Some(&home), &|_| {}).unwrap();
            assert!(report.is_sound(), "{what}: {:?}", report.findings);
            make("second").and_then(Case::finish).unwrap_or_else(|e| panic!("{what}: {e}"));
            let report = verify(&dir.join("second"), Some(&home), &|_| {}).unwrap();
            assert!(report.is_sound(), "{what}: {:?}", report.findings);
            if !came {
                break;
            }
        }
    }
}

/// A rotation that was cut off before its record leaves an opening; the next birth takes that place.
#[test]
fn a_rotation_cut_off_spoils_no_birth() {
    for n in 0.. {
        let temp = quick_dir();
        let dir = temp.path();
        let home = Home::new(&dir.join("home"));
        home.init("police.example", &[1; 32]).unwrap();
        let make =
            |name: &str| Case::create(&dir.join(name), &home, "Test", &stamp(), "test", Wait::Fail);
        make("first").and_then(Case::finish).unwrap();
        crash_after(n, Last::Undone);
        let _ = rotate(&home, Some("k".into()), 1_764_000_100_000, "test", Wait::Fail);
        let came = heal();
        make("case").and_then(Case::finish).unwrap_or_else(|e| panic!("step {n}: {e}"));
        let report = verify(&dir.join("case"), Some(&home), &|_| {}).unwrap();
        assert!(report.is_sound(), "step {n}: {:?}", report.findings);
        if !came {
            break;
        }
    }
}

/// A folder of hard links locks; what would be written through them is the journal alone.
#[test]
fn a_case_of_hard_links_is_told_which_file_to_copy() {
    let temp = quick_dir();
    let dir = temp.path();
    let (case, home) = create(dir);
    case.finish().unwrap();
    let linked =
        Command::new("cp").arg("-al").arg(dir.join("case")).arg(dir.join("links")).status();
    assert!(linked.unwrap().success());
    let error = open(dir, &home).unwrap_err().to_string();
    assert!(error.contains("ledger/journal.own"), "{error}");
    let journal = dir.join("case/ledger/journal");
    let own = dir.join("case/ledger/journal.own");
    fs::copy(&journal, &own).unwrap();
    fs::rename(own, journal).unwrap();
    open(dir, &home).unwrap().finish().unwrap();
}

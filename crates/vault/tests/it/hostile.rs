//! What is no plain file, where a case has one: verifying names it, and never waits for it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::channel;
use std::time::Duration;

use vault::{Home, Report, verify};

/// Long for a small case, and short for who waits for ever.
const SECONDS: Duration = Duration::from_secs(30);

/// Verifies in a thread of its own, which is left behind where it never ends.
pub(crate) fn verified_soon(case: &Path, home: &Home, what: &str) -> vault::Result<Report> {
    let (send, receive) = channel();
    let (case, home) = (case.to_owned(), home.clone());
    std::thread::spawn(move || drop(send.send(verify(&case, Some(&home), &|_| {}))));
    receive.recv_timeout(SECONDS).unwrap_or_else(|_| panic!("verifying hangs at {what}"))
}

fn pipe(at: &Path) {
    assert!(Command::new("mkfifo").arg(at).status().unwrap().success());
}

fn without_end(at: &Path) {
    std::os::unix::fs::symlink("/dev/zero", at).unwrap();
}

/// Every file of the case below `ledger/` and `vault/`, and some that it could have.
fn places(case: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    crate::flip::files(&case.join("ledger"), &mut all);
    crate::flip::files(&case.join("vault"), &mut all);
    let unknown = "ab".repeat(32);
    let more = [
        "ledger/journal".to_owned(),
        "ledger/journal-2".to_owned(),
        "ledger/witnessed/7".to_owned(),
        format!("ledger/contradicting/{unknown}"),
        "vault/openings/000000000099.jsonl".to_owned(),
        format!("vault/exhibits/ab/{unknown}"),
        "lock".to_owned(),
    ];
    all.extend(more.map(|name| case.join(name)));
    all.sort();
    all.dedup();
    all
}

#[test]
fn what_is_no_plain_file_is_named_and_never_waited_for() {
    let temp = crate::life::quick_dir();
    let home = crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    let aside = temp.path().join("aside");
    let all = places(&case);
    assert!(all.len() > 12, "{all:?}");
    for path in all {
        let place = path.strip_prefix(&case).unwrap().display().to_string();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let there = path.exists();
        if there {
            fs::rename(&path, &aside).unwrap();
        }
        for make in [pipe, without_end] {
            make(&path);
            let found = verified_soon(&case, &home, &place);
            fs::remove_file(&path).unwrap();
            // The lock is no part of what is verified.
            let Ok(report) = found else { panic!("{place}: {}", found.unwrap_err()) };
            let named = report.findings.iter().any(|f| {
                f.place.starts_with(&place)
                    && (f.message.contains("not a plain file")
                        || f.message.contains("no plain file"))
            });
            assert!(named || place == "lock", "{place}: {:#?}", report.findings);
            without_advice(&report);
        }
        if there {
            fs::rename(&aside, &path).unwrap();
        }
    }
    let report = verify(&case, Some(&home), &|_| {}).unwrap();
    assert!(report.is_sound(), "{:?}", report.findings);
}

/// A file without an end to speak of is not read into memory.
#[test]
#[allow(clippy::disallowed_types)] // Makes a file longer than any that is written.
fn a_file_of_openings_beyond_the_bound_is_not_read() {
    let temp = crate::life::quick_dir();
    let home = crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    let path = case.join("vault/openings/000000000000.jsonl");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    let report = verified_soon(&case, &home, "a long file").unwrap();
    let longer = |f: &vault::Finding| f.message.contains("longer than 1073741824 bytes");
    assert!(report.findings.iter().any(longer), "{:#?}", report.findings);
    without_advice(&report);
}

/// Lines cost memory beside their bytes: of a gigabyte of line feeds none is kept.
#[test]
fn a_file_of_openings_has_no_more_lines_than_openings() {
    let temp = crate::life::quick_dir();
    let home = crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    let path = case.join("vault/openings/000000000000.jsonl");
    let bytes = fs::read(&path).unwrap();
    for lines in [1 << 20, 200] {
        fs::write(&path, vec![b'\n'; lines]).unwrap();
        let report = verified_soon(&case, &home, "line feeds").unwrap();
        let many = |f: &vault::Finding| f.message.contains("more lines than openings fit");
        assert!(report.findings.iter().any(many), "{:#?}", report.findings);
        without_advice(&report);
    }
    fs::write(&path, bytes).unwrap();
    assert!(verify(&case, Some(&home), &|_| {}).unwrap().is_sound());
}

/// A folder under the name of an unfinished file keeps every writer from his work: it is found, and who
/// writes says what to do.
#[test]
fn a_folder_named_like_an_unfinished_file_is_found() {
    let temp = crate::life::quick_dir();
    let home = crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    for place in ["ledger/.unfinished-x", "vault/exhibits/.unfinished-x", "vault/.unfinished-x"] {
        fs::create_dir(case.join(place)).unwrap();
        let report = verify(&case, Some(&home), &|_| {}).unwrap();
        let named = |f: &vault::Finding| f.place == place && f.message == "it is not a plain file";
        assert!(report.findings.iter().any(named), "{place}: {:#?}", report.findings);
        match vault::Case::open(&case, &home, "test", vault::Wait::Fail, 0) {
            Err(e) => {
                let said = e.to_string();
                assert!(said.contains(place) && said.contains("remove it"), "{said}");
            }
            // Nothing is swept there.
            Ok(_) => assert_eq!(place, "vault/.unfinished-x"),
        }
        fs::remove_dir(case.join(place)).unwrap();
    }
    // What is unfinished where no writer leaves such files is dropped by none.
    let odd = ["vault/.unfinished-2", "vault/exhibits/zz/.unfinished-1"];
    fs::create_dir(case.join("vault/exhibits/zz")).unwrap();
    for place in odd.iter().chain(&["vault/openings/.unfinished-3"]) {
        fs::write(case.join(place), b"x").unwrap();
    }
    crate::life::open(temp.path(), &home).finish().unwrap();
    assert!(!case.join("vault/openings/.unfinished-3").exists());
    let report = verify(&case, Some(&home), &|_| {}).unwrap();
    for place in odd {
        let told = report.notes.iter().find(|n| n.starts_with(place)).unwrap();
        assert!(told.contains("remove it") && !told.contains("the next run"), "{told}");
    }
}

/// A tree of folders without an end to speak of is named, and not gone down.
#[test]
fn a_deep_tree_of_folders_is_a_finding() {
    let temp = crate::life::quick_dir();
    let home = crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    // Longer than a path may be: only who goes down step by step can make it.
    let deep =
        "cd \"$0\"; i=0; cd vault; while [ $i -lt 3000 ]; do mkdir d; cd d; i=$((i+1)); done";
    assert!(Command::new("sh").args(["-c", deep]).arg(&case).status().unwrap().success());
    let report = verified_soon(&case, &home, "a deep tree").unwrap();
    let found: Vec<_> = report.findings.iter().filter(|f| f.message.contains("so deep")).collect();
    assert!(found.len() == 1 && found[0].place.len() < 80, "{:#?}", report.findings);
    assert!(report.findings.len() == 1, "{:#?}", report.findings);
    assert!(Command::new("rm").arg("-rf").arg(case.join("vault/d")).status().unwrap().success());
}

/// Whoever only looked is not told what a command that writes would tell.
#[track_caller]
fn without_advice(report: &Report) {
    let said: Vec<&str> = report.findings.iter().map(|f| f.message.as_str()).collect();
    for advice in ["Nothing was written", "`vigie verify` tells", "run the same command"] {
        assert!(said.iter().all(|said| !said.contains(advice)), "{said:#?}");
    }
}

#[test]
fn many_files_that_nobody_knows_are_waited_for_together() {
    let temp = crate::life::quick_dir();
    let home = crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    let junk = |n: usize| {
        let id = format!("{n:02x}").repeat(32);
        let path = case.join(format!("vault/exhibits/{}/{id}", &id[..2]));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, b"junk").unwrap();
    };
    (0..200).for_each(junk);
    let timed = || {
        let begun = std::time::Instant::now();
        let report = verified_soon(&case, &home, "unknown files").unwrap();
        let unknown = report.findings.iter().filter(|f| f.message == "no record names it");
        assert_eq!(unknown.count(), 200, "{:#?}", report.findings);
        begun.elapsed()
    };
    assert!(timed() < Duration::from_secs(4), "no writer is waited for");
    // Who begins to write drops them; they come back.
    let writer = crate::life::open(temp.path(), &home);
    (0..200).for_each(junk);
    assert!(timed() < Duration::from_secs(12), "a writer is waited for once");
    drop(writer);
}

/// Where the log or an opening is damaged, nothing is said of what the damage may have hidden.
#[test]
fn what_damage_hides_is_not_said_to_be_in_no_record() {
    let temp = crate::life::quick_dir();
    let home = crate::flip::small_case(temp.path());
    let case = temp.path().join("case");
    let look = |what: &str, log: bool| {
        let report = verify(&case, Some(&home), &|_| {}).unwrap();
        assert!(!report.is_sound(), "{what}");
        without_advice(&report);
        let found = report.findings.iter().map(|f| format!("{}: {}", f.place, f.message));
        let said: Vec<String> = found.chain(report.notes).collect();
        for wrong in ["no record yet", "never committed", "no record names it"] {
            assert!(said.iter().all(|said| !said.contains(wrong)), "{what}: {said:#?}");
        }
        let of =
            |place: &str| said.iter().any(|s| s.starts_with(place) && s.contains("remove nothing"));
        assert!(of("vault/exhibits/"), "{what}: {said:#?}");
        assert!(of("vault/openings/") || !log, "{what}: {said:#?}");
    };
    let mut all = Vec::new();
    crate::flip::files(&case, &mut all);
    for path in all {
        let place = path.strip_prefix(&case).unwrap().display().to_string();
        let bytes = fs::read(&path).unwrap();
        let without = |what: &[u8], log: bool| {
            fs::write(&path, what).unwrap();
            look(&place, log);
            fs::write(&path, &bytes).unwrap();
        };
        if place == "ledger/checkpoint" {
            fs::remove_file(&path).unwrap();
            look(&place, true);
            fs::write(&path, &bytes).unwrap();
            without(b"\xff", true);
        } else if place.starts_with("ledger/tile/entries/") {
            // The first length: not an entry can be read.
            without(&[&[0xff, 0xff], &bytes[2..]].concat(), true);
        } else if place.starts_with("vault/openings/")
            && String::from_utf8_lossy(&bytes).contains("leaf")
        {
            without(&bytes[..bytes.len() - 1], false);
            let half = bytes.len() / 2;
            let changed = [&bytes[..half], &[bytes[half] ^ 1], &bytes[half + 1..]].concat();
            fs::write(&path, &changed).unwrap();
            let report = verify(&case, Some(&home), &|_| {}).unwrap();
            assert!(report.notes.iter().all(|n| !n.contains("no record yet")), "{report:#?}");
            fs::write(&path, &bytes).unwrap();
        }
    }
    assert!(verify(&case, Some(&home), &|_| {}).unwrap().is_sound());
}

//! Logs that are not what the views were made of; and that whoever proves changes nothing.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use model::ExhibitId;
use model::record::PrivilegeMarked;

use crate::desk::Desk;
use crate::open::rebuild;
use crate::open::tests::{Bench, PARSERS, work};
use crate::{Error, Report};

/// Every file below a folder with its bytes, but for the lock.
fn bytes(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut all, mut folders) = (BTreeMap::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with("lock") {
                all.insert(
                    path.strip_prefix(dir).unwrap().to_owned(),
                    std::fs::read(&path).unwrap(),
                );
            }
        }
    }
    all
}

fn copy(from: &Path, to: &Path) {
    let done = Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap();
    assert!(done.success());
}

fn check(bench: &Bench, case: &str) -> Report {
    crate::verify(&bench.path(case), &bench.path("home"), None, &|_| {}).unwrap()
}

/// Records something, as a run does that is killed behind it: what it leaves is copied while it stands.
fn killed(bench: &Bench, case: &str, to: &str) {
    let mut desk = Desk::open(&bench.place(case)).unwrap();
    for n in 0..3 {
        let body = PrivilegeMarked { exhibit: ExhibitId([n; 32]), reason: "a lawyer's".into() };
        desk.commit(vec![body.into()]).unwrap();
    }
    copy(&bench.path(case), &bench.path(to));
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.file("a.lines", "one\n");
    bench.open("case", 1);
    bench
}

/// It is told of the evidence, and whoever writes leaves all as it is, but for SQLite's index of its journal.
#[track_caller]
fn told(bench: &Bench, case: &str, words: &str) {
    let lasting = || {
        let mut all = bytes(&bench.path(case));
        all.remove(Path::new("views.sqlite-shm"));
        all
    };
    let before = lasting();
    let report = check(bench, case);
    let found = report.findings.iter().take(report.of_evidence);
    assert!(found.clone().any(|f| f.message.contains(words)), "{:?}", report.findings);
    for refused in
        [Desk::open(&bench.place(case)).err(), rebuild(&bench.place(case), &work(1, PARSERS)).err()]
    {
        let said = refused.unwrap().to_string();
        assert!(said.contains(words) && said.contains("Nothing was changed"), "{said}");
        assert!(said.contains("move views.sqlite* and tables/"), "{said}");
    }
    assert_eq!(lasting(), before);
}

#[test]
#[allow(clippy::disallowed_methods)] // Damage for the test.
fn a_journal_that_was_cut_is_missed_by_the_views() {
    let bench = bench();
    killed(&bench, "case", "killed");
    assert!(check(&bench, "killed").findings.is_empty());
    let journal = bench.path("killed/ledger/journal");
    let whole = std::fs::read(&journal).unwrap();
    copy(&bench.path("killed"), &bench.path("older"));
    for cut in [whole.len() - 10, whole.len() / 2, 0] {
        std::fs::write(&journal, &whole[..cut]).unwrap();
        told(&bench, "killed", "records were lost");
    }
    std::fs::write(&journal, &whole).unwrap();
    Desk::open(&bench.place("killed")).unwrap().close().unwrap();
    assert!(check(&bench, "killed").findings.is_empty());
}

#[test]
fn an_older_log_is_missed_by_the_views() {
    let bench = bench();
    copy(&bench.path("case/ledger"), &bench.path("older"));
    copy(&bench.path("home"), &bench.path("older home"));
    bench.file("b.lines", "two\n");
    bench.open("case", 1);
    std::fs::remove_dir_all(bench.path("case/ledger")).unwrap();
    copy(&bench.path("older"), &bench.path("case/ledger"));
    // The authority's memory is as old.
    std::fs::remove_dir_all(bench.path("home")).unwrap();
    copy(&bench.path("older home"), &bench.path("home"));
    told(&bench, "case", "or an older copy was laid in its place");
    // Without the views the openings tell: whoever went on would sign other records of the same numbers.
    crate::views::Views::remove(&bench.path("case")).unwrap();
    let refused = Desk::open(&bench.place("case")).err().unwrap().to_string();
    assert!(refused.contains("it was cut or laid back"), "{refused}");
}

#[test]
fn the_log_of_another_case_is_told_by_the_views() {
    let bench = bench();
    bench.open("other", 1);
    for folder in ["ledger", "vault/openings"] {
        let path = bench.path("case").join(folder);
        std::fs::remove_dir_all(&path).unwrap();
        copy(&bench.path("other").join(folder), &path);
    }
    told(&bench, "case", "it was laid in the place of the other");
}

/// Views that are behind the log, or of another layout, are none of this.
#[test]
fn views_that_know_less_are_brought_up() {
    let bench = bench();
    copy(&bench.path("case/views.sqlite"), &bench.path("older"));
    bench.file("b.lines", "two\n");
    bench.open("case", 1);
    copy(&bench.path("older"), &bench.path("case/views.sqlite"));
    Desk::open(&bench.place("case")).unwrap().close().unwrap();
    let db = rusqlite::Connection::open(bench.path("case/views.sqlite")).unwrap();
    db.execute_batch(
        "UPDATE meta SET value = 9999 WHERE name = 'applied'; PRAGMA user_version = 1;",
    )
    .unwrap();
    drop(db);
    Desk::open(&bench.place("case")).unwrap().close().unwrap();
    bench.open("case", 1);
    assert!(check(&bench, "case").findings.is_empty());
}

/// Whoever proves changes no byte and no name: neither where all was closed in good order, nor where a
/// run was killed and SQLite's journal waits.
#[test]
#[allow(clippy::disallowed_methods)] // What a killed run may leave.
fn verifying_changes_nothing() {
    let bench = bench();
    killed(&bench, "case", "killed");
    assert!(bytes(&bench.path("killed")).contains_key(Path::new("views.sqlite-wal")));
    copy(&bench.path("killed"), &bench.path("moved"));
    std::fs::remove_file(bench.path("moved/views.sqlite-shm")).unwrap();
    for case in ["case", "killed", "moved"] {
        let before = bytes(&bench.path(case));
        let report = check(&bench, case);
        assert!(report.findings.is_empty(), "{case}: {:?}", report.findings);
        assert!(report.exhibits > 0, "{case}");
        assert_eq!(bytes(&bench.path(case)), before, "{case}");
    }
    // Other readers meet writers in the journal's index; the journal is left to those.
    let journal = bench.path("killed/views.sqlite-wal");
    let before =
        (std::fs::read(&journal).unwrap(), std::fs::read(bench.path("killed/views.sqlite")));
    let reader = crate::read::Reader::open(&bench.path("killed")).unwrap();
    drop(reader.snapshot().unwrap());
    drop(reader);
    assert_eq!(std::fs::read(&journal).unwrap(), before.0);
    assert_eq!(std::fs::read(bench.path("killed/views.sqlite")).unwrap(), before.1.unwrap());
    assert!(matches!(
        crate::read::Reader::open(&bench.path("nowhere")).unwrap_err(),
        Error::NoCase(_)
    ));
}

//! `kill -9` while a case is being made: what `verify` says of it then is what happened.

use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::Bench;

#[allow(clippy::disallowed_methods)] // Material for the test.
fn put(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
    std::fs::write(path, text).expect("a file");
}

/// What `verify` may say of a case whose making was cut off: that there is none yet, or that what there is
/// holds. Never that something is wrong, since nothing is.
fn told(bench: &Bench, (name, home): (&str, &str), moment: Duration) -> &'static str {
    let mut verify = bench.command(&["verify", name]);
    let out = verify.env("VIGIE_HOME", bench.path(home)).output().expect("it runs");
    let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
    assert!(!said.contains("WRONG"), "stopped after {moment:?}: {said}");
    match out.status.code() {
        Some(0) => {
            assert!(said.contains(" holds: "), "{said}");
            if said.contains("the views are not whole") { "views" } else { "holds" }
        }
        Some(3) if said.contains("holds no case yet") => {
            let next = format!("give it again (`vigie open --case {name} PATH`)");
            assert!(said.contains(&next), "{said}");
            "unmade"
        }
        Some(3) => {
            let none = format!("{name} holds no case: ");
            assert!(said.contains(&none) && said.contains("`vigie open --case"), "{said}");
            "none"
        }
        code => panic!("stopped after {moment:?}, {code:?}: {said}"),
    }
}

#[test]
fn a_case_whose_making_was_cut_off_is_told_as_that() {
    let bench = Bench::new();
    put(&bench.path("m/hosts.txt"), "198.18.0.7\n");
    // With an authority at hand, and with none, whose key and log are then begun beside the case.
    let mut seen = std::collections::BTreeMap::new();
    for authority in [true, false] {
        let open = |name: &str, home: &str| {
            let mut command = bench.command(&["open", "--case", name, "m"]);
            command.env("VIGIE_HOME", bench.path(home)).stdout(Stdio::null()).stderr(Stdio::null());
            command
        };
        if authority {
            bench.ok(&["authority", "init", "police.example"]);
        }
        let begun = Instant::now();
        assert!(open(&format!("whole-{authority}"), "home").status().expect("it runs").success());
        let length = begun.elapsed();
        for n in 0..60u32 {
            let name = format!("case-{authority}-{n}");
            let home = if authority { "home".to_owned() } else { format!("home-{n}") };
            let moment = length * n / 60;
            let mut child = open(&name, &home).spawn().expect("it runs");
            std::thread::sleep(moment);
            let _ = child.kill();
            child.wait().expect("it ends");
            *seen.entry(told(&bench, (&name, &home), moment)).or_insert(0) += 1;
            if n % 6 == 0 {
                assert!(open(&name, &home).status().expect("it runs").success(), "{name}");
                assert_eq!(told(&bench, (&name, &home), moment), "holds", "{name}");
            }
        }
    }
    assert!(seen.contains_key("holds") && seen.len() > 1, "no making was cut off: {seen:?}");
}

/// Every file but the lock.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let (mut all, mut folders) = (Vec::new(), vec![dir.to_owned()]);
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).expect("a folder") {
            let path = item.expect("an item").path();
            if path.is_dir() { folders.push(path) } else { all.push(path) }
        }
    }
    all.retain(|path| path.file_name().is_some_and(|name| name != "lock"));
    all.sort();
    all
}

/// A case that was begun is made once: whoever kept a copy of the beginning cannot begin it again beside
/// the one that grew from it, and the authority keeps what it has seen.
#[test]
#[allow(clippy::disallowed_methods)] // A copy for the test.
fn a_beginning_is_completed_once() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    put(&bench.path("m/hosts.txt"), "198.18.0.7\n");
    put(&bench.path("other/hosts.txt"), "198.18.0.8\n");
    let authority = ledger::Home::new(&bench.path("home")).find("police.example").expect("a key");
    let origin = "police.example/case/01999999-0000-7000-8000-000000000001";
    let none = model::Sha256Hex::of(b"").0;
    let begun = authority.signer(origin).expect("a key").sign(0, &none);
    for name in ["case", "begun"] {
        put(&bench.path(&format!("{name}/ledger/checkpoint")), &begun);
    }
    bench.ok(&["open", "--case", "case", "m"]);
    let out = bench.run(&["open", "--case", "begun", "other"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("but the authority has seen"), "{said}");
    assert!(bench.ok(&["verify", "case"]).contains(" holds: "));
    // Made with an older copy of the authority's folder, it has another first record than the one whose
    // birth was recorded.
    let home = bench.path("home/authorities/police.example");
    let log = ledger::Home::new(&bench.path("home")).find("police.example").expect("a key");
    let recorded = bench.path("recorded");
    std::fs::rename(home.join("ledger"), &recorded).expect("it goes");
    std::fs::rename(home.join("seen"), bench.path("seen")).expect("it goes");
    bench.ok(&["open", "--case", "begun", "other"]);
    std::fs::remove_dir_all(home.join("ledger")).expect("it goes");
    std::fs::remove_dir_all(home.join("seen")).expect("it goes");
    std::fs::rename(&recorded, log.log_dir()).expect("it comes back");
    let out = bench.run(&["verify", "begun"]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("the log signed another history"), "{said}");
    let out = bench.run(&["open", "--case", "begun", "m"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{said}");
    assert!(said.contains("is not the log that the authority has seen"), "{said}");
}

/// A case was begun, and the authority got its name, or another key, before its first record: it is made
/// under the authority that is, since nothing was recorded under the one that was.
#[test]
fn a_beginning_under_another_key_is_begun_anew() {
    let bench = Bench::new();
    put(&bench.path("m/hosts.txt"), "198.18.0.7\n");
    bench.ok(&["open", "--case", "practice", "m"]);
    let home = ledger::Home::new(&bench.path("home"));
    let none = model::Sha256Hex::of(b"").0;
    let begin = |authority: &str, case: &str| {
        let origin = format!("{authority}/case/01999999-0000-7000-8000-000000000002");
        let key = home.find(authority).expect("a key").signer(&origin).expect("a key");
        put(&bench.path(&format!("{case}/ledger/checkpoint")), &key.sign(0, &none));
        put(&bench.path(&format!("{case}/vault/openings/000000000000.jsonl")), "half an ope");
    };
    begin("practice.invalid", "a");
    bench.ok(&["authority", "init", "police.example"]);
    bench.ok(&["open", "--case", "a", "m"]);
    assert!(bench.ok(&["verify", "a"]).contains("police.example/case/"));
    begin("police.example", "b");
    bench.ok(&["authority", "rotate"]);
    bench.ok(&["open", "--case", "b", "m"]);
    assert!(bench.ok(&["verify", "b"]).contains(" holds: "));
    // What another home began it alone can tell of: said once, with what to do.
    begin("police.example", "c");
    let mut open = bench.command(&["open", "--case", "c", "m"]);
    let out = open.env("VIGIE_HOME", bench.path("other")).output().expect("it runs");
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.code() == Some(3) && said.contains("--home"), "{said}");
}

/// What was taken away from a case is no making that was cut off.
#[test]
#[allow(clippy::disallowed_methods)] // Damage for the test.
fn a_case_whose_log_was_taken_away_is_a_finding() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    put(&bench.path("m/hosts.txt"), "198.18.0.7\n");
    let wrong = |name: &str| {
        let out = bench.run(&["verify", name]);
        let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert_eq!(out.status.code(), Some(1), "{name}: {said}");
        // Nothing is made over it, and nothing of it is dropped.
        let before = files(&bench.path(name));
        let out = bench.run(&["open", "--case", name, "m"]);
        let refused = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(3), "{name}: {refused}");
        assert_eq!(files(&bench.path(name)), before, "{name}: {refused}");
        said
    };
    // The log's files are gone, all else is there.
    bench.ok(&["open", "--case", "a", "m"]);
    std::fs::remove_dir_all(bench.path("a/ledger")).expect("it goes");
    std::fs::create_dir(bench.path("a/ledger")).expect("a folder");
    let said = wrong("a");
    assert!(said.contains("no checkpoint and no first record says whose log it is"), "{said}");
    assert!(!said.contains("cannot name an authority"), "{said}");
    // Exhibits alone are left, or views alone.
    for (name, gone) in [("b", "views.sqlite"), ("c", "vault")] {
        bench.ok(&["open", "--case", name, "m"]);
        for part in ["ledger", "tables", gone] {
            let path = bench.path(name).join(part);
            let removed = if path.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
            removed.expect("it goes");
        }
        std::fs::create_dir(bench.path(name).join("ledger")).expect("a folder");
        wrong(name);
    }
    // The log's folder is gone; then a first opening alone is left, which no making leaves.
    bench.ok(&["open", "--case", "e", "m"]);
    std::fs::remove_dir_all(bench.path("e/ledger")).expect("it goes");
    let said = wrong("e");
    assert!(said.contains("no checkpoint and no first record says whose log it is"), "{said}");
    assert!(said.contains("The case in e does not hold"), "{said}");
    assert!(!said.contains("holds no case"), "{said}");
    let first = std::fs::read(bench.path("e/vault/openings/000000000000.jsonl")).expect("a file");
    std::fs::remove_dir_all(bench.path("e")).expect("it goes");
    std::fs::create_dir_all(bench.path("e/vault/openings")).expect("a folder");
    std::fs::write(bench.path("e/vault/openings/000000000000.jsonl"), first).expect("a file");
    wrong("e");
    std::fs::create_dir(bench.path("e/ledger")).expect("a folder");
    wrong("e");
    // A log that begins anew under the origin that the authority saw grow.
    bench.ok(&["open", "--case", "d", "m"]);
    let report = bench.json(&["verify", "--json", "d"]);
    let origin = report["origin"].as_str().expect("an origin").to_owned();
    std::fs::remove_dir_all(bench.path("d")).expect("it goes");
    let authority = ledger::Home::new(&bench.path("home")).find("police.example").expect("a key");
    let none = model::Sha256Hex::of(b"").0;
    let begun = authority.signer(&origin).expect("a key").sign(0, &none);
    put(&bench.path("d/ledger/checkpoint"), &begun);
    let said = wrong("d");
    assert!(said.contains("it is known with"), "{said}");
    assert!(
        said.contains("the record that opens the case, and names its key, is not there"),
        "{said}"
    );
}

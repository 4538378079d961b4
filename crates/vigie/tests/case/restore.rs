//! Restoring what is damaged, what is another's, and under whoever reads: from outside.
#![allow(clippy::disallowed_methods)] // Backups are damaged, copies planted.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::backup::{files, prepared, said};
use crate::bench::Bench;
use crate::console::Console;

fn flip(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    bytes[at] ^= 1;
    let _ = std::fs::remove_file(path);
    std::fs::write(path, bytes).unwrap();
}

/// The files of a backup below a folder, the smallest first.
fn below(bench: &Bench, folder: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&bench.path(folder), &mut all);
    all.sort_by_key(|path| (std::fs::metadata(path).unwrap().len(), path.clone()));
    all
}

fn hash_of(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// Whatever is damaged, the rest is copied and stays for reading, and each damage is named.
#[test]
fn a_damaged_backup_stays_beside_the_case_and_every_damage_is_named() {
    let bench = prepared(41);
    bench.ok(&["backup", "--to", "second"]);
    let exhibits = below(&bench, "second/vault/exhibits");
    let restore = ["restore", "--from", "second", "--case", "new"];
    let mut damaged = vec![
        below(&bench, "second/vault/openings").pop().unwrap(),
        below(&bench, "second/ledger/tile/entries").pop().unwrap(),
    ];
    for path in damaged.clone() {
        let good = std::fs::read(&path).unwrap();
        for at in [0, good.len() / 2, good.len() - 1] {
            flip(&path, at);
            let text = said(&bench, &restore, 1);
            let place = path.strip_prefix(bench.path("second")).unwrap().display().to_string();
            let of_entries = place.contains("entries") && text.contains("ledger");
            assert!(text.contains("WRONG") && (text.contains(&place) || of_entries), "{text}");
            assert!(text.contains("new.restoring"), "{text}");
            let copied = below(&bench, "new.restoring/vault/exhibits").len();
            assert_eq!(copied, exhibits.len(), "{place} at {at}: {text}");
            assert!(!bench.path("new").exists());
            std::fs::write(&path, &good).unwrap();
        }
    }
    // All at once: the two files, one exhibit of which a byte is another, and one that is gone.
    damaged.push(exhibits[0].clone());
    damaged.iter().for_each(|path| flip(path, 0));
    std::fs::remove_file(&exhibits[1]).unwrap();
    let text = said(&bench, &restore, 1);
    assert!(!text.contains(&format!("{}: it is missing", hash_of(&exhibits[0]))), "{text}");
    assert!(bench.path("new.restoring/vault/exhibits").is_dir(), "{text}");
    // What can be restored by no flag is not.
    let refused = said(&bench, &[&restore[..], &["--accept-damaged"]].concat(), 1);
    assert!(refused.contains("nothing took its place") && !bench.path("new").exists());
    // The case has what the backup lost.
    bench.ok(&["backup", "--to", "second", "--check"]);
    bench.ok(&restore);
    bench.ok(&["verify", "new"]);
}

/// An exhibit that nobody has whole any more does not take the others with it.
#[test]
fn what_is_beyond_repair_is_left_behind_only_where_that_is_said() {
    let bench = prepared(42);
    bench.ok(&["backup", "--to", "second"]);
    let exhibits = below(&bench, "second/vault/exhibits");
    let (lost, gone) = (&exhibits[0], &exhibits[1]);
    flip(lost, 0);
    std::fs::remove_file(gone).unwrap();
    let before = bench.json(&["verify", "--json", "case"]);
    let restore = ["restore", "--from", "second", "--case", "case", "--replace"];
    let text = said(&bench, &restore, 1);
    assert!(text.contains(&format!("{}: it is damaged", hash_of(lost))), "{text}");
    assert!(text.contains(&format!("{}: it is missing", hash_of(gone))), "{text}");
    assert!(text.contains("--accept-damaged") && text.contains("case.restoring"), "{text}");
    assert_eq!(bench.json(&["verify", "--json", "case"]), before);
    let text = said(&bench, &[&restore[..], &["--accept-damaged"]].concat(), 1);
    assert!(text.contains("2 exhibits DAMAGED or missing"), "{text}");
    assert!(text.contains("case.before-restore-1") && !bench.path("case.restoring").exists());
    // Each verification says it again, and the case is worked with.
    let out = bench.run(&["views", "rebuild"]);
    let told =
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    let text = said(&bench, &["verify", "case"], 1);
    assert!(text.contains(&format!("{}: it is damaged", hash_of(lost))), "{text}");
    assert!(text.contains(&format!("{}: it is missing", hash_of(gone))), "{text}");
    assert!(told.contains(&hash_of(gone)), "{told}");
    assert!(!bench.ok(&["facts", "--json"]).is_empty(), "{told}{text}");
}

#[test]
fn a_mark_that_names_another_case_is_a_finding() {
    let bench = prepared(43);
    bench.ok(&["backup", "--to", "second"]);
    let mark = bench.path("second/backup");
    let length = std::fs::metadata(&mark).unwrap().len() as usize;
    for at in [2, length - 4] {
        flip(&mark, at);
        let text = said(&bench, &["restore", "--from", "second", "--case", "new"], 1);
        assert!(text.contains("backup of ") && !bench.path("new").exists(), "{text}");
        said(&bench, &["restore", "--drill"], 1);
        bench.ok(&["backup", "--to", "second"]);
        bench.ok(&["restore", "--drill"]);
    }
}

#[test]
fn copies_beside_the_case_are_named_and_the_next_run_removes_its_own() {
    let bench = prepared(44);
    bench.ok(&["backup", "--to", "second"]);
    // What a killed trial and a killed restore leave.
    let plant = |name: &str| {
        std::fs::create_dir_all(bench.path(name).join("vault/exhibits")).unwrap();
        std::fs::write(bench.path(name).join("vault/exhibits/seized"), "seized").unwrap();
        std::fs::write(bench.path(name).join("lock"), "process 1, killed\n").unwrap();
    };
    plant("case.drill");
    plant("case.restoring");
    plant("case.before-restore-3");
    plant("case.before-restore-x");
    let report = bench.ok(&["erase", "--report"]);
    for name in ["case.drill", "case.restoring", "case.before-restore-3"] {
        assert!(report.contains(&format!("rm -rf {name}")), "{name}: {report}");
    }
    assert!(!report.contains("before-restore-x"), "{report}");
    let json = bench.json(&["erase", "--report", "--json"]);
    assert_eq!(json["copies_beside"].as_array().unwrap().len(), 3, "{json}");
    // Whoever erases is told too.
    let last = "SELECT id FROM exhibit ORDER BY record DESC LIMIT 1";
    let id = bench.json(&["sql", "--json", last])["id"].clone();
    let why = ["--basis", "art. 16", "--reason", "request 7"];
    let words = [&["erase", "--exhibit", id.as_str().unwrap()], &why[..]].concat();
    let text = bench.ok(&words);
    assert!(text.contains("NOT erased in the copy") && text.contains("case.before-restore-3"));
    bench.ok(&["backup", "--to", "second"]);
    bench.ok(&["restore", "--drill"]);
    assert!(!bench.path("case.drill").exists());
    plant("case.drill");
    bench.ok(&["restore", "--from", "second", "--case", "case", "--replace"]);
    let left: Vec<Value> = bench.json(&["erase", "--report", "--json"])["copies_beside"]
        .as_array()
        .unwrap()
        .iter()
        .map(|left| left["path"].clone())
        .collect();
    assert_eq!(left, ["case.before-restore-1", "case.before-restore-3"]);
}

#[test]
fn a_place_that_is_none_makes_no_folder() {
    let bench = Bench::new();
    std::fs::write(bench.path("notes.txt"), "198.18.0.77").unwrap();
    bench.ok(&["open", "notes.txt"]);
    let before = below(&bench, ".").len();
    for place in ["", "s3:/x", "s3:x", "file:///x", "http://x/y", "gs://x", "~/x"] {
        for words in [["backup", "--to", place], ["restore", "--from", place]] {
            let text = said(&bench, &words, 2);
            assert!(text.contains(words[1]) && text.lines().count() == 1, "{place}: {text}");
        }
    }
    let text = said(
        &bench,
        &["backup", "--to", "S3://bucket/x"],
        if cfg!(feature = "s3") { 3 } else { 2 },
    );
    assert!(text.contains("s3://bucket/x"), "{text}");
    assert_eq!(below(&bench, ".").len(), before);
}

#[test]
fn the_backup_of_another_case_is_no_trial_of_this_one() {
    let bench = prepared(45);
    std::fs::write(bench.path("notes.txt"), "198.18.0.77").unwrap();
    bench.ok(&["open", "--case", "other", "notes.txt"]);
    bench.ok(&["backup", "--to", "second"]);
    bench.ok(&["backup", "--case", "other", "--to", "third"]);
    let origin =
        |case: &str| bench.json(&["verify", "--json", case])["origin"].as_str().unwrap().to_owned();
    let text = said(&bench, &["restore", "--drill", "--from", "third"], 2);
    assert!(text.contains(&origin("case")) && text.contains(&origin("other")), "{text}");
    assert!(!bench.path("case.drill").exists());
}

#[test]
fn the_last_backup_and_trial_stand_in_the_summary() {
    let bench = Bench::new();
    std::fs::write(bench.path("notes.txt"), "198.18.0.77").unwrap();
    std::fs::write(bench.path("more.txt"), "198.18.0.78").unwrap();
    let opened = bench.json(&["open", "--json", "notes.txt"]);
    assert_eq!((&opened["backup"], &opened["drill"]), (&Value::Null, &Value::Null), "{opened}");
    bench.ok(&["backup", "--to", "second"]);
    bench.ok(&["restore", "--drill"]);
    let opened = bench.json(&["open", "--json", "more.txt"]);
    let place = bench.path("second").canonicalize().unwrap().display().to_string();
    assert_eq!(opened["backup"]["place"], place.as_str(), "{opened}");
    assert!(opened["backup"]["behind"].as_u64().unwrap() > 0, "{opened}");
    assert_eq!(opened["drill"]["place"], place.as_str(), "{opened}");
    assert_eq!(opened["drill"]["verdict"], "holds", "{opened}");
    assert_eq!(opened["drill"]["behind"], 0, "{opened}");
    assert!(opened["drill"]["when"].as_str().unwrap().starts_with("20"), "{opened}");
}

/// A case that is replaced under a console: it says what to do, and goes on once that is done.
#[test]
fn a_console_whose_case_is_replaced_says_what_to_do_and_goes_on() {
    let bench = prepared(46);
    bench.ok(&["backup", "--to", "second"]);
    bench.ok(&["restore", "--drill"]);
    let console = Console::start(&bench, &[]);
    let pages = ["/", "/log", "/exhibits", "/entities?kind=Server"];
    pages.iter().for_each(|page| assert_eq!(console.get(page).0, 200, "{page}"));
    let (_, overview) = console.get("/");
    assert!(overview.contains("restore tried on") && overview.contains("/second"), "{overview}");
    let (_, json) = console.get("/?format=json");
    let document: Value = serde_json::from_str(json.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    assert_eq!(document["drill"]["verdict"], "holds", "{json}");
    assert!(document["backup"]["place"].as_str().unwrap().ends_with("/second"), "{json}");
    bench.ok(&["restore", "--from", "second", "--case", "case", "--replace"]);
    for page in pages {
        let (code, answer) = console.get(page);
        assert_eq!(code, 503, "{page}: {answer}");
        assert!(answer.contains("vigie views rebuild --case case"), "{page}: {answer}");
    }
    bench.ok(&["views", "rebuild"]);
    pages.iter().for_each(|page| assert_eq!(console.get(page).0, 200, "{page}"));
}

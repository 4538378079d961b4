//! Backing up, losing, restoring: from outside.
#![allow(clippy::disallowed_methods)] // Cases are damaged and laid back.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::bench::Bench;

pub(crate) fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

pub(crate) fn holding(dir: &Path, text: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(dir, &mut all);
    all.retain(|path| {
        let bytes = std::fs::read(path).unwrap();
        path.to_string_lossy().contains(text)
            || bytes.windows(text.len()).any(|w| w == text.as_bytes())
    });
    all
}

pub(crate) fn copy_tree(source: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for item in std::fs::read_dir(source).unwrap() {
        let item = item.unwrap();
        let target = to.join(item.file_name());
        if item.path().is_dir() {
            copy_tree(&item.path(), &target);
        } else {
            std::fs::copy(item.path(), &target).unwrap();
        }
    }
}

pub(crate) fn said(bench: &Bench, words: &[&str], code: i32) -> String {
    let out = bench.run(words);
    let said =
        format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr));
    assert_eq!(out.status.code(), Some(code), "{words:?}: {said}");
    said
}

pub(crate) fn prepared(seed: u64) -> Bench {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, seed);
    bench.open("case", &seizure);
    bench
}

#[test]
fn a_lost_case_is_restored_and_goes_on() {
    let bench = prepared(31);
    let made = bench.json(&["backup", "--to", "second", "--json"]);
    assert!(made["exhibits"].as_u64().unwrap() > 3, "{made}");
    let before: Value = bench.json(&["verify", "--json", "case"]);
    assert_eq!(made["records"], before["records"]);
    // Nothing is new: nothing is copied, nothing is recorded.
    let again = bench.json(&["backup", "--to", "second", "--json"]);
    assert_eq!((again["written"].as_u64(), again["record"].is_null()), (Some(0), true), "{again}");
    let text = bench.ok(&["backup", "--to", "second"]);
    assert!(text.contains("is up to date"), "{text}");
    // No key is in it, and no view.
    for text in ["PRIVATE+KEY", "SQLite format 3"] {
        assert_eq!(holding(&bench.path("second"), text), Vec::<PathBuf>::new());
    }

    // On trial, by what the log says of the last backup; then for good.
    let drilled = bench.json(&["restore", "--drill", "--json"]);
    assert_eq!((drilled["sound"].as_bool(), drilled["behind"].as_u64()), (Some(true), Some(0)));
    assert!(!bench.path("case.drill").exists());
    bench.ok(&["backup", "--to", "second"]);
    let facts = bench.ok(&["facts", "--json"]);
    let refused = said(&bench, &["restore", "--from", "second", "--case", "case"], 2);
    assert!(refused.contains("--replace"), "{refused}");
    std::fs::remove_dir_all(bench.path("case")).unwrap();
    let restored = bench.json(&["restore", "--from", "second", "--case", "case", "--json"]);
    assert_eq!((&restored["lost"], &restored["kept"]), (&Value::Null, &Value::Null), "{restored}");
    bench.ok(&["views", "rebuild"]);
    assert_eq!(bench.ok(&["facts", "--json"]), facts);
    bench.ok(&["verify", "case"]);
    // Over a case that stands there, which is kept.
    let text = bench.ok(&["restore", "--from", "second", "--case", "case", "--replace"]);
    assert!(text.contains("case.before-restore-1"), "{text}");
    bench.ok(&["verify", "case.before-restore-1"]);
    // What was recorded since the backup is lost, and that is said.
    assert!(text.contains("LOST") && text.contains("fork the log"), "{text}");
    bench.ok(&["verify", "case.before-restore-1"]);
}

#[test]
fn what_is_erased_goes_from_the_backup_and_the_report_says_where_it_is_until_then() {
    let bench = prepared(32);
    bench.ok(&["backup", "--to", "second"]);
    let query = "SELECT id FROM exhibit WHERE container IS NULL OR container = ''";
    let line = bench.ok(&["sql", "--json", query]);
    // The first is the address table.
    let last: Value = serde_json::from_str(line.lines().last().unwrap()).unwrap();
    let exhibit = last["id"].as_str().unwrap().to_owned();
    let hex = &exhibit;
    let bytes = std::fs::read(bench.path("case/vault/exhibits").join(&hex[..2]).join(hex)).unwrap();
    assert!(!holding(&bench.path("second"), hex).is_empty());
    bench.ok(&["erase", "--exhibit", hex, "--basis", "art. 16", "--reason", "request 7"]);
    let report = bench.ok(&["erase", "--report"]);
    assert!(report.contains("remains in the backup") && report.contains("second"), "{report}");
    let text = bench.ok(&["backup", "--to", "second"]);
    assert!(text.contains("Erased there"), "{text}");
    assert_eq!(holding(&bench.path("second"), hex), Vec::<PathBuf>::new());
    let part = &bytes[..bytes.len().min(64)];
    let mut all = Vec::new();
    files(&bench.path("second"), &mut all);
    for path in all.iter().filter(|path| path.starts_with(bench.path("second/vault"))) {
        let found = std::fs::read(path).unwrap();
        assert!(!(found.len() == bytes.len() && found.starts_with(part)), "{}", path.display());
    }
    let report = bench.ok(&["erase", "--report"]);
    assert!(!report.contains("remains in the backup"), "{report}");
    let drilled = bench.json(&["restore", "--drill", "--json"]);
    assert_eq!(drilled["sound"], true, "{drilled}");
}

#[test]
fn a_case_laid_back_is_refused_and_a_backup_that_does_not_hold_replaces_nothing() {
    let bench = prepared(33);
    copy_tree(&bench.path("case"), &bench.path("older"));
    copy_tree(&bench.path("home"), &bench.path("older-home"));
    let query = "SELECT id FROM exhibit WHERE container IS NULL OR container = ''";
    let line = bench.ok(&["sql", "--json", query]);
    let first: Value = serde_json::from_str(line.lines().next().unwrap()).unwrap();
    let exhibit = first["id"].as_str().unwrap();
    bench.ok(&["privilege", "mark", exhibit, "--reason", "counsel"]);
    bench.ok(&["backup", "--to", "second"]);
    // The home laid back with it: only the backup can tell.
    let words = ["--home", "older-home", "backup", "--case", "older", "--to", "second"];
    let text = said(&bench, &words, 3);
    for word in ["does not go on", "cut, laid back", "Nothing was changed", "root"] {
        assert!(text.contains(word), "{word} is not in {text}");
    }
    let text = said(&bench, &["backup", "--to", "case/inside"], 2);
    assert!(text.contains("case's own folder"), "{text}");
    let text = said(&bench, &["backup", "--to", "seizure"], 2);
    assert!(text.contains("is not empty"), "{text}");
    let text = said(&bench, &["restore", "--from", "seizure", "--case", "new"], 2);
    assert!(text.contains("holds no backup"), "{text}");
    assert!(!bench.path("new").exists() && !bench.path("new.restoring").exists());

    // One flipped byte of an exhibit in the backup.
    let path = bench.path("second/vault/exhibits").join(&exhibit[..2]).join(exhibit);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[0] ^= 1;
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, bytes).unwrap();
    let before = bench.json(&["verify", "--json", "case"]);
    let words = ["restore", "--from", "second", "--case", "case", "--replace"];
    let text = said(&bench, &words, 1);
    assert!(text.contains("nothing took its place") && text.contains("case.restoring"), "{text}");
    assert_eq!(bench.json(&["verify", "--json", "case"]), before);
    let text = said(&bench, &["restore", "--drill"], 1);
    assert!(text.contains("does NOT hold"), "{text}");
    let text = bench.ok(&["backup", "--to", "second", "--check"]);
    assert!(text.contains("put right there"), "{text}");
    let drilled = bench.json(&["restore", "--drill", "--json"]);
    assert_eq!(drilled["sound"], true, "{drilled}");
}

#[test]
fn a_full_disk_in_a_restore_leaves_the_case_alone() {
    let bench = prepared(34);
    bench.ok(&["backup", "--to", "second"]);
    let before = bench.json(&["verify", "--json", "case"]);
    // Too small files are all that this process may write.
    let out = std::process::Command::new("sh")
        .args([
            "-c",
            "ulimit -f 8; trap '' XFSZ; exec \"$0\" restore --from second --case case --replace",
        ])
        .arg(env!("CARGO_BIN_EXE_vigie"))
        .current_dir(bench.path("."))
        .env("VIGIE_HOME", bench.path("home"))
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{text}");
    assert_eq!(bench.json(&["verify", "--json", "case"]), before);
    assert!(!bench.path("case.restoring").exists(), "{text}");
}

/// The process is killed while it erases from a backup: what is there restores whole, whenever it was,
/// and the next run leaves nothing.
#[test]
fn killed_at_any_moment_a_backup_restores_and_the_next_run_erases() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    for n in 0..30 {
        let text = format!("villa-{n}.example\n{}", "another.example\n".repeat(9));
        std::fs::write(bench.path(&format!("pile/hosts-{n}.txt")), text).unwrap();
    }
    bench.json(&["open", "--json", "pile"]);
    bench.ok(&["backup", "--to", "second"]);
    let query = "SELECT id FROM exhibit WHERE name LIKE '%hosts-7.txt'";
    let exhibit = bench.json(&["sql", "--json", query])["id"].as_str().unwrap().to_owned();
    bench.ok(&["erase", "--exhibit", &exhibit, "--basis", "art. 16", "--reason", "request 7"]);
    let words = ["backup", "--to", "second"];
    let folders = ["case", "home", "second"];
    let kept = |name: &str| bench.path(&format!("kept-{name}"));
    folders.iter().for_each(|name| copy_tree(&bench.path(name), &kept(name)));
    let begun = std::time::Instant::now();
    bench.ok(&words);
    let length = begun.elapsed();
    let (mut before, mut after) = (0, 0);
    for part in 0..16u32 {
        for name in folders {
            std::fs::remove_dir_all(bench.path(name)).unwrap();
            copy_tree(&kept(name), &bench.path(name));
            let key = bench.path("home/authorities/practice.invalid/key");
            if name == "home" {
                use std::os::unix::fs::PermissionsExt;
                std::fs::set_permissions(key, std::fs::Permissions::from_mode(0o600)).unwrap();
            }
        }
        let mut child = (bench.command(&words))
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(length.mul_f64(f64::from(part) / 16.0));
        let _ = child.kill();
        child.wait().unwrap();
        let _ = std::fs::remove_dir_all(bench.path("again"));
        let restored = bench.json(&["restore", "--from", "second", "--case", "again", "--json"]);
        assert_eq!(restored["sound"], true, "killed at {part}/16: {restored}");
        let there = !holding(&bench.path("again"), "villa-7.example").is_empty();
        if there {
            before += 1
        } else {
            after += 1
        }
        bench.ok(&words);
        for text in ["villa-7.example", "hosts-7.txt", &exhibit] {
            let found = holding(&bench.path("second"), text);
            assert_eq!(found, Vec::<PathBuf>::new(), "killed at {part}/16: {text}");
        }
        // A run that was killed before its record is made up for by the next one's.
        let report = bench.ok(&["erase", "--report"]);
        assert!(!report.contains("remains in the backup"), "killed at {part}/16: {report}");
    }
    assert!(before > 0 && before + after == 16, "{before} before, {after} after");
}

#[test]
fn a_restored_backup_takes_no_place_that_is_anothers() {
    let bench = prepared(36);
    bench.ok(&["backup", "--to", "second"]);
    let own = ["restore", "--from", "second", "--replace", "--case"];
    let refused = |case: &str, words: &str| {
        let said = said(&bench, &[&own[..], &[case]].concat(), 2);
        assert!(said.contains(words), "{case}: {said}");
    };
    refused("second", "one within the other");
    refused("second/inner", "lies within the case");
    refused("case/inner", "lies within the case");
    bench.ok(&["open", "--case", "other", "seizure/truth.json"]);
    refused("other", "holds another case");
    bench.ok(&["verify", "other"]);
    bench.ok(&["verify", "case"]);
    let mut left = Vec::new();
    files(&bench.path("."), &mut left);
    assert!(left.iter().all(|path| !path.to_string_lossy().contains("restoring")));
}

/// A trial takes its own record to the backup: what is restored after it goes on.
#[test]
fn after_a_trial_a_restored_case_can_be_continued() {
    let bench = prepared(37);
    bench.ok(&["backup", "--to", "second"]);
    bench.ok(&["restore", "--drill"]);
    std::fs::rename(bench.path("case"), bench.path("lost")).unwrap();
    let restored = bench.ok(&["restore", "--from", "second", "--case", "case"]);
    assert!(!restored.contains("LOST"), "{restored}");
    std::fs::write(bench.path("more.txt"), "198.18.0.77").unwrap();
    bench.ok(&["open", "--case", "case", "more.txt"]);
    bench.ok(&["verify", "case"]);
    // One that comes to no end is recorded too: the last good one would be believed.
    bench.ok(&["backup", "--to", "second"]);
    let records = || bench.json(&["verify", "--json", "case"])["records"].as_u64().unwrap();
    let before = records();
    let mut all = Vec::new();
    files(&bench.path("second/vault/openings"), &mut all);
    all.sort();
    let text = std::fs::read_to_string(&all[1]).unwrap();
    std::fs::write(&all[1], text.replacen("{", "[", 1)).unwrap();
    let out = bench.run(&["restore", "--drill"]);
    assert_ne!(out.status.code(), Some(0));
    assert_eq!(records(), before + 1);
    let log = bench.ok(&["sql", "--case", "case", "--json", "SELECT 1 AS one"]);
    assert!(log.contains("one"));
}

#[test]
fn the_authoritys_key_is_printed_as_others_name_it() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    let line = bench.ok(&["authority", "key"]);
    assert!(line.starts_with("authority police.example+"), "{line}");
    std::fs::write(bench.path("trust"), &line).unwrap();
    std::fs::write(bench.path("notes.txt"), "198.18.0.77").unwrap();
    bench.ok(&["open", "--case", "case", "notes.txt"]);
    let found = bench.json(&["verify", "--json", "--trust", "trust", "case"]);
    assert_eq!(found["signer_confirmed"], true, "{found}");
}

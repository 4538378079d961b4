//! The authority's own folder: backed up, lost, restored.
#![allow(clippy::disallowed_methods)] // Homes are lost, laid back and damaged.

use std::path::{Path, PathBuf};

use crate::backup::{copy_tree, files, holding, said};
use crate::bench::Bench;

const NAME: &str = "practice.invalid";
const BACKUP: [&str; 4] = ["backup", "--authority", "--to", "third"];
const RESTORE: [&str; 4] = ["restore", "--authority", "--from", "third"];

fn opened(bench: &Bench, case: &str, text: &str) {
    let name = format!("{case}.txt");
    std::fs::write(bench.path(&name), text).unwrap();
    bench.ok(&["open", "--case", case, &name]);
}

/// Passes the home by that name, with the key's mode as it must be.
fn lay(bench: &Bench, from: &str, to: &str) {
    let _ = std::fs::remove_dir_all(bench.path(to));
    copy_tree(&bench.path(from), &bench.path(to));
    private(&bench.path(to).join("authorities").join(NAME).join("key"));
}

fn private(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_lost_home_with_a_sealed_key_is_restored_and_goes_on() {
    let bench = Bench::new();
    std::fs::write(bench.path("word"), "correct horse battery\n").unwrap();
    let run = |words: &[&str]| {
        let out = bench.command(words).env("VIGIE_PASSPHRASE_FILE", bench.path("word")).output();
        let out = out.unwrap();
        let said = [out.stdout, out.stderr].concat();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(out.status.success(), "{words:?}: {said}");
        said
    };
    run(&["authority", "init", "police.example"]);
    run(&["authority", "passphrase"]);
    std::fs::write(bench.path("notes.txt"), "198.18.0.77").unwrap();
    run(&["open", "notes.txt"]);
    let said = run(&BACKUP);
    assert!(said.contains("key is in it, under its passphrase"), "{said}");
    assert!(run(&BACKUP).contains("0 files written"));
    // After a rotation the new key is there, and of the old one nothing.
    let old = std::fs::read_to_string(bench.path("third/key")).unwrap();
    run(&["authority", "rotate", "--reason", "yearly"]);
    run(&BACKUP);
    let sealed = old.rsplit(' ').next().unwrap().trim();
    assert_eq!(holding(&bench.path("third"), sealed), Vec::<PathBuf>::new());
    assert!(!bench.path("third/key-next").exists());
    std::fs::rename(bench.path("home"), bench.path("lost")).unwrap();
    let said = run(&RESTORE);
    assert!(said.contains("police.example") && !said.contains("No private key"), "{said}");
    assert!(!bench.path("home.restoring").exists());
    std::fs::write(bench.path("more.txt"), "198.18.0.78").unwrap();
    run(&["open", "more.txt"]);
    run(&["verify", "case"]);
    run(&["open", "--case", "other", "more.txt"]);
    run(&["verify", "other"]);
    run(&BACKUP);
}

#[test]
fn a_key_in_the_clear_stays_out_and_the_command_says_what_to_do() {
    let bench = Bench::new();
    opened(&bench, "case", "198.18.0.77");
    let text = bench.ok(&BACKUP);
    assert!(text.contains("NOT in it") && text.contains("vigie authority passphrase"), "{text}");
    assert_eq!(holding(&bench.path("third"), "PRIVATE+KEY"), Vec::<PathBuf>::new());
    std::fs::rename(bench.path("home"), bench.path("lost")).unwrap();
    let text = bench.ok(&RESTORE);
    let key = PathBuf::from("authorities").join(NAME).join("key");
    assert!(text.contains("No private key") && text.contains("chmod 600"), "{text}");
    std::fs::copy(bench.path("lost").join(&key), bench.path("home").join(&key)).unwrap();
    private(&bench.path("home").join(&key));
    opened(&bench, "case", "198.18.0.78");
    bench.ok(&["verify", "case"]);
    // Over a home that stands there: only where that is asked, and its key comes along.
    bench.ok(&BACKUP);
    let text = said(&bench, &RESTORE, 2);
    assert!(text.contains("--replace"), "{text}");
    let text = bench.ok(&[&RESTORE[..], &["--replace"]].concat());
    assert!(text.contains("before-restore-1") && !text.contains("No private key"), "{text}");
    opened(&bench, "third-case", "198.18.0.79");
}

#[test]
fn an_authority_is_never_laid_back() {
    let bench = Bench::new();
    opened(&bench, "case", "198.18.0.77");
    bench.ok(&BACKUP);
    lay(&bench, "home", "older");
    opened(&bench, "other", "198.18.0.78");
    // The home knows more than the backup: it stays, whatever is said.
    let text = said(&bench, &[&RESTORE[..], &["--replace"]].concat(), 2);
    assert!(text.contains("the longer one stays"), "{text}");
    // It is lost: the case that was opened since tells.
    std::fs::rename(bench.path("home"), bench.path("lost")).unwrap();
    let text = said(&bench, &[&RESTORE[..], &["--case", "other"]].concat(), 1);
    assert!(text.contains("birth of this case") && text.contains("fork"), "{text}");
    assert!(!bench.path("home/authorities").exists() && bench.path("home.restoring").exists());
    // A home that was laid back adds nothing to the backup of the newer one.
    lay(&bench, "lost", "home");
    bench.ok(&BACKUP);
    lay(&bench, "older", "home");
    let text = said(&bench, &BACKUP, 3);
    assert!(text.contains("does not go on") && text.contains("Nothing was changed"), "{text}");
    // Neither is a case's backup, and a case's is no authority's.
    let text = said(&bench, &["restore", "--from", "third", "--case", "new"], 2);
    assert!(text.contains("--authority"), "{text}");
    lay(&bench, "lost", "home");
    bench.ok(&["backup", "--to", "second"]);
    let text = said(&bench, &["restore", "--authority", "--from", "second"], 2);
    assert!(text.contains("leave out --authority"), "{text}");
    said(&bench, &["backup", "--to", "third"], 2);
    said(&bench, &["backup", "--authority", "--to", "second"], 2);
    said(&bench, &["backup", "--authority", "--to", "home/inside"], 2);
}

/// The log is gone, and what the authority has seen of it stands beside: an older backup is told as that.
#[test]
fn a_backup_that_is_older_than_what_was_seen_takes_no_place() {
    let bench = Bench::new();
    opened(&bench, "case", "198.18.0.77");
    bench.ok(&BACKUP);
    opened(&bench, "other", "198.18.0.78");
    let mut folders = std::fs::read_dir(bench.path("home/authorities")).unwrap();
    let log = folders.next().unwrap().unwrap().path().join("ledger");
    std::fs::remove_dir_all(&log).unwrap();
    let words = ["open", "--case", "more", "case.txt"];
    assert!(said(&bench, &words, 3).contains("vigie restore"));
    let text = said(&bench, &[&RESTORE[..], &["--replace"]].concat(), 1);
    assert!(text.contains("has seen") && text.contains("it is older"), "{text}");
    assert!(!log.exists());
}

#[test]
fn whatever_is_damaged_in_it_takes_no_place() {
    let bench = Bench::new();
    opened(&bench, "case", "198.18.0.77");
    bench.ok(&["authority", "rotate", "--reason", "yearly"]);
    bench.ok(&BACKUP);
    let mut all = Vec::new();
    files(&bench.path("third"), &mut all);
    all.retain(|path| !path.ends_with("lock"));
    assert!(all.len() > 5, "{all:?}");
    std::fs::rename(bench.path("home"), bench.path("lost")).unwrap();
    for path in &all {
        let good = std::fs::read(path).unwrap();
        for at in [0, good.len() / 2, good.len() - 3] {
            let mut bytes = good.clone();
            bytes[at] ^= 1;
            std::fs::write(path, bytes).unwrap();
            let text = said(&bench, &RESTORE, 1);
            assert!(text.contains("WRONG"), "{} at {at}: {text}", path.display());
            assert!(!bench.path("home/authorities").exists(), "{text}");
        }
        std::fs::write(path, good).unwrap();
    }
    bench.ok(&RESTORE);
}

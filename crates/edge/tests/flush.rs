//! The scripts that open a resolver or a firewall where keep is gone, beside commands that stand in for those of
//! the resolvers: what they say, and how they end, which is what systemd sees.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const DOCS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/edge");

fn stand_in(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    ledger::disk::write(&path, format!("#!/bin/sh\n{text}\n").as_bytes()).unwrap();
    ledger::disk::set_mode(&path, 0o755).unwrap();
    path
}

fn flush(script: &str, word: Option<&str>, env: &[(&str, &Path)]) -> (Option<i32>, String) {
    let mut command = Command::new(Path::new(DOCS).join(script));
    let Output { status, stderr, .. } =
        command.args(word).envs(env.iter().copied()).output().unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[test]
fn an_unbound_that_does_not_answer_is_not_taken_for_one_that_has_no_zones() {
    let dir = tempfile::tempdir().unwrap();
    let with = |text: &str| stand_in(dir.path(), "control", text);
    let run =
        |word, control: &Path| flush("unbound-flush", Some(word), &[("UNBOUND_CONTROL", control)]);
    let dead = with("echo 'connect: refused' >&2; exit 1");
    let (code, said) = run("disable", &dead);
    assert!(code == Some(1) && said.contains("does not answer"), "{code:?} {said}");
    // A keep that begins before its Unbound goes on.
    let (code, said) = run("enable", &dead);
    assert!(code == Some(0) && said.contains("does not answer"), "{code:?} {said}");
    let (code, said) = run("disable", &with("true"));
    assert!(code == Some(0) && said.contains("no zones under"), "{code:?} {said}");
    // A zone that is refused keeps none of the others, and is named.
    let zones =
        r"printf 'hot.rpz.vigie.invalid.\t1\ncold-0.rpz.vigie.invalid.\t1\nother.example.\t1\n'";
    let done = dir.path().join("done");
    let some = with(&format!(
        "case \"$*\" in list_auth_zones) {zones} ;; *hot*) exit 1 ;; *) echo \"$*\" >> '{}' ;; esac",
        done.display()
    ));
    let (code, said) = run("disable", &some);
    assert!(
        code == Some(1) && said.contains("rpz_disable for hot.rpz.vigie.invalid"),
        "{code:?} {said}"
    );
    assert_eq!(
        std::fs::read_to_string(&done).unwrap(),
        "-q rpz_disable cold-0.rpz.vigie.invalid\n"
    );
}

#[test]
fn a_recursor_that_is_down_does_not_end_keep() {
    let dir = tempfile::tempdir().unwrap();
    let dead = stand_in(dir.path(), "control", "exit 1");
    let run = |word| flush("recursor-flush", Some(word), &[("REC_CONTROL", &dead)]);
    let (code, said) = run("enable");
    assert!(code == Some(0) && said.contains("does not take"), "{code:?} {said}");
    assert_eq!(run("disable").0, Some(1));
}

#[test]
fn a_firewall_that_cannot_be_asked_is_not_taken_for_an_open_one() {
    let dir = tempfile::tempdir().unwrap();
    let mut path = dir.path().as_os_str().to_owned();
    path.push(":/usr/bin:/bin");
    let run = |text: &str| {
        stand_in(dir.path(), "nft", text);
        flush("nft-flush", None, &[("PATH", Path::new(&path))])
    };
    let (code, said) =
        run("echo 'Error: cache initialization failed: Operation not permitted' >&2; exit 1");
    assert!(code == Some(1) && said.contains("not permitted"), "{code:?} {said}");
    let none = "echo 'Error: No such file or directory' >&2; exit 1";
    assert_eq!(run(none), (Some(0), String::new()));
    let (code, said) = run("echo 'table inet vigie { }'");
    assert!(code == Some(1) && said.contains("left alone"), "{code:?} {said}");
}

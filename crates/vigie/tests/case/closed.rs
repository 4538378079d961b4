//! Folders of others: what may not be written is read all the same, and what may not be looked at is told
//! as that, never as absence or damage.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use crate::bench::Bench;

/// Lets everybody read what is below.
fn open_to_all(path: &Path) {
    assert!(
        Command::new("chmod").args(["-R", "a+rX"]).arg(path).status().expect("it runs").success()
    );
}

fn mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("a mode");
}

/// The command, run by one who owns nothing here; `None`, said aloud, where that cannot be tried.
#[allow(clippy::disallowed_methods, clippy::print_stderr)] // A copy that others may run.
fn stranger(bench: &Bench) -> Option<impl Fn(&[&str]) -> Output> {
    let binary = bench.path("vigie");
    std::fs::copy(env!("CARGO_BIN_EXE_vigie"), &binary).expect("a copy");
    mode(&binary, 0o755);
    mode(&bench.path(""), 0o755);
    let (at, home) = (bench.path(""), bench.path("home of a stranger"));
    let run = move |words: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]).arg(&binary).args(words);
        command.current_dir(&at).env("VIGIE_HOME", &home).env_remove("VIGIE_CASE");
        command.stdin(Stdio::null()).output().expect("it runs")
    };
    let can = Command::new("setpriv").arg("--version").output().is_ok();
    if can && run(&["--version"]).status.success() {
        return Some(run);
    }
    eprintln!("SKIPPED: this process cannot become another user, so no folder of another is tried");
    None
}

/// A case whose making is killed while SQLite's journal holds something.
fn killed(bench: &Bench, name: &str, material: &str) {
    let begun = Instant::now();
    let mut open = bench.command(&["open", "--case", name, material]);
    let mut child = open.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    let journal = bench.path(&format!("{name}/views.sqlite-wal"));
    let waits = || journal.metadata().is_ok_and(|m| m.len() > 100_000);
    while !waits() && begun.elapsed() < Duration::from_secs(60) {
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().expect("it is there");
    child.wait().expect("it ends");
    assert!(waits(), "it ended before it could be killed");
}

#[test]
#[allow(clippy::disallowed_methods)] // What media keep of a case.
fn a_case_of_another_is_verified_where_nothing_may_be_written() {
    let bench = Bench::new();
    let Some(stranger) = stranger(&bench) else { return };
    let material = bench.seizure("seizure", "small", 1.0, 4).join("material");
    let material = material.to_str().expect("UTF-8");
    bench.ok(&["open", "--case", "case", material]);
    killed(&bench, "killed", material);
    std::fs::create_dir(bench.path("media")).expect("a folder");
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(bench.path("killed")).arg(bench.path("media/killed"));
    assert!(copy.status().expect("it runs").success());
    std::fs::remove_file(bench.path("media/killed/views.sqlite-shm")).expect("it goes");
    for case in ["case", "killed", "media/killed"] {
        open_to_all(&bench.path(case));
        let out = stranger(&["verify", case]);
        let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
        assert_eq!(out.status.code(), Some(0), "{case}: {said}");
        assert!(said.contains(" holds: ") && !said.contains("damaged"), "{case}: {said}");
    }
    let count = "SELECT count(*) FROM exhibit";
    let out = stranger(&["sql", "--case", "case", count]);
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    assert_eq!(String::from_utf8_lossy(&out.stdout), bench.ok(&["sql", "--case", "case", count]));
}

#[test]
fn what_may_not_be_looked_at_is_not_said_to_be_absent() {
    let bench = Bench::new();
    let Some(stranger) = stranger(&bench) else { return };
    let material = bench.seizure("seizure", "small", 1.0, 4).join("material/office");
    bench.ok(&["open", "--case", "case", material.to_str().expect("UTF-8")]);
    open_to_all(&bench.path("case"));
    open_to_all(&bench.path("seizure"));
    for closed in ["case", "case/ledger"] {
        mode(&bench.path(closed), 0o000);
        for words in [&["verify", "case"][..], &["open", "--case", "case", "seizure"]] {
            let out = stranger(words);
            let said = String::from_utf8_lossy(&[out.stdout, out.stderr].concat()).into_owned();
            assert_eq!(out.status.code(), Some(3), "{closed}, {words:?}: {said}");
            assert!(said.contains("case/ledger"), "{closed}, {words:?}: {said}");
            assert!(said.contains("ermission denied"), "{closed}, {words:?}: {said}");
            for wrong in ["no case", "removed, cut", "restore", "make one"] {
                assert!(!said.contains(wrong), "{closed}, {words:?}: {said}");
            }
        }
        mode(&bench.path(closed), 0o755);
    }
}

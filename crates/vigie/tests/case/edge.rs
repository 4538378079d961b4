//! The ISP's side by the command.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::bench::Bench;

const EXAMPLE: &str = include_str!("../../../../docs/edge/keep.toml.example");

/// Writes settings, and gives the code and the words of a command with them.
fn with(bench: &Bench, word: &str, settings: &str) -> (Option<i32>, String) {
    let path = bench.path("keep.toml");
    ledger::disk::write(&path, settings.as_bytes()).expect("settings");
    let out = bench.run(&["edge", word, "--config", path.to_str().expect("UTF-8")]);
    let said = [out.stdout, out.stderr].concat();
    (out.status.code(), String::from_utf8(said).expect("UTF-8"))
}

#[test]
fn settings_that_cannot_be_are_misuse_and_say_where() {
    let bench = Bench::new();
    for (from, to, says) in [
        ("silence_s", "silense_s", "silense_s"),
        ("127.0.0.1:5354", "192.0.2.1:5354", "loopback"),
        ("\"observe\"", "\"perhaps\"", "observe"),
        ("*.isp.example", "198.51.100.0/33", "198.51.100.0/33"),
    ] {
        let settings = EXAMPLE.replace("/run/vigie-keep", "run").replace(from, to);
        let (code, said) = with(&bench, "keep", &settings);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("keep.toml") && said.contains(says), "{said}");
    }
    assert!(!bench.path("run").exists(), "nothing was made");
}

#[test]
fn who_asks_where_no_keep_runs_is_told_to_start_it() {
    let bench = Bench::new();
    for word in ["status", "release", "clear"] {
        let (code, said) = with(&bench, word, &EXAMPLE.replace("/run/vigie-keep", "run"));
        assert_eq!(code, Some(3), "{said}");
        assert!(said.contains("no keep answers") && said.contains("vigie edge keep"), "{said}");
    }
}

#[test]
fn the_example_runs_observes_and_ends_in_order() {
    let bench = Bench::new();
    let free = std::net::TcpListener::bind("127.0.0.1:0").and_then(|l| l.local_addr());
    let at = free.expect("a free port").to_string();
    let settings = EXAMPLE.replace("/run/vigie-keep", "run").replace("127.0.0.1:5354", &at);
    assert_eq!(with(&bench, "status", &settings).0, Some(3));
    let path = bench.path("keep.toml");
    let mut keep = bench
        .command(&["edge", "keep", "--config", path.to_str().expect("UTF-8")])
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let begun = Instant::now();
    let said = loop {
        let (code, said) = with(&bench, "status", &settings);
        if code == Some(0) {
            break said;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{said}");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(said.contains("no follower has begun") && said.contains("observes"), "{said}");
    assert!(with(&bench, "clear", &settings).1.contains("Everything is open: 0 names."));
    let path = path.to_str().expect("UTF-8");
    let status = bench.json(&["edge", "status", "--json", "--config", path]);
    assert_eq!((&status["observe"], &status["protected"]), (&true.into(), &1.into()), "{status}");
    let end = std::process::Command::new("kill").arg(keep.id().to_string()).status();
    assert!(end.expect("kill").success());
    assert!(keep.wait().expect("it ends").success());
}

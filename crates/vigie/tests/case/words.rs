//! The words of the command: help, exit codes, errors that say what to do.

use crate::bench::Bench;

#[test]
fn help_stands_behind_every_command_and_carries_examples() {
    let bench = Bench::new();
    let help = bench.ok(&["--help"]);
    for command in [
        "open",
        "serve",
        "authority",
        "verify",
        "facts",
        "show",
        "search",
        "sql",
        "parse",
        "export",
        "views",
        "privilege",
        "data",
        "range",
    ] {
        assert!(help.contains(command), "--help does not name {command}");
        let own = bench.ok(&[command, "--help"]);
        let leaf = !["authority", "views", "privilege", "data", "range"].contains(&command);
        assert!(!leaf || own.contains("Example"), "{command} --help has no examples");
    }
}

#[test]
fn misuse_is_two_and_failure_three() {
    let bench = Bench::new();
    let code = |words: &[&str]| bench.run(words).status.code();
    assert_eq!(code(&["open"]), Some(2));
    assert_eq!(code(&["frobnicate"]), Some(2));
    assert_eq!(code(&["range", "make", "--scenario", "nowhere", "out"]), Some(2));
    assert_eq!(code(&["serve", "--case", "nothing"]), Some(3));
    let out = bench.run(&["facts", "--case", "nothing"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("vigie open"), "no word on what to do");
    let out = bench.run(&["open", "absent-file"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("absent-file"));
}

#[test]
fn the_console_stays_on_loopback() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 2);
    bench.open("case", &seizure);
    let out = bench.run(&["serve", "--case", "case", "--listen", "0.0.0.0:0"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("loopback"));
}

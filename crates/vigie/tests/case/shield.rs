//! `vigie shield`: the harm check from the command line.
#![allow(clippy::disallowed_methods)] // Files for the tests.

use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::bench::Bench;

/// Runs a check and gives its exit code, its lines and what it said beside.
fn check(bench: &Bench, words: &[&str], input: &str) -> (Option<i32>, Vec<String>, String) {
    let mut all = vec!["shield", "check"];
    all.extend(words);
    let mut command = bench.command(&all);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it runs");
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    let out = child.wait_with_output().expect("it ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let lines = text(out.stdout).lines().map(str::to_owned).collect();
    (out.status.code(), lines, text(out.stderr))
}

/// A workbench whose authority knows something popular.
fn bench() -> Bench {
    let bench = Bench::new();
    std::fs::write(bench.path("top.txt"), "popular-4k.shop\n").expect("a file");
    let words = ["shield", "add", "top.txt", "--class", "popular", "--source", "a test"];
    bench.ok(&[&words[..], &["--date", "2026-09-01"]].concat());
    bench
}

fn documents(lines: &[String]) -> Vec<Value> {
    lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[test]
fn one_line_an_item_with_verdict_and_reasons() {
    let bench = bench();
    let input = "stream-4k.shop\n\n  https://Stream-4k.shop:8080/x \nocsp.digicert.com\n8.8.4.4:80\n*.shop\n";
    let (code, lines, _) = check(&bench, &["--json", "-"], input);
    assert_eq!(code, Some(1));
    let found = documents(&lines);
    let of = |at: usize, key: &str| found[at][key].as_str().unwrap_or("null").to_owned();
    let all: Vec<_> = (0..found.len())
        .map(|at| (of(at, "kind"), of(at, "verdict"), of(at, "normalised")))
        .collect();
    let want = [
        ("fqdn", "allow", "stream-4k.shop"),
        ("fqdn", "allow", "stream-4k.shop"),
        ("fqdn", "refuse", "ocsp.digicert.com"),
        ("ip_port", "two_persons", "8.8.4.4:80"),
        ("null", "refuse", "null"),
    ];
    let want = want.map(|(a, b, c)| (a.to_owned(), b.to_owned(), c.to_owned()));
    assert_eq!(all, want);
    assert_eq!(found[1]["item"], "https://Stream-4k.shop:8080/x");
    assert_eq!(found[2]["reasons"][0]["code"], "ca");
    assert!(found[2]["reasons"][0]["source"].as_str().is_some_and(|s| s.contains("2026-11-01")));
    assert_eq!(found[3]["innocents"]["unknown"], true);
    assert_eq!(found[3]["innocents"]["at_most"], Value::Null);
    assert_eq!(found[4]["reasons"][0]["code"], "wildcard");
    let keys: Vec<_> = found[0].as_object().expect("an object").keys().collect();
    assert_eq!(keys, ["item", "kind", "verdict", "reasons", "innocents", "normalised"]);
}

#[test]
fn codes_say_what_was_found() {
    let bench = bench();
    assert_eq!(check(&bench, &["stream-4k.shop"], "").0, Some(0));
    assert_eq!(check(&bench, &["8.8.4.4"], "").0, Some(1));
    assert_eq!(check(&bench, &["--json", "-"], "\n \n").0, Some(2));
    assert_eq!(check(&Bench::new(), &["stream-4k.shop"], "").0, Some(1));
    assert_eq!(check(&bench, &["--lang", "xx", "a.shop"], "").0, Some(2));
    assert_eq!(check(&bench, &[], "").0, Some(2));
    assert_eq!(check(&bench, &["stream.example"], "").0, Some(1));
    assert_eq!(check(&bench, &["--practice", "stream.example"], "").0, Some(0));
}

#[test]
fn people_read_reasons_in_their_language() {
    let bench = bench();
    let (_, lines, beside) = check(&bench, &["--lang", "fr", "0.pool.ntp.org", "gооgle.com"], "");
    let text = lines.join("\n");
    assert!(text.contains("0.pool.ntp.org: à ne pas bloquer"), "{text}");
    assert!(text.contains("donne l’heure aux machines"), "{text}");
    assert!(text.contains("xn--ggle-55da.com (gооgle.com): deux personnes"), "{text}");
    // What the check does not know is told, with what to do.
    assert!(
        beside.contains("not loaded: ") && beside.contains("vigie data update shield"),
        "{beside}"
    );
    let (_, lines, _) = check(&bench, &["--lang", "it", "1.1.1.0/24"], "");
    assert!(lines.join("\n").contains("Una rete sono molti indirizzi"), "{lines:?}");
}

#[test]
fn hostile_text_does_not_act_and_a_long_line_is_one_item() {
    let bench = bench();
    let blanks = " ".repeat(5_000);
    let long = format!("\u{feff}{}\r\n{blanks}google.com\nstream-4k.shop", "a".repeat(300_000));
    let (code, lines, _) = check(&bench, &["--json", "-"], &long);
    let found = documents(&lines);
    assert_eq!((code, found.len()), (Some(1), 3));
    assert_eq!(found[0]["reasons"][0]["code"], "text_too_long");
    assert_eq!(found[1]["reasons"][0]["code"], "text_too_long");
    assert_eq!(found[2]["verdict"], "allow");
    let (_, lines, _) = check(&bench, &["\u{1b}[2Jx\u{202e}.shop"], "");
    assert!(lines.iter().all(|line| !line.contains(['\u{1b}', '\u{202e}'])), "{lines:?}");
}

#[test]
fn an_authoritys_own_sets_count_and_go() {
    let bench = bench();
    std::fs::write(bench.path("clinics.txt"), "clinic-4k.shop\n# a comment\n").expect("a file");
    let words = ["shield", "add", "clinics.txt", "--class", "health", "--date", "2026-09-01"];
    let out = bench.run(&words);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("--source"));
    let added = bench.json(&[&words[..], &["--source", "the ministry", "--json"]].concat());
    assert_eq!((added["name"].as_str(), added["entries"].as_u64()), (Some("clinics"), Some(1)));
    let (code, lines, _) = check(&bench, &["www.clinic-4k.shop"], "");
    assert_eq!(code, Some(1));
    assert!(lines.join("\n").contains("health: clinics (the ministry, 2026-09-01)"), "{lines:?}");
    let listed = bench.ok(&["shield", "sets"]);
    assert!(listed.lines().any(|line| line.starts_with("clinics ") && line.contains("health")));
    bench.ok(&["shield", "remove", "clinics"]);
    assert_eq!(check(&bench, &["www.clinic-4k.shop"], "").0, Some(0));
    assert_eq!(bench.run(&["shield", "remove", "clinics"]).status.code(), Some(2));
    let out = bench.run(&["shield", "add", "clinics.txt", "--class", "clinic"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("none of popular, cdn"));
}

/// What is not on this machine alone is said by TLS; what hears no clearing house is none.
#[test]
fn anothers_api_listens_beyond_loopback_by_tls_alone() {
    let bench = Bench::new();
    bench.ok(&["shield", "init", "house"]);
    let out = bench.run(&[
        "serve",
        "--shield",
        "house",
        "--no-captures",
        "--piracy-shield-listen",
        "0.0.0.0:0",
    ]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(2), "{said}");
    assert!(said.contains("Piracy Shield's API") && said.contains("--tls-cert"), "{said}");
    let out = bench.run(&["serve", "--piracy-shield-listen", "127.0.0.1:0"]);
    assert_eq!(out.status.code(), Some(2));
}

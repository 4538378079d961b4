//! Output that nobody reads to its end: `vigie … | head -1`.

use std::io::Read;
use std::process::Stdio;

use crate::bench::Bench;

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 23);
    bench.open("case", &seizure);
    let list = seizure.join("material/clients/box-01/playlist-0.m3u");
    let list = list.to_str().unwrap();
    let every = "SELECT f.* FROM fact f, fact g LIMIT 100000";
    for words in [
        vec!["export", "--case", "case", "--format", "ftm"],
        vec!["export", "--case", "case", "--format", "jsonl"],
        vec!["export", "--case", "case", "--format", "csv"],
        vec!["export", "--case", "case", "--format", "graphml"],
        vec!["facts", "--case", "case"],
        vec!["facts", "--case", "case", "--reveal", "why"],
        vec!["sql", "--case", "case", "--limit", "100000", every],
        vec!["sql", "--case", "case", "--limit", "100000", "--format", "csv", every],
        vec!["sql", "--case", "case", "--limit", "100000", "--json", every],
        vec!["parse", list],
        vec!["parse", "--json", list],
        vec!["search", "--case", "case", "--limit", "1000", "--json", "example"],
        vec!["search", "--case", "case", "--limit", "1000", "example"],
        vec!["show", "--case", "case", "ip:198.18.0.1"],
        vec!["show", "--case", "case", "--json", "ip:198.18.0.1"],
        vec!["verify", "case"],
        vec!["--help"],
    ] {
        let mut child = bench
            .command(&words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        // One byte, then gone: what is longer than a pipe's buffer meets a closed pipe.
        let mut stdout = child.stdout.take().expect("a pipe");
        stdout.read_exact(&mut [0]).expect("a first byte");
        drop(stdout);
        let out = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&out.stderr);
        assert_eq!(out.status.code(), Some(0), "{words:?}: {said}");
        assert!(said.is_empty(), "{words:?}: {said}");
    }
}

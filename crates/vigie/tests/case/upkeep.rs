//! What changes a case without new material: privileged exhibits, newer address tables.

use std::path::Path;

use crate::bench::{Bench, lasting};

#[test]
fn a_privileged_exhibit_is_hidden_until_it_is_released() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 11);
    let before = lasting(&bench.open("case", &seizure));
    let facts = bench.ok(&["facts", "--case", "case", "--json"]);
    let first: serde_json::Value = serde_json::from_str(facts.lines().next().unwrap()).unwrap();
    let exhibit = first["exhibit"].as_str().unwrap();
    let change = |what: &str, reason: &str| {
        bench.run(&["privilege", what, "--case", "case", "--json", exhibit, "--reason", reason])
    };
    assert_eq!(change("mark", " ").status.code(), Some(2), "hidden without a reason");
    assert_eq!(change("release", "why").status.code(), Some(2), "released what is not marked");
    let marked = change("mark", "letters to counsel");
    assert!(marked.status.success(), "{}", String::from_utf8_lossy(&marked.stderr));
    let hidden: serde_json::Value = serde_json::from_slice(&marked.stdout).unwrap();
    assert!(hidden["facts"].as_u64() < before["facts"].as_u64());
    assert_eq!(bench.ok(&["facts", "--case", "case", "--json", "--exhibit", exhibit]), "");
    bench.ok(&["verify", "case"]);
    let released = change("release", "order of the judge");
    let shown: serde_json::Value = serde_json::from_slice(&released.stdout).unwrap();
    assert_eq!(lasting(&shown), before);
    bench.ok(&["verify", "case"]);
    let unknown = "0".repeat(64);
    let out = bench.run(&["privilege", "mark", "--case", "case", &unknown, "--reason", "why"]);
    assert_eq!(out.status.code(), Some(3));
}

/// A table that says of two networks what the built-in one does not, in place of it.
#[test]
#[allow(clippy::disallowed_methods)] // Material for the test.
fn a_newer_table_of_addresses_is_sealed_into_the_case() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    std::fs::write(bench.path("pile/hosts.txt"), "8.8.8.8\n9.9.9.9\n").unwrap();
    let open = || bench.json(&["open", "--json", "--case", "case", "pile"]);
    let places = || {
        bench.ok(&[
            "sql",
            "--json",
            "--case",
            "case",
            "SELECT key, country, asn FROM entity WHERE kind = 'IpAddress' ORDER BY key",
        ])
    };
    open();
    let built_in = places();
    assert!(built_in.contains("15169"), "{built_in}");
    let mut builder = model::asn::Builder::default();
    builder.csv(model::asn::Rows::Both, "8.8.8.0,8.8.8.255,64500,Newer,NL\n").expect("a good row");
    let home = bench.path("home/addresses.bin");
    std::fs::write(&home, builder.finish().expect("a table")).unwrap();
    open();
    let newer = places();
    assert!(newer.contains("64500") && !newer.contains("15169"), "{newer}");
    let found = bench.ok(&["search", "--case", "case", "--json", "addresses.bin"]);
    assert!(found.contains("\"hit\":\"exhibit\""), "the table is no exhibit: {found}");
    bench.ok(&["verify", "case"]);
    let records =
        || bench.json(&["verify", "--json", "case"])["records"].as_u64().expect("a number");
    let before = records();
    open();
    assert_eq!(records(), before, "the same table was taken twice");
    // The case keeps what it was opened with, wherever it is.
    std::fs::remove_file(&home).unwrap();
    bench.ok(&["views", "rebuild", "--case", "case"]);
    assert_eq!(places(), newer);
    // A table that is none is refused before anything is sealed.
    std::fs::write(&home, "nonsense").unwrap();
    let out = bench.run(&["open", "--case", "case", "pile"]);
    assert_eq!(out.status.code(), Some(3));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("vigie data update"), "{said}");
}

#[test]
fn rows_that_are_missing_are_named() {
    let bench = Bench::new();
    let out = bench.run(&["data", "update", "--from", "nowhere"]);
    assert_eq!(out.status.code(), Some(3));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains(Path::new("nowhere/asn/asn-ipv4.csv").to_str().unwrap()), "{said}");
}

//! From a pile to a summary, and back to the bytes.

use serde_json::Value;

use crate::bench::{Bench, lasting, seed};

/// The summary agrees with what the generator knows it wrote, to the last number.
#[track_caller]
fn equals_truth(scenario: &str, scale: f64, seed: u64) {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", scenario, scale, seed);
    let truth: Value =
        serde_json::from_slice(&std::fs::read(seizure.join("truth.json")).unwrap()).unwrap();
    let summary = bench.open("case", &seizure);
    let mut wrong = Vec::new();
    for part in ["entities", "links", "payments", "countries"] {
        let (ours, theirs) = (&summary[part], &truth["summary"][part]);
        let names = ours.as_object().unwrap().keys().chain(theirs.as_object().unwrap().keys());
        for name in names.collect::<std::collections::BTreeSet<_>>() {
            if ours[name] != theirs[name] {
                wrong.push(format!("{part}.{name}: read {}, truth {}", ours[name], theirs[name]));
            }
        }
    }
    assert!(wrong.is_empty(), "{scenario} at {scale}, seed {seed}:\n{}", wrong.join("\n"));
}

#[test]
fn small_equals_its_truth() {
    equals_truth("small", 1.0, 1);
    equals_truth("small", 1.0, seed("small_equals_its_truth"));
}

#[test]
fn taken_down_equals_its_truth() {
    equals_truth("taken-down", 0.0005, seed("taken_down_equals_its_truth"));
}

#[test]
fn perfect_storm_equals_its_truth() {
    equals_truth("perfect-storm", 0.001, seed("perfect_storm_equals_its_truth"));
}

#[test]
fn kbox_equals_its_truth() {
    equals_truth("kbox", 0.001, seed("kbox_equals_its_truth"));
}

#[test]
fn sparks_equals_its_truth() {
    equals_truth("sparks", 0.01, seed("sparks_equals_its_truth"));
}

#[test]
fn the_same_bytes_again_add_nothing_but_a_receipt() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 3);
    let first = bench.open("case", &seizure);
    let records =
        |bench: &Bench| bench.json(&["verify", "--json", "case"])["records"].as_u64().unwrap();
    let before = records(&bench);
    let again = bench.open("case", &seizure);
    assert_eq!(lasting(&first), lasting(&again));
    assert_eq!(records(&bench), before, "opening the same bytes again wrote records");

    // From another source: one receipt an exhibit that was found there, and nothing else.
    let one = seizure.join("material/office/domains.txt");
    let other = bench.json(&[
        "open",
        "--json",
        "--case",
        "case",
        "--source",
        "laptop 3",
        "--authorisation",
        "order 7",
        "--seized-by",
        "Sgt. Example",
        "--at",
        "2024-11-26T06:00:00+01:00",
        one.to_str().unwrap(),
    ]);
    assert_eq!(lasting(&first), lasting(&other));
    assert_eq!(records(&bench), before + 1);
}

#[test]
fn views_are_built_again_the_same() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 4);
    let summary = bench.open("case", &seizure);
    let facts = bench.ok(&["facts", "--case", "case", "--json"]);
    bench.ok(&["views", "rebuild", "--case", "case"]);
    assert_eq!(bench.ok(&["facts", "--case", "case", "--json"]), facts);
    assert_eq!(lasting(&bench.open("case", &seizure)), lasting(&summary));
    bench.ok(&["verify", "case"]);
}

#[test]
fn every_fact_shows_the_bytes_it_was_read_from_and_no_secret() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 5);
    let summary = bench.open("case", &seizure);
    let text = bench.ok(&["facts", "--case", "case", "--json"]);
    let mut count = 0u64;
    let mut secrets = Vec::new();
    for line in text.lines() {
        let fact: Value = serde_json::from_str(line).unwrap();
        count += 1;
        let (start, end) = (fact["start"].as_u64().unwrap(), fact["end"].as_u64().unwrap());
        if fact["masked"] == true {
            assert!(fact.get("raw").is_none() && fact.get("raw_hex").is_none(), "{line}");
            // A URL that holds a password has a value, but its bytes are masked; a secret has neither.
            if fact["value"].is_null() {
                secrets.push((fact["exhibit"].as_str().unwrap().to_owned(), start, end));
            }
            continue;
        }
        let length = match (fact["raw"].as_str(), fact["raw_hex"].as_str()) {
            (Some(raw), None) => raw.len() as u64,
            (None, Some(hex)) => hex.len() as u64 / 2,
            _ => panic!("a fact without its bytes: {line}"),
        };
        assert_eq!(length, end - start, "{line}");
        assert!(!fact["value"].is_null(), "{line}");
        for word in ["subject", "property", "exhibit", "parser"] {
            assert!(fact[word].is_string(), "{word} in {line}");
        }
    }
    assert_eq!(count, summary["facts"].as_u64().unwrap());
    assert!(!secrets.is_empty(), "the practice material holds passwords");
    // No secret's bytes stand in any output. Short ones occur by chance: leave them out.
    let shown = [
        text,
        bench.ok(&["export", "--case", "case", "--format", "jsonl"]),
        bench.ok(&["export", "--case", "case", "--format", "ftm"]),
        bench.ok(&["search", "--case", "case", "--json", "password"]),
    ];
    let mut looked_for = 0;
    for (exhibit, start, end) in secrets {
        let path = bench.path("case").join("vault/exhibits").join(&exhibit[..2]).join(&exhibit);
        let bytes = std::fs::read(path).unwrap();
        let Ok(secret) = std::str::from_utf8(&bytes[start as usize..end as usize]) else {
            continue;
        };
        if secret.len() < 10 {
            continue;
        }
        looked_for += 1;
        for text in &shown {
            assert!(!text.contains(secret), "the secret at {start} of {exhibit} is shown");
        }
    }
    assert!(looked_for > 0);
}

#[test]
fn a_changed_byte_is_found_and_its_place_said() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 6);
    bench.open("case", &seizure);
    bench.ok(&["verify", "case"]);
    let folder = bench.path("case/vault/exhibits");
    let exhibit = walk(&folder).into_iter().min().unwrap();
    let mut bytes = std::fs::read(&exhibit).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    overwrite(&exhibit, &bytes);
    let out = bench.run(&["verify", "--json", "case"]);
    assert_eq!(out.status.code(), Some(1));
    let name = exhibit.file_name().unwrap().to_str().unwrap();
    assert!(String::from_utf8_lossy(&out.stdout).contains(name), "the finding names no exhibit");
}

#[test]
fn every_bulk_table_is_read_by_sql_under_its_name() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, seed("every_bulk_table_is_read_by_sql"));
    bench.open("case", &seizure);
    let ask = |sql: &str| bench.ok(&["sql", "--json", "--case", "case", sql]);
    let tables = ask("SELECT sql_name, rows FROM bulk_table");
    assert!(tables.lines().count() > 20, "{tables}");
    for line in tables.lines() {
        let table: Value = serde_json::from_str(line).unwrap();
        let name = table["sql_name"].as_str().unwrap();
        let counted = ask(&format!("SELECT count(*) AS n FROM \"{name}\""));
        let counted: Value = serde_json::from_str(counted.trim()).unwrap();
        assert_eq!(counted["n"], table["rows"], "{name}");
    }
}

/// Row groups are left out by bytes; a comparison that takes other bytes for equal must see them all.
#[test]
#[allow(clippy::disallowed_methods)] // Material for the test.
fn other_collations_find_what_bytes_would_leave_out() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    let text = "name;colour;word\nann;red;ABC\nbob;blue;ABD\n";
    std::fs::write(bench.path("pile/words.csv"), text).unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    let ask = |sql: &str| bench.json(&["sql", "--case", "case", "--json", sql]);
    let tables = ask("SELECT sql_name FROM bulk_table");
    let table = tables["sql_name"].as_str().unwrap().to_owned();
    let count = |what: &str| {
        ask(&format!("SELECT count(*) AS n FROM \"{table}\" WHERE {what}"))["n"].clone()
    };
    assert_eq!(count("word = 'ABC'"), 1);
    assert_eq!(count("word = 'abc'"), 0);
    assert_eq!(count("word = 'abc' COLLATE NOCASE"), 1);
    assert_eq!(count("word >= 'abd' COLLATE NOCASE"), 1);
    assert_eq!(count("word < 'abd' COLLATE NOCASE"), 1);
    assert_eq!(count("word = 'ABC  ' COLLATE RTRIM"), 1);
}

/// A query ends in its time even within one function, and in its memory even where it sorts.
#[test]
fn a_query_is_bounded_in_time_and_memory() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, seed("bounds"));
    bench.open("case", &seizure);
    let begun = std::time::Instant::now();
    let long = "SELECT instr(printf('%.*c', 16000000, 'a'), printf('%.*c', 400000, 'a') || 'b')";
    let out = bench.run(&["sql", "--case", "case", "--time", "1", long]);
    assert_eq!(out.status.code(), Some(3));
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("more than 1 s"), "{said}");
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    let wide = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 60)
                SELECT length(max(t)) FROM
                  (SELECT printf('%.*c', 16000000, 'a') || i AS t FROM n ORDER BY t)";
    let out = bench.run(&["sql", "--case", "case", wide]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.success() || said.contains("needs more memory than 512 MiB"), "{said}");
    let pattern = "SELECT 'a' LIKE printf('%.*c', 40000, 'a')";
    assert_eq!(bench.run(&["sql", "--case", "case", pattern]).status.code(), Some(2));
}

/// SQLite forgets which view reads a table whose columns a query does not name; the rule that keeps
/// queries out of what lies below must not shut such a query out.
#[test]
fn views_are_counted_and_joined_in_every_way_and_nothing_below_is() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, seed("surface"));
    bench.open("case", &seizure);
    let ask = |sql: &str| bench.run(&["sql", "--case", "case", "--json", sql]);
    let views = desk::sql::SURFACE;
    for (i, a) in views.iter().enumerate() {
        for sql in [
            format!("SELECT count(*) FROM {a}"),
            format!("SELECT 1 FROM {a} LIMIT 1"),
            format!("SELECT EXISTS (SELECT 1 FROM {a})"),
            format!("SELECT count(*) FROM {a} LEFT JOIN {} LIMIT 1", views[(i + 1) % views.len()]),
        ] {
            let out = ask(&sql);
            assert!(out.status.success(), "{sql}: {}", String::from_utf8_lossy(&out.stderr));
        }
    }
    for below in ["hidden", "secret", "key", "meta", "names", "said", "loaded", "exhibit", "fact"] {
        let out = ask(&format!("SELECT count(*) FROM main.{below}"));
        assert_eq!(out.status.code(), Some(2), "{below}");
    }
}

#[test]
#[allow(clippy::disallowed_methods)] // Material for the test.
fn messages_are_found_by_their_words_and_open_at_their_bytes() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    let chat = "[02/03/2024, 10:00:00] Ann: the new head-end is up\n\
                [02/03/2024, 10:01:00] Bob: credits paid, thank you\n\
                [02/03/2024, 10:02:00] Ann: the head-end in Cluj stays\n";
    std::fs::write(bench.path("pile/WhatsApp Chat with Bob.txt"), chat).unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    let search = |words: &str| -> Vec<Value> {
        let found = bench.ok(&["search", "--case", "case", "--json", words]);
        let hits = found.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        hits.filter(|hit| hit["hit"] == "message").collect()
    };
    let found = search("head-end Cluj");
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["row"]["text"], "the head-end in Cluj stays");
    let start = found[0]["start"].as_u64().unwrap() as usize;
    assert!(chat[start..].starts_with("[02/03/2024, 10:02:00] Ann"), "{}", &chat[start..]);
    assert_eq!(search("head").len(), 2);
    assert_eq!(search("satellite").len(), 0);
    // The same after a rebuild, and nothing twice after the same bytes came again.
    bench.ok(&["views", "rebuild", "--case", "case"]);
    bench.ok(&["open", "--case", "case", "pile"]);
    assert_eq!(search("head").len(), 2);
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walk(&path)) } else { files.push(path) }
    }
    files
}

/// What an adversary does: not through our own writer.
#[allow(clippy::disallowed_methods, clippy::permissions_set_readonly_false)]
fn overwrite(path: &std::path::Path, bytes: &[u8]) {
    let mut mode = std::fs::metadata(path).unwrap().permissions();
    mode.set_readonly(false);
    std::fs::set_permissions(path, mode).unwrap();
    std::fs::write(path, bytes).unwrap();
}

/// An archive is opened for one, though its first member begins like something that a parser reads.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn a_tar_of_playlists_is_no_playlist() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    let list = "#EXTM3U\n#EXTINF:-1,One\nhttp://one.example/live/bob/pw/1.ts\n".repeat(200);
    std::fs::write(bench.path("a.m3u"), &list).unwrap();
    std::fs::write(bench.path("b.m3u"), list.replace("one.example", "two.example")).unwrap();
    let tar = std::process::Command::new("tar")
        .args(["-cf", "pile/lists.tar", "a.m3u", "b.m3u"])
        .current_dir(bench.path("."))
        .status();
    assert!(tar.expect("tar").success());
    bench.json(&["open", "--json", "--case", "case", "pile"]);
    let told = bench.ok(&[
        "sql",
        "--case",
        "case",
        "--json",
        "SELECT name, size FROM exhibit ORDER BY name",
    ]);
    for name in ["lists.tar", "a.m3u", "b.m3u"] {
        assert!(told.contains(name), "{told}");
    }
}

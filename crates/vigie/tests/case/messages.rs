//! Errors: what happened, where, what to do next.

#![allow(clippy::disallowed_methods)] // Accidents do not happen through our own writer.

use std::path::Path;

use crate::bench::Bench;

/// Commands that read the views of `case`.
fn readers(case: &str) -> Vec<Vec<&str>> {
    vec![
        vec!["show", "--case", case, "ip:198.18.0.1"],
        vec!["search", "--case", case, "lumen"],
        vec!["facts", "--case", case],
        vec!["facts", "--case", case, "--reveal", "why"],
        vec!["sql", "--case", case, "SELECT count(*) FROM entity"],
        vec!["export", "--case", case],
        vec!["serve", "--case", case, "--listen", "127.0.0.1:0"],
    ]
}

/// Runs a command that must fail; what it says.
#[track_caller]
fn told(bench: &Bench, words: &[&str]) -> String {
    let out = bench.run(words);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{words:?}: {said}");
    said
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn a_folder_without_a_case_names_the_next_step() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("empty")).unwrap();
    std::fs::write(bench.path("file"), "text").unwrap();
    let hash = "0".repeat(64);
    for case in ["nowhere", "empty", "file"] {
        let mut commands = readers(case);
        commands.push(vec!["verify", case]);
        commands.push(vec!["verify", "--json", case]);
        commands.push(vec!["views", "rebuild", "--case", case]);
        commands.push(vec!["privilege", "mark", "--case", case, &hash, "--reason", "why"]);
        commands.push(vec!["privilege", "release", "--case", case, &hash, "--reason", "why"]);
        for words in commands {
            let said = told(&bench, &words);
            assert!(said.contains(&format!("`vigie open --case {case} ")), "{words:?}: {said}");
        }
    }
    assert!(!bench.path("nowhere").exists());
    assert_eq!(std::fs::read_dir(bench.path("empty")).unwrap().count(), 0, "it left something");
}

#[test]
fn views_that_are_missing_or_damaged_are_named_with_what_mends_them() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 21);
    bench.open("whole", &seizure);
    let views = std::fs::read(bench.path("whole/views.sqlite")).unwrap();
    let mut half = views.clone();
    let (from, to) = (half.len() / 2, half.len());
    for (i, byte) in half[from..to].iter_mut().enumerate() {
        *byte = (i * 7 + i / 256) as u8;
    }
    let damages: [(&str, Option<&[u8]>); 4] = [
        ("missing", None),
        ("damaged", Some(b"no database at all, but long enough to be looked at as if it was one")),
        ("damaged", Some(&views[..20_000])),
        ("damaged", Some(&half)),
    ];
    copy(&bench.path("whole"), &bench.path("case"));
    for (how, bytes) in damages {
        for name in ["views.sqlite", "views.sqlite-wal", "views.sqlite-shm"] {
            let _ = std::fs::remove_file(bench.path("case").join(name));
        }
        if let Some(bytes) = bytes {
            std::fs::write(bench.path("case/views.sqlite"), bytes).unwrap();
        }
        for words in readers("case") {
            if bytes == Some(&half) && words[0] == "serve" {
                continue; // It serves what is whole; the pages tell the rest.
            }
            let said = told(&bench, &words);
            assert!(said.contains(how) && said.contains("case"), "{words:?}: {said}");
            assert!(said.contains("`vigie views rebuild --case case`"), "{words:?}: {said}");
            assert!(said.contains("sealed is safe") && !said.contains("no case"), "{said}");
        }
        let out = bench.run(&["verify", "case"]);
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(out.status.code(), Some(i32::from(bytes.is_some())), "{said}");
        assert!(said.contains("holds") && !said.contains("does not hold"), "{said}");
        assert!(said.contains("`vigie views rebuild --case case`"), "{said}");
        let out = bench.run(&["verify", "--json", "case"]);
        let said: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        assert_eq!(said["evidence_holds"], true, "{said}");
        assert_eq!(said["sound"], bytes.is_none(), "{said}");
    }
    bench.ok(&["views", "rebuild", "--case", "case"]);
    bench.ok(&["verify", "case"]);
}

#[test]
fn tables_that_are_missing_or_damaged_are_named_with_what_mends_them() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 22);
    bench.open("case", &seizure);
    let file = || -> Vec<_> {
        let files = std::fs::read_dir(bench.path("case/tables")).unwrap();
        files.map(|entry| entry.unwrap().path()).collect()
    };
    let tables = bench.ok(&["sql", "--case", "case", "--json", "SELECT sql_name FROM bulk_table"]);
    let table: serde_json::Value = serde_json::from_str(tables.lines().next().unwrap()).unwrap();
    let rows = format!("SELECT count(*), max(_start) FROM {}", table["sql_name"].as_str().unwrap());
    for (how, damage) in [("is damaged", true), ("is missing", false)] {
        for path in file() {
            if damage {
                std::fs::write(path, "short").unwrap();
            } else {
                std::fs::remove_file(path).unwrap();
            }
        }
        for words in [["search", "--case", "case", "lumen"], ["sql", "--case", "case", &rows]] {
            let said = told(&bench, &words);
            assert!(said.contains("case/tables/") && said.contains(how), "{words:?}: {said}");
            assert!(said.contains("`vigie views rebuild --case case`"), "{words:?}: {said}");
        }
        let out = bench.run(&["verify", "case"]);
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(out.status.code(), Some(1));
        assert!(said.contains("the evidence (log and exhibits) holds"), "{said}");
        assert!(said.contains("`vigie views rebuild --case case`"), "{said}");
    }
    // What is wrong with the evidence is never said to be a matter of views.
    let shard = std::fs::read_dir(bench.path("case/vault/exhibits")).unwrap();
    let exhibit = std::fs::read_dir(shard.last().unwrap().unwrap().path()).unwrap();
    std::fs::remove_file(exhibit.last().unwrap().unwrap().path()).unwrap();
    let out = bench.run(&["verify", "case"]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1));
    assert!(said.contains("does not hold") && said.contains("1 in the evidence"), "{said}");
}

#[test]
fn another_home_is_told_by_its_option() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pile")).unwrap();
    std::fs::write(bench.path("pile/hosts.txt"), "8.8.8.8\n").unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    for words in [
        vec!["open", "--home", "other", "--case", "case", "pile"],
        vec!["views", "rebuild", "--home", "other", "--case", "case"],
        vec!["facts", "--reveal", "why", "--home", "other", "--case", "case"],
    ] {
        let said = told(&bench, &words);
        assert!(said.contains("--home") && said.contains("practice.invalid"), "{words:?}: {said}");
        assert!(said.contains("not in other"), "{words:?}: {said}");
    }
}

#[test]
fn where_problems_cannot_be_written_nothing_is_sealed() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pile")).unwrap();
    std::fs::write(bench.path("pile/hosts.txt"), "8.8.8.8\n").unwrap();
    for file in ["nowhere/problems.jsonl", "pile", "pile/hosts.txt/problems.jsonl"] {
        let out = bench.run(&["open", "--case", "case", "--problems", file, "pile"]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{file}: {said}");
        assert!(said.contains(file), "{said}");
        assert!(!bench.path("case").exists(), "{file} left a case behind");
    }
    bench.ok(&["open", "--case", "case", "--problems", "problems.jsonl", "pile"]);
    assert!(bench.path("problems.jsonl").is_file());
}

#[test]
fn parse_refuses_what_never_ends_and_takes_what_is_piped_in() {
    let bench = Bench::new();
    let made = std::process::Command::new("mkfifo").arg(bench.path("fifo")).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is missing");
    std::fs::create_dir(bench.path("folder")).unwrap();
    for file in ["fifo", "/dev/zero", "folder"] {
        let out = bench.run(&["parse", file]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{file}: {said}");
        assert!(said.contains(file), "{said}");
    }
    std::fs::write(bench.path("hosts.txt"), "8.8.8.8\n9.9.9.9\n").unwrap();
    let piped = bench
        .command(&["parse", "--json", "-"])
        .stdin(std::fs::File::open(bench.path("hosts.txt")).unwrap())
        .output()
        .unwrap();
    let named = bench.ok(&["parse", "--json", "hosts.txt"]);
    assert_eq!(String::from_utf8(piped.stdout).unwrap().lines().last(), named.lines().last());
    // An archive is read as it stands, which must not look like an empty one.
    let seizure = bench.seizure("seizure", "small", 1.0, 3);
    let folder = std::fs::read_dir(seizure.join("material/servers/03-zephyr")).unwrap();
    let zip = folder.map(|e| e.unwrap().path()).find(|p| p.extension().is_some_and(|e| e == "zip"));
    let out = bench.run(&["parse", zip.expect("an archive").to_str().unwrap()]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(said.contains("zip archive") && said.contains("`vigie open "), "{said}");
}

#[test]
fn a_mapping_that_fits_nothing_is_told_with_the_nearest_table() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pile")).unwrap();
    let rows = "2026-01-02,12.50,a\n".repeat(8);
    std::fs::write(bench.path("pile/stock.csv"), "Item,Colour,Place\nx,y,z\nu,v,w\n").unwrap();
    std::fs::write(bench.path("pile/sales.csv"), format!("When,Howmuch,Who\n{rows}")).unwrap();
    let mapping = |columns: &str| {
        std::fs::write(bench.path("map.toml"), format!("currency = \"EUR\"\n[columns]\n{columns}"))
            .unwrap();
    };
    let open = |case: &str| {
        let out = bench.run(&["open", "--json", "--case", case, "--mapping", "map.toml", "pile"]);
        assert!(out.status.success());
        let document: serde_json::Value = serde_json::from_slice(&out.stdout).unwrap();
        (document, String::from_utf8(out.stderr).unwrap())
    };
    mapping("date = \"When\"\namount = \"Sum\"\n");
    let (document, said) = open("one");
    assert!(said.contains("sales") && said.contains("no column \"Sum\""), "{said}");
    assert!(document["mapping_unfit"].as_str().is_some_and(|text| said.contains(text)));
    let out = bench.run(&["parse", "--mapping", "map.toml", "pile/sales.csv"]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("no column \"Sum\""));
    mapping("date = \"When\"\namount = \"Howmuch\"\n");
    let (document, said) = open("two");
    assert_eq!(said, "");
    assert!(document.get("mapping_unfit").is_none());
    // What was read before is not read again: a mapping that comes too late says so.
    let (_, said) = open("one");
    assert!(said.contains("`vigie views rebuild`"), "{said}");
}

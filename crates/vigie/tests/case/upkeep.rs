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
    // It is named where hidden ones are listed, and nowhere else; every count says the same.
    let listed = bench.ok(&["privilege", "list", "--case", "case", "--json"]);
    let all: Vec<serde_json::Value> =
        listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(all.iter().any(|line| line["exhibit"] == exhibit), "{listed}");
    let counted =
        bench.json(&["sql", "--case", "case", "--json", "SELECT count(*) AS n FROM exhibit"]);
    assert_eq!(counted["n"], hidden["exhibits"]);
    let gone = before["exhibits"].as_u64().unwrap() - hidden["exhibits"].as_u64().unwrap();
    assert_eq!(gone, all.len() as u64);
    let name = all[0]["name"].as_str().unwrap().rsplit('/').next().unwrap();
    assert_eq!(bench.ok(&["search", "--case", "case", "--json", name]), "", "{name} is found");
    assert_eq!(bench.ok(&["search", "--case", "case", "--json", exhibit]), "");
    {
        let snapshot = desk::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
        let paging = desk::read::Paging { after: None, limit: 1000 };
        let log = snapshot.log(&Default::default(), &paging).unwrap();
        let tells = |e: &desk::read::LogEntry| {
            e.fields.iter().any(|f| f.value.as_deref().is_some_and(|v| v.contains(name)))
        };
        let telling: Vec<_> = log.items.iter().filter(|e| tells(e)).collect();
        assert!(telling.is_empty(), "the log's page names {name}: {telling:?}");
        // Nor does a search through it find what is withheld; what is not, it finds.
        let find = |kind: Option<&str>, text: Option<&str>| {
            let own = |text: Option<&str>| text.map(str::to_owned);
            let filter = desk::read::LogFilter { kind: own(kind), text: own(text) };
            snapshot.log(&filter, &paging).unwrap()
        };
        assert_eq!(find(None, Some(name)).items, []);
        let marks = find(Some("privilege.marked"), Some("LETTERS to")).items;
        assert_eq!(marks.len(), 1, "{marks:?}");
        assert_eq!(marks[0].kind, "privilege.marked");
        let kinds = |kind| log.items.iter().filter(|e| e.kind == kind).count();
        let found = find(Some("parse.run"), None);
        assert_eq!((found.items.len(), found.total), (kinds("parse.run"), None));
    }
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

#[test]
fn tables_that_are_gone_or_cut_are_made_again_by_opening() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 12);
    let before = lasting(&bench.open("case", &seizure));
    let files = || -> Vec<std::path::PathBuf> {
        let mut files: Vec<_> = std::fs::read_dir(bench.path("case/tables"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        files.sort();
        files
    };
    let whole = files();
    assert!(whole.len() > 20);
    #[allow(clippy::disallowed_methods)] // What an accident does: not through our own writer.
    for (n, file) in whole.iter().enumerate() {
        match n % 5 {
            0 => std::fs::remove_file(file).unwrap(),
            1 => {
                let bytes = std::fs::read(file).unwrap();
                std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
            }
            _ => {}
        }
    }
    assert_eq!(bench.run(&["verify", "case"]).status.code(), Some(1));
    assert_eq!(lasting(&bench.open("case", &seizure)), before);
    bench.ok(&["verify", "case"]);
    assert_eq!(files(), whole);
}

#[test]
fn what_is_wrong_is_said_before_a_case_is_made() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 13);
    let material = seizure.join("material");
    let material = material.to_str().unwrap();
    let net = seizure.join("truth.json");
    let net = net.to_str().unwrap();
    for words in [["--at", "yesterday"], ["--address-table", net], ["--mapping", net]] {
        let out = bench.run(&["open", "--case", "case", words[0], words[1], material]);
        assert_eq!(out.status.code(), Some(2), "{words:?}");
        assert!(!bench.path("case").exists(), "{words:?} left a case behind");
    }
    // A day is precise enough; a moment without its zone is not.
    let at = |at: &str| bench.run(&["open", "--case", "case", "--at", at, material]).status.code();
    assert_eq!(at("2024-11-26T06:00:00"), Some(2));
    assert_eq!(at("2024-11-26"), Some(0));
    let again = bench.run(&["range", "make", "--scenario", "small", "seizure"]);
    assert_eq!(again.status.code(), Some(3), "a finished seizure was written over");
}

#[test]
fn a_case_is_not_sealed_into_itself() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 14);
    let case = seizure.join("material/case");
    let case = case.to_str().unwrap();
    let first = lasting(&bench.open(case, &seizure));
    let again = lasting(&bench.open(case, &seizure));
    // It is said once that the folder was left out.
    assert_eq!(again["exhibits"], first["exhibits"]);
    assert_eq!(again["facts"], first["facts"]);
    bench.ok(&["verify", case]);
    // Another case's folder is material like any other.
    let other = bench.json(&["open", "--json", "--case", "other", case]);
    assert!(other["exhibits"].as_u64() > first["exhibits"].as_u64());
}

#[test]
fn two_that_begin_a_case_at_once_both_end_well() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 15);
    let material = seizure.join("material");
    let mut both: Vec<_> = ["material/office", "material"]
        .map(|part| {
            let part = seizure.join(part);
            bench
                .command(&["open", "--json", "--case", "case", part.to_str().unwrap()])
                .stdout(std::process::Stdio::null())
                .spawn()
                .unwrap()
        })
        .into_iter()
        .collect();
    for child in &mut both {
        assert!(child.wait().unwrap().success());
    }
    let whole = bench.json(&["open", "--json", "--case", "other", material.to_str().unwrap()]);
    let both = bench.json(&["open", "--json", "--case", "case", material.to_str().unwrap()]);
    assert_eq!(both["entities"], whole["entities"]);
    bench.ok(&["verify", "case"]);
}

/// A case of payments alone: its links rest on rows, and on no fact.
#[test]
#[allow(clippy::disallowed_methods)] // Material for the test.
fn a_case_without_facts_holds() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    for (name, id) in [("a.csv", "T1"), ("b.csv", "T2")] {
        let row = format!("2024-11-02,12.50,EUR,anna@mail.example,bob@mail.example,{id}\n");
        let text = format!("date,amount,currency,payer,payee,id\n{row}");
        std::fs::write(bench.path("pile").join(name), text).unwrap();
    }
    let opened = bench.json(&["open", "--json", "--case", "case", "pile"]);
    assert_eq!((&opened["facts"], &opened["links"]["paid"]), (&0.into(), &1.into()), "{opened}");
    bench.ok(&["verify", "case"]);
}

/// Bytes that stand in the open too stay there; that they came inside a hidden container does not.
#[test]
#[allow(clippy::disallowed_methods)] // Material for the test.
fn where_bytes_came_inside_what_is_hidden_is_hidden() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    std::fs::write(bench.path("letter-to-counsel.txt"), "the same bytes\n").unwrap();
    std::fs::copy(bench.path("letter-to-counsel.txt"), bench.path("pile/a.txt")).unwrap();
    let mut tar = std::process::Command::new("tar");
    tar.args(["-cf", "pile/z.tar", "letter-to-counsel.txt"]).current_dir(bench.path("."));
    assert!(tar.status().unwrap().success());
    bench.ok(&["open", "--case", "case", "pile"]);
    let receipts = || {
        let snapshot = desk::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
        let all = snapshot.exhibits(&Default::default(), &Default::default()).unwrap().items;
        let of = |name: &str| all.iter().find(|e| e.name.ends_with(name)).map(|e| e.id);
        let page = snapshot.exhibit(of("a.txt").unwrap()).unwrap().unwrap();
        (of("z.tar"), page.receipts.iter().map(|r| r.path.clone()).collect::<Vec<_>>())
    };
    let (container, paths) = receipts();
    assert!(paths.len() == 2 && paths[1].ends_with("z.tar"), "{paths:?}");
    let container = container.unwrap().to_string();
    bench.ok(&["privilege", "mark", "--case", "case", &container, "--reason", "a lawyer's"]);
    let (container, paths) = receipts();
    assert!(container.is_none() && paths.len() == 1, "{paths:?}");
    assert!(paths[0].ends_with("a.txt"), "{paths:?}");
    let told = bench.ok(&["sql", "--case", "case", "--json", "SELECT path FROM receipt"]);
    assert!(told.contains("a.txt") && !told.contains("z.tar"), "{told}");
}

/// On read-only media SQLite finds no place for its index of the journal: here a folder takes it.
#[test]
#[allow(clippy::disallowed_methods)] // What no writer of ours does.
fn a_case_on_read_only_media_is_read_and_verified() {
    let bench = Bench::new();
    bench.open("a case?", &bench.seizure("seizure", "small", 1.0, 4));
    for end in ["-wal", "-shm"] {
        let _ = std::fs::remove_file(bench.path(&format!("a case?/views.sqlite{end}")));
    }
    std::fs::create_dir(bench.path("a case?/views.sqlite-shm")).expect("a folder");
    assert!(bench.ok(&["verify", "a case?"]).contains(" holds: "));
    assert!(bench.ok(&["sql", "--case", "a case?", "SELECT count(*) FROM exhibit"]).len() > 2);
}

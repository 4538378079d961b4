//! A crate uses only crates on floors below its own. Read from `cargo metadata`, so that no
//! dependency slips in unseen.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// The rooms and their floors. `vault` may use `ledger`, though both stand on the first.
const FLOORS: &[(&str, u32)] = &[
    ("model", 0),
    ("ledger", 1),
    ("vault", 1),
    // The one client that calls mirrors and clearing houses.
    ("line", 1),
    ("intake", 2),
    ("collect", 2),
    ("identify", 2),
    ("resolve", 2),
    ("network", 2),
    ("strike", 2),
    ("operation", 2),
    ("shield", 2),
    // Beside the house: never needed in production, and never able to lean on a parser.
    ("range", 2),
    // The practice range alive: over the feed's bounded server.
    ("range-net", 4),
    // Above ledger-s3, whose client it shares.
    ("vault-s3", 3),
    ("desk", 3),
    ("console", 4),
    ("report", 4),
    ("edge", 4),
    // What measures ISPs: the probe, and the clearing house's door for it.
    ("probe", 4),
    // Others' API, over the desk.
    ("piracy-shield", 4),
    ("vigie", 5),
];

/// Arrows allowed between rooms of one floor.
const LEVEL: &[(&str, &str)] = &[("vault", "ledger")];

/// What a room must never reach, however far below (house rules).
const NEVER: &[(&str, &[&str])] = &[
    ("model", &["rusqlite", "tokio", "axum", "parquet", "rand"]),
    ("intake", &["tokio", "axum", "rusqlite", "ledger", "vault"]),
    ("ledger", &["tokio", "object_store", "reqwest"]),
    ("collect", &["axum", "rusqlite", "reqwest", "ureq", "intake", "network"]),
    ("network", &["tokio", "axum", "rusqlite", "ledger", "vault", "intake"]),
    ("range", &["intake", "desk", "network", "rusqlite"]),
];

fn metadata() -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    // The cargo that runs the test; the one that built it may have moved since.
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let out = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .current_dir(root)
        .output()
        .expect("cargo runs");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    serde_json::from_slice(&out.stdout).expect("cargo metadata prints JSON")
}

/// The floor of a package by its name and folder. Crates under `tests/`, `bench/` and `fuzz/`, and
/// leaf crates named `<crate>-…`, stand one floor above what they serve.
fn floor(name: &str, manifest: &str) -> Option<u32> {
    if let Some((_, floor)) = FLOORS.iter().find(|(room, _)| *room == name) {
        return Some(*floor);
    }
    if ["/tests/", "/bench/", "/fuzz/"].iter().any(|place| manifest.contains(place)) {
        return Some(6);
    }
    FLOORS.iter().find(|(room, _)| name.starts_with(&format!("{room}-"))).map(|(_, f)| f + 1)
}

fn normal_dependencies(package: &Value) -> Vec<&str> {
    package["dependencies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|d| d["kind"].is_null() || d["kind"] == "build")
        .filter_map(|d| d["name"].as_str())
        .collect()
}

#[test]
fn every_arrow_points_down() {
    let metadata = metadata();
    let members: Vec<&str> = metadata["workspace_members"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(Value::as_str)
        .collect();
    let mut floors = BTreeMap::new();
    let mut packages = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        if !members.contains(&package["id"].as_str().unwrap()) {
            continue;
        }
        let name = package["name"].as_str().unwrap();
        let manifest = package["manifest_path"].as_str().unwrap();
        let floor = floor(name, manifest)
            .unwrap_or_else(|| panic!("{name} has no floor: give it one in this test's table"));
        floors.insert(name, floor);
        packages.push(package);
    }
    assert!(floors.len() >= 10, "the house has at least ten rooms, found {floors:?}");
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().unwrap();
        for needs in normal_dependencies(package) {
            let Some(below) = floors.get(needs) else { continue };
            if *below >= floors[name] && !LEVEL.contains(&(name, needs)) {
                wrong.push(format!("{name} (floor {}) uses {needs} (floor {below})", floors[name]));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows against the floors:\n{}", wrong.join("\n"));
}

#[test]
fn no_room_reaches_what_it_must_not() {
    let metadata = metadata();
    let by_name: BTreeMap<&str, &Value> = metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (package["name"].as_str().unwrap(), package))
        .collect();
    for (room, never) in NEVER {
        let mut reach = vec![*room];
        let mut at = 0;
        while at < reach.len() {
            let package = by_name.get(reach[at]);
            for name in
                package.into_iter().flat_map(|package| {
                    package["dependencies"].as_array().into_iter().flatten().filter(|d| {
                        d["kind"].is_null() && !d["optional"].as_bool().unwrap_or(false)
                    })
                })
            {
                let name = name["name"].as_str().unwrap();
                if !reach.contains(&name) {
                    reach.push(name);
                }
            }
            at += 1;
        }
        let bad: Vec<_> = reach.iter().filter(|name| never.contains(name)).collect();
        assert!(bad.is_empty(), "{room} reaches {bad:?}");
    }
}

#[test]
fn every_dependency_says_why() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let metadata = metadata();
    let mut silent = Vec::new();
    for package in metadata["packages"].as_array().unwrap() {
        let manifest = Path::new(package["manifest_path"].as_str().unwrap());
        if !package["source"].is_null() || !manifest.starts_with(root.canonicalize().unwrap()) {
            continue;
        }
        let text = std::fs::read_to_string(manifest).unwrap();
        let mut section = String::new();
        let mut reason = false;
        for line in text.lines() {
            if line.starts_with('[') {
                section = line.to_owned();
            }
            if line.trim_start().starts_with('#') {
                reason = true;
                continue;
            }
            let ours = line.contains("workspace = true") || line.contains("path = ");
            if section.contains("dependencies")
                && line.contains('=')
                && !ours
                && !reason
                && line.starts_with(|c: char| c.is_ascii_alphabetic())
            {
                silent.push(format!("{}: {line}", manifest.display()));
            }
            // One comment may serve the lines that stand right under it.
            if line.trim().is_empty() {
                reason = false;
            }
        }
    }
    assert!(silent.is_empty(), "dependencies without a reason beside them:\n{}", silent.join("\n"));
}

/// Nothing but `desk::outside` calls out by HTTP, and `line` to mirrors and clearing houses; nothing but the capture probe's shell opens a connection to where its plan says, and the
/// measuring probe to its resolver.
#[test]
fn one_file_calls_outside() {
    let calling = |word: &str| {
        let mut found = files_with(word);
        found.sort();
        found
    };
    assert_eq!(calling("ureq::"), [Path::new("desk/src/outside.rs")]);
    let probe =
        ["collect/src/probe.rs", "collect/src/probe/lookup.rs", "collect/src/probe/recorder.rs"];
    let resolver = Path::new("probe/src/ask.rs");
    assert_eq!(calling("tokio::net::{TcpStream, UdpSocket}"), [Path::new(probe[1]), resolver]);
    let line = Path::new("line/src/call.rs");
    assert_eq!(calling("tokio::net::TcpStream;"), [Path::new(probe[2]), Path::new(probe[0]), line]);
    assert_eq!(calling("hyper::client::"), [line]);
    // Who else calls by it: the ISP's side its mirrors, a probe and a standby their clearing house.
    let mirrors = Path::new("edge/src/follow/client.rs");
    assert_eq!(calling("Line::new(url"), [mirrors, Path::new("probe/src/line.rs")]);
    assert_eq!(calling("TcpStream::connect_timeout("), [Path::new("line/src/stream.rs")]);
    let standby = Path::new("vigie/src/commands/clearing/standby.rs");
    assert_eq!(calling("line::stream"), [standby]);
    // Letters go by the relay that an operator configured, and by nothing else.
    assert_eq!(calling("SmtpTransport"), [Path::new("desk/src/clearing/notice/post.rs")]);
}

/// The source files under `crates/` that hold a word.
fn files_with(word: &str) -> Vec<std::path::PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs")
                && std::fs::read_to_string(&path).unwrap().contains(word)
            {
                found.push(path.strip_prefix(&root).unwrap().to_owned());
            }
        }
    }
    found
}

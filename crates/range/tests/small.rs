//! `small` looked at from outside: the same bytes each time, and a truth that a plain reading of
//! the material bears out.
#![allow(clippy::disallowed_methods)]

mod reading;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use range::{Scenario, Truth};
use reading::{every_file, tuples, unpacked};

fn make(scenario: Scenario, scale: f64, seed: u64, out: &Path) -> Truth {
    range::make(scenario, scale, seed, out, &mut |_| {}).expect("made")
}

fn count(truth: &Truth, kind: &str) -> u64 {
    truth.summary()["entities"][kind].as_u64().unwrap_or(0)
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let (a, b, c) = (tmp(), tmp(), tmp());
    make(Scenario::Small, 1.0, 11, a.path());
    make(Scenario::Small, 0.5, 12, b.path());
    make(Scenario::Small, 1.0, 11, c.path());
    assert!(every_file(a.path()) == every_file(c.path()));
    assert!(every_file(a.path()) != every_file(b.path()));
}

fn tmp() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

#[test]
fn every_scenario_holds_something_of_everything() {
    for scenario in Scenario::ALL {
        let out = tmp();
        let mut told = 0;
        let truth =
            range::make(scenario, 0.0001, 5, out.path(), &mut |bytes| told = bytes).expect("made");
        let files = every_file(out.path());
        let bytes: u64 = files
            .iter()
            .filter(|(name, _)| name.starts_with("material/"))
            .map(|(_, bytes)| bytes.len() as u64)
            .sum();
        assert_eq!(bytes, truth.bytes, "{}", scenario.name());
        assert!(told >= truth.bytes);
        assert!(scenario != Scenario::Small || bytes <= 2_000_000, "small has {bytes} bytes");
        for def in model::kinds::ENTITY_KINDS {
            // People and companies are judged, never read.
            let judged = matches!(def.name, "Person" | "Company");
            assert_eq!(count(&truth, def.name) == 0, judged, "{} {}", scenario.name(), def.name);
        }
        let links = truth.summary()["links"].clone();
        for def in model::kinds::LINK_KINDS {
            assert!(links[def.name].as_u64() > Some(0), "{} {}", scenario.name(), def.name);
        }
        let document: serde_json::Value =
            serde_json::from_slice(&files["truth.json"]).expect("JSON");
        assert_eq!(document["summary"], truth.summary());
        assert_eq!(document["scenario"], scenario.name());
    }
}

#[test]
fn scale_moves_rows_by_itself_and_structure_by_its_root() {
    let (a, b) = (tmp(), tmp());
    let one = make(Scenario::TakenDown, 0.0004, 2, a.path());
    let four = make(Scenario::TakenDown, 0.0016, 2, b.path());
    let (few, many) = (count(&one, "Line"), count(&four, "Line"));
    assert!(many > few * 39 / 10 && many < few * 41 / 10, "{few} {many}");
    let (few, many) = (count(&one, "Work"), count(&four, "Work"));
    assert!(many > few * 18 / 10 && many < few * 22 / 10, "{few} {many}");
    assert!(matches!(
        range::make(Scenario::Kbox, 2.0, 1, a.path(), &mut |_| {}),
        Err(range::Error::Scale(_))
    ));
    assert!("venice".parse::<Scenario>().is_err());
}

/// Texts of all files, archives opened; dumps by name.
fn texts(out: &Path) -> BTreeMap<String, String> {
    unpacked(&every_file(out))
        .into_iter()
        .map(|(name, bytes)| {
            let text = if bytes.starts_with(&[0xff, 0xfe]) {
                let units: Vec<u16> =
                    bytes.chunks_exact(2).map(|c| u16::from_le_bytes([c[0], c[1]])).collect();
                String::from_utf16_lossy(&units)
            } else {
                String::from_utf8_lossy(&bytes).into_owned()
            };
            (name, text)
        })
        .collect()
}

#[test]
fn rows_are_as_many_as_the_truth_says() {
    let out = tmp();
    let truth = make(Scenario::Small, 1.0, 3, out.path());
    let texts = texts(out.path());
    let rows = |tables: &[&str]| -> Vec<Vec<String>> {
        texts
            .iter()
            .filter(|(name, _)| name.ends_with(".sql") && !name.contains("/old/"))
            .flat_map(|(_, text)| {
                let xc = text.contains("CREATE TABLE `lines`");
                // `users` are operators in one family, subscribers in the others.
                let wanted = tables.iter().filter(move |t| match **t {
                    "users:lines" => !xc,
                    "users:operators" => xc,
                    _ => true,
                });
                wanted.flat_map(|t| tuples(text, t.split(':').next().unwrap_or_default()))
            })
            .collect()
    };
    let lines = rows(&["lines", "users:lines"]);
    // Accounts that only playlists know say so by their name.
    let mut elsewhere = BTreeSet::new();
    for (name, text) in texts.iter().filter(|(name, _)| name.ends_with(".m3u")) {
        for part in text.split('/').filter(|p| p.starts_with("lost") || p.starts_with("guest")) {
            elsewhere.insert((name.clone(), part.to_owned()));
        }
    }
    assert_eq!(count(&truth, "Line"), (lines.len() + elsewhere.len()) as u64);
    let owners: usize = lines.iter().filter(|row| row[1] != "NULL").count();
    assert_eq!(truth.summary()["links"]["owned_by"], owners as u64);

    let operators = rows(&["users:operators", "reg_users"]);
    let both = count(&truth, "Reseller") + count(&truth, "Administrator");
    assert_eq!(both, operators.len() as u64);

    let macs: BTreeSet<String> = rows(&["mag_devices"])
        .iter()
        .map(|row| row[11].clone())
        .chain(rows(&["enigma2_devices"]).iter().map(|row| row[1].clone()))
        .map(|mac| if mac.contains(':') { mac } else { reading::base64(&mac) })
        .collect();
    assert_eq!(count(&truth, "Device"), macs.len() as u64);

    let servers = rows(&["servers", "streaming_servers"]);
    let addresses: BTreeSet<&str> = servers
        .iter()
        .map(|row| row.iter().find(|v| reading::is_address(v)).expect("an address").as_str())
        .collect();
    assert_eq!(count(&truth, "Server"), addresses.len() as u64);
    let sum: u64 = truth.summary()["countries"]
        .as_object()
        .expect("a map")
        .values()
        .filter_map(|n| n.as_u64())
        .sum();
    assert_eq!(sum, addresses.len() as u64);

    let swarms = texts.keys().filter(|name| name.ends_with(".torrent")).count();
    assert_eq!(count(&truth, "Swarm"), swarms as u64);
    let panels = texts.iter().filter(|(n, _)| n.ends_with(".sql") && !n.contains("/old/")).count();
    assert_eq!(count(&truth, "Panel"), panels as u64);
}

#[test]
fn what_is_counted_stands_in_the_material() {
    let out = tmp();
    let truth = make(Scenario::Small, 1.0, 4, out.path());
    let all: String = texts(out.path()).into_values().collect::<Vec<_>>().join("\n");
    let lower = all.to_lowercase();
    let tight: String = all.chars().filter(|c| *c != ' ').collect();
    let mut domains = BTreeSet::new();
    for line in truth.keys() {
        let mut parts = line.split('\t');
        let (kind, key) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let rest = key.split_once(':').map_or("", |(_, rest)| rest);
        let found = match kind {
            "Domain" => {
                domains.insert(rest.to_owned());
                lower.contains(rest)
            }
            "EmailAddress" | "IpAddress" => lower.contains(rest),
            "BankAccount" => tight.contains(rest),
            "CryptoWallet" => all.contains(rest.split_once(':').map_or("", |(_, a)| a)),
            "PhoneNumber" => tight.contains(rest),
            "UserAccount" => lower.contains(rest.split_once(':').map_or("", |(_, a)| a)),
            "Release" => lower.contains(rest),
            _ => true,
        };
        assert!(found, "{line} stands nowhere");
        assert!(kind != "BankAccount" || model::Key::iban(rest).is_some(), "{line}");
    }
    // And what looks like a host of ours is counted, mail's hosts and file names aside.
    let mut seen = BTreeSet::new();
    for end in [".example", ".test"] {
        for (at, _) in lower.match_indices(end) {
            let host = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
            let start = lower[..at].rfind(|c: char| !host(c)).map_or(0, |n| n + 1);
            let mail = lower[..start].ends_with('@');
            if !mail && !lower[at + end.len()..].starts_with(|c: char| c.is_ascii_alphanumeric()) {
                seen.insert(lower[start..at + end.len()].to_owned());
            }
        }
    }
    for host in &seen {
        assert!(domains.contains(host), "{host} is not counted");
    }
}

#[test]
fn the_schema_names_what_the_truth_holds() {
    let out = tmp();
    make(Scenario::Small, 1.0, 6, out.path());
    let read = |path: &Path| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(path).expect("a file")).expect("JSON")
    };
    let truth = read(&out.path().join("truth.json"));
    let schema = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/truth.schema.json"));
    let names = |value: &serde_json::Value| -> BTreeSet<String> {
        value.as_object().expect("an object").keys().cloned().collect()
    };
    assert_eq!(names(&truth), names(&schema["properties"]));
    assert_eq!(truth["schema"], schema["$id"]);
    let panel = &schema["properties"]["panels"]["items"]["properties"];
    for one in truth["panels"].as_array().expect("a list") {
        assert_eq!(names(one), names(panel));
        assert!(one["active_lines"].as_u64() < one["lines"].as_u64());
    }
    assert!(truth["identities"].as_array().expect("a list").iter().any(|person| {
        person["presented"].as_array().is_some_and(|faces| faces.len() > 1)
            && person["keys"].as_array().is_some_and(|keys| keys.len() > 1)
    }));
}

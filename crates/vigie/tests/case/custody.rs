//! People and custody, as those who hold the items use the command.

use serde_json::Value;

use crate::bench::Bench;

/// A case with two people and a disk in custody of the first.
#[allow(clippy::disallowed_methods)] // Material for the test.
fn begun() -> Bench {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pile")).unwrap();
    std::fs::write(bench.path("pile/hosts.txt"), "198.18.0.7\n").unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    for person in ["ana", "bob.lab"] {
        let file = format!("{person}.key");
        let key = bench.ok(&["actor", "key", person, "--out", &file]);
        let words = ["actor", "add", "--case", "case", person, "--name", "Some One", "--key"];
        bench.ok(&[&words[..], &[key.trim()]].concat());
    }
    bench.ok(&["actor", "add", "--case", "case", "guard", "--name", "The Guard"]);
    let disk = ["disk-3", "--description", "2 TB disk", "--seal", "S-1", "--holder", "ana"];
    let when = ["--place", "Evidence room", "--at", "2025-11-11T18:30+01:00"];
    bench.ok(&[&["custody", "register", "--case", "case"], &disk[..], &when[..]].concat());
    bench
}

fn offer(bench: &Bench, file: &str, words: &[&str]) {
    let out = ["custody", "offer", "--case", "case", "disk-3", "--out", file];
    bench.ok(&[&out[..], words].concat());
}

fn sign(bench: &Bench, person: &str, file: &str) -> Option<i32> {
    let key = format!("{person}.key");
    bench.run(&["custody", "sign", "--key", &key, file]).status.code()
}

fn hand_over(bench: &Bench, words: &[&str]) -> (Option<i32>, String) {
    let out = bench.run(&[&["custody", "handover", "--case", "case"], words].concat());
    let text = String::from_utf8_lossy(&out.stdout).into_owned();
    (out.status.code(), text + &String::from_utf8_lossy(&out.stderr))
}

fn item(bench: &Bench) -> Value {
    let out = bench.run(&["custody", "show", "--case", "case", "--json", "disk-3"]);
    serde_json::from_slice(&out.stdout).unwrap()
}

fn at(bench: &Bench, when: &str) -> String {
    bench.ok(&["custody", "show", "--case", "case", "disk-3", "--at", when])
}

#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn a_hand_over_is_signed_by_both_sides_and_answers_who_had_it() {
    let bench = begun();
    use std::os::unix::fs::PermissionsExt;
    let mode = bench.path("ana.key").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_ne!(bench.run(&["actor", "key", "ana", "--out", "ana.key"]).status.code(), Some(0));

    offer(&bench, "o", &["--to", "bob.lab", "--place", "Lab", "--at", "2025-11-12T10:00+01:00"]);
    assert_eq!(hand_over(&bench, &["o"]).0, Some(2), "nobody signed");
    std::fs::copy(bench.path("o"), bench.path("copy")).unwrap();
    assert_eq!(sign(&bench, "ana", "o"), Some(0));
    assert_eq!(hand_over(&bench, &["o"]).0, Some(2), "one side signed");
    // Each side may sign a copy of its own.
    assert_eq!(sign(&bench, "bob.lab", "copy"), Some(0));
    // A changed text, or a signature by another key, is not what was signed.
    let text = std::fs::read_to_string(bench.path("copy")).unwrap();
    std::fs::write(bench.path("forged"), text.replace("place Lab", "place Pub")).unwrap();
    let (code, said) = hand_over(&bench, &["o", "forged"]);
    assert!(code == Some(2) && said.contains("not of the same hand-over"), "{said}");
    assert_eq!(sign(&bench, "ana", "forged"), Some(0));
    let (code, said) = hand_over(&bench, &["forged"]);
    assert!(code == Some(2) && said.contains("the signature of bob.lab"), "{said}");
    bench.ok(&["actor", "key", "eve", "--out", "eve.key"]);
    assert_eq!(sign(&bench, "eve", "o"), Some(2), "a stranger");

    let (code, said) = hand_over(&bench, &["o", "copy"]);
    assert!(code == Some(0) && said.contains("held by bob.lab"), "{said}");
    assert_eq!(hand_over(&bench, &["o", "copy"]).0, Some(2), "twice");
    assert!(at(&bench, "2025-11-12T09:59").contains("ana"));
    assert!(at(&bench, "2025-11-12T10:00").contains("bob.lab"));
    assert!(at(&bench, "2025-11-12T09:00Z").contains("bob.lab"));
    assert!(at(&bench, "2025-11-11T10:00").contains("nobody"));
    let held = item(&bench);
    assert_eq!(held["steps"][1]["proofs"], serde_json::json!(["signed", "signed"]));
    assert_eq!(held["faults"], serde_json::json!([]));
    bench.ok(&["custody", "show", "--case", "case"]);
    bench.ok(&["verify", "case"]);
    // The views are made anew from the log, with the same to say.
    bench.ok(&["views", "rebuild", "--case", "case"]);
    assert_eq!(item(&bench), held);
    bench.ok(&["verify", "case"]);
}

#[test]
fn a_side_without_a_device_acknowledges_by_words() {
    let bench = begun();
    offer(&bench, "o", &["--to", "guard", "--at", "2025-11-12T10:00+01:00"]);
    assert_eq!(sign(&bench, "ana", "o"), Some(0));
    assert_eq!(hand_over(&bench, &["o"]).0, Some(2));
    let (code, said) = hand_over(&bench, &["--without-device", "to", "o"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("no signature") && said.contains("not acknowledged"), "{said}");
    let words: Vec<&str> =
        said.lines().find(|l| l.starts_with("    ")).unwrap().split_whitespace().collect();
    assert_eq!(words.len(), 4);
    let held = item(&bench);
    assert_eq!(held["faults"][0]["fault"], "waiting");
    let record = held["steps"][1]["record"].to_string();
    let ack = |words: &[&str]| {
        let out = bench.run(&[&["custody", "ack", "--case", "case", &record], words].concat());
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let turned: Vec<&str> = words.iter().rev().copied().collect();
    assert!(ack(&turned).1.contains("not the words of the record"));
    assert!(ack(&["no", "such", "word", "here"]).1.contains("not four words"));
    bench.ok(&["verify", "case"]);
    assert_eq!(ack(&words).0, Some(0));
    let held = item(&bench);
    assert_eq!(held["steps"][1]["proofs"], serde_json::json!(["signed", "acknowledged"]));
    assert_eq!(held["faults"], serde_json::json!([]));
    bench.ok(&["verify", "case"]);
}

#[test]
fn gaps_overlaps_and_seals_are_found_and_corrected() {
    let bench = begun();
    let go = |file: &str, people: [&str; 2], words: &[&str]| {
        offer(&bench, file, words);
        for person in people {
            assert_eq!(sign(&bench, person, file), Some(0));
        }
        assert_eq!(hand_over(&bench, &[file]).0, Some(0));
    };
    let both = ["ana", "bob.lab"];
    go("a", both, &["--from", "bob.lab", "--to", "ana", "--at", "2025-11-12T10:00+01:00"]);
    let held = item(&bench);
    assert_eq!(held["faults"][0]["fault"], "gap");
    assert_eq!(bench.run(&["custody", "show", "--case", "case"]).status.code(), Some(1));
    let record = held["steps"][1]["record"].to_string();
    let correct = ["custody", "correct", "--case", "case", &record, "--reason"];
    assert_eq!(bench.run(&[&correct[..], &[" "]].concat()).status.code(), Some(2));
    bench.ok(&[&correct[..], &["the sides were mixed up"]].concat());
    assert_eq!(item(&bench)["faults"], serde_json::json!([]));
    // Who reads it in a package sees that it no longer counts.
    let make = ["package", "make", "--case", "case", "--for", "Court", "--handling", "H0"];
    bench.ok(&[&make[..], &["--out", "court.zip"]].concat());
    let read = "import sys,zipfile;z=zipfile.ZipFile(sys.argv[1]);\
                sys.stdout.buffer.write(z.read('package/index.html'))";
    let page = std::process::Command::new("python3")
        .args(["-c", read])
        .arg(bench.path("court.zip"))
        .output()
        .expect("python3");
    let page = String::from_utf8_lossy(&page.stdout).into_owned();
    assert_eq!(page.matches(": it no longer counts").count(), 1, "{page}");
    go("b", both, &["--to", "bob.lab", "--at", "2025-11-12T10:00+01:00"]);
    go("c", both, &["--from", "ana", "--to", "bob.lab", "--at", "2025-11-12T11:00+01:00"]);
    assert_eq!(item(&bench)["faults"][0]["fault"], "overlap");
    let seal =
        ["--to", "ana", "--from", "bob.lab", "--seal", "S-9", "--at", "2025-11-12T12:00+01:00"];
    go("d", both, &seal);
    let faults = item(&bench)["faults"].to_string();
    assert!(faults.contains("seal"), "{faults}");
    // Gaps are told by `verify`, but the log is sound.
    assert!(bench.ok(&["verify", "case"]).contains("custody of disk-3"));
}

#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn labels_lead_back_to_the_log() {
    let bench = begun();
    let text = bench.ok(&["custody", "label", "--case", "case", "disk-3"]);
    for line in ["item disk-3", "seal S-1", "record ", "hash ", "checkpoint "] {
        assert!(text.lines().any(|l| l.starts_with(line)), "{line}: {text}");
    }
    assert!(!text.contains("ana"), "a label names nobody: {text}");
    bench.ok(&["custody", "label", "--case", "case", "--html", "sheet.html", "disk-3"]);
    let sheet = std::fs::read_to_string(bench.path("sheet.html")).unwrap();
    assert!(sheet.contains("<svg") && sheet.contains("disk-3"));
    // What is there already is not written over.
    std::fs::write(bench.path("sheet.html"), "notes of mine").unwrap();
    let out = bench.run(&["custody", "label", "--case", "case", "--html", "sheet.html", "disk-3"]);
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.code() == Some(3) && said.contains("is there already"), "{said}");
    assert_eq!(std::fs::read_to_string(bench.path("sheet.html")).unwrap(), "notes of mine");
    let record = text.lines().find_map(|l| l.strip_prefix("record ")).unwrap();
    let hash = text.lines().find_map(|l| l.strip_prefix("hash ")).unwrap();
    let proof = bench.ok(&["log", "prove", "--case", "case", record]);
    std::fs::write(bench.path("proof"), proof).unwrap();
    let checked = bench.json(&["log", "check", "--json", "proof"]);
    let entry = checked["record"].to_string();
    assert_eq!(model::record::leaf_hash(entry.as_bytes()).to_string(), hash);
    assert_ne!(bench.run(&["custody", "label", "--case", "case", "x"]).status.code(), Some(0));
}

#[test]
fn people_are_enrolled_once_and_with_their_own_key() {
    let bench = begun();
    let add = |words: &[&str]| {
        let out = bench.run(&[&["actor", "add", "--case", "case"], words].concat());
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let keys = bench.ok(&["actor", "list", "--case", "case", "--json"]);
    let lines: Vec<Value> = keys.lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    let key = lines[0]["key"].as_str().unwrap();
    assert_eq!(add(&["eve", "--name", "Eve", "--key", key]).0, Some(2), "another's key");
    assert_eq!(add(&["Eve", "--name", "Eve"]).0, Some(2), "capitals");
    assert_eq!(add(&["eve", "--name", "E\u{202e}ve"]).0, Some(2), "a turned name");
    assert_eq!(add(&["eve", "--name", "Eve", "--key", "nonsense"]).0, Some(2));
    let again = bench.ok(&["actor", "add", "--case", "case", "guard", "--name", "The Guard"]);
    assert!(again.contains("already"), "{again}");
    let held = ["custody", "register", "--case", "case", "x", "--description", "x", "--place", "x"];
    let nobody = [&held[..], &["--holder", "nobody", "--at", "2025-11-12T10:00Z"]].concat();
    assert_eq!(bench.run(&nobody).status.code(), Some(2));
    let later = [&held[..], &["--holder", "ana", "--at", "9999-11-12T10:00Z"]].concat();
    assert_eq!(bench.run(&later).status.code(), Some(2), "yet to come");
}

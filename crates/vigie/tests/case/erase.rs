//! Erasing from a case, and looking for what was erased in every byte of it.
#![allow(clippy::disallowed_methods)] // Material for the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

use crate::bench::Bench;

const WHY: [&str; 4] =
    ["--basis", "Directive (EU) 2016/680 art. 16", "--reason", "request 7 of the data subject"];

fn files(dir: &Path, out: &mut Vec<PathBuf>) {
    for item in std::fs::read_dir(dir).unwrap() {
        let path = item.unwrap().path();
        if path.is_dir() { files(&path, out) } else { out.push(path) }
    }
}

/// Files of the case whose name or bytes hold the text.
pub(crate) fn holding(bench: &Bench, text: &str) -> Vec<PathBuf> {
    let mut all = Vec::new();
    files(&bench.path("case"), &mut all);
    let wanted = text.as_bytes();
    all.retain(|path| {
        let bytes = std::fs::read(path).unwrap();
        path.to_string_lossy().contains(text) || bytes.windows(wanted.len()).any(|w| w == wanted)
    });
    all
}

/// Everything that the case shows as data: facts, and the rows of every table, whose files are
/// compressed.
fn shown(bench: &Bench) -> String {
    let mut out = bench.ok(&["facts", "--case", "case", "--json"]);
    let sql =
        |query: &str| bench.ok(&["sql", "--case", "case", "--json", "--limit", "1000000", query]);
    for line in sql("SELECT sql_name FROM bulk_table").lines() {
        let table: Value = serde_json::from_str(line).unwrap();
        out.push_str(&sql(&format!("SELECT * FROM \"{}\"", table["sql_name"].as_str().unwrap())));
    }
    for table in ["entity", "link", "exhibit", "receipt", "problem", "payment"] {
        out.push_str(&sql(&format!("SELECT * FROM {table}")));
    }
    out
}

pub(crate) fn erase(bench: &Bench, words: &[&str]) -> Value {
    bench.json(&[&["erase", "--case", "case", "--json"], words, &WHY[..]].concat())
}

pub(crate) fn refused(bench: &Bench, words: &[&str], code: i32) -> String {
    let out = bench.run(&[&["erase", "--case", "case"], words, &WHY[..]].concat());
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(code), "{said}");
    said
}

/// Of a practice case: a value that one member of a container states and no other exhibit does, and
/// that member.
fn distinctive(bench: &Bench) -> (String, String) {
    let mut by_value: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in bench.ok(&["facts", "--case", "case", "--json"]).lines() {
        let fact: Value = serde_json::from_str(line).unwrap();
        if let (Some(value), Some(exhibit)) = (fact["value"].as_str(), fact["exhibit"].as_str())
            && value.len() >= 14
        {
            by_value.entry(value.to_owned()).or_default().insert(exhibit.to_owned());
        }
    }
    let query = "SELECT id FROM exhibit WHERE container <> ''";
    let members: BTreeSet<String> = bench
        .ok(&["sql", "--case", "case", "--json", query])
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned())
        .collect();
    let alone =
        by_value.into_iter().filter_map(|(value, of)| match of.into_iter().collect::<Vec<_>>() {
            of if of.len() == 1 && members.contains(&of[0]) => Some((value, of[0].clone())),
            _ => None,
        });
    for (value, exhibit) in alone {
        let held = holding(bench, &value);
        let sealed = held.iter().filter(|path| path.starts_with(bench.path("case/vault")));
        let sealed: Vec<_> = sealed.collect();
        if sealed.len() == 1 && sealed[0].ends_with(&exhibit) && held.len() > 1 {
            return (value, exhibit);
        }
    }
    panic!("no exhibit of the practice case says anything of its own");
}

#[test]
fn an_exhibit_is_erased_and_no_byte_of_it_is_left() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 14);
    bench.open("case", &seizure);
    let (value, exhibit) = distinctive(&bench);
    assert!(shown(&bench).contains(&value));
    let before: Value = bench.json(&["verify", "--json", "case"]);

    // What is said before is what is done; saying it does nothing.
    let dry = erase(&bench, &["--exhibit", &exhibit, "--dry-run"]);
    let containers = dry["exhibits"].as_array().unwrap();
    assert!(containers.iter().any(|e| e["container_of_it"] == true), "{dry}");
    assert_eq!(bench.json(&["verify", "--json", "case"])["records"], before["records"]);
    let done = erase(&bench, &["--exhibit", &exhibit]);
    assert_eq!(done["exhibits"], dry["exhibits"]);
    let gone = containers.len() as u64;

    assert_eq!(holding(&bench, &value), Vec::<PathBuf>::new(), "{value}");
    assert_eq!(holding(&bench, &exhibit), Vec::<PathBuf>::new());
    assert_eq!(holding(&bench, &exhibit[..32]), Vec::<PathBuf>::new());
    assert!(!shown(&bench).contains(&value));
    assert_eq!(bench.ok(&["search", "--case", "case", "--json", &value]), "");

    let said = bench.ok(&["verify", "case"]);
    assert!(said.contains("erased under record") && said.contains("2016/680"), "{said}");
    let after: Value = bench.json(&["verify", "--json", "case"]);
    let exhibits = |of: &Value| of["exhibits"].as_u64().unwrap();
    assert_eq!(exhibits(&after), exhibits(&before) - gone);
    let record = after["erased"][0]["record"].as_u64().unwrap().to_string();

    // The other members read as from a container that was erased.
    let query =
        "SELECT id FROM exhibit WHERE member IS NOT NULL AND (container IS NULL OR container = '')";
    let orphans = bench.ok(&["sql", "--case", "case", "--json", query]);
    if let Some(line) = orphans.lines().next() {
        let orphan: Value = serde_json::from_str(line).unwrap();
        let page = bench.ok(&["show", "--case", "case", orphan["id"].as_str().unwrap()]);
        assert!(page.contains(&format!("a container erased under record {record}")), "{page}");
    }
    // The tombstone is called by the record that sealed it.
    let sealed = done["exhibits"][0]["record"].as_u64().unwrap();
    let page = bench.ok(&["show", "--case", "case", &format!("record:{sealed}")]);
    assert!(page.contains(&format!("erased under record {record}")), "{page}");
    let out = bench.run(&["show", "--case", "case", &exhibit]);
    assert!(String::from_utf8_lossy(&out.stderr).contains("vigie erase --report"));
    let again = refused(&bench, &["--exhibit", &exhibit], 3);
    assert!(again.contains("called by the record that sealed it"), "{again}");
    let report = bench.ok(&["erase", "--case", "case", "--report"]);
    for word in ["request 7", "2016/680", "no package that holds"] {
        assert!(report.contains(word), "{word} is not in {report}");
    }

    // Nothing of it comes back, whatever is built again.
    bench.ok(&["views", "rebuild", "--case", "case"]);
    bench.ok(&["verify", "case"]);
    assert!(!shown(&bench).contains(&value) && holding(&bench, &value).is_empty());
    // A changed tombstone is found.
    let mut openings = Vec::new();
    files(&bench.path("case/vault/openings"), &mut openings);
    let (path, text) = openings
        .iter()
        .map(|path| (path, std::fs::read_to_string(path).unwrap()))
        .find(|(_, text)| text.contains("request 7"))
        .expect("the order's own opening");
    std::fs::write(path, text.replace("request 7", "request 8")).unwrap();
    assert_eq!(bench.run(&["verify", "case"]).status.code(), Some(1));
}

/// A list whose middle is somebody's.
#[test]
fn digests_of_what_goes_are_named_wherever_they_stand() {
    let bench = Bench::new();
    let dir = bench.path("material");
    std::fs::create_dir(&dir).unwrap();
    let pin = model::Sha256Hex::of(b"1987\n").to_string();
    let (md5, sha1) =
        ("6a4c5312922fb8fad0eb5720a5c15180", "4d0ba90903e9d9116fd1327cd4f1fa603587e944");
    std::fs::write(dir.join("pin.txt"), "1987\n").unwrap();
    // A list that names it otherwise, one of PowerShell's under a strange name, one in an archive.
    std::fs::write(dir.join("SHA256SUMS"), format!("{pin}  the-pin-of-bob.txt\n")).unwrap();
    let text = format!("Hash\r\n{}\r\n", md5.to_uppercase());
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    std::fs::write(dir.join("notes.dat"), &wide).unwrap();
    std::fs::write(dir.join("inner.csv"), format!("name,digest\nx,{sha1}\n")).unwrap();
    let packed = std::process::Command::new("tar")
        .args(["--remove-files", "-czf", "old.tgz", "inner.csv"])
        .current_dir(&dir)
        .status();
    assert!(packed.expect("tar").success());
    bench.ok(&["open", "--case", "case", "material"]);
    assert!(!holding(&bench, "the-pin-of-bob").is_empty());

    let dry = erase(&bench, &["--exhibit", &pin, "--dry-run"]);
    let told: BTreeSet<&str> = dry["digests_elsewhere"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["exhibit"].as_str().unwrap())
        .collect();
    // The archive is packed; what came out of its packing is an exhibit as well.
    assert_eq!(told.len(), 4, "{dry}");
    let listed = model::Sha256Hex::of(&wide).to_string();
    let place = dry["digests_elsewhere"].as_array().unwrap().iter();
    let place = place.clone().find(|place| place["exhibit"] == listed.as_str()).unwrap();
    assert_eq!((place["start"].as_u64(), place["end"].as_u64()), (Some(12), Some(12 + 63)));
    erase(&bench, &["--exhibit", &pin]);
    let report = bench.json(&["erase", "--case", "case", "--report", "--json"]);
    let after = report["erasures"][0]["digests_elsewhere"].as_array().unwrap();
    assert_eq!(after.iter().map(|id| id.as_str().unwrap()).collect::<BTreeSet<_>>(), told);
    // The list itself holds the name still, and nothing else does.
    assert_eq!(holding(&bench, "the-pin-of-bob").len(), 1);
    // And none of them leaves by itself.
    let make =
        ["package", "make", "--json", "--case", "case", "--for", "Court", "--handling", "H0"];
    let made = bench.json(&[&make[..], &["--out", "after.zip"]].concat());
    let notes = made["notes"].to_string();
    for id in &told {
        let what = format!("the exhibit {id} is left out");
        assert!(notes.contains(&what), "{notes}");
    }

    // With the lists nothing is left of it.
    for id in told {
        // What is in a container takes it along: it may be gone.
        bench.run(&[&["erase", "--case", "case", "--exhibit", id], &WHY[..]].concat());
    }
    for text in [pin.as_str(), md5, sha1, "the-pin-of-bob"] {
        assert_eq!(holding(&bench, text), Vec::<PathBuf>::new(), "{text}");
    }
    let report = bench.ok(&["erase", "--case", "case", "--report"]);
    assert!(!report.contains("a digest of it stands"), "{report}");
    assert_eq!(bench.json(&["verify", "--json", "case"])["sound"], true);
}

/// A member's name that holds the digest goes, and reading its container again does not bring it back.
#[test]
fn a_name_that_was_erased_stays_erased_when_its_container_is_read_again() {
    let bench = Bench::new();
    let dir = bench.path("material");
    std::fs::create_dir(&dir).unwrap();
    let pin = model::Sha256Hex::of(b"1987\n").to_string();
    std::fs::write(dir.join("pin.txt"), "1987\n").unwrap();
    let member = dir.join(format!("{pin}.txt"));
    std::fs::write(&member, "198.18.0.9 tv.one.example\n").unwrap();
    let packed = std::process::Command::new("tar")
        .args(["--remove-files", "-czf", "cache.tgz"])
        .arg(member.file_name().unwrap())
        .current_dir(&dir)
        .status();
    assert!(packed.expect("tar").success());
    bench.ok(&["open", "--case", "case", "material"]);
    let dry = erase(&bench, &["--exhibit", &pin, "--dry-run"]);
    let telling = dry["digests_elsewhere"].as_array().unwrap();
    assert_eq!(telling.len(), 1, "the archive's own bytes hold the name: {dry}");
    erase(&bench, &["--exhibit", &pin]);
    // The archive is material, and was named; nothing else holds it, nor does a further reading.
    let archive = telling[0]["exhibit"].as_str().unwrap();
    for again in [false, true] {
        if again {
            bench.ok(&["views", "rebuild", "--case", "case"]);
            bench.ok(&["open", "--case", "case", "material/cache.tgz"]);
        }
        let found = holding(&bench, &pin);
        let only = found.iter().all(|path| path.to_string_lossy().ends_with(archive));
        assert!(only && found.len() == 1, "{again}: {found:?}");
    }
    assert_eq!(bench.json(&["verify", "--json", "case"])["sound"], true);
}

fn list() -> String {
    let line = |i: usize| match i {
        200 => "villa-aurelia.example\n".to_owned(),
        _ => format!("host-number-{i:05}.example\n"),
    };
    (0..400).map(line).collect()
}

#[test]
fn a_part_goes_and_the_rest_is_read_again() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    let text = list();
    std::fs::write(bench.path("pile/hosts.txt"), &text).unwrap();
    bench.json(&["open", "--json", "--case", "case", "pile"]);
    let facts = bench.ok(&["facts", "--case", "case", "--json"]);
    let first: Value = serde_json::from_str(facts.lines().next().unwrap()).unwrap();
    let exhibit = first["exhibit"].as_str().unwrap();
    assert!(shown(&bench).contains("villa-aurelia"));
    let at = text.find("villa").unwrap();
    let bytes = format!("{at}..{}", at + 10);
    for bad in ["5..5", "a..b", "7"] {
        refused(&bench, &["--exhibit", exhibit, "--bytes", bad], 2);
    }
    refused(&bench, &["--exhibit", exhibit, "--bytes", "0..99999999"], 2);
    let done = erase(&bench, &["--exhibit", exhibit, "--bytes", &bytes]);
    let leaf = at / 4096 * 4096;
    assert_eq!(done["part"]["bytes"], serde_json::json!([[leaf, leaf + 4096]]));
    let rest = done["rest"].as_str().unwrap();
    for gone in ["villa-aurelia", exhibit] {
        assert_eq!(holding(&bench, gone), Vec::<PathBuf>::new());
    }
    let said = bench.ok(&["verify", "case"]);
    assert!(said.contains("leaves 0 of") || said.contains("leaves 1 of"), "{said}");
    let now = shown(&bench);
    assert!(!now.contains("villa-aurelia") && now.contains("host-number-00399.example"));
    assert!(
        bench.ok(&["facts", "--case", "case", "--json", "--exhibit", rest]).lines().count() > 100
    );
    // The log holds a digest of the facts that are left.
    let report = bench.json(&["erase", "--case", "case", "--report", "--json"]);
    assert_eq!(report["erasures"][0]["rest"], rest);
    // One more part, of what is left; then all of it.
    let more = erase(&bench, &["--exhibit", rest, "--bytes", "8200..8201"]);
    bench.ok(&["verify", "case"]);
    assert!(!shown(&bench).contains("host-number-00330.example"));
    erase(&bench, &["--exhibit", more["rest"].as_str().unwrap()]);
    let said = bench.ok(&["verify", "case"]);
    assert_eq!(said.matches("note   erased under record").count(), 3, "{said}");
    assert!(!shown(&bench).contains("host-number"));
    // A byte that is changed in what proves the rest is found.
    assert_eq!(holding(&bench, "host-number"), Vec::<PathBuf>::new());
}

#[test]
fn a_text_of_a_record_goes_and_the_case_goes_on() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile/Jane Roe")).unwrap();
    std::fs::write(bench.path("pile/Jane Roe/hosts.txt"), list()).unwrap();
    bench.json(&["open", "--json", "--case", "case", "pile"]);
    assert!(!holding(&bench, "Jane Roe").is_empty());
    for (words, code) in [
        (["--record", "1", "--field", "exhibit"], 2),
        (["--record", "1", "--field", "nonsense"], 2),
        (["--record", "99", "--field", "source"], 2),
    ] {
        refused(&bench, &words, code);
    }
    let out = bench.run(&["erase", "--case", "case", "--record", "1", "--field", "source"]);
    assert_eq!(out.status.code(), Some(2), "erased without a basis");
    erase(&bench, &["--record", "1", "--field", "source"]);
    assert_eq!(holding(&bench, "Jane Roe"), Vec::<PathBuf>::new());
    let said = bench.ok(&["verify", "case"]);
    assert!(said.contains("erased under record"), "{said}");
    assert!(shown(&bench).contains("villa-aurelia"));
    let again = refused(&bench, &["--record", "1", "--field", "source"], 3);
    assert!(again.contains("erased under record") && again.contains("nothing is left"), "{again}");
}

#[test]
fn what_was_privileged_by_its_container_stays_so() {
    let bench = Bench::new();
    for folder in ["pile", "inside"] {
        std::fs::create_dir_all(bench.path(folder)).unwrap();
    }
    std::fs::write(bench.path("inside/a.txt"), list()).unwrap();
    std::fs::write(bench.path("inside/b.txt"), "to-counsel.example\nfrom-counsel.example\n")
        .unwrap();
    std::fs::write(bench.path("pile/c.txt"), "another.example\nhost.example\n").unwrap();
    let tar = std::process::Command::new("tar")
        .args(["-cf", "pile/letters.tar", "-C", "inside", "a.txt", "b.txt"])
        .current_dir(bench.path("."))
        .status();
    assert!(tar.unwrap().success());
    bench.json(&["open", "--json", "--case", "case", "pile"]);
    let id = |name: &str| {
        let query = format!("SELECT id FROM exhibit WHERE name LIKE '%{name}'");
        bench.json(&["sql", "--case", "case", "--json", &query])["id"].as_str().unwrap().to_owned()
    };
    let (tar, member) = (id("letters.tar"), id("a.txt"));
    assert!(shown(&bench).contains("to-counsel"));
    bench.ok(&["privilege", "mark", "--case", "case", &tar, "--reason", "counsel's"]);
    assert!(!shown(&bench).contains("to-counsel"));
    let done = erase(&bench, &["--exhibit", &member]);
    assert_eq!((&done["kept_members"], done["exhibits"].as_array().unwrap().len()), (&1.into(), 2));
    let now = shown(&bench);
    assert!(!now.contains("to-counsel") && now.contains("another.example"), "released: {now}");
    assert_eq!(holding(&bench, "villa-aurelia"), Vec::<PathBuf>::new());
    bench.ok(&["verify", "case"]);
    // It is there, and can be released.
    let listed = bench.ok(&["privilege", "list", "--case", "case", "--json"]);
    let hidden: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let hidden = hidden["exhibit"].as_str().unwrap();
    bench.ok(&["privilege", "release", "--case", "case", hidden, "--reason", "order of the judge"]);
    assert!(shown(&bench).contains("to-counsel"));
    let page = bench.ok(&["show", "--case", "case", hidden]);
    assert!(page.contains("a container erased under record"), "{page}");
    bench.ok(&["verify", "case"]);
}

/// Killed while it erases: before the order nothing is gone; after it the next command that writes
/// completes it, whatever it is.
#[test]
fn killed_at_any_moment_an_erasure_is_completed() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    std::fs::create_dir_all(bench.path("empty")).unwrap();
    std::fs::write(bench.path("pile/hosts.txt"), list()).unwrap();
    for n in 0..40 {
        let text = format!("{}other-{n}.example\n", "another.example\n".repeat(9));
        std::fs::write(bench.path(&format!("pile/{n}.txt")), text).unwrap();
    }
    bench.json(&["open", "--json", "--case", "whole", "pile"]);
    let query = "SELECT id FROM exhibit WHERE name LIKE '%hosts.txt'";
    let exhibit =
        bench.json(&["sql", "--case", "whole", "--json", query])["id"].as_str().unwrap().to_owned();
    let words: Vec<&str> =
        ["erase", "--case", "case", "--exhibit", &exhibit].into_iter().chain(WHY).collect();
    std::fs::rename(bench.path("home"), bench.path("whole-home")).unwrap();
    let copy = || {
        // The authority's folder goes back with it: it knows how long the log was.
        for (from, to) in [("whole", "case"), ("whole-home", "home")] {
            let _ = std::fs::remove_dir_all(bench.path(to));
            let mut cp = std::process::Command::new("cp");
            let done = cp.arg("-r").arg(bench.path(from)).arg(bench.path(to)).status();
            assert!(done.unwrap().success());
        }
    };
    copy();
    let begun = std::time::Instant::now();
    bench.ok(&words);
    let length = begun.elapsed();
    let (mut before, mut after) = (0, 0);
    for part in 0..24u32 {
        copy();
        let mut child =
            bench.command(&words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(length.mul_f64(f64::from(part) / 24.0));
        let killed = child.try_wait().unwrap().is_none();
        if killed {
            child.kill().unwrap();
        }
        child.wait().unwrap();
        if part % 2 == 0 {
            // Whatever writes next completes it; that views are yet to be built is then never
            // passed over.
            bench.ok(&["actor", "add", "--case", "case", "guard", "--name", "The guard"]);
            let search = bench.run(&["search", "--case", "case", "another.example"]);
            let said = String::from_utf8_lossy(&search.stdout).into_owned();
            let whole = search.status.success() && said.contains("another.example");
            let code = bench.run(&["verify", "case"]).status.code();
            let expected = if whole { (Some(0), Some(0)) } else { (Some(3), Some(1)) };
            assert_eq!((search.status.code(), code), expected, "killed at {part}/24: {said}");
        }
        bench.ok(&["open", "--json", "--case", "case", "empty"]);
        let report = bench.json(&["verify", "--json", "case"]);
        let ordered = !report["erased"].as_array().unwrap().is_empty();
        let found = holding(&bench, "villa-aurelia");
        assert_eq!(found.is_empty(), ordered, "killed at {part}/24: {found:?}");
        assert_eq!(shown(&bench).contains("villa-aurelia"), !ordered, "killed at {part}/24");
        if killed {
            if ordered { after += 1 } else { before += 1 }
        }
    }
    assert!(before > 0 && after > 0, "killed {before} times before the order, {after} after it");
}

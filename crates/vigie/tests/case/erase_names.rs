//! Names of erased files: what they were called may be personal data too.
#![allow(clippy::disallowed_methods)] // Material for the tests.

use serde_json::Value;

use crate::bench::Bench;
use crate::erase::{erase, holding, refused};

/// An archive as `tar` makes it.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in members {
        let mut header = [0u8; 512];
        let mut put =
            |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(0, name);
        for (at, text) in [(100, "0000644\0"), (108, "0000000\0"), (116, "0000000\0")] {
            put(at, text);
        }
        put(124, &format!("{:011o}\0", bytes.len()));
        put(136, "00000000000\0");
        put(148, "        ");
        put(156, "0");
        put(257, "ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(bytes);
        out.resize(out.len().div_ceil(512) * 512, 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

fn list(n: u8) -> Vec<u8> {
    format!("#EXTM3U\n#EXTINF:-1,One\nhttp://198.18.0.{n}:8080/live/bob/secret/1.ts\n").into_bytes()
}

/// A case of one archive in which another lies, and one file beside it: who is in it is `dupont`.
fn begun() -> Bench {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("pile")).unwrap();
    // What an archive is read as is told by its beginning: no list stands there.
    let filler = |byte| vec![byte; 70_000];
    let inner = tar(&[("first.bin", &filler(1)), ("deep.m3u", &list(3))]);
    let members: [(&str, &[u8]); 4] = [
        ("filler.bin", &filler(2)),
        ("MEMBER-dupont.m3u", &list(1)),
        ("other.m3u", &list(2)),
        ("inner.tar", &inner),
    ];
    std::fs::write(bench.path("pile/CONTAINER-dupont.tar"), tar(&members)).unwrap();
    std::fs::write(bench.path("pile/beside.m3u"), list(4)).unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    bench
}

fn exhibits(bench: &Bench) -> Vec<(String, String, u64)> {
    let query = "SELECT id, name, record FROM exhibit ORDER BY record";
    let lines = bench.ok(&["sql", "--case", "case", "--json", query]);
    let of = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        let text = |name: &str| row[name].as_str().unwrap().to_owned();
        let record = row["record"].as_u64().unwrap();
        (text("id"), text("name"), record)
    };
    lines.lines().map(of).collect()
}

fn named(bench: &Bench, name: &str) -> (String, u64) {
    let all = exhibits(bench);
    let found = all.iter().find(|(_, called, _)| called.ends_with(name));
    found
        .map(|(id, _, record)| (id.clone(), *record))
        .unwrap_or_else(|| panic!("{name} in {all:?}"))
}

fn report(bench: &Bench) -> Value {
    bench.json(&["erase", "--report", "--case", "case", "--json"])
}

#[test]
fn the_name_of_a_container_stays_with_its_other_members_until_it_is_erased_there() {
    let bench = begun();
    let (member, _) = named(&bench, "MEMBER-dupont.m3u");
    let mut stay: Vec<u64> = ["filler.bin", "other.m3u", "inner.tar", "first.bin", "deep.m3u"]
        .into_iter()
        .map(|name| named(&bench, name).1)
        .collect();
    stay.sort_unstable();

    // It is said before: which records go on naming the container.
    let dry = erase(&bench, &["--exhibit", &member, "--dry-run"]);
    let texts: Vec<String> = stay.iter().map(|record| format!("{record}/source")).collect();
    assert_eq!(dry["same_text"], serde_json::json!(texts), "{dry}");
    let done = erase(&bench, &["--exhibit", &member]);
    assert_eq!(done["same_text"], dry["same_text"]);

    // Of the member's own name no byte is left; its container's stands where the others came from.
    assert_eq!(holding(&bench, "MEMBER-dupont"), Vec::<std::path::PathBuf>::new());
    let held = holding(&bench, "CONTAINER-dupont");
    assert!(
        held.iter().any(|path| path.starts_with(bench.path("case/vault/openings"))),
        "{held:?}"
    );
    let all = report(&bench);
    let order = all["erasures"][0]["record"].as_u64().unwrap();
    let places = all["erasures"][0]["names_in_source_of"].as_str().unwrap().to_owned();
    let whole = model::record::Places::of(stay.iter().copied()).to_string();
    assert_eq!(places, whole, "{all}");
    let said = bench.ok(&["erase", "--report", "--case", "case"]);
    assert!(said.contains(&format!("stands in the source of records {whole}")), "{said}");
    assert!(said.contains(&format!("vigie erase --case case --names {order} --basis")), "{said}");

    // That command takes it from there, and from nothing else.
    let before = named(&bench, "other.m3u");
    let number = order.to_string();
    let dry = erase(&bench, &["--names", &number, "--dry-run"]);
    assert_eq!((&dry["openings"], &dry["same_text"]), (&5.into(), &serde_json::json!([])), "{dry}");
    erase(&bench, &["--names", &number]);
    assert_eq!(holding(&bench, "CONTAINER-dupont"), Vec::<std::path::PathBuf>::new());
    assert_eq!(named(&bench, "other.m3u"), before);
    assert!(!holding(&bench, "beside.m3u").is_empty(), "what came from elsewhere says so still");
    let all = report(&bench);
    assert_eq!(all["erasures"][0]["names_in_source_of"], "", "{all}");
    assert!(bench.ok(&["verify", "case"]).contains(" holds: "));
    let again = refused(&bench, &["--names", &number], 3);
    assert!(again.contains("no record names a container"), "{again}");
    assert!(refused(&bench, &["--names", "0"], 2).contains("orders no erasure"), "no order");
    // The same case opens again and goes on.
    std::fs::write(bench.path("pile/later.m3u"), list(5)).unwrap();
    bench.ok(&["open", "--case", "case", "pile/later.m3u"]);
    assert!(bench.ok(&["verify", "case"]).contains(" holds: "));
}

#[test]
fn an_erased_container_takes_its_members_and_every_name_with_it() {
    let bench = begun();
    let (container, _) = named(&bench, "CONTAINER-dupont.tar");
    let done = erase(&bench, &["--exhibit", &container]);
    assert_eq!(done["same_text"], serde_json::json!([]), "{done}");
    assert_eq!(holding(&bench, "dupont"), Vec::<std::path::PathBuf>::new());
    assert_eq!(report(&bench)["erasures"][0]["names_in_source_of"], "");
    assert!(bench.ok(&["verify", "case"]).contains(" holds: "));
}

#[test]
fn a_name_is_found_in_the_records_of_other_files() {
    let bench = begun();
    // What lies in a folder of that name says so in its own path.
    std::fs::create_dir(bench.path("pile/MEMBER-dupont.m3u")).unwrap();
    std::fs::write(bench.path("pile/MEMBER-dupont.m3u/more.m3u"), list(6)).unwrap();
    bench.ok(&["open", "--case", "case", "pile"]);
    let (member, _) = named(&bench, "MEMBER-dupont.m3u");
    let (_, more) = named(&bench, "more.m3u");
    let done = erase(&bench, &["--exhibit", &member]);
    let texts = done["same_text"].as_array().unwrap().clone();
    assert!(texts.contains(&format!("{more}/source").into()), "{done}");
    erase(&bench, &["--record", &more.to_string(), "--field", "source"]);
    assert_eq!(holding(&bench, "MEMBER-dupont"), Vec::<std::path::PathBuf>::new());
}

//! The authority's key, from outside: under a passphrase, and replaced.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

use crate::bench::Bench;

const FILE: &str = "VIGIE_PASSPHRASE_FILE";

#[allow(clippy::disallowed_methods)] // Files for the test.
fn put(bench: &Bench, name: &str, text: &str) {
    std::fs::write(bench.path(name), text).expect("a file");
}

fn key_file(bench: &Bench) -> PathBuf {
    bench.path("home/authorities/police.example/key")
}

/// With a passphrase's file.
fn with(bench: &Bench, file: &str, words: &[&str]) -> Output {
    bench.command(words).env(FILE, bench.path(file)).output().expect("it runs")
}

/// Without one, and without a terminal, whoever runs the test.
fn alone(bench: &Bench, words: &[&str]) -> Output {
    let vigie = bench.command(words);
    let mut command = Command::new("setsid");
    command.arg("--wait").arg(vigie.get_program()).args(vigie.get_args());
    command.current_dir(bench.path(".")).env("VIGIE_HOME", bench.path("home"));
    command.env_remove("VIGIE_CASE").env_remove(FILE).stdin(std::process::Stdio::null());
    command.output().expect("it runs")
}

#[track_caller]
fn refused(out: &Output, code: i32, words: &str) {
    let said = String::from_utf8_lossy(&out.stderr);
    assert_eq!(out.status.code(), Some(code), "{said}");
    assert!(said.contains(words), "{said}");
}

#[track_caller]
fn done(out: &Output) -> String {
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout.clone()).expect("UTF-8")
}

#[test]
fn a_passphrase_is_needed_to_sign_and_never_to_verify() {
    let bench = Bench::new();
    refused(&alone(&bench, &["authority", "passphrase"]), 3, "practice.invalid");
    bench.ok(&["authority", "init", "police.example"]);
    put(&bench, "material", "http://198.18.0.1:8080/live/bob/secret/1.ts\n");
    put(&bench, "more", "http://198.18.0.2:8080/live/eve/secret/1.ts\n");
    for (file, text) in [
        ("one", "correct horse\n"),
        ("two", "battery staple"),
        ("short", "horse\n"),
        ("two-lines", "a\nb\n"),
        ("none", "\n"),
    ] {
        put(&bench, file, text);
    }
    let mode = || key_file(&bench).metadata().expect("a file").permissions().mode() & 0o7777;
    // What is no passphrase leaves the key as it is.
    refused(&alone(&bench, &["authority", "passphrase"]), 3, "there is no terminal to ask on");
    let set = |file: &str| alone(&bench, &["authority", "passphrase", "--new", file]);
    refused(&set("short"), 2, "at least 8 characters");
    refused(&set("two-lines"), 3, "more than the one line");
    refused(&set("none"), 3, "its first line is empty");
    refused(&set("nowhere"), 3, "nowhere could not be read");
    let both = ["authority", "passphrase", "--remove", "--new", "one"];
    assert_eq!(alone(&bench, &both).status.code(), Some(2));
    done(&alone(&bench, &["open", "--case", "before", "material"]));

    assert!(done(&set("one")).contains("is under the passphrase now"));
    assert_eq!(mode(), 0o600);
    let text = std::fs::read_to_string(key_file(&bench)).expect("a file");
    assert!(text.starts_with("vigie-key/v1 police.example+"), "{text}");
    assert!(text.contains(" argon2id m=65536,t=3,p=4 "), "{text}");

    // Whatever signs asks, and says what to do where it cannot.
    for words in [
        &["open", "--case", "before", "more"][..],
        &["open", "--case", "new", "more"],
        &["serve", "--case", "before", "--listen", "127.0.0.1:0"],
        &["views", "rebuild", "--case", "before"],
        &["actor", "add", "--case", "before", "--name", "Bob", "bob"],
        &["witness", "drop", "w.example"],
        &["authority", "passphrase", "--remove"],
    ] {
        let out = alone(&bench, words);
        if words[0] == "witness" {
            refused(&out, 3, "w.example"); // none of that name: the list alone was read
            continue;
        }
        refused(&out, 3, "the key of police.example is under a passphrase: there is no terminal");
        refused(&out, 3, FILE);
        let wrong = with(&bench, "two", words);
        refused(&wrong, 3, "the passphrase does not open it");
        assert!(wrong.stdout.is_empty());
    }
    assert!(!bench.path("new/ledger").exists(), "nothing was begun");
    done(&with(&bench, "one", &["open", "--case", "before", "more"]));
    done(&with(&bench, "one", &["open", "--case", "new", "more"]));

    // Whatever only verifies, proves or reads does not.
    for words in [
        &["verify", "before"][..],
        &["log", "prove", "--case", "before", "0"],
        &["log", "prove", "--authority", "0"],
        &["witness", "ask", "--case", "before"],
        &["witness", "list", "--case", "before"],
        &["witness", "compare", "--case", "before"],
        &["facts", "--case", "before"],
        &["search", "--case", "before", "bob"],
    ] {
        done(&alone(&bench, words));
    }
    let report = done(&alone(&bench, &["verify", "--json", "new"]));
    assert!(report.contains("\"key_from_home\":true"), "{report}");

    // Changed, it opens with the new one alone; removed, with none.
    let change = ["authority", "passphrase", "--json", "--new", "two"];
    assert!(done(&with(&bench, "one", &change)).contains("\"passphrase\":\"changed\""));
    refused(&with(&bench, "one", &["open", "--case", "new", "material"]), 3, "does not open it");
    done(&with(&bench, "two", &["open", "--case", "new", "material"]));
    done(&with(&bench, "two", &["authority", "passphrase", "--remove"]));
    assert_eq!(mode(), 0o600);
    done(&alone(&bench, &["open", "--case", "new", "material"]));
    done(&alone(&bench, &["verify", "new"]));
}

#[test]
fn a_key_file_that_is_damaged_or_open_to_others_is_refused_in_words() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    put(&bench, "material", "http://198.18.0.1:8080/live/bob/secret/1.ts\n");
    put(&bench, "one", "correct horse\n");
    done(&with(&bench, "one", &["authority", "passphrase"]));
    let open = ["open", "--case", "case", "material"];
    let path = key_file(&bench);
    let text = std::fs::read_to_string(&path).expect("a file");
    for (from, to, words) in [
        ("m=65536", "m=4194304", "it asks for m=4194304,t=3,p=4 of Argon2id"),
        ("vigie-key/v1", "vigie-key/v9", "use a newer one"),
        (" argon2id", " pbkdf2", "not argon2id"),
        ("t=3", "t=2", "the passphrase does not open it"),
        ("\n", "", "its line has no end"),
    ] {
        put(&bench, "home/authorities/police.example/key", &text.replace(from, to));
        refused(&with(&bench, "one", &open), 3, words);
    }
    put(&bench, "home/authorities/police.example/key", &text);
    let chmod = |mode| {
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("a mode");
    };
    chmod(0o644);
    for words in [&open[..], &["authority", "passphrase", "--remove"]] {
        refused(&with(&bench, "one", words), 3, "can be read by others than its owner (mode 0644)");
    }
    chmod(0o600);
    done(&with(&bench, "one", &open));
}

/// The key of an authority, as `vigie authority rotate` prints it, and the one before.
fn rotated(bench: &Bench) -> (String, String) {
    let done = bench.json(&["authority", "rotate", "--reason", "yearly", "--json"]);
    let text = |name: &str| done[name].as_str().expect("a key").to_owned();
    (text("old"), text("new"))
}

#[test]
fn a_rotated_key_is_followed_by_whoever_verifies_proves_and_trusts() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    for n in 0..3 {
        put(&bench, &format!("m{n}"), &format!("http://198.18.0.{n}:8080/live/bob/secret/1.ts\n"));
    }
    bench.ok(&["open", "--case", "case", "m0"]);
    let before = bench.ok(&["log", "prove", "--case", "case", "1"]);
    put(&bench, "before", &before);
    let older = std::fs::read_to_string(bench.path("case/ledger/checkpoint")).expect("text");
    put(&bench, "older", &older);
    let secret = std::fs::read_to_string(key_file(&bench)).expect("text");
    let (old, new) = rotated(&bench);
    assert_ne!(secret, std::fs::read_to_string(key_file(&bench)).expect("text"));
    let mode = key_file(&bench).metadata().expect("a file").permissions().mode() & 0o7777;
    assert_eq!(mode, 0o600);

    // Nothing was written in the case yet; then it is handed on, before what comes.
    let waits = bench.ok(&["verify", "case"]);
    assert!(waits.contains("the next opening for writing hands the log on"), "{waits}");
    bench.ok(&["open", "--case", "case", "m1"]);
    let report = bench.ok(&["verify", "case"]);
    assert!(report.contains("note   key rotated at record "), "{report}");
    assert!(bench.ok(&["sql", "--case", "case", "SELECT 1"]).contains('1'), "views read it");
    let trust = |name: &str, keys: &[&str]| {
        let lines: String = keys.iter().map(|key| format!("authority {key}\n")).collect();
        put(&bench, name, &lines);
    };
    trust("both", &[&old, &new]);
    trust("only-old", &[&old]);
    trust("only-new", &[&new]);
    for file in ["both", "only-new"] {
        let report = bench.ok(&["verify", "--trust", file, "case"]);
        assert!(report.contains("Signed by a key that your trust file names"), "{report}");
    }
    let out = bench.run(&["verify", "--trust", "only-old", "case"]);
    let said = String::from_utf8_lossy(&out.stdout);
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(
        said.contains("which it does not name") && said.contains("add the line `log "),
        "{said}"
    );

    // Proofs from before and after, and that the one went on from the other.
    put(&bench, "after", &bench.ok(&["log", "prove", "--case", "case", "1"]));
    let grown = bench.ok(&["log", "prove", "--case", "case", "--since", "older"]);
    put(&bench, "grown", &grown);
    for (file, words, code) in [
        ("both", &["before"][..], 0),
        ("both", &["after"], 0),
        ("both", &["--since", "older", "grown"], 0),
        ("only-old", &["before"], 0),
        ("only-old", &["after"], 1),
        ("only-new", &["before"], 1),
        ("only-new", &["after"], 0),
        ("only-new", &["--since", "older", "grown"], 1),
    ] {
        let out = bench.run(&[&["log", "check", "--trust", file], words].concat());
        let said = String::from_utf8_lossy(&out.stdout);
        assert_eq!(out.status.code(), Some(code), "{file} {words:?}: {said}");
        assert!(code == 0 || said.contains("the trust file needs a line for each"), "{said}");
    }
    // The reader's own word on how far the old key counts.
    let key = |name: &str| {
        let old = ledger::VerifierKey::parse(&old).expect("a key");
        old.renamed(name).expect("a name").text()
    };
    let origin = older.lines().next().expect("an origin");
    put(&bench, "until", &format!("log {} until 0\nauthority {new}\n", key(origin)));
    let out = bench.run(&["log", "check", "--trust", "until", "before"]);
    assert_eq!(out.status.code(), Some(1));
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.contains("counts for the first 0 entries only"), "{said}");

    // The old key, from a copy of the home, opens nothing that is newer.
    put(&bench, "home/authorities/police.example/key", &secret);
    let out = bench.run(&["open", "--case", "case", "m2"]);
    assert_eq!(out.status.code(), Some(3), "{}", String::from_utf8_lossy(&out.stdout));
}

#[test]
fn a_sealed_key_is_replaced_by_one_under_the_same_passphrase() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    put(&bench, "material", "http://198.18.0.1:8080/live/bob/secret/1.ts\n");
    put(&bench, "one", "correct horse\n");
    done(&with(&bench, "one", &["authority", "passphrase"]));
    done(&with(&bench, "one", &["open", "--case", "case", "material"]));
    refused(&alone(&bench, &["authority", "rotate"]), 3, "is under a passphrase");
    let said = done(&with(&bench, "one", &["authority", "rotate", "--reason", "yearly"]));
    assert!(said.contains("was rotated at record 1 of its own log"), "{said}");
    assert!(said.contains("adds, below the former one: authority police.example+"), "{said}");
    let text = std::fs::read_to_string(key_file(&bench)).expect("a file");
    assert!(text.starts_with("vigie-key/v1 police.example+"), "{text}");
    refused(
        &alone(&bench, &["actor", "add", "--case", "case", "--name", "Bob", "bob"]),
        3,
        "passphrase",
    );
    done(&with(&bench, "one", &["open", "--case", "case", "one"]));
    let report = done(&alone(&bench, &["verify", "case"]));
    assert!(report.contains("key rotated at record "), "{report}");
}

#[test]
fn a_persons_key_signs_with_its_passphrase_and_where_nobody_else_reads_it() {
    let bench = Bench::new();
    put(&bench, "one", "correct horse\n");
    put(&bench, "two", "battery staple\n");
    put(&bench, "short", "horse\n");
    let public = bench.ok(&["actor", "key", "ana.example", "--out", "ana.key"]);
    let protect = |words: &[&'static str]| [&["actor", "passphrase", "ana.key"], words].concat();
    refused(&alone(&bench, &protect(&["--new", "short"])), 2, "at least 8 characters");
    assert!(done(&alone(&bench, &protect(&["--new", "one"]))).contains("ana.example is under the"));
    let text = std::fs::read_to_string(bench.path("ana.key")).expect("a file");
    assert!(
        text.starts_with("vigie-key/v1 ana.example+") && text.contains(public.trim()),
        "{text}"
    );

    bench.open("case", &bench.seizure("seizure", "small", 1.0, 4));
    for (person, key) in [("ana.example", Some(public.trim())), ("guard", None)] {
        let add = ["actor", "add", "--case", "case", person, "--name", "somebody"];
        bench.ok(&[&add[..], &key.map_or(vec![], |key| vec!["--key", key])].concat());
    }
    bench.ok(&[
        "custody",
        "register",
        "--case",
        "case",
        "disk-3",
        "--description",
        "a disk",
        "--seal",
        "S-1",
        "--place",
        "Room 2",
        "--holder",
        "ana.example",
        "--at",
        "2026-01-01T10:00Z",
    ]);
    bench.ok(&[
        "custody",
        "offer",
        "--case",
        "case",
        "disk-3",
        "--to",
        "guard",
        "--place",
        "Room 3",
        "--at",
        "2026-01-02T10:00Z",
        "--out",
        "offer",
    ]);
    let sign = ["custody", "sign", "--key", "ana.key", "offer"];
    refused(&alone(&bench, &sign), 3, "the key of ana.example is under a passphrase");
    refused(&with(&bench, "two", &sign), 3, "the passphrase does not open it");
    done(&with(&bench, "one", &sign));

    let change = protect(&["--json", "--new", "two"]);
    assert!(done(&with(&bench, "one", &change)).contains(r#""passphrase":"changed""#));
    done(&with(&bench, "two", &protect(&["--remove"])));
    done(&alone(&bench, &sign));
    // What others could have read signs nothing.
    let mode = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(bench.path("ana.key"), mode).expect("a mode");
    refused(&alone(&bench, &sign), 3, "can be read by others than its owner");
}

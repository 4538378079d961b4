//! Authorities that witness one another: over loopback, each in a home of its own.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use crate::bench::Bench;
use crate::package::unpacked;

/// A witness that serves until it is dropped.
struct Serving {
    child: Child,
    url: String,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn serve(bench: &Bench, logs: &str) -> Serving {
    let mut child = bench
        .command(&["witness", "serve", "--logs", logs, "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("it serves");
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("a line");
    let url = line.trim_end().rsplit(' ').next().expect("an address").to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{line}");
    Serving { child, url }
}

/// The key of an authority, from the birth of its first case.
fn key_of(bench: &Bench) -> String {
    let birth = bench.ok(&["log", "prove", "--authority", "0"]);
    put(&bench.path("birth"), &birth);
    let born = bench.json(&["log", "check", "--json", "birth"]);
    let key = born["record"]["public"]["key"].as_str().expect("a key").to_owned();
    // The authority signs all its logs with one key: its vkey under its own name has another id.
    let key = ledger::VerifierKey::parse(&key).expect("a key");
    let name = key.name().split('/').next().expect("a name").to_owned();
    key.renamed(&name).expect("a name").text()
}

#[allow(clippy::disallowed_methods)] // Files for the test.
fn put(path: &Path, text: &str) {
    std::fs::write(path, text).expect("a file");
}

#[allow(clippy::disallowed_methods)] // A copy, as a thief or a careless operator makes it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for item in std::fs::read_dir(from).expect("a folder") {
        let item = item.expect("an item");
        let to = to.join(item.file_name());
        if item.file_type().expect("a type").is_dir() {
            copy(&item.path(), &to);
        } else {
            std::fs::copy(item.path(), to).expect("a copy");
        }
    }
}

#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn others_cosign_and_who_tells_two_stories_is_caught() {
    let (police, polizia) = (Bench::new(), Bench::new());
    police.ok(&["authority", "init", "police.example"]);
    let seizure = police.seizure("seizure", "small", 1.0, 4);
    police.open("case", &seizure);
    let report = police.ok(&["verify", "case"]);
    assert!(report.contains("Unwitnessed: its operator could have rebuilt it."), "{report}");
    assert!(police.ok(&["witness", "ask"]).contains("unwitnessed: its operator could have"));

    // The other authority's witness, and nobody's own.
    assert_eq!(polizia.run(&["witness", "serve", "--logs", "nowhere"]).status.code(), Some(3));
    let witness = polizia.ok(&["witness", "init", "w.polizia.example"]);
    let own = police.ok(&["witness", "init", "w.police.example"]);
    // A witness that would serve nobody says so, and does not stand there as if it did.
    for none in ["", "# to come\n", &format!("witness {witness}")] {
        put(&polizia.path("partners"), none);
        let words = ["--home", "home", "witness", "serve", "--logs", "partners"];
        let out = polizia.run(&[&words[..], &["--listen", "127.0.0.1:0"]].concat());
        let why = String::from_utf8_lossy(&out.stderr);
        assert!(out.status.code() == Some(2) && why.contains("partners names no log"), "{why}");
        // What its owner has to do he does not do in this home.
        assert!(!why.contains("--home"), "{why}");
    }
    put(&polizia.path("partners"), &format!("authority {}\n", key_of(&police)));
    let serving = serve(&polizia, "partners");
    let add = |key: &str| police.run(&["witness", "add", "--url", &serving.url, key.trim()]);
    assert_eq!(add(&own).status.code(), Some(2), "who witnesses himself proves nothing");
    assert_eq!(add("nonsense").status.code(), Some(2));
    assert!(add(&witness).status.success());

    let nobody = police.run(&["witness", "drop", "nobody"]);
    let why = String::from_utf8_lossy(&nobody.stderr).into_owned();
    let wanted = "no witness is named \"nobody\": `vigie witness list`";
    assert!(nobody.status.code() == Some(3) && why.contains(wanted), "{why}");

    // Its own policy: no more than are named, and none of them dropped below it.
    assert_eq!(police.run(&["witness", "require", "2"]).status.code(), Some(2));
    assert!(police.ok(&["witness", "require", "1"]).contains("1 witness is required"));
    assert!(police.ok(&["witness", "require", "1"]).contains("nothing was recorded"));
    let refused = police.run(&["witness", "drop", "w.polizia.example"]);
    let why = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(2) && why.contains("vigie witness require 0"), "{why}");
    let report = police.ok(&["verify", "case"]);
    let none = "requires 1 of 1 witnesses: no checkpoint of this log has them";
    assert!(report.contains(none), "{report}");

    // A copy from before, with which two stories can be told.
    copy(&police.path("case"), &police.path("fork"));
    copy(&police.path("home"), &police.path("home-of-fork"));
    let told = police.ok(&["witness", "ask"]);
    assert_eq!(told.matches(": cosigned, ").count(), 2, "{told}");
    assert!(police.ok(&["witness", "list"]).contains("records cosigned at 20"));
    let lines = police.ok(&["witness", "list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(lines.trim()).expect("a document");
    assert!(listed["cosigned"]["case"]["size"].as_u64() > Some(3), "{listed}");
    let report = police.ok(&["verify", "case"]);
    assert!(report.contains("Witnessed by w.polizia.example at 20"), "{report}");
    assert!(report.contains("requires 1 of 1 witnesses: all "), "{report}");
    let policy = &police.json(&["verify", "--json", "case"])["witnessed"]["policy"];
    assert_eq!((&policy["quorum"], &policy["of"]), (&1.into(), &1.into()), "{policy}");
    assert!(told.contains("case: The authority requires 1 of 1 witnesses: all "), "{told}");
    assert!(report.contains("those that the authority itself names"), "{report}");

    // A package says at its top who cosigned, and what is missing.
    let made = ["package", "make", "--for", "Court", "--handling", "H0", "--out", "court.zip"];
    police.ok(&made);
    let page = String::from_utf8_lossy(&unpacked(&police, "court.zip")).into_owned();
    assert!(page.contains("w.polizia.example cosigned these records on 20"), "{page}");
    assert!(page.contains("No trusted time") && !page.contains("Unwitnessed"), "{page}");
    assert!(!page.contains("requires the cosignatures of more"), "{page}");

    // A reader with the keys, and nothing else.
    let trust = format!("authority {}\nwitness {witness}quorum 1\n", key_of(&police));
    put(&police.path("trust"), &trust);
    let report = police.ok(&["verify", "--trust", "trust", "case"]);
    assert!(!report.contains("authority itself names"), "{report}");
    put(&police.path("proof"), &police.ok(&["log", "prove", "--case", "case", "3"]));
    let held = police.ok(&["log", "check", "--trust", "trust", "proof"]);
    assert!(held.contains("Cosigned by w.polizia.example at"), "{held}");
    let found = police.run(&["verify", "--trust", "trust", "fork"]);
    assert_eq!(found.status.code(), Some(1), "a quorum that is not there is a finding");

    // Whoever names the log's key alone has no witness, whomever the authority names.
    put(&police.path("alone"), &format!("authority {}\n", key_of(&police)));
    let words = ["package", "make", "--case", "case", "--for", "court", "--out", "p.zip"];
    police.ok(&[&words[..], &["--handling", "H0"]].concat());
    let none = "Unwitnessed by anyone whom your trust file names";
    for words in [&["verify", "case"][..], &["package", "verify", "p.zip"]] {
        let own = police.ok(words);
        assert!(own.contains("Witnessed by w.polizia.example"), "{own}");
        let alone = police.ok(&[words, &["--trust", "alone"]].concat());
        assert!(alone.contains(none) && !alone.contains("Witnessed by"), "{alone}");
    }

    // A byte of a cosignature is changed: whoever has the witness's key finds it.
    let cosigned = std::fs::read_dir(police.path("case/ledger/witnessed")).expect("a folder");
    let cosigned = cosigned.flatten().next().expect("a checkpoint").path();
    let whole = std::fs::read_to_string(&cosigned).expect("text");
    let at = whole.len() - 40; // in the last signature, which is the witness's
    let other = if whole.as_bytes()[at] == b'A' { "B" } else { "A" };
    put(&cosigned, &format!("{}{other}{}", &whole[..at], &whole[at + 1..]));
    for words in [&["verify", "case"][..], &["verify", "--trust", "trust", "case"]] {
        let out = police.run(words);
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(out.status.code(), Some(1), "{said}");
        assert!(said.contains("the cosignature of w.polizia.example does not fit"), "{said}");
    }
    put(&cosigned, &whole);

    // Grown, it is asked once more; what is proved then ends at the newer checkpoint.
    police.open("case", &police.seizure("more", "small", 1.0, 5));
    assert_eq!(police.ok(&["witness", "ask"]).matches(": cosigned, ").count(), 2);
    assert!(police.ok(&["witness", "compare"]).contains("and this log goes on from them"));

    // The fork goes on elsewhere, under the same key: the witness refuses it, and the file shows it.
    let fork = |words: &[&str]| {
        let out = police
            .command(words)
            .env("VIGIE_HOME", police.path("home-of-fork"))
            .output()
            .expect("it runs");
        (out.status.code(), String::from_utf8_lossy(&out.stdout).into_owned())
    };
    let other = police.seizure("other", "small", 1.0, 6);
    for name in ["a", "b", "c"] {
        // Longer than what was cosigned, so that nothing is behind.
        let path = police.path(name);
        std::fs::create_dir_all(&path).expect("a folder");
        put(&path.join(name), name);
        let words = ["open", "--case", "fork", path.to_str().expect("UTF-8")];
        assert_eq!(fork(&words).0, Some(0));
    }
    let words = ["open", "--case", "fork", other.to_str().expect("UTF-8")];
    assert_eq!(fork(&words).0, Some(0));
    let (code, told) = fork(&["backup", "--case", "fork", "--to", "kept"]);
    assert_eq!(code, Some(0), "{told}");
    let (code, told) = fork(&["witness", "ask", "--case", "fork"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("case: w.polizia.example: A SPLIT VIEW"), "{told}");
    let words = ["witness", "compare", "--case", "fork", "--evidence", "split"];
    assert_eq!(fork(&words).0, Some(1));
    let (code, shown) = fork(&["log", "check", "--trust", "trust", "split"]);
    assert_eq!(code, Some(1));
    assert!(shown.contains("Split view: police.example/case/"), "{shown}");
    assert!(shown.contains("signed two histories"), "{shown}");

    // Once seen it is not forgotten, and what others signed of another log is not told of this one.
    let (code, told) = fork(&["verify", "fork"]);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("the log signed another history"), "{told}");
    assert!(!told.contains("Witnessed by") && told.contains("is not told"), "{told}");
    let (_, told) = fork(&["witness", "list", "--case", "fork"]);
    assert!(told.contains("case: CONTRADICTED: a witness keeps a checkpoint of"), "{told}");
    assert!(told.contains("`vigie witness compare --evidence FILE --case fork`"), "{told}");
    assert!(!police.ok(&["witness", "list"]).contains("CONTRADICTED"));

    // Junk beside it hides nothing.
    put(&police.path("fork/ledger/contradicting/junk"), "junk");
    put(&police.path("fork/ledger/contradicting/9-0000000000000000"), "junk");
    let (code, told) = fork(&["witness", "compare", "--case", "fork"]);
    assert!(code == Some(1) && told.contains("A SPLIT VIEW"), "{told}");
    let (code, told) = fork(&["verify", "fork"]);
    assert!(code == Some(1) && told.contains("the log signed another history"), "{told}");
    assert!(told.contains("contradicting/junk: it is no checkpoint"), "{told}");
    let (_, told) = fork(&["witness", "list", "--case", "fork"]);
    assert!(told.contains("case: CONTRADICTED: a witness keeps"), "{told}");
    assert!(told.contains("case: contradicting/9-0000000000000000: "), "{told}");

    // No package leaves it: whoever got one would learn nothing of it.
    let out = police
        .command(&["package", "make", "--case", "fork", "--for", "Court"])
        .args(["--handling", "H0", "--out", "fork.zip"])
        .env("VIGIE_HOME", police.path("home-of-fork"))
        .output()
        .expect("it runs");
    let why = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.code() == Some(3) && !police.path("fork.zip").exists(), "{why}");
    assert!(why.contains("which this log does not go through"), "{why}");
    assert!(why.contains("witness compare --evidence FILE --case "), "{why}");

    // Nor does laying it back make anybody forget.
    let words = ["restore", "--from", "kept", "--case", "fork", "--replace"];
    let (code, told) = fork(&words);
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains("the log signed another history"), "{told}");
    assert!(!police.path("fork.before-restore-1").exists());

    // The witness is gone: it is told, and nothing else stops.
    drop(serving);
    for (word, wanted) in [("ask", "cosigned"), ("compare", "answered")] {
        let out = police.run(&["witness", word]);
        let told = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(told.matches("io: Connection refused").count(), 2, "{told}");
        let why = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(3), "{why}");
        let what = format!("too few witnesses {wanted} (authority: 0 of 1; case: 0 of 1)");
        assert!(why.contains(&what), "{why}");
    }
    police.ok(&["witness", "require", "0"]);
    assert!(police.ok(&["witness", "drop", "w.polizia.example"]).contains("asked no more"));
    assert_eq!(police.run(&["witness", "drop", "w.polizia.example"]).status.code(), Some(3));
}

/// A witness follows a log to its new key where its file names both, and never back.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn a_witness_follows_a_rotated_key_and_takes_the_former_one_no_more() {
    let (police, polizia) = (Bench::new(), Bench::new());
    police.ok(&["authority", "init", "police.example"]);
    put(&police.path("m0"), "http://198.18.0.1:8080/live/bob/secret/1.ts\n");
    put(&police.path("m1"), "http://198.18.0.2:8080/live/bob/secret/1.ts\n");
    police.ok(&["open", "--case", "case", "m0"]);
    let old = key_of(&police);
    let witness = polizia.ok(&["witness", "init", "w.polizia.example"]);
    put(&polizia.path("partners"), &format!("authority {old}\n"));
    let serving = serve(&polizia, "partners");
    police.ok(&["witness", "add", "--url", &serving.url, witness.trim()]);
    assert_eq!(police.ok(&["witness", "ask"]).matches(": cosigned, ").count(), 2);
    copy(&police.path("case"), &police.path("fork"));
    copy(&police.path("home"), &police.path("home-of-thief"));

    let done = police.json(&["authority", "rotate", "--json"]);
    let new = done["new"].as_str().expect("a key");
    police.ok(&["open", "--case", "case", "m1"]);
    let out = police.run(&["witness", "ask"]);
    assert_eq!(out.status.code(), Some(3), "none cosigned");
    let told = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(told.matches("it does not take the signature").count(), 2, "{told}");
    drop(serving);
    put(&polizia.path("partners"), &format!("authority {old}\nauthority {new}\n"));
    let serving = serve(&polizia, "partners");
    for at in [&police.path("home"), &police.path("home-of-thief")] {
        // It listens at another port now.
        let add = ["witness", "add", "--url", &serving.url, witness.trim()];
        let out = police.command(&add).env("VIGIE_HOME", at).output().expect("it runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let told = police.ok(&["witness", "ask"]);
    assert_eq!(told.matches(": cosigned, ").count(), 2, "{told}");
    assert!(police.ok(&["witness", "compare"]).contains("and this log goes on from them"));
    let report = police.ok(&["verify", "case"]);
    assert!(report.contains("Witnessed by w.polizia.example"), "{report}");

    // By his own keys a reader counts it, also what was cosigned before the rotation.
    put(
        &police.path("both"),
        &format!("authority {old}\nauthority {new}\nwitness {witness}quorum 1\n"),
    );
    let report = police.ok(&["verify", "--trust", "both", "case"]);
    assert!(!report.contains("does not count"), "{report}");
    put(&police.path("new"), &format!("authority {new}\nwitness {witness}quorum 1\n"));
    police.ok(&["verify", "--trust", "new", "case"]);

    // Who stole the old key writes on in a copy, further than the log is: nobody cosigns it.
    for name in ["a", "b", "c"] {
        put(&police.path(name), name);
        let words = ["open", "--case", "fork", name];
        let home = police.path("home-of-thief");
        let out = police.command(&words).env("VIGIE_HOME", home).output().expect("it runs");
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    }
    let words = ["witness", "ask", "--case", "fork"];
    let home = police.path("home-of-thief");
    let out = police.command(&words).env("VIGIE_HOME", home).output().expect("it runs");
    let told = String::from_utf8_lossy(&out.stdout);
    assert!(!told.contains(": cosigned, "), "{told}");
    assert!(told.contains("it does not take the signature"), "{told}");
}

/// What an authority names and requires is worth what its own log is.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn an_authoritys_own_log_that_was_changed_is_found_and_nothing_of_it_taken() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    bench.open("case", &bench.seizure("seizure", "small", 1.0, 4));
    for n in 1..=2 {
        let other = Bench::new();
        let witness = other.ok(&["witness", "init", &format!("w{n}.example")]);
        let url = format!("http://127.0.0.1:{n}");
        bench.ok(&["witness", "add", "--url", &url, witness.trim()]);
    }
    bench.ok(&["witness", "require", "2"]);
    bench.ok(&["verify", "case"]);
    let tile = bench.path("home/authorities/police.example/ledger/tile/entries/000.p/4");
    let bytes = std::fs::read(&tile).expect("a tile");
    let text = String::from_utf8_lossy(&bytes).into_owned();
    assert!(text.contains(r#""quorum":2"#), "{text}");
    let at = bytes.windows(10).position(|w| w == br#""quorum":2"#).expect("it is there") + 9;
    let mut changed = bytes.clone();
    changed[at] = b'1';
    std::fs::write(&tile, changed).expect("a tile");
    let out = bench.run(&["verify", "case"]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("authorities/police.example/ledger/"), "{said}");
    for words in [
        &["witness", "list"][..],
        &["witness", "ask"],
        &["witness", "compare"],
        &["witness", "require", "1"],
        &["log", "prove", "--authority", "3"],
    ] {
        let out = bench.run(words);
        let why = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(3), "{words:?}: {why}");
        assert!(why.contains("authorities/police.example/ledger/"), "{words:?}: {why}");
    }
    std::fs::write(&tile, bytes).expect("a tile");
    bench.ok(&["verify", "case"]);

    // A case that a copy of the key began elsewhere.
    for part in ["authority", "authorities/police.example/key"] {
        let to = bench.path("other-home").join(part);
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("a folder");
        std::fs::copy(bench.path("home").join(part), to).expect("a copy");
    }
    let other = bench.seizure("more", "small", 1.0, 5);
    let other = other.to_str().expect("a path");
    bench.ok(&["--home", "other-home", "open", "--json", "--case", "unborn", other]);
    let out = bench.run(&["verify", "unborn"]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("does not hold the birth of this case"), "{said}");
    let out = bench.run(&["open", "--case", "unborn", other]);
    let why = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(3), "{why}");
    assert!(why.contains("does not hold its birth"), "{why}");
}

/// The authority's own log is written to by every case of its home: half a commit is no damage.
#[test]
fn an_authoritys_log_holds_while_others_write_to_it() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    bench.open("case", &bench.seizure("seizure", "small", 1.0, 4));
    let witness = Bench::new().ok(&["witness", "init", "w.example"]);
    bench.ok(&["witness", "add", "--url", "http://127.0.0.1:1", witness.trim()]);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for n in 0..150 {
                bench.ok(&["witness", "require", if n % 2 == 0 { "1" } else { "0" }]);
            }
        });
        while !writer.is_finished() {
            bench.ok(&["witness", "list", "--authority"]);
            bench.ok(&["verify", "case"]);
        }
    });
}

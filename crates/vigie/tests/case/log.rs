//! Proofs that go out: made from a case, checked by whoever has the keys and nothing else.

use crate::bench::Bench;

/// A proof is checked in a folder of its own, with no case and no home beside it.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn a_record_is_proved_to_whoever_has_the_key() {
    let bench = Bench::new();
    bench.ok(&["authority", "init", "police.example"]);
    let seizure = bench.seizure("seizure", "small", 1.0, 4);
    bench.open("case", &seizure);
    let proof = bench.ok(&["log", "prove", "--case", "case", "3"]);
    let older = std::fs::read_to_string(bench.path("case/ledger/checkpoint")).unwrap();
    // The key as an authority hands it out: it stands in its log, in the record of the case's birth.
    let birth = bench.ok(&["log", "prove", "--authority", "0"]);
    bench.open("case", &bench.seizure("more", "small", 1.0, 5));
    let grown = ["log", "prove", "--case", "case", "--since", "older"];
    std::fs::write(bench.path("older"), &older).unwrap();
    let grown = bench.ok(&grown);

    let reader = Bench::new();
    let put = |name: &str, text: &str| std::fs::write(reader.path(name), text).unwrap();
    put("r.tlog-proof", &proof);
    put("birth", &birth);
    put("older", &older);
    put("grown", &grown);
    let check = |words: &[&str]| {
        let out = reader.run(&[&["log", "check"], words].concat());
        (out.status.code(), String::from_utf8(out.stdout).unwrap())
    };
    let (code, said) = check(&["r.tlog-proof"]);
    assert_eq!(code, Some(0));
    assert!(said.contains("record 3 stands in police.example/case/"), "{said}");
    assert!(said.contains("signer not confirmed"), "{said}");

    let born = reader.json(&["log", "check", "--json", "birth"]);
    let key = born["record"]["public"]["key"].as_str().or(born["record"]["body"]["key"].as_str());
    let key = key.unwrap_or_else(|| panic!("no key in {born}"));
    put("trust", &format!("log {key}\n"));
    let (code, said) = check(&["--trust", "trust", "r.tlog-proof"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("Signed by a key that trust trusts"), "{said}");
    assert!(said.contains("Unwitnessed"), "{said}");
    let (code, said) = check(&["--trust", "trust", "--since", "older", "grown"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("only grew"), "{said}");

    // Another key, another entry, a changed hash, an older checkpoint that never was: each is found.
    let witness = "w.example+9b3f3c4a+BAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
    put("strange", "log other.example+00000000+AQ==\n");
    assert_eq!(check(&["--trust", "strange", "r.tlog-proof"]).0, Some(2), "a line that is no key");
    put("nobody", "# nobody\n");
    assert_eq!(check(&["--trust", "nobody", "r.tlog-proof"]).0, Some(1));
    put("far", &format!("log {key}\nquorum 1\n# {witness}\n"));
    assert_eq!(check(&["--trust", "far", "r.tlog-proof"]).0, Some(2), "a quorum of nobody");
    put("entry", "{}");
    let (code, said) = check(&["--entry", "entry", "r.tlog-proof"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("lead to another root"), "{said}");
    let forged = proof.replacen("index 3", "index 4", 1);
    put("forged", &forged);
    assert_eq!(check(&["forged"]).0, Some(1));
    let mut lines: Vec<String> = older.lines().map(str::to_owned).collect();
    lines[2] = lines[2].chars().rev().skip(1).collect::<String>() + "=";
    put("never", &(lines.join("\n") + "\n"));
    assert_ne!(check(&["--since", "never", "grown"]).0, Some(0));
    put("text", "no proof at all");
    let (code, said) = check(&["text"]);
    assert_eq!(code, Some(1));
    assert!(said.contains("not a proof"), "{said}");
    assert_eq!(check(&["absent"]).0, Some(3));

    let out = bench.run(&["log", "prove", "--case", "case", "100000"]);
    assert_eq!(out.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&out.stderr).contains("the last is"));
}

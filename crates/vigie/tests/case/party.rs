//! Parties: an authority's register by the command, from the first operator on.

use crate::bench::Bench;
use crate::console::Console;

#[test]
fn a_register_is_made_from_nothing_and_says_who_did_what() {
    let bench = Bench::new();
    let empty = bench.ok(&["party", "list"]);
    assert!(empty.contains("`vigie party add`"), "{empty}");
    bench.ok(&["party", "add", "agency", "--name", "The agency", "--sector", "authority"]);
    bench.ok(&["party", "person", "ana", "--name", "Ana Example", "--organisation", "agency"]);
    bench.ok(&["party", "role", "ana", "operator"]);
    // From here on somebody has to be named, who is one.
    let late = ["party", "add", "fibre", "--name", "Fibre", "--sector", "isp"];
    let out = bench.run(&late);
    assert_eq!(out.status.code(), Some(2));
    let why = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(why.contains("--by PERSON") && why.contains("ana"), "{why}");
    bench.ok(&[&late[..], &["--by", "ana"]].concat());

    let issued = ["party", "key", "fibre-1", "--organisation", "fibre", "--role", "isp"];
    let out = bench.run(&[&issued[..], &["--by", "ana"]].concat());
    let secret = String::from_utf8(out.stdout).expect("UTF-8");
    assert!(out.status.success());
    // Nothing but the secret, so that `> FILE` is all there is to do.
    assert!(secret.starts_with("vsk_") && secret.lines().count() == 1, "{secret}");

    let by = |words: &[&str]| bench.json(&[words, &["--by", "ana", "--json"]].concat());
    assert_eq!(by(&["party", "quota", "fibre", "9000"])["by"], "ana");
    let suspend = ["party", "suspend", "organisation:fibre", "--reason", "unpaid"];
    assert!(by(&suspend)["record"].is_u64());
    assert!(by(&suspend)["record"].is_null(), "it was so already");
    by(&["party", "revoke", "fibre-1", "--reason", "lost"]);

    let lines = bench.ok(&["party", "list", "--json"]);
    let lines: Vec<serde_json::Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |key: &str, name: &str| {
        lines.iter().find(|line| line[key] == name && line["record"].is_u64()).expect("a line")
    };
    let fibre = lines.iter().find(|l| l["organisation"] == "fibre" && l["sector"] == "isp");
    let fibre = fibre.expect("fibre");
    assert_eq!((&fibre["suspended"], &fibre["per_minute"]), (&true.into(), &9000.into()));
    assert_eq!(of("person", "ana")["roles"][0]["role"], "operator");
    assert_eq!(of("key", "fibre-1")["revoked"], true);
    let shown = bench.ok(&["party", "list"]);
    assert!(shown.contains("SUSPENDED") && shown.contains("REVOKED"), "{shown}");
    assert!(!shown.contains("vsk_"), "{shown}");

    // Nobody is locked out of the register by his own hand.
    let last = ["party", "role", "ana", "operator", "--take", "--reason", "tired", "--by", "ana"];
    let out = bench.run(&last);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("no operator"));
}

fn operators(bench: &Bench) {
    bench.ok(&["party", "add", "agency", "--name", "The agency", "--sector", "authority"]);
    for who in ["ana", "ben"] {
        let of = ["party", "person", who, "--name", who, "--organisation", "agency", "--by", "ana"];
        bench.ok(&of);
        bench.ok(&["party", "role", who, "operator", "--by", "ana"]);
    }
}

#[test]
fn a_person_is_invited_signs_in_and_is_shown_out_by_the_command() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 2);
    bench.open("case", &seizure);
    operators(&bench);
    let link = bench.ok(&["party", "invite", "ben", "--by", "ana"]);
    let path = link.trim().strip_prefix("http://127.0.0.1:8484").expect("a link");
    assert!(path.starts_with("/invite/") && path.len() == 72, "{path}");
    let out = bench.run(&["party", "invite", "ben", "--by", "ana", "--at", "http://far.example"]);
    assert_eq!(out.status.code(), Some(2), "a link in the clear");
    assert!(bench.ok(&["party", "sessions"]).contains("Nobody"));

    let console = Console::start(&bench, &["--case", "case"]);
    let form = "password=four+plain+words+chosen&again=four+plain+words+chosen";
    let (status, answer) = console.post(path, form);
    assert_eq!(status, 303, "{answer}");
    let form = "name=ben&password=four+plain+words+chosen";
    assert_eq!(console.post("/sign-in", form).0, 303);
    assert_eq!(console.post("/sign-in", "name=ben&password=something+else").0, 401);
    assert_eq!(console.post("/sessions/all/end", "person=ben&reason=x").0, 401);
    let listed = bench.ok(&["party", "sessions", "--json"]);
    assert_eq!(listed.lines().count(), 2, "{listed}");
    assert!(listed.contains("\"by\":\"invitation\"") && listed.contains("\"by\":\"password\""));
    let end = ["party", "sessions", "--end", "ben", "--reason", "a lost laptop"];
    assert_eq!(bench.run(&end).status.code(), Some(2), "by nobody in particular");
    let ended = bench.ok(&[&end[..], &["--by", "ana"]].concat());
    assert!(ended.contains("2 sessions"), "{ended}");
    assert!(bench.ok(&["party", "sessions"]).contains("Nobody"));
}

/// The register is of the authority's log: a backup of that folder brings all of it back.
#[test]
fn a_register_comes_back_from_a_backup() {
    let bench = Bench::new();
    operators(&bench);
    let suspend = ["party", "suspend", "person:ben", "--reason", "inquiry 12", "--by", "ana"];
    bench.ok(&suspend);
    let before = bench.ok(&["party", "list", "--json"]);
    bench.ok(&["backup", "--authority", "--to", "third"]);
    bench.ok(&["restore", "--authority", "--from", "third", "--replace"]);
    assert_eq!(bench.ok(&["party", "list", "--json"]), before);
    assert!(before.contains("\"suspended\":true"), "{before}");
    // And goes on from there.
    bench.ok(&["party", "reinstate", "person:ben", "--reason", "inquiry closed", "--by", "ana"]);
}

/// Beyond loopback nothing is served until somebody could sign in, whatever the certificate.
#[test]
fn a_console_beyond_loopback_says_what_it_lacks() {
    let bench = Bench::new();
    let seizure = bench.seizure("seizure", "small", 1.0, 2);
    bench.open("case", &seizure);
    let refused = |words: &[&str]| {
        let all = [&["serve", "--case", "case", "--listen", "0.0.0.0:0"], words].concat();
        let out = bench.run(&all);
        (out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned())
    };
    let (code, why) = refused(&[]);
    assert!(code == Some(2) && why.contains("--tls-cert"), "{why}");
    let tls = ["--tls-cert", "none.pem", "--tls-key", "none.pem", "--host", "vigie.example"];
    let (code, why) = refused(&tls);
    assert!(code == Some(2) && why.contains("party invite"), "{why}");
    let (code, why) = refused(&tls[..2]);
    assert!(code == Some(2) && why.contains("--tls-key"), "{why}");
}

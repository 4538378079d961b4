//! Parties: an authority's register by the command, from the first operator on.

use crate::bench::Bench;

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

//! The clearing house by its pages.

use crate::bench::Bench;
use crate::console::Console;

/// A clearing house without anybody in it.
fn made() -> Bench {
    let bench = Bench::new();
    bench.ok(&["shield", "init", "shield"]);
    bench
}

#[test]
fn the_pages_stand_where_they_are_told_to_and_what_anybody_asks_is_open() {
    let bench = made();
    let served = Console::of_house(&bench, &["--shield", "shield", "--no-captures"]);
    // The link on the terminal reads.
    let (status, page) = served.get("/live");
    assert!(status == 200 && page.contains("0 items in force"), "{page}");
    let (status, page) = served.get("/blocked?q=tv.stream.example");
    assert!(status == 200 && page.contains("tv.stream.example is not blocked"), "{page}");
    // Nobody reads what is reported, and no page of a case is here.
    let (status, page) = served.post("/report", "items=a.example");
    assert!(status == 401 && !page.contains("in force"), "{page}");
    assert_eq!(served.get("/entities").0, 404);
    // What is not blocked is not objected to, and its words are not kept.
    let before = bench.json(&["verify", "shield", "--json"])["records"].clone();
    let (status, page) = served.post("/objection", "q=tv.stream.example&statement=it+is+ours");
    assert!(status == 409 && page.contains("it is ours"), "{page}");
    assert_eq!(bench.json(&["verify", "shield", "--json"])["records"], before);
}

#[test]
fn beyond_loopback_the_pages_need_tls_and_somebody_who_can_sign_in() {
    let bench = made();
    let out = bench.run(&["serve", "--shield", "shield", "--no-captures", "--listen", "0.0.0.0:0"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&out.stderr).contains("loopback only"));
}

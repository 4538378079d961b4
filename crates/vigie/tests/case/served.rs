//! What pages of the console say.

use crate::bench::Bench;
use crate::console::Console;

/// The commands that pages show act for the authority for which the console was started.
#[test]
fn commands_on_pages_name_the_home_that_was_named() {
    let bench = Bench::new();
    let material = bench.seizure("seizure", "small", 1.0, 2).join("material/office");
    let material = material.to_str().expect("UTF-8");
    for (home, named) in [(None, false), (Some("other home"), true)] {
        let of: Vec<&str> = home.into_iter().flat_map(|home| ["--home", home]).collect();
        let case = if named { "named" } else { "plain" };
        bench.ok(&[&["open", "--case", case, material], &of[..]].concat());
        let served = Console::start(&bench, &[&["--case", case], &of[..]].concat());
        let (_, page) = served.get("/package?for=Court&handling=H0");
        let shown = format!("vigie --home '{}' package make", bench.path("other home").display());
        // As it stands in a page's text.
        let shown = shown.replace('\'', "&#39;");
        let page = page.replace("&apos;", "&#39;").replace('\'', "&#39;");
        assert_eq!(page.contains(&shown), named, "{page}");
        assert_eq!(page.contains("vigie package make"), !named, "{page}");
    }
}

/// An item that the case does not have is said to be so: an empty table would be an answer.
#[test]
fn an_item_that_is_not_there_is_said_to_be_so() {
    let bench = Bench::new();
    let material = bench.seizure("seizure", "small", 1.0, 2).join("material/office");
    bench.ok(&["open", "--case", "case", material.to_str().expect("UTF-8")]);
    bench.ok(&["actor", "add", "--case", "case", "ana", "--name", "Ana"]);
    let disk = ["custody", "register", "--case", "case", "disk-3", "--description", "2 TB disk"];
    let held = ["--place", "Room 2", "--holder", "ana", "--at", "2025-11-11T18:30+01:00"];
    bench.ok(&[&disk[..], &held[..]].concat());
    let served = Console::start(&bench, &["--case", "case"]);
    let when = "at=2025-11-12T10%3A00";
    let (_, none) = served.get(&format!("/custody?item=nope&{when}"));
    assert!(none.contains("There is no item “nope” in this case."), "{none}");
    assert!(!none.contains("h-answer"), "{none}");
    let (_, there) = served.get(&format!("/custody?item=disk-3&{when}"));
    assert!(there.contains("h-answer") && !there.contains("There is no item"), "{there}");
    assert_eq!(served.get("/custody?item=nope&format=json").0, 404);
    let (status, data) = served.get("/custody?item=disk-3&format=json");
    assert!(status == 200 && data.contains("\"disk-3\""), "{data}");
}

//! A case and a ticket of a clearing house name one another's records.

use serde_json::Value;

use crate::bench::Bench;
use crate::clearing::reporting;
use crate::console::Console;

/// A case with an exhibit, and a clearing house with somebody who may report: the exhibit, and what names its record.
fn begun() -> (Bench, String, String) {
    let bench = reporting();
    let seizure = bench.seizure("seizure", "small", 1.0, 2);
    bench.open("case", &seizure);
    let sql = "SELECT id FROM exhibit WHERE container = '' AND facts > 0 ORDER BY record LIMIT 1";
    let found = bench.json(&["sql", "--case", "case", "--json", sql]);
    let exhibit = found["id"].as_str().unwrap().to_owned();
    let named = bench.ok(&["log", "reference", "--case", "case", "--exhibit", &exhibit]);
    (bench, exhibit, named.trim().to_owned())
}

fn report(bench: &Bench, named: &str) -> Value {
    let words = ["shield", "report", "--order", "7/26", "--event", "final", "--work", "serie-a"];
    let more = ["--as", "lea", "--json", "--case", named, "http://tv.stream.test/live/1.ts"];
    bench.json(&[&words[..], &more].concat())
}

#[test]
fn a_case_and_a_ticket_name_one_another_and_both_are_held_against_the_logs() {
    let (bench, exhibit, named) = begun();
    let reply = report(&bench, &named);
    let taken = reply["taken"].as_str().unwrap();
    assert_eq!(reply["deeds"][0]["case"], *named, "{reply}");
    let ticket = bench.json(&["shield", "ticket", "0", "--json"]);
    assert_eq!((&ticket["taken"], &ticket["case"]), (&taken.into(), &named.as_str().into()));
    let record = taken.split(['#', ':']).nth(1).unwrap();
    assert_eq!(bench.ok(&["log", "reference", "--case", "shield", record]).trim(), taken);

    let add = ["ticket", "add", "--case", "case", "--json", "0", "--at", taken];
    let index = named.split(['#', ':']).nth(1).unwrap();
    let more = ["--exhibit", &exhibit, "--item", "tv.stream.test", "--named", index];
    let added = bench.json(&[&add[..], &more].concat());
    assert!(added["record"].is_u64());
    // Said again it is not recorded again.
    assert_eq!(bench.json(&[&add[..], &more].concat())["record"], Value::Null);
    let listed = bench.json(&["ticket", "list", "--case", "case", "--json", "--exhibit", &exhibit]);
    assert_eq!(
        (&listed["house"], &listed["named"]),
        (&taken.into(), &Value::from(index.parse::<u64>().unwrap()))
    );
    let check = ["ticket", "check", "--case", "case", "--shield", "shield", "--json"];
    assert_eq!(bench.json(&check)["stands"], "both");
    assert!(bench.ok(&["verify", "case"]).contains("holds"));

    // Of another house it is counted; what is not so is found.
    let elsewhere = format!("other.example/shield#{}", taken.split_once('#').unwrap().1);
    let forged = format!("{}:{}", taken.rsplit_once(':').unwrap().0, "0".repeat(64));
    let none = format!("{}#100000:{}", taken.split('#').next().unwrap(), "0".repeat(64));
    for (at, ticket, stands, code) in [
        (elsewhere.as_str(), "0", "another_log", 0),
        (forged.as_str(), "0", "not_there", 1),
        (none.as_str(), "0", "not_there", 1),
        (taken, "7", "another_ticket", 1),
    ] {
        bench.ok(&["ticket", "add", "--case", "case", ticket, "--at", at]);
        let out = bench.run(&check);
        let said = String::from_utf8_lossy(&out.stdout).into_owned();
        assert_eq!(out.status.code(), Some(code), "{said}");
        let newest: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
        assert_eq!(newest["stands"], stands, "{said}");
    }
    // So is a ticket that names a record that the case does not have so.
    let wrong = format!("{}:{}", named.rsplit_once(':').unwrap().0, "1".repeat(64));
    let reply = report(&bench, &wrong);
    bench.ok(&["ticket", "add", "--case", "case", "1", "--at", reply["taken"].as_str().unwrap()]);
    let out = bench.run(&check);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert!(said.lines().next().unwrap().contains("another_record"), "{said}");
    // Nor does what is said here hold of a ticket that says otherwise: another record, another item.
    let other = "other.example/case/9#4:".to_owned() + &"2".repeat(64);
    let at = report(&bench, &other)["taken"].as_str().unwrap().to_owned();
    let newest = |more: &[&str]| {
        bench.ok(&[&["ticket", "add", "--case", "case", "2", "--at", &at][..], more].concat());
        let said = String::from_utf8_lossy(&bench.run(&check).stdout).into_owned();
        let newest: Value = serde_json::from_str(said.lines().next().unwrap()).unwrap();
        newest["stands"].as_str().unwrap().to_owned()
    };
    assert_eq!(newest(&[]), "elsewhere");
    assert_eq!(newest(&["--named", "1"]), "another_record");
    assert_eq!(newest(&["--item", "other.test"]), "another_item");
    assert_eq!(newest(&["--item", "http://tv.stream.test/live/1.ts"]), "elsewhere");
}

#[test]
fn what_names_no_record_is_misuse() {
    let bench = Bench::new();
    for words in [
        &[
            "shield", "report", "a.test", "--order", "7", "--work", "w", "--as", "lea", "--case",
            "7",
        ][..],
        &["ticket", "add", "0", "--at", "authority.example/shield#1:00"],
        &["ticket", "add", "0", "--at", "authority.example/shield#1"],
    ] {
        let out = bench.run(words);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert_eq!(out.status.code(), Some(2), "{said}");
        assert!(said.contains("names no record"), "{said}");
    }
}

#[test]
fn pages_show_it_to_who_may_see_what_led_there() {
    let (bench, exhibit, named) = begun();
    let reply = report(&bench, &named);
    let taken = reply["taken"].as_str().unwrap();
    let words = ["--exhibit", &exhibit, "--item", "tv.stream.test", "--note", "seen in the panel"];
    let add = ["ticket", "add", "--case", "case", "0", "--at", taken];
    bench.ok(&[&add[..], &words].concat());
    {
        let served = Console::of_house(&bench, &["--shield", "shield", "--no-captures"]);
        let (status, page) = served.get("/tickets/0");
        assert!(status == 200 && page.contains(&named) && page.contains(taken), "{page}");
        // Nobody who is not signed in.
        let (status, page) = served.post("/report", &format!("items=a.test&case={named}"));
        assert!(status == 401 && !page.contains("in force"), "{page}");
    }
    let shown = ["Ticket 0 of", "tv.stream.test", "seen in the panel"];
    {
        let served = Console::start(&bench, &["--case", "case"]);
        for path in ["/".to_owned(), format!("/exhibit/{exhibit}")] {
            let (status, page) = served.get(&path);
            assert_eq!(status, 200);
            for text in shown {
                assert!(page.contains(text), "{path}: {text}");
            }
        }
    }
    // What is privileged tells nothing of what it led to but that there is a ticket.
    let why = ["--reason", "a lawyer's", &exhibit];
    bench.ok(&[&["privilege", "mark", "--case", "case"][..], &why].concat());
    let served = Console::start(&bench, &["--case", "case"]);
    let (_, page) = served.get("/");
    assert!(page.contains(shown[0]) && page.contains("withheld"), "{page}");
    assert!(
        !page.contains(shown[1]) && !page.contains(shown[2]) && !page.contains(&exhibit),
        "{page}"
    );
    let listed = bench.json(&["ticket", "list", "--case", "case", "--json"]);
    assert!(listed["withheld"] == true && listed["exhibit"].is_null() && listed["note"].is_null());
    // Nor does the log's own page, or a search of it.
    let (_, page) = served.get(&format!("/log/{}", listed["record"]));
    assert!(page.contains("withheld") && page.contains("shield#"), "{page}");
    assert!(!page.contains(shown[1]) && !page.contains(&exhibit), "{page}");
    let found = |text: &str| {
        let (_, page) = served.get(&format!("/log?kind=ticket.reported&q={text}"));
        page.contains(&format!("/log/{}\"", listed["record"]))
    };
    assert!(found("shield") && !found("tv.stream") && !found(&exhibit));
    drop(served);
    // Erased, it leaves nothing of what led there.
    let why = ["--basis", "art. 16", "--reason", "a request"];
    bench.ok(&[&["erase", "--case", "case", "--exhibit", &exhibit][..], &why].concat());
    let said = bench.ok(&["ticket", "list", "--case", "case", "--json"]);
    for gone in [shown[1], shown[2], exhibit.as_str()] {
        assert!(!said.contains(gone), "{said}");
    }
}

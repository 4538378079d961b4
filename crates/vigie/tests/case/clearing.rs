//! The clearing house by its pages.

use crate::bench::Bench;
use crate::console::Console;

/// A clearing house without anybody in it.
fn made() -> Bench {
    let bench = Bench::new();
    bench.ok(&["shield", "init", "shield"]);
    bench
}

/// A clearing house with an order, an event that is on, and a reporter.
pub(crate) fn reporting() -> Bench {
    let bench = made();
    for words in [
        &["party", "add", "authority", "--name", "A", "--sector", "authority", "--by", "t"][..],
        &["party", "person", "vera", "--name", "V", "--organisation", "authority", "--by", "t"],
        &["party", "role", "vera", "operator", "--by", "t"],
        &["party", "add", "league", "--name", "L", "--sector", "rights_holder", "--by", "vera"],
        &["party", "person", "lea", "--name", "L", "--organisation", "league", "--by", "vera"],
        &["party", "role", "lea", "reporter", "--by", "vera"],
        &["shield", "order", "7/26", "--reporter", "league", "--right", "serie-a", "--until"],
        &["shield", "event", "final", "--order", "7/26", "--until"],
    ] {
        let (years, later) = ("2999-01-01T00:00Z", soon());
        let more: &[&str] = match (words[0], words[1]) {
            ("shield", "order") => &[years, "--as", "vera"],
            ("shield", "event") => &[&later, "--as", "lea"],
            _ => &[],
        };
        bench.ok(&[words, more].concat());
    }
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

#[test]
#[allow(clippy::disallowed_methods)] // files as somebody else hands them on
fn what_is_told_of_a_ticket_is_checked_by_whoever_has_the_file() {
    let bench = reporting();
    let report = ["shield", "report", "--order", "7/26", "--event", "final", "--work", "serie-a"];
    let item = ["--as", "lea", "http://tv.stream.test/live/ann/secret/1.ts"];
    bench.ok(&[&report[..], &item].concat());
    let served = Console::of_house(&bench, &["--shield", "shield", "--no-captures"]);
    let (status, answer) = served.get("/tickets/0/opened");
    assert!(status == 409 && answer.contains("Nothing of this ticket is told yet"), "{answer}");
    let why = ["--grounds", "a test", "--as"];
    bench.ok(&[&["shield", "figure", "opened_after_ms", "0"][..], &why, &["vera"]].concat());
    bench.ok(&[&["shield", "event-end", "final"][..], &why, &["lea"]].concat());
    // What came last is published within a moment.
    let mut answer = served.get("/tickets/0/opened");
    for _ in 0..100 {
        if answer.0 == 200 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
        answer = served.get("/tickets/0/opened");
    }
    assert_eq!(answer.0, 200, "{}", answer.1);
    let answer = answer.1;
    let text = answer.split("\r\n\r\n").nth(1).unwrap();
    assert!(!text.contains("ann/secret") && !text.contains("a test"), "{text}");
    std::fs::write(bench.path("opened.json"), text).unwrap();
    let said = bench.ok(&["shield", "opened", "opened.json"]);
    for told in ["Holds: ticket 0", "reporter league", "work serie-a", "value tv.stream.test"] {
        assert!(said.contains(told), "{told}: {said}");
    }
    assert!(said.contains("signer not confirmed"), "{said}");
    // By the authority's key, as anybody would be given it.
    std::fs::write(bench.path("trust.txt"), bench.ok(&["authority", "key"])).unwrap();
    let words = ["shield", "opened", "--json", "--trust", "trust.txt", "opened.json"];
    let document = bench.json(&words);
    assert_eq!((&document["holds"], &document["signer_confirmed"]), (&true.into(), &true.into()));
    std::fs::write(bench.path("forged.json"), text.replace("league", "cinema")).unwrap();
    let out = bench.run(&["shield", "opened", "--trust", "trust.txt", "forged.json"]);
    let said = String::from_utf8_lossy(&out.stdout).into_owned();
    assert_eq!(out.status.code(), Some(1), "{said}");
    assert!(said.contains("does not hold") && said.contains("not under the root"), "{said}");
}

#[test]
fn what_the_state_follows_from_is_not_erased_and_what_was_erased_stops_no_start() {
    let bench = reporting();
    let why = ["--grounds", "asked by Ann Example", "--as", "vera"];
    bench.ok(&[&["shield", "figure", "opened_after_ms", "5"][..], &why].concat());
    let records = bench.json(&["verify", "shield", "--json"])["records"].as_u64().unwrap();
    let erase = |record: u64, field: &str, dry: &[&str]| {
        let record = record.to_string();
        let words = ["erase", "--case", "shield", "--record", &record, "--field", field];
        let why = ["--basis", "art. 16", "--reason", "a request"];
        bench.run(&[&words[..], &why, dry].concat())
    };
    let refuses = |record: u64| {
        let out = erase(record, "decision", &["--dry-run"]);
        String::from_utf8_lossy(&out.stderr).contains("it could not start")
    };
    let decided = (0..records).find(|record| refuses(*record)).unwrap();
    for field in ["decision", "actor"] {
        let out = erase(decided, field, &[]);
        let said = String::from_utf8_lossy(&out.stderr).into_owned();
        assert!(!out.status.success() && said.contains("it could not start"), "{said}");
    }
    let figured =
        (0..records).rev().find(|record| erase(*record, "reason", &["--dry-run"]).status.success());
    assert!(erase(figured.unwrap(), "reason", &[]).status.success());
    let policy = bench.json(&["shield", "policy", "--json"]);
    assert!(policy.to_string().contains("\"opened_after_ms\":5"), "{policy}");
    bench.ok(&["verify", "shield"]);
    let served = Console::of_house(&bench, &["--shield", "shield", "--no-captures"]);
    assert_eq!(served.get("/live").0, 200);
    // Who wants to write beside it is told who has it, and does not wait for ever.
    let out = bench.run(&["backup", "--case", "shield", "--to", "copy"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert!(out.status.code() == Some(3) && said.contains("vigie serve --shield"), "{said}");
}

/// Two hours from now.
fn soon() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    model::record::time_text(i64::try_from(now.as_millis()).unwrap() + 7_200_000)
}

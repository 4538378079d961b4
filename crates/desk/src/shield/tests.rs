#![allow(clippy::disallowed_methods)] // Material for the tests.

use jiff::civil::date;
use shield::Verdict;

use super::*;

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(&path, text).expect("written");
        path
    }

    fn verdict(&self, item: &str) -> (Verdict, Vec<String>) {
        let loaded = load(&self.home()).expect("loaded");
        let found = loaded.check(false, |check| check.text(item).1).expect("checked");
        let codes = found.reasons.iter().map(|reason| reason.code.word().to_owned()).collect();
        (found.verdict, codes)
    }

    /// A package of lists as pip lays it down, with so many lists.
    fn package(&self, lists: usize) -> PathBuf {
        let all = lists::LISTS.iter().take(lists);
        for list in all {
            let member = match list.folder {
                "tranco10k" => "\"Popular.com\", \".bücher.de\", \"not a name\"",
                _ => "\"a.com\"",
            };
            let version = if list.folder == "alexa" { "8" } else { "20251223" };
            self.file(
                &format!("package/data/lists/{}/list.json", list.folder),
                &format!("{{\"version\": {version}, \"list\": [{member}]}}"),
            );
        }
        self.file("package/pymispwarninglists-1.7.0.dist-info/METADATA", "");
        self.folder.path().join("package")
    }
}

#[test]
fn with_nothing_fetched_the_check_stands_on_what_is_built_in() {
    let bench = Bench::new();
    let (verdict, codes) = bench.verdict("stream.com");
    assert_eq!((verdict, codes), (Verdict::TwoPersons, vec!["not_loaded".to_owned()]));
    assert_eq!(bench.verdict("198.41.0.4").1[0], "dns");
    assert_eq!(
        bench.verdict("ocsp.digicert.com"),
        (Verdict::Refuse, vec!["ca".to_owned(), "not_loaded".to_owned()])
    );
    assert_eq!(
        bench.verdict("0.pool.ntp.org"),
        (Verdict::Refuse, vec!["time".to_owned(), "not_loaded".to_owned()])
    );
    let notes = load(&bench.home()).expect("loaded").notes(date(2026, 11, 2));
    let [Note::NotLoaded(missing)] = notes.as_slice() else { panic!("{notes:?}") };
    assert!(missing.contains(&Class::Cdn) && missing.contains(&Class::Health));
}

#[test]
fn fetched_lists_become_sets() {
    let bench = Bench::new();
    let package = bench.package(usize::MAX);
    let fetched = update(&bench.home(), Some(&package)).expect("made");
    assert_eq!(fetched.sets.len(), lists::LISTS.len());
    let of = |name: &str| fetched.sets.iter().find(|set| set.head.name == name).expect("there");
    assert_eq!((of("tranco10k").entries, of("tranco10k").left_out), (2, 1));
    // A list without a date has its package's.
    assert_eq!(of("alexa").head.date, date(2025, 12, 23));
    assert_eq!(of("alexa").head.source, "MISP warning lists, pymispwarninglists 1.7.0");
    assert_eq!(bench.verdict("www.popular.com"), (Verdict::TwoPersons, vec!["popular".to_owned()]));
    assert_eq!(bench.verdict("xn--bcher-kva.de").0, Verdict::TwoPersons);
    let loaded = load(&bench.home()).expect("loaded");
    let notes = loaded.notes(date(2026, 11, 2));
    // Others' block pages are public. Of one's own nobody told yet.
    assert!(notes.contains(&Note::NoOwnBlockers));
    assert!(notes.iter().any(|n| matches!(n, Note::Stale(n, _, _, d) if *n == lists::LISTS.len() && *d == date(2025, 12, 23))));
    assert!(loaded.notes(date(2026, 1, 2)).iter().all(|n| !matches!(n, Note::Stale(..))));
    // What the next package no longer holds, or hardly any more, stays as it was, and is told.
    std::fs::remove_dir_all(package.join("data/lists/tranco10k")).expect("gone");
    let fetched = update(&bench.home(), Some(&package)).expect("made");
    assert!(fetched.absent.contains(&"tranco10k"));
    assert_eq!(fetched.kept, [("tranco10k".to_owned(), 2, 0)]);
    assert_eq!(bench.verdict("www.popular.com").0, Verdict::TwoPersons);
    let pages = Given {
        file: &bench.file("pages.txt", "192.0.2.99\nblocked.isp.org\n"),
        name: Some("pages"),
        class: Some(Class::Blockers),
        source: Some("the ISPs"),
        date: Some(date(2026, 9, 1)),
        matches: None,
    };
    add(&bench.home(), &pages).expect("added");
    let notes = load(&bench.home()).expect("loaded").notes(date(2026, 11, 2));
    assert!(!notes.contains(&Note::NoOwnBlockers));
    // The folder of the lists can be named itself.
    assert!(update(&bench.home(), Some(&package.join("data/lists"))).is_ok());
}

#[test]
fn what_is_cut_or_bad_leaves_the_sets_alone() {
    let bench = Bench::new();
    let package = bench.package(usize::MAX);
    update(&bench.home(), Some(&package)).expect("made");
    let before = load(&bench.home()).expect("loaded").sets.bytes();
    let said = |from: &Path| update(&bench.home(), Some(from)).expect_err("refused").to_string();
    assert!(said(&bench.home()).contains("no folder `lists`"));
    bench.file("package/data/lists/akamai/list.json", "{\"list\": 7}");
    assert!(said(&package).contains("akamai/list.json: it has no array `list`"));
    bench.file("package/data/lists/akamai/list.json", "{");
    assert!(said(&package).contains("akamai/list.json: no JSON"));
    std::fs::remove_dir_all(&package).expect("gone");
    assert!(said(&bench.package(3)).contains("3 lists: too few"));
    bench.package(usize::MAX);
    bench.file("package/public_suffix_list.dat", "com\n");
    assert!(said(&package).contains("the list has 1 rules"));
    assert_eq!(load(&bench.home()).expect("loaded").sets.bytes(), before);
    assert!(!bench.home().join("shield/.fetching").exists());
}

#[test]
fn operators_give_their_own() {
    let bench = Bench::new();
    let plain = bench.file(
        "clinics.txt",
        "# the ministry's\nClinic.org\n*.hospital.net\nclinic.org # twice\n\n93.184.216.0/24\n",
    );
    let given = Given {
        file: &plain,
        name: None,
        class: Some(Class::Health),
        source: Some("the ministry's register"),
        date: Some(date(2026, 9, 1)),
        matches: None,
    };
    let added = add(&bench.home(), &given).expect("added");
    assert_eq!((added.len(), added[0].entries, added[0].left_out), (1, 3, 0));
    assert_eq!(added[0].head.name, "clinics");
    assert_eq!(
        bench.verdict("www.clinic.org"),
        (Verdict::Refuse, vec!["health".to_owned(), "not_loaded".to_owned()])
    );
    assert_eq!(bench.verdict("93.184.216.34").0, Verdict::Refuse);
    // A set that is written out comes back in, under another name.
    let again = Given { file: &added[0].path, name: Some("again"), class: None, ..given.clone() };
    let again = add(&bench.home(), &again).expect("added");
    assert_eq!((again[0].entries, again[0].head.class), (3, Class::Health));
    remove(&bench.home(), "clinics").expect("gone");
    remove(&bench.home(), "again").expect("gone");
    assert_eq!(bench.verdict("www.clinic.org").1, ["not_loaded"]);
    let error = remove(&bench.home(), "../fetched/x").expect_err("none").to_string();
    assert!(error.contains("vigie shield sets"), "{error}");
}

#[test]
fn exceptions_hold_all_below_and_whole_networks() {
    let bench = Bench::new();
    let file = bench.file("kept.txt", "usercontent.kept.org\n5.6.0.0/16\nAS13335\n");
    let given = Given {
        file: &file,
        name: Some("own"),
        class: Some(Class::Exception),
        source: Some("the desk"),
        date: Some(date(2026, 9, 1)),
        matches: None,
    };
    add(&bench.home(), &given).expect("added");
    for item in ["drive.usercontent.kept.org", "5.6.7.8:80", "104.16.0.1"] {
        let (verdict, codes) = bench.verdict(item);
        assert_eq!(verdict, Verdict::Refuse, "{item}");
        assert!(codes.contains(&"exception".to_owned()), "{item} {codes:?}");
    }
    assert_eq!(bench.verdict("kept.org").1, ["not_loaded"]);
}

#[test]
fn lists_of_the_field_are_taken_as_they_are() {
    let bench = Bench::new();
    let ranges = bench.file(
        "cdncheck.json",
        "{\"cdn\": {\"x\": [\"93.184.216.0/24\"]}, \"waf\": {\"y\": [\"5.6.0.0/16\"]}, \"common\": {}}",
    );
    let given = Given {
        file: &ranges,
        name: None,
        class: None,
        source: Some("projectdiscovery/cdncheck"),
        date: Some(date(2026, 9, 1)),
        matches: None,
    };
    let added = add(&bench.home(), &given).expect("added");
    let names: Vec<_> = added.iter().map(|set| set.head.name.as_str()).collect();
    assert_eq!(names, ["cdncheck-cdn", "cdncheck-waf"]);
    assert_eq!(bench.verdict("93.184.216.34").1[0], "cdn");
    assert_eq!(bench.verdict("5.6.7.8").1[0], "waf");
    let list = bench.file("top.json", "{\"list\": [\"Domain\", \"popular.com\", \"a b\"]}");
    let given = Given { file: &list, class: Some(Class::Popular), ..given };
    let added = add(&bench.home(), &given).expect("added");
    // Neither a heading nor a sentence is a popular name.
    assert_eq!((added[0].entries, added[0].left_out), (1, 2));
    assert_eq!(bench.verdict("www.popular.com").0, Verdict::TwoPersons);
}

#[test]
fn what_is_missing_or_off_is_told() {
    let bench = Bench::new();
    let file = bench.file("x.txt", "a.org\n");
    let bare =
        Given { file: &file, name: None, class: None, source: None, date: None, matches: None };
    let said = |given: &Given<'_>| add(&bench.home(), given).expect_err("refused").to_string();
    assert!(said(&bare).contains("--class"));
    let bare = Given { class: Some(Class::Bank), ..bare };
    assert!(said(&bare).contains("--source"));
    let bare = Given { source: Some("x"), ..bare };
    assert!(said(&bare).contains("--date"));
    let full = Given { date: Some(date(2026, 9, 1)), ..bare };
    assert!(said(&Given { name: Some("a b"), ..full.clone() }).contains("--name \"a b\""));
    assert!(said(&Given { name: Some("../x"), ..full.clone() }).contains("--name"));
    assert!(said(&Given { date: Some(date(9999, 1, 1)), ..full.clone() }).contains("future"));
    for (member, why) in [
        ("foo.it bar.it", "no name"),
        ("https://www.bar.it/x", "no name"),
        ("1.2.3.4/33", "no name"),
        ("0.0.0.0/0", "wider"),
        ("::/0", "wider"),
        ("name", "a single word"),
    ] {
        let file = bench.file("kept.txt", &format!("a.org # kept\n{member}\n"));
        let error = said(&Given { file: &file, class: Some(Class::Exception), ..full.clone() });
        assert!(error.contains("kept.txt, line 2: ") && error.contains(why), "{error}");
    }
    let device = said(&Given { file: Path::new("/dev/zero"), ..full.clone() });
    assert!(device.contains("no plain file"), "{device}");
    let empty = bench.file("empty.txt", "# nothing\n");
    assert!(said(&Given { file: &empty, ..full.clone() }).contains("holds no name"));
    let seen = bench.file("seen.txt", "nonsense\n");
    let seen = Given { file: &seen, class: Some(Class::Seen), ..full.clone() };
    assert!(said(&seen).contains("line 1: \"nonsense\" is no `address name`"), "{}", said(&seen));
    let json = bench.file("x.json", "{\"x\": 1}");
    assert!(said(&Given { file: &json, ..full }).contains("neither"));
    // A set in the folder that somebody renamed, or broke, by hand.
    let renamed = bench.file("home/shield/own/renamed.set", shield_set());
    let error = load(&bench.home()).err().expect("refused").to_string();
    assert!(error.contains("renamed.set calls itself \"x\""), "{error}");
    std::fs::remove_file(renamed).expect("gone");
    bench.file("home/shield/own/broken.set", "vigie-set 1\nname: x\n");
    let error = load(&bench.home()).err().expect("refused").to_string();
    assert!(error.contains("broken.set, line 3") && error.contains("docs/shield.md"), "{error}");
}

fn shield_set() -> &'static str {
    "vigie-set 1\nname: x\nclass: bank\nsource: a test\ndate: 2026-09-01\nmatch: exact\n\na.org\n"
}

//! Packages: what leaves one authority's case and comes into another's.

use crate::bench::Bench;

fn said(out: &std::process::Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&out.stdout), String::from_utf8_lossy(&out.stderr))
}

/// Makes a package for somebody; its path.
#[track_caller]
fn make(bench: &Bench, to: &str, code: &str, file: &str, more: &[&str]) -> String {
    let words = ["package", "make", "--for", to, "--handling", code, "--out", file];
    bench.ok(&[&words[..], more].concat());
    bench.path(file).to_str().expect("UTF-8").to_owned()
}

#[test]
fn a_package_goes_from_one_authority_to_another_and_keeps_its_code() {
    let (nl, fr) = (Bench::new(), Bench::new());
    nl.ok(&["authority", "init", "nl.example"]);
    fr.ok(&["authority", "init", "fr.example"]);
    nl.open("case", &nl.seizure("seizure", "small", 1.0, 3));

    // H2 enters where it is for, and nowhere else.
    let secret = make(&nl, "fr.example", "H2", "secret.zip", &[]);
    let other = make(&nl, "de.example", "H2", "other.zip", &[]);
    let out = fr.run(&["package", "import", &other]);
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("under H2 for de.example"), "{}", said(&out));
    let taken = fr.json(&["package", "import", "--json", &secret]);
    assert_eq!(taken["holds"], true);
    assert!(
        taken["imported"]["record"].is_u64() && taken["imported"]["sealed"].as_u64() > Some(46)
    );
    assert!(fr.ok(&["package", "import", &secret]).contains("the log had it already"));

    // Neither it nor what was in it goes on to others; without it, nothing of it does.
    let out = fr.run(&["package", "make", "--for", "Court", "--handling", "H0", "--out", "x.zip"]);
    assert_eq!(out.status.code(), Some(2));
    assert!(said(&out).contains("nl.example") && !fr.path("x.zip").exists(), "{}", said(&out));
    let exhibit = taken["imported"]["exhibit"].as_str().expect("an id");
    let without = ["--redact", &format!("exhibit:{exhibit}")];
    make(&fr, "Court", "H0", "without.zip", &without);
    let found = fr.json(&["package", "verify", "--json", "without.zip"]);
    assert_eq!((found["whole"].as_u64(), found["parts"].as_u64()), (Some(0), Some(0)), "{found}");
    make(&fr, "NL.example", "H0", "back.zip", &[]);

    // H1 stays H1, on the page too.
    let restricted = make(&nl, "fr.example", "H1", "restricted.zip", &["--lang", "fr"]);
    let de = Bench::new();
    de.ok(&["authority", "init", "de.example"]);
    de.ok(&["package", "import", &restricted]);
    let out = de.run(&["package", "make", "--for", "Court", "--handling", "H0", "--out", "x.zip"]);
    assert_eq!(out.status.code(), Some(2));
    make(&de, "Court", "H1", "y.zip", &[]);
    let page = String::from_utf8_lossy(&read(&nl, "restricted.zip")).into_owned();
    assert!(page.contains("Ne pas utiliser dans une procédure judiciaire"));

    // Evidence of where it came from, and all of it, is in the case.
    let verified = fr.json(&["verify", "--json", "case"]);
    assert_eq!(verified["sound"], true, "{verified}");
}

#[allow(clippy::disallowed_methods)] // Files for the test.
fn read(bench: &Bench, file: &str) -> Vec<u8> {
    std::fs::read(bench.path(file)).expect("a file")
}

#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn what_does_not_hold_is_told_and_not_taken_in() {
    let bench = Bench::new();
    bench.open("case", &bench.seizure("seizure", "small", 1.0, 4));
    make(&bench, "Court", "H3", "p.zip", &["--restriction", "until May", "--redact", "actor"]);
    let found = bench.json(&["package", "verify", "--json", "p.zip"]);
    assert_eq!(found["restriction"], "until May");
    assert!(found["hidden_fields"].as_u64() > Some(50), "{found}");

    // Never over a file; never without words that the code wants; never for nobody.
    for words in [
        ["--for", "Court", "--handling", "H0", "--out", "p.zip"],
        ["--for", "Court", "--handling", "H3", "--out", "q.zip"],
        ["--for", " ", "--handling", "H0", "--out", "q.zip"],
        ["--for", "Court", "--handling", "H9", "--out", "q.zip"],
    ] {
        let out = bench.run(&[&["package", "make"], &words[..]].concat());
        assert_eq!(out.status.code(), Some(2), "{words:?}: {}", said(&out));
    }
    let words = ["package", "make", "--for", "Court", "--handling", "H0", "--out", "q.zip"];
    for (more, why) in [
        (["--redact", "nonsense"], "no record that is disclosed has the field"),
        (["--select", "everything"], "selects nothing"),
        (["--select", "record:999999"], "is not in this case"),
        (["--encrypt-to", "age1nobody"], "no age recipient"),
    ] {
        let out = bench.run(&[&words[..], &more[..]].concat());
        assert!(matches!(out.status.code(), Some(2 | 3)), "{more:?}: {}", said(&out));
        assert!(said(&out).contains(why), "{more:?}: {}", said(&out));
    }
    assert!(!bench.path("q.zip").exists());

    let mut bytes = read(&bench, "p.zip");
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(bench.path("bad.zip"), &bytes).expect("a file");
    std::fs::write(bench.path("text.zip"), "no zip").expect("a file");
    for (file, code) in [("bad.zip", 1), ("text.zip", 1), ("absent.zip", 3)] {
        let out = bench.run(&["package", "verify", file]);
        assert_eq!(out.status.code(), Some(code), "{file}: {}", said(&out));
        assert!(said(&out).contains(file), "{}", said(&out));
        let out = bench.run(&["package", "import", "--case", "other", file]);
        assert!(!out.status.success() && !bench.path("other").exists(), "{}", said(&out));
    }
}

/// An exhibit that is privileged leaves in no way: not whole, not by its name, not inside another.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn what_is_privileged_never_leaves() {
    let bench = Bench::new();
    let letter = b"to my lawyer: the account is NL00BANK0123456789\n";
    let dir = bench.path("material/inside");
    std::fs::create_dir_all(&dir).expect("a folder");
    std::fs::write(dir.join("letter.txt"), letter).expect("a file");
    std::fs::write(bench.path("material/open.txt"), "tv.one.example 198.18.0.7\n").expect("a file");
    let packed = std::process::Command::new("tar")
        .args(["-cf", "../bundle.tar", "letter.txt"])
        .current_dir(&dir)
        .status();
    assert!(packed.expect("tar").success());
    bench.ok(&["open", "material"]);
    let id = model::Sha256Hex::of(letter).to_string();
    bench.ok(&["privilege", "mark", &id, "--reason", "a lawyer's"]);
    let words = ["package", "make", "--for", "Court", "--handling", "H0", "--out"];
    let out = bench.ok(&[&words[..], &["p.zip"]].concat());
    assert!(out.contains("is left out: it contains an exhibit that stays hidden"), "{out}");
    let bytes = String::from_utf8_lossy(&read(&bench, "p.zip")).into_owned();
    assert!(!bytes.contains("NL00BANK") && !bytes.contains(&id) && !bytes.contains("letter.txt"));
    assert!(bytes.contains("tv.one.example"));
    let out = bench.run(&[&words[..], &["q.zip", "--select", &format!("exhibit:{id}")]].concat());
    assert!(!out.status.success() && said(&out).contains("privileged"), "{}", said(&out));
}

/// What the law erased stays with whoever has a package: the report names him, and what is made later
/// goes on proving.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn what_left_before_it_was_erased_is_named() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("material")).expect("a folder");
    let born = [&[b'.'; 4096][..], b"born 1984"].concat();
    std::fs::write(bench.path("material/born.txt"), &born).expect("a file");
    std::fs::write(bench.path("material/open.txt"), "tv.one.example 198.18.0.7\n").expect("a file");
    bench.ok(&["open", "material"]);
    let id = model::Sha256Hex::of(&born).to_string();
    let but = ["--redact", &format!("exhibit:{id}")];
    make(&bench, "Laboratory", "H0", "without.zip", &but);
    make(&bench, "Court", "H0", "with.zip", &[]);
    let why = ["--basis", "Directive (EU) 2016/680 art. 16", "--reason", "request 7"];
    bench.ok(&[&["erase", "--exhibit", &id, "--bytes", "4096..4105"][..], &why].concat());
    let report = bench.ok(&["erase", "--report"]);
    assert!(report.contains("remains with Court: bytes of it"), "{report}");
    assert!(!report.contains("Laboratory"), "{report}");

    make(&bench, "Court", "H0", "after.zip", &[]);
    let bytes = read(&bench, "after.zip");
    let text = String::from_utf8_lossy(&bytes);
    assert!(!text.contains("born 1984") && !text.contains(&id) && text.contains("erasure.ordered"));
    for (file, whole) in [("with.zip", 2), ("after.zip", 2), ("without.zip", 1)] {
        let found = bench.json(&["package", "verify", "--json", file]);
        assert_eq!(found["whole"], whole, "{found}");
    }
    assert_eq!(bench.json(&["verify", "--json", "case"])["sound"], true);
}

/// A digest of hidden bytes would betray them: nothing that holds it leaves, however deep it lies.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn what_tells_of_hidden_bytes_stays_behind() {
    let bench = Bench::new();
    let dir = bench.path("material");
    std::fs::create_dir(&dir).expect("a folder");
    let pin = model::Sha256Hex::of(b"1987\n").to_string();
    std::fs::write(dir.join("pin.txt"), "1987\n").expect("a file");
    std::fs::write(dir.join("open.txt"), "tv.one.example 198.18.0.7\n").expect("a file");
    std::fs::write(dir.join("SHA256SUMS"), format!("{pin}  pin.txt\n")).expect("a file");
    let other = format!("see {}", pin.to_uppercase());
    std::fs::write(dir.join("mail.txt"), &other).expect("a file");
    let packed = std::process::Command::new("tar")
        .args(["-cf", "sums.tar", "SHA256SUMS"])
        .current_dir(&dir)
        .status();
    assert!(packed.expect("tar").success());
    bench.ok(&["open", "material"]);
    let without = format!("exhibit:{pin}");
    let holds = |file: &str| {
        String::from_utf8_lossy(&read(&bench, file)).to_ascii_lowercase().contains(&pin)
    };
    make(&bench, "Court", "H0", "whole.zip", &[]);
    assert!(holds("whole.zip"));
    make(&bench, "Court", "H0", "without.zip", &["--redact", &without]);
    assert!(!holds("without.zip"), "a list of sums, or what contains it, went along");
    let mail = format!("exhibit:{}", model::Sha256Hex::of(other.as_bytes()));
    let words = ["package", "make", "--for", "X", "--handling", "H0", "--out", "mail.zip"];
    for select in [mail.clone(), format!("{mail}:0-10")] {
        let out = bench.run(&[&words[..], &["--select", &select, "--redact", &without]].concat());
        assert_eq!(out.status.code(), Some(2), "{}", said(&out));
        assert!(said(&out).contains("digest of an exhibit that stays hidden"), "{}", said(&out));
    }
    // The record of that package says what was redacted: its words stay behind as well.
    let found = bench.json(&["package", "verify", "--json", "without.zip"]);
    let record = format!("record:{}", found["record"]);
    let words = ["package", "make", "--for", "X", "--handling", "H0", "--out", "told.zip"];
    let more = ["--select", &record, "--redact", &without];
    let out = bench.run(&[&words[..], &more[..]].concat());
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("its digest could betray it"), "{}", said(&out));

    // A field that was erased takes its exhibit out of no package.
    let open = model::Sha256Hex::of(b"tv.one.example 198.18.0.7\n").to_string();
    let whole = read(&bench, "whole.zip");
    let whole = String::from_utf8_lossy(&whole);
    let line = whole.lines().find(|l| l.contains("exhibit.sealed") && l.contains(&open));
    let record = line.and_then(|l| l.split_once("\"index\":")?.1.split(',').next());
    let record = record.expect("the sealing record's number");
    let why = ["--basis", "art. 16", "--reason", "request 8"];
    bench.ok(&[&["erase", "--record", record, "--field", "source"][..], &why].concat());
    make(&bench, "Court", "H0", "left.zip", &["--select", &format!("exhibit:{open}")]);
    assert_eq!(bench.json(&["package", "verify", "--json", "left.zip"])["whole"], 1);
}

/// Records alone tell of exhibits, and are under their code as the exhibits are.
#[test]
fn a_code_holds_for_records_too_and_outlives_erasure() {
    let (nl, fr) = (Bench::new(), Bench::new());
    nl.ok(&["authority", "init", "nl.example"]);
    fr.ok(&["authority", "init", "fr.example"]);
    nl.open("case", &nl.seizure("seizure", "small", 1.0, 3));
    let secret = make(&nl, "fr.example", "H2", "secret.zip", &[]);
    let taken = fr.json(&["package", "import", "--json", &secret]);
    let words = ["package", "make", "--for", "evil", "--handling", "H0", "--out", "x.zip"];
    let refused = |more: &[&str]| {
        let out = fr.run(&[&words[..], more].concat());
        assert_eq!(out.status.code(), Some(2), "{more:?}: {}", said(&out));
        assert!(said(&out).contains("under H2"), "{more:?}: {}", said(&out));
    };
    refused(&["--select", "record:0-20"]);
    // The package itself is erased: what came out of it stays under its code.
    let exhibit = taken["imported"]["exhibit"].as_str().expect("an id");
    let why = ["--basis", "art. 16", "--reason", "request 9"];
    let listed = fr.json(&["package", "verify", "--json", &secret]);
    assert!(listed["whole"].as_u64() > Some(40));
    // One member goes, and with it the container; the others stay.
    let page = unpacked(&nl, "secret.zip");
    assert!(!String::from_utf8_lossy(&page).contains("nothing here is evidence"));
    let page = model::Sha256Hex::of(&page).to_string();
    fr.ok(&[&["erase", "--exhibit", &page][..], &why].concat());
    refused(&[]);
    assert!(!fr.path("x.zip").exists() && !exhibit.is_empty());
}

/// The page in a package.
#[allow(clippy::disallowed_methods)] // Files for the test.
pub(crate) fn unpacked(bench: &Bench, file: &str) -> Vec<u8> {
    let out = std::process::Command::new("python3")
        .args(["-c", "import sys,zipfile;sys.stdout.buffer.write(zipfile.ZipFile(sys.argv[1]).read('package/index.html'))"])
        .arg(bench.path(file))
        .output()
        .expect("python3");
    assert!(out.status.success());
    out.stdout
}

/// What is shown before a package is made is what it then shows.
#[test]
fn what_is_foreseen_is_what_leaves() {
    use desk::package::{Ask, Handling, Selection};
    let bench = Bench::new();
    bench.open("case", &bench.seizure("seizure", "small", 1.0, 3));
    let snapshot = desk::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let some = snapshot.exhibits(&Default::default(), &Default::default()).unwrap().items;
    let some = some.iter().find(|exhibit| exhibit.size > 9000).expect("a larger exhibit");
    let part = format!("exhibit:{}:0-5000", some.id);
    let one = format!("exhibit:{}", some.id);
    let cases: [(&[&str], &[&str]); 5] = [
        (&[], &[]),
        (&[], &["actor", "exhibit.sealed.source"]),
        (&[part.as_str(), "record:0-1"], &[]),
        (&[one.as_str()], &["actor"]),
        (&[], &[one.as_str()]),
    ];
    for (at, (select, redact)) in cases.into_iter().enumerate() {
        let owned = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let selection = Selection::parse(&owned(select), &owned(redact)).unwrap();
        let ask = Ask {
            recipient: "Court",
            handling: Handling::H0,
            restriction: None,
            selection: &selection,
        };
        let seen = snapshot.foresee(&ask).unwrap();
        assert_eq!(seen.refused, None);
        let file = format!("{at}.zip");
        let words = select.iter().flat_map(|w| ["--select", w]);
        let words: Vec<&str> = words.chain(redact.iter().flat_map(|w| ["--redact", w])).collect();
        make(&bench, "Court", "H0", &file, &words);
        let found = bench.json(&["package", "verify", "--json", &file]);
        let number = |name: &str| found[name].as_u64().expect("a number");
        assert_eq!((number("whole"), number("parts")), seen.shown, "{at}: {found}");
        assert_eq!(
            (number("records"), number("hidden_fields")),
            (seen.records_n, seen.hidden),
            "{at}"
        );
        let page = unpacked(&bench, &file);
        assert!(String::from_utf8_lossy(&page).contains("nothing here is evidence"), "{at}");
    }
}

/// What cannot be made is told before anything is recorded.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn nothing_is_recorded_of_a_package_that_cannot_be_made() {
    let bench = Bench::new();
    std::fs::write(bench.path("notes.txt"), "tv.one.example").unwrap();
    bench.ok(&["open", "--case", "case", "notes.txt"]);
    let records = || bench.json(&["verify", "--json", "--case", "case"])["records"].as_u64();
    let before = records();
    let words = ["package", "make", "--for", "Court", "--handling", "H0", "--out"];
    let out = bench.run(&[&words[..], &["no/such/x.zip"]].concat());
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("no/such is no folder"), "{}", said(&out));
    let many: Vec<String> = (0..9000).map(|n| format!("record:{n}.actor")).collect();
    let redact = many.iter().flat_map(|word| ["--redact", word.as_str()]);
    let all: Vec<&str> = words.into_iter().chain(["x.zip"]).chain(redact).collect();
    let out = bench.run(&all);
    assert_eq!(out.status.code(), Some(2), "{}", said(&out));
    assert!(said(&out).contains("KIND.FIELD"), "{}", said(&out));
    assert_eq!(records(), before);
    // Nor is anything erased where it is not said what.
    let out = bench.run(&["erase", "--case", "case", "--basis", "b", "--reason", "r"]);
    assert_eq!(out.status.code(), Some(2));
    for word in ["--exhibit", "--record", "--report"] {
        assert!(said(&out).contains(word), "{}", said(&out));
    }
}

/// Opened as any archive or folder is, a package keeps its code too.
#[test]
#[allow(clippy::disallowed_methods)] // Files for the test.
fn a_code_holds_where_a_package_was_opened_and_not_taken_in() {
    let nl = Bench::new();
    nl.ok(&["authority", "init", "nl.example"]);
    nl.open("case", &nl.seizure("seizure", "small", 1.0, 3));
    let secret = make(&nl, "fr.example", "H2", "secret.zip", &[]);
    let folder = nl.path("unpacked");
    let unpacked = std::process::Command::new("python3")
        .args(["-m", "zipfile", "-e", &secret])
        .arg(&folder)
        .status();
    assert!(unpacked.expect("python3").success());
    std::fs::write(nl.path("own.txt"), "tv.one.example").unwrap();
    for material in [secret.as_str(), folder.to_str().expect("UTF-8")] {
        let fr = Bench::new();
        fr.ok(&["authority", "init", "fr.example"]);
        fr.ok(&["open", "--case", "case", material, nl.path("own.txt").to_str().unwrap()]);
        let words = ["package", "make", "--for", "Court", "--handling", "H0", "--out", "x.zip"];
        let out = fr.run(&words);
        assert_eq!(out.status.code(), Some(2), "{material}: {}", said(&out));
        assert!(said(&out).contains("nl.example") && said(&out).contains("H2"), "{}", said(&out));
        let own = model::Sha256Hex::of(b"tv.one.example");
        make(&fr, "Court", "H0", "own.zip", &["--select", &format!("exhibit:{own}")]);
    }
}

//! Whole openings, with small made-up parsers and material.
#![allow(clippy::disallowed_methods)]

use std::path::{Path, PathBuf};

use intake::{Chunks, Confidence, Coverage, Input, Parser, Sink};
use model::key::Locator;
use model::{
    Batch, Cell, Column, ColumnType, Fact, Key, Meaning, Problem, ProblemKind, TableRole,
    TableSchema, Value,
};

use super::*;
use crate::Wait;

/// `line <user> <operator> <mac>`, `host <name> <address>`, `boom`, `bad`: one a line; rows are
/// deferred in pieces.
pub(crate) const LINES: Parser = Parser {
    name: "lines-test",
    version: 1,
    about: "test",
    sniff: |_, name| if name.ends_with(".lines") { Confidence(90) } else { Confidence::NO },
    parse: |input, chunks, out| parse(input, chunks, out, 0),
};

/// The same, which reads one fact more.
pub(crate) const LINES_2: Parser =
    Parser { version: 2, parse: |input, chunks, out| parse(input, chunks, out, 1), ..LINES };

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink, more: u64) -> Coverage {
    let at = Locator::Database { exhibit: input.exhibit, db: "db".to_owned() };
    let column = |name: &str, meaning, secret| Column {
        name: name.to_owned(),
        ty: ColumnType::Text,
        meaning: Some(meaning),
        secret,
    };
    let lines = TableSchema {
        name: "users".to_owned(),
        db: "db".to_owned(),
        role: TableRole::Lines,
        panel: Some(at.to_string()),
        columns: vec![
            column("username", Meaning::UserName, false),
            column("member_id", Meaning::OperatorId, false),
            column("password", Meaning::Note, true),
        ],
    };
    let devices = TableSchema {
        name: "mag".to_owned(),
        role: TableRole::Devices,
        columns: vec![
            column("user_id", Meaning::LineId, false),
            column("mac", Meaning::Mac, false),
        ],
        ..lines.clone()
    };
    let users = out.table(lines.clone());
    let macs = out.table(devices.clone());
    for _ in 0..more {
        out.fact(Fact {
            subject: Key::panel_source(&at),
            property: "family",
            value: Value::Text("test".into()),
            start: 0,
            end: 1,
        });
    }
    let mut offset = 0u64;
    let text = String::from_utf8_lossy(chunks.rest().unwrap_or_default()).into_owned();
    let (mut read, mut lost) = (0, 0);
    let mut piece: Vec<(u64, u64, Vec<String>)> = Vec::new();
    let flush = |piece: &mut Vec<(u64, u64, Vec<String>)>, out: &mut dyn Sink| {
        let rows = std::mem::take(piece);
        let (lines, devices) = (lines.clone(), devices.clone());
        out.defer(Box::new(move |out| {
            let mut users = Batch::new(users, &lines);
            let mut macs = Batch::new(macs, &devices);
            for (start, end, row) in rows {
                users.starts.push(start);
                users.ends.push(end);
                users.columns[0].push(Cell::Text(&row[1]));
                users.columns[1].push(Cell::Text(&row[2]));
                users.columns[2].push(Cell::Text("hidden"));
                macs.starts.push(start);
                macs.ends.push(end);
                macs.columns[0].push(Cell::Text(&row[1]));
                macs.columns[1].push(Cell::Text(&row[3]));
            }
            out.rows(users);
            out.rows(macs);
        }));
    };
    for line in text.split_inclusive('\n') {
        let (start, end) = (offset, offset + line.trim_end().len() as u64);
        offset += line.len() as u64;
        read += line.len() as u64;
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match words.first().map(String::as_str) {
            Some("line") if words.len() == 4 => {
                piece.push((start, end, words));
                if piece.len() == 7 {
                    flush(&mut piece, out);
                }
            }
            Some("host") if words.len() == 3 => {
                let server = Key::scoped("server", &at, &words[1]);
                let ip = Key::ip(words[2].parse().unwrap(), input.exhibit);
                let fact = |property, value| Fact {
                    subject: server.clone(),
                    property,
                    value,
                    start: start + 5,
                    end,
                };
                out.fact(fact("name", Value::Text(words[1].clone())));
                out.fact(fact("has_address", Value::Key(ip)));
                out.fact(fact("password", Value::Secret));
                let panel = Key::panel_source(&at);
                out.fact(fact("part_of", Value::Key(panel.clone())));
                out.fact(Fact {
                    subject: panel,
                    property: "same_as",
                    value: Value::Key(Key::panel("test", &words[2])),
                    start,
                    end,
                });
                out.fact(Fact {
                    subject: Key::scoped("operator", &at, "7"),
                    property: "user_name",
                    value: Value::Text("boss".to_owned()),
                    start,
                    end,
                });
            }
            Some("boom") => panic!("a parser's fault"),
            _ => {
                read -= line.len() as u64;
                lost += line.len() as u64;
                out.problem(Problem {
                    start,
                    end,
                    kind: ProblemKind::Syntax,
                    message: "not understood".to_owned(),
                    lost: true,
                });
            }
        }
    }
    flush(&mut piece, out);
    let n = text.len();
    chunks.consume(n);
    Coverage { read, filler: 0, lost }
}

pub(crate) static PARSERS: &[Parser] = &[LINES];
static NEWER: &[Parser] = &[LINES_2];

pub(crate) struct Bench {
    pub(crate) dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn file(&self, name: &str, text: &str) {
        let path = self.path("in").join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(crate) fn place(&self, case: &str) -> Place {
        Place {
            case: self.path(case),
            home: self.path("home"),
            actor: "tester".to_owned(),
            holder: "a test".to_owned(),
            wait: Wait::Fail,
        }
    }

    pub(crate) fn open(&self, case: &str, threads: usize) -> Opened {
        let request = Request { paths: vec![self.path("in")], ..Request::default() };
        open(&self.place(case), &request, &work(threads, PARSERS)).unwrap()
    }
}

pub(crate) fn work(threads: usize, parsers: &'static [Parser]) -> Work {
    Work { threads, parsers, ..Work::default() }
}

/// All rows of the derived views, but for what may differ between cases of the same material.
pub(crate) fn dump(case: &Path) -> String {
    let db = rusqlite::Connection::open(case.join("views.sqlite")).unwrap();
    let mut out = String::new();
    for (table, columns) in [
        ("entity", "id, kind, caption, key, country, asn, facts, links"),
        ("link", "kind, src, dst, count"),
        ("tally", "sort, kind, count"),
        ("entity_row", "entity, n, value, count"),
        ("key", "id, text, entity"),
        ("fact", "subject, property, tag, num, text, start, end"),
        ("problem", "kind, start, end, message, lost"),
        ("bulk", "name, rows, present, hex(sha256), hex(digest), panel"),
        ("bulk_index", "what, n, hex(sha256), keys, rows"),
        ("figure", "name, value, rule"),
    ] {
        let sql = format!("SELECT {columns} FROM {table} ORDER BY {columns}");
        let mut query = db.prepare(&sql).unwrap();
        let n = query.column_count();
        let mut rows = query.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells: Vec<String> =
                (0..n).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
            out.push_str(&format!("{table}: {}\n", cells.join(", ")));
        }
    }
    out
}

pub(crate) fn material(bench: &Bench) {
    let mut text = String::from("host main 198.18.0.1\n");
    for i in 0..100 {
        text.push_str(&format!("line user{i} {} 00:1a:79:00:00:{:02x}\n", i % 9, i % 50));
    }
    bench.file("a.lines", &text);
    // The same panel again, cut short, with one new line.
    let mut again: String = text.lines().take(40).map(|l| format!("{l}\n")).collect();
    again.push_str("line late 7 00:1a:79:00:01:00\nwhat\n");
    bench.file("sub/b.lines", &again);
    bench.file("c.lines", "line user1 7 00:1a:79:00:00:01\n");
    bench.file("d.bin", "nobody reads this");
}

fn count(opened: &Opened, name: &str) -> u64 {
    let entities = opened.summary.entities.iter().map(|(k, n)| (k.name(), *n));
    let links = opened.summary.links.iter().map(|(k, n)| (k.name(), *n));
    entities.chain(links).find(|(k, _)| *k == name).map_or(0, |(_, n)| n)
}

#[test]
fn a_pile_becomes_a_case_once() {
    let bench = Bench::new();
    material(&bench);
    let first = bench.open("case", 2);
    assert_eq!(first.summary.exhibits, 4);
    assert_eq!((first.sealed, first.received), (4, 0));
    // Two dumps of one panel: 100 names and a late one; the third exhibit's panel is unknown.
    assert_eq!(count(&first, "Line"), 102);
    assert_eq!(count(&first, "Device"), 51);
    assert_eq!(count(&first, "Server"), 2 - 1);
    assert_eq!(count(&first, "Panel"), 1);
    // Operator 0 owns nothing: 88 of 100, the late one, and the third exhibit's.
    assert_eq!(count(&first, "owned_by"), 88 + 1 + 1);
    assert_eq!(count(&first, "uses_device"), 102);
    assert_eq!(first.summary.problems, 1);
    assert_eq!(first.summary.countries.values().sum::<u64>(), 1);
    assert!(first.summary.practice);
    let before = dump(&bench.path("case"));

    let again = bench.open("case", 3);
    assert_eq!((again.sealed, again.received), (0, 0));
    assert_eq!(again.summary.entities, first.summary.entities);
    assert_eq!(dump(&bench.path("case")), before);

    let request = Request {
        paths: vec![bench.path("in")],
        item: Some("laptop 3".to_owned()),
        ..Request::default()
    };
    let received = open(&bench.place("case"), &request, &work(1, PARSERS)).unwrap();
    assert_eq!((received.sealed, received.received), (0, 4));
    assert_eq!(dump(&bench.path("case")), before);
}

#[test]
fn threads_and_order_change_nothing() {
    let bench = Bench::new();
    material(&bench);
    bench.open("one", 1);
    bench.open("many", 8);
    let one = dump(&bench.path("one"));
    let many = dump(&bench.path("many"));
    assert_eq!(one, many);
}

#[test]
fn a_rebuild_is_equal_and_says_what_a_newer_parser_changes() {
    let bench = Bench::new();
    material(&bench);
    let opened = bench.open("case", 2);
    let before = dump(&bench.path("case"));
    let rebuilt = rebuild(&bench.place("case"), &work(2, PARSERS)).unwrap();
    assert_eq!(rebuilt.differences, []);
    assert_eq!(rebuilt.summary.entities, opened.summary.entities);
    assert_eq!(dump(&bench.path("case")), before);

    let newer = rebuild(&bench.place("case"), &work(2, NEWER)).unwrap();
    assert_eq!(newer.differences.len(), 3);
    assert!(newer.differences.iter().all(|d| d.now.facts == d.before.facts + 1));
    assert!(newer.differences.iter().all(|d| d.now.parser == "lines-test/2"));
}

#[test]
fn a_parsers_fault_costs_its_exhibit_alone() {
    let bench = Bench::new();
    bench.file("a.lines", "line x 1 00:1a:79:00:00:01\nboom\n");
    bench.file("b.lines", "line y 1 00:1a:79:00:00:02\n");
    let opened = bench.open("case", 2);
    assert_eq!(count(&opened, "Line"), 1);
    assert_eq!(opened.summary.problems, 1);
}

fn facts(bench: &Bench) -> Vec<serde_json::Value> {
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let mut lines = Vec::new();
    crate::lines::fact_lines(&snapshot, &crate::read::FactFilter::default(), &mut |line| {
        lines.push(line.to_json());
        Ok(())
    })
    .unwrap();
    lines
}

#[test]
fn facts_carry_their_bytes_and_secrets_do_not() {
    let bench = Bench::new();
    material(&bench);
    bench.open("case", 2);
    let lines = facts(&bench);
    let name = lines.iter().find(|l| l["property"] == "user_name").unwrap();
    // The span of this fact overlaps a secret's: nothing of it is shown.
    assert_eq!((&name["masked"], &name["raw"]), (&true.into(), &serde_json::Value::Null));
    let secret = lines.iter().find(|l| l["property"] == "password").unwrap();
    assert_eq!((&secret["masked"], &secret["value"]), (&true.into(), &serde_json::Value::Null));

    let mut shown = Vec::new();
    let filter = crate::read::FactFilter::default();
    let place = bench.place("case");
    let mut keep = |line: &crate::lines::FactLine| {
        shown.push(line.to_json());
        Ok(())
    };
    assert!(crate::lines::revealed_lines(&place, &filter, " ", "q", &mut keep).is_err());
    crate::lines::revealed_lines(&place, &filter, "note 12", "facts", &mut keep).unwrap();
    let secret = shown.iter().find(|l| l["property"] == "password").unwrap();
    assert_eq!(secret["raw"], "main 198.18.0.1");
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let log = snapshot.log(&Default::default(), &Default::default()).unwrap();
    assert_eq!(log.items[0].kind, "secret.revealed");
    let reason = log.items[0].fields.iter().find(|f| f.name == "reason").unwrap();
    assert_eq!(reason.value.as_deref(), Some("\"note 12\""));
}

/// The bytes of the one exhibit whose name ends so, as anybody may see them.
fn seen(bench: &Bench, name: &str) -> Vec<u8> {
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let all = snapshot.exhibits(&Default::default(), &Default::default()).unwrap();
    let exhibit = all.items.iter().find(|e| e.name.ends_with(name)).unwrap().id;
    snapshot.bytes(exhibit, 0, 1 << 20).unwrap().bytes
}

#[test]
fn passwords_among_payments_are_masked_in_their_bytes_and_in_no_view() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("pile")).unwrap();
    let text = "Sales of spring\nDate,Amount,Currency,Password,Note\n\
                2026-01-02,12.50,EUR,hunter22,first\n2026-01-03,8.00,EUR,\"s;cret9\",second\n"
        .to_owned()
        + &"2026-01-04,1.00,EUR,,more\n".repeat(8);
    std::fs::write(bench.path("pile/sales.csv"), &text).unwrap();
    let request = Request { paths: vec![bench.path("pile")], ..Request::default() };
    open(&bench.place("case"), &request, &Work::default()).unwrap();
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let exhibit = model::ExhibitId(model::Sha256Hex::of(text.as_bytes()).0);
    let shown = snapshot.bytes(exhibit, 0, 1 << 20).unwrap().bytes;
    let masked = text.replace("hunter22", "********").replace("s;cret9", "*******");
    assert_eq!(String::from_utf8(shown).unwrap(), masked);
    let mut lines = Vec::new();
    let query = "SELECT gross_minor, Password, note FROM payments";
    crate::sql::query(
        &crate::read::Reader::open(&bench.path("case")).unwrap(),
        query,
        &crate::sql::Bounds::default(),
        &mut |line| {
            lines.push(format!("{line:?}"));
            true
        },
    )
    .unwrap();
    assert!(lines.len() == 11 && lines[1].contains("first"), "{lines:?}");
    for folder in [bench.path("case"), bench.path("case/tables")] {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_file() {
                continue;
            }
            let bytes = std::fs::read(&path).unwrap();
            for secret in ["hunter22", "s;cret9"] {
                let found = bytes.windows(secret.len()).any(|w| w == secret.as_bytes());
                assert!(!found, "{secret} is in {}", path.display());
            }
        }
    }
}

#[test]
fn secrets_of_plain_tables_are_masked_in_their_bytes() {
    let bench = Bench::new();
    let rows = "jo;\"ge;heim1\";jo@mail.example\nzoe;geheim2;zoe@mail.example\nshort\n";
    let odd = "kim;\"geheim3;kim@mail.example\n";
    let more = "u;p;m\n".repeat(12);
    bench.file("users.csv", &format!("user;password;mail\n{more}{rows}{odd}"));
    bench.file("plain.csv", "user;colour;mail\njo;red;jo@mail.example\nzoe;blue;z@mail.example\n");
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (r, row) in [["user", "password"], ["jo", "geheim4"]].iter().enumerate() {
        for (c, cell) in row.iter().enumerate() {
            sheet.write_string(r as u32, c as u16, *cell).unwrap();
        }
    }
    std::fs::write(bench.path("in/users.xlsx"), book.save_to_buffer().unwrap()).unwrap();
    let request = Request { paths: vec![bench.path("in")], ..Request::default() };
    open(&bench.place("case"), &request, &work(2, intake::PARSERS)).unwrap();
    let text = String::from_utf8(seen(&bench, "users.csv")).unwrap();
    let more = more.replace('p', "*");
    // The fields alone where a row can be cut; all of it where it cannot.
    let masked = "jo;\"********\";jo@mail.example\nzoe;*******;zoe@mail.example\nshort\n";
    assert_eq!(text, format!("user;password;mail\n{more}{masked}{}", "*".repeat(odd.len())));
    assert!(!String::from_utf8(seen(&bench, "plain.csv")).unwrap().contains('*'));
    // The texts of a workbook stand apart from its rows.
    assert!(seen(&bench, "users.xlsx").iter().all(|b| *b == b'*'));
}

#[test]
fn a_privileged_exhibit_is_gone_until_it_is_released() {
    let bench = Bench::new();
    material(&bench);
    let opened = bench.open("case", 2);
    let before = dump(&bench.path("case"));
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let all = snapshot.exhibits(&Default::default(), &Default::default()).unwrap();
    let exhibit = all.items.iter().find(|e| e.name.ends_with("c.lines")).unwrap().id;
    drop(snapshot);
    let mark = crate::Command::MarkPrivileged { exhibit, reason: "a lawyer's".to_owned() };
    let marked = crate::command(&bench.place("case"), &mark, &work(2, PARSERS)).unwrap();
    assert_eq!(count(&marked, "Line"), count(&opened, "Line") - 1);
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    assert!(matches!(snapshot.bytes(exhibit, 0, 10), Err(crate::Error::Privileged(_))));
    let page = snapshot.exhibit(exhibit).unwrap().unwrap();
    assert_eq!(page.head.state, crate::read::ExhibitState::Privileged);
    drop(snapshot);
    // Neither a further opening nor a rebuild brings it back.
    bench.open("case", 2);
    let rebuilt = rebuild(&bench.place("case"), &work(2, PARSERS)).unwrap();
    assert_eq!(rebuilt.summary.entities, marked.summary.entities);
    let release = crate::Command::Release { exhibit, reason: "the court".to_owned() };
    crate::command(&bench.place("case"), &release, &work(2, PARSERS)).unwrap();
    assert_eq!(dump(&bench.path("case")), before);
    assert!(crate::command(&bench.place("case"), &release, &work(2, PARSERS)).is_err());
}

#[test]
fn verify_holds_and_finds_what_is_changed() {
    let bench = Bench::new();
    material(&bench);
    bench.open("case", 2);
    let check = || crate::verify(&bench.path("case"), &bench.path("home"), None, &|_| {}).unwrap();
    let report = check();
    assert_eq!(
        report.findings.iter().map(|f| &f.message).collect::<Vec<_>>(),
        Vec::<&String>::new()
    );
    assert!(report.facts > 0 && report.rows > 0 && report.key_from_home);
    let db = rusqlite::Connection::open(bench.path("case").join("views.sqlite")).unwrap();
    db.execute(
        "UPDATE fact SET text = 'other' WHERE id = (SELECT MIN(id) FROM fact WHERE tag = 0)",
        [],
    )
    .unwrap();
    drop(db);
    assert_eq!(check().findings.len(), 1);
    rebuild(&bench.place("case"), &work(1, PARSERS)).unwrap();
    assert_eq!(check().findings.len(), 0);
    let tables = std::fs::read_dir(bench.path("case").join("tables")).unwrap();
    for table in tables {
        let path = table.unwrap().path();
        let bytes = std::fs::read(&path).unwrap();
        let mut other = bytes.clone();
        let at = bytes.len() / 2;
        other[at] ^= 1;
        std::fs::write(&path, &other).unwrap();
        assert!(!check().findings.is_empty(), "{}", path.display());
        std::fs::write(&path, &bytes).unwrap();
    }
    assert_eq!(check().findings.len(), 0);
}

#[test]
fn archives_open_into_exhibits_and_sums_are_compared() {
    let bench = Bench::new();
    let text = b"line x 1 00:1a:79:00:00:01\n";
    bench.file("a.lines", std::str::from_utf8(text).unwrap());
    let digest = model::Sha256Hex::of(text);
    bench.file("a.lines.sha256", &format!("{digest}  a.lines\n"));
    bench.file("SHA256SUMS", &format!("{digest}  missing\n{}  a.lines\n", "0".repeat(64)));
    let opened = bench.open("case", 2);
    assert_eq!(opened.summary.exhibits, 3);
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let all = snapshot.exhibits(&Default::default(), &Default::default()).unwrap();
    let exhibit = all.items.iter().find(|e| e.name.ends_with("a.lines")).unwrap().id;
    let page = snapshot.exhibit(exhibit).unwrap().unwrap();
    let sums: Vec<bool> = page.receipts[0].sums.iter().map(|s| s.agrees).collect();
    assert_eq!(sums.len(), 2);
    assert!(sums.contains(&true) && sums.contains(&false));
    let before = snapshot.log(&Default::default(), &Default::default()).unwrap().total;
    drop(snapshot);
    bench.open("case", 2);
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    assert_eq!(snapshot.log(&Default::default(), &Default::default()).unwrap().total, before);
}

/// A capture of a page whose address carries a password: the page is an exhibit that names its container,
/// and the password is in no view.
#[test]
fn web_archives_open_into_what_was_captured() {
    let bench = Bench::new();
    let body = "line x 1 00:1a:79:00:00:01\n";
    let block = format!("HTTP/1.1 200 OK\r\n\r\n{body}");
    let warc = format!(
        "WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <urn:uuid:7>\r\n\
         WARC-Date: 2025-11-24T16:00:00Z\r\nContent-Type: application/http\r\n\
         WARC-Target-URI: http://tv.example/get.php?username=bob&password=s3cret9\r\n\
         Content-Length: {}\r\n\r\n{block}\r\n\r\njunk",
        block.len()
    );
    bench.file("capture.warc", &warc);
    let opened = bench.open("case", 2);
    assert_eq!(opened.summary.exhibits, 2);
    let snapshot = crate::read::Reader::open(&bench.path("case")).unwrap().snapshot().unwrap();
    let all = snapshot.exhibits(&Default::default(), &Default::default()).unwrap();
    let find = |name: &str| all.items.iter().find(|e| e.name.ends_with(name)).unwrap().id;
    let (capture, page) = (find("capture.warc"), find("get.php"));
    let page = snapshot.exhibit(page).unwrap().unwrap();
    assert_eq!(page.head.size, body.len() as u64);
    let way = &page.chain[0];
    assert_eq!((way.container, way.codec.as_str()), (capture, "warc"));
    assert_eq!(way.member, "tv.example/get.php");
    let capture = snapshot.exhibit(capture).unwrap().unwrap();
    assert_eq!(capture.runs[0].parser, "archive/4");
    assert_eq!(capture.runs[0].problems, 1, "the junk behind it");
    let mut folders = vec![bench.path("case")];
    while let Some(folder) = folders.pop() {
        for item in std::fs::read_dir(folder).unwrap() {
            let path = item.unwrap().path();
            if path.is_dir() {
                // The vault holds the bytes themselves.
                folders.extend((!path.ends_with("vault")).then_some(path));
            } else {
                let held = std::fs::read(&path).unwrap();
                assert!(!held.windows(7).any(|w| w == b"s3cret9"), "{}", path.display());
            }
        }
    }
}

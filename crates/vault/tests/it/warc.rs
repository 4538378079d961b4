//! Web archives: what warcio, the field's own reader, finds in its own files, and what is damaged.

use std::fmt::Write as _;
use std::io::{Cursor, Read, Write as _};
use std::path::{Path, PathBuf};

use model::ProblemKind;
use model::record::Name;
use proptest::prelude::*;
use sha1::{Digest, Sha1};
use vault::unpack::{Bounds, Budget, Codec, unpack};
use vault::warc::{Check, Fault, Kind, Limits, Mode, Reader, Record};

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

fn sha1(bytes: &[u8]) -> String {
    model::id::hex(&Sha1::digest(bytes))
}

/// A record with its fields and block.
fn record(kind: &str, uri: &str, more: &str, block: &[u8]) -> Vec<u8> {
    let mut head = format!(
        "WARC/1.1\r\nWARC-Type: {kind}\r\nWARC-Record-ID: <urn:uuid:7>\r\n\
         WARC-Date: 2025-11-24T16:00:00Z\r\nContent-Length: {}\r\n",
        block.len()
    );
    if !uri.is_empty() {
        let _ = write!(head, "WARC-Target-URI: {uri}\r\n");
    }
    let _ = write!(head, "{more}\r\n");
    [head.as_bytes(), block, b"\r\n\r\n"].concat()
}

fn http(uri: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let block = [format!("HTTP/1.1 200 OK\r\n{head}\r\n").as_bytes(), body].concat();
    record("response", uri, "Content-Type: application/http; msgtype=response\r\n", &block)
}

/// All records with their payloads, and all faults; in strict mode at most one.
fn read(bytes: &[u8], mode: Mode, limits: Limits) -> (Vec<(Record, Vec<u8>)>, Vec<Fault>) {
    let mut reader = Reader::new(bytes, mode, limits);
    let mut out = Vec::new();
    loop {
        match reader.next_record() {
            Ok(None) => return (out, reader.take_faults()),
            Err(fault) => return (out, vec![fault]),
            Ok(Some(record)) => {
                let mut payload = Vec::new();
                let _ = reader.payload().read_to_end(&mut payload);
                out.push((record, payload));
            }
        }
    }
}

fn lenient(bytes: &[u8]) -> (Vec<(Record, Vec<u8>)>, Vec<Fault>) {
    read(bytes, Mode::Lenient, Limits::default())
}

fn strict(bytes: &[u8]) -> Result<usize, Fault> {
    let (records, mut faults) = read(bytes, Mode::Strict, Limits::default());
    faults.pop().map_or(Ok(records.len()), Err)
}

type Members = Vec<(String, Vec<u8>, Option<u64>)>;

fn members(bytes: &[u8], bounds: Bounds) -> (Members, Vec<model::Problem>) {
    let codec = Codec::sniff(bytes).expect("a web archive");
    let mut budget = Budget::new(bounds, bytes.len() as u64);
    let (mut out, mut source) = (Vec::new(), Cursor::new(bytes));
    let problems =
        unpack::<()>(codec, &mut source, &Name::from("x"), 0, &mut budget, &mut |member| {
            let mut content = Vec::new();
            let _ = member.reader.read_to_end(&mut content);
            out.push((member.name.shown(), content, member.offset));
            Ok(())
        })
        .unwrap();
    (out, problems)
}

fn shared() -> Option<PathBuf> {
    let base = std::env::var_os("VIGIE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = base.join("data/warc");
    if !path.exists() {
        let _ = writeln!(std::io::stderr(), "SKIPPED: {} is not here", path.display());
        return None;
    }
    Some(path)
}

/// `warcio.tsv` holds what warcio 1.8.1 says of each file: a record a line (type, URI, date, stated
/// payload digest, SHA-1 of the body that it gives), `!` where it refuses to go on.
/// `tests/web_archives.py` compares with the warcio of the day.
#[test]
fn the_same_records_as_warcio() {
    let Some(folder) = shared() else { return };
    let mut files = 0;
    for section in include_str!("warcio.tsv").split("=\t").skip(1) {
        let (name, lines) = section.split_once('\n').unwrap();
        let bytes = std::fs::read(folder.join(name)).unwrap();
        let mut reader = Reader::new(bytes.as_slice(), Mode::Lenient, Limits::default());
        let mut ours = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            let mut body = Vec::new();
            reader.stored().read_to_end(&mut body).unwrap();
            let text = |t: &Option<String>| t.clone().unwrap_or_else(|| "-".to_owned());
            let fields = [record.kind.as_str().to_owned(), text(&record.uri), text(&record.date)];
            ours.push((fields.join("\t") + "\t" + &text(&record.payload_digest), sha1(&body)));
        }
        let faults = reader.take_faults();
        let theirs: Vec<_> = lines.lines().filter(|l| *l != "!").collect();
        for (i, (line, (ours, sum))) in theirs.iter().zip(&ours).enumerate() {
            let (theirs, their_sum) = line.rsplit_once('\t').unwrap();
            assert_eq!(ours, theirs, "{name}");
            // warcio takes ARC's version lines off, takes one line end for a whole HTTP header, and
            // loses a body that its gzip member does not hold.
            let other = ours.starts_with("arc_header")
                || (name, i) == ("bad.arc", 2)
                || (name, i) == ("example-wrong-chunks.warc.gz", 0);
            assert_eq!(sum != their_sum, other, "{name}, record {i}");
        }
        if lines.contains("\n!") {
            assert!(
                ours.len() >= theirs.len() && !faults.is_empty(),
                "{name}: we go on, and say why"
            );
        } else {
            assert_eq!(ours.len(), theirs.len(), "{name}");
        }
        files += 1;
    }
    assert_eq!(files, std::fs::read_dir(folder).unwrap().count());
}

/// The verdict of strict mode on each of them: whole, or the first fault's field and byte.
#[test]
fn strict_takes_what_is_right_and_names_what_is_not() {
    let Some(folder) = shared() else { return };
    let expected: &[(&str, Result<usize, (Option<&str>, u64, Option<u64>)>)] = &[
        ("bad.arc", Err((Some("length"), 58, None))),
        ("example-bad-non-chunked.warc.gz", Err((None, 0, Some(488)))),
        ("example-bad.warc.gz.bad", Err((None, 0, Some(460)))),
        ("example-digest.warc", Err((Some("WARC-Payload-Digest"), 0, None))),
        ("example-iana.org-chunked.warc", Ok(3)),
        ("example-resource.warc.gz", Ok(3)),
        ("example-space-in-target-uri.warc.gz", Err((Some("WARC-Target-URI"), 241, Some(413)))),
        ("example-space-in-url.arc", Err((Some("uri"), 151, None))),
        ("example-trunc.warc", Err((None, 2560, None))),
        ("example-wget-bad-target-uri.warc.gz", Ok(6)),
        ("example-wrong-chunks.warc.gz", Err((None, 0, Some(2004)))),
        ("example.arc", Ok(2)),
        ("example.arc.gz", Ok(2)),
        ("example.warc", Ok(6)),
        ("example.warc.gz", Ok(6)),
        ("post-test.warc.gz", Ok(6)),
    ];
    for (name, expected) in expected {
        let verdict = strict(&std::fs::read(folder.join(name)).unwrap());
        let verdict = verdict.as_ref().map_err(|f| (f.field.as_deref(), f.start, f.unpacked));
        assert_eq!(verdict.copied(), *expected, "{name}");
    }
}

#[test]
fn a_response_is_a_member_that_leads_back_to_its_record() {
    let chunked = b"4\r\nWiki\r\n5\r\npedia\r\n0\r\n\r\n";
    let parts = [
        record("warcinfo", "", "", b"software: x\r\n"),
        http("http://tv.example/get.php?username=bob&password=s3cret", "", b"#EXTM3U\n"),
        record("request", "http://tv.example/", "", b"GET / HTTP/1.1\r\n\r\n"),
        http("http://tv.example/a.html", "Transfer-Encoding: chunked\r\n", chunked),
        record("resource", "file:///x.sql", "", b"SELECT 1;"),
        record("metadata", "", "", b"words"),
        record("revisit", "http://tv.example/a.html", "", b"HTTP/1.1 304 Not Modified\r\n\r\n"),
        http("http://tv.example/empty", "", b""),
    ];
    let expected: &[(&str, &[u8], usize)] = &[
        ("tv.example/get.php", b"#EXTM3U\n", 1),
        ("tv.example/a.html", b"Wikipedia", 3),
        ("x.sql", b"SELECT 1;", 4),
        ("tv.example/empty", b"", 7),
    ];
    let packed: Vec<Vec<u8>> = parts.iter().map(|p| gz(p)).collect();
    for parts in [parts.to_vec(), packed] {
        let bytes = parts.concat();
        let (found, problems) = members(&bytes, Bounds::default());
        assert_eq!(problems, []);
        let at = |n: usize| Some(parts[..n].iter().map(|p| p.len() as u64).sum());
        let expected: Members =
            expected.iter().map(|(n, b, i)| ((*n).to_owned(), b.to_vec(), at(*i))).collect();
        assert_eq!(found, expected);
        assert_eq!(strict(&bytes), Ok(parts.len()));
    }
    // One gzip around all: the same, but no offset leads to a record.
    let (found, problems) = members(&gz(&parts.concat()), Bounds::default());
    assert_eq!((found.len(), problems.len()), (4, 1));
    assert!(found.iter().all(|m| m.2.is_none()), "{found:?}");
}

/// A fault, and what is found beyond it.
#[test]
fn each_fault_is_told_and_costs_its_own_record() {
    let good = http("http://tv.example/b", "", b"good");
    let bare = |text: &str| [text.as_bytes(), &good].concat();
    let twice = "Content-Type: text/plain\r\nContent-Type: text/plain\r\n";
    let digest =
        |d: &str| record("resource", "urn:x", &format!("WARC-Block-Digest: {d}\r\n"), b"a");
    let cases: Vec<(Vec<u8>, ProblemKind, &str, usize)> = vec![
        (bare("WARC/1.1\r\nWARC-Type: response\r\n\r\n"), ProblemKind::Syntax, "Content-Length", 2),
        (bare("WARC/2.0\r\nContent-Length: 0\r\n\r\n\r\n\r\n"), ProblemKind::Unsupported, "", 2),
        (
            bare("WARC/1.1\r\nContent-Length: x\r\n\r\n\r\n\r\n"),
            ProblemKind::Type,
            "Content-Length",
            2,
        ),
        (bare("WARC/1.1\r\nContent-Length: -1\r\n\r\n"), ProblemKind::Type, "Content-Length", 2),
        (
            bare("WARC/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n"),
            ProblemKind::Bound,
            "Content-Length",
            2,
        ),
        ([good.as_slice(), b"junk\r\n\r\n", &good].concat(), ProblemKind::Syntax, "", 2),
        ([good.as_slice(), b"WARC/1.1\r\nWARC-Ty"].concat(), ProblemKind::Truncated, "", 1),
        (record("resource", "urn:x", twice, b""), ProblemKind::Conflict, "Content-Type", 1),
        (record("resource", "", "", b""), ProblemKind::Syntax, "WARC-Target-URI", 1),
        (record("resource", "<urn:x>", "", b""), ProblemKind::Syntax, "WARC-Target-URI", 1),
        (record("warcinfo", "urn:x", "", b""), ProblemKind::Conflict, "WARC-Target-URI", 1),
        (
            digest("sha1:3I42H3S6NNFQ2MSVX7XZKYAYSCX5QBYJ"),
            ProblemKind::Integrity,
            "WARC-Block-Digest",
            1,
        ),
        (digest("x"), ProblemKind::Syntax, "WARC-Block-Digest", 1),
        (
            record("resource", "urn:x", "X: \u{e9}\r\n no colon\r\nno colon\r\n", b""),
            ProblemKind::Syntax,
            "",
            1,
        ),
        (good[..good.len() - 6].to_vec(), ProblemKind::Truncated, "Content-Length", 1),
        (good[..good.len() - 2].to_vec(), ProblemKind::Truncated, "", 1),
        (
            http("http://a.example/", "Transfer-Encoding: chunked\r\n", b"<html>"),
            ProblemKind::Conflict,
            "Transfer-Encoding",
            1,
        ),
    ];
    for (i, (bytes, kind, field, records)) in cases.iter().enumerate() {
        let (found, faults) = lenient(bytes);
        assert_eq!(found.len(), *records, "case {i}: {faults:?}");
        let fits = |f: &&Fault| f.kind == *kind && f.field.as_deref().unwrap_or_default() == *field;
        let fault = faults.iter().find(fits).unwrap_or_else(|| panic!("case {i}: {faults:?}"));
        assert!(fault.start <= fault.end && fault.end <= bytes.len() as u64, "case {i}: {fault}");
        if *records == 2 {
            assert_eq!(found[1].1, b"good", "case {i}");
        }
        assert!(strict(bytes).is_err(), "case {i}");
        // The same in gzip, all in one.
        assert_eq!(lenient(&gz(bytes)).0.len(), *records, "case {i}");
    }
}

#[test]
fn damaged_gzip_costs_its_own_member() {
    let parts: Vec<Vec<u8>> =
        (0..5).map(|i| gz(&http(&format!("http://tv.example/{i}.ts"), "", &[i; 3000]))).collect();
    for at in [12, 40, parts[2].len() - 6] {
        let mut bytes = parts.concat();
        let start = parts[0].len() + parts[1].len();
        bytes[start + at] ^= 0xff;
        let (found, problems) = members(&bytes, Bounds::default());
        let whole = found.iter().filter(|m| m.1.len() == 3000).count();
        assert!(whole >= 4, "{at}: {whole} of 5, {problems:?}");
        let inside =
            |p: &model::Problem| (start..=start + parts[2].len()).contains(&(p.start as usize));
        assert!(problems.iter().any(inside), "{at}: {problems:?}");
    }
    // A member that is cut, then the next.
    let cut = [&parts[0][..parts[0].len() / 2], &parts[1]].concat();
    let (found, problems) = members(&cut, Bounds::default());
    assert_eq!(found.last().map(|m| m.0.as_str()), Some("tv.example/1.ts"), "{problems:?}");
    // What is between members, and at the end.
    let between = [&parts[0], b"junk".as_slice(), &parts[1], &[0; 100]].concat();
    let (found, problems) = members(&between, Bounds::default());
    assert_eq!((found.len(), problems.len()), (2, 2), "{problems:?}");
}

#[test]
fn arc_of_both_versions() {
    let file = |version: &str, line: &str| {
        let block = format!("{version} 0 range\nnames of the words");
        format!(
            "filedesc://x.arc 192.0.2.1 20250101000000 text/plain {}\n{block}\n\n{line}\n\
             HTTP/1.0 200 OK\r\n\r\nabc\n",
            block.len()
        )
    };
    let one = file("1", "http://a.example/x.ts 192.0.2.7 20250101000000 video/mp2t 22");
    let two =
        file("2", "http://a.example/x.ts 192.0.2.7 20250101000000 video/mp2t 200 - - 0 x.arc 22");
    for (text, version) in [(one, "1"), (two, "2")] {
        for bytes in [text.clone().into_bytes(), gz(text.as_bytes())] {
            assert_eq!(Codec::sniff(&bytes), Some(Codec::Arc));
            let (found, _) = lenient(&bytes);
            let (record, payload) = &found[1];
            assert_eq!((found.len(), record.version.as_str()), (2, version));
            assert_eq!(
                (record.uri.as_deref(), payload.as_slice()),
                (Some("http://a.example/x.ts"), b"abc".as_slice())
            );
        }
        assert_eq!(strict(text.as_bytes()), Ok(2), "{version}");
    }
}

#[test]
fn sizes_have_their_bounds() {
    let fits = |limits: Limits, bytes: &[u8]| read(bytes, Mode::Strict, limits).1.is_empty();
    let bytes = record("resource", "urn:x", "", &[7; 1000]);
    let header = bytes.len() - 1004;
    let base = Limits::default();
    for (limits, fit) in [
        (Limits { header, ..base }, true),
        (Limits { header: header - 1, ..base }, false),
        (Limits { fields: 5, ..base }, true),
        (Limits { fields: 4, ..base }, false),
        (Limits { record: 1000, ..base }, true),
        (Limits { record: 999, ..base }, false),
    ] {
        assert_eq!(fits(limits, &bytes), fit, "{limits:?}");
    }
    let packed = gz(&bytes);
    let unpacked = bytes.len() as u64;
    assert!(fits(Limits { unpacked, ..base }, &packed));
    assert!(!fits(Limits { unpacked: unpacked - 1, ..base }, &packed));
    // An HTTP header beyond its bound: the block is the payload.
    let long = http("http://a.example/", &format!("X: {}\r\n", "y".repeat(5000)), b"body");
    let (found, faults) = read(&long, Mode::Lenient, Limits { header: 4096, ..base });
    assert_eq!((found[0].1.len(), faults[0].kind), (5028, ProblemKind::Bound), "{faults:?}");
    // A bomb in what is no member counts too.
    let bomb = gz(&record("metadata", "", "", &vec![0; 3 << 20]));
    let all = [bomb, gz(&http("http://a.example/", "", b"x"))].concat();
    let bounds = Bounds { total: 1 << 20, ..Bounds::default() };
    let (found, problems) = members(&all, bounds);
    assert!(found.is_empty() && problems.iter().any(|p| p.kind == ProblemKind::Bound));
}

#[test]
fn digests_are_checked_with_and_without_chunks() {
    let (plain, chunked) = (b"Wikipedia".as_slice(), b"9\r\nWikipedia\r\n0\r\n\r\n".as_slice());
    for (of, check) in [(plain, Check::Agrees), (chunked, Check::Agrees), (b"x", Check::Differs)] {
        let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
        let fields =
            format!("Content-Type: application/http\r\nWARC-Payload-Digest: sha1:{}\r\n", sha1(of));
        let bytes = record("response", "http://a.example/", &fields, &[head, chunked].concat());
        let mut reader = Reader::new(bytes.as_slice(), Mode::Lenient, Limits::default());
        assert_eq!(reader.next_record().unwrap().unwrap().kind, Kind::Response);
        let end = reader.finish().unwrap().unwrap();
        assert_eq!((end.payload_digest, end.block_digest), (check, Check::Absent));
        assert_eq!(end.span, (0, bytes.len() as u64));
    }
}

fn sample(which: usize) -> Vec<u8> {
    let parts = [
        http("http://tv.example/a", "Transfer-Encoding: chunked\r\n", b"4\r\nWiki\r\n0\r\n\r\n"),
        record("metadata", "", "", b"words"),
        http("http://tv.example/b", "", &[7; 500]),
    ];
    let arc = b"filedesc://x.arc 192.0.2.1 20250101000000 text/plain 9\n1 0 range\n\n\
        http://a.example/x.ts 192.0.2.7 20250101000000 video/mp2t 22\nHTTP/1.0 200 OK\r\n\r\nabc\n";
    match which {
        0 => parts.concat(),
        1 => parts.iter().flat_map(|p| gz(p)).collect(),
        2 => gz(&parts.concat()),
        3 => arc.to_vec(),
        _ => parts.concat().chunks(100).flat_map(gz).collect(),
    }
}

/// A medium that gives a few bytes at a time.
struct Slow<'a>(&'a [u8], usize);

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.1.min(buffer.len());
        self.0.read(&mut buffer[..n])
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    /// Damaged archives never panic; faults lie inside; strict mode refuses what lenient lists.
    #[test]
    fn damage_is_told(
        which in 0usize..5,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..8),
        cut in any::<prop::sample::Index>(),
        keep: bool,
    ) {
        let mut bytes = sample(which);
        for (at, value) in &edits {
            let at = at.index(bytes.len());
            bytes[at] = *value;
        }
        if !keep {
            bytes.truncate(cut.index(bytes.len()) + 1);
        }
        let (records, faults) = lenient(&bytes);
        for fault in &faults {
            prop_assert!(fault.start <= fault.end && fault.end <= bytes.len() as u64, "{fault:?}");
        }
        let verdict = strict(&bytes);
        prop_assert_eq!(verdict.is_ok(), faults.is_empty(), "{:?} {:?}", verdict, faults);
        if let Ok(n) = verdict {
            prop_assert_eq!(n, records.len());
        }
    }

    /// A prefix of a file has no record that the file does not have, and no other payload's bytes.
    #[test]
    fn a_prefix_invents_nothing(which in 0usize..5, cut in any::<prop::sample::Index>()) {
        let whole = sample(which);
        let all = lenient(&whole).0;
        let some = lenient(&whole[..cut.index(whole.len())]).0;
        prop_assert!(some.len() <= all.len());
        for ((part, bytes), (record, payload)) in some.iter().zip(&all) {
            prop_assert_eq!((&part.kind, &part.uri, &part.fields), (&record.kind, &record.uri, &record.fields));
            // Without the end of its head a message has no body yet.
            prop_assert!(part.http.is_none() || payload.starts_with(bytes));
        }
    }

    /// The size of reads does not matter.
    #[test]
    fn steps_do_not_show(which in 0usize..5, step in 1usize..300) {
        let bytes = sample(which);
        let mut reader = Reader::new(Slow(&bytes, step), Mode::Lenient, Limits::default());
        let mut out = Vec::new();
        while let Ok(Some(record)) = reader.next_record() {
            let (mut payload, mut buffer) = (Vec::new(), vec![0; step]);
            let mut source = reader.payload();
            while let n @ 1.. = source.read(&mut buffer).unwrap() {
                payload.extend_from_slice(&buffer[..n]);
            }
            out.push((record, payload));
        }
        prop_assert_eq!((out, reader.take_faults()), lenient(&bytes));
    }
}

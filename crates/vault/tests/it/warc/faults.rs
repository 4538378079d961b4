//! Members, single faults, bounds.

use model::ProblemKind;
use vault::unpack::{Bounds, Codec};
use vault::warc::{Check, Fault, Kind, Limits, Mode, Reader};

use super::{Members, gz, http, lenient, members, read, record, sha1, strict};

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
    // Faults without end are listed up to a bound, and that is said.
    let many = [record("metadata", "", "", b""), b"junk\r\n\r\n".repeat(3)].concat();
    let broken: Vec<u8> =
        (0..12_000).flat_map(|_| [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0, 0xff]).collect();
    let (_, faults) = lenient(&[gz(&many), broken].concat());
    assert_eq!(faults.len(), 10_001);
    assert!(faults[10_000].message.starts_with("more faults"), "{}", faults[10_000]);
    // A bomb in what is no member counts too.
    let bomb = gz(&record("metadata", "", "", &vec![0; 3 << 20]));
    let all = [bomb, gz(&http("http://a.example/", "", b"x"))].concat();
    let bounds = Bounds { total: 1 << 20, ..Bounds::default() };
    let (found, problems) = members(&all, bounds);
    assert!(found.is_empty() && problems.iter().any(|p| p.kind == ProblemKind::Bound));
}

/// Who says of a record that it was cut has said what is missing.
#[test]
fn chunks_that_end_early_are_no_fault_where_the_record_says_so() {
    let head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".as_slice();
    for chunks in ["", "9", "9\r\nWiki", "4\r\nWiki\r\n", "4\r\nWiki\r\n0\r\n"] {
        let block = [head, chunks.as_bytes()].concat();
        let of = |more: &str| strict(&record("response", "http://a.example/", more, &block));
        assert_eq!(of("WARC-Truncated: length\r\n"), Ok(1), "{chunks:?}");
        assert_eq!(of("").is_err(), !chunks.is_empty(), "{chunks:?}");
    }
    let block = [head, b"4\r\nWiki\r\nx\r\n"].concat();
    let broken = record("response", "http://a.example/", "WARC-Truncated: length\r\n", &block);
    assert!(strict(&broken).is_err(), "cut is not broken");
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

//! What warcio, the field's own reader, finds in its own files.

use std::io::{Read, Write as _};
use std::path::{Path, PathBuf};

use vault::warc::{Limits, Mode, Reader};

use super::{sha1, strict};

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
    for section in format!("\n{}", include_str!("warcio.tsv")).split("\n=\t").skip(1) {
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
        if lines.ends_with("\n!") {
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

/// So many records, or a fault's field, its byte, and that of what is packed.
type Verdict = Result<usize, (Option<&'static str>, u64, Option<u64>)>;

/// The verdict of strict mode on each of them: whole, or the first fault's field and byte.
#[test]
fn strict_takes_what_is_right_and_names_what_is_not() {
    let Some(folder) = shared() else { return };
    let expected: &[(&str, Verdict)] = &[
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

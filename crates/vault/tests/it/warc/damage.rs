//! Laws that hold for any bytes.

use std::io::Read;

use proptest::prelude::*;
use vault::warc::{Limits, Mode, Reader};

use super::{gz, http, lenient, record, strict};

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

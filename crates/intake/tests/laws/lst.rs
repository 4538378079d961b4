//! Reseller lists (`reseller.lst`): `name=host` a line, after the line `#LST1`.

use model::{Fact, Key, Problem, ProblemKind, Value};

use crate::{Chunks, Confidence, Coverage, Input, Parser, Sink};

/// The parser.
pub const PARSER: Parser =
    Parser { name: "reseller-list", version: 1, about: "reseller.lst host lists", sniff, parse };

/// A line longer than this is a problem, not a host.
const LINE_BOUND: usize = 4096;

fn sniff(head: &[u8], _name: &str) -> Confidence {
    if head.starts_with(b"#LST1\n") { Confidence(90) } else { Confidence::NO }
}

fn parse(_input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let mut coverage = Coverage::default();
    loop {
        // A line, or what there is of one: the window grows no further than the bound.
        let at = chunks.offset();
        let window = chunks.fill(LINE_BOUND);
        if window.is_empty() {
            return coverage;
        }
        let end = window.iter().position(|b| *b == b'\n');
        let length = end.map_or(window.len(), |n| n + 1).min(LINE_BOUND);
        let line = &window[..end.unwrap_or(length).min(length)];
        let host = line.iter().position(|b| *b == b'=').map(|n| n + 1);
        let key = host.and_then(|n| Key::domain(std::str::from_utf8(&line[n..]).ok()?));
        if at == 0 || line.is_empty() {
            coverage.filler += length as u64;
        } else if let (Some(key), Some(host)) = (key, host) {
            out.fact(Fact {
                value: Value::Text(key.rest().to_owned()),
                subject: key,
                property: "as_written",
                start: at + host as u64,
                end: at + line.len() as u64,
            });
            coverage.read += length as u64;
        } else {
            out.problem(Problem {
                start: at,
                end: at + length as u64,
                kind: ProblemKind::Syntax,
                message: "expected name=host".to_owned(),
                lost: true,
            });
            coverage.lost += length as u64;
        }
        chunks.consume(length);
    }
}

//! The laws that every parser keeps, whatever its format.
//!
//! 1. No bytes make it panic.
//! 2. Bytes read + bytes lost + filler = bytes of the exhibit.
//! 3. Spans lie inside the exhibit.
//! 4. The size of reads does not matter.
//! 5. A prefix never invents: what is read of the first lines of an exhibit is read of the whole.
//!
//! Each parser has a sample below; a parser without one fails `every_parser_has_a_sample`.

#[allow(unreachable_pub)] // word for word what a parser's file looks like
mod lst;
mod samples;

use std::collections::HashSet;
use std::io::Read;

// The names that a parser's file takes from its crate; `lst` is the worked example of
// CONTRIBUTING.md, word for word.
use intake::{Chunks, Collect, Confidence, Coverage, Input, PARSERS, Parser, Sink};
use model::ExhibitId;
use proptest::prelude::*;

/// Gives its bytes in reads of at most `step`.
struct Dribble<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let n = self.step.min(buffer.len()).min(self.bytes.len());
        buffer[..n].copy_from_slice(&self.bytes[..n]);
        self.bytes = &self.bytes[n..];
        Ok(n)
    }
}

fn parse(parser: &Parser, name: &str, bytes: &[u8], step: usize) -> (Collect, Coverage) {
    let mut source = Dribble { bytes, step };
    let mut chunks = Chunks::new(&mut source);
    let mut out = Collect::default();
    let input = Input { exhibit: ExhibitId([9; 32]), name, mapping: None };
    let coverage = (parser.parse)(&input, &mut chunks, &mut out);
    (out, coverage)
}

/// Laws 1 to 4 on any bytes.
fn check(parser: &Parser, name: &str, bytes: &[u8]) -> Collect {
    let (out, coverage) = parse(parser, name, bytes, usize::MAX);
    assert_eq!(
        coverage.total(),
        bytes.len() as u64,
        "{}: {coverage:?} does not account for {} bytes",
        parser.name,
        bytes.len()
    );
    let inside = |start: u64, end: u64| start <= end && end <= bytes.len() as u64;
    for fact in &out.facts {
        assert!(inside(fact.start, fact.end), "{}: {fact:?} points outside", parser.name);
    }
    for problem in &out.problems {
        assert!(inside(problem.start, problem.end), "{}: {problem:?} points outside", parser.name);
    }
    for batch in &out.batches {
        assert!(batch.len() <= 65_536);
        let schema = &out.tables[batch.table as usize];
        assert_eq!(schema.columns.len(), batch.columns.len());
        for (start, end) in batch.starts.iter().zip(&batch.ends) {
            assert!(inside(*start, *end), "{}: a row points outside", parser.name);
        }
    }
    let (dribbled, same) = parse(parser, name, bytes, 7);
    assert_eq!(same, coverage, "{}: the size of reads changed the account", parser.name);
    assert_eq!(dribbled.facts, out.facts, "{}: the size of reads changed facts", parser.name);
    assert_eq!(dribbled.tables, out.tables);
    assert_eq!(dribbled.batches, out.batches, "{}: the size of reads changed rows", parser.name);
    assert_eq!(dribbled.problems, out.problems);
    out
}

fn all() -> impl Iterator<Item = (&'static Parser, &'static str, &'static [u8])> {
    samples::SAMPLES.iter().map(|(parser, name, bytes)| {
        let parser = PARSERS
            .iter()
            .chain([&lst::PARSER])
            .find(|p| p.name == *parser)
            .unwrap_or_else(|| panic!("no parser is called {parser}"));
        (parser, *name, *bytes)
    })
}

#[test]
fn every_parser_has_a_sample() {
    for parser in PARSERS {
        assert!(
            samples::SAMPLES.iter().any(|(name, ..)| *name == parser.name),
            "give {} a sample in crates/intake/tests/laws/samples.rs",
            parser.name
        );
    }
    let names: HashSet<_> = PARSERS.iter().map(|p| p.name).collect();
    assert_eq!(names.len(), PARSERS.len(), "two parsers share a name");
}

#[test]
fn samples_are_recognised_and_read() {
    for (parser, name, bytes) in all() {
        if parser.name != lst::PARSER.name {
            let chosen = intake::choose(&bytes[..bytes.len().min(65_536)], name);
            assert_eq!(chosen.map(|p| p.name), Some(parser.name), "{name} is taken for another");
        }
        let out = check(parser, name, bytes);
        assert!(
            !out.facts.is_empty() || out.batches.iter().any(|b| !b.is_empty()),
            "{}: nothing was read from {name}",
            parser.name
        );
        for fact in &out.facts {
            assert!(model::kinds::allowed(fact), "{}: {fact:?}", parser.name);
        }
    }
}

#[test]
fn a_prefix_never_invents() {
    for (parser, name, bytes) in all() {
        let (whole, _) = parse(parser, name, bytes, usize::MAX);
        let subjects: HashSet<_> =
            whole.facts.iter().map(|f| (f.subject.as_str(), f.property, f.value.text())).collect();
        let ends = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1);
        for cut in ends {
            let (out, _) = parse(parser, name, &bytes[..cut], usize::MAX);
            for fact in &out.facts {
                // What touches the cut may be read short; what stands before it may not change.
                if fact.end + 1 >= cut as u64
                    || samples::DECIDED_AT_THE_END.contains(&fact.property)
                {
                    continue;
                }
                assert!(
                    subjects.contains(&(fact.subject.as_str(), fact.property, fact.value.text())),
                    "{} of {name}: cut at {cut}, it invents {fact:?}",
                    parser.name
                );
            }
        }
    }
}

#[test]
fn the_worked_example_is_the_one_in_contributing() {
    let guide = std::fs::read_to_string(
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../CONTRIBUTING.md"),
    )
    .unwrap();
    let code = include_str!("lst.rs");
    assert!(guide.contains(code), "CONTRIBUTING.md shows another lst.rs than the one tested here");
}

/// A sample with some of its bytes changed, cut out, doubled or replaced by a delimiter.
fn mutated() -> impl Strategy<Value = (usize, Vec<u8>)> {
    let edit = (any::<prop::sample::Index>(), 0usize..4, any::<u8>(), 1usize..200);
    (0..samples::SAMPLES.len(), prop::collection::vec(edit, 1..8)).prop_map(|(which, edits)| {
        let mut bytes = samples::SAMPLES[which].2.to_vec();
        for (at, how, byte, length) in edits {
            if bytes.is_empty() {
                break;
            }
            let at = at.index(bytes.len());
            let end = (at + length).min(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => {
                    bytes.drain(at..end);
                }
                2 => {
                    let piece = bytes[at..end].to_vec();
                    bytes.splice(at..at, piece);
                }
                _ => bytes[at] = b"'\"`\\(),;\n<>{}[]:#\0\xff&"[usize::from(byte) % 20],
            }
        }
        (which, bytes)
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 200, ..ProptestConfig::default() })]

    #[test]
    fn mutated_samples_keep_the_laws((which, bytes) in mutated()) {
        let (parser, name, _) = all().nth(which).unwrap();
        check(parser, name, &bytes);
    }

    #[test]
    fn arbitrary_bytes_keep_the_laws(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for (parser, name, _) in all() {
            check(parser, name, &bytes);
        }
    }
}

//! All parsers held to the laws of `src/laws.rs`, from outside, by samples.
//!
//! Each parser has a sample; a parser without one fails `every_parser_has_a_sample`.

// The checks that the parsers' own tests use too.
#[allow(dead_code)] // not all of them here
#[path = "../../src/laws.rs"]
mod laws;
#[allow(unreachable_pub)] // word for word what a parser's file looks like
mod lst;
mod samples;

use std::collections::HashSet;

// The names that a parser's file takes from its crate; `lst` is the worked example of
// CONTRIBUTING.md, word for word.
use intake::{Chunks, Collect, Confidence, Coverage, Input, PARSERS, Parser, Sink};
use laws::{hold_as, run_as};
use proptest::prelude::*;

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
        let out = hold_as(parser, name, bytes);
        assert!(
            !out.facts.is_empty() || out.batches.iter().any(|b| !b.is_empty()),
            "{}: nothing was read from {name}",
            parser.name
        );
    }
}

#[test]
fn a_prefix_never_invents() {
    for (parser, name, bytes) in all() {
        let (whole, _) = run_as(parser, name, bytes, bytes.len().max(1));
        let subjects: HashSet<_> =
            whole.facts.iter().map(|f| (f.subject.as_str(), f.property, f.value.text())).collect();
        let ends = (0..bytes.len()).filter(|at| bytes[*at] == b'\n').map(|at| at + 1);
        for cut in ends {
            let (out, _) = run_as(parser, name, &bytes[..cut], cut);
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
        hold_as(parser, name, &bytes);
    }

    #[test]
    fn arbitrary_bytes_keep_the_laws(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        for (parser, name, _) in all() {
            hold_as(parser, name, &bytes);
        }
    }
}

//! The laws every parser keeps, as checks that tests of any parser call:
//!
//! 1. No bytes make it panic.
//! 2. Bytes read + bytes lost + filler = bytes of the exhibit; what is lost is said.
//! 3. Spans lie inside the exhibit.
//! 4. The size of reads does not matter.
//! 5. A prefix never invents.
//!
//! `tests/laws` includes this file, to hold all of [`crate::PARSERS`] to them from outside.

use std::path::PathBuf;

use model::{ExhibitId, Fact, Value};

use crate::{Chunks, Collect, Coverage, Input, Parser};

/// Runs a parser over bytes that come `step` at a time.
pub(crate) fn run(parser: &Parser, bytes: &[u8], step: usize) -> (Collect, Coverage) {
    run_as(parser, "test", bytes, step)
}

/// As [`run`], of a file of this name.
pub(crate) fn run_as(
    parser: &Parser,
    name: &str,
    bytes: &[u8],
    step: usize,
) -> (Collect, Coverage) {
    let mut source = bytes;
    let mut out = Collect::default();
    let input = Input { exhibit: ExhibitId([0xab; 32]), name, mapping: None };
    let mut coverage = (parser.parse)(&input, &mut Chunks::in_steps(&mut source, step), &mut out);
    coverage.lose(out.lost);
    (out, coverage)
}

/// Laws 1 to 4, and the registry's words.
pub(crate) fn hold(parser: &Parser, bytes: &[u8]) -> Collect {
    hold_as(parser, "test", bytes)
}

/// As [`hold`], of a file of this name.
pub(crate) fn hold_as(parser: &Parser, name: &str, bytes: &[u8]) -> Collect {
    let size = bytes.len() as u64;
    let (out, coverage) = run_as(parser, name, bytes, bytes.len().max(1));
    assert_eq!(
        coverage.total(),
        size,
        "{parser:?}: {coverage:?} does not account for {size} bytes"
    );
    let told: u64 = out.problems.iter().filter(|p| p.lost).map(|p| p.end - p.start).sum();
    assert!(coverage.lost == 0 || told > 0, "{parser:?} loses in silence");
    for problem in &out.problems {
        assert!(problem.start <= problem.end && problem.end <= size, "{parser:?}: {problem:?}");
        assert!(!problem.message.is_empty());
    }
    for fact in &out.facts {
        assert!(fact.start <= fact.end && fact.end <= size, "{parser:?}: {fact:?}");
        assert!(model::kinds::allowed(fact), "{parser:?}: {fact:?}");
    }
    for batch in &out.batches {
        assert!(batch.len() <= 65_536);
        assert_eq!(out.tables[batch.table as usize].columns.len(), batch.columns.len());
        for (start, end) in batch.starts.iter().zip(&batch.ends) {
            assert!(start < end && *end <= size, "{parser:?}: a row points outside");
        }
        assert!(batch.columns.iter().all(|c| match c {
            model::ColumnData::Int(v) => v.len() == batch.len(),
            model::ColumnData::Text(v) => v.valid.len() == batch.len(),
            _ => true,
        }));
    }
    for step in [1, 13] {
        let (again, same) = run_as(parser, name, bytes, step);
        assert!(again.facts == out.facts, "{parser:?}: other facts in pieces of {step}");
        assert_eq!(again.problems, out.problems, "{parser:?}: other problems in pieces of {step}");
        assert!(again.tables == out.tables, "{parser:?}: other tables in pieces of {step}");
        assert!(again.batches == out.batches, "{parser:?}: other rows in pieces of {step}");
        assert_eq!(same, coverage, "{parser:?}: other coverage in pieces of {step}");
    }
    out
}

/// The bytes that a fact's span points at.
pub(crate) fn raw<'b>(bytes: &'b [u8], fact: &Fact) -> &'b [u8] {
    &bytes[fact.start as usize..fact.end as usize]
}

/// What a prefix states, the whole states too, but for what stands at the very end of the prefix
/// (`tail` bytes before the cut), where a value may have been cut in a format without terminators.
pub(crate) fn prefix(parser: &Parser, bytes: &[u8], cut: usize, tail: usize) {
    let cut = cut.min(bytes.len());
    let (whole, _) = run(parser, bytes, bytes.len().max(1));
    let (part, _) = run(parser, &bytes[..cut], bytes.len().max(1));
    let known: std::collections::HashSet<String> =
        whole.facts.iter().map(|f| format!("{f:?}")).collect();
    for fact in &part.facts {
        assert!(
            fact.end as usize + tail > cut || known.contains(&format!("{fact:?}")),
            "{parser:?} invents {fact:?} at a cut of {cut}"
        );
    }
}

/// Changes bytes at places drawn from `seed`, as damage does.
pub(crate) fn damaged(bytes: &[u8], seed: u64) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut draw = |n: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % n.max(1) as u64) as usize
    };
    for _ in 0..1 + draw(12) {
        if out.is_empty() {
            break;
        }
        let at = draw(out.len());
        match draw(5) {
            0 => out[at] = draw(256) as u8,
            1 => out[at] = b"\n\r\",:#=<>{}[]\\"[draw(14)],
            2 => {
                let end = (at + draw(40)).min(out.len());
                out.drain(at..end);
            }
            3 => {
                let piece: Vec<u8> = out[at..(at + draw(60)).min(out.len())].to_vec();
                let to = draw(out.len());
                out.splice(to..to, piece);
            }
            _ => out.truncate(at.max(out.len() / 2)),
        }
    }
    out
}

/// A folder of shared fixtures; `None`, said aloud, where it is absent.
#[allow(clippy::print_stderr)]
pub(crate) fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("VIGIE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let found = root.join(path);
    if found.exists() {
        return Some(found);
    }
    eprintln!("SKIPPED: {} is absent", found.display());
    None
}

/// The files of a folder, sorted, with their bytes.
pub(crate) fn files(folder: &std::path::Path) -> Vec<(String, Vec<u8>)> {
    let mut out = Vec::new();
    let Ok(entries) = std::fs::read_dir(folder) else { return out };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_file()
            && let Ok(bytes) = std::fs::read(&path)
        {
            out.push((entry.file_name().to_string_lossy().into_owned(), bytes));
        }
    }
    out.sort();
    out
}

/// No text that any fact shows holds the word.
pub(crate) fn never_shows(out: &Collect, word: &str) {
    for fact in &out.facts {
        let shown = fact.value != Value::Secret
            && (fact.value.text().contains(word) || fact.subject.as_str().contains(word));
        assert!(!shown, "a secret shows in {fact:?}");
    }
    assert!(out.problems.iter().all(|p| !p.message.contains(word)));
}

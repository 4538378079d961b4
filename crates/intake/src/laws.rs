//! The laws every parser keeps, as checks that tests of any parser call.

use std::path::PathBuf;

use model::{ExhibitId, Fact, Value};

use crate::chunks::Chunks;
use crate::parser::{Coverage, Input, Parser};
use crate::sink::Collect;

/// Runs a parser over bytes that come `step` at a time.
pub(crate) fn run(parser: &Parser, bytes: &[u8], step: usize) -> (Collect, Coverage) {
    let mut source = bytes;
    let mut out = Collect::default();
    let input = Input { exhibit: ExhibitId([0xab; 32]), name: "test", mapping: None };
    let coverage = (parser.parse)(&input, &mut Chunks::in_steps(&mut source, step), &mut out);
    (out, coverage)
}

/// Every byte is accounted for, every span lies in the exhibit, lost problems are bytes lost, every
/// text fact of plain bytes stands where its span says, no secret shows, and the size of the pieces
/// that bytes come in changes nothing.
pub(crate) fn hold(parser: &Parser, bytes: &[u8]) -> Collect {
    let (out, coverage) = run(parser, bytes, bytes.len().max(1));
    assert_eq!(coverage.total(), bytes.len() as u64, "{parser:?}: coverage {coverage:?}");
    assert!(
        coverage.lost == 0 || out.problems.iter().any(|p| p.lost),
        "{parser:?} loses in silence"
    );
    for problem in &out.problems {
        assert!(problem.start <= problem.end && problem.end <= bytes.len() as u64, "{problem:?}");
        assert!(!problem.message.is_empty());
    }
    for fact in &out.facts {
        assert!(fact.start <= fact.end && fact.end <= bytes.len() as u64, "{fact:?}");
        assert!(model::kinds::allowed(fact), "{fact:?}");
    }
    for batch in &out.batches {
        for (start, end) in batch.starts.iter().zip(&batch.ends) {
            assert!(start < end && *end <= bytes.len() as u64);
        }
        assert!(batch.columns.iter().all(|c| match c {
            model::ColumnData::Int(v) => v.len() == batch.len(),
            model::ColumnData::Text(v) => v.valid.len() == batch.len(),
            _ => true,
        }));
    }
    for step in [1, 13] {
        let (again, same) = run(parser, bytes, step);
        assert!(again.facts == out.facts, "{parser:?}: other facts in pieces of {step}");
        assert_eq!(again.problems, out.problems, "{parser:?}: other problems in pieces of {step}");
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

//! Every parser on bytes of no kind. What begins with a control character is read by the parser of
//! that number, so that none is spared what it would not have chosen; anything else by the parser
//! that is chosen for it, so that samples serve as seeds as they are. The laws: no panic; bytes are
//! accounted for, and loss is told; spans lie inside; the size of reads does not matter.
#![no_main]

use intake::{Chunks, Collect, Coverage, Input, PARSERS, Parser};
use libfuzzer_sys::fuzz_target;
use model::ExhibitId;

/// Parsers are numbered below this: no format begins with one of these bytes but by its blanks.
const NUMBERS: u8 = 0x20;

fn parser_for(bytes: &[u8]) -> Option<(&'static Parser, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    if *first < NUMBERS {
        return PARSERS.get(usize::from(*first)).map(|parser| (parser, rest));
    }
    intake::choose(bytes, "fuzz").map(|parser| (parser, bytes))
}

fn read(parser: &Parser, bytes: &[u8], step: usize) -> (Collect, Coverage) {
    let mut source = bytes;
    let mut out = Collect::default();
    let input = Input { exhibit: ExhibitId([9; 32]), name: "fuzz", mapping: None };
    let mut coverage = (parser.parse)(&input, &mut Chunks::in_steps(&mut source, step), &mut out);
    coverage.lose(out.lost);
    (out, coverage)
}

fuzz_target!(|bytes: &[u8]| {
    let Some((parser, bytes)) = parser_for(bytes) else { return };
    let (out, coverage) = read(parser, bytes, 1 << 16);
    let size = bytes.len() as u64;
    assert_eq!(coverage.total(), size, "{}: bytes are not accounted for", parser.name);
    let told = out.problems.iter().any(|p| p.lost);
    assert!(coverage.lost == 0 || told, "{}: loss in silence", parser.name);
    let rows = out.batches.iter().flat_map(|b| b.starts.iter().zip(&b.ends));
    let spans = rows
        .map(|(start, end)| (*start, *end))
        .chain(out.facts.iter().map(|f| (f.start, f.end)))
        .chain(out.problems.iter().map(|p| (p.start, p.end)));
    for (start, end) in spans {
        assert!(start <= end && end <= size, "{}: a span points outside", parser.name);
    }
    // Twice the work, so for some inputs only.
    if bytes.len() < 1024 && bytes.len() % 4 == 0 {
        let (again, same) = read(parser, bytes, 7);
        assert_eq!(same, coverage, "{}: the size of reads changes the account", parser.name);
        assert_eq!(again.facts, out.facts, "{}: the size of reads changes facts", parser.name);
        assert_eq!(again.problems, out.problems, "{}", parser.name);
        assert!(again.batches == out.batches, "{}: the size of reads changes rows", parser.name);
    }
});

//! Every parser on bytes of no kind. What begins with a control character is read by the parser of
//! that number, so that none is spared what it would not have chosen; anything else by the parser
//! that is chosen for it, so that samples serve as seeds as they are. Beyond no panic, the account of
//! bytes must sum and spans must lie inside.
#![no_main]

use intake::{Chunks, Collect, Input, PARSERS, Parser};
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

fuzz_target!(|bytes: &[u8]| {
    let Some((parser, bytes)) = parser_for(bytes) else { return };
    let mut source = bytes;
    let mut chunks = Chunks::new(&mut source);
    let mut out = Collect::default();
    let input = Input { exhibit: ExhibitId([9; 32]), name: "fuzz", mapping: None };
    let coverage = (parser.parse)(&input, &mut chunks, &mut out);
    let size = bytes.len() as u64;
    assert_eq!(coverage.total(), size, "{}: bytes are not accounted for", parser.name);
    for (start, end) in out
        .facts
        .iter()
        .map(|f| (f.start, f.end))
        .chain(out.problems.iter().map(|p| (p.start, p.end)))
        .chain(out.batches.iter().flat_map(|b| b.starts.iter().copied().zip(b.ends.iter().copied())))
    {
        assert!(start <= end && end <= size, "{}: a span points outside", parser.name);
    }
});

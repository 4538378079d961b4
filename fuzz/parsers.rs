//! Every parser on bytes of no kind. The first byte chooses the parser, so that one binary and one
//! corpus serve all; beyond no panic, the account of bytes must sum and spans must lie inside.
#![no_main]

use intake::{Chunks, Collect, Input, PARSERS};
use libfuzzer_sys::fuzz_target;
use model::ExhibitId;

fuzz_target!(|bytes: &[u8]| {
    let Some((which, bytes)) = bytes.split_first() else { return };
    let Some(parser) = PARSERS.get(usize::from(*which) % PARSERS.len().max(1)) else { return };
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

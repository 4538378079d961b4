//! Where a tokenizer's bytes come from.

use crate::chunks::Chunks;

/// A window over bytes, streaming or all at hand.
pub(super) enum Source<'c, 's> {
    Chunks(&'c mut Chunks<'s>),
    Slice { bytes: &'c [u8], at: usize, base: u64 },
}

impl Source<'_, '_> {
    pub(super) fn window(&mut self) -> &[u8] {
        match self {
            Self::Chunks(chunks) => chunks.window(),
            Self::Slice { bytes, at, .. } => &bytes[*at..],
        }
    }
    pub(super) fn more(&mut self) -> bool {
        match self {
            Self::Chunks(chunks) => chunks.more(),
            Self::Slice { .. } => false,
        }
    }
    pub(super) fn at_bound(&self) -> bool {
        match self {
            Self::Chunks(chunks) => chunks.at_bound(),
            Self::Slice { .. } => false,
        }
    }
    pub(super) fn consume(&mut self, n: usize) {
        match self {
            Self::Chunks(chunks) => chunks.consume(n),
            Self::Slice { at, .. } => *at += n,
        }
    }
    pub(super) fn offset(&self) -> u64 {
        match self {
            Self::Chunks(chunks) => chunks.offset(),
            Self::Slice { at, base, .. } => *base + *at as u64,
        }
    }
}

//! Material becomes facts.
//!
//! A parser is one file: a sniffer, a streaming `parse`, a constant; and one line in [`PARSERS`].
//! Invariants: no I/O, no clock, no global state, no panic on any bytes; every value has the span it
//! was read from; bounded memory; what could not be read is a located [`model::Problem`]; bytes
//! read + bytes lost + filler = bytes of the exhibit.

pub mod checksums;
pub mod chunks;
pub mod filetype;
pub mod hosts;
pub mod json;
pub mod m3u;
pub mod magnet;
pub mod names;
pub mod parser;
pub mod release;
pub mod scan;
pub mod sink;
pub mod torrent;
pub mod xtream_url;

#[cfg(test)]
mod laws;

pub use chunks::Chunks;
pub use parser::{Confidence, Coverage, Input, Parser};
pub use sink::{Collect, Job, Sink};

/// Every parser. Order decides between equals: the earlier wins.
pub const PARSERS: &[Parser] =
    &[m3u::PARSER, torrent::PARSER, hosts::PARSER, release::PARSER, scan::PARSER];

/// The parser that is surest of an exhibit, by its first 64 KiB and its name.
pub fn choose(head: &[u8], name: &str) -> Option<&'static Parser> {
    let mut best: Option<(&'static Parser, Confidence)> = None;
    for parser in PARSERS {
        let sure = (parser.sniff)(head, name);
        if sure > Confidence::NO && best.is_none_or(|(_, so_far)| sure > so_far) {
            best = Some((parser, sure));
        }
    }
    best.map(|(parser, _)| parser)
}

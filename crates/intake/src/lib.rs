//! Material becomes facts.
//!
//! A parser is one file: a sniffer, a streaming `parse`, a constant; and one line in [`PARSERS`].
//! Invariants: no I/O, no clock, no global state, no panic on any bytes; every value has the span it
//! was read from; bounded memory; what could not be read is a located [`model::Problem`]; bytes
//! read + bytes lost + filler = bytes of the exhibit.

pub mod amounts;
pub mod camt;
pub mod chats;
pub mod checksums;
pub mod chunks;
pub mod csv;
pub mod dump;
pub mod filetype;
pub mod hls;
pub mod hosts;
pub mod json;
pub mod m3u;
pub mod magnet;
pub mod names;
mod panel;
pub mod parser;
pub mod payments;
pub mod paypal;
pub mod programmes;
pub mod release;
pub mod rows;
pub mod scan;
pub mod sink;
pub mod tables;
pub mod telegram;
pub mod torrent;
pub mod whatsapp;
pub mod xlsx;
pub mod xml;
pub mod xmltv;
pub mod xtream_api;
pub mod xtream_url;

#[cfg(test)]
mod laws;

pub use chunks::Chunks;
pub use parser::{Confidence, Coverage, Input, Parser};
pub use sink::{Collect, Job, MappingFit, Sink};

/// Every parser. Order decides between equals: the earlier wins.
#[rustfmt::skip] // one line a parser
pub const PARSERS: &[Parser] = &[
    m3u::PARSER,
    paypal::PARSER,
    camt::PARSER,
    telegram::PARSER,
    hls::PARSER,
    whatsapp::PARSER,
    dump::PARSER,
    xtream_api::PARSER,
    xlsx::PARSER,
    torrent::PARSER,
    xmltv::PARSER,
    hosts::PARSER,
    release::PARSER,
    tables::CSV,
    scan::PARSER,
];

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

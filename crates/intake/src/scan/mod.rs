//! Indicators in arbitrary bytes, each with the span it was read from: in UTF-8, latin1 and UTF-16.
//!
//! What counts, and what does not:
//! - **Domain**: labels under a known public suffix or a reserved test name ([`model::suffix`]).
//!   Where the last label is also a common file ending or a word of code (`.py`, `.sh`, `.name`, …;
//!   `host::AMBIGUOUS`), the name needs a sign that it is one: a scheme, `www.`, a port or a path
//!   behind it, or a word like `host` or `server` before it. In files that are not people's words to
//!   people the same sign is asked for under most suffixes, since code is full of dotted words:
//!   without one count the reserved names, `host::PLAIN` (`.com`, `.net`, …), and in text also the
//!   countries' suffixes. A name inside a path is a file.
//! - **URL**: its host is the mention, spanned without port and path. Bare names and addresses
//!   inside the rest of a URL are not mentions; URLs, e-mail addresses and wallets there are.
//!   Links of messengers (`t.me/name`, `wa.me/number`) name the account and not the messenger's host.
//! - **IpAddress**: four decimal octets without leading zeros that are not a version number (no `v`,
//!   `version` or `Product/` before, no fifth number, not `n.0.0.0`, and outside of people's words not
//!   all below 32, as sections and object identifiers are, unless a port or mask follows); IPv6 in global unicast, unique
//!   local or link-local space. Private ones are named only where the exhibit is known.
//! - **EmailAddress**: its host is not a mention besides.
//! - **PhoneNumber**: international form, `+`, a country's calling code, 8 to 15 digits.
//! - **Device**: six pairs of hexadecimal digits, one separator throughout, or Cisco's three groups.
//! - **BankAccount**, **CryptoWallet**: checksums hold ([`crate::checksums`]).
//! - **MessagingAccount**: links, and `@name` of 5 to 32 characters. In free text a bare `@name` is
//!   Telegram's unless another service's word stands before it; in other bytes a service's word must.
//! - **Swarm**: `magnet:` links and their info-hashes.
//!
//! An indicator stands in a run of at least 12 printable characters, or is the whole text: short
//! names by chance in binary junk do not count.

mod anchor;
mod handle;
mod host;
mod number;
mod stream;
mod text;
mod wide;

use std::ops::Range;

use model::{ExhibitId, Key};

pub use stream::PARSER;
pub(crate) use text::Coding;

/// Calls `f` with each indicator in a free text (a note, a message): its key, its span (`base` is
/// the offset of `text`'s first byte in the exhibit), and the text as written.
///
/// `text` is UTF-8, or latin1 where it is not valid UTF-8. Spans never overlap and come in order.
/// Private, loopback and carrier addresses are not named: without their exhibit they name nothing.
pub fn mentions(text: &[u8], base: u64, f: &mut dyn FnMut(Key, Range<u64>, &str)) {
    mentions_of(text, base, None, f);
}

/// [`mentions`], with private addresses named as the exhibit's own.
pub fn mentions_in(
    text: &[u8],
    base: u64,
    exhibit: ExhibitId,
    f: &mut dyn FnMut(Key, Range<u64>, &str),
) {
    mentions_of(text, base, Some(exhibit), f);
}

fn mentions_of(
    text: &[u8],
    base: u64,
    exhibit: Option<ExhibitId>,
    f: &mut dyn FnMut(Key, Range<u64>, &str),
) {
    let rules = Rules { exhibit, ground: Ground::People, coding: Coding::Narrow };
    let mut walker = anchor::Walker::default();
    walker.walk(&rules, text, true, &mut |hit| {
        let range = base + hit.range.start as u64..base + hit.range.end as u64;
        f(hit.key, range, &text::decode(&text[hit.range], Coding::Narrow));
    });
}

/// Where bytes come from: the less people's words they are, the more signs a bare name needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ground {
    /// What people wrote to people.
    People,
    /// Other text: logs, pages, configurations.
    Text,
    /// Programs, their sources, and anything else.
    Binary,
}

/// What the finders are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The exhibit, if private addresses are to be named.
    pub(crate) exhibit: Option<ExhibitId>,
    /// Where the bytes come from.
    pub(crate) ground: Ground,
    /// How bytes beyond ASCII are read.
    pub(crate) coding: Coding,
}

/// An indicator found in a buffer.
#[derive(Debug)]
pub(crate) struct Hit {
    pub(crate) key: Key,
    /// Where it stands in the buffer.
    pub(crate) range: Range<usize>,
    /// For the host of a URL or the info-hash of a magnet link: the whole.
    pub(crate) url: Option<Range<usize>>,
}

#[cfg(test)]
mod tests;

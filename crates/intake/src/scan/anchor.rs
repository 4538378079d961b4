//! The walk: from one anchor character to the next, and over long runs of letters and digits.

use std::ops::Range;

use super::{Hit, Rules, handle, host, number, text};

/// How far behind an anchor a finder looks, in bytes.
pub(crate) const BACK: usize = 512;
/// How far ahead of an anchor a finder looks, in bytes. A URL's authority takes 512 at most, what
/// follows 2,048.
pub(crate) const AHEAD: usize = 3072;

/// What a finder sees: the buffer, and where it may start.
#[derive(Debug, Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) bytes: &'a [u8],
    /// Bytes before this belong to an indicator already found.
    pub(crate) floor: usize,
    /// Bytes before this are part of a URL already found.
    pub(crate) quiet: usize,
    /// The buffer begins where the text begins.
    pub(crate) first: bool,
    /// The buffer ends where the text ends.
    pub(crate) ended: bool,
}

impl View<'_> {
    /// The byte before `at`; 0 at the text's beginning.
    pub(crate) fn prev(&self, at: usize) -> u8 {
        at.checked_sub(1).map_or(0, |i| self.bytes[i])
    }

    /// The byte at `at`; 0 at the text's end.
    pub(crate) fn at(&self, at: usize) -> u8 {
        self.bytes.get(at).copied().unwrap_or(0)
    }

    /// Whether the range stands in text and not in junk.
    pub(crate) fn in_text(&self, range: &Range<usize>) -> bool {
        text::in_text(self.bytes, range, self.rules.coding, self.first, self.ended)
    }
}

/// What a finder found.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) hit: Option<Hit>,
    /// Where the walk goes on.
    pub(crate) resume: usize,
    /// Bare names and addresses before this are part of a URL and do not count.
    pub(crate) quiet: usize,
}

/// Walks over a buffer that slides over the text: [`Walker::shift`] when its front is dropped.
#[derive(Debug, Default)]
pub(crate) struct Walker {
    /// The first byte whose anchor has not been looked at.
    pos: usize,
    /// Bytes before this belong to an indicator already found.
    floor: usize,
    quiet: usize,
    /// The first byte whose word has not been looked at.
    run: usize,
    slid: bool,
}

const ANCHOR: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    let anchors = b".:@+-%";
    while i < anchors.len() {
        table[anchors[i] as usize] = true;
        i += 1;
    }
    table
};

/// Letters, digits and spaces: what IBANs and wallets are written in.
const PLAIN: [bool; 256] = {
    let mut table = [false; 256];
    let mut i = 0;
    while i < 256 {
        table[i] = (i as u8).is_ascii_alphanumeric() || i == 0x20;
        i += 1;
    }
    table
};

/// The shortest run that can hold an IBAN or a wallet.
const RUN: usize = 15;
/// The longest word of letters and digits that a finder wants to see whole.
const WORD: usize = 128;

impl Walker {
    /// Looks at all of the buffer but its last [`AHEAD`] bytes; at all where the text ends with it.
    /// Gives the hits of this call in order. Returns how many bytes at the front may be dropped.
    pub(crate) fn walk(
        &mut self,
        rules: &Rules,
        bytes: &[u8],
        ended: bool,
        emit: &mut dyn FnMut(Hit),
    ) -> usize {
        let limit = if ended { bytes.len() } else { bytes.len().saturating_sub(AHEAD) };
        let mut hits = Vec::new();
        self.anchors(rules, bytes, ended, limit, &mut hits);
        let by_anchor = hits.len();
        self.runs(bytes, ended, limit, &mut hits);
        if hits.len() > by_anchor {
            let words = hits.split_off(by_anchor);
            let clear = |word: &Hit, hits: &[Hit]| {
                let next = hits.partition_point(|hit| hit.range.end <= word.range.start);
                hits.get(next).is_none_or(|hit| hit.range.start >= word.range.end)
            };
            let free: Vec<Hit> = words.into_iter().filter(|word| clear(word, &hits)).collect();
            hits.extend(free);
            hits.sort_by_key(|hit| hit.range.start);
        }
        hits.into_iter().for_each(emit);
        self.pos.min(self.run).min(limit).saturating_sub(BACK)
    }

    /// Tells that `n` bytes at the buffer's front were dropped.
    pub(crate) fn shift(&mut self, n: usize) {
        self.pos -= n;
        self.run -= n;
        self.floor = self.floor.saturating_sub(n);
        self.quiet = self.quiet.saturating_sub(n);
        self.slid |= n > 0;
    }

    fn anchors(
        &mut self,
        rules: &Rules,
        bytes: &[u8],
        ended: bool,
        limit: usize,
        hits: &mut Vec<Hit>,
    ) {
        while let Some(step) = bytes
            .get(self.pos..limit)
            .and_then(|rest| rest.iter().position(|b| ANCHOR[usize::from(*b)]))
        {
            let at = self.pos + step;
            let view = View {
                rules,
                bytes,
                floor: self.floor,
                quiet: self.quiet,
                first: !self.slid,
                ended,
            };
            let found = self.at_anchor(&view, at);
            self.pos = at + 1;
            if let Some(found) = found {
                self.pos = found.resume.max(at + 1);
                self.quiet = self.quiet.max(found.quiet);
                if let Some(hit) = found.hit {
                    self.floor = hit.range.end;
                    hits.push(hit);
                }
            }
        }
        self.pos = self.pos.max(limit);
    }

    fn at_anchor(&self, view: &View<'_>, at: usize) -> Option<Found> {
        let quiet = at < self.quiet;
        match view.bytes[at] {
            b':' => host::url(view, at)
                .or_else(|| handle::info_hash(view, at))
                .or_else(|| number::mac(view, at))
                .or_else(|| if quiet { None } else { number::ipv6(view, at) }),
            b'.' if quiet => None,
            b'.' => number::ipv4(view, at)
                .or_else(|| number::mac_dotted(view, at))
                .or_else(|| host::bare(view, at)),
            b'@' => host::email(view, at)
                .or_else(|| if quiet { None } else { handle::at_name(view, at) }),
            b'+' => number::phone(view, at),
            // `-` between pairs, `%3A` for a colon inside URLs and cookies.
            _ => number::mac(view, at),
        }
    }

    fn runs(&mut self, bytes: &[u8], ended: bool, limit: usize, hits: &mut Vec<Hit>) {
        let mut q = self.run;
        while q < limit {
            // A run of 15 that begins at q or later covers its last byte; else it begins behind it.
            let Some(window) = bytes.get(q..q + RUN) else {
                q = limit;
                break;
            };
            if let Some(gap) = window.iter().rposition(|b| !PLAIN[usize::from(*b)]) {
                q += gap + 1;
                continue;
            }
            let mut end = q + RUN;
            while end < bytes.len() && PLAIN[usize::from(bytes[end])] {
                end += 1;
            }
            while q < end && q < limit {
                q = word(bytes, q, end, ended, hits);
            }
        }
        self.run = q;
    }
}

/// Looks at the word that begins at or after `q` in a run that ends at `end`; returns where the
/// next may begin.
fn word(bytes: &[u8], q: usize, end: usize, ended: bool, hits: &mut Vec<Hit>) -> usize {
    if bytes[q] == b' ' {
        return q + 1;
    }
    let len = bytes[q..end]
        .iter()
        .take(WORD + 1)
        .position(|b| *b == b' ')
        .unwrap_or_else(|| (end - q).min(WORD + 1));
    let start_clear = q == 0 || !text::is_word(bytes[q - 1]) && bytes[q - 1] != b'_';
    if len > WORD {
        // Too long to be anything: on to its end, or to as far as is seen.
        let rest = bytes[q..end].iter().position(|b| *b == b' ').unwrap_or(end - q);
        return q + rest;
    }
    if start_clear && let Some(hit) = number::word(bytes, q, len, ended) {
        let next = hit.range.end;
        hits.push(hit);
        return next;
    }
    q + len
}

//! Which dialect a file is written in.

use super::decode::Encoding;
use super::split::{Dialect, Raw, Split, split};

/// How many records of the head are tried with each delimiter.
const TRIED: usize = 50;

/// Bytes that precede the first record: a byte order mark, and the `sep=;` line that Excel writes.
pub(super) fn preamble(head: &[u8]) -> usize {
    let (encoding, mark) = Encoding::detect(head);
    sep_line(head, encoding, mark).map_or(mark, |(_, end)| end)
}

/// The delimiter a `sep=` line names, and where the line ends.
fn sep_line(head: &[u8], encoding: Encoding, mark: usize) -> Option<(u8, usize)> {
    let w = encoding.width();
    let unit = |i: usize| encoding.unit(head, mark + i * w);
    for (i, c) in b"sep=".iter().enumerate() {
        if unit(i)? | 0x20 != u16::from(*c) | 0x20 {
            return None;
        }
    }
    let delimiter = u8::try_from(unit(4)?).ok()?;
    let end = match (unit(5)?, unit(6)) {
        (13, Some(10)) => 7,
        (10 | 13, _) => 6,
        _ => return None,
    };
    Some((delimiter, mark + end * w))
}

/// The dialect of a file by its first bytes (64 KiB will do): the delimiter that cuts most records
/// into the same number of fields, the larger number winning. `None` where no delimiter stands in
/// the first records.
pub fn detect(head: &[u8]) -> Option<Dialect> {
    let (encoding, mark) = Encoding::detect(head);
    if let Some((delimiter, _)) = sep_line(head, encoding, mark) {
        return Some(Dialect { encoding, delimiter });
    }
    let head = &head[mark..];
    let mut best: Option<(usize, Dialect)> = None;
    for delimiter in *b",;\t|" {
        let dialect = Dialect { encoding, delimiter };
        let counts = counts(head, dialect);
        let Some(&first) = counts.first() else { continue };
        // A title or two may stand above the header: the most frequent width counts.
        let width =
            counts.iter().copied().max_by_key(|n| (counts.iter().filter(|m| *m == n).count(), *n));
        let Some(width) = width.filter(|n| *n > 1) else { continue };
        let same = counts.iter().filter(|n| **n == width).count();
        let score =
            same * 1000 / counts.len() * 10 + width.min(100) + usize::from(first == width) * 50;
        if best.is_none_or(|(so_far, _)| score > so_far) {
            best = Some((score, dialect));
        }
    }
    best.map(|(_, dialect)| dialect)
}

/// The number of fields of each of the head's first records, blank lines aside. The last one,
/// which the head may cut, counts only if it is the only one.
pub(super) fn counts(head: &[u8], dialect: Dialect) -> Vec<usize> {
    let mut raw: Vec<Raw> = Vec::new();
    let mut counts = Vec::new();
    let mut at = 0;
    while at < head.len() && counts.len() < TRIED {
        let total = match split(&head[at..], true, dialect, true, &mut raw) {
            Split::Record { content, total } => {
                if content > 0 && (content < total || counts.is_empty()) {
                    counts.push(raw.len());
                }
                total
            }
            _ => match super::line_end(&head[at..], dialect.encoding) {
                Some((_, total)) => total,
                None => break,
            },
        };
        at += total.max(1);
    }
    counts
}

//! UTF-16 exhibits for parsers of UTF-8: the text is recoded as it streams, and every span that the
//! parser gives is led back to the exhibit's own bytes.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::Read;
use std::rc::Rc;

use model::{Batch, Fact, Problem, ProblemKind, TableSchema};

use crate::chunks::Chunks;
use crate::parser::{Coverage, Input};
use crate::sink::{Job, Sink};

/// How far behind the reading a span may lie: more than any parser's window.
const REACH: u64 = 128 << 20;

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Little,
    Big,
}

/// Tells UTF-16 by its byte-order mark, or by a zero in every other byte of the first few.
pub(crate) fn detect(head: &[u8]) -> Option<Order> {
    match head {
        [0xff, 0xfe, ..] => return Some(Order::Little),
        [0xfe, 0xff, ..] => return Some(Order::Big),
        _ => {}
    }
    let head = &head[..head.len().min(64) & !1];
    if head.len() < 8 {
        return None;
    }
    let ascii = |zero: usize, other: usize| {
        head.chunks_exact(2)
            .all(|p| p[zero] == 0 && (p[other] >= 0x20 || p[other].is_ascii_whitespace()))
    };
    if ascii(1, 0) {
        Some(Order::Little)
    } else if ascii(0, 1) {
        Some(Order::Big)
    } else {
        None
    }
}

/// A head recoded for sniffers; the head itself where it is not UTF-16.
pub(crate) fn sniffable(head: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    match detect(head) {
        None => head.into(),
        Some(order) => {
            let units = head.chunks_exact(2).map(|p| unit(order, [p[0], p[1]]));
            let text: String = char::decode_utf16(units)
                .map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER))
                .collect();
            text.into_bytes().into()
        }
    }
}

fn unit(order: Order, pair: [u8; 2]) -> u16 {
    match order {
        Order::Little => u16::from_le_bytes(pair),
        Order::Big => u16::from_be_bytes(pair),
    }
}

/// Runs a UTF-8 parser over a UTF-16 exhibit. Blanks and comments count as read.
pub(crate) fn run(
    order: Order,
    input: &Input<'_>,
    chunks: &mut Chunks<'_>,
    out: &mut dyn Sink,
    parse: impl FnOnce(&Input<'_>, &mut Chunks<'_>, &mut dyn Sink) -> Coverage,
) -> Coverage {
    let from = chunks.offset();
    let map =
        Rc::new(RefCell::new(Map { runs: VecDeque::new(), text: 0, raw: from, broken: None }));
    let mut source = Recode { chunks, order, map: Rc::clone(&map), rest: Vec::new(), given: 0 };
    let mut sink = Translate { out, map: Rc::clone(&map), lost: 0 };
    parse(input, &mut Chunks::new(&mut source), &mut sink);
    let lost = sink.lost;
    source.chunks.drain();
    let total = source.chunks.offset() - from;
    if let Some((start, end)) = map.borrow().broken {
        out.problem(Problem {
            start,
            end,
            kind: ProblemKind::Encoding,
            message: "not valid UTF-16 here (the first place)".to_owned(),
            lost: false,
        });
    }
    Coverage { read: total.saturating_sub(lost), filler: 0, lost: lost.min(total) }
}

/// Where the recoded text stood: runs of characters of one length in both encodings.
#[derive(Debug)]
struct Map {
    /// Text offset, raw offset, bytes a character in the text and in the exhibit.
    runs: VecDeque<(u64, u64, u8, u8)>,
    text: u64,
    raw: u64,
    broken: Option<(u64, u64)>,
}

impl Map {
    fn push(&mut self, text: u8, raw: u8) {
        let same = self.runs.back().is_some_and(|r| (r.2, r.3) == (text, raw));
        if !same {
            self.runs.push_back((self.text, self.raw, text, raw));
            while self.runs.len() > 1 && self.runs[1].0 + REACH < self.text {
                self.runs.pop_front();
            }
        }
        self.text += u64::from(text);
        self.raw += u64::from(raw);
    }

    fn raw(&self, text: u64) -> u64 {
        if text >= self.text {
            return self.raw;
        }
        let i = self.runs.partition_point(|r| r.0 <= text);
        let Some((at, raw, a, b)) = i.checked_sub(1).and_then(|i| self.runs.get(i)) else {
            return 0;
        };
        raw + (text - at).div_ceil(u64::from((*a).max(1))) * u64::from(*b)
    }
}

struct Recode<'c, 's> {
    chunks: &'c mut Chunks<'s>,
    order: Order,
    map: Rc<RefCell<Map>>,
    rest: Vec<u8>,
    given: usize,
}

impl Recode<'_, '_> {
    fn refill(&mut self) {
        self.rest.clear();
        self.given = 0;
        let window = self.chunks.fill(4096);
        let window = &window[..window.len().min(64 << 10)];
        let mut map = self.map.borrow_mut();
        let mut used = 0;
        while let Some(pair) = window.get(used..used + 2) {
            let first = unit(self.order, [pair[0], pair[1]]);
            let (c, len) = match first {
                // A surrogate pair that the window cuts waits for the next refill.
                0xd800..0xdc00 => match window.get(used + 2..used + 4) {
                    None if used > 0 => break,
                    second => {
                        let low = second.map(|p| unit(self.order, [p[0], p[1]]));
                        match low.filter(|l| (0xdc00..0xe000).contains(l)) {
                            Some(low) => (
                                char::from_u32(
                                    0x1_0000
                                        + ((u32::from(first) - 0xd800) << 10)
                                        + (u32::from(low) - 0xdc00),
                                ),
                                4,
                            ),
                            None => (None, 2),
                        }
                    }
                },
                other => (char::from_u32(u32::from(other)), 2),
            };
            if c.is_none() && map.broken.is_none() {
                map.broken = Some((map.raw, map.raw + len as u64));
            }
            let c = c.unwrap_or(char::REPLACEMENT_CHARACTER);
            self.rest.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
            map.push(c.len_utf8() as u8, len as u8);
            used += len;
        }
        if used == 0 && window.len() == 1 {
            // A last odd byte is half a unit.
            let half = (map.raw, map.raw + 1);
            map.broken.get_or_insert(half);
            self.rest.extend_from_slice("\u{fffd}".as_bytes());
            map.push(3, 1);
            used = 1;
        }
        drop(map);
        self.chunks.consume(used);
    }
}

impl Read for Recode<'_, '_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        if self.given == self.rest.len() {
            self.refill();
        }
        let n = buf.len().min(self.rest.len() - self.given);
        buf[..n].copy_from_slice(&self.rest[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

struct Translate<'o> {
    out: &'o mut dyn Sink,
    map: Rc<RefCell<Map>>,
    lost: u64,
}

impl Sink for Translate<'_> {
    fn fact(&mut self, mut fact: Fact) {
        let map = self.map.borrow();
        (fact.start, fact.end) = (map.raw(fact.start), map.raw(fact.end));
        self.out.fact(fact);
    }

    fn table(&mut self, schema: TableSchema) -> u32 {
        self.out.table(schema)
    }

    fn rows(&mut self, mut batch: Batch) {
        let map = self.map.borrow();
        for place in batch.starts.iter_mut().chain(batch.ends.iter_mut()) {
            *place = map.raw(*place);
        }
        self.out.rows(batch);
    }

    fn problem(&mut self, mut problem: Problem) {
        let map = self.map.borrow();
        (problem.start, problem.end) = (map.raw(problem.start), map.raw(problem.end));
        if problem.lost {
            self.lost += problem.end - problem.start;
        }
        self.out.problem(problem);
    }

    fn defer(&mut self, job: Job) {
        job(self);
    }
}

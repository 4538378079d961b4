//! Host lists in JSON: strings in arrays, and values of keys named as columns of hosts are.

use model::{Problem, ProblemKind};

use super::columns::COLUMNS;
use super::{NO_ENTRY, entry};
use crate::chunks::Chunks;
use crate::json::{Json, Kind};
use crate::parser::{Coverage, Input};
use crate::sink::Sink;

/// Where a token stands.
#[derive(Default)]
struct Place {
    /// The open containers; true for arrays.
    open: Vec<bool>,
    /// The last key is a column's name.
    named: bool,
}

impl Place {
    /// Takes note of a token; true if a string here belongs to the list.
    fn holds(&mut self, kind: Kind, raw: &[u8]) -> bool {
        match kind {
            Kind::ObjectStart => self.open.push(false),
            Kind::ArrayStart => self.open.push(true),
            Kind::ObjectEnd | Kind::ArrayEnd => {
                self.open.pop();
            }
            Kind::Key => {
                let key = raw.to_ascii_lowercase();
                self.named = COLUMNS.iter().any(|name| name.as_bytes() == key);
            }
            Kind::String => return self.open.last().is_some_and(|array| *array || self.named),
            _ => {}
        }
        false
    }
}

/// Three strings at least stand where entries belong, eight of ten are entries, and of the keys
/// within arrays one of four at least is a column of hosts: else the document is of something else
/// that has a URL among other things.
pub(super) fn sniff(head: &[u8]) -> bool {
    let mut json = Json::slice(head, 0);
    let mut place = Place::default();
    let (mut all, mut good, mut broken, mut keys, mut named) = (0u32, 0u32, 0u32, 0u32, 0u32);
    let end = head.len() as u64;
    while let Some(token) = json.next() {
        // What the head cuts is not judged.
        if token.end >= end && all > 0 {
            break;
        }
        broken += u32::from(matches!(token.kind, Kind::Broken(_)));
        let holds = place.holds(token.kind, token.raw);
        if token.kind == Kind::Key && place.open.contains(&true) {
            keys += 1;
            named += u32::from(place.named);
        }
        if holds {
            all += 1;
            good += u32::from(entry::surely(token.text().0.as_bytes()));
        }
    }
    good >= 3 && good * 10 >= all * 8 && broken < 5 && named * 4 >= keys
}

/// Reads the whole document. Escapes in an entry (`\/` in a URL) are undone where they only stand
/// for slashes; an entry with others is a problem.
pub(super) fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let from = chunks.offset();
    let mut lost = 0;
    let mut place = Place::default();
    let mut json = Json::new(chunks);
    while let Some(token) = json.next() {
        if let Some(problem) = token.problem() {
            out.problem(problem);
            continue;
        }
        if !place.holds(token.kind, token.raw) || token.raw.is_empty() {
            continue;
        }
        let found = if token.raw.contains(&b'\\') {
            escaped(token.raw, token.start, input, out)
        } else {
            entry::give(token.raw, token.start, input.exhibit, out).is_some()
        };
        if !found {
            lost += token.end - token.start;
            out.problem(Problem {
                start: token.start,
                end: token.end,
                kind: ProblemKind::Syntax,
                message: NO_ENTRY.to_owned(),
                lost: true,
            });
        }
    }
    let mut coverage = json.coverage(from);
    coverage.lost += lost;
    coverage.read -= lost.min(coverage.read);
    let rest = chunks.drain();
    coverage.read += rest;
    coverage
}

/// An entry whose slashes are escaped: its facts, each spanning the whole string.
fn escaped(raw: &[u8], start: u64, input: &Input<'_>, out: &mut dyn Sink) -> bool {
    let (text, broken) = crate::json::decode(raw);
    if broken {
        return false;
    }
    let mut kept = crate::Collect::default();
    let found = entry::give(text.as_bytes(), start, input.exhibit, &mut kept).is_some();
    for mut fact in kept.facts {
        (fact.start, fact.end) = (start, start + raw.len() as u64);
        out.fact(fact);
    }
    found
}

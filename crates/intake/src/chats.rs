//! What exports of different messengers have in common: the row of a message, and what its text
//! names.

use std::collections::HashSet;

use model::{Cell, Fact, Key, Stamp, Value};

use crate::rows::Rows;
use crate::scan;
use crate::sink::Sink;

/// How many accounts are remembered as named. Beyond it a name may be stated twice.
const MAX_NAMED: usize = 1 << 20;

/// A message, in the columns of [`model::bulk::messages`]. Empty texts are absent.
#[derive(Debug, Clone, Default)]
pub struct Message<'a> {
    /// The messenger.
    pub service: &'a str,
    /// The group or the other account.
    pub chat: Option<&'a Key>,
    /// The number in its chat.
    pub id: &'a str,
    /// The sender.
    pub from: Option<&'a Key>,
    /// The sender's name.
    pub from_name: &'a str,
    /// When.
    pub time: Option<Stamp>,
    /// `message`, `service`, `deleted` or `media`.
    pub kind: &'a str,
    /// What was written.
    pub text: &'a str,
    /// The number of the message it answers.
    pub reply_to: &'a str,
    /// Who wrote it first.
    pub forwarded_from: &'a str,
    /// The file it carries.
    pub file: &'a str,
}

impl Message<'_> {
    /// Adds it to the table, as standing in bytes `start..end`.
    pub fn push(&self, rows: &mut Rows, out: &mut dyn Sink, start: u64, end: u64) {
        fn text(text: &str) -> Cell<'_> {
            if text.is_empty() { Cell::Null } else { Cell::Text(text) }
        }
        let time = self.time.map(|t| t.to_string()).unwrap_or_default();
        let cells = [
            Cell::Text(self.service),
            self.chat.map_or(Cell::Null, |k| Cell::Text(k.as_str())),
            text(self.id),
            self.from.map_or(Cell::Null, |k| Cell::Text(k.as_str())),
            text(self.from_name),
            text(&time),
            self.time.map_or(Cell::Null, |t| Cell::Int(t.utc_ms().div_euclid(1000))),
            text(self.kind),
            text(self.text),
            text(self.reply_to),
            text(self.forwarded_from),
            text(self.file),
        ];
        rows.push(out, start, end, &cells);
    }
}

/// Accounts whose name this exhibit has stated.
#[derive(Debug, Default)]
pub struct Named(HashSet<Key>);

impl Named {
    /// States a property of an account the first time it is asked to.
    pub fn once(
        &mut self,
        account: &Key,
        property: &'static str,
        value: &str,
        (start, end): (u64, u64),
        out: &mut dyn Sink,
    ) {
        if value.is_empty() || self.0.contains(account) {
            return;
        }
        if self.0.len() < MAX_NAMED {
            self.0.insert(account.clone());
        }
        let value = Value::Text(value.to_owned());
        out.fact(Fact { subject: account.clone(), property, value, start, end });
    }
}

/// States what a text names: `mentions` from its writer to each indicator. `raw` stands at `base`
/// in the exhibit. Where the text may be cut at its end, what touches the end is left out.
pub fn mention(writer: &Key, raw: &[u8], base: u64, whole: bool, out: &mut dyn Sink) {
    let limit = base + raw.len() as u64;
    scan::mentions(raw, base, &mut |key, range, _| {
        if whole || range.end < limit {
            state(writer, key, range.start, range.end, out);
        }
    });
}

/// [`mention`] for what stands between the quotes of a JSON string: escapes are undone for the
/// reading, and spans lead to the escaped bytes.
pub fn mention_escaped(writer: &Key, raw: &[u8], base: u64, out: &mut dyn Sink) {
    if memchr::memchr(b'\\', raw).is_none() || std::str::from_utf8(raw).is_err() {
        return mention(writer, raw, base, true, out);
    }
    let (text, places) = unescape(raw);
    scan::mentions(text.as_bytes(), 0, &mut |key, range, _| {
        let place = |at: u64| {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            base + places.get(at).copied().unwrap_or(raw.len()) as u64
        };
        state(writer, key, place(range.start), place(range.end), out);
    });
}

fn state(writer: &Key, key: Key, start: u64, end: u64, out: &mut dyn Sink) {
    if key == *writer {
        return;
    }
    let fact =
        Fact { subject: writer.clone(), property: "mentions", value: Value::Key(key), start, end };
    if model::kinds::allowed(&fact) {
        out.fact(fact);
    }
}

/// The text of a JSON string, and for each of its bytes (and its end) the place in `raw` it came
/// from.
fn unescape(raw: &[u8]) -> (String, Vec<usize>) {
    let mut text = String::with_capacity(raw.len());
    let mut places = Vec::with_capacity(raw.len() + 1);
    let mut at = 0;
    while at < raw.len() {
        let length = match (raw[at], raw.get(at + 1)) {
            (b'\\', Some(b'u')) => {
                let high = raw.get(at + 2..at + 4).is_some_and(|hex| {
                    hex[0].eq_ignore_ascii_case(&b'd')
                        && matches!(hex[1] | 0x20, b'8' | b'9' | b'a' | b'b')
                });
                if high && raw.get(at + 6..at + 8) == Some(b"\\u") { 12 } else { 6 }
            }
            (b'\\', _) => 2,
            _ => memchr::memchr(b'\\', &raw[at..]).unwrap_or(raw.len() - at),
        };
        let length = length.min(raw.len() - at);
        // A cut in the middle of a character cannot be: all steps are ASCII or run to an escape.
        let piece = &raw[at..at + length];
        let (decoded, _) = crate::json::decode(piece);
        if raw[at] == b'\\' {
            places.extend(std::iter::repeat_n(at, decoded.len()));
        } else {
            places.extend(at..at + decoded.len());
        }
        text.push_str(&decoded);
        at += length;
    }
    places.push(raw.len());
    (text, places)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collect;

    #[test]
    fn spans_of_escaped_text_lead_to_the_escaped_bytes() {
        let raw =
            br"siehe \u00fcber http:\/\/tv.stream.example\/get und \ud83d\ude00 mail a@b.example\n";
        let writer = Key::messaging("telegram", "user1");
        let mut out = Collect::default();
        mention_escaped(&writer, raw, 100, &mut out);
        let found: Vec<_> = out
            .facts
            .iter()
            .map(|f| (f.value.text(), &raw[f.start as usize - 100..f.end as usize - 100]))
            .collect();
        assert_eq!(
            found,
            [
                ("domain:tv.stream.example".to_owned(), &b"tv.stream.example"[..]),
                ("email:a@b.example".to_owned(), &b"a@b.example"[..])
            ]
        );
    }

    #[test]
    fn what_a_cut_may_have_shortened_is_left_out() {
        let writer = Key::messaging("whatsapp", "a");
        let mut out = Collect::default();
        mention(&writer, b"see one.example and two.exam", 0, false, &mut out);
        mention(&writer, b"see one.example", 0, false, &mut out);
        assert_eq!(out.facts.len(), 1);
    }
}

//! WhatsApp's text exports, of Android and iOS, in English, French, Italian, German and Spanish.
//!
//! A sender shown by number is `messaging:whatsapp:+33…`, for everybody; a name is only what the
//! exporter's address book calls somebody, so an account known by name alone is its exhibit's own:
//! `messaging:whatsapp:x<32 hex>/<name>`. A group is named by the file or by the line
//! that tells of its making; a group without name is the exhibit's own. Times carry no zone: the
//! exporter's clock is not told. The order of day and month, and whether it is a group, are told by
//! the first 8 MiB.

mod line;
mod survey;
mod words;

#[cfg(test)]
mod tests;

use model::{ExhibitId, Fact, Key, Problem, ProblemKind, Value};

use crate::amounts::DateOrder;
use crate::chats::{Message, Named, mention};
use crate::chunks::Chunks;
use crate::csv::decode::{Doubt, Encoding};
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::rows::Rows;
use crate::sink::Sink;
use line::{Head, invisible, sender};
use survey::survey;
use words::{Sort, Told, attached, names, sort, told};

/// WhatsApp text exports.
pub const PARSER: Parser = Parser {
    name: "whatsapp",
    version: 2,
    about: "WhatsApp text exports of Android and iOS",
    sniff,
    parse,
};

/// How much of the file is looked at before the first message is read.
const SURVEYED: usize = 8 << 20;
/// The longest message, in bytes.
const MAX_MESSAGE: usize = 16 << 20;

fn sniff(head: &[u8], name: &str) -> Confidence {
    let mut lines = 0;
    let mut heads = 0;
    let mut first = false;
    for line in head.split(|b| *b == b'\n').take(50) {
        let text = text_of(line).0;
        if text.trim_matches(|c: char| c.is_whitespace() || invisible(c)).is_empty() {
            continue;
        }
        lines += 1;
        if let Some(head) = line::head(&text) {
            heads += 1;
            first |=
                lines == 1 && head.time(DateOrder::Dmy).or(head.time(DateOrder::Mdy)).is_some();
        }
    }
    let named = words::named_by_file(name).is_some() || name.ends_with("_chat.txt");
    match (first, heads) {
        (true, _) if named => Confidence(90),
        (true, 3..) if heads * 3 >= lines => Confidence(80),
        _ => Confidence::NO,
    }
}

/// A line's text; bytes that are not UTF-8 are read as windows-1252.
fn text_of(bytes: &[u8]) -> (String, Doubt) {
    let mut text = String::with_capacity(bytes.len());
    let doubt = Encoding::Utf8.decode(bytes, &mut text);
    (text, doubt)
}

/// The export as far as it is read.
struct Export<'o> {
    exhibit: ExhibitId,
    order: DateOrder,
    /// The group, or the other account of a chat of two.
    chat: Option<Key>,
    group: bool,
    rows: Rows,
    named: Named,
    out: &'o mut dyn Sink,
    doubted: bool,
    group_named: bool,
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let head = chunks.fill(SURVEYED);
    let told = survey(&head[..head.len().min(SURVEYED)], input.name);
    let chat = match (&told.name, told.group) {
        (Some(name), true) => Some(group_key(name)),
        (Some(name), false) => Some(account(name, input.exhibit)),
        (None, true) => Some(unnamed(input.exhibit)),
        (None, false) => None,
    };
    let mut export = Export {
        exhibit: input.exhibit,
        order: told.order,
        chat,
        group: told.group,
        rows: Rows::new(out, model::bulk::messages()),
        named: Named::default(),
        out,
        doubted: false,
        group_named: false,
    };
    let mut coverage = Coverage::default();
    if chunks.fill(3).starts_with(b"\xef\xbb\xbf") {
        chunks.consume(3);
        coverage.filler += 3;
    }
    while let Some(found) = next_message(chunks) {
        let (start, size) = (chunks.offset(), found.size as u64);
        match found.kind {
            Kind::Message => {
                let window = &chunks.window()[..found.size];
                let content = window.len() - line_ends(window);
                let whole = content < window.len();
                let bytes = window[..content].to_vec();
                export.message(&bytes, start, whole);
                coverage.read += size;
            }
            Kind::Stray => {
                let blank = chunks.window()[..found.size].iter().all(u8::is_ascii_whitespace);
                if blank {
                    coverage.filler += size;
                } else {
                    coverage.lost += size;
                    let message = "lines that belong to no message".to_owned();
                    let end = start + size;
                    export.out.problem(Problem {
                        start,
                        end,
                        kind: ProblemKind::Syntax,
                        message,
                        lost: true,
                    });
                }
            }
            Kind::Long => {
                coverage.lost += size;
                let message =
                    "a message longer than 16 MiB: the rest of it is passed over".to_owned();
                let end = start + size;
                export.out.problem(Problem {
                    start,
                    end,
                    kind: ProblemKind::Bound,
                    message,
                    lost: true,
                });
            }
        }
        chunks.consume(found.size);
    }
    export.rows.flush(export.out);
    coverage
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    /// Lines before the first message.
    Stray,
    /// As much as the bound lets see of a message that goes on.
    Long,
}

struct Found {
    size: usize,
    kind: Kind,
}

/// The message (or the stray lines) at the window's start: up to the next line that begins one.
fn next_message(chunks: &mut Chunks<'_>) -> Option<Found> {
    if chunks.window().is_empty() {
        return None;
    }
    let mut at = 0;
    let mut kind = Kind::Stray;
    loop {
        let window = chunks.window();
        let line_end = memchr::memchr(b'\n', &window[at..]).map(|n| at + n + 1);
        let Some(end) = line_end.or_else(|| (window.len() >= MAX_MESSAGE).then_some(window.len()))
        else {
            if chunks.more() {
                continue;
            }
            if chunks.ended() {
                let window = chunks.window();
                let begins = begins(&window[at..]);
                if at == 0 {
                    kind = if begins { Kind::Message } else { Kind::Stray };
                }
                return Some(Found {
                    size: if begins && at > 0 { at } else { window.len() },
                    kind,
                });
            }
            return Some(Found { size: chunks.window().len(), kind: Kind::Long });
        };
        let begins = begins(&window[at..end]);
        if at == 0 {
            kind = if begins { Kind::Message } else { Kind::Stray };
        } else if begins {
            return Some(Found { size: at, kind });
        }
        if end >= MAX_MESSAGE {
            return Some(Found { size: end, kind: Kind::Long });
        }
        at = end;
        if at == window.len() && !chunks.more() {
            return Some(Found { size: at, kind });
        }
    }
}

/// Whether a line begins a message. Cheap on the many that do not.
fn begins(line: &[u8]) -> bool {
    let mut front = &line[..line.len().min(200)];
    // Left-to-right and other marks are E2 80 xx; a byte order mark is EF BB BF.
    while let [0xe2, 0x80 | 0x81, _, rest @ ..] | [0xef, 0xbb, 0xbf, rest @ ..] = front {
        front = rest;
    }
    match front.first() {
        Some(b'[' | b'0'..=b'9') => line::head(&text_of(front).0).is_some(),
        _ => false,
    }
}

fn line_ends(bytes: &[u8]) -> usize {
    bytes.iter().rev().take_while(|b| matches!(b, b'\n' | b'\r')).count()
}

/// The account that a sender's name or number stands for.
fn account(name: &str, exhibit: ExhibitId) -> Key {
    let name = clean(name);
    match Key::phone(&name) {
        Some(number) => Key::messaging("whatsapp", number.rest()),
        None => Key::whatsapp_name(exhibit, name.trim_start_matches('~').trim()),
    }
}

fn group_key(name: &str) -> Key {
    Key::new("group", &format!("whatsapp:{}", clean(name).to_lowercase()))
}

fn unnamed(exhibit: ExhibitId) -> Key {
    let hex = exhibit.to_string();
    Key::new("group", &format!("whatsapp:x{}/", &hex[..32]))
}

/// Without invisible marks, white space as plain spaces.
fn clean(name: &str) -> String {
    let seen: String = name
        .chars()
        .filter(|c| !invisible(*c))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    seen.trim().to_owned()
}

impl Export<'_> {
    /// A message of one or more lines, without its last line's end.
    fn message(&mut self, bytes: &[u8], start: u64, whole: bool) {
        let (text, doubt) = text_of(bytes);
        let end = start + bytes.len() as u64;
        let problem = |kind, message: &str| Problem {
            start,
            end,
            kind,
            message: message.to_owned(),
            lost: false,
        };
        if doubt != Doubt::None && !self.doubted {
            self.doubted = true;
            let message = "not valid UTF-8: such messages are read as windows-1252";
            self.out.problem(problem(ProblemKind::Encoding, message));
        }
        if !whole {
            let message = "the file ends without a line end: this last message may be cut";
            self.out.problem(problem(ProblemKind::Truncated, message));
        }
        // The head is the first line's.
        let Some(head) = line::head(&text) else { return };
        let time = head.time(self.order);
        if time.is_none() {
            self.out.problem(problem(ProblemKind::Type, "no day of the calendar"));
        }
        // Places in the text are places in the bytes only where the text was UTF-8.
        let place = |at: usize| match doubt {
            Doubt::None => start + at as u64,
            _ => start + text[..at].chars().count() as u64,
        };
        let rest = &text[head.behind..];
        let first_line = rest.lines().next().unwrap_or(rest);
        let Some((name_end, text_at)) = sender(first_line) else {
            self.service(rest, head.behind, &place, whole);
            self.row(&head_row("service", rest), time, start, end);
            return;
        };
        let name = &rest[..name_end];
        let body = &rest[text_at..];
        let sort = sort(body);
        let group_line = sort == Sort::Service && self.group && Some(group_key(name)) == self.chat;
        if group_line || (sort == Sort::Service && body.starts_with(invisible)) {
            // iOS: the group itself tells that it is encrypted.
            if self.group && Some(group_key(name)) == self.chat {
                self.name_group(name, head.behind, &place);
            }
            self.row(&head_row("service", body), time, start, end);
            return;
        }
        let from = account(name, self.exhibit);
        let (shown, span) = self.trimmed(name, head.behind, &place);
        if whole || !body.is_empty() {
            let property = if from.rest().contains(":+") { "phone" } else { "name" };
            self.named.once(&from, property, &shown, span, self.out);
        }
        let body_at = place(head.behind + text_at);
        let raw = &bytes[(body_at - start) as usize..];
        if sort == Sort::Message || attached(body).is_some() {
            mention(&from, raw, body_at, whole, self.out);
        }
        let message = Message {
            from: Some(&from),
            from_name: &shown,
            kind: match sort {
                Sort::Media => "media",
                Sort::Deleted => "deleted",
                Sort::Service => "service",
                Sort::Message => "message",
            },
            text: body,
            file: attached(body).unwrap_or(""),
            ..Message::default()
        };
        self.row(&message, time, start, end);
    }

    fn row(&mut self, message: &Message<'_>, time: Option<model::Stamp>, start: u64, end: u64) {
        let message =
            Message { service: "whatsapp", chat: self.chat.as_ref(), time, ..message.clone() };
        message.push(&mut self.rows, self.out, start, end);
    }

    /// A line of WhatsApp's own. What may be cut states nothing.
    fn service(&mut self, rest: &str, at: usize, place: &dyn Fn(usize) -> u64, whole: bool) {
        if !whole || !self.group {
            return;
        }
        let inside =
            |part: &str| at + (part.as_ptr() as usize).wrapping_sub(rest.as_ptr() as usize);
        match told(rest) {
            Told::Created(who, name) => {
                if let Some(name) = name
                    && Some(group_key(name)) == self.chat
                {
                    self.name_group(name, inside(name), place);
                }
                if !who.is_empty() {
                    self.joined(who, inside(who), place);
                }
            }
            Told::Joined(who) => {
                for name in names(who) {
                    self.joined(name, inside(name), place);
                }
            }
            Told::Group | Told::Other => {}
        }
    }

    fn name_group(&mut self, name: &str, at: usize, place: &dyn Fn(usize) -> u64) {
        let Some(group) = self.chat.clone().filter(|_| !self.group_named) else { return };
        self.group_named = true;
        let (shown, (start, end)) = self.trimmed(name, at, place);
        self.out.fact(Fact {
            subject: group,
            property: "name",
            value: Value::Text(shown),
            start,
            end,
        });
    }

    fn joined(&mut self, name: &str, at: usize, place: &dyn Fn(usize) -> u64) {
        let Some(group) = self.chat.clone() else { return };
        let (shown, (start, end)) = self.trimmed(name, at, place);
        let subject = account(&shown, self.exhibit);
        let value = Value::Key(group);
        self.out.fact(Fact { subject, property: "member_of", value, start, end });
    }

    /// A name without invisible marks around it, and its span.
    fn trimmed(&self, name: &str, at: usize, place: &dyn Fn(usize) -> u64) -> (String, (u64, u64)) {
        let around = |c: char| invisible(c) || c.is_whitespace();
        let front = name.len() - name.trim_start_matches(around).len();
        let inner = name.trim_matches(around);
        (clean(inner), (place(at + front), place(at + front + inner.len())))
    }
}

fn head_row<'a>(kind: &'a str, text: &'a str) -> Message<'a> {
    Message { kind, text: text.trim_matches(invisible), ..Message::default() }
}

/// Whether two heads stand in the order of time under an order of dates.
fn ascends(a: &Head<'_>, b: &Head<'_>, order: DateOrder) -> bool {
    match (a.time(order), b.time(order)) {
        (Some(a), Some(b)) => a.local_ms <= b.local_ms,
        _ => false,
    }
}

//! Headers of named fields, as WARC and HTTP write them: `Name: value` a line, up to an empty line.

use model::ProblemKind;

use super::{Flaw, Limits};

/// A named field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// As written.
    pub name: String,
    /// Without the space around it; a folded line is joined by one space.
    pub value: String,
    /// Where the value begins in the stream of records.
    pub start: u64,
    /// One past its last byte.
    pub end: u64,
}

/// How long a header is with the empty line that ends it, `None` where none ends it in these bytes.
/// `checked` bytes were looked at before.
pub(super) fn header_len(bytes: &[u8], checked: usize) -> Option<usize> {
    let from = checked.saturating_sub(3);
    (from..bytes.len()).filter(|i| bytes[*i] == b'\n').find_map(|i| match bytes.get(i + 1..) {
        Some([b'\n', ..]) => Some(i + 2),
        Some([b'\r', b'\n', ..]) => Some(i + 3),
        _ => None,
    })
}

/// Text as UTF-8, else as Latin-1: then the second is true.
pub(super) fn text(bytes: &[u8]) -> (String, bool) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (bytes.iter().map(|b| char::from(*b)).collect(), true),
    }
}

/// A line without its end, and how it ended.
pub(super) fn line(bytes: &[u8]) -> (&[u8], &[u8]) {
    let len = bytes.iter().position(|b| *b == b'\n').map_or(bytes.len(), |n| n + 1);
    let line = &bytes[..len];
    let body = line.strip_suffix(b"\n").map_or(line, |l| l.strip_suffix(b"\r").unwrap_or(l));
    line.split_at(body.len())
}

/// The fields of a header: `bytes` begin behind its first line, at `base` in the stream.
pub(super) fn parse(bytes: &[u8], base: u64, limits: &Limits, flaws: &mut Vec<Flaw>) -> Vec<Field> {
    let (mut out, mut at, mut lines): (Vec<Field>, usize, usize) = (Vec::new(), 0, 0);
    let mut bare = false;
    while at < bytes.len() {
        let (content, ending) = line(&bytes[at..]);
        let (start, end) = (base + at as u64, base + (at + content.len()) as u64);
        at += content.len() + ending.len();
        if ending == b"\n" && !std::mem::replace(&mut bare, true) {
            let message = "a header's line ends without CR";
            flaws.push(Flaw::new(start, end + 1, ProblemKind::Syntax, message));
        }
        if content.is_empty() {
            break;
        }
        lines += 1;
        if lines > limits.fields {
            let message = format!("a header of more than {} lines", limits.fields);
            flaws.push(Flaw::new(start, base + bytes.len() as u64, ProblemKind::Bound, message));
            break;
        }
        if matches!(content[0], b' ' | b'\t') {
            match out.last_mut() {
                Some(field) => {
                    field.value.push(' ');
                    field.value.push_str(text(content.trim_ascii()).0.as_str());
                    field.end = end;
                }
                None => {
                    let message = "a folded line without a field before it";
                    flaws.push(Flaw::new(start, end, ProblemKind::Syntax, message));
                }
            }
            continue;
        }
        let Some(colon) = content.iter().position(|b| *b == b':') else {
            let message = "a header's line without a colon";
            flaws.push(Flaw::new(start, end, ProblemKind::Syntax, message));
            continue;
        };
        let (name, rest) = (&content[..colon], &content[colon + 1..]);
        let skipped = rest.len() - rest.trim_ascii_start().len();
        let value = rest.trim_ascii();
        let value_at = start + (colon + 1 + skipped) as u64;
        let (value_text, latin) = text(value);
        let field = Field {
            name: text(name.trim_ascii_end()).0,
            value: value_text,
            start: value_at,
            end: value_at + value.len() as u64,
        };
        if name.is_empty() || !name.iter().all(|b| is_token(*b)) {
            let message = "a field's name has characters that a name must not have";
            flaws.push(Flaw::new(start, start + colon as u64, ProblemKind::Syntax, message));
        }
        if latin {
            flaws.push(Flaw::of(&field, ProblemKind::Encoding, "not UTF-8: read as Latin-1"));
        }
        out.push(field);
    }
    out
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"()<>@,;:\\\"/[]?={}".contains(&byte)
}

/// The first field of that name.
pub(super) fn get<'a>(fields: &'a [Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|f| f.name.eq_ignore_ascii_case(name))
}

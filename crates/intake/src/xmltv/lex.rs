//! Just enough XML for XMLTV, with ranges: one element of a guide at a time, broken markup included.

use std::borrow::Cow;
use std::ops::Range;

/// A tag of markup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Markup {
    /// `<name …>` or `<name …/>`: name, attributes, true where it closes itself.
    Start(Range<usize>, Range<usize>, bool),
    /// `</name>`
    End(Range<usize>),
    /// A comment, a processing instruction, a document type: nothing to read.
    Other,
    /// `<![CDATA[…]]>`: text.
    Cdata(Range<usize>),
    /// A `<` that begins no markup.
    Text,
}

/// The markup at `at`, where a `<` stands, and its end. `None` where the bytes end inside it.
pub(super) fn markup(b: &[u8], at: usize) -> Option<(Markup, usize)> {
    let rest = &b[at..];
    let find = |from: usize, end: &[u8]| {
        memchr::memmem::find(b.get(at + from..)?, end).map(|n| at + from + n)
    };
    match rest.get(1)? {
        b'!' => {
            if rest.starts_with(b"<!--") {
                return Some((Markup::Other, find(4, b"-->")? + 3));
            }
            if rest.starts_with(b"<![CDATA[") {
                let end = find(9, b"]]>")?;
                return Some((Markup::Cdata(at + 9..end), end + 3));
            }
            if b"<!--".starts_with(&rest[..rest.len().min(4)])
                || b"<![CDATA[".starts_with(&rest[..rest.len().min(9)])
            {
                return None;
            }
            doctype(b, at).map(|end| (Markup::Other, end))
        }
        b'?' => Some((Markup::Other, find(2, b"?>")? + 2)),
        b'/' => {
            let name = at + 2..at + 2 + name_len(&b[at + 2..]);
            if name.end == b.len() {
                return None;
            }
            if name.is_empty() {
                return Some((Markup::Text, at + 1));
            }
            match memchr::memchr2(b'>', b'<', &b[name.end..]) {
                None => None,
                Some(n) if b[name.end + n] == b'>' => {
                    Some((Markup::End(name.clone()), name.end + n + 1))
                }
                Some(_) => Some((Markup::Text, at + 1)),
            }
        }
        _ => {
            let name = at + 1..at + 1 + name_len(&b[at + 1..]);
            if name.is_empty() {
                return Some((Markup::Text, at + 1));
            }
            let mut i = name.end;
            let mut quote = None;
            loop {
                let byte = *b.get(i)?;
                match (quote, byte) {
                    // XML has no `<` inside a tag: this one was not closed.
                    (_, b'<') => return Some((Markup::Text, at + 1)),
                    (None, b'>') => break,
                    (None, b'"' | b'\'') => quote = Some(byte),
                    (Some(q), _) if q == byte => quote = None,
                    _ => {}
                }
                i += 1;
            }
            let closed = b[i - 1] == b'/' && i > name.end;
            let attributes = name.end..i - usize::from(closed);
            Some((Markup::Start(name, attributes, closed), i + 1))
        }
    }
}

/// The end of `<!DOCTYPE … [ … ]>`.
fn doctype(b: &[u8], at: usize) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = None;
    for (i, byte) in b[at..].iter().enumerate() {
        match (quote, byte) {
            (Some(q), _) if q == *byte => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') => quote = Some(*byte),
            (None, b'[') => depth += 1,
            (None, b']') => depth = depth.saturating_sub(1),
            (None, b'>') if depth == 0 => return Some(at + i + 1),
            _ => {}
        }
    }
    None
}

fn name_len(b: &[u8]) -> usize {
    b.iter()
        .take_while(|c| {
            c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b':' | b'.' | 0x80..)
        })
        .count()
}

/// A child of an element: its name, its attributes, what stands in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Child {
    pub(super) name: Range<usize>,
    pub(super) attributes: Range<usize>,
    pub(super) content: Range<usize>,
}

/// What stands at a `<channel …>` or `<programme …>`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Element {
    /// A whole element, up to this place, with its own attributes; the children are in the caller's list.
    Whole(usize, Range<usize>),
    /// The bytes end inside it.
    Cut,
    /// It does not end before this place, where another element of a guide begins or all ends.
    Unclosed(usize),
}

/// Reads the element whose start tag stands at `at`.
pub(super) fn element(b: &[u8], at: usize, children: &mut Vec<Child>) -> Element {
    children.clear();
    let (name, own, mut i) = match markup(b, at) {
        None => return Element::Cut,
        Some((Markup::Start(_, own, true), end)) => return Element::Whole(end, own),
        Some((Markup::Start(name, own, false), end)) => (name, own, end),
        Some((_, end)) => return Element::Unclosed(end),
    };
    // Open elements: the name of each and, of a child, its number in the list.
    let mut open: Vec<(Range<usize>, Option<usize>)> = Vec::new();
    loop {
        let Some(n) = memchr::memchr(b'<', &b[i..]) else { return Element::Cut };
        let tag = i + n;
        let Some((found, end)) = markup(b, tag) else { return Element::Cut };
        i = end;
        match found {
            Markup::Start(inner, attributes, closed) => {
                if is_record(&b[inner.clone()]) {
                    return Element::Unclosed(tag);
                }
                let number = open.is_empty().then_some(children.len());
                if number.is_some() {
                    children.push(Child { name: inner.clone(), attributes, content: end..end });
                }
                if !closed && open.len() < 64 {
                    open.push((inner, number));
                }
            }
            Markup::End(inner) => {
                if b[inner.clone()] == b[name.clone()] {
                    close(&mut open, 0, children, tag);
                    return Element::Whole(end, own);
                }
                if is_record(&b[inner.clone()]) || b[inner.clone()].eq_ignore_ascii_case(b"tv") {
                    return Element::Unclosed(tag);
                }
                // What was not closed inside is closed with it.
                if let Some(at) = open.iter().rposition(|(o, _)| b[o.clone()] == b[inner.clone()]) {
                    close(&mut open, at, children, tag);
                }
            }
            _ => {}
        }
    }
}

fn close(
    open: &mut Vec<(Range<usize>, Option<usize>)>,
    to: usize,
    children: &mut [Child],
    end: usize,
) {
    for (_, number) in open.drain(to..) {
        if let Some(child) = number.and_then(|n| children.get_mut(n)) {
            child.content.end = end;
        }
    }
}

/// True for the elements a guide is made of.
pub(super) fn is_record(name: &[u8]) -> bool {
    name == b"channel" || name == b"programme"
}

/// The value of an attribute among those at `range`, without its quotes.
pub(super) fn attribute(b: &[u8], range: &Range<usize>, wanted: &[u8]) -> Option<Range<usize>> {
    let mut found = None;
    attributes(b, range, |name, value| {
        if found.is_none() && &b[name] == wanted {
            found = Some(value);
        }
    });
    found
}

/// Each attribute's name and value.
pub(super) fn attributes(
    b: &[u8],
    range: &Range<usize>,
    mut each: impl FnMut(Range<usize>, Range<usize>),
) {
    let mut i = range.start;
    while i < range.end {
        let n = name_len(&b[i..range.end]);
        if n == 0 {
            i += 1;
            continue;
        }
        let name = i..i + n;
        i = name.end;
        i += blanks(&b[i..range.end]);
        if b[..range.end].get(i) != Some(&b'=') {
            continue;
        }
        i += 1;
        i += blanks(&b[i..range.end]);
        let value = match b[..range.end].get(i) {
            Some(q @ (b'"' | b'\'')) => {
                let start = i + 1;
                let len = memchr::memchr(*q, &b[start..range.end]).unwrap_or(range.end - start);
                i = (start + len + 1).min(range.end);
                start..start + len
            }
            _ => {
                let len = b[i..range.end].iter().take_while(|c| !c.is_ascii_whitespace()).count();
                i += len;
                i - len..i
            }
        };
        each(name, value);
    }
}

fn blanks(b: &[u8]) -> usize {
    b.iter().take_while(|c| c.is_ascii_whitespace()).count()
}

/// A range without the white space at its ends.
pub(super) fn trimmed(b: &[u8], range: Range<usize>) -> Range<usize> {
    let part = &b[range.clone()];
    let front = blanks(part);
    let back = part[front..].iter().rev().take_while(|c| c.is_ascii_whitespace()).count();
    range.start + front..range.end - back
}

/// Text with its entities and character references undone: the five that XML has, and no others (a
/// document's own are never expanded). Inner tags are left out, `CDATA` is kept.
pub(super) fn text(raw: &str) -> Cow<'_, str> {
    if !raw.as_bytes().iter().any(|b| matches!(b, b'&' | b'<')) {
        return Cow::Borrowed(raw);
    }
    let mut out = String::with_capacity(raw.len());
    let mut i = 0;
    while let Some(n) = raw.get(i..).and_then(|r| memchr::memchr2(b'&', b'<', r.as_bytes())) {
        out.push_str(&raw[i..i + n]);
        i += n;
        if raw.as_bytes()[i] == b'<' {
            let (found, end) = markup(raw.as_bytes(), i).unwrap_or((Markup::Text, i + 1));
            match found {
                Markup::Text => out.push('<'),
                Markup::Cdata(range) => out.push_str(&raw[range]),
                _ => {}
            }
            i = end;
            continue;
        }
        match reference(&raw[i..]) {
            Some((c, len)) => {
                out.push(c);
                i += len;
            }
            None => {
                out.push('&');
                i += 1;
            }
        }
    }
    out.push_str(&raw[i..]);
    Cow::Owned(out)
}

/// The character of a reference at the text's start, and the reference's length.
fn reference(text: &str) -> Option<(char, usize)> {
    let end = text.as_bytes().iter().take(12).position(|b| *b == b';')?;
    let name = &text[1..end];
    let c = match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        _ => {
            let digits = name.strip_prefix('#')?;
            let code = match digits.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => digits.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((c, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_broken_markup_too() {
        let text = b"<programme a=\"x > y\"><title>A<br>B</title><b/><desc>1 < 2 &amp; 3</desc></programme>rest";
        let mut children = Vec::new();
        let Element::Whole(end, own) = element(text, 0, &mut children) else { panic!() };
        assert_eq!(&text[end..], b"rest");
        let value = attribute(text, &own, b"a").unwrap();
        assert_eq!(&text[value], b"x > y");
        let found: Vec<(&str, String)> = children
            .iter()
            .map(|c| {
                let part = |r: &Range<usize>| std::str::from_utf8(&text[r.clone()]).unwrap();
                (part(&c.name), super::text(part(&c.content)).into_owned())
            })
            .collect();
        assert_eq!(found, [("title", "AB".into()), ("b", "".into()), ("desc", "1 < 2 & 3".into())]);
        assert_eq!(element(b"<programme><title>", 0, &mut children), Element::Cut);
        assert_eq!(element(b"<programme><programme>", 0, &mut children), Element::Unclosed(11));
        assert_eq!(element(b"<channel id='1'/>", 0, &mut children), Element::Whole(17, 8..15));
    }

    #[test]
    fn expands_no_entities_of_the_document() {
        for (raw, shown) in [
            ("a &amp;&lt;&#233;&#xe9; b", "a &<éé b"),
            ("&bomb; &#xd800; & &toolongforanentity;", "&bomb; &#xd800; & &toolongforanentity;"),
            ("<![CDATA[a <b> & c]]>d", "a <b> & cd"),
            ("a<", "a<"),
        ] {
            assert_eq!(text(raw), shown);
        }
    }
}

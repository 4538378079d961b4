//! Names of hosts: in URLs, in e-mail addresses, and bare.

use std::ops::Range;

use model::{Key, suffix};

use super::anchor::{Found, View};
use super::text::{before, decode, ends_in_word, is_word};
use super::{Ground, Hit, handle, number};

/// The longest URL that is followed to its end, in bytes.
const URL_LEN: usize = 2048;

/// The longest authority (user, password, host, port) that is looked at, in bytes.
const AUTHORITY_LEN: usize = 512;

/// Last labels that are also endings of files or words of code. A bare name under one of them
/// needs a sign that it is a name.
const AMBIGUOUS: &[&str] = &[
    // Files.
    "ai",
    "am",
    "app",
    "as",
    "bz",
    "cab",
    "cat",
    "gdn",
    "gs",
    "java",
    "la",
    "mk",
    "ml",
    "mm",
    "mo",
    "mov",
    "ms",
    "md",
    "pm",
    "ps",
    "pub",
    "py",
    "rs",
    "sb",
    "sc",
    "sh",
    "so",
    "st",
    "tf",
    "vi",
    "zip",
    // Words of code.
    "bar",
    "box",
    "build",
    "call",
    "click",
    "data",
    "date",
    "day",
    "dot",
    "foo",
    "here",
    "id",
    "is",
    "link",
    "map",
    "name",
    "new",
    "next",
    "now",
    "open",
    "play",
    "prof",
    "properties",
    "select",
    "style",
    "target",
];

/// Last labels under which a bare name counts in any bytes.
const PLAIN: &[&str] = &["com", "net", "org", "info", "biz", "xyz", "example", "test", "invalid"];

/// Words before a name that say it is one.
const HOST_WORDS: &[&str] = &[
    "host",
    "hostname",
    "server",
    "servername",
    "server_name",
    "domain",
    "domain_name",
    "dns",
    "url",
    "portal",
    "panel",
    "site",
    "website",
    "vhost",
    "cname",
    "proxy",
    "endpoint",
    "upstream",
];

fn in_host(byte: u8) -> bool {
    is_word(byte) || matches!(byte, b'-' | b'.' | b'_')
}

/// The longest stretch of host characters around `at`, without two dots in a row and without dots
/// and hyphens at its ends. At most 253 bytes to either side.
fn stretch(view: &View<'_>, at: usize, floor: usize) -> Range<usize> {
    let bytes = view.bytes;
    let least = floor.max(at.saturating_sub(253));
    let mut start = at;
    while start > least
        && in_host(bytes[start - 1])
        && !(bytes[start - 1] == b'.' && bytes.get(start) == Some(&b'.'))
    {
        start -= 1;
    }
    let most = bytes.len().min(at + 254);
    let mut end = at;
    while end < most
        && in_host(bytes[end])
        && !(end > at && bytes[end] == b'.' && bytes[end - 1] == b'.')
    {
        end += 1;
    }
    while start < end && matches!(bytes[start], b'.' | b'-') {
        start += 1;
    }
    while end > start && matches!(bytes[end - 1], b'.' | b'-' | b'_') {
        end -= 1;
    }
    start..end
}

/// The name at `range`, as a key, if its suffix is known. Letters beyond ASCII up to Armenian's
/// block are part of names; others delimit and make the name ASCII.
fn name(view: &View<'_>, range: Range<usize>, at: usize) -> Option<(Key, Range<usize>)> {
    let bytes = view.bytes;
    let text = decode(&bytes[range.clone()], view.rules.coding);
    if text.len() > 300 {
        return None;
    }
    let latin = text.chars().all(|c| c.is_ascii() || (c.is_alphabetic() && c < '\u{590}'));
    let known = |text: &str| Key::domain(text).filter(|key| suffix::names_host(key.rest()));
    if latin && let Some(key) = known(&text) {
        return Some((key, range));
    }
    if text.is_ascii() {
        return None;
    }
    // The stretch of ASCII around the anchor.
    let start = bytes[range.start..at]
        .iter()
        .rposition(|b| *b >= 0x80)
        .map_or(range.start, |i| range.start + i + 1);
    let end = bytes[at..range.end].iter().position(|b| *b >= 0x80).map_or(range.end, |i| at + i);
    let ascii = std::str::from_utf8(bytes.get(start..end)?).ok()?;
    let trimmed = ascii.trim_matches(['.', '-', '_']);
    let start = start + ascii.find(trimmed)?;
    known(trimmed).map(|key| (key, start..start + trimmed.len()))
}

/// A host name that stands by itself, around the dot at `at`.
pub(crate) fn bare(view: &View<'_>, at: usize) -> Option<Found> {
    let bytes = view.bytes;
    if !is_word(view.prev(at)) || !is_word(view.at(at + 1)) {
        return None;
    }
    let whole = stretch(view, at, view.floor);
    let skip = Some(Found { hit: None, resume: whole.end, quiet: 0 });
    let mut range = whole.clone();
    match view.prev(range.start) {
        b'%' if bytes[range.clone()].iter().take(2).all(u8::is_ascii_hexdigit) => range.start += 2,
        // `\n`, `\r`, `\t` as escapes before a name.
        b'\\' if matches!(bytes[range.start], b'n' | b'r' | b't') => range.start += 1,
        b'/' if range.start >= 2 && bytes[range.start - 2] == b'/' => {}
        b'/' | b'\\' | b'@' | b'$' | b'#' | b'~' => return skip,
        _ => {}
    }
    if range.start >= at || matches!(view.at(whole.end), b'(' | b'@') {
        return skip;
    }
    let Some((key, mut range)) =
        name(view, range, at).or_else(|| cut_sentence(view, whole.clone(), at))
    else {
        return skip;
    };
    if !bytes[range.clone()].contains(&b'.') || !signed(view, &key, &range) || !view.in_text(&range)
    {
        return skip;
    }
    let resume = range.end;
    let mut key = key;
    if let Some((account, end)) = handle::link(view, key.rest(), range.end) {
        key = account;
        range.end = end;
    }
    let quiet = path_end(view, resume);
    Some(Found { resume: range.end, hit: Some(Hit { key, range, url: None }), quiet })
}

/// `mail.example.Then`: a sentence that goes on without a space.
fn cut_sentence(view: &View<'_>, range: Range<usize>, at: usize) -> Option<(Key, Range<usize>)> {
    let bytes = &view.bytes[range.clone()];
    let dot = bytes.iter().rposition(|b| *b == b'.')?;
    let (head, tail) = (&bytes[..dot], &bytes[dot + 1..]);
    let sentence = tail.first().is_some_and(u8::is_ascii_uppercase)
        && tail[1..].iter().all(u8::is_ascii_lowercase)
        && !head.iter().any(u8::is_ascii_uppercase)
        && head.contains(&b'.');
    if !sentence || at >= range.start + dot {
        return None;
    }
    name(view, range.start..range.start + dot, at)
}

/// True where a word that says so stands before a host.
pub(crate) fn named(view: &View<'_>, at: usize) -> bool {
    ends_in_word(&before(view.bytes, at), HOST_WORDS)
}

/// Whether a bare name carries enough signs to be one.
fn signed(view: &View<'_>, key: &Key, range: &Range<usize>) -> bool {
    let host = key.rest();
    let written = &view.bytes[range.clone()];
    let (head, last) = host.rsplit_once('.').unwrap_or(("", host));
    let label = head.rsplit('.').next().unwrap_or(head);
    let context = || {
        host.starts_with("www.")
            || view.at(range.end) == b'/'
            || (view.at(range.end) == b':' && view.at(range.end + 1).is_ascii_digit())
            || named(view, range.start)
    };
    // A new sentence: `done.It was`. Mixed case without a plan: junk, or code.
    let dot = written.iter().rposition(|b| *b == b'.').unwrap_or(0);
    let (before_dot, tail) = (&written[..dot], &written[(dot + 1).min(written.len())..]);
    let upper = |part: &[u8]| part.iter().any(u8::is_ascii_uppercase);
    let lower = |part: &[u8]| part.iter().any(u8::is_ascii_lowercase);
    if upper(tail) && (lower(tail) || lower(before_dot)) {
        return false;
    }
    let plain = match view.rules.ground {
        Ground::People => !AMBIGUOUS.contains(&last),
        Ground::Text => PLAIN.contains(&last) || (last.len() == 2 && !AMBIGUOUS.contains(&last)),
        Ground::Binary => PLAIN.contains(&last),
    };
    // Letters beyond ASCII outside of people's words are more often another encoding than a name.
    let foreign = !written.is_ascii() && (view.rules.ground != Ground::People || label.len() < 10);
    if !plain || foreign || label.contains('_') || matches!(label, "self" | "this") {
        return context();
    }
    // `12.30.to`: numbers under a country's suffix; `aB3x.to`: junk.
    if last.len() == 2 && label.bytes().all(|b| b.is_ascii_digit()) {
        return context();
    }
    let inner_upper =
        before_dot.windows(2).any(|w| w[0].is_ascii_lowercase() && w[1].is_ascii_uppercase());
    if inner_upper && label.len() < 6 {
        return context();
    }
    true
}

/// Where the port and path behind a host end; the host's own end where there are none.
fn path_end(view: &View<'_>, at: usize) -> usize {
    match (view.at(at), view.at(at + 1)) {
        (b'/' | b'?', _) | (b':', b'0'..=b'9') => url_end(view, at),
        (b'\\', b'/') => url_end(view, at),
        _ => at,
    }
}

/// The end of a URL that is known to go on at `at`.
pub(crate) fn url_end(view: &View<'_>, at: usize) -> usize {
    let bytes = view.bytes;
    let most = bytes.len().min(at + URL_LEN);
    let mut end = at;
    while end < most {
        match bytes[end] {
            b'\\' if view.at(end + 1) == b'/' => end += 2,
            0..=b' '
            | 0x7f
            | b'"'
            | b'\''
            | b'<'
            | b'>'
            | b'`'
            | b'\\'
            | b'^'
            | b'{'
            | b'}'
            | b'|' => break,
            _ => end += 1,
        }
    }
    let mut end = end.min(most);
    let count = |b: u8| bytes[at..end].iter().filter(|x| **x == b).count();
    let (mut round, mut square) = (count(b')'), count(b']'));
    let (open_round, open_square) = (count(b'('), count(b'['));
    while end > at {
        match bytes[end - 1] {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'*' => {}
            b')' if round > open_round => round -= 1,
            b']' if square > open_square => square -= 1,
            _ => break,
        }
        end -= 1;
    }
    end
}

/// A URL whose scheme ends at the colon at `at`: `http://`, and `http:\/\/` as JSON writes it.
pub(crate) fn url(view: &View<'_>, at: usize) -> Option<Found> {
    let bytes = view.bytes;
    let authority = if bytes[at..].starts_with(b"://") {
        at + 3
    } else if bytes[at..].starts_with(b":\\/\\/") {
        at + 5
    } else {
        return None;
    };
    let least = view.floor.max(at.saturating_sub(16));
    let mut start = at;
    while start > least
        && (bytes[start - 1].is_ascii_alphanumeric() || b"+-.".contains(&bytes[start - 1]))
    {
        start -= 1;
    }
    while start < at && !bytes[start].is_ascii_alphabetic() {
        start += 1;
    }
    if at - start < 2 {
        return None;
    }
    let part = &bytes[authority..bytes.len().min(authority + AUTHORITY_LEN)];
    let stop = part
        .iter()
        .position(|b| *b <= b' ' || b"/?#\\\"'<>`^{}|\x7f".contains(b))
        .unwrap_or(part.len());
    let userinfo = part[..stop].iter().rposition(|b| *b == b'@');
    let host_at = authority + userinfo.map_or(0, |i| i + 1);
    let (key, range) = host_of(view, host_at, authority + stop)?;
    // A URL inside another ends with it.
    let end = if range.end < view.quiet { view.quiet } else { url_end(view, range.end) };
    let whole = start..end;
    if !view.in_text(&whole) {
        return None;
    }
    let (resume, quiet) = (range.end, whole.end);
    if let Some((account, end)) = handle::link(view, key.rest(), range.end) {
        let hit = Hit { key: account, range: range.start..end, url: None };
        return Some(Found { hit: Some(hit), resume: end, quiet });
    }
    let hit = Hit { key, range, url: Some(whole) };
    Some(Found { hit: Some(hit), resume, quiet })
}

/// The host that stands at `from` in an authority that ends at `to`.
fn host_of(view: &View<'_>, from: usize, to: usize) -> Option<(Key, Range<usize>)> {
    let bytes = view.bytes;
    if view.at(from) == b'[' {
        let close = from + bytes[from..to].iter().position(|b| *b == b']')?;
        let text = std::str::from_utf8(&bytes[from + 1..close]).ok()?;
        let key = number::address_key(view, text.parse().ok()?)?;
        return Some((key, from + 1..close));
    }
    let colon = bytes[from..to].iter().position(|b| *b == b':').map_or(to, |i| from + i);
    let mut end = from + bytes[from..colon].iter().take_while(|b| in_host(**b)).count();
    while end > from && matches!(bytes[end - 1], b'.' | b'-' | b'_') {
        end -= 1;
    }
    let range = from..end;
    let text = decode(&bytes[range.clone()], view.rules.coding);
    if let Ok(ip) = text.parse() {
        return Some((number::address_key(view, ip)?, range));
    }
    let dot = range.start + bytes[range.clone()].iter().rposition(|b| *b == b'.')?;
    let key = Key::domain(&text).filter(|key| suffix::names_host(key.rest()));
    key.map(|key| (key, range.clone())).or_else(|| name(view, range.clone(), dot)).or_else(|| {
        let dot = range.start + bytes[range.clone()].iter().position(|b| *b == b'.')?;
        cut_sentence(view, range.clone(), dot)
    })
}

fn in_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

/// An e-mail address around the `@` at `at`.
pub(crate) fn email(view: &View<'_>, at: usize) -> Option<Found> {
    let bytes = view.bytes;
    if !is_word(view.at(at + 1)) {
        return None;
    }
    let least = view.floor.max(at.saturating_sub(65));
    let mut start = at;
    while start > least && in_local(bytes[start - 1]) {
        start -= 1;
    }
    while start < at && !bytes[start].is_ascii_alphanumeric() && bytes[start] != b'_' {
        start += 1;
    }
    // `%3Aname@`: the escape is not part of the name.
    if view.prev(start) == b'%' && bytes[start..at].iter().take(2).all(u8::is_ascii_hexdigit) {
        start += 2.min(at - start);
    }
    if start >= at || at - start > 64 {
        return None;
    }
    let host = stretch(view, at + 1, at + 1);
    if host.start != at + 1 {
        return None;
    }
    let dot = at + 1 + bytes[host.clone()].iter().position(|b| *b == b'.')?;
    let (_, host) = name(view, host.clone(), dot).or_else(|| cut_sentence(view, host, dot))?;
    if host.start != at + 1 {
        return None;
    }
    let range = start..host.end;
    let key = Key::email(&decode(&bytes[range.clone()], view.rules.coding))?;
    if !view.in_text(&range) {
        return None;
    }
    Some(Found { resume: range.end, quiet: 0, hit: Some(Hit { key, range, url: None }) })
}

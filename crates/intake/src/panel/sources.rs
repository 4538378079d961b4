//! Where streams come from: upstream accounts in the table of providers, and in sources' URLs.

use std::collections::HashSet;
use std::net::IpAddr;
use std::ops::Range;

use model::{Key, Value};

use super::cell::{Span, Text, each};
use super::{State, say};
use crate::Sink;
use crate::dump::Piece;
use crate::xtream_url;

/// What is kept of sources.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Providers whose host was told.
    told: HashSet<Key>,
}

/// A provider: `provider:host:port/user`.
fn provider_key(host: &str, port: u16, user: &str) -> Key {
    let host = match host.parse::<IpAddr>() {
        Ok(ip) => ip.to_string(),
        Err(_) => host.trim_end_matches('.').to_lowercase(),
    };
    Key::new("provider", &format!("{host}:{port}/{user}"))
}

/// Rows of the table of providers.
pub(super) fn providers(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    each(piece, |row| {
        let (Some(host), Some(user)) = (row.text("ip"), row.text("username")) else { return };
        // Some write a whole URL where a host is asked for.
        let written = host.text.trim();
        let lead = host.text.len() - host.text.trim_start().len();
        let split = xtream_url::split(written);
        let (name, range) = match &split {
            Some(url) => (url.host(), url.host.clone()),
            None => (written, 0..written.len()),
        };
        let span = host.part(lead + range.start..lead + range.end);
        let stated = row.int("port").and_then(|(n, span)| Some((u16::try_from(n).ok()?, span)));
        let port = stated.map(|(n, _)| n).or(split.as_ref().and_then(|u| u.port)).unwrap_or(80);
        let key = provider_key(name, port, user.text.trim());
        let panel = state.panel.clone();
        state.keep(&panel, "fed_by", Value::Key(key.clone()), span, out);
        state.keep(&key, "host", Value::Text(name.to_owned()), span, out);
        state.keep(
            &key,
            "user_name",
            Value::Text(super::cut(&user.text).to_owned()),
            user.span,
            out,
        );
        if let Some((n, span)) = stated {
            state.keep(&key, "port", Value::Int(i64::from(n)), span, out);
        }
        if let Some(text) = row.text("name") {
            state.keep(
                &key,
                "name",
                Value::Text(super::cut(&text.text).to_owned()),
                text.span,
                out,
            );
        }
        if let Some((n, span)) = row.int("enabled") {
            state.keep(&key, "enabled", Value::Bool(n != 0), span, out);
        }
        if let Some((n, span)) = row.int("status") {
            state.keep(&key, "status", Value::Int(n), span, out);
        }
        if let Some(span) = row.there("password") {
            state.keep(&key, "password", Value::Secret, span, out);
        }
        if let Some((property, to)) = host_link(name, state) {
            state.keep(&key, property, Value::Key(to), span, out);
        }
    });
}

/// The link to a host: an address or a name.
fn host_link(host: &str, state: &State) -> Option<(&'static str, Key)> {
    match host.parse::<IpAddr>() {
        Ok(ip) => Some(("has_address", Key::ip(ip, state.exhibit))),
        Err(_) => Key::domain(host).map(|d| ("has_name", d)),
    }
}

/// The sources of a stream: `url`, `taken_from`, and the account in the URL.
pub(super) fn sources(state: &mut State, stream: &Key, list: &Text, out: &mut dyn Sink) {
    strings(&list.text, &mut |url, map| {
        let span = |range: Range<usize>| -> Span {
            let at = |i: usize| map.get(i).copied().unwrap_or(list.text.len());
            list.part(at(range.start)..at(range.end))
        };
        source(state, stream, url, &span, out);
    });
}

fn source(
    state: &mut State,
    stream: &Key,
    text: &str,
    span: &dyn Fn(Range<usize>) -> Span,
    out: &mut dyn Sink,
) {
    let shown = super::cut(text);
    let split = xtream_url::split(shown);
    let xtream = split.as_ref().and_then(xtream_url::of_url);
    let secrets = match &split {
        Some(url) => xtream_url::secrets_of(url, xtream.as_ref()),
        None => Vec::new(),
    };
    let hidden = xtream_url::hide(shown, &secrets).into_owned();
    say(out, stream, "url", Value::Text(hidden), span(0..shown.len()));
    let Some(url) = split else { return };
    let mut holder = stream.clone();
    if let Some(found) = xtream {
        let key = provider_key(&found.host, found.effective_port(), &found.user);
        let named = span(url.host.start..found.user_range.end.max(url.host.end));
        say(out, stream, "taken_from", Value::Key(key.clone()), named);
        if !state.sources.told.contains(&key) && state.room(key.as_str().len(), named, out) {
            state.sources.told.insert(key.clone());
            let host = span(url.host.clone());
            say(out, &key, "host", Value::Text(found.host.clone()), host);
            say(
                out,
                &key,
                "user_name",
                Value::Text(found.user.to_string()),
                span(found.user_range.clone()),
            );
            if let Some((property, to)) = host_link(&found.host, state) {
                say(out, &key, property, Value::Key(to), host);
            }
        }
        holder = key;
    } else if let Some(host) = url.host_key(state.exhibit) {
        say(out, stream, "taken_from", Value::Key(host), span(url.host.clone()));
    }
    for secret in secrets {
        say(out, &holder, "password", Value::Secret, span(secret));
    }
}

/// Calls `f` with each text of a JSON array, decoded, and where each of its bytes stands in `text`;
/// with the whole text where it is no array.
fn strings(text: &str, f: &mut dyn FnMut(&str, &[usize])) {
    let b = text.as_bytes();
    let first = b.iter().position(|c| !c.is_ascii_whitespace()).unwrap_or(b.len());
    if !matches!(b.get(first), Some(b'[' | b'{')) {
        let whole = text.trim();
        if !whole.is_empty() {
            let map: Vec<usize> = (first..=first + whole.len()).collect();
            f(whole, &map);
        }
        return;
    }
    let mut i = first;
    while let Some(n) = memchr::memchr(b'"', &b[i..]) {
        i += n + 1;
        let (mut out, mut map) = (String::new(), Vec::new());
        let mut ended = false;
        while let Some(c) = text[i..].chars().next() {
            let at = i;
            let mut add = |c: char| {
                out.push(c);
                map.resize(out.len(), at);
            };
            i += c.len_utf8();
            match c {
                '"' => {
                    map.push(at);
                    ended = true;
                    break;
                }
                '\\' => {
                    let Some(e) = text[i..].chars().next() else { break };
                    i += e.len_utf8();
                    match e {
                        'n' => add('\n'),
                        'r' => add('\r'),
                        't' => add('\t'),
                        'b' => add('\u{8}'),
                        'f' => add('\u{c}'),
                        'u' => {
                            let code = |at: usize| {
                                text.get(at..at + 4).and_then(|h| u16::from_str_radix(h, 16).ok())
                            };
                            let Some(high) = code(i) else {
                                add('\u{fffd}');
                                continue;
                            };
                            i += 4;
                            let low = if text[i..].starts_with("\\u") { code(i + 2) } else { None };
                            let pair = low.map(|l| char::decode_utf16([high, l]).next());
                            match (pair, char::from_u32(u32::from(high))) {
                                (_, Some(c)) => add(c),
                                (Some(Some(Ok(c))), None) => {
                                    i += 6;
                                    add(c);
                                }
                                _ => add('\u{fffd}'),
                            }
                        }
                        other => add(other),
                    }
                }
                c => add(c),
            }
        }
        if ended && !out.is_empty() {
            f(&out, &map);
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn texts_of_arrays_lead_back() {
        let text = r#" ["http:\/\/h\u00e9\/x","", "y\ud83d\ude00"]"#;
        let mut seen = Vec::new();
        super::strings(text, &mut |s, map| {
            assert_eq!(map.len(), s.len() + 1);
            seen.push((s.to_owned(), text[map[0]..map[s.len()]].to_owned()));
        });
        assert_eq!(
            seen,
            [
                ("http://hé/x".to_owned(), r"http:\/\/h\u00e9\/x".to_owned()),
                ("y😀".to_owned(), r"y\ud83d\ude00".to_owned())
            ]
        );
        super::strings("plain://x ", &mut |s, map| assert_eq!((s, map[9]), ("plain://x", 9)));
    }
}

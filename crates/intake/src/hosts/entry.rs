//! One entry of a host list.

use std::net::IpAddr;

use model::{ExhibitId, Fact, Key, Value, suffix};

use crate::sink::Sink;
use crate::xtream_url;

/// An entry without the marks that lists put around names.
fn bare(word: &[u8]) -> Option<(usize, &str)> {
    let text = std::str::from_utf8(word).ok()?;
    let mut inner = text;
    for mark in ["||", "*.", "."] {
        inner = inner.strip_prefix(mark).unwrap_or(inner);
    }
    let inner = inner.trim_end_matches(['^', ',', ';']);
    (!inner.is_empty()).then(|| (inner.as_ptr() as usize - text.as_ptr() as usize, inner))
}

/// The address that a word is, port and brackets aside.
pub(super) fn address(word: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(word).ok()?;
    if let Ok(ip) = text.parse() {
        return Some(ip);
    }
    if let Ok(socket) = text.parse::<std::net::SocketAddr>() {
        return Some(socket.ip());
    }
    text.strip_prefix('[')?.strip_suffix(']')?.parse().ok()
}

/// A network: its first address and the length of its prefix.
fn network(text: &str) -> Option<(IpAddr, u8)> {
    let (ip, len) = text.split_once('/')?;
    let ip: IpAddr = ip.parse().ok()?;
    if len.is_empty() || len.len() > 3 || !len.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let len: u8 = len.parse().ok()?;
    match ip {
        IpAddr::V4(v4) if len <= 32 => {
            let mask = u32::MAX.checked_shl(32 - u32::from(len)).unwrap_or(0);
            Some((IpAddr::V4((v4.to_bits() & mask).into()), len))
        }
        IpAddr::V6(v6) if len <= 128 => {
            let mask = u128::MAX.checked_shl(128 - u32::from(len)).unwrap_or(0);
            Some((IpAddr::V6((v6.to_bits() & mask).into()), len))
        }
        _ => None,
    }
}

/// What an entry is.
enum Entry {
    Host(Key),
    Network(Key, String),
    Url(Key),
}

fn read(text: &str, exhibit: ExhibitId) -> Option<Entry> {
    if text.contains("://") {
        let url = xtream_url::split(text)?;
        return url.host_key(exhibit).map(Entry::Url);
    }
    if let Some(ip) = address(text.as_bytes()) {
        return Some(Entry::Host(Key::ip(ip, exhibit)));
    }
    if let Some((ip, len)) = network(text) {
        return Some(Entry::Network(Key::ip(ip, exhibit), format!("{ip}/{len}")));
    }
    // A path or a port behind a name.
    let host = text.split(['/', '?']).next().unwrap_or(text);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host,
    };
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Some(Entry::Host(Key::ip(ip, exhibit)));
    }
    Key::domain(host).map(Entry::Host)
}

/// True for what is an entry even where nothing says that this is a list: a name needs a known
/// suffix.
pub(super) fn surely(word: &[u8]) -> bool {
    let Some((_, text)) = bare(word) else { return false };
    match read(text, ExhibitId([0; 32])) {
        Some(Entry::Host(key) | Entry::Url(key)) => {
            key.scheme() != "domain" || suffix::names_host(key.rest())
        }
        Some(Entry::Network(..)) => true,
        None => false,
    }
}

/// Gives the facts of the entry that a word is; `at` is its first byte's place. `None` where it is
/// none.
pub(super) fn give(word: &[u8], at: u64, exhibit: ExhibitId, out: &mut dyn Sink) -> Option<Key> {
    let (lead, text) = bare(word)?;
    let entry = read(text, exhibit)?;
    let (start, end) = (at, at + word.len() as u64);
    let mut fact = |key: &Key, property, value, start, end| {
        out.fact(Fact { subject: key.clone(), property, value, start, end });
    };
    let whole = std::str::from_utf8(word).ok()?;
    let written = || Value::Text(xtream_url::hide_password(whole).into_owned());
    match entry {
        Entry::Host(key) => {
            fact(&key, "as_written", written(), start, end);
            Some(key)
        }
        Entry::Network(key, network) => {
            fact(&key, "as_written", written(), start, end);
            fact(&key, "network", Value::Text(network), start, end);
            Some(key)
        }
        Entry::Url(key) => {
            let from = at + lead as u64;
            fact(
                &key,
                "as_written",
                Value::Text(xtream_url::hide_password(text).into_owned()),
                from,
                from + text.len() as u64,
            );
            let shown = Value::Text(xtream_url::hide_password(text).into_owned());
            fact(&key, "url", shown, from, from + text.len() as u64);
            for secret in xtream_url::secrets(text) {
                let place = |i: usize| from + i as u64;
                fact(&key, "password", Value::Secret, place(secret.start), place(secret.end));
            }
            Some(key)
        }
    }
}

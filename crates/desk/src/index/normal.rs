//! The form in which a value stands in an index: one form for all ways of writing it.

use std::borrow::Cow;
use std::net::IpAddr;

use model::{Key, Meaning};

/// Longest key of an index; a longer value is cut and ends in the digest of the whole.
const MAX: usize = 400;

/// The index's key for a value of a column with this meaning; `None` where the value names nothing
/// (no MAC address, all zeros, …): such rows are found by a scan.
pub(crate) fn normal_form(meaning: Meaning, value: &[u8]) -> Option<Cow<'_, [u8]>> {
    if value.is_empty() {
        return None;
    }
    match meaning {
        Meaning::Mac => {
            if is_normal_mac(value) {
                return Some(Cow::Borrowed(value));
            }
            let key = Key::mac(std::str::from_utf8(value).ok()?.trim())?;
            Some(Cow::Owned(key.rest().as_bytes().to_vec()))
        }
        Meaning::Email => {
            let key = Key::email(std::str::from_utf8(value).ok()?.trim())?;
            Some(Cow::Owned(key.rest().as_bytes().to_vec()))
        }
        Meaning::Address => {
            let text = std::str::from_utf8(value).ok()?.trim();
            match text.parse::<IpAddr>().ok()?.to_canonical() {
                IpAddr::V4(_) if !text.contains(':') => Some(Cow::Borrowed(text.as_bytes())),
                ip => Some(Cow::Owned(ip.to_string().into_bytes())),
            }
        }
        _ => Some(bounded(value)),
    }
}

/// Control characters are replaced, as in keys; what is long is cut.
fn bounded(value: &[u8]) -> Cow<'_, [u8]> {
    let value = if value.iter().any(u8::is_ascii_control) || !value.is_ascii() {
        let text = String::from_utf8_lossy(value);
        let clean: String =
            text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
        Cow::Owned(clean.into_bytes())
    } else {
        Cow::Borrowed(value)
    };
    if value.len() <= MAX {
        return value;
    }
    let mut cut = value[..MAX - 65].to_vec();
    while !cut.is_empty() && std::str::from_utf8(&cut).is_err() {
        cut.pop();
    }
    cut.push(b'#');
    cut.extend_from_slice(model::Sha256Hex::of(&value).to_string().as_bytes());
    Cow::Owned(cut)
}

/// `aa:bb:cc:dd:ee:ff` in lower case, neither all zeros nor broadcast.
fn is_normal_mac(value: &[u8]) -> bool {
    value.len() == 17
        && value.iter().enumerate().all(|(i, b)| {
            if i % 3 == 2 { *b == b':' } else { matches!(b, b'0'..=b'9' | b'a'..=b'f') }
        })
        && value != b"00:00:00:00:00:00"
        && value != b"ff:ff:ff:ff:ff:ff"
}

/// The key of an index of pairs.
pub(crate) fn pair_key(first: &[u8], second: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(first.len() + second.len() + 1);
    key.extend_from_slice(first);
    key.push(0);
    key.extend_from_slice(second);
    key
}

/// The two halves of a pair's key.
pub(crate) fn split_pair(key: &[u8]) -> (&[u8], &[u8]) {
    match key.iter().position(|b| *b == 0) {
        Some(at) => (&key[..at], &key[at + 1..]),
        None => (key, &[]),
    }
}

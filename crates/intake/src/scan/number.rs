//! Indicators made of digits: addresses, devices, telephones, accounts and wallets.

use std::net::IpAddr;

use model::Key;
use model::key::is_global;

use super::anchor::{Found, View};
use super::text::{before, ends_in_word, is_word};
use super::{Ground, Hit, host};
use crate::checksums;

fn found(view: &View<'_>, key: Key, range: std::ops::Range<usize>) -> Option<Found> {
    view.in_text(&range).then_some(Found {
        resume: range.end,
        quiet: 0,
        hit: Some(Hit { key, range, url: None }),
    })
}

/// The key of an address: a private one only where the exhibit is known, an unspecified, loopback
/// or multicast one never.
pub(crate) fn address_key(view: &View<'_>, ip: IpAddr) -> Option<Key> {
    let ip = ip.to_canonical();
    if is_global(ip) {
        return Some(Key::ip(ip, model::ExhibitId([0; 32])));
    }
    let nothing = ip.is_unspecified() || ip.is_loopback() || ip.is_multicast();
    let reserved = matches!(ip, IpAddr::V4(v4) if v4.octets()[0] == 0 || v4.octets()[0] >= 240);
    if nothing || reserved { None } else { view.rules.exhibit.map(|exhibit| Key::ip(ip, exhibit)) }
}

/// Four octets, the first dot at `at`.
pub(crate) fn ipv4(view: &View<'_>, at: usize) -> Option<Found> {
    let (range, octets) = quad(view, at)?;
    let bytes = view.bytes;
    let prev = view.prev(range.start);
    if is_word(prev) || matches!(prev, b'.' | b'_') {
        return None;
    }
    // `Product/1.2.3.4` is a version; `1.2.3.4-5` one too, unless an address follows the hyphen.
    if prev == b'/' && range.start >= 2 && bytes[range.start - 2].is_ascii_alphanumeric() {
        return None;
    }
    let next = view.at(range.end);
    let after = view.at(range.end + 1);
    match next {
        b'_' => return None,
        b'.' if after.is_ascii_digit() || after.is_ascii_lowercase() || after >= 0x80 => {
            return None;
        }
        b'-' if after.is_ascii_digit() => {
            let dot = range.end
                + 1
                + bytes[range.end + 1..].iter().take(3).take_while(|b| b.is_ascii_digit()).count();
            if view.at(dot) != b'.' || quad(view, dot).is_none() {
                return None;
            }
        }
        b if is_word(b) => return None,
        _ => {}
    }
    let network = next == b'/' && after.is_ascii_digit();
    if octets[1..] == [0, 0, 0] && !network {
        return None;
    }
    let port = next == b':' && after.is_ascii_digit();
    if view.rules.ground != Ground::People
        && octets.iter().all(|o| *o < 32)
        && !(network || port || host::named(view, range.start))
    {
        return None;
    }
    let words = [
        "version",
        "ver",
        "v",
        "release",
        "rev",
        "revision",
        "build",
        "vers",
        "fileversion",
        "productversion",
        "assemblyversion",
    ];
    if ends_in_word(&before(bytes, range.start), &words) {
        return None;
    }
    let key = address_key(view, IpAddr::from(octets))?;
    found(view, key, range)
}

fn quad(view: &View<'_>, at: usize) -> Option<(std::ops::Range<usize>, [u8; 4])> {
    let bytes = view.bytes;
    let mut start = at;
    while start > view.floor && at - start < 4 && bytes[start - 1].is_ascii_digit() {
        start -= 1;
    }
    let mut octets = [0u8; 4];
    let mut i = start;
    for (n, octet) in octets.iter_mut().enumerate() {
        if n > 0 {
            if view.at(i) != b'.' {
                return None;
            }
            i += 1;
        }
        let digits = bytes.get(i..)?.iter().take(4).take_while(|b| b.is_ascii_digit()).count();
        let part = &bytes[i..i + digits];
        if digits == 0 || digits > 3 || (digits > 1 && part[0] == b'0') {
            return None;
        }
        let value = part.iter().fold(0u16, |n, d| n * 10 + u16::from(d - b'0'));
        *octet = u8::try_from(value).ok()?;
        i += digits;
    }
    Some((start..i, octets))
}

/// An IPv6 address around the colon at `at`.
pub(crate) fn ipv6(view: &View<'_>, at: usize) -> Option<Found> {
    let bytes = view.bytes;
    let part = |b: u8| b.is_ascii_hexdigit() || b == b':' || b == b'.';
    let least = view.floor.max(at.saturating_sub(5));
    let mut start = at;
    while start > least && part(bytes[start - 1]) {
        start -= 1;
    }
    let len = bytes[start..].iter().take(52).take_while(|b| part(**b)).count();
    let mut end = start + len;
    let skip = Some(Found { hit: None, resume: end, quiet: 0 });
    if len > 50 {
        return skip;
    }
    // `id:2001:…`: the label before is not part of the address.
    if is_word(view.prev(start)) || view.prev(start) == b'_' {
        start = at + 1;
    }
    while view.at(start) == b':' && view.at(start + 1) != b':' && start < end {
        start += 1;
    }
    while end > start
        && (bytes[end - 1] == b'.'
            || (bytes[end - 1] == b':' && bytes[..end - 1].last() != Some(&b':')))
    {
        end -= 1;
    }
    if end.saturating_sub(start) < 4 || is_word(view.at(end)) || view.at(end) == b'_' {
        return skip;
    }
    let text = std::str::from_utf8(&bytes[start..end]).ok()?;
    let Ok(ip) = text.parse::<std::net::Ipv6Addr>() else { return skip };
    let first = ip.segments()[0];
    let mapped = ip.to_ipv4_mapped().is_some();
    // Global unicast, unique local and link-local space; `a::b` in code is none of them.
    let space = first & 0xe000 == 0x2000 || first & 0xfe00 == 0xfc00 || first & 0xffc0 == 0xfe80;
    if !(space || mapped) {
        return skip;
    }
    match address_key(view, IpAddr::V6(ip)) {
        Some(key) => found(view, key, start..end),
        None => skip,
    }
}

/// Six pairs of hexadecimal digits, the first separator at `at`: `:`, `-` or `%3A`.
pub(crate) fn mac(view: &View<'_>, at: usize) -> Option<Found> {
    let bytes = view.bytes;
    let first = bytes[at];
    let sep: &[u8] = match first {
        b'%' => bytes.get(at..at + 3).filter(|s| s.eq_ignore_ascii_case(b"%3a"))?,
        _ => std::slice::from_ref(&bytes[at]),
    };
    let start = at.checked_sub(2).filter(|s| *s >= view.floor)?;
    let mut i = start;
    let mut text = String::with_capacity(17);
    for n in 0..6 {
        if n > 0 {
            let here = bytes.get(i..i + sep.len())?;
            if !here.eq_ignore_ascii_case(sep) {
                return None;
            }
            i += sep.len();
            text.push(':');
        }
        let pair = bytes.get(i..i + 2)?;
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        text.extend(pair.iter().map(|b| char::from(*b)));
        i += 2;
    }
    let prev = view.prev(start);
    let chain = bytes[i..].get(..sep.len()).is_some_and(|s| s.eq_ignore_ascii_case(sep))
        && bytes.get(i + sep.len()).is_some_and(u8::is_ascii_hexdigit);
    let escaped = prev_is_escape(bytes, start);
    if ((is_word(prev) || prev == b'_') && !escaped)
        || (first != b'%' && prev == first)
        || is_word(view.at(i))
        || chain
    {
        return None;
    }
    found(view, Key::mac(&text)?, start..i)
}

/// `mac%3D00%3A…`: what stands before is the end of an escape.
fn prev_is_escape(bytes: &[u8], start: usize) -> bool {
    start >= 3
        && bytes[start - 3] == b'%'
        && bytes[start - 2..start].iter().all(u8::is_ascii_hexdigit)
        && !bytes[start - 3..start].eq_ignore_ascii_case(b"%3a")
}

/// Cisco's three groups of four, the first dot at `at`. One letter at least, or it is a number.
pub(crate) fn mac_dotted(view: &View<'_>, at: usize) -> Option<Found> {
    let start = at.checked_sub(4).filter(|s| *s >= view.floor)?;
    let end = start + 14;
    let part = view.bytes.get(start..end)?;
    let fits = part
        .iter()
        .enumerate()
        .all(|(i, b)| if i == 4 || i == 9 { *b == b'.' } else { b.is_ascii_hexdigit() });
    let prev = view.prev(start);
    if !fits
        || !part.iter().any(u8::is_ascii_alphabetic)
        || is_word(prev)
        || matches!(prev, b'.' | b'_' | b'-' | b'/')
        || is_word(view.at(end))
        || matches!(view.at(end), b'_' | b'-')
        || (view.at(end) == b'.' && is_word(view.at(end + 1)))
    {
        return None;
    }
    let key = Key::mac(std::str::from_utf8(part).ok()?)?;
    found(view, key, start..end)
}

/// True for the beginnings of numbers that a country's calling code may make (ITU-T E.164).
fn calling_code(digits: &str) -> bool {
    const TWO: &[&str] = &[
        "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46",
        "47", "48", "49", "51", "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63",
        "64", "65", "66", "81", "82", "84", "86", "90", "91", "92", "93", "94", "95", "98",
    ];
    match digits.as_bytes() {
        [b'1', b'2'..=b'9', ..] | [b'7', b'3'..=b'9', ..] => true,
        [a, b, c, ..] => {
            TWO.contains(&&digits[..2])
                || match (a, b) {
                    (b'2', b'1' | b'2' | b'3' | b'4' | b'5' | b'6' | b'9') => true,
                    (b'3', b'5' | b'7' | b'8') | (b'4', b'2') => true,
                    (b'5', b'0' | b'9') | (b'6', b'7' | b'8' | b'9') => true,
                    (b'8', b'0' | b'5' | b'7' | b'8') => *b != b'0' || *c == b'0',
                    (b'9', b'6' | b'7' | b'9') => true,
                    _ => false,
                }
        }
        _ => false,
    }
}

/// A telephone number after the `+` at `at`. One separator, or `(0)`'s brackets, between groups; a
/// number written in one piece of nine digits or more ends with it.
pub(crate) fn phone(view: &View<'_>, at: usize) -> Option<Found> {
    let bytes = view.bytes;
    let prev = view.prev(at);
    if at < view.floor
        || is_word(prev)
        || matches!(prev, b'+' | b'.' | b'_' | b'/')
        || !view.at(at + 1).is_ascii_digit()
    {
        return None;
    }
    let mut digits = String::new();
    let mut i = at + 1;
    let mut end = i;
    loop {
        let group = bytes[i..].iter().take(16).take_while(|b| b.is_ascii_digit()).count();
        let stop = view.at(i + group);
        // Letters right behind, or a decimal or an address: not this group.
        let foreign = is_word(stop)
            || stop == b'_'
            || (digits.len() + group > 15)
            || (stop == b'.' && quad(view, i + group).is_some());
        if group == 0 || (foreign && digits.len() >= 8) {
            break;
        }
        if foreign {
            return None;
        }
        digits.extend(bytes[i..i + group].iter().map(|b| char::from(*b)));
        end = i + group;
        if group >= 9 {
            break;
        }
        // One separator, or `) ` and ` (` and `(0)`.
        i = end;
        let mut seps = 0;
        while seps < 3 {
            let two = bytes.get(i..i + 2).unwrap_or_default();
            if matches!(bytes.get(i), Some(b' ' | b'-' | b'.' | b'(' | b')' | b'/')) {
                i += 1;
            } else if two == [0xc2, 0xa0] {
                i += 2;
            } else if bytes.get(i..i + 3) == Some(&[0xe2, 0x80, 0xaf]) {
                i += 3;
            } else {
                break;
            }
            seps += 1;
        }
        if bytes[end..i].windows(2).any(|w| w[0] == w[1] && w[0] != 0xa0) || i == end {
            break;
        }
        // `+44 (0)20 …`: the trunk zero is not part of the number.
        if bytes[..i].ends_with(b"(") && bytes[i..].starts_with(b"0)") {
            return None;
        }
    }
    if !(8..=15).contains(&digits.len()) || !calling_code(&digits) {
        return None;
    }
    if view.at(end) == b')' && bytes[at..end].contains(&b'(') && !bytes[at..end].contains(&b')') {
        end += 1;
    }
    let key = Key::phone(&format!("+{digits}"))?;
    found(view, key, at..end)
}

/// An IBAN or a wallet that begins with the word of `len` bytes at `at`.
pub(crate) fn word(bytes: &[u8], at: usize, len: usize, ended: bool) -> Option<Hit> {
    let text = &bytes[at..at + len];
    if let [a @ b'A'..=b'Z', b @ b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', ..] = text
        && let Some(hit) =
            model::iban::length([*a, *b]).and_then(|want| iban(bytes, at, len, want, ended))
    {
        return Some(hit);
    }
    if len < 26 {
        return None;
    }
    let prev = at.checked_sub(1).map_or(0, |i| bytes[i]);
    let next = bytes.get(at + len).copied().unwrap_or(0);
    if matches!(prev, b'@' | b'_') || matches!(next, b'@' | b'_' | 0x80..) {
        return None;
    }
    checksums::wallet(text).map(|key| Hit { key, range: at..at + len, url: None })
}

/// An IBAN of `want` characters from `at` on: in one word, or in groups of four.
fn iban(bytes: &[u8], at: usize, len: usize, want: usize, _ended: bool) -> Option<Hit> {
    let end = if len == want {
        at + want
    } else if len == 4 {
        let mut i = at + 4;
        let mut left = want - 4;
        while left > 0 {
            if bytes.get(i) != Some(&b' ') {
                return None;
            }
            let group = left.min(4);
            let part = bytes.get(i + 1..i + 1 + group)?;
            if !part.iter().all(|b| b.is_ascii_digit() || b.is_ascii_uppercase()) {
                return None;
            }
            i += 1 + group;
            left -= group;
        }
        i
    } else {
        return None;
    };
    if bytes.get(end).is_some_and(|b| is_word(*b) || *b == b'_') {
        return None;
    }
    let text = std::str::from_utf8(&bytes[at..end]).ok()?;
    Some(Hit { key: Key::iban(text)?, range: at..end, url: None })
}

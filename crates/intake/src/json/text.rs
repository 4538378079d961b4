//! The text of a JSON string: escapes undone, broken bytes replaced and said so; what is a number.

use std::borrow::Cow;

/// Decodes what stands between the quotes. The flag is true where something could not be decoded as
/// it should: bytes that are not UTF-8 (U+FFFD), a lone surrogate (U+FFFD), an escape that JSON does
/// not have (kept as written).
pub fn decode(raw: &[u8]) -> (Cow<'_, str>, bool) {
    let Some(first) = memchr::memchr(b'\\', raw) else {
        return match std::str::from_utf8(raw) {
            Ok(text) => (Cow::Borrowed(text), false),
            Err(_) => (String::from_utf8_lossy(raw), true),
        };
    };
    let mut out = Vec::with_capacity(raw.len());
    let mut lossy = false;
    out.extend_from_slice(&raw[..first]);
    let mut i = first;
    while i < raw.len() {
        if raw[i] != b'\\' {
            let stop = memchr::memchr(b'\\', &raw[i..]).map_or(raw.len(), |n| i + n);
            out.extend_from_slice(&raw[i..stop]);
            i = stop;
            continue;
        }
        let plain = match raw.get(i + 1) {
            Some(c @ (b'"' | b'\\' | b'/')) => Some(*c),
            Some(b'b') => Some(8),
            Some(b'f') => Some(12),
            Some(b'n') => Some(b'\n'),
            Some(b'r') => Some(b'\r'),
            Some(b't') => Some(b'\t'),
            _ => None,
        };
        if let Some(byte) = plain {
            out.push(byte);
            i += 2;
        } else if let Some(unit) = unit(raw, i) {
            i += 6;
            let mut code = u32::from(unit);
            if (0xd800..0xdc00).contains(&unit)
                && let Some(low) = self::unit(raw, i).filter(|u| (0xdc00..0xe000).contains(u))
            {
                code = 0x1_0000 + ((code - 0xd800) << 10) + (u32::from(low) - 0xdc00);
                i += 6;
            }
            let c = char::from_u32(code).unwrap_or_else(|| {
                lossy = true;
                char::REPLACEMENT_CHARACTER
            });
            out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
        } else {
            lossy = true;
            out.push(b'\\');
            i += 1;
        }
    }
    match String::from_utf8(out) {
        Ok(text) => (Cow::Owned(text), lossy),
        Err(e) => (Cow::Owned(String::from_utf8_lossy(e.as_bytes()).into_owned()), true),
    }
}

/// For each byte of the decoded text, and for its end, the place in `raw` that it was read from.
pub(crate) fn places(raw: &[u8]) -> Vec<u32> {
    let mut out = Vec::with_capacity(raw.len() + 1);
    let mut i = 0;
    while i < raw.len() {
        let stop = memchr::memchr(b'\\', &raw[i..]).map_or(raw.len(), |n| i + n);
        for chunk in raw[i..stop].utf8_chunks() {
            out.extend((i..i + chunk.valid().len()).map(|n| n as u32));
            i += chunk.valid().len();
            if !chunk.invalid().is_empty() {
                out.extend([i as u32; 3]);
                i += chunk.invalid().len();
            }
        }
        if i >= raw.len() {
            break;
        }
        let used = match raw.get(i + 1) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
            _ => match unit(raw, i) {
                Some(0xd800..0xdc00)
                    if unit(raw, i + 6).is_some_and(|u| (0xdc00..0xe000).contains(&u)) =>
                {
                    12
                }
                Some(_) => 6,
                None => 1,
            },
        };
        let len = decode(&raw[i..i + used]).0.len();
        out.extend(std::iter::repeat_n(i as u32, len));
        i += used;
    }
    out.push(raw.len() as u32);
    out
}

/// The code unit of `\uXXXX` at `at`.
fn unit(raw: &[u8], at: usize) -> Option<u16> {
    let digits = raw.get(at..at + 6)?.strip_prefix(b"\\u")?;
    digits.iter().try_fold(0u16, |acc, d| char::from(*d).to_digit(16).map(|d| acc << 4 | d as u16))
}

/// JSON's grammar of numbers, leading zeros allowed (panels write them).
pub(super) fn is_number(word: &[u8]) -> bool {
    let digits = |w: &[u8]| w.iter().take_while(|b| b.is_ascii_digit()).count();
    let mut rest = word.strip_prefix(b"-").unwrap_or(word);
    let whole = digits(rest);
    if whole == 0 {
        return false;
    }
    rest = &rest[whole..];
    if let Some(fraction) = rest.strip_prefix(b".") {
        let n = digits(fraction);
        if n == 0 {
            return false;
        }
        rest = &fraction[n..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = match exponent {
            [b'+' | b'-', tail @ ..] => tail,
            all => all,
        };
        let n = digits(exponent);
        return n > 0 && n == exponent.len();
    }
    rest.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn undoes_escapes_and_flags_what_is_broken() {
        for (raw, text, lossy) in [
            (&b"plain"[..], "plain", false),
            (br#"a\/b\n\"\u00e9"#, "a/b\n\"é", false),
            (br"\ud83d\ude00", "😀", false),
            (br"\ud83dx", "\u{fffd}x", true),
            (br"\ude00", "\u{fffd}", true),
            (br"\x41", "\\x41", true),
            (br"\u12", "\\u12", true),
            (b"caf\xe9", "caf\u{fffd}", true),
            (br"\", "\\", true),
        ] {
            assert_eq!(decode(raw), (Cow::Borrowed(text), lossy));
            let places = places(raw);
            assert_eq!(places.len(), text.len() + 1);
            assert!(places.is_sorted());
        }
    }
}

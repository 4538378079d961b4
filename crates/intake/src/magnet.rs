//! Magnet links: the swarm they name, and what they say of it (BEP 9, BEP 52).

use std::ops::Range;

use model::id::{hex, unhex};
use model::{Fact, Key, Value};

use crate::sink::Sink;
use crate::{release, torrent, xtream_url};

/// A parameter: its name, and where its value stands.
fn params(text: &str) -> impl Iterator<Item = (&str, Range<usize>)> {
    let mut at = text.find('?').map_or(text.len(), |q| q + 1);
    std::iter::from_fn(move || {
        while at < text.len() {
            let end = text[at..].find('&').map_or(text.len(), |n| at + n);
            let part = at..end;
            at = end + 1;
            let start =
                if text[part.clone()].starts_with("amp;") { part.start + 4 } else { part.start };
            if let Some(eq) = text[start..part.end].find('=') {
                return Some((&text[start..start + eq], start + eq + 1..part.end));
            }
        }
        None
    })
}

/// The hash of a topic (`urn:btih:…`, `urn:btmh:…`), and where its digits stand.
fn topic(text: &str, at: &Range<usize>) -> Option<(Vec<u8>, Range<usize>)> {
    let value = &text[at.clone()];
    let digits = at.start + 9..at.end;
    let urn = value.get(..9)?.to_ascii_lowercase();
    let hash = match urn.as_str() {
        "urn:btih:" => v1_hash(&value[9..])?.to_vec(),
        "urn:btmh:" => v2_hash(&value[9..])?.to_vec(),
        _ => return None,
    };
    Some((hash, digits))
}

fn topics(text: &str) -> Vec<(Vec<u8>, Range<usize>)> {
    let named = params(text).filter(|(name, _)| *name == "xt" || name.starts_with("xt."));
    named.filter_map(|(_, at)| topic(text, &at)).collect()
}

/// Where the digits of a link's first info-hash stand.
pub fn first_hash(text: &str) -> Option<usize> {
    topics(text).first().map(|(_, at)| at.start)
}

/// Gives what a magnet link says of its swarm: hashes, name, size, trackers, web seeds, peers.
/// `place` leads from the link's bytes to the exhibit's.
pub fn facts(text: &str, place: &dyn Fn(usize) -> u64, out: &mut dyn Sink) -> Option<Key> {
    let topics = topics(text);
    let v1 = topics.iter().find(|(hash, _)| hash.len() == 20);
    let v2 = topics.iter().find(|(hash, _)| hash.len() == 32);
    let swarm = Key::swarm(&v1.or(v2)?.0);
    let fact = |property, value, at: &Range<usize>, out: &mut dyn Sink| {
        let (start, end) = (place(at.start), place(at.end));
        out.fact(Fact { subject: swarm.clone(), property, value, start, end });
    };
    for (found, property) in [(v1, "info_hash_v1"), (v2, "info_hash_v2")] {
        if let Some((hash, at)) = found {
            fact(property, Value::Text(hex(hash)), at, out);
        }
    }
    if let (Some(_), Some((hash, at))) = (v1, v2) {
        fact(model::fact::SAME_AS, Value::Key(Key::swarm(hash)), at, out);
    }
    for (name, at) in params(text).filter(|(_, at)| !at.is_empty()) {
        let value = xtream_url::percent_decode(&text[at.clone()]);
        let (start, end) = (place(at.start), place(at.end));
        match name.split('.').next().unwrap_or(name) {
            "dn" => {
                let value = value.replace('+', " ");
                fact("name", Value::Text(value.clone()), &at, out);
                if release::is_release_name(&value) {
                    let to = Value::Key(release::facts(&value, start, end, out));
                    fact("distributes", to, &at, out);
                }
            }
            "xl" => {
                if let Ok(size) = value.parse::<i64>() {
                    fact("size", Value::Int(size), &at, out);
                }
            }
            "tr" => torrent::url_facts(&swarm, "tracker", &value, start, end, out),
            "ws" | "as" | "xs" if value.contains("://") => {
                torrent::url_facts(&swarm, "web_seed", &value, start, end, out);
            }
            "x" if name == "x.pe" => fact("node", Value::Text(value.into_owned()), &at, out),
            _ => {}
        }
    }
    Some(swarm)
}

/// The 20 bytes of a v1 info-hash written as 40 hexadecimal or 32 base32 digits.
pub fn v1_hash(word: &str) -> Option<[u8; 20]> {
    match word.len() {
        40 => unhex(&word.to_ascii_lowercase())?.try_into().ok(),
        32 => base32(word),
        _ => None,
    }
}

/// The 32 bytes of a v2 info-hash: a multihash in hexadecimal, SHA-256 (0x12) of 32 bytes (0x20).
pub fn v2_hash(word: &str) -> Option<[u8; 32]> {
    let digits = word.strip_prefix("1220")?;
    unhex(&digits.to_ascii_lowercase())?.try_into().ok()
}

/// RFC 4648's base32, either case, of 20 bytes.
fn base32(word: &str) -> Option<[u8; 20]> {
    let mut out = [0u8; 20];
    let mut at = 0;
    let mut bits = 0u32;
    let mut held = 0;
    for byte in word.bytes() {
        let digit = match byte.to_ascii_uppercase() {
            b @ b'A'..=b'Z' => b - b'A',
            b @ b'2'..=b'7' => b - b'2' + 26,
            _ => return None,
        };
        bits = bits << 5 | u32::from(digit);
        held += 5;
        if held >= 8 {
            held -= 8;
            *out.get_mut(at)? = (bits >> held) as u8;
            at += 1;
            bits &= (1 << held) - 1;
        }
    }
    (at == 20).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Collect;

    const LINK: &str = "magnet:?xt=urn:btih:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA&amp;dn=Some.Show.S01E02.1080p.WEB.H264-GRP&tr=udp%3A%2F%2Ftracker.example%3A80&tr=http://t2.example/announce&xl=12&xt=urn:btmh:1220aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa&ws=http%3A%2F%2Fs.example%2F&x.pe=198.18.0.9:6881";

    #[test]
    fn a_link_says_all_it_says() {
        let mut out = Collect::default();
        let swarm = facts(LINK, &|at| at as u64, &mut out).unwrap().to_string();
        assert_eq!(swarm, format!("swarm:{}", "0".repeat(40)));
        for (property, values) in [
            ("name", &["Some.Show.S01E02.1080p.WEB.H264-GRP"][..]),
            ("tracker", &["udp://tracker.example:80", "http://t2.example/announce"]),
            ("tracked_by", &["domain:tracker.example", "domain:t2.example", "domain:s.example"]),
            ("size", &["12"]),
            ("node", &["198.18.0.9:6881"]),
            ("distributes", &["release:some.show.s01e02.1080p.web.h264-grp"]),
        ] {
            assert_eq!(out.values(&swarm, property), values, "{property}");
        }
        let v2 = format!("swarm:{}", "a".repeat(64));
        assert_eq!(out.values(&swarm, "same_as"), [v2]);
        for fact in &out.facts {
            assert!(fact.start < fact.end && fact.end <= LINK.len() as u64);
        }
    }

    #[test]
    fn hashes_of_each_form() {
        assert_eq!(v1_hash(&"Ff".repeat(20)), Some([255; 20]));
        assert_eq!(v1_hash(&"7".repeat(32)), Some([255; 20]));
        assert_eq!(v1_hash(&"g".repeat(40)), None);
        assert_eq!(v1_hash(&"1".repeat(32)), None);
        assert_eq!(v2_hash(&format!("1220{}", "00".repeat(32))), Some([0; 32]));
        assert_eq!(v2_hash(&"00".repeat(34)), None);
        assert_eq!(
            facts("magnet:?xt=urn:btih:xyz&dn=a", &|at| at as u64, &mut Collect::default()),
            None
        );
    }
}

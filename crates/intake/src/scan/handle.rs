//! Accounts of messengers, by link or by `@name`; and swarms by their info-hash.

use model::Key;

use super::anchor::{Found, View};
use super::text::{before, ends_in_word, is_word};
use super::{Ground, Hit};

/// Words that name a service before a handle.
const SERVICES: &[(&str, &[&str])] = &[
    ("telegram", &["telegram", "tg", "tele", "telegramm", "t.me"]),
    ("whatsapp", &["whatsapp", "wa"]),
    ("instagram", &["instagram", "insta", "ig"]),
    ("discord", &["discord"]),
    ("skype", &["skype"]),
    ("signal", &["signal"]),
    ("wechat", &["wechat", "weixin"]),
    ("twitter", &["twitter", "x"]),
    ("facebook", &["facebook", "fb"]),
    ("tiktok", &["tiktok"]),
    ("viber", &["viber"]),
];

/// What follows an `@` in code, style sheets, comments and chats without naming anybody.
const NOBODY: &[&str] = &[
    "admin",
    "author",
    "channel",
    "charset",
    "class",
    "deprecated",
    "everyone",
    "example",
    "extends",
    "font",
    "global",
    "ignore",
    "implements",
    "import",
    "include",
    "internal",
    "keyframes",
    "license",
    "media",
    "namespace",
    "override",
    "package",
    "param",
    "private",
    "property",
    "return",
    "returns",
    "since",
    "static",
    "suppresswarnings",
    "supports",
    "throws",
    "todo",
    "version",
];

/// `@name`: a handle.
pub(crate) fn at_name(view: &View<'_>, at: usize) -> Option<Found> {
    let prev = view.prev(at);
    if is_word(prev)
        || matches!(prev, b'@' | b'.' | b'_' | b'-' | b'/' | b'\\' | b'%' | b'&' | b'=')
    {
        return None;
    }
    let name: Vec<u8> = view.bytes[at + 1..]
        .iter()
        .take(33)
        .take_while(|b| b.is_ascii_alphanumeric() || **b == b'_')
        .copied()
        .collect();
    let end = at + 1 + name.len();
    if !good_name(&name) || matches!(view.at(end), b'@' | b'/' | b'(' | 0x80..) {
        return None;
    }
    if matches!(view.at(end), b'.' | b'-') && is_word(view.at(end + 1)) {
        return None;
    }
    let text = std::str::from_utf8(&name).ok()?.to_ascii_lowercase();
    if NOBODY.contains(&text.as_str()) {
        return None;
    }
    let words = before(view.bytes, at);
    let service = SERVICES.iter().find(|(_, words_of)| ends_in_word(&words, words_of));
    let service = match service {
        Some((service, _)) => service,
        None if view.rules.ground == Ground::People => "telegram",
        None => return None,
    };
    let range = at..end;
    if !view.in_text(&range) {
        return None;
    }
    let key = Key::messaging(service, &format!("@{text}"));
    Some(Found { hit: Some(Hit { key, range, url: None }), resume: end, quiet: 0 })
}

/// A name as Telegram gives them: 5 to 32 letters, digits and `_`, a letter first, no `_` last.
fn good_name(name: &[u8]) -> bool {
    (5..=32).contains(&name.len())
        && name[0].is_ascii_alphabetic()
        && name.last() != Some(&b'_')
        && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// The account or group that a messenger's link names, given its host and where the host ends; and
/// where the name ends.
pub(crate) fn link(view: &View<'_>, host: &str, at: usize) -> Option<(Key, usize)> {
    let host = host.strip_prefix("www.").unwrap_or(host);
    let slash = if view.bytes[at..].starts_with(b"\\/") { at + 1 } else { at };
    if view.at(slash) != b'/' {
        return None;
    }
    let path: &[u8] = &view.bytes[slash + 1..view.bytes.len().min(slash + 129)];
    let part = |path: &[u8]| {
        path.iter().take_while(|b| b.is_ascii_alphanumeric() || b"_-+".contains(b)).count()
    };
    let text = |path: &[u8], len: usize| String::from_utf8_lossy(&path[..len]).into_owned();
    match host {
        "t.me" | "telegram.me" | "telegram.dog" => {
            let skip = if path.starts_with(b"s/") { 2 } else { 0 };
            if let Some(invite) = path.strip_prefix(b"joinchat/") {
                let len = part(invite);
                return (len >= 10).then(|| (invitation(&text(invite, len)), slash + 10 + len));
            }
            let path = &path[skip..];
            let len = part(path);
            let name = &path[..len];
            let end = slash + 1 + skip + len;
            match name.first()? {
                b'+' if name[1..].iter().all(u8::is_ascii_digit) => Key::phone(&text(name, len))
                    .map(|phone| (Key::messaging("telegram", phone.rest()), end)),
                b'+' if len > 10 => Some((invitation(&text(&name[1..], len - 1)), end)),
                _ if good_name(name) => {
                    let words = [
                        "joinchat",
                        "share",
                        "addstickers",
                        "proxy",
                        "socks",
                        "setlanguage",
                        "addlist",
                        "iv",
                    ];
                    let text = text(name, len).to_ascii_lowercase();
                    (!words.contains(&text.as_str()))
                        .then(|| (Key::messaging("telegram", &format!("@{text}")), end))
                }
                _ => None,
            }
        }
        "wa.me" => {
            let plus = usize::from(path.first() == Some(&b'+'));
            whatsapp(&path[plus..], slash + 1 + plus)
        }
        "api.whatsapp.com" | "web.whatsapp.com" => {
            let query = path.iter().position(|b| *b == b'?')?;
            let phone = query + path[query..].windows(6).position(|w| w == b"phone=")? + 6;
            let skip = if path[phone..].starts_with(b"%2B") {
                3
            } else {
                usize::from(path.get(phone) == Some(&b'+'))
            };
            whatsapp(&path[phone + skip..], slash + 1 + phone + skip)
        }
        "chat.whatsapp.com" => {
            let len = part(path);
            (len >= 16).then(|| {
                (Key::new("group", &format!("whatsapp:{}", text(path, len))), slash + 1 + len)
            })
        }
        _ => None,
    }
}

/// A Telegram invitation names a group by a token whose case counts.
fn invitation(token: &str) -> Key {
    Key::new("group", &format!("telegram:+{token}"))
}

fn whatsapp(digits: &[u8], at: usize) -> Option<(Key, usize)> {
    let len = digits.iter().take_while(|b| b.is_ascii_digit()).count();
    let text = std::str::from_utf8(&digits[..len]).ok()?;
    let phone = Key::phone(&format!("+{text}"))?;
    Some((Key::messaging("whatsapp", phone.rest()), at + len))
}

/// `urn:btih:` or `urn:btmh:` before the colon at `at`: the swarm of the hash behind it.
pub(crate) fn info_hash(view: &View<'_>, at: usize) -> Option<Found> {
    let start = at + 1;
    let urn = view.bytes.get(at.checked_sub(8)?..at)?.to_ascii_lowercase();
    let len =
        view.bytes[start..].iter().take(101).take_while(|b| b.is_ascii_alphanumeric()).count();
    let word = std::str::from_utf8(&view.bytes[start..start + len]).ok()?;
    let hash = match urn.as_slice() {
        b"urn:btih" => crate::magnet::v1_hash(word)?.to_vec(),
        b"urn:btmh" => crate::magnet::v2_hash(word)?.to_vec(),
        _ => return None,
    };
    let range = start..start + len;
    let hit = Hit { key: Key::swarm(&hash), range: range.clone(), url: magnet(view, at) };
    Some(Found { hit: Some(hit), resume: range.end, quiet: 0 })
}

/// The magnet link around a hash, if one begins before it.
fn magnet(view: &View<'_>, at: usize) -> Option<std::ops::Range<usize>> {
    let from = view.floor.max(at.saturating_sub(super::anchor::BACK));
    let before = &view.bytes[from..at];
    let clear =
        before.iter().rposition(|b| b.is_ascii_whitespace() || matches!(b, 0 | b'"' | b'<'));
    let clear = from + clear.map_or(0, |i| i + 1);
    let found = memchr::memmem::rfind(&view.bytes[clear..at], b"magnet:?")?;
    Some(clear + found..super::host::url_end(view, at))
}

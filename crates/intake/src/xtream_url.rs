//! URLs as piracy material writes them: split without ever failing, the account inside an Xtream
//! Codes URL found, passwords located and hidden.
//!
//! Nothing here is a validator: what a player would try, this splits. Ranges are byte ranges of the
//! text given, so that a caller who knows where the text stood knows where each part stood.

use std::borrow::Cow;
use std::net::IpAddr;
use std::ops::Range;

use model::{ExhibitId, Key};

/// What stands in the place of a password in a shown URL.
pub const HIDDEN: &str = "•••";

/// The longest URL that is looked into, in bytes; a longer one is split at its authority only.
const MAX_URL: usize = 64 << 10;

/// A URL's parts, as byte ranges of the text it was split from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Url<'a> {
    /// The text.
    pub text: &'a str,
    /// The scheme, as written; empty for `//host/…`.
    pub scheme: &'a str,
    /// What stands before `@` in the authority.
    pub userinfo: Option<Range<usize>>,
    /// The host as written: a name, an address, or `[v6]` with its brackets. May be empty.
    pub host: Range<usize>,
    /// The port, where a number stands there.
    pub port: Option<u16>,
    /// From the first `/` behind the authority to `?` or `#`.
    pub path: Range<usize>,
    /// Behind `?`, to `#`.
    pub query: Option<Range<usize>>,
}

/// Splits a URL. `None` where the text does not begin with `scheme://` or `//`.
pub fn split(text: &str) -> Option<Url<'_>> {
    let b = text.as_bytes();
    let (scheme, start) = if b.starts_with(b"http://") {
        (&text[..4], 7)
    } else if b.starts_with(b"https://") {
        (&text[..5], 8)
    } else if b.starts_with(b"//") {
        ("", 2)
    } else {
        let colon = memchr::memchr(b':', &b[..b.len().min(24)])?;
        let good = colon > 0
            && b[0].is_ascii_alphabetic()
            && b[..colon].iter().all(|c| c.is_ascii_alphanumeric() || b"+-.".contains(c));
        if !good || !b[colon..].starts_with(b"://") {
            return None;
        }
        (&text[..colon], colon + 3)
    };
    let authority_end = b[start..]
        .iter()
        .position(|c| matches!(c, b'/' | b'?' | b'#' | b'\\'))
        .map_or(b.len(), |n| start + n);
    let authority = &b[start..authority_end];
    let at = memchr::memrchr(b'@', authority);
    let userinfo = at.map(|n| start..start + n);
    let host_start = at.map_or(start, |n| start + n + 1);
    let rest = &b[host_start..authority_end];
    // A v6 address keeps its colons inside its brackets.
    let name_end = match rest.first() {
        Some(b'[') => memchr::memchr(b']', rest).map_or(rest.len(), |n| n + 1),
        _ => memchr::memrchr(b':', rest).unwrap_or(rest.len()),
    };
    let port = rest.get(name_end + 1..).and_then(|digits| {
        (rest[name_end] == b':' && !digits.is_empty() && digits.iter().all(u8::is_ascii_digit))
            .then(|| std::str::from_utf8(digits).ok()?.parse().ok())
            .flatten()
    });
    let fragment = memchr::memchr(b'#', &b[authority_end..]).map_or(b.len(), |n| authority_end + n);
    let question = memchr::memchr(b'?', &b[authority_end..fragment]).map(|n| authority_end + n);
    Some(Url {
        text,
        scheme,
        userinfo,
        host: host_start..host_start + name_end,
        port,
        path: authority_end..question.unwrap_or(fragment),
        query: question.map(|q| q + 1..fragment),
    })
}

impl<'a> Url<'a> {
    /// The host as written, without the brackets of a v6 address.
    pub fn host(&self) -> &'a str {
        let host = &self.text[self.host.clone()];
        host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host)
    }

    /// The host's address, where it is one.
    pub fn address(&self) -> Option<IpAddr> {
        let host = self.host();
        // What ends in a letter and has no colon is a name: most hosts.
        let b = host.as_bytes();
        if b.last().is_some_and(u8::is_ascii_alphabetic) && memchr::memchr(b':', b).is_none() {
            return None;
        }
        // A zone (`fe80::1%eth0`) names nothing outside its machine.
        host.split('%').next().and_then(|h| h.parse().ok())
    }

    /// The host as a locator writes it: lower case, without port or brackets. `None` if empty.
    pub fn locator_host(&self) -> Option<String> {
        let host = self.host().trim_end_matches('.');
        if let Some(ip) = self.address() {
            return Some(ip.to_string());
        }
        (!host.is_empty()).then(|| host.to_lowercase())
    }

    /// The host's key: an address's or a domain's. `None` for what names nothing (`localhost`, a
    /// single label, an empty host).
    pub fn host_key(&self, exhibit: ExhibitId) -> Option<Key> {
        match self.address() {
            Some(ip) => Some(Key::ip(ip, exhibit)),
            None => Key::domain(self.host()),
        }
    }

    /// The path as written.
    pub fn path(&self) -> &'a str {
        &self.text[self.path.clone()]
    }

    /// Each `name=value` of the query: the name as written and the value's range.
    pub fn params(&self) -> impl Iterator<Item = (&'a str, Range<usize>)> + use<'a> {
        let text = self.text;
        let query = self.query.clone().unwrap_or(0..0);
        let mut at = query.start;
        let end = query.end;
        std::iter::from_fn(move || {
            while at < end {
                let part = at;
                let stop = memchr::memchr(b'&', &text.as_bytes()[at..end]).map_or(end, |n| at + n);
                at = stop + 1;
                // `&amp;` is what a URL copied out of a page carries.
                let name_start = if text[part..stop].starts_with("amp;") { part + 4 } else { part };
                if let Some(eq) = memchr::memchr(b'=', &text.as_bytes()[name_start..stop]) {
                    return Some((&text[name_start..name_start + eq], name_start + eq + 1..stop));
                }
            }
            None
        })
    }

    /// The last segments of the path, the last first, the empty ones left out; and how many there
    /// are of them, up to the array's length.
    fn last_segments(&self) -> ([Range<usize>; 7], usize) {
        let mut out: [Range<usize>; 7] = std::array::from_fn(|_| 0..0);
        let (mut n, mut end) = (0, self.path.end);
        while end > self.path.start && n < out.len() {
            let rest = &self.text.as_bytes()[self.path.start..end];
            let slash = memchr::memrchr(b'/', rest);
            let start = slash.map_or(self.path.start, |s| self.path.start + s + 1);
            if start < end {
                out[n] = start..end;
                n += 1;
            }
            end = slash.map_or(self.path.start, |s| self.path.start + s);
        }
        (out, n)
    }
}

/// What an Xtream Codes URL asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `/live/U/P/N.ext`, or a recording of a live stream (`/timeshift/U/P/minutes/start/N.ext`).
    Live,
    /// `/movie/U/P/N.ext`.
    Movie,
    /// `/series/U/P/N.ext`.
    Series,
    /// `/U/P/N` or `/U/P/N.ext`: live, without saying so.
    Plain,
    /// `get.php?username=…&password=…`: the account's playlist.
    Get,
    /// `player_api.php?…`, `panel_api.php?…`, `enigma2.php?…`: the panel's answers.
    PlayerApi,
    /// `xmltv.php?…`: the programme guide.
    Xmltv,
}

/// An Xtream Codes URL: whose account, on which host, for which stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XtreamUrl<'a> {
    /// The scheme, as written.
    pub scheme: &'a str,
    /// The host: lower case, without port or brackets; as a [`model::key::Locator::Host`] takes it.
    pub host: String,
    /// The port, where the URL names one.
    pub port: Option<u16>,
    /// What is asked for.
    pub kind: Kind,
    /// The account's user name, percent-decoded.
    pub user: Cow<'a, str>,
    /// The account's password, percent-decoded. Never to be shown.
    pub password: Cow<'a, str>,
    /// The stream's number, where one is asked for.
    pub id: Option<&'a str>,
    /// The extension behind the number, without the dot; empty where there is none.
    pub ext: &'a str,
    /// Where the user name stands in the URL.
    pub user_range: Range<usize>,
    /// Where the password stands in the URL.
    pub password_range: Range<usize>,
}

impl XtreamUrl<'_> {
    /// The port the URL leads to: its own, else that of the scheme.
    pub fn effective_port(&self) -> u16 {
        self.port.unwrap_or(if self.scheme.eq_ignore_ascii_case("https") { 443 } else { 80 })
    }
}

/// Reads an Xtream Codes URL; `None` for any other.
///
/// Source: the routes of XC_VM and Xtream UI (`/live|movie|series/U/P/N.ext`, `/U/P/N`,
/// `/timeshift/U/P/minutes/start/N.ext`, `get.php`, `player_api.php`, `panel_api.php`, `xmltv.php`,
/// `enigma2.php`), which may stand below a prefix. A stream's number is all digits.
pub fn parse(text: &str) -> Option<XtreamUrl<'_>> {
    if text.len() > MAX_URL {
        return None;
    }
    let url = split(text)?;
    of_url(&url)
}

/// As [`parse`], of a URL split already.
pub fn of_url<'a>(url: &Url<'a>) -> Option<XtreamUrl<'a>> {
    let text = url.text;
    if text.len() > MAX_URL || url.scheme.is_empty() {
        return None;
    }
    by_path(url).or_else(|| by_query(url)).and_then(|found| {
        let Found { kind, user, password, id, ext } = found;
        if user.is_empty() || password.is_empty() {
            return None;
        }
        Some(XtreamUrl {
            scheme: url.scheme,
            host: url.locator_host()?,
            port: url.port,
            kind,
            user: percent_decode(&text[user.clone()]),
            password: percent_decode(&text[password.clone()]),
            id: id.map(|r| &text[r]),
            ext: &text[ext],
            user_range: user,
            password_range: password,
        })
    })
}

struct Found {
    kind: Kind,
    user: Range<usize>,
    password: Range<usize>,
    id: Option<Range<usize>>,
    ext: Range<usize>,
}

fn by_path(url: &Url<'_>) -> Option<Found> {
    let text = url.text;
    // Cheap refusal first: the last segment is a number with perhaps an extension.
    let path = url.path();
    let last = file_of(path);
    if !last.as_bytes().first()?.is_ascii_digit() {
        return None;
    }
    let (segments, n) = url.last_segments();
    let last = segments[..n].first()?.clone();
    let dot =
        memchr::memchr(b'.', text[last.clone()].as_bytes()).map_or(last.end, |d| last.start + d);
    let (id, ext) = (last.start..dot, (dot + 1).min(last.end)..last.end);
    let good = text[id.clone()].bytes().all(|b| b.is_ascii_digit())
        && id.len() <= 20
        && ext.len() <= 5
        && text[ext.clone()].bytes().all(|b| b.is_ascii_alphanumeric());
    if !good {
        return None;
    }
    // Counted from the end: 0 is the last.
    let is = |i: usize, word: &str| text[segments[i].clone()].eq_ignore_ascii_case(word);
    let found = |kind, user: usize, password: usize| Found {
        kind,
        user: segments[user].clone(),
        password: segments[password].clone(),
        id: Some(id.clone()),
        ext: ext.clone(),
    };
    if n >= 4 {
        let kind = [("live", Kind::Live), ("movie", Kind::Movie), ("series", Kind::Series)]
            .into_iter()
            .find_map(|(word, kind)| is(3, word).then_some(kind));
        if let Some(kind) = kind {
            return Some(found(kind, 2, 1));
        }
    }
    if n >= 6 && is(5, "timeshift") {
        return Some(found(Kind::Live, 4, 3));
    }
    // `/U/P/N` looks like many a path: no query, an extension that panels give, neither segment a
    // word of other servers, and no number repeated (`/1501/1501.m3u8`).
    let other = |i: usize| {
        const WORDS: &[&str] = &[
            "live", "movie", "series", "hls", "play", "stream", "streams", "channel", "channels",
            "video", "videos", "vod", "embed", "tv", "watch", "udp", "rtp", "media", "content",
            "api", "iptv", "playlist", "index", "public", "static", "images", "epg",
        ];
        WORDS.iter().any(|word| is(i, word))
    };
    let given = matches!(
        text[ext.clone()].to_ascii_lowercase().as_str(),
        "" | "ts" | "m3u8" | "mp4" | "mkv" | "avi" | "flv" | "mpg" | "mov" | "wmv" | "m4v" | "webm"
    );
    (n == 3
        && url.query.is_none()
        && given
        && !other(1)
        && !other(2)
        && text[segments[1].clone()] != text[id.clone()])
    .then(|| found(Kind::Plain, 2, 1))
}

/// What stands behind a path's last `/`.
fn file_of(path: &str) -> &str {
    memchr::memrchr(b'/', path.as_bytes()).map_or(path, |n| &path[n + 1..])
}

fn by_query(url: &Url<'_>) -> Option<Found> {
    let query = url.query.clone()?;
    let file = file_of(url.path());
    if !file.to_ascii_lowercase().ends_with(".php") {
        return None;
    }
    let kind = if file.eq_ignore_ascii_case("get.php") {
        Kind::Get
    } else if ["player_api.php", "panel_api.php", "enigma2.php"]
        .iter()
        .any(|name| file.eq_ignore_ascii_case(name))
    {
        Kind::PlayerApi
    } else if file.eq_ignore_ascii_case("xmltv.php") {
        Kind::Xmltv
    } else {
        return None;
    };
    let (mut user, mut password, mut id) = (None, None, None);
    for (name, range) in url.params() {
        match name {
            "username" => user = Some(range),
            "password" => password = Some(range),
            "stream_id" | "series_id" | "vod_id" => id = Some(range),
            _ => {}
        }
    }
    Some(Found { kind, user: user?, password: password?, id, ext: query.end..query.end })
}

/// Where passwords stand in a URL: of an Xtream account, of the user info, of a parameter whose
/// name says so. In order, without overlap; empty where there are none.
pub fn secrets(text: &str) -> Vec<Range<usize>> {
    // A password has a `//` or a `?` in front of it; most attributes have neither.
    if memchr::memchr2(b'/', b'?', text.as_bytes()).is_none() {
        return Vec::new();
    }
    let Some(url) = split(text) else {
        // A path may carry a password in its query all the same.
        let Some(question) = memchr::memchr(b'?', text.as_bytes()) else { return Vec::new() };
        let (none, query) = (0..0, Some(question + 1..text.len()));
        let url = Url {
            text,
            scheme: "",
            userinfo: None,
            host: none,
            port: None,
            path: 0..question,
            query,
        };
        return secrets_of(&url, None);
    };
    let xtream = of_url(&url);
    secrets_of(&url, xtream.as_ref())
}

/// As [`secrets`], of a URL split and tried already.
pub fn secrets_of(url: &Url<'_>, xtream: Option<&XtreamUrl<'_>>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    if let Some(info) = &url.userinfo
        && let Some(colon) = url.text[info.clone()].find(':')
        && info.start + colon + 1 < info.end
    {
        out.push(info.start + colon + 1..info.end);
    }
    if let Some(found) = xtream {
        out.push(found.password_range.clone());
    }
    for (name, range) in url.params() {
        let named = ["password", "passwd", "pass", "pwd"]
            .iter()
            .any(|word| name.eq_ignore_ascii_case(word));
        if named && !range.is_empty() && !out.contains(&range) {
            out.push(range);
        }
    }
    out.sort_by_key(|r| r.start);
    out
}

/// The URL with `•••` in the place of each password; the URL itself where it holds none.
pub fn hide_password(text: &str) -> Cow<'_, str> {
    hide(text, &secrets(text))
}

/// The text with `•••` in the place of each range (in order, without overlap).
pub fn hide<'a>(text: &'a str, ranges: &[Range<usize>]) -> Cow<'a, str> {
    if ranges.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    let mut at = 0;
    for range in ranges {
        if let Some(part) = text.get(at..range.start) {
            out.push_str(part);
            out.push_str(HIDDEN);
            at = range.end;
        }
    }
    out.push_str(text.get(at..).unwrap_or(""));
    Cow::Owned(out)
}

/// Percent-decoding, tolerant: what is no `%XX` stays, and bytes that are not UTF-8 become U+FFFD.
pub fn percent_decode(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let b = text.as_bytes();
    let mut out = Vec::with_capacity(b.len());
    let mut i = 0;
    while i < b.len() {
        let hex = |at: usize| b.get(at).and_then(|c| char::from(*c).to_digit(16));
        match (b[i], hex(i + 1), hex(i + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                i += 3;
            }
            (byte, ..) => {
                out.push(byte);
                i += 1;
            }
        }
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn splits_what_players_take() {
        let url = split("http://u:p@Stream.Example:8080/a/b.ts?x=1&y=2#f").unwrap();
        assert_eq!((url.scheme, url.host(), url.port), ("http", "Stream.Example", Some(8080)));
        assert_eq!(url.path(), "/a/b.ts");
        assert_eq!(&url.text[url.query.clone().unwrap()], "x=1&y=2");
        assert_eq!(&url.text[url.userinfo.clone().unwrap()], "u:p");
        let v6 = split("http://[3fff::7]:8080/live").unwrap();
        assert_eq!((v6.host(), v6.port), ("3fff::7", Some(8080)));
        assert_eq!(v6.locator_host().as_deref(), Some("3fff::7"));
        assert_eq!(v6.host_key(ExhibitId([0; 32])).unwrap().as_str(), "ip:3fff::7");
        assert_eq!(split("//cdn.example/x").unwrap().host(), "cdn.example");
        assert_eq!(split("http://").unwrap().host(), "");
        assert_eq!(split("http://h:99999/").unwrap().port, None);
        assert!(split("stream/chunklist.m3u8").is_none());
        assert!(split("C:\\list.m3u").is_none());
        assert!(split("http://localhost/").unwrap().host_key(ExhibitId([0; 32])).is_none());
    }

    #[test]
    fn finds_the_account() {
        let cases = [
            (
                "http://h.example:8080/live/us%40er/pa/12.ts",
                Kind::Live,
                "us@er",
                "pa",
                Some("12"),
                "ts",
            ),
            ("https://h.example/movie/u/p/7.mkv", Kind::Movie, "u", "p", Some("7"), "mkv"),
            ("http://h.example/x/series/u/p/7.mp4", Kind::Series, "u", "p", Some("7"), "mp4"),
            ("http://198.18.0.1:25461/u/p/301", Kind::Plain, "u", "p", Some("301"), ""),
            (
                "http://h.example/timeshift/u/p/60/2024-01-01:10-00/9.ts",
                Kind::Live,
                "u",
                "p",
                Some("9"),
                "ts",
            ),
            (
                "http://h.example/get.php?username=u&password=p&type=m3u_plus",
                Kind::Get,
                "u",
                "p",
                None,
                "",
            ),
            (
                "http://h.example/player_api.php?username=u&amp;password=p",
                Kind::PlayerApi,
                "u",
                "p",
                None,
                "",
            ),
            ("http://h.example/xmltv.php?username=u&password=p", Kind::Xmltv, "u", "p", None, ""),
        ];
        for (text, kind, user, password, id, ext) in cases {
            let x = parse(text).expect(text);
            assert_eq!(
                (x.kind, &*x.user, &*x.password, x.id, x.ext),
                (kind, user, password, id, ext)
            );
            assert_eq!(percent_decode(&text[x.user_range.clone()]), user);
            assert_eq!(percent_decode(&text[x.password_range.clone()]), password);
        }
        for text in [
            "http://h.example/a/b/c.ts",
            "http://h.example/hls/720/12.ts",
            "http://h.example/1/2",
            "http://h.example/get.php?username=u",
            "u/p/12.ts",
        ] {
            assert!(parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn no_password_is_shown() {
        for (text, shown) in [
            ("http://h.example/live/u/secret/1.ts", "http://h.example/live/u/•••/1.ts"),
            ("http://u:secret@h.example/x", "http://u:•••@h.example/x"),
            (
                "http://h.example/get.php?username=u&password=secret&type=m3u",
                "http://h.example/get.php?username=u&password=•••&type=m3u",
            ),
            ("http://a:b@h.example/x?pass=c", "http://a:•••@h.example/x?pass=•••"),
            ("http://h.example/x", "http://h.example/x"),
        ] {
            assert_eq!(hide_password(text), shown);
        }
    }

    proptest! {
        #[test]
        fn never_panics_and_ranges_hold(text in "\\PC{0,60}|(http|rtmp)://[a-z:@\\[\\]./?&=%é0-9#]{0,60}") {
            if let Some(url) = split(&text) {
                let _ = (url.host(), url.path(), url.params().count(), url.address(), url.locator_host());
            }
            if let Some(x) = parse(&text) {
                prop_assert_eq!(percent_decode(&text[x.password_range.clone()]), x.password);
            }
            let _ = hide_password(&text);
        }
    }
}

//! An entry's lines become facts.

use std::collections::HashMap;
use std::ops::Range;

use model::key::Locator;
use model::{ExhibitId, Fact, Key, Value};

use super::attributes::{self, Attribute};
use super::lines::Line;
use crate::names;
use crate::sink::Sink;
use crate::xtream_url::{self, Kind, Url, XtreamUrl};

/// How many hosts' keys are kept at hand.
const HOSTS: usize = 4096;

/// Extensions of files that hold one work each.
const VIDEO_FILES: &[&str] = &["mp4", "mkv", "avi", "mov", "m4v", "mpg", "mpeg", "wmv", "flv"];

/// Schemes whose `//` is followed by no host.
const HOSTLESS: &[&str] = &[
    "plugin",
    "pipe",
    "file",
    "magnet",
    "data",
    "acestream",
    "sop",
    "script",
    "intent",
    "content",
];

/// What a line of an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    ExtInf,
    /// `#EXTGRP:` and every other `#EXT…:` or `#KODIPROP:` line.
    Directive,
    Url,
}

/// Makes facts of entries; holds what entries share.
pub(crate) struct Maker {
    exhibit: ExhibitId,
    /// The exhibit's locator and `/`, in front of what is named only in it.
    here: String,
    hosts: HashMap<String, Option<Key>>,
    last_host: (String, Option<Key>),
    line: Option<Account>,
    attributes: Vec<Attribute>,
}

/// The account that the last entries named.
struct Account {
    host: String,
    user: String,
    line: Key,
    /// `@host/`, in front of the streams' numbers.
    prefix: String,
}

/// What was wrong with an entry that was read all the same.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Flaws {
    pub(crate) unclosed_quote: bool,
}

/// A stream's URL, understood.
pub(crate) struct Located<'l> {
    pub(crate) subject: Key,
    /// What an Xtream URL asks for.
    kind: Option<Kind>,
    path: &'l str,
}

/// An entry as its lines give it, before its URL is known.
#[derive(Default)]
struct Said<'l> {
    name: Option<Place<'l>>,
    tvg_name: Option<Place<'l>>,
    epg_id: Option<Place<'l>>,
    radio: bool,
}

#[derive(Clone)]
struct Place<'l> {
    text: &'l str,
    span: (u64, u64),
}

fn place<'l>(line: &'l Line<'_>, range: &Range<usize>) -> Place<'l> {
    Place { text: &line.text[range.clone()], span: line.span(range) }
}

pub(crate) fn give(
    out: &mut dyn Sink,
    subject: &Key,
    property: &'static str,
    value: Value,
    span: (u64, u64),
) {
    out.fact(Fact { subject: subject.clone(), property, value, start: span.0, end: span.1 });
}

fn text(out: &mut dyn Sink, subject: &Key, property: &'static str, place: &Place<'_>) {
    if !place.text.is_empty() {
        give(out, subject, property, Value::Text(place.text.to_owned()), place.span);
    }
}

impl Maker {
    pub(crate) fn new(exhibit: ExhibitId) -> Self {
        Self {
            exhibit,
            here: format!("{}/", Locator::Database { exhibit, db: String::new() }),
            hosts: HashMap::new(),
            last_host: (String::new(), None),
            line: None,
            attributes: Vec::new(),
        }
    }

    /// The subject of what a playlist says of itself.
    pub(crate) fn playlist(&self) -> Key {
        Key::new("stream", &format!("{}playlist", self.here))
    }

    /// The attributes of an `#EXTM3U` line: URLs of programme guides are facts of their hosts, the
    /// rest of the playlist.
    pub(crate) fn header(&mut self, line: &Line<'_>, out: &mut dyn Sink) -> Flaws {
        let mut found = std::mem::take(&mut self.attributes);
        found.clear();
        let mut flaws = Flaws::default();
        let mut at = "#EXTM3U".len().min(line.text.len());
        while at < line.text.len() {
            let stop = attributes::list(&line.text, at, &mut found, &mut flaws.unclosed_quote);
            at = stop + 1;
        }
        for attribute in &found {
            let mut guide = false;
            let mut start = attribute.value.start;
            for piece in line.text[attribute.value.clone()].split(',') {
                let range = attributes::trimmed(&line.text, start..start + piece.len());
                start += piece.len() + 1;
                if let Some(url) = xtream_url::split(&line.text[range.clone()]) {
                    guide |= self.guide(line, &range, &url, out);
                }
            }
            if !guide && !attribute.value.is_empty() {
                let subject = self.playlist();
                self.attribute(&subject, line, attribute, out);
            }
        }
        self.attributes = found;
        flaws
    }

    /// A programme guide's URL: a fact of its host, and of the account it names.
    pub(crate) fn guide(
        &mut self,
        line: &Line<'_>,
        range: &Range<usize>,
        url: &Url<'_>,
        out: &mut dyn Sink,
    ) -> bool {
        let shift = |r: &Range<usize>| line.span(&(range.start + r.start..range.start + r.end));
        let xtream = xtream_url::of_url(url);
        let secrets = xtream_url::secrets_of(url, xtream.as_ref());
        let Some(host) = self.host(url) else { return false };
        let shown = xtream_url::hide(url.text, &secrets).into_owned();
        give(out, &host, "url", Value::Text(shown), line.span(range));
        if let Some(x) = &xtream {
            let line_key = self.account(x, &shift(&x.user_range), out);
            give(out, &line_key, "password", Value::Secret, shift(&x.password_range));
        } else {
            let playlist = self.playlist();
            for secret in &secrets {
                give(out, &playlist, "password", Value::Secret, shift(secret));
            }
        }
        true
    }

    /// An entry: its lines in order, the URL's last.
    pub(crate) fn entry(&mut self, lines: &[(Part, Line<'_>)], out: &mut dyn Sink) -> Flaws {
        let mut flaws = Flaws::default();
        let Some((url_line, before)) = lines.split_last() else { return flaws };
        let url_line = &url_line.1;
        // `URL|User-Agent=…&Referer=…`
        let whole = &*url_line.text;
        let pipe = memchr::memchr(b'|', whole.as_bytes())
            .filter(|p| whole[*p..].contains('='))
            .unwrap_or(whole.len());
        let url_range = attributes::trimmed(whole, 0..pipe);
        let found = self.locate(url_line, &url_range, out);
        let subject = found.subject;
        let mut said = Said::default();
        for (part, line) in before {
            match part {
                Part::ExtInf => self.extinf(&subject, line, &mut said, &mut flaws, out),
                _ => directive(&subject, line, out),
            }
        }
        let name = said.name.clone().or(said.tvg_name);
        if let Some(name) = &name {
            text(out, &subject, "name", name);
        }
        if pipe < whole.len() {
            headers(&subject, url_line, pipe + 1, out);
        }
        self.shows(&subject, found.kind, found.path, &name, &said.epg_id, out);
        let kind = match found.kind {
            Some(Kind::Movie) => Some("movie"),
            Some(Kind::Series) => Some("series"),
            Some(Kind::Live) => Some("live"),
            _ => said.radio.then_some("radio"),
        };
        if let Some(kind) = kind {
            let span = url_line.span(&url_range);
            give(out, &subject, "type", Value::Text(kind.to_owned()), span);
        }
        flaws
    }

    /// A stream's URL, or a path beside its playlist, at a range of a line: the stream's key, with
    /// the facts of URL, host and account.
    pub(crate) fn locate<'l>(
        &mut self,
        line: &'l Line<'_>,
        range: &Range<usize>,
        out: &mut dyn Sink,
    ) -> Located<'l> {
        let text = &line.text[range.clone()];
        let shift = |r: &Range<usize>| line.span(&(range.start + r.start..range.start + r.end));
        let url = xtream_url::split(text).filter(|u| !u.scheme.is_empty() && !u.host.is_empty());
        let xtream = url.as_ref().and_then(xtream_url::of_url);
        let secrets = match &url {
            Some(url) => xtream_url::secrets_of(url, xtream.as_ref()),
            None => xtream_url::secrets(text),
        };
        let shown = xtream_url::hide(text, &secrets);
        let numbered = xtream
            .as_ref()
            .filter(|x| matches!(x.kind, Kind::Live | Kind::Movie | Kind::Series | Kind::Plain));
        let account = xtream.as_ref().map(|x| self.account(x, &shift(&x.user_range), out));
        let subject = match (numbered.and_then(|x| x.id), &self.line, &url) {
            (Some(id), Some(account), _) => Key::joined("stream", &[&account.prefix, id]),
            (_, _, Some(_)) => Key::joined("stream", &["url:", &shown]),
            // A path means something only beside its playlist.
            _ => Key::joined("stream", &[&self.here, "path:", &shown]),
        };
        give(out, &subject, "url", Value::Text(shown.into_owned()), line.span(range));
        if let (Some(x), Some(account)) = (&xtream, &account) {
            give(out, account, "password", Value::Secret, shift(&x.password_range));
            if let Some(id) = numbered.and_then(|n| n.id) {
                let span = shift(&part_of(text, id));
                give(out, account, "lists", Value::Key(subject.clone()), span);
            }
        }
        for secret in &secrets {
            if xtream.as_ref().is_none_or(|x| x.password_range != *secret) {
                give(out, &subject, "password", Value::Secret, shift(secret));
            }
        }
        if let Some(url) = &url
            && let Some(host) = self.host(url)
        {
            give(out, &subject, "hosted_at", Value::Key(host), shift(&url.host));
        }
        if let Some(ext) = numbered.map(|x| x.ext).filter(|e| !e.is_empty()) {
            let span = shift(&part_of(text, ext));
            give(out, &subject, "container", Value::Text(ext.to_owned()), span);
        }
        let kind = numbered.map(|x| x.kind);
        Located { kind, path: url.as_ref().map_or(text, Url::path), subject }
    }

    fn shows(
        &self,
        subject: &Key,
        kind: Option<Kind>,
        path: &str,
        name: &Option<Place<'_>>,
        epg_id: &Option<Place<'_>>,
        out: &mut dyn Sink,
    ) {
        let work = match kind {
            Some(Kind::Movie | Kind::Series) => true,
            Some(Kind::Live) => false,
            _ => extension(path)
                .is_some_and(|e| VIDEO_FILES.iter().any(|v| v.eq_ignore_ascii_case(e))),
        };
        let title = name.as_ref().map_or("", |n| n.text);
        if work {
            if let (Some(key), Some(name)) = (names::work_key(title, None, None), name) {
                give(out, subject, "shows", Value::Key(key), name.span);
            }
        } else if let Some(key) = names::channel_key(epg_id.as_ref().map(|e| e.text), title) {
            let by_id = key.as_str().starts_with("channel:epg:");
            let from = if by_id { epg_id.as_ref() } else { name.as_ref() };
            if let Some(from) = from {
                give(out, subject, "shows", Value::Key(key), from.span);
            }
        }
    }

    /// The account of an Xtream URL; its user name is stated once while it stays the same.
    fn account(&mut self, x: &XtreamUrl<'_>, user_span: &(u64, u64), out: &mut dyn Sink) -> Key {
        match &self.line {
            Some(account) if account.host == x.host && account.user == x.user => {
                account.line.clone()
            }
            _ => {
                let locator = Locator::Host(x.host.clone());
                let line = Key::scoped("line", &locator, &x.user);
                give(out, &line, "user_name", Value::Text(x.user.to_string()), *user_span);
                self.line = Some(Account {
                    host: x.host.clone(),
                    user: x.user.to_string(),
                    line: line.clone(),
                    prefix: format!("{locator}/"),
                });
                line
            }
        }
    }

    pub(crate) fn host(&mut self, url: &Url<'_>) -> Option<Key> {
        let web = matches!(url.scheme, "http" | "https");
        if !web && HOSTLESS.iter().any(|s| s.eq_ignore_ascii_case(url.scheme)) {
            return None;
        }
        let host = url.host();
        if self.last_host.0 == host {
            return self.last_host.1.clone();
        }
        if let Some(key) = self.hosts.get(host) {
            host.clone_into(&mut self.last_host.0);
            self.last_host.1.clone_from(key);
            return key.clone();
        }
        let key = url.host_key(self.exhibit);
        if self.hosts.len() >= HOSTS {
            self.hosts.clear();
        }
        self.hosts.insert(host.to_owned(), key.clone());
        key
    }

    fn extinf<'l>(
        &mut self,
        subject: &Key,
        line: &'l Line<'_>,
        said: &mut Said<'l>,
        flaws: &mut Flaws,
        out: &mut dyn Sink,
    ) {
        let mut found = std::mem::take(&mut self.attributes);
        found.clear();
        let info = attributes::extinf(&line.text, "#EXTINF".len(), &mut found);
        flaws.unclosed_quote |= info.unclosed;
        if let Some(range) = info.duration {
            let place = place(line, &range);
            // `-1` and `0` say that there is none.
            let endless = matches!(place.text, "-1" | "0");
            if !endless && place.text.parse::<f64>().is_ok_and(|seconds| seconds > 0.0) {
                let value = match place.text.parse() {
                    Ok(whole) => Value::Int(whole),
                    Err(_) => Value::Text(place.text.to_owned()),
                };
                give(out, subject, "duration", value, place.span);
            }
        }
        said.name = info.name.map(|range| place(line, &range));
        for attribute in &found {
            if attribute.value.is_empty() {
                continue;
            }
            let value = place(line, &attribute.value);
            let name = &line.text[attribute.name.clone()];
            match known(name) {
                Known::EpgId => {
                    text(out, subject, "epg_id", &value);
                    said.epg_id = Some(value);
                }
                Known::Name => {
                    if said.name.as_ref().is_some_and(|n| n.text != value.text) {
                        self.attribute(subject, line, attribute, out);
                    }
                    said.tvg_name = Some(value);
                }
                Known::Property(property) => text(out, subject, property, &value),
                Known::Group => groups(subject, line, &attribute.value, out),
                Known::Radio => {
                    said.radio |= value.text.eq_ignore_ascii_case("true") || value.text == "1";
                    self.attribute(subject, line, attribute, out);
                }
                Known::Other => self.attribute(subject, line, attribute, out),
            }
        }
        self.attributes = found;
    }

    fn attribute(&self, subject: &Key, line: &Line<'_>, attribute: &Attribute, out: &mut dyn Sink) {
        let name = &line.text[attribute.name.clone()];
        let written = &line.text[attribute.value.clone()];
        let secrets = xtream_url::secrets(written);
        for secret in &secrets {
            let at = attribute.value.start;
            let span = line.span(&(at + secret.start..at + secret.end));
            give(out, subject, "password", Value::Secret, span);
        }
        let value = xtream_url::hide(written, &secrets);
        let mut shown = String::with_capacity(name.len() + 1 + value.len());
        shown.push_str(name);
        shown.push('=');
        shown.push_str(&value);
        give(out, subject, "attribute", Value::Text(shown), line.span(&attribute.whole));
    }
}

enum Known {
    EpgId,
    Name,
    Group,
    Radio,
    Property(&'static str),
    Other,
}

fn known(name: &str) -> Known {
    const PROPERTIES: &[(&str, &str)] = &[
        ("tvg-logo", "icon"),
        ("logo", "icon"),
        ("tvg-chno", "number"),
        ("channel-number", "number"),
        ("catchup", "catchup"),
        ("user-agent", "user_agent"),
        ("http-user-agent", "user_agent"),
        ("referer", "referer"),
        ("referrer", "referer"),
        ("http-referrer", "referer"),
        ("http-referer", "referer"),
    ];
    let is = |word: &str| name.eq_ignore_ascii_case(word);
    if is("tvg-id") {
        Known::EpgId
    } else if is("tvg-name") {
        Known::Name
    } else if is("group-title") {
        Known::Group
    } else if is("radio") {
        Known::Radio
    } else {
        PROPERTIES
            .iter()
            .find(|(word, _)| is(word))
            .map_or(Known::Other, |(_, p)| Known::Property(p))
    }
}

/// Each group of a `;`-separated list.
fn groups(subject: &Key, line: &Line<'_>, value: &Range<usize>, out: &mut dyn Sink) {
    if memchr::memchr(b';', line.text[value.clone()].as_bytes()).is_none() {
        return text(out, subject, "group", &place(line, value));
    }
    let mut start = value.start;
    for group in line.text[value.clone()].split(';') {
        let range = attributes::trimmed(&line.text, start..start + group.len());
        start += group.len() + 1;
        text(out, subject, "group", &place(line, &range));
    }
}

/// `#EXTGRP:group`, `#EXTVLCOPT:name=value`, `#KODIPROP:name=value`, any other `#NAME:value`.
fn directive(subject: &Key, line: &Line<'_>, out: &mut dyn Sink) {
    let text_ = &*line.text;
    let colon = text_.find(':').unwrap_or(text_.len());
    let name = &text_[..colon];
    let rest = attributes::trimmed(text_, (colon + 1).min(text_.len())..text_.len());
    if name.eq_ignore_ascii_case("#EXTGRP") {
        return groups(subject, line, &rest, out);
    }
    let options = ["#EXTVLCOPT", "#KODIPROP", "#WEBPROP"];
    if options.iter().any(|o| name.eq_ignore_ascii_case(o))
        && let Some(equals) = text_[rest.clone()].find('=')
    {
        let option = text_[rest.start..rest.start + equals].trim();
        let mut value = attributes::trimmed(text_, rest.start + equals + 1..rest.end);
        let quoted =
            |q: char| text_[value.clone()].starts_with(q) && text_[value.clone()].ends_with(q);
        if value.len() >= 2 && (quoted('"') || quoted('\'')) {
            value = value.start + 1..value.end - 1;
        }
        return self::option(subject, line, option, &value, &rest, out);
    }
    let whole = 1.min(text_.len())..text_.len();
    text(out, subject, "attribute", &place(line, &whole));
}

/// A named option of a player: a header it sends, a key it decrypts with, or anything else.
fn option(
    subject: &Key,
    line: &Line<'_>,
    name: &str,
    value: &Range<usize>,
    whole: &Range<usize>,
    out: &mut dyn Sink,
) {
    let lower = name.to_ascii_lowercase();
    let found = place(line, value);
    let secret =
        ["password", "passwd", "-pwd", "authorization", "cookie"].iter().any(|w| lower.contains(w));
    if found.text.is_empty() {
        return;
    }
    if lower.ends_with("user-agent") {
        let value = Value::Text(xtream_url::percent_decode(found.text).into_owned());
        give(out, subject, "user_agent", value, found.span);
    } else if lower.ends_with("referrer") || lower.ends_with("referer") {
        let value = Value::Text(xtream_url::percent_decode(found.text).into_owned());
        give(out, subject, "referer", value, found.span);
    } else if secret {
        give(out, subject, "password", Value::Secret, found.span);
    } else if lower.ends_with("license_key") {
        match xtream_url::split(found.text) {
            Some(_) => {
                let shown = xtream_url::hide_password(found.text).into_owned();
                give(out, subject, "key_url", Value::Text(shown), found.span);
            }
            None => give(out, subject, "key", Value::Secret, found.span),
        }
    } else {
        let shown = format!("{name}={}", xtream_url::hide_password(found.text));
        give(out, subject, "attribute", Value::Text(shown), line.span(whole));
    }
}

/// `User-Agent=…&Referer=…` behind a URL's `|`.
fn headers(subject: &Key, line: &Line<'_>, at: usize, out: &mut dyn Sink) {
    let mut start = at;
    for piece in line.text[at..].split('&') {
        let range = start..start + piece.len();
        start += piece.len() + 1;
        if let Some(equals) = piece.find('=') {
            let value = attributes::trimmed(&line.text, range.start + equals + 1..range.end);
            option(subject, line, piece[..equals].trim(), &value, &range, out);
        } else {
            text(out, subject, "attribute", &place(line, &attributes::trimmed(&line.text, range)));
        }
    }
}

/// Where a part, borrowed from the text, stands in it.
fn part_of(text: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(text.as_ptr() as usize).min(text.len());
    start..(start + part.len()).min(text.len())
}

fn extension(path: &str) -> Option<&str> {
    let dot = memchr::memrchr2(b'.', b'/', path.as_bytes())?;
    (path.as_bytes()[dot] == b'.').then(|| &path[dot + 1..])
}

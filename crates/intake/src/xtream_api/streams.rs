//! Streams, films, series and episodes of a panel's lists.

use std::ops::Range;

use model::{Key, Value};

use super::Reader;
use super::account::{secret, shown, time};
use crate::json::Node;
use crate::m3u::entry::give;
use crate::names;
use crate::xtream_url;

impl Reader<'_, '_> {
    /// An element of a list of streams, films or series.
    pub(super) fn stream(&mut self, node: &Node) {
        let kind = text(node, "stream_type").unwrap_or("");
        if node.get("stream_id").is_none() {
            return self.series(node);
        }
        let Some(id) = text(node, "stream_id").filter(|id| !id.trim().is_empty()) else { return };
        let subject = self.subject(node, id);
        self.members(&subject, node, None);
        let film = kind == "movie" || kind.is_empty() && node.get("container_extension").is_some();
        let episode = kind == "series";
        self.shows(&subject, node, film || episode, None);
    }

    /// The stream's key: by its own URL where it names one, else by its number in the panel.
    fn subject(&mut self, node: &Node, id: &str) -> Key {
        let url = node.get("url").filter(|u| !u.is_empty());
        if let Some(url) = url
            && let Some(line) = url.line()
            && xtream_url::parse(&line.text).is_some()
        {
            let whole = 0..line.text.len();
            return self.maker.locate(&line, &whole, self.out).subject;
        }
        let subject = Key::scoped("stream", &self.locator, id.trim());
        if let Some(url) = url {
            self.url(&subject, url, "url");
        }
        subject
    }

    /// A URL as a fact, its passwords hidden.
    fn url(&mut self, subject: &Key, node: &Node, property: &'static str) {
        let Some(line) = node.line() else { return };
        let secrets = xtream_url::secrets(&line.text);
        for secret in &secrets {
            give(self.out, subject, "password", Value::Secret, line.span(secret));
        }
        let shown = xtream_url::hide(&line.text, &secrets).into_owned();
        self.give(subject, property, Value::Text(shown), node);
    }

    fn members(&mut self, subject: &Key, element: &Node, skip: Option<&str>) {
        for (name, node) in element.members() {
            if skip == Some(name) || node.is_empty() {
                continue;
            }
            let Some(text) = shown(node) else { continue };
            let (property, value) = match &**name {
                // Seen already.
                "stream_id" | "id" | "url" => continue,
                "name" => ("name", Value::Text(text)),
                // Of a film it repeats the name without its year.
                "title" if element.get("name").is_none() => ("name", Value::Text(text)),
                "stream_type" => ("type", Value::Text(text)),
                "num" => ("number", Value::Text(text)),
                "stream_icon" | "cover" | "movie_image" => ("icon", Value::Text(text)),
                "epg_channel_id" => ("epg_id", Value::Text(text)),
                "category_id" => ("category", Value::Text(text)),
                "category_name" => ("group", Value::Text(text)),
                "container_extension" => ("container", Value::Text(text)),
                "year" => ("year", Value::Text(text)),
                "rating" => ("rating", Value::Text(text)),
                "tmdb_id" | "tmdb" | "kinopoisk_url" | "imdb_id" => {
                    ("external_id", Value::Text(text))
                }
                "plot" | "description" => ("note", Value::Text(text)),
                "duration_secs" => ("duration", node.int().map_or(Value::Text(text), Value::Int)),
                "added" => match time(node) {
                    Some(value) => ("added_at", value),
                    // Zero is not known.
                    None if node.int() == Some(0) => continue,
                    None => {
                        self.wrong(node, "added", "a time");
                        continue;
                    }
                },
                "tv_archive" if text == "0" => continue,
                "tv_archive" => ("catchup", Value::Text(text)),
                "direct_source" => {
                    self.source(subject, node);
                    continue;
                }
                _ if secret(name) => ("password", Value::Secret),
                _ => {
                    let hidden = xtream_url::hide_password(&text);
                    if hidden != text {
                        self.url(subject, node, "attribute");
                        continue;
                    }
                    ("attribute", Value::Text(format!("{name}={text}")))
                }
            };
            self.give(subject, property, value, node);
        }
    }

    /// Where the panel takes a stream from: a provider, if the URL carries an account, else a host.
    fn source(&mut self, subject: &Key, node: &Node) {
        let Some(line) = node.line() else { return };
        let Some(url) = xtream_url::split(&line.text).filter(|u| !u.host.is_empty()) else {
            return self.give(
                subject,
                "attribute",
                Value::Text(format!("direct_source={}", line.text)),
                node,
            );
        };
        self.url(subject, node, "attribute");
        let host_key = self.maker.host(&url);
        let host_span = line.span(&url.host);
        let Some(x) = xtream_url::of_url(&url) else {
            if let Some(host) = host_key {
                give(self.out, subject, "taken_from", Value::Key(host), host_span);
            }
            return;
        };
        let port = x.effective_port();
        let provider = Key::new("provider", &format!("{}:{port}/{}", x.host, x.user));
        let out = &mut *self.out;
        let mut say = |property, value, range: &Range<usize>| {
            give(out, &provider, property, value, line.span(range));
        };
        say("host", Value::Text(x.host.clone()), &url.host);
        say("port", Value::Int(i64::from(port)), &url.host);
        say("user_name", Value::Text(x.user.to_string()), &x.user_range);
        say("password", Value::Secret, &x.password_range);
        if let Some(host) = host_key {
            let link = if host.scheme() == "ip" { "has_address" } else { "has_name" };
            say(link, Value::Key(host), &url.host);
        }
        give(self.out, subject, "taken_from", Value::Key(provider), host_span);
    }

    fn shows(&mut self, subject: &Key, node: &Node, work: bool, series: Option<(&str, u16, u16)>) {
        let named = node.get("name").or_else(|| node.get("title"));
        let name = named.and_then(Node::text).unwrap_or("");
        let year = text(node, "year").and_then(|y| y.trim().parse().ok());
        let (key, from) = if work {
            let key = match series {
                // The episode's own title says which it is, or the list says it.
                Some((series, season, episode)) if names::work(name).episode.is_none() => {
                    names::work_key(series, None, Some((season, episode)))
                }
                _ => names::work_key(name, year, None),
            };
            (key, named)
        } else {
            let epg = node.get("epg_channel_id").filter(|n| n.text().is_some());
            let key = names::channel_key(epg.and_then(Node::text), name);
            let by_id = key.as_ref().is_some_and(|k| k.as_str().starts_with("channel:epg:"));
            (key, if by_id { epg } else { named })
        };
        if let (Some(key), Some(from)) = (key, from) {
            self.give(subject, "shows", Value::Key(key), from);
        }
    }

    /// A series is a work; its episodes are streams.
    fn series(&mut self, node: &Node) {
        let year = text(node, "year").and_then(|y| y.trim().parse().ok());
        let Some(named) = node.get("name").or_else(|| node.get("title")) else { return };
        let Some(work) = names::work_key(named.text().unwrap_or(""), year, None) else { return };
        let name = named.text().unwrap_or("").to_owned();
        self.give(&work, "name", Value::Text(name), named);
        for (name, node) in node.members() {
            let Some(text) = shown(node) else { continue };
            match &**name {
                "year" => self.give(&work, "year", Value::Text(text), node),
                "stream_type" => self.give(&work, "type", Value::Text(text), node),
                "tmdb_id" | "tmdb" | "imdb_id" => {
                    self.give(&work, "external_id", Value::Text(text), node);
                }
                _ => {}
            }
        }
    }

    /// The end of an answer about one film or one series.
    pub(super) fn film_or_series(&mut self) {
        let (info, film) = (self.info.take(), self.movie_data.take());
        let episodes = std::mem::take(&mut self.episodes);
        if let Some(film) = film.filter(|f| !f.is_empty()) {
            if let Some(id) = text(&film, "stream_id").map(str::to_owned) {
                let subject = self.subject(&film, &id);
                self.members(&subject, &film, None);
                if let Some(info) = &info {
                    self.members(&subject, info, Some("name"));
                }
                self.shows(&subject, &film, true, None);
            }
            return;
        }
        let mut series = String::new();
        if let Some(info) = &info {
            series = text(info, "name").unwrap_or("").to_owned();
            self.series(info);
        }
        for episode in &episodes {
            let Some(id) = text(episode, "id").map(str::to_owned) else { continue };
            let subject = self.subject(episode, &id);
            self.members(&subject, episode, None);
            if let Some(info) = episode.get("info") {
                self.members(&subject, info, Some("name"));
            }
            let number = |name: &str| {
                episode.get(name).and_then(Node::int).and_then(|n| u16::try_from(n).ok())
            };
            let season = number("season").unwrap_or(0);
            let part = number("episode_num").unwrap_or(0);
            self.shows(&subject, episode, true, Some((&series, season, part)));
        }
    }
}

fn text<'n>(node: &'n Node, name: &str) -> Option<&'n str> {
    node.get(name).and_then(Node::text)
}

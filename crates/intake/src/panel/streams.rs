//! Streams: what they show, where they come from, which server carries them.

use std::collections::HashMap;

use model::{Key, Value};

use super::cell::{Span, each};
use super::{State, moment, say, say_text, sources};
use crate::Sink;
use crate::dump::Piece;
use crate::names;

/// What is kept of streams until the end.
#[derive(Debug, Default)]
pub(super) struct Kept {
    /// Stream and category.
    wanted: Vec<(i64, i64)>,
    categories: HashMap<i64, (String, Span)>,
    /// Episodes whose names do not say which: their streams, and where their names stand.
    nameless: HashMap<i64, Span>,
    series: HashMap<i64, String>,
    /// Stream, series, season, episode.
    episodes: Vec<(i64, i64, u16, u16)>,
}

/// What a stream's number of a type stands for: the same five in every family.
fn kind(number: i64) -> Option<&'static str> {
    Some(match number {
        1 => "live",
        2 => "movie",
        3 => "created",
        4 => "radio",
        5 => "series",
        _ => return None,
    })
}

/// Rows of the table of streams.
pub(super) fn streams(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    each(piece, |row| {
        let Some((id, id_span)) = row.int("id") else { return };
        let key = state.key("stream", id);
        let name = row.text("stream_display_name");
        if let Some(name) = &name {
            say_text(out, &key, "name", name);
        }
        let epg = row.text("channel_id");
        for (text, property) in [
            (epg.as_ref(), "epg_id"),
            (row.text("stream_icon").as_ref(), "icon"),
            (row.text("notes").as_ref(), "note"),
        ] {
            if let Some(text) = text {
                say_text(out, &key, property, text);
            }
        }
        if let Some(text) = row.text("target_container") {
            // Bare, or an array of one: `["mkv"]`.
            let inner = text.text.trim_matches(|c: char| "[]\"\\ ".contains(c));
            if !inner.is_empty() {
                let at = inner.as_ptr().addr() - text.text.as_ptr().addr();
                let span = text.part(at..at + inner.len());
                say(out, &key, "container", Value::Text(super::cut(inner).to_owned()), span);
            }
        }
        let year = row.int("year").filter(|(n, _)| (1900..2100).contains(n));
        if let Some((n, span)) = year {
            say(out, &key, "year", Value::Int(n), span);
        }
        if let Some((seconds, span)) = row.int("added")
            && let Some(at) = moment(seconds)
        {
            say(out, &key, "added_at", at, span);
        }
        if let Some((n, span)) = row.int("tmdb_id").filter(|(n, _)| *n > 0) {
            say(out, &key, "external_id", Value::Text(format!("tmdb:{n}")), span);
        }
        let number = row.int("type");
        let what = number.and_then(|(n, _)| kind(n));
        if let (Some(what), Some((_, span))) = (what, number) {
            say(out, &key, "type", Value::Text(what.to_owned()), span);
        }
        match what {
            Some("live" | "created" | "radio") => {
                let shown = name.as_ref().map_or("", |n| n.text.as_str());
                if let Some(channel) =
                    names::channel_key(epg.as_ref().map(|e| e.text.as_str()), shown)
                {
                    let by_epg = channel.rest().starts_with("epg:");
                    let span = match (&epg, &name) {
                        (Some(epg), _) if by_epg => epg.span,
                        (_, Some(name)) => name.span,
                        _ => id_span,
                    };
                    say(out, &key, "shows", Value::Key(channel), span);
                }
            }
            Some("movie" | "series") => {
                if let Some(name) = &name {
                    let whole = what == Some("movie") || names::work(&name.text).episode.is_some();
                    if !whole && state.room(0, name.span, out) {
                        state.streams.nameless.insert(id, name.span);
                    } else {
                        let year = year.and_then(|(n, _)| u16::try_from(n).ok());
                        if let Some(work) = names::work_key(&name.text, year, None) {
                            say(out, &key, "shows", Value::Key(work), name.span);
                        }
                    }
                }
            }
            _ => {}
        }
        if let Some(text) = row.text("category_id") {
            for id_text in text.text.split(|c: char| !c.is_ascii_digit()).filter(|t| !t.is_empty())
            {
                if let Ok(category) = id_text.parse()
                    && state.room(0, text.span, out)
                {
                    state.streams.wanted.push((id, category));
                }
            }
        }
        if let Some(list) = row.text("stream_source") {
            sources::sources(state, &key, &list, out);
        }
    });
}

/// Rows of the table of categories.
pub(super) fn categories(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    each(piece, |row| {
        if let (Some((id, _)), Some(name)) = (row.int("id"), row.text("category_name")) {
            let text = super::cut(&name.text).to_owned();
            if state.room(text.len(), name.span, out) {
                state.streams.categories.insert(id, (text, name.span));
            }
        }
    });
}

/// Rows of the table of series.
pub(super) fn series(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    each(piece, |row| {
        if let (Some((id, _)), Some(title)) = (row.int("id"), row.text("title")) {
            let text = super::cut(&title.text).to_owned();
            if state.room(text.len(), title.span, out) {
                state.streams.series.insert(id, text);
            }
        }
    });
}

/// Rows of the table of episodes.
pub(super) fn episodes(state: &mut State, piece: &Piece, out: &mut dyn Sink) {
    each(piece, |row| {
        let short = |name| row.int(name).and_then(|(n, _)| u16::try_from(n).ok());
        if let (Some((stream, span)), Some((series, _)), Some(season)) =
            (row.int("stream_id"), row.int("series_id"), short("season_num"))
        {
            let Some(episode) = short("episode_num").or_else(|| short("sort")) else { return };
            if state.room(0, span, out) {
                state.streams.episodes.push((stream, series, season, episode));
            }
        }
    });
}

/// Rows that say which server carries which stream, and from which server it takes it.
pub(super) fn carriers(piece: &Piece, out: &mut dyn Sink) {
    let Some(panel) = &piece.table.schema.panel else { return };
    let key = |scheme: &str, id: i64| Key::new(scheme, &format!("{panel}/{id}"));
    each(piece, |row| {
        let (Some((server, _)), Some((stream, span))) =
            (row.int("server_id"), row.int("stream_id"))
        else {
            return;
        };
        let subject = key("server", server);
        say(out, &subject, "carries", Value::Key(key("stream", stream)), span);
        if let Some((parent, span)) = row.int("parent_id")
            && parent != 0
            && parent != server
        {
            say(out, &subject, "relays_from", Value::Key(key("server", parent)), span);
        }
    });
}

/// Categories by name, and episodes by their series, once all tables are known.
pub(super) fn finish(state: &mut State, out: &mut dyn Sink) {
    let kept = std::mem::take(&mut state.streams);
    for (stream, category) in &kept.wanted {
        if let Some((name, span)) = kept.categories.get(category) {
            say(out, &state.key("stream", *stream), "category", Value::Text(name.clone()), *span);
        }
    }
    for (stream, series, season, episode) in &kept.episodes {
        if let (Some(title), Some(span)) = (kept.series.get(series), kept.nameless.get(stream))
            && let Some(work) = names::work_key(title, None, Some((*season, *episode)))
        {
            say(out, &state.key("stream", *stream), "shows", Value::Key(work), *span);
        }
    }
}

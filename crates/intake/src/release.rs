//! Names of releases: `Some.Show.S01E02.1080p.WEB-DL.DDP5.1.H.264-GRP`, taken apart by the crate
//! `hunch`.
//!
//! A text is a release name where it holds neither white space nor a path and
//! - has three parts or more, divided by dots or underscores (an ending of a video file aside);
//! - one part at least, not the first, is a mark that only releases carry (a resolution, a source, a
//!   codec, a season and episode, …), or two are words that releases often carry (`WEB`, `PROPER`,
//!   `COMPLETE`, …);
//! - ends in `-GROUP`: 2 to 24 letters, digits or `_`, one letter at least.
//!
//! With spaces for dots the same holds, but twice as many marks are asked for. What no rule takes for a
//! release name names nothing here: a title alone is not one.

use model::{Fact, Key, Value};

use crate::names;
use crate::sink::Sink;

mod list;

pub use list::PARSER;

/// The longest name that is looked at, in bytes. The scene's own rules end at 255.
pub const MAX_NAME: usize = 300;

/// Endings of files that a name may carry behind its group.
const ENDINGS: &[&str] = &[
    "mkv", "mp4", "avi", "m4v", "mov", "wmv", "ts", "m2ts", "mpg", "mpeg", "iso", "nfo", "srt",
    "sub", "rar", "sfv", "flv", "webm", "torrent", "zip", "par2", "nzb",
];

/// A release name taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    /// `release:<name, lower case>`.
    pub key: Key,
    /// Properties of the kind Release, in the registry's order.
    pub fields: Vec<(&'static str, Value)>,
    /// `organization:<group, lower case>`.
    pub group: Option<Key>,
    /// The work it holds.
    pub work: Option<Key>,
}

/// The name without the ending of a file.
pub fn stem(text: &str) -> &str {
    match text.rsplit_once('.') {
        Some((stem, ending)) if ENDINGS.contains(&ending.to_ascii_lowercase().as_str()) => stem,
        _ => text,
    }
}

/// What a part of a name says for its being a release's: 2 for a mark that only releases carry, 1
/// for a word that they often carry.
fn mark(part: &str) -> u32 {
    const MARKS: &[&str] = &[
        "480p", "540p", "576p", "720p", "1080p", "1080i", "2160p", "4320p", "webrip", "web-dl",
        "webdl", "bluray", "blu-ray", "bdrip", "brrip", "bdremux", "dvdrip", "dvdscr", "dvdr",
        "dvd5", "dvd9", "hdtv", "pdtv", "dsr", "hdrip", "hdcam", "camrip", "telesync", "telecine",
        "hdts", "tvrip", "satrip", "dvbrip", "x264", "x265", "h264", "h265", "hevc", "xvid",
        "divx", "remux", "ddp5", "dd5", "truehd", "hdr10",
    ];
    const WORDS: &[&str] = &[
        "web",
        "dvd",
        "cam",
        "uhd",
        "avc",
        "av1",
        "vp9",
        "proper",
        "repack",
        "rerip",
        "internal",
        "multi",
        "complete",
        "dubbed",
        "subbed",
        "limited",
        "unrated",
        "readnfo",
        "screener",
        "ac3",
        "dts",
        "aac",
        "atmos",
        "hdr",
        "dv",
        "sdr",
        "10bit",
        "8bit",
        "r5",
        "german",
        "french",
        "truefrench",
        "italian",
        "ita",
        "spanish",
        "dutch",
        "dl",
    ];
    let part = part.to_ascii_lowercase();
    if MARKS.contains(&part.as_str()) || is_episode(&part) {
        2
    } else {
        u32::from(WORDS.contains(&part.as_str()))
    }
}

/// `s01e02`, `s01`, `1x02`, with more episodes behind.
fn is_episode(part: &str) -> bool {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    if let Some(rest) = part.strip_prefix('s') {
        let season = digits(rest);
        let tail = &rest[season..];
        let episode = tail.strip_prefix('e').map_or(0, digits);
        return (1..=4).contains(&season) && (tail.is_empty() || (1..=4).contains(&episode));
    }
    let season = digits(part);
    let tail = &part[season..];
    (1..=2).contains(&season)
        && tail
            .strip_prefix('x')
            .is_some_and(|e| (2..=3).contains(&e.len()) && digits(e) == e.len())
}

/// Whether a text is a release name, by the rule above.
pub fn is_release_name(text: &str) -> bool {
    let name = stem(text);
    if name.len() > MAX_NAME
        || name.contains(['/', '\\', '<', '>', '"', '|', '@', ':', '\t', '\n', '\r'])
        || name.chars().any(char::is_control)
    {
        return false;
    }
    let Some((head, group)) = name.rsplit_once('-') else { return false };
    let good_group = (2..=24).contains(&group.len())
        && group.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && group.bytes().any(|b| b.is_ascii_alphabetic());
    if !good_group {
        return false;
    }
    let spaced = head.contains(' ');
    let parts: Vec<&str> = head
        .split(|c| matches!(c, '.' | '_') || (spaced && matches!(c, ' ' | '(' | ')' | '[' | ']')))
        .filter(|p| !p.is_empty())
        .collect();
    let marks: u32 = parts.iter().skip(1).map(|p| mark(p)).sum();
    parts.len() >= 3 && marks >= if spaced { 4 } else { 2 }
}

/// The key of a release's name, of whatever form.
pub fn key(name: &str) -> Key {
    Key::new("release", &stem(name.trim()).to_lowercase())
}

/// Takes a name apart. The caller has asked [`is_release_name`], or knows by other means.
pub fn read(name: &str) -> Release {
    let name = name.trim();
    let mut end = name.len().min(MAX_NAME);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let looked = &name[..end];
    let text = |value: &str| Value::Text(value.to_owned());
    let mut fields = vec![("name", text(stem(name)))];
    let mut release = Release { key: key(name), fields: Vec::new(), group: None, work: None };
    // A name is the world's: should the crate fail on one, it costs that name's parts and no more.
    let Ok(found) = std::panic::catch_unwind(|| hunch::hunch(looked)) else {
        release.fields = fields;
        return release;
    };
    let number = |n: i32| u16::try_from(n).ok();
    let year = found.year().and_then(number).filter(|y| (1900..2100).contains(y));
    let season = found.season().and_then(number);
    let episode = found.episode().and_then(number);
    let mut push = |property, value: Option<&str>| {
        fields.extend(value.filter(|v| !v.is_empty()).map(|v| (property, text(v))));
    };
    push("title", found.title());
    push("source", found.source());
    push("resolution", found.screen_size());
    push("video_codec", found.video_codec());
    push("audio_codec", found.audio_codec());
    for language in found.languages() {
        push("language", Some(language));
    }
    push("group", found.release_group());
    push("edition", found.edition());
    push("container", found.container());
    push("streaming_service", found.streaming_service());
    let mut count = |property, value: Option<u16>| {
        fields.extend(value.map(|v| (property, Value::Int(v.into()))));
    };
    count("year", year);
    count("season", season);
    count("episode", episode);
    release.fields = fields;
    let group = found.release_group().map(str::to_lowercase).filter(|g| !g.trim().is_empty());
    release.group = group.map(|g| Key::new("organization", g.trim()));
    let of = season.zip(episode);
    release.work = found.title().and_then(|title| names::work_key(title, year, of));
    release
}

/// Gives a release's facts, all from the one place where its name stands. Returns its key.
pub fn facts(name: &str, start: u64, end: u64, out: &mut dyn Sink) -> Key {
    let Release { key, fields, group, work } = read(name);
    let mut fact = |subject: &Key, property, value| {
        out.fact(Fact { subject: subject.clone(), property, value, start, end });
    };
    for (property, value) in fields {
        if property == "group"
            && let (Some(group), Value::Text(name)) = (&group, &value)
        {
            fact(group, "name", Value::Text(name.clone()));
        }
        fact(&key, property, value);
    }
    if let Some(group) = group {
        fact(&key, "released_by", Value::Key(group));
    }
    if let Some(work) = work {
        fact(&key, "release_of", Value::Key(work));
    }
    key
}

#[cfg(test)]
mod tests;

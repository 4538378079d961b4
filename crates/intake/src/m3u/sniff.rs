//! Telling IPTV playlists from HLS playlists, and both from what is neither: by content.

use super::utf16;
use crate::parser::Confidence;

/// What a head holds that tells the two apart.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signs {
    pub(crate) header: bool,
    /// `#EXTINF` lines.
    pub(crate) extinf: usize,
    /// … with an attribute, or a name of letters.
    pub(crate) named: usize,
    /// Tags that only HLS has.
    pub(crate) hls: usize,
    /// URLs with a scheme.
    pub(crate) urls: usize,
    /// Lines that are not blank.
    pub(crate) lines: usize,
}

/// Tags that IPTV playlists do not carry.
const HLS: &[&str] = &[
    "#EXT-X-TARGETDURATION",
    "#EXT-X-STREAM-INF",
    "#EXT-X-I-FRAME",
    "#EXT-X-MEDIA",
    "#EXT-X-ENDLIST",
    "#EXT-X-PLAYLIST-TYPE",
    "#EXT-X-KEY",
    "#EXT-X-MAP",
    "#EXT-X-BYTERANGE",
    "#EXT-X-DISCONTINUITY",
    "#EXT-X-PART",
    "#EXT-X-SKIP",
    "#EXT-X-SERVER-CONTROL",
    "#EXT-X-PROGRAM-DATE-TIME",
    "#EXT-X-VERSION",
    "#EXT-X-ALLOW-CACHE",
    "#EXT-X-START",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    "#EXT-X-SESSION",
    "#EXT-X-DATERANGE",
    "#EXT-X-DEFINE",
    "#EXT-X-CONTENT-STEERING",
    "#EXT-X-PRELOAD-HINT",
    "#EXT-X-RENDITION-REPORT",
];

pub(crate) fn signs(head: &[u8]) -> Signs {
    let head = utf16::sniffable(head);
    let mut found = Signs::default();
    for line in head.split(|b| matches!(b, b'\n' | b'\r')) {
        let (_, line) = super::lines::trim(line);
        if line.is_empty() {
            continue;
        }
        found.lines += 1;
        if super::is(line, b"#EXTM3U") {
            found.header = true;
        } else if super::is(line, b"#EXTINF") {
            found.extinf += 1;
            let comma = line.iter().position(|b| *b == b',').unwrap_or(line.len());
            let attribute = line.windows(2).any(|w| w == b"=\"" || w == b"='");
            let name =
                line[comma..].iter().filter(|b| b.is_ascii_alphabetic() || **b >= 0x80).count();
            found.named += usize::from(attribute || name >= 2);
        } else if line[0] == b'#' {
            let tag = |t: &str| {
                line.len() >= t.len() && line[..t.len()].eq_ignore_ascii_case(t.as_bytes())
            };
            found.hls += usize::from(HLS.iter().any(|t| tag(t)));
        } else if line.len() < 4096 && line.windows(3).any(|w| w == b"://") && !line.contains(&b' ')
        {
            found.urls += 1;
        }
    }
    found
}

/// True where the signs are those of HLS rather than of an IPTV playlist.
pub(crate) fn is_hls(signs: &Signs) -> bool {
    signs.hls > 0 && signs.named <= signs.hls.max(signs.extinf / 2)
        || signs.header && signs.named == 0 && signs.hls == 0 && signs.extinf > 0
}

pub(crate) fn sniff(head: &[u8], name: &str) -> Confidence {
    let signs = signs(head);
    let lower = name.to_ascii_lowercase();
    let named = lower.ends_with(".m3u") || lower.ends_with(".m3u8");
    if (signs.header || signs.extinf > 0) && is_hls(&signs) {
        return Confidence(20);
    }
    match (signs.header, signs.extinf) {
        (true, 1..) => Confidence(92),
        (false, 1..) => Confidence(75),
        (true, 0) if signs.urls > 0 => Confidence(80),
        (true, 0) => Confidence(50),
        _ if named && (signs.urls > 0 || page(head).is_some()) => Confidence(45),
        _ if named && signs.lines > 0 => Confidence(30),
        _ => Confidence::NO,
    }
}

/// What stands where a playlist should be, if it is a page or an answer in XML or JSON.
pub(crate) fn page(head: &[u8]) -> Option<&'static str> {
    let (_, mut head) = super::lines::trim(head);
    while let [b'\n' | b'\r' | b' ' | b'\t', rest @ ..] = head {
        head = rest;
    }
    let begins =
        |t: &str| head.len() >= t.len() && head[..t.len()].eq_ignore_ascii_case(t.as_bytes());
    if begins("<!doctype")
        || begins("<html")
        || begins("<head")
        || begins("<body")
        || begins("<script")
        || begins("<!--")
    {
        Some("an HTML page")
    } else if begins("<?xml") || begins("<?php") {
        Some("an XML or PHP text")
    } else if begins("{\"") || begins("[{") {
        Some("a JSON answer")
    } else {
        None
    }
}

/// A path that ends as a media file or a playlist does.
pub(crate) fn media_file(path: &[u8]) -> bool {
    const MEDIA: &[&str] = &[
        "ts", "m3u8", "m3u", "mp4", "mkv", "avi", "mov", "m4v", "mpg", "mpeg", "wmv", "flv", "mp3",
        "aac", "m4a", "ogg", "flac", "wav", "wma", "webm", "mpd", "m4s", "3gp", "vob", "divx",
    ];
    let ext = path.rsplit(|b| *b == b'.').next().unwrap_or_default();
    MEDIA.iter().any(|m| ext.eq_ignore_ascii_case(m.as_bytes()))
}

//! HLS playlists, master and media, with the tags of RFC 8216bis and low latency.
//!
//! Each **variant** and **rendition** with a URI is a stream of its own: by its URL, or, where the
//! URI is relative, beside this playlist. Everything else is said of the playlist: its **segments**
//! (property `segment`, the URI as written; parts and initialisation sections too), their durations,
//! keys (`key_url`), and every tag that says more (property `attribute`, the tag as written).
//!
//! Tags nobody knows are attributes too; comments and blank lines are filler. What the standard
//! forbids and players take (no `#EXTM3U`, a segment without `#EXTINF`, numbers that are none) is
//! read and noted as a problem that loses nothing.
//!
//! Bounds: those of [`crate::m3u`].

pub(crate) mod attributes;

use std::borrow::Cow;
use std::ops::Range;

use model::{Key, Problem, ProblemKind, Value};

use crate::chunks::Chunks;
use crate::m3u::attributes::trimmed;
use crate::m3u::entry::{Maker, give};
use crate::m3u::lines::{self, Line, Lines};
use crate::m3u::{sniff as signs, utf16};
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::sink::Sink;
use crate::xtream_url;

/// The parser.
pub const PARSER: Parser = Parser {
    name: "hls",
    version: 1,
    about: "HLS playlists, master and media (RFC 8216bis)",
    sniff,
    parse,
};

fn sniff(head: &[u8], name: &str) -> Confidence {
    let found = signs::signs(head);
    let named = name.to_ascii_lowercase().ends_with(".m3u8");
    if (found.header || found.extinf > 0 || found.hls > 0) && signs::is_hls(&found) {
        return Confidence(if found.hls > 0 { 93 } else { 78 });
    }
    Confidence(match (found.header, found.extinf, found.urls) {
        // A header and nothing else.
        (true, 0, 0) if named => 55,
        (true, 0, 0) => 40,
        _ => 0,
    })
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    match utf16::detect(chunks.fill(64)) {
        Some(order) => utf16::run(order, input, chunks, out, read),
        None => read(input, chunks, out),
    }
}

fn read(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let maker = Maker::new(input.exhibit);
    let playlist = maker.playlist();
    let mut reader = Reader {
        maker,
        playlist,
        out,
        coverage: Coverage::default(),
        variant: None,
        waiting: None,
        started: false,
        host: String::new(),
        foreign: None,
    };
    lines::each(chunks, &mut reader);
    if let Some((start, end, count)) = reader.foreign {
        let message =
            format!("{count} lines are not UTF-8 and were read as Windows-1252; this is the first");
        reader.out.problem(Problem {
            start,
            end,
            kind: ProblemKind::Encoding,
            message,
            lost: false,
        });
    }
    reader.coverage
}

struct Reader<'o> {
    maker: Maker,
    playlist: Key,
    out: &'o mut dyn Sink,
    coverage: Coverage,
    /// A `#EXT-X-STREAM-INF` that waits for its URI: its place in the window, and the bytes it
    /// counts with its line end.
    variant: Option<(usize, usize, u64)>,
    /// An `#EXTINF` that waits for its URI.
    waiting: Option<(u64, u64)>,
    /// A line that says something was seen.
    started: bool,
    /// The host of the last segment.
    host: String,
    foreign: Option<(u64, u64, u64)>,
}

impl Lines for Reader<'_> {
    fn line(&mut self, window: &[u8], start: usize, end: usize, next: usize, base: u64) {
        let bytes = (next - start) as u64;
        let (front, text) = lines::trim(&window[start..end]);
        let Some(first) = text.first() else {
            self.coverage.filler += bytes;
            return;
        };
        let at = base + (start + front) as u64;
        if *first != b'#' {
            let line = self.line_of(text, at);
            self.uri(&line, window, base);
            self.coverage.read += bytes;
            return;
        }
        if !text.get(..4).is_some_and(|t| t.eq_ignore_ascii_case(b"#EXT")) {
            self.coverage.filler += bytes;
            return;
        }
        let name = text.iter().position(|b| *b == b':').unwrap_or(text.len());
        if text[..name].eq_ignore_ascii_case(b"#EXT-X-STREAM-INF") {
            self.begin(at, at + text.len() as u64);
            self.drop_variant(base);
            self.variant = Some((start, end, bytes));
            return;
        }
        let line = self.line_of(text, at);
        self.tag(&line);
        self.coverage.read += bytes;
    }

    fn kept(&self) -> Option<usize> {
        self.variant.map(|(start, ..)| start)
    }

    fn shift(&mut self, by: usize) {
        if let Some((start, end, _)) = &mut self.variant {
            *start -= by;
            *end -= by;
        }
    }

    fn let_go(&mut self, base: u64, at_end: bool) {
        self.drop_variant(base);
        if at_end {
            self.end_waiting();
        }
    }

    fn too_long(&mut self, start: u64, end: u64, bytes: u64) {
        self.coverage.lost += bytes;
        self.out.problem(Problem {
            start,
            end,
            kind: ProblemKind::Bound,
            message: "a line longer than 1 MiB".to_owned(),
            lost: true,
        });
    }
}

impl Reader<'_> {
    fn line_of<'l>(&mut self, text: &'l [u8], at: u64) -> Line<'l> {
        let line = Line::new(text, at);
        if line.foreign() {
            let (start, end) = line.span(&(0..line.text.len()));
            self.foreign.get_or_insert((start, end, 0)).2 += 1;
        }
        line
    }

    fn note(&mut self, start: u64, end: u64, kind: ProblemKind, message: &str) {
        self.out.problem(Problem { start, end, kind, message: message.to_owned(), lost: false });
    }

    /// Called at each line that says something: the first must be `#EXTM3U`.
    fn begin(&mut self, start: u64, end: u64) {
        if !self.started {
            self.started = true;
            self.note(start, end, ProblemKind::Syntax, "no #EXTM3U in front");
        }
    }

    fn drop_variant(&mut self, base: u64) {
        if let Some((start, end, bytes)) = self.variant.take() {
            self.coverage.lost += bytes;
            self.out.problem(Problem {
                start: base + start as u64,
                end: base + end as u64,
                kind: ProblemKind::Syntax,
                message: "a variant without a URI".to_owned(),
                lost: true,
            });
        }
    }

    fn end_waiting(&mut self) {
        if let Some((start, end)) = self.waiting.take() {
            self.note(start, end, ProblemKind::Syntax, "an #EXTINF without a segment");
        }
    }

    fn uri(&mut self, line: &Line<'_>, window: &[u8], base: u64) {
        let whole = 0..line.text.len();
        let (start, end) = line.span(&whole);
        self.begin(start, end);
        if let Some((from, to, bytes)) = self.variant.take() {
            let tag = self.line_of(&window[from..to], base + from as u64);
            let stream = self.maker.locate(line, &whole, self.out).subject;
            self.stream(&tag, &stream);
            self.coverage.read += bytes;
            return;
        }
        if self.waiting.take().is_none() {
            self.note(start, end, ProblemKind::Syntax, "a segment without #EXTINF");
        }
        self.segment(line, &whole);
    }

    /// A segment's, a part's or an initialisation section's URI.
    fn segment(&mut self, line: &Line<'_>, range: &Range<usize>) {
        let text = &line.text[range.clone()];
        // Most segments stand beside their playlist: nothing to take apart.
        let plain =
            memchr::memchr3(b'?', b'@', b':', text.as_bytes()).is_none() && !text.starts_with("//");
        if plain {
            let value = Value::Text(text.to_owned());
            return give(self.out, &self.playlist, "segment", value, line.span(range));
        }
        let url = xtream_url::split(text);
        let secrets = match &url {
            Some(url) => xtream_url::secrets_of(url, xtream_url::of_url(url).as_ref()),
            None => xtream_url::secrets(text),
        };
        let shown = self.hide(line, range, &secrets);
        give(self.out, &self.playlist, "segment", Value::Text(shown), line.span(range));
        let Some(url) = url else { return };
        let host = url.host();
        if host != self.host {
            host.clone_into(&mut self.host);
            if let Some(key) = self.maker.host(&url) {
                let at = range.start + url.host.start..range.start + url.host.end;
                give(self.out, &self.playlist, "hosted_at", Value::Key(key), line.span(&at));
            }
        }
    }

    /// The text of a range with its passwords hidden, and a secret fact for each.
    fn hide(&mut self, line: &Line<'_>, range: &Range<usize>, secrets: &[Range<usize>]) -> String {
        for secret in secrets {
            let at = range.start + secret.start..range.start + secret.end;
            give(self.out, &self.playlist, "password", Value::Secret, line.span(&at));
        }
        xtream_url::hide(&line.text[range.clone()], secrets).into_owned()
    }

    fn tag(&mut self, line: &Line<'_>) {
        let colon = memchr::memchr(b':', line.text.as_bytes());
        let name_end = colon.unwrap_or(line.text.len());
        let name = &line.text[..name_end];
        let name = if name.bytes().any(|b| b.is_ascii_lowercase()) {
            Cow::Owned(name.to_ascii_uppercase())
        } else {
            Cow::Borrowed(name)
        };
        let behind = (name_end + 1).min(line.text.len());
        if name == "#EXTM3U" || name.starts_with("#EXTM3U ") {
            self.started = true;
            return;
        }
        let (start, end) = line.span(&(0..line.text.len()));
        self.begin(start, end);
        match &*name {
            "#EXTINF" => {
                self.end_waiting();
                self.waiting = Some((start, end));
                self.extinf(line, behind);
            }
            "#EXT-X-MEDIA" => self.rendition(line, behind),
            "#EXT-X-I-FRAME-STREAM-INF" | "#EXT-X-IMAGE-STREAM-INF" => match find(line, behind).0 {
                Some(range) => {
                    let stream = self.maker.locate(line, &range, self.out).subject;
                    self.stream(line, &stream);
                }
                None => {
                    self.note(start, end, ProblemKind::Syntax, "a variant without a URI");
                    self.attribute(line, None);
                }
            },
            "#EXT-X-KEY" | "#EXT-X-SESSION-KEY" => {
                let uri = find(line, behind).0;
                if let Some(range) = &uri {
                    let secrets = xtream_url::secrets(&line.text[range.clone()]);
                    let shown = self.hide(line, range, &secrets);
                    let span = line.span(range);
                    give(self.out, &self.playlist, "key_url", Value::Text(shown), span);
                    self.mention(line, range);
                }
                self.attribute(line, uri);
            }
            "#EXT-X-MAP" | "#EXT-X-PART" => {
                let (uri, duration) = find(line, behind);
                match &uri {
                    Some(range) => self.segment(line, range),
                    None => self.note(start, end, ProblemKind::Syntax, "a part without a URI"),
                }
                if let Some(range) = duration {
                    self.duration(line, &range);
                }
                self.attribute(line, uri);
            }
            _ => {
                if matches!(
                    &*name,
                    "#EXT-X-VERSION"
                        | "#EXT-X-TARGETDURATION"
                        | "#EXT-X-MEDIA-SEQUENCE"
                        | "#EXT-X-DISCONTINUITY-SEQUENCE"
                ) && line.text[behind..].trim().parse::<u64>().is_err()
                {
                    self.note(start, end, ProblemKind::Type, "no whole number behind the tag");
                }
                let uri = find(line, behind).0;
                self.attribute(line, uri);
            }
        }
    }

    fn extinf(&mut self, line: &Line<'_>, behind: usize) {
        let comma = memchr::memchr(b',', &line.text.as_bytes()[behind..])
            .map_or(line.text.len(), |n| behind + n);
        let range = trimmed(&line.text, behind..comma);
        let number = line.text[range.clone()]
            .bytes()
            .take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+'))
            .count();
        self.duration(line, &(range.start..range.start + number));
        let title = trimmed(&line.text, (comma + 1).min(line.text.len())..line.text.len());
        if !title.is_empty() {
            let text = Value::Text(line.text[title.clone()].to_owned());
            give(self.out, &self.playlist, "note", text, line.span(&title));
        }
    }

    /// A duration in seconds: whole ones as an integer, others as written.
    fn duration(&mut self, line: &Line<'_>, range: &Range<usize>) {
        let text = &line.text[range.clone()];
        let value = match text.parse() {
            Ok(whole) => Value::Int(whole),
            Err(_) if is_decimal(text) => Value::Text(text.to_owned()),
            Err(_) => {
                let (start, end) = line.span(&(0..line.text.len()));
                return self.note(start, end, ProblemKind::Type, "a duration that is no number");
            }
        };
        give(self.out, &self.playlist, "duration", value, line.span(range));
    }

    /// `#EXT-X-MEDIA`: a stream of its own where it has a URI.
    fn rendition(&mut self, line: &Line<'_>, behind: usize) {
        match find(line, behind).0 {
            Some(range) => {
                let stream = self.maker.locate(line, &range, self.out).subject;
                self.stream(line, &stream);
            }
            None => self.attribute(line, None),
        }
    }

    /// The attributes of a variant or rendition.
    fn stream(&mut self, line: &Line<'_>, stream: &Key) {
        let text = &*line.text;
        let behind = text.find(':').map_or(text.len(), |n| n + 1);
        attributes::list(text, behind, |name, value| {
            let written = &text[value.clone()];
            let property = match &text[name.clone()] {
                "URI" => return,
                "BANDWIDTH" => "bandwidth",
                "RESOLUTION" => "resolution",
                "CODECS" => "codecs",
                "NAME" => "name",
                "TYPE" => "type",
                "GROUP-ID" => "group",
                _ => "attribute",
            };
            if written.is_empty() {
                return;
            }
            if property == "attribute" {
                let shown = format!("{}={written}", &text[name.clone()]);
                let span = line.span(&(name.start..value.end));
                return give(self.out, stream, property, Value::Text(shown), span);
            }
            let value_ = match (property, written.parse()) {
                ("bandwidth", Ok(n)) => Value::Int(n),
                _ => Value::Text(written.to_owned()),
            };
            give(self.out, stream, property, value_, line.span(&value));
        });
    }

    /// A tag as it is written, without its `#`; passwords in its URI are hidden.
    fn attribute(&mut self, line: &Line<'_>, uri: Option<Range<usize>>) {
        let range = 1..line.text.len();
        let mut secrets = Vec::new();
        if let Some(uri) = uri {
            secrets = xtream_url::secrets(&line.text[uri.clone()]);
            for secret in &mut secrets {
                *secret = uri.start - 1 + secret.start..uri.start - 1 + secret.end;
            }
        }
        let shown = xtream_url::hide(&line.text[range.clone()], &secrets).into_owned();
        give(self.out, &self.playlist, "attribute", Value::Text(shown), line.span(&range));
    }

    /// The host of a key's URL.
    fn mention(&mut self, line: &Line<'_>, range: &Range<usize>) {
        if let Some(url) = xtream_url::split(&line.text[range.clone()])
            && let Some(key) = self.maker.host(&url)
        {
            let at = range.start + url.host.start..range.start + url.host.end;
            give(self.out, &self.playlist, "mentions", Value::Key(key), line.span(&at));
        }
    }
}

/// Where `URI` (if it is not empty) and `DURATION` of a tag stand, whose list begins at `at`.
fn find(line: &Line<'_>, at: usize) -> (Option<Range<usize>>, Option<Range<usize>>) {
    let text = &*line.text;
    let (mut uri, mut duration) = (None, None);
    attributes::list(text, at, |name, value| {
        let name = &text[name];
        if uri.is_none() && !value.is_empty() && name.eq_ignore_ascii_case("URI") {
            uri = Some(value);
        } else if duration.is_none() && name.eq_ignore_ascii_case("DURATION") {
            duration = Some(value);
        }
    });
    (uri, duration)
}

/// A decimal number without exponent: digits, a sign and a point allowed.
fn is_decimal(text: &str) -> bool {
    let b = text.as_bytes();
    let b = b.strip_prefix(b"-").or(b.strip_prefix(b"+")).unwrap_or(b);
    let points = b.iter().filter(|c| **c == b'.').count();
    points <= 1 && b.len() > points && b.iter().all(|c| c.is_ascii_digit() || *c == b'.')
}

#[cfg(test)]
mod tests;

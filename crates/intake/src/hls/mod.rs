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
        self.tag(&line, name);
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
        let shown = self.hidden(line, range);
        give(self.out, &self.playlist, "segment", Value::Text(shown), line.span(range));
        let Some(url) = xtream_url::split(text) else { return };
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
    fn hidden(&mut self, line: &Line<'_>, range: &Range<usize>) -> String {
        let text = &line.text[range.clone()];
        let plain = !text.as_bytes().iter().any(|b| matches!(b, b'?' | b'@'))
            && !text.as_bytes().first().is_some_and(u8::is_ascii_alphabetic);
        if plain {
            return text.to_owned();
        }
        let secrets = xtream_url::secrets(text);
        for secret in &secrets {
            let at = range.start + secret.start..range.start + secret.end;
            give(self.out, &self.playlist, "password", Value::Secret, line.span(&at));
        }
        xtream_url::hide(text, &secrets).into_owned()
    }

    /// A tag, whose name ends at `name_end`.
    fn tag(&mut self, line: &Line<'_>, name_end: usize) {
        // The name is ASCII up to its colon, or the tag is none that is known.
        let name = line.text.get(..name_end).unwrap_or(&line.text).to_ascii_uppercase();
        let behind = (name_end + 1).min(line.text.len());
        if name == "#EXTM3U" || name.starts_with("#EXTM3U ") {
            self.started = true;
            return;
        }
        let (start, end) = line.span(&(0..line.text.len()));
        self.begin(start, end);
        match name.as_str() {
            "#EXTINF" => {
                self.end_waiting();
                self.waiting = Some((start, end));
                self.extinf(line, behind);
            }
            "#EXT-X-MEDIA" => self.rendition(line, behind),
            "#EXT-X-I-FRAME-STREAM-INF" | "#EXT-X-IMAGE-STREAM-INF" => {
                match find(line, behind, "URI") {
                    Some(range) => {
                        let stream = self.maker.locate(line, &range, self.out).subject;
                        self.stream(line, &stream);
                    }
                    None => {
                        self.note(start, end, ProblemKind::Syntax, "a variant without a URI");
                        self.attribute(line);
                    }
                }
            }
            "#EXT-X-KEY" | "#EXT-X-SESSION-KEY" => {
                if let Some(range) = find(line, behind, "URI").filter(|r| !r.is_empty()) {
                    let shown = self.hidden(line, &range);
                    let span = line.span(&range);
                    give(self.out, &self.playlist, "key_url", Value::Text(shown), span);
                    self.mention(line, &range);
                }
                self.attribute(line);
            }
            "#EXT-X-MAP" | "#EXT-X-PART" => {
                if let Some(range) = find(line, behind, "URI").filter(|r| !r.is_empty()) {
                    self.segment(line, &range);
                } else {
                    self.note(start, end, ProblemKind::Syntax, "a part without a URI");
                }
                if let Some(range) = find(line, behind, "DURATION") {
                    self.duration(line, &range);
                }
                self.attribute(line);
            }
            _ => {
                if matches!(
                    name.as_str(),
                    "#EXT-X-VERSION"
                        | "#EXT-X-TARGETDURATION"
                        | "#EXT-X-MEDIA-SEQUENCE"
                        | "#EXT-X-DISCONTINUITY-SEQUENCE"
                ) && line.text[behind..].trim().parse::<u64>().is_err()
                {
                    self.note(start, end, ProblemKind::Type, "no whole number behind the tag");
                }
                self.attribute(line);
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
            Err(_) if text.parse::<f64>().is_ok() => Value::Text(text.to_owned()),
            Err(_) => {
                let (start, end) = line.span(&(0..line.text.len()));
                return self.note(start, end, ProblemKind::Type, "a duration that is no number");
            }
        };
        give(self.out, &self.playlist, "duration", value, line.span(range));
    }

    /// `#EXT-X-MEDIA`: a stream of its own where it has a URI.
    fn rendition(&mut self, line: &Line<'_>, behind: usize) {
        match find(line, behind, "URI").filter(|r| !r.is_empty()) {
            Some(range) => {
                let stream = self.maker.locate(line, &range, self.out).subject;
                self.stream(line, &stream);
            }
            None => self.attribute(line),
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

    /// A tag as it is written, without its `#`.
    fn attribute(&mut self, line: &Line<'_>) {
        let range = 1..line.text.len();
        let uri = find(line, 0, "URI");
        let shown = match uri {
            Some(uri) if line.text[uri.clone()].contains(['?', '@', '/']) => {
                let secrets: Vec<Range<usize>> = xtream_url::secrets(&line.text[uri.clone()])
                    .iter()
                    .map(|s| uri.start - 1 + s.start..uri.start - 1 + s.end)
                    .collect();
                xtream_url::hide(&line.text[range.clone()], &secrets).into_owned()
            }
            _ => line.text[range.clone()].to_owned(),
        };
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

/// The value of a tag's attribute. The list is looked for behind the first colon from `at` on.
fn find(line: &Line<'_>, at: usize, wanted: &str) -> Option<Range<usize>> {
    let text = &*line.text;
    let at = if at == 0 { text.find(':').map_or(text.len(), |n| n + 1) } else { at };
    let mut found = None;
    attributes::list(text, at, |name, value| {
        if found.is_none() && text[name].eq_ignore_ascii_case(wanted) {
            found = Some(value);
        }
    });
    found
}

#[cfg(test)]
mod tests;

//! XMLTV programme guides: channels as facts, programmes as bulk rows ([`crate::programmes`]).
//!
//! The file is read element by element, so its size does not matter. Document types are passed over
//! and their entities never expanded. An element that does not end, or that a guide does not have,
//! is a problem, and reading goes on at the next `<channel` or `<programme`.
//!
//! Text is UTF-8 or UTF-16; what is neither is read as Windows-1252, which one problem says.
//!
//! Bounds: an element, a comment or a document type of 1 MiB.

mod lex;

use std::ops::Range;

use model::{Problem, ProblemKind, Value};

use crate::chunks::Chunks;
use crate::m3u::entry::{Maker, give};
use crate::m3u::lines::Line;
use crate::m3u::utf16;
use crate::names;
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::programmes::{Programme, Rows, bad_time, xmltv_time};
use crate::sink::Sink;
use lex::{Child, Element, Markup};

/// The parser.
pub const PARSER: Parser =
    Parser { name: "xmltv", version: 1, about: "programme guides (XMLTV)", sniff, parse };

/// The largest element, in bytes.
const MAX_ELEMENT: usize = 1 << 20;
/// How many comments and the like may have no end.
const MAX_ENDLESS: u32 = 64;

fn sniff(head: &[u8], _name: &str) -> Confidence {
    let head = utf16::sniffable(head);
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&head);
    let start = head.iter().take_while(|b| b.is_ascii_whitespace()).count();
    let head = &head[start..head.len().min(start + 8192)];
    if head.first() != Some(&b'<') {
        return Confidence::NO;
    }
    let has = |what: &[u8]| memchr::memmem::find(head, what).is_some();
    if has(b"<tv>") || has(b"<tv ") || has(b"<!DOCTYPE tv") {
        Confidence(91)
    } else if has(b"<programme ") || has(b"<channel id=") && has(b"<display-name") {
        Confidence(70)
    } else {
        Confidence::NO
    }
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    match utf16::detect(chunks.fill(64)) {
        Some(order) => utf16::run(order, input, chunks, out, read),
        None => read(input, chunks, out),
    }
}

struct Reader<'o> {
    maker: Maker,
    out: &'o mut dyn Sink,
    coverage: Coverage,
    rows: Rows,
    children: Vec<Child>,
    /// Bytes that are nothing, and why.
    junk: Option<(u64, u64, ProblemKind, &'static str)>,
    foreign: Option<(u64, u64, u64)>,
    bad_times: Option<(u64, u64, u64)>,
    /// How often a comment or the like went beyond its bound. Each costs a look at 1 MiB, so after
    /// [`MAX_ENDLESS`] they are taken as text.
    endless: u32,
}

fn read(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let mut reader = Reader {
        maker: Maker::new(input.exhibit),
        out,
        coverage: Coverage::default(),
        rows: Rows::default(),
        children: Vec::new(),
        junk: None,
        foreign: None,
        bad_times: None,
        endless: 0,
    };
    if chunks.fill(3).starts_with(b"\xef\xbb\xbf") {
        chunks.consume(3);
        reader.coverage.filler += 3;
    }
    reader.run(chunks);
    reader.finish()
}

/// What was done with the bytes at the window's start.
enum Step {
    /// So many bytes were read.
    Read(usize),
    /// So many are nothing.
    Junk(usize, ProblemKind, &'static str),
    /// So many bytes of white space and comments.
    Filler(usize),
    /// More bytes are needed to tell.
    More,
}

impl Reader<'_> {
    fn run(&mut self, chunks: &mut Chunks<'_>) {
        loop {
            chunks.window();
            let base = chunks.offset();
            let window = chunks.window();
            if window.is_empty() {
                return;
            }
            let mut at = 0;
            let mut more = false;
            while at < window.len() && !more {
                match self.step(window, at, base) {
                    Step::Read(n) => {
                        self.end_junk();
                        self.coverage.read += n as u64;
                        at += n;
                    }
                    Step::Filler(n) => {
                        if let Some(junk) = &mut self.junk {
                            // Blanks inside a run belong to it.
                            junk.1 += n as u64;
                            self.coverage.lost += n as u64;
                        } else {
                            self.coverage.filler += n as u64;
                        }
                        at += n;
                    }
                    Step::Junk(n, kind, why) => {
                        self.lose(base + at as u64, n, kind, why);
                        at += n;
                    }
                    Step::More => more = true,
                }
            }
            let held = window.len() - at;
            chunks.consume(at);
            if more && (held > MAX_ELEMENT || !chunks.more()) {
                let start = chunks.offset();
                if chunks.ended() {
                    self.end_junk();
                    let n = chunks.drain();
                    self.lose(
                        start,
                        n as usize,
                        ProblemKind::Truncated,
                        "the guide ends inside an element",
                    );
                    return;
                }
                // The bound: its first byte is given up, and the rest looked through.
                self.end_junk();
                self.endless += u32::from(matches!(chunks.window().get(1), Some(b'!' | b'?')));
                self.lose(start, 1, ProblemKind::Bound, "an element larger than 1 MiB");
                chunks.consume(1);
            }
        }
    }

    /// Looks at what stands at `at`.
    fn step(&mut self, window: &[u8], at: usize, base: u64) -> Step {
        let rest = &window[at..];
        if rest[0] != b'<' {
            let n = memchr::memchr(b'<', rest).unwrap_or(rest.len());
            let blanks = rest[..n].iter().take_while(|b| b.is_ascii_whitespace()).count();
            return if blanks > 0 {
                Step::Filler(blanks)
            } else {
                Step::Junk(n, ProblemKind::Syntax, "text that no element of a guide holds")
            };
        }
        let unknown = "markup that a guide does not have";
        let special = matches!(rest.get(1), Some(b'!' | b'?'));
        if special && self.endless >= MAX_ENDLESS {
            return Step::Junk(2, ProblemKind::Syntax, unknown);
        }
        match lex::markup(window, at) {
            None => Step::More,
            Some((_, end)) if special && end - at > MAX_ELEMENT => {
                self.end_junk();
                self.endless += 1;
                Step::Junk(1, ProblemKind::Bound, "an element larger than 1 MiB")
            }
            Some((_, end)) if end - at > MAX_ELEMENT => {
                Step::Junk(1, ProblemKind::Bound, "an element larger than 1 MiB")
            }
            Some((Markup::Start(name, own, _), end)) => {
                let name = &window[name];
                if lex::is_record(name) {
                    return self.record(window, at, base, name == b"channel");
                }
                if name.eq_ignore_ascii_case(b"tv") {
                    self.guide(window, &own, base);
                    return Step::Read(end - at);
                }
                Step::Junk(end - at, ProblemKind::Syntax, unknown)
            }
            Some((Markup::End(name), end)) => {
                if window[name].eq_ignore_ascii_case(b"tv") {
                    Step::Read(end - at)
                } else {
                    Step::Junk(end - at, ProblemKind::Syntax, unknown)
                }
            }
            Some((Markup::Other, end)) => {
                if rest.starts_with(b"<!--") {
                    return Step::Filler(end - at);
                }
                if memchr::memmem::find(&window[at..end], b"<!ENTITY").is_some() {
                    self.out.problem(Problem {
                        start: base + at as u64,
                        end: base + end as u64,
                        kind: ProblemKind::Unsupported,
                        message: "the document declares entities, which are never expanded"
                            .to_owned(),
                        lost: false,
                    });
                }
                Step::Read(end - at)
            }
            Some((Markup::Cdata(_) | Markup::Text, end)) => {
                Step::Junk(end - at, ProblemKind::Syntax, unknown)
            }
        }
    }

    fn record(&mut self, window: &[u8], at: usize, base: u64, channel: bool) -> Step {
        let mut children = std::mem::take(&mut self.children);
        let found = lex::element(window, at, &mut children);
        let step = match found {
            Element::Cut => Step::More,
            Element::Unclosed(end) if end - at <= MAX_ELEMENT => {
                self.end_junk();
                Step::Junk(end - at, ProblemKind::Syntax, "an element that does not end")
            }
            Element::Whole(end, own) if end - at <= MAX_ELEMENT => {
                if channel {
                    self.channel(window, &own, &children, base);
                } else {
                    let span = (base + at as u64, base + end as u64);
                    self.programme(window, &own, &children, base, span);
                }
                Step::Read(end - at)
            }
            _ => {
                self.end_junk();
                Step::Junk(1, ProblemKind::Bound, "an element larger than 1 MiB")
            }
        };
        self.children = children;
        step
    }

    /// A range's text, decoded, with its span; blanks at its ends left out.
    fn value(&mut self, window: &[u8], range: Range<usize>, base: u64) -> (String, (u64, u64)) {
        let range = lex::trimmed(window, range);
        let span = (base + range.start as u64, base + range.end as u64);
        let line = Line::new(&window[range], span.0);
        if line.foreign() {
            self.foreign.get_or_insert((span.0, span.1, 0)).2 += 1;
        }
        (lex::text(&line.text).trim().to_owned(), span)
    }

    fn attribute(
        &mut self,
        window: &[u8],
        attributes: &Range<usize>,
        name: &[u8],
        base: u64,
    ) -> Option<(String, (u64, u64))> {
        let range = lex::attribute(window, attributes, name)?;
        Some(self.value(window, range, base)).filter(|(text, _)| !text.is_empty())
    }

    fn channel(&mut self, window: &[u8], own: &Range<usize>, children: &[Child], base: u64) {
        let id = self.attribute(window, own, b"id", base);
        let mut names = Vec::new();
        let mut icons = Vec::new();
        for child in children {
            match &window[child.name.clone()] {
                b"display-name" => {
                    let (text, span) = self.value(window, child.content.clone(), base);
                    let language = self.attribute(window, &child.attributes, b"lang", base);
                    if !text.is_empty() {
                        names.push((text, span, language));
                    }
                }
                b"icon" => icons.extend(self.attribute(window, &child.attributes, b"src", base)),
                _ => {}
            }
        }
        let name = names.first().map_or("", |(text, ..)| text.as_str());
        let Some(key) = names::channel_key(id.as_ref().map(|(text, _)| text.as_str()), name) else {
            return;
        };
        let out = &mut *self.out;
        let mut say = |property, (text, span): (String, (u64, u64))| {
            give(out, &key, property, Value::Text(text), span);
        };
        if let Some(id) = id {
            say("epg_id", id);
        }
        for (text, span, language) in names {
            say("name", (text, span));
            if let Some(language) = language {
                say("language", language);
            }
        }
        for icon in icons {
            say("icon", icon);
        }
    }

    fn programme(
        &mut self,
        window: &[u8],
        own: &Range<usize>,
        children: &[Child],
        base: u64,
        span: (u64, u64),
    ) {
        // Spans of single values are not kept: the row's own leads to all of them.
        let text = |reader: &mut Self, range: Option<Range<usize>>| {
            range.map_or_else(String::new, |r| reader.value(window, r, base).0)
        };
        let attribute = |name: &[u8]| lex::attribute(window, own, name);
        let mut row = Programme {
            channel: text(self, attribute(b"channel")),
            start: text(self, attribute(b"start")),
            stop: text(self, attribute(b"stop")),
            ..Programme::default()
        };
        row.start_utc = xmltv_time(&row.start);
        row.stop_utc = xmltv_time(&row.stop);
        if row.start_utc.is_none() || row.stop_utc.is_none() && !row.stop.is_empty() {
            self.bad_times.get_or_insert((span.0, span.1, 0)).2 += 1;
        }
        for child in children {
            let into = match &window[child.name.clone()] {
                b"title" => &mut row.title,
                b"sub-title" => &mut row.subtitle,
                b"desc" => &mut row.description,
                b"category" => &mut row.category,
                b"language" => &mut row.language,
                b"episode-num" => &mut row.episode,
                b"icon" => {
                    if row.icon.is_empty() {
                        row.icon = text(self, lex::attribute(window, &child.attributes, b"src"));
                    }
                    continue;
                }
                _ => continue,
            };
            // Several categories stand in one column; of the rest the first is kept.
            if into.is_empty() {
                *into = text(self, Some(child.content.clone()));
            } else if &window[child.name.clone()] == b"category" {
                into.push_str("; ");
                into.push_str(&text(self, Some(child.content.clone())));
            }
        }
        self.rows.push(&row, span.0, span.1, self.out);
    }

    /// `<tv …>`: where the guide says it comes from.
    fn guide(&mut self, window: &[u8], own: &Range<usize>, base: u64) {
        let mut found = Vec::new();
        lex::attributes(window, own, |_, value| found.push(value));
        for range in found {
            let range = lex::trimmed(window, range);
            let line = Line::new(&window[range.clone()], base + range.start as u64);
            // A URL with `&amp;` keeps its span: it is split as written.
            let whole = 0..line.text.len();
            if let Some(url) = crate::xtream_url::split(&line.text) {
                self.maker.guide(&line, &whole, &url, self.out);
            }
        }
    }

    fn lose(&mut self, start: u64, n: usize, kind: ProblemKind, why: &'static str) {
        self.coverage.lost += n as u64;
        match &mut self.junk {
            Some(run) => run.1 = start + n as u64,
            None => self.junk = Some((start, start + n as u64, kind, why)),
        }
    }

    fn end_junk(&mut self) {
        if let Some((start, end, kind, why)) = self.junk.take() {
            self.out.problem(Problem { start, end, kind, message: why.to_owned(), lost: true });
        }
    }

    fn finish(mut self) -> Coverage {
        self.end_junk();
        self.rows.finish(self.out);
        if let Some((start, end, count)) = self.foreign {
            self.out.problem(Problem {
                start,
                end,
                kind: ProblemKind::Encoding,
                message: format!(
                    "{count} texts are not UTF-8 and were read as Windows-1252; one is here"
                ),
                lost: false,
            });
        }
        if let Some((start, end, count)) = self.bad_times {
            let one = bad_time(start, end);
            let message =
                format!("{count} programmes have a time that could not be read; one is here");
            self.out.problem(Problem { message, ..one });
        }
        self.coverage
    }
}

#[cfg(test)]
mod tests;

//! Torrents: v1, v2 and hybrid (BEP 3, 5, 12, 17, 19, 27, 47, 52).
//!
//! A torrent is taken or refused as a whole, by the checks of [`layout`] and [`layers`]: what a
//! client would not take names no swarm. A refused one is one problem that says why and at which
//! byte. Names are text; nothing here is a path ([`names`]).

pub mod bencode;
mod layers;
mod layout;
pub mod names;
mod verdict;

use std::ops::Range;

use model::{Fact, Key, Problem, ProblemKind, Stamp, Value};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::chunks::Chunks;
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::sink::Sink;
use crate::{release, xtream_url};
use bencode::Tree;
use layout::{Layout, layout, shown};
pub use verdict::Refusal;

/// Reads torrents.
pub const PARSER: Parser =
    Parser { name: "torrent", version: 1, about: "torrents v1, v2 and hybrid", sniff, parse };

/// Keys that the dict of a torrent begins with, in bencode.
const FIRST_KEYS: &[&str] = &[
    "8:announce",
    "13:announce-list",
    "7:comment",
    "10:created by",
    "13:creation date",
    "8:encoding",
    "4:info",
    "5:nodes",
    "9:httpseeds",
    "8:url-list",
    "12:piece layers",
    "11:collections",
    "7:similar",
    "9:publisher",
    "13:comment.utf-8",
    "8:azureus_",
    "10:magnet-uri",
];

fn sniff(head: &[u8], name: &str) -> Confidence {
    let known = head.first() == Some(&b'd')
        && FIRST_KEYS.iter().any(|key| head[1..].starts_with(key.as_bytes()));
    let info = memchr::memmem::find(head, b"4:infod").is_some();
    let torrent = name.to_ascii_lowercase().ends_with(".torrent");
    let bencode = head.first() == Some(&b'd') && head.get(1).is_some_and(u8::is_ascii_digit);
    match (known, info, bencode, torrent) {
        (true, true, ..) => Confidence(90),
        (_, true, true, _) => Confidence(70),
        (_, _, true, true) | (_, _, _, true) => Confidence(40),
        _ => Confidence::NO,
    }
}

fn parse(_: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let base = chunks.offset();
    let verdict = chunks.rest().map(|bytes| (bytes.len() as u64, judge(bytes, base, out)));
    let Some((total, verdict)) = verdict else {
        let total = chunks.drain();
        let message = "a torrent larger than 64 MiB is not read".to_owned();
        let kind = ProblemKind::Bound;
        out.problem(Problem { start: base, end: base + total, kind, message, lost: true });
        return Coverage { lost: total, ..Coverage::default() };
    };
    chunks.consume(total as usize);
    match verdict {
        Ok(end) => {
            let behind = total - end as u64;
            if behind > 0 {
                out.problem(Problem {
                    start: base + end as u64,
                    end: base + total,
                    kind: ProblemKind::Syntax,
                    message: "bytes behind the torrent's end".to_owned(),
                    lost: true,
                });
            }
            Coverage { read: end as u64, filler: 0, lost: behind }
        }
        Err(Refusal { why, at }) => {
            if total > 0 {
                out.problem(Problem {
                    start: base,
                    end: base + total,
                    kind: ProblemKind::Syntax,
                    message: format!("refused: {why} (byte {})", base + at.start as u64),
                    lost: true,
                });
            }
            Coverage { lost: total, ..Coverage::default() }
        }
    }
}

/// Takes a torrent's facts, or says why it is refused. `Ok` is where the torrent ends.
fn judge(bytes: &[u8], base: u64, out: &mut dyn Sink) -> Result<usize, Refusal> {
    let fault = |f: bencode::Fault| Refusal { why: f.what, at: f.at..f.at };
    let tree = Tree::read(bytes).map_err(fault)?;
    let root = tree.root();
    if !tree.is_dict(root) {
        return verdict::refuse("it is no dict", &tree.node(root).whole);
    }
    let Some(info) = tree.dict_of(root, "info") else {
        return verdict::refuse("no info dict", &tree.node(root).whole);
    };
    let layout = layout(&tree, info)?;
    if let (2, Some(dict)) = (layout.version, tree.dict_of(root, "piece layers")) {
        layers::check(&tree, dict, &layout)?;
    }
    let torrent = Torrent { tree: &tree, root, info, layout: &layout, base };
    torrent.give(out);
    Ok(tree.end())
}

/// The info-hashes of an info dict's bytes, as far as its version has them.
fn hashes(info: &[u8], layout: &Layout) -> (Option<[u8; 20]>, Option<[u8; 32]>) {
    let v1 = layout.v1.then(|| Sha1::digest(info).into());
    let v2 = (layout.version >= 2).then(|| Sha256::digest(info).into());
    (v1, v2)
}

struct Torrent<'t> {
    tree: &'t Tree<'t>,
    root: usize,
    info: usize,
    layout: &'t Layout,
    base: u64,
}

impl Torrent<'_> {
    fn span(&self, at: &Range<usize>) -> (u64, u64) {
        (self.base + at.start as u64, self.base + at.end as u64)
    }

    fn give(&self, out: &mut dyn Sink) {
        let (tree, layout) = (self.tree, self.layout);
        let info = tree.node(self.info).whole.clone();
        let (v1, v2) = hashes(tree.slice(&info), layout);
        let of = |hash: &[u8]| Key::swarm(hash);
        let keys = (v1.map(|h| of(&h)), v2.map(|h| of(&h)));
        let Some(swarm) = keys.0.clone().or_else(|| keys.1.clone()) else { return };
        let mut fact = |property, value, at: &Range<usize>| {
            let (start, end) = self.span(at);
            out.fact(Fact { subject: swarm.clone(), property, value, start, end });
        };
        let text =
            |at: &Range<usize>| Value::Text(String::from_utf8_lossy(tree.slice(at)).into_owned());
        let int = |n: u64| Value::Int(i64::try_from(n).unwrap_or(i64::MAX));
        if let Some(hash) = v1 {
            fact("info_hash_v1", Value::Text(model::id::hex(&hash)), &info);
        }
        if let Some(hash) = v2 {
            fact("info_hash_v2", Value::Text(model::id::hex(&hash)), &info);
        }
        if let (Some(_), Some(other)) = &keys {
            fact(model::fact::SAME_AS, Value::Key(other.clone()), &info);
        }
        fact("name", Value::Text(names::harmless(tree.slice(&layout.name)).0), &layout.name);
        fact("piece_length", int(layout.piece_length), &layout.piece_length_at);
        fact("size", int(layout.size), &layout.files_at);
        let files = || layout.files.iter().filter(|f| !f.pad);
        fact("file_count", int(files().count() as u64), &layout.files_at);
        for file in files().filter(|f| !f.parts.is_empty()) {
            fact("file", Value::Text(shown(tree, file)), &file.at);
        }
        for (key, property) in [
            ("comment.utf-8", "comment"),
            ("comment", "comment"),
            ("created by.utf-8", "created_by"),
            ("created by", "created_by"),
        ] {
            let at = tree.bytes_of(self.root, key).filter(|at| !at.is_empty());
            if let Some(at) = at {
                fact(property, text(&at), &at);
            }
        }
        if let Some((seconds, node)) = tree.int_of(self.root, "creation date") {
            // A date before 1970 or beyond the year 9999 is none.
            if (0..253_402_300_800).contains(&seconds) {
                fact(
                    "created_at",
                    Value::Time(Stamp::unix_seconds(seconds)),
                    &tree.node(node).body,
                );
            }
        }
        if let Some((private, node)) = tree.int_of(self.info, "private") {
            fact("private", Value::Bool(private != 0), &tree.node(node).body);
        }
        if let Some(at) = tree.bytes_of(self.info, "source").filter(|at| !at.is_empty()) {
            fact("source", text(&at), &at);
        }
        for (at, port) in self.nodes() {
            let host = String::from_utf8_lossy(tree.slice(&at)).into_owned();
            fact("node", Value::Text(format!("{host}:{port}")), &at);
        }
        for (property, at) in self.urls() {
            self.url(&swarm, property, &at, out);
        }
        self.release(&swarm, out);
        self.warn(out);
    }

    /// DHT nodes (BEP 5): pairs of host and port.
    fn nodes(&self) -> Vec<(Range<usize>, i64)> {
        let tree = self.tree;
        let list = tree.list_of(self.root, "nodes").map_or(&[][..], |n| tree.list(n));
        let node = |n: &usize| match tree.list(*n) {
            [host, port, ..] => {
                let host = tree.string_at(*host)?;
                match tree.node(*port).kind {
                    bencode::Kind::Int(port) => Some((host, port)),
                    _ => None,
                }
            }
            _ => None,
        };
        list.iter().filter_map(node).collect()
    }

    /// Trackers (BEP 3, 12) and web seeds (BEP 17, 19), each once.
    fn urls(&self) -> Vec<(&'static str, Range<usize>)> {
        let tree = self.tree;
        let mut out: Vec<(&'static str, Range<usize>)> = Vec::new();
        let mut push = |property, at: Option<Range<usize>>| {
            let Some(at) = at.map(|at| trim(tree.slice(&at), at)).filter(|at| !at.is_empty())
            else {
                return;
            };
            if !out.iter().any(|(p, o)| *p == property && tree.slice(o) == tree.slice(&at)) {
                out.push((property, at));
            }
        };
        push("tracker", tree.bytes_of(self.root, "announce"));
        for tier in tree.list_of(self.root, "announce-list").map_or(&[][..], |n| tree.list(n)) {
            push("tracker", tree.string_at(*tier));
            for url in tree.list(*tier).iter().take(1000) {
                push("tracker", tree.string_at(*url));
            }
        }
        for key in ["url-list", "httpseeds"] {
            push("web_seed", tree.bytes_of(self.root, key));
            for url in
                tree.list_of(self.root, key).map_or(&[][..], |n| tree.list(n)).iter().take(1000)
            {
                push("web_seed", tree.string_at(*url));
            }
        }
        out
    }

    fn url(&self, swarm: &Key, property: &'static str, at: &Range<usize>, out: &mut dyn Sink) {
        let Ok(text) = std::str::from_utf8(self.tree.slice(at)) else {
            let (start, end) = self.span(at);
            let message = "a URL that is not UTF-8".to_owned();
            out.problem(Problem { start, end, kind: ProblemKind::Encoding, message, lost: false });
            return;
        };
        let (start, end) = self.span(at);
        url_facts(swarm, property, text, start, end, out);
    }

    fn release(&self, swarm: &Key, out: &mut dyn Sink) {
        let at = &self.layout.name;
        let Ok(name) = std::str::from_utf8(self.tree.slice(at)) else { return };
        if release::is_release_name(name) {
            let (start, end) = self.span(at);
            let value = Value::Key(release::facts(name, start, end, out));
            out.fact(Fact { subject: swarm.clone(), property: "distributes", value, start, end });
        }
    }

    /// What is accepted and yet worth a word.
    fn warn(&self, out: &mut dyn Sink) {
        let tree = self.tree;
        let mut problem = |kind, message: String, at: &Range<usize>| {
            let (start, end) = self.span(at);
            out.problem(Problem { start, end, kind, message, lost: false });
        };
        for blemish in tree.blemishes.iter().take(20) {
            problem(ProblemKind::Syntax, blemish.what.to_owned(), &blemish.at);
        }
        let name = tree.slice(&self.layout.name);
        if let Some(what) = names::mischief(&[name]) {
            problem(ProblemKind::Syntax, format!("the torrent's name {what}"), &self.layout.name);
        }
        let mut seen = std::collections::HashSet::new();
        for file in self.layout.files.iter().filter(|f| !f.pad) {
            let parts: Vec<&[u8]> = file.parts.iter().map(|p| tree.slice(p)).collect();
            if let Some(what) = names::mischief(&parts) {
                problem(ProblemKind::Syntax, format!("a file's name {what}"), &file.at);
            }
            if !file.parts.is_empty() && !seen.insert(shown(tree, file).to_lowercase()) {
                problem(ProblemKind::Conflict, "a file's name stands twice".to_owned(), &file.at);
            }
            let target: Vec<&[u8]> = file.link.iter().flatten().map(|p| tree.slice(p)).collect();
            if let Some(what) = names::mischief(&target) {
                problem(ProblemKind::Syntax, format!("a link's target {what}"), &file.at);
            }
        }
    }
}

/// Without blanks at its ends.
fn trim(bytes: &[u8], at: Range<usize>) -> Range<usize> {
    let lead = bytes.len() - bytes.trim_ascii_start().len();
    let tail = bytes.len() - bytes.trim_ascii_end().len();
    if lead == bytes.len() { at.start..at.start } else { at.start + lead..at.end - tail }
}

/// The facts of a tracker's or web seed's URL that stands at `start..end`: the URL with its
/// passwords hidden, each password as a secret, and the host it leads to. Where the bytes there are
/// longer than the text (percent-encoded in a magnet link), each part's span is the whole.
pub(crate) fn url_facts(
    swarm: &Key,
    property: &'static str,
    text: &str,
    start: u64,
    end: u64,
    out: &mut dyn Sink,
) {
    let plain = end - start == text.len() as u64;
    let place = |at: &Range<usize>| match plain {
        true => (start + at.start as u64, start + at.end as u64),
        false => (start, end),
    };
    let mut secrets = xtream_url::secrets(text);
    secrets.extend(passkeys(text));
    secrets.sort_by_key(|s| s.start);
    secrets.dedup_by(|b, a| b.start < a.end);
    let shown = xtream_url::hide(text, &secrets).into_owned();
    let mut fact = |property, value, at: &Range<usize>| {
        let (start, end) = place(at);
        out.fact(Fact { subject: swarm.clone(), property, value, start, end });
    };
    fact(property, Value::Text(shown), &(0..text.len()));
    for secret in secrets {
        fact("password", Value::Secret, &secret);
    }
    if let Some(url) = xtream_url::split(text) {
        // A private address names nothing here: a tracker on it is nobody's outside.
        let host = match url.address() {
            Some(ip) if model::key::is_global(ip) => Some(Key::ip(ip, model::ExhibitId([0; 32]))),
            Some(_) => None,
            None => Key::domain(url.host()),
        };
        if let Some(host) = host {
            fact("tracked_by", Value::Key(host), &url.host);
        }
    }
}

/// Where a private tracker's passkey stands: a parameter that says so, or a path's part of 32
/// letters and digits or more before `/announce`.
fn passkeys(text: &str) -> Vec<Range<usize>> {
    let Some(url) = xtream_url::split(text) else { return Vec::new() };
    let words = ["passkey", "authkey", "torrent_pass", "secure", "pid", "key", "auth", "token"];
    let mut out: Vec<_> = url
        .params()
        .filter(|(name, at)| !at.is_empty() && words.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(_, at)| at)
        .collect();
    let mut at = url.path.start;
    for part in url.path().split('/') {
        if part.len() >= 32 && part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            out.push(at..at + part.len());
        }
        at += part.len() + 1;
    }
    out
}

#[cfg(test)]
mod tests;

//! Answers of Xtream Codes panels (`player_api.php`, `panel_api.php`, `api.php`), saved as JSON.
//!
//! Recognised by their members, never by their name: account and server (`user_info`,
//! `server_info`, together or bare), lists of streams, films and series, categories, one film or one
//! series with its episodes, programme guides, and `panel_api`'s whole in one. Types are as unstable
//! as panels are: numbers as strings, `null`, `[]` for an empty object, an object for a list.
//!
//! The host that `server_info` names stands for the panel (`panel:@host`); where an answer names
//! none, the keys carry the exhibit. Categories and programmes are bulk rows.
//!
//! Bounds: those of [`crate::json`]; one stream, film or account of 4 MiB.

mod account;
mod sniff;
mod streams;
mod types;

use model::key::Locator;
use model::{
    Batch, Cell, Column, ColumnType, Key, Meaning, Problem, ProblemKind, TableRole, TableSchema,
    Value,
};

use crate::chunks::Chunks;
use crate::json::{Json, Kind, Node};
use crate::m3u::entry::Maker;
use crate::parser::{Coverage, Input, Parser};
use crate::programmes::{Programme, Rows, bad_time};
use crate::sink::Sink;

/// The parser.
pub const PARSER: Parser = Parser {
    name: "xtream-api",
    version: 2,
    about: "answers of Xtream Codes panels (player_api, panel_api)",
    sniff: sniff::sniff,
    parse,
};

/// The largest stream, film or account that is looked into, in bytes of text.
const MAX_NODE: usize = 4 << 20;

/// What is known while an answer is read.
struct Reader<'o, 'i> {
    out: &'o mut dyn Sink,
    input: &'i Input<'i>,
    maker: Maker,
    /// The panel, as far as the answer has said.
    locator: Locator,
    user_info: Option<Node>,
    server_info: Option<Node>,
    info: Option<Node>,
    movie_data: Option<Node>,
    /// Episodes wait for the series' name, which may stand behind them.
    episodes: Vec<Node>,
    /// Scalars of the outermost object: a bare `user_info` or `server_info`.
    bare: Vec<(Box<str>, Node)>,
    categories: Option<Batch>,
    programmes: Rows,
    /// Texts that could not be decoded: the first one's place, and how many.
    lossy: Option<(u64, u64, u64)>,
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let from = chunks.offset();
    let mut json = Json::new(chunks);
    let mut reader = Reader {
        maker: Maker::new(input.exhibit),
        locator: here(input),
        input,
        out,
        user_info: None,
        server_info: None,
        info: None,
        movie_data: None,
        episodes: Vec::new(),
        bare: Vec::new(),
        categories: None,
        programmes: Rows::default(),
        lossy: None,
    };
    while let Some(token) = json.next() {
        if let Some(problem) = token.problem() {
            reader.out.problem(problem);
            continue;
        }
        match token.kind {
            Kind::ArrayStart => reader.list(&mut json, ""),
            Kind::ObjectStart => {
                reader.object(&mut json);
                reader.answer_ends();
            }
            _ => {}
        }
    }
    reader.finish();
    json.coverage(from)
}

fn here(input: &Input<'_>) -> Locator {
    Locator::Database { exhibit: input.exhibit, db: String::new() }
}

impl Reader<'_, '_> {
    /// The members of an answer, up to its end or the document's.
    fn object(&mut self, json: &mut Json<'_, '_>) {
        let depth = json.depth();
        let mut key = String::new();
        while let Some(token) = json.next() {
            if let Some(problem) = token.problem() {
                self.out.problem(problem);
                continue;
            }
            match token.kind {
                Kind::ObjectEnd if token.depth == depth => return,
                Kind::Key => key = token.text().0.into_owned(),
                Kind::ObjectStart | Kind::ArrayStart => {
                    let (kind, held) = (token.kind, token.held());
                    match key.as_str() {
                        "user_info" | "server_info" | "info" | "movie_data" => {
                            let node = self.node(json, &held);
                            match key.as_str() {
                                "user_info" => self.user_info = node,
                                "server_info" => self.server_info = node,
                                "info" => self.info = node,
                                _ => self.movie_data = node,
                            }
                        }
                        "available_channels" => {
                            self.settle();
                            self.list(json, "");
                        }
                        "categories" if kind == Kind::ObjectStart => self.kinds_of_categories(json),
                        "epg_listings" | "episodes" | "categories" => self.list(json, &key),
                        _ => {
                            let out = &mut *self.out;
                            json.skip(kind, |p| out.problem(p));
                        }
                    }
                }
                _ => {
                    let held = token.held();
                    let Some(node) = json.node(&held, MAX_NODE, &mut |_| ()) else { continue };
                    // `false` is how PHP says that there is none.
                    let none = node.is_empty() || node.bool() == Some(false);
                    if types::WHOLE.contains(&key.as_str()) && !none {
                        self.wrong(&node, &key, "an object or a list");
                    }
                    if self.bare.len() < 64 {
                        self.bare.push((key.as_str().into(), node));
                    }
                }
            }
        }
    }

    fn node(&mut self, json: &mut Json<'_, '_>, held: &crate::json::Held) -> Option<Node> {
        let out = &mut *self.out;
        let node = json.node(held, MAX_NODE, &mut |p| out.problem(p))?;
        self.note_lossy(&node);
        Some(node)
    }

    /// `categories` of `panel_api`: a list for each kind of stream.
    fn kinds_of_categories(&mut self, json: &mut Json<'_, '_>) {
        let depth = json.depth();
        let mut kind = String::new();
        while let Some(token) = json.next() {
            if let Some(problem) = token.problem() {
                self.out.problem(problem);
                continue;
            }
            match token.kind {
                Kind::ObjectEnd if token.depth == depth => return,
                Kind::Key => kind = token.text().0.into_owned(),
                Kind::ObjectStart | Kind::ArrayStart => self.list_of(json, "categories", &kind),
                _ => {}
            }
        }
    }

    fn list(&mut self, json: &mut Json<'_, '_>, what: &str) {
        self.list_of(json, what, "");
    }

    /// The elements of a list, or the values of an object that stands for one, one by one.
    fn list_of(&mut self, json: &mut Json<'_, '_>, what: &str, kind: &str) {
        let depth = json.depth();
        while let Some(token) = json.next() {
            if let Some(problem) = token.problem() {
                self.out.problem(problem);
                continue;
            }
            match token.kind {
                Kind::ObjectEnd | Kind::ArrayEnd if token.depth == depth => return,
                // Episodes stand in a list a season.
                Kind::ArrayStart if what == "episodes" && token.depth <= depth + 1 => {}
                Kind::ObjectStart | Kind::ArrayStart => {
                    let held = token.held();
                    if let Some(node) = self.node(json, &held) {
                        self.element(&node, what, kind);
                    }
                }
                Kind::Key => {}
                _ => {
                    let held = token.held();
                    if let Some(node) = json.node(&held, MAX_NODE, &mut |_| ())
                        && !node.is_empty()
                    {
                        self.wrong(&node, "an element of a list", "an object");
                    }
                }
            }
        }
    }

    fn element(&mut self, node: &Node, what: &str, kind: &str) {
        let has = |name: &str| node.get(name).is_some();
        if what == "episodes" && !has("id") {
            // A season that PHP wrote as an object.
            for episode in node.elements().into_iter().filter(|e| e.get("id").is_some()) {
                self.element(episode, what, kind);
            }
        } else if what == "episodes" {
            self.check(node, "an episode");
            // A series of more episodes than any has is cut, and said so.
            if self.episodes.len() < 100_000 {
                self.episodes.push(node.clone());
            } else {
                self.out.problem(Problem {
                    start: node.start,
                    end: node.end,
                    kind: ProblemKind::Bound,
                    message: "an episode beyond the first 100,000".to_owned(),
                    lost: false,
                });
            }
        } else if what == "epg_listings" {
            self.check(node, "a programme");
            self.listing(node);
        } else if has("user_info") || has("server_info") {
            // A list of answers.
            self.user_info = node.get("user_info").cloned();
            self.server_info = node.get("server_info").cloned();
            self.answer_ends();
        } else if has("stream_id") || has("series_id") {
            self.check(node, "a stream");
            self.stream(node);
        } else if has("category_id") && has("category_name") {
            self.check(node, "a category");
            self.category(node, kind);
        } else if has("start_timestamp") && has("title") {
            self.check(node, "a programme");
            self.listing(node);
        } else {
            self.check(node, "an element of a list");
        }
    }

    /// The panel is settled by what `server_info` has said so far.
    fn settle(&mut self) {
        let Some(info) = &self.server_info else { return };
        if let Some(host) = account::host(info) {
            self.locator = Locator::Host(host);
        }
    }

    fn answer_ends(&mut self) {
        let bare = std::mem::take(&mut self.bare);
        let has = |name: &str| bare.iter().any(|(key, _)| &**key == name);
        if self.user_info.is_none() && has("username") && has("password") {
            self.user_info = Some(Node::object(bare));
        } else if self.server_info.is_none()
            && has("url")
            && (has("server_protocol") || has("https_port") || has("rtmp_port"))
        {
            self.server_info = Some(Node::object(bare));
        }
        for (name, node) in [
            ("user_info", self.user_info.clone()),
            ("server_info", self.server_info.clone()),
            ("info", self.info.clone()),
            ("movie_data", self.movie_data.clone()),
        ] {
            if let Some(node) = node {
                self.check(&node, name);
            }
        }
        self.settle();
        self.account_facts();
        self.film_or_series();
        self.locator = here(self.input);
    }

    fn category(&mut self, node: &Node, kind: &str) {
        let out = &mut *self.out;
        let batch = self.categories.get_or_insert_with(|| {
            let schema = categories();
            Batch::new(out.table(schema.clone()), &schema)
        });
        let text = |name: &str| node.get(name).and_then(Node::text).unwrap_or("");
        for (column, value) in batch.columns.iter_mut().zip([
            text("category_id"),
            text("category_name"),
            text("parent_id"),
            kind,
        ]) {
            column.push(if value.is_empty() { Cell::Null } else { Cell::Text(value) });
        }
        batch.starts.push(node.start);
        batch.ends.push(node.end);
        if batch.len() >= 16 << 10 {
            let next = Batch::new(batch.table, &categories());
            let full = std::mem::replace(batch, next);
            self.out.rows(full);
        }
    }

    /// A programme of a guide: title and description in base64, times twice.
    fn listing(&mut self, node: &Node) {
        let text = |name: &str| node.get(name).and_then(Node::text).unwrap_or("").to_owned();
        let plain = |name: &str| {
            let text = text(name);
            base64(&text).unwrap_or(text)
        };
        let seconds = |stamp: &str, shown: &str| {
            node.get(stamp).and_then(Node::int).or_else(|| {
                node.get(shown).and_then(Node::text).and_then(crate::programmes::xmltv_time)
            })
        };
        let first = |a: &str, b: &str| if node.get(a).is_some() { text(a) } else { text(b) };
        let row = Programme {
            channel: first("channel_id", "epg_id"),
            start: text("start"),
            start_utc: seconds("start_timestamp", "start"),
            stop: first("end", "stop"),
            stop_utc: seconds("stop_timestamp", "end"),
            title: plain("title"),
            description: plain("description"),
            language: text("lang"),
            ..Programme::default()
        };
        if row.start_utc.is_none() {
            self.out.problem(bad_time(node.start, node.end));
        }
        self.programmes.push(&row, node.start, node.end, self.out);
    }

    fn give(&mut self, subject: &Key, property: &'static str, value: Value, node: &Node) {
        let span = (node.start, node.end);
        crate::m3u::entry::give(self.out, subject, property, value, span);
    }

    fn note_lossy(&mut self, node: &Node) {
        let mut todo = vec![node];
        while let Some(node) = todo.pop() {
            if node.lossy() {
                self.lossy.get_or_insert((node.start, node.end, 0)).2 += 1;
            }
            todo.extend(node.children());
        }
    }

    fn finish(mut self) {
        if let Some(batch) = self.categories.take().filter(|b| !b.is_empty()) {
            self.out.rows(batch);
        }
        self.programmes.finish(self.out);
        if let Some((start, end, count)) = self.lossy {
            self.out.problem(Problem {
                start,
                end,
                kind: ProblemKind::Encoding,
                message: format!("{count} texts could not be decoded whole; one of them is here"),
                lost: false,
            });
        }
    }
}

fn categories() -> TableSchema {
    let column = |name: &str, meaning| Column {
        name: name.to_owned(),
        ty: ColumnType::Text,
        meaning,
        secret: false,
    };
    TableSchema {
        name: "categories".to_owned(),
        db: String::new(),
        role: TableRole::Plain,
        panel: None,
        columns: vec![
            column("category_id", None::<Meaning>),
            column("category_name", None),
            column("parent_id", None),
            column("kind", None),
        ],
    }
}

/// The text that base64 stands for; `None` where it is none, or stands for no text.
fn base64(text: &str) -> Option<String> {
    let digits = text.trim_end_matches('=').as_bytes();
    if text.is_empty() || !text.len().is_multiple_of(4) || text.len() - digits.len() > 2 {
        return None;
    }
    let mut out = Vec::with_capacity(digits.len() * 3 / 4 + 2);
    let (mut bits, mut held) = (0u32, 0u32);
    for digit in digits {
        let value = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xff_ffff;
        held += 6;
        if held >= 8 {
            held -= 8;
            out.push((bits >> held) as u8);
        }
    }
    String::from_utf8(out).ok().filter(|t| !t.chars().any(|c| c.is_control() && !c.is_whitespace()))
}

#[cfg(test)]
mod tests;

//! Telegram Desktop's exports (`result.json`): one chat, or a whole account.
//!
//! Accounts are `messaging:telegram:user<number>` (a channel that writes: `channel<number>`), groups
//! and channels `group:telegram:<number>`. Messages are rows; facts are the names and types of
//! groups, the names of accounts, joins that a service message states with the account's number,
//! and what texts name. A message that the file's end cuts yields nothing.

mod message;

#[cfg(test)]
mod tests;

use model::{ExhibitId, Fact, Key, Problem, ProblemKind, Value};

use crate::chats::Named;
use crate::chunks::Chunks;
use crate::json::{Json, Kind, Node};
use crate::parser::{Confidence, Coverage, Input, Parser};
use crate::rows::Rows;
use crate::sink::Sink;

/// Telegram Desktop exports.
pub const PARSER: Parser = Parser {
    name: "telegram",
    version: 2,
    about: "Telegram Desktop exports (result.json)",
    sniff,
    parse,
};

/// Types of chats that are one account's.
const ACCOUNTS: &[&str] =
    &["personal_chat", "bot_chat", "saved_messages", "replies", "verify_codes"];
/// Types of chats that are groups.
const GROUPS: &[&str] = &[
    "private_group",
    "private_supergroup",
    "public_supergroup",
    "private_channel",
    "public_channel",
    "private_forum",
    "public_forum",
    "private_monoforum",
    "public_monoforum",
];

fn sniff(head: &[u8], name: &str) -> Confidence {
    let begins = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    if begins.first() != Some(&b'{') {
        return Confidence::NO;
    }
    let has = |what: &str| memchr::memmem::find(head, what.as_bytes()).is_some();
    let typed = ACCOUNTS.iter().chain(GROUPS).any(|t| has(&format!("\"{t}\"")));
    if typed && has("\"messages\"") && has("\"name\"") {
        return Confidence(92);
    }
    if has("\"personal_information\"") && has("\"about\"") {
        return Confidence(90);
    }
    let named = name.rsplit('/').next() == Some("result.json");
    if named && has("\"chats\"") { Confidence(80) } else { Confidence::NO }
}

/// A whole member of the export that is looked into at once, in bytes of text.
const MAX_MEMBER: usize = 1 << 20;

/// The export as far as it is read.
struct Export<'o> {
    exhibit: ExhibitId,
    rows: Rows,
    named: Named,
    out: &'o mut dyn Sink,
    doubted: bool,
}

/// The chat whose messages follow.
#[derive(Debug, Default)]
struct Chat {
    name: Option<Node>,
    ty: Option<Node>,
    id: Option<Node>,
    key: Option<Key>,
    /// The group's key, if it is one.
    group: Option<Key>,
    stated: bool,
}

fn parse(input: &Input<'_>, chunks: &mut Chunks<'_>, out: &mut dyn Sink) -> Coverage {
    let rows = Rows::new(out, model::bulk::messages());
    let mut export =
        Export { exhibit: input.exhibit, rows, named: Named::default(), out, doubted: false };
    let from = chunks.offset();
    let mut json = Json::new(chunks);
    while let Some(token) = json.next() {
        if let Some(problem) = token.problem() {
            export.out.problem(problem);
        } else if token.kind == Kind::ObjectStart {
            // The document is a chat; a whole export's members come under other names.
            export.chat(&mut json, true);
        }
    }
    let coverage = json.coverage(from);
    export.rows.flush(export.out);
    coverage
}

impl Export<'_> {
    /// The members of an object just opened: a chat, or the whole export. `None` where the
    /// document ends inside.
    fn chat(&mut self, json: &mut Json<'_, '_>, top: bool) -> Option<()> {
        let depth = json.depth();
        let mut chat = Chat::default();
        let mut key = String::new();
        loop {
            let token = json.next()?;
            if let Some(problem) = token.problem() {
                self.out.problem(problem);
                continue;
            }
            match token.kind {
                Kind::Key if token.depth == depth => key = token.text().0.into_owned(),
                Kind::ObjectEnd if token.depth == depth => {
                    if chat.id.is_some() {
                        self.introduce(&mut chat);
                    }
                    return Some(());
                }
                Kind::ArrayStart if key == "messages" => {
                    self.introduce(&mut chat);
                    self.messages(json, &chat)?;
                }
                Kind::ObjectStart if top && matches!(key.as_str(), "chats" | "left_chats") => {
                    self.list(json)?;
                }
                Kind::ObjectStart | Kind::ArrayStart => {
                    if key == "messages" {
                        self.wrong(token.start, token.end, "the messages are no list");
                    }
                    let (held, kind) = (token.held(), token.kind);
                    if top && matches!(key.as_str(), "personal_information") {
                        let out = &mut *self.out;
                        if let Some(node) = json.node(&held, MAX_MEMBER, &mut |p| out.problem(p)) {
                            self.person(&node);
                        }
                    } else if top && matches!(key.as_str(), "contacts" | "frequent_contacts") {
                        self.people(json)?;
                    } else if !json.skip(kind, |p| self.out.problem(p)) {
                        return None;
                    }
                }
                _ => {
                    if key == "messages" && token.kind != Kind::Null {
                        self.wrong(token.start, token.end, "the messages are no list");
                    }
                    let held = token.held();
                    let node = json.node(&held, MAX_MEMBER, &mut |_| ());
                    match key.as_str() {
                        "name" => chat.name = node,
                        "type" => chat.ty = node,
                        "id" => chat.id = node,
                        _ => {}
                    }
                }
            }
        }
    }

    /// `{"about": …, "list": [chat, …]}`
    fn list(&mut self, json: &mut Json<'_, '_>) -> Option<()> {
        let depth = json.depth();
        loop {
            let token = json.next()?;
            match token.kind {
                Kind::ObjectEnd if token.depth == depth => return Some(()),
                Kind::ObjectStart if token.depth == depth + 2 => self.chat(json, false)?,
                kind @ (Kind::ObjectStart | Kind::ArrayStart) if token.depth != depth + 1 => {
                    if !json.skip(kind, |p| self.out.problem(p)) {
                        return None;
                    }
                }
                _ => {
                    if let Some(problem) = token.problem() {
                        self.out.problem(problem);
                    }
                }
            }
        }
    }

    /// `{"about": …, "list": [contact, …]}`
    fn people(&mut self, json: &mut Json<'_, '_>) -> Option<()> {
        let depth = json.depth();
        loop {
            let token = json.next()?;
            match token.kind {
                Kind::ObjectEnd if token.depth == depth => return Some(()),
                Kind::ObjectStart if token.depth == depth + 2 => {
                    let held = token.held();
                    let out = &mut *self.out;
                    if let Some(node) = json.node(&held, MAX_MEMBER, &mut |p| out.problem(p)) {
                        self.person(&node);
                    }
                }
                _ => {
                    if let Some(problem) = token.problem() {
                        self.out.problem(problem);
                    }
                }
            }
        }
    }

    /// The owner of the export, a contact, or a frequent contact.
    fn person(&mut self, node: &Node) {
        let id = node.get("user_id").or_else(|| node.get("id")).and_then(Node::int);
        let Some(account) = id.filter(|id| *id > 0).map(|id| user(&id.to_string())) else { return };
        if node.get("type").is_some_and(|ty| ty.text() != Some("user")) {
            return;
        }
        let (first, last) = (node.get("first_name"), node.get("last_name"));
        let written = |part: Option<&Node>| {
            part.and_then(Node::text).map(str::trim).filter(|t| !t.is_empty()).map(str::to_owned)
        };
        // A name of two fields spans them both where they follow one another.
        let name = match (written(first), written(last)) {
            (Some(a), Some(b)) => Some((format!("{a} {b}"), first, last)),
            (Some(a), None) => Some((a, first, first)),
            (None, Some(b)) => Some((b, last, last)),
            (None, None) => {
                written(node.get("name")).map(|n| (n, node.get("name"), node.get("name")))
            }
        };
        if let Some((name, Some(from), Some(to))) = name {
            let span = (from.start.min(to.start), from.end.max(to.end));
            self.named.once(&account, "name", &name, span, self.out);
        }
        if let Some((handle, node)) = text_of(node.get("username")) {
            self.state(&account, "user_name", Value::Text(handle.to_owned()), node);
        }
        if let Some((phone, node)) = text_of(node.get("phone_number")) {
            self.state(&account, "phone", Value::Text(phone.to_owned()), node);
            // Numbers stand in international form, without the plus in some versions.
            let digits: String = phone.chars().filter(char::is_ascii_digit).collect();
            let plus = phone.trim_start().starts_with(['+', '0']);
            let number = if plus { phone.to_owned() } else { format!("+{digits}") };
            if let Some(key) = Key::phone(&number) {
                self.state(&account, "contact", Value::Key(key), node);
            }
        }
    }

    fn state(&mut self, subject: &Key, property: &'static str, value: Value, node: &Node) {
        let fact =
            Fact { subject: subject.clone(), property, value, start: node.start, end: node.end };
        self.out.fact(fact);
    }

    /// Tells what chat it is, once its name, type and number are known.
    fn introduce(&mut self, chat: &mut Chat) {
        if chat.stated {
            return;
        }
        chat.stated = true;
        let ty = chat.ty.as_ref().and_then(Node::text).unwrap_or("").to_owned();
        let id = chat.id.as_ref().and_then(Node::text).filter(|id| !id.is_empty());
        let name = text_of(chat.name.as_ref());
        if ACCOUNTS.contains(&ty.as_str()) {
            let Some(id) = id else { return };
            let key = user(id);
            if let Some((name, node)) = name
                && ty != "saved_messages"
            {
                self.named.once(&key, "name", name, (node.start, node.end), self.out);
            }
            chat.key = Some(key);
            return;
        }
        let key = match id {
            // Older versions write channels' and groups' numbers as bots see them.
            Some(id) => {
                let id = id.strip_prefix("-100").filter(|n| n.len() >= 9).unwrap_or(id);
                Key::new("group", &format!("telegram:{}", id.trim_start_matches('-')))
            }
            None => {
                let hex = self.exhibit.to_string();
                let name = name.map_or("", |(name, _)| name);
                Key::new("group", &format!("telegram:x{}/{}", &hex[..32], name.to_lowercase()))
            }
        };
        if let Some((name, node)) = name {
            self.state(&key, "name", Value::Text(name.to_owned()), node);
        }
        if let Some((ty, node)) = text_of(chat.ty.as_ref()) {
            self.state(&key, "type", Value::Text(ty.to_owned()), node);
        }
        chat.group = Some(key.clone());
        chat.key = Some(key);
    }

    /// Something that is there, and of another type than an export gives it.
    fn wrong(&mut self, start: u64, end: u64, what: &str) {
        let message = what.to_owned();
        self.out.problem(Problem { start, end, kind: ProblemKind::Type, message, lost: false });
    }

    fn encoding_problem(&mut self, start: u64, end: u64) {
        if !self.doubted {
            self.doubted = true;
            self.out.problem(Problem {
                start,
                end,
                kind: ProblemKind::Encoding,
                message: "text that is not valid: what cannot be read is shown as \u{fffd}"
                    .to_owned(),
                lost: false,
            });
        }
    }
}

/// The account of a user's number.
fn user(id: &str) -> Key {
    let id = id.trim();
    if id.bytes().all(|b| b.is_ascii_digit()) {
        Key::messaging("telegram", &format!("user{id}"))
    } else {
        Key::messaging("telegram", id)
    }
}

/// A member's text, if it has one that is not blank.
fn text_of(node: Option<&Node>) -> Option<(&str, &Node)> {
    let node = node?;
    let text = node.text()?.trim();
    (!text.is_empty()).then_some((text, node))
}

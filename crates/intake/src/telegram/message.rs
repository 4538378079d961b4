//! One message of a Telegram export.

use model::{Fact, Key, Precision, Problem, ProblemKind, Stamp, Value};

use super::{Chat, Export, user};
use crate::chats::{Message, mention_escaped};
use crate::json::{Json, Kind, Token};

/// A string with its span, and as it stands in the file where its text is looked into.
#[derive(Debug, Default)]
struct Piece {
    text: String,
    raw: Vec<u8>,
    start: u64,
    end: u64,
}

#[derive(Debug, Default)]
struct Draft {
    id: String,
    kind: String,
    date: String,
    unix: String,
    from: Piece,
    from_id: Piece,
    action: String,
    title: String,
    reply_to: String,
    forwarded_from: String,
    file: String,
    media: bool,
    text: String,
    /// What is looked into for indicators.
    pieces: Vec<Piece>,
}

const NO_MESSAGE: &str = "what stands among the messages is none";

/// Members of a message that are strings (a text may be a list of strings and entities too).
const STRINGS: [&str; 7] = ["text", "type", "date", "date_unixtime", "from", "from_id", "action"];

/// The longest text of one message that is kept, in bytes. Telegram's own limit is 4,096 characters.
const MAX_TEXT: usize = 1 << 20;

impl Export<'_> {
    /// The messages of an array just opened.
    pub(super) fn messages(&mut self, json: &mut Json<'_, '_>, chat: &Chat) -> Option<()> {
        let depth = json.depth();
        loop {
            let token = json.next()?;
            match token.kind {
                Kind::ArrayEnd if token.depth == depth => return Some(()),
                Kind::ObjectStart => {
                    let start = token.start;
                    let (draft, end) = self.message(json)?;
                    self.emit(&draft, chat, start, end);
                }
                Kind::ArrayStart => {
                    self.wrong(token.start, token.end, NO_MESSAGE);
                    if !json.skip(Kind::ArrayStart, |p| self.out.problem(p)) {
                        return None;
                    }
                }
                _ => match token.problem() {
                    Some(problem) => self.out.problem(problem),
                    None => self.wrong(token.start, token.end, NO_MESSAGE),
                },
            }
        }
    }

    /// The members of a message just opened, and where it ends.
    fn message(&mut self, json: &mut Json<'_, '_>) -> Option<(Draft, u64)> {
        let depth = json.depth();
        let mut draft = Draft::default();
        let mut key = String::new();
        loop {
            let token = json.next()?;
            if let Some(problem) = token.problem() {
                self.out.problem(problem);
                continue;
            }
            match token.kind {
                Kind::ObjectEnd if token.depth == depth => return Some((draft, token.end)),
                Kind::Key => key = token.text().0.into_owned(),
                Kind::ArrayStart if key == "text" => self.entities(json, &mut draft)?,
                Kind::ObjectStart if key == "contact_information" => {
                    draft.media = true;
                    self.contact(json, &mut draft)?;
                }
                kind @ (Kind::ObjectStart | Kind::ArrayStart) => {
                    if STRINGS.contains(&key.as_str()) {
                        let what = format!("the {key} of a message is no string");
                        self.wrong(token.start, token.end, &what);
                    }
                    draft.media |= matches!(key.as_str(), "location_information" | "poll");
                    if !json.skip(kind, |p| self.out.problem(p)) {
                        return None;
                    }
                }
                Kind::Null => {}
                _ => {
                    let piece = piece(&token);
                    if piece.1 {
                        self.encoding_problem(token.start, token.end);
                    }
                    draft.set(&key, piece.0);
                }
            }
        }
    }

    /// `["plain", {"type": "link", "text": "…", "href": "…"}, …]`
    fn entities(&mut self, json: &mut Json<'_, '_>, draft: &mut Draft) -> Option<()> {
        let depth = json.depth();
        let mut key = String::new();
        loop {
            let token = json.next()?;
            match token.kind {
                Kind::ArrayEnd if token.depth == depth => return Some(()),
                Kind::Key => key = token.text().0.into_owned(),
                Kind::String if token.depth == depth => draft.write(piece(&token).0, true),
                Kind::String if token.depth == depth + 1 && key == "text" => {
                    draft.write(piece(&token).0, true);
                }
                Kind::String if token.depth == depth + 1 && key == "href" => {
                    draft.write(piece(&token).0, false);
                }
                kind @ (Kind::ObjectStart | Kind::ArrayStart) if token.depth > depth + 1 => {
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

    /// A contact that was sent: its number is named.
    fn contact(&mut self, json: &mut Json<'_, '_>, draft: &mut Draft) -> Option<()> {
        let depth = json.depth();
        let mut key = String::new();
        loop {
            let token = json.next()?;
            match token.kind {
                Kind::ObjectEnd if token.depth == depth => return Some(()),
                Kind::Key => key = token.text().0.into_owned(),
                Kind::String if key == "phone_number" => draft.write(piece(&token).0, false),
                _ => {
                    if let Some(problem) = token.problem() {
                        self.out.problem(problem);
                    }
                }
            }
        }
    }

    fn emit(&mut self, draft: &Draft, chat: &Chat, start: u64, end: u64) {
        let time = draft.time();
        let unix = draft.unix.trim();
        if !unix.is_empty() && unix.parse::<i64>().is_err() {
            self.wrong(start, end, "the date_unixtime of a message is no number");
        }
        if time.is_none() {
            let message = "a message without a date".to_owned();
            self.out.problem(Problem { start, end, kind: ProblemKind::Type, message, lost: false });
        }
        let from = match draft.from_id.text.trim() {
            "" | "0" => None,
            id => Some(user(id)),
        };
        if let Some(from) = &from {
            let name = draft.from.text.trim();
            self.named.once(from, "name", name, (draft.from.start, draft.from.end), self.out);
        }
        let service = draft.kind == "service";
        if service && let (Some(from), Some(group)) = (&from, &chat.group) {
            let joins =
                ["create_group", "create_channel", "join_group_by_link", "join_group_by_request"];
            if joins.contains(&draft.action.as_str()) && !draft.from_id.text.starts_with("channel")
            {
                self.out.fact(Fact {
                    subject: from.clone(),
                    property: "member_of",
                    value: Value::Key(group.clone()),
                    start: draft.from_id.start,
                    end: draft.from_id.end,
                });
            }
        }
        let writer: Option<&Key> = from.as_ref().or(chat.key.as_ref());
        if let Some(writer) = writer {
            for piece in &draft.pieces {
                mention_escaped(writer, &piece.raw, piece.start, self.out);
            }
        }
        let told = match (service, draft.title.as_str()) {
            (false, _) => String::new(),
            (true, "") => draft.action.clone(),
            (true, title) => format!("{} {title}", draft.action),
        };
        let message = Message {
            service: "telegram",
            chat: chat.key.as_ref(),
            id: &draft.id,
            from: from.as_ref(),
            from_name: draft.from.text.trim(),
            time,
            kind: match (service, draft.media) {
                (true, _) => "service",
                (false, true) => "media",
                (false, false) => "message",
            },
            text: if draft.text.is_empty() { &told } else { &draft.text },
            reply_to: &draft.reply_to,
            forwarded_from: &draft.forwarded_from,
            file: &draft.file,
        };
        message.push(&mut self.rows, self.out, start, end);
    }
}

/// A string or number, and whether its text is broken.
fn piece(token: &Token<'_>) -> (Piece, bool) {
    let (text, broken) = token.text();
    let piece = Piece {
        text: text.into_owned(),
        raw: token.raw.to_vec(),
        start: token.start,
        end: token.end,
    };
    (piece, broken)
}

impl Draft {
    fn set(&mut self, key: &str, piece: Piece) {
        match key {
            "id" => self.id = piece.text,
            "type" => self.kind = piece.text,
            "date" => self.date = piece.text,
            "date_unixtime" => self.unix = piece.text,
            "from" | "actor" => self.from = piece,
            "from_id" | "actor_id" => self.from_id = piece,
            "action" => self.action = piece.text,
            "title" => self.title = piece.text,
            "reply_to_message_id" => self.reply_to = piece.text,
            "forwarded_from" => self.forwarded_from = piece.text,
            "file" | "photo" => {
                self.media = true;
                if self.file.is_empty() {
                    self.file = piece.text;
                }
            }
            "media_type" => self.media = true,
            "text" => self.write(piece, true),
            _ => {}
        }
    }

    fn write(&mut self, piece: Piece, shown: bool) {
        if shown && self.text.len() + piece.text.len() <= MAX_TEXT {
            self.text.push_str(&piece.text);
        }
        if !piece.raw.is_empty() {
            self.pieces.push(piece);
        }
    }

    /// The exporter's clock and the epoch's seconds together tell the exporter's zone.
    fn time(&self) -> Option<Stamp> {
        let local = Stamp::parse_iso(self.date.trim());
        let Ok(unix) = self.unix.trim().parse::<i64>() else { return local };
        let utc = Stamp::unix_seconds(unix);
        let Some(local) = local.filter(|l| l.offset_min.is_none()) else { return Some(utc) };
        let apart = local.local_ms.saturating_sub(utc.local_ms);
        if apart % (15 * 60_000) != 0 || apart.abs() > 14 * 3_600_000 {
            return Some(utc);
        }
        let offset_min = i16::try_from(apart / 60_000).ok()?;
        Some(Stamp { offset_min: Some(offset_min), precision: Precision::Second, ..local })
    }
}

//! What a rights holder's program asks of the house, as JSON: report, look, lift (docs/clearing-house.md). By a service
//! key, which acts under its own name, or by a person who is signed in. Answers are in English: programs go by `error`.

use axum::body::Bytes;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Json, Response};
use desk::access::Principal;
use desk::clearing::Done;
use desk::clearing::door::ask_of_key;
use desk::clearing::read::{self, ItemView, Log, TicketItem, TicketPage};
use model::Reference;
use serde::Deserialize;
use serde_json::{Value, json};
use shield::order::step::Ticket;
use shield::order::words::{EventId, Grounds, OrderId, Organisation, Right};
use shield::order::{Audience, Command, Deed, ItemId, Moment, Submission, TicketId};

use super::acts::{No, act, moment};
use super::report::under;
use super::{look, whose, with};
use crate::app::{App, PageError};
use crate::gate::Who;

/// What is to be blocked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Report {
    /// The event it is of, or
    event: Option<String>,
    /// the order, where none is.
    order: Option<String>,
    /// For which works; all of the event's, or of the order's, where it names none.
    #[serde(default)]
    works: Vec<String>,
    /// URLs, names, addresses, addresses with a port.
    items: Vec<String>,
    /// By which ISPs; by all of them where it names none.
    #[serde(default)]
    isps: Vec<String>,
    /// Without an event: until when (RFC 3339).
    until: Option<String>,
    /// The record of a case that led to it.
    case: Option<String>,
}

/// What is lifted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lift {
    item: String,
    grounds: String,
}

/// An answer that is none: its status, a word, and what to do.
type Fault = (StatusCode, &'static str, String);

fn answer(answer: Result<(StatusCode, Value), Fault>) -> Response {
    match answer {
        Ok((status, body)) => (status, Json(body)).into_response(),
        Err((status, word, message)) => {
            (status, Json(json!({"error": word, "message": message}))).into_response()
        }
    }
}

fn misuse(word: &'static str, message: impl Into<String>) -> Fault {
    (StatusCode::UNPROCESSABLE_ENTITY, word, message.into())
}

fn read<T: for<'a> Deserialize<'a>>(body: &Bytes) -> Result<T, Fault> {
    serde_json::from_slice(body).map_err(|e| misuse("body", format!("{e}: docs/clearing-house.md")))
}

fn failed(no: No) -> Fault {
    match no {
        No::Refused(why) => (StatusCode::CONFLICT, why.word(), why.to_string()),
        No::Form(key) => misuse("form", crate::i18n::Lang::En.t(key)),
        No::Asked(why) => misuse("asked", why),
        No::Failed(error) => broke(&error),
    }
}

fn broke(error: &PageError) -> Fault {
    match error {
        PageError::NotFound => {
            (StatusCode::NOT_FOUND, "not_found", "no such ticket of yours".to_owned())
        }
        PageError::Desk(desk::Error::Asked(why)) => misuse("asked", why.clone()),
        // Strangers are told no path of its disk.
        _ => {
            let why = "the clearing house does not answer: whether it was done, the ticket says";
            (StatusCode::SERVICE_UNAVAILABLE, "house", why.to_owned())
        }
    }
}

/// Has a command done: of a key, under its own name; of a person, in the office of theirs that may.
async fn asks(app: &App, who: &Who, command: Command) -> Result<Done, Fault> {
    if !matches!(who.principal, Principal::Key { .. }) {
        return act(app, who, command).await.map_err(failed);
    }
    let (access, key, source) = (app.clone(), who.principal.clone(), who.source);
    let done = with(app, move |clearing| {
        let ask = ask_of_key(&access.access, &key, command, source)?;
        Ok(clearing.keeper.act(ask)?)
    });
    done.await.map_err(|error| broke(&error))?.map_err(|why| failed(No::Refused(why)))
}

/// A word of a kind.
fn word<T>(text: &str, what: &'static str, of: fn(&str) -> Option<T>) -> Result<T, Fault> {
    of(text).ok_or_else(|| misuse(what, format!("{text:?} is none")))
}

/// Words of one kind, each of which has to be one.
fn words<T>(
    texts: &[String],
    what: &'static str,
    of: fn(&str) -> Option<T>,
) -> Result<Vec<T>, Fault> {
    texts.iter().map(|text| word(text, what, of)).collect()
}

/// `POST /api/report`.
pub(crate) async fn report(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    body: Bytes,
) -> Response {
    answer(reported(&app, &who, &body).await)
}

async fn reported(app: &App, who: &Who, body: &Bytes) -> Result<(StatusCode, Value), Fault> {
    let Report { event, order, works, items, isps, until, case } = read(body)?;
    let event = event.map(|text| word(&text, "event", EventId::new)).transpose()?;
    let order = order.map(|text| word(&text, "order", OrderId::new)).transpose()?;
    let named = (order, event);
    let until = until.map(|text| moment(&text)).transpose();
    let until = until.map_err(|_| misuse("until", "write a moment, as 2026-11-28T20:00:00Z"))?;
    let case = case.map(|text| text.parse::<Reference>()).transpose();
    let case = case.map_err(|e| misuse("case", e.to_string()))?.map(Box::new);
    let works = words(&works, "works", Right::new)?;
    let mut isps = words(&isps, "isps", Organisation::new)?;
    isps.sort();
    isps.dedup();
    let audience =
        if isps.is_empty() { Audience::All } else { Audience::Only(isps.into_boxed_slice()) };
    let own = who.principal.organisation().and_then(Organisation::new);
    let found = look(app, move |house| under(house, named, own.as_ref())).await;
    let (order, event, rights) = found
        .map_err(|error| broke(&error))?
        .ok_or_else(|| misuse("under", "name an order of yours, or an event of one"))?;
    let works = if works.is_empty() { rights } else { works };
    let asked = items.clone();
    let submission = Submission { order, event, works, items, audience, until, case };
    let done = asks(app, who, Command::Submit(submission)).await?;
    let taken = done.steps.iter().find_map(|step| match &step.deed {
        Deed::Submitted(ticket) => Some(&**ticket),
        _ => None,
    });
    let ticket = taken.ok_or_else(|| broke(&PageError::Broken))?;
    let mut shown = as_taken(ticket, &asked);
    if let Some(shown) = shown.as_object_mut() {
        shown.insert("record".to_owned(), json!(done.record));
        shown.insert("alone".to_owned(), json!(done.alone));
    }
    Ok((StatusCode::CREATED, shown))
}

/// What became of each line.
fn as_taken(ticket: &Ticket, asked: &[String]) -> Value {
    let items = ticket.items.iter().enumerate().map(|(place, item)| {
        let id = ItemId::new(ticket.id, u16::try_from(place).unwrap_or(u16::MAX));
        json!({"item": id.to_string(), "value": item.value.to_string(), "kind": item.value.kind().word()})
    });
    let left = ticket.left_out.iter().map(|left| {
        let line = usize::from(left.line);
        json!({"line": line + 1, "text": asked.get(line), "why": left.why.word()})
    });
    json!({
        "ticket": ticket.id.0,
        "items": items.collect::<Vec<_>>(),
        "left_out": left.collect::<Vec<_>>(),
    })
}

/// `POST /api/lift`.
pub(crate) async fn lift(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    body: Bytes,
) -> Response {
    answer(lifted(&app, &who, &body).await)
}

async fn lifted(app: &App, who: &Who, body: &Bytes) -> Result<(StatusCode, Value), Fault> {
    let Lift { item, grounds } = read(body)?;
    let id: ItemId =
        item.parse().map_err(|_| misuse("item", "an item is named as its ticket has it: 7/0"))?;
    let grounds = Grounds::new(&grounds).ok_or_else(|| misuse("grounds", "say why"))?;
    let own = whose(app, who);
    // Another's is not told from what is not there.
    let there = look(app, move |house| read::ticket(house, id.ticket(), &own, 0, 1).is_some());
    if !there.await.map_err(|error| broke(&error))? {
        return Err(broke(&PageError::NotFound));
    }
    let command = Command::Lift { item: id, collateral: None, grounds };
    let done = asks(app, who, command).await?;
    let body = json!({"item": item, "record": done.record, "alone": done.alone});
    Ok((StatusCode::OK, body))
}

/// `GET /api/tickets/{id}`.
pub(crate) async fn ticket(
    State(app): State<App>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
) -> Response {
    answer(shown(&app, &who, &id).await)
}

async fn shown(app: &App, who: &Who, id: &str) -> Result<(StatusCode, Value), Fault> {
    let id = id.parse().map(TicketId).map_err(|_| broke(&PageError::NotFound))?;
    let own = whose(app, who);
    let found = with(app, move |clearing| {
        let found = clearing.keeper.look(move |house| {
            let mut page = read::ticket(house, id, &own, 0, read::MAX_ROWS)?;
            let mut items = std::mem::take(&mut page.items);
            // All of them: a ticket has a thousand at the most.
            while items.len() < page.ticket.items {
                let from = u16::try_from(items.len()).ok()?;
                let mut more = read::ticket(house, id, &own, from, read::MAX_ROWS)?.items;
                if more.is_empty() {
                    break;
                }
                items.append(&mut more);
            }
            Some((page, items, house.case().dir().to_owned()))
        })?;
        let (page, items, dir) = found.ok_or(PageError::NotFound)?;
        // What it was reported with, of those that ended: the ticket's first record among those that are followed.
        let log = Log::open(&dir)?;
        let records = page.records.iter().take(1);
        let first = records.filter_map(|index| log.recorded(*index).ok().flatten()).next();
        Ok((page, items, first))
    });
    let (page, items, first) = found.await.map_err(|error| broke(&error))?;
    let deeds = first.into_iter().filter_map(|found| found.decision);
    let report = deeds.flat_map(|decision| decision.deeds).find_map(|deed| match deed {
        Deed::Submitted(ticket) => Some(ticket),
        _ => None,
    });
    let items = items.iter().map(|item| one(item, report.as_deref()));
    Ok((StatusCode::OK, of_ticket(&page, items.collect())))
}

fn of_ticket(page: &TicketPage, items: Vec<Value>) -> Value {
    let ticket = &page.ticket;
    json!({
        "ticket": ticket.id.0,
        "state": ticket.stage.word(),
        "order": ticket.order.as_str(),
        "event": ticket.event.as_ref().map(EventId::as_str),
        "at": time(Some(ticket.at)),
        "stopped": ticket.halted,
        "items": items,
    })
}

fn one(item: &TicketItem, report: Option<&Ticket>) -> Value {
    let view: &ItemView = match item {
        TicketItem::Live(view) => view,
        TicketItem::Ended(id, how) => {
            let asked = report.and_then(|report| report.items.get(usize::from(id.place())));
            return json!({
                "item": id.to_string(),
                "value": asked.map(|item| item.value.to_string()),
                "state": "ended",
                "ended": how.map(|how| how.word()),
            });
        }
    };
    let measured = view
        .bar
        .map(|bar| json!({"blocking": bar.done, "not_yet": bar.not_yet, "unknown": bar.unknown}));
    json!({
        "item": view.id.to_string(),
        "value": view.value.to_string(),
        "state": view.stage.word(),
        "since": time(view.since),
        "until": time(view.until),
        "verdict": view.outcome.as_ref().map(|outcome| outcome.verdict.word()),
        "held_by": view.holds,
        "measured": measured,
    })
}

fn time(at: Option<Moment>) -> Value {
    at.map_or(Value::Null, |at| json!(model::record::time_text(at.0)))
}

//! Lists of values: all of a kind, or a ticket's; as JSON, as text, as that text's checksum.
//!
//! An ISP is listed what it is to block now, out of the same snapshot that its feed is made of. Everybody of whom
//! no ticket speaks by name gets the same list: it is made once a change, and shared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use desk::clearing::House;
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};
use shield::feed::{Place, Row, Snapshot};
use shield::item::Kind;
use shield::order::state::Live;
use shield::order::words::Organisation;
use shield::order::{Stage, State, Ticket, TicketId, Value};

use crate::answer::{Answer, Outcome};
use crate::call::{Call, Times};
use crate::codes::{Fault, GENERIC, ITEM_EMPTY_CHECKSUM};
use crate::kept::{Kept, places};
use crate::route::{Caller, Form};
use crate::seen::{Seen, addressed};

/// A list as text, one value a line.
#[derive(Debug, Clone, Default)]
struct Made {
    text: Bytes,
    checksum: String,
}

/// What a list was made of: where the feed stood, and the first ticket that could still be taken back.
type Of = (Place, TicketId);

/// The lists that everybody shares, one of each kind; `None` where tickets speak of ISPs by name, so that each
/// has its own.
#[derive(Debug, Default)]
pub(crate) struct Lists(Mutex<BTreeMap<Kind, (Of, Option<Made>)>>);

/// What is out.
struct Out {
    of: Of,
    snapshot: Snapshot,
}

fn out(house: &House, times: Times) -> Option<Out> {
    let history = house.feed()?.history();
    let (state, now) = (house.state(), house.now());
    // Tickets are numbered as they come.
    let is_young = |id: &TicketId| {
        state.ticket(*id).is_some_and(|ticket| now < ticket.at.plus(times.revoke_ms))
    };
    let young = (0..state.tickets()).rev().map(TicketId).take_while(is_young).last();
    let of = (history.place(), young.unwrap_or(TicketId(state.tickets())));
    Some(Out { of, snapshot: history.current().clone() })
}

/// Of values that a young ticket wants, those that an older one keeps blocked at an ISP.
fn kept(state: &State, values: Vec<Value>, young: TicketId, isp: &Organisation) -> BTreeSet<Value> {
    let is_kept = |value: &Value| {
        let live = state.wanting(value).iter();
        live.filter(|item| item.ticket() < young).any(|item| {
            let in_force = |live: &Live| live.machine.stage() == Stage::InForce;
            let to = |ticket: &Ticket| addressed(&ticket.audience, isp);
            state.item(*item).is_some_and(in_force)
                && state.ticket(item.ticket()).is_some_and(to)
                && !state.is_lifted(item.ticket())
        })
    };
    values.into_iter().filter(is_kept).collect()
}

/// All values of a kind that who asks is to block, or of everybody for the authority's people.
pub(crate) fn all(call: &Call<'_>, kind: Kind, form: Form) -> Outcome {
    let isp = match call.known.caller {
        Caller::Provider => Some(call.own()?),
        _ => None,
    };
    let times = call.api.times;
    let found = call.api.look(move |house| out(house, times))?;
    let found =
        found.ok_or_else(|| Fault::of(GENERIC, "the clearing house's feed has not begun"))?;
    let Some(isp) = isp else {
        let rows = found.snapshot.rows().filter(|row| row.kind() == kind);
        return answer(Made::of(joined(rows.map(Row::value))), form);
    };
    if found.snapshot.gates().shuts(&isp) {
        return answer(Made::of(String::new()), form);
    }
    answer(made(call, found, kind, &isp)?, form)
}

/// The list of an ISP: made once a change where everybody has the same, by the first who asks.
fn made(call: &Call<'_>, out: Out, kind: Kind, isp: &Organisation) -> Result<Made, Fault> {
    let mut all = call.api.lists.0.lock().unwrap_or_else(PoisonError::into_inner);
    match all.get(&kind).filter(|(of, _)| *of == out.of) {
        Some((_, Some(made))) => return Ok(made.clone()),
        Some((_, None)) => {
            drop(all);
            return make(call, &out, kind, isp).map(|(made, _)| made);
        }
        None => {}
    }
    let (made, shared) = make(call, &out, kind, isp)?;
    all.insert(kind, (out.of, shared.then(|| made.clone())));
    Ok(made)
}

/// An ISP's list, and whether every other has the same.
fn make(call: &Call<'_>, out: &Out, kind: Kind, isp: &Organisation) -> Result<(Made, bool), Fault> {
    let (mut values, mut young, mut shared) = (Vec::new(), Vec::new(), true);
    let first_young = out.of.1;
    for row in out.snapshot.rows().filter(|row| row.kind() == kind) {
        shared &= row.for_some().next().is_none();
        let Some(entry) = row.of(isp) else { continue };
        let is_young = entry.ticket() >= first_young;
        values.push((row.value(), is_young));
        if is_young {
            young.push(row.value().clone());
        }
    }
    let kept = match young.is_empty() {
        true => BTreeSet::new(),
        false => {
            let isp = isp.clone();
            call.api.look(move |house| kept(house.state(), young, first_young, &isp))?
        }
    };
    let shown = values.into_iter().filter(|(value, is_young)| !is_young || kept.contains(*value));
    Ok((Made::of(joined(shown.map(|(value, _)| value))), shared))
}

fn joined<'a>(values: impl Iterator<Item = &'a Value>) -> String {
    let mut text = String::new();
    values.for_each(|value| push(&mut text, &value.to_string()));
    text
}

fn push(text: &mut String, value: &str) {
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(value);
}

impl Made {
    fn of(text: String) -> Self {
        let checksum =
            Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        Self { text: text.into(), checksum }
    }
}

fn answer(made: Made, form: Form) -> Outcome {
    match form {
        Form::Text => Ok(Answer::Text(made.text)),
        Form::Checksum if made.text.is_empty() => Err(ITEM_EMPTY_CHECKSUM.into()),
        Form::Checksum => Ok(Answer::Text(made.checksum.into())),
        Form::Json => {
            let text = String::from_utf8_lossy(&made.text);
            Ok(Answer::Data(text.lines().collect()))
        }
    }
}

/// A ticket's values of a kind: for an ISP those that it is to block; for a reporter each with what became of it.
pub(crate) fn of_ticket(call: &Call<'_>, kind: Kind, form: Form) -> Outcome {
    let ticket = call.ticket()?;
    if call.known.caller == Caller::Reporter {
        return Ok(Answer::Data(of_reporter(call, &ticket, kind)?));
    }
    let mut text = String::new();
    match call.known.caller {
        Caller::Provider => {
            let isp = call.own()?;
            let out = ticket.out_for(&isp).filter(|piece| piece.value.kind() == kind);
            out.for_each(|piece| push(&mut text, &piece.value.to_string()));
        }
        _ => ticket.values(kind).for_each(|value| push(&mut text, &value)),
    }
    answer(Made::of(text), form)
}

fn of_reporter(call: &Call<'_>, ticket: &Seen, kind: Kind) -> Result<Json, Fault> {
    let kept = call.api.shelf.get(ticket.id);
    let lines = lines(ticket, kept.as_ref());
    let lines: Vec<_> = lines.into_iter().filter(|line| line.value.kind() == kind).collect();
    let shown = |line: &Line| {
        json!({
            "value": line.value.to_string(), "genre": kind.word(),
            // A value that is reported again is an item of its own: nothing is dropped as a duplicate.
            "is_duplicate": false, "is_whitelisted": line.excepted, "is_error": line.error,
        })
    };
    Ok(lines.iter().map(shown).collect())
}

/// A value of a ticket, and what became of it.
pub(crate) struct Line {
    /// The value.
    pub(crate) value: shield::Item,
    /// Its place in the ticket; `None` where it is no item of it.
    pub(crate) place: Option<u16>,
    /// Where it stands; `None` where it ended, or never began.
    pub(crate) stage: Option<Stage>,
    /// An approved exception covers it.
    pub(crate) excepted: bool,
    /// Its reporter told of an error.
    pub(crate) error: bool,
}

/// The values that a ticket was asked for with, else those that live of it.
pub(crate) fn lines(ticket: &Seen, kept: Option<&Kept>) -> Vec<Line> {
    let stage = |place: u16| {
        ticket.pieces.iter().find(|piece| piece.item.place() == place).map(|piece| piece.stage)
    };
    let asked = kept.and_then(|kept| Some((kept, kept.asked()?)));
    let Some((kept, asked)) = asked else {
        let line = |piece: &crate::seen::Piece| Line {
            value: (*piece.value).clone(),
            place: Some(piece.item.place()),
            stage: Some(piece.stage),
            excepted: false,
            error: false,
        };
        return ticket.pieces.iter().map(line).collect();
    };
    let mut errors = kept.errors.iter().flat_map(|error| &error.values).collect::<BTreeSet<_>>();
    errors.retain(|value| !value.is_empty());
    let left_out =
        |n: usize| kept.left_out.get(&u16::try_from(n).unwrap_or(u16::MAX)).map(String::as_str);
    let numbered = places(&asked, &kept.left_out).enumerate();
    let line = |(n, (line, place)): (usize, (&crate::asked::Line, Option<u16>))| Line {
        value: line.item.clone(),
        place,
        stage: place.and_then(stage),
        excepted: left_out(n) == Some("excepted"),
        error: errors.contains(&line.item.to_string()),
    };
    numbered.map(line).collect()
}

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
use shield::feed::{Place, Snapshot};
use shield::item::Kind;
use shield::order::words::Organisation;
use shield::order::{Moment, Stage, State, TicketId, Value};

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

/// What a shared list was made of.
type Of = (Place, BTreeSet<Value>);

/// The lists that everybody shares: one of each kind.
#[derive(Debug, Default)]
pub(crate) struct Lists(Mutex<BTreeMap<Kind, (Of, Made)>>);

/// What is out, as one party may see it.
struct Out {
    place: Place,
    snapshot: Snapshot,
    /// What is of tickets alone that can still be taken back.
    hidden: BTreeSet<Value>,
}

fn out(house: &House, isp: Option<&Organisation>, times: Times) -> Option<Out> {
    let history = house.feed()?.history();
    let hidden = isp.map(|isp| hidden(house.state(), isp, house.now(), times)).unwrap_or_default();
    Some(Out { place: history.place(), snapshot: history.current().clone(), hidden })
}

/// What an ISP is not listed yet: the values that only tickets want which can still be taken back.
fn hidden(state: &State, isp: &Organisation, now: Moment, times: Times) -> BTreeSet<Value> {
    let is_young =
        |id: TicketId| state.ticket(id).is_some_and(|ticket| now < ticket.at.plus(times.revoke_ms));
    let young = (0..state.tickets()).rev().map(TicketId).take_while(|id| is_young(*id));
    let values = young.flat_map(|id| state.items_of(id)).map(|(_, live)| live.value.clone());
    let wanted_by_older = |value: &Value| {
        let live = state.value(value).into_iter().flat_map(|wanted| &wanted.live);
        live.filter(|item| !is_young(item.ticket())).any(|item| {
            let in_force =
                state.item(*item).is_some_and(|live| live.machine.stage() == Stage::InForce);
            let to =
                state.ticket(item.ticket()).is_some_and(|ticket| addressed(&ticket.audience, isp));
            in_force && to && !state.is_lifted(item.ticket())
        })
    };
    values.filter(|value| !wanted_by_older(value)).collect()
}

/// All values of a kind that who asks is to block, or of everybody for the authority's people.
pub(crate) fn all(call: &Call<'_>, kind: Kind, form: Form) -> Outcome {
    let isp = match call.known.caller {
        Caller::Provider => Some(call.own()?),
        _ => None,
    };
    let (of, times) = (isp.clone(), call.api.times);
    let found = call.api.look(move |house| out(house, of.as_ref(), times))?;
    let found =
        found.ok_or_else(|| Fault::of(GENERIC, "the clearing house's feed has not begun"))?;
    let made = call.api.lists.made(found, kind, isp.as_ref());
    answer(made, form)
}

impl Lists {
    fn made(&self, out: Out, kind: Kind, isp: Option<&Organisation>) -> Made {
        if isp.is_some_and(|isp| out.snapshot.gates().shuts(isp)) {
            return Made::of(String::new());
        }
        let of = (out.place, out.hidden);
        if isp.is_some()
            && let Some((shared_of, made)) =
                self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&kind)
            && *shared_of == of
        {
            return made.clone();
        }
        let (mut text, mut shared) = (String::new(), isp.is_some());
        for row in out.snapshot.rows().filter(|row| row.kind() == kind) {
            shared &= row.for_some().next().is_none();
            let named = isp.is_none_or(|isp| row.of(isp).is_some());
            if named && !of.1.contains(row.value()) {
                push(&mut text, &row.value().to_string());
            }
        }
        let made = Made::of(text);
        if shared {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(kind, (of, made.clone()));
        }
        made
    }
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

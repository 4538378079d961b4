//! A ticket's items, one by one.

use desk::clearing::House;
use desk::clearing::said::Word;
use serde_json::{Value, json};
use shield::order::words::{Grounds, Organisation};
use shield::order::{Command, ItemId, Stage};

use crate::answer::{Answer, Outcome};
use crate::asked::exact;
use crate::call::{Call, REVIEWERS, refused, time};
use crate::codes::{GENERIC, ITEM_GENERIC, ITEM_NOT_FOUND, ITEM_VALUE_NON_VALID};
use crate::ids::Sort;
use crate::list::{Line, lines};
use crate::route::Caller;
use crate::seen::Seen;
use crate::status::{reason, status};

/// Each item: for an ISP with its own report, for the authority's people with every ISP's.
pub(crate) fn all(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    if call.known.caller == Caller::Provider {
        let isp = call.own()?;
        let pieces: Vec<_> = ticket.out_for(&isp).collect();
        let said = call.api.said(pieces.iter().map(|piece| piece.value.clone()).collect())?;
        let one = |(piece, said): (&&crate::seen::Piece, &Vec<(Organisation, Word)>)| {
            let own = said.iter().find(|(of, _)| *of == isp).map(|(_, word)| word);
            json!({
                "value": piece.value.to_string(), "status": own.map_or("pending", status),
                "timestamp": own.and_then(|word| word.since.clone()),
                "note": own.and_then(|word| word.note.clone()),
                "reason": own.and_then(reason),
            })
        };
        return Ok(Answer::Data(pieces.iter().zip(&said).map(one).collect()));
    }
    let mut all = Vec::new();
    let said = call.api.said(ticket.pieces.iter().map(|piece| piece.value.clone()).collect())?;
    for (piece, said) in ticket.pieces.iter().zip(said) {
        let one = |isp: Option<&str>, status: &str, reason: Option<&str>| {
            json!({
                "ticket_id": call.api.ids.of_number(Sort::Ticket, ticket.id.0),
                "ticket_item_id": call.api.ids.of_number(Sort::Item, piece.item.0),
                "value": piece.value.to_string(), "genre": piece.value.kind().word(),
                "status": status, "reason": reason,
                "provider_id": isp.map(|isp| call.api.ids.of_name(Sort::Organisation, isp)),
                "metadata": {"created_at": time(ticket.ticket.at), "updated_at": time(piece.since.unwrap_or(ticket.ticket.at))},
            })
        };
        match said.is_empty() {
            true => all.push(one(None, "pending", None)),
            false => all.extend(
                said.iter().map(|(isp, word)| one(Some(isp.as_str()), status(word), reason(word))),
            ),
        }
    }
    Ok(Answer::Data(all.into()))
}

/// The values of a ticket of which an error can still be reported: those that live.
pub(crate) fn available(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    Ok(Answer::Data(ticket.pieces.iter().map(|piece| piece.value.to_string()).collect()))
}

/// What became of each value.
pub(crate) fn statuses(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    let kept = call.api.shelf.get(ticket.id);
    let shown = |line: &Line| {
        let id = line
            .place
            .map(|place| call.api.ids.of_number(Sort::Item, ItemId::new(ticket.id, place).0));
        json!({
            "ticket_item_id": id, "value": line.value.to_string(), "genre": line.value.kind().word(),
            "is_active": line.stage == Some(Stage::InForce),
            "is_whitelisted": line.excepted, "is_error": line.error,
            // Beyond what the wire knows: where it stands here.
            "stage": line.stage.map_or("ended", Stage::word),
        })
    };
    Ok(Answer::Data(lines(&ticket, kept.as_ref()).iter().map(shown).collect()))
}

/// One item.
pub(crate) fn details(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    let text = call.body.text("ticket_item_id").ok_or(ITEM_NOT_FOUND)?;
    let item =
        call.api.ids.number(Sort::Item, text).map(ItemId).filter(|item| item.ticket() == ticket.id);
    let item = item.ok_or(ITEM_NOT_FOUND)?;
    let kept = call.api.shelf.get(ticket.id);
    let all = lines(&ticket, kept.as_ref());
    let line = all.iter().find(|line| line.place == Some(item.place())).ok_or(ITEM_NOT_FOUND)?;
    let value = std::sync::Arc::new(line.value.clone());
    let said = call.api.said(vec![value])?.pop().unwrap_or_default();
    Ok(Answer::Data(detail(call, &ticket, line, text, &said)))
}

fn detail(
    call: &Call<'_>,
    ticket: &Seen,
    line: &Line,
    id: &str,
    said: &[(Organisation, Word)],
) -> Value {
    let first = said.first().map(|(_, word)| word);
    let since = ticket
        .pieces
        .iter()
        .find(|piece| Some(piece.item.place()) == line.place)
        .and_then(|piece| piece.since);
    let provider = said.first().map(|(isp, _)| {
        let name = call
            .api
            .access
            .register(|register| register.organisation(isp.as_str()).map(|of| of.name.clone()));
        json!({"account_id": call.api.ids.of_name(Sort::Organisation, isp.as_str()), "name": name})
    });
    json!({
        "ticket_id": call.api.ids.of_number(Sort::Ticket, ticket.id.0), "ticket_item_id": id,
        "value": line.value.to_string(), "genre": line.value.kind().word(),
        "status": first.map_or("pending", status), "reason": first.and_then(reason),
        "is_active": line.stage == Some(Stage::InForce), "is_duplicate": false,
        "is_whitelisted": line.excepted, "is_error": line.error, "provider": provider,
        "metadata": {"created_at": time(ticket.ticket.at), "updated_at": time(since.unwrap_or(ticket.ticket.at))},
    })
}

/// Puts the suspended items on a value back into force. Nothing goes into force for the first time by this: that
/// takes a capture, a check, and where something holds it a second person who looked at the capture.
pub(crate) fn set_active(call: &Call<'_>) -> Outcome {
    let grounds = "put back into force by a reviewer";
    each(call, grounds, &[Stage::Suspended], |item, grounds| Command::Reinstate { item, grounds })
}

/// Lifts all items in force on a value.
pub(crate) fn set_non_active(call: &Call<'_>) -> Outcome {
    let grounds = "lifted by a reviewer";
    let stages = [Stage::InForce, Stage::Suspended];
    each(call, grounds, &stages, |item, grounds| Command::Lift { item, collateral: None, grounds })
}

fn each(
    call: &Call<'_>,
    grounds: &str,
    stages: &[Stage],
    command: impl Fn(ItemId, Grounds) -> Command,
) -> Outcome {
    let actor = call.actor(REVIEWERS)?;
    let item = exact(call.body.text("value").ok_or(ITEM_VALUE_NON_VALID)?)
        .map_err(|_| ITEM_VALUE_NON_VALID)?;
    let grounds = Grounds::new(grounds).ok_or(GENERIC)?;
    let stages = stages.to_vec();
    let items = call.api.look(move |house: &mut House| {
        let state = house.state();
        let live = state.wanting(&item).to_vec();
        let is_at = |id: &ItemId| {
            state.item(*id).is_some_and(|live| stages.contains(&live.machine.stage()))
        };
        live.into_iter().filter(is_at).collect::<Vec<_>>()
    })?;
    if items.is_empty() {
        return Err(ITEM_NOT_FOUND.into());
    }
    let commands = items.into_iter().map(|item| command(item, grounds.clone())).collect();
    for answer in call.act(&actor, commands)? {
        answer.map_err(|refusal| refused(&refusal, ITEM_GENERIC))?;
    }
    Ok(Answer::Done)
}

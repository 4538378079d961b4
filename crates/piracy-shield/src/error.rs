//! Errors that a reporter tells of: what it names ends at once.

use std::collections::BTreeSet;

use desk::parties::PartyRole;
use serde_json::{Value, json};
use shield::item::Kind;
use shield::order::TicketId;
use shield::order::words::Grounds;

use crate::answer::{Answer, Outcome};
use crate::api::now_ms;
use crate::call::{Call, failed, refused, time};
use crate::codes::{
    FQDN_NON_VALID, Fault, GENERIC, IPV4_NON_VALID, IPV6_NON_VALID, REPORT_ERROR_TIME_EXCEEDED,
    TICKET_GENERIC, TICKET_NO_DATA, TICKET_NOT_FOUND,
};
use crate::ids::Sort;
use crate::kept::{ErrorTicket, MAX_ERRORS};
use crate::route::Caller;
use crate::seen::{Piece, seen};
use crate::ticket::end;

/// Error tickets of one ticket that an identifier can tell apart.
const PLACES: u64 = 1_024;
const _: () = assert!(MAX_ERRORS as u64 <= PLACES);

/// Ends items of one's own ticket, within a day of it. Another ticket that wants the same value keeps it blocked.
pub(crate) fn create(call: &Call<'_>) -> Outcome {
    let actor = call.actor(&[PartyRole::Reporter])?;
    let ticket = call.ticket()?;
    if ticket.ticket.reporter != actor.organisation {
        return Err(TICKET_NOT_FOUND.into());
    }
    if ticket.now >= ticket.ticket.at.plus(call.api.times.error_ms) {
        return Err(REPORT_ERROR_TIME_EXCEEDED.into());
    }
    let (mut pieces, mut named) = (Vec::<&Piece>::new(), BTreeSet::new());
    for (field, kind, bad) in [
        ("fqdn", Kind::Fqdn, FQDN_NON_VALID),
        ("ipv4", Kind::Ipv4, IPV4_NON_VALID),
        ("ipv6", Kind::Ipv6, IPV6_NON_VALID),
    ] {
        for text in call.body.list(field, bad)? {
            let item = crate::asked::line(text, kind, bad)?.item;
            let piece = ticket.pieces.iter().find(|piece| *piece.value == item);
            let piece = piece.ok_or_else(|| {
                Fault::of(bad, format!("{item} is no item of the ticket that lives"))
            })?;
            // One name written in two ways is one item, and ends once.
            if named.insert(piece.item) {
                pieces.push(piece);
            }
        }
    }
    if pieces.is_empty() {
        return Err(TICKET_NO_DATA.into());
    }
    let kept = call.api.shelf.get(ticket.id).unwrap_or_default();
    if kept.errors.len() >= MAX_ERRORS {
        return Err(Fault::of(
            TICKET_GENERIC,
            "more errors of one ticket than are kept: ask a reviewer",
        ));
    }
    let grounds = Grounds::new("reported by mistake, its reporter says").ok_or(GENERIC)?;
    let commands = pieces.iter().map(|piece| end(piece, &grounds)).collect();
    for answer in call.act(&actor, commands)? {
        answer.map_err(|refusal| refused(&refusal, TICKET_GENERIC))?;
    }
    let error = ErrorTicket {
        at_ms: now_ms(),
        by: actor.organisation.as_str().to_owned(),
        values: pieces.iter().map(|piece| piece.value.to_string()).collect(),
    };
    let mut place = 0;
    let note = |kept: &mut crate::kept::Kept| {
        place = kept.errors.len() as u64;
        kept.errors.push(error);
    };
    call.api.shelf.change(ticket.id, note).map_err(failed)?;
    let id = call.api.ids.of_number(Sort::Error, ticket.id.0 * PLACES + place);
    let ticket_id = call.api.ids.of_number(Sort::Ticket, ticket.id.0);
    Ok(Answer::Data(json!({"ticket_error_id": id, "ticket_id": ticket_id})))
}

/// The errors that were told of in a ticket.
pub(crate) fn of_ticket(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    let kept = call.api.shelf.get(ticket.id);
    let errors = kept.iter().flat_map(|kept| &kept.errors);
    let shown = errors.zip(0..).map(|(error, place)| shown(call, ticket.id, place, error));
    Ok(Answer::Data(shown.collect()))
}

/// One of them.
pub(crate) fn get(call: &Call<'_>) -> Outcome {
    let text = call.body.text("ticket_error_id").ok_or(TICKET_NOT_FOUND)?;
    let number = call.api.ids.number(Sort::Error, text).ok_or(TICKET_NOT_FOUND)?;
    let (id, place) = (TicketId(number / PLACES), number % PLACES);
    let times = call.api.times;
    let ticket = call.api.look(move |house| seen(house, id, times))?;
    ticket.filter(|ticket| call.may_see(ticket)).ok_or(TICKET_NOT_FOUND)?;
    let kept = call.api.shelf.get(id).ok_or(TICKET_NOT_FOUND)?;
    let error = usize::try_from(place)
        .ok()
        .and_then(|place| kept.errors.get(place))
        .ok_or(TICKET_NOT_FOUND)?;
    Ok(Answer::Data(shown(call, id, place, error)))
}

fn shown(call: &Call<'_>, ticket: TicketId, place: u64, error: &ErrorTicket) -> Value {
    let ids = &call.api.ids;
    let of = |kind: Kind| -> Value {
        let values = error
            .values
            .iter()
            .filter(|value| crate::asked::exact(value).is_ok_and(|item| item.kind() == kind));
        values.cloned().collect()
    };
    let at = time(shield::order::Moment(error.at_ms));
    let by =
        (call.known.caller == Caller::Internal).then(|| ids.of_name(Sort::Organisation, &error.by));
    json!({
        "ticket_error_id": ids.of_number(Sort::Error, ticket.0 * PLACES + place),
        "ticket_id": ids.of_number(Sort::Ticket, ticket.0),
        "fqdn": of(Kind::Fqdn), "ipv4": of(Kind::Ipv4), "ipv6": of(Kind::Ipv6),
        "metadata": {"created_at": at, "created_by": by},
    })
}

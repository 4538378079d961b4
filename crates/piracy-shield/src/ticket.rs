//! Tickets: reported, shown, taken back.

use std::sync::Arc;

use desk::clearing::{Ask, HandedIn, House};
use desk::parties::{PartyRole, Sector};
use serde_json::{Value, json};
use shield::feed::Gates;
use shield::item::Kind;
use shield::order::command::Submission;
use shield::order::words::{EventId, Grounds, Organisation};
use shield::order::{Audience, Command, Deed, ItemId, Moment, Order, Stage, State, TicketId};

use crate::answer::{Answer, Outcome};
use crate::asked::Asked;
use crate::call::{Call, REVIEWERS, failed, refused, time};
use crate::codes::{
    ASSIGNED_TO_UNKNOWN, DDA_ID_NON_VALID, DDA_ID_UNKNOWN, Fault, GENERIC, NON_VALID_PARAMETERS,
    REVOKE_TIME_EXCEEDED, TICKET_GENERIC, TICKET_NO_DATA,
};
use crate::ids::Sort;
use crate::kept::{Kept, values};
use crate::route::Caller;
use crate::seen::{Piece, Seen, seen_by};

/// The most tickets that one answer lists: the newest.
pub(crate) const MAX_LISTED: usize = 1_000;
/// The most items that one answer lists, of all its tickets.
pub(crate) const MAX_LISTED_ITEMS: usize = 20_000;
/// An event that begins within so long is the one that a ticket is of, where none is on.
const AHEAD_MS: u64 = 86_400_000;

/// Takes a ticket. Nothing of it leaves before a probe of ours captured the item and the check looked at it.
pub(crate) fn create(call: &Call<'_>) -> Outcome {
    let actor = call.actor(&[PartyRole::Reporter])?;
    let asked = Asked::read(&call.body)?;
    let isps = audience(call, &asked)?;
    let (own, ids, dda) = (actor.organisation.clone(), call.api.ids.clone(), asked.dda_id.clone());
    let request = String::from_utf8(call.raw.to_vec()).map_err(|_| NON_VALID_PARAMETERS)?;
    let items: Vec<String> = asked.lines.iter().map(|line| line.text.clone()).collect();
    let stager = call.api.look(|house| house.case().stager())?;
    let staged = stager.reader(&mut request.as_bytes()).map_err(|e| failed(e.into()))?;
    let submit =
        move |house: &mut House| -> Result<Result<(TicketId, Kept, bool), Fault>, desk::Error> {
            let now = house.now();
            let known = |order: &&Order| {
                order.reporter == own
                    && (ids.of_name(Sort::Order, order.id.as_str()) == dda
                        || order.id.as_str() == dda)
            };
            let Some(order) = house.state().orders().find(known) else {
                return Ok(Err(DDA_ID_UNKNOWN.into()));
            };
            if now < order.from || now >= order.until {
                return Ok(Err(DDA_ID_NON_VALID.into()));
            }
            let submission = Submission {
                order: order.id.clone(),
                event: event_of(house.state(), order, now),
                works: order.rights.to_vec(),
                items,
                audience: isps,
                until: None,
                case: None,
            };
            let ask = Ask { actor: actor.clone(), command: Command::Submit(submission) };
            let done = match house.act(&[ask])?.pop() {
                Some(Ok(done)) => done,
                Some(Err(shield::order::Refusal::NoItems)) => {
                    return Ok(Err(TICKET_NO_DATA.into()));
                }
                Some(Err(refusal)) => return Ok(Err(refused(&refusal, TICKET_GENERIC))),
                None => return Ok(Err(GENERIC.into())),
            };
            let taken = done.steps.iter().find_map(|step| match &step.deed {
                Deed::Submitted(ticket) => Some(ticket),
                _ => None,
            });
            let Some(ticket) = taken else { return Ok(Err(GENERIC.into())) };
            let left_out =
                ticket.left_out.iter().map(|left| (left.line, left.why.word().to_owned()));
            let kept =
                Kept { request, left_out: left_out.collect(), archive: None, errors: Vec::new() };
            let name = format!("piracy-shield-ticket-{}.json", ticket.id);
            house
                .receive(&actor, HandedIn { staged, name, of: format!("ticket {}", ticket.id) })?;
            Ok(Ok((ticket.id, kept, done.alone || house.is_alone())))
        };
    let (id, kept, alone) = call.api.look(submit)?.map_err(failed)??;
    call.noted(alone);
    call.api.shelf.put(id, &kept).map_err(failed)?;
    let left = kept.left_out.len();
    let beside = if left == 0 {
        String::new()
    } else {
        format!(" {left} of its values are no items: see its lists.")
    };
    let note = format!(
        "Taken. It can be taken back for {} seconds.{beside}",
        call.api.times.revoke_ms / 1_000
    );
    Ok(Answer::Noted(json!({"ticket_id": call.api.ids.of_number(Sort::Ticket, id.0)}), note))
}

/// The event that a ticket is of, which the wire does not name: of the order's events that are on the one that
/// ends last, else the next that begins within a day. Where there is none, the order blocks sites.
fn event_of(state: &State, order: &Order, now: Moment) -> Option<EventId> {
    let events = || state.events().map(|announced| &announced.event);
    let own = || events().filter(|event| event.order == order.id && now < event.until);
    let on = own().filter(|event| event.from <= now).max_by_key(|event| event.until);
    let next =
        || own().filter(|event| event.from <= now.plus(AHEAD_MS)).min_by_key(|event| event.from);
    on.or_else(next).map(|event| event.id.clone())
}

/// Whom a ticket is addressed to: ISPs by their identifier here, or their short name.
fn audience(call: &Call<'_>, asked: &Asked) -> Result<Audience, Fault> {
    if asked.assigned_to.is_empty() {
        return Ok(Audience::All);
    }
    let ids = &call.api.ids;
    let isps: Vec<String> = call.api.access.register(|register| {
        let isps = register.organisations().filter(|(_, of)| of.sector == Sector::Isp);
        isps.map(|(short, _)| short.to_owned()).collect()
    });
    let by_id: std::collections::BTreeMap<String, &String> =
        isps.iter().map(|isp| (ids.of_name(Sort::Organisation, isp), isp)).collect();
    let named = asked.assigned_to.iter().map(|text| {
        let found = by_id.get(text).copied().or_else(|| isps.iter().find(|isp| *isp == text));
        found
            .and_then(|isp| Organisation::new(isp))
            .ok_or_else(|| Fault::of(ASSIGNED_TO_UNKNOWN, format!("{text:?} is no provider")))
    });
    Ok(Audience::Only(named.collect::<Result<Vec<_>, _>>()?.into()))
}

/// One ticket.
pub(crate) fn get(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    Ok(Answer::Data(shown(call, &ticket, true)))
}

/// The newest tickets that who asks may see.
pub(crate) fn all(call: &Call<'_>) -> Outcome {
    let own = call.known.who.organisation().and_then(Organisation::new);
    let times = call.api.times;
    let by_reporter = call.known.caller == Caller::Reporter;
    let look = move |house: &mut House| {
        let state = house.state();
        let of_all = (0..state.tickets()).rev().map(TicketId);
        let of_own = own.as_ref().map(|own| state.tickets_of(own)).unwrap_or_default();
        let ids: Box<dyn Iterator<Item = TicketId>> =
            if by_reporter { Box::new(of_own.iter().rev().copied()) } else { Box::new(of_all) };
        let (mut all, mut items) = (Vec::new(), 0);
        let gates = Arc::new(Gates::of(state));
        for id in ids.take(MAX_LISTED) {
            let Some(ticket) = seen_by(house, id, times, &gates) else { continue };
            items += ticket.ticket.len();
            if items > MAX_LISTED_ITEMS && !all.is_empty() {
                break;
            }
            all.push(ticket);
        }
        all
    };
    let all = call.api.look(look)?;
    let shown: Vec<Value> = all
        .iter()
        .filter(|ticket| call.may_see(ticket))
        .map(|ticket| shown(call, ticket, false))
        .collect();
    Ok(Answer::Data(shown.into()))
}

/// How many tickets there are that who asks may see.
pub(crate) fn total(call: &Call<'_>) -> Outcome {
    let own = match call.known.caller {
        Caller::Reporter => Some(call.own()?),
        _ => None,
    };
    let count = call.api.look(move |house| match own {
        Some(own) => house.state().tickets_of(&own).len() as u64,
        None => house.state().tickets(),
    })?;
    Ok(Answer::Data(count.into()))
}

/// Takes a ticket back, within its time: each of its items ends. What was decided, sealed and logged stays.
pub(crate) fn remove(call: &Call<'_>) -> Outcome {
    let ticket = call.ticket()?;
    if !ticket.is_revocable() {
        return Err(REVOKE_TIME_EXCEEDED.into());
    }
    let offices =
        if call.known.caller == Caller::Reporter { &[PartyRole::Reporter][..] } else { REVIEWERS };
    let actor = call.actor(offices)?;
    let grounds = Grounds::new("taken back within the time to do so").ok_or(GENERIC)?;
    let commands = ticket.pieces.iter().map(|piece| end(piece, &grounds)).collect();
    // What ended meanwhile is what was asked for.
    for answer in call.act(&actor, commands)? {
        if let Err(refusal) = answer
            && !matches!(
                refusal,
                shield::order::Refusal::Ended { .. } | shield::order::Refusal::NoItem { .. }
            )
        {
            return Err(refused(&refusal, TICKET_GENERIC));
        }
    }
    Ok(Answer::Done)
}

/// What ends an item, wherever it stands.
pub(crate) fn end(piece: &Piece, grounds: &Grounds) -> Command {
    let (item, grounds): (ItemId, Grounds) = (piece.item, grounds.clone());
    match piece.stage {
        Stage::InForce | Stage::Suspended => Command::Lift { item, collateral: None, grounds },
        _ => Command::Refuse { item, grounds },
    }
}

/// A ticket as who asks sees it: an ISP what it blocks of it; others what was asked for.
fn shown(call: &Call<'_>, ticket: &Seen, one: bool) -> Value {
    let ids = &call.api.ids;
    let mut document = json!({
        "ticket_id": ids.of_number(Sort::Ticket, ticket.id.0),
        "status": ticket.status(),
        "metadata": {"created_at": time(ticket.ticket.at)},
    });
    let mut put = |name: &str, value: Value| {
        if let Some(fields) = document.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    };
    let kinds = [("fqdn", Kind::Fqdn), ("ipv4", Kind::Ipv4), ("ipv6", Kind::Ipv6)];
    if call.known.caller == Caller::Provider {
        let isp = call.own().ok();
        for (name, kind) in kinds {
            let out = isp
                .iter()
                .flat_map(|isp| ticket.out_for(isp))
                .filter(|piece| piece.value.kind() == kind);
            put(name, out.map(|piece| piece.value.to_string()).collect());
        }
        return document;
    }
    let asked = call.api.shelf.get(ticket.id).and_then(|kept| kept.asked());
    for (name, kind) in kinds {
        let live = || ticket.values(kind).collect();
        put(name, asked.as_ref().map_or_else(live, |asked| values(asked, kind)).into());
    }
    put("description", asked.and_then(|asked| asked.description).into());
    let times = call.api.times;
    let settings = json!({
        "revoke_time": times.revoke_ms / 1_000, "autoclose_time": times.close_ms / 1_000,
        "report_error_time": times.error_ms / 1_000,
    });
    put("settings", settings);
    if one {
        put("dda_id", ids.of_name(Sort::Order, ticket.ticket.order.as_str()).into());
    }
    if call.known.caller == Caller::Internal {
        let names = call.api.access.register(|register| {
            let name = |short: &str| register.organisation(short).map(|of| of.name.clone());
            let isps: Vec<Value> = match &ticket.ticket.audience {
                Audience::All => Vec::new(),
                Audience::Only(isps) => isps
                    .iter()
                    .map(|isp| json!({"account_id": ids.of_name(Sort::Organisation, isp.as_str()), "name": name(isp.as_str())}))
                    .collect(),
            };
            (isps, name(ticket.ticket.reporter.as_str()))
        });
        put("assigned_to", names.0.into());
        put(
            "metadata",
            json!({
                "created_at": time(ticket.ticket.at), "updated_at": time(ticket.ticket.at),
                "created_by": ids.of_name(Sort::Organisation, ticket.ticket.reporter.as_str()),
                "created_by_name": names.1,
            }),
        );
        put("tasks", Value::Array(Vec::new()));
    }
    document
}

//! What the clearing house's log says, for who asks: read without a lock, as it stood at one moment.

use std::io::Write;
use std::path::Path;

use desk::clearing::door::Place;
use desk::clearing::notice::outbox;
use desk::clearing::read::{Log, Taken};
use desk::clearing::{House, Standing};
use model::record::time_text;
use model::{ExhibitId, Sha256Hex};
use serde_json::{Value, json};
use shield::feed::row;
use shield::order::step::{Deed, NoItem};
use shield::order::{Halt, ItemId, Machine, Moment, Scope, State, TicketId};

use super::{ticket_of, value_of};
use crate::cli::clearing::Clearing;
use crate::commands::{counted, home_dir, plain, told};
use crate::error::Told;

/// What the log comes to. That all of it had to be applied, whatever is kept, is said.
pub(super) fn read(home: Option<&Path>, dir: &Path) -> Result<Standing, Told> {
    let home = home_dir(home).ok();
    let (standing, started) = House::read(dir, home.as_deref()).map_err(told(dir))?;
    if let Some(why) = &started.refused {
        let applied = counted(started.applied, "record");
        say!(
            std::io::stderr(),
            "kept/state, from which this would have been read sooner, is of no use: {}. All of the log was \
             applied ({applied}); the house makes it anew",
            plain(why)
        )?;
    }
    Ok(standing)
}

/// Says what was decided, a line each.
pub(super) fn deeds(out: &mut impl Write, deeds: &[Deed]) -> std::io::Result<()> {
    if deeds.is_empty() {
        return say!(out, "It was so already: nothing had to be decided.");
    }
    if let Some(ticket) = ticket_of(deeds) {
        let items = counted(ticket.items.len() as u64, "item");
        say!(out, "Ticket {}: {items}. The probe captures next.", ticket.id)?;
        for (place, asked) in ticket.items.iter().enumerate() {
            let written = asked.as_written.as_deref().map(|text| format!(" ({})", plain(text)));
            say!(out, "  {}/{place}  {}{}", ticket.id, asked.value, written.unwrap_or_default())?;
        }
        for left in &ticket.left_out {
            let why = match &left.why {
                NoItem::Bad(bad) => bad.to_string(),
                NoItem::Duplicate { of } => format!("the same as line {}", of + 1),
                NoItem::Excepted => "an approved exception covers it".to_owned(),
                NoItem::WantedEnough => "as many live items as may want it already".to_owned(),
            };
            say!(out, "  line {} is left out: {why}", left.line + 1)?;
        }
        return Ok(());
    }
    for deed in deeds {
        match deed {
            Deed::Turned { item, .. } => say!(out, "{item}  {}", deed.word())?,
            Deed::Objected { item, proof, due } => {
                let proof = proof.to_string();
                let due = time_text(due.0);
                let short = proof.get(..10).unwrap_or(&proof);
                say!(out, "{item}  objected, proof {short}; a reviewer decides by {due}")?;
            }
            _ => say!(out, "{}", deed.word().replace('_', " "))?,
        }
    }
    Ok(())
}

/// What has to be put where, before an objection counts.
pub(super) fn challenge(
    out: &mut impl Write,
    token: &str,
    until: Moment,
    places: &[Place],
    asked: &Clearing,
) -> std::io::Result<()> {
    say!(out, "Nothing is decided yet: show that you control it. Put this text")?;
    say!(out, "  {token}")?;
    say!(out, "in any one of these places, by {}:", time_text(until.0))?;
    for place in places {
        let how = match place.way.as_str() {
            "file" => "a file with this text alone at",
            _ => "a TXT record of its own at",
        };
        say!(out, "  {how} {}", plain(&place.at))?;
    }
    if let Clearing::Object { value, statement, acting, .. } = asked {
        let (value, person) = (desk::shell::quoted(value), desk::shell::quoted(&acting.person));
        let statement = desk::shell::quoted_path(statement);
        say!(
            out,
            "Then: vigie shield object {value} --statement {statement} --token {token} --as {person}"
        )?;
    }
    say!(out, "Who cannot put it anywhere reports harm instead: vigie shield harm")
}

/// Every ticket.
pub(super) fn tickets(home: Option<&Path>, dir: &Path, json: bool) -> Result<(), Told> {
    let standing = read(home, dir)?;
    let state = &standing.state;
    let mut out = std::io::stdout().lock();
    if state.tickets() == 0 && !json {
        say!(out, "No ticket yet: `vigie shield report` makes one.")?;
    }
    for id in (0..state.tickets()).map(TicketId) {
        let Some(ticket) = state.ticket(id) else { continue };
        let event = ticket.event.as_ref().map(ToString::to_string);
        if json {
            let document = json!({
                "ticket": id.0, "stage": ticket.stage().word(), "reporter": ticket.reporter.as_str(),
                "order": ticket.order.as_str(), "event": event, "at": time_text(ticket.at.0),
                "items": ticket.len(),
            });
            writeln!(out, "{document}")?;
        } else {
            say!(
                out,
                "{id:>6}  {:<9}  {}  {:>5} {}  {}",
                ticket.stage().word(),
                time_text(ticket.at.0),
                ticket.len(),
                if ticket.len() == 1 { "item " } else { "items" },
                plain(&format!(
                    "{} under {}{}",
                    ticket.reporter,
                    ticket.order,
                    event.map(|event| format!(", {event}")).unwrap_or_default()
                ))
            )?;
        }
    }
    Ok(())
}

/// One ticket with its items.
pub(super) fn ticket(
    home: Option<&Path>,
    dir: &Path,
    id: TicketId,
    as_json: bool,
) -> Result<(), Told> {
    let standing = read(home, dir)?;
    let state = &standing.state;
    let Some(ticket) = state.ticket(id) else {
        return Err(Told::Misuse(format!(
            "there is no ticket {id}: `vigie shield tickets` lists them"
        )));
    };
    let places = u16::try_from(ticket.len()).unwrap_or(u16::MAX);
    let items: Vec<Value> = (0..places).map(|place| item(&standing, id, place)).collect();
    let taken = taken(dir, id, standing.first_record(id))?;
    let case = taken.as_ref().and_then(|taken| taken.ticket.case.as_ref());
    let mut out = std::io::stdout().lock();
    if as_json {
        let document = json!({
            "ticket": id.0, "stage": ticket.stage().word(), "reporter": ticket.reporter.as_str(),
            "person": ticket.person.as_str(), "order": ticket.order.as_str(),
            "event": ticket.event.as_ref().map(|event| event.as_str().to_owned()),
            "at": time_text(ticket.at.0), "items": items,
            "taken": taken.as_ref().map(|taken| taken.at.to_string()),
            "case": case.map(ToString::to_string),
        });
        writeln!(out, "{document}")?;
        return Ok(());
    }
    say!(
        out,
        "Ticket {id}, {}: {} reported at {}.",
        ticket.stage().word().replace('_', " "),
        plain(ticket.reporter.as_str()),
        time_text(ticket.at.0)
    )?;
    if let Some(taken) = &taken {
        say!(out, "  taken by {}", taken.at)?;
    }
    if let Some(case) = case {
        say!(out, "  the reporter names {case}")?;
    }
    for item in items {
        let text = |name: &str| item.get(name).and_then(Value::as_str).map(plain);
        let mut line = format!(
            "  {}  {:<9}  {}",
            text("item").unwrap_or_default(),
            text("stage").unwrap_or_default(),
            text("value").or_else(|| text("ended")).unwrap_or_default()
        );
        for (name, before) in [("holds", "held by"), ("capture", "capture"), ("expires", "until")] {
            if let Some(text) = text(name) {
                line.push_str(&format!("; {before} {text}"));
            }
        }
        say!(out, "{line}")?;
        for proof in item.get("objections").and_then(Value::as_array).into_iter().flatten() {
            say!(out, "        objection, proof {}", plain(proof.as_str().unwrap_or_default()))?;
        }
    }
    Ok(())
}

/// How a ticket was taken, where that record is still followed and says so.
pub(super) fn taken(dir: &Path, id: TicketId, record: Option<u64>) -> Result<Option<Taken>, Told> {
    let Some(record) = record else { return Ok(None) };
    Log::open(dir).and_then(|log| log.taken(record, id)).map_err(told(dir))
}

fn item(standing: &Standing, id: TicketId, place: u16) -> Value {
    let (state, item) = (&standing.state, ItemId::new(id, place));
    let Some(live) = state.item(item) else {
        let end = state.ticket(id).and_then(|ticket| ticket.end(place)).map(|end| end.word());
        return json!({"item": item.to_string(), "stage": "ended", "ended": end});
    };
    let mut document = json!({
        "item": item.to_string(), "stage": live.machine.stage().word(),
        "value": live.value.to_string(), "kind": live.value.kind().word(),
    });
    let mut put = |name: &str, value: Value| {
        if let Some(map) = document.as_object_mut() {
            map.insert(name.to_owned(), value);
        }
    };
    if let Some(evidence) = live.machine.evidence() {
        put("capture", evidence.exhibit.to_string().into());
        put("taken", time_text(evidence.taken.0).into());
    }
    if let Machine::Held(held) = &live.machine {
        let check = held.outcome.as_ref().filter(|outcome| !outcome.holds().is_none());
        let words = held.pending.holds.words().chain(check.and_then(|outcome| outcome.code));
        put("holds", words.collect::<Vec<_>>().join(", ").into());
        put("since", time_text(held.since.0).into());
    }
    if let Some(in_force) = live.machine.in_force() {
        put("since", time_text(in_force.since.0).into());
        put("expires", time_text(in_force.expires.0).into());
        put("capture", in_force.evidence.exhibit.to_string().into());
    }
    if let Some(proven) = standing.proven(item) {
        put("record", proven.record.into());
    }
    let open = state.objections(item).filter(|(_, objection)| objection.open);
    let open: Vec<Value> = open.map(|(proof, _)| proof.to_string().into()).collect();
    if !open.is_empty() {
        put("objections", open.into());
    }
    document
}

/// Whether values are blocked.
pub(super) fn look(
    home: Option<&Path>,
    dir: &Path,
    values: &[String],
    json: bool,
) -> Result<(), Told> {
    let standing = read(home, dir)?;
    let mut out = std::io::stdout().lock();
    for text in values {
        let document = looked(&standing.state, text)?;
        if json {
            writeln!(out, "{document}")?;
            continue;
        }
        let of = |name: &str| document.get(name).and_then(Value::as_str).map(plain);
        let value = of("value").unwrap_or_default();
        match (of("since"), of("expires"), of("order")) {
            (Some(since), Some(expires), Some(order)) => {
                let isps = document.get("isps").and_then(Value::as_array).into_iter().flatten();
                let isps: Vec<String> = isps.filter_map(Value::as_str).map(plain).collect();
                let by = if isps.is_empty() {
                    String::new()
                } else {
                    format!(" by {}", isps.join(", "))
                };
                say!(
                    out,
                    "{value} is blocked{by} since {since} until {expires}, under the order {order}."
                )?;
            }
            _ if document.get("stopped").is_some() => {
                say!(out, "{value} is not blocked: everything is stopped.")?;
            }
            _ => say!(out, "{value} is not blocked.")?,
        }
    }
    Ok(())
}

fn looked(state: &State, text: &str) -> Result<Value, Told> {
    let value = value_of(text)?;
    // A row knows stops of its tickets; the stop of everything stands above all rows.
    if state.stop(&Scope::All).is_some_and(|stop| stop.halt == Halt::Lifts) {
        return Ok(json!({"value": value.to_string(), "blocked": false, "stopped": true}));
    }
    let entry = row(state, &value.clone().into());
    let all = entry.as_ref().and_then(|row| row.for_all());
    let some: Vec<_> = entry.as_ref().into_iter().flat_map(|row| row.for_some()).collect();
    let named = some.iter().filter(|_| all.is_none());
    let isps: Vec<String> = named.map(|(isp, _)| isp.to_string()).collect();
    let longest = some.iter().map(|(_, entry)| *entry).max_by_key(|entry| entry.expires);
    let item = all.or(longest).map(|entry| entry.item);
    let live = item.and_then(|item| Some((item, state.item(item)?.machine.in_force()?)));
    let Some((item, in_force)) = live else {
        return Ok(json!({"value": value.to_string(), "blocked": false}));
    };
    let ticket = state.ticket(item.ticket());
    Ok(json!({
        "value": value.to_string(), "blocked": true, "item": item.to_string(),
        "since": time_text(in_force.since.0), "expires": time_text(in_force.expires.0),
        "order": ticket.map(|ticket| ticket.order.as_str().to_owned()),
        "code": in_force.outcome.code, "isps": isps,
    }))
}

/// The letters that wait.
pub(super) fn notices(dir: &Path, as_json: bool) -> Result<(), Told> {
    let (letters, odd) = outbox::all(dir).map_err(told(dir))?;
    let mut out = std::io::stdout().lock();
    if odd > 0 {
        say!(
            std::io::stderr(),
            "{} in the outbox could not be read.",
            counted(odd as u64, "letter")
        )?;
    }
    if letters.is_empty() && !as_json {
        say!(out, "No letter waits.")?;
    }
    for letter in letters {
        let file = letter.message(dir);
        if as_json {
            let document = json!({
                "item": letter.item.to_string(), "value": letter.value, "to": letter.to,
                "written": time_text(letter.written.0), "tries": letter.tries, "failed": letter.failed,
                "given_up": letter.is_given_up(), "sent": letter.sent.map(|at| time_text(at.0)),
                "file": letter.to.as_ref().map(|_| file.display().to_string()),
            });
            writeln!(out, "{document}")?;
            continue;
        }
        let whom = match &letter.to {
            Some(to) => format!("to {}, {}", plain(to), file.display()),
            None => "nobody is known who answers for it".to_owned(),
        };
        let failed = letter
            .failed
            .as_deref()
            .map(|why| format!("; tried {}: {}", counted(letter.tries.into(), "time"), plain(why)));
        let (item, value) = (letter.item, plain(&letter.value));
        let more = match (letter.sent, letter.is_given_up()) {
            (Some(_), _) => "; sent, and told once the standby is back",
            (None, true) => "; given up: send it yourself, then `vigie shield notice sent`",
            (None, false) => "",
        };
        say!(out, "{item}  {value}  {whom}{}{more}", failed.unwrap_or_default())?;
    }
    Ok(())
}

/// The figures.
pub(super) fn policy(home: Option<&Path>, dir: &Path, as_json: bool) -> Result<(), Told> {
    let standing = read(home, dir)?;
    let mut out = std::io::stdout().lock();
    if as_json {
        let map = standing.policy.list().into_iter();
        let map: serde_json::Map<_, _> =
            map.map(|(n, value, _)| (n.to_owned(), value.into())).collect();
        writeln!(out, "{}", Value::Object(map))?;
        return Ok(());
    }
    for (name, value, unit) in standing.policy.list() {
        say!(out, "{name:<22} {value:>13} {unit}")?;
    }
    Ok(())
}

/// The capture that an item rests on, where its hash begins so.
pub(super) fn captured(
    home: Option<&Path>,
    dir: &Path,
    item: ItemId,
    begin: &str,
) -> Result<ExhibitId, Told> {
    let standing = read(home, dir)?;
    let begin = begin.to_ascii_lowercase();
    let machine = standing.state.item(item).map(|live| &live.machine);
    let before = machine.and_then(Machine::evidence);
    let since = machine.and_then(Machine::in_force).map(|in_force| &in_force.evidence);
    let evidence = before.or(since).map(|evidence| evidence.exhibit);
    let Some(exhibit) = evidence else {
        return Err(Told::Misuse(format!(
            "item {item} rests on no capture now: `vigie shield ticket {}` shows how it stands",
            item.ticket()
        )));
    };
    if begin.len() >= 8 && exhibit.to_string().starts_with(&begin) {
        return Ok(exhibit);
    }
    Err(Told::Misuse(format!(
        "item {item} rests on the capture {exhibit}: look at that one, and give 8 of its digits or more"
    )))
}

/// The open objection to an item whose proof's hash begins so.
pub(super) fn objected(
    home: Option<&Path>,
    dir: &Path,
    item: ItemId,
    begin: &str,
) -> Result<Sha256Hex, Told> {
    let standing = read(home, dir)?;
    let begin = begin.to_ascii_lowercase();
    let mut open = standing.state.objections(item).filter(|(proof, objection)| {
        objection.open && begin.len() >= 8 && proof.to_string().starts_with(&begin)
    });
    match (open.next(), open.next()) {
        (Some((proof, _)), None) => Ok(*proof),
        _ => Err(Told::Misuse(format!(
            "no one open objection to item {item} has a proof whose hash begins so: `vigie shield ticket {}` \
             shows them; give 8 of its digits or more",
            item.ticket()
        ))),
    }
}

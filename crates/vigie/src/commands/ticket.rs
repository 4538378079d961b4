//! `vigie ticket`: what a case led to at a clearing house.

use std::io::Write;
use std::path::Path;

use desk::clearing::read::Log;
use desk::read::{Reader, Snapshot};
use desk::tickets::{self, MAX_TICKETS, Reported, Stands};
use model::ExhibitId;
use model::record::TicketReported;
use serde_json::json;

use super::open::watched;
use super::{counted, no_exhibit, place, plain, told};
use crate::cli::ticket::Ticket;
use crate::error::Told;

/// Records, lists, checks; [`Told::Finding`] where a check finds something.
pub(crate) fn run(home: Option<&Path>, words: &Ticket) -> Result<(), Told> {
    match words {
        Ticket::Add { case, ticket, at, item, exhibit, named, note, json } => {
            let body = TicketReported {
                house: at.clone(),
                ticket: *ticket,
                item: item.clone(),
                exhibit: exhibit_of(exhibit.as_deref())?,
                named: *named,
                note: note.clone(),
            };
            add(home, &case.case, body, *json)
        }
        Ticket::List { case, exhibit, json } => {
            list(&case.case, exhibit_of(exhibit.as_deref())?, *json)
        }
        Ticket::Check { case, shield, json } => check(&case.case, shield, *json),
    }
}

fn exhibit_of(text: Option<&str>) -> Result<Option<ExhibitId>, Told> {
    text.map(|text| text.parse().map_err(no_exhibit)).transpose()
}

fn add(home: Option<&Path>, case: &Path, body: TicketReported, as_json: bool) -> Result<(), Told> {
    let place = place(home, case, "vigie ticket add")?;
    let said = format!("ticket {} of {}", body.ticket, plain(body.house.log()));
    let command = desk::Command::Ticket(Box::new(body));
    let (records, _) = watched(case, |work| desk::recorded(&place, &command, work))?;
    if as_json {
        let record = (!records.is_empty()).then_some(records.start);
        return Ok(writeln!(std::io::stdout(), "{}", json!({ "record": record }))?);
    }
    super::custody::said(records, &said)
}

fn snapshot(case: &Path) -> Result<Snapshot, Told> {
    Reader::open(case).and_then(|r| r.snapshot()).map_err(told(case))
}

/// All of them, a look at a time.
fn each(
    case: &Path,
    of: Option<ExhibitId>,
    mut does: impl FnMut(&Reported) -> Result<(), Told>,
) -> Result<u64, Told> {
    let snapshot = snapshot(case)?;
    let (mut before, mut count) = (None, 0);
    loop {
        let some = snapshot.tickets(of.as_ref(), before, MAX_TICKETS).map_err(told(case))?;
        for reported in &some {
            does(reported)?;
        }
        count += some.len() as u64;
        match some.last() {
            Some(last) => before = Some(last.record),
            None => return Ok(count),
        }
    }
}

fn list(case: &Path, of: Option<ExhibitId>, as_json: bool) -> Result<(), Told> {
    let mut out = std::io::stdout().lock();
    let count = each(case, of, |reported| {
        if as_json {
            return Ok(writeln!(out, "{}", reported.to_json())?);
        }
        let body = &reported.body;
        writeln!(
            out,
            "ticket {} of {}  record {}",
            body.ticket,
            plain(body.house.log()),
            reported.record
        )?;
        let actor = reported.actor.as_deref().map(|actor| format!(", {}", plain(actor)));
        writeln!(out, "    {}{}", reported.time, actor.unwrap_or_default())?;
        writeln!(out, "    {}", body.house)?;
        if reported.hidden {
            return Ok(writeln!(out, "    withheld: the exhibit is privileged")?);
        }
        for (what, text) in [("item", &body.item), ("note", &body.note)] {
            if let Some(text) = text {
                writeln!(out, "    {what}     {}", plain(text))?;
            }
        }
        if let Some(id) = body.exhibit {
            writeln!(out, "    exhibit  {id}")?;
        }
        if let Some(named) = body.named {
            writeln!(out, "    it names record {named} of this case")?;
        }
        Ok(())
    })?;
    if count == 0 && !as_json {
        say!(out, "No ticket is recorded: `vigie ticket add` does.")?;
    }
    Ok(out.flush()?)
}

fn check(case: &Path, shield: &Path, as_json: bool) -> Result<(), Told> {
    let house = Log::open(shield).map_err(told(shield))?;
    let mut out = std::io::stdout().lock();
    let (mut wrong, mut elsewhere) = (0_u64, 0_u64);
    let count = each(case, None, |reported| {
        let stands = tickets::check(case, &house, &reported.body).map_err(told(case))?;
        match stands {
            Stands::AnotherLog => elsewhere += 1,
            _ => wrong += u64::from(!stands.is_well()),
        }
        let body = &reported.body;
        if as_json {
            let line = json!({
                "record": reported.record, "ticket": body.ticket, "house": body.house.to_string(),
                "stands": stands.word(),
            });
            return Ok(writeln!(out, "{line}")?);
        }
        let said = match stands {
            Stands::Holds => "holds; it names no case",
            Stands::Both => "holds, and it names a record of this case, which is there",
            Stands::Elsewhere => "holds; it names another case",
            Stands::AnotherLog => "is of another clearing house",
            Stands::NotThere => "WRONG: that log has no such record",
            Stands::AnotherTicket => "WRONG: that record took no such ticket, or was erased",
            Stands::AnotherItem => "WRONG: that ticket has no such item",
            Stands::AnotherRecord => "WRONG: that ticket names no such record of this case",
        };
        Ok(say!(out, "record {}, ticket {}: {said}", reported.record, body.ticket)?)
    })?;
    if !as_json {
        let of = counted(count, "ticket");
        say!(out, "{of}: {wrong} wrong, {elsewhere} of other clearing houses.")?;
    }
    out.flush()?;
    if wrong > 0 { Err(Told::Finding) } else { Ok(()) }
}

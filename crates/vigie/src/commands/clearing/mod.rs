//! The clearing house's words: each becomes one command, asked at its door.

mod elsewhere;
mod measured;
mod moving;
mod opened;
mod probes;
mod rotate;
pub(crate) mod serve;
mod show;
pub(crate) mod standby;
mod stop_file;
mod web;
mod witnesses;
mod zones;

use std::io::{BufRead, Write};
use std::path::Path;

use desk::clearing::door::{self, Reply, Request};
use desk::clearing::statement;
use desk::clearing::{House, HouseAct};
use desk::parties::{PartyRole, Register};
use serde_json::json;
use shield::Item;
use shield::order::command::{Command, Event, Order, Submission, Upheld};
use shield::order::words::{Channel, EventId, Grounds, OrderId, Organisation, Right};
use shield::order::{Audience, Deed, Halt, ItemId, Moment, Scope, TicketId};

use super::{home_dir, place, read_bytes, told};
use crate::cli::clearing::{Acting, Clearing, NoticeWords};
use crate::error::Told;

/// Runs one of the words.
pub(crate) fn run(home: Option<&Path>, words: &Clearing) -> Result<(), Told> {
    match words {
        Clearing::Init { dir } => {
            House::create(&place(home, dir, "vigie shield init")?).map_err(told(dir))?;
            say!(
                std::io::stdout(),
                "The clearing house is in {}. `vigie serve --shield {}` runs it.",
                dir.display(),
                desk::shell::quoted_path(dir)
            )?;
            Ok(())
        }
        Clearing::StopFile(words) => stop_file::run(home, words),
        Clearing::RotateKey { grounds, acting } => rotate::run(home, grounds, acting),
        Clearing::Notice(NoticeWords::List { of, json }) => show::notices(&of.shield, *json),
        Clearing::Notice(NoticeWords::Sent { item, to, acting }) => {
            let act = HouseAct::NoticeSent {
                item: item_id(item)?,
                to: to.as_deref().map(because).transpose()?,
            };
            noted(ask(home, acting, |person, role| Request::of_house(person, role, act))?)?;
            if acting.json {
                return Ok(writeln!(std::io::stdout(), "{}", json!({"item": item, "sent": true}))?);
            }
            Ok(say!(std::io::stdout(), "{item}: silence counts from now.")?)
        }
        Clearing::Figure { figure, value, grounds, acting } => {
            let grounds = because(grounds)?;
            let act = HouseAct::Figure { figure: figure.clone(), value: *value, grounds };
            noted(ask(home, acting, |person, role| Request::of_house(person, role, act))?)?;
            if acting.json {
                return show::policy(home, &acting.of.shield, true);
            }
            say!(std::io::stdout(), "{figure} is {value} from here on.")?;
            Ok(())
        }
        Clearing::OrderEnd { .. } | Clearing::EventEnd { .. } => end_all(home, words),
        Clearing::Tickets { of, json } => show::tickets(home, &of.shield, *json),
        Clearing::Ticket { ticket, of, json } => {
            show::ticket(home, &of.shield, TicketId(*ticket), *json)
        }
        Clearing::Opened { file, trust, json } => opened::run(file, trust.as_deref(), *json),
        Clearing::Look { values, of, json } => show::look(home, &of.shield, values, *json),
        Clearing::Measured { of_what, of, json } => {
            measured::run(home, &of.shield, of_what.as_deref(), *json)
        }
        Clearing::Policy { of, json } => show::policy(home, &of.shield, *json),
        Clearing::Witnesses { of, json } => witnesses::show(home, &of.shield, *json),
        Clearing::Standby(words) => standby::run(home, words),
        acting => act(home, acting),
    }
}

/// Asks the house for a person, in the office they have.
fn ask(
    home: Option<&Path>,
    acting: &Acting,
    request: impl FnOnce(String, String) -> Request,
) -> Result<Reply, Told> {
    let dir = &acting.of.shield;
    // Who has the log without a door is at its start, or its end: that is told, and not waited for.
    let at = desk::Place { wait: desk::Wait::Fail, ..place(home, dir, "vigie shield")? };
    let role = match &acting.role {
        Some(role) => role.clone(),
        None => only_role(&home_dir(home)?, &acting.person)?.word().to_owned(),
    };
    door::ask(&at, &request(acting.person.clone(), role)).map_err(told(dir))
}

/// Says that an act is durable here alone.
fn alone() -> Result<(), Told> {
    Ok(say!(std::io::stderr(), "{}", standby::ALONE)?)
}

/// That an act on the house itself was recorded.
fn noted(reply: Reply) -> Result<(), Told> {
    match reply {
        Reply::Refused { message, .. } | Reply::Misuse { message } => Err(Told::Misuse(message)),
        Reply::Failed { message } => Err(Told::Failure { what: message, next: None }),
        Reply::Done { alone: true, .. } | Reply::Recorded { alone: true } => alone(),
        _ => Ok(()),
    }
}

/// Ends an order or an event. What more than a thousand leave the clearing house lifts by itself.
fn end_all(home: Option<&Path>, words: &Clearing) -> Result<(), Told> {
    let (command, acting) = command(home, words)?;
    let reply = ask(home, acting, |person, role| Request::new(person, role, command))?;
    let Reply::Done { deeds, alone: here, left, .. } = reply else { return noted(reply) };
    let of = |deed: &Deed| matches!(deed, Deed::OrderEnded { .. } | Deed::EventEnded { .. });
    let ended = deeds.iter().any(of);
    let items = deeds.iter().filter(|deed| matches!(deed, Deed::Turned { .. })).count() as u64;
    let mut out = std::io::stdout();
    if acting.json {
        let mut document = json!({"ended": ended, "items": items, "left": left});
        if here {
            document["alone"] = true.into();
        }
        writeln!(out, "{document}")?;
        return Ok(());
    }
    let what = if matches!(words, Clearing::EventEnd { .. }) { "event" } else { "order" };
    let was = if ended { "has ended" } else { "had ended already" };
    let items = crate::commands::counted(items, "item");
    say!(out, "The {what} {was}: {items} lifted or refused.")?;
    if left > 0 {
        let left = crate::commands::counted(left, "item");
        say!(out, "The clearing house lifts what is left by itself: {left}.")?;
    }
    if here { alone() } else { Ok(()) }
}

fn act(home: Option<&Path>, words: &Clearing) -> Result<(), Told> {
    let (command, acting) = command(home, words)?;
    let (statement, token) = match words {
        Clearing::Object { statement, token, .. } => (Some(said(statement)?), token.clone()),
        _ => (None, None),
    };
    let reply = ask(home, acting, |person, role| Request {
        statement,
        token,
        ..Request::new(person, role, command)
    })?;
    let mut out = std::io::stdout();
    let failed = matches!(reply, Reply::Misuse { .. } | Reply::Failed { .. });
    // It is durable: that its record cannot be read at this moment makes no failure of it.
    let taken = match &reply {
        Reply::Done { deeds, record, .. } => ticket_of(deeds)
            .and_then(|ticket| show::taken(&acting.of.shield, ticket.id, *record).ok().flatten()),
        _ => None,
    };
    if acting.json && !failed {
        let mut document = json!(reply);
        if let Some(taken) = &taken {
            document["taken"] = taken.at.to_string().into();
        }
        writeln!(out, "{document}")?;
    }
    match reply {
        Reply::Done { deeds, alone, .. } if !acting.json => {
            show::deeds(&mut out, &deeds)?;
            if let Some(taken) = &taken {
                say!(out, "It was taken by {}", taken.at)?;
            }
            if alone {
                say!(std::io::stderr(), "{}", standby::ALONE)?;
            }
            Ok(())
        }
        Reply::Done { .. } | Reply::Recorded { .. } => Ok(()),
        Reply::Challenge { .. } if acting.json => Ok(()),
        Reply::Challenge { token, until, places } => {
            Ok(show::challenge(&mut out, &token, until, &places, words)?)
        }
        Reply::Unmet { message, .. } => Err(Told::Misuse(message)),
        // What the clearing house refuses was asked wrongly, or by the wrong one.
        Reply::Refused { message, .. } | Reply::Misuse { message } => Err(Told::Misuse(message)),
        Reply::Failed { message } => Err(Told::Failure { what: message, next: None }),
    }
}

/// What somebody says who objects.
fn said(path: &Path) -> Result<String, Told> {
    let bytes = read_bytes(path, statement::MAX_STATEMENT * 2)?;
    String::from_utf8(bytes).map_err(|_| {
        Told::Misuse(format!("{} is no text in UTF-8: say why in words", path.display()))
    })
}

/// The one office in which a person can act.
fn only_role(home: &Path, person: &str) -> Result<PartyRole, Told> {
    let register = Register::read(home).map_err(told(home))?;
    let now = i64::try_from(
        std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default()
            .as_millis(),
    );
    let roles = register.roles_at(person, now.unwrap_or(i64::MAX));
    let mut acting = roles.into_iter().filter(|role| role.acts_as().is_some());
    match (acting.next(), acting.next()) {
        (Some(role), None) => Ok(role),
        // Whoever is registered may speak as one of the public; nobody else is named by it.
        (None, _) => Ok(PartyRole::Public),
        (Some(one), Some(two)) => Err(Told::Misuse(format!(
            "{person} acts as {} and as {}: say in which office with --role",
            one.word(),
            two.word()
        ))),
    }
}

/// The command that words are, and who acts.
fn command<'a>(home: Option<&Path>, words: &'a Clearing) -> Result<(Command, &'a Acting), Told> {
    Ok(match words {
        Clearing::Order { order, reporter, rights, from, until, acting } => {
            let rights: Result<Vec<_>, _> =
                rights.iter().map(|right| name(right, Right::new)).collect();
            let order = Order {
                id: name(order, OrderId::new)?,
                reporter: name(reporter, Organisation::new)?,
                rights: rights?.into(),
                from: from.as_deref().map_or_else(|| Ok(now()), time)?,
                until: time(until)?,
            };
            (Command::GiveOrder(order), acting)
        }
        Clearing::Event { event, order, from, until, works, channels, acting } => {
            let works: Result<_, _> = works.iter().map(|work| name(work, Right::new)).collect();
            let channels: Result<_, _> =
                channels.iter().map(|channel| name(channel, Channel::new)).collect();
            let event = Event {
                id: name(event, EventId::new)?,
                order: name(order, OrderId::new)?,
                from: from.as_deref().map_or_else(|| Ok(now()), time)?,
                until: time(until)?,
                works: works?,
                channels: channels?,
            };
            (Command::Announce(event), acting)
        }
        Clearing::Extend { event, until, acting } => {
            (Command::Extend { event: name(event, EventId::new)?, until: time(until)? }, acting)
        }
        Clearing::Report { items, order, event, works, isps, until, case, acting } => {
            let works: Result<_, _> = works.iter().map(|work| name(work, Right::new)).collect();
            let isps: Result<Vec<_>, _> =
                isps.iter().map(|isp| name(isp, Organisation::new)).collect();
            let isps = isps?;
            let audience =
                if isps.is_empty() { Audience::All } else { Audience::Only(isps.into()) };
            let submission = Submission {
                order: name(order, OrderId::new)?,
                event: event.as_deref().map(|event| name(event, EventId::new)).transpose()?,
                works: works?,
                items: lines(items)?,
                audience,
                until: until.as_deref().map(time).transpose()?,
                case: case.clone().map(Box::new),
            };
            (Command::Submit(submission), acting)
        }
        Clearing::Approve { item, capture, grounds, acting } => {
            let item = item_id(item)?;
            let exhibit = show::captured(home, &acting.of.shield, item, capture)?;
            let grounds = grounds.as_deref().map(because).transpose()?;
            (Command::Approve { item, exhibit, grounds }, acting)
        }
        Clearing::Refuse { item, grounds, acting } => {
            (Command::Refuse { item: item_id(item)?, grounds: because(grounds)? }, acting)
        }
        Clearing::Lift { item, collateral, grave, grounds, acting } => {
            let collateral = collateral.then_some(*grave);
            let (item, grounds) = (item_id(item)?, because(grounds)?);
            (Command::Lift { item, collateral, grounds }, acting)
        }
        Clearing::Reinstate { item, grounds, acting } => {
            (Command::Reinstate { item: item_id(item)?, grounds: because(grounds)? }, acting)
        }
        Clearing::Object { value, statement, token: _, acting } => {
            let proof = statement::proof(&said(statement)?).map_err(told(statement))?;
            (Command::Object { value: value_of(value)?, proof }, acting)
        }
        Clearing::EventEnd { event, grounds, acting } => {
            let event = name(event, EventId::new)?;
            (Command::EndEvent { event, grounds: because(grounds)? }, acting)
        }
        Clearing::OrderEnd { order, grounds, acting } => {
            let order = name(order, OrderId::new)?;
            (Command::EndOrder { order, grounds: because(grounds)? }, acting)
        }
        Clearing::Harm { value, network, acting } => {
            (Command::ReportHarm { value: value_of(value)?, network: *network }, acting)
        }
        Clearing::Notice(NoticeWords::Answered { item, acts, acting }) => {
            (Command::HostAnswered { item: item_id(item)?, acts: *acts }, acting)
        }
        Clearing::Decide { item, proof, upheld, grounds, acting } => {
            let item = item_id(item)?;
            let proof = show::objected(home, &acting.of.shield, item, proof)?;
            let upheld = match upheld.as_str() {
                "item" => Upheld::Item,
                "collateral" => Upheld::Collateral,
                _ => Upheld::No,
            };
            (Command::Decide { item, proof, upheld, grounds: because(grounds)? }, acting)
        }
        Clearing::Except { cover, approve, revoke, grounds, until, acting } => {
            let cover = cover.parse().map_err(|e| Told::Misuse(format!("{cover:?}: {e}")))?;
            if *revoke {
                let grounds = because(grounds.as_deref().unwrap_or_default())?;
                (Command::RevokeException { cover, grounds }, acting)
            } else if *approve {
                (Command::ApproveException { cover }, acting)
            } else {
                let grounds = because(grounds.as_deref().unwrap_or_default())?;
                let until = until.as_deref().map(time).transpose()?;
                (Command::ProposeException { cover, until, grounds }, acting)
            }
        }
        Clearing::Stop { scope, lift, grounds, acting } => {
            let halt = if *lift { Halt::Lifts } else { Halt::Releases };
            let (scope, grounds) = (scope_of(scope)?, because(grounds)?);
            (Command::Stop { scope, halt, grounds }, acting)
        }
        Clearing::Resume { scope, grounds, acting } => {
            (Command::Resume { scope: scope_of(scope)?, grounds: because(grounds)? }, acting)
        }
        Clearing::Init { .. }
        | Clearing::Tickets { .. }
        | Clearing::Ticket { .. }
        | Clearing::Opened { .. }
        | Clearing::Look { .. }
        | Clearing::Standby(_)
        | Clearing::Figure { .. }
        | Clearing::StopFile(_)
        | Clearing::RotateKey { .. }
        | Clearing::Notice(NoticeWords::List { .. } | NoticeWords::Sent { .. })
        | Clearing::Measured { .. }
        | Clearing::Witnesses { .. }
        | Clearing::Policy { .. } => {
            return Err(Told::Misuse("that word asks, and decides nothing".to_owned()));
        }
    })
}

fn now() -> Moment {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let ms = since.unwrap_or_default().as_millis();
    Moment(i64::try_from(ms).unwrap_or(i64::MAX))
}

fn name<T>(text: &str, new: fn(&str) -> Option<T>) -> Result<T, Told> {
    new(text).ok_or_else(|| {
        Told::Misuse(format!("{text:?} is no name: 1 to 200 bytes, without control characters"))
    })
}

fn because(text: &str) -> Result<Grounds, Told> {
    Grounds::new(text).ok_or_else(|| {
        Told::Misuse("grounds are given in one line of at most 4,000 bytes (--grounds)".to_owned())
    })
}

fn time(text: &str) -> Result<Moment, Told> {
    let stamp = model::Stamp::parse_iso(text).filter(|stamp| stamp.offset_min.is_some());
    stamp.map(|stamp| Moment(stamp.utc_ms())).ok_or_else(|| {
        Told::Misuse(format!(
            "{text:?} is no moment: write ISO 8601 with its zone, such as 2026-11-29T19:30Z"
        ))
    })
}

fn value_of(text: &str) -> Result<Item, Told> {
    Item::parse(text).map_err(|bad| Told::Misuse(format!("{text:?} is no item: {bad}")))
}

fn item_id(text: &str) -> Result<ItemId, Told> {
    text.parse().map_err(|why| Told::Misuse(format!("{text:?} is no item: {why}")))
}

fn scope_of(text: &str) -> Result<Scope, Told> {
    text.parse().map_err(|why| Told::Misuse(format!("{text:?} stops nothing: {why}")))
}

/// The items of a report; `-` is stdin. Of too many the machine tells.
fn lines(items: &[String]) -> Result<Vec<String>, Told> {
    let mut all = Vec::new();
    for item in items {
        if item != "-" {
            all.push(item.clone());
            continue;
        }
        for (n, line) in (1..).zip(std::io::stdin().lock().lines()) {
            let line = line.map_err(|e| match e.kind() {
                std::io::ErrorKind::InvalidData => {
                    Told::Misuse(format!("line {n} of stdin is not UTF-8 text"))
                }
                _ => e.into(),
            })?;
            if !line.trim().is_empty() {
                all.push(line);
            }
            if all.len() > 100_000 {
                return Err(Told::Misuse("more lines than any ticket has".to_owned()));
            }
        }
    }
    Ok(all)
}

/// The ticket that was taken, where one was.
pub(super) fn ticket_of(deeds: &[Deed]) -> Option<&shield::order::step::Ticket> {
    deeds.iter().find_map(|deed| match deed {
        Deed::Submitted(ticket) => Some(ticket.as_ref()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_called_by_its_ticket_and_place() {
        assert_eq!(item_id("12/3").unwrap(), ItemId::new(TicketId(12), 3));
        for text in ["12", "12/", "/3", "12/1000", "-1/0", "99999999999999/0"] {
            assert!(item_id(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_can_be_stopped_is_named_by_its_kind() {
        assert_eq!(scope_of("all").unwrap(), Scope::All);
        assert_eq!(scope_of("ticket:12").unwrap(), Scope::Ticket(TicketId(12)));
        assert_eq!(scope_of("isp:isp-1").unwrap().word(), "isp");
        for text in ["", "everything", "ticket:x", "isp:", "person:vera"] {
            assert!(scope_of(text).is_err(), "{text}");
        }
    }
}

//! `vigie party`.

use std::io::Write;
use std::path::Path;

use desk::parties::{Act, Key, Person, Register, act};
use serde_json::json;

use super::{home_dir, place, plain, told};
use crate::cli::party::{By, Party};
use crate::error::Told;

/// Runs one of the words.
pub(crate) fn run(home: Option<&Path>, args: &Party) -> Result<(), Told> {
    let (what, by, said) = match args {
        Party::List { json } => return list(&home_dir(home)?, *json),
        Party::Invite { person, at, by } => return invite(home, person, at, by),
        Party::Sessions { end, reason, by } => {
            let asked = end.as_deref().zip(reason.as_deref());
            return sessions(home, asked, by);
        }
        Party::Add { organisation, name, sector, by } => (
            Act::Organisation {
                organisation: organisation.clone(),
                name: name.clone(),
                sector: sector.0,
            },
            by,
            format!("{organisation} is registered"),
        ),
        Party::Person { person, name, organisation, by } => (
            Act::Person {
                person: person.clone(),
                name: name.clone(),
                organisation: organisation.clone(),
            },
            by,
            format!("{person} is registered"),
        ),
        Party::Role { person, role, reason: Some(reason), by, .. } => (
            Act::Take { person: person.clone(), role: role.0, reason: reason.clone() },
            by,
            format!("{person} acts as {} no longer", role.0.word()),
        ),
        Party::Role { person, role, from, until, by, .. } => (
            Act::Give {
                person: person.clone(),
                role: role.0,
                from: from.clone(),
                until: until.clone(),
            },
            by,
            format!("{person} is given the role {}", role.0.word()),
        ),
        Party::Key { key, organisation, role, until, by } => (
            Act::Issue {
                key: key.clone(),
                organisation: organisation.clone(),
                role: role.0,
                until: until.clone(),
            },
            by,
            format!("{key} is issued"),
        ),
        Party::Revoke { key, reason, by } => (
            Act::Revoke { key: key.clone(), reason: reason.clone() },
            by,
            format!("{key} counts no longer"),
        ),
        Party::Suspend(args) => (
            Act::Suspend { party: args.party.clone(), reason: args.reason.clone() },
            &args.by,
            format!("{} is suspended", args.party),
        ),
        Party::Reinstate(args) => (
            Act::Reinstate { party: args.party.clone(), reason: args.reason.clone() },
            &args.by,
            format!("{} is reinstated", args.party),
        ),
        Party::Quota { organisation, per_minute, by } => (
            Act::Quota { organisation: organisation.clone(), per_minute: *per_minute },
            by,
            match per_minute {
                Some(n) => format!("{organisation} may make {n} requests a minute"),
                None => format!("{organisation} may make the usual number of requests"),
            },
        ),
    };
    change(home, &what, by, &said)
}

#[allow(clippy::print_stderr)]
fn change(home: Option<&Path>, what: &Act, by: &By, said: &str) -> Result<(), Told> {
    let place = place(home, Path::new(""), "vigie party")?;
    let who = by.by.as_deref().unwrap_or(&place.actor);
    let done = act(&place.home, who, &place.holder, what).map_err(told(&place.home))?;
    let mut out = std::io::stdout();
    if by.json {
        let document = json!({"record": done.record, "by": who, "secret": done.secret});
        writeln!(out, "{document}")?;
        return Ok(());
    }
    let told = match done.record {
        Some(record) => format!("{}: record {record} of the authority's log.", plain(said)),
        None => format!("{}. It was so already; nothing was recorded.", plain(said)),
    };
    match done.secret {
        // The secret alone on stdout: it goes into a file.
        Some(secret) => {
            eprintln!("{told} Its secret is shown this once:");
            writeln!(out, "{secret}")?;
        }
        None => writeln!(out, "{told}")?,
    }
    Ok(())
}

/// Prints the link alone on stdout: it goes to the person and to nobody else.
#[allow(clippy::print_stderr)]
fn invite(home: Option<&Path>, person: &str, at: &str, by: &By) -> Result<(), Told> {
    let place = place(home, Path::new(""), "vigie party invite")?;
    let at = at.trim_end_matches('/');
    if !(at.starts_with("https://") || at.starts_with("http://127.0.0.1")) {
        return Err(Told::Misuse(format!(
            "{at} is no place for a link that signs somebody in: https://HOST, or http://127.0.0.1:PORT \
             on this machine (--at)"
        )));
    }
    let who = by.by.as_deref().unwrap_or(&place.actor);
    let token = desk::account::invite(&place.home, who, person).map_err(told(&place.home))?;
    let link = format!("{at}/invite/{token}");
    let mut out = std::io::stdout();
    if by.json {
        writeln!(out, "{}", json!({"person": person, "by": who, "link": link}))?;
        return Ok(());
    }
    eprintln!("{} sets a password by this link, once, within three days:", plain(person));
    writeln!(out, "{link}")?;
    Ok(())
}

fn sessions(home: Option<&Path>, end: Option<(&str, &str)>, by: &By) -> Result<(), Told> {
    let place = place(home, Path::new(""), "vigie party sessions")?;
    let mut out = std::io::stdout().lock();
    if let Some((person, reason)) = end {
        let who = by.by.as_deref().unwrap_or(&place.actor);
        let ended = desk::account::end_sessions(&place.home, who, &place.holder, person, reason)
            .map_err(told(&place.home))?;
        if by.json {
            writeln!(out, "{}", json!({"person": person, "by": who, "ended": ended}))?;
        } else {
            let n = super::counted(ended as u64, "session");
            writeln!(out, "{n} of {} ended.", plain(person))?;
        }
        return Ok(());
    }
    let all = desk::account::list_sessions(&place.home).map_err(told(&place.home))?;
    let moment = model::record::time_text;
    for session in &all {
        if by.json {
            let roles: Vec<&str> = session.roles.iter().map(|role| role.word()).collect();
            let line = json!({
                "session": session.id, "person": session.person, "roles": roles,
                "begun": moment(session.begun_ms), "seen": moment(session.seen_ms),
                "by": session.by.word(), "browser": session.agent,
            });
            writeln!(out, "{line}")?;
        } else {
            let (begun, seen) = (moment(session.begun_ms), moment(session.seen_ms));
            writeln!(
                out,
                "{}  since {begun}, last used {seen}, by {}  {}",
                plain(&session.person),
                session.by.word(),
                plain(&session.agent)
            )?;
        }
    }
    if all.is_empty() && !by.json {
        writeln!(out, "Nobody is signed in.")?;
    }
    Ok(out.flush()?)
}

fn list(home: &Path, as_json: bool) -> Result<(), Told> {
    let register = Register::read(home).map_err(told(home))?;
    let mut out = std::io::stdout().lock();
    if register.is_empty() && !as_json {
        say!(out, "Nobody is registered: `vigie party add` registers an organisation.")?;
    }
    for (short, of) in register.organisations() {
        let quota = register.quota(short);
        if as_json {
            let line = json!({
                "organisation": short, "name": of.name, "sector": of.sector.word(),
                "per_minute": quota, "quota_given": of.per_minute.is_some(),
                "suspended": of.suspended, "record": of.record,
            });
            writeln!(out, "{line}")?;
        } else {
            let suspended = if of.suspended { "  SUSPENDED" } else { "" };
            let (name, sector) = (plain(&of.name), of.sector.word());
            writeln!(out, "{short}  {name}  {sector}  {quota} requests a minute{suspended}")?;
        }
        for (short, person) in register.people().filter(|(_, p)| p.organisation == short) {
            tell_person(&mut out, short, person, as_json)?;
        }
        for (short, key) in register.keys().filter(|(_, k)| k.organisation == short) {
            tell_key(&mut out, short, key, as_json)?;
        }
    }
    Ok(out.flush()?)
}

fn tell_person(
    out: &mut impl Write,
    short: &str,
    person: &Person,
    as_json: bool,
) -> std::io::Result<()> {
    let moment = model::record::time_text;
    if as_json {
        let roles: Vec<_> = person
            .roles
            .iter()
            .map(|held| {
                json!({
                    "role": held.role.word(), "from": moment(held.from_ms),
                    "until": held.until_ms.map(moment), "record": held.record,
                })
            })
            .collect();
        let line = json!({
            "person": short, "name": person.name, "organisation": person.organisation,
            "roles": roles, "suspended": person.suspended, "record": person.record,
        });
        return writeln!(out, "{line}");
    }
    let roles: Vec<String> = person
        .roles
        .iter()
        .map(|held| {
            let until = held.until_ms.map(|until| format!(" until {}", moment(until)));
            format!("{}{}", held.role.word(), until.unwrap_or_default())
        })
        .collect();
    let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
    let suspended = if person.suspended { "  SUSPENDED" } else { "" };
    writeln!(out, "  {short}  {}  {roles}{suspended}", plain(&person.name))
}

fn tell_key(out: &mut impl Write, short: &str, key: &Key, as_json: bool) -> std::io::Result<()> {
    let until = key.until_ms.map(model::record::time_text);
    if as_json {
        let line = json!({
            "key": short, "organisation": key.organisation, "role": key.role.word(),
            "until": until, "revoked": key.revoked, "record": key.record,
        });
        return writeln!(out, "{line}");
    }
    let ends = match (key.revoked, until) {
        (true, _) => "  REVOKED".to_owned(),
        (false, Some(until)) => format!(" until {until}"),
        (false, None) => String::new(),
    };
    writeln!(out, "  key {short}  {}{ends}", key.role.word())
}

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

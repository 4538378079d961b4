//! `vigie actor`.

use std::io::Write;
use std::path::Path;

use desk::custody::Act;
use desk::read::Reader;
use serde_json::json;

use super::custody::{record, said};
use super::{plain, told};
use crate::cli::Actor;
use crate::error::Told;

/// Makes a key, enrols, or lists.
pub(crate) fn run(home: Option<&Path>, args: &Actor) -> Result<(), Told> {
    match args {
        Actor::Key { person, out } => key(person, out),
        Actor::Passphrase { key, protect } => {
            let found = desk::authority::unlock_file(key).map_err(told(key))?;
            super::authority::set_passphrase(protect, "person", found, |new| {
                desk::authority::protect_file(key, new).map_err(told(key))
            })
        }
        Actor::Add { case, person, name, role, organisation, key } => {
            let act = Act::Enrol {
                person: person.clone(),
                name: name.clone(),
                role: role.clone(),
                organisation: organisation.clone(),
                key: key.clone(),
            };
            let records = record(home, &case.case, "vigie actor add", act)?;
            said(records, &format!("{person} is enrolled"))
        }
        Actor::List { case, json } => list(&case.case, *json),
    }
}

fn key(person: &str, out: &Path) -> Result<(), Told> {
    let verifier = desk::custody::new_key(person, out).map_err(told(out))?;
    // The key alone on stdout: it is handed to whoever enrols.
    writeln!(std::io::stdout(), "{verifier}")?;
    Ok(())
}

fn list(case: &Path, as_json: bool) -> Result<(), Told> {
    let snapshot = Reader::open(case).and_then(|r| r.snapshot()).map_err(told(case))?;
    let custody = snapshot.custody().map_err(told(case))?;
    let mut out = std::io::stdout().lock();
    for (person, enrolled) in custody.book.enrolled() {
        let body = &enrolled.body;
        if as_json {
            let line = json!({
                "person": person, "name": body.name, "role": body.role,
                "organisation": body.organisation, "key": custody.book.key(person, u64::MAX),
                "record": enrolled.taken.record, "time": enrolled.taken.time,
            });
            writeln!(out, "{line}")?;
            continue;
        }
        let of = [body.role.as_deref(), body.organisation.as_deref()];
        let of: Vec<String> = of.into_iter().flatten().map(plain).collect();
        let key = custody.book.key(person, u64::MAX).unwrap_or("no key: acknowledges by words");
        writeln!(
            out,
            "{person}  {}  {}  record {}",
            plain(&body.name),
            of.join(", "),
            enrolled.taken.record
        )?;
        writeln!(out, "    {key}")?;
    }
    if custody.book.enrolled().is_empty() && !as_json {
        writeln!(out, "Nobody is enrolled.")?;
    }
    Ok(out.flush()?)
}

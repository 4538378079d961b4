//! Stops that are signed beforehand, and the word that ends one: files for a safe, which ISPs obey though nobody
//! answers here (docs/feed.md). Each is a record before it is a file.

use std::io::Write;
use std::path::Path;

use desk::clearing::HouseAct;
use desk::clearing::door::{self, Request};
use desk::clearing::publish::{feed_key, feed_origin};
use desk::parties::{PartyRole, Register};
use model::record::time_text;
use serde_json::json;
use shield::order::Halt;
use shield::wire::stop::{Act, LONGEST, StopFile};

use super::{because, only_role, place, time};
use crate::cli::clearing::{Acting, Signing, StopFiles};
use crate::commands::{home_dir, plain, told};
use crate::error::Told;

/// Makes one.
pub(super) fn run(home: Option<&Path>, words: &StopFiles) -> Result<(), Told> {
    let (signing, act, second) = match words {
        StopFiles::Make { signing, releases, until } => {
            let halt = if *releases { Halt::Releases } else { Halt::Lifts };
            let now = super::now();
            let until = match until {
                Some(text) => time(text)?,
                None => now.plus(90 * 24 * 3_600_000),
            };
            if until <= now || until.since(now) > LONGEST {
                return Err(Told::Misuse(
                    "a stop file may lie from now on for a year at the most (--until)".to_owned(),
                ));
            }
            (signing, Act::Stop { halt, until }, None)
        }
        StopFiles::Resume { signing, second } => (signing, Act::Resume, Some(second.as_str())),
    };
    let Signing { out, view, grounds, acting } = signing;
    let Acting { of, person, role, json } = acting;
    let dir = &of.shield;
    let at = desk::Place { wait: desk::Wait::Fail, ..place(home, dir, "vigie shield")? };
    let home = home_dir(home)?;
    if let Some(second) = second {
        is_another(&home, person, second)?;
    }
    let standing = super::show::read(Some(&home), dir)?;
    if standing.epoch == 0 {
        return Err(Told::Misuse(
            "no feed of this clearing house has begun: nobody follows it yet".to_owned(),
        ));
    }
    let key = feed_key(&home, &at_authority(&home)?).map_err(told(&home))?;
    let file = StopFile {
        origin: key.name().to_owned(),
        view: view.clone(),
        act,
        epoch: standing.epoch,
        made: super::now(),
        why: because(grounds)?.as_str().to_owned(),
    };
    let text = file.sign(&key).to_string();
    if StopFile::open(&text, &key.verifier()).as_ref() != Ok(&file) {
        return Err(Told::Misuse(
            "the reason has 1,000 bytes at the most, in one line, and the view is an ISP's short name".to_owned(),
        ));
    }
    if out.exists() {
        let shown = out.display();
        return Err(Told::Misuse(format!("{shown} is there already: name another file (--out)")));
    }
    let role = match role {
        Some(role) => role.clone(),
        None => only_role(&home, person)?.word().to_owned(),
    };
    let act = HouseAct::signed_stop(&file, &text, second);
    let reply = door::ask(&at, &Request::of_house(person.clone(), role, act)).map_err(told(dir))?;
    super::noted(reply)?;
    ledger::disk::write_with(out, text.as_bytes(), ledger::disk::Overwrite::Never, 0o600)
        .map_err(|e| Told::failure(&e, None))?;
    let mut stdout = std::io::stdout();
    if *json {
        let document = json!({
            "file": out.display().to_string(), "epoch": file.epoch, "made": time_text(file.made.0),
            "view": file.view, "origin": feed_origin(&at_authority(&home)?),
        });
        return Ok(writeln!(stdout, "{document}")?);
    }
    let shown = desk::shell::quoted_path(out);
    match file.act {
        Act::Stop { until, .. } => {
            let until = time_text(until.0);
            say!(
                stdout,
                "{shown} can be brought out until {until}. Keep it where nobody else can."
            )?;
            say!(
                stdout,
                "It works beside the manifest of any mirror, as `stop`, and by an ISP's hand:"
            )?;
            say!(stdout, "  vigie edge stop --config FILE --file {shown}")?;
        }
        Act::Resume => {
            say!(stdout, "{shown} ends the stop that stands, and voids every one made before it.")?;
            say!(stdout, "Put it where the stop lies; then make new ones for the safe.")?;
        }
    }
    Ok(())
}

/// The authority's name.
pub(super) fn at_authority(home: &Path) -> Result<String, Told> {
    let public = desk::authority::public(home).map_err(told(home))?;
    let name = ledger::VerifierKey::parse(&public).map(|key| key.name().to_owned());
    name.map_err(|e| Told::failure(&e, None))
}

/// Two persons resume: another one, of another organisation, who may.
fn is_another(home: &Path, person: &str, second: &str) -> Result<(), Told> {
    let register = Register::read(home).map_err(told(home))?;
    let of = |person: &str| register.person(person).map(|known| known.organisation.clone());
    let offices = register.roles_at(second, super::now().0);
    let may = [PartyRole::Operator, PartyRole::Regulator, PartyRole::Reviewer];
    let resumes = offices.iter().any(|role| may.contains(role));
    match (of(person), of(second)) {
        (Some(one), Some(two)) if one != two && resumes => Ok(()),
        _ => Err(Told::Misuse(format!(
            "two persons resume: {} has to be another one, of another organisation, who may resume (--second)",
            plain(second)
        ))),
    }
}

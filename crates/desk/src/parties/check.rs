//! What decisions about parties look at, and what each of them is held against.

use super::act::Known;
use super::register::Person;
use super::words::{MAX_NAME, MAX_PARTIES, MAX_SHORT, PartyRole, is_name, is_short};
use crate::capture::moment;
use crate::permit::{MAX_REASON, said};
use crate::{Error, Result};

pub(super) fn asked<T>(why: impl Into<String>) -> Result<T> {
    Err(Error::Asked(why.into()))
}

impl Known<'_> {
    pub(super) fn organisation(&self, short: &str) -> Result<&super::Organisation> {
        self.register.organisation(short).ok_or_else(|| {
            Error::Asked(format!(
                "no organisation is registered as {short:?}: `vigie party list` shows which are, `vigie \
                 party add` registers one"
            ))
        })
    }

    pub(super) fn person(&self, short: &str) -> Result<&Person> {
        self.register.person(short).ok_or_else(|| {
            Error::Asked(format!(
                "nobody is registered as {short:?}: `vigie party list` shows who is, `vigie party person` \
                 registers somebody"
            ))
        })
    }

    /// Whether people and keys of an organisation may hold an office.
    pub(super) fn fits(&self, organisation: &str, role: PartyRole) -> Result<()> {
        let of = self.organisation(organisation)?;
        match role.needs() {
            Some(sector) if sector != of.sector => asked(format!(
                "who acts as {} is of an organisation of the sector {}: {organisation} is {}",
                role.word(),
                sector.word(),
                of.sector.word()
            )),
            _ => Ok(()),
        }
    }

    pub(super) fn until(&self, text: Option<&str>, from_ms: i64) -> Result<Option<i64>> {
        let Some(text) = text else { return Ok(None) };
        let until = when("--until", text)?;
        if until <= from_ms || until <= self.now_ms {
            return asked("it ends after it begins, and not in the past (--until)");
        }
        Ok(Some(until))
    }

    pub(super) fn is_suspended(&self, party: &str, reason: &str) -> Result<bool> {
        why(reason)?;
        match party.split_once(':') {
            Some(("person", short)) => Ok(self.person(short)?.suspended),
            Some(("organisation", short)) => Ok(self.organisation(short)?.suspended),
            _ => asked(format!("{party:?} is no party: write person:NAME or organisation:NAME")),
        }
    }

    /// Refuses what takes the last operator away who may act: nobody could be signed in to mend it.
    /// `stays` is false of whom it concerns.
    pub(super) fn leaves_an_operator(&self, stays: impl Fn(&str, &Person) -> bool) -> Result<()> {
        let operators = self.register.operators(self.now_ms);
        let left =
            |short: &&str| self.register.person(short).is_some_and(|person| stays(short, person));
        // An office that ends by its time is none to rely on.
        let lasts = |short: &&str| {
            let held = self.register.person(short).map(|person| person.roles.iter());
            held.into_iter()
                .flatten()
                .any(|held| held.role == PartyRole::Operator && held.until_ms.is_none())
        };
        let lasted = operators.iter().any(lasts);
        let lasting = operators.iter().filter(|short| left(short)).any(lasts);
        if operators.is_empty() || operators.iter().any(left) && (lasting || !lasted) {
            return Ok(());
        }
        asked(
            "it would leave no operator without an end: give the role to another person first (`vigie \
             party role PERSON operator`)",
        )
    }
}

pub(super) fn named(short: &str, name: &str) -> Result<()> {
    if !is_short(short) {
        return asked(format!(
            "{short:?} is no short name: 1 to {MAX_SHORT} small letters, digits and . - _, a letter or \
             digit first"
        ));
    }
    if !is_name(name) {
        return asked(format!("a name is one line of 1 to {MAX_NAME} bytes (--name)"));
    }
    Ok(())
}

pub(super) fn room(there: usize, what: &str) -> Result<()> {
    if there < MAX_PARTIES {
        return Ok(());
    }
    asked(format!("a register holds {MAX_PARTIES} {what} at most"))
}

pub(super) fn why(reason: &str) -> Result<()> {
    said("reason", reason, MAX_REASON)
}

pub(super) fn when(what: &str, text: &str) -> Result<i64> {
    moment(text).ok_or_else(|| {
        Error::Asked(format!(
            "{what}: {text:?} is no moment: write ISO 8601 with its zone, such as 2026-11-26T06:00Z"
        ))
    })
}

/// The first few names, and how many more.
pub(super) fn some_of(names: &[&str]) -> String {
    let first = names.get(..5).unwrap_or(names);
    let rest = names.len() - first.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", first.join(", "))
}

//! What is done about parties: checks against the register as it stands, then the one record.

use std::path::Path;

use model::Sha256Hex;
use model::record::{
    Body, PartyKeyIssued, PartyKeyRevoked, PartyOrganisation, PartyPerson, PartyQuota,
    PartyReinstated, PartyRoleGiven, PartyRoleTaken, PartySuspended, time_text,
};

use super::check::{asked, named, room, some_of, when, why};
use super::own_log::record;
use super::register::Register;
use super::words::{LEAST_QUOTA, MAX_NAME, MAX_QUOTA, PartyRole, Sector};
use crate::Result;
use crate::desk::now_ms;

/// What every secret of a service key begins with, so that a scanner of code and logs knows one.
const SECRET: &str = "vsk_";

/// What somebody wants recorded of parties. Moments are ISO 8601 with their zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// Register an organisation.
    Organisation {
        /// Its short name, for ever.
        organisation: String,
        /// Its full name.
        name: String,
        /// What it is.
        sector: Sector,
    },
    /// Register a person.
    Person {
        /// The short name, for ever.
        person: String,
        /// The name.
        name: String,
        /// The organisation's short name.
        organisation: String,
    },
    /// Give a person an office; one that is held is given anew, with other times.
    Give {
        /// The person's short name.
        person: String,
        /// The office.
        role: PartyRole,
        /// From when on; from now on where it is not said.
        from: Option<String>,
        /// Until when.
        until: Option<String>,
    },
    /// Take an office from a person.
    Take {
        /// The person's short name.
        person: String,
        /// The office.
        role: PartyRole,
        /// Why.
        reason: String,
    },
    /// Issue a service key.
    Issue {
        /// Its short name, for ever.
        key: String,
        /// The organisation's short name.
        organisation: String,
        /// In what office it acts.
        role: PartyRole,
        /// Until when.
        until: Option<String>,
    },
    /// Revoke a service key.
    Revoke {
        /// Its short name.
        key: String,
        /// Why.
        reason: String,
    },
    /// Suspend a person, or an organisation with its people and keys.
    Suspend {
        /// `person:NAME` or `organisation:NAME`.
        party: String,
        /// Why.
        reason: String,
    },
    /// Reinstate who was suspended.
    Reinstate {
        /// `person:NAME` or `organisation:NAME`.
        party: String,
        /// Why.
        reason: String,
    },
    /// Say how many requests a minute an organisation may make.
    Quota {
        /// The organisation's short name.
        organisation: String,
        /// So many; `None` for the usual ones of its roles.
        per_minute: Option<u64>,
    },
}

/// What became of an act.
#[derive(Debug)]
pub struct Done {
    /// The record; `None` where it was so already.
    pub record: Option<u64>,
    /// The secret of the key that was issued. It stands nowhere: show it once, to nobody else.
    pub secret: Option<String>,
}

/// Records what `by` does. Operators act on the register; before there is one, and when none is left
/// who may act, whoever holds the authority's folder does, under the name that is given.
///
/// # Errors
/// [`Error::Asked`]: who may not; names and moments that are none; what is not registered, or is already;
/// what would leave no operator. The disk.
pub fn act(home: &Path, by: &str, holder: &str, act: &Act) -> Result<Done> {
    if by.trim().is_empty() || by.len() > MAX_NAME {
        return asked(format!("who does it is said in at most {MAX_NAME} bytes (--by)"));
    }
    let mut secret = None;
    let of = record(home, by, holder, |authority| {
        let known = Known { register: Register::replay(home, authority)?, now_ms: now_ms(), by };
        may_act(&known.register, by)?;
        let (body, made) = known.decide(act)?;
        secret = made;
        Ok(body.into_iter().collect())
    })?;
    Ok(Done { record: of, secret: secret.filter(|_| of.is_some()) })
}

/// Whether `by` may change who is registered and who is signed in: an operator, or anybody who holds the
/// folder where no operator may act.
pub(crate) fn may_act(register: &Register, by: &str) -> Result<()> {
    let operators = register.operators(now_ms());
    if operators.is_empty() || operators.contains(&by) {
        return Ok(());
    }
    asked(format!(
        "{by:?} is no operator who may act now: say who does it with --by PERSON. Operators are {}",
        some_of(&operators)
    ))
}

/// What such decisions look at.
pub(super) struct Known<'a> {
    pub(super) register: Register,
    pub(super) now_ms: i64,
    pub(super) by: &'a str,
}

type Decided = (Option<Body>, Option<String>);

impl Known<'_> {
    fn decide(&self, act: &Act) -> Result<Decided> {
        let body = match act {
            Act::Organisation { organisation, name, sector } => {
                self.new_organisation(organisation, name, *sector)?
            }
            Act::Person { person, name, organisation } => {
                self.new_person(person, name, organisation)?
            }
            Act::Give { person, role, from, until } => {
                self.give(person, *role, from.as_deref(), until.as_deref())?
            }
            Act::Take { person, role, reason } => self.take(person, *role, reason)?,
            Act::Issue { key, organisation, role, until } => {
                return self.issue(key, organisation, *role, until.as_deref());
            }
            Act::Revoke { key, reason } => {
                why(reason)?;
                let Some(found) = self.register.key(key) else {
                    return asked(format!(
                        "no key is called {key:?}: `vigie party list` shows them"
                    ));
                };
                let (key, reason) = (key.clone(), reason.clone());
                (!found.revoked).then(|| PartyKeyRevoked { key, reason }.into())
            }
            Act::Suspend { party, reason } => {
                let suspended = self.is_suspended(party, reason)?;
                self.leaves_an_operator(|short, person| {
                    *party != format!("person:{short}")
                        && *party != format!("organisation:{}", person.organisation)
                })?;
                let (party, reason) = (party.clone(), reason.clone());
                (!suspended).then(|| PartySuspended { party, reason }.into())
            }
            Act::Reinstate { party, reason } => {
                let suspended = self.is_suspended(party, reason)?;
                let (party, reason) = (party.clone(), reason.clone());
                suspended.then(|| PartyReinstated { party, reason }.into())
            }
            Act::Quota { organisation, per_minute } => {
                let of = self.organisation(organisation)?;
                if per_minute.is_some_and(|n| !(LEAST_QUOTA..=MAX_QUOTA).contains(&n)) {
                    return asked(format!(
                        "an organisation may make {LEAST_QUOTA} to {MAX_QUOTA} requests a minute: to \
                         allow none, suspend it"
                    ));
                }
                let (organisation, per_minute) = (organisation.clone(), *per_minute);
                (of.per_minute != per_minute)
                    .then(|| PartyQuota { organisation, per_minute }.into())
            }
        };
        Ok((body, None))
    }

    fn new_organisation(&self, short: &str, name: &str, sector: Sector) -> Result<Option<Body>> {
        named(short, name)?;
        if let Some(found) = self.register.organisation(short) {
            if found.name == name && found.sector == sector {
                return Ok(None);
            }
            return asked(format!("{short} is registered already, as {:?}", found.name));
        }
        room(self.register.organisations().len(), "organisations")?;
        let (organisation, name) = (short.to_owned(), name.to_owned());
        Ok(Some(PartyOrganisation { organisation, name, sector: sector.word().to_owned() }.into()))
    }

    fn new_person(&self, short: &str, name: &str, organisation: &str) -> Result<Option<Body>> {
        named(short, name)?;
        self.organisation(organisation)?;
        if let Some(found) = self.register.person(short) {
            if found.name == name && found.organisation == organisation {
                return Ok(None);
            }
            return asked(format!(
                "{short} is registered already, as {:?} of {}: a short name is given once. Somebody who \
                 goes to another organisation is registered anew",
                found.name, found.organisation
            ));
        }
        room(self.register.people().len(), "people")?;
        let (person, name, organisation) =
            (short.to_owned(), name.to_owned(), organisation.to_owned());
        Ok(Some(PartyPerson { person, name, organisation }.into()))
    }

    fn give(
        &self,
        short: &str,
        role: PartyRole,
        from: Option<&str>,
        until: Option<&str>,
    ) -> Result<Option<Body>> {
        let person = self.person(short)?;
        // The first operator is made by whoever holds the folder, under whatever name.
        if short == self.by && !self.register.operators(self.now_ms).is_empty() {
            return asked("nobody gives himself a role: another operator does");
        }
        self.fits(&person.organisation, role)?;
        let from_ms = from.map_or(Ok(self.now_ms), |text| when("--from", text))?;
        let until_ms = self.until(until, from_ms)?;
        if role == PartyRole::Operator && (from_ms > self.now_ms || until_ms.is_some()) {
            self.leaves_an_operator(|other, _| other != short)?;
        }
        let same = |held: &&super::Held| {
            held.role == role
                && held.until_ms == until_ms
                && if from.is_none() { held.at(self.now_ms) } else { held.from_ms == from_ms }
        };
        if person.roles.iter().any(|held| same(&held)) {
            return Ok(None);
        }
        let body = PartyRoleGiven {
            person: short.to_owned(),
            role: role.word().to_owned(),
            from: time_text(from_ms),
            until: until_ms.map(time_text),
        };
        Ok(Some(body.into()))
    }

    fn take(&self, short: &str, role: PartyRole, reason: &str) -> Result<Option<Body>> {
        why(reason)?;
        let person = self.person(short)?;
        if person.roles.iter().all(|held| held.role != role) {
            return Ok(None);
        }
        if role == PartyRole::Operator {
            self.leaves_an_operator(|other, _| other != short)?;
        }
        let (person, role, reason) = (short.to_owned(), role.word().to_owned(), reason.to_owned());
        Ok(Some(PartyRoleTaken { person, role, reason }.into()))
    }

    fn issue(
        &self,
        short: &str,
        organisation: &str,
        role: PartyRole,
        until: Option<&str>,
    ) -> Result<Decided> {
        named(short, "a key")?;
        self.organisation(organisation)?;
        if self.register.key(short).is_some() {
            return asked(format!(
                "a key was called {short} before: a short name is given once, so that a log says which"
            ));
        }
        if role == PartyRole::Operator {
            return asked("no key acts as operator: what an operator does, a person does");
        }
        self.fits(organisation, role)?;
        room(self.register.keys().len(), "keys")?;
        let until = self.until(until, self.now_ms)?.map(time_text);
        let secret = format!("{SECRET}{}", model::id::hex(&vault::random()?));
        let body = PartyKeyIssued {
            key: short.to_owned(),
            organisation: organisation.to_owned(),
            role: role.word().to_owned(),
            digest: Sha256Hex::of(secret.as_bytes()),
            until,
        };
        Ok((Some(body.into()), Some(secret)))
    }
}

//! The register: what the records of the authority's own log say of parties, replayed.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use ledger::Authority;
use model::Sha256Hex;
use model::record::{Body, Record};
use shield::order;

use super::own_log::{authority, opened};
use super::words::{PartyRole, Sector};
use crate::capture::moment;
use crate::desk::now_ms;
use crate::{Error, Result};

/// An organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// Its full name.
    pub name: String,
    /// What it is.
    pub sector: Sector,
    /// True while it is suspended, and its people and keys with it.
    pub suspended: bool,
    /// Requests a minute that it was given; `None` where the usual ones of its roles count.
    pub per_minute: Option<u64>,
    /// The record that registered it.
    pub record: u64,
}

/// An office that somebody holds, or held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The office.
    pub role: PartyRole,
    /// From when on, in milliseconds since 1970 in UTC.
    pub from_ms: i64,
    /// Until when, that moment not meant; `None` where no end was set.
    pub until_ms: Option<i64>,
    /// The record that gave it: it says who did.
    pub record: u64,
}

impl Held {
    /// True where it is held at that moment.
    pub fn at(&self, now_ms: i64) -> bool {
        self.from_ms <= now_ms && self.until_ms.is_none_or(|until| now_ms < until)
    }
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The name.
    pub name: String,
    /// The organisation's short name.
    pub organisation: String,
    /// The offices, each once, in the order they were given; those that ended by their time included.
    pub roles: Vec<Held>,
    /// True while the person is suspended.
    pub suspended: bool,
    /// The record that registered the person.
    pub record: u64,
}

/// A service key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// The organisation's short name.
    pub organisation: String,
    /// In what office it acts.
    pub role: PartyRole,
    /// SHA-256 of the secret.
    pub digest: Sha256Hex,
    /// Until when, that moment not meant, in milliseconds since 1970 in UTC.
    pub until_ms: Option<i64>,
    /// True where it was revoked.
    pub revoked: bool,
    /// The record that issued it.
    pub record: u64,
}

/// Who deals with the authority, as of [`Register::records`] records of its log.
#[derive(Debug, Clone, Default)]
pub struct Register {
    home: PathBuf,
    records: u64,
    organisations: BTreeMap<String, Organisation>,
    people: BTreeMap<String, Person>,
    keys: BTreeMap<String, Key>,
    by_digest: HashMap<Sha256Hex, String>,
}

impl Register {
    /// Replays the authority's own log, which is proven first; empty where there is none yet.
    ///
    /// # Errors
    /// A log that does not hold; an opening that is lost.
    pub fn read(home: &Path) -> Result<Self> {
        let found = match authority(home) {
            Err(e) if no_key(&e) => return Ok(Self { home: home.to_owned(), ..Self::default() }),
            other => other?,
        };
        if let Some(finding) = vault::verify_authority(&found).into_iter().next() {
            return Err(Error::Authority { place: finding.place, message: finding.message });
        }
        Self::replay(home, &found)
    }

    /// Replays the log of an authority, whose lock may be held.
    pub(super) fn replay(home: &Path, authority: &Authority) -> Result<Self> {
        let mut register = Self { home: home.to_owned(), ..Self::default() };
        register.follow(authority)?;
        Ok(register)
    }

    /// True where the log is not what was read of it: a look that costs little, for who looks often.
    ///
    /// # Errors
    /// A log that cannot be read.
    pub fn is_behind(&self) -> Result<bool> {
        let size = match authority(&self.home) {
            Err(e) if no_key(&e) => 0,
            other => match other?.reader() {
                Err(e) if e.is_missing() => 0,
                log => log?.size(),
            },
        };
        Ok(size != self.records)
    }

    /// Reads what was recorded since. True where something of it is of parties.
    ///
    /// # Errors
    /// As [`Register::read`]; a log that is shorter than it was. The register is as before then.
    pub fn refresh(&mut self) -> Result<bool> {
        let found = match authority(&self.home) {
            Err(e) if no_key(&e) && self.records == 0 => return Ok(false),
            other => other?,
        };
        let mut next = self.clone();
        let changed = next.follow(&found)?;
        *self = next;
        Ok(changed)
    }

    fn follow(&mut self, authority: &Authority) -> Result<bool> {
        let log = match authority.reader() {
            Err(e) if e.is_missing() && self.records == 0 => return Ok(false),
            other => other?,
        };
        if log.size() < self.records {
            return Err(Error::Authority {
                place: authority.log_dir().display().to_string(),
                message: format!("it has {} records and had {}", log.size(), self.records),
            });
        }
        let mut changed = false;
        for (index, entry) in (self.records..).zip(log.entries(self.records)) {
            let entry = entry?;
            // What is of another kind, or of a newer version, says nothing of parties.
            let party = Record::parse(&entry).is_ok_and(|r| r.kind.starts_with("party."));
            if party {
                let (body, _) = opened(authority, index, &entry)?;
                self.apply(index, body).map_err(|why| Error::Authority {
                    place: format!("record {index} of the authority's log"),
                    message: why.to_owned(),
                })?;
                changed = true;
            }
            self.records = index + 1;
        }
        Ok(changed)
    }

    /// Takes one record in. The second is what is wrong with it, in words.
    fn apply(&mut self, record: u64, body: Body) -> std::result::Result<(), &'static str> {
        let role = |word: &str| PartyRole::of_word(word).ok_or("it names an office that is none");
        let when = |text: &str| moment(text).ok_or("it holds a moment that is none");
        match body {
            Body::PartyOrganisation(b) => {
                let sector = Sector::of_word(&b.sector).ok_or("it names a sector that is none")?;
                let (name, suspended, per_minute) = (b.name, false, None);
                self.organisations.entry(b.organisation).or_insert(Organisation {
                    name,
                    sector,
                    suspended,
                    per_minute,
                    record,
                });
            }
            Body::PartyPerson(b) => {
                let (name, organisation) = (b.name, b.organisation);
                let person =
                    Person { name, organisation, roles: Vec::new(), suspended: false, record };
                self.people.entry(b.person).or_insert(person);
            }
            Body::PartyRoleGiven(b) => {
                let person = self.people.get_mut(&b.person).ok_or("it names nobody")?;
                let until_ms = b.until.as_deref().map(when).transpose()?;
                let (role, from_ms) = (role(&b.role)?, when(&b.from)?);
                person.roles.retain(|held| held.role != role);
                person.roles.push(Held { role, from_ms, until_ms, record });
            }
            Body::PartyRoleTaken(b) => {
                let person = self.people.get_mut(&b.person).ok_or("it names nobody")?;
                let role = role(&b.role)?;
                person.roles.retain(|held| held.role != role);
            }
            Body::PartyKeyIssued(b) => {
                let until_ms = b.until.as_deref().map(when).transpose()?;
                let (organisation, digest, role) = (b.organisation, b.digest, role(&b.role)?);
                self.by_digest.insert(digest, b.key.clone());
                let key = Key { organisation, role, digest, until_ms, revoked: false, record };
                self.keys.entry(b.key).or_insert(key);
            }
            Body::PartyKeyRevoked(b) => {
                self.keys.get_mut(&b.key).ok_or("it names no key")?.revoked = true;
            }
            Body::PartySuspended(b) => *self.suspended(&b.party)? = true,
            Body::PartyReinstated(b) => *self.suspended(&b.party)? = false,
            Body::PartyQuota(b) => {
                let found = self.organisations.get_mut(&b.organisation);
                found.ok_or("it names no organisation")?.per_minute = b.per_minute;
            }
            // Of parties, and of their ways to sign in: nothing of who they are.
            _ => {}
        }
        Ok(())
    }

    fn suspended(&mut self, party: &str) -> std::result::Result<&mut bool, &'static str> {
        let found = match party.split_once(':') {
            Some(("person", name)) => self.people.get_mut(name).map(|p| &mut p.suspended),
            Some(("organisation", name)) => {
                self.organisations.get_mut(name).map(|o| &mut o.suspended)
            }
            _ => None,
        };
        found.ok_or("it names no party")
    }

    /// The authority's folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Records of the authority's log that were read.
    pub fn records(&self) -> u64 {
        self.records
    }

    /// True where nobody is registered.
    pub fn is_empty(&self) -> bool {
        self.organisations.is_empty() && self.people.is_empty()
    }

    /// The organisation of that short name.
    pub fn organisation(&self, short: &str) -> Option<&Organisation> {
        self.organisations.get(short)
    }

    /// The person of that short name.
    pub fn person(&self, short: &str) -> Option<&Person> {
        self.people.get(short)
    }

    /// The service key of that short name, whether it counts or not.
    pub fn key(&self, short: &str) -> Option<&Key> {
        self.keys.get(short)
    }

    /// All organisations, by short name.
    pub fn organisations(&self) -> impl ExactSizeIterator<Item = (&str, &Organisation)> {
        self.organisations.iter().map(|(name, of)| (name.as_str(), of))
    }

    /// All people, by short name.
    pub fn people(&self) -> impl ExactSizeIterator<Item = (&str, &Person)> {
        self.people.iter().map(|(name, of)| (name.as_str(), of))
    }

    /// All service keys, by short name.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = (&str, &Key)> {
        self.keys.iter().map(|(name, of)| (name.as_str(), of))
    }

    /// True where the organisation is registered and not suspended.
    pub fn is_in_force(&self, organisation: &str) -> bool {
        self.organisation(organisation).is_some_and(|of| !of.suspended)
    }

    /// The offices that a person may act in at that moment: none of who is suspended, or whose
    /// organisation is.
    pub fn roles_at(&self, person: &str, now_ms: i64) -> Vec<PartyRole> {
        let Some(found) = self.person(person) else { return Vec::new() };
        if found.suspended || !self.is_in_force(&found.organisation) {
            return Vec::new();
        }
        found.roles.iter().filter(|held| held.at(now_ms)).map(|held| held.role).collect()
    }

    /// The service key with that secret, where it counts at that moment: its short name with it.
    pub fn key_of(&self, secret: &str, now_ms: i64) -> Option<(&str, &Key)> {
        let (short, key) =
            self.keys.get_key_value(self.by_digest.get(&Sha256Hex::of(secret.as_bytes()))?)?;
        let lives = !key.revoked && key.until_ms.is_none_or(|until| now_ms < until);
        (lives && self.is_in_force(&key.organisation)).then_some((short.as_str(), key))
    }

    /// Requests a minute that an organisation may make: what it was given, else the usual number of the
    /// greatest role that its people and keys hold.
    pub fn quota(&self, organisation: &str) -> u64 {
        if let Some(given) = self.organisation(organisation).and_then(|of| of.per_minute) {
            return given;
        }
        let people = self.people.values().filter(|p| p.organisation == organisation);
        let of_people = people.flat_map(|p| &p.roles).map(|held| held.role);
        let of_keys = self.keys.values().filter(|k| k.organisation == organisation && !k.revoked);
        let quotas = of_people.chain(of_keys.map(|k| k.role)).map(PartyRole::usual_quota);
        quotas.max().unwrap_or_else(|| PartyRole::Public.usual_quota())
    }

    /// People who may act as operators at that moment.
    pub fn operators(&self, now_ms: i64) -> Vec<&str> {
        let is = |short: &&str| self.roles_at(short, now_ms).contains(&PartyRole::Operator);
        self.people.keys().map(String::as_str).filter(is).collect()
    }

    /// Who acts, as the clearing house knows it, now.
    ///
    /// # Errors
    /// As [`Register::actor_at`].
    pub fn actor(&self, person: &str, role: PartyRole) -> Result<order::Actor> {
        self.actor_at(person, role, now_ms())
    }

    /// Who acts, as the clearing house knows it, at that moment. As the public everybody acts who is
    /// registered and not suspended.
    ///
    /// # Errors
    /// [`Error::Asked`]: nobody of that name; suspended; no such office, or not then; an auditor, who acts
    /// as nothing.
    pub fn actor_at(&self, person: &str, role: PartyRole, now_ms: i64) -> Result<order::Actor> {
        let refuse = |why: String| Err(Error::Asked(why));
        let Some(found) = self.person(person) else {
            return refuse(format!(
                "nobody is registered as {person:?}: `vigie party list` shows who is"
            ));
        };
        if found.suspended || !self.is_in_force(&found.organisation) {
            let of = if found.suspended { person } else { &found.organisation };
            return refuse(format!(
                "{of} is suspended: an operator reinstates (`vigie party reinstate`)"
            ));
        }
        let Some(acts) = role.acts_as() else {
            return refuse(format!(
                "{person} acts as {}: an {0} reads, and decides nothing",
                role.word()
            ));
        };
        let holds = found.roles.iter().any(|held| held.role == role && held.at(now_ms));
        if !holds && role != PartyRole::Public {
            return refuse(format!(
                "{person} does not act as {} now: `vigie party list` shows the roles, an operator gives \
                 them (`vigie party role`)",
                role.word()
            ));
        }
        let names = order::words::Person::new(person)
            .zip(order::words::Organisation::new(&found.organisation));
        let Some((person, organisation)) = names else {
            return refuse(format!("{person:?} cannot be named in an order"));
        };
        Ok(order::Actor { person, organisation, role: acts })
    }
}

fn no_key(error: &Error) -> bool {
    matches!(error, Error::Disk(e) if e.is_missing())
}

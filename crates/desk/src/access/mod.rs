//! Who may do what: the one place that decides.
//!
//! [`Access::may`] is asked for every request of every server. It looks at the register of parties, has
//! Cedar decide by the policies (`assets/policies`, and what an authority forbids beyond them in
//! `HOME/policies`), holds the party to its quota, and counts what it refuses.
//!
//! Invariants: what no policy permits is refused, and so is what errs; a file of an authority's own can
//! only forbid; every refusal is counted, by party, route and hour; every table here has a bound.

mod ask;
mod own;
mod policies;
mod quota;
mod refusals;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Instant;

pub use ask::{Action, Asked, Decision, Principal, Sort};
pub use policies::{POLICIES, SCHEMA};
pub use quota::MAX_SOURCES;
pub use quota::network;
pub use refusals::{MAX_ROWS, MAX_SERVERS, Refusal, Row, Times};

use crate::desk::now_ms;
use crate::parties::{PartyRole, Register};
use crate::{Error, Result};

/// What is there for anybody. (What they write there is held to bounds of its own.)
const PUBLIC_PAGES: [Action; 4] =
    [Action::ItemLookUp, Action::ObjectionMake, Action::HarmReport, Action::TransparencyRead];

/// Who may do what, for as long as a server runs.
#[derive(Debug)]
pub struct Access {
    home: PathBuf,
    policies: policies::Policies,
    own_files: usize,
    register: RwLock<Register>,
    buckets: Mutex<quota::Buckets>,
    refusals: Mutex<refusals::Refusals>,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Access {
    /// Of an authority's folder: its register, its own policies, and what was refused and is in no record
    /// yet.
    ///
    /// # Errors
    /// A log that does not hold; own policies that are wrong or permit; the disk.
    pub fn open(home: &Path) -> Result<Self> {
        let mut policies = policies::Policies::built_in().map_err(Error::Beside)?;
        let own_files = own::add(&mut policies, home)?;
        Ok(Self {
            home: home.to_owned(),
            policies,
            own_files,
            register: RwLock::new(Register::read(home)?),
            buckets: Mutex::default(),
            refusals: Mutex::new(refusals::Refusals::open(home)?),
        })
    }

    /// The authority's folder.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Files of the authority's own policies that count.
    pub fn own_files(&self) -> usize {
        self.own_files
    }

    /// Looks at the register as it is now.
    pub fn register<T>(&self, look: impl FnOnce(&Register) -> T) -> T {
        look(&self.register.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads what was recorded of parties since. True where something was.
    ///
    /// # Errors
    /// As [`Register::refresh`]; the register stays as it was.
    pub fn refresh(&self) -> Result<bool> {
        if !self.register(Register::is_behind)? {
            return Ok(false);
        }
        // Read beside the lock: requests go on meanwhile.
        let mut next = self.register(Clone::clone);
        let changed = next.refresh()?;
        *self.register.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(changed)
    }

    /// The service whose key has that secret, if it counts now.
    pub fn key(&self, secret: &str) -> Option<Principal> {
        self.register(|register| {
            let (key, of) = register.key_of(secret, now_ms())?;
            let (key, organisation) = (key.to_owned(), of.organisation.clone());
            Some(Principal::Key { key, organisation, role: of.role })
        })
    }

    /// A person who was found to be who they say, with the offices held now; `None` of who is not
    /// registered, or suspended.
    pub fn person(&self, person: &str) -> Option<Principal> {
        self.register(|register| {
            let found = register.person(person)?;
            if found.suspended || !register.is_in_force(&found.organisation) {
                return None;
            }
            let organisation = found.organisation.clone();
            let roles = register.roles_at(person, now_ms());
            Some(Principal::Person { person: person.to_owned(), organisation, roles })
        })
    }

    /// Decides. A refusal is counted under `route`, which is a pattern of ours and not what was typed.
    pub fn may(&self, who: &Principal, asked: &Asked<'_>, route: &str) -> Decision {
        let decision = self.decide(who, asked, Instant::now());
        let refusal = match decision {
            Decision::Allowed => return decision,
            Decision::SignIn => Refusal::SignIn,
            Decision::Forbidden => Refusal::Forbidden,
            Decision::TooMany { .. } => Refusal::TooMany,
        };
        self.refuse(who.party(), route, refusal);
        decision
    }

    /// What the policies alone say: nothing is counted, and no quota is taken from. For a page that shows
    /// ways to go on. An action on what is of one organisation is asked of the asker's own.
    pub fn would(&self, who: &Principal, action: Action, source: IpAddr) -> bool {
        self.policies.allow(who, action, who.organisation(), source.to_canonical().is_loopback())
    }

    /// Counts a refusal that was found elsewhere, such as a request from another site.
    pub fn refuse(&self, party: &str, route: &str, refusal: Refusal) {
        locked(&self.refusals).count(party, route, refusal, now_ms());
    }

    fn decide(&self, who: &Principal, asked: &Asked<'_>, now: Instant) -> Decision {
        // The quota first: who asks too much costs no more than this.
        if asked.action != Action::PageFile
            && let Some((payer, per_minute)) = self.payer(who, asked)
            && let Err(retry_s) = locked(&self.buckets).take(payer, per_minute, now)
        {
            return Decision::TooMany { retry_s };
        }
        let loopback = asked.source.to_canonical().is_loopback();
        if self.policies.allow(who, asked.action, asked.organisation, loopback) {
            Decision::Allowed
        } else if *who == Principal::Nobody {
            Decision::SignIn
        } else {
            Decision::Forbidden
        }
    }

    /// Whose bucket a request is paid from. Whoever is signed in by the link on the terminal pays none:
    /// it is one person, on this machine.
    fn payer(&self, who: &Principal, asked: &Asked<'_>) -> Option<(quota::Payer, u64)> {
        if *who == Principal::Holder {
            return None;
        }
        Some(match who.organisation() {
            Some(of) => {
                let per_minute = self.register(|register| register.quota(of));
                (quota::Payer::Organisation(of.to_owned()), per_minute)
            }
            None if PUBLIC_PAGES.contains(&asked.action) => {
                (quota::Payer::Looks(quota::network(asked.source)), quota::LOOKS)
            }
            None => (quota::Payer::of_source(asked.source), PartyRole::Public.usual_quota()),
        })
    }

    /// What was refused and is in no record yet.
    pub fn refused(&self) -> Vec<Row> {
        locked(&self.refusals).rows()
    }

    /// Writes what was counted into its file, where a second has passed or this is the `end`. Servers call
    /// it every second, on a thread that may wait.
    ///
    /// # Errors
    /// The disk: it is written with the next count.
    pub fn write_refused(&self, end: bool) -> Result<()> {
        let due = locked(&self.refusals).take_due(now_ms(), end);
        match due {
            Some((path, text)) => refusals::write(&path, &text),
            None => Ok(()),
        }
    }

    /// Records the hours that are over. Servers call it every minute, on a thread that may wait.
    ///
    /// # Errors
    /// The disk; no passphrase. Nothing that was counted is lost by that.
    pub fn record_refused(&self) -> Result<()> {
        let over = locked(&self.refusals).over(now_ms());
        if !over.is_empty() {
            refusals::keep(&self.home, &over)?;
            locked(&self.refusals).forget(&over);
        }
        self.write_refused(true)
    }
}

#[cfg(test)]
mod tests;

//! How people sign in, and what it opens: passwords, passkeys, invitations, sessions.
//!
//! All of it lies in `HOME/access/`, mode 0600, and never in a log: the log says that a credential changed
//! and whose, not what it is.
//!
//! ```text
//! HOME/access/people/NAME          password (a PHC string of Argon2id), passkeys (their public halves)
//! HOME/access/handles/HANDLE       whom a device calls so
//! HOME/access/invitations/DIGEST   by the SHA-256 of the link's token: for whom, until when
//! HOME/access/sessions             a JSON line each: the token's SHA-256, whose, since when
//! HOME/access/lock                 who writes any of these
//! ```
//!
//! Invariants: of tokens only digests are kept; a guess costs the same whether anybody has that name; what
//! is guessed at too often waits, by name and by network; hashing takes no more memory than its slots;
//! a session is of the offices it began with, and ends when they change.

mod delays;
mod file;
mod invite;
mod passkey;
mod password;
mod sessions;
mod slots;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use model::record::PartyCredential;

pub use delays::{FREE_OF_NAME, FREE_OF_SOURCE, LONGEST_OF_NAME_S, LONGEST_OF_SOURCE_S};
pub use invite::{INVITED_MS, MAX_INVITATIONS, has_credentials, invite};
pub use passkey::{At, MAX_ANSWER, MAX_PASSKEY_NAME, MAX_PASSKEYS, Passkey, passkey_name};
pub use password::{MAX_PASSWORD, MIN_PASSWORD, check_new};
pub use sessions::{By, IDLE_MS, LONGEST_MS, MAX_OF_PERSON, MAX_SESSIONS, Session};
pub use slots::{MAX_RUNNING, MAX_WAITING};

use crate::access::{Access, Principal};
use crate::desk::now_ms;
use crate::parties::{Register, record};
use crate::{Error, Result};

/// Why nobody was signed in. It tells nothing of whether there is such a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotSignedIn {
    /// The name, or what was given with it, is wrong.
    Wrong,
    /// Too many failures, by this name or from this network: not before so many seconds.
    Wait {
        /// At least 1.
        retry_s: u64,
    },
    /// Too many others are being signed in at this moment.
    Busy,
}

/// Who asks to be signed in, as far as a connection shows it.
#[derive(Debug, Clone, Copy)]
pub struct From<'a> {
    /// The address of the connection itself.
    pub source: IpAddr,
    /// What the browser calls itself; shown in the list of sessions, cut to 120 characters.
    pub agent: &'a str,
}

/// Accounts, for as long as a server runs.
#[derive(Debug)]
pub struct Accounts {
    home: PathBuf,
    /// Compared with where nobody has that name, or no password.
    nobody: String,
    slots: slots::Slots,
    delays: Mutex<delays::Delays>,
    sessions: sessions::Sessions,
    passkeys: passkey::Running,
}

fn locked<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Accounts {
    /// The accounts of an authority's folder.
    ///
    /// # Errors
    /// Files that cannot be read; no random numbers.
    pub fn open(home: &Path) -> Result<Self> {
        let secret = model::id::hex(&vault::random()?);
        Ok(Self {
            home: home.to_owned(),
            nobody: password::hash(&secret)?,
            slots: slots::Slots::default(),
            delays: Mutex::default(),
            sessions: sessions::Sessions::open(home)?,
            passkeys: passkey::Running::default(),
        })
    }

    /// Signs a person in by a password: the session's token. It waits for a slot, and hashes: not on a
    /// thread that serves sockets.
    ///
    /// # Errors
    /// The disk. The inner one: why not.
    pub fn sign_in(
        &self,
        access: &Access,
        name: &str,
        given: &str,
        from: From<'_>,
    ) -> Result<std::result::Result<String, NotSignedIn>> {
        if let Some(retry_s) = locked(&self.delays).wait(Some(name), from.source, Instant::now()) {
            return Ok(Err(NotSignedIn::Wait { retry_s }));
        }
        let who = access.person(name);
        let kept = match &who {
            Some(_) => file::read(&self.home, name)?.password,
            None => None,
        };
        let known = kept.is_some();
        let against = kept.as_deref().unwrap_or(&self.nobody);
        let Some(same) = self.slots.run(|| password::verify(given, against)) else {
            return Ok(Err(NotSignedIn::Busy));
        };
        match who.filter(|_| same && known) {
            Some(who) => {
                locked(&self.delays).succeeded(name);
                let token = self.begin(&who, By::Password, from.agent)?;
                // An invitation that was accepted meanwhile ended every session but this one.
                if file::read(&self.home, name)?.password != kept {
                    self.sessions.end_token(&token)?;
                    return Ok(Err(NotSignedIn::Wrong));
                }
                Ok(Ok(token))
            }
            None => {
                locked(&self.delays).failed(Some(name), from.source, Instant::now());
                Ok(Err(NotSignedIn::Wrong))
            }
        }
    }

    /// Begins a session of who was found to be who they say.
    pub(crate) fn begin(&self, who: &Principal, by: By, agent: &str) -> Result<String> {
        let Principal::Person { person, roles, .. } = who else {
            return Err(Error::Asked("only people have sessions".to_owned()));
        };
        self.sessions.begin(person, roles, by, agent, now_ms())
    }

    /// Whose session a token is of, as they stand now. One whose offices changed, or whose person was
    /// suspended, is ended by this.
    ///
    /// # Errors
    /// The disk.
    pub fn session(&self, access: &Access, token: &str) -> Result<Option<(Session, Principal)>> {
        let Some(session) = self.sessions.find(token, now_ms())? else { return Ok(None) };
        match access.person(&session.person) {
            Some(who) if matches!(&who, Principal::Person { roles, .. } if *roles == session.roles) => {
                Ok(Some((session, who)))
            }
            _ => {
                self.sessions.end(|other| other.id == session.id)?;
                Ok(None)
            }
        }
    }

    /// True while a session goes on, of the offices it began with; asking is no use of it.
    ///
    /// # Errors
    /// The disk.
    pub fn goes_on(&self, access: &Access, token: &str) -> Result<bool> {
        let Some(session) = self.sessions.peek(token, now_ms())? else { return Ok(false) };
        let who = access.person(&session.person);
        Ok(matches!(who, Some(Principal::Person { roles, .. }) if roles == session.roles))
    }

    /// Everybody's sessions, or one person's, the newest first.
    ///
    /// # Errors
    /// The disk.
    pub fn sessions(&self, person: Option<&str>) -> Result<Vec<Session>> {
        let mut all = self.sessions.all(now_ms())?;
        all.retain(|session| person.is_none_or(|person| session.person == person));
        Ok(all)
    }

    /// Ends a session of one's own; `false` where there is none of that name.
    ///
    /// # Errors
    /// The disk.
    pub fn end_own(&self, person: &str, id: &str) -> Result<bool> {
        Ok(self.sessions.end(|session| session.id == id && session.person == person)? > 0)
    }

    /// Gives a person another password. All their other sessions end.
    ///
    /// # Errors
    /// [`Error::Asked`]: the present one is wrong; one that cannot be had. The disk. The inner one: too
    /// much guessing at it, or too many at once.
    pub fn change_password(
        &self,
        session: &Session,
        present: &str,
        new: &str,
        source: IpAddr,
    ) -> Result<std::result::Result<(), NotSignedIn>> {
        let person = session.person.as_str();
        check_new(person, new)?;
        if let Some(retry_s) = locked(&self.delays).wait(Some(person), source, Instant::now()) {
            return Ok(Err(NotSignedIn::Wait { retry_s }));
        }
        let kept = file::read(&self.home, person)?.password;
        let against = kept.as_deref().unwrap_or(&self.nobody);
        let checked = self.slots.run(|| {
            let same = password::verify(present, against);
            same.then(|| password::hash(new))
        });
        match checked {
            None => Ok(Err(NotSignedIn::Busy)),
            Some(None) => {
                locked(&self.delays).failed(Some(person), source, Instant::now());
                Ok(Err(NotSignedIn::Wrong))
            }
            Some(Some(hashed)) => {
                let hashed = hashed?;
                // Looked at again under the lock: an invitation may have set another meanwhile.
                let set = file::change_where(&self.home, person, |now| {
                    let same = now.password == kept;
                    if same {
                        now.password = Some(hashed);
                    }
                    Ok((same, same))
                })?;
                if !set {
                    return Ok(Err(NotSignedIn::Wrong));
                }
                self.sessions.end(|of| of.person == person && of.id != session.id)?;
                changed(&self.home, person, person, "password", true)?;
                Ok(Ok(()))
            }
        }
    }
}

/// Ends sessions from beside a server, such as by the command: it sees that at the next request. Whoever
/// does it is an operator, as with [`crate::parties::act`].
///
/// # Errors
/// [`Error::Asked`]: who may not. The disk.
pub fn end_sessions(
    home: &Path,
    by: &str,
    holder: &str,
    person: &str,
    reason: &str,
) -> Result<usize> {
    crate::permit::said("reason", reason, crate::permit::MAX_REASON)?;
    let register = Register::read(home)?;
    crate::parties::may_act(&register, by)?;
    let ended = sessions::Sessions::open(home)?.end(|session| session.person == person)?;
    if ended > 0 {
        let body = model::record::PartySessionsEnded {
            person: person.to_owned(),
            sessions: ended as u64,
            reason: reason.to_owned(),
        };
        record(home, by, holder, |_| Ok(vec![body.into()]))?;
    }
    Ok(ended)
}

/// The sessions there are, for who looks from beside a server.
///
/// # Errors
/// The disk.
pub fn list_sessions(home: &Path) -> Result<Vec<Session>> {
    sessions::Sessions::open(home)?.all(now_ms())
}

/// Records that a way to sign in changed.
fn changed(home: &Path, by: &str, person: &str, means: &str, added: bool) -> Result<()> {
    let (person, means) = (person.to_owned(), means.to_owned());
    let body = PartyCredential { person, means, added };
    record(home, by, "vigie serve", |_| Ok(vec![body.into()])).map(drop)
}

#[cfg(test)]
mod tests;

//! Invitations: a link with which a person sets a password, once, within three days. Looking at it does
//! not spend it, since scanners of mail look at links; setting the password does.

use std::path::{Path, PathBuf};

use ledger::disk;
use model::Sha256Hex;
use serde::{Deserialize, Serialize};

use super::file::{self, folder, read_json, write_json};
use super::{Accounts, By, changed, check_new, password};
use crate::access::Access;
use crate::desk::now_ms;
use crate::parties::{Register, may_act};
use crate::{Error, Result};

/// How long an invitation holds: three days.
pub const INVITED_MS: i64 = 3 * 86_400_000;
/// The most invitations at once.
pub const MAX_INVITATIONS: usize = 1_000;
const MAX_FILE: u64 = 4_096;

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Invitation {
    person: String,
    until_ms: i64,
}

fn invitations(home: &Path) -> PathBuf {
    folder(home).join("invitations")
}

fn path(home: &Path, token: &str) -> PathBuf {
    invitations(home).join(Sha256Hex::of(token.as_bytes()).to_string())
}

/// Invites a person: the token of the link. An earlier invitation of theirs counts no longer.
///
/// # Errors
/// [`Error::Asked`]: who may not (as with [`crate::parties::act`]), nobody of that name, too many. The
/// disk.
pub fn invite(home: &Path, by: &str, person: &str) -> Result<String> {
    let register = Register::read(home)?;
    may_act(&register, by)?;
    if register.person(person).is_none() {
        return Err(Error::Asked(format!(
            "nobody is registered as {person:?}: `vigie party person` registers somebody"
        )));
    }
    let token = model::id::hex(&vault::random()?);
    {
        let _lock = file::lock(home)?;
        let now = now_ms();
        let mut there = 0;
        for item in invitations(home).read_dir().into_iter().flatten().flatten() {
            let found: Option<Invitation> = read_json(&item.path(), MAX_FILE).ok().flatten();
            match found {
                Some(other) if other.until_ms > now && other.person != person => there += 1,
                _ => disk::remove(&item.path())?,
            }
        }
        if there >= MAX_INVITATIONS {
            return Err(Error::Asked(format!(
                "{MAX_INVITATIONS} invitations are open, and no more can be: they end after three days"
            )));
        }
        let until_ms = now + INVITED_MS;
        write_json(&path(home, &token), &Invitation { person: person.to_owned(), until_ms })?;
    }
    changed(home, by, person, "invitation", true)?;
    Ok(token)
}

/// True where somebody may sign in at all: a person who holds an office now has a password or a passkey.
///
/// # Errors
/// The log; the disk.
pub fn has_credentials(home: &Path) -> Result<bool> {
    let register = Register::read(home)?;
    let now = now_ms();
    for (short, _) in register.people() {
        if !register.roles_at(short, now).is_empty() && file::read(home, short)?.can_sign_in() {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Accounts {
    /// For whom a link is that works still; looking does not spend it.
    ///
    /// # Errors
    /// The disk.
    pub fn invited(&self, access: &Access, token: &str) -> Result<Option<String>> {
        let found: Option<Invitation> = read_json(&path(&self.home, token), MAX_FILE)?;
        let lives = found.filter(|of| now_ms() < of.until_ms);
        Ok(lives.map(|of| of.person).filter(|person| access.person(person).is_some()))
    }

    /// Spends a link: what the person had to sign in with counts no longer, the password is set, their
    /// sessions end, and one begins. Its token; `None` where the link does not work, or not any more.
    ///
    /// # Errors
    /// [`Error::Asked`]: a password that cannot be had; the link is not spent then. The disk.
    pub fn accept(
        &self,
        access: &Access,
        token: &str,
        new: &str,
        agent: &str,
    ) -> Result<Option<String>> {
        let Some(person) = self.invited(access, token)? else { return Ok(None) };
        check_new(&person, new)?;
        let Some(hashed) = self.slots.run(|| password::hash(new)) else {
            return Err(Error::Asked(
                "too many passwords are being set at this moment: try again in a second".to_owned(),
            ));
        };
        let hashed = hashed?;
        let mut former = None;
        let spent = file::change_where(&self.home, &person, |kept| {
            // Looked at again under the lock: of two who send it at once one is first.
            let path = path(&self.home, token);
            let found: Option<Invitation> = read_json(&path, MAX_FILE)?;
            if found.is_none_or(|of| of.until_ms <= now_ms() || of.person != person) {
                return Ok((false, false));
            }
            disk::remove(&path)?;
            former = kept.handle.take();
            *kept = file::Person { password: Some(hashed), ..file::Person::default() };
            Ok((true, true))
        })?;
        if !spent {
            return Ok(None);
        }
        self.forget_handle(former.as_deref())?;
        self.sessions.end(|session| session.person == person)?;
        changed(&self.home, &person, &person, "password", true)?;
        let Some(who) = access.person(&person) else { return Ok(None) };
        self.begin(&who, By::Invitation, agent).map(Some)
    }
}

//! Passkeys: signing in by a key that lives in a person's device, and never leaves it (W3C Web Authentication
//! Level 3; the ceremonies are `webauthn_rp`'s).
//!
//! A passkey names its person: the device is asked for any passkey of this site, so no name is typed, and nobody
//! learns who has one. The device has to see that it is its owner (user verification); who made it is not asked
//! (no attestation). A passkey belongs to the name that the console was opened by, and to no other.
//!
//! Bounds: [`MAX_PASSKEYS`] a person; a ceremony ends after five minutes; [`ceremonies`] has how many run at once.

mod ceremonies;
mod kept;

use std::net::IpAddr;
use std::sync::Mutex;
use std::time::Instant;

use ledger::disk;
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, Nickname, PublicKeyCredentialUserEntity, RegistrationVerificationOptions, Username,
};
use webauthn_rp::request::{AsciiDomain, ExtensionInfo, RpId};
use webauthn_rp::response::auth::error::AuthCeremonyErr;
use webauthn_rp::{
    DiscoverableAuthentication16, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, PublicKeyCredentialCreationOptions, Registration,
    RegistrationServerState,
};

use super::{Accounts, By, From, NotSignedIn, Session, changed, file, locked, password};
use crate::access::{Access, network};
use crate::desk::now_ms;
use crate::{Error, Result};
use ceremonies::Ceremonies;
pub(super) use kept::Kept;

/// The most passkeys of one person.
pub const MAX_PASSKEYS: usize = 10;
/// The most characters of what a person calls one.
pub const MAX_PASSKEY_NAME: usize = 40;
/// The most bytes of what a browser answers in a ceremony.
pub const MAX_ANSWER: usize = 32 << 10;

/// Where a console was opened, as its browser says it.
#[derive(Debug, Clone, Copy)]
pub struct At<'a> {
    /// The host's name without a port: passkeys belong to it.
    pub host: &'a str,
    /// `https://HOST` or `https://HOST:PORT`; `http` on `localhost`.
    pub origin: &'a str,
}

impl At<'_> {
    fn site(&self) -> Result<RpId> {
        let no = || Error::Asked(NO_NAME.to_owned());
        // Level 3, section 5.1.3: an effective domain, and so no address.
        let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.".contains(&b);
        if self.host.parse::<IpAddr>().is_ok() || !self.host.bytes().all(letters) {
            return Err(no());
        }
        AsciiDomain::try_from(self.host.to_owned()).map(RpId::Domain).map_err(|_| no())
    }
}

const NO_NAME: &str =
    "passkeys belong to a name: open the console by its name, and not by its address";
const NOT_ADDED: &str = "the passkey was not taken: what the browser answered belongs to no question that is \
                         open here, or does not hold. Delete it in the device, and begin again";

/// A passkey, as lists show it: nothing of it opens anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passkey {
    /// What it is called in forms.
    pub id: String,
    /// What its person calls it.
    pub name: String,
    /// Where it opens.
    pub host: String,
    /// When it was added, in milliseconds since 1970 in UTC.
    pub added_ms: i64,
    /// When it counted backwards, in milliseconds since 1970 in UTC: there is a copy of it, and which of the two is its
    /// person's nobody can know. From then on neither opens anything.
    pub copied_ms: Option<i64>,
}

/// What an answer comes to.
enum Found {
    /// This person's, by the passkey of this id.
    Person(String, String),
    /// To nothing that is open here, or by nothing that is known here.
    Nobody,
    /// By a passkey that is known, and it does not hold.
    Forged,
    /// By this person's passkey, which signed, and counts backwards: it is one of two.
    Copied(String),
}

/// The ceremonies that run.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// By the network that asks.
    sign_in: Mutex<Ceremonies<IpAddr, DiscoverableAuthenticationServerState>>,
    /// By the session that asks.
    add: Mutex<Ceremonies<String, RegistrationServerState<16>>>,
}

#[cfg(test)]
impl Running {
    /// How many sign in, and from how many networks.
    pub(super) fn signing_in(&self) -> (usize, usize) {
        locked(&self.sign_in).len()
    }
}

impl Accounts {
    /// Begins to sign somebody in by a passkey: what the browser is told, as JSON
    /// (`PublicKeyCredentialRequestOptionsJSON`).
    ///
    /// # Errors
    /// [`Error::Asked`]: the console was not opened by a name. The inner one: too many at once, or too many
    /// failures from there.
    pub fn ask_passkey(
        &self,
        at: &At<'_>,
        source: IpAddr,
    ) -> Result<std::result::Result<String, NotSignedIn>> {
        let site = at.site()?;
        if let Some(retry_s) = locked(&self.delays).wait(None, source, Instant::now()) {
            return Ok(Err(NotSignedIn::Wait { retry_s }));
        }
        let begun = DiscoverableCredentialRequestOptions::passkey(&site).start_ceremony();
        let (server, client) = begun.map_err(|e| Error::Beside(e.to_string()))?;
        let options = serde_json::to_string(&client).map_err(|e| Error::Beside(e.to_string()))?;
        let kept = locked(&self.passkeys.sign_in).keep(network(source), server);
        Ok(if kept { Ok(options) } else { Err(NotSignedIn::Busy) })
    }

    /// Signs a person in by what the browser answered: the session's token. Each question is answered once.
    ///
    /// # Errors
    /// [`Error::Asked`]: no name; the disk. The inner one: why not.
    pub fn sign_in_by_passkey(
        &self,
        access: &Access,
        answer: &[u8],
        at: &At<'_>,
        from: From<'_>,
    ) -> Result<std::result::Result<String, NotSignedIn>> {
        let site = at.site()?;
        if let Some(retry_s) = locked(&self.delays).wait(None, from.source, Instant::now()) {
            return Ok(Err(NotSignedIn::Wait { retry_s }));
        }
        // Neither a question nor a passkey's id can be guessed, at 128 bits each. What counts as a failure is a
        // passkey that is known and whose signature does not hold; what is late, or a stranger's, is only refused.
        let (person, id) = match self.of_passkey(answer, &site, at)? {
            Found::Person(person, id) => (person, id),
            Found::Nobody => return Ok(Err(NotSignedIn::Wrong)),
            Found::Forged => {
                locked(&self.delays).failed(None, from.source, Instant::now());
                return Ok(Err(NotSignedIn::Wrong));
            }
            Found::Copied(person) => {
                locked(&self.delays).failed(None, from.source, Instant::now());
                changed(&self.home, &person, &person, "passkey_copied", false)?;
                return Ok(Err(NotSignedIn::Wrong));
            }
        };
        let Some(who) = access.person(&person) else { return Ok(Err(NotSignedIn::Wrong)) };
        let token = self.begin(&who, By::Passkey, from.agent)?;
        // An invitation that was accepted meanwhile ended every session but this one.
        if !file::read(&self.home, &person)?.passkeys.iter().any(|one| one.id == id) {
            self.sessions.end_token(&token)?;
            return Ok(Err(NotSignedIn::Wrong));
        }
        Ok(Ok(token))
    }

    /// Whose passkey answered.
    fn of_passkey(&self, answer: &[u8], site: &RpId, at: &At<'_>) -> Result<Found> {
        if answer.len() > MAX_ANSWER {
            return Ok(Found::Nobody);
        }
        let Ok(answer) = DiscoverableAuthentication16::from_json_custom(answer) else {
            return Ok(Found::Nobody);
        };
        let Ok(challenge) = answer.challenge_relaxed() else { return Ok(Found::Nobody) };
        let Some(server) = locked(&self.passkeys.sign_in).take(&challenge, |_| true) else {
            return Ok(Found::Nobody);
        };
        let handle = answer.response().user_handle();
        let Some(person) = kept::whose(&self.home, handle)? else { return Ok(Found::Nobody) };
        let id = answer.raw_id();
        file::change_where(&self.home, &person, |of| {
            // A handle that was taken from a person is nobody's.
            if of.handle.as_deref() != Some(kept::hex(handle).as_str()) {
                return Ok((false, Found::Nobody));
            }
            let found = of.passkeys.iter_mut().find(|one| one.is(id) && one.host == at.host);
            let Some(one) = found.filter(|one| one.copied_ms.is_none()) else {
                return Ok((false, Found::Nobody));
            };
            let Some(mut credential) = one.credential(id, handle) else {
                return Ok((false, Found::Nobody));
            };
            let options = AuthenticationVerificationOptions::<'_, '_, &str, &str> {
                allowed_origins: &[at.origin],
                ..Default::default()
            };
            match server.verify(site, &answer, &mut credential, &options) {
                Ok(moved) => {
                    one.moved(credential.dynamic_state());
                    Ok((moved, Found::Person(person.clone(), one.id.clone())))
                }
                // The signature holds: whoever answered has the key.
                Err(AuthCeremonyErr::SignatureCounter) => {
                    one.copied_ms = Some(now_ms());
                    Ok((true, Found::Copied(person.clone())))
                }
                Err(_) => Ok((false, Found::Forged)),
            }
        })
    }

    /// Begins to add a passkey to a person who is signed in: what the browser is told, as JSON
    /// (`PublicKeyCredentialCreationOptionsJSON`). The present password is asked for, so that a session that somebody
    /// else took cannot be made to last.
    ///
    /// # Errors
    /// [`Error::Asked`]: no name; as many as can be. The disk. The inner one: the password is wrong, too much
    /// guessing at it, too many at once.
    pub fn offer_passkey(
        &self,
        session: &Session,
        present: &str,
        at: &At<'_>,
        source: IpAddr,
    ) -> Result<std::result::Result<String, NotSignedIn>> {
        let site = at.site()?;
        let person = session.person.as_str();
        if let Some(retry_s) = locked(&self.delays).wait(Some(person), source, Instant::now()) {
            return Ok(Err(NotSignedIn::Wait { retry_s }));
        }
        let of = file::read(&self.home, person)?;
        let known = of.password.is_some();
        let against = of.password.as_deref().unwrap_or(&self.nobody);
        match self.slots.run(|| password::verify(present, against)) {
            None => return Ok(Err(NotSignedIn::Busy)),
            Some(same) if same && known => locked(&self.delays).succeeded(person),
            Some(_) => {
                locked(&self.delays).failed(Some(person), source, Instant::now());
                return Ok(Err(NotSignedIn::Wrong));
            }
        }
        full(&of)?;
        let Some(handle) = kept::handle(&self.home, person, of.password.as_deref())? else {
            // An invitation was accepted meanwhile.
            return Ok(Err(NotSignedIn::Wrong));
        };
        let name = Username::try_from(person.to_owned());
        let name =
            name.map_err(|_| Error::Asked(format!("{person:?} cannot be told to a device")))?;
        let entity = PublicKeyCredentialUserEntity::<'_, '_, '_, 16> {
            name,
            id: &handle,
            display_name: Nickname::try_from(person.to_owned()).ok(),
        };
        let others = of.passkeys.iter().filter(|one| one.host == at.host);
        let others = others.filter_map(Kept::descriptor).collect();
        let mut begun = PublicKeyCredentialCreationOptions::passkey(&site, entity, others);
        // It is asked for here each time: a device that knows no such wish need not be turned away.
        begun.extensions.cred_protect =
            CredProtect::UserVerificationRequired(ExtensionInfo::AllowDontEnforceValue);
        let (server, client) = begun.start_ceremony().map_err(|e| Error::Beside(e.to_string()))?;
        let options = serde_json::to_string(&client).map_err(|e| Error::Beside(e.to_string()))?;
        let kept = locked(&self.passkeys.add).keep(session.id.clone(), server);
        Ok(if kept { Ok(options) } else { Err(NotSignedIn::Busy) })
    }

    /// Adds the passkey that a device made, under a name of its person's choice (cut of blanks). It is recorded that there is
    /// one more, and whose.
    ///
    /// # Errors
    /// [`Error::Asked`]: a name that cannot be; an answer to nothing that was asked, or that does not hold; as
    /// many as can be. The disk.
    pub fn add_passkey(
        &self,
        session: &Session,
        name: &str,
        answer: &[u8],
        at: &At<'_>,
    ) -> Result<()> {
        let name = passkey_name(name).ok_or_else(|| {
            Error::Asked(format!(
                "a passkey has a name of one to {MAX_PASSKEY_NAME} characters, so that you know it from others: \
                 the device's is a good one"
            ))
        })?;
        let (site, person) = (at.site()?, session.person.as_str());
        let no = || Error::Asked(NOT_ADDED.to_owned());
        if answer.len() > MAX_ANSWER {
            return Err(no());
        }
        let answer = Registration::from_json_custom(answer).map_err(|_| no())?;
        let challenge = answer.challenge_relaxed().map_err(|_| no())?;
        let asked = |who: &String| *who == session.id;
        let server = locked(&self.passkeys.add).take(&challenge, asked).ok_or_else(no)?;
        let options = RegistrationVerificationOptions::<'_, '_, &str, &str> {
            allowed_origins: &[at.origin],
            ..Default::default()
        };
        let made = server.verify(&site, &answer, &options).map_err(|_| no())?;
        let one = Kept::of(&made, name, at.host, now_ms()).ok_or_else(no)?;
        file::change(&self.home, person, |of| {
            // Looked at again under the lock: an invitation may have taken all of it meanwhile.
            if of.handle.as_deref() != Some(kept::hex(made.user_id()).as_str())
                || of.passkeys.iter().any(|other| other.id == one.id)
            {
                return Err(no());
            }
            full(of)?;
            of.passkeys.push(one);
            Ok(())
        })?;
        changed(&self.home, person, person, "passkey", true)
    }

    /// A person's passkeys, the oldest first.
    ///
    /// # Errors
    /// The disk.
    pub fn passkeys(&self, person: &str) -> Result<Vec<Passkey>> {
        Ok(file::read(&self.home, person)?.passkeys.iter().map(Kept::shown).collect())
    }

    /// Passkeys of whoever is registered that were found copied, and are not taken away yet: whose, and which.
    ///
    /// # Errors
    /// The disk.
    pub fn copied_passkeys(&self, access: &Access) -> Result<Vec<(String, Passkey)>> {
        let people: Vec<String> = access
            .register(|register| register.people().map(|(name, _)| name.to_owned()).collect());
        let mut all = Vec::new();
        for person in people {
            let copied = self.passkeys(&person)?.into_iter().filter(|one| one.copied_ms.is_some());
            all.extend(copied.map(|one| (person.clone(), one)));
        }
        Ok(all)
    }

    /// Takes one of a person's passkeys away; `false` where there is none of that id. The sessions that it
    /// began go on: they are listed, and can be ended.
    ///
    /// # Errors
    /// The disk.
    pub fn remove_passkey(&self, person: &str, id: &str) -> Result<bool> {
        let gone = file::change_where(&self.home, person, |of| {
            let before = of.passkeys.len();
            of.passkeys.retain(|one| one.id != id);
            let gone = of.passkeys.len() < before;
            Ok((gone, gone))
        })?;
        if gone {
            changed(&self.home, person, person, "passkey", false)?;
        }
        Ok(gone)
    }

    /// Removes the file of a handle that was taken from a person; where it stays, it finds nobody.
    pub(super) fn forget_handle(&self, handle: Option<&str>) -> Result<()> {
        let Some(path) = handle.and_then(|handle| kept::path(&self.home, handle)) else {
            return Ok(());
        };
        if path.exists() { Ok(disk::remove(&path)?) } else { Ok(()) }
    }
}

/// What a person calls a passkey, without blanks around it; `None` where that is no name.
pub fn passkey_name(name: &str) -> Option<&str> {
    let name = name.trim();
    let fits = (1..=MAX_PASSKEY_NAME).contains(&name.chars().count());
    (fits && !name.chars().any(char::is_control)).then_some(name)
}

fn full(of: &file::Person) -> Result<()> {
    if of.passkeys.len() < MAX_PASSKEYS {
        return Ok(());
    }
    Err(Error::Asked(format!(
        "{MAX_PASSKEYS} passkeys are as many as a person can have: take one away first"
    )))
}

//! What is kept of a passkey: its public half, in the person's file; and the handle by which a device names the
//! person, 16 random bytes, in `HOME/access/handles/HANDLE`.

use std::path::{Path, PathBuf};

use data_encoding::{BASE64URL_NOPAD, HEXLOWER_PERMISSIVE};
use serde::{Deserialize, Serialize};
use webauthn_rp::bin::{Decode, Encode};
use webauthn_rp::request::PublicKeyCredentialDescriptor;
use webauthn_rp::request::register::UserHandle16;
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{AuthenticatedCredential, RegisteredCredential};

use super::Passkey;
use super::file::{self, folder, read_json, write_json};
use crate::Result;

const MAX_FILE: u64 = 4_096;

/// A passkey in a person's file. Bytes are base64 (RFC 4648, section 5, without padding).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(in super::super) struct Kept {
    /// The credential's id, as the device gave it.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) host: String,
    pub(super) added_ms: i64,
    /// How the device is reached, as its browser says.
    transports: u8,
    /// The public key.
    key: String,
    /// How often it signed, and the like: what changes.
    state: String,
    /// When it first counted backwards: there is a copy of it, and from then on it opens nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(in super::super) copied_ms: Option<i64>,
}

/// As the library has a public key that was kept.
pub(super) type Credential<'a> =
    AuthenticatedCredential<'a, 'a, 16, CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>;

impl Kept {
    pub(super) fn of(
        made: &RegisteredCredential<'_, 16>,
        name: &str,
        host: &str,
        added_ms: i64,
    ) -> Option<Self> {
        Some(Self {
            id: BASE64URL_NOPAD.encode(made.id().as_ref()),
            name: name.to_owned(),
            host: host.to_owned(),
            added_ms,
            transports: made.transports().encode().ok()?,
            key: BASE64URL_NOPAD.encode(&made.static_state().encode().ok()?),
            state: BASE64URL_NOPAD.encode(&made.dynamic_state().encode().ok()?),
            copied_ms: None,
        })
    }

    pub(super) fn is(&self, id: CredentialId<&[u8]>) -> bool {
        self.id == BASE64URL_NOPAD.encode(id.as_ref())
    }

    /// As the library checks signatures with it; `None` where the file was damaged.
    pub(super) fn credential<'a>(
        &self,
        id: CredentialId<&'a [u8]>,
        handle: &'a UserHandle16,
    ) -> Option<Credential<'a>> {
        let key = StaticState::decode(&BASE64URL_NOPAD.decode(self.key.as_bytes()).ok()?).ok()?;
        let state: [u8; 7] = BASE64URL_NOPAD.decode(self.state.as_bytes()).ok()?.try_into().ok()?;
        AuthenticatedCredential::new(id, handle, key, DynamicState::decode(state).ok()?).ok()
    }

    /// It signed: what changed by that.
    pub(super) fn moved(&mut self, state: DynamicState) {
        let Ok(state) = state.encode();
        self.state = BASE64URL_NOPAD.encode(&state);
    }

    /// As a device is told of it, so that it makes no second one for the same person.
    pub(super) fn descriptor(&self) -> Option<PublicKeyCredentialDescriptor<Vec<u8>>> {
        let id = BASE64URL_NOPAD.decode(self.id.as_bytes()).ok()?;
        Some(PublicKeyCredentialDescriptor {
            id: CredentialId::decode(id).ok()?,
            transports: AuthTransports::decode(self.transports).ok()?,
        })
    }

    pub(super) fn shown(&self) -> Passkey {
        Passkey {
            id: self.id.clone(),
            name: self.name.clone(),
            host: self.host.clone(),
            added_ms: self.added_ms,
            copied_ms: self.copied_ms,
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whose {
    person: String,
}

pub(super) fn hex(handle: &UserHandle16) -> String {
    model::id::hex(handle.as_ref())
}

/// Where a handle's file is; `None` where it is none.
pub(super) fn path(home: &Path, handle: &str) -> Option<PathBuf> {
    let is_one = handle.len() == 32 && handle.bytes().all(|b| b.is_ascii_hexdigit());
    is_one.then(|| folder(home).join("handles").join(handle))
}

/// The person of a handle.
pub(super) fn whose(home: &Path, handle: &UserHandle16) -> Result<Option<String>> {
    let Some(path) = path(home, &hex(handle)) else { return Ok(None) };
    Ok(read_json::<Whose>(&path, MAX_FILE)?.map(|of| of.person))
}

/// A person's handle, made where there is none. Its file stands before the person's own names it. `None` where the
/// password is not the one that was kept, by now.
pub(super) fn handle(
    home: &Path,
    person: &str,
    password: Option<&str>,
) -> Result<Option<UserHandle16>> {
    file::change_where(home, person, |of| {
        if of.password.as_deref() != password {
            return Ok((false, None));
        }
        let known = of.handle.as_deref().and_then(|handle| {
            let bytes = HEXLOWER_PERMISSIVE.decode(handle.as_bytes()).ok()?;
            UserHandle16::decode(<[u8; 16]>::try_from(bytes).ok()?).ok()
        });
        let made = known.is_none();
        // By default a random one.
        let handle = known.unwrap_or_default();
        // Its file may have been lost.
        if whose(home, &handle)?.as_deref() != Some(person)
            && let Some(path) = path(home, &hex(&handle))
        {
            write_json(&path, &Whose { person: person.to_owned() })?;
        }
        of.handle = Some(hex(&handle));
        Ok((made, Some(handle)))
    })
}

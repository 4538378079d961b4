//! Passphrases of key files: where they come from, once in a process.
//!
//! Keys are opened deep below whoever could ask a user. So the process says once, at its start, how
//! a passphrase is come by; a key that was opened stays open until the process ends.

use std::fmt;
use std::path::Path;
use std::sync::{Mutex, OnceLock, PoisonError};

use model::Sha256Hex;
use zeroize::Zeroizing;

use crate::error::{Error, Result};
use crate::keyfile::{Fresh, Sealed};
use crate::note::SigningKey;

/// The longest passphrase, in bytes.
pub const MAX_PASSPHRASE: usize = 1024;

/// A passphrase. It leaves memory when it is dropped, and is never printed.
#[derive(Clone)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// The passphrase of that text.
    pub fn new(text: impl Into<Zeroizing<String>>) -> Self {
        Self(text.into())
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// Characters.
    pub fn chars(&self) -> usize {
        self.0.chars().count()
    }
}

impl PartialEq for Passphrase {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase")
    }
}

/// How a passphrase is come by: from the authority's name, else in words why not.
pub type Source = dyn Fn(&str) -> std::result::Result<Passphrase, String> + Send + Sync;

static SOURCE: OnceLock<Box<Source>> = OnceLock::new();

/// A file's digest, the key in it, and what opened it.
type Opened = (Sha256Hex, SigningKey, Passphrase);

/// Keys opened in this process.
static OPENED: Mutex<Vec<Opened>> = Mutex::new(Vec::new());

/// Says how this process comes by passphrases. Only the first call counts. Without one, a key under
/// a passphrase stays closed.
pub fn passphrases_from(source: Box<Source>) {
    let _ = SOURCE.set(source);
}

/// The key of a sealed file, opened at most once in this process. Who comes while another is asked
/// waits for the answer.
pub(crate) fn open(path: &Path, sealed: &Sealed) -> Result<SigningKey> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    find(&mut opened, path, sealed).map(|(key, _)| key)
}

/// Another key under the same passphrase, at the same cost.
pub(crate) fn alike(
    path: &Path,
    sealed: &Sealed,
    key: &SigningKey,
    fresh: Fresh,
) -> Result<Sealed> {
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let (_, passphrase) = find(&mut opened, path, sealed)?;
    let new = Sealed::new(key, &passphrase, sealed.cost(), fresh);
    let new = new.map_err(|e| Error::key_file(path, e))?;
    opened.push((digest(&new), key.clone(), passphrase));
    Ok(new)
}

fn digest(sealed: &Sealed) -> Sha256Hex {
    Sha256Hex::of(sealed.to_string().as_bytes())
}

fn find(
    opened: &mut Vec<Opened>,
    path: &Path,
    sealed: &Sealed,
) -> Result<(SigningKey, Passphrase)> {
    let digest = digest(sealed);
    if let Some((_, key, passphrase)) = opened.iter().find(|(of, ..)| *of == digest) {
        return Ok((key.clone(), passphrase.clone()));
    }
    let authority = sealed.verifier().name().to_owned();
    let locked = |why: String| Error::Locked { authority: authority.clone(), why };
    let source = SOURCE.get().ok_or_else(|| locked("nobody can be asked for it".to_owned()))?;
    let passphrase = source(&authority).map_err(locked)?;
    let key = sealed.open(&passphrase).map_err(|e| Error::key_file(path, e))?;
    opened.push((digest, key.clone(), passphrase.clone()));
    Ok((key, passphrase))
}

//! A person's file: `HOME/access/people/NAME`.

use std::io::Read;
use std::path::{Path, PathBuf};

use ledger::{Lock, disk};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::passkey::Kept;
use crate::parties::is_short;
use crate::{Error, Result};

/// The most bytes of one.
const MAX_FILE: u64 = 1 << 20;

/// What a person signs in with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Person {
    /// A PHC string.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) password: Option<String>,
    /// What devices call the person by: 16 random bytes, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) handle: Option<String>,
    /// Passkeys.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) passkeys: Vec<Kept>,
}

impl Person {
    /// True where there is a way to sign in.
    pub(super) fn can_sign_in(&self) -> bool {
        self.password.is_some() || self.passkeys.iter().any(|one| one.copied_ms.is_none())
    }
}

/// The folder of accounts.
pub(super) fn folder(home: &Path) -> PathBuf {
    home.join("access")
}

/// Holds other writers off, of this process and of others.
pub(super) fn lock(home: &Path) -> Result<Lock> {
    disk::create_dir(&folder(home))?;
    Ok(Lock::acquire(&folder(home).join("lock"), "accounts", ledger::Wait::Wait)?)
}

fn path(home: &Path, person: &str) -> Result<PathBuf> {
    // It becomes a file's name: what is no short name is nobody's, and no path.
    if !is_short(person) {
        return Err(Error::Asked(format!("{person:?} is no short name")));
    }
    Ok(folder(home).join("people").join(person))
}

/// A person's file; an empty one where there is none.
pub(super) fn read(home: &Path, person: &str) -> Result<Person> {
    Ok(read_json(&path(home, person)?, MAX_FILE)?.unwrap_or_default())
}

/// Changes a person's file, held off from other writers.
pub(super) fn change<T>(
    home: &Path,
    person: &str,
    change: impl FnOnce(&mut Person) -> Result<T>,
) -> Result<T> {
    change_where(home, person, |kept| Ok((true, change(kept)?)))
}

/// The same, and writes it only where the change says so.
pub(super) fn change_where<T>(
    home: &Path,
    person: &str,
    change: impl FnOnce(&mut Person) -> Result<(bool, T)>,
) -> Result<T> {
    let path = path(home, person)?;
    let _lock = lock(home)?;
    let mut kept = read(home, person)?;
    let (changed, out) = change(&mut kept)?;
    if changed {
        write_json(&path, &kept)?;
    }
    Ok(out)
}

/// A file of JSON of at most so many bytes; `None` where there is none.
pub(super) fn read_json<T: DeserializeOwned>(path: &Path, most: u64) -> Result<Option<T>> {
    let failed = |source| Error::Read { path: path.to_owned(), source };
    let file = match std::fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes).map_err(failed)?;
    let wrong = |why: String| Error::Beside(format!("{}: {why}", path.display()));
    if bytes.len() as u64 > most {
        return Err(wrong(format!("it is longer than {most} bytes")));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(|e| wrong(e.to_string()))
}

/// Writes a file that only its owner reads.
pub(super) fn write_json(path: &Path, what: &impl Serialize) -> Result<()> {
    if let Some(folder) = path.parent() {
        disk::create_dir(folder)?;
    }
    let text = serde_json::to_vec(what).map_err(|e| Error::Beside(e.to_string()))?;
    Ok(disk::write_with(path, &text, disk::Overwrite::Replace, 0o600)?)
}

//! The authority that signs, and its key.

use std::path::Path;

use ledger::{Authority, Cost, Fresh, OwnKey, Passphrase, Under};
use vault::{Home, Wait};

use crate::{Error, Result};

/// The fewest characters of a passphrase.
pub const MIN_PASSPHRASE: usize = 8;

/// Names the authority whose folder is `home`: makes its key and its own log.
///
/// # Errors
/// A name that is none; an authority that is named already; the disk.
pub fn init(home: &Path, name: &str) -> Result<()> {
    Home::new(home).init(name, &vault::random()?)?;
    Ok(())
}

/// The home's own authority, else that for practice; nothing is made.
fn own(home: &Path) -> Result<Authority> {
    let home = Home::new(home);
    let name = home.named()?.unwrap_or_else(|| ledger::PRACTICE.to_owned());
    Ok(home.find(&name)?)
}

/// Opens the key that signs the case in `case`, or will sign it, before work begins that should not
/// stop for a passphrase. A home without that key is told by whatever signs.
///
/// # Errors
/// No passphrase, or a wrong one; a key's file that others can read.
pub fn ready(home: &Path, case: &Path) -> Result<()> {
    let found = match vault::Case::origin_in(case) {
        Ok(origin) => Home::new(home).find(vault::authority_of(&origin)).map_err(Error::from),
        Err(_) => own(home),
    };
    match found {
        Ok(authority) => authority.unlock().map(drop).map_err(Error::from),
        Err(Error::Disk(e)) if e.is_missing() => Ok(()),
        Err(e) => Err(e),
    }
}

/// The home's own authority's public key, as notes and trust files write it. No passphrase is needed.
///
/// # Errors
/// No key.
pub fn public(home: &Path) -> Result<String> {
    let authority = own(home)?;
    Ok(authority.verifier(authority.name())?.text())
}

/// Opens the home's own key: its authority's name, and whether it is under a passphrase.
///
/// # Errors
/// No key; no passphrase, or a wrong one; a key's file that others can read.
pub fn unlock(home: &Path) -> Result<(String, bool)> {
    let authority = own(home)?;
    authority.unlock()?;
    Ok((authority.name().to_owned(), authority.is_sealed()))
}

/// Puts the home's own key under a passphrase, or another one, or none.
///
/// # Errors
/// As [`unlock`]; a passphrase of fewer than [`MIN_PASSPHRASE`] characters; the disk.
pub fn protect(home: &Path, passphrase: Option<&Passphrase>, holder: &str) -> Result<()> {
    let under = passphrase.map(under).transpose()?;
    Ok(own(home)?.protect(under, holder, Wait::Wait)?)
}

/// Opens the key in a person's file: whose it is, and whether it is under a passphrase.
///
/// # Errors
/// As [`unlock`].
pub fn unlock_file(path: &Path) -> Result<(String, bool)> {
    let key = OwnKey::read(path)?;
    key.unlock()?;
    Ok((key.name().to_owned(), key.is_sealed()))
}

/// Puts the key in a person's file under a passphrase, or another one, or none.
///
/// # Errors
/// As [`protect`].
pub fn protect_file(path: &Path, passphrase: Option<&Passphrase>) -> Result<()> {
    let under = passphrase.map(under).transpose()?;
    Ok(OwnKey::read(path)?.protect(under)?)
}

fn under(passphrase: &Passphrase) -> Result<Under<'_>> {
    let chars = passphrase.chars();
    if chars < MIN_PASSPHRASE {
        return Err(Error::Asked(format!(
            "a passphrase has at least {MIN_PASSPHRASE} characters, this one {chars}: five words \
             chosen by dice are a good one"
        )));
    }
    Ok((passphrase, Cost::USUAL, Fresh::of(&vault::random()?, &vault::random()?)))
}

/// Replaces the key of the home's own authority, or completes a replacing that was cut off.
///
/// # Errors
/// No key; no passphrase, or a wrong one; the authority's own log is damaged; the disk.
pub fn rotate(home: &Path, reason: Option<String>, holder: &str) -> Result<vault::Rotated> {
    let now_ms = crate::desk::now_ms();
    Ok(vault::rotate(&Home::new(home), reason, now_ms, holder, Wait::Wait)?)
}

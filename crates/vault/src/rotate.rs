//! Replacing an authority's key.
//!
//! In order, each durable before the next: the new key's file `key-next`; the opening of the record;
//! the record `key.rotated` in the authority's own log, with a checkpoint by the new key, in one flush;
//! then `key-next` takes the place of `key`. What decides is the record: before it nothing has
//! happened and the same command begins anew, after it the new key signs, and whoever opens the log
//! for writing gives the file its name.

use ledger::{Former, Home, Keys, Log, Wait};
use model::record::{Envelope, KeyRotated, write};

use crate::error::{Error, Result};
use crate::keys::{finish_log, keys_of, of_authority, own_log, statement};

/// What came of a rotation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotated {
    /// Whose key.
    pub authority: String,
    /// The record in the authority's own log.
    pub record: u64,
    /// The verifier key that was replaced.
    pub old: String,
    /// The one that counts from there on.
    pub new: String,
    /// True where an earlier run had recorded it, and this one only completed it.
    pub completed: bool,
}

/// Replaces the key of the home's authority, or completes a replacing that a crash cut off.
///
/// # Errors
/// No key; no passphrase; a lock held by another; a log that is damaged; the disk.
pub fn rotate(
    home: &Home,
    reason: Option<String>,
    now_ms: i64,
    holder: &str,
    wait: Wait,
) -> Result<Rotated> {
    let name = home.named()?.unwrap_or_else(|| ledger::PRACTICE.to_owned());
    let authority = home.find(&name)?;
    authority.unlock()?; // before others wait for the lock
    let lock = authority.lock(holder, wait)?;
    let (authority, completed) = authority.reread()?.settle(&lock)?;
    if completed {
        finish_log(&authority, own_log(&authority)?)?;
        let last = of_authority(&authority)?.pop().ok_or(ledger::Error::NoEntry(0))?;
        return Ok(Rotated {
            authority: name,
            record: last.record,
            old: last.old.text(),
            new: last.new.text(),
            completed,
        });
    }
    // The log as it is, whole, under the old key.
    let log = own_log(&authority)?;
    let record = log.size();
    finish_log(&authority, log)?;
    let old = authority.unlock()?;
    let fresh = ledger::Fresh::of(&crate::random()?, &crate::random()?);
    let new = authority.put_next(&lock, &crate::random()?, fresh)?;
    let body = KeyRotated {
        old: old.verifier().text(),
        new: new.verifier().text(),
        statement: statement(&old, &new),
        reason,
    };
    let (old_text, new_text) = (body.old.clone(), body.new.clone());
    let envelope = Envelope { time_ms: now_ms, authority: name.clone(), actor: String::new() };
    let of = |source| Error::Record { index: record, source };
    let mut salts = Vec::new();
    for _ in 0..4 {
        salts.push(crate::random()?);
    }
    let (entry, opening) =
        write(&body.into(), &envelope, &mut || salts.pop().unwrap_or([0; 32])).map_err(of)?;
    let line = opening.to_line().map_err(|e| of(e.into()))?;
    authority.put_opening(&lock, record, &line)?;

    let before = keys_of(&authority.reader()?, &name, &authority)?;
    let mut former = before.former().to_vec();
    former.push(Former { key: before.now().clone(), until: record });
    let keys = Keys::new(former, new.verifier());
    let mut log = Log::open_with(&authority.log_dir(), new, &keys)?;
    log.append(&[entry])?;
    log.finish()?;
    let (authority, _) = authority.reread()?.settle(&lock)?;
    // It is done: what could not be kept in mind of it is by the next command.
    let _ = own_log(&authority).and_then(|log| finish_log(&authority, log));
    debug_assert_eq!(authority.verifier(&name)?.text(), new_text);
    Ok(Rotated { authority: name, record, old: old_text, new: new_text, completed })
}

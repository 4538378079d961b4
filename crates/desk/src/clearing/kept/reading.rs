//! What a log comes to, for who only reads: of what is kept and what came since, by the same checks as at a start.
//!
//! Nothing is written and no lock is taken: a house that runs may keep more meanwhile.

use std::path::Path;
use std::time::SystemTime;

use ledger::{Home, Keys, Reader, tree};
use vault::{Case, KnownOf};

use super::{Started, Use, from, looked, path, standing};
use crate::clearing::replay::Standing;
use crate::clearing::witnessed::Cosigned;
use crate::witness;
use crate::{Error, Result};

/// How often it is looked again where what is kept was made anew meanwhile.
const AGAIN: u32 = 3;

/// What the log in a folder comes to. Where the authority is in `home`, its key has to have signed what is kept;
/// elsewhere it is the key that the log names, as for `verify`.
///
/// # Errors
/// As [`Case::read`] and [`standing`]; a log that does not go through what the authority in `home` has seen of it.
pub(in crate::clearing) fn read(dir: &Path, home: Option<&Path>) -> Result<(Standing, Started)> {
    let mut tries = 0;
    // Asked before the log is opened: what is published later the authority sees later.
    let seen = home.map(|home| known_of(dir, home)).transpose()?.flatten();
    loop {
        // Opened before the log is looked at: what is kept later may be of more records than are seen here.
        let (stands, file) = (modified(dir), looked(&path(dir)));
        let (mut kept, mut signs) = (Ok(None), None);
        let knows = |log: &Reader| {
            let keys = keys(log, home);
            kept = keys.clone().and_then(|keys| from(dir, file?, log, &keys));
            signs = keys.ok();
            let (standing, records) = kept.as_ref().ok()?.as_ref()?;
            standing.spoken.known(*records)
        };
        let case = Case::read_knowing(dir, knows).map_err(|e| Error::from(e).of_house())?;
        if let Some(seen) = &seen {
            seen.hold(case.log())?;
        }
        // Of its two files a house that runs may have replaced one between the two.
        if kept.is_err() && tries < AGAIN && modified(dir) != stands {
            tries += 1;
            continue;
        }
        let cosigned = home.zip(signs).and_then(|(home, keys)| {
            let named = witness::policy(home, Some(case.authority())).ok()?.witnesses;
            Cosigned::kept(named, &dir.join("ledger"), case.log(), &keys).ok()
        });
        return standing(&case, kept, cosigned.unwrap_or_default().sizes());
    }
}

/// What the authority in a home knows of the log in a folder; `None`: it is not in that home.
fn known_of(dir: &Path, home: &Path) -> Result<Option<KnownOf>> {
    // Of a folder that cannot be opened it is told where it is opened.
    let Ok(origin) = Case::origin_in(dir) else { return Ok(None) };
    let Ok(authority) = Home::new(home).find(vault::authority_of(&origin)) else { return Ok(None) };
    let log = Reader::open(&dir.join("ledger")).map_err(vault::Error::from)?;
    let keys = vault::keys_of(&log, &origin, &authority)?;
    Ok(Some(KnownOf::of(&authority, &origin, &keys)?))
}

/// When what is kept was made; `None`: nothing is.
fn modified(dir: &Path) -> Option<SystemTime> {
    path(dir).metadata().and_then(|meta| meta.modified()).ok()
}

/// Whose signatures count in a log.
pub(super) fn keys(log: &Reader, home: Option<&Path>) -> Use<Keys> {
    let told = |e: vault::Error| e.to_string();
    let note = log.published().ok_or("the log has no checkpoint")?;
    let now = ledger::Checkpoint::parse_unverified(note).map_err(|e| e.to_string())?;
    let name = vault::authority_of(&now.origin);
    if let Some(authority) = home.and_then(|home| Home::new(home).find(name).ok()) {
        return vault::keys_of(log, &now.origin, &authority).map_err(told);
    }
    // The record that names the key has to be the one over which that key signed.
    let whole = || -> ledger::Result<bool> {
        let (size, hashes) = log.inclusion_proof(0)?;
        let leaf = tree::leaf(&log.entry(0)?);
        Ok(size == now.size && tree::is_included(&leaf, 0, size, &hashes, &now.root))
    };
    let is = whole().map_err(|e| e.to_string())?;
    let named = vault::named_keys(log).map_err(told)?.filter(|_| is);
    named.ok_or_else(|| "the log's first record, which names its key, does not hold".to_owned())
}

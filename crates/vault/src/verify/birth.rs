//! What a case says of its own birth, and whether it was born at all.
//!
//! A case is begun by a folder, an empty log and its first opening; it is born with its first record.
//! Whoever is stopped before that leaves files that no record speaks of. They are no evidence, and nothing
//! of them was changed: they are told apart from a case whose log was taken away by what only a case has.

use std::path::Path;

use ledger::{Authority, Checkpoint, Keys, Still, VerifierKey};
use model::Canon;
use model::record::Record;

use crate::error::{Error, Result};
use crate::keys::birth_in;

/// What the case says of its own birth; nothing of it is trusted yet.
pub(super) struct Birth {
    pub(super) origin: String,
    pub(super) key: Option<VerifierKey>,
}

impl Birth {
    pub(super) fn of(still: &Still) -> Self {
        let first = still.first_entry().and_then(|bytes| Record::parse(&bytes).ok());
        let text =
            |name: &str| first.as_ref().and_then(|r| r.public.get(name)).and_then(Canon::as_text);
        let key = text("key").and_then(|key| VerifierKey::parse(key).ok());
        let origin = text("origin")
            .map(str::to_owned)
            .or_else(|| Checkpoint::parse_unverified(still.checkpoint()?).ok().map(|c| c.origin));
        Self { origin: origin.unwrap_or_default(), key }
    }
}

/// True where a case was begun and has no record: its log is empty, nothing was sealed or viewed, and its
/// authority, where that is at hand, has not seen a record of it either.
pub(super) fn is_unmade(
    dir: &Path,
    still: &Still,
    birth: &Birth,
    authority: Option<&Authority>,
) -> bool {
    let empty = still.is_bare() && still.reader().is_ok_and(|log| log.size() == 0);
    empty && is_bare(dir) && !authority.is_some_and(|authority| knows(authority, &birth.origin))
}

/// Holds a folder in which a case is to be made against what a case has: it may hold what somebody left
/// who was stopped before the first record, and nothing else.
///
/// # Errors
/// [`Error::LogGone`] where it holds parts of a case; [`ledger::Error::RolledBack`] where the authority
/// knows a case that was begun here.
pub(crate) fn only_begun(dir: &Path, authority: &Authority) -> Result<()> {
    let gone = || Error::LogGone(dir.to_owned());
    if !is_bare(dir) {
        return Err(gone());
    }
    let ledger_dir = dir.join("ledger");
    if !ledger_dir.is_dir() {
        return Ok(());
    }
    let still = Still::take(&ledger_dir)?;
    let birth = Birth::of(&still);
    if !still.is_bare() || still.reader().map_or(true, |log| log.size() > 0) {
        return Err(gone());
    }
    if !birth.origin.is_empty() && knows(authority, &birth.origin) {
        let keys = Keys::from(authority.verifier(&birth.origin)?);
        let seen = authority.seen(&birth.origin, &keys).ok().flatten().map_or(1, |c| c.size);
        let (origin, found) = (birth.origin, 0);
        return Err(ledger::Error::RolledBack { origin, found, seen }.into());
    }
    Ok(())
}

/// True where there is nothing in the folder that only a case with records has.
fn is_bare(dir: &Path) -> bool {
    let views = ["views.sqlite", "tables"].iter().any(|name| dir.join(name).exists());
    let mut files = Vec::new();
    let listed = super::exhibits::list(dir, Path::new("vault"), &mut files).is_ok();
    let first = Path::new("vault/openings").join(crate::openings::file_name(0));
    let begun = |path: &Path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        path == first || name.starts_with(ledger::disk::TEMP_PREFIX.as_bytes())
    };
    !views && listed && files.iter().all(|(path, plain)| *plain && begun(path))
}

/// True where the authority has recorded the birth of the case, or seen its log.
fn knows(authority: &Authority, origin: &str) -> bool {
    let born = || Some(birth_in(&authority.reader().ok()?, origin).ok()?.is_some());
    let seen = || {
        let keys = Keys::from(authority.verifier(origin).ok()?);
        // What cannot be read was there to be read.
        Some(authority.seen(origin, &keys).map_or(true, |seen| seen.is_some_and(|c| c.size > 0)))
    };
    born() == Some(true) || seen() == Some(true)
}

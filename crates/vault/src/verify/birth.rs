//! What a case says of its own birth, and whether it was born at all.
//!
//! A case is begun by a folder, an empty log and its first opening; it is born with its first record.
//! Whoever is stopped before that leaves files that no record speaks of. They are no evidence, and nothing
//! of them was changed: they are told apart from a case whose log was taken away by what only a case has.

use std::path::Path;

use ledger::{Authority, Checkpoint, Home, Keys, Still, VerifierKey};
use model::Canon;
use model::record::Record;

use super::exhibits::Kind;
use crate::case::authority_of;
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
) -> Result<bool> {
    let empty = still.is_bare() && still.reader().is_ok_and(|log| log.size() == 0);
    let known = || authority.is_some_and(|authority| knows(authority, &birth.origin));
    Ok(empty && is_bare(dir)? && !known())
}

/// What stands in a folder in which a case is to be made.
pub(crate) enum Begun {
    /// Nothing that names a log.
    Nothing,
    /// An empty log of that origin, which the authority's key signed: it is gone on with.
    Log(String),
    /// An empty log that another key signed: the authority was named, or its key replaced, since then.
    Other,
}

/// Holds a folder in which a case is to be made against what a case has: it may hold what somebody left
/// who was stopped before the first record, and nothing else.
///
/// # Errors
/// [`Error::LogGone`] where it holds parts of a case; [`ledger::Error::RolledBack`] where its authority
/// knows a case that was begun here; [`ledger::Error::NoKey`] where that is of another home, which alone
/// could know.
pub(crate) fn begun(dir: &Path, home: &Home, authority: &Authority) -> Result<Begun> {
    let gone = || Error::LogGone(dir.to_owned());
    if !is_bare(dir)? {
        return Err(gone());
    }
    let ledger_dir = dir.join("ledger");
    if !super::is_folder(&ledger_dir)? {
        return Ok(Begun::Nothing);
    }
    let still = Still::take(&ledger_dir)?;
    let Birth { origin, .. } = Birth::of(&still);
    if !still.is_bare() || still.reader().map_or(true, |log| log.size() > 0) {
        return Err(gone());
    }
    let Some(note) = still.checkpoint() else { return Ok(Begun::Nothing) };
    let own = authority_of(&origin) == authority.name();
    let of = if own { authority.clone() } else { home.find(authority_of(&origin))? };
    if knows(&of, &origin) {
        let keys = Keys::from(of.verifier(&origin)?);
        let seen = of.seen(&origin, &keys).ok().flatten().map_or(1, |c| c.size);
        return Err(ledger::Error::RolledBack { origin, found: 0, seen }.into());
    }
    let signed = own && authority.verifier(&origin)?.open(note).is_ok();
    Ok(if signed { Begun::Log(origin) } else { Begun::Other })
}

/// True where there is nothing in the folder that only a case with records has. A beginning has its
/// checkpoint before its first opening: without that the openings are of a log that was taken away.
pub(crate) fn is_bare(dir: &Path) -> Result<bool> {
    if ["views.sqlite", "tables"].iter().any(|name| dir.join(name).exists()) {
        return Ok(false);
    }
    let mut files = Vec::new();
    super::exhibits::list(dir, Path::new("vault"), &mut files)?;
    let first = Path::new("vault/openings").join(crate::openings::file_name(0));
    let begun = |path: &Path| {
        let name = path.file_name().unwrap_or_default().as_encoded_bytes();
        path == first || name.starts_with(ledger::disk::TEMP_PREFIX.as_bytes())
    };
    let opened = files.iter().any(|(path, _)| *path == first);
    let signed = !opened || dir.join("ledger/checkpoint").is_file();
    Ok(signed && files.iter().all(|(path, kind)| *kind == Kind::File && begun(path)))
}

/// True where the authority has recorded the birth of the case, or seen its log.
pub(crate) fn knows(authority: &Authority, origin: &str) -> bool {
    let born = || Some(birth_in(&authority.reader().ok()?, origin).ok()?.is_some());
    let seen = || {
        let keys = Keys::from(authority.verifier(origin).ok()?);
        // What cannot be read was there to be read.
        Some(authority.seen(origin, &keys).map_or(true, |seen| seen.is_some_and(|c| c.size > 0)))
    };
    born() == Some(true) || seen() == Some(true)
}

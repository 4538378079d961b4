//! Proofs that go out of a log, for whoever has the keys and nothing else.

use std::path::{Path, PathBuf};

use ledger::{Checkpoint, Consistency, Note, Proof, Reader};

use crate::{Error, Result};

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// The case in this folder.
    Case(&'a Path),
    /// The authority's own, in which its cases' births stand.
    Authority {
        /// The folder of authorities.
        home: &'a Path,
        /// Its name; `None` for the home's own.
        name: Option<&'a str>,
    },
}

/// The proof that the record at `index` stands in a log. It carries the record as it stands there:
/// what is public, and commitments; never an opening.
///
/// # Errors
/// No such log; no such record; damage.
pub fn prove(which: Which<'_>, index: u64) -> Result<Proof> {
    let (_, log) = open(which)?;
    if index >= log.size() {
        let last = log.size().checked_sub(1).map_or("none".to_owned(), |n| n.to_string());
        let what = format!("the record {index} (the last is {last})");
        return Err(Error::NotFound { what });
    }
    Ok(log.prove(index)?)
}

/// The proof that a log goes on from an older checkpoint of it, whose signatures are not looked at.
///
/// # Errors
/// No such log; what is no checkpoint, or of another log; damage.
pub fn prove_since(which: Which<'_>, older: &str) -> Result<Consistency> {
    let asked = |why: String| Error::Asked(format!("the older checkpoint: {why}"));
    let note = Note::parse(older).map_err(|e| asked(e.to_string()))?;
    let older = Checkpoint::of_text(&note.text).map_err(|e| asked(e.to_string()))?;
    let (_, log) = open(which)?;
    if older.size > log.size() {
        return Err(asked(format!(
            "it is of {} entries, this log has {}: this is an older copy, or another log",
            older.size,
            log.size()
        )));
    }
    Ok(log.prove_since(older.size)?)
}

/// The log's folder, and what is committed in it.
pub(crate) fn open(which: Which<'_>) -> Result<(PathBuf, Reader)> {
    match which {
        Which::Case(dir) => {
            if !vault::Case::exists(dir)? {
                return Err(Error::NoCase(dir.to_owned()));
            }
            let dir = dir.join("ledger");
            Ok((dir.clone(), Reader::open(&dir)?))
        }
        Which::Authority { home, name } => {
            let home = ledger::Home::new(home);
            let name = match name {
                Some(name) => name.to_owned(),
                None => home.named()?.unwrap_or_else(|| ledger::PRACTICE.to_owned()),
            };
            let authority = home.find(&name)?;
            Ok((authority.log_dir(), authority.reader()?))
        }
    }
}

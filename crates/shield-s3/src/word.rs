//! A stop that lies beside the manifest, and the word that ends it.
//!
//! By a course of its own, since a stop opens: it waits for no file, however long that takes to the bucket.

use std::path::{Path, PathBuf};

use ledger::note::Note;
use model::Sha256Hex;
use shield::feed::ALL;
use shield::order::Moment;
use shield::wire::stop::{MAX_STOP, StopFile};

use crate::course::{Fault, Kind, Shelf, Stored, local, object};

/// Mirrors everybody's stop out of a folder.
pub struct Words<S> {
    shelf: S,
    folder: PathBuf,
    out: Option<Sha256Hex>,
}

impl<S: Shelf> Words<S> {
    /// Out of the folder that the publisher writes into.
    pub fn new(shelf: S, folder: &Path) -> Self {
        Self { shelf, folder: folder.join(ALL), out: None }
    }

    /// Puts what somebody laid beside the manifest; true where it was put. One that is taken away here stays there: it
    /// may have been brought there by hand while this house could not be reached, and what ends it is a later word.
    ///
    /// # Errors
    /// See [`Fault`]. It is tried again by the next round.
    pub fn round(&mut self) -> Result<bool, Fault> {
        let path = self.folder.join("stop");
        let Some(text) = local(&path, MAX_STOP)? else { return Ok(false) };
        let hash = Sha256Hex::of(text.as_bytes());
        if self.out == Some(hash) {
            return Ok(false);
        }
        let ours = word(&text).ok_or(Fault::Folder { path, why: "it is no stop file".into() })?;
        let name = object("stop");
        let there = self.shelf.read(&name, MAX_STOP as u64)?;
        if let Some((bytes, _)) = &there {
            let theirs = std::str::from_utf8(bytes).ok().and_then(word);
            if theirs > Some(ours) {
                return Err(Fault::LaterStop(name));
            }
        }
        let tag = there.map(|(_, tag)| tag);
        match self.shelf.put_if(&name, Kind::Stop, text.into_bytes(), tag.as_ref())? {
            Stored::There(_) => {
                self.out = Some(hash);
                Ok(true)
            }
            Stored::Changed => {
                let source = "another writes there at the same time".into();
                Err(Fault::Store { action: "write", name, source })
            }
        }
    }
}

/// A stop's place in the order of stops and resumptions.
fn word(text: &str) -> Option<(u64, Moment)> {
    let note = Note::parse(text).ok()?;
    Some(StopFile::read(&note.text).ok()?.order())
}

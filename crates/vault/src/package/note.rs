//! The signed note of a package: the log's key says which record it is, and what its tag manifest's
//! digest is.
//!
//! ```text
//! vigie package v1
//! <origin of the log>
//! <index of the record of the package>
//! <SHA-256 of tagmanifest-sha256.txt, lower-case hexadecimal>
//!
//! — <origin> <signature>
//! ```
//!
//! Its first line is no origin, so that no checkpoint can be taken for it nor it for a checkpoint.

use ledger::Note;
use ledger::note::{NoteError, SigningKey, VerifierKey};
use model::Sha256Hex;

const FIRST: &str = "vigie package v1";

/// Why a note is none of a package.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackageNoteError {
    /// Not a signed note, or not signed by the key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Another text.
    #[error("line {0} is not what the note of a package has there")]
    Line(usize),
    /// More than the one signature.
    #[error("it has {0} signatures, where only the log's belongs")]
    Signatures(usize),
}

/// What the note of a package says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageNote {
    /// The log.
    pub origin: String,
    /// The record of the package.
    pub record: u64,
    /// The digest of the tag manifest.
    pub manifest: Sha256Hex,
}

impl PackageNote {
    fn text(&self) -> String {
        format!("{FIRST}\n{}\n{}\n{}\n", self.origin, self.record, self.manifest)
    }

    /// The note, signed.
    pub fn sign(&self, key: &SigningKey) -> Note {
        key.note(self.text())
    }

    /// Reads a note and verifies its signature, which is the only one.
    ///
    /// # Errors
    /// Another writing; another key; a signature that does not fit.
    pub fn open(note: &str, key: &VerifierKey) -> Result<Self, PackageNoteError> {
        let note = Note::parse(note)?;
        if note.signatures.len() != 1 {
            return Err(PackageNoteError::Signatures(note.signatures.len()));
        }
        key.open_note(&note)?;
        let lines: Vec<&str> = note.text.lines().collect();
        let line = |at: usize| lines.get(at).copied().ok_or(PackageNoteError::Line(at + 1));
        let bad = |at: usize| PackageNoteError::Line(at + 1);
        if line(0)? != FIRST {
            return Err(bad(0));
        }
        let read = Self {
            origin: line(1)?.to_owned(),
            record: line(2)?.parse().map_err(|_| bad(2))?,
            manifest: line(3)?.parse().map_err(|_| bad(3))?,
        };
        if read.text() == note.text { Ok(read) } else { Err(bad(2)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn made() -> (PackageNote, SigningKey) {
        let note = PackageNote {
            origin: "police.example/case/1".to_owned(),
            record: 17,
            manifest: Sha256Hex([5; 32]),
        };
        (note, SigningKey::new("police.example/case/1", &[1; 32]).unwrap())
    }

    #[test]
    fn it_reads_back_under_its_key_alone() {
        let (note, key) = made();
        let text = note.sign(&key).to_string();
        assert_eq!(PackageNote::open(&text, &key.verifier()).unwrap(), note);
        let other = SigningKey::new("police.example/case/1", &[2; 32]).unwrap().verifier();
        assert!(PackageNote::open(&text, &other).is_err());
        assert!(PackageNote::open(&key.sign(3, &[0; 32]), &key.verifier()).is_err(), "checkpoint");
        assert!(key.verifier().open(&text).is_err(), "no checkpoint");
    }

    proptest! {
        #[test]
        fn no_changed_byte_passes(at in any::<prop::sample::Index>(), to in any::<u8>()) {
            let (note, key) = made();
            let mut bytes = note.sign(&key).to_string().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            if let Ok(text) = String::from_utf8(bytes) {
                prop_assert!(PackageNote::open(&text, &key.verifier()).is_err(), "{}", text);
            }
        }
    }
}

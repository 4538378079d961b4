//! Signed notes (C2SP signed-note), and what is written as such: checkpoints (tlog-checkpoint) and
//! the cosignatures of witnesses below them (tlog-cosignature). Keys are Ed25519.

mod checkpoint;
mod cosignature;
mod key;

use std::fmt;

use sha2::{Digest, Sha256};

use crate::base64;

pub use checkpoint::Checkpoint;
pub use cosignature::{CosignerKey, WitnessKey};
pub use key::{SigningKey, VerifierKey};

/// The longest origin or key name, in bytes.
pub const MAX_NAME: usize = 255;
/// The longest checkpoint of ours, in bytes: it has one signature.
pub const MAX_CHECKPOINT: usize = 2048;
/// The longest note, in bytes, and its most signatures.
pub const MAX_NOTE: usize = 128 << 10;
/// See [`MAX_NOTE`].
pub const MAX_SIGNATURES: usize = 100;

/// Signature types (C2SP signed-note): Ed25519 over the text.
const ED25519: u8 = 1;
/// Ed25519 over a time and the text.
const COSIGNATURE: u8 = 4;

/// Why a note is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a key of the forms of signed-note.
    #[error("not an Ed25519 key as signed notes write it")]
    Key,
    /// A name that signed notes cannot carry.
    #[error("a name must be 1 to {MAX_NAME} bytes without spaces, control characters or '+'")]
    Name,
    /// Not a note, or not a checkpoint, in its one writing.
    #[error("not a checkpoint: {0}")]
    Shape(&'static str),
    /// Of another log.
    #[error("the checkpoint is of {found:?}, not of {expected:?}")]
    Origin {
        /// Whose it should be.
        expected: String,
        /// Whose it says it is.
        found: String,
    },
    /// The reader trusts no key for this log.
    #[error("no key is trusted for the log {0:?}")]
    Untrusted(String),
    /// By another key.
    #[error("the checkpoint was signed by another key")]
    OtherKey,
    /// By a key of this log that was replaced before.
    #[error(
        "the checkpoint was signed by a key that counts for the first {until} entries only: it was replaced there"
    )]
    Replaced {
        /// The most entries that it counts for.
        until: u64,
    },
    /// By a key of this log that signs only later.
    #[error("the checkpoint was signed by a key that signs only greater checkpoints of this log")]
    NotYet,
    /// The signature does not fit the text.
    #[error("the signature does not fit the checkpoint")]
    Signature,
    /// A known witness's cosignature that does not fit.
    #[error("the cosignature of {0} does not fit the checkpoint")]
    Cosignature(String),
}

/// A signature line: who says that he signed, and what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// The key's name.
    pub name: String,
    /// The key's id.
    pub id: [u8; 4],
    /// What the key made; at least one byte.
    pub bytes: Vec<u8>,
}

/// The line, without its line feed.
impl fmt::Display for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let blob = [&self.id[..], &self.bytes].concat();
        write!(f, "\u{2014} {} {}", self.name, base64::encode(&blob))
    }
}

impl Signature {
    /// Reads a line, without its line feed.
    ///
    /// # Errors
    /// Anything that [`Signature`] would not write.
    pub fn parse(line: &str) -> Result<Self, NoteError> {
        let bad = NoteError::Shape("a signature is not a dash, a name and base64");
        let rest = line.strip_prefix("\u{2014} ").ok_or(bad.clone())?;
        let (name, blob) = rest.split_once(' ').ok_or(bad.clone())?;
        check_name(name)?;
        let blob = base64::decode(blob).ok_or(bad.clone())?;
        let (id, bytes) =
            blob.split_first_chunk::<4>().filter(|(_, b)| !b.is_empty()).ok_or(bad)?;
        Ok(Self { name: name.to_owned(), id: *id, bytes: bytes.to_vec() })
    }
}

/// A text and the signatures below it, none of them verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The text, its last line feed included.
    pub text: String,
    /// At least one.
    pub signatures: Vec<Signature>,
}

/// The note whole.
impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| writeln!(f, "{signature}"))
    }
}

impl Note {
    /// Reads a note. What is read is written again the same.
    ///
    /// # Errors
    /// Another writing; more than [`MAX_NOTE`] bytes or [`MAX_SIGNATURES`] signatures.
    pub fn parse(note: &str) -> Result<Self, NoteError> {
        let bad = NoteError::Shape;
        if note.len() > MAX_NOTE {
            return Err(bad("too long"));
        }
        if note.bytes().any(|b| b < b' ' && b != b'\n') {
            return Err(bad("it holds a control character"));
        }
        let at = note.rfind("\n\n").ok_or(bad("no empty line before the signatures"))?;
        let (text, rest) = (&note[..=at], &note[at + 2..]);
        let lines = rest.strip_suffix('\n').ok_or(bad("the last line has no end"))?;
        let signatures: Vec<Signature> = lines
            .split('\n')
            .take(MAX_SIGNATURES + 1)
            .map(Signature::parse)
            .collect::<Result<_, _>>()?;
        if signatures.len() > MAX_SIGNATURES {
            return Err(bad("too many signatures"));
        }
        Ok(Self { text: text.to_owned(), signatures })
    }
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(bad) {
        return Err(NoteError::Name);
    }
    Ok(())
}

fn key_id(name: &str, sort: u8, public: &[u8; 32]) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([b'\n', sort]);
    hash.update(public);
    let digest: [u8; 32] = hash.finalize().into();
    [digest[0], digest[1], digest[2], digest[3]]
}

/// `name+id+base64(sort ‖ bytes)`.
fn join_key(name: &str, id: [u8; 4], sort: u8, bytes: &[u8; 32]) -> String {
    let bytes = [&[sort][..], bytes].concat();
    format!("{name}+{}+{}", model::id::hex(&id), base64::encode(&bytes))
}

/// The name, id and bytes of a key of that sort which [`join_key`] wrote.
fn split_key(text: &str, sort: u8) -> Result<(&str, [u8; 4], [u8; 32]), NoteError> {
    // The base64 may hold '+': split at the first two only. Names hold none.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::Key);
    };
    check_name(name)?;
    let id = model::id::unhex(id).ok_or(NoteError::Key)?;
    let id: [u8; 4] = id.as_slice().try_into().map_err(|_| NoteError::Key)?;
    let bytes = base64::decode(key).ok_or(NoteError::Key)?;
    match bytes.split_first() {
        Some((found, rest)) if *found == sort => {
            Ok((name, id, rest.try_into().map_err(|_| NoteError::Key)?))
        }
        _ => Err(NoteError::Key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The example of the specification.
    #[test]
    fn a_note_reads_back() {
        let text = "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n\u{2014} quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n";
        let note = Note::parse(text).unwrap();
        assert!(note.text.ends_with("\n\ned è subito sera.\n"));
        assert_eq!(note.signatures.len(), 1);
        assert_eq!(note.to_string(), text);
        for bad in [
            &text[..text.len() - 1],
            &text.replace("\n\n\u{2014}", "\n\u{2014}"),
            &text.replace("terra", "ter\tra"),
            &text.replace("quasimodo", "quasi modo"),
            &text.replace("quasimodo", "quasi+modo"),
            &text.replace("NnugSz", "Nnug=z"),
            &format!("{text}\n"),
            "",
            "\n\n",
            "a\n\n\u{2014} b \n",
            "a\n\n\u{2014} b AAAAAA==\n",
        ] {
            // A stray line feed or none, no empty line, a control character, a name that is none.
            assert!(Note::parse(bad).is_err(), "{bad:?}");
        }
        let many = format!("a\n\n{}", "\u{2014} b AAAAAAA=\n".repeat(MAX_SIGNATURES));
        assert_eq!(Note::parse(&many).unwrap().signatures.len(), MAX_SIGNATURES);
        assert!(Note::parse(&format!("{many}\u{2014} b AAAAAAA=\n")).is_err());
        assert!(Note::parse(&format!("{}{many}", "a".repeat(MAX_NOTE))).is_err());
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_the_same(text in "[a\n\u{2014} +/=A-C0]{0,80}") {
            if let Ok(note) = Note::parse(&text) {
                prop_assert_eq!(note.to_string(), text);
            }
        }
    }
}

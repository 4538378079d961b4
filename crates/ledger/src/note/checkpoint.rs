//! Checkpoints (C2SP tlog-checkpoint): what a log's tree is, in three lines.

use super::{MAX_CHECKPOINT, Note, NoteError, check_name};
use crate::base64;
use crate::tree::Hash;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which log.
    pub origin: String,
    /// Entries.
    pub size: u64,
    /// Root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// Reads a checkpoint of ours without verifying its signature.
    ///
    /// # Errors
    /// Another writing.
    pub fn parse_unverified(note: &str) -> Result<Self, NoteError> {
        parse(note).map(|(checkpoint, _)| checkpoint)
    }

    /// Reads the text of any log's checkpoint: what stands above the signatures. Extension lines,
    /// which other logs may write, say nothing here.
    ///
    /// # Errors
    /// Another writing.
    pub fn of_text(text: &str) -> Result<Self, NoteError> {
        let bad = NoteError::Shape;
        let lines = text.strip_suffix('\n').ok_or(bad("its last line has no end"))?;
        let mut lines = lines.split('\n');
        let (Some(origin), Some(size), Some(root)) = (lines.next(), lines.next(), lines.next())
        else {
            return Err(bad("not three lines"));
        };
        if lines.any(str::is_empty) {
            return Err(bad("an extension line is empty"));
        }
        check_name(origin)?;
        let count: u64 = size.parse().map_err(|_| bad("the size is no number"))?;
        if count.to_string() != *size {
            return Err(bad("the size is not in its plain writing"));
        }
        let hash = base64::decode(root).ok_or(bad("the root is not base64"))?;
        let root: Hash = hash.as_slice().try_into().map_err(|_| bad("the root is not 32 bytes"))?;
        Ok(Self { origin: origin.to_owned(), size: count, root })
    }

    /// The three lines, which is what its log signs.
    pub fn text(&self) -> String {
        format!("{}\n{}\n{}\n", self.origin, self.size, base64::encode(&self.root))
    }
}

/// A checkpoint of ours and its signature's bytes after the key's id: it has exactly one signature,
/// the log's own, and no extension lines, so that every byte of it is determined by origin, size,
/// root and key.
pub(super) fn parse(note: &str) -> Result<(Checkpoint, super::Signature), NoteError> {
    let bad = NoteError::Shape;
    if note.len() > MAX_CHECKPOINT {
        return Err(bad("too long"));
    }
    let Note { text, signatures } = Note::parse(note)?;
    let checkpoint = Checkpoint::of_text(&text)?;
    if checkpoint.text() != text {
        return Err(bad("it has more than three lines"));
    }
    let [signature] = <[super::Signature; 1]>::try_from(signatures)
        .map_err(|_| bad("it has more than one signature"))?;
    if signature.name != checkpoint.origin {
        return Err(bad("the signature is not under the origin's name"));
    }
    if signature.bytes.len() != 64 {
        return Err(bad("the signature is not 64 bytes"));
    }
    Ok((checkpoint, signature))
}

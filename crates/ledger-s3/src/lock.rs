//! The object that writers swap: `writer <32 hex digits>`, then the signed checkpoint.
//!
//! The writer's line makes one writer's swap differ from another's, even of the same entries: where
//! the answer to a swap is lost, reading the lock again tells whose it is.

use ledger::{Checkpoint, Keys};

use crate::door::{LOCK, STAGING};
use crate::error::{Error, Result};

/// What tells one opening of a log from every other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Writer(pub [u8; 16]);

impl Writer {
    /// A new one.
    ///
    /// # Errors
    /// The operating system gives no random bytes.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(Error::Random)?;
        Ok(Self(bytes))
    }
}

/// What the lock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Locked {
    pub(crate) writer: Writer,
    /// The signed checkpoint, whole.
    pub(crate) note: String,
    pub(crate) checkpoint: Checkpoint,
}

impl Locked {
    pub(crate) fn encode(writer: Writer, note: &str) -> Vec<u8> {
        format!("writer {}\n{note}", model::id::hex(&writer.0)).into_bytes()
    }

    /// Reads it in its one writing, and verifies the checkpoint.
    pub(crate) fn decode(bytes: &[u8], keys: &Keys) -> Result<Self> {
        let parts = || {
            let text = std::str::from_utf8(bytes).ok()?;
            let (writer, note) = text.strip_prefix("writer ")?.split_once('\n')?;
            let writer = Writer(model::id::unhex(writer)?.try_into().ok()?);
            (Self::encode(writer, note) == bytes).then_some((writer, note))
        };
        let (writer, note) = parts().ok_or_else(|| Error::damaged(LOCK, "it is not a lock"))?;
        let checkpoint =
            keys.open(note).map_err(|source| Error::Note { name: LOCK.to_owned(), source })?;
        Ok(Self { writer, note: note.to_owned(), checkpoint })
    }

    /// Where the batch that led here was staged. The writer is part of the name, so that a writer who
    /// lost can drop his own, and never the winner's.
    pub(crate) fn staging(&self) -> String {
        staging(&self.checkpoint, self.writer)
    }
}

pub(crate) fn staging(checkpoint: &Checkpoint, writer: Writer) -> String {
    let root = model::id::hex(&checkpoint.root);
    format!("{STAGING}/{}-{root}-{}", checkpoint.size, model::id::hex(&writer.0))
}

/// The size that a staging object leads to.
pub(crate) fn staged_size(name: &str) -> Option<u64> {
    name.strip_prefix(STAGING)?.strip_prefix('/')?.split_once('-')?.0.parse().ok()
}

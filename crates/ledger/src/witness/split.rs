//! A split view in one file: two checkpoints that one log signed and that no honest log can have
//! signed both.
//!
//! ```text
//! vigie split-view v1
//! root BASE64            where the sizes differ: what the newer tree has at the older size,
//! BASE64…                and the hashes that show it (RFC 6962, 2.1.2)
//!
//! the older checkpoint, a signed note
//!
//! the newer one
//! ```
//!
//! Of one size the two roots alone show it. Of two sizes it takes somebody who has the newer tree:
//! hashes that show what that tree began with, which is not what the older checkpoint says. Without
//! them the file is an accusation, which the log can answer with a proof, and says so.

use std::fmt;

use crate::base64;
use crate::consistency::MAX_HASHES;
use crate::note::{Checkpoint, MAX_NOTE, Note, NoteError};
use crate::proof::ProofError;
use crate::tree::{Hash, is_consistent};
use crate::trust::Trust;

const FIRST: &str = "vigie split-view v1";

/// The longest file, in bytes.
pub const MAX_SPLIT: usize = 2 * MAX_NOTE + 64 * (MAX_HASHES + 3);

/// Two checkpoints of one log that contradict one another, or are said to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Split {
    /// What the newer tree had at the older one's size, and the proof.
    beginning: Option<(Hash, Vec<Hash>)>,
    older: Note,
    newer: Note,
}

/// What a file of two checkpoints shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The log signed two histories. Nothing can explain it.
    Split(Checkpoint, Checkpoint),
    /// The log signed both, and was not able, or not asked, to show that one goes on from the other.
    Unexplained(Checkpoint, Checkpoint),
}

impl Split {
    /// Two checkpoints between which no proof was given that held, in any order.
    pub fn accusing(one: Note, other: Note) -> Self {
        Self::of(None, one, other)
    }

    /// Two checkpoints, with what the tree of the newer one had at the size of the older.
    pub fn proving(older: Note, newer: Note, root: Hash, hashes: Vec<Hash>) -> Self {
        Self::of(Some((root, hashes)), older, newer)
    }

    fn of(beginning: Option<(Hash, Vec<Hash>)>, one: Note, other: Note) -> Self {
        let size = |note: &Note| Checkpoint::of_text(&note.text).map_or(0, |c| c.size);
        let (older, newer) = if size(&one) <= size(&other) { (one, other) } else { (other, one) };
        Self { beginning, older, newer }
    }

    /// Reads a file. What is read is written again the same.
    ///
    /// # Errors
    /// Another writing; one longer than [`MAX_SPLIT`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let bad = ProofError::Shape;
        if text.len() > MAX_SPLIT {
            return Err(bad("too long"));
        }
        // Checkpoints hold no empty line but the one before their signatures.
        let parts: Vec<&str> = text.split("\n\n").collect();
        let [head, older, by, newer, also] = parts.as_slice() else {
            return Err(bad("it is not a head and two checkpoints"));
        };
        let mut lines = head.split('\n');
        if lines.next() != Some(FIRST) {
            return Err(bad("its first line is not vigie split-view v1"));
        }
        let hash = |line: &str| base64::decode(line)?.try_into().ok();
        let no_hash = bad("a hash is not base64 of 32 bytes");
        let beginning = match lines.next() {
            None => None,
            Some(line) => {
                let root = line.strip_prefix("root ").ok_or(bad("its second line is no root"))?;
                let root = hash(root).ok_or(no_hash.clone())?;
                let hashes: Vec<Hash> =
                    lines.take(MAX_HASHES + 1).map(hash).collect::<Option<_>>().ok_or(no_hash)?;
                Some((root, hashes))
            }
        };
        if beginning.as_ref().is_some_and(|(_, hashes)| hashes.len() > MAX_HASHES) {
            return Err(bad("it has more hashes than a proof can need"));
        }
        let older = Note::parse(&format!("{older}\n\n{by}\n"))?;
        let newer = Note::parse(&format!("{newer}\n\n{also}"))?;
        let (first, second) =
            (Checkpoint::of_text(&older.text)?, Checkpoint::of_text(&newer.text)?);
        if first.origin != second.origin {
            return Err(bad("its checkpoints are of two logs"));
        }
        if first.size > second.size || (first.size == second.size && beginning.is_some()) {
            return Err(bad("its checkpoints are not in the order of their sizes"));
        }
        Ok(Self { beginning, older, newer })
    }

    /// What it shows to a reader of these keys: both checkpoints must be the log's own word.
    ///
    /// # Errors
    /// A signature that no trusted key made; two checkpoints that do not contradict one another;
    /// hashes that do not lead to the newer one.
    pub fn check(&self, trust: &Trust) -> Result<Shown, ProofError> {
        trust.policy_of(&self.older)?;
        trust.policy_of(&self.newer)?;
        self.shown()
    }

    /// What it shows to whoever takes both signatures for the log's.
    ///
    /// # Errors
    /// As [`Split::check`], without the signatures.
    pub fn shown(&self) -> Result<Shown, ProofError> {
        let of = |note: &Note| -> Result<Checkpoint, NoteError> { Checkpoint::of_text(&note.text) };
        let (old, new) = (of(&self.older)?, of(&self.newer)?);
        let same = || ProofError::Shape("the two checkpoints do not contradict one another");
        if old.size == new.size {
            return if old.root == new.root { Err(same()) } else { Ok(Shown::Split(old, new)) };
        }
        match &self.beginning {
            None => Ok(Shown::Unexplained(old, new)),
            Some((root, _)) if *root == old.root => Err(same()),
            Some((root, hashes)) => {
                if is_consistent(old.size, new.size, hashes, root, &new.root) {
                    Ok(Shown::Split(old, new))
                } else {
                    Err(ProofError::Inconsistent { old: old.size, new: new.size })
                }
            }
        }
    }
}

/// The file whole.
impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST}")?;
        if let Some((root, hashes)) = &self.beginning {
            writeln!(f, "root {}", base64::encode(root))?;
            for hash in hashes {
                writeln!(f, "{}", base64::encode(hash))?;
            }
        }
        write!(f, "\n{}\n{}", self.older, self.newer)
    }
}

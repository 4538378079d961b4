//! A checkpoint and the proof that it goes on from an older one, as a log hands it to a witness
//! (the body of C2SP tlog-witness's `add-checkpoint`), and as anybody may keep it in a file.

use std::fmt;

use crate::base64;
use crate::note::{Checkpoint, MAX_NOTE, Note};
use crate::proof::ProofError;
use crate::tree::{Hash, is_consistent, root};

/// The most hashes a consistency proof may have (tlog-witness).
pub const MAX_HASHES: usize = 63;
/// The longest one, in bytes.
pub const MAX_CONSISTENCY: usize = MAX_NOTE + 64 * (MAX_HASHES + 1);

/// A proof that one checkpoint goes on from another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consistency {
    /// The older tree's size.
    pub old: u64,
    /// The hashes (RFC 6962, 2.1.2).
    pub hashes: Vec<Hash>,
    /// The newer checkpoint, signed.
    pub checkpoint: Note,
}

/// The proof whole.
impl fmt::Display for Consistency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        for hash in &self.hashes {
            writeln!(f, "{}", base64::encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl Consistency {
    /// Reads one. What is read is written again the same.
    ///
    /// # Errors
    /// Another writing; one longer than [`MAX_CONSISTENCY`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let bad = ProofError::Shape;
        if text.len() > MAX_CONSISTENCY {
            return Err(bad("too long"));
        }
        let (head, note) = text.split_once("\n\n").ok_or(bad("no empty line"))?;
        let mut lines = head.split('\n');
        let number = lines.next().and_then(|line| line.strip_prefix("old "));
        let number = number.ok_or(bad("its first line is not `old` and a size"))?;
        let old: u64 = number.parse().map_err(|_| bad("the old size is no number"))?;
        if old.to_string() != number {
            return Err(bad("the old size is not in its plain writing"));
        }
        let hashes: Vec<Hash> = lines
            .take(MAX_HASHES + 1)
            .map(|line| base64::decode(line)?.try_into().ok())
            .collect::<Option<_>>()
            .ok_or(bad("a hash is not base64 of 32 bytes"))?;
        if hashes.len() > MAX_HASHES {
            return Err(bad("it has more hashes than a proof can need"));
        }
        Ok(Self { old, hashes, checkpoint: Note::parse(note)? })
    }

    /// Shows that this checkpoint goes on from an older one; nobody's signature is looked at.
    ///
    /// # Errors
    /// Another log; another size than [`Consistency::old`]; a proof that does not hold: then the log
    /// has rewritten its past, and the two signed checkpoints show it.
    pub fn check(&self, before: &Checkpoint) -> Result<Checkpoint, ProofError> {
        let after = Checkpoint::of_text(&self.checkpoint.text)?;
        let bad = ProofError::Inconsistent { old: before.size, new: after.size };
        if before.origin != after.origin || before.size != self.old {
            return Err(ProofError::OtherCheckpoint { wanted: self.old, found: before.size });
        }
        // What begins with nothing needs no proof (tlog-witness), and can have none.
        let from_nothing = self.old == 0 && self.hashes.is_empty() && before.root == root(&[]);
        let (old, new) = (&before.root, &after.root);
        if from_nothing || is_consistent(self.old, after.size, &self.hashes, old, new) {
            Ok(after)
        } else {
            Err(bad)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SigningKey;
    use crate::tree::{consistency, leaf, root};
    use proptest::prelude::*;

    fn made(old: u64, new: u64) -> (Checkpoint, Consistency) {
        let leaves: Vec<Hash> = (0..new).map(|i| leaf(&i.to_be_bytes())).collect();
        let hashes = consistency::<()>(old, new, &mut |height, i| {
            Ok(root(&leaves[(i << height) as usize..((i + 1) << height) as usize]))
        });
        let log = SigningKey::new("police.example/case/1", &[1; 32]).unwrap();
        let checkpoint = Note::parse(&log.sign(new, &root(&leaves))).unwrap();
        let origin = log.name().to_owned();
        let before = Checkpoint { origin, size: old, root: root(&leaves[..old as usize]) };
        (before, Consistency { old, hashes: hashes.unwrap(), checkpoint })
    }

    #[test]
    fn what_is_written_reads_back_and_holds() {
        for (old, new) in [(0, 0), (0, 5), (1, 1), (3, 7), (256, 1000)] {
            let (before, proof) = made(old, new);
            let read = Consistency::parse(&proof.to_string()).unwrap();
            assert_eq!(read, proof);
            assert_eq!(read.check(&before).unwrap().size, new);
            let mut other = before.clone();
            other.root[0] ^= 1;
            assert!(matches!(read.check(&other), Err(ProofError::Inconsistent { .. })), "{old}");
            let mut other = before.clone();
            other.origin.push('x');
            assert!(matches!(read.check(&other), Err(ProofError::OtherCheckpoint { .. })));
        }
        let (_, proof) = made(3, 7);
        let text = proof.to_string();
        for (from, to) in [("old 3", "old 03"), ("old 3\n", ""), ("\n\n", "\n"), ("old", "new")] {
            assert!(Consistency::parse(&text.replacen(from, to, 1)).is_err(), "{from}");
        }
        let many = Consistency { hashes: vec![[0; 32]; MAX_HASHES + 1], ..proof };
        assert!(Consistency::parse(&many.to_string()).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>(), lines in "[a-z 0-9=+/\n\u{2014}]{0,120}") {
            let _ = Consistency::parse(&text);
            if let Ok(proof) = Consistency::parse(&format!("old 3\n{lines}")) {
                prop_assert_eq!(proof.to_string(), format!("old 3\n{lines}"));
            }
        }
    }
}

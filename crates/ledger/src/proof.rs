//! Proofs that go out (C2SP tlog-proof): one entry, shown to stand in a log by hashes and a signed
//! checkpoint, to whoever has the keys and nothing else.

use std::fmt;

use crate::base64;
use crate::note::{Checkpoint, Note, NoteError, VerifierKey, WitnessKey};
use crate::tree::{Hash, is_included};

const FIRST: &str = "c2sp.org/tlog-proof@v1";

/// The longest proof, in bytes: an entry as its extra data, 64 hashes, a note.
pub const MAX_PROOF: usize = 256 << 10;

/// Why a proof does not prove.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a proof in its one writing.
    #[error("not a proof: {0}")]
    Shape(&'static str),
    /// Its checkpoint is not one, or not signed as it should be.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The hashes do not lead from the entry to the checkpoint's root.
    #[error("the entry is not at {index} of the tree of {size}: its hashes lead to another root")]
    NotIncluded {
        /// The index that the proof gives.
        index: u64,
        /// The checkpoint's size.
        size: u64,
    },
    /// The older checkpoint is not the one that the proof goes on from.
    #[error(
        "the proof goes on from {wanted} entries of its log, the older checkpoint is of {found} or of another log"
    )]
    OtherCheckpoint {
        /// The size that the proof names.
        wanted: u64,
        /// The older checkpoint's.
        found: u64,
    },
    /// The newer tree does not begin with the older one.
    #[error(
        "the log of {new} entries does not begin with its own {old}: it was rewritten, or the proof is wrong"
    )]
    Inconsistent {
        /// The older size.
        old: u64,
        /// The newer size.
        new: u64,
    },
    /// Too few of the witnesses that are trusted have cosigned.
    #[error("{found} of the {wanted} cosignatures that are wanted are there")]
    Unwitnessed {
        /// Trusted witnesses that cosigned.
        found: usize,
        /// How many are wanted.
        wanted: usize,
    },
}

/// Whose signatures count: the reader's own choice, never the proof's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The log.
    pub log: VerifierKey,
    /// Witnesses whose word counts.
    pub witnesses: Vec<WitnessKey>,
    /// How many of them must have cosigned.
    pub quorum: usize,
}

/// What a policy found in a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witnessed {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// The trusted witnesses that cosigned it, and when, in seconds since the epoch.
    pub by: Vec<(String, u64)>,
}

impl Policy {
    /// Verifies a checkpoint: the log's signature, and a quorum of cosignatures.
    ///
    /// # Errors
    /// Another log or key; a known signature that does not fit; too few cosignatures.
    pub fn open(&self, note: &Note) -> Result<Witnessed, ProofError> {
        let checkpoint = self.log.open_among(note)?;
        let mut by = Vec::new();
        for witness in &self.witnesses {
            if let Some(time) = witness.cosigned(note)? {
                by.push((witness.name().to_owned(), time));
            }
        }
        if by.len() < self.quorum {
            return Err(ProofError::Unwitnessed { found: by.len(), wanted: self.quorum });
        }
        Ok(Witnessed { checkpoint, by })
    }
}

/// A proof that an entry stands in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// What the reader needs to make the entry; proven by nothing. Ours hold the entry.
    pub extra: Option<Vec<u8>>,
    /// The entry's index.
    pub index: u64,
    /// From the entry's sibling up.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

/// The proof whole.
impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{FIRST}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", base64::encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.hashes {
            writeln!(f, "{}", base64::encode(hash))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

impl Proof {
    /// Reads a proof. What is read is written again the same.
    ///
    /// # Errors
    /// Another writing; one longer than [`MAX_PROOF`].
    pub fn parse(text: &str) -> Result<Self, ProofError> {
        let bad = ProofError::Shape;
        if text.len() > MAX_PROOF {
            return Err(bad("too long"));
        }
        let (head, note) = text.split_once("\n\n").ok_or(bad("no empty line"))?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(FIRST) {
            return Err(bad("its first line is not c2sp.org/tlog-proof@v1"));
        }
        let extra = match lines.peek().and_then(|line| line.strip_prefix("extra ")) {
            None => None,
            Some(extra) => {
                lines.next();
                Some(base64::decode(extra).ok_or(bad("its extra data is not base64"))?)
            }
        };
        let number = lines.next().and_then(|line| line.strip_prefix("index "));
        let number = number.ok_or(bad("it gives no index"))?;
        let index: u64 = number.parse().map_err(|_| bad("its index is no number"))?;
        if index.to_string() != number {
            return Err(bad("its index is not in its plain writing"));
        }
        let hashes: Vec<Hash> = lines
            .take(65)
            .map(|line| base64::decode(line)?.try_into().ok())
            .collect::<Option<_>>()
            .ok_or(bad("a hash is not base64 of 32 bytes"))?;
        if hashes.len() > 64 {
            return Err(bad("it has more hashes than a tree has levels"));
        }
        Ok(Self { extra, index, hashes, checkpoint: Note::parse(note)? })
    }

    /// The checkpoint that the hashes lead to from the entry whose leaf hash is given; nobody's
    /// signature is looked at.
    ///
    /// # Errors
    /// They lead elsewhere; what is no checkpoint.
    pub fn leads_to(&self, leaf: &Hash) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::of_text(&self.checkpoint.text)?;
        if is_included(leaf, self.index, checkpoint.size, &self.hashes, &checkpoint.root) {
            Ok(checkpoint)
        } else {
            Err(ProofError::NotIncluded { index: self.index, size: checkpoint.size })
        }
    }

    /// Shows by the reader's policy that the entry whose leaf hash is given stands in the log.
    ///
    /// # Errors
    /// What of it does not hold.
    pub fn check(&self, leaf: &Hash, policy: &Policy) -> Result<Witnessed, ProofError> {
        let found = policy.open(&self.checkpoint)?;
        self.leads_to(leaf)?;
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::{CosignerKey, SigningKey};
    use crate::tree::{inclusion, leaf, root};
    use proptest::prelude::*;

    fn made(size: u64, index: u64) -> (Proof, Hash, Policy) {
        let leaves: Vec<Hash> = (0..size).map(|i| leaf(&i.to_be_bytes())).collect();
        let hashes = inclusion::<()>(index, size, &mut |height, i| {
            Ok(root(&leaves[(i << height) as usize..((i + 1) << height) as usize]))
        });
        let log = SigningKey::new("police.example/case/1", &[1; 32]).unwrap();
        let mut note = Note::parse(&log.sign(size, &root(&leaves))).unwrap();
        let cosigners = ["w1.example", "w2.example", "w3.example"]
            .map(|name| CosignerKey::new(name, &[name.as_bytes()[1]; 32]).unwrap());
        for (i, cosigner) in cosigners.iter().enumerate().take(2) {
            note.signatures.push(cosigner.cosign(&note.text, 1_700_000_000 + i as u64));
        }
        let policy = Policy {
            log: log.verifier(),
            witnesses: cosigners.iter().map(CosignerKey::witness).collect(),
            quorum: 2,
        };
        let extra = Some(index.to_be_bytes().to_vec());
        let proof = Proof { extra, index, hashes: hashes.unwrap(), checkpoint: note };
        (proof, leaves[index as usize], policy)
    }

    #[test]
    fn a_proof_reads_back_and_proves_its_entry_by_the_readers_policy() {
        for (size, index) in [(1, 0), (2, 1), (7, 6), (300, 123)] {
            let (proof, leaf, policy) = made(size, index);
            let read = Proof::parse(&proof.to_string()).unwrap();
            assert_eq!(read, proof);
            let found = read.check(&leaf, &policy).unwrap();
            assert_eq!(found.checkpoint.size, size);
            assert_eq!(found.by.len(), 2);
            assert_eq!(found.by[1], ("w2.example".to_owned(), 1_700_000_001));
            assert_eq!(read.check(&[5; 32], &policy), Err(ProofError::NotIncluded { index, size }));
            let more = Policy { quorum: 3, ..policy.clone() };
            assert_eq!(
                read.check(&leaf, &more),
                Err(ProofError::Unwitnessed { found: 2, wanted: 3 })
            );
            let other = SigningKey::new("police.example/case/1", &[9; 32]).unwrap().verifier();
            let strange = Policy { log: other, ..policy.clone() };
            assert_eq!(read.check(&leaf, &strange), Err(NoteError::OtherKey.into()));
            let mut bare = proof;
            bare.extra = None;
            assert_eq!(Proof::parse(&bare.to_string()).unwrap(), bare);
        }
    }

    #[test]
    fn the_example_of_the_specification_is_read_as_far_as_it_is_written_out() {
        let text = "c2sp.org/tlog-proof@v1\nextra YWdl\nindex 73894\n\
                    gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n\
                    AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n\n\
                    example.com/fancylog\n109482\nsFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n\n\
                    \u{2014} example.com/fancylog AAAAAAA=\n";
        let proof = Proof::parse(text).unwrap();
        assert_eq!((proof.index, proof.hashes.len()), (73894, 2));
        assert_eq!(proof.extra.as_deref(), Some(&b"age"[..]));
        assert_eq!(proof.to_string(), text);
        for (from, to) in [
            ("@v1", "@v2"),
            ("73894", "073894"),
            ("index 73894\n", ""),
            ("extra YWdl", "extra YWd"),
            ("gSKyXo", "gSKy"),
            ("\n\nexample", "\nexample"),
            ("109482", "0109482"),
        ] {
            let bad = text.replacen(from, to, 1);
            let read = Proof::parse(&bad);
            let ok = read.is_ok_and(|p| Checkpoint::of_text(&p.checkpoint.text).is_ok());
            assert!(!ok, "{from} → {to}");
        }
    }

    proptest! {
        #[test]
        fn no_changed_byte_passes(at in any::<prop::sample::Index>(), to in 0x0au8..0x7f) {
            let (proof, leaf, policy) = made(300, 123);
            let mut bytes = proof.to_string().into_bytes();
            let at = at.index(bytes.len());
            prop_assume!(bytes[at] != to);
            bytes[at] = to;
            if let Ok(text) = String::from_utf8(bytes)
                && let Ok(read) = Proof::parse(&text)
                && let Ok(found) = read.check(&leaf, &policy)
            {
                // What nobody signed, and says nothing: extra data.
                prop_assert!(read.extra != proof.extra && found.by.len() == 2, "{text}");
            }
        }

        #[test]
        fn any_text_is_survived(text in any::<String>(), lines in "[a-z 0-9=+/\n\u{2014}]{0,120}") {
            let _ = Proof::parse(&text);
            if let Ok(proof) = Proof::parse(&format!("{FIRST}\n{lines}")) {
                prop_assert_eq!(proof.to_string(), format!("{FIRST}\n{lines}"));
            }
        }
    }
}

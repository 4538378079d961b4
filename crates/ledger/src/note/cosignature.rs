//! Cosignatures of witnesses (C2SP tlog-cosignature, Ed25519 cosignature/v1): a witness says that at
//! a time the tree of a checkpoint was the largest it had seen of that log, and followed from all
//! that it had seen before.

use ed25519_dalek::{Signature as Ed25519, Signer, VerifyingKey};

use super::{COSIGNATURE, Note, NoteError, Signature, check_name, join_key, key_id, split_key};

/// A key that cosigns checkpoints. It signs nothing else, and belongs to one witness: what it signs
/// does not hold the witness's name.
#[derive(Clone)]
pub struct CosignerKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl std::fmt::Debug for CosignerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CosignerKey({})", self.name)
    }
}

/// What a cosignature is over: `time` in seconds since the epoch.
fn message(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

impl CosignerKey {
    /// The key of 32 random bytes, under the witness's name.
    ///
    /// # Errors
    /// A name that notes cannot carry.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key: ed25519_dalek::SigningKey::from_bytes(seed) })
    }

    /// Reads `PRIVATE+KEY+name+id+base64(4 ‖ seed)`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let rest =
            text.trim_end_matches('\n').strip_prefix("PRIVATE+KEY+").ok_or(NoteError::Key)?;
        let (name, id, seed) = split_key(rest, COSIGNATURE)?;
        let key = Self::new(name, &seed)?;
        if key.witness().id() == id { Ok(key) } else { Err(NoteError::Key) }
    }

    /// `PRIVATE+KEY+name+id+base64(4 ‖ seed)`: for a file that nobody else may read.
    pub fn secret_text(&self) -> String {
        let key = join_key(&self.name, self.witness().id(), COSIGNATURE, &self.key.to_bytes());
        format!("PRIVATE+KEY+{key}")
    }

    /// What others verify with.
    pub fn witness(&self) -> WitnessKey {
        WitnessKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The cosignature of a checkpoint's text at a time, in seconds since the epoch.
    pub fn cosign(&self, text: &str, time: u64) -> Signature {
        let signed = self.key.sign(&message(text, time)).to_bytes();
        let bytes = [&time.to_be_bytes()[..], &signed].concat();
        Signature { name: self.name.clone(), id: self.witness().id(), bytes }
    }
}

/// A key that verifies a witness's cosignatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    key: VerifyingKey,
}

impl WitnessKey {
    /// Reads `name+id+base64(4 ‖ public key)`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, id, public) = split_key(text, COSIGNATURE)?;
        let key = VerifyingKey::from_bytes(&public).map_err(|_| NoteError::Key)?;
        let key = Self { name: name.to_owned(), key };
        if key.id() == id { Ok(key) } else { Err(NoteError::Key) }
    }

    /// `name+id+base64(4 ‖ public key)`.
    pub fn text(&self) -> String {
        join_key(&self.name, self.id(), COSIGNATURE, self.key.as_bytes())
    }

    /// The witness's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// True where the other has the same public key, whatever its name.
    pub fn is_by_key_of(&self, other: &Self) -> bool {
        self.key == other.key
    }

    /// The first four bytes of SHA-256(name ‖ "\n" ‖ 4 ‖ public key).
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, COSIGNATURE, self.key.as_bytes())
    }

    /// When this witness cosigned the note, in seconds since the epoch; `None` where it did not.
    /// Of several cosignatures the latest counts.
    ///
    /// # Errors
    /// A cosignature under this key that does not fit the text.
    pub fn cosigned(&self, note: &Note) -> Result<Option<u64>, NoteError> {
        let id = self.id();
        let mut latest = None;
        for signature in note.signatures.iter().filter(|s| s.name == self.name && s.id == id) {
            latest = latest.max(Some(self.verify(&note.text, signature)?));
        }
        Ok(latest)
    }

    /// The time of a cosignature of a checkpoint's text.
    fn verify(&self, text: &str, signature: &Signature) -> Result<u64, NoteError> {
        let bad = || NoteError::Cosignature(self.name.clone());
        let (time, bytes) = signature.bytes.split_first_chunk::<8>().ok_or_else(bad)?;
        let time = u64::from_be_bytes(*time);
        let bytes: [u8; 64] = bytes.try_into().map_err(|_| bad())?;
        if i64::try_from(time).is_err() {
            return Err(bad());
        }
        self.key
            .verify_strict(&message(text, time), &Ed25519::from_bytes(&bytes))
            .map_err(|_| bad())?;
        Ok(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SigningKey;
    use proptest::prelude::*;

    fn cosigned(time: u64) -> (CosignerKey, Note) {
        let log = SigningKey::new("log.example", &[1; 32]).unwrap();
        let cosigner = CosignerKey::new("witness.example/w1", &[2; 32]).unwrap();
        let mut note = Note::parse(&log.sign(42, &[7; 32])).unwrap();
        note.signatures.push(cosigner.cosign(&note.text, time));
        (cosigner, note)
    }

    #[test]
    fn a_cosignature_reads_back_and_holds_for_its_text_and_time_alone() {
        let (cosigner, note) = cosigned(1_700_000_000);
        let witness = WitnessKey::parse(&cosigner.witness().text()).unwrap();
        let again = CosignerKey::parse(&cosigner.secret_text()).unwrap();
        assert_eq!(again.secret_text(), cosigner.secret_text());
        let read = Note::parse(&note.to_string()).unwrap();
        assert_eq!(read, note);
        assert_eq!(witness.cosigned(&read), Ok(Some(1_700_000_000)));
        let log = SigningKey::new("log.example", &[1; 32]).unwrap().verifier();
        assert_eq!(log.open_among(&read).unwrap().size, 42);
        // A note with a cosignature is no checkpoint of the log's own writing.
        assert!(log.open(&read.to_string()).is_err());

        let other = CosignerKey::new("witness.example/w1", &[3; 32]).unwrap().witness();
        assert_eq!(other.cosigned(&read), Ok(None));
        let mut changed = read.clone();
        changed.text = changed.text.replace("42", "43");
        assert_eq!(
            witness.cosigned(&changed),
            Err(NoteError::Cosignature("witness.example/w1".to_owned()))
        );
        // The later of two counts.
        let mut twice = read.clone();
        twice.signatures.push(cosigner.cosign(&twice.text, 1_700_000_500));
        twice.signatures.push(cosigner.cosign(&twice.text, 1_600_000_000));
        assert_eq!(witness.cosigned(&twice), Ok(Some(1_700_000_500)));
        // Times beyond 2^63 − 1 are none.
        let (_, far) = cosigned(u64::MAX);
        assert!(witness.cosigned(&far).is_err());
        // A log's key is no witness's, and the other way round.
        assert!(WitnessKey::parse(&log.text()).is_err());
        assert!(crate::VerifierKey::parse(&witness.text()).is_err());
    }

    proptest! {
        #[test]
        fn no_flipped_bit_of_a_cosignature_passes(at in 0usize..72, bit in 0u8..8) {
            let (cosigner, mut note) = cosigned(1_700_000_000);
            note.signatures[1].bytes[at] ^= 1 << bit;
            prop_assert!(cosigner.witness().cosigned(&note).is_err());
        }

        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = WitnessKey::parse(&text);
            let _ = CosignerKey::parse(&format!("PRIVATE+KEY+{text}"));
        }
    }
}

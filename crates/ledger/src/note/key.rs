//! The keys that sign the checkpoints of a log, and those that verify them.

use ed25519_dalek::{Signature as Ed25519, Signer, VerifyingKey};
use zeroize::Zeroizing;

use super::checkpoint::parse;
use super::{
    Checkpoint, ED25519, Note, NoteError, Signature, check_name, join_key, key_id, split_key,
};
use crate::tree::Hash;

/// A key that signs the checkpoints of one log.
#[derive(Clone)]
pub struct SigningKey {
    name: String,
    key: ed25519_dalek::SigningKey,
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.name)
    }
}

impl SigningKey {
    /// The key of 32 random bytes, under a name (the log's origin).
    ///
    /// # Errors
    /// A name that notes cannot carry.
    pub fn new(name: &str, seed: &[u8; 32]) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key: ed25519_dalek::SigningKey::from_bytes(seed) })
    }

    /// Reads `PRIVATE+KEY+name+id+base64(1 ‖ seed)`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let rest =
            text.trim_end_matches('\n').strip_prefix("PRIVATE+KEY+").ok_or(NoteError::Key)?;
        let (name, id, seed) = split_key(rest, ED25519)?;
        let key = Self::new(name, &seed)?;
        if key.verifier().id() == id { Ok(key) } else { Err(NoteError::Key) }
    }

    /// `PRIVATE+KEY+name+id+base64(1 ‖ seed)`: for a file that nobody else may read.
    pub fn secret_text(&self) -> String {
        let key = join_key(&self.name, self.verifier().id(), ED25519, &self.key.to_bytes());
        format!("PRIVATE+KEY+{key}")
    }

    /// What the key is made of.
    pub(crate) fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.key.to_bytes())
    }

    /// The same key under another name: one authority signs all its logs with one key.
    ///
    /// # Errors
    /// A name that notes cannot carry.
    pub fn renamed(&self, name: &str) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key: self.key.clone() })
    }

    /// What others verify with.
    pub fn verifier(&self) -> VerifierKey {
        VerifierKey { name: self.name.clone(), key: self.key.verifying_key() }
    }

    /// The name: the origin of the log it signs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The signed checkpoint of this key's log.
    pub fn sign(&self, size: u64, root: &Hash) -> String {
        let checkpoint = Checkpoint { origin: self.name.clone(), size, root: *root };
        self.note(checkpoint.text()).to_string()
    }

    /// A signed note of a text that ends with a line feed.
    pub fn note(&self, text: String) -> Note {
        let bytes = self.key.sign(text.as_bytes()).to_bytes().to_vec();
        let signature = Signature { name: self.name.clone(), id: self.verifier().id(), bytes };
        Note { text, signatures: vec![signature] }
    }
}

/// A key that verifies the checkpoints of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    key: VerifyingKey,
}

impl VerifierKey {
    /// Reads `name+id+base64(1 ‖ public key)`.
    ///
    /// # Errors
    /// Anything else.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let (name, id, public) = split_key(text, ED25519)?;
        let key = VerifyingKey::from_bytes(&public).map_err(|_| NoteError::Key)?;
        let key = Self { name: name.to_owned(), key };
        if key.id() == id { Ok(key) } else { Err(NoteError::Key) }
    }

    /// `name+id+base64(1 ‖ public key)`.
    pub fn text(&self) -> String {
        join_key(&self.name, self.id(), ED25519, self.key.as_bytes())
    }

    /// The same key under another name.
    ///
    /// # Errors
    /// A name that notes cannot carry.
    pub fn renamed(&self, name: &str) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), key: self.key })
    }

    /// The name: the origin of the log it verifies.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name ‖ "\n" ‖ 1 ‖ public key).
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, ED25519, self.key.as_bytes())
    }

    /// Reads a checkpoint of this key's log, as we write it, and verifies its signature.
    ///
    /// # Errors
    /// Another writing, another log, another key, a signature that does not fit.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let (checkpoint, signature) = parse(note)?;
        self.is_of(&checkpoint)?;
        if signature.id != self.id() {
            return Err(NoteError::OtherKey);
        }
        self.verify(&checkpoint.text(), &signature)?;
        Ok(checkpoint)
    }

    /// Reads the checkpoint of a note with any number of signatures, of which this key's must be
    /// one; those of other keys say nothing.
    ///
    /// # Errors
    /// Another log, no signature by this key, one that does not fit.
    pub fn open_among(&self, note: &Note) -> Result<Checkpoint, NoteError> {
        let checkpoint = Checkpoint::of_text(&note.text)?;
        self.is_of(&checkpoint)?;
        self.open_note(note)?;
        Ok(checkpoint)
    }

    /// Verifies this key's signature of a note of any text.
    ///
    /// # Errors
    /// No signature by this key, or one that does not fit.
    pub fn open_note(&self, note: &Note) -> Result<(), NoteError> {
        let mut own = self.signatures_of(note);
        let first = own.next().ok_or(NoteError::OtherKey)?;
        self.verify(&note.text, first)?;
        own.try_for_each(|another| self.verify(&note.text, another))
    }

    /// The signatures of a note that are under this key's name and id.
    pub(crate) fn signatures_of<'a>(&self, note: &'a Note) -> impl Iterator<Item = &'a Signature> {
        let (name, id) = (self.name.clone(), self.id());
        note.signatures.iter().filter(move |s| s.name == name && s.id == id)
    }

    fn is_of(&self, checkpoint: &Checkpoint) -> Result<(), NoteError> {
        if checkpoint.origin == self.name {
            return Ok(());
        }
        let (expected, found) = (self.name.clone(), checkpoint.origin.clone());
        Err(NoteError::Origin { expected, found })
    }

    fn verify(&self, text: &str, signature: &Signature) -> Result<(), NoteError> {
        let bytes: [u8; 64] =
            signature.bytes.as_slice().try_into().map_err(|_| NoteError::Signature)?;
        self.key
            .verify_strict(text.as_bytes(), &Ed25519::from_bytes(&bytes))
            .map_err(|_| NoteError::Signature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key() -> SigningKey {
        SigningKey::new("practice.invalid/case/1", &[7; 32]).unwrap()
    }

    #[test]
    fn keys_and_checkpoints_read_back() {
        let key = key();
        assert_eq!(SigningKey::parse(&key.secret_text()).unwrap().secret_text(), key.secret_text());
        let verifier = VerifierKey::parse(&key.verifier().text()).unwrap();
        let note = key.sign(42, &[1; 32]);
        let read = verifier.open(&note).unwrap();
        assert_eq!((read.size, read.root), (42, [1; 32]));
        let other = SigningKey::new("practice.invalid/case/1", &[8; 32]).unwrap();
        assert_eq!(other.verifier().open(&note), Err(NoteError::OtherKey));
        let renamed = key.renamed("practice.invalid/case/2").unwrap();
        assert!(matches!(renamed.verifier().open(&note), Err(NoteError::Origin { .. })));
        assert!(SigningKey::new("a b", &[0; 32]).is_err());
        assert!(SigningKey::new("a+b", &[0; 32]).is_err());
    }

    #[test]
    fn every_flipped_bit_of_a_checkpoint_is_found() {
        let (key, note) = (key(), key().sign(42, &[1; 32]));
        for at in 0..note.len() {
            for bit in 0..8 {
                let mut bytes = note.clone().into_bytes();
                bytes[at] ^= 1 << bit;
                if let Ok(text) = String::from_utf8(bytes) {
                    assert!(key.verifier().open(&text).is_err(), "byte {at} bit {bit}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC{0,200}", tail in any::<String>()) {
            let _ = key().verifier().open(&text);
            let _ = Checkpoint::parse_unverified(&format!("{text}\n{tail}\n"));
            let _ = VerifierKey::parse(&tail);
            let _ = Note::parse(&tail);
            let _ = Checkpoint::of_text(&tail);
            let _ = SigningKey::parse(&format!("PRIVATE+KEY+{tail}"));
        }

        #[test]
        fn mutations_are_refused(at in any::<prop::sample::Index>(), insert in any::<char>()) {
            let mut note = key().sign(42, &[1; 32]);
            let mut at = at.index(note.len());
            while !note.is_char_boundary(at) { at -= 1 }
            note.insert(at, insert);
            prop_assert!(key().verifier().open(&note).is_err());
        }
    }
}

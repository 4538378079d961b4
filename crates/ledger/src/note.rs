//! Signed notes and checkpoints (C2SP signed-note and tlog-checkpoint, Ed25519).
//!
//! A checkpoint here has exactly one signature, the log's own, and no extension lines: every one of
//! its bytes is determined by origin, size, root and key.

use data_encoding::BASE64;
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use sha2::{Digest, Sha256};

use crate::tree::Hash;

/// The longest origin or key name, in bytes.
pub const MAX_NAME: usize = 255;
/// The longest checkpoint, in bytes.
pub const MAX_NOTE: usize = 2048;

const ED25519: u8 = 1;

/// Why a note is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Not a key of the forms of signed-note.
    #[error("not an Ed25519 key as signed notes write it")]
    Key,
    /// A name that signed notes cannot carry.
    #[error("a name must be 1 to {MAX_NAME} bytes without spaces, control characters or '+'")]
    Name,
    /// Not a checkpoint in its one writing.
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
    /// By another key.
    #[error(
        "the checkpoint was signed by another key than this home's: where the case is of another \
         home, name that with --home"
    )]
    OtherKey,
    /// The signature does not fit the text.
    #[error("the signature does not fit the checkpoint")]
    Signature,
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let bad = |c: char| c.is_whitespace() || c.is_control() || c == '+';
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(bad) {
        return Err(NoteError::Name);
    }
    Ok(())
}

fn key_id(name: &str, public: &[u8; 32]) -> [u8; 4] {
    let mut hash = Sha256::new();
    hash.update(name.as_bytes());
    hash.update([b'\n', ED25519]);
    hash.update(public);
    let digest: [u8; 32] = hash.finalize().into();
    [digest[0], digest[1], digest[2], digest[3]]
}

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
        let (name, id, bytes) = split_key(rest)?;
        let seed: [u8; 32] = bytes.as_slice().try_into().map_err(|_| NoteError::Key)?;
        let key = Self::new(name, &seed)?;
        if key.verifier().id() == id { Ok(key) } else { Err(NoteError::Key) }
    }

    /// `PRIVATE+KEY+name+id+base64(1 ‖ seed)`: for a file that nobody else may read.
    pub fn secret_text(&self) -> String {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(&self.key.to_bytes());
        let id = model::id::hex(&self.verifier().id());
        format!("PRIVATE+KEY+{}+{id}+{}", self.name, BASE64.encode(&bytes))
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
        let text = checkpoint_text(&self.name, size, root);
        let mut blob = self.verifier().id().to_vec();
        blob.extend_from_slice(&self.key.sign(text.as_bytes()).to_bytes());
        format!("{text}\n\u{2014} {} {}\n", self.name, BASE64.encode(&blob))
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
        let (name, id, bytes) = split_key(text)?;
        check_name(name)?;
        let public: [u8; 32] = bytes.as_slice().try_into().map_err(|_| NoteError::Key)?;
        let key = VerifyingKey::from_bytes(&public).map_err(|_| NoteError::Key)?;
        let key = Self { name: name.to_owned(), key };
        if key.id() == id { Ok(key) } else { Err(NoteError::Key) }
    }

    /// `name+id+base64(1 ‖ public key)`.
    pub fn text(&self) -> String {
        let mut bytes = vec![ED25519];
        bytes.extend_from_slice(self.key.as_bytes());
        format!("{}+{}+{}", self.name, model::id::hex(&self.id()), BASE64.encode(&bytes))
    }

    /// The name: the origin of the log it verifies.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The first four bytes of SHA-256(name ‖ "\n" ‖ 1 ‖ public key).
    pub fn id(&self) -> [u8; 4] {
        key_id(&self.name, self.key.as_bytes())
    }

    /// Reads a checkpoint of this key's log and verifies its signature.
    ///
    /// # Errors
    /// Another writing, another log, another key, a signature that does not fit.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let (checkpoint, signature) = parse(note)?;
        if checkpoint.origin != self.name {
            let expected = self.name.clone();
            return Err(NoteError::Origin { expected, found: checkpoint.origin });
        }
        if signature[..4] != self.id() {
            return Err(NoteError::OtherKey);
        }
        let bytes: [u8; 64] = signature[4..].try_into().map_err(|_| NoteError::Signature)?;
        let text = checkpoint_text(&checkpoint.origin, checkpoint.size, &checkpoint.root);
        self.key
            .verify_strict(text.as_bytes(), &Signature::from_bytes(&bytes))
            .map_err(|_| NoteError::Signature)?;
        Ok(checkpoint)
    }
}

fn split_key(text: &str) -> Result<(&str, [u8; 4], Vec<u8>), NoteError> {
    // The base64 may hold '+': split at the first two only. Names hold none.
    let mut parts = text.splitn(3, '+');
    let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(NoteError::Key);
    };
    let id = model::id::unhex(id).ok_or(NoteError::Key)?;
    let id: [u8; 4] = id.as_slice().try_into().map_err(|_| NoteError::Key)?;
    let bytes = BASE64.decode(key.as_bytes()).map_err(|_| NoteError::Key)?;
    match bytes.split_first() {
        Some((&ED25519, rest)) => Ok((name, id, rest.to_vec())),
        _ => Err(NoteError::Key),
    }
}

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
    /// Reads a checkpoint without verifying its signature.
    ///
    /// # Errors
    /// Another writing.
    pub fn parse_unverified(note: &str) -> Result<Self, NoteError> {
        parse(note).map(|(checkpoint, _)| checkpoint)
    }
}

fn checkpoint_text(origin: &str, size: u64, root: &Hash) -> String {
    format!("{origin}\n{size}\n{}\n", BASE64.encode(root))
}

fn parse(note: &str) -> Result<(Checkpoint, Vec<u8>), NoteError> {
    let bad = NoteError::Shape;
    if note.len() > MAX_NOTE {
        return Err(bad("too long"));
    }
    let lines: Vec<&str> = note.split('\n').collect();
    let [origin, size, root, "", signature, ""] = lines.as_slice() else {
        return Err(bad("not three lines, an empty one and a signature"));
    };
    check_name(origin)?;
    let count: u64 = size.parse().map_err(|_| bad("the size is no number"))?;
    if count.to_string() != *size {
        return Err(bad("the size is not in its plain writing"));
    }
    let hash = BASE64.decode(root.as_bytes()).map_err(|_| bad("the root is not base64"))?;
    let root: Hash = hash.as_slice().try_into().map_err(|_| bad("the root is not 32 bytes"))?;
    let signature = signature
        .strip_prefix("\u{2014} ")
        .and_then(|rest| rest.strip_prefix(origin))
        .and_then(|rest| rest.strip_prefix(' '))
        .ok_or(bad("the signature is not under the origin's name"))?;
    let blob =
        BASE64.decode(signature.as_bytes()).map_err(|_| bad("the signature is not base64"))?;
    if blob.len() != 68 {
        return Err(bad("the signature is not 68 bytes"));
    }
    Ok((Checkpoint { origin: (*origin).to_owned(), size: count, root }, blob))
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

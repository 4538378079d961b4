//! The file of an authority's private key: one line, in the clear or under a passphrase.
//!
//! ```text
//! PRIVATE+KEY+name+id+base64(1 ‖ seed)
//! vigie-key/v1 name+id+base64(1 ‖ public) argon2id m=65536,t=3,p=4 SALT NONCE SEALED
//! ```
//!
//! `SEALED` is the 32 bytes of the seed under XChaCha20-Poly1305. Its key is Argon2id (version 1.3)
//! of the passphrase with `SALT`; everything before it in the line is authenticated with it. The
//! public key stands in the clear, so that verifying asks nobody for a passphrase. SALT (16 bytes),
//! NONCE (24) and SEALED (48) are base64; a line has one writing.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use crate::base64;
use crate::note::{NoteError, SigningKey, VerifierKey};
use crate::passphrase::Passphrase;

/// What a sealed file begins with.
const PREFIX: &str = "vigie-key/v1";
/// The longest file, in bytes.
pub(crate) const MAX_KEY_FILE: usize = 1000;

/// What making a key of a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    /// Memory in KiB.
    pub memory: u32,
    /// Passes over it.
    pub passes: u32,
    /// Lanes.
    pub lanes: u32,
}

impl Cost {
    /// RFC 9106's second recommended option: 64 MiB, 3 passes, 4 lanes. What new files get.
    pub const USUAL: Self = Self { memory: 64 << 10, passes: 3, lanes: 4 };
    /// The least that a file may ask for: less would be guessed too fast.
    pub const LEAST: Self = Self { memory: 8 << 10, passes: 1, lanes: 1 };
    /// The most: more is no key file of ours, and would stop the machine.
    pub const MOST: Self = Self { memory: 1 << 20, passes: 16, lanes: 16 };

    fn check(self) -> Result<Self, KeyFileError> {
        let within =
            |of: fn(&Self) -> u32| (of(&Self::LEAST)..=of(&Self::MOST)).contains(&of(&self));
        if within(|c| c.memory) && within(|c| c.passes) && within(|c| c.lanes) {
            Ok(self)
        } else {
            Err(KeyFileError::Cost(self))
        }
    }
}

impl fmt::Display for Cost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "m={},t={},p={}", self.memory, self.passes, self.lanes)
    }
}

/// What is random in a sealed file: never used twice.
#[derive(Debug, Clone, Copy)]
pub struct Fresh {
    /// Of Argon2id.
    pub salt: [u8; 16],
    /// Of XChaCha20-Poly1305.
    pub nonce: [u8; 24],
}

impl Fresh {
    /// Of random bytes.
    pub fn of(one: &[u8; 32], other: &[u8; 32]) -> Self {
        Self { salt: std::array::from_fn(|i| one[i]), nonce: std::array::from_fn(|i| other[i]) }
    }
}

/// Why a file is no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileError {
    /// In the clear, and no key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Another writing.
    #[error("not a key file: {0}")]
    Shape(&'static str),
    /// Of a later version.
    #[error("a key file of the version {0:?}, which this vigie does not know: use a newer one")]
    Version(String),
    /// Costs out of bounds.
    #[error(
        "it asks for {0} of Argon2id, where {least} to {most} are taken: no key file of ours, or a damaged \
         one",
        least = Cost::LEAST,
        most = Cost::MOST
    )]
    Cost(Cost),
    /// The passphrase is another, or a byte was changed: one cannot be told from the other.
    #[error(
        "the passphrase does not open it. Try again; where it is surely the right one the file was \
         changed: bring it back from a copy"
    )]
    Closed,
}

/// An authority's key as its file holds it.
#[derive(Debug, Clone)]
pub(crate) enum KeyFile {
    /// In the clear.
    Plain(SigningKey),
    /// Under a passphrase.
    Sealed(Sealed),
}

impl KeyFile {
    /// Reads a file.
    ///
    /// # Errors
    /// Anything that is not written here.
    pub(crate) fn parse(text: &str) -> Result<Self, KeyFileError> {
        if text.starts_with("vigie-key/") {
            let line = text.strip_suffix('\n').ok_or(KeyFileError::Shape("its line has no end"))?;
            Sealed::parse(line).map(Self::Sealed)
        } else {
            Ok(Self::Plain(SigningKey::parse(text)?))
        }
    }

    /// What verifies.
    pub(crate) fn verifier(&self) -> VerifierKey {
        match self {
            Self::Plain(key) => key.verifier(),
            Self::Sealed(sealed) => sealed.verifier().clone(),
        }
    }

    /// The file's text.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(match self {
            Self::Plain(key) => format!("{}\n", key.secret_text()),
            Self::Sealed(sealed) => format!("{sealed}\n"),
        })
    }
}

/// A key under a passphrase.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    verifier: VerifierKey,
    cost: Cost,
    salt: [u8; 16],
    nonce: [u8; 24],
    sealed: [u8; 48],
}

impl Sealed {
    /// Puts a key under a passphrase.
    ///
    /// # Errors
    /// Costs out of bounds.
    pub fn new(
        key: &SigningKey,
        passphrase: &Passphrase,
        cost: Cost,
        fresh: Fresh,
    ) -> Result<Self, KeyFileError> {
        let Fresh { salt, nonce } = fresh;
        let mut out = Self { verifier: key.verifier(), cost, salt, nonce, sealed: [0; 48] };
        let (head, seed) = (out.head(), key.seed());
        let payload = Payload { msg: &seed[..], aad: head.as_bytes() };
        let sealed = out.cipher(passphrase)?.encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| KeyFileError::Closed)?;
        out.sealed = sealed.try_into().map_err(|_| KeyFileError::Closed)?;
        Ok(out)
    }

    /// Reads the line, without its line feed. What is read is written again the same.
    ///
    /// # Errors
    /// Another writing; costs out of bounds.
    pub fn parse(line: &str) -> Result<Self, KeyFileError> {
        let bad = KeyFileError::Shape;
        if line.len() > MAX_KEY_FILE {
            return Err(bad("too long"));
        }
        let parts: Vec<&str> = line.split(' ').collect();
        let version = parts.first().copied().unwrap_or_default();
        if version != PREFIX {
            return Err(KeyFileError::Version(version.chars().take(40).collect()));
        }
        let [_, verifier, function, cost, salt, nonce, sealed] = parts.as_slice() else {
            return Err(bad("it has not its seven parts"));
        };
        if *function != "argon2id" {
            return Err(bad("the passphrase's function is not argon2id"));
        }
        Ok(Self {
            verifier: VerifierKey::parse(verifier)?,
            cost: parse_cost(cost).ok_or(bad("the costs are not m=…,t=…,p=…"))?.check()?,
            salt: bytes(salt).ok_or(bad("the salt is not 16 bytes of base64"))?,
            nonce: bytes(nonce).ok_or(bad("the nonce is not 24 bytes of base64"))?,
            sealed: bytes(sealed).ok_or(bad("the sealed key is not 48 bytes of base64"))?,
        })
    }

    /// What opening it costs.
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// What verifies.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// The key.
    ///
    /// # Errors
    /// Another passphrase, or a file in which a byte was changed.
    pub fn open(&self, passphrase: &Passphrase) -> Result<SigningKey, KeyFileError> {
        let head = self.head();
        let payload = Payload { msg: &self.sealed, aad: head.as_bytes() };
        let opened = self.cipher(passphrase)?.decrypt(&XNonce::from(self.nonce), payload);
        let opened = Zeroizing::new(opened.map_err(|_| KeyFileError::Closed)?);
        let mut seed = Zeroizing::new([0; 32]);
        if opened.len() != seed.len() {
            return Err(KeyFileError::Closed);
        }
        seed.copy_from_slice(&opened);
        let key = SigningKey::new(self.verifier.name(), &seed)?;
        if key.verifier() == self.verifier { Ok(key) } else { Err(KeyFileError::Closed) }
    }

    fn cipher(&self, passphrase: &Passphrase) -> Result<XChaCha20Poly1305, KeyFileError> {
        let cost = self.cost.check()?;
        let refused = |_| KeyFileError::Cost(cost);
        let params =
            Params::new(cost.memory, cost.passes, cost.lanes, Some(32)).map_err(refused)?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.bytes(), &self.salt, &mut key[..])
            .map_err(refused)?;
        Ok(XChaCha20Poly1305::new(&Key::from(*key)))
    }

    /// What is authenticated beside the seed.
    fn head(&self) -> String {
        let (verifier, cost) = (self.verifier.text(), self.cost);
        let (salt, nonce) = (base64::encode(&self.salt), base64::encode(&self.nonce));
        format!("{PREFIX} {verifier} argon2id {cost} {salt} {nonce}")
    }
}

/// The line, without its line feed.
impl fmt::Display for Sealed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.head(), base64::encode(&self.sealed))
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    base64::decode(text)?.try_into().ok()
}

/// Costs in their one writing.
fn parse_cost(text: &str) -> Option<Cost> {
    let mut parts = text.split(',');
    let mut number = |name: &str| parts.next()?.strip_prefix(name)?.parse().ok();
    let cost = Cost { memory: number("m=")?, passes: number("t=")?, lanes: number("p=")? };
    (cost.to_string() == text).then_some(cost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const FRESH: Fresh = Fresh { salt: [3; 16], nonce: [4; 24] };

    fn key() -> SigningKey {
        SigningKey::new("police.example", &[7; 32]).unwrap()
    }

    fn word(text: &str) -> Passphrase {
        Passphrase::new(text.to_owned())
    }

    fn sealed() -> Sealed {
        Sealed::new(&key(), &word("correct horse"), Cost::LEAST, FRESH).unwrap()
    }

    #[test]
    fn the_right_passphrase_opens_and_no_other() {
        let sealed = sealed();
        assert_eq!(sealed.verifier(), &key().verifier());
        let again = Sealed::parse(&sealed.to_string()).unwrap();
        assert_eq!(again, sealed);
        let opened = again.open(&word("correct horse")).unwrap();
        assert_eq!(opened.secret_text(), key().secret_text());
        for wrong in ["", "correct hors", "correct horse ", "Correct horse"] {
            assert_eq!(again.open(&word(wrong)).unwrap_err(), KeyFileError::Closed, "{wrong:?}");
        }
    }

    /// Written by another program: Python's `cryptography`, with HChaCha20 added to it.
    #[test]
    fn a_file_of_the_usual_cost_that_another_program_wrote_opens() {
        let text = concat!(
            "vigie-key/v1 police.example+361ae863+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs ",
            "argon2id m=65536,t=3,p=4 AAECAwQFBgcICQoLDA0ODw== ",
            "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX ",
            "0K7zGgZ0996Oz0+qY855x5vxep09Z02MqCdxo5M5GElyBALkjzsFiIz2aZnZvvBm",
        );
        assert!(text.contains(&format!(" {} ", Cost::USUAL)));
        let opened = Sealed::parse(text).unwrap().open(&word("pässword of nobody")).unwrap();
        assert_eq!(opened.secret_text(), key().secret_text());
    }

    #[test]
    fn costs_beyond_the_bounds_are_refused_before_any_work() {
        let text = sealed().to_string();
        for cost in [
            "m=4294967295,t=1,p=1",
            "m=8192,t=17,p=1",
            "m=8192,t=1,p=17",
            "m=8191,t=1,p=1",
            "m=8192,t=0,p=1",
            "m=8192,t=1,p=0",
        ] {
            let text = text.replace("m=8192,t=1,p=1", cost);
            assert!(matches!(Sealed::parse(&text), Err(KeyFileError::Cost(_))), "{cost}");
        }
        for cost in
            ["m=08192,t=1,p=1", "m=8192,t=1", "t=1,m=8192,p=1", "m=8192,t=1,p=1,", "m=-1,t=1,p=1"]
        {
            let text = text.replace("m=8192,t=1,p=1", cost);
            assert!(matches!(Sealed::parse(&text), Err(KeyFileError::Shape(_))), "{cost}");
        }
    }

    #[test]
    fn what_is_no_key_file_is_told_apart() {
        let text = sealed().to_string();
        let told = |text: &str| KeyFile::parse(text).unwrap_err();
        assert!(matches!(told(&text), KeyFileError::Shape("its line has no end")));
        assert!(matches!(told(&format!("{text}\n\n")), KeyFileError::Shape(_)));
        let newer = text.replacen("v1", "v2", 1) + "\n";
        assert_eq!(told(&newer), KeyFileError::Version("vigie-key/v2".into()));
        assert!(told(&newer).to_string().contains("use a newer one"));
        assert!(matches!(told("PRIVATE+KEY+x"), KeyFileError::Note(_)));
        assert!(matches!(told(""), KeyFileError::Note(_)));
        assert!(matches!(
            told(&format!("{PREFIX} {}\n", "a ".repeat(900))),
            KeyFileError::Shape(_)
        ));
        assert!(KeyFile::parse(&format!("{text}\n")).is_ok());
        let plain = format!("{}\n", key().secret_text());
        assert_eq!(*KeyFile::parse(&plain).unwrap().text(), plain);
    }

    /// Every byte: whatever it becomes, the file is refused or stays closed.
    #[test]
    fn every_changed_byte_keeps_it_closed() {
        let text = sealed().to_string();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let changed = String::from_utf8(bytes).unwrap();
            let opened = Sealed::parse(&changed).and_then(|s| s.open(&word("correct horse")));
            assert!(opened.is_err(), "byte {at}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_survived(tail in any::<String>(), words in "[a-zA-Z0-9=+/, ]{0,200}") {
            for text in [&tail, &words] {
                for text in [text.clone(), format!("{PREFIX} {text}\n")] {
                    if let Ok(file) = KeyFile::parse(&text) {
                        prop_assert_eq!(&*file.text(), &text);
                    }
                }
            }
        }

        #[test]
        fn mutations_are_refused(at in any::<prop::sample::Index>(), flip in 1u8..128) {
            let text = sealed().to_string();
            let mut bytes = text.clone().into_bytes();
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(changed) = String::from_utf8(bytes) {
                let opened = Sealed::parse(&changed).and_then(|s| s.open(&word("correct horse")));
                prop_assert!(opened.is_err(), "byte {}", at);
            }
        }
    }
}

//! Signatures of requests and answers (TSIG, RFC 8945).
//!
//! Requests are verified and answers signed by the `domain` library, every message of a transfer. Two
//! of its error answers are made here: in 0.12.3 a wrong MAC is told as FORMERR instead of BADSIG
//! (RFC 8945, 5.2.2), and the MAC of a BADTIME answer (5.2.3) is made over eight bytes of time where
//! six are sent, so that nobody can verify it.

use std::collections::HashMap;
use std::str::FromStr;
use std::sync::Arc;

use domain::base::iana::{Class, Rcode, Rtype, TsigRcode};
use domain::base::message_builder::{AdditionalBuilder, PushError};
use domain::base::{Message, Name, ToName};
use domain::dep::octseq::Array;
use domain::rdata::tsig::{Time48, Tsig};
use domain::tsig;
use ring::hmac;

use crate::wire::{Packer, begin};

/// How far a client's clock may be off, in seconds (RFC 8945, section 10, recommends 300).
pub const FUDGE: u16 = 300;
/// The shortest secret, in bytes.
pub const MIN_SECRET: usize = 16;

/// The algorithms that are taken. (MD5 and SHA-1 are left out: RFC 8945, section 6.)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// `hmac-sha256`, which all servers have.
    Sha256,
    /// `hmac-sha512`.
    Sha512,
}

/// The name of a key, as it stands in messages.
pub type KeyName = Name<Array<255>>;

/// A key that both sides have.
#[derive(Clone)]
pub struct Key(Arc<Inner>);

struct Inner {
    key: tsig::Key,
    secret: Vec<u8>,
}

/// Why a key cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The name is no domain name.
    #[error("{0:?} is no name for a key: write it as a domain name")]
    Name(String),
    /// The secret is too short to be one.
    #[error("the secret has {0} bytes, and {MIN_SECRET} are the least: make one with tsig-keygen")]
    Short(usize),
}

impl Key {
    /// Makes a key from its parts; the secret is raw bytes, not their Base64.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn new(name: &str, algorithm: Algorithm, secret: &[u8]) -> Result<Self, KeyError> {
        if secret.len() < MIN_SECRET {
            return Err(KeyError::Short(secret.len()));
        }
        let wrong = || KeyError::Name(name.to_owned());
        let owner = KeyName::from_str(name).map_err(|_| wrong())?;
        let algorithm = match algorithm {
            Algorithm::Sha256 => tsig::Algorithm::Sha256,
            Algorithm::Sha512 => tsig::Algorithm::Sha512,
        };
        let key = tsig::Key::new(algorithm, secret, owner, None, None).map_err(|_| wrong())?;
        Ok(Self(Arc::new(Inner { key, secret: secret.to_vec() })))
    }

    /// The key's name.
    pub fn name(&self) -> &KeyName {
        self.0.key.name()
    }

    fn hmac(&self) -> hmac::Key {
        let algorithm = match self.0.key.algorithm() {
            tsig::Algorithm::Sha512 => hmac::HMAC_SHA512,
            _ => hmac::HMAC_SHA256,
        };
        hmac::Key::new(algorithm, &self.0.secret)
    }
}

impl AsRef<tsig::Key> for Key {
    fn as_ref(&self) -> &tsig::Key {
        &self.0.key
    }
}

/// The same name, algorithm and secret.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
            && self.0.key.algorithm() == other.0.key.algorithm()
            && self.0.secret == other.0.secret
    }
}

impl std::fmt::Debug for Key {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({}, {})", self.name(), self.0.key.algorithm())
    }
}

/// Keys by name and algorithm.
pub(crate) type Keys = HashMap<(KeyName, tsig::Algorithm), Key>;

/// Puts a key among others, unless another secret stands there under its name.
pub(crate) fn insert(keys: &mut Keys, key: &Key) -> bool {
    let place = (key.name().clone(), key.0.key.algorithm());
    keys.entry(place).or_insert_with(|| key.clone()) == key
}

/// Signs the answers to one request.
#[derive(Clone)]
pub(crate) struct Signer(tsig::ServerSequence<Key>);

impl Signer {
    /// The key that signed the request.
    pub(crate) fn key(&self) -> &Key {
        self.0.wrapped_key()
    }

    /// Signs the next message of the answer. `now` is in Unix seconds.
    pub(crate) fn sign(
        &mut self,
        message: &mut AdditionalBuilder<Packer>,
        now: u64,
    ) -> Result<(), PushError> {
        self.0.answer_with_fudge(message, time(now), FUDGE)
    }
}

/// Unix seconds as TSIG writes them; no clock comes near the 48 bits.
pub(crate) fn time(now: u64) -> Time48 {
    Time48::from_u64(now.min((1 << 48) - 1))
}

/// Verifies a request and takes its signature off. `None` where it has none.
///
/// # Errors
/// The answer to send, where the signature is not one of a known key over this message and time.
pub(crate) fn verify(
    keys: &Keys,
    message: &mut Message<Vec<u8>>,
    now: u64,
) -> Result<Option<Signer>, Vec<u8>> {
    match tsig::ServerSequence::request(keys, message, time(now)) {
        Ok(signer) => Ok(signer.map(Signer)),
        Err(error) => Err(refusal(keys, message, error.error(), now).unwrap_or_default()),
    }
}

/// The answer to a wrong signature (RFC 8945, section 5.2). Empty where none can be made.
fn refusal(
    keys: &Keys,
    request: &Message<Vec<u8>>,
    error: TsigRcode,
    now: u64,
) -> Result<Vec<u8>, PushError> {
    let builder = begin(Packer::default());
    let records = request.additional().into_iter().flatten().flatten();
    let one = records.filter(|record| record.rtype() == Rtype::TSIG).count() == 1;
    let Some(asked) = request.get_last_additional::<Tsig<_, _>>().filter(|_| one) else {
        let message = builder.start_error(request, Rcode::FORMERR);
        return Ok(message.finish().into_bytes());
    };
    let (owner, asked) = (*asked.owner(), asked.data());
    let mut message = builder.start_answer(request, Rcode::NOTAUTH)?.additional();
    let error = if error == TsigRcode::FORMERR { TsigRcode::BADSIG } else { error };
    let mut mac = Vec::new();
    let mut other = [].as_slice();
    let server_time = time(now).into_octets();
    if error == TsigRcode::BADTIME {
        other = &server_time;
        let place = (owner.try_to_name(), tsig::Algorithm::from_name(asked.algorithm()));
        if let (Ok(name), Some(algorithm)) = place
            && let Some(key) = keys.get(&(name, algorithm))
        {
            mac = bad_time(key, asked, message.as_slice(), other);
        }
    }
    // The data is no longer than the request's: it fits.
    if let Ok(data) = Tsig::new(
        asked.algorithm(),
        asked.time_signed(),
        asked.fudge(),
        mac.as_slice(),
        request.header().id(),
        error,
        other,
    ) {
        message.push((owner, Class::ANY, 0, data))?;
    }
    Ok(message.finish().into_bytes())
}

/// The MAC of a BADTIME answer (RFC 8945, 4.3): the request's MAC, the answer, the variables.
fn bad_time<O: AsRef<[u8]>, N: ToName>(
    key: &Key,
    asked: &Tsig<O, N>,
    answer: &[u8],
    other: &[u8],
) -> Vec<u8> {
    let mut context = hmac::Context::with_key(&key.hmac());
    let count = |bytes: &[u8]| u16::try_from(bytes.len()).unwrap_or(u16::MAX).to_be_bytes();
    let mac = asked.mac().as_ref();
    context.update(&count(mac));
    context.update(mac);
    context.update(answer);
    context.update(key.name().to_canonical_name::<Vec<u8>>().as_slice());
    context.update(&Class::ANY.to_int().to_be_bytes());
    context.update(&0_u32.to_be_bytes());
    context.update(key.0.key.algorithm().to_name().as_slice());
    context.update(&asked.time_signed().into_octets());
    context.update(&asked.fudge().to_be_bytes());
    context.update(&TsigRcode::BADTIME.to_int().to_be_bytes());
    context.update(&count(other));
    context.update(other);
    context.sign().as_ref().to_vec()
}

//! Digests and signatures: the few that still hold. What is weaker (MD5, SHA-1, RSA below 2048 bits)
//! is refused, whoever signs.

use const_oid::db::rfc5912::{
    ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ECDSA_WITH_SHA_512, ID_EC_PUBLIC_KEY, ID_MGF_1,
    ID_RSASSA_PSS, ID_SHA_256, ID_SHA_384, ID_SHA_512, RSA_ENCRYPTION, SECP_256_R_1, SECP_384_R_1,
    SHA_256_WITH_RSA_ENCRYPTION, SHA_384_WITH_RSA_ENCRYPTION, SHA_512_WITH_RSA_ENCRYPTION,
};
use der::asn1::{Any, ObjectIdentifier, Uint};
use der::{Decode, Encode, Sequence};
use rsa::signature::hazmat::PrehashVerifier;
use rsa::{BoxedUint, PublicKey};
use sha2::{Digest, Sha256, Sha384, Sha512};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

use super::StampError;
use super::error::bad;

/// The shortest RSA key that is believed, in bits.
const MIN_RSA: u32 = 2048;
/// The longest RSA key that is tried: beyond it a check costs more than it is worth.
const MAX_RSA: u32 = 8192;

/// A digest that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The digest that an algorithm's identifier names; its parameters are absent or NULL.
    pub(crate) fn named(
        algorithm: &AlgorithmIdentifierOwned,
        field: &'static str,
    ) -> Result<Self, StampError> {
        let hash = match algorithm.oid {
            ID_SHA_256 => Self::Sha256,
            ID_SHA_384 => Self::Sha384,
            ID_SHA_512 => Self::Sha512,
            other => {
                let why = format!("the digest {other} is none of SHA-256, SHA-384, SHA-512");
                return Err(bad(field, why));
            }
        };
        no_parameters(algorithm, field)?;
        Ok(hash)
    }

    pub(crate) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    fn length(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

fn no_parameters(
    algorithm: &AlgorithmIdentifierOwned,
    field: &'static str,
) -> Result<(), StampError> {
    match &algorithm.parameters {
        None => Ok(()),
        Some(any) if any.is_null() => Ok(()),
        Some(_) => Err(bad(field, "its algorithm has parameters")),
    }
}

#[derive(Sequence)]
struct RsaKey {
    n: Uint,
    e: Uint,
}

/// RSASSA-PSS-params (RFC 8017). What is left out stands for SHA-1, which is not taken.
#[derive(Sequence)]
struct PssParameters {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    hash: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    mask: Option<AlgorithmIdentifierOwned>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    salt: Option<u16>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    trailer: Option<u8>,
}

impl PssParameters {
    /// The digest, of message and mask alike, and the salt's length.
    fn read(any: Option<&Any>, field: &'static str) -> Result<(Hash, usize), StampError> {
        let bad = |why: &str| bad(field, format!("RSASSA-PSS: {why}"));
        let any = any.ok_or_else(|| bad("no parameters, which means SHA-1"))?;
        let read: Self = any.decode_as().map_err(StampError::of(field))?;
        let hash = read.hash.ok_or_else(|| bad("no digest, which means SHA-1"))?;
        let hash = Hash::named(&hash, field)?;
        let mask = read.mask.ok_or_else(|| bad("no mask, which means SHA-1"))?;
        if mask.oid != ID_MGF_1 {
            return Err(bad("its mask is not MGF1"));
        }
        let of_mask = mask.parameters.ok_or_else(|| bad("its mask names no digest"))?;
        let of_mask: AlgorithmIdentifierOwned =
            of_mask.decode_as().map_err(StampError::of(field))?;
        if Hash::named(&of_mask, field)? != hash {
            return Err(bad("its mask uses another digest"));
        }
        if read.trailer.is_some_and(|t| t != 1) {
            return Err(bad("its trailer is unknown"));
        }
        let salt = read.salt.map_or(20, usize::from);
        if salt > 512 { Err(bad("its salt is too long")) } else { Ok((hash, salt)) }
    }
}

/// A signature's scheme.
enum Scheme {
    Pkcs1(Hash),
    Pss(Hash, usize),
    Ecdsa(Hash),
}

impl Scheme {
    /// `given` is the digest that CMS names beside the algorithm; certificates have none.
    fn named(
        algorithm: &AlgorithmIdentifierOwned,
        given: Option<Hash>,
        field: &'static str,
    ) -> Result<Self, StampError> {
        let scheme = match algorithm.oid {
            RSA_ENCRYPTION => match given {
                Some(hash) => Self::Pkcs1(hash),
                None => return Err(bad(field, "its algorithm names no digest")),
            },
            SHA_256_WITH_RSA_ENCRYPTION => Self::Pkcs1(Hash::Sha256),
            SHA_384_WITH_RSA_ENCRYPTION => Self::Pkcs1(Hash::Sha384),
            SHA_512_WITH_RSA_ENCRYPTION => Self::Pkcs1(Hash::Sha512),
            ECDSA_WITH_SHA_256 => Self::Ecdsa(Hash::Sha256),
            ECDSA_WITH_SHA_384 => Self::Ecdsa(Hash::Sha384),
            ECDSA_WITH_SHA_512 => Self::Ecdsa(Hash::Sha512),
            ID_RSASSA_PSS => {
                let (hash, salt) = PssParameters::read(algorithm.parameters.as_ref(), field)?;
                Self::Pss(hash, salt)
            }
            other => {
                let why = format!("the algorithm {other} is not one that is taken");
                return Err(bad(field, why));
            }
        };
        if !matches!(scheme, Self::Pss(..)) {
            no_parameters(algorithm, field)?;
        }
        let (Self::Pkcs1(hash) | Self::Pss(hash, _) | Self::Ecdsa(hash)) = &scheme;
        if given.is_some_and(|given| given != *hash) {
            return Err(bad(field, "its digest is not the one named beside it"));
        }
        Ok(scheme)
    }
}

/// Verifies a signature over `message`.
pub(crate) fn verify(
    key: &SubjectPublicKeyInfoOwned,
    algorithm: &AlgorithmIdentifierOwned,
    given: Option<Hash>,
    message: &[u8],
    signature: &[u8],
    field: &'static str,
) -> Result<(), StampError> {
    let scheme = Scheme::named(algorithm, given, field)?;
    let wrong = || bad(field, "it is not the signature of that key");
    match scheme {
        Scheme::Pkcs1(hash) => {
            let key = rsa_key(key, field)?;
            let signature = rsa::pkcs1v15::Signature::try_from(signature).map_err(|_| wrong())?;
            let digest = hash.of(message);
            match hash {
                Hash::Sha256 => rsa::pkcs1v15::VerifyingKey::<Sha256>::new(key)
                    .verify_prehash(&digest, &signature),
                Hash::Sha384 => rsa::pkcs1v15::VerifyingKey::<Sha384>::new(key)
                    .verify_prehash(&digest, &signature),
                Hash::Sha512 => rsa::pkcs1v15::VerifyingKey::<Sha512>::new(key)
                    .verify_prehash(&digest, &signature),
            }
            .map_err(|_| wrong())
        }
        Scheme::Pss(hash, salt) => {
            let key = rsa_key(key, field)?;
            let signature = rsa::pss::Signature::try_from(signature).map_err(|_| wrong())?;
            let digest = hash.of(message);
            match hash {
                Hash::Sha256 => rsa::pss::VerifyingKey::<Sha256>::new_with_salt_len(key, salt)
                    .verify_prehash(&digest, &signature),
                Hash::Sha384 => rsa::pss::VerifyingKey::<Sha384>::new_with_salt_len(key, salt)
                    .verify_prehash(&digest, &signature),
                Hash::Sha512 => rsa::pss::VerifyingKey::<Sha512>::new_with_salt_len(key, salt)
                    .verify_prehash(&digest, &signature),
            }
            .map_err(|_| wrong())
        }
        Scheme::Ecdsa(hash) => {
            let digest = hash.of(message);
            let point = key.subject_public_key.as_bytes().unwrap_or_default();
            match curve(key, field)? {
                SECP_256_R_1 => {
                    let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point);
                    let key = key.map_err(|_| no_key(field))?;
                    let signature =
                        p256::ecdsa::DerSignature::from_bytes(signature).map_err(|_| wrong())?;
                    key.verify_prehash(&digest, &signature).map_err(|_| wrong())
                }
                SECP_384_R_1 => {
                    let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(point);
                    let key = key.map_err(|_| no_key(field))?;
                    let signature =
                        p384::ecdsa::DerSignature::from_bytes(signature).map_err(|_| wrong())?;
                    key.verify_prehash(&digest, &signature).map_err(|_| wrong())
                }
                other => {
                    let why = format!("the curve {other} is neither P-256 nor P-384");
                    Err(bad(field, why))
                }
            }
        }
    }
}

fn no_key(field: &'static str) -> StampError {
    bad(field, "the signer's public key is malformed")
}

fn curve(
    key: &SubjectPublicKeyInfoOwned,
    field: &'static str,
) -> Result<ObjectIdentifier, StampError> {
    if key.algorithm.oid != ID_EC_PUBLIC_KEY {
        return Err(bad(field, "an ECDSA signature under another sort of key"));
    }
    let named = key.algorithm.parameters.as_ref().ok_or_else(|| no_key(field))?;
    named.decode_as().map_err(|_| no_key(field))
}

fn rsa_key(key: &SubjectPublicKeyInfoOwned, field: &'static str) -> Result<PublicKey, StampError> {
    // A key that is for PSS alone may say so; what it restricts is the signature's to keep.
    if key.algorithm.oid != RSA_ENCRYPTION && key.algorithm.oid != ID_RSASSA_PSS {
        return Err(bad(field, "an RSA signature under another sort of key"));
    }
    let bytes = key.subject_public_key.as_bytes().ok_or_else(|| no_key(field))?;
    let read = RsaKey::from_der(bytes).map_err(|_| no_key(field))?;
    let n = BoxedUint::from_be_slice_vartime(read.n.as_bytes());
    let e = BoxedUint::from_be_slice_vartime(read.e.as_bytes());
    let bits = n.bit_width();
    if !(MIN_RSA..=MAX_RSA).contains(&bits) {
        let why = format!("an RSA key of {bits} bits, where {MIN_RSA} to {MAX_RSA} are taken");
        return Err(bad(field, why));
    }
    PublicKey::new(n, e).map_err(|_| no_key(field))
}

/// `MessageImprint` (RFC 3161): a digest and its algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(crate) struct MessageImprint {
    pub(crate) algorithm: AlgorithmIdentifierOwned,
    pub(crate) digest: der::asn1::OctetString,
}

impl MessageImprint {
    /// The digest's algorithm, where its length is that of the algorithm.
    pub(crate) fn hash(&self, field: &'static str) -> Result<Hash, StampError> {
        let hash = Hash::named(&self.algorithm, field)?;
        if self.digest.as_bytes().len() != hash.length() {
            return Err(bad(field, "the digest is not as long as its algorithm's"));
        }
        Ok(hash)
    }

    pub(crate) fn sha256(digest: &[u8; 32]) -> der::Result<Self> {
        Ok(Self {
            algorithm: AlgorithmIdentifierOwned { oid: ID_SHA_256, parameters: Some(Any::null()) },
            digest: der::asn1::OctetString::new(digest.as_slice())?,
        })
    }
}

/// DER of what cannot fail to be written: an empty text in its place is refused by whoever reads it.
pub(crate) fn written(value: &impl Encode) -> Vec<u8> {
    value.to_der().unwrap_or_default()
}

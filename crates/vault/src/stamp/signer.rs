//! Who signed a token, and what the signature is over (RFC 5652, 5.3; RFC 5816).

use const_oid::db::rfc5911::{
    ID_AA_SIGNING_CERTIFICATE, ID_AA_SIGNING_CERTIFICATE_V_2, ID_CONTENT_TYPE, ID_MESSAGE_DIGEST,
};
use const_oid::db::rfc5912::ID_SHA_256;
use der::asn1::{Any, Int, ObjectIdentifier, OctetString};
use der::{Decode, Encode, Sequence, Tag, Tagged};
use sha1::{Digest, Sha1};
use x509_cert::attr::Attributes;
use x509_cert::ext::pkix::SubjectKeyIdentifier;
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::name::Name;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::algorithm::{Hash, verify, written};
use super::error::bad;
use super::token::ID_CT_TST_INFO;
use super::{Certificate, StampError};

#[derive(Debug, Clone, Sequence)]
pub(crate) struct SignerInfo {
    version: u8,
    sid: Any,
    pub(crate) digest_algorithm: AlgorithmIdentifierOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    signed: Option<Attributes>,
    signature_algorithm: AlgorithmIdentifierOwned,
    signature: OctetString,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    unsigned: Option<Attributes>,
}

#[derive(Sequence)]
struct IssuerAndSerial {
    issuer: Name,
    serial: Int,
}

/// `ESSCertIDv2`; of version 1 the digest is always SHA-1, which here only names what the chain
/// and the key must bear out.
#[derive(Sequence)]
struct CertId {
    #[asn1(optional = "true")]
    algorithm: Option<AlgorithmIdentifierOwned>,
    digest: OctetString,
    #[asn1(optional = "true")]
    issuer: Option<IssuerSerial>,
}

#[derive(Sequence)]
struct IssuerSerial {
    issuer: Vec<GeneralName>,
    serial: Int,
}

/// `SigningCertificate` of either version.
#[derive(Sequence)]
struct Signing {
    certificates: Vec<CertId>,
    #[asn1(optional = "true")]
    policies: Option<Any>,
}

impl SignerInfo {
    /// True where `certificate` is the one that it names.
    pub(crate) fn is_by(&self, certificate: &Certificate) -> bool {
        let tbs = certificate.read.tbs_certificate();
        if self.sid.tag() == Tag::Sequence {
            return self.version == 1
                && self.sid.decode_as::<IssuerAndSerial>().is_ok_and(|id| {
                    &id.issuer == tbs.issuer()
                        && id.serial.as_bytes() == tbs.serial_number().as_bytes()
                });
        }
        let key = tbs.get_extension::<SubjectKeyIdentifier>().ok().flatten();
        let tag = self.sid.tag();
        self.version == 3
            && tag.is_context_specific()
            && tag.number() == der::TagNumber(0)
            && key.is_some_and(|(_, key)| key.0.as_bytes() == self.sid.value())
    }
}

/// The one value of an attribute that stands at most once.
fn attribute(
    attributes: &Attributes,
    id: ObjectIdentifier,
    field: &'static str,
) -> Result<Option<Any>, StampError> {
    let mut found = attributes.iter().filter(|a| a.oid == id);
    let Some(first) = found.next() else { return Ok(None) };
    match (first.values.as_slice(), found.next()) {
        ([one], None) => Ok(Some(one.clone())),
        _ => Err(bad(field, "it has not exactly one value")),
    }
}

/// Verifies the signature over the content, by the key of that certificate and no other.
pub(crate) fn check(
    info: &SignerInfo,
    hash: Hash,
    content: &[u8],
    certificate: &Certificate,
) -> Result<(), StampError> {
    let signed = info.signed.as_ref().ok_or_else(|| bad("signedAttrs", "missing"))?;
    let field = "content-type";
    let content_type = attribute(signed, ID_CONTENT_TYPE, field)?;
    let content_type = content_type.ok_or_else(|| bad(field, "missing"))?;
    let content_type: ObjectIdentifier = content_type.decode_as().map_err(StampError::of(field))?;
    if content_type != ID_CT_TST_INFO {
        return Err(bad(field, format!("{content_type}, which is no time stamp")));
    }
    let field = "message-digest";
    let digest = attribute(signed, ID_MESSAGE_DIGEST, field)?;
    let digest: OctetString =
        digest.ok_or_else(|| bad(field, "missing"))?.decode_as().map_err(StampError::of(field))?;
    if digest.as_bytes() != hash.of(content) {
        return Err(bad(field, "the content is not the one that was signed"));
    }
    let first = attribute(signed, ID_AA_SIGNING_CERTIFICATE, "signingCertificate")?;
    let second = attribute(signed, ID_AA_SIGNING_CERTIFICATE_V_2, "signingCertificateV2")?;
    if first.is_none() && second.is_none() {
        return Err(bad("signingCertificate", "missing, of either version"));
    }
    if let Some(first) = first {
        names(&first, true, certificate, "signingCertificate")?;
    }
    if let Some(second) = second {
        names(&second, false, certificate, "signingCertificateV2")?;
    }
    let key = certificate.read.tbs_certificate().subject_public_key_info();
    let (algorithm, signature) = (&info.signature_algorithm, info.signature.as_bytes());
    verify(key, algorithm, Some(hash), &written(signed), signature, "SignerInfo.signature")
}

/// The first certificate that the attribute names is the signer's.
fn names(
    value: &Any,
    sha1: bool,
    certificate: &Certificate,
    field: &'static str,
) -> Result<(), StampError> {
    let signing = value.to_der().and_then(|der| Signing::from_der(&der));
    let signing = signing.map_err(StampError::of(field))?;
    let id = signing.certificates.first().ok_or_else(|| bad(field, "it names no certificate"))?;
    let digest = match (&id.algorithm, sha1) {
        (None, true) => Sha1::digest(certificate.der()).to_vec(),
        (Some(_), true) => return Err(bad(field, "a digest's algorithm where none belongs")),
        (None, false) => Hash::Sha256.of(certificate.der()),
        // DER leaves out what is usual; some write it all the same.
        (Some(algorithm), false) if algorithm.oid == ID_SHA_256 => {
            Hash::named(algorithm, field)?.of(certificate.der())
        }
        (Some(algorithm), false) => Hash::named(algorithm, field)?.of(certificate.der()),
    };
    if id.digest.as_bytes() != digest {
        return Err(bad(field, "it names another certificate"));
    }
    if let Some(issuer) = &id.issuer {
        let tbs = certificate.read.tbs_certificate();
        let named = issuer
            .issuer
            .iter()
            .any(|name| matches!(name, GeneralName::DirectoryName(name) if name == tbs.issuer()));
        if !named || issuer.serial.as_bytes() != tbs.serial_number().as_bytes() {
            return Err(bad(field, "it names another issuer or number"));
        }
    }
    Ok(())
}

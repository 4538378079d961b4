//! Certificates (RFC 5280), as far as a time stamp needs them. Signatures are checked over the bytes
//! as they came: what is decoded and written again may differ where somebody was careless.

use const_oid::AssociatedOid;
use const_oid::db::rfc5280::{
    ANY_EXTENDED_KEY_USAGE, ID_CE_BASIC_CONSTRAINTS, ID_CE_CERTIFICATE_POLICIES,
    ID_CE_EXT_KEY_USAGE, ID_CE_KEY_USAGE, ID_KP_TIME_STAMPING,
};
use const_oid::db::rfc5912::{ID_AD_CA_ISSUERS, ID_CE_SUBJECT_ALT_NAME};
use der::{Decode, Reader, SliceReader};
use sha2::{Digest, Sha256};
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AuthorityInfoAccessSyntax, BasicConstraints, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
};

use super::algorithm::verify;
use super::error::bad;
use super::{MAX_CERTIFICATE, StampError};

/// A certificate, and the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    pub(crate) read: x509_cert::Certificate,
    digest: [u8; 32],
    subject: String,
}

/// The first element of a signed structure's bytes: what the signature is over.
pub(crate) fn to_be_signed(bytes: &[u8]) -> der::Result<&[u8]> {
    let mut outer = SliceReader::new(bytes)?;
    let header = der::Header::decode(&mut outer)?;
    header.tag().assert_eq(der::Tag::Sequence)?;
    outer.tlv_bytes()
}

impl Certificate {
    /// Reads a certificate (DER).
    ///
    /// # Errors
    /// What is none; one longer than [`MAX_CERTIFICATE`]; an extension twice.
    pub fn parse(der: &[u8]) -> Result<Self, StampError> {
        if der.len() > MAX_CERTIFICATE {
            let why = format!("{} bytes, where at most {MAX_CERTIFICATE} are taken", der.len());
            return Err(bad("Certificate", why));
        }
        let of = StampError::of("Certificate");
        let read = x509_cert::Certificate::from_der(der).map_err(&of)?;
        let tbs = read.tbs_certificate();
        if tbs.signature() != read.signature_algorithm() {
            let why = "its two algorithms differ";
            return Err(bad("Certificate.signatureAlgorithm", why));
        }
        let extensions = tbs.extensions().map_or(&[][..], Vec::as_slice);
        for (at, one) in extensions.iter().enumerate() {
            if extensions[..at].iter().any(|other| other.extn_id == one.extn_id) {
                let why = format!("{} stands twice", one.extn_id);
                return Err(bad("Certificate.extensions", why));
            }
        }
        let subject = tbs.subject().to_string();
        let digest = Sha256::digest(der).into();
        Ok(Self { der: der.to_vec(), subject, digest, read })
    }

    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// SHA-256 of its bytes.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// Whose it is.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Until when it is valid, in milliseconds since 1970.
    pub fn not_after_ms(&self) -> i64 {
        ms(&self.read.tbs_certificate().validity().not_after)
    }

    /// True where it names itself as its issuer: what an authority's word ends at.
    pub fn is_root(&self) -> bool {
        self.read.tbs_certificate().issuer() == self.read.tbs_certificate().subject()
    }

    /// Where its issuer's certificate is to be had, as it says.
    pub fn issuer_urls(&self) -> Vec<String> {
        let access = self.extension::<AuthorityInfoAccessSyntax>().ok().flatten();
        let access = access.into_iter().flat_map(|(_, access)| access.0);
        access
            .filter(|a| a.access_method == ID_AD_CA_ISSUERS)
            .filter_map(|a| url(&a.access_location))
            .collect()
    }

    /// Where its issuer's list of revoked certificates is to be had, as it says.
    pub fn crl_urls(&self) -> Vec<String> {
        let points = self.extension::<CrlDistributionPoints>().ok().flatten();
        let names = points.into_iter().flat_map(|(_, points)| points.0).filter_map(|point| {
            // Lists by another issuer, or of some reasons only, say less than all.
            (point.crl_issuer.is_none() && point.reasons.is_none())
                .then_some(point.distribution_point)
                .flatten()
        });
        names
            .flat_map(|name| match name {
                DistributionPointName::FullName(names) => names,
                DistributionPointName::NameRelativeToCRLIssuer(_) => Vec::new(),
            })
            .filter_map(|name| url(&name))
            .collect()
    }

    fn off(&self, why: impl Into<String>) -> StampError {
        StampError::Certificate { subject: self.subject.clone(), why: why.into() }
    }

    fn extension<'a, T: Decode<'a, Error = der::Error> + AssociatedOid>(
        &'a self,
    ) -> Result<Option<(bool, T)>, StampError> {
        let found = self.read.tbs_certificate().get_extension::<T>();
        found.map_err(|e| self.off(format!("the extension {}: {e}", T::OID)))
    }

    /// What every certificate of a chain must keep at a moment.
    pub(crate) fn check(&self, at_ms: i64) -> Result<(), StampError> {
        let validity = self.read.tbs_certificate().validity();
        if at_ms < ms(&validity.not_before) {
            return Err(self.off(format!("not valid before {}", validity.not_before)));
        }
        if at_ms > ms(&validity.not_after) {
            return Err(self.off(format!("expired on {}", validity.not_after)));
        }
        const KNOWN: [const_oid::ObjectIdentifier; 5] = [
            ID_CE_BASIC_CONSTRAINTS,
            ID_CE_KEY_USAGE,
            ID_CE_EXT_KEY_USAGE,
            // No policy is asked for, and no name: what they say is not relied upon.
            ID_CE_CERTIFICATE_POLICIES,
            ID_CE_SUBJECT_ALT_NAME,
        ];
        let extensions = self.read.tbs_certificate().extensions().into_iter().flatten();
        let unknown = extensions.filter(|e| e.critical && !KNOWN.contains(&e.extn_id));
        match unknown.map(|e| e.extn_id).next() {
            Some(id) => Err(self.off(format!("its critical extension {id} is not understood"))),
            None => Ok(()),
        }
    }

    /// What the certificate of who signs time stamps must be (RFC 3161, 2.3).
    pub(crate) fn check_signer(&self) -> Result<(), StampError> {
        let Some((critical, usage)) = self.extension::<ExtendedKeyUsage>()? else {
            return Err(self.off("it is not for time stamping: it has no extendedKeyUsage"));
        };
        if usage.0 != [ID_KP_TIME_STAMPING] || !critical {
            let why = "extendedKeyUsage is not critical with timeStamping alone";
            return Err(self.off(why));
        }
        let signs = self
            .extension::<KeyUsage>()?
            .is_none_or(|(_, usage)| usage.digital_signature() || usage.non_repudiation());
        if signs { Ok(()) } else { Err(self.off("keyUsage does not allow signatures")) }
    }

    /// What the certificate of an issuer must be, with `below` other issuers between it and the end.
    pub(crate) fn check_issuer(&self, below: usize) -> Result<(), StampError> {
        // Roots of the first version carry no extensions; being named by the reader is what they are.
        let plain = self.read.tbs_certificate().extensions().is_none() && self.is_root();
        match self.extension::<BasicConstraints>()? {
            Some((_, constraints)) if constraints.ca => {
                if constraints.path_len_constraint.is_some_and(|most| below > usize::from(most)) {
                    return Err(self.off("basicConstraints allow no chain as long as this"));
                }
            }
            None if plain => {}
            _ => return Err(self.off("it is not that of an issuer (basicConstraints)")),
        }
        if self.extension::<KeyUsage>()?.is_some_and(|(_, usage)| !usage.key_cert_sign()) {
            return Err(self.off("keyUsage does not allow it to sign certificates"));
        }
        let usage = self.extension::<ExtendedKeyUsage>()?;
        let allows = |id| id == ID_KP_TIME_STAMPING || id == ANY_EXTENDED_KEY_USAGE;
        if usage.is_some_and(|(_, usage)| !usage.0.into_iter().any(allows)) {
            return Err(self.off("extendedKeyUsage does not allow time stamping below it"));
        }
        Ok(())
    }

    /// True where it may sign lists of revoked certificates.
    pub(crate) fn signs_crls(&self) -> bool {
        let usage = self.extension::<KeyUsage>();
        usage.is_ok_and(|usage| usage.is_none_or(|(_, usage)| usage.crl_sign()))
    }

    /// True where `issuer` is by name who issued it.
    pub(crate) fn names_as_issuer(&self, issuer: &Self) -> bool {
        self.read.tbs_certificate().issuer() == issuer.read.tbs_certificate().subject()
    }

    /// True where `issuer` issued it, by name and signature.
    pub fn is_issued_by(&self, issuer: &Self) -> bool {
        self.names_as_issuer(issuer) && self.check_signed_by(issuer).is_ok()
    }

    /// Verifies that `issuer`'s key signed it.
    pub(crate) fn check_signed_by(&self, issuer: &Self) -> Result<(), StampError> {
        let tbs = to_be_signed(&self.der).map_err(StampError::of("tbsCertificate"))?;
        let signature = self.read.signature().as_bytes().unwrap_or_default();
        let key = issuer.read.tbs_certificate().subject_public_key_info();
        let algorithm = self.read.signature_algorithm();
        verify(key, algorithm, None, tbs, signature, "Certificate.signature")
            .map_err(|e| self.off(e.to_string()))
    }
}

/// Milliseconds since 1970.
pub(crate) fn ms(time: &x509_cert::time::Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_millis()).unwrap_or(i64::MAX)
}

fn url(name: &GeneralName) -> Option<String> {
    match name {
        GeneralName::UniformResourceIdentifier(url) => Some(url.to_string()),
        _ => None,
    }
}

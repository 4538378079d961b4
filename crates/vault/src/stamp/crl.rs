//! Lists of revoked certificates (RFC 5280, 5), kept from when a stamp was made.

use const_oid::db::rfc5280::{ID_CE_CRL_NUMBER, ID_CE_ISSUING_DISTRIBUTION_POINT};
use const_oid::db::rfc5912::{
    ID_CE_AUTHORITY_KEY_IDENTIFIER, ID_CE_CRL_REASONS, ID_CE_INVALIDITY_DATE,
};
use der::Decode;
use x509_cert::crl::{CertificateList, RevokedCert};
use x509_cert::ext::pkix::CrlReason;
use x509_cert::ext::pkix::crl::dp::IssuingDistributionPoint;

use super::algorithm::verify;
use super::certificate::{Certificate, ms, to_be_signed};
use super::error::bad;
use super::{MAX_CRL, StampError};

/// A list of revoked certificates, and the bytes it was read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    der: Vec<u8>,
    read: CertificateList,
    /// Whether it speaks of issuers and of others.
    issuers: bool,
    others: bool,
}

impl Crl {
    /// Reads a list (DER).
    ///
    /// # Errors
    /// What is none; one longer than [`MAX_CRL`]; one of other sorts (of changes only, of another
    /// issuer's certificates, of some reasons only), which says less than it seems to.
    pub fn parse(der: &[u8]) -> Result<Self, StampError> {
        if der.len() > MAX_CRL {
            let why = format!("{} bytes, where at most {MAX_CRL} are taken", der.len());
            return Err(bad("CertificateList", why));
        }
        let read = CertificateList::from_der(der).map_err(StampError::of("CertificateList"))?;
        if read.tbs_cert_list.signature != read.signature_algorithm {
            let why = "its two algorithms differ";
            return Err(bad("CertificateList.signatureAlgorithm", why));
        }
        let mut list = Self { der: der.to_vec(), read, issuers: true, others: true };
        let field = "crlExtensions";
        for extension in list.read.tbs_cert_list.crl_extensions.clone().into_iter().flatten() {
            match extension.extn_id {
                ID_CE_ISSUING_DISTRIBUTION_POINT => {
                    let bytes = extension.extn_value.as_bytes();
                    let point = IssuingDistributionPoint::from_der(bytes)
                        .map_err(StampError::of("issuingDistributionPoint"))?;
                    if point.indirect_crl
                        || point.only_some_reasons.is_some()
                        || point.only_contains_attribute_certs
                    {
                        let why = "a list of another issuer's or of some reasons only";
                        return Err(bad("issuingDistributionPoint", why));
                    }
                    list.issuers = !point.only_contains_user_certs;
                    list.others = !point.only_contains_ca_certs;
                }
                ID_CE_CRL_NUMBER | ID_CE_AUTHORITY_KEY_IDENTIFIER => {}
                other if extension.critical => {
                    let why = format!("the critical extension {other} is not understood");
                    return Err(bad(field, why));
                }
                _ => {}
            }
        }
        Ok(list)
    }

    /// Its bytes.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// When it was made, in milliseconds since 1970.
    pub fn made_ms(&self) -> i64 {
        ms(&self.read.tbs_cert_list.this_update)
    }

    /// True where it is by `issuer`, signature and all, and speaks of certificates like `of`.
    pub(crate) fn speaks_of(
        &self,
        of: &Certificate,
        is_issuer: bool,
        issuer: &Certificate,
    ) -> bool {
        let by = &self.read.tbs_cert_list.issuer == issuer.read.tbs_certificate().subject();
        let covers = if is_issuer { self.issuers } else { self.others };
        by && covers
            && of.names_as_issuer(issuer)
            && issuer.signs_crls()
            && self.check_signed_by(issuer).is_ok()
    }

    fn check_signed_by(&self, issuer: &Certificate) -> Result<(), StampError> {
        let field = "CertificateList.signature";
        let tbs = to_be_signed(&self.der).map_err(StampError::of(field))?;
        let signature = self.read.signature.as_bytes().unwrap_or_default();
        let key = issuer.read.tbs_certificate().subject_public_key_info();
        verify(key, &self.read.signature_algorithm, None, tbs, signature, field)
    }

    /// Refuses a certificate that was revoked, as far as that touches a signature made at a moment:
    /// any, where its key may have been in other hands (RFC 3161, 4); else one made since.
    pub(crate) fn check(&self, of: &Certificate, at_ms: i64) -> Result<(), StampError> {
        let serial = of.read.tbs_certificate().serial_number();
        let list = self.read.tbs_cert_list.revoked_certificates.iter().flatten();
        for entry in list.filter(|entry| &entry.serial_number == serial) {
            let date_ms = ms(&entry.revocation_date);
            let reason = reason(entry)?;
            let harmless = matches!(
                reason,
                Some(
                    CrlReason::Unspecified
                        | CrlReason::AffiliationChanged
                        | CrlReason::Superseded
                        | CrlReason::CessationOfOperation
                )
            );
            if reason == Some(CrlReason::RemoveFromCRL) || (harmless && at_ms < date_ms) {
                continue;
            }
            let word = reason.map_or("no reason given".to_owned(), |r| format!("{r:?}"));
            let why = format!("revoked on {} ({word})", entry.revocation_date);
            return Err(StampError::Certificate { subject: of.subject().to_owned(), why });
        }
        Ok(())
    }
}

fn reason(entry: &RevokedCert) -> Result<Option<CrlReason>, StampError> {
    let field = "crlEntryExtensions";
    let mut reason = None;
    for extension in entry.crl_entry_extensions.iter().flatten() {
        match extension.extn_id {
            ID_CE_CRL_REASONS => {
                let bytes = extension.extn_value.as_bytes();
                reason = Some(CrlReason::from_der(bytes).map_err(StampError::of(field))?);
            }
            ID_CE_INVALIDITY_DATE => {}
            other if extension.critical => {
                let why = format!("the critical extension {other} is not understood");
                return Err(bad(field, why));
            }
            _ => {}
        }
    }
    Ok(reason)
}

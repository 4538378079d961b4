//! A time stamp's token: `TSTInfo` (RFC 3161) in CMS `SignedData` (RFC 5652).

use const_oid::db::rfc5911::ID_SIGNED_DATA;
use der::asn1::{Any, Int, ObjectIdentifier, OctetString, SetOfVec};
use der::{Decode, Sequence, Tag, Tagged};
use x509_cert::ext::Extensions;
use x509_cert::spki::AlgorithmIdentifierOwned;

use super::algorithm::{Hash, MessageImprint, written};
use super::chain::{Anchor, Pool, find, revocation};
use super::error::bad;
use super::signer::{self, SignerInfo};
use super::{Certificate, Crl, MAX_CERTIFICATES, MAX_TOKEN, StampError};

/// What a token's content is: `id-ct-TSTInfo`.
pub(crate) const ID_CT_TST_INFO: ObjectIdentifier =
    ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.16.1.4");

#[derive(Sequence)]
pub(crate) struct ContentInfo {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT")]
    content: Any,
}

#[derive(Sequence)]
pub(crate) struct SignedData {
    version: u8,
    digest_algorithms: SetOfVec<AlgorithmIdentifierOwned>,
    content: Content,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    certificates: Option<SetOfVec<Any>>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    crls: Option<SetOfVec<Any>>,
    signers: SetOfVec<Any>,
}

#[derive(Sequence)]
struct Content {
    content_type: ObjectIdentifier,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    content: Option<OctetString>,
}

#[derive(Sequence)]
struct TstInfo {
    version: u8,
    policy: ObjectIdentifier,
    imprint: MessageImprint,
    serial: Int,
    /// `GeneralizedTime`, which here may have fractions of a second.
    time: Any,
    #[asn1(optional = "true")]
    accuracy: Option<Accuracy>,
    #[asn1(default = "Default::default")]
    ordering: bool,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    authority: Option<Any>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", constructed = "true", optional = "true")]
    extensions: Option<Extensions>,
}

#[derive(Sequence)]
struct Accuracy {
    #[asn1(optional = "true")]
    seconds: Option<u32>,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    millis: Option<u16>,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    micros: Option<u16>,
}

/// What an authority states, in the authority's own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// The policy that it stamped under.
    pub policy: String,
    /// SHA-256 of what was stamped.
    pub digest: [u8; 32],
    /// The token's number, in hexadecimal.
    pub serial: String,
    /// The time it states, in milliseconds since 1970, cut.
    pub time_ms: i64,
    /// The earliest and the latest that this may have been, by the accuracy it states; where it
    /// states none, by the precision it writes.
    pub earliest_ms: i64,
    /// See `earliest_ms`.
    pub latest_ms: i64,
    /// The number that it repeats.
    pub nonce: Option<Vec<u8>>,
}

/// A token, read but not verified.
#[derive(Debug, Clone)]
pub struct Token {
    info: Info,
    content: Vec<u8>,
    certificates: Vec<Certificate>,
    crls: Vec<Crl>,
    signer: SignerInfo,
    hash: Hash,
}

/// What a token's verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// What the authority states.
    pub info: Info,
    /// Whose certificate signed.
    pub signer: String,
    /// The chain's certificates, from the signer's up.
    pub chain: Vec<Certificate>,
    /// The reader's name for the chain's end; `None` where it ends at none that he named.
    pub confirmed: Option<String>,
    /// When the first certificate of the chain expires, in milliseconds since 1970.
    pub expires_ms: i64,
    /// The time of the oldest list that the chain was held against; `None` where a list is missing.
    pub revocation_ms: Option<i64>,
}

impl Token {
    /// Reads a token (DER).
    ///
    /// # Errors
    /// The first field that is not as RFC 3161 has it; one longer than [`MAX_TOKEN`].
    pub fn parse(bytes: &[u8]) -> Result<Self, StampError> {
        if bytes.len() > MAX_TOKEN {
            let why = format!("{} bytes, where at most {MAX_TOKEN} are taken", bytes.len());
            return Err(bad("timeStampToken", why));
        }
        let signed = signed_data(bytes, "timeStampToken")?;
        if signed.version != 3 {
            return Err(bad("SignedData.version", format!("{}, not 3", signed.version)));
        }
        if signed.content.content_type != ID_CT_TST_INFO {
            let why = format!("{}, which is no time stamp", signed.content.content_type);
            return Err(bad("eContentType", why));
        }
        let content = signed.content.content.as_ref().ok_or_else(|| bad("eContent", "missing"))?;
        let content = content.as_bytes().to_vec();
        let info = info(&content)?;
        let certificates = certificates(&signed)?;
        let mut crls = Vec::new();
        for any in signed.crls.iter().flat_map(SetOfVec::iter) {
            // Other sorts of revocation data carry a tag of their own, and are left alone.
            if any.tag() == Tag::Sequence {
                crls.push(Crl::parse(&written(any))?);
            }
        }
        let [signer] = signed.signers.as_slice() else {
            let why = format!("{} of them, not one", signed.signers.len());
            return Err(bad("signerInfos", why));
        };
        let signer: SignerInfo = signer.decode_as().map_err(StampError::of("SignerInfo"))?;
        let hash = Hash::named(&signer.digest_algorithm, "SignerInfo.digestAlgorithm")?;
        let mut named = Vec::new();
        for algorithm in signed.digest_algorithms.iter() {
            named.push(Hash::named(algorithm, "digestAlgorithms")?);
        }
        if named != [hash] {
            return Err(bad("digestAlgorithms", "they are not the signer's one"));
        }
        Ok(Self { info, content, certificates, crls, signer, hash })
    }

    /// What it states; nothing of it is verified.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The certificates that it carries.
    pub fn certificates(&self) -> &[Certificate] {
        &self.certificates
    }

    /// Verifies that it is over `digest` (SHA-256), repeats the `nonce` where one is given, and is
    /// signed by the key of a certificate for time stamping alone whose chain held at the time it
    /// states. What else the chain needs may come from the pool. Nothing is fetched.
    ///
    /// Whose authority it is only an anchor confirms: [`Verified::confirmed`].
    ///
    /// # Errors
    /// What does not hold.
    pub fn verify(
        &self,
        digest: &[u8; 32],
        nonce: Option<&[u8]>,
        pool: &Pool,
        anchors: &[Anchor],
    ) -> Result<Verified, StampError> {
        if &self.info.digest != digest {
            return Err(bad("messageImprint", "the token is over something else"));
        }
        if nonce.is_some_and(|nonce| self.info.nonce.as_deref() != Some(nonce)) {
            return Err(bad("nonce", "the token answers another request"));
        }
        let given: Vec<&Certificate> =
            self.certificates.iter().chain(pool.certificates()).collect();
        let anchored = anchors.iter().map(|a| &a.certificate);
        let signer = given.iter().copied().chain(anchored).find(|c| self.signer.is_by(c));
        let signer = signer
            .ok_or_else(|| bad("SignerInfo.sid", "the signer's certificate is not at hand"))?;
        signer::check(&self.signer, self.hash, &self.content, signer)?;
        let path = find(signer, given, anchors, self.info.time_ms)?;
        let crls: Vec<Crl> = self.crls.iter().chain(pool.crls()).cloned().collect();
        let revocation_ms = revocation(&path.certificates, &crls, self.info.time_ms)?;
        let expires = path.certificates.iter().map(|c| c.not_after_ms()).min();
        Ok(Verified {
            info: self.info.clone(),
            signer: signer.subject().to_owned(),
            confirmed: path.anchor.map(str::to_owned),
            expires_ms: expires.unwrap_or(i64::MIN),
            chain: path.certificates.into_iter().cloned().collect(),
            revocation_ms,
        })
    }
}

fn signed_data(bytes: &[u8], field: &'static str) -> Result<SignedData, StampError> {
    let outer = ContentInfo::from_der(bytes).map_err(StampError::of(field))?;
    if outer.content_type != ID_SIGNED_DATA {
        let why = format!("{}, which is not SignedData", outer.content_type);
        return Err(bad("contentType", why));
    }
    outer.content.decode_as().map_err(StampError::of("SignedData"))
}

fn certificates(signed: &SignedData) -> Result<Vec<Certificate>, StampError> {
    let set = signed.certificates.as_ref().map_or(&[][..], SetOfVec::as_slice);
    if set.len() > MAX_CERTIFICATES {
        let why = format!("{}, where at most {MAX_CERTIFICATES} are taken", set.len());
        return Err(bad("certificates", why));
    }
    // Attribute certificates and older sorts carry tags of their own: nothing rests on them.
    let certificates = set.iter().filter(|any| any.tag() == Tag::Sequence);
    certificates.map(|any| Certificate::parse(&written(any))).collect()
}

/// The certificates in a file that a certificate's issuer is to be had from: one (DER), some (PEM),
/// or a bundle (PKCS #7, DER).
///
/// # Errors
/// None of these.
pub fn certificates_in(bytes: &[u8]) -> Result<Vec<Certificate>, StampError> {
    const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
    if let Ok(text) = std::str::from_utf8(bytes)
        && text.contains(BEGIN)
    {
        let parts = text.split(BEGIN).skip(1).take(MAX_CERTIFICATES);
        return parts
            .map(|part| {
                // Texts between certificates, as OpenSSL writes them, are no part of any.
                let end = "-----END CERTIFICATE-----";
                let body = part.split(end).next().unwrap_or_default();
                let pem = format!("{BEGIN}{body}{end}\n");
                let (_, der) = der::pem::decode_vec(pem.as_bytes())
                    .map_err(|e| bad("Certificate", e.to_string()))?;
                Certificate::parse(&der)
            })
            .collect();
    }
    match Certificate::parse(bytes) {
        Ok(one) => Ok(vec![one]),
        Err(error) => match signed_data(bytes, "certificates") {
            Ok(bundle) => certificates(&bundle),
            Err(_) => Err(error),
        },
    }
}

fn info(content: &[u8]) -> Result<Info, StampError> {
    let read = TstInfo::from_der(content).map_err(StampError::of("TSTInfo"))?;
    if read.version != 1 {
        return Err(bad("TSTInfo.version", format!("{}, not 1", read.version)));
    }
    if read.imprint.hash("messageImprint")? != Hash::Sha256 {
        return Err(bad("messageImprint", "its digest is not SHA-256"));
    }
    let digest = read.imprint.digest.as_bytes().try_into();
    let digest = digest.map_err(|_| bad("messageImprint", "its digest has not 32 bytes"))?;
    if read.extensions.iter().flatten().any(|e| e.critical) {
        return Err(bad("TSTInfo.extensions", "a critical one is not understood"));
    }
    if read.time.tag() != Tag::GeneralizedTime {
        return Err(bad("genTime", "no GeneralizedTime"));
    }
    let time = std::str::from_utf8(read.time.value()).ok().and_then(moment);
    let (time_ms, precision_ms) = time.ok_or_else(|| bad("genTime", "no time in UTC"))?;
    let span = match read.accuracy {
        None => None,
        Some(Accuracy { seconds, millis, micros }) => {
            if millis.is_some_and(|n| !(1..1000).contains(&n))
                || micros.is_some_and(|n| !(1..1000).contains(&n))
            {
                return Err(bad("accuracy", "a part that is not from 1 to 999"));
            }
            let below = i64::from(millis.unwrap_or(0)) + i64::from(micros.is_some());
            Some(i64::from(seconds.unwrap_or(0)) * 1000 + below)
        }
    };
    // A number without a leading zero is what DER writes: compared as it stands.
    let serial = model::id::hex(read.serial.as_bytes());
    Ok(Info {
        policy: read.policy.to_string(),
        digest,
        serial,
        time_ms,
        earliest_ms: time_ms - span.unwrap_or(0),
        latest_ms: time_ms.saturating_add(span.unwrap_or(0).max(precision_ms)),
        nonce: read.nonce.map(|n| n.as_bytes().to_vec()),
    })
}

/// `YYYYMMDDhhmmss[.f…]Z`: milliseconds since 1970, cut, and how many more it may have been.
fn moment(text: &str) -> Option<(i64, i64)> {
    let digits = text.strip_suffix('Z')?;
    let (whole, fraction) = match digits.split_once('.') {
        // DER writes no zero at the end of a fraction.
        Some((_, "")) => return None,
        Some((_, fraction)) if fraction.ends_with('0') || fraction.len() > 9 => return None,
        Some((whole, fraction)) => (whole, fraction),
        None => (digits, ""),
    };
    if whole.len() != 14 || !digits.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return None;
    }
    let part = |from: usize, to: usize| whole.get(from..to)?.parse::<u16>().ok();
    let date = der::DateTime::new(
        part(0, 4)?,
        part(4, 6)? as u8,
        part(6, 8)? as u8,
        part(8, 10)? as u8,
        part(10, 12)? as u8,
        part(12, 14)? as u8,
    );
    let seconds = i64::try_from(date.ok()?.unix_duration().as_secs()).ok()?;
    let mut millis = 0;
    for (at, digit) in fraction.bytes().take(3).enumerate() {
        millis += i64::from(digit.checked_sub(b'0')?) * [100, 10, 1][at];
    }
    let precision = [999, 99, 9, 1][fraction.len().min(3)];
    Some((seconds * 1000 + millis, precision))
}

#[cfg(test)]
mod tests {
    use super::moment;

    #[test]
    fn a_moment_has_one_writing() {
        assert_eq!(moment("19700101000001Z"), Some((1000, 999)));
        assert_eq!(moment("19700101000001.5Z"), Some((1500, 99)));
        assert_eq!(moment("20241126060000.123456Z"), Some((1_732_600_800_123, 1)));
        for bad in [
            "",
            "Z",
            "19700101000001",
            "19700101000001.Z",
            "19700101000001.50Z",
            "197001010000Z",
            "19701301000001Z",
            "19700101000001+0100",
            "1970010100000 Z",
            "19700101000061Z",
            "+9700101000001Z",
            "19700101000001.1.1Z",
            "19700101000001.1234567891Z",
        ] {
            assert_eq!(moment(bad), None, "{bad}");
        }
    }
}

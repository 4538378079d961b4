//! What is asked of an authority, and what it answers (RFC 3161, 2.4).

use der::asn1::{Any, BitString, Int, ObjectIdentifier};
use der::{Decode, Encode, Sequence};

use super::algorithm::{MessageImprint, written};
use super::error::bad;
use super::{MAX_RESPONSE, StampError};

/// A time stamp's request over a SHA-256 digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    digest: [u8; 32],
    nonce: [u8; 16],
}

#[derive(Sequence)]
struct TimeStampReq {
    version: u8,
    imprint: MessageImprint,
    #[asn1(optional = "true")]
    policy: Option<ObjectIdentifier>,
    #[asn1(optional = "true")]
    nonce: Option<Int>,
    #[asn1(default = "Default::default")]
    cert_req: bool,
}

impl Request {
    /// Asks for the time of `digest`. `random` makes the answer this request's own.
    pub fn new(digest: [u8; 32], mut random: [u8; 16]) -> Self {
        // A positive number of 16 bytes has one writing.
        random[0] = random[0] & 0x7f | 0x40;
        Self { digest, nonce: random }
    }

    /// The digest.
    pub fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// The number that the token must repeat.
    pub fn nonce(&self) -> &[u8; 16] {
        &self.nonce
    }

    /// The request as it is sent. The authority's certificate is asked for with it.
    pub fn to_der(&self) -> Vec<u8> {
        let made = || {
            let imprint = MessageImprint::sha256(&self.digest)?;
            let nonce = Some(Int::new(&self.nonce)?);
            TimeStampReq { version: 1, imprint, policy: None, nonce, cert_req: true }.to_der()
        };
        made().unwrap_or_default()
    }
}

#[derive(Sequence)]
struct TimeStampResp {
    status: StatusInfo,
    #[asn1(optional = "true")]
    token: Option<Any>,
}

#[derive(Sequence)]
struct StatusInfo {
    status: Int,
    #[asn1(optional = "true")]
    text: Option<Vec<Any>>,
    #[asn1(optional = "true")]
    failure: Option<BitString>,
}

const STATUS: [&str; 6] = [
    "granted",
    "granted with changes",
    "rejection",
    "waiting",
    "revocation warning",
    "revocation notification",
];

/// Bits of `PKIFailureInfo` that RFC 3161 knows.
const FAILURES: [(usize, &str); 8] = [
    (0, "unknown or unsupported algorithm"),
    (2, "transaction not permitted or supported"),
    (5, "the data has the wrong format"),
    (14, "its source of time is not available"),
    (15, "the requested policy is not supported"),
    (16, "a requested extension is not supported"),
    (17, "additional information is not available"),
    (25, "system failure"),
];

/// The longest text of the authority's that is repeated, in characters.
const MAX_TEXT: usize = 300;

/// The token in an authority's answer (DER), of which nothing is verified yet.
///
/// # Errors
/// An answer that is none, is longer than [`MAX_RESPONSE`], or refuses, with what it says.
pub fn response(bytes: &[u8]) -> Result<Vec<u8>, StampError> {
    if bytes.len() > MAX_RESPONSE {
        let why = format!("{} bytes, where at most {MAX_RESPONSE} are taken", bytes.len());
        return Err(bad("TimeStampResp", why));
    }
    let answer = TimeStampResp::from_der(bytes).map_err(StampError::of("TimeStampResp"))?;
    let status = match answer.status.status.as_bytes() {
        [n] => STATUS.get(usize::from(*n)).copied(),
        _ => None,
    };
    let status = status.ok_or_else(|| bad("status", "a number without a meaning"))?;
    if !status.starts_with("granted") {
        return Err(StampError::Refused { status, said: said(&answer.status)? });
    }
    if answer.status.failure.is_some() {
        return Err(bad("failInfo", "a failure, though the status says granted"));
    }
    let token = answer.token.ok_or_else(|| bad("timeStampToken", "it is missing"))?;
    Ok(written(&token))
}

/// What a refusal says: its texts, then its bits.
fn said(status: &StatusInfo) -> Result<String, StampError> {
    let mut said = Vec::new();
    for text in status.text.iter().flatten() {
        let text: String = text.decode_as().map_err(StampError::of("statusString"))?;
        said.push(text);
    }
    if let Some(failure) = &status.failure {
        let bits: Vec<bool> = failure.bits().take(64).collect();
        let known = FAILURES.iter().filter(|(bit, _)| bits.get(*bit) == Some(&true));
        said.extend(known.map(|(_, word)| (*word).to_owned()));
    }
    if said.is_empty() {
        said.push("it says nothing more".to_owned());
    }
    Ok(said.join("; ").chars().take(MAX_TEXT).collect())
}

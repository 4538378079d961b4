//! What a time stamp is refused for.

/// Why a request's answer, a token or a certificate is not taken. Each names the field that is off.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StampError {
    /// Not what RFC 3161, RFC 5652 or RFC 5280 say, or not what was asked for.
    #[error("{field}: {why}")]
    Field {
        /// The field, by the name that the standard gives it.
        field: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The authority answered, and gave no token.
    #[error("the authority refuses ({status}): {said}")]
    Refused {
        /// Its status, in the standard's word.
        status: &'static str,
        /// What it says; cut where long.
        said: String,
    },
    /// A certificate that does not serve.
    #[error("the certificate of {subject}: {why}")]
    Certificate {
        /// Whose.
        subject: String,
        /// Why not.
        why: String,
    },
    /// No way from the signer to a certificate that everything could rest on.
    #[error("no chain from {signer}: {why}")]
    Chain {
        /// Who signed.
        signer: String,
        /// How far it goes.
        why: String,
    },
}

impl StampError {
    /// What a decoder says of a field.
    pub(crate) fn of(field: &'static str) -> impl Fn(der::Error) -> Self {
        move |error| bad(field, error.to_string())
    }
}

/// A field that is off.
pub(crate) fn bad(field: &'static str, why: impl Into<String>) -> StampError {
    StampError::Field { field, why: why.into() }
}

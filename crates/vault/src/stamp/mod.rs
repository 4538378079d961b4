//! Trusted time (RFC 3161): requests, answers, tokens and their verification, offline.
//!
//! Nothing here does I/O, asks the clock or draws random numbers. A token says that a digest existed
//! when its authority says it did; it says nothing of when what was digested was made.
//!
//! Invariants: no bytes make it panic; whatever is read has a bound; what is weaker than SHA-256,
//! RSA of 2048 bits or P-256 is refused. Whose authority signed only the reader's [`Anchor`]s
//! confirm.

mod algorithm;
mod certificate;
mod chain;
mod crl;
mod error;
mod request;
mod signer;
mod token;

pub use certificate::Certificate;
pub use chain::{Anchor, Pool};
pub use crl::Crl;
pub use error::StampError;
pub use request::{Request, response};
pub use token::{Info, Token, Verified, certificates_in};

/// The longest token, in bytes: a record of the log holds it, twice as long in hexadecimal.
pub const MAX_TOKEN: usize = 24 << 10;
/// The longest answer of an authority: a token, and what it says beside.
pub const MAX_RESPONSE: usize = 32 << 10;
/// The longest certificate.
pub const MAX_CERTIFICATE: usize = 16 << 10;
/// The most certificates in a token or a file.
pub const MAX_CERTIFICATES: usize = 16;
/// The longest list of revoked certificates.
pub const MAX_CRL: usize = 256 << 10;

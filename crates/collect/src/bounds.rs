//! Every bound of a capture, in one place.

use std::time::Duration;

/// What a capture may take at most. An authorisation may allow fewer bytes, never more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bounds {
    /// All of it.
    pub total: Duration,
    /// One question to the resolver; it is asked so often.
    pub lookup: Duration,
    /// Tries of one question by UDP.
    pub lookups: u32,
    /// A connection.
    pub connect: Duration,
    /// A TLS handshake.
    pub handshake: Duration,
    /// A request and its answer.
    pub answer: Duration,
    /// Bytes of a document's or a playlist's body, or of an answer from an address.
    pub document: usize,
    /// Bytes of a segment's body.
    pub segment: usize,
    /// Segments of a media playlist.
    pub segments: usize,
    /// Redirects of one request.
    pub redirects: u32,
    /// Addresses of one name that are tried until one answers.
    pub addresses: usize,
    /// Requests of one capture, redirects and addresses that did not answer included.
    pub requests: u64,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            total: Duration::from_secs(60),
            lookup: Duration::from_secs(3),
            lookups: 2,
            connect: Duration::from_secs(10),
            handshake: Duration::from_secs(10),
            answer: Duration::from_secs(20),
            document: 4 << 20,
            segment: 8 << 20,
            segments: 3,
            redirects: 5,
            addresses: 4,
            requests: 32,
        }
    }
}

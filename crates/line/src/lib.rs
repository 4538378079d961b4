//! Lines to another machine: the one client of HTTP to mirrors and clearing houses, and the stream to a
//! house that a standby follows. What comes back is bounded in size and time, and believed nowhere.
//!
//! - [`Address`]: `https://HOST[:PORT]/PATH`; in the clear to this machine's loopback alone.
//! - [`Trust`]: whose certificates count.
//! - [`Line`]: HTTP/1.1 to one address, by one connection that is used again. Redirects are not followed, and
//!   no proxy is asked.
//! - [`Answer`]: what came, piece by piece.
//! - [`stream`]: bytes by TLS, blocking, where there is no HTTP.
//!
//! *Invariants: nothing but TLS 1.3 leaves the machine, to a certificate that leads to a root named, for the
//! host that was asked for. No wait is without an end. An answer's head is at most [`MAX_HEADERS`] long, and its
//! body no longer than whoever reads it says.*

mod address;
mod call;
pub mod stream;
mod trust;

pub use address::{Address, AddressError, MAX_URL};
pub use call::{Answer, CONNECT, CallError, Line, MAX_HEADERS, OpenError, PAUSE};
pub use hyper::StatusCode;
pub use hyper::body::Bytes;
pub use trust::{MAX_ROOTS, Trust, TrustError};

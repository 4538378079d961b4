//! The capture probe: asks the outside world for the item itself, under an authorisation, and writes down
//! what it said. It judges no content: what was seen is `intake`'s and `identify`'s to read, from the
//! sealed bytes.
//!
//! The core does no I/O. [`plan::Plan`] is told what came back and says what is asked next; it holds each
//! request against the [`authorisation::Authorisation`] before it leaves, once by name and once with the
//! very address that is connected to, and writes the [`warc`]. The shell ([`probe`]) looks up, connects
//! and reads, and does nothing that the plan did not say.
//!
//! Never here: logging in, guessing credentials, exploits, requests outside an authorisation.

pub mod authorisation;
pub mod bounds;
pub mod capture;
pub mod challenge;
pub mod dns;
pub mod home;
pub mod host;
pub mod http;
pub mod item;
pub mod pace;
pub mod pacing;
pub mod plan;
pub mod playlist;
#[cfg(feature = "probe")]
pub mod probe;
pub mod special;
pub mod statement;
pub mod tls;
pub mod warc;

pub use authorisation::{Authorisation, Method, Refusal, Request};
pub use bounds::Bounds;
pub use capture::{Capture, Outcome};
pub use item::Item;
pub use plan::{Next, Plan};

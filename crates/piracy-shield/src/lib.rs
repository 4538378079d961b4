//! Piracy Shield's API, version 1, over our clearing house: what reporters and ISPs in Italy speak already.
//!
//! ```text
//!  client ─▶ shield-feed's socket ─▶ router ─▶ who asks? ─▶ desk::access ─▶ route ─▶ the clearing house
//!             TLS, bounds             ROUTES    tokens       may they?       JSON     Keeper
//! ```
//!
//! The wire is kept: routes, fields, statuses, error codes. What it means is ours: nothing is blocked before our
//! probe captured it and the check looked at it; nothing wider than one value can be written; what an ISP reports
//! of itself changes nothing of anybody else; who may do what is decided in one place. Where the two differ stands
//! in `docs/piracy-shield.md`, route by route; a test holds that table against [`ROUTES`].
//!
//! - [`ROUTES`] is every route: how it is asked, who may, what it does.
//! - [`Api`] has what routes need; [`router`] serves it.
//! - [`body`], [`asked`] read what clients send, without I/O.
//!
//! *Invariants: no route runs before `desk::access` was asked for it, and every refusal is counted. Nothing goes
//! into force by a route. What is kept beside the house decides nothing but whether an archive is the one that was
//! announced. Every body, list, table and wait has a bound.*

#[cfg(feature = "server")]
mod account;
#[cfg(feature = "server")]
mod answer;
#[cfg(feature = "server")]
mod api;
pub mod asked;
pub mod body;
#[cfg(feature = "server")]
mod call;
pub mod codes;
#[cfg(feature = "server")]
mod dda;
pub mod digest;
#[cfg(feature = "server")]
mod error;
#[cfg(feature = "server")]
mod forensic;
pub mod ids;
#[cfg(feature = "server")]
mod item;
#[cfg(feature = "server")]
mod kept;
#[cfg(feature = "server")]
mod list;
#[cfg(feature = "server")]
mod log;
#[cfg(feature = "server")]
mod route;
#[cfg(feature = "server")]
mod seen;
#[cfg(feature = "server")]
mod session;
#[cfg(feature = "server")]
mod status;
#[cfg(feature = "server")]
mod ticket;
#[cfg(feature = "server")]
mod token;
#[cfg(feature = "server")]
mod upload;
#[cfg(feature = "server")]
mod whitelist;

#[cfg(feature = "server")]
pub use api::{Api, router};
#[cfg(feature = "server")]
pub use call::Times;
#[cfg(feature = "server")]
pub use route::{BASE, Caller, Door, Method, Permission, ROUTES, Route};

//! The DNS side of the shield: block lists as zones that ISPs' resolvers take and obey.
//!
//! - [`Zones`] holds the names: one small *hot* zone for the event that runs, and a *cold* one cut in
//!   sixteen, since some resolvers build a zone's whole policy anew for each change. Each is a response
//!   policy zone (RPZ, draft-vixie-dnsop-dns-rpz-00) in which one policy alone can be written: a name
//!   does not exist (`name CNAME .`, section 3.1). It holds for that name and for nothing above, below
//!   or beside it. A catalog zone (RFC 9432) lists them.
//! - [`answer()`] makes the answer to a request, pure: SOA, AXFR (RFC 5936) and IXFR (RFC 1995), signed
//!   where the request was (TSIG, RFC 8945), for those whom [`Access`] lets. A [`Transfer`] makes one
//!   message at a time, and the next when the last was taken.
//! - [`serve`] is the shell around both: UDP, TCP (RFC 7766), TLS (RFC 9103), and NOTIFY (RFC 1996) to
//!   those who want it. What clients can take up is in [`Bounds`].
//!
//! ```text
//!  changes ─▶ Zones ─▶ View ──┬─▶ answer ─▶ Reply ─▶ UDP, TCP, TLS
//!             (one writer)    └─▶ Outbox ─▶ NOTIFY
//! ```
//!
//! The version of a zone never changes: a writer makes the next one beside it and publishes that. So
//! nothing is locked while a zone is on its way, and nobody sees half a change.
//!
//! *Invariants: no policy but "this name does not exist" can be written. A refused change changes
//! nothing. Steps laid together are the direct difference of two versions. A client is held to one
//! message in memory.* What servers make of it, measured: `docs/dns-feed.md`.
//!
//! What is lost in a restart is the log of steps, so that each secondary takes the zones whole once.
//! Load the names before the first [`feed`]: who asks between would open everything.

mod access;
mod answer;
mod fqdn;
mod names;
mod notify;
mod server;
mod transfer;
mod tsig;
mod wire;
mod zone;
mod zones;

#[cfg(test)]
mod tests;

pub use access::{Access, AccessError, Asker, Client, MAX_CLIENTS, Want};
pub use answer::{MAX_REQUEST, Reply, answer};
pub use fqdn::{Fqdn, FqdnError, MAX_NAME};
pub use notify::{AGAIN, FIRST_WAIT, MAX_ROUND, MAX_TARGETS, MAX_TRIES, SPACING};
pub use server::{Bounds, Feed, Publisher, Sockets, Told, feed, serve, tls_config};
pub use transfer::Transfer;
pub use tsig::{Algorithm, FUDGE, Key, KeyError, KeyName, MIN_SECRET};
pub use wire::MAX_MESSAGE;
pub use zone::{MAX_STEP_NAMES, MAX_STEPS, Snapshot, Timers, WireName};
pub use zones::{
    COLD_ZONES, Layout, MAX_HOT, MAX_SUFFIX, MAX_TTL, Place, View, Zones, ZonesError, cold_zone,
};

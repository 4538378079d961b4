//! The DNS side of the shield.
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
pub use zones::{COLD_ZONES, Layout, MAX_HOT, MAX_TTL, Place, View, Zones, ZonesError, cold_zone};

//! The feed as clients meet it: over sockets on loopback, and by the servers that ISPs run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

mod bed;
mod client;
mod servers;
mod wire;

//! The real `nft` and the real kernel, in network namespaces of the test's own: a client, a router that
//! forwards, a server. Needs root and nftables.
#![allow(clippy::unwrap_used, clippy::print_stderr)]

mod driver;
mod world;

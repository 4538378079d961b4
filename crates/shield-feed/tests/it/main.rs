//! The feed's folder and its routes, over sockets on loopback.
#![allow(clippy::unwrap_used)]

mod bed;
mod lists;
mod served;
mod store;
mod tls;

//! The API over a clearing house of its own, over sockets on loopback.
#![allow(clippy::unwrap_used)]

mod access;
mod archives;
mod bed;
mod lists;
mod orders;
mod table;
mod tickets;

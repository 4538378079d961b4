//! The mirror against a shelf in memory that fails as it is told, and against a server that speaks S3.
#![allow(clippy::unwrap_used)]

mod course;
// The feed of one log, as the tests of who follows it make it.
#[allow(dead_code)]
#[path = "../../../edge/tests/follow/feed.rs"]
mod feed;
mod folder;
mod memory;
#[path = "../../../../tests/moto.rs"]
mod moto;
mod server;

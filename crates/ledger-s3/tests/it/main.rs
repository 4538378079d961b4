//! A log on a store of objects: every fault at every step, writers that race, a store that lies, and
//! a server that speaks S3.

mod lies;
mod matrix;
mod memory;
#[path = "../../../../tests/moto.rs"]
mod moto;
mod race;
mod rotate;
mod server;
mod steps;

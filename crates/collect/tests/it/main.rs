//! The probe against servers and a resolver of the test's own, on loopback.

mod address;
mod bounds;
mod challenge;
mod course;
mod dns;
mod hls;
mod refused;
mod tls;
mod web;
mod world;

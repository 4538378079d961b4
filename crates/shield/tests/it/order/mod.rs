//! The machine.

mod driven;
mod ends;
mod faults;
mod laws;
mod objections;
mod release;
mod revoked;
mod stops;
mod turns;
mod written;

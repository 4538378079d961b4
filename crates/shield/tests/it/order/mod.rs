//! The machine.

mod driven;
mod ends;
mod faults;
mod kept;
mod laws;
mod objections;
mod release;
mod revoked;
mod scale;
mod stops;
mod told;
mod turns;
mod written;

//! The log over a real disk, and against others' vectors.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod disk;
mod log;
mod others;
mod sequencer;
mod simulation;

//! The log over a real disk, and against others' vectors.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod disk;
mod laid_back;
mod log;
mod others;
mod sequencer;
mod simulation;

//! A case from birth to verification, over a real disk.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod archives;
mod crash;
mod erase;
mod flip;
mod format;
mod life;
mod package;
mod rotate;
mod stamp;
mod tsa;
mod warc;

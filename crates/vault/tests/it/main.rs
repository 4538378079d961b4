//! A case from birth to verification, over a real disk.
// Lists of one range are meant as they stand.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::single_range_in_vec_init)]

mod archives;
mod backup;
mod beside;
mod crash;
mod erase;
mod flip;
mod format;
mod hostile;
mod image;
mod laid_back;
mod life;
mod package;
mod rotate;
mod stamp;
mod standby;
mod tsa;
mod warc;

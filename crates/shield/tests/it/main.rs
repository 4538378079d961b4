//! The check over the lists of the field; the machine and the feed as whoever uses them sees them.

#![allow(clippy::print_stdout, clippy::print_stderr)] // Counts, and what is skipped, are told aloud.

mod acceptance;
mod feed;
mod measure;
mod order;
mod world;

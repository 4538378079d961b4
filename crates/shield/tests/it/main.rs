//! The check over the lists of the field.

#![allow(clippy::print_stdout, clippy::print_stderr)] // Counts, and what is skipped, are told aloud.

mod acceptance;

//! The commands: each turns words into one call of the desk and prints what comes back.

pub(crate) mod parse;

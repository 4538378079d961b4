//! The command on practice seizures, from outside: what a user types and what comes back.

mod bench;
mod crash;
mod custody;
mod figures;
mod log;
mod messages;
mod open;
mod pipes;
mod room;
mod secrets;
mod upkeep;
mod words;

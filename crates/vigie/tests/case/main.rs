//! The command on practice seizures, from outside: what a user types and what comes back.

mod backup;
mod backup_authority;
mod bench;
mod beside;
mod birth;
mod capture;
mod clearing;
mod closed;
mod console;
mod crash;
mod custody;
mod edge;
mod erase;
mod erase_names;
mod figures;
mod keys;
mod log;
mod messages;
mod open;
mod package;
mod party;
mod pipes;
mod restore;
mod room;
mod secrets;
mod served;
mod shield;
mod stamp;
mod ticket;
mod trial;
// Files for tests; the vault's tests use the rest of it.
#[allow(dead_code, clippy::disallowed_methods)]
#[path = "../../../vault/tests/it/tsa.rs"]
mod tsa;
mod upkeep;
mod witness;
mod words;

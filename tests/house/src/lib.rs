//! Nothing but tests: see `tests/floors.rs`.

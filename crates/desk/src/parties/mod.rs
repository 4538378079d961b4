//! Who deals with the authority: organisations, people, the offices they act in, and the keys of their
//! services.
//!
//! They stand in the authority's own log, since they hold for every case and for the clearing house; all
//! of it committed, its openings beside that log. [`Register`] is a view of it: made by replay, thrown
//! away at will. [`act`] is the one way to change it: it checks, records, and names who did it.
//!
//! Invariants: a short name is never given twice; nobody gives himself an office, but the first operator;
//! the last operator can neither be suspended nor lose the office; of a service key nothing stands
//! anywhere but its digest.

mod act;
mod check;
mod own_log;
mod register;
mod words;

pub(crate) use act::may_act;
pub use act::{Act, Done, act};
pub(crate) use own_log::{opened, record};

pub use register::{Held, Key, Organisation, Person, Register};
pub use words::{
    LEAST_QUOTA, MAX_NAME, MAX_PARTIES, MAX_QUOTA, MAX_SHORT, PartyRole, Sector, is_short,
};

#[cfg(test)]
mod tests;

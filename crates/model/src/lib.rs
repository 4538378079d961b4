//! The words of the house: ids, spans, keys, facts, kinds, tables, money, time and records.
//!
//! Invariant: nothing here does I/O, reads a clock or draws a random number. Bytes, times and
//! randomness are handed in. Capabilities do not know one another; they meet in these words.

pub mod asn;
pub mod bulk;
pub mod canonical;
pub mod commitment;
pub mod custody;
pub mod fact;
pub mod iban;
pub mod id;
pub mod key;
pub mod kinds;
pub mod money;
pub mod problem;
pub mod record;
pub mod reference;
pub mod spoken;
pub mod suffix;
pub mod time;

pub use bulk::{Batch, Cell, Column, ColumnData, ColumnType, Meaning, TableRole, TableSchema};
pub use canonical::Canon;
pub use commitment::{Commitment, Salt};
pub use fact::{Fact, Value};
pub use id::{EntityId, ExhibitId, Sha256Hex, Span};
pub use key::Key;
pub use kinds::{EntityKind, LinkKind};
pub use money::{Currency, Money};
pub use problem::{Problem, ProblemKind};
pub use record::{Body, Opening, Record};
pub use reference::Reference;
pub use time::{Precision, Stamp};

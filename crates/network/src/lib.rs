//! The network behind the material: which keys are one thing, how things hang together.
//!
//! Invariants: pure over what is handed in; no I/O, no clock; the same facts give the same answer in
//! whatever order they come.

pub mod graph;
pub mod layout;
pub mod resolve;
pub mod tree;

pub use graph::Graph;
pub use resolve::{Resolved, Resolver};

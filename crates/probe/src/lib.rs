//! What ISPs' resolvers are measured by: a program in an ISP's network that asks as a subscriber would, and
//! the clearing house's door for it (docs/measurement.md).
//!
//! ```text
//!  resolver ◀── ask ── queue ── line ──▶ door ──▶ desk::clearing::measured
//!                 ▲                │
//!                 └── questions ◀──┘
//! ```
//!
//! - [`ask`]: one round of questions to one resolver, by UDP, by TCP where an answer was cut, and one round
//!   in ten by TCP alone.
//! - [`queue`]: what waits for the line, bounded: the oldest is dropped and counted. No I/O.
//! - [`line`](mod@line): HTTP to the clearing house, TLS beyond loopback.
//! - [`run`](mod@run): the two together.
//! - [`door`]: `POST /measure` of the clearing house, for who has a probe's key.
//! - [`settings`]: both files.
//!
//! Invariants: a probe asks what the clearing house chose and nothing else; it keeps counts, and no answer
//! that was sent. While the line is down it goes on for a minute with what it was told, then rests.

pub mod ask;
pub mod door;
pub mod line;
pub mod queue;
pub mod run;
pub mod settings;

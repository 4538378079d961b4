//! The ISP's side of the shield. It is two processes, so that what ends a block never hangs on what
//! begins one:
//!
//! - *follow* reads the feed over the network, from any of several mirrors, verifies it, and tells keep
//!   what is in force.
//! - *keep* is small: it holds what follow told it, each value with its deadline, and is the primary
//!   of the resolver on the same machine. It needs nobody to open a name.
//!
//! ```text
//!  mirrors ─▶ follow ──frames──▶ door ─▶ Kept ─▶ zones ─▶ AXFR, IXFR, NOTIFY ─▶ the resolver
//!      (HTTP)         (a socket)          ▲
//!                               clock ────┘  ends what is due, whoever else is gone
//! ```
//!
//! [`keeping`] decides, without I/O and without a clock: frames and milliseconds go in, changes come
//! out. [`frame`] is what stands on the socket. [`keep`] is the shell around both; [`follow`] the one
//! around `shield::wire`, which decides what of the feed is believed.
//!
//! *Invariants: nothing is out past its own deadline, nor past the feed's silence. Nothing is out
//! longer than its last frame said. A lift always wins. Who begins anew begins empty.*
//!
//! How it is set up, and what happens when each part dies, measured: `docs/edge.md`.

mod clock;
pub mod follow;
pub mod frame;
pub mod keep;
pub mod keeping;

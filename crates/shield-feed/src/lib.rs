//! The feed over HTTP: what an ISP fetches, and how it hears that there is more.
//!
//! ```text
//!  clearing house ─▶ Store (a folder) ──▶ any web server, any CDN
//!                      └──────▶ router ─▶ the same files, long poll, events
//! ```
//!
//! - [`Store`] keeps of each view a folder: `manifest`, `files/<SHA-256>`, and the lists. A file never
//!   changes; the manifest is put in place when all that it names stands. What it names no more stays for
//!   a while, for who is fetching it.
//! - [`write_lists`] makes the lists for those who take nothing else: plain text, JSON, CSV, a checksum each.
//! - [`router`] serves the folder, lets clients wait for the next manifest, and tells it as events
//!   (`text/event-stream`); beside it the log's checkpoint and tiles.
//! - [`serve`] gives the routes sockets, with TLS or without, within [`Bounds`].
//!
//! Nothing here is believed by who follows: signatures and proofs are in what is served. Who may read which
//! view is asked of a function that is handed in.
//!
//! *Invariants: a manifest never names what is not there, and never goes back. What a client does not read
//! is not made.*

mod error;
mod etag;
mod fill;
mod list;
mod routes;
mod server;
mod store;
mod waiting;

pub use error::StoreError;
pub use list::{ListError, Lists, write_lists};
pub use routes::{Barred, Opens, Who, router};
pub use server::{Bounds, Peer, Tls, serve, tls_config};
pub use store::{
    Announced, Aside, Grace, MAX_FILE, MAX_FILES, MAX_LEFT, MAX_MANIFEST, MAX_VIEWS, Store,
    ViewName, Written,
};

//! The console: a case, or the clearing house, as web pages, on loopback, or beyond it by TLS for people who sign in.
//!
//! Pages are made on the server from what `desk` reads; scripts only swap parts of them, move the
//! focus, and draw the network. Invariants: the console decides nothing and keeps nothing but
//! sessions; every word comes from a catalogue; every figure is a link; seized text never acts.

mod app;
mod assets;
mod connections;
mod export;
mod fmt;
mod gate;
mod guard;
mod harm;
mod house;
mod html;
mod i18n;
mod live;
mod package;
mod pages;
mod params;
mod query;
mod routes;
mod server;
mod session;
mod tls;

pub use harm::{harm_innocents, harm_reason, harm_verdict};
pub use house::ClearingHouse;
pub use i18n::Lang;
pub use package::package_page;
pub use server::{Console, Error, Options, serve};
pub use session::{LINK_LIFE, SESSION_LIFE};
pub use tls::{TlsError, Told};

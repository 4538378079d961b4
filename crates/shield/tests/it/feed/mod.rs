//! The feed.

mod driven;
mod laws;
mod places;
mod scale;

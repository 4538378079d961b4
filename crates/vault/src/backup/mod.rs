//! Backup and restore of a case (docs/backup.md).
//!
//! A backup is laid out as a case is: `vault/exhibits`, `vault/openings`, `ledger/`, and beside them
//! `backup`, which says whose it is. Views are not in it: they are derived; nor is any key.
//!
//! A backup of an authority's own folder is laid out as that is, `ledger/` with its log, and has the
//! key only where that is under a passphrase.
//!
//! The order makes it whole at any instant: exhibits, openings and tiles first, the checkpoint that
//! needs them after, and only then goes what an order of erasure in that checkpoint's log names.
//! Openings that an erasure wrote anew are staged before the checkpoint (`staged/<size>/`) and take
//! their places after it, so that a run that is cut off leaves the state before or the state after.

mod copy;
mod error;
mod exhibits;
mod folder;
mod held;
mod home;
mod restore;
mod run;
mod store;

pub use error::{Error, Result};
pub use folder::Folder;
pub use held::{Head, head, origin_at};
pub use home::{Copied, KeyKept, copy_home_out, run_home};
pub use restore::{Restored, copy_out};
pub use run::{Made, run};
pub use store::{Held, Item, MAX_ITEMS, Store, Upload};

/// Says whose backup it is.
const MARK: &str = "backup";
/// Its first line.
const MARK_LINE: &str = "vigie backup v1";
/// The signed checkpoint: what the backup holds is what it covers.
const CHECKPOINT: &str = "ledger/checkpoint";
/// The folders.
const EXHIBITS: &str = "vault/exhibits";
const OPENINGS: &str = "vault/openings";
const TILES: &str = "ledger/tile";
const WITNESSED: &str = "ledger/witnessed";
const STAGED: &str = "staged";

/// The most bytes of one file of openings: those of a commit.
const MAX_OPENINGS: u64 = 1 << 30;

/// Where openings wait for the checkpoint of that size.
fn staged(size: u64, name: &str) -> String {
    format!("{STAGED}/{size}/{name}")
}

//! The settings of drivers, a table each in keep's file.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use shield_nft::{Nft, Table, TableError};

use super::super::Mode;

/// The shortest lease, in seconds: renewed each third of it.
pub const MIN_LEASE: u64 = 6;
/// The longest, in seconds.
pub const MAX_LEASE: u64 = 600;

/// `[nft]`: addresses in this machine's firewall.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NftSettings {
    /// Whether it blocks. Where keep itself observes, it does not either.
    #[serde(default)]
    pub mode: Mode,
    /// The table's name in the family `inet`.
    #[serde(default = "table")]
    pub table: String,
    /// How long the kernel holds a value that keep does not renew, in seconds: keep is gone, and all is
    /// open so much later.
    #[serde(default = "lease")]
    pub lease_s: u64,
}

fn table() -> String {
    "vigie".to_owned()
}
fn lease() -> u64 {
    30
}

impl NftSettings {
    /// What is wrong with them, and in which.
    pub(crate) fn check(&self) -> Result<(), (&'static str, String)> {
        self.table(false).map_err(|e| ("nft.table", e.to_string()))?;
        if !(MIN_LEASE..=MAX_LEASE).contains(&self.lease_s) {
            return Err(("nft.lease_s", format!("write between {MIN_LEASE} and {MAX_LEASE}")));
        }
        Ok(())
    }

    pub(super) fn table(&self, practice: bool) -> Result<Table, TableError> {
        let table = Table::new(&self.table)?;
        Ok(if practice { table.for_practice() } else { table })
    }

    pub(super) fn nft() -> Nft {
        Nft::default()
    }
}

/// `[bird]`: addresses as routes of a BIRD on this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BirdSettings {
    /// Whether it blocks. Where keep itself observes, it does not either.
    #[serde(default)]
    pub mode: Mode,
    /// The file that BIRD includes; its folder is there, keep's user writes in it, and a restart of the
    /// machine empties it.
    pub file: PathBuf,
    /// BIRD's control socket.
    #[serde(default = "socket")]
    pub socket: PathBuf,
    /// Whether ports of addresses are told, too, as FlowSpec rules.
    #[serde(default)]
    pub flowspec: bool,
}

fn socket() -> PathBuf {
    "/run/bird/bird.ctl".into()
}

impl BirdSettings {
    /// Paths in it are beside keep's file.
    pub(crate) fn beside(&mut self, folder: &Path) {
        self.file = folder.join(&self.file);
        self.socket = folder.join(&self.socket);
    }
}

/// `[knot]`: names for a Knot Resolver on this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnotSettings {
    /// Whether it blocks. Where keep itself observes, it does not either.
    #[serde(default)]
    pub mode: Mode,
    /// The folder of its two files: it is there, keep's user writes in it, and a restart of the machine
    /// empties them.
    pub folder: PathBuf,
}

impl KnotSettings {
    /// Paths in it are beside keep's file.
    pub(crate) fn beside(&mut self, folder: &Path) {
        self.folder = folder.join(&self.folder);
    }
}

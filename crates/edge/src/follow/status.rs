//! How it stands, as a file beside what is kept: `status.json`, for who asks without a socket.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::alarms::Raised;

/// The file's name in the state folder.
const FILE: &str = "status.json";
/// The longest file, in bytes.
pub const MAX_STATUS: u64 = 1 << 20;
/// It is written so often at least, in milliseconds, while follow runs.
pub(super) const EVERY: u64 = 5_000;

/// How follow stands, in JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Status {
    /// When it was written, in milliseconds since 1970.
    pub at: i64,
    /// The process.
    pub pid: u32,
    /// The view that is this ISP's by its settings.
    pub view: String,
    /// The view that is followed: that one, or `all` while there is no such view. Empty before the first list.
    #[serde(default)]
    pub reads: String,
    /// Whether keep is told nothing.
    pub observe: bool,
    /// The mirror that is asked.
    pub mirror: String,
    /// The feed's epoch; none before the first list.
    pub epoch: Option<u64>,
    /// Its serial.
    pub serial: u64,
    /// The beat heard last.
    pub beat: u64,
    /// Whether all is held that is out at this serial.
    pub whole: bool,
    /// Names in force.
    pub names: u64,
    /// Addresses in force, with a port or without: blocked where keep has a driver that holds them.
    pub addresses: u64,
    /// Milliseconds until all is let go of, if nothing more is heard; none where that is so now.
    pub silence_in_ms: Option<u64>,
    /// A stop that is obeyed: `lifts`, or `releases`; none where there is none.
    #[serde(default)]
    pub stopped: Option<String>,
    /// Keep.
    pub keep: KeepStatus,
    /// What is wrong now.
    pub alarms: Vec<Raised>,
    /// How many alarms there were since it began.
    pub alarms_ever: u64,
}

/// What keep said last.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct KeepStatus {
    /// Whether it answers.
    pub answers: bool,
    /// Whether it was told all that is in force.
    pub all_told: bool,
    /// Whether it only observes.
    pub observe: bool,
    /// Whether it takes addresses.
    #[serde(default)]
    pub takes_addresses: bool,
    /// Values that it has out.
    pub out: u64,
    /// Values that it holds for an operator.
    pub held: u64,
    /// Values that its protected list refused, since follow began.
    pub protected: u64,
    /// The last of them, with the rule, and why that is there.
    #[serde(default)]
    pub protected_last: Option<String>,
}

/// Why it cannot be told how follow stands.
#[derive(Debug, thiserror::Error)]
pub enum StatusError {
    /// Nothing stands there.
    #[error("{0} cannot be read: {1}")]
    Read(PathBuf, String),
    /// No status.
    #[error("{0} is no status: {1}")]
    Other(PathBuf, String),
}

impl Status {
    /// Reads what a follow wrote into its state folder last.
    ///
    /// # Errors
    /// See [`StatusError`].
    pub fn read(state: &Path) -> Result<Self, StatusError> {
        use std::io::Read;
        let path = state.join(FILE);
        let failed = |e: std::io::Error| StatusError::Read(path.clone(), e.to_string());
        let file = std::fs::File::open(&path).map_err(failed)?;
        let mut bytes = Vec::new();
        file.take(MAX_STATUS).read_to_end(&mut bytes).map_err(failed)?;
        serde_json::from_slice(&bytes).map_err(|e| StatusError::Other(path.clone(), e.to_string()))
    }

    /// Writes it.
    ///
    /// # Errors
    /// The disk.
    pub(super) fn write(&self, state: &Path) -> Result<(), ledger::Error> {
        // Strings, numbers and truths alone.
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        ledger::disk::write(&state.join(FILE), &text)
    }

    /// True where nothing has written it for so long that no follow runs, at this moment in
    /// milliseconds since 1970.
    pub fn is_old(&self, now: i64) -> bool {
        now.abs_diff(self.at) > 4 * EVERY
    }

    /// True where something changed that somebody may wait for.
    pub(super) fn differs(&self, other: &Self) -> bool {
        let alarms =
            |status: &Self| status.alarms.iter().map(|raised| raised.since).collect::<Vec<_>>();
        (self.epoch, self.serial, self.whole, self.names, self.addresses)
            != (other.epoch, other.serial, other.whole, other.names, other.addresses)
            || (&self.keep, &self.mirror, self.alarms_ever, &self.stopped, &self.reads)
                != (&other.keep, &other.mirror, other.alarms_ever, &other.stopped, &other.reads)
            || alarms(self) != alarms(other)
    }
}

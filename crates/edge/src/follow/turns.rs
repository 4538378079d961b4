//! The feed's key replaced: learnt beside everybody's manifest, at every mirror, and kept in the state folder, so that
//! a key which counts no more comes back by no restart. What is believed is decided by [`shield::wire::keys`]: a record
//! in the clearing house's log, under a checkpoint as the settings ask for one, that both keys signed.
//!
//! Mirrors are looked at now and then, and at once where a manifest is signed by no key that counts. So a mirror that
//! hands on the feed of whoever stole the old key hides nothing that any other one shows.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use shield::feed::ALL;
use shield::wire::keys::{MAX_KEYS, TurnError, kept, open};

use super::client::Mirror;
use super::config::Trusted;
use super::fetch;
use super::shared::Shared;

/// What was learnt, in the state folder.
const FILE: &str = "feed-keys";
/// What lies beside the manifest.
const BESIDE: &str = "keys";
/// How often a mirror is asked.
pub const EVERY: Duration = Duration::from_secs(60);

/// Why what was learnt before is of no use.
#[derive(Debug, thiserror::Error)]
pub enum TurnsError {
    /// It cannot be read.
    #[error("{0}: {1}")]
    Disk(PathBuf, String),
    /// It is not what was written there.
    #[error(
        "{0} is damaged ({1}): nobody knows any more which key of the feed was replaced. Compare the line of `vigie edge \
         trust` with the clearing house, write it into the settings (trust.feed), and remove this file"
    )]
    Damaged(PathBuf, TurnError),
    /// It leads on from none of the keys that the settings name: one of these may be replaced long since.
    #[error(
        "{0} tells of other keys than the settings name (trust.feed), which may be replaced long since. Compare the line \
         of `vigie edge trust` with the clearing house, write it into the settings, and remove this file"
    )]
    Strange(PathBuf),
}

/// Has count what was learnt before, and nothing else.
///
/// # Errors
/// See [`TurnsError`].
pub(super) fn learnt(state: &Path, trusted: &Trusted) -> Result<(), TurnsError> {
    let path = state.join(FILE);
    let failed = |e: std::io::Error| TurnsError::Disk(path.clone(), e.to_string());
    let file = match std::fs::File::open(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        file => file.map_err(failed)?.take(MAX_KEYS as u64 + 1),
    };
    let mut bytes = Vec::new();
    std::io::BufReader::new(file).read_to_end(&mut bytes).map_err(failed)?;
    let known = kept(&bytes).map_err(|e| TurnsError::Damaged(path.clone(), e))?;
    // It was written since it changed what counts: where it does not, it is of other settings, or begins behind the
    // replacement of what these name.
    trusted.turn(trusted.turned(&known).ok_or(TurnsError::Strange(path))?);
    Ok(())
}

/// Which keys were replaced.
#[derive(Clone)]
pub(super) struct Turns {
    trusted: Arc<Trusted>,
    shared: Arc<Shared>,
    path: PathBuf,
}

impl Turns {
    /// Goes on from what was learnt before.
    pub(super) fn open(
        state: &Path,
        trusted: Arc<Trusted>,
        shared: Arc<Shared>,
    ) -> Result<Self, TurnsError> {
        learnt(state, &trusted)?;
        Ok(Self { trusted, shared, path: state.join(FILE) })
    }

    /// Looks at a mirror; true where another key counts from here on.
    pub(super) async fn look(&self, mirror: &mut Mirror) -> bool {
        let place = format!("keys at {}", mirror.url);
        let view = std::mem::replace(&mut mirror.view, ALL.to_owned());
        let found = fetch::beside(mirror, BESIDE, MAX_KEYS).await;
        mirror.view = view;
        // That it does not answer is told of the manifest; that it has none is the usual.
        let Ok(Some(bytes)) = found else { return false };
        match self.take(&bytes) {
            Ok(is_new) => {
                self.shared.settle(&place);
                is_new
            }
            Err(why) => {
                self.shared.raise(&place, "feed_keys", &why, true);
                false
            }
        }
    }

    /// Takes what a mirror tells, durably before anything else.
    fn take(&self, bytes: &[u8]) -> Result<bool, String> {
        let turns = open(bytes, &self.trusted.log).map_err(|e| e.to_string())?;
        let Some(keys) = self.trusted.turned(&turns) else { return Ok(false) };
        ledger::disk::write(&self.path, bytes).map_err(|e| e.to_string())?;
        let shown: Vec<String> = keys.now().iter().map(|key| key.text()).collect();
        self.trusted.turn(keys);
        self.shared.say(&format!(
            "the clearing house replaced the feed's key, by a record of its log: what counts is {}",
            shown.join(" ")
        ));
        Ok(true)
    }
}

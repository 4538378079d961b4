//! What a witness keeps, in a folder of its own:
//!
//! ```text
//! HOME/witness/key             mode 0600, the cosigner's key as signed notes write private keys
//! HOME/witness/lock            one process serves at a time
//! HOME/witness/logs/HEX        the latest checkpoint cosigned of the log whose origin has that SHA-256
//! HOME/witness/splits/HEX-N    what a log signed that did not go on from it
//! ```

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use model::Sha256Hex;

use super::{Cosigned, Refusal, Split, Witness};
use crate::disk::{self, Overwrite};
use crate::error::{Error, Result};
use crate::lock::{Lock, Wait};
use crate::note::{CosignerKey, MAX_NOTE, Note};
use crate::store::read;
use crate::trust::Trust;

/// The most logs that one witness keeps: an authority names its logs itself.
pub const MAX_LOGS: usize = 100_000;
/// The most accusations kept of one log: who signs nonsense fills no disk.
const MAX_SPLITS: usize = 16;

/// The folder of a witness.
#[derive(Debug, Clone)]
pub struct WitnessHome {
    dir: PathBuf,
}

impl WitnessHome {
    /// The witness that lives in the home in `home`.
    pub fn new(home: &Path) -> Self {
        Self { dir: home.join("witness") }
    }

    /// Makes the witness's key from 32 random bytes.
    ///
    /// # Errors
    /// A key that is there already; a name that none can have; the disk.
    pub fn init(&self, name: &str, seed: &[u8; 32]) -> Result<CosignerKey> {
        let path = self.dir.join("key");
        let key = CosignerKey::new(name, seed).map_err(|e| Error::note(&path, e))?;
        disk::create_dir(&self.dir)?;
        let text = format!("{}\n", key.secret_text());
        disk::write_with(&path, text.as_bytes(), Overwrite::Never, 0o600)?;
        Ok(key)
    }

    /// The witness's key.
    ///
    /// # Errors
    /// None there, or one that cannot be read.
    pub fn key(&self) -> Result<CosignerKey> {
        let path = self.dir.join("key");
        let text = String::from_utf8_lossy(&read(&path, 1000)?).into_owned();
        CosignerKey::parse(&text).map_err(|e| Error::note(&path, e))
    }

    /// Takes up the witness's work for the logs that a trust file names.
    ///
    /// # Errors
    /// No key; another process that serves; the disk.
    pub fn open(&self, logs: Trust, holder: &str) -> Result<WitnessStore> {
        let key = self.key()?;
        let logs_dir = self.dir.join("logs");
        disk::create_dir(&logs_dir)?;
        disk::create_dir(&self.dir.join("splits"))?;
        let lock = Lock::acquire(&self.dir.join("lock"), holder, Wait::Fail)?;
        disk::sweep(&logs_dir)?;
        disk::sweep(&self.dir.join("splits"))?;
        let kept = logs_dir.read_dir().map_err(|e| Error::disk("list", &logs_dir, e))?.count();
        let witness = Witness::new(key, logs);
        Ok(WitnessStore { dir: self.dir.clone(), witness, kept: Mutex::new(kept), _lock: lock })
    }
}

/// A witness at work: each answer that it gives is kept, durably, before it is given.
#[derive(Debug)]
pub struct WitnessStore {
    dir: PathBuf,
    witness: Witness,
    /// Logs kept; held from looking up the latest checkpoint until the next one stands.
    kept: Mutex<usize>,
    _lock: Lock,
}

impl WitnessStore {
    /// The key that others verify with.
    pub fn key(&self) -> crate::WitnessKey {
        self.witness.key()
    }

    /// Answers `add-checkpoint`. `now` is in seconds since the epoch.
    ///
    /// # Errors
    /// The disk, or more logs than one witness keeps; a refusal is no error.
    pub fn add_checkpoint(
        &self,
        body: &str,
        now: u64,
    ) -> Result<std::result::Result<Cosigned, Refusal>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut path = PathBuf::new();
        let mut new = false;
        let answer = self.witness.add_checkpoint(body, now, |origin| {
            path = self.path_of(&Sha256Hex::of(origin.as_bytes()).to_string());
            let latest = self.read(&path)?;
            new = latest.is_none();
            if new && *kept >= MAX_LOGS {
                return Err(Error::TooManyLogs(MAX_LOGS));
            }
            Ok(latest)
        })?;
        match &answer {
            Ok(cosigned) => {
                disk::write(&path, cosigned.latest.to_string().as_bytes())?;
                *kept += usize::from(new);
            }
            Err(Refusal::Inconsistent { accusation: Some(split), .. }) => {
                self.keep(&path, split)?
            }
            Err(_) => {}
        }
        Ok(answer)
    }

    /// The latest checkpoint cosigned of the log whose origin has that SHA-256 (64 lowercase
    /// hexadecimal digits).
    ///
    /// # Errors
    /// The disk.
    pub fn latest(&self, origin_hash: &str) -> Result<Option<Note>> {
        let digit = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        if origin_hash.len() != 64 || !origin_hash.bytes().all(digit) {
            return Ok(None);
        }
        self.read(&self.path_of(origin_hash))
    }

    fn path_of(&self, origin_hash: &str) -> PathBuf {
        self.dir.join("logs").join(origin_hash)
    }

    fn read(&self, path: &Path) -> Result<Option<Note>> {
        match read(path, MAX_NOTE as u64 + 1) {
            Ok(bytes) => Note::parse(&String::from_utf8_lossy(&bytes))
                .map(Some)
                .map_err(|e| Error::note(path, e)),
            Err(e) if e.is_missing() => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Keeps an accusation once, and so many of one log.
    fn keep(&self, log: &Path, split: &Split) -> Result<()> {
        let name = log.file_name().unwrap_or_default().to_string_lossy();
        let text = split.to_string();
        for n in 0..MAX_SPLITS {
            let path = self.dir.join("splits").join(format!("{name}-{n}"));
            match read(&path, super::MAX_SPLIT as u64) {
                Ok(bytes) if bytes == text.as_bytes() => return Ok(()),
                Ok(_) => {}
                Err(e) if e.is_missing() => return disk::write(&path, text.as_bytes()),
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

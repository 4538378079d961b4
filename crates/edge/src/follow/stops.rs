//! A stop that was signed beforehand ([`shield::wire::stop`]): looked for beside the manifest of every mirror, and
//! in the state folder, where somebody may have brought it by hand. What is obeyed stands there as `stop`, over
//! restarts, until the feed's key signs a later word.
//!
//! Mirrors are asked one beside another, so that one which hangs holds up no other: a stop is what comes when others
//! hang. That a mirror has none is no fault, and the usual.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ledger::{Lock, Note, Wait};
use shield::feed::ALL;
use shield::order::{Halt, Moment};
use shield::wire::stop::{Act, MAX_STOP, NotObeyed, Obeyed, StopFile, StopFileError};
use tokio::sync::mpsc::Sender;

use super::client::Mirror;
use super::config::{Config, Trusted};
use super::fetch::{self, Ask};
use super::later::Later;
use super::shared::Shared;
use super::turns::{EVERY as KEYS_EVERY, Turns, TurnsError, learnt};
use crate::clock;
use crate::keep::ConfigError;

/// What is obeyed, in the state folder.
const OBEYED: &str = "stop";
/// What somebody brought, until follow has looked at it.
const BROUGHT: &str = "stop.brought";
/// How often a mirror is asked.
pub const EVERY: Duration = Duration::from_secs(5);
/// How far a stop's time may be ahead of this clock, in milliseconds.
const SKEW: u64 = 300_000;
/// The longest that who brings one waits for follow to obey.
const PATIENCE: Duration = Duration::from_secs(10);

/// Why a stop file is not obeyed.
#[derive(Debug, thiserror::Error)]
pub enum StopError {
    /// Its settings.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// It is no stop file, or the feed's key did not sign it.
    #[error("this is no stop file of the feed that is followed here: {0}")]
    File(#[from] StopFileError),
    /// It is, and is not to be obeyed.
    #[error("{0}")]
    NotObeyed(#[from] NotObeyed),
    /// Which keys of the feed were replaced cannot be told.
    #[error(transparent)]
    Keys(#[from] TurnsError),
    /// What was obeyed before cannot be read.
    #[error(
        "{0} is damaged: nobody knows any more what was stopped. Bring the last stop file, or the word that ended it, \
         and remove this one"
    )]
    Damaged(PathBuf),
    /// The disk.
    #[error("{0}: {1}")]
    Disk(PathBuf, String),
    /// A follow runs, and did not take it up.
    #[error("the follow that runs has not obeyed within {} s: look at its status, and end it", PATIENCE.as_secs())]
    Silent,
}

impl StopError {
    fn word(&self) -> &'static str {
        match self {
            Self::File(_) => "stop_file",
            Self::NotObeyed(NotObeyed::Back) => "stop_back",
            Self::NotObeyed(NotObeyed::Expired(_)) => "stop_expired",
            Self::NotObeyed(_) => "stop_other",
            _ => "disk",
        }
    }
}

/// What became of a file that somebody brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought {
    /// What it says.
    pub file: StopFile,
    /// True where a follow runs, and obeys by now; else it obeys as soon as it begins.
    pub runs: bool,
}

/// Reads bytes that one of the keys signed.
fn opened(bytes: &[u8], trusted: &Trusted) -> Result<StopFile, StopError> {
    let text = std::str::from_utf8(bytes).map_err(|_| StopFileError::Line(0, "text"))?;
    let mut why = StopFileError::TooLong;
    for key in &trusted.feed() {
        match StopFile::open(text, key) {
            Ok(file) => return Ok(file),
            Err(error) => why = error,
        }
    }
    Err(why.into())
}

/// Reads what was obeyed before. It was verified then, and nobody else writes there: the key that signed it may
/// have been replaced since, and what was stopped stays stopped.
fn kept(bytes: &[u8], trusted: &Trusted) -> Option<StopFile> {
    let note = Note::parse(std::str::from_utf8(bytes).ok()?).ok()?;
    let file = StopFile::read(&note.text).ok()?;
    let keys = trusted.feed();
    let ours = keys.iter().any(|key| key.name() == file.origin);
    // Of whoever signs with a key that still counts, the signature has to fit.
    let known = keys
        .iter()
        .any(|key| note.signatures.iter().any(|s| s.name == key.name() && s.id == key.id()));
    (ours && (!known || opened(bytes, trusted).is_ok())).then_some(file)
}

/// A file of the state folder, no longer than any stop file; `None` where there is none.
fn read(path: &Path) -> Result<Option<Vec<u8>>, StopError> {
    use std::io::Read;
    let failed = |e: std::io::Error| StopError::Disk(path.to_owned(), e.to_string());
    let file = match std::fs::File::open(path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.map_err(failed)?,
    };
    let mut bytes = Vec::new();
    file.take(MAX_STOP as u64 + 1).read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), StopError> {
    let failed = |e: ledger::Error| StopError::Disk(path.to_owned(), e.to_string());
    ledger::disk::write(path, bytes).map_err(failed)
}

/// What is obeyed, of a state folder.
#[derive(Debug)]
struct Held {
    obeyed: Obeyed,
    /// The file of what is obeyed; empty before the first.
    bytes: Vec<u8>,
    path: PathBuf,
    view: String,
}

impl Held {
    fn open(state: &Path, trusted: &Trusted, view: &str) -> Result<Self, StopError> {
        let path = state.join(OBEYED);
        let (obeyed, bytes) = match read(&path)? {
            None => (Obeyed::default(), Vec::new()),
            Some(bytes) => {
                let file = kept(&bytes, trusted);
                let file = file.ok_or_else(|| StopError::Damaged(path.clone()))?;
                (Obeyed::resumed(file), bytes)
            }
        };
        Ok(Self { obeyed, bytes, path, view: view.to_owned() })
    }

    /// What would be obeyed; `None` where it is already.
    fn would(&self, file: &StopFile, trusted: &Trusted) -> Result<Option<Obeyed>, StopError> {
        // Over the word of a key that counts no more goes any that counts: whoever stole that key could have signed one
        // that is later than all that will ever be made. What stopped by it stays stopped until then.
        let is_void = !self.bytes.is_empty() && opened(&self.bytes, trusted).is_err();
        let mut next = if is_void { Obeyed::default() } else { self.obeyed.clone() };
        let wall = Moment(clock::wall().0);
        Ok(next.take(file, &self.view, wall, SKEW)?.then_some(next))
    }

    /// Takes it, durably before anything else; true where it changes anything.
    fn take(&mut self, bytes: &[u8], trusted: &Trusted) -> Result<bool, StopError> {
        let Some(next) = self.would(&opened(bytes, trusted)?, trusted)? else { return Ok(false) };
        write(&self.path, bytes)?;
        self.obeyed = next;
        bytes.clone_into(&mut self.bytes);
        Ok(true)
    }
}

/// Brings a stop file to the follow of these settings: it obeys within a second where it runs, and as soon as it
/// begins where it does not. Whatever is wrong with the file is told here, and changes nothing.
///
/// # Errors
/// See [`StopError`].
pub fn bring(config: &Config, bytes: &[u8]) -> Result<Brought, StopError> {
    let trusted = config.trusted()?;
    let state = config.state.as_path();
    let disk = |e: ledger::Error| StopError::Disk(state.to_owned(), e.to_string());
    ledger::disk::create_dir(state).map_err(disk)?;
    // As the follow that runs, or would, has them.
    learnt(state, &trusted)?;
    let file = opened(bytes, &trusted)?;
    if let Ok(_alone) = Lock::acquire(&state.join("lock"), "vigie edge stop", Wait::Fail) {
        Held::open(state, &trusted, &config.view)?.take(bytes, &trusted)?;
        return Ok(Brought { file, runs: false });
    }
    let held = Held::open(state, &trusted, &config.view)?;
    // Looked at here too, so that who brings it hears why it is not obeyed.
    held.would(&file, &trusted)?;
    write(&state.join(BROUGHT), bytes)?;
    let since = Instant::now();
    while read(&held.path)?.as_deref() != Some(bytes) {
        if since.elapsed() > PATIENCE {
            return Err(StopError::Silent);
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(Brought { file, runs: true })
}

/// The stops of a follow that runs.
#[derive(Clone)]
pub(super) struct Stops {
    trusted: Arc<Trusted>,
    shared: Arc<Shared>,
    brought: PathBuf,
    held: Arc<Mutex<Held>>,
}

impl Stops {
    /// Goes on from what was obeyed before, and obeys it from here on.
    pub(super) fn open(
        state: &Path,
        trusted: Arc<Trusted>,
        view: &str,
        shared: Arc<Shared>,
    ) -> Result<Self, StopError> {
        let held = Held::open(state, &trusted, view)?;
        let stops = Self {
            trusted,
            shared,
            brought: state.join(BROUGHT),
            held: Arc::new(Mutex::new(held)),
        };
        stops.obey();
        Ok(stops)
    }

    /// Has what is held do its work, and says so for as long as it stands.
    fn obey(&self) {
        let last = self.held.lock().unwrap_or_else(PoisonError::into_inner).obeyed.clone();
        self.shared.obey(last.halt());
        match (last.last(), last.halt()) {
            (Some(file), Some(halt)) => {
                let how = match halt {
                    Halt::Lifts => "all was let go of",
                    Halt::Releases => "nothing more is added",
                };
                let why = format!("stopped by the clearing house ({}): {how}", file.why);
                self.shared.raise("stop", "stopped", &why, true);
            }
            _ => self.shared.settle("stop"),
        }
    }

    fn take(&self, bytes: &[u8], from: &str) {
        self.take_first(&[bytes], from);
    }

    /// Takes the first of these words that is not refused for what it is itself: one that has expired, or is for
    /// others, hides no other. They stand with the latest first, and none is older than what is obeyed but by order.
    fn take_first(&self, words: &[&[u8]], from: &str) {
        let mut refused = None;
        for bytes in words {
            let taken = {
                let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                held.take(bytes, &self.trusted)
            };
            match taken {
                Ok(obeyed) => {
                    self.shared.settle(from);
                    if obeyed {
                        self.obey();
                    }
                    return;
                }
                // What is before it is no news either.
                Err(error @ StopError::NotObeyed(NotObeyed::Back)) => {
                    refused = refused.or(Some(error));
                    break;
                }
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        if let Some(error) = refused {
            self.shared.raise(from, error.word(), &error, true);
        }
    }

    /// Looks whether somebody brought one.
    pub(super) fn brought(&self) {
        const PLACE: &str = "stop brought here";
        match read(&self.brought) {
            Ok(None) => {}
            Ok(Some(bytes)) => {
                self.take(&bytes, PLACE);
                // Once: what was refused is told, and not looked at again.
                if let Err(error) = ledger::disk::remove(&self.brought) {
                    self.shared.raise(PLACE, "disk", &error, true);
                }
            }
            Err(error) => self.shared.raise(PLACE, error.word(), &error, true),
        }
    }

    /// Where a stop file stands in the one order of such words; `None` where it is not to be read.
    fn order(&self, bytes: &[u8]) -> Option<(u64, Moment)> {
        opened(bytes, &self.trusted).ok().map(|file| file.order())
    }

    /// Looks at one mirror, for ever: whether the feed's key was replaced, for a stop, and for a later epoch, with which
    /// `elsewhere` is told the mirror's place in the settings.
    pub(super) async fn look(
        self,
        mut mirror: Mirror,
        turns: Turns,
        first: Sender<()>,
        elsewhere: Elsewhere,
    ) {
        let place = format!("stop at {}", mirror.url);
        // One that is for all lies beside everybody's manifest, though this ISP has a view of its own.
        let own = self.held.lock().unwrap_or_else(PoisonError::into_inner).view.clone();
        let mut views = vec![own];
        if !views.iter().any(|view| view == ALL) {
            views.push(ALL.to_owned());
        }
        let (mut since, mut first): (Option<Instant>, _) = (None, Some(first));
        let mut later = Later::default();
        loop {
            // Before its stop: who signed that may count no more.
            if since.is_none_or(|since| since.elapsed() >= KEYS_EVERY) {
                turns.look(&mut mirror).await;
                since = Some(Instant::now());
                // Whoever waits for the first look hears of it by this end.
                drop(first.take());
            }
            let mut found = Vec::new();
            for view in &views {
                view.clone_into(&mut mirror.view);
                // That it does not answer is told of the manifest.
                let Ok(stop) = fetch::beside(&mut mirror, "stop", MAX_STOP).await else { continue };
                found.push(stop);
            }
            // Of two words the later one counts, in whichever order they are read.
            let mut words: Vec<&[u8]> = found.iter().flatten().map(Vec::as_slice).collect();
            words.sort_by_key(|bytes| std::cmp::Reverse(self.order(bytes)));
            if !words.is_empty() {
                self.take_first(&words, &place);
            } else if found.len() == views.len() {
                self.shared.settle(&place);
            }
            // In the pause, and no longer than that: the next look for a stop waits for no manifest.
            let looks = self.look_further(&mut mirror, &mut later, &elsewhere);
            let _ = tokio::join!(tokio::time::sleep(EVERY), tokio::time::timeout(EVERY, looks));
        }
    }

    /// Looks, where it is time to, whether a mirror that is not the one that is asked has a later epoch.
    async fn look_further(&self, mirror: &mut Mirror, later: &mut Later, elsewhere: &Elsewhere) {
        let now = clock::now();
        if self.shared.is_asked(&mirror.url) || !later.is_due(now) {
            return;
        }
        ALL.clone_into(&mut mirror.view);
        // What is wrong with it is told where it is followed.
        let Ok(Some(manifest)) = fetch::manifest(mirror, &self.trusted, Ask::Now).await else {
            return;
        };
        let (heard, wall) = (self.shared.epoch(), Moment(clock::wall().0));
        if later.hear(&manifest, heard, elsewhere.silence_ms, wall, now) {
            // Of as many mirrors as there are each may wait to be heard.
            let _ = elsewhere.goes.try_send(elsewhere.at);
        }
    }
}

/// Where a mirror is told of that has a later epoch than the one that is followed.
pub(super) struct Elsewhere {
    /// The mirror's place in the settings.
    pub(super) at: usize,
    /// The longest silence that the settings allow, in milliseconds.
    pub(super) silence_ms: u64,
    pub(super) goes: Sender<usize>,
}

/// What a file says, for people.
pub fn told(file: &StopFile) -> String {
    match file.act {
        Act::Stop { halt: Halt::Lifts, .. } => format!("everything is let go of: {}", file.why),
        Act::Stop { halt: Halt::Releases, .. } => format!("nothing more is added: {}", file.why),
        Act::Resume => format!("the feed is followed again: {}", file.why),
    }
}

#[cfg(test)]
mod tests;

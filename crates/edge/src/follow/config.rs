//! The settings of follow: a file in TOML.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use ledger::note::VerifierKey;
use ledger::{Policy, Trust};
use serde::Deserialize;
use shield::feed::{ALL, Whose};
use shield::order::words::Organisation;
use shield::wire::Bounds;
use shield::wire::keys::{FeedKeys, Turn};

use super::client::Mirror;
use crate::keep::{ConfigError, read_settings};
use crate::keeping::{MAX_SILENCE, MAX_VALUES};

/// The most mirrors.
pub const MAX_MIRRORS: usize = 16;
/// The most keys of the feed, and of the log: an old one and a new one, while one is replaced.
pub const MAX_KEYS: usize = 4;
/// The most witnesses.
pub const MAX_WITNESSES: usize = 64;
/// The longest key of a service, in bytes.
const MAX_KEY: u64 = 512;

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Which view of the feed is this ISP's: the short name that its service key is of, or `all`. While no ticket
    /// names this ISP there is no such view, and `all` is followed.
    #[serde(default = "view")]
    pub view: String,
    /// The folder of what is kept: the last place taken, and how it stands.
    pub state: PathBuf,
    /// The folder of keep's socket, `run` in its settings.
    pub keep: Option<PathBuf>,
    /// Only follows and counts: keep is told nothing.
    #[serde(default)]
    pub observe: bool,
    /// The longest silence of the feed, in seconds, whatever the feed says.
    #[serde(default = "silence")]
    pub silence_s: u64,
    /// Where the feed is to be had: each hands on the same files, and none has to be believed.
    #[serde(rename = "mirror", default)]
    pub mirrors: Vec<MirrorConfig>,
    /// Whose signatures count.
    pub trust: TrustConfig,
    /// The file itself, for what is wrong in it.
    #[serde(skip)]
    path: PathBuf,
}

/// One place where the feed is to be had.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MirrorConfig {
    /// What stands before `/VIEW/manifest`.
    pub url: String,
    /// The file of the service key that the clearing house gave. Only this mirror is shown it.
    pub key_file: Option<PathBuf>,
    /// Certificates (PEM) that its own has to lead to, in the place of those that the machine trusts.
    pub ca_file: Option<PathBuf>,
}

/// Whose signatures count, in the writing of C2SP signed-note verifier keys.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrustConfig {
    /// The feed's keys.
    pub feed: Vec<String>,
    /// The keys of the clearing house's log.
    pub log: Vec<String>,
    /// Witnesses whose cosignatures count.
    #[serde(default)]
    pub witnesses: Vec<String>,
    /// How many of them have to have cosigned what is added.
    #[serde(default)]
    pub quorum: usize,
}

/// Whose signatures count.
#[derive(Debug, Clone)]
pub struct Trusted {
    /// The feed's, all of one name: those that the settings name, until others are in their place.
    feed: Arc<RwLock<FeedKeys>>,
    /// The log's, each with the witnesses.
    pub log: Vec<Policy>,
}

impl Trusted {
    /// Those that the settings name.
    pub fn new(feed: Vec<VerifierKey>, log: Vec<Policy>) -> Self {
        Self { feed: Arc::new(RwLock::new(FeedKeys::new(feed))), log }
    }

    /// The feed's keys that count now.
    pub fn feed(&self) -> Vec<VerifierKey> {
        self.feed.read().unwrap_or_else(PoisonError::into_inner).now().to_vec()
    }

    /// What these would be, were they to follow replacements; `None`: the same.
    pub(super) fn turned(&self, turns: &[Turn]) -> Option<FeedKeys> {
        let mut keys = self.feed.read().unwrap_or_else(PoisonError::into_inner).clone();
        keys.follow(turns).then_some(keys)
    }

    /// Others count from here on.
    pub(super) fn turn(&self, keys: FeedKeys) {
        *self.feed.write().unwrap_or_else(PoisonError::into_inner) = keys;
    }
}

fn view() -> String {
    ALL.to_owned()
}
fn silence() -> u64 {
    Bounds::default().silence_ms / 1000
}

impl Config {
    /// Reads a file. Paths in it are beside it.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let mut config = Self::parse(&read_settings(path)?, path)?;
        let beside = path.parent().unwrap_or_else(|| Path::new("."));
        let place = |file: PathBuf| beside.join(file);
        config.state = beside.join(&config.state);
        config.keep = config.keep.map(place);
        for mirror in &mut config.mirrors {
            mirror.key_file = mirror.key_file.take().map(place);
            mirror.ca_file = mirror.ca_file.take().map(place);
        }
        Ok(config)
    }

    /// Reads the text of a file, and no other file.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let mut config: Self = toml::from_str(text).map_err(|e| ConfigError::Line {
            path: path.to_owned(),
            why: e.to_string().trim_end().to_owned(),
        })?;
        config.path = path.to_owned();
        config.check()?;
        config.trusted()?;
        Ok(config)
    }

    fn odd<T>(&self, key: &'static str, why: impl ToString) -> Result<T, ConfigError> {
        Err(ConfigError::Value { path: self.path.clone(), key, why: why.to_string() })
    }

    fn check(&self) -> Result<(), ConfigError> {
        let own = Organisation::new(&self.view).map(Whose::Isp);
        if self.view != ALL && own.as_ref().and_then(Whose::name) != Some(&self.view) {
            return self.odd(
                "view",
                "write `all`, or your organisation's short name, as the clearing house gave it",
            );
        }
        if self.keep.is_none() && !self.observe {
            return self.odd("keep", "name the folder of keep's socket, or set `observe = true`");
        }
        if !(1..=MAX_SILENCE / 1000).contains(&self.silence_s) {
            return self.odd("silence_s", format!("write between 1 and {}", MAX_SILENCE / 1000));
        }
        if self.mirrors.is_empty() || self.mirrors.len() > MAX_MIRRORS {
            return self.odd("mirror", format!("name between one and {MAX_MIRRORS}"));
        }
        for mirror in &self.mirrors {
            Mirror::check(&mirror.url).or_else(|e| self.odd("mirror", e))?;
        }
        Ok(())
    }

    /// Whose signatures count.
    ///
    /// # Errors
    /// A key that is none, or of another log than the feed's: [`ConfigError`].
    pub fn trusted(&self) -> Result<Trusted, ConfigError> {
        let TrustConfig { feed, log, witnesses, quorum } = &self.trust;
        let many = |keys: &Vec<String>| keys.is_empty() || keys.len() > MAX_KEYS;
        if many(feed) || many(log) || witnesses.len() > MAX_WITNESSES {
            let why = format!("one to {MAX_KEYS} keys each, {MAX_WITNESSES} witnesses at most");
            return self.odd("trust", why);
        }
        let keys: Result<Vec<_>, _> = feed.iter().map(|key| VerifierKey::parse(key)).collect();
        let keys = keys.or_else(|e| self.odd("trust.feed", e))?;
        let name = keys.first().map(|key| key.name().to_owned()).unwrap_or_default();
        if keys.iter().any(|key| key.name() != name) {
            return self
                .odd("trust.feed", "keys of two feeds: follow each by a process of its own");
        }
        let Some(origin) = name.strip_suffix("/feed") else {
            return self.odd("trust.feed", format!("{name:?} is no feed: its name ends in /feed"));
        };
        // One reader of such lines; a key with a line break in it would be two.
        let lines = |word: &str, keys: &[String]| -> String {
            keys.iter().map(|key| format!("{word} {}\n", key.replace(['\n', '#'], "?"))).collect()
        };
        let (log, witnesses) = (lines("log", log), lines("witness", witnesses));
        let trust = Trust::parse(&format!("{log}{witnesses}quorum {quorum}\n"));
        let log = trust.or_else(|e| self.odd("trust", e.what))?.policies(origin);
        if log.len() != self.trust.log.len() {
            let why = format!("a key of another log: the one of this feed is {origin:?}");
            return self.odd("trust.log", why);
        }
        Ok(Trusted::new(keys, log))
    }

    /// How much is taken of the feed. A flood is held by keep, where an operator lets it in.
    pub(super) fn bounds(&self) -> Bounds {
        let silence_ms = self.silence_s.saturating_mul(1000);
        Bounds { values: MAX_VALUES, per_minute: u64::MAX, silence_ms, ..Bounds::default() }
    }

    /// The mirrors, with their keys and certificates.
    pub(super) fn open_mirrors(&self) -> Result<Vec<Mirror>, ConfigError> {
        let open = |mirror: &MirrorConfig| {
            let key = mirror.key_file.as_deref().map(secret).transpose()?;
            let ca = mirror.ca_file.as_deref().map(read_settings).transpose()?;
            Mirror::new(&mirror.url, &self.view, key.as_deref(), ca.as_deref())
                .or_else(|e| self.odd("mirror", e))
        };
        self.mirrors.iter().map(open).collect()
    }
}

/// A key that only its owner can read.
fn secret(file: &Path) -> Result<String, ConfigError> {
    let failed = |why: String| ConfigError::Read { path: file.to_owned(), why };
    let meta = std::fs::metadata(file).map_err(|e| failed(e.to_string()))?;
    if meta.mode() & 0o077 != 0 {
        return Err(failed("others can read this key: chmod 600".to_owned()));
    }
    if meta.len() > MAX_KEY {
        return Err(failed("this is no service key: `vigie party key` prints one".to_owned()));
    }
    let key = read_settings(file)?.trim().to_owned();
    if key.is_empty() || !key.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(failed("this is no service key: `vigie party key` prints one".to_owned()));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ledger::SigningKey;

    fn fine() -> String {
        let key = |name: &str, seed| SigningKey::new(name, &[seed; 32]).unwrap().verifier().text();
        format!(
            "state = \"state\"\nkeep = \"run\"\n[[mirror]]\nurl = \"http://127.0.0.1:8485/feed\"\n\
             [trust]\nfeed = [\"{}\"]\nlog = [\"{}\"]\n",
            key("a.example/shield/feed", 1),
            key("a.example/shield", 2)
        )
    }

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("follow.toml")).map_err(|e| e.to_string())
    }

    #[test]
    fn what_is_not_said_is_safe() {
        let config = parse(&fine()).unwrap();
        assert_eq!((config.view.as_str(), config.silence_s), ("all", 900));
        let trusted = config.trusted().unwrap();
        assert_eq!((trusted.feed().len(), trusted.log.len(), trusted.log[0].quorum), (1, 1, 0));
        assert_eq!(config.bounds().silence_ms, 900_000);
    }

    #[test]
    fn what_cannot_be_is_refused_and_says_where() {
        for (from, to, says) in [
            ("keep = \"run\"\n", "", "observe"),
            ("state = ", "silense_s = 3\nstate = ", "silense_s"),
            ("state = ", "silence_s = 0\nstate = ", "silence_s"),
            ("state = ", "silence_s = 86401\nstate = ", "86400"),
            ("state = ", "view = \"../all\"\nstate = ", "view"),
            ("http://127.0.0.1:8485/feed", "http://192.0.2.1:8485/feed", "https://"),
            ("http://127.0.0.1:8485/feed", "ftp://127.0.0.1/feed", "https://"),
            ("http://127.0.0.1:8485/feed", "https://u:p@host.example/feed", "no address"),
            ("http://127.0.0.1:8485/feed", "https://host.example/feed?x=1", "no address"),
            ("[[mirror]]\nurl = \"http://127.0.0.1:8485/feed\"\n", "", "between one and 16"),
            ("a.example/shield/feed", "b.example/shield/feed", "trust.feed"),
            ("[trust]", "[trust]\nquorum = 1", "quorum of 1"),
            ("[trust]", "[trust]\nwitnesses = [\"w\"]", "trust"),
        ] {
            assert!(fine().contains(from), "{from}");
            let error = parse(&fine().replacen(from, to, 1)).unwrap_err();
            assert!(error.contains(says) && error.contains("follow.toml"), "{to}: {error}");
        }
        // The keys in one another's place; the log of another authority.
        let key = |name: &str| SigningKey::new(name, &[7; 32]).unwrap().verifier().text();
        let with = |feed: &str, log: &str| {
            let head = fine().split("feed = [").next().unwrap().to_owned();
            parse(&format!("{head}feed = [\"{}\"]\nlog = [\"{}\"]\n", key(feed), key(log)))
        };
        assert!(with("a.example/shield", "a.example/shield/feed").unwrap_err().contains("/feed"));
        let other = with("a.example/shield/feed", "b.example/shield").unwrap_err();
        assert!(other.contains("another log") && other.contains("a.example/shield"), "{other}");
        assert!(with("a.example/shield/feed", "a.example/shield").is_ok());
    }

    #[test]
    fn a_key_that_others_can_read_is_not_used() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("follow.key");
        ledger::disk::write(&file, b"vsk_1\n").unwrap();
        assert!(secret(&file).unwrap_err().to_string().contains("chmod 600"));
        ledger::disk::set_mode(&file, 0o600).unwrap();
        assert_eq!(secret(&file).unwrap(), "vsk_1");
        for bad in ["", "two words", "a\nb", "é", &"k".repeat(600)] {
            ledger::disk::write_with(
                &file,
                bad.as_bytes(),
                ledger::disk::Overwrite::Replace,
                0o600,
            )
            .unwrap();
            assert!(secret(&file).is_err(), "{bad:?}");
        }
    }
}

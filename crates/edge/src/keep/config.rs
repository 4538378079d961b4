//! The settings of keep: a file in TOML.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use serde::Deserialize;
use shield_dns::{Access, AccessError, Client, Layout, Timers};

use super::drivers::{BirdSettings, KnotSettings, Made, NftSettings, bird, knot, nft};
use super::{KeepError, Told};
use crate::keeping::{Addresses, Limits, MAX_SILENCE, MAX_VALUES, Protected, ProtectedError};

/// The longest file of settings, and of protected names, in bytes.
pub const MAX_FILE: usize = 32 << 20;
/// The most resolvers.
pub const MAX_RESOLVERS: usize = 64;
/// The longest suffix: with `cold-f.` before it and its own two octets more on the wire, the zone's
/// origin leaves room for every name that `shield` takes.
pub const MAX_SUFFIX: usize = shield::item::LONGEST_ORIGIN - "cold-f.".len() - 2;

/// What the zones' SOA says. A resolver on the same machine asks each second where it missed a notice,
/// and one that heeds the expiry (BIND does) opens all 30 s after keep is gone.
pub const TIMERS: Timers = Timers { refresh: 1, retry: 1, expire: 30, ttl: 5 };

/// Whether names are blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Frames are taken and counted; the zones stay empty.
    #[default]
    Observe,
    /// What is kept is blocked.
    Enforce,
}

/// The settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The folder of the socket: made, and closed to all others.
    pub run: PathBuf,
    /// Where resolvers take the zones: UDP and TCP, on loopback.
    pub listen: SocketAddr,
    /// Whether names are blocked.
    #[serde(default)]
    pub mode: Mode,
    /// Under which name the zones lie.
    #[serde(default = "suffix")]
    pub suffix: String,
    /// The resolvers on this machine: where each is told of changes. None only where a driver blocks.
    #[serde(default)]
    pub resolvers: Vec<SocketAddr>,
    /// The longest silence of the feed, in seconds, before all is opened.
    #[serde(default = "silence")]
    pub silence_s: u64,
    /// The names let in within a minute, beyond which an operator is asked.
    #[serde(default = "additions")]
    pub additions_a_minute: u64,
    /// The names let in before the first whole list.
    #[serde(default = "fill")]
    pub fill: u64,
    /// The most names.
    #[serde(default = "values")]
    pub values: usize,
    /// Names, addresses and networks that are never blocked here.
    #[serde(default)]
    pub protected: Vec<String>,
    /// A file of more, one a line; `#` begins a remark.
    pub protected_file: Option<PathBuf>,
    /// Addresses for documentation and benchmarks are taken too: on a practice range.
    #[serde(default)]
    pub practice: bool,
    /// Addresses in this machine's firewall.
    pub nft: Option<NftSettings>,
    /// Addresses as routes of a BIRD on this machine.
    pub bird: Option<BirdSettings>,
    /// Names for a Knot Resolver on this machine.
    pub knot: Option<KnotSettings>,
    /// The file itself, for what is wrong in it.
    #[serde(skip)]
    path: PathBuf,
}

fn suffix() -> String {
    "rpz.vigie.invalid".to_owned()
}
fn silence() -> u64 {
    Limits::default().silence_ms / 1000
}
fn additions() -> u64 {
    Limits::default().additions_a_minute
}
fn fill() -> u64 {
    Limits::default().fill
}
fn values() -> usize {
    MAX_VALUES
}

/// Why settings are not taken.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that cannot be read.
    #[error("{path} cannot be read: {why}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// No such settings; the text shows the line.
    #[error("{path}: {why}")]
    Line {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        why: String,
    },
    /// A setting that cannot be.
    #[error("{path}: {key}: {why}")]
    Value {
        /// The file.
        path: PathBuf,
        /// The setting.
        key: &'static str,
        /// What is wrong, and what to write.
        why: String,
    },
}

impl Config {
    /// Reads a file. Paths in it are beside it.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = read(path)?;
        let mut config: Self = toml::from_str(&text).map_err(|e| ConfigError::Line {
            path: path.to_owned(),
            why: e.to_string().trim_end().to_owned(),
        })?;
        let beside = path.parent().unwrap_or_else(|| Path::new("."));
        config.path = path.to_owned();
        config.run = beside.join(&config.run);
        if let Some(bird) = &mut config.bird {
            bird.beside(beside);
        }
        if let Some(knot) = &mut config.knot {
            knot.beside(beside);
        }
        config.protected_file = config.protected_file.map(|file| beside.join(file));
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let odd = |key, why: String| Err(ConfigError::Value { path: path.to_owned(), key, why });
        if !self.listen.ip().is_loopback() {
            let why = format!(
                "{} is not on loopback: resolvers take the zones on this machine alone",
                self.listen
            );
            return odd("listen", why);
        }
        let driver = self.nft.is_some() || self.bird.is_some() || self.knot.is_some();
        let least = usize::from(!driver);
        if !(least..=MAX_RESOLVERS).contains(&self.resolvers.len()) {
            let why = format!(
                "name between one and {MAX_RESOLVERS}; none only beside [nft], [bird] or [knot]"
            );
            return odd("resolvers", why);
        }
        if let Some(Err((key, why))) = self.nft.as_ref().map(NftSettings::check) {
            return odd(key, why);
        }
        if let Some(far) = self.resolvers.iter().find(|at| !at.ip().is_loopback()) {
            return odd("resolvers", format!("{far} is not on loopback: a keep for each machine"));
        }
        if let Some(at) = self.resolvers.iter().find(|at| at.is_ipv4() != self.listen.is_ipv4()) {
            return odd(
                "resolvers",
                format!("{at} cannot be told from {}: give both of one family", self.listen),
            );
        }
        if self.suffix.len() > MAX_SUFFIX {
            return odd("suffix", format!("write at most {MAX_SUFFIX} characters"));
        }
        if !(1..=MAX_SILENCE / 1000).contains(&self.silence_s) {
            return odd("silence_s", format!("write between 1 and {}", MAX_SILENCE / 1000));
        }
        if !(1..=MAX_VALUES).contains(&self.values) {
            return odd("values", format!("write between 1 and {MAX_VALUES}"));
        }
        Ok(())
    }

    /// What is allowed.
    pub fn limits(&self) -> Limits {
        Limits {
            silence_ms: self.silence_s.saturating_mul(1000),
            additions_a_minute: self.additions_a_minute,
            fill: self.fill,
            values: self.values,
            addresses: self.addresses(),
        }
    }

    fn addresses(&self) -> Addresses {
        match (self.nft.is_some() || self.bird.is_some(), self.practice) {
            (false, _) => Addresses::No,
            (true, false) => Addresses::Public,
            (true, true) => Addresses::Practice,
        }
    }

    /// Whoever blocks beside the zones.
    pub(super) fn drivers(&self, told: &Told) -> Result<Vec<Made>, KeepError> {
        // Where keep observes, nobody blocks.
        let mode = |own: Mode| if self.mode == Mode::Observe { Mode::Observe } else { own };
        let nft = self.nft.as_ref().map(|settings| {
            nft::made(settings, mode(settings.mode), self.practice, Arc::clone(told))
        });
        let bird = self.bird.as_ref();
        let bird = bird.map(|own| Ok(bird::made(own, mode(own.mode), Arc::clone(told))));
        let knot = self.knot.as_ref();
        let knot = knot.map(|own| Ok(knot::made(own, mode(own.mode), Arc::clone(told))));
        nft.into_iter().chain(bird).chain(knot).collect()
    }

    /// What is never blocked.
    ///
    /// # Errors
    /// The file cannot be read, or a rule is none: [`ConfigError`].
    pub fn protected(&self) -> Result<Protected, ConfigError> {
        let odd = |path: &Path, e: ProtectedError| ConfigError::Value {
            path: path.to_owned(),
            key: "protected",
            why: e.to_string(),
        };
        let own = Protected::new(&self.protected).map_err(|e| odd(&self.path, e))?;
        let Some(file) = &self.protected_file else { return Ok(own) };
        let text = read(file)?;
        let bare = |line: &str| line.split('#').next().unwrap_or_default().trim().to_owned();
        let mut rules: Vec<_> = text.lines().map(bare).filter(|line| !line.is_empty()).collect();
        rules.extend(self.protected.iter().cloned());
        Protected::new(&rules).map_err(|e| odd(file, e))
    }

    /// The zones' names and times.
    pub(super) fn layout(&self) -> Layout {
        Layout {
            suffix: self.suffix.clone(),
            contact: "hostmaster.invalid".to_owned(),
            timers: TIMERS,
            catalog: false,
        }
    }

    /// Who may take them: this machine.
    pub(super) fn access(&self) -> Result<Access, AccessError> {
        let loopback = ["127.0.0.0/8", "::1/128"];
        let addresses: Vec<IpNet> = loopback.iter().filter_map(|net| net.parse().ok()).collect();
        let (name, notify) = ("resolver".to_owned(), self.resolvers.clone());
        Access::new(vec![Client { name, addresses, notify, ..Client::default() }])
    }
}

/// A file of settings, of at most [`MAX_FILE`] bytes.
pub(crate) fn read(path: &Path) -> Result<String, ConfigError> {
    use std::io::Read;
    let failed = |why: &dyn std::fmt::Display| ConfigError::Read {
        path: path.to_owned(),
        why: why.to_string(),
    };
    let file = std::fs::File::open(path).map_err(|e| failed(&e))?;
    let mut text = String::new();
    let most = MAX_FILE as u64 + 1;
    file.take(most).read_to_string(&mut text).map_err(|e| failed(&e))?;
    if text.len() > MAX_FILE {
        return Err(failed(&format!("longer than {MAX_FILE} bytes")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keep.toml");
        ledger::disk::write(&path, text.as_bytes()).unwrap();
        Config::read(&path).map_err(|e| e.to_string())
    }

    const FINE: &str =
        "run = \"run\"\nlisten = \"127.0.0.1:5353\"\nresolvers = [\"127.0.0.1:53\"]\n";

    #[test]
    fn what_is_not_said_is_safe() {
        let config = read(FINE).unwrap();
        assert_eq!(config.mode, Mode::Observe);
        assert!(config.run.is_absolute() && config.protected().unwrap().is_empty());
        assert_eq!(config.limits().silence_ms, 600_000);
    }

    #[test]
    fn what_cannot_be_is_refused_and_says_where() {
        for (more, says) in [
            ("silense_s = 3\n", "line 4"),
            ("mode = \"block\"\n", "enforce"),
            ("suffix = \"a123456789.b123456789.c123456789.d123456789.e123456789.f\"\n", "55"),
            ("silence_s = 0\n", "silence_s"),
            ("silence_s = 86401\n", "86400"),
            ("values = 2000001\n", "2000000"),
        ] {
            let error = read(&format!("{FINE}{more}")).unwrap_err();
            assert!(error.contains(says) && error.contains("keep.toml"), "{error}");
        }
        for (from, to, says) in [
            ("127.0.0.1:5353", "0.0.0.0:5353", "loopback"),
            ("127.0.0.1:5353", "192.0.2.1:5353", "loopback"),
            ("127.0.0.1:53\"]", "198.51.100.1:53\"]", "loopback"),
            ("127.0.0.1:53\"]", "[::1]:53\"]", "one family"),
            ("\"127.0.0.1:53\"", "", "between one and"),
        ] {
            let error = read(&FINE.replace(from, to)).unwrap_err();
            assert!(error.contains(says), "{to}: {error}");
        }
        let bad = read(&format!("{FINE}protected = [\"a.example\", \"198.51.100.7/24\"]\n"));
        let bad = bad.unwrap().protected().unwrap_err().to_string();
        assert!(
            bad.contains("its network is 198.51.100.0/24") && bad.contains("keep.toml"),
            "{bad}"
        );
    }

    #[test]
    fn a_driver_only_observes_until_it_is_told_otherwise_and_says_what_is_wrong() {
        let folders = "[bird]\nfile = 'blocks.conf'\n[knot]\nfolder = 'knot'\n";
        let bare = FINE.replace("[\"127.0.0.1:53\"]", "[]");
        let config = read(&format!("{bare}mode = 'enforce'\n[nft]\n{folders}")).unwrap();
        let (nft, bird, knot) = (config.nft.unwrap(), config.bird.unwrap(), config.knot.unwrap());
        assert_eq!([nft.mode, bird.mode, knot.mode], [Mode::Observe; 3]);
        assert!(bird.file.is_absolute() && knot.folder.is_absolute() && !bird.flowspec);
        for (more, addresses) in [
            ("", Addresses::No),
            ("practice = true\n", Addresses::No),
            ("[nft]\n", Addresses::Public),
            ("[bird]\nfile = 'a'\n", Addresses::Public),
            ("practice = true\n[nft]\n", Addresses::Practice),
            ("[knot]\nfolder = 'a'\n", Addresses::No),
        ] {
            assert_eq!(
                read(&format!("{FINE}{more}")).unwrap().limits().addresses,
                addresses,
                "{more}"
            );
        }
        for (more, says) in [
            ("[nft]\ntable = 'a; flush ruleset'\n", "nft.table"),
            ("[nft]\nlease_s = 5\n", "nft.lease_s"),
            ("[nft]\nlease_s = 601\n", "600"),
            ("[nft]\nleese_s = 60\n", "line 5"),
            ("[bird]\n", "file"),
            ("[knot]\n", "folder"),
        ] {
            let error = read(&format!("{FINE}{more}")).unwrap_err();
            assert!(error.contains(says), "{more}: {error}");
        }
    }

    #[test]
    fn the_examples_of_the_documents_are_settings_that_only_observe() {
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/edge");
        let text = |name: &str| std::fs::read_to_string(docs.join(name)).unwrap();
        let all = ["keep", "keep-nft", "keep-bird", "keep-knot"];
        let all: String = all.map(|name| text(&format!("{name}.toml.example"))).concat();
        let config = read(&all).unwrap();
        assert!(config.mode == Mode::Observe && config.nft.is_some_and(|nft| nft.lease_s == 30));
        assert!(config.bird.is_some() && config.knot.is_some());
    }

    #[test]
    fn a_file_protects_too() {
        let dir = tempfile::tempdir().unwrap();
        let list = dir.path().join("names.txt");
        let path = dir.path().join("keep.toml");
        let more = "protected = ['a.example']\nprotected_file = 'names.txt'\n";
        ledger::disk::write(&path, format!("{FINE}{more}").as_bytes()).unwrap();
        let config = Config::read(&path).unwrap();
        assert!(config.protected().unwrap_err().to_string().contains("names.txt cannot be read"));
        ledger::disk::write(&list, b"# ours\n*.bank.example  # the bank\n\n").unwrap();
        assert_eq!(config.protected().unwrap().len(), 2);
        ledger::disk::write(&list, b"bank\n").unwrap();
        let error = config.protected().unwrap_err().to_string();
        assert!(error.contains("names.txt") && error.contains("\"bank\""), "{error}");
    }
}

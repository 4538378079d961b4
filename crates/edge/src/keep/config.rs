//! The settings of keep: a file in TOML.

#[cfg(test)]
mod tests;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ipnet::IpNet;
use serde::Deserialize;
use shield_dns::{Access, AccessError, Client, Layout, Timers};

use super::drivers::{BirdSettings, KnotSettings, Made, NftSettings, bird, knot, nft};
use super::{KeepError, Told};
use crate::keeping::{
    Addresses, Limits, MAX_SILENCE, MAX_VALUES, MAX_WHY, Protected, ProtectedError,
};

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
    /// Names, addresses and networks that are never blocked here; after `#` stands why.
    #[serde(default)]
    pub protected: Vec<String>,
    /// A file of more, one a line; a line that begins with `#` is a remark.
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

    /// Reads the same file anew.
    ///
    /// # Errors
    /// See [`ConfigError`].
    pub(super) fn again(&self) -> Result<Self, ConfigError> {
        Self::read(&self.path)
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
        let is_rule = |line: &str| !line.is_empty() && !line.starts_with('#');
        let lines = text.lines().map(|line| short(line.trim()));
        let mut rules: Vec<_> = lines.filter(|line| is_rule(line)).collect();
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

/// A line whose remark is cut to what a reason may be: no remark keeps keep from starting.
fn short(line: &str) -> String {
    let Some((rule, why)) = line.split_once('#') else { return line.to_owned() };
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let why: String = why.trim().chars().map(plain).take(MAX_WHY).collect();
    format!("{rule}#{why}")
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

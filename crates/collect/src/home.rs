//! What the probe keeps outside every case: its key, how fast it asked, and the refusals of the hour.
//!
//! ```text
//! HOME/probe/key        mode 0600: the probe's own key, made at first use; never an authority's
//! HOME/probe/pace       when requests left within the last minute, by host
//! HOME/probe/refused    refusals of hours that are not over yet
//! HOME/probe/lock       one process at a time
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use ledger::{Lock, OwnKey, SigningKey, VerifierKey, Wait, disk};

use crate::authorisation::Refusal;
use crate::pace::{MAX_TEXT, Pace};
use crate::pacing::Pacing;

const HOUR_MS: i64 = 3_600_000;

/// The probe's folder, in one hand.
#[derive(Debug)]
pub struct ProbeHome {
    dir: PathBuf,
    _lock: Lock,
}

fn dir(home: &Path) -> PathBuf {
    home.join("probe")
}

impl ProbeHome {
    /// Takes the probe in hand: another capture waits, or fails, until this one has ended.
    ///
    /// # Errors
    /// The disk; it is held.
    pub fn open(home: &Path, holder: &str, wait: Wait) -> ledger::Result<Self> {
        let dir = dir(home);
        disk::create_dir(&dir)?;
        let lock = Lock::acquire(&dir.join("lock"), holder, wait)?;
        Ok(Self { dir, _lock: lock })
    }

    /// The probe's key, which is made where there is none.
    ///
    /// # Errors
    /// The disk; a key that others can read; no passphrase, or a wrong one.
    pub fn key(&self) -> ledger::Result<SigningKey> {
        match OwnKey::read(&self.dir.join("key")) {
            Ok(key) => key.unlock(),
            Err(error) if error.is_missing() => self.make_key(),
            Err(error) => Err(error),
        }
    }

    /// What verifies what the probe signs; no passphrase is asked for.
    ///
    /// # Errors
    /// As [`ProbeHome::key`].
    pub fn verifier(&self) -> ledger::Result<VerifierKey> {
        match OwnKey::read(&self.dir.join("key")) {
            Ok(key) => Ok(key.verifier()),
            Err(error) if error.is_missing() => Ok(self.make_key()?.verifier()),
            Err(error) => Err(error),
        }
    }

    fn make_key(&self) -> ledger::Result<SigningKey> {
        let path = self.dir.join("key");
        let [seed, name] = [random()?, random()?];
        // A name of chance: a probe serves more than one authority, and says for none who it is.
        let name = format!("probe-{}", &model::id::hex(&name)[..8]);
        let key = SigningKey::new(&name, &seed)
            .map_err(|source| ledger::Error::Note { path: path.clone(), source })?;
        OwnKey::create(&path, key)?.unlock()
    }

    /// How fast hosts were asked, for all captures of this process: it is read once, and kept from there.
    ///
    /// # Errors
    /// The disk.
    pub fn pacing(&self) -> ledger::Result<Pacing> {
        let pace = Pace::parse(&self.text("pace")?);
        Ok(Pacing::new(self.dir.join("pace"), pace))
    }

    /// The refusals that no record counts yet.
    ///
    /// # Errors
    /// The disk.
    pub fn refused(&self) -> ledger::Result<Tally> {
        Ok(Tally::parse(&self.text("refused")?))
    }

    /// Keeps them.
    ///
    /// # Errors
    /// The disk.
    pub fn keep_refused(&self, tally: &Tally) -> ledger::Result<()> {
        disk::write(&self.dir.join("refused"), tally.to_string().as_bytes())
    }

    fn text(&self, name: &str) -> ledger::Result<String> {
        text_of(&self.dir.join(name))
    }
}

/// The refusals that no record counts yet, read without taking the probe in hand.
///
/// # Errors
/// The disk.
pub fn refused(home: &Path) -> ledger::Result<Tally> {
    Ok(Tally::parse(&text_of(&dir(home).join("refused"))?))
}

/// A small file's text; of one that is not there, none.
fn text_of(path: &Path) -> ledger::Result<String> {
    use std::io::Read;
    let failed = |source| ledger::Error::Disk { action: "read", path: path.to_owned(), source };
    let mut bytes = Vec::new();
    match std::fs::File::open(path) {
        Ok(file) => file.take(MAX_TEXT as u64).read_to_end(&mut bytes).map_err(failed)?,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(String::new()),
        Err(error) => return Err(failed(error)),
    };
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// 32 random bytes of the system's.
///
/// # Errors
/// The system has none.
pub fn random() -> ledger::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| ledger::Error::Disk {
        action: "take random bytes from",
        path: "/dev/urandom".into(),
        source: std::io::Error::other(e.to_string()),
    })?;
    Ok(bytes)
}

/// One line of a tally.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Counted {
    /// The origin of the case's log.
    pub origin: String,
    /// The record that granted the authorisation.
    pub granted: u64,
    /// When the hour began, in milliseconds since 1970.
    pub hour_ms: i64,
    /// The reason.
    pub refusal: Refusal,
}

/// Refusals, counted by case, authorisation, hour and reason: a record of each is written when its hour is
/// over, so that no more than one follows however often somebody asks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<Counted, u64>);

impl Tally {
    /// Reads what [`fmt::Display`] wrote; lines that are none are passed over.
    pub fn parse(text: &str) -> Self {
        let line = |line: &str| {
            let mut words = line.split(' ');
            let counted = Counted {
                origin: words.next()?.to_owned(),
                granted: words.next()?.parse().ok()?,
                hour_ms: words.next()?.parse().ok()?,
                refusal: Refusal::of(words.next()?)?,
            };
            Some((counted, words.next()?.parse().ok()?)).filter(|_| words.next().is_none())
        };
        Self(text.lines().filter_map(line).collect())
    }

    /// Counts refusals of now.
    pub fn add(&mut self, origin: &str, granted: u64, refusal: Refusal, now_ms: i64, times: u64) {
        let hour_ms = now_ms - now_ms.rem_euclid(HOUR_MS);
        let counted = Counted { origin: origin.to_owned(), granted, hour_ms, refusal };
        *self.0.entry(counted).or_default() += times;
    }

    /// What of a case is to be recorded: of hours that are over, or all of one authorisation that ends.
    pub fn due(&self, origin: &str, now_ms: i64, ended: Option<u64>) -> Vec<(Counted, u64)> {
        let due = |c: &Counted| {
            c.origin == origin && (c.hour_ms + HOUR_MS <= now_ms || ended == Some(c.granted))
        };
        self.0.iter().filter(|(c, _)| due(c)).map(|(c, n)| (c.clone(), *n)).collect()
    }

    /// Takes away what was recorded.
    pub fn drop(&mut self, recorded: &[(Counted, u64)]) {
        for (counted, _) in recorded {
            self.0.remove(counted);
        }
    }

    /// How many refusals of an authorisation wait to be recorded.
    pub fn waiting(&self, origin: &str, granted: u64) -> u64 {
        let of = self.0.iter().filter(|(c, _)| c.origin == origin && c.granted == granted);
        of.map(|(_, n)| n).sum()
    }
}

/// A line a count.
impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (Counted { origin, granted, hour_ms, refusal }, times) in &self.0 {
            writeln!(f, "{origin} {granted} {hour_ms} {} {times}", refusal.word())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_key_is_made_once_and_for_its_owner_alone() {
        let temp = tempfile::tempdir().unwrap();
        let home = ProbeHome::open(temp.path(), "test", Wait::Fail).unwrap();
        let key = home.key().unwrap();
        assert_eq!(home.key().unwrap().secret_text(), key.secret_text());
        assert_eq!(home.verifier().unwrap().text(), key.verifier().text());
        let path = temp.path().join("probe/key");
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        disk::set_mode(&path, 0o640).unwrap();
        assert!(home.key().is_err());
        assert!(ProbeHome::open(temp.path(), "another", Wait::Fail).is_err());
    }

    #[test]
    fn refusals_are_counted_by_the_hour() {
        let (mut tally, h) = (Tally::default(), HOUR_MS);
        tally.add("a/case/1", 3, Refusal::Host, h + 5, 2);
        tally.add("a/case/1", 3, Refusal::Host, 2 * h - 1, 1);
        tally.add("a/case/1", 3, Refusal::Rate, h, 1);
        tally.add("a/case/1", 3, Refusal::Host, 2 * h, 1);
        tally.add("a/case/2", 3, Refusal::Host, h, 7);
        assert_eq!(Tally::parse(&tally.to_string()), tally);
        assert_eq!(tally.waiting("a/case/1", 3), 5);
        assert_eq!(tally.due("a/case/1", 2 * h - 1, None), []);
        let due = tally.due("a/case/1", 2 * h, None);
        assert_eq!(due.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [3, 1]);
        tally.drop(&due);
        assert_eq!(tally.due("a/case/1", 2 * h, None), []);
        assert_eq!(tally.due("a/case/1", 2 * h, Some(3)).len(), 1);
        assert_eq!(tally.due("a/case/1", 2 * h, Some(4)), []);
        assert_eq!(Tally::parse("x\na 1 2 host\na 1 2 nope 3\na 1 2 host 3 4\n"), Tally::default());
    }
}

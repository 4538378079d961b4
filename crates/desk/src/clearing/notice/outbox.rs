//! Letters that wait, in the house's folder: `outbox/T-P-N.eml` is a message as it is sent, by whatever means, and
//! `outbox/T-P-N.json` beside it whom it goes to and what became of it. The second is written last, and removed first:
//! what stands without it is no letter.
//!
//! What was sent is sealed in the vault before it is gone from here, and then the machine is told: the log holds what
//! went out, and when silence began.

use std::path::{Path, PathBuf};

use ledger::disk;
use serde::{Deserialize, Serialize};
use shield::order::{ItemId, Moment};

use crate::{Error, Result};

/// The folder.
pub const FOLDER: &str = "outbox";
/// The most letters that wait. What is asked for beyond waits in the machine, and comes when there is room.
pub const MAX_LETTERS: usize = 10_000;
/// The longest letter, in bytes.
pub const MAX_LETTER: u64 = 64 << 10;
/// The most tries of one letter: with the waits between them about a day. Then it waits for a hand.
pub const MAX_TRIES: u32 = 32;
/// The longest time between two tries, in milliseconds.
const LONGEST_WAIT: u64 = 3_600_000;

/// A letter that waits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Waiting {
    /// The item.
    pub item: ItemId,
    /// Which of its letters, from 0.
    pub number: u16,
    /// What is blocked, or is to be.
    pub value: String,
    /// To whom; none where nobody is known: then there is no message beside it.
    pub to: Option<String>,
    /// When it was written.
    pub written: Moment,
    /// How often it was tried.
    pub tries: u32,
    /// Not before.
    pub next: Moment,
    /// Why the last try failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<String>,
    /// When the relay took it, of one of which the machine does not know yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Moment>,
}

impl Waiting {
    fn stem(&self) -> String {
        format!("{}-{}-{}", self.item.ticket(), self.item.place(), self.number)
    }

    /// Where its message stands.
    pub fn message(&self, dir: &Path) -> PathBuf {
        dir.join(FOLDER).join(self.stem() + ".eml")
    }

    /// The message's bytes.
    ///
    /// # Errors
    /// The disk; longer than any.
    pub fn bytes(&self, dir: &Path) -> Result<Vec<u8>> {
        use std::io::Read;
        let path = self.message(dir);
        let failed = |source| Error::Read { path: path.clone(), source };
        let mut bytes = Vec::new();
        let file = std::fs::File::open(&path).map_err(failed)?;
        file.take(MAX_LETTER + 1).read_to_end(&mut bytes).map_err(failed)?;
        if bytes.len() as u64 > MAX_LETTER {
            return Err(Error::Bound(format!("{} is longer than any letter", path.display())));
        }
        Ok(bytes)
    }

    /// Puts it into the outbox, its message first.
    ///
    /// # Errors
    /// The disk.
    pub fn put(&self, dir: &Path, message: Option<&[u8]>) -> Result<()> {
        disk::create_dir(&dir.join(FOLDER))?;
        if let Some(message) = message {
            disk::write(&self.message(dir), message)?;
        }
        let text = serde_json::to_vec(self).unwrap_or_default();
        Ok(disk::write(&self.message(dir).with_extension("json"), &text)?)
    }

    /// Takes it away.
    ///
    /// # Errors
    /// The disk.
    pub fn remove(&self, dir: &Path) -> Result<()> {
        disk::remove(&self.message(dir).with_extension("json"))?;
        Ok(disk::remove(&self.message(dir))?)
    }

    /// True where no relay tries it any more.
    pub fn is_given_up(&self) -> bool {
        self.tries >= MAX_TRIES
    }

    /// True where a relay has to take it by now, or the machine to be told that one did.
    pub fn is_due(&self, now: Moment) -> bool {
        let tried = self.next <= now && !self.is_given_up();
        self.to.is_some() && (self.sent.is_some() || tried)
    }

    /// The same after a try that failed: the next one comes later each time, an hour at the most.
    pub fn failed(self, why: &str, now: Moment) -> Self {
        let why: String = why.chars().filter(|c| !c.is_control()).take(400).collect();
        let wait = 15_000_u64.saturating_mul(1 << self.tries.min(16)).min(LONGEST_WAIT);
        let tries = self.tries.saturating_add(1);
        Self { tries, next: now.plus(wait), failed: Some(why), ..self }
    }
}

/// All that wait, by item; what cannot be read is passed over, and counted.
///
/// # Errors
/// The disk.
pub fn all(dir: &Path) -> Result<(Vec<Waiting>, usize)> {
    let folder = dir.join(FOLDER);
    let failed = |source| Error::Read { path: folder.clone(), source };
    let entries = match folder.read_dir() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), 0)),
        other => other.map_err(failed)?,
    };
    let (mut letters, mut odd) = (Vec::new(), 0);
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|of| of != "json") {
            continue;
        }
        let read = read(&path).filter(|bytes| bytes.len() as u64 <= MAX_LETTER);
        match read.and_then(|bytes| serde_json::from_slice::<Waiting>(&bytes).ok()) {
            Some(letter) => letters.push(letter),
            None => odd += 1,
        }
    }
    letters.sort_by_key(|letter| (letter.item, letter.number));
    Ok((letters, odd))
}

/// A file, up to one byte more than any is long.
fn read(path: &Path) -> Option<Vec<u8>> {
    use std::io::Read;
    let mut bytes = Vec::new();
    std::fs::File::open(path).ok()?.take(MAX_LETTER + 1).read_to_end(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use shield::order::TicketId;

    use super::*;

    fn letter() -> Waiting {
        Waiting {
            item: ItemId::new(TicketId(12), 3),
            number: 0,
            value: "tv.stream.example".into(),
            to: Some("abuse@host.example".into()),
            written: Moment(5),
            tries: 0,
            next: Moment(5),
            failed: None,
            sent: None,
        }
    }

    #[test]
    fn what_waits_is_there_after_a_restart_and_once_only() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(all(dir.path()).unwrap(), (Vec::new(), 0));
        letter().put(dir.path(), Some(b"To: x\r\n\r\nhello")).unwrap();
        letter().put(dir.path(), Some(b"To: x\r\n\r\nhello")).unwrap();
        assert_eq!(all(dir.path()).unwrap(), (vec![letter()], 0));
        assert_eq!(letter().bytes(dir.path()).unwrap(), b"To: x\r\n\r\nhello");
        // A message that was written, and its letter not yet: none.
        disk::write(&dir.path().join("outbox/1-0-0.eml"), b"x").unwrap();
        disk::write(&dir.path().join("outbox/2-0-0.json"), b"{}").unwrap();
        assert_eq!(all(dir.path()).unwrap(), (vec![letter()], 1));
        letter().remove(dir.path()).unwrap();
        assert_eq!(all(dir.path()).unwrap(), (Vec::new(), 1));
    }

    #[test]
    fn tries_come_later_each_time_and_an_hour_apart_at_the_most() {
        let (mut letter, mut waits) = (letter(), Vec::new());
        for _ in 0..40 {
            letter = letter.failed("refused\r\nby \u{1b}[2Jthem", Moment(0));
            waits.push(letter.next.0);
        }
        assert_eq!(waits[..3], [15_000, 30_000, 60_000]);
        assert_eq!(waits[39], 3_600_000);
        let day: i64 = waits[..MAX_TRIES as usize - 1].iter().sum();
        assert_eq!(day / 3_600_000, 24, "about a day");
        assert!(letter.is_given_up() && !letter.is_due(Moment(i64::MAX)));
        assert_eq!(letter.failed.as_deref(), Some("refusedby [2Jthem"));
    }
}

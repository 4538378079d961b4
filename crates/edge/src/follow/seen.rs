//! The last place of the feed that was taken, kept on disk: who begins anew takes nothing older.
//!
//! ```text
//! vigie/edge/seen/v1
//! feed authority.example/shield/feed
//! view all
//! epoch 3
//! session 9f86d081884c7d65
//! serial 1044
//! beat 88211
//! made 1780000000000
//! sha256 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
//! ```
//!
//! The last line is the digest of those above it. A file that is not what was written is never
//! guessed at: a follower that took it for none would take an old feed for the first one.

use std::path::{Path, PathBuf};

use model::Sha256Hex;
use shield::feed::{ALL, Place};
use shield::order::Moment;
use shield::wire::{Beat, Manifest};

/// The file's name in the state folder.
const FILE: &str = "seen";
/// The longest file, in bytes.
pub const MAX_SEEN: usize = 4 << 10;

const HEAD: &str = "vigie/edge/seen/v1";

/// Which manifest was taken last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The feed's origin, which is the name of its key.
    pub feed: String,
    /// The view.
    pub view: String,
    /// Where the feed was.
    pub place: Place,
    /// The manifest's beat, and when it was made.
    pub beat: Beat,
}

/// Why what stands there is not gone on from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SeenError {
    /// It cannot be read, or written.
    #[error("{0}: {1}")]
    Disk(PathBuf, String),
    /// Not what was written there.
    #[error(
        "{0} is damaged: nobody knows any more which feed would be an old one. See that the disk is \
         whole, and remove the file to begin with what the feed says now"
    )]
    Damaged(PathBuf),
    /// Of another feed, or another view.
    #[error("{0} is of {1}, view {2}: give each feed its own `state` folder, or remove the file")]
    Other(PathBuf, String, String),
}

impl Seen {
    /// What a manifest says.
    pub fn of(manifest: &Manifest) -> Self {
        Self {
            feed: manifest.origin.clone(),
            view: manifest.view.clone(),
            place: manifest.place,
            beat: manifest.beat,
        }
    }

    /// The file's one writing.
    pub fn text(&self) -> String {
        let Self { feed, view, place, beat } = self;
        let mut text = format!(
            "{HEAD}\nfeed {feed}\nview {view}\nepoch {}\nsession {:016x}\nserial {}\nbeat {}\nmade {}\n",
            place.epoch, place.session, place.serial, beat.number, beat.made.0
        );
        let digest = Sha256Hex::of(text.as_bytes());
        text.push_str(&format!("sha256 {digest}\n"));
        text
    }

    /// Reads that writing, and no other.
    pub fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let mut next = |word: &str| lines.next()?.strip_prefix(word);
        next(HEAD).filter(|rest| rest.is_empty())?;
        let (feed, view) = (next("feed ")?.to_owned(), next("view ")?.to_owned());
        let epoch = next("epoch ")?.parse().ok()?;
        let session = u64::from_str_radix(next("session ")?, 16).ok()?;
        let serial = next("serial ")?.parse().ok()?;
        let number = next("beat ")?.parse().ok()?;
        let made = Moment(next("made ")?.parse().ok()?);
        let (place, beat) = (Place { session, epoch, serial }, Beat { number, made });
        let seen = Self { feed, view, place, beat };
        // The digest, too: whatever differs from what would be written.
        (seen.text() == text).then_some(seen)
    }

    /// What stands in a state folder; none where nothing was taken yet. Of an ISP's own `view` it may be of
    /// everybody's, which is followed while there is no other: both have the same places and beats.
    ///
    /// # Errors
    /// See [`SeenError`].
    pub fn read(state: &Path, feed: &str, view: &str) -> Result<Option<Self>, SeenError> {
        let path = state.join(FILE);
        let bytes = match std::fs::metadata(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Ok(meta) if meta.len() > MAX_SEEN as u64 => return Err(SeenError::Damaged(path)),
            _ => std::fs::read(&path).map_err(|e| SeenError::Disk(path.clone(), e.to_string()))?,
        };
        let seen = std::str::from_utf8(&bytes).ok().and_then(Self::parse);
        let seen = seen.ok_or_else(|| SeenError::Damaged(path.clone()))?;
        if seen.feed != feed || (seen.view != view && seen.view != ALL) {
            return Err(SeenError::Other(path, seen.feed, seen.view));
        }
        Ok(Some(seen))
    }

    /// Writes it durably, in the place of the one before.
    ///
    /// # Errors
    /// The disk.
    pub fn write(&self, state: &Path) -> Result<(), SeenError> {
        let path = state.join(FILE);
        ledger::disk::write(&path, self.text().as_bytes())
            .map_err(|e| SeenError::Disk(path, e.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen() -> Seen {
        Seen {
            feed: "authority.example/shield/feed".to_owned(),
            view: "all".to_owned(),
            place: Place { session: 0x9f86, epoch: 3, serial: 1044 },
            beat: Beat { number: 88_211, made: Moment(1_780_000_000_000) },
        }
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let state = tempfile::tempdir().unwrap();
        let read = |feed: &str, view: &str| Seen::read(state.path(), feed, view);
        let feed = seen().feed;
        assert_eq!(read(&feed, "all"), Ok(None));
        seen().write(state.path()).unwrap();
        assert_eq!(read(&feed, "all"), Ok(Some(seen())));
        assert!(matches!(read("other.example/shield/feed", "all"), Err(SeenError::Other(..))));
        // What was taken of everybody's view is gone on from in an own one; of another's nothing is.
        assert_eq!(read(&feed, "isp-2"), Ok(Some(seen())));
        Seen { view: "isp-1".to_owned(), ..seen() }.write(state.path()).unwrap();
        assert!(read(&feed, "isp-1").is_ok_and(|seen| seen.is_some()));
        for other in ["isp-2", "all"] {
            assert!(matches!(read(&feed, other), Err(SeenError::Other(..))), "{other}");
        }
        seen().write(state.path()).unwrap();
        let text = seen().text();
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] ^= 1;
            ledger::disk::write(&state.path().join(FILE), &bytes).unwrap();
            assert!(matches!(read(&feed, "all"), Err(SeenError::Damaged(_))), "byte {at}");
            ledger::disk::write(&state.path().join(FILE), &text.as_bytes()[..at]).unwrap();
            assert!(matches!(read(&feed, "all"), Err(SeenError::Damaged(_))), "cut at {at}");
        }
        ledger::disk::write(&state.path().join(FILE), &vec![b'a'; MAX_SEEN + 1]).unwrap();
        assert!(matches!(read(&feed, "all"), Err(SeenError::Damaged(_))));
    }
}

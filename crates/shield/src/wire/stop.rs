//! A stop that was signed beforehand, and the word that ends it: what ISPs obey when the clearing house cannot be
//! reached. It lies in a safe until somebody puts it beside the manifest of any mirror, or into an ISP's hand.
//!
//! ```text
//! vigie stop v1
//! authority.example/shield/feed
//! act stop
//! view all
//! halt lifts
//! epoch 3
//! made 1780000000000
//! until 1795000000000
//! why the desk cannot be reached
//! ```
//!
//! A signed note (C2SP signed-note) by the feed's key, which whoever follows trusts already. It needs no key of its
//! own: who holds the feed's can open everything as it is, by a manifest of an empty list, and a stop does no more;
//! it blocks nothing. Its first line is no key's name, so that neither is taken for the other.
//!
//! Stops and resumptions have one order, by epoch and then by when they were made. A resumption is `act resume`,
//! without `halt` and `until`; it ends the stop that stands, and voids every one that was made before it. So what was
//! used once can be used no second time, and after a resumption new ones go into the safe.

use ledger::note::{Note, NoteError, SigningKey, VerifierKey};

use crate::order::{Halt, Moment};

/// The first line.
const FORMAT: &str = "vigie stop v1";
/// What stands on the second.
const ORIGIN: &str = "its origin";
/// The longest, in bytes.
pub const MAX_STOP: usize = 8 << 10;
/// The longest reason, in bytes.
pub const MAX_WHY: usize = 1_000;
/// The longest that one may lie in a safe, in milliseconds: 366 days.
pub const LONGEST: u64 = 366 * 24 * 3_600_000;

/// What it has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Act {
    /// Stop: nothing more goes into force, or all that is lets go.
    Stop {
        /// How much.
        halt: Halt,
        /// Until when it may be brought out. Once obeyed it stands until a resumption.
        until: Moment,
    },
    /// Go on.
    Resume,
}

/// A stop, or a resumption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StopFile {
    /// The feed's origin, which is the name of its key.
    pub origin: String,
    /// Whom it is for: `all`, or the view of one ISP.
    pub view: String,
    /// What it has done.
    pub act: Act,
    /// Of which epoch.
    pub epoch: u64,
    /// When it was made.
    pub made: Moment,
    /// Why, in one line.
    pub why: String,
}

/// Why a text is no stop file, or none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StopFileError {
    /// Longer than any.
    #[error("longer than {MAX_STOP} bytes")]
    TooLong,
    /// No note, or not signed by the feed's key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A line that does not say what it has to.
    #[error("line {0} does not say {1}")]
    Line(usize, &'static str),
}

/// Why a stop file that the feed's key signed is not obeyed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotObeyed {
    /// It is another ISP's.
    #[error("it is of the view {0:?}")]
    View(String),
    /// It may not be brought out any more.
    #[error("it could be brought out until {0} ms since 1970: it has expired")]
    Expired(i64),
    /// It lay longer than any may.
    #[error("it says that it may lie longer than a year")]
    Long,
    /// A later word was obeyed.
    #[error("a later word of the clearing house was obeyed: this one was played back")]
    Back,
    /// It is from a time that is to come.
    #[error("it is from the future: set the clock")]
    Future,
}

impl StopFile {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let Self { origin, view, act, epoch, made, why } = self;
        let head = format!("{FORMAT}\n{origin}\n");
        let tail = |until: String| format!("epoch {epoch}\nmade {}\n{until}why {why}\n", made.0);
        match act {
            Act::Stop { halt, until } => {
                let until = tail(format!("until {}\n", until.0));
                format!("{head}act stop\nview {view}\nhalt {}\n{until}", halt.word())
            }
            Act::Resume => format!("{head}act resume\nview {view}\n{}", tail(String::new())),
        }
    }

    /// Signs it; the key's name is the origin.
    pub fn sign(&self, key: &SigningKey) -> Note {
        key.note(self.text())
    }

    /// Reads one that the feed's key signed.
    ///
    /// # Errors
    /// Another key's; another writing.
    pub fn open(text: &str, key: &VerifierKey) -> Result<Self, StopFileError> {
        if text.len() > MAX_STOP {
            return Err(StopFileError::TooLong);
        }
        let note = Note::parse(text)?;
        key.open_note(&note)?;
        let read = Self::read(&note.text)?;
        if read.origin != key.name() {
            return Err(StopFileError::Line(2, "the name of the feed's key"));
        }
        Ok(read)
    }

    /// Reads the text; nobody's signature is looked at.
    ///
    /// # Errors
    /// Another writing than the one there is.
    pub fn read(text: &str) -> Result<Self, StopFileError> {
        let mut lines = (1..).zip(text.lines());
        let mut next = |word: &'static str| -> Result<&str, StopFileError> {
            let (at, line) = lines.next().ok_or(StopFileError::Line(0, word))?;
            let rest = if word == ORIGIN { Some(line) } else { line.strip_prefix(word) };
            rest.filter(|rest| !rest.is_empty() || word == FORMAT)
                .ok_or(StopFileError::Line(at, word))
        };
        next(FORMAT)?;
        let origin = next(ORIGIN)?.to_owned();
        let stops = match next("act ")? {
            "stop" => true,
            "resume" => false,
            _ => return Err(StopFileError::Line(3, "stop or resume")),
        };
        let view = next("view ")?.to_owned();
        let halt = match stops.then(|| next("halt ")).transpose()? {
            None => None,
            Some("releases") => Some(Halt::Releases),
            Some("lifts") => Some(Halt::Lifts),
            Some(_) => return Err(StopFileError::Line(5, "releases or lifts")),
        };
        let epoch = next("epoch ")?.parse().map_err(|_| StopFileError::Line(0, "an epoch"))?;
        let mut moment = |word| {
            let ms = next(word)?.parse().map_err(|_| StopFileError::Line(0, "a time"))?;
            Ok::<_, StopFileError>(Moment(ms))
        };
        let made = moment("made ")?;
        let until = stops.then(|| moment("until ")).transpose()?;
        let why = next("why ")?.to_owned();
        if why.len() > MAX_WHY || why.contains(char::is_control) {
            return Err(StopFileError::Line(0, "why, in one line"));
        }
        let act = match (halt, until) {
            (Some(halt), Some(until)) => Act::Stop { halt, until },
            _ => Act::Resume,
        };
        let read = Self { origin, view, act, epoch, made, why };
        // Numbers with a sign or zeros before them, lines behind the last: another writing.
        if read.text() != text {
            return Err(StopFileError::Line(0, "this in its one writing"));
        }
        Ok(read)
    }

    /// Where it stands in the one order that stops and resumptions have.
    pub fn order(&self) -> (u64, Moment) {
        (self.epoch, self.made)
    }
}

/// What an ISP obeys: the latest word that it was brought.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Obeyed(Option<StopFile>);

impl Obeyed {
    /// Goes on from what was obeyed before a restart, past its end too.
    pub fn resumed(file: StopFile) -> Self {
        Self(Some(file))
    }

    /// Takes a file that the feed's key signed; true where it changes anything.
    ///
    /// # Errors
    /// It is not obeyed, and changes nothing.
    pub fn take(
        &mut self,
        file: &StopFile,
        view: &str,
        wall: Moment,
        skew_ms: u64,
    ) -> Result<bool, NotObeyed> {
        if file.view != "all" && file.view != view {
            return Err(NotObeyed::View(file.view.clone()));
        }
        if self.0.as_ref() == Some(file) {
            return Ok(false);
        }
        if self.0.as_ref().is_some_and(|last| file.order() <= last.order()) {
            return Err(NotObeyed::Back);
        }
        if file.made > wall.plus(skew_ms) {
            return Err(NotObeyed::Future);
        }
        if let Act::Stop { until, .. } = file.act {
            if until.since(file.made) > LONGEST {
                return Err(NotObeyed::Long);
            }
            if until <= wall {
                return Err(NotObeyed::Expired(until.0));
            }
        }
        self.0 = Some(file.clone());
        Ok(true)
    }

    /// The last word, if there was any.
    pub fn last(&self) -> Option<&StopFile> {
        self.0.as_ref()
    }

    /// How far it is stopped.
    pub fn halt(&self) -> Option<Halt> {
        match self.0.as_ref()?.act {
            Act::Stop { halt, .. } => Some(halt),
            Act::Resume => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Moment = Moment(1_780_000_000_000);

    fn key(name: &str) -> SigningKey {
        SigningKey::new(name, &[7; 32]).unwrap()
    }

    fn stop(made: i64) -> StopFile {
        StopFile {
            origin: "authority.example/shield/feed".into(),
            view: "all".into(),
            act: Act::Stop { halt: Halt::Lifts, until: NOW.plus(3_600_000) },
            epoch: 3,
            made: Moment(NOW.0 + made),
            why: "the desk cannot be reached".into(),
        }
    }

    fn resume(made: i64) -> StopFile {
        StopFile { act: Act::Resume, ..stop(made) }
    }

    #[test]
    fn it_has_one_writing_and_one_signer() {
        let own = key("authority.example/shield/feed");
        assert_eq!(
            stop(0).text(),
            "vigie stop v1\nauthority.example/shield/feed\nact stop\nview all\nhalt lifts\nepoch 3\n\
             made 1780000000000\nuntil 1780003600000\nwhy the desk cannot be reached\n"
        );
        for file in [stop(0), resume(1), StopFile { view: "isp-1".into(), ..stop(2) }] {
            let text = file.sign(&own).to_string();
            assert_eq!(StopFile::open(&text, &own.verifier()), Ok(file.clone()));
            assert_eq!(StopFile::read(&file.text()), Ok(file.clone()));
            // Truncated anywhere, or changed in any byte, it is none.
            for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
                assert!(StopFile::open(&text[..cut], &own.verifier()).is_err(), "{cut}");
            }
            let signed = text.find("\n\n").unwrap();
            for at in 0..signed {
                let mut other = text.clone().into_bytes();
                other[at] ^= 1;
                let other = String::from_utf8(other).unwrap();
                assert!(StopFile::open(&other, &own.verifier()).is_err(), "{other}");
            }
            // Another authority's, and another key's in the same name.
            let another = key("another.example/shield/feed");
            assert!(StopFile::open(&text, &another.verifier()).is_err());
            let thief = SigningKey::new(own.name(), &[8; 32]).unwrap();
            assert!(StopFile::open(&file.sign(&thief).to_string(), &own.verifier()).is_err());
            // Signed by a key of ours, in the name of another feed.
            let theirs = StopFile { origin: "another.example/shield/feed".into(), ..file };
            assert!(StopFile::open(&own.note(theirs.text()).to_string(), &own.verifier()).is_err());
        }
        let long = StopFile { why: "x".repeat(MAX_STOP), ..stop(0) };
        let long = StopFile::open(&long.sign(&own).to_string(), &own.verifier());
        assert_eq!(long, Err(StopFileError::TooLong));
        for (from, to) in [
            ("epoch 3", "epoch 03"),
            ("epoch 3", "epoch +3"),
            ("halt lifts", "halt all"),
            ("act stop", "act Stop"),
            ("until 1780003600000\n", ""),
            ("why the", "why \u{1b}[2Jthe"),
            ("reached\n", "reached\nmore\n"),
            ("reached\n", "reached"),
        ] {
            let text = stop(0).text();
            assert!(text.contains(from));
            assert!(StopFile::read(&text.replace(from, to)).is_err(), "{to}");
        }
        // Neither is ever read as a manifest.
        let text = stop(0).sign(&own).to_string();
        assert!(crate::wire::Manifest::open(&text, &own.verifier()).is_err());
    }

    #[test]
    fn the_latest_word_counts_and_nothing_is_played_back() {
        let mut obeyed = Obeyed::default();
        let mut take = |file: &StopFile, wall: Moment| {
            let came = obeyed.take(file, "isp-1", wall, 5_000);
            (came, obeyed.halt())
        };
        let lifts = Some(Halt::Lifts);
        assert_eq!(take(&stop(-10), NOW), (Ok(true), lifts));
        assert_eq!(take(&stop(-10), NOW), (Ok(false), lifts));
        // It stands past its end, and the second one of the safe says nothing more.
        assert_eq!(take(&stop(-10), NOW.plus(7_200_000)), (Ok(false), lifts));
        assert_eq!(take(&stop(-20), NOW), (Err(NotObeyed::Back), lifts));
        assert_eq!(take(&resume(-11), NOW), (Err(NotObeyed::Back), lifts));
        assert_eq!(take(&resume(1), NOW), (Ok(true), None));
        for made in [-20, -10, 1] {
            assert_eq!(take(&stop(made), NOW), (Err(NotObeyed::Back), None));
        }
        // An earlier epoch's is older, whenever it was made.
        let old = StopFile { epoch: 2, ..stop(3) };
        assert_eq!(take(&old, NOW), (Err(NotObeyed::Back), None));
        let halts = |made| {
            let until = NOW.plus(3_600_000);
            StopFile { act: Act::Stop { halt: Halt::Releases, until }, ..stop(made) }
        };
        assert_eq!(take(&halts(2), NOW), (Ok(true), Some(Halt::Releases)));
        assert_eq!(take(&stop(4), NOW), (Ok(true), lifts));
        assert_eq!(take(&resume(9_000), NOW), (Err(NotObeyed::Future), lifts));
    }

    #[test]
    fn what_expired_lies_too_long_or_is_another_s_is_not_obeyed() {
        let mut obeyed = Obeyed::default();
        let mut take = |file: &StopFile, wall| obeyed.take(file, "isp-1", wall, 5_000);
        let late = NOW.plus(3_600_000);
        assert_eq!(take(&stop(0), late), Err(NotObeyed::Expired(late.0)));
        let act = Act::Stop { halt: Halt::Lifts, until: NOW.plus(LONGEST + 1) };
        assert_eq!(take(&StopFile { act, ..stop(0) }, NOW), Err(NotObeyed::Long));
        let other = StopFile { view: "isp-2".into(), ..stop(0) };
        assert_eq!(take(&other, NOW), Err(NotObeyed::View("isp-2".into())));
        let own = StopFile { view: "isp-1".into(), ..stop(0) };
        assert_eq!(take(&own, NOW), Ok(true));
        assert_eq!(Obeyed::resumed(own.clone()).halt(), Some(Halt::Lifts));
        assert_eq!(Obeyed::resumed(own.clone()).last(), Some(&own));
    }
}

//! The manifest: a signed note (C2SP signed-note) by the feed's own key. A heartbeat is a manifest that says
//! the same at a later time.
//!
//! ```text
//! authority.example/shield/feed
//! view all
//! epoch 3
//! session 9f86d081884c7d65
//! serial 1044
//! beat 88211
//! made 1780000000000
//! every 1000
//! silence 900000
//! count 20411
//! apart 2d711642b726b04401627ca9fbac32f5
//! snapshot 1000 1999104 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
//! delta 1000 1044 20130 fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9
//! ```
//!
//! `apart` stands in everybody's view alone: once for each ISP that has a view of its own, as a digest of its name
//! ([`Apart`]). So an ISP that is handed everybody's view knows whether it is still its own, whoever hands it on.

use std::fmt;
use std::str::FromStr;

use ledger::note::{Note, NoteError, SigningKey, VerifierKey};
use model::Sha256Hex;
use sha2::{Digest, Sha256};

use crate::feed::{ALL, Place};
use crate::order::Moment;

/// The most deltas that a manifest names.
pub const MAX_DELTAS: usize = 256;
/// The longest manifest, in bytes.
pub const MAX_MANIFEST: usize = 64 << 10;

/// The most ISPs that have a view of their own.
pub const MAX_APART: usize = 512;

/// That an ISP has a view of its own, told to nobody who does not know its name: the first 16 bytes of
/// SHA-256(`"vigie/apart/v1"` ‖ 0x00 ‖ epoch, u64 ‖ session, u64 ‖ the view's name).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Apart([u8; 16]);

impl Apart {
    /// Of a view's name, where the feed is.
    pub fn of(place: Place, view: &str) -> Self {
        let mut hash = Sha256::new();
        hash.update(b"vigie/apart/v1\0");
        hash.update(place.epoch.to_be_bytes());
        hash.update(place.session.to_be_bytes());
        hash.update(view.as_bytes());
        let mut first = [0; 16];
        first.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
        Self(first)
    }
}

impl fmt::Display for Apart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl FromStr for Apart {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let number = u128::from_str_radix(text, 16).map_err(drop)?;
        let read = Self(number.to_be_bytes());
        if read.to_string() == text { Ok(read) } else { Err(()) }
    }
}

/// What a manifest says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The feed's origin, which is the name of its key: `<authority>/shield/feed`.
    pub origin: String,
    /// Whose: `all`, or an ISP's short name.
    pub view: String,
    /// Where the feed is.
    pub place: Place,
    /// When it was made.
    pub beat: Beat,
    /// The next is made so many milliseconds later at the latest.
    pub every_ms: u64,
    /// Who hears nothing for so long lets go of all.
    pub silence_ms: u64,
    /// How many blocks are out at this serial.
    pub count: u64,
    /// In everybody's view: which ISPs have one of their own, in order, each once.
    pub apart: Vec<Apart>,
    /// The snapshot to begin with.
    pub snapshot: Option<FileName>,
    /// What leads on, in the order of where they lead from, and then to. Where one ends another begins, or the feed
    /// is: from wherever one begins they lead to the serial.
    pub deltas: Vec<FileName>,
}

/// Which manifest of an epoch it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Beat {
    /// Counts on within an epoch.
    pub number: u64,
    /// When it was made.
    pub made: Moment,
}

/// A file, by its content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName {
    /// Where it leads from; `None`: a snapshot.
    pub from: Option<u64>,
    /// The serial it leads to.
    pub to: u64,
    /// Its bytes.
    pub bytes: u64,
    /// SHA-256 of them; it is found under this.
    pub hash: Sha256Hex,
}

/// Why a text is no manifest, or none of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// Longer than any.
    #[error("longer than {MAX_MANIFEST} bytes")]
    TooLong,
    /// No note, or not signed by the feed's key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A line that does not say what it has to.
    #[error("line {0} does not say {1}")]
    Line(usize, &'static str),
    /// Deltas that do not lead from the snapshot to the serial.
    #[error("its files do not lead to its serial")]
    Gap,
}

impl Manifest {
    /// The text that is signed.
    pub fn text(&self) -> String {
        let Self { origin, view, place, beat, every_ms, silence_ms, count, .. } = self;
        let mut text = format!(
            "{origin}\nview {view}\nepoch {}\nsession {:016x}\nserial {}\nbeat {}\nmade {}\nevery {every_ms}\n\
             silence {silence_ms}\ncount {count}\n",
            place.epoch, place.session, place.serial, beat.number, beat.made.0
        );
        for apart in &self.apart {
            text.push_str(&format!("apart {apart}\n"));
        }
        for file in self.snapshot.iter().chain(&self.deltas) {
            text.push_str(&file.to_string());
            text.push('\n');
        }
        text
    }

    /// Signs it; the key's name is the origin.
    pub fn sign(&self, key: &SigningKey) -> Note {
        key.note(self.text())
    }

    /// Reads one that the feed's key signed.
    ///
    /// # Errors
    /// Another key's; another writing; files that lead nowhere.
    pub fn open(text: &str, key: &VerifierKey) -> Result<Self, ManifestError> {
        if text.len() > MAX_MANIFEST {
            return Err(ManifestError::TooLong);
        }
        let note = Note::parse(text)?;
        key.open_note(&note)?;
        let read = Self::read(&note.text)?;
        if read.origin != key.name() {
            return Err(ManifestError::Line(1, "the name of the feed's key"));
        }
        Ok(read)
    }

    /// Reads the text; nobody's signature is looked at.
    ///
    /// # Errors
    /// Another writing; files that lead nowhere.
    pub fn read(text: &str) -> Result<Self, ManifestError> {
        let mut lines = (1..).zip(text.lines());
        let mut next = |word: &'static str| -> Result<&str, ManifestError> {
            let (at, line) = lines.next().ok_or(ManifestError::Line(0, word))?;
            let rest = if word == "its origin" { Some(line) } else { line.strip_prefix(word) };
            rest.filter(|rest| !rest.is_empty()).ok_or(ManifestError::Line(at, word))
        };
        let origin = next("its origin")?.to_owned();
        let view = next("view ")?.to_owned();
        let mut number = |word| number(next(word)?).ok_or(ManifestError::Line(0, word));
        let epoch = number("epoch ")?;
        let session = next("session ")?;
        let session =
            u64::from_str_radix(session, 16).map_err(|_| ManifestError::Line(4, "session "))?;
        let mut number =
            |word| crate::wire::manifest::number(next(word)?).ok_or(ManifestError::Line(0, word));
        let (serial, beat) = (number("serial ")?, number("beat ")?);
        let made = i64::try_from(number("made ")?).map_err(|_| ManifestError::Line(7, "made "))?;
        let (every_ms, silence_ms, count) =
            (number("every ")?, number("silence ")?, number("count ")?);
        let (mut apart, mut files) = (Vec::new(), Vec::new());
        for (at, line) in lines {
            if let Some(of) = line.strip_prefix("apart ") {
                let of: Apart = of.parse().map_err(|()| ManifestError::Line(at, "apart "))?;
                if view != ALL || apart.len() >= MAX_APART || apart.last() >= Some(&of) {
                    return Err(ManifestError::Line(at, "apart, once each and in order"));
                }
                apart.push(of);
                continue;
            }
            if files.len() > MAX_DELTAS {
                return Err(ManifestError::TooLong);
            }
            files.push(line.parse::<FileName>().map_err(|()| ManifestError::Line(at, "a file"))?);
        }
        let snapshot = files.first().filter(|file| file.from.is_none()).cloned();
        let deltas = files.split_off(usize::from(snapshot.is_some()).min(files.len()));
        let place = Place { session, epoch, serial };
        let beat = Beat { number: beat, made: Moment(made) };
        let read = Self {
            origin,
            view,
            place,
            beat,
            every_ms,
            silence_ms,
            count,
            apart,
            snapshot,
            deltas,
        };
        if read.text() != text {
            return Err(ManifestError::Line(0, "this in its one writing"));
        }
        read.leads_on()?;
        Ok(read)
    }

    /// True where it is everybody's, and the ISP whose view has this name is to follow that instead.
    pub fn sets_apart(&self, view: &str) -> bool {
        self.apart.binary_search(&Apart::of(self.place, view)).is_ok()
    }

    /// The files that lead from a serial to the manifest's own, each as far as one does: one file over a thousand
    /// steps is taken in place of a thousand. `None` where none begins there.
    pub fn path_from(&self, serial: u64) -> Option<Vec<&FileName>> {
        let (mut at, mut path) = (serial, Vec::new());
        while at != self.place.serial {
            // Of those that begin at one serial the last leads furthest; each leads on, so this ends.
            let end = self.deltas.partition_point(|file| file.from <= Some(at));
            let file = self.deltas.get(end.checked_sub(1)?)?;
            if file.from != Some(at) || file.to <= at {
                return None;
            }
            at = file.to;
            path.push(file);
        }
        Some(path)
    }

    /// Each file leads on, in one order, and from the end of each others lead to the serial.
    fn leads_on(&self) -> Result<(), ManifestError> {
        let all_lead_on =
            self.deltas.iter().all(|file| file.from.is_some_and(|from| from < file.to));
        let in_order = self.deltas.is_sorted_by(|a, b| (a.from, a.to) < (b.from, b.to));
        let begins =
            |at: u64| self.deltas.binary_search_by(|file| file.from.cmp(&Some(at))).is_ok();
        let files = self.snapshot.iter().chain(&self.deltas);
        let mut ends = files.map(|file| file.to);
        let serial = self.place.serial;
        if all_lead_on && in_order && ends.all(|at| at == serial || begins(at)) {
            Ok(())
        } else {
            Err(ManifestError::Gap)
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to, bytes, hash } = self;
        match from {
            Some(from) => write!(f, "delta {from} {to} {bytes} {hash}"),
            None => write!(f, "snapshot {to} {bytes} {hash}"),
        }
    }
}

impl FromStr for FileName {
    type Err = ();

    fn from_str(line: &str) -> Result<Self, ()> {
        let words: Vec<&str> = line.split(' ').collect();
        let (from, to, bytes, hash) = match words.as_slice() {
            ["snapshot", to, bytes, hash] => (None, to, bytes, hash),
            ["delta", from, to, bytes, hash] => (Some(number(from).ok_or(())?), to, bytes, hash),
            _ => return Err(()),
        };
        let (to, bytes) = (number(to).ok_or(())?, number(bytes).ok_or(())?);
        Ok(Self { from, to, bytes, hash: hash.parse().map_err(drop)? })
    }
}

/// A number in its plain writing.
fn number(text: &str) -> Option<u64> {
    let n: u64 = text.parse().ok()?;
    (n.to_string() == text).then_some(n)
}

//! Witnesses of the authority's logs: who is asked, what they said, and what it shows.
//!
//! Who is asked stands in the authority's own log (`witness.named`, `witness.dropped`). What they
//! cosigned is kept beside the log it is of; it is no record, and who has the witnesses' keys checks
//! it. The authority's own log is asked for first: with the births of its cases cosigned, none can
//! be thrown away and begun anew unseen.

mod policy;
mod standing;

use std::path::{Path, PathBuf};

use ledger::witness::{Asking, Next, Split};
use ledger::{Checkpoint, Home, Keys, MAX_CONSISTENCY, Note, Reader, VerifierKey, WitnessKey};
use model::Sha256Hex;

use crate::prove::Which;
use crate::{Error, Result, outside};

use policy::authority;
pub use policy::{MAX_WITNESSES, Named, Policy, drop, list, name, policy, require};
pub(crate) use standing::contradicted;
pub use standing::{Required, Standing, standing};

/// What a witness came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Cosigned at this time, in seconds since the epoch, with so many entries.
    Cosigned {
        /// Entries of the checkpoint.
        size: u64,
        /// When.
        time: u64,
    },
    /// What the witness keeps of the log contradicts this copy: one of them is not the log, or the
    /// log has two histories. The file shows both checkpoints.
    Contradicts(Box<Split>),
    /// What the witness keeps is this log, at an earlier size, and in it.
    GoesOn {
        /// Entries that the witness has cosigned.
        size: u64,
    },
    /// The witness has never cosigned this log.
    Never,
    /// It said no.
    Refused(String),
    /// It said nothing.
    NoAnswer(String),
}

/// Makes the key of this home's own witness, which cosigns the logs of others.
///
/// # Errors
/// A key that is there already; a name that none can have; the disk.
pub fn init(home: &Path, name: &str) -> Result<WitnessKey> {
    Ok(ledger::witness::WitnessHome::new(home).init(name, &vault::random()?)?.witness())
}

/// A log whose witnesses are asked.
pub(crate) struct Log {
    pub(crate) dir: PathBuf,
    pub(crate) reader: Reader,
    checkpoint: Note,
    pub(crate) size: u64,
    /// The log's own.
    pub(crate) keys: Keys,
    /// The key that its authority has now: an older copy of the log may not tell of it.
    present: VerifierKey,
    pub(crate) witnesses: Vec<Named>,
}

impl Log {
    pub(crate) fn open(home: &Path, which: Which<'_>) -> Result<Self> {
        let (dir, reader) = crate::prove::open(which)?;
        let text = reader.published().ok_or(ledger::Error::NoEntry(0))?;
        let damaged = |e: ledger::note::NoteError| Error::Asked(format!("its checkpoint: {e}"));
        let checkpoint = Note::parse(text).map_err(damaged)?;
        let of = Checkpoint::of_text(&checkpoint.text).map_err(damaged)?;
        let name = vault::authority_of(&of.origin);
        let witnesses = list(home, Some(name))?;
        let authority = authority(&Home::new(home), Some(name))?;
        let keys = vault::keys_of(&reader, &of.origin, &authority)?;
        let present = authority.verifier(&of.origin)?;
        Ok(Self { dir, reader, checkpoint, size: of.size, keys, present, witnesses })
    }

    fn origin_hash(&self) -> String {
        let origin = self.checkpoint.text.lines().next().unwrap_or("");
        Sha256Hex::of(origin.as_bytes()).to_string()
    }

    /// What this copy has of a witness, as far as it is known here.
    fn believed(&self, key: &WitnessKey) -> Result<u64> {
        let (kept, _) = ledger::witnessed(&self.dir)?;
        let by = kept.iter().filter(|note| matches!(key.cosigned(note), Ok(Some(_))));
        let sizes = by.filter_map(|note| Checkpoint::of_text(&note.text).ok()).map(|c| c.size);
        Ok(sizes.filter(|size| *size <= self.size).max().unwrap_or(0))
    }

    fn ask(&self, named: &Named) -> Result<Outcome> {
        let (outcome, note) = self.asked(named)?;
        note.map_or(Ok(()), |note| self.keep(&note))?;
        Ok(outcome)
    }

    /// Keeps a checkpoint that a witness cosigned. One at a time: what is there is read and joined.
    pub(crate) fn keep(&self, note: &Note) -> Result<()> {
        Ok(ledger::keep_witnessed(&self.dir, note)?)
    }

    /// Asks a witness to cosign the checkpoint; where it does, that with its cosignature, not kept yet.
    pub(crate) fn asked(&self, named: &Named) -> Result<(Outcome, Option<Note>)> {
        let old = self.believed(&named.key)?;
        let mut asking = Asking::new(named.key.clone(), self.checkpoint.clone(), self.size, old);
        let mut next = asking.first();
        loop {
            match next {
                Next::Send(old) => {
                    let body = self.reader.prove_since(old)?.to_string();
                    let url = format!("{}/add-checkpoint", named.url);
                    let sent = outside::exchange(&url, "text/plain", body.as_bytes(), ANSWER);
                    next = match sent {
                        Ok((status, body)) => {
                            asking.answer(status, &String::from_utf8_lossy(&body))
                        }
                        Err(e) => return Ok((Outcome::NoAnswer(e.to_string()), None)),
                    };
                }
                Next::Cosigned(signature, time) => {
                    let mut note = self.checkpoint.clone();
                    note.signatures.push(signature);
                    return Ok((Outcome::Cosigned { size: self.size, time }, Some(note)));
                }
                Next::Ahead(_) | Next::Inconsistent => return Ok((self.compare(named)?, None)),
                Next::Refused(why) => return Ok((Outcome::Refused(why), None)),
            }
        }
    }

    /// Holds what the witness keeps of this log against this copy.
    fn compare(&self, named: &Named) -> Result<Outcome> {
        let url = format!("{}/{}/checkpoint", named.url, self.origin_hash());
        let (status, body) = match outside::look(&url, MAX_CONSISTENCY) {
            Ok(answer) => answer,
            Err(e) => return Ok(Outcome::NoAnswer(e.to_string())),
        };
        let refused = |why: String| Ok(Outcome::Refused(why));
        match status {
            200 => {}
            404 => return Ok(Outcome::Never),
            other => return refused(format!("it answers with status {other}")),
        }
        let Ok(theirs) = Note::parse(&String::from_utf8_lossy(&body)) else {
            return refused("what it keeps of this log is no checkpoint".to_owned());
        };
        // Only what the log itself signed can speak against it.
        if let Err(e) = self.keys.open_among(&theirs)
            && self.present.open_among(&theirs).is_err()
        {
            return refused(format!("what it keeps of this log: {e}"));
        }
        Ok(match self.reader.compare(&theirs)? {
            Some(split) => {
                // Verifying this copy must not forget it. One on a disk that is mounted read-only is
                // asked about all the same.
                match ledger::keep_contradicting(&self.dir, &theirs) {
                    Err(e) if !e.is_closed() => return Err(e.into()),
                    _ => {}
                }
                Outcome::Contradicts(Box::new(split))
            }
            None => {
                let size = Checkpoint::of_text(&theirs.text).map_or(0, |c| c.size);
                Outcome::GoesOn { size }
            }
        })
    }
}

/// The longest answer: signature lines.
const ANSWER: usize = 16 << 10;

/// Asks every witness of the log's authority to cosign its published checkpoint, and keeps what they
/// cosigned.
///
/// # Errors
/// No such log, or damage; what a witness says is no error.
pub fn ask(home: &Path, which: Which<'_>) -> Result<Vec<(Named, Outcome)>> {
    let log = Log::open(home, which)?;
    log.witnesses.iter().map(|named| Ok((named.clone(), log.ask(named)?))).collect()
}

/// Holds what every witness keeps of a log against this copy of it.
///
/// # Errors
/// As [`ask`].
pub fn compare(home: &Path, which: Which<'_>) -> Result<Vec<(Named, Outcome)>> {
    let log = Log::open(home, which)?;
    log.witnesses.iter().map(|named| Ok((named.clone(), log.compare(named)?))).collect()
}

//! Witnesses (C2SP tlog-witness): somebody else, who cosigns a log's checkpoint only if it goes on
//! from all that he cosigned before. What is here is pure: requests, the state kept, and the time
//! come in, answers go out; who serves keeps what [`Witness::add_checkpoint`] gives, durably, before
//! he answers.

mod ask;
mod split;
mod store;

pub(crate) use ask::compare;
pub use ask::{Asking, Next};
pub use split::{MAX_SPLIT, Shown, Split};
pub use store::{MAX_LOGS, WitnessHome, WitnessStore};

use crate::consistency::Consistency;
use crate::note::{Checkpoint, CosignerKey, Note, NoteError, Signature};
use crate::proof::ProofError;
use crate::tree::root;
use crate::trust::Trust;

/// Why a witness does not cosign. Each has its status of HTTP.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 400: no request.
    #[error("not a request to cosign: {0}")]
    Malformed(String),
    /// 400: the older size is the greater one.
    #[error("the old size {old} is above the checkpoint's {size}")]
    Backwards {
        /// The older size.
        old: u64,
        /// The checkpoint's.
        size: u64,
    },
    /// 403: no signature by a key that this witness knows for the log, or one that does not fit.
    #[error("{0}")]
    Signature(NoteError),
    /// 404: this witness does not cosign that log.
    #[error("this witness does not know the log {0:?}")]
    Unknown(String),
    /// 409: the latest that this witness cosigned has another size.
    #[error("the latest cosigned checkpoint has {0} entries")]
    Conflict(u64),
    /// 422: the checkpoint does not go on from the latest cosigned one by this proof.
    #[error("{why}")]
    Inconsistent {
        /// What does not hold.
        why: String,
        /// Both checkpoints as the log signed them, where there were two.
        accusation: Option<Box<Split>>,
    },
}

impl Refusal {
    /// The status of HTTP that the protocol gives it.
    pub fn status(&self) -> u16 {
        match self {
            Self::Malformed(_) | Self::Backwards { .. } => 400,
            Self::Signature(_) => 403,
            Self::Unknown(_) => 404,
            Self::Conflict(_) => 409,
            Self::Inconsistent { .. } => 422,
        }
    }
}

/// What a witness says to a checkpoint that it takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    /// The checkpoint with the log's signatures that were verified and the witness's own: what must
    /// be kept, durably, before the answer goes out.
    pub latest: Note,
    /// The answer.
    pub signature: Signature,
}

/// Somebody who cosigns: a key of his own, and the logs whose keys he knows.
#[derive(Debug, Clone)]
pub struct Witness {
    cosigner: CosignerKey,
    logs: Trust,
}

impl Witness {
    /// A witness for the logs and authorities that a trust file names.
    pub fn new(cosigner: CosignerKey, logs: Trust) -> Self {
        Self { cosigner, logs }
    }

    /// The key that others verify with.
    pub fn key(&self) -> crate::WitnessKey {
        self.cosigner.witness()
    }

    /// Judges a request. `latest` gives what was kept of a log by its origin, if anything was; from
    /// asking it to keeping the answer nothing else may be kept of that log. `now` is in seconds
    /// since the epoch.
    ///
    /// # Errors
    /// The refusal; or that `latest` failed, which is the outer error.
    pub fn add_checkpoint<E>(
        &self,
        body: &str,
        now: u64,
        latest: impl FnOnce(&str) -> Result<Option<Note>, E>,
    ) -> Result<Result<Cosigned, Refusal>, E> {
        let (asked, new) = match self.known(body) {
            Ok(known) => known,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let latest = latest(&new.origin)?;
        Ok(self.judge(&asked, &new, latest, now))
    }

    /// The request, where it is one, of a log that is known, signed by it. The note is left with
    /// the signatures that were verified.
    fn known(&self, body: &str) -> Result<(Consistency, Checkpoint), Refusal> {
        let malformed = |e: ProofError| Refusal::Malformed(e.to_string());
        let mut asked = Consistency::parse(body).map_err(malformed)?;
        let new = Checkpoint::of_text(&asked.checkpoint.text)
            .map_err(|e| Refusal::Malformed(e.to_string()))?;
        let signers = self.logs.signers(&new.origin);
        if signers.is_empty() {
            return Err(Refusal::Unknown(new.origin));
        }
        let (mut kept, mut why) = (Vec::new(), NoteError::OtherKey);
        for (key, until) in &signers {
            match (key.open_among(&asked.checkpoint), until) {
                (Ok(_), Some(until)) if new.size > *until => {
                    why = NoteError::Replaced { until: *until };
                }
                (Ok(_), _) => kept.extend(key.signatures_of(&asked.checkpoint).cloned()),
                (Err(NoteError::OtherKey), _) => {}
                (Err(other), _) => return Err(Refusal::Signature(other)),
            }
        }
        if kept.is_empty() {
            return Err(Refusal::Signature(why));
        }
        asked.checkpoint.signatures = kept;
        Ok((asked, new))
    }

    fn judge(
        &self,
        asked: &Consistency,
        new: &Checkpoint,
        latest: Option<Note>,
        now: u64,
    ) -> Result<Cosigned, Refusal> {
        // A key that was replaced signs nothing newer, whoever has it now.
        let newest = latest.as_ref().and_then(|note| self.newest(&new.origin, note));
        if newest > self.newest(&new.origin, &asked.checkpoint) {
            let until = latest.as_ref().and_then(|note| Checkpoint::of_text(&note.text).ok());
            let until = until.map_or(0, |latest| latest.size);
            return Err(Refusal::Signature(NoteError::Replaced { until }));
        }
        if asked.old > new.size {
            return Err(Refusal::Backwards { old: asked.old, size: new.size });
        }
        let inconsistent = |why: String, accusation| Refusal::Inconsistent { why, accusation };
        let before = match &latest {
            None => Checkpoint { origin: new.origin.clone(), size: 0, root: root(&[]) },
            // What was kept was cosigned: it is a checkpoint.
            Some(note) => Checkpoint::of_text(&note.text).map_err(Refusal::Signature)?,
        };
        if asked.old != before.size {
            return Err(Refusal::Conflict(before.size));
        }
        if new.size == 0 && new.root != root(&[]) {
            let why = "a log of no entries has the root of nothing".to_owned();
            return Err(inconsistent(why, None));
        }
        if let Err(e) = asked.check(&before) {
            let accusation = latest.filter(|_| before.size > 0).map(|latest| {
                let latest = Note { signatures: self.of_log(&latest), ..latest };
                Box::new(Split::accusing(latest, asked.checkpoint.clone()))
            });
            return Err(inconsistent(e.to_string(), accusation));
        }
        let signature = self.cosigner.cosign(&asked.checkpoint.text, now);
        let mut latest = asked.checkpoint.clone();
        latest.signatures.push(signature.clone());
        Ok(Cosigned { latest, signature })
    }

    /// Which of the log's keys, in the order of the file, is the last one that signed a note.
    fn newest(&self, origin: &str, note: &Note) -> Option<usize> {
        let signers = self.logs.signers(origin);
        signers.iter().rposition(|(key, _)| key.signatures_of(note).next().is_some())
    }

    /// The signatures of a kept note that are not this witness's.
    fn of_log(&self, note: &Note) -> Vec<Signature> {
        let (name, id) = (self.key().name().to_owned(), self.key().id());
        note.signatures.iter().filter(|s| s.name != name || s.id != id).cloned().collect()
    }
}

#[cfg(test)]
mod tests;

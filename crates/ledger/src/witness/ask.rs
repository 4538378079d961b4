//! Asking a witness: what is sent, and what an answer means. No network is touched here.

use crate::note::{Note, Signature, WitnessKey};
use crate::witness::Split;

/// How often a request is made again that met another size than expected.
const TRIES: u32 = 4;

/// A log's question to one witness, under way.
#[derive(Debug, Clone)]
pub struct Asking {
    key: WitnessKey,
    checkpoint: Note,
    size: u64,
    old: u64,
    tries: u32,
}

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send the proof that the checkpoint goes on from this size, with the checkpoint: the body of
    /// `add-checkpoint`, as [`crate::Consistency`] writes it.
    Send(u64),
    /// Cosigned: the signature fits, and this is its time in seconds since the epoch.
    Cosigned(Signature, u64),
    /// The witness has cosigned more than this log has: this log is an older copy, or another.
    /// Compare with the checkpoint that the witness keeps.
    Ahead(u64),
    /// The witness has cosigned what this log does not go on from. Compare with the checkpoint that
    /// the witness keeps: a [`Split`] may come of it.
    Inconsistent,
    /// No.
    Refused(String),
}

impl Asking {
    /// Begins: `checkpoint` is the log's, of `size` entries; `old` is what the witness is believed
    /// to have cosigned last (0 where nothing is known).
    pub fn new(key: WitnessKey, checkpoint: Note, size: u64, old: u64) -> Self {
        Self { key, checkpoint, size, old: old.min(size), tries: 0 }
    }

    /// Entries of the checkpoint.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The first request.
    pub fn first(&self) -> Next {
        Next::Send(self.old)
    }

    /// Takes in an answer: the status of HTTP and the body.
    pub fn answer(&mut self, status: u16, body: &str) -> Next {
        let refused = |why: &str| Next::Refused(format!("{why}: {}", short(body)));
        match status {
            200 => self.cosigned(body),
            409 => {
                let line = body.strip_suffix('\n').unwrap_or(body);
                let Some(size) = line.parse::<u64>().ok().filter(|n| n.to_string() == line) else {
                    return refused("it told of a conflict, and no size");
                };
                self.tries += 1;
                if size > self.size {
                    Next::Ahead(size)
                } else if self.tries >= TRIES || size == self.old {
                    Next::Refused(format!("it does not hold still: its size is {size} now"))
                } else {
                    self.old = size;
                    Next::Send(size)
                }
            }
            404 => Next::Refused("it does not know this log".to_owned()),
            403 => refused("it does not take the signature"),
            422 => Next::Inconsistent,
            other => refused(&format!("it answered with status {other}")),
        }
    }

    fn cosigned(&self, body: &str) -> Next {
        let note = format!("{}\n{body}", self.checkpoint.text);
        let Ok(note) = Note::parse(&note) else {
            return Next::Refused("its answer is no signature".to_owned());
        };
        let latest = note
            .signatures
            .iter()
            .filter_map(|signature| {
                let one = Note { text: note.text.clone(), signatures: vec![signature.clone()] };
                let time = self.key.cosigned(&one).ok()??;
                Some((signature.clone(), time))
            })
            .max_by_key(|(_, time)| *time);
        match latest {
            Some((signature, time)) => Next::Cosigned(signature, time),
            None => Next::Refused(format!("its answer is not signed by {}", self.key.name())),
        }
    }
}

/// The beginning of what somebody else wrote, in one line.
fn short(body: &str) -> String {
    body.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
}

/// Compares a log's own tree with a checkpoint that somebody else has of it. `own` is the log's
/// checkpoint of `size` entries, `other` theirs of another size or root; `beginning` gives the root
/// that the log's tree has at a smaller size and the proof of it.
///
/// # Errors
/// What reading the tree gives.
pub(crate) fn compare<E>(
    own: &Note,
    (size, root): (u64, crate::tree::Hash),
    other: &Note,
    theirs: &crate::Checkpoint,
    beginning: impl FnOnce(u64) -> Result<(crate::tree::Hash, Vec<crate::tree::Hash>), E>,
) -> Result<Option<Split>, E> {
    if theirs.size > size {
        // Who has the greater tree must show what it began with.
        return Ok(Some(Split::accusing(own.clone(), other.clone())));
    }
    if theirs.size == size {
        let differ = theirs.root != root;
        return Ok(differ.then(|| Split::accusing(other.clone(), own.clone())));
    }
    let (was, hashes) = beginning(theirs.size)?;
    let differ = was != theirs.root;
    Ok(differ.then(|| Split::proving(other.clone(), own.clone(), was, hashes)))
}

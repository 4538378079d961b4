//! The keys of one log over its life. What replaced a key, and why, is written in the log and not
//! known here; what is known is up to which size each key counts.
//!
//! The rule: every checkpoint has exactly one key that may sign it. A former key's last size is that
//! of the log when it was replaced; whatever is greater only its successor signs. So a former key that
//! is stolen signs nothing newer.

use crate::note::{Checkpoint, Note, NoteError, VerifierKey};

/// A key that was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Former {
    /// The key.
    pub key: VerifierKey,
    /// It counts for checkpoints of so many entries at most.
    pub until: u64,
}

/// The keys of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// In the order in which they were replaced.
    former: Vec<Former>,
    now: VerifierKey,
}

impl From<VerifierKey> for Keys {
    fn from(now: VerifierKey) -> Self {
        Self { former: Vec::new(), now }
    }
}

impl Keys {
    /// The keys that were replaced, the first one first, and the one that signs now.
    pub fn new(former: Vec<Former>, now: VerifierKey) -> Self {
        Self { former, now }
    }

    /// The key that signs now.
    pub fn now(&self) -> &VerifierKey {
        &self.now
    }

    /// The key that the log began with.
    pub fn first(&self) -> &VerifierKey {
        self.former.first().map_or(&self.now, |former| &former.key)
    }

    /// Those that were replaced.
    pub fn former(&self) -> &[Former] {
        &self.former
    }

    /// The one key that signs checkpoints of that size.
    pub fn at(&self, size: u64) -> &VerifierKey {
        let former = self.former.iter().find(|former| size <= former.until);
        former.map_or(&self.now, |former| &former.key)
    }

    /// As [`VerifierKey::open`], by the key that counts at the checkpoint's size.
    ///
    /// # Errors
    /// As [`VerifierKey::open`]; a key of this log that does not count at that size.
    pub fn open(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let size = Checkpoint::parse_unverified(note)?.size;
        self.at(size).open(note).map_err(|e| self.whose(e, size, |key| key.open(note).is_ok()))
    }

    /// As [`VerifierKey::open_among`], by the key that counts at the checkpoint's size.
    ///
    /// # Errors
    /// As [`VerifierKey::open_among`]; a key of this log that does not count at that size.
    pub fn open_among(&self, note: &Note) -> Result<Checkpoint, NoteError> {
        let size = Checkpoint::of_text(&note.text)?.size;
        let opened = self.at(size).open_among(note);
        opened.map_err(|e| self.whose(e, size, |key| key.open_among(note).is_ok()))
    }

    /// As [`VerifierKey::open`], by any key that ever was this log's. For what was verified when it was
    /// kept: of which size a later key counts is told by records that an older copy of the log lacks.
    ///
    /// # Errors
    /// As [`VerifierKey::open`].
    pub fn open_kept(&self, note: &str) -> Result<Checkpoint, NoteError> {
        let former = self.former.iter().find_map(|former| former.key.open(note).ok());
        former.map_or_else(|| self.now.open(note), Ok)
    }

    /// Says of another key's signature whose it is, where it is one of this log's.
    fn whose(&self, e: NoteError, size: u64, fits: impl Fn(&VerifierKey) -> bool) -> NoteError {
        if e != NoteError::OtherKey {
            return e;
        }
        let replaced = self.former.iter().find(|f| f.until < size && fits(&f.key));
        if let Some(former) = replaced {
            return NoteError::Replaced { until: former.until };
        }
        let later = self.former.iter().map(|f| &f.key).chain([&self.now]).any(fits);
        if later { NoteError::NotYet } else { e }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SigningKey;

    #[test]
    fn each_key_counts_up_to_its_size_and_no_further() {
        let keys: Vec<SigningKey> =
            (1..=3).map(|n| SigningKey::new("o", &[n; 32]).unwrap()).collect();
        let of = |n: usize| keys[n].verifier();
        let former = |n: usize, until| Former { key: of(n), until };
        let log = Keys::new(vec![former(0, 3), former(1, 7)], of(2));
        assert_eq!((log.first(), log.now()), (&of(0), &of(2)));
        let replaced = |until| Err(NoteError::Replaced { until });
        for size in 0..12 {
            let told = |n: usize| {
                let note = keys[n].sign(size, &[1; 32]);
                let opened = log.open(&note).map(|c| c.size);
                assert_eq!(opened, log.open_among(&Note::parse(&note).unwrap()).map(|c| c.size));
                opened
            };
            let expected = match size {
                0..=3 => [Ok(size), Err(NoteError::NotYet), Err(NoteError::NotYet)],
                4..=7 => [replaced(3), Ok(size), Err(NoteError::NotYet)],
                _ => [replaced(3), replaced(7), Ok(size)],
            };
            assert_eq!([told(0), told(1), told(2)], expected, "{size}");
        }
        for key in &keys {
            assert_eq!(log.open_kept(&key.sign(9, &[1; 32])).map(|c| c.size), Ok(9));
        }
        let stranger = SigningKey::new("o", &[9; 32]).unwrap();
        assert_eq!(log.open_kept(&stranger.sign(9, &[1; 32])), Err(NoteError::OtherKey));
        assert_eq!(log.open(&stranger.sign(9, &[1; 32])), Err(NoteError::OtherKey));
        // A signature of a former key under the present one's name and id fits nothing.
        let forged = keys[0].sign(9, &[1; 32]);
        let mut note = Note::parse(&forged).unwrap();
        note.signatures[0].id = of(2).id();
        assert_eq!(log.open(&note.to_string()), Err(NoteError::Signature));
    }
}

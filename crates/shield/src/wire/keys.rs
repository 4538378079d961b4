//! That the feed's key was replaced, as whoever follows learns it without a hand: a file beside everybody's manifest.
//!
//! ```text
//! {"feed":"vigie/feed-keys/v1"}
//! {"proof":"c2sp.org/tlog-proof@v1\nextra …\nindex 5112\n…"}
//! ```
//!
//! A line a replacement, in the order of the log: the proof (C2SP tlog-proof, the record in `extra`) that a record
//! `shield.feed_key` stands there, under a checkpoint as whoever follows asks for one. In the record is a statement
//! that both keys signed. So the feed's key alone hands nothing on, since it writes no record; nor does the log's,
//! since the one that is replaced has to sign.

use std::collections::BTreeMap;

use ledger::note::{Note, NoteError, SigningKey, VerifierKey};
use ledger::{Policy, Proof, ProofError, tree};
use model::canonical::{Canon, CanonError};
use model::record::{Record, RecordError};

/// The longest file, in bytes.
pub const MAX_KEYS: usize = 256 << 10;
/// The most replacements that it tells of: the newest.
pub const MAX_TURNS: usize = 32;
/// The record's kind.
pub const KIND: &str = "shield.feed_key";
const FIRST: &str = "vigie/feed-keys/v1";
/// The first line of what both keys sign.
const STATEMENT: &str = "vigie feed-key v1";

/// The feed's key was replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Turn {
    /// The record that says so.
    pub record: u64,
    /// The key that counts no more.
    pub old: VerifierKey,
    /// The one that does.
    pub new: VerifierKey,
}

/// Why a file tells of no replacement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TurnError {
    /// Longer than any.
    #[error("longer than {MAX_KEYS} bytes, or more than {MAX_TURNS} lines")]
    TooLong,
    /// A line that is not what comes there.
    #[error("line {0} is none of such a file")]
    Line(usize),
    /// Not canonical JSON.
    #[error(transparent)]
    Json(#[from] CanonError),
    /// A record that is none.
    #[error("its record: {0}")]
    Record(#[from] RecordError),
    /// A record that is not in the log, or not under a checkpoint that counts.
    #[error("its record is not proven: {0}")]
    Proof(#[from] ProofError),
    /// A statement that is not signed by both keys.
    #[error("its statement: {0}")]
    Note(#[from] NoteError),
    /// A record that replaces no key of a feed by another of it.
    #[error("its record replaces no key by another of the same feed")]
    Odd,
}

fn text(old: &VerifierKey, new: &VerifierKey) -> String {
    format!("{STATEMENT}\n{}\n{}\n", old.text(), new.text())
}

/// The statement that a key is replaced, signed by both: a signed note.
pub fn statement(old: &SigningKey, new: &SigningKey) -> String {
    let text = text(&old.verifier(), &new.verifier());
    let mut note = old.note(text.clone());
    note.signatures.append(&mut new.note(text).signatures);
    note.to_string()
}

impl Turn {
    /// Of what a record says.
    ///
    /// # Errors
    /// See [`TurnError`].
    pub fn read(record: u64, old: &str, new: &str, statement: &str) -> Result<Self, TurnError> {
        let (old, new) = (VerifierKey::parse(old)?, VerifierKey::parse(new)?);
        let note = Note::parse(statement)?;
        if old.name() != new.name() || old == new || note.text != text(&old, &new) {
            return Err(TurnError::Odd);
        }
        old.open_note(&note)?;
        new.open_note(&note)?;
        Ok(Self { record, old, new })
    }

    fn of_entry(index: u64, entry: &[u8]) -> Result<Self, TurnError> {
        let record = Record::parse(entry)?;
        if record.kind != KIND {
            return Err(TurnError::Odd);
        }
        let field = |name| record.public.get(name).and_then(Canon::as_text).ok_or(TurnError::Odd);
        Self::read(index, field("old")?, field("new")?, field("statement")?)
    }
}

/// The file.
///
/// # Errors
/// A proof that JSON cannot hold.
pub fn write(proofs: &[Proof]) -> Result<String, CanonError> {
    let line = |name: &str, text: String| {
        Canon::Map(BTreeMap::from([(name.to_owned(), Canon::text(text))])).to_bytes()
    };
    let first = line("feed", FIRST.to_owned())?;
    let mut out = String::from_utf8_lossy(&first).into_owned() + "\n";
    for proof in proofs {
        let line = line("proof", proof.to_string())?;
        out.push_str(&String::from_utf8_lossy(&line));
        out.push('\n');
    }
    Ok(out)
}

fn proofs(bytes: &[u8]) -> Result<Vec<Proof>, TurnError> {
    if bytes.len() > MAX_KEYS {
        return Err(TurnError::TooLong);
    }
    let whole = bytes.strip_suffix(b"\n").ok_or(TurnError::Line(0))?;
    let mut out = Vec::new();
    for (at, line) in (1..).zip(whole.split(|byte| *byte == b'\n')) {
        let Canon::Map(map) = Canon::parse_unbounded(line)? else {
            return Err(TurnError::Line(at));
        };
        let name = if at == 1 { "feed" } else { "proof" };
        let text = map.get(name).and_then(Canon::as_text).filter(|_| map.len() == 1);
        let text = text.ok_or(TurnError::Line(at))?;
        match at {
            1 if text == FIRST => {}
            1 => return Err(TurnError::Line(at)),
            _ if out.len() == MAX_TURNS => return Err(TurnError::TooLong),
            _ => out.push(Proof::parse(text)?),
        }
    }
    Ok(out)
}

fn turns(
    bytes: &[u8],
    holds: &dyn Fn(&Proof, &tree::Hash) -> Result<(), ProofError>,
) -> Result<Vec<Turn>, TurnError> {
    let mut out: Vec<Turn> = Vec::new();
    for (at, proof) in (2..).zip(proofs(bytes)?) {
        let entry = proof.extra.as_deref().ok_or(TurnError::Line(at))?;
        holds(&proof, &tree::leaf(entry))?;
        let turn = Turn::of_entry(proof.index, entry)?;
        if out.last().is_some_and(|last| last.record >= turn.record) {
            return Err(TurnError::Line(at));
        }
        out.push(turn);
    }
    Ok(out)
}

/// Reads the file by one of several policies: each record has to stand in the log, under a checkpoint that counts.
///
/// # Errors
/// See [`TurnError`].
pub fn open(bytes: &[u8], policies: &[Policy]) -> Result<Vec<Turn>, TurnError> {
    turns(bytes, &|proof, leaf| {
        let mut why = ProofError::Shape("no key of the log counts");
        for policy in policies {
            match proof.check(leaf, policy) {
                Ok(_) => return Ok(()),
                Err(error) => why = error,
            }
        }
        Err(why)
    })
}

/// Reads what was opened before and kept since: the log's key may have been replaced meanwhile, and nobody looks at its
/// signature any more.
///
/// # Errors
/// See [`TurnError`].
pub fn kept(bytes: &[u8]) -> Result<Vec<Turn>, TurnError> {
    turns(bytes, &|proof, leaf| proof.leads_to(leaf).map(drop))
}

/// Whose signatures count: the keys that somebody wrote down, and what became of them since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedKeys {
    now: Vec<VerifierKey>,
    void: Vec<VerifierKey>,
}

impl FeedKeys {
    /// Those that somebody wrote down.
    pub fn new(pinned: Vec<VerifierKey>) -> Self {
        Self { now: pinned, void: Vec::new() }
    }

    /// Those that count.
    pub fn now(&self) -> &[VerifierKey] {
        &self.now
    }

    /// Follows replacements, in their order; true where anything is another than before. It never goes back: a key
    /// that was replaced counts no more, whoever tells of fewer replacements. One of a key that nobody knows here
    /// changes nothing.
    pub fn follow(&mut self, turns: &[Turn]) -> bool {
        let before = self.clone();
        for Turn { old, new, .. } in turns {
            let knew = self.now.contains(old);
            // Who wrote down the new one by hand knows nothing of the old one yet.
            if !knew && !self.now.contains(new) {
                continue;
            }
            self.now.retain(|key| key != old);
            if !self.void.contains(old) {
                self.void.push(old.clone());
            }
            if !self.now.contains(new) && !self.void.contains(new) {
                self.now.push(new.clone());
            }
        }
        *self != before
    }
}

#[cfg(test)]
mod tests {
    use ledger::tree::{leaf, root};
    use model::record::{Envelope, ShieldFeedKey, write as write_record};

    use super::*;

    const FEED: &str = "a.example/shield/feed";

    fn key(seed: u8) -> SigningKey {
        SigningKey::new(FEED, &[seed; 32]).unwrap()
    }

    fn log() -> SigningKey {
        SigningKey::new("a.example/shield", &[99; 32]).unwrap()
    }

    fn policy() -> Policy {
        Policy { log: log().verifier(), witnesses: Vec::new(), quorum: 0 }
    }

    fn entry(old: &SigningKey, new: &SigningKey, statement: String) -> Vec<u8> {
        let (old, new) = (old.verifier().text(), new.verifier().text());
        let body = ShieldFeedKey { old, new, statement, reason: None };
        let envelope = Envelope { time_ms: 1, actor: "vera".into(), authority: "a.example".into() };
        let mut n = 0;
        let salt = &mut || {
            n += 1;
            [n; 32]
        };
        write_record(&body.into(), &envelope, salt).unwrap().0
    }

    /// A log of these entries, signed by a key, and a proof of each.
    fn proven(entries: &[Vec<u8>], by: &SigningKey) -> Vec<Proof> {
        let leaves: Vec<_> = entries.iter().map(|entry| leaf(entry)).collect();
        let (size, whole) = (entries.len() as u64, root(&leaves));
        let one = |(index, entry): (u64, &Vec<u8>)| {
            let hashes = tree::inclusion::<()>(index, size, &mut |height, i| {
                Ok(root(&leaves[(i << height) as usize..((i + 1) << height) as usize]))
            });
            let checkpoint = Note::parse(&by.sign(size, &whole)).unwrap();
            Proof { extra: Some(entry.clone()), index, hashes: hashes.unwrap(), checkpoint }
        };
        (0..).zip(entries).map(one).collect()
    }

    fn turned(old: &SigningKey, new: &SigningKey) -> Vec<u8> {
        entry(old, new, statement(old, new))
    }

    #[test]
    fn replacements_are_followed_and_never_go_back() {
        let entries = [turned(&key(1), &key(2)), turned(&key(2), &key(3))];
        let proofs = proven(&entries, &log());
        let text = write(&proofs).unwrap();
        let turns = open(text.as_bytes(), &[policy()]).unwrap();
        assert_eq!(kept(text.as_bytes()).unwrap(), turns);
        let of = |seeds: &[u8]| FeedKeys::new(seeds.iter().map(|n| key(*n).verifier()).collect());
        let now = |keys: &FeedKeys| keys.now().to_vec();
        let mut keys = of(&[1]);
        assert!(keys.follow(&turns[..1]));
        assert_eq!(now(&keys), [key(2).verifier()]);
        assert!(keys.follow(&turns));
        assert_eq!(now(&keys), [key(3).verifier()]);
        // Who tells of fewer, or of none, has nothing taken back.
        assert!(!keys.follow(&turns[..1]) && !keys.follow(&[]) && !keys.follow(&turns));
        assert_eq!(now(&keys), [key(3).verifier()]);
        // Who was away meanwhile comes to the same; who wrote down the new one, or both, too.
        for pinned in [&[1][..], &[2], &[3], &[1, 2], &[2, 3], &[1, 3]] {
            let mut keys = of(pinned);
            keys.follow(&turns);
            assert_eq!(now(&keys), [key(3).verifier()], "{pinned:?}");
        }
        // Of a key that is not known here nothing follows.
        let mut other = of(&[7]);
        assert!(!other.follow(&turns));
        // A key that was replaced does not come back, though the one that replaced it says so.
        let back = Turn { record: 9, old: key(3).verifier(), new: key(1).verifier() };
        keys.follow(&[back]);
        assert!(!keys.now().contains(&key(1).verifier()));
    }

    #[test]
    fn nothing_is_believed_that_one_key_alone_says() {
        let (old, new, thief) = (key(1), key(2), key(8));
        let opened = |entry: Vec<u8>, by: &SigningKey| {
            open(write(&proven(&[entry], by)).unwrap().as_bytes(), &[policy()])
        };
        assert!(opened(turned(&old, &new), &log()).is_ok());
        // The feed's key alone writes no record of the log.
        let own = SigningKey::new("a.example/shield", &[1; 32]).unwrap();
        assert!(matches!(opened(turned(&old, &thief), &own), Err(TurnError::Proof(_))));
        // The log's key alone has no statement of the key that is replaced.
        let by_thief = statement(&thief, &thief);
        let half = thief.note(text(&old.verifier(), &thief.verifier())).to_string();
        for statement in [by_thief, half, statement(&new, &thief), String::new()] {
            assert!(opened(entry(&old, &thief, statement), &log()).is_err());
        }
        // A witness that is asked for, and did not cosign.
        let witness = ledger::CosignerKey::new("w.example", &[5; 32]).unwrap().witness();
        let asks = Policy { witnesses: vec![witness], quorum: 1, ..policy() };
        let text = write(&proven(&[turned(&old, &new)], &log())).unwrap();
        assert!(matches!(open(text.as_bytes(), &[asks]), Err(TurnError::Proof(_))));
        assert!(open(text.as_bytes(), &[]).is_err());
        // Another record of the log; a byte that was changed; what was cut off.
        let bytes = text.as_bytes();
        for at in 0..bytes.len() {
            let mut other = bytes.to_vec();
            other[at] ^= 1;
            assert_ne!(open(&other, &[policy()]).ok(), Some(Vec::new()), "{at}");
            assert!(open(&other, &[policy()]).is_err(), "{at}");
        }
        assert_eq!(open(&bytes[..bytes.len() - 1], &[policy()]), Err(TurnError::Line(0)));
        assert_eq!(open(&vec![b'a'; MAX_KEYS + 1], &[policy()]), Err(TurnError::TooLong));
    }
}

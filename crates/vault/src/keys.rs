//! Whose key signs a log, and where it was replaced: what the records `key.rotated` say, as keys with
//! the size up to which each counts.
//!
//! An authority's own log is handed on first; what is recorded there says for each of its other logs
//! who may sign. They are handed on at their next opening for writing, with the same statement, which
//! both keys signed. So nothing needs a former key's private half any more.

use ledger::{Authority, Former, Keys, Lock, Log, Note, Reader, SigningKey, VerifierKey, Wait};
use model::Canon;
use model::record::{Body, KeyRotated, Opening, Record};

use crate::case::authority_of;
use crate::error::{Error, Result};

/// The first line of what both keys sign.
const STATEMENT: &str = "vigie key-rotation v1";

/// A key was replaced: the log's entries below [`Rotation::record`] are of the old one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The record.
    pub record: u64,
    /// When it was written, as it says.
    pub time: String,
    /// The key that was replaced, under the log's origin.
    pub old: VerifierKey,
    /// The one that signs every checkpoint of more than `record` entries.
    pub new: VerifierKey,
    /// The statement that both signed: a signed note.
    pub statement: String,
}

/// What both keys sign under their authority's name.
fn statement_text(old: &VerifierKey, new: &VerifierKey) -> String {
    format!("{STATEMENT}\n{}\n{}\n", old.text(), new.text())
}

/// The statement that an authority's key is replaced, signed by both.
pub(crate) fn statement(old: &SigningKey, new: &SigningKey) -> String {
    let text = statement_text(&old.verifier(), &new.verifier());
    let mut note = old.note(text.clone());
    note.signatures.append(&mut new.note(text).signatures);
    note.to_string()
}

impl Rotation {
    /// What a record says, where it replaces a key; its statement verified. Nothing of it is
    /// committed but the reason.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn read(index: u64, record: &Record) -> std::result::Result<Option<Self>, String> {
        if record.kind != "key.rotated" {
            return Ok(None);
        }
        let text = |name: &'static str| {
            let text = record.public.get(name).and_then(Canon::as_text);
            text.ok_or_else(|| format!("it has no {name}"))
        };
        let key = |name| VerifierKey::parse(text(name)?).map_err(|e| format!("{name}: {e}"));
        let (old, new, statement) = (key("old")?, key("new")?, text("statement")?.to_owned());
        if old.name() != new.name() || old == new {
            return Err("it replaces a key by itself, or by one of another log".to_owned());
        }
        let rotation = Self { record: index, time: record.time.clone(), old, new, statement };
        rotation.check().map_err(|e| format!("its statement: {e}"))?;
        Ok(Some(rotation))
    }

    fn check(&self) -> std::result::Result<(), String> {
        let name = authority_of(self.old.name());
        let of = |key: &VerifierKey| key.renamed(name).map_err(|e| e.to_string());
        let (old, new) = (of(&self.old)?, of(&self.new)?);
        let note = Note::parse(&self.statement).map_err(|e| e.to_string())?;
        if note.text != statement_text(&old, &new) {
            return Err("it is of other keys".to_owned());
        }
        old.open_note(&note).map_err(|e| format!("the old key: {e}"))?;
        new.open_note(&note).map_err(|e| format!("the new key: {e}"))
    }

    /// The same rotation in another log of the authority.
    fn under(&self, origin: &str, reason: Option<String>) -> Result<KeyRotated> {
        let of = |key: &VerifierKey| {
            key.renamed(origin).map(|key| key.text()).map_err(|e| self.wrong(&e.to_string()))
        };
        let (old, new) = (of(&self.old)?, of(&self.new)?);
        Ok(KeyRotated { old, new, statement: self.statement.clone(), reason })
    }

    fn wrong(&self, why: &str) -> Error {
        Error::Rotation { record: self.record, why: why.to_owned() }
    }

    /// True where both replace the same key by the same one, in whichever log.
    fn is(&self, other: &Self) -> bool {
        let same = |a: &VerifierKey, b: &VerifierKey| a.renamed(b.name()).as_ref() == Ok(b);
        same(&self.old, &other.old) && same(&self.new, &other.new)
    }
}

/// The rotations that a log's records tell of, each going on from the one before.
///
/// # Errors
/// The disk; a record of a rotation that is none.
pub fn rotations(log: &Reader) -> Result<Vec<Rotation>> {
    let mut out: Vec<Rotation> = Vec::new();
    for (index, entry) in (0..).zip(log.entries(0)) {
        let entry = entry?;
        // Few records are of this kind: the others need not be parsed for it.
        if !entry.windows(13).any(|window| window == b"\"key.rotated\"") {
            continue;
        }
        let Ok(record) = Record::parse(&entry) else { continue };
        let wrong = |why: String| Error::Rotation { record: index, why };
        let Some(rotation) = Rotation::read(index, &record).map_err(wrong)? else { continue };
        if out.last().is_some_and(|last| last.new != rotation.old) {
            return Err(wrong("it replaces a key that did not sign here".to_owned()));
        }
        out.push(rotation);
    }
    Ok(out)
}

/// The keys of a log that began with `first` and tells of these rotations.
pub(crate) fn keys(first: &VerifierKey, rotations: &[Rotation]) -> Keys {
    let former = rotations.iter().map(|r| Former { key: r.old.clone(), until: r.record });
    let now = rotations.last().map_or(first, |last| &last.new);
    Keys::new(former.collect(), now.clone())
}

/// The rotations of an authority, as its own log tells of them.
///
/// # Errors
/// As [`rotations`]; rotations that do not lead to the authority's key.
pub(crate) fn of_authority(authority: &Authority) -> Result<Vec<Rotation>> {
    let out = match authority.reader() {
        Ok(reader) => rotations(&reader)?,
        Err(e) if e.is_missing() => Vec::new(),
        Err(e) => return Err(e.into()),
    };
    let now = authority.verifier(authority.name())?;
    match out.last() {
        Some(last) if last.new != now => {
            Err(last.wrong("the authority's log hands on to another key than the home has"))
        }
        _ => Ok(out),
    }
}

/// A log's keys as its records tell of them, held against those of its authority.
#[derive(Debug)]
pub(crate) struct OfLog {
    pub(crate) keys: Keys,
    /// In the authority's log, and not yet in this one.
    pub(crate) waiting: Vec<Rotation>,
}

impl OfLog {
    /// Reads them. `first` is the key that the log names as that of its beginning.
    ///
    /// # Errors
    /// As [`rotations`]; keys that the authority's own log does not name.
    pub(crate) fn of(
        log: &Reader,
        origin: &str,
        first: Option<&VerifierKey>,
        authority: &Authority,
    ) -> Result<Self> {
        let present = authority.verifier(origin)?;
        // A key that was replaced never comes back: then no record needs to be looked at.
        if first == Some(&present) {
            return Ok(Self { keys: present.into(), waiting: Vec::new() });
        }
        let here = rotations(log)?;
        let begun = here.first().map(|r| &r.old).or(first).unwrap_or(&present);
        if here.is_empty() && *begun == present {
            return Ok(Self { keys: present.into(), waiting: Vec::new() });
        }
        let chain = of_authority(authority)?;
        let keys = keys(begun, &here);
        // Where this log stands in the authority's chain.
        let at = match here.last() {
            Some(last) => chain.iter().position(|r| r.is(last)).map(|at| at + 1),
            None => chain.iter().position(|r| r.old.renamed(origin).as_ref() == Ok(begun)),
        };
        let of_chain = |r: &Rotation| chain.iter().any(|of| of.is(r));
        match at {
            Some(at) if here.iter().all(of_chain) => {
                Ok(Self { keys, waiting: chain.into_iter().skip(at).collect() })
            }
            // It is of another home, or forged: the signature will tell.
            _ => Ok(Self { keys: present.into(), waiting: Vec::new() }),
        }
    }

    /// The keys once the waiting rotations stand in the log from `size` on.
    pub(crate) fn handed_on(&self, size: u64, present: VerifierKey) -> Keys {
        let mut former = self.keys.former().to_vec();
        let mut old = self.keys.now().clone();
        for (until, rotation) in (size..).zip(&self.waiting) {
            let new = rotation.new.renamed(old.name()).unwrap_or_else(|_| present.clone());
            former.push(Former { key: std::mem::replace(&mut old, new), until });
        }
        Keys::new(former, present)
    }
}

/// The keys of a log of an authority: a case's, or its own.
///
/// # Errors
/// As [`rotations`].
pub fn keys_of(log: &Reader, origin: &str, authority: &Authority) -> Result<Keys> {
    if origin == authority.name() {
        let present = authority.verifier(origin)?;
        let here = of_authority(authority)?;
        return Ok(keys(here.first().map_or(&present, |r| &r.old), &here));
    }
    let first = first_key(log);
    OfLog::of(log, origin, first.as_ref(), authority).map(|of| of.keys)
}

/// A case's keys as the case itself names them: whose they are `verify` says.
///
/// # Errors
/// As [`rotations`].
pub fn named_keys(log: &Reader) -> Result<Option<Keys>> {
    let Some(first) = first_key(log) else { return Ok(None) };
    // Most logs have one key: then no record needs to be looked at.
    if log.checkpoint().is_some_and(|note| first.open(note).is_ok()) {
        return Ok(Some(first.into()));
    }
    Ok(Some(keys(&first, &rotations(log)?)))
}

/// What an authority's own log says of the birth of a case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Born {
    /// The key under which it was born.
    pub key: Option<String>,
    /// Its first checkpoint, whole.
    pub checkpoint: Option<String>,
}

/// What an authority's own log says of the birth of a case, if it does.
///
/// # Errors
/// The log cannot be read.
pub fn birth_in(log: &Reader, origin: &str) -> Result<Option<Born>> {
    for entry in log.entries(0) {
        // What is no record of ours tells of no birth.
        let Ok(record) = Record::parse(&entry?) else { continue };
        let text = |name: &str| record.public.get(name).and_then(Canon::as_text);
        if record.kind == "case.born" && text("origin") == Some(origin) {
            let (key, checkpoint) = (text("key"), text("checkpoint"));
            return Ok(Some(Born {
                key: key.map(str::to_owned),
                checkpoint: checkpoint.map(str::to_owned),
            }));
        }
    }
    Ok(None)
}

/// The key that a case's first record names.
pub(crate) fn first_key(log: &Reader) -> Option<VerifierKey> {
    let first = Record::parse(&log.entry(0).ok()?).ok()?;
    VerifierKey::parse(first.public.get("key").and_then(Canon::as_text)?).ok()
}

/// The records that hand a log on, as they stand in it.
pub(crate) fn bodies(
    waiting: &[Rotation],
    origin: &str,
    authority: &Authority,
) -> Result<Vec<KeyRotated>> {
    waiting.iter().map(|r| r.under(origin, reason(authority, r.record)?)).collect()
}

/// Why the authority's key was replaced by that record of its own log, where it was said and is
/// kept. The authority's log has no vault; the openings of the few records that need one stand in
/// files beside it.
fn reason(authority: &Authority, record: u64) -> Result<Option<String>> {
    let Some(line) = authority.opening(record)? else { return Ok(None) };
    let wrong = |why: String| Error::Rotation { record, why };
    let opening = Opening::parse_line(&line).map_err(|e| wrong(format!("its opening: {e}")))?;
    let entry = authority.reader()?.entry(record)?;
    let parsed = Record::parse(&entry).map_err(|e| wrong(e.to_string()))?;
    if opening.record != model::record::leaf_hash(&entry) || parsed.check_opening(&opening).is_err()
    {
        return Err(wrong("its opening is another's".to_owned()));
    }
    match Body::read(&parsed, &opening) {
        Ok(Body::KeyRotated(body)) => Ok(body.reason),
        _ => Ok(None),
    }
}

/// Opens an authority's own log for writing, with its lock; completes a rotation that a crash cut
/// off once its record stood.
///
/// # Errors
/// No passphrase; a lock held by another; a log that is damaged or another's; the disk.
pub fn open_log(authority: &Authority, holder: &str, wait: Wait) -> Result<(Lock, Log)> {
    // Asked for first: others do not wait for who types a passphrase.
    authority.unlock()?;
    let lock = authority.lock(holder, wait)?;
    let (authority, _) = authority.reread()?.settle(&lock)?;
    let log = own_log(&authority)?;
    Ok((lock, log))
}

/// Publishes an authority's own log, and keeps its checkpoint beside it: an older copy that is put in
/// its place shows by that.
///
/// # Errors
/// The disk. What was committed is safe all the same.
pub fn finish_log(authority: &Authority, log: Log) -> Result<()> {
    log.finish()?;
    let authority = authority.reread()?;
    let log = authority.reader()?;
    let Some(note) = log.checkpoint().filter(|_| log.size() > 0) else { return Ok(()) };
    Ok(authority.see(note, authority.name(), &keys_of(&log, authority.name(), &authority)?)?)
}

/// The authority's own log; its lock is held.
pub(crate) fn own_log(authority: &Authority) -> Result<Log> {
    let reader = authority.reader()?;
    let begun = reader.checkpoint().is_some();
    // A rotation that was cut off leaves an opening and a key beside a log without records.
    let gone = !authority.log_dir().is_dir() && authority.has_cases();
    if reader.size() == 0 && (gone || !begun && authority.has_history()) {
        return Err(Error::OwnLogGone(authority.log_dir()));
    }
    let name = authority.name();
    let keys = keys_of(&reader, name, authority)?;
    reader.goes_through(authority.seen(name, &keys)?.as_slice())?;
    let log = Log::open_with(&authority.log_dir(), authority.unlock()?, &keys)?;
    // One that was cut off before its record leaves an opening of none. Not before the log holds: of one
    // that was laid back they are not its own to drop.
    authority.drop_openings(log.size())?;
    Ok(log)
}

//! Witnesses of the authority's logs: who is asked, what they said, and what it shows.
//!
//! Who is asked stands in the authority's own log (`witness.named`, `witness.dropped`). What they
//! cosigned is kept beside the log it is of; it is no record, and who has the witnesses' keys checks
//! it. The authority's own log is asked for first: with the births of its cases cosigned, none can
//! be thrown away and begun anew unseen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ledger::witness::{Asking, Next, Split};
use ledger::{Checkpoint, Home, Keys, MAX_CONSISTENCY, Note, Reader, VerifierKey, WitnessKey};
use model::Sha256Hex;
use model::record::{Body, Envelope, Opening, Record, WitnessDropped, WitnessNamed, write};

use crate::desk::now_ms;
use crate::prove::Which;
use crate::{Error, Result, outside};

/// The most witnesses that an authority names.
pub const MAX_WITNESSES: usize = 64;

/// Somebody who is asked to cosign.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// The key.
    pub key: WitnessKey,
    /// Where: the prefix before `/add-checkpoint`.
    pub url: String,
}

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
    /// No, or no answer.
    Refused(String),
}

/// Makes the key of this home's own witness, which cosigns the logs of others.
///
/// # Errors
/// A key that is there already; a name that none can have; the disk.
pub fn init(home: &Path, name: &str) -> Result<WitnessKey> {
    Ok(ledger::witness::WitnessHome::new(home).init(name, &vault::random()?)?.witness())
}

/// The witnesses that an authority asks, in the order they were named.
///
/// # Errors
/// No such authority; its log is damaged.
pub fn list(home: &Path, name: Option<&str>) -> Result<Vec<Named>> {
    let home = Home::new(home);
    let log = match authority(&home, name)?.reader() {
        Ok(log) => log,
        // It has a key, and no log yet.
        Err(e) if e.is_missing() => return Ok(Vec::new()),
        Err(e) => return Err(e.into()),
    };
    named(&log)
}

fn named(log: &Reader) -> Result<Vec<Named>> {
    let mut out: Vec<Named> = Vec::new();
    for entry in log.entries(0) {
        let Ok(record) = Record::parse(&entry?) else { continue };
        let nothing = Opening {
            record: Sha256Hex([0; 32]), // all of these kinds stands in the clear
            fields: BTreeMap::new(),
            leaf_secrets: Vec::new(),
            erased: Vec::new(),
        };
        match Body::read(&record, &nothing) {
            Ok(Body::WitnessNamed(body)) => {
                if let Ok(key) = WitnessKey::parse(&body.witness) {
                    out.retain(|named| named.key != key);
                    out.push(Named { key, url: body.url });
                }
            }
            Ok(Body::WitnessDropped(body)) => {
                out.retain(|named| named.key.text() != body.witness);
            }
            _ => {}
        }
    }
    Ok(out)
}

fn authority(home: &Home, name: Option<&str>) -> Result<ledger::Authority> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => home.named()?.unwrap_or_else(|| ledger::PRACTICE.to_owned()),
    };
    Ok(home.find(&name)?)
}

/// Names a witness in the authority's own log; one that is named is asked at the new address.
///
/// # Errors
/// What is no key or no address; a second name or a second key of one that is named, which would
/// count twice; more than [`MAX_WITNESSES`]; the disk.
pub fn name(home: &Path, key: &str, url: &str) -> Result<Named> {
    let key = WitnessKey::parse(key).map_err(|e| Error::Asked(format!("the witness: {e}")))?;
    let url = url.trim_end_matches('/').to_owned();
    outside::check(&url)?;
    let before = list(home, None)?;
    if before.len() >= MAX_WITNESSES && before.iter().all(|named| named.key != key) {
        return Err(Error::Asked(format!("an authority names at most {MAX_WITNESSES} witnesses")));
    }
    let other = before
        .iter()
        .map(|named| &named.key)
        .find(|there| **there != key && (there.name() == key.name() || there.is_by_key_of(&key)));
    if let Some(there) = other {
        let there = there.name();
        let what = if there == key.name() { "another key of the witness" } else { "the key of" };
        return Err(Error::Asked(format!(
            "it is {what} {there}, and one witness counts once: drop that first (`vigie witness \
             drop {there}`)"
        )));
    }
    let own = ledger::witness::WitnessHome::new(home).key();
    if own.is_ok_and(|own| own.witness() == key) {
        return Err(Error::Asked(
            "this is the witness of this very home: who witnesses himself proves nothing".into(),
        ));
    }
    record(home, WitnessNamed { witness: key.text(), url: url.clone() }.into())?;
    Ok(Named { key, url })
}

/// Asks a witness no more.
///
/// # Errors
/// None of that name; the disk.
pub fn drop(home: &Path, name: &str) -> Result<Named> {
    let found = list(home, None)?.into_iter().find(|named| named.key.name() == name);
    let found = found.ok_or_else(|| Error::NotFound { what: format!("the witness {name}") })?;
    record(home, WitnessDropped { witness: found.key.text() }.into())?;
    Ok(found)
}

/// Appends a record to the authority's own log.
fn record(home: &Path, body: Body) -> Result<()> {
    let authority = Home::new(home).current(&vault::random()?)?;
    let (_lock, mut log) = vault::open_log(&authority, "vigie witness", vault::Wait::Wait)?;
    let envelope = Envelope {
        time_ms: now_ms(),
        authority: authority.name().to_owned(),
        actor: String::new(),
    };
    let (bytes, _) =
        write(&body, &envelope, &mut || [0; 32]).map_err(|e| Error::Asked(e.to_string()))?;
    log.append(&[bytes])?;
    Ok(log.finish()?)
}

/// A log whose witnesses are asked.
struct Log {
    dir: PathBuf,
    reader: Reader,
    checkpoint: Note,
    size: u64,
    /// The log's own.
    keys: Keys,
    /// The key that its authority has now: an older copy of the log may not tell of it.
    present: VerifierKey,
    witnesses: Vec<Named>,
}

impl Log {
    fn open(home: &Path, which: Which<'_>) -> Result<Self> {
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
        let kept = ledger::witnessed(&self.dir)?;
        let by = kept.iter().filter(|note| matches!(key.cosigned(note), Ok(Some(_))));
        let sizes = by.filter_map(|note| Checkpoint::of_text(&note.text).ok()).map(|c| c.size);
        Ok(sizes.filter(|size| *size <= self.size).max().unwrap_or(0))
    }

    fn ask(&self, named: &Named) -> Result<Outcome> {
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
                        Err(e) => Next::Refused(e.to_string()),
                    };
                }
                Next::Cosigned(signature, time) => {
                    let mut note = self.checkpoint.clone();
                    note.signatures.push(signature);
                    ledger::keep_witnessed(&self.dir, &note)?;
                    return Ok(Outcome::Cosigned { size: self.size, time });
                }
                Next::Ahead(_) | Next::Inconsistent => return self.compare(named),
                Next::Refused(why) => return Ok(Outcome::Refused(why)),
            }
        }
    }

    /// Holds what the witness keeps of this log against this copy.
    fn compare(&self, named: &Named) -> Result<Outcome> {
        let url = format!("{}/{}/checkpoint", named.url, self.origin_hash());
        let (status, body) = match outside::look(&url, MAX_CONSISTENCY) {
            Ok(answer) => answer,
            Err(e) => return Ok(Outcome::Refused(e.to_string())),
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
            Some(split) => Outcome::Contradicts(Box::new(split)),
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

/// Who cosigned a log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// Witnesses that the authority names.
    pub named: usize,
    /// Of each that cosigned: its name, the entries, and when, in seconds since the epoch.
    pub by: Vec<(String, u64, u64)>,
    /// Cosignatures under a named witness's key that do not fit: the entries, and what is wrong.
    pub broken: Vec<(u64, String)>,
}

/// Who of the named witnesses has cosigned how much of a log, by what is kept beside it.
///
/// # Errors
/// As [`ask`]; and where the home has not the log's authority, whom nobody else can ask.
pub fn standing(home: &Path, which: Which<'_>) -> Result<Standing> {
    let (dir, reader) = crate::prove::open(which)?;
    let origin = reader.published().and_then(|text| text.lines().next()).unwrap_or("");
    let witnesses = list(home, Some(vault::authority_of(origin)))?;
    let kept = ledger::witnessed(&dir)?;
    let mut standing = Standing { named: witnesses.len(), ..Standing::default() };
    for named in &witnesses {
        let mut best = None;
        for note in &kept {
            let size = Checkpoint::of_text(&note.text).map_or(0, |c| c.size);
            match named.key.cosigned(note) {
                Ok(time) => best = best.max(time.map(|time| (size, time))),
                Err(e) => standing.broken.push((size, e.to_string())),
            }
        }
        if let Some((size, time)) = best {
            standing.by.push((named.key.name().to_owned(), size, time));
        }
    }
    Ok(standing)
}

//! Checking a package: its bag, its signatures, each record, each exhibit or part of one.
//!
//! The keys in the package show that it fits itself. Whose they are only the reader's own file says.

mod exhibit;
mod stamps;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, BufReader, Read};

use ledger::note::{Checkpoint, Note};
use ledger::tree::is_included;
use ledger::{
    Consistency, Finding, MAX_CONSISTENCY, MAX_PROOF, MAX_TRUST, Policy, Proof, ProofError, Trust,
    Witnessed,
};
use model::record::{Record, RecordError, leaf_hash};
use model::{Canon, ExhibitId, Sha256Hex};

use super::line::{Disclosed, MAX_LINE};
use super::manifest::{self, Digests};
use super::note::PackageNote;
use super::source::Opened;
use super::stamped::Stamped;
use super::{BAGIT, name};
use crate::times::Bound;
use exhibit::exhibit;
use stamps::{stamp, times};

/// The longest note that is read.
const MAX_NOTE: u64 = 128 << 10;
/// The longest `bag-info.txt`.
const MAX_INFO: u64 = 64 << 10;
/// The longest manifest.
const MAX_MANIFEST: u64 = 1 << 30;

/// What checking a package found. All is well where `findings` is empty.
#[derive(Debug, Default)]
pub struct Checked {
    /// The log that it comes from: `<authority>/case/<id>`.
    pub origin: String,
    /// The record of the package in it.
    pub record: Option<u64>,
    /// The digest of its tag manifest.
    pub manifest: Option<Sha256Hex>,
    /// The fields of `bag-info.txt`.
    pub info: BTreeMap<String, String>,
    /// Records disclosed, whole or in part.
    pub records: u64,
    /// Fields of theirs that are not disclosed.
    pub hidden: u64,
    /// Exhibits disclosed whole: the index of the sealing record, and the exhibit.
    pub whole: Vec<(u64, ExhibitId)>,
    /// Exhibits of which parts are disclosed: the index of the sealing record.
    pub parts: Vec<u64>,
    /// Bytes of all of these.
    pub bytes: u64,
    /// Entries that the log had at the checkpoint.
    pub log_size: u64,
    /// The witnesses that cosigned the checkpoint, and when, in seconds since the epoch.
    pub witnesses: Vec<(String, u64)>,
    /// True where the reader's file names the key that signed.
    pub signer_confirmed: bool,
    /// True where the reader's file names the witnesses.
    pub witnesses_confirmed: bool,
    /// By when the records below the number were in the log, by the newest stamp that stands.
    pub time: Option<(u64, Bound)>,
    /// What is wrong, and where.
    pub findings: Vec<Finding>,
    /// What is worth knowing, and harmless.
    pub notes: Vec<String>,
}

impl Checked {
    fn find(&mut self, place: impl Into<String>, message: impl Into<String>) {
        self.findings.push(Finding { place: place.into(), message: message.into() });
    }

    /// A field of `bag-info.txt`.
    pub fn field(&self, field: &str) -> Option<&str> {
        self.info.get(field).map(String::as_str)
    }
}

/// Checks a package that was read, against its own keys and, where there is one, the reader's file.
/// `progress` is told the bytes that are hashed.
///
/// # Errors
/// Only what keeps it from reading.
pub fn check(
    package: &Opened,
    trust: Option<&Trust>,
    now_ms: i64,
    progress: &dyn Fn(u64),
) -> io::Result<Checked> {
    let mut out = Checked::default();
    bag(package, &mut out)?;
    let Some(keys) = keys(package, &mut out)? else { return Ok(out) };
    let Some(checkpoint) = checkpoint(package, &keys, trust, &mut out)? else { return Ok(out) };
    own_record(package, &keys, &checkpoint, trust, &mut out)?;
    let stamped = records(package, &checkpoint, progress, &mut out)?;
    times(stamped, keys.own.keys_of(&keys.origin).as_ref(), trust, now_ms, &mut out);
    Ok(out)
}

fn need(package: &Opened, of: &str, most: u64, out: &mut Checked) -> io::Result<Option<String>> {
    let text = package.text(of, most)?;
    if text.is_none() {
        let what = match package.files.get(of) {
            None => "it is missing",
            Some(item) if item.size > most => "it is longer than it may be",
            Some(_) => "it is no text",
        };
        out.find(of, what);
    }
    Ok(text)
}

/// The bag: both manifests hold every file, and no other.
fn bag(package: &Opened, out: &mut Checked) -> io::Result<()> {
    if need(package, name::BAGIT, MAX_INFO, out)?.is_some_and(|text| text != BAGIT) {
        out.find(name::BAGIT, "it does not say BagIt 1.0 in UTF-8");
    }
    for (file, payload) in [(name::MANIFEST, true), (name::TAGS, false)] {
        let Some(text) = need(package, file, MAX_MANIFEST, out)? else { continue };
        if !payload {
            out.manifest = Some(Sha256Hex::of(text.as_bytes()));
        }
        let named = match manifest::read(&text) {
            Ok(named) => named,
            Err(line) => {
                out.find(file, format!("line {line} is no digest and name, in order"));
                continue;
            }
        };
        let there: Digests = package
            .files
            .iter()
            .filter(|(file, _)| {
                file.starts_with("data/") == payload && !name::OUTSIDE.contains(&file.as_str())
            })
            .map(|(file, item)| (file.clone(), Sha256Hex(item.sha256)))
            .collect();
        for (of, digest) in &named {
            match there.get(of) {
                None => out.find(of, format!("it is missing; {file} names it")),
                Some(found) if found != digest => {
                    out.find(of, format!("its bytes are not those that {file} names: changed"));
                }
                Some(_) => {}
            }
        }
        for of in there.keys().filter(|of| !named.contains_key(*of)) {
            out.find(of, format!("{file} does not name it: it was added"));
        }
    }
    if let Some(text) = need(package, name::INFO, MAX_INFO, out)? {
        for line in text.lines() {
            let field = line.split_once(": ");
            let before =
                field.and_then(|(f, value)| out.info.insert(f.to_owned(), value.to_owned()));
            if before.is_some() || field.is_none() {
                out.find(name::INFO, format!("{line:?} is no field, or one that stands twice"));
            }
        }
    }
    Ok(())
}

/// The package's own keys, and the log's among them.
struct Keys {
    own: Trust,
    origin: String,
}

impl Keys {
    /// Verifies a signed checkpoint of the log, and that it bears no signature but the log's and
    /// those of witnesses that the package names.
    fn open(&self, note: &Note) -> Result<(Checkpoint, Vec<(String, u64)>), String> {
        let policy = self.own.policy_of(note).map_err(|e| e.to_string())?;
        let found = policy.open(note).map_err(|e| e.to_string())?;
        let known = |name: &str, id: [u8; 4]| {
            (policy.log.name() == name && policy.log.id() == id)
                || policy.witnesses.iter().any(|w| w.name() == name && w.id() == id)
        };
        match note.signatures.iter().find(|s| !known(&s.name, s.id)) {
            Some(other) => Err(format!(
                "it bears a signature of {}, whose key {} does not name",
                other.name,
                name::KEYS
            )),
            None if note.signatures.len() != found.by.len() + 1 => {
                Err("it bears a signature twice".to_owned())
            }
            None => Ok((found.checkpoint, found.by)),
        }
    }
}

fn keys(package: &Opened, out: &mut Checked) -> io::Result<Option<Keys>> {
    let Some(text) = need(package, name::KEYS, MAX_TRUST as u64, out)? else { return Ok(None) };
    match Trust::parse(&text) {
        Ok(own) => Ok(Some(Keys { own, origin: String::new() })),
        Err(e) => {
            out.find(name::KEYS, e.to_string());
            Ok(None)
        }
    }
    .map(|keys| {
        keys.map(|mut keys| {
            keys.origin = out.field("External-Identifier").unwrap_or_default().to_owned();
            out.origin.clone_from(&keys.origin);
            keys
        })
    })
}

fn checkpoint(
    package: &Opened,
    keys: &Keys,
    trust: Option<&Trust>,
    out: &mut Checked,
) -> io::Result<Option<Checkpoint>> {
    let Some(text) = need(package, name::CHECKPOINT, MAX_NOTE, out)? else { return Ok(None) };
    let opened = Note::parse(&text).map_err(|e| e.to_string()).and_then(|note| {
        let (checkpoint, by) = keys.open(&note)?;
        Ok((note, checkpoint, by))
    });
    let (note, checkpoint, by) = match opened {
        Ok(opened) => opened,
        Err(e) => {
            out.find(name::CHECKPOINT, e);
            return Ok(None);
        }
    };
    if checkpoint.origin != out.origin {
        out.find(name::CHECKPOINT, "it is of another log than bag-info.txt names");
    }
    out.log_size = checkpoint.size;
    out.witnesses = by;
    if let Some(trust) = trust {
        match trust.policy_of(&note) {
            Err(e) => out.find(name::CHECKPOINT, format!("by the trust file: {e}")),
            Ok(policy) => {
                out.signer_confirmed = true;
                let wanted = policy.quorum;
                match (Policy { quorum: 0, ..policy }).open(&note) {
                    // Who brings a file of his own takes nobody else's word on who is a witness.
                    Ok(Witnessed { by, .. }) => {
                        let others = out.witnesses.len().saturating_sub(by.len());
                        if by.len() < wanted {
                            let e = ProofError::Unwitnessed { found: by.len(), wanted };
                            out.find(name::CHECKPOINT, format!("by the trust file: {e}"));
                        }
                        if others > 0 {
                            out.notes.push(format!(
                                "{}: {others} of its cosignatures are by witnesses whom the package \
                                 names and the trust file does not: they do not count",
                                name::CHECKPOINT
                            ));
                        }
                        out.witnesses_confirmed = !by.is_empty();
                        out.witnesses = by;
                    }
                    Err(e) => out.find(name::CHECKPOINT, e.to_string()),
                }
            }
        }
    }
    Ok(Some(checkpoint))
}

/// The record of the package: note, proof, and that its checkpoint goes on from the package's.
fn own_record(
    package: &Opened,
    keys: &Keys,
    checkpoint: &Checkpoint,
    trust: Option<&Trust>,
    out: &mut Checked,
) -> io::Result<()> {
    if let Some(text) = need(package, name::NOTE, MAX_NOTE, out)? {
        let now = keys.own.keys_of(&keys.origin).map(|keys| keys.now().clone());
        match now.map(|now| PackageNote::open(&text, &now)) {
            Some(Ok(note)) => {
                out.record = Some(note.record);
                // Of genuine records anybody could make another selection, under a key of his own.
                if let Some(trust) = trust
                    && !signs(package, trust, &text)?
                {
                    let what =
                        "by the trust file: no key that it names signs at that size of the log";
                    out.find(name::NOTE, what);
                }
                if note.origin != out.origin {
                    out.find(name::NOTE, "it is of a package of another log");
                }
                if Some(note.manifest) != out.manifest {
                    out.find(name::TAGS, "it is not the one that was signed (package.note)");
                }
            }
            Some(Err(e)) => out.find(name::NOTE, e.to_string()),
            None => out.find(name::KEYS, "it names no key of this log"),
        }
    }
    let mut ends = None;
    if let Some(text) = need(package, name::PROOF, MAX_PROOF as u64, out)? {
        match proof(&text, keys, out) {
            Ok((end, note)) => {
                if let Some(Err(e)) = trust.map(|trust| trust.policy_of(&note)) {
                    out.find(name::PROOF, format!("by the trust file: {e}"));
                }
                ends = Some(end);
            }
            Err(e) => out.find(name::PROOF, e),
        }
    }
    if let Some(text) = need(package, name::CONSISTENCY, MAX_CONSISTENCY as u64, out)? {
        let found = Consistency::parse(&text).map_err(|e| e.to_string()).and_then(|proof| {
            keys.open(&proof.checkpoint)?;
            proof.check(checkpoint).map_err(|e| e.to_string())
        });
        match found {
            Ok(end) if ends.as_ref().is_none_or(|wanted| *wanted == end) => {}
            Ok(_) => out.find(name::CONSISTENCY, "it ends elsewhere than package.tlog-proof"),
            Err(e) => out.find(name::CONSISTENCY, e),
        }
    }
    Ok(())
}

/// True where the note is signed by a key that the reader's file takes for the checkpoint which ends
/// the proof of the package's record: a former key counts up to where it was replaced.
fn signs(package: &Opened, trust: &Trust, note: &str) -> io::Result<bool> {
    let Some(text) = package.text(name::PROOF, MAX_PROOF as u64)? else { return Ok(false) };
    let policy = Proof::parse(&text).ok().and_then(|proof| trust.policy_of(&proof.checkpoint).ok());
    Ok(policy.is_some_and(|policy| PackageNote::open(note, &policy.log).is_ok()))
}

fn proof(text: &str, keys: &Keys, out: &Checked) -> Result<(Checkpoint, Note), String> {
    let proof = Proof::parse(text).map_err(|e| e.to_string())?;
    let (end, _) = keys.open(&proof.checkpoint)?;
    let entry = proof.extra.as_deref().ok_or("it carries no record")?;
    proof.leads_to(&leaf_hash(entry).0).map_err(|e| e.to_string())?;
    let record = Record::parse(entry).map_err(|e| e.to_string())?;
    let manifest = record.public.get("manifest").and_then(Canon::as_text);
    if record.kind != "package.made" {
        return Err(format!("its record is of the kind {}, not package.made", record.kind));
    }
    if manifest.map(str::to_owned) != out.manifest.map(|m| m.to_string()) {
        return Err("its record is of another package: it names another tag manifest".to_owned());
    }
    if out.record.is_some_and(|record| record != proof.index) {
        return Err("it is of another record than package.note names".to_owned());
    }
    Ok((end, proof.checkpoint))
}

/// Each line of `data/records.jsonl`, and the exhibits that it leads to.
fn records(
    package: &Opened,
    checkpoint: &Checkpoint,
    progress: &dyn Fn(u64),
    out: &mut Checked,
) -> io::Result<Stamped> {
    let mut stamped = Stamped::default();
    let mut unnamed: BTreeSet<&str> = package
        .files
        .keys()
        .map(String::as_str)
        .filter(|f| f.starts_with(name::EXHIBITS))
        .collect();
    if !package.files.contains_key(name::RECORDS) {
        return Ok(stamped); // told by the manifest
    }
    let mut from = BufReader::with_capacity(1 << 18, package.reader(name::RECORDS)?);
    let mut last = None;
    for number in 1u64.. {
        let mut line = Vec::new();
        let n = from.by_ref().take(MAX_LINE as u64 + 1).read_until(b'\n', &mut line)?;
        if n == 0 {
            break;
        }
        let place = format!("{} line {number}", name::RECORDS);
        let Some(line) = line.strip_suffix(b"\n") else {
            out.find(place, "it has no end, or is longer than it may be");
            break;
        };
        let line = match Disclosed::parse(line) {
            Ok(line) => line,
            Err(e) => {
                out.find(place, e.to_string());
                continue;
            }
        };
        if last.is_some_and(|last| last >= line.index) {
            out.find(&place, "records are not in the order of the log");
        }
        last = Some(line.index);
        let place = format!("record {} ({place})", line.index);
        let leaf = leaf_hash(&line.entry).0;
        if !is_included(&leaf, line.index, checkpoint.size, &line.proof, &checkpoint.root) {
            out.find(&place, "its proof does not lead to the checkpoint: it is not in the log so");
        }
        let record = match line.record() {
            Ok(record) => record,
            Err(e) => {
                out.find(&place, e.to_string());
                continue;
            }
        };
        match record.check_fields() {
            Ok(()) => {}
            Err(e @ RecordError::Kind(_)) => out.notes.push(format!("{place}: {e}")),
            Err(e) => out.find(&place, e.to_string()),
        }
        out.records += 1;
        out.hidden += (record.committed.len() - line.opening.fields.len()) as u64;
        let home = format!("{}{:012}/", name::EXHIBITS, line.index);
        for file in &line.files {
            if !file.starts_with(&home) || !unnamed.remove(file.as_str()) {
                out.find(&place, format!("its file {file} is missing, or another record's"));
            }
        }
        if !line.files.iter().all(|file| package.files.contains_key(file)) {
            continue;
        }
        if record.kind == "exhibit.sealed" {
            exhibit(package, &line, &record, &place, progress, out)?;
        } else if !line.files.is_empty() || line.part.is_some() {
            out.find(&place, "it seals no exhibit, but names files");
        } else if record.kind.ends_with(".stamped") {
            stamp(&line, &record, &place, checkpoint, &mut stamped, out);
        }
    }
    for file in unnamed {
        out.find(file, "no record leads to it");
    }
    Ok(stamped)
}

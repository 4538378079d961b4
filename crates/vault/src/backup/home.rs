//! Backup of an authority's own folder (`HOME/authorities/NAME`): its log, the openings of that log's
//! records, the last checkpoints that it has seen of its other logs, and its key where that is under a
//! passphrase.
//!
//! The key that signs the checkpoint stands beside it as `key-next` before the checkpoint is put, and
//! as `key` after: what is there at any instant is a folder that [`ledger::Authority`] can use.

use std::path::Path;

use ledger::disk;
use ledger::{Authority, Checkpoint, Finding, Home, Reader, VerifierKey, Wait};
use model::Sha256Hex;

use super::CHECKPOINT;
use super::copy::{Own, Run, read, sizes};
use super::error::{Error, Result};
use super::restore::Copy;
use super::run::{Made, begin};
use super::store::{Store, get};
use crate::keys::{finish_log, keys, keys_of, own_log, rotations};
use crate::openings::names;
use crate::verify::authority::{MAX_OPENING, proven};

const KEY: &str = "key";
const NEXT: &str = "key-next";
/// The first public key: with the log's rotations it proves the log where no private key is at hand.
const PUBLIC: &str = "public";
const OPENINGS: &str = "openings";
const SEEN: &str = "seen";
/// The most bytes of a checkpoint that was seen, and of a key's file.
const MAX_SEEN: u64 = 4096;
const MAX_KEY: u64 = 8192;

/// Whether the private key is in a backup.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKept {
    /// It is under a passphrase, and in the backup as it is.
    Sealed,
    /// It is in the clear, and not in the backup.
    Clear,
}

/// Brings the backup of an authority's own folder up to it.
///
/// # Errors
/// No key, or no passphrase; a destination of another authority, or of which this one's log is no
/// continuation; locks; the store; the disk.
pub fn run_home(
    home: &Home,
    name: &str,
    store: &dyn Store,
    check: bool,
    holder: &str,
) -> Result<(Made, KeyKept)> {
    let authority = home.find(name)?;
    authority.unlock()?; // before others wait for the lock
    let lock = authority.lock(holder, Wait::Wait)?;
    let (authority, _) = authority.reread()?.settle(&lock)?;
    if !authority.log_dir().is_dir() {
        return Err(Error::Nothing(name.to_owned()));
    }
    finish_log(&authority, own_log(&authority)?)?;
    let log = authority.reader()?;
    if log.size() == 0 {
        return Err(Error::Nothing(name.to_owned()));
    }
    let keys = keys_of(&log, name, &authority)?;
    let mut made = Made::new(Sha256Hex(log.root_at(log.size())?), check);
    let kept = if authority.is_sealed() { KeyKept::Sealed } else { KeyKept::Clear };
    let log_dir = authority.log_dir();
    let dir = log_dir.parent().unwrap_or(&log_dir);
    let findings = proven(dir, &keys, &[])?.0;
    if !findings.is_empty() {
        (made.findings, made.refused) = (findings, true);
        return Ok((made, kept));
    }
    let own = Own { dir, origin: name, log: &log, keys: &keys };
    let _lock = store.lock(holder)?;
    let head = begin(&own, store, &mut made)?;
    let mut run = Run::new(&own, store, made, &|_| {});
    run.kept_files(OPENINGS, MAX_OPENING)?;
    run.kept_files(SEEN, MAX_SEEN)?;
    let first = format!("{}\n", keys.first().text());
    run.put_other(PUBLIC, first.as_bytes())?;
    let tiles = run.tiles()?;
    let text = (kept == KeyKept::Sealed).then(|| read(&dir.join(KEY), MAX_KEY)).transpose()?;
    let there = get(store, KEY, MAX_KEY)?;
    if let Some(text) = &text
        && there.as_ref() != Some(text)
    {
        run.put_other(NEXT, text)?;
    }
    run.flush()?;
    run.checkpoint(&head)?;
    match (&text, there) {
        (Some(text), there) => {
            if there.as_ref() != Some(text) {
                store.put(KEY, text)?;
            }
            store.destroy(NEXT)?;
        }
        // One that signs nothing any more, or was left by a run that was cut off.
        (None, Some(there)) if !is_of(&there, keys.now()) => store.destroy(KEY)?,
        (None, _) => {}
    }
    run.outgrown(&tiles)?;
    run.witnessed()?;
    Ok((run.made, kept))
}

/// True where a key's file under a passphrase is of that public key.
fn is_of(file: &[u8], key: &VerifierKey) -> bool {
    String::from_utf8_lossy(file).split(' ').nth(1) == Some(key.text().as_str())
}

impl Run<'_> {
    /// Small files of the authority's folder. What the backup knows more of is left as it is.
    fn kept_files(&mut self, folder: &str, most: u64) -> Result<()> {
        let there = sizes(self.store.list(folder)?);
        // What it has seen of its own log would be ahead of the copy where a run is cut off.
        let own = ledger::seen_name(self.own.origin);
        for file in names(&self.own.dir.join(folder))? {
            let name = format!("{folder}/{file}");
            let known = if folder == SEEN {
                file.len() == 64 && file != own && file.bytes().all(|b| b.is_ascii_hexdigit())
            } else {
                file.parse::<u64>().is_ok_and(|record| record < self.made.size)
            };
            if !known {
                continue;
            }
            let bytes = read(&self.own.dir.join(&name), most)?;
            if folder == SEEN && there.contains_key(&name) {
                let held = get(self.store, &name, most)?.unwrap_or_default();
                if size_of(&held) > size_of(&bytes) {
                    let what = "the backup has seen more of that log than the authority's folder: it \
                                went back";
                    self.find(name, what);
                    continue;
                }
            }
            self.put_other(&name, &bytes)?;
        }
        Ok(())
    }

    /// Puts an object where it is not there as it is.
    fn put_other(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let found = get(self.store, name, 1 << 30)?;
        match found {
            Some(found) if found == bytes => Ok(()),
            Some(_) => {
                self.store.put(name, bytes)?;
                self.made.copied += 1;
                self.made.copied_bytes += bytes.len() as u64;
                Ok(())
            }
            None => self.put(name, bytes),
        }
    }
}

/// True where a note is the checkpoint of the log whose origin gives its file's name, by one of these
/// keys under that origin.
fn is_seen(file: &str, note: &str, known: &[&VerifierKey]) -> bool {
    let Ok(checkpoint) = Checkpoint::parse_unverified(note) else { return false };
    let origin = &checkpoint.origin;
    let signed = |key: &&VerifierKey| key.renamed(origin).is_ok_and(|key| key.open(note).is_ok());
    ledger::seen_name(origin) == file && known.iter().any(signed)
}

/// The size that a checkpoint states, without its signature.
fn size_of(note: &[u8]) -> u64 {
    let text = String::from_utf8_lossy(note);
    Checkpoint::parse_unverified(&text).map_or(0, |checkpoint| checkpoint.size)
}

/// An authority's folder that was copied out of a backup, and proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// Its name.
    pub name: String,
    /// Records of its log, and their root.
    pub size: u64,
    /// See `size`.
    pub root: Sha256Hex,
    /// The public key that signs now, as notes write it.
    pub key: String,
    /// The first one.
    pub first: String,
    /// True where the private key came along, under its passphrase.
    pub with_key: bool,
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// What is worth knowing.
    pub notes: Vec<String>,
}

/// Copies an authority's folder out of its backup into `dir/authorities/NAME`, and proves it there.
/// All that can be copied is, damaged or not.
///
/// # Errors
/// No backup of an authority; the store; the disk.
pub fn copy_home_out(store: &dyn Store, dir: &Path) -> Result<Copied> {
    let origin = super::origin_at(store)?;
    if let Some(case) = origin.filter(|origin| origin.contains('/')) {
        return Err(Error::OfCase(store.shown(), case));
    }
    let name = match super::held::checkpoint_of(store)? {
        Some((_, checkpoint)) => checkpoint.origin,
        None => String::new(),
    };
    // A name is no path.
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.';
    if !name.bytes().all(fits) || name.starts_with('.') {
        return Err(super::held::damaged(store, CHECKPOINT, "is of no authority"));
    }
    let dir = dir.join("authorities").join(&name);
    disk::create_dir(&dir.join("ledger"))?;
    let (mut copy, note, checkpoint) = Copy::begin(store, &dir)?;
    copy.log(checkpoint.size)?;
    for (folder, of) in [(OPENINGS, (MAX_OPENING, 0o600)), (SEEN, (MAX_SEEN, 0o644))] {
        for item in store.list(folder)? {
            let file = item.name.rsplit('/').next().unwrap_or_default();
            let record = file.parse::<u64>().is_ok_and(|record| record < checkpoint.size);
            if (record || folder == SEEN) && file.bytes().all(|b| b.is_ascii_hexdigit()) {
                copy.with_mode(&item.name, &format!("{folder}/{file}"), of)?;
            }
        }
    }
    for key in [KEY, NEXT] {
        copy.with_mode(key, key, (MAX_KEY, 0o600))?;
    }
    copy.flush()?;
    disk::write(&dir.join(CHECKPOINT), note.as_bytes())?;
    let mut copied = Copied {
        name,
        size: checkpoint.size,
        root: Sha256Hex(checkpoint.root),
        key: String::new(),
        first: String::new(),
        with_key: false,
        findings: std::mem::take(&mut copy.findings),
        notes: Vec::new(),
    };
    let public = get(store, PUBLIC, MAX_KEY)?.unwrap_or_default();
    copied.prove(&dir, String::from_utf8_lossy(&public).trim_end())?;
    Ok(copied)
}

impl Copied {
    fn find(&mut self, place: &str, message: impl Into<String>) {
        self.findings.push(Finding { place: place.to_owned(), message: message.into() });
    }

    fn prove(&mut self, dir: &Path, public: &str) -> Result<()> {
        let Ok(first) = VerifierKey::parse(public) else {
            self.find(PUBLIC, "it holds no public key");
            return Ok(());
        };
        let handed_on = Reader::open(&dir.join("ledger")).map_err(crate::Error::from);
        let handed_on = match handed_on.and_then(|log| rotations(&log)) {
            Ok(found) => found,
            Err(e) => {
                self.find("ledger", e.to_string());
                Vec::new()
            }
        };
        if handed_on.first().is_some_and(|rotation| rotation.old != first) {
            self.find(PUBLIC, "it is not the key that the log's first rotation replaces");
        }
        let keys = keys(&first, &handed_on);
        let (mut findings, notes) = proven(dir, &keys, &[])?;
        self.findings.append(&mut findings);
        self.notes.extend(notes);
        let known: Vec<_> =
            handed_on.iter().map(|rotation| &rotation.new).chain([&first]).collect();
        for file in names(&dir.join(SEEN))? {
            let place = format!("{SEEN}/{file}");
            let note = read(&dir.join(&place), MAX_SEEN)?;
            if !is_seen(&file, &String::from_utf8_lossy(&note), &known) {
                self.find(&place, "it is no checkpoint that a key of this authority signed");
            }
        }
        (self.first, self.key) = (first.text(), keys.now().text());
        let home = dir.parent().and_then(Path::parent).map(Home::new);
        let authority = home.map(|home| home.find(&self.name));
        match authority {
            Some(Ok(authority)) => self.with_key = self.is_the_key(&authority, keys.now()),
            Some(Err(e)) if !e.is_missing() => self.find(KEY, e.to_string()),
            _ => {}
        }
        Ok(())
    }

    fn is_the_key(&mut self, authority: &Authority, now: &VerifierKey) -> bool {
        let same = authority.verifier(&self.name).is_ok_and(|key| key == *now);
        if !same {
            self.find(KEY, "it is not the key that signs the log now");
        }
        same
    }
}

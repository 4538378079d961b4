//! Two files. `exhibits-…`, named after its digest: which records speak of which exhibit ([`vault::index`]). And
//! `state`, which names it: the table of values, the lines, a signed note that says how long these are and what
//! digests they have, and the note's length, u32, little-endian.
//!
//! ```text
//! vigie/shield-state
//! example.org/shield
//! version 2.3
//! records 20000000 <root, hex>
//! table 481036288 <SHA-256, hex>
//! lines 31457280 <SHA-256, hex>
//! exhibits 10000000 <digest, hex>
//!
//! — example.org/shield <signature>
//! ```
//!
//! The note's first line is no origin of a log, so that it is never taken for a checkpoint, nor one for it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ledger::disk::{self, Pending, shred};
use ledger::note::MAX_CHECKPOINT;
use ledger::{Checkpoint, Keys, Note, SigningKey};
use model::Sha256Hex;
use sha2::{Digest, Sha256};
use shield::order::values::table::Table;
use vault::index::{Index, Summed};

use super::lines::{self, Lines};
use super::{Use, path};
use crate::clearing::replay::Standing;
use crate::{Error, Result};

/// What the lines are here, and what records come to: a change of either is another version. Beside it stands
/// that of the machine ([`shield::order::kept::VERSION`]).
const VERSION: u32 = 5;
const FIRST: &str = "vigie/shield-state";
/// The most bytes of a file: more is not read.
pub(super) const MAX_FILE: u64 = 8 << 30;
/// What is written or read at once.
const STEP: usize = 1 << 20;
/// So many bytes wait to be flushed at the most.
const SETTLE: u64 = 8 << 20;
const LENGTH: u64 = 4;

/// How long the two parts are and how many rows the other file has, with their digests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::clearing) struct Digests {
    table: (u64, Sha256Hex),
    lines: (u64, Sha256Hex),
    pub(super) exhibits: Summed,
}

/// What the note says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::clearing) struct Head {
    pub(in crate::clearing) origin: String,
    pub(in crate::clearing) records: u64,
    pub(in crate::clearing) root: Sha256Hex,
    pub(in crate::clearing) digests: Digests,
}

impl Head {
    fn text(&self) -> String {
        let Self { origin, records, root, digests } = self;
        let Digests { table, lines, exhibits } = digests;
        format!(
            "{FIRST}\n{origin}\nversion {}\nrecords {records} {root}\ntable {} {}\nlines {} {}\n\
             exhibits {} {}\n",
            version(),
            table.0,
            table.1,
            lines.0,
            lines.1,
            exhibits.rows,
            exhibits.digest,
        )
    }

    /// What a text says that [`Head::text`] made.
    fn read(text: &str) -> Use<Self> {
        let odd = || "its head is none of these".to_owned();
        let mut lines = text.lines();
        let mut line = |word: &str| lines.next()?.strip_prefix(word);
        line(FIRST).ok_or_else(odd)?;
        let origin = line("").ok_or_else(odd)?.to_owned();
        if line("version ").ok_or_else(odd)? != version() {
            return Err("another version of vigie wrote it".to_owned());
        }
        let mut pair = |word: &str| -> Option<(u64, Sha256Hex)> {
            let (number, hash) = line(word)?.split_once(' ')?;
            Some((number.parse().ok()?, hash.parse().ok()?))
        };
        let (records, root) = pair("records ").ok_or_else(odd)?;
        let table = pair("table ").ok_or_else(odd)?;
        let lines = pair("lines ").ok_or_else(odd)?;
        let (rows, digest) = pair("exhibits ").ok_or_else(odd)?;
        let digests = Digests { table, lines, exhibits: Summed { rows, digest } };
        let head = Self { origin, records, root, digests };
        if head.text() == text { Ok(head) } else { Err(odd()) }
    }
}

fn version() -> String {
    format!("{}.{VERSION}", shield::order::kept::VERSION)
}

/// The head of a file, where a key signed it that counts for so many records. The file is at its beginning then.
pub(super) fn head(file: &mut File, keys: &Keys) -> Use<Head> {
    let told = |e: std::io::Error| e.to_string();
    let size = file.metadata().map_err(told)?.len();
    let short = || "it was cut short".to_owned();
    let mut length = [0; LENGTH as usize];
    let end = size.checked_sub(LENGTH).ok_or_else(short)?;
    file.seek(SeekFrom::Start(end)).map_err(told)?;
    file.read_exact(&mut length).map_err(told)?;
    let length = u64::from(u32::from_le_bytes(length));
    let start = end.checked_sub(length).ok_or_else(short)?;
    if length > MAX_CHECKPOINT as u64 || size > MAX_FILE {
        return Err(short());
    }
    file.seek(SeekFrom::Start(start)).map_err(told)?;
    let mut note = String::new();
    (&mut *file).take(length).read_to_string(&mut note).map_err(told)?;
    let note = Note::parse(&note).map_err(|e| e.to_string())?;
    let head = Head::read(&note.text)?;
    keys.at(head.records)
        .open_note(&note)
        .map_err(|_| "this log's key did not sign it".to_owned())?;
    let Digests { table, lines, .. } = &head.digests;
    if table.0.checked_add(lines.0) != Some(start) {
        return Err(short());
    }
    file.seek(SeekFrom::Start(0)).map_err(told)?;
    Ok(head)
}

/// How the files of exhibits begin.
const EXHIBITS: &str = "exhibits-";

/// The file of exhibits that has a digest.
pub(super) fn exhibits_path(dir: &Path, summed: &Summed) -> PathBuf {
    let digest = summed.digest.to_string();
    path(dir).with_file_name(format!("{EXHIBITS}{}", digest.get(..16).unwrap_or_default()))
}

/// The files of exhibits that are there.
pub(super) fn exhibits_there(dir: &Path) -> Vec<PathBuf> {
    let all = path(dir).parent().and_then(|folder| folder.read_dir().ok());
    let names = all.into_iter().flatten().flatten();
    let of = |name: &std::ffi::OsStr| name.as_encoded_bytes().starts_with(EXHIBITS.as_bytes());
    names.filter(|entry| of(&entry.file_name())).map(|entry| entry.path()).collect()
}

/// The table of exhibits that a head names. Of its pages none is read.
pub(super) fn exhibits(dir: &Path, head: &Head) -> Use<Index> {
    let summed = head.digests.exhibits;
    Index::open(&exhibits_path(dir, &summed), summed).map_err(|e| e.found())
}

/// What a file holds, whose head was read. Of ten million values the table's digest takes as long as all the rest, so
/// that it is made beside it, of the bytes that stand in memory; nothing of the file is given before it holds.
pub(super) fn standing(file: &mut File, head: &Head) -> Use<Standing> {
    let told = |e: std::io::Error| e.to_string();
    let Digests { table, lines, .. } = head.digests;
    let mut bytes = Vec::new();
    let size = usize::try_from(table.0).map_err(|_| changed())?;
    bytes.try_reserve_exact(size).map_err(|e| e.to_string())?;
    (&mut *file).take(table.0).read_to_end(&mut bytes).map_err(told)?;
    let bytes = Arc::new(bytes);
    std::thread::scope(|beside| {
        let hashed = Arc::clone(&bytes);
        let hash = move || Sha256Hex(Sha256::digest(hashed.as_slice()).into());
        let digest = std::thread::Builder::new().name("digest".to_owned());
        // Where no thread is to be had it is of no use, as where it is damaged: the log is applied.
        let digest = digest.spawn_scoped(beside, hash).map_err(|e| e.to_string())?;
        let opened = Table::open(bytes).ok_or_else(changed)?;
        let standing = rest(file, lines, opened);
        let digest = digest.join().map_err(|_| "its digest could not be made".to_owned())?;
        if digest == table.1 { standing } else { Err(changed()) }
    })
}

fn changed() -> String {
    "it was changed since it was written".to_owned()
}

/// What stands behind the table.
fn rest(file: &mut File, lines: Of, table: Table) -> Use<Standing> {
    let told = |e: std::io::Error| e.to_string();
    let mut reading = Lines::new(table);
    let mut hashing = Hashing { from: file.take(lines.0), hash: Sha256::new() };
    let mut input = BufReader::with_capacity(STEP, &mut hashing);
    let mut line = Vec::new();
    loop {
        line.clear();
        input.read_until(b'\n', &mut line).map_err(told)?;
        let Some((b'\n', line)) = line.split_last() else { break };
        reading.line(line).map_err(|e| format!("it holds what it cannot: {e}"))?;
    }
    if !line.is_empty() || Sha256Hex(hashing.hash.finalize().into()) != lines.1 {
        return Err(changed());
    }
    reading.end().map_err(|e| format!("it holds what it cannot: {e}"))
}

/// Hashes what is read through it.
struct Hashing<R> {
    from: R,
    hash: Sha256,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = self.from.read(into)?;
        self.hash.update(into.get(..read).unwrap_or_default());
        Ok(read)
    }
}

/// Puts files in place of those that are there: whole or not at all, since the one that is signed names the other,
/// and is the last to have its name. What was there is overwritten: an erasure that comes later cannot reach it any
/// more. Where a house looks up in a table, it is `used`, and goes on in the new one before that.
pub(super) fn write(
    dir: &Path,
    standing: &Standing,
    at: &Checkpoint,
    signer: &SigningKey,
    used: Option<&Index>,
) -> Result<()> {
    let path = path(dir);
    let folder = path.parent().unwrap_or(dir);
    disk::create_dir(folder).map_err(vault::Error::from)?;
    // What a crash left half written.
    shred::sweep(folder).map_err(vault::Error::from)?;
    let mut pending = Pending::new(folder).map_err(vault::Error::from)?;
    let exhibits = table(standing, &mut |bytes| put(&mut pending, bytes))?;
    let named = exhibits_path(dir, &exhibits);
    // The same table may be in use: it is not overwritten while it is sound. What was written of it goes with the rest.
    let is_there = |index: Index| index.rows().all(|row| row.is_ok());
    let _same = if Index::open(&named, exhibits).is_ok_and(is_there) {
        Some(pending)
    } else {
        shred::persist(pending, &named).map_err(vault::Error::from)?;
        None
    };
    let mut pending = Pending::new(folder).map_err(vault::Error::from)?;
    let (table, lines) = parts(standing, &mut |bytes| put(&mut pending, bytes))?;
    let digests = Digests { table, lines, exhibits };
    let origin = at.origin.clone();
    let head = Head { origin, records: at.size, root: Sha256Hex(at.root), digests };
    let note = signer.note(head.text()).to_string();
    let length = u32::try_from(note.len()).unwrap_or(u32::MAX).to_le_bytes();
    let ended = pending.append(&[note.as_bytes(), &length].concat());
    ended.and_then(|()| shred::persist(pending, &path)).map_err(vault::Error::from)?;
    if let Some(used) = used {
        used.renew(Index::open(&named, exhibits)?);
    }
    tidy(dir, &exhibits)
}

/// Overwrites and removes what lies beside the state and the table that it names.
pub(super) fn tidy(dir: &Path, named: &Summed) -> Result<()> {
    let named = exhibits_path(dir, named);
    for other in exhibits_there(dir).iter().filter(|other| **other != named) {
        shred::shred(other).map_err(vault::Error::from)?;
    }
    let path = path(dir);
    Ok(shred::sweep(path.parent().unwrap_or(dir)).map_err(vault::Error::from)?)
}

/// Writes a piece, and has the disk take it before the next: acts are flushed to the same disk meanwhile.
fn put(pending: &mut Pending, bytes: &[u8]) -> Result<()> {
    let before = pending.len() / SETTLE;
    pending.append(bytes).map_err(vault::Error::from)?;
    if pending.len() / SETTLE > before {
        pending.settle().map_err(vault::Error::from)?;
    }
    Ok(())
}

/// The digests that a standing's file would have.
pub(in crate::clearing) fn digests(standing: &Standing) -> Result<Digests> {
    let (table, lines) = parts(standing, &mut |_| Ok(()))?;
    Ok(Digests { table, lines, exhibits: self::table(standing, &mut |_| Ok(()))? })
}

/// Gives the file of exhibits, in pieces that are worth a write.
fn table(standing: &Standing, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<Summed> {
    let mut part = Part::new(out);
    let summed = standing.spoken.table(&mut |bytes| part.put(bytes))?;
    part.end()?;
    Ok(summed)
}

/// How long a part is, and its digest.
type Of = (u64, Sha256Hex);

/// Gives both parts of a file, in pieces that are worth a write.
fn parts(standing: &Standing, out: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<(Of, Of)> {
    let mut part = Part::new(out);
    standing.state.table(&mut |bytes| part.put(bytes))?;
    let table = part.end()?;
    let mut part = Part::new(out);
    lines::write(standing, &mut |bytes| part.put(bytes).map_err(Failed)).map_err(|e| e.0)?;
    Ok((table, part.end()?))
}

/// What went wrong while lines were written.
struct Failed(Error);

impl From<serde_json::Error> for Failed {
    fn from(error: serde_json::Error) -> Self {
        Self(Error::Beside(format!("what the log comes to has no writing: {error}")))
    }
}

struct Part<'a> {
    out: &'a mut dyn FnMut(&[u8]) -> Result<()>,
    buffer: Vec<u8>,
    length: u64,
    hash: Sha256,
}

impl<'a> Part<'a> {
    fn new(out: &'a mut dyn FnMut(&[u8]) -> Result<()>) -> Self {
        Self { out, buffer: Vec::new(), length: 0, hash: Sha256::new() }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= STEP { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.hash.update(&self.buffer);
        self.length += self.buffer.len() as u64;
        (self.out)(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn end(mut self) -> Result<(u64, Sha256Hex)> {
        self.flush()?;
        Ok((self.length, Sha256Hex(self.hash.finalize().into())))
    }
}

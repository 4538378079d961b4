//! Making a package: what is disclosed is read and hashed, pages are added, then all is written in
//! one go. Between the two the tag manifest's digest goes into the log.
//!
//! Memory: the disclosed records with their openings and proofs, never exhibits.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

use flate2::Crc;
use ledger::note::{Checkpoint, Note};
use model::record::{Body, Opening, Record};
use model::{Canon, Sha256Hex};
use sha2::{Digest, Sha256};

use super::line::{Disclosed, LineError};
use super::manifest::{self, Digests};
use super::zip::{Entry, Writer};
use super::{BAGIT, TOP, name, safe_name};
use crate::case::Case;
use crate::disclose::{Part, PartError, leaf_len};
use crate::ggm::Node;
use crate::salted::LEAF;

/// What of a record's exhibit is disclosed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// The record alone.
    Record,
    /// The whole exhibit that it seals.
    Whole,
    /// These runs of the exhibit's leaves, as [`crate::disclose::widen`] gives them; at least one.
    Parts(Vec<Range<u64>>),
}

/// A record that is disclosed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// Its index.
    pub index: u64,
    /// Fields that stay hidden.
    pub hide: BTreeSet<String>,
    /// What of its exhibit goes along.
    pub shown: Shown,
}

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// For whom it is.
    pub recipient: String,
    /// The handling code.
    pub handling: String,
    /// What restricts its use, in words.
    pub restriction: Option<String>,
    /// When it is made: milliseconds since 1970.
    pub made_ms: i64,
    /// Keys of log and witnesses, in the words of a trust file.
    pub keys: String,
}

impl DraftError {
    /// True where something else must be asked for: the case and the disk are as they should be.
    pub fn is_asked(&self) -> bool {
        matches!(self, Self::Part { .. } | Self::Asked { .. })
    }
}

/// Why a package cannot be made. No package was written.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// In the case.
    #[error(transparent)]
    Vault(#[from] crate::Error),
    /// A record that cannot be disclosed.
    #[error("record {index}: {source}")]
    Line {
        /// Which.
        index: u64,
        /// Why.
        source: LineError,
    },
    /// A part that cannot be taken, such as one that was erased.
    #[error("the exhibit of record {index}: {source}")]
    Part {
        /// The sealing record.
        index: u64,
        /// Why.
        source: PartError,
    },
    /// What is asked for is not there.
    #[error("record {index}: {what}")]
    Asked {
        /// The record.
        index: u64,
        /// What is missing.
        what: &'static str,
    },
    /// Bytes that are not those that were sealed.
    #[error(
        "{} is not what record {index} seals: it changed. `vigie verify` tells every place",
        path.display()
    )]
    Changed {
        /// The sealing record.
        index: u64,
        /// The file.
        path: PathBuf,
    },
    /// Reading or writing.
    #[error("cannot {action} {}", path.display())]
    Disk {
        /// What was tried.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
}

enum From {
    Bytes(Vec<u8>),
    File { path: PathBuf, range: Range<u64> },
}

/// A file of the package.
struct Piece {
    size: u64,
    crc: u32,
    sha256: Sha256Hex,
    from: From,
}

impl Piece {
    fn of(bytes: Vec<u8>) -> Self {
        let mut crc = Crc::new();
        crc.update(&bytes);
        let (size, crc) = (bytes.len() as u64, crc.sum());
        Self { size, crc, sha256: Sha256Hex::of(&bytes), from: From::Bytes(bytes) }
    }

    fn file(path: &Path, range: Range<u64>, progress: &dyn Fn(u64)) -> Result<Self, DraftError> {
        let disk = |source| DraftError::Disk { action: "read", path: path.to_owned(), source };
        let mut from = slice(path, &range).map_err(disk)?;
        let (mut crc, mut sha, mut size) = (Crc::new(), Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 18];
        loop {
            let n = from.read(&mut buffer).map_err(disk)?;
            if n == 0 {
                break;
            }
            crc.update(&buffer[..n]);
            sha.update(&buffer[..n]);
            size += n as u64;
            progress(n as u64);
        }
        let sha256 = Sha256Hex(sha.finalize().into());
        let from = From::File { path: path.to_owned(), range };
        Ok(Self { size, crc: crc.sum(), sha256, from })
    }
}

fn slice(path: &Path, range: &Range<u64>) -> io::Result<impl Read + use<>> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(range.start))?;
    Ok(file.take(range.end - range.start))
}

/// A package that is being made.
pub struct Draft {
    origin: String,
    info: Info,
    checkpoint: Note,
    lines: Vec<Disclosed>,
    pieces: BTreeMap<String, Piece>,
}

/// A package whose manifests are made: no page can be added any more.
pub struct Sealed {
    pieces: BTreeMap<String, Piece>,
    /// The digest of its tag manifest.
    pub manifest: Sha256Hex,
    /// Entries that the log had at `data/checkpoint`.
    pub log_size: u64,
    /// Bytes of the payload.
    pub bytes: u64,
}

impl Draft {
    /// Takes what is disclosed out of a case whose log is published. `choices` are in the order of
    /// their records. `known` says which signatures of a checkpoint go along: those whose keys
    /// [`Info::keys`] names. `progress` is told the bytes of exhibits that are read.
    ///
    /// # Errors
    /// [`DraftError`].
    pub fn new(
        case: &Case,
        choices: &[Choice],
        info: Info,
        known: &dyn Fn(&ledger::note::Signature) -> bool,
        progress: &dyn Fn(u64),
    ) -> Result<Self, DraftError> {
        let log = case.log();
        let of_log = |e: ledger::Error| DraftError::Vault(e.into());
        let last = choices.last().map_or(0, |choice| choice.index);
        let mut checkpoint = log.prove(last).map_err(of_log)?.checkpoint;
        checkpoint.signatures.retain(known);
        let size = Checkpoint::of_text(&checkpoint.text)
            .map_err(|_| DraftError::Asked { index: last, what: "its checkpoint is none" })?
            .size;
        let mut draft = Self {
            origin: case.origin().to_owned(),
            info,
            checkpoint,
            lines: Vec::with_capacity(choices.len()),
            pieces: BTreeMap::new(),
        };
        for choice in choices {
            let line = draft.take(case, choice, size, progress)?;
            draft.lines.push(line);
        }
        Ok(draft)
    }

    fn take(
        &mut self,
        case: &Case,
        choice: &Choice,
        size: u64,
        progress: &dyn Fn(u64),
    ) -> Result<Disclosed, DraftError> {
        let index = choice.index;
        let log = case.log();
        let of_log = |e: ledger::Error| DraftError::Vault(e.into());
        let (record, whole) = case.record(index)?;
        let mut line = Disclosed {
            index,
            entry: log.entry(index).map_err(of_log)?,
            opening: Opening {
                record: whole.record,
                fields: whole.fields.clone(),
                leaf_secrets: Vec::new(),
                erased: Vec::new(),
            },
            proof: log.inclusion_in(index, size).map_err(of_log)?,
            files: Vec::new(),
            part: None,
            consistency: None,
        };
        line.opening.fields.retain(|field, _| !choice.hide.contains(field));
        if record.kind == "checkpoint.stamped" {
            let over = record.public.get("checkpoint").and_then(Canon::as_text);
            let over = over.and_then(|note| Checkpoint::parse_unverified(note).ok());
            if let Some(over) = over {
                line.consistency = Some(log.consistency_in(over.size, size).map_err(of_log)?);
            }
        }
        if choice.shown != Shown::Record {
            self.exhibit(case, &record, &whole, choice, &mut line, progress)?;
        }
        Ok(line)
    }

    fn exhibit(
        &mut self,
        case: &Case,
        record: &Record,
        whole: &Opening,
        choice: &Choice,
        line: &mut Disclosed,
        progress: &dyn Fn(u64),
    ) -> Result<(), DraftError> {
        let index = choice.index;
        let asked = |what| DraftError::Asked { index, what };
        let Ok(Body::ExhibitSealed(body)) = Body::read_left(record, whole) else {
            return Err(asked("it seals no exhibit, or its exhibit was erased"));
        };
        let shows = |field: &str| line.opening.fields.contains_key(field);
        let named = [("member", &body.member), ("source", &body.source)];
        let file = named
            .iter()
            .find(|(field, _)| shows(field))
            .and_then(|(_, name)| name.as_ref())
            .map_or_else(|| "exhibit".to_owned(), |name| safe_name(&name.shown()));
        let path = case.path(&body.exhibit)?;
        let base = format!("{}{index:012}/{file}", name::EXHIBITS);
        if !shows("size") {
            return Err(asked("its exhibit cannot be disclosed while its size is hidden"));
        }
        if let Shown::Parts(runs) = &choice.shown {
            if shows("exhibit") {
                return Err(asked("the digest of an exhibit that is shown in part stays hidden"));
            }
            line.part = Some(part(&path, index, body.size, &body.root, runs, whole)?);
            for run in runs {
                let range = run.start * LEAF as u64..(run.end * LEAF as u64).min(body.size);
                let file = format!("{base}.{}-{}", range.start, range.end);
                self.pieces.insert(file.clone(), Piece::file(&path, range, progress)?);
                line.files.push(file);
            }
            return Ok(());
        }
        if !shows("exhibit") {
            return Err(asked("a whole exhibit cannot be disclosed while its id is hidden"));
        }
        let piece = Piece::file(&path, 0..body.size, progress)?;
        if piece.sha256.0 != body.exhibit.0 || piece.size != body.size {
            return Err(DraftError::Changed { index, path });
        }
        self.pieces.insert(base.clone(), piece);
        line.opening.leaf_secrets.clone_from(&whole.leaf_secrets);
        line.files.push(base);
        Ok(())
    }

    /// The records as they are disclosed.
    pub fn lines(&self) -> &[Disclosed] {
        &self.lines
    }

    /// What the package says of itself.
    pub fn info(&self) -> &Info {
        &self.info
    }

    /// The log.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The checkpoint that the proofs lead to.
    pub fn checkpoint(&self) -> &Note {
        &self.checkpoint
    }

    /// Adds a page.
    pub fn add(&mut self, name: &str, bytes: Vec<u8>) {
        self.pieces.insert(name.to_owned(), Piece::of(bytes));
    }

    /// Makes the manifests.
    ///
    /// # Errors
    /// A record without a writing.
    pub fn seal(mut self) -> Result<Sealed, DraftError> {
        let mut records = Vec::new();
        for line in &self.lines {
            let of = |source| DraftError::Line { index: line.index, source };
            records.extend(line.to_line().map_err(of)?);
            records.push(b'\n');
        }
        self.add(name::RECORDS, records);
        self.add(name::CHECKPOINT, self.checkpoint.to_string().into_bytes());
        self.add(name::KEYS, self.info.keys.clone().into_bytes());
        self.add(name::BAGIT, BAGIT.into());
        let data = || self.pieces.iter().filter(|(name, _)| name.starts_with("data/"));
        let (bytes, count) = (data().map(|(_, p)| p.size).sum::<u64>(), data().count());
        let digests: Digests = data().map(|(n, p)| (n.clone(), p.sha256)).collect();
        self.add(name::INFO, self.info_text(bytes, count).into_bytes());
        self.add(name::MANIFEST, manifest::write(&digests).into_bytes());
        let tags: Digests = (self.pieces.iter())
            .filter(|(name, _)| !name.starts_with("data/"))
            .map(|(name, piece)| (name.clone(), piece.sha256))
            .collect();
        let tags = manifest::write(&tags).into_bytes();
        let manifest = Sha256Hex::of(&tags);
        self.add(name::TAGS, tags);
        let log_size = Checkpoint::of_text(&self.checkpoint.text).map_or(0, |c| c.size);
        Ok(Sealed { pieces: self.pieces, manifest, log_size, bytes })
    }

    fn info_text(&self, bytes: u64, count: usize) -> String {
        let made = model::record::time_text(self.info.made_ms);
        let mut text = format!(
            "Source-Organization: {}\nExternal-Identifier: {}\nBagging-Date: {}\n\
             Payload-Oxum: {bytes}.{count}\nVigie-Made: {made}\nVigie-Recipient: {}\n\
             Vigie-Handling: {}\n",
            crate::authority_of(&self.origin),
            self.origin,
            &made[..10],
            line_of(&self.info.recipient),
            self.info.handling,
        );
        if let Some(restriction) = &self.info.restriction {
            text.push_str(&format!("Vigie-Restriction: {}\n", line_of(restriction)));
        }
        text
    }
}

/// On one line, as a bag's fields are.
fn line_of(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn part(
    path: &Path,
    index: u64,
    size: u64,
    root: &Sha256Hex,
    runs: &[Range<u64>],
    opening: &Opening,
) -> Result<Part, DraftError> {
    let disk = |source| DraftError::Disk { action: "read", path: path.to_owned(), source };
    let nodes: Vec<Node> = opening.leaf_secrets.iter().filter_map(|n| Node::parse(n)).collect();
    let mut from = BufReader::with_capacity(1 << 18, File::open(path).map_err(disk)?);
    let mut at = 0u64;
    let mut read = |leaf: u64| -> io::Result<Vec<u8>> {
        let begin = leaf * LEAF as u64;
        if begin != at {
            from.seek(SeekFrom::Start(begin))?;
        }
        let mut bytes = vec![0; leaf_len(size, leaf)];
        from.read_exact(&mut bytes)?;
        at = begin + bytes.len() as u64;
        Ok(bytes)
    };
    let of = |source| DraftError::Part { index, source };
    if runs.is_empty() {
        return Err(of(PartError::Runs));
    }
    let part = Part::take(size, runs, &nodes, &[], &mut read).map_err(disk)?.map_err(of)?;
    // The bytes on the disk are those that were sealed.
    match part.check(root, &mut read).map_err(disk)? {
        Ok(()) => Ok(part),
        Err(_) => Err(DraftError::Changed { index, path: path.to_owned() }),
    }
}

impl Sealed {
    /// Writes the package, with the note, the proof of its record and the proof that the record's
    /// checkpoint goes on from the package's. `path` is what `out` writes to, for messages.
    ///
    /// # Errors
    /// The disk; an exhibit that changed since it was read.
    pub fn write<W: Write>(
        mut self,
        note: &Note,
        proof: &ledger::Proof,
        consistency: &ledger::Consistency,
        out: W,
        path: &Path,
        progress: &dyn Fn(u64),
    ) -> Result<W, DraftError> {
        let mut add = |name: &str, text: String| {
            self.pieces.insert(name.to_owned(), Piece::of(text.into_bytes()));
        };
        add(name::NOTE, note.to_string());
        add(name::PROOF, proof.to_string());
        add(name::CONSISTENCY, consistency.to_string());
        let disk = |source| DraftError::Disk { action: "write", path: path.to_owned(), source };
        let mut writer = Writer::new(out);
        for (name, piece) in self.pieces {
            let entry = Entry { name: format!("{TOP}{name}"), size: piece.size, crc: piece.crc };
            match piece.from {
                From::Bytes(bytes) => writer.add(entry, &mut Cursor::new(bytes)).map_err(disk)?,
                From::File { path: file, range } => {
                    let read =
                        |source| DraftError::Disk { action: "read", path: file.clone(), source };
                    writer.add(entry, &mut slice(&file, &range).map_err(read)?).map_err(disk)?;
                }
            }
            progress(piece.size);
        }
        writer.finish().map_err(disk)
    }
}

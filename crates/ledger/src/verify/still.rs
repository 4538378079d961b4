//! A log's files as they stood at one moment, whoever writes to it meanwhile.
//!
//! What a writer replaces or removes is little: the checkpoint, the journals, the partial tiles at the
//! right end, the notes of witnesses. All of that is read at once, and anew where a publishing came in
//! between; full tiles never change, and are read when they are needed. No lock is taken: no writer is
//! held up, one that holds his for hours is no hindrance, and read-only media serve.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::MAX_FILE;
use crate::contradicting::{Contradicting, Unfit};
use crate::error::{Error, Result};
use crate::journal::together;
use crate::note::{Checkpoint, Note};
use crate::reader::Reader;
use crate::store::{Store, partials, read};

/// How long a moment is looked for in which nothing is published. Looking takes milliseconds, and
/// publishing follows on at least as much work; whoever never finds one takes the last he saw.
const MOST: Duration = Duration::from_secs(5);

/// What is told of a file that cannot be read, in place of its bytes.
type Found<T> = std::result::Result<T, String>;

/// The journals and their bytes.
pub(super) type Journals = [(PathBuf, Vec<u8>); 2];

/// A log as it stood at one moment.
#[derive(Debug)]
pub struct Still {
    pub(super) store: Store,
    pub(super) checkpoint: Found<Option<String>>,
    pub(super) journals: Found<Journals>,
    pub(super) witnessed: Found<(Vec<Note>, Vec<Unfit>)>,
    pub(super) contradicting: Found<Contradicting>,
    /// Every file below, one folder at a time, and whether it is a plain one.
    pub(super) files: Vec<(PathBuf, bool)>,
    /// The bytes of the tree's partial tiles: a writer removes those that it has outgrown.
    partial: HashMap<PathBuf, Vec<u8>>,
}

impl Still {
    /// The log in `dir` as it stands now.
    ///
    /// # Errors
    /// A folder that cannot be listed.
    pub fn take(dir: &Path) -> Result<Self> {
        let store = Store { dir: dir.to_owned() };
        let begun = Instant::now();
        loop {
            let late = begun.elapsed() >= MOST;
            match Self::look(&store, late) {
                Ok((still, true)) => return Ok(still),
                Ok((still, false)) if late => return Ok(still),
                Ok(_) => {}
                // A folder was removed with the last file in it, while it was being listed.
                Err(e) if e.is_missing() && dir.is_dir() && !late => {}
                Err(e) => return Err(e),
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// One look, and whether it was of one moment.
    fn look(store: &Store, late: bool) -> Result<(Self, bool)> {
        let checkpoint = told(store.checkpoint());
        let before = told(store.journals());
        let mut files = Vec::new();
        list(&store.dir, Path::new(""), &mut files)?;
        let mut partial = HashMap::new();
        let size = match &checkpoint {
            Ok(Some(note)) => Checkpoint::parse_unverified(note).map_or(0, |c| c.size),
            _ => 0,
        };
        // No more than a few: the tree of one size has one at each level.
        for path in partials(size).map(|tile| tile.path()) {
            match read(&store.dir.join(&path), MAX_FILE + 1) {
                Ok(bytes) => drop(partial.insert(path, bytes)),
                Err(e) if e.is_missing() && !late => return Err(e),
                Err(_) => {} // told where it is wanted
            }
        }
        let witnessed = told(crate::witnessed::witnessed(&store.dir));
        let contradicting = told(crate::contradicting::contradicting(&store.dir));
        // Last: tiles are written of what the journals hold, and never of more.
        let journals = told(store.journals());
        let one = checkpoint == told(store.checkpoint()) && goes_on(&before, &journals);
        let store = store.clone();
        Ok((Self { store, checkpoint, journals, witnessed, contradicting, files, partial }, one))
    }

    /// A file's bytes, as far as they are of a log.
    pub(super) fn read(&self, path: &Path) -> Result<Vec<u8>> {
        match self.partial.get(path) {
            Some(bytes) => Ok(bytes.clone()),
            None => read(&self.store.dir.join(path), MAX_FILE + 1),
        }
    }

    /// The first entry, as far as it can be read without trusting anything: where a caller looks for
    /// the key, having none from outside.
    pub fn first_entry(&self) -> Option<Vec<u8>> {
        let from_tile = || self.store.bundle(0, 1).ok()?.into_iter().next();
        let from_journal = || {
            let journals = self.journals.as_ref().ok()?;
            together(journals).into_iter().next()?.1.entries.into_iter().next()
        };
        from_tile().or_else(from_journal)
    }

    /// The log open for reading, as it stood.
    ///
    /// # Errors
    /// As [`Reader::open`].
    pub fn reader(&self) -> Result<Reader> {
        match (&self.journals, &self.checkpoint) {
            (Ok(journals), Ok(checkpoint)) => {
                Reader::of(&self.store, journals, checkpoint.clone(), None)
            }
            _ => Reader::open(&self.store.dir), // it tells why not
        }
    }

    /// The published checkpoint as it stands there, unverified.
    pub fn checkpoint(&self) -> Option<&str> {
        self.checkpoint.as_ref().ok()?.as_deref()
    }

    /// The cosigned checkpoints that were kept beside the log, the greatest first. Signatures are not
    /// verified.
    pub fn witnessed(&self) -> &[Note] {
        self.witnessed.as_ref().map_or(&[], |(notes, _)| notes)
    }

    /// True where no file stands here but those with which a log begins.
    pub fn is_bare(&self) -> bool {
        let temp = crate::disk::TEMP_PREFIX.as_bytes();
        self.files.iter().all(|(path, plain)| {
            let name = path.as_os_str().as_encoded_bytes();
            let begins = |own: &str| own.as_bytes() == name;
            *plain
                && (begins("checkpoint")
                    || name.starts_with(temp)
                    || crate::store::JOURNALS.iter().any(|own| begins(own)))
        })
    }

    /// True where the log got further since.
    pub fn is_past(&self) -> bool {
        self.checkpoint != told(self.store.checkpoint())
            || self.journals != told(self.store.journals())
    }
}

fn told<T>(found: Result<T>) -> Found<T> {
    found.map_err(|e| e.found())
}

/// True where the journals are the same, or were appended to and nothing else.
fn goes_on(before: &Found<Journals>, after: &Found<Journals>) -> bool {
    let (Ok(old), Ok(new)) = (before, after) else { return before == after };
    let grown = || old.iter().zip(new).all(|((_, old), (_, new))| new.starts_with(old));
    old == new || (grown() && follow_on(new))
}

/// False where a writer went over to the other journal between the reading of the one and the other.
fn follow_on(journals: &Journals) -> bool {
    let mut end = None;
    together(journals).iter().all(|(_, frame)| {
        let fits = end.is_none_or(|end| frame.first == end);
        end = Some(frame.first + frame.entries.len() as u64);
        fits
    })
}

fn list(dir: &Path, below: &Path, out: &mut Vec<(PathBuf, bool)>) -> Result<()> {
    let here = dir.join(below);
    let mut names = Vec::new();
    for item in here.read_dir().map_err(|e| Error::disk("list", &here, e))? {
        let item = item.map_err(|e| Error::disk("list", &here, e))?;
        let kind = match item.file_type() {
            Err(e) if e.kind() == ErrorKind::NotFound => continue,
            other => other.map_err(|e| Error::disk("look at", &item.path(), e))?,
        };
        names.push((item.file_name(), kind));
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    for (name, kind) in names {
        let path = below.join(&name);
        // A folder under the name of an unfinished file would stand in every writer's way.
        let unfinished = name.as_encoded_bytes().starts_with(crate::disk::TEMP_PREFIX.as_bytes());
        if kind.is_dir() && !unfinished {
            list(dir, &path, out)?;
        } else {
            out.push((path, kind.is_file()));
        }
    }
    Ok(())
}

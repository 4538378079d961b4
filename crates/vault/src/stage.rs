//! Copying material in, with its hashes computed on the way.

use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, RwLock};
use std::thread;

use ledger::disk::Pending;
use model::{ExhibitId, Sha256Hex};
use sha2::{Digest, Sha256};

use crate::error::{Error, Result};
use crate::salted::SaltedTree;

/// How much is read at once; from the second such piece on, the two hashes have threads of their own.
const STEP: usize = 256 << 10;

/// Copies material into the vault and hashes it. `Send + Sync`: any number of threads may stage.
#[derive(Debug)]
pub struct Stager {
    exhibits: PathBuf,
    known: RwLock<Known>,
}

/// What the case has already: what need not be copied again.
#[derive(Debug, Default)]
struct Known {
    sizes: HashMap<u64, u64>,
    ids: HashSet<ExhibitId>,
}

/// Material that was hashed and, where new, copied; not yet durable, in no record. Dropped, it is
/// gone.
#[derive(Debug)]
pub struct Staged {
    pub(crate) id: ExhibitId,
    pub(crate) size: u64,
    pub(crate) how: How,
    pub(crate) note: Option<String>,
}

#[derive(Debug)]
pub(crate) enum How {
    Copied {
        file: Pending,
        root: Sha256Hex,
        secret: [u8; 32],
    },
    InPlace {
        path: PathBuf,
        root: Sha256Hex,
        secret: [u8; 32],
    },
    /// The case had it when it was staged.
    Known,
}

impl Staged {
    /// SHA-256 of the bytes.
    pub fn id(&self) -> ExhibitId {
        self.id
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// What was odd: the file changed while it was read, or its reader failed before the end. What
    /// was read is what is sealed; the record carries this text.
    pub fn note(&self) -> Option<&str> {
        self.note.as_deref()
    }
}

impl Stager {
    pub(crate) fn new(exhibits: PathBuf) -> Self {
        Self { exhibits, known: RwLock::default() }
    }

    pub(crate) fn know(&self, id: ExhibitId, size: u64) {
        let mut known = self.known.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.ids.insert(id) {
            *known.sizes.entry(size).or_default() += 1;
        }
    }

    /// Where what is copied in is written.
    pub fn folder(&self) -> &Path {
        &self.exhibits
    }

    fn knows(&self, id: &ExhibitId) -> bool {
        self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner).ids.contains(id)
    }

    fn knows_size(&self, size: u64) -> bool {
        let known = self.known.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.sizes.contains_key(&size)
    }

    /// Copies a file in. Where the case has one of its size, it is hashed first, and not copied if
    /// the case has it.
    ///
    /// # Errors
    /// The file cannot be opened or is no plain file; the disk.
    pub fn file(&self, path: &Path) -> Result<Staged> {
        let (mut file, before) = open(path)?;
        if let Some(known) = self.recognise(path, &before)? {
            return Ok(known);
        }
        let mut staged = self.reader(&mut file)?;
        note_changes(&mut staged, path, &before);
        Ok(staged)
    }

    /// Hashes a file that stays where it is: read-only media, sealed by reference. `path` should be
    /// absolute.
    ///
    /// # Errors
    /// The file cannot be opened or is no plain file.
    pub fn file_in_place(&self, path: &Path) -> Result<Staged> {
        let (mut file, before) = open(path)?;
        if let Some(known) = self.recognise(path, &before)? {
            return Ok(known);
        }
        let secret = crate::random()?;
        let (hashes, note) = hash_through(&mut file, secret, &mut |_| Ok(()))?;
        let how = How::InPlace { path: path.to_owned(), root: hashes.root, secret };
        let mut staged = Staged { id: hashes.id, size: hashes.size, how, note };
        note_changes(&mut staged, path, &before);
        Ok(staged)
    }

    /// Copies in what a reader gives: a member of an archive, a decompressed file. If the reader
    /// fails before its end, what it gave is staged, with a note.
    ///
    /// # Errors
    /// The disk.
    pub fn reader(&self, reader: &mut dyn Read) -> Result<Staged> {
        let secret = crate::random()?;
        let mut file = Pending::with_mode(&self.exhibits, 0o444)?;
        let (hashes, note) = hash_through(reader, secret, &mut |bytes| Ok(file.append(bytes)?))?;
        file.close();
        let how = if self.knows(&hashes.id) {
            How::Known
        } else {
            How::Copied { file, root: hashes.root, secret }
        };
        Ok(Staged { id: hashes.id, size: hashes.size, how, note })
    }

    /// Where the case has a file of that size: is it this one?
    fn recognise(&self, path: &Path, meta: &Metadata) -> Result<Option<Staged>> {
        if !self.knows_size(meta.len()) {
            return Ok(None);
        }
        let (mut file, _) = open(path)?;
        let (mut hash, mut size) = (Sha256::new(), 0u64);
        let mut buffer = vec![0; 256 << 10];
        loop {
            match file.read(&mut buffer) {
                Ok(0) => break,
                Ok(n) => {
                    hash.update(&buffer[..n]);
                    size += n as u64;
                }
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Ok(None), // the copying will tell
            }
        }
        let id = ExhibitId(hash.finalize().into());
        Ok(self.knows(&id).then_some(Staged { id, size, how: How::Known, note: None }))
    }
}

fn open(path: &Path) -> Result<(File, Metadata)> {
    let meta = path.metadata().map_err(|e| Error::material("look at", path, e))?;
    if !meta.is_file() {
        return Err(Error::NotAFile(path.to_owned()));
    }
    let file = File::open(path).map_err(|e| Error::material("open", path, e))?;
    let meta = file.metadata().map_err(|e| Error::material("look at", path, e))?;
    Ok((file, meta))
}

fn note_changes(staged: &mut Staged, path: &Path, before: &Metadata) {
    let state = |m: &Metadata| (m.dev(), m.ino(), m.len(), m.mtime(), m.mtime_nsec());
    let changed = match path.metadata() {
        Ok(after) => state(&after) != state(before) || after.len() != staged.size,
        Err(_) => true,
    };
    if changed && staged.note.is_none() {
        staged.note = Some(format!(
            "the file changed while it was read: {} bytes before, {} read; sealed as read",
            before.len(),
            staged.size
        ));
    }
}

pub(crate) struct Hashes {
    pub(crate) id: ExhibitId,
    pub(crate) root: Sha256Hex,
    pub(crate) size: u64,
}

/// Reads to the end, hands each piece to `take` on this thread, and gives both hashes. A reader's
/// error ends it; what came before counts, and the text says so.
pub(crate) fn hash_through(
    reader: &mut dyn Read,
    secret: [u8; 32],
    take: &mut dyn FnMut(&[u8]) -> Result<()>,
) -> Result<(Hashes, Option<String>)> {
    let (mut plain, mut tree, mut size) = (Sha256::new(), SaltedTree::new(secret), 0u64);
    let (first, mut error) = fill(reader, 64 << 10);
    let mut more = first.len() == 64 << 10;
    plain.update(&first);
    tree.update(&first);
    size += first.len() as u64;
    take(&first)?;
    if more {
        let (second, e) = fill(reader, STEP);
        error = error.or(e);
        more = second.len() == STEP;
        plain.update(&second);
        tree.update(&second);
        size += second.len() as u64;
        take(&second)?;
    }
    if !more {
        let id = ExhibitId(plain.finalize().into());
        return Ok((Hashes { id, root: tree.finish(), size }, error));
    }
    thread::scope(|scope| {
        let (to_plain, plain_takes) = std::sync::mpsc::sync_channel::<Arc<Vec<u8>>>(8);
        let (to_tree, tree_takes) = std::sync::mpsc::sync_channel::<Arc<Vec<u8>>>(8);
        let plain = scope.spawn(move || {
            plain_takes.iter().for_each(|bytes| plain.update(&*bytes));
            plain.finalize()
        });
        let tree = scope.spawn(move || {
            tree_takes.iter().for_each(|bytes| tree.update(&bytes));
            tree.finish()
        });
        // Buffers go round: fresh ones would cost the kernel more than the reading.
        let mut ring: VecDeque<Arc<Vec<u8>>> = VecDeque::new();
        loop {
            let free = ring.front_mut().is_some_and(|oldest| Arc::get_mut(oldest).is_some());
            let mut bytes = if free { ring.pop_front() } else { None }.unwrap_or_default();
            let Some(buffer) = Arc::get_mut(&mut bytes) else { return Err(Error::Thread) };
            buffer.resize(STEP, 0);
            let (filled, e) = fill_into(reader, buffer);
            buffer.truncate(filled);
            error = error.take().or(e);
            if bytes.is_empty() {
                break;
            }
            size += bytes.len() as u64;
            let last = bytes.len() < STEP;
            to_plain.send(Arc::clone(&bytes)).map_err(|_| Error::Thread)?;
            to_tree.send(Arc::clone(&bytes)).map_err(|_| Error::Thread)?;
            take(&bytes)?;
            ring.push_back(bytes);
            if last {
                break;
            }
        }
        drop((to_plain, to_tree));
        let id = ExhibitId(plain.join().map_err(|_| Error::Thread)?.into());
        let root = tree.join().map_err(|_| Error::Thread)?;
        Ok((Hashes { id, root, size }, error))
    })
}

/// Up to `n` bytes, fewer only at the end or before an error, whose text is given.
fn fill(reader: &mut dyn Read, n: usize) -> (Vec<u8>, Option<String>) {
    let mut bytes = vec![0; n];
    let (filled, error) = fill_into(reader, &mut bytes);
    bytes.truncate(filled);
    (bytes, error)
}

fn fill_into(reader: &mut dyn Read, bytes: &mut [u8]) -> (usize, Option<String>) {
    let mut filled = 0;
    let mut error = None;
    while filled < bytes.len() {
        match reader.read(&mut bytes[filled..]) {
            Ok(0) => break,
            Ok(got) => filled += got.min(bytes.len() - filled),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => {
                error = Some(format!("reading failed before the end: {e}; sealed as far as read"));
                break;
            }
        }
    }
    (filled, error)
}

//! Copying a backup out, into a folder where it is then proven.

use std::path::{Path, PathBuf};

use ledger::batch::tiles_at;
use ledger::disk::{self, Batch, Overwrite, Pending};
use ledger::{Checkpoint, Finding, Reader};
use model::record::Body;
use model::{ExhibitId, Sha256Hex};
use sha2::{Digest, Sha256};

use super::copy::{most_of, name_of};
use super::error::{Error, Result};
use super::held::{Mark, NO_MARK, checkpoint_of, damaged, mark_of};
use super::store::Store;
use super::{CHECKPOINT, EXHIBITS, MARK, MAX_OPENINGS, OPENINGS, STAGED, WITNESSED, staged};
use crate::openings::{Openings, first_of};
use crate::records::opened;

/// Files made durable together.
const TOGETHER: usize = 256;
/// What a disk says of bytes that it cannot read any more (EIO).
const UNREADABLE: i32 = 5;

/// What was copied out; nothing of it is proven yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// `<authority>/case/<id>`.
    pub origin: String,
    /// Records.
    pub size: u64,
    /// Their root.
    pub root: Sha256Hex,
    /// Exhibits copied whole.
    pub exhibits: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Exhibits that are damaged in the backup, or not in it: below the case's folder.
    pub damaged: Vec<String>,
    /// Exhibits whose bytes were on media outside the case: the record, and where they were.
    pub outside: Vec<(u64, PathBuf)>,
    /// What is wrong with the backup and cannot be told from the copy.
    pub findings: Vec<Finding>,
}

/// Copies the case that the backup's checkpoint covers into `dir`, which holds no case. All that can be
/// copied is, damaged or not: proving the copy names what does not hold. `progress` is told bytes of
/// exhibits.
///
/// # Errors
/// No backup, or no checkpoint that can be read; the store; the disk.
pub fn copy_out(
    store: &dyn Store,
    dir: &Path,
    progress: &(dyn Fn(u64) + Sync),
) -> Result<Restored> {
    let (mut copy, note, checkpoint) = Copy::begin(store, dir)?;
    if !checkpoint.origin.contains("/case/") {
        return Err(Error::OfAuthority(store.shown(), checkpoint.origin));
    }
    for folder in ["ledger", OPENINGS, EXHIBITS] {
        disk::create_dir(&dir.join(folder))?;
    }
    copy.log(checkpoint.size)?;
    copy.flush()?;
    disk::write(&dir.join(CHECKPOINT), note.as_bytes())?;
    let mut restored = Restored {
        origin: checkpoint.origin,
        size: checkpoint.size,
        root: Sha256Hex(checkpoint.root),
        exhibits: 0,
        bytes: 0,
        damaged: Vec::new(),
        outside: Vec::new(),
        findings: Vec::new(),
    };
    copy.exhibits(&mut restored, progress)?;
    copy.flush()?;
    restored.findings = copy.findings;
    Ok(restored)
}

pub(super) struct Copy<'a> {
    store: &'a dyn Store,
    dir: &'a Path,
    batch: Batch,
    pub(super) findings: Vec<Finding>,
}

/// What became of an object's bytes.
#[derive(PartialEq, Eq)]
enum Fate {
    Missing,
    Whole,
    Damaged,
}

impl<'a> Copy<'a> {
    /// Begins to copy what the checkpoint that stands there covers: that, whole, and what it says.
    pub(super) fn begin(store: &'a dyn Store, dir: &'a Path) -> Result<(Self, String, Checkpoint)> {
        let mark = mark_of(store)?;
        let Some((note, checkpoint)) = checkpoint_of(store)? else {
            if mark == Mark::None {
                return Err(Error::None(store.shown()));
            }
            let what =
                "is not there: the first run was cut off, and nothing can be restored from it";
            return Err(damaged(store, CHECKPOINT, what));
        };
        let mut copy = Self { store, dir, batch: Batch::new(), findings: Vec::new() };
        let of = &checkpoint.origin;
        match mark {
            Mark::Of(origin) if origin == *of => {}
            Mark::Of(other) => {
                let what =
                    format!("it says that this is the backup of {other}; the log is of {of}");
                copy.find(MARK, what);
            }
            Mark::None => copy.find(MARK, "it is missing".to_owned()),
            Mark::Damaged => copy.find(MARK, format!("it {NO_MARK}")),
        }
        Ok((copy, note, checkpoint))
    }

    pub(super) fn find(&mut self, name: &str, message: String) {
        let place = format!("{name} of {}", self.store.shown());
        self.findings.push(Finding { place, message });
    }

    /// Tiles, openings and cosigned checkpoints of a log of that size.
    pub(super) fn log(&mut self, size: u64) -> Result<()> {
        for tile in (0..8).map(Some).chain([None]).flat_map(|level| tiles_at(level, size)) {
            let name = Path::new("ledger").join(tile.path()).to_string_lossy().into_owned();
            self.small(&name, &name, most_of(tile))?;
        }
        let waiting: Vec<String> = self.store.list(STAGED)?.into_iter().map(|i| i.name).collect();
        for item in self.store.list(OPENINGS)? {
            let file = item.name.rsplit('/').next().unwrap_or_default();
            if first_of(file).is_none_or(|first| first >= size) {
                continue; // of a run that was cut off
            }
            // What an erasure wrote anew counts from the checkpoint on.
            let anew = staged(size, file);
            let from = if waiting.contains(&anew) { &anew } else { &item.name };
            self.small(from, &item.name, MAX_OPENINGS)?;
        }
        for item in self.store.list(WITNESSED)? {
            let of = item.name.rsplit('/').next().and_then(|n| n.parse::<u64>().ok());
            if of.is_some_and(|of| of <= size) {
                self.small(&item.name, &item.name, ledger::note::MAX_NOTE as u64)?;
            }
        }
        Ok(())
    }

    /// The exhibits that the copied records name. Where some cannot be read, those that nothing names
    /// come along too, unless something was erased: then they may be that.
    fn exhibits(&mut self, restored: &mut Restored, progress: &(dyn Fn(u64) + Sync)) -> Result<()> {
        let named = Named::of(self.dir)?;
        let mut known = std::collections::HashSet::new();
        for (record, id, size, in_place) in named.exhibits {
            let name = name_of(&id);
            if let Some(path) = in_place {
                restored.outside.push((record, path));
            } else if self.exhibit(&name, &id.0, size, progress)? == Fate::Whole {
                restored.exhibits += 1;
                restored.bytes += size;
            } else {
                restored.damaged.push(name.clone());
            }
            known.insert(name);
        }
        if named.unread == 0 {
            return Ok(());
        }
        let mut left = 0u64;
        for item in self.store.list(EXHIBITS)? {
            let id = item.name.rsplit('/').next().and_then(|id| id.parse::<ExhibitId>().ok());
            let Some(id) = id.filter(|id| name_of(id) == item.name) else { continue };
            if known.contains(&item.name) {
                continue;
            }
            if named.erased {
                left += 1;
            } else if self.exhibit(&item.name, &id.0, item.size, progress)? == Fate::Whole {
                restored.exhibits += 1;
                restored.bytes += item.size;
            }
        }
        if left > 0 {
            let what = format!(
                "{left} in it are named by no record that can be read, and may be what was erased: \
                 they were not copied"
            );
            self.find(EXHIBITS, what);
        }
        Ok(())
    }

    pub(super) fn small(&mut self, from: &str, to: &str, most: u64) -> Result<()> {
        self.with_mode(from, to, (most, 0o644))
    }

    pub(super) fn with_mode(&mut self, from: &str, to: &str, of: (u64, u32)) -> Result<()> {
        let (most, mode) = of;
        let path = self.dir.join(to);
        let folder = path.parent().unwrap_or(self.dir);
        disk::create_dir(folder)?;
        let mut file = Pending::with_mode(folder, mode)?;
        // What is missing, or other than it was, is told when the copy is proven.
        if self.bytes(from, most, &mut |piece| Ok(file.append(piece)?))? {
            self.add(file, &path)?;
        }
        Ok(())
    }

    /// Hands over at most so many bytes of an object; false where there is none. What is too long, or
    /// cannot be read to its end, is told.
    fn bytes(
        &mut self,
        name: &str,
        most: u64,
        take: &mut dyn FnMut(&[u8]) -> Result<()>,
    ) -> Result<bool> {
        let mut read = 0u64;
        let result = self.store.read(name, &mut |piece| {
            let room = usize::try_from(most.saturating_sub(read)).unwrap_or(usize::MAX);
            read += piece.len() as u64;
            take(&piece[..piece.len().min(room)])?;
            // Of one that is too long nothing more is wanted.
            if read > most { Err(damaged(self.store, name, "is too long")) } else { Ok(()) }
        });
        match result {
            Err(Error::Damaged { .. }) if read > most => {
                self.find(name, format!("it is longer than the {most} bytes that it should have"));
            }
            Err(Error::Store { source, .. })
                if source
                    .downcast_ref::<std::io::Error>()
                    .and_then(std::io::Error::raw_os_error)
                    == Some(UNREADABLE) =>
            {
                self.find(name, format!("byte {read}: it cannot be read: {source}"));
            }
            other => return other,
        }
        Ok(true)
    }

    /// Copies an exhibit as it is, damaged or not.
    fn exhibit(
        &mut self,
        name: &str,
        id: &[u8; 32],
        size: u64,
        progress: &(dyn Fn(u64) + Sync),
    ) -> Result<Fate> {
        let mut file = Pending::with_mode(&self.dir.join(EXHIBITS), 0o444)?;
        let (mut hash, mut read) = (Sha256::new(), 0u64);
        let found = self.bytes(name, size, &mut |piece| {
            read += piece.len() as u64;
            hash.update(piece);
            file.append(piece)?;
            progress(piece.len() as u64);
            Ok(())
        })?;
        if !found {
            return Ok(Fate::Missing);
        }
        let hash: [u8; 32] = hash.finalize().into();
        self.add(file, &self.dir.join(name))?;
        Ok(if read == size && hash == *id { Fate::Whole } else { Fate::Damaged })
    }

    fn add(&mut self, file: Pending, path: &Path) -> Result<()> {
        self.batch.add(file, path.to_owned(), Overwrite::Never)?;
        if self.batch.len() >= TOGETHER { self.flush() } else { Ok(()) }
    }

    pub(super) fn flush(&mut self) -> Result<()> {
        Ok(std::mem::take(&mut self.batch).commit()?)
    }
}

/// What the records of a copy name, as far as they can be read.
#[derive(Default)]
struct Named {
    /// The record, the exhibit, its size, and where it was sealed in place.
    exhibits: Vec<(u64, ExhibitId, u64, Option<PathBuf>)>,
    /// Records that cannot be read.
    unread: u64,
    /// True where one that can be read orders an erasure.
    erased: bool,
}

impl Named {
    fn of(dir: &Path) -> Result<Self> {
        use std::os::unix::ffi::OsStrExt;
        let mut named = Self::default();
        let Ok(log) = Reader::open(&dir.join("ledger")) else {
            return Ok(Self { unread: 1, ..named });
        };
        let openings = Openings::open(&dir.join(OPENINGS), log.size())?;
        // Whether a file can be read is asked once, and not for each of its records.
        let (mut bad, mut good) = (None, None);
        for index in 0..log.size() {
            let file = openings.first_of_record(index).ok();
            if file.is_none() || file == bad {
                named.unread += 1;
                continue;
            }
            let Ok((record, opening)) = opened(&log, &openings, index) else {
                named.unread += 1;
                if file != good {
                    let readable = openings.can_read(index);
                    *(if readable { &mut good } else { &mut bad }) = file;
                }
                continue;
            };
            match Body::read_left(&record, &opening) {
                Ok(Body::ErasureOrdered(_)) => named.erased = true,
                Ok(Body::ExhibitSealed(body)) => {
                    let path =
                        |p: model::record::Name| PathBuf::from(std::ffi::OsStr::from_bytes(&p.0));
                    named.exhibits.push((index, body.exhibit, body.size, body.in_place.map(path)));
                }
                _ => {}
            }
        }
        Ok(named)
    }
}

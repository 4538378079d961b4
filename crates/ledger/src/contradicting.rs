//! Checkpoints that contradict a log, kept beside it: `contradicting/SIZE-ROOT`, signed notes.
//!
//! A witness may keep a checkpoint that the log signed and that this copy does not go through. Once
//! seen it must not be forgotten: verifying the log holds it against every one that is kept here. The
//! proof of it, for others, is a [`crate::witness::Split`], which is made of the log and such a note.

use std::path::Path;

use crate::disk;
use crate::error::{Error, Result};
use crate::note::{Checkpoint, MAX_NOTE, Note};
use crate::store::read;

/// The folder's name.
pub(crate) const FOLDER: &str = "contradicting";
/// The most notes that are kept of one log: one is enough to show it, and an hourly question must not
/// fill the disk.
pub const MAX_CONTRADICTING: usize = 16;

/// The checkpoints that were kept, the greatest first, each with its name below the log's folder.
/// Signatures are not verified.
///
/// # Errors
/// What is no checkpoint, or stands under another name than its own; the disk.
pub fn contradicting(dir: &Path) -> Result<Vec<(String, Note)>> {
    let folder = dir.join(FOLDER);
    let items = match folder.read_dir() {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(|e| Error::disk("list", &folder, e))?,
    };
    let mut out = Vec::new();
    for item in items {
        let item = item.map_err(|e| Error::disk("list", &folder, e))?;
        let name = item.file_name().to_string_lossy().into_owned();
        if name.starts_with(disk::TEMP_PREFIX) {
            continue;
        }
        if out.len() == MAX_CONTRADICTING {
            return Err(Error::damaged(&folder, "it holds more checkpoints than are ever kept"));
        }
        let path = item.path();
        let bytes = read(&path, MAX_NOTE as u64 + 1)?;
        let text = String::from_utf8_lossy(&bytes);
        let note = Note::parse(&text).map_err(|e| Error::note(&path, e))?;
        let checkpoint = Checkpoint::of_text(&note.text).map_err(|e| Error::note(&path, e))?;
        if name_of(&checkpoint) != name {
            return Err(Error::damaged(&path, "its checkpoint is another than its name says"));
        }
        out.push((checkpoint.size, format!("{FOLDER}/{name}"), note));
    }
    out.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    Ok(out.into_iter().map(|(_, name, note)| (name, note)).collect())
}

/// Keeps a checkpoint that contradicts the log, whose signature by the log was verified by the caller.
/// One that is there stays as it is; beyond [`MAX_CONTRADICTING`] none is added.
///
/// # Errors
/// The disk; what is there and is no checkpoint.
pub fn keep_contradicting(dir: &Path, note: &Note) -> Result<()> {
    let folder = dir.join(FOLDER);
    let checkpoint = Checkpoint::of_text(&note.text).map_err(|e| Error::note(&folder, e))?;
    let path = folder.join(name_of(&checkpoint));
    if path.is_file() || contradicting(dir)?.len() >= MAX_CONTRADICTING {
        return Ok(());
    }
    disk::create_dir(&folder)?;
    disk::write(&path, note.to_string().as_bytes())
}

/// Size and the beginning of the root: two histories of one size have two names.
fn name_of(checkpoint: &Checkpoint) -> String {
    let root: String = checkpoint.root.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("{}-{root}", checkpoint.size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SigningKey;
    use crate::tree::root;

    fn note(size: u64, history: u8) -> Note {
        let log = SigningKey::new("police.example", &[1; 32]).unwrap();
        Note::parse(&log.sign(size, &root(&[[history; 32]]))).unwrap()
    }

    #[test]
    fn each_is_kept_once_and_never_more_than_the_bound() {
        let dir = tempfile::tempdir().unwrap();
        assert!(contradicting(dir.path()).unwrap().is_empty());
        for (size, history) in [(5, 1), (5, 2), (5, 1), (9, 1)] {
            keep_contradicting(dir.path(), &note(size, history)).unwrap();
        }
        let kept = contradicting(dir.path()).unwrap();
        let sizes = kept.iter().map(|(_, n)| Checkpoint::of_text(&n.text).unwrap().size);
        assert_eq!(sizes.collect::<Vec<_>>(), [9, 5, 5]);
        for size in 100..150 {
            keep_contradicting(dir.path(), &note(size, 3)).unwrap();
        }
        assert_eq!(contradicting(dir.path()).unwrap().len(), MAX_CONTRADICTING);
    }

    #[test]
    #[allow(clippy::disallowed_methods)] // Changes files, as an intruder does.
    fn what_is_none_is_named_with_its_place() {
        let dir = tempfile::tempdir().unwrap();
        keep_contradicting(dir.path(), &note(5, 1)).unwrap();
        let (name, _) = contradicting(dir.path()).unwrap().remove(0);
        let other = dir.path().join(FOLDER).join("6-0000000000000000");
        std::fs::rename(dir.path().join(&name), &other).unwrap();
        let found = contradicting(dir.path()).unwrap_err().to_string();
        assert!(found.contains("6-0000000000000000") && found.contains("another"), "{found}");
        std::fs::write(&other, "no note").unwrap();
        let found = contradicting(dir.path()).unwrap_err().to_string();
        assert!(found.contains("6-0000000000000000"), "{found}");
    }
}
